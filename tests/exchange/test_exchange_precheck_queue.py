"""The queue of prechecks: whose turn it is, leases, limits, and that no submission hangs on it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from exchange_support import ASSIGNMENT, COURSE, FILES, released, service, token, uploads, wait_for
from nbgrader_forks import Commands
from precheck_support import PRECHECK_WORKER, hub_with_precheck_worker
from test_exchange_ledger import HOUR, Clock, bundle, database_of

from tito.exchange.client.plugin.prechecks import is_awaited, page, summary, write_prechecks
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import (
    Lease,
    Policy,
    Precheck,
    PrecheckClaim,
    PrecheckedTest,
    PrecheckPolicy,
    PrecheckResult,
    PrecheckState,
    Submission,
)
from tito.exchange.server import tables
from tito.exchange.server.database import Database, alembic_config
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.local import LocalGateway
from tito.exchange.server.prechecks import ATTEMPTS
from tito.exchange.server.routes import prechecks
from tito.exchange.server.store import DirectoryStore

WORKER = "service:precheck"
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """An exchange with two assignments, whose course gives three prechecks an hour."""
    database = database_of(request.param, request, tmp_path)
    database.migrate()
    course_ledger = Ledger(database, DirectoryStore(tmp_path / "blobs"), clock=clock, precheck=True)
    for assignment in (ASSIGNMENT, "ps2", "ps3"):
        course_ledger.publish(COURSE, assignment, bundle(course_ledger), "teacher", replace=False)
    course_ledger.set_policy(COURSE, Policy(precheck=PrecheckPolicy(per_hour=3)), "teacher")
    yield course_ledger
    course_ledger.close()


class Class:
    """Students who submit, each a second after the other."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self.clock = clock
        self.keys = iter(range(1000))

    def submits(self, student: str, assignment: str = ASSIGNMENT) -> Submission:
        self.clock.now += SECOND
        return self.ledger.submit(COURSE, assignment, student, bundle(self.ledger), f"key-{next(self.keys)}")[0]

    def claims(self) -> PrecheckClaim:
        self.clock.now += SECOND
        claim = self.ledger.claim_precheck(COURSE, WORKER)
        assert claim is not None
        return claim

    def answers(self, claim: PrecheckClaim, message: str = "") -> Precheck:
        result = PrecheckResult(
            claim.release.revision, "1", self.clock.now, [PrecheckedTest("p1", "t", "FAILED", message)]
        )
        return self.ledger.prechecks.keep(COURSE, claim.submission.id, claim.lease.key, result, WORKER)

    def state(self, submission: Submission) -> PrecheckState:
        return self.ledger.prechecks.of_submission(COURSE, submission.id).state


@pytest.fixture
def students(ledger: Ledger, clock: Clock) -> Class:
    return Class(ledger, clock)


def test_the_oldest_goes_first_and_a_student_s_next_behind_who_waited_meanwhile(students: Class) -> None:
    for assignment in (ASSIGNMENT, "ps2", "ps3"):
        students.submits("ada", assignment)
    students.submits("bob")
    students.submits("zoe")
    order = []
    for _ in range(5):
        claim = students.claims()
        order.append(claim.submission.student)
        students.answers(claim)
    assert order == ["ada", "bob", "zoe", "ada", "ada"]
    assert students.ledger.claim_precheck(COURSE, WORKER) is None


def test_nobody_has_two_prechecks_at_work(students: Class) -> None:
    for assignment in (ASSIGNMENT, "ps2", "ps3"):
        students.submits("ada", assignment)
    adas = students.claims()
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    students.submits("bob")
    assert students.claims().submission.student == "bob"
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    students.answers(adas)
    assert students.claims().submission.assignment == "ps2"


