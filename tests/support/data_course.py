"""A course as others have it: an assignment whose notebook works on files beside it. No fixtures and no tests here."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
from nbgrader_cells import facts_of

from tito.author.release import publish
from tito.author.variants import filled, solutions
from tito.course.cells import grade_id_of
from tito.course.course import Course, load_course
from tito.course.script import source_notebooks

SETTINGS = """\
id = "data101"

[sandbox]
packages = ["ipython", "numpy"]

[limits]
cell_timeout_s = 10
memory_mb = 1024

[gates]
forgeable = "warn"
"""

SOLVED = {
    "add_reading": """\
def add_reading(day, value):
    ### BEGIN SOLUTION
    with open("readings.csv", "a") as file:
        file.write(f"{day},{value}\\n")
    ### END SOLUTION
""",
    "add_customer": """\
def add_customer(name):
    ### BEGIN SOLUTION
    database = sqlite3.connect("shop.db")
    database.execute("insert into customers values (?)", (name,))
    database.commit()
    database.close()
    ### END SOLUTION
""",
    "write_report": """\
def write_report(path):
    ### BEGIN SOLUTION
    with open("readings.csv") as file:
        rows = list(csv.DictReader(file))
    with open(path, "w") as file:
        file.write(f"{len(rows)} readings, {sum(float(row['value']) for row in rows):g} in all")
    ### END SOLUTION
""",
    "smooth": """\
def smooth():
    ### BEGIN SOLUTION
    text = open("tables/raw.txt").read()
    open("tables/raw.txt", "w").write(text.upper())
    open("tables/smooth.txt", "w").write(text.lower())
    ### END SOLUTION
""",
}
TESTS = {
    "add_reading": """\
add_reading("tue", 5)
assert open("readings.csv").read().endswith("tue,5\\n"), "the reading must be added at the end"
### BEGIN HIDDEN TESTS
add_reading("wed", 7)
assert open("readings.csv").read().splitlines()[-2:] == ["tue,5", "wed,7"]
### END HIDDEN TESTS
""",
    "add_customer": """\
def customers():
    database = sqlite3.connect("shop.db")
    names = [name for (name,) in database.execute("select name from customers")]
    database.close()
    return names

add_customer("eve")
assert customers() == ["ada", "eve"]
""",
    "write_report": """\
write_report("report.txt")
assert " readings, " in open("report.txt").read()
""",
    "smooth": """\
smooth()
assert open("tables/raw.txt").read() == "SOME TEXT"
assert open("tables/smooth.txt").read() == "some text"
""",
}
# A task on what students bring themselves, and a test that is judged apart and looks at what is around its judge.
OF_THEIR_OWN = {
    "measured": """\
def mean_of_mine():
    ### BEGIN SOLUTION
    if not os.path.exists("measured.csv"):
        return 0
    values = [float(line) for line in open("measured.csv").read().split()]
    return sum(values) / len(values)
    ### END SOLUTION
""",
    "twice": """\
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
""",
}
TESTS_OF_THEIR_OWN = {
    "measured": """\
assert mean_of_mine() == 2, "measured.csv must hold your own measurements"
""",
    "twice": """\
y = twice(21)
### JUDGE
import os, sys
assert y == 42
around = sorted(os.listdir())
assert around == ["readings.csv", "shop.db", "tables"] or "ps1.ipynb" in around, "a judge sees the course's files alone"
assert "helper" not in sys.modules or "ps1.ipynb" in around
### BEGIN HIDDEN TESTS
z = twice(-3)
### JUDGE
import random, statistics
assert z == -6 and statistics.mean([1, 3]) == 2 and random.Random(1).random() < 1
### END HIDDEN TESTS
""",
}
HEAD = "import csv\nimport os\nimport sqlite3"
MODULES: dict[str, str] = {}  # that the course ships beside its data
STUDENTS_WAY = {  # another honest style, which works on the supplied files while the notebook runs
    "add_reading": "rows = open('readings.csv').read()\n\ndef add_reading(day, value):\n"
    "    rows = open('readings.csv').read()\n    open('readings.csv', 'w').write(rows + f'{day},{value}\\n')",
    "add_customer": "connection = sqlite3.connect('shop.db')\n\ndef add_customer(name):\n"
    "    with connection:\n        connection.execute('insert into customers values (?)', (name,))",
}


def write_course(
    root: Path, settings: str = SETTINGS, solved: dict[str, str] = SOLVED, tests: dict[str, str] = TESTS
) -> Course:
    """The course, released."""
    folder = root / "source" / "ps1"
    (folder / "tables").mkdir(parents=True)
    (root / "course.toml").write_text(settings)
    (folder / "readings.csv").write_text("day,value\nsun,1\nmon,3\n")
    (folder / "tables" / "raw.txt").write_text("some text")
    with closing(sqlite3.connect(folder / "shop.db")) as database, database:
        database.execute("create table customers (name text)")
        database.execute("insert into customers values ('ada')")
    for name, text in MODULES.items():
        (folder / name).write_text(text)
    write_notebook(folder / "ps1.ipynb", solved, tests)
    course = load_course(root.resolve())
    publish(course, course.assignment("ps1"))
    return course


def write_notebook(path: Path, solved: dict[str, str], tests: dict[str, str]) -> None:
    cells = [_code(HEAD, "head", locked=True)]
    for name, source in solved.items():
        cells += [
            _code(source, name, solution=True),
            _code(tests[name], f"test_{name}", grade=True, locked=True, points=2),
        ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def _code(source: str, grade_id: str, **facts: Any) -> Any:
    metadata = {"nbgrader": facts_of(grade_id, **facts)}
    return nbformat.v4.new_code_cell(source.rstrip(), id=grade_id, metadata=metadata)


def hand_in(course: Course, student: str, files: dict[str, bytes] | None = None, **cells: str) -> Path:
    """What a student submits: everything right, but for the cells and files given."""
    assignment = course.assignment("ps1")
    folder = course.step("submitted", student, "ps1")
    folder.mkdir(parents=True)
    for name, source in source_notebooks(course, assignment).items():
        released = nbformat.read(course.step("release", "ps1", f"{name}.ipynb"), as_version=4)
        notebook = filled(released, solutions(source))
        for cell in notebook.cells:
            cell.source = cells.get(grade_id_of(cell), cell.source)
        nbformat.write(notebook, folder / f"{name}.ipynb")
    for path, content in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
