# %% + after:setup

import os
import shutil

for folder in ("/tmp", "/home/student"):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        os.unlink(path) if os.path.islink(path) else shutil.rmtree(path, ignore_errors=True)
os.mkdir("/tmp/gone")
os.chdir("/tmp/gone")
os.rmdir("/tmp/gone")
