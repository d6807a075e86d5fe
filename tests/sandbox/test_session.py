"""A started sandbox: what works in it as in a notebook, what is refused, and what is limited."""

from __future__ import annotations

import base64
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tito
from tito.errors import SandboxUnavailable
from tito.models import Limits
from tito.plan.compile import compiled_section
from tito.sandbox.bubblewrap import Bubblewrap
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.session import Session
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.steps import Ran, Step
from tito.sandbox.unconfined import Unconfined
from tito.sandbox.zygote_client import Sandbox

LIMITS = Limits(cell_timeout_s=10, memory_mb=1024, scratch_mb=16, processes=24, output_kb=64)
PACKAGES = ("ipython", "matplotlib", "numpy")
REPOSITORY = Path(tito.__file__).resolve().parent.parent

Run = Callable[[str], Ran]


def text_of(ran: Ran) -> str:
    return "".join(str(output.get("text", "")) for output in ran.outputs)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SandboxSpec:
    folder = tmp_path_factory.mktemp("course-secret") / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("VALUE = 7\n")
    data = folder.parent / "data.txt"
    data.write_text("some data\n")
    for path in (folder, folder / "__init__.py", data):  # as `tito` makes them: closed to others, and so to sessions
        path.chmod(0o700 if path.is_dir() else 0o600)
    return SandboxSpec(((folder, "pack"), (data, "data.txt")), PACKAGES, limits=LIMITS)


@pytest.fixture(scope="module")
def sandbox(place: SandboxSpec) -> Iterator[Sandbox]:
    with Sandbox(Bubblewrap(), place) as opened:
        yield opened
        assert not opened.closed


@pytest.fixture(scope="module")
def shared() -> Iterator[list[Session]]:
    sessions: list[Session] = []
    yield sessions
    for session in sessions:
        session.close()


@pytest.fixture
def session(shared: list[Session], sandbox: Sandbox) -> Session:
    """A session that tests share which neither end it nor leave names that others read; a new one if it was ended."""
    if not shared or shared[-1].notebook.over:
        shared.append(sandbox.session())
    return shared[-1]


