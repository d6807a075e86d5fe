"""The hub's services: the exchange; for each course a formgrader and a precheck worker; the culler of idle servers."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tito.errors import BadSource
from tito.hub.config.load_settings import secret_of
from tito.hub.config.origins import base_path
from tito.hub.config.people import INSTRUCTOR, group, precheck_worker
from tito.hub.config.settings import CLUSTER, CourseSettings, HubSettings

Service = dict[str, Any]
FIRST_PORT = 8890  # of formgraders
LOOPBACK = "http://127.0.0.1"


def services(settings: HubSettings, state: Path) -> list[Service]:
    """All services of a hub with these settings; what they keep is in the folder `state`."""
    all_services = [_exchange(settings, state)]
    ports = iter(range(FIRST_PORT, 65536))
    for course, course_settings in settings.courses.items():
        if course_settings.root or course_settings.url:
            all_services.append(
                _formgrader(settings, state, course, course_settings, course_settings.port or next(ports))
            )
        if course_settings.precheck:
            all_services.append(_precheck_service(settings, state, course, course_settings))
    if settings.idle.after_minutes or settings.idle.max_hours:
        all_services.append(_culler(settings))
    return all_services


def exchange_url(settings: HubSettings, *, of_servers: bool) -> str:
    """Where the exchange is asked, by servers or by the hub's own services."""
    exchange = settings.exchange
    place = exchange.url or f"{LOOPBACK}:{exchange.port}"
    if of_servers:
        place = exchange.student_url or place
    return f"{place.rstrip('/')}{base_path(settings)}services/exchange"


def groups_of_services(settings: HubSettings) -> str:
    """TITO_EXCHANGE_SERVICES: each formgrader counts as an instructor of its course, each worker as its own."""
    counted = {
        course: [group(INSTRUCTOR, course)]
        for course, course_settings in settings.courses.items()
        if course_settings.root or course_settings.url
    }
    workers = [precheck_worker(course) for course, its in settings.courses.items() if its.precheck]
    return json.dumps(counted | {service: [service] for service in workers})


def _exchange(settings: HubSettings, state: Path) -> Service:
    exchange = settings.exchange
    page = {"oauth_no_confirm": True, "info": {"title": "What I handed in"}}
    if exchange.url:
        token = secret_of(exchange, "api_token")  # without one it cannot log anybody in, and has no page to show
        return _elsewhere("exchange", exchange.url, token) | (page if token else {"display": False})
    if settings.deployment == CLUSTER:
        raise BadSource(
            "On a cluster the exchange runs in a pod of its own.",
            hint="Set exchange.url, such as http://exchange:8889.",
        )
    environment = {
        "TITO_EXCHANGE_ROOT": str(state / exchange.root),
        "TITO_EXCHANGE_SERVICES": groups_of_services(settings),
    }
    if url := secret_of(exchange, "db_url"):
        environment["TITO_EXCHANGE_DB"] = url
    if exchange.store:
        environment["TITO_EXCHANGE_STORE"] = exchange.store
    return {
        "name": "exchange",
        "url": f"{LOOPBACK}:{exchange.port}",
        "command": started("tito.exchange"),
        "environment": environment,
    } | page


def _formgrader(settings: HubSettings, state: Path, course: str, course_settings: CourseSettings, port: int) -> Service:
    common = {"oauth_no_confirm": True, "info": {"title": f"Formgrader: {course_settings.title or course}"}}
    if course_settings.url:
        token = secret_of(course_settings, "api_token")
        if not token:
            raise BadSource(
                f"courses.{course}: the formgrader at {course_settings.url} has no token.",
                hint="Name a file in api_token_file.",
            )
        return _elsewhere(course, course_settings.url, token) | common
    from tito.hub.config.course_folder import require_fit  # not where all formgraders run elsewhere

    assert course_settings.root is not None
    root = course_settings.root.resolve()
    require_fit(root, course)
    home = state / "formgrader" / course
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return common | {
        "name": course,
        "url": f"{LOOPBACK}:{port}",
        "command": started("tito.hub.formgrader.service"),
        "cwd": str(root),
        "environment": {"HOME": str(home), "TITO_EXCHANGE_URL": exchange_url(settings, of_servers=False)},
    }


def _precheck_service(settings: HubSettings, state: Path, course: str, course_settings: CourseSettings) -> Service:
    """The worker of a course's prechecks: one for each course, with a token that is good for that one only."""
    name = precheck_worker(course)
    if name in settings.courses:
        raise BadSource(f"courses.{name}: the worker of {course} has that name.", hint="Name the course otherwise.")
    if token := secret_of(course_settings, "precheck_token"):
        return {"name": name, "api_token": token, "display": False}
    if settings.deployment == CLUSTER:
        raise BadSource(
            f"courses.{course}: on a cluster the worker of prechecks runs in a pod of its own, and has no token.",
            hint="Name a file in precheck_token_file.",
        )
    folder = state / "precheck" / course
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "name": name,
        "command": started("tito.precheck"),
        "cwd": str(folder),
        "environment": {
            "TITO_EXCHANGE_URL": exchange_url(settings, of_servers=False),
            "TITO_PRECHECK_COURSES": course,
            "TITO_PRECHECK_FOLDER": str(folder),
        },
        "display": False,
    }


def _elsewhere(name: str, url: str, token: str) -> Service:
    """A service that comes and goes by itself: it has its route at once, and the hub does not wait long for it."""
    service: Service = {"name": name, "url": url, "timeout": 2}
    if token:
        service["api_token"] = token
    return service


def _culler(settings: HubSettings) -> Service:
    idle = settings.idle
    longest_s = round(3600 * idle.max_hours)
    command = [
        *started("jupyterhub_idle_culler"),
        f"--timeout={round(60 * idle.after_minutes) or longest_s}",
        f"--cull-every={idle.every_s}",
        *([f"--max-age={longest_s}"] if longest_s else []),
    ]
    return {"name": "idle-culler", "command": command, "display": False}


def started(module: str) -> list[str]:
    """How a module is run as a service: without the working folder on its path, and not longer than the hub.

    A hub that was killed would leave its services on their ports, and the next one could not start its own.
    """
    return [*ends_with_parent(), sys.executable, "-P", "-m", module]


def ends_with_parent() -> list[str]:
    """What goes before a command so that it is told to end when its parent dies; nothing where that cannot be had."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
