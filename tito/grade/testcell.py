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

from tito.errors import BadSource
from tito.grade.compile import compiled_section
from tito.grade.names import BUILTINS, Names, NotebookNames, names_of
from tito.models import JudgePlan, NamedCheck, Section

CHECK_LINE = re.compile(
    r"^### CHECK (?P<name>[\w-]+) \((?P<points>\d+(?:\.\d+)?)\)[ \t]*(?::[ \t]*(?P<message>.*))?$", re.MULTILINE
)
BEGIN_HIDDEN, END_HIDDEN = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"  # as nbgrader looks for them
JUDGE_LINE = re.compile(r"^### JUDGE[ \t]*$", re.MULTILINE)


def sections(source: str, where: str = "") -> tuple[Section, ...]:
    """The sections of a test cell, in order; those that hold no statement are left out.

    A hidden region that stands inside a statement cannot be run on its own; the cell is then one hidden
    section, run whole in the student's process.

    Raises:
        BadSource: a hidden region without an end, or two judge lines in one section.
    """
    found = [_section(text, hidden, where) for text, hidden in _regions(source, where)]
    kept = tuple(one for one in found if _has_statements(one.observe) or one.judge is not None)
    halves = [half for one in kept for half in (one.observe, one.judge, *(one.source for one in one.checks)) if half]
    if all(compiled_section(half) for half in halves):
        return kept
    if any(one.judge is not None for one in kept):
        raise BadSource(f"{where}: a part of the test is no plain Python of its own.", hint="Mend it; take magics out.")
    return (Section(observe=source, judge=None, hidden=BEGIN_HIDDEN in source),)


def visible_source(source: str) -> str:
    """A cell's source without its hidden regions, as nbgrader releases it."""
    return "\n".join(text for text, hidden in _regions(source, "") if not hidden)


def hidden_source(source: str) -> str:
    """The hidden regions of a cell's source."""
    return "\n".join(text for text, hidden in _regions(source, "") if hidden)


def _regions(source: str, where: str) -> Iterator[tuple[str, bool]]:
    lines: list[str] = []
    hidden = False
    for line in source.split("\n"):
        if BEGIN_HIDDEN in line and not hidden:
            yield "\n".join(lines), False
            lines, hidden = [], True
        elif END_HIDDEN in line and hidden:
            yield "\n".join(lines), True
            lines, hidden = [], False
        else:
            lines.append(line)
    if hidden:
        raise BadSource(f"{where}: a hidden region has no end.", hint=f"Add a line '### {END_HIDDEN}'.")
    yield "\n".join(lines), False


def _section(text: str, hidden: bool, where: str) -> Section:
    halves = JUDGE_LINE.split(text)
    if len(halves) > 2:
        raise BadSource(
            f"{where}: two '### JUDGE' lines in one section.",
            hint="Keep one: above it observe, below it judge.",
        )
    if len(halves) == 1:
        return Section(text.strip("\n"), None, hidden)
    common, checks = _checks(halves[1], where)
    return Section(halves[0].strip("\n"), common, hidden, checks)


def _checks(judge: str, where: str) -> tuple[str, tuple[NamedCheck, ...]]:
    """What the checks of a judge half have in common, and the checks; each ends where the next begins."""
    lines = list(CHECK_LINE.finditer(judge))
    if judge.count("### CHECK") != len(lines):
        raise BadSource(f"{where}: a CHECK line is not of its form.", hint="Write '### CHECK name (points): message'.")
    if not lines:
        return judge.strip("\n"), ()
    checks = []
    for line, end in zip(lines, [*(line.start() for line in lines[1:]), len(judge)], strict=True):
        source, message = judge[line.end() : end].strip("\n"), (line["message"] or "").strip()
        checks.append(NamedCheck(line["name"], float(line["points"]), source, message))
    return judge[: lines[0].start()].strip("\n"), tuple(checks)


def _has_statements(source: str) -> bool:
    lines = (line.strip() for line in source.split("\n"))
    return any(line and not line.startswith("#") for line in lines)


# ---- what a judge needs ------------------------------------------------------------------------


def plan_judge(section: Section, names: NotebookNames, where: str = "") -> JudgePlan:
    """How the judge half of `section` gets every name that it reads.

    A statement of the observe half is *given* when all that it reads is imported by the instructor, built in, or
    itself given. A statement that reads anything of the student's is not; and what it was handed counts as touched
    from then on: student code may have changed it in place, so that later statements which read it are observed.

    Raises:
        BadSource: the judge half reads a name that nothing gives it.
    """
    wanted = names_of("\n".join([section.judge or "", *(one.source for one in section.checks)]))
    given, observed = _divide(section.observe, names)
    available = observed | {name for _, one in given for name in one.bound} | set(names.imports)
    missing = wanted.read - available - wanted.bound - BUILTINS
    if missing:
        raise BadSource(
            f"{where}: the judge half reads '{min(missing)}', which neither its observe half sets nor an import gives.",
            hint="Set it above the ### JUDGE line, or import it in a cell that students do not write.",
        )
    sliced = _slice(given, wanted.read - observed, frozenset(names.imports))
    needed = {name for _, one in sliced for name in one.read} | wanted.read
    lines = {names.imports[name]: None for name in sorted(needed) if name in names.imports}
    return JudgePlan("\n".join(lines), "\n".join(text for text, _ in sliced), tuple(sorted(wanted.read & observed)))


def _divide(observe: str, names: NotebookNames) -> tuple[list[tuple[str, Names]], set[str]]:
    """Given statements with their names, and the names whose values depend on student code."""
    pristine = set(names.imports) | (BUILTINS - names.students)
    touched: set[str] = set()
    related: dict[str, set[str]] = {}  # names that may reach one object
    given: list[tuple[str, Names]] = []
    observed: set[str] = set()
    for statement in ast.parse(observe).body:
        text = ast.unparse(statement)
        one = names_of(text)
        if one.read <= pristine and not one.read & touched:
            given.append((text, one))
            pristine |= one.bound
            observed -= one.bound
            touched -= one.bound
            _relate(related, one, names)
        else:
            pristine -= one.bound
            observed |= one.bound
            touched.update(*(related.get(name, {name}) for name in one.read - set(names.imports) - BUILTINS))
    return given, observed


def _relate(related: dict[str, set[str]], one: Names, names: NotebookNames) -> None:
    """After a statement, what it binds may share objects with what it reads: `view = x[:2]`."""
    for name in one.bound:
        for others in related.values():
            others.discard(name)
    group = set(one.bound).union(*(related.get(name, {name}) for name in one.read - set(names.imports) - BUILTINS))
    for name in group:
        related[name] = group


def _slice(
    given: list[tuple[str, Names]], wanted: frozenset[str] | set[str], imports: frozenset[str]
) -> list[tuple[str, Names]]:
    """Those given statements that `wanted` depends on: what binds it, and what reads it and so may change it in place
    (a random generator is changed by every draw)."""
    needed, kept = set(wanted), []
    for text, one in reversed(given):
        sets_up_a_module = not one.bound and not one.read - imports - BUILTINS  # np.random.seed(3)
        if one.bound & needed or (one.read - imports - BUILTINS) & needed or sets_up_a_module:
            kept.append((text, one))
            needed |= one.read
    return kept[::-1]
