"""No statement has more parameters than a database takes, however many rows there are."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from osis_document_server.domain.jobs import Action, State, TaskType
from osis_document_server.models import rows
from osis_document_server.models.bulk import CHUNK, PARAMETERS, in_chunks, insert_all
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work
from osis_document_server.models.tables import (
    BlobRow,
    DocumentRow,
    JobInputRow,
    JobRow,
    ServiceLeaseRow,
    TaskInputRow,
    TaskOutputRow,
    TaskRow,
)
from tests.support.plans import Statements

NOW = datetime(2026, 3, 1, 10, 20, 30, tzinfo=UTC)
#: PostgreSQL counts parameters up to here; SQLite stops at half of it.
MOST = 65_535


def add_document() -> UUID:
    """A document; within a unit of work."""
    BlobRow.create(key="k", size_bytes=0, sha256="", block_checksums=b"", created_at=NOW)
    row: DocumentRow = DocumentRow.create(
        id=uuid4(), name="a.txt", mime_type="text/plain", blob="k", status="UPLOADED", client="a", uploaded_at=NOW, updated_at=NOW
    )
    return row.id


def add_job(document_id: UUID, *, documents: int) -> UUID:
    """A job that has converted a document so often; within a unit of work."""
    job_id = uuid4()
    actions = [Action(type=TaskType.CONVERT).to_json()]
    JobRow.create(id=job_id, state=State.DONE, client="alpha", actions=actions, created_at=NOW, updated_at=NOW)
    links = [{"position": position, "document": document_id} for position in range(documents)]
    insert_all(JobInputRow, [{"job": job_id, **link} for link in links])
    task = {"job": job_id, "action_index": 0, "type": TaskType.CONVERT, "state": State.DONE, "ready": True, "updated_at": NOW}
    tasks = [{"id": uuid4(), "position": position, **task} for position in range(documents)]
    insert_all(TaskRow, tasks)
    made = [{"task": each["id"], "position": 0, "document": document_id} for each in tasks]
    insert_all(TaskInputRow, [{**each, "blob_key": "k", "display_name": "a.txt"} for each in made])
    insert_all(TaskOutputRow, made)
    return job_id


def test_values_are_split_in_their_order_and_none_makes_no_list() -> None:
    assert list(in_chunks([])) == []
    assert [len(chunk) for chunk in in_chunks(range(CHUNK * 2 + 1))] == [CHUNK, CHUNK, 1]
    assert [value for chunk in in_chunks(range(CHUNK + 5)) for value in chunk] == list(range(CHUNK + 5))


def test_more_rows_than_a_statement_takes_are_all_inserted(migrated: ServiceDatabase) -> None:
    lease, statements = {"holder": uuid4(), "expires_at": NOW}, Statements()
    count = PARAMETERS // 3 + 1

    with statements.recorded(migrated), unit_of_work(migrated):
        insert_all(ServiceLeaseRow, [{"name": str(number), **lease} for number in range(count)])

    with reading(migrated):
        assert ServiceLeaseRow.select().count() == count
    assert max(statements.parameter_counts()) <= PARAMETERS


def test_documents_are_found_among_more_ids_than_a_statement_takes(migrated: ServiceDatabase) -> None:
    with unit_of_work(migrated):
        document_id = add_document()
        found = rows.find_documents(migrated, [document_id, *(uuid4() for _ in range(MOST))], lock=True)

    assert found.keys() == {document_id}


def test_reading_jobs_takes_as_many_parameters_for_large_ones_as_for_small_ones(migrated: ServiceDatabase) -> None:
    counts, found = [], []
    for documents in (1, 300):
        with unit_of_work(migrated):
            job_id = add_job(add_document() if documents == 1 else found[0].input_ids[0], documents=documents)
        statements = Statements()
        with statements.recorded(migrated), reading(migrated):
            found += rows.find_jobs([job_id]).values()
        counts.append(statements.parameter_counts())

    assert counts[0] == counts[1]
    assert [len(job.records) for job in found] == [1, 300]
    [document_id] = found[0].input_ids
    assert found[1].input_ids == (document_id,) * 300
    assert {(record.input_ids, record.output_ids) for record in found[1].records} == {((document_id,), (document_id,))}