@pytest.fixture
def own(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session for one test, with a grader of little patience."""
    monkeypatch.setattr("tito.sandbox.time_allowance.GRACE_S", 0.5)
    with sandbox.session(branches=2) as opened:
        yield opened


@pytest.fixture
def run(session: Session) -> Run:
    """Run a cell in the shared session."""

    def cell(source: str) -> Ran:
        ran = session.notebook.run(source, 10)
        assert not session.notebook.over
        return ran

    return cell


# ---- what works as in a notebook ---------------------------------------------------------------


def test_the_last_expression_is_the_cells_result(run: Run) -> None:
    ran = run("1 + 1")
    assert [(output["output_type"], output["data"]["text/plain"]) for output in ran.outputs] == [
        ("execute_result", "2")
    ]
    assert run("1 + 1;").outputs == ()


def test_display_and_rich_representations_arrive(run: Run) -> None:
    ran = run(
        "from IPython.display import display, Markdown\n"
        "class Rich:\n"
        "    def _repr_html_(self): return '<b>rich</b>'\n"
        "display(Markdown('*shown*'))\n"
        "Rich()"
    )
    first, second = ran.outputs
    assert (first["output_type"], first["data"]["text/markdown"]) == ("display_data", "*shown*")
    assert (second["output_type"], second["data"]["text/html"]) == ("execute_result", "<b>rich</b>")


def test_a_figure_is_shown_inline_as_a_png(run: Run) -> None:
    ran = run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert ran.status is StepStatus.OK, ran
    pictures = [output["data"]["image/png"] for output in ran.outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 1
    assert base64.b64decode(pictures[0]).startswith(b"\x89PNG")


def test_a_figure_stays_open_through_the_sections_of_a_test_and_is_shown_at_its_end(run: Run, session: Session) -> None:
    def section(source: str) -> Ran:
        session.notebook.send([Step(code=compiled_section(source))], 10)
        return session.notebook.receive()

    def shown() -> int:
        session.notebook.send([Step("show")], 10)
        ran = session.notebook.receive()
        assert ran.status is StepStatus.OK
        return sum("image/png" in output.get("data", {}) for output in ran.outputs)

    run("import matplotlib.pyplot as plt\ndrawn = []\n")
    figure = "figure = plt.figure()\nfigure.canvas.mpl_connect('draw_event', drawn.append)\nplt.plot([1, 2])\n"
    assert section(figure).outputs == ()
    assert section("assert plt.gcf() is figure and not drawn\n").status is StepStatus.OK
    assert shown() == 1
    assert section("assert not plt.get_fignums() and len(drawn) <= 2\n").status is StepStatus.OK
    assert section(figure).status is section("plt.close(figure)\n").status is StepStatus.OK
    assert shown() == 0


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("%timeit -n1 -r1 1 + 1", "per loop"),
        ("%%capture kept\nprint('caught')", ""),
        ("!echo from the shell", "from the shell"),
        ("lines = !echo one\nprint(lines[0])", "one"),
        ("import asyncio\nawait asyncio.sleep(0)\nprint('awaited')", "awaited"),
        ("import sys\nprint('to stderr', file=sys.stderr)", "to stderr"),
        ("import threading\nt = threading.Thread(target=print, args=('thread',))\nt.start()\nt.join()", "thread"),
        ("import subprocess\nprint(subprocess.run(['echo', 'child'], capture_output=True).stdout)", "child"),
        ("from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor(2) as pool:\n"
         "    print(list(pool.map(abs, [-1, -2])))", "[1, 2]"),
        ("import pack\nprint(pack.VALUE, open('data.txt').read())", "7 some data"),
        ("open('mine.txt', 'w').write('kept')\nprint(open('mine.txt').read())", "kept"),
        ("import tempfile\nwith tempfile.TemporaryFile() as f:\n    print(f.write(b'abc'))", "3"),
        ("from pathlib import Path\nimport os\nprint(Path.home() == Path.cwd(), os.environ['HOME'])", "True"),
        ("print('umlaut ä, λ, 🙂')", "ä, λ, 🙂"),
        ("import logging\nlogging.getLogger('x').warning('logged')", "logged"),
        ("%%bash\necho $((40 + 2))", "42"),
        ("%matplotlib inline\nprint('inline')", "inline"),
    ],
)  # fmt: skip
def test_what_students_use_works(source: str, printed: str, run: Run) -> None:
    ran = run(source)
    assert (ran.status, ran.ename, ran.evalue) == (StepStatus.OK, "", "")
    assert printed in text_of(ran)


def test_state_is_kept_from_cell_to_cell(run: Run) -> None:
    run("kept_from_before = 41")
    assert run("kept_from_before + 1").outputs[0]["data"]["text/plain"] == "42"


def test_a_warning_is_shown_and_is_no_error(run: Run) -> None:
    ran = run("import warnings\nwarnings.warn('careful')\nprint('went on')")
    assert ran.status is StepStatus.OK
    assert "careful" in text_of(ran)
    assert "went on" in text_of(ran)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("def f(a, a): pass", "SyntaxError"),
        ("input('name? ')", "StdinNotAvailable"),
        ("import getpass\ngetpass.getpass()", "EOFError"),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise BaseException('x')", "BaseException"),
        ("def f(): return f()\nf()", "RecursionError"),
    ],
    ids=lambda source: source[:30],
)
def test_errors_come_back_by_name_and_the_notebook_goes_on(source: str, name: str, run: Run) -> None:
    ran = run(source)
    assert (ran.status, ran.ename) == (StepStatus.ERROR, name)
    assert run("1").status is StepStatus.OK


def test_an_error_that_cannot_be_printed_is_an_error_like_any_other(run: Run) -> None:
    ran = run("class Bad(Exception):\n    def __str__(self): raise ValueError\nraise Bad")
    assert ran.status is StepStatus.ERROR
    assert run("1").status is StepStatus.OK


@pytest.mark.parametrize("source", ["exit()", "quit()", "exit"])
def test_leaving_the_notebook_is_survived(source: str, run: Run) -> None:
    run(source)
    assert run("1").status is StepStatus.OK


ODD_CELLS = {
    "a long sum": "x = " + "+".join(["1"] * 3000),
    "deeply nested": "x = " + "-" * 50_000 + "1",
    "stdout taken away": "import sys\nsys.stdout = None",
    "stderr taken away": "import sys\nsys.stderr = 3",
    "a hook that fails": "get_ipython().events.register('post_run_cell', lambda: 1 / 0)",
    "an input transformer that fails": "get_ipython().input_transformers_cleanup.append(lambda lines: 1 / 0)",
    "a display hook that fails": "import sys\nsys.displayhook = None\n1",
    "an error handler that fails": "get_ipython().showtraceback = None\n1 / 0",
}


@pytest.mark.parametrize("source", ODD_CELLS.values(), ids=ODD_CELLS)
def test_what_breaks_the_shell_does_not_end_the_notebook(source: str, own: Session) -> None:
    assert own.notebook.run(source, 1).status in (StepStatus.OK, StepStatus.ERROR)
    assert own.notebook.run("x = 1", 1).status in (StepStatus.OK, StepStatus.ERROR)


# ---- observations ------------------------------------------------------------------------------


def test_plain_values_of_the_asked_names_come_back_and_others_are_refused_with_a_reason(session: Session) -> None:
    ran = session.notebook.run("a, b, c = [1, 2.5], object(), {3}", 5, ("a", "b", "c", "never_set"))
    assert ran.values == {"a": [1, 2.5], "c": {3}}
    assert set(ran.refused) == {"b", "never_set"}
    assert "cannot cross" in ran.refused["b"]


def test_an_object_that_never_lets_itself_be_looked_at_is_refused(session: Session) -> None:
    source = (
        "class Endless(list):\n    def __iter__(self):\n        while True: yield 1\n"
        "class Raising(list):\n    def __iter__(self): raise RuntimeError('no')\n"
        "a, b, c = Raising([1]), 5, Endless([1])"
    )
    ran = session.notebook.run(source, 5, ("a", "b", "c"))
    assert ran.values == {"b": 5}
    assert set(ran.refused) == {"a", "c"}


# ---- what is refused ---------------------------------------------------------------------------


def denied(run: Run, source: str) -> None:
    ran = run(source)
    assert ran.status is StepStatus.ERROR, text_of(ran)


def test_there_is_no_network_not_even_to_this_machine(run: Run) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    try:
        port = server.getsockname()[1]
        denied(run, f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2)")
        denied(run, "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=2)")
    finally:
        server.close()


@pytest.mark.parametrize(
    "path",
    [
        str(REPOSITORY),
        str(REPOSITORY / "course.toml"),
        str(REPOSITORY / "source"),
        str(REPOSITORY / "tinytorch_ref"),
        str(Path(tito.__file__).parent / "judge" / "judge.py"),
        "/root/.bashrc",
        "/root/.ssh",
        "/etc/shadow",
        "/etc/hosts",
        "/opt/runner/tito/grade",
        "/sys",
        "/run",
        "/var",
        "/proc/kcore",
    ],
)
def test_what_is_not_of_the_assignment_cannot_be_read(path: str, run: Run) -> None:
    source = f"import os\npath = {path!r}\nos.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(1)"
    denied(run, source)


def test_the_real_folder_of_the_assignment_is_not_there(run: Run, place: SandboxSpec) -> None:
    denied(run, f"import os\nos.listdir({str(place.files[0][0].parent)!r})")


@pytest.mark.parametrize(
    "module",
    ["nbgrader", "tito.grade", "tito.judge.judge", "tito.course.course", "tito.author", "tinytorch_ref", "pandas",
     "sqlalchemy", "pytest", "pip", "setuptools", "click"],
)  # fmt: skip
def test_only_the_packages_of_the_course_can_be_imported(module: str, run: Run) -> None:
    ran = run(f"import {module}")
    assert ran.ename == "ModuleNotFoundError"


@pytest.mark.parametrize(
    "path",
    ["/usr/x", "/etc/passwd", "/opt/runner/tito/x.py", "/opt/runner/tito/sandbox/runner.py",
     "/opt/notebook/numpy/__init__.py", "/opt/notebook/planted.py"],
)  # fmt: skip
def test_what_is_not_the_students_cannot_be_written(path: str, run: Run) -> None:
    denied(run, f"open({path!r}, 'a').write('x')")


def test_no_setting_of_the_machine_can_be_opened_for_writing(run: Run) -> None:
    """Inside, a grader that is root maps to nobody; the kernel still lets it write /proc/sys if that is mounted so."""
    ran = run(
        "import os\nopened = []\nfor folder, _, names in os.walk('/proc/sys'):\n    for name in names:\n"
        "        try: os.close(os.open(os.path.join(folder, name), os.O_WRONLY))\n        except OSError: continue\n"
        "        opened.append(name)\nprint(len(opened), 'core_pattern' in opened)"
    )
    assert text_of(ran) == "0 False\n"


def test_the_environment_of_the_grader_is_not_visible(monkeypatch: pytest.MonkeyPatch, place: SandboxSpec) -> None:
    monkeypatch.setenv("GRADER_TOKEN", "hush-hush")
    with Sandbox(Bubblewrap(), place) as sandbox, sandbox.session() as session:
        ran = session.notebook.run(
            "import os, glob\n"
            "for name in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):\n"
            "    try: print(name, open(name, 'rb').read())\n"
            "    except OSError: pass\n"
            "print(dict(os.environ))",
            5,
        )
    text = text_of(ran)
    assert "'HOME'" in text
    assert "hush-hush" not in text
    assert "GRADER_TOKEN" not in text
    assert str(REPOSITORY) not in text
    assert str(place.files[0][0].parent) not in text


def test_processes_outside_are_not_visible(run: Run) -> None:
    ran = run("import os\nprint(os.getpid(), len([p for p in os.listdir('/proc') if p.isdigit()]))")
    own_pid, count = map(int, text_of(ran).split())
    assert own_pid < 100
    assert count < 10
    denied(run, f"import os\nos.kill({os.getpid()}, 0)")


def test_namespaces_of_the_students_own_open_no_way_out(own: Session) -> None:
    """A fresh /proc in namespaces of their own would give the settings of the machine back to a root grader's code."""
    ran = own.notebook.run(
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nread, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    try:\n"
        "        libc.unshare(0x10000000 | 0x20000 | 0x20000000)\n"
        "        if os.fork() == 0:\n"
        "            os.makedirs('/tmp/p', exist_ok=True)\n"
        "            libc.mount(b'proc', b'/tmp/p', b'proc', 0, None)\n"
        "            os.open('/tmp/p/sys/kernel/core_pattern', os.O_WRONLY)\n"
        "            os.write(write, b'open')\n"
        "            os._exit(0)\n"
        "        os.wait()\n"
        "    finally:\n        os._exit(0)\n"
        "os.wait()\nos.close(write)\nsaid = os.read(read, 10)",
        5,
        ("said",),
    )
    assert ran.values == {"said": b""}


def test_the_student_is_nobody_and_cannot_become_root(run: Run) -> None:
    assert "65534" in text_of(run("import os\nprint(os.getuid())"))
    denied(run, "import os\nos.setuid(0)")
    denied(run, "import os\nos.chroot('/')")


# ---- limits ------------------------------------------------------------------------------------


def test_an_allocation_above_the_limit_is_a_memory_error(run: Run) -> None:
    ran = run("import numpy as np\nnp.ones(2 << 30, dtype=np.uint8)")
    assert ran.ename in ("MemoryError", "_ArrayMemoryError")
    assert run("1").status is StepStatus.OK


def test_an_endless_loop_is_stopped_and_the_next_cell_runs(session: Session) -> None:
    ran = session.notebook.run("while True: pass", 0.3)
    assert (ran.status, ran.ename) == (StepStatus.STOPPED, "CellTimeout")
    assert session.notebook.run("1", 5).status is StepStatus.OK


def test_a_loop_that_swallows_exceptions_is_stopped(session: Session) -> None:
    ran = session.notebook.run("while True:\n    try: pass\n    except Exception: pass", 0.3)
    assert ran.ename == "CellTimeout"


def test_waiting_for_a_processor_does_not_count(own: Session) -> None:
    """On a busy machine work takes longer by the clock than its limit, and is done all the same."""
    others = "import os, subprocess, sys, time\nloop = [sys.executable, '-c', 'while True: pass']\n"
    others += "for _ in range(2 * os.cpu_count()): subprocess.Popen(loop)"
    assert own.notebook.run(others, 5).status is StepStatus.OK
    work = "started, used = time.monotonic(), time.process_time()\n"
    work += "while time.process_time() - used < {}: pass\ntook = time.monotonic() - started"
    # How much of a processor they leave is not ours to say: some of this work is held up, but not twice as long.
    tries = (own.notebook.run(work.format(seconds), 0.6, ("took",)) for seconds in (0.5, 0.4, 0.3, 0.2) * 3)
    assert any(ran.status is StepStatus.OK and ran.values["took"] > 0.6 for ran in tries)


def test_sleeping_is_stopped(session: Session) -> None:
    assert session.notebook.run("import time\ntime.sleep(100)", 0.3).ename == "CellTimeout"


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    try:\n        while True:\n            try: sorted(range(1000))\n            except: pass\n"
        "    except: pass",
        "sum(range(10**13))",
        "import signal as s\nfor one in (s.SIGALRM, s.SIGPROF): s.signal(one, s.SIG_IGN)\nwhile True: pass",
    ],
    ids=["bare except", "a loop in C", "the alarms are ignored"],
)
def test_what_cannot_be_stopped_from_inside_is_given_up_on(source: str, own: Session) -> None:
    assert own.notebook.run(source, 0.3).status is StepStatus.TIMEOUT
    assert own.notebook.run("1", 1).status is StepStatus.TIMEOUT


