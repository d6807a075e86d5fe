"""Who lets people in who have signed up, and whom: the page /hub/authorize, and what its buttons do.

NativeAuthenticator's own pages do it by links, which another site's page can follow for whoever is logged in, and each
of which turns any account on or off. Here each is a form of the hub's own, and says one thing:

    let in, discard    somebody who has never been in. By an instructor of theirs, if no name of staff is at stake
    shut out           somebody who was let in. By who runs the hub
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jupyterhub import orm
from jupyterhub.utils import utcnow
from nativeauthenticator.handlers import LocalBase
from nativeauthenticator.orm import UserInfo
from tornado.web import HTTPError

from tito.hub.config.people import GROUP_OF_ROLE, INSTRUCTOR, STUDENT
from tito.hub.config.roles import APPROVE

ADMIN = "admin:users"
STUDENTS, INSTRUCTORS = (f"{GROUP_OF_ROLE[role]}-" for role in (STUDENT, INSTRUCTOR))
RESERVED = (
    "{} teaches here or runs this hub, so the name is not to be had here. Whoever runs the hub opens that account "
    "(python -m tito.hub.accounts) and hands out its password."
)


@dataclass(frozen=True)
class SignUp:
    """An account as the page shows it."""

    name: str
    email: str
    courses: tuple[str, ...]


class Approval(LocalBase):  # type: ignore[misc]
    """What the page and its buttons have in common."""

    @property
    def is_admin(self) -> bool:
        return ADMIN in (self.expanded_scopes or ())

    def require_approver(self) -> None:
        """Raise unless who asks may let people in."""
        if not self.is_admin and APPROVE not in (self.expanded_scopes or ()):
            raise HTTPError(403, "Only instructors let people in.")

    def account(self, name: str) -> Any:
        """The account of that name, whatever became of it.

        Raises:
            HTTPError: nobody has signed up under it.
        """
        account = self.authenticator.get_user(name)
        if account is None:
            raise HTTPError(404, "Nobody has signed up under that name.")
        return account

    def decided_on(self, name: str) -> Any:
        """The account of that name, if who asks may decide on it.

        Raises:
            HTTPError: they may not, or there is none.
        """
        self.require_approver()
        account = self.account(name)
        if why := self.why_not(account):
            raise HTTPError(403, why)
        return account

    @cached_property
    def mine(self) -> set[str]:
        """The courses of who asks."""
        return self.courses_of(self.current_user.name, INSTRUCTORS)

    @cached_property
    def teaches_an_open_course(self) -> bool:
        return any(self.is_open(course) for course in self.mine)

    def courses_of(self, name: str, prefix: str = STUDENTS) -> set[str]:
        """The courses that somebody is in, as the hub's groups have it."""
        user = orm.User.find(self.db, name)
        groups = [] if user is None else [group.name for group in user.groups]
        return {group.removeprefix(prefix) for group in groups if group.startswith(prefix)}

    def why_not(self, account: Any) -> str:
        """Why who asks may not decide on an account that waits; "" where they may."""
        if self.authenticator.is_reserved(account.username):
            return RESERVED.format(account.username)
        if self.is_admin:
            return ""
        if account.is_authorized or self.was_in(account.username):
            return f"{account.username} was let in before. Whoever runs the hub decides on that."
        theirs = self.courses_of(account.username)
        if theirs & self.mine or (not theirs and self.teaches_an_open_course):
            return ""
        return f"{account.username} is in none of your courses. Their instructor lets them in, or whoever runs the hub."

    def was_in(self, name: str) -> bool:
        """Whether somebody has been logged in under that name."""
        user = orm.User.find(self.db, name)
        return user is not None and user.last_activity is not None

    def is_open(self, course: str) -> bool:
        """Whether nobody says who is in a course: then its instructor lets in whom they know."""
        group = orm.Group.find(self.db, f"{STUDENTS}{course}")
        return group is None or not group.users

    def done(self, what: str, name: str) -> None:
        """Keep what was changed, say who did it, and go back to the page."""
        self.db.commit()
        self.log.info("%s %s %s", self.current_user.name, what, name)
        self.redirect(self.hub.base_url + "authorize")


class Page(Approval):
    """/hub/authorize."""

    async def get(self) -> None:
        self.require_approver()
        accounts = self.db.query(UserInfo).order_by(UserInfo.username).all()
        waiting = [account for account in accounts if not account.is_authorized and not self.why_not(account)]
        admitted = [account for account in accounts if account.is_authorized]
        html = await self.render_template(
            "sign-ups.html",
            waiting=list(map(self._shown, waiting)),
            admitted=list(map(self._shown, admitted)) if self.is_admin else None,
            ask_email=self.authenticator.ask_email_on_signup,
        )
        self.finish(html)

    def _shown(self, account: Any) -> SignUp:
        return SignUp(account.username, account.email or "", tuple(sorted(self.courses_of(account.username))))


class LetIn(Approval):
    """The button that lets somebody in."""

    async def post(self, name: str) -> None:
        account = self.decided_on(name)
        account.is_authorized = True
        self.done("lets in", account.username)


class Discard(Approval):
    """The button that takes away what somebody has signed up with: the name can be had again."""

    async def post(self, name: str) -> None:
        account = self.decided_on(name)
        if account.is_authorized:
            raise HTTPError(409, f"{account.username} is let in. Shut them out first.")
        username = account.username
        self.db.delete(account)
        self.done("discards the sign-up of", username)


class ShutOut(Approval):
    """The button that takes it back: not logged in any more, nor let in again but by who runs the hub."""

    async def post(self, name: str) -> None:
        if not self.is_admin:
            raise HTTPError(403, "Only who runs the hub shuts people out.")
        account = self.account(name)
        account.is_authorized = False
        user = self.user_from_username(account.username)
        user.last_activity = user.last_activity or utcnow(with_tz=False)  # they count as having been in
        user.cookie_id = orm.new_token()  # which ends all of their logins
        self.done("shuts out", account.username)


HANDLERS: list[tuple[str, type[Any]]] = [
    (r"/authorize", Page),
    (r"/authorize/([^/]*)", LetIn),
    (r"/discard/([^/]*)", Discard),
    (r"/withdraw/([^/]*)", ShutOut),
]
