"""TLS and client certificates: who gets through, who does not, and that all parts work behind them."""

import io
import json
import subprocess
from pathlib import Path

import pytest

from osis_document_client import ApiKeyMissing, Unavailable, convert, merge
from tests.support import certificates, files
from tests.support.certificates import Authority
from tests.support.processes import clean_environment, console_script
from tests.support.server import KEYS, ServerProcess, serving
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess

pytestmark = pytest.mark.one_database

TEXT = b"over an encrypted wire\n" * 1000


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Whom clients and servers trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Whom nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def member(authority):
    """A certificate that a client shows."""
    return authority.issue("member", "client.example.org")


@pytest.fixture(scope="module")
def tls_server(authority, tmp_path_factory):
    """A server on its embedded default, with TLS, reachable from other hosts."""
    issued = authority.issue("server")
    folder = tmp_path_factory.mktemp("tls")
    with serving(folder, LISTEN="0.0.0.0:0", TLS_CERTIFICATE=str(issued.certificate), TLS_KEY=str(issued.key)) as running:
        yield running


@pytest.fixture(scope="module")
def target(tls_server):
    """Where clients find it."""
    return tls_server.target.replace("0.0.0.0", "127.0.0.1")


@pytest.fixture(scope="module")
def mutual_server(authority, redis_server, tmp_path_factory):
    """A server that asks its clients for certificates, for workers of other hosts."""
    issued = authority.issue("mutual")
    with serving(
        tmp_path_factory.mktemp("mutual"),
        BROKER_URL=redis_server.url(8),
        TLS_CERTIFICATE=str(issued.certificate),
        TLS_KEY=str(issued.key),
        TLS_CLIENT_CA=str(authority.file),
    ) as running:
        yield running


def round_trip(client):
    """Uploads, confirms, downloads; answers what came back."""
    [document] = client.confirm([client.upload(io.BytesIO(TEXT), name="note.txt")])
    received = io.BytesIO()
    client.download(client.create_token(document.id).token.token, received)
    return received.getvalue()


def test_documents_go_both_ways(target, authority):
    with certificates.client(target, trusts=authority) as client:
        assert round_trip(client) == TEXT


def test_the_worker_inside_works_as_ever(target, authority):
    with certificates.client(target, trusts=authority) as client:
        documents = client.confirm([client.upload(io.BytesIO(files.pdf(text)), name="a.pdf") for text in ("one", "two")])
        job = client.wait(client.start([document.id for document in documents], [merge()]).id, timeout=60)
        [merged] = job.actions[-1].records[0].output_document_ids
        received = io.BytesIO()
        client.download(client.create_token(merged).token.token, received)

    assert files.page_texts(received.getvalue()) == ["one", "two"]


def test_a_client_that_does_not_trust_the_authority_sends_nothing(target, stranger):
    with certificates.client(target, trusts=stranger) as client, pytest.raises(Unavailable):
        client.create_token("7a8e1c39-0000-4000-8000-000000000000")


@pytest.mark.slow
def test_a_client_that_knows_the_server_by_another_name_sends_nothing(tmp_path, authority):
    elsewhere = authority.issue("elsewhere", "documents.example.org")
    settings = {"TLS_CERTIFICATE": str(elsewhere.certificate), "TLS_KEY": str(elsewhere.key)}
    with (
        serving(tmp_path / "server", **settings) as server,
        certificates.client(server.target, trusts=authority) as client,
        pytest.raises(Unavailable),
    ):
        client.create_token("7a8e1c39-0000-4000-8000-000000000000")


def test_plain_text_is_not_understood(target):
    with certificates.client(target) as client, pytest.raises(Unavailable):
        client.create_token("7a8e1c39-0000-4000-8000-000000000000")


