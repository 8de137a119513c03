"""Uploads that break off: what came is safe, nothing of it is a document, and the next stream goes on from there."""

import hashlib
import itertools
import random
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc
import pytest

from osis.document.v1.document_pb2 import DocumentRef
from osis.document.v1.document_service_pb2 import GetDocumentRequest
from osis.document.v1.upload_service_pb2 import (
    CancelUploadRequest,
    GetUploadStatusRequest,
    StartUploadRequest,
    WriteUploadRequest,
)
from osis_document_client import UploadSpecConflict
from tests.support import files
from tests.support.downloads import content_of
from tests.support.ports import free_port
from tests.support.processes import clean_environment
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.server import KEYS, serving
from tests.support.uploads import MEBIBYTE, confirm, messages, new_id, spec
from tests.support.waiting import wait_until

CONTENT = files.pdf_of_size(3 * MEBIBYTE + 7, seed=11)


def status(stubs, upload_id):
    return stubs.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload_id))


def is_unknown(stubs, document_id):
    request = GetDocumentRequest(document=DocumentRef(document_id=document_id))
    return expect_refusal("DOCUMENT_NOT_FOUND", stubs.documents.GetDocument, request).metadata == {"document_id": document_id}


def rest(upload_id, content, offset):
    """One stream that sends everything from ``offset`` on and finishes."""
    sha256 = hashlib.sha256(content).hexdigest()
    yield WriteUploadRequest(upload_id=upload_id, write_offset=offset)
    for start in range(offset, len(content), MEBIBYTE):
        yield WriteUploadRequest(write_offset=start, data=content[start : start + MEBIBYTE])
    yield WriteUploadRequest(write_offset=len(content), finish_write=True, sha256=sha256)


def begin(stubs, content, **fields):
    """Sends ``content`` without finishing; returns the upload's spec."""
    upload_spec = spec("scan.pdf", **fields)
    answer = stubs.uploads.WriteUpload(messages(upload_spec, content, finish=False))
    assert answer.persisted_size == len(content)
    return upload_spec


@pytest.mark.parametrize("size", [1, MEBIBYTE, 3 * MEBIBYTE + 7])
def test_a_stream_that_ends_without_finish_is_safe_but_no_document(alpha, size):
    upload_spec = begin(alpha, CONTENT[:size])

    assert status(alpha, upload_spec.upload_id).persisted_size == size
    assert is_unknown(alpha, upload_spec.upload_id)


@pytest.mark.parametrize("cut", [1, MEBIBYTE - 1, MEBIBYTE, 2 * MEBIBYTE + 5, len(CONTENT)])
def test_an_upload_goes_on_where_it_was(alpha, cut):
    upload_spec = begin(alpha, CONTENT[:cut])

    document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, cut)).result.document

    assert (document.id, document.sha256) == (upload_spec.upload_id, hashlib.sha256(CONTENT).hexdigest())


def test_an_upload_in_many_pieces_comes_back_whole(alpha):
    cuts = sorted(random.Random(5).sample(range(1, len(CONTENT)), 6))
    upload_spec = begin(alpha, CONTENT[: cuts[0]])
    for start, end in itertools.pairwise(cuts):
        piece = WriteUploadRequest(upload_spec=upload_spec, write_offset=start, data=CONTENT[start:end])
        assert alpha.uploads.WriteUpload(iter([piece])).persisted_size == end

    result = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, cuts[-1])).result

    confirm(alpha, result.write_token)
    assert content_of(alpha, upload_spec.upload_id) == CONTENT


def test_what_is_sent_again_is_skipped(alpha):
    upload_spec = begin(alpha, CONTENT[: 2 * MEBIBYTE])

    document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, MEBIBYTE // 2)).result.document

    assert document.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_bytes_beyond_what_is_safe_are_a_gap(alpha):
    upload_spec = begin(alpha, CONTENT[:1000])

    refusal = expect_refusal("OFFSET_GAP", alpha.uploads.WriteUpload, rest(upload_spec.upload_id, CONTENT, 1001))

    assert refusal.metadata["persisted_size"] == "1000"
    assert status(alpha, upload_spec.upload_id).persisted_size == 1000


