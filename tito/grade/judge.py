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
from collections.abc import Sequence
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


@dataclass(frozen=True, eq=False)
class Question:
    """One section of a test, and the values that were observed for it."""

    section: Section
    plan: JudgePlan
    observed: dict[str, Any]

    def request(self) -> dict[str, Any]:
        return {
            "imports": self.plan.imports,
            "given": self.plan.given,
            "judge": self.section.judge or "",
            "checks": [one.source for one in self.section.checks],
            "hidden": self.section.hidden,
        }


class Judge:
    """A judge process with the prerequisites of one assignment. A context manager; not for two threads at once."""

    def __init__(self, prerequisites: Path) -> None:
        self.prerequisites = prerequisites
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None

    def ask(self, *questions: Question) -> list[Opinion | JudgeFailed]:
        """Judge sections of tests; a JudgeFailed in an answer's place says that the test itself is at fault.

        Raises:
            JudgeFailed: the judge process ended or hung: no verdict can be given.
        """
        observed = {f"{n} {name}": value for n, one in enumerate(questions) for name, value in one.observed.items()}
        channel = self._started()
        try:
            channel.send({"op": "judge", "questions": [one.request() for one in questions]}, observed)
            reply, _ = channel.receive(ANSWER_TIMEOUT_S)
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            self.close()
            raise JudgeFailed(f"The judge process gave no answer: {error or type(error).__name__}.") from error
        return [_opinion(one) for one in reply["opinions"]]

    def opinion(self, question: Question) -> Opinion:
        """Judge one section of a test.

        Raises:
            JudgeFailed: the judge process ended, hung, or could not set itself up: no verdict can be given.
        """
        (answer,) = self.ask(question)
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer

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


def _opinion(said: dict[str, Any]) -> Opinion | JudgeFailed:
    if said["fault"]:
        return JudgeFailed(f"The judge could not set itself up: {said['fault']}.", hint="The test itself is at fault.")
    checks = tuple(Opinion(**one) for one in said["checks"])
    return Opinion(said["yes"], said["message"], said["detail"], checks)


class Answers:
    """The judge's answers to the questions of one submission, which are put to it all at once: a hundred messages to
    and fro take longer than what there is to say. If that brings it down, each is asked by itself when it is wanted."""

    def __init__(self, judge: Judge, questions: Sequence[Question]) -> None:
        self._judge = judge
        self._known: dict[int, Opinion | JudgeFailed] = {}  # by the identity of what was observed
        if questions:
            with contextlib.suppress(JudgeFailed):
                self._known = {
                    id(one.observed): said for one, said in zip(questions, judge.ask(*questions), strict=True)
                }

    def opinion(self, question: Question) -> Opinion:
        """See `Judge.opinion`."""
        answer = self._known.get(id(question.observed))
        if answer is None:
            return self._judge.opinion(question)
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer
