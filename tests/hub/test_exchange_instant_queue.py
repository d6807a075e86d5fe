"""The queue of instant checks: whose turn it is, leases, limits, and that no submission hangs on it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from exchange_support import ASSIGNMENT, COURSE, FILES, released, service, token, wait_for
from nbgrader_forks import Commands
from test_exchange_ledger import HOUR, Clock, bundle, database_of

from tito.exchange import tables
from tito.exchange.checks import ATTEMPTS
from tito.exchange.ledger import Ledger
from tito.exchange.local import LocalGateway
from tito.exchange.plugin.checks import is_awaited, page, summary, write_checks
from tito.exchange.problems import Refused
from tito.exchange.records import Check, CheckedTest, CheckResult, CheckState, Claim, Instant, Policy, Submission
from tito.exchange.store import DirectoryStore

pytestmark = pytest.mark.hub
WORKER = "service:instant"
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """An exchange with two assignments, whose course gives three checks an hour."""
    database = database_of(request.param, request, tmp_path)
    database.migrate()
    made = Ledger(database, DirectoryStore(tmp_path / "blobs"), clock=clock, instant=True)
    for assignment in (ASSIGNMENT, "ps2", "ps3"):
        made.publish(COURSE, assignment, bundle(made), "teacher", replace=False)
    made.set_policy(COURSE, Policy(instant=Instant(per_hour=3)), "teacher")
    yield made
    made.close()


class Class:
    """Students who submit, each a second after the other."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.clock = clock
        self.keys = iter(range(1000))

    def submits(self, student: str, assignment: str = ASSIGNMENT) -> Submission:
        self.clock.now += SECOND
        return self.ledger.submit(COURSE, assignment, student, bundle(self.ledger), f"key-{next(self.keys)}")[0]

    def claims(self) -> Claim:
        self.clock.now += SECOND
        found = self.ledger.claim_check(COURSE, WORKER)
        assert found is not None
        return found

    def answers(self, claim: Claim, message: str = "") -> Check:
        result = CheckResult(claim.release.revision, "1", self.clock.now, [CheckedTest("p1", "t", "FAILED", message)])
        return self.ledger.checks.keep(COURSE, claim.submission.id, claim.lease, result, WORKER)

    def state(self, one: Submission) -> CheckState:
        return self.ledger.checks.check(COURSE, one.id).state


@pytest.fixture
def students(ledger: Ledger, clock: Clock) -> Class:
    return Class(ledger, clock)


def test_the_oldest_goes_first_and_a_student_s_next_behind_who_waited_meanwhile(students: Class) -> None:
    for assignment in (ASSIGNMENT, "ps2", "ps3"):
        students.submits("ada", assignment)
    students.submits("bob")
    students.submits("zoe")
    order = [students.claims().submission for _ in range(5)]
    assert [one.student for one in order] == ["ada", "bob", "zoe", "ada", "ada"]
    assert students.ledger.claim_check(COURSE, WORKER) is None


def test_a_newer_submission_takes_the_place_of_one_that_has_not_begun(students: Class) -> None:
    first, second, other = students.submits("ada"), students.submits("ada"), students.submits("ada", "ps2")
    assert (students.state(first), students.state(second)) == (CheckState.REPLACED, CheckState.WAITING)
    begun = students.claims()
    assert begun.submission.id == second.id
    students.submits("ada")
    assert students.answers(begun).state is CheckState.DONE
    assert students.state(other) is CheckState.WAITING


def test_over_the_limit_a_submission_is_taken_and_told_when_the_next_check_is_possible(students: Class) -> None:
    begun = students.clock.now + SECOND
    for _ in range(3):
        students.submits("ada")
        students.answers(students.claims())
    over = students.submits("ada")
    check = students.ledger.checks.check(COURSE, over.id)
    assert check == Check(over.id, CheckState.LIMITED, begun + HOUR)
    assert f"from {begun + HOUR:%Y-%m-%d %H:%M:%S} UTC" in summary(check)[0]
    assert students.state(students.submits("bob")) is CheckState.WAITING
    assert students.state(students.submits("ada", "ps2")) is CheckState.WAITING
    students.clock.now = begun + HOUR - SECOND  # a submission comes a second later
    assert students.state(students.submits("ada")) is CheckState.WAITING


def test_a_check_without_an_answer_is_given_to_another_and_answered_once(students: Class) -> None:
    students.submits("ada")
    first = students.claims()
    assert students.ledger.claim_check(COURSE, WORKER) is None
    students.clock.now = first.leased_until
    second = students.claims()
    assert second.submission == first.submission
    with pytest.raises(Refused) as caught:
        students.answers(first)
    assert caught.value.status == 409
    kept = students.answers(second, "yes")
    assert students.answers(second, "no") == kept  # sent again: what was kept stays
    assert kept.result is not None
    assert [one.message for one in kept.result.tests] == ["yes"]


def test_what_brings_down_every_worker_is_not_tried_for_ever(students: Class) -> None:
    one = students.submits("ada")
    for _ in range(ATTEMPTS):
        students.clock.now = students.claims().leased_until
    assert students.ledger.claim_check(COURSE, WORKER) is None
    assert students.state(one) is CheckState.FAILED


