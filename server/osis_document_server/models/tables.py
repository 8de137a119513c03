"""The tables. Every change of them is also a migration beside this module.

Rows never leave the use cases: ``rows.py`` turns them into domain values.
"""

from uuid import UUID

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
    UUIDField,
)

from osis_document_server.models.fields import MomentField

#: Bound to a real database once, by ``database.open_database``.
database_proxy = DatabaseProxy()


class Table(Model):
    """What all tables share."""

    class Meta:
        database = database_proxy
        legacy_table_names = False


class BlobRow(Table):
    """Stored bytes. A key is never rewritten; a row is deleted only when nothing refers to it."""

    key = CharField(max_length=32, primary_key=True)
    size_bytes = BigIntegerField()
    sha256 = CharField(max_length=64)
    #: CRC32C of every 1 MiB block: four bytes each, little-endian.
    block_checksums = BlobField()
    corrupt = BooleanField(default=False)
    created_at = MomentField()
    #: When all of its bytes were last read and found sound: at upload, then by the scrubber.
    verified_at = MomentField(null=True, index=True)
    #: Since when nothing refers to it: removed some time after. Null: in use.
    released_at = MomentField(null=True)

    class Meta:
        table_name = "blob"


BlobRow.add_index(BlobRow.released_at, where=BlobRow.released_at.is_null(False), name="blob_released_at")
BlobRow.add_index(BlobRow.key, where=BlobRow.corrupt, name="blob_corrupt")


class DocumentRow(Table):
    """One document."""

    id = UUIDField(primary_key=True)
    name = CharField(max_length=255)
    mime_type = CharField(max_length=255)
    blob_key: str
    blob = ForeignKeyField(BlobRow, column_name="blob_key", on_delete="RESTRICT")
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
    #: The request that confirmed the document, so that repeating it gets the first answer.
    confirm_request_id = CharField(max_length=64, null=True)
    #: The lease under which a worker uploaded the document as an output; it lives as long as that lease.
    lease_id = UUIDField(null=True, index=True)
    modified_blob_key: str | None
    modified_blob = ForeignKeyField(BlobRow, column_name="modified_blob_key", on_delete="RESTRICT", null=True)
    modified_mime_type = CharField(max_length=255, default="")
    modified_created_at = MomentField(null=True)
    modified_updated_at = MomentField(null=True)
    #: The name as it is searched: ``str.casefold`` of it.
    folded_name = TextField(default="", constraints=[SQL("DEFAULT ''")])
    #: The status that undeleting brings back. Null: not deleted.
    deleted_from = CharField(max_length=16, null=True)
    deleted_at = MomentField(null=True)

    class Meta:
        table_name = "document"
        # Every order in which documents are listed ends in the id, so that pages are told apart.
        indexes = ((("status", "uploaded_at", "id"), False), (("uploaded_at", "id"), False), (("path", "id"), False))


# What the sweeper looks for: few rows of many, so their indexes hold those few alone.
for _due in (DocumentRow.expires_at, DocumentRow.hold_expires_at, DocumentRow.deleted_at):
    DocumentRow.add_index(_due, where=_due.is_null(False), name=f"document_{_due.name}")


class UploadRow(Table):
    """An upload that is not finished."""

    id = UUIDField(primary_key=True)
    client = CharField(max_length=64)
    name = CharField(max_length=255)
    size_bytes = BigIntegerField(null=True)
    metadata = JSONField(default=dict)
    lease_id = UUIDField(null=True)
    #: What an import keeps of an existing document. Null: it is none.
    imported = JSONField(null=True)
    #: Raised by each writer that takes the upload over; only the newest may change the row.
    epoch = IntegerField()
    #: Where each writer's segment begins: pairs of epoch and offset, in order.
    segments = JSONField()
    #: Bytes that would survive a power cut. Never decreases.
    persisted_size = BigIntegerField(default=0)
    started_at = MomentField()
    #: When the last byte was recorded.
    updated_at = MomentField(index=True)

    class Meta:
        table_name = "upload"


