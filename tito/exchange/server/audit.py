"""Whether the exchange holds all that it has acknowledged: every file of every row, read and hashed. And a sweep of
what nothing names: uploads that were stored and then refused, or whose service was killed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from sqlalchemy import Connection, func, select

from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Entry, Manifest
from tito.exchange.server import tables
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.rows import batches, named

SWEPT_AT_ONCE = 50  # blobs, while others wait
UNNAMED_FOR = timedelta(hours=1)  # after which a blob is no upload's that is on its way


@dataclass(frozen=True)
class Audit:
    """What was looked at, and what is wrong with it.

    Blobs that nothing refers to are no fault: uploads that were stored and then refused, or whose service was killed.
    """

    releases: int
    submissions: int
    feedback: int
    blobs: int
    unused_blobs: int
    problems: tuple[str, ...]


def audit(ledger: Ledger) -> Audit:
    """Read everything.

    Raises:
        Refused: the database cannot be read.
    """
    with ledger.database.read() as connection:
        files: dict[str, list[Entry]] = defaultdict(list)
        for row in connection.execute(select(tables.file).order_by(tables.file.c.manifest, tables.file.c.position)):
            files[row.manifest].append(Entry(row.path, row.sha256, row.size))
        heads = {row.sha256: row for row in connection.execute(select(tables.manifest))}
        releases, submissions, feedback = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.release, tables.submission, tables.feedback)
        )
    problems = []
    for sha256, head in heads.items():
        try:
            manifest = Manifest.of(files[sha256])
        except Refused as refusal:
            problems.append(f"manifest {sha256}: {refusal}")
            continue
        if (manifest.sha256, manifest.size, len(manifest.files)) != (sha256, head.size, head.files):
            problems.append(f"manifest {sha256}: its files are not those that it was made of")
    wanted = {entry.sha256: entry for some in files.values() for entry in some}
    problems += [f"blob {entry.sha256}: {fault}" for entry in wanted.values() if (fault := _fault(ledger, entry))]
    present = set(ledger.store.names())
    unused = len(present - wanted.keys())
    return Audit(releases, submissions, feedback, len(wanted), unused, tuple(problems))


def _fault(ledger: Ledger, entry: Entry) -> str:
    """What is wrong with a blob, or nothing."""
    if ledger.store.size(entry.sha256) != entry.size:
        return "missing, or not of the size that it had"
    try:
        for _ in ledger.content(entry):
            pass
    except Refused as refusal:
        return refusal.message
    return ""


@dataclass(frozen=True)
class Sweep:
    """What was taken away."""

    blobs: int
    size: int


def sweep(ledger: Ledger) -> Sweep:
    """Take away blobs that no row names and that are older than any upload on its way. The service may be at work.

    While some are taken away nobody's rows are written: who has found one of them in the store finds out before he
    names it (see `Ledger`).

    Raises:
        Refused: the database or the store cannot be used.
    """
    blobs = size = 0
    left = iter(sorted(_unnamed(ledger)))
    while some := list(islice(left, SWEPT_AT_ONCE)):
        with ledger.database.write() as connection:
            _let_nobody_name(connection)
            for sha256 in set(some) - named(connection, some):
                size += ledger.store.size(sha256) or 0
                ledger.store.remove(sha256)
                blobs += 1
    return Sweep(blobs, size)


def _unnamed(ledger: Ledger) -> Iterator[str]:
    """Blobs that may be taken away, as things stand."""
    before = ledger.clock() - UNNAMED_FOR
    for some in batches(list(ledger.store.names())):
        with ledger.database.read() as connection:
            loose = set(some) - named(connection, some)
        yield from (name for name in loose if (when := ledger.store.modified(name)) is not None and when < before)


def _let_nobody_name(connection: Connection) -> None:
    """Who names a blob locks a row of the courses, or makes one. Where the database has but one writer, that is us."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE course IN EXCLUSIVE MODE")
