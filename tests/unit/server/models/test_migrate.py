"""The schema, and the way there from every earlier one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from peewee import IntegrityError
from playhouse.migrations import Runner

from osis_document_server.models import database, migrate, tables
from osis_document_server.models.database import ServiceDatabase, reading, unit_of_work

FOLDER = Path(migrate.__file__).with_name("migrations")
NAMES = [path.stem for path in sorted(FOLDER.glob("[0-9]*.py"))]

DOCUMENT_ID, JOB_ID, TASK_ID = (f"0000000{number}00004000800000000000abcd" for number in (1, 2, 3))
BLOB_KEY = "5f" * 16
AT = "2026-03-01 10:20:30.123456"

#: A row of each table, as the migration that made it would have it.
ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "0001_documents_and_jobs": [
        (
            "blob",
            {
                "key": BLOB_KEY,
                "size_bytes": 5 * 1024**3,
                "sha256": "ab" * 32,
                "block_checksums": b"\0\xff\x80 ",
                "corrupt": False,
                "created_at": AT,
            },
        ),
        (
            "document",
            {
                "id": DOCUMENT_ID,
                "name": "Straße ÉTÉ.pdf",
                "mime_type": "application/pdf",
                "blob_key": BLOB_KEY,
                "status": "UPLOADED",
                "revision": 3,
                "path": "Zoë/Straße ÉTÉ.pdf",
                "metadata": '{"n": 1, "float": 1e300, "nested": ["x", null, "\\u0000"]}',
                "client": "admission",
                "expiration_policy": "EXPORT",
                "uploaded_at": AT,
                "updated_at": AT,
                "expires_at": AT,
                "hold_expires_at": None,
                "confirm_request_id": "request",
                "lease_id": None,
                "modified_blob_key": BLOB_KEY,
                "modified_mime_type": "application/pdf",
                "modified_created_at": AT,
                "modified_updated_at": None,
            },
        ),
        (
            "job",
            {
                "id": JOB_ID,
                "state": "DONE",
                "client": "admission",
                "request_id": None,
                "actions": "[]",
                "failure": None,
                "version": 7,
                "created_at": AT,
                "updated_at": AT,
                "ended_at": AT,
            },
        ),
        ("job_input", {"job_id": JOB_ID, "position": 0, "document_id": DOCUMENT_ID}),
        (
            "task",
            {
                "id": TASK_ID,
                "job_id": JOB_ID,
                "action_index": 0,
                "position": 0,
                "type": "MERGE",
                "state": "DONE",
                "ready": True,
                "attempt": 1,
                "lease_id": None,
                "lease_expires_at": None,
                "worker": "",
                "failure": '{"reason": "x"}',
                "sent_at": None,
                "updated_at": AT,
            },
        ),
        (
            "task_input",
            {"task_id": TASK_ID, "position": 0, "document_id": DOCUMENT_ID, "blob_key": BLOB_KEY, "display_name": "ÉTÉ"},
        ),
        ("task_output", {"task_id": TASK_ID, "position": 0, "document_id": DOCUMENT_ID}),
    ],
    "0002_uploads": [
        (
            "upload",
            {
                "id": DOCUMENT_ID,
                "client": "admission",
                "name": "half.pdf",
                "size_bytes": None,
                "metadata": "{}",
                "lease_id": None,
                "imported": None,
                "epoch": 2,
                "segments": "[[1, 0], [2, 65536]]",
                "persisted_size": 65536,
                "started_at": AT,
                "updated_at": AT,
            },
        )
    ],
    "0004_storage_identity": [("storage_identity", {"id": 1, "identity": "5d" * 16})],
}


def migrate_to(opened: ServiceDatabase, name: str) -> None:
    with opened.connection_context():
        Runner(opened, directory=str(FOLDER)).up(name)


def insert(opened: ServiceDatabase, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(f'"{column}"' for column in row)
    marks = ", ".join([opened.param] * len(row))
    opened.execute_sql(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', tuple(row.values()))


def select(opened: ServiceDatabase, table: str, row: dict[str, Any]) -> list[Any]:
    columns = ", ".join(f'"{column}"' for column in row)
    return list(opened.execute_sql(f'SELECT {columns} FROM "{table}"').fetchall())


def schema(opened: ServiceDatabase) -> dict[str, Any]:
    """Columns, keys, indexes and references of every table. (Not the collation, which only migrations can say.)"""
    found: dict[str, Any] = {}
    with opened.connection_context():
        for table in set(opened.get_tables()) - {"schema_migration", "sqlite_sequence"}:
            found[table] = {
                "columns": {tuple(column) for column in opened.get_columns(table)},
                "primary key": opened.get_primary_keys(table),
                "indexes": {index.name: (index.sql, tuple(index.columns), index.unique) for index in opened.get_indexes(table)},
                "references": {
                    (key.column, key.dest_table, key.dest_column, key.on_delete) for key in opened.get_foreign_keys(table)
                },
            }
    return found


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(new_database: Callable[[], str]) -> None:
    migrated = database.open_database(new_database())
    assert migrate.pending(migrated) == NAMES
    assert migrate.migrate(migrated) == NAMES
    assert migrate.pending(migrated) == []
    found = schema(migrated)
    migrated.close_all()

    direct = database.open_database(new_database())
    with direct.connection_context():
        direct.create_tables(tables.TABLES)
    expected = schema(direct)
    direct.close_all()

    assert set(expected) == {table._meta.table_name for table in tables.TABLES}
    assert found == expected


def test_migrating_twice_changes_nothing(migrated: ServiceDatabase) -> None:
    before = schema(migrated)
    assert migrate.migrate(migrated) == []
    assert schema(migrated) == before


@pytest.mark.parametrize("state", range(1, len(NAMES) + 1), ids=NAMES)
def test_from_every_earlier_state_all_rows_come_along(empty: ServiceDatabase, state: int) -> None:
    rows = [row for name in NAMES[:state] for row in ROWS.get(name, [])]
    migrate_to(empty, NAMES[state - 1])
    with unit_of_work(empty):
        for table, row in rows:
            insert(empty, table, row)
        before = [select(empty, table, row) for table, row in rows]

    assert migrate.migrate(empty) == NAMES[state:]

    with reading(empty):
        assert [select(empty, table, row) for table, row in rows] == before
        [document] = tables.DocumentRow.select()
        assert document.metadata == {"n": 1, "float": 1e300, "nested": ["x", None, "\0"]}
        assert document.name == "Straße ÉTÉ.pdf"
    with empty.connection_context(), pytest.raises(IntegrityError):  # what refers to what is kept, too
        tables.BlobRow.delete().where(tables.BlobRow.key == BLOB_KEY).execute()


def test_thousands_of_documents_can_be_found_by_name_after_the_migration_that_begins_it(empty: ServiceDatabase) -> None:
    migrate_to(empty, "0002_uploads")
    [(_, blob), (_, document), *_] = ROWS["0001_documents_and_jobs"]
    with unit_of_work(empty):
        insert(empty, "blob", blob)
        for number in range(2500):
            insert(empty, "document", document | {"id": f"{number:032x}", "name": f"STRASSE Été {number}.pdf"})

    migrate.migrate(empty)

    with reading(empty):
        found = {row.folded_name for row in tables.DocumentRow.select(tables.DocumentRow.folded_name)}
    assert found == {f"strasse été {number}.pdf" for number in range(2500)}


def test_paths_are_ordered_by_code_point(migrated: ServiceDatabase) -> None:
    paths = ["a/b", "a-b", "B", "b", "Z", "a", "é", "e\u0301", "z", "ß", "\ufffd", "\U0001f600", "10", "9", "a b", "_"]
    [(_, blob), (_, document), *_] = ROWS["0001_documents_and_jobs"]
    with unit_of_work(migrated):
        insert(migrated, "blob", blob)
        for number, path in enumerate(paths):
            insert(migrated, "document", document | {"id": f"{number:032x}", "path": path})

    with reading(migrated):
        found = [row.path for row in tables.DocumentRow.select().order_by(tables.DocumentRow.path)]
        above = [row.path for row in tables.DocumentRow.select().where(tables.DocumentRow.path >= "a ")]
    assert found == sorted(paths)
    assert sorted(above) == [path for path in sorted(paths) if path >= "a "]


_START = """
import sys
from osis_document_server.models import database, migrate
opened = database.open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(*migrate.migrate(opened), flush=True)
opened.close_all()
"""


def test_of_servers_that_start_together_one_migrates_and_the_others_wait_for_it(new_database: Callable[[], str]) -> None:
    url = new_database()
    starting = [
        subprocess.Popen([sys.executable, "-c", _START, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].split() for process in starting]

    assert [process.returncode for process in starting] == [0, 0, 0, 0]
    assert sorted(said) == [[], [], [], NAMES]
