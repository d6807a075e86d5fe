"""A started sandbox, whichever backend isolates it: one channel to the notebook, one to each of its branches."""

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
from typing import Any, Protocol

from tito.errors import SandboxUnavailable
from tito.models import Limits
from tito.sandbox.codec import Channel, CodecError, EndOfStream

START_TIMEOUT_S = 60.0
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
BOOT = "import sys; sys.path[:0] = {paths!r}; from tito.sandbox.runner import main; main()"


@dataclass(frozen=True)
class Workplace:
    """What a session finds in its working folder: files of the assignment, read-only, by name."""

    files: tuple[tuple[Path, str], ...] = ()
    packages: tuple[str, ...] = ()
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


class Backend(Protocol):
    """A way to isolate; its `name` is recorded with the grades."""

    name: str

    def launch(self, place: Workplace, fd: int) -> Launch:
        """How to start a runner in isolation, that serves the channel `fd`."""
        ...


@dataclass(frozen=True)
class Launch:
    """How to start the runner: argv, environment, the descriptors it inherits beside its channels, and its folder."""

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
            ename=str(reply.get("ename", ""))[:200],
            evalue=str(reply.get("evalue", ""))[:4000],
            outputs=tuple(one for one in _list(reply.get("outputs")) if isinstance(one, dict)),
            seconds=float(reply["seconds"]) if isinstance(reply.get("seconds"), float) else 0.0,
            values={name: values[name] for name in observe if name in values},
            refused={name: str(why)[:200] for name, why in _dict(reply.get("refused")).items()},
        )

    def branch(self, fd: int) -> bool:
        """Fork the notebook's state as it stands; the copy listens on `fd`. False when it could not."""
        return self._ask({"op": "branch", "fd": fd}, GRACE_S) is not None

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


class Session:
    """A running sandbox. Use it as a context manager: leaving it ends every process inside."""

    def __init__(self, backend: Backend, place: Workplace, branches: int) -> None:
        self.backend = backend
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed in close)
        pairs = [socket.socketpair() for _ in range(branches + 1)]
        fds = [theirs.fileno() for _, theirs in pairs]
        launch = backend.launch(place, fds[0])
        self._scratch = launch.scratch
        try:
            self._process = subprocess.Popen(
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(*fds, *launch.pass_fds),
                env=launch.env,
                cwd=launch.scratch,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxUnavailable(
                f"The sandbox could not be started: {error}.", hint="Run 'tito doctor'."
            ) from error
        finally:
            for fd in launch.pass_fds:
                os.close(fd)
            for _, theirs in pairs:
                theirs.close()
        self.notebook = Conversation(Channel(pairs[0][0]))
        self.branches = [(Conversation(Channel(ours)), fd) for (ours, _), fd in zip(pairs[1:], fds[1:], strict=True)]
        self._await_ready()

    def _await_ready(self) -> None:
        """Until the runner answers no student code has run: whatever goes wrong before that is ours."""
        try:
            message, _ = self.notebook.channel.receive(START_TIMEOUT_S)
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            said = self.said()
            self.close()
            raise SandboxUnavailable(
                f"The {self.backend.name} sandbox did not start: {said or error}.", hint="Run 'tito doctor'."
            ) from error
        if message.get("op") != "ready":
            self.close()
            raise SandboxUnavailable("The sandbox did not start as it should.", hint="Run 'tito doctor'.")

    def said(self) -> str:
        """The end of what the sandbox printed."""
        self._log.seek(0)
        return self._log.read()[-2000:].decode(errors="replace").strip()

    def close(self) -> None:
        """End every process inside."""
        for conversation in (self.notebook, *(one for one, _ in self.branches)):
            conversation.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def boot(paths: list[str], fd: int, limits: Limits, rlimits: dict[str, int]) -> list[str]:
    """Interpreter arguments that start the runner on channel `fd`, with `paths` first on sys.path."""
    settings = {"fd": fd, "output_bytes": limits.output_kb * 1024, "rlimits": rlimits}
    return ["-s", "-P", "-S", "-B", "-c", BOOT.format(paths=paths), json.dumps(settings)]


def rlimits_of(limits: Limits) -> dict[str, int]:
    """Resource limits that hold for each process of a session."""
    return {
        "RLIMIT_AS": limits.memory_mb << 20,
        "RLIMIT_FSIZE": limits.scratch_mb << 20,
        "RLIMIT_CPU": int(limits.notebook_timeout_s) + 10,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
