"""Feedback pages of the tiny module, made of a graded notebook and verdicts that a test chooses. No fixtures here."""

from __future__ import annotations

import copy
import html
import tempfile
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from gradebook_points import points
from tiny import ASSIGNMENT, SOLVED, script, write_course

from tito.course.cells import grade_id_of, is_graded, kind_of, points_of, read_cells
from tito.course.course import Course
from tito.course.script import read_script
from tito.feedback.leak_scan import PageSecrets
from tito.feedback.page import Page, graded_cells, handout_of, page_of
from tito.feedback.results import Submitted, card_of, exercises_of, results_of
from tito.grade.graded_notebook import as_json, as_notebook
from tito.gradebook.by_hand import ByHand
from tito.gradebook.records import write_record
from tito.models import (
    CellKind,
    CellVerdict,
    Evidence,
    Fingerprint,
    GradeRow,
    NotebookVerdicts,
    Status,
    SubmissionRecord,
    Verdict,
)
from tito.plan.secret_texts import without_regions
from tito.plan.test_cell import visible_source

NOTEBOOK = "doubling"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def source_nodes(text: str | None = None) -> list[Any]:
    """The cells of the tiny module, or of another script."""
    with tempfile.TemporaryDirectory() as folder:
        course = write_course(Path(folder), script() if text is None else text)
        assignment = course.assignment(ASSIGNMENT)
        assert assignment.script is not None
        return list(read_script(assignment.script).notebook.cells)


def released_nodes(source: Iterable[Any]) -> list[Any]:
    """The same cells as students get them."""
    nodes = copy.deepcopy(list(source))
    for node in nodes:
        if kind_of(node) in (CellKind.SOLUTION, CellKind.ANSWER):
            node.source = STUB if node.cell_type == "code" else "YOUR ANSWER HERE"
        elif is_graded(node):
            node.source = without_regions(visible_source(node.source))
    return nodes


def passed(grade_id: str, points: float) -> CellVerdict:
    return CellVerdict(grade_id, Verdict.PASSED, points, points, Evidence.JUDGED)


def failed(grade_id: str, points: float, message: str, **facts: Any) -> CellVerdict:
    return CellVerdict(grade_id, Verdict.FAILED, 0.0, points, Evidence.JUDGED, message, **facts)


def tiny_page(
    *verdicts: CellVerdict,
    own: Iterable[Any] = (),
    outputs: dict[str, list[Any]] | None = None,
    answers: dict[str, str] | None = None,
    hand: ByHand | None = None,
    scores: dict[str, float | None] | None = None,
    text: str | None = None,
    notes: tuple[str, ...] = (),
    **facts: Any,
) -> Page:
    """The page of a student who solved everything, but for `answers`, with cells of `own` at the end."""
    source = source_nodes(text)
    graded = copy.deepcopy(source)
    for node in graded:
        name = grade_id_of(node)
        if kind_of(node) in (CellKind.SOLUTION, CellKind.ANSWER):
            node.source = (SOLVED | (answers or {})).get(name, STUB)
        if outputs and name in outputs:
            node.outputs = outputs[name]
    by_id = {verdict.grade_id: verdict for verdict in verdicts}
    tests = [node for node in source if is_graded(node)]
    by_test = {name: by_id.get(name, passed(name, points_of(node))) for node in tests if (name := grade_id_of(node))}
    record = SubmissionRecord(
        "ada", ASSIGNMENT, Fingerprint("a" * 64, "b" * 64, "c" * 64), "bubblewrap", "2026-11-29T10:00:00+00:00",
        (NotebookVerdicts(NOTEBOOK, tuple(by_test.values()), notes),),
    )  # fmt: skip
    by_points = {name: verdict.points for name, verdict in by_test.items()} | (scores or {})
    total = sum(each or 0.0 for each in by_points.values())
    most = sum(verdict.max_points for verdict in by_test.values())
    row = GradeRow("ada", **({
        "last_name": "", "first_name": "", "email": "", "cells": by_points, "raw_score": total, "late_penalty": 0.0,
        "score": total, "max_score": most, "status": Status.GRADED,
    } | facts))  # fmt: skip
    cells = graded_cells(as_notebook([*graded, *own]))
    released = read_cells(released_nodes(source))
    hands = hand or ByHand()
    with_outputs = [(each.cell, each.outputs) for each in cells]
    results = list(results_of(with_outputs, NOTEBOOK, exercises_of(released), by_points, hands, record))
    card = card_of(
        row, hands, record, Submitted("2026-11-28 09:00 UTC", "d" * 64), title="Doubling", assignment=ASSIGNMENT,
        notebook=NOTEBOOK,
    )  # fmt: skip
    secrets = PageSecrets(read_cells(source), "\n".join(cell.source for cell in released))
    comments = {name: comment for (_, name), comment in hands.comments.items()}
    return page_of(card, results, cells, handout_of(released), secrets, comments)


def grade(course: Course, student: str, *verdicts: CellVerdict, own: Iterable[Any] = (), **facts: Any) -> None:
    """Leave a student's submission of the released tiny course as grading would have: gradebook, record, notebook."""
    source = source_nodes()
    graded = copy.deepcopy(source)
    for node in graded:
        if kind_of(node) in (CellKind.SOLUTION, CellKind.ANSWER):
            node.source = SOLVED[grade_id_of(node)]
    by_id = {verdict.grade_id: verdict for verdict in verdicts}
    tests = [node for node in source if is_graded(node)]
    cells = tuple(by_id.get(name, passed(name, points_of(node))) for node in tests if (name := grade_id_of(node)))
    points(course, student, {cell.grade_id: cell.points for cell in cells}, **facts)
    folder = course.step("autograded", student, ASSIGNMENT)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NOTEBOOK}.ipynb").write_text(as_json(as_notebook([*graded, *own])), encoding="utf-8")
    for place in (folder, course.step("submitted", student, ASSIGNMENT)):
        (place / "timestamp.txt").write_text("2026-11-28 09:00:00.000000 UTC")
    write_record(
        course,
        SubmissionRecord(
            student, ASSIGNMENT, Fingerprint("a" * 64, "b" * 64, "c" * 64), "bubblewrap", "2026-11-29T10:00:00+00:00",
            (NotebookVerdicts(NOTEBOOK, cells),),
        ),
    )  # fmt: skip


class Reader(HTMLParser):
    """What stands in a page: its elements with their attributes, headings in order, and what is folded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.folded: list[str] = []
        self._open = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open += tag == "details"

    def handle_endtag(self, tag: str) -> None:
        self._open -= tag == "details"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.folded.append(data)

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def all_of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [facts for name, facts in self.elements if name == tag]

    @property
    def verdicts(self) -> list[str]:
        """What looks like a verdict, by its class."""
        classes = [str(facts.get("class", "")).split() for _, facts in self.elements]
        return [names[-1] for names in classes if "verdict" in names]

    @property
    def headings(self) -> list[int]:
        return [int(tag[1]) for tag, _ in self.elements if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()]

    @property
    def folded_text(self) -> str:
        return html.unescape("".join(self.folded))
