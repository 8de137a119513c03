"""Streams that end before their time: nothing of them stays, whoever broke them off."""

import subprocess
import sys
import textwrap
from threading import Event

import grpc
import pytest

from osis.document.v1.document_pb2 import DocumentRef
from osis.document.v1.document_service_pb2 import GetDocumentRequest
from osis.document.v1.upload_service_pb2 import WriteUploadRequest
from tests.support import files
from tests.support.processes import clean_environment
from tests.support.refusals import expect_refusal
from tests.support.server import KEYS, serving
from tests.support.uploads import MEBIBYTE, messages, new_id, spec
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def nothing_stays(server):
    """After each interruption, the stored files and the rows that name them are those that were there before."""
    before, rows_before = server.blob_files().keys(), server.rows("blob")
    yield
    wait_until(lambda: server.blob_files().keys() == before, "the blobs are as before", seconds=3)
    assert server.rows("blob") == rows_before


def is_unknown(stubs, document_id):
    request = GetDocumentRequest(document=DocumentRef(document_id=document_id))
    return expect_refusal("DOCUMENT_NOT_FOUND", stubs.documents.GetDocument, request).metadata == {"document_id": document_id}


@pytest.mark.parametrize("size", [1, MEBIBYTE, 3 * MEBIBYTE + 7])
def test_a_stream_that_ends_without_finish_is_no_document(alpha, size):
    upload_spec = spec()

    answer = alpha.uploads.WriteUpload(messages(upload_spec, files.text_of_size(size), finish=False))

    assert answer.WhichOneof("outcome") == "persisted_size"
    assert answer.persisted_size == 0
    assert is_unknown(alpha, upload_spec.upload_id)


def test_a_stream_that_ends_at_its_declared_length_without_finish_is_no_document(alpha):
    upload_spec = spec(size_bytes=1000)

    answer = alpha.uploads.WriteUpload(messages(upload_spec, files.text_of_size(1000), finish=False))

    assert answer.WhichOneof("outcome") == "persisted_size"
    assert is_unknown(alpha, upload_spec.upload_id)


def test_a_stream_that_its_client_cancels_is_no_document(alpha, server):
    upload_spec, sent, cancelled = spec("scan.pdf"), Event(), Event()

    def send():
        yield from messages(upload_spec, files.pdf_of_size(3 * MEBIBYTE), finish=False)
        sent.set()
        cancelled.wait(30)

    call = alpha.uploads.WriteUpload.future(send())
    assert sent.wait(20)
    wait_until(lambda: any(name.endswith(".part") for name in server.blob_files()), "bytes have arrived")
    call.cancel()
    cancelled.set()

    assert call.code() == grpc.StatusCode.CANCELLED
    wait_until(lambda: not any(name.endswith(".part") for name in server.blob_files()), "the unfinished file is removed")
    assert is_unknown(alpha, upload_spec.upload_id)


CLIENT = """
    import sys, threading
    from osis.document.v1.upload_service_pb2 import WriteUploadRequest
    from tests.support.stubs import Stubs
    from tests.support.uploads import messages, spec
    from tests.support import files

    target, key, upload_id = sys.argv[1:]

    def send():
        yield from messages(spec("scan.pdf", upload_id=upload_id), files.pdf_of_size(3 << 20), finish=False)
        print("sent", flush=True)
        threading.Event().wait()

    Stubs(target, key=key).uploads.WriteUpload(send())
"""


def test_a_stream_whose_client_is_killed_is_no_document(alpha, server, pytestconfig):
    upload_id = new_id()
    environment = clean_environment({}) | {"PYTHONPATH": ":".join([str(pytestconfig.rootpath), *sys.path])}
    client = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CLIENT), server.target, KEYS["alpha"], upload_id],
        stdout=subprocess.PIPE,
        env=environment,
    )
    try:
        assert client.stdout.readline() == b"sent\n"
        wait_until(lambda: any(name.endswith(".part") for name in server.blob_files()), "bytes have arrived")
    finally:
        client.kill()
        client.communicate()

    wait_until(lambda: not any(name.endswith(".part") for name in server.blob_files()), "the unfinished file is removed")
    assert is_unknown(alpha, upload_id)


def test_a_stream_that_stays_silent_is_cancelled_and_nothing_of_it_stays(tmp_path):
    with serving(tmp_path / "impatient", STREAM_IDLE_SECONDS="1") as impatient:
        never = Event()

        def send():
            yield WriteUploadRequest(upload_spec=spec(), data=b"some")
            never.wait(30)

        call = impatient.stubs().uploads.WriteUpload.future(send(), timeout=20)
        try:
            assert call.exception(20).code() == grpc.StatusCode.CANCELLED
        finally:
            never.set()

        wait_until(lambda: impatient.blob_files() == {}, "nothing stays")
