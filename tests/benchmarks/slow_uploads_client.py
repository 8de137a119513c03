"""Holds many slow uploads open in one process: ``python slow_uploads_client.py COUNT``.

Prints how many have begun once all have, goes on sending until a line arrives on its standard input, finishes them all, and
prints what became of them as JSON. Asynchronous, as a thread for each upload would measure this process, not the service.
"""

import asyncio
import json
import os
import sys
import uuid
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import grpc

from osis.document.v1.upload_service_pb2 import UploadSpec, WriteUploadRequest, WriteUploadResponse
from osis.document.v1.upload_service_pb2_grpc import UploadServiceStub

_CHANNELS = 20
_PIECE = b"%PDF-1.7\n".ljust(16 * 1024, b"x")
_PAUSE_SECONDS = 1.0

if TYPE_CHECKING:
    _Call: TypeAlias = grpc.aio.StreamUnaryCall[WriteUploadRequest, WriteUploadResponse]


class SlowUploads:
    """Uploads that send a small piece every second."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._begun = asyncio.Semaphore(0)
        self._finish = asyncio.Event()
        self.finished = 0
        self.reasons: Counter[str] = Counter()

    async def run(self) -> None:
        """Begins all, holds them, finishes them."""
        metadata = (("x-api-key", os.environ["OSIS_DOCUMENT_API_KEY"]),)
        options = [("grpc.use_local_subchannel_pool", 1)]  # connections of their own, as different clients have
        channels = [grpc.aio.insecure_channel(os.environ["OSIS_DOCUMENT_TARGET"], options=options) for _ in range(_CHANNELS)]
        stubs = [UploadServiceStub(channel) for channel in channels]
        uploads = []
        for number in range(self._count):
            call: _Call = stubs[number % _CHANNELS].WriteUpload(metadata=metadata)  # type: ignore[call-arg]  # the stub of blocking channels
            uploads.append(asyncio.create_task(self._upload(call)))
            await asyncio.sleep(_PAUSE_SECONDS * 3 / self._count)  # not all in the same moment of each second
        for _ in uploads:
            await self._begun.acquire()
        print(self._count - self.reasons.total(), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        self._finish.set()
        await asyncio.gather(*uploads)
        for channel in channels:
            await channel.close(None)

    async def _upload(self, call: "_Call") -> None:
        begun = False
        try:
            offset = 0
            spec = UploadSpec(upload_id=str(uuid.uuid4()), name="slow.pdf")
            while not self._finish.is_set():
                await call.write(WriteUploadRequest(upload_spec=None if begun else spec, write_offset=offset, data=_PIECE))
                offset += len(_PIECE)
                if not begun:
                    begun = True
                    self._begun.release()
                await self._pause()
            await call.write(WriteUploadRequest(write_offset=offset, finish_write=True))
            await call.done_writing()
            response = await call
            if response.WhichOneof("outcome") == "result":
                self.finished += 1
            else:
                self.reasons["interrupted"] += 1
        except grpc.aio.AioRpcError as exc:
            self.reasons[f"{exc.code().name}: {exc.details()}"] += 1
        except asyncio.InvalidStateError:  # what writing to a call that has ended raises
            self.reasons[f"{(await call.code()).name}: {await call.details()}"] += 1
        finally:
            if not begun:
                self._begun.release()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._finish.wait(), _PAUSE_SECONDS)
        except TimeoutError:
            return


async def _main(count: int) -> None:
    uploads = SlowUploads(count)
    await uploads.run()
    failed = uploads.reasons.total()
    print(json.dumps({"finished": uploads.finished, "failed": failed, "reasons": dict(uploads.reasons)}), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
