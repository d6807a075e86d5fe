"""`time.process_time` of a test that runs in the judge: its own process's, and that of the notebook while it was asked.

The grader measures it from outside, around each operation. What student code does meanwhile, while the test is at work
on something else, does not count: it makes nothing else look slower.
"""

from __future__ import annotations

import time
from typing import Any

# Of this process's only thread. Where a limit of processor time is set, as here, the kernel's clock of a whole process
# moves from one of its ticks to the next.
OWN = time.thread_time


class ProcessorTime:
    """What a test and what it asked for have taken."""

    def __init__(self) -> None:
        self.is_asked_for = False  # from then on the grader measures
        self._of_notebook_s: float | None = 0.0

    def put_in_place(self) -> None:
        """Have `time` say it in this process."""
        time.process_time = time.thread_time = self.seconds
        time.process_time_ns = time.thread_time_ns = lambda: round(1e9 * self.seconds())

    def seconds(self) -> float:
        """So far; fractional seconds.

        Raises:
            OSError: what the notebook takes cannot be measured here.
        """
        self.is_asked_for = True
        if self._of_notebook_s is None:
            raise OSError("the processor time of student code cannot be measured here")
        return OWN() + self._of_notebook_s

    def add(self, answer: dict[str, Any]) -> None:
        """Count what one operation has taken, as the grader says."""
        taken_s = answer.get("cpu_s") if self.is_asked_for else 0.0
        if self._of_notebook_s is not None:
            self._of_notebook_s = None if taken_s is None else self._of_notebook_s + float(taken_s)
