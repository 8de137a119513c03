"""Tokens, in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from osis.document.v1.post_processing_pb2 import PostProcessing, PostProcessingState
from osis.document.v1.token_service_pb2 import (
    BatchCreateTokensRequest,
    BatchCreateTokensResponse,
    CreateTokenRequest,
    CreateTokenResponse,
    InspectTokenRequest,
    InspectTokenResponse,
    Token,
    TokenPurpose,
    TokenResult,
    WantedPostProcess,
)
from osis_document_client import ArgumentInvalid, ServiceError

from . import rules
from .signing import Claims
from .store import Store, item_error, require_sound, require_unspent

_LONGEST = timedelta(days=7)
_PURPOSES = {
    "read": TokenPurpose.TOKEN_PURPOSE_READ,
    "write": TokenPurpose.TOKEN_PURPOSE_WRITE,
    "upload": TokenPurpose.TOKEN_PURPOSE_UPLOAD,
}
_KINDS = {WantedPostProcess.WANTED_POST_PROCESS_CONVERT: "convert", WantedPostProcess.WANTED_POST_PROCESS_MERGE: "merge"}
_ORIGINAL = WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL

_R = TypeVar("_R", CreateTokenResponse, TokenResult)


class TokenRpcs:
    """The rpcs of `TokenService`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_token(self, request: CreateTokenRequest) -> CreateTokenResponse:
        """Makes a token, or tells of the job that has not made what is wanted."""
        return self._outcome(request, CreateTokenResponse)

    def batch_create_tokens(self, request: BatchCreateTokensRequest) -> BatchCreateTokensResponse:
        """Makes tokens, or tells why there is none."""
        rules.require_batch(len(request.requests))
        return BatchCreateTokensResponse(results=[self._result(each) for each in request.requests])

    def inspect_token(self, request: InspectTokenRequest) -> InspectTokenResponse:
        """Tells what a token is."""
        claims = self._store.signer.read(request.token)
        answer = InspectTokenResponse(token=_token(request.token, claims), revision=claims.revision, key_id="fake")
        answer.issue_time.FromSeconds(claims.iat)
        try:
            self._store.verify(request.token)
            found = self._store.find_open(claims.document)
            require_sound(found, modified=claims.modified and claims.purpose == "read")
            if claims.purpose != "read":
                require_unspent(found, claims)
        except ServiceError as exc:
            answer.refusal.CopyFrom(item_error(exc))
        return answer

    def _result(self, request: CreateTokenRequest) -> TokenResult:
        try:
            return self._outcome(request, TokenResult)
        except ServiceError as exc:
            return TokenResult(error=item_error(exc))

    def _outcome(self, request: CreateTokenRequest, kind: type[_R]) -> _R:
        ttl = request.ttl.ToTimedelta() if request.HasField("ttl") else None
        if ttl is not None and not timedelta(0) < ttl <= _LONGEST:
            values = {"field": "ttl", "value": f"{ttl.total_seconds():g}s"}
            raise ArgumentInvalid(f"ttl must be above 0 and at most {_LONGEST.total_seconds():g} s.", metadata=values)
        found = self._store.find_open(request.document_id)
        if request.wanted_post_process != _ORIGINAL and not request.for_modified:
            made = self._made_of(request.document_id, request.wanted_post_process)
            if isinstance(made, PostProcessing):
                failed = made.state == PostProcessingState.POST_PROCESSING_STATE_FAILED
                return kind(failed=made) if failed else kind(pending=made)
            found = self._store.find_open(made)
        writes = request.purpose == TokenPurpose.TOKEN_PURPOSE_WRITE
        require_sound(found, modified=request.for_modified and not writes)
        text, claims = self._store.sign(found, "write" if writes else "read", ttl=ttl, modified=request.for_modified)
        return kind(token=_token(text, claims))

    def _made_of(self, document_id: str, wanted: WantedPostProcess.ValueType) -> PostProcessing | str:
        """What the newest job made of a document, or that job; the document itself where none was to make what is wanted."""
        for job in reversed(self._store.jobs.values()):
            kinds: list[str | None] = [status.action.WhichOneof("action") for status in job.actions]
            cancelled = job.state == PostProcessingState.POST_PROCESSING_STATE_CANCELLED
            if cancelled or document_id not in job.input_document_ids or _KINDS.get(wanted, kinds[-1]) not in kinds:
                continue
            status = job.actions[kinds.index(_KINDS[wanted]) if wanted in _KINDS else -1]
            if status.state != PostProcessingState.POST_PROCESSING_STATE_DONE:
                return job
            place = list(job.input_document_ids).index(document_id) if len(status.records) > 1 else 0
            return status.records[place].output_document_ids[0]
        return document_id


def _token(text: str, claims: Claims) -> Token:
    made = Token(token=text, document_id=claims.document, purpose=_PURPOSES[claims.purpose], for_modified=claims.modified)
    made.expire_time.FromSeconds(claims.exp)
    return made
