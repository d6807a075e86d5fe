"""Late penalties as nbgrader wants them: stored with the scores, where its export, its formgrader and its feedback find
them. They are made here by the policy, or by the plug-in that nbgrader's settings name, and made anew when the policy
changes: all of them in one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tito.course.course import Course
from tito.course.course_policy import DUE_DATES, in_utc, rows_of, says_deadlines
from tito.course.gradebook_database import connected
from tito.gradebook.late_plugin import LatePlugin
from tito.gradebook.lateness import Lateness, read_lateness
from tito.gradebook.store import gradebook
from tito.policy.credit import points_lost

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

NOTEBOOKS = """
SELECT submitted_notebook.id AS id, assignment.name AS assignment, submitted_assignment.student_id AS student,
       submitted_notebook.late_submission_penalty AS penalty,
       sum(CASE WHEN grade.manual_score IS NULL AND grade.auto_score IS NULL THEN 0
                ELSE coalesce(grade.manual_score, grade.auto_score) + coalesce(grade.extra_credit, 0) END) AS score
FROM submitted_notebook
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
LEFT JOIN grade ON grade.notebook_id = submitted_notebook.id
"""
OF_STUDENTS = "WHERE submitted_assignment.student_id IN :students"
GROUPED = """
GROUP BY submitted_notebook.id, assignment.name, submitted_assignment.student_id,
         submitted_notebook.late_submission_penalty
ORDER BY submitted_notebook.id
"""
MAX_SCORES = """
SELECT assignment.name AS assignment, sum(coalesce(grade_cells.max_score, task_cells.max_score, 0)) AS max_score
FROM assignment
JOIN notebook ON notebook.assignment_id = assignment.id
JOIN base_cell ON base_cell.notebook_id = notebook.id
LEFT JOIN grade_cells ON grade_cells.id = base_cell.id
LEFT JOIN task_cells ON task_cells.id = base_cell.id
GROUP BY assignment.name
"""
SET_PENALTY = "UPDATE submitted_notebook SET late_submission_penalty = :penalty WHERE id = :id"


@dataclass(frozen=True)
class NotebookPenalty:
    """What is stored for a notebook that was handed in, and what is to be."""

    id: str
    assignment: str
    student: str
    stored: float | None
    wanted: float | None


@dataclass(frozen=True)
class Change:
    """What a change of the policy means for one student's score of one assignment, and how many tokens it spends."""

    assignment: str
    student: str
    before: float  # points lost, as it is stored
    after: float
    tokens: int

    @property
    def gain(self) -> float:
        """By how many points the score becomes more, or less with a minus."""
        return self.before - self.after


@dataclass(frozen=True)
class PolicyChanges:
    """What is to become of the gradebook by the policy: scores, and nbgrader's due dates (by assignment: before and
    after)."""

    scores: list[Change]
    due_dates: dict[str, tuple[datetime | None, datetime | None]]
    tokens: dict[str, int]  # spent by each student who spends any


def policy_changes(course: Course) -> PolicyChanges:
    """What `store_policy` would change.

    Raises:
        BadSource: the policy names a student whom nobody knows, or a late plug-in fails.
        GradebookUnavailable: the gradebook cannot be read.
    """
    with connected(course.db_url) as connection:
        if connection is None:
            return PolicyChanges([], {}, {})
        lateness = read_lateness(course, connection)
        penalties = _penalties(connection, lateness, LatePlugin(course))
        return PolicyChanges(_changes(penalties, lateness), _due_dates(course, connection), _tokens(lateness))


def store_policy(course: Course, *, clear: bool = False) -> PolicyChanges:
    """Have the gradebook say what the policy does: due dates and late penalties, in one transaction.

    Where neither the policy nor a plug-in takes points, penalties that are stored stay, unless they are to be cleared.

    Raises:
        BadSource: the policy names a student whom nobody knows, or a late plug-in fails. Nothing was written.
        GradebookUnavailable: nothing was written.
    """
    plugin = LatePlugin(course)
    with gradebook(course) as opened:
        connection = opened.db.connection()
        lateness = read_lateness(course, connection)
        due_dates = _due_dates(course, connection)
        for name, (_, after) in due_dates.items():
            naive = after.astimezone(UTC).replace(tzinfo=None) if after is not None else None
            opened.find_assignment(name).duedate = naive
        opened.db.flush()
        penalties: list[NotebookPenalty] = []
        if clear or lateness.policy.changes_scores or plugin.is_named:
            penalties = _penalties(connection, lateness, plugin)
            _store(connection, penalties)
    return PolicyChanges(_changes(penalties, lateness), due_dates, _tokens(lateness))


