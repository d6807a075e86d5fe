"""A connection to a zygote: a process of the zygote's, a session server, serves it alone, and forks the sessions that
are asked for.

There is one session at a time. So what the server's control group holds is what that session holds; the server itself
holds next to nothing of its own, and where the kernel ends it for lack of memory, another connection is opened.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tito.sandbox import cgroup
from tito.sandbox.metering import GroupMeter, Meter, TreeMeter, mechanism

CREDENTIALS = struct.Struct("=iII")  # of a sender, as the kernel tells them: process, user, group
ANSWER_BYTES = 4096


class ZygoteConnection:
    """For one thread of one process.

    Args:
        limit_mb: what a session may hold in all, where the kernel limits that.
    """

    def __init__(self, address: Path, limit_mb: int, *, metered: bool) -> None:
        """Connect, which is not waited for.

        Raises:
            OSError: there is no zygote.
        """
        self.is_ready = False
        self.read_only: tuple[str, ...] = ()  # files of the assignment that are too large to be a session's own
        self.session = 0  # the first process of the session that there is, as the zygote numbers it; 0: none
        self.is_ending = False  # whether that is to end
        self.is_cut = False  # whether the session server has gone
        self._address = address
        self._limit_mb = limit_mb
        self._metered = metered
        self._group: cgroup.Group | None = None
        self._pidfd = -1  # of the session's first process
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._socket.connect(str(address))
        except OSError:
            self._socket.close()
            raise

    @property
    def is_free(self) -> bool:
        """Whether a session can be ordered."""
        return not self.session and not self.is_hung_up

    @property
    def is_hung_up(self) -> bool:
        """Whether the session server has gone."""
        if not self.is_cut:
            events = select.poll()
            events.register(self._socket, 0)
            self.is_cut = bool(events.poll(0))
        return self.is_cut

    def order(self, channels: Sequence[int]) -> None:
        """Have a session forked that serves these descriptors; it is not waited for.

        Raises:
            OSError: the session server has gone.
        """
        self.send({"op": "open"}, channels)

    def send(self, message: dict[str, object], descriptors: Sequence[int] = ()) -> None:
        """Tell the session server.

        Raises:
            OSError: it has gone.
        """
        socket.send_fds(self._socket, [json.dumps(message).encode()], descriptors)

    def receive(self, timeout_s: float) -> None:
        """Take in the session server's next answer. No student code speaks here: whatever goes wrong is ours.

        Raises:
            OSError: the session server has gone, or says nothing.
            ValueError: what it says makes no sense.
        """
        if self.is_ending and self.is_hung_up:
            self._wait_for_end(timeout_s)
            return
        self._socket.settimeout(timeout_s)
        space = socket.CMSG_SPACE(CREDENTIALS.size) + socket.CMSG_SPACE(struct.calcsize("i"))
        data, ancillary, _, _ = self._socket.recvmsg(ANSWER_BYTES, space)
        server = pidfd = 0
        for _, kind, content in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                server = CREDENTIALS.unpack(content)[0]
            elif kind == socket.SCM_RIGHTS:
                (pidfd,) = struct.unpack("i", content)
        if not data:
            self.is_cut = True
            raise ConnectionError("it ended")
        self._take(json.loads(data), server, pidfd)

    def _take(self, answer: dict[str, Any], server: int, pidfd: int) -> None:
        match answer.get("op"):
            case "ready":
                self._limit(server)
                self.read_only = tuple(map(str, answer["read_only"]))
                self.is_ready = True
            case "opened":
                self.session, self._pidfd = int(str(answer["pid"])), pidfd
            case "closed":
                self._forget_session()
            case _:
                raise ValueError(f"an answer that is none: {answer}")

    def _limit(self, server: int) -> None:
        where = cgroup.hierarchies() if self._metered else None
        if where is not None:
            self._group = cgroup.group(where, self._limit_mb)
            self._group.add(server)

    def end(self) -> None:
        """Have the session ended, with all of its processes, which is not waited for."""
        if self.session and not self.is_ending:
            self.is_ending = True
            try:
                self.send({"op": "close", "pid": self.session})
            except OSError:
                self.is_cut = True

    def _wait_for_end(self, timeout_s: float) -> None:
        """The server has gone; a session's first process is ended by the kernel with it, or with its supervisor."""
        ended = select.poll()
        ended.register(self._pidfd, select.POLLIN)
        if not ended.poll(timeout_s * 1000):
            raise TimeoutError("a session does not end")
        self._forget_session()

    def _forget_session(self) -> None:
        os.close(self._pidfd)
        self.session, self.is_ending, self._pidfd = 0, False, -1

    def meter(self) -> Meter | None:
        """What looks at the session from outside; None: nothing can.

        Raises:
            OSError: something should, and cannot.
        """
        if not self._metered:
            return None
        if self._group is not None:
            return GroupMeter(self._group, partial(process_of, self._pidfd))
        if not mechanism():
            return None
        return TreeMeter(process_of(self._pidfd), self._address.parent)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
        self.is_cut = True
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        if self._group is not None:
            self._group.remove()
            self._group = None


def process_of(pidfd: int) -> int:
    """The number of a process here, wherever it was numbered otherwise.

    Raises:
        OSError: it cannot be seen from here.
    """
    for connection in Path(f"/proc/self/fdinfo/{pidfd}").read_text(encoding="ascii").splitlines():
        name, _, value = connection.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise ProcessLookupError("a session's processes cannot be seen from here")
