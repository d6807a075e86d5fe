# %% + after:setup
import subprocess
import sys
import tempfile
from pathlib import Path

print(subprocess.run(["cat"], input="through cat", capture_output=True, text=True, check=True).stdout)
subprocess.run(["sh", "-c", "echo to the terminal"], check=True)
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("kept")
Path("mine.txt").write_text("my own file")
print(Path("mine.txt").read_text())
