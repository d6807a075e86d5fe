"""Requests to a notebook and its answers, over one channel. Nothing that it answers is trusted."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tito.errors import SandboxUnavailable
from tito.plain_text import shortened
from tito.sandbox.inside.codec import MAX_DEPTH, NOTHING, Channel, CodecError, EndOfStream, Packed
from tito.sandbox.inside.last_value import LONGEST
from tito.sandbox.inside.step_status import SAID_INSIDE, StepStatus
from tito.sandbox.metering import Meter
from tito.sandbox.steps import Ran, Step
from tito.sandbox.time_allowance import GRACE_S, TimeAllowance, take

FRAME_SIZE = 1 << 18  # characters of sources and bytes of code that are sent together
MOST_VALUES = 96 << 20  # bytes of observations that are kept of one process of a notebook
MOST_OUTPUTS = 8 << 20  # characters of outputs, likewise
FILES_S = 10.0  # for writing what was handed in beside a notebook
RAISED = (StepStatus.ERROR, StepStatus.STOPPED)


class NotebookChannel:
    """Requests and answers over one channel. After a silence or a bad frame it is over.

    A notebook is sent all steps ahead, and its answers are received step by step: it does not wait for the grader, who
    meanwhile may do something else. A step that is measured is sent when its answer is asked for, by itself: nothing
    else is at work then, on either side.
    """

    def __init__(self, channel: Channel, meter: Meter | None = None) -> None:
        self.channel = channel
        self.over: StepStatus | None = None  # what becomes of all further steps, where nothing more will come
        self.why = ""  # in a sentence, where it is lost or gone
        self._meter = meter
        self._sent: deque[tuple[str, int, Step]] = deque()  # steps whose answers are to be received
        self._waiting: deque[list[Step]] = deque()  # parts that are yet to be sent
        self._limit_s = self._left_s = 0.0
        self._allowance: TimeAllowance | None = None  # for all that was sent together
        self._values_left, self._outputs_left = MOST_VALUES, MOST_OUTPUTS

    def send(self, steps: Iterable[Step], limit_s: float, left_s: float | None = None) -> None:
        """Send what is to be done next, when all answers to what was sent before have been received.

        Args:
            limit_s: what each step may take of processor time, see `time_allowance`.
            left_s: what all may take together.
        """
        if self.over:
            return
        assert not self._sent, "an answer has not been received"
        self._limit_s, self._left_s, self._allowance = limit_s, limit_s if left_s is None else left_s, None
        self._waiting.extend(_parts(steps))
        self._send_parts()

    def _send_parts(self) -> None:
        while self._waiting and not self._sent and not self.over and not self._waiting[0][0].measured:
            self._send_part(self._waiting.popleft())

    def _send_part(self, part: list[Step]) -> None:
        token = secrets.token_hex(8)
        request = {"op": "steps", "token": token, "limit_s": self._limit_s, "left_s": self._left_s}
        request["steps"] = [_as_sent(step) for step in part]
        try:
            self.channel.send(request, {str(at): code for at, step in enumerate(part) if (code := _code_of(step))})
        except (CodecError, OSError):  # a cell that is larger than what can cross, or nobody there
            self.over = StepStatus.DIED
        self._sent.extend((token, at, step) for at, step in enumerate(part) if step.is_answered)

    def receive(self) -> Ran:
        """What became of the next step that was sent and is answered.

        Raises:
            SandboxUnavailable: the session was ended for no fault of its own.
        """
        if not self._sent:
            self._send_parts()
        if not self._sent and self._waiting and not self.over:
            return self._measure(self._waiting.popleft())
        return self._receive_sent()

    def _measure(self, part: list[Step]) -> Ran:
        """Send a step by itself, and receive its answer, when all that was sent before has been done."""
        self._send_part([Step("rest")])
        rested = self._receive_sent()
        if self.over:
            return rested
        reading = None if self._meter is None else self._meter.begin()
        self._send_part(part)
        ran = self._receive_sent()
        return ran if reading is None else replace(ran, measured=reading.end())

    def _receive_sent(self) -> Ran:
        if self.over:
            return Ran(status=self.over, evalue=self.why)
        token, at, step = self._sent.popleft()
        if self._allowance is None:  # whatever time a notebook that student code has taken over says its steps took
            self._allowance = self._time_allowance(self._left_s + self._limit_s)
        of_step = self._time_allowance(min(self._limit_s, max(self._left_s, 0.0)))
        answer = self._received(token, of_step, self._allowance)
        if answer is None:
            return self._ended()
        reply, packed = answer
        if reply.get("step") != at:
            self.over = StepStatus.DIED
            return Ran(status=self.over)
        ran = self._ran(reply, packed if step.observe else NOTHING)
        if ran.status in RAISED and self._meter is not None and self._meter.struck():
            ran = replace(ran, status=StepStatus.MEMORY)  # the notebook is not what was ended, but has missed it
        self._left_s -= ran.seconds
        return ran

    def _ended(self) -> Ran:
        assert self.over is not None
        if self.over is StepStatus.DIED and self._meter is not None and self._meter.starved():
            raise SandboxUnavailable("This machine has no more memory.", hint="Grade with fewer workers.")
        return Ran(status=self.over)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files into the session's home, by their paths below it, before any student code runs.

        Raises:
            SandboxUnavailable: they cannot be written.
        """
        token = secrets.token_hex(8)
        try:
            self.channel.send({"op": "files", "token": token}, files)
            answer = self._received(token, self._time_allowance(FILES_S))
        except (CodecError, OSError):
            answer = None
        if answer is None or answer[0].get("error"):
            why = "its session has ended" if answer is None else shortened(str(answer[0]["error"]), 200)
            raise SandboxUnavailable(f"What was handed in beside the notebook could not be brought in: {why}.")

    def run(self, source: str, limit_s: float, observe: tuple[str, ...] = ()) -> Ran:
        """Have one cell run, and receive what became of it."""
        self.send([Step(source=source, observe=observe)], limit_s)
        return self.receive()

    def branch(self, number: int) -> bool:
        """Fork the notebook's state as it stands; the copy serves the branch of that number. False: it could not."""
        self.send([Step("branch", number=number)], GRACE_S)
        return self.receive().status is StepStatus.OK

    def ask(self, request: dict[str, Any], values: Packed, limit_s: float) -> tuple[dict[str, Any], Packed] | None:
        """One operation on the notebook's objects (see `objects`), and what came of it; None: there is no answer."""
        if self.over:
            return None
        token = secrets.token_hex(8)
        try:
            self.channel.send_packed(request | {"op": "ask", "limit_s": limit_s, "token": token}, values)
        except (CodecError, OSError):
            self.over = StepStatus.DIED
            return None
        return self._received(token, self._time_allowance(limit_s))

    def cpu_s(self) -> float | None:
        """Processor time of all the session's processes so far, in seconds; None: it cannot be measured."""
        return None if self._meter is None else self._meter.cpu_s()

    def _ran(self, reply: dict[str, Any], observed: Packed) -> Ran:
        """What the runner says, where that is plausible; of what it brings, as much as is kept of one notebook."""
        self._values_left -= observed.size
        refusals = _dict(reply.get("refused")).items()
        refused = {shortened(str(name), 200): shortened(str(why), 200) for name, why in refusals}
        if self._values_left < 0 and observed.size:
            observed, refused = NOTHING, {"values": f"the tests of a notebook keep {MOST_VALUES >> 20} MiB at most"}
        return Ran(
            status=_status(reply.get("status")),
            ename=shortened(str(reply.get("ename", "")), 200),
            evalue=shortened(str(reply.get("evalue", "")), 4000),
            outputs=self._outputs(reply.get("outputs")),
            seconds=_plausible(reply.get("seconds")),
            observed=observed,
            refused=refused,
            tampered=tuple(shortened(str(name), 200) for name in _list(reply.get("tampered"))[:20]),
            memory_mb=_plausible(reply.get("memory_mb")),
            value=shortened(str(reply.get("value", "")), LONGEST),
        )

    def _outputs(self, outputs: object) -> tuple[dict[str, Any], ...]:
        if self._outputs_left < 0:
            return ()
        printable = [output for output in _list(_printable(outputs)) if isinstance(output, dict)]
        self._outputs_left -= len(json.dumps(printable)) if printable else 0
        return tuple(printable)

    def take(self, limit_s: float) -> tuple[dict[str, Any], Packed]:
        """The next message of a process of ours, and nobody else's; raises what `time_allowance.take` does."""
        return take(self.channel, self._time_allowance(limit_s))

    def _time_allowance(self, limit_s: float) -> TimeAllowance:
        return TimeAllowance(limit_s, self._meter)

    def _received(self, token: str, *allowances: TimeAllowance) -> tuple[dict[str, Any], Packed] | None:
        """The answer to what was sent with that token."""
        try:
            reply, packed = take(self.channel, *allowances)
        except TimeoutError:
            self.over = StepStatus.TIMEOUT
        except (EndOfStream, CodecError, OSError):
            self.over = StepStatus.DIED
        else:
            if reply.get("token") == token:
                return reply, packed
            self.over = StepStatus.DIED
        if self._meter is not None and self._meter.exceeded():
            self.over = StepStatus.MEMORY
        return None


