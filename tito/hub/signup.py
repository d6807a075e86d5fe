"""Sign-up in which instructors let people in, with a scope for just that.

NativeAuthenticator's own pages want `admin:users`, with which one could also delete the users of another course.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import AuthorizationAreaHandler, DiscardHandler, ToggleAuthorizationHandler
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


OURS = {one: for_approvers(one) for one in (AuthorizationAreaHandler, ToggleAuthorizationHandler, DiscardHandler)}


class InstructorsApprove(NativeAuthenticator):  # type: ignore[misc]
    """NativeAuthenticator, whose page /hub/authorize is for instructors."""

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        return [(path, OURS.get(handler, handler), *rest) for path, handler, *rest in super().get_handlers(app)]
