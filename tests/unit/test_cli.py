"""The command line: what it lists, how fast, its exit codes, and one line for every error."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Done, Tito, command_line
from tiny import ASSIGNMENT, script, submit, write_course

import tito.cli
from tito.cli.cohort import print_verdicts, progress_bar
from tito.cli.common import print_json, print_table
from tito.course.course import Course
from tito.errors import TitoError
from tito.exports.systems import SYSTEMS
from tito.exports.tables import PER
from tito.gradebook.records import to_json
from tito.gradebook.store import gradebook
from tito.models import CellVerdict, Fingerprint, NotebookVerdicts, SubmissionRecord, Verdict
from tito.plain_text import HOSTILE

SECTIONS = {
    "Course": ["init", "new", "demo", "doctor"],
    "Author": ["check", "mutate", "export", "release", "otter"],
    "Grade": ["collect", "autograde", "regrade", "status", "feedback"],
    "Grades": ["grades", "policy", "log"],
    "Serve": ["exchange", "precheck"],
}
COMMANDS = [name for names in SECTIONS.values() for name in names]


@pytest.fixture
def tito_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tito:
    return command_line(monkeypatch, capsys)


def _listed(text: str) -> dict[str, list[str]]:
    """Names of commands by heading, as help lists them."""
    listed: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        title, _, rest = block.partition("\n")
        if title.endswith(":") and title != "Options:":
            listed[title.removesuffix(":")] = [line.split()[0] for line in rest.splitlines() if line[2:3].strip()]
    return listed


def test_commands_are_listed_in_sections(tito_in: Tito, tmp_path: Path) -> None:
    done = tito_in(tmp_path, "--help")
    assert _listed(done.out) == SECTIONS
    assert list(tito.cli.cli.commands) == COMMANDS  # none stands in no section
    assert done.code == 0
    assert "Exit codes" in done.out


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_summaries_are_whole_however_narrow_the_terminal_is(
    columns: int, tito_in: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = tito_in(tmp_path, "--help").out
    assert "..." not in text.replace("[ARGS]...", "")
    assert max(map(len, text.splitlines())) <= columns
    assert "and what is to be looked at." in " ".join(text.split())


@pytest.mark.parametrize(
    "command", [*map(str.split, COMMANDS), ["policy", "preview"], ["exchange", "audit"]], ids=" ".join
)
def test_every_command_has_help(command: list[str], tito_in: Tito, tmp_path: Path) -> None:
    done = tito_in(tmp_path, *command, "--help")
    assert done.code == 0
    assert f" {' '.join(command)} [" in done.out.splitlines()[0]
    assert "-h, --help" in done.out


BASH = """
eval "$(_TITO_COMPLETE=bash_source tito)"
COMP_WORDS=(tito "$@") COMP_CWORD=$#
_tito_completion tito
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["autog"], ["autograde"]),
        (["policy", ""], ["show", "preview", "apply"]),
        (["check", ""], [ASSIGNMENT]),
        (["check", "0"], [ASSIGNMENT]),
        (["autograde", "--force", "doub"], ["doubling"]),
        (["check", "nothing"], []),
    ],
    ids=lambda words: " ".join(words),
)
def test_bash_completes_commands_and_modules(words: list[str], completed: list[str], course: Course) -> None:
    done = _bash(course.root, *words)
    assert (done.stdout.split(), done.stderr) == (completed, "")


def test_outside_of_a_course_bash_completes_no_module_and_says_nothing(course: Course, tmp_path: Path) -> None:
    done = _bash(tmp_path, "check", "")
    assert (done.stdout.split(), done.stderr) == ([], "")
    assert _bash(tmp_path, "--course", str(course.root), "check", "").stdout.split() == [ASSIGNMENT]


def _bash(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    argv = ["bash", "-c", BASH, "bash", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True, cwd=folder, env=environment, timeout=60)


def test_help_needs_nothing_that_takes_long_to_import(tmp_path: Path) -> None:
    """Heavy imports belong inside commands: help is there within the time that a person does not notice."""
    heavy = ("IPython", "fastapi", "jupytext", "nbclient", "nbformat", "numpy", "pandas", "rich.progress", "sqlalchemy")
    code = "import sys, tito.cli\ntry:\n    tito.cli.main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    argv = [sys.executable, "-c", code, "--help"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert "autograde" in done.stdout
    assert not set(heavy) & set(done.stderr.split())


def _tito(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).parent / "tito"), *arguments]


