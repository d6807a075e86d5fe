"""The demo, run once as a user runs it; what it left behind is looked at by all tests here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from demo_course import Demo

from tito.course.course import load_course

ROOT = Path(__file__).resolve().parents[2]
TITO = Path(sys.executable).with_name("tito")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    into = tmp_path_factory.mktemp("demo") / "course"
    done = subprocess.run(
        [TITO, "--course", ROOT, "demo", "--into", into], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    course = load_course(into)
    return Demo(course, course.assignment("16"), done.stdout + done.stderr)
