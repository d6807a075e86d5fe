"""Named checks: partial credit inside one test. All of them run, each earns its own points."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from judges import judge_beside

from tito.errors import BadSource
from tito.grade.observe import Observations
from tito.grade.verdicts import verdict_of_test
from tito.judge.judge import Judge
from tito.models import CellVerdict, CheckVerdict, Verdict
from tito.plan.plan import TestPlan
from tito.plan.planning import plan_notebook
from tito.sandbox.inside.codec import pack
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran

SOURCE = """\
a, b = solve()
### JUDGE
assert isinstance(a, int), "a is a whole number"
### CHECK small (1): a is less than ten
assert a < 10
### CHECK equal (2)
want = 7
assert b == want, f"b is not {b}"
### BEGIN HIDDEN TESTS
c = solve_more()
### JUDGE
### CHECK more (3.5): more of it
assert c == 1
### END HIDDEN TESTS
"""


def planned(source: str = SOURCE, points: float = 6.5) -> TestPlan:
    metadata = {"grade": True, "grade_id": "test_it", "locked": True, "points": points, "schema_version": 3}
    cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": metadata | {"solution": False, "task": False}})
    return plan_notebook("", [cell]).tests["test_it"]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judge_beside() as opened:
        yield opened


def verdict(judge: Judge, visible: Ran, hidden: Ran | None) -> CellVerdict:
    test = planned()
    ran = [visible, *([hidden] if hidden else [])]
    results = [(section, plan, run) for (section, plan), run in zip(test.sections, ran, strict=False)]
    return verdict_of_test(test, Observations(tests={"test_it": results}), judge)


def ok(**values: object) -> Ran:
    return Ran(StepStatus.OK, observed=pack(values))


def test_all_checks_passed_is_all_points(judge: Judge) -> None:
    outcome = verdict(judge, ok(a=3, b=7), ok(c=1))
    assert (outcome.verdict, outcome.points) == (Verdict.PASSED, 6.5)
    assert [check.points for check in outcome.checks] == [1, 2, 3.5]


def test_a_failed_check_costs_its_own_points_and_the_others_still_run(judge: Judge) -> None:
    outcome = verdict(judge, ok(a=30, b=7), ok(c=1))
    assert (outcome.verdict, outcome.points) == (Verdict.FAILED, 5.5)
    assert outcome.checks[0] == CheckVerdict("small", 0.0, 1.0, "small: a is less than ten")
    assert outcome.message == "small: a is less than ten"


def test_a_check_without_a_message_tells_that_of_its_assert(judge: Judge) -> None:
    assert verdict(judge, ok(a=3, b=8), ok(c=1)).message == "equal: b is not 8"


def test_what_checks_have_in_common_fails_them_all_but_not_those_of_another_section(judge: Judge) -> None:
    outcome = verdict(judge, ok(a="3", b=7), ok(c=1))
    assert (outcome.verdict, outcome.points) == (Verdict.FAILED, 3.5)
    assert [check.points for check in outcome.checks] == [0, 0, 3.5]


def test_code_that_raises_in_one_section_keeps_the_checks_of_the_other(judge: Judge) -> None:
    outcome = verdict(judge, Ran(StepStatus.ERROR, ename="NameError", evalue="no b"), ok(c=1))
    assert (outcome.verdict, outcome.points) == (Verdict.ERROR, 3.5)


def test_a_section_that_was_not_reached_earns_nothing(judge: Judge) -> None:
    outcome = verdict(judge, ok(a=3, b=7), None)
    assert (outcome.verdict, outcome.points) == (Verdict.NOT_RUN, 3)
    assert outcome.checks[-1] == CheckVerdict("more", 0.0, 3.5, "more: not run")


def test_a_judge_that_fails_is_ours_and_no_number() -> None:
    with judge_beside() as broken:
        broken._sandbox.close()
        outcome = verdict(broken, ok(a=3, b=7), ok(c=1))
    assert (outcome.verdict, outcome.points) == (Verdict.PLATFORM, None)


@pytest.mark.parametrize(
    ("source", "points", "message"),
    [
        (SOURCE, 7, "6.5 points, the cell 7"),
        (SOURCE.replace("(1): a is", "one point: a is"), 6.5, "CHECK line is not of its form"),
    ],
)
def test_checks_that_do_not_add_up_are_the_authors_error(source: str, points: float, message: str) -> None:
    with pytest.raises(BadSource, match="test_it") as error:
        planned(source, points)
    assert message in str(error.value)
