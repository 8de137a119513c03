"""Stored bytes that were damaged: no damaged byte is ever sent, and the damage is told."""

import pytest

from osis.document.v1.post_processing_pb2 import Action, ConvertAction
from osis.document.v1.post_processing_service_pb2 import StartPostProcessingRequest
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.refusals import expect_refusal
from tests.support.uploads import MEBIBYTE, confirm, store, token_for, upload

SEEDS = iter(range(100, 1000))


class Damaged:
    """A document of a bit more than three blocks, its token, and its file, which a test may harm."""

    def __init__(self, server, stubs):
        self.content = files.pdf_of_size(3 * MEBIBYTE + 7, seed=next(SEEDS))
        self.document = store(stubs, self.content, "scan.pdf")
        self.token = token_for(stubs, self.document.id)
        self.file = server.blob_file_of(self.content)
        self.file.chmod(0o600)

    def flip(self, place):
        """Changes one bit of the byte at this place."""
        with self.file.open("r+b") as file:
            file.seek(place)
            file.write(bytes([self.content[place] ^ 1]))


@pytest.fixture
def damaged(server, alpha):
    return Damaged(server, alpha)


def test_stored_files_are_read_only(server, alpha):
    store(alpha, b"read me, but do not write")

    assert server.blob_file_of(b"read me, but do not write").stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize(
    ("place", "block"),
    [(0, 0), (MEBIBYTE - 1, 0), (MEBIBYTE, 1), (2 * MEBIBYTE + 12345, 2), (3 * MEBIBYTE + 6, 3)],
    ids=["first-byte", "end-of-block", "start-of-block", "middle", "last-byte"],
)
def test_a_damaged_block_is_not_sent_and_those_before_it_are_whole(alpha, damaged, place, block):
    damaged.flip(place)

    received = download(alpha, damaged.token)

    assert received.data == damaged.content[: block * MEBIBYTE]
    assert received.refusal.reason == "DOCUMENT_CORRUPT"
    assert received.refusal.code == "DATA_LOSS"
    assert received.refusal.metadata == {"document_id": damaged.document.id, "block": str(block)}


def test_a_range_of_sound_bytes_in_a_damaged_block_is_not_sent(alpha, damaged):
    damaged.flip(MEBIBYTE + 500_000)

    received = download(alpha, damaged.token, read_offset=MEBIBYTE + 10, read_limit=10)

    assert received.data == b""
    assert received.refusal.reason == "DOCUMENT_CORRUPT"


def test_a_range_beside_the_damage_is_sent_as_long_as_nobody_has_found_it(alpha, damaged):
    damaged.flip(0)

    assert (
        download(alpha, damaged.token, read_offset=MEBIBYTE, read_limit=MEBIBYTE).data == damaged.content[MEBIBYTE : 2 * MEBIBYTE]
    )


@pytest.fixture
def found(alpha, damaged):
    """A damaged document whose damage was found by a reader."""
    damaged.flip(2 * MEBIBYTE)
    assert download(alpha, damaged.token).refusal.reason == "DOCUMENT_CORRUPT"
    return damaged


def test_once_the_damage_is_found_no_byte_is_sent_any_more(alpha, found):
    received = download(alpha, found.token, read_limit=10)

    assert received.header is None
    assert received.refusal.reason == "DOCUMENT_CORRUPT"


def test_once_the_damage_is_found_the_document_says_so_by_its_id_and_is_refused_by_its_token(alpha, found):
    assert get(alpha, found.document.id).corrupt is True
    expect_refusal("DOCUMENT_CORRUPT", get, alpha, token=found.token)


def test_once_the_damage_is_found_there_are_no_tokens_and_no_jobs_for_the_document(alpha, found):
    actions = [Action(convert=ConvertAction())]
    request = StartPostProcessingRequest(document_ids=[found.document.id], actions=actions)

    expect_refusal("DOCUMENT_CORRUPT", token_for, alpha, found.document.id)
    expect_refusal("DOCUMENT_CORRUPT", alpha.post_processings.StartPostProcessing, request)


def test_a_document_with_the_same_content_stored_apart_is_not_affected(alpha, found):
    other = store(alpha, found.content, "scan.pdf")

    assert download(alpha, token_for(alpha, other.id)).data == found.content


def test_a_file_that_is_gone_is_damage(alpha, damaged):
    damaged.file.unlink()

    received = download(alpha, damaged.token)

    assert received.data == b""
    assert received.refusal.reason == "DOCUMENT_CORRUPT"
    assert get(alpha, damaged.document.id).corrupt is True


@pytest.mark.parametrize("length", [0, MEBIBYTE + 5, 2 * MEBIBYTE])
def test_a_file_that_was_cut_is_damage(alpha, damaged, length):
    with damaged.file.open("r+b") as file:
        file.truncate(length)

    received = download(alpha, damaged.token)

    assert received.data == damaged.content[: length // MEBIBYTE * MEBIBYTE]
    assert received.refusal.reason == "DOCUMENT_CORRUPT"


def test_a_damaged_upload_that_is_not_confirmed_yet_is_refused_too(server, alpha):
    content = files.text_of_size(1000, seed=next(SEEDS))
    result = upload(alpha, content)
    file = server.blob_file_of(content)
    file.chmod(0o600)
    file.write_bytes(content[:-1] + b"!")

    assert download(alpha, result.write_token).refusal.reason == "DOCUMENT_CORRUPT"
    assert confirm(alpha, result.write_token).corrupt is True
