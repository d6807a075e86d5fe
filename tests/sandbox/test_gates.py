"""The release gate: each planted fault makes its own gate fail, with the cell's name, and nothing is released."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny import ASSIGNMENT, CELLS, VARIANTS, meta, script, write_course

from tito.author.gates import run_gates
from tito.author.release import build_release, publish
from tito.cli.assignments import require
from tito.course.course import Course
from tito.course.script import read_script
from tito.errors import BadSource, GateFailed, GradebookUnavailable
from tito.models import Gate, GateReport
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.launch import Backend
from tito.sandbox.unconfined import Unconfined

pytestmark = pytest.mark.usefixtures("in_process")

PASSES = "the reference earns every point"
STUB = "the untouched stub fails each graded cell"
LEAKS = "nothing secret in the build"
WARMUPS = "warm-ups run on the unsolved notebook"
ONCE = "one mistake is charged once"


def failures(course: Course, name: str = "7") -> list[Gate]:
    report = run_gates(course, course.assignment(name), Bubblewrap())
    assert not list(course.root.glob(".release-*"))
    return [gate for gate in report.gates if not gate.ok]


def test_a_sound_module_passes_every_gate_and_nothing_is_written_by_it(course: Course) -> None:
    seen: list[Gate] = []
    report = run_gates(course, course.assignment("7"), Bubblewrap(), progress=seen.append)
    assert report.ok
    assert seen == report.gates
    assert [check.name for check in seen[-3:]] == ["variant correct_sum (correct)", "variant triples (wrong)", ONCE]
    assert not course.step("release").exists()
    assert not course.gradebook_dir.exists()


SOLUTION_LINE = "numbers_as_floats = np.asarray(values, dtype=np.float64)"
HIDDEN_LINE = "far_away = 1e6 * rng.normal(size=5)"

SECRET_PLANTED = {
    "a solution line in a plain cell": ("more", f"# %%\nvalues = []\n{SOLUTION_LINE}\n", "double"),
    "a hidden test line in a comment": ("more", f"# %%\n# {HIDDEN_LINE}\n", "test_double"),
    "a hidden test in a cell's metadata": ("title", f'# %% [markdown] note="{HIDDEN_LINE}"\n# # D\n', "test_double"),
    "a mark scheme in a text": (
        "more", "# %% [markdown]\n# One point for the exponent that grows, one for the digits that stay as "
                "they are, is fair.\n", "task_why"),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "text", "where"), SECRET_PLANTED.values(), ids=SECRET_PLANTED)
def test_a_secret_that_survives_in_the_build_is_found_by_the_cell_that_it_is_of(
    cell: str, text: str, where: str, tmp_path: Path
) -> None:
    course = write_course(tmp_path / "course", script(**{cell: text}), variants={})
    assert [(check.name, check.where) for check in failures(course)] == [(LEAKS, where)]


UNSOUND: dict[str, tuple[dict[str, str | None], str]] = {
    "a solution region in a plain cell": (
        {"more": "# %%\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n"}, "solution"),
    "a solution region without an end": (
        {"halve": CELLS["halve"].replace("    ### END SOLUTION\n", "")}, "halve: a solution region has no end"),
    "a solution region in a test": (
        {"test_halve": f"{CELLS['test_halve']}### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n"}, "test_halve: a sol"),
    "a hidden test in a solution": (
        {"halve": f"{CELLS['halve']}### BEGIN HIDDEN TESTS\nassert halve(0) == 0\n### END HIDDEN TESTS\n"},
        "halve: a hidden test in a cell that is no test"),
    "an unknown name in a judge": (
        {"test_double": CELLS["test_double"].replace("assert np.allclose(near", "assert nearly_equal(near")},
        "nearly_equal"),
    "a test that tests nothing": ({"test_halve": CELLS["test_halve"].split("assert")[0] + "# later\n"}, "test_halve"),
    "a hidden region without an end": (
        {"test_halve": CELLS["test_halve"].replace("### END HIDDEN TESTS\n", "")}, "test_halve"),
    "a magic in a test with a judge": (
        {"test_double": CELLS["test_double"].replace("y = double(x", "%time y = double(x")}, "test_double"),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "where"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_cell_fails_the_first_gate_by_its_name_and_no_other_gate_is_run(
    changed: dict[str, str], where: str, tmp_path: Path
) -> None:
    text = script(**changed)
    assert text != script()
    failed = failures(write_course(tmp_path / "course", text, variants={}))
    assert {check.name for check in failed} == {"metadata"}
    assert any(where in f"{check.where} {check.detail}" for check in failed)


def test_a_graded_cell_without_points_is_named_and_hides_no_other_finding(tmp_path: Path) -> None:
    """nbgrader has such cells, for practice."""
    halve = CELLS["test_halve"].replace('"points": 3', '"points": 0')
    text = script(test_halve=halve, more=f"# %%\nvalues = []\n{SOLUTION_LINE}\n", task_why=None)
    course = write_course(tmp_path / "course", text, variants={})
    gates = run_gates(course, course.assignment("7"), Bubblewrap()).gates
    assert [gate.detail for gate in gates if gate.warning] == ["test_halve: a graded cell without points"]
    assert [(gate.name, gate.where) for gate in gates if not gate.ok] == [(LEAKS, "double")]
    assert STUB in {gate.name for gate in gates}  # which runs code


def test_what_cannot_be_planned_for_a_reason_that_no_gate_tells_passes_no_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BadSource("its files cannot be had")

    course = write_course(tmp_path / "course", script(), variants={})
    monkeypatch.setattr("tito.author.gates.plan_assignment", refuse)
    with pytest.raises(BadSource, match="its files"):
        run_gates(course, course.assignment("7"), Bubblewrap())


def test_a_file_that_the_module_provides_is_searched_and_one_of_a_module_below_is_not(tmp_path: Path) -> None:
    text = script().replace("#     export:", "#     provides: [core.clock]\n#     export:")
    course = write_course(tmp_path / "course", text, variants={})
    assert course.reference is not None
    clock = course.reference / "core" / "clock.py"
    for number, findings in ((7, [(LEAKS, "double")]), (3, [])):
        name = text if number == 7 else script()
        course.step("source", f"{ASSIGNMENT}.py").write_text(name)
        clock.write_text(f"# module: {number:02d}_x\nimport numpy as np\n\n\ndef f(values):\n    {SOLUTION_LINE}\n")
        assert [(check.name, check.where) for check in failures(course)] == findings


def test_metadata_and_leaks_are_told_together_and_nothing_is_run_before_they_are_mended(tmp_path: Path) -> None:
    judge = CELLS["test_double"].replace("assert np.allclose(near", "assert nearly_equal(near")
    text = script(test_double=judge, more=f"# %%\nvalues = []\n{SOLUTION_LINE}\n")
    course = write_course(tmp_path / "course", text, variants={})
    gates = run_gates(course, course.assignment("7"), Bubblewrap()).gates
    assert [gate.name for gate in gates if not gate.ok] == ["metadata", LEAKS]
    assert gates[-1].warning
    assert "nothing was run" in gates[-1].detail


FAULTS: dict[str, tuple[dict[str, str | None], str, str]] = {
    "a stub that passes": (
        {"test_halve": CELLS["test_halve"].split("assert")[0] + "assert callable(halve)\n"}, STUB, "test_halve"),
    "a reference that fails": ({"halve": CELLS["halve"].replace("/ 2", "/ 3")}, PASSES, "test_halve"),
    "a judge that fails the reference": (
        {"test_double": CELLS["test_double"].replace("[2.0, 4.0], f", "[2.0, 5.0], f")}, PASSES, "test_double"),
    "a set-up that raises": (
        {"test_double": CELLS["test_double"].replace("x = np.array", "x = np.no_such_array")}, PASSES, "test_double"),
    "a warm-up that raises": ({"warmup": '# %% tags=["warmup"]\nwarm = identity(1) / 0\n'}, WARMUPS, "cell setup-1"),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "gate", "where"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_makes_its_gate_fail_with_the_name_of_the_cell(
    changed: dict[str, str], gate: str, where: str, tmp_path: Path
) -> None:
    text = script(**changed)
    assert text != script()
    failed = failures(write_course(tmp_path / "course", text, variants={}))
    beside = {("tests are judged apart", where)}  # so the test goes where the reference does not pass it elsewhere
    assert {(check.name, check.where) for check in failed} - beside == {(gate, where)}


WRITES = CELLS["halve"].replace("    half_of", "    open('left.txt', 'w').close()\n    half_of", 1)
LEFT = """
try:
    halve(4)
