"""A real JupyterHub with the exchange as its service, without a proxy: its API and the service are reached directly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from exchange_support import wait_for
from ports import free_port

COURSE = "tiny"
GROUPS = {
    f"formgrade-{COURSE}": ["teacher"],
    f"ta-{COURSE}": ["tutor"],
    f"nbgrader-{COURSE}": ["ada", "bob"],
    "formgrade-other": ["foreign"],
}
USERS = sorted({user for users in GROUPS.values() for user in users} | {"nobody"})
# What a single-user server needs for the exchange, and no more: a token may always tell whose it is, groups included.
SCOPES = ["access:services!service=exchange"]
KEEP_S = 2  # for so long the exchange remembers the hub's word
ADMIN_TOKEN = "admin-token-of-the-tests"

CONFIG = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    routes = {{}}
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return self.routes

c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.bind_url = "http://127.0.0.1:{proxy_port}"
c.Authenticator.allowed_users = {users}
c.JupyterHub.load_groups = {{name: {{"users": users}} for name, users in {groups}.items()}}
c.JupyterHub.services = [
    {{"name": "tests", "api_token": "{admin_token}"}},
    {{
        "name": "exchange",
        "url": "http://127.0.0.1:{port}",
        "command": [{python!r}, "-m", "tito.exchange"],
        "environment": {{
            "TITO_EXCHANGE_ROOT": {root!r},
            "TITO_EXCHANGE_UPLOADS_PER_MINUTE": "1000",
            "TITO_EXCHANGE_IDENTITY_KEEP_S": "{keep_s}",
        }},
        "oauth_no_confirm": True,
    }},
]
c.JupyterHub.load_roles = [
    {{"name": "tests", "scopes": ["admin:users", "tokens", "groups"], "services": ["tests"]}},
    {{"name": "user", "scopes": ["self", "access:services!service=exchange"]}},
]
"""


@dataclass(frozen=True)
class RealHub:
    """Where it is, and a token of each user as their servers have it."""

    api: str
    exchange: str
    root: Path
    log: Path
    tokens: dict[str, str]
    process: subprocess.Popen[bytes]

    def as_admin(self, method: str, path: str, **how: object) -> httpx.Response:
        headers = {"Authorization": f"token {ADMIN_TOKEN}"}
        return httpx.request(method, f"{self.api}{path}", headers=headers, timeout=30, **how)  # type: ignore[arg-type]

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """The hub does not answer, though it is there; its services run on."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def new_token(self, user: str, scopes: list[str], expires_in_s: int = 3600) -> str:
        body = {"scopes": scopes, "expires_in": expires_in_s}
        answer = self.as_admin("POST", f"/users/{user}/tokens", json=body)
        answer.raise_for_status()
        return str(answer.json()["token"])


@contextmanager
def real_hub(folder: Path) -> Iterator[RealHub]:
    """Start a hub in `folder`; at the end it is stopped, and its services with it."""
    folder.mkdir(parents=True, exist_ok=True)
    hub_port, proxy_port, port = free_port(), free_port(), free_port()
    root, log = folder / "exchange", folder / "log"
    config = CONFIG.format(
        hub_port=hub_port, proxy_port=proxy_port, port=port, users=set(USERS), groups=GROUPS,
        admin_token=ADMIN_TOKEN, keep_s=KEEP_S, python=sys.executable, root=str(root),
    )  # fmt: skip
    (folder / "jupyterhub_config.py").write_text(config)
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"],
            cwd=folder, stdout=out, stderr=out, start_new_session=True, env=os.environ | {"JUPYTERHUB_CRYPT_KEY": ""},
        )  # fmt: skip
    api, exchange = f"http://127.0.0.1:{hub_port}/hub/api", f"http://127.0.0.1:{port}/services/exchange"
    hub = RealHub(api, exchange, root, log, {}, process)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return (
                httpx.get(f"{hub.exchange}/health", timeout=2).status_code == 200
                and hub.as_admin("GET", "/users").status_code == 200
            )
        except httpx.HTTPError:
            return False

    try:
        wait_for(answers, 90)
        for user in USERS:
            if user == "nobody":  # the others were made with their groups
                hub.as_admin("POST", f"/users/{user}")
            hub.tokens[user] = hub.new_token(user, SCOPES)
        yield hub
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
