"""A started sandbox, whichever backend isolates it, and its sessions: a channel to the notebook, one to each branch."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, Self

from tito.errors import SandboxUnavailable
from tito.models import CompiledCell, Limits
from tito.sandbox.codec import MAX_DEPTH, NOTHING, PATIENCE, Channel, CodecError, EndOfStream, Packed

START_TIMEOUT_S = 60.0
LOG = "log"
ANSWER_TIMEOUT_S = 20.0
TOLD_TOGETHER = 1 << 18  # characters of sources and bytes of code in one frame
MOST_VALUES = 96 << 20  # bytes of observations that are kept of one process of a notebook
MOST_OUTPUTS = 8 << 20  # characters of outputs, likewise
GRACE_S = 5.0  # how much later than the runner's own time limit the grader gives up on a cell
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
BOOT = "import sys; sys.path[:0] = {paths!r}; from tito.sandbox.zygote import main; main()"


@dataclass(frozen=True)
class Workplace:
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
    role: str = "tito.sandbox.notebook"
    whole: bool = False
    copies: bool = False
    offline: bool = False


@dataclass(frozen=True)
class Step:
    """One thing for a notebook to do, see `server`."""

    op: str = "run"  # or branch, mark, recall, of that number
    source: str = ""
    code: bytes = b""  # plain Python, marshalled, in place of a source: faster, and nothing of it is displayed
    cell: CompiledCell | None = None  # the source, compiled, for a shell that student code has left as it was
    observe: tuple[str, ...] = ()  # names whose plain values are to be brought back
    guard: bool = False  # what asserts rely on is put back first as it was, see `guard`
    number: int = 0

    @property
    def is_answered(self) -> bool:
        return self.op in ("run", "branch")


@dataclass(frozen=True)
class Ran:
    """What the runner says of one step. Its word is not trusted; `observed` are the observations."""

    status: str  # ok, error, timeout (given up on), died, not run (no time was left)
    ename: str = ""
    evalue: str = ""
    outputs: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    observed: Packed = NOTHING
    refused: dict[str, str] = field(default_factory=dict)
    tampered: tuple[str, ...] = ()  # what student code had replaced of what asserts rely on
    memory_mb: float = 0.0

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

    def launch(self, place: Workplace, fd: int) -> Launch:
        """How to start a zygote in isolation, that listens on the socket with the descriptor `fd`."""
        ...


@dataclass(frozen=True)
class Launch:
    """How to start a zygote: argv, environment, the descriptors it inherits beside its own, and its folder."""

    argv: list[str]
    pass_fds: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})
    scratch: Path | None = None  # a folder to start in, and to remove at the end
    patience_s: float = 5.0  # with a zygote that ends by itself when it is hung up on


class Conversation:
    """Requests and answers over one channel. After a silence or a bad frame it is over.

    A notebook is told all steps ahead, and then heard of step by step: it does not wait for the grader, who meanwhile
    may do something else.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.over = ""  # why nothing more will come: "timeout" or "died"
        self._told: deque[tuple[str, int, Step]] = deque()  # steps that are to be heard of
        self._untold: deque[list[Step]] = deque()
        self._limit_s = self._left_s = 0.0
        self._end: float | None = None
        self._values_left, self._outputs_left = MOST_VALUES, MOST_OUTPUTS

    def tell(self, steps: Iterable[Step], limit_s: float, left_s: float | None = None) -> None:
        """Tell what to do next, when all that was told before has been heard of.

        Args:
            limit_s: what each step may take of processor time; PATIENCE times as long by the clock, if it is at work.
            left_s: what all may take together, by the clock.
        """
        if self.over:
            return
        assert not self._told, "an answer has not been heard"
        self._limit_s, self._left_s, self._end = limit_s, limit_s if left_s is None else left_s, None
        self._untold.extend(_parts(steps))
        self._tell_part()

    def _tell_part(self) -> None:
        while self._untold and not self._told and not self.over:
            part, token = self._untold.popleft(), secrets.token_hex(8)
            request = {"op": "steps", "token": token, "limit_s": self._limit_s, "left_s": self._left_s}
            request["steps"] = [_as_told(step) for step in part]
            try:
                self.channel.send(request, {str(at): code for at, step in enumerate(part) if (code := _code_of(step))})
            except (CodecError, OSError):  # a cell that is larger than what can cross, or nobody there
                self.over = "died"
            self._told.extend((token, at, step) for at, step in enumerate(part) if step.is_answered)

    def hear(self) -> Ran:
        """What became of the next step that was told and is answered."""
        if not self._told:
            self._tell_part()
        if self.over:
            return Ran(status=self.over)
        token, at, step = self._told.popleft()
        now = time.monotonic()
        if self._end is None:  # whatever time a notebook that student code has taken over says its steps took
            self._end = now + (self._left_s + self._limit_s) * PATIENCE + GRACE_S
        patience_s = min(self._limit_s, max(self._left_s, 0.0)) * PATIENCE + GRACE_S
        answer = self._heard(token, min(patience_s, max(self._end - now, 0.0)))
        if answer is None:
            return Ran(status=self.over)
        reply, packed = answer
        if reply.get("step") != at:
            self.over = "died"
            return Ran(status=self.over)
        ran = self._ran(reply, packed if step.observe else NOTHING)
        self._left_s -= ran.seconds
        return ran

    def run(self, source: str, limit_s: float, observe: tuple[str, ...] = ()) -> Ran:
        """Have one cell run, and hear of it."""
        self.tell([Step(source=source, observe=observe)], limit_s)
        return self.hear()

    def branch(self, number: int) -> bool:
        """Fork the notebook's state as it stands; the copy serves the branch of that number. False: it could not."""
        self.tell([Step("branch", number=number)], GRACE_S)
        return self.hear().status == "ok"

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
        return self._heard(token, limit_s * PATIENCE + GRACE_S)

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

    def _heard(self, token: str, timeout_s: float) -> tuple[dict[str, Any], Packed] | None:
        """The answer to what was said with that token."""
        try:
            reply, packed = self.channel.take(timeout_s)
        except TimeoutError:
            self.over = "timeout"
        except (EndOfStream, CodecError, OSError):
            self.over = "died"
        else:
            if reply.get("token") == token:
                return reply, packed
            self.over = "died"
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
        if part and size + own > TOLD_TOGETHER:
            yield part
            part, size = [], 0
        part.append(step)
        size += own
    if part:
        yield part


