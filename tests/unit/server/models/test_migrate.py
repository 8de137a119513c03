"""The schema."""

import sqlite3
from pathlib import Path

import pytest

from osis_document_server.models import database, migrate, tables


def _schema(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        statements = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'schema_migration'")
        found = {statement for (statement,) in statements if "sqlite_sequence" not in statement}
    connection.close()
    return found


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    migrated = database.open_database(f"sqlite:///{tmp_path / 'migrated.db'}")
    assert migrate.migrate(migrated) == ["0001_documents_and_jobs", "0002_uploads"]
    assert migrate.pending(migrated) == []
    migrated.close_all()  # type: ignore[attr-defined]  # of the pool

    direct = database.open_database(f"sqlite:///{tmp_path / 'direct.db'}")
    with direct.connection_context():
        direct.create_tables(tables.TABLES)
    direct.close_all()  # type: ignore[attr-defined]  # of the pool

    assert _schema(tmp_path / "migrated.db") == _schema(tmp_path / "direct.db")


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    opened = database.open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate.migrate(opened)
    assert migrate.migrate(opened) == []
    opened.close_all()  # type: ignore[attr-defined]  # of the pool


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "mysql:///a", "var/a.db"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(database.UnsupportedDatabaseError, match="sqlite:///path"):
        database.open_database(url)
