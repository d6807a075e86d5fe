"""Sees to it that nothing passes from one copy of a notebook to another. It runs no student code, and outlives them.

At each test the notebook forks a copy of itself. The warden keeps what stands in the session's folders then. When
the notebook has ended, and before any copy is sent a hidden section, it holds all copies, and looks whether they have
anything in common. Then, for one after the other: it ends every process but those it holds, gives the session fresh
folders with what stood in them when that copy was forked, and lets it go on.

From student code, on the socket of requests (anybody in the session may say it; it can only spoil what is theirs):
    take N          keep what stands in the folders, for the copy of that number: once, and not after the notebook
    shared N        with a socket, over which is said where the sender's memory is shared
    copy N          the sender is the copy of that number, and has given up what is shared
From the grader:
    {"op": "begin", "numbers": [...]}     the notebook has ended, and said that it made these copies
    {"op": "turn", "number": N, "notebook": false}    it is the turn of that copy; whether the notebook is to live on
Each is answered with `lost`: what became of copies that cannot be asked, a sentence each.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tito.sandbox.inside.held_processes import Belonging, Process, Processes, Shared
from tito.sandbox.inside.snapshot import Folder, NotKept, Snapshots, fill, write_over
from tito.sandbox.inside.writable_folders import WritableFolders

REQUEST_BYTES = 4096
SNAPSHOTS_SCRATCH = 3  # all snapshots together may take so many times what one folder may
REPORT_S = 5.0  # for a copy to give up what it shares, when the notebook has ended
CREDENTIALS = struct.Struct("3i")
NEVER_MADE = "The notebook made no copy of itself for this test."
TOO_SLOW = "The notebook left processes behind that could not be ended in time."


@dataclass
class Copy:
    """A copy of the notebook, by what is known of it."""

    channel: int  # the inode of its socket
    files: tuple[Folder, ...] | None = None
    process: Process | None = None
    has: Belonging | None = None
    lost: str = ""  # why it cannot be asked


@dataclass
class Warden:
    """Of one session."""

    requests: socket.socket
    control: socket.socket
    views: WritableFolders
    processes: Processes
    snapshots: Snapshots
    notebook: int  # the number of its process
    copies: dict[int, Copy] = field(default_factory=dict)
    begun: bool = False

    def __post_init__(self) -> None:
        self.requests.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.poll = select.poll()
        for connection in (self.requests, self.control):
            self.poll.register(connection, select.POLLIN)

    def serve(self, timeout_s: float | None = None, until: int = -1) -> None:
        """Answer what comes, for that long, or until there is something to read from the descriptor `until`."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        if until >= 0:
            self.poll.register(until, select.POLLIN)
        while True:
            ready = [
                descriptor
                for descriptor, _ in self.poll.poll(None if end is None else max(0.0, end - time.monotonic()) * 1000)
            ]
            if self.requests.fileno() in ready:
                self._receive_request()
            if self.control.fileno() in ready:
                self._receive_from_grader()
            if not ready or until in ready:
                return

    # ---- student code ----------------------------------------------------------------------------

    def _receive_request(self) -> None:
        room = socket.CMSG_SPACE(CREDENTIALS.size) + socket.CMSG_SPACE(4)
        try:
            data, extra, _, _ = self.requests.recvmsg(
                REQUEST_BYTES, room, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            data, extra = b"", []
        pid, descriptors = 0, []
        for _, kind, content in extra:
            if kind == socket.SCM_CREDENTIALS:
                pid = CREDENTIALS.unpack(content)[0]
            elif kind == socket.SCM_RIGHTS:
                descriptors = list(struct.unpack(f"{len(content) // 4}i", content[: len(content) // 4 * 4]))
        try:
            if not data:
                with contextlib.suppress(KeyError):
                    self.poll.unregister(self.requests)
            else:
                self._do(*data.partition(b" ")[::2], pid, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _do(self, what: bytes, number: bytes, pid: int, descriptors: list[int]) -> None:
        copy = self.copies.get(int(number)) if number.isdigit() and len(number) < 5 else None
        if what == b"take":
            if copy is not None and copy.files is None and not copy.lost and not self.begun:
                self._take(copy)
            with contextlib.suppress(OSError):
                self.requests.send(number, socket.MSG_DONTWAIT)
        elif what == b"shared" and descriptors:
            process = self.processes.named(pid)
            if process is not None:
                os.close(process.ended)
                with contextlib.suppress(OSError), socket.socket(fileno=descriptors[0]) as asking:
                    del descriptors[0]
                    asking.send(json.dumps(self.processes.shared_memory(process)).encode(), socket.MSG_DONTWAIT)
        elif what == b"copy" and copy is not None and copy.process is None and not self.begun:
            known = [other.process.pid for other in self.copies.values() if other.process]
            copy.process = self.processes.named(pid) if pid not in known else None

    def _take(self, copy: Copy) -> None:
        try:
            copy.files = self.snapshots.take(self.views.opened())
        except (NotKept, OSError, MemoryError, RecursionError) as error:
            copy.lost = str(error) if isinstance(error, NotKept) else "The notebook's files could not be read."

    # ---- the grader ------------------------------------------------------------------------------

    def _receive_from_grader(self) -> None:
        try:
            request = json.loads(self.control.recv(REQUEST_BYTES) or b"null")
        except (OSError, ValueError):
            request = None
        if request is None:
            self.poll.unregister(self.control)
            return
        if request["op"] == "begin":
            self._begin(request["numbers"])
            lost = {number: copy.lost for number, copy in self.copies.items() if copy.lost}
        else:
            lost = {request["number"]: self._turn(request["number"], notebook=request["notebook"])}
        with contextlib.suppress(OSError):
            self.control.send(json.dumps(lost).encode())

    def _begin(self, numbers: list[int]) -> None:
        """Hold the copies that the notebook says it has made, and give up those that share what they must not."""
        end = time.monotonic() + REPORT_S
        while any(self._is_awaited(self.copies[number]) for number in numbers) and time.monotonic() < end:
            self.poll.poll(1)
            self._receive_request()
        self.begun = True
        for copy in self.copies.values():
            if copy.process is None:
                copy.lost = copy.lost or NEVER_MADE
            else:
                self._try(copy, lambda process, copy: self.processes.hold(process))
        held = [copy for copy in self.copies.values() if not copy.lost]
        own = self.processes.mark([copy.process for copy in held if copy.process])
        for copy in held:
            if copy.process not in own:
                self._lose(copy, "The copy of the notebook that was made for this test shares memory with another.")
            else:
                self._try(copy, self._look_at)

    def _is_awaited(self, copy: Copy) -> bool:
        """Whether a copy has yet to report, or to wait after that."""
        return not copy.lost and (copy.process is None or not self.processes.is_asleep(copy.process))

    def _look_at(self, process: Process, copy: Copy) -> None:
        copy.has = self.processes.look_at(process, copy.channel, memory=True)

    def _turn(self, number: int, *, notebook: bool) -> str:
        """Let a copy go on, alone, with its files; why it cannot, or ""."""
        copy = self.copies[number]
        if copy.lost:
            return copy.lost
        waiting = [other.process for other in self.copies.values() if other.process and not other.lost]
        spared = self.processes.named(self.notebook) if notebook else None
        if not self.processes.clear(waiting, spared):
            for other in self.copies.values():
                self._lose(other, TOO_SLOW)
            return copy.lost
        self._try(copy, self._let_go_on)
        lost, copy.lost = copy.lost, copy.lost or "It has had its turn."  # and is not spared by the next
        return lost

    def _let_go_on(self, process: Process, copy: Copy) -> None:
        if self.processes.look_at(process, copy.channel, memory=False) != copy.has:
            raise Shared("The copy of the notebook that was made for this test did not stay as it was made.")
        self._restore(copy)
        self.processes.release(process)

    def _restore(self, copy: Copy) -> None:
        assert copy.files is not None
        folders = self.views.renewed()
        try:
            home, *others = zip(folders, copy.files, strict=True)
            late = fill(*home, self.views.owner, self.views.files)
            for descriptor, folder in others:
                fill(descriptor, folder, self.views.owner)
            self.views.complete()
            if late:
                folders.append(self.views.home())
                write_over(folders[-1], late)
        except (OSError, MemoryError, RecursionError) as error:
            raise Shared("The notebook's files could not be put back as they stood at this test.") from error
        finally:
            for descriptor in folders:
                os.close(descriptor)
            copy.files = None

    def _try(self, copy: Copy, step: Callable[[Process, Copy], None]) -> None:
        """Do something with a copy, and end it if that cannot be done."""
        assert copy.process is not None
        try:
            step(copy.process, copy)
        except Shared as error:
            self._lose(copy, str(error))

    def _lose(self, copy: Copy, why: str) -> None:
        copy.lost = copy.lost or why
        if copy.process is not None:
            with contextlib.suppress(OSError):
                os.kill(copy.process.pid, signal.SIGKILL)


class SessionDescriptors:
    """The descriptors of a session that is being made: the notebook's channel, one for each branch, and, if there are
    any, the grader's connection to a warden.

    Args:
        warded: whether there can be one.
    """

    def __init__(self, descriptors: list[int], *, warded: bool) -> None:
        self.notebook, *self.branches = descriptors
        self.has_warden = warded and bool(self.branches)
        self.asking: socket.socket | None = None  # the notebook's end of the socket of requests
        self._all = descriptors
        if self.has_warden:
            self._control = self.branches.pop()
            self._requests, self.asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # student code may be shown none, or another

    def keep_notebooks(self) -> None:
        """In the notebook: close what is the warden's."""
        if self.has_warden:
            self._requests.close()
            for descriptor in (self._control, self._proc):
                os.close(descriptor)

    def close(self) -> None:
        """In a supervisor of a session without branches, who has nothing to say."""
        for descriptor in self._all:
            os.close(descriptor)

    def warden(self, views: WritableFolders, scratch_mb: int, notebook: int) -> Warden:
        """In the process that becomes it: close what is the notebook's, which is a child of that number."""
        copies = {number: Copy(os.fstat(branch).st_ino) for number, branch in enumerate(self.branches)}
        for descriptor in (self.notebook, *self.branches):
            os.close(descriptor)
        assert self.asking is not None
        self.asking.close()
        control, snapshots = socket.socket(fileno=self._control), Snapshots(SNAPSHOTS_SCRATCH * scratch_mb << 20)
        return Warden(self._requests, control, views, Processes(self._proc), snapshots, notebook, copies)