def run_cli(*arguments, settings, environment, cwd):
    """Runs `osis-document` and answers what it printed."""
    done = subprocess.run(
        [*console_script("osis-document", "osis_document_client.cli"), *arguments],
        env=clean_environment(settings) | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_command_line_goes_both_ways(target, authority, tmp_path):
    settings = {"TARGET": target, "API_KEY": KEYS["alpha"]}
    environment = certificates.variables(trusts=authority)
    (tmp_path / "note.txt").write_bytes(TEXT)

    uploaded = json.loads(run_cli("upload", "--json", "note.txt", settings=settings, environment=environment, cwd=tmp_path))
    run_cli("download", uploaded["id"], "-o", "back.txt", settings=settings, environment=environment, cwd=tmp_path)

    assert (tmp_path / "back.txt").read_bytes() == TEXT


def test_clients_of_the_same_user_on_this_machine_need_no_certificate(tls_server, authority, tmp_path):
    written = tls_server.client_file()
    socket_file = Path(written["target"].removeprefix("unix:"))
    (tmp_path / "var").symlink_to(tls_server.data)
    (tmp_path / "note.txt").write_bytes(TEXT)

    # Variables for another service do no harm.
    run_cli("upload", "note.txt", settings={}, environment=certificates.variables(trusts=authority), cwd=tmp_path)

    assert written["api_key"] == KEYS["alpha"]
    assert socket_file.is_socket()
    assert socket_file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_the_private_socket_is_gone_when_the_server_has_ended(tmp_path, authority):
    issued = authority.issue("short-lived")
    with serving(tmp_path / "server", TLS_CERTIFICATE=str(issued.certificate), TLS_KEY=str(issued.key)) as server:
        folder = Path(server.client_file()["target"].removeprefix("unix:")).parent
        assert server.stop() == 0

    assert not folder.exists()


@pytest.mark.needs_redis
def test_a_client_with_a_certificate_and_a_key_gets_through(mutual_server, authority, member):
    with certificates.client(mutual_server.target, trusts=authority, shows=member) as client:
        assert round_trip(client) == TEXT


@pytest.mark.needs_redis
def test_a_certificate_is_no_key(mutual_server, authority, member):
    with (
        certificates.client(mutual_server.target, caller="", trusts=authority, shows=member) as client,
        pytest.raises(ApiKeyMissing),
    ):
        client.create_token("7a8e1c39-0000-4000-8000-000000000000")


@pytest.mark.needs_redis
def test_a_client_without_a_certificate_is_refused(mutual_server, authority):
    with certificates.client(mutual_server.target, trusts=authority) as client, pytest.raises(Unavailable):
        client.create_token("7a8e1c39-0000-4000-8000-000000000000")


@pytest.mark.needs_redis
def test_a_client_with_a_certificate_of_somebody_else_is_refused(mutual_server, authority, stranger):
    with (
        certificates.client(mutual_server.target, trusts=authority, shows=stranger.issue("impostor")) as client,
        pytest.raises(Unavailable),
    ):
        client.create_token("7a8e1c39-0000-4000-8000-000000000000")


@pytest.mark.slow
@pytest.mark.needs_redis
def test_a_worker_of_another_host_works_behind_client_certificates(mutual_server, redis_server, authority, member, tmp_path):
    environment = certificates.variables(trusts=authority, shows=member)
    with (
        WorkerProcess(tmp_path, mutual_server, broker_url=redis_server.url(8), environment=environment),
        certificates.client(mutual_server.target, trusts=authority, shows=member) as client,
    ):
        [document] = client.confirm([client.upload(io.BytesIO(files.turned_jpeg()), name="photo.jpg")])
        job = client.wait(client.start([document.id], [convert()]).id, timeout=60)
        [converted] = job.actions[-1].records[0].output_document_ids
        received = io.BytesIO()
        client.download(client.create_token(converted).token.token, received)

    [(width, height)] = files.page_sizes(received.getvalue())
    assert width < height  # shown upright


@pytest.mark.needs_redis
def test_a_server_with_a_queue_has_no_way_in_without_a_certificate(mutual_server):
    assert mutual_server.client_file() is None


def replace(issued, files):
    """Puts another certificate in the place of one, each file at once, the key last."""
    for new, old in ((issued.certificate, files.certificate), (issued.key, files.key)):
        temporary = old.with_suffix(".new")
        temporary.write_bytes(new.read_bytes())
        temporary.replace(old)


@pytest.mark.slow
def test_a_renewed_certificate_is_taken_without_a_restart(tmp_path, authority):
    shown, renewed = authority.issue("shown"), authority.issue("renewed")
    old, new = shown.der, renewed.der
    settings = {"TLS_CERTIFICATE": str(shown.certificate), "TLS_KEY": str(shown.key)}
    with serving(tmp_path / "server", **settings) as server, certificates.client(server.target, trusts=authority) as client:
        assert certificates.shown_by(server.target) == old
        assert round_trip(client) == TEXT

        replace(renewed, shown)

        assert certificates.shown_by(server.target) == new
        assert round_trip(client) == TEXT
        server.wait_for_output("certificate renewed")


@pytest.mark.slow
def test_a_certificate_without_its_key_is_not_taken_and_the_old_one_stays(tmp_path, authority):
    shown, renewed = authority.issue("shown-2"), authority.issue("renewed-2")
    old, new = shown.der, renewed.der
    settings = {"TLS_CERTIFICATE": str(shown.certificate), "TLS_KEY": str(shown.key)}
    with serving(tmp_path / "server", **settings) as server:
        shown.certificate.write_bytes(renewed.certificate.read_bytes())

        assert certificates.shown_by(server.target) == old
        server.wait_for_output("the old one stays")

        shown.key.write_bytes(renewed.key.read_bytes())
        wait_until(lambda: certificates.shown_by(server.target) == new, "the new one is shown")


@pytest.mark.slow
def test_files_that_cannot_be_used_are_named_at_the_start(tmp_path, authority, stranger):
    certificate, key = authority.issue("good").certificate, stranger.issue("other").key
    with ServerProcess(tmp_path / "server", TLS_CERTIFICATE=str(certificate), TLS_KEY=str(key)) as server:
        assert server.wait() == 1, server.output()

    assert f"OSIS_DOCUMENT_TLS_KEY={key}: the key is not the one of the certificate in {certificate}" in server.output()
    assert "Traceback" not in server.output()
    assert not server.data.exists()
