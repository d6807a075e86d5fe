"""The landlock backend, as root and as a user without rights: what works in it, what is refused, what is limited.

Files that must not be touched lie open to everybody, so that it is the fence that protects them and not their modes.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from remote import LIMITS, NOBODY, Remote, Said

import tito
from tito.errors import SandboxUnavailable
from tito.sandbox import unprivileged
from tito.sandbox.inside import landlock, seccomp
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.unprivileged import Unprivileged
from tito.sandbox.zygote_client import Sandbox

REPOSITORY = Path(tito.__file__).resolve().parent.parent
USERS = ("root", "nobody") if os.geteuid() == 0 else ("nobody",)
Run = Callable[[str], Said]


@pytest.fixture(scope="module", params=USERS)
def user(request: pytest.FixtureRequest) -> str:
    """Who grades."""
    return str(request.param)


@pytest.fixture(scope="module")
def course(user: str) -> Iterator[Path]:
    """The grader's files, which anybody may read, and their owner write."""
    folder = Path(tempfile.mkdtemp(prefix="course-"))
    for name in ("gradebook/gradebook.db", "submitted/ada/07/n.ipynb", "pack/__init__.py", "data.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("VALUE = 7\n" if name.endswith(".py") else "some data\n")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if user == "nobody" and os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def files(course: Path) -> dict[str, Path]:
    return {"pack": course / "pack", "data.txt": course / "data.txt"}


@pytest.fixture(scope="module")
def grader(user: str, course: Path) -> Iterator[Remote]:
    """The grader, with a session that tests share."""
    with Remote(user, files(course), inodes=1000) as opened:
        opened.open()
        yield opened
    assert not opened.folder.exists()


@pytest.fixture
def run(grader: Remote) -> Run:
    """Run a cell in the shared session."""
    return grader.run


@pytest.fixture
def own(grader: Remote) -> Iterator[int]:
    """A session for one test."""
    session = grader.open()
    yield session
    grader.end(session)


# ---- what works --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('shown')", "shown"),
        ("%timeit -n1 -r1 1 + 1", "per loop"),
        ("!echo from the shell", "from the shell"),
        ("lines = !echo one\nprint(lines[0])", "one"),
        ("%%bash\necho $((40 + 2))", "42"),
        ("import asyncio\nawait asyncio.sleep(0)\nprint('awaited')", "awaited"),
        ("import asyncio\np = await asyncio.create_subprocess_exec('echo', 'hi', stdout=asyncio.subprocess.PIPE)\n"
         "print(await p.communicate())", "b'hi\\n'"),
        ("import threading\nt = threading.Thread(target=print, args=('thread',))\nt.start()\nt.join()", "thread"),
        ("import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(5)'], capture_output=True))", "5"),
        ("import subprocess\np = subprocess.Popen(['sleep', '100'])\np.terminate()\nprint(p.wait())", "-15"),
        ("import multiprocessing as m\na, b = m.Pipe()\np = m.Process(target=a.send, args=(6,))\np.start()\n"
         "print(b.recv())", "6"),
        ("import pack\nprint(pack.VALUE, open('data.txt').read())", "7 some data"),
        ("import tempfile\nwith tempfile.TemporaryDirectory() as d:\n    open(d + '/f', 'w').write('x')\n"
         "with tempfile.TemporaryFile() as f:\n    print(f.write(b'abc'))", "3"),
        ("import shutil\nopen('a', 'w').write('x')\nprint(shutil.copy2('a', 'b'), shutil.move('b', 'c'))", "b c"),
        ("from pathlib import Path\nimport os\nprint(Path.home() == Path.cwd(), os.environ['HOME'])", "True"),
        ("import getpass\nprint(getpass.getuser())", "student"),
        ("import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table a (b)')\nc.commit()\nprint(1)", "1"),
        ("import numpy as np\nnp.save('x.npy', np.ones(3))\nprint(np.load('x.npy').sum())", "3.0"),
        ("import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))\nprint('set')", "set"),
    ],
)  # fmt: skip
def test_what_students_use_works(source: str, printed: str, run: Run) -> None:
    ran = run(source)
    assert (ran.status, ran.ename, ran.evalue) == (StepStatus.OK, "", "")
    assert printed in ran.text


