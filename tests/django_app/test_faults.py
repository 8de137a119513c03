"""Services and hosts that are killed, transactions that are rolled back, and hostile clients: nothing is lost or half there."""

import base64
import pickle
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import requests
from django.db import transaction
from django.http import QueryDict

from osis_document import channel, exceptions
from osis_document.services import documents
from tests.django_app.project.dossiers.models import Dossier
from tests.django_app.project.pages import DossierForm
from tests.support import files
from tests.support.gate import Gate
from tests.support.gateway import GatewayProcess, gunicorn
from tests.support.leftovers import FORGETFUL, require_nothing_beside
from tests.support.processes import clean_environment
from tests.support.proxy import Proxy, Swallow
from tests.support.restarting import RestartingServer
from tests.support.server import KEYS, ServerProcess
from tests.support.slow_form import BOUNDARY, END_OF_FORM, SlowForm, rest_of, spooled
from tests.support.uploads import MEBIBYTE
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.without_service]

ROOT = Path(__file__).parents[2]
Upload = Callable[..., str]

#: What tells a client of HTTP that there should have been more.
BROKEN = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)

#: The default of holds.
HOLD = timedelta(days=7)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RestartingServer]:
    """A service that may be killed and started again."""
    with RestartingServer(tmp_path / "service", SWEEP_SECONDS="0.2") as server:
        yield server


@pytest.fixture
def host(mortal: RestartingServer, settings: Any) -> Iterator[Any]:
    """The settings of this process, which is a host of that service."""
    settings.OSIS_DOCUMENT_GRPC_TARGET = mortal.target
    settings.OSIS_DOCUMENT_API_SHARED_SECRET = KEYS["alpha"]
    settings.OSIS_DOCUMENT_TIMEOUTS = {"call": 2}
    yield settings
    channel.close()


# ---- the service is killed under the gateway -----------------------------------------------------------------------------------


def test_an_upload_whose_service_is_killed_is_refused_and_leaves_nothing(mortal: RestartingServer, tmp_path: Path) -> None:
    content = files.pdf_of_size(8 * MEBIBYTE)
    with gunicorn(tmp_path, mortal) as gateway:
        form = SlowForm(gateway, content)
        with closing(form):
            form.send(content[: 4 * MEBIBYTE])
            wait_until(lambda: any(path.stat().st_size for path in spooled(mortal.process)), "bytes have arrived")
            mortal.kill()
            mortal.start()
            status, text = rest_of(form, content[4 * MEBIBYTE :] + END_OF_FORM)
        assert status == 503, text
        assert text == '{"detail":"The document service cannot be reached at the moment. Try again later."}'
        kept = wait_until(lambda: stored(gateway, content), "it goes through again")
        assert gateway.get(f"file/{gateway.token(kept)}").content == content
        assert "Traceback" not in gateway.output()

    mortal.start(**FORGETFUL)
    require_nothing_beside(mortal.process, [kept])


def stored(gateway: GatewayProcess, content: bytes) -> str | None:
    """Uploads and confirms once the service is reached; answers the document's id."""
    answer = gateway.post("request-upload", files={"file": ("scan.pdf", content)}, key=True)
    assert answer.status_code in {201, 503}
    if answer.status_code == 503:
        return None
    confirmed = gateway.post(f"confirm-upload/{answer.json()['token']}", json={}, key=True)
    return str(confirmed.json()["uuid"])


def test_a_download_whose_service_is_killed_breaks_off_and_goes_on_by_a_range(mortal: RestartingServer, tmp_path: Path) -> None:
    content = files.pdf_of_size(20 * MEBIBYTE)
    with gunicorn(tmp_path, mortal) as gateway:
        path = f"file/{gateway.token(gateway.store(content, 'large.pdf'))}"
        got = bytearray()
        with gateway.get(path, stream=True) as answer:
            assert answer.headers["Content-Length"] == str(len(content))
            blocks = answer.iter_content(1 << 16)
            got += next(blocks)
            mortal.kill()
            with pytest.raises(BROKEN):
                deque(map(got.extend, blocks), maxlen=0)
        assert len(got) < len(content)
        mortal.start()

        def rest() -> requests.Response | None:
            answer_or_503 = gateway.get(path, headers={"Range": f"bytes={len(got)}-", "If-Range": answer.headers["ETag"]})
            return answer_or_503 if answer_or_503.status_code != 503 else None

        rest_of_it = wait_until(rest, "the service is reached")

    assert rest_of_it.status_code == 206
    assert bytes(got) + rest_of_it.content == content


# ---- the service is killed under a form ----------------------------------------------------------------------------------------


