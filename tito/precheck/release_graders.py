"""Releases that are ready for prechecks, each with its plan and its sandboxes: made by the process that needs one
first, and used by all. Who made one ends it, when nobody has used it for long.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tito.errors import ExchangeUnavailable, TitoError
from tito.exchange.client.client import Client
from tito.exchange.protocol.records import PrecheckClaim
from tito.grade.calibrate import calibrated
from tito.grade.submission import Graded
from tito.grade.workers import Task, WorkerPool
from tito.judge.judge import order_of
from tito.plan.measuring import require_measuring
from tito.plan.plan import AssignmentPlan
from tito.plan.sandbox_specs import Sandboxes, borrowed_sandboxes
from tito.precheck.release import plan_release
from tito.sandbox.launch import Backend

LOG = logging.getLogger("tito.precheck")
RELEASES = 4  # of which a process has workers at the same time


class ReleaseGrader:
    """A worker for the submissions of one release. `folder`: where it was unpacked, if this process did that."""

    def __init__(self, plan: AssignmentPlan, graders: WorkerPool, entry: Path, folder: Path | None = None) -> None:
        self.plan = plan
        self._graders = graders
        self._entry = entry  # by which other processes find it; when it was used last is told by the file's time
        self._folder = folder

    def grade(self, task: Task) -> Graded:
        """Grade; whatever the submission does to the worker, there is an answer."""
        (((_, graded),),) = (results for results in self._graders.grade([task]) if results)
        return graded

    def touch(self) -> None:
        """Have it count as used now."""
        with suppress(OSError):
            os.utime(self._entry)

    @property
    def used_at(self) -> float:
        """When any process used it last, as `time.time` counts."""
        with suppress(OSError):
            return self._entry.stat().st_mtime
        return 0.0

    @property
    def closed(self) -> bool:
        """Whether its sandboxes have ended, whoever ended them."""
        return self._graders.sandboxes.closed

    def close(self) -> None:
        """End the worker; and the sandboxes, where this process has started them."""
        if self._folder is not None:
            self._entry.unlink(missing_ok=True)
        self._graders.__exit__()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class ReleaseGraders:
    """Those of one process. `shared`: the folder in which processes find each other's; `own`: for what it unpacks."""

    def __init__(self, client: Client, isolation: Backend, shared: Path, own: Path, idle_s: float) -> None:
        self._client = client
        self._isolation = isolation
        self._shared = shared
        self._own = own
        self._idle_s = idle_s
        self._graders: dict[str, ReleaseGrader] = {}

    def of(self, claim: PrecheckClaim) -> ReleaseGrader | None:
        """The grader of a claim's release; None where no test of it can be planned.

        Raises:
            ExchangeUnavailable: the exchange is away, or has a newer revision by now.
        """
        release = claim.release
        key = (release.course, release.assignment, release.revision, tuple(claim.packages), claim.limits, claim.files)
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        if name in self._graders and self._graders[name].closed:
            self._graders.pop(name).close()
        if name not in self._graders:
            self._make_room()
            entry = self._shared / name
            try:
                with _alone(entry):
                    self._graders[name] = self._shared_grader(entry) or self._new_grader(claim, entry)
            except ExchangeUnavailable:
                raise
            except TitoError as error:
                LOG.error("%s %s revision %d: %s", release.course, release.assignment, release.revision, error)
                return None
        self._graders[name].touch()
        return self._graders[name]

    def _shared_grader(self, entry: Path) -> ReleaseGrader | None:
        """What another process has made, while that is there."""
        try:
            plan, sandboxes = pickle.loads(entry.read_bytes())  # ours: the folder is closed to others
        except OSError:
            return None
        if sandboxes.closed:
            return None
        return ReleaseGrader(plan, WorkerPool(plan, self._isolation, 1, sandboxes), entry)

    def _new_grader(self, claim: PrecheckClaim, entry: Path) -> ReleaseGrader:
        folder = Path(tempfile.mkdtemp(dir=self._own, prefix="release-"))
        try:
            self._client.take_release(claim.release, folder)
            plan = plan_release(claim, folder)
            require_measuring(plan, self._isolation.name)
            sandboxes = Sandboxes(self._isolation, plan.spec)
            try:
                sandboxes.warm(plan.spec, order_of(plan))
                plan = calibrated(plan, sandboxes)
            except BaseException:
                sandboxes.close()
                raise
            entry.write_bytes(pickle.dumps((plan, borrowed_sandboxes(sandboxes))))
            return ReleaseGrader(plan, WorkerPool(plan, self._isolation, 1, sandboxes), entry, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _make_room(self) -> None:
        while len(self._graders) >= RELEASES:
            self._graders.pop(min(self._graders, key=lambda name: self._graders[name].used_at)).close()

    def close_idle(self) -> None:
        """End what nobody has used for long."""
        since = time.time() - self._idle_s
        for name in [name for name, grader in self._graders.items() if grader.used_at < since]:
            self._graders.pop(name).close()

    def close(self) -> None:
        """End all of them."""
        for grader in self._graders.values():
            grader.close()


@contextmanager
def _alone(entry: Path) -> Iterator[None]:
    """One process at a time makes a grader; the others wait for it."""
    with entry.with_suffix(".lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        yield
