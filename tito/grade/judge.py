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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tito.errors import JudgeFailed
from tito.models import JudgePlan, Measured, Section
from tito.sandbox.codec import Channel, CodecError, EndOfStream, Packed
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
    """One section of a test, the values that were observed for it, and what was measured of it from outside."""

    section: Section
    plan: JudgePlan
    observed: Packed
    measured: Measured | None = None

    def request(self) -> dict[str, Any]:
        return {
            "imports": self.plan.imports,
            "given": self.plan.given,
            "judge": self.section.judge or "",
            "checks": [one.source for one in self.section.checks],
            "measured": [self.section.measured, *(one.measured for one in self.section.checks)],
            "hidden": self.section.hidden,
        }


class Judge:
    """A judge process with the prerequisites of one assignment. A context manager; not for two threads at once."""

    def __init__(self, prerequisites: Path) -> None:
        self.prerequisites = prerequisites
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._asked: Asked | None = None
        self._halves: dict[tuple[Section, JudgePlan], int] = {}  # those that the process knows, and their numbers

    def put(self, *questions: Question) -> Asked:
        """Put questions to the judge, which is not waited for. What goes wrong is told by `Asked.opinions`."""
        self._settle()
        asked = Asked(self)
        try:
            channel = self._started()
            channel.send_packed(*self._frame(questions))
            self._asked = asked
        except JudgeFailed as error:
            asked.answer = error
        except (CodecError, OSError) as error:
            asked.answer = self._failed(error)
        return asked

    def _frame(self, questions: Sequence[Question]) -> tuple[dict[str, Any], Packed]:
        """Questions as a message. Judge halves are the same for all submissions: the process is told each once."""
        halves: dict[int, dict[str, Any]] = {}
        places: list[list[Any]] = []
        encoded, blobs, start = {}, [], 0
        for at, one in enumerate(questions):
            half = (one.section, one.plan)
            if half not in self._halves:
                self._halves[half] = number = len(self._halves)
                halves[number] = one.request()
            end = start + len(one.observed.blob)
            measured = vars(one.measured) if one.measured and one.section.is_measured else None
            places.append([self._halves[half], start, end, measured])
            encoded[str(at)] = one.observed.encoded
            blobs.append(one.observed.blob)
            start = end
        return {"op": "judge", "halves": halves, "questions": places}, Packed(encoded, b"".join(blobs))

    def ask(self, *questions: Question) -> list[Opinion | JudgeFailed]:
        """Judge sections of tests; a JudgeFailed in an answer's place says that the test itself is at fault.

        Raises:
            JudgeFailed: the judge process ended or hung: no verdict can be given.
        """
        return self.put(*questions).opinions()

    def _settle(self) -> None:
        """Hear what was asked last, so that something else can be asked."""
        if self._asked is None or self._channel is None:
            return
        asked, self._asked = self._asked, None
        try:
            reply, _ = self._channel.receive(ANSWER_TIMEOUT_S)
            asked.answer = [_opinion(one) for one in reply["opinions"]]
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            asked.answer = self._failed(error)

    def _failed(self, error: Exception) -> JudgeFailed:
        self.close()
        failure = JudgeFailed(f"The judge process gave no answer: {error or type(error).__name__}.")
        failure.__cause__ = error
        return failure

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
        self._settle()
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
        if self._asked is not None:
            self._asked.answer = JudgeFailed("The judge process was ended.")
            self._asked = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._halves.clear()
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


class Asked:
    """Questions that have been put to a judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.answer: list[Opinion | JudgeFailed] | JudgeFailed | None = None

    def opinions(self) -> list[Opinion | JudgeFailed]:
        """The answers, waited for; see `Judge.ask`."""
        if self.answer is None:
            self._judge._settle()
        assert self.answer is not None
        if isinstance(self.answer, JudgeFailed):
            raise self.answer
        return self.answer


class Answers:
    """The judge's answers to the questions of one submission, which are put to it many at once: a hundred messages to
    and fro take longer than what there is to say. If that brings it down, each is asked by itself when it is wanted."""

    def __init__(self, judge: Judge, questions: Iterable[Question] = ()) -> None:
        self._judge = judge
        self._put: list[tuple[list[Question], Asked]] = []  # what has been put, and is not known to be answered
        self._known: dict[
            int, tuple[Question, Opinion | JudgeFailed | None]
        ] = {}  # by the identity of the observations
        self.put(questions)

    def put(self, questions: Iterable[Question]) -> None:
        """Put those questions that have not been put; the first opinion that is wanted waits for the answers."""
        fresh = [one for one in questions if id(one.observed) not in self._known]
        if fresh:
            self._known.update((id(one.observed), (one, None)) for one in fresh)
            self._put.append((fresh, self._judge.put(*fresh)))

    def opinion(self, question: Question) -> Opinion:
        """See `Judge.opinion`."""
        for questions, asked in self._put:
            with contextlib.suppress(JudgeFailed):
                said = zip(questions, asked.opinions(), strict=True)
                self._known.update((id(one.observed), (one, answer)) for one, answer in said)
        self._put.clear()
        _, answer = self._known.get(id(question.observed), (question, None))
        if answer is None:
            return self._judge.opinion(question)
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer
