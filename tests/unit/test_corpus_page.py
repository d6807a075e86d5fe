"""The page of the corpus under three graders: what counts as forged and lost, what is kept, and what is graded anew."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cases_support import Case, read_cases

FULL = {"test_total": 4.0, "test_shares": 3.0, "test_running": 2.0, "test_largest": 2.0}
NONE = dict.fromkeys(FULL, 0.0)


@pytest.fixture(scope="module")
def corpus() -> ModuleType:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import corpus

    return corpus


def case_of(verdict: str, **others: str) -> Case:
    verdicts = dict.fromkeys(FULL, verdict) | others | {"task_why": "manual"}
    return replace(read_cases()[0], name="made_up", kind="forging", title="A | case", verdicts=verdicts)


@pytest.fixture
def result(corpus: ModuleType) -> Any:
    return corpus.Result("digest", FULL, [], True, True, 1.0, "2026-01-02T00:00:00+00:00")


def test_forged_is_what_no_cell_is_due(corpus: ModuleType, result: Any) -> None:
    """Cell by cell: points lost on one make up for none forged on another."""
    case = case_of("failed", test_total="passed")
    assert corpus.due_points(case) == 4
    assert (corpus.forged(case, result), corpus.lost(case, result)) == (7, 0)
    swapped = replace(result, scores=NONE | {"test_shares": 3.0})
    assert (corpus.forged(case, swapped), corpus.lost(case, swapped)) == (3, 4)


def test_what_was_not_graded_has_no_points(corpus: ModuleType, result: Any) -> None:
    nothing = replace(result, scores={}, ended=False, after=False)
    assert corpus.lost(case_of("passed"), nothing) == 11
    assert corpus.outcome(case_of("passed"), nothing) == "0, 11 lost, stopped, next lost"


def test_the_page_says_what_was_measured(corpus: ModuleType, result: Any) -> None:
    case = case_of("failed")
    bad = replace(result, shown=["a word"], after=None, graded_at="2026-01-03T00:00:00+00:00")
    results = {"ours": {case.name: replace(result, scores=NONE)}, "nbgrader": {case.name: result}}
    page = corpus.page_of_results([case], results | {"otter": {case.name: bad}})
    assert "1 submissions" in page
    assert "from 2026-01-02 to 2026-01-03" in page
    assert r"| A \| case (`made_up`) | 0 | 0 | 11, **11 forged** | 11, **11 forged**, **shown** |" in page
    assert "| forging | tito | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in page
    assert "| all | Otter | 1 | 1 | 11 | 0 | 0 | 1 | 0 | 0 |" in page


def test_a_result_is_kept_until_its_case_or_its_grader_changes(corpus: ModuleType, result: Any, tmp_path: Path) -> None:
    case = case_of("passed")
    corpus.Results(tmp_path, tmp_path / "logs", "otter").keep(case, result)
    again = corpus.Results(tmp_path, tmp_path / "logs", "otter")
    assert again.of(case, "digest") == replace(result, log="")
    assert again.of(case, "another") is None
    assert corpus.Results(tmp_path, tmp_path / "logs", "nbgrader").of(case, "digest") is None


def test_what_is_due_for_a_case_does_not_change_its_digest(corpus: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "cells.py").write_text("x = 1")
    (tmp_path / "case.toml").write_text("title = 'one'")
    case = replace(case_of("passed"), folder=tmp_path)
    before = corpus.digest_of_case(case, "setup")
    (tmp_path / "case.toml").write_text("title = 'two'")
    assert corpus.digest_of_case(replace(case, verdicts={}), "setup") == before
    assert corpus.digest_of_case(case, "another setup") != before
    assert corpus.digest_of_case(replace(case, base="stub"), "setup") != before
    (tmp_path / "cells.py").write_text("x = 2")
    assert corpus.digest_of_case(case, "setup") != before


def test_comments_do_not_make_it_another_grader(corpus: ModuleType, tmp_path: Path) -> None:
    path, codes = tmp_path / "a.py", []
    for text in ('"""One."""\nx = 1  # one\n', '"""Two."""\n\nx = 1\n', "x = 2\n"):
        path.write_text(text)
        codes.append(corpus.code_of(path))
    assert codes[0] == codes[1] != codes[2]
