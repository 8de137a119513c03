"""Connections that are cut, reset, slow, or lose an answer: transfers come whole, and nothing is done twice."""

import hashlib
import itertools
import random
import re
import shlex
import subprocess
import threading

import pytest

from osis.document.v1.document_pb2 import DOCUMENT_STATUS_DELETED, DOCUMENT_STATUS_UPLOADED
from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest
from osis_document_client import Backoff, Client, ClientConfig, OsisDocumentError, UploadInterrupted, UploadNotFound, merge
from tests.support import files
from tests.support.downloads import content_of
from tests.support.processes import clean_environment, console_script
from tests.support.proxy import Cut, Delay, Proxy, Swallow
from tests.support.server import KEYS
from tests.support.uploads import MEBIBYTE, new_id, store, upload
from tests.support.waiting import wait_until

CONTENT = files.pdf_of_size(5 * MEBIBYTE + 11, seed=21)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
# What is looked at here is the network and the client; which database the service has makes no difference.
pytestmark = [pytest.mark.one_database, pytest.mark.slow]

#: More than a connection needs to be set up, less than any call has.
SET_UP = 400


@pytest.fixture
def proxy(server):
    with Proxy(server.target) as proxy:
        yield proxy


@pytest.fixture
def client(proxy):
    """A client behind the proxy that does not wait long."""
    config = ClientConfig(target=proxy.target, api_key=KEYS["alpha"])
    with Client(config, backoff=Backoff(attempts=8, initial_seconds=0.05, maximum_seconds=0.2)) as client:
        yield client


@pytest.fixture
def direct(server):
    """The same client, past the proxy."""
    with server.client() as client:
        yield client


@pytest.fixture
def scan(tmp_path):
    (tmp_path / "scan.pdf").write_bytes(CONTENT)
    return tmp_path / "scan.pdf"


def size_safe(client, upload_id):
    """How much of an upload is safe; all of it when it is finished."""
    try:
        answer = client.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload_id))
    except UploadNotFound:
        return 0
    return answer.result.document.size_bytes or answer.persisted_size


# ---- uploads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("after", [1, 60, SET_UP, MEBIBYTE - 1, 3 * MEBIBYTE + 17, len(CONTENT), len(CONTENT) + 900])
def test_an_upload_over_a_connection_that_is_cut_arrives_once_and_whole(alpha, client, direct, proxy, scan, after, reset):
    proxy.plan.append(Cut(after, reset=reset))
    name = f"{new_id()}.pdf"

    result = client.upload(scan, name=name, chunk_size_bytes=256 << 10)

    assert (result.document.sha256, result.document.size_bytes) == (SHA256, len(CONTENT))
    [document] = direct.confirm([result])
    assert content_of(alpha, document.id) == CONTENT
    assert [each.id for each in direct.list_documents(name_contains=name)] == [document.id]
    assert proxy.connections == 2


@pytest.mark.parametrize("seed", range(6))
def test_an_upload_over_many_bad_connections_sends_little_twice(direct, proxy, scan, seed):
    chance = random.Random(seed)
    cuts = [Cut(chance.randrange(MEBIBYTE, 2 * MEBIBYTE), reset=chance.random() < 0.5, seconds=0.004) for _ in range(3)]
    proxy.plan.extend(cuts)
    upload_id, safe, seen = new_id(), [0], []

    def pause(_):
        """Until the service has noticed that the connection is gone, and recorded what came over it."""
        safe.append(wait_until(lambda: max(size_safe(direct, upload_id) - safe[-1], 0), "it is recorded") + safe[-1])

    config = ClientConfig(target=proxy.target, api_key=KEYS["alpha"])
    with Client(config, backoff=Backoff(sleep=pause)) as client:
        result = client.upload(
            scan, upload_id=upload_id, resume=False, chunk_size_bytes=64 << 10, progress=lambda done, _: seen.append(done)
        )

    assert result.document.sha256 == SHA256
    begins = [0, *(now for before, now in itertools.pairwise(seen) if now < before)]
    assert set(begins) <= set(safe), "it steps back only to what is safe"
    assert sum(proxy.sent) < 1.5 * len(CONTENT), "sent again is only what was on its way when a connection was cut"


def test_an_upload_whose_last_answer_is_lost_is_the_same_document_and_no_second_one(client, direct, proxy, scan):
    proxy.plan.append(Swallow(after=len(CONTENT)))
    upload_id, name = new_id(), f"{new_id()}.pdf"
    results = []
    uploading = threading.Thread(target=lambda: results.append(client.upload(scan, name=name, upload_id=upload_id, resume=False)))
    uploading.start()

    wait_until(lambda: size_safe(direct, upload_id) == len(CONTENT), "the service has finished the upload")
    assert uploading.is_alive(), "it has not heard of it"
    proxy.cut()
    uploading.join(60)

    [result] = results
    assert (result.document.id, result.document.sha256) == (upload_id, SHA256)
    assert direct.confirm([result])[0].status == DOCUMENT_STATUS_UPLOADED
    assert [each.id for each in direct.list_documents(name_contains=name, statuses=[])] == [upload_id]
    assert proxy.sent[1] < MEBIBYTE, "the file was not sent again"


def test_an_upload_over_a_slow_connection_takes_its_time(client, proxy, scan):
    proxy.plan.append(Delay(0.005))

    assert client.upload(scan).document.sha256 == SHA256


