"""Which files of an assignment are a session's own, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

from tito.grade.causes import notes_on_read_only
from tito.sandbox.inside.own_files import lay_down, sorted_out
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.steps import Ran


def test_the_smallest_files_are_copied_first(tmp_path: Path) -> None:
    for name, size in (("a", 700), ("b", 400), ("c", 500), ("d", 2000)):
        (tmp_path / name).write_bytes(bytes(size))
    own = sorted_out(tmp_path, (), 1000)
    assert (own.copied, own.too_large, own.size) == (("b", "c"), ("a", "d"), 900)


def test_a_course_of_modules_alone_has_nothing_to_be_changed(tmp_path: Path) -> None:
    (tmp_path / "pack" / "deep").mkdir(parents=True)
    (tmp_path / "pack" / "deep" / "__init__.py").touch()
    own = sorted_out(tmp_path, ("pack",), 1 << 20)
    assert (own.may_be_changed, own.linked, own.copied, own.folders) == (False, ("pack",), (), ())


def test_copies_and_links_are_laid_down_as_the_files_lie(tmp_path: Path) -> None:
    top, home = tmp_path / "files", tmp_path / "home"
    (top / "tables" / "deep").mkdir(parents=True)
    home.mkdir()
    (top / "tables" / "deep" / "small").write_text("small")
    (top / "tables" / "large").write_text("large" * 100)
    lay_down(sorted_out(top, (), 10), str(home))
    assert (home / "tables" / "deep" / "small").read_text() == "small"
    assert not (home / "tables" / "deep" / "small").is_symlink()
    assert (home / "tables" / "large").readlink() == top / "tables" / "large"


def test_the_note_on_a_file_that_could_only_be_read_is_made_where_that_is_what_failed() -> None:
    refused = Ran(StepStatus.ERROR, "PermissionError", "[Errno 13] Permission denied: 'tables/large.csv'")
    database = Ran(StepStatus.ERROR, "OperationalError", "attempt to write a readonly database")
    other = Ran(StepStatus.ERROR, "ValueError", "large.csv")
    (note,) = notes_on_read_only(("tables/large.csv", "x.bin"), [other, refused])
    assert note.startswith("tables/large.csv could only be read") and "copied_mb" in note
    assert notes_on_read_only(("shop.db",), [database])[0].startswith("shop.db could only be read")
    assert notes_on_read_only(("tables/large.csv",), [other]) == []
    assert notes_on_read_only((), [refused, database]) == []
