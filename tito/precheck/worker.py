"""The worker: takes on a precheck, runs the visible tests in the engine's sandbox, answers, and takes on the next.

A service of the hub, by whose token the exchange knows it; of the exchange it can have releases and the submissions
that it has claimed, and nothing else. Its settings are in its environment:

    TITO_EXCHANGE_URL, JUPYTERHUB_API_TOKEN   the exchange, and the service's token
    TITO_PRECHECK_COURSES    courses whose prechecks it runs, separated by commas
    TITO_PRECHECK_AT_ONCE    how many at a time (2)
    TITO_PRECHECK_SPARE      how many more, of those that have been at work for a second (4)
    TITO_PRECHECK_IDLE_S     after how long a sandbox that nobody needs is closed (300)
    TITO_PRECHECK_FOLDER     where it unpacks releases and submissions, its own (in TMPDIR); emptied as it goes
    TITO_PRECHECK_BACKEND    the sandbox (bubblewrap)

Each precheck is made by a process of its own, which has no threads and so can fork; one that dies is replaced, and its
precheck is taken on again when its lease has run out, which it is soon when nobody renews it. What is short goes ahead
of what is long (`slots`); releases are made ready once for all processes (`release_graders`).
"""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, PositiveFloat, PositiveInt

from tito import __version__
from tito.course.settings import BackendName
from tito.errors import TitoError
from tito.exchange.client.client import Client
from tito.exchange.client.gateway import TOKEN_VARIABLE, URL_VARIABLE
from tito.exchange.protocol.names import check_id
from tito.exchange.protocol.records import PrecheckClaim, PrecheckedTest
from tito.grade.workers import Task
from tito.models import Fingerprint
from tito.precheck.release import prechecked_tests
from tito.precheck.release_graders import ReleaseGrader, ReleaseGraders
from tito.precheck.renewal import Renewal
from tito.precheck.slots import Slot
from tito.sandbox.backends import backend
from tito.sandbox.inside import kernel
from tito.validation import from_environment

LOG = logging.getLogger("tito.precheck")
COURSES_VARIABLE = "TITO_PRECHECK_COURSES"
WAIT_S = 5.0  # at the exchange, for a precheck to come
SLOT_S = 0.1  # after which a process looks again whether its slot is free
AGAIN_S = 3.0  # after which an exchange that failed is asked again
STOP_S = 8.0  # that prechecks at work have to end in, when the worker is told to stop
SCRATCH = "tito-precheck-"
FAULT = "The tests could not be run, and that is not your fault. The log of the worker says more to the instructor."


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",") if name.strip())


@dataclass(frozen=True)
class WorkerSettings:
    """All that the worker is told."""

    url: str
    token: str = field(repr=False)
    courses: Annotated[tuple[str, ...], BeforeValidator(_split)]
    at_once: PositiveInt = 2
    spare: PositiveInt = 4
    idle_s: PositiveFloat = 300.0
    folder: Path | None = None
    backend: BackendName = "bubblewrap"


VARIABLES = {
    "url": URL_VARIABLE,
    "token": TOKEN_VARIABLE,
    "courses": COURSES_VARIABLE,
    "at_once": "TITO_PRECHECK_AT_ONCE",
    "spare": "TITO_PRECHECK_SPARE",
    "idle_s": "TITO_PRECHECK_IDLE_S",
    "folder": "TITO_PRECHECK_FOLDER",
    "backend": "TITO_PRECHECK_BACKEND",
}


def load_settings(environment: Mapping[str, str]) -> WorkerSettings:
    """The settings in an environment.

    Raises:
        UsageError: one is missing or cannot be read.
    """
    settings = from_environment(WorkerSettings, environment, VARIABLES)
    for course in settings.courses:
        check_id("course", course)
    return settings


# ---- one process -------------------------------------------------------------------------------------


