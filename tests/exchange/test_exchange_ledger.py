"""The exchange's rules: revisions, deadlines, extensions, cut-offs, receipts, and what is stored when."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from exchange_support import ASSIGNMENT, COURSE, FILES, manifest
from sqlalchemy import create_engine, inspect, text

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Policy, Submission, receipt_sha256
from tito.exchange.server import tables
from tito.exchange.server.audit import Sweep, audit, sweep
from tito.exchange.server.content import Bundle
from tito.exchange.server.database import Database, alembic_config
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.local import open_local
from tito.exchange.server.quotas import Quotas
from tito.exchange.server.store import DirectoryStore, FsspecStore, Incoming, open_store, read_checked

NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def database_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Database:
    """An empty database."""
    if kind == "sqlite":
        return Database(f"sqlite:///{folder / 'exchange.db'}")
    server = str(request.getfixturevalue("postgresql_url"))
    name = f"t{secrets.token_hex(8)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return Database(server.replace("/postgres?", f"/{name}?"))


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    database = database_of(request.param, request, tmp_path)
    database.migrate()
    course_ledger = Ledger(database, DirectoryStore(tmp_path / "exchange" / "blobs"), Quotas(submissions=5), clock)
    course_ledger.publish(COURSE, ASSIGNMENT, bundle(course_ledger), "teacher", replace=False)
    yield course_ledger
    course_ledger.close()


def bundle(ledger: Ledger, **more: bytes) -> Bundle:
    """Files received by a ledger's store: the usual ones, and more."""
    files = FILES | {f"{name}.txt": data for name, data in more.items()}
    received = Bundle(manifest(files))
    for entry in received.manifest.files:
        blob = ledger.store.incoming()
        blob.write(files[entry.path])
        blob.close()
        received.blobs.append(blob)
    return received


def hand_in(ledger: Ledger, student: str = "ada", key: str = "", **more: bytes) -> Submission:
    return ledger.submit(COURSE, ASSIGNMENT, student, bundle(ledger, **more), key or f"key-{len(more)}-{more}")[0]


# ---- releases ----------------------------------------------------------------------------------


def test_a_release_that_is_sent_again_is_the_same_one(ledger: Ledger) -> None:
    again, new = ledger.publish(COURSE, ASSIGNMENT, bundle(ledger), "teacher", replace=False)
    assert (again.revision, new) == (1, False)


def test_another_release_under_the_same_name_must_be_asked_for(ledger: Ledger) -> None:
    with pytest.raises(Refused) as caught:
        ledger.publish(COURSE, ASSIGNMENT, bundle(ledger, more=b"x"), "teacher", replace=False)
    assert caught.value.status == 409
    replacement, new = ledger.publish(COURSE, ASSIGNMENT, bundle(ledger, more=b"x"), "teacher", replace=True)
    assert (replacement.revision, new) == (2, True)
    assert [release.revision for release in ledger.releases(COURSE)] == [2]


def test_a_withdrawn_release_is_gone_from_the_list_and_nothing_else_is(ledger: Ledger) -> None:
    mine = hand_in(ledger)
    ledger.withdraw(COURSE, ASSIGNMENT, "teacher")
    assert ledger.releases(COURSE) == []
    with pytest.raises(Refused, match="no such assignment"):
        hand_in(ledger, more=b"late")
    assert ledger.submission(COURSE, mine.id) == mine
    release, _ = ledger.publish(COURSE, ASSIGNMENT, bundle(ledger), "teacher", replace=False)
    assert release.revision == 2


# ---- time --------------------------------------------------------------------------------------


def test_late_is_after_the_deadline_by_the_exchanges_clock(ledger: Ledger, clock: Clock) -> None:
    ledger.set_policy(COURSE, Policy(deadlines={ASSIGNMENT: NOON}), "teacher")
    on_time = hand_in(ledger)
    clock.now += timedelta(microseconds=1)
    late = hand_in(ledger, more=b"x")
    assert (on_time.late, late.late) == (False, True)
    assert on_time.due_at == NOON


def test_an_extension_is_one_students_and_counts_afterwards_too(ledger: Ledger, clock: Clock) -> None:
    ledger.set_policy(COURSE, Policy(deadlines={ASSIGNMENT: NOON - HOUR}), "teacher")
    assert hand_in(ledger).late
    assert hand_in(ledger, "bob").late
    extended = Policy(deadlines={ASSIGNMENT: NOON - HOUR}, extensions={ASSIGNMENT: {"ada": NOON + HOUR}})
    ledger.set_policy(COURSE, extended, "teacher")
    assert {submission.student: submission.late for submission in ledger.submissions(COURSE)} == {
        "ada": False,
        "bob": True,
    }


def test_after_the_cut_off_nothing_is_taken_but_by_extension(ledger: Ledger, clock: Clock) -> None:
    policy = Policy(cutoffs={ASSIGNMENT: NOON}, extensions={ASSIGNMENT: {"ada": NOON + HOUR}})
    ledger.set_policy(COURSE, policy, "teacher")
    clock.now = NOON + HOUR
    assert hand_in(ledger, "ada").due_at == NOON + HOUR
    with pytest.raises(Refused, match=r"closed at 2026-12-07 12:00:00 UTC") as caught:
        hand_in(ledger, "bob")
    assert caught.value.status == 403
    clock.now += timedelta(seconds=1)
    with pytest.raises(Refused):
        hand_in(ledger, "ada", more=b"x")


def test_one_that_was_announced_in_time_and_ended_after_the_cut_off_is_taken(ledger: Ledger, clock: Clock) -> None:
    ledger.set_policy(COURSE, Policy(cutoffs={ASSIGNMENT: NOON}), "teacher")
    received = bundle(ledger)
    received.announced_at, clock.now = clock.now, NOON + HOUR
    submission, _ = ledger.submit(COURSE, ASSIGNMENT, "ada", received, "key")
    assert submission.received_at == NOON


def test_a_clock_that_is_set_back_does_not_make_a_newer_submission_the_older(ledger: Ledger, clock: Clock) -> None:
    first = hand_in(ledger)
    clock.now -= 3 * HOUR
    second = hand_in(ledger, more=b"better")
    assert second.received_at > first.received_at
    assert [submission.id for submission in ledger.submissions(COURSE)] == [first.id, second.id]


def test_a_policy_is_kept_as_it_is_given_and_its_revisions_counted(ledger: Ledger) -> None:
    assert ledger.policy(COURSE).revision == 0
    policy = Policy({"a": NOON}, {"b": NOON}, {"a": {"ada": NOON + HOUR}}, submission_mb=7)
    assert ledger.set_policy(COURSE, policy, "teacher").policy == policy
    assert ledger.set_policy(COURSE, policy, "teacher").revision == 1
    assert ledger.set_policy(COURSE, Policy(), "teacher").revision == 2
    assert ledger.submission_limit(COURSE) == 20 << 20


def test_the_course_file_cannot_ask_for_more_than_the_service_allows(ledger: Ledger) -> None:
    ledger.set_policy(COURSE, Policy(submission_mb=100_000), "teacher")
    assert ledger.submission_limit(COURSE) == 200 << 20


# ---- once and whole ----------------------------------------------------------------------------


def test_what_is_sent_again_with_its_key_is_stored_once(ledger: Ledger, clock: Clock) -> None:
    first, new = ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(ledger), "key")
    clock.now += HOUR
    again, new_again = ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(ledger), "key")
    assert (new, new_again) == (True, False)
    assert again == first
    assert len(ledger.submissions(COURSE)) == 1


def test_the_same_bytes_handed_in_twice_have_two_receipts_each_for_its_time(ledger: Ledger, clock: Clock) -> None:
    first = hand_in(ledger, key="first")
    clock.now += HOUR
    second = hand_in(ledger, key="second")
    assert first.manifest_sha256 == second.manifest_sha256
    assert first.receipt_sha256 != second.receipt_sha256
    receipt = second.receipt()
    assert receipt_sha256(receipt) == receipt["receipt_sha256"] == second.receipt_sha256
    for name, other in (("received_at", first.receipt()["received_at"]), ("student", "bob"), ("submission", first.id)):
        assert receipt_sha256(receipt | {name: other}) != second.receipt_sha256
    assert ledger.submission(COURSE, second.id).receipt_sha256 == second.receipt_sha256


def test_what_is_sent_again_is_answered_though_the_cut_off_has_come(ledger: Ledger, clock: Clock) -> None:
    first, _ = ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(ledger), "key")
    ledger.set_policy(COURSE, Policy(cutoffs={ASSIGNMENT: NOON}), "teacher")
    clock.now += HOUR
    ledger.require_open(COURSE, ASSIGNMENT, "ada", clock.now, "key")
    assert ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(ledger), "key")[0].id == first.id
    with pytest.raises(Refused):
        ledger.require_open(COURSE, ASSIGNMENT, "ada", clock.now, "another-key")


def test_a_key_is_for_one_content_and_one_student(ledger: Ledger) -> None:
    hand_in(ledger, "ada", "key")
    with pytest.raises(Refused) as caught:
        hand_in(ledger, "ada", "key", other=b"x")
    assert caught.value.status == 409
    assert hand_in(ledger, "bob", "key").student == "bob"


def test_submissions_at_the_same_time_are_all_stored_each_with_a_time_of_its_own(ledger: Ledger) -> None:
    errors: list[Exception] = []

    def send(number: int) -> None:
        try:
            ledger.submit(COURSE, ASSIGNMENT, "ada", bundle(ledger), f"key-{number % 4}")
        except Refused as error:
            errors.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    submissions = ledger.submissions(COURSE)
    assert len(submissions) == len({submission.received_at for submission in submissions}) == 4


def test_there_is_an_end_to_submitting(ledger: Ledger) -> None:
    for number in range(5):
        hand_in(ledger, key=f"key-{number}")
    with pytest.raises(Refused, match="5 times"):
        hand_in(ledger, key="once more")


def test_an_upload_that_is_refused_at_the_end_leaves_no_row(ledger: Ledger) -> None:
    with pytest.raises(Refused):
        ledger.submit(COURSE, "never_released", "ada", bundle(ledger, more=b"x"), "key")
    with pytest.raises(Refused):
        ledger.submit("no_course", ASSIGNMENT, "ada", bundle(ledger), "key")
    report = audit(ledger)
    assert (report.submissions, report.unused_blobs, report.problems) == (0, 0, ())


def test_nothing_of_what_is_refused_is_kept(ledger: Ledger, clock: Clock) -> None:
    mine = hand_in(ledger, "ada", "key")
    ledger.set_policy(COURSE, Policy(cutoffs={ASSIGNMENT: NOON + HOUR}), "teacher")

    def refused(offer: Callable[[Bundle], object]) -> None:
        with pytest.raises(Refused):
            offer(bundle(ledger, never=secrets.token_bytes(8)))

    refused(lambda received: ledger.submit(COURSE, ASSIGNMENT, "ada", received, "key"))
    refused(lambda received: ledger.publish(COURSE, ASSIGNMENT, received, "teacher", replace=False))
    refused(lambda received: ledger.give_feedback("c102", mine.id, received, "foreign"))
    clock.now += 2 * HOUR
    refused(lambda received: ledger.submit(COURSE, ASSIGNMENT, "ada", received, "another key"))
    assert audit(ledger).unused_blobs == 0


def test_a_student_may_hand_in_so_many_bytes_and_the_same_ones_again(ledger: Ledger) -> None:
    ledger.quotas = replace(ledger.quotas, student_mb=2)
    half = bytes(1 << 20)
    hand_in(ledger, "ada", "first", data=half)
    with pytest.raises(Refused, match="2 MiB to c101"):
        hand_in(ledger, "ada", "second", data=half, more=b"x")
    hand_in(ledger, "ada", "again", data=half)
    hand_in(ledger, "bob", "first", data=half, more=b"x")
    with pytest.raises(Refused):
        ledger.require_open(COURSE, ASSIGNMENT, "ada", NOON, "third", bundle(ledger, data=half, more=b"y").manifest)
    assert audit(ledger).unused_blobs == 0


# ---- what nothing names ----------------------------------------------------------------------------


def abandoned(ledger: Ledger, content: bytes, when: datetime) -> str:
    """A blob that was stored, and whose service was killed then."""
    blob = ledger.store.incoming()
    blob.write(content)
    ledger.store.keep([blob])
    assert isinstance(ledger.store, DirectoryStore)
    os.utime(ledger.store.root / blob.sha256[:2] / blob.sha256, (when.timestamp(),) * 2)
    return blob.sha256


def test_a_sweep_takes_away_what_nothing_names_when_it_is_old_enough(ledger: Ledger, clock: Clock) -> None:
    hand_in(ledger)
    old = abandoned(ledger, b"left", NOON)
    assert sweep(ledger) == Sweep(0, 0)
    clock.now += 2 * HOUR
    assert sweep(ledger) == Sweep(1, 4)
    assert ledger.store.size(old) is None
    report = audit(ledger)
    assert (report.unused_blobs, report.problems) == (0, ())


