"""What takes long to make, once for all tests here: the demo, as a user runs it, and a course of nbgrader's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from demo_course import Demo
from nbgrader_course import NbgraderCourse, quickstart

from tito.course.course import load_course

ROOT = Path(__file__).resolve().parents[2]
TITO = Path(sys.executable).with_name("tito")


@pytest.fixture(scope="session")
def quickstart_once(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    """What nbgrader's own commands make, made once; tests work on copies."""
    return quickstart(tmp_path_factory.mktemp("nbgrader"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    into = tmp_path_factory.mktemp("demo") / "course"
    done = subprocess.run(
        [TITO, "--course", ROOT, "demo", "16", "--into", into], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    course = load_course(into)
    return Demo(course, course.assignment("16"), done.stdout + done.stderr)
