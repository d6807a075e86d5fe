"""A PostgreSQL of the tests' own, started once for the tests that use it."""

from __future__ import annotations

from collections.abc import Iterator

import postgresql
import pytest


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    with postgresql.server_or_skip() as running:
        yield running
