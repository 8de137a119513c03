"""Documents: describing, reading, changing and removing them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from osis.document.v1.document_pb2 import Document, DocumentRef, DocumentStatus
from osis.document.v1.document_service_pb2 import (
    BatchGetDocumentsRequest,
    DuplicateDocument,
    GetDocumentRequest,
    GetDocumentResponse,
    GetDocumentResult,
)
from osis_document_client import BatchFailed, Download, ServiceError, error_for_item, from_struct

from .. import conf
from ..channel import client
from ..enums import FileStatus
from ..exceptions import FormatInvalidException, SystemKeyRefused, error_dict, exception_for, translated
from . import arguments, links, times, values

#: What metadata say of the system's own; keys of users with these names are kept, but not shown.
SYSTEM_KEYS = frozenset({"size", "mimetype", "name", "url", "uploaded_at", "upload_uuid", "hash"})

_STATUS_PREFIX = "DOCUMENT_STATUS_"
_QUARTER_TURN_DEGREES = 90
#: Of what is answered with whole documents no more is asked for at once.
_BATCH_SIZE = 250


def metadata(token: str) -> dict[str, Any]:
    """Describes the document that a token opens: `size` in bytes, `mimetype`, `name`, `url`, `uploaded_at`, `upload_uuid`, `hash`
    (SHA-256), and its owner's own keys.

    Raises:
        TokenNotFound, TokenExpired: the token is not good.
        UploadNotFound, FileInfectedException, FileCorrupt: the document is not.
    """
    with translated():
        request = GetDocumentRequest(document=DocumentRef(token=arguments.token(token)))
        return _metadata(client().documents.GetDocument(request), token)


def all_metadata(tokens: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Describes the documents that tokens open: by token what `metadata` answers, or `{"error": {code, message}}`."""
    wanted = list(dict.fromkeys(map(arguments.token, tokens)))
    described: dict[str, dict[str, Any]] = {}
    with translated():
        for start in range(0, len(wanted), _BATCH_SIZE):
            batch = wanted[start : start + _BATCH_SIZE]
            request = BatchGetDocumentsRequest(documents=[DocumentRef(token=token) for token in batch])
            results = client().documents.BatchGetDocuments(request).results
            described |= {token: _metadata_or_error(result, token) for token, result in zip(batch, results, strict=True)}
    return described


def describe(document_ids: Iterable[object]) -> dict[str, dict[str, Any]]:
    """Describes documents by their ids, deleted and infected ones too: by id the metadata with `status` (a `FileStatus`) and
    without `url`, or `{"error": {code, message}}`."""
    identifiers = list(dict.fromkeys(arguments.document_ids(document_ids)))
    with translated():
        results = client().get_documents(identifiers)
    return {
        identifier: error_dict(exception_for(result)) if isinstance(result, ServiceError) else _described(result)
        for identifier, result in zip(identifiers, results, strict=True)
    }


