"""Removing documents: nothing of one that stays is touched."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from osis_document_server import app
from osis_document_server.domain.access import Caller, Role
from osis_document_server.domain.jobs import Action, State, TaskType
from osis_document_server.domain.uploads import Chunk, UploadSpec
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work
from osis_document_server.models.tables import DocumentRow, JobInputRow, JobRow, TaskRow
from osis_document_server.settings import Settings
from osis_document_server.usecases import removal
from osis_document_server.usecases.service import Service
from osis_document_server.usecases.uploads import Uploads


@pytest.fixture
def service(migrated: ServiceDatabase, tmp_path: Path) -> Service:
    """What the use cases work with."""
    settings = Settings(data_dir=tmp_path / "data", disk_floor=0)
    return app.build_service(settings, app.Keys.from_settings(settings), migrated)


def upload(service: Service) -> UUID:
    """An upload that waits for its confirmation."""
    spec = UploadSpec(upload_id=uuid4(), name="note.txt")
    Uploads(service).write(Caller(name="alpha", role=Role.CLIENT), spec, [Chunk(offset=0, data=b"content", finish=True)])
    return spec.upload_id


def job_over(service: Service, document_id: UUID) -> UUID:
    """A job that waits for a worker."""
    job_id, now = uuid4(), datetime.now(UTC)
    action = Action(type=TaskType.CONVERT).to_json()
    with unit_of_work(service.database):
        JobRow.create(id=job_id, state=State.PENDING, client="alpha", actions=[action], created_at=now, updated_at=now)
        JobInputRow.create(job=job_id, position=0, document=document_id)
        TaskRow.create(
            id=uuid4(), job=job_id, action_index=0, position=0, type="CONVERT", state="PENDING", ready=True, updated_at=now
        )
    return job_id


def test_jobs_over_a_document_that_was_confirmed_just_in_time_go_on(service: Service) -> None:
    document_id = upload(service)
    job_id = job_over(service, document_id)
    with unit_of_work(service.database):
        DocumentRow.update(status="UPLOADED").where(DocumentRow.id == document_id).execute()

    assert removal.remove_unconfirmed(service, document_id, why="test") is False

    with reading(service.database):
        assert DocumentRow.get_by_id(document_id).status == "UPLOADED"
        assert JobRow.get_by_id(job_id).state == State.PENDING
        assert TaskRow.get(TaskRow.job == job_id).state == State.PENDING


def test_jobs_go_with_the_last_of_their_documents(service: Service) -> None:
    document_id = upload(service)
    job_id = job_over(service, document_id)

    assert removal.remove_unconfirmed(service, document_id, why="test") is True

    with reading(service.database):
        assert DocumentRow.get_or_none(DocumentRow.id == document_id) is None
        assert JobRow.get_or_none(JobRow.id == job_id) is None
