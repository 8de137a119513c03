"""Moving the existing product's tables and media folder into the service, by `manage.py osis_document_import`."""

import hashlib
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from osis.document.v1.document_pb2 import Document, DocumentRef, DocumentStatus, ExpirationPolicy
from osis.document.v1.document_service_pb2 import BatchGetDocumentsRequest
from osis.document.v1.token_service_pb2 import CreateTokenRequest
from osis_document_client import from_struct
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.old_product import MODIFIED_AT, UPLOADED_AT, OldProduct
from tests.support.postgres_server import PostgresServer
from tests.support.processes import LoggedProcess, clean_environment
from tests.support.proxy import Delay, Proxy
from tests.support.refusals import expect_refusal
from tests.support.server import KEYS, ServerProcess
from tests.support.stubs import Stubs
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
MEBIBYTE = 1 << 20


@pytest.fixture
def old(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[OldProduct]:
    """The existing product, whose database is the alias `old`."""
    name = f"old_{uuid4().hex}"
    postgres_server.create(name)
    place = {"NAME": name, "HOST": "127.0.0.1", "PORT": str(postgres_server.port), "USER": "postgres", "PASSWORD": "postgres"}
    connections.databases["old"] = connections.databases["postgresql"] | place
    product = OldProduct(postgres_server.admin_url(name), tmp_path / "media")
    yield product
    connections["old"].close()
    del connections["old"]
    del connections.databases["old"]
    product.close()
    postgres_server.drop(name)


@pytest.fixture
def run(old: OldProduct, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, str, str]]:
    """Runs the command with an admin's key; answers its output, its complaints, and why it failed (empty: it did not)."""
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", KEYS["admin"])

    def run_command(**options: Any) -> tuple[str, str, str]:
        output, complaints, why = StringIO(), StringIO(), ""
        chosen = {"database": "old", "media_root": old.media} | options
        with django_db_blocker.unblock():
            try:
                call_command("osis_document_import", stdout=output, stderr=complaints, **chosen)
            except CommandError as exc:
                why = str(exc)
        return output.getvalue(), complaints.getvalue(), why

    return run_command


@pytest.fixture
def admin(service: ServerProcess) -> Stubs:
    return service.stubs("admin")


def moment(message: Any) -> datetime:
    found: datetime = message.ToDatetime(tzinfo=UTC)
    return found


def status_of(document: Document) -> str:
    return DocumentStatus.Name(document.status).removeprefix("DOCUMENT_STATUS_")


def is_there(admin: Stubs, *document_ids: str) -> list[bool]:
    """Whether the service has each of the documents."""
    references = [DocumentRef(document_id=each) for each in document_ids]
    results = admin.documents.BatchGetDocuments(BatchGetDocumentsRequest(documents=references)).results
    return [each.HasField("document") for each in results]


def test_documents_keep_ids_dates_statuses_paths_names_and_own_keys(old, run, admin, stored_bytes):
    in_a_week = datetime.now(UTC).date() + timedelta(days=7)
    plain = old.document(b"Plain.", "admission/2021/plain_Xy12.txt", name="Plan B.txt", client_info="127.0.0.1", year=2021)
    unhashed = old.document(b"Without a hash.", hash=None)
    expiring = old.document(b"An export.", expires_at=in_a_week)
    gone = {status: old.document(status.encode(), status=status) for status in ("DELETED", "INFECTED")}
    waiting = old.document(b"Waits.", status="REQUESTED", uploaded_at=datetime.now(UTC), modified_at=datetime.now(UTC))
    old.modified_copy(plain, b"Plain, edited.", "modified/plain.txt")
    before = old.state()

    output, complaints, why = run(batch_size=2)

    assert (complaints, why) == ("", "")
    assert "  6 documents: 6 imported\n  1 modified copies: 1 imported\n" in output
    document = get(admin, plain)
    assert (document.name, document.path, status_of(document)) == ("Plan B.txt", "admission/2021/plain_Xy12.txt", "UPLOADED")
    assert (moment(document.upload_time), moment(document.modified.create_time)) == (UPLOADED_AT, UPLOADED_AT)
    assert moment(document.modified.update_time) == MODIFIED_AT
    assert from_struct(document.metadata) == {"client_info": "127.0.0.1", "year": 2021}
    assert stored_bytes(plain) == b"Plain."
    assert document.modified.sha256 == hashlib.sha256(b"Plain, edited.").hexdigest()
    assert stored_bytes(unhashed) == b"Without a hash."
    assert moment(get(admin, unhashed).update_time) == MODIFIED_AT
    export = get(admin, expiring)
    assert export.expiration_policy == ExpirationPolicy.EXPIRATION_POLICY_EXPORT
    assert moment(export.expire_time).astimezone(timezone.get_default_timezone()).date() == in_a_week
    assert {status: status_of(get(admin, each)) for status, each in gone.items()} == {
        "DELETED": "DELETED",
        "INFECTED": "INFECTED",
    }
    assert status_of(get(admin, waiting)) == "REQUESTED"
    assert old.state() == before, "nothing of the old is touched"

    output, complaints, why = run()

    assert (complaints, why) == ("", "")
    assert "  6 documents: 6 there already\n  1 modified copies: 1 there already\n" in output
    assert "0.0 MiB sent" in output


