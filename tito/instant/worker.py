"""The worker: takes on a check, runs the visible tests in the engine's sandbox, answers, and takes on the next.

A service of the hub, by whose token the exchange knows it; of the exchange it can have releases and the submissions
that it has claimed, and nothing else. Its settings are in its environment:

    TITO_EXCHANGE_URL, JUPYTERHUB_API_TOKEN   the exchange, and the service's token
    TITO_INSTANT_COURSES    courses whose checks it runs, separated by commas
    TITO_INSTANT_AT_ONCE    how many at a time (2)
    TITO_INSTANT_IDLE_S     after how long a sandbox that nobody needs is closed (300)
    TITO_INSTANT_FOLDER     where it unpacks releases and submissions, its own (in TMPDIR); emptied as it goes
    TITO_INSTANT_BACKEND    the sandbox (bubblewrap)

Each of those that work at a time is a process of its own, which has no threads and so can fork; one that dies is
replaced, and its check is taken on again when its lease has run out, which it is soon when nobody renews it.
"""

from __future__ import annotations

import ctypes
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

from tito import __version__
from tito.errors import TitoError, UsageError
from tito.exchange.client import Client
from tito.exchange.gateway import TOKEN_VARIABLE, URL_VARIABLE
from tito.exchange.names import check_id
from tito.exchange.records import CheckedTest, Claim
from tito.grade.plan import AssignmentPlan
from tito.grade.workers import PR_SET_PDEATHSIG, StandingGrader, Task
from tito.instant.release import checked_tests, plan_release
from tito.instant.renewal import Renewal
from tito.models import Fingerprint
from tito.sandbox.backends import backend

LOG = logging.getLogger("tito.instant")
COURSES_VARIABLE = "TITO_INSTANT_COURSES"
WAIT_S = 5.0  # at the exchange, for a check to come
AGAIN_S = 3.0  # after which an exchange that failed is asked again
STOP_S = 8.0  # that checks at work have to end in, when the worker is told to stop
SCRATCH = "tito-instant-"
RELEASES = 4  # whose sandboxes are kept warm at the same time, by each process
FAULT = "The tests could not be run, and that is not your fault. The log of the worker says more to the instructor."


@dataclass(frozen=True)
class WorkerSettings:
    """All that the worker is told."""

    url: str
    token: str = field(repr=False)
    courses: tuple[str, ...]
    at_once: int = 2
    idle_s: float = 300.0
    folder: Path | None = None
    backend: str = "bubblewrap"


def settings_from(environment: Mapping[str, str]) -> WorkerSettings:
    """The settings in an environment.

    Raises:
        UsageError: one is missing or cannot be read.
    """
    for name in (URL_VARIABLE, TOKEN_VARIABLE, COURSES_VARIABLE):
        if not environment.get(name):
            raise UsageError(f"{name} is not set.", hint="The hub sets it for a service that it starts.")
    courses = [one.strip() for one in environment[COURSES_VARIABLE].split(",") if one.strip()]
    folder = environment.get("TITO_INSTANT_FOLDER")
    return WorkerSettings(
        url=environment[URL_VARIABLE],
        token=environment[TOKEN_VARIABLE],
        courses=tuple(check_id("course", one) for one in courses),
        at_once=_number(environment, "TITO_INSTANT_AT_ONCE", 2),
        idle_s=_number(environment, "TITO_INSTANT_IDLE_S", 300),
        folder=Path(folder) if folder else None,
        backend=environment.get("TITO_INSTANT_BACKEND", "bubblewrap"),
    )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdigit() or not int(text):
        raise UsageError(f"{name} must be a whole number above 0.")
    return int(text)


# ---- one process -------------------------------------------------------------------------------------


