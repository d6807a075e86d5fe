"""What can go wrong, as the user is told about it.

    TitoError                   exit 3   base: the platform could not do its work
    ├── UsageError              exit 2   what was asked for does not exist or does not fit
    │   ├── NotACourse                   no course.toml here or above
    │   ├── UnknownAssignment            no such module or assignment in this course
    │   └── BadSource                    a script, variant or settings file that cannot be read
    ├── GateFailed             exit 1   the work failed a check that the user asked for
    └── PlatformError           exit 3   something that we need is missing or broken
        ├── SandboxUnavailable           no isolation to be had, or it broke
        ├── JudgeFailed                  the judge process itself failed
        ├── GradebookUnavailable         the database cannot be opened or written
        └── ExchangeUnavailable          the exchange is missing or refuses

A message says what happened and where; `hint` says what to do next. Neither ever holds a token,
an environment variable or the text of a hidden test. Nothing else lives here.
"""

from __future__ import annotations


class TitoError(Exception):
    """Base of every error that is shown to the user as one line."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(TitoError):
    """What was asked for does not exist or does not fit."""

    exit_code = 2


class NotACourse(UsageError):
    """No course.toml in the folder or in any above it."""


class UnknownAssignment(UsageError):
    """No such module or assignment in this course."""


class BadSource(UsageError):
    """A script, a variant or a settings file that cannot be read as one."""


class GateFailed(TitoError):
    """The work failed a check that the user asked for."""

    exit_code = 1


class PlatformError(TitoError):
    """Something that the platform needs is missing or broken."""


class SandboxUnavailable(PlatformError):
    """No isolation can be had on this machine, or it broke before any student code ran."""


class JudgeFailed(PlatformError):
    """The judge process itself failed; no verdict can be given."""


class GradebookUnavailable(PlatformError):
    """The gradebook's database cannot be opened or written."""


class ExchangeUnavailable(PlatformError):
    """The exchange directory is missing or refuses."""
