"""Fetching one document's content, or what is missing of it."""

from __future__ import annotations

import hashlib
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from osis.document.v1.token_service_pb2 import CreateTokenRequest, WantedPostProcess

from .._client import Client
from .._download import Download
from .._errors import DownloadDamaged, TokenExpired
from .ledger import Row

#: How often content that arrived damaged, or a token that is no good, is replaced without getting on.
_TRIES = 3
_READ_BYTES = 1 << 20


class Transfer(Protocol):
    """What is told of how contents get here; from any thread."""

    def advance(self, size_bytes: int) -> None:
        """So many more bytes are here; less than 0 where they have to be counted again. May raise to end it."""

    def of(self, download: Download) -> AbstractContextManager[None]:
        """A download is under way until the end of the block; it may be closed from outside meanwhile."""


def token_request(row: Row) -> CreateTokenRequest:
    """What to ask for to read the content that is wanted."""
    return CreateTokenRequest(
        document_id=row.id, wanted_post_process=WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL, for_modified=row.is_modified
    )


def fetch(client: Client, row: Row, *, token: str, parts: Path, target: Path, transfer: Transfer) -> None:
    """Writes a document's content to its file, going on with what an earlier try has left of it.

    Args:
        client: asks for it.
        row: what is wanted.
        token: reads it; a new one is asked for when it expires.
        parts: folder for contents that are not there as a whole yet; on the same file system as the target.
        target: the file, which is replaced.
        transfer: is told how it gets on.

    Raises:
        OsisDocumentError: it could not be fetched.
        OSError: it could not be written.
    """
    # The name says which content it is a part of: another one begins anew.
    part = parts / f"{row.id}-{row.sha256}.part"
    tries = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _complete(client, row, token=token, part=part, transfer=transfer)
            break
        except (TokenExpired, DownloadDamaged) as exc:
            tries = 0 if part.stat().st_size > before else tries + 1
            if tries >= _TRIES:
                raise
            if isinstance(exc, TokenExpired):  # between being made and being used, or in the middle of a long download
                [answer] = client.create_tokens([token_request(row)]).require_all()
                token = answer.token.token
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)


def _complete(client: Client, row: Row, *, token: str, part: Path, transfer: Transfer) -> None:
    """Appends what is missing to a part, and checks the whole."""
    hasher = hashlib.sha256()
    done = 0

    def count(data: bytes) -> None:
        nonlocal done
        hasher.update(data)
        done += len(data)
        transfer.advance(len(data))

    with part.open("a+b") as file:
        try:
            file.seek(0)
            while data := file.read(_READ_BYTES):
                count(data)
            if done < row.size_bytes:
                with client.open_download(token, offset=done, expected_sha256=row.sha256) as download, transfer.of(download):
                    for block in download:
                        file.write(block)
                        count(block)
        except BaseException:
            transfer.advance(-done)
            raise
        if hasher.hexdigest() != row.sha256:
            transfer.advance(-done)
            file.truncate(0)
            raise DownloadDamaged(f"what was there of {row.file} is not its content; download it again")
        file.flush()
        os.fsync(file.fileno())