def _code_of(step: Step) -> Any:
    return step.code or (step.cell and [step.cell.statements, step.cell.last])


def _as_told(step: Step) -> dict[str, Any]:
    if step.op != "run":
        return {"op": step.op, "number": step.number}
    told = {"op": step.op, "source": step.source, "observe": list(step.observe), "guard": step.guard}
    if step.cell is not None:
        told["cell"] = {"name": step.cell.name, "flags": step.cell.flags, "sets": step.cell.sets}
    return told


class Control:
    """A line to a zygote, over which sessions are opened and ended. For one thread of one process."""

    def __init__(self, name: str, place: Workplace, address: Path) -> None:
        self.name = name
        self.place = place
        self.address = address  # the socket that the zygote listens on; its log lies beside it
        self._ready = False
        self._living: set[int] = set()  # sessions of which processes may be left
        self._ending: set[int] = set()  # those of them that were told to end
        self._opened: deque[int] = deque()  # sessions that were ordered, and are there
        self._prepared: list[socket.socket] | None = None  # our ends of the channels of one that is ordered ahead
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._line.connect(str(address))
        except OSError as error:
            self._line.close()
            raise SandboxUnavailable(f"The {name} sandbox has ended: {error}.", hint="Run 'tito doctor'.") from error

    def wait(self) -> None:
        """Wait until the zygote has imported what notebooks need.

        Raises:
            SandboxUnavailable: it does not work on this machine.
        """
        while not self._ready:
            self._hear(START_TIMEOUT_S)

    def session(self, branches: int = 0) -> Session:
        """Fork a session with channels for so many branches, when all processes of the last one are gone; or take the
        one that was prepared.

        Raises:
            SandboxUnavailable: the zygote gave no session; no student code ran in it.
        """
        self.wait()
        if self._prepared is not None and branches == 0:
            channels, self._prepared = self._prepared, None
        else:
            self._give_up_prepared()
            self.settle()
            channels = self._order(branches)
        while not self._opened:
            self._hear(ANSWER_TIMEOUT_S)
        opened = Session(self, self._opened.popleft(), channels)
        try:
            opened.notebook.channel.receive(ANSWER_TIMEOUT_S)
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            opened.close()
            raise self._broken(error) from error
        return opened

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
            channels, self._prepared = self._prepared, None
            while not self._opened:
                self._hear(ANSWER_TIMEOUT_S)
            Session(self, self._opened.popleft(), channels).close()

    def _order(self, branches: int) -> list[socket.socket]:
        """Have a session forked, which is not waited for; our ends of its channels."""
        pairs = [socket.socketpair() for _ in range(branches + 1)]
        try:
            socket.send_fds(self._line, [b'{"op": "open"}'], [theirs.fileno() for _, theirs in pairs])
        except OSError as error:
            for ours, _ in pairs:
                ours.close()
            raise self._broken(error) from error
        finally:
            for _, theirs in pairs:
                theirs.close()
        return [ours for ours, _ in pairs]

    def settle(self) -> None:
        """Wait until every process of the sessions that were ended is gone.

        Raises:
            SandboxUnavailable: it takes too long.
        """
        while self._ending:
            self._hear(ANSWER_TIMEOUT_S)

    def end(self, keeper: int) -> None:
        """End a session, with all of its processes. Does not wait for that: `settle` does, and the next session."""
        if keeper not in self._living:
            return
        try:
            self._line.send(json.dumps({"op": "close", "pid": keeper}).encode())
            self._ending.add(keeper)
        except OSError:
            self.close()  # the next submission finds it closed, and starts another

    @property
    def closed(self) -> bool:
        """Whether no more sessions can be had of it."""
        if self._line.fileno() < 0:
            return True
        events = select.poll()
        events.register(self._line, 0)
        return bool(events.poll(0))

    def close(self) -> None:
        """Hang up. The zygote ends when nobody is left on its lines."""
        for channel in self._prepared or ():
            channel.close()
        self._prepared = None
        self._line.close()

    def _hear(self, timeout_s: float) -> None:
        """Take in the zygote's next answer. No student code speaks here: whatever goes wrong is ours."""
        self._line.settimeout(timeout_s)
        try:
            answer = json.loads(self._line.recv(4096) or b"{}")
        except (OSError, ValueError) as error:
            raise self._broken(error) from error
        match answer.get("op"):
            case "ready":
                self._ready = True
            case "opened":
                self._opened.append(answer["pid"])
                self._living.add(answer["pid"])
            case "closed":
                self._living.discard(answer["pid"])
                self._ending.discard(answer["pid"])
            case _:
                raise self._broken(None)

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


