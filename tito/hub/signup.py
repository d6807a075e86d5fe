"""Sign-up in which instructors let people in, with a scope for just that; names of instructors, TAs and admins are not
to be had by it (accounts.py opens those).

NativeAuthenticator's own pages want `admin:users`, with which one could also delete the users of another course: see
`approval`. And its login page fails on today's JupyterHub (it counts with `statsd`, which is gone), so the hub's own
takes the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jupyterhub import orm
from jupyterhub.handlers.login import LoginHandler as HubLoginHandler
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import LoginHandler, SignUpHandler
from nativeauthenticator.orm import UserInfo
from traitlets import Set, Unicode

from tito.hub.approval import HANDLERS, RESERVED
from tito.hub.names import refusal_of


class SignUp(SignUpHandler):  # type: ignore[misc]
    """NativeAuthenticator's page, which says why a name cannot be had."""

    def get_result_message(self, user: Any, human: bool, taken: bool, *rest: bool) -> tuple[str, str]:
        if not taken and (why := self.authenticator.refusal(self.get_body_argument("username", "", strip=False))):
            return "alert-danger", why
        found: tuple[str, str] = super().get_result_message(user, human, taken, *rest)
        return found


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


OURS: dict[type[Any], type[Any]] = {LoginHandler: Login, SignUpHandler: SignUp}


class InstructorsApprove(NativeAuthenticator):  # type: ignore[misc]
    """NativeAuthenticator, whose page /hub/authorize is for instructors, and which gives nobody a reserved name."""

    reserved = Set(Unicode(), help="Names that signing up does not give.").tag(config=True)

    def is_reserved(self, username: str) -> bool:
        return self.normalize_username(username.strip()) in self.reserved

    def refusal(self, username: str) -> str:
        """Why a name cannot be had by signing up, in a sentence; "" where it can."""
        name = self.normalize_username(username.strip())
        if name in self.reserved:
            return RESERVED.format(username.strip())
        named = orm.User.find(self.db, name) is not None  # by the settings, who have chosen it
        users = () if named else (one for (one,) in self.db.query(orm.User.name))
        accounts = () if named else (one.username for one in UserInfo.all_users(self.db))
        return refusal_of(name, {*users, *accounts, *self.reserved})

    def get_user(self, username: str) -> Any:
        """As it stands in the database, where accounts.py writes; the hub's session would keep what it has read."""
        found = super().get_user(username)
        if found is not None:
            self.db.refresh(found)
        return found

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        if self.refusal(username):
            self.log.warning("Somebody tried to sign up as %r, which cannot be had", username[:200])
            return None
        return super().create_user(username, password, **more)

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        replaced = {path for path, _ in HANDLERS}
        theirs = [one for one in super().get_handlers(app) if one[0] not in replaced]
        return [*HANDLERS, *((path, OURS.get(handler, handler), *rest) for path, handler, *rest in theirs)]
