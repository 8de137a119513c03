"""Uploads arrive whole, whatever happens to the connection."""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
import uuid
from pathlib import Path

import grpc
import pytest

from osis_document_client import (
    Client,
    DeadlineExceeded,
    EmptyFile,
    ExtensionNotAllowed,
    ServerOverloaded,
    Unavailable,
    UploadInterrupted,
    WriterSuperseded,
)
from tests.support.proxy import Cut, Proxy

from .fake_service import MEBIBYTE, Drop, EndEarly, Refusal, Service, Stall

CONTENT = random.Random(1).randbytes(5 * MEBIBYTE + 123)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(CONTENT)
    return path


class Pipe(io.RawIOBase):
    """Bytes that can be read once, forwards."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        return self._inner.readinto(buffer)


def test_a_file_arrives_with_its_name_size_hash_and_keys(client: Client, service: Service, path: Path) -> None:
    result = client.upload(path, metadata={"author": "Ada", "year": 2026})

    assert service.uploads[result.document.id] == CONTENT
    assert result.document.sha256 == SHA256
    assert result.document.name == "report.pdf"
    assert result.write_token == f"write.of.{result.document.id}"
    spec = service.specs[result.document.id]
    assert spec.size_bytes == len(CONTENT)
    assert dict(spec.metadata) == {"author": "Ada", "year": 2026}
    assert service.sent_hashes == [SHA256]
    assert str(uuid.UUID(result.document.id)) == result.document.id
    # A random id cannot have been begun before, so nobody is asked.
    assert service.calls == ["WriteUpload"]


def test_every_message_says_where_its_bytes_belong(client: Client, service: Service, path: Path) -> None:
    client.upload(path, chunk_size_bytes=2 * MEBIBYTE)

    assert service.sent_offsets == [[0, 2 * MEBIBYTE, 4 * MEBIBYTE, len(CONTENT)]]


def test_a_file_object_is_sent_from_where_it_stands_and_left_open(client: Client, service: Service) -> None:
    source = io.BytesIO(b"header" + CONTENT)
    source.seek(6)

    result = client.upload(source, name="report.pdf")

    assert service.uploads[result.document.id] == CONTENT
    assert not source.closed


def test_a_pipe_is_sent_without_a_declared_size(client: Client, service: Service) -> None:
    result = client.upload(Pipe(CONTENT), name="report.pdf")  # type: ignore[arg-type]

    assert service.uploads[result.document.id] == CONTENT
    assert not service.specs[result.document.id].HasField("size_bytes")


def test_a_source_without_a_name_needs_one(client: Client) -> None:
    with pytest.raises(ValueError, match="give one with `name=`"):
        client.upload(io.BytesIO(b"x"))


def test_a_hash_that_is_known_is_sent_as_it_is(client: Client, service: Service, path: Path) -> None:
    client.upload(path, sha256=SHA256)

    assert service.sent_hashes == [SHA256]


def test_an_empty_file_is_refused_by_its_own_error(client: Client, tmp_path: Path) -> None:
    (tmp_path / "empty.pdf").touch()

    with pytest.raises(EmptyFile):
        client.upload(tmp_path / "empty.pdf")


@pytest.mark.parametrize("size", [0, 4 * MEBIBYTE])
def test_messages_that_could_not_be_sent_are_refused_at_once(client: Client, path: Path, size: int) -> None:
    with pytest.raises(ValueError, match="chunk_size_bytes"):
        client.upload(path, chunk_size_bytes=size)


def test_progress_grows_to_the_whole_size(client: Client, path: Path) -> None:
    seen: list[tuple[int, int | None]] = []

    client.upload(path, progress=lambda done, total: seen.append((done, total)))

    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_progress_begins_where_a_resumed_upload_goes_on(client: Client, service: Service, path: Path) -> None:
    upload_id = str(uuid.uuid4())
    service.plan.extend([Drop(2 * MEBIBYTE)] + [Refusal("SHUTTING_DOWN", grpc.StatusCode.UNAVAILABLE)] * 4)
    with pytest.raises(UploadInterrupted):
        client.upload(path, upload_id=upload_id)
    service.plan.clear()
    seen: list[int] = []

    client.upload(path, upload_id=upload_id, progress=lambda done, _: seen.append(done))

    assert seen[0] == 2 * MEBIBYTE
    assert seen == sorted(seen)


def test_progress_steps_back_to_what_is_safe_when_a_connection_is_replaced(client: Client, service: Service, path: Path) -> None:
    service.plan.append(Drop(2 * MEBIBYTE))
    seen: list[int] = []

    client.upload(path, progress=lambda done, _: seen.append(done))

    again = len(seen) - 1 - seen[::-1].index(2 * MEBIBYTE)  # where the second stream begins
    assert seen[:again] == sorted(seen[:again])
    assert seen[again:] == [2 * MEBIBYTE, 3 * MEBIBYTE, 4 * MEBIBYTE, 5 * MEBIBYTE, len(CONTENT)]


def test_an_id_of_one_s_own_costs_no_question_where_it_is_known_to_be_new(client: Client, service: Service, path: Path) -> None:
    upload_id = str(uuid.uuid4())

    assert client.upload(path, upload_id=upload_id, resume=False).document.id == upload_id

    assert service.calls == ["WriteUpload"]


def test_what_the_progress_callback_raises_ends_the_upload(client: Client, service: Service, path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        client.upload(path, progress=stop)

    assert not service.results


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN]
)
def test_a_lost_stream_goes_on_at_the_persisted_size(
    client: Client, service: Service, path: Path, pauses: list[float], code: grpc.StatusCode
) -> None:
    service.plan.append(Drop(2 * MEBIBYTE, code))

    result = client.upload(path)

    assert service.uploads[result.document.id] == CONTENT
    assert service.sent_offsets[1][0] == 2 * MEBIBYTE
    assert service.calls == ["WriteUpload", "GetUploadStatus", "WriteUpload"]
    assert pauses == [1]


def test_a_stream_that_came_back_unfinished_goes_on(client: Client, service: Service, path: Path) -> None:
    service.plan.append(EndEarly(3 * MEBIBYTE))

    result = client.upload(path)

    assert service.uploads[result.document.id] == CONTENT
    assert service.sent_offsets[1][0] == 3 * MEBIBYTE


def test_many_interruptions_are_survived_as_long_as_it_gets_on(client: Client, service: Service, path: Path) -> None:
    service.plan.extend([Drop(400_000)] * 9)

    result = client.upload(path, chunk_size_bytes=400_000)

    assert service.uploads[result.document.id] == CONTENT
    assert len(service.sent_offsets) == 10


def test_a_cut_wire_is_survived(proxied_client: Client, proxy: Proxy, service: Service, path: Path) -> None:
    proxy.plan.extend([Cut(3 * MEBIBYTE), Cut(1 * MEBIBYTE, reset=True)])

    result = proxied_client.upload(path, chunk_size_bytes=256 << 10)

    assert service.uploads[result.document.id] == CONTENT
    assert proxy.connections == 3


def test_an_answer_that_was_lost_is_fetched(client: Client, service: Service, path: Path) -> None:
    service.plan.append("lose the answer")

    result = client.upload(path)

    assert result.document.sha256 == SHA256
    assert service.calls == ["WriteUpload", "GetUploadStatus"]


def test_a_service_that_cannot_resume_gets_it_again_under_the_same_id(client: Client, service: Service, path: Path) -> None:
    service.resumable = False
    service.plan.append(Drop(2 * MEBIBYTE))

    result = client.upload(path)

    assert service.uploads == {result.document.id: CONTENT}
    assert service.sent_offsets[1][0] == 0


def test_an_upload_that_is_gone_starts_again(client: Client, service: Service, path: Path) -> None:
    service.plan.append(Refusal("UPLOAD_NOT_FOUND", grpc.StatusCode.NOT_FOUND))

    result = client.upload(path)

    assert service.uploads[result.document.id] == CONTENT


def test_an_interruption_that_lasts_says_how_far_it_came(
    client: Client, service: Service, path: Path, pauses: list[float]
) -> None:
    upload_id = str(uuid.uuid4())
    service.plan.extend([Drop(2 * MEBIBYTE)] + [Drop(0)] * 9)

    with pytest.raises(UploadInterrupted, match=upload_id) as caught:
        client.upload(path, upload_id=upload_id, chunk_size_bytes=2 * MEBIBYTE)

    # The stream that was cut at once had delivered its first message, so there were two that got on.
    assert caught.value.upload_id == upload_id
    assert 2 * MEBIBYTE <= caught.value.persisted_size == len(service.uploads[upload_id])
    assert caught.value.size_bytes == len(CONTENT)
    assert isinstance(caught.value.__cause__, Unavailable)


def test_the_pauses_double_while_nothing_moves(client: Client, service: Service, path: Path, pauses: list[float]) -> None:
    overloaded = Refusal("SERVER_OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED)
    service.plan.extend([overloaded] * 4)

    with pytest.raises(UploadInterrupted) as caught:
        client.upload(path)

    assert pauses == [1, 2, 4]
    assert isinstance(caught.value.__cause__, ServerOverloaded)


def test_a_time_to_wait_that_the_service_asks_for_is_respected(
    client: Client, service: Service, path: Path, pauses: list[float]
) -> None:
    service.plan.append(Refusal("SERVER_OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_seconds=7))

    client.upload(path)

    assert pauses == [7]


def test_an_interrupted_upload_is_continued_by_its_id(client: Client, service: Service, path: Path) -> None:
    upload_id = str(uuid.uuid4())
    service.plan.extend([Drop(2 * MEBIBYTE)] + [Refusal("SHUTTING_DOWN", grpc.StatusCode.UNAVAILABLE)] * 4)
    with pytest.raises(UploadInterrupted):
        client.upload(path, upload_id=upload_id)
    service.plan.clear()
    service.sent_offsets.clear()

    result = client.upload(path, upload_id=upload_id)

    assert service.uploads[upload_id] == CONTENT
    assert service.sent_offsets[0][0] == 2 * MEBIBYTE
    assert service.sent_hashes == [SHA256]  # of the whole file, although only its end was sent
    assert result.document.id == upload_id


def test_a_finished_upload_is_answered_again(client: Client, service: Service, path: Path) -> None:
    first = client.upload(path)
    service.calls.clear()

    again = client.upload(path, upload_id=first.document.id)

    assert again.document.id == first.document.id
    assert service.calls == ["GetUploadStatus"]


def test_a_file_shorter_than_what_was_uploaded_is_no_continuation(client: Client, service: Service, path: Path) -> None:
    upload_id = str(uuid.uuid4())
    service.uploads[upload_id] = bytearray(CONTENT + b"more")

    with pytest.raises(ValueError, match="fewer than"):
        client.upload(path, upload_id=upload_id)


def test_a_pipe_goes_on_as_long_as_nothing_must_be_read_again(client: Client, service: Service) -> None:
    upload_id = str(uuid.uuid4())
    service.uploads[upload_id] = bytearray(CONTENT[:MEBIBYTE])

    client.upload(Pipe(CONTENT), upload_id=upload_id, name="report.pdf")  # type: ignore[arg-type]

    assert service.uploads[upload_id] == CONTENT
    assert service.sent_hashes == [SHA256]


def test_a_pipe_that_would_have_to_be_read_again_is_interrupted(client: Client, service: Service) -> None:
    service.resumable = False
    service.plan.append(Drop(2 * MEBIBYTE))

    with pytest.raises(UploadInterrupted, match="not seekable"):
        client.upload(Pipe(CONTENT), name="report.pdf")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("EXTENSION_NOT_ALLOWED", grpc.StatusCode.INVALID_ARGUMENT), ExtensionNotAllowed),
        (Refusal("WRITER_SUPERSEDED", grpc.StatusCode.ABORTED), WriterSuperseded),
    ],
)
def test_a_refusal_is_not_tried_again(
    client: Client, service: Service, path: Path, pauses: list[float], refusal: Refusal, error: type[Exception]
) -> None:
    service.plan.append(refusal)

    with pytest.raises(error):
        client.upload(path)

    assert service.calls == ["WriteUpload"]
    assert pauses == []


def test_a_source_that_cannot_be_read_raises_its_own_error_and_leaves_the_upload_unfinished(
    client: Client, service: Service
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= MEBIBYTE:
                raise OSError(5, "the disk is broken")
            return super().read(size)

    with pytest.raises(OSError, match="the disk is broken"):
        client.upload(Broken(CONTENT), name="report.pdf")

    assert not service.results


@pytest.mark.parametrize("missing", ["nowhere.pdf", "."])
def test_a_file_that_cannot_be_opened_is_never_announced(client: Client, service: Service, missing: str) -> None:
    with pytest.raises(OSError, match=missing.replace(".", r"\.")):
        client.upload(Path(missing), name="report.pdf")

    assert service.calls == []


def test_time_that_is_over_ends_the_upload_and_says_how_to_go_on(client: Client, service: Service, path: Path) -> None:
    service.plan.append(Stall())

    with pytest.raises(UploadInterrupted) as caught:
        client.upload(path, timeout=0.3)

    assert isinstance(caught.value.__cause__, DeadlineExceeded)
    assert service.hung_up.wait(30)


def test_uploads_run_side_by_side_over_one_client(client: Client, service: Service, path: Path) -> None:
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(client.upload(path).document.sha256)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [SHA256] * 8
    assert len(service.uploads) == 8


def test_the_file_is_never_in_memory_as_a_whole(client: Client, path: Path) -> None:
    largest = 0

    class Watched(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal largest
            data = super().read(-1 if size is None else size) or b""
            largest = max(largest, len(data))
            return data

    with Watched(os.fspath(path)) as source:
        client.upload(source)  # type: ignore[arg-type]

    assert largest == MEBIBYTE
