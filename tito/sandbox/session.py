"""A started sandbox, whichever backend isolates it, and its sessions: a channel to the notebook, one to each branch."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Protocol, Self

from tito.errors import SandboxUnavailable
from tito.models import CompiledCell, Limits, Measured, SectionNames
from tito.plain_text import without_controls
from tito.sandbox import watchdog
from tito.sandbox.inside.codec import MAX_DEPTH, NOTHING, Channel, CodecError, EndOfStream, Packed
from tito.sandbox.metering import UNMETERED, WATCHDOG, Meter, mechanism
from tito.sandbox.time_allowance import GRACE_S, TimeAllowance, take
from tito.sandbox.zygote_connection import ZygoteConnection

START_TIMEOUT_S = 60.0
LOG = "log"
ANSWER_TIMEOUT_S = 20.0
TOLD_TOGETHER = 1 << 18  # characters of sources and bytes of code in one frame
MOST_SAID = 1 << 17  # by a warden
NOT_ISOLATED = "none"  # the backend whose sessions share their folders with all others
MOST_VALUES = 96 << 20  # bytes of observations that are kept of one process of a notebook
MOST_OUTPUTS = 8 << 20  # characters of outputs, likewise
VARIABLES = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "NBGRADER_EXECUTION": "autograde",
}
BOOT = "import sys; sys.path[:0] = {paths!r}; from tito.sandbox.inside.zygote import main; main()"


@dataclass(frozen=True)
class SandboxSpec:
    """What a session finds: files of the assignment in its home folder, read-only, by name; packages that it can
    import; and import statements that are run ahead of all sessions, to save each of them the time. `guarded`: tests
    run beside student code, so that what they rely on is remembered (see `guard`).

    `role` is the module that says what sessions do (see `zygote`); `whole`: they can import all of the platform, not
    just what runs beside student code; `copies`: each has a copy of the files of its own, which it may change;
    `offline`: they can open no socket."""

    files: tuple[tuple[Path, str], ...] = ()
    packages: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    guarded: bool = True
    role: str = "tito.sandbox.inside.notebook"
    whole: bool = False
    copies: bool = False
    offline: bool = False


@dataclass(frozen=True)
class Step:
    """One thing for a notebook to do, see `server`."""

    op: str = "run"  # or branch, mark, recall, of that number; or rest
    source: str = ""
    code: bytes = b""  # plain Python, marshalled, in place of a source: faster, and nothing of it is displayed
    cell: CompiledCell | None = None  # the source, compiled, for a shell that student code has left as it was
    names: SectionNames = field(default_factory=SectionNames)  # of a section of a test
    observe: tuple[str, ...] = ()  # names whose plain values are to be brought back
    guard: bool = False  # what asserts rely on is put back first as it was, see `guard`
    number: int = 0
    measured: bool = False  # what it takes is measured from outside

    @property
    def is_answered(self) -> bool:
        return self.op in ("run", "branch", "rest")


@dataclass(frozen=True)
class Ran:
    """What the runner says of one step. Its word is not trusted; `observed` are the observations."""

    status: str  # ok, error, timeout (given up on), died, memory (ended for what it held), not run (no time was left),
    # and of a branch: lost, before anything hidden had run, or gone, since then (evalue says why)
    ename: str = ""
    evalue: str = ""
    outputs: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    observed: Packed = NOTHING
    refused: dict[str, str] = field(default_factory=dict)
    tampered: tuple[str, ...] = ()  # what student code had replaced of what asserts rely on
    memory_mb: float = 0.0
    measured: Measured | None = None  # not by the runner, but from outside

    @property
    def values(self) -> dict[str, Any]:
        """The observations, made into objects: only for what a trusted process has observed.

        Raises:
            CodecError: they are no values.
        """
        return self.observed.values()


class Backend(Protocol):
    """A way to isolate; its `name` is recorded with the grades."""

    name: str

    def launch(self, place: SandboxSpec, fd: int) -> Launch:
        """How to start a zygote in isolation, that listens on the socket with the descriptor `fd`."""
        ...


@dataclass(frozen=True)
class Launch:
    """How to start a zygote: argv, environment, the descriptors it inherits beside its own, and its folder."""

    argv: list[str]
    pass_fds: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})
    scratch: Path | None = None  # a folder to start in, and to remove at the end
    in_memory: bool = False  # whether sessions have file systems of their own in memory
    supervisors: bool = False  # whether sessions have supervisors, see `supervisor`
    patience_s: float = 5.0  # with a zygote that ends by itself when it is hung up on


class NotebookChannel:
    """Requests and answers over one channel. After a silence or a bad frame it is over.

    A notebook is told all steps ahead, and then heard of step by step: it does not wait for the grader, who meanwhile
    may do something else. A step that is measured is told when it is to be heard of, by itself: nothing else is at work
    then, on either side.
    """

    def __init__(self, channel: Channel, meter: Meter | None = None) -> None:
        self.channel = channel
        self.over = ""  # why nothing more will come: "timeout", "died" or "memory", or "lost" or "gone" of a branch
        self.why = ""  # in a sentence, where it is lost or gone
        self._meter = meter
        self._told: deque[tuple[str, int, Step]] = deque()  # steps that are to be heard of
        self._untold: deque[list[Step]] = deque()
        self._limit_s = self._left_s = 0.0
        self._all: TimeAllowance | None = None  # for all that was told
        self._values_left, self._outputs_left = MOST_VALUES, MOST_OUTPUTS

    def send(self, steps: Iterable[Step], limit_s: float, left_s: float | None = None) -> None:
        """Tell what to do next, when all that was told before has been heard of.

        Args:
            limit_s: what each step may take of processor time, see `time_allowance`.
            left_s: what all may take together.
        """
        if self.over:
            return
        assert not self._told, "an answer has not been heard"
        self._limit_s, self._left_s, self._all = limit_s, limit_s if left_s is None else left_s, None
        self._untold.extend(_parts(steps))
        self._tell_parts()

    def _tell_parts(self) -> None:
        while self._untold and not self._told and not self.over and not self._untold[0][0].measured:
            self._tell_part(self._untold.popleft())

    def _tell_part(self, part: list[Step]) -> None:
        token = secrets.token_hex(8)
        request = {"op": "steps", "token": token, "limit_s": self._limit_s, "left_s": self._left_s}
        request["steps"] = [_as_sent(step) for step in part]
        try:
            self.channel.send(request, {str(at): code for at, step in enumerate(part) if (code := _code_of(step))})
        except (CodecError, OSError):  # a cell that is larger than what can cross, or nobody there
            self.over = "died"
        self._told.extend((token, at, step) for at, step in enumerate(part) if step.is_answered)

    def receive(self) -> Ran:
        """What became of the next step that was told and is answered.

        Raises:
            SandboxUnavailable: the session was ended for no fault of its own.
        """
        if not self._told:
            self._tell_parts()
        if not self._told and self._untold and not self.over:
            return self._measured(self._untold.popleft())
        return self._hear_told()

    def _measured(self, part: list[Step]) -> Ran:
        """Tell a step by itself, and hear of it, when all that was told before has been done."""
        self._tell_part([Step("rest")])
        rested = self._hear_told()
        if self.over:
            return rested
        reading = None if self._meter is None else self._meter.begin()
        self._tell_part(part)
        ran = self._hear_told()
        return ran if reading is None else replace(ran, measured=reading.end())

    def _hear_told(self) -> Ran:
        if self.over:
            return Ran(status=self.over, evalue=self.why)
        token, at, step = self._told.popleft()
        if self._all is None:  # whatever time a notebook that student code has taken over says its steps took
            self._all = self._time_allowance(self._left_s + self._limit_s)
        answer = self._received(token, self._time_allowance(min(self._limit_s, max(self._left_s, 0.0))), self._all)
        if answer is None:
            return self._ended()
        reply, packed = answer
        if reply.get("step") != at:
            self.over = "died"
            return Ran(status=self.over)
        ran = self._ran(reply, packed if step.observe else NOTHING)
        if ran.status == "error" and self._meter is not None and self._meter.struck():
            ran = replace(ran, status="memory")  # the notebook is not what was ended, but has missed it
        self._left_s -= ran.seconds
        return ran

    def _ended(self) -> Ran:
        if self.over == "died" and self._meter is not None and self._meter.starved():
            raise SandboxUnavailable("This machine has no more memory.", hint="Grade with fewer workers.")
        return Ran(status=self.over)

    def run(self, source: str, limit_s: float, observe: tuple[str, ...] = ()) -> Ran:
        """Have one cell run, and hear of it."""
        self.send([Step(source=source, observe=observe)], limit_s)
        return self.receive()

    def branch(self, number: int) -> bool:
        """Fork the notebook's state as it stands; the copy serves the branch of that number. False: it could not."""
        self.send([Step("branch", number=number)], GRACE_S)
        return self.receive().status == "ok"

    def ask(self, request: dict[str, Any], values: Packed, limit_s: float) -> tuple[dict[str, Any], Packed] | None:
        """One operation on the notebook's objects (see `objects`), and what came of it; None: there is no answer."""
        if self.over:
            return None
        token = secrets.token_hex(8)
        try:
            self.channel.send_packed(request | {"op": "ask", "limit_s": limit_s, "token": token}, values)
        except (CodecError, OSError):
            self.over = "died"
            return None
        return self._received(token, self._time_allowance(limit_s))

    def _ran(self, reply: dict[str, Any], observed: Packed) -> Ran:
        """What the runner says, where that is plausible; of what it brings, as much as is kept of one notebook."""
        self._values_left -= observed.size
        refused = {text_of(str(name), 200): text_of(str(why), 200) for name, why in _dict(reply.get("refused")).items()}
        if self._values_left < 0 and observed.size:
            observed, refused = NOTHING, {"values": f"the tests of a notebook keep {MOST_VALUES >> 20} MiB at most"}
        status = str(reply.get("status"))
        return Ran(
            status=status if status in ("ok", "not run") else "error",
            ename=text_of(str(reply.get("ename", "")), 200),
            evalue=text_of(str(reply.get("evalue", "")), 4000),
            outputs=self._outputs(reply.get("outputs")),
            seconds=_plausible(reply.get("seconds")),
            observed=observed,
            refused=refused,
            tampered=tuple(text_of(str(name), 200) for name in _list(reply.get("tampered"))[:20]),
            memory_mb=_plausible(reply.get("memory_mb")),
        )

    def _outputs(self, outputs: object) -> tuple[dict[str, Any], ...]:
        if self._outputs_left < 0:
            return ()
        printable = [one for one in _list(_printable(outputs)) if isinstance(one, dict)]
        self._outputs_left -= len(json.dumps(printable)) if printable else 0
        return tuple(printable)

    def take(self, limit_s: float) -> tuple[dict[str, Any], Packed]:
        """The next message of a process of ours, and nobody else's; raises what `time_allowance.take` does."""
        return take(self.channel, self._time_allowance(limit_s))

    def _time_allowance(self, limit_s: float) -> TimeAllowance:
        return TimeAllowance(limit_s, self._meter)

    def _received(self, token: str, *allowances: TimeAllowance) -> tuple[dict[str, Any], Packed] | None:
        """The answer to what was said with that token."""
        try:
            reply, packed = take(self.channel, *allowances)
        except TimeoutError:
            self.over = "timeout"
        except (EndOfStream, CodecError, OSError):
            self.over = "died"
        else:
            if reply.get("token") == token:
                return reply, packed
            self.over = "died"
        if self._meter is not None and self._meter.exceeded():
            self.over = "memory"
        return None


