"""The book's pages on PostgreSQL and on backups, followed command by command: what they show is what is printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import postgresql
import pytest
from followed_page import BOOK, followed
from sqlalchemy import create_engine, text

PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def postgresql_server() -> Iterator[postgresql.Server]:
    with postgresql.server_or_skip() as running:
        yield running


@pytest.fixture
def environment() -> dict[str, str]:
    """As whoever has the project's commands at hand."""
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "TITO": str(BOOK.parent), "COLUMNS": "120"}


def test_a_gradebook_on_postgresql_is_filled_dumped_and_brought_back(
    tmp_path: Path, environment: dict[str, str], postgresql_server: postgresql.Server
) -> None:
    programs = postgresql.programs()
    server = {"PGHOST": str(postgresql_server.scratch), "PGUSER": "tito", "PATH": f"{programs}:{environment['PATH']}"}
    followed("how-to/postgresql.md", tmp_path, environment | server).assert_shown()
    assert not list((tmp_path / "ml101").rglob("gradebook.db"))
    engine = create_engine(postgresql_server.url.replace("/postgres?", "/restored?"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM grade_cells")).scalar() == 2
    engine.dispose()


def test_a_course_folder_is_archived_and_brought_back(tmp_path: Path, environment: dict[str, str]) -> None:
    page = followed("how-to/backup.md", tmp_path, environment)
    page.assert_shown()
    files = {path.relative_to(tmp_path / "ml101") for path in (tmp_path / "ml101").rglob("*") if path.is_file()}
    restored = tmp_path / "restored"
    assert (restored / "gradebook/gradebook.db").is_file()
    lost = {path for path in files if not (restored / path).is_file()}
    assert {path for path in lost if not path.name.endswith(("-wal", "-shm"))} == set()  # what SQLite has besides
