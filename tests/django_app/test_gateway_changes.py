"""Changing, deleting, condemning and duplicating over HTTP, under gunicorn."""

import io
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from osis.document.v1.document_pb2 import DocumentStatus
from tests.support import files, images, signing

pytestmark = pytest.mark.without_service


def document_ids(service):
    """The ids of all documents and unconfirmed uploads there are."""
    return {str(row["id"]) for row in service.rows("document")}


def status_of(service, identifier):
    """The status of a document, as the service tells it."""
    return DocumentStatus.Name(service.client().get_document(identifier).status).removeprefix("DOCUMENT_STATUS_")


# ---- change-metadata ----------------------------------------------------------------------------------------------------


def test_name_and_own_keys_are_changed_again_and_again_with_one_token(gateway):
    token = gateway.token(gateway.store(b"A note.", metadata={"kept": 1, "pages": 2}), write=True)

    first = gateway.post(f"change-metadata/{token}", json={"name": "renamed.txt", "pages": 3, "tags": ["a", None]})
    second = gateway.post(f"change-metadata/{token}", json={"name": "again.txt"})

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["name"] == "renamed.txt"
    described = gateway.get(f"metadata/{token}").json()
    assert {key: described[key] for key in ("name", "kept", "pages", "tags")} == {
        "name": "again.txt", "kept": 1, "pages": 3, "tags": ["a", None],
    }  # fmt: skip


def test_an_upload_can_be_renamed_before_it_is_confirmed(gateway):
    token = gateway.upload(b"A note.")

    assert gateway.post(f"change-metadata/{token}", json={"name": "before.txt"}).status_code == 200
    assert gateway.get(f"metadata/{token}").json()["name"] == "before.txt"


@pytest.mark.parametrize("key", ["size", "mimetype", "url", "uploaded_at", "upload_uuid", "hash"])
def test_the_systems_own_keys_are_403_and_nothing_changes(gateway, note, key):
    token = gateway.token(note, write=True)
    before = gateway.get(f"metadata/{token}").json()

    assert gateway.post(f"change-metadata/{token}", json={key: "x", "other": 1}).status_code == 403
    assert gateway.get(f"metadata/{token}").json() == before


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": "a/b.txt"}, {"name": 3}, {"name": "note.exe"}, ["name"], "name", {"n": 2**60}]
)
def test_what_metadata_cannot_be_is_400(gateway, note, body):
    answer = gateway.post(f"change-metadata/{gateway.token(note, write=True)}", json=body)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_a_name_whose_extension_the_content_is_not_is_409(gateway, note):
    assert gateway.post(f"change-metadata/{gateway.token(note, write=True)}", json={"name": "note.pdf"}).status_code == 409


@pytest.mark.parametrize("where", ["change-metadata", "rotate-image", "save-editor"])
def test_tokens_that_allow_no_change_are_refused_each_for_its_reason(gateway, where):
    identifier = gateway.store(images.picture(), "photo.png")
    write = gateway.token(identifier, write=True)
    body = {"files": {"file": ("a.pdf", files.pdf("A"))}} if where == "save-editor" else {"json": {"rotate": 90, "name": "a.png"}}
    kinds = {"foreign": ("x/y", 404), "late": (signing.expired(write), 403), "read": (gateway.token(identifier), 403)}
    for name, (token, code) in kinds.items():
        assert (name, gateway.post(f"{where}/{token}", **body).status_code) == (name, code)
    gateway.post("declare-file-as-infected", json={"uuid": identifier}, key=True)
    answer = gateway.post(f"{where}/{write}", **body)
    assert (answer.status_code, answer.json()) == (500, {"detail": "INFECTED"})


# ---- rotate-image -------------------------------------------------------------------------------------------------------


def test_an_image_is_rotated_clockwise_and_the_token_spent(gateway):
    content = images.picture(width=60, height=20)
    token = gateway.token(gateway.store(content, "photo.png"), write=True)

    answer = gateway.post(f"rotate-image/{token}", json={"rotate": 90, "pk": None})
    again = gateway.post(f"rotate-image/{token}", json={"rotate": 90})
    next_one = gateway.post(f"rotate-image/{answer.json()['token']}", json={"rotate": 180})

    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    assert (again.status_code, next_one.status_code) == (409, 200)
    rotated = gateway.get(f"file/{next_one.json()['token']}").content
    assert images.are_equal(images.shown(rotated), images.turned(content, 270))