def store_penalties(
    course: Course, plugin: LatePlugin, opened: Any, assignment: str, students: Collection[str]
) -> None:
    """Make the penalties of these students anew, whose work on an assignment has been graded: in the transaction that
    the gradebook is in. With tokens those of their other assignments may change too.

    Raises:
        BadSource: the plug-in fails, or gives no number.
    """
    opened.db.flush()
    connection = opened.db.connection()
    lateness = read_lateness(course, connection, students)
    penalties = _penalties(connection, lateness, plugin, students)
    whole = lateness.policy.changes_scores
    _store(connection, [each for each in penalties if whole or each.assignment == assignment])
    opened.db.expire_all()


def _penalties(
    connection: Connection, lateness: Lateness, plugin: LatePlugin, students: Collection[str] | None = None
) -> list[NotebookPenalty]:
    """Of all students, or of these."""
    notebooks: dict[tuple[str, str], list[Any]] = defaultdict(list)
    some = {"students": list(students)} if students is not None else {}
    for row in rows_of(connection, f"{NOTEBOOKS}{OF_STUDENTS if some else ''}{GROUPED}", **some):
        notebooks[row.assignment, row.student].append(row)
    max_scores = {row.assignment: float(row.max_score) for row in rows_of(connection, MAX_SCORES)}
    return [
        NotebookPenalty(row.id, assignment, student, row.penalty, penalty)
        for (assignment, student), rows in notebooks.items()
        for row, penalty in zip(
            rows,
            _of_submission(lateness, plugin, assignment, student, rows, max_scores.get(assignment, 0.0)),
            strict=True,
        )
    ]


def _of_submission(
    lateness: Lateness, plugin: LatePlugin, assignment: str, student: str, rows: list[Any], max_score: float
) -> list[float | None]:
    """What each notebook of a submission loses; by the policy the submission as a whole does, each by its share."""
    scores = [float(row.score or 0) for row in rows]
    if not lateness.policy.changes_scores:
        late_s = lateness.seconds_late(assignment, student)
        return [plugin.penalty(student, score, late_s) for score in scores]
    lost = points_lost(lateness.standing(assignment, student).credit, sum(scores), max_score)
    whole = sum(scores)
    return [lost * (score / whole) if lost else 0.0 for score in scores]


def _store(connection: Connection, penalties: Iterable[NotebookPenalty]) -> None:
    from sqlalchemy import text

    changed = [{"id": each.id, "penalty": each.wanted} for each in penalties if each.wanted != each.stored]
    if changed:
        connection.execute(text(SET_PENALTY), changed)


def _changes(penalties: list[NotebookPenalty], lateness: Lateness) -> list[Change]:
    """By assignment and student; only where the sum differs by what somebody could see."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for each in penalties:
        sums[each.assignment, each.student][0] += each.stored or 0.0
        sums[each.assignment, each.student][1] += each.wanted or 0.0
    return [
        Change(assignment, student, before, after, lateness.standing(assignment, student).tokens)
        for (assignment, student), (before, after) in sorted(sums.items())
        if round(before - after, 6)
    ]


def _due_dates(course: Course, connection: Connection) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Where nbgrader's differ from course.toml's, if that says any."""
    if not says_deadlines(course):
        return {}
    before = {row.name: in_utc(row.duedate) for row in rows_of(connection, DUE_DATES)}
    names = [row.name for row in rows_of(connection, "SELECT name FROM assignment ORDER BY name")]
    pairs = {name: (before.get(name), course.policy.deadlines.get(name)) for name in names}
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


def _tokens(lateness: Lateness) -> dict[str, int]:
    spent = {student: sum(each.tokens for each in of.values()) for student, of in lateness.standings.items()}
    return {student: number for student, number in sorted(spent.items()) if number}