def test_what_has_expired_or_was_never_confirmed_is_left_out(old, run, admin):
    expired = old.document(expires_at=date(2022, 1, 1))
    abandoned = old.document(status="REQUESTED")
    deleted = old.document(status="DELETED", expires_at=date(2022, 1, 1))
    old.modified_copy(expired, b"edited", "modified/expired.txt")
    old.record("CONVERT", [deleted], [expired])

    output, complaints, why = run(verbosity=2)

    assert (complaints, why) == ("", "")
    assert "  3 documents: 1 imported, 2 left out\n" in output
    assert f"document {abandoned} (dossiers/{abandoned}/note.txt): left out: it has expired, or was not confirmed" in output
    assert "  1 modified copies: 1 left out" in output
    assert "  1 post-processings: 1 left out" in output
    assert is_there(admin, expired, abandoned, deleted) == [False, False, True]


def test_damaged_missing_and_unsafe_files_are_told_and_the_others_come_over(old, run, admin, tmp_path):
    good = old.document(b"Good.")
    damaged = old.document(b"As it was.", "damaged.txt")
    old.write("damaged.txt", b"As it is.")
    cut = old.document(b"A text that was cut", size=100, hash=None)
    missing = old.document(None, "nowhere/note.txt")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    secret = hashlib.sha256(b"secret").hexdigest()
    (old.media / "link.txt").symlink_to(tmp_path / "secret.txt")
    (old.media / "folder").symlink_to(tmp_path)
    paths = ("../secret.txt", str(tmp_path / "secret.txt"), "link.txt", "folder/secret.txt", "x/../../secret.txt")
    unsafe = [old.document(None, path, hash=secret) for path in paths]
    empty = old.document(b"", "empty.txt")
    disguised = old.document(b"<!DOCTYPE html><html><body>No PDF</body></html>", name="page.pdf")
    copied = old.document(b"Original.", modified_hash=hashlib.sha256(b"edited").hexdigest())
    old.modified_copy(copied, b"damaged", "modified/copy.txt")

    output, complaints, why = run()

    assert "  12 documents: 2 imported, 2 damaged, 1 without their file, 7 refused\n" in output
    assert "  1 modified copies: 1 damaged\n" in output
    assert why.startswith("11 could not be brought over")
    told = {line.split()[1]: line for line in complaints.splitlines() if line.startswith("document ")}
    assert "damaged: its file has the SHA-256" in told[damaged]
    assert "damaged: its file has 19 bytes, and the table says 100" in told[cut]
    assert "without their file: there is no file at its path" in told[missing]
    assert all("media folder" in told[each] for each in unsafe)
    assert "[EMPTY_FILE]" in told[empty]
    assert "[MIME_MISMATCH]" in told[disguised]
    assert f"modified copy of {copied}" in complaints
    refused = (damaged, cut, missing, *unsafe, empty, disguised)
    assert is_there(admin, good, copied, *refused) == [True, True] + [False] * len(refused)
    assert not get(admin, copied).HasField("modified")

    old.write("damaged.txt", b"As it was.")
    output, _, _ = run()

    assert "1 imported, 2 there already, 1 damaged" in output
    assert is_there(admin, damaged) == [True]


