# %% + after:setup
%%writefile own_helper.py
def added(values):
    return float(sum(values))
print("helper ran")

# %% + after:setup
%run own_helper.py
import own_helper
%load own_helper.py

# %% total
names = !ls own_helper.py
assert names == ["own_helper.py"]
def total(values):
    return own_helper.added(values)

# %% + after:test_total
%%bash
echo "bash says $((20 + 1))"

# %% + after:test_total
import os, subprocess
os.system("echo past the streams")
subprocess.run(["sh", "-c", "echo to the error >&2"])
!pip list
