"""What a student may read after hidden sections have run: nothing that student code chose there."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_output

from tito.grade.causes import HIDDEN_FAILED, HIDDEN_LIMIT, Failure, explained
from tito.grade.graded_notebook import as_told
from tito.grade.observe import Observations, _merged
from tito.grade.submission import _tampering
from tito.grade.verdicts import verdict_of_test
from tito.judge.judge import Answers
from tito.models import CellKind, CellVerdict, RemotePlan, Section, Verdict
from tito.plan.plan import TestPlan
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran

VISIBLE = Section("assert f(1) == 1", None, hidden=False)
HIDDEN = Section("assert f(SEED) == 2", None, hidden=True)
TEST = TestPlan("t", 1.0, ((VISIBLE, None), (HIDDEN, None)), RemotePlan())
SECRET = "706173"


def verdict(ran: Ran, **facts: Any) -> CellVerdict:
    """Of the test whose visible section passed, and whose hidden one became that."""
    seen = Observations(tests={"t": [(VISIBLE, None, Ran(StepStatus.OK)), (HIDDEN, None, ran)]}, **facts)
    no_judge: Any = None
    return verdict_of_test(TEST, seen, Answers(no_judge))


HOW = [
    Ran(StepStatus.ERROR, "ValueError", SECRET),
    Ran(StepStatus.ERROR, "AssertionError", SECRET),
    Ran(StepStatus.ERROR, SECRET, SECRET),
    Ran(StepStatus.ERROR, "NameError", f"name '{SECRET}' is not defined"),
    Ran(StepStatus.ERROR, "SystemExit", SECRET),
    Ran(StepStatus.DIED, evalue=SECRET),
    Ran(StepStatus.ERROR, "KeyError", SECRET, tampered=(SECRET,)),
    Ran(StepStatus.STOPPED, "CellTimeout", SECRET),
    Ran(StepStatus.TIMEOUT, evalue=SECRET),
    Ran(StepStatus.ERROR, "MemoryError", SECRET),
    Ran(StepStatus.NOT_RUN, evalue=SECRET),
]


@pytest.mark.parametrize("ran", HOW, ids=lambda ran: f"{ran.status} {ran.ename}")
def test_there_are_two_messages_of_a_hidden_section_without_words_of_the_authors(ran: Ran) -> None:
    assert verdict(ran).message in (HIDDEN_FAILED, HIDDEN_LIMIT)


def test_a_test_that_was_not_run_since_the_notebook_ended_says_so() -> None:
    judged = verdict(Ran(StepStatus.NOT_RUN), ended_at="cell 'f'", ended_by="it was stopped at its time limit")
    assert judged.message == "Not run: the notebook ended at cell 'f': it was stopped at its time limit."


def test_what_a_hidden_section_says_was_tampered_with_is_for_the_ta_alone() -> None:
    hidden = Ran(StepStatus.OK, tampered=(SECRET,))
    seen = Observations(tests={"t": [(VISIBLE, None, Ran(StepStatus.OK, tampered=("`abs`",))), (HIDDEN, None, hidden)]})
    assert list(_tampering(seen)) == [
        "before test 't', which runs beside student code, had been replaced and was put back: `abs`"
    ]
    assert SECRET in verdict(hidden).detail
    assert verdict(hidden).verdict is Verdict.PASSED


def trouble(name: str, asked_for: str = "") -> Failure:
    sets = frozenset({name, asked_for} - {""})
    return Failure(
        f"cell '{name}'", "raised ValueError", CellKind.SOLUTION, sets, frozenset({asked_for} - {""}), stopped=False
    )


def test_the_cell_that_explains_a_hidden_error_is_not_chosen_by_the_error() -> None:
    own = [trouble(f"bit{number}") for number in range(9)]
    messages = set()
    for number in range(9):
        missing = Ran(StepStatus.ERROR, "NameError", f"name 'bit{number}' is not defined")
        messages.add(explained(verdict(missing), TEST, own).message)
    assert messages == {HIDDEN_FAILED}
    both = [*own, trouble("solution", asked_for="f")]
    messages = {explained(verdict(ran), TEST, both).message for ran in HOW[:7]}
    assert messages == {f"{HIDDEN_FAILED} (cell 'solution' raised ValueError.)"}


def test_a_name_that_a_hidden_section_reads_is_not_confirmed_to_who_guesses_it() -> None:
    assert explained(verdict(HOW[0]), TEST, [trouble("SEED")]).message == HIDDEN_FAILED


def test_a_visible_error_names_the_cell_that_would_have_set_what_is_missing() -> None:
    failed = Observations(
        tests={"t": [(VISIBLE, None, Ran(StepStatus.ERROR, "NameError", "name 'own' is not defined"))]}
    )
    no_judge: Any = None
    outcome = explained(verdict_of_test(TEST, failed, Answers(no_judge)), TEST, [trouble("own")])
    assert outcome.message == "NameError: name 'own' is not defined (cell 'own' raised ValueError.)"


def test_what_is_observed_again_after_hidden_sections_is_told_of_them_alone() -> None:
    first = Observations(
        cells={0: Ran(StepStatus.OK, seconds=1.0)},
        tests={"t": [(VISIBLE, None, Ran(StepStatus.OK, seconds=1.0)), (HIDDEN, None, Ran(StepStatus.TIMEOUT))]},
        unfinished=True,
    )
    again = Observations(
        cells={0: Ran(StepStatus.ERROR, SECRET)},
        tests={"t": [(VISIBLE, None, Ran(StepStatus.OK, seconds=2.0)), (HIDDEN, None, Ran(StepStatus.OK))]},
        ended_at=SECRET,
        ended_by=SECRET,
    )
    seen = _merged(first, again, None)
    assert seen.cells == first.cells and not seen.ended_at and not seen.ended_by
    assert [(section, ran.seconds) for section, _, ran in seen.tests["t"]] == [(VISIBLE, 1.0), (HIDDEN, 0.0)]
    assert [ran.status for _, _, ran in seen.tests["t"]] == ["ok", "ok"]


@pytest.mark.parametrize("kind", [Verdict.FAILED, Verdict.ERROR, Verdict.TIMEOUT, Verdict.MEMORY, Verdict.NOT_RUN])
def test_a_feedback_page_tells_the_message_and_not_the_kind_of_verdict(kind: Verdict) -> None:
    name = kind.value.upper()
    output = new_output("error", ename=name, evalue=HIDDEN_FAILED, traceback=[f"{name}: {HIDDEN_FAILED}", SECRET])
    shown = as_told(output)
    assert (shown.ename, shown.traceback) == ("FAILED", [f"FAILED: {HIDDEN_FAILED}"])
