"""What measures and limits sessions from outside, on its own: groups, processes, and how steps are told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tito.doctor import _memory
from tito.errors import SandboxUnavailable
from tito.models import Measured, Section
from tito.plan.measuring import require_measuring
from tito.plan.plan import AssignmentPlan, NotebookPlan, TestPlan
from tito.sandbox import cgroup, metering, processes
from tito.sandbox.cgroup import Hierarchies
from tito.sandbox.inside.codec import Channel
from tito.sandbox.metering import GroupMeter, GroupReading, TreeReading
from tito.sandbox.notebook_channel import NotebookChannel
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.steps import Step

# ---- control groups of version 2, as files -----------------------------------------------------


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[cgroup.GroupV2]:
    """A group whose files are what the kernel would give."""
    make_group = cgroup._made_in

    def with_files(parent: Path) -> tuple[Path, int]:
        folder, lock = make_group(parent)
        files = {
            **{"cgroup.procs": "", "memory.max": "max", "memory.swap.max": "max", "memory.current": "0"},
            **{"memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n", "cpu.stat": "usage_usec 0\n"},
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        return folder, lock

    monkeypatch.setattr(cgroup, "_made_in", with_files)
    monkeypatch.setattr(cgroup, "REMOVAL_S", 0.0)
    opened = cgroup.GroupV2(Hierarchies(2, tmp_path, tmp_path), 64)
    yield opened
    opened.remove()


def change(group: cgroup.GroupV2, **files: str) -> None:
    for name, text in files.items():
        (group._folder / name.replace("_", ".", 1)).write_text(text)


def test_a_group_limits_memory_and_what_is_swapped_out(group: cgroup.GroupV2) -> None:
    group.add(17)
    texts = {name: (group._folder / name).read_text() for name in ("cgroup.procs", "memory.max", "memory.swap.max")}
    assert texts == {"cgroup.procs": "17", "memory.max": str(64 << 20), "memory.swap.max": "0ax"}  # a file's rest stays


def test_a_kill_at_the_limit_is_the_session_s_and_one_below_it_the_machine_s(group: cgroup.GroupV2) -> None:
    meter = GroupMeter(group, os.getpid)
    assert (meter.exceeded(), meter.struck(), meter.starved()) == (False, False, False)
    change(group, memory_events="oom 0\noom_kill 1\n")
    assert (meter.exceeded(), meter.struck(), meter.starved()) == (False, False, True)
    change(group, memory_events="oom 3\noom_kill 2\n")
    assert (meter.exceeded(), meter.struck(), meter.starved()) == (True, True, False)
    assert (meter.exceeded(), meter.struck()) == (True, False), "nothing new"
    another = GroupMeter(group, os.getpid)
    assert (another.exceeded(), another.starved()) == (False, False), "the next session's"


def test_a_peak_that_cannot_be_forgotten_is_only_taken_when_it_is_new(group: cgroup.GroupV2) -> None:
    assert not group.forget_peak()
    change(group, memory_current=str(100 << 20), memory_peak=str(500 << 20), cpu_stat="usage_usec 1000000\n")
    reading = GroupReading(group, TreeReading(os.getpid()))
    change(group, memory_current=str(110 << 20), cpu_stat="usage_usec 1500000\n")
    seen = reading.end()
    assert seen.cpu_s == 0.5
    assert 10 <= seen.peak_mb < 60
    reading = GroupReading(group, TreeReading(os.getpid()))
    change(group, memory_peak=str(510 << 20))
    assert reading.end().peak_mb == 400


def test_groups_that_nobody_holds_are_removed_and_no_others(tmp_path: Path) -> None:
    where = Hierarchies(2, tmp_path, None)
    held, lock = cgroup._made_in(tmp_path)
    (tmp_path / "tito-1-left-0").mkdir()
    (tmp_path / "another").mkdir()
    cgroup.remove_stale(where)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["another", held.name])
    os.close(lock)
    cgroup.remove_stale(where)
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_groups_are_tried_in_our_own_first_and_then_around_it(tmp_path: Path) -> None:
    own = tmp_path / "memory" / "a" / "b"
    own.mkdir(parents=True)
    (tmp_path / "unified").mkdir()
    mounts = {"": tmp_path / "unified", "memory": tmp_path / "memory"}
    candidates = cgroup._candidates(mounts, {"memory": "/a/b", "": "/not/seen/here"})
    assert [(candidate.version, candidate.memory) for candidate in candidates] == [
        (2, tmp_path / "unified"),
        *((1, folder) for folder in (own, own.parent, tmp_path / "memory")),
    ]


# ---- processes ---------------------------------------------------------------------------------


def child(source: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-S", "-c", f"{source}\nprint(flush=True)\ninput()"], **PIPES)
    assert process.stdout is not None
    process.stdout.readline()
    return process


PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_all_that_descends_is_listed_wherever_it_went() -> None:
    parent = child(
        "import os\nread, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    if os.fork() == 0: os.setsid()\n"
        "    os.write(write, b'x'); os.read(0, 1); os._exit(0)\n"
        "os.read(read, 1); os.read(read, 1)"
    )
    tree = processes.Tree(parent.pid)
    try:
        assert len(tree.parents()) == 3
        assert len(tree.parents()) == 3, "what is foreign is remembered, what is not is not"
    finally:
        ended(parent)


def test_what_two_processes_share_counts_once() -> None:
    source = "import os\nheld = bytearray(b'x') * (64 << 20)\nread, write = os.pipe()\n"
    parent = child(source + "if os.fork() == 0: os.write(write, b'x'); os.read(0, 1); os._exit(0)\nos.read(read, 1)")
    try:
        parents = processes.Tree(parent.pid).parents()
        assert processes.held_mb(parents, [], enough_mb=1e9) > 128, "in full, where that is little"
        assert 64 < processes.held_mb(parents, [], enough_mb=0) < 100
    finally:
        ended(parent)


def test_a_process_before_it_loads_its_program_holds_nothing_of_its_own() -> None:
    """`vfork`: the parent waits, and both have one memory."""
    vfork = {"x86_64": 58}.get(os.uname().machine)
    if vfork is None or not processes._have_same_memory(os.getpid(), os.getpid()):
        pytest.skip("no vfork by number here, or a kernel that does not compare")
    parents: dict[int, int] = {}
    source = f"import ctypes\nheld = bytearray(b'x') * (64 << 20)\nlibc = ctypes.PyDLL(None)\nlibc.syscall({vfork})"
    parent = subprocess.Popen([sys.executable, "-S", "-c", source + "\nimport time\ntime.sleep(60)"])
    try:
        end = time.monotonic() + 10
        tree = processes.Tree(parent.pid)
        while len(parents := tree.parents()) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        assert len(parents) == 2
        assert len(processes.holders(parents)) == 1
    finally:
        for pid in parents:
            os.kill(pid, signal.SIGKILL)
        parent.wait()


BURNING_CHILD = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(flush=True)
input()
grandchild = os.fork()
if grandchild == 0:
    while time.process_time() < 0.4: pass
    os._exit(0)
while os.path.exists(f"/proc/{grandchild}"): time.sleep(0.05)
"""


