"""What a session may hold in all: whatever limits it, whichever sandbox it is in, and whoever the grader is."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote import Remote

from tito.models import Limits
from tito.sandbox import cgroup
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.cgroup import Hierarchies
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.processes import parent_of
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.zygote_client import Sandbox
from tito.sandbox.zygote_connection import process_of

LIMITS = {"memory_mb": 1024, "scratch_mb": 512, "processes": 32}
GROUPS = "control groups"
WATCHED = "a watchdog"

# Who limits, in which sandbox, for which grader. A user without rights has no groups here.
SETTINGS = [
    (GROUPS, "bubblewrap", "root"),
    (GROUPS, "landlock", "root"),
    (WATCHED, "bubblewrap", "root"),
    (WATCHED, "bubblewrap", "nobody"),
    (WATCHED, "landlock", "root"),
    (WATCHED, "landlock", "nobody"),
]
if os.geteuid() != 0 or cgroup.hierarchies() is None:
    SETTINGS = [
        setting for setting in SETTINGS if setting[0] == WATCHED and (setting[2] == "nobody" or os.geteuid() == 0)
    ]


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda setting: "-".join(setting))
def setting(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    chosen: tuple[str, str, str] = request.param
    return chosen


@pytest.fixture(scope="module")
def grader(setting: tuple[str, str, str]) -> Iterator[Remote]:
    means, sandbox, user = setting
    with Remote(user, {}, sandbox=sandbox, watched=means == WATCHED, limits=LIMITS) as remote:
        yield remote


# Starts `count` processes that hold `size` MiB each, and says how many hold it at the same time.
HOARD = """
import os, select, struct, time

def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

def hoard(count, size, hold, wait_s=8):
    global write
    read, write = os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            hold(size)
            os.write(write, struct.pack("i", os.getpid()))
            time.sleep(60)
            os._exit(0)
    end, full = time.monotonic() + wait_s, []
    while len(full) < count and time.monotonic() < end:
        if select.select([read], [], [], 0.2)[0]:
            full += [pid for pid, in struct.iter_unpack("i", os.read(read, 4))]
        try:
            while True:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
        except ChildProcessError:
            if hold in (own, shared):
                break
    time.sleep(0.5)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    print("hold", sum(map(alive, full)))

def own(size):
    global held
    held = bytearray(size << 20)
    for at in range(0, len(held), 4096):
        held[at] = 1

def shared(size):
    global held
    import mmap
    held = mmap.mmap(-1, size << 20)
    for at in range(0, len(held), 4096):
        held[at] = 1
"""
HOARDS = {
    "four large ones": "hoard(4, 400, own)",
    "many small ones": "hoard(20, 80, own)",
    "memory that is shared": "hoard(4, 400, shared)",
    "daemons": """
def daemon(size):
    if os.fork() != 0: os._exit(0)
    os.setsid()
    own(size)
import os
hoard(4, 400, daemon)
""",
    "a program that nobody may read": """
import sys, tempfile
copy = os.path.join(tempfile.gettempdir(), "copy")
with open(os.path.realpath(sys.executable), "rb") as file:
    program = os.open(copy, os.O_CREAT | os.O_WRONLY, 0o111)
    os.write(program, file.read())
    os.close(program)
source = "import os, sys, time\\nheld = bytearray(400 << 20)\\nfor at in range(0, len(held), 4096): held[at] = 1\\n"
source += "os.write(1, os.getpid().to_bytes(4, 'little'))\\ntime.sleep(60)"
def program(size):  # in the place of the process that is counted: one that waited for it would outlive it
    os.environ["PYTHONHOME"] = sys.base_prefix
    os.dup2(write, 1)
    os.execv(copy, [copy, "-S", "-c", source])
