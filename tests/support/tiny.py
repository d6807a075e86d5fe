"""A course of one small module, as text: what the platform's tests grade. No fixtures and no tests here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
from nbgrader_cells import facts_of

from tito.course.cells import grade_id_of, kind_of
from tito.course.course import Course, load_course
from tito.models import CellKind

ASSIGNMENT = "07_doubling"
GRADED = ("test_double", "test_halve", "task_why", "essay")
HIDDEN_TEXT = ("HIDDEN_SEED", "706173", "far_away", "-919.5", "-459.75")  # what only hidden tests say
MARK_SCHEME = "one point for the exponent"
SOLUTION_TEXT = "numbers_as_floats"

SETTINGS = """\
id = "tiny"
title = "A tiny course"
package = "tinypack"
reference = "reference"

[sandbox]
packages = ["ipython", "numpy"]

[limits]
cell_timeout_s = 4
notebook_timeout_s = 60
memory_mb = 1024
processes = 32

[late]
grace_minutes = 0
percent_per_day = 10
max_percent = 50
"""

REFERENCE = {
    "__init__.py": '"""The tiny package."""\n',
    "base.py": '# module: 03_base\n"""Below."""\n\n\ndef identity(value):\n    return value\n',
    "above.py": '# module: 08_above\n"""Above."""\n\nSECRET_OF_A_LATER_MODULE = 8\n',
    "core/__init__.py": "",
}


def meta(grade_id: str, **facts: Any) -> str:
    """nbgrader metadata for a cell's head line in a script."""
    return f"nbgrader={json.dumps(facts_of(grade_id, **facts))}"


HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   module:
#     number: 7
#     name: doubling
#     title: Doubling
#     tier: Tests
#     difficulty: 1
#     time: 1 hour
#     prerequisites: [Base]
#     export: core.doubling
#     summary: Numbers, doubled.
# ---

"""

CELLS = {
    "title": "# %% [markdown]\n# # Doubling\n",
    "setup": f"""# %% {meta("setup", locked=True)}
#| export
import numpy as np

from tinypack.base import identity
""",
    "warmup": """# %% tags=["warmup"]
warm = [identity(n) for n in range(3)]
print("warm", warm)
""",
    "double": f"""# %% {meta("double", solution=True)}
#| export
def double(values):
    \"\"\"Twice every number.\"\"\"
    ### BEGIN SOLUTION
    numbers_as_floats = np.asarray(values, dtype=np.float64)
    return numbers_as_floats * 2
    ### END SOLUTION
""",
    "test_double": f"""# %% {meta("test_double", grade=True, locked=True, points=4)}
x = np.array([1.0, 2.0])
y = double(x.copy())
### JUDGE
assert y.tolist() == [2.0, 4.0], f"double([1, 2]) must be [2, 4], got {{y.tolist()}}"
### BEGIN HIDDEN TESTS
HIDDEN_SEED = 706173
rng = np.random.default_rng(HIDDEN_SEED)
near = rng.normal(size=3)
far_away = 1e6 * rng.normal(size=5)
near_doubled = double(near.copy())
far_doubled = double(far_away.copy())
### JUDGE
assert np.allclose(near_doubled, 2 * near), f"small numbers: {{near_doubled}} should be {{2 * near}}"
assert np.allclose(far_doubled, 2 * far_away), "large and negative numbers must be doubled too"
### END HIDDEN TESTS
""",
    "halve": f"""# %% {meta("halve", solution=True)}
#| export
def halve(value):
    \"\"\"Half of a number.\"\"\"
    ### BEGIN SOLUTION
    half_of_the_value = value / 2
    return half_of_the_value
    ### END SOLUTION
""",
    "test_halve": f"""# %% {meta("test_halve", grade=True, locked=True, points=3)}
assert halve(4) == 2, "halve(4) must be 2"
### BEGIN HIDDEN TESTS
assert halve(-919.5) == -459.75, "halve must take negative numbers, such as -919.5"
### END HIDDEN TESTS
""",
    "task_why": f"""# %% [markdown] {meta("task_why", locked=True, points=2, task=True)}
# **Question (2 points).** Why is doubling a float exact?
#
# === BEGIN MARK SCHEME ===
# {MARK_SCHEME} that grows, one for the digits that stay as they are
# === END MARK SCHEME ===
""",
    "essay": f"""# %% [markdown] {meta("essay", grade=True, solution=True, points=1)}
# Your answer:
""",
}
"""The script's cells, by name, in order."""


def script(**changed: str | None) -> str:
    """The module's script, with cells replaced, left out (None) or added at the end."""
    cells = {**CELLS, **changed}
    return HEADER + "\n".join(text for text in cells.values() if text)


VARIANTS = {
    "correct_sum": """# ---
# title: Adds the array to itself
# kind: correct
# base: reference
# lost: []
# ---

# %% double
def double(values):
    return values + values
""",
    "triples": """# ---
# title: Triples instead
# kind: wrong
# base: reference
# lost: [test_double]
# ---

# %% double
def double(values):
    return 3 * values
""",
}


def write_course(root: Path, text: str | None = None, variants: dict[str, str] | None = None) -> Course:
    """Write the tiny course to `root` and load it."""
    (root / "source").mkdir(parents=True)
    (root / "course.toml").write_text(SETTINGS)
    (root / "source" / f"{ASSIGNMENT}.py").write_text(script() if text is None else text)
    for name, content in REFERENCE.items():
        path = root / "reference" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for name, content in (VARIANTS if variants is None else variants).items():
        path = root / "variants" / ASSIGNMENT / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return load_course(root.resolve())


SOLVED = {
    "double": "def double(values):\n    return 2 * values",
    "halve": "def halve(value):\n    return value / 2",
    "essay": "The exponent grows by one.",
}


def released_notebook(course: Course) -> Any:
    """The notebook that students fetch."""
    return nbformat.read(course.step("release", ASSIGNMENT, "doubling.ipynb"), as_version=4)


def solved(course: Course, **cells: str) -> Any:
    """A student's notebook: everything right, but for the cells given."""
    notebook = released_notebook(course)
    answers = SOLVED | cells
    for cell in notebook.cells:
        if kind_of(cell) in (CellKind.SOLUTION, CellKind.ANSWER):
            cell.source = answers[grade_id_of(cell)]
    return notebook


def submit(course: Course, student: str, notebook: Any) -> Path:
    """Put a notebook (or raw bytes) where `tito collect` would have put it."""
    folder = course.step("submitted", student, ASSIGNMENT)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "doubling.ipynb"
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    else:
        path.write_text(json.dumps(notebook), encoding="utf-8")
    return folder


def page_text(html: str) -> str:
    """The text of a page, tags apart: highlighting puts a tag around every token."""
    import html as entities

    return " ".join(entities.unescape(re.sub(r"<[^>]*>", "", html)).split())
