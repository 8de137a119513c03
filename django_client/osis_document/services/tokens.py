"""Tokens for documents, and for what post-processing made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from osis.document.v1.token_service_pb2 import CreateTokenResponse, TokenPurpose, WantedPostProcess
from osis_document_client import ArgumentInvalid, ServiceError

from ..channel import client
from ..enums import DocumentError, PostProcessingWanted, TokenAccess
from ..exceptions import FormatInvalidException, OsisDocumentException, TtlInvalid, error_dict, exception_for, translated
from . import arguments, post_processing, times

CREATED, PARTIAL, FAILED = 201, 206, 422

_WANTED = {
    None: WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED,
    PostProcessingWanted.ORIGINAL: WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL,
    PostProcessingWanted.CONVERT: WantedPostProcess.WANTED_POST_PROCESS_CONVERT,
    PostProcessingWanted.MERGE: WantedPostProcess.WANTED_POST_PROCESS_MERGE,
}


@dataclass(frozen=True)
class Answer:
    """What is answered to who asks for tokens."""

    status: int
    """201: there are tokens; 206: a post-processing is not finished; 422: one failed."""

    body: dict[str, Any]
    """What the HTTP answer carries."""


def token(
    document_id: object,
    *,
    write: bool = False,
    wanted_post_process: object = None,
    custom_ttl: object = None,
    for_modified_upload: bool = False,
) -> Answer:
    """Makes a token for a document, or for what post-processing made of it.

    Args:
        document_id: the document.
        write: the token may change the document too.
        wanted_post_process: a `PostProcessingWanted` or its name; by default the last action's result.
        custom_ttl: how many seconds it is good for; as the service has it by default.
        for_modified_upload: the edited copy is wanted.

    Returns:
        201 and `{token, upload_id, access, expires_at, for_modified_upload}`; 206 and the job's status with a link to its
        progress; or 422 and the job's errors.

    Raises:
        UploadNotFound, FileInfectedException, FileCorrupt: of this document there are no tokens.
        TtlInvalid: `custom_ttl` cannot be.
        FormatInvalidException: the id or the wanted result cannot be.
    """
    identifier = arguments.document_id(document_id)
    with translated():
        try:
            response = client().create_token(
                identifier,
                write=write,
                ttl_seconds=arguments.ttl_seconds(custom_ttl),
                wanted_post_process=_wanted(wanted_post_process),
                for_modified=for_modified_upload,
            )
        except ArgumentInvalid as exc:
            raise _invalid(exc) from exc
    return _answer(identifier, response)


def tokens(
    document_ids: Iterable[object],
    *,
    write: bool = False,
    wanted_post_process: object = None,
    custom_ttl: object = None,
    for_modified_upload: bool = False,
) -> Answer:
    """Makes tokens for many documents; the arguments are those of `token`.

    Returns:
        The body has for each id, as it was given, what `token` would have answered, or `{"error": {code, message}}`. 422 when a
        post-processing failed or a document is infected, else 206 when one is not finished, else 201.

    Raises:
        TtlInvalid, FormatInvalidException: an argument cannot be.
    """
    given = list(document_ids) if not isinstance(document_ids, str) else document_ids
    identifiers = arguments.document_ids(given)
    with translated():
        results = client().create_tokens(
            identifiers,
            write=write,
            ttl_seconds=arguments.ttl_seconds(custom_ttl),
            wanted_post_process=_wanted(wanted_post_process),
            for_modified=for_modified_upload,
        )
    answers = [_answer_or_error(identifier, result) for identifier, result in zip(identifiers, results, strict=True)]
    status = max((answer.status for answer in answers), default=CREATED)
    return Answer(status, {str(name): answer.body for name, answer in zip(given, answers, strict=True)})


def _wanted(value: object) -> WantedPostProcess.ValueType:
    return _WANTED[arguments.optional_word(PostProcessingWanted, value)]


def _answer(document_id: str, response: CreateTokenResponse) -> Answer:
    match response.WhichOneof("outcome"):
        case "pending":
            return Answer(PARTIAL, post_processing.pending_body(response.pending, document_id=document_id))
        case "failed":
            return Answer(FAILED, post_processing.failed_body(response.failed, document_id=document_id))
    made = response.token
    access = TokenAccess.READ if made.purpose == TokenPurpose.TOKEN_PURPOSE_READ else TokenAccess.WRITE
    body = {
        "token": made.token,
        "upload_id": made.document_id,
        "access": access.value,
        "expires_at": times.text(made.expire_time),
        "for_modified_upload": made.for_modified,
    }
    return Answer(CREATED, body)


def _answer_or_error(document_id: str, result: CreateTokenResponse | ServiceError) -> Answer:
    if not isinstance(result, ServiceError):
        return _answer(document_id, result)
    exception = _invalid(result) if isinstance(result, ArgumentInvalid) else exception_for(result)
    if isinstance(exception, FormatInvalidException):
        raise exception from result  # the same for every document
    return Answer(FAILED if exception.code == DocumentError.INFECTED else CREATED, error_dict(exception))


def _invalid(error: ArgumentInvalid) -> OsisDocumentException:
    """A ttl that the service does not accept, said as such; any other argument in general."""
    if any(violation.field.endswith("ttl") for violation in error.field_violations) or error.metadata.get("field") == "ttl":
        return TtlInvalid(reason=error.reason, values=error.metadata)
    return exception_for(error)
