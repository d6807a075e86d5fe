"""What the exchange refuses, told alike by the service, by the client and by the store when it is used directly."""

from __future__ import annotations

from tito.errors import ExchangeUnavailable


class Refused(ExchangeUnavailable):
    """The exchange will not do this. `status` is the HTTP status; `where` says which thing it is about.

    None of its texts ever holds a token, a path of the server or the address of a database.
    """

    def __init__(self, message: str, *, status: int, where: str = "", hint: str = "", retry_after_s: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.where = where
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{where}{super().__str__()}"


def not_found(what: str, where: str, hint: str = "") -> Refused:
    return Refused(f"There is no {what}.", status=404, where=where, hint=hint)
