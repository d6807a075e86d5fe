"""The exchange's tables. Rows are added and never changed, but for the mark that a release was withdrawn.

`precheck_job` is the exception: it is a queue, of submissions whose visible tests are to be run. What comes of one is a
row of `precheck_result`, which stays as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

HEAD = "0003"  # the newest migration; a test holds that it is
VERSION_TABLE = "exchange_alembic_version"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A moment. UTC without a zone in the database, with its zone outside of it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None else None


def _number() -> Column[int]:
    # SQLite counts by itself in a column of this very type only
    return Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


course = Table(
    "course",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("created_at", Instant, nullable=False),
)

policy = Table(
    "policy",
    metadata,
    Column("course", ForeignKey("course.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("content", Text, nullable=False),
)

manifest = Table(
    "manifest",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("files", Integer, nullable=False),
)

file = Table(
    "file",
    metadata,
    Column("manifest", ForeignKey("manifest.sha256"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
)

release = Table(
    "release",
    metadata,
    _number(),
    Column("course", ForeignKey("course.id"), nullable=False),
    Column("assignment", String(200), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("released_at", Instant, nullable=False),
    Column("released_by", String(200), nullable=False),
    Column("manifest", ForeignKey("manifest.sha256"), nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", String(200)),
    UniqueConstraint("course", "assignment", "revision"),
)

submission = Table(
    "submission",
    metadata,
    _number(),
    Column("id", String(32), nullable=False, unique=True),
    Column("course", ForeignKey("course.id"), nullable=False),
    Column("assignment", String(200), nullable=False),
    Column("student", String(200), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("manifest", ForeignKey("manifest.sha256"), nullable=False),
    Column("release", ForeignKey("release.number"), nullable=False),
    Column("key", String(64), nullable=False),
    UniqueConstraint("course", "student", "assignment", "key"),
    Index("ix_submission_course_assignment", "course", "assignment"),
)

feedback = Table(
    "feedback",
    metadata,
    _number(),
    Column("submission", ForeignKey("submission.number"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("released_at", Instant, nullable=False),
    Column("released_by", String(200), nullable=False),
    Column("manifest", ForeignKey("manifest.sha256"), nullable=False),
    UniqueConstraint("submission", "revision"),
)

fetch = Table(
    "fetch",
    metadata,
    _number(),
    Column("at", Instant, nullable=False),
    Column("by", String(200), nullable=False),
    Column("course", ForeignKey("course.id"), nullable=False),
    Column("what", String(16), nullable=False),
    Column("assignment", String(200), nullable=False),
    Column("student", String(200), nullable=False),
    Column("reference", String(64), nullable=False),
    Index("ix_fetch_course_assignment", "course", "assignment"),
)

precheck_job = Table(
    "precheck_job",
    metadata,
    _number(),
    Column("submission", ForeignKey("submission.number"), nullable=False, unique=True),
    Column("course", ForeignKey("course.id"), nullable=False),
    Column("assignment", String(200), nullable=False),
    Column("student", String(200), nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("next_at", Instant),  # of one that was over the limit: before then it is not made
    Column("attempts", Integer, nullable=False),
    Column("claimed_at", Instant),
    Column("claimed_by", String(200)),
    Column("leased_until", Instant),
    Column("lease", String(32)),
    Index("ix_precheck_job_course_state", "course", "state"),
    Index("ix_precheck_job_student_course", "student", "course"),
)

precheck_result = Table(
    "precheck_result",
    metadata,
    _number(),
    Column("job", ForeignKey("precheck_job.number"), nullable=False, unique=True),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(200), nullable=False),
    Column("revision", Integer, nullable=False),  # of the release whose tests were run
    Column("engine", String(64), nullable=False),
    Column("content", Text, nullable=False),
)
