"""Reading metadata and bytes over HTTP, under gunicorn."""

from hashlib import sha256

import pytest
import requests

from tests.support import files, signing
from tests.support.changes import delete, infect
from tests.support.gateway import gunicorn
from tests.support.images import picture
from tests.support.uploads import MEBIBYTE
from tests.support.waiting import wait_until

pytestmark = pytest.mark.without_service

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CONTENT = files.pdf_of_size(3 * MEBIBYTE + 7, seed=7)
ETAG = f'"{sha256(CONTENT).hexdigest()}"'


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    """A gateway of a host that compresses its answers, whose database is gone, and that has every request in a transaction."""
    settings = {
        "DATABASES": {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/at/all", "ATOMIC_REQUESTS": True},
            "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/else", "ATOMIC_REQUESTS": True},
        },
        "OSIS_DOCUMENT_DOMAIN_LIST": ["https://www.listed.example", "bare.example:8001", "evil; script-src *"],
        "MIDDLEWARE": [
            "django.middleware.gzip.GZipMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.http.ConditionalGetMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
    }
    with gunicorn(tmp_path_factory.mktemp("gateway"), service, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def document(gateway):
    """The id of a PDF of a bit more than three blocks."""
    return gateway.store(CONTENT, "Été 2026.pdf")


@pytest.fixture
def path(gateway, document):
    """Where that PDF is read."""
    return f"file/{gateway.token(document)}"


@pytest.fixture
def damaged(gateway, service):
    """A token of a document whose third block is damaged."""
    damaged.number = getattr(damaged, "number", 100) + 1
    content = files.pdf_of_size(3 * MEBIBYTE + 7, seed=damaged.number)
    token = gateway.token(gateway.store(content, "scan.pdf"))
    file = service.blob_file_of(content)
    file.chmod(0o600)
    with file.open("r+b") as opened:
        opened.seek(2 * MEBIBYTE + 5)
        opened.write(bytes([content[2 * MEBIBYTE + 5] ^ 1]))
    return token


def tokens_of_all_kinds(gateway, service):
    """Tokens that do not open anything, by why, with the status that says so."""
    late, gone, ill = (gateway.store(b"A note.%d" % n) for n in range(3))
    tokens = {name: gateway.token(each) for name, each in [("late", late), ("gone", gone), ("ill", ill)]}
    delete(service.stubs(), gone)
    infect(service.stubs(), ill)
    return {
        "late": (signing.expired(tokens["late"]), 403),
        "gone": (tokens["gone"], 404),
        "foreign": ("some/thing", 404),
        "changed": (tokens["late"][:-2], 404),
        "ill": (tokens["ill"], 500),
    }


# ---- metadata -----------------------------------------------------------------------------------------------------------


def test_metadata_has_the_systems_keys_and_the_owners_which_shadow_nothing(gateway):
    own = {"author": "me", "size": 0, "mimetype": "text/html", "url": "javascript:alert(1)", "hash": "0"}
    identifier = gateway.store(b"A note.", metadata=own)
    token = gateway.token(identifier)

    answer = gateway.get(f"metadata/{token}")

    described = answer.json()
    assert answer.status_code == 200
    assert described.pop("uploaded_at").startswith("20")
    assert described == {
        "size": 7, "mimetype": "text/plain", "name": "note.txt", "url": f"{gateway.url}file/{token}",
        "upload_uuid": identifier, "hash": sha256(b"A note.").hexdigest(), "author": "me",
    }  # fmt: skip
    assert "no-store" in answer.headers["Cache-Control"]
    assert requests.get(described["url"], timeout=10).content == b"A note."


def test_metadata_and_files_refuse_tokens_each_for_its_reason(gateway, service):
    kinds = tokens_of_all_kinds(gateway, service)
    for where in ("metadata", "file"):
        for name, (token, code) in kinds.items():
            answer = gateway.get(f"{where}/{token}")
            assert (name, where, answer.status_code) == (name, where, code)
            assert answer.headers["Content-Type"] == "application/json"
            if name == "ill":
                assert answer.json() == {"detail": "INFECTED"}


def test_metadata_of_many_tokens_answers_each_by_itself(gateway, service):
    kinds = tokens_of_all_kinds(gateway, service)
    good = gateway.token(gateway.store(b"A good note."))

    answer = gateway.post("metadata", json=[good, *(token for token, _ in kinds.values())], key=True)

    assert answer.status_code == 200
    body = answer.json()
    assert body[good]["hash"] == sha256(b"A good note.").hexdigest()
    codes = {name: body[token]["error"]["code"] for name, (token, _) in kinds.items()}
    assert codes == {
        "late": "TOKEN_NOT_FOUND", "gone": "UPLOAD_NOT_FOUND", "foreign": "TOKEN_NOT_FOUND",
        "changed": "TOKEN_NOT_FOUND", "ill": "INFECTED",
    }  # fmt: skip
    assert all(body[token]["error"]["message"] for token, _ in kinds.values())


@pytest.mark.parametrize("body", [{"tokens": []}, [1], None, "token"])
def test_metadata_of_many_wants_a_list_of_tokens(gateway, body):
    answer = gateway.post("metadata", json=body, key=True)

    assert answer.status_code == 400
    assert answer.json()["error"]


# ---- file ---------------------------------------------------------------------------------------------------------------


def test_a_pdf_is_shown_in_the_page_of_listed_sites_under_its_own_name(gateway, path):
    answer = gateway.get(path)

    assert answer.status_code == 200
    assert answer.content == CONTENT
    headers = answer.headers
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Length"] == str(len(CONTENT))
    assert headers["Content-Disposition"] == "inline; filename*=utf-8''%C3%89t%C3%A9%202026.pdf"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self' https://www.listed.example bare.example:8001"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["ETag"] == ETAG
    assert headers["Accept-Ranges"] == "bytes"
    assert not {"X-Frame-Options", "Content-Encoding", "Set-Cookie"} & set(headers)


def test_dl_has_browsers_save_it_under_its_name(gateway, path):
    answer = gateway.get(f"{path}?dl=1")

    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%89t%C3%A9%202026.pdf"
    assert answer.content == CONTENT


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [("photo.png", picture(), True), ("note.txt", b"<script>alert(1)</script>", False), ("a.docx", files.docx("A"), False)],
)
def test_only_pdfs_and_pictures_are_shown_all_else_is_saved(gateway, name, content, shown):
    answer = gateway.get(f"file/{gateway.token(gateway.store(content, name))}")

    assert answer.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    assert answer.content == content


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-104", 5, 105),
        ("bytes=1048570-1048590", 1048570, 1048591),
        (f"bytes={len(CONTENT) - 1}-", len(CONTENT) - 1, len(CONTENT)),
        ("bytes=2000000-99999999999999999999999", 2000000, len(CONTENT)),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
        ("bytes=-99999999", 0, len(CONTENT)),
        ("BYTES = 3-4", 3, 5),
    ],
)
def test_a_range_is_206_with_exactly_those_bytes(gateway, path, asked, start, end):
    answer = gateway.get(path, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["Content-Length"] == str(end - start)
    assert answer.headers["ETag"] == ETAG


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes", ""])
def test_what_is_no_single_range_gets_the_whole(gateway, path, asked):
    answer = gateway.get(path, headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=99999999999999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416_and_says_how_long_the_file_is(gateway, path, asked):
    answer = gateway.get(path, headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("sent", [ETAG, f"W/{ETAG}", f'"other", {ETAG}', "*"])
def test_what_the_client_has_already_is_304_without_a_body(gateway, path, sent):
    answer = gateway.get(path, headers={"If-None-Match": sent})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == ETAG
    assert gateway.get(path, headers={"If-None-Match": sent, "Range": "bytes=0-4"}).status_code == 304


def test_another_etag_gets_the_file(gateway, path):
    assert gateway.get(path, headers={"If-None-Match": '"other"'}).content == CONTENT


@pytest.mark.parametrize(
    ("condition", "code"),
    [(ETAG, 206), (f"W/{ETAG}", 200), (f'"{"0" * 64}"', 200), ('"other"', 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)],
)
def test_a_range_of_something_else_than_the_client_has_is_the_whole(gateway, path, condition, code):
    answer = gateway.get(path, headers={"Range": "bytes=0-4", "If-Range": condition})

    assert (answer.status_code, answer.content) == (code, CONTENT[:5] if code == 206 else CONTENT)


def test_head_is_get_without_the_bytes(gateway, path):
    answer = gateway.call("HEAD", path)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Content-Type"] == "application/pdf"


def test_people_get_pages_that_say_what_to_do(gateway, service):
    for name, (token, code) in tokens_of_all_kinds(gateway, service).items():
        page = gateway.get(f"file/{token}", headers=BROWSER)
        assert (name, page.status_code) == (name, code)
        assert page.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self' https://www.listed.example" in page.headers["Content-Security-Policy"]
        expected = {403: "This link has expired", 404: "There is no such document", 500: "infected"}[code]
        assert expected in page.text
        assert token not in page.text


def test_people_get_pages_in_their_language(gateway):
    late = signing.expired(gateway.token(gateway.store(b"A note.")))

    page = gateway.get(f"file/{late}", headers=BROWSER | {"Accept-Language": "fr-BE,fr;q=0.9"})

    assert page.status_code == 403
    assert '<html lang="fr"' in page.text
    assert "This link has expired" not in page.text
    assert "Accept-Language" in page.headers["Vary"]


def test_damage_breaks_the_connection_before_the_damaged_block_and_is_told_from_then_on(gateway, damaged):
    received = []
    with gateway.call("GET", f"file/{damaged}", stream=True) as answer:
        assert answer.status_code == 200
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
            received.extend(answer.iter_content(65_536))
    assert len(b"".join(received)) == 2 * MEBIBYTE

    for where in ("file", "metadata"):
        again = gateway.get(f"{where}/{damaged}")
        assert again.status_code == 409
        assert "damaged" in again.json()["error"]
    assert gateway.get(f"file/{damaged}", headers=BROWSER).status_code == 409
    assert gateway.post("metadata", json=[damaged], key=True).json()[damaged]["error"]["code"] == "HASH_MISMATCH"
    assert damaged[:60] not in gateway.output()
    wait_until(lambda: "broke off" in gateway.output(), "the log says so")


def test_a_reader_that_goes_away_ends_the_transfer(gateway, service):
    token = gateway.token(gateway.store(files.pdf_of_size(40 * MEBIBYTE, seed=3), "large.pdf"))
    with gateway.call("GET", f"file/{token}", stream=True) as answer:
        assert next(answer.iter_content(1000))

    service.wait_for_output(r"method=DownloadService/Download code=CANCELLED")


@pytest.mark.parametrize("path", ["file/x", "metadata/x", "request-upload", "read-tokens"])
def test_other_methods_are_405(gateway, path):
    assert gateway.call("PUT", path, key=True).status_code == 405