def form_of(tokens: list[str]) -> DossierForm:
    """The form as a browser sends it with these files."""
    data = QueryDict(mutable=True)
    data["title"] = "A dossier"
    for place, token in enumerate(tokens):
        data[f"files_{place}"] = token
    return DossierForm(data)


def is_held(document_id: object) -> bool:
    """Whether a document still waits for being made final."""
    return channel.client().get_document(str(document_id)).HasField("hold_expire_time")


def saved(tokens: list[str]) -> Dossier:
    """Sends the form again until the service is reached, and saves it."""

    def valid_form() -> DossierForm | None:
        form = form_of(tokens)
        return form if form.is_valid() else None

    dossier: Dossier = wait_until(valid_form, "the form is valid").save()
    return dossier


@pytest.mark.django_db(transaction=True)
def test_a_form_whose_service_is_killed_says_so_and_its_files_are_saved_later(
    host: Any, mortal: RestartingServer, upload: Upload
) -> None:
    tokens = [upload(f"Number {number}.".encode(), f"{number}.txt") for number in range(3)]
    form = form_of(tokens)
    assert form.is_valid()
    mortal.kill()

    with pytest.raises(exceptions.ServiceUnavailable, match="Try again later"), transaction.atomic():
        form.save()
    again = form_of(tokens)

    assert not again.is_valid()
    assert "cannot be reached" in str(again.errors["files"])
    assert all(token in str(again["files"]) for token in tokens), "the page keeps the files"
    assert not Dossier.objects.exists()
    mortal.start()
    dossier = saved(tokens)
    assert names_of(dossier) == ["0.txt", "1.txt", "2.txt"]
    assert not any(map(is_held, dossier.files))


@pytest.mark.django_db(transaction=True)
def test_a_confirmation_whose_answer_is_lost_once_is_repeated_unseen(host: Any, mortal: RestartingServer, upload: Upload) -> None:
    with Gate(int(mortal.target.rpartition(":")[2])) as gate:
        host.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{gate.port}"
        form = form_of([upload()])
        assert form.is_valid()
        gate.lose_answers(1)
        [document_id] = form.save().files
        assert not is_held(document_id)

    wait_until(lambda: mortal.process.output().count("ConfirmUploads code=OK") == 2, "both calls are in the log")
    assert len(mortal.process.rows("document")) == 1


@pytest.mark.django_db(transaction=True)
def test_files_that_were_confirmed_and_whose_answers_were_all_lost_are_to_be_added_again_and_block_nothing(
    host: Any, mortal: RestartingServer, upload: Upload
) -> None:
    with Gate(int(mortal.target.rpartition(":")[2])) as gate:
        host.OSIS_DOCUMENT_GRPC_TARGET = f"127.0.0.1:{gate.port}"
        tokens = [upload()]
        form = form_of(tokens)
        assert form.is_valid()
        gate.lose_answers(1000)
        with pytest.raises(exceptions.ServiceUnavailable):
            form.save()
    host.OSIS_DOCUMENT_GRPC_TARGET = mortal.target

    again = form_of(tokens)

    assert not again.is_valid()
    assert "add the file again" in str(again.errors["files"])
    assert not Dossier.objects.exists()
    [row] = mortal.process.rows("document")
    assert row["hold_expires_at"] is not None
    assert names_of(saved([upload()])) == ["note.txt"]


@pytest.mark.django_db(transaction=True)
def test_an_instance_whose_confirmation_was_not_heard_of_is_saved_again_with_the_same_files(
    host: Any, mortal: RestartingServer, upload: Upload
) -> None:
    dossier = Dossier(files=[upload(b"One.", "1.txt"), upload(b"Two.", "2.txt")], others=[upload(b"Three.", "3.txt")])
    with Proxy(mortal.target) as wire:
        host.OSIS_DOCUMENT_GRPC_TARGET = wire.target
        documents.all_metadata(dossier.files)
        channel.close()
        wire.plan.append(Swallow(after=wire.sent[0] + 300))  # as much again, and then some of the confirmation
        documents.all_metadata(dossier.files)
        with pytest.raises(exceptions.ServiceTimeout):
            dossier.save()
    host.OSIS_DOCUMENT_GRPC_TARGET = mortal.target
    confirmed = {str(UUID(str(row["id"]))) for row in mortal.process.rows("document") if row["hold_expires_at"] is not None}
    assert len(confirmed) == 2, "the service kept the files of the first field"

    dossier.files.append(upload(b"Four.", "4.txt"))  # meanwhile there may be more
    pickle.loads(pickle.dumps(dossier)).save()

    [stored] = Dossier.objects.all()
    assert names_of(stored) == ["1.txt", "2.txt", "4.txt"]
    assert len(stored.others) == 1
    assert confirmed < set(map(str, stored.files))
    assert not any(map(is_held, [*stored.files, *stored.others]))