def change_metadata(token: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes a document's name and its owner's own keys; the token stays good.

    Args:
        token: a token that may write.
        changes: keys to set; `name` is the document's name.

    Returns:
        The metadata afterwards.

    Raises:
        SystemKeyRefused: another key of the system was to be changed.
        FormatInvalidException, FileRefused, MimeMismatch: a value, or the name, cannot be so.
        TokenNotFound, TokenExpired, TokenNotAllowed, UploadNotFound, FileInfectedException: it cannot be changed.
    """
    refused = changes.keys() & (SYSTEM_KEYS - {"name"})
    if refused:
        raise SystemKeyRefused
    own = {key: value for key, value in changes.items() if key != "name"}
    name = changes.get("name")
    if name is not None and not isinstance(name, str):
        raise FormatInvalidException(_("The name of a file must be a text."))
    with translated():
        client().update_metadata(token, name=name, metadata=values.struct(own))
    return metadata(token)


def rotate_image(token: str, degrees: object) -> str:
    """Rotates an image, and waits until that is done.

    Args:
        token: a token that may write; it is spent.
        degrees: clockwise, a multiple of 90.

    Returns:
        The token that takes the place of the one spent.

    Raises:
        FormatInvalidException: it cannot be rotated by so many degrees.
        WrongFileType: it is no image.
        TokenSpent, TokenNotFound, TokenExpired, TokenNotAllowed, UploadNotFound, FileInfectedException: it cannot be changed.
        ConversionError: a worker could not do it.
    """
    with translated():
        return client().rotate_image(token, _turn(degrees), timeout=conf.timeouts().post_processing).token


def save_edit(
    token: str, edited: BinaryIO | str | None = None, *, name: str = "edited.pdf", rotations: Mapping[Any, object] | None = None
) -> str:
    """Saves an edited PDF over a document, and waits until that is done.

    Args:
        token: a token that may write; it is spent. One for the modified copy makes or replaces that copy.
        edited: a file open for reading, or the write token of an upload; None: the stored content is only rotated.
        name: the name under which a file is uploaded for that.
        rotations: degrees clockwise by page, counted from 0.

    Returns:
        The token that takes the place of the one spent.

    Raises:
        As `rotate_image`; WrongFileType: one of both is no PDF.
    """
    turns = {_page(page): _turn(degrees) for page, degrees in (rotations or {}).items()}
    with translated():
        if edited is not None and not isinstance(edited, str):
            edited = client().upload(edited, name=name, timeout=conf.timeouts().transfer).write_token
        answer = client().save_edit(token, edited=edited or "", rotations=turns, timeout=conf.timeouts().post_processing)
    return answer.token


def duplicate(
    uuids: Iterable[object], *, with_modified_upload: bool = False, upload_path_by_uuid: Mapping[Any, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Makes independent documents of the same content.

    Args:
        uuids: the documents.
        with_modified_upload: the edited copies are taken along.
        upload_path_by_uuid: the logical paths of the duplicates, by the documents that they are made of; by default the same.

    Returns:
        By id, as it was given, `{"upload_id": the duplicate's}` or `{"error": {code, message}}`.
    """
    given = list(dict.fromkeys(str(each) for each in uuids)) if not isinstance(uuids, str) else arguments.document_ids(uuids)
    identifiers = arguments.document_ids(given)
    paths = {arguments.document_id(key): _path(path) for key, path in (upload_path_by_uuid or {}).items()}
    with translated():
        requests = [
            DuplicateDocument(document_id=each, new_document_id=str(uuid.uuid4()), path=paths.get(each, ""))
            for each in identifiers
        ]
        try:
            results: Iterable[object] = client().duplicate(requests, with_modified=with_modified_upload)
        except BatchFailed as exc:
            results = exc.results
    return {name: _duplicate_or_error(result) for name, result in zip(given, results, strict=True)}


def delete(uuids: Iterable[object]) -> None:
    """Deletes documents, and what post-processing made of them. Those that do not exist, and infected ones, are passed over."""
    with translated():
        try:
            client().delete(arguments.document_ids(uuids))
        except BatchFailed as exc:
            _require_passable(exc)


def finalize(uuids: Iterable[object]) -> None:
    """Makes documents final that were confirmed with a hold.

    Raises:
        UploadNotFound, FileInfectedException: one of them is gone; all others are final.
    """
    with translated():
        client().finalize(arguments.document_ids(uuids))


def declare_infected(*, uuid: object = None, path: str | None = None) -> list[str]:
    """Declares a document, or every document with a path, infected, for good.

    Returns:
        The ids of all that are infected by now: those named first, then those that share their bytes or were made of them.

    Raises:
        UploadNotFound: there is no such document.
        FormatInvalidException: neither an id nor a path is given, or both.
    """
    if (uuid is None) == (path is None):
        raise FormatInvalidException(_("Either the id or the path of a file is needed."))
    with translated():
        infected = (
            client().declare_infected(path=path) if path is not None else client().declare_infected(arguments.document_id(uuid))
        )
    return [document.id for document in infected]


def open_download(token: str, *, offset: int = 0, limit: int = 0, expected_sha256: str = "") -> Download:
    """Opens a document's content, or a range of it, for reading block by block; use it as a context manager.

    Reading raises the client's own errors; read within `translated()`.

    Args:
        token: any token of the document.
        offset: the first byte; negative: so many bytes before the end.
        limit: how many bytes at most; 0: up to the end.
        expected_sha256: refuse any other content.

    Raises:
        TokenNotFound, TokenExpired, UploadNotFound, FileInfectedException, FileCorrupt: it cannot be read.
        UploadInvalidException: there is no such range, or the content is another one.
    """
    with translated():
        return client().open_download(
            arguments.token(token), offset=offset, limit=limit, expected_sha256=expected_sha256, timeout=conf.timeouts().transfer
        )


def file_url(token: str, *, download: bool = False) -> str:
    """Where the file is read with this token."""
    return links.file(token, download=download)


def _metadata(found: GetDocumentResponse | GetDocumentResult, token: str) -> dict[str, Any]:
    return _fields(found.document, for_modified=found.for_modified) | {"url": links.file(token)}


def _metadata_or_error(result: GetDocumentResult, token: str) -> dict[str, Any]:
    if result.WhichOneof("result") == "error":
        return error_dict(exception_for(error_for_item(result.error)))
    return _metadata(result, token)


def _described(document: Document) -> dict[str, Any]:
    status = DocumentStatus.Name(document.status).removeprefix(_STATUS_PREFIX)
    return _fields(document) | {"status": FileStatus[status].value}


def _fields(document: Document, *, for_modified: bool = False) -> dict[str, Any]:
    """The system's fields, and of the owner's own keys those that are none of the system's."""
    content = document.modified if for_modified else document
    own = {key: value for key, value in from_struct(document.metadata).items() if key not in SYSTEM_KEYS}
    return own | {
        "size": content.size_bytes,
        "mimetype": content.mime_type,
        "name": document.name,
        "uploaded_at": times.text(document.upload_time),
        "upload_uuid": document.id,
        "hash": content.sha256,
    }


def _path(path: object) -> str:
    if path is not None and not isinstance(path, str):
        raise FormatInvalidException(_("The path of a file must be a text."))
    return path or ""


def _duplicate_or_error(result: object) -> dict[str, Any]:
    if isinstance(result, Document):
        return {"upload_id": result.id}
    assert isinstance(result, ServiceError)
    return error_dict(exception_for(result))


def _require_passable(error: BatchFailed) -> None:
    """Raises when something failed for another reason than the document's state."""
    for refusal in error.errors.values():
        if refusal.reason not in {"DOCUMENT_NOT_FOUND", "DOCUMENT_INFECTED"}:
            raise exception_for(refusal) from error


def _turn(degrees: object) -> int:
    if isinstance(degrees, str) and degrees.removeprefix("-").isdecimal():
        degrees = int(degrees)
    if isinstance(degrees, bool) or not isinstance(degrees, int | float) or degrees % _QUARTER_TURN_DEGREES:
        raise FormatInvalidException(_("Files can be rotated by multiples of 90 degrees."))
    return int(degrees) % 360


def _page(page: object) -> int:
    if isinstance(page, str) and page.isdecimal():
        page = int(page)
    if isinstance(page, bool) or not isinstance(page, int) or not 0 <= page < 1 << 31:
        raise FormatInvalidException(_("Pages are counted from 0."))
    return page
