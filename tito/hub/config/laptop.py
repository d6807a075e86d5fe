"""`make hub`: a real hub on this machine's loopback, for a trial. Started, told about, and stopped by Ctrl-C.

The course is the one in demo/, where there is one, else the one of the folder. Its exchange is served, so what was
released and handed in is there. All servers are processes of one account: people could read each other's files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import click

from tito.course.course import Course, find_course, keep_private, load_course
from tito.course.settings import SETTINGS_FILE
from tito.errors import PlatformError, TitoError
from tito.hub.config.authenticators import new_password, tell_password
from tito.hub.config.load_settings import FILE_VARIABLE, PREFIX, load_settings
from tito.hub.config.origins import hub_address, service_address
from tito.hub.config.services import ends_with_parent
from tito.hub.config.settings import HubSettings

DEMO, DEMO_MARK = "demo", ".tito-demo"
CONFIG = Path("docker") / "jupyterhub_config.py"
PROXY = Path("docker") / "node_modules" / ".bin" / "configurable-http-proxy"
PASSWORD_VARIABLE = f"{PREFIX}AUTH_DUMMY_PASSWORD"
BOOK, BOOK_VARIABLE = Path("book") / "_build" / "html", f"{PREFIX}BOOK_URL"
START_S, STOP_S = 120, 60
WARNING = """\
This is a trial, and no hub for a class: all servers are processes of your own account, and whoever logs in can read
the others' files and yours. A class needs a server with containers: see book/how-to/hub.md."""


@dataclass(frozen=True)
class Ports:
    """One after the other, from the one that people see."""

    public: int

    @property
    def all(self) -> dict[str, int]:
        names = ("the hub's address", "the proxy", "the hub", "the exchange", "formgrader", "the book")
        return {name: self.public + offset for offset, name in enumerate(names)}


def main() -> None:
    """Entry point of `python -m tito.hub.config.laptop`."""
    options = _options()
    try:
        sys.exit(run(options.project, options.course, options.port))
    except TitoError as error:
        sys.exit(f"tito.hub: {error}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make hub", description="A real hub on this machine, for a trial.")
    parser.add_argument("--project", type=Path, default=Path(), help="folder that holds docker/ (default: here)")
    parser.add_argument("--course", type=Path, help="course folder (default: demo/, else the project's own)")
    parser.add_argument("--port", type=int, default=8000, help="and the five after it (default: 8000)")
    return parser.parse_args()


def run(project: Path, course_folder: Path | None, port: int) -> int:
    """Start the hub, say how to use it, and wait for its end.

    Raises:
        TitoError: it cannot be started.
    """
    project = project.resolve()
    course = _course(project, course_folder)
    environment = _environment(project, course, Ports(port))
    settings = load_settings(environment)
    _require_free(Ports(port))
    password = environment.setdefault(PASSWORD_VARIABLE, new_password())
    state = settings.state.absolute()
    keep_private(state)
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = state / "hub.log"
    click.echo(f"{WARNING}\n\nStarting; the hub's log is {log}")
    with _book(project, environment, Ports(port)), _hub(project, environment, log) as process:
        try:
            _wait(process, settings, log)
            _say(settings, course, password, state)
            code = process.wait()
            click.echo(f"The hub ended by itself (exit code {code}); the end of {log} says why.", err=True)
        except KeyboardInterrupt:
            click.echo("\nStopping the hub, its services and all servers.")
            return 0
    return 3


def _course(project: Path, folder: Path | None) -> Course:
    demo = project / DEMO
    if folder is None and (demo / DEMO_MARK).exists():
        folder = demo
    course = find_course(folder) if folder is not None else load_course(project)
    return load_course(course.root) if mended_for_the_hub(course.root) else course


def mended_for_the_hub(root: Path) -> bool:
    """Have a demo's course use the hub's exchange, which serves the demo's own; whether anything had to be changed.

    The line keeps `make demo` away from a hub that it is run in. Nobody else's settings are touched.
    """
    path = root / SETTINGS_FILE
    text = path.read_text(encoding="utf-8")
    mended = re.sub(r'(?m)^url = "local"\n', "", text)
    if not (root / DEMO_MARK).exists() or mended == text:
        return False
    path.write_text(mended, encoding="utf-8")
    return True


