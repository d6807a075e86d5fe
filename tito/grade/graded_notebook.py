"""The graded notebook as a TA and its student see it: outputs that are kept, and on each test its verdict."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat

from tito.course.cells import Cell, as_node
from tito.grade.causes import HIDDEN_FAILED, stopped_output
from tito.grade.observe import Observations
from tito.grade.whitelist import KERNEL, allowed_output
from tito.models import CellVerdict, Verdict
from tito.plan.plan import NotebookPlan
from tito.repair.repair import repair

OUTPUT_BYTES = 2 << 20  # of outputs that are kept of one notebook
FAILED = Verdict.FAILED.value.upper()
VERDICTS = frozenset(verdict.value.upper() for verdict in Verdict)
UNDECIDED = tuple(verdict.value.upper() for verdict in (Verdict.PLATFORM, Verdict.MANUAL))  # no number was written
AS_HANDED_IN = "[as the student handed it in: this cell was not run when it was graded]"
TOO_MUCH_OUTPUT = "[outputs cut: the notebook printed more than is kept]"


def as_json(notebook: Any) -> str:
    """A notebook as nbformat would write it, but for line breaks: with them Python's slow encoder has to be used."""
    return json.dumps(notebook, ensure_ascii=False)


def with_outputs(
    cells: Iterable[Cell], seen: Observations, verdicts: dict[str, CellVerdict], headline: str = ""
) -> Any:
    """The graded notebook; a `headline` is read first."""
    budget = OUTPUT_BYTES
    nodes = [headline_node(headline)] if headline else []
    for position, cell in enumerate(cells):
        ran = seen.cells.get(position) if cell.is_code else None
        outputs = _shown(cell) if ran is None else [*filter(None, map(allowed_output, ran.outputs))]
        if outputs:
            budget -= len(json.dumps(outputs))
            if budget < 0:
                outputs = [_too_much()]
        if cell.is_code and cell.is_test:
            outputs = [*_without_errors(outputs), *_verdict_output(verdicts[cell.grade_id])]
        elif ran is not None and ran.status.has_ended_its_process:
            outputs = [stopped_output(ran)]
        nodes.append(as_node(cell, outputs))
    return as_notebook(nodes)


def as_handed_in(cells: Iterable[Cell]) -> Any:
    """The notebook with the outputs that a student handed in: nothing was run."""
    budget = OUTPUT_BYTES
    nodes = []
    for cell in cells:
        budget -= len(cell.outputs)
        nodes.append(as_node(cell, _handed_in(cell.outputs) if budget >= 0 else [_too_much()]))
    return as_notebook(nodes)


def _shown(cell: Cell) -> list[Any]:
    """What a cell that was not run showed when it was handed in, for who reads an answer that refers to it: a student's
    word, and marked as that."""
    outputs = _handed_in(cell.outputs) if cell.is_code and not cell.is_test else []
    mark = nbformat.v4.new_output("stream", name="stderr", text=f"{AS_HANDED_IN}\n")
    return [mark, *outputs] if outputs else []


def is_mark(output: Any) -> bool:
    """Whether an output says that those behind it are as they were handed in."""
    return bool(output.output_type == "stream" and output.text.strip() == AS_HANDED_IN)


def _handed_in(outputs: str) -> list[Any]:
    try:
        items = json.loads(outputs or "[]")
    except (ValueError, RecursionError):
        return []
    allowed = map(allowed_output, items if isinstance(items, list) else [])
    return [output for output in allowed if output is not None]


def _too_much() -> Any:
    return nbformat.v4.new_output("stream", name="stderr", text=TOO_MUCH_OUTPUT)


def headline_node(text: str, name: str = "headline") -> Any:
    """What is to be read first in a graded notebook, and on the page that is made of it; `name` tells it from others of
    its kind."""
    metadata = nbformat.NotebookNode()
    return nbformat.NotebookNode(id=f"tito-{name}", cell_type="markdown", source=f"**{text}**", metadata=metadata)


def as_notebook(nodes: list[Any]) -> Any:
    """A notebook of these cells, which are in the notebook format."""
    metadata = nbformat.from_dict({"kernelspec": KERNEL})
    return nbformat.NotebookNode(cells=nodes, metadata=metadata, nbformat=4, nbformat_minor=5)


def is_written_here(path: Path) -> bool:
    """Whether a graded notebook is one of ours: by its end, which nbgrader writes otherwise, and no student does."""
    end = as_json(as_notebook([])).removeprefix('{"cells": []').encode()
    try:
        with path.open("rb") as file:
            file.seek(-len(end), os.SEEK_END)
            return file.read() == end
    except OSError:
        return False


def _without_errors(outputs: list[Any]) -> list[Any]:
    """A test's own outputs but its errors: nbgrader reads an error as a zero, and the verdict says it better."""
    return [output for output in outputs if output.output_type == "stream" and output.name == "stdout"]


def _verdict_output(verdict: CellVerdict) -> list[Any]:
    """Nothing for a pass; points by its last value as such; for all else an error output, which nbgrader and
    formgrader read as no points."""
    if verdict.earned:
        return []
    if verdict.points and not verdict.checks:
        data = nbformat.NotebookNode({"text/plain": f"{verdict.points!r}"})
        return [nbformat.v4.new_output("execute_result", data=data, execution_count=None)]
    name = verdict.verdict.value.upper()
    used = f"{verdict.seconds:.2f} s, {verdict.memory_mb:.0f} MiB" if verdict.seconds else ""
    lines = [line for line in (f"{name}: {verdict.message}", verdict.detail, used) if line]
    return [nbformat.NotebookNode(output_type="error", ename=name, evalue=verdict.message, traceback=lines)]


def as_told(output: Any, *, has_hidden: bool = False) -> Any:
    """Of a verdict, its message: its detail may hold expected values, its kind is chosen in a hidden check too.

    An error that is no verdict is from nbgrader's own engine, and what it says may be of the hidden part.
    """
    if output.output_type == "error":
        if has_hidden and output.ename not in VERDICTS:
            output.evalue = HIDDEN_FAILED
        output.ename = output.ename if output.ename in UNDECIDED else FAILED
        output.traceback = [f"{output.ename}: {output.evalue}".rstrip(": ")]
    return output


def as_released(plan: NotebookPlan) -> Any:
    """The instructor's notebook without solutions, where there is none of the student's to show."""
    return as_notebook([as_node(cell) for cell in repair([], plan.cells).cells])
