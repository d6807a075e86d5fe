"""The exchange's database: SQLite by default, PostgreSQL or any other by URL. Opened, migrated, and its errors told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, table
from sqlalchemy import column as a_column
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from tito.exchange.protocol.problems import Refused
from tito.exchange.server.tables import HEAD, VERSION_TABLE

BUSY_MS = 15_000
WRITE = {"tito_write": True}


class Database:
    """Transactions on the exchange's tables."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        # SQLite has one writer at a time, and those who wait for its lock take their turn by chance: this is fairer.
        self._writer = threading.Lock() if self.engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading.

        Raises:
            Refused: the database is gone.
        """
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: durable when this ends without an error, else nothing of it.

        Raises:
            Refused: the database is gone, or its disk is full.
        """
        with (
            _told(),
            self._writer,
            self.engine.connect().execution_options(**WRITE) as connection,
            connection.begin() as transaction,
        ):
            yield connection
            with _told(in_doubt=True):
                transaction.commit()

    def migrate(self) -> None:
        """Bring the tables to the newest form. Several processes may do so at once: the first does it.

        Raises:
            Refused: the database cannot be had.
        """
        with self.read() as connection:
            if version_of(connection) == HEAD:
                return
        from alembic import command

        with self.write() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(8675)")
            version = version_of(connection)
            if version not in {None, *known_versions()}:
                raise Refused(
                    "The exchange's database was made by a newer version of tito.",
                    status=503,
                    where="database",
                    hint="Start that version, or bring the database of this one back from a backup.",
                )
            if version != HEAD:
                command.upgrade(alembic_config(connection), "head")

    def close(self) -> None:
        self.engine.dispose()


def version_of(connection: Connection) -> str | None:
    """The migration that the database stands at."""
    if not connection.dialect.has_table(connection, VERSION_TABLE):
        return None
    version = connection.execute(select(a_column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    return str(version) if version is not None else None


def known_versions() -> set[str]:
    """All migrations that this version of tito has."""
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def alembic_config(connection: Connection | None = None) -> Any:
    """alembic's settings for our migrations, to be run on `connection`."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_size=8, max_overflow=40, pool_timeout=20, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    """A commit is on the disk when it returns; readers do not wait for the writer."""
    connection.isolation_level = None  # transactions are begun by us, see below
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: it waits for its turn there, and never fails half-way for want of it."""
    write = connection.get_execution_options().get("tito_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _told(*, in_doubt: bool = False) -> Iterator[None]:
    """Database errors as ours. The reason is told without the statement, its values, or the database's address.

    When a commit is not answered, it may have been done or not: `in_doubt`.
    """
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
        if "full" in reason and "disk" in reason:
            raise storage_full() from error
        busy = isinstance(error, NoConnection) or "locked" in reason
        stored = "It may have been stored, or not." if in_doubt else "Nothing was stored."
        raise Refused(
            "The exchange is busy." if busy else "The exchange's database cannot be used.",
            status=503,
            where="database",
            hint=f"{stored} Try again in a minute; tell the instructor if it stays so.",
            retry_after_s=5,
        ) from error


def storage_full() -> Refused:
    return Refused(
        "The exchange has no room left on its disk.",
        status=507,
        where="store",
        hint="Nothing was stored. Tell the instructor, then try again.",
    )
