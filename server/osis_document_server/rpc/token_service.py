"""TokenService."""

import grpc

from osis.document.v1 import token_service_pb2 as pb
from osis.document.v1 import token_service_pb2_grpc
from osis_document_server.rpc import convert
from osis_document_server.usecases.tokens import Tokens


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """Converts in, calls the use case, converts out."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def CreateToken(self, request: pb.CreateTokenRequest, context: grpc.ServicerContext) -> pb.CreateTokenResponse:
        return pb.CreateTokenResponse(token=convert.to_token(self._tokens.create(convert.from_create_token(request))))