# ---- wrong usage: exit 2 -----------------------------------------------------------------------


def test_an_unknown_command_is_answered_with_a_near_one(tito_in: Tito, course: Course) -> None:
    done = tito_in(course.root, "autograd", "7")
    assert done.code == 2
    assert "Did you mean 'autograde'?" in done.err


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "7", "--workers", "0"], ["grades", "7", "--nonsense"], ["--xx"]]
)
def test_wrong_options_are_exit_2(arguments: list[str], tito_in: Tito, course: Course) -> None:
    done = tito_in(course.root, *arguments)
    assert done.code == 2
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "command", ["check", "mutate", "release", "export", "otter", "collect", "autograde", "feedback", "grades", "status"]
)
def test_an_unknown_module_is_one_line_with_a_near_name(command: str, tito_in: Tito, course: Course) -> None:
    done = tito_in(course.root, command, "dubling")
    assert (done.code, done.out) == (2, "")
    assert done.line.startswith("tito: No module or assignment 'dubling'")
    assert "Did you mean 'doubling'?" in done.line


def test_outside_of_a_course_the_one_line_says_what_to_do(tito_in: Tito, tmp_path: Path) -> None:
    done = tito_in(tmp_path, "grades", "7")
    assert done.code == 2
    assert "course.toml" in done.line
    assert "--course" in done.line


def test_the_course_can_be_named_from_elsewhere(tito_in: Tito, course: Course, tmp_path: Path) -> None:
    done = tito_in(tmp_path, "--course", str(course.root), "export", "7")
    assert done.code == 0
    assert "doubling.py" in done.line


def test_a_broken_header_is_one_line_with_its_line_number(tito_in: Tito, tmp_path: Path) -> None:
    text = script().replace("#     title: Doubling", "#     title: Doub: ling")
    course = write_course(tmp_path / "c", text)
    done = tito_in(course.root, "check", "7")
    number = next(at for at, content in enumerate(text.splitlines(), 1) if "Doub: ling" in content)
    assert done.code == 2
    assert f"{ASSIGNMENT}.py:{number}:" in done.line


def test_an_assignment_that_was_never_released_is_one_line(tito_in: Tito, course: Course) -> None:
    for command in ("autograde", "grades", "status"):
        done = tito_in(course.root, command, "7")
        assert done.code == 2
        assert "not been released" in done.line
        assert f"tito release {ASSIGNMENT}" in done.line


def test_a_student_who_has_not_submitted_is_one_line(tito_in: Tito, released: Course) -> None:
    done = tito_in(released.root, "autograde", "7", "--student", "zoe")
    assert done.code == 2
    assert "zoe has not submitted" in done.line


def test_feedback_on_nothing_is_one_line(tito_in: Tito, released: Course) -> None:
    done = tito_in(released.root, "feedback", "7")
    assert done.code == 2
    assert "tito autograde" in done.line


