"""The hub that `docker/jupyterhub_config.py` makes, with its real proxy; and people who log in as a browser does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from exchange_support import wait_for
from loopback import Loopback, own_origin
from ports import free_ports

PROJECT = Path(__file__).resolve().parents[2]
CONFIG = PROJECT / "docker" / "jupyterhub_config.py"
PASSWORD = "password-of-the-tests"
INSTALLED = PROJECT / "docker" / "node_modules" / ".bin" / "configurable-http-proxy"


def proxy_command() -> str:
    """Where the proxy is; a test without one is skipped."""
    command = str(INSTALLED) if INSTALLED.exists() else shutil.which(INSTALLED.name)
    if command is None or shutil.which("node") is None:
        pytest.skip("configurable-http-proxy is not installed (run scripts/proxy; Debian: nodejs, npm)")
    return command


@dataclass
class WholeHub:
    """A hub in a folder. `settings`: TITO_HUB_*, without the prefix."""

    folder: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    ports: list[int] = field(default_factory=lambda: free_ports(6))
    browsers: list[httpx.Client] = field(default_factory=list)
    proxy: subprocess.Popen[bytes] | None = None  # where it runs apart from the hub

    @property
    def url(self) -> str:
        return f"http://localhost:{self.ports[0]}"

    def address(self, path: str) -> str:
        """Of a page: on its own origin, if it is one of a server or a service."""
        return own_origin(self.url, path)

    @property
    def exchange(self) -> str:
        return f"http://127.0.0.1:{self.ports[3]}/services/exchange"

    @property
    def log(self) -> Path:
        return self.folder / "hub.log"

    @property
    def environment(self) -> dict[str, str]:
        usual = {
            "STATE": str(self.folder / "state"),
            "BIND_URL": f"http://127.0.0.1:{self.ports[0]}",
            "PROXY_API_URL": f"http://127.0.0.1:{self.ports[1]}",
            "HUB_PORT": str(self.ports[2]),
            "EXCHANGE_PORT": str(self.ports[3]),
            "PROXY_COMMAND": proxy_command(),
        }
        chosen = {f"TITO_HUB_{name}": value for name, value in (usual | self.settings).items()}
        mine = {name: value for name, value in os.environ.items() if not name.startswith("TITO_HUB_")}
        return mine | chosen

    def start_proxy(self) -> None:
        """The proxy apart from the hub, so that it stays when the hub goes."""
        token = "token-of-the-proxy-of-the-tests"
        self.settings |= {"PROXY_START": "false", "PROXY_AUTH_TOKEN": token, "KEEP_SERVERS": "true"}
        ports = ["--port", str(self.ports[0]), "--api-port", str(self.ports[1])]
        addresses = ["--ip", "127.0.0.1", "--api-ip", "127.0.0.1"]
        routes = ["--host-routing", "--error-target", f"http://127.0.0.1:{self.ports[2]}/hub/error"]
        with self.log.open("ab") as out:
            self.proxy = subprocess.Popen(
                [proxy_command(), *addresses, *ports, *routes],
                env=os.environ | {"CONFIGPROXY_AUTH_TOKEN": token}, stdout=out, stderr=out,
            )  # fmt: skip

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)],
                cwd=self.folder, env=self.environment, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        wait_for(self._answers, 90)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}/hub/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """In order; facts of JupyterHub: a hub that starts while the old one is still at it loses its services."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def close(self) -> None:
        """Stop it, and whatever it started or was asked by."""
        for browser in self.browsers:
            browser.close()
        self.stop()
        if self.proxy is not None:
            self.proxy.terminate()
            self.proxy.wait()
        end_leftovers(self.folder)

    def person(self, name: str) -> Person:
        """Somebody who has logged in."""
        person = Person(self, name)
        person.log_in()
        return person


class _Fields(HTMLParser):
    """The hidden fields of a page's forms."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "input" and attributes.get("type") == "hidden":
            self.found[attributes.get("name") or ""] = attributes.get("value") or ""


def hidden_fields(page: str) -> dict[str, str]:
    parser = _Fields()
    parser.feed(page)
    return parser.found


class Person:
    """A browser of one person: cookies, and forms sent as the page has them."""

    def __init__(self, hub: WholeHub, name: str) -> None:
        self.hub = hub
        self.name = name
        self.browser = httpx.Client(transport=Loopback(), base_url=hub.url, follow_redirects=True, timeout=90)
        hub.browsers.append(self.browser)

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        page = self.browser.get("/hub/login")
        form = hidden_fields(page.text) | {"username": self.name, "password": password}
        return self.browser.post("/hub/login", params={"next": "/hub/home"}, data=form)

    def send(self, method: str, place: str, path: str, **how: Any) -> httpx.Response:
        """A request as the pages below `place` send it."""
        xsrf = {cookie.path: cookie.value or "" for cookie in self.browser.cookies.jar if cookie.name == "_xsrf"}
        there = self.hub.address(place)
        headers = {"X-XSRFToken": xsrf[place], "Referer": there}
        return self.browser.request(method, f"{there}{path}", headers=headers, **how)

    def api(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The hub's API, as its own pages use it."""
        return self.send(method, "/hub/", f"api{path}", **how)

    def start_server(self, within_s: float = 120) -> None:
        self.browser.get("/hub/home")
        self.api("POST", f"/users/{self.name}/server").raise_for_status()

        def ready() -> bool:
            time.sleep(0.25)  # as seldom as a browser: many who wait would keep the hub busy
            servers = self.api("GET", f"/users/{self.name}").json()["servers"]
            return bool(servers.get("", {}).get("ready"))

        wait_for(ready, within_s)

    def get(self, path: str, **how: Any) -> httpx.Response:
        """From their own server, into which the hub lets them."""
        return self.browser.get(self.hub.address(f"/user/{self.name}{path}"), **how)

    @property
    def process(self) -> psutil.Process:
        """Their server's."""
        return server_process(self.name, self.hub.folder)

    @property
    def token(self) -> str:
        """What notebook code of theirs finds in its environment."""
        return self.process.environ()["JUPYTERHUB_API_TOKEN"]


def server_process(user: str, folder: Path) -> psutil.Process:
    for process in psutil.process_iter():
        try:
            if (
                "tito.hub.student.server" in process.cmdline()
                and f"{folder}/state/homes/{user}" == process.environ().get("HOME")
            ):
                return process
        except psutil.Error:
            continue
    raise AssertionError(f"{user} has no server")


@contextmanager
def whole_hub(folder: Path, settings: dict[str, str]) -> Iterator[WholeHub]:
    """Start a hub; at the end it is stopped, and whatever it started."""
    hub = WholeHub(folder, settings)
    try:
        hub.start()
        yield hub
    finally:
        hub.close()


def end_leftovers(folder: Path) -> None:
    """Servers that a hub was told to leave running, and whatever else has the folder in its environment."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and f"{folder}/state" in " ".join(process.environ().values()):
                process.kill()
        except (psutil.Error, OSError):
            continue
    time.sleep(0.1)