def test_what_was_withdrawn_or_switched_off_is_not_checked(students: Class) -> None:
    one, other = students.submits("ada"), students.submits("bob", "ps2")
    students.ledger.withdraw(COURSE, ASSIGNMENT, "teacher")
    assert students.claims().submission.id == other.id
    assert students.state(one) is CheckState.DROPPED
    late = students.submits("ada", "ps2")
    students.ledger.set_policy(COURSE, Policy(), "teacher")
    assert students.ledger.claim_check(COURSE, WORKER) is None
    assert students.state(late) is CheckState.DROPPED
    assert students.state(students.submits("zoe", "ps2")) is CheckState.OFF


def test_workers_at_the_same_time_take_on_each_check_once(students: Class) -> None:
    for number in range(12):
        students.submits(f"s{number}")

    def claim(_: int) -> str | None:
        found = students.ledger.claim_check(COURSE, WORKER)
        return found.submission.student if found else None

    with ThreadPoolExecutor(8) as pool:
        claimed = Counter(pool.map(claim, range(16)))
    assert claimed == Counter({f"s{number}": 1 for number in range(12)} | {None: 4})


def test_a_queue_that_fails_loses_no_submission(students: Class, caplog: pytest.LogCaptureFixture) -> None:
    with students.ledger.database.write() as connection:
        tables.check_result.drop(connection)
        tables.check_job.drop(connection)
    made = students.submits("ada")
    assert [one.id for one in students.ledger.submissions(COURSE)] == [made.id]
    assert "was not queued" in caplog.text


def test_without_a_service_in_front_nothing_is_queued(tmp_path: Path) -> None:
    gateway = LocalGateway(tmp_path / "exchange", "ada")
    gateway.ledger.publish(COURSE, ASSIGNMENT, bundle(gateway.ledger), "teacher", replace=False)
    gateway.set_policy(COURSE, Policy(instant=Instant(per_hour=3)))
    made = gateway.ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(gateway.ledger), "key")[0]
    assert gateway.check(made).state is CheckState.OFF
    gateway.close()


# ---- the page that students read -----------------------------------------------------------------------


def test_what_student_code_says_does_not_get_out_of_its_block(students: Class) -> None:
    made = students.submits("ada")
    evil = "```\n<script>alert(1)</script>\n# PASSED\n\x1b[2J````\u202e\r"
    check = students.answers(students.claims(), evil)
    text = page(made, check)
    blocks = text.split("`````")
    assert len(blocks) == 3  # one fence, longer than any in the message
    assert "<script>" in blocks[1]
    assert "<script>" not in blocks[0] + blocks[2]
    assert not {"\x1b", "\u202e", "\r"} & set(text + "".join(summary(check)))
    assert "\n" not in "".join(summary(check))
    assert "t: FAILED (0.00 s)" in text
    assert "Hidden tests are not run here" in text


def test_a_page_waits_until_its_result_is_there(students: Class, tmp_path: Path) -> None:
    path = tmp_path / "receipts" / "checks.md"
    assert not is_awaited(path)
    made = students.submits("ada")
    write_checks(path, made, students.ledger.checks.check(COURSE, made.id))
    assert is_awaited(path)
    write_checks(path, made, students.answers(students.claims()))
    assert not is_awaited(path)


def test_a_page_is_never_replaced_by_that_of_an_older_submission(students: Class, tmp_path: Path) -> None:
    path = tmp_path / "receipts" / "checks.md"
    older, newer = students.submits("ada"), students.submits("ada")
    for made in (older, newer, older):
        write_checks(path, made, students.ledger.checks.check(COURSE, made.id))
    assert newer.id in path.read_text()
    assert older.id not in path.read_text()
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_server_goes_on_at_once_and_the_verdict_comes_by_itself(tmp_path: Path, commands: Commands) -> None:
    """The Assignment List's own class, as a student's server runs it; the check is made after it has answered."""
    home, submitted = tmp_path / "ada", tmp_path / "submitted"
    (home / ASSIGNMENT).mkdir(parents=True)
    (home / ASSIGNMENT / "p1.ipynb").write_bytes(FILES["p1.ipynb"])
    (home / "nbgrader_config.py").write_text(
        "from tito.exchange.plugin import use_service\nc = get_config()\nuse_service(c)\nc.Submit.check_wait_s = 30\n"
    )
    code = (
        "import pathlib, time\n"
        "from nbgrader.server_extensions.assignment_list.handlers import AssignmentList\n"
        f"lister = AssignmentList()\nlister.root_dir = {str(home)!r}\n"
        f"assert lister.submit_assignment({COURSE!r}, {ASSIGNMENT!r}) == {{'success': True}}\n"
        f"pathlib.Path({str(submitted)!r}).touch()\n"
        f"page = pathlib.Path({str(home / ASSIGNMENT / 'receipts' / 'checks.md')!r})\n"
        "until = time.monotonic() + 60\n"
        "while not (page.exists() and 'all is well' in page.read_text()):\n"
        "    assert time.monotonic() < until, 'no verdict came'\n"
        "    time.sleep(0.05)\n"
    )
    with service(tmp_path / "exchange") as running, ThreadPoolExecutor(1) as server:
        released(running)
        running.ledger.set_policy(COURSE, Policy(instant=Instant(per_hour=3)), "teacher")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "JUPYTERHUB_API_TOKEN": token("ada"),
            "TITO_EXCHANGE_URL": running.url,
        }
        ran = server.submit(commands, home, environment, code=code)
        wait_for(lambda: submitted.exists() or ran.done(), 25)
        claim = running.ledger.claim_check(COURSE, WORKER)
        assert claim is not None, ran.result().said
        Class(running.ledger, Clock()).answers(claim, "all is well")
        assert ran.result().code == 0, ran.result().said
