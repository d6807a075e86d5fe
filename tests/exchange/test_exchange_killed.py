"""SIGKILL in the middle of submissions, and a full disk: what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from exchange_process import Cohort, ServiceProcess, release
from exchange_support import ACCESS, ASSIGNMENT, COURSE, FakeHub, form, token
from precheck_support import PRECHECK_WORKER

from tito.exchange.server.audit import audit

KILLS = 3


def test_a_killed_service_has_lost_nothing_that_it_acknowledged(hub: FakeHub, hub_url: str, tmp_path: Path) -> None:
    """Some students send again what was not answered, others do not."""
    chance = random.Random(16)
    with ServiceProcess(tmp_path / "exchange", hub_url) as running:
        running.start()
        release(running.url)
        cohorts = []
        for round_number in range(KILLS):
            stubborn = Cohort(hub, 24, f"again{round_number}-")
            once = Cohort(hub, 16, f"once{round_number}-")
            threads = [
                threading.Thread(target=stubborn.submit, args=(running.url,), kwargs={"retry": True, "threads": 8}),
                threading.Thread(target=once.submit, args=(running.url,), kwargs={"retry": False, "threads": 8}),
            ]
            for thread in threads:
                thread.start()
            time.sleep(chance.uniform(0.05, 0.4))
            running.kill()
            running.start()
            for thread in threads:
                thread.join()
            assert len(stubborn.acknowledged) == 24
            cohorts += [stubborn, once]
        running.kill()
    assert sum(cohort.doubts for cohort in cohorts) > 0, "no kill came in between"
    ledger = running.ledger()
    for cohort in cohorts:
        cohort.assert_kept(ledger)
    assert audit(ledger).problems == ()
    ledger.close()


def test_a_full_disk_refuses_and_loses_nothing(hub: FakeHub, hub_url: str, tmp_path: Path) -> None:
    """The service's folder is a file system of 4 MiB, in which it also has its database."""
    root = tmp_path / "exchange"
    root.mkdir()
    small = [
        "bwrap",
        "--dev-bind",
        "/",
        "/",
        "--perms",
        "0700",
        "--size",
        str(4 << 20),
        "--tmpfs",
        root,
        "--die-with-parent",
    ]
    with ServiceProcess(root, hub_url, wrap=small) as running:
        running.start()
        release(running.url)
        ada = {"Authorization": f"token {token('ada')}"}
        path = f"{running.url}/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"
        answers = []
        for number in range(12):
            files = {"p1.ipynb": bytes([number]) * 700_000}
            answers.append(httpx.post(path, headers=ada, files=form(files), timeout=30))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {201, 507}, statuses
        refused = next(answer for answer in answers if answer.status_code == 507).json()
        assert set(refused) == {"error", "where", "hint"}
        assert httpx.get(f"{running.url}/health", timeout=30).status_code in (200, 507)
        mine = httpx.get(f"{running.url}/courses/{COURSE}/submissions/mine", headers=ada, timeout=30).json()
        acknowledged = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        assert [submission["id"] for submission in mine] == acknowledged
        for submission_id in acknowledged:
            url = f"{running.url}/courses/{COURSE}/submissions/{submission_id}"
            assert httpx.get(url, headers=ada, timeout=30).status_code == 200


def test_a_service_that_is_to_stop_waits_for_no_precheck(hub: FakeHub, hub_url: str, tmp_path: Path) -> None:
    """A worker's request waits for ten seconds; at a hub's end each service is stopped in its turn."""
    hub.add_service(PRECHECK_WORKER, [ACCESS])
    environment = {"TITO_EXCHANGE_SERVICES": json.dumps({PRECHECK_WORKER: [f"precheck-{COURSE}"]})}
    with ServiceProcess(tmp_path / "exchange", hub_url, environment=environment) as running:
        running.start()
        release(running.url)
        claim, until = f"{running.url}/courses/{COURSE}/prechecks/claim", {"wait_s": 10}
        headers = {"Authorization": f"token {token(PRECHECK_WORKER)}"}
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(httpx.post, claim, params=until, headers=headers, timeout=30)
            time.sleep(1)
            assert not answer.done(), answer.result().text
            begun = time.monotonic()
            running.stop()
            assert time.monotonic() - begun < 4, running.log.read_text()
            assert answer.result().json() is None