def test_prechecks_without_settings_are_one_line(
    tito_in: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TITO_EXCHANGE_URL", raising=False)
    done = tito_in(tmp_path, "precheck")
    assert done.code == 2
    assert "TITO_EXCHANGE_URL is missing" in done.line
    assert done.line.count("The hub sets it") == 1


def test_an_unknown_sandbox_is_one_line(tito_in: Tito, released: Course) -> None:
    done = tito_in(released.root, "autograde", "7", "--sandbox", "docker")
    assert done.code == 2
    assert "bubblewrap, landlock, none" in done.line


# ---- the platform: exit 3 ----------------------------------------------------------------------


@pytest.mark.parametrize("command", [["check", "7"], ["autograde", "7"], ["release", "7", "--no-exchange"]])
def test_without_bubblewrap_it_refuses_with_how_to_get_it(
    command: list[str], tito_in: Tito, released: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = tito_in(released.root, *command)
    assert done.code == 3
    assert "no 'bwrap'" in done.line
    assert "apt-get install bubblewrap" in done.line


@pytest.mark.parametrize("command", ["autograde", "grades", "status"])
def test_a_gradebook_that_cannot_be_used_is_one_line_with_its_path(
    command: str, tito_in: Tito, released: Course
) -> None:
    database = released.gradebook_dir / "gradebook.db"
    database.unlink()
    database.mkdir()
    done = tito_in(released.root, command, "7")
    assert done.code == 3
    assert f"The gradebook at {database} cannot be used" in done.line


def test_a_gradebook_that_is_no_database_is_one_line(tito_in: Tito, released: Course) -> None:
    (released.gradebook_dir / "gradebook.db").write_bytes(b"no database " * 500)
    done = tito_in(released.root, "grades", "7")
    assert done.code == 3
    assert "cannot be used" in done.line


def test_a_missing_exchange_outside_of_the_course_is_one_line_and_nothing_is_made(
    tito_in: Tito, course: Course, tmp_path: Path
) -> None:
    settings = course.root / "course.toml"
    settings.write_text(settings.read_text() + f'\n[exchange]\nroot = "{tmp_path}/nowhere"\n')
    done = tito_in(course.root, "release", "7")
    assert done.code == 3
    assert f"no exchange at {tmp_path}/nowhere" in done.line
    assert not (tmp_path / "nowhere").exists()
    assert not course.step("release").exists()


def test_an_error_of_ours_is_told_as_one_and_traceback_shows_where(
    tito_in: Tito, released: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("tito.exports.tables.read_grades", fail)
    done = tito_in(released.root, "grades", "7")
    assert done.code == 3
    assert "internal error: ZeroDivisionError" in done.line
    assert "Traceback" in tito_in(released.root, "--traceback", "grades", "7").err


def test_ctrl_c_is_no_traceback(tito_in: Tito, released: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tito.exports.tables.read_grades", interrupt)
    done = tito_in(released.root, "grades", "7")
    assert done.code == 130
    assert "run the same command to go on" in done.line


def test_no_error_class_is_without_an_exit_code_of_the_four() -> None:
    def below(kind: type[TitoError]) -> set[type[TitoError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    assert {kind.exit_code for kind in below(TitoError)} == {1, 2, 3}


# ---- what works --------------------------------------------------------------------------------


def test_grades_and_status_print_json_to_stdout_and_nothing_else(tito_in: Tito, released: Course) -> None:
    submit(released, "ada", b"")
    for command in ("grades", "status"):
        done = tito_in(released.root, command, "7", "--json")
        rows = json.loads(done.out)
        assert (done.code, done.err) == (0, "")
        assert [(row["student_id"], row["status"], row["score"]) for row in rows] == [("ada", "ungraded", None)]


def test_grades_go_where_they_are_told(tito_in: Tito, released: Course, tmp_path: Path) -> None:
    done = tito_in(released.root, "grades", "7", "--output", str(tmp_path / "mine.csv"))
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "mine.csv").read_text("utf-8-sig").startswith("assignment,student_id")
    for arguments, name in (
        (["7"], f"{ASSIGNMENT}.csv"),
        (["7", "--per", "cell"], f"cells/{ASSIGNMENT}.csv"),
        (["7", "--per", "check"], f"checks/{ASSIGNMENT}.csv"),
        ([], "course/students.csv"),
        (["--per", "cell"], "course/cells.csv"),
    ):
        assert tito_in(released.root, "grades", *arguments).code == 0
        assert (released.gradebook_dir / "exports" / name).is_file()
    cells = json.loads(tito_in(released.root, "grades", "7", "--per", "cell", "--json").out)
    assert cells == []  # of nobody yet
    submit(released, "ada", b"")
    cells = json.loads(tito_in(released.root, "grades", "7", "--per", "cell", "--json").out)
    assert {(each["student_id"], each["points"], each["status"]) for each in cells} == {("ada", None, "ungraded")}
    (tmp_path / "mine.csv").write_text("what I wrote myself")
    refused = tito_in(released.root, "grades", "7", "--output", str(tmp_path / "mine.csv"))
    assert (refused.code, "is no table of grades" in refused.line) == (2, True)
    assert (tmp_path / "mine.csv").read_text() == "what I wrote myself"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["7", "--format", "canvas"], "Name it with --fill."),
        (["7", "--in-place"], "Name it with --fill."),
        (["7", "--key", "Login"], "Name it with --fill."),
        (["--fill", "x.csv", "--format", "canvas"], "--fill needs a MODULE and --format"),
        (["7", "--fill", "x.csv"], "--fill needs a MODULE and --format"),
        (["7", "--fill", "x.csv", "--format", "canvas", "--per", "cell"], "goes without --per"),
        (["7", "--fill", "x.csv", "--format", "canvas", "--in-place", "--output", "y"], "one place to write to"),
        (["7", "--fill", "x.csv", "--format", "canvas"], "x.csv cannot be read: No such file or directory."),
    ],
)
def test_options_of_grades_that_do_not_fit_are_one_line(
    arguments: list[str], part: str, tito_in: Tito, released: Course
) -> None:
    submit(released, "ada", b"")
    done = tito_in(released.root, "grades", *arguments)
    assert (done.code, done.out) == (2, "")
    assert part in done.line


def test_grades_can_be_asked_for_in_every_form_that_there_is() -> None:
    """The command names them itself, and imports what makes them only where it runs."""
    assert tuple(SYSTEMS) == tito.cli.grades.SYSTEM_NAMES
    assert tito.cli.grades.PER == PER


CANVAS = "Student,ID,SIS Login ID,Section,Doubling (7)\n    Points Possible,,,,10\n"


def test_a_file_of_an_lms_is_filled_and_reconciled(tito_in: Tito, released: Course, tmp_path: Path) -> None:
    with gradebook(released) as opened:
        for student in ("ada", "bob", "\x1b[31mcy"):
            opened.add_student(student, email="same@example.edu" if student != "ada" else None)
    file = tmp_path / "canvas.csv"
    file.write_text(f"{CANVAS}Ada,1,ada,S,\nBob,2,same@example.edu,S,\nHal \x1b[31m,3,hal,S,4\n")
    options = ("7", "--format", "canvas", "--fill", str(file))
    done = tito_in(released.root, "grades", *options)
    assert done.code == 1
    assert "1 rows of" in done.err
    for part in ("matched", "1 by SIS Login ID", "unknown", "could be", "missing", "Hal \\x1b[31m"):
        assert part in done.out
    assert "\x1b" not in done.out + done.err
    result = json.loads(tito_in(released.root, "grades", *options, "--json").out)
    assert (result["students"], result["matched"]) == (3, 1)
    assert hashlib.sha256(Path(result["written"]).read_bytes()).hexdigest() == result["sha256"]
    assert f"SHA-256 {result['sha256']}" in done.err


def test_a_policy_is_shown_previewed_and_applied(tito_in: Tito, released: Course) -> None:
    settings = released.root / "course.toml"
    before = settings.read_text()
    settings.write_text(f"{before}\n[deadlines]\n{ASSIGNMENT} = 2030-01-01T00:00:00Z\n")
    for _ in range(2):  # neither asks the exchange to be there, nor makes it
        assert "2030-01-01" in tito_in(released.root, "policy", "show").out
        assert f"deadlines.{ASSIGNMENT}: none" in tito_in(released.root, "policy", "preview").out
    assert not released.exchange_root.exists()
    assert "revision 1 of the policy stands" in tito_in(released.root, "policy", "apply").err
    assert "Nothing would change" in tito_in(released.root, "policy", "preview").err

    settings.write_text(
        f"{before}\n[deadlines]\n{ASSIGNMENT} = 2030-01-02T00:00:00Z\n"
        f"[extensions.{ASSIGNMENT}]\nada = 2030-01-03T01:00:00+01:00\n"
    )
    done = tito_in(released.root, "policy", "preview")
    assert done.out.splitlines()[:2] == [
        f"deadlines.{ASSIGNMENT}: 2030-01-01T00:00:00Z -> 2030-01-02T00:00:00Z",
        f"extensions.{ASSIGNMENT}.ada: none -> 2030-01-03T00:00:00Z",
    ]
    assert "would change 2 settings of the exchange, 1 due dates" in done.err
    preview = json.loads(tito_in(released.root, "policy", "preview", "--json").out)
    assert [change["setting"] for change in preview["exchange"]] == [
        f"deadlines.{ASSIGNMENT}",
        f"extensions.{ASSIGNMENT}.ada",
    ]
    shown = json.loads(tito_in(released.root, "policy", "show", "--json").out)
    assert shown["exchange"]["revision"] == 1
    assert shown["course"]["deadlines"] != shown["exchange"]["policy"]["deadlines"]
    assert shown["course"]["late"]["percent_per_day"] == released.policy.late.percent_per_day


def test_nbgraders_own_exchange_is_asked_for_no_policy(tito_in: Tito, released: Course) -> None:
    settings = released.root / "course.toml"
    settings.write_text(settings.read_text() + '\n[exchange]\nkind = "filesystem"\n')
    for command in ("preview", "apply"):
        done = tito_in(released.root, "policy", command)
        assert done.code == 0
        assert "revision" not in done.err
    shown = tito_in(released.root, "policy", "show")
    assert (shown.code, shown.err) == (0, "")
    assert "late.max_percent" in shown.out


def test_what_the_course_file_says_is_shown_though_the_exchange_is_away(
    tito_in: Tito, released: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    monkeypatch.setenv("TITO_EXCHANGE_URL", "http://127.0.0.1:9")
    shown = tito_in(released.root, "policy", "show")
    assert shown.code == 3
    assert "submission_mb" in shown.out
    assert "JUPYTERHUB_API_TOKEN is not set" in shown.line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "options", "written"), [("n\n", (), False), ("\n", (), True), ("", ("--yes",), True)]
)
def test_whoever_sits_at_a_terminal_is_asked_before_init_writes(
    answer: str, options: tuple[str, ...], written: bool, tito_in: Tito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = tito_in(tmp_path, "init", "ml101", *options)
    assert done.code == 0
    assert ("Write course.toml" in done.err) == (not options)
    assert (tmp_path / "ml101" / "course.toml").exists() == written
    assert ("Nothing was written" in done.err) != written


def test_doctor_says_what_is_missing_and_is_exit_1_then(
    tito_in: Tito, released: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checks = json.loads(tito_in(released.root, "doctor", "--json").out)
    assert {"python", "sandbox", "course", "gradebook", "exchange", "disk"} <= {check["name"] for check in checks}
    monkeypatch.setenv("PATH", str(tmp_path))
    done = tito_in(released.root, "doctor")
    assert done.code == 1
    line = next(line for line in done.out.splitlines() if " sandbox: " in line)
    assert line.startswith("MISSING")
    assert "'bwrap'" in line
    assert "apt-get install bubblewrap" in line


def test_the_installed_command_is_the_one_that_is_tested() -> None:
    assert os.access(_tito()[0], os.X_OK)


# ---- what students choose reaches no terminal as it is -------------------------------------------

OBEYED = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"  # a title, a cleared screen, red, and text turned around
NAME = f"mallory{OBEYED}[bold][link=https://example.edu]x[/link]"


def require_harmless(done: Done) -> None:
    """The name was shown, and with it nothing that a terminal obeys."""
    shown = done.out + done.err
    assert "mallory" in shown
    assert r"\x1b" in shown
    assert not set(OBEYED) & HOSTILE & set(shown)


@pytest.mark.parametrize(
    "arguments",
    [
        ["autograde", "7", "--student", NAME, "--sandbox", "none"],
        ["feedback", "7", "--student", NAME],
        ["status", NAME],
        [NAME],
        ["status", "7", f"--{NAME}"],
        ["--traceback", "status", NAME],
        ["--course", f"/{NAME}", "status", "7"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_name_in_an_error_is_written_out(arguments: list[str], tito_in: Tito, course: Course) -> None:
    done = tito_in(course.root, *arguments)
    assert done.code
    require_harmless(done)


def test_names_messages_and_notes_in_what_is_printed_are_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    cell = CellVerdict(NAME, Verdict.FAILED, 0.0, 1.0, message=NAME)
    notebook = NotebookVerdicts(NAME, (cell,), (NAME,), 0.0)
    record = SubmissionRecord(NAME, NAME, Fingerprint("", "", ""), "none", "", (notebook,), NAME)
    progress = progress_bar(NAME)
    progress.done, progress.live = 0, False
    for show in (
        lambda: progress._advance(record),
        lambda: print_verdicts((record,), {NAME: NAME}),
        lambda: print_table(NAME, [NAME], [[NAME]]),
        lambda: print_json({NAME: to_json(record)}),
    ):
        show()
        out, err = capsys.readouterr()
        assert "mallory" in out + err
        assert not HOSTILE & set(out + err)
    print_table("", ["name"], [[NAME]])
    assert "[bold]" in capsys.readouterr().out  # no markup of rich's, which could be a link


def test_commands_print_through_one_place() -> None:
    """Nothing in the commands prints but what `tito.cli.common` has written out."""
    folder = Path(tito.cli.__file__).parent
    files = [*folder.glob("*.py"), folder.parent / "doctor.py"]
    printing = re.compile(r"\b(print|echo|secho|print_exc|print_exception|stdout\.write|stderr\.write)\(")
    printers = {path.name for path in files if printing.search(path.read_text(encoding="utf-8"))}
    assert printers == {"common.py"}
