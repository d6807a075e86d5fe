"""A course folder: its settings, its assignments by any of their names, its reference package, staged."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tiny import ASSIGNMENT, SETTINGS, write_course

from tito.cli.demo import _with_a_gradebook_of_its_own, _with_an_exchange_of_its_own, _without_dates
from tito.course.course import Course, find_course, keep_private, load_course
from tito.errors import BadSource, NotACourse, UnknownAssignment


def settings(root: Path, text: str) -> Path:
    root.mkdir(exist_ok=True)
    (root / "course.toml").write_text(text)
    return root


def test_a_course_is_found_from_any_folder_inside_it(course: Course) -> None:
    inside = course.root / "source"
    assert find_course(inside).root == course.root
    assert find_course(course.root).id == "tiny"


def test_outside_a_course_the_message_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotACourse, match=r"course\.toml") as caught:
        find_course(tmp_path)
    assert "--course" in caught.value.hint


def test_everything_but_the_id_has_a_default(tmp_path: Path) -> None:
    course = load_course(settings(tmp_path, 'id = "c"'))
    assert (course.title, course.package, course.reference) == ("c", "", None)
    assert course.sandbox.backend == "bubblewrap"
    assert course.db_url == f"sqlite:///{tmp_path}/gradebook/gradebook.db"
    assert course.exchange_root == tmp_path / "exchange"


def test_the_gradebook_is_the_course_files_else_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a password stands in no course file. A demo leaves the class's alone."""
    monkeypatch.setenv("TITO_GRADEBOOK_DB", "postgresql+psycopg://class")
    assert load_course(settings(tmp_path, 'id = "c"')).db_url == "postgresql+psycopg://class"
    for text in ('id = "c"\n', 'id = "c"\n[gradebook]\ndb_url = "sqlite:////elsewhere"\n'):
        own = _with_a_gradebook_of_its_own(text)
        assert load_course(settings(tmp_path, own)).db_url == f"sqlite:///{tmp_path}/gradebook/gradebook.db"


def test_a_demo_leaves_the_exchange_of_the_class_alone(tmp_path: Path) -> None:
    table = '[exchange]\nkind = "filesystem"\nroot = "/srv/exchange"\n'
    for text in (f'id = "c"\n{table}[late]\ngrace_minutes = 3\n', f'id = "c"\n{table}', 'id = "c"\n'):
        course = load_course(settings(tmp_path, _with_an_exchange_of_its_own(text)))
        assert (course.exchange_kind, course.exchange_root) == ("service", tmp_path / "exchange")
        assert course.exchange_url == ""
        assert course.policy.late.grace_minutes == (3 if "late" in text else 0)


def test_settings_are_read(course: Course) -> None:
    assert course.limits.cell_timeout_s == 4
    assert course.limits.submission_mb == 20
    assert course.policy.late.percent_per_day == 10
    assert course.sandbox.packages == ("ipython", "numpy")