def test_what_is_swept_while_it_is_handed_in_again_is_refused_or_kept_and_never_lost(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep comes just when an upload has found its content in the store."""
    abandoned(ledger, b"handed in", NOON - 2 * HOUR)
    keep = ledger.store.keep

    def keep_and_sweep(blobs: Iterable[Incoming]) -> list[str]:
        there = keep(blobs)
        sweep(ledger)
        return there

    monkeypatch.setattr(ledger.store, "keep", keep_and_sweep)
    with pytest.raises(Refused, match="swept") as caught:
        hand_in(ledger, data=b"handed in")
    assert caught.value.status == 503
    monkeypatch.undo()
    assert hand_in(ledger, data=b"handed in").student == "ada"
    assert audit(ledger).problems == ()


def test_sweeps_and_uploads_at_the_same_time_lose_nothing(ledger: Ledger, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    for number in range(8):
        abandoned(ledger, b"%d" % number, clock.now - 2 * HOUR)
    stop = threading.Event()

    def sweep_on() -> None:
        while not stop.is_set():
            sweep(ledger)

    def send(number: int) -> None:
        for again in range(20):
            try:
                hand_in(ledger, f"student-{number}", f"key-{number}", data=b"%d" % (number % 8))
                return
            except Refused as refusal:
                assert (refusal.status, again < 19) == (503, True)

    sweeper = threading.Thread(target=sweep_on)
    threads = [threading.Thread(target=send, args=(number,)) for number in range(24)]
    for thread in (sweeper, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    sweeper.join()
    report = audit(ledger)
    assert (report.submissions, report.problems) == (24, ())


def test_feedback_has_revisions_and_the_newest_counts(ledger: Ledger) -> None:
    mine = hand_in(ledger)
    first, _ = ledger.give_feedback(COURSE, mine.id, bundle(ledger, page=b"1"), "tutor")
    same, new = ledger.give_feedback(COURSE, mine.id, bundle(ledger, page=b"1"), "tutor")
    second, _ = ledger.give_feedback(COURSE, mine.id, bundle(ledger, page=b"2"), "tutor")
    assert (first, new, second.revision) == (same, False, 2)
    assert ledger.feedback(COURSE, mine.id) == second
    with pytest.raises(Refused):
        ledger.give_feedback("c102", mine.id, bundle(ledger), "foreign")


def test_the_audit_finds_what_is_missing_and_what_is_damaged(ledger: Ledger, tmp_path: Path) -> None:
    hand_in(ledger)
    assert audit(ledger).problems == ()
    first, second = sorted((tmp_path / "exchange" / "blobs").glob("??/*"))
    first.unlink()
    second.chmod(0o600)
    second.write_bytes(b"?" * second.stat().st_size)
    problems = audit(ledger).problems
    assert len(problems) == 2
    assert "missing" in "".join(problems)
    entry = ledger.releases(COURSE)[0].files
    with pytest.raises(Refused, match="missing or damaged"):
        [*ledger.content(entry[0]), *ledger.content(entry[1])]


# ---- stores and database -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["directory", "file", "memory"])
def test_every_store_keeps_a_blob_once_and_gives_it_back(kind: str, tmp_path: Path) -> None:
    where = {"directory": str(tmp_path / "s"), "file": f"file://{tmp_path}/s", "memory": f"memory://{tmp_path.name}/s"}
    store = open_store(where[kind])
    assert isinstance(store, DirectoryStore if kind == "directory" else FsspecStore)
    names = set()
    for data in (b"one", b"one", b"", b"x" * 1_000_000):
        blob = store.incoming()
        blob.write(data)
        assert store.size(blob.sha256) in (None, len(data))
        store.keep([blob])
        assert not blob.path.exists()
        assert b"".join(read_checked(store, blob.sha256)) == data
        names.add(blob.sha256)
    assert set(store.names()) == names
    with pytest.raises(Refused):
        list(read_checked(store, "0" * 64))
    store.close()


def test_only_its_owner_can_look_into_a_directory_store(tmp_path: Path) -> None:
    ledger = open_local(tmp_path / "exchange")
    blob = ledger.store.incoming()
    blob.write(b"x")
    ledger.store.keep([blob])
    ledger.close()
    folders = [tmp_path / "exchange", *(path for path in (tmp_path / "exchange").rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    stored = next((tmp_path / "exchange" / "blobs").glob("??/*"))
    assert stored.stat().st_mode & 0o777 == 0o400


def test_a_blob_cut_short_by_a_lost_disk_is_replaced_by_the_next_upload(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    for damaged in (False, True):
        blob = store.incoming()
        blob.write(b"whole")
        stored = tmp_path / blob.sha256[:2] / blob.sha256
        if damaged:
            stored.chmod(0o600)
            stored.write_bytes(b"wh")
        store.keep([blob])
        assert stored.read_bytes() == b"whole"


def test_what_a_killed_service_left_half_received_is_swept_away(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    blob = store.incoming()
    blob.write(b"half")
    blob.close()
    store.sweep()
    assert not blob.path.exists()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_newest_migration_makes_the_tables_that_the_code_uses(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [tables.HEAD]
    database = database_of(kind, request, tmp_path)
    database.migrate()
    with database.write() as connection:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        context = MigrationContext.configure(connection, opts={"version_table": tables.VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []
        command.downgrade(alembic_config(connection), "base")
        assert inspect(connection).get_table_names() == [tables.VERSION_TABLE]
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_several_processes_may_make_the_database_at_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = database_of(kind, request, tmp_path).engine.url.render_as_string(hide_password=False)
    databases = [Database(url) for _ in range(4)]
    threads = [threading.Thread(target=database.migrate) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        with database.read() as connection:
            assert connection.execute(text("select count(*) from submission")).scalar() == 0
        database.close()


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'made.db'}")
    with database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")
        }
    assert settings == {"synchronous": 2, "journal_mode": "wal"}
    database.close()


def test_a_database_that_cannot_be_had_is_told_without_its_address(tmp_path: Path) -> None:
    database = Database("postgresql://someone:secretword@127.0.0.1:9/none")
    with pytest.raises(Refused) as caught:
        database.migrate()
    assert caught.value.status == 503
    assert "secretword" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    database.close()