def test_what_is_no_image_is_400(gateway, note):
    answer = gateway.post(f"rotate-image/{gateway.token(note, write=True)}", json={"rotate": 90})

    assert answer.status_code == 400
    assert "image" in answer.json()["error"].lower()


@pytest.mark.parametrize("body", [{"rotate": 45}, {"rotate": None}, {"rotate": "a"}, {}, [90]])
def test_what_no_rotation_can_be_is_400(gateway, body):
    token = gateway.token(gateway.store(images.picture(), "photo.png"), write=True)

    assert gateway.post(f"rotate-image/{token}", json=body).status_code == 400


def test_of_two_rotations_with_one_token_one_wins(gateway):
    token = gateway.token(gateway.store(images.picture(width=60, height=20), "photo.png"), write=True)

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: gateway.post(f"rotate-image/{token}", json={"rotate": 90}).status_code, range(4)))

    assert sorted(codes) == [200, 409, 409, 409]


# ---- save-editor --------------------------------------------------------------------------------------------------------


def test_an_edited_pdf_takes_the_documents_place_with_its_pages_rotated(gateway, service):
    identifier = gateway.store(files.pdf("Before"), "letter.pdf")
    token = gateway.token(identifier, write=True)
    form = {"files": {"file": ("blob", files.pdf("After one", "After two"))}, "data": {"rotations": '{"1": 90, "0": null}'}}

    answer = gateway.post(f"save-editor/{token}", **form)
    again = gateway.post(f"save-editor/{token}", **form)

    assert (answer.status_code, again.status_code) == (200, 409)
    saved = gateway.get(f"file/{gateway.token(identifier)}").content
    assert files.page_texts(saved) == ["After one", "After two"]
    assert [first > second for first, second in files.page_sizes(saved)] == [False, True]
    described = gateway.get(f"metadata/{answer.json()['token']}").json()
    assert (described["name"], described["upload_uuid"]) == ("letter.pdf", identifier)


def test_an_edit_of_the_modified_copy_leaves_the_original(gateway):
    identifier = gateway.store(files.pdf("Original"), "letter.pdf")
    token = gateway.token(identifier, write=True, for_modified_upload=True)

    assert gateway.post(f"save-editor/{token}", files={"file": ("a.pdf", files.pdf("Copy"))}).status_code == 200

    original = gateway.get(f"file/{gateway.token(identifier)}").content
    copy = gateway.get(f"file/{gateway.token(identifier, for_modified_upload=True)}").content
    assert (files.page_texts(original), files.page_texts(copy)) == (["Original"], ["Copy"])


@pytest.mark.parametrize(
    ("target", "form"),
    [
        ("letter.pdf", {"files": {"file": ("a.pdf", b"no PDF at all")}}),
        ("letter.pdf", {"files": {"file": ("a.pdf", files.png())}}),
        ("letter.pdf", {"files": {"file": ("a.pdf", files.pdf("A"))}, "data": {"rotations": "all"}}),
        ("letter.pdf", {"files": {"file": ("a.pdf", files.pdf("A"))}, "data": {"rotations": '{"0": 45}'}}),
        ("letter.pdf", {"files": {"other": ("a.pdf", files.pdf("A"))}}),
        ("photo.png", {"files": {"file": ("a.pdf", files.pdf("A"))}}),
    ],
    ids=["text", "picture", "rotations", "degrees", "no file", "not over a PDF"],
)
def test_what_cannot_be_saved_is_400_and_leaves_nothing(gateway, service, target, form):
    content = files.pdf("Before") if target.endswith("pdf") else files.png(40)
    token = gateway.token(gateway.store(content, target), write=True)
    before = document_ids(service)

    answer = gateway.post(f"save-editor/{token}", **form)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert gateway.get(f"file/{token}").content == content
    assert document_ids(service) == before


# ---- declare-… ----------------------------------------------------------------------------------------------------------


def test_an_infected_document_hands_out_nothing_any_more(gateway):
    identifier = gateway.store(b"A note that is ill.")
    token = gateway.token(identifier)

    answer = gateway.post("declare-file-as-infected", json={"uuid": identifier, "path": None, "pk": 1}, key=True)

    assert (answer.status_code, answer.json()) == (202, {"uuid": identifier})
    for response in (
        gateway.get(f"metadata/{token}"),
        gateway.get(f"file/{token}"),
        gateway.post(f"read-token/{identifier}", key=True),
        gateway.post(f"write-token/{identifier}", key=True),
    ):
        assert (response.status_code, response.json()) == (500, {"detail": "INFECTED"})
    duplicated = gateway.post("duplicate", json={"uuids": [identifier]}, key=True).json()
    assert duplicated[identifier]["error"]["code"] == "INFECTED"


