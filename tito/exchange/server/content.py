"""The content of what is handed in: received, made durable, and there still when a row says what it is."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Manifest
from tito.exchange.server.database import storage_full
from tito.exchange.server.rows import named
from tito.exchange.server.store import BlobStore, Incoming


@dataclass
class Bundle:
    """Files received and not yet kept."""

    manifest: Manifest
    blobs: list[Incoming] = field(default_factory=list)
    announced_at: datetime | None = None  # when all of the manifest had come, by the exchange's clock

    def discard(self) -> None:
        for blob in self.blobs:
            blob.discard()


@contextmanager
def storage_errors() -> Iterator[None]:
    """A full disk, and a store that cannot be written to, as the refusals that they are."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise storage_full() from error
        raise Refused(
            "The exchange cannot write to its store.",
            status=503,
            where="store",
            hint="Nothing was stored. Tell the instructor.",
            retry_after_s=5,
        ) from error


def keep_content(store: BlobStore, bundle: Bundle) -> list[str]:
    """Make the content durable; which of it was there already, and so may be swept until something names it."""
    with storage_errors():
        return store.keep(bundle.blobs)


def require_stored(store: BlobStore, connection: Connection, stored: Sequence[str]) -> None:
    """Raise unless what was there already is there still. Asked with the course's lock, which a sweep waits for."""
    loose = set(stored) - named(connection, stored)
    if any(store.size(sha256) is None for sha256 in loose):
        raise Refused(
            "The exchange was being swept.",
            status=503,
            where="store",
            hint="Nothing was stored. Try again.",
            retry_after_s=1,
        )
