"""Each copy of a notebook has the files that stood at its fork, and nothing passes from one to another."""

# ruff: noqa: E501  (cells of student code)

from __future__ import annotations

import itertools
import json
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote import AS_NOBODY

from tito.models import Limits
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.inside.held_processes import Processes, _parsed, _queried
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.session import Session
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.steps import Ran
from tito.sandbox.unprivileged import Unprivileged
from tito.sandbox.zygote_client import Sandbox

LIMITS = Limits(cell_timeout_s=10, memory_mb=1024, scratch_mb=16, processes=24, output_kb=64)
SETUP = "import os, stat, time\nTMP = os.environ.get('TMPDIR', '/tmp')\nHOME = os.environ['HOME']"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SandboxSpec:
    folder = tmp_path_factory.mktemp("files")
    (folder / "data.txt").write_text("some data\n")
    return SandboxSpec(((folder / "data.txt", "data.txt"),), ("ipython", "numpy"), limits=LIMITS)


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def sandbox(request: pytest.FixtureRequest, place: SandboxSpec) -> Iterator[Sandbox]:
    with Sandbox(Bubblewrap() if request.param == "bubblewrap" else Unprivileged(), place) as opened:
        yield opened
        assert not opened.closed


@pytest.fixture
def own(sandbox: Sandbox) -> Iterator[Session]:
    with sandbox.session(branches=3) as session:
        run(session, SETUP)
        for branch in session.branches:
            branch.over = StepStatus.NOT_RUN  # until it is forked
        yield session


def run(session: Session, source: str) -> None:
    """A cell that goes through."""
    ran = session.notebook.run(source, 20)
    assert (ran.status, ran.ename, ran.evalue) == (StepStatus.OK, "", "")


def fork(session: Session, *numbers: int) -> None:
    for number in numbers:
        assert session.notebook.branch(number)
        session.branches[number].over = None


def hidden(session: Session, number: int, source: str, *names: str) -> Ran:
    """A hidden section in a copy, whose turn it is."""
    session.turn(number)
    return session.branches[number].run(source, 10, names)


def seen(session: Session, number: int, source: str, name: str = "seen") -> object:
    ran = hidden(session, number, source, name)
    assert (ran.status, ran.ename, ran.evalue) == (StepStatus.OK, "", "")
    return ran.values[name]


# ---- honest work -------------------------------------------------------------------------------


def test_a_copy_reads_and_writes_files_as_the_notebook_did(own: Session) -> None:
    run(own, "open('mine.txt', 'w').write('a')\nos.mkdir(f'{TMP}/deep')\nopen(f'{TMP}/deep/b', 'w').write('b')")
    fork(own, 0)
    work = "open('mine.txt', 'a').write('!')\nopen(f'{TMP}/deep/c', 'w').write('c')\n"
    look = "seen = [open('mine.txt').read(), open('data.txt').read(), sorted(os.listdir(f'{TMP}/deep')), os.getcwd()]"
    assert seen(own, 0, work + look) == ["a!", "some data\n", ["b", "c"], seen_home(own)]


def seen_home(session: Session) -> object:
    return session.branches[0].run("home = HOME", 5, ("home",)).values["home"]


def test_a_file_that_is_open_at_the_fork_is_open_in_the_copy(own: Session) -> None:
    run(own, "log = open('log.txt', 'w+')\nlog.write('one,')\nlog.flush()\ndata = open('data.txt')\ndata.read(5)")
    fork(own, 0, 1)
    run(own, "log.write('later')\nlog.flush()\ndata.read()")
    source = "log.write('two')\nlog.flush()\nseen = [open('log.txt').read(), data.read()]"
    assert seen(own, 0, source) == ["one,two", "data\n"]
    assert seen(own, 1, source) == ["one,two", "data\n"]


def test_a_copy_works_in_the_folder_in_which_the_notebook_did(own: Session) -> None:
    run(own, "os.mkdir('sub')\nos.chdir('sub')\nopen('here', 'w').write('x')")
    fork(own, 0)
    assert seen(own, 0, "seen = [os.listdir(), os.path.basename(os.getcwd())]") == [["here"], "sub"]


def test_modules_that_the_notebook_wrote_can_be_imported(own: Session) -> None:
    run(own, "open('helper.py', 'w').write('VALUE = 7')\nimport importlib\nimportlib.invalidate_caches()")
    fork(own, 0)
    assert seen(own, 0, "import helper\nseen = helper.VALUE") == 7


