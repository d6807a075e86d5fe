"""What nbgrader's exchange classes ask of an exchange, wherever it is; and how the right one is found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from tito.errors import ExchangeUnavailable
from tito.exchange.protocol.files import Upload
from tito.exchange.protocol.records import Deadline, Feedback, Policy, PolicyState, Precheck, Release, Submission, Who

URL_VARIABLE = "TITO_EXCHANGE_URL"
TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"


class Gateway(Protocol):
    """An exchange, as one user sees it. All of it raises `Refused` or `ExchangeUnavailable`, and nothing else."""

    @property
    def place(self) -> str:
        """Where it is, for messages."""

    def who(self) -> Who:
        """The user, and their courses."""

    def releases(self, course: str, assignment: str = "") -> list[Release]: ...

    def take_release(self, release: Release, folder: Path) -> None: ...

    def publish(self, course: str, assignment: str, uploads: list[Upload], *, replace: bool) -> Release: ...

    def withdraw(self, course: str, assignment: str) -> Release: ...

    def submit(self, course: str, assignment: str, uploads: list[Upload]) -> Submission: ...

    def my_submissions(self, course: str, assignment: str = "") -> list[Submission]: ...

    def submissions(self, course: str, assignment: str = "") -> list[Submission]: ...

    def take_submission(self, submission: Submission, folder: Path) -> None: ...

    def give_feedback(self, submission: Submission, uploads: list[Upload]) -> Feedback: ...

    def take_feedback(self, submission: Submission, folder: Path) -> None: ...

    def policy(self, course: str) -> PolicyState:
        """The exchange's copy of what the course file says; revision 0 where it has none."""

    def deadlines(self, course: str) -> list[Deadline]:
        """One's own, of what is released, and what comes of handing in now."""

    def set_policy(self, course: str, policy: Policy) -> PolicyState: ...

    def precheck(self, submission: Submission) -> Precheck:
        """How it stands with the precheck of one's own submission."""

    def close(self) -> None: ...


def gateway(url: str, local_root: str, user: str = "") -> Gateway:
    """The exchange at `url`, else the one of this machine's own in `local_root`, used as `user`.

    Raises:
        ExchangeUnavailable: neither is named, or no token is there for the first.
    """
    if url:
        from tito.exchange.client.client import Client

        token = os.environ.get(TOKEN_VARIABLE, "")
        if not token:
            raise ExchangeUnavailable(
                f"The exchange at {url} wants a token of the hub, and {TOKEN_VARIABLE} is not set.",
                hint="Run this in a server that JupyterHub started.",
            )
        return Client(url, token)
    if local_root:
        from tito.exchange.server.local import LocalGateway

        return LocalGateway(Path(local_root), user)
    raise ExchangeUnavailable(
        "No exchange is configured.",
        hint=f"Set {URL_VARIABLE} to the address of the exchange service, or ServiceExchange.local_root to a folder.",
    )