def test_a_path_names_an_infected_document_too(gateway, service):
    identifier = gateway.store(b"Ill by path.", upload_to="ill/2026")

    answer = gateway.post("declare-file-as-infected", json={"path": "ill/2026/note.txt"}, key=True)

    assert (answer.status_code, answer.json()) == (202, {"uuid": identifier})
    assert status_of(service, identifier) == "INFECTED"


@pytest.mark.parametrize("body", [{}, {"uuid": None}, {"uuid": "x"}, {"path": "nowhere"}, {"uuid": str(uuid.UUID(int=5))}, []])
def test_what_cannot_be_declared_infected_is_400(gateway, body):
    answer = gateway.post("declare-file-as-infected", json=body, key=True)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_deleted_documents_are_gone_at_once_and_unknown_ones_passed_over(gateway, service):
    first, second = gateway.store(b"First."), gateway.store(b"Second.")
    token = gateway.token(first)

    answer = gateway.post("declare-files-as-deleted", json={"files": [first, str(uuid.uuid4()), second]}, key=True)

    assert (answer.status_code, answer.content) == (204, b"")
    assert {status_of(service, each) for each in (first, second)} == {"DELETED"}
    assert gateway.get(f"file/{token}").status_code == 404
    assert gateway.post(f"read-token/{first}", key=True).status_code == 404


@pytest.mark.parametrize("body", [{}, {"files": "x"}, {"files": ["x"]}, {"files": None}])
def test_what_cannot_be_deleted_is_400(gateway, body):
    assert gateway.post("declare-files-as-deleted", json=body, key=True).status_code == 400


# ---- duplicate ----------------------------------------------------------------------------------------------------------


def test_duplicates_live_by_themselves(gateway, service):
    identifier, gone = gateway.store(b"Twice.", upload_to="a"), gateway.store(b"Gone.")
    gateway.post("declare-files-as-deleted", json={"files": [gone]}, key=True)
    body = {"uuids": [identifier, gone], "with_modified_upload": None, "upload_path_by_uuid": {identifier: "b/copy.txt"}}

    answer = gateway.post("duplicate", json=body, key=True)

    assert answer.status_code == 201
    assert answer.json()[gone]["error"]["code"] == "UPLOAD_NOT_FOUND"
    copy = answer.json()[identifier]["upload_id"]
    assert service.client().get_document(copy).path == "b/copy.txt"
    gateway.post("declare-files-as-deleted", json={"files": [identifier]}, key=True)
    assert gateway.get(f"file/{gateway.token(copy)}").content == b"Twice."


def test_a_duplicate_takes_the_modified_copy_along_if_asked(gateway):
    identifier = gateway.store(files.pdf("Original"), "letter.pdf")
    token = gateway.token(identifier, write=True, for_modified_upload=True)
    assert gateway.post(f"save-editor/{token}", files={"file": ("a.pdf", files.pdf("Copy"))}).status_code == 200

    with_copy, without = (
        gateway.post(
            "duplicate", json={"uuids": [identifier], "with_modified_upload": wanted, "upload_path_by_uuid": None}, key=True
        ).json()[identifier]["upload_id"]
        for wanted in (True, False)
    )

    assert files.page_texts(gateway.get(f"file/{gateway.token(with_copy, for_modified_upload=True)}").content) == ["Copy"]
    assert gateway.post(f"read-token/{without}", json={"for_modified_upload": True}, key=True).status_code == 404


@pytest.mark.parametrize("body", [{}, {"uuids": "x"}, {"uuids": ["x"]}, {"uuids": [], "upload_path_by_uuid": ["x"]}])
def test_what_cannot_be_duplicated_is_400(gateway, body):
    assert gateway.post("duplicate", json=body, key=True).status_code == 400


def test_a_photo_keeps_its_format_when_it_is_rotated(gateway):
    token = gateway.token(gateway.store(files.turned_jpeg(), "photo.jpg"), write=True)

    rotated = gateway.get(f"file/{gateway.post(f'rotate-image/{token}', json={'rotate': 90}).json()['token']}")

    assert rotated.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(rotated.content)).format == "JPEG"