hoard(4, 400, program)
""",
}


def holds(text: str) -> int:
    return int(text.split()[-1])


@pytest.mark.parametrize("hoard", HOARDS)
def test_processes_together_hold_no_more_than_a_session_may(hoard: str, grader: Remote) -> None:
    session, neighbour = grader.open(), grader.open()
    assert grader.run("held = bytearray(b'x') * (200 << 20)", neighbour).status is StepStatus.OK
    ran = grader.run(HOARD + HOARDS[hoard], session, limit_s=20)
    if ran.status is not StepStatus.MEMORY:
        count = 20 if hoard == "many small ones" else 4
        assert ran.status is StepStatus.OK, ran
        assert 0 < holds(ran.text) < count
    grader.end(session)
    assert grader.run("print(sum(held[::1 << 20]))", neighbour).text == f"{200 * ord('x')}\n", "the other session"
    grader.end(neighbour)


def test_files_in_memory_count(grader: Remote, setting: tuple[str, str, str]) -> None:
    if setting[1] != "bubblewrap":
        pytest.skip("sessions have no file systems in memory there")
    session = grader.open()
    fill = (
        "import os\n"
        "for folder in ('/tmp', '/dev/shm', os.path.expanduser('~')):\n"
        "    with open(f'{folder}/file', 'wb') as file:\n"
        "        for _ in range(480): file.write(bytes(1 << 20))\n"
        "import time\ntime.sleep(1)"
    )
    assert grader.run(fill, session, limit_s=30).status is StepStatus.MEMORY
    grader.end(session)
    assert grader.run("1", grader.open()).status is StepStatus.OK


def test_what_is_less_than_the_limit_is_left_alone(grader: Remote) -> None:
    """Nine tenths of it, held by two processes; and starting a program does not count a notebook twice."""
    session = grader.open()
    source = HOARD + "own(600)\nhoard(1, 300, own)\n"
    source += "import subprocess\nfor _ in range(40): subprocess.run(['/bin/true'], check=True)\nprint('done')"
    ran = grader.run(source, session, limit_s=30)
    assert (ran.status, ran.text) == (StepStatus.OK, "hold 1\ndone\n")
    grader.end(session)


def test_a_pool_of_forks_shares_what_it_inherits(grader: Remote) -> None:
    """Sixteen forks of a notebook that holds 300 MiB hold these once."""
    session = grader.open()
    ran = grader.run(HOARD + "own(300)\nhoard(16, 0, lambda size: sum(held[::4096]))", session, limit_s=30)
    assert (ran.status, ran.text) == (StepStatus.OK, "hold 16\n")
    grader.end(session)


def test_one_process_that_asks_for_too_much_gets_a_memory_error(grader: Remote) -> None:
    session = grader.open()
    assert grader.run("held = bytearray(1 << 30)", session).ename == "MemoryError"
    grader.end(session)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [("shmget", "0, 1 << 20, 0o1600"), ("semget", "0, 1, 0o1600"), ("msgget", "0, 0o1600"), ("prctl", "4, 0, 0, 0, 0")],
)
def test_memory_that_is_no_process_s_is_refused(call: str, arguments: str, grader: Remote) -> None:
    source = (
        f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.{call}({arguments}), ctypes.get_errno())"
    )
    session = grader.open()
    assert grader.run(source, session).text == "-1 1\n"
    grader.end(session)


# ---- control groups ----------------------------------------------------------------------------


@pytest.fixture
def groups() -> Hierarchies:
    where = cgroup.hierarchies()
    if where is None:
        pytest.skip("this user can make no control groups here")
    return where


def left(where: Hierarchies, pid: int) -> list[Path]:
    folders = {where.memory, where.processor} - {None}
    return [path for folder in folders if folder for path in folder.glob(f"{cgroup.PREFIX}{pid}-*")]


def test_groups_are_removed_at_the_end(groups: Hierarchies) -> None:
    with Remote("root", {}, sandbox="bubblewrap", limits=LIMITS) as grader:
        grader.run("1", grader.open())
        assert left(groups, grader.process.pid)
    assert left(groups, grader.process.pid) == []


def test_groups_of_a_grader_that_was_killed_are_removed_by_the_next(groups: Hierarchies) -> None:
    killed = Remote("root", {}, sandbox="bubblewrap", limits=LIMITS)
    killed.run("1", killed.open())
    with Remote("root", {}, sandbox="bubblewrap", limits=LIMITS) as living:
        living.run("1", living.open())
        killed.process.kill()
        killed.process.communicate()
        assert left(groups, killed.process.pid)
        end = time.monotonic() + 20
        while left(groups, killed.process.pid) and time.monotonic() < end:
            cgroup.remove_stale(groups)
            time.sleep(0.1)
        assert left(groups, killed.process.pid) == []
        assert left(groups, living.process.pid), "of one that is at work"
        assert living.run("1").status is StepStatus.OK


@pytest.mark.parametrize("means", [GROUPS, WATCHED])
def test_a_session_server_that_the_kernel_ends_costs_no_other_session(
    means: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in its session's group, and where all of the session's processes are smaller, the kernel may choose it."""
    if means == WATCHED:
        monkeypatch.setattr(cgroup, "hierarchies", lambda: None)
    place = SandboxSpec((), ("ipython", "numpy"), limits=Limits(memory_mb=1024))
    with Sandbox(Bubblewrap(), place) as sandbox, sandbox.session() as neighbour, sandbox.session() as session:
        first = process_of(session._connection._pidfd)
        server = parent_of(first)
        assert server is not None
        os.kill(server, signal.SIGKILL)
        assert session.notebook.run("1", 5).status is StepStatus.DIED
        session.close()
        assert neighbour.notebook.run("1", 5).status is StepStatus.OK
        with sandbox.session() as another:
            assert another.notebook.run("1", 5).status is StepStatus.OK
        assert not sandbox.closed
