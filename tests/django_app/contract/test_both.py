"""What the fake for hosts' tests does is what a service does: one set of tests for both."""

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from osis.document.v1.document_pb2 import DocumentStatus, ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, DocumentOrder, DuplicateDocument, Hold
from osis.document.v1.post_processing_pb2 import PostProcessingState, PostProcessingType
from osis.document.v1.post_processing_service_pb2 import GetPostProcessingRequest
from osis.document.v1.token_service_pb2 import CreateTokenRequest, TokenPurpose, WantedPostProcess
from osis.document.v1.upload_service_pb2 import (
    CancelUploadRequest,
    GetUploadStatusRequest,
    StartUploadRequest,
    UploadSpec,
    WriteUploadRequest,
)
from osis_document.contrib.identifiers import statement_of
from osis_document.gateway.write_stream import WriteStream
from osis_document_client import (
    AlreadyConfirmed,
    ArgumentInvalid,
    BatchFailed,
    BatchTooLarge,
    Client,
    ContentChanged,
    DeadlineExceeded,
    DocumentCorrupt,
    DocumentDeleted,
    DocumentInfected,
    DocumentNotConfirmed,
    DocumentNotFound,
    EmptyFile,
    ExtensionNotAllowed,
    FileTooLarge,
    HashMismatch,
    MergeInputNotPdf,
    MetadataInvalid,
    MimeMismatch,
    ModifiedCopyNotFound,
    NameInvalid,
    NotAnImage,
    NotAPdf,
    OffsetGap,
    PathInvalid,
    PostProcessingFailed,
    PostProcessingNotFound,
    RangeNotSatisfiable,
    RequestIdConflict,
    ServiceError,
    SizeMismatch,
    TokenExpired,
    TokenInvalid,
    TokenSpent,
    TokenWrongPurpose,
    UploadIdTaken,
    UploadNotFound,
    UploadSpecConflict,
    convert,
    error_for_item,
    from_struct,
    merge,
)
from tests.django_app.contract.conftest import MAX_UPLOAD_BYTES, Side, storing
from tests.support import files
from tests.support.files import page_texts
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.without_service, pytest.mark.one_database]

Upload = Callable[..., Any]

UPLOADED = DocumentStatus.DOCUMENT_STATUS_UPLOADED
DELETED = DocumentStatus.DOCUMENT_STATUS_DELETED
INFECTED = DocumentStatus.DOCUMENT_STATUS_INFECTED


def read(client: Client, token: str, **where: Any) -> bytes:
    """The bytes that a token reads."""
    with client.open_download(token, **where) as download:
        return b"".join(download)


def token_of(client: Client, document_id: str, **wanted: Any) -> str:
    """A token."""
    return client.create_token(document_id, **wanted).token.token


def refusals(results: Any) -> list[type[ServiceError] | None]:
    """What became of each item of a batch: the kind of error, or None."""
    return [type(each) if isinstance(each, ServiceError) else None for each in results]


# ---- uploads ----------------------------------------------------------------------------------------------------------------


