"""The service with its blobs in an object store, and two of it that share a database and a store, as on a cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from exchange_process import Cohort, ServiceProcess, release
from exchange_support import ASSIGNMENT, COURSE, FILES, FakeHub, form, manifest, token, uploads, wait_for
from object_store import SECRET, ObjectStore, object_store

from tito.errors import UsageError
from tito.exchange.client.client import Client
from tito.exchange.server.audit import audit
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.service import load_settings, open_ledger
from tito.exchange.server.store import open_store

SUBMIT = f"/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        yield running


@pytest.fixture
def exchange(hub_url: str, store: ObjectStore, tmp_path: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path / "exchange", hub_url, environment=store.environment) as running:
        running.start()
        release(running.url)
        yield running


def as_user(user: str) -> dict[str, str]:
    return {"Authorization": f"token {token(user)}"}


def post(url: str, user: str, files: dict[str, bytes], key: str = "") -> httpx.Response:
    headers = as_user(user) | ({"Idempotency-Key": key} if key else {})
    return httpx.post(f"{url}{SUBMIT}", headers=headers, files=form(files), timeout=60)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def ledger_of(running: ServiceProcess) -> Iterator[Ledger]:
    """What the services left behind, looked at with their settings and without them."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in running.environment.items():
            patched.setenv(name, value)
        settings = load_settings({"TITO_EXCHANGE_ROOT": str(running.root)} | running.environment)
        ledger = open_ledger(settings, sweep=False)
        try:
            yield ledger
        finally:
            ledger.close()


def test_a_course_goes_its_way_through_an_object_store(
    exchange: ServiceProcess, hub: FakeHub, store: ObjectStore, tmp_path: Path
) -> None:
    """Released, fetched, handed in by twenty at once, collected, returned, read: byte for byte."""
    ada, tutor = Client(exchange.url, token("ada")), Client(exchange.url, token("tutor"))
    cohort = Cohort(hub, 20)
    try:
        for folder in ("release", "feedback", *cohort.students):
            (tmp_path / folder).mkdir()
        ada.take_release(ada.releases(COURSE)[0], tmp_path / "release")
        assert contents(tmp_path / "release") == FILES
        cohort.submit(exchange.url, retry=True, threads=20)
        assert len(cohort.acknowledged) == 20
        for submission in tutor.submissions(COURSE, ASSIGNMENT):
            tutor.take_submission(submission, tmp_path / submission.student)
            fetched = contents(tmp_path / submission.student)
            assert fetched == cohort.files(submission.student)
            assert (submission.id, manifest(fetched).sha256) == cohort.acknowledged[submission.student]
        mine = ada.submit(COURSE, ASSIGNMENT, uploads({"p1.ipynb": b"ada's"}))
        tutor.give_feedback(mine, uploads({"p1.html": b"<p>well done</p>"}))
        ada.take_feedback(mine, tmp_path / "feedback")
        assert (tmp_path / "feedback" / "p1.html").read_bytes() == b"<p>well done</p>"
    finally:
        ada.close()
        tutor.close()
    with ledger_of(exchange) as ledger:
        cohort.assert_kept(ledger)
        report = audit(ledger)
    assert (report.submissions, report.problems, report.unused_blobs) == (21, (), 0)
    assert not (exchange.root / "blobs").exists()
    assert store.names() >= {entry.sha256 for entry in manifest(FILES).files}


def test_a_service_killed_between_store_and_database_has_lost_nothing_that_it_acknowledged(
    exchange: ServiceProcess, hub: FakeHub
) -> None:
    stubborn, once = Cohort(hub, 24, "again-"), Cohort(hub, 16, "once-")
    threads = [
        threading.Thread(target=cohort.submit, args=(exchange.url,), kwargs={"retry": cohort is stubborn, "threads": 8})
        for cohort in (stubborn, once)
    ]
    for thread in threads:
        thread.start()
    for _ in range(2):
        before = len(stubborn.acknowledged) + len(once.acknowledged)
        wait_for(lambda before=before: len(stubborn.acknowledged) + len(once.acknowledged) >= before + 3)
        exchange.kill()
        exchange.start()
    for thread in threads:
        thread.join()
    assert len(stubborn.acknowledged) == 24
    assert stubborn.doubts + once.doubts > 0, "no kill came in between"
    with ledger_of(exchange) as ledger:
        for cohort in (stubborn, once):
            cohort.assert_kept(ledger)
        assert audit(ledger).problems == ()