@pytest.mark.django_db(transaction=True)
def test_a_save_whose_service_is_down_takes_no_longer_than_a_call_may(
    host: Any, mortal: RestartingServer, upload: Upload
) -> None:
    token = upload()
    mortal.kill()
    host.OSIS_DOCUMENT_TIMEOUTS = {"call": 1}
    pauses: list[float] = []
    client = channel.client()
    client.backoff = replace(client.backoff, sleep=pauses.append, jitter=lambda: 1.0)

    with pytest.raises(exceptions.ServiceUnavailable):
        Dossier(files=[token]).save()

    assert pauses == [0.25, 0.5], "the next pause would be longer than all of the call may take"


def names_of(dossier: Dossier) -> list[str]:
    """The names of a dossier's files, as the service has them."""
    return [found.name for found in channel.client().get_documents(map(str, dossier.files)).require_all()]


# ---- the host's transaction ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_a_rollback_leaves_expires_by_its_hold_and_what_was_committed_stays(
    host: Any, mortal: RestartingServer, upload: Upload
) -> None:
    kept = saved([upload(b"Kept.")])
    lost = Dossier(files=[upload(b"Lost.")])
    before = datetime.now(UTC)
    with transaction.atomic():
        lost.save()
        transaction.set_rollback(True)
    [kept_id, lost_id] = [*kept.files, *lost.files]

    held_until = channel.client().get_document(str(lost_id)).hold_expire_time.ToDatetime(UTC)
    assert timedelta(0) <= held_until - before - HOLD < timedelta(minutes=1)
    mortal.process.end()
    pass_the_time(mortal.process, HOLD)
    mortal.start()

    wait_until(lambda: len(mortal.process.rows("document")) == 1, "the hold ends", seconds=20)
    [row] = mortal.process.rows("document")
    assert (str(UUID(row["id"])), row["status"]) == (str(kept_id), "UPLOADED")


def pass_the_time(server: ServerProcess, span: timedelta) -> None:
    """Moves the ends of all holds of a server that does not run so far into the past."""
    with closing(sqlite3.connect(server.data / "osis-document.db")) as database, database:
        held = database.execute("SELECT id, hold_expires_at FROM document WHERE hold_expires_at IS NOT NULL").fetchall()
        for key, moment in held:
            earlier = datetime.fromisoformat(moment) - span
            database.execute("UPDATE document SET hold_expires_at = ? WHERE id = ?", (earlier.isoformat(" "), key))


#: Django calls hooks in their order: this one comes before the app's.
DIE_AFTER_COMMIT = """
import os, signal
from django.db import transaction
from tests.django_app.project.dossiers.models import Dossier
with transaction.atomic():
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    Dossier.objects.create(title="Saved", files={files})
"""


def test_what_a_host_that_died_after_its_commit_left_held_is_made_final_by_reconciling(
    host: Any, mortal: RestartingServer, upload: Upload, tmp_path: Path
) -> None:
    manage(tmp_path, mortal, "migrate", "--run-syncdb", "--verbosity=0")
    tokens = [upload(b"One."), upload(b"Two.")]

    manage(tmp_path, mortal, "shell", "-c", DIE_AFTER_COMMIT.format(files=tokens), status=-signal.SIGKILL)
    named = documents_named(tmp_path)

    assert len(named) == 2
    assert all(map(is_held, named))

    told = manage(tmp_path, mortal, "osis_document_reconcile").stdout

    assert "finalized: 2, missing: 0, unnamed: 0" in told
    assert not any(map(is_held, named))
    assert [described["status"] for described in documents.describe(named).values()] == ["UPLOADED"] * 2