def test_an_upload_is_a_document_that_waits_for_its_confirmation(client: Client) -> None:
    chosen = str(uuid.uuid4())
    result = client.upload(
        io.BytesIO(b"Dear all"), name="cafe\u0301.txt", upload_id=chosen, metadata={"year": 2026, "tags": ["a", None]}
    )
    document = result.document
    assert (document.id, document.name, document.mime_type, document.size_bytes) == (chosen, "caf\xe9.txt", "text/plain", 8)
    assert document.sha256 == sha256(b"Dear all").hexdigest()
    assert document.status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    assert (document.revision, document.path, from_struct(document.metadata)) == (0, "", {"year": 2026, "tags": ["a", None]})
    assert client.get_document(token=result.write_token) == document
    assert read(client, result.write_token) == b"Dear all"
    said = statement_of(result.write_token)
    assert said is not None
    assert (str(said.document_id), said.purpose, said.is_expired) == (chosen, "upload", False)
    assert said.expires_at == result.write_token_expire_time.ToSeconds()
    again = client.upload(io.BytesIO(b"Dear all"), name="cafe\u0301.txt", upload_id=chosen)
    assert again.document == document
    assert again.write_token != result.write_token


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.txt", b"\xc3\xa9t\xc3\xa9", "text/plain"),
        ("a.txt", b"\xe9t\xe9", "text/plain"),
        ("a.txt", b"<html><body>A page</body></html>", "text/plain"),
        ("a.pdf", files.pdf("x"), "application/pdf"),
        ("a.PNG", files.png(), "image/png"),
        ("a.jpeg", files.turned_jpeg(), "image/jpeg"),
        ("a.docx", files.docx("x"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_the_kind_of_a_file_is_found_by_looking_at_it(upload: Upload, name: str, content: bytes, kind: str) -> None:
    assert upload(content, name).document.mime_type == kind


@pytest.mark.parametrize(
    ("error", "name", "content", "keys"),
    [
        (EmptyFile, "a.txt", b"", {"name"}),
        (FileTooLarge, "a.txt", b"x" * (MAX_UPLOAD_BYTES + 1), {"limit_bytes", "size_bytes"}),
        (ExtensionNotAllowed, "a.exe", b"MZ", {"extension", "allowed"}),
        (ExtensionNotAllowed, "readme", b"x", {"extension", "allowed"}),
        (NameInvalid, "a/b.txt", b"x", {"name"}),
        (NameInvalid, "a\x07.txt", b"x", {"name"}),
        (NameInvalid, f"{'a' * 252}.txt", b"x", {"name"}),
        (MimeMismatch, "a.pdf", b"no PDF", {"extension", "detected"}),
        (MimeMismatch, "a.png", files.pdf("x"), {"extension", "detected"}),
        (MimeMismatch, "a.txt", files.png(), {"extension", "detected"}),
        (MimeMismatch, "a.pdf", b"<html><body>A page</body></html>", {"extension", "detected"}),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused_and_nothing_stays(
    client: Client, upload: Upload, error: type[ServiceError], name: str, content: bytes, keys: set[str]
) -> None:
    chosen = str(uuid.uuid4())
    with pytest.raises(error) as caught:
        upload(content, name, upload_id=chosen, resume=False)
    assert keys <= caught.value.metadata.keys()
    with pytest.raises(UploadNotFound):
        client.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=chosen))


def test_metadata_that_is_too_large_is_refused(client: Client, upload: Upload) -> None:
    with pytest.raises(MetadataInvalid) as caught:
        upload(metadata={"note": "x" * 65_536})
    assert caught.value.metadata["limit_bytes"] == "65536"
    token = token_of(client, storing(client)().id, write=True)
    with pytest.raises(MetadataInvalid):
        client.update_metadata(token, metadata={"note": "x" * 65_536})


def test_content_that_is_not_what_was_declared_is_refused(client: Client, upload: Upload) -> None:
    with pytest.raises(HashMismatch) as hashed:
        upload(sha256=sha256(b"another").hexdigest())
    assert hashed.value.metadata["received_sha256"] == sha256(b"A note.").hexdigest()
    spec = UploadSpec(upload_id=str(uuid.uuid4()), name="a.txt", size_bytes=4)
    with pytest.raises(SizeMismatch) as sized:
        client.uploads.WriteUpload(iter([WriteUploadRequest(upload_spec=spec, data=b"x", finish_write=True)]))
    assert sized.value.metadata == {"declared_bytes": "4", "received_bytes": "1"} | sized.value.metadata


def test_an_interrupted_upload_goes_on_where_it_stopped(client: Client) -> None:
    spec = UploadSpec(upload_id=str(uuid.uuid4()), name="a.txt", size_bytes=6)
    assert client.uploads.StartUpload(StartUploadRequest(upload_spec=spec)).persisted_size == 0
    with WriteStreamed(client, spec) as stream:
        stream.write(b"abc")
        assert stream.pause() == 3
    status = client.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=spec.upload_id))
    assert (status.persisted_size, status.size_bytes) == (3, 6)
    assert status.expire_time.ToDatetime(tzinfo=UTC) > datetime.now(UTC)
    gap = WriteUploadRequest(upload_id=spec.upload_id, write_offset=4, data=b"ef")
    with pytest.raises(OffsetGap):
        client.uploads.WriteUpload(iter([gap]))
    with WriteStreamed(client, spec.upload_id, offset=2) as stream:
        stream.write(b"cdef")
        result = stream.finish()
    assert read(client, result.write_token) == b"abcdef"
    finished = client.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=spec.upload_id))
    assert finished.result.document == result.document


