"""The policy of a course about time: deadlines, cut-offs, extensions, excuses, credit and late tokens. Pure data and
functions: exchange, gradebook and exports ask these, and nothing else, when something is due and what it is worth.

Where a student can be named, `"@name"` names the students of a label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, TypeVar

from tito.policy.credit import FULL, CreditStep, LatePolicy, credit_at, later
from tito.validation import NO_OTHERS, Between, InUtc

MOST_TOKENS = 100
LABEL = "@"
Moment = Annotated[datetime, InUtc()]
Value = TypeVar("Value", int, datetime)


@dataclass(frozen=True)
class TokenSettings:
    """Late tokens: each moves a deadline of a student's. They are spent when grades are read, in the order of
    deadlines, as few as bring the most credit that is to be had; never on what is missing or excused."""

    __pydantic_config__ = NO_OTHERS

    #: what every student has, for the whole course
    per_student: Annotated[int, Between(0, MOST_TOKENS)] = 0
    #: by how much one moves a deadline
    hours: Annotated[float, Between(0.01, 10_000)] = 24.0
    #: that can be spent on one
    per_assignment: Annotated[int, Between(0, MOST_TOKENS)] = MOST_TOKENS
    #: another number than `per_student`, by student or `"@label"`
    students: dict[str, Annotated[int, Between(0, MOST_TOKENS)]] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How it stands with a student's work on one assignment that was handed in at some time."""

    due_at: datetime | None
    credit: float  # percent, tokens counted
    late: bool  # after deadline and grace period; tokens do not change that
    tokens: int = 0  # spent on it
    excused: bool = False


