"""The page of grades: tables and their columns, the function that gives them, and files of other systems."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

from tito.docs.comments import members_of
from tito.docs.markdown import code, table
from tito.exports import plugins
from tito.exports.systems import EMAIL, ID, LOGIN, SYSTEMS, Key
from tito.exports.tables import CELL, PEOPLE, PER, PLURALS, POINTS, SCORES, grades_table
from tito.models import Status

COLUMNS = {
    "student": [*PEOPLE, "a column for each graded cell (of one module)", *SCORES, "status"],
    "cell": [*PEOPLE, *CELL, *POINTS, "verdict", "evidence", "status"],
    "check": [*PEOPLE, *CELL, "check", *POINTS, "status"],
}
OURS = {ID: "LMS id", LOGIN: "login", EMAIL: "e-mail"}
INTRODUCTION = """\
# Grades: tables and files

How to use them: [Grades into your LMS](../how-to/grades.md).

## Tables

CSV as `tito grades` writes it: UTF-8 with its mark, commas, CRLF; text that a spreadsheet would take for a formula has
an apostrophe before it, which `read_table` takes away again. Points have up to four decimals, and are empty where none
were given.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [
        INTRODUCTION,
        table(("`--per`", "columns", "file in `gradebook/exports/`"), _tables()),
        "\n## A table in a notebook\n",
        _function(),
        "## State of an assignment\n",
        table(("status", "meaning"), members_of(Status)),
        "\n## Files of other systems\n",
        table(("`--format`", "download", "who a row is, in this order", "excused"), _systems()),
        "\n## Exporters of nbgrader's command\n",
        f"```text\n{textwrap.dedent((plugins.__doc__ or '').partition(chr(10) * 2)[2]).strip()}\n```\n",
    ]
    return "\n".join(parts)


def _tables() -> Iterator[tuple[str, str, str]]:
    for per in PER:
        folder = "" if per == "student" else f"{PLURALS[per]}/"
        names = ", ".join(code(name) if " " not in name else name for name in COLUMNS[per])
        yield code(per), names, f"`{folder}MODULE.csv`; of the course `course/{PLURALS[per]}.csv`"


def _function() -> str:
    text = inspect.getdoc(grades_table) or ""
    head = f"from {grades_table.__module__} import {grades_table.__name__}"
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(grades_table)))  # annotations are texts
    return f"```text\n{head}\n\n{grades_table.__name__}{signature}\n\n{text}\n```\n"


def _systems() -> Iterator[tuple[str, str, str, str]]:
    for name, system in SYSTEMS.items():
        keys = "; ".join(map(_key, system.keys))
        yield code(name), system.download, keys, code(system.excused) if system.excused else "is left as it is"


def _key(key: Key) -> str:
    return f"`{key.column}` ({' or '.join(OURS[name] for name in key.ours)})"