def manage(folder: Path, server: RestartingServer, *words: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
    """Runs a command of a host, in a process of its own and with a database in this folder."""
    environment = clean_environment({}) | {
        "DJANGO_SETTINGS_MODULE": "tests.django_app.project.separate",
        "TESTS_DATABASE": str(folder / "host.sqlite3"),
        "TESTS_GRPC_TARGET": server.target,
    }
    done = subprocess.run(
        [sys.executable, "-m", "django", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    return done


def documents_named(folder: Path) -> list[str]:
    """The documents that the rows of that host name."""
    with closing(sqlite3.connect(folder / "host.sqlite3")) as database:
        [(value,)] = database.execute("SELECT files FROM dossiers_dossier").fetchall()
    return re.findall(r'"([0-9a-f-]{36})"', value)


# ---- clients that mean harm ----------------------------------------------------------------------------------------------------


def test_clients_that_send_byte_by_byte_hold_nobody_up(gateway: GatewayProcess) -> None:
    content = b"A" * 1000
    with ExitStack() as stack:
        forms = [stack.enter_context(closing(SlowForm(gateway, content, name="slow.txt"))) for _ in range(6)]
        for place in range(200):
            for form in forms:
                form.send(content[place : place + 1])
            if place % 20 == 0:
                answer = gateway.post("request-upload", files={"file": ("note.txt", b"A note.")})
                assert answer.status_code == 201
                assert answer.elapsed.total_seconds() < 10
        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(lambda _: gateway.store(b"A note."), range(12)))
        assert len(set(statuses)) == 12
        for form in forms:  # nor is one of them refused for being slow
            assert rest_of(form, content[200:] + END_OF_FORM)[0] == 201


NAMES = {
    "up": "../../etc/passwd.txt",
    "up on Windows": "..\\..\\windows\\win.txt",
    "absolute": "/etc/cron.d/note.txt",
    "NUL": "note\0.pdf.txt",
    "CRLF": "note\r\nX-Evil: 1\r\n\r\n<script>.txt",
    "line separators": "note\u2028\u2029\u0085.txt",
    "right to left": "invoice\u202efdp.txt",
    "isolates": "a\u2066b\u2069\u200f.txt",
    "quotes": 'note"; filename="evil.exe.txt',
    "percents": "%2e%2e%2fnote%0d%0a.txt",
}
_NO_NAME = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TURNS_TEXT = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("name", [pytest.param(name, id=key) for key, name in NAMES.items()])
def test_names_come_back_safe_or_are_refused(gateway: GatewayProcess, name: str) -> None:
    note = gateway.store(b"A note.")
    for sent in (by_form(gateway, name), by_tus(gateway, name), by_change(gateway, note, name)):
        assert sent is None or safe_headers(gateway, sent)


def by_form(gateway: GatewayProcess, name: str) -> str | None:
    """Uploads under a name, which goes as RFC 5987 has it, so that every character arrives; None if it is refused."""
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    head = b"--" + BOUNDARY + f"\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''{encoded}\r\n\r\n".encode()
    answer = gateway.post(
        "request-upload",
        data=head + b"A note." + END_OF_FORM,
        headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"},
    )
    return token_or_none(answer)


def by_tus(gateway: GatewayProcess, name: str) -> str | None:
    """Uploads under a name in base64; None if it is refused."""
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "7",
        "Upload-Metadata": f"filename {base64.b64encode(name.encode()).decode()}",
        "Content-Type": "application/offset+octet-stream",
    }
    answer = gateway.post("uploads/", data=b"A note.", headers=headers)
    assert answer.status_code in {201, 400}, answer.text
    return answer.headers.get("Osis-Document-Token")


def by_change(gateway: GatewayProcess, document_id: str, name: str) -> str | None:
    """Renames a document; None if that is refused."""
    token = gateway.token(document_id, write=True)
    answer = gateway.post(f"change-metadata/{token}", json={"name": name})
    assert answer.status_code in {200, 400}, answer.text
    return token if answer.status_code == 200 else None


def token_or_none(answer: requests.Response) -> str | None:
    """The token of an upload; None if it was refused as it may be."""
    assert answer.status_code in {201, 400}, answer.text
    return answer.json()["token"] if answer.status_code == 201 else None


def safe_headers(gateway: GatewayProcess, token: str) -> bool:
    """Requires that a document is sent with the headers that it should have, read as bytes, and a name that is only a name."""
    where = urlsplit(gateway.url)
    with socket.create_connection((str(where.hostname), where.port or 80), timeout=30) as connection:
        connection.sendall(f"GET {where.path}file/{token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    [disposition] = re.findall(rb"(?mi)^content-disposition: (.*)\r?$", head)
    assert body == b"A note."
    assert head.startswith(b"HTTP/1.1 200")
    assert not re.search(rb"(?mi)^x-evil", head)
    assert re.fullmatch(rb"attachment; filename(=\"([^\"\\]|\\.)*\"|\*=utf-8''[A-Za-z0-9%!#$&+.^_`|~-]+)\r?", disposition), (
        disposition
    )
    name = saved_name(disposition.decode("ascii"))
    assert not _NO_NAME.search(name)
    assert not _NO_NAME.search(gateway.get(f"metadata/{token}").json()["name"])
    assert not _TURNS_TEXT.search(name)
    return True


def saved_name(disposition: str) -> str:
    """The name that a browser saves the file under."""
    message = Message()
    message["Content-Disposition"] = disposition.strip()
    return str(message.get_filename())
