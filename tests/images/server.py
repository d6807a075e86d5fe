"""docker/compose.yml for real: podman-compose on bridged networks, students' servers by podman's API in Docker's place.

What is not as on a server: the engine, Debian's PostgreSQL and Caddy, one password for all, and that containers are
started one after the other, each as soon as the last one's health check is passed: podman has timers for these checks
only where there is systemd.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import containers
import httpx
from containers import ROOT, command
from loopback import Loopback, own_origin
from ports import free_port

ORDER = ("db", "proxy", "hub", "exchange", "formgrader", "precheck", "caddy")
SERVICES_GROUP = 54321  # of the engine's socket
HUB = """\
courses:
  tinytorch:
    instructors: [teacher]
    students: [{students}]
    url: http://formgrader:8890
    api_token_file: /run/secrets/formgrader_token
    precheck: true
    precheck_token_file: /run/secrets/precheck_token
auth:
  kind: dummy
  dummy: {{anywhere: true, password_file: /run/secrets/proxy_token}}
"""
# `up -d` waits for health checks in vain where nothing runs them.
COMPOSE = """\
#!/bin/sh
cd {folder}
if [ "$*" = "up -d" ]; then
    for service in {order}; do {compose} up -d --no-deps $service || exit; done
else
    exec {compose} "$@"
fi
"""


def obstacle_to_networks() -> str:
    """Why the server cannot be run here, or nothing."""
    if not podman_compose():
        return "there is no podman-compose here (PyPI: podman-compose)"
    programs = [Path(folder, "aardvark-dns") for folder in ("/usr/lib/podman", "/usr/libexec/podman")]
    missing = [name for name, there in (("iptables", shutil.which("iptables")),
                                        ("aardvark-dns", any(map(Path.exists, programs)))) if not there]  # fmt: skip
    if missing:
        return f"bridged networks need {', '.join(missing)}, which this machine lacks (Debian: of the same names)"
    image = f"localhost/tito-hub:{containers.VERSION}"
    argv = ["podman", "run", "--rm", "--no-healthcheck", image, "true"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return f"bridged networks do not work here: {done.stderr.strip()}" if done.returncode else ""


def podman_compose() -> str:
    beside = Path(sys.executable).with_name("podman-compose")
    return str(beside) if beside.exists() else shutil.which("podman-compose") or ""


@dataclass
class Person:
    """Somebody at the hub, as their browser is."""

    name: str
    http: httpx.Client

    def api(self, method: str, path: str, **how: object) -> httpx.Response:
        """A request of a page of the hub."""
        token = next(
            cookie.value for cookie in self.http.cookies.jar if cookie.name == "_xsrf" and cookie.path == "/hub/"
        )
        headers = {"X-XSRFToken": str(token), "Referer": f"{self.http.base_url}/hub/home"}
        return self.http.request(method, f"/hub/api{path}", headers=headers, **how)  # type: ignore[arg-type]

    def token(self) -> str:
        """A token that enters this person's own server."""
        scopes = [f"access:servers!user={self.name}"]
        answer = self.api("POST", f"/users/{self.name}/tokens", json={"scopes": scopes, "expires_in": 3600})
        return str(answer.raise_for_status().json()["token"])

    def start_server(self) -> None:
        answer = self.api("POST", f"/users/{self.name}/server")
        assert answer.status_code in (201, 202), answer.text
        until = time.monotonic() + 90
        while not self.api("GET", f"/users/{self.name}").json()["servers"].get("", {}).get("ready"):
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.3)


