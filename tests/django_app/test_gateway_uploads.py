"""Uploading and confirming over HTTP, under gunicorn."""

import socket
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.benchmarks.memory import Memory
from tests.support import files, signing
from tests.support.changes import delete, infect
from tests.support.gateway import KEY, gunicorn
from tests.support.uploads import MEBIBYTE
from tests.support.waiting import wait_until

pytestmark = pytest.mark.without_service

LISTED = "https://www.listed.example"


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    """The gateway without limits."""
    with gunicorn(
        tmp_path_factory.mktemp("gateway"), service, OSIS_DOCUMENT_DOMAIN_LIST=[LISTED, "bare.example:8001"]
    ) as running:
        yield running


@pytest.fixture(scope="module")
def limited(service, tmp_path_factory):
    """A gateway behind one proxy, with small limits for strangers."""
    settings = {
        "OSIS_DOCUMENT_UPLOAD_LIMIT": "3/day",
        "OSIS_DOCUMENT_TRUSTED_ADDRESSES": ["10.1.0.0/16", "2001:db8:1::5"],
        "OSIS_DOCUMENT_ANONYMOUS_MAX_UPLOAD_SIZE": 200_000,
        "REST_FRAMEWORK": {"NUM_PROXIES": 1},
    }
    with gunicorn(tmp_path_factory.mktemp("limited"), service, **settings) as running:
        yield running


@pytest.fixture
def capped(service, tmp_path):
    """A gateway behind one proxy, where little may wait for its confirmation."""
    settings = {
        "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING_PER_ADDRESS": 500_000,
        "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING": 1_000_000,
        "REST_FRAMEWORK": {"NUM_PROXIES": 1},
    }
    with gunicorn(tmp_path, service, **settings) as running:
        yield running


def upload_from(gateway, address, content=b"A note.", **arguments):
    """Uploads as the proxy would pass it on from this address."""
    return gateway.post(
        "request-upload",
        files={"file": ("note.txt", content)},
        headers={"X-Forwarded-For": f"1.2.3.4, {address}"} | arguments.pop("headers", {}),
        **arguments,
    )


# ---- request-upload -----------------------------------------------------------------------------------------------------


def test_an_uploaded_and_confirmed_file_comes_back_byte_for_byte(gateway):
    content = b"First line.\nSecond line.\n" * 1000
    token = gateway.token(gateway.store(content, "Rapport été.txt"))

    described = gateway.get(f"metadata/{token}").json()
    answer = gateway.get(f"file/{token}")

    assert described["name"] == "Rapport été.txt"
    assert described["size"] == len(content)
    assert described["hash"] == sha256(content).hexdigest()
    assert answer.status_code == 200
    assert answer.content == content


def test_uploading_needs_no_key_and_answers_a_write_token(gateway):
    answer = gateway.post("request-upload", files={"file": ("note.txt", b"A note.")})

    assert answer.status_code == 201
    assert list(answer.json()) == ["token"]
    assert signing.claims_of(answer.json()["token"])["purpose"] == "upload"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"files": {"other": ("note.txt", b"A note.")}}, "file"),
        ({"files": {"file": ("tool.exe", b"MZ")}}, "pdf"),
        ({"files": {"file": ("empty.txt", b"")}}, "empty"),
        ({"data": b"no boundary here", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, "file"),
        ({"data": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, "boundary"),
        ({"files": {"file": ("n" * 300 + ".txt", b"A note.")}}, "name"),
    ],
    ids=["no file", "extension", "empty", "not a form", "no boundary", "long name"],
)
def test_what_cannot_be_uploaded_is_400_and_says_why(gateway, form, says):
    answer = gateway.post("request-upload", **form)

    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    assert says in answer.json()["error"].lower()


def test_content_of_another_type_than_the_extension_is_409_and_leaves_nothing(gateway, service):
    content = files.png(33)
    answer = gateway.post("request-upload", files={"file": ("photo.pdf", content)})

    assert answer.status_code == 409
    assert "extension" in answer.json()["error"]
    assert all(path.read_bytes() != content for path in service.blob_files().values())


