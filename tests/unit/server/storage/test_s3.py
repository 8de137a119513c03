"""Blobs in S3: requests that fail, answers that get lost, connections that break."""

import json
import random
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from osis_document_server.errors import StorageFull, StorageUnavailable
from osis_document_server.storage.base import BlobExists, BlobMissing, BlobReader, StoredPart
from osis_document_server.storage.location import S3Location
from osis_document_server.storage.s3 import S3Storage
from osis_document_server.storage.s3_bucket import Bucket, open_bucket
from tests.support import s3_server as s3
from tests.support.gate import Gate
from tests.support.ports import free_port

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32
NAME = f"documents/blobs/{KEY}"
MIB = 1024 * 1024
CONTENT = random.Random(3).randbytes(3 * MIB + 7)
LARGE = random.Random(4).randbytes(MIB + 3) * 66

NewSource = Callable[[bytes], Path]
#: Makes a storage whose requests of one kind are answered with an error.
Broken = Callable[..., S3Storage]


def location_of(bucket: s3.Bucket, *, prefix: str = "documents", port: int | None = None) -> S3Location:
    endpoint_url = f"http://127.0.0.1:{port or bucket.port}"
    return S3Location(bucket=bucket.name, prefix=prefix, endpoint_url=endpoint_url, region="us-east-1")


def read_to_end(reader: BlobReader) -> int:
    offset = 0
    while data := reader.read(offset, MIB):
        offset += len(data)
    return offset


@pytest.fixture
def storage(bucket: Bucket) -> S3Storage:
    return S3Storage(bucket)


@pytest.fixture
def gate(tests_bucket: s3.Bucket) -> Iterator[Gate]:
    with Gate(tests_bucket.port) as gate:
        yield gate


@pytest.fixture
def behind_gate(tests_bucket: s3.Bucket, gate: Gate) -> S3Storage:
    """A storage whose way to the bucket leads through the gate."""
    return S3Storage(open_bucket(location_of(tests_bucket, port=gate.port)))


