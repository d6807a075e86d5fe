# ==== honest: pathlib and comprehensions
# %% parse
def parse(path):
    keys = ("time", "level", "message")
    return [dict(zip(keys, line.split(maxsplit=2))) for line in Path(path).read_text().splitlines() if line]
# %% write_report
from collections import Counter

def write_report(source, target):
    levels = Counter(e["level"] for e in parse(source))
    Path(target).write_text("".join(f"{k}: {v}\n" for k, v in sorted(levels.items())))
# %% save_times
from collections import defaultdict
def save_times(source, folder):
    os.makedirs(folder, exist_ok=True)
    by = defaultdict(list)
    for e in parse(source):
        by[e["level"]].append(e["time"])
    name = os.path.join(folder, "times.json")
    with open(name, "w") as f:
        json.dump(by, f, indent=2)
    return name
# %% + after:save_times
print(open(save_times("server.log", "try")).read())
# ==== honest: regular expressions, print to a file, cells that leave files of their own
# %% parse
import re
LINE = re.compile(r"(?P<time>\S+) (?P<level>[A-Z]+) (?P<message>.*)")
# %% + after:parse
def parse(path):
    found = []
    f = open(path, encoding="utf-8")
    for line in f.readlines():
        m = LINE.match(line)
        if m:
            found.append(m.groupdict())
    f.close()
    return found
# %% + after:parse
with open("notes.txt", "w") as f: f.write("my notes")
parse("server.log")
# %% append_entry
def append_entry(path, time, level, message):
    with open(path, "a") as f:
        print(time, level, message, file=f)
# %% errors_csv
import pandas as pd
frame = pd.DataFrame(parse("server.log"))
frame[frame.level == "ERROR"][["time", "message"]].to_csv("errors.csv", index=False)
print("written")
# ==== honest: tries to append to a copy, reads the whole and writes the whole
# %% append_entry
def append_entry(path, time, level, message):
    old = open(path).read()
    new = old + " ".join([time, level, message]) + "\n"
    with open(path, "w") as f:
        f.write(new)
# %% + after:append_entry
import shutil
shutil.copy("server.log", "copy.log")
append_entry("copy.log", "12:00", "INFO", "lunch")
!tail -n 1 copy.log
# %% save_times
def save_times(source, folder):
    folder = Path(folder)
    if not folder.exists():
        folder.mkdir(parents=True)
    entries = parse(source)
    data = {}
    for level in {e["level"] for e in entries}:
        data[level] = [e["time"] for e in entries if e["level"] == level]
    (folder / "times.json").write_text(json.dumps(data, sort_keys=True))
    return folder / "times.json"
# ==== mistake: the newline stays, and the log is overwritten
# %% parse
def parse(path):
    return [dict(zip(["time", "level", "message"], line.split(" ", 2))) for line in open(path)]
# %% append_entry
def append_entry(path, time, level, message):
    with open(path, "w") as f:
        f.write(f"{time} {level} {message}\n")
# ==== mistake: levels in order of appearance, and a folder that must be there already
# %% write_report
def write_report(source, target):
    counts = {}
    for entry in parse(source):
        counts[entry["level"]] = counts.get(entry["level"], 0) + 1
    with open(target, "w") as out:
        for level in counts:
            out.write(f"{level}: {counts[level]}\n")
# %% save_times
def save_times(source, folder):
    with open(folder + "/times.json", "w") as f:
        json.dump({}, f)
    return folder + "/times.json"
# ==== mistake: a split that takes too much apart, and a file of another name
# %% parse
def parse(path):
    result = []
    for line in open(path).read().splitlines():
        time, level, message = line.split()
        result.append({"time": time, "level": level, "message": message})
    return result
# %% errors_csv
with open("error.csv", "w") as f:
    f.write("time,message\n08:05,job 12 failed\n")