def test_a_database_elsewhere_and_an_absolute_exchange_are_left_as_they_are(tmp_path: Path) -> None:
    for url in ("sqlite:////srv/gradebook.db", "postgresql://user:word@host/db"):
        assert load_course(settings(tmp_path, f'id = "c"\n[gradebook]\ndb_url = "{url}"')).db_url == url
    course = load_course(settings(tmp_path, 'id = "c"\n[exchange]\nroot = "/srv/exchange"'))
    assert course.exchange_root == Path("/srv/exchange")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'id'"),
        ('id = ""', "'id'"),
        ('id = "../x"', "'id'"),
        ("id = 3", "'id'"),
        ("id = 'a'\nid = 'b'", "cannot be read"),
        ("[[[", "cannot be read"),
        ("id = 'a'\nidd = 'b'", "no setting 'idd'. Did you mean 'id'"),
        ("id = 'a'\n[limits]\ncell_timeout = 3", "limits.cell_timeout'. Did you mean 'cell_timeout_s'"),
        ("id = 'a'\n[limits]\nmemory_mb = -1", "limits.memory_mb"),
        ("id = 'a'\n[limits]\nmemory_mb = true", "limits.memory_mb"),
        ("id = 'a'\n[limits]\nmemory_mb = 'much'", "limits.memory_mb"),
        ("id = 'a'\n[sandbox]\npackages = 'numpy'", "sandbox.packages"),
        ("id = 'a'\nlimits = 3", "'limits' must be a table"),
        ("id = 'a'\nreference = 'nowhere'", "nowhere"),
        (
            "id = 'a'\n[deadlines]\nx = '2026-01-01'",
            "'deadlines.x' must be a date and time with a zone, not '2026-01-01'",
        ),
        ("id = 'a'\n[deadlines]\nx = 2026-01-01T00:00:00", "'deadlines.x' must be a date and time with a zone"),
        ("id = 'a'\n[deadlines]\nx = 2026-01-01", "'deadlines.x' must be a date and time with a zone"),
        ("id = 'a'\n[extensions.x]\nada = 5", "'extensions.x.ada' must be a date and time with a zone"),
        ("id = 'a'\n[extensions]\nada = 2026-01-01T00:00:00Z", "'extensions.ada' must be a table"),
        ("id = 'a'\ndeadlines = 3", "deadlines"),
        ("id = 'a'\ngradebook = 3", "gradebook"),
        ("id = 'a'\nexchange = 'here'", "exchange"),
        ("id = '..'", "'id'"),
        ("id = '-a'", "'id'"),
        ("id = 'a'\ntitle = ['x']", "'title' must be a text"),
        ("id = 'a'\npackage = 3", "'package' must be a text"),
        ("id = 'a'\npackage = '../x'", "'package' is no name to import"),
        ("id = 'a'\nreference = 3", "'reference' must be a text"),
        ("id = 'a'\n[gradebook]\ndb_ulr = 'x'", "no setting 'gradebook.db_ulr'. Did you mean 'db_url'"),
        ("id = 'a'\n[gradebook]\ndb_url = 3", "'gradebook.db_url' must be a text"),
        ("id = 'a'\n[gradebook]\ndb_url = 'gradebook.db'", "'gradebook.db_url' is no URL of a database"),
        ("id = 'a'\n[exchange]\nkinds = 'service'", "no setting 'exchange.kinds'. Did you mean 'kind'"),
        (
            "id = 'a'\n[exchange]\nkind = 'servce'",
            "'exchange.kind' must be 'service', 'filesystem' or 'nbgrader', not 'servce'. Did",
        ),
        ("id = 'a'\n[exchange]\nurl = 'hub.example.edu'", "'exchange.url' is no address"),
        ("id = 'a'\n[exchange]\nroot = 3", "'exchange.root' must be a text"),
        ("id = 'a'\n[sandbox]\nbackends = 'none'", "no setting 'sandbox.backends'. Did you mean 'backend'"),
        ("id = 'a'\n[sandbox]\nbackend = 'bublewrap'", "Did you mean 'bubblewrap'"),
        ("id = 'a'\n[sandbox]\npackages = ['ipython']", "'sandbox.packages' lacks numpy"),
        ("id = 'a'\n[sandbox]\npackages = []", "lacks ipython and numpy"),
        ("id = 'a'\n[sandbox]\npackages = [3]", "sandbox.packages"),
        ("id = 'a'\n[limits]\ncell_timeout_s = 0", "'limits.cell_timeout_s' must be at least 0.1"),
        ("id = 'a'\n[limits]\ncell_timeout_s = inf", "limits.cell_timeout_s"),
        ("id = 'a'\n[limits]\nnotebook_timeout_s = nan", "limits.notebook_timeout_s"),
        ("id = 'a'\n[limits]\nmemory_mb = 1024.5", "'limits.memory_mb' must be a whole number"),
        ("id = 'a'\n[limits]\nprocesses = 2", "'limits.processes' must be at least 8, not 2"),
        ("id = 'a'\n[limits]\nscratch_mb = 0", "limits.scratch_mb"),
        ("id = 'a'\n[limits]\noutput_kb = 0", "limits.output_kb"),
        ("id = 'a'\n[limits]\nsubmission_mb = 0", "limits.submission_mb"),
        ("id = 'a'\n[late]\ngrace_minute = 3", "no setting 'late.grace_minute'. Did you mean 'grace_minutes'"),
        ("id = 'a'\n[late]\nmax_percent = 500", "'late.max_percent' must be at most 100"),
        ("id = 'a'\n[late]\npercent_per_day = '10'", "late.percent_per_day"),
        ("id = 'a'\n[precheck]\nper_hours = 3", "no setting 'precheck.per_hours'. Did you mean 'per_hour'"),
        ("id = 'a'\n[precheck]\nper_hour = 0.5", "'precheck.per_hour' must be a whole number"),
        ("id = 'a'\n[precheck]\ncell_timeout_s = 0", "precheck.cell_timeout_s"),
        (
            "id = 'a'\n[gates]\nmutation = 'refuse'",
            "'gates.mutation' must be 'require', 'warn' or 'off', not 'refuse'",
        ),
        ("id = 'a'\n[gates]\nforgable = 'warn'", "no setting 'gates.forgable'. Did you mean 'forgeable'"),
        ("id = 'a'\n[deadlines]\nx = 2026-01-01T00:00:00Z", "'deadlines' names no assignment of this course: 'x'"),
        ("id = 'a'\n[extensions.x]\nada = 2026-01-01T00:00:00Z", "'extensions' names no assignment"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadSource) as caught:
        load_course(settings(tmp_path, text))
    assert message in str(caught.value)
    assert str(tmp_path / "course.toml") in str(caught.value)


