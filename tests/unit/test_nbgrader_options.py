"""Options of a course's own nbgrader settings: each works, or is refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from tito.course.course import Course, load_course
from tito.course.nbgrader_options import own_config, with_options, with_own_options
from tito.course.nbgrader_settings import settings
from tito.course.script import with_header_and_footer
from tito.errors import BadSource, UsageError
from tito.models import Stubs
from tito.repair.stub import stub_of

WIRED = """\
from pathlib import Path
from tito.bridge.guard import configure
configure(get_config(), Path(__file__).resolve().parent)
"""


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    (tmp_path / "course.toml").write_text('id = "ml101"\n')
    return tmp_path


def with_config(root: Path, text: str) -> Course:
    (root / "nbgrader_config.py").write_text(text)
    return with_own_options(load_course(root))


def with_toml(root: Path, text: str) -> None:
    (root / "course.toml").write_text(f'id = "ml101"\n{text}')


def test_a_course_without_settings_of_nbgraders_is_as_it_was(plain: Path) -> None:
    assert with_own_options(load_course(plain)) == load_course(plain)


def test_a_file_that_only_leads_to_our_settings_is_not_run(plain: Path) -> None:
    course = with_config(plain, WIRED)
    assert course == load_course(plain)
    assert own_config(plain) is None


def test_our_hook_does_nothing_while_a_file_is_read_for_what_it_says(plain: Path) -> None:
    course = with_config(plain, f"{WIRED}c = get_config()\nc.Execute.timeout = 7\n")
    assert course.limits.cell_timeout_s == 7
    assert not (plain / "gradebook").exists()


def test_a_file_that_cannot_be_run_is_refused(plain: Path) -> None:
    with pytest.raises(BadSource, match="ZeroDivisionError"):
        with_config(plain, "c = get_config()\n1 / 0\n")


@pytest.mark.parametrize(
    ("value", "cell_s", "notebook_s"),
    [("60", 60, 600), ("1", 1, 300), ("None", 300, 300), ("-1", 300, 300), ('"45"', 45, 450)],
)
def test_the_time_of_a_cell(plain: Path, value: str, cell_s: float, notebook_s: float) -> None:
    limits = with_config(plain, f"c = get_config()\nc.Execute.timeout = {value}\n").limits
    assert (limits.cell_timeout_s, limits.notebook_timeout_s) == (cell_s, notebook_s)


def test_the_time_of_a_cell_by_the_name_of_the_class_that_nbgraders_extends(plain: Path) -> None:
    assert with_config(plain, "c.ExecutePreprocessor.timeout = 9\n").limits.cell_timeout_s == 9


def test_two_times_of_a_cell_are_refused(plain: Path) -> None:
    with_toml(plain, "[limits]\ncell_timeout_s = 20\n")
    with pytest.raises(UsageError, match=r"Execute\.timeout = 60.*cell_timeout_s = 20"):
        with_config(plain, "c.Execute.timeout = 60\n")
    assert with_config(plain, "c.Execute.timeout = 20\n").limits.cell_timeout_s == 20


def test_other_folders_are_those_of_the_course_file(plain: Path) -> None:
    with pytest.raises(UsageError, match="submitted_directory = 'handed_in'"):
        with_config(plain, "c.CourseDirectory.submitted_directory = 'handed_in'\n")
    with_toml(plain, '[folders]\nsubmitted = "handed_in"\n')
    course = with_config(plain, "c.CourseDirectory.submitted_directory = 'handed_in'\n")
    assert course.step("submitted", "ann") == plain / "handed_in" / "ann"
    assert settings(course).CourseDirectory.submitted_directory == "handed_in"


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/elsewhere", ".hidden", "source", "gradebook", "a/b", ""])
def test_a_folder_that_is_no_folder_of_its_own_is_refused(plain: Path, name: str) -> None:
    with_toml(plain, f'[folders]\nsubmitted = "{name}"\n')
    with pytest.raises(BadSource, match="no plain name of a folder"):
        load_course(plain)


def test_another_structure_of_folders_is_refused(plain: Path) -> None:
    with pytest.raises(UsageError, match="directory_structure"):
        with_config(plain, "c.CourseDirectory.directory_structure = '{student_id}/{nbgrader_step}/{assignment_id}'\n")


@pytest.mark.parametrize(
    "setting",
    [
        "Autograde.autograde_preprocessors = ['own.Check']",
        "Execute.extra_arguments = ['-q']",
        "NotebookClient.timeout_func = len",
    ],
)
def test_what_would_change_nbgraders_own_engine_is_refused(plain: Path, setting: str) -> None:
    with pytest.raises(UsageError, match=f"say {setting.split(' ')[0]}, which does nothing here: "):
        with_config(plain, f"c = get_config()\nc.{setting}\n")


def test_our_own_settings_change_no_engine_but_nbgraders(plain: Path) -> None:
    course = load_course(plain)
    assert with_options(course, settings(course)).limits == course.limits


def test_late_penalties_of_two_kinds_are_refused(plain: Path) -> None:
    assert with_config(plain, "c.LateSubmissionPlugin.penalty_method = 'zero'\n").nbgrader is not None
    with_toml(plain, "[late]\npercent_per_day = 10\n")
    with pytest.raises(UsageError, match="lost twice"):
        with_own_options(load_course(plain))


def test_students_files_and_code(plain: Path) -> None:
    text = """
c = get_config()
c.CourseDirectory.student_id_exclude = "bob,eve"
c.CourseDirectory.ignore.append("*.tmp")
c.Execute.enabled = False
"""
    course = with_config(plain, text)
    assert course.excluded == ("bob", "eve")
    assert course.ignored == (*Course.ignored, "*.tmp")
    assert not course.runs


def test_what_a_release_has_where_solutions_were(plain: Path) -> None:
    text = "c.ClearSolutions.code_stub = {'python': 'pass', 'R': 'stop()'}\nc.ClearSolutions.text_stub = 'Here.'\n"
    stubs = with_config(plain, text).stubs
    assert stubs == Stubs(code="pass", text="Here.")
    assert stub_of("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", "code", stubs) == (
        "def f():\n    pass"
    )


def test_the_cells_that_each_notebook_begins_with(plain: Path) -> None:
    course = with_config(plain, "c.IncludeHeaderFooter.header = 'header.ipynb'\n")
    assert settings(course).IncludeHeaderFooter.header == str(plain / "header.ipynb")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    with pytest.raises(BadSource, match=r"header\.ipynb"):
        with_header_and_footer(course, {"p1": notebook})
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("0")]), plain / "header.ipynb")
    assert [cell.source for cell in with_header_and_footer(course, {"p1": notebook})["p1"].cells] == ["0", "1"]
    assert len(notebook.cells) == 1
    assert with_header_and_footer(replace(course, nbgrader=None), {"p1": notebook}) == {"p1": notebook}


def test_settings_of_nbgraders_own_come_along(plain: Path) -> None:
    course = with_config(plain, "c.ClearSolutions.code_stub = {'python': 'pass'}\nc.Exchange.timezone = 'CET'\n")
    config = settings(course)
    assert config.ClearSolutions.code_stub == {"python": "pass"}
    assert config.CourseDirectory.course_id == "ml101"