def test_other_bodies_than_forms_are_415(gateway):
    assert gateway.post("request-upload", json={"file": "note"}).status_code == 415


def test_a_body_of_unknown_length_is_411(gateway):
    assert (
        gateway.post(
            "request-upload", data=iter([b"--x"]), headers={"Content-Type": "multipart/form-data; boundary=x"}
        ).status_code
        == 411
    )


@pytest.mark.parametrize("sent", ["../../etc/passwd.txt", "..\\..\\boot.txt", "; rm -rf $(pwd) `id`.txt", "été €.txt"])
def test_a_name_is_only_a_name(gateway, sent):
    token = gateway.upload(b"A note.", sent)

    name = gateway.get(f"metadata/{token}").json()["name"]

    assert name == sent.replace("\\", "/").rsplit("/", 1)[-1]


def test_the_widest_form_is_understood(gateway):
    """Other fields and other files before and after the one that counts."""
    form = [("a", (None, "1")), ("other", ("x.exe", b"x" * 100_000)), ("file", ("n.txt", b"A note.")), ("z", (None, "2"))]
    token = gateway.post("request-upload", files=form).json()["token"]

    assert gateway.get(f"file/{token}").content == b"A note."


def test_a_large_upload_is_neither_in_memory_nor_in_a_temporary_file(gateway, service):
    content = files.pdf_of_size(96 * MEBIBYTE)
    gateway.upload(b"warm up")
    [worker] = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()
    memory = Memory(int(worker))
    memory.forget_peak()
    before = memory.now()

    token = gateway.upload(content, "large.pdf", key=False)

    assert memory.peak() - before < 64 * MEBIBYTE  # of 96; `make bench` measures
    assert gateway.get(f"metadata/{token}").json()["hash"] == sha256(content).hexdigest()
    memory.forget_peak()
    before = memory.now()
    with gateway.call("GET", f"file/{token}", stream=True) as answer:
        got = sha256()
        for block in answer.iter_content(MEBIBYTE):
            got.update(block)
    assert got.hexdigest() == sha256(content).hexdigest()
    assert memory.peak() - before < 64 * MEBIBYTE  # of 96; `make bench` measures


def test_a_body_that_ends_too_soon_is_no_upload_and_leaves_nothing(gateway, service):
    """Not even where the client still listens, and would take a token for its truncated file."""
    before = set(service.blob_files())
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="cut.txt"\r\n\r\n'
    body = head + files.text_of_size(3 * MEBIBYTE)
    where = urlsplit(gateway.url)
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(
            b"POST /osis_document/request-upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            + f"Content-Length: {len(body) + 1000}\r\n\r\n".encode()
            + body
        )
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1 << 16)

    assert b" 201 " not in answer
    wait_until(lambda: set(service.blob_files()) <= before, "nothing is left of the upload")


# ---- confirm-upload -----------------------------------------------------------------------------------------------------


def test_confirming_takes_nulls_and_keys_that_it_does_not_know(gateway):
    body = {
        "upload_to": None,
        "related_model": None,
        "document_expiration_policy": None,
        "metadata": None,
        "uuid": None,
        "pk": 3,
    }
    token = gateway.upload(b"A note.")

    answer = gateway.post(f"confirm-upload/{token}", json=body, key=True)

    assert answer.status_code == 201
    assert gateway.get(f"file/{gateway.token(answer.json()['uuid'])}").content == b"A note."


def test_confirming_sets_path_metadata_and_expiration(gateway, service):
    identifier = gateway.store(
        b"A note.",
        upload_to="admission/2026",
        metadata={"author": "me", "pages": 3, "size": 1, "url": "javascript:alert(1)"},
        document_expiration_policy="EXPORT_EXPIRATION_POLICY",
    )

    document = service.client().get_document(identifier)
    described = gateway.get(f"metadata/{gateway.token(identifier)}").json()

    assert document.path == "admission/2026/note.txt"
    assert document.HasField("expire_time")
    assert (described["author"], described["pages"]) == ("me", 3)
    assert described["size"] == len(b"A note.")
    assert described["url"].startswith(f"{gateway.url}file/")


