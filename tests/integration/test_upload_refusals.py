"""Uploads that are refused: the reason is told, and nothing stays."""

import hashlib

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct

from osis.document.v1.upload_service_pb2 import UploadSpec, WriteUploadRequest
from tests.support import files
from tests.support.downloads import download
from tests.support.refusals import expect_refusal
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, messages, new_id, spec, upload
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    """A server of this file alone: on the shared one, jobs and removals of other tests may end meanwhile."""
    with serving(tmp_path_factory.mktemp("refusing")) as running:
        yield running


@pytest.fixture(scope="module")
def alpha(server):
    return server.stubs("alpha")


@pytest.fixture(autouse=True)
def nothing_stays(server):
    """After each refusal, the stored files and the rows that name them are those that were there before."""
    before, rows_before = server.blob_files().keys(), server.rows("blob")
    yield
    wait_until(lambda: server.blob_files().keys() == before, "the blobs are as before")
    assert server.rows("blob") == rows_before


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="dots"),
        pytest.param("../x.pdf", id="parent"),
        pytest.param("/etc/x.pdf", id="absolute"),
        pytest.param("a/b.pdf", id="slash"),
        pytest.param("a\\b.pdf", id="backslash"),
        pytest.param("a\0.pdf", id="nul"),
        pytest.param("a\r\nSet-Cookie: b.pdf", id="crlf"),
        pytest.param("a\n.pdf", id="newline"),
        pytest.param("a\t.pdf", id="tab"),
        pytest.param("a\x1b[31m.pdf", id="escape"),
        pytest.param("a\x7f.pdf", id="delete"),
        pytest.param("a\x85.pdf", id="c1-control"),
        pytest.param("x" * 296 + ".pdf", id="300-characters"),
        pytest.param("x" * 252 + ".pdf", id="256-characters"),
    ],
)
def test_a_name_that_is_no_file_name_is_refused(alpha, name):
    refusal = expect_refusal("NAME_INVALID", alpha.uploads.WriteUpload, messages(spec(name), files.pdf("text")))

    assert "problem" in refusal.metadata


def test_a_name_that_is_no_unicode_is_refused(server, alpha):
    surrogate = b"\xed\xa0\x80.pdf"
    upload_id = new_id()
    raw_spec = UploadSpec(upload_id=upload_id).SerializeToString() + b"\x12" + bytes([len(surrogate)]) + surrogate
    message = (
        b"\x0a" + bytes([len(raw_spec)]) + raw_spec + WriteUploadRequest(data=b"text", finish_write=True).SerializeToString()
    )
    write = server.stubs("alpha").channel.stream_unary("/osis.document.v1.UploadService/WriteUpload")

    with pytest.raises(grpc.RpcError):
        write(iter([message]))

    expect_refusal("UPLOAD_NOT_FOUND", alpha.uploads.WriteUpload, messages(upload_id, b"text"))