class WriteStreamed(WriteStream):
    """The gateway's stream, torn down at the end of its block."""

    def __enter__(self) -> "WriteStreamed":
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()


def test_an_upload_id_is_for_one_file(client: Client, upload: Upload) -> None:
    spec = UploadSpec(upload_id=str(uuid.uuid4()), name="a.txt")
    client.uploads.StartUpload(StartUploadRequest(upload_spec=spec))
    spec.name = "b.txt"
    with pytest.raises(UploadSpecConflict) as caught:
        client.uploads.StartUpload(StartUploadRequest(upload_spec=spec))
    assert caught.value.metadata["upload_id"] == spec.upload_id
    finished = upload().document.id
    with pytest.raises(UploadSpecConflict):
        upload(b"Another.", "another.txt", upload_id=finished, resume=False)


def test_a_cancelled_upload_is_gone_and_a_confirmed_one_cannot_be_cancelled(
    client: Client, upload: Upload, store: Upload
) -> None:
    result = upload()
    client.cancel_upload(result.document.id)
    client.cancel_upload(result.document.id)
    with pytest.raises(DocumentNotFound) as caught:
        client.confirm([result])
    assert caught.value.metadata["document_id"] == result.document.id
    begun = UploadSpec(upload_id=str(uuid.uuid4()), name="a.txt")
    client.uploads.StartUpload(StartUploadRequest(upload_spec=begun))
    client.uploads.CancelUpload(CancelUploadRequest(upload_id=begun.upload_id))
    with pytest.raises(UploadNotFound):
        client.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=begun.upload_id))
    with pytest.raises(AlreadyConfirmed):
        client.cancel_upload(store().id)


def test_what_the_service_accepts_is_told_by_what_it_refuses(client: Client) -> None:
    spec = UploadSpec(upload_id=str(uuid.uuid4()), name="settings.osis-document-check", size_bytes=1 << 62)
    with pytest.raises(FileTooLarge) as caught:
        client.uploads.StartUpload(StartUploadRequest(upload_spec=spec))
    assert caught.value.metadata["limit_bytes"] == str(MAX_UPLOAD_BYTES)
    spec.ClearField("size_bytes")
    with pytest.raises(ExtensionNotAllowed) as refused:
        client.uploads.StartUpload(StartUploadRequest(upload_spec=spec))
    assert refused.value.metadata["allowed"].split() == ["pdf", "txt", "docx", "doc", "odt", "png", "jpg"]


# ---- confirmation -----------------------------------------------------------------------------------------------------------


def test_confirmed_documents_have_their_paths_and_all_their_keys(client: Client, upload: Upload) -> None:
    one, two = upload(metadata={"a": 1, "b": 1}), upload(name="two.txt")
    first = ConfirmUpload(token=one.write_token, path="folder/")
    first.metadata.update({"b": 2})
    documents = client.confirm([first, two], path="other/name.txt", expiration_policy=ExpirationPolicy.EXPIRATION_POLICY_EXPORT)
    assert [document.id for document in documents] == [one.document.id, two.document.id]
    assert [document.path for document in documents] == ["folder/note.txt", "other/name.txt"]
    assert from_struct(documents[0].metadata) == {"a": 1, "b": 2}
    assert [document.status for document in documents] == [UPLOADED, UPLOADED]
    assert [document.HasField("expire_time") for document in documents] == [False, True]
    fortnight = documents[1].expire_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(days=14) < fortnight < timedelta(days=16)
    assert client.get_documents([document.id for document in documents]).require_all() == documents


def test_uploads_are_confirmed_all_or_none(client: Client, upload: Upload) -> None:
    good, bad = upload(), upload()
    requests = [ConfirmUpload(token=good.write_token), ConfirmUpload(token=bad.write_token, path="../")]
    with pytest.raises(PathInvalid) as caught:
        client.confirm(requests)
    assert (caught.value.metadata["index"], caught.value.metadata["document_id"]) == ("1", bad.document.id)
    assert client.get_document(good.document.id).status == DocumentStatus.DOCUMENT_STATUS_REQUESTED
    with pytest.raises(TokenInvalid) as invalid:
        client.confirm([good, good.write_token[:-4] + "AAAA"])
    assert invalid.value.metadata["index"] == "1"
    with pytest.raises(ArgumentInvalid):
        client.confirm([""])
    with pytest.raises(BatchTooLarge):
        client.confirm([])
    with pytest.raises(TokenSpent):
        client.confirm([good, good])
    [document] = client.confirm([good])
    assert document.status == UPLOADED