def _parts(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps in their order, as many together as make no large frame: what answers them may wait to be heard, but a
    notebook that is not yet done must not be told so much that both sides wait."""
    part: list[Step] = []
    size = 0
    for step in steps:
        own = len(step.source) + len(step.code)
        if step.cell is not None:
            own += len(step.cell.statements) + len(step.cell.last)
        if part and (size + own > TOLD_TOGETHER or step.measured or part[-1].measured):
            yield part
            part, size = [], 0
        part.append(step)
        size += own
    if part:
        yield part


def _code_of(step: Step) -> Any:
    return step.code or (step.cell and [step.cell.statements, step.cell.last])


def _as_sent(step: Step) -> dict[str, Any]:
    if step.op != "run":
        return {"op": step.op, "number": step.number}
    told = {"op": step.op, "source": step.source, "observe": list(step.observe), "guard": step.guard}
    told["names"] = [list(step.names.shared), list(step.names.of_tests)]
    if step.cell is not None:
        told["cell"] = {"name": step.cell.name, "flags": step.cell.flags, "sets": step.cell.sets}
    return told


class ZygoteClient:
    """Connections to a zygote, over which sessions are opened and ended. For one thread of one process.

    A connection has one session at a time (see `zygote_connection`). There are two in use where sessions are prepared,
    and as many more as sessions are wanted at once.
    """

    def __init__(self, name: str, place: SandboxSpec, address: Path) -> None:
        self.name = name
        self.place = place
        self.address = address  # the socket that the zygote listens on; its log lies beside it
        self._prepared: tuple[ZygoteConnection, list[socket.socket]] | None = (
            None  # one that is ordered ahead, and its channels
        )
        self._connections: list[ZygoteConnection] = []
        self._add_connection()

    def _add_connection(self) -> ZygoteConnection:
        try:
            connection = ZygoteConnection(self.address, self.place.limits.memory_mb, metered=self.name not in UNMETERED)
        except OSError as error:
            raise SandboxUnavailable(
                f"The {self.name} sandbox has ended: {error}.", hint="Run 'tito doctor'."
            ) from error
        self._connections.append(connection)
        return connection

    def wait(self) -> None:
        """Wait until the zygote has imported what notebooks need.

        Raises:
            SandboxUnavailable: it does not work on this machine.
        """
        for connection in self._connections[:1]:
            self._wait_for(connection)

    def _wait_for(self, connection: ZygoteConnection) -> None:
        while not connection.is_ready:
            self._receive(connection, START_TIMEOUT_S)

    def session(self, branches: int = 0) -> Session:
        """Fork a session with channels for so many branches, when all processes of the last one are gone; or take the
        one that was prepared.

        Raises:
            SandboxUnavailable: the zygote gave no session; no student code ran in it.
        """
        self.wait()
        if self._prepared is not None and branches == 0:
            (connection, channels), self._prepared = self._prepared, None
        else:
            self._give_up_prepared()
            self.settle()
            connection, channels = self._order(branches)
        while not connection.session:
            self._receive(connection, ANSWER_TIMEOUT_S)
        first = Channel(channels[0], ahead=True)
        try:
            first.receive(ANSWER_TIMEOUT_S)
            others = [Channel(one, ahead=True) for one in channels[1 : branches + 1]]
            warden = channels[branches + 1] if len(channels) > branches + 1 else None
            return Session(self, connection, [first, *others], warden, connection.meter())
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            for channel in channels:
                channel.close()
            self.end(connection)
            raise self._broken(error) from error

    def prepare(self) -> None:
        """Have a session without branches forked while another is at work, for when the next one is asked for.

        Raises:
            SandboxUnavailable: see `session`.
        """
        self.wait()
        if self._prepared is None:
            self.settle()
            self._prepared = self._order(0)

    def _give_up_prepared(self) -> None:
        if self._prepared is not None:
            (connection, channels), self._prepared = self._prepared, None
            for channel in channels:
                channel.close()
            while not connection.session:
                self._receive(connection, ANSWER_TIMEOUT_S)
            self.end(connection)

    def _order(self, branches: int) -> tuple[ZygoteConnection, list[socket.socket]]:
        """Have a session forked, which is not waited for; our ends of its channels."""
        connection = self._free_connection()
        pairs = [socket.socketpair() for _ in range(branches + 1)]
        if branches and self.has_wardens:
            pairs.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        try:
            connection.order([theirs.fileno() for _, theirs in pairs])
        except OSError as error:
            for ours, _ in pairs:
                ours.close()
            raise self._broken(error) from error
        finally:
            for _, theirs in pairs:
                theirs.close()
        return connection, [ours for ours, _ in pairs]

    def _free_connection(self) -> ZygoteConnection:
        for connection in [one for one in self._connections if not one.session and one.is_hung_up]:
            self._connections.remove(connection)  # its server was ended with a session
            connection.close()
        connection = next((one for one in self._connections if one.is_free), None) or self._add_connection()
        self._wait_for(connection)
        return connection

    def settle(self) -> None:
        """Wait until every process of the sessions that were ended is gone.

        Raises:
            SandboxUnavailable: it takes too long.
        """
        for connection in self._connections:
            while connection.is_ending:
                self._receive(connection, ANSWER_TIMEOUT_S)

    def end(self, connection: ZygoteConnection) -> None:
        """End the session of a line, with all of its processes. Does not wait for that: `settle` does, and the next
        session."""
        connection.end()

    @property
    def living(self) -> int:
        """How many sessions there are of which processes may be left."""
        return sum(bool(connection.session) for connection in self._connections)

    @property
    def has_wardens(self) -> bool:
        """Whether its sessions with branches have a warden, see `warden`."""
        return self.name != NOT_ISOLATED

    @property
    def closed(self) -> bool:
        """Whether no more sessions can be had of it."""
        if not self._connections:
            return True
        if not all(connection.is_hung_up for connection in self._connections):
            return False
        try:
            self._add_connection()
        except SandboxUnavailable:
            return True
        return False

    def close(self) -> None:
        """Hang up. The zygote ends when nobody is left on its lines."""
        if self._prepared is not None:
            for channel in self._prepared[1]:
                channel.close()
        self._prepared = None
        while self._connections:
            self._connections.pop().close()

    def _receive(self, connection: ZygoteConnection, timeout_s: float) -> None:
        """Take in a session server's next answer. No student code speaks here: whatever goes wrong is ours."""
        try:
            connection.receive(timeout_s)
        except (OSError, ValueError) as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception | None) -> SandboxUnavailable:
        """Hang up, and say why."""
        said = ""
        with contextlib.suppress(OSError):
            said = self.address.with_name(LOG).read_text(encoding="utf-8", errors="replace")[-2000:].strip()
        self.close()
        reason = said.splitlines()[-1] if said else str(error or "it ended")
        return SandboxUnavailable(f"The {self.name} sandbox does not work: {reason}.", hint="Run 'tito doctor'.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Sandbox(ZygoteClient):
    """A zygote that was started here, in isolation, and a line to it. Closing it ends every process inside.

    It is not waited for: `wait`, or the first session, says whether it works. Before that it must be told what to
    import, once: at the start, or with `warm`.
    """

    def __init__(self, backend: Backend, place: SandboxSpec, *, warm: bool = True) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tito-sandbox-"))  # for its owner alone
        self._watchdog: subprocess.Popen[bytes] | None = None
        address = self._folder / "zygote"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(str(address))
                listener.listen()
                launch = backend.launch(place, listener.fileno())
                self._scratch, self._patience_s = launch.scratch, launch.patience_s
                super().__init__(backend.name, place, address)
                with (self._folder / LOG).open("wb") as log:
                    self._process = _started(launch, listener.fileno(), log)
            self._limit_memory(launch)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        if warm:
            self.warm(place)

    def warm(self, place: SandboxSpec, plan: bytes = b"") -> None:
        """Say what is to be done ahead of all sessions of `place`; for all else of it the sandbox was started. `plan`
        is for its role."""
        self.place = place
        order = {"imports": place.warm, "guarded": place.guarded}
        with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:  # who waits for it finds out that it ended
            file.write(plan)
            file.flush()
            self._connections[0].send(order, [file.fileno()])

    def _limit_memory(self, launch: Launch) -> None:
        """Where the kernel does not limit what a session holds in all, have it watched."""
        if self.name not in UNMETERED and mechanism() == WATCHDOG:
            limit_mb, supervisors = self.place.limits.memory_mb, launch.supervisors
            self._watchdog = watchdog.start(self.address, limit_mb, in_memory=launch.in_memory, supervisors=supervisors)

    def close(self, *, at_once: bool = False) -> None:
        """End every process inside. The zygote does that itself when it is hung up on, if it is given the time."""
        super().close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0 if at_once else self._patience_s)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.wait()
        for folder in (self._folder, self._scratch):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


