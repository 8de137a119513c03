"""The gateway under uvicorn (ASGI): the same bytes, streamed without holding up others."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from hashlib import sha256
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from tests.benchmarks.memory import Memory
from tests.support import files, images
from tests.support.gateway import uvicorn
from tests.support.slow_form import END_OF_FORM, SlowForm, rest_of, spooled
from tests.support.uploads import MEBIBYTE
from tests.support.waiting import wait_until

pytestmark = pytest.mark.without_service

CONTENT = files.pdf_of_size(48 * MEBIBYTE, seed=11)


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    """The gateway under uvicorn."""
    with uvicorn(tmp_path_factory.mktemp("gateway"), service) as running:
        yield running


@pytest.fixture(scope="module")
def document(gateway):
    """The id of a large PDF, uploaded through it."""
    return gateway.store(CONTENT, "large.pdf")


@pytest.mark.slow
def test_a_large_file_comes_back_byte_for_byte_and_is_never_in_memory_as_a_whole(gateway, document):
    path = f"file/{gateway.token(document)}"
    assert (
        len(gateway.get(path, headers={"Range": "bytes=0-999999"}).content) == 1_000_000
    )  # what the first one loads does not count
    memory = Memory(gateway.pid)
    memory.forget_peak()
    before = memory.now()
    got = sha256()
    with gateway.call("GET", path, stream=True) as answer:
        assert answer.headers["Content-Length"] == str(len(CONTENT))
        for block in answer.iter_content(MEBIBYTE):
            got.update(block)

    assert got.hexdigest() == sha256(CONTENT).hexdigest()
    assert memory.peak() - before < 40 * MEBIBYTE  # of 48


@pytest.mark.slow
def test_slow_readers_hold_nobody_up(gateway, document):
    path = f"file/{gateway.token(document)}"
    readers = [gateway.call("GET", path, stream=True) for _ in range(20)]
    try:
        for reader in readers:
            assert next(reader.iter_content(1000))
        answer = gateway.get(path.replace("file/", "metadata/"))
        assert answer.elapsed.total_seconds() < 5
        assert answer.json()["size"] == len(CONTENT)
    finally:
        for reader in readers:
            reader.close()


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_the_transfer(gateway, document, service):
    with gateway.call("GET", f"file/{gateway.token(document)}", stream=True) as answer:
        assert next(answer.iter_content(1000))

    service.wait_for_output(r"method=DownloadService/Download code=CANCELLED")


@pytest.mark.slow
def test_ranges_etags_and_head_are_the_same(gateway, document):
    path = f"file/{gateway.token(document)}"

    part = gateway.get(path, headers={"Range": "bytes=1048570-1048590"})
    same = gateway.get(path, headers={"If-None-Match": part.headers["ETag"]})
    head = gateway.call("HEAD", path)

    assert (part.status_code, part.content) == (206, CONTENT[1048570:1048591])
    assert (same.status_code, same.content) == (304, b"")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(CONTENT)))


@pytest.mark.slow
def test_damage_breaks_the_connection(gateway, service):
    content = files.pdf_of_size(3 * MEBIBYTE + 7, seed=12)
    token = gateway.token(gateway.store(content, "scan.pdf"))
    file = service.blob_file_of(content)
    file.chmod(0o600)
    with file.open("r+b") as opened:
        opened.seek(2 * MEBIBYTE + 5)
        opened.write(bytes([content[2 * MEBIBYTE + 5] ^ 1]))
    received = []

    with (
        gateway.call("GET", f"file/{token}", stream=True) as answer,
        pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)),
    ):
        received.extend(answer.iter_content(65_536))

    assert b"".join(received) == content[: 2 * MEBIBYTE]
    assert gateway.get(f"metadata/{token}").status_code == 409
    assert token[:60] not in gateway.output()


@pytest.mark.slow
def test_many_at_once_upload_rotate_and_read(gateway):
    picture = images.picture(width=60, height=20)

    def whole(number):
        token = gateway.token(gateway.store(picture, f"{number}.png"), write=True)
        rotated = gateway.post(f"rotate-image/{token}", json={"rotate": 90})
        return gateway.get(f"file/{rotated.json()['token']}").content

    with ThreadPoolExecutor(6) as pool:
        contents = set(pool.map(whole, range(6)))

    assert all(images.are_equal(images.shown(content), images.turned(picture, 90)) for content in contents)


def test_an_upload_reaches_the_service_while_it_arrives(gateway, service):
    content = files.pdf_of_size(8 * MEBIBYTE, seed=13)
    with closing(SlowForm(gateway, content)) as form:
        form.send(content[: 4 * MEBIBYTE])
        wait_until(lambda: any(path.stat().st_size for path in spooled(service)), "bytes have arrived")
        status, text = rest_of(form, content[4 * MEBIBYTE :] + END_OF_FORM)

    assert status == 201, text
    assert gateway.get(f"file/{json.loads(text)['token']}").content == content


def test_a_part_of_a_resumable_upload_reaches_the_service_while_it_arrives(gateway, service):
    content = files.pdf_of_size(8 * MEBIBYTE, seed=16)
    tus = {"Tus-Resumable": "1.0.0"}
    named = {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {b64encode(b'scan.pdf').decode()}"}
    created = gateway.post("uploads/", headers=tus | named)
    assert created.status_code == 201, created.text
    where = urlsplit(created.headers["Location"])

    with closing(HTTPConnection(urlsplit(gateway.url).netloc, timeout=30)) as connection:
        connection.putrequest("PATCH", where.path)
        part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0", "Content-Length": str(len(content))}
        for name, value in (tus | part).items():
            connection.putheader(name, value)
        connection.endheaders(content[: 4 * MEBIBYTE])
        wait_until(lambda: any(path.stat().st_size for path in spooled(service)), "bytes have arrived")
        connection.send(content[4 * MEBIBYTE :])
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(len(content))), answer.read()

    token = answer.headers["Osis-Write-Token"]
    assert gateway.get(f"file/{token}").content == content
    assert gateway.get(f"metadata/{token}").json()["hash"] == sha256(content).hexdigest()


@pytest.mark.slow
def test_an_upload_is_never_in_memory_as_a_whole_nor_in_a_temporary_file(gateway):
    gateway.upload(CONTENT[:MEBIBYTE], "small.pdf")  # what the first one loads does not count
    memory = Memory(gateway.pid)
    memory.forget_peak()
    before = memory.now()

    token = gateway.upload(CONTENT, "large.pdf")

    assert memory.peak() - before < 24 * MEBIBYTE  # of 48
    assert gateway.get(f"metadata/{token}").json()["hash"] == sha256(CONTENT).hexdigest()


@pytest.mark.slow
def test_an_upload_whose_client_goes_away_leaves_nothing(gateway, service):
    content = files.pdf_of_size(8 * MEBIBYTE, seed=14)
    said_before = len(gateway.output())
    with closing(SlowForm(gateway, content)) as form:
        form.send(content[: 4 * MEBIBYTE])
        wait_until(lambda: any(path.stat().st_size for path in spooled(service)), "bytes have arrived")

    wait_until(lambda: not spooled(service), "the service has removed them")
    assert "Traceback" not in gateway.output()[said_before:]


@pytest.mark.slow
def test_slow_uploads_hold_nobody_up(gateway):
    content = files.pdf(" and ".join(["Slowly"] * 100))
    with ExitStack() as stack:
        forms = [stack.enter_context(closing(SlowForm(gateway, content))) for _ in range(40)]
        for form in forms:
            form.send(content[:100])
        assert gateway.upload(b"At once.")
        answers = [rest_of(form, content[100:] + END_OF_FORM) for form in forms]

    assert {status for status, _ in answers} <= {201, 429}
    assert answers[0][0] == 201


@pytest.mark.slow
def test_under_the_handler_of_django_itself_uploads_work_too(service, tmp_path):
    content = files.pdf_of_size(3 * MEBIBYTE, seed=15)
    with uvicorn(tmp_path, service, application="asgi_of_django") as plain:
        assert plain.get(f"file/{plain.upload(content, 'plain.pdf')}").content == content


def test_refusals_are_the_same(gateway):
    assert gateway.post("request-upload", files={"file": ("photo.pdf", files.png())}).status_code == 409
    assert gateway.get("file/some/thing", headers={"Accept": "text/html"}).status_code == 404
    assert gateway.post("read-tokens", json={"uuids": []}).status_code == 403
