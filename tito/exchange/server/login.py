"""A browser's login with the hub, for the exchange's page: OAuth, as JupyterHub has it for its services.

What comes of it is a token of the hub's for this service, kept in a cookie that scripts cannot read and that is sent to
this service alone. Whose it is and what they may see is asked of the hub as for every other token.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from tito.exchange.protocol.problems import Refused

SESSION, STATE = "tito-exchange", "tito-exchange-state"
HOST_PREFIX = "__Host-"  # a cookie so named can be set by its own host alone
STATE_S = 600
TIMEOUT = httpx.Timeout(10.0, connect=3.0)


class LoginNeeded(Exception):
    """There is no token in the request's cookie, or none that the hub knows any more."""

    def __init__(self, login: Login) -> None:
        super().__init__("login")
        self.login = login


@dataclass(frozen=True)
class Login:
    """The service as an OAuth client of the hub."""

    client_id: str
    secret: str = field(repr=False)  # the service's own token
    authorize_url: str  # for browsers
    token_url: str  # for this service
    callback_url: str
    page: str  # its address, or a path where that has the hub's origin
    path: str  # the service's prefix
    alone: bool = False  # whether it has its origin to itself, and TLS: nobody else's page can set its cookies then

    def redirect(self, request: Request) -> Response:
        """Send the browser to the hub, with a state that only this browser can bring back."""
        state = secrets.token_urlsafe(24)
        query = {"client_id": self.client_id, "redirect_uri": self.callback_url, "response_type": "code"}
        answer = RedirectResponse(f"{self.authorize_url}?{urlencode(query | {'state': state})}", status_code=302)
        self._keep(answer, request, STATE, state, STATE_S)
        return answer

    async def token(self, request: Request) -> str:
        """The token for the code that the browser brought from the hub.

        Raises:
            Refused: this browser did not ask for it, or the hub does not give one.
        """
        state, expected = request.query_params.get("state", ""), self.cookie(request, STATE)
        code = request.query_params.get("code", "")
        if not expected or not hmac.compare_digest(state.encode(), expected.encode()) or not code:
            raise Refused("This login was not begun here.", status=400, where="login", hint="Open the page again.")
        form = {"client_id": self.client_id, "client_secret": self.secret, "grant_type": "authorization_code"}
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as hub:
                answer = await hub.post(self.token_url, data=form | {"code": code, "redirect_uri": self.callback_url})
            grant: Any = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError) as error:
            raise Refused("The hub does not answer.", status=503, where="hub", hint="Try again.") from error
        token = grant.get("access_token") if isinstance(grant, dict) else None
        if not isinstance(token, str) or not token:
            raise Refused("The hub does not take this login.", status=403, where="login", hint="Open the page again.")
        return token

    def welcome(self, request: Request, token: str) -> Response:
        """Keep the token in the browser, and go to the page."""
        answer = RedirectResponse(f"{self.path}/", status_code=302)
        self._keep(answer, request, SESSION, token, None)
        self._keep(answer, request, STATE, "", 0)
        return answer

    def cookie(self, request: Request, name: str) -> str:
        """What the browser brings in a cookie of ours."""
        return request.cookies.get(f"{HOST_PREFIX}{name}" if self.alone else name, "")

    def _keep(self, answer: Response, request: Request, name: str, value: str, for_s: int | None) -> None:
        scheme = request.headers.get("X-Forwarded-Proto", request.url.scheme).split(",")[0].strip()
        if self.alone:
            name, path, secure = f"{HOST_PREFIX}{name}", "/", True
        else:
            path, secure = self.path, scheme == "https"
        answer.set_cookie(name, value, max_age=for_s, path=path, secure=secure, httponly=True, samesite="lax")
        answer.headers["Cache-Control"] = "no-store"