@pytest.mark.parametrize("name", ["tool.exe", "page.html", "image.svg", "invoice.pdf.exe", "noextension", "dot."])
def test_an_extension_that_is_not_on_the_list_is_refused(alpha, name):
    refusal = expect_refusal("EXTENSION_NOT_ALLOWED", alpha.uploads.WriteUpload, messages(spec(name), b"content"))

    assert set(refusal.metadata["allowed"].split()) == {"pdf", "txt", "docx", "doc", "odt", "png", "jpg"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("page.pdf", b"<!DOCTYPE html><html><script>alert(1)</script></html>", id="html-as-pdf"),
        pytest.param("letter.docx", files.archive(readme=b"just a zip"), id="zip-as-docx"),
        pytest.param("letter.odt", files.docx("a docx"), id="docx-as-odt"),
        pytest.param("image.png", b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\0>\0\x01\0\0\0" + b"\0" * 200, id="elf-as-png"),
        pytest.param("image.png", files.turned_jpeg(), id="jpeg-as-png"),
        pytest.param("photo.jpg", files.png(), id="png-as-jpeg"),
        pytest.param("image.png", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', id="svg-as-png"),
        pytest.param("note.txt", files.pdf("a pdf"), id="pdf-as-txt"),
        pytest.param("note.txt", bytes(range(256)) * 8, id="binary-as-txt"),
        pytest.param("form.pdf", b"plain words", id="txt-as-pdf"),
        pytest.param("form.pdf", b"%PDF-1.4\n<html><body><script>alert(1)</script></body></html>", id="html-behind-a-pdf-header"),
        pytest.param("letter.doc", files.docx("a docx"), id="docx-as-doc"),
    ],
)
def test_content_that_is_not_what_the_name_says_is_refused(alpha, name, content):
    refusal = expect_refusal("MIME_MISMATCH", alpha.uploads.WriteUpload, messages(spec(name), content))

    assert refusal.metadata["extension"] == name.rpartition(".")[2]
    assert refusal.metadata["detected"]


def test_another_sha256_than_declared_is_refused_with_both(alpha):
    other = hashlib.sha256(b"other").hexdigest()

    refusal = expect_refusal("HASH_MISMATCH", alpha.uploads.WriteUpload, messages(spec(), b"content", sha256=other))

    assert refusal.metadata["declared_sha256"] == other
    assert refusal.metadata["received_sha256"] == hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize("declared", [6, 8])
def test_another_length_than_declared_is_refused_with_both(alpha, declared):
    refusal = expect_refusal("SIZE_MISMATCH", alpha.uploads.WriteUpload, messages(spec(size_bytes=declared), b"content"))

    assert refusal.metadata["declared_bytes"] == str(declared)


def test_more_bytes_than_declared_are_refused_long_before_the_end(alpha):
    taken = []

    def endless(upload_spec):
        for number in range(400):
            taken.append(number)
            message = WriteUploadRequest(write_offset=number * MEBIBYTE, data=b"a" * MEBIBYTE)
            if number == 0:
                message.upload_spec.CopyFrom(upload_spec)
            yield message

    expect_refusal("SIZE_MISMATCH", alpha.uploads.WriteUpload, endless(spec(size_bytes=2 * MEBIBYTE)))

    assert len(taken) < 200


@pytest.mark.parametrize("declared", [{}, {"size_bytes": 0}])
def test_an_empty_file_is_refused(alpha, declared):
    refusal = expect_refusal("EMPTY_FILE", alpha.uploads.WriteUpload, messages(spec(**declared), b""))

    assert refusal.metadata == {"name": "note.txt"}


@pytest.mark.parametrize("upload_id", ["", "42", "../../../../etc/passwd", "x" * 36])
def test_an_upload_id_that_is_no_uuid_is_refused_by_the_fields_name(alpha, upload_id):
    refusal = expect_refusal("ARGUMENT_INVALID", alpha.uploads.WriteUpload, messages(spec(upload_id=upload_id), b"content"))

    assert "upload_spec.upload_id" in refusal.fields


def test_an_upload_that_was_never_started_cannot_be_continued(alpha):
    upload_id = new_id()

    refusal = expect_refusal("UPLOAD_NOT_FOUND", alpha.uploads.WriteUpload, messages(upload_id, b"content"))

    assert refusal.metadata == {"upload_id": upload_id}


def test_a_stream_that_names_no_upload_is_refused(alpha):
    expect_refusal("ARGUMENT_INVALID", alpha.uploads.WriteUpload, iter([WriteUploadRequest(data=b"content", finish_write=True)]))


def test_a_stream_without_any_message_is_refused(alpha):
    expect_refusal("ARGUMENT_INVALID", alpha.uploads.WriteUpload, iter([]))


def test_a_spec_after_the_first_message_is_refused(alpha):
    upload_spec = spec()
    stream = [
        WriteUploadRequest(upload_spec=upload_spec, data=b"one"),
        WriteUploadRequest(upload_spec=upload_spec, write_offset=3, data=b"two", finish_write=True),
    ]

    expect_refusal("ARGUMENT_INVALID", alpha.uploads.WriteUpload, iter(stream))


def test_a_negative_offset_is_refused(alpha):
    stream = [WriteUploadRequest(upload_spec=spec(), write_offset=-1, data=b"content", finish_write=True)]

    expect_refusal("ARGUMENT_INVALID", alpha.uploads.WriteUpload, iter(stream))


@pytest.mark.parametrize("first", [0, 100])
def test_bytes_beyond_those_received_are_a_gap(alpha, first):
    stream = [
        WriteUploadRequest(upload_spec=spec(), write_offset=0, data=b"a" * first),
        WriteUploadRequest(write_offset=first + 1, data=b"b", finish_write=True),
    ]

    refusal = expect_refusal("OFFSET_GAP", alpha.uploads.WriteUpload, iter(stream))

    assert refusal.metadata["write_offset"] == str(first + 1)


def _metadata(**values):
    struct = Struct()
    struct.update(values)
    return struct


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(_metadata(text="x" * 66_000), id="too-large"),
        pytest.param(_metadata(number=float("nan")), id="nan"),
        pytest.param(_metadata(nested={"list": [float("inf")]}), id="infinite"),
    ],
)
def test_keys_of_the_users_that_cannot_be_kept_are_refused(alpha, metadata):
    expect_refusal("METADATA_INVALID", alpha.uploads.WriteUpload, messages(spec(metadata=metadata), b"content"))