def _started(launch: Launch, fd: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            launch.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(fd, *launch.pass_fds),
            env=launch.env,
            cwd=launch.scratch,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"The sandbox cannot be started: {error}.", hint="Run 'tito doctor'.") from error
    finally:
        for descriptor in launch.pass_fds:
            os.close(descriptor)


class Session:
    """One submission's processes. A context manager; leaving it ends them all."""

    def __init__(
        self,
        control: ZygoteClient,
        connection: ZygoteConnection,
        channels: list[Channel],
        warden: socket.socket | None,
        meter: Meter | None,
    ) -> None:
        self._control = control
        self._line = connection
        self._number = connection.session
        self._warden = warden  # the line to it
        self.notebook, *self.branches = [NotebookChannel(channel, meter) for channel in channels]
        self._begun = False

    def begin(self) -> None:
        """Have all branches that were made held, before any of them, or the notebook, is told what is hidden.

        Branches that cannot be asked are over then; `Conversation.why` says why, in a sentence.
        """
        self._begun = True
        made = [number for number, branch in enumerate(self.branches) if not branch.over]
        self._lose(self._ask_warden({"op": "begin", "numbers": made}, made), "lost")

    def turn(self, number: int, *, notebook: bool = False) -> None:
        """Let a branch be asked, alone and with the files that stood there when it was forked.

        What ran before is ended: the notebook, unless it is to be asked as well (`notebook`), and the branch whose turn
        it was.
        """
        if not self._begun:
            self.begin()
        if not self.branches[number].over:
            request = {"op": "turn", "number": number, "notebook": notebook}
            self._lose(self._ask_warden(request, [number]), "gone")

    def _lose(self, lost: dict[int, str], status: str) -> None:
        for number, why in lost.items():
            branch = self.branches[number]
            branch.over, branch.why = branch.over or status, why

    def _ask_warden(self, request: dict[str, Any], numbers: list[int]) -> dict[int, str]:
        """What the warden says, of whom student code can only lose what is theirs; why those numbers are lost."""
        if self._warden is None or not numbers:
            return {}
        try:
            self._warden.settimeout(ANSWER_TIMEOUT_S)
            self._warden.send(json.dumps(request).encode())
            answer = json.loads(self._warden.recv(MOST_SAID) or b"null")
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self._warden.close()  # a late answer must not be taken for that to another question
            return dict.fromkeys(numbers, "The session of this notebook has ended.")
        return {int(number): why for number, why in answer.items() if why and int(number) in numbers}

    def close(self) -> None:
        """End every process of the session."""
        for conversation in (self.notebook, *self.branches):
            conversation.channel.close()
        if self._warden is not None:
            self._warden.close()
        if self._line.session == self._number:
            self._control.end(self._line)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def boot(paths: list[str], settings: dict[str, Any]) -> list[str]:
    """Interpreter arguments that start a zygote, with `paths` first on sys.path."""
    return ["-s", "-P", "-S", "-B", "-c", BOOT.format(paths=paths), json.dumps(settings)]


