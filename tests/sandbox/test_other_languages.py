"""A notebook in another language is refused before student code runs; an odd kernel in a Python course is no matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import Tito, command_line
from notebook_course import PYTHON, cell, graded, hand_in, solution, write_notebook, write_settings

from tito.author.release import publish
from tito.course.kernels import other_language
from tito.gradebook.records import read_record

R = {"kernelspec": {"display_name": "R", "language": "R", "name": "ir"}, "language_info": {"name": "R"}}
CELLS = [
    solution("def double(n):\n    return 2 * n", "double"),
    graded("assert double(2) == 4", "test_double"),
]
ODD: dict[str, Any] = {
    "conda": {"kernelspec": {"display_name": "ml", "language": "python", "name": "conda-env-ml-py"}},
    "ipykernel": {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}},
    "no_language": {"kernelspec": {"display_name": "x", "name": "my-own-kernel"}},
    "nothing": {},
    "no_mapping": {"kernelspec": "python3", "language_info": ["R"]},
    "r_by_mistake": R,
    "number": {"kernelspec": {"name": 3, "language": 7}},
}


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


def test_an_assignment_in_another_language_is_refused_by_the_name_of_its_kernel(tito_in: Tito, tmp_path: Path) -> None:
    write_notebook(tmp_path, CELLS)  # released before its kernel was changed: the gradebook knows it
    course = write_settings(tmp_path)
    publish(course, course.assignment("ps1"))
    hand_in(course, "ada")
    write_notebook(tmp_path, [cell("double <- function(n) 2 * n"), *CELLS[1:]], **R)
    for command in ("autograde", "check", "release"):
        done = tito_in(tmp_path, command, "ps1")
        assert done.code == 2
        assert "the kernel of ps1.ipynb is 'ir' (R)" in done.line
        assert "TITO_PLAIN_NBGRADER=1 nbgrader autograde ps1" in done.line
    assert read_record(course, "ps1", "ada") is None
    assert tito_in(tmp_path, "status", "ps1").code == 0  # of what nbgrader itself gave
    assert tito_in(tmp_path, "grades", "ps1").code == 0


def test_init_says_which_assignments_are_not_for_tito(tito_in: Tito, tmp_path: Path) -> None:
    write_notebook(tmp_path, CELLS)
    write_notebook(tmp_path, [cell("library(dplyr)")], assignment="ps2", **R)
    done = tito_in(tmp_path, "init")
    assert done.code == 0
    assert "ps2 is in R: nbgrader itself grades it" in done.err


def test_a_students_odd_kernel_costs_nothing_in_a_python_course(tito_in: Tito, tmp_path: Path) -> None:
    write_notebook(tmp_path, CELLS)
    course = write_settings(tmp_path)
    publish(course, course.assignment("ps1"))
    for name, metadata in ODD.items():
        hand_in(course, name, metadata=metadata)
    assert tito_in(tmp_path, "autograde", "ps1").code == 0
    for name in ODD:
        record = read_record(course, "ps1", name)
        assert record is not None
        assert [each.points for each in record.cells] == [2.0], name


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": PYTHON}, ""),
        ({"kernelspec": {"name": "python", "language": "Python"}}, ""),
        ({}, ""),
        ({"kernelspec": {"name": "conda-env-r-py"}}, ""),
        ({"kernelspec": {"name": "ir"}}, "R"),
        ({"kernelspec": {"name": "julia-1.10", "language": ""}}, "Julia"),
        ({"kernelspec": {"name": "whatever"}, "language_info": {"name": "octave"}}, "octave"),
        ({"kernelspec": {"name": "xpython", "language": "python"}}, ""),
        ({"kernelspec": {"name": "sagemath", "language": "sage"}}, "sage"),
    ],
)
def test_the_language_is_what_the_notebook_says_and_else_what_its_kernel_is_called(
    metadata: dict[str, Any], language: str
) -> None:
    assert other_language({"metadata": metadata}) == language