def test_no_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_bytes(b'id = "\xff"')
    with pytest.raises(BadSource, match="cannot be read"):
        load_course(tmp_path)


def test_a_deadline_has_a_zone(course: Course) -> None:
    settings(course.root, f"id = 'a'\n[deadlines]\n{ASSIGNMENT} = 2026-12-07T23:59:00Z")
    assert load_course(course.root).policy.deadlines == {ASSIGNMENT: datetime(2026, 12, 7, 23, 59, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[deadlines]\n07_dubling = {noon}", "Did you mean '07_doubling'?"),
        ("[deadlines]\ndoubling = {noon}", "Did you mean '07_doubling'?"),
        ("[cutoffs]\n07_dubling = {noon}", "'cutoffs' names no assignment"),
        ("[extensions.07_dubling]\nada = {noon}", "'extensions' names no assignment"),
        ("[deadlines]\n07_doubling = {noon}\n[cutoffs]\n07_doubling = {morning}", "lies before its deadline"),
        ("[deadlines]\n07_doubling = {noon}\n[extensions.07_doubling]\nada = {morning}", "the extension of 'ada'"),
    ],
)
def test_dates_that_would_be_nobodys_or_contradict_are_refused(text: str, message: str, course: Course) -> None:
    dates = text.format(noon="2026-12-07T12:00:00Z", morning="2026-12-07T08:00:00Z")
    settings(course.root, f"id = 'a'\n{dates}")
    with pytest.raises(BadSource) as caught:
        load_course(course.root)
    assert message in str(caught.value)


def test_a_module_that_was_released_and_whose_source_is_gone_keeps_its_dates(course: Course) -> None:
    course.step("release", "05_before").mkdir(parents=True)
    settings(course.root, "id = 'a'\n[deadlines]\n05_before = 2026-12-07T12:00:00Z")
    assert "05_before" in load_course(course.root).policy.deadlines


def test_a_reference_has_a_name_to_import(course: Course) -> None:
    settings(course.root, "id = 'a'\nreference = 'reference'")
    with pytest.raises(BadSource, match="no 'package'"):
        load_course(course.root)


