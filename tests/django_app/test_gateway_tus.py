"""Resumable uploads by tus 1.0 over HTTP, under gunicorn."""

import base64
import socket
from email.utils import parsedate_to_datetime
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
import requests

from tests.support import files
from tests.support.gateway import KEY, gunicorn
from tests.support.uploads import MEBIBYTE
from tests.support.waiting import wait_until

pytestmark = pytest.mark.without_service

CONTENT = files.text_of_size(3 * MEBIBYTE + 11, seed=5)
PART = {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    """The gateway without limits."""
    with gunicorn(
        tmp_path_factory.mktemp("gateway"), service, OSIS_DOCUMENT_DOMAIN_LIST=["https://www.listed.example"]
    ) as running:
        yield running


@pytest.fixture(scope="module")
def limited(service, tmp_path_factory):
    """A gateway with small limits for strangers."""
    settings = {
        "OSIS_DOCUMENT_UPLOAD_LIMIT": "5/day",
        "OSIS_DOCUMENT_ANONYMOUS_MAX_UPLOAD_SIZE": 1000,
        "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING_PER_ADDRESS": 2500,
    }
    with gunicorn(tmp_path_factory.mktemp("limited"), service, **settings) as running:
        yield running


def call(method, url, *, body=b"", version="1.0.0", **headers):
    """Sends one request of the protocol; header names are written with underscores."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return requests.request(method, url, data=body, timeout=60, headers=({"Tus-Resumable": version} if version else {}) | named)


def metadata(name="note.txt", **others):
    """`Upload-Metadata` with this name."""
    pairs = {"filename": name} | others
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def create(gateway, content=CONTENT, name="note.txt", *, body=b"", **headers):
    """Creates an upload of this content."""
    return call(
        "POST", f"{gateway.url}uploads/", body=body, Upload_Length=len(content), Upload_Metadata=metadata(name), **headers
    )


def patch(url, body, offset, **headers):
    """Sends a part of the file."""
    return call("PATCH", url, body=body, Upload_Offset=offset, **PART | headers)


def checksum(content, algorithm="sha256"):
    """`Upload-Checksum` of these bytes."""
    return f"{algorithm} {base64.b64encode(sha256(content).digest()).decode()}"


def offset_of(url):
    """How far an upload has come."""
    return int(call("HEAD", url).headers["Upload-Offset"])


def test_a_file_in_parts_becomes_an_upload_whose_token_the_last_answer_carries(gateway):
    created = create(gateway, name="Été.txt")
    url = created.headers["Location"]
    assert (created.status_code, url.startswith(f"{gateway.url}uploads/")) == (201, True)
    assert parsedate_to_datetime(created.headers["Upload-Expires"]).year >= 2026
    assert "Osis-Write-Token" not in created.headers

    for start in (0, MEBIBYTE, 2 * MEBIBYTE):
        answer = patch(url, CONTENT[start : start + MEBIBYTE], start)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(start + MEBIBYTE))
        assert "Osis-Write-Token" not in answer.headers
        assert "Upload-Expires" in answer.headers
        head = call("HEAD", url)
        assert (head.status_code, head.headers["Upload-Offset"]) == (200, str(start + MEBIBYTE))
        assert head.headers["Upload-Length"] == str(len(CONTENT))
        assert head.headers["Upload-Metadata"] == metadata("Été.txt")
        assert head.headers["Cache-Control"] == "no-store"
        assert "Osis-Write-Token" not in head.headers
    last = patch(url, CONTENT[3 * MEBIBYTE :], 3 * MEBIBYTE)

    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(CONTENT)))
    described = gateway.get(f"metadata/{last.headers['Osis-Write-Token']}").json()
    assert (described["name"], described["hash"]) == ("Été.txt", sha256(CONTENT).hexdigest())
    again = call("HEAD", url)
    confirmed = gateway.post(f"confirm-upload/{again.headers['Osis-Write-Token']}", key=True)
    assert confirmed.status_code == 201
    assert gateway.get(f"file/{gateway.token(confirmed.json()['uuid'])}").content == CONTENT
    after = call("HEAD", url)
    assert (after.headers["Upload-Offset"], "Osis-Write-Token" in after.headers) == (str(len(CONTENT)), False)


def test_creation_may_bring_the_whole_file(gateway):
    answer = create(gateway, body=CONTENT, **PART)

    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(CONTENT)))
    assert gateway.get(f"file/{answer.headers['Osis-Write-Token']}").content == CONTENT


def test_creation_may_bring_the_first_bytes(gateway):
    answer = create(gateway, body=CONTENT[:1000], **PART)

    assert answer.headers["Upload-Offset"] == "1000"
    rest = patch(answer.headers["Location"], CONTENT[1000:], 1000)
    assert gateway.get(f"file/{rest.headers['Osis-Write-Token']}").content == CONTENT


def test_the_server_says_what_it_understands(gateway, limited):
    answer = call("OPTIONS", f"{gateway.url}uploads/", version="")

    assert answer.status_code == 204
    assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "termination", "checksum", "expiration",
    }  # fmt: skip
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256"
    assert call("OPTIONS", f"{limited.url}uploads/").headers["Tus-Max-Size"] == "1000"


def test_browsers_of_listed_sites_see_the_headers_that_they_need(gateway):
    asked = call("OPTIONS", f"{gateway.url}uploads/", Origin="https://www.listed.example", Access_Control_Request_Method="PATCH")
    answer = create(gateway, Origin="https://www.listed.example")

    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    assert {"Upload-Offset", "Tus-Resumable"} <= set(asked.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Access-Control-Allow-Origin"] == "https://www.listed.example"
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"Location", "Upload-Offset", "Osis-Write-Token"} <= exposed


@pytest.mark.parametrize("version", ["", "0.2.2"])
def test_another_version_is_412_before_anything_else(gateway, version):
    url = create(gateway).headers["Location"]
    for method, where in [("POST", f"{gateway.url}uploads/"), ("HEAD", url), ("PATCH", url), ("DELETE", url)]:
        answer = call(method, where, version=version)
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")
    assert offset_of(url) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload_Metadata": metadata()},
        {"Upload_Length": "-1", "Upload_Metadata": metadata()},
        {"Upload_Length": "9" * 30, "Upload_Metadata": metadata()},
        {"Upload_Length": 0, "Upload_Metadata": metadata()},
        {"Upload_Length": 5},
        {"Upload_Length": 5, "Upload_Metadata": "filename !"},
        {"Upload_Length": 5, "Upload_Metadata": metadata("note.exe")},
        {"Upload_Defer_Length": 1, "Upload_Metadata": metadata()},
    ],
    ids=["no length", "negative", "huge", "empty", "no name", "no base64", "extension", "deferred"],
)
def test_what_cannot_be_created_is_400(gateway, headers):
    answer = call("POST", f"{gateway.url}uploads/", **headers)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_a_name_is_only_a_name(gateway):
    answer = create(gateway, b"A note.", "../../etc/passwd.txt", body=b"A note.", **PART)

    assert gateway.get(f"metadata/{answer.headers['Osis-Write-Token']}").json()["name"] == "passwd.txt"


def test_metadata_of_any_length_make_an_address_that_can_be_used(gateway):
    name = "é" * 240 + ".txt"
    headers = {"Upload_Length": 7, "Upload_Metadata": metadata(name, caption=name, relativePath=name, filetype="text/plain")}

    url = call("POST", f"{gateway.url}uploads/", **headers).headers["Location"]

    assert call("HEAD", url).headers["Upload-Metadata"] == metadata(name)
    token = patch(url, b"A note.", 0).headers["Osis-Write-Token"]
    assert gateway.get(f"metadata/{token}").json()["name"] == name


@pytest.mark.parametrize("offset", [0, 999, 1001])
def test_another_offset_than_the_uploads_is_409_and_changes_nothing(gateway, offset):
    url = create(gateway, body=CONTENT[:1000], **PART).headers["Location"]

    assert patch(url, CONTENT[1000:] * 5, offset).status_code == 409
    assert offset_of(url) == 1000


def test_parts_that_are_not_said_to_be_parts_are_415(gateway):
    url = create(gateway).headers["Location"]

    assert patch(url, CONTENT, 0, **{"Content-Type": "text/plain"}).status_code == 415


def test_more_bytes_than_were_announced_are_413(gateway):
    url = create(gateway, b"A note.").headers["Location"]

    assert patch(url, b"A longer note.", 0).status_code == 413
    assert offset_of(url) == 0


def test_content_of_another_type_is_409_and_nothing_is_kept(gateway):
    url = create(gateway, files.png(), "photo.pdf").headers["Location"]

    assert patch(url, files.png(), 0).status_code == 409
    assert call("HEAD", url).status_code == 404


@pytest.mark.parametrize("address", ["x", "WyJhIl0:1:x", "00000000-0000-4000-8000-000000000000"])
def test_addresses_that_the_server_did_not_make_are_404(gateway, address):
    for method in ("HEAD", "PATCH", "DELETE"):
        assert call(method, f"{gateway.url}uploads/{address}", Upload_Offset=0, **PART).status_code == 404


def test_who_knows_a_documents_id_does_not_get_at_its_upload(gateway):
    """The id is in pages and tables; the address of the upload is not."""
    token = create(gateway, body=CONTENT, **PART).headers["Osis-Write-Token"]
    identifier = gateway.get(f"metadata/{token}").json()["upload_uuid"]

    assert call("HEAD", f"{gateway.url}uploads/{identifier}").status_code == 404


def test_a_cancelled_upload_is_gone_with_its_bytes(gateway):
    unfinished = create(gateway, body=CONTENT[:1000], **PART).headers["Location"]
    finished = create(gateway, body=CONTENT, **PART)

    for url in (unfinished, finished.headers["Location"]):
        assert call("DELETE", url).status_code == 204
        assert call("HEAD", url).status_code == 404
        assert call("DELETE", url).status_code == 404
        assert patch(url, CONTENT[1000:], 1000).status_code == 404
    assert gateway.get(f"file/{finished.headers['Osis-Write-Token']}").status_code == 404


def test_a_confirmed_upload_cannot_be_cancelled(gateway):
    created = create(gateway, body=CONTENT, **PART)
    identifier = gateway.post(f"confirm-upload/{created.headers['Osis-Write-Token']}", key=True).json()["uuid"]

    assert call("DELETE", created.headers["Location"]).status_code == 409
    assert gateway.get(f"file/{gateway.token(identifier)}").content == CONTENT


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "HEAD"])
def test_clients_that_can_only_post_say_which_method_they_mean(gateway, method):
    url = create(gateway, b"A note.").headers["Location"]

    answer = call(
        "POST", url, body=b"A note." if method == "PATCH" else b"", X_HTTP_Method_Override=method, Upload_Offset=0, **PART
    )

    assert answer.status_code == {"PATCH": 204, "DELETE": 204, "HEAD": 200}[method]


# ---- checksums ----------------------------------------------------------------------------------------------------------


def test_a_right_checksum_is_accepted(gateway):
    url = create(gateway).headers["Location"]

    assert patch(url, CONTENT[:1000], 0, Upload_Checksum=checksum(CONTENT[:1000])).status_code == 204
    last = patch(url, CONTENT[1000:], 1000, Upload_Checksum=checksum(CONTENT[1000:]))
    assert gateway.get(f"file/{last.headers['Osis-Write-Token']}").content == CONTENT


def test_a_wrong_checksum_is_460_and_the_part_is_not_kept(gateway):
    url = create(gateway, body=CONTENT[:1000], **PART).headers["Location"]

    answer = patch(url, b"x" * 500, 1000, Upload_Checksum=checksum(b"y" * 500))

    assert answer.status_code == 460
    assert offset_of(url) == 1000
    assert patch(url, CONTENT[1000:], 1000).status_code == 204


def test_a_wrong_checksum_of_a_long_part_is_460_and_nothing_of_the_upload_is_kept(gateway):
    content = files.text_of_size(10 * MEBIBYTE)
    url = create(gateway, content).headers["Location"]

    assert patch(url, content, 0, Upload_Checksum=checksum(CONTENT)).status_code == 460
    assert call("HEAD", url).status_code == 404


@pytest.mark.parametrize("sent", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha256 !", "sha256", "sha256 YQ=="])
def test_checksums_of_other_kinds_are_400(gateway, sent):
    url = create(gateway).headers["Location"]

    assert patch(url, CONTENT[:5], 0, Upload_Checksum=sent).status_code == 400
    assert offset_of(url) == 0


# ---- interruptions and limits -------------------------------------------------------------------------------------------


def test_what_arrived_before_a_client_went_away_stays_and_is_gone_on_from(gateway):
    url = create(gateway).headers["Location"]
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(
            f"PATCH {where.path} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode()
            + CONTENT[: 2 * MEBIBYTE]
        )
        wait_until(lambda: connection.fileno() > 0, "sent")

    offset = wait_until(lambda: offset_of(url), "the upload keeps what arrived")
    assert 0 < offset <= 2 * MEBIBYTE
    last = patch(url, CONTENT[offset:], offset)
    assert gateway.get(f"file/{last.headers['Osis-Write-Token']}").content == CONTENT


def test_creations_are_counted_and_parts_are_not(limited):
    content = b"A note of some length.\n" * 40
    too_large = create(limited, b"x" * 1001)
    first, second = create(limited, content), create(limited, content)
    too_much = create(limited, content)
    assert [each.status_code for each in (too_large, first, second, too_much)] == [413, 201, 201, 429]
    assert call("DELETE", second.headers["Location"]).status_code == 204
    assert create(limited, content).status_code == 201

    refused, with_key = create(limited, content), create(limited, content * 2, **KEY)

    assert (refused.status_code, with_key.status_code) == (429, 201)
    assert int(refused.headers["Retry-After"]) > 0
    for start in range(0, len(content), 100):
        assert patch(first.headers["Location"], content[start : start + 100], start).status_code == 204