def test_another_document_under_the_same_id_is_not_taken_for_it(old, run, admin):
    document = old.document(b"One.", "one.txt")
    assert run()[2] == ""
    old.write("one.txt", b"Two.")
    old.change_hash(document, b"Two.")

    output, complaints, why = run()

    assert "1 documents: 1 there already with another content or path" in output
    assert f"document {document} (one.txt)" in complaints
    assert why
    assert get(admin, document).sha256 == hashlib.sha256(b"One.").hexdigest()


def test_jobs_are_known_with_their_records_results_and_failures(old, run, admin):
    text, pdf, made, merged = (
        old.document(content, name=name)
        for content, name in (
            (b"text", "a.txt"),
            (files.pdf("passed on"), "b.pdf"),
            (files.pdf("made"), "a.pdf"),
            (files.pdf("all"), "all.pdf"),
        )
    )
    converting, merging = old.record("CONVERT", [text], [made]), old.record("MERGE", [pdf, made], [merged])
    done = old.job(
        "DONE",
        [pdf, text],
        ["CONVERT", "MERGE"],
        {
            "CONVERT": {"status": "DONE", "upload_objects": [made], "post_processing_objects": [converting]},
            "MERGE": {"status": "DONE", "upload_objects": [merged], "post_processing_objects": [merging]},
        },
        {"CONVERT": {}, "MERGE": {"output_filename": "all", "pages_dimension": "A4"}},
    )
    failed = old.job(
        "FAILED",
        [text],
        ["CONVERT", "MERGE"],
        {"CONVERT": {"status": "FAILED", "errors": {"params": "a.txt", "messages": ["It is broken."]}}},
    )
    pending = old.job("PENDING", [pdf, made], ["MERGE"])
    other = old.document(files.pdf("other"), name="other.pdf")
    lone = old.record("MERGE", [made, pdf], [other])

    output, complaints, why = run()

    assert (complaints, why) == ("", "")
    assert "  4 post-processings: 4 imported\n" in output
    job = jobs.job_of(admin, done)
    assert (job.state, list(job.input_document_ids)) == (jobs.DONE, [pdf, text])
    assert moment(job.create_time) == UPLOADED_AT
    assert job.actions[1].action.merge.output_filename == "all"
    told = [
        [(list(each.input_document_ids), list(each.output_document_ids)) for each in action.records] for action in job.actions
    ]
    assert told == [[([pdf], [pdf]), ([text], [made])], [([pdf, made], [merged])]]
    assert [record.id for action in job.actions for record in action.records][1:] == [converting, merging]
    broken = jobs.job_of(admin, failed)
    assert (broken.state, broken.failure.message) == (jobs.FAILED, "It is broken.")
    assert (jobs.job_of(admin, lone).state, list(jobs.job_of(admin, lone).input_document_ids)) == (jobs.DONE, [made, pdf])
    ended = wait_until(lambda: (found := jobs.job_of(admin, pending)).state == jobs.DONE and found, "it is merged", seconds=30)
    assert get(admin, jobs.outputs(ended)[0]).mime_type == "application/pdf"

    assert "  4 post-processings: 4 there already\n" in run()[0]


def test_a_token_for_an_original_opens_what_was_made_of_it_there(old, run, admin):
    text, made = old.document(b"text", name="a.txt"), old.document(files.pdf("made"), name="a.pdf")
    passed_on = old.document(files.pdf("passed on"), name="b.pdf")
    old.record("CONVERT", [text], [made])
    old.job("DONE", [passed_on], ["CONVERT"], {"CONVERT": {"upload_objects": [], "post_processing_objects": []}})

    assert run()[2] == ""

    for original, opened in ((text, made), (passed_on, passed_on)):
        assert admin.tokens.CreateToken(CreateTokenRequest(document_id=original)).token.document_id == opened


def test_a_name_that_no_file_may_have_is_mended(old, run, admin):
    hostile = old.document(b"1", "a/file.txt", name="../../etc/note\n.txt")
    nameless = old.document(b"2", "b/file_Xy.txt", name=None)
    long = old.document(b"3", "c/file.txt", name=f"{'n' * 300}.txt")

    assert run()[2] == ""

    assert get(admin, hostile).name == ".._.._etc_note_.txt"
    assert get(admin, nameless).name == "file_Xy.txt"
    assert get(admin, long).name == f"{'n' * 251}.txt"


