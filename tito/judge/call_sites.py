"""Where the code of a test is while it runs in the judge, and what the reference's run allows there.

A permission is for a place of the test, and for how the test came there: the chain of its own frames, each at its
instruction. A helper that is called from two lines is at two places. Where the reference's run came to a place several
times, and what is asked held each time, it holds there however often a student's run comes by. Where it held at some
times only, it holds at those alone: then lines are counted as they run, in the reference's run and in a student's.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import inspect
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

MARK = "<test "  # how the file names of a test's own code begin
SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
SOMETIMES = " at "  # in what is known: a fact for one time that a place is come to


@dataclass
class _Frame:
    """A frame of the test's: which of those that were entered it is, and how often each of its lines has run."""

    name: str
    visits: Counter[int] = field(default_factory=Counter)
    entered: Counter[str] = field(default_factory=Counter)  # frames that were entered from it


class CallSites:
    """Where a test is, and what is known of that place.

    Args:
        known: what the reference's run has shown; None while it is at work, when all is noted.
    """

    def __init__(self, known: frozenset[str] | None) -> None:
        self.known = known
        self._frames: dict[FrameType, _Frame] = {}
        self._reached: Counter[str] = Counter()  # how often a line of a place was come to
        self._noted: dict[tuple[str, str, str], set[str]] = {}  # fact, place and its line; times at which it held

    @property
    def is_reference(self) -> bool:
        return self.known is None

    def note(self, fact: str) -> None:
        """Note what holds here and now, in the reference's run."""
        if self.known is None and (frames := _frames_of_the_test()):
            self._noted.setdefault((fact, _place(frames), _line(frames)), set()).add(self._time(frames))

    def allows(self, fact: str) -> bool:
        """Whether that held here in the reference's run."""
        if self.known is None:
            return True
        frames = _frames_of_the_test()
        always = f"{fact} {_place(frames)}"
        return always in self.known or f"{fact}{SOMETIMES}{self._time(frames)}" in self.known

    def shown(self) -> frozenset[str]:
        """What the reference's run has shown so far, to be known of others'."""
        known: set[str] = set()
        for (fact, place, line), times in self._noted.items():
            if len(times) == self._reached[line]:
                known.add(f"{fact} {place}")
            else:
                known.update(f"{fact}{SOMETIMES}{time}" for time in times)
        return frozenset(known)

    # ---- counting --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count the lines of the test as they run, where that is needed."""
        if self.known is not None and not any(SOMETIMES in fact for fact in self.known):
            yield
            return
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(MARK):
            return None
        if event == "call" and frame not in self._frames:
            self._frames[frame] = self._entered(frame)
        elif event in ("line", "call"):
            self._frames[frame].visits[frame.f_lineno] += 1
            if self.known is None:
                self._reached[_line(_frames_of_the_test(frame))] += 1
        elif event == "return" and not frame.f_code.co_flags & SUSPENDS:
            self._frames.pop(frame, None)
        return self._trace

    def _entered(self, frame: FrameType) -> _Frame:
        """A frame that begins: named by where, when and as which of several it was entered."""
        around = _frames_of_the_test(frame.f_back) if frame.f_back is not None else []
        entered_from = f"{self._time(around)} {_code(frame.f_code)}"
        known = self._frames.get(around[0]) if around else None
        number = 0
        if known is not None:
            known.entered[entered_from] += 1
            number = known.entered[entered_from]
        return _Frame(_short(f"{entered_from} {number}"))

    def _time(self, frames: list[FrameType]) -> str:
        """What tells this time that a place is come to from all others."""
        if not frames or frames[0] not in self._frames:
            return ""
        known = self._frames[frames[0]]
        return _short(f"{known.name} {_instruction(frames[0])} {known.visits[frames[0].f_lineno]}")


def _frames_of_the_test(frame: FrameType | None = None) -> list[FrameType]:
    """The test's own frames that are at work, the innermost first."""
    frames = []
    at: FrameType | None = frame or sys._getframe(1)
    while at is not None:
        if at.f_code.co_filename.startswith(MARK):
            frames.append(at)
        at = at.f_back
    return frames


def _place(frames: list[FrameType]) -> str:
    return _short(">".join(f"{_code(frame.f_code)} {_instruction(frame)}" for frame in frames))


def _line(frames: list[FrameType]) -> str:
    innermost = f"{_code(frames[0].f_code)} {frames[0].f_lineno}" if frames else ""
    return _short(f"{innermost} from {_place(frames[1:])}")


def _code(code: CodeType) -> str:
    return f"{code.co_filename}:{code.co_firstlineno}:{code.co_name}"


def _instruction(frame: FrameType) -> int:
    """Where the instruction begins that is at work: after a call that Python runs itself it points past that."""
    starts = _instructions(frame.f_code)
    return starts[bisect_right(starts, frame.f_lasti) - 1] if frame.f_lasti >= 0 else -1


def look_through(code: CodeType) -> None:
    """Find out where the instructions of a test's code begin, and of all functions in it, before it is run."""
    _instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            look_through(constant)


@functools.lru_cache(maxsize=4096)
def _instructions(code: CodeType) -> list[int]:
    return [instruction.offset for instruction in dis.get_instructions(code)]


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
