"""The late policy: data from course.toml, applied when grades are read. Raw scores are never changed by it."""

from __future__ import annotations

import math

from tito.course.settings import LatePolicy


def penalty(policy: LatePolicy, score: float, max_score: float, seconds_late: float) -> float:
    """Points lost: percent of the maximum per started day after the grace period, never more than the score.

    Args:
        score, max_score: points.
        seconds_late: seconds after the deadline (extensions taken into account), or 0.
    """
    late = seconds_late - policy.grace_minutes * 60
    if late <= 0:
        return 0.0
    percent = min(policy.max_percent, policy.percent_per_day * math.ceil(late / 86400))
    return min(score, max_score * percent / 100)
