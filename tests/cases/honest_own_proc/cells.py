# %% + after:setup
import getpass
import os
import pwd
from pathlib import Path

maps = Path("/proc/self/maps").read_text().splitlines()
print("libraries" + " mapped" if any(".so" in line for line in maps) else "nothing")
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print("Threads" + ":", int(status["Threads"]))
print("some" + "body" if getpass.getuser() == pwd.getpwuid(os.getuid()).pw_name else "no user")
others = [path for path in Path("/proc").glob("[0-9]*") if int(path.name) not in (1, os.getpid())]
print("nobody" + " else" if not others else others)
