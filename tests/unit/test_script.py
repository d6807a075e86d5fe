"""A module's script and the notebook built from it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import nbformat
import pytest
from tiny import ASSIGNMENT, CELLS, HEADER, meta, script

from tito.course.cells import grade_id_of, kind_of, points_of
from tito.course.course import Course
from tito.course.script import build, read_script, source_notebooks
from tito.errors import BadSource, PlatformError
from tito.models import CellKind


def written(course: Course, text: str) -> Path:
    path = course.step("source", f"{ASSIGNMENT}.py")
    path.write_text(text, encoding="utf-8")
    return path


def test_the_header_holds_the_modules_facts(course: Course) -> None:
    info = read_script(written(course, script())).info
    assert (info.number, info.name, info.title, info.export) == (7, "doubling", "Doubling", "core.doubling")
    assert info.prerequisites == ("Base",)


def test_cells_carry_their_metadata_and_ids_that_say_where_they_stand(course: Course) -> None:
    notebook = read_script(written(course, script())).notebook
    kinds = {grade_id_of(cell): kind_of(cell) for cell in notebook.cells if grade_id_of(cell)}
    assert kinds == {
        "setup": CellKind.LOCKED, "double": CellKind.SOLUTION, "test_double": CellKind.TEST, "halve": CellKind.SOLUTION,
        "test_halve": CellKind.TEST, "task_why": CellKind.TASK, "essay": CellKind.ANSWER,
    }  # fmt: skip
    assert [cell.id for cell in notebook.cells][:4] == ["top-1", "setup", "setup-1", "double"]
    assert sum(map(points_of, notebook.cells)) == 10
    nbformat.validate(notebook)


def built(course: Course) -> dict[str, bytes]:
    """The files of a build, by name."""
    build(course, course.assignment("7"))
    folder = course.step("source", ASSIGNMENT)
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_are_the_same_bytes(course: Course) -> None:
    first = built(course)
    shutil.rmtree(course.step("source", ASSIGNMENT))
    second = built(course)
    assert first == second
    assert "doubling.ipynb" in first
    assert "base.py" in first
    assert "above.py" not in first


def test_a_build_replaces_the_old_one_whole(course: Course) -> None:
    assignment = course.assignment("7")
    build(course, assignment)
    stray = course.step("source", ASSIGNMENT, "stray.txt")
    stray.write_text("old")
    build(course, assignment)
    assert not stray.exists()


def test_a_build_of_an_unchanged_script_leaves_the_folder_in_place(course: Course) -> None:
    """A sandbox may be using it."""
    built(course)
    before = course.step("source", ASSIGNMENT).stat().st_ino
    built(course)
    assert course.step("source", ASSIGNMENT).stat().st_ino == before


def test_a_course_that_is_mounted_read_only_can_be_built_where_nothing_changed(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(course)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("os.rename", "shutil.copytree"):
        monkeypatch.setattr(name, refuse)
    build(course, course.assignment("7"))
    written(course, script() + "\n# %%\nmore = 1\n")
    with pytest.raises(PlatformError, match="built anew: Read-only file system"):
        build(course, course.assignment("7"))


def test_a_script_that_cannot_be_read_leaves_the_old_build(course: Course) -> None:
    assignment = course.assignment("7")
    before = built(course)["doubling.ipynb"]
    written(course, "no header")
    with pytest.raises(BadSource):
        build(course, assignment)
    assert (course.step("source", ASSIGNMENT) / "doubling.ipynb").read_bytes() == before
    assert not list(course.step("source").glob(".build*"))


def test_long_grade_ids_that_begin_alike_get_cell_ids_of_their_own(course: Course) -> None:
    twins = "\n".join(f"# %% {meta('x' * 64 + end, locked=True)}\n{end} = 1\n" for end in "ab")
    notebook = read_script(written(course, script(twins=twins))).notebook
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("# ---\n# jupyter", "# jupyter"), f"{ASSIGNMENT}.py:1: no header"),
        (("#     name: doubling\n#     title", "#     name: [doubling\n#     title"), f"{ASSIGNMENT}.py:"),
        (("#     title: Doubling\n", ""), "module.title"),
        (("#     number: 7", "#     number: 8"), "file name says otherwise"),
        (("#     number: 7", "#     number: seven"), ASSIGNMENT),
        (("#     difficulty: 1", "#     difficulty: hard"), ASSIGNMENT),
        (("#     name: doubling", "#     name: halving"), "file name says otherwise"),
        (("prerequisites: [Base]", "prerequisites: Base"), "prerequisites is no list"),
        (("#   module:", "#   modul:"), "nothing about the module"),
        (("#     export:", "#     exports:"), "knows no module.exports. Did you mean 'export'?"),
    ],
)
def test_a_broken_header_is_refused_with_what_and_where(change: tuple[str, str], message: str, course: Course) -> None:
    text = script().replace(*change)
    assert text != script()
    with pytest.raises(BadSource) as caught:
        read_script(written(course, text))
    assert message in str(caught.value)
    assert caught.value.hint


def test_broken_yaml_is_refused_with_its_line(course: Course) -> None:
    text = script().replace("#     title: Doubling", "#     title: Doub: ling")
    line = next(at for at, content in enumerate(text.splitlines(), 1) if "Doub: ling" in content)
    with pytest.raises(BadSource, match=f"py:{line}:"):
        read_script(written(course, text))


def test_a_duplicate_grade_id_is_refused_by_name(course: Course) -> None:
    text = script(again=CELLS["test_double"])
    with pytest.raises(BadSource, match="'test_double'"):
        read_script(written(course, text))


def test_no_utf8_and_no_file_are_refused(course: Course) -> None:
    path = course.step("source", f"{ASSIGNMENT}.py")
    path.write_bytes(HEADER.encode() + b"\xff")
    with pytest.raises(BadSource, match="cannot be read"):
        read_script(path)
    with pytest.raises(BadSource, match="cannot be read"):
        read_script(course.root / "nowhere.py")


def test_a_folder_of_notebooks_is_its_own_source(course: Course) -> None:
    folder = course.step("source", "ps1")
    folder.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="a")]), folder / "one.ipynb")
    assignment = course.assignment("ps1")
    assert list(build(course, assignment)) == list(source_notebooks(course, assignment)) == ["one"]
    assert [path.name for path in folder.iterdir()] == ["one.ipynb"]


# ---- files of its own number that a module provides ----------------------------------------------


def providing(course: Course, name: str, number: int = 7) -> Path:
    """A course whose module 7 provides core/<name>.py; returns that file."""
    assert course.reference is not None
    written(
        course,
        script().replace(
            "#     export: core.doubling\n", f"#     export: core.doubling\n#     provides: [core.{name}]\n"
        ),
    )
    path = course.reference / "core" / f"{name}.py"
    path.write_text(f'# module: {number:02d}_doubling\n"""Given."""\n')
    return path


def test_a_module_provides_files_of_its_own_number_and_no_others_of_it(course: Course) -> None:
    provided = providing(course, "clock")
    (provided.parent / "doubling.py").write_text("# module: 07_doubling\nSECRET = 1\n")
    names = built(course)
    assert names["clock.py"] == provided.read_bytes()
    assert not {"doubling.py", "above.py"} & set(names)


@pytest.mark.parametrize(
    ("name", "number", "problem"),
    [("doubling", 7, "exports"), ("clock", 8, "of module 7"), ("clock", 0, "there is no")],
)
def test_what_a_module_cannot_provide_is_refused(course: Course, name: str, number: int, problem: str) -> None:
    provided = providing(course, name, number)
    if not number:
        provided.unlink()
    with pytest.raises(BadSource, match=problem):
        built(course)


def test_what_a_module_provides_is_a_list(course: Course) -> None:
    path = written(course, script().replace("#     export:", "#     provides: core.clock\n#     export:"))
    with pytest.raises(BadSource, match=r"provides is no list"):
        read_script(path)
