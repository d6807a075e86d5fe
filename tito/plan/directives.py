"""Comment lines of a test cell that say something to the grader, and nothing to nbgrader.

### MEASURED                     below it, in a judge part: comment lines that judge what was measured from outside
# assert wall_s < 2, "too slow"
### REPORTED name, name: reason  above ### JUDGE: observed names that are the student's word, and can be forged
### IN PROCESS: reason           anywhere in a test: why its asserts have to run beside student code
### PASSES UNSOLVED: reason      anywhere in a test: why the untouched stub may pass it
### SHOWN `text`: reason         in any cell with a secret: a part of it that students may have all the same
### TESTS EXERCISE: name, name   anywhere in a test: the solution cells that it is for, where its place does not say so
### HINT: text                   anywhere in a test: for who has failed it, in the feedback; `### HINT name: text` for
                                 who has failed that named check
### EQUIVALENT 0a1b2c3d: reason  above a line of a solution: that mutant of it is no other solution; with `by name`
                                 before the colon, a generator of inputs that do not tell the two apart
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tito.errors import BadSource

MEASURES = frozenset(("wall_s", "cpu_s", "peak_mb"))  # names that measured lines have beside those of their part
MEASURED_LINE = re.compile(r"^### MEASURED[ \t]*$", re.MULTILINE)
REPORTED_LINE = re.compile(r"^### REPORTED (?P<names>\w+(?:[ \t]*,[ \t]*\w+)*):[ \t]*(?P<reason>\S.*)$", re.MULTILINE)
IN_PROCESS_LINE = re.compile(r"^### IN PROCESS:[ \t]*(?P<reason>\S.*)$", re.MULTILINE)
UNSOLVED_LINE = re.compile(r"^[ \t]*### PASSES UNSOLVED:[ \t]*(?P<reason>\S.*)$", re.MULTILINE)
SHOWN_LINE = re.compile(r"^[ \t]*### SHOWN `(?P<text>.+)`:[ \t]*(?P<reason>\S.*)$", re.MULTILINE)
SHOWN_FORM = (SHOWN_LINE, "Write '### SHOWN `text`: reason', with the text as it stands in the cell.")
TESTS_LINE = re.compile(
    r"^[ \t]*### TESTS EXERCISE:[ \t]*(?P<names>[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)[ \t]*$", re.MULTILINE
)
HINT_LINE = re.compile(r"^[ \t]*### HINT(?:[ \t]+(?P<check>[\w-]+))?:[ \t]*(?P<text>\S.*)$", re.MULTILINE)
EQUIVALENT_LINE = re.compile(
    r"^[ \t]*### EQUIVALENT (?P<digest>[0-9a-f]{8})(?: by (?P<generator>\w+))?:[ \t]*(?P<reason>\S.*)$", re.MULTILINE
)
EQUIVALENT_FORM = (
    EQUIVALENT_LINE,
    "Write '### EQUIVALENT 0a1b2c3d: reason', or '### EQUIVALENT 0a1b2c3d by generator: reason'.",
)
FORMS = {
    "MEASURED": (MEASURED_LINE, "Write '### MEASURED', and below it lines such as '# assert wall_s < 2'."),
    "REPORTED": (REPORTED_LINE, "Write '### REPORTED name, name: reason'."),
    "IN PROCESS": (IN_PROCESS_LINE, "Write '### IN PROCESS: reason'."),
    "PASSES UNSOLVED": (UNSOLVED_LINE, "Write '### PASSES UNSOLVED: reason'."),
    "SHOWN": SHOWN_FORM,
    "TESTS EXERCISE": (TESTS_LINE, "Write '### TESTS EXERCISE: name, name', with grade ids of solution cells."),
    "HINT": (HINT_LINE, "Write '### HINT: text', or '### HINT check: text' with the name of a check."),
}
# Lines that are not for students: they would tell where a test believes them, or help before anything was tried.
PRIVATE = re.compile(
    r"^[ \t]*### (?:REPORTED|IN PROCESS|PASSES UNSOLVED|SHOWN|TESTS EXERCISE|HINT|EQUIVALENT)\b.*(?:\n|\Z)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Shown:
    """A part of a secret that its author lets students have, and why."""

    text: str
    reason: str


def require_forms(source: str, where: str, forms: dict[str, tuple[re.Pattern[str], str]] = FORMS) -> None:
    """Raise where a line begins as one of these does, and does not go on as it should.

    Raises:
        BadSource: says which line, and how it is written.
    """
    for word, (form, hint) in forms.items():
        for line in re.findall(rf"^[ \t]*###[ \t]*{word}\b.*$", source, re.MULTILINE):
            if not form.fullmatch(line):
                raise BadSource(f"{where}: '{line.strip()}' is not of its form.", hint=hint)


def split_measured(part: str, where: str) -> tuple[str, str]:
    """A judge part without what stands below its `### MEASURED`, and that: statements, no comments any more.

    Raises:
        BadSource: there are two such lines, or anything but comments stands below one, or nothing does.
    """
    own, *rest = MEASURED_LINE.split(part)
    if not rest:
        return part, ""
    if len(rest) > 1:
        raise BadSource(f"{where}: two '### MEASURED' lines in one part.", hint="Put what is below both below one.")
    lines = [line for line in rest[0].split("\n") if line.strip()]
    for line in lines:
        if not line.startswith("#"):
            raise BadSource(
                f"{where}: '{line.strip()}' stands below '### MEASURED' and is no comment.",
                hint="Write '# ' before it, or move it above that line: nbgrader is to see comments only.",
            )
    statements = "\n".join(line[1:].removeprefix(" ") for line in lines)
    if not any(line.strip() and not line.lstrip().startswith("#") for line in statements.split("\n")):
        raise BadSource(f"{where}: nothing stands below '### MEASURED'.", hint="Write '# assert wall_s < 2' below it.")
    return own, statements


def refuse_measured(source: str, where: str) -> None:
    """Raise where a `### MEASURED` stands in what is no judge part.

    Raises:
        BadSource: what was measured is judged, and nothing is judged there.
    """
    if MEASURED_LINE.search(source):
        raise BadSource(
            f"{where}: '### MEASURED' stands above '### JUDGE'.", hint="Move it to the end of a judge part."
        )


def reported_names(observe: str) -> tuple[str, ...]:
    """Names that an observe half declares to be the student's word."""
    lines = REPORTED_LINE.finditer(observe)
    return tuple(name.strip() for line in lines for name in line["names"].split(","))