@dataclass
class Server:
    """All containers of compose.yml, running."""

    folder: Path
    port: int
    students: tuple[str, str]
    project: str
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def address(self, path: str) -> str:
        """Of a page: on its own origin, if it is one of a server or a service."""
        return own_origin(self.url, path)

    @property
    def compose_command(self) -> Path:
        return self.folder.parent / "compose"

    def compose(self, *argv: str) -> str:
        return command(self.compose_command, *argv)

    def inside(self, service: str, *argv: str) -> str:
        """What a command says in a service's container, with the secrets that its image's entry point reads."""
        return self.compose("exec", "-T", service, "with-secrets", *argv)

    def script(self, name: str, *argv: str | Path, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run one of docker/'s scripts, as the server's owner does."""
        homes = r"tito-home-\({}\)$".format(r"\|".join(self.students))  # others may run on this machine too
        variables = {"TITO_COMPOSE": str(self.compose_command), "TITO_ENGINE": "podman", "TITO_HOMES": homes}
        environment = os.environ | variables
        done = subprocess.run(
            [self.folder / name, *argv], capture_output=True, text=True, check=False, env=environment, timeout=300
        )
        assert (done.returncode != 0) == fails, f"{done.stdout}\n{done.stderr}"
        return done

    def container(self, service: str) -> str:
        return f"{self.project}_{service}_1"

    def start(self) -> None:
        for service in ORDER:
            self.compose("up", "-d", "--no-deps", service)
            self.wait_until_healthy(service)
        self._wait_for_tls()

    def _wait_for_tls(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{self.url}/hub/health", verify=False, timeout=5).raise_for_status()
                return
            except httpx.HTTPError:
                assert time.monotonic() < until, command("podman", "logs", self.container("caddy"))[-4000:]
                time.sleep(0.2)

    def wait_until_healthy(self, service: str) -> None:
        until = time.monotonic() + 60
        while subprocess.run(
            ["podman", "healthcheck", "run", self.container(service)], capture_output=True, check=False
        ).returncode:
            assert time.monotonic() < until, command("podman", "logs", self.container(service))[-4000:]
            time.sleep(0.3)

    def wait_for_names(self, person: Person) -> None:
        """Until a student's server finds the exchange by its name. podman's name server may be silent from when a
        container starts until the next one does, so another one is started in that network."""
        asking = ["podman", "exec", f"jupyter-{person.name}", "getent", "hosts", "exchange"]
        until = time.monotonic() + 60
        while subprocess.run(asking, capture_output=True, check=False).returncode:
            assert time.monotonic() < until, "no name server answers"
            image = f"localhost/tito-hub:{containers.VERSION}"
            network = f"{self.project}-students"
            command("podman", "run", "--rm", "--no-healthcheck", "--network", network, image, "true")

    def login(self, name: str) -> Person:
        if name not in self.people:
            http = httpx.Client(transport=Loopback(verify=False), base_url=self.url, follow_redirects=True, timeout=60)
            http.get("/hub/login").raise_for_status()
            password = (self.folder / "secrets" / "proxy_token").read_text()
            form = {"username": name, "password": password, "_xsrf": http.cookies["_xsrf"]}
            http.post("/hub/login?next=/hub/home", data=form).raise_for_status()
            self.people[name] = Person(name, http)
        return self.people[name]


@contextmanager
def running_server(folder: Path, course: Path) -> Iterator[Server]:
    """Set a server up in `folder` as its owner would, and run it until the end of the block."""
    folder.mkdir()
    shutil.copytree(
        ROOT / "docker", folder / "docker", ignore=shutil.ignore_patterns("node_modules", "secrets", ".env")
    )
    shutil.copytree(course, folder / "course")
    for path in (folder / "course", *(folder / "course").rglob("*")):
        shutil.chown(path, 1000, 1000)
    name = f"tito-test-{os.getpid()}"
    students = (f"ada{secrets.token_hex(3)}", f"bob{secrets.token_hex(3)}")
    server = Server(folder / "docker", free_port(), students, name)
    _write_settings(server)
    with _engine(folder / "engine.sock"):
        try:
            server.start()
            yield server
        finally:
            for person in server.people.values():
                person.http.close()
            _remove(server)


def _write_settings(server: Server) -> None:
    folder = server.folder
    command(folder / "init", "--subdomains", "localhost", "tinytorch", folder.parent / "course")
    (folder / "hub.yml").write_text(HUB.format(students=", ".join(server.students)))
    peers = f"localhost/tito-peers:{containers.VERSION}"
    with (folder / ".env").open("a") as file:
        file.write(
            f"TITO_VERSION={containers.VERSION}\nTITO_TLS=internal\nTITO_NETWORK={server.project}-students\n"
            f"TITO_HTTP_PORT=127.0.0.1:{free_port()}\nTITO_HTTPS_PORT=127.0.0.1:{server.port}\n"
            f"TITO_DOCKER_SOCKET={folder.parent / 'engine.sock'}\nTITO_DOCKER_GID={SERVICES_GROUP}\n"
            f"TITO_POSTGRES_IMAGE={peers}\nTITO_CADDY_IMAGE={peers}\n"
            f"TITO_SUBDOMAIN_HOST={server.url}\n"  # the last one counts: here it has a port
        )
    compose = f"{podman_compose()} --project-name {server.project}"
    text = COMPOSE.format(folder=folder, order=" ".join(ORDER), compose=compose)
    server.compose_command.write_text(text)
    server.compose_command.chmod(0o755)


@contextmanager
def _engine(socket: Path) -> Iterator[None]:
    """podman's Docker-compatible API, on a socket like Docker's."""
    argv = ["podman", "system", "service", "--time", "0", f"unix://{socket}"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not socket.exists():
            assert time.monotonic() < until and process.poll() is None, "podman's API did not start"
            time.sleep(0.05)
        os.chown(socket, 0, SERVICES_GROUP)
        socket.chmod(0o660)
        yield
    finally:
        process.terminate()
        process.wait()


def _remove(server: Server) -> None:
    """All that was made: students' containers and volumes, then the project's own."""
    for student in server.students:
        with contextlib.suppress(AssertionError):
            command("podman", "rm", "--force", "--time", "2", f"jupyter-{student}")
        with contextlib.suppress(AssertionError):
            command("podman", "volume", "rm", "--force", f"tito-home-{student}")
    server.compose("down", "--volumes", "--timeout", "3")
    with contextlib.suppress(AssertionError):
        command("podman", "network", "rm", "--force", f"{server.project}-students")
