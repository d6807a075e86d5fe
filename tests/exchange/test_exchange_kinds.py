"""The exchange without a hub, nbgrader's filesystem exchange as an opt-in, and what a student's server needs."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import command_line
from gradebook_points import FULL, points
from tiny import ASSIGNMENT, solved

from tito.bridge.exchange_actions import exchange, hand_to_exchange, require_exchange
from tito.bridge.policy_actions import apply_policy
from tito.cli.demo import _with_an_exchange_of_its_own
from tito.course.course import Assignment, Course, load_course
from tito.course.nbgrader_settings import settings
from tito.doctor import examine
from tito.errors import BadSource, ExchangeUnavailable
from tito.exchange.protocol.policy import policy_in
from tito.exchange.server.audit import audit
from tito.exchange.server.local import open_local
from tito.gradebook.grades import grades
from tito.gradebook.store import gradebook

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ME = pwd.getpwuid(os.getuid()).pw_name


def with_settings(course: Course, text: str) -> Course:
    path = course.root / "course.toml"
    path.write_text(f"{path.read_text()}\n{text}\n")
    return load_course(course.root)


def submit(course: Course, module: Assignment, student: str, **cells: str) -> Path:
    """Fetch, solve and submit as a simulated student; return their folder."""
    import nbformat

    home = course.root / "homes" / student
    home.mkdir(parents=True, exist_ok=True)
    traits = {"assignment_dir": str(home)} | (
        {"cache": str(home / ".cache")} if course.exchange_kind == "filesystem" else {}
    )
    if not (home / ASSIGNMENT).is_dir():
        exchange(course, module, "FetchAssignment", **traits)
    nbformat.write(solved(course, **cells), home / ASSIGNMENT / "doubling.ipynb")
    exchange(course, module, "Submit", student=student, **traits)
    return home / ASSIGNMENT


def collected(course: Course, student: str) -> Path:
    return course.step("submitted", student, ASSIGNMENT)


# ---- without a hub -----------------------------------------------------------------------------


def test_without_a_hub_the_store_is_opened_directly_in_a_folder_of_ones_own(
    released: Course, module: Assignment
) -> None:
    assert released.exchange_kind == "service"
    require_exchange(released)
    hand_to_exchange(released, module)
    homes = {student: submit(released, module, student) for student in ("ada", "bob")}
    exchange(released, module, "Collect", update=True)
    for student, home in homes.items():
        assert (collected(released, student) / "doubling.ipynb").read_bytes() == (home / "doubling.ipynb").read_bytes()
        assert (collected(released, student) / "receipt.json").is_file()
    assert released.exchange_root.stat().st_mode & 0o777 == 0o700
    ledger = open_local(released.exchange_root)
    report = audit(ledger)
    ledger.close()
    assert (report.releases, report.submissions, report.problems) == (1, 2, ())


def test_a_submission_that_is_damaged_in_the_store_is_not_collected_and_others_are(
    released: Course, module: Assignment
) -> None:
    require_exchange(released)
    hand_to_exchange(released, module)
    submit(released, module, "ada")
    submit(released, module, "bob", halve="def halve(value):\n    return value * 0.5")
    exchange(released, module, "Collect", update=True)
    before = (collected(released, "ada") / "doubling.ipynb").read_bytes()
    submit(released, module, "ada", essay="Another answer, which will be damaged.")
    newest = max(released.exchange_root.glob("blobs/??/*"), key=lambda path: path.stat().st_mtime_ns)
    newest.chmod(0o600)
    newest.write_bytes(b"x" * newest.stat().st_size)
    submit(released, module, "cy", essay="A third answer.")
    with pytest.raises(ExchangeUnavailable, match="Not collected: ada"):
        exchange(released, module, "Collect", update=True)
    assert (collected(released, "ada") / "doubling.ipynb").read_bytes() == before
    assert collected(released, "cy").is_dir()
    assert not list(released.step("submitted").glob(".*"))


def test_another_users_folder_is_not_opened(released: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr("os.getuid", lambda: 12345)
    with pytest.raises(ExchangeUnavailable, match="belongs to another user"):
        open_local(tmp_path / "theirs")


def test_a_deadline_an_extension_and_a_cut_off_of_the_course_file_reach_the_exchange(
    released: Course, module: Assignment
) -> None:
    when = "2030-01-01T00:00:00Z"
    line = f"{ASSIGNMENT} = {when}"
    course = with_settings(released, f"[deadlines]\n{line}\n[cutoffs]\n{line}\n[extensions.{ASSIGNMENT}]\nada = {when}")
    require_exchange(course)
    hand_to_exchange(course, module)
    ledger = open_local(course.exchange_root)
    state = ledger.policy("tiny")
    ledger.close()
    assert state.revision == 1
    assert state.policy == policy_in(course.root, "tiny")
    assert state.policy.due(ASSIGNMENT, "ada") == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due_in", "nbgraders_in", "lost"), [(+DAY, -DAY, 0), (-HOUR, +DAY, 1)], ids=["in time", "late"]
)
def test_exchange_grades_and_gradebook_say_the_same_whatever_nbgraders_due_date_was(
    due_in: timedelta, nbgraders_in: timedelta, lost: float, released: Course, module: Assignment
) -> None:
    now = datetime.now(UTC)
    course = with_settings(released, f"[deadlines]\n{ASSIGNMENT} = {(now + due_in).isoformat()}")
    require_exchange(course)
    hand_to_exchange(course, module)
    with gradebook(course) as opened:
        opened.find_assignment(ASSIGNMENT).duedate = (now + nbgraders_in).replace(tzinfo=None)
    submit(course, module, "ada")
    ledger = open_local(course.exchange_root)
    (submission,) = ledger.submissions("tiny")
    ledger.close()
    points(course, "ada", FULL, timestamp=submission.received_at.replace(tzinfo=None))
    assert submission.late == bool(lost)
    (row,) = grades(course, module)
    assert (row.late_penalty, row.score) == (lost, 10 - lost)
    apply_policy(course)
    with gradebook(course) as opened:
        assert opened.find_submission(ASSIGNMENT, "ada").late_submission_penalty == lost


def test_collecting_says_how_many_were_replaced(
    released: Course, module: Assignment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tito_in = command_line(monkeypatch, capsys)
    require_exchange(released)
    hand_to_exchange(released, module)
    for student in ("ada", "bob"):
        submit(released, module, student)
    assert "2 submissions, 2 of them new, 0 replaced" in tito_in(released.root, "collect", "7").err
    submit(released, module, "ada")  # the same again, later
    submit(released, module, "cy")
    assert "3 submissions, 1 of them new, 1 replaced" in tito_in(released.root, "collect", "7").err
    assert "0 of them new, 0 replaced" in tito_in(released.root, "collect", "7").err


def test_the_exchange_is_looked_through_and_told_the_course_file_on_the_command_line(
    released: Course, module: Assignment
) -> None:
    def tito(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("tito"), "--course", released.root, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    require_exchange(released)
    hand_to_exchange(released, module)
    submit(released, module, "ada")
    assert "1 releases, 1 submissions" in tito("exchange", "audit").stderr
    assert "revision 1 of the policy" in tito("policy", "apply").stderr
    next(released.exchange_root.glob("blobs/??/*")).unlink()
    damaged = tito("exchange", "audit", "--json")
    assert damaged.returncode == 1
    assert len(json.loads(damaged.stdout)["problems"]) == 1


def test_a_receipt_that_cannot_be_kept_does_not_make_the_submission_fail(released: Course, module: Assignment) -> None:
    require_exchange(released)
    hand_to_exchange(released, module)
    home = submit(released, module, "ada")
    shutil.rmtree(home / "receipts")
    (home / "receipts").write_text("in the way")
    submit(released, module, "ada", essay="Again.")
    ledger = open_local(released.exchange_root)
    assert len(ledger.submissions("tiny")) == 2
    ledger.close()


# ---- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '[exchange]\nkind = "carrier pigeon"',
            "'exchange.kind' must be 'service', 'filesystem' or 'nbgrader', not 'carrier pigeon'",
        ),
        ("[exchange]\nkind = 3", "exchange.kind"),
        ('[exchange]\nurll = "x"', "Did you mean 'url'"),
        ("[cutoffs]\nx = 3", "'cutoffs.x' must be a date"),
        ("[extensions]\nx = 3", "extensions.x"),
        ("[extensions.x]\nada = 3", "'extensions.x.ada' must be a date"),
    ],
)
def test_settings_that_cannot_be_are_refused(course: Course, text: str, reason: str) -> None:
    with pytest.raises(BadSource) as caught:
        with_settings(course, text)
    assert reason in str(caught.value)


def test_the_address_is_the_course_files_else_the_environments_unless_it_is_to_be_local(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TITO_EXCHANGE_URL", "http://hub/services/exchange")
    assert load_course(course.root).exchange_url == "http://hub/services/exchange"
    local = with_settings(course, '[exchange]\nurl = "local"')
    assert (local.exchange_url, settings(local).ServiceExchange.url) == ("", "")
    path = course.root / "course.toml"
    path.write_text(path.read_text().replace('"local"', '"http://other"'))
    assert settings(load_course(course.root)).ServiceExchange.url == "http://other"


def test_a_demo_has_an_exchange_of_its_own_wherever_the_course_has_its() -> None:
    for text in (
        'id = "x"\n',
        'id = "x"\n[exchange]\nurl = "http://hub"\nroot = "x"\n',
        'id = "x"\n[exchange]\nroot = "x"\n',
    ):
        settings = tomllib.loads(_with_an_exchange_of_its_own(text))
        assert settings["exchange"]["url"] == "local"


def test_doctor_asks_the_service_and_says_when_it_is_away(course: Course) -> None:
    with_settings(course, '[exchange]\nurl = "http://127.0.0.1:9"')
    [finding] = [check for check in examine(course.root) if check.name == "exchange"]
    assert not finding.ok
    assert "http://127.0.0.1:9" in finding.detail


# ---- nbgrader's filesystem exchange ------------------------------------------------------------


@pytest.fixture
def lab(released: Course, module: Assignment) -> Course:
    """The course with nbgrader's own exchange, and its module released there."""
    course = with_settings(released, '[exchange]\nkind = "filesystem"')
    require_exchange(course)
    hand_to_exchange(course, module)
    return course