def test_memory_that_processes_share_is_a_copys_own(own: Session) -> None:
    run(own, "import mmap\nshared = mmap.mmap(-1, 8192)\nshared[0] = 5\nopen('map', 'wb').write(bytes(4096))")
    run(own, "import numpy as np\nmapped = np.memmap('map', mode='r+')\nmapped[9] = 6")
    fork(own, 0, 1)
    source = "shared[0] += 1\nmapped[9] += 1\nseen = [shared[0], int(mapped[9])]"
    assert seen(own, 0, source) == [6, 7]
    assert seen(own, 1, source) == [6, 7]


def test_commands_work_in_a_copy(own: Session) -> None:
    fork(own, 0, 1)
    source = "import subprocess\nseen = subprocess.run(['sh', '-c', 'echo x > y; cat y'], capture_output=True).stdout"
    assert seen(own, 0, source) == b"x\n"
    assert seen(own, 1, source) == b"x\n"


# ---- as it stood at the fork -------------------------------------------------------------------


def test_what_a_hidden_section_writes_is_not_there_for_another(own: Session) -> None:
    fork(own, 0, 1, 2)
    everywhere = "for folder in (TMP, HOME, '/dev/shm'):\n    try: open(f'{folder}/said', 'w').write('x')\n"
    hidden(own, 0, everywhere + "    except OSError: pass\nos.rename('data.txt', 'gone')")
    look = "seen = [[name for name in os.listdir(folder)] for folder in (HOME, TMP)]"
    assert seen(own, 1, look) == [["data.txt"], []]
    assert seen(own, 2, look) == [["data.txt"], []]


def test_each_copy_sees_its_own_moment(own: Session) -> None:
    for number in range(3):
        run(own, f"open('n', 'w').write('{number}')\nopen(f'{{TMP}}/n{number}', 'w').close()")
        fork(own, number)
    run(own, "os.remove('n')\nfor name in os.listdir(TMP): os.remove(f'{TMP}/{name}')")
    for number in (0, 1, 2):
        names = [f"n{before}" for before in range(number + 1)]
        assert seen(own, number, "seen = [open('n').read(), sorted(os.listdir(TMP))]") == [str(number), names]


def test_a_link_to_the_assignments_files_that_was_replaced_is_what_the_student_made_of_it(own: Session) -> None:
    fork(own, 0)
    run(own, "os.remove('data.txt')\nopen('data.txt', 'w').write('mine')")
    fork(own, 1)
    assert seen(own, 0, "seen = open('data.txt').read()") == "some data\n"
    assert seen(own, 1, "seen = open('data.txt').read()") == "mine"


def test_what_files_are_is_kept(own: Session) -> None:
    run(
        own,
        "open('a', 'w').write('x')\nos.link('a', 'b')\nos.mkdir('d')\nos.link('a', 'd/c')\nos.symlink('/etc/passwd', 'l')\n"
        "os.mkfifo('p')\nopen('big', 'w').truncate(10 << 20)\nf = open('big', 'r+')\nf.seek(5 << 20)\nf.write('y')\nf.close()\n"
        "os.utime('a', (1, 1))\nos.chmod('a', 0o640)\nos.chmod('d', 0o750)",
    )
    fork(own, 0)
    run(own, "open('a', 'w').write('z')\nos.remove('b')")
    look = (
        "a, p, big = os.stat('a'), os.lstat('p'), os.stat('big')\n"
        "seen = [open('b').read(), os.path.samefile('a', 'd/c'), a.st_nlink, oct(a.st_mode), a.st_mtime, oct(os.stat('d').st_mode),\n"
        "        os.readlink('l'), stat.S_ISFIFO(p.st_mode), big.st_size, big.st_blocks < 9000, sorted(os.listdir()),\n"
        "        open('big').read().strip('\\0')]"
    )
    names = ["a", "b", "big", "d", "data.txt", "l", "p"]
    expected = ["x", True, 3, "0o100640", 1.0, "0o40750", "/etc/passwd", True, 10 << 20, True, names, "y"]
    assert seen(own, 0, look) == expected


def test_files_that_nobody_may_read_are_kept_too(own: Session) -> None:
    run(own, "open('shut', 'w').write('x')\nos.mkdir('closed')\nopen('closed/in', 'w').write('y')")
    run(own, "os.chmod('shut', 0)\nos.chmod('closed', 0)")
    fork(own, 0)
    look = "seen = [oct(os.stat(name).st_mode) for name in ('shut', 'closed')]\nos.chmod('shut', 0o600)\nos.chmod('closed', 0o700)\n"
    assert seen(own, 0, look + "seen += [open('shut').read(), open('closed/in').read()]") == [
        "0o100000",
        "0o40000",
        "x",
        "y",
    ]


