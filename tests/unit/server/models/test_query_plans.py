"""However many documents there are, no request reads all of them: every statement finds its rows by an index."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from osis_document_server import app
from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.documents import Status
from osis_document_server.domain.jobs import Action, Failure, LeasedTask, Record, State, TaskType
from osis_document_server.domain.listing import DocumentFilter, Order
from osis_document_server.domain.tokens import Purpose, SignedToken
from osis_document_server.domain.uploads import Chunk, Finished, UploadSpec
from osis_document_server.errors import ServiceError
from osis_document_server.jobs.broker import TaskQueue, open_broker
from osis_document_server.models.database import ServiceDatabase
from osis_document_server.models.postgresql import PostgresDatabase
from osis_document_server.settings import Settings
from osis_document_server.usecases.confirmation import Confirmation, ConfirmUploads
from osis_document_server.usecases.content_changes import ContentChanges
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.documents import Documents
from osis_document_server.usecases.downloads import Downloads
from osis_document_server.usecases.duplication import DuplicateDocuments, Duplication
from osis_document_server.usecases.finalizing import FinalizeDocuments
from osis_document_server.usecases.job_imports import ImportedJob, ImportJobs
from osis_document_server.usecases.job_listing import JobFilter, ListJobs
from osis_document_server.usecases.lifecycle import Lifecycle
from osis_document_server.usecases.listing import ListDocuments
from osis_document_server.usecases.metadata import MetadataChange, UpdateMetadata
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.scrubbing import Scrubber
from osis_document_server.usecases.sweeping import Sweeper
from osis_document_server.usecases.tasks import Tasks
from osis_document_server.usecases.tokens import Tokens, TokenWish
from osis_document_server.usecases.uploads import Uploads
from osis_document_server.usecases.watching import Watching
from tests.support import files
from tests.support.plans import Statements

ROWS = 20_000
#: What grows with the use of the service.
LARGE = {"document", "blob", "upload", "job", "job_input", "task", "task_input", "task_output"}

CLIENT, WORKER = Caller(name="alpha", role=Role.CLIENT), Caller(name="worker", role=Role.WORKER)
ADMIN = Caller(name="admin", role=Role.ADMIN)
CONVERT, MERGE = Action(type=TaskType.CONVERT), Action(type=TaskType.MERGE)


def document_id(number: int) -> UUID:
    return UUID(int=number)


def fill(database: ServiceDatabase) -> None:
    """A service that has been in use for long: a few things are under way, and a few are due to be removed."""
    now = datetime.now(UTC).replace(tzinfo=None)
    long_ago = now - timedelta(days=400)
    keys = [f"{number:032x}" for number in range(ROWS)]
    ids = [str(document_id(number)).replace("-", "") for number in range(ROWS)]
    job_ids = [f"a{number:031x}" for number in range(ROWS // 2)]
    task_ids = [f"b{number:031x}" for number in range(ROWS // 2)]
    at = [long_ago + timedelta(minutes=number) for number in range(ROWS)]

    def state(number: int) -> tuple[str, str, datetime]:
        """Of a job and its task, and when it changed."""
        if number < 3:
            return "RUNNING", "RUNNING", long_ago  # its worker was lost
        if number < 6:
            return "PENDING", "PENDING", now
        return "DONE", "DONE", at[number]

    tables: dict[str, tuple[str, Iterator[tuple[Any, ...]]]] = {
        "blob": (
            "key, size_bytes, sha256, block_checksums, corrupt, created_at, verified_at, released_at",
            (
                (key, 3, "0" * 64, b"0123", number == 9, at[number], at[number], long_ago if number in {10, 11} else None)
                for number, key in enumerate(keys)
            ),
        ),
        "document": (
            (
                "id, name, folded_name, mime_type, blob_key, status, revision, path, metadata, client, expiration_policy, "
                "uploaded_at, updated_at, expires_at, hold_expires_at, deleted_at, deleted_from, modified_mime_type"
            ),
            (
                (
                    ids[number],
                    f"Note {number}.txt",
                    f"note {number}.txt",
                    "text/plain",
                    keys[number],
                    {20: "REQUESTED", 21: "DELETED"}.get(number, "UPLOADED"),
                    0,
                    f"folder/{number % 500}/Note {number}.txt",
                    "{}",
                    "alpha",
                    "NONE",
                    at[number],
                    at[number],
                    long_ago if number == 22 else None,
                    long_ago if number == 23 else None,
                    long_ago if number == 21 else None,
                    "UPLOADED" if number == 21 else None,
                    "",
                )
                for number in range(ROWS)
            ),
        ),
        "upload": (
            "id, client, name, metadata, epoch, segments, persisted_size, started_at, updated_at",
            (
                (f"c{number:031x}", "alpha", "half.txt", "{}", 1, "[[1, 0]]", 0, now, long_ago if number < 3 else now)
                for number in range(ROWS // 2)
            ),
        ),
        "job": (
            "id, state, client, actions, version, created_at, updated_at",
            (
                (job_id, state(number)[0], "alpha", '[{"type": "CONVERT"}]', 1, state(number)[2], state(number)[2])
                for number, job_id in enumerate(job_ids)
            ),
        ),
        "job_input": (
            "job_id, position, document_id",
            ((job_id, 0, ids[number + 100]) for number, job_id in enumerate(job_ids[:-100])),
        ),
        "task": (
            "id, job_id, action_index, position, type, state, ready, attempt, worker, lease_expires_at, updated_at",
            (
                (task_id, job_ids[number], 0, 0, "CONVERT", state(number)[1], True, 1, "", long_ago, state(number)[2])
                for number, task_id in enumerate(task_ids)
            ),
        ),
        "task_input": (
            "task_id, position, document_id, blob_key, display_name",
            ((task_id, 0, ids[number + 100], keys[number + 100], "Note") for number, task_id in enumerate(task_ids[:-100])),
        ),
        "task_output": (
            "task_id, position, document_id",
            ((task_id, 0, ids[number + ROWS // 2]) for number, task_id in enumerate(task_ids) if number >= 6),
        ),
    }
    with database.connection_context():
        with database.atomic():
            for table, (columns, rows) in tables.items():
                marks = ", ".join([database.param] * len(columns.split(",")))
                database.connection().cursor().executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(rows))
        if isinstance(database, PostgresDatabase):  # which does it by itself, later; SQLite never does
            database.execute_sql("ANALYZE")


class Everything:
    """All that callers, workers and time can bring about, done once."""

    def __init__(self, database: ServiceDatabase, folder: Path) -> None:
        settings = Settings(data_dir=folder, disk_floor=0)
        service = app.build_service(settings, app.Keys.from_settings(settings), database)
        dispatcher = Dispatcher(service, TaskQueue(open_broker("memory://")))
        self.service = service
        self.post_processings = PostProcessings(service, dispatcher)
        self.watching = Watching(service, self.post_processings)
        self.tasks = Tasks(service, dispatcher, self.watching)
        self.uploads = Uploads(service)
        self.tokens = Tokens(service)
        self.documents = Documents(service)
        self.downloads = Downloads(service)
        self.confirmation = ConfirmUploads(service)
        self.finalizing = FinalizeDocuments(service)
        self.metadata = UpdateMetadata(service)
        self.changes = ContentChanges(service, dispatcher, self.watching)
        self.duplication = DuplicateDocuments(service)
        self.lifecycle = Lifecycle(service)
        self.listing = ListDocuments(service)
        self.job_listing = ListJobs(service)
        self.dispatcher = dispatcher

    def run(self) -> None:
        """Does it, from the upload to the removal."""
        for step in (self._uploads, self._documents, self._lists, self._jobs, self._changes_of_content, self._ends, self._time):
            step()
        self.watching.stop()

    def _store(self, name: str, content: bytes, *, caller: Caller = CLIENT, lease_id: UUID | None = None) -> Finished:
        spec = UploadSpec(upload_id=uuid4(), name=name, lease_id=lease_id)
        finished = self.uploads.write(caller, spec, [Chunk(offset=0, data=content, finish=True)])
        assert isinstance(finished, Finished)
        return finished

    def _confirmed(self, name: str = "note.txt", content: bytes = b"content") -> UUID:
        finished = self._store(name, content)
        assert finished.token is not None
        [document] = self.confirmation.confirm([Confirmation(token=finished.token.text, path="a/")], request_id="", hold=None)
        return document.id

    def _token(self, of: UUID, purpose: Purpose) -> str:
        token = self.tokens.create(TokenWish(document_id=of, purpose=purpose))
        assert isinstance(token, SignedToken)
        return token.text

    def _uploads(self) -> None:
        spec = UploadSpec(upload_id=uuid4(), name="note.txt", size_bytes=6)
        self.uploads.start(CLIENT, spec)
        self.uploads.write(CLIENT, spec, [Chunk(offset=0, data=b"abc")])
        self.uploads.status(CLIENT, spec.upload_id)
        self.uploads.write(CLIENT, spec.upload_id, [Chunk(offset=3, data=b"def", finish=True)])
        self.uploads.write(CLIENT, spec, [Chunk(offset=0, data=b"abcdef", finish=True)])
        self.uploads.status(CLIENT, spec.upload_id)
        self.uploads.cancel(CLIENT, spec.upload_id)
        with contextlib.suppress(ServiceError):
            self._store("empty.txt", b"")

    def _documents(self) -> None:
        one = self._confirmed()
        read, write = self._token(one, Purpose.READ), self._token(one, Purpose.WRITE)
        self.tokens.create_all([TokenWish(document_id=document_id(number), purpose=Purpose.READ) for number in range(100, 110)])
        self.tokens.inspect(write)
        self.documents.describe(one)
        self.documents.describe_all([one, read, document_id(5)])
        assert b"".join(part.data for part in self.downloads.read(self.downloads.find(read))) == b"content"
        self.metadata.update(write, MetadataChange(name="new.txt", keys={"a": 1}))
        held = self._store("held.txt", b"held")
        assert held.token is not None
        self.confirmation.confirm([Confirmation(token=held.token.text)], hold=timedelta(days=1))
        self.finalizing.finalize([held.document.id, one])
        [duplicate] = self.duplication.duplicate(CLIENT, [Duplication(document_id=one)], with_modified=True)
        assert not isinstance(duplicate, ServiceError)
        with contextlib.suppress(ServiceError):  # its bytes are not there
            list(self.downloads.read(self.downloads.find(self._token(document_id(15), Purpose.READ))))

    def _lists(self) -> None:
        now = datetime.now(UTC)
        filters: list[dict[str, Any]] = [
            {},
            {"statuses": frozenset({Status.UPLOADED})},
            {"statuses": frozenset({Status.REQUESTED, Status.DELETED})},
            {"mime_types": frozenset({"text/plain"})},
            {"name_contains": "note 12"},
            {"path_prefix": "folder/7/"},
            {"uploaded_from": now - timedelta(days=399), "uploaded_before": now - timedelta(days=395)},
            {"held": True},
            {"corrupt": True},
        ]
        for chosen, order in itertools.product(filters, Order):
            wanted = DocumentFilter(**chosen, order=order)
            page = self.listing.page(wanted)
            if page.next_page_token:
                self.listing.page(wanted, token=page.next_page_token)
        jobs: list[dict[str, Any]] = [
            {},
            {"states": frozenset({State.RUNNING})},
            {"types": frozenset({TaskType.CONVERT})},
            {"types": frozenset({TaskType.ROTATE})},
            {"document_id": document_id(150)},
            {"created_from": now - timedelta(days=399), "created_before": now - timedelta(days=395)},
        ]
        for chosen in jobs:
            found = self.job_listing.page(JobFilter(**chosen))
            if found.next_page_token:
                self.job_listing.page(JobFilter(**chosen), token=found.next_page_token)

    def _jobs(self) -> None:
        inputs = [self._confirmed(content=content) for content in (b"one", b"two")]
        job = self.post_processings.start(CLIENT, inputs, [CONVERT, MERGE], request_id="first")
        self.post_processings.start(CLIENT, inputs, [CONVERT, MERGE], request_id="first")
        self.watching.find(job.id)
        watch = iter(self.watching.watch(job.id))
        next(watch)
        while not (job := self.post_processings.find(job.id)).state.is_terminal:
            for record in job.records:
                if record.state is State.PENDING:
                    self._work(record.id)
        self.post_processings.start(CLIENT, inputs, [CONVERT])
        given_back = self.post_processings.start(CLIENT, [self._confirmed(content=b"three")], [CONVERT])
        task_id = given_back.records[0].id
        self._lease(task_id, then=self.tasks.give_back)
        for retryable in (True, False):
            failure = Failure(reason="ENGINE_CRASHED", message="It crashed.", retryable=retryable)
            self._lease(task_id, then=partial(self.tasks.fail, failure=failure))
        self.tokens.create(TokenWish(document_id=inputs[0], purpose=Purpose.READ))
        self.post_processings.cancel(self.post_processings.start(CLIENT, [self._confirmed(content=b"four")], [CONVERT]).id)
        done = Record(
            id=uuid4(), type=TaskType.CONVERT, action_index=0, state=State.DONE, input_ids=(inputs[0],), output_ids=(inputs[1],)
        )
        elsewhere = ImportedJob(id=uuid4(), state=State.DONE, records=(done,))
        ImportJobs(self.service, self.post_processings).record(ADMIN, inputs[:1], [CONVERT], elsewhere)

    def _lease(self, task_id: UUID, *, then: Callable[[UUID], object]) -> LeasedTask | None:
        lease_id = uuid4()
        leased = self.tasks.claim(task_id, lease_id=lease_id, worker="w")
        if leased is not None:
            self.tasks.extend(lease_id)
            then(lease_id)
        return leased

    def _work(self, task_id: UUID, *, name: str = "output.pdf", content: bytes | None = None) -> None:
        def complete(lease_id: UUID) -> None:
            made = self._store(name, content or files.pdf("page"), caller=WORKER, lease_id=lease_id)
            self.tasks.complete(lease_id, [made.document.id])
            self.tasks.complete(lease_id, [made.document.id])

        self._lease(task_id, then=complete)

    def _changes_of_content(self) -> None:
        image = self._confirmed("image.png", files.png())
        pending = self.changes.rotate(self._token(image, Purpose.WRITE), 90, request_id=str(uuid4()))
        assert pending.watch is not None
        [task] = self.post_processings.find(pending.watch.job_id).records
        self._work(task.id, name="image.png", content=files.png(65))
        assert pending.wait().document.revision == 1
        pdf, edited = self._confirmed("a.pdf", files.pdf("a")), self._store("b.pdf", files.pdf("b"))
        assert edited.token is not None
        pending = self.changes.save_edit(self._token(pdf, Purpose.WRITE), edited.token.text, {0: 90})
        assert pending.watch is not None
        [task] = self.post_processings.find(pending.watch.job_id).records
        self._work(task.id, content=files.pdf("c"))
        assert pending.wait().document.revision == 1

    def _ends(self) -> None:
        document = self._confirmed(content=b"with a job")
        self.post_processings.start(CLIENT, [document], [CONVERT])
        self.lifecycle.delete([document, document_id(150), document_id(3)])
        self.lifecycle.undelete([document, document_id(150)])
        self.lifecycle.declare_infected(document)
        self.lifecycle.declare_infected("folder/200/Note 10200.txt")

    def _time(self) -> None:
        later = replace(self.service, now=lambda: datetime.now(UTC) + timedelta(hours=1))
        sweeper = Sweeper(self.service, self.dispatcher)
        assert sweeper.sweep() > 0
        sweeper.restart()
        Sweeper(later, self.dispatcher).remove_due()
        sweeper.stop()
        scrubber = Scrubber(self.service)
        scrubber.scrub(not_since=datetime.now(UTC) - timedelta(days=399, hours=23))
        scrubber.recheck()


@pytest.fixture
def filled(migrated: ServiceDatabase) -> ServiceDatabase:
    fill(migrated)
    return migrated


def scans(statements: Statements, database: ServiceDatabase) -> str:
    """What reads a large table as a whole; empty if nothing does."""
    return "\n".join(f"{table} is read as a whole by {sql}" for table, sql in statements.scans(database) if table in LARGE)


def test_no_statement_reads_a_large_table_as_a_whole(filled: ServiceDatabase, tmp_path: Path) -> None:
    everything, statements = Everything(filled, tmp_path / "data"), Statements()

    with statements.recorded(filled):
        everything.run()

    assert len(statements) > 100, "most of what the service does is among them"
    assert scans(statements, filled) == ""


def test_a_statement_without_an_index_is_found(filled: ServiceDatabase) -> None:
    for sql in (
        "SELECT id FROM document WHERE name = 'x'",
        "SELECT count(*) FROM document",
        "DELETE FROM task WHERE worker = 'x'",
        "SELECT job.id FROM job JOIN job_input ON job.id = job_input.job_id WHERE job_input.position > 0",
    ):
        statements = Statements()
        with statements.recorded(filled), filled.connection_context():
            filled.execute_sql(sql)
        assert scans(statements, filled), sql
