"""The corpus once more, in the landlock sandbox: honest work keeps its points, secrets stay secret, harm stays inside.

Left out is what no backend has a part in, for the time that it takes: forging and tampering that are for repair and
the judge, and the sabotage that only wastes its own time and output, which the runner and the grader's clock stop.
What needs mounts is listed: no point is forged by it, and a sentence says why one is not given.
"""

from __future__ import annotations

import pytest
from cases_support import (
    PLANTED,
    TEST_WORDS,
    Case,
    Run,
    feedback_of,
    grade_cases,
    page_of,
    points_for,
    points_of,
    read_cases,
    verdicts_of,
)

KINDS = ("honest", "secrets", "sabotage")
SUBJECTS = ("measured", "judge", "memory", "files")  # of which all cases are graded
WASTE = (
    "endless",
    "many_slow",
    "output",
    "recursion",
    "deep_recursion",
    "segfault",
    "signal",
    "swallows",
    "memory_slowly",
)
CASES = [
    case
    for case in read_cases()
    if (case.kind in KINDS or case.subject in SUBJECTS)
    and not case.name.startswith(tuple(f"sabotage_{waste}" for waste in WASTE))
]
# What a session may see and do without namespaces is not quite the same. No secret is among it.
SAYS_OTHERWISE = {
    "honest_pools": "a pool of processes needs /dev/shm, which is not there: it raises, and costs no point",
    "honest_own_proc": "there is no /proc: reading it raises, and costs no point",
    "sabotage_disk": "the session is ended for it; no disk says that it is full",
    "sabotage_inodes": "the session is ended for it; no disk says that it is full",
    "secrets_files": "nothing can be listed, but a path that is guessed is seen to be there",
}
GETS_OTHERWISE = {
    "secrets_hidden_through_a_file": "the solution writes to /tmp by that name, which is not there",
}
# Copies of a notebook have one folder between them, where none can be mounted over it.
NEEDS_MOUNTS = {
    "forging_files_home": "a file in the session's folder is seen by all of its copies",
    "forging_files_open": "so is one that was opened in it before",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The cases, graded."""
    return grade_cases(tmp_path_factory.mktemp("cases"), CASES, "landlock")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gets_its_verdicts_and_shows_nothing(run: Run, case: Case) -> None:
    graded = run.graded[case.name]
    text = feedback_of(graded)
    assert graded.record.fault == ""
    assert graded.record.sandbox == "landlock"
    for word in (*TEST_WORDS, PLANTED):
        assert word not in text + page_of(graded), f"a student may read '{word}'"
    if case.name not in {**GETS_OTHERWISE, **NEEDS_MOUNTS}:
        assert case.undue(verdicts_of(graded)) == {}
    if case.name not in SAYS_OTHERWISE:
        assert [word for word in case.never_in_output if word.lower() in text] == []
        assert [word for word in case.in_output if word.lower() not in text] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_case_forges_a_point(run: Run, case: Case) -> None:
    due, scores = points_for(case.verdicts, case.assignment), points_of(run.graded[case.name])
    assert {name: points for name, points in scores.items() if (points or 0.0) > (due[name] or 0.0)} == {}


@pytest.mark.parametrize("name", NEEDS_MOUNTS)
def test_what_needs_mounts_is_refused_with_a_sentence(run: Run, name: str) -> None:
    (case,) = [case for case in CASES if case.name == name]
    undue = case.undue(verdicts_of(run.graded[name]))
    messages = {cell.grade_id: cell.message for cell in run.graded[name].record.cells}
    assert [grade_id for grade_id in undue if not messages[grade_id]] == []


def test_no_case_touched_a_file_outside_its_sandbox(run: Run) -> None:
    assert run.after == run.before


def test_no_process_outlives_the_run(run: Run) -> None:
    assert run.left == []