def test_replicas_that_look_at_the_same_time_take_on_one_check_of_a_student(students: Class) -> None:
    """Each has seen another job of the student's as the next one, and none at work."""
    jobs = []
    for assignment in ("ps2", "ps3", ASSIGNMENT):
        students.submits("ada", assignment)
        with students.ledger.database.read() as connection:
            newest = tables.precheck_job.select().order_by(tables.precheck_job.c.number.desc())
            jobs.append(connection.execute(newest).first())
    url = students.ledger.database.engine.url.render_as_string(hide_password=False)
    replicas = [Ledger(Database(url), students.ledger.store, clock=students.clock) for _ in jobs]
    start = threading.Barrier(len(jobs))

    def take(replica: Ledger, job: Any) -> bool:
        replica.policy(COURSE)  # is connected
        start.wait()
        return replica.prechecks.lease(job, WORKER, 20) is not None

    try:
        for _ in range(5):
            with ThreadPoolExecutor(len(jobs)) as pool:
                taken = list(pool.map(take, replicas, jobs))
            assert sum(taken) == 1
            with students.ledger.database.write() as connection:
                connection.execute(tables.precheck_job.update().values(leased_until=None))
    finally:
        for replica in replicas:
            replica.database.close()


def test_a_newer_submission_takes_the_place_of_one_that_has_not_begun(students: Class) -> None:
    first, second, other = students.submits("ada"), students.submits("ada"), students.submits("ada", "ps2")
    assert (students.state(first), students.state(second)) == (PrecheckState.REPLACED, PrecheckState.WAITING)
    begun = students.claims()
    assert begun.submission.id == second.id
    students.submits("ada")
    assert students.answers(begun).state is PrecheckState.DONE
    assert students.state(other) is PrecheckState.WAITING


def test_over_the_limit_a_check_waits_until_it_may_be_made_and_is_told_when(students: Class, tmp_path: Path) -> None:
    begun = students.clock.now + 2 * SECOND
    for _ in range(3):
        students.submits("ada")
        students.answers(students.claims())
    older, over = students.submits("ada"), students.submits("ada")
    assert students.state(older) is PrecheckState.REPLACED
    precheck = students.ledger.prechecks.of_submission(COURSE, over.id)
    assert precheck == Precheck(over.id, PrecheckState.WAITING, begun + HOUR)
    assert f"from {begun + HOUR:%Y-%m-%d %H:%M:%S} UTC" in summary(precheck)[0]
    write_prechecks(tmp_path / "prechecks.md", over, precheck)
    assert is_awaited(tmp_path / "prechecks.md")
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    for other in (students.submits("bob"), students.submits("ada", "ps2")):
        assert students.ledger.prechecks.of_submission(COURSE, other.id) == Precheck(other.id, PrecheckState.WAITING)
        students.answers(students.claims())
    students.clock.now = begun + HOUR - SECOND
    assert students.claims().submission.id == over.id  # a second later
    assert students.ledger.prechecks.of_submission(COURSE, over.id) == Precheck(over.id, PrecheckState.WAITING)


def test_prechecks_that_were_never_made_are_made_after_the_migration(ledger: Ledger, clock: Clock) -> None:
    """By what stood in the tables before: of each student and assignment the newest one."""
    students = Class(ledger, clock)
    submissions = [students.submits("ada"), students.submits("ada"), students.submits("bob")]
    with ledger.database.write() as connection:
        command.downgrade(alembic_config(connection), "0002")
        connection.execute(tables.precheck_job.update().values(state="limited", next_at=clock.now))
    ledger.database.migrate()
    assert [students.state(submission) for submission in submissions] == [
        PrecheckState.REPLACED,
        PrecheckState.WAITING,
        PrecheckState.WAITING,
    ]


def test_a_check_without_an_answer_is_given_to_another_and_answered_once(students: Class) -> None:
    students.submits("ada")
    first = students.claims()
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    students.clock.now = first.lease.until
    second = students.claims()
    assert second.submission == first.submission
    with pytest.raises(Refused) as caught:
        students.answers(first)
    assert caught.value.status == 409
    precheck = students.answers(second, "yes")
    assert students.answers(second, "no") == precheck  # sent again: what was kept stays
    assert precheck.result is not None
    assert [test.message for test in precheck.result.tests] == ["yes"]


