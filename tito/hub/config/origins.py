"""Which names, and so which origins, browsers see: one for the hub, one for each person's server, one for each service.

A server can serve a page that asks for no log-in, and a script on it may do whatever its origin may. So a person's
server shares its origin with nothing: not with the hub, a formgrader, the exchange or another's server. The names stand
below the hub's, as JupyterHub makes them: `ada.hub.example.edu`, `exchange--service.hub.example.edu`.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.utils import subdomain_hook_idna

from tito.errors import BadSource
from tito.hub.config.settings import LAPTOP, HubSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ONE_ORIGIN = "none"
PORTS = {"http": 80, "https": 443}  # where an address names none
HINT = "Such as https://hub.example.edu, with DNS and a certificate for *.hub.example.edu too."
# For the proxy's Node: no page of somebody's server may tell a browser that its worker answers for the whole origin.
NO_SERVICE_WORKERS = Path(__file__).with_name("no_service_workers.mjs")


def subdomain_host(settings: HubSettings) -> str:
    """The hub's origin, below whose name servers and services have theirs; empty where all share one.

    On a laptop it is `localhost`, below which browsers find every name on this machine without being told.

    Raises:
        BadSource: the setting is no origin with a name, or it is missing where several courses share a hub.
    """
    chosen = settings.subdomain_host.rstrip("/")
    if chosen == ONE_ORIGIN:
        return ""
    if chosen:
        return _checked(chosen)
    bound = urlsplit(settings.bind_url)
    if settings.deployment == LAPTOP:
        return f"{bound.scheme}://localhost:{bound.port or 80}" if bound.hostname in LOOPBACK else ""
    if len(settings.courses) > 1:
        raise BadSource(
            "subdomain_host is not set, and this hub has several courses: a page on a student's server could do on the "
            "hub, in formgrader and in the exchange what whoever opens it may.",
            hint=f"{HINT} '{ONE_ORIGIN}' leaves all on one origin; book/how-to/hub.md says what that means.",
        )
    return ""


def _checked(chosen: str) -> str:
    parts = urlsplit(chosen)
    try:
        ipaddress.ip_address((parts.hostname or "").strip("[]"))
        named = False
    except ValueError:
        named = bool(parts.hostname)
    if parts.scheme not in ("http", "https") or not named or chosen != f"{parts.scheme}://{parts.netloc}":
        raise BadSource(f"subdomain_host is no origin with a name: {chosen}.", hint=HINT)
    return chosen


def base_path(settings: HubSettings) -> str:
    """What goes before every path: / at both ends."""
    path = urlsplit(settings.bind_url).path.strip("/")
    return f"/{path}/" if path else "/"


def hub_address(settings: HubSettings) -> str:
    """Where people open the hub, without a slash at the end."""
    return f"{subdomain_host(settings) or settings.bind_url.removesuffix(base_path(settings))}{base_path(settings)}"[
        :-1
    ]


def service_address(settings: HubSettings, service: str) -> str:
    """Where people open a service, without a slash at the end: on an origin of its own, or a path of the hub's."""
    return f"{service_origin(subdomain_host(settings), service)}{base_path(settings)}services/{service}"


def service_origin(host: str, service: str) -> str:
    """A service's origin, where the hub's is `host`; empty where all share one."""
    if not host:
        return ""
    parts = urlsplit(host)
    name = subdomain_hook_idna(service, parts.hostname, "service")
    return f"{parts.scheme}://{name}:{parts.port}" if parts.port else f"{parts.scheme}://{name}"


def book_address(settings: HubSettings) -> str:
    """Where the book is, for links to it; empty where the settings name none.

    Raises:
        BadSource: it is no address, or on the hub's origin: what somebody practises there could act on the hub as they.
    """
    chosen = settings.book_url
    if not chosen:
        return ""
    try:
        scheme, name, port = _origin(chosen)
    except ValueError:  # a port that is none, or half an IPv6 address
        scheme, name, port = "", "", None
    if scheme not in PORTS or not name:
        raise BadSource(f"book_url is no address: {chosen}.", hint="Such as https://book.example.edu/.")
    if (scheme, name, port) == _origin(hub_address(settings)):
        raise BadSource(
            f"book_url is on the hub's own origin: {chosen}. Notebooks that are practised in the book run there, "
            "and could do on the hub what whoever opens them may.",
            hint="Serve the book under a name of its own.",
        )
    return chosen


def _origin(address: str) -> tuple[str, str, int | None]:
    """Scheme, name and port of an address, as browsers compare them."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme)


def configure_origins(c: Any, settings: HubSettings) -> None:
    """Tell the hub. A page below the hub's name can set cookies for it; where there is TLS, none that the hub takes."""
    host = subdomain_host(settings)
    if not host:
        return
    c.JupyterHub.subdomain_host = host
    c.JupyterHub.public_url = f"{host}{base_path(settings)}"
    c.JupyterHub.cookie_host_prefix_enabled = urlsplit(host).scheme == "https"


def without_service_workers(command: list[str]) -> list[str]:
    """The proxy's command, as it forwards no `Service-Worker-Allowed`."""
    return ["env", f"NODE_OPTIONS=--import={NO_SERVICE_WORKERS.as_uri()}", *command]