def test_the_filesystem_exchange_is_an_opt_in_that_works(lab: Course, module: Assignment) -> None:
    assert lab.exchange_root.stat().st_mode & 0o777 == 0o777
    submit(lab, module, ME)
    done = exchange(lab, module, "Collect", update=True)
    assert done.refused == []
    assert (collected(lab, ME) / "doubling.ipynb").is_file()


def test_a_submission_under_anothers_name_is_not_collected_though_it_is_the_newest(
    lab: Course, module: Assignment
) -> None:
    """nbgrader warns, and replaces the true one."""
    submit(lab, module, ME)
    exchange(lab, module, "Collect", update=True)
    submit(lab, module, "victim")  # made by me, in the victim's name
    done = exchange(lab, module, "Collect", update=True)
    assert [name.split("+")[0] for name in done.refused] == ["victim"]
    assert not collected(lab, "victim").exists()
    assert collected(lab, ME).is_dir()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make files of another user, to stand for a student's own")
def test_a_forged_one_does_not_replace_the_true_one(lab: Course, module: Assignment) -> None:
    home = submit(lab, module, "nobody", essay="My own words.")
    inbound = lab.exchange_root / "tiny" / "inbound"
    [true] = inbound.glob("nobody+*")
    nobody = pwd.getpwnam("nobody").pw_uid
    for path in (true, *true.rglob("*")):
        os.chown(path, nobody, -1)
    exchange(lab, module, "Collect", update=True)
    mine = (collected(lab, "nobody") / "doubling.ipynb").read_bytes()
    assert mine == (home / "doubling.ipynb").read_bytes()
    submit(lab, module, "nobody", essay="Words of somebody else.")
    done = exchange(lab, module, "Collect", update=True)
    assert len(done.refused) == 1
    assert (collected(lab, "nobody") / "doubling.ipynb").read_bytes() == mine
    for planted in ("p.py",):  # a file of somebody else in the true one
        (true / planted).write_text("planted")
    done = exchange(lab, module, "Collect", update=True)
    assert len(done.refused) == 2


