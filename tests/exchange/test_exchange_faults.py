"""PostgreSQL that crashes and comes back, clocks that are wrong, versions: nothing lost, nothing out of order."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import postgresql
import pytest
from exchange_process import Cohort, ServiceProcess, release
from exchange_support import ASSIGNMENT, COURSE, FakeHub, form, service, token, uploads, wait_for
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Policy
from tito.exchange.server.audit import audit
from tito.exchange.server.database import Database
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.service import ServiceSettings, open_ledger
from tito.exchange.server.store import DirectoryStore
from tito.exchange.server.tables import HEAD, VERSION_TABLE

SUBMIT = f"/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"


def test_a_database_that_crashes_in_mid_flight_loses_nothing_and_is_used_again(
    own_postgresql: postgresql.Server, tmp_path: Path
) -> None:
    """Twice, while a class submits; a submission whose commit was not answered is sent again, and stored once."""
    hub = FakeHub()
    cohort = Cohort(hub, 40)
    environment = {"TITO_EXCHANGE_DB": own_postgresql.url}
    with (
        hub.serving() as hub_url,
        ServiceProcess(tmp_path / "exchange", hub_url, environment=environment) as running,
    ):
        running.start()
        release(running.url)
        thread = threading.Thread(target=cohort.submit, args=(running.url,), kwargs={"retry": True, "threads": 8})
        thread.start()
        for _ in range(2):
            before = len(cohort.acknowledged)
            wait_for(lambda before=before: len(cohort.acknowledged) >= before + 4)
            own_postgresql.stop(signal.SIGQUIT)
            ada = {"Authorization": f"token {token('ada')}"}
            refused = httpx.post(f"{running.url}{SUBMIT}", headers=ada, files=form({"p1.ipynb": b"x"}), timeout=60)
            assert refused.status_code == 503
            assert refused.headers["Retry-After"]
            assert "database" in refused.json()["error"]
            assert str(own_postgresql.scratch) not in refused.text
            own_postgresql.start()
        thread.join()
        assert httpx.get(f"{running.url}/health", timeout=30).status_code == 200
        assert str(own_postgresql.scratch) not in running.log.read_text()
    assert len(cohort.acknowledged) == 40
    assert cohort.doubts > 0, "no crash came in between"
    ledger = open_ledger(ServiceSettings(root=running.root, db_url=own_postgresql.url), sweep=False)
    try:
        cohort.assert_kept(ledger)
        assert ledger.submissions(COURSE, student="ada") == []
        assert audit(ledger).problems == ()
    finally:
        ledger.close()


def test_a_commit_that_is_not_answered_is_not_told_as_a_failure(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'made.db'}")
    database.migrate()

    def lost(_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("server closed the connection"))

    database.engine.dialect.do_commit = lost  # type: ignore[method-assign]
    with pytest.raises(Refused, match="may have been stored, or not"), database.write() as connection:
        connection.execute(text("select 1"))
    database.close()


# ---- clocks ------------------------------------------------------------------------------------


def test_clocks_of_two_services_that_disagree_do_not_change_the_order_of_submissions(
    fresh_database: str, tmp_path: Path
) -> None:
    """A student's submissions go to either; the newest is the one that was handed in last."""
    skews = (timedelta(hours=1), timedelta(hours=-1))
    settings = ServiceSettings(root=tmp_path / "exchange", db_url=fresh_database)
    opened = [open_ledger(settings) for _ in skews]
    store = DirectoryStore(tmp_path / "exchange" / "blobs")
    ledgers = [
        Ledger(ledger.database, store, clock=lambda skew=skew: datetime.now(UTC) + skew)
        for ledger, skew in zip(opened, skews, strict=True)
    ]
    with (
        service(tmp_path / "exchange", ledger=ledgers[0]) as ahead,
        service(tmp_path / "exchange", ledger=ledgers[1]) as behind,
    ):
        ahead.client("teacher").publish(COURSE, ASSIGNMENT, uploads(), replace=True)
        clients = [ahead.client("ada"), behind.client("ada")]
        handed_in = [
            clients[number % 2].submit(COURSE, ASSIGNMENT, uploads({"p1.ipynb": str(number).encode()}))
            for number in range(8)
        ]
        listed = behind.client("tutor").submissions(COURSE, ASSIGNMENT)
        assert [submission.id for submission in listed] == [submission.id for submission in handed_in]
        assert [submission.received_at for submission in listed] == sorted(
            {submission.received_at for submission in handed_in}
        )
        assert max(listed, key=lambda submission: submission.received_at).id == handed_in[-1].id