class JobRow(Table):
    """One post-processing job."""

    id = UUIDField(primary_key=True)
    state = CharField(max_length=16)
    client = CharField(max_length=64)
    request_id = CharField(max_length=64, null=True)
    actions = JSONField()
    failure = JSONField(null=True)
    #: Raised by every change, so that watchers see changes without reading the job.
    version = BigIntegerField(default=0)
    created_at = MomentField()
    updated_at = MomentField()
    ended_at = MomentField(null=True)

    class Meta:
        table_name = "job"
        indexes = (
            (("client", "request_id"), True),
            (("state", "created_at", "id"), False),
            (("created_at", "id"), False),
        )


class JobInputRow(Table):
    """A document that a job was started over."""

    job_id: UUID
    job = ForeignKeyField(JobRow, backref="inputs", on_delete="CASCADE")
    position = IntegerField()
    document_id: UUID
    document = ForeignKeyField(DocumentRow, on_delete="CASCADE")

    class Meta:
        table_name = "job_input"
        primary_key = CompositeKey("job", "position")


class TaskRow(Table):
    """One task of a job: a document to convert, or documents to merge."""

    id = UUIDField(primary_key=True)
    job_id: UUID
    job = ForeignKeyField(JobRow, backref="tasks", on_delete="CASCADE")
    action_index = IntegerField()
    position = IntegerField()
    type = CharField(max_length=16)
    state = CharField(max_length=16)
    #: False while the action before is unfinished, whose outputs are this task's inputs.
    ready = BooleanField()
    attempt = IntegerField(default=0)
    lease_id = UUIDField(null=True, unique=True)
    lease_expires_at = MomentField(null=True)
    worker = CharField(max_length=255, default="")
    failure = JSONField(null=True)
    #: When the last queue message was sent. Null: none yet.
    sent_at = MomentField(null=True)
    updated_at = MomentField()

    class Meta:
        table_name = "task"
        indexes = (
            (("job", "action_index", "position"), True),
            (("state", "ready", "sent_at"), False),
            (("type", "updated_at"), False),
        )


class TaskInputRow(Table):
    """A document that a task reads."""

    task_id: UUID
    task = ForeignKeyField(TaskRow, backref="inputs", on_delete="CASCADE")
    position = IntegerField()
    document_id: UUID
    document = ForeignKeyField(DocumentRow, on_delete="CASCADE")
    #: The bytes that it had when the task began: whoever converts the same bytes in the same way gets the same PDF.
    blob_key = CharField(max_length=32, index=True)
    #: The name to show for it: that of the document it was made from.
    display_name = TextField()

    class Meta:
        table_name = "task_input"
        primary_key = CompositeKey("task", "position")


class TaskOutputRow(Table):
    """A document that a task made."""

    task_id: UUID
    task = ForeignKeyField(TaskRow, backref="outputs", on_delete="CASCADE")
    position = IntegerField()
    document_id: UUID
    document = ForeignKeyField(DocumentRow, on_delete="CASCADE")

    class Meta:
        table_name = "task_output"
        primary_key = CompositeKey("task", "position")


class ServiceLeaseRow(Table):
    """Work that one server at a time does for all of them: sweeping, scrubbing."""

    name = CharField(max_length=32, primary_key=True)
    holder = UUIDField()
    expires_at = MomentField()

    class Meta:
        table_name = "service_lease"


class StorageIdentityRow(Table):
    """The storage that holds this database's blobs: it has the same id. There is one row, once a server has started."""

    #: Always 1.
    id = IntegerField(primary_key=True)
    identity = CharField(max_length=32)

    class Meta:
        table_name = "storage_identity"


#: In an order in which they can be created.
TABLES = (
    BlobRow,
    DocumentRow,
    UploadRow,
    JobRow,
    JobInputRow,
    TaskRow,
    TaskInputRow,
    TaskOutputRow,
    ServiceLeaseRow,
    StorageIdentityRow,
)