class PrecheckWorker:
    """Takes on one precheck after the other. Call `close` at the end."""

    def __init__(self, settings: WorkerSettings, slot: Slot, shared: Path, own: Path) -> None:
        self._settings = settings
        self._slot = slot
        self._renewal = Renewal(settings.url, settings.token)
        self._client = Client(settings.url, settings.token)
        self._own = own
        self._isolation = backend(settings.backend)
        self._graders = ReleaseGraders(self._client, self._isolation, shared, own, settings.idle_s)
        self.answering = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop. An exchange that is away is waited for."""
        courses = itertools.cycle(self._settings.courses)
        wait_s = WAIT_S if len(self._settings.courses) == 1 else 1.0
        while not stopping():
            self._graders.close_idle()
            if not self._slot.acquire():
                time.sleep(SLOT_S)
                continue
            course = next(courses)
            try:
                claim = self._client.claim_precheck(course, wait_s)
                if claim is not None:
                    self.answering = True
                    self._slot.release_soon()
                    self.answer(claim)
            except TitoError as error:
                LOG.warning("%s: %s", course, error)
                self._slot.release()
                time.sleep(AGAIN_S)
            finally:
                self.answering = False
                self._slot.release()

    def answer(self, claim: PrecheckClaim) -> None:
        """Run the tests of one submission, and tell the exchange what they said.

        Raises:
            TitoError: the exchange is away, or has given the precheck to another.
        """
        submission, started = claim.submission, time.monotonic()
        with (
            self._renewal.of(claim),
            tempfile.TemporaryDirectory(dir=self._own, prefix="submission-") as folder,
        ):
            self._client.take_claimed(claim, Path(folder))
            grader = self._graders.of(claim)
            tests, fault = ([], FAULT) if grader is None else self._tests(grader, submission.student, Path(folder))
        self._client.give_result(claim, __version__, tests, fault)
        took = time.monotonic() - started
        LOG.info(
            "%s %s %s: %d tests in %.2f s", submission.course, submission.assignment, submission.id, len(tests), took
        )

    def _tests(self, grader: ReleaseGrader, student: str, folder: Path) -> tuple[list[PrecheckedTest], str]:
        try:
            record = grader.grade(Task(student, folder, Fingerprint("", "", ""))).record
        except TitoError as error:
            LOG.error("%s: %s", grader.plan.assignment, error)
            return [], FAULT
        finally:
            grader.touch()
        if record.fault:
            LOG.error("%s: %s", grader.plan.assignment, record.fault)
            return [], FAULT
        return prechecked_tests(grader.plan, record), ""

    def close(self) -> None:
        """End the sandboxes."""
        self._graders.close()
        self._renewal.close()
        self._client.close()


def _work(settings: WorkerSettings, number: int, folder: Path) -> None:
    """One process. It does not outlive the worker; told to stop, it finishes its precheck, and waits for no other."""
    kernel.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        slot = Slot(folder / f"slot-{number % settings.at_once}")
        worker = PrecheckWorker(settings, slot, folder, Path(own))
        signals: list[int] = []

        def stop(signalled: int, _: object) -> None:
            signals.append(signalled)
            if not worker.answering:
                sys.exit(0)

        signal.signal(signal.SIGTERM, stop)
        try:
            worker.run(lambda: bool(signals))
        finally:
            worker.close()


# ---- all of them ---------------------------------------------------------------------------------------


def serve(settings: WorkerSettings) -> None:
    """Keep so many processes at work, until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if settings.folder is not None:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in settings.folder.glob(f"{SCRATCH}*"):  # of a worker that was killed
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=settings.folder, prefix=SCRATCH) as folder:
        at_work: dict[int, BaseProcess] = {}
        try:
            while True:
                for number in range(settings.at_once + settings.spare):
                    if number not in at_work or not at_work[number].is_alive():
                        at_work[number] = _started(settings, number, Path(folder))
                time.sleep(1)
        except KeyboardInterrupt:
            pass
        finally:
            for process in at_work.values():
                process.terminate()
            until = time.monotonic() + STOP_S
            for process in at_work.values():
                process.join(max(0.0, until - time.monotonic()))
                process.kill()
                process.join()


def _started(settings: WorkerSettings, number: int, folder: Path) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_work, args=(settings, number, folder))
    process.start()
    return process


def main() -> None:
    """Entry point of `python -m tito.precheck`. The token is read, and handed on to no process of a sandbox."""
    try:
        settings = load_settings(os.environ)
        os.environ.pop(TOKEN_VARIABLE)
        serve(settings)
    except TitoError as error:
        sys.stderr.write(f"tito.precheck: {error}\n")
        sys.exit(error.exit_code)
