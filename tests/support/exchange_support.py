"""What the exchange's tests share: a hub that answers for tokens, a service on loopback, people, bundles."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tito.exchange.client.client import Client
from tito.exchange.protocol.files import Upload
from tito.exchange.protocol.records import Entry, Manifest
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.login import Login
from tito.exchange.server.service import ServiceSettings, create_app, open_ledger

COURSE, OTHER_COURSE, ASSIGNMENT = "c101", "c102", "ps1"
ACCESS = "access:services!service=exchange"
PEOPLE: dict[str, list[str]] = {
    "ada": [f"nbgrader-{COURSE}"],
    "bob": [f"nbgrader-{COURSE}"],
    "tutor": [f"ta-{COURSE}"],
    "teacher": [f"formgrade-{COURSE}"],
    "foreign": [f"formgrade-{OTHER_COURSE}"],
    "nobody": [],
}


def token(user: str) -> str:
    return f"token-of-{user}"


@dataclass
class FakeHub:
    """The hub's GET /user, and nothing else of it."""

    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    up: bool = True
    asked: int = 0

    def __post_init__(self) -> None:
        for name, groups in PEOPLE.items():
            self.add(name, groups)

    def add(self, name: str, groups: list[str]) -> None:
        self.models[token(name)] = {"kind": "user", "name": name, "groups": groups, "scopes": [ACCESS]}

    def add_service(self, name: str, scopes: list[str]) -> None:
        self.models[token(name)] = {"kind": "service", "name": name, "scopes": scopes}

    def answer(self, authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked += 1
        if not self.up:
            return 502, {}
        model = self.models.get(authorization.removeprefix("token "))
        return (200, model) if model is not None else (403, {"message": "Missing or invalid credentials."})

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The hub's API on loopback; gives its URL."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, model = hub.answer(self.headers.get("Authorization", ""))
                body = json.dumps(model).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_: Any) -> None:
                pass  # a service that was killed while it asked

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hub/api"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@dataclass
class Service:
    """An exchange service that runs in a thread of the test."""

    url: str
    ledger: Ledger
    app: Any
    hub: FakeHub
    opened: ExitStack

    def http(self, user: str = "") -> httpx.Client:
        """Plain HTTP, as a user; closed with the service."""
        headers = {"Authorization": f"token {token(user)}"} if user else {}
        return self.opened.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=30))

    def client(self, user: str, **how: Any) -> Client:
        """Our own client, as a user; closed with the service."""
        client = Client(self.url, token(user), **how)
        self.opened.callback(client.close)
        return client


@contextmanager
def service(root: Path, hub: FakeHub | None = None, ledger: Ledger | None = None, **changed: Any) -> Iterator[Service]:
    """Run a service with its store in `root`, until the end of the block."""
    hub = hub or FakeHub()
    with hub.serving() as hub_url:
        settings = ServiceSettings(
            root=root,
            prefix="/services/exchange",
            hub_api_url=hub_url,
            **{"access_scopes": frozenset({ACCESS}), "uploads_per_minute": 10_000, "requests_per_minute": 100_000}
            | changed,
        )
        own = ledger or open_ledger(settings)
        app = create_app(settings, own)
        with running(app) as address, ExitStack() as opened:
            yield Service(f"{address}/services/exchange", own, app, hub, opened)
        own.close()


@contextmanager
def running(app: Any) -> Iterator[str]:
    """An ASGI application on loopback; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive())
        assert server.started
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def wait_for(ready: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is so, or fail."""
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "it did not come to it in time"
        time.sleep(0.02)


# The exchange as the hub's OAuth client, of a hub that nobody is sent to.
LOGIN = Login(
    client_id="service-exchange",
    secret="secret-of-the-exchange",
    authorize_url="/hub/api/oauth2/authorize",
    token_url="http://127.0.0.1:9/hub/api/oauth2/token",
    callback_url="/services/exchange/oauth_callback",
    page="/services/exchange/",
    path="/services/exchange",
)
FILES: dict[str, bytes] = {"p1.ipynb": b'{"cells": []}', "data/numbers.txt": b"1 2 3\n"}


def uploads(files: Mapping[str, bytes] | None = None, **more: bytes) -> list[Upload]:
    """Files to upload; `more` are notebooks by name."""
    content = dict(FILES if files is None else files) | {f"{name}.ipynb": data for name, data in more.items()}
    return [
        Upload(Entry(path, hashlib.sha256(data).hexdigest(), len(data)), BytesIO(data))
        for path, data in content.items()
    ]


def manifest(files: Mapping[str, bytes]) -> Manifest:
    return Manifest.of([upload.entry for upload in uploads(files)])


def form(files: Mapping[str, bytes], text: bytes | None = None) -> list[tuple[str, Any]]:
    """The parts of an upload, as httpx takes them."""
    content = manifest(files).to_json() if text is None else text
    parts: list[tuple[str, Any]] = [("manifest", ("m.json", content))]
    return parts + [("file", (str(at), files[path])) for at, path in enumerate(sorted(files))]


def released(service: Service, assignment: str = ASSIGNMENT, course: str = COURSE) -> None:
    """An assignment, released by the course's instructor."""
    user = "teacher" if course == COURSE else "foreign"
    service.client(user).publish(course, assignment, uploads(), replace=True)