def test_a_record_that_names_what_is_gone_is_left_out(old, run, admin):
    text = old.document()
    old.job("DONE", [text], ["CONVERT"], {"CONVERT": {"upload_objects": [str(uuid4())]}})
    old.job("PENDING", [old.document(status="DELETED")], ["CONVERT"])
    old.record("CONVERT", [text], [])

    output, complaints, why = run()

    assert (complaints, why) == ("", "")
    assert "  3 post-processings: 3 left out\n" in output


def test_an_older_product_without_the_later_tables_comes_over_too(old, run, admin):
    first, second, merged = (old.document(files.pdf(name), name=f"{name}.pdf") for name in ("first", "second", "merged"))
    record = old.record("MERGE", [second, first], [merged])
    old.make_older()

    assert run()[2] == ""

    assert list(jobs.job_of(admin, record).input_document_ids) == [second, first]


def test_a_dry_run_checks_everything_and_sends_nothing(old, run, admin):
    good = old.document(b"Good.")
    old.modified_copy(good, b"edited", "modified/good.txt")
    old.record("CONVERT", [good], [old.document(None)])

    output, _, why = run(dry_run=True)

    assert "Nothing was sent; this would be done:" in output
    assert "2 documents: 1 imported, 1 without their file\n  1 modified copies: 1 imported\n  1 post-processings: 1 imp" in output
    assert why.startswith("1 could not be brought over")
    assert is_there(admin, good) == [False]


def test_a_limit_stops_early_and_the_next_run_goes_on(old, run, admin):
    ids = [old.document(b"%d" % number) for number in range(5)]

    counts = [(run(limit=2)[0], sum(is_there(admin, *ids)))[1] for _ in range(3)]

    assert counts == [2, 4, 5]


@pytest.mark.slow
@pytest.mark.parametrize(("stopped_by", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_an_import_that_was_stopped_goes_on_where_it_was(
    stopped_by, code, old, service, admin, postgres_server, tmp_path, stored_bytes
):
    run_id = uuid4().hex[:11]
    small = [old.document(b"%d" % number, document_id=f"00000000-0000-4000-8000-{run_id}{number}") for number in range(3)]
    content = random.Random(7).randbytes(24 * MEBIBYTE)
    pdf = files.pdf("large") + b"\n%" + content.hex().encode()[: 32 * MEBIBYTE]
    large = old.document(pdf, name="large.pdf", document_id=f"f0000000-0000-4000-8000-{run_id}0")

    def command(target: str, log: str) -> LoggedProcess:
        environment = clean_environment({"API_KEY": KEYS["admin"]}) | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "TESTS_DATABASE": connections.databases["old"]["NAME"],
            "TESTS_DATABASE_PORT": str(postgres_server.port),
            "TESTS_GRPC_TARGET": target,
        }
        words = ["osis_document_import", "--settings=tests.django_app.project.moving", f"--media-root={old.media}"]
        return LoggedProcess(log, [sys.executable, "-m", "django", *words], environment=environment, log=tmp_path / log)

    with Proxy(service.target) as slow:
        slow.plan.append(Delay(0.02))
        with command(slow.target, "stopped.log") as stopped:
            wait_until(lambda: slow.sent and slow.sent[0] > 12 * MEBIBYTE, "a good part of it is sent", seconds=30)
            stopped.process.send_signal(stopped_by)
            assert stopped.wait() == code, stopped.output()
    assert is_there(admin, *small, large) == [True, True, True, False]
    with Proxy(service.target) as counting, command(counting.target, "repeated.log") as repeated:
        assert repeated.wait() == 0, repeated.output()

    assert "4 documents: 1 imported, 3 there already" in repeated.output()
    assert sum(counting.sent) < len(pdf) - 4 * MEBIBYTE, "what had arrived is not sent again"
    assert stored_bytes(large) == pdf


def test_it_says_what_it_needs(old, run, admin, monkeypatch, osis_settings):
    document = old.document()

    assert "PostgreSQL" in run(database="default")[2]
    assert "media folder" in run(media_root=old.media / "nowhere")[2]
    monkeypatch.setenv("OSIS_DOCUMENT_API_KEY", KEYS["alpha"])
    assert "ROLE_NOT_ALLOWED" in run()[2]
    assert "stopped" in run()[2]
    monkeypatch.delenv("OSIS_DOCUMENT_API_KEY")
    assert "OSIS_DOCUMENT_API_KEY" in run()[2]
    expect_refusal("DOCUMENT_NOT_FOUND", admin.tokens.CreateToken, CreateTokenRequest(document_id=document))