def test_a_token_confirms_once_and_a_repeated_call_gets_the_first_answer(client: Client, upload: Upload) -> None:
    result, request_id = upload(), str(uuid.uuid4())
    first = client.confirm([result], request_id=request_id)
    assert client.confirm([result], request_id=request_id) == first
    with pytest.raises(TokenSpent) as caught:
        client.confirm([result])
    assert caught.value.metadata["document_id"] == result.document.id


def test_which_tokens_confirm(client: Client, upload: Upload, store: Upload) -> None:
    kept, waiting = store(), upload().document
    assert client.confirm([token_of(client, kept.id, write=True)], path="else/") == [kept]
    for refused in (token_of(client, kept.id), token_of(client, waiting.id, write=True)):
        with pytest.raises(TokenWrongPurpose) as caught:
            client.confirm([refused])
        assert caught.value.metadata.keys() >= {"purpose", "needed"}


def test_a_held_document_goes_unless_it_is_made_final(client: Client, upload: Upload) -> None:
    [short] = client.confirm([upload()], hold=timedelta(seconds=1))
    [kept, long] = client.confirm([upload(), upload()], hold=Hold())
    assert timedelta(days=6) < long.hold_expire_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC) <= timedelta(days=7)
    held = [document.id for document in client.list_documents(held=True)]
    assert {kept.id, long.id} <= set(held)
    [final] = client.finalize([kept.id])
    assert not final.HasField("hold_expire_time")
    assert kept.id not in {document.id for document in client.list_documents(held=True)}
    wait_until(lambda: refusals(client.get_documents([short.id])) == [DocumentNotFound], "the hold ends", seconds=20)
    with pytest.raises(BatchFailed) as caught:
        client.finalize([kept.id, short.id])
    assert refusals(caught.value.results) == [None, DocumentNotFound]


# ---- describing -------------------------------------------------------------------------------------------------------------


def test_deleted_and_infected_documents_are_described_by_id_alone(client: Client, store: Upload) -> None:
    good, deleted, infected = store(b"1"), store(b"2"), store(b"3 infected")
    tokens = [token_of(client, each.id) for each in (good, deleted, infected)]
    client.delete([deleted.id])
    client.declare_infected(infected.id)
    by_id = client.get_documents([good.id, deleted.id, infected.id, str(uuid.uuid4()), good.id])
    assert [each.status for each in by_id.succeeded] == [UPLOADED, DELETED, INFECTED, UPLOADED]
    assert refusals(by_id) == [None, None, None, DocumentNotFound, None]
    assert refusals(client.get_documents(tokens=[*tokens, "no token"])) == [None, DocumentDeleted, DocumentInfected, TokenInvalid]
    for token, error in zip(tokens[1:], (DocumentDeleted, DocumentInfected), strict=True):
        with pytest.raises(error) as caught:
            read(client, token)
        assert caught.value.metadata.keys() >= {"document_id"}
    with pytest.raises(DocumentNotFound):
        client.get_document(str(uuid.uuid4()))


def test_lists_are_filtered_ordered_and_paged(client: Client, store: Upload) -> None:
    folder = f"{uuid.uuid4()}/"
    names = ["b.txt", "c.pdf", "A.txt"]
    made = [store(files.pdf("x") if name.endswith("pdf") else b"text", name, path=folder) for name in names]
    client.delete([made[0].id])

    def listed(**filters: Any) -> list[str]:
        return [document.name for document in client.list_documents(path_prefix=folder, **filters)]

    assert listed() == ["A.txt", "c.pdf", "b.txt"]
    assert listed(page_size=1) == ["A.txt", "c.pdf", "b.txt"]
    assert listed(order=DocumentOrder.DOCUMENT_ORDER_UPLOAD_TIME_ASC, page_size=2) == names
    assert listed(order=DocumentOrder.DOCUMENT_ORDER_PATH_ASC) == ["A.txt", "b.txt", "c.pdf"]
    assert listed(statuses=[DELETED]) == ["b.txt"]
    assert listed(mime_types=["application/pdf"]) == ["c.pdf"]
    assert listed(name_contains="a.T") == ["A.txt"]
    assert listed(held=True) == listed(corrupt=True) == []
    assert listed(uploaded_from=datetime.now(UTC) + timedelta(hours=1)) == []
    assert listed(uploaded_before=datetime.now(UTC) + timedelta(hours=1), statuses=[UPLOADED]) == ["A.txt", "c.pdf"]