def settings_of(place: SandboxSpec, fd: int, *, home: str, files: str, confined: bool) -> dict[str, Any]:
    """What a zygote is told: the socket that it listens on, its folders, and the limits that hold for each session."""
    limits = place.limits
    rlimits = {
        "RLIMIT_FSIZE": limits.scratch_mb << 20,
        "RLIMIT_CPU": int(limits.notebook_timeout_s) + 10,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }
    if confined:  # counted within the session's own user namespace; unconfined, it would count the grader's processes
        rlimits["RLIMIT_NPROC"] = limits.processes
    return {
        "fd": fd,
        "home": home,
        "files": files,
        "confined": confined,
        "fence": None,  # what `landlock_session` needs, in place of namespaces
        "uid": 0,
        "role": place.role,
        "copies": place.copies,
        "offline": place.offline,
        "layered": False,
        "scratch_mb": limits.scratch_mb,
        "memory_mb": limits.memory_mb,
        "output_bytes": limits.output_kb * 1024,
        "rlimits": rlimits,
    }


def _plausible(value: object) -> float:
    """What the runner says a cell took of time or memory, where that is a plausible number."""
    return value if isinstance(value, float) and 0.0 <= value < 1e6 else 0.0


def text_of(text: str, most: int) -> str:
    """A text of at most so many characters, which can be written as UTF-8 and holds nothing that a terminal obeys."""
    return without_controls(text[:most])


def _printable(value: Any, depth: int = 0) -> Any:
    """A JSON value whose texts can all be written as UTF-8, and which is not nested beyond what a notebook needs."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_printable(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {_printable(str(key)): _printable(one, depth + 1) for key, one in value.items()}
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
