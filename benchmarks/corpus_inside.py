"""The first process of a sandbox in which another grader grades hostile work: it alone cannot be killed by it.

Reads a task as JSON from stdin (so that no file holds the words that must not be found), puts a batch of submissions
in place, plants those words, runs the grader, ends everything, and writes what the grader gave to stdout. It imports
nothing of ours, for it runs in an environment that student code shares.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

WORK = Path("/tmp/work")
MEMORY_BYTES, FILE_BYTES, PROCESSES = 4 << 30, 512 << 20, 256
SCORES = """
    SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score
    FROM grade
    JOIN base_cell ON grade.cell_id = base_cell.id
    JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
    JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
"""
NOTHING = {"scores": {}, "shown": [], "ended": True}
NO_FILE_OF_THE_GRADERS = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
NBGRADER_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "cases"
c.CourseDirectory.db_url = "sqlite:////tmp/work/course/grades.db"
c.CourseDirectory.max_file_size = 100000
c.CourseDirectory.max_dir_size = 100000
c.ExecutePreprocessor.timeout = {cell_timeout_s}
"""


def main() -> None:
    """Grade one batch."""
    task = json.load(sys.stdin)
    WORK.mkdir()
    put_in_place = {"nbgrader": place_for_nbgrader, "otter": place_for_otter}[task["grader"]]
    read = {"nbgrader": read_nbgrader, "otter": read_otter}[task["grader"]]
    command = put_in_place(task)
    plant(task)
    started = time.monotonic()
    most_s = task["seconds"] if task["grader"] == "nbgrader" else len(task["batch"]) * (task["seconds"] + 5)
    ended = run(command, most_s)
    seconds = time.monotonic() - started
    print(json.dumps({"ended": ended, "seconds": round(seconds, 1), "graded": read(task), "log": end_of_log()}))


def end_of_log() -> str:
    """What the grader said last; student code may have taken the file away."""
    try:
        return (WORK / "log").read_bytes()[-600:].decode(errors="replace")
    except OSError:
        return ""


def run(command: list[str], seconds: float) -> bool:
    """Run the grader within limits; whether it ended by itself. Nothing of it is left."""
    with (WORK / "log").open("wb") as log:
        grader = subprocess.Popen(
            command,
            cwd=WORK,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=limit,
        )
        try:
            grader.wait(seconds)
        except subprocess.TimeoutExpired:
            ended = False
        else:
            ended = grader.returncode >= 0
    os.kill(-1, signal.SIGKILL)  # all but this process, which is the first of its namespace
    return ended


def limit() -> None:
    """What keeps the machine alive; not what keeps grades right."""
    for name, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NPROC, PROCESSES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (most, most))


