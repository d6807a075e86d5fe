"""A graded test cell, taken apart: visible and hidden sections, observe and judge halves, and what each judge needs.

    x = np.linspace(-3, 5, 257)          given: no student code can influence it; the judge runs it itself
    q, s, z = quantize_int8(Tensor(x))   observed: depends on student code; plain values cross
    codes = q.data
    ### JUDGE
    assert codes.dtype == np.int8, "codes must be int8"

Only source text is read here; nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tito.course.python_source import parsed
from tito.errors import BadSource
from tito.models import JudgePlan, NamedCheck, Section
from tito.plan.ambient import STATES, Reads, Surroundings
from tito.plan.compile import compiled_section
from tito.plan.directives import (
    MEASURES,
    hints_of,
    refuse_measured,
    refuse_reported,
    reported_names,
    require_forms,
    split_measured,
    without_private,
)
from tito.plan.names import BUILTINS, Names, NotebookNames, changed_in_place, names_in

CHECK_LINE = re.compile(
    r"^### CHECK (?P<name>[\w-]+) \((?P<points>\d+(?:\.\d+)?)\)[ \t]*(?::[ \t]*(?P<message>.*))?$", re.MULTILINE
)
CHECK_WORD = re.compile(r"^### CHECK\b", re.MULTILINE)
BEGIN_HIDDEN, END_HIDDEN = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"  # as nbgrader looks for them
JUDGE_LINE = re.compile(r"^### JUDGE[ \t]*$", re.MULTILINE)


def sections(source: str, where: str = "") -> tuple[Section, ...]:
    """The sections of a test cell, in order; those that hold no statement are left out.

    A hidden region that stands inside a statement cannot be run on its own; the cell is then one hidden
    section, run whole in the student's process.

    Raises:
        BadSource: a hidden region without an end, two judge lines in one section, or a line of `directives` that is not
            of its form or not in its place.
    """
    require_forms(source, where)
    parts_of_cell = [_section(text, hidden, where) for text, hidden in _regions(source, where)]
    _require_checks_of_hints(source, parts_of_cell, where)
    with_statements = tuple(
        section for section in parts_of_cell if _has_statements(section.observe) or section.judge is not None
    )
    parts = [part for section in with_statements for part in (section.observe, *judge_parts(section)) if part]
    if all(compiled_section(part) for part in parts):
        return with_statements
    if any(section.judge is not None for section in with_statements):
        raise BadSource(f"{where}: a part of the test is no plain Python of its own.", hint="Mend it; take magics out.")
    return (Section(observe=source, judge=None, hidden=BEGIN_HIDDEN in source),)


def _require_checks_of_hints(source: str, parts: list[Section], where: str) -> None:
    names = {check.name for section in parts for check in section.checks}
    for hint in hints_of(source):
        if hint.check and hint.check not in names:
            raise BadSource(
                f"{where}: a hint is for the check '{hint.check}', which is none of this test.",
                hint="Write '### HINT: text' for the whole test, or the name of one of its checks.",
            )


def judge_parts(section: Section) -> tuple[str, ...]:
    """All that a judge runs for a section: the common part, the checks, and what each says of what was measured."""
    checks = (part for check in section.checks for part in (check.source, check.measured))
    return (section.judge or "", section.measured, *checks)


def visible_source(source: str) -> str:
    """A cell's source without its hidden regions and the lines for the grader alone, as it is released."""
    return without_private("\n".join(text for text, hidden in _regions(source, "") if not hidden))


def hidden_source(source: str) -> str:
    """The hidden regions of a cell's source."""
    return "\n".join(text for text, hidden in _regions(source, "") if hidden)


def hidden_rows(source: str) -> list[int]:
    """Which lines of a cell's source, counted from 0, stand in hidden regions; raises what `sections` does."""
    return [row for rows, hidden in _region_rows(source, "") for row in rows if hidden]


