"""Gates on a notebook as a whole and on a module's simulated students; what they ask is set in course.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import ASSIGNMENT, CELLS, SETTINGS, VARIANTS, meta, script, write_course

from tito.author.gates import run_gates
from tito.author.release import build_release
from tito.cli import cli
from tito.course.course import Course, load_course
from tito.course.script import read_script
from tito.errors import BadSource
from tito.models import Gate
from tito.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.usefixtures("in_process")

RUNS = "no cell of the reference's notebook raises"
WARMUPS_FIRST = "warm-ups are ungraded and come first"
ONCE = "one mistake is charged once"
METADATA = "metadata"
BUSY = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end:\n    pass\n"


def gates_of(course: Course, *, fast: bool = False) -> list[Gate]:
    return run_gates(course, course.assignment("7"), Bubblewrap(), fast=fast).gates


def failures(course: Course) -> set[tuple[str, str]]:
    return {(gate.name, gate.where) for gate in gates_of(course) if not gate.ok}


def with_settings(course: Course, gates: str) -> Course:
    (course.root / "course.toml").write_text(f"{SETTINGS}\n[gates]\n{gates}\n")
    return load_course(course.root)


FAULTS: dict[str, tuple[dict[str, str | None], tuple[str, str]]] = {
    "a locked cell that raises": (
        {"more": f"# %% {meta('helpers', locked=True)}\nraise RuntimeError('too late to be seen')\n"},
        (RUNS, "helpers")),
    "a cell that validates and raises": (
        {"more": '# %% tags=["validate"]\nassert halve(3) == 1\n'}, (RUNS, "cell essay-1")),
    "the same, where a kernel goes on behind it": (
        {"more": '# %% tags=["validate", "raises-exception"]\nassert halve(3) == 1\n'}, (RUNS, "cell essay-1")),
    "a cell that ends the process": (
        {"more": "# %%\nimport os\nos._exit(0)\n"}, (RUNS, "cell essay-1")),
    "a warm-up that only the reference's notebook can run": (
        {"warmup": None, "more": '# %% tags=["warmup"]\nprint(halve(1))\n'}, (WARMUPS_FIRST, "cell essay-1")),
    "a warm-up that a test needs": (
        {"test_halve": CELLS["test_halve"].replace("halve(4) == 2", "halve(4) == warm[2]")},
        (WARMUPS_FIRST, "cell setup-1")),
    "a check without a judge": (
        {"test_halve": CELLS["test_halve"].replace("assert halve(4)", "### CHECK four (3)\nassert halve(4)")},
        (METADATA, "doubling")),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "finding"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found_by_the_name_of_its_cell(
    changed: dict[str, str | None], finding: tuple[str, str], tmp_path: Path
) -> None:
    text = script(**changed)
    assert text != script()
    beside = {("warm-ups run on the unsolved notebook", "cell essay-1")}
    assert failures(write_course(tmp_path / "course", text, variants={})) - beside == {finding}


def test_a_warm_up_behind_what_is_written_is_run_on_the_unsolved_notebook_all_the_same(tmp_path: Path) -> None:
    text = script(warmup=None, more='# %% tags=["warmup"]\nprint(halve(1))\n')
    course = write_course(tmp_path / "course", text, variants={})
    (fault,) = [gate for gate in gates_of(course) if "unsolved notebook" in gate.name]
    assert (fault.ok, fault.where) == (False, "cell essay-1")
    assert "NotImplementedError" in fault.detail


def test_a_warm_up_cannot_be_graded(tmp_path: Path) -> None:
    tagged = CELLS["test_halve"].replace("# %% ", '# %% tags=["warmup"] ')
    assert (WARMUPS_FIRST, "test_halve") in failures(write_course(tmp_path / "course", script(test_halve=tagged), {}))


def test_a_cell_that_is_to_show_an_error_may(tmp_path: Path) -> None:
    text = script(more='# %% tags=["raises-exception"]\n1 / 0\n')
    assert failures(write_course(tmp_path / "course", text, variants={})) == set()


def test_a_course_that_was_converted_is_told_of_it_and_not_kept_from_its_release(tmp_path: Path) -> None:
    text = script(more="# %%\n1 / 0\n")
    course = with_settings(write_course(tmp_path / "course", text, variants={}), 'forgeable = "warn"')
    (finding,) = [gate for gate in gates_of(course) if gate.name == RUNS]
    assert finding.ok
    assert finding.warning
    assert "ZeroDivisionError" in finding.detail


def test_points_have_to_add_up_to_what_the_course_says(course: Course) -> None:
    assert failures(with_settings(course, "total_points = 10")) == set()
    (fault,) = [
        gate for gate in gates_of(with_settings(course, "total_points = 100")) if gate.name == METADATA and not gate.ok
    ]
    assert "10 points, 100 are wanted" in fault.detail


def test_warm_ups_and_the_whole_notebook_have_their_time(tmp_path: Path) -> None:
    course = write_course(tmp_path / "course", script(warmup=f'# %% tags=["warmup"]\n{BUSY}'), variants={})
    assert failures(with_settings(course, "warmups_s = 60\nnotebook_s = 60")) == set()
    wanted = {("warm-ups are short", ""), ("the whole notebook is short", "")}
    assert failures(with_settings(course, "warmups_s = 0.3\nnotebook_s = 0.3")) == wanted
    (busy,) = [gate for gate in gates_of(course) if gate.name == RUNS]
    assert float(busy.detail.split(" in ")[1].split()[0]) >= 0.4


def test_a_module_needs_so_many_simulated_students(course: Course) -> None:
    assert failures(with_settings(course, "correct_variants = 1\nwrong_variants = 1")) == set()
    wanted = {("enough correct variants", ""), ("enough wrong variants", "")}
    assert failures(with_settings(course, "correct_variants = 2\nwrong_variants = 2")) == wanted


def test_what_a_mistake_costs_beyond_its_own_cells_is_told(tmp_path: Path) -> None:
    """`halve` is an exercise of its own: that it calls what was wrong before is charged twice."""
    again = CELLS["halve"].replace("half_of_the_value = value / 2", "half_of_the_value = value / double(1)")
    double = CELLS["double"].replace("return numbers_as_floats * 2", "return numbers_as_floats * 2")
    variants = VARIANTS | {"triples": VARIANTS["triples"].replace("[test_double]", "[test_double, test_halve]")}
    course = write_course(tmp_path / "course", script(halve=again, double=double), variants=variants)
    gates = {gate.name: gate for gate in gates_of(course)}
    assert all(gate.ok for gate in gates.values())
    assert "of other exercises test_halve (3 points)" in gates["variant triples (wrong)"].detail
    assert gates[ONCE].warning
    assert "0 of 1 mistakes" in gates[ONCE].detail
    assert "triples: test_halve (3 points)" in gates[ONCE].detail


def test_fast_leaves_out_the_simulated_students_and_says_so(course: Course) -> None:
    gates = gates_of(course, fast=True)
    assert not [gate for gate in gates if gate.name.startswith(("variant ", "forged"))]
    assert "--fast" in gates[-1].detail
    assert {RUNS, "the reference earns every point", "the untouched stub fails each graded cell"} <= {
        gate.name for gate in gates
    }


def test_fast_is_an_option_of_the_command(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course.root)
    result = CliRunner().invoke(cli, ["check", "7", "--fast", "--json"])
    assert result.exit_code == 0, result.output
    assert "variant triples (wrong)" not in [gate["name"] for gate in json.loads(result.stdout)["gates"]]


# ---- what is released ------------------------------------------------------------------------------------


def test_a_kernel_goes_on_behind_a_test_that_fails(course: Course) -> None:
    notebook = read_script(course.step("source", f"{ASSIGNMENT}.py")).notebook
    tags = {cell.id: cell.metadata.get("tags", []) for cell in notebook.cells}
    assert [name for name, own in tags.items() if "raises-exception" in own] == ["test_double", "test_halve"]


def test_what_assistants_are_to_know_is_in_every_release(course: Course, tmp_path: Path) -> None:
    (course.root / "source" / "AGENTS.md").write_text("Explain, and write no solution.\n")
    assert failures(course) == set()
    release = build_release(course, course.assignment("7"), tmp_path / "release")
    assert (release / "AGENTS.md").read_text() == "Explain, and write no solution.\n"


def test_a_check_without_a_judge_is_refused_where_it_would_be_graded(tmp_path: Path) -> None:
    text = script(test_halve=FAULTS["a check without a judge"][0]["test_halve"])
    course = write_course(tmp_path / "course", text, variants={})
    with pytest.raises(BadSource, match="test_halve: '### CHECK' stands in a section without '### JUDGE'"):
        from tito.plan.planning import plan_assignment

        plan_assignment(course, course.assignment("7"))