def test_whatever_the_clock_of_the_student_says_the_servers_counts(tmp_path: Path) -> None:
    with service(tmp_path / "exchange") as running:
        running.client("teacher").publish(COURSE, ASSIGNMENT, uploads(), replace=True)
        running.client("teacher").set_policy(COURSE, Policy(deadlines={ASSIGNMENT: datetime.now(UTC)}))
        for date in ("Wed, 01 Jan 2020 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"):
            before = datetime.now(UTC)
            answer = running.http("ada").post(SUBMIT, files=form({"p1.ipynb": date.encode()}), headers={"Date": date})
            received = datetime.fromisoformat(answer.json()["received_at"])
            assert before <= received <= datetime.now(UTC)
            assert answer.json()["late"] is True


# ---- the tables --------------------------------------------------------------------------------


def migrate(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TITO_EXCHANGE_DB": url, "TITO_EXCHANGE_ROOT": str(folder)}
    command = [sys.executable, "-P", "-m", "tito.exchange", "migrate"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_processes_that_migrate_at_the_same_time_make_the_tables_once(fresh_database: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: migrate(fresh_database, tmp_path / "none"), range(3)))
    assert [(process.returncode, process.stderr) for process in done] == [(0, "")] * 3
    engine = create_engine(fresh_database)
    with engine.connect() as connection:
        assert connection.execute(text(f"select version_num from {VERSION_TABLE}")).scalars().all() == [HEAD]
    engine.dispose()
    assert not (tmp_path / "none").exists()


def test_the_accounts_of_the_page_on_clusters_are_enough_and_no_more(
    own_postgresql: postgresql.Server, tmp_path: Path
) -> None:
    """One makes the tables; the service's own runs on them, and can take nothing away."""
    page = (Path(__file__).parents[2] / "book/how-to/kubernetes.md").read_text()
    [sql] = re.findall(r"(?s)```text\n(CREATE ROLE.*?)```", page)
    before, _, after = sql.partition("\\connect exchange\n")
    database = own_postgresql.url.replace("/postgres?", "/exchange?")
    for url, statements in ((own_postgresql.url, before), (database, after)):
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in filter(None, map(str.strip, statements.split(";"))):
                connection.exec_driver_sql(statement)
        engine.dispose()
    assert migrate(database.replace("tito@", "exchange@"), tmp_path).returncode == 1
    assert migrate(database.replace("tito@", "exchange_owner@"), tmp_path).returncode == 0
    url = database.replace("tito@", "exchange@")
    with service(tmp_path / "exchange", db_url=url) as running:
        running.client("teacher").publish(COURSE, ASSIGNMENT, uploads(), replace=True)
        submission = running.client("ada").submit(COURSE, ASSIGNMENT, uploads())
        running.client("tutor").give_feedback(submission, uploads())
        running.client("teacher").withdraw(COURSE, ASSIGNMENT)
        assert [listed.id for listed in running.ledger.submissions(COURSE)] == [submission.id]
    engine = create_engine(url)
    for taking in ("DELETE FROM submission", "TRUNCATE fetch", "DROP TABLE feedback"):
        with engine.connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text(taking))
    with pytest.raises(OperationalError):
        create_engine(url.replace("/exchange?", "/tinytorch?")).connect()
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'made.db'}"
    database = Database(url)
    database.migrate()
    with database.write() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
    with pytest.raises(Refused, match="newer version"):
        database.migrate()
    database.close()
    migration = migrate(url, tmp_path)
    assert migration.returncode == 1
    assert migration.stderr.startswith("tito.exchange: database: ")
    assert len(migration.stderr.splitlines()) == 1
