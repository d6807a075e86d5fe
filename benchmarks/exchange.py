"""The exchange under a class: 200 students who submit within 30 seconds, and a service that is killed meanwhile.

    .venv/bin/python benchmarks/exchange.py            # both
    .venv/bin/python benchmarks/exchange.py class      # 200 within 30 s: none lost, none doubled; latency
    .venv/bin/python benchmarks/exchange.py killed     # SIGKILL in the middle of 200 submissions, 20 times

The service is a process of its own on loopback, SQLite and a directory; it asks a hub on loopback for every student.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from exchange_process import Cohort, ServiceProcess
from exchange_support import ASSIGNMENT, COURSE, FakeHub, token, uploads

from tito.exchange.client.client import Client
from tito.exchange.server.audit import audit

STUDENTS, WITHIN_S, KILLS = 200, 30.0, 20


def release(url: str) -> None:
    teacher = Client(url, token("teacher"))
    teacher.publish(COURSE, ASSIGNMENT, uploads(), replace=True)
    teacher.close()


def a_class(running: ServiceProcess, hub: FakeHub, within_s: float) -> None:
    """All submit once within some seconds."""
    cohort = Cohort(hub, STUDENTS, f"in{within_s:g}-")
    started = time.monotonic()
    cohort.submit(running.url, retry=False, over_s=within_s, threads=64)
    took = time.monotonic() - started
    ledger = running.ledger()
    cohort.assert_kept(ledger)
    ledger.close()
    ordered = sorted(cohort.seconds)
    lost = STUDENTS - len(cohort.acknowledged)
    print(
        f"{STUDENTS} students within {within_s:g} s: all answered after {took:.1f} s; {lost} lost, none doubled; "
        f"median {1000 * median(ordered):.0f} ms, p99 {1000 * ordered[int(0.99 * len(ordered))]:.0f} ms, "
        f"longest {1000 * ordered[-1]:.0f} ms"
    )


def collected(running: ServiceProcess) -> None:
    """The instructor takes every student's work, each checked against its receipt."""
    tutor = Client(running.url, token("tutor"))
    started = time.monotonic()
    listed = tutor.submissions(COURSE, ASSIGNMENT)
    with tempfile.TemporaryDirectory() as folder:
        for submission in listed:
            into = Path(folder) / submission.id
            into.mkdir()
            tutor.take_submission(submission, into)
    tutor.close()
    print(f"{len(listed)} submissions listed, fetched and checked in {time.monotonic() - started:.1f} s")


def killed(running: ServiceProcess, hub: FakeHub) -> None:
    """Half of the students send again what was not answered, half do not."""
    chance = random.Random(5)
    cohorts: list[Cohort] = []
    for number in range(KILLS):
        pair = (Cohort(hub, STUDENTS // 2, f"again{number}-"), Cohort(hub, STUDENTS // 2, f"once{number}-"))
        threads = [
            threading.Thread(target=cohort.submit, args=(running.url,), kwargs={"retry": again, "threads": 16})
            for cohort, again in zip(pair, (True, False), strict=True)
        ]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.1, 2.0))
        running.kill()
        running.start()
        for thread in threads:
            thread.join()
        cohorts += pair
    running.kill()
    ledger = running.ledger()
    for cohort in cohorts:
        cohort.assert_kept(ledger)
    report = audit(ledger)
    ledger.close()
    acknowledged = sum(len(cohort.acknowledged) for cohort in cohorts)
    print(
        f"killed {KILLS} times in {KILLS} x {STUDENTS} submissions: {acknowledged} acknowledged and all there, "
        f"{sum(cohort.doubts for cohort in cohorts)} requests without an answer, {report.submissions - acknowledged} "
        f"stored whole but not acknowledged, {len(report.problems)} damaged, {report.unused_blobs} blobs that nothing "
        "refers to"
    )
    assert not report.problems


def main() -> None:
    wanted = sys.argv[1:] or ["class", "killed"]
    hub = FakeHub()
    with (
        tempfile.TemporaryDirectory() as folder,
        hub.serving() as hub_url,
        ServiceProcess(Path(folder) / "exchange", hub_url) as running,
    ):
        running.start()
        release(running.url)
        if "class" in wanted:
            a_class(running, hub, WITHIN_S)
            collected(running)
            a_class(running, hub, 0.0)
        if "killed" in wanted:
            killed(running, hub)


if __name__ == "__main__":
    main()
