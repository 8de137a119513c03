"""Transactions that meet: what holds when several servers, or several threads of one, do the same at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from osis_document_server import app
from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.jobs import Action, State, TaskType
from osis_document_server.domain.uploads import Chunk, Finished, UploadSpec
from osis_document_server.jobs.broker import TaskQueue, open_broker
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work
from osis_document_server.models.tables import BlobRow, DocumentRow, JobRow, TaskRow
from osis_document_server.settings import Settings
from osis_document_server.usecases import progress, removal
from osis_document_server.usecases.dispatch import Dispatcher
from osis_document_server.usecases.duplication import DuplicateDocuments, Duplication
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.uploads import Uploads

CLIENT = Caller(name="alpha", role=Role.CLIENT)


@pytest.fixture
def service(migrated: ServiceDatabase, tmp_path: Path) -> Service:
    """What the use cases work with."""
    settings = Settings(data_dir=tmp_path / "data", disk_floor=0)
    return app.build_service(settings, app.Keys.from_settings(settings), migrated)


def store(service: Service) -> UUID:
    """A document that is confirmed."""
    spec = UploadSpec(upload_id=uuid4(), name="note.txt")
    finished = Uploads(service).write(CLIENT, spec, [Chunk(offset=0, data=b"content", finish=True)])
    assert isinstance(finished, Finished)
    with unit_of_work(service.database):
        DocumentRow.update(status="UPLOADED").where(DocumentRow.id == spec.upload_id).execute()
    return spec.upload_id


def test_bytes_that_two_documents_share_are_released_when_both_go_at_once(service: Service) -> None:
    first = store(service)
    second = uuid4()
    DuplicateDocuments(service).duplicate(CLIENT, [Duplication(document_id=first, new_document_id=second)], with_modified=False)
    with reading(service.database):
        key = BlobRow.get().key
    begun, may_end = threading.Event(), threading.Event()

    def remove_slowly() -> None:
        with unit_of_work(service.database):
            DocumentRow.delete().where(DocumentRow.id == first).execute()
            removal.release(service.database, [key], now=datetime.now(UTC))
            begun.set()
            assert may_end.wait(20)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(remove_slowly)
        assert begun.wait(20)
        other = pool.submit(removal.remove, service, second, DocumentRow.status == "UPLOADED", why="test")
        assert not other.done()
        may_end.set()
        slow.result(20)
        assert other.result(20)

    with reading(service.database):
        assert BlobRow.get().released_at is not None
    assert removal.remove_blob(service, key)


def test_bytes_that_are_referred_to_anew_while_they_are_released_stay(service: Service) -> None:
    first, second = store(service), uuid4()
    with reading(service.database):
        key = BlobRow.get().key
    begun, may_end = threading.Event(), threading.Event()

    def duplicate_slowly() -> None:
        with unit_of_work(service.database):
            values = DocumentRow.select().where(DocumentRow.id == first).dicts().get()
            DocumentRow.create(**values | {"id": second})
            begun.set()
            assert may_end.wait(20)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(duplicate_slowly)
        assert begun.wait(20)
        other = pool.submit(removal.remove, service, first, DocumentRow.status == "UPLOADED", why="test")
        may_end.set()
        slow.result(20)
        assert other.result(20)

    with reading(service.database):
        assert BlobRow.get().released_at is None
    assert not removal.remove_blob(service, key)


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_sending_messages_waits_for_nobody_who_is_changing_a_task(service: Service) -> None:
    now = datetime.now(UTC)
    tasks = [uuid4(), uuid4()]
    with unit_of_work(service.database):
        for task_id in tasks:
            job_id = uuid4()
            action = Action(type=TaskType.CONVERT).to_json()
            JobRow.create(id=job_id, state=State.PENDING, client="alpha", actions=[action], created_at=now, updated_at=now)
            TaskRow.create(
                id=task_id, job=job_id, action_index=0, position=0, type="CONVERT", state="PENDING", ready=True, updated_at=now
            )
    dispatcher = Dispatcher(service, TaskQueue(open_broker("memory://")))
    sent = threading.Event()

    def change_slowly() -> None:
        with unit_of_work(service.database):
            row = TaskRow.get(TaskRow.id == tasks[0])
            progress.lock_job(service.database, row.job_id)
            TaskRow.update(attempt=1).where(TaskRow.id == tasks[0]).execute()
            begun.set()
            assert sent.wait(20)

    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(change_slowly)
        assert begun.wait(20)
        dispatcher.send_waiting()
        sent.set()
        slow.result(20)

    with reading(service.database):
        marked = {row.id: row.sent_at is not None for row in TaskRow.select()}
    assert marked == {tasks[0]: False, tasks[1]: True}
