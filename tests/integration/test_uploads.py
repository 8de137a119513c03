"""Uploads that succeed: every byte arrives, whatever the messages' sizes, and repeating one changes nothing."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from google.protobuf.struct_pb2 import Struct

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.upload_service_pb2 import WriteUploadRequest
from tests.support import files
from tests.support.downloads import download
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.uploads import MEBIBYTE, confirm, messages, new_id, spec, upload

KIBIBYTE = 1024


@pytest.mark.parametrize("size", [1, 63, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 3 * MEBIBYTE + 7])
@pytest.mark.parametrize("chunk", [256 * KIBIBYTE, MEBIBYTE, MEBIBYTE + 13, 3 * MEBIBYTE])
def test_a_file_of_any_size_in_messages_of_any_size_comes_back_byte_for_byte(alpha, size, chunk):
    content = files.pdf_of_size(size) if size > 100 else files.text_of_size(size)
    name = "scan.pdf" if size > 100 else "note.txt"

    result = alpha.uploads.WriteUpload(messages(spec(name), content, chunk=chunk)).result

    assert result.document.size_bytes == size
    assert result.document.sha256 == hashlib.sha256(content).hexdigest()
    assert download(alpha, result.write_token).data == content


def test_a_file_sent_byte_by_byte_comes_back_byte_for_byte(alpha):
    content = files.pdf_of_size(2500)

    result = alpha.uploads.WriteUpload(messages(spec("scan.pdf"), content, chunk=1)).result

    assert download(alpha, result.write_token).data == content


def test_messages_without_data_may_begin_and_finish_an_upload(alpha):
    stream = [
        WriteUploadRequest(upload_spec=spec()),
        WriteUploadRequest(write_offset=0, data=b"two "),
        WriteUploadRequest(write_offset=4, data=b"parts"),
        WriteUploadRequest(write_offset=9, finish_write=True),
    ]

    result = alpha.uploads.WriteUpload(iter(stream)).result

    assert download(alpha, result.write_token).data == b"two parts"


def test_a_finished_upload_is_a_document_that_waits_to_be_confirmed(alpha):
    upload_id = new_id()
    result = upload(alpha, b"content", "note.txt", upload_id=upload_id)

    assert result.document.id == upload_id
    assert result.document.status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    assert result.document.revision == 0
    assert result.document.client == "alpha"
    assert result.document.path == ""


def test_a_declared_length_and_a_declared_sha256_that_are_right_are_accepted(alpha):
    content = files.text_of_size(5000)
    declared = spec(size_bytes=len(content))

    result = alpha.uploads.WriteUpload(messages(declared, content, sha256=hashlib.sha256(content).hexdigest())).result

    assert result.document.size_bytes == len(content)


def test_a_sha256_may_be_written_in_capitals(alpha):
    result = alpha.uploads.WriteUpload(messages(spec(), b"content", sha256=hashlib.sha256(b"content").hexdigest().upper())).result

    assert result.document.sha256 == hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".txt", "été.txt", "ملف.txt", "📄.txt", "a b;c&d'e\".txt", "NOTE.TXT", "..a.txt", ".txt.txt"]
)
def test_names_that_people_give_are_kept_as_they_are(alpha, name):
    assert upload(alpha, b"content", name).document.name == name


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("photo.jpg", files.turned_jpeg(), "image/jpeg"),
        ("photo.jpeg", files.turned_jpeg(), "image/jpeg"),
        ("PHOTO.JPG", files.turned_jpeg(), "image/jpeg"),
        ("image.png", files.png(), "image/png"),
        ("form.pdf", files.pdf("text"), "application/pdf"),
        ("letter.docx", files.docx("text"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("table.txt", b"a,b\n1,2\n", "text/plain"),
        ("program.txt", b"#!/bin/sh\necho hello\n", "text/plain"),
        ("latin.txt", "élève".encode("latin-1"), "text/plain"),
        ("wide.txt", "élève".encode("utf-16"), "text/plain"),
    ],
)
def test_the_type_is_found_in_the_content_and_agrees_with_the_name(alpha, name, content, mime_type):
    assert upload(alpha, content, name).document.mime_type == mime_type


def test_the_users_own_keys_come_back_with_whole_numbers_whole(alpha):
    metadata = Struct()
    metadata.update({"name": "mine", "year": 2026, "rate": 0.5, "tags": ["a", None, True], "nested": {"id": "x"}})

    document = confirm(alpha, upload(alpha, b"content", metadata=metadata).write_token)

    assert document.metadata == metadata
    assert document.name == "note.txt"


def test_keys_given_at_confirmation_are_added_to_those_given_at_upload(alpha):
    first, second = Struct(), Struct()
    first.update({"a": 1, "b": 2})
    second.update({"b": 3, "c": 4})

    document = confirm(alpha, upload(alpha, b"content", metadata=first).write_token, metadata=second)

    assert dict(document.metadata) == {"a": 1, "b": 3, "c": 4}


def test_bytes_that_were_received_already_are_skipped(alpha):
    content = files.text_of_size(1000)
    stream = [
        WriteUploadRequest(upload_spec=spec(), write_offset=0, data=content[:600]),
        WriteUploadRequest(write_offset=0, data=content[:100]),
        WriteUploadRequest(write_offset=400, data=content[400:800]),
        WriteUploadRequest(write_offset=800, data=content[800:], finish_write=True),
    ]

    result = alpha.uploads.WriteUpload(iter(stream)).result

    assert download(alpha, result.write_token).data == content


def test_repeating_a_finished_upload_answers_the_same_document_and_a_fresh_token(alpha, server):
    upload_spec, content = spec(), files.text_of_size(3000)
    first = alpha.uploads.WriteUpload(messages(upload_spec, content)).result
    files_before = server.blob_files().keys()

    second = alpha.uploads.WriteUpload(messages(upload_spec, content)).result

    assert second.document == first.document
    assert second.write_token not in {"", first.write_token}
    assert download(alpha, second.write_token).data == content
    assert server.blob_files().keys() == files_before


def test_writing_to_a_finished_upload_by_its_id_answers_its_result(alpha):
    result = upload(alpha, b"content")

    again = alpha.uploads.WriteUpload(iter([WriteUploadRequest(upload_id=result.document.id, write_offset=7, finish_write=True)]))

    assert again.result.document == result.document


@pytest.mark.parametrize("other", [b"con", b"context", b"contents"], ids=["shorter", "as long", "longer"])
def test_another_file_under_the_id_of_a_finished_upload_is_refused(alpha, other):
    upload_spec = spec()
    first = alpha.uploads.WriteUpload(messages(upload_spec, b"content")).result

    expect_refusal("UPLOAD_SPEC_CONFLICT", alpha.uploads.WriteUpload, messages(upload_spec, other))

    assert download(alpha, first.write_token).data == b"content"


def test_repeating_a_confirmed_upload_answers_the_document_without_a_token(alpha):
    upload_spec = spec()
    first = alpha.uploads.WriteUpload(messages(upload_spec, b"content")).result
    confirmed = confirm(alpha, first.write_token)

    second = alpha.uploads.WriteUpload(messages(upload_spec, b"content")).result

    assert second.document == confirmed
    assert second.write_token == ""


def test_an_upload_id_of_another_client_is_taken(alpha, beta):
    upload_spec = spec()
    alpha.uploads.WriteUpload(messages(upload_spec, b"content"))

    refusal = expect_refusal("UPLOAD_ID_TAKEN", beta.uploads.WriteUpload, messages(upload_spec, b"content"))

    assert refusal.metadata == {"upload_id": upload_spec.upload_id}


@pytest.mark.parametrize(("field", "value"), [("name", "other.txt"), ("size_bytes", 8)])
def test_an_upload_id_that_was_used_with_another_spec_conflicts(alpha, field, value):
    first = spec(size_bytes=7)
    alpha.uploads.WriteUpload(messages(first, b"content"))
    second = type(first).FromString(first.SerializeToString())
    setattr(second, field, value)

    refusal = expect_refusal("UPLOAD_SPEC_CONFLICT", alpha.uploads.WriteUpload, messages(second, b"content"))

    assert refusal.metadata == {"upload_id": first.upload_id, "field": f"upload_spec.{field}"}


def test_an_interrupted_upload_may_be_sent_again_under_its_id(alpha):
    upload_spec, content = spec(), files.text_of_size(5000)
    alpha.uploads.WriteUpload(messages(upload_spec, content[:2000], finish=False))

    result = alpha.uploads.WriteUpload(messages(upload_spec, content)).result

    assert result.document.id == upload_spec.upload_id
    assert download(alpha, result.write_token).data == content


def test_two_streams_at_once_with_one_id_make_one_document(alpha, server):
    upload_spec, content = spec("scan.pdf"), files.pdf_of_size(3 * MEBIBYTE + 7, seed=5)
    both_are_under_way = Barrier(2)
    files_before = server.blob_files().keys()

    def send():
        for number, message in enumerate(messages(upload_spec, content, chunk=MEBIBYTE)):
            if number == 2:
                both_are_under_way.wait(20)
            yield message

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(alpha.uploads.WriteUpload, send()) for _ in range(2)]
        errors = [call.exception() for call in calls]

    assert errors.count(None) >= 1, "the newest writer finishes"
    assert {refusal_of(error).reason for error in errors if error} <= {"WRITER_SUPERSEDED"}
    for call in calls:
        if not call.exception():
            assert call.result().result.document.id == upload_spec.upload_id
            assert call.result().result.document.sha256 == hashlib.sha256(content).hexdigest()
            assert download(alpha, call.result().result.write_token).data == content
    assert len(server.blob_files().keys() - files_before) == 1


def test_many_uploads_at_once_keep_their_bytes_apart(alpha):
    contents = [files.pdf_of_size(400_000 + number, seed=number) for number in range(12)]

    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda content: upload(alpha, content, "scan.pdf"), contents))

    assert [download(alpha, result.write_token).data == content for result, content in zip(results, contents, strict=True)] == [
        True
    ] * 12


def test_what_is_no_sha256_is_refused_as_such_and_the_bytes_stay_to_be_finished(alpha):
    upload_spec = spec()

    refusal = expect_refusal("ARGUMENT_INVALID", alpha.uploads.WriteUpload, messages(upload_spec, b"content", sha256="0" * 63))

    assert "sha256" in refusal.fields
    digest = hashlib.sha256(b"content").hexdigest().upper()
    assert alpha.uploads.WriteUpload(messages(upload_spec, b"content", sha256=digest)).result.document.size_bytes == 7