def test_output_is_cut_where_it_is_produced(run: Run) -> None:
    ran = run("for _ in range(20_000): print('x' * 50)")
    assert ran.status is StepStatus.OK
    assert "output cut" in text_of(ran)
    assert len(text_of(ran)) < 2 * LIMITS.output_kb * 1024
    assert text_of(run("print('the next cell has its own share')")).startswith("the next")


def test_a_display_that_is_too_large_is_cut_too(run: Run) -> None:
    ran = run("from IPython.display import HTML, display\nfor _ in range(50): display(HTML('y' * 5000))\n'z' * 10**6")
    assert ran.status is StepStatus.OK
    assert sum(len(str(output)) for output in ran.outputs) < 2 * LIMITS.output_kb * 1024


def test_a_file_and_a_folder_cannot_grow_above_their_limits(run: Run) -> None:
    denied(run, "with open('/tmp/big', 'wb') as file:\n    file.write(bytes(17 << 20))")
    denied(run, "for n in range(9):\n    open(f'/tmp/part{n}', 'wb').write(bytes(2 << 20))")
    run("import glob, os\nfor name in glob.glob('/tmp/part*') + ['/tmp/big']: os.path.exists(name) and os.remove(name)")


@pytest.mark.parametrize("folder", ["/dev/shm", "/", "/opt", "/home", "/root"])
def test_no_folder_takes_more_than_the_scratch_limit(folder: str, run: Run) -> None:
    fill = f"for n in range(5):\n    open(f'{folder}/part{{n}}'.replace('//', '/'), 'wb').write(bytes(4 << 20))"
    ran = run(fill)
    run(f"import glob, os\nfor name in glob.glob('{folder}/part*'): os.remove(name)")
    assert ran.status is StepStatus.ERROR


