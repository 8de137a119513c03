"""Documents by functions, in a project's own code."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO
from uuid import UUID

from django.db.models import Model

from .exceptions import OsisDocumentException, SaveRawContentRemotelyException
from .services import documents, paths, post_processing, tokens, uploads
from .services.uploads import SavedUpload

_CHUNK_BYTES = 1 << 20


def post_process(
    uuid_list: Iterable[object],
    post_process_actions: Iterable[object],
    post_process_params: Mapping[Any, Mapping[str, Any] | None] | None = None,
) -> dict[str, Any]:
    """Converts files, merges them, or both, and waits for that.

    Args:
        uuid_list: the documents, in order.
        post_process_actions: `PostProcessingType` or names, in order.
        post_process_params: what each of them may be told: `{"CONVERT": {"output_filename"}, "MERGE": {"output_filename",
            "pages_dimension"}}`.

    Returns:
        `{"CONVERT": {"input": [uuid], "output": {"upload_objects": [uuid], "post_processing_objects": [uuid]}}, "MERGE": …}`

    Raises:
        MissingFileException, InvalidPostProcessorAction, InvalidMergeFileDimension, FileInfectedException, ConversionError,
        ServiceTimeout: see `services.post_processing.launch`.
    """
    return post_processing.launch(uuid_list, post_process_actions, params=post_process_params)


def save_raw_upload(
    file: bytes | BinaryIO,
    name: str,
    mimetype: str = "",  # noqa: ARG001 - the service does not take anybody's word for it
    **metadata: Any,
) -> SavedUpload:
    """Stores a file; `confirm_upload` keeps it.

    Args:
        file: the content, or a file open for reading, which is streamed.
        name: the name that people see.
        mimetype: for callers that give one; the service looks for itself.
        **metadata: the owner's own keys.

    Returns:
        An object with the write token, `.token`.

    Raises:
        FileRefused, FileTooLarge, MimeMismatch: the service does not take it.
    """
    return uploads.save(io.BytesIO(file) if isinstance(file, bytes) else file, name, metadata=metadata)


def save_raw_content_remotely(content: bytes, name: str, mimetype: str = "", **metadata: Any) -> str:
    """Stores content; `confirm_upload` keeps it. The arguments are those of `save_raw_upload`.

    Returns:
        The write token.

    Raises:
        SaveRawContentRemotelyException: it could not be stored; says why.
    """
    try:
        return save_raw_upload(content, name, mimetype, **metadata).token
    except OsisDocumentException as exc:
        raise SaveRawContentRemotelyException(exc.message, reason=exc.reason, values=exc.values) from exc


def confirm_upload(
    token: str,
    upload_to: paths.UploadTo | None = None,
    document_expiration_policy: object = None,
    metadata: Mapping[str, Any] | None = None,
    model_instance: Model | None = None,
) -> UUID:
    """Has an upload kept.

    Args:
        token: its write token.
        upload_to: the folder, with `strftime` directives if wanted; or a function of the instance and the file's name.
        document_expiration_policy: a `DocumentExpirationPolicy` or its name.
        metadata: the owner's own keys.
        model_instance: what a function `upload_to` gets.

    Returns:
        The document's uuid.

    Raises:
        UploadInvalidException: the token does not confirm, or what it stands for is gone.
        FormatInvalidException: the path, the metadata or the policy cannot be so.
    """
    return UUID(
        uploads.confirm(
            token,
            upload_to=upload_to,
            related_model_instance=model_instance,
            document_expiration_policy=document_expiration_policy,
            metadata=metadata,
        )
    )


def get_token(uuid: object, write: bool = False, custom_ttl: float | None = None, for_modified_upload: bool = False) -> str:
    """Makes a token for a document itself, whatever post-processing made of it.

    Raises:
        UploadNotFound, FileInfectedException, FileCorrupt: of this document there are no tokens.
        TtlInvalid: `custom_ttl` cannot be.
    """
    answer = tokens.token(
        uuid, write=write, wanted_post_process="ORIGINAL", custom_ttl=custom_ttl, for_modified_upload=for_modified_upload
    )
    token: str = answer.body["token"]
    return token


def get_file_url(token: str) -> str:
    """Where browsers read the file with this token."""
    return documents.file_url(token)


def get_metadata(token: str) -> dict[str, Any]:
    """Describes the document that a token opens: `name`, `size` in bytes, `mimetype`, `uploaded_at`, `hash` (SHA-256), `url`,
    `upload_uuid`, and its owner's own keys.

    Raises:
        UploadInvalidException: the token or the document is not good.
    """
    return documents.metadata(token)


def generate_filename(instance: Model | None, filename: str, upload_to: paths.UploadTo | None) -> str:
    """The logical path of a file: what a function `upload_to` answers, or the folder of now with the name behind it."""
    path = paths.resolve(filename, upload_to=upload_to, instance=instance)
    return path + filename if not path or path.endswith("/") else path


def is_uuid(value: object) -> bool:
    """Whether a value is a UUID, or the text of one."""
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def calculate_hash(file: BinaryIO) -> str:
    """The SHA-256 of a file, in hexadecimal, from where it stands; it is left where it stood if it can be."""
    start = file.tell() if file.seekable() else None
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    if start is not None:
        file.seek(start)
    return digest.hexdigest()
