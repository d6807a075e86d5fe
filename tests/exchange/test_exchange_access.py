"""Who may do what: every route of the service, for everyone who could ask, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from exchange_support import (
    ACCESS,
    ASSIGNMENT,
    COURSE,
    FILES,
    LOGIN,
    FakeHub,
    Service,
    form,
    released,
    service,
    token,
    uploads,
)
from fastapi import APIRouter
from fastapi.routing import APIRoute

from tito.exchange.protocol.records import Policy, PrecheckPolicy
from tito.exchange.server.access import Guard, guard_of, require_guards
from tito.exchange.server.login import SESSION
from tito.exchange.server.quotas import Quotas
from tito.exchange.server.service import PUBLIC

ASKING = ("ada", "bob", "tutor", "teacher", "foreign", "nobody", "forged", "anonymous", "precheck-worker")
# ada handed the submission in, bob is another student, foreign the instructor of another course; forged has a token
# that the hub does not know, anonymous none. precheck-worker is the service that runs the course's prechecks, and has
# claimed ada's submission. The page is asked with the token in a cookie, as a browser has it that has logged in.
TABLE = """
                     ada  bob  tutor teacher foreign nobody forged anonymous  precheck-worker
health               200  200  200   200     200     200    200    200      200
whoami               200  200  200   200     200     200    401    401      200
show_policy          403  403  403   200     403     403    401    401      403
list_my_deadlines    200  200  200   200     403     403    401    401      403
set_policy           403  403  403   200     403     403    401    401      403
list_fetches         403  403  403   200     403     403    401    401      403
list_releases        200  200  200   200     403     403    401    401      403
show_release         200  200  200   200     403     403    401    401      403
fetch_release        200  200  200   200     403     403    401    401      200
release              403  403  403   201     403     403    401    401      403
withdraw_release     403  403  403   200     403     403    401    401      403
submit               201  201  201   201     403     403    401    401      403
list_my_submissions  200  200  200   200     403     403    401    401      403
list_submissions     403  403  200   200     403     403    401    401      403
show_submission      200  404  200   200     403     403    401    401      403
fetch_submission     200  404  200   200     403     403    401    401      403
give_feedback        403  403  201   201     403     403    401    401      403
show_feedback        200  404  200   200     403     403    401    401      403
fetch_feedback       200  404  200   200     403     403    401    401      403
show_precheck           200  404  200   200     403     403    401    401      403
claim_precheck          403  403  403   403     403     403    401    401      200
fetch_claimed        403  403  403   403     403     403    401    401      200
renew_precheck          403  403  403   403     403     403    401    401      200
give_result          403  403  403   403     403     403    401    401      201
page                 200  200  200   200     200     200    302    302      403
oauth_callback       400  400  400   400     400     400    400    400      400
"""
PAGES = ("page", "oauth_callback")  # for browsers, and not described for programs
ROWS = {row.split()[0]: row.split()[1:] for row in TABLE.strip().splitlines()[1:]}
CELLS = [(route, who, int(status)) for route, row in ROWS.items() for who, status in zip(ASKING, row, strict=True)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str, str]]:
    """A service with an assignment, and ada's submission with feedback on it and under a lease, which is the last."""
    hub = FakeHub()
    hub.add_service("precheck-worker", [ACCESS])
    services = {"precheck-worker": [f"precheck-{COURSE}"]}
    quotas = Quotas(precheck_lease_s=3600)  # until all have been asked, on a busy machine too
    with service(tmp_path_factory.mktemp("exchange"), hub, services=services, login=LOGIN, quotas=quotas) as running:
        released(running)
        for who in ASKING:
            released(running, f"of-{who}")
        ada, teacher = running.client("ada"), running.client("teacher")
        teacher.set_policy(COURSE, Policy(precheck=PrecheckPolicy(per_hour=5)))
        mine = ada.submit(COURSE, ASSIGNMENT, uploads())
        claim = running.ledger.claim_precheck(COURSE, "service:precheck-worker")
        assert claim is not None
        teacher.give_feedback(mine, uploads({"p1.html": b"well done"}))
        yield running, mine.id, claim.lease.key


