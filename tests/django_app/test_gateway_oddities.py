"""What only a broken or a hostile client sends over HTTP: never an error of ours, never a leak."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.support.uploads import MEBIBYTE

pytestmark = pytest.mark.without_service

HALF = "\ud800"  # half of a pair, which JSON can write and UTF-8 cannot
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "token", ["%00", "%FF%FE", "%ED%A0%80", "a" * 6000, "..%2F..%2Fetc%2Fpasswd", "%0d%0aX-Evil:%201", "a.b.c"]
)
def test_odd_tokens_are_404(gateway, token):
    for method, path in [("GET", "metadata"), ("GET", "file"), ("POST", "change-metadata"), ("POST", "rotate-image")]:
        answer = gateway.call(method, f"{path}/{token}", json={"rotate": 90, "name": "a.txt"} if method == "POST" else None)
        assert (path, answer.status_code) in {(path, 404), (path, 414)}
        assert "X-Evil" not in answer.headers
    assert gateway.post(f"confirm-upload/{token}", key=True).status_code in {400, 404, 414}


@pytest.mark.parametrize(
    "value",
    [HALF, HALF + ".txt", {HALF: 1}, "\0.txt", 10**400, 1e308, "x" * 70_000],
    ids=["half", "half a name", "half a key", "NUL", "long number", "large number", "long text"],
)
def test_odd_values_are_400(gateway, note, value):
    write = gateway.token(note, write=True)
    bodies = {
        f"change-metadata/{write}": [{"name": value}, {"own": {"x": HALF}}, {HALF: 1}],
        f"rotate-image/{write}": [{"rotate": value}],
        f"confirm-upload/{gateway.upload(b'A note.')}": [{"upload_to": value, "metadata": {"a": HALF}}, {"metadata": value}],
        "declare-file-as-infected": [{"path": value}, {"uuid": value}],
        "declare-files-as-deleted": [{"files": [value]}, {"files": value}],
        f"read-token/{note}": [{"wanted_post_process": value}, {"custom_ttl": value}, {"for_modified_upload": value}],
        "read-tokens": [{"uuids": [value]}],
        "metadata": [value],
        "post-processing": [
            {"files_uuid": [value], "post_process_types": ["MERGE"]},
            {"files_uuid": [note], "post_process_types": [value]},
            {"files_uuid": [note], "post_process_types": ["MERGE"], "post_process_params": {"MERGE": {"output_filename": HALF}}},
        ],
        "duplicate": [{"uuids": [value]}, {"uuids": [note], "upload_path_by_uuid": {note: HALF}}],
    }
    for path, each in bodies.items():
        for body in each:
            answer = gateway.post(path, data=json.dumps(body), headers=JSON, key=True)
            assert 400 <= answer.status_code < 405, (path, body, answer.text[:500])


def test_bodies_that_are_too_long_or_too_deep_are_refused(gateway, note):
    write = gateway.token(note, write=True)

    deep = gateway.post(f"change-metadata/{write}", data=b'{"a":' * 100_000, headers=JSON)
    long = gateway.post(f"change-metadata/{write}", data=b'{"a": "' + b"x" * (3 * MEBIBYTE) + b'"}', headers=JSON)
    fields = gateway.post("request-upload", files=[("file", ("a.txt", b"A"))], data={"b": "x" * (3 * MEBIBYTE)})
    many = gateway.post("request-upload", files=[("file", ("a.txt", b"A"))], data={f"f{n}": "x" for n in range(1500)})

    assert (deep.status_code, long.status_code, fields.status_code, many.status_code) == (400, 413, 413, 400)
    assert write[:60] not in gateway.output()


@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name="file"; filename="a\r\nX-Evil: 1.txt"',
        b'form-data; name="file"; filename="\xff\xfe.txt"',
        b'form-data; name="file"; filename="a\x00b.txt"',
        b"form-data; name=\"file\"; filename*=utf-8''%E2%80%AEfdp.txt",
        'form-data; name="file"; filename="été\';\u202e.txt"'.encode(),
    ],
)
def test_odd_file_names_make_no_odd_headers(gateway, disposition):
    body = b"--xyxyxy\r\nContent-Disposition: " + disposition + b"\r\n\r\nA note.\r\n--xyxyxy--\r\n"
    answer = gateway.post("request-upload", data=body, headers={"Content-Type": "multipart/form-data; boundary=xyxyxy"})

    assert answer.status_code in {201, 400}, answer.text
    if answer.status_code == 201:
        read = gateway.get(f"file/{answer.json()['token']}?dl=1")
        assert read.content == b"A note."
        assert "X-Evil" not in read.headers
        assert read.headers["Content-Disposition"].startswith("attachment; filename")
        assert "\u202e" not in read.headers["Content-Disposition"]


@pytest.mark.parametrize("length", [b"-5", b"abc", b"5, 6", b"99999999999999999999"])
def test_odd_lengths_are_refused(gateway, length):
    where = urlsplit(gateway.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(
            b"POST /osis_document/request-upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: " + length + b"\r\n\r\n--x--\r\n"
        )
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1 << 16)

    assert answer.startswith(b"HTTP/1.1 4")


def test_a_polyglot_is_never_run(gateway):
    """A page that pretends to be a text is saved, and browsers are told not to guess."""
    token = gateway.upload(b"<html><script>alert(1)</script></html>", "page.txt")

    answer = gateway.get(f"file/{token}")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
