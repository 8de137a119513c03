"""A server that is killed at each of its system calls: what it acknowledged is there and right, and nothing else stays.

strace kills the server just before a call that makes something durable or visible is carried out: the moments between two of them
are all the states in which a crash can leave the storage and the database.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import grpc

from osis.document.v1.document_pb2 import Document, DocumentStatus
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest
from osis.document.v1.upload_service_pb2 import UploadResult, UploadSpec
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.outcomes import is_lost
from tests.support.restarting import RestartingServer
from tests.support.resuming import rest
from tests.support.seeds import chance, id_of
from tests.support.server import KEYS
from tests.support.strace import tracing
from tests.support.stubs import Stubs
from tests.support.uploads import MEBIBYTE
from tests.support.waiting import wait_until

#: The calls after which a crash finds something else on the disk than before; which of them there are depends on the machine.
_CALLS = "?fsync,?fdatasync,?rename,?renameat,?renameat2,?unlink,?unlinkat,?pwrite64"
#: A document's way in: by one stream, or by one that breaks off and one that goes on.
_STRAIGHT = ("upload", "confirm")
_RESUMED = ("begin", "resume", "confirm")


@dataclass(frozen=True, order=True)
class Moment:
    """When the server is killed: just before the so-many-th call of a kind in one step."""

    step: str
    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.step}, before {self.call} {self.number}"


class Way:
    """One document on its way in, and how far that was acknowledged."""

    def __init__(self, *, seed: int, number: int) -> None:
        luck = chance(seed, "way", number)
        self.content = files.pdf_of_size(luck.randint(MEBIBYTE, 2 * MEBIBYTE), seed=number)
        self.spec = UploadSpec(upload_id=id_of(luck), name=f"scan-{number}.pdf")
        self.safe = 0
        self.result: UploadResult | None = None
        self.confirmed: Document | None = None

    def take(self, step: str, stubs: Stubs) -> None:
        """Takes one step.

        Raises:
            grpc.RpcError: the server did not answer.
        """
        if step == "confirm":
            assert self.result is not None
            request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=self.result.write_token)])
            [self.confirmed] = stubs.documents.ConfirmUploads(request).documents
            return
        end = len(self.content) // 2 if step == "begin" else None
        answer = stubs.uploads.WriteUpload(rest(self.spec, self.content, self.safe, end=end), wait_for_ready=True)
        if step == "begin":
            self.safe = answer.persisted_size
        else:
            self.result = answer.result
            assert self.result.document.sha256 == hashlib.sha256(self.content).hexdigest()

    def check(self, stubs: Stubs) -> None:
        """Asserts that what was acknowledged is there, by reading all of it."""
        if self.confirmed is not None:
            assert get(stubs, self.spec.upload_id) == self.confirmed
        if self.result is not None:
            received = download(stubs, self.result.write_token)
            assert (received.refusal, received.data) == (None, self.content)


def survive_kills(folder: Path, *, runs: int | None, seed: int, say: Callable[[str], None] = print) -> int:
    """Kills a server at moments of documents' ways in, and returns how many times.

    Args:
        folder: where it serves from.
        runs: how many moments, drawn with the seed; None: all that there are.
        seed: decides what is left to chance.
        say: is told of each.

    Raises:
        AssertionError: something acknowledged is missing or other than it was, or something else stays.
    """
    with RestartingServer(folder, TEMP_UPLOAD_MAX_AGE="3600", SWEEP_SECONDS="3600", SCRUB_SECONDS="0") as server:
        ways: list[Way] = []
        moments = _moments(server, ways, seed=seed)
        if runs is not None:
            moments = sorted(_spread(moments, runs, seed=seed))
        kills = 0
        for moment in moments:
            ways.append(Way(seed=seed, number=len(ways)))
            killed = _run(server, ways[-1], moment)
            kills += killed
            say(f"{'killed' if killed else 'not reached'}: {moment}")
            _check(server, ways[-1])
        server.start(TEMP_UPLOAD_MAX_AGE="1", SWEEP_SECONDS="0.2", BLOB_GRACE_SECONDS="0")
        _require_nothing_else(server, ways)
        return kills


def _moments(server: RestartingServer, ways: list[Way], *, seed: int) -> list[Moment]:
    """Takes all steps once, undisturbed, and returns all moments that there were."""
    moments = []
    for steps in (_STRAIGHT, _RESUMED[:-1]):  # the confirmation is the same
        ways.append(Way(seed=seed, number=len(ways)))
        for step in steps:
            with tracing(server.process, f"trace={_CALLS}") as strace, _stubs(server) as stubs:
                ways[-1].take(step, stubs)
            calls = strace.calls()
            moments += [Moment(step, call, number) for call, count in calls.items() for number in range(1, count + 1)]
    return moments


def _spread(moments: list[Moment], runs: int, *, seed: int) -> list[Moment]:
    """Draws moments: as many different calls and steps as there can be, for writes to the database are by far the most."""
    luck = chance(seed, "moments")
    groups: dict[tuple[str, str], list[Moment]] = {}
    for moment in luck.sample(moments, len(moments)):
        groups.setdefault((moment.step, moment.call), []).append(moment)
    chosen: list[Moment] = []
    while len(chosen) < min(runs, len(moments)):
        chosen += [group.pop() for group in groups.values() if group]
    return chosen[:runs]


def _run(server: RestartingServer, way: Way, moment: Moment) -> bool:
    """Takes all steps up to a moment, and kills the server there; False: the moment never came."""
    with _stubs(server) as stubs:
        for step in _STRAIGHT if moment.step in _STRAIGHT else _RESUMED:
            if step != moment.step:
                way.take(step, stubs)
                continue
            with tracing(server.process, f"inject={moment.call}:signal=KILL:when={moment.number}"):
                try:
                    way.take(step, stubs)
                except grpc.RpcError as exc:
                    if not is_lost(exc):
                        raise
                    server.process.wait(seconds=20)
                    return True
    return False


@contextmanager
def _stubs(server: RestartingServer) -> Iterator[Stubs]:
    stubs = Stubs(server.target, key=KEYS["alpha"])
    try:
        yield stubs
    finally:
        stubs.close()


def _check(server: RestartingServer, way: Way) -> None:
    server.kill()
    server.start()
    with _stubs(server) as stubs:
        way.check(stubs)


def _require_nothing_else(server: RestartingServer, ways: list[Way]) -> None:
    """Waits until the sweeper has left nothing but whole, confirmed documents."""

    def strays() -> dict[str, object]:
        documents = server.process.rows("document")
        blobs = {row["key"] for row in server.process.rows("blob")}
        found = {
            "documents": [row["id"] for row in documents if row["status"] != "UPLOADED"],
            "uploads": [row["id"] for row in server.process.rows("upload")],
            "blobs without a document": blobs ^ {row["blob_key"] for row in documents},
            "files without a blob": set(server.process.blob_files()) ^ blobs,
        }
        return {what: which for what, which in found.items() if which}

    try:
        wait_until(lambda: not strays(), "nothing stays that was not confirmed", seconds=60)
    except AssertionError as exc:
        raise AssertionError(f"what was not confirmed stays: {strays()}") from exc
    # A confirmation of which nobody heard counts as well; then the document is as whole as any.
    kept = {str(UUID(str(row["id"]))) for row in server.process.rows("document")}
    assert kept >= {way.spec.upload_id for way in ways if way.confirmed is not None}
    with _stubs(server) as stubs:
        for way in ways:
            if way.spec.upload_id in kept:
                assert get(stubs, way.spec.upload_id).status == DocumentStatus.DOCUMENT_STATUS_UPLOADED
                assert content_of(stubs, way.spec.upload_id) == way.content
