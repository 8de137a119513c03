"""Databases with many documents, written as rows: their bytes are nowhere, and nobody asks for them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

_BLOB_COLUMNS = "key, size_bytes, sha256, block_checksums, corrupt, created_at, verified_at"
_DOCUMENT_COLUMNS = (
    "id, name, folded_name, mime_type, blob_key, status, revision, path, metadata, client, expiration_policy, "
    "modified_mime_type, uploaded_at, updated_at"
)
#: What both databases understand; ``i`` is the document's number, from 1.
_VALUES = (
    "'Dossier ' || i || '.pdf', 'dossier ' || i || '.pdf', 'application/pdf', {key}, 'UPLOADED', 0, "
    "'folder/' || (i % 20) || '/Dossier ' || i || '.pdf', '{{}}', 'admission', 'NONE', ''"
)
#: The first document was uploaded a minute after this; each of the others a minute after the one before.
EPOCH = "2020-01-01 00:00:00"


def fill_sqlite(file: Path, *, rows: int) -> None:
    """Writes documents and their blobs into a migrated database that nobody uses."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    at, key = f"datetime('{EPOCH}', '+' || i || ' minutes')", "printf('%032x', i)"
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = off")
        database.execute("BEGIN")
        database.execute(
            f"INSERT INTO blob ({_BLOB_COLUMNS}) {numbers} "
            f"SELECT {key}, 1000, printf('%064x', i), zeroblob(4), 0, {at}, {at} FROM n"
        )
        database.execute(
            f"INSERT INTO document ({_DOCUMENT_COLUMNS}) {numbers} "
            f"SELECT lower(hex(randomblob(16))), {_VALUES.format(key=key)}, {at}, {at} FROM n"
        )
        database.execute("COMMIT")


def fill_postgresql(url: str, *, rows: int) -> None:
    """The same."""
    numbers = f"FROM generate_series(1, {rows}) AS n(i)"
    at, key = f"timestamp '{EPOCH}' + i * interval '1 minute'", "lpad(to_hex(i), 32, '0')"
    with psycopg.connect(url, autocommit=True) as database:
        database.execute(
            f"INSERT INTO blob ({_BLOB_COLUMNS}) "
            f"SELECT {key}, 1000, lpad(to_hex(i), 64, '0'), '\\x00000000', false, {at}, {at} {numbers}"
        )
        database.execute(
            f"INSERT INTO document ({_DOCUMENT_COLUMNS}) "
            f"SELECT gen_random_uuid(), {_VALUES.format(key=key)}, {at}, {at} {numbers}"
        )
        # What PostgreSQL does by itself after a while.
        database.execute("VACUUM ANALYZE")