# ---- files beside the notebook ---------------------------------------------------------------------

BESIDE = {"helper.py": b"x = 1\n", "figures/plot.png": b"\x89PNG", "results.csv": b"1,2\n"}


def hand_in_with_files(course: Course, module: Assignment) -> None:
    folder = submit(course, module, ME)
    for path, content in BESIDE.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    submit(course, module, ME)
    exchange(course, module, "Collect", update=True)


def test_files_beside_the_notebook_come_to_the_course_with_it(released: Course, module: Assignment) -> None:
    hand_to_exchange(released, module)
    hand_in_with_files(released, module)
    folder = collected(released, ME)
    assert {path: (folder / path).read_bytes() for path in BESIDE} == BESIDE
    assert (folder / "doubling.ipynb").is_file()


def test_the_filesystem_exchange_brings_them_too(lab: Course, module: Assignment) -> None:
    hand_in_with_files(lab, module)
    assert {path: (collected(lab, ME) / path).read_bytes() for path in BESIDE} == BESIDE


# ---- a student's server ------------------------------------------------------------------------


def test_a_students_server_needs_nothing_of_the_grader() -> None:
    """It could be installed without the parts that are closed off here: no grading, no tests, no service."""
    program = """
import sys
closed = ("tito.grade", "tito.author", "tito.sandbox", "tito.gradebook", "tito.cli", "fastapi", "uvicorn", "fsspec",
          "jupyterhub", "tito.exchange.server.ledger", "tito.exchange.server.tables", "tito.exchange.server.service")
class Closed:
    def find_spec(self, name, path=None, target=None):
        if name in closed or name.startswith(tuple(f"{module}." for module in closed)):
            raise ImportError(f"{name} is not in a student's server")
sys.meta_path.insert(0, Closed())
from traitlets.config import Config
from tito.exchange.client.plugin import use_service
config = Config()
use_service(config, url="http://127.0.0.1:9")
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
factory = ExchangeFactory(config=config)
config.CourseDirectory.course_id = "tiny"
config.CourseDirectory.assignment_id = "x"
for name in ("FetchAssignment", "Submit", "FetchFeedback", "List", "Collect", "ReleaseAssignment", "ReleaseFeedback"):
    exchange_class = getattr(factory, name)
    exchange = exchange_class(coursedir=CourseDirectory(config=config), authenticator=Authenticator(config=config))
    assert type(exchange).__module__.startswith("tito.exchange.client.plugin."), exchange
try:
    exchange = factory.List(coursedir=CourseDirectory(config=config), authenticator=Authenticator(config=config))
    exchange.start()
except ExchangeError as error:
    assert "does not answer" in str(error)
else:
    raise AssertionError
"""
    environment = os.environ | {"JUPYTERHUB_API_TOKEN": "none-in-particular"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "none-in-particular" not in done.stderr
