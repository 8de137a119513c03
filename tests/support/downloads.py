"""Downloading, message by message."""

from dataclasses import dataclass
from typing import Any

import google_crc32c
import grpc

from osis.document.v1.download_service_pb2 import DownloadHeader, DownloadRequest
from tests.support.refusals import Refusal, refusal_of
from tests.support.stubs import Stubs
from tests.support.uploads import token_for


@dataclass
class Received:
    """What a download brought, up to its end."""

    header: DownloadHeader | None
    blocks: list[bytes]
    #: Why it broke off; None if it ended well.
    refusal: Refusal | None

    @property
    def data(self) -> bytes:
        """All bytes in order."""
        return b"".join(self.blocks)


def download(stubs: Stubs, token: str, **fields: Any) -> Received:
    """Downloads to the end, or to where it is refused. Every block's CRC32C is checked."""
    received = Received(header=None, blocks=[], refusal=None)
    try:
        for message in stubs.downloads.Download(DownloadRequest(token=token, **fields)):
            if received.header is None:
                assert message.HasField("header"), "the first message has no header"
                assert not message.data, "the first message has data"
                received.header = message.header
            else:
                assert not message.HasField("header"), "a later message has a header"
                assert google_crc32c.value(message.data) == message.crc32c
                received.blocks.append(message.data)
    except grpc.RpcError as exc:
        received.refusal = refusal_of(exc)
    return received


def content_of(stubs: Stubs, document_id: str) -> bytes:
    """The whole content of a document itself (not of what was made of it)."""
    received = download(stubs, token_for(stubs, document_id, wanted_post_process="WANTED_POST_PROCESS_ORIGINAL"))
    assert received.refusal is None, received.refusal
    return received.data
