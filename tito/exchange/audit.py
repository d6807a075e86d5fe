"""Whether the exchange holds all that it has acknowledged: every file of every row, read and hashed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from tito.exchange import tables
from tito.exchange.ledger import Ledger
from tito.exchange.problems import Refused
from tito.exchange.records import Entry, Manifest


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
            made = Manifest.of(files[sha256])
        except Refused as refusal:
            problems.append(f"manifest {sha256}: {refusal}")
            continue
        if (made.sha256, made.size, len(made.files)) != (sha256, head.size, head.files):
            problems.append(f"manifest {sha256}: its files are not those that it was made of")
    wanted = {one.sha256: one for some in files.values() for one in some}
    problems += [f"blob {one.sha256}: {fault}" for one in wanted.values() if (fault := _fault(ledger, one))]
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