@pytest.mark.parametrize(
    "body",
    [
        {"document_expiration_policy": "SOMETIME"},
        {"metadata": ["a"]},
        {"upload_to": "../../etc"},
        {"related_model": {"app": "nobody", "model": "nothing", "field": "files"}},
        {"related_model": {"app": "nobody"}},
        ["a list"],
    ],
    ids=["policy", "metadata", "path", "unknown model", "half a model", "list"],
)
def test_confirming_with_what_cannot_be_is_400_and_spends_nothing(gateway, body):
    token = gateway.upload(b"A note.")

    answer = gateway.post(f"confirm-upload/{token}", json=body, key=True)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert gateway.post(f"confirm-upload/{token}", key=True).status_code == 201


def test_confirming_with_a_token_that_is_spent_expired_foreign_or_infected(gateway, service):
    spent, late, ill = (gateway.upload(b"A note." + bytes(str(n), "ascii")) for n in range(3))
    assert gateway.post(f"confirm-upload/{spent}", key=True).status_code == 201
    infect(service.stubs(), signing.claims_of(ill)["document"])

    answers = {
        name: gateway.post(f"confirm-upload/{quote(token)}", key=True)
        for name, token in [("spent", spent), ("late", signing.expired(late)), ("foreign", "no/token"), ("ill", ill)]
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "spent": 400,
        "late": 400,
        "foreign": 400,
        "ill": 500,
    }
    assert answers["spent"].json()["error"]
    assert answers["ill"].json() == {"detail": "INFECTED"}


def test_a_write_token_of_a_kept_document_confirms_to_the_same_document(gateway):
    identifier = gateway.store(b"A note.")

    answer = gateway.post(f"confirm-upload/{gateway.token(identifier, write=True)}", json={}, key=True)

    assert (answer.status_code, answer.json()) == (201, {"uuid": identifier})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "confirm-upload/token"),
        ("POST", "declare-file-as-infected"),
        ("POST", "declare-files-as-deleted"),
        ("POST", "read-token/00000000-0000-4000-8000-000000000000"),
        ("POST", "write-token/00000000-0000-4000-8000-000000000000"),
        ("POST", "read-tokens"),
        ("POST", "metadata"),
        ("POST", "post-processing"),
        ("GET", "get-progress-async-post-processing/00000000-0000-4000-8000-000000000000"),
        ("POST", "get-progress-async-post-processing/00000000-0000-4000-8000-000000000000?signature=forged"),
        ("POST", "duplicate"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "alpha-secre"}, {"X-Api-Key": "ällpha"}], ids=["no key", "wrong", "odd"])
def test_what_needs_the_key_is_403_without_it(gateway, method, path, headers):
    answer = gateway.call(method, path, headers={name: value.encode() for name, value in headers.items()}, json={})

    assert answer.status_code == 403
    assert "X-Api-Key" in answer.json()["detail"]


# ---- limits -------------------------------------------------------------------------------------------------------------


def test_an_address_may_upload_so_often_and_then_is_told_when_to_come_back(limited):
    codes = [upload_from(limited, "203.0.113.1").status_code for _ in range(4)]
    refused = upload_from(limited, "203.0.113.1", files.text_of_size(20 * MEBIBYTE))  # it sees the answer although it sends first

    assert codes == [201, 201, 201, 429]
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert refused.json()["detail"]


def test_other_addresses_trusted_ones_and_key_holders_are_not_held_up(limited):
    strangers = [upload_from(limited, "203.0.113.2").status_code for _ in range(4)]
    trusted = [upload_from(limited, address).status_code for address in ["10.1.2.3", "2001:db8:1::9"] for _ in range(4)]
    with_key = [upload_from(limited, "203.0.113.2", headers=KEY).status_code for _ in range(2)]

    assert strangers[-1] == 429
    assert set(trusted) == set(with_key) == {201}


