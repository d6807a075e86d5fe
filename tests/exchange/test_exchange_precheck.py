"""Prechecks from end to end: a worker beside an exchange, and students of module 16 who submit."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from exchange_support import COURSE, OTHER_COURSE, FakeHub, Service, service, token, uploads, wait_for
from nbgrader_forks import Commands
from precheck_support import (
    MODULE,
    PRECHECK_WORKER,
    Module,
    Worker,
    finished,
    hub_with_precheck_worker,
    member,
    module_16,
    precheck_of,
    publish,
    verdicts,
    visible_verdicts,
)
from sqlalchemy import select

from tito.course.script import source_notebooks
from tito.exchange.protocol.records import Policy, PrecheckState
from tito.exchange.server import tables
from tito.plan.test_cell import hidden_source

STUDENTS = ("correct_loops", "no_clipping", "blank", "syntax_error", "hostile")


@dataclass
class Running:
    """A service with module 16 in two courses, and a worker of both."""

    service: Service
    hub: FakeHub
    worker: Worker
    module: Module


def usual_policy(module: Module) -> Policy:
    return precheck_of(module.course, cell_timeout_s=4.0, notebook_timeout_s=30.0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("precheck")
    module = module_16(folder)
    hub, services = hub_with_precheck_worker(COURSE, OTHER_COURSE)
    with service(folder / "exchange", hub, services=services) as exchange:
        for course, teacher in ((COURSE, "teacher"), (OTHER_COURSE, "foreign")):
            client = exchange.client(teacher)
            publish(client, course, MODULE, module.release)
            client.set_policy(course, usual_policy(module))
        with Worker(exchange.url, folder / "worker", (COURSE, OTHER_COURSE), at_once=2) as worker:
            yield Running(exchange, hub, worker, module)


def test_visible_tests_say_what_autograde_says_of_them(running: Running, tmp_path: Path) -> None:
    clients = {student: member(running.service, running.hub, student, COURSE) for student in STUDENTS}
    submissions = {
        student: clients[student].submit(COURSE, MODULE, uploads(running.module.files(student))) for student in STUDENTS
    }
    outcomes = {student: verdicts(finished(clients[student], submissions[student])) for student in STUDENTS}
    assert outcomes == visible_verdicts(running.module, STUDENTS, tmp_path)
    assert {verdict for verdict, _ in outcomes["correct_loops"].values()} == {"PASSED"}
    assert {verdict for verdict, _ in outcomes["blank"].values()} & {"FAILED", "ERROR"}
    _assert_nothing_hidden(running)


def test_submit_tells_what_the_visible_tests_say_and_keeps_it_beside_the_receipt(
    running: Running, commands: Commands, tmp_path: Path
) -> None:
    running.hub.add("zoe", [f"nbgrader-{COURSE}"])
    folder = tmp_path / MODULE
    folder.mkdir()
    (folder / f"{running.module.notebook}.ipynb").write_bytes(running.module.submissions["no_clipping"])
    (tmp_path / "nbgrader_config.py").write_text(
        "from tito.exchange.client.plugin import use_service\n"
        "c = get_config()\nuse_service(c)\nc.Submit.precheck_wait_s = 60\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "JUPYTERHUB_API_TOKEN": token("zoe"),
        "TITO_EXCHANGE_URL": running.service.url,
    }
    ran = commands(tmp_path, environment, "submit", MODULE, "--course", COURSE)
    assert ran.code == 0, ran.output
    page = (folder / "receipts" / "prechecks.md").read_text()
    zoe = running.service.client("zoe")
    for name, (verdict, _) in verdicts(zoe.precheck(zoe.my_submissions(COURSE)[0])).items():
        assert re.search(rf"{verdict} +{name} \(", ran.output)
        assert f"## {name}: {verdict} (" in page
    assert "no grade" in ran.output
    again = commands(tmp_path, environment, "submit", MODULE, "--course", COURSE)
    assert again.code == 0, again.output  # neither page nor receipt is handed in
    assert [file.path for file in zoe.my_submissions(COURSE)[-1].files] == [f"{running.module.notebook}.ipynb"]


def _assert_nothing_hidden(running: Running) -> None:
    """Neither in what the exchange keeps of it nor in what the worker has, nor in its log."""
    course = running.module.course
    (source,) = source_notebooks(course, course.assignment(MODULE)).values()
    hidden = {
        line.strip()
        for cell in source.cells
        for line in hidden_source(cell.source).splitlines()
        if len(line.strip()) > 20 and not line.strip().startswith("###")
    }
    notebook = nbformat.read(running.module.release / f"{running.module.notebook}.ipynb", as_version=4)
    released = "\n".join(cell.source for cell in notebook.cells)
    hidden = {line for line in hidden if line not in released}
    assert len(hidden) > 10
    with running.service.ledger.database.read() as connection:
        rows = [
            str(tuple(row))
            for table in (tables.precheck_job, tables.precheck_result)
            for row in connection.execute(select(table))
        ]
    assert len(rows) >= 2 * len(STUDENTS)
    files = [path for path in running.worker.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".ipynb" for path in files)
    assert not list(running.worker.folder.rglob("submission-*"))
    text = "\n".join([*rows, running.worker.log.read_text(), *(path.read_text(errors="replace") for path in files)])
    assert not [line for line in hidden if line in text]


def test_an_endless_loop_costs_its_own_limit_and_two_courses_share_a_worker(running: Running) -> None:
    files = running.module.files
    endless = member(running.service, running.hub, "endless", COURSE)
    others = {
        course: member(running.service, running.hub, f"good-in-{course}", course) for course in (COURSE, OTHER_COURSE)
    }
    slow = endless.submit(COURSE, MODULE, uploads(files("endless_loop")))
    good = {course: client.submit(course, MODULE, uploads(files("correct_loops"))) for course, client in others.items()}
    for course, client in others.items():
        assert {verdict for verdict, _ in verdicts(finished(client, good[course])).values()} == {"PASSED"}
    assert "TIMEOUT" in {verdict for verdict, _ in verdicts(finished(endless, slow)).values()}


def test_an_honest_check_does_not_wait_for_loops(running: Running) -> None:
    """More of them than are checked at a time: it is over while all of them are still at work."""
    files = running.module.files
    teacher = running.service.client("teacher")
    teacher.set_policy(COURSE, precheck_of(running.module.course, cell_timeout_s=20.0, notebook_timeout_s=30.0))
    try:
        looping = [member(running.service, running.hub, f"looping{number}", COURSE) for number in range(4)]
        loops = [(student, student.submit(COURSE, MODULE, uploads(files("endless_loop")))) for student in looping]
        good = member(running.service, running.hub, "beside-loops", COURSE)
        precheck = finished(good, good.submit(COURSE, MODULE, uploads(files("correct_loops"))))
        assert {verdict for verdict, _ in verdicts(precheck).values()} == {"PASSED"}
        assert {student.precheck(submission).state for student, submission in loops} == {PrecheckState.WAITING}
    finally:
        teacher.set_policy(COURSE, usual_policy(running.module))
    for student, submission in loops:
        assert "TIMEOUT" in {verdict for verdict, _ in verdicts(finished(student, submission)).values()}


def test_a_check_at_work_stays_its_worker_s_and_a_killed_one_s_is_soon_another_s(running: Running) -> None:
    ledger = running.service.ledger
    ada = running.service.client("ada")
    client = running.service.client("teacher")
    client.publish(COURSE, "killed", uploads(_folder(running.module.release)), replace=True)
    object.__setattr__(ledger.quotas, "precheck_lease_s", 5)  # not too little for a machine that is busy
    client.set_policy(COURSE, precheck_of(running.module.course, cell_timeout_s=12.0, notebook_timeout_s=60.0))
    submission = ada.submit(COURSE, "killed", uploads(running.module.files("endless_loop")))
    jobs = select(tables.precheck_job).join(tables.submission).where(tables.submission.c.id == submission.id)

    def job() -> Any:
        with ledger.database.read() as connection:
            return connection.execute(jobs).one()

    wait_for(lambda: job().attempts == 1)
    first = job().leased_until
    wait_for(lambda: job().leased_until >= first + timedelta(seconds=5))  # or the other process would have it
    assert job().attempts == 1
    running.worker.kill()
    killed_at = time.monotonic()
    assert ada.precheck(submission).state is PrecheckState.WAITING
    running.worker.start()
    wait_for(lambda: job().attempts == 2)
    assert time.monotonic() - killed_at < 15, "the 72 s that a precheck may take were waited for"
    assert finished(ada, submission).state is PrecheckState.DONE
    assert job().attempts == 2
    with ledger.database.read() as connection:
        number = job().number
        rows = connection.execute(select(tables.precheck_result).where(tables.precheck_result.c.job == number)).all()
    assert [row.made_by for row in rows] == [f"service:{PRECHECK_WORKER}"]


def _folder(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