# ---- tokens and content -----------------------------------------------------------------------------------------------------


def test_what_a_token_says_and_that_no_two_are_equal(client: Client, store: Upload) -> None:
    document = store()
    made = client.create_token(document.id, write=True, ttl_seconds=60).token
    assert (made.document_id, made.purpose, made.for_modified) == (document.id, TokenPurpose.TOKEN_PURPOSE_WRITE, False)
    inspected = client.inspect_token(made.token)
    assert inspected.token == made
    assert made.expire_time.ToSeconds() - inspected.issue_time.ToSeconds() in {59, 60, 61}
    assert not inspected.HasField("refusal")
    assert token_of(client, document.id) != token_of(client, document.id)
    default = client.inspect_token(token_of(client, document.id))
    assert round(default.token.expire_time.ToSeconds() - default.issue_time.ToSeconds(), -1) == 900
    assert statement_of(made.token).purpose == "write"  # type: ignore[union-attr]
    for seconds in (0, -1, 8 * 24 * 3_600):
        with pytest.raises(ArgumentInvalid) as caught:
            client.create_token(document.id, ttl_seconds=seconds)
        assert caught.value.metadata["field"].endswith("ttl")


def test_an_expired_token_opens_nothing(client: Client, store: Upload) -> None:
    document = store()
    token = client.create_token(document.id, write=True, ttl_seconds=1).token.token
    wait_until(lambda: client.inspect_token(token).HasField("refusal"), "the token expires")
    assert isinstance(error_for_item(client.inspect_token(token).refusal), TokenExpired)
    for use in (
        lambda: read(client, token),
        lambda: client.get_document(token=token),
        lambda: client.update_metadata(token, name="b.txt"),
        lambda: client.confirm([token]),
    ):
        with pytest.raises(TokenExpired) as caught:
            use()
        assert caught.value.metadata.keys() >= {"expire_time"}


def test_tokens_of_a_batch_are_made_or_refused_one_by_one(client: Client, store: Upload) -> None:
    good, deleted, infected = store(), store(b"deleted"), store(b"this is infected")
    client.delete([deleted.id])
    client.declare_infected(infected.id)
    asked = [good.id, deleted.id, infected.id, str(uuid.uuid4()), CreateTokenRequest(document_id=good.id, for_modified=True)]
    results = client.create_tokens(asked)
    assert refusals(results) == [None, DocumentDeleted, DocumentInfected, DocumentNotFound, ModifiedCopyNotFound]
    assert read(client, results.succeeded[0].token.token) == b"A note."
    with pytest.raises(DocumentInfected):
        client.create_token(infected.id)
    assert list(client.create_tokens([])) == []


def test_parts_of_a_document_are_read(client: Client, store: Upload) -> None:
    content = bytes(range(32, 127)) * 20
    document = store(content, "a.txt")
    token = token_of(client, document.id)
    with client.open_download(token) as download:
        header = download.header
        assert b"".join(download) == content
    assert header.document == client.get_document(document.id)
    assert (header.sha256, header.mime_type, header.for_modified) == (document.sha256, "text/plain", False)
    assert (header.range.start, header.range.end, header.range.complete_size) == (0, len(content), len(content))
    assert read(client, token, offset=5, limit=7) == content[5:12]
    assert read(client, token, offset=-4) == content[-4:]
    assert read(client, token, offset=-100_000, limit=3, expected_sha256=document.sha256) == content[:3]
    with pytest.raises(RangeNotSatisfiable) as caught:
        read(client, token, offset=len(content))
    assert caught.value.metadata["complete_size"] == str(len(content))
    with pytest.raises(ContentChanged):
        read(client, token, expected_sha256="0" * 64)
    with pytest.raises(TokenInvalid):
        read(client, "no.token.atall")


