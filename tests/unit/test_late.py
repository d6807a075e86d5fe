"""The late policy: data, applied when grades are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.course.settings import LatePolicy
from tito.gradebook.late import penalty

POLICY = LatePolicy(grace_minutes=15, percent_per_day=10, max_percent=50)
DAY, GRACE = 86400.0, 15 * 60.0


@pytest.mark.parametrize(
    ("seconds", "points"),
    [
        (0, 0), (-100, 0), (1, 0), (GRACE, 0), (GRACE + 1, 10), (GRACE + DAY, 10), (GRACE + DAY + 1, 20),
        (GRACE + 4 * DAY + 1, 50), (GRACE + 400 * DAY, 50),
    ],
)  # fmt: skip
def test_percent_of_the_maximum_per_started_day_after_the_grace(seconds: float, points: float) -> None:
    assert penalty(POLICY, 80, 100, seconds) == points


def test_never_more_than_was_earned() -> None:
    assert penalty(POLICY, 3, 100, 30 * DAY) == 3
    assert penalty(POLICY, 0, 100, 30 * DAY) == 0


def test_without_a_policy_nothing_is_lost() -> None:
    assert penalty(LatePolicy(), 80, 100, 1000 * DAY) == 0


POLICIES = st.builds(LatePolicy, st.floats(0, 1e4), st.floats(0, 200), st.floats(0, 100))


@given(POLICIES, st.floats(0, 100), st.floats(0, 1e7), st.floats(0, 1e7))
def test_later_is_never_cheaper_and_the_score_never_negative(
    policy: LatePolicy, score: float, first: float, second: float
) -> None:
    early, late = sorted((first, second))
    lost, lost_later = (penalty(policy, score, 100, when) for when in (early, late))
    assert 0 <= lost <= lost_later <= score
