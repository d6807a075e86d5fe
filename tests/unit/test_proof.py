"""The kept proof: its bars, when it is stale, and what the gates make of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import CELLS, script

from tito.author.equivalents import without_marks
from tito.author.exercises import own_tests
from tito.author.export import _stripped
from tito.author.mutants import Mutant
from tito.author.mutation import _result, keys_of
from tito.author.proof import (
    Caught,
    Keys,
    MutantRecord,
    Proof,
    Survival,
    proof_gates,
    proof_path,
    read_proof,
    staleness,
    write_proof,
)
from tito.author.survivors import noting
from tito.course.cells import read_cells
from tito.course.course import Course
from tito.course.script import read_script
from tito.errors import BadSource
from tito.judge.worker import judge
from tito.models import CellVerdict, Fingerprint, Gate, NotebookVerdicts, Section, SubmissionRecord, Verdict
from tito.plan.directives import without_private
from tito.plan.planning import plan_assignment
from tito.sandbox.inside.codec import pack

KEYS = Keys("s", "v", "o", "e")


def record(number: int, **facts: Any) -> MutantRecord:
    base = MutantRecord("reference", "double", number, "0a1b2c3d", "Op", "term", False, ("    a + b",), ("    a",))
    return replace(base, **{"caught": Caught.OWN, "test": "test_double", "verdict": "failed"} | facts)


def proof_of(*mutants: MutantRecord, **facts: Any) -> Proof:
    own = {"double": ("test_double",), "halve": ("test_halve",)}
    return replace(Proof("07_doubling", KEYS, "8.7.0", own, mutants), **facts)


NOT = {"caught": Caught.NOT, "test": "", "verdict": ""}
SOUND = [record(number) for number in range(20)]


@pytest.mark.parametrize(
    ("mutants", "wanted"),
    [
        ([*SOUND, record(20, **NOT)], set()),
        ([*SOUND, record(20, **NOT), record(21, **NOT)], {"tests catch 20 of 22 (90.9%)"}),
        ([record(number, caught=Caught.OTHERS) for number in range(5)] + SOUND[:15], {"its own tests catch 15 of 20"}),
        ([*SOUND, record(20, **NOT, is_extreme=True, family="zeros")], {"no test catches that it returns zeros"}),
        ([*SOUND, record(20, **NOT, reason="the same")], set()),
        (
            [*SOUND, *(record(number, **NOT, reason="the same") for number in range(20, 23))],
            {"3 of 23 (13.0%) mutants are marked"},
        ),
        (
            [*SOUND, record(20, reason="the same", refused="a test catches it: x")],
            {"the mark 0a1b2c3d is refused: a test"},
        ),
        ([*SOUND, record(20, caught=Caught.FAULT, verdict="it broke")], {"a mutant could not be graded: it broke"}),
    ],
)
def test_the_bar_is_held_or_it_is_said_what_is_below(mutants: list[MutantRecord], wanted: set[str]) -> None:
    shortfalls = [what for _, what in proof_of(*mutants).shortfalls()]
    assert len(shortfalls) == len(wanted)
    assert all(any(what.startswith(start) for what in shortfalls) for start in wanted)


def test_a_fault_of_ours_and_a_refused_mark_catch_nothing() -> None:
    proof = proof_of(record(1, caught=Caught.FAULT), record(2, **NOT, reason="the same", refused="input 3"))
    assert (proof.caught.part, proof.caught.whole) == (0, 2)


def test_marks_without_a_generator_are_counted_apart() -> None:
    proof = proof_of(*SOUND, record(20, **NOT, reason="a"), record(21, **NOT, reason="b", generator="g"))
    assert proof.summary == "20 of 20 (100.0%) mutants are caught, 2 marked as equivalent (1 without a generator)"


def test_a_proof_comes_back_from_its_file_as_it_was(course: Course) -> None:
    survival = Survival("test_double", "a <= b", 0.1, 0.2, 0.0, ("y",))
    proof = proof_of(*SOUND, record(20, **NOT, survival=survival, reason="ü", generator="g"), seconds=3.0)
    write_proof(course, course.assignment("7"), proof)
    assert read_proof(course, course.assignment("7")) == proof
    proof_path(course, course.assignment("7")).write_text("{}")
    with pytest.raises(BadSource, match="is no proof"):
        read_proof(course, course.assignment("7"))


def gates(course: Course, refuses: bool, keys: Keys = KEYS) -> list[Gate]:
    module = course.assignment("7")
    return list(proof_gates(module, read_proof(course, module), keys, refuses=refuses))


@pytest.mark.parametrize("refuses", [True, False])
def test_what_is_missing_stale_or_below_is_refused_or_said(refuses: bool, course: Course) -> None:
    module = course.assignment("7")
    fault = (not refuses, not refuses)
    (missing,) = gates(course, refuses)
    assert (missing.ok, missing.warning) == fault
    assert missing.detail == "no proof of it is kept"
    write_proof(course, module, proof_of(*SOUND))
    assert [(gate.ok, gate.warning) for gate in gates(course, refuses)] == [(True, False)]
    (stale,) = gates(course, refuses, replace(KEYS, script="other", engine="other"))
    assert (stale.ok, stale.warning) == fault
    assert stale.detail.startswith("the kept proof is stale: a solution or test has changed since; the engine")
    write_proof(course, module, proof_of(*SOUND, record(20, **NOT), record(21, **NOT)))
    (below,) = gates(course, refuses)
    assert (below.ok, below.warning) == fault


def graded(*verdicts: Verdict, fault: str = "") -> MutantRecord:
    """What a record says of a mutant, whose tests t0, t1, … got these verdicts."""
    cells = [CellVerdict(f"t{number}", verdict, None, 1.0) for number, verdict in enumerate(verdicts)]
    record = SubmissionRecord(
        "m", "07", Fingerprint("", "", ""), "none", "", (NotebookVerdicts("n", tuple(cells)),), fault=fault
    )
    mutant = Mutant("reference", "double", 3, "Op", "term", False, ("a + b",), ("a",), "a")
    return _result(mutant, record, frozenset(cell.grade_id for cell in cells), Caught.OWN)


@pytest.mark.parametrize(
    ("verdicts", "caught", "test"),
    [
        ([Verdict.PASSED, Verdict.PASSED], Caught.NOT, ""),
        ([Verdict.PASSED, Verdict.FAILED, Verdict.ERROR], Caught.OWN, "t1"),
        ([Verdict.NOT_RUN, Verdict.TIMEOUT], Caught.OWN, "t1"),
        ([Verdict.MEMORY], Caught.OWN, "t0"),
        ([Verdict.PLATFORM, Verdict.PASSED], Caught.FAULT, ""),
        ([Verdict.PLATFORM, Verdict.FAILED], Caught.OWN, "t1"),
        ([Verdict.MANUAL], Caught.NOT, ""),
    ],
)
def test_a_test_that_does_not_pass_catches_and_a_fault_of_ours_does_not(
    verdicts: list[Verdict], caught: Caught, test: str
) -> None:
    result = graded(*verdicts)
    assert (result.caught, result.test) == (caught, test)


def test_a_submission_that_we_failed_to_grade_is_no_evidence_whatever_it_says() -> None:
    assert graded(Verdict.FAILED, fault="the sandbox broke").caught is Caught.FAULT


# ---- what a proof is of ----------------------------------------------------------------------------------


def keys(course: Course) -> Keys:
    module = course.assignment("7")
    return keys_of(course, module, plan_assignment(course, module))


@pytest.mark.parametrize(
    ("path", "before", "after", "stale"),
    [
        ("source/07_doubling.py", "# # Doubling", "# # Twice", ()),
        ("source/07_doubling.py", "* 2", "* 2.0", ("script",)),
        ("source/07_doubling.py", "halve(4) == 2", "halve(6) == 3", ("script",)),
        ("source/07_doubling.py", "warm = [", "warm = 3, [", ()),
        (
            "source/07_doubling.py",
            "    half_of_the_value = v",
            "    ### EQUIVALENT 0a1b2c3d: it is the same\n    half_of_the_value = v",
            ("marks",),
        ),
        ("variants/07_doubling/correct_sum.py", "values + values", "2 * values", ("variants",)),
        ("variants/07_doubling/triples.py", "3 * values", "4 * values", ()),
        ("reference/base.py", "return value", "return +value", ("engine",)),
        ("reference/base.py", "return value", "return value  # as it is", ()),
        ("reference/base.py", "return value", '"""A word on it."""\n    return value', ()),
        ("course.toml", "cell_timeout_s = 4", "cell_timeout_s = 5", ()),
    ],
)
def test_what_a_proof_is_of_makes_it_stale_and_nothing_else_does(
    path: str, before: str, after: str, stale: tuple[str, ...], course: Course
) -> None:
    from tito.course.course import load_course

    first = keys(course)
    file = course.root / path
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    second = keys(load_course(course.root))
    assert {name for name, value in vars(first).items() if value != vars(second)[name]} == set(stale)
    assert len(staleness(proof_of(keys=first), second)) == len(stale)


# ---- what the script says --------------------------------------------------------------------------------


def exercises(tmp_path: Path, **cells: str) -> dict[str, frozenset[str]]:
    path = tmp_path / "07_doubling.py"
    path.write_text(script(**cells))
    return own_tests(read_cells(read_script(path).notebook.cells))


def test_a_test_belongs_to_the_solutions_before_it(tmp_path: Path) -> None:
    assert exercises(tmp_path) == {"double": {"test_double"}, "halve": {"test_halve"}}
    both = CELLS["test_double"].replace("# %% ", "# %%\n\n# %% ", 1)
    assert exercises(tmp_path, double=CELLS["double"] + CELLS["halve"].replace("halve", "third"), test_double=both) == {
        "double": {"test_double"},
        "third": {"test_double"},
        "halve": {"test_halve"},
    }


def test_a_test_may_name_them(tmp_path: Path) -> None:
    test = CELLS["test_halve"].replace("assert", "### TESTS EXERCISE: double, halve\nassert", 1)
    assert exercises(tmp_path, test_halve=test) == {"double": {"test_double", "test_halve"}, "halve": {"test_halve"}}
    with pytest.raises(BadSource, match="it says that it tests 'third'"):
        exercises(tmp_path, test_halve=test.replace("double, halve", "third"))


def test_marks_are_read_and_taken_out_wherever_others_read() -> None:
    text = "def f(a):\n    ### EQUIVALENT 0a1b2c3d by g: the same\n    ### EQUIVALENT 1a1b2c3d: too\n    return a"
    plain, marks = without_marks(text, "reference", "f")
    assert plain == without_private(text) == "def f(a):\n    return a"
    assert _stripped(f"#| export\n{text}") == f"{plain}\n"
    assert [(mark.line, mark.digest, mark.generator, mark.reason) for mark in marks] == [
        (2, "0a1b2c3d", "g", "the same"),
        (2, "1a1b2c3d", "", "too"),
    ]
    with pytest.raises(BadSource, match="is not of its form"):
        without_marks("### EQUIVALENT: the same", "reference", "f")


# ---- judge halves that note ------------------------------------------------------------------------------


def noted(half: str, **values: Any) -> str:
    section = noting(Section(observe="", judge=half, hidden=True))
    request = {"imports": "import numpy as np", "given": "", "judge": section.judge, "checks": [], "measured": [""]}
    answer = judge(request | {"observed": list(values), "hidden": True}, pack(values))
    assert not answer["yes"]
    return str(answer["detail"])


def test_a_judge_half_that_notes_says_how_near_it_came() -> None:
    assert (
        noted("assert np.allclose(y, 2, rtol=0.1, atol=0)", y=2.1)
        == '[["np.allclose(y, 2, rtol=0.1, atol=0)", 0.10000000000000009, 0.2]]'
    )
    assert noted("np.testing.assert_allclose(y, [1, 4], 0.5, err_msg='no')", y=[1.25, 2.5]).endswith("1.5, 2.0]]")
    assert noted("assert np.abs(np.array(y) - 1).max() < 3, f'{y}'", y=[2.0, 3.5]).endswith(", 2.5, 3.0]]")
    assert noted("assert np.all(np.abs(y) <= [4, 5])", y=[1.0, 4.0]).endswith(", 4.0, 5.0]]")
    assert noted("for each in y:\n    assert abs(each - 1) <= 2", y=[1.5, 2.0, 1.0]).endswith(", 1.0, 2.0]]")
    assert noted("assert y == 3 and len('abc') <= 3", y=3) == "[]"


def test_a_judge_half_that_notes_stops_where_it_would_have_said_no() -> None:
    assert noted("assert abs(y) <= 1\nassert abs(y) <= 9", y=4.0) == ""