def plant(task: dict[str, Any]) -> None:
    """Put the planted word wherever a notebook might look: files, home, environment, a command line, a service."""
    word = task["planted"]
    neighbour = WORK / "course" / "submitted" / "zz-neighbour" / "other"
    for path in (
        neighbour / task["notebook"],
        WORK / "course" / "gradebook" / "gradebook.db",
        Path("/tmp/planted.txt"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{word} in a file\n")
    home = Path(os.environ["HOME"])
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(f"{word} in a file\n")
    os.environ["COURSE_TOKEN"] = f"{word} in the environment"
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", f"{word} in a command line"])

    class Service(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(f"{word} on loopback\n".encode())

    service = socketserver.ThreadingTCPServer(("127.0.0.1", 20700), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()


def words_in(text: str, task: dict[str, Any]) -> list[str]:
    """Which of the words that must not be shown are in it."""
    return [word for word in (*task["words"], task["planted"]) if word.lower() in text.lower()]


# ---- nbgrader --------------------------------------------------------------------------------------


def place_for_nbgrader(task: dict[str, Any]) -> list[str]:
    """nbgrader's course folder with the batch in submitted/, and its own command, on all of it."""
    course = WORK / "course"
    subprocess.run(["cp", "-a", "/in/course", course], check=True)
    (course / "nbgrader_config.py").write_text(NBGRADER_CONFIG.format(**task))
    submitted = course / "submitted"
    submitted.mkdir()
    for students in (task["batch"], task["batch"][::-1]):  # nbgrader takes them as the file system lists them
        for student in students:
            subprocess.run(["rm", "-rf", submitted / student], check=True)
            (submitted / student).mkdir()
        if [folder.name for folder in submitted.iterdir()] == task["batch"]:
            break
    for student in task["batch"]:
        subprocess.run(["cp", "-a", f"/in/batch/{student}", submitted / student / task["assignment"]], check=False)
    start = f"import os, runpy; os.chdir({str(course)!r}); runpy.run_module('nbgrader', run_name='__main__')"
    return [sys.executable, "-c", start, "autograde", task["assignment"]]


def read_nbgrader(task: dict[str, Any]) -> dict[str, Any]:
    """For each student the automatic scores, and which words the outputs of the autograded notebook hold."""
    course, graded_of = WORK / "course", {}
    try:
        rows = sqlite3.connect(course / "grades.db").execute(SCORES).fetchall()
    except sqlite3.Error:
        rows = []
    for student in task["batch"]:
        graded = course / "autograded" / student / task["assignment"] / task["notebook"]
        try:
            cells = json.loads(graded.read_text(encoding="utf-8"))["cells"]
            outputs = json.dumps([cell.get("outputs") for cell in cells], ensure_ascii=False)
        except NO_FILE_OF_THE_GRADERS:
            graded_of[student] = NOTHING
            continue
        scores = {name: score for who, name, score in rows if who == student}
        graded_of[student] = {"scores": scores, "shown": words_in(outputs, task), "ended": True}
    return graded_of


# ---- otter -----------------------------------------------------------------------------------------


def place_for_otter(task: dict[str, Any]) -> list[str]:
    """A script that calls `otter run` for each of the batch in turn, on what could be uploaded of it."""
    lines = []
    for student in task["batch"]:
        folder = WORK / "uploads" / student
        folder.mkdir(parents=True)
        (WORK / "results" / student).mkdir(parents=True)
        upload = uploaded(Path("/in/batch") / student, folder)
        results = WORK / "results" / student
        limit_s = f"timeout -k 2 {task['seconds']}"  # Otter has none; Gradescope ends a container
        lines.append(f"{limit_s} otter run --no-logo -a /in/autograder.zip -o {results} '{upload}'")
        lines.append(f"echo $? > {results}/code")
    return ["sh", "-c", "\n".join(lines)]


def uploaded(folder: Path, into: Path) -> Path:
    """The notebook, where that is all; else a zip of the regular files, as an upload of several is."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if len(files) == 1 and files[0].suffix == ".ipynb":
        return files[0]
    upload = into / "upload.zip"
    with zipfile.ZipFile(upload, "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(folder))
    return upload


def read_otter(task: dict[str, Any]) -> dict[str, Any]:
    """For each student the scores in results.json, and which words stand in what it lets a student see."""
    graded_of = {}
    for student in task["batch"]:
        folder = WORK / "results" / student
        try:
            ended = int((folder / "code").read_text()) not in (124, 137)  # as timeout(1) says that it ended it
        except NO_FILE_OF_THE_GRADERS:
            ended = False
        try:
            results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            visible = [test for test in results["tests"] if test.get("visibility") != "hidden"]
            scores = {test["name"]: float(test["score"]) for test in results["tests"] if "score" in test}
        except NO_FILE_OF_THE_GRADERS:
            graded_of[student] = NOTHING | {"ended": ended}
            continue
        shown = words_in(json.dumps([results.get("output"), visible], ensure_ascii=False), task)
        graded_of[student] = {"scores": scores, "shown": shown, "ended": ended}
    return graded_of


if __name__ == "__main__":
    main()