def test_a_resumed_upload_with_other_bytes_is_refused_and_not_kept(alpha, server):
    upload_spec = begin(alpha, b"x" * 1000)

    expect_refusal("HASH_MISMATCH", alpha.uploads.WriteUpload, rest(upload_spec.upload_id, CONTENT, 1000))

    expect_refusal("UPLOAD_NOT_FOUND", status, alpha, upload_spec.upload_id)
    assert not [name for name in server.blob_files() if name.startswith(upload_spec.upload_id.replace("-", ""))]


def test_a_finished_upload_answers_its_status_with_a_fresh_token(alpha):
    upload_spec = spec()
    first = alpha.uploads.WriteUpload(messages(upload_spec, b"content")).result

    second = status(alpha, upload_spec.upload_id).result

    assert second.document == first.document
    assert second.write_token not in {"", first.write_token}
    confirm(alpha, second.write_token)
    assert status(alpha, upload_spec.upload_id).result.write_token == ""


def test_the_id_of_a_finished_upload_is_not_taken_for_another_file(alpha, server, tmp_path):
    upload_spec = spec()
    alpha.uploads.WriteUpload(messages(upload_spec, b"AAAA"))

    for other in (b"BBBB", b"AAAAA"):
        expect_refusal("UPLOAD_SPEC_CONFLICT", alpha.uploads.WriteUpload, messages(upload_spec, other))
    wrong = WriteUploadRequest(upload_spec=upload_spec, data=b"AAAA", finish_write=True, sha256="0" * 64)
    expect_refusal("UPLOAD_SPEC_CONFLICT", alpha.uploads.WriteUpload, iter([wrong]))

    source = tmp_path / "note.txt"
    source.write_bytes(b"BBBB")
    with server.client() as client, pytest.raises(UploadSpecConflict, match="another file"):
        client.upload(source, upload_id=upload_spec.upload_id)
    source.write_bytes(b"AAAA")
    with server.client() as client:
        assert client.upload(source, upload_id=upload_spec.upload_id).document.id == upload_spec.upload_id


def test_an_upload_can_be_registered_before_its_bytes(alpha):
    upload_spec = spec("scan.pdf", size_bytes=len(CONTENT))
    for _ in range(2):
        answer = alpha.uploads.StartUpload(StartUploadRequest(upload_spec=upload_spec))
        assert (answer.WhichOneof("outcome"), answer.persisted_size) == ("persisted_size", 0)
        assert answer.expire_time.seconds > 0
    assert status(alpha, upload_spec.upload_id).size_bytes == len(CONTENT)

    alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, 0))

    answer = alpha.uploads.StartUpload(StartUploadRequest(upload_spec=upload_spec))
    assert answer.result.document.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(("field", "value"), [("name", "other.pdf"), ("size_bytes", 8)])
def test_an_upload_that_is_under_way_keeps_its_spec(alpha, field, value):
    upload_spec = begin(alpha, CONTENT[:1000], size_bytes=len(CONTENT))
    setattr(upload_spec, field, value)

    refusal = expect_refusal("UPLOAD_SPEC_CONFLICT", alpha.uploads.StartUpload, StartUploadRequest(upload_spec=upload_spec))

    assert refusal.metadata["field"] == f"upload_spec.{field}"


def test_nobody_else_can_write_to_an_upload_or_ask_after_it(alpha, beta):
    upload_spec = begin(alpha, CONTENT[:1000])

    expect_refusal("UPLOAD_ID_TAKEN", beta.uploads.WriteUpload, rest(upload_spec.upload_id, CONTENT, 1000))
    expect_refusal("UPLOAD_ID_TAKEN", status, beta, upload_spec.upload_id)
    expect_refusal("UPLOAD_ID_TAKEN", beta.uploads.CancelUpload, CancelUploadRequest(upload_id=upload_spec.upload_id))

    assert status(alpha, upload_spec.upload_id).persisted_size == 1000


