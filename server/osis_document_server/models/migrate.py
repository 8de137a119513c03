"""Brings a database to the schema of this version."""

from pathlib import Path

from peewee import Database
from playhouse.migrations import Runner

from osis_document_server.models.database import ServiceDatabase

_FOLDER = Path(__file__).with_name("migrations")


def migrate(database: ServiceDatabase) -> list[str]:
    """Applies the migrations that are missing, each in a transaction of its own, and returns their names.

    Servers that start together wait for each other: one of them does it.
    """
    with database.connection_context(), database.migrating():
        return list(Runner(database, directory=str(_FOLDER)).up())


def pending(database: Database) -> list[str]:
    """Returns the names of the migrations that are missing."""
    with database.connection_context():
        return [migration.name for migration in Runner(database, directory=str(_FOLDER)).status() if migration.applied is None]