class Sandbox(Control):
    """A zygote that was started here, in isolation, and a line to it. Closing it ends every process inside.

    It is not waited for: `wait`, or the first session, says whether it works. Before that it must be told what to
    import, once: at the start, or with `warm`.
    """

    def __init__(self, backend: Backend, place: Workplace, *, warm: bool = True) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tito-sandbox-"))  # for its owner alone
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
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        if warm:
            self.warm(place)

    def warm(self, place: Workplace, plan: bytes = b"") -> None:
        """Say what is to be done ahead of all sessions of `place`; for all else of it the sandbox was started. `plan`
        is for its role."""
        self.place = place
        order = json.dumps({"imports": place.warm, "guarded": place.guarded}).encode()
        with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:  # who waits for it finds out that it ended
            file.write(plan)
            file.flush()
            socket.send_fds(self._line, [order], [file.fileno()])

    def close(self, *, at_once: bool = False) -> None:
        """End every process inside. The zygote does that itself when it is hung up on, if it is given the time."""
        super().close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0 if at_once else self._patience_s)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
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

    def __init__(self, control: Control, keeper: int, channels: list[socket.socket]) -> None:
        self._control = control
        self._keeper = keeper
        self.notebook = Conversation(Channel(channels[0], ahead=True))
        self.branches = [Conversation(Channel(one, ahead=True)) for one in channels[1:]]

    def close(self) -> None:
        """End every process of the session."""
        for conversation in (self.notebook, *self.branches):
            conversation.channel.close()
        if not self._control.closed:
            self._control.end(self._keeper)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def boot(paths: list[str], settings: dict[str, Any]) -> list[str]:
    """Interpreter arguments that start a zygote, with `paths` first on sys.path."""
    return ["-s", "-P", "-S", "-B", "-c", BOOT.format(paths=paths), json.dumps(settings)]


def settings_of(place: Workplace, fd: int, *, home: str, files: str, confined: bool) -> dict[str, Any]:
    """What a zygote is told: the socket that it listens on, its folders, and the limits that hold for each session."""
    limits = place.limits
    rlimits = {
        "RLIMIT_AS": limits.memory_mb << 20,
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
        "fence": None,  # what `fence` needs, in place of namespaces
        "uid": 0,
        "role": place.role,
        "copies": place.copies,
        "offline": place.offline,
        "layered": False,
        "scratch_mb": limits.scratch_mb,
        "output_bytes": limits.output_kb * 1024,
        "rlimits": rlimits,
    }


def _plausible(value: object) -> float:
    """What the runner says a cell took of time or memory, where that is a plausible number."""
    return value if isinstance(value, float) and 0.0 <= value < 1e6 else 0.0


def text_of(text: str, most: int) -> str:
    """A text of at most so many characters, which can be written as UTF-8."""
    return text[:most].encode("utf-8", "replace").decode()


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
