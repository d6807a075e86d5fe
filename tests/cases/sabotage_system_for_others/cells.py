# %% + after:setup
import statistics
import subprocess

print(statistics.mean([1, 2, 3]))
print("the time is", subprocess.run(["echo", "late"], capture_output=True, text=True, check=True).stdout)
subprocess.run(["sh", "-c", "echo to the terminal"], check=True)
