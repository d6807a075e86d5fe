"""Who is asking: the hub is, with the token that came with the request, and nothing else is believed.

Groups make roles: `formgrade-<course>` instructor, `ta-<course>` TA, `nbgrader-<course>` student. The hub's services (a
formgrader) are in no groups; the hub's administrator says in which ones each counts (`services`). A service alone can
count as `precheck-<course>`: it runs visible tests on submit, and is no member of the course.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Role

ROLE_OF_GROUP = {"formgrade": Role.INSTRUCTOR, "ta": Role.TA, "nbgrader": Role.STUDENT}
PRECHECKS = "precheck-"
_TOKEN = re.compile(r"(?i:token|bearer) ([A-Za-z0-9._~+/=-]{8,512})")
_KNOWN_MAX = 10_000
_LOOKUPS = 20  # at the hub, at a time
# To connect is to look its name up as well. Where one of a container's name servers is silent, as podman's may be for
# minutes, the resolver waits 5 s before it asks the next.
_PATIENCE = httpx.Timeout(8.0, connect=6.5)
_KEPT_OPEN = httpx.Limits(max_keepalive_connections=_LOOKUPS, keepalive_expiry=300.0)


@dataclass(frozen=True)
class Caller:
    """Whom the hub vouches for, and their role in each course."""

    name: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    prechecks: frozenset[str] = frozenset()  # courses whose prechecks it runs

    def role(self, course: str) -> Role:
        return self.roles.get(course, Role.NOBODY)


def roles_of(groups: list[str]) -> dict[str, Role]:
    """The highest role in each course."""
    roles: dict[str, Role] = {}
    for group in groups:
        kind, _, course = group.partition("-")
        if course and kind in ROLE_OF_GROUP:
            roles[course] = max(roles.get(course, Role.NOBODY), ROLE_OF_GROUP[kind])
    return roles


def prechecks_of(groups: list[str]) -> frozenset[str]:
    """The courses whose prechecks a service in these groups runs."""
    return frozenset(group.removeprefix(PRECHECKS) for group in groups if group.startswith(PRECHECKS))


def token_of(header: str) -> str:
    """The token of an Authorization header.

    Raises:
        Refused: there is none.
    """
    match = _TOKEN.fullmatch(header)
    if match is None:
        raise _unknown("There is no token of the hub in this request.")
    return match[1]


def _unknown(message: str) -> Refused:
    hint = "Send 'Authorization: token ...' with a token of the hub; in a server started by the hub, restart it."
    return Refused(message, status=401, where="Authorization", hint=hint)


class HubIdentity:
    """Asks the hub, and remembers its answer for some seconds: a token that is revoked works for that much longer."""

    def __init__(
        self,
        api_url: str,
        *,
        services: Mapping[str, list[str]] | None = None,
        access_scopes: frozenset[str] = frozenset(),
        keep_s: float = 10.0,
        keep_refusal_s: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = httpx.AsyncClient(timeout=_PATIENCE, limits=_KEPT_OPEN, transport=transport)
        self._url = f"{api_url.rstrip('/')}/user"
        self._services = services or {}
        self._access_scopes = access_scopes
        self._keep_s = keep_s
        self._keep_refusal_s = keep_refusal_s
        self._clock = clock
        self._known: dict[str, tuple[float, Caller | Refused]] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._lookups = asyncio.Semaphore(_LOOKUPS)

    async def caller(self, header: str) -> Caller:
        """Whose token this is.

        Raises:
            Refused: 401 for nobody's; 403 for one that may not come here; 503 while the hub does not answer.
        """
        token = token_of(header)
        key = hashlib.sha256(token.encode()).hexdigest()
        if (known := self._fresh(key)) is not None:
            return known
        async with self._asking.setdefault(key, asyncio.Lock()):
            try:
                if (known := self._fresh(key)) is not None:
                    return known
                return await self._ask(token, key)
            finally:
                self._asking.pop(key, None)

    def _fresh(self, key: str) -> Caller | None:
        until, known = self._known.get(key, (0.0, None))
        if known is None or self._clock() >= until:
            return None
        if isinstance(known, Refused):
            raise known
        return known

    async def _ask(self, token: str, key: str) -> Caller:
        try:
            async with self._lookups:
                answer = await self._http.get(self._url, headers={"Authorization": f"token {token}"})
            model = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError) as error:
            raise _hub_away() from error
        try:
            if answer.status_code in (401, 403, 404):
                raise _unknown("The hub does not know this token, or it has expired.")
            if not isinstance(model, dict):
                raise _hub_away()
            caller = self._caller(model)
        except Refused as refusal:
            if refusal.status != 503:
                self._remember(key, refusal, self._keep_refusal_s)
            raise
        self._remember(key, caller, self._keep_s)
        return caller

    def _caller(self, model: Mapping[str, Any]) -> Caller:
        name = model.get("name")
        if not isinstance(name, str) or not name:
            raise Refused(
                "The hub does not say whose token this is.",
                status=403,
                where="Authorization",
                hint="The token needs the scope read:users:name!user.",
            )
        scopes = set(model.get("scopes") or [])
        if self._access_scopes and not scopes & {*self._access_scopes, "access:services"}:
            raise Refused(
                "This token may not be used with the exchange.",
                status=403,
                where="Authorization",
                hint=f"It needs the scope {min(self._access_scopes)}.",
            )
        if model.get("kind") == "service":
            counted = self._services.get(name, [])
            return Caller(f"service:{name}", roles_of(counted), prechecks_of(counted))
        if "groups" not in model:
            raise Refused(
                "The hub does not say which groups this user is in.",
                status=403,
                where="Authorization",
                hint="The token needs the scope read:users:groups!user.",
            )
        return Caller(name, roles_of([str(group) for group in model["groups"] or []]))

    def _remember(self, key: str, answer: Caller | Refused, for_s: float) -> None:
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        self._known[key] = (self._clock() + for_s, answer)

    async def close(self) -> None:
        await self._http.aclose()


def _hub_away() -> Refused:
    return Refused(
        "The hub does not answer, so the exchange cannot know who is asking.",
        status=503,
        where="hub",
        hint="Try again in a minute.",
        retry_after_s=3,
    )
