"""Deletion, retention, verification of blobs, listing; what one server does for all."""

from typing import Any

from peewee import CharField, Model, PostgresqlDatabase, TextField, UUIDField

from osis_document_server.models.fields import MomentField

_COLUMNS = (
    ("blob", "verified_at", MomentField(null=True)),
    ("blob", "released_at", MomentField(null=True)),
    ("document", "deleted_from", CharField(max_length=16, null=True)),
    ("document", "deleted_at", MomentField(null=True)),
)
_PARTIAL_INDEXES = (
    ("blob_released_at", "blob", "released_at"),
    ("document_expires_at", "document", "expires_at"),
    ("document_hold_expires_at", "document", "hold_expires_at"),
    ("document_deleted_at", "document", "deleted_at"),
)
_BATCH = 1000


class Document(Model):
    id = UUIDField(primary_key=True)
    name = CharField(max_length=255)
    folded_name = TextField(default="")

    class Meta:
        legacy_table_names = False
        table_name = "document"


class ServiceLease(Model):
    name = CharField(max_length=32, primary_key=True)
    holder = UUIDField()
    expires_at = MomentField()

    class Meta:
        legacy_table_names = False
        table_name = "service_lease"


def up(migrator: Any, db: Any) -> None:
    """Adds columns and indexes."""
    migrator.migrate(*(migrator.add_column(table, name, field) for table, name, field in _COLUMNS))
    # Not by the migrator, which would make the table anew, and take what refers to it along.
    db.execute_sql("ALTER TABLE document ADD COLUMN folded_name TEXT DEFAULT '' NOT NULL")
    db.execute_sql("UPDATE blob SET verified_at = created_at")
    with db.bind_ctx([Document, ServiceLease], bind_refs=False, bind_backrefs=False):
        db.create_tables([ServiceLease], safe=False)
        _fold_names()
    on_postgresql = isinstance(db, PostgresqlDatabase)
    if on_postgresql:
        # By code point, as SQLite compares, so that a prefix is a range of the index.
        db.execute_sql('ALTER TABLE document ALTER COLUMN path TYPE VARCHAR(1024) COLLATE "C"')
    migrator.migrate(
        migrator.drop_index("document", "document_status_uploaded_at"),
        migrator.drop_index("job", "job_state_created_at"),
        migrator.add_index("job", ("state", "created_at", "id")),
        migrator.add_index("job", ("created_at", "id")),
        migrator.add_index("document", ("status", "uploaded_at", "id")),
        migrator.add_index("document", ("uploaded_at", "id")),
        migrator.add_index("document", ("path", "id")),
        migrator.add_index("blob", ("verified_at",)),
        migrator.add_index("task", ("type", "updated_at")),
    )
    for name, table, column in _PARTIAL_INDEXES:
        db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ("{column}") WHERE ("{column}" IS NOT NULL)')
    db.execute_sql('CREATE INDEX "blob_corrupt" ON "blob" ("key") WHERE "corrupt"')


def _fold_names() -> None:
    """Fills ``folded_name``, which no database can compute as Python does."""
    last: Any = None
    while True:
        rows = Document.select(Document.id, Document.name).order_by(Document.id).limit(_BATCH)
        batch = list(rows.where(Document.id > last) if last else rows)
        for row in batch:
            Document.update(folded_name=row.name.casefold()).where(Document.id == row.id).execute()
        if len(batch) < _BATCH:
            return
        last = batch[-1].id


def down(migrator: Any, db: Any) -> None:
    """Takes them back."""
    db.execute_sql('DROP INDEX "blob_corrupt"')
    for name, _, _ in _PARTIAL_INDEXES:
        db.execute_sql(f'DROP INDEX "{name}"')
    migrator.migrate(
        migrator.drop_index("blob", "blob_verified_at"),
        migrator.drop_index("task", "task_type_updated_at"),
        migrator.drop_index("job", "job_state_created_at_id"),
        migrator.drop_index("job", "job_created_at_id"),
        migrator.add_index("job", ("state", "created_at")),
        *(
            migrator.drop_index("document", f"document_{columns}")
            for columns in ("status_uploaded_at_id", "uploaded_at_id", "path_id")
        ),
        migrator.add_index("document", ("status", "uploaded_at")),
    )
    with db.bind_ctx([ServiceLease], bind_refs=False, bind_backrefs=False):
        db.drop_tables([ServiceLease])
    for table, name in (("document", "folded_name"), *((table, name) for table, name, _ in _COLUMNS)):
        db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN "{name}"')
