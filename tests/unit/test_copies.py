"""Copies of a notebook beside it: which files are copies, which is graded, and what is told about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from cases_support import CASES
from nbgrader.preprocessors import ClearSolutions

from tito.course.course import load_course
from tito.course.script import source_notebooks
from tito.course.submission_files import Unreadable
from tito.grade import submission
from tito.grade.submission import content_hash, prepared
from tito.plan.handed_in import HandedInRule
from tito.plan.plan import AssignmentPlan, NotebookPlan
from tito.repair.copies import MOST_COPIES, NotRead, Undecided, chosen, copies_in
from tito.repair.read_notebook import ReadNotebook
from tito.repair.stub import stub_of
from tito.sandbox.spec import SandboxSpec

STUB, WORK, OTHER = (ReadNotebook([]) for _ in range(3))
WORKS = {id(STUB): "", id(WORK): "a", id(OTHER): "b"}
GONE = Unreadable("there is no sums.ipynb in the submission")


@pytest.mark.parametrize(
    "name",
    [
        "sums-Copy1", "sums-Copy12", "sums (1)", "sums(2)", "Copy of sums", "Copy of Copy of sums", "sums copy",
        "sums copy 2", "sums - Copy", "sums - Copy (2)", "sums_copy", "sums-Copy1-Copy1", "Copy of sums (1)",
        "Sums (1)",
    ],
)  # fmt: skip
def test_what_programs_call_a_copy_is_one(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.ipynb").touch()
    assert copies_in(tmp_path, "sums") == [f"{name}.ipynb"]


@pytest.mark.parametrize(
    "name", ["sums", "my sums (1)", "sums2", "sums-final", "sums-Copy", "sums (a)", "sums-Copy1.txt"]
)
def test_other_names_are_no_copies(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.ipynb").touch()
    assert copies_in(tmp_path, "sums") == []


def test_another_notebook_of_the_assignment_is_no_copy(tmp_path: Path) -> None:
    (tmp_path / "sums (2).ipynb").touch()
    assert copies_in(tmp_path, "sums", ("sums", "sums (2)")) == []


def choose(named: ReadNotebook | Unreadable, **works: ReadNotebook | Unreadable) -> tuple[object, list[str]]:
    """What is chosen, and which files were read, in their order."""
    read: list[str] = []

    def reading(name: str) -> ReadNotebook | Unreadable:
        read.append(name)
        return named if name == "sums.ipynb" else works[name]

    return chosen(named, "sums.ipynb", list(works), reading, lambda notebook: WORKS[id(notebook)]), read


def test_the_notebook_of_the_name_counts_where_it_holds_work() -> None:
    result, read = choose(WORK, x=OTHER, y=WORK, z=STUB)
    assert result == replace(WORK, notes=("x holds other work, and was not graded",))
    assert read[-1] == "sums.ipynb"


@pytest.mark.parametrize(("named", "why"), [(STUB, "sums.ipynb is as it was released"), (GONE, str(GONE))])
def test_the_only_copy_with_work_is_graded_in_the_place_of_none_and_it_is_said(
    named: ReadNotebook | Unreadable, why: str
) -> None:
    result, read = choose(named, w=STUB, x=WORK, y=WORK, z=Unreadable("z is a link"))
    note = f"graded was x: {why}"
    assert result == replace(WORK, notes=(note, "beside it: z is a link"), headline=note)
    assert read[-1] == "x"


@pytest.mark.parametrize("named", [STUB, GONE])
def test_copies_that_differ_are_left_to_a_person(named: ReadNotebook | Unreadable) -> None:
    result, _ = choose(named, x=WORK, y=OTHER)
    assert isinstance(result, Undecided)
    assert "x and y hold different work" in result.message


def test_very_many_copies_are_left_to_a_person_and_not_read() -> None:
    result, read = choose(STUB, **{f"copy{number}": WORK for number in range(MOST_COPIES + 1)})
    assert isinstance(result, Undecided)
    assert len(read) == MOST_COPIES


def test_a_copy_that_nobody_has_read_may_hold_work() -> None:
    graded, _ = choose(STUB, one=NotRead("x"), two=WORK)
    assert isinstance(graded, Undecided)
    graded, _ = choose(WORK, one=NotRead("x"))
    assert isinstance(graded, ReadNotebook)


def test_copies_that_are_slow_to_read_do_not_hold_up_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes as long as reading may take; from then on no more are begun."""
    now, read = [0.0], []

    class Slow:
        def read(self, plans: dict[str, object], files: dict[str, bytes]) -> dict[str, Unreadable]:
            now[0] += 4.0
            read.extend(files.values())
            return {name: Unreadable(f"{name} cannot be read") for name in files}

    monkeypatch.setattr(submission.time, "monotonic", lambda: now[0])
    for name in ("sums", *(f"sums-Copy{number}" for number in range(1, 6))):
        (tmp_path / f"{name}.ipynb").write_bytes(name.encode())
    plan = AssignmentPlan("one", (NotebookPlan("sums", (), {}),), SandboxSpec(), tmp_path, "", "")
    (graded,) = prepared(plan, tmp_path, Slow()).notebooks  # type: ignore[arg-type]  (all that is asked of a judge)
    assert isinstance(graded, Undecided)
    assert read == [b"sums", b"sums-Copy1", b"sums-Copy2"]


def test_without_work_anywhere_the_notebook_is_graded_as_it_is() -> None:
    assert choose(STUB, x=STUB)[0] == STUB
    assert choose(GONE, x=STUB)[0] is GONE


def test_a_submission_is_another_when_a_copy_comes_or_changes(tmp_path: Path) -> None:
    (tmp_path / "sums.ipynb").write_text("{}")
    hashes = [content_hash(tmp_path, ("sums",), HandedInRule())]
    for text in ("1", "2"):
        (tmp_path / "sums-Copy1.ipynb").write_text(text)
        hashes.append(content_hash(tmp_path, ("sums",), HandedInRule()))
    (tmp_path / ".notes.txt").write_text("3")
    assert len(set(hashes)) == 3
    assert content_hash(tmp_path, ("sums",), HandedInRule()) == hashes[-1]
    (tmp_path / "notes.txt").write_text("3")  # which is not used, and is said not to be
    assert content_hash(tmp_path, ("sums",), HandedInRule()) not in hashes


@pytest.mark.parametrize("root", [CASES / "assignment", CASES.parents[1]])
def test_a_stub_is_what_nbgrader_releases(root: Path) -> None:
    course = load_course(root)
    cells = [
        cell
        for path in sorted((root / "source").glob("*.py"))
        for notebook in source_notebooks(course, course.assignment(path.stem)).values()
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    ]
    assert cells
    for cell in cells:
        cleared, _ = ClearSolutions().preprocess_cell(nbformat.from_dict(dict(cell)), {"language": "python"}, 0)
        assert stub_of(cell.source, cell.cell_type) == cleared.source
