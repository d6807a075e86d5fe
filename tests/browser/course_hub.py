"""A real hub with its proxy, the exchange and formgrader, on a course folder of its own with module 16."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from loopback import Loopback, own_origin
from ports import free_ports

from tito.course.course import Course, load_course
from tito.exchange.protocol.policy import policy_in
from tito.exchange.protocol.records import Policy
from tito.exchange.server.local import LocalGateway

PROJECT = Path(__file__).resolve().parents[2]
MODULE = "16_quantization"
NOTEBOOK = "quantization"
PASSWORD = "of-the-browser-tests"
INSTRUCTOR, RIGHT, WRONG = "grace", "ada", "bob"
START_S, STOP_S = 120, 60


@dataclass(frozen=True)
class CourseHub:
    """Where it is, and what it keeps."""

    url: str
    course: Course
    state: Path
    log: Path
    one_origin: bool = False

    def home(self, user: str) -> Path:
        return self.state / "homes" / user

    @property
    def formgrader(self) -> str:
        return self.address(f"/services/{self.course.id}/formgrader")

    def address(self, path: str) -> str:
        """Of a page: on its own origin, if it is one of a server or a service."""
        return f"{self.url}{path}" if self.one_origin else own_origin(self.url, path)


def proxy_command() -> str | None:
    """The proxy that `make hub` installs, or one on the path."""
    installed = PROJECT / "docker" / "node_modules" / ".bin" / "configurable-http-proxy"
    return str(installed) if installed.exists() else shutil.which(installed.name)


def course_folder(folder: Path) -> Course:
    """The repository's course with module 16 alone; nothing is built or released yet."""
    settings = (PROJECT / "course.toml").read_text(encoding="utf-8")
    (folder / "source").mkdir(parents=True)
    (folder / "course.toml").write_text(re.sub(r"(?m)^cell_timeout_s = .*$", "cell_timeout_s = 10", settings))
    shutil.copy(PROJECT / "nbgrader_config.py", folder)
    shutil.copy(PROJECT / "source" / f"{MODULE}.py", folder / "source")
    shutil.copytree(PROJECT / "variants" / MODULE, folder / "variants" / MODULE)
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "tinytorch_ref", folder / "tinytorch_ref", ignore=leave_out)
    return load_course(folder.resolve())


@contextmanager
def course_hub(
    folder: Path,
    proxy: str,
    make_course: Callable[[Path], Course] = course_folder,
    *,
    precheck: bool = True,
    one_origin: bool = False,
) -> Iterator[CourseHub]:
    """Start a hub in `folder`; at the end it is stopped, and all that it started."""
    course, state, log = make_course(folder / "course"), folder / "state", folder / "hub.log"
    public, proxy_api, hub_port, exchange, formgrader = free_ports(5)
    served = {
        "title": course.title,
        "root": str(course.root),
        "port": formgrader,
        "instructors": [INSTRUCTOR],
        "students": [RIGHT, WRONG],
        "precheck": precheck,
    }
    settings = {
        "DEPLOYMENT": "laptop",
        "STATE": str(state),
        "BIND_URL": f"http://127.0.0.1:{public}",
        "HUB_PORT": str(hub_port),
        "PROXY_API_URL": f"http://127.0.0.1:{proxy_api}",
        "PROXY_COMMAND": proxy,
        "EXCHANGE_PORT": str(exchange),
        "EXCHANGE_ROOT": str(course.exchange_root),
        "COURSES": json.dumps({course.id: served}),
        "AUTH_DUMMY_PASSWORD": PASSWORD,
        "SUBDOMAIN_HOST": "none" if one_origin else "",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TITO_", "JUPYTER"))}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(PROJECT / "docker" / "jupyterhub_config.py")],
            cwd=folder,
            env=environment | {f"TITO_HUB_{name}": value for name, value in settings.items()},
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    address = f"http://{'127.0.0.1' if one_origin else 'localhost'}:{public}"
    hub = CourseHub(address, course, state, log, one_origin)
    try:
        _wait(process, hub)
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def closed_to_students(hub: CourseHub) -> Iterator[None]:
    """Nothing of the module is taken meanwhile."""
    usual = policy_in(hub.course.root, hub.course.id)
    assert usual is not None
    past = datetime(2020, 1, 1, tzinfo=UTC)
    exchange = LocalGateway(hub.course.exchange_root, INSTRUCTOR)
    exchange.set_policy(hub.course.id, Policy(deadlines={MODULE: past}, cutoffs={MODULE: past}))
    try:
        yield
    finally:
        exchange.set_policy(hub.course.id, usual)
        exchange.close()


def _wait(process: subprocess.Popen[bytes], hub: CourseHub) -> None:
    """Until hub, exchange and formgrader answer through the proxy."""
    wanted = {"/hub/health": 200, "/services/exchange/health": 200, f"/services/{hub.course.id}/api": 200}
    until = time.monotonic() + START_S
    while True:
        assert process.poll() is None, hub.log.read_text()
        try:
            with httpx.Client(transport=Loopback(), timeout=5) as client:
                statuses = {path: client.get(hub.address(path)).status_code for path in wanted}
        except httpx.HTTPError:
            statuses = {}
        if statuses == wanted:
            return
        assert time.monotonic() < until, f"{statuses}\n{hub.log.read_text()}"
        time.sleep(0.3)
