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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, Self

from tito.errors import SandboxUnavailable
from tito.models import Limits
from tito.sandbox.codec import MAX_DEPTH, PATIENCE, Channel, CodecError, EndOfStream
from tito.sandbox.wire import WireEncoder, more, no_reference

START_TIMEOUT_S = 60.0
LOG = "log"
ANSWER_TIMEOUT_S = 20.0
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
    run beside student code, so that what they rely on is remembered (see `guard`)."""

    files: tuple[tuple[Path, str], ...] = ()
    packages: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    guarded: bool = True


@dataclass(frozen=True)
class Ran:
    """What the runner says of one cell. Its word is not trusted; `values` are the observations."""

    status: str  # ok, error, timeout (given up on), died
    ename: str = ""
    evalue: str = ""
    outputs: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    tampered: tuple[str, ...] = ()  # what student code had replaced of what asserts rely on
    memory_mb: float = 0.0


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
    """Requests and answers over one channel. After a silence or a bad frame it is over."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.over = ""  # why nothing more will come: "timeout" or "died"

    def run(
        self, source: str, limit_s: float, observe: tuple[str, ...] = (), *, plain: bool = False, guard: bool = False
    ) -> Ran:
        """Run a cell, and bring back the plain values of the names in `observe`. `limit_s` is of processor time; by the
        clock a cell that is at work has PATIENCE times as long.

        With `plain`, it is Python of which nothing needs to be displayed: faster, and not through IPython.
        With `guard`, what asserts rely on is put back first as it was, see `guard`.
        """
        request = {"op": "run", "source": source, "limit_s": limit_s, "observe": list(observe)}
        request |= {"plain": plain, "guard": guard}
        answer = self._ask(request, limit_s * PATIENCE + GRACE_S)
        if answer is None:
            return Ran(status=self.over)
        reply, values = answer
        return Ran(
            status="ok" if reply.get("status") == "ok" else "error",
            ename=_printable(str(reply.get("ename", ""))[:200]),
            evalue=_printable(str(reply.get("evalue", ""))[:4000]),
            outputs=tuple(one for one in _list(_printable(reply.get("outputs"))) if isinstance(one, dict)),
            seconds=_plausible(reply.get("seconds")),
            values={name: values[name] for name in observe if name in values},
            refused={
                _printable(str(name)[:200]): _printable(str(why)[:200])
                for name, why in _dict(reply.get("refused")).items()
            },
            tampered=tuple(_printable(str(one)[:200]) for one in _list(reply.get("tampered"))[:20]),
            memory_mb=_plausible(reply.get("memory_mb")),
        )

    def branch(self, number: int) -> bool:
        """Fork the notebook's state as it stands; the copy serves the branch of that number. False: it could not."""
        return self._ask({"op": "branch", "number": number}, GRACE_S) is not None

    def mark(self, number: int) -> None:
        """Have the notebook remember what its names stand for."""
        self._tell({"op": "mark", "number": number})

    def recall(self, number: int) -> None:
        """Have the notebook's names stand for what they stood for at that mark; no outputs are gathered any more."""
        self._tell({"op": "recall", "number": number})

    def _tell(self, request: dict[str, Any]) -> None:
        if not self.over:
            try:
                self.channel.send(request)
            except OSError:
                self.over = "died"

    def ask(
        self, request: dict[str, Any], values: dict[str, Any], limit_s: float
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """One operation on the notebook's objects (see `objects`), and what came of it; None: there is no answer."""
        self.channel.more = more
        try:
            return self._ask(request | {"op": "ask", "limit_s": limit_s}, limit_s * PATIENCE + GRACE_S, values)
        finally:
            self.channel.more = None

    def _ask(
        self, request: dict[str, Any], timeout_s: float, values: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        if self.over:
            return None
        token = secrets.token_hex(8)
        try:
            encoder = WireEncoder(no_reference)
            encoded = {name: encoder.encode(value) for name, value in (values or {}).items()}
            self.channel.send_encoded(request | {"token": token}, encoded, encoder)
            reply, values = self.channel.receive(timeout_s)
        except TimeoutError:
            self.over = "timeout"
        except (EndOfStream, CodecError, OSError):
            self.over = "died"
        else:
            if reply.get("token") == token:
                return reply, values
            self.over = "died"
        return None


class Control:
    """A line to a zygote, over which sessions are opened and ended. For one thread of one process."""

    def __init__(self, name: str, place: Workplace, address: Path) -> None:
        self.name = name
        self.place = place
        self.address = address  # the socket that the zygote listens on; its log lies beside it
        self._ready = False
        self._living: set[int] = set()  # sessions of which processes may be left
        self._ending: set[int] = set()  # those of them that were told to end
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
        if not self._ready:
            self._heard("ready", START_TIMEOUT_S)
            self._ready = True

    def session(self, branches: int = 0) -> Session:
        """Fork a session with channels for so many branches, once all processes of the last one are gone.

        Raises:
            SandboxUnavailable: the zygote gave no session; no student code ran in it.
        """
        self.wait()
        self.settle()
        pairs = [socket.socketpair() for _ in range(branches + 1)]
        try:
            socket.send_fds(self._line, [b'{"op": "open"}'], [theirs.fileno() for _, theirs in pairs])
            keeper = self._heard("opened", ANSWER_TIMEOUT_S)["pid"]
            self._living.add(keeper)
        except (OSError, SandboxUnavailable) as error:
            for ours, _ in pairs:
                ours.close()
            raise error if isinstance(error, SandboxUnavailable) else self._broken(error) from error
        finally:
            for _, theirs in pairs:
                theirs.close()
        opened = Session(self, keeper, [ours for ours, _ in pairs])
        try:
            opened.notebook.channel.receive(ANSWER_TIMEOUT_S)
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            opened.close()
            raise self._broken(error) from error
        return opened

    def settle(self) -> None:
        """Wait until every process of the sessions that were ended is gone.

        Raises:
            SandboxUnavailable: it takes too long.
        """
        while self._ending:
            self._heard("closed", ANSWER_TIMEOUT_S)

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
        self._line.close()

    def _heard(self, op: str, timeout_s: float) -> dict[str, Any]:
        """The zygote's next answer of that kind. No student code speaks here: whatever goes wrong is ours."""
        answer: dict[str, Any] = {}
        while answer.get("op") != op:
            self._line.settimeout(timeout_s)
            try:
                answer = json.loads(self._line.recv(4096) or b"{}")
            except (OSError, ValueError) as error:
                raise self._broken(error) from error
            if answer.get("op") == "closed":
                self._living.discard(answer["pid"])
                self._ending.discard(answer["pid"])
            elif answer.get("op") != op:
                raise self._broken(None)
        return answer

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

    def warm(self, place: Workplace) -> None:
        """Say what is to be done ahead of all sessions of `place`; for all else of it the sandbox was started."""
        self.place = place
        order = {"imports": place.warm, "guarded": place.guarded}
        with contextlib.suppress(OSError):  # one that has ended is found out by who waits for it
            self._line.send(json.dumps(order).encode())

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
        self.notebook = Conversation(Channel(channels[0]))
        self.branches = [Conversation(Channel(one)) for one in channels[1:]]

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
        "scratch_mb": limits.scratch_mb,
        "output_bytes": limits.output_kb * 1024,
        "rlimits": rlimits,
    }


def _plausible(value: object) -> float:
    """What the runner says a cell took of time or memory, where that is a plausible number."""
    return value if isinstance(value, float) and 0.0 <= value < 1e6 else 0.0


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
