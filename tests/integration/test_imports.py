"""Bringing existing documents over, with an admin's key."""

import hashlib

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from osis.document.v1.document_pb2 import DocumentStatus
from osis.document.v1.upload_service_pb2 import ImportSpec
from tests.support.documents import get
from tests.support.refusals import expect_refusal
from tests.support.uploads import messages, new_id, spec

THEN = Timestamp(seconds=1_500_000_000)


@pytest.fixture
def admin(server):
    return server.stubs("admin")


def test_an_imported_document_keeps_its_id_times_status_and_path(admin):
    imported = ImportSpec(status=DocumentStatus.DOCUMENT_STATUS_DELETED, path="old/", upload_time=THEN, update_time=THEN)
    upload_spec = spec("note.txt", imported=imported)

    result = admin.uploads.WriteUpload(messages(upload_spec, b"content")).result

    document = get(admin, upload_spec.upload_id)
    assert document == result.document
    assert (document.status, document.path) == (DocumentStatus.DOCUMENT_STATUS_DELETED, "old/note.txt")
    assert (document.upload_time, document.update_time) == (THEN, THEN)
    assert result.write_token == "", "it needs no confirmation"


def test_an_imported_modified_copy_lies_beside_its_original(admin):
    original = spec("note.txt", imported=ImportSpec(path="old/note.txt"))
    admin.uploads.WriteUpload(messages(original, b"content"))
    copy = spec("note.txt", imported=ImportSpec(modified_copy_of=original.upload_id, upload_time=THEN))

    admin.uploads.WriteUpload(messages(copy, b"edited"))

    document = get(admin, original.upload_id)
    assert document.sha256 == hashlib.sha256(b"content").hexdigest()
    assert document.modified.sha256 == hashlib.sha256(b"edited").hexdigest()
    assert document.modified.create_time == THEN


def test_a_copy_of_nothing_is_refused_and_not_kept(admin, server):
    copy = spec("note.txt", imported=ImportSpec(modified_copy_of=new_id()))
    blobs = server.rows("blob")

    expect_refusal("DOCUMENT_NOT_FOUND", admin.uploads.WriteUpload, messages(copy, b"edited"))

    assert server.rows("blob") == blobs


def test_only_admins_import(alpha):
    refusal = expect_refusal("ROLE_NOT_ALLOWED", alpha.uploads.WriteUpload, messages(spec(imported=ImportSpec()), b"content"))

    assert refusal.metadata["needed"] == "admin"
