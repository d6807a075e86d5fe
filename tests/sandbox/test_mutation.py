"""Mutants graded by the engine: what catches them, what does not, and that a run goes on where it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import command_line
from tiny import ASSIGNMENT, CELLS, VARIANTS, script, write_course

from tito.author.mutation import Progress, read_module, run_mutation, solution_cells
from tito.author.mutation_page import page_of
from tito.author.proof import Caught, Proof, read_proof, write_proof
from tito.author.trial import Trial, TrialSubmission
from tito.course.course import Course
from tito.errors import BadSource, GateFailed
from tito.models import Verdict
from tito.sandbox.bubblewrap import Bubblewrap

LOOSE = CELLS["test_double"].replace(
    "np.allclose(near_doubled, 2 * near)", "np.allclose(near_doubled, 2 * near, rtol=0.8)"
)
LOOSE = LOOSE.replace("np.allclose(far_doubled, 2 * far_away)", "np.allclose(far_doubled, 2 * far_away, rtol=0.8)")
LOOSE = LOOSE.replace("assert y.tolist() == [2.0, 4.0]", "assert np.allclose(y, [2.0, 4.0], rtol=0.6)")


def prove(course: Course, **options: Any) -> Proof:
    return run_mutation(course, course.assignment("7"), Bubblewrap(), **options)


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """The tiny course's."""
    return prove(write_course(tmp_path_factory.mktemp("mutation") / "course"))


def test_tests_catch_what_is_wrong_by_their_own_exercise(proof: Proof) -> None:
    assert {each.solution for each in proof.mutants} == {"reference", "correct_sum"}
    assert proof.own == {"double": ("test_double",), "halve": ("test_halve",)}
    caught = {(each.solution, each.cell, each.family): each for each in proof.mutants}
    assert caught["reference", "double", "zeros"].caught is Caught.OWN
    assert caught["reference", "double", "zeros"].test == "test_double"
    assert caught["reference", "halve", "arithmetic"].test == "test_halve"
    assert caught["correct_sum", "double", "arithmetic"].caught is Caught.OWN
    extreme = [each.is_caught for each in proof.mutants if each.is_extreme]
    assert all(extreme) and len(extreme) == 9
    assert proof.seconds > 0


def test_what_is_no_other_solution_is_let_pass_and_shown(proof: Proof) -> None:
    survivors = {each.operator: each for each in proof.survivors}
    kept_type = survivors["TypeDropped"]  # the tests hand over floats
    assert kept_type.diff.endswith("+ numbers_as_floats = np.asarray(values)")
    assert kept_type.survival is not None
    assert kept_type.survival.sentence == "all that tests look at was the same"


def test_a_survivor_is_shown_with_its_deviation_and_the_tolerance_that_allowed_it(tmp_path: Path) -> None:
    course = write_course(tmp_path / "course", script(test_double=LOOSE), variants={})
    proof = prove(course)
    tripled = next(each for each in proof.survivors if each.family == "constant up")
    assert tripled.survival is not None
    assert tripled.survival.test == "test_double"
    assert "allclose" in tripled.survival.line
    assert tripled.survival.deviation <= tripled.survival.tolerance < 3 * tripled.survival.deviation
    assert tripled.survival.usual == 0
    assert "y" in tripled.survival.differs
    assert any("double" in where for where, _ in proof.shortfalls())


def test_what_only_another_exercise_catches_is_told_apart(tmp_path: Path) -> None:
    names = "### TESTS EXERCISE: halve\nx = np.array([1.0, 2.0])"
    test = CELLS["test_double"].replace("x = np.array([1.0, 2.0])", names)
    course = write_course(tmp_path / "course", script(test_double=test), variants={})
    proof = prove(course)
    assert proof.own == {"double": (), "halve": ("test_double", "test_halve")}
    assert {each.caught for each in proof.mutants if each.cell == "double"} == {Caught.OTHERS, Caught.NOT}
    assert ("double", "its own tests catch 0 of") in {(where, what[:24]) for where, what in proof.shortfalls()}


