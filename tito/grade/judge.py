"""The judge: a process of its own, without student code, that says yes or no to observations.

One process serves many submissions: what it runs is the course's own test code, on copies of plain values.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tito.errors import JudgeFailed
from tito.models import JudgePlan, Section
from tito.sandbox.codec import Channel, CodecError, EndOfStream
from tito.sandbox.wire import more

ANSWER_TIMEOUT_S = 30.0
MEMORY_MB = 4096


@dataclass(frozen=True)
class Opinion:
    """The judge's answer. `message` is the author's, fit for students; `detail` may hold values, for the TA.

    `checks` are its answers to the section's named checks; then `yes` says that it said yes to all.
    """

    yes: bool
    message: str = ""
    detail: str = ""
    checks: tuple[Opinion, ...] = ()


class Judge:
    """A judge process with the prerequisites of one assignment. A context manager; not for two threads at once."""

    def __init__(self, prerequisites: Path) -> None:
        self.prerequisites = prerequisites
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None

    def ask(self, section: Section, plan: JudgePlan, observed: dict[str, Any]) -> Opinion:
        """Judge one section of a test on the values that were observed for it.

        Raises:
            JudgeFailed: the judge process ended, hung, or could not set itself up: no verdict can be given.
        """
        request = {
            "imports": plan.imports,
            "given": plan.given,
            "judge": section.judge or "",
            "checks": [one.source for one in section.checks],
            "hidden": section.hidden,
        }
        channel = self._started()
        try:
            channel.send(request, observed)
            reply, _ = channel.receive(ANSWER_TIMEOUT_S)
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            self.close()
            raise JudgeFailed(f"The judge process gave no answer: {error or type(error).__name__}.") from error
        if reply["fault"]:
            raise JudgeFailed(
                f"The judge could not set itself up: {reply['fault']}.", hint="The test itself is at fault."
            )
        checks = tuple(Opinion(**one) for one in reply["checks"])
        return Opinion(reply["yes"], reply["message"], reply["detail"], checks)

    def channel(self) -> Channel:
        """The way to the judge process, which is started where there is none.

        Raises:
            JudgeFailed: it could not be started.
        """
        return self._started()

    def _started(self) -> Channel:
        if self._channel is None:
            ours, theirs = socket.socketpair()
            command = [sys.executable, "-s", "-P", "-B", "-m", "tito.grade.judge_worker", str(theirs.fileno())]
            try:
                self._process = subprocess.Popen(
                    [*command, str(self.prerequisites), str(MEMORY_MB)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env={"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
                    cwd=self.prerequisites,
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise JudgeFailed(f"The judge process could not be started: {error}.") from error
            finally:
                theirs.close()
            self._channel = Channel(ours)
            self._channel.more = more
        return self._channel

    def start(self) -> None:
        """Start the process, without waiting for it: the first question finds it ready.

        Raises:
            JudgeFailed: it could not be started.
        """
        self._started()

    def close(self) -> None:
        """End the process."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # and a test that it has forked
            self._process.wait()
            self._process = None

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
