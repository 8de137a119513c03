"""Many uploads whose clients say nothing for a while: everybody else is served as if they were not there."""

import hashlib
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial

from osis.document.v1.upload_service_pb2 import WriteUploadResponse
from tests.support import files
from tests.support.outcomes import outcome_of, reason_of
from tests.support.probing import Probe
from tests.support.resuming import status
from tests.support.seeds import chance, id_of
from tests.support.server import ServerProcess
from tests.support.stubs import Stubs
from tests.support.uploads import spec
from tests.support.waiting import wait_until
from tests.support.write_stream import WriteStream
from tests.torture.progress import Progress

#: Connections, as of so many hosts.
_CONNECTIONS = 10


@dataclass(frozen=True)
class _Held:
    stream: WriteStream
    upload_id: str
    content: bytes
    #: How much was sent.
    sent: int


def _has_begun(stubs: Stubs, upload_id: str) -> bool:
    return not reason_of(outcome_of(status, stubs, upload_id))


def hold_idle_uploads(server: ServerProcess, progress: Progress, *, seed: int, deadline_seconds: float) -> None:
    """Holds as many uploads as the goal `idle uploads`, makes calls until the goal `calls` is reached, then finishes the uploads.

    Raises:
        grpc.RpcError: a call was refused, or not answered by its deadline.
        AssertionError: an upload could not go on.
    """
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(server.stubs())) for _ in range(_CONNECTIONS)]
        uploads: list[_Held] = []
        for number in range(progress.goals["idle uploads"]):
            luck = chance(seed, "idle upload", number)
            content = files.text_of_size(luck.randint(2, 100_000), seed=number)
            upload = spec(upload_id=id_of(luck))
            stream = stack.enter_context(closing(WriteStream(connections[number % _CONNECTIONS], upload)))
            held = _Held(stream, upload.upload_id, content, sent=luck.randint(1, len(content)))
            stream.write(0, content[: held.sent])
            uploads.append(held)
        stubs = stack.enter_context(closing(server.stubs()))
        for held in uploads:
            wait_until(partial(_has_begun, stubs, held.upload_id), "the upload has begun", seconds=60)
            progress.add("idle uploads")
        probe = Probe(stubs, deadline_seconds=deadline_seconds)
        while not progress.reached("calls"):
            for call in probe.calls:
                call()
                progress.add("calls")
        progress.note("longest call", f"{probe.longest_seconds * 1000:.0f} ms")
        for held in uploads:
            held.stream.write(held.sent, held.content[held.sent :])
            answer = held.stream.finish(len(held.content), sha256=hashlib.sha256(held.content).hexdigest())
            assert isinstance(answer, WriteUploadResponse), f"an upload that was idle cannot go on: {answer}"
            assert answer.WhichOneof("outcome") == "result", f"an upload that was idle is not finished: {answer}"
            progress.add("finished")
