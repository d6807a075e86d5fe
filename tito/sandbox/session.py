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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from tito.errors import SandboxUnavailable
from tito.models import Limits
from tito.sandbox.codec import MAX_DEPTH, Channel, CodecError, EndOfStream

START_TIMEOUT_S = 60.0
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
    import; and import statements that are run ahead of all sessions, to save each of them the time."""

    files: tuple[tuple[Path, str], ...] = ()
    packages: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)


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
    memory_mb: float = 0.0


class Backend(Protocol):
    """A way to isolate; its `name` is recorded with the grades."""

    name: str

    def launch(self, place: Workplace, fd: int) -> Launch:
        """How to start a zygote in isolation, that takes orders on the descriptor `fd`."""
        ...


@dataclass(frozen=True)
class Launch:
    """How to start a zygote: argv, environment, the descriptors it inherits beside its own, and its folder."""

    argv: list[str]
    pass_fds: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})
    scratch: Path | None = None  # a folder to start in, and to remove at the end


class Conversation:
    """Requests and answers over one channel. After a silence or a bad frame it is over."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.over = ""  # why nothing more will come: "timeout" or "died"

    def run(self, source: str, limit_s: float, observe: tuple[str, ...] = ()) -> Ran:
        """Run a cell, and bring back the plain values of the names in `observe`."""
        request = {"op": "run", "source": source, "limit_s": limit_s, "observe": list(observe)}
        answer = self._ask(request, limit_s + GRACE_S)
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
            memory_mb=_plausible(reply.get("memory_mb")),
        )

    def branch(self, number: int) -> bool:
        """Fork the notebook's state as it stands; the copy serves the branch of that number. False: it could not."""
        return self._ask({"op": "branch", "number": number}, GRACE_S) is not None

    def _ask(self, request: dict[str, Any], timeout_s: float) -> tuple[dict[str, Any], dict[str, Any]] | None:
        if self.over:
            return None
        token = secrets.token_hex(8)
        try:
            self.channel.send(request | {"token": token})
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


class Sandbox:
    """A running zygote, in isolation. A context manager; leaving it ends every process inside. One thread only."""

    def __init__(self, backend: Backend, place: Workplace) -> None:
        self.name = backend.name
        self.place = place
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed in close)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            launch = backend.launch(place, theirs.fileno())
            self._scratch = launch.scratch
            self._process = _started(launch, theirs.fileno(), self._log)
        except BaseException:
            self._control.close()
            self._log.close()
            raise
        finally:
            theirs.close()
        self._heard("ready", START_TIMEOUT_S)

    def session(self, branches: int = 0) -> Session:
        """Fork a session with channels for so many branches.

        Raises:
            SandboxUnavailable: the zygote gave no session; no student code ran in it.
        """
        pairs = [socket.socketpair() for _ in range(branches + 1)]
        try:
            socket.send_fds(self._control, [b'{"op": "open"}'], [theirs.fileno() for _, theirs in pairs])
            keeper = self._heard("opened", ANSWER_TIMEOUT_S)["pid"]
        except (OSError, SandboxUnavailable) as error:
            for ours, _ in pairs:
                ours.close()
            self.close()
            raise error if isinstance(error, SandboxUnavailable) else self._broken(error) from error
        finally:
            for _, theirs in pairs:
                theirs.close()
        opened = Session(self, keeper, [ours for ours, _ in pairs])
        try:
            opened.notebook.channel.receive(ANSWER_TIMEOUT_S)
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            self.close()
            opened.close()
            raise self._broken(error) from error
        return opened

    def end(self, keeper: int) -> None:
        """End a session, with all of its processes."""
        try:
            self._control.send(json.dumps({"op": "close", "pid": keeper}).encode())
            self._heard("closed", ANSWER_TIMEOUT_S)
        except (OSError, SandboxUnavailable):
            self.close()  # the next submission finds it closed, and starts another

    @property
    def closed(self) -> bool:
        """Whether no more sessions can be had of it."""
        return self._control.fileno() < 0 or self._process.poll() is not None

    def close(self) -> None:
        """End every process inside."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _heard(self, op: str, timeout_s: float) -> dict[str, Any]:
        """The zygote's answer. Until a session runs, no student code does: whatever goes wrong here is ours."""
        self._control.settimeout(timeout_s)
        try:
            answer = json.loads(self._control.recv(4096) or b"{}")
        except (OSError, ValueError) as error:
            self.close()
            raise self._broken(error) from error
        if answer.get("op") != op:
            self.close()
            raise self._broken(None)
        return dict(answer)

    def _broken(self, error: Exception | None) -> SandboxUnavailable:
        self._log.seek(0)
        said = self._log.read()[-2000:].decode(errors="replace").strip()
        reason = said.splitlines()[-1] if said else str(error or "it ended")
        return SandboxUnavailable(f"The {self.name} sandbox does not work: {reason}.", hint="Run 'tito doctor'.")

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._log.close()


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

    def __init__(self, sandbox: Sandbox, keeper: int, channels: list[socket.socket]) -> None:
        self._sandbox = sandbox
        self._keeper = keeper
        self.notebook = Conversation(Channel(channels[0]))
        self.branches = [Conversation(Channel(one)) for one in channels[1:]]

    def close(self) -> None:
        """End every process of the session."""
        for conversation in (self.notebook, *self.branches):
            conversation.channel.close()
        if not self._sandbox.closed:
            self._sandbox.end(self._keeper)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def boot(paths: list[str], settings: dict[str, Any]) -> list[str]:
    """Interpreter arguments that start a zygote, with `paths` first on sys.path."""
    return ["-s", "-P", "-S", "-B", "-c", BOOT.format(paths=paths), json.dumps(settings)]


def settings_of(place: Workplace, fd: int, *, home: str, files: str, confined: bool) -> dict[str, Any]:
    """What a zygote is told: its descriptor, its folders, and the limits that hold for each session."""
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
        "uid": 0,
        "warm": list(place.warm),
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
