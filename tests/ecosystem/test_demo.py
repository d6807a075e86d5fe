"""The whole flow on module 16: what `tito demo` writes is what its variants' headers say, and nothing leaks."""

from __future__ import annotations

import html
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from demo_course import Demo

from tito.author.variants import read_variants
from tito.course.cells import read_cells
from tito.course.script import source_notebooks
from tito.gradebook.records import read_record
from tito.models import Evidence, SubmissionRecord, Variant
from tito.plan.leaks import find_leaks
from tito.plan.secret_texts import public_of, secrets_of


@pytest.fixture(scope="session")
def table(demo: Demo) -> pd.DataFrame:
    path = demo.course.gradebook_dir / "exports" / "16_quantization.csv"
    return pd.read_csv(path).set_index("student_id")


@pytest.fixture(scope="session")
def played(demo: Demo) -> dict[str, Variant]:
    """Which variant each student of the demo played, by the titles that it printed."""
    by_title = {variant.title: variant for variant in read_variants(demo.course, demo.assignment)}
    lines = re.findall(r"^   (\w+) +(.+)$", demo.printed, re.MULTILINE)
    return {student: by_title[title] for student, title in lines if title in by_title}


def feedback(demo: Demo, student: str) -> str:
    page = demo.course.step("feedback", student, "16_quantization") / "quantization.html"
    return page.read_text(encoding="utf-8")


def record_of(demo: Demo, student: str) -> SubmissionRecord:
    record = read_record(demo.course, "16_quantization", student)
    assert record is not None
    return record


def test_the_cohort_is_what_the_demo_promises(played: dict[str, Variant]) -> None:
    kinds = Counter(variant.kind for variant in played.values())
    assert kinds == {"correct": 4, "wrong": 4, "blank": 1, "broken": 1, "endless": 1, "hostile": 1}


def test_every_student_loses_exactly_the_cells_that_their_variant_gets_wrong(
    table: pd.DataFrame, played: dict[str, Variant]
) -> None:
    tests = [name for name in table.columns if name.startswith("test_")]
    full = table[tests].max()
    for student, variant in played.items():
        lost = {name for name in tests if table.loc[student, name] == 0}
        assert lost == (set(tests) if variant.all_lost else set(variant.lost)), student
        assert all(table.loc[student, name] in (0, full[name]) for name in tests)


def test_scores_are_the_sum_of_cells_and_wait_for_the_written_answers(table: pd.DataFrame) -> None:
    tests = [name for name in table.columns if name.startswith("test_")]
    assert (table[tests].sum(axis=1) == table["raw_score"]).all()
    assert (table["max_score"] == 100).all()
    assert (table["status"] == "needs manual grading").all()
    assert table["score"].isna().all()
    assert table[["task_calibration", "task_deployment"]].isna().all(axis=None)


def test_the_hostile_submission_scores_under_plain_nbgrader_and_nothing_here(demo: Demo) -> None:
    match = re.search(r"is hostile .*: ([\d.]+) points by plain nbgrader, ([\d.]+) here", demo.printed)
    assert match is not None
    assert float(match[1]) > 0
    assert float(match[2]) == 0


def test_submissions_are_as_they_were_handed_in(demo: Demo, played: dict[str, Variant]) -> None:
    for student in played:
        handed_in = (demo.course.root / "homes" / student / "16_quantization" / "quantization.ipynb").read_bytes()
        collected = demo.course.step("submitted", student, "16_quantization") / "quantization.ipynb"
        assert collected.read_bytes() == handed_in


def test_no_other_account_of_the_machine_can_read_it(demo: Demo) -> None:
    root = demo.course.root
    for path in (root, root / "autograded", root / "release", root / "gradebook", root / "gradebook" / "gradebook.db"):
        assert path.stat().st_mode & 0o007 == 0, path


def test_feedback_shows_no_hidden_test_no_solution_and_no_mark_scheme(
    demo: Demo, played: dict[str, Variant], tmp_path: Path
) -> None:
    cells = read_cells(source_notebooks(demo.course, demo.assignment)["quantization"].cells)
    hidden = [secret for secret in secrets_of(cells) if secret.is_test or secret.where.startswith("task_")]
    assert len(hidden) == 14
    for student in played:
        text = html.unescape(re.sub(r"<[^>]+>", "", feedback(demo, student)))
        for cell in record_of(demo, student).cells:  # the author's message is what students are to read
            text = text.replace(cell.message, "")
        (tmp_path / "page.txt").write_text(text, encoding="utf-8")
        assert find_leaks(tmp_path, hidden, public_of(cells)) == []


def test_feedback_tells_what_went_wrong_in_the_authors_words(demo: Demo, played: dict[str, Variant]) -> None:
    student = next(name for name, variant in played.items() if variant.name == "affine_sign")
    assert "for -1..2 the zero point is -128 + 85 = -43, got -213" in feedback(demo, student)


def test_the_release_runs_on_numpy_alone_and_holds_only_modules_below_it(demo: Demo) -> None:
    release = demo.course.step("release", "16_quantization")
    notebook = nbformat.read(release / "quantization.ipynb", as_version=4)
    nbformat.validate(notebook)
    marks = [path.read_text(encoding="utf-8")[:12] for path in release.rglob("*.py") if path.name != "__init__.py"]
    assert marks
    assert all(int(mark.removeprefix("# module: ")) < 16 for mark in marks)
    assert not list(release.rglob("quantization.py"))


def test_every_verdict_of_an_earned_cell_rests_on_the_judge(demo: Demo, played: dict[str, Variant]) -> None:
    for student in played:
        record = record_of(demo, student)
        assert record.sandbox == "bubblewrap"
        assert all(cell.evidence is Evidence.JUDGED for cell in record.cells if cell.earned)


def test_the_gradebook_is_nbgraders(demo: Demo) -> None:
    with sqlite3.connect(demo.course.gradebook_dir / "gradebook.db") as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        count = database.execute("select count(*) from submitted_assignment").fetchone()[0]
        revision = database.execute("select version_num from alembic_version").fetchone()[0]
    database.close()
    command = [sys.executable, "-m", "nbgrader.dbutil", "heads"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    heads = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=True)
    assert heads.stdout.split()[0] == revision
    assert {"assignment", "grade", "submitted_notebook", "alembic_version"} <= tables
    assert count == 12
