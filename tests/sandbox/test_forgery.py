"""The release gate on tests that can be forged: bad ones are refused by name, sound ones pass, points are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import ASSIGNMENT, CELLS, SETTINGS, meta, released_notebook, script, solved, submit, write_course

from tito.author.forgery import declared_reports, forged_values
from tito.author.gates import run_gates
from tito.author.release import publish
from tito.course.course import Course, load_course
from tito.exports.tables import grades_table
from tito.grade.cohort import autograde
from tito.grade.observe import Observations
from tito.grade.verdicts import verdict_of_test
from tito.gradebook.records import from_json, read_record, to_json
from tito.judge.judge import Judge, judging, order_of
from tito.models import Evidence, Gate, Verdict
from tito.plan.planning import plan_assignment
from tito.plan.sandbox_specs import Sandboxes
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.inside.codec import pack
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran

GATE = "forged values are refused"
DECLARED = "what students report is declared"
APART = "tests are judged apart"


def a_test(*lines: str, points: int = 4) -> str:
    return "\n".join([f"# %% {meta('test_double', grade=True, locked=True, points=points)}", *lines, ""])


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxes]:
    """For the tiny module, whichever tests it has."""
    course = write_course(tmp_path_factory.mktemp("forgery") / "course", variants={})
    plan = plan_assignment(course, course.assignment("7"))
    with Sandboxes(Bubblewrap(), plan.spec) as running:
        running.warm(plan.spec, order_of(replace(plan, notebooks=())))
        yield running


def verdicts_of_the_gate(sandboxes: Sandboxes, tmp_path: Path, *lines: str) -> list[Gate]:
    """What the gate says of the tiny module with another test of `double`."""
    course = write_course(tmp_path / "course", script(test_double=a_test(*lines)), variants={})
    plan = plan_assignment(course, course.assignment("7"))
    with Judge(sandboxes.judges) as judge:
        return [*declared_reports(plan), *forged_values(plan, sandboxes.notebooks, judge)]


JUDGE, BEGIN, END = "### JUDGE", "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
GOOD: dict[str, tuple[str, ...]] = {
    "the whole value": ("y = double([1.0, 2.0])", JUDGE, "assert y.tolist() == [2.0, 4.0]"),
    "shape and numbers": (
        "x = np.linspace(1, 2, 5)", "y = double(x.copy())", JUDGE, "assert y.shape == (5,)",
        "assert np.allclose(y, 2 * x)"),
    "an input left unchanged, by its consequences": (
        "x = np.array([1.0, 3.0])", "first = double(x)", "again = double(x)", JUDGE,
        "assert first.shape == (2,) and np.allclose(first, [2, 6])",
        "assert again.shape == (2,) and np.allclose(again, [2, 6])"),
    "an expected value of the student's own, with something of the author's": (
        "half = halve(6.0)", "y = double([half])", JUDGE, "assert isinstance(half, float) and half == 3.0",
        "assert y.tolist() == [2 * half]"),
    "checks that each look at what they pay for": (
        "y = double([1.0, 2.0])", "z = double([0.5])", JUDGE, "numbers = y.tolist()", "### CHECK plain (3)",
        "assert numbers == [2.0, 4.0]", "### CHECK small (1)", "assert z.tolist() == [1.0]"),
    "a value that is only said": (
        "y = double([1.0])", "z = double([7.0])", JUDGE, "assert y.tolist() == [2.0], f'and of 7 it is {z}'"),
    "a declared report": (
        "### REPORTED twice: only the process knows it", "y = double([1.0])", "twice = double is double", JUDGE,
        "assert y.tolist() == [2.0] and twice"),
    "what a test gathers": (
        "found = []", "for n in (1.0, 2.0):", "    found.append(double([n]).tolist())", JUDGE,
        "assert found == [[2.0], [4.0]]"),
}  # fmt: skip


@pytest.mark.parametrize("lines", GOOD.values(), ids=GOOD)
def test_a_sound_test_passes(lines: tuple[str, ...], sandboxes: Sandboxes, tmp_path: Path) -> None:
    checks = verdicts_of_the_gate(sandboxes, tmp_path, *lines)
    assert [(check.name, check.ok) for check in checks] == [(DECLARED, True), (GATE, True)], checks


BAD: dict[str, tuple[tuple[str, ...], str, str]] = {
    "a loop over what was observed": (
        ("found = [double([n]) for n in (1.0, 2.0)]", JUDGE, "for one, n in zip(found, (1.0, 2.0)):",
         "    assert one.tolist() == [2 * n]"), GATE, "`found` replaced by an empty one"),
    "a loop over pairs that stops at the shorter": (
        ("y = double([1.0, 2.0]).tolist()", JUDGE, "assert y", "for one, want in zip(y, [2.0, 4.0]):",
         "    assert one == want"),
        GATE, "`y` replaced by longer; shorter"),
    "a judge half that never says no": (
        ("y = double([1.0])", JUDGE, "if False:", "    assert y"), GATE, "`y` replaced by nothing (None)"),
    "a judge half that looks at nothing of the student's": (
        ("y = double([1.0])", JUDGE, "assert 1 + 1 == 2"), GATE, "looks at nothing"),
    "only a bound": (("y = double([1.0])[0]", JUDGE, "assert y < 3"), GATE, "`y` replaced by zero"),
    "not a number": (("y = double([1.0])[0]", JUDGE, "assert not abs(y - 2) > 0.1"), GATE, "`y` replaced by NaN"),
    "only a shape": (("y = double([1.0, 2.0])", JUDGE, "assert y.shape == (2,)"), GATE, "`y` replaced by reversed"),
    "only a sum": (
        ("y = double([1.0, 2.0])", JUDGE, "assert y.sum() == 6"), GATE, "`y` replaced by reversed; permuted"),
    "only a size of numbers": (
        ("y = double([1.0, 2.0])", JUDGE, "assert np.abs(y).tolist() == [2, 4]"), GATE, "`y` replaced by negated"),
    "truth of whatever comes": (
        ("y = double([1.0]).tolist()", JUDGE, "assert y"), GATE, "`y` replaced by NaN; one; text"),
    "two of the student's values compared with each other": (
        ("y = double([1.0])", "z = double([1.0])", JUDGE, "assert np.array_equal(y, z)"), GATE,
        "`y` and `z` replaced by"),
    "the input itself": (
        ("x = np.array([0.0, 1.0])", "y = double(x.copy())", JUDGE, "assert y.shape == (2,) and np.all(y >= x)",
         "assert y[0] == 0 and y.max() < 3"), GATE, "the input `x`"),
    "a pair in one statement beside an honest one": (
        ("y = double([1.0])", "z = double([3.0])", "w = double([3.0])", JUDGE, "assert y.tolist() == [2.0]",
         "assert np.array_equal(z, w)"), GATE, "`w` and `z` replaced by"),
    "an element that is not looked at": (
        ("y = [double([1.0]).tolist(), double([2.0]).tolist()]", JUDGE, "assert len(y) == 2 and y[0] == [2.0]"),
        GATE, "one with element 1"),
    "a key that is not looked at": (
        ("y = {'one': 2 * double([1.0]).tolist(), 'two': 1}", "y['two'] = double([1.0]).tolist()", JUDGE,
         "assert y['one'] == [2.0, 2.0] and set(y) == {'one', 'two'}"), GATE, "one with element 'two'"),
    "a check that looks at too little": (
        ("y = double([1.0, 2.0])", JUDGE, "numbers = np.asarray(y)", "### CHECK shape (1)",
         "assert numbers.shape == (2,)",
         "### CHECK values (3)", "assert numbers.tolist() == [2.0, 4.0]"), GATE, "by check shape"),
    "a value that only the common part reads": (
        ("y = double([1.0])", "z = double([2.0])", JUDGE, "assert z.shape == (1,)", "### CHECK all (4)",
         "assert y.tolist() == [2.0]"), GATE, "`z` replaced by"),
    "a hidden section": (
        ("y = double([1.0])", JUDGE, "assert y.tolist() == [2.0]", BEGIN, "y = double([2.0])", JUDGE,
         "assert y.size == 1", END),
        GATE, "hidden section 2"),
    "a boolean": (
        ("x = np.array([1.0])", "y = double(x)", "kept = bool(np.array_equal(x, [1.0]))", JUDGE,
         "assert y.tolist() == [2.0] and kept is True"), DECLARED, "`kept`"),
    "a clock of the test's own": (
        ("import time", "start = time.perf_counter()", "y = double([1.0])", "took = time.perf_counter() - start", JUDGE,
         "assert y.tolist() == [2.0] and took < 1"), GATE, "`took` replaced by"),
    "what a judge would run": (
        ("y = double([1.0])", "text = str(y.tolist())", JUDGE, "assert eval(text) == [2.0]"), GATE, "eval()"),
    "what a test without a judge half would run": (
        ("assert eval(str(double([1.0]).tolist())) == [2.0]",), GATE, "eval()"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "gate", "reason"), BAD.values(), ids=BAD)
def test_a_bad_test_is_refused_with_its_name_the_value_and_the_replacement(
    lines: tuple[str, ...], gate: str, reason: str, sandboxes: Sandboxes, tmp_path: Path
) -> None:
    failures = [check for check in verdicts_of_the_gate(sandboxes, tmp_path, *lines) if not check.ok]
    assert any(
        check.name == gate and check.where == "test_double" and reason in check.detail and check.hint
        for check in failures
    ), failures


# ---- settings ------------------------------------------------------------------------------------

BESIDE = ("assert 'double' in get_ipython().user_ns",)
WEAK = ("y = double([1.0, 2.0])", JUDGE, "assert y.shape == (2,)")


def gates(tmp_path: Path, *lines: str, settings: str = "", **more: str) -> dict[str, list[Gate]]:
    course = write_course(tmp_path / "course", script(test_double=a_test(*lines), **more), variants={})
    (course.root / "course.toml").write_text(SETTINGS + settings)
    course = load_course(course.root)
    report = run_gates(course, course.assignment("7"), Bubblewrap())
    by_gate: dict[str, list[Gate]] = {}
    for outcome in report.gates:
        by_gate.setdefault(outcome.name, []).append(outcome)
    return by_gate


@pytest.mark.usefixtures("in_process")
def test_what_runs_beside_student_code_is_refused_unless_it_says_why(tmp_path: Path) -> None:
    (refused,) = gates(tmp_path / "one", *BESIDE)[APART]
    assert (refused.ok, refused.where) == (False, "test_double")
    assert "### IN PROCESS: reason" in refused.hint
    (accepted,) = gates(tmp_path / "two", "### IN PROCESS: it asks the shell", *BESIDE)[APART]
    assert accepted.ok and "test_double (it asks the shell)" in accepted.detail


@pytest.mark.usefixtures("in_process")
def test_a_converted_course_may_have_warnings_instead(tmp_path: Path) -> None:
    warn = '\n[gates]\nforgeable = "warn"\n'
    warned = gates(tmp_path / "one", *WEAK, settings=warn)
    assert [(check.ok, check.warning) for check in warned[GATE]] == [(True, True)]
    (beside,) = gates(tmp_path / "two", *BESIDE, settings=warn)[APART]
    assert (beside.ok, beside.warning) == (True, True)
    assert [(check.ok, check.warning) for check in gates(tmp_path / "three", *WEAK)[GATE]] == [(False, False)]


# ---- what is counted -----------------------------------------------------------------------------

COUNTED = {
    "test_double": a_test(
        "### REPORTED kept: only the process can tell", "x = np.array([1.0])", "y = double(x)",
        "kept = x.tolist() == [1.0]", JUDGE, "assert y.tolist() == [2.0] and kept",
    ),
    "test_halve": CELLS["test_halve"].replace(
        "assert halve(4)", "### IN PROCESS: it asks the shell\nassert halve(4)").replace(
        "### BEGIN", "assert 'halve' in get_ipython().user_ns\n### BEGIN"),
}  # fmt: skip


@pytest.fixture
def counted(tmp_path: Path) -> Course:
    course = write_course(tmp_path / "course", script(**COUNTED), variants={})
    publish(course, course.assignment("7"))
    return course


@pytest.mark.usefixtures("in_process")
def test_points_that_can_be_forged_are_counted_in_records_and_grades(counted: Course) -> None:
    submit(counted, "ada", solved(counted))
    submit(counted, "bob", solved(counted, halve="def halve(value):\n    return 3"))
    submit(counted, "cy", released_notebook(counted))
    assignment = counted.assignment("7")
    autograde(counted, assignment, Bubblewrap(), workers=1)
    record = read_record(counted, ASSIGNMENT, "ada")
    assert record is not None
    verdicts = {cell.grade_id: (cell.verdict, cell.evidence) for cell in record.cells}
    assert verdicts["test_double"] == (Verdict.PASSED, Evidence.REPORTED)
    assert verdicts["test_halve"] == (Verdict.PASSED, Evidence.IN_PROCESS)
    assert from_json(to_json(record)) == record
    assert to_json(record)["points_forgeable"] == 7
    table = grades_table(counted, "7").set_index("student_id")
    assert table["points_forgeable"].to_dict() == {"ada": 7, "bob": 4, "cy": 0}
    refused = read_record(counted, ASSIGNMENT, "cy")
    assert refused is not None
    assert {cell.evidence for cell in refused.cells if cell.grade_id == "test_double"} == {Evidence.REPORTED}


def test_lines_for_the_grader_alone_are_in_no_release_and_what_is_measured_is(tmp_path: Path) -> None:
    measured = {"test_double": COUNTED["test_double"] + "### MEASURED\n# assert wall_s < 2\n"}
    course = write_course(tmp_path / "course", script(**COUNTED | measured), variants={})
    publish(course, course.assignment("7"))
    text = "\n".join(cell.source for cell in released_notebook(course).cells)
    assert "REPORTED" not in text and "IN PROCESS" not in text
    assert "### MEASURED\n# assert wall_s < 2" in text


def test_a_section_that_is_judged_by_its_time_is_ours_where_nothing_was_measured(counted: Course) -> None:
    plan = plan_assignment(counted, counted.assignment("7"))
    test = plan.notebooks[0].tests["test_double"]
    section, judge = test.sections[0]
    measured = replace(section, measured="assert wall_s < 2")
    values: dict[str, Any] = {"y": np.array([2.0]), "kept": True}
    ran = Ran(StepStatus.OK, observed=pack(values))
    seen = Observations(tests={"test_double": [(measured, judge, ran)]})
    with judging(Bubblewrap(), plan) as process:
        verdict = verdict_of_test(replace(test, sections=((measured, judge),)), seen, process)
    assert (verdict.verdict, verdict.points) == (Verdict.PLATFORM, None)
    assert "measured" in verdict.detail
