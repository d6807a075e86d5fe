"""Who may do what on the hub: routes of the hub, of formgrader and of people's servers, for everyone who could ask."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from loopback import Loopback
from test_hub_logins import SIGN_UP_PASSWORD, decide, open_account, sign_up
from whole_hub import PROJECT, Person, WholeHub, whole_hub

# teacher and tutor are of the course, professor is the instructor of another one, as eve is its student; ada has a
# server; owner runs the hub. Each has pending sign-ups of their own to decide on, all of students of the course.
ASKING = ("owner", "teacher", "tutor", "professor", "ada", "eve", "stranger")
TABLE = """
                              owner teacher tutor professor ada  eve  stranger
GET /hub/home                 200   200     200   200       200  200  login
GET /hub/admin                200   403     403   403       403  403  login
GET /hub/authorize            200   200     403   200       403  403  403
GET /hub/authorize/PENDING    405   405     405   405       405  405  405
GET /hub/discard/PENDING      405   405     405   405       405  405  405
POST /hub/authorize/PENDING   200   200     403   403       403  403  403
POST /hub/discard/OTHER       200   200     403   403       403  403  403
GET /hub/change-password/ada  200   403     403   403       403  403  403
GET API/users                 200   403     403   403       403  403  403
GET API/users/ada             200   404     404   404       200  404  403
POST API/users/ada/tokens     201   403     403   403       201  403  403
GET API/groups                200   403     403   403       403  403  403
GET API/proxy                 200   403     403   403       403  403  403
GET FORMGRADER/manage_assignments  200 200 403    403       403  403  login
GET FORMGRADER/files/source/   200  200     403   403       403  403  login
GET FORMGRADER/submissions/1/..%2f..%2fgradebook%2fgradebook.db  404 404 404 404 404 404 404
GET FORMGRADER/files/gradebook/gradebook.db  404 404 403 403 403 403 login
GET /services/exchange/       200   200     200   200       200  200  login
GET /user/ada/lab             200   403     403   403       200  403  login
POST /hub/withdraw/eve        200   403     403   403       403  403  403
"""
ROWS = [(row.split()[:2], row.split()[2:]) for row in TABLE.strip().splitlines()[1:]]
CELLS = [(*route, who, status) for route, row in ROWS for who, status in zip(ASKING, row, strict=True)]
FORMGRADER = "/services/tiny/formgrader"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, released_once: Path) -> Iterator[tuple[WholeHub, dict[str, Person]]]:
    folder = tmp_path_factory.mktemp("routes")
    root = folder / "course"
    shutil.copytree(released_once, root)
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    waiting = [f"{kind}-{who}" for kind in ("pending", "other") for who in ASKING]
    courses = {
        "tiny": {"root": str(root), "instructors": ["teacher"], "tas": ["tutor"], "students": ["ada", *waiting]},
        "other": {"instructors": ["professor"], "students": ["eve"]},
    }
    settings = {"AUTH_KIND": "native", "ADMINS": "owner", "IDLE_AFTER_MINUTES": "0", "COURSES": json.dumps(courses)}
    with whole_hub(folder, settings) as running:
        passwords = open_account(running, "owner", "teacher", "tutor", "professor")
        for name in ("ada", "eve"):
            sign_up(running, name)
            passwords[name] = SIGN_UP_PASSWORD
        people = {name: Person(running, name) for name in ASKING}
        people["owner"].log_in(passwords["owner"])
        for name in ("ada", "eve"):
            assert decide(people["owner"], "authorize", name) == 200
        for name, password in passwords.items():
            people[name].log_in(password)
            people[name].browser.get(running.address(f"{FORMGRADER}/"))
            people[name].browser.get(running.address("/services/exchange/"))
        people["ada"].start_server()
        for name in ("owner", "ada"):
            people[name].browser.get(running.address("/user/ada/lab"))
        for name in waiting:
            sign_up(running, name)
        yield running, people


@pytest.mark.parametrize(("method", "route", "who", "status"), CELLS)
def test_who_may_do_what(
    method: str, route: str, who: str, status: str, hub: tuple[WholeHub, dict[str, Person]]
) -> None:
    assert outcome(hub, method, route, who) == status


def outcome(hub: tuple[WholeHub, dict[str, Person]], method: str, route: str, who: str) -> str:
    """The status in the end, or `login` where that is asked for."""
    running, people = hub
    person = people[who]
    route = route.replace("PENDING", f"pending-{who}").replace("OTHER", f"other-{who}")
    if route.startswith("API"):
        if who != "stranger":
            person.browser.get("/hub/home")
        return str(asked(running, person, method, route.removeprefix("API")))
    if method == "POST":
        _, _, action, name = route.split("/")
        return str(decide(person, action, name))
    answer = person.browser.get(running.address(route.replace("FORMGRADER", FORMGRADER)))
    return "login" if answer.url.path == "/hub/login" else str(answer.status_code)


def asked(hub: WholeHub, person: Person, method: str, path: str) -> int:
    if person.name == "stranger":
        with httpx.Client(transport=Loopback(), base_url=hub.url) as client:
            return client.request(method, f"/hub/api{path}").status_code
    body: dict[str, Any] = {"json": {}} if method == "POST" else {}
    return person.api(method, path, **body).status_code
