"""Pages made from the code: what they say of it, and that they are as it is now."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from click.testing import CliRunner
from tiny import ASSIGNMENT, HIDDEN_TEXT
from tiny import script as script_without

import tito
from tito.course.course import Course, load_course
from tito.course.course_file import CourseFile
from tito.docs import api_page, commands_page, grades_page, routes_page, settings_page, words_page
from tito.docs.__main__ import PAGES, main
from tito.docs.chapters import FILE_NAME, TIERS, ChapterFacts, of_title, read_chapters
from tito.docs.comments import comments_in
from tito.docs.markdown import table
from tito.docs.package import PAGE as PACKAGE_PAGE
from tito.docs.package import write_page
from tito.docs.warmups import with_warmups
from tito.errors import BadSource
from tito.exports.systems import SYSTEMS
from tito.exports.tables import PER, table_of
from tito.gradebook.grades import AssignmentGrades
from tito.models import GradeRow, ModuleInfo, Status, Verdict

PROJECT = Path(tito.__file__).resolve().parents[1]
BOOK = PROJECT / "book"
TABLES = [CourseFile, *(hint for hint in get_type_hints(CourseFile).values() if is_dataclass(hint))]


def test_pages_are_as_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    result = CliRunner().invoke(main, ["--check"])
    assert result.exit_code == 0, result.output


def test_a_page_that_is_not_is_named_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "course.toml").write_text(
        f'id = "x"\npackage = "tinytorch"\nreference = "{PROJECT / "tinytorch_ref"}"\n'
    )
    (tmp_path / "book/reference").mkdir(parents=True)
    CliRunner().invoke(main, [])
    (tmp_path / "book/reference/words.md").write_text("stale")
    result = CliRunner().invoke(main, ["--check"])
    assert result.exit_code == 1
    assert "words.md: run 'python -m tito.docs'" in result.output
    assert (tmp_path / "book/reference/words.md").read_text() == "stale"


def test_a_function_that_the_book_could_say_nothing_of_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "course.toml").write_text('id = "x"\npackage = "tinypack"\nreference = "reference"\n')
    (tmp_path / "book/reference").mkdir(parents=True)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference/__init__.py").touch()
    text = '# module: 01_sums\n"""Sums."""\n\n\ndef total(numbers):\n    return sum(numbers)\n'
    (tmp_path / "reference/sums.py").write_text(text)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    assert "Without a docstring" in result.output
    assert "reference.sums.total" in result.output


def test_the_page_of_the_package_is_written_once_for_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text('id = "x"\npackage = "tinypack"\nreference = "reference"\n')
    (tmp_path / "book/reference").mkdir(parents=True)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference/__init__.py").touch()
    module, page = tmp_path / "reference/sums.py", tmp_path / "book" / PACKAGE_PAGE
    module.write_text('# module: 01_sums\n"""Sums."""\n\n\ndef total(numbers):\n    """All added."""\n')
    write_page(tmp_path / "book")
    assert "## 01 `reference.sums`" in page.read_text()
    os.utime(page, (1, 1))
    write_page(tmp_path / "book")
    assert page.stat().st_mtime == 1  # so that Sphinx does not read it anew
    module.write_text(module.read_text().replace("total", "count"))
    write_page(tmp_path / "book")
    assert "### `count`" in page.read_text()


def test_every_page_of_the_book_stands_in_its_contents() -> None:
    contents = yaml.safe_load((BOOK / "_toc.yml").read_text())
    listed = {contents["root"], *(entry["file"] for part in contents["parts"] for entry in part["chapters"])}
    pages = {
        path.relative_to(BOOK).with_suffix("").as_posix() for path in BOOK.rglob("*.md") if "_build" not in path.parts
    }
    assert listed == pages | {PACKAGE_PAGE.removesuffix(".md")}
    assert {f"reference/{name.removesuffix('.md')}" for name in PAGES} <= listed


# ---- what pages say --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_setting_has_a_comment_and_stands_on_the_page(kind: type) -> None:
    comments, page = comments_in(kind), settings_page.page()
    for name, hint in get_type_hints(kind).items():
        if is_dataclass(hint):
            assert f"### `[{name}]`" in page
        else:
            assert comments[name]
            assert f"| `{name}` |" in page


def test_commands_of_commands_are_on_the_page_with_their_options() -> None:
    page = commands_page.page()
    for text in ("### tito check", "--fast", "#### tito policy apply", "#### tito exchange serve", "### tito doctor"):
        assert text in page


def test_words_have_the_comments_of_the_code() -> None:
    page = words_page.page()
    assert all(f"| `{verdict.value}` | " in page for verdict in Verdict)
    assert "| `GradebookUnavailable` | `3` |" in page
    assert "### IN PROCESS: reason" in page


def test_tables_of_grades_have_the_columns_that_they_have() -> None:
    row = GradeRow("ada", "", "", "", {}, None, None, None, 1.0, Status.MISSING)
    for per in PER:
        columns = list(table_of([AssignmentGrades("a", (), [row], {})], per).columns)
        assert columns == [name for name in grades_page.COLUMNS[per] if " " not in name]
    page = grades_page.page()
    assert all(f"| `{status.value}` | " in page for status in Status)
    assert all(f"| `{name}` | " in page for name in SYSTEMS)
    assert "grades_table(course: " in page


def test_routes_are_those_of_the_application_and_say_what_they_do() -> None:
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(.+?)` \| (.*) \|$", routes_page.page(), re.MULTILINE)
    assert len(rows) >= 25
    assert not [path for _, path, text in rows if not text]
    assert ("POST", "/courses/{course}/assignments/{assignment}/submissions") in {(each[0], each[1]) for each in rows}


def test_the_reference_package_is_there_with_signatures() -> None:
    page = api_page.page(load_course(PROJECT))
    assert "## 01 `tinytorch_ref.core.tensor`" in page
    assert "### `Tensor.reshape`" in page
    assert re.search(r"^relu|^__init__\(self, in_features: int", page, re.MULTILINE)


def test_comments_stand_behind_or_above() -> None:
    @dataclass
    class Example:
        """Nothing of this."""

        #: in two
        #: lines
        above: int = 0
        behind: str = "#: not this"  # but this
        # no documentation
        neither: int = 1

    assert comments_in(Example) == {"above": "in two lines", "behind": "but this", "neither": ""}


def test_a_table_holds_what_would_divide_its_cells() -> None:
    assert table(("a",), [["x | y\nz"]]) == "| a |\n| --- |\n| x \\| y z |\n"


# ---- chapters --------------------------------------------------------------------------------------------

FACTS = """\
---
kernelspec: {name: python3}
title: Tensor
description: Arrays.
tier: Foundation
difficulty: 1
time_estimate: 4-6 hours
---

