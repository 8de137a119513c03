"""Jobs over many documents are written in few statements, and read in few."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from osis_document_server import app
from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.jobs import ACTIONS_LIMIT, Action, Record, State, TaskType
from osis_document_server.domain.uploads import Chunk, Finished, UploadSpec
from osis_document_server.jobs.broker import TaskQueue, open_broker
from osis_document_server.models import rows
from osis_document_server.models.database import ServiceDatabase, reading
from osis_document_server.settings import Settings
from osis_document_server.usecases.confirmation import Confirmation, ConfirmUploads
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.job_imports import ImportedJob, ImportJobs
from osis_document_server.usecases.limits import BATCH_LIMIT
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.uploads import Uploads
from tests.support import files
from tests.support.plans import Statements

CLIENT, ADMIN = Caller(name="alpha", role=Role.CLIENT), Caller(name="admin", role=Role.ADMIN)
CONVERT, MERGE = Action(type=TaskType.CONVERT), Action(type=TaskType.MERGE)


@pytest.fixture
def service(migrated: ServiceDatabase, tmp_path: Path) -> Service:
    """What the use cases work with."""
    settings = Settings(data_dir=tmp_path / "data", disk_floor=0)
    return app.build_service(settings, app.Keys.from_settings(settings), migrated)


@pytest.fixture
def post_processings(service: Service) -> PostProcessings:
    """Starts jobs that nobody works at."""
    return PostProcessings(service, Dispatcher(service, TaskQueue(open_broker("memory://"))))


@pytest.fixture
def document_id(service: Service) -> UUID:
    """A confirmed document that can be converted."""
    return stored(service, "note.txt", b"content")


def stored(service: Service, name: str, data: bytes) -> UUID:
    """Stores a document."""
    spec = UploadSpec(upload_id=uuid4(), name=name)
    finished = Uploads(service).write(CLIENT, spec, [Chunk(offset=0, data=data, finish=True)])
    assert isinstance(finished, Finished)
    assert finished.token is not None
    [document] = ConfirmUploads(service).confirm([Confirmation(token=finished.token.text)], request_id="", hold=None)
    return document.id


def test_the_largest_job_has_a_task_for_each_document_and_action_in_order(
    post_processings: PostProcessings, document_id: UUID
) -> None:
    actions = [CONVERT] * (ACTIONS_LIMIT - 1) + [MERGE]

    job = post_processings.start(CLIENT, [document_id] * BATCH_LIMIT, actions)

    assert [len(job.records_of(index)) for index in range(ACTIONS_LIMIT)] == [BATCH_LIMIT] * (ACTIONS_LIMIT - 1) + [1]
    assert {record.input_ids for record in job.records_of(0)} == {(document_id,)}
    assert {record.input_ids for record in job.records_of(1)} == {()}
    assert {record.state for record in job.records} == {State.PENDING}


def test_a_job_over_many_documents_is_written_in_as_many_statements_as_one_over_few(
    post_processings: PostProcessings, document_id: UUID, migrated: ServiceDatabase
) -> None:
    post_processings.start(CLIENT, [document_id], [CONVERT])
    sent = []
    for documents in (2, 200):
        statements = Statements()
        with statements.recorded(migrated):
            post_processings.start(CLIENT, [document_id] * documents, [CONVERT, MERGE])
        sent.append(statements.sent)

    assert sent[0] == sent[1]


def test_what_is_a_pdf_already_passes_through_a_large_job_at_once(
    service: Service, post_processings: PostProcessings, migrated: ServiceDatabase
) -> None:
    pdf, text = stored(service, "a.pdf", files.pdf("a")), stored(service, "note.txt", b"content")
    post_processings.start(CLIENT, [pdf, text], [CONVERT])
    sent = []
    for documents in (2, 200):
        statements = Statements()
        with statements.recorded(migrated):
            job = post_processings.start(CLIENT, [pdf, text] * documents, [CONVERT])
        sent.append(statements.sent)

        assert [record.state for record in job.records] == [State.DONE, State.PENDING] * documents
        [*made] = (output_id for record in job.records for output_id in record.output_ids)
        with reading(migrated):
            outputs = rows.find_documents(migrated, made)
            source = rows.find_document(migrated, pdf)
        assert source is not None
        assert len(outputs) == documents
        assert {output.blob.key for output in outputs.values()} == {source.blob.key}
        assert [outputs[output_id].name for output_id in made] == ["a.pdf"] * documents

    assert sent[0] == sent[1]


def test_an_import_of_a_large_job_is_written_in_as_many_statements_as_one_of_a_small_one(
    service: Service, post_processings: PostProcessings, document_id: UUID, migrated: ServiceDatabase
) -> None:
    sent, found = [], []
    for documents in (2, 200):
        statements, ids = Statements(), (document_id,)
        records = tuple(
            Record(
                id=uuid4(), type=TaskType.CONVERT, action_index=0, state=State.DONE, input_ids=ids, output_ids=ids, failure=None
            )
            for _ in range(documents)
        )
        imported = ImportedJob(id=uuid4(), state=State.DONE, records=records)
        with statements.recorded(migrated):
            found.append(ImportJobs(service, post_processings).record(ADMIN, ids * documents, [CONVERT], imported))
        sent.append(statements.sent)
        assert found[-1].records == records

    assert sent[0] == sent[1]
