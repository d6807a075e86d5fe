"""book/tutorials/write-a-module.md, command by command in an empty folder: what it shows is what is printed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from followed_page import FollowedPage, followed

from tito.author.variants import read_variants
from tito.course.course import load_course
from tito.course.script import read_script


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("write").resolve()


@pytest.fixture(scope="module")
def page(folder: Path) -> FollowedPage:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return followed("tutorials/write-a-module.md", folder, os.environ | {"PATH": path})


def test_what_the_page_shows_is_what_is_printed(page: FollowedPage) -> None:
    assert len(page.commands) >= 12
    page.assert_shown()


def test_the_module_has_what_the_gates_of_our_own_modules_ask_for(folder: Path, page: FollowedPage) -> None:
    course = load_course(folder / "physics")
    script = read_script(course.step("source") / "02_windows.py")
    points = [cell.metadata.get("nbgrader", {}).get("points", 0) for cell in script.notebook.cells]
    assert sum(points) == 100
    kinds = [variant.kind for variant in read_variants(course, course.assignment("01"))]
    assert kinds.count("correct") >= 3 and kinds.count("wrong") >= 8