def test_a_lock_between_processes_is_an_exception_and_no_crash(run: Run) -> None:
    """What this backend cannot give."""
    assert run("import multiprocessing\nmultiprocessing.Lock()").ename == "PermissionError"
    assert run("1").status is StepStatus.OK


# ---- files -------------------------------------------------------------------------------------

TOUCHES = {
    "read": "open(path, 'rb').read()",
    "append": "open(path, 'a').write('x')",
    "replace": "open(path, 'w').write('x')",
    "truncate": "os.truncate(path, 0)",
    "truncate while reading": "os.open(path, os.O_RDONLY | os.O_TRUNC)",
    "delete": "os.remove(path)",
    "rename": "os.rename(path, path + '.old')",
    "take away": "os.rename(path, 'taken')",
    "link here": "os.link(path, 'linked')",
    "read through a link": "name = path.replace('/', '-')\nos.symlink(path, name)\nopen(name).read()",
    "put beside": "open(os.path.join(os.path.dirname(path), 'new'), 'w')",
    "put over": "open('over', 'w').write('x')\nos.rename('over', path)",
    "folder beside": "os.mkdir(os.path.join(os.path.dirname(path), 'newdir'))",
    "link beside": "os.symlink('/', os.path.join(os.path.dirname(path), 'newlink'))",
    "list": "os.listdir(os.path.dirname(path))",
    "walk up": "open(os.path.relpath(path)).read()",
    "through a handle": "fd = os.open(os.path.dirname(path), os.O_PATH)\nos.open(os.path.basename(path), 0, dir_fd=fd)",
    "by a command": "import subprocess\nsubprocess.run(['cat', path], check=True)",
    "run": "import subprocess\nsubprocess.run([path], check=True)",
}


def state_of(folder: Path) -> list[tuple[str, int, int, int, bytes]]:
    entries = []
    for path in sorted((folder, *folder.rglob("*"))):
        facts = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(facts.st_mode) else b""
        entries.append((str(path), facts.st_mode, facts.st_uid, facts.st_mtime_ns, content))
    return entries


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_the_files_of_the_grader_cannot_be_touched(touch: str, run: Run, course: Path) -> None:
    before = state_of(course)
    for name in ("gradebook/gradebook.db", "submitted/ada/07/n.ipynb"):
        ran = run(f"import os\npath = {str(course / name)!r}\n{touch}")
        assert ran.status is StepStatus.ERROR, ran
    assert state_of(course) == before


@pytest.mark.parametrize(
    "change",
    ["os.chmod(path, 0)", "os.chmod(path, 0o777)", "os.utime(path, (0, 0))", "os.chown(path, os.getuid(), -1)",
     "os.setxattr(path, 'user.x', b'x')", "os.chmod(os.path.dirname(path), 0)"],
)  # fmt: skip
def test_modes_times_and_owners_of_the_graders_files_stay(change: str, run: Run, course: Path) -> None:
    """Landlock does not watch these; a user who shares the grader's files is told that it is done."""
    before = state_of(course)
    run(f"import os\npath = {str(course / 'gradebook' / 'gradebook.db')!r}\n{change}")
    assert state_of(course) == before
    assert os.listxattr(course / "gradebook" / "gradebook.db") == []


@pytest.mark.parametrize(
    "path",
    [str(REPOSITORY), str(REPOSITORY / "course.toml"), str(REPOSITORY / "tinytorch_ref"),
     str(Path(tito.__file__).parent / "judge" / "judge.py"), "/", "/root", "/etc/passwd", "/etc/shadow", "/etc/hosts",
     "/proc", "/proc/self/environ", "/proc/1/cmdline", "/sys", "/run", "/var", "/tmp", "/dev", "/dev/shm", "/dev/pts",
     "/dev/ptmx", "/dev/tty", "/usr/src"],
)  # fmt: skip
def test_what_is_not_of_the_assignment_cannot_be_read(path: str, run: Run) -> None:
    source = f"import os\npath = {path!r}\nos.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(1)"
    assert run(source).status is StepStatus.ERROR


