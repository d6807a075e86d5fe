"""Points by a test's last value, as plain nbgrader gives them: a number from 0 to the cell's points, in what a kernel
shows of the cell's last expression. Which section has it, and what it is worth, is told here; nothing is run.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tito.course.python_source import UNPARSABLE, parsed
from tito.models import Section
from tito.plan.compile import compiled_section
from tito.plan.names import called_name
from tito.sandbox.inside.last_value import LAST_VALUE, number_in

NOT_CODE = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)
NUMPY_SCALAR = re.compile(r"np\.(?:float|int|uint|longdouble)\d*\((?P<number>[^()]*)\)")
REMARK = "Its last value"  # how what is said of one begins
SHOWS_NOTHING = ("print", "display")  # what only says something, or is named as a check: it returns nothing


def with_last_value(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The sections of a test in their order; the last one keeps the value of its last expression, if it has one that
    may be points. Where there are named checks, these give the points."""
    if not sections or any(section.checks for section in sections):
        return tuple(sections)
    *before, last = sections
    if last.judge is not None:
        judge = _keeping(last.judge)
        return tuple(sections) if judge is None else (*before, replace(last, judge=judge, has_last_value=True))
    if not compiled_section(last.observe):
        return (*before, replace(last, has_last_value=True))  # IPython runs it, and shows the value
    observe = _keeping(last.observe)
    return tuple(sections) if observe is None else (*before, replace(last, observe=observe, has_last_value=True))


def _keeping(text: str) -> str | None:
    """A piece of Python that keeps the value of its last expression; None where it shows none."""
    try:
        *before, last = parsed(text).body
        if not isinstance(last, ast.Expr) or _is_silent(last.value) or _ends_in_semicolon(text):
            return None
    except (*UNPARSABLE, tokenize.TokenError):  # an empty one is a ValueError
        return None
    return "\n".join([*map(ast.unparse, before), f"{LAST_VALUE} = {ast.unparse(last.value)}"])


def _is_silent(value: ast.expr) -> bool:
    name = called_name(value) if isinstance(value, ast.Call) else ""
    return name in SHOWS_NOTHING or name.lower().startswith("assert")


def _ends_in_semicolon(text: str) -> bool:
    """Whether a kernel is told to show nothing."""
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in NOT_CODE]
    return bool(tokens) and tokens[-1].string == ";"


@dataclass(frozen=True)
class Credit:
    """Points that a last value gives; None: a person is to look. `remark` is for the author, and the TA."""

    points: float | None
    remark: str = ""


def is_points(text: str, points: float) -> bool:
    """Whether nbgrader takes for partial credit what a kernel shows."""
    number = number_in(text)
    return number is not None and 0 <= number <= points


def credit_for(text: str, points: float, *, expected: bool) -> Credit:
    """What is earned by what a kernel would show.

    As nbgrader's `get_partial_grade` has it; where that raises, so that the submission is not graded, a person looks at
    the test. Whatever nbgrader does not understand is full credit to it: that is for tests that mean no points by it.

    Args:
        expected: whether the reference's last value is points. Then a student's is too, of numpy's types as well, or a
            person looks: else it would be enough to return an array, or a number that makes it less than 0.
    """
    if is_points(text, points):
        return Credit(float(text))
    number = _of_numpy(text) if expected else number_in(text)
    if expected and number is not None and 0 <= number <= points:
        return Credit(number)
    if expected:
        return Credit(None, f"{REMARK} is no number from 0 to {points:g}, as the reference's is: {text or 'nothing'}.")
    if not text:
        return Credit(points)
    if number is None:
        return Credit(points, f"{REMARK} is no number: {text}. That is full credit, as for nbgrader.")
    if number > points:
        return Credit(None, f"{REMARK} is {text}, and it has {points:g} points.")
    return Credit(points, f"{REMARK} is below 0: {text}. That is full credit, as for nbgrader.")


def _of_numpy(text: str) -> float | None:
    """The number in what numpy shows of one of its own."""
    scalar = NUMPY_SCALAR.fullmatch(text)
    return None if scalar is None else number_in(scalar["number"])
