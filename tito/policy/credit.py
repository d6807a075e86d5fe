"""What work is worth at a time: an assignment's credit timeline, and the points that are lost or won by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

from tito.models import MOST
from tito.validation import NO_OTHERS, Between

AMOUNT = Between(0, MOST)
PERCENT = Between(0, 100)
FULL = 100.0
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class CreditStep:
    """A part of an assignment's credit timeline: from where the one before ends, until its own end. The steps stand in
    the order of time; after the last one, where that ends, work is practice and counts nothing.

    What is below 100 percent is lost of the maximum score, and never more than was earned; what is above is won, of the
    points that were earned.
    """

    __pydantic_config__ = NO_OTHERS

    #: what work is worth
    percent: Annotated[float, Between(0, 200)]
    #: when the step ends, in hours after the student's deadline, or before it with a minus; only the last may go
    #: without. An end at the deadline or after it is later by the grace period
    until_hours: Annotated[float, Between(-100_000, 100_000)] | None = None
    #: percent less for each day of the step that has begun
    less_per_day: Annotated[float, PERCENT] = 0.0
    #: and for each hour
    less_per_hour: Annotated[float, PERCENT] = 0.0
    #: but never less than this
    least_percent: Annotated[float, PERCENT] = 0.0

    def ends(self, due: datetime, grace: timedelta) -> datetime | None:
        """When it ends for work that is due then."""
        if self.until_hours is None:
            return None
        return later(due, timedelta(hours=self.until_hours) + (grace if self.until_hours >= 0 else timedelta()))

    def worth(self, since: timedelta) -> float:
        """Percent, so long after it has begun."""
        less = self.less_per_day * _begun(since, DAY) + self.less_per_hour * _begun(since, HOUR)
        return max(min(self.percent, self.least_percent), round(self.percent - less, 9))


@dataclass(frozen=True)
class LatePolicy:
    """What late work loses of the maximum score, never more than was earned: of assignments without a credit timeline
    of their own."""

    __pydantic_config__ = NO_OTHERS

    #: after the deadline, in which nothing is lost
    grace_minutes: Annotated[float, AMOUNT] = 0.0
    #: of the maximum score, for each day that has begun after that
    percent_per_day: Annotated[float, PERCENT] = 0.0
    #: and for each hour
    percent_per_hour: Annotated[float, PERCENT] = 0.0
    #: and no more than that
    max_percent: Annotated[float, PERCENT] = 100.0
    #: a longer grace period in minutes, by student or `"@label"`
    grace_for: dict[str, Annotated[float, AMOUNT]] = field(default_factory=dict)

    @property
    def timeline(self) -> tuple[CreditStep, ...]:
        """The same as steps."""
        less, least = (self.percent_per_day, self.percent_per_hour), FULL - self.max_percent
        return CreditStep(FULL, 0.0), CreditStep(FULL, None, *less, least)


def later(at: datetime, by: timedelta) -> datetime:
    """So much later, or earlier with a minus, as far as there are dates: some write "never" as the last of them."""
    try:
        return at + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def credit_at(timeline: Sequence[CreditStep], due: datetime, grace: timedelta, at: datetime) -> float:
    """What work that is handed in `at` is worth, in percent, where it is due then."""
    begins = None
    for step in timeline:
        ends = step.ends(due, grace)
        if ends is None or at <= ends:
            return step.worth(at - begins if begins is not None else timedelta())
        begins = ends
    return 0.0


def points_lost(credit: float, score: float, max_score: float) -> float:
    """Points that work of this credit loses; less than nothing where it wins some. Never more than the score.

    Args:
        credit: percent.
        score, max_score: points.
    """
    earned = max(0.0, score)
    if credit > FULL:
        return -earned * (credit - FULL) / FULL
    return earned if credit <= 0 else min(earned, max_score * (FULL - credit) / FULL)


def _begun(since: timedelta, span: timedelta) -> int:
    """How many spans of time have begun."""
    return -(-since // span)
