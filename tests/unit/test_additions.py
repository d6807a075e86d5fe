"""What a student wrote into a cell of the instructor's, told apart from what was changed in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.course.python_source import Source
from tito.repair import additions
from tito.repair.additions import MOST_PIECES, Additions, additions_to_text

RELEASED = 'import numpy as np\n\nSEED = 42\n\ndef scale(x):\n    """Twice."""\n    return 2 * x'


def additions_to_code(source: str, released: str) -> Additions:
    return additions.additions_to_code(Source(source), Source(released))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (RELEASED, Additions()),
        (RELEASED.replace("2 * x", "2*x").replace("\n\n", "\n"), Additions()),
        (f"import math\n{RELEASED}", Additions(above="import math")),
        (f"{RELEASED}\nprint(1)\n!ls\n%time scale(1)", Additions(below="print(1)\n!ls\n%time scale(1)")),
        (RELEASED.replace("42", "43"), Additions(changed="SEED = 43", missing=True)),
        (RELEASED.replace("as np", "as np, math"), Additions(above="import numpy as np, math", missing=True)),
        (RELEASED.replace("SEED = 42", "SEED = 42\nSEED = 7"), Additions(below="SEED = 7")),
        (f"%%time\n{RELEASED}\nx = 1", Additions(below="x = 1", changed="%%time")),
        (f"{RELEASED}\n@cache\ndef f():\n    return 1", Additions(below="@cache\ndef f():\n    return 1")),
        (f"{RELEASED}\nx = (", Additions(below="x = (")),
        (f"{RELEASED}\r\ny = 2".replace("\n", "\r\n"), Additions(below="y = 2")),
        ("def total(v):\n    return sum(v)", Additions(below="def total(v):\n    return sum(v)", missing=True)),
        (f"%%writefile a.py\n{RELEASED}", Additions(changed=f"%%writefile a.py\n{RELEASED}", missing=True)),
        ("", Additions(missing=True)),
    ],
)
def test_what_is_added_to_code_is_told_from_what_was_changed(source: str, expected: Additions) -> None:
    assert additions_to_code(source, RELEASED) == expected


def test_a_comment_inside_of_a_released_statement_is_not_lost() -> None:
    additions = additions_to_code(RELEASED.replace("return 2 * x", "return 2 * x  # my note"), RELEASED)
    assert "# my note" in additions.changed


def test_of_a_changed_line_and_an_added_one_the_likelier_is_the_changed_one() -> None:
    additions = additions_to_code(RELEASED.replace("SEED = 42", "print('seed')\nSEED = 43"), RELEASED)
    assert (additions.above, additions.below, additions.changed) == ("", "print('seed')", "SEED = 43")


def test_very_many_lines_are_not_laid_side_by_side() -> None:
    mine = "\n".join(f"x{number} = {number}" for number in range(MOST_PIECES + 1))
    assert additions_to_code(f"{RELEASED}\n{mine}", RELEASED) == Additions(below=mine)


@pytest.mark.parametrize(
    "hidden", ["assert f(1) == 2", "### BEGIN HIDDEN TESTS\nassert f(1) == 2\n### END HIDDEN TESTS"]
)
def test_a_line_is_the_students_whatever_hidden_line_it_repeats(hidden: str) -> None:
    assert additions_to_code(f"x = f(0)\n{hidden}", "x = f(0)").below == hidden


def test_what_is_typed_into_a_text_is_kept_line_by_line() -> None:
    additions = additions_to_text("**Why?**\n\nBecause\n\n- of this\n- of that", "**Why?**\n\nGive reasons.")
    assert additions == Additions(below="Because\n\n- of this\n- of that", missing=True)


@given(
    st.lists(st.sampled_from([*RELEASED.split("\n\n"), "y = 1", "# note", "x = [", "%%time", "SEED = 1"]), max_size=6)
)
def test_every_line_is_released_or_somewhere_in_the_additions(parts: list[str]) -> None:
    additions = additions_to_code("\n".join(parts), RELEASED)
    everything = "\n".join((RELEASED, additions.above, additions.below, additions.changed))
    assert all(line.strip() in everything for part in parts for line in part.split("\n"))
