"""Sign-up in which instructors let people in, with a scope for just that.

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
    ToggleAuthorizationHandler,
)
from tornado.web import HTTPError

from tito.hub.roles import APPROVE

ADMIN = "admin:users"


def for_approvers(handler: type[Any]) -> type[Any]:
    """A page of NativeAuthenticator's, open to whoever may let people in."""
    unguarded: Callable[..., Any] = handler.get.__wrapped__

    async def get(self: Any, *arguments: str) -> None:
        if not {APPROVE, ADMIN} & set(self.expanded_scopes or ()):
            raise HTTPError(403, "Only instructors let people in.")
        await unguarded(self, *arguments)

    return type(f"Approvers{handler.__name__}", (handler,), {"get": get})


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


OURS: dict[type[Any], type[Any]] = {LoginHandler: Login}
OURS |= {one: for_approvers(one) for one in (AuthorizationAreaHandler, ToggleAuthorizationHandler, DiscardHandler)}


class InstructorsApprove(NativeAuthenticator):  # type: ignore[misc]
    """NativeAuthenticator, whose page /hub/authorize is for instructors."""

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        return [(path, OURS.get(handler, handler), *rest) for path, handler, *rest in super().get_handlers(app)]