@dataclass(frozen=True)
class TimePolicy:
    """All that a course says about time."""

    deadlines: dict[str, Moment] = field(default_factory=dict)
    cutoffs: dict[str, Moment] = field(default_factory=dict)  # nothing is taken after it
    extensions: dict[str, dict[str, Moment]] = field(default_factory=dict)  # by assignment, and student or label
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    excuses: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by assignment: students and labels
    late: LatePolicy = field(default_factory=LatePolicy)
    credit: dict[str, tuple[CreditStep, ...]] = field(default_factory=dict)
    tokens: TokenSettings = field(default_factory=TokenSettings)

    @property
    def changes_scores(self) -> bool:
        """Whether any score depends on when work was handed in."""
        return self.late != LatePolicy() or bool(self.credit)

    @property
    def has_tokens(self) -> bool:
        """Whether anybody has tokens."""
        return bool(self.tokens.per_student or any(self.tokens.students.values()))

    def names(self, student: str) -> list[str]:
        """What a student can be named by: their own name, unless they call themselves as a label is, and the labels
        that they have."""
        own = [] if student.startswith(LABEL) else [student]
        return own + self._labels_of.get(student, [])

    @cached_property
    def _labels_of(self) -> dict[str, list[str]]:
        """By student: it is asked for many times, and labels may be long."""
        labels: dict[str, list[str]] = defaultdict(list)
        for label, members in self.labels.items():
            for student in dict.fromkeys(members):
                labels[student].append(f"{LABEL}{label}")
        return labels

    def due(self, assignment: str, student: str) -> datetime | None:
        """When this student's work is due: their own extension, the longest of their labels', else the deadline."""
        extended = self._extension(assignment, student)
        return self.deadlines.get(assignment) if extended is None else extended

    def cutoff(self, assignment: str, student: str) -> datetime | None:
        """After when nothing is taken from this student. An extension beyond the cut-off moves it."""
        cutoff, extended = self.cutoffs.get(assignment), self._extension(assignment, student)
        return max(cutoff, extended) if cutoff is not None and extended is not None else cutoff

    def is_excused(self, assignment: str, student: str) -> bool:
        """Whether nothing is asked of this student."""
        return not set(self.excuses.get(assignment, ())).isdisjoint(self.names(student))

    def grace(self, student: str) -> timedelta:
        """For so long after a deadline work counts as in time."""
        longer = (self.late.grace_for.get(name, 0.0) for name in self.names(student))
        return timedelta(minutes=max((self.late.grace_minutes, *longer)))

    def timeline(self, assignment: str) -> tuple[CreditStep, ...]:
        """What work on it is worth, in the order of time."""
        return self.credit.get(assignment) or self.late.timeline

    def is_late(self, assignment: str, student: str, at: datetime) -> bool:
        """Whether what is handed in then comes after deadline and grace period."""
        due = self.due(assignment, student)
        return due is not None and not self.is_excused(assignment, student) and at > later(due, self.grace(student))

    def credit_of(self, assignment: str, student: str, at: datetime, tokens: int = 0) -> float:
        """What is handed in then is worth, in percent, with so many tokens spent on it. These make up for being late,
        and win no credit beyond."""
        due = self.due(assignment, student)
        if due is None:
            return FULL
        moved = later(due, tokens * timedelta(hours=self.tokens.hours))
        credit = credit_at(self.timeline(assignment), moved, self.grace(student), at)
        return min(credit, FULL) if tokens else credit

    def tokens_of(self, student: str) -> int:
        """How many tokens a student has to begin with: by their own name, the most of their labels, else all's."""
        own = _by_name(self.tokens.students, self.names(student))
        return self.tokens.per_student if own is None else own

    def tokens_wanted(self, assignment: str, student: str, at: datetime, left: int) -> int:
        """The fewest of the tokens that are left that bring the most credit for what is handed in then."""
        credits = [
            self.credit_of(assignment, student, at, tokens)
            for tokens in range(min(left, self.tokens.per_assignment) + 1)
        ]
        return 0 if credits[0] >= FULL else credits.index(max(credits))

    def tokens_spent(self, student: str, handed_in: Mapping[str, datetime]) -> dict[str, int]:
        """How many tokens are spent on each assignment, with what a student has handed in when; in the order of their
        deadlines."""
        left, spent = self.tokens_of(student), {}
        for assignment in self._by_deadline(student, handed_in):
            spent[assignment] = self.tokens_wanted(assignment, student, handed_in[assignment], left)
            left -= spent[assignment]
        return spent

    def standings(self, student: str, handed_in: Mapping[str, datetime]) -> dict[str, Standing]:
        """How it stands with all that a student has handed in."""
        spent = self.tokens_spent(student, handed_in)
        return {
            assignment: self._standing(assignment, student, at, spent.get(assignment, 0))
            for assignment, at in handed_in.items()
        }

    def _standing(self, assignment: str, student: str, at: datetime, tokens: int) -> Standing:
        excused = self.is_excused(assignment, student)
        credit = FULL if excused else self.credit_of(assignment, student, at, tokens)
        late = self.is_late(assignment, student, at)
        return Standing(self.due(assignment, student), credit, late, tokens, excused)

    def _by_deadline(self, student: str, assignments: Iterable[str]) -> list[str]:
        """Those that have a deadline and are not excused."""
        due = ((self.due(each, student), each) for each in assignments if not self.is_excused(each, student))
        return [assignment for _, assignment in sorted((at, each) for at, each in due if at is not None)]

    def _extension(self, assignment: str, student: str) -> datetime | None:
        return _by_name(self.extensions.get(assignment, {}), self.names(student))

    def students_named(self) -> Iterator[tuple[str, str]]:
        """Each student that is named, with the setting that names them; of labels, their members."""
        yield from ((f"labels.{label}", each) for label, members in self.labels.items() for each in members)
        for setting, name in self._named():
            if not name.startswith(LABEL):
                yield setting, name

    def labels_named(self) -> Iterator[tuple[str, str]]:
        """Each label that is named where students are, with the setting that names it."""
        for setting, name in self._named():
            if name.startswith(LABEL):
                yield setting, name.removeprefix(LABEL)

    def _named(self) -> Iterator[tuple[str, str]]:
        yield from ((f"extensions.{name}", each) for name, table in self.extensions.items() for each in table)
        yield from ((f"excuses.{name}", each) for name, people in self.excuses.items() for each in people)
        yield from (("late.grace_for", each) for each in self.late.grace_for)
        yield from (("tokens.students", each) for each in self.tokens.students)


def _by_name(table: Mapping[str, Value], names: list[str]) -> Value | None:
    """What a table says of a student: by their own name, else the largest by those of their labels."""
    values = {name: table[name] for name in names if name in table}
    own = [value for name, value in values.items() if not name.startswith(LABEL)]
    return max(own or values.values(), default=None)
