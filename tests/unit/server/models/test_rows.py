"""Reading rows as values while others change them."""

from typing import Any
from uuid import uuid4

import pytest

from osis_document_server.domain.jobs import State, TaskType
from osis_document_server.models import rows
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work
from osis_document_server.models.tables import JobRow, TaskRow
from tests.unit.server.models.test_database import NOW, add_job


def test_a_job_that_changes_while_it_is_read_is_not_newer_than_its_tasks(
    migrated: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = {"id": uuid4(), "action_index": 0, "position": 0, "type": TaskType.CONVERT, "state": State.PENDING, "ready": True}
    with unit_of_work(migrated):
        job_id = add_job(actions=[{"type": "CONVERT"}])
        TaskRow.create(job=job_id, updated_at=NOW, **task)
    read_links = rows._by_owner

    def begin_and_read_links(*arguments: Any) -> Any:
        """What happens between two of the queries."""
        if TaskRow.update(state=State.RUNNING).where(TaskRow.state == State.PENDING).execute():
            JobRow.update(state=State.RUNNING, version=JobRow.version + 1).execute()
        return read_links(*arguments)

    monkeypatch.setattr(rows, "_by_owner", begin_and_read_links)
    with reading(migrated):
        torn, whole = rows.find_job(job_id), rows.find_job(job_id)

    assert torn is not None
    assert whole is not None
    assert (torn.version, whole.version) == (0, 1)
    assert whole.records[0].state is State.RUNNING