def test_a_damaged_document_is_not_handed_out(side: Side, client: Client, store: Upload) -> None:
    content = f"To be damaged: {uuid.uuid4()}".encode()
    document = store(content, "a.txt")
    token = token_of(client, document.id)
    side.damage(content)
    with pytest.raises(DocumentCorrupt):
        read(client, token)
    assert client.get_document(document.id).corrupt
    assert [each.id for each in client.list_documents(corrupt=True)] == [document.id]
    with pytest.raises(DocumentCorrupt):
        client.get_document(token=token)
    assert refusals(client.create_tokens([document.id])) == [DocumentCorrupt]
    with pytest.raises(BatchFailed) as caught:
        client.duplicate([document.id])
    assert refusals(caught.value.results) == [DocumentCorrupt]


# ---- changes ----------------------------------------------------------------------------------------------------------------


def test_names_and_keys_are_changed_again_and_again(client: Client, store: Upload) -> None:
    token = token_of(client, store().id, write=True)
    client.update_metadata(token, name="b.txt", metadata={"a": 1, "b": [None]})
    changed = client.update_metadata(token, metadata={"a": 2}, remove_keys=["b", "unknown"])
    assert (changed.name, from_struct(changed.metadata), changed.revision) == ("b.txt", {"a": 2}, 0)
    refused: list[tuple[type[ServiceError], str]] = [
        (NameInvalid, "a/b.txt"),
        (ExtensionNotAllowed, "a.exe"),
        (MimeMismatch, "a.pdf"),
    ]
    for error, name in refused:
        with pytest.raises(error):
            client.update_metadata(token, name=name, metadata={"a": 3})
    assert client.get_document(changed.id) == changed
    with pytest.raises(TokenWrongPurpose):
        client.update_metadata(token_of(client, changed.id), name="c.txt")


def test_a_rotation_spends_the_token_and_answers_the_next_one(client: Client, store: Upload) -> None:
    photo = store(files.png(), "photo.png")
    token, request_id = token_of(client, photo.id, write=True), str(uuid.uuid4())
    turned = client.rotate_image(token, 90, request_id=request_id)
    assert (turned.document.id, turned.document.revision) == (photo.id, 1)
    assert client.rotate_image(token, 90, request_id=request_id).document == turned.document
    assert isinstance(error_for_item(client.inspect_token(token).refusal), TokenSpent)
    with pytest.raises(TokenSpent):
        client.rotate_image(token, 90)
    assert client.rotate_image(turned.token, 360).document.revision == 1
    assert client.rotate_image(turned.token, -90).document.revision == 2
    with pytest.raises(NotAnImage):
        client.rotate_image(token_of(client, store().id, write=True), 90)
    with pytest.raises(TokenWrongPurpose):
        client.rotate_image(token_of(client, photo.id), 90)


def test_an_edit_is_saved_over_a_document_or_beside_it(client: Client, store: Upload, upload: Upload) -> None:
    first, second, third = files.pdf("first"), files.pdf("second"), files.pdf("third")
    document = store(first, "a.pdf")
    edited = upload(second, "b.pdf")
    saved = client.save_edit(token_of(client, document.id, write=True), edited=edited)
    assert (saved.document.revision, saved.document.sha256) == (1, sha256(second).hexdigest())
    assert read(client, saved.token) == second
    assert refusals(client.get_documents([edited.document.id])) == [DocumentNotFound]
    beside = client.save_edit(token_of(client, document.id, write=True, for_modified=True), edited=upload(third, "c.pdf"))
    assert beside.document.sha256 == saved.document.sha256
    assert (beside.document.modified.sha256, beside.document.modified.size_bytes) == (sha256(third).hexdigest(), len(third))
    assert read(client, token_of(client, document.id, for_modified=True)) == third
    assert read(client, token_of(client, document.id)) == second
    with pytest.raises(NotAPdf):
        client.save_edit(token_of(client, store().id, write=True), edited=upload(third, "d.pdf"))
    with pytest.raises(NotAPdf):
        client.save_edit(token_of(client, document.id, write=True), edited=upload())
    with pytest.raises(ArgumentInvalid):
        client.save_edit(token_of(client, document.id, write=True))


# ---- lifecycle --------------------------------------------------------------------------------------------------------------