def _regions(source: str, where: str) -> Iterator[tuple[str, bool]]:
    lines = source.split("\n")
    return (("\n".join(lines[row] for row in rows), hidden) for rows, hidden in _region_rows(source, where))


def _region_rows(source: str, where: str) -> Iterator[tuple[list[int], bool]]:
    rows: list[int] = []
    hidden = False
    for row, line in enumerate(source.split("\n")):
        if BEGIN_HIDDEN in line and not hidden:
            yield rows, False
            rows, hidden = [], True
        elif END_HIDDEN in line and hidden:
            yield rows, True
            rows, hidden = [], False
        else:
            rows.append(row)
    if hidden:
        raise BadSource(f"{where}: a hidden region has no end.", hint=f"Add a line '### {END_HIDDEN}'.")
    yield rows, False


def _section(text: str, hidden: bool, where: str) -> Section:
    halves = JUDGE_LINE.split(text)
    if len(halves) > 2:
        raise BadSource(
            f"{where}: two '### JUDGE' lines in one section.",
            hint="Keep one: above it observe, below it judge.",
        )
    refuse_measured(halves[0], where)
    refuse_reported(text if len(halves) == 1 else halves[1], where)
    if len(halves) == 1:
        _refuse_checks(text, where)
        return Section(text.strip("\n"), None, hidden)
    common, checks = _checks(halves[1], where)
    judge, measured = split_measured(common, where)
    return Section(halves[0].strip("\n"), judge.strip("\n"), hidden, checks, measured, reported_names(halves[0]))


def _refuse_checks(text: str, where: str) -> None:
    if CHECK_WORD.search(text):
        raise BadSource(
            f"{where}: '### CHECK' stands in a section without '### JUDGE', where its points are nobody's.",
            hint="Add a line '### JUDGE' above it, between what is observed and what is judged.",
        )


def _checks(judge: str, where: str) -> tuple[str, tuple[NamedCheck, ...]]:
    """What the checks of a judge half have in common, and the checks; each ends where the next begins."""
    lines = list(CHECK_LINE.finditer(judge))
    if judge.count("### CHECK") != len(lines):
        raise BadSource(f"{where}: a CHECK line is not of its form.", hint="Write '### CHECK name (points): message'.")
    if not lines:
        return judge, ()
    checks = []
    for line, end in zip(lines, [*(line.start() for line in lines[1:]), len(judge)], strict=True):
        name, message = line["name"], (line["message"] or "").strip()
        source, measured = split_measured(judge[line.end() : end], f"{where}, check {name}" if where else name)
        checks.append(NamedCheck(name, float(line["points"]), source.strip("\n"), message, measured))
    return judge[: lines[0].start()], tuple(checks)


def _has_statements(source: str) -> bool:
    lines = (line.strip() for line in source.split("\n"))
    return any(line and not line.startswith("#") for line in lines)


# ---- what a judge needs ------------------------------------------------------------------------


def plan_judge(section: Section, names: NotebookNames, where: str = "") -> JudgePlan:
    """How the judge half of `section` gets every name that it reads.

    A statement of the observe half is *given* when all that it reads is itself given, or built in or imported by the
    instructor and known to be deterministic (see `ambient`). A statement that reads anything of the student's is not,
    nor is one that reads a clock, unseeded random state, memory or files; and what it was handed counts as touched from
    then on: student code may have changed it in place, so that later statements which read it are observed.

    Raises:
        BadSource: the judge half reads a name that nothing gives it, a name of what is measured has another use, or
            what is reported is not observed.
    """
    judge = "\n".join(judge_parts(section))
    wanted = names_in(judge)
    if section.is_measured:
        _require_free(section, where)
        wanted = Names(wanted.read - MEASURES, wanted.bound)
    fixed, observed = _divide(section.observe, names)
    available = observed | {name for _, reads in fixed for name in reads.bound} | set(names.imports)
    missing = wanted.read - available - wanted.bound - BUILTINS
    if missing:
        raise BadSource(
            f"{where}: the judge half reads '{min(missing)}', which neither its observe half sets nor an import gives.",
            hint="Set it above the ### JUDGE line, or import it in a cell that students do not write.",
        )
    states = STATES if "random" in judge else frozenset()  # the judge half may draw from what the section has seeded
    sliced = _slice(fixed, (wanted.read - observed) | states)
    needed = {name for _, reads in sliced for name in reads.read} | wanted.read
    lines = {names.imports[name]: None for name in sorted(needed) if name in names.imports}
    unobserved = set(section.reported) - (wanted.read & observed)
    if unobserved:
        raise BadSource(
            f"{where}: '{min(unobserved)}' is reported, but no observed value that the judge half reads.",
            hint="Take it out of the ### REPORTED line.",
        )
    return JudgePlan("\n".join(lines), "\n".join(text for text, _ in sliced), tuple(sorted(wanted.read & observed)))


