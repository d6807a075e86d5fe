"""Points by a test's last value: what is one, and what nbgrader gives for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.models import Section
from tito.plan.partial_credit import credit_for, with_last_value
from tito.plan.test_cell import sections
from tito.sandbox.inside.last_value import LAST_VALUE, last_value_text

POINTS = 2.0
LONG = type("Long", (), {"__repr__": lambda self: 1 / 0})()


def nbgraders(text: str) -> float | None:
    """What nbgrader gives; None where it raises, and grades nothing."""
    from nbgrader.utils import get_partial_grade

    try:
        return float(get_partial_grade({"data": {"text/plain": text}}, POINTS))
    except ValueError:
        return None


@pytest.mark.parametrize(
    "text", ["0", "0.0", "1.5", "2", "2.0", "2.5", "-1", "nan", "inf", "-inf", "True", "'1'", "np.float64(0.5)", " 1 ",
             "1_0", "1e-3", "0x1", "[1]", "1+0j", "１", "-0.0"]
)  # fmt: skip
def test_credit_is_what_nbgrader_gives(text: str) -> None:
    assert credit_for(text, POINTS, expected=False).points == nbgraders(text)


@given(st.one_of(st.text(min_size=1), st.floats().map(repr), st.integers().map(str)))
def test_credit_is_what_nbgrader_gives_for_any_text(text: str) -> None:
    assert credit_for(text, POINTS, expected=False).points == nbgraders(text)


def test_nothing_shown_is_all_points() -> None:
    assert credit_for("", POINTS, expected=False).points == POINTS


@pytest.mark.parametrize(
    ("text", "points"),
    [("0", 0), ("1.5", 1.5), ("np.float64(0.5)", 0.5), ("np.int64(2)", 2), ("np.float64(nan)", None), ("nan", None),
     ("-1", None), ("2.5", None), ("array([0.5])", None), ("True", None), ("", None), ("np.float64(-1.0)", None)],
)  # fmt: skip
def test_where_points_are_expected_nothing_else_is_full_credit(text: str, points: float | None) -> None:
    """nbgrader's rule would make it enough to return an array, or what makes a sum nan or less than 0."""
    assert credit_for(text, POINTS, expected=True).points == points


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.5, "0.5"), (True, "True"), ("1", "str"), ([1], "list"), ({}, "dict"), (LONG, "")],
)
def test_a_value_is_told_as_a_kernel_shows_it(value: Any, text: str) -> None:
    assert last_value_text({LAST_VALUE: value}) == text


def kept(*parts: str) -> Section:
    return with_last_value([Section(part, None, hidden=False) for part in parts])[-1]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("score = 1\nscore", 1),
        ("score = 1\nscore / 2  # half\n# no more", 0.5),
        ("score = 1; score", 1),
        ("(\n  1 +\n  1\n)", 2),
        ("1, 2", (1, 2)),
        ("len([1])", 1),
        ("'ä'; 1", 1),
    ],
)
def test_a_last_expression_is_kept(source: str, value: Any) -> None:
    section = kept(source)
    names: dict[str, Any] = {}
    exec(section.observe, names)
    assert section.has_last_value
    assert names[LAST_VALUE] == value


@pytest.mark.parametrize(
    "source",
    ["score;", "score;  # shown nowhere", "score = 1", "assert f(1)", "if f(1):\n    1", "print(score)",
     "np.testing.assert_equal(f(1), 1)", "assert_close(1, 1)", "display(score)"],
)  # fmt: skip
def test_what_a_kernel_shows_nothing_of_is_no_value(source: str) -> None:
    assert kept(source) == Section(source, None, hidden=False)


def test_only_the_last_section_has_one_and_named_checks_have_points_of_their_own() -> None:
    first, last = with_last_value([Section("score", None, hidden=False), Section("score", None, hidden=True)])
    assert (first.has_last_value, last.has_last_value) == (False, True)
    (checked,) = with_last_value(sections("x = f(1)\n### JUDGE\n### CHECK one (1)\nassert x\nx"))
    assert not checked.has_last_value


def test_a_judge_half_keeps_its_own() -> None:
    (section,) = with_last_value(sections("x = f(1)\n### JUDGE\nassert x\nx / 2"))
    assert section.has_last_value
    assert section.judge == f"assert x\n{LAST_VALUE} = x / 2"
    assert section.observe == "x = f(1)"
