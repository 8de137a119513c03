"""What is removed when its time is over, and what stays."""

import contextlib

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from osis.document.v1.document_pb2 import ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest, Hold
from tests.support.documents import get
from tests.support.refusals import expect_refusal, refusal_of
from tests.support.server import serving
from tests.support.uploads import confirm, store, upload
from tests.support.waiting import wait_until

SECONDS = 5


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """A server where all that has a time has it for a second."""
    folder = tmp_path_factory.mktemp("forgetful")
    ages = {"TEMP_UPLOAD_MAX_AGE": "1", "EXPORT_EXPIRATION_POLICY_AGE": "1", "BLOB_GRACE_SECONDS": "0"}
    with serving(folder, SWEEP_SECONDS="0.2", **ages) as running:
        yield running


@pytest.fixture(scope="module")
def stubs(forgetful):
    return forgetful.stubs()


def is_gone(stubs, document_id):
    try:
        get(stubs, document_id)
    except grpc.RpcError as exc:
        return refusal_of(exc).reason == "DOCUMENT_NOT_FOUND"
    return False


def contents_of(server):
    found = set()
    for path in server.blob_files().values():
        with contextlib.suppress(FileNotFoundError):  # removed just now
            found.add(path.read_bytes())
    return found


def test_an_upload_that_nobody_confirms_is_removed_with_its_bytes_and_a_confirmed_one_stays(forgetful, stubs):
    kept = store(stubs, b"bytes to be kept")
    gone = upload(stubs, b"bytes to be removed")

    wait_until(lambda: is_gone(stubs, gone.document.id), "the upload is removed", seconds=SECONDS)

    wait_until(lambda: b"bytes to be removed" not in contents_of(forgetful), "its bytes are removed", seconds=SECONDS)
    assert b"bytes to be kept" in contents_of(forgetful)
    assert get(stubs, kept.id) == kept
    expect_refusal("DOCUMENT_NOT_FOUND", confirm, stubs, gone.write_token)


def test_a_held_document_is_removed_when_its_hold_ends(stubs):
    request = ConfirmUploadsRequest(
        uploads=[ConfirmUpload(token=upload(stubs, b"held").write_token)], hold=Hold(duration=Duration(seconds=1))
    )
    [held] = stubs.documents.ConfirmUploads(request).documents

    wait_until(lambda: is_gone(stubs, held.id), "the held document is removed", seconds=SECONDS)


def test_an_export_is_removed_when_it_expires(stubs):
    policy = ExpirationPolicy.EXPIRATION_POLICY_EXPORT
    export = confirm(stubs, upload(stubs, b"export").write_token, expiration_policy=policy)

    wait_until(lambda: is_gone(stubs, export.id), "the export is removed", seconds=SECONDS)