def _require_free(section: Section, where: str) -> None:
    """Raise where a name of what is measured is set, or read by what is not below a measured line."""
    own = names_in("\n".join([section.observe, section.judge or "", *(check.source for check in section.checks)]))
    taken = (own.bound | own.read | names_in("\n".join(judge_parts(section))).bound) & MEASURES
    if taken:
        raise BadSource(
            f"{where}: '{min(taken)}' is what was measured, and stands only in lines below '### MEASURED'.",
            hint="Rename yours, or move the line.",
        )


def _divide(observe: str, names: NotebookNames) -> tuple[list[tuple[str, Reads]], set[str]]:
    """Given statements with what they read, and the names whose values depend on student code or on the surroundings.

    Global random state is known from where the section seeds it until a statement is observed: student code may draw.
    What the test itself puts into an object of its own, there or in a function that student code is handed, is observed
    with that object: the list that `found.append(solve(x))` makes is not the empty one that it was.
    """
    around = Surroundings(names)
    pristine = set(around.known())
    touched: set[str] = set()
    related: dict[str, set[str]] = {}  # names that may reach one object
    later: dict[str, frozenset[str]] = {}  # what functions of the test's own change when they are called
    fixed: list[tuple[str, Reads]] = []
    observed: set[str] = set()
    for statement in parsed(observe).body:
        reads = around.reads(statement)
        changed = changed_in_place(statement) - around.known()
        if reads.read <= pristine and not reads.read & touched:
            fixed.append((ast.unparse(statement), reads))
            pristine |= reads.bound
            observed -= reads.bound
            touched -= reads.bound
            _relate(related, reads)
            later |= dict.fromkeys(reads.bound, changed)
        else:
            reached = set[str]().union(*(related.get(name, {name}) for name in reads.own - STATES))
            changed = changed.union(*(later.get(name, frozenset()) for name in reached))
            changed |= frozenset[str]().union(*(related.get(name, set()) for name in changed))
            pristine -= reads.bound | changed | STATES
            observed |= (reads.bound | changed) - STATES
            touched |= reached
        around.bind(statement, reads.bound)
    return fixed, observed


def _relate(related: dict[str, set[str]], reads: Reads) -> None:
    """After a statement, what it binds may share objects with what it reads: `view = x[:2]`."""
    bound = reads.bound - STATES
    for name in bound:
        for others in related.values():
            others.discard(name)
    group = set(bound).union(*(related.get(name, {name}) for name in reads.own - STATES))
    for name in group:
        related[name] = group


def _slice(statements: list[tuple[str, Reads]], wanted: frozenset[str] | set[str]) -> list[tuple[str, Reads]]:
    """Those given statements that `wanted` depends on: what binds it, and what reads it and so may change it in place
    (a random generator is changed by every draw, and so is global random state)."""
    needed, sliced = set(wanted), []
    for text, reads in reversed(statements):
        if (reads.bound | reads.own) & needed:
            sliced.append((text, reads))
            needed = (needed - (reads.bound & STATES)) | reads.read  # what was drawn before a seed is no matter to it
    return sliced[::-1]
