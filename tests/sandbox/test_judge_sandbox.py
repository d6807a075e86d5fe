"""A judge is in a sandbox too: what a test makes it do with a student's values reaches nothing, and ends with it.

What is handed in is read there, whatever it does to a parser.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tito.course.submission_files import Unreadable
from tito.errors import SandboxUnavailable
from tito.judge.judge import Judge, JudgeCrashed, Judgement, Question, judging
from tito.models import JudgePlan, Limits, Section
from tito.plan.plan import AssignmentPlan
from tito.plan.planning import plan_notebook
from tito.repair.read_notebook import ReadNotebook
from tito.sandbox.backends import backend
from tito.sandbox.inside.codec import pack
from tito.sandbox.spec import SandboxSpec

EVAL = JudgePlan("", "", ("said",))
Ask = Callable[[str], Judgement]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assignment's files, and beside them what is nobody's business."""
    root = tmp_path_factory.mktemp("course")
    (root / "files" / "shop").mkdir(parents=True)
    (root / "files" / "data.txt").write_text("as released\n")
    (root / "files" / "shop" / "__init__.py").write_text("PRICE = 7\n")
    (root / "secret.txt").write_text("not yours\n")
    return root


def source(*cells: str) -> list[Any]:
    metadata = {"grade": False, "locked": False, "schema_version": 3, "solution": True, "task": False}
    return [
        nbformat.v4.new_code_cell(text, metadata={"nbgrader": metadata | {"grade_id": f"cell{at}"}})
        for at, text in enumerate(cells)
    ]


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def judge(folder: Path, request: pytest.FixtureRequest) -> Iterator[Judge]:
    try:
        isolation = backend(request.param)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    files = tuple((path, path.name) for path in sorted((folder / "files").iterdir()))
    place = SandboxSpec(files, ("ipython", "numpy"), limits=Limits(cell_timeout_s=2.0, memory_mb=1024, scratch_mb=16))
    plan = AssignmentPlan("any", (plan_notebook("book", source("a = 1", "b = 2")),), place, folder, "", "")
    with judging(isolation, plan) as opened:
        yield opened


@pytest.fixture
def ask(judge: Judge) -> Iterator[Ask]:
    """Have a fresh judge run a test that evaluates what a student says, as some do."""

    def evaluate(text: str) -> Judgement:
        test = Section("", "namespace = {}\nexec(said, namespace)\nassert namespace.get('ok'), str(namespace)", False)
        return judge.judgement(Question(test, EVAL, pack({"said": text})))

    yield evaluate
    judge.renew()


def test_a_judge_finds_the_assignments_files_and_may_write_to_them(ask: Ask) -> None:
    assert ask("import shop\nok = shop.PRICE == 7 and open('data.txt').read() == 'as released\\n'").yes
    assert ask("open('data.txt', 'a').write('more')\nok = open('data.txt').read() == 'as released\\nmore'").yes
    assert ask("open('shop/new.py', 'w').close()\nimport os\nok = os.path.exists('shop/new.py')").yes


def test_what_a_judge_writes_is_gone_with_it_and_was_never_written_to_the_course(
    ask: Ask, judge: Judge, folder: Path
) -> None:
    left = "import os, tempfile\nleft = os.path.join(tempfile.gettempdir(), 'left')\n"
    written = f"{left}for name in ('data.txt', 'shop/__init__.py', left, 'left'): open(name, 'w').write('!')"
    assert ask(f"{written}\nok = open('data.txt').read() == '!'").yes
    judge.renew()
    assert ask(f"{left}ok = open('data.txt').read() == 'as released\\n' and not os.path.exists(left)").yes
    assert ask("import os\nok = sorted(os.listdir()) == ['data.txt', 'shop']").yes
    assert (folder / "files" / "data.txt").read_text() == "as released\n"
    assert (folder / "files" / "shop" / "__init__.py").read_text() == "PRICE = 7\n"


def test_a_judge_cannot_read_or_write_beside_its_files(ask: Ask, folder: Path) -> None:
    for path in (folder / "secret.txt", folder / "files" / "data.txt"):
        assert not ask(f"open({str(path)!r}).read()\nok = True").yes
        assert not ask(f"open({str(path)!r}, 'w').close()\nok = True").yes
    assert (folder / "secret.txt").read_text() == "not yours\n"


@pytest.mark.parametrize(
    "text",
    [
        "import socket\nsocket.create_connection(('127.0.0.1', 80), 1)\nok = True",
        "import socket\nsocket.socket(socket.AF_UNIX).bind('\\0name')\nok = True",
        "import os\nok = os.environ.get('GRADER_TOKEN')",
        "import os\nos.kill(os.getppid(), 0)\nok = os.getppid() > 1",
        "import tinytorch_ref\nok = True",
        "import ctypes\nok = ctypes.CDLL(None).shmget(0, 4096, 0o600 | 0o1000) >= 0",
    ],
    ids=["a network", "a name on the machine", "the environment", "its parent", "the reference", "shared memory"],
)
def test_what_a_judge_does_not_get(text: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "hush")
    assert not ask(text).yes