def test_a_store_that_goes_away_acknowledges_nothing_and_is_used_again_when_it_is_back(
    exchange: ServiceProcess, hub: FakeHub, store: ObjectStore
) -> None:
    """In the middle of a class that submits; those who try again get through, and nobody twice."""
    cohort = Cohort(hub, 24)
    thread = threading.Thread(target=cohort.submit, args=(exchange.url,), kwargs={"retry": True, "threads": 4})
    thread.start()
    wait_for(lambda: len(cohort.acknowledged) >= 3)
    store.stop()
    time.sleep(0.2)  # what was under way has ended
    acknowledged = len(cohort.acknowledged)
    refused = post(exchange.url, "ada", {"p1.ipynb": b"meanwhile"})
    assert refused.status_code == 503
    assert set(refused.json()) == {"error", "where", "hint"}
    assert "store" in refused.json()["error"]
    assert refused.headers["Retry-After"]
    assert httpx.get(f"{exchange.url}/health", timeout=60).status_code == 503
    archive = f"{exchange.url}/courses/{COURSE}/releases/{ASSIGNMENT}/archive"
    with pytest.raises(httpx.HTTPError):  # an answer that breaks off is not taken for a whole one
        httpx.get(archive, headers=as_user("ada"), timeout=60)
    assert len(cohort.acknowledged) == acknowledged
    store.start()
    thread.join()
    assert httpx.get(f"{exchange.url}/health", timeout=60).status_code == 200
    assert httpx.get(archive, headers=as_user("ada"), timeout=60).status_code == 200
    assert len(cohort.acknowledged) == 24
    with ledger_of(exchange) as ledger:
        cohort.assert_kept(ledger)
        assert audit(ledger).problems == ()
        assert ledger.submissions(COURSE, student="ada") == []
    log = exchange.log.read_text()
    assert "the store: " in log
    for text in (log, refused.text):
        assert SECRET not in text
        assert "key-of-the-store" not in text
        assert str(store.port) not in text
        assert store.bucket not in text


def test_a_bucket_that_is_not_there_is_told_and_not_made(hub_url: str, store: ObjectStore, tmp_path: Path) -> None:
    environment = store.environment | {"TITO_EXCHANGE_STORE": "s3://nowhere/exchange"}
    with ServiceProcess(tmp_path / "exchange", hub_url, environment=environment) as running:
        running.start()
        refused = httpx.get(f"{running.url}/health", timeout=60)
        assert refused.status_code == 503
        assert "nowhere" not in refused.text + running.log.read_text()
        teacher = httpx.post(
            f"{running.url}/courses/{COURSE}/releases/{ASSIGNMENT}",
            headers=as_user("teacher"), files=form(FILES), timeout=60,
        )  # fmt: skip
        assert teacher.status_code == 503
    assert "nowhere" not in {bucket["Name"] for bucket in store.client().list_buckets()["Buckets"]}


def test_an_address_with_credentials_or_of_no_known_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="holds credentials") as caught:
        open_store("s3://key:hidden@bucket/exchange")
    assert "hidden" not in str(caught.value)
    with pytest.raises(UsageError, match="nothing://"):
        open_store("nothing://bucket")


# ---- two services, one database, one store -----------------------------------------------------


@pytest.fixture
def replicas(
    hub_url: str, store: ObjectStore, fresh_database: str, tmp_path: Path
) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    """Started at the same time on an empty database: both want to make its tables."""
    environment = store.environment | {"TITO_EXCHANGE_DB": fresh_database}
    replica, other = (ServiceProcess(tmp_path / name, hub_url, environment=environment) for name in ("one", "other"))
    with replica, other:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(ServiceProcess.start, (replica, other)))
        release(replica.url)
        yield replica, other


def test_one_students_submissions_to_both_replicas_at_once_are_each_stored_once(
    replicas: tuple[ServiceProcess, ServiceProcess],
) -> None:
    """Each is sent to both with one key, as when an answer is lost and the next try comes to the other one."""
    contents = [{"p1.ipynb": str(number).encode(), "common.py": b"the same"} for number in range(12)]
    sent = [(replica.url, files, f"key-{number:020}") for number, files in enumerate(contents) for replica in replicas]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda what: post(what[0], "ada", what[1], what[2]), sent))
    assert sorted(answer.status_code for answer in answers) == [200] * 12 + [201] * 12
    ids = [answer.json()["id"] for answer in answers]
    assert ids[::2] == ids[1::2]
    assert len(set(ids)) == 12
    with ledger_of(replicas[0]) as ledger:
        submissions = ledger.submissions(COURSE, student="ada")
        assert {submission.manifest_sha256 for submission in submissions} == {
            manifest(files).sha256 for files in contents
        }
        times = [submission.received_at for submission in submissions]
        assert times == sorted(set(times))
        assert audit(ledger).problems == ()


def test_a_class_submits_while_one_replica_is_killed(
    replicas: tuple[ServiceProcess, ServiceProcess], hub: FakeHub
) -> None:
    """Those whose replica is gone try again, and come to the other one."""
    replica, other = replicas
    steady, moved = Cohort(hub, 16, "steady-"), Cohort(hub, 16, "moved-")
    thread = threading.Thread(target=steady.submit, args=(other.url,), kwargs={"retry": True, "threads": 4})
    thread.start()
    first = threading.Thread(target=moved.submit, args=(replica.url,), kwargs={"retry": False, "threads": 4})
    first.start()
    wait_for(lambda: len(moved.acknowledged) >= 3)
    replica.kill()
    first.join()
    receipts = dict(moved.acknowledged)
    moved.submit(other.url, retry=True, threads=8)  # all, with the keys that they had
    thread.join()
    assert receipts.items() <= moved.acknowledged.items()
    assert moved.doubts > 0, "the kill came too late"
    with ledger_of(other) as ledger:
        for cohort in (steady, moved):
            assert len(cohort.acknowledged) == 16
            cohort.assert_kept(ledger)
        assert audit(ledger).problems == ()
