"""Uploads that are not finished, so that they can be resumed."""

from typing import Any

from peewee import BigIntegerField, CharField, Database, IntegerField, JSONField, Model, UUIDField

from osis_document_server.models.fields import MomentField


class Upload(Model):
    id = UUIDField(primary_key=True)
    client = CharField(max_length=64)
    name = CharField(max_length=255)
    size_bytes = BigIntegerField(null=True)
    metadata = JSONField(default=dict)
    lease_id = UUIDField(null=True)
    imported = JSONField(null=True)
    epoch = IntegerField()
    segments = JSONField()
    persisted_size = BigIntegerField(default=0)
    started_at = MomentField()
    updated_at = MomentField(index=True)

    class Meta:
        legacy_table_names = False
        table_name = "upload"


_TABLES = [Upload]


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    """Creates the table."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES, safe=False)


def down(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    """Drops the table."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.drop_tables(_TABLES)