except NotImplementedError:
    pass
import os
assert os.path.isfile("left.txt"), "nobody wrote it"
"""


@pytest.mark.parametrize("backend", [Bubblewrap(), Unconfined()], ids=lambda backend: backend.name)
def test_what_one_gate_leaves_behind_is_not_there_for_the_next(backend: Backend, tmp_path: Path) -> None:
    """Else the stub would pass a test by a file that the reference wrote."""
    test_halve = CELLS["test_halve"].split("assert")[0] + LEFT
    course = write_course(tmp_path / "course", script(halve=WRITES, test_halve=test_halve), variants={})
    gates = run_gates(course, course.assignment("7"), backend).gates
    assert [gate.ok for gate in gates if gate.name in (PASSES, STUB)] == [True, True], gates


PERMITTED = f"### SHOWN `{SOLUTION_LINE}`: the text above explains this line\n"


def test_what_an_author_permits_with_a_reason_is_no_finding_and_is_not_released(tmp_path: Path) -> None:
    shown = CELLS["double"].replace("    ### BEGIN SOLUTION\n", f"    {PERMITTED}    ### BEGIN SOLUTION\n")
    stub = CELLS["test_halve"].split("assert")[0] + "assert callable(halve)\n### PASSES UNSOLVED: a point for all\n"
    text = script(double=shown, test_halve=stub, more=f"# %%\nvalues = []\n{SOLUTION_LINE}\n")
    course = write_course(tmp_path / "course", text, variants={})
    gates = run_gates(course, course.assignment("7"), Bubblewrap()).gates
    assert [gate for gate in gates if not gate.ok and gate.name != "tests are judged apart"] == []
    assert "shown on purpose" in next(gate.detail for gate in gates if gate.name == LEAKS)
    assert "test_halve, on purpose" in next(gate.detail for gate in gates if gate.name == STUB)
    released = build_release(course, course.assignment("7"), tmp_path / "release") / "doubling.ipynb"
    assert "SHOWN" not in released.read_text()
    assert "UNSOLVED" not in released.read_text()


def test_a_permission_that_nothing_needs_is_a_finding(tmp_path: Path) -> None:
    shown = CELLS["double"].replace("    ### BEGIN SOLUTION\n", f"    ### BEGIN SOLUTION\n    {PERMITTED}")
    stub = f"{CELLS['test_halve']}### PASSES UNSOLVED: a point for all\n"
    setup = f"{CELLS['setup']}### SHOWN `import numpy as np`: is no secret\n"
    course = write_course(tmp_path / "course", script(double=shown, test_halve=stub, setup=setup), variants={})
    assert {(gate.name, gate.where) for gate in failures(course)} == {
        (LEAKS, "double"), (LEAKS, "setup"), (STUB, "test_halve"),
    }  # fmt: skip


@pytest.mark.parametrize("line", ["### SHOWN numbers: why", "### SHOWN `numbers`:", "### SHOWN `numbers`"])
def test_a_permission_without_its_form_or_a_reason_is_a_finding(line: str, tmp_path: Path) -> None:
    shown = CELLS["double"].replace("    ### END SOLUTION\n", f"    {line}\n    ### END SOLUTION\n")
    course = write_course(tmp_path / "course", script(double=shown), variants={})
    assert ["### SHOWN" in gate.detail for gate in failures(course)] == [True]


def test_variants_with_wrong_lost_lines_fail_by_their_names(tmp_path: Path) -> None:
    lost = {"none": "[]", "every": "all", "both": "[test_double, test_halve]", "other": "[test_halve]"}
    variants = {name: VARIANTS["triples"].replace("[test_double]", line) for name, line in lost.items()}
    details = {check.where: check.detail for check in failures(write_course(tmp_path / "course", variants=variants))}
    assert set(details) == {"none.py", "every.py", "both.py", "other.py"}
    assert "loses test_double" in details["none.py"]
    assert "keeps test_halve" in details["every.py"]
    assert "keeps test_halve" in details["both.py"]
    assert "loses test_double" in details["other.py"]
    assert "keeps test_halve" in details["other.py"]


def test_a_duplicate_grade_id_is_refused_before_any_gate(tmp_path: Path) -> None:
    course = write_course(tmp_path / "course", script(again=CELLS["test_double"]))
    with pytest.raises(BadSource, match="'test_double'"):
        failures(course)


def test_a_folder_of_notebooks_is_checked_too_attachments_included_and_outputs_are_cleared(course: Course) -> None:
    folder = course.step("source", "ps1")
    folder.mkdir()
    course.stage(7, folder)
    notebook: Any = read_script(course.step("source", f"{ASSIGNMENT}.py")).notebook
    secret = base64.b64encode(f"{'.' * 60}\n{HIDDEN_LINE}\n".encode()).decode()
    notebook.cells[0].attachments = {"x.txt": {"text/plain": secret}}
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text=f"{SOLUTION_LINE}\n")]
    notebook.cells[2].execution_count = 7
    nbformat.write(notebook, folder / "doubling.ipynb")
    assert {(check.name, check.where) for check in failures(course, "ps1")} == {(LEAKS, "test_double")}


def test_a_gate_that_failed_is_exit_code_1() -> None:
    report = GateReport("07_doubling", [Gate("held", True)])
    require(report)
    report.gates.append(Gate("planted", False))
    with pytest.raises(GateFailed, match="1 of") as caught:
        require(report)
    assert caught.value.exit_code == 1


# ---- building and publishing -------------------------------------------------------------------


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_two_builds_are_the_same_bytes_and_hold_no_stranger(course: Course, tmp_path: Path) -> None:
    (course.step("source") / "notes.txt").write_text("stray")
    (course.root / "reference" / "__pycache__").mkdir()
    (course.root / "reference" / "__pycache__" / "base.pyc").write_bytes(b"x")
    first = files_of(build_release(course, course.assignment("7"), tmp_path / "one"))
    second = files_of(build_release(course, course.assignment("7"), tmp_path / "two"))
    assert first == second
    assert set(first) == {"doubling.ipynb", "tinypack/__init__.py", "tinypack/base.py"}


def test_an_old_release_stands_when_a_new_one_fails(released: Course) -> None:
    before = files_of(released.step("release", ASSIGNMENT))
    released.step("source", f"{ASSIGNMENT}.py").write_text("no header")
    with pytest.raises(BadSource):
        publish(released, released.assignment("7"))
    assert files_of(released.step("release", ASSIGNMENT)) == before
    broken = CELLS["double"].replace("    ### END SOLUTION\n", "")
    released.step("source", f"{ASSIGNMENT}.py").write_text(script(double=broken))
    with pytest.raises(BadSource, match=r"nbgrader cannot release .*doubling\.ipynb: no end solution statement found"):
        publish(released, released.assignment("7"))
    assert files_of(released.step("release", ASSIGNMENT)) == before
    assert not list(released.root.glob(".release-*"))


def test_a_gradebook_that_cannot_be_used_leaves_the_release_as_it_was(released: Course) -> None:
    before = files_of(released.step("release", ASSIGNMENT))
    database = released.gradebook_dir / "gradebook.db"
    database.unlink()
    database.mkdir()
    with pytest.raises(GradebookUnavailable):
        publish(released, released.assignment("7"))
    assert files_of(released.step("release", ASSIGNMENT)) == before


def test_a_changed_module_is_released_over_the_old_one(released: Course) -> None:
    title = CELLS["title"].replace("# # Doubling", "# # Doubling anew")
    released.step("source", f"{ASSIGNMENT}.py").write_text(
        script(title=title, more=f"# %% {meta('x', locked=True)}\n1\n")
    )
    publish(released, released.assignment("7"))
    assert b"Doubling anew" in files_of(released.step("release", ASSIGNMENT))["doubling.ipynb"]