def test_processes_are_limited(own: Session) -> None:
    ran = own.notebook.run(
        "import os, time\nchildren = 0\ntry:\n    while children < 1000:\n        if os.fork() == 0:\n"
        "            time.sleep(1000)\n            os._exit(0)\n        children += 1\n"
        "except OSError: pass\nprint('children', children)",
        5,
    )
    assert 0 < int(text_of(ran).split()[-1]) <= LIMITS.processes


def test_all_processes_end_with_the_session(sandbox: Sandbox) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    with sandbox.session() as session:
        start = "import subprocess\nsubprocess.Popen(['sleep', '1000'], env={'MARK': MARK}, start_new_session=True)"
        assert session.notebook.run(start.replace("MARK}", f"{mark!r}}}"), 5).status is StepStatus.OK
        assert eventually(lambda: bool(marked(mark)))
    assert eventually(lambda: not marked(mark))


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a few seconds: a process starts and ends when the machine gets to it."""
    for _ in range(100):
        if holds():
            return True
        time.sleep(0.1)
    return False


def marked(mark: str) -> list[str]:
    """Processes of this machine that carry the mark in their environment."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                pids.append(path.parent.name)
        except OSError:
            continue
    return pids


def test_a_fork_bomb_ends_with_its_session_and_the_next_one_starts(own: Session, sandbox: Sandbox) -> None:
    own.notebook.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", 0.2)
    own.close()
    with sandbox.session() as session:
        assert session.notebook.run("1", 5).status is StepStatus.OK