def test_a_socket_in_a_folder_is_no_obstacle(own: Session) -> None:
    own.notebook.run("import socket\nserver = socket.socket(socket.AF_UNIX)\nserver.bind('s')", 5)
    fork(own, 0)
    assert seen(own, 0, "seen = os.listdir()") == ["data.txt"]


def test_thousands_of_files_are_kept(own: Session) -> None:
    run(own, "os.mkdir('many')\nfor n in range(15_000): open(f'many/{n}', 'w').close()\nopen('many/7', 'w').write('7')")
    fork(own, 0, 1)
    for number in (0, 1):
        look = "seen = [len(os.listdir('many')), open('many/7').read()]\nopen('many/7', 'w').write('8')"
        assert seen(own, number, look) == [15_000, "7"]


# ---- what cannot be kept -----------------------------------------------------------------------


def test_folders_that_are_nested_too_deep_lose_the_copy_and_say_so(own: Session) -> None:
    fork(own, 0)
    run(own, "for _ in range(400):\n    os.mkdir('d')\n    os.chdir('d')\nos.chdir(HOME)")
    fork(own, 1)
    run(own, "os.rename('d/d', 'e')\nos.rmdir('d')\nimport subprocess\nsubprocess.run(['rm', '-rf', 'e'], check=True)")
    fork(own, 2)
    assert seen(own, 0, "seen = os.listdir()") == ["data.txt"]
    assert hidden(own, 1, "1") == Ran(StepStatus.LOST, evalue="The notebook's folders are nested more than 100 deep.")
    assert seen(own, 2, "seen = os.listdir()") == ["data.txt"]


def test_what_all_copies_keep_is_bounded_and_what_did_not_change_is_kept_once(own: Session) -> None:
    run(own, "open('still', 'wb').write(os.urandom(7 << 20))")
    for number in range(2):
        run(own, f"open('x', 'wb').write(os.urandom(8 << 20))\nopen(f'{{TMP}}/{number}', 'wb').write(b'x')")
        fork(own, number)
    run(own, "open('x', 'wb').write(os.urandom(8 << 20))\nopen(TMP + '/y', 'wb').write(os.urandom(15 << 20))")
    run(own, "open('still', 'r+b').write(os.urandom(7 << 20))")
    fork(own, 2)
    size = "seen = os.stat('x').st_size + os.stat('still').st_size"
    assert seen(own, 0, size) == seen(own, 1, size) == 15 << 20
    assert hidden(own, 2, "1") == Ran(
        StepStatus.LOST, evalue="The notebook's files are too large to be kept for each test."
    )


def test_files_that_change_while_they_are_read_are_no_way_out_of_the_folder(own: Session) -> None:
    """A folder, a link to a folder of the machine's, a pipe and a file take turns under one name."""
    run(
        own,
        "import threading\nopen('stop', 'w').close()\n"
        "def at_once(name, flags): return os.open(name, flags | os.O_NONBLOCK)  # it may be a pipe by now\n"
        "def work():\n    n = 0\n    while os.path.exists('stop'):\n        n += 1\n"
        "        try:\n            if n % 4 == 0: os.mkdir('new')\n            elif n % 4 == 1: os.symlink('/usr/lib', 'new')\n"
        "            elif n % 4 == 2: os.mkfifo('new')\n            else: open('new', 'w', opener=at_once).write('x' * n)\n"
        "            os.rename('new', f'name{n % 3}')\n"
        "        except OSError: os.path.isdir('new') and not os.path.islink('new') and os.rmdir('new')\n"
        "        for name in ('new', f'name{n % 3}'):\n"
        "            try: os.rmdir(name) if os.path.isdir(name) and not os.path.islink(name) else os.remove(name)\n"
        "            except OSError: pass\n"
        "threads = [threading.Thread(target=work) for _ in range(2)]\nfor one in threads: one.start()",
    )
    fork(own, 0, 1, 2)
    run(own, "os.remove('stop')\nfor one in threads: one.join()")
    look = "seen = [os.path.join(a, c)[:80] for a, b, cs in os.walk('.') for c in cs if 'python' in c]"
    for number in range(3):
        assert seen(own, number, look) == []


# ---- processes ---------------------------------------------------------------------------------