def test_what_a_process_took_is_not_lost_with_it_although_nobody_waited_for_it() -> None:
    parent = child(BURNING_CHILD)
    try:
        assert parent.stdin is not None and parent.stdout is not None
        reading = TreeReading(parent.pid)
        parent.stdin.write(b"\n")
        parent.stdin.flush()
        parent.stdout.readline()
        assert 0.1 < reading.end().cpu_s < 1.0  # but for what it took since it was looked at last
    finally:
        ended(parent)


# ---- how steps are told ------------------------------------------------------------------------


class Watched:
    """A meter that writes down when it was asked."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def exceeded(self) -> bool:
        return False

    struck = starved = exceeded

    def cpu_s(self) -> float | None:
        return None

    def begin(self) -> Watched:
        self.log.append("begin")
        return self

    def end(self) -> Measured:
        self.log.append("end")
        return Measured(1.0, 2.0, 3.0)


class Answering(Channel):
    """A channel at whose other end each request is answered when its answer is waited for."""

    def __init__(self, log: list[str]) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours, ahead=True)
        self.notebook = Channel(theirs)
        self.log = log

    def has_more(self, timeout_s: float) -> bool:
        if not self._kept:
            request, _ = self.notebook.receive(1)
            self.log.append("+".join(step["op"] for step in request["steps"]))
            for at, step in enumerate(request["steps"]):
                if step["op"] != "recall":
                    self.notebook.send({"token": request["token"], "step": at, "status": "ok", "seconds": 0.1})
        return super().has_more(timeout_s)

    def close(self) -> None:
        super().close()
        self.notebook.close()


def test_a_measured_step_is_told_alone_when_all_before_it_is_done() -> None:
    log: list[str] = []
    channel = Answering(log)
    conversation = NotebookChannel(channel, Watched(log))
    conversation.send([Step(source="1"), Step("recall"), Step(source="2", measured=True), Step(source="3")], 5)
    assert [conversation.receive().measured for _ in range(3)] == [None, Measured(1.0, 2.0, 3.0), None]
    assert log == ["run+recall", "rest", "begin", "run", "end", "run"]
    channel.close()


# ---- where nothing can be measured -------------------------------------------------------------


@dataclass(frozen=True)
class MeasuredSection(Section):
    is_measured: bool = True


def plan(section: Section) -> AssignmentPlan:
    test = TestPlan("test_fast", 2.0, ((section, None),))
    notebook = NotebookPlan("one", (), {"test_fast": test})
    return AssignmentPlan("07", (notebook,), SandboxSpec(), Path(), "", "")


@pytest.mark.parametrize(("sandbox", "seen"), [("none", True), ("bubblewrap", False), ("landlock", False)])
def test_a_plan_that_is_to_be_measured_is_refused_where_that_cannot_be(
    sandbox: str, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroup, "hierarchies", lambda: None)
    monkeypatch.setattr(metering, "_processes_are_seen", lambda: seen)
    with pytest.raises(SandboxUnavailable, match="'test_fast' is measured from outside") as caught:
        require_measuring(plan(MeasuredSection("", "", hidden=True)), sandbox)
    assert "tito doctor" in caught.value.hint
    require_measuring(plan(Section("", "", hidden=True)), sandbox)


def test_the_doctor_says_what_limits_memory_and_what_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "hierarchies", lambda: Hierarchies(2, Path(), Path()))
    assert "control groups (version 2)" in _memory("bubblewrap").detail
    assert "is not limited" in _memory("none").detail
    monkeypatch.setattr(cgroup, "hierarchies", lambda: None)
    monkeypatch.setattr(metering, "_processes_are_seen", lambda: True)
    assert "by a watchdog" in _memory("landlock").detail
    monkeypatch.setattr(metering, "_processes_are_seen", lambda: False)
    assert "only that of each process by itself" in _memory("bubblewrap").detail