def test_memory_is_limited_and_the_next_judge_has_all_of_it(ask: Ask, judge: Judge) -> None:
    assert not ask("held = bytearray(3 << 30)\nok = True").yes
    assert ask("held = bytearray(1 << 30)\nok = True").yes


# ---- reading -------------------------------------------------------------------------------------


def read(judge: Judge, *cells: str) -> ReadNotebook | Unreadable:
    judge.renew()
    plan = plan_notebook("book", source("a = 1", "b = 2"))
    notebook = nbformat.v4.new_notebook(cells=source(*cells))
    notebooks = judge.read({"book.ipynb": plan}, {"book.ipynb": json.dumps(notebook).encode()})
    return notebooks["book.ipynb"]


HOLDS_THE_PARSER = {
    "brackets": "x = " + "(" * 180 + ")" * 180,
    "braces": "x = " + "{" * 60 + "**" * 30,
    "quadratic names": "\n".join(f"name{number} = {number}" for number in range(60_000)),
    "a long line": "x = " + " + ".join(["1"] * 200_000),
    "lambdas": "x = " + "lambda:" * 3000 + "0",
    "an f-string in an f-string": "x = f\"{f'" + "".join(f"{{a{number}}}" for number in range(100_000)) + "'}\"",
    "decorators": "@a\n" * 20_000 + "def f(): pass",
}


@pytest.mark.parametrize("text", HOLDS_THE_PARSER.values(), ids=HOLDS_THE_PARSER)
def test_whatever_a_cell_does_to_a_parser_the_notebook_is_read_in_its_time(text: str, judge: Judge) -> None:
    started = time.monotonic()
    notebook = read(judge, text, "b = 2\nc = 3")
    assert time.monotonic() - started < 30  # 2 s, then 6 s with care, of a processor that may be busy
    assert isinstance(notebook, ReadNotebook)
    assert [cell.source for cell in notebook.cells] == [text, "b = 2\nc = 3"]
    assert notebook.compiled[1].statements


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have so many tries to read a notebook take too long."""

    def fail(tries: int) -> None:
        asked: list[float] = []
        read = Judge._read

        def hurried(judge: Judge, plans: Any, files: Any, careful_s: float, limit_s: float) -> Any:
            asked.append(careful_s)
            if len(asked) <= tries:
                raise JudgeCrashed("time")
            return read(judge, plans, files, careful_s, limit_s)

        monkeypatch.setattr(Judge, "_read", hurried)

    return fail


def test_where_reading_takes_too_long_it_is_read_with_care(judge: Judge, hurry: Callable[[int], None]) -> None:
    """What text would tell is then left open where it would take long; the notebook is graded all the same."""
    hurry(1)
    notebook = read(judge, "\n".join(f"name{number} = {number}" for number in range(5000)), "b = 2\nc = 3")
    assert isinstance(notebook, ReadNotebook)
    assert set(notebook.compiled) == {1}


def test_where_care_takes_too_long_too_nothing_is_parsed(judge: Judge, hurry: Callable[[int], None]) -> None:
    """The cells are known by their ids, and are run as they are written."""
    hurry(2)
    notebook = read(judge, "a = 1\nprint(a)", "b = 2\nc = 3")
    assert isinstance(notebook, ReadNotebook)
    assert [cell.source for cell in notebook.cells] == ["a = 1\nprint(a)", "b = 2\nc = 3"]
    assert notebook.compiled == {} and not notebook.needs_no_copies


def test_a_notebook_that_cannot_be_read_in_any_time_is_no_fault_of_ours(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> None:
        raise JudgeCrashed("time")

    monkeypatch.setattr(Judge, "_read", late)
    result = read(judge, "a = 1", "b = 2")
    assert isinstance(result, Unreadable) and "within limits (time)" in str(result)


@pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
def test_judges_leave_nothing_on_this_machine(name: str, folder: Path) -> None:
    files = ((folder / "files" / "data.txt", "data.txt"),)
    plan = AssignmentPlan("any", (), SandboxSpec(files, ("ipython", "numpy")), folder, "", "")
    try:
        isolation = backend(name)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with judging(isolation, plan) as opened:
        assert opened.judgement(Question(Section("", "pass", False), EVAL, pack({"said": ""}))).yes
        folders = [path for path in vars(opened._sandbox).values() if isinstance(path, Path) and path.is_dir()]
        assert len(folders) == 2
    assert not any(path.exists() for path in folders)