def refuse_reported(source: str, where: str) -> None:
    """Raise where a `### REPORTED` stands in what observes nothing.

    Raises:
        BadSource: it is of no use there.
    """
    if REPORTED_LINE.search(source):
        raise BadSource(f"{where}: '### REPORTED' does not stand above a '### JUDGE'.", hint="Move it, or take it out.")


def reason_in_process(source: str) -> str:
    """Why a test is to run beside student code; nothing where it does not say."""
    line = IN_PROCESS_LINE.search(source)
    return line["reason"].strip() if line else ""


def reason_unsolved(source: str) -> str:
    """Why the untouched stub may pass a test; nothing where it does not say."""
    line = UNSOLVED_LINE.search(source)
    return line["reason"].strip() if line else ""


def shown_lines(source: str) -> tuple[Shown, ...]:
    """What a cell's author lets students have of its secrets."""
    return tuple(Shown(line["text"].strip(), line["reason"].strip()) for line in SHOWN_LINE.finditer(source))


def tested_cells(source: str) -> tuple[str, ...]:
    """Solution cells that a test says it is for; none where it does not say."""
    lines = TESTS_LINE.finditer(source)
    return tuple(name.strip() for line in lines for name in line["names"].split(","))


@dataclass(frozen=True)
class Hint:
    """What an author says to whom a test has failed, or the named `check` of it."""

    text: str
    check: str = ""


def hints_of(source: str) -> tuple[Hint, ...]:
    """The hints of a test."""
    return tuple(Hint(line["text"].strip(), line["check"] or "") for line in HINT_LINE.finditer(source))


def without_private(source: str, *, leaving_lines: bool = False) -> str:
    """A cell's source as students may read it; with empty lines in the place of private ones where they are counted."""
    return PRIVATE.sub("\n" if leaving_lines else "", source)
