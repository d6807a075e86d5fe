"""The corpus of grading cases under three graders: ours, plain nbgrader's autograde, and `otter run`.

    .venv/bin/python benchmarks/corpus.py [--only REGEX] [--graders ours,nbgrader,otter] [--page FILE]

What each case gets is kept in `benchmarks/corpus/`, a file a grader, and graded anew only when the case, its module,
the grader or its settings have changed: stop it and go on at will, elsewhere too. What a grader said meanwhile is kept
in `.corpus/`. The other graders have no sandbox, and most cases are hostile; each of theirs is
graded inside bubblewrap (`corpus_inside.py`), so that the machine survives. The page is made of what was measured.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from cases_support import (
    CASES,
    KINDS,
    PLANTED,
    TEST_WORDS,
    Case,
    by_assignment,
    feedback_of,
    grade_cases,
    hand_in,
    hand_in_first,
    notebook_of,
    page_of,
    plain,
    points_for,
    read_cases,
    solve,
    worth_of,
    write,
)

from tito.author.release import publish
from tito.course.course import load_course
from tito.course.script import build
from tito.otter.zip import test_file, write_otter_zip
from tito.plan.planning import plan_assignment

GRADERS = ("ours", "nbgrader", "otter")
NAMES = {"ours": "tito", "nbgrader": "nbgrader", "otter": "Otter"}
LOGS = ROOT / ".corpus"
SETTINGS = "course.toml"  # of ours: the others have settings of their own
BATCH_SECONDS = 60
CELL_TIMEOUT_S = 5  # nbgrader's; our own limit is in the course of the cases, Otter has none
LEAST_FREE_MB = 4096
BEFORE, CASE, AFTER = "a-before", "b-case", "c-after"
UID = 64321
HARNESS = {"nbgrader": 1, "otter": 1}  # raise it with every change of the sandbox that may change what is measured
INSIDE = Path(__file__).with_name("corpus_inside.py")
OTTER_PARTS = (  # of ours, what Otter runs
    "otter/plugin.py", "repair/repair.py", "repair/additions.py", "repair/attachments.py", "repair/placing.py",
    "plan/magics.py", "plan/names.py", "course/submission_files.py",
)  # fmt: skip
Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What one grader made of one case. `after`: whether honest work graded after it got all its points, if any was."""

    digest: str
    scores: dict[str, float]
    shown: list[str]
    ended: bool
    after: bool | None
    seconds: float
    graded_at: str
    log: str = ""


@functools.cache
def worth(assignment: str) -> dict[str, float]:
    """The points of each test of a module."""
    return {name: points for name, points in worth_of(assignment).items() if name.startswith("test_")}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


# ---- what a result depends on ------------------------------------------------------------------------


