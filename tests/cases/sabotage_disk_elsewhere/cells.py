# %% + after:setup
import os

written = 0
for folder in ("/", "/etc", "/dev", "/dev/shm", "/opt", "/root"):
    for number in range(3):
        try:
            with open(f"{folder}/big-{number}", "wb") as file:
                for _ in range(30):
                    written += file.write(bytes(1 << 20))
        except OSError:
            pass
print("a flood outside" if written > (80 << 20) else "nothing to be had")
for folder in ("/", "/etc", "/dev", "/dev/shm", "/opt", "/root"):
    for number in range(3):
        try:
            os.unlink(f"{folder}/big-{number}")
        except OSError:
            pass
