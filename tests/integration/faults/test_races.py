"""Several clients at the same upload at the same moment, and streams that outlive their upload."""

import hashlib
import random

import pytest

from osis.document.v1.upload_service_pb2 import CancelUploadRequest, UploadSpec
from tests.support.downloads import content_of
from tests.support.outcomes import outcome_of, reason_of
from tests.support.resuming import rest, status
from tests.support.seeds import id_of
from tests.support.uploads import confirm
from tests.support.waiting import wait_until
from tests.support.write_stream import WriteStream
from tests.torture.loops.upload_races import race
from tests.torture.progress import Progress

OLD, NEW = b"old " * 1000, b"new " * 1000


def test_clients_that_meet_over_one_upload_all_see_the_same_outcome(tmp_path, seed):
    race(tmp_path / "server", Progress({"races": 36}), seed=seed)


@pytest.fixture
def begun_twice(server, alpha):
    """A stream of an upload that was cancelled, and one of an upload that was begun with the same id since."""
    spec = UploadSpec(upload_id=id_of(random.Random()), name="note.txt")
    streams = []
    for content in (OLD, NEW):
        streams.append(WriteStream(alpha, spec))
        wait_until(lambda: not reason_of(outcome_of(status, alpha, spec.upload_id)), "the stream has begun")
        streams[-1].write(0, content)
        wait_until(lambda content=content: content in contents(server), "its bytes have arrived")
        if content is OLD:
            alpha.uploads.CancelUpload(CancelUploadRequest(upload_id=spec.upload_id))
    yield spec, *streams
    for stream in streams:
        stream.close()


def contents(server):
    return {path.read_bytes() for path in server.blob_files().values() if path.exists()}


@pytest.mark.parametrize("leave", ["finish", "end"])
def test_a_stream_of_a_cancelled_upload_cannot_touch_the_one_that_has_its_id_since(alpha, begun_twice, leave):
    spec, old, new = begun_twice

    answer = old.finish(len(OLD), sha256=hashlib.sha256(OLD).hexdigest()) if leave == "finish" else old.end()

    assert reason_of(answer) in {"WRITER_SUPERSEDED", "UPLOAD_CANCELLED"}
    assert status(alpha, spec.upload_id).persisted_size == 0
    result = new.finish(len(NEW), sha256=hashlib.sha256(NEW).hexdigest()).result
    confirm(alpha, result.write_token)
    assert content_of(alpha, spec.upload_id) == NEW


def test_bytes_that_are_safe_stay_so_when_a_stream_of_an_upload_ends_that_had_the_same_id(alpha, begun_twice):
    spec, old, new = begun_twice
    assert new.end().persisted_size == len(NEW)

    assert reason_of(old.end()) in {"WRITER_SUPERSEDED", "UPLOAD_CANCELLED"}

    assert status(alpha, spec.upload_id).persisted_size == len(NEW)
    result = alpha.uploads.WriteUpload(rest(spec, NEW + b"and more", len(NEW))).result
    assert result.document.sha256 == hashlib.sha256(NEW + b"and more").hexdigest()