DEATHS = {
    "exits": "import os\nos._exit(0)",
    "kills itself": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "kills the warden": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(1)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "closes its channel": "import os\nos.closerange(3, 256)",
}


@pytest.mark.parametrize("source", DEATHS.values(), ids=DEATHS)
def test_a_notebook_that_ends_itself_is_told_as_dead_and_not_as_slow(source: str, own: Session) -> None:
    assert own.notebook.run(source, 1).status is StepStatus.DIED
    assert own.notebook.run("1", 1).status is StepStatus.DIED


def test_a_notebook_that_ends_after_it_was_branched_is_told_as_dead_too(own: Session) -> None:
    assert own.notebook.branch(0)
    assert own.notebook.run("import os\nos._exit(0)", 1).status is StepStatus.DIED


def test_a_branch_that_ends_itself_is_told_as_dead_and_not_as_slow(own: Session) -> None:
    assert own.notebook.branch(0)
    assert own.branches[0].run("import os\nos._exit(0)", 1).status is StepStatus.DIED


# ---- branches ----------------------------------------------------------------------------------


def test_a_branch_holds_the_state_at_its_cell_and_is_apart_from_later_cells_and_other_branches(own: Session) -> None:
    first, second = own.branches
    own.notebook.run("items = [1]", 5)
    assert own.notebook.branch(0)
    own.notebook.run("items.append(2)", 5)
    assert own.notebook.branch(1)
    own.notebook.run("items.append(3)", 5)
    assert first.run("items.append('mine')", 5, ("items",)).values == {"items": [1, "mine"]}
    assert second.run("", 5, ("items",)).values == {"items": [1, 2]}
    assert own.notebook.run("", 5, ("items",)).values == {"items": [1, 2, 3]}


