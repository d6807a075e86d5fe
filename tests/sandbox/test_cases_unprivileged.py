"""The corpus once more, in the landlock sandbox: honest work keeps its points, secrets stay secret, harm stays inside.

Left out is what no backend has a part in, for the time that it takes: forging and tampering, which are for repair and
the judge, and the sabotage that only wastes its own time and output, which the runner and the grader's clock stop.
"""

from __future__ import annotations

import pytest
from cases_support import PLANTED, TEST_WORDS, Case, Run, grade_cases, page_of, read_cases, told, verdicts_of

pytestmark = pytest.mark.sandbox

KINDS = ("honest", "secrets", "sabotage")
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
    if case.kind in KINDS and not case.name.startswith(tuple(f"sabotage_{one}" for one in WASTE))
]
# What a session may see and do without namespaces is not quite the same. No secret is among it.
SAYS_OTHERWISE = {
    "honest_pools": "a pool of processes needs /dev/shm, which is not there: it raises, and costs no point",
    "sabotage_disk": "the session is ended for it; no disk says that it is full",
    "sabotage_inodes": "the session is ended for it; no disk says that it is full",
    "secrets_files": "nothing can be listed, but a path that is guessed is seen to be there",
}
GETS_OTHERWISE = {
    "secrets_hidden_through_a_file": "the solution writes to /tmp by that name, which is not there",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The cases, graded."""
    return grade_cases(tmp_path_factory.mktemp("cases"), CASES, "landlock")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gets_its_verdicts_and_shows_nothing(run: Run, case: Case) -> None:
    graded = run.graded[case.name]
    text = told(graded)
    assert graded.record.fault == ""
    assert graded.record.sandbox == "landlock"
    for word in (*TEST_WORDS, PLANTED):
        assert word not in text + page_of(graded), f"a student may read '{word}'"
    if case.name not in GETS_OTHERWISE:
        assert verdicts_of(graded) == case.verdicts
    if case.name not in SAYS_OTHERWISE:
        assert [word for word in case.never_in_output if word.lower() in text] == []
        assert [word for word in case.in_output if word.lower() not in text] == []


def test_no_case_touched_a_file_outside_its_sandbox(run: Run) -> None:
    assert run.after == run.before


def test_no_process_outlives_the_run(run: Run) -> None:
    assert run.left == []
