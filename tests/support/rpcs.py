"""Every rpc of the contract, called without knowing anything of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from osis.document.v1 import (
    document_service_pb2,
    download_service_pb2,
    post_processing_service_pb2,
    token_service_pb2,
    upload_service_pb2,
    worker_service_pb2,
)
from tests.support.stubs import Stubs

_FILES = (
    upload_service_pb2,
    download_service_pb2,
    token_service_pb2,
    document_service_pb2,
    post_processing_service_pb2,
    worker_service_pb2,
)


@dataclass(frozen=True)
class Rpc:
    """One rpc."""

    method: MethodDescriptor

    @property
    def service(self) -> str:
        """The service's short name."""
        return str(self.method.containing_service.name)

    @property
    def path(self) -> str:
        """The name on the wire."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    def __str__(self) -> str:
        return f"{self.service}.{self.method.name}"

    def request(self, **fields: Any) -> Any:
        """A request with these fields."""
        return message_factory.GetMessageClass(self.method.input_type)(**fields)

    def call(self, stubs: Stubs, request: Any | None = None, *, metadata: tuple[tuple[str, str], ...] = ()) -> Any:
        """Makes the call with one request, an empty one unless another is given, and reads a stream to its end."""
        sent = self.request() if request is None else request
        kind = f"{'stream' if self.method.client_streaming else 'unary'}_{'stream' if self.method.server_streaming else 'unary'}"
        call = getattr(stubs.channel, kind)(
            self.path,
            request_serializer=type(sent).SerializeToString,
            response_deserializer=message_factory.GetMessageClass(self.method.output_type).FromString,
        )
        answer = call(iter([sent]) if self.method.client_streaming else sent, metadata=metadata)
        return list(answer) if self.method.server_streaming else answer


def _all() -> Iterator[Rpc]:
    for file in _FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield Rpc(method)


#: All of them, by `Service.Rpc`.
RPCS = {str(rpc): rpc for rpc in _all()}