DAEMON = (
    "def daemon(mark):\n    if os.fork(): return\n    os.setsid()\n    if os.fork(): os._exit(0)\n    while True:\n"
    "        for folder in (TMP, HOME):\n            try: open(f'{folder}/{mark}', 'w').write(mark)\n"
    "            except OSError: pass\n        time.sleep(0.001)"
)


def test_daemons_end_before_the_next_copy_is_asked(own: Session) -> None:
    run(own, DAEMON)
    fork(own, 0, 1)
    run(own, "daemon('from-notebook')\ntime.sleep(0.05)")
    look = "time.sleep(0.2)\nseen = [os.path.exists(f'{folder}/{mark}') for folder in (TMP, HOME) for mark in MARKS]"
    marks = "MARKS = ('from-notebook', 'from-copy')\n"
    assert seen(own, 0, marks + look + "\ndaemon('from-copy')\ntime.sleep(0.05)") == [False] * 4
    assert seen(own, 1, marks + look) == [False] * 4


def test_a_bomb_of_processes_is_ended(own: Session) -> None:
    fork(own, 0, 1)
    bomb = "if os.fork() == 0:\n    while True:\n        try:\n            if os.fork() == 0: time.sleep(0)\n            else: os._exit(0)\n        except OSError: pass"
    hidden(own, 0, bomb)
    assert seen(own, 1, "seen = os.listdir(TMP)") == []


KILLS = {
    "kill": "os.kill(1, 9)\nos.kill(1, 15)\nos.kill(1, 19)",
    "kill the parent": "os.kill(os.getppid(), 9)",
    "prlimit": "import resource\nfor pid in (1, os.getppid()): resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))",
    "say things": "import socket, gc\nfor one in gc.get_objects():\n    if isinstance(one, socket.socket) and one.fileno() > 0:\n"
    "        if one.type == socket.SOCK_SEQPACKET:\n            for word in (b'', b'x', b'take', b'take 999999', b'copy \\xff', b'shared 1'): one.send(word)",
}


@pytest.mark.parametrize("source", KILLS.values(), ids=KILLS)
def test_the_warden_is_not_reached_by_student_code(source: str, own: Session) -> None:
    run(own, "open('x', 'w').write('x')")
    fork(own, 0, 1)
    for line in source.split("\n") if source.startswith("os.kill") else [source]:
        own.notebook.run(line, 5)
    time.sleep(0.1)
    assert seen(own, 0, "seen = open('x').read()") == "x"
    own.branches[0].run(source, 5)
    assert seen(own, 1, "seen = open('x').read()") == "x"


def test_a_copy_cannot_wake_another(sandbox: Sandbox, own: Session) -> None:
    """A copy that hidden sections send signals to is given up. It says nothing, and sees nothing."""
    run(own, "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: open(TMP + '/woken', 'w').close())")
    fork(own, 0, 1, 2)
    wake = (
        "for pid in range(2, 60):\n    for number in (18, 10):\n        try:\n            if pid != os.getpid(): os.kill(pid, number)\n"
        "        except OSError: pass\ntime.sleep(0.1)\nseen = os.listdir(TMP)"
    )
    if sandbox.name == "landlock":
        wake = wake.replace("range(2, 60)", "range(os.getpid() - 40, os.getpid() + 40)")
    assert seen(own, 0, wake) == []
    assert hidden(own, 1, "1").evalue == "A signal was sent to the copy of the notebook that was made for this test."


# ---- what copies might share -------------------------------------------------------------------

KEEPING = """
from tito.sandbox.inside import shared_resources
def leave(self, number, channel):
    to_warden = self.to_warden
    {first}
    to_warden.send(b'copy %d' % number)
    to_warden.close()
    os.dup2(os.open('/dev/null', os.O_RDWR), 1)
    os.dup2(1, 2)
shared_resources.SharedResources.leave = leave
"""
APART = "os.setsid(); os.chdir('/')"
OPEN = "The copy of the notebook that was made for this test kept a file, a pipe or a socket open."
KEPT = {
    "a pipe": ("ends = os.pipe()", APART, OPEN),
    "a file": ("file = open(f'{TMP}/x', 'w+')", APART, OPEN),
    "a file without a name": ("file = open(f'{TMP}/x', 'w+')\nos.remove(file.name)", APART, OPEN),
    "a pair of sockets": ("import socket\nends = socket.socketpair()", APART, OPEN),
    "memory": (
        "import mmap\nmemory = mmap.mmap(-1, 4096)",
        APART,
        "The notebook shares memory between processes that a test would read.",
    ),
    "the folder": (
        "1",
        "os.setsid()",
        "The copy of the notebook that was made for this test kept a folder open.",
    ),
    "the group": (
        "1",
        "os.chdir('/')",
        "The copy of the notebook that was made for this test did not stay as it was made.",
    ),
    "a thread": (
        "import threading",
        f"{APART}; threading.Thread(target=time.sleep, args=(100,)).start()",
        "The copy of the notebook that was made for this test did not stay as it was made.",
    ),
}


