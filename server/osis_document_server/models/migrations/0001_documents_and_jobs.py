"""Documents, blobs, and the jobs and tasks of post-processing."""

from typing import Any

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
    UUIDField,
)

from osis_document_server.models.fields import MomentField


class Table(Model):
    class Meta:
        legacy_table_names = False


class Blob(Table):
    key = CharField(max_length=32, primary_key=True)
    size_bytes = BigIntegerField()
    sha256 = CharField(max_length=64)
    block_checksums = BlobField()
    corrupt = BooleanField(default=False)
    created_at = MomentField()

    class Meta:
        table_name = "blob"


class Document(Table):
    id = UUIDField(primary_key=True)
    name = CharField(max_length=255)
    mime_type = CharField(max_length=255)
    blob = ForeignKeyField(Blob, column_name="blob_key", on_delete="RESTRICT")
    status = CharField(max_length=16)
    revision = BigIntegerField(default=0)
    path = CharField(max_length=1024, default="")
    metadata = JSONField(default=dict)
    client = CharField(max_length=64)
    expiration_policy = CharField(max_length=16, default="NONE")
    uploaded_at = MomentField()
    updated_at = MomentField()
    expires_at = MomentField(null=True)
    hold_expires_at = MomentField(null=True)
    confirm_request_id = CharField(max_length=64, null=True)
    lease_id = UUIDField(null=True, index=True)
    modified_blob = ForeignKeyField(Blob, column_name="modified_blob_key", on_delete="RESTRICT", null=True)
    modified_mime_type = CharField(max_length=255, default="")
    modified_created_at = MomentField(null=True)
    modified_updated_at = MomentField(null=True)

    class Meta:
        table_name = "document"
        indexes = ((("status", "uploaded_at"), False),)


class Job(Table):
    id = UUIDField(primary_key=True)
    state = CharField(max_length=16)
    client = CharField(max_length=64)
    request_id = CharField(max_length=64, null=True)
    actions = JSONField()
    failure = JSONField(null=True)
    version = BigIntegerField(default=0)
    created_at = MomentField()
    updated_at = MomentField()
    ended_at = MomentField(null=True)

    class Meta:
        table_name = "job"
        indexes = ((("client", "request_id"), True), (("state", "created_at"), False))


class JobInput(Table):
    job = ForeignKeyField(Job, backref="inputs", on_delete="CASCADE")
    position = IntegerField()
    document = ForeignKeyField(Document, on_delete="CASCADE")

    class Meta:
        table_name = "job_input"
        primary_key = CompositeKey("job", "position")


class Task(Table):
    id = UUIDField(primary_key=True)
    job = ForeignKeyField(Job, backref="tasks", on_delete="CASCADE")
    action_index = IntegerField()
    position = IntegerField()
    type = CharField(max_length=16)
    state = CharField(max_length=16)
    ready = BooleanField()
    attempt = IntegerField(default=0)
    lease_id = UUIDField(null=True, unique=True)
    lease_expires_at = MomentField(null=True)
    worker = CharField(max_length=255, default="")
    failure = JSONField(null=True)
    sent_at = MomentField(null=True)
    updated_at = MomentField()

    class Meta:
        table_name = "task"
        indexes = ((("job", "action_index", "position"), True), (("state", "ready", "sent_at"), False))


class TaskInput(Table):
    task = ForeignKeyField(Task, backref="inputs", on_delete="CASCADE")
    position = IntegerField()
    document = ForeignKeyField(Document, on_delete="CASCADE")
    blob_key = CharField(max_length=32, index=True)
    display_name = TextField()

    class Meta:
        table_name = "task_input"
        primary_key = CompositeKey("task", "position")


class TaskOutput(Table):
    task = ForeignKeyField(Task, backref="outputs", on_delete="CASCADE")
    position = IntegerField()
    document = ForeignKeyField(Document, on_delete="CASCADE")

    class Meta:
        table_name = "task_output"
        primary_key = CompositeKey("task", "position")


_TABLES = [Blob, Document, Job, JobInput, Task, TaskInput, TaskOutput]


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    """Creates the tables."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES, safe=False)


def down(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    """Drops the tables."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.drop_tables(_TABLES)
