"""The corpus of grading cases: each must get, cell by cell, the verdicts that its `case.toml` says, and show nothing.

All cases are graded once, as one cohort; then each is looked at.
"""

from __future__ import annotations

import json

import nbformat
import pytest
from cases_support import (
    CASES as CASES_FOLDER,
)
from cases_support import (
    KINDS,
    NEIGHBOUR,
    PLANTED,
    SUBJECTS,
    TEST_WORDS,
    Case,
    Run,
    assignments,
    evidence_of,
    feedback_of,
    grade_cases,
    notebook_of,
    outputs_of,
    page_of,
    points_for,
    points_of,
    read_cases,
    verdicts_of,
    worth_of,
)

from tito.course.course import load_course
from tito.grade.submission import Graded
from tito.gradebook.records import from_json, to_json
from tito.models import Verdict
from tito.sandbox.time_allowance import GRACE_S

CASES = read_cases()
MOST_STORED = 2 << 20  # bytes of outputs and messages of one submission: what its cells may print, and some more


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The cases, graded."""
    return grade_cases(tmp_path_factory.mktemp("cases"), CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_gets_its_verdicts_and_shows_nothing(run: Run, case: Case) -> None:
    graded = run.graded[case.name]
    text = feedback_of(graded)
    assert graded.record.fault == ""
    assert case.undue(verdicts_of(graded)) == {}, [cell.detail for cell in graded.record.cells if cell.detail]
    assert points_of(graded) == points_for(case.verdicts, case.assignment)
    assert case.evidence.items() <= evidence_of(graded).items(), evidence_of(graded)
    for word in (*TEST_WORDS, PLANTED):
        assert word not in text + page_of(graded), f"a student may read '{word}'"
    for word in case.never_in_output:
        assert word.lower() not in text
    for word in case.in_output:
        assert word.lower() in text
    notes = "\n".join(note for notebook in graded.record.notebooks for note in notebook.notes)
    for note in case.notes_contain:
        assert note in notes
    for note in case.notes_lack:
        assert note not in notes
    for words in case.in_notebook:
        assert words.lower() in page_of(graded)
    assert _stored(graded) < MOST_STORED


def _stored(graded: Graded) -> int:
    """Bytes of what is kept of a submission beside its source. All of it can be written, and read again."""
    record = json.dumps(to_json(graded.record))
    assert from_json(json.loads(record)) == graded.record
    text = "".join(nbformat.writes(notebook) for notebook in graded.notebooks.values())
    assert text.encode(errors="ignore").decode() == text, "the autograded notebook cannot be written as UTF-8"
    return len(record) + len(json.dumps([output for _, output in outputs_of(graded)]))


def test_no_case_touched_a_file_outside_its_sandbox(run: Run) -> None:
    """Submissions (its own and the others'), gradebook, source, release: nothing was changed, added or removed."""
    touched = {path for path in {**run.before, **run.after} if run.before.get(path) != run.after.get(path)}
    assert touched == set()
    for name in assignments():
        for folder in ("source", "release", f"submitted/{NEIGHBOUR}"):
            assert f"{folder}/{name}/{notebook_of(name)}" in run.before


def test_no_process_outlives_the_run(run: Run) -> None:
    assert run.left == []


def test_no_case_delays_the_others_beyond_its_own_limits(run: Run) -> None:
    """A submission keeps a worker for as long as its limits say at most, and honest ones are not held up meanwhile.

    The limits: the notebook's time, as much again for the hidden tests, and for the notebook and each test's branch
    once the time until the grader gives up on a process that does not answer.
    """
    limits = load_course((CASES_FOLDER / "assignment").resolve()).limits
    most = {name: 2 * limits.notebook_timeout_s + (1 + len(worth_of(name))) * GRACE_S for name in assignments()}
    took = {name: sum(notebook.seconds for notebook in graded.record.notebooks) for name, graded in run.graded.items()}
    longest = {case.name: most[case.assignment] for case in CASES}
    assert {name: seconds for name, seconds in took.items() if seconds > longest[name.removeprefix("before-")]} == {}
    honest = {case.name: took[case.name] for case in CASES if case.kind == "honest"}
    assert {name: seconds for name, seconds in honest.items() if seconds > limits.notebook_timeout_s} == {}


def test_every_case_was_graded_whatever_the_others_did(run: Run) -> None:
    assert {case.name for case in CASES} <= set(run.graded)


def test_the_corpus_is_sound() -> None:
    """Enough cases, each of a known kind, with a verdict for every graded cell; honest work earns everything."""
    assert len(CASES) >= 240
    for case in CASES:
        assert case.kind in KINDS and case.title and case.shows, case.name
        assert tuple(case.verdicts) == tuple(worth_of(case.assignment)), case.name
        assert case.subject in ("", *SUBJECTS), case.name
        due = {*case.verdicts.values(), *(verdict for others in case.as_good.values() for verdict in others)}
        assert due <= {verdict.value for verdict in Verdict} - {Verdict.PLATFORM.value}, case.name
        assert not any("passed" in (case.verdicts[name], *others) for name, others in case.as_good.items()), case.name
        assert (case.folder / "cells.py").exists() != (case.folder / "submission.py").exists(), case.name
        if case.kind == "honest":
            assert {*case.verdicts.values()} - {"manual"} == {"passed"}, case.name


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_has_cases(subject: str) -> None:
    assert len([case for case in CASES if case.subject == subject]) >= 5


def test_no_case_says_the_words_that_it_must_not_find() -> None:
    """Else its own source would be taken for a leak."""
    for case in CASES:
        for path in (*case.folder.glob("*.py"), *case.folder.glob("*.txt")):
            text = path.read_text(encoding="utf-8").lower()
            assert not any(word in text for word in (*TEST_WORDS, PLANTED)), path
