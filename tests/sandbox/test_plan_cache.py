"""The plan that is kept from one run to the next: it serves while all that it was made from is the same, no longer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny import ASSIGNMENT

from tito.cli import cli
from tito.course.course import Course, load_course
from tito.grade import plan_cache as module
from tito.grade.calibrate import calibrated_apart
from tito.grade.plan_cache import PlanCache
from tito.plan.planning import plan_assignment
from tito.sandbox.bubblewrap import Bubblewrap

MODULE = ASSIGNMENT


def keep(course: Course) -> PlanCache:
    assignment = course.assignment(MODULE)
    cache = PlanCache(course, assignment, "bubblewrap")
    cache.write(calibrated_apart(plan_assignment(course, assignment), Bubblewrap()))
    return cache


def read(course: Course) -> object:
    return PlanCache(course, course.assignment(MODULE), "bubblewrap").read()


@pytest.fixture
def cached(course: Course) -> Path:
    keep(course)
    (path,) = (course.gradebook_dir / "plans").iterdir()
    return path


def test_it_is_the_same_plan(course: Course, cached: Path) -> None:
    plan = calibrated_apart(plan_assignment(course, course.assignment(MODULE)), Bubblewrap())
    assert read(course) == plan


def test_a_release_keeps_it_for_the_first_run(course: Course) -> None:
    outcome = CliRunner().invoke(cli, ["--course", str(course.root), "release", MODULE, "--no-exchange"])
    assert outcome.exit_code == 0, outcome.output
    assert read(course) is not None


def test_it_is_for_its_owner_alone(cached: Path) -> None:
    assert cached.stat().st_mode & 0o777 == 0o600
    assert cached.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("changed", ["script", "settings", "reference", "built", "new file"])
def test_it_does_not_serve_when_anything_that_it_was_made_from_has_changed(
    course: Course, cached: Path, changed: str
) -> None:
    assignment = course.assignment(MODULE)
    built = course.step("source", assignment.id)
    assert assignment.script is not None
    assert course.reference is not None
    path = {
        "script": assignment.script,
        "settings": course.root / "course.toml",
        "reference": next(course.reference.rglob("*.py")),
        "built": next(built.glob("*.ipynb")),
        "new file": built / "new.py",
    }[changed]
    with path.open("a", encoding="utf-8") as file:
        file.write("\n")
    assert read(load_course(course.root)) is None


def test_it_does_not_serve_another_platform_or_another_sandbox(
    course: Course, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PlanCache(course, course.assignment(MODULE), "landlock").read() is None
    sandbox = replace(course.sandbox, packages=(*course.sandbox.packages, "pandas"))
    assert read(replace(course, sandbox=sandbox)) is None
    monkeypatch.setattr(module, "CODE", course.root)
    assert read(course) is None


def test_what_others_could_have_written_is_not_read(course: Course, cached: Path) -> None:
    cached.chmod(0o620)
    assert read(course) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_has_written_is_not_read(course: Course, cached: Path) -> None:
    os.chown(cached, 65534, 65534)
    assert read(course) is None


@pytest.mark.parametrize("length", [0, 10, 32, 40, 1000])
def test_half_a_file_is_made_again(course: Course, cached: Path, length: int) -> None:
    cached.write_bytes(cached.read_bytes()[:length])
    assert read(course) is None


def test_where_it_cannot_be_kept_grading_goes_on(course: Course) -> None:
    course.gradebook_dir.mkdir(exist_ok=True)
    (course.gradebook_dir / "plans").write_text("in the way")
    keep(course)
    assert read(course) is None
