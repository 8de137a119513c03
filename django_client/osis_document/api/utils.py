"""Documents by functions, for every server of a project; all of them ask the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Model

from ..exceptions import UploadInvalidException, translated
from ..services import documents, post_processing, uploads
from ..services import tokens as tokens_service
from ..services.paths import UploadTo

if TYPE_CHECKING:
    from ..contrib.mixins import CorsAllowOriginMixin as CorsAllowOriginMixin


def get_remote_metadata(token: str) -> dict[str, Any] | None:
    """Describes the document that a token opens.

    Returns:
        `name`, `size` in bytes, `mimetype`, `uploaded_at`, `hash` (SHA-256), `url`, `upload_uuid`, and its owner's own keys; None
        when the token or the document is not good.
    """
    try:
        return documents.metadata(token)
    except UploadInvalidException:
        return None


def get_several_remote_metadata(tokens: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Describes the documents that tokens open: by token, as `get_remote_metadata`, or `{"error": {code, message}}`."""
    return documents.all_metadata(tokens)


def get_raw_content_remotely(token: str) -> bytes | None:
    """Reads a whole document; None when the token or the document is not good. Large ones are better read by
    `services.documents.open_download`."""
    try:
        with translated(), documents.open_download(token) as download:
            return b"".join(download)
    except UploadInvalidException:
        return None


def get_remote_token(
    uuid: object,
    write_token: bool = False,
    wanted_post_process: object = None,
    custom_ttl: float | None = None,
    for_modified_upload: bool = False,
) -> str | dict[str, Any]:
    """Makes a token for a document, or for what post-processing made of it.

    Args:
        uuid: the document.
        write_token: the token may change the document too.
        wanted_post_process: a `PostProcessingWanted` or its name; by default the last action's result.
        custom_ttl: how many seconds it is good for, up to the service's limit; by default as the service has it.
        for_modified_upload: the edited copy is wanted.

    Returns:
        The token; or, where the result that is wanted is not finished or failed, what the gateway answers then: `{"status":
        "PENDING" or "FAILED", "links": {"progress"}, "CONVERT": {…}, …}`.

    Raises:
        UploadNotFound, FileInfectedException, FileCorrupt: of this document there are no tokens.
        TtlInvalid: `custom_ttl` cannot be.
    """
    answer = tokens_service.token(
        uuid,
        write=write_token,
        wanted_post_process=wanted_post_process,
        custom_ttl=custom_ttl,
        for_modified_upload=for_modified_upload,
    )
    if answer.status != tokens_service.CREATED:
        return answer.body
    token: str = answer.body["token"]
    return token


def get_remote_tokens(
    uuids: Iterable[object],
    wanted_post_process: object = None,
    custom_ttl: float | None = None,
    for_modified_upload: bool = False,
) -> dict[str, Any]:
    """Makes read tokens for many documents; the arguments are those of `get_remote_token`.

    Returns:
        `{uuid: token}`, without the documents of which there are none. Where a result is not finished or failed, or a document is
        infected, what the gateway answers then: by uuid `{"token": …}`, `{"error": …}` or `{"status": "PENDING" or "FAILED", …}`.

    Raises:
        TtlInvalid: `custom_ttl` cannot be.
    """
    answer = tokens_service.tokens(
        uuids, wanted_post_process=wanted_post_process, custom_ttl=custom_ttl, for_modified_upload=for_modified_upload
    )
    if answer.status != tokens_service.CREATED:
        return answer.body
    return {uuid: item["token"] for uuid, item in answer.body.items() if "token" in item}


def documents_remote_duplicate(
    uuids: Iterable[object],
    with_modified_upload: bool = False,
    upload_path_by_uuid: Mapping[Any, str] | None = None,
) -> dict[str, str]:
    """Makes independent documents of the same content.

    Args:
        uuids: the documents.
        with_modified_upload: the edited copies are taken along.
        upload_path_by_uuid: the logical paths of the duplicates, by the documents that they are made of; by default the same.

    Returns:
        `{uuid: the duplicate's uuid}`, without the documents that cannot be duplicated (deleted, infected, unknown).
    """
    made = documents.duplicate(uuids, with_modified_upload=with_modified_upload, upload_path_by_uuid=upload_path_by_uuid)
    return {uuid: item["upload_id"] for uuid, item in made.items() if "upload_id" in item}


def confirm_remote_upload(
    token: str,
    upload_to: UploadTo | None = None,
    metadata: Mapping[str, Any] | None = None,
    document_expiration_policy: object = None,
    related_model: Mapping[str, Any] | None = None,
    related_model_instance: Model | None = None,
) -> str:
    """Has an upload kept; see `services.uploads.confirm_all` for the arguments.

    Returns:
        The document's uuid.

    Raises:
        UploadInvalidException: the token does not confirm, or what it stands for is gone.
        FormatInvalidException: the path, the metadata, the policy or the related model cannot be so.
    """
    return uploads.confirm(
        token,
        upload_to=upload_to,
        metadata=metadata,
        document_expiration_policy=document_expiration_policy,
        related_model=related_model,
        related_model_instance=related_model_instance,
    )


def launch_post_processing(
    uuid_list: Iterable[object],
    async_post_processing: bool,
    post_processing_types: Iterable[object],
    post_process_params: Mapping[Any, Mapping[str, Any] | None] | None,
) -> dict[str, Any]:
    """Post-processes documents; see `services.post_processing.launch` for results and exceptions."""
    return post_processing.launch(
        uuid_list, post_processing_types, params=post_process_params, asynchronous=async_post_processing
    )


def declare_remote_files_as_deleted(uuid_list: Iterable[object]) -> None:
    """Deletes documents; those that do not exist, and infected ones, are passed over."""
    documents.delete(uuid_list)


def get_progress_async_post_processing(uuid: object, wanted_post_process: object = None) -> dict[str, Any]:
    """Tells how far an asynchronous post-processing is.

    Args:
        uuid: the post-processing.
        wanted_post_process: whose status is told; by default that of the whole.

    Returns:
        `{"progress": 0–100, "wanted_post_process_status": "PENDING", "DONE" or "FAILED"}`; when it failed, `"failed": True`
        and `"errors": {"params", "messages"}`, too.

    Raises:
        JobNotFound: there is none.
    """
    return post_processing.progress(uuid, wanted_post_process=wanted_post_process)


def change_remote_metadata(token: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Changes a document's name and its owner's own keys; the token stays good.

    Returns:
        The metadata afterwards.

    Raises:
        SystemKeyRefused: another key of the system was to be changed.
        UploadInvalidException: the token or the document does not allow it.
    """
    return documents.change_metadata(token, metadata)


def __getattr__(name: str) -> object:
    """The mixin for views is imported when it is asked for: it needs what functions do not."""
    if name != "CorsAllowOriginMixin":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ..contrib.mixins import CorsAllowOriginMixin

    return CorsAllowOriginMixin
