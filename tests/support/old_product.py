"""The existing product as it is found: its tables in a PostgreSQL database, and its media folder."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

_TABLES = """
CREATE TABLE osis_document_upload (
    uuid uuid PRIMARY KEY, file varchar(255) NOT NULL, uploaded_at timestamptz NOT NULL, modified_at timestamptz NOT NULL,
    expires_at date, mimetype varchar(255) NOT NULL, size integer NOT NULL, status varchar(255) NOT NULL,
    metadata jsonb NOT NULL);
CREATE TABLE osis_document_modifiedupload (
    id serial PRIMARY KEY, upload_id uuid NOT NULL UNIQUE REFERENCES osis_document_upload, created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL, file varchar(255) NOT NULL, size integer NOT NULL);
CREATE TABLE osis_document_postprocessing (uuid uuid PRIMARY KEY, created_at timestamptz NOT NULL, type varchar(255) NOT NULL);
CREATE TABLE osis_document_postprocessing_input_files (
    id serial PRIMARY KEY, postprocessing_id uuid NOT NULL REFERENCES osis_document_postprocessing,
    upload_id uuid NOT NULL REFERENCES osis_document_upload);
CREATE TABLE osis_document_postprocessing_output_files (
    id serial PRIMARY KEY, postprocessing_id uuid NOT NULL REFERENCES osis_document_postprocessing,
    upload_id uuid NOT NULL REFERENCES osis_document_upload);
CREATE TABLE osis_document_postprocessasync (
    uuid uuid PRIMARY KEY, status varchar(255) NOT NULL, data jsonb NOT NULL, results jsonb);
"""
_ALL = (
    "upload",
    "modifiedupload",
    "postprocessing",
    "postprocessing_input_files",
    "postprocessing_output_files",
    "postprocessasync",
)

#: When its documents were uploaded, and changed, unless a test says otherwise.
UPLOADED_AT = datetime(2021, 3, 4, 5, 6, 7, 123456, UTC)
MODIFIED_AT = datetime(2022, 1, 2, 3, 4, 5, 654321, UTC)


class OldProduct:
    """Tables in an empty database, and a folder.

    Args:
        url: the database.
        media: the folder; it is made.
    """

    def __init__(self, url: str, media: Path) -> None:
        self.media = media
        media.mkdir()
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_TABLES)

    def close(self) -> None:
        """Leaves the database."""
        self._connection.close()

    def document(
        self,
        content: bytes | None = b"A note.",
        file: str | None = None,
        *,
        name: str | None = "note.txt",
        status: str = "UPLOADED",
        expires_at: date | None = None,
        uploaded_at: datetime = UPLOADED_AT,
        modified_at: datetime = MODIFIED_AT,
        size: int | None = None,
        document_id: str | None = None,
        **metadata: Any,
    ) -> str:
        """Adds a document, and its file unless `content` is None; answers its id. A `hash` of None: the metadata have none."""
        chosen = document_id or str(uuid4())
        path = file or f"dossiers/{chosen}/{name}"
        if content is not None:
            self.write(path, content)
        told = {"name": name, "hash": hashlib.sha256(content or b"").hexdigest()} | metadata
        self._insert(
            "upload",
            (
                chosen,
                path,
                uploaded_at,
                modified_at,
                expires_at,
                "text/plain",
                len(content or b"") if size is None else size,
                status,
                json.dumps({key: value for key, value in told.items() if value is not None}),
            ),
            columns="uuid, file, uploaded_at, modified_at, expires_at, mimetype, size, status, metadata",
        )
        return chosen

    def modified_copy(self, document_id: str, content: bytes, file: str) -> None:
        """Adds the modified copy of a document."""
        self.write(file, content)
        self._insert(
            "modifiedupload",
            (document_id, UPLOADED_AT, MODIFIED_AT, file, len(content)),
            columns="upload_id, created_at, modified_at, file, size",
        )

    def record(self, kind: str, inputs: Iterable[str], outputs: Iterable[str]) -> str:
        """Adds a record of what was made of what; answers its id."""
        record_id = str(uuid4())
        self._insert("postprocessing", (record_id, UPLOADED_AT, kind), columns="uuid, created_at, type")
        for side, ids in (("input", inputs), ("output", outputs)):
            for each in ids:
                self._insert(f"postprocessing_{side}_files", (record_id, each), columns="postprocessing_id, upload_id")
        return record_id

    def job(
        self,
        status: str,
        inputs: Sequence[str],
        actions: Sequence[str],
        results: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
    ) -> str:
        """Adds an asynchronous post-processing; answers its id."""
        job_id = str(uuid4())
        data = {"base_input": inputs, "post_process_actions": actions, "post_process_params": params or {}}
        values = (job_id, status, json.dumps(data), json.dumps(results) if results is not None else None)
        self._insert("postprocessasync", values, columns="uuid, status, data, results")
        return job_id

    def write(self, path: str, content: bytes) -> None:
        """Writes a file below the media folder."""
        place = self.media / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def change_hash(self, document_id: str, content: bytes) -> None:
        """Makes the metadata of a document tell the hash of other content."""
        query = "UPDATE osis_document_upload SET metadata = jsonb_set(metadata, '{hash}', to_jsonb(%s::text)) WHERE uuid = %s"
        self._connection.execute(query, [hashlib.sha256(content).hexdigest(), document_id])

    def make_older(self) -> None:
        """Takes away what earlier versions did not have, and the ids of links."""
        for name in ("modifiedupload", "postprocessasync"):
            self._connection.execute(f"DROP TABLE osis_document_{name}")
        for side in ("input", "output"):
            self._connection.execute(f"ALTER TABLE osis_document_postprocessing_{side}_files DROP COLUMN id")

    def state(self) -> tuple[dict[str, list[Any]], dict[str, tuple[int, str]]]:
        """All rows of all tables, and time of change and hash of each file."""
        rows = {name: self._connection.execute(f"SELECT * FROM osis_document_{name} ORDER BY 1").fetchall() for name in _ALL}
        files = {
            str(place): (place.stat().st_mtime_ns, hashlib.sha256(place.read_bytes()).hexdigest())
            for place in self.media.rglob("*")
            if place.is_file()
        }
        return rows, files

    def _insert(self, table: str, values: Sequence[Any], *, columns: str) -> None:
        places = ", ".join(["%s"] * len(values))
        self._connection.execute(f"INSERT INTO osis_document_{table} ({columns}) VALUES ({places})", values)