def test_branches_outlive_a_notebook_that_exits(own: Session) -> None:
    own.notebook.run("x = 5", 5)
    own.notebook.branch(0)
    own.notebook.run("import os\nos._exit(0)", 1)
    assert own.branches[0].run("", 5, ("x",)).values == {"x": 5}


def test_a_branch_goes_on_with_the_random_numbers_of_its_notebook(own: Session) -> None:
    own.notebook.run("import random\nimport numpy as np\nrandom.seed(3)\nnp.random.seed(3)", 5)
    assert own.notebook.branch(0)
    draw = "drawn = [random.random(), float(np.random.rand())]"
    there = own.branches[0].run(draw, 5, ("drawn",)).values
    assert there == own.notebook.run(draw, 5, ("drawn",)).values


# ---- one session after another -------------------------------------------------------------------


def test_a_session_finds_nothing_that_another_left(sandbox: Sandbox) -> None:
    leave = (
        "import os, builtins, sys, threading, time\nbuiltins.left = 1\nsys.left = 1\n"
        "for folder in ('/tmp', os.path.expanduser('~'), '/dev/shm', '/'):\n"
        "    try: open(folder + '/left', 'w').write('x')\n    except OSError: pass\n"
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
        "import subprocess\nsubprocess.Popen(['sleep', '1000'])"
    )
    look = (
        "import os, builtins, sys\nfound = [f for f in ('/tmp', os.path.expanduser('~'), '/dev/shm', '/')\n"
        "         if os.path.exists(f + '/left')]\n"
        "found += [m for m in (builtins, sys) if hasattr(m, 'left')]\nfound = list(map(str, found))"
    )
    with sandbox.session() as first, sandbox.session() as second:
        assert first.notebook.run(leave, 5).status is StepStatus.OK
        assert second.notebook.run(look, 5, ("found",)).values == {"found": []}
    with sandbox.session() as third:
        assert third.notebook.run(look, 5, ("found",)).values == {"found": []}


