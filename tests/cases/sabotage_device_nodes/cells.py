# %% + after:setup

import glob
import os

for name in sorted(glob.glob("/dev/*")):
    try:
        fd = os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        os.write(fd, b"x" * 1000)
        os.read(fd, 1000)
        os.close(fd)
    except OSError:
        pass
print([name for name in ("/dev/mem", "/dev/kmem", "/dev/vda", "/dev/sda", "/dev/kvm", "/dev/fuse") if os.path.exists(name)])
