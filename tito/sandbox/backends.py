"""Which backends there are, by the name that course.toml and `--sandbox` use."""

from __future__ import annotations

from tito.course.settings import BACKENDS
from tito.errors import SandboxUnavailable, UsageError
from tito.sandbox.launch import Backend


def backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        SandboxUnavailable: it cannot work on this machine.
        UsageError: there is none of that name.
    """
    if name == "bubblewrap":
        from tito.sandbox.bubblewrap import Bubblewrap

        try:
            return Bubblewrap()
        except SandboxUnavailable as error:
            raise SandboxUnavailable(error.message, hint=f"{error.hint} {_instead()}".strip()) from error
    if name == "landlock":
        from tito.sandbox.unprivileged import Unprivileged

        return Unprivileged()
    if name == "none":
        from tito.sandbox.unconfined import Unconfined

        return Unconfined()
    raise UsageError(f"There is no sandbox '{name}'.", hint=f"Choose one of: {', '.join(BACKENDS)}.")


def _instead() -> str:
    """What works here where namespaces do not. It protects less, so it is never taken unasked."""
    from tito.sandbox.unprivileged import Unprivileged

    try:
        Unprivileged()
    except SandboxUnavailable:
        return ""
    return "'--sandbox landlock' works here; it protects less."
