"""Sign-up in which instructors let people in, with a scope for just that; names of instructors, TAs and admins are not
to be had by it (accounts.py opens those).

NativeAuthenticator's own pages want `admin:users`, with which one could also delete the users of another course: see
`approval`. And its login page fails on today's JupyterHub (it counts with `statsd`, which is gone), so the hub's own
takes the form.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeVar

import bcrypt
from jupyterhub import orm
from jupyterhub.handlers.login import LoginHandler as HubLoginHandler
from nativeauthenticator import NativeAuthenticator
from nativeauthenticator.handlers import LoginHandler, SignUpHandler
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError
from traitlets import Integer, Set, Unicode

from tito.hub.config.approval import HANDLERS, RESERVED
from tito.hub.config.attempts import Attempts
from tito.hub.config.names import refusal_of

T = TypeVar("T")
HOUR_S = 3600.0
HASHING = 2  # passwords at once
HASHED_BYTES = 72  # of a password: bcrypt knows no more of it
LONGEST_NAME = 200  # of what is counted by
MANY = 20  # times the failures of one name, for all of an address


class SignUp(SignUpHandler):  # type: ignore[misc]
    """NativeAuthenticator's page, which says why a name cannot be had, and holds up nobody else."""

    async def post(self) -> None:
        address = self.request.remote_ip
        if why := self.authenticator.too_many(address):
            raise HTTPError(429, why)
        self.authenticator.sign_ups.add(address)
        name, password = (self.get_body_argument(field, "", strip=False) for field in ("username", "signup_password"))
        async with self.authenticator.hashed_ahead(name, password):
            await super().post()

    def get_result_message(self, user: Any, human: bool, taken: bool, *rest: bool) -> tuple[str, str]:
        if not taken and (why := self.authenticator.refusal(self.get_body_argument("username", "", strip=False))):
            return "alert-danger", why
        message: tuple[str, str] = super().get_result_message(user, human, taken, *rest)
        return message


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


def _hash_of(password: str) -> bytes:
    return bcrypt.hashpw(password.encode()[:HASHED_BYTES], bcrypt.gensalt())


def _is_password(password: str, hashed: bytes) -> bool:
    return bcrypt.checkpw(password.encode()[:HASHED_BYTES], hashed)


OURS: dict[type[Any], type[Any]] = {LoginHandler: Login, SignUpHandler: SignUp}


class InstructorsApprove(NativeAuthenticator):  # type: ignore[misc]
    """NativeAuthenticator, whose page /hub/authorize is for instructors, and which gives nobody a reserved name."""

    reserved = Set(Unicode(), help="Names that signing up does not give.").tag(config=True)
    most_waiting = Integer(500, help="How many may wait to be let in.").tag(config=True)
    sign_ups_an_hour = Integer(300, help="From one address, which a whole class may share.").tag(config=True)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.sign_ups = Attempts(HOUR_S)
        self._failures = Attempts(self.seconds_before_next_try)
        self._hashing = ThreadPoolExecutor(HASHING, thread_name_prefix="passwords")
        self._hashed: dict[tuple[str, str], bytes] = {}  # by name and password, of sign-ups that are at work
        self._nobodys = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt())

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Who has a password that is theirs, and was let in. Failures count for a name at an address: a stranger's
        lock nobody out. Hashing is for a thread: it takes a quarter of a second, in which the hub would stand still.

        A try counts as a failure until it is known to be none, or many at once would all be tried.
        """
        name: str = self.normalize_username(data["username"])
        address = handler.request.remote_ip
        most = self.allowed_failed_logins
        at_address = (name[:LONGEST_NAME], address)
        if self._failures.count(at_address) >= most or self._failures.count(address) >= MANY * most:
            return None
        self._failures.add(at_address)
        self._failures.add(address)
        account = self.get_user(name)
        hashed = self._nobodys if account is None else bytes(account.password)
        is_theirs = await self._in_thread(_is_password, data["password"], hashed)
        account = self.get_user(name)  # as it stands now
        if account is None or not is_theirs or not account.is_authorized:
            return None
        if account.has_2fa and not account.is_valid_token(data.get("2fa")):
            return None
        self._failures.forget(at_address)
        self._failures.take_back(address)
        return name

    def too_many(self, address: str) -> str:
        """Why nobody may sign up from there now, in a sentence; "" where they may."""
        if self.sign_ups.count(address) >= self.sign_ups_an_hour:
            return "Too many have signed up from your address lately. Try again in an hour."
        waiting = self.db.query(UserInfo).filter(UserInfo.is_authorized.is_(False)).count()
        if waiting >= self.most_waiting:
            return "Too many wait to be let in already. Tell your instructor, and try again when they have been."
        return ""

    @asynccontextmanager
    async def hashed_ahead(self, username: str, password: str) -> AsyncIterator[None]:
        """Have the hash of a password at hand, for when the account is made."""
        if self.is_password_strong(password):
            self._hashed[username, password] = await self._in_thread(_hash_of, password)
        try:
            yield
        finally:
            self._hashed.pop((username, password), None)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hashing, function, *arguments)

    def is_reserved(self, username: str) -> bool:
        return self.normalize_username(username.strip()) in self.reserved

    def refusal(self, username: str) -> str:
        """Why a name cannot be had by signing up, in a sentence; "" where it can."""
        name = self.normalize_username(username.strip())
        if name in self.reserved:
            return RESERVED.format(username.strip())
        named = orm.User.find(self.db, name) is not None  # by the settings, who have chosen it
        users = () if named else (user for (user,) in self.db.query(orm.User.name))
        accounts = () if named else (user.username for user in UserInfo.all_users(self.db))
        return refusal_of(name, {*users, *accounts, *self.reserved})

    def get_user(self, username: str) -> Any:
        """As it stands in the database, where accounts.py writes; the hub's session would keep what it has read."""
        account = super().get_user(username)
        if account is not None:
            self.db.refresh(account)
        return account

    def create_user(self, username: str, password: str, **more: Any) -> Any:
        if self.refusal(username):
            self.log.warning("Somebody tried to sign up as %r, which cannot be had", username[:LONGEST_NAME])
            return None
        hashed = self._hashed.get((username, password))
        name = self.normalize_username(username)
        if hashed is None or self.user_exists(name) or not self.validate_username(name):
            return None
        try:
            account = UserInfo(username=name, password=hashed, **more)
        except AssertionError:  # it has no address of mail
            return None
        self.db.add(account)
        self.db.commit()
        return account

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        replaced = {path for path, _ in HANDLERS}
        theirs = [rule for rule in super().get_handlers(app) if rule[0] not in replaced]
        return [*HANDLERS, *((path, OURS.get(handler, handler), *rest) for path, handler, *rest in theirs)]
