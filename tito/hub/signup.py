"""Sign-up in which instructors let people in, with a scope for just that; names of instructors, TAs and admins are not
to be had by it (accounts.py opens those).

NativeAuthenticator's own pages want `admin:users`, with which one could also delete the users of another course. And
its login page fails on today's JupyterHub (it counts with `statsd`, which is gone), so the hub's own takes the form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from jupyterhub.handlers.login import LoginHandler as HubLoginHandler
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import (
    AuthorizationAreaHandler,
    DiscardHandler,
    LoginHandler,
    SignUpHandler,
    ToggleAuthorizationHandler,
)
from tornado.web import HTTPError
from traitlets import Set, Unicode

from tito.hub.roles import APPROVE

ADMIN = "admin:users"
RESERVED = (
    "{} teaches here or runs this hub, so the name is not to be had here. Whoever runs the hub opens that account "
    "(python -m tito.hub.accounts) and hands out its password."
)


def require_approver(request: Any) -> None:
    """Raise unless who asks may let people in."""
    if not {APPROVE, ADMIN} & set(request.expanded_scopes or ()):
        raise HTTPError(403, "Only instructors let people in.")


def for_approvers(handler: type[Any]) -> type[Any]:
    """A page of NativeAuthenticator's, open to whoever may let people in."""
    unguarded: Callable[..., Any] = handler.get.__wrapped__

    async def get(self: Any, *arguments: str) -> None:
        require_approver(self)
        await unguarded(self, *arguments)

    return type(f"Approvers{handler.__name__}", (handler,), {"get": get})


class SignUp(SignUpHandler):  # type: ignore[misc]
    """NativeAuthenticator's page, which says why a name cannot be had."""

    def get_result_message(self, user: Any, human: bool, taken: bool, *rest: bool) -> tuple[str, str]:
        name = self.get_body_argument("username", "")
        if not taken and self.authenticator.is_reserved(name):
            return "alert-danger", RESERVED.format(name)
        found: tuple[str, str] = super().get_result_message(user, human, taken, *rest)
        return found


class Approve(for_approvers(ToggleAuthorizationHandler)):  # type: ignore[misc]
    """Nobody is let in under a reserved name either: who asked may have signed up before it was one."""

    async def get(self, name: str) -> None:
        require_approver(self)
        there = self.authenticator.get_user(name)
        if there is None:
            raise HTTPError(404, "Nobody has signed up under that name.")
        if self.authenticator.is_reserved(name) and not there.is_authorized:
            raise HTTPError(403, RESERVED.format(name))
        await super().get(name)


class Login(LoginHandler):  # type: ignore[misc]
    """NativeAuthenticator's page, whose form the hub itself takes."""

    post = HubLoginHandler.post
    _more: Mapping[str, Any] = MappingProxyType({})

    def _render(self, login_error: str | None = None, username: str | None = None, **more: Any) -> Any:
        self._more = more  # how the hub wants an error's page; NativeAuthenticator's has no room for it
        if login_error and login_error.startswith("Invalid username"):
            login_error += ". If you have just signed up, an instructor has to let you in first."
        return super()._render(login_error, username)

    def render_template(self, name: str, **facts: Any) -> Any:
        more, self._more = self._more, MappingProxyType({})
        return super().render_template(name, **{**more, **facts})


OURS: dict[type[Any], type[Any]] = {LoginHandler: Login, SignUpHandler: SignUp, ToggleAuthorizationHandler: Approve}
OURS |= {one: for_approvers(one) for one in (AuthorizationAreaHandler, DiscardHandler)}


class InstructorsApprove(NativeAuthenticator):  # type: ignore[misc]
    """NativeAuthenticator, whose page /hub/authorize is for instructors, and which gives nobody a reserved name."""

    reserved = Set(Unicode(), help="Names that signing up does not give.").tag(config=True)

    def is_reserved(self, username: str) -> bool:
        return self.normalize_username(username.strip()) in self.reserved

    def get_user(self, username: str) -> Any:
        """As it stands in the database, where accounts.py writes; the hub's session would keep what it has read."""
        found = super().get_user(username)
        if found is not None:
            self.db.refresh(found)
        return found

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        if self.is_reserved(username):
            self.log.warning("Somebody tried to sign up as %s, which is reserved", self.normalize_username(username))
            return None
        return super().create_user(username, password, **more)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        return [(path, OURS.get(handler, handler), *rest) for path, handler, *rest in super().get_handlers(app)]
