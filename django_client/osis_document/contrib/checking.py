"""Checking the tokens that people send, in as many calls for fifty as for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from osis.document.v1.document_pb2 import Document, DocumentStatus
from osis_document_client import ModifiedCopyNotFound, ServiceError

from ..channel import client
from ..enums import PostProcessingWanted
from ..exceptions import OsisDocumentException, TokenNotAllowed, TokenNotFound, TokenSpent, exception_for, translated
from ..services import tokens as token_service
from . import references
from .identifiers import may_be_token, statement_of
from .options import UploadOptions
from .type_names import type_name, type_names


def checked(
    values: Sequence[str], *, options: UploadOptions, kept: Collection[UUID] = (), for_modified_upload: bool = False
) -> list[str | UUID]:
    """Checks that tokens can be saved.

    Args:
        values: tokens, and signed references.
        options: which files are taken. A document that is confirmed already is not measured again.
        kept: the documents that are there already. They may stay, whatever became of their tokens meanwhile.
        for_modified_upload: new tokens for them are for their edited copies.

    Returns:
        The tokens in their order, fresh ones in place of those of kept documents that cannot be used any more; a UUID in place
        of a kept document of which there is no token.

    Raises:
        ValidationError: with a text for each token that cannot be saved, in the user's language.
    """
    results: dict[str, str | UUID | ValidationError] = {}
    ids = {value: found for value in values if (found := _to_renew(value, kept)) is not None}
    fresh = write_tokens(ids.values(), for_modified_upload=for_modified_upload)
    results.update({value: fresh.get(each, each) for value, each in ids.items()})
    results.update({value: validation_error(TokenNotFound()) for value in values if not may_be_token(value)})
    to_ask = list(dict.fromkeys(value for value in values if value not in results))
    results.update(zip(to_ask, _ask(to_ask, options), strict=True))
    errors = [result for result in results.values() if isinstance(result, ValidationError)]
    if errors:
        raise ValidationError(list({str(error.message): error for error in errors}.values()))
    return [result for value in dict.fromkeys(values) if not isinstance(result := results[value], ValidationError)]


def write_tokens(ids: Iterable[UUID], *, for_modified_upload: bool = False) -> dict[UUID, str]:
    """Makes write tokens for documents, in one call. One of which there is none, or none now, is left out."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    try:
        answer = token_service.tokens(
            wanted,
            write=True,
            wanted_post_process=PostProcessingWanted.ORIGINAL,  # a form saves the documents, not what was made of them
            for_modified_upload=for_modified_upload,
        )
    except OsisDocumentException:
        return {}
    return {each: answer.body[str(each)]["token"] for each in wanted if "token" in answer.body[str(each)]}


def problem_with(document: Document, options: UploadOptions) -> str | None:
    """Why a new document is not taken, in the user's language; None if it is."""
    limit = options.max_size_bytes
    if limit is not None and document.size_bytes > limit:
        return too_large(document.name, limit)
    if options.mimetypes and document.mime_type not in options.mimetypes:
        return _(
            "%(name)s: files of this type (%(type)s) are not accepted here. Choose a file of another type: %(accepted)s."
        ) % {
            "name": document.name,
            "type": type_name(document.mime_type),
            "accepted": type_names(options.mimetypes),
        }
    return None


def too_large(name: str, limit: int) -> str:
    """What is said of a file that is larger than `limit` bytes."""
    return _("%(name)s: the file is larger than %(limit)s. Choose a smaller one.") % {
        "name": name,
        "limit": filesizeformat(limit),
    }


def validation_error(exception: OsisDocumentException, *, name: str = "") -> ValidationError:
    """What a form says of a refusal."""
    message = _("%(name)s: %(message)s") % {"name": name, "message": exception.message} if name else exception.message
    return ValidationError(message, code=(exception.code or "unavailable").lower())


def _spent(name: str) -> ValidationError:
    """What is said of a file that was confirmed before: by another tab, or for a form that was rolled back."""
    message = _("%(name)s: this file was sent before, with another form. If that one was not saved, add the file again.")
    return ValidationError(message % {"name": name}, code=TokenSpent.default_code.lower())


def _to_renew(value: str, kept: Collection[UUID]) -> UUID | None:
    """The kept document that a value stands for, if the value itself is of no more use.

    Nobody has verified what a token says of itself; but whoever says that a document is to stay needs no permission for that.
    """
    if references.is_reference(value):
        return references.resolve(value)
    said = statement_of(value)
    if said is None or said.document_id not in kept or (said.purpose == "write" and not said.is_expired):
        return None
    return said.document_id


def _ask(values: list[str], options: UploadOptions) -> list[str | ValidationError]:
    """Asks the service about tokens, all in one call: each comes back, or what is wrong with it."""
    if not values:
        return []
    try:
        with translated():
            answers = client().get_documents(tokens=values)
    except OsisDocumentException as exc:
        return [validation_error(exc)] * len(values)
    return [_judged(value, answer, options) for value, answer in zip(values, answers, strict=True)]


def _judged(value: str, answer: Document | ServiceError, options: UploadOptions) -> str | ValidationError:
    said = statement_of(value)
    purpose = said.purpose if said is not None else ""
    if isinstance(answer, ModifiedCopyNotFound) and purpose == "write":
        return value  # of a document that is there, and may be edited for the first time
    if isinstance(answer, ServiceError):
        return validation_error(exception_for(answer))
    if purpose == "read":
        return validation_error(TokenNotAllowed(), name=answer.name)
    if answer.status == DocumentStatus.DOCUMENT_STATUS_REQUESTED:
        problem = problem_with(answer, options)
        return ValidationError(problem, code="refused") if problem else value
    if purpose == "upload":
        return _spent(answer.name)
    if purpose != "write":  # a token of a kind that this version does not know
        return validation_error(TokenNotFound(), name=answer.name)
    return value
