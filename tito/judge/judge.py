"""The judge, as the grader sees it: a session of a sandbox for judges, one for each submission (see `judge.role`).

It reads what was handed in, and says yes or no to observations. What it is given is hostile: whatever it does with it,
it is limited in time and memory, has no network and no file that anybody else sees, and ends with its submission.

An answer that does not come is nobody's fault yet: see `Answers`.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tito.course.submission_files import NoNotebook
from tito.errors import JudgeFailed, SandboxUnavailable
from tito.judge.role import MOST_TO_JUDGE, JudgeOrder
from tito.models import JudgePlan, Measured, Section
from tito.plain_text import shortened
from tito.plan.plan import AssignmentPlan, NotebookPlan
from tito.plan.sandbox_specs import Sandboxes, judge_spec
from tito.repair.read_notebook import ReadNotebook, from_values
from tito.sandbox.inside.codec import Channel, CodecError, EndOfStream, Packed
from tito.sandbox.inside.last_value import LONGEST
from tito.sandbox.launch import Backend
from tito.sandbox.session import Session
from tito.sandbox.zygote_client import Sandbox, ZygoteClient

TOGETHER = 64 << 20  # bytes of values in one frame of questions
READ_S = 2.0  # of processor time, for reading a submission; then with care
CAREFUL_S = 2.0  # of processor time, for what text tells of itself, where care is taken
CAREFULLY_S = 6.0  # and for all else that reading takes then
NO_CARE_HELPS = -1.0  # then no text of a student's is parsed at all
UNPARSED_S = 6.0
ALLOWANCE_S = 1.0  # for messages
MOST_BROKEN = 3  # tests of a notebook; where more break judges there is no end to it

Half = tuple[Section, JudgePlan]


@dataclass(frozen=True)
class Judgement:
    """The judge's answer. `message` is the author's, fit for students; `detail` may hold values, for the TA.

    `checks` are its answers to the section's named checks; then `yes` says that it said yes to all. `broke`: there was
    no answer, since the values have brought judges down at this limit. `value` is the text of the test's last value.
    """

    yes: bool
    message: str = ""
    detail: str = ""
    checks: tuple[Judgement, ...] = ()
    broke: str = ""
    value: str = ""


@dataclass(frozen=True, eq=False)
class Question:
    """One section of a test, the values that were observed for it, and what was measured of it from outside."""

    section: Section
    plan: JudgePlan
    observed: Packed
    measured: Measured | None = None
    test: str = ""  # what the section belongs to


def request_of(section: Section, plan: JudgePlan) -> dict[str, Any]:
    """A judge half as the judge's process is told it."""
    return {
        "imports": plan.imports,
        "given": plan.given,
        "judge": section.judge or "",
        "checks": [check.source for check in section.checks],
        "measured": [section.measured, *(check.measured for check in section.checks)],
        "observed": list(plan.observed),
        "hidden": section.hidden,
    }


class JudgeCrashed(JudgeFailed):
    """The judge's process has ended, or did not answer in its time; `limit` says at what."""

    def __init__(self, limit: str) -> None:
        super().__init__(f"The judge process gave no answer: {limit}.")
        self.limit = limit


# ---- a sandbox for judges ----------------------------------------------------------------------------


def halves_of(notebooks: Iterable[NotebookPlan]) -> dict[Half, int]:
    """The judge halves of notebooks, numbered in their order."""
    tests = (test for notebook in notebooks for test in notebook.tests.values())
    halves = [(section, plan) for test in tests for section, plan in test.sections if plan is not None]
    return {half: number for number, half in enumerate(dict.fromkeys(halves))}


def order_of(plan: AssignmentPlan) -> bytes:
    """What its judges are to know of an assignment."""
    halves = tuple(request_of(*half) for half in halves_of(plan.notebooks))
    notebooks = tuple(replace(notebook, files={}) if notebook.files else notebook for notebook in plan.notebooks)
    return pickle.dumps(JudgeOrder(notebooks, halves))


@contextlib.contextmanager
def sandboxes_for(backend: Backend, plan: AssignmentPlan) -> Iterator[Sandboxes]:
    """Sandboxes for an assignment and its judges."""
    with Sandboxes(backend, plan.spec) as sandboxes:
        sandboxes.warm(plan.spec, order_of(plan))
        yield sandboxes