def test_random_numbers_that_nobody_seeded_are_the_same_for_everyone(sandbox: Sandbox) -> None:
    draw = "import random\nimport numpy as np\ndrawn = [random.random(), float(np.random.rand())]"
    drawn = []
    for _ in range(2):
        with sandbox.session() as session:
            drawn.append(session.notebook.run(draw, 5, ("drawn",)).values["drawn"])
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("source", [*DEATHS.values(), "import os, signal\nos.kill(-1, signal.SIGKILL)"])
def test_a_session_that_dies_does_not_take_the_sandbox_with_it(source: str, own: Session, sandbox: Sandbox) -> None:
    own.notebook.run(source, 0.5)
    own.close()
    assert not sandbox.closed
    with sandbox.session() as session:
        assert session.notebook.run("1", 5).status is StepStatus.OK


def test_a_session_cannot_see_or_end_the_process_that_it_was_forked_from(own: Session, sandbox: Sandbox) -> None:
    own.notebook.run(
        "import os, signal\nfor pid in range(1, 200):\n    if pid != os.getpid():\n"
        "        try: os.kill(pid, signal.SIGKILL)\n        except OSError: pass",
        2,
    )
    assert not sandbox.closed


def test_no_descriptor_of_the_zygote_reaches_a_session(own: Session) -> None:
    """The control channel in a student's hands would open sessions, and end those of others."""
    ran = own.notebook.run(
        "import os, socket, stat\nkinds = []\nfor fd in range(3, 256):\n"
        "    try: mode = os.fstat(fd).st_mode\n    except OSError: continue\n"
        "    if stat.S_ISSOCK(mode):\n"
        "        with socket.socket(fileno=os.dup(fd)) as one: kinds.append(int(one.type))",
        5,
        ("kinds",),
    )
    assert set(ran.values["kinds"]) == {int(socket.SOCK_STREAM), int(socket.SOCK_SEQPACKET)}
    assert (
        ran.values["kinds"].count(int(socket.SOCK_SEQPACKET)) == 1
    )  # the socket of requests to the session's own warden


# ---- when it cannot be had ---------------------------------------------------------------------


def test_without_bubblewrap_there_is_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable) as caught:
        Bubblewrap()
    assert "apt-get install bubblewrap" in caught.value.hint


def test_a_bubblewrap_that_does_not_work_is_our_fault_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: SandboxSpec
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'no permission to make namespaces' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailable, match="no permission to make namespaces"):
        Sandbox(Bubblewrap(), place).wait()


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(SandboxUnavailable, match="no-such-package"):
        Sandbox(Bubblewrap(), SandboxSpec(packages=("no-such-package",)))


