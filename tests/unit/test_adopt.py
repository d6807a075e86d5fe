"""What is told of an nbgrader course from its files alone, and the text that is written of it."""

from __future__ import annotations

import importlib.util
import re
import sqlite3
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tito.author.adopt import PASSWORD, course_file, course_imports, db_url_for_file, with_packages_line
from tito.author.files_beside import patterns_beside
from tito.author.new_course import is_fresh, new_course, new_module
from tito.bridge.nbgrader_facts import NbgraderFacts
from tito.course.course import Course, load_course
from tito.course.python_source import Source
from tito.errors import BadSource, GradebookUnavailable, UsageError
from tito.gradebook.contents import contents, scored
from tito.plan.packages import imported_modules, with_packages


def facts(root: Path, **changed: Any) -> NbgraderFacts:
    usual = {"root": str(root), "course_id": "ml", "db_url": f"sqlite:///{root}/gradebook.db", "exchange_root": "/x"}
    return NbgraderFacts(**(usual | changed))


# ---- which gradebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "db_url"),
    [
        ((), "gradebook/gradebook.db"),
        (("gradebook.db",), "gradebook.db"),
        (("gradebook/gradebook.db",), "gradebook/gradebook.db"),
    ],
)
def test_without_a_word_the_gradebook_is_the_one_that_is_there(
    files: tuple[str, ...], db_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TITO_GRADEBOOK_DB", raising=False)
    (tmp_path / "course.toml").write_text('id = "c"')
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert load_course(tmp_path).db_url == f"sqlite:///{tmp_path}/{db_url}"


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        ("c.CourseDirectory.db_url = 'sqlite:////srv/ml.db'", 'db_url = "sqlite:////srv/ml.db"'),
        ("c.CourseDirectory.db_url = url_of('ml')", "the URL that stands there"),
        ("c.CourseDirectory.db_url='postgresql://me:secret@host/ml'  # mine", "the URL that stands there"),
    ],
)
def test_a_gradebook_that_the_config_names_has_to_be_named_here_too(
    config: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TITO_GRADEBOOK_DB", raising=False)
    (tmp_path / "course.toml").write_text('id = "c"')
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n# c.CourseDirectory.db_url = ''\n{config}\n")
    with pytest.raises(BadSource, match="does not say where the gradebook is") as refused:
        load_course(tmp_path)
    assert hint in str(refused.value)
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("TITO_GRADEBOOK_DB", "sqlite:////srv/of_the_hub.db")
    assert load_course(tmp_path).db_url == "sqlite:////srv/of_the_hub.db"


def test_a_config_of_ours_or_one_that_says_nothing_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text('id = "c"')
    for text in ("# c.CourseDirectory.db_url = 'x'\n", "from tito.bridge.guard import configure\ndb_url = 3\n"):
        (tmp_path / "nbgrader_config.py").write_text(text)
        assert load_course(tmp_path).db_url.endswith("/gradebook/gradebook.db")


def test_a_gradebook_is_looked_into_and_never_made(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.db"
    assert contents(f"sqlite:///{path}") is None
    assert scored(f"sqlite:///{path}", "ps1") == {}
    assert not path.exists()
    sqlite3.connect(path).close()
    path.touch()
    assert contents(f"sqlite:///{path}") is None
    path.write_bytes(b"no database " * 500)
    with pytest.raises(GradebookUnavailable, match="cannot be used"):
        contents(f"sqlite:///{path}")


# ---- what is written ---------------------------------------------------------------------------------


def test_the_file_can_be_read_whatever_the_folders_are_called(tmp_path: Path) -> None:
    root = tmp_path / 'a "b" \\c'
    root.mkdir()
    text = course_file(facts(root, exchange_root=str(root / "ex"), max_file_kb=40_500), root, ["numpy", "ipython"])
    (root / "course.toml").write_text(text)
    course = load_course(root)
    assert course.exchange_root == root / "ex"
    assert course.db_url == f"sqlite:///{root}/gradebook.db"
    assert course.limits.submission_mb == 41
    assert (course.gates.forgeable, course.gates.mutation) == ("warn", "off")


def test_what_students_hand_in_beside_the_notebook_is_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "source" / "ps 1"
    source.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), source / "ps1.ipynb")
    (source / "readings.csv").write_text("the course's")
    handed_in = {
        "ada": ["ps1.ipynb", "timestamp.txt", "readings.csv", "mine.csv", "helper.py", ".DS_Store"],
        "bob": ["ps1.ipynb", "ps1-Copy1.ipynb", "my.csv", "figures/one.png", "figures/two.png"],
        "eve": ["a*.csv", 'x"]\nid = "other', "**.dat", "[a-z].txt", "..."],
    }
    for student, names in handed_in.items():
        for name in names:
            path = tmp_path / "submitted" / student / "ps 1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(student)
    beside = patterns_beside(Course(tmp_path, "course"))
    assert beside == {"ps 1": ("*.csv", "figures/*.png", "helper.py")}
    (tmp_path / "course.toml").write_text(course_file(facts(tmp_path), tmp_path, ["ipython", "numpy"], beside))
    assert load_course(tmp_path).files.assignments == beside