@contextlib.contextmanager
def judging(backend: Backend, plan: AssignmentPlan) -> Iterator[Judge]:
    """A judge in a sandbox of its own."""
    with Sandbox(backend, judge_spec(plan.spec), warm=False) as sandbox:
        sandbox.warm(judge_spec(plan.spec), order_of(plan))
        with Judge(sandbox, halves_of(plan.notebooks)) as judge:
            yield judge


# ---- a judge -----------------------------------------------------------------------------------------


class Judge:
    """A judge's process, forked when it is first needed. A context manager; not for two threads at once.

    Args:
        sandbox: a line to a sandbox for judges.
        known: the judge halves that the sandbox was told of, and their numbers.
    """

    def __init__(self, sandbox: ZygoteClient, known: Mapping[Half, int] | None = None) -> None:
        self._sandbox = sandbox
        self._known = known or {}
        self._told: dict[Half, int] = {}  # halves beside those that this process was told
        self._session: Session | None = None
        self._asked: PendingAnswers | None = None

    # ---- reading -------------------------------------------------------------------------------------

    def read(self, plans: Mapping[str, NotebookPlan], files: dict[str, bytes]) -> dict[str, ReadNotebook | NoNotebook]:
        """What to grade of notebooks that were handed in, by name.

        Raises:
            JudgeFailed: no judge can be had.
        """
        for careful_s, limit_s in ((0.0, READ_S), (CAREFUL_S, CAREFULLY_S), (NO_CARE_HELPS, UNPARSED_S)):
            try:
                return self._read(plans, files, careful_s, limit_s)
            except JudgeCrashed as broken:
                limit = broken.limit
        return {name: NoNotebook(f"{name} cannot be read within limits ({limit})") for name in files}

    def _read(
        self, plans: Mapping[str, NotebookPlan], files: dict[str, bytes], careful_s: float, limit_s: float
    ) -> dict[str, ReadNotebook | NoNotebook]:
        channel = self.channel()
        read: dict[str, ReadNotebook | NoNotebook] = {}
        try:
            channel.send({"op": "read", "careful": careful_s}, files)
            for _ in files:
                reply, packed = self.take(limit_s)
                name, values = reply["notebook"], packed.values(channel.more)
                read[name] = (
                    NoNotebook(reply["unreadable"]) if reply["unreadable"] else from_values(values, plans[name])
                )
        except (TimeoutError, EndOfStream, CodecError, OSError) as error:
            raise self._broken(error) from error
        return read

    def bound(self, notebook: str, cells: Sequence[int]) -> list[frozenset[str]]:
        """Names that cells of a notebook that was read would set, by their positions; nothing where it is not known."""
        try:
            channel = self.channel()
            channel.send({"op": "bound", "notebook": notebook, "cells": list(cells)})
            reply, _ = channel.receive(ALLOWANCE_S)
            return [frozenset(names) for names in reply["bound"]]
        except (JudgeFailed, TimeoutError, EndOfStream, CodecError, OSError):
            self.renew()
            return [frozenset() for _ in cells]

    # ---- judging -------------------------------------------------------------------------------------

    def put(self, *questions: Question, alone_s: float = 0.0) -> PendingAnswers:
        """Put questions to the judge, which is not waited for. With `alone_s`, each is judged in a process of its own,
        for at most so many seconds of processor time. What goes wrong is told by `PendingAnswers`."""
        self._settle()
        asked = PendingAnswers(self, len(questions), self._limit_s(alone_s))
        try:
            channel = self._started()
            for part in _parts(questions):
                channel.send_packed(*self._frame(part, alone_s))
            self._asked = asked
        except JudgeFailed as error:
            asked.failure = error
        except (CodecError, OSError) as error:
            asked.failure = self._broken(error)
        return asked

    def _limit_s(self, alone_s: float) -> float:
        """Of processor time, for an answer."""
        return alone_s or self._sandbox.spec.limits.cell_timeout_s

    def _frame(self, questions: Sequence[Question], alone_s: float) -> tuple[dict[str, Any], Packed]:
        """Questions as a message. Judge halves are the same for all submissions: few have to be told."""
        halves: dict[int, dict[str, Any]] = {}
        places = []
        for question in questions:
            half = (question.section, question.plan)
            number = self._known.get(half, self._told.get(half, -1))
            if number < 0:
                self._told[half] = number = len(self._known) + len(self._told)
                halves[number] = request_of(*half)
            measured = question.measured and vars(question.measured)
            places.append([number, len(question.observed.text), len(question.observed.blob), measured])
        values = b"".join(part for question in questions for part in (question.observed.text, question.observed.blob))
        return {"op": "judge", "halves": halves, "questions": places, "alone_s": alone_s}, Packed(blob=values)

    def ask(self, *questions: Question) -> list[Judgement | JudgeFailed]:
        """Judge sections of tests; a JudgeFailed in an answer's place says that the test itself is at fault.

        Raises:
            JudgeFailed: the judge process ended or hung: no verdict can be given.
        """
        return self.put(*questions).judgements()

    def judgement(self, question: Question) -> Judgement:
        """Judge one section of a test.

        Raises:
            JudgeFailed: the judge process ended, hung, or could not set itself up: no verdict can be given.
        """
        (answer,) = self.ask(question)
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer

    def judgement_apart(self, question: Question) -> Judgement:
        """The same by a judge that has judged nothing before, with a limit of processor time.

        Raises:
            JudgeCrashed: it broke.
            JudgeFailed: it could not set itself up.
        """
        self.renew()
        (answer,) = self.put(question, alone_s=self._sandbox.spec.limits.cell_timeout_s).judgements()
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer

    def _settle(self) -> None:
        """Hear what was asked last, so that something else can be asked."""
        if self._asked is None or self._session is None:
            return
        asked, self._asked = self._asked, None
        try:
            while len(asked.answers) < asked.count:
                reply, _ = self._session.notebook.take(asked.limit_s)
                if "broke" in reply:
                    raise JudgeCrashed(str(reply["broke"])[:100])
                asked.answers.append(_judgement(reply["judgement"]))
        except JudgeCrashed as error:
            asked.failure = error
            self.renew()
        except (TimeoutError, EndOfStream, CodecError, OSError, KeyError, TypeError) as error:
            asked.failure = self._broken(error)

    def _broken(self, error: Exception) -> JudgeCrashed:
        """End what is left of a judge that has broken, and say at what limit, as far as can be told."""
        self.renew()
        broken = JudgeCrashed("time" if isinstance(error, TimeoutError) else "its process ended")
        broken.__cause__ = error
        return broken

    # ---- its process ---------------------------------------------------------------------------------

    def channel(self) -> Channel:
        """The way to the judge process, which is started where there is none.

        Raises:
            JudgeFailed: it could not be started.
        """
        self._settle()
        return self._started()

    def take(self, limit_s: float) -> tuple[dict[str, Any], Packed]:
        """What the judge says next, within so much processor time.

        Raises:
            TimeoutError, EndOfStream, CodecError: it says nothing.
        """
        assert self._session is not None, "nobody was asked"
        return self._session.notebook.take(limit_s)

    def _started(self) -> Channel:
        if self._session is None:
            try:
                self._session = self._sandbox.session()
            except SandboxUnavailable as error:
                raise JudgeFailed(f"No judge can be started: {error}") from error
            self._session.notebook.channel.most_blob = MOST_TO_JUDGE
        return self._session.notebook.channel

    def renew(self) -> None:
        """End the process: what is asked next is asked of a fresh one."""
        if self._asked is not None:
            self._asked.failure, self._asked.ended = JudgeFailed("The judge process was ended."), True
            self._asked = None
        if self._session is not None:
            self._session.close()
            self._session = None
        self._told.clear()

    close = renew

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parts(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Questions in their order, as many together as make no frame that is too large."""
    part: list[Question] = []
    size = 0
    for question in questions:
        if part and size + question.observed.size > TOGETHER:
            yield part
            part, size = [], 0
        part.append(question)
        size += question.observed.size
    if part:
        yield part


def _judgement(reply: dict[str, Any]) -> Judgement | JudgeFailed:
    if reply["fault"]:
        fault = shortened(str(reply["fault"]), 4000)
        return JudgeFailed(f"The judge could not set itself up: {fault}.", hint="The test itself is at fault.")
    return _one(reply, tuple(_one(check) for check in reply["checks"]))


def _one(reply: dict[str, Any], checks: tuple[Judgement, ...] = ()) -> Judgement:
    message, detail = (shortened(str(reply[name]), 4000) for name in ("message", "detail"))
    value = shortened(str(reply.get("value", "")), LONGEST)
    return Judgement(reply["yes"] is True, message, detail, checks, value=value)


class PendingAnswers:
    """Questions that have been put to a judge: its answers so far, in their order, and what went wrong then."""

    def __init__(self, judge: Judge, count: int, limit_s: float) -> None:
        self._judge = judge
        self.count = count
        self.limit_s = limit_s
        self.answers: list[Judgement | JudgeFailed] = []
        self.failure: JudgeFailed | None = None
        self.ended = False  # by us, for what another question did to the judge

    def settle(self) -> None:
        """Wait for the answers, or for what goes wrong."""
        if self.failure is None and len(self.answers) < self.count:
            self._judge._settle()

    def judgements(self) -> list[Judgement | JudgeFailed]:
        """The answers, waited for; see `Judge.ask`."""
        self.settle()
        if self.failure is not None:
            raise self.failure
        return self.answers


Reference = Callable[[Half], Packed | None]


class Answers:
    """The judge's answers to the questions of one submission, which are put to it many at once: a hundred messages to
    and fro take longer than what there is to say.

    Values that bring a judge down are no way to go ungraded. They are put to a fresh one, the reference's values for
    the same half to another, and the values again to a third. Where the reference's are answered and the others break
    both judges at the same limit, that is the answer: no, for the values broke it. Else it is ours to look at. The rest
    of the test is answered likewise; other tests go to another judge.

    Args:
        reference: the reference's values for a judge half, where they are known.
    """

    def __init__(
        self, judge: Judge, questions: Iterable[Question] = (), reference: Reference = lambda half: None
    ) -> None:
        self._judge = judge
        self._reference = reference
        self._put: list[
            tuple[list[Question], PendingAnswers]
        ] = []  # what has been put, and is not known to be answered
        self._known: dict[int, Judgement | JudgeFailed | None] = {}  # by the identity of the observations
        self._questions: dict[int, Question] = {}
        self.broken: list[tuple[Question, str]] = []  # questions whose values broke judges, and at what limit
        self.put(questions)

    def put(self, questions: Iterable[Question]) -> None:
        """Put those questions that have not been put; the first judgement that is wanted waits for the answers."""
        fresh = [question for question in questions if id(question.observed) not in self._questions]
        self._questions.update((id(question.observed), question) for question in fresh)
        if fresh:
            self._put.append((fresh, self._judge.put(*fresh)))

    def judgement(self, question: Question) -> Judgement:
        """See `Judge.judgement`."""
        self._hear()
        answer = self._known.get(id(question.observed))
        if answer is None:
            self._known[id(question.observed)] = answer = self._second(question)
        if isinstance(answer, JudgeFailed):
            raise answer
        return answer

    def _hear(self) -> None:
        """Hear the answers to all that was put. What was asked behind a question that broke the judge is put again."""
        while self._put:
            questions, asked = self._put.pop(0)
            asked.settle()
            self._known.update(
                (id(question.observed), answer) for question, answer in zip(questions, asked.answers, strict=False)
            )
            left = questions[len(asked.answers) :]
            if left and isinstance(asked.failure, JudgeCrashed):
                left = self._broke(left)
            elif not asked.ended:
                continue
            if left:
                self._put.insert(0, (left, self._judge.put(*left)))

    def _broke(self, questions: list[Question]) -> list[Question]:
        """Answer the first of these questions, whose values have broken a judge, and the others of its test; all of
        them where there is no end to it. What is left can be put to another judge.

        Once values of a notebook have been seen to break two judges, they are not tried again for each of its tests.
        """
        first = questions[0]
        answer = self._no(first) if self.broken else self._second(first)
        self._known[id(first.observed)] = answer
        if not isinstance(answer, Judgement) or not answer.broke:
            return questions[1:]
        endless = len({question.test for question, _ in self.broken}) > MOST_BROKEN
        same = [question for question in questions[1:] if endless or question.test == first.test]
        self._known.update((id(question.observed), self._no(question)) for question in same)
        return [question for question in questions[1:] if question not in same]

    def _second(self, question: Question) -> Judgement | JudgeFailed:
        """What to say of values that have brought a judge down."""
        try:
            return self._judge.judgement_apart(question)
        except JudgeCrashed as error:
            first = error
        except JudgeFailed as error:
            return error
        values = self._reference((question.section, question.plan))
        if values is None:
            return first
        try:
            self._judge.judgement_apart(replace(question, observed=values))
        except JudgeFailed as error:
            return error
        try:
            return self._judge.judgement_apart(question)
        except JudgeCrashed as second:
            return self._no(question, first.limit) if second.limit == first.limit else second
        except JudgeFailed as error:
            return error

    def _no(self, question: Question, limit: str = "") -> Judgement:
        limit = limit or self.broken[-1][1]
        self.broken.append((question, limit))
        message = "What your code returned cannot be judged within the limits of a test."
        no = Judgement(False, message, f"It broke two judges: {limit}.", broke=limit)
        return replace(no, checks=tuple(no for _ in question.section.checks))