def _environment(project: Path, course: Course, ports: Ports) -> dict[str, str]:
    """The hub's, with what the user did not choose themselves."""
    proxy = project / PROXY
    if not proxy.exists() and shutil.which(proxy.name) is None:
        raise PlatformError("configurable-http-proxy is not installed.", hint="Run scripts/proxy, as `make hub` does.")
    at = ports.all
    folders = course.step("submitted").glob("*/") if course.root.name == DEMO else ()
    students = sorted(folder.name for folder in folders)
    people = {"instructors": ["instructor"], "tas": ["ta"], "students": [*students, "student", "newcomer"]}
    ours = {
        "DEPLOYMENT": "laptop",
        "STATE": str(project / ".hub"),
        "BIND_URL": f"http://127.0.0.1:{ports.public}",
        "HUB_PORT": str(at["the hub"]),
        "PROXY_API_URL": f"http://127.0.0.1:{at['the proxy']}",
        "PROXY_COMMAND": str(proxy if proxy.exists() else proxy.name),
        "EXCHANGE_PORT": str(at["the exchange"]),
        "EXCHANGE_ROOT": str(course.exchange_root),
    }
    if FILE_VARIABLE not in os.environ:
        if (project / BOOK / "index.html").exists():
            ours["BOOK_URL"] = _book_address(ports)
        course_entry = {"title": course.title, "root": str(course.root), "port": at["formgrader"]} | people
        course_entry["precheck"] = course.precheck.per_hour > 0
        ours["COURSES"] = json.dumps({course.id: course_entry})
    return {f"{PREFIX}{name}": value for name, value in ours.items()} | dict(os.environ)


def _book_address(ports: Ports) -> str:
    """Of the book that is served with the hub: another host than the hub's, so that they share no cookies either."""
    return f"http://127.0.0.1:{ports.all['the book']}/"


@contextlib.contextmanager
def _book(project: Path, environment: dict[str, str], ports: Ports) -> Iterator[None]:
    """The book, served while the hub is, where it is built and nobody has named another."""
    if environment.get(BOOK_VARIABLE) != _book_address(ports):
        yield
        return
    command = [*ends_with_parent(), sys.executable, "-P", "-m", "http.server", str(ports.all["the book"])]
    options = ["--bind", "127.0.0.1", "--directory", str(project / BOOK)]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen([*command, *options], stdin=nowhere, stdout=nowhere, stderr=nowhere) as server:
        try:
            yield
        finally:
            server.terminate()


def _require_free(ports: Ports) -> None:
    for name, port in ports.all.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise PlatformError(
                    f"Port {port}, for {name}, is in use.", hint="Stop what uses it, or: make hub PORT=9000."
                ) from None


@contextlib.contextmanager
def _hub(project: Path, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The hub as a process of its own group, so that Ctrl-C comes to us alone and the hub is stopped in order."""
    # SIGINT too: where it is ignored, the services would ignore it as well.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _interrupt)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        process = subprocess.Popen(
            [*ends_with_parent(), sys.executable, "-m", "jupyterhub", "-f", str(project / CONFIG)],
            cwd=project,
            env=environment,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _wait(process: subprocess.Popen[bytes], settings: HubSettings, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise PlatformError(f"The hub did not start: {''.join(last)}", hint=f"{log} says more.")
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{settings.bind_url.rstrip('/')}/hub/health", timeout=2)
            return
        time.sleep(0.3)
    raise PlatformError(f"The hub did not answer within {START_S} s.", hint=f"{log} says why.")


def _say(settings: HubSettings, course: Course, password: str, state: Path) -> None:
    from tito.exchange.server.local import LocalGateway

    gateway = LocalGateway(course.exchange_root, "")
    released = [release.assignment for release in gateway.releases(course.id)]
    gateway.close()
    nothing = "nothing yet: release something in formgrader, or with `tito release`"

    def address(service: str) -> str:
        return urljoin(hub_address(settings), service_address(settings, service))

    click.echo(f"\nThe hub is at   {hub_address(settings)}/")
    for name, course_settings in settings.courses.items():
        instructors, tas = ", ".join(course_settings.instructors), ", ".join(course_settings.tas)
        click.echo(f"Course {name}:  instructors {instructors}; TAs {tas}")
        click.echo(f"                students {', '.join(course_settings.students)}")
        click.echo(
            f"Visible tests:  {'run' if course_settings.precheck else 'not run'} on submit ([precheck] in course.toml)"
        )
        click.echo(f"Handed in:      {address('exchange')}/ (each sees their own)")
        click.echo(f"Formgrader:     {address(name)}/formgrader (log in as an instructor)")
    if settings.book_url:
        click.echo(f"The book:       {settings.book_url}")
    click.echo(f"Released:       {', '.join(released) or nothing}")
    tell_password(password, state)
    click.echo("Ctrl-C stops all of it; files stay in .hub/ and in the course.")


if __name__ == "__main__":
    main()
