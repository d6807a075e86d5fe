"""When a notebook that ended is run again, what of it is, and what counts of each run: without a sandbox."""

from __future__ import annotations

import time

import pytest

from tito.grade.observe import NOT_RUN, Copy, Observations, Rerun, Task, _merged
from tito.models import Limits, Section
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran, Step

LIMITS = Limits(notebook_timeout_s=100)
VISIBLE, HIDDEN = Section("x = f(1)", "assert x", False), Section("y = f(2)", "assert y", True)


def ran(status: StepStatus = StepStatus.OK, seconds: float = 1.0, evalue: str = "") -> Ran:
    return Ran(status, seconds=seconds, evalue=evalue)


def ended(*, in_test: bool, before_s: float = 1.0) -> Observations:
    cells = {0: ran(seconds=before_s), 1: ran(StepStatus.DIED), 2: NOT_RUN}
    tests = {"a": [(VISIBLE, None, ran(evalue="first"))], "b": [(VISIBLE, None, NOT_RUN)]}
    return Observations(cells, tests, ended_at="cell 'a'", ended_by="it died", end=1, ended_in_test=in_test)


def again(seen: Observations, left_s: float) -> Rerun:
    rerun = Rerun.after(seen, LIMITS, time.monotonic() + left_s)
    assert rerun is not None
    return rerun


def runs(rerun: Rerun, position: int, copy: Copy | None = None) -> bool:
    return rerun.runs(Task(position, Step(), copy=copy))


def test_all_but_the_test_that_ended_it_is_run_in_the_time_that_is_left() -> None:
    rerun = again(ended(in_test=True), 50)
    assert [runs(rerun, at) for at in range(3)] == [True, False, True]
    assert runs(rerun, 1, Copy.WHOLE) and not runs(rerun, 1, Copy.AFTER)
    assert rerun.left_s <= 50


@pytest.mark.parametrize(("in_test", "before_s"), [(False, 1.0), (True, 40.0)], ids=["a cell", "no time to repeat it"])
def test_else_it_is_run_up_to_there_in_its_whole_time(in_test: bool, before_s: float) -> None:
    rerun = again(ended(in_test=in_test, before_s=before_s), 50)
    assert [runs(rerun, at) for at in range(3)] == [True, False, False]
    assert rerun.left_s == LIMITS.notebook_timeout_s


def test_what_was_seen_first_counts_and_the_rest_is_of_the_second_run() -> None:
    """Also of a copy that was lost; but nothing that was seen before hidden sections is seen anew after them."""
    first = ended(in_test=True)
    more = Observations(
        cells={0: ran(evalue="second"), 2: ran(evalue="second")},
        tests={name: [(VISIBLE, None, ran(evalue="second")), (HIDDEN, None, ran(StepStatus.LOST))] for name in "ab"},
    )
    seen = _merged(first, more, again(first, 50))
    assert [seen.cells[at].evalue for at in range(3)] == ["", "", "second"]
    assert [seen.tests[name][0][2].evalue for name in "ab"] == ["first", "second"]
    assert (seen.ended_at, seen.passed_over) == ("", "cell 'a': it died")
    third = Observations(
        {2: ran(evalue="third")}, {"b": [(section, None, ran(evalue="third")) for section in (VISIBLE, HIDDEN)]}
    )
    seen = _merged(seen, third, None)
    assert [result.evalue for _, _, result in seen.tests["b"]] == ["second", "third"]
    assert (seen.cells[2].evalue, seen.passed_over) == ("second", "cell 'a': it died")


def test_what_stands_behind_a_cell_that_ended_it_is_not_run() -> None:
    first = ended(in_test=False)
    seen = _merged(first, Observations(tests={"a": [(HIDDEN, None, ran())]}), again(first, 50))
    assert seen.ended_at == "cell 'a'" and seen.cells[2] is NOT_RUN
    assert [result.status for results in seen.tests.values() for _, _, result in results] == [
        StepStatus.OK,
        StepStatus.OK,
        StepStatus.NOT_RUN,
    ]
