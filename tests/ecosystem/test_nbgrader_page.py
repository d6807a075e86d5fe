"""The page on bringing an nbgrader course, command by command on such a course: what it shows is what is printed."""

from __future__ import annotations

import pytest
from followed_page import FollowedPage, followed
from nbgrader_course import NbgraderCourse


@pytest.fixture(scope="module")
def course(quickstart_once: NbgraderCourse, tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    return quickstart_once.copied(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(course: NbgraderCourse) -> FollowedPage:
    return followed("tutorials/bring-your-nbgrader-course.md", course.root.parent, course.environment())


def test_what_the_page_shows_is_what_is_printed(page: FollowedPage) -> None:
    assert len(page.commands) >= 12
    page.assert_shown()


def test_what_is_left_at_the_end_is_nbgraders(course: NbgraderCourse, page: FollowedPage) -> None:
    assert not (course.root / "course.toml").exists()
    assert (course.root / "gradebook.db").is_file()
    assert (course.root / "feedback" / "ada" / "ps1" / "problem1.html").is_file()