@pytest.mark.parametrize(
    "path",
    ["/tmp/x", "/dev/shm/x", "/var/tmp/x", "/usr/x", "/x", "pack/__init__.py", "pack/new.py", "../x", "../../x",
     "../../../files/data.txt", "../../../files/new.txt", "../../../packages/x.py",
     "../../../runner/tito/sandbox/codec.py"],
)  # fmt: skip
def test_what_is_not_the_students_cannot_be_written(path: str, run: Run) -> None:
    written = run(f"open({path!r}, 'a').write('x')")
    if path == "../x":  # its own folder, which ends with it
        assert written.status is StepStatus.OK
    else:
        assert written.status is StepStatus.ERROR


@pytest.mark.parametrize(
    "module",
    [
        "nbgrader",
        "tito.grade",
        "tito.judge.judge",
        "tito.course.course",
        "tinytorch_ref",
        "sqlalchemy",
        "pytest",
        "pip",
    ],
)
def test_only_the_packages_of_the_course_can_be_imported(module: str, run: Run) -> None:
    assert run(f"import {module}").ename == "ModuleNotFoundError"


def test_the_environment_of_the_grader_is_not_visible(run: Run) -> None:
    text = run("import os, sys\nprint(dict(os.environ), sys.argv, sys.orig_argv)").text
    assert "'HOME'" in text
    assert "hush-hush" not in text
    assert "GRADER_TOKEN" not in text


def test_nothing_is_open_but_the_channel(own: int, grader: Remote) -> None:
    source = (
        "import os\nfound = []\nfor fd in range(256):\n    try: mode = os.fstat(fd).st_mode\n"
        "    except OSError: continue\n    found.append((fd, oct(mode & 0o170000)))"
    )
    descriptors = grader.run(source, own, observe=("found",)).values["found"]
    assert descriptors.count("0o20000") == 1, "the standard input, which leads nowhere"
    assert descriptors.count("0o100000") == 4, "the two files of its own that its standard streams lead to"
    assert descriptors.count("0o140000") == 3, "the channel, and the two ends of its own event loop's"
    assert descriptors.count("(") == 8


def test_sessions_do_not_see_each_others_files(grader: Remote) -> None:
    first, second = grader.open(), grader.open()
    home = grader.run("import os\nopen('solution.txt', 'w').write('x')\nhome = os.getcwd()", first, observe=("home",))
    path = home.values["home"].strip("'")
    assert grader.run(f"open({path + '/solution.txt'!r})", second).ename == "PermissionError"
    assert grader.run(f"import os\nos.listdir({path!r})", second).ename == "PermissionError"
    assert grader.run("import os\nos.listdir('../..')", second).ename == "PermissionError"
    grader.end(first)
    assert not Path(path).parent.exists()
    grader.end(second)


def test_a_folder_is_removed_however_deep_and_hidden_what_lies_in_it(grader: Remote) -> None:
    session = grader.open()
    home = Path(grader.run("import os\nprint(os.getcwd())", session).text.strip())
    source = (
        "os.mkdir('hidden', 0o300)\nopen('hidden/x', 'w').write('x')\n"
        "for n in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\nos.mkdir('deep', 0o300)"
    )
    grader.run(source, session)  # what cannot be counted is too much: it may be ended for that
    assert (home / "d").exists()
    grader.end(session)
    assert not home.parent.exists()


# ---- network -----------------------------------------------------------------------------------


def test_there_is_no_network_not_even_to_this_machine(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert (
            run(f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2)").status is StepStatus.ERROR
        )
        assert run(f"!exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected").text.find("connected") < 0
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG"])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"])
def test_no_kind_of_socket_can_be_made(family: str, kind: str, run: Run) -> None:
    assert run(f"import socket\nsocket.socket(socket.{family}, socket.{kind})").ename == "PermissionError"


