"""The exchange service as a process of its own, which can be killed; and a class of students that submits to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from exchange_support import ASSIGNMENT, COURSE, FakeHub, form, manifest, token, uploads, wait_for
from ports import free_port

from tito.exchange.client.client import Client
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.service import ServiceSettings, open_ledger


@dataclass
class ServiceProcess:
    """`python -m tito.exchange`, as a hub would start it; `wrap` is a command that it is run in."""

    root: Path
    hub_url: str
    port: int = field(default_factory=free_port)
    prefix: str = ""
    wrap: Sequence[str | Path] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def log(self) -> Path:
        return self.root.with_name(f"{self.root.name}.log")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        ours = {
            "TITO_EXCHANGE_ROOT": str(self.root),
            "TITO_EXCHANGE_UPLOADS_PER_MINUTE": "100000",
            "JUPYTERHUB_API_URL": self.hub_url,
            "JUPYTERHUB_SERVICE_URL": self.url,
            "JUPYTERHUB_SERVICE_PREFIX": f"{self.prefix}/",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrap, sys.executable, "-m", "tito.exchange"],
                env=os.environ | ours | self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self._answers, 60)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/openapi.json", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """SIGKILL: nothing of it runs on, and nothing is tidied up."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()

    def ledger(self) -> Ledger:
        """What it left behind."""
        return open_ledger(ServiceSettings(root=self.root), sweep=False)

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def release(url: str) -> None:
    """The assignment, by its instructor."""
    teacher = Client(url, token("teacher"))
    teacher.publish(COURSE, ASSIGNMENT, uploads(), replace=True)
    teacher.close()


@dataclass
class Cohort:
    """Students who submit at the same time, each once, with a key of their own."""

    hub: FakeHub
    count: int
    prefix: str = "s"
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)  # student → id and hash in the receipt
    seconds: list[float] = field(default_factory=list)
    doubts: int = 0  # answers that did not come
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        for student in self.students:
            self.hub.add(student, [f"nbgrader-{COURSE}"])

    @property
    def students(self) -> list[str]:
        return [f"{self.prefix}{number:03}" for number in range(self.count)]

    def files(self, student: str) -> dict[str, bytes]:
        """A notebook of an ordinary size, and what all have in common."""
        return {"p1.ipynb": f'{{"by": "{student}"}}'.encode() * 2000, "common.py": b"shared = True\n" * 200}

    def submit(self, url: str, *, retry: bool, over_s: float = 0.0, threads: int = 16) -> None:
        """All of them submit, spread over some seconds; with `retry` until it is acknowledged."""
        begun = time.monotonic()

        def submit_in_turn(numbered: tuple[int, str]) -> None:
            number, student = numbered
            time.sleep(max(0.0, begun + over_s * number / self.count - time.monotonic()))
            self._one(url, student, retry)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(submit_in_turn, enumerate(self.students)))

    def _one(self, url: str, student: str, retry: bool) -> None:
        headers = {"Authorization": f"token {token(student)}", "Idempotency-Key": f"key-of-{student}-".ljust(24, "0")}
        path = f"{url}/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions"
        files = self.files(student)
        until = time.monotonic() + 90
        while time.monotonic() < until:
            started = time.perf_counter()
            try:
                answer = httpx.post(path, headers=headers, files=form(files), timeout=60, verify=False)
            except httpx.HTTPError:
                answer = None
            with self._lock:
                if answer is not None and answer.status_code in (200, 201):
                    self.seconds.append(time.perf_counter() - started)
                    self.acknowledged[student] = (answer.json()["id"], answer.json()["manifest_sha256"])
                    return
                self.doubts += 1
            if not retry:
                return
            time.sleep(0.2)

    def assert_kept(self, ledger: Ledger) -> None:
        """Every acknowledged submission is there with the content that was signed for; none is there twice or half."""
        submissions = [
            submission for submission in ledger.submissions(COURSE) if submission.student in set(self.students)
        ]
        assert len({submission.student for submission in submissions}) == len(submissions)
        by_student = {submission.student: (submission.id, submission.manifest_sha256) for submission in submissions}
        for student, receipt in self.acknowledged.items():
            assert by_student.get(student) == receipt
        for submission in submissions:
            files = self.files(submission.student)
            assert submission.manifest_sha256 == manifest(files).sha256
            assert {entry.path: b"".join(ledger.content(entry)) for entry in submission.files} == files
