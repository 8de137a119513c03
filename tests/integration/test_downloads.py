"""Reading documents, whole and in part."""

import hashlib

import grpc
import pytest

from osis.document.v1.download_service_pb2 import DownloadRequest
from osis_document_client import Client, ClientConfig
from tests.support import files
from tests.support.downloads import download
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, store, token_for

SIZE = 3 * MEBIBYTE + 7
CONTENT = files.pdf_of_size(SIZE, seed=11)


@pytest.fixture(scope="module")
def document(alpha):
    return store(alpha, CONTENT, "scan.pdf")


@pytest.fixture(scope="module")
def token(alpha, document):
    return token_for(alpha, document.id)


def test_the_header_describes_the_document_and_the_whole_range(alpha, document, token):
    received = download(alpha, token)

    assert received.header.document == document
    assert received.header.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert received.header.mime_type == "application/pdf"
    assert received.header.for_modified is False
    assert (received.header.range.start, received.header.range.end, received.header.range.complete_size) == (0, SIZE, SIZE)


def test_the_whole_content_arrives_in_blocks_of_at_most_a_mebibyte(alpha, token):
    received = download(alpha, token)

    assert received.data == CONTENT
    assert [len(block) for block in received.blocks] == [MEBIBYTE, MEBIBYTE, MEBIBYTE, 7]


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        pytest.param(0, 10, slice(0, 10), id="start"),
        pytest.param(0, 1, slice(0, 1), id="first-byte"),
        pytest.param(5, MEBIBYTE, slice(5, MEBIBYTE + 5), id="across-a-block"),
        pytest.param(MEBIBYTE - 1, 2, slice(MEBIBYTE - 1, MEBIBYTE + 1), id="around-a-boundary"),
        pytest.param(MEBIBYTE, MEBIBYTE, slice(MEBIBYTE, 2 * MEBIBYTE), id="one-block"),
        pytest.param(MEBIBYTE - 3, 2 * MEBIBYTE + 6, slice(MEBIBYTE - 3, 3 * MEBIBYTE + 3), id="across-three-blocks"),
        pytest.param(1_500_000, 0, slice(1_500_000, None), id="middle-to-end"),
        pytest.param(SIZE - 1, 0, slice(SIZE - 1, None), id="last-byte"),
        pytest.param(SIZE - 10, 10_000, slice(SIZE - 10, None), id="limit-beyond-the-end"),
        pytest.param(3 * MEBIBYTE, 1 << 62, slice(3 * MEBIBYTE, None), id="limit-far-beyond-the-end"),
        pytest.param(-1, 0, slice(-1, None), id="last-byte-from-the-end"),
        pytest.param(-20, 5, slice(SIZE - 20, SIZE - 15), id="before-the-end-with-limit"),
        pytest.param(-MEBIBYTE, 0, slice(-MEBIBYTE, None), id="last-mebibyte"),
        pytest.param(-SIZE, 0, slice(0, None), id="as-long-as-the-file"),
        pytest.param(-10 * SIZE, 0, slice(0, None), id="longer-than-the-file"),
    ],
)
def test_a_range_holds_just_the_bytes_that_were_asked_for(alpha, token, offset, limit, expected):
    received = download(alpha, token, read_offset=offset, read_limit=limit)
    start, end, _ = expected.indices(SIZE)

    assert received.refusal is None
    assert received.data == CONTENT[expected]
    assert (received.header.range.start, received.header.range.end, received.header.range.complete_size) == (start, end, SIZE)
    assert received.header.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("offset", [SIZE, SIZE + 1, 1 << 62])
def test_a_range_that_starts_at_or_behind_the_end_is_refused(alpha, token, offset):
    received = download(alpha, token, read_offset=offset)

    assert received.header is None
    assert received.refusal.reason == "RANGE_NOT_SATISFIABLE"
    assert received.refusal.metadata["read_offset"] == str(offset)
    assert received.refusal.metadata["complete_size"] == str(SIZE)


def test_a_negative_limit_is_refused(alpha, token):
    refusal = download(alpha, token, read_limit=-1).refusal

    assert refusal.reason == "ARGUMENT_INVALID"
    assert "read_limit" in refusal.fields


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_content_that_is_as_expected_is_read(alpha, token, spelling):
    expected = spelling(hashlib.sha256(CONTENT).hexdigest())

    assert download(alpha, token, read_offset=-9, expected_sha256=expected).data == CONTENT[-9:]


def test_content_that_is_not_as_expected_is_not_read(alpha, token):
    received = download(alpha, token, expected_sha256="0" * 64)

    assert received.header is None
    assert received.refusal.reason == "CONTENT_CHANGED"
    assert received.refusal.metadata["expected_sha256"] == "0" * 64
    assert received.refusal.metadata["sha256"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("text", ["0" * 63, "g" * 64, "sha256:" + "0" * 64])
def test_what_is_no_sha256_is_not_compared_with_one(alpha, token, text):
    refusal = download(alpha, token, expected_sha256=text).refusal

    assert refusal.reason == "ARGUMENT_INVALID"
    assert "expected_sha256" in refusal.fields


def test_a_document_of_one_byte_is_read(alpha):
    document = store(alpha, b"x")

    assert download(alpha, token_for(alpha, document.id)).data == b"x"
    assert download(alpha, token_for(alpha, document.id), read_offset=1).refusal.reason == "RANGE_NOT_SATISFIABLE"


def test_a_reader_that_takes_nothing_is_cancelled_and_may_go_on(tmp_path):
    content = files.pdf_of_size(24 * MEBIBYTE)
    with serving(tmp_path / "impatient", STREAM_IDLE_SECONDS="1") as impatient:
        stubs = impatient.stubs()
        token = token_for(stubs, store(stubs, content, "scan.pdf").id)
        call = stubs.downloads.Download(DownloadRequest(token=token))
        first = [next(call), next(call)][1].data
        impatient.wait_for_output(r"DownloadService/Download .*code=CANCELLED", seconds=20)

        received = [first]
        try:
            received.extend(message.data for message in call)
            code = grpc.StatusCode.OK
        except grpc.RpcError as exc:
            code = exc.code()

        got = b"".join(received)
        assert code == grpc.StatusCode.CANCELLED
        assert content.startswith(got)
        assert got + download(stubs, token, read_offset=len(got)).data == content


def test_the_client_library_reads_into_a_file_by_the_token_alone(server, token, tmp_path):
    with Client(ClientConfig(target=server.target)) as client:
        header = client.download(token, tmp_path / "copy.pdf")

    assert (tmp_path / "copy.pdf").read_bytes() == CONTENT
    assert header.sha256 == hashlib.sha256(CONTENT).hexdigest()
