"""Messages with their sizes: protobuf's own way to find one out is to write the message again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from osis_document_server.errors import ArgumentInvalid

#: In what protobuf says, which has no error of its own for it.
_TOO_DEEP = "MaxDepth"


@dataclass(frozen=True, slots=True)
class Received:
    """A message that has arrived."""

    #: None: the bytes are no such message.
    message: Any
    size_bytes: int
    #: Why it is None: protobuf reads at most 100 messages within each other.
    too_deep: bool = False

    def readable(self) -> Any:
        """Returns the message.

        Raises:
            ArgumentInvalid: the bytes are none.
        """
        if self.too_deep:
            raise ArgumentInvalid(
                f"A message of {self.size_bytes} bytes cannot be read: it is nested too deeply. At most 100 messages can be "
                "within each other, and each level of metadata takes three: keep its objects and lists within some 30 levels."
            )
        if self.message is None:
            raise ArgumentInvalid(
                f"A message of {self.size_bytes} bytes cannot be read: it is not of the type that the method takes. "
                "Generate the client from this service's contract."
            )
        return self.message


def with_size(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Received]:
    """Returns a deserializer that keeps the size, and leaves it to the handler to refuse bytes that are no message."""

    def received(data: bytes) -> Received:
        try:
            message = data if deserialize is None else deserialize(data)
        except DecodeError as exc:
            return Received(None, len(data), too_deep=_TOO_DEEP in str(exc))
        return Received(message, len(data))

    return received
