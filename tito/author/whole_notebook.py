"""Gates that run a notebook from its top to its end, as a person does: warm-ups, and what follows them.

The warm-ups run on the notebook as it is released, and the cells behind them as the reference has them. In between
nothing differs, unless a warm-up stands behind a cell that students write: then the notebook runs twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tito.author.gate_context import GateContext
from tito.author.variants import filled, solutions
from tito.course.cells import Cell, read_cells
from tito.models import Gate
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.session import Session
from tito.sandbox.steps import Ran

LEAST_LIMIT_S = 60.0  # of a cell: a short limit of a course's is for what is graded
WARMUPS = "warm-ups run on the unsolved notebook"
RUNS = "no cell of the reference's notebook raises"
RUNS_HINT = (
    "Run the source from its top in a new kernel. A cell that is to show an error has Jupyter's tag 'raises-exception'."
)
TIME_HINT = "Measure less, or on something smaller; or give it more time: [gates] {} in course.toml."


@dataclass(frozen=True)
class RanCells:
    """Cells that were run one after the other, what became of each, and the processor time of all in seconds."""

    cells: Sequence[tuple[Cell, Ran]]
    seconds: float

    def __add__(self, after: RanCells) -> RanCells:
        return RanCells([*self.cells, *after.cells], self.seconds + after.seconds)


def notebook_gates(context: GateContext) -> Iterator[Gate]:
    """Whether the warm-ups run for somebody who has written nothing, and all cells for somebody who is right, in the
    time that there is.

    Raises:
        SandboxUnavailable: they could not be run.
    """
    for name, notebook in context.released.items():
        released = _code(notebook)
        reference = _code(filled(notebook, solutions(context.source[name])))
        behind = max((at for at, cell in enumerate(released) if cell.is_warmup), default=-1) + 1
        files = context.plan.handed_in.reference
        with _session(context) as session:
            warmed = _run(session, context, released[:behind])
            goes_on = not files and _sources(released[:behind]) == _sources(reference[:behind])
            ran = warmed + _run(session, context, reference[behind:]) if goes_on else None
        if ran is None:
            with _session(context) as session:
                if files:
                    session.notebook.put(files)
                ran = _run(session, context, reference)
        yield from _warmed(context, warmed)
        reported = {cell.label for cell, _ in _failed(warmed) if cell.is_warmup}
        yield from context.as_the_course_has_it(_ran(context, name, ran, reported))


def but_of_tests(gates: Iterable[Gate], failed_tests: Collection[str]) -> Iterator[Gate]:
    """Without what these say of tests that the reference does not pass: another gate says so."""
    return (gate for gate in gates if gate.name != RUNS or gate.where not in failed_tests)


@contextmanager
def _session(context: GateContext) -> Iterator[Session]:
    with context.lines() as lines, lines.notebooks.session() as session:
        yield session


def _code(notebook: Any) -> list[Cell]:
    return [cell for cell in read_cells(notebook.cells) if cell.is_code]


def _sources(cells: Iterable[Cell]) -> list[str]:
    return [cell.source for cell in cells]


def _run(session: Session, context: GateContext, cells: Sequence[Cell]) -> RanCells:
    before = session.cpu_s()
    limit_s = max(context.plan.spec.limits.cell_timeout_s, LEAST_LIMIT_S)
    ran = [(cell, session.notebook.run(cell.source, limit_s)) for cell in cells]
    after = session.cpu_s()
    by_clock = sum(each.seconds for _, each in ran)
    return RanCells(ran, by_clock if before is None or after is None else after - before)


def _failed(ran: RanCells) -> list[tuple[Cell, Ran]]:
    """Cells that did not run through; of those behind the end of their process nothing is to be said."""
    failed = [(cell, each) for cell, each in ran.cells if each.status is not StepStatus.OK]
    ends = (at for at, (_, each) in enumerate(failed, 1) if each.status.has_ended_its_process)
    return failed[: next(ends, len(failed))]


def _warmed(context: GateContext, ran: RanCells) -> Iterator[Gate]:
    failed = [(cell, each) for cell, each in _failed(ran) if cell.is_warmup]
    yield from (Gate(WARMUPS, False, _why(each), cell.label) for cell, each in failed)
    yield from _in_time("warm-ups are short", "warmups_s", context.course.gates.warmups_s, ran.seconds)
    if not failed:
        count = sum(cell.is_warmup for cell, _ in ran.cells)
        yield Gate(WARMUPS, True, f"{count} warm-up cells in {ran.seconds:.1f} s")


def _ran(context: GateContext, name: str, ran: RanCells, but: Collection[str]) -> Iterator[Gate]:
    failed = [(cell, each) for cell, each in _failed(ran) if not cell.may_raise and cell.label not in but]
    yield from (Gate(RUNS, False, _why(each), cell.label, RUNS_HINT) for cell, each in failed)
    yield from _in_time("the whole notebook is short", "notebook_s", context.course.gates.notebook_s, ran.seconds)
    if not failed:
        yield Gate(RUNS, True, f"{len(ran.cells)} cells of {name} in {ran.seconds:.1f} s of processor time")


def _why(ran: Ran) -> str:
    return f"{ran.ename or ran.status}: {ran.evalue}"


def _in_time(name: str, setting: str, limit_s: float, seconds: float) -> Iterator[Gate]:
    if limit_s and seconds > limit_s:
        detail = f"{seconds:.1f} s of processor time, {limit_s:g} s are wanted"
        yield Gate(name, False, detail, hint=TIME_HINT.format(setting))
