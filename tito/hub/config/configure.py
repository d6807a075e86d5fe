"""Settings, applied to JupyterHub's configuration object. What another configuration has set already is added to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from traitlets.config import LazyConfigValue

from tito.course.course import keep_private
from tito.errors import BadSource, TitoError
from tito.hub.config.authenticators import configure_authenticator
from tito.hub.config.load_settings import load_settings, secret_of
from tito.hub.config.membership import hold_groups_to
from tito.hub.config.origins import base_path, book_address, configure_origins, without_service_workers
from tito.hub.config.people import groups
from tito.hub.config.roles import roles
from tito.hub.config.services import services
from tito.hub.config.settings import CLUSTER, SERVER, HubSettings
from tito.hub.config.spawners import configure_spawner

TEMPLATES = Path(__file__).with_name("templates")


def configure(c: Any, environment: Mapping[str, str] | None = None) -> None:
    """Configure a hub by the environment and the file that it names. A fault in them ends the process with one line."""
    try:
        apply(c, load_settings(os.environ if environment is None else environment))
    except TitoError as error:
        sys.exit(f"tito.hub: {error}")


def apply(c: Any, settings: HubSettings) -> None:
    """Tell a hub all that the settings say. On a cluster that is: people, scopes, services, and what servers run.

    Raises:
        BadSource: they do not fit each other.
        SandboxUnavailable: a course would have student code run in its formgrader's account.
    """
    state = _state(settings)
    named = groups(settings)
    c.JupyterHub.load_groups.update({name: {"users": users} for name, users in named.items()})
    hold_groups_to(named)
    _add(c, "load_roles", roles(settings))
    _add(c, "services", services(settings, state))
    configure_origins(c, settings)
    c.JupyterHub.template_paths.insert(0, str(TEMPLATES))
    c.JupyterHub.template_vars.update({"book_url": book_address(settings)})
    configure_spawner(c, settings, state)
    configure_authenticator(c, settings, state)
    if settings.deployment != CLUSTER:
        _hub(c, settings, state)
        _proxy(c, settings, state)


def database_url(settings: HubSettings) -> str:
    """Of the hub's own database."""
    return secret_of(settings, "db_url") or f"sqlite:///{settings.state.absolute() / 'jupyterhub.sqlite'}"


def _state(settings: HubSettings) -> Path:
    state = settings.state.absolute()
    if settings.deployment != CLUSTER:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if state.stat().st_uid != os.geteuid():
            raise BadSource(f"{state} belongs to another account.", hint="Name another folder in `state`.")
        state.chmod(0o700)
        keep_private(state)  # servers and services have it from here
    return state


def _add(c: Any, name: str, entries: list[dict[str, Any]]) -> None:
    """Add entries to one of JupyterHub's lists. What is there of the same name (a chart's service with its token) is
    filled up, and keeps what it says itself."""
    there = c.JupyterHub.get(name, [])
    if isinstance(there, LazyConfigValue):  # others have added to it, and nobody has set it
        there = there.get_value([])
    by_name = {entry["name"]: entry for entry in there}
    for entry in entries:
        if entry["name"] in by_name:
            by_name[entry["name"]].update(entry | by_name[entry["name"]])
        else:
            there.append(entry)
    c.JupyterHub[name] = there


def _hub(c: Any, settings: HubSettings, state: Path) -> None:
    c.JupyterHub.bind_url = settings.bind_url
    c.JupyterHub.base_url = base_path(settings)
    c.JupyterHub.hub_ip = settings.hub_ip
    c.JupyterHub.hub_port = settings.hub_port
    if settings.hub_host:
        c.JupyterHub.hub_connect_ip = settings.hub_host
    c.JupyterHub.db_url = database_url(settings)
    c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")
    c.JupyterHub.cleanup_servers = not (settings.keep_servers or settings.deployment == SERVER)


def _proxy(c: Any, settings: HubSettings, state: Path) -> None:
    proxy = settings.proxy
    token = secret_of(proxy, "auth_token")
    if not proxy.start and not token:
        raise BadSource(
            "The proxy runs apart from the hub, and nothing says by which token it knows the hub.",
            hint="Set proxy.auth_token_file, or TITO_HUB_PROXY_AUTH_TOKEN; the proxy has it as CONFIGPROXY_AUTH_TOKEN.",
        )
    c.ConfigurableHTTPProxy.should_start = proxy.start
    c.ConfigurableHTTPProxy.command = without_service_workers(proxy.command)
    c.ConfigurableHTTPProxy.api_url = proxy.api_url
    c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
    if token:
        c.ConfigurableHTTPProxy.auth_token = token
    if urlsplit(proxy.api_url).scheme not in ("http", "https"):
        raise BadSource(f"proxy.api_url is no address: {proxy.api_url}.", hint="Such as http://127.0.0.1:8001.")