def test_a_lease_that_is_renewed_stays_and_one_that_was_taken_over_cannot_be(students: Class) -> None:
    submission = students.submits("ada")
    first = students.claims()

    def renews(claim: PrecheckClaim) -> Lease:
        return students.ledger.renew_precheck(COURSE, submission.id, claim.lease.key, WORKER)

    students.clock.now = first.lease.until - SECOND
    renewed = renews(first)
    assert renewed.until == students.clock.now + timedelta(seconds=20)
    students.clock.now = renewed.until - SECOND
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    second = students.claims()
    with pytest.raises(Refused, match="not the one of a precheck at work"):
        renews(first)
    students.answers(second)
    with pytest.raises(Refused, match="not the one of a precheck at work"):
        renews(second)


def test_what_could_not_be_run_is_tried_again_and_told_at_last(students: Class) -> None:
    submission = students.submits("ada")
    for attempt in range(1, ATTEMPTS + 1):
        claim = students.claims()
        result = PrecheckResult(1, "1", students.clock.now, [], "No sandbox.")
        precheck = students.ledger.prechecks.keep(COURSE, submission.id, claim.lease.key, result, WORKER)
        assert precheck.state is (PrecheckState.DONE if attempt == ATTEMPTS else PrecheckState.WAITING)
        students.clock.now += 2 * SECOND
    assert students.ledger.prechecks.of_submission(COURSE, submission.id).result == result


def test_what_brings_down_every_worker_is_not_tried_for_ever(students: Class) -> None:
    submission = students.submits("ada")
    for _ in range(ATTEMPTS):
        students.clock.now = students.claims().lease.until
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    assert students.state(submission) is PrecheckState.FAILED


def test_what_was_withdrawn_or_switched_off_is_not_checked(students: Class) -> None:
    withdrawn, other = students.submits("ada"), students.submits("bob", "ps2")
    students.ledger.withdraw(COURSE, ASSIGNMENT, "teacher")
    assert students.claims().submission.id == other.id
    assert students.state(withdrawn) is PrecheckState.DROPPED
    late = students.submits("ada", "ps2")
    students.ledger.set_policy(COURSE, Policy(), "teacher")
    assert students.ledger.claim_precheck(COURSE, WORKER) is None
    assert students.state(late) is PrecheckState.DROPPED
    assert students.state(students.submits("zoe", "ps2")) is PrecheckState.OFF


def test_workers_at_the_same_time_take_on_each_check_once(students: Class) -> None:
    for number in range(12):
        students.submits(f"s{number}")

    def claim(_: int) -> str | None:
        claimed = students.ledger.claim_precheck(COURSE, WORKER)
        return claimed.submission.student if claimed else None

    with ThreadPoolExecutor(8) as pool:
        claimed = Counter(pool.map(claim, range(16)))
    assert claimed == Counter({f"s{number}": 1 for number in range(12)} | {None: 4})


def test_a_queue_that_fails_loses_no_submission(students: Class, caplog: pytest.LogCaptureFixture) -> None:
    with students.ledger.database.write() as connection:
        tables.precheck_result.drop(connection)
        tables.precheck_job.drop(connection)
    submission = students.submits("ada")
    assert [listed.id for listed in students.ledger.submissions(COURSE)] == [submission.id]
    assert "was not queued" in caplog.text


def test_without_a_service_in_front_nothing_is_queued(tmp_path: Path) -> None:
    gateway = LocalGateway(tmp_path / "exchange", "ada")
    gateway.ledger.publish(COURSE, ASSIGNMENT, bundle(gateway.ledger), "teacher", replace=False)
    gateway.set_policy(COURSE, Policy(precheck=PrecheckPolicy(per_hour=3)))
    submission = gateway.ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(gateway.ledger), "key")[0]
    assert gateway.precheck(submission).state is PrecheckState.OFF
    gateway.close()


def test_a_worker_that_waits_is_woken_when_something_is_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prechecks, "LOOK_S", 1000.0)  # it does not look by itself
    hub, services = hub_with_precheck_worker(COURSE)
    with service(tmp_path / "exchange", hub, services=services) as running, ThreadPoolExecutor(1) as worker:
        released(running)
        running.ledger.set_policy(COURSE, Policy(precheck=PrecheckPolicy(per_hour=3)), "teacher")
        asked = hub.asked
        waiting = worker.submit(running.client(PRECHECK_WORKER).claim_precheck, COURSE, 8.0)
        wait_for(lambda: hub.asked > asked)  # about who the worker is
        submission = running.client("ada").submit(COURSE, ASSIGNMENT, uploads())
        claim = waiting.result()
        assert claim is not None
        assert claim.submission.id == submission.id


