"""Which files beside a submission's notebook are taken, which are not, and what is said of these."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tito.course.course import load_course
from tito.course.settings import FileSettings
from tito.errors import BadSource
from tito.plan.handed_in import HandedInRule, matches
from tito.plan.shipped_files import rule_of
from tito.repair.beside import MOST_ENTRIES, HandedIn, handed_in
from tito.sandbox.spec import SandboxSpec


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """What the course ships."""
    folder = tmp_path / "course"
    (folder / "tables").mkdir(parents=True)
    (folder / "lib").mkdir()
    (folder / "data.csv").write_text("1,2\n")
    (folder / "checks.py").write_text("# the course's")
    (folder / "tables" / "raw.txt").write_text("raw")
    (folder / "lib" / "tools.py").write_text("# the course's")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "submitted"
    path.mkdir()
    (path / "ps1.ipynb").write_text("{}")
    return path


def rule(course: Path, *submitted: str, **settings: Any) -> HandedInRule:
    files = tuple((path, path.name) for path in sorted(course.iterdir()))
    return rule_of(FileSettings(submitted, **settings), "ps1", SandboxSpec(files, ("ipython", "numpy")), "pack")


def put(folder: Path, **files: str) -> None:
    for name, text in files.items():
        put_at(folder, name.replace("__", "."), text)


def put_at(folder: Path, path: str, text: str = "text") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def taken(folder: Path, rule: HandedInRule) -> HandedIn:
    return handed_in(folder, rule, ("ps1.ipynb",))


def why(result: HandedIn) -> dict[str, str]:
    return {file.path: file.why for file in result.left_out}


@pytest.mark.parametrize(
    ("pattern", "paths", "others"),
    [
        ("*.csv", ["a.csv"], ["a.CSV", "x/a.csv", ".a.csv", "a.csv.txt"]),
        ("helper.py", ["helper.py"], ["Helper.py", "x/helper.py"]),
        ("figures/*.png", ["figures/a.png"], ["a.png", "figures/x/a.png", "figures/.a.png"]),
        ("**/*.png", ["a.png", "x/a.png", "x/y/a.png"], [".x/a.png", "x/.a.png", "a.txt"]),
        ("data/**", ["data/a", "data/x/a"], ["a", "data2/a", "data/.x/a"]),
        ("result[12].txt", ["result1.txt"], ["result3.txt", "result12.txt"]),
        (".config", [".config"], ["config"]),
    ],
)
def test_patterns_name_paths_below_the_assignments_folder(pattern: str, paths: list[str], others: list[str]) -> None:
    assert [path for path in (*paths, *others) if matches(path.split("/"), pattern.split("/"))] == paths


def test_what_is_named_is_taken_and_the_rest_is_told(course: Path, folder: Path) -> None:
    put(folder, results__csv="3,4\n", notes__txt="notes", helper__py="x = 1")
    put_at(folder, "figures/one.png")
    result = taken(folder, rule(course, "*.csv", "helper.py", "figures/*.png"))
    assert {name: content.decode() for name, content in result.files.items()} == {
        "results.csv": "3,4\n", "helper.py": "x = 1", "figures/one.png": "text"
    }  # fmt: skip
    assert why(result) == {"notes.txt": "the course does not ask for it"}
    assert result.note.endswith("this was not used: notes.txt (the course does not ask for it)")


def test_without_settings_nothing_is_taken_and_nothing_is_said_of_what_was_released(course: Path, folder: Path) -> None:
    for path in course.rglob("*.*"):
        put_at(folder, str(path.relative_to(course)), path.read_text())
    for name in ("timestamp.txt", ".DS_Store", ".ipynb_checkpoints/ps1.ipynb", "__pycache__/x.pyc", "receipts/1.json"):
        put_at(folder, name)
    assert taken(folder, rule(course)) == HandedIn()


def test_the_courses_files_win_and_that_is_said_where_they_were_changed(course: Path, folder: Path) -> None:
    put_at(folder, "data.csv", "9,9\n")
    put_at(folder, "tables/raw.txt", "longer than it was")
    put_at(folder, "checks.py", "# the course's")
    put_at(folder, "tables/mine.txt", "mine")
    result = taken(folder, rule(course, "**"))
    assert list(result.files) == ["tables/mine.txt"]
    assert why(result) == dict.fromkeys(("data.csv", "tables/raw.txt"), "the course's own is used")


@pytest.mark.parametrize(
    "path",
    ["numpy.py", "numpy/__init__.py", "json.py", "checks/__init__.py", "checks.so",
     "checks.cpython-311-x86_64-linux-gnu.so", "pack.py", "pack/__init__.py", "conftest.py", "sitecustomize.py",
     "usercustomize.py", "tito/__init__.py", "IPython.py", "random.pyc", "lib/__init__.py",
     "lib/tools.so", "lib/more.py", "lib.py"],
)  # fmt: skip
def test_nothing_stands_in_the_place_of_a_module(path: str, course: Path, folder: Path) -> None:
    put_at(folder, path)
    result = taken(folder, rule(course, "**"))
    assert not result.files
    assert list(why(result)) == [path]


@pytest.mark.parametrize(
    "path", ["numpy.csv", "code/plot.png", "test/data.csv", "helper.py", "tools/__init__.py", "data.py"]
)
def test_what_only_resembles_a_module_is_taken(path: str, course: Path, folder: Path) -> None:
    put_at(folder, path)
    assert list(taken(folder, rule(course, "**")).files) == [path]


@pytest.mark.parametrize(
    "path", ["course.toml", "nbgrader_config.py", "x/nbgrader_config.py", "other.ipynb", "ps2.ipynb/x", "data.csv/x"]
)
def test_settings_notebooks_and_what_is_in_the_way_are_not_taken(path: str, course: Path, folder: Path) -> None:
    put_at(folder, path)
    result = taken(folder, rule(course, "**", "*"))
    assert not result.files
    assert list(why(result)) == [path]


def test_a_file_is_not_taken_where_the_course_has_a_folder_though_an_empty_one(course: Path, folder: Path) -> None:
    (course / "out" / "deep").mkdir(parents=True)
    put_at(folder, "out", "a file")
    put_at(folder, "tables", "a file")
    assert dict.fromkeys(("out", "tables"), "the course has something else in its place") == why(
        taken(folder, rule(course, "**"))
    )
    (folder / "out").unlink()
    put_at(folder, "out/deep", "a file")
    assert list(why(taken(folder, rule(course, "**")))) == ["tables", "out/deep"]


def test_what_the_tests_import_is_taken_only_where_the_course_names_that_file(course: Path, folder: Path) -> None:
    put_at(folder, "helper.py")
    imported = {"imported": frozenset(("helper",))}
    assert list(why(taken(folder, replace(rule(course, "*.py"), **imported)))) == ["helper.py"]
    assert list(taken(folder, replace(rule(course, "helper.py"), **imported)).files) == ["helper.py"]


def test_links_pipes_and_sockets_are_neither_followed_nor_waited_for(
    course: Path, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "gradebook.db").write_text("points")
    (folder / "a.db").symlink_to(tmp_path / "secret" / "gradebook.db")
    (folder / "all").symlink_to(tmp_path / "secret")
    (folder / "gone").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.csv")
    result = taken(folder, rule(course, "**"))
    assert not result.files
    assert why(result) == dict.fromkeys(("a.db", "all", "gone", "pipe.csv"), "it is a link, or no plain file")


def test_limits_of_number_and_size(course: Path, folder: Path) -> None:
    for number in range(4):
        (folder / f"{number}.bin").write_bytes(bytes(1 << 20))
    (folder / "large.bin").write_bytes(bytes((1 << 20) + 1))
    assert why(taken(folder, rule(course, "*", most=2, size_mb=1))) == {
        "2.bin": "no more than 2 files are taken",
        "3.bin": "no more than 2 files are taken",
        "large.bin": "it is larger than 1 MiB",
    }
    total = taken(folder, rule(course, "*", total_mb=3, size_mb=1))
    assert (len(total.files), why(total)["3.bin"]) == (3, "all together they would be larger than 3 MiB")


def test_odd_names_are_left_out_and_shown_as_nothing_but_names(course: Path, folder: Path) -> None:
    names = [b"new\nline.csv", b"\xff.csv", b"\x1b[2J.csv", "\u202egnp.csv".encode(), b"n" * 230 + b".csv"]
    for name in (*names, b"<img src=x onerror=y>.txt", b"[a](javascript:b).txt"):
        (folder / os.fsdecode(name)).touch()
    result = taken(folder, rule(course, "*.csv"))
    assert not result.files
    assert len(result.left_out) == len(names) + 2
    assert result.note.count("?") > 4
    assert not set("<>[]()\n\x1b\u202e$`*") & set(result.note.replace(" (", "").replace(")", ""))


def test_more_than_is_looked_at_is_said(course: Path, folder: Path) -> None:
    for number in range(MOST_ENTRIES + 5):
        (folder / f"{number:05}.csv").touch()
    put_at(folder, "/".join("abcdefghijkl"))
    result = taken(folder, rule(course, "*.csv"))
    assert (len(result.files), result.too_many) == (20, True)
    assert " and 1975 more (no more than 20 files are taken); whatever is beyond 2000 files" in result.note


def test_a_folder_that_is_too_deep_is_said(course: Path, folder: Path) -> None:
    put_at(folder, "/".join("abcdefghijkl"))
    result = taken(folder, rule(course, "**"))
    assert (result.files, result.too_many) == ({}, True)


def test_patterns_of_one_assignment_stand_beside_those_of_all(course: Path) -> None:
    settings = FileSettings(("*.csv",), {"ps1": ("*.png",), "ps2": ("*.txt",)})
    wanted = {name: rule_of(settings, name, SandboxSpec(packages=("numpy",)), "").wanted for name in ("ps1", "ps3")}
    assert wanted == {"ps1": ("*.csv", "*.png"), "ps3": ("*.csv",)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('submitted = ["/etc/passwd"]', "no pattern of files"),
        ('submitted = ["../*.csv"]', "no pattern of files"),
        ('submitted = ["a//b"]', "no pattern of files"),
        ('submitted = [""]', "no pattern of files"),
        ('submitted = ["a\\\\b"]', "no pattern of files"),
        ('assignments = { ps2 = ["*.csv"] }', "names no assignment of this course: 'ps2'"),
        ('assignments = { ps1 = [".."] }', "no pattern of files"),
        ('submitted = "*.csv"', "'files.submitted' must be a list"),
        ("total_mb = 49", "'files.total_mb' must be at most 48"),
        ("total_mb = 40\n[limits]\nscratch_mb = 30", "'limits.scratch_mb'"),
        ("many = 3", "there is no setting 'files.many'"),
    ],
)
def test_settings_that_cannot_be_are_refused(text: str, words: str, tmp_path: Path) -> None:
    put_at(tmp_path, "source/ps1/ps1.ipynb", "{}")
    put_at(tmp_path, "course.toml", f'id = "c"\n[files]\n{text}\n')
    with pytest.raises(BadSource, match=re.escape(words)):
        load_course(tmp_path)
