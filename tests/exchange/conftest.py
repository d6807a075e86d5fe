"""A real hub with the exchange, and nbgrader's commands: started once for the tests that use them."""

from __future__ import annotations

from collections.abc import Iterator

import postgresql
import pytest
from exchange_support import FakeHub
from nbgrader_forks import Commands, nbgrader_forks
from real_hub import RealHub, real_hub


@pytest.fixture(scope="session")
def hub_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    with real_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="session")
def commands() -> Commands:
    return nbgrader_forks()


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
def hub_url(hub: FakeHub) -> Iterator[str]:
    with hub.serving() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with postgresql.server_or_skip() as running:
        yield running.url


@pytest.fixture
def own_postgresql() -> Iterator[postgresql.Server]:
    """One that a test may stop."""
    with postgresql.server_or_skip() as running:
        yield running


@pytest.fixture
def fresh_database(postgresql_url: str) -> str:
    return postgresql.database_in(postgresql_url)
