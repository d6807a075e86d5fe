"""nbgrader's own tests, as they come in its package, on our engine: a plugin of pytest's for `make compat`.

Each course that a test makes gets a course.toml, and nothing else: nbgrader's commands find our engine by that, as a
user's do. What cannot pass stands in the book with its reason (`book/reference/nbgrader-differences.md`), which is
read here: a test that fails and is not there fails the run, and so does one that is there and passes, or that nbgrader
has no more.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from pathlib import Path

import pytest

DIFFERENCES = Path(__file__).resolve().parents[2] / "book/reference/nbgrader-differences.md"
ROW = re.compile(r"^\| `(?P<test>test_\w+\.py::[^`]+)` \| (?P<reason>.+) \|$", re.MULTILINE)
COURSE = """\
id = "abc101"

[gradebook]
db_url = "sqlite:///gradebook.db"

[exchange]
kind = "{exchange}"

[gates]
forgeable = "warn"
"""
FILESYSTEM, SERVICE = "filesystem", "service"  # nbgrader's own exchange, as a course that was adopted has it, and ours
ON_BOTH = re.compile(r"test_nbgrader_(collect|fetch_assignment|fetchfeedback|list|release\w+|submit)\.py")


def differences() -> dict[str, str]:
    """Why a test cannot pass, by its file and name."""
    return {row["test"]: row["reason"] for row in ROW.finditer(DIFFERENCES.read_text(encoding="utf-8"))}


def name_of(item: pytest.Item) -> str:
    """A test's file and name, as the book has them."""
    return f"{item.path.name}::{item.name}"


def pytest_configure() -> None:
    """Commands are found where the interpreter is, as in an environment that somebody has activated; and who somebody
    is stands in theirs, where tests look for it."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ.setdefault("USER", getpass.getuser())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expect of each test what the book says of it."""
    expected = differences()
    files = {item.path.name for item in items}
    unknown = {test for test in expected if test.partition("::")[0] in files} - set(map(name_of, items))
    if unknown and not any("::" in arg for arg in config.args):
        raise pytest.UsageError(f"{DIFFERENCES.name} names tests that nbgrader does not have: {', '.join(unknown)}")
    for item in items:
        if reason := expected.get(name_of(item)):
            item.add_marker(pytest.mark.xfail(strict=True, reason=reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of the exchange are run on nbgrader's own, which a course can keep, and on ours."""
    if ON_BOTH.fullmatch(metafunc.definition.path.name):
        metafunc.parametrize("course_of_ours", [FILESYSTEM, SERVICE], indirect=True)


@pytest.fixture(autouse=True)
def course_of_ours(request: pytest.FixtureRequest) -> None:
    """What a user adds to a course of nbgrader's: a course.toml in its folder."""
    if "course_dir" in request.fixturenames:
        folder = Path(request.getfixturevalue("course_dir"))
        text = COURSE.format(exchange=getattr(request, "param", FILESYSTEM))
        (folder / "course.toml").write_text(text, encoding="utf-8")
