"""The page on releasing module 16, command by command in a clone: what it shows is what is printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from followed_page import BOOK, FollowedPage, followed


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("clone").resolve() / "course"
    subprocess.run(["git", "clone", "-q", BOOK.parent, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def page(clone: Path) -> FollowedPage:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return followed("tutorials/release-a-module.md", clone, os.environ | {"PATH": path})


def test_what_the_page_shows_is_what_is_printed(page: FollowedPage) -> None:
    assert len(page.commands) >= 8
    page.assert_shown()


def test_what_students_get_holds_no_solution_and_the_warm_ups_of_the_source(clone: Path, page: FollowedPage) -> None:
    released = (clone / "release/16_quantization/quantization.ipynb").read_text()
    assert "BEGIN SOLUTION" not in released
    assert "NotImplementedError" in released
    assert released.count('"warmup"') == (clone / "source/16_quantization.py").read_text().count('tags=["warmup"]') > 0