class Bench:
    """A release, unpacked and planned, and a sandbox that is warm for it."""

    def __init__(self, plan: AssignmentPlan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.grader = StandingGrader()
        self.used_at = time.monotonic()

    def close(self) -> None:
        self.grader.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Checker:
    """Takes on one check after the other. Call `close` at the end."""

    def __init__(self, settings: WorkerSettings, folder: Path) -> None:
        self._settings = settings
        self._renewal = Renewal(settings.url, settings.token)
        self._client = Client(settings.url, settings.token)
        self._folder = folder
        self._isolation = backend(settings.backend)
        self._benches: dict[tuple[object, ...], Bench] = {}
        self.answering = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop. An exchange that is away is waited for."""
        courses = self._settings.courses
        wait_s = WAIT_S if len(courses) == 1 else 1.0
        while not stopping():
            for course in courses:
                try:
                    claim = self._client.claim_check(course, wait_s)
                    if claim is not None:
                        self.answering = True
                        self.answer(claim)
                except TitoError as error:
                    LOG.warning("%s: %s", course, error)
                    self.answering = False
                    time.sleep(AGAIN_S)
                self.answering = False
                if stopping():
                    return
            self._close_idle()

    def answer(self, claim: Claim) -> None:
        """Run the tests of one submission, and tell the exchange what they said.

        Raises:
            TitoError: the exchange is away, or has given the check to another.
        """
        one, started = claim.submission, time.monotonic()
        with (
            self._renewal.of(claim),
            tempfile.TemporaryDirectory(dir=self._folder, prefix="submission-") as folder,
        ):
            self._client.take_claimed(claim, Path(folder))
            bench = self._bench(claim)
            tests, fault = ([], FAULT) if bench is None else self._tests(bench, one.student, Path(folder))
        self._client.give_result(claim, __version__, tests, fault)
        took = time.monotonic() - started
        LOG.info("%s %s %s: %d tests in %.2f s", one.course, one.assignment, one.id, len(tests), took)

    def _tests(self, bench: Bench, student: str, folder: Path) -> tuple[list[CheckedTest], str]:
        try:
            record = bench.grader.grade(
                bench.plan, self._isolation, Task(student, folder, Fingerprint("", "", ""))
            ).record
        except TitoError as error:
            LOG.error("%s: %s", bench.plan.assignment, error)
            return [], FAULT
        finally:
            bench.used_at = time.monotonic()
        if record.fault:
            LOG.error("%s: %s", bench.plan.assignment, record.fault)
            return [], FAULT
        return checked_tests(bench.plan, record), ""

    def _bench(self, claim: Claim) -> Bench | None:
        """The bench of a claim's release, made when it is first needed; None where no test of it can be planned."""
        release = claim.release
        key = (release.course, release.assignment, release.revision, tuple(claim.packages), claim.limits)
        if key not in self._benches:
            self._make_room(release.course, release.assignment)
            folder = Path(tempfile.mkdtemp(dir=self._folder, prefix="release-"))
            try:
                self._client.take_release(release, folder)
                self._benches[key] = Bench(plan_release(claim, folder), folder)
            except BaseException as error:
                shutil.rmtree(folder, ignore_errors=True)
                if not isinstance(error, TitoError) or _may_pass(error):
                    raise
                LOG.error("%s %s revision %d: %s", release.course, release.assignment, release.revision, error)
                return None
        return self._benches[key]

    def _make_room(self, course: str, assignment: str) -> None:
        """Close what is of an older revision, and what was used longest ago of too many."""
        for key in [one for one in self._benches if one[:2] == (course, assignment)]:
            self._benches.pop(key).close()
        while len(self._benches) >= RELEASES:
            self._benches.pop(min(self._benches, key=lambda one: self._benches[one].used_at)).close()

    def _close_idle(self) -> None:
        since = time.monotonic() - self._settings.idle_s
        for key in [one for one, bench in self._benches.items() if bench.used_at < since]:
            self._benches.pop(key).close()

    def close(self) -> None:
        """End the sandboxes."""
        for bench in self._benches.values():
            bench.close()
        self._renewal.close()
        self._client.close()


def _may_pass(error: TitoError) -> bool:
    """Whether trying again may help: the exchange is away, or has a newer revision by now."""
    from tito.errors import ExchangeUnavailable

    return isinstance(error, ExchangeUnavailable)


def _work(settings: WorkerSettings, folder: Path) -> None:
    """One process. It does not outlive the worker; told to stop, it finishes its check, and waits for no other."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        checker = Checker(settings, Path(own))
        told: list[int] = []

        def stop(number: int, _: object) -> None:
            told.append(number)
            if not checker.answering:
                sys.exit(0)

        signal.signal(signal.SIGTERM, stop)
        try:
            checker.run(lambda: bool(told))
        finally:
            checker.close()


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
        at_work: list[BaseProcess] = []
        try:
            while True:
                at_work = [one for one in at_work if one.is_alive()]
                at_work += [_started(settings, Path(folder)) for _ in range(settings.at_once - len(at_work))]
                time.sleep(1)
        except KeyboardInterrupt:
            pass
        finally:
            for one in at_work:
                one.terminate()
            until = time.monotonic() + STOP_S
            for one in at_work:
                one.join(max(0.0, until - time.monotonic()))
                one.kill()
                one.join()


def _started(settings: WorkerSettings, folder: Path) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_work, args=(settings, folder))
    process.start()
    return process


def main() -> None:
    """Entry point of `python -m tito.instant`. The token is read, and handed on to no process of a sandbox."""
    try:
        settings = settings_from(os.environ)
        os.environ.pop(TOKEN_VARIABLE)
        serve(settings)
    except TitoError as error:
        sys.exit(f"tito.instant: {error} {error.hint}".rstrip())
