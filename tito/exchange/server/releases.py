"""Releases as they lie in the database, and which may follow which."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select

from tito.exchange.protocol.problems import Refused, not_found
from tito.exchange.protocol.records import Entry, Manifest, Release
from tito.exchange.server import tables
from tito.exchange.server.rows import latest


def newest_releases(course: str, assignment: str) -> Select[Any]:
    """The newest revision of each assignment, withdrawn or not."""
    query = latest(tables.release, "course", "assignment").where(tables.release.c.course == course)
    return query.where(tables.release.c.assignment == assignment) if assignment else query


def publishable(
    connection: Connection, course: str, assignment: str, manifest: Manifest, *, replace: bool
) -> Row[Any] | None:
    """The newest revision, if there is any, which this one may follow."""
    old = connection.execute(newest_releases(course, assignment)).one_or_none()
    if old is not None and old.withdrawn_at is None and not replace and not is_standing(old, manifest):
        raise Refused(
            f"{assignment} is released already, with other files.",
            status=409,
            where=f"{course}/{assignment}",
            hint="To replace it, ask for that (nbgrader: --force). Students keep what they fetched.",
        )
    return old


def is_standing(release: Row[Any], manifest: Manifest) -> bool:
    """Whether just this is released now."""
    return release.withdrawn_at is None and release.manifest == manifest.sha256


def release_record(row: Row[Any], files: dict[str, list[Entry]]) -> Release:
    return Release(
        course=row.course,
        assignment=row.assignment,
        revision=row.revision,
        released_at=row.released_at,
        released_by=row.released_by,
        manifest_sha256=row.manifest,
        files=files[row.manifest],
    )


def not_released(course: str, assignment: str) -> Refused:
    return not_found("such assignment", f"{course}/{assignment}", "See 'nbgrader list' for what is released.")
