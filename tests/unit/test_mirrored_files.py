"""Two folders that are kept alike by telling what has changed."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tito.sandbox.inside import mirrored_files
from tito.sandbox.inside.mirrored_files import FOLDER, BadChanges, MirroredFiles


class Pair:
    """A judge's folder and a notebook's, the same to begin with."""

    def __init__(self, top: Path) -> None:
        self.judge, self.notebook = top / "judge", top / "notebook"
        for folder in (self.judge, self.notebook):
            (folder / "data").mkdir(parents=True)
            (folder / "data" / "shipped.csv").write_text("a,b\n")
            os.utime(folder / "data" / "shipped.csv", ns=(10**18, 10**18))
        self.there, self.here = MirroredFiles(str(self.judge)), MirroredFiles(str(self.notebook))
        self.here.start(self.there.listing())
        self.to_judge()

    def to_judge(self) -> Any:
        changes = self.here.changes()
        self.there.apply(changes)
        return changes

    def to_notebook(self) -> Any:
        changes = self.there.changes()
        self.here.apply(changes)
        return changes

    def assert_alike(self) -> None:
        assert tree(self.judge) == tree(self.notebook)


def tree(top: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(top)): path.read_bytes() if path.is_file() else None for path in sorted(top.rglob("*"))
    }


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_what_is_alike_is_not_told(pair: Pair) -> None:
    assert pair.to_judge() == pair.to_notebook() == {}


CHANGES: dict[str, Callable[[Path], Any]] = {
    "a file": lambda top: (top / "report.txt").write_text("x"),
    "an empty file": lambda top: (top / "report.txt").touch(),
    "a file of any name": lambda top: (top / "ü b\n\\.txt").write_text("x"),
    "a file in a folder": lambda top: (
        (top / "out" / "json").mkdir(parents=True),
        (top / "out/json/t").write_text("x"),
    ),
    "an empty folder": lambda top: (top / "empty").mkdir(),
    "a shipped file is written to": lambda top: (top / "data/shipped.csv").write_text("a,b\n1,2\n"),
    "a shipped file is gone": lambda top: (top / "data/shipped.csv").unlink(),
    "a shipped folder is gone": lambda top: ((top / "data/shipped.csv").unlink(), (top / "data").rmdir()),
    "a folder in the place of a file": lambda top: (
        (top / "data/shipped.csv").unlink(),
        (top / "data/shipped.csv").mkdir(),
        (top / "data/shipped.csv/x").write_text("x"),
    ),
    "a file in the place of a folder": lambda top: (
        (top / "data/shipped.csv").unlink(),
        (top / "data").rmdir(),
        (top / "data").write_text("x"),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_either_side_does_the_other_has_too(pair: Pair, change: Callable[[Path], Any]) -> None:
    change(pair.notebook)
    assert pair.to_judge()
    pair.assert_alike()
    assert pair.to_notebook() == {}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_test_does_the_notebook_has_too(pair: Pair, change: Callable[[Path], Any]) -> None:
    change(pair.judge)
    assert pair.to_notebook()
    pair.assert_alike()
    assert pair.to_judge() == {}


def test_a_content_of_the_same_size_is_told_however_soon_it_comes(pair: Pair) -> None:
    for number in range(50):  # more than one in a step of a file's clock
        (pair.notebook / "n.txt").write_text(f"{number:03}")
        assert pair.to_judge() == {"n.txt": f"{number:03}".encode()}
        (pair.judge / "m.txt").write_text(f"{number:03}")
        assert pair.to_notebook() == {"m.txt": f"{number:03}".encode()}
    pair.assert_alike()


STEPS = st.tuples(
    st.booleans(), st.sampled_from(["a", "b", "d/a", "d/e/a"]), st.one_of(st.none(), st.binary(max_size=2))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_after_each_exchange_both_are_alike(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, str, bytes | None]]
) -> None:
    pair = Pair(tmp_path_factory.mktemp("pair"))
    for in_judge, name, content in steps:
        path = (pair.judge if in_judge else pair.notebook) / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (pair.to_notebook if in_judge else pair.to_judge)()
        pair.assert_alike()


def test_a_link_counts_as_the_file_that_it_leads_to(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (pair.notebook / "link").symlink_to(tmp_path / "elsewhere")
    (pair.notebook / "nowhere").symlink_to(tmp_path / "not there")
    (pair.notebook / "loop").symlink_to(".", target_is_directory=True)
    assert pair.to_judge() == {"link": b"x"}
    assert (pair.judge / "link").read_text() == "x" and not (pair.judge / "link").is_symlink()


def test_what_is_no_file_is_not_waited_for(pair: Pair) -> None:
    os.mkfifo(pair.notebook / "pipe")
    started = time.monotonic()
    assert pair.to_judge() == {}
    assert time.monotonic() - started < 5


def test_what_is_too_large_is_left_out_and_the_rest_is_not(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrored_files, "MOST_BYTES", 1000)
    (pair.notebook / "checkpoint").write_bytes(bytes(2000))
    (pair.notebook / "report.txt").write_text("x")
    assert pair.to_judge() == {"report.txt": b"x"}


@pytest.mark.parametrize(
    "changes",
    [
        {"../out": b"x"}, {"/etc/x": b"x"}, {"a/../../x": b"x"}, {"": b"x"}, {".": b"x"}, {"a//b": b"x"}, {"a\0": b"x"},
        {"x" * 5000: b"x"}, {"x" * 900: b"x"}, {1: b"x"}, {"x": 1}, {"x": False}, {"x": "text"}, [], None, b"",
    ],
    ids=lambda changes: str(changes)[:20],
)  # fmt: skip
def test_what_is_no_change_is_refused_and_nothing_is_written(pair: Pair, changes: Any) -> None:
    before = tree(pair.judge.parent)
    with pytest.raises(BadChanges):
        pair.there.apply(changes)
    assert tree(pair.judge.parent) == before


@pytest.mark.parametrize("listing", [None, [], {"a": 1}, {"a": [1]}, {"a": ["x", "y"]}])
def test_what_is_no_listing_is_refused(pair: Pair, listing: Any) -> None:
    with pytest.raises(BadChanges):
        pair.here.start(listing)


def test_nothing_is_written_through_a_link(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("kept")
    (pair.judge / "folder").symlink_to(tmp_path / "outside", target_is_directory=True)
    (pair.judge / "file").symlink_to(tmp_path / "outside" / "kept")
    pair.there.apply({"folder/kept": b"x", "file": b"x", "data": FOLDER})
    assert tree(tmp_path / "outside") == {"kept": b"kept"}
    assert (pair.judge / "folder" / "kept").read_bytes() == (pair.judge / "file").read_bytes() == b"x"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_folder_is_made_what_it_was(pair: Pair, tmp_path: Path, change: Callable[[Path], Any]) -> None:
    change(pair.judge)
    pair.there.restore(str(pair.notebook))
    pair.assert_alike()
    assert pair.there.listing() == MirroredFiles(str(pair.notebook)).listing()


def test_what_has_a_file_open_goes_on_with_it(pair: Pair) -> None:
    with (pair.judge / "data/shipped.csv").open("r+") as held:
        (pair.notebook / "data/shipped.csv").write_text("1,2\n")
        pair.to_judge()
        assert held.read() == "1,2\n"
        held.write("3,4\n")
        held.flush()
        pair.to_notebook()
    pair.assert_alike()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_an_open_database_is_read_on_the_other_side_and_written_where_it_has_no_log(pair: Pair, mode: str) -> None:
    pair.there.with_wal = False
    with closing(sqlite3.connect(pair.notebook / "n.db")) as students:
        students.execute(f"pragma journal_mode={mode}")
        students.execute("create table n (n)")
        for number in range(5):
            students.execute("insert into n values (?)", (number,))
            students.commit()
            pair.to_judge()
            with closing(sqlite3.connect(pair.judge / "n.db")) as tests:
                assert tests.execute("select max(n) from n").fetchone() == (number,)
                if mode == "delete":
                    tests.execute("insert into n values (-1)")
                    tests.commit()
            assert bool(pair.to_notebook()) == (mode == "delete")
        assert students.execute("select count(*) from n").fetchone() == (10 if mode == "delete" else 5,)
