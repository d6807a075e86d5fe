"""What became of a step that a notebook was given. A process in a sandbox says only some of it: see `SAID_INSIDE`."""

from __future__ import annotations

from enum import StrEnum


class StepStatus(StrEnum):
    """Of a cell, a section of a test, or a branch."""

    OK = "ok"  # it ran through
    ERROR = "error"  # it raised
    STOPPED = "stopped"  # it came to its limit of time, where its own process stopped it; that goes on
    NOT_RUN = "not run"  # no time was left for it
    TIMEOUT = "timeout"  # its process was given up on
    DIED = "died"  # its process ended, or said what makes no sense
    MEMORY = "memory"  # its process was ended for what it held
    LOST = "lost"  # of a branch: it was not fit to be asked, before anything hidden had run
    GONE = "gone"  # of a branch: the same, since then
    FAULT = "fault"  # no fault of student code's: the judge gave no answer

    @property
    def is_over_time(self) -> bool:
        """Whether it came to its limit of time."""
        return self in (StepStatus.STOPPED, StepStatus.TIMEOUT)

    @property
    def has_ended_its_process(self) -> bool:
        """Whether nothing more will come from the process that it ran in."""
        return self in (StepStatus.TIMEOUT, StepStatus.DIED, StepStatus.MEMORY)

    @property
    def is_missing_branch(self) -> bool:
        """Whether there was no branch to ask."""
        return self in (StepStatus.LOST, StepStatus.GONE)


SAID_INSIDE = (StepStatus.OK, StepStatus.ERROR, StepStatus.STOPPED, StepStatus.NOT_RUN)
