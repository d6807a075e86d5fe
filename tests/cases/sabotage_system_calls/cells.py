# %% + after:setup

import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
done = {
    "mount": libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None),
    "sethostname": libc.sethostname(b"forged", 6),
    "settimeofday": libc.settimeofday((ctypes.c_long * 2)(0, 0), None),
    "chroot": libc.chroot(b"/tmp"),
    "setuid": libc.setuid(0),
    "swapoff": libc.swapoff(b"/dev/vda"),
    "init_module": libc.syscall(175, b"", 0, b""),
    "bpf": libc.syscall(321, 5, bytes(128), 128),
    "mknod": libc.mknod(b"/tmp/disk", 0o60666, 0x800),
}
print("succeeded:" if 0 in done.values() else "all refused", [name for name, code in done.items() if code == 0])