def test_who_takes_an_upload_over_is_its_only_writer(alpha):
    upload_spec, taken_over = spec("scan.pdf"), Event()
    other = b"y" * len(CONTENT)

    def stale():
        yield WriteUploadRequest(upload_spec=upload_spec, data=other[:MEBIBYTE])
        taken_over.wait(20)
        yield WriteUploadRequest(write_offset=MEBIBYTE, data=other[MEBIBYTE:], finish_write=True)

    old = alpha.uploads.WriteUpload.future(stale())
    wait_until(lambda: _is_registered(alpha, upload_spec.upload_id), "the first writer has begun")
    alpha.uploads.WriteUpload(messages(upload_spec, CONTENT[:1000], finish=False))
    taken_over.set()

    assert refusal_of(old.exception(20)).reason == "WRITER_SUPERSEDED"
    assert status(alpha, upload_spec.upload_id).persisted_size == 1000
    document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, 1000)).result.document
    assert document.sha256 == hashlib.sha256(CONTENT).hexdigest(), "no late byte of the first writer has landed"


def _is_registered(stubs, upload_id):
    try:
        return status(stubs, upload_id) is not None
    except grpc.RpcError:
        return False


def test_cancelling_removes_an_upload_and_its_bytes(alpha, server):
    upload_spec = begin(alpha, CONTENT[:1000])
    request = CancelUploadRequest(upload_id=upload_spec.upload_id)

    for _ in range(2):
        alpha.uploads.CancelUpload(request)

    expect_refusal("UPLOAD_NOT_FOUND", status, alpha, upload_spec.upload_id)
    assert not [name for name in server.blob_files() if name.startswith(upload_spec.upload_id.replace("-", ""))]


def test_a_writer_whose_upload_was_cancelled_is_told(alpha):
    upload_spec, cancelled = spec("scan.pdf"), Event()

    def send():
        yield WriteUploadRequest(upload_spec=upload_spec, data=CONTENT[:1000])
        cancelled.wait(20)
        yield WriteUploadRequest(write_offset=1000, data=CONTENT[1000:], finish_write=True)

    call = alpha.uploads.WriteUpload.future(send())
    wait_until(lambda: _is_registered(alpha, upload_spec.upload_id), "the writer has begun")
    alpha.uploads.CancelUpload(CancelUploadRequest(upload_id=upload_spec.upload_id))
    cancelled.set()

    assert refusal_of(call.exception(20)).reason == "UPLOAD_CANCELLED"
    assert is_unknown(alpha, upload_spec.upload_id)


def test_a_finished_upload_can_be_cancelled_until_it_is_confirmed(alpha):
    thrown_away, kept = spec(), spec()
    alpha.uploads.WriteUpload(messages(thrown_away, b"content"))
    confirm(alpha, alpha.uploads.WriteUpload(messages(kept, b"content")).result.write_token)

    alpha.uploads.CancelUpload(CancelUploadRequest(upload_id=thrown_away.upload_id))

    assert is_unknown(alpha, thrown_away.upload_id)
    expect_refusal("ALREADY_CONFIRMED", alpha.uploads.CancelUpload, CancelUploadRequest(upload_id=kept.upload_id))


def test_a_stream_that_stays_silent_is_cancelled_and_can_be_resumed(tmp_path):
    with serving(tmp_path / "impatient", STREAM_IDLE_SECONDS="1") as impatient:
        alpha, upload_spec, never = impatient.stubs(), spec("scan.pdf"), Event()

        def send():
            yield WriteUploadRequest(upload_spec=upload_spec, data=CONTENT[:1000])
            never.wait(30)

        call = alpha.uploads.WriteUpload.future(send(), timeout=20)
        try:
            assert call.exception(20).code() == grpc.StatusCode.CANCELLED
        finally:
            never.set()

        wait_until(lambda: status(alpha, upload_spec.upload_id).persisted_size == 1000, "what came is recorded")
        document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, 1000)).result.document
        assert document.sha256 == hashlib.sha256(CONTENT).hexdigest()


