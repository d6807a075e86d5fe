"""What an assignment ships is each session's own to change, in every sandbox: as plain nbgrader has it."""

# ruff: noqa: E501  (cells of student code)

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tito.errors import SandboxUnavailable
from tito.models import Limits
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.launch import Backend
from tito.sandbox.session import Session
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.unconfined import Unconfined
from tito.sandbox.unprivileged import Unprivileged
from tito.sandbox.zygote_client import Sandbox

LIMITS = Limits(cell_timeout_s=10, memory_mb=1024, scratch_mb=16, processes=24, output_kb=64)
LARGE_MB = 2
WAYS: dict[str, Callable[[], Backend]] = {
    "layers": Bubblewrap,
    "copies": lambda: Bubblewrap(layers=False),
    "landlock": Unprivileged,
    "none": Unconfined,
}
HELPER = """\
from pathlib import Path
HERE = Path(__file__).parent
def rows():
    return (HERE / "data.csv").read_text().splitlines()
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an assignment, of each kind."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "data.csv").write_text("a,b\n1,2\n")
    (folder / "helper.py").write_text(HELPER)
    (folder / "tables" / "deep").mkdir(parents=True)
    (folder / "tables" / "one.txt").write_text("one")
    (folder / "tables" / "deep" / "two.txt").write_text("two")
    (folder / "large.bin").write_bytes(b"x" * (LARGE_MB << 20))
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("VALUE = 7\n")
    with closing(sqlite3.connect(folder / "shop.db")) as database, database:
        database.execute("create table customers (name text)")
        database.execute("insert into customers values ('ada')")
    return folder


@pytest.fixture(scope="module", params=WAYS)
def sandbox(request: pytest.FixtureRequest, course: Path) -> Iterator[Sandbox]:
    before = contents(course)
    files = tuple((path, path.name) for path in sorted(course.iterdir()))
    place = SandboxSpec(files, ("ipython", "numpy"), limits=LIMITS, staged=("pack",), copied_mb=1)
    try:
        isolation = WAYS[request.param]()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    with Sandbox(isolation, place) as opened:
        yield opened
        assert not opened.closed
    assert contents(course) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def own(sandbox: Sandbox) -> Iterator[Session]:
    with sandbox.session() as session:
        yield session


def seen(session: Session, source: str, name: str = "seen") -> object:
    ran = session.notebook.run(source, 10, (name,))
    assert (ran.status, ran.ename, ran.evalue) == (StepStatus.OK, "", "")
    return ran.values[name]


def test_a_file_is_appended_to_overwritten_and_removed(own: Session) -> None:
    source = (
        "with open('data.csv', 'a') as file: file.write('3,4\\n')\n"
        "open('tables/one.txt', 'w').write('mine')\n"
        "import os\nos.remove('tables/deep/two.txt')\n"
        "seen = [open('data.csv').read(), open('tables/one.txt').read(), os.listdir('tables/deep')]"
    )
    assert seen(own, source) == ["a,b\n1,2\n3,4\n", "mine", []]


def test_rows_go_into_a_supplied_database(own: Session) -> None:
    source = (
        "import sqlite3\ndatabase = sqlite3.connect('shop.db')\n"
        "database.execute(\"insert into customers values ('eve')\")\ndatabase.commit()\n"
        "seen = [name for (name,) in database.execute('select name from customers')]"
    )
    assert seen(own, source) == ["ada", "eve"]


def test_new_files_stand_beside_and_in_supplied_folders(own: Session) -> None:
    source = (
        "import os\nopen('out.txt', 'w').write('x')\nopen('tables/new.txt', 'w').write('y')\nos.mkdir('figures')\n"
        "seen = [open('out.txt').read(), sorted(os.listdir('tables'))]"
    )
    assert seen(own, source) == ["x", ["deep", "new.txt", "one.txt"]]


def test_a_supplied_folder_is_removed_and_made_anew(own: Session) -> None:
    source = "import os, shutil\nshutil.rmtree('tables')\nos.mkdir('tables')\nopen('tables/x', 'w').close()\nseen = os.listdir('tables')"
    assert seen(own, source) == ["x"]


def test_a_supplied_module_is_written_anew_before_it_is_imported(own: Session) -> None:
    source = "open('helper.py', 'a').write('ANSWER = 42\\n')\nimport helper\nseen = [helper.ANSWER, helper.rows()]"
    assert seen(own, source) == [42, ["a,b", "1,2"]]


def test_what_one_session_writes_is_never_seen_by_another(sandbox: Sandbox) -> None:
    everywhere = (
        "import os\nfor name in ('data.csv', 'tables/one.txt', 'helper.py', 'shop.db'): open(name, 'a').write('# said')\n"
        "os.remove('tables/deep/two.txt')\nopen('left', 'w').close()\nseen = 1"
    )
    look = (
        "import os\nseen = [sorted(os.listdir()), open('data.csv').read(), open('tables/one.txt').read(),\n"
        "        open('helper.py').read().count('said'), open('tables/deep/two.txt').read()]"
    )
    names = ["data.csv", "helper.py", "large.bin", "pack", "shop.db", "tables"]
    expected = [names, "a,b\n1,2\n", "one", 0, "two"]
    with sandbox.session() as first, sandbox.session() as second:
        assert seen(first, everywhere) == 1
        assert seen(second, look) == expected
    with sandbox.session() as third:
        assert seen(third, look) == expected


def test_a_staged_package_is_read_and_data_are_found_beside_a_module(own: Session) -> None:
    source = "import pack, helper, os\nseen = [pack.VALUE, helper.rows(), len(open('large.bin').read())]"
    assert seen(own, source) == [7, ["a,b", "1,2"], LARGE_MB << 20]


def test_a_file_beyond_the_limit_is_written_to_where_there_are_layers_and_else_only_read(
    sandbox: Sandbox, own: Session, request: pytest.FixtureRequest
) -> None:
    ran = own.notebook.run("open('large.bin', 'ab').write(b'y')", 10)
    if request.node.callspec.params["sandbox"] == "layers":
        assert (ran.status, sandbox.read_only) == (StepStatus.OK, ())
    else:
        assert sandbox.read_only == ("large.bin",)
        if sandbox.name != "none" or os.geteuid() != 0:
            assert ran.ename in ("PermissionError", "OSError")


def test_each_copy_of_a_notebook_has_the_files_as_they_stood_at_its_test(sandbox: Sandbox) -> None:
    if not sandbox.has_wardens:
        pytest.skip("without isolation copies share their files")
    look = (
        "import os, sqlite3\nseen = [open('data.csv').read(), sorted(os.listdir('tables')), sorted(os.listdir()),\n"
        "        [name for (name,) in sqlite3.connect('shop.db').execute('select name from customers')]]\n"
    )
    write = "import sqlite3\nwith sqlite3.connect('shop.db') as db: db.execute(\"insert into customers values ('{0}')\")\nopen('data.csv', 'a').write('{0}')"
    names = ["data.csv", "helper.py", "large.bin", "pack", "shop.db", "tables"]
    with sandbox.session(branches=3) as session:
        for number in range(3):
            assert session.notebook.run(write.format(number), 10).status is StepStatus.OK
            if number == 1:
                removed = "import os, shutil\nos.remove('tables/one.txt')\nshutil.rmtree('tables/deep')\nos.mkdir('tables/deep')\nos.remove('helper.py')"
                assert session.notebook.run(removed, 10).status is StepStatus.OK
            assert session.notebook.branch(number)
        session.notebook.run(write.format("later"), 10)
        for number in (0, 1, 2):
            session.turn(number)
            ran = session.branches[number].run(look + write.format("hidden"), 10, ("seen",))
            assert (ran.status, ran.evalue) == (StepStatus.OK, "")
            numbers = [str(before) for before in range(number + 1)]
            left = [name for name in names if name != "helper.py" or number == 0]
            tables = ["deep", "one.txt"] if number == 0 else ["deep"]
            assert ran.values["seen"] == ["a,b\n1,2\n" + "".join(numbers), tables, left, ["ada", *numbers]]
            deep = session.branches[number].run("import os\nseen = os.listdir('tables/deep')", 10, ("seen",))
            assert deep.values["seen"] == (["two.txt"] if number == 0 else [])


@pytest.mark.parametrize("name", ["shop.db", "mine.db", "tables/mine.db"])
def test_a_database_that_is_open_is_written_to_by_each_copy(sandbox: Sandbox, name: str) -> None:
    """SQLite writes no more to a database that is open when another file stands in its place."""
    if sandbox.name != "bubblewrap":
        pytest.skip("on a disk numbers of files are not ours to choose")
    write = "database.execute(\"insert into customers values ('{0}')\")\ndatabase.commit()\n"
    look = "seen = [name for (name,) in database.execute('select name from customers')]\n"
    opened = f"import sqlite3\nfor n in range(30): open(f'x{{n}}', 'w').close()\ndatabase = sqlite3.connect({name!r})\n"
    make = "database.execute('create table if not exists customers (name text)')\n"
    before = ["ada"] if name == "shop.db" else []
    with sandbox.session(branches=2) as session:
        assert session.notebook.run(opened + make, 10).status is StepStatus.OK
        for number in range(2):
            assert session.notebook.run(write.format(number), 10).status is StepStatus.OK
            assert session.notebook.branch(number)
        for number in range(2):
            session.turn(number)
            ran = session.branches[number].run(write.format("hidden") + look, 10, ("seen",))
            assert (ran.status, ran.evalue) == (StepStatus.OK, "")
            assert ran.values["seen"] == [*before, *map(str, range(number + 1)), "hidden"]


def test_a_layer_is_no_larger_than_a_session_and_takes_no_orders(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(20 << 20))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "one").write_text("one")
    files = tuple((path, path.name) for path in sorted(tmp_path.iterdir()))
    orders = (
        "import os, errno\nseen = []\nfor path, name in (('tables', 'opaque'), ('tables/one', 'metacopy'), ('tables', 'redirect')):\n"
        "    try: os.setxattr(path, f'user.overlay.{name}', b'y')\n    except OSError: pass\n"
        "for step in (lambda: open('large.bin', 'ab'), lambda: os.mknod('x', 0o020000, 0), lambda: os.listdir('.upper')):\n"
        "    try: step()\n    except OSError as error: seen.append(errno.errorcode[error.errno])\n"
    )
    place = SandboxSpec(files, ("ipython", "numpy"), limits=LIMITS)
    with Sandbox(Bubblewrap(), place) as sandbox, sandbox.session(branches=1) as session:
        assert seen(session, orders) == ["ENOSPC", "EPERM", "ENOENT"]
        assert sandbox.read_only == ("large.bin",)
        assert session.notebook.branch(0)
        session.turn(0)
        ran = session.branches[0].run(
            "import os\nseen = [os.listdir('tables'), open('tables/one').read()]", 10, ("seen",)
        )
        assert ran.values["seen"] == [["one"], "one"]