# Tensor
"""


def chapters_of(tmp_path: Path, **pages: str) -> Path:
    (tmp_path / "chapters").mkdir()
    for name, text in pages.items():
        (tmp_path / "chapters" / f"{name}.md").write_text(text)
    return tmp_path


def test_the_books_own_chapters_name_chapters_and_tiers_that_there_are() -> None:
    chapters = read_chapters(BOOK, load_course(PROJECT))
    for chapter in chapters:
        assert chapter.facts.tier in TIERS
        for title in (*chapter.facts.prerequisites, *chapter.facts.next_steps):
            of_title(chapters, title, chapter.page)
        text = (BOOK / f"{chapter.page}.md").read_text()
        assert f"\n# {chapter.facts.title}\n" in text
        assert "```{chapter-card}" in text
        assert FILE_NAME.fullmatch(chapter.page.partition("/")[2])


WRONG = {
    "too little": (FACTS.replace("tier: Foundation\n", ""), "'tier' is missing"),
    "too much": (FACTS.replace("tier:", "teir: x\ntier:"), "no setting 'teir'. Did you mean 'tier'"),
    "too hard": (FACTS.replace("difficulty: 1", "difficulty: 9"), "'difficulty' must be at most 5"),
    "nothing": ("# Tensor\n", "no front matter"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_a_chapter_that_says_too_little_or_too_much_is_refused(text: str, message: str, tmp_path: Path) -> None:
    book = chapters_of(tmp_path, **{"01-tensor": text})
    with pytest.raises(BadSource, match=re.escape(message)) as caught:
        read_chapters(book, load_course(PROJECT))
    assert "01-tensor.md" in str(caught.value)


def test_what_the_script_says_stands_nowhere_else(tmp_path: Path) -> None:
    book = chapters_of(tmp_path, **{"16-quantization": FACTS})
    with pytest.raises(BadSource, match="stands in the module's script"):
        read_chapters(book, load_course(PROJECT))
    (book / "chapters/16-quantization.md").write_text("---\nlearning_objectives: [round]\n---\n\n# Quantization\n")
    (chapter,) = read_chapters(book, load_course(PROJECT))
    assert (chapter.number, chapter.facts.title, chapter.facts.tier) == (16, "Quantization", "Optimization")
    assert chapter.facts.learning_objectives == ("round",)


def test_authors_are_told_what_each_fact_of_a_header_is_for() -> None:
    page = (BOOK / "tutorials/write-a-module.md").read_text()
    facts = {*get_type_hints(ModuleInfo), *get_type_hints(ChapterFacts)} - {"__pydantic_config__"}
    assert {fact for fact in facts if f"`{fact}`" not in page} == set()


# ---- warm-ups in a chapter -------------------------------------------------------------------------------


def test_a_chapter_has_the_warm_ups_of_its_script_and_nothing_of_what_students_write(course: Course) -> None:
    script = course.step("source", f"{ASSIGNMENT}.py")
    page = with_warmups("# Doubling\n\n% warm-ups\n\nThe end.\n", script, course)
    assert page.startswith("# Doubling\n\n```{code-cell}\n:tags: [hide-input]\n\nimport numpy as np\n")
    assert "from reference.base import identity" in page
    assert "tinypack" not in page
    assert "```{code-cell}\n\nwarm = [identity(n) for n in range(3)]" in page
    assert page.endswith("```\n\nThe end.\n")
    assert "double" not in page.replace("Doubling", "")
    assert not [text for text in HIDDEN_TEXT if text in page]


def test_a_chapter_that_asks_for_none_is_left_as_it_is_and_a_script_without_any_is_refused(course: Course) -> None:
    script = course.step("source", f"{ASSIGNMENT}.py")
    assert with_warmups("# Doubling: % warm-ups\n", script, course) == "# Doubling: % warm-ups\n"
    script.write_text(script_without(warmup=None))
    with pytest.raises(BadSource, match="no warm-up stands ahead"):
        with_warmups("% warm-ups\n", script, course)


def test_a_title_that_there_is_none_of_is_refused(tmp_path: Path) -> None:
    chapters = read_chapters(chapters_of(tmp_path, **{"01-tensor": FACTS}), load_course(PROJECT))
    with pytest.raises(BadSource, match="no chapter 'Tensors'"):
        of_title(chapters, "Tensors", "here")