# ---- the page that students read -----------------------------------------------------------------------


def test_what_student_code_says_does_not_get_out_of_its_block(students: Class) -> None:
    submission = students.submits("ada")
    evil = "```\n<script>alert(1)</script>\n# PASSED\n\x1b[2J````\u202e\r"
    precheck = students.answers(students.claims(), evil)
    text = page(submission, precheck)
    blocks = text.split("`````")
    assert len(blocks) == 3  # one fence, longer than any in the message
    assert "<script>" in blocks[1]
    assert "<script>" not in blocks[0] + blocks[2]
    assert not {"\x1b", "\u202e", "\r"} & set(text + "".join(summary(precheck)))
    assert "\n" not in "".join(summary(precheck))
    assert "t: FAILED (0.00 s)" in text
    assert "Hidden tests are not run here" in text


def test_a_page_waits_until_its_result_is_there(students: Class, tmp_path: Path) -> None:
    path = tmp_path / "receipts" / "prechecks.md"
    assert not is_awaited(path)
    submission = students.submits("ada")
    write_prechecks(path, submission, students.ledger.prechecks.of_submission(COURSE, submission.id))
    assert is_awaited(path)
    write_prechecks(path, submission, students.answers(students.claims()))
    assert not is_awaited(path)


def test_a_page_is_never_replaced_by_that_of_an_older_submission(students: Class, tmp_path: Path) -> None:
    path = tmp_path / "receipts" / "prechecks.md"
    older, newer = students.submits("ada"), students.submits("ada")
    for submission in (older, newer, older):
        write_prechecks(path, submission, students.ledger.prechecks.of_submission(COURSE, submission.id))
    assert newer.id in path.read_text()
    assert older.id not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_server_goes_on_at_once_and_the_verdict_comes_by_itself(tmp_path: Path, commands: Commands) -> None:
    """The Assignment List's own class, as a student's server runs it; the precheck is made after it has answered."""
    home, submitted = tmp_path / "ada", tmp_path / "submitted"
    (home / ASSIGNMENT).mkdir(parents=True)
    (home / ASSIGNMENT / "p1.ipynb").write_bytes(FILES["p1.ipynb"])
    (home / "nbgrader_config.py").write_text(
        "from tito.exchange.client.plugin import use_service\n"
        "c = get_config()\nuse_service(c)\nc.Submit.precheck_wait_s = 30\n"
    )
    code = (
        "import pathlib, time\n"
        "from nbgrader.server_extensions.assignment_list.handlers import AssignmentList\n"
        f"lister = AssignmentList()\nlister.root_dir = {str(home)!r}\n"
        f"assert lister.submit_assignment({COURSE!r}, {ASSIGNMENT!r}) == {{'success': True}}\n"
        f"pathlib.Path({str(submitted)!r}).touch()\n"
        f"page = pathlib.Path({str(home / ASSIGNMENT / 'receipts' / 'prechecks.md')!r})\n"
        "until = time.monotonic() + 60\n"
        "while not (page.exists() and 'all is well' in page.read_text()):\n"
        "    assert time.monotonic() < until, 'no verdict came'\n"
        "    time.sleep(0.05)\n"
    )
    with service(tmp_path / "exchange") as running, ThreadPoolExecutor(1) as server:
        released(running)
        running.ledger.set_policy(COURSE, Policy(precheck=PrecheckPolicy(per_hour=3)), "teacher")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "JUPYTERHUB_API_TOKEN": token("ada"),
            "TITO_EXCHANGE_URL": running.url,
        }
        ran = server.submit(commands, home, environment, code=code)
        wait_for(lambda: submitted.exists() or ran.done(), 25)
        claim = running.ledger.claim_precheck(COURSE, WORKER)
        assert claim is not None, ran.result().output
        Class(running.ledger, Clock()).answers(claim, "all is well")
        assert ran.result().code == 0, ran.result().output