def digest_of(*folders: Path, more: str = "") -> str:
    """A hash over files and what else a result depends on."""
    digest = hashlib.sha256(more.encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def digest_of_case(case: Case, setup: str) -> str:
    """A hash over what is handed in, however it is graded; not over what is due for it."""
    files = [path for path in sorted(case.folder.iterdir()) if path.name != "case.toml"]
    return digest_of(*files, more=f"{setup} {case.assignment} {case.base} {case.kind}")


def setup_of(grader: str, assignment: str) -> str:
    """What of a grader and its settings may change the result of a case of that module."""
    course = CASES / "assignment"
    if grader == "ours":
        rooms = ("course", "sandbox", "plan", "repair", "judge", "grade", "models.py")
        engine = (ROOT / "tito" / name for name in rooms)
        return digest_of(*engine, more=digest_of(course))
    shared = sorted(path for path in course.iterdir() if path.name not in ("source", SETTINGS))
    module = digest_of(*sorted((course / "source").glob(f"{assignment}*")), *shared)
    harness = f"{module} {HARNESS[grader]} {BATCH_SECONDS} {CELL_TIMEOUT_S}"
    if grader == "nbgrader":
        return f"{harness} {version('nbgrader')}"
    zipped = "".join([*code_of(*(ROOT / "tito" / name for name in OTTER_PARTS)), *otter_tests(assignment)])
    return f"{harness} {digest_of(more=zipped)} {version('otter-grader')}"


@functools.cache
def otter_tests(assignment: str) -> list[str]:
    """The test files that go into the zip."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        shutil.copytree(CASES / "assignment", folder, dirs_exist_ok=True)
        course = load_course(Path(folder).resolve())
        (notebook,) = plan_assignment(course, course.assignment(assignment)).notebooks
        return [test_file(assignment, test) for test in notebook.tests.values()]


def code_of(*paths: Path) -> list[str]:
    """What Python files do: their statements without docstrings and imports, whatever comments say and in whichever of
    the files each stands."""
    statements: list[str] = []
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                code = [
                    part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
                ]
                node.body = code  # type: ignore[attr-defined]  (that it has one was asked above)
        statements += [ast.dump(part) for part in tree.body if not isinstance(part, ast.Import | ast.ImportFrom)]
    return sorted(statements)


class Results:
    """What is known of one grader: a line a case, in a file that is kept with the benchmark."""

    def __init__(self, folder: Path, logs: Path, grader: str) -> None:
        self._path = folder / f"{grader}.jsonl"
        self._logs = logs / grader
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        self._known = {case: Result(**facts) for case, facts in map(json.loads, lines)}

    def of(self, case: Case, digest: str) -> Result | None:
        """A result that still holds."""
        result = self._known.get(case.name)
        return result if result is not None and result.digest == digest else None

    def keep(self, case: Case, result: Result) -> None:
        """Write it down at once."""
        self._logs.mkdir(parents=True, exist_ok=True)
        (self._logs / f"{case.name}.log").write_text(result.log, encoding="utf-8", errors="replace")
        self._known[case.name] = replace(result, log="")
        lines = [json.dumps([name, asdict(self._known[name])]) for name in sorted(self._known)]
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


# ---- ours --------------------------------------------------------------------------------------------


def grade_ours(todo: list[tuple[Case, str]], say: Say) -> Iterator[tuple[Case, Result]]:
    """All that is to be graded as one cohort, as the tests do it."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        started = time.perf_counter()
        run = grade_cases(Path(folder), [case for case, _ in todo])
        say(f"ours: {len(todo)} cases in {time.perf_counter() - started:.0f} s")
        nothing_touched = not run.left and run.before == run.after
        for case, digest in todo:
            graded = run.graded[case.name]
            scores = {cell.grade_id: cell.points for cell in graded.record.cells if cell.points is not None}
            text = feedback_of(graded) + page_of(graded)
            shown = [word for word in (*TEST_WORDS, PLANTED) if word in text]
            seconds = round(sum(notebook.seconds for notebook in graded.record.notebooks), 1)
            whole = nothing_touched and not graded.record.platform_fault
            yield case, Result(digest, scores, shown, whole, whole, seconds, now(), graded.record.fault)


# ---- the others, inside bubblewrap -------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A released module on this machine, and the folder of it that a grader's sandbox sees as /in."""

    assignment: str
    inside: Path
    released: dict[str, Any]


def make_place(root: Path, grader: str, name: str) -> Place:
    """A module of the cases' course, released: for nbgrader the course's folder, for Otter the zip."""
    shutil.copytree(CASES / "assignment", root / "made")
    course = load_course((root / "made").resolve())
    course = replace(course, db_url=f"sqlite:///{root / 'made' / 'grades.db'}")
    publish(course, course.assignment(name))
    released = plain(nbformat.read(course.step("release", name, notebook_of(name)), as_version=4))
    inside = root / "in"
    inside.mkdir()
    if grader == "otter":
        write_otter_zip(course, course.assignment(name), inside / "autograder.zip")
    else:
        build(course, course.assignment(name))
        for step in ("source", "release"):
            shutil.copytree(course.step(step, name), inside / "course" / step / name)
        shutil.copy(course.root / "grades.db", inside / "course")
    return Place(name, inside, released)


def grade_theirs(grader: str, todo: list[tuple[Case, str]], say: Say) -> Iterator[tuple[Case, Result]]:
    """One case after another, each in a sandbox of its own, with honest work graded after it."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        places = {
            name: make_place(Path(folder) / name, grader, name) for name in by_assignment([case for case, _ in todo])
        }
        for number, (case, digest) in enumerate(todo, 1):
            place = places[case.assignment]
            batch = place.inside / "batch"
            # Otter grades each submission in a process of its own: what a case does to the next is asked of sabotage.
            followed = grader == "nbgrader" or case.kind == "sabotage"
            result = grade_batch(grader, hand_in_batch(case, place, batch, followed), place, digest)
            shutil.rmtree(batch)
            end = "" if result.ended else ", stopped"
            others = ", the next one lost" if result.after is False else ""
            points = f"{sum(result.scores.values()):g} points"
            say(f"{grader} [{number}/{len(todo)}] {case.name}: {points}{end}{others}, {result.seconds:g} s")
            yield case, result


def hand_in_batch(case: Case, place: Place, batch: Path, followed: bool) -> list[str]:
    """The accomplice's work if there is one, the case's, and the reference solution's: who is in the batch."""
    students = [CASE]
    hand_in(case, place.released, batch / CASE)
    if followed:
        (batch / AFTER).mkdir()
        write(batch / AFTER, solve(place.released, case.assignment), case.notebook)
        students.append(AFTER)
    if case.first is not None:
        hand_in_first(case, place.released, batch / BEFORE)
        students.insert(0, BEFORE)
    return students


def grade_batch(grader: str, students: list[str], place: Place, digest: str) -> Result:
    """What a grader makes of the case in a batch."""
    task = {
        "grader": grader,
        "batch": students,
        "assignment": place.assignment,
        "notebook": notebook_of(place.assignment),
        "words": TEST_WORDS,
        "planted": PLANTED,
        "seconds": BATCH_SECONDS,
        "cell_timeout_s": CELL_TIMEOUT_S,
    }
    answer = confined(place.inside, json.dumps(task))
    if answer is None:
        lost_too = False if AFTER in students else None
        return Result(digest, {}, [], False, lost_too, BATCH_SECONDS, now(), "the sandbox was stopped from outside")
    graded = answer["graded"]
    scores = {name: score for name, score in graded[CASE]["scores"].items() if score is not None}
    due = worth(place.assignment)
    after = {name: graded[AFTER]["scores"].get(name) for name in due} == due if AFTER in students else None
    ended = answer["ended"] and graded[CASE]["ended"]
    return Result(digest, scores, graded[CASE]["shown"], ended, after, answer["seconds"], now(), answer["log"])


def confined(folder: Path, task: str) -> dict[str, Any] | None:
    """What the sandbox's first process said; None where it had to be stopped from outside."""
    process = subprocess.Popen(
        sandbox_command(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    watch = threading.Thread(target=watched, args=(process,), daemon=True)
    watch.start()
    try:
        out, err = process.communicate(task, timeout=4 * BATCH_SECONDS + 60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None
    try:
        answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        if process.returncode == -signal.SIGKILL:
            return None
        raise RuntimeError(f"the harness failed ({process.returncode}): {err[-2000:]}") from None
    return answer


def watched(process: subprocess.Popen[str]) -> None:
    """Stop the sandbox when the machine runs out of memory."""
    while process.poll() is None:
        if free_mb() < LEAST_FREE_MB:
            process.kill()
        time.sleep(0.2)


def free_mb() -> int:
    text = Path("/proc/meminfo").read_text()
    return int(re.search(r"MemAvailable:\s+(\d+)", text)[1]) >> 10  # type: ignore[index]


def sandbox_command(folder: Path) -> list[str]:
    """bubblewrap: own pids, loopback alone, folders in memory; for root, as a user without rights inside."""
    python = Path(sys.base_prefix).resolve()
    seen = [python, Path(sys.prefix), ROOT / "tito"]
    inside = [INSIDE, folder]
    words = ["bwrap", "--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        words += [*(f"--unshare-{name}" for name in ("pid", "net", "ipc", "uts"))]
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-all"]
    words += ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--dev", "/dev", "--proc", "/proc"]
    for link in ("/bin", "/sbin", "/lib", "/lib64"):
        if Path(link).is_symlink():
            words += ["--symlink", str(Path(link).readlink()), link]
    words += ["--perms", "1777", "--size", str(1 << 30), "--tmpfs", "/tmp"]
    parents = {str(parent) for path in (*seen, Path("/opt/x")) for parent in path.parents} - {"/", "/usr"}
    words += [word for parent in sorted(parents) for word in ("--perms", "0755", "--dir", parent)]
    words += [word for path in seen for word in ("--ro-bind", str(path), str(path))]
    words += ["--ro-bind", str(inside[0]), "/opt/inside.py", "--ro-bind", str(inside[1]), "/in", "--remount-ro", "/"]
    settings = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/tmp/home",
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    words += [word for name, value in settings.items() for word in ("--setenv", name, value)]
    words += ["--chdir", "/tmp", "--"]
    if os.geteuid() == 0:
        words += ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all"]
    return [*words, sys.executable, "/opt/inside.py"]


# ---- the page ----------------------------------------------------------------------------------------


def forged(case: Case, result: Result) -> float:
    """Points beyond what is due, cell by cell."""
    due = points_for(case.verdicts, case.assignment)
    return sum(max(0.0, (result.scores.get(name) or 0.0) - (due[name] or 0.0)) for name in worth(case.assignment))


def lost(case: Case, result: Result) -> float:
    """Points that are due and were not given."""
    due = points_for(case.verdicts, case.assignment)
    return sum(max(0.0, (due[name] or 0.0) - (result.scores.get(name) or 0.0)) for name in worth(case.assignment))


def due_points(case: Case) -> float:
    due = points_for(case.verdicts, case.assignment)
    return sum(due[name] or 0.0 for name in worth(case.assignment))


INTRODUCTION = """# The corpus of grading cases

{cases} submissions, each with the points that it must get, under three graders. {made}

A *case* is one of `tests/cases/`: a notebook, or a folder of odder things, that a student hands in. The same files go
to each grader. **Forged** are points beyond what is due; **lost** are points that were due and were not given;
**shown** means that a word of a hidden test or a mark scheme, or one planted in other people's files, the environment,
a process or a service, stands in what the student may read; **stopped** means that the grader did not come to its end
within {seconds} s; **next lost** means that honest work, graded right after the case, did not get all its points.

How to read it:

- Most cases were written while our engine was built, and against it; it is no surprise that it passes them. Work that
  attacks nbgrader or Otter in particular would fare better there than these figures say: that a case forges nothing
  does not mean that nothing can be forged.
- *tito* grades in its own sandbox, the cases as one cohort; *next lost* then means that a file, a process or another
  submission was touched, or that the case could not be graded.
- *nbgrader* is its own `nbgrader autograde` with its own preprocessors, {timeout} s a cell. What its student reads is
  the outputs of the autograded notebook, and there the traceback of each hidden test that failed: most of what is
  *shown* is that. That its feedback pages show the source of hidden tests is not counted.
- *Otter* is `otter run` with the zip that `tito otter` writes, whose plugin repairs the notebook and runs each test in
  its place. Otter has no time limit of its own; on Gradescope the container's ends a run. What its student reads is the
  visible part of `results.json`. Each submission is a process of its own: *next lost* was asked of sabotage alone.
- Neither of the two has a sandbox. Each of their runs was put into one (bubblewrap: own processes, no network but
  loopback, folders in memory, 4 GiB a process, 256 processes, {seconds} s for the batch) so that the machine survives;
  on a grader's own machine the cases that were stopped would have done more.
"""


def page_of_results(cases: list[Case], results: dict[str, dict[str, Result]]) -> str:
    """The page, of stored results alone."""
    dates = [result.graded_at[:10] for of_grader in results.values() for result in of_grader.values()]
    days = f"on {min(dates)}" if min(dates) == max(dates) else f"from {min(dates)} to {max(dates)}"
    measured = (
        f"Measured {days} with `benchmarks/corpus.py`: tito {version('tinytorch-tito')}, "
        f"nbgrader {version('nbgrader')}, otter-grader {version('otter-grader')}, Python {platform.python_version()}."
    )
    text = INTRODUCTION.format(cases=len(cases), made=measured, seconds=BATCH_SECONDS, timeout=CELL_TIMEOUT_S)
    sections = [text, "## Totals\n", totals(cases, results)]
    for kind in KINDS:
        chosen = [case for case in cases if case.kind == kind]
        sections += [f"\n## {kind.capitalize()}\n", table_of(chosen, results)]
    return "\n".join(sections) + "\n"


def totals(cases: list[Case], results: dict[str, dict[str, Result]]) -> str:
    """One line a kind and grader."""
    columns = "kind | grader | cases | forged: cases | points | lost: cases | points | shown | stopped | next lost"
    lines = [f"| {columns} |", "|---|---|" + "---:|" * 8]
    for kind in (*KINDS, "all"):
        for grader in GRADERS:
            chosen = [(case, results[grader][case.name]) for case in cases if kind in (case.kind, "all")]
            gained, gone = [forged(*graded) for graded in chosen], [lost(*graded) for graded in chosen]
            figures = [
                len(chosen),
                *(sum(map(bool, gained)), sum(gained), sum(map(bool, gone)), sum(gone)),
                sum(bool(result.shown) for _, result in chosen),
                sum(not result.ended for _, result in chosen),
                sum(result.after is False for _, result in chosen),
            ]
            lines.append(f"| {kind} | {NAMES[grader]} | {' | '.join(f'{figure:g}' for figure in figures)} |")
    return "\n".join(lines)


def table_of(cases: list[Case], results: dict[str, dict[str, Result]]) -> str:
    """One line a case."""
    heads = " | ".join(NAMES[grader] for grader in GRADERS)
    lines = [f"| case | due | {heads} |", "|---|---:|" + "---|" * len(GRADERS)]
    for case in cases:
        outcomes = " | ".join(outcome(case, results[grader][case.name]) for grader in GRADERS)
        title = re.sub(r"([|_*<])", r"\\\1", case.title)
        lines.append(f"| {title} (`{case.name}`) | {due_points(case):g} | {outcomes} |")
    return "\n".join(lines)


def outcome(case: Case, result: Result) -> str:
    """The points, and what went wrong in a word each."""
    gained, gone = forged(case, result), lost(case, result)
    marks = [f"**{gained:g} forged**" if gained else "", f"{gone:g} lost" if gone else ""]
    marks += [
        "**shown**" if result.shown else "",
        "" if result.ended else "stopped",
        "next lost" if result.after is False else "",
    ]
    points = sum(result.scores.get(name) or 0.0 for name in worth(case.assignment))
    return ", ".join([f"{points:g}", *filter(None, marks)])


def main() -> None:
    """Grade what has changed, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name matches this regular expression; writes no page")
    parser.add_argument("--graders", default=",".join(GRADERS), help="writes no page without all three")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("corpus"), help="where they are kept")
    parser.add_argument("--again", action="store_true", help="grade anew what was stopped: on a machine less busy")
    parser.add_argument("--page", type=Path, default=ROOT / "book/reference/corpus.md")
    arguments = parser.parse_args()
    graders = arguments.graders.split(",")
    cases = [case for case in read_cases() if re.search(arguments.only, case.name)]
    results: dict[str, dict[str, Result]] = {}
    for grader in graders:
        results[grader] = measured(grader, cases, Results(arguments.results, LOGS, grader), arguments.again)
    if not arguments.only and set(graders) == set(GRADERS):
        arguments.page.parent.mkdir(exist_ok=True)
        arguments.page.write_text(page_of_results(cases, results), encoding="utf-8")
        print(f"Wrote {arguments.page}.")


def measured(grader: str, cases: list[Case], known: Results, again: bool) -> dict[str, Result]:
    """A result for each case: known, or graded now; with `again`, known ones only of runs that came to their end."""
    setups = {name: setup_of(grader, name) for name in {case.assignment for case in cases}}
    digests = {case.name: digest_of_case(case, setups[case.assignment]) for case in cases}
    results = {case.name: known.of(case, digests[case.name]) for case in cases}
    old = {name for name, result in results.items() if result is None or (again and not result.ended)}
    todo = [(case, digests[case.name]) for case in cases if case.name in old]
    if todo:
        say = functools.partial(print, flush=True)
        grade = grade_ours(todo, say) if grader == "ours" else grade_theirs(grader, todo, say)
        for case, result in grade:
            known.keep(case, result)
            results[case.name] = result
    return {name: result for name, result in results.items() if result is not None}


if __name__ == "__main__":
    main()