def requests(who: str, submission: str, lease: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """How each route is asked: method, path, and what is sent."""
    course, submission_path = f"/courses/{COURSE}", f"/courses/{COURSE}/submissions/{submission}"
    release, fresh = f"{course}/releases/{ASSIGNMENT}", {**FILES, "by.txt": who.encode()}
    return {
        "health": ("GET", "/health", {}),
        "page": ("GET", "/", {"cookies": {} if who == "anonymous" else {SESSION: token(who)}}),
        "oauth_callback": ("GET", "/oauth_callback?code=some&state=some", {}),
        "whoami": ("GET", "/whoami", {}),
        "show_policy": ("GET", f"{course}/policy", {}),
        "list_my_deadlines": ("GET", f"{course}/deadlines/mine", {}),
        "set_policy": ("PUT", f"{course}/policy", {"json": {}}),
        "list_fetches": ("GET", f"{course}/fetches", {}),
        "list_releases": ("GET", f"{course}/releases", {}),
        "show_release": ("GET", release, {}),
        "fetch_release": ("GET", f"{release}/archive", {}),
        "release": ("POST", f"{course}/releases/new-by-{who}", {"files": form(fresh)}),
        "withdraw_release": ("DELETE", f"{course}/releases/of-{who}", {}),
        "submit": ("POST", f"{course}/assignments/{ASSIGNMENT}/submissions", {"files": form(fresh)}),
        "list_my_submissions": ("GET", f"{course}/submissions/mine", {}),
        "list_submissions": ("GET", f"{course}/submissions", {}),
        "show_submission": ("GET", submission_path, {}),
        "fetch_submission": ("GET", f"{submission_path}/archive", {}),
        "give_feedback": ("POST", f"{submission_path}/feedback", {"files": form(fresh)}),
        "show_feedback": ("GET", f"{submission_path}/feedback", {}),
        "fetch_feedback": ("GET", f"{submission_path}/feedback/archive", {}),
        "show_precheck": ("GET", f"{submission_path}/precheck", {}),
        "claim_precheck": ("POST", f"{course}/prechecks/claim", {}),
        "fetch_claimed": ("GET", f"{course}/prechecks/{submission}/archive", {}),
        "renew_precheck": ("POST", f"{course}/prechecks/{submission}/renewal", {"json": {"lease": lease}}),
        "give_result": (
            "POST",
            f"{course}/prechecks/{submission}/result",
            {"json": {"lease": lease, "revision": 1, "engine": "1"}},
        ),
    }


def routes(running: Service) -> list[APIRoute]:
    api_routes: list[APIRoute] = []

    def walk(some: list[Any]) -> None:
        for route in some:
            if isinstance(route, APIRoute):
                api_routes.append(route)
            elif hasattr(route, "original_router"):
                walk(route.original_router.routes)

    walk(running.app.routes)
    return api_routes


@pytest.mark.parametrize(("route", "who", "status"), CELLS, ids=[f"{route}-{who}" for route, who, _ in CELLS])
def test_who_may_do_what(shared: tuple[Service, str, str], route: str, who: str, status: int) -> None:
    running, submission, lease = shared
    method, path, body = requests(who, submission, lease)[route]
    headers = {} if who == "anonymous" or "cookies" in body else {"Authorization": f"token {token(who)}"}
    answer = httpx.request(method, f"{running.url}{path}", headers=headers, timeout=30, **body)
    assert answer.status_code == status, answer.text
    assert token(who) not in answer.text
    if status >= 400 and route not in PAGES:
        assert set(answer.json()) == {"error", "where", "hint"}


def test_every_route_of_the_service_has_a_row(shared: tuple[Service, str, str]) -> None:
    assert sorted(route.name for route in routes(shared[0])) == sorted(ROWS)
    described = shared[0].http().get("/openapi.json").json()["paths"]
    assert sum(len(methods) for methods in described.values()) == len(ROWS) - len(PAGES)


def test_every_route_but_the_public_ones_declares_one_guard(shared: tuple[Service, str, str]) -> None:
    for route in routes(shared[0]):
        assert (route.name in PUBLIC) == (guard_of(route) is None), route.name


def test_a_service_with_a_route_that_says_not_who_may_use_it_does_not_start() -> None:
    router = APIRouter()

    @router.get("/secrets")
    def secrets() -> str:
        return ""

    with pytest.raises(RuntimeError, match="secrets"):
        require_guards(router.routes, PUBLIC)
    guard: Callable[..., Any] = Guard("somebody")
    from fastapi import Depends

    allowed = APIRouter()
    allowed.get("/open", dependencies=[Depends(guard)])(secrets)
    require_guards(allowed.routes, PUBLIC)


def test_students_see_only_their_own_among_all(shared: tuple[Service, str, str]) -> None:
    running, submission, _ = shared
    bob = running.client("bob")
    bob.submit(COURSE, ASSIGNMENT, uploads(bobs=b"{}"))
    mine = bob.my_submissions(COURSE)
    assert {listed.student for listed in mine} == {"bob"}
    assert submission not in {listed.id for listed in mine}
    everybody = {listed["student"] for listed in running.http("tutor").get(f"/courses/{COURSE}/submissions").json()}
    assert everybody >= {"ada", "bob"}


def test_a_submission_is_not_to_be_had_through_another_course(shared: tuple[Service, str, str]) -> None:
    running, submission, _ = shared
    answer = running.http("foreign").get(f"/courses/c102/submissions/{submission}")
    assert answer.status_code == 404
