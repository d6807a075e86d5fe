"""The same exports for nbgrader's own command:

nbgrader export --exporter=tito.exports.plugins.Table [--to grades.csv] [--Table.per=cell]
nbgrader export --exporter=tito.exports.plugins.Canvas --assignment='["07_sums"]' --Canvas.fill=gradebook.csv

and so Moodle, Blackboard and Gradescope. `--assignment` and `--student` choose as they do for nbgrader's own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nbgrader.plugins.export import ExportPlugin
from traitlets import Bool, Enum, Unicode

from tito.course.course import Assignment, Course, find_course
from tito.course.nbgrader_options import with_options
from tito.errors import TitoError, UsageError
from tito.exports.fill import Choices, fill
from tito.exports.systems import SYSTEMS
from tito.exports.tables import PER, read_all, table_of, to_csv, write_csv_file
from tito.gradebook.grades import AssignmentGrades, released_assignments
from tito.plain_text import with_visible_controls


class Export(ExportPlugin):  # type: ignore[misc]  # nbgrader ships no types
    """What all of them share: the course, what is chosen of it, and errors in one line."""

    def export(self, gradebook: Any) -> None:
        """Write the grades; nbgrader calls it with its gradebook, of which the course is found."""
        try:
            course = with_options(find_course(Path(self.parent.coursedir.root)), self.parent.config)
            self.write(replace(course, db_url=str(gradebook.engine.url.render_as_string(hide_password=False))))
        except TitoError as error:
            self.parent.fail("%s", with_visible_controls(str(error)))

    def write(self, course: Course) -> None:
        """Write the grades of a course."""
        raise NotImplementedError

    def chosen(self, course: Course) -> list[AssignmentGrades]:
        """Grades of the assignments that the command line names, or of all."""
        names = [str(name) for name in self.assignment]
        assignments: list[Assignment] = [course.assignment(name) for name in names] or released_assignments(course)
        return read_all(course, assignments)

    def warn(self, text: str) -> None:
        """Log what names and addresses stand in, which may hold what a terminal obeys."""
        self.log.warning("%s", with_visible_controls(text))

    @property
    def students(self) -> frozenset[str]:
        """Those that the command line names; none: all."""
        return frozenset(str(student) for student in self.student)


class Table(Export):
    """A table of our own, as CSV."""

    per = Enum(PER, "student", help="what a row is: a student, a graded cell or a named check").tag(config=True)

    def write(self, course: Course) -> None:
        """To grades.csv, as nbgrader's own exporter does, unless --to says where."""
        target = Path(self.to or "grades.csv")
        table = table_of(self.chosen(course), self.per)
        write_csv_file(target, to_csv(table[table["student_id"].isin(self.students)] if self.students else table))
        self.log.info("Wrote %s", target)


class _Fill(Export):
    """Fills a system's file."""

    fill = Unicode("", help="the file that the system gave").tag(config=True)
    column = Unicode("", help="our column in it").tag(config=True)
    key = Unicode("", help="the column that says who a row is").tag(config=True)
    scale = Bool(False, help="write the same share of the points that the system counts").tag(config=True)
    new_column = Bool(False, help="add our column to a file that has none").tag(config=True)

    def write(self, course: Course) -> None:
        """To --to, or beside the file."""
        name = type(self).__name__
        grades = self.chosen(course) if len(self.assignment) == 1 else []
        if not self.fill or not grades:
            raise UsageError(
                f"{name} needs one assignment and the file to fill.",
                hint=f"Say --assignment='[\"NAME\"]' and --{name}.fill=FILE.",
            )
        choices = Choices(self.column, self.key, self.scale, self.new_column)
        output = Path(self.to) if self.to else None
        source = Path(self.fill)
        result = fill(grades[0], SYSTEMS[name.lower()], source, output=output, choices=choices, only=self.students)
        for entry in (*result.ambiguous, *result.unknown):
            self.warn(f"Line {entry.line}, {entry.name!r}, is nobody's for sure: {entry.reason}")
        for entry in (*result.left, *result.held, *result.absent):
            self.warn(f"No grade was written for {entry.student}: {entry.reason}")
        self.log.info("Wrote %s: %s grades, %s points", result.written, result.grades, result.points)
        self.log.info("SHA-256 %s", result.sha256)


class Canvas(_Fill):
    """Canvas's gradebook."""


class Moodle(_Fill):
    """A grading worksheet of Moodle's."""


class Blackboard(_Fill):
    """Blackboard's grade centre."""


class Gradescope(_Fill):
    """Grades as Gradescope exports them."""
