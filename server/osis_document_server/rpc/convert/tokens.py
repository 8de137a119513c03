"""Tokens."""

from typing import Any

from osis.document.v1 import token_service_pb2
from osis_document_server.domain.jobs import Job
from osis_document_server.domain.names import parse_id
from osis_document_server.domain.tokens import Purpose, SignedToken
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc.convert.documents import to_item_error
from osis_document_server.rpc.convert.jobs import to_post_processing
from osis_document_server.rpc.convert.values import duration, enum_name, timestamp
from osis_document_server.usecases.tokens import Inspection, TokenWish
from osis_document_server.usecases.wanted_results import Wanted


def from_create_token(message: token_service_pb2.CreateTokenRequest) -> TokenWish:
    """What a token is wanted for.

    Raises:
        ArgumentInvalid: a field cannot be read.
    """
    purposes = {
        token_service_pb2.TOKEN_PURPOSE_UNSPECIFIED: Purpose.READ,
        token_service_pb2.TOKEN_PURPOSE_READ: Purpose.READ,
        token_service_pb2.TOKEN_PURPOSE_WRITE: Purpose.WRITE,
    }
    if message.purpose not in purposes:
        raise ArgumentInvalid("purpose must be READ or WRITE; only an upload makes UPLOAD tokens.", field="purpose")
    wanted = enum_name(
        token_service_pb2.WantedPostProcess, message.wanted_post_process, "WANTED_POST_PROCESS_", field="wanted_post_process"
    )
    return TokenWish(
        document_id=parse_id(message.document_id, field="document_id"),
        purpose=purposes[message.purpose],
        ttl=duration(message.ttl, field="ttl") if message.HasField("ttl") else None,
        modified=message.for_modified,
        wanted=Wanted(wanted or Wanted.NEWEST),
    )


def token_outcome(outcome: SignedToken | Job) -> dict[str, Any]:
    """What became of the wish for a token, by the name of the field that tells it."""
    if isinstance(outcome, SignedToken):
        return {"token": to_token(outcome)}
    return {"failed" if outcome.state.is_terminal else "pending": to_post_processing(outcome)}


def to_inspect_token(text: str, inspection: Inspection) -> token_service_pb2.InspectTokenResponse:
    """What a token is."""
    claims = inspection.claims
    return token_service_pb2.InspectTokenResponse(
        token=to_token(SignedToken(text=text, claims=claims)),
        issue_time=timestamp(claims.issued_at),
        revision=claims.revision,
        key_id=claims.key_id,
        refusal=None if inspection.refusal is None else to_item_error(inspection.refusal),
    )


def to_token(token: SignedToken) -> token_service_pb2.Token:
    """A token and what is known of it."""
    return token_service_pb2.Token(
        token=token.text,
        document_id=str(token.claims.document_id),
        purpose=token_service_pb2.TokenPurpose.Value(f"TOKEN_PURPOSE_{token.claims.purpose.name}"),
        expire_time=timestamp(token.claims.expires_at),
        for_modified=token.claims.modified,
    )