def test_an_upload_that_is_given_up_goes_on_from_what_is_safe(client, direct, proxy, scan):
    proxy.plan.extend([Cut(2 * MEBIBYTE, seconds=0.004), *[Cut(SET_UP)] * 99])
    with pytest.raises(UploadInterrupted) as caught:
        client.upload(scan, chunk_size_bytes=64 << 10)
    safe = wait_until(lambda: size_safe(direct, caught.value.upload_id), "what came is recorded")
    assert not caught.value.nothing_done
    seen = []

    result = direct.upload(scan, upload_id=caught.value.upload_id, progress=lambda done, _: seen.append(done))

    assert result.document.sha256 == SHA256
    assert seen[0] == safe


# ---- downloads --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_download_over_bad_connections_is_the_content_and_nothing_twice(alpha, client, direct, proxy, tmp_path, seed):
    document = store(alpha, CONTENT, "scan.pdf")
    token = direct.create_token(document.id).token.token
    chance = random.Random(seed)
    proxy.plan.extend([Cut(chance.randrange(SET_UP, 2 * MEBIBYTE), reset=chance.random() < 0.5) for _ in range(4)])
    seen = []

    client.download(token, tmp_path / "copy.pdf", progress=lambda done, _: seen.append(done))

    assert (tmp_path / "copy.pdf").read_bytes() == CONTENT
    assert seen == sorted(seen), "a download never steps back"
    assert proxy.connections == 5


# ---- calls whose answer is lost ---------------------------------------------------------------------------------------------


def with_a_lost_answer(proxy, call, *, until):
    """Makes a call whose first answer is lost, once `until` says that the service has done it; returns the second answer."""
    proxy.plan.append(Swallow(after=SET_UP))
    answers, errors = [], []

    def run():
        try:
            answers.append(call())
        except OsisDocumentError as exc:
            errors.append(exc)

    calling = threading.Thread(target=run)
    calling.start()
    wait_until(until, "the service has done what was asked for", seconds=60)
    assert calling.is_alive(), "the caller has not heard of it"
    proxy.cut()
    calling.join(60)
    assert not errors
    [answer] = answers
    return answer


def test_a_confirmation_whose_answer_is_lost_is_answered_the_second_time(alpha, client, direct, proxy):
    result = upload(alpha, b"once")

    [document] = with_a_lost_answer(
        proxy,
        lambda: client.confirm([result], path="a/"),
        until=lambda: direct.get_document(result.document.id).status == DOCUMENT_STATUS_UPLOADED,
    )

    assert (document.id, document.path) == (result.document.id, "a/note.txt")


def test_a_duplicate_whose_answer_is_lost_is_made_once(alpha, client, direct, proxy):
    original = store(alpha, b"once", f"{new_id()}.txt")

    [made] = with_a_lost_answer(
        proxy,
        lambda: client.duplicate([original.id]),
        until=lambda: len(list(direct.list_documents(name_contains=original.name))) == 2,
    )

    assert {each.id for each in direct.list_documents(name_contains=original.name)} == {original.id, made.id}


def test_a_deletion_whose_answer_is_lost_is_no_error(alpha, client, direct, proxy):
    document = store(alpha, b"once")

    [deleted] = with_a_lost_answer(
        proxy,
        lambda: client.delete([document.id]),
        until=lambda: direct.get_document(document.id).status == DOCUMENT_STATUS_DELETED,
    )

    assert deleted.id == document.id


def test_a_job_whose_start_is_lost_runs_once(alpha, client, direct, proxy):
    document = store(alpha, files.pdf("one page"), "page.pdf")

    def jobs():
        return list(direct.list_jobs(document_id=document.id))

    job = with_a_lost_answer(proxy, lambda: client.start([document.id], [merge()]), until=jobs)

    assert [each.id for each in jobs()] == [job.id]


def test_a_rotation_whose_answer_is_lost_turns_once(alpha, client, direct, proxy):
    document = store(alpha, files.png(), "photo.png")
    token = direct.create_token(document.id, write=True).token.token

    answer = with_a_lost_answer(
        proxy, lambda: client.rotate_image(token, 90), until=lambda: direct.get_document(document.id).revision == 1
    )

    assert answer.document.revision == direct.get_document(document.id).revision == 1
    assert direct.rotate_image(answer.token, 90).document.revision == 2, "the token that was answered is good"


# ---- the command line -------------------------------------------------------------------------------------------------------


def run(target, *arguments, check=True):
    environment = clean_environment({"TARGET": target, "API_KEY": KEYS["alpha"]})
    command = [*console_script("osis-document", "osis_document_client.cli"), *(str(each) for each in arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check)


def test_what_the_command_line_says_after_an_interruption_works(server, proxy, scan):
    proxy.plan.extend([Cut(2 * MEBIBYTE, reset=True, seconds=0.004), *[Cut(SET_UP)] * 99])

    interrupted = run(proxy.target, "upload", "--path", "scans/", scan, check=False)

    assert interrupted.returncode == 3
    command = re.search(r"to do: go on with `(.*)`", interrupted.stderr).group(1)
    done = run(server.target, *shlex.split(command)[1:])
    assert f"sha256  {SHA256}" in done.stdout


def test_an_upload_that_was_killed_goes_on_under_its_id(server, direct, proxy, scan):
    upload_id = new_id()
    proxy.plan.append(Delay(0.02))
    environment = clean_environment({"TARGET": proxy.target, "API_KEY": KEYS["alpha"]})
    command = console_script("osis-document", "osis_document_client.cli")
    process = subprocess.Popen([*command, "upload", "--upload-id", upload_id, scan], env=environment)
    wait_until(lambda: proxy.connections and proxy.sent[0] > 2 * MEBIBYTE, "it is under way", seconds=30)
    process.kill()
    process.wait()
    wait_until(lambda: size_safe(direct, upload_id), "what came is recorded")

    done = run(server.target, "upload", "--upload-id", upload_id, scan)

    assert f"id      {upload_id}" in done.stdout
    assert f"sha256  {SHA256}" in done.stdout