def test_a_lease_is_for_worker_keys_only(alpha):
    refusal = expect_refusal("ROLE_NOT_ALLOWED", alpha.uploads.WriteUpload, messages(spec(lease_id=new_id()), b"content"))

    assert refusal.metadata["needed"] == "worker"


@pytest.fixture(scope="module")
def small_server(tmp_path_factory):
    """A server that takes one mebibyte, and only PDFs and texts."""
    with serving(tmp_path_factory.mktemp("small"), MAX_UPLOAD_SIZE=str(MEBIBYTE), ALLOWED_EXTENSIONS="pdf, txt") as running:
        yield running


@pytest.fixture(scope="module")
def small(small_server):
    return small_server.stubs()


def test_a_file_as_large_as_the_limit_is_taken(small):
    assert upload(small, files.text_of_size(MEBIBYTE)).document.size_bytes == MEBIBYTE


def test_a_file_one_byte_above_the_limit_is_refused(small, small_server):
    before = small_server.blob_files().keys()

    refusal = expect_refusal("FILE_TOO_LARGE", small.uploads.WriteUpload, messages(spec(), files.text_of_size(MEBIBYTE + 1)))

    assert refusal.metadata["limit_bytes"] == str(MEBIBYTE)
    wait_until(lambda: small_server.blob_files().keys() == before, "nothing stays")


@pytest.mark.slow
def test_a_declared_length_above_the_limit_is_refused_before_any_byte_is_sent(small):
    refusal = expect_refusal(
        "FILE_TOO_LARGE", small.uploads.WriteUpload, iter([WriteUploadRequest(upload_spec=spec(size_bytes=MEBIBYTE + 1))])
    )

    assert refusal.metadata == {"limit_bytes": str(MEBIBYTE), "size_bytes": str(MEBIBYTE + 1)}


def test_a_file_above_the_limit_is_refused_while_it_is_streaming(small, small_server):
    taken = []

    def endless():
        for number in range(400):
            taken.append(number)
            message = WriteUploadRequest(write_offset=number * MEBIBYTE, data=b"a" * MEBIBYTE)
            if number == 0:
                message.upload_spec.CopyFrom(spec())
            yield message

    expect_refusal("FILE_TOO_LARGE", small.uploads.WriteUpload, endless())

    assert len(taken) < 200
    wait_until(lambda: not any("." in name for name in small_server.blob_files()), "no unfinished file stays")


def test_the_list_of_extensions_is_the_one_that_is_set(small):
    refusal = expect_refusal("EXTENSION_NOT_ALLOWED", small.uploads.WriteUpload, messages(spec("image.png"), files.png()))

    assert set(refusal.metadata["allowed"].split()) == {"pdf", "txt"}


def test_a_refused_upload_may_be_sent_again_under_its_id(small):
    upload_spec = spec()
    expect_refusal("HASH_MISMATCH", small.uploads.WriteUpload, messages(upload_spec, b"content", sha256="0" * 64))
    expect_refusal("EMPTY_FILE", small.uploads.WriteUpload, messages(upload_spec, b""))

    result = small.uploads.WriteUpload(messages(upload_spec, b"content")).result

    assert result.document.id == upload_spec.upload_id
    assert download(small, result.write_token).data == b"content"
