"""A zygote as the grader's side uses it: its sessions are opened and ended here; and a sandbox, which starts one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Self

from tito.errors import SandboxUnavailable
from tito.sandbox import watchdog
from tito.sandbox.inside.codec import Channel, CodecError, EndOfStream
from tito.sandbox.launch import Backend, Launch
from tito.sandbox.metering import UNMETERED, WATCHDOG, mechanism
from tito.sandbox.session import Session
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.zygote_connection import ZygoteConnection

START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 20.0
LOG = "log"
NOT_ISOLATED = "none"  # the backend whose sessions share their folders with all others


class ZygoteClient:
    """Connections to a zygote, over which sessions are opened and ended. For one thread of one process.

    A connection has one session at a time (see `zygote_connection`). There are two in use where sessions are prepared,
    and as many more as sessions are wanted at once.
    """

    def __init__(self, name: str, spec: SandboxSpec, address: Path) -> None:
        self.name = name
        self.spec = spec
        self.address = address  # the socket that the zygote listens on; its log lies beside it
        # One that a session is ordered on ahead, and the session's channels.
        self._prepared: tuple[ZygoteConnection, list[socket.socket]] | None = None
        self._connections: list[ZygoteConnection] = []
        self._add_connection()

    def _add_connection(self) -> ZygoteConnection:
        try:
            connection = ZygoteConnection(self.address, self.spec.limits.memory_mb, metered=self.name not in UNMETERED)
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
            others = [Channel(channel, ahead=True) for channel in channels[1 : branches + 1]]
            warden = channels[branches + 1] if len(channels) > branches + 1 else None
            return Session(connection, [first, *others], warden, connection.meter())
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            for channel in channels:
                channel.close()
            connection.end()
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
            connection.end()

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
        for connection in [idle for idle in self._connections if not idle.session and idle.is_hung_up]:
            self._connections.remove(connection)  # its server was ended with a session
            connection.close()
        connection = next((free for free in self._connections if free.is_free), None) or self._add_connection()
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

    @property
    def read_only(self) -> tuple[str, ...]:
        """Files of the assignment that are too large to be a session's own, once it has given a session."""
        return next((connection.read_only for connection in self._connections if connection.is_ready), ())

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
        """Hang up. The zygote ends when nobody is left on its connections."""
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
        log = ""
        with contextlib.suppress(OSError):
            log = self.address.with_name(LOG).read_text(encoding="utf-8", errors="replace")[-2000:].strip()
        self.close()
        reason = log.splitlines()[-1] if log else str(error or "it ended")
        return SandboxUnavailable(f"The {self.name} sandbox does not work: {reason}.", hint="Run 'tito doctor'.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Sandbox(ZygoteClient):
    """A zygote that was started here, in isolation, and a connection to it. Closing it ends every process inside.

    It is not waited for: `wait`, or the first session, says whether it works. Before that it must be sent what to
    import, once: at the start, or with `warm`.
    """

    def __init__(self, backend: Backend, spec: SandboxSpec, *, warm: bool = True) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tito-sandbox-"))  # for its owner alone
        self._watchdog: subprocess.Popen[bytes] | None = None
        address = self._folder / "zygote"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(str(address))
                listener.listen()
                launch = backend.launch(spec, listener.fileno())
                self._scratch, self._patience_s = launch.scratch, launch.patience_s
                super().__init__(backend.name, spec, address)
                with (self._folder / LOG).open("wb") as log:
                    self._process = _started(launch, listener.fileno(), log)
            self._limit_memory(launch)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        if warm:
            self.warm(spec)

    def warm(self, spec: SandboxSpec, plan: bytes = b"") -> None:
        """Say what is to be done ahead of all sessions of `spec`; for all else of it the sandbox was started. `plan`
        is for its role."""
        self.spec = spec
        order = {"imports": spec.warm, "guarded": spec.guarded}
        with contextlib.suppress(OSError), tempfile.TemporaryFile() as file:  # who waits for it finds out that it ended
            file.write(plan)
            file.flush()
            self._connections[0].send(order, [file.fileno()])

    def _limit_memory(self, launch: Launch) -> None:
        """Where the kernel does not limit what a session holds in all, have it watched."""
        if self.name not in UNMETERED and mechanism() == WATCHDOG:
            limit_mb, supervisors = self.spec.limits.memory_mb, launch.supervisors
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