def test_duplicates_are_documents_of_their_own(client: Client, store: Upload, upload: Upload) -> None:
    original, waiting = store(path="a/"), upload().document
    chosen = str(uuid.uuid4())
    requests = [
        DuplicateDocument(document_id=original.id, new_document_id=chosen),
        DuplicateDocument(document_id=original.id, path="b/"),
    ]
    same, other = client.duplicate(requests)
    assert (same.id, same.path, other.path, other.name) == (chosen, "a/note.txt", "b/note.txt", "note.txt")
    assert client.duplicate(requests[:1]) == [same]
    client.delete([original.id])
    assert read(client, token_of(client, same.id)) == b"A note."
    bad = [original.id, waiting.id, str(uuid.uuid4()), DuplicateDocument(document_id=same.id, path="/absolute")]
    taken = DuplicateDocument(document_id=same.id, new_document_id=store(b"else").id)
    with pytest.raises(BatchFailed) as caught:
        client.duplicate([*bad, taken])
    assert refusals(caught.value.results) == [DocumentDeleted, DocumentNotConfirmed, DocumentNotFound, PathInvalid, UploadIdTaken]


def test_deletions_are_taken_back(client: Client, store: Upload) -> None:
    document, infected = store(), store(b"infected for ever")
    client.declare_infected(infected.id)
    unknown = str(uuid.uuid4())
    with pytest.raises(BatchFailed) as caught:
        client.delete([document.id, unknown, infected.id])
    assert refusals(caught.value.results) == [None, DocumentNotFound, DocumentInfected]
    assert client.delete([document.id])[0].status == DELETED
    assert client.undelete([document.id])[0].status == UPLOADED
    assert client.undelete([document.id])[0].status == UPLOADED
    with pytest.raises(BatchFailed) as again:
        client.undelete([unknown, infected.id])
    assert refusals(again.value.results) == [DocumentNotFound, DocumentInfected]


def test_whatever_has_an_infected_documents_bytes_is_infected(client: Client, store: Upload) -> None:
    content = f"Virus {uuid.uuid4()}".encode()
    named, another = store(content, path=f"{uuid.uuid4()}/"), store(content)
    [duplicate] = client.duplicate([named.id], path=f"{uuid.uuid4()}/")
    infected = client.declare_infected(path=named.path)
    assert [each.id for each in infected] == [named.id, duplicate.id]
    assert {each.status for each in infected} == {INFECTED}
    assert client.get_document(another.id).status == UPLOADED
    with pytest.raises(DocumentNotFound):
        client.declare_infected(path="no/such/path.txt")
    with pytest.raises(DocumentNotFound):
        client.declare_infected(str(uuid.uuid4()))


# ---- post-processing --------------------------------------------------------------------------------------------------------


def test_a_conversion_and_a_merge_make_documents_and_records(client: Client, store: Upload) -> None:
    content = files.pdf("page")
    photo, page = store(files.png(), "photo.png", path="folder/"), store(content, "page.pdf")
    started = client.start([photo.id, page.id], [convert("converted"), merge("merged", paper_size="A4")])
    job = client.wait(started.id, timeout=100)
    assert (job.state, job.tasks_done, job.tasks_total) == (PostProcessingState.POST_PROCESSING_STATE_DONE, 3, 3)
    assert list(job.input_document_ids) == [photo.id, page.id]
    converted, merged = job.actions
    assert [list(record.input_document_ids) for record in converted.records] == [[photo.id], [page.id]]
    outputs = [record.output_document_ids[0] for record in converted.records]
    [record] = merged.records
    assert list(record.input_document_ids) == outputs
    assert record.type == PostProcessingType.POST_PROCESSING_TYPE_MERGE
    [result] = record.output_document_ids
    made = client.get_documents([*outputs, result]).require_all()
    assert [each.name for each in made] == ["converted-1.pdf", "converted-2.pdf", "merged.pdf"]
    assert {each.mime_type for each in made} == {"application/pdf"}
    assert {each.status for each in made} == {UPLOADED}
    assert made[0].path == "folder/converted-1.pdf"
    assert read(client, token_of(client, page.id, wanted_post_process=WantedPostProcess.WANTED_POST_PROCESS_CONVERT)) == content
    opened = [
        client.create_token(photo.id, wanted_post_process=wanted).token.document_id
        for wanted in (
            WantedPostProcess.WANTED_POST_PROCESS_UNSPECIFIED,
            WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL,
            WantedPostProcess.WANTED_POST_PROCESS_CONVERT,
            WantedPostProcess.WANTED_POST_PROCESS_MERGE,
        )
    ]
    assert opened == [result, photo.id, outputs[0], result]
    assert (
        len(
            page_texts(read(client, token_of(client, result, wanted_post_process=WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL)))
        )
        == 2
    )
    client.delete([photo.id])
    assert [each.status for each in client.get_documents([outputs[0], result, page.id]).require_all()] == [
        DELETED,
        DELETED,
        UPLOADED,
    ]
    assert client.undelete([photo.id])[0].status == UPLOADED
    assert client.get_document(result).status == UPLOADED
    found = list(client.list_jobs(document_id=photo.id, types=[PostProcessingType.POST_PROCESSING_TYPE_CONVERT], page_size=1))
    assert found == [job]
    assert {each.id for each in client.declare_infected(page.id)} == {page.id, outputs[1], result}


