"""Handing out short-lived access."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from osis.document.v1.token_service_pb2 import (
    BatchCreateTokensRequest,
    CreateTokenRequest,
    CreateTokenResponse,
    InspectTokenRequest,
    InspectTokenResponse,
    TokenPurpose,
    WantedPostProcess,
)

from .._batches import MAX_ITEMS, Results, in_batches, token_or_error
from .._errors import ServiceError
from .._rpcs import Rpcs
from .._times import duration


def create_token(
    client: Rpcs,
    document_id: str,
    *,
    write: bool = False,
    ttl_seconds: float | None = None,
    wanted_post_process: WantedPostProcess.ValueType = WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED,
    for_modified: bool = False,
) -> CreateTokenResponse:
    """Creates a token for a document, or for what post-processing made of it.

    Args:
        document_id: the document.
        write: the token may change the document too.
        ttl_seconds: how long it is good for; as the service is configured (15 minutes) by default.
        wanted_post_process: which result is wanted; by default the newest job's, or the document itself if there is none.
        for_modified: the modified copy is wanted.

    Returns:
        `token`, or `pending` or `failed` with the job that was to make what is wanted.

    Raises:
        ServiceError: `DocumentNotFound`, `DocumentDeleted`, `ArgumentInvalid` (a ttl that is too long) …
    """
    return client.tokens.CreateToken(
        _request(
            document_id,
            write=write,
            ttl_seconds=ttl_seconds,
            wanted_post_process=wanted_post_process,
            for_modified=for_modified,
        )
    )


def create_tokens(
    client: Rpcs,
    documents: Iterable[str | CreateTokenRequest],
    *,
    write: bool = False,
    ttl_seconds: float | None = None,
    wanted_post_process: WantedPostProcess.ValueType = WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED,
    for_modified: bool = False,
) -> Results[CreateTokenResponse]:
    """Creates many tokens at once.

    Args:
        documents: ids, to which the keyword arguments apply as in `create_token`; or `CreateTokenRequest` messages, sent as
            they are.

    Returns:
        For each what `create_token` would have answered, or the error that it would have raised.

    Raises:
        ServiceError: the call as a whole was refused.
    """
    request = partial(
        _request,
        write=write,
        ttl_seconds=ttl_seconds,
        wanted_post_process=wanted_post_process,
        for_modified=for_modified,
    )

    def call(items: list[str | CreateTokenRequest]) -> Iterable[CreateTokenResponse | ServiceError]:
        requests = [request(item) if isinstance(item, str) else item for item in items]
        return map(token_or_error, client.tokens.BatchCreateTokens(BatchCreateTokensRequest(requests=requests)).results)

    return Results(in_batches(documents, call, size=MAX_ITEMS))


def inspect_token(client: Rpcs, token: str) -> InspectTokenResponse:
    """Tells what a token is, and in `refusal` why it could not be used now (see `error_for_item`), if that is so.

    Raises:
        TokenInvalid: it is none of this service's, or was changed.
    """
    return client.tokens.InspectToken(InspectTokenRequest(token=token))


def _request(
    document_id: str,
    *,
    write: bool,
    ttl_seconds: float | None,
    wanted_post_process: WantedPostProcess.ValueType,
    for_modified: bool,
) -> CreateTokenRequest:
    return CreateTokenRequest(
        document_id=document_id,
        purpose=TokenPurpose.TOKEN_PURPOSE_WRITE if write else TokenPurpose.TOKEN_PURPOSE_READ,
        ttl=duration(timedelta(seconds=ttl_seconds)) if ttl_seconds is not None else None,
        wanted_post_process=wanted_post_process,
        for_modified=for_modified,
    )
