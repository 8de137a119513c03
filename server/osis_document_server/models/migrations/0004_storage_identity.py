"""Which storage belongs to the database."""

from typing import Any

from peewee import CharField, Database, IntegerField, Model


class StorageIdentity(Model):
    id = IntegerField(primary_key=True)
    identity = CharField(max_length=32)

    class Meta:
        legacy_table_names = False
        table_name = "storage_identity"


_TABLES = [StorageIdentity]


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    """Creates the table; the next start of a server fills it."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES, safe=False)


def down(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    """Drops the table."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.drop_tables(_TABLES)
