"""book/nbgrader.md, followed command by command on the course that it speaks of: what it shows is what is printed."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader_course import NbgraderCourse, quickstart

PAGE = Path(__file__).resolve().parents[2] / "book" / "nbgrader.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
END = "exit-code-of-the-command:"


@dataclass(frozen=True)
class Command:
    """A command as the page has it, and the lines that it shows below it."""

    text: str
    shown: list[str]


def commands() -> list[Command]:
    read: list[Command] = []
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                read.append(Command(line.removeprefix("$ "), []))
            else:
                read[-1].shown.append(line)
    return read


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> NbgraderCourse:
    return quickstart(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def printed(course: NbgraderCourse) -> list[str]:
    """What each command printed: one shell runs them all, as a person's would, and stops at the first that fails."""
    lines = [f"{{ {command.text}\n}} 2>&1 </dev/null; code=$?; echo; echo {END}$code" for command in commands()]
    script = "\n".join(f"{line}; test $code = 0 || exit 1" for line in lines)
    done = subprocess.run(
        ["bash", "-c", script], cwd=course.root.parent, env=course.environment(), capture_output=True, text=True,
        timeout=550, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout.split(f"{END}0\n")[:-1]


def test_every_command_works(printed: list[str]) -> None:
    assert len(printed) == len(commands()) >= 12


def test_what_the_page_shows_is_what_is_printed(printed: list[str]) -> None:
    for command, output in zip(commands(), printed, strict=True):
        lines = output.splitlines()
        for shown in filter(lambda line: line != ANYTHING, command.shown):
            pattern = ".*".join(map(re.escape, shown.split(ANYTHING)))
            assert any(re.fullmatch(pattern, line.rstrip()) for line in lines), f"{command.text}: {shown}\n{output}"


def test_the_page_shows_the_last_line_unless_it_says_that_there_are_more(printed: list[str]) -> None:
    for command, output in zip(commands(), printed, strict=True):
        if command.shown and command.shown[-1] != ANYTHING:
            last = output.strip().splitlines()[-1]
            assert re.fullmatch(".*".join(map(re.escape, command.shown[-1].split(ANYTHING))), last), command.text


def test_what_is_left_at_the_end_is_nbgraders(course: NbgraderCourse, printed: list[str]) -> None:
    assert not (course.root / "course.toml").exists()
    assert (course.root / "gradebook.db").is_file()
    assert (course.root / "feedback" / "ada" / "ps1" / "problem1.html").is_file()