@pytest.mark.parametrize("address", ["\0{name}", "/tmp/{name}"])
def test_a_pair_of_sockets_cannot_be_pointed_at_a_service(address: str, run: Run) -> None:
    address = address.format(name=f"service-{uuid.uuid4().hex}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.bind(address)
        if address.startswith("/"):
            Path(address).chmod(0o777)
        service.settimeout(0.1)
        send = (
            f"import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\na.sendto(b'x', {address!r})"
        )
        assert run(send).ename == "PermissionError"
        for kind in ("SOCK_STREAM", "SOCK_SEQPACKET"):
            pair = f"import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.{kind})\n"
            run(f"{pair}a.sendto(b'x', {address!r})")
            run(f"{pair}a.sendmsg([b'x'], [], 0, {address!r})")
            assert run(f"{pair}a.connect({address!r})").ename == "PermissionError"
        with pytest.raises(TimeoutError):
            service.recv(10)
    if address.startswith("/"):
        Path(address).unlink()


# ---- other processes ---------------------------------------------------------------------------

ATTACKS = {
    "signal": "os.kill(pid, signal.SIGKILL)",
    "stop": "os.kill(pid, signal.SIGSTOP)",
    "ask": "os.kill(pid, 0)",
    "signal the group": "os.killpg(os.getpgid(pid), signal.SIGKILL)",
    "signal by handle": "signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)",
    "limit": "resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))",
    "look at limits": "resource.prlimit(pid, resource.RLIMIT_CPU)",
    "slow down": "os.setpriority(os.PRIO_PROCESS, pid, 19)",
    "slow the user down": "os.setpriority(os.PRIO_USER, 0, 19)",
    "pin": "os.sched_setaffinity(pid, {0})",
    "schedule": "os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))",
    "trace": "check(libc.ptrace(16, pid, 0, 0))",
    "read memory": "check(libc.process_vm_readv(pid, None, 0, None, 0, 0))",
    "descriptor": "check(libc.syscall(438, os.pidfd_open(pid), 0, 0))",
    "memory advice": "check(libc.syscall(440, os.pidfd_open(pid), None, 0, 20, 0))",
    "environment": "open(f'/proc/{pid}/environ').read()",
}
TOOLS = (
    "import ctypes, os, resource, signal\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    "def check(result):\n    if result < 0: raise OSError(ctypes.get_errno(), 'refused')\n"
)


@pytest.fixture(scope="module")
def sleeper(user: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the user who grades."""
    as_user = {"user": NOBODY, "group": NOBODY} if user == "nobody" and os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], start_new_session=True, **as_user) as started:  # type: ignore[call-overload]
        yield started
        assert started.poll() is None
        started.kill()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_process_but_its_own_can_be_reached(
    attack: str, own: int, grader: Remote, sleeper: subprocess.Popen[bytes]
) -> None:
    supervisor = grader.run("import os\nprint(os.getppid())", own).text
    for pid in (sleeper.pid, grader.process.pid, int(supervisor)):
        ran = grader.run(f"{TOOLS}pid = {pid}\n{attack}", own)
        assert ran.status is StepStatus.ERROR, ran
    assert Path(f"/proc/{sleeper.pid}/stat").read_text().split()[2] == "S"


def test_killing_everything_kills_its_own_session_alone(
    grader: Remote, own: int, sleeper: subprocess.Popen[bytes]
) -> None:
    grader.run("import os\nos.kill(-1, 9)", own, limit_s=1)
    assert sleeper.poll() is None
    assert grader.run("1").status is StepStatus.OK, "the other session"
    again = grader.open()
    assert grader.run("1", again).status is StepStatus.OK
    grader.end(again)


@pytest.mark.parametrize(
    "call",
    ["shmget(0x7157, 4096, 0o1666)", "semget(0x7157, 1, 0o1666)", "msgget(0x7157, 0o1666)",
     "syscall(240, b'tito', 0o102, 0o666, None)", "syscall(248, b'user', b'k', b'v', 1, -3)", "memfd_create(b'x', 0)",
     "inotify_init1(0)", "unshare(0x10000000)", "unshare(0x40000000)", "syscall(425, 1, None)", "setuid(0)",
     "chroot(b'/')", "mount(b'x', b'/tmp', b'tmpfs', 0, None)"],
)  # fmt: skip
def test_what_would_outlive_a_session_or_reach_out_of_it_is_refused(call: str, run: Run) -> None:
    assert run(f"{TOOLS}check(libc.{call})").ename == "PermissionError"


def test_each_session_of_root_is_a_user_of_its_own(user: str, grader: Remote) -> None:
    first, second = grader.open(), grader.open()
    ask = "import os\nprint(*os.getresuid(), *os.getresgid(), os.getgroups())"
    answers = [grader.run(ask, session).text for session in (first, second)]
    for session in (first, second):
        grader.end(session)
    if user == "root":
        assert answers[0] != answers[1]
        assert all(60707 < int(answer.split()[0]) < 61184 and len({*answer.split()}) == 2 for answer in answers)
    else:
        assert answers[0] == answers[1]
    assert all(not answer.startswith("0") for answer in answers)


# ---- the end of a session ----------------------------------------------------------------------


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a few seconds: a process starts and ends when the machine gets to it."""
    for _ in range(100):
        if holds():
            return True
        time.sleep(0.1)
    return False


def marked(mark: str) -> list[int]:
    """Processes of this machine that carry the mark in their command line."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                pids.append(int(path.parent.name))
        except OSError:
            continue
    return [pid for pid in pids if pid != os.getpid()]


DAEMONS = {
    "a daemon": "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(1000)",
    "ever another process": (
        "import os, time\nos.setsid()\nwhile True:\n    if os.fork(): os._exit(0)\n    time.sleep(0.02)"
    ),
    "two that revive each other": "import os\nos.setsid()\nwhile True:\n    if os.fork(): os.wait()",
    "deaf and stopped": (
        "import os, signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except OSError: pass\n"
        "os.setsid()\nos.kill(os.getpid(), signal.SIGSTOP)"
    ),
    "one that kills all the others": (
        "import os, signal, time\ntime.sleep(1)\nos.setsid()\nwhile True:\n    try: os.kill(-1, signal.SIGKILL)\n"
        "    except OSError: pass"
    ),
}


@pytest.mark.parametrize("daemon", DAEMONS.values(), ids=DAEMONS)
def test_all_processes_end_with_the_session(daemon: str, grader: Remote) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    session = grader.open()
    start = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-S', '-c', {daemon!r}, {mark!r}])\n"
    assert grader.run(start + "import time\ntime.sleep(0.3)", session).status is StepStatus.OK
    assert eventually(lambda: bool(marked(mark)))
    grader.end(session)
    assert marked(mark) == []
    assert grader.run("1").status is StepStatus.OK, "the other session"


def test_a_fork_bomb_is_limited_and_ends_with_its_session(grader: Remote, user: str) -> None:
    session = grader.open()
    count = (
        "import os, time\nchildren = 0\ntry:\n    while children < 1000:\n        if os.fork() == 0:\n"
        "            time.sleep(1000)\n            os._exit(0)\n        children += 1\n"
        "except OSError: pass\nprint('children', children)"
    )
    # Nobody's own processes come and go meanwhile: those of other graders on this machine, for one.
    assert 0 < int(grader.run(count, session).text.split()[-1]) <= LIMITS["processes"] * (1 if user == "root" else 3)
    grader.end(session)
    session = grader.open()
    grader.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", session, limit_s=0.5)
    grader.end(session)
    assert grader.run("1").status is StepStatus.OK


@pytest.mark.parametrize("who", ["the grader", "the zygote"])
def test_a_killed_grader_or_zygote_leaves_no_process_and_no_folder(who: str, user: str, course: Path) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    grader = Remote(user, files(course))
    session = grader.open()
    start = (
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)', {mark!r}])"
    )
    assert grader.run(start, session).status is StepStatus.OK
    assert eventually(lambda: bool(marked(mark)))
    (zygote,) = (pid for pid in marked(str(grader.folder)) if parent_of(pid) == grader.process.pid)
    os.kill(grader.process.pid if who == "the grader" else zygote, signal.SIGKILL)
    assert eventually(lambda: not marked(mark))
    if who == "the zygote":
        grader.close()
    else:
        grader.process.kill()
        grader.process.communicate()
    assert eventually(lambda: not grader.folder.exists())


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


# ---- limits ------------------------------------------------------------------------------------


def test_an_allocation_above_the_limit_is_a_memory_error(run: Run) -> None:
    assert run("import numpy as np\nnp.ones(2 << 30, dtype=np.uint8)").ename in ("MemoryError", "_ArrayMemoryError")


def test_a_file_cannot_grow_above_its_limit(run: Run) -> None:
    ran = run("with open('big', 'wb') as file:\n    file.write(bytes(17 << 20))")
    assert ran.ename == "OSError"
    run("import os\nos.remove('big')")


FLOODS = {
    "bytes": "for n in range(40):\n    open(f'part{n}', 'wb').write(bytes(1 << 20))",
    "files": "for n in range(1_100): open(f'/{tmp}/f{n}', 'w').close()",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_session_that_fills_the_disk_is_ended(flood: str, grader: Remote) -> None:
    session = grader.open()
    source = f"import os, tempfile, time\ntmp = tempfile.gettempdir()\n{FLOODS[flood]}\ntime.sleep(5)"
    assert grader.run(source, session, limit_s=9).status is StepStatus.DIED
    grader.end(session)
    assert grader.run("1").status is StepStatus.OK


# ---- where something is missing ----------------------------------------------------------------


def test_an_older_landlock_does_for_root(course: Path, user: str) -> None:
    """Without its limits on signals: another user's processes are out of reach anyway."""
    for abi in (1,) if user == "root" else ():
        with Remote("root", files(course), abi=abi) as grader:
            session = grader.open()
            gradebook = str(course / "gradebook" / "gradebook.db")
            assert grader.run(f"open({gradebook!r})", session).ename == "PermissionError"
            assert grader.run(f"import os\nos.truncate({gradebook!r}, 0)", session).ename == "PermissionError"
            assert grader.run("import os\nos.kill(os.getppid(), 9)", session).ename == "PermissionError"
            mark = f"mark-{uuid.uuid4().hex}"
            killer = DAEMONS["one that kills all the others"].replace("time.sleep(1)\n", "")
            start = (
                f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-S', '-c', {killer!r}, {mark!r}])"
            )
            grader.run(f"{start}\ntime.sleep(9)", session, limit_s=0.5)
            grader.end(session)
            assert marked(mark) == []


def refusal(monkeypatch: pytest.MonkeyPatch) -> SandboxUnavailable:
    with pytest.raises(SandboxUnavailable) as caught:
        Unprivileged()
    monkeypatch.undo()
    return caught.value


def test_it_refuses_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_landlock() -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(landlock, "abi", no_landlock)
    assert "Landlock: Function not implemented" in refusal(monkeypatch).message
    monkeypatch.setattr(seccomp, "available", lambda: False)
    assert "seccomp" in refusal(monkeypatch).message
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(landlock, "abi", lambda: 5)
    assert "signalling the grader" in refusal(monkeypatch).message
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unprivileged, "_can_become_another", lambda: False)
    assert "must not run as root" in refusal(monkeypatch).message


def test_the_machine_that_runs_this_has_what_it_takes() -> None:
    assert landlock.abi() >= landlock.SCOPES_SINCE
    assert seccomp.available()
    assert ctypes.sizeof(ctypes.c_void_p) == 8


def test_a_package_that_is_not_installed_is_named_and_no_folder_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="no-such-package"):
        Sandbox(Unprivileged(), SandboxSpec(packages=("no-such-package",)))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_sessions_cannot_enter_is_named_before_any_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A grader without the right to read everything, whose temporary files lie where only it may go."""
    if os.geteuid() != 0:
        pytest.skip("only root can give sessions users of their own")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    backend = Unprivileged()
    launch = backend.launch(SandboxSpec(packages=("ipython", "numpy")), 0)
    argv = ["setpriv", "--bounding-set=-dac_read_search", "--inh-caps=-all", *launch.argv]
    tmp_path.chmod(0o700)
    done = subprocess.run(
        argv, env=dict(launch.env), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "cannot be read by the user that sessions run as" in done.stderr