class _Answer:
    """The body of an answer as urllib3 has it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._content


@pytest.fixture
def broken(tests_bucket: s3.Bucket) -> Broken:
    def make(operation: str, *, status: int, code: str, unless: Callable[[Any], bool] = lambda _: False) -> S3Storage:
        location = location_of(tests_bucket)
        client = boto3.session.Session().client("s3", region_name=location.region, endpoint_url=location.endpoint_url)

        def answer(request: Any, **_: object) -> AWSResponse | None:
            if unless(request):
                return None
            body = f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()
            return AWSResponse(request.url, status, {"Content-Type": "application/xml"}, _Answer(body))  # type: ignore[arg-type]

        client.meta.events.register(f"before-send.s3.{operation}", answer)
        return S3Storage(Bucket(client, location))

    return make


# ---- opening ---------------------------------------------------------------------------------------------------------------


def test_a_bucket_that_does_not_exist_is_told(tests_bucket: s3.Bucket) -> None:
    endpoint_url = f"http://127.0.0.1:{tests_bucket.port}"
    with pytest.raises(ValueError, match="no such bucket; create it"):
        open_bucket(S3Location(bucket="nowhere", endpoint_url=endpoint_url, region="us-east-1"))


def test_an_endpoint_where_nobody_listens_is_told(tests_bucket: s3.Bucket) -> None:
    with pytest.raises(ValueError, match="cannot be reached: Could not connect"):
        open_bucket(location_of(tests_bucket, port=free_port()))


def test_missing_credentials_are_told(tests_bucket: s3.Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ValueError, match="Unable to locate credentials"):
        open_bucket(location_of(tests_bucket))


def test_the_lifecycle_rule_in_the_documentation_is_one(tests_bucket: s3.Bucket) -> None:
    page = (Path(__file__).parents[4] / "docs/how-to/store-in-s3.md").read_text(encoding="utf-8")
    [rules] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert tests_bucket.set_lifecycle(json.loads(rules)) == [{"DaysAfterInitiation": 1}]


def test_prefixes_share_a_bucket_without_seeing_each_other(tests_bucket: s3.Bucket, new_source: NewSource) -> None:
    storages = [S3Storage(open_bucket(location_of(tests_bucket, prefix=prefix))) for prefix in ("", "a", "a/b")]
    for number, storage in enumerate(storages):
        storage.put(f"{number:032x}", new_source(b"content"))

    assert [[blob.key for blob in storage.stored()] for storage in storages] == [[f"{number:032x}"] for number in range(3)]
    assert set(tests_bucket.objects()) == {f"blobs/{0:032x}", f"a/blobs/{1:032x}", f"a/b/blobs/{2:032x}"}


# ---- storing ---------------------------------------------------------------------------------------------------------------


def test_a_small_file_costs_one_request(s3_process: s3.S3Process, storage: S3Storage, new_source: NewSource) -> None:
    source = new_source(CONTENT)
    with s3_process.requests() as requests:
        storage.put(KEY, source)
    assert [method for method, _ in requests] == ["PUT"]


@pytest.mark.parametrize(("after", "count"), [(0, 1), (1, 1), (1, 2)], ids=["go-on", "done", "done-and-go-on"])
def test_a_blob_whose_answer_was_lost_is_stored(
    behind_gate: S3Storage, gate: Gate, tests_bucket: s3.Bucket, new_source: NewSource, after: int, count: int
) -> None:
    # A request with a body has two answers: one to its head, that the body may come (100), and one to all of it.
    gate.lose_answers(count, after=after)
    behind_gate.put(KEY, new_source(CONTENT))
    assert tests_bucket.content(NAME) == CONTENT


@pytest.mark.parametrize("answer", [0, 2, 10, 11], ids=["begun", "first-part", "last-part", "completed"])
def test_a_large_blob_of_which_an_answer_was_lost_is_stored(
    behind_gate: S3Storage, gate: Gate, tests_bucket: s3.Bucket, new_source: NewSource, answer: int
) -> None:
    gate.lose_answers(1, after=answer)
    behind_gate.put(KEY, new_source(LARGE))
    assert tests_bucket.content(NAME) == LARGE


def test_a_blob_of_somebody_else_is_not_taken_for_a_lost_answer(storage: S3Storage, new_source: NewSource) -> None:
    storage.put(KEY, new_source(CONTENT))
    source = new_source(CONTENT)
    with pytest.raises(BlobExists):
        storage.put(KEY, source)
    assert source.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
def test_a_large_key_is_not_rewritten_either(storage: S3Storage, new_source: NewSource, content: bytes) -> None:
    storage.put(KEY, new_source(b"first"))
    with pytest.raises(BlobExists):
        storage.put(KEY, new_source(content))
    with storage.open(KEY) as reader:
        assert reader.read(0, 100) == b"first"


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
def test_a_provider_without_conditions_is_served_without_them(
    broken: Broken, tests_bucket: s3.Bucket, new_source: NewSource, content: bytes
) -> None:
    operation = "PutObject" if content is CONTENT else "CompleteMultipartUpload"
    storage = broken(operation, status=501, code="NotImplemented", unless=lambda request: "If-None-Match" not in request.headers)
    storage.put(KEY, new_source(content))
    assert tests_bucket.content(NAME) == content


def test_a_blob_that_is_being_made_at_this_moment_is_tried_again(
    broken: Broken, tests_bucket: s3.Bucket, new_source: NewSource
) -> None:
    conflicts = iter([False, True])
    storage = broken("PutObject", status=409, code="ConditionalRequestConflict", unless=lambda _: next(conflicts))
    storage.put(KEY, new_source(CONTENT))
    assert tests_bucket.content(NAME) == CONTENT


@pytest.mark.parametrize(
    ("operation", "content"), [("PutObject", CONTENT), ("UploadPart", LARGE), ("CompleteMultipartUpload", LARGE)]
)
def test_what_cannot_be_stored_leaves_nothing(
    broken: Broken, tests_bucket: s3.Bucket, new_source: NewSource, operation: str, content: bytes
) -> None:
    storage = broken(operation, status=400, code="MalformedTest")
    with pytest.raises(StorageUnavailable) as caught:
        storage.put(KEY, new_source(content))
    assert caught.value.retry_after_seconds
    assert "MalformedTest" not in caught.value.message, "the log has it"
    assert tests_bucket.objects() == {}
    assert tests_bucket.unfinished() == []


@pytest.mark.parametrize(("status", "code"), [(507, "Whatever"), (403, "QuotaExceeded"), (507, "XMinioStorageFull")])
def test_a_full_bucket_is_told(broken: Broken, new_source: NewSource, status: int, code: str) -> None:
    with pytest.raises(StorageFull) as caught:
        broken("PutObject", status=status, code=code).put(KEY, new_source(CONTENT))
    assert caught.value.retry_after_seconds == 60


def test_a_source_that_shrinks_while_it_is_sent_leaves_nothing(
    broken: Broken, tests_bucket: s3.Bucket, new_source: NewSource
) -> None:
    source = new_source(LARGE)

    def vanish(_: Any) -> bool:
        source.unlink(missing_ok=True)
        return True

    with pytest.raises(FileNotFoundError):
        broken("UploadPart", status=400, code="Never", unless=vanish).put(KEY, source)
    assert tests_bucket.objects() == {}
    assert tests_bucket.unfinished() == []


# ---- storing what the bucket has in parts ----------------------------------------------------------------------------------


@pytest.fixture
def parts(bucket: Bucket, new_source: NewSource) -> list[StoredPart]:
    """The first 12 MiB of LARGE, in two parts."""
    source = new_source(LARGE)
    bucket.put("spool/a", source, start=0, size_bytes=5 * MIB)
    bucket.put("spool/b", source, start=5 * MIB, size_bytes=7 * MIB)
    return [StoredPart(name="spool/a", size_bytes=5 * MIB), StoredPart(name="spool/b", size_bytes=7 * MIB)]


@pytest.mark.parametrize("size_bytes", [12 * MIB, 12 * MIB + 1, 20 * MIB, 40 * MIB])
def test_parts_that_are_there_are_copied_not_sent(
    storage: S3Storage,
    tests_bucket: s3.Bucket,
    new_source: NewSource,
    parts: list[StoredPart],
    size_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = []
    real_socket_send = socket.socket.send

    def send(self: socket.socket, data: Any, *flags: int) -> int:
        count = real_socket_send(self, data, *flags)
        sent.append(count)
        return count

    monkeypatch.setattr(socket.socket, "send", send)
    real_sendall = socket.socket.sendall

    def sendall(self: socket.socket, data: Any, *flags: int) -> None:
        sent.append(memoryview(data).nbytes)
        real_sendall(self, data, *flags)

    monkeypatch.setattr(socket.socket, "sendall", sendall)
    source = new_source(LARGE[:size_bytes])

    storage.put(KEY, source, parts=parts)

    assert sum(sent) < size_bytes - 12 * MIB + 100_000
    assert tests_bucket.content(NAME) == LARGE[:size_bytes]
    assert not source.exists()


def test_a_key_made_of_parts_is_not_rewritten_either(
    storage: S3Storage, tests_bucket: s3.Bucket, new_source: NewSource, parts: list[StoredPart]
) -> None:
    storage.put(KEY, new_source(b"first"))
    with pytest.raises(BlobExists):
        storage.put(KEY, new_source(LARGE[: 20 * MIB]), parts=parts)
    assert tests_bucket.content(NAME) == b"first"


@pytest.mark.parametrize("why", ["gone", "too-small"])
def test_where_parts_cannot_be_copied_the_whole_file_is_sent(
    storage: S3Storage, tests_bucket: s3.Bucket, new_source: NewSource, parts: list[StoredPart], why: str
) -> None:
    if why == "gone":
        tests_bucket.remove("documents/spool/b")
    else:
        parts = [StoredPart(name="spool/a", size_bytes=MIB)]
    storage.put(KEY, new_source(LARGE[: 20 * MIB]), parts=parts)
    assert tests_bucket.content(NAME) == LARGE[: 20 * MIB]
    assert tests_bucket.unfinished() == []


def test_where_the_provider_cannot_copy_the_whole_file_is_sent(
    broken: Broken, tests_bucket: s3.Bucket, new_source: NewSource, parts: list[StoredPart]
) -> None:
    storage = broken("UploadPartCopy", status=501, code="NotImplemented")
    storage.put(KEY, new_source(LARGE[: 20 * MIB]), parts=parts)
    assert tests_bucket.content(NAME) == LARGE[: 20 * MIB]


# ---- reading ---------------------------------------------------------------------------------------------------------------


def test_reading_a_whole_blob_is_one_request(s3_process: s3.S3Process, storage: S3Storage, new_source: NewSource) -> None:
    storage.put(KEY, new_source(CONTENT))
    with s3_process.requests() as requests, storage.open(KEY) as reader:
        content = b"".join(reader.read(start, MIB) for start in range(0, len(CONTENT), MIB))
    assert content == CONTENT
    assert [method for method, _ in requests] == ["GET"]


def test_a_read_goes_on_where_the_connection_broke(behind_gate: S3Storage, gate: Gate, new_source: NewSource) -> None:
    behind_gate.put(KEY, new_source(LARGE))
    content = bytearray()
    with behind_gate.open(KEY) as reader:
        while data := reader.read(len(content), MIB):
            content += data
            if len(content) in {MIB, 30 * MIB, 31 * MIB}:
                gate.cut()
    assert bytes(content) == LARGE


def test_a_connection_that_never_holds_is_told(behind_gate: S3Storage, gate: Gate, new_source: NewSource) -> None:
    behind_gate.put(KEY, new_source(LARGE))
    with behind_gate.open(KEY) as reader:
        gate.shut()
        with pytest.raises(StorageUnavailable) as caught:
            read_to_end(reader)
    assert caught.value.retry_after_seconds


def test_a_blob_that_is_removed_while_it_is_read_is_missing(behind_gate: S3Storage, gate: Gate, new_source: NewSource) -> None:
    behind_gate.put(KEY, new_source(LARGE))
    with behind_gate.open(KEY) as reader:
        behind_gate.delete(KEY)
        gate.cut()
        with pytest.raises(BlobMissing):
            read_to_end(reader)


def test_an_unreachable_bucket_is_told_and_serves_again_once_it_is_back(
    behind_gate: S3Storage, gate: Gate, new_source: NewSource
) -> None:
    behind_gate.put(KEY, new_source(CONTENT))
    gate.shut()

    attempts: list[Callable[[], Any]] = [
        lambda: behind_gate.open(KEY),
        lambda: behind_gate.put(OTHER_KEY, new_source(b"other")),
        lambda: behind_gate.delete(KEY),
        lambda: list(behind_gate.stored()),
    ]
    for attempt in attempts:
        with pytest.raises(StorageUnavailable) as caught:
            attempt()
        assert caught.value.retry_after_seconds

    gate.open()
    with behind_gate.open(KEY) as reader:
        assert reader.read(0, 2 * len(CONTENT)) == CONTENT
    behind_gate.put(OTHER_KEY, new_source(b"other"))
    assert {blob.key for blob in behind_gate.stored()} == {KEY, OTHER_KEY}


def test_a_bucket_that_has_gone_is_no_missing_blob(broken: Broken) -> None:
    with pytest.raises(StorageUnavailable):
        broken("GetObject", status=404, code="NoSuchBucket").open(KEY)