def test_a_password_is_written_where_the_config_holds_it_too(tmp_path: Path) -> None:
    url = "postgresql://me:secret@host/ml"
    assert PASSWORD.search(url)
    assert db_url_for_file(facts(tmp_path, db_url=url), tmp_path) == "$TITO_GRADEBOOK_DB"
    (tmp_path / "nbgrader_config.py").write_text(f"c.CourseDirectory.db_url = '{url}'\n")
    assert db_url_for_file(facts(tmp_path, db_url=url), tmp_path) == url
    without = "postgresql:///ml"
    assert db_url_for_file(facts(tmp_path, db_url=without), tmp_path) == without


@pytest.mark.parametrize(
    "text",
    [
        'id = "c"\n',
        'id = "c"\n\n[sandbox]  # mine\nbackend = "none"\n\n[late]\ngrace_minutes = 3\n',
        'id = "c"\n[sandbox]\npackages = [\n  "ipython",\n  "numpy",\n]  # why\n# more\n[late]\ngrace_minutes = 3\n',
    ],
)
def test_packages_are_changed_and_nothing_else(text: str) -> None:
    before, after = tomllib.loads(text), tomllib.loads(with_packages_line(text, ["ipython", "numpy", "pandas"]))
    assert after["sandbox"].pop("packages") == ["ipython", "numpy", "pandas"]
    before.get("sandbox", {}).pop("packages", None)
    assert after == {"sandbox": {}} | before
    assert re.findall("#.*", text) == [line for line in re.findall("#.*", with_packages_line(text, [])) if line in text]


def test_a_new_course_is_made_where_nothing_is_in_its_way(tmp_path: Path) -> None:
    for name in (".git", "README.md", "LICENSE"):
        (tmp_path / name).touch()
    assert is_fresh(tmp_path) and is_fresh(tmp_path / "not there")
    (tmp_path / "grades.xlsx").touch()
    assert not is_fresh(tmp_path)
    files = new_course(Path("/srv/ML 101!"))
    assert 'id = "ML-101"' in files[Path("course.toml")]
    assert {path.suffix for path in files} == {".toml", ".py", ".md"}


# ---- what is imported --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("import numpy as np, os.path", ["numpy", "os"]),
        ("from sklearn.linear_model import Ridge", ["sklearn"]),
        ("%matplotlib inline\n!pip install x\nimport a", ["a"]),
        ("%%time\nimport a", ["a"]),
        ("%%bash\nimport a", []),
        ("def f():\n    import a\n    class B:\n        from b import c", ["a", "b"]),
        ("from . import a\nfrom .b import c", []),
        ("try:\n    import a\nexcept ImportError:\n    import b", []),
        ("try:\n    import a\nexcept (OSError, ModuleNotFoundError):\n    pass\nelse:\n    import b", ["b"]),
        ("try:\n    import a\nexcept:\n    pass", []),
        ("try:\n    import a\nexcept ValueError:\n    pass", ["a"]),
        ("import a\nimport a.b", ["a"]),
        ("import a; this is no Python", []),
        ("print('import')", []),
    ],
)
def test_what_a_cell_imports_is_told_from_its_text(text: str, modules: list[str]) -> None:
    assert imported_modules(Source(text)) == modules


def test_what_pandas_needs_beside_itself_is_brought_along_where_it_is_installed(tmp_path: Path) -> None:
    from notebook_course import cell, write_notebook

    write_notebook(tmp_path, [cell("import pandas as pd\npd.DataFrame().to_markdown()\npd.read_html('x')")])
    installed = {name for name in ("tabulate", "lxml") if importlib.util.find_spec(name)}
    packages = course_imports(Course(tmp_path, "c")).packages
    assert set(packages) == {"ipython", "matplotlib", "numpy", "pandas"} | installed


def test_a_module_is_of_the_package_that_brings_it() -> None:
    places = {"PIL": "a", "IPython": "b", "mpl_toolkits": "c", "cv2": "d", "nowhere_at_all": "e", "tito": "f"}
    packages = {each.module: (each.package, each.is_installed) for each in with_packages(places)}
    assert packages["PIL"] == ("pillow", True)
    assert packages["IPython"] == ("ipython", True)
    assert packages["mpl_toolkits"] == ("matplotlib", True)
    assert packages["nowhere_at_all"] == ("nowhere_at_all", False)
    assert not packages["tito"][1]  # it holds the reference, and is in no sandbox
    if "cv2" not in sys.modules:
        assert packages["cv2"][0].startswith("opencv-python")


# ---- a new module ------------------------------------------------------------------------------------


def test_a_new_module_stands_beside_those_that_are_there_and_over_none(course: Course) -> None:
    files = new_module(course, "42_moving_sums")
    assert {path.suffix for path in files} == {".py"}
    source = files[Path("source/42_moving_sums.py")]
    assert "number: 42" in source and "title: Moving sums" in source and "MODULE_" not in "".join(files.values())
    taken = course.assignments[0].id
    number, _, name = taken.partition("_")
    for module in (taken, f"{number}_other", f"99_{name}"):
        with pytest.raises(BadSource, match=taken):
            new_module(course, module)
    (course.root / "variants/42_moving_sums").mkdir(parents=True)
    (course.root / "variants/42_moving_sums/no_refusal.py").touch()
    with pytest.raises(BadSource, match="there already"):
        new_module(course, "42_moving_sums")


@pytest.mark.parametrize("name", ["sums", "1_sums", "01-sums", "01_", "01_Sums", "../01_sums", "01_a/b", "001_sums"])
def test_a_name_that_no_module_can_have_is_refused(course: Course, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a module"):
        new_module(course, name)