def test_a_sandbox_that_was_killed_says_so_when_it_is_asked_for_a_session(place: SandboxSpec) -> None:
    with Sandbox(Bubblewrap(), place) as sandbox:
        os.killpg(sandbox._process.pid, signal.SIGKILL)
        with pytest.raises(SandboxUnavailable):
            sandbox.session()
        assert sandbox.closed


# ---- without isolation -------------------------------------------------------------------------


def test_unconfined_runs_a_notebook_with_the_same_packages_and_leaves_no_folder(place: SandboxSpec) -> None:
    with Sandbox(Unconfined(), place) as sandbox:
        with sandbox.session(branches=1) as session:
            ran = session.notebook.run("import pack, numpy, os\nhere = os.getcwd()", 5, ("here",))
            assert ran.status is StepStatus.OK, ran
            assert session.notebook.branch(0)
            assert session.branches[0].run("v = pack.VALUE", 5, ("v",)).values == {"v": 7}
            assert session.notebook.run("import nbgrader", 5).ename == "ModuleNotFoundError"
        with sandbox.session() as session:
            assert session.notebook.run("import pack", 5).status is StepStatus.OK
    assert not Path(ran.values["here"]).exists()


# ---- steps that are told ahead, sessions that are prepared ---------------------------------------


def test_steps_are_heard_of_in_their_order_and_what_time_does_not_reach_for_is_not_run(own: Session) -> None:
    cells = ["import time\ntime.sleep(0.3)", "x = 1\ntime.sleep(0.3)", "x = 2", "x = 3"]
    own.notebook.send([Step(source=source) for source in cells], 5, 0.5)
    assert [own.notebook.receive().status for _ in cells] == [
        StepStatus.OK,
        StepStatus.STOPPED,
        StepStatus.NOT_RUN,
        StepStatus.NOT_RUN,
    ]
    assert own.notebook.run("1", 5, ("x",)).values == {"x": 1}


def test_the_cell_that_stops_the_notebook_is_known_when_all_were_told_ahead(own: Session) -> None:
    cells = ["x = 1", "import os\nos._exit(0)", "x = 3"]
    own.notebook.send([Step(source=source) for source in cells], 5)
    assert [own.notebook.receive().status for _ in cells] == [StepStatus.OK, StepStatus.DIED, StepStatus.DIED]


def test_more_cells_than_one_frame_holds_are_told_in_parts(own: Session) -> None:
    noise = "# " + "x" * (1 << 20) + "\n"
    cells = [f"{noise}print('{number}' * 50_000)" for number in range(9)]
    own.notebook.send([Step(source=source) for source in cells], 20)
    assert [text_of(own.notebook.receive())[:1] for _ in cells] == list("012345678")


def test_a_prepared_session_is_a_session_of_its_own(sandbox: Sandbox) -> None:
    with sandbox.session() as first:
        sandbox.prepare()
        assert first.notebook.run("x = 1\nopen('left', 'w').close()", 5).status is StepStatus.OK
    with sandbox.session() as second:
        ran = second.notebook.run("import os\nhere = os.listdir()\nknown = 'x' in globals()", 5, ("here", "known"))
    assert (ran.values["known"], "left" in ran.values["here"]) == (False, False)


def test_a_prepared_session_that_does_not_fit_is_given_up(sandbox: Sandbox) -> None:
    sandbox.settle()
    before = sandbox.living
    sandbox.prepare()
    with sandbox.session(branches=1) as session:
        assert session.notebook.branch(0)
        assert session.branches[0].run("1", 5).status is StepStatus.OK
    sandbox.settle()
    assert sandbox.living == before


def test_a_notebook_without_branches_is_the_only_process_of_its_session(sandbox: Sandbox) -> None:
    with sandbox.session() as alone, sandbox.session(branches=1) as one_of_two:
        values = [
            session.notebook.run("import os\npid = os.getpid()", 5, ("pid",)).values for session in (alone, one_of_two)
        ]
        assert values == [{"pid": 1}, {"pid": 2}]
        ends = alone.notebook.run("import os, signal\nos.abort()", 5)
    assert ends.status is StepStatus.DIED