def test_a_run_goes_on_where_it_was(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    class Stopped(Exception):
        pass

    def stop(line: str) -> None:
        lines.append(line)
        if len(lines) == 10:
            raise Stopped

    with pytest.raises(Stopped):
        prove(course, progress=Progress(advance=stop))
    left = course.gradebook_dir / "mutation" / f"{ASSIGNMENT}.jsonl"
    with left.open("a") as file:
        file.write('{"solution": "refer')  # as a run leaves it that is killed
    started: list[int] = []
    proof = prove(course, progress=Progress(started=lambda title, count: started.append(count)))
    assert started[0] == len(proof.mutants) - 10
    write_proof(course, course.assignment("7"), proof)
    left.unlink()
    started.clear()
    again = prove(course, progress=Progress(started=lambda title, count: started.append(count)), proof=proof)
    assert started[0] == 0
    assert again.mutants == proof.mutants
    assert read_proof(course, course.assignment("7")) == proof


def test_a_solution_that_does_not_pass_as_it_is_proves_nothing(tmp_path: Path) -> None:
    wrong = VARIANTS["triples"].replace("kind: wrong", "kind: correct").replace("[test_double]", "[]")
    course = write_course(tmp_path / "course", variants={"triples": wrong})
    with pytest.raises(GateFailed, match="'triples' does not pass test_double as it is"):
        prove(course)


def test_a_mutant_that_does_not_end_is_stopped_and_caught(tmp_path: Path) -> None:
    loop = "    n = 3\n    while n > 0:\n        n -= 1\n    half_of_the_value = value / 2"
    halve = CELLS["halve"].replace("    half_of_the_value = value / 2", loop)
    course = write_course(tmp_path / "course", script(halve=halve), variants={})
    endless = {each.operator: each for each in prove(course).mutants if each.cell == "halve"}["StateKept"]
    assert endless.added == ("        pass",)
    assert (endless.caught, endless.verdict) == (Caught.OWN, "timeout")


@pytest.mark.parametrize("tests", [{"test_double"}, {"test_halve"}, {"test_double", "test_halve"}])
def test_only_the_tests_that_are_asked_about_are_run(tests: set[str], course: Course) -> None:
    module = read_module(course, course.assignment("7"), Bubblewrap())
    endless = {"double": "def double(values):\n    while True:\n        pass"}
    limits = replace(module.plan.spec.limits, cell_timeout_s=1, notebook_timeout_s=4)
    plan = replace(module.plan, spec=replace(module.plan.spec, limits=limits))
    submissions = {
        "right": module.submission("reference"),
        "endless": module.submission("reference", "doubling", endless),
    }
    with Trial(plan, Bubblewrap(), 1) as trial:
        graded = trial.graded(TrialSubmission(name, each, frozenset(tests)) for name, each in submissions.items())
        records = {name: {cell.grade_id: cell.verdict for cell in record.cells} for name, record in graded}
    others = {"test_double", "test_halve"} - tests
    assert {records["right"][name] for name in tests} == {Verdict.PASSED}
    assert {records[name][other] for name in records for other in others} <= {Verdict.NOT_RUN}
    if "test_double" in tests:
        assert records["endless"]["test_double"] is Verdict.TIMEOUT
    if "test_halve" in tests:
        assert records["endless"]["test_halve"] is Verdict.PASSED


# ---- marks -----------------------------------------------------------------------------------------------

GENERATORS = """
import numpy as np

def numbers(rng, notebook):
    return notebook.double(rng.normal(size=4))

def whole_numbers(rng, notebook):
    return notebook.double(rng.integers(-5, 5, size=4))

def nothing(rng, notebook):
    return 1
"""


def marked_course(root: Path, proof: Proof, generator: str = "", indent: str = "    ") -> Course:
    """A course in whose script the mutant that keeps the type is marked."""
    survivor = next(each for each in proof.survivors if each.operator == "TypeDropped")
    by = f" by {generator}" if generator else ""
    mark = f"{indent}### EQUIVALENT {survivor.digest}{by}: students are handed floats\n"
    line = "    numbers_as_floats = np.asarray"
    course = write_course(root, script(double=CELLS["double"].replace(line, mark + line)))
    (course.root / "variants" / ASSIGNMENT / "generators.py").write_text(GENERATORS)
    return course


def test_a_mark_is_kept_where_a_thousand_inputs_tell_nothing_apart(proof: Proof, tmp_path: Path) -> None:
    marked = prove(marked_course(tmp_path / "course", proof, "numbers"), proof=proof)
    (record,) = marked.marked
    assert (record.reason, record.generator, record.refused) == ("students are handed floats", "numbers", "")
    assert marked.caught.whole == len(marked.mutants) - 1
    assert "1 marked as equivalent (0 without a generator)" in marked.summary
    assert {each.name for each in marked.mutants} == {each.name for each in proof.mutants}


def test_a_mark_is_refused_where_one_does(proof: Proof, tmp_path: Path) -> None:
    marked = prove(marked_course(tmp_path / "course", proof, "whole_numbers"), proof=proof)
    assert not marked.marked
    assert ("double", "input 0 of whole_numbers tells the two apart") in {
        (where, what.partition("refused: ")[2]) for where, what in marked.shortfalls()
    }


@pytest.mark.parametrize("generator", ["nothing", "absent"])
def test_a_generator_that_asks_nothing_is_refused(generator: str, proof: Proof, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=generator):
        prove(marked_course(tmp_path / "course", proof, generator))


def test_a_mark_falls_with_its_line(proof: Proof, tmp_path: Path) -> None:
    course = marked_course(tmp_path / "course", proof)
    path = course.root / "source" / f"{ASSIGNMENT}.py"
    path.write_text(path.read_text().replace("np.asarray(values, dtype", "np.array(values, dtype"))
    fallen = prove(course)
    assert not fallen.marked
    assert any("a mark of no mutant" in what for _, what in fallen.shortfalls())


# ---- the page --------------------------------------------------------------------------------------------


def test_the_page_colours_lines_by_what_was_caught_and_writes_out_what_solutions_say(
    proof: Proof, course: Course
) -> None:
    cells = [(each.solution, each.name, each.text) for each in solution_cells(course, course.assignment("7"))]
    html = page_of(proof, [*cells, ("reference", "halve", "<script>alert(1)</script>")])
    assert 'class="line not"' in html and 'class="line own"' in html
    assert "numbers_as_floats = np.asarray(values, dtype=np.float64)" in html
    assert "<script>" not in html and "&lt;script&gt;" in html


def test_the_proof_is_a_file_whose_lines_are_mutants(proof: Proof) -> None:
    text = proof.text()
    assert json.loads(text)["module"] == ASSIGNMENT
    assert Proof.from_text(text).text() == text
    assert sum('"operator"' in line for line in text.splitlines()) == len(proof.mutants)


# ---- the commands ----------------------------------------------------------------------------------------


def test_a_release_is_refused_where_the_course_requires_what_is_not_held(
    proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tito = command_line(monkeypatch, capsys)
    course = write_course(tmp_path / "course")
    settings = course.root / "course.toml"
    settings.write_text(f'{settings.read_text()}\n[gates]\nmutation = "require"\n')

    def release() -> tuple[int, str]:
        done = tito(course.root, "release", "7", "--no-exchange")
        return done.code, done.err

    code, errors = release()
    assert code == 1
    assert "no proof of it is kept" in errors and "Run 'tito mutate 07_doubling'." in errors
    write_proof(course, course.assignment("7"), proof)
    assert release()[0] == (1 if list(proof.shortfalls()) else 0)
    double = course.root / "source" / f"{ASSIGNMENT}.py"
    double.write_text(double.read_text().replace("* 2", "* 2.0"))
    code, errors = release()
    assert code == 1
    assert "the kept proof is stale: a solution or test has changed since" in errors
    assert not course.step("release", ASSIGNMENT, "proof.json").exists()
    done = tito(course.root, "check", "7")
    assert done.code == 0, "what is being written has no proof yet"
    assert "warn  tests catch wrong solutions: the kept proof is stale" in done.err


def test_the_command_keeps_the_proof_shows_survivors_and_writes_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tito = command_line(monkeypatch, capsys)
    course = write_course(tmp_path / "course", script(test_double=LOOSE), variants={})
    done = tito(course.root, "mutate", "7")
    assert done.code == 1
    assert "below the bar: double: its own tests catch" in done.err
    assert "+ return numbers_as_floats * 3" in done.out.replace("*  3", "* 3")
    assert "test_double let it pass" in done.out and "### EQUIVALENT " in done.out
    assert (course.gradebook_dir / "mutation" / f"{ASSIGNMENT}.html").read_text().startswith("<!doctype html>")
    page = tmp_path / "elsewhere" / "page.html"
    shown = json.loads(tito(course.root, "mutate", "7", "--json", "--page", str(page)).out)
    assert not shown["ok"] and page.exists()
    kept_proof = read_proof(course, course.assignment("7"))
    assert kept_proof is not None
    assert len(shown["mutants"]) == len(kept_proof.mutants)