# ---- what is sent ----------------------------------------------------------------------------------


def _parts(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Steps in their order, as many together as make no large frame: their answers may wait to be received, but a
    notebook that is not yet done must not be sent so much that both sides wait."""
    part: list[Step] = []
    size = 0
    for step in steps:
        own = len(step.source) + len(step.code)
        if step.cell is not None:
            own += len(step.cell.statements) + len(step.cell.last)
        if part and (size + own > FRAME_SIZE or step.measured or part[-1].measured):
            yield part
            part, size = [], 0
        part.append(step)
        size += own
    if part:
        yield part


def _code_of(step: Step) -> Any:
    return step.code or (step.cell and [step.cell.statements, step.cell.last])


def _as_sent(step: Step) -> dict[str, Any]:
    if step.op != "run":
        return {"op": step.op, "number": step.number}
    message = {"op": step.op, "source": step.source, "observe": list(step.observe), "guard": step.guard}
    message["value"] = step.has_value
    message["names"] = [list(step.names.shared), list(step.names.of_tests)]
    if step.cell is not None:
        message["cell"] = {"name": step.cell.name, "flags": step.cell.flags, "sets": step.cell.sets}
    return message


# ---- what is received ------------------------------------------------------------------------------


def _status(value: object) -> StepStatus:
    """What the runner says became of a step; an error, where that is not for it to say."""
    return next((status for status in SAID_INSIDE if status == value), StepStatus.ERROR)


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
        return [_printable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_printable(str(key)): _printable(item, depth + 1) for key, item in value.items()}
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
