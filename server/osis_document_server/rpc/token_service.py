"""TokenService."""

import grpc

from osis.document.v1 import token_service_pb2 as pb
from osis.document.v1 import token_service_pb2_grpc
from osis_document_server.errors import ServiceError
from osis_document_server.rpc import convert
from osis_document_server.usecases.tokens import Tokens, TokenWish


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def CreateToken(self, request: pb.CreateTokenRequest, context: grpc.ServicerContext) -> pb.CreateTokenResponse:
        return pb.CreateTokenResponse(**convert.token_outcome(self._tokens.create(convert.from_create_token(request))))

    def BatchCreateTokens(
        self, request: pb.BatchCreateTokensRequest, context: grpc.ServicerContext
    ) -> pb.BatchCreateTokensResponse:
        outcomes = self._tokens.create_all([_wish(item) for item in request.requests])
        return pb.BatchCreateTokensResponse(
            results=[
                pb.TokenResult(error=convert.to_item_error(outcome))
                if isinstance(outcome, ServiceError)
                else pb.TokenResult(**convert.token_outcome(outcome))
                for outcome in outcomes
            ]
        )

    def InspectToken(self, request: pb.InspectTokenRequest, context: grpc.ServicerContext) -> pb.InspectTokenResponse:
        return convert.to_inspect_token(request.token, self._tokens.inspect(request.token))


def _wish(request: pb.CreateTokenRequest) -> TokenWish | ServiceError:
    """An item that cannot be read does not hold up the others."""
    try:
        return convert.from_create_token(request)
    except ServiceError as exc:
        return exc