def test_what_a_job_cannot_be_started_over(client: Client, store: Upload, upload: Upload) -> None:
    note, page, waiting = store(), store(files.pdf("page"), "page.pdf"), upload().document
    deleted, infected = store(b"deleted soon"), store(b"infected soon")
    client.delete([deleted.id])
    client.declare_infected(infected.id)
    refused: list[tuple[type[ServiceError], list[str], list[Any]]] = [
        (DocumentNotFound, [page.id, str(uuid.uuid4())], [merge()]),
        (DocumentNotConfirmed, [waiting.id], [convert()]),
        (DocumentDeleted, [deleted.id], [convert()]),
        (DocumentInfected, [infected.id], [convert()]),
        (MergeInputNotPdf, [page.id, note.id], [merge()]),
        (ArgumentInvalid, [page.id], []),
        (ArgumentInvalid, [page.id], [merge(), convert()]),
        (BatchTooLarge, [], [merge()]),
    ]
    for error, document_ids, actions in refused:
        with pytest.raises(error):
            client.start(document_ids, actions)
    request_id = str(uuid.uuid4())
    first = client.start([page.id], [merge()], request_id=request_id)
    assert client.start([page.id], [merge()], request_id=request_id).id == first.id
    with pytest.raises(RequestIdConflict):
        client.start([page.id], [merge("other")], request_id=request_id)
    with pytest.raises(PostProcessingNotFound):
        client.wait(str(uuid.uuid4()))
    with pytest.raises(PostProcessingNotFound):
        client.cancel(str(uuid.uuid4()))


@pytest.mark.needs_redis
def test_a_job_is_pending_until_it_has_ended_well_or_not(side: Side) -> None:
    client = side.waiting
    store = storing(client)
    one, two, three = (store(files.pdf(f"page {uuid.uuid4()}"), "page.pdf").id for _ in range(3))
    jobs = [client.start([each], [merge()]) for each in (one, two, three)]
    answer = client.create_token(one)
    assert answer.WhichOneof("outcome") == "pending"
    assert (answer.pending.id, answer.pending.state) == (jobs[0].id, PostProcessingState.POST_PROCESSING_STATE_PENDING)
    with pytest.raises(DeadlineExceeded):
        client.wait(jobs[0].id, timeout=0.5)
    side.finish(jobs[0].id, files.pdf("made"))
    side.fail(jobs[1].id)
    assert client.cancel(jobs[2].id).state == PostProcessingState.POST_PROCESSING_STATE_CANCELLED
    assert client.wait(jobs[0].id, timeout=20).tasks_done == 1
    with pytest.raises(PostProcessingFailed) as caught:
        client.wait(jobs[1].id, timeout=20)
    assert caught.value.job.failure.document_id == two
    assert caught.value.error is not None
    assert caught.value.error.reason == "DOCUMENT_UNREADABLE"
    with pytest.raises(PostProcessingFailed):
        client.wait(jobs[2].id, timeout=20)
    done, failed, cancelled = client.create_tokens([one, two, three]).require_all()
    assert done.token.document_id not in {"", one}
    assert failed.failed.id == jobs[1].id
    assert cancelled.token.document_id == three
    got = client.post_processings.GetPostProcessing(GetPostProcessingRequest(post_processing_id=jobs[1].id)).post_processing
    assert got.actions[0].state == PostProcessingState.POST_PROCESSING_STATE_FAILED
    states = [PostProcessingState.POST_PROCESSING_STATE_CANCELLED]
    assert [job.id for job in client.list_jobs(states=states, document_id=three)] == [jobs[2].id]
