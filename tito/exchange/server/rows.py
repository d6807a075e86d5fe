"""Queries that several parts of the ledger share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from tito.exchange.protocol.records import Entry, Manifest
from tito.exchange.server import tables

Key = TypeVar("Key")
AT_ONCE = 500  # values in one IN: databases limit them


def latest(table: Table, *group: str) -> Select[Any]:
    """Rows of the highest revision in each group."""
    other = table.alias()
    newest = (
        select(func.max(other.c.revision))
        .where(and_(*(other.c[name] == table.c[name] for name in group)))
        .scalar_subquery()
    )
    return select(table).where(table.c.revision == newest).order_by(table.c.number)


def files_of(connection: Connection, manifests: set[str]) -> dict[str, list[Entry]]:
    """The files of manifests, in order."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    for some in batches(sorted(manifests)):
        query = select(tables.file).where(tables.file.c.manifest.in_(some)).order_by(tables.file.c.position)
        for row in connection.execute(query):
            entries[row.manifest].append(Entry(row.path, row.sha256, row.size))
    return entries


def named(connection: Connection, blobs: Sequence[str]) -> set[str]:
    """Those blobs that a file of some manifest is."""
    named_blobs: set[str] = set()
    for some in batches(sorted(set(blobs))):
        named_blobs |= set(
            connection.execute(select(tables.file.c.sha256).where(tables.file.c.sha256.in_(some))).scalars()
        )
    return named_blobs


def batches(keys: list[Key]) -> Iterator[Sequence[Key]]:
    """As many at once as every database takes in one query."""
    rest = iter(keys)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def lock_of(course: str) -> Select[Any]:
    """Those who write to one course take turns, where the database does not let one write at a time anyhow."""
    return select(tables.course.c.id).where(tables.course.c.id == course).with_for_update()


def keep_course(connection: Connection, course: str, now: datetime) -> None:
    """Enter a course unless it is there."""
    _insert_new(connection, tables.course, {"id": course, "created_at": now})


def keep_manifest(connection: Connection, manifest: Manifest) -> None:
    """Enter a manifest and its files unless they are there: the same content has the same rows."""
    sha256 = manifest.sha256
    head = {"sha256": sha256, "size": manifest.size, "files": len(manifest.files)}
    if _insert_new(connection, tables.manifest, head):
        rows = [
            {"manifest": sha256, "position": at, "path": entry.path, "sha256": entry.sha256, "size": entry.size}
            for at, entry in enumerate(manifest.files)
        ]
        connection.execute(tables.file.insert(), rows)


def _insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row unless it is there; whether it was inserted."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    insertion = insert.on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(insertion, values).first() is not None
