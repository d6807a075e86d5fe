"""One submission's processes in a sandbox: the notebook, its branches, and whose turn it is."""

from __future__ import annotations

import json
import socket
from typing import Any

from tito.sandbox.inside.codec import Channel
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.metering import Meter
from tito.sandbox.notebook_channel import NotebookChannel
from tito.sandbox.zygote_connection import ZygoteConnection

WARDEN_TIMEOUT_S = 20.0
ANSWER_BYTES = 1 << 17  # of a warden's answer


class Session:
    """A context manager; leaving it ends all processes.

    Args:
        connection: the one that the session was forked for.
        channels: to the notebook, and to each branch.
        warden: a connection to the session's warden, where it has one.
        meter: what looks at it from outside, where something does.
    """

    def __init__(
        self,
        connection: ZygoteConnection,
        channels: list[Channel],
        warden: socket.socket | None,
        meter: Meter | None,
    ) -> None:
        self._connection = connection
        self._number = connection.session
        self._warden = warden
        self._meter = meter
        self.notebook, *self.branches = [NotebookChannel(channel, meter) for channel in channels]
        self._begun = False

    def begin(self) -> None:
        """Have all branches that were forked held, before any of them, or the notebook, is sent what is hidden.

        Branches that cannot be asked are over then; `NotebookChannel.why` says why, in a sentence.
        """
        self._begun = True
        forked = [number for number, branch in enumerate(self.branches) if not branch.over]
        self._lose(self._ask_warden({"op": "begin", "numbers": forked}, forked), StepStatus.LOST)

    def cpu_s(self) -> float | None:
        """Seconds of processor time of all its processes so far; None: it cannot be told."""
        return self.notebook.cpu_s()

    def turn(self, number: int, *, notebook: bool = False) -> None:
        """Let a branch be asked, alone and with the files that stood there when it was forked.

        What ran before is ended: the notebook, unless it is to be asked as well (`notebook`), and the branch whose turn
        it was.
        """
        if not self._begun:
            self.begin()
        if not self.branches[number].over:
            request = {"op": "turn", "number": number, "notebook": notebook}
            self._lose(self._ask_warden(request, [number]), StepStatus.GONE)

    def _lose(self, lost: dict[int, str], status: StepStatus) -> None:
        for number, why in lost.items():
            branch = self.branches[number]
            branch.over, branch.why = branch.over or status, why

    def _ask_warden(self, request: dict[str, Any], numbers: list[int]) -> dict[int, str]:
        """What the warden says, of whom student code can only lose what is theirs; why those numbers are lost."""
        if self._warden is None or not numbers:
            return {}
        try:
            self._warden.settimeout(WARDEN_TIMEOUT_S)
            self._warden.send(json.dumps(request).encode())
            answer = json.loads(self._warden.recv(ANSWER_BYTES) or b"null")
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self._warden.close()  # a late answer must not be taken for that to another question
            return dict.fromkeys(numbers, "The session of this notebook has ended.")
        return {int(number): why for number, why in answer.items() if why and int(number) in numbers}

    def close(self) -> None:
        """End every process of the session."""
        for notebook in (self.notebook, *self.branches):
            notebook.channel.close()
        if self._warden is not None:
            self._warden.close()
        if self._connection.session == self._number:
            self._connection.end()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
