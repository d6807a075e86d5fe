"""Which backends there are, by the name that course.toml and `--sandbox` use."""

from __future__ import annotations

from tito.errors import UsageError
from tito.sandbox.session import Backend

NAMES = ("bubblewrap", "landlock", "none")


def backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        SandboxUnavailable: it cannot work on this machine.
        UsageError: there is none of that name.
    """
    if name == "bubblewrap":
        from tito.sandbox.bubblewrap import Bubblewrap

        return Bubblewrap()
    if name == "landlock":
        from tito.sandbox.unprivileged import Unprivileged

        return Unprivileged()
    if name == "none":
        from tito.sandbox.unconfined import Unconfined

        return Unconfined()
    raise UsageError(f"There is no sandbox '{name}'.", hint=f"Choose one of: {', '.join(NAMES)}.")