@pytest.mark.parametrize("variable", ["TITO_GRADEBOOK_DB", "TITO_EXCHANGE_URL"])
def test_what_the_environment_says_is_held_to_the_same(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gradebook's URL may hold a password: what was said is not repeated."""
    monkeypatch.setenv(variable, "pass word")
    with pytest.raises(BadSource, match=variable) as caught:
        load_course(settings(tmp_path, "id = 'c'"))
    assert ("pass word" in str(caught.value)) == (variable == "TITO_EXCHANGE_URL")


def test_a_demo_has_none_of_the_classes_dates() -> None:
    dates = "[deadlines]\n16_x = 2026-12-07T23:59:00Z\n# a comment\n[extensions.16_x]\nada = 2026-12-09T23:59:00Z\n"
    assert _without_dates(f"id = 'c'\n{dates}[late]\ngrace_minutes = 1\n{dates}") == (
        "id = 'c'\n[late]\ngrace_minutes = 1\n"
    )
    assert _without_dates("id = 'c'\ncutoffs.16_x = 2026-12-07T23:59:00Z\n") == "id = 'c'\n"


@pytest.mark.parametrize("name", ["7", "07", "doubling", ASSIGNMENT])
def test_an_assignment_is_meant_by_its_number_its_name_or_both(name: str, course: Course) -> None:
    assert course.assignment(name).id == ASSIGNMENT
    assert course.assignment(name).number == 7


@pytest.mark.parametrize(("name", "close"), [("doublin", "doubling"), ("07_dubling", ASSIGNMENT)])
def test_an_unknown_name_is_answered_with_a_near_one(name: str, close: str, course: Course) -> None:
    with pytest.raises(UnknownAssignment) as caught:
        course.assignment(name)
    assert caught.value.hint == f"Did you mean '{close}'?"


def test_an_unknown_name_far_from_all_is_answered_with_the_list(course: Course) -> None:
    with pytest.raises(UnknownAssignment) as caught:
        course.assignment("zzz")
    assert ASSIGNMENT in caught.value.hint


def test_a_name_that_two_have_is_refused(course: Course) -> None:
    (course.root / "source" / "09_doubling.py").touch()
    with pytest.raises(UnknownAssignment, match="09_doubling"):
        course.assignment("doubling")
    assert course.assignment("9").id == "09_doubling"


def test_a_folder_of_notebooks_is_an_assignment_and_stray_files_are_none(course: Course) -> None:
    source = course.root / "source"
    (source / "ps1").mkdir()
    (source / "ps1" / "one.ipynb").touch()
    (source / "empty").mkdir()
    (source / "notes.py").touch()
    (source / "1_short.py").touch()
    assert [assignment.id for assignment in course.assignments] == [ASSIGNMENT, "ps1"]
    assert course.assignment("ps1").number is None


# ---- staging -----------------------------------------------------------------------------------


def staged(course: Course, below: int | None, into: Path) -> set[str]:
    target = course.stage(below, into)
    return {str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()} if target else set()


def test_only_modules_below_are_staged_and_under_the_students_name(course: Course, tmp_path: Path) -> None:
    assert staged(course, 7, tmp_path / "at7") == {"tinypack/__init__.py", "tinypack/base.py"}
    assert staged(course, 9, tmp_path / "at9") == {"tinypack/__init__.py", "tinypack/base.py", "tinypack/above.py"}
    assert staged(course, 3, tmp_path / "at3") == {"tinypack/__init__.py"}


def test_a_file_that_names_no_module_is_refused(course: Course, tmp_path: Path) -> None:
    assert course.reference is not None
    (course.reference / "stray.py").write_text("x = 1\n")
    with pytest.raises(BadSource, match=r"stray\.py"):
        course.stage(7, tmp_path / "out")


def test_data_go_with_the_module_of_their_folder(course: Course, tmp_path: Path) -> None:
    assert course.reference is not None
    data = course.reference / "data"
    data.mkdir()
    (data / "__init__.py").write_text("# module: 08_data\n")
    (data / "numbers.txt").write_text("1")
    assert "tinypack/data/numbers.txt" not in staged(course, 8, tmp_path / "at8")
    assert {"tinypack/data/numbers.txt", "tinypack/data/__init__.py"} <= staged(course, 9, tmp_path / "at9")


def test_compiled_files_are_never_staged(course: Course, tmp_path: Path) -> None:
    assert course.reference is not None
    cache = course.reference / "__pycache__"
    cache.mkdir()
    (cache / "above.cpython-311.pyc").write_bytes(b"x")
    assert not any("pyc" in name for name in staged(course, 20, tmp_path / "out"))


def test_a_course_without_a_package_stages_nothing(tmp_path: Path) -> None:
    course = load_course(settings(tmp_path, 'id = "c"'))
    assert course.stage(7, tmp_path / "out") is None


def test_the_tiny_course_of_these_tests_says_what_its_settings_say(tmp_path: Path) -> None:
    assert 'id = "tiny"' in SETTINGS
    assert write_course(tmp_path / "c").id == "tiny"


def test_what_the_gate_makes_of_tests_that_can_be_forged_is_one_of_two(tmp_path: Path) -> None:
    settings = tmp_path / "course.toml"
    settings.write_text('id = "x"\n')
    assert load_course(tmp_path).gates.forgeable == "refuse"
    settings.write_text('id = "x"\n[gates]\nforgeable = "warn"\n')
    assert load_course(tmp_path).gates.forgeable == "warn"
    settings.write_text('id = "x"\n[gates]\nforgeable = "ignore"\n')
    with pytest.raises(BadSource, match=r"'gates\.forgeable' must be 'refuse' or 'warn', not 'ignore'"):
        load_course(tmp_path)


@pytest.mark.parametrize(
    ("mode", "modes"), [(0o755, (0o700, 0o600)), (0o777, (0o770, 0o660)), (0o2775, (0o770, 0o660))]
)
def test_what_is_made_is_closed_to_others_and_open_to_a_group_that_shares_the_folder(
    mode: int, modes: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
    usual = os.umask(0o022)
    try:
        tmp_path.chmod(mode)
        keep_private(tmp_path)
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
    finally:
        os.umask(usual)
    assert tuple((tmp_path / name).stat().st_mode & 0o777 for name in ("folder", "file")) == modes
