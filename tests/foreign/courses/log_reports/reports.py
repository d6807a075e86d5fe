# %% [markdown]
# # Reading and writing files
# `server.log` is a log: a time, a level, a message.

# %% locked="imports"
import json
import os
from pathlib import Path

# %% solution="parse"
def parse(path):
    """A list of dictionaries with the keys time, level, message."""
    ### BEGIN SOLUTION
    entries = []
    with open(path) as lines:
        for line in lines:
            time, level, message = line.strip().split(" ", 2)
            entries.append({"time": time, "level": level, "message": message})
    return entries
    ### END SOLUTION

# %% test="test_parse" points=2
entries = parse("server.log")
assert len(entries) == 5
assert entries[0] == {"time": "08:01", "level": "INFO", "message": "start"}
### BEGIN HIDDEN TESTS
with open("other.log", "w") as other:
    other.write("23:59 ERROR the end is near\n")
assert parse("other.log") == [{"time": "23:59", "level": "ERROR", "message": "the end is near"}]
### END HIDDEN TESTS

# %% [markdown]
# Write a report: a line `LEVEL: n` for each level, in alphabetical order.

# %% solution="write_report"
def write_report(source, target):
    ### BEGIN SOLUTION
    counts = {}
    for entry in parse(source):
        counts[entry["level"]] = counts.get(entry["level"], 0) + 1
    with open(target, "w") as out:
        for level in sorted(counts):
            print(f"{level}: {counts[level]}", file=out)
    ### END SOLUTION

# %% test="test_write_report" points=2
write_report("server.log", "report.txt")
assert os.path.exists("report.txt"), "there is no report"
with open("report.txt") as report:
    text = report.read()
assert text.splitlines()[0] == "ERROR: 2"
### BEGIN HIDDEN TESTS
assert text == "ERROR: 2\nINFO: 2\nWARN: 1\n"
### END HIDDEN TESTS

# %% [markdown]
# Now as JSON, into a folder that may not be there yet: `{"ERROR": ["08:05", "08:11"], ...}`.

# %% solution="save_times"
def save_times(source, folder):
    """Write times.json into folder; return its path."""
    ### BEGIN SOLUTION
    times = {}
    for entry in parse(source):
        times.setdefault(entry["level"], []).append(entry["time"])
    target = Path(folder) / "times.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(times))
    return target
    ### END SOLUTION

# %% test="test_save_times" points=2
path = save_times("server.log", "out/json")
assert Path(path).name == "times.json" and Path(path).is_file()
### BEGIN HIDDEN TESTS
content = json.loads(Path("out/json/times.json").read_text())
assert content["ERROR"] == ["08:05", "08:11"]
assert sorted(content) == ["ERROR", "INFO", "WARN"]
save_times("server.log", "out/json")
### END HIDDEN TESTS

# %% [markdown]
# Add an entry to the end of a log, and leave what is there as it is.

# %% solution="append_entry"
def append_entry(path, time, level, message):
    ### BEGIN SOLUTION
    with open(path, "a") as log:
        log.write(f"{time} {level} {message}\n")
    ### END SOLUTION

# %% test="test_append_entry" points=2
append_entry("server.log", "09:00", "INFO", "appended by a test")
lines = Path("server.log").read_text().splitlines()
assert lines[0] == "08:01 INFO start", "the beginning is gone"
assert lines[-1] == "09:00 INFO appended by a test"
### BEGIN HIDDEN TESTS
Path("fresh.log").write_text("")
append_entry("fresh.log", "10:00", "WARN", "x")
append_entry("fresh.log", "10:01", "WARN", "y")
assert Path("fresh.log").read_text() == "10:00 WARN x\n10:01 WARN y\n"
### END HIDDEN TESTS

# %% [markdown]
# Last: run the next cell, so that `errors.csv` is written beside the notebook: `time,message` and a line for each error.

# %% solution="errors_csv"
### BEGIN SOLUTION
import csv
with open("errors.csv", "w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(["time", "message"])
    writer.writerows([e["time"], e["message"]] for e in parse("server.log") if e["level"] == "ERROR")
### END SOLUTION

# %% test="test_errors_csv" points=2
assert "errors.csv" in os.listdir()
with open("errors.csv") as table:
    head, *body = table.read().splitlines()
assert head == "time,message"
### BEGIN HIDDEN TESTS
assert body == ["08:05,job 12 failed", "08:11,job 14 failed"]
### END HIDDEN TESTS
