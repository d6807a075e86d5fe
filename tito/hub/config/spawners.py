"""How people's servers are started: by which spawner, with which limits, and what each is told about its person."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tito.errors import BadSource
from tito.hub.config.origins import service_address
from tito.hub.config.people import formgraders_of, role_of
from tito.hub.config.services import exchange_url
from tito.hub.config.settings import CLUSTER, LAPTOP, SERVER, HubSettings
from tito.hub.config.spawn_throttle import SpawnThrottle
from tito.hub.student.server import FORMGRADERS_VARIABLE, ROLE_VARIABLE

USUAL = {LAPTOP: "local", SERVER: "docker", CLUSTER: "chart"}
# How many threads the libraries behind numpy start: all of a machine's, unless they are told.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
MODULE = [
    "-P",
    "-m",
    "tito.hub.student.server",
]  # -P: a student's file random.py must not keep their server from starting


def spawner_kind(settings: HubSettings) -> str:
    """Which spawner.

    Raises:
        BadSource: local processes were asked for elsewhere than on a laptop.
    """
    kind = settings.spawner.kind or USUAL[settings.deployment]
    if kind == "local" and settings.deployment != LAPTOP:
        raise BadSource(
            "spawner.kind is 'local', and this is no laptop: all servers would share one account, and read each other.",
            hint="Set it to 'docker'.",
        )
    return kind


def configure_spawner(c: Any, settings: HubSettings, state: Path) -> None:
    """Tell the hub how servers are started."""
    kind = spawner_kind(settings)
    spawner = c.KubeSpawner if kind == "chart" else c.Spawner  # the chart tells KubeSpawner, which goes before Spawner
    spawner.environment.update(environment(settings))
    c.Spawner.default_url = "/lab"
    if kind != "chart":
        c.Spawner.start_timeout = c.Spawner.http_timeout = settings.spawner.start_timeout_s
        c.Spawner.pre_spawn_hook = SpawnThrottle(settings.spawner.at_once)
        c.JupyterHub.concurrent_spawn_limit = 0  # its way is to refuse whoever comes then
        c.JupyterHub.active_server_limit = settings.spawner.most
    {"local": _local, "docker": _docker, "chart": _chart}[kind](c, settings, state)


def environment(settings: HubSettings) -> dict[str, str | Callable[[Any], str]]:
    """What each server finds in its environment; what depends on the person is asked when it starts."""

    def role(spawner: Any) -> str:
        return role_of(_groups(spawner))

    def formgraders(spawner: Any) -> str:
        titles = formgraders_of(_groups(spawner), settings.courses)
        addresses = {title: service_address(settings, course) for course, title in titles.items()}
        return json.dumps({title: f"{address}/formgrader" for title, address in addresses.items()})

    return {
        "TITO_EXCHANGE_URL": exchange_url(settings, of_servers=True),
        ROLE_VARIABLE: role,
        FORMGRADERS_VARIABLE: formgraders,
        **dict.fromkeys(THREADS, _threads),
    }


def _threads(spawner: Any) -> str:
    """As many as processors that the server may use; one where nothing limits it, for the machine is shared then. With
    more, servers would hold each other up, and what a notebook measures would be another's work."""
    return str(max(1, int(spawner.cpu_limit or 1)))


def _groups(spawner: Any) -> set[str]:
    return {group.name for group in spawner.user.groups}


def _local(c: Any, settings: HubSettings, state: Path) -> None:
    """Processes of this account, each in a folder of its own: for a trial, since they can read each other."""
    homes = state / "homes"
    homes.mkdir(parents=True, exist_ok=True, mode=0o700)
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = f"{homes}/{{username}}"
    c.Spawner.cmd = [sys.executable, *MODULE]
    if os.geteuid() == 0:
        c.Spawner.args = ["--allow-root"]


def _docker(c: Any, settings: HubSettings, state: Path) -> None:
    """A container for each person, all of the same user inside; nothing is shared but the network."""
    chosen = settings.spawner
    c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
    c.DockerSpawner.image = chosen.image
    c.DockerSpawner.cmd = [chosen.python, *MODULE]
    c.DockerSpawner.network_name = chosen.network
    c.DockerSpawner.use_internal_ip = True
    c.DockerSpawner.remove = True  # the container; the home folder is a volume
    c.DockerSpawner.notebook_dir = chosen.home
    c.DockerSpawner.volumes = {chosen.volume: {"bind": chosen.home, "mode": "rw"}}
    c.DockerSpawner.mem_limit = f"{chosen.memory_mb}M"
    c.DockerSpawner.cpu_limit = chosen.cpus
    c.DockerSpawner.extra_host_config = {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": chosen.processes,
        # A question that a network's name server lost, as podman's does when a container starts, costs 1 s and not 5.
        "dns_opt": ["timeout:1", "attempts:5"],
    }


def _chart(c: Any, settings: HubSettings, state: Path) -> None:
    """Zero to JupyterHub's values say how; only what is started is ours."""
    c.KubeSpawner.cmd = [settings.spawner.python, *MODULE]
