"""Databases of both kinds, for all tests that name them."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from osis_document_server.models import database, migrate
from osis_document_server.models.database import ServiceDatabase
from tests.support.postgres_server import PostgresServer

_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes an empty database and returns its URL."""
    if request.param == "sqlite":
        yield lambda: f"sqlite:///{tmp_path / f'{next(_numbers)}.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made = []

    def make() -> str:
        made.append(f"unit-{next(_numbers)}")
        return server.create(made[-1])

    yield make
    for name in made:
        server.drop(name)


@pytest.fixture
def empty(new_database: Callable[[], str]) -> Iterator[ServiceDatabase]:
    """An empty database, opened."""
    opened = database.open_database(new_database())
    yield opened
    opened.close_all()


@pytest.fixture
def migrated(empty: ServiceDatabase) -> ServiceDatabase:
    """A database of this version, without rows."""
    migrate.migrate(empty)
    return empty