CLIENT = """
    import sys, threading
    from osis.document.v1.upload_service_pb2 import WriteUploadRequest
    from tests.support.stubs import Stubs
    from tests.support.uploads import messages, spec
    from tests.support import files

    target, key, upload_id = sys.argv[1:]

    def send():
        yield from messages(spec("scan.pdf", upload_id=upload_id), files.pdf_of_size((3 << 20) + 7, seed=11), finish=False)
        print("sent", flush=True)
        threading.Event().wait()

    Stubs(target, key=key).uploads.WriteUpload(send())
"""


def test_a_client_that_is_killed_has_not_completed_and_another_goes_on(alpha, server, pytestconfig):
    upload_id = new_id()
    environment = clean_environment({}) | {"PYTHONPATH": ":".join([str(pytestconfig.rootpath), *sys.path])}
    client = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CLIENT), server.target, KEYS["alpha"], upload_id],
        stdout=subprocess.PIPE,
        env=environment,
    )
    try:
        assert client.stdout.readline() == b"sent\n"
    finally:
        client.kill()
        client.communicate()

    wait_until(lambda: status(alpha, upload_id).persisted_size > 0, "what came is recorded")
    assert is_unknown(alpha, upload_id)
    document = alpha.uploads.WriteUpload(rest(upload_id, CONTENT, status(alpha, upload_id).persisted_size)).result.document
    assert document.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.slow
def test_what_was_safe_is_there_after_the_server_was_killed(tmp_path):
    with serving(tmp_path / "killed") as server:
        upload_spec = begin(server.stubs(), CONTENT[: 2 * MEBIBYTE])
        server.kill()
    with serving(tmp_path / "killed") as server:
        alpha = server.stubs()
        assert status(alpha, upload_spec.upload_id).persisted_size == 2 * MEBIBYTE
        document = alpha.uploads.WriteUpload(rest(upload_spec.upload_id, CONTENT, 2 * MEBIBYTE)).result.document
        assert document.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_an_upload_that_is_not_finished_in_time_is_removed_with_its_bytes(tmp_path):
    with serving(tmp_path / "short", TEMP_UPLOAD_MAX_AGE="2", SWEEP_SECONDS="0.2") as server:
        alpha = server.stubs()
        upload_spec = begin(alpha, CONTENT[:1000])
        wait_until(lambda: server.rows("upload") == [] and server.blob_files() == {}, "the upload is removed", seconds=15)
        expect_refusal("UPLOAD_NOT_FOUND", status, alpha, upload_spec.upload_id)


@pytest.mark.slow
def test_the_client_library_goes_on_by_itself_after_the_server_was_killed(tmp_path):
    content = files.pdf_of_size(96 * MEBIBYTE, seed=3)
    source = tmp_path / "scan.pdf"
    source.write_bytes(content)
    address = f"127.0.0.1:{free_port()}"
    under_way, restarted = Event(), Event()
    seen = []

    def progress(sent, total):
        seen.append(sent)
        if sent > 70 * MEBIBYTE and not under_way.is_set():
            under_way.set()
            restarted.wait(60)

    with ThreadPoolExecutor(1) as pool, serving(tmp_path / "data", LISTEN=address) as first, first.client() as client:
        upload = pool.submit(client.upload, source, progress=progress)
        assert under_way.wait(60)
        [recorded] = wait_until(
            lambda: [row["persisted_size"] for row in first.rows("upload") if row["persisted_size"]], "a checkpoint"
        )
        first.kill()
        with serving(tmp_path / "data", LISTEN=address) as second:
            restarted.set()
            document = upload.result(60).document
            assert document.sha256 == hashlib.sha256(content).hexdigest()
            assert list(second.blob_files()) == [row["key"] for row in second.rows("blob")], "and nothing else is left"

    again_from = next(later for earlier, later in itertools.pairwise(seen) if later < earlier)
    assert again_from >= recorded > 0, "what was recorded is not sent again"
