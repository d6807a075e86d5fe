"""The policy about time as data: what is due when, what it is worth then, and which tokens are spent on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tito.policy.credit import CreditStep, LatePolicy, points_lost
from tito.policy.time_policy import TimePolicy, TokenSettings
from tito.validation import from_json, to_json

NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
TICK = timedelta(microseconds=1)
GRACE = 15 * MINUTE
LATE = LatePolicy(grace_minutes=15, percent_per_day=10, max_percent=50)
TIMELINE = (
    CreditStep(110, -48),
    CreditStep(100, 0),
    CreditStep(100, 24, less_per_hour=2, least_percent=60),
    CreditStep(50, 240),
)
NAMES = ("01_a", "02_b", "03_c", "04_d")


def policy_of(**parts: Any) -> TimePolicy:
    return TimePolicy(**{"deadlines": {"01_a": NOON}, "late": LATE} | parts)


@pytest.mark.parametrize(
    ("after", "points"),
    [
        (timedelta(), 0), (-DAY, 0), (TICK, 0), (GRACE, 0), (GRACE + TICK, 10), (GRACE + DAY, 10),
        (GRACE + DAY + TICK, 20), (GRACE + 4 * DAY + TICK, 50), (GRACE + 400 * DAY, 50),
    ],
)  # fmt: skip
def test_percent_of_the_maximum_per_started_day_after_the_grace(after: timedelta, points: float) -> None:
    policy = policy_of()
    assert points_lost(policy.credit_of("01_a", "ada", NOON + after), 80, 100) == points
    assert policy.is_late("01_a", "ada", NOON + after) == (points > 0)


@pytest.mark.parametrize(
    ("after", "credit"),
    [
        (-48 * HOUR, 110), (-48 * HOUR + TICK, 100), (GRACE, 100), (GRACE + TICK, 98), (GRACE + HOUR + TICK, 96),
        (GRACE + 24 * HOUR, 60), (GRACE + 24 * HOUR + TICK, 50), (GRACE + 240 * HOUR, 50),
        (GRACE + 240 * HOUR + TICK, 0),
    ],
)  # fmt: skip
def test_a_timeline_goes_from_an_early_bonus_to_practice(after: timedelta, credit: float) -> None:
    assert policy_of(credit={"01_a": TIMELINE}).credit_of("01_a", "ada", NOON + after) == credit


def test_never_more_is_lost_than_was_earned_and_a_bonus_is_of_what_was_earned() -> None:
    assert points_lost(70, 3, 100) == 3
    assert points_lost(0, 80, 100) == 80
    assert points_lost(110, 80, 100) == -8
    assert points_lost(110, 0, 100) == 0
    assert points_lost(70, -2, 100) == 0


def test_a_students_own_extension_goes_before_their_labels_and_of_these_the_longest() -> None:
    policy = policy_of(
        labels={"evening": ("ada", "bob"), "ill": ("bob",)},
        extensions={"01_a": {"@evening": NOON + DAY, "@ill": NOON + 3 * DAY, "ada": NOON + HOUR}},
        cutoffs={"01_a": NOON + 2 * DAY},
    )
    due = {student: policy.due("01_a", student) for student in ("ada", "bob", "cy")}
    assert due == {"ada": NOON + HOUR, "bob": NOON + 3 * DAY, "cy": NOON}
    assert policy.cutoff("01_a", "ada") == NOON + 2 * DAY
    assert policy.cutoff("01_a", "bob") == NOON + 3 * DAY


def test_grace_and_tokens_can_be_a_students_or_a_labels() -> None:
    late = LatePolicy(grace_minutes=15, percent_per_day=10, grace_for={"@slow": 60, "ada": 5})
    policy = policy_of(
        late=late, labels={"slow": ("bob",)}, tokens=TokenSettings(per_student=2, students={"@slow": 5, "ada": 0})
    )
    assert [policy.grace(student) for student in ("ada", "bob", "cy")] == [GRACE, HOUR, GRACE]
    assert [policy.tokens_of(student) for student in ("ada", "bob", "cy")] == [0, 5, 2]


def test_who_calls_themselves_as_a_label_is_has_nothing_of_it() -> None:
    policy = policy_of(
        labels={"ill": ("bob",)},
        extensions={"01_a": {"@ill": NOON + DAY}},
        excuses={"01_a": ("@ill",)},
        late=LatePolicy(grace_minutes=15, percent_per_day=10, grace_for={"@ill": 60}),
        tokens=TokenSettings(per_student=1, students={"@ill": 5}),
    )
    assert [policy.due("01_a", student) for student in ("bob", "@ill")] == [NOON + DAY, NOON]
    assert [policy.is_excused("01_a", student) for student in ("bob", "@ill")] == [True, False]
    assert [policy.grace(student) for student in ("bob", "@ill")] == [HOUR, GRACE]
    assert [policy.tokens_of(student) for student in ("bob", "@ill")] == [5, 1]


def test_who_is_excused_is_never_late_and_spends_nothing() -> None:
    policy = policy_of(labels={"athletes": ("ada",)}, excuses={"01_a": ("@athletes",)}, tokens=TokenSettings(3))
    (standing,) = policy.standings("ada", {"01_a": NOON + 2 * DAY}).values()
    assert (standing.excused, standing.late, standing.credit, standing.tokens) == (True, False, 100, 0)
    (standing,) = policy.standings("bob", {"01_a": NOON + 2 * DAY}).values()
    assert (standing.excused, standing.late, standing.tokens) == (False, True, 2)


def test_tokens_go_to_the_earliest_deadlines_and_no_further_than_they_help() -> None:
    deadlines = {name: NOON + week * 7 * DAY for week, name in enumerate(NAMES)}
    policy = policy_of(deadlines=deadlines, tokens=TokenSettings(per_student=3))
    handed_in = {name: at + 2 * DAY for name, at in deadlines.items()}
    assert policy.tokens_spent("ada", handed_in) == {"01_a": 2, "02_b": 1, "03_c": 0, "04_d": 0}
    assert policy.tokens_spent("ada", {"04_d": handed_in["04_d"]}) == {"04_d": 2}
    # so late that even with all of them the most is lost: they are kept for what they help
    handed_in["01_a"] = NOON + 30 * DAY
    assert policy.tokens_spent("ada", handed_in) == {"01_a": 0, "02_b": 2, "03_c": 1, "04_d": 0}


def test_tokens_win_no_early_bonus() -> None:
    policy = policy_of(credit={"01_a": TIMELINE}, tokens=TokenSettings(per_student=9))
    assert policy.tokens_spent("ada", {"01_a": NOON}) == {"01_a": 0}
    (standing,) = policy.standings("ada", {"01_a": NOON + DAY}).values()
    assert (standing.tokens, standing.credit) == (1, 100)


@pytest.mark.parametrize("never", [datetime.max, datetime(9999, 12, 31, 23)])
def test_work_that_is_never_due_is_never_late(never: datetime) -> None:
    policy = policy_of(
        deadlines={"01_a": never.replace(tzinfo=UTC)}, tokens=TokenSettings(per_student=2),
        late=LatePolicy(grace_minutes=10_000, percent_per_day=10),
    )  # fmt: skip
    (standing,) = policy.standings("ada", {"01_a": NOON}).values()
    assert (standing.late, standing.credit, standing.tokens) == (False, 100, 0)
    west = never.replace(microsecond=0).isoformat() + "-12:00"
    assert from_json(TimePolicy, json.dumps({"deadlines": {"01_a": west}})).deadlines["01_a"].year == 9999
    timeline = policy_of(deadlines={"01_a": datetime.min.replace(tzinfo=UTC)}, credit={"01_a": TIMELINE})
    assert timeline.credit_of("01_a", "ada", NOON) == 0


PERCENTS = st.floats(0, 100, allow_nan=False)
LATE_POLICIES = st.builds(LatePolicy, st.floats(0, 1e4), PERCENTS, PERCENTS, PERCENTS)
AFTER = st.timedeltas(-10 * DAY, 100 * DAY)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
POLICIES = st.builds(
    policy_of,
    late=LATE_POLICIES,
    deadlines=st.fixed_dictionaries(dict.fromkeys(NAMES, MOMENTS)),
    credit=st.dictionaries(st.sampled_from(NAMES), st.just(TIMELINE)),
    excuses=st.dictionaries(st.sampled_from(NAMES), st.just(("ada",))),
    tokens=st.builds(TokenSettings, st.integers(0, 6), st.floats(1, 100), st.integers(0, 6)),
)
WORK = st.dictionaries(st.sampled_from(NAMES), AFTER)


def times(policy: TimePolicy, work: dict[str, timedelta]) -> dict[str, datetime]:
    return {name: policy.deadlines[name] + after for name, after in work.items()}


@given(LATE_POLICIES, st.floats(0, 100), AFTER, AFTER)
def test_later_is_never_cheaper_and_the_score_never_negative(
    late: LatePolicy, score: float, first: timedelta, second: timedelta
) -> None:
    policy = policy_of(late=late)
    lost, lost_later = (
        points_lost(policy.credit_of("01_a", "ada", NOON + after), score, 100) for after in sorted((first, second))
    )
    assert 0 <= lost <= lost_later <= score


@given(POLICIES, WORK)
def test_tokens_are_spent_once_as_few_as_needed_and_only_where_they_help(
    policy: TimePolicy, work: dict[str, timedelta]
) -> None:
    handed_in = times(policy, work)
    spent = policy.tokens_spent("ada", handed_in)
    assert sum(spent.values()) <= policy.tokens.per_student
    assert set(spent) == {name for name in work if not policy.is_excused(name, "ada")}
    for name, tokens in spent.items():
        assert tokens <= policy.tokens.per_assignment
        credit = policy.credit_of(name, "ada", handed_in[name], tokens)
        for fewer in range(tokens):
            assert policy.credit_of(name, "ada", handed_in[name], fewer) < credit
        if policy.credit_of(name, "ada", handed_in[name]) >= 100:
            assert tokens == 0


@given(POLICIES, WORK)
def test_what_is_handed_in_for_later_deadlines_takes_no_token_from_earlier_ones(
    policy: TimePolicy, work: dict[str, timedelta]
) -> None:
    handed_in = times(policy, work)
    spent = policy.tokens_spent("ada", handed_in)
    for number in range(len(spent)):
        earlier = list(spent)[:number]
        before = {name: at for name, at in handed_in.items() if name in earlier or policy.is_excused(name, "ada")}
        assert policy.tokens_spent("ada", before) == {name: spent[name] for name in earlier}


@given(POLICIES, WORK, st.timedeltas(timedelta(), 30 * DAY))
def test_a_longer_extension_of_one_assignment_costs_no_credit_there(
    policy: TimePolicy, work: dict[str, timedelta], longer: timedelta
) -> None:
    for name, at in times(policy, work).items():
        extended = policy_of(
            deadlines=policy.deadlines, late=policy.late, extensions={name: {"ada": policy.deadlines[name] + longer}}
        )
        assert extended.credit_of(name, "ada", at) >= extended.credit_of(name, "bob", at)


@given(POLICIES)
def test_a_policy_is_the_same_after_json(policy: TimePolicy) -> None:
    policy.names("ada")
    assert from_json(TimePolicy, to_json(policy)) == policy
