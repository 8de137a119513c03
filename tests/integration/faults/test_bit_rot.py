"""Stored bytes that change by themselves: readers meet no damage, and the scrubber finds it before they ask."""

from dataclasses import replace
from datetime import timedelta

import pytest

from osis_document_server import app
from osis_document_server.settings import Settings
from osis_document_server.usecases.scrubbing import Scrubber
from osis_document_server.usecases.service import utc_now
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import content_of, download
from tests.support.refusals import expect_refusal
from tests.support.server import API_SHARED_SECRET, SIGNING_KEY, SIGNING_KEY_ID, serving
from tests.support.uploads import MEBIBYTE, store, token_for
from tests.support.waiting import wait_until
from tests.torture.loops.damaged_blobs import damage_blobs
from tests.torture.progress import Progress

pytestmark = [pytest.mark.slow, pytest.mark.one_database]


def test_no_damaged_byte_leaves_whatever_happened_to_the_file_and_whatever_range_is_read(server, seed):
    damage_blobs(server, Progress({"damaged blobs": 12}), seed=seed)


@pytest.fixture(scope="module")
def scrubbing(tmp_path_factory):
    """A server that reads everything again all the time."""
    with serving(tmp_path_factory.mktemp("scrubbing"), SCRUB_SECONDS="1", SCRUB_BYTES_PER_SECOND="1000000000") as running:
        yield running


def flip(file, content):
    with file.open("r+b") as opened:
        opened.seek(len(content) // 2)
        opened.write(bytes([content[len(content) // 2] ^ 0x80]))


def cut(file, content):
    with file.open("r+b") as opened:
        opened.truncate(len(content) - 1)


def lengthen(file, content):
    with file.open("ab") as opened:
        opened.write(b"\0")


def remove(file, content):
    file.unlink()


@pytest.mark.parametrize("harm", [flip, cut, lengthen, remove])
@pytest.mark.parametrize("size", [2 * MEBIBYTE, 2 * MEBIBYTE + 7], ids=["whole-blocks", "and-a-rest"])
def test_damage_is_found_although_nobody_reads(scrubbing, harm, size):
    stubs, content, sound = scrubbing.stubs(), files.pdf_of_size(size), files.pdf_of_size(size, seed=2)
    document, neighbour = store(stubs, content, "scan.pdf"), store(stubs, sound, "scan.pdf")
    token = token_for(stubs, document.id)
    file = scrubbing.blob_file_of(content)
    file.chmod(0o600)

    harm(file, content)

    wait_until(lambda: get(stubs, document.id).corrupt, "the damage is found")
    assert download(stubs, token, read_limit=1).refusal.reason == "DOCUMENT_CORRUPT"
    expect_refusal("DOCUMENT_CORRUPT", token_for, stubs, document.id)
    assert f"blob={file.name}" in scrubbing.output()
    assert not get(stubs, neighbour.id).corrupt
    assert content_of(stubs, neighbour.id) == sound


def test_a_scrub_tells_how_many_marks_are_left_and_how_those_of_sound_blobs_are_taken_off(tmp_path):
    with serving(tmp_path / "server", SCRUB_SECONDS="0") as server:
        stubs = server.stubs()
        token = token_for(stubs, store(stubs, b"back again").id)
        file = server.blob_file_of(b"back again")
        hidden = file.rename(tmp_path / "hidden")
        assert download(stubs, token).refusal.reason == "DOCUMENT_CORRUPT"
        hidden.rename(file)

        scrubbed, repaired, again = (server.command("scrub", *options) for options in ([], ["--repaired"], []))

        assert scrubbed.returncode == 0
        assert "0 damaged, 0 missing" in scrubbed.stderr
        assert "1 marked as damaged" in scrubbed.stderr
        assert "osis-document-server scrub --repaired" in scrubbed.stderr
        assert repaired.stdout.split() == ["repaired", file.name]
        assert "marked" not in repaired.stderr + again.stderr
        assert download(stubs, token).data == b"back again"


def test_bytes_without_a_row_are_reported_once_they_are_too_old_to_be_an_upload_that_is_just_being_finished(scrubbing):
    store(scrubbing.stubs(), b"known to the service")
    known = scrubbing.blob_file_of(b"known to the service")
    stray = known.with_name(known.name[:2] + "0" * 30)
    stray.write_bytes(b"left behind by a crash")
    (stray.parent / "README").write_bytes(b"no blob's name")

    settings = Settings(
        data_dir=scrubbing.data, api_shared_secret=API_SHARED_SECRET, token_signing_keys=f"{SIGNING_KEY_ID}:{SIGNING_KEY}"
    )
    database = app.open_prepared_database(settings)
    service = app.build_service(settings, app.Keys.from_settings(settings), database)
    try:
        now = Scrubber(service).scrub(not_since=utc_now())
        later = Scrubber(replace(service, now=lambda: utc_now() + timedelta(hours=2))).scrub(not_since=utc_now())
    finally:
        database.close_all()

    assert now.orphans == []
    assert later.orphans == [stray.name]
    assert stray.name not in later.missing, "nobody misses them"
    assert stray.exists(), "only reported"