def test_what_a_client_writes_into_forwarded_for_itself_does_not_help_it(limited):
    codes = [
        limited.post(
            "request-upload", files={"file": ("n.txt", b"A note.")}, headers={"X-Forwarded-For": f"9.9.9.{n}, 203.0.113.3"}
        ).status_code
        for n in range(4)
    ]

    assert codes == [201, 201, 201, 429]


@pytest.mark.parametrize("size", [201_000, 3_000_000], ids=["seen while it comes", "announced"])
def test_a_strangers_file_above_the_cap_is_413(limited, size):
    answer = upload_from(limited, f"203.0.113.{size % 100 + 10}", files.text_of_size(size))
    with_key = upload_from(limited, "203.0.113.4", files.text_of_size(size), headers=KEY)

    assert answer.status_code == 413
    assert "200000" in answer.json()["error"]
    assert with_key.status_code == 201


def test_unconfirmed_bytes_are_capped_per_address_and_in_all_and_confirming_frees_them(capped):
    note = files.text_of_size(190_000)
    first = [upload_from(capped, "203.0.113.20", note) for _ in range(3)]
    assert [answer.status_code for answer in first] == [201, 201, 429]
    assert int(first[-1].headers["Retry-After"]) > 0
    assert upload_from(capped, "203.0.113.20", note, headers=KEY).status_code == 201

    others = [upload_from(capped, f"203.0.113.{n}", note).status_code for n in (21, 22, 23, 24, 25)]
    assert others == [201, 201, 201, 429, 429]  # a million in all, whoever they are from

    for answer in first[:2]:
        assert capped.post(f"confirm-upload/{answer.json()['token']}", key=True).status_code == 201
    assert [upload_from(capped, f"203.0.113.{n}", note).status_code for n in (26, 27, 28)] == [201, 201, 429]


def test_uploads_that_were_confirmed_elsewhere_or_refused_do_not_count(capped, service):
    note = files.text_of_size(190_000)
    assert upload_from(capped, "203.0.113.1", files.png() * 2000).status_code == 409
    tokens = [upload_from(capped, "203.0.113.1", note).json()["token"] for _ in range(2)]
    assert upload_from(capped, "203.0.113.1", note).status_code == 429

    service.client().confirm(tokens)

    wait_until(lambda: upload_from(capped, "203.0.113.1", note).status_code == 201, "the bytes are counted no more")


# ---- other sites --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [LISTED, "http://bare.example:8001", "https://bare.example:8001"])
def test_scripts_of_listed_sites_may_read_answers_and_refusals(gateway, origin):
    good = gateway.post("request-upload", files={"file": ("n.txt", b"A note.")}, headers={"Origin": origin})
    bad = gateway.post("request-upload", files={"file": ("n.exe", b"A note.")}, headers={"Origin": origin})
    asked = gateway.call("OPTIONS", "request-upload", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})

    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in (good, bad, asked)} == {origin}
    assert all("Origin" in answer.headers["Vary"] for answer in (good, bad, asked))
    assert asked.status_code == 204
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in good.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{LISTED}.evil.example", "http://www.listed.example", None])
def test_scripts_of_other_sites_may_not(gateway, origin):
    answer = gateway.post("request-upload", files={"file": ("n.exe", b"x")}, headers={"Origin": origin} if origin else {})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_neither_tokens_nor_keys_reach_the_log(gateway, service):
    identifier = gateway.store(b"A secret note.")
    token = gateway.token(identifier)
    delete(service.stubs(), identifier)
    gateway.get(f"file/{token}")
    gateway.get(f"metadata/{signing.expired(token)}")
    infect(service.stubs(), identifier)
    assert gateway.get(f"metadata/{token}").status_code == 500

    assert token[:60] not in gateway.output()
    assert KEY["X-Api-Key"] not in gateway.output()
