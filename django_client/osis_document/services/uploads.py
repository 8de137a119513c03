"""Uploads: storing files, and having them kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from django.db.models import Model

from osis.document.v1.document_pb2 import Document, ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, Hold

from .. import conf
from ..channel import client
from ..enums import DocumentExpirationPolicy
from ..exceptions import translated
from ..signals import documents_confirmed
from . import arguments, paths, primary, values

_POLICIES = {
    None: ExpirationPolicy.EXPIRATION_POLICY_UNSPECIFIED,
    DocumentExpirationPolicy.NO_EXPIRATION: ExpirationPolicy.EXPIRATION_POLICY_NONE,
    DocumentExpirationPolicy.EXPORT_EXPIRATION_POLICY: ExpirationPolicy.EXPIRATION_POLICY_EXPORT,
}


@dataclass(frozen=True)
class SavedUpload:
    """A stored file that nobody has confirmed yet."""

    token: str
    """Confirms it."""

    upload_id: str
    """The UUID of the document that it becomes."""

    document: Document
    """What the service says of it."""


def save(
    file: BinaryIO,
    name: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    upload_id: str | None = None,
    sha256: str | None = None,
) -> SavedUpload:
    """Streams a file to the service. Without a confirmation it is removed after a while.

    Args:
        file: open for reading, sent from where it stands.
        name: the name that people see.
        metadata: its owner's own keys.
        upload_id: a UUID that becomes the document's id; a random one by default.
        sha256: the SHA-256 of the content in hexadecimal, if it is known; other content is refused.

    Raises:
        FileRefused, FileTooLarge, MimeMismatch, HashMismatch: the service does not take it.
        FormatInvalidException: the metadata cannot be so.
        LimitReached, ServiceUnavailable: not now.
    """
    struct = values.struct(metadata)
    with translated():
        result = client().upload(
            file,
            name=name,
            metadata=struct,
            upload_id=upload_id,
            sha256=sha256,
            timeout=conf.timeouts().transfer,
        )
    return SavedUpload(result.write_token, result.document.id, result.document)


def cancel(upload_id: object) -> None:
    """Removes an upload that is not confirmed; one that is gone is no error."""
    with translated():
        client().cancel_upload(arguments.document_id(upload_id))


def confirm(
    token: str,
    *,
    upload_to: paths.UploadTo | None = None,
    related_model: Mapping[str, Any] | None = None,
    related_model_instance: Model | None = None,
    document_expiration_policy: object = None,
    metadata: Mapping[str, Any] | None = None,
    hold: bool | timedelta = False,
    request_id: str | None = None,
) -> str:
    """Has an upload kept; the arguments are those of `confirm_all`.

    Returns:
        The document's UUID.
    """
    [confirmed] = confirm_all(
        [token],
        upload_to=upload_to,
        related_model=related_model,
        related_model_instance=related_model_instance,
        document_expiration_policy=document_expiration_policy,
        metadata=metadata,
        hold=hold,
        request_id=request_id,
    )
    return confirmed


def confirm_all(
    tokens: Iterable[str],
    *,
    upload_to: paths.UploadTo | None = None,
    related_model: Mapping[str, Any] | None = None,
    related_model_instance: Model | None = None,
    document_expiration_policy: object = None,
    metadata: Mapping[str, Any] | None = None,
    hold: bool | timedelta = False,
    request_id: str | None = None,
) -> list[str]:
    """Has uploads kept, all or none. The primary server confirms one by one: an error says which it had `confirmed` before.

    Args:
        tokens: the write tokens. One of a document that is kept already is accepted and changes nothing.
        upload_to: the folder, with `strftime` directives if wanted; or a function of a model's instance and the file's name that
            answers the path.
        related_model: `{"app", "model", "field"}` of the model field whose `upload_to` holds, where none is given; with
            `instance_filters` (names and values) or `instance_filter_fields` (names) it says which instance its function gets.
            It is not changed. Where the app is not installed here, the primary server confirms.
        related_model_instance: that instance.
        document_expiration_policy: a `DocumentExpirationPolicy` or its name.
        metadata: the owner's own keys.
        hold: keep the documents for so long only (True: as long as the service sees fit), unless they are made final.
        request_id: a UUID for this logical call, to be given again when it is repeated. The primary server does not take one.

    Returns:
        The documents' UUIDs, in the order of the tokens.

    Raises:
        TokenNotFound, TokenExpired, TokenSpent, TokenNotAllowed: a token does not confirm.
        UploadNotFound, FileInfectedException: what it stands for is gone.
        FormatInvalidException: the path, the metadata, the policy or the related model cannot be so.
    """
    tokens = [arguments.token(token) for token in tokens]
    if not tokens:
        return []
    policy = arguments.optional_word(DocumentExpirationPolicy, document_expiration_policy)
    if related_model and not upload_to and not paths.is_installed(related_model):
        related = paths.with_filters(related_model, related_model_instance)
        return primary.confirm_all(tokens, related_model=related, policy=policy, metadata=metadata)
    struct = values.struct(metadata)
    with translated():
        names = _names(tokens) if paths.needs_name(upload_to, related_model) else [""] * len(tokens)
        uploads = [
            ConfirmUpload(
                token=token,
                path=paths.resolve(name, upload_to=upload_to, related_model=related_model, instance=related_model_instance),
                metadata=struct,
                expiration_policy=_POLICIES[policy],
            )
            for token, name in zip(tokens, names, strict=True)
        ]
        documents = client().confirm(uploads, hold=_hold(hold), request_id=request_id)
    uuids = [document.id for document in documents]
    documents_confirmed.send_robust(None, uuids=uuids)
    return uuids


def _names(tokens: list[str]) -> list[str]:
    """The names of the files, for functions that make paths of them."""
    return [document.name for document in client().get_documents(tokens=tokens).require_all()]


def _hold(hold: bool | timedelta) -> Hold | timedelta | None:
    if isinstance(hold, timedelta):
        return hold
    return Hold() if hold else None