@pytest.mark.parametrize(("before", "first", "why"), KEPT.values(), ids=KEPT)
def test_a_copy_that_keeps_what_others_have_is_told_nothing(before: str, first: str, why: str, own: Session) -> None:
    run(own, before)
    run(own, KEEPING.format(first=first))
    fork(own, 0, 1)
    assert hidden(own, 0, "1") == Ran(StepStatus.LOST, evalue=why)
    assert hidden(own, 1, "1") == Ran(StepStatus.LOST, evalue=why)


def test_a_notebook_that_only_says_that_it_made_a_copy_loses_it_soon(own: Session) -> None:
    run(own, "import tito.sandbox.inside.server as server\nserver.Server._branch = lambda self, number: True")
    fork(own, 0)
    started = time.monotonic()
    assert hidden(own, 0, "1") == Ran(StepStatus.LOST, evalue="The notebook made no copy of itself for this test.")
    assert time.monotonic() - started < 8


def test_one_process_cannot_be_two_copies(own: Session) -> None:
    run(own, KEEPING.format(first=f"{APART}; to_warden.send(b'copy 1')"))
    fork(own, 0, 1)
    fates = [hidden(own, number, "seen = 1").status for number in (0, 1)]
    assert sorted(fates) == [StepStatus.LOST, StepStatus.OK] or fates == [StepStatus.LOST] * 2


def test_nothing_is_kept_any_more_when_hidden_sections_have_begun(own: Session) -> None:
    """Else one could put its text where a copy that was not yet forked would read it."""
    run(
        own,
        "import socket, gc\nto_warden = next(one for one in gc.get_objects() if isinstance(one, socket.socket)\n"
        "            and one.fileno() > 0 and one.type == socket.SOCK_SEQPACKET).dup()\n"
        "import tito.sandbox.inside.server as server\nbranch = server.Server._branch\n"
        "def late(self, number):\n    if number == 1: self.shared_resources = None\n    return branch(self, number)\n"
        "server.Server._branch = late",
    )
    fork(own, 0, 1)
    own.begin()
    assert own.branches[1].over is StepStatus.LOST
    source = "to_warden.send(b'take 1')\nto_warden.send(b'take 2')\nto_warden.send(b'copy 2')\nopen('x', 'w').close()"
    run(own, source.replace("\n", "; "))


def test_a_lost_copy_costs_its_own_test_only(own: Session) -> None:
    fork(own, 0)
    own.notebook.run("os._exit(0)", 5)
    fork_failed = own.notebook.branch(1)
    assert not fork_failed
    assert seen(own, 0, "seen = os.listdir()") == ["data.txt"]


def test_numbers_of_files_tell_nothing(sandbox: Sandbox, own: Session) -> None:
    """A file that another copy has made anew, with the same content, has the number that it would have had."""
    run(own, "for name in 'abc': open(name, 'w').write(name)")
    fork(own, 0, 1, 2)
    numbers = "seen = [os.stat(name).st_ino for name in 'abc']"
    first = seen(own, 0, numbers)
    for name, other in itertools.pairwise("abc"):
        own.branches[0].run(f"os.remove('{name}')\nopen('{name}', 'w').write('{name}')\nos.utime('{other}', (5, 5))", 5)
    if sandbox.name == "bubblewrap":
        assert seen(own, 1, numbers) == first
    assert seen(own, 2, "seen = any(os.stat(name).st_mtime == 5 for name in 'abc')") is False


def test_the_files_of_a_session_on_disk_are_gone_with_it(place: SandboxSpec) -> None:
    with Sandbox(Unprivileged(), place) as sandbox:
        assert sandbox._scratch is not None
        old = Path(sandbox._scratch, "old")
        with sandbox.session(branches=1) as session:
            run(session, SETUP)
            run(session, "open('x', 'w').close()\nos.mkdir('shut')\nos.chmod('shut', 0)")
            fork(session, 0)
            assert seen(session, 0, "seen = sorted(os.listdir())") == ["data.txt", "shut", "x"]
            assert [len(list(folder.iterdir())) for folder in old.iterdir()] == [2]
        sandbox.settle()
        assert list(old.iterdir()) == []


