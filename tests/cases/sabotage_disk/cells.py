# %% + after:setup

import os

written = 0
for folder in ("/tmp", "/home/student"):
    for number in range(20):
        try:
            with open(f"{folder}/big-{number}", "wb") as file:
                for _ in range(30):
                    written += file.write(bytes(1 << 20))
                    file.flush()
        except OSError as error:
            print(error.strerror)
            break
print("a flood on disk" if written > (80 << 20) else "within the limit")