# ---- a grader who is not root ------------------------------------------------------------------

AS_ANOTHER = """
import json, sys
from pathlib import Path
from tito.models import Limits
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.zygote_client import Sandbox
from tito.sandbox.unprivileged import Unprivileged

limits = Limits(cell_timeout_s=10, memory_mb=1024, scratch_mb=16, processes=24)
place = SandboxSpec(((Path(sys.argv[1]), "data.txt"),), ("ipython", "numpy"), limits=limits)
said = []
with Sandbox(Unprivileged(), place) as sandbox, sandbox.session(branches=3) as session:
    session.notebook.run("import os\\nopen('x', 'w').write('old')\\nends = os.pipe()", 10)
    for number in range(2):
        said.append(session.notebook.branch(number))
    session.notebook.run("open('x', 'w').write('new')\\nimport tito.sandbox.inside.shared_resources as b\\n"
        "def leave(self, number, channel): os.setsid(); os.chdir('/'); self.to_warden.send(b'copy 2'); self.to_warden.close()\\n"
        "b.SharedResources.leave = leave", 10)
    said.append(session.notebook.branch(2))
    for number, branch in enumerate(session.branches):
        session.turn(number)
        seen = branch.run("seen = [open('x').read(), sorted(os.listdir())]\\nopen('left', 'w').close()", 10, ("seen",))
        said.append(seen.values.get("seen") or seen.evalue)
print(json.dumps(said))
"""


def test_a_grader_who_is_not_root_has_the_same(place: SandboxSpec, tmp_path: Path) -> None:
    ((path, _),) = place.files
    for folder in (path, *path.parents[:4]):
        folder.chmod(folder.stat().st_mode | 0o555)
    argv = [*(AS_NOBODY if os.geteuid() == 0 else ()), sys.executable, "-c", AS_ANOTHER, str(path)]
    environment = {"PATH": os.environ["PATH"], "TMPDIR": "/tmp"}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, cwd="/", check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    view = ["old", ["data.txt", "x"]]
    assert json.loads(done.stdout) == [True, True, True, view, view, OPEN]


# ---- the parts of it ---------------------------------------------------------------------------


def _sleeping() -> int:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    return child


def test_processes_with_the_same_memory_are_told_by_a_mark() -> None:
    """As clone makes them, which a filter cannot tell from a thread."""
    children = [_sleeping(), _sleeping()]
    proc = os.open("/proc", os.O_RDONLY)
    try:
        processes = Processes(proc)
        first, second = (processes.named(pid) for pid in children)
        assert first is not None and second is not None
        for process in (first, second):
            processes.hold(process)
        assert processes.mark([first, second]) == [first, second]
        assert len(processes.mark([first, first])) < 2
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(proc)


def test_kernels_that_answer_and_that_are_read_say_the_same_of_memory() -> None:
    with mmap.mmap(-1, 8192), Path("/proc/self/maps").open("rb") as maps:
        try:
            asked = list(_queried(maps.fileno()))
        except OSError:
            pytest.skip("this kernel answers no questions on a process's memory (Linux 6.11)")
        read = list(_parsed(Path("/proc/self/maps").read_text()))
    assert asked == read
    assert any(writable for _, _, writable, _ in asked)


def test_a_warden_that_does_not_answer_in_time_costs_the_copies_that_wait(
    own: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its late answer is not taken for that to the next question."""
    run(own, "for n in range(5000): open(str(n), 'w').close()")
    fork(own, 0, 1)
    own.begin()
    monkeypatch.setattr("tito.sandbox.session.WARDEN_TIMEOUT_S", 0.001)
    assert hidden(own, 0, "1") == Ran(StepStatus.GONE, evalue="The session of this notebook has ended.")
    monkeypatch.undo()
    assert hidden(own, 1, "1").status is StepStatus.GONE


def test_the_notebook_lives_on_where_it_is_to_be_asked_itself(own: Session) -> None:
    run(own, "x = 5")
    fork(own, 0, 1)
    own.turn(0, notebook=True)
    assert own.branches[0].run("y = x", 5, ("y",)).values == {"y": 5}
    assert own.notebook.run("y = x", 5, ("y",)).values == {"y": 5}
    assert seen(own, 1, "seen = x") == 5
    assert own.notebook.run("1", 5).status is StepStatus.DIED
