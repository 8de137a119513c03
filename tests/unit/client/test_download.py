"""Downloads yield the stored bytes or an error, never anything else."""

from __future__ import annotations

import hashlib
import io
import os
import random
import stat
import threading
from pathlib import Path

import grpc
import pytest

from osis_document_client import (
    Backoff,
    Cancelled,
    Client,
    ClientClosed,
    ClientConfig,
    ContentChanged,
    DocumentCorrupt,
    DownloadDamaged,
    DownloadInterrupted,
    TokenInvalid,
    Unavailable,
)
from tests.support.proxy import Cut, Proxy

from .fake_service import Damage, Drop, EndEarly, Pause, Refusal, Service, Stall

BLOCK = 65536
CONTENT = random.Random(2).randbytes(20 * BLOCK + 77)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TOKEN = "token.of.d1"


@pytest.fixture(autouse=True)
def _document(service: Service) -> None:
    service.add_document("d1", CONTENT)


def test_the_header_comes_first_and_the_content_follows(client: Client) -> None:
    with client.open_download(TOKEN) as download:
        assert download.header.document.name == "report.pdf"
        assert download.header.sha256 == SHA256
        assert b"".join(download) == CONTENT


def test_the_service_sees_a_whole_download_end_and_not_break_off(client: Client, service: Service, tmp_path: Path) -> None:
    client.download(TOKEN, tmp_path / "copy.pdf")
    assert service.finished_downloads == 1


def test_a_range_is_read_alone(client: Client) -> None:
    with client.open_download(TOKEN, offset=1000, limit=70_000) as download:
        assert (download.header.range.start, download.header.range.end) == (1000, 71_000)
        assert b"".join(download) == CONTENT[1000:71_000]


def test_a_negative_offset_reads_the_end(client: Client) -> None:
    with client.open_download(TOKEN, offset=-100_000) as download:
        assert b"".join(download) == CONTENT[-100_000:]


@pytest.mark.parametrize("cause", [Drop(5 * BLOCK), EndEarly(5 * BLOCK), Drop(5 * BLOCK, grpc.StatusCode.CANCELLED)])
def test_a_lost_stream_goes_on_behind_the_last_byte(
    client: Client, service: Service, pauses: list[float], cause: Drop | EndEarly
) -> None:
    service.plan.append(cause)

    with client.open_download(TOKEN) as download:
        assert b"".join(download) == CONTENT

    assert service.read_offsets == [0, 5 * BLOCK]
    assert pauses == [1]


@pytest.mark.parametrize(("offset", "limit"), [(-500_000, 0), (10, 0), (10, 600_000), (0, 600_000)])
def test_a_range_goes_on_to_its_own_end(client: Client, service: Service, offset: int, limit: int) -> None:
    service.plan.extend([Drop(2 * BLOCK)] * 3)
    start = offset if offset >= 0 else len(CONTENT) + offset

    with client.open_download(TOKEN, offset=offset, limit=limit) as download:
        assert b"".join(download) == CONTENT[start : start + limit if limit else None]

    assert service.read_offsets == [offset, start + 2 * BLOCK, start + 4 * BLOCK, start + 6 * BLOCK]


def test_a_stream_lost_behind_the_last_byte_is_not_missed(client: Client, service: Service) -> None:
    service.contents[TOKEN] = CONTENT[: 2 * BLOCK]
    service.plan.append(Drop(2 * BLOCK))

    with client.open_download(TOKEN) as download:
        assert b"".join(download) == CONTENT[: 2 * BLOCK]

    assert service.calls == ["Download"]


def test_a_cut_wire_is_survived(proxied_client: Client, proxy: Proxy, service: Service) -> None:
    service.contents["big"] = content = CONTENT * 8
    proxy.plan.extend([Cut(3_000_000), Cut(2_000_000, reset=True)])

    with proxied_client.open_download("big") as download:
        assert b"".join(download) == content

    assert proxy.connections == 3


def test_a_download_that_cannot_be_opened_is_tried_again(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([Refusal("SHUTTING_DOWN", grpc.StatusCode.UNAVAILABLE)] * 3)

    with client.open_download(TOKEN) as download:
        assert b"".join(download) == CONTENT

    assert pauses == [1, 2, 4]


def test_an_interruption_that_lasts_says_where_to_go_on(client: Client, service: Service) -> None:
    service.plan.extend([Drop(3 * BLOCK)] + [Drop(0)] * 4)

    with client.open_download(TOKEN) as download, pytest.raises(DownloadInterrupted) as caught:
        list(download)

    assert caught.value.offset == 3 * BLOCK
    assert caught.value.sha256 == SHA256
    assert isinstance(caught.value.__cause__, Unavailable)
    service.plan.clear()
    with client.open_download(TOKEN, offset=caught.value.offset, expected_sha256=caught.value.sha256) as rest:
        assert b"".join(rest) == CONTENT[3 * BLOCK :]


def test_two_revisions_are_never_joined(client: Client, service: Service) -> None:
    service.plan.append(Drop(3 * BLOCK))

    with client.open_download(TOKEN) as download:
        next(download)
        service.contents[TOKEN] = CONTENT[::-1]
        with pytest.raises(ContentChanged):
            list(download)


def test_a_damaged_block_is_never_handed_out(client: Client, service: Service) -> None:
    service.plan.append(Damage(4 * BLOCK + 5))

    with client.open_download(TOKEN) as download:
        assert b"".join(next(download) for _ in range(4)) == CONTENT[: 4 * BLOCK]
        with pytest.raises(DownloadDamaged, match="bytes 262144 to 327680"):
            next(download)


def test_a_whole_of_another_hash_is_an_error_at_its_end(client: Client, service: Service) -> None:
    service.promised_sha256 = "0" * 64

    with client.open_download(TOKEN) as download, pytest.raises(DownloadDamaged, match="0000"):
        list(download)


def test_damage_found_by_the_service_is_not_tried_again(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.append((3 * BLOCK, Refusal("DOCUMENT_CORRUPT", grpc.StatusCode.DATA_LOSS, metadata={"block": "3"})))

    with client.open_download(TOKEN) as download, pytest.raises(DocumentCorrupt) as caught:
        list(download)

    assert caught.value.metadata == {"block": "3"}
    assert pauses == []


def test_a_bad_token_is_refused_when_it_is_opened(client: Client) -> None:
    with pytest.raises(TokenInvalid):
        client.open_download("nonsense")


def test_leaving_early_ends_the_stream_at_the_service(client: Client, service: Service) -> None:
    service.plan.append(Stall())
    errors: list[BaseException] = []

    def read() -> None:
        try:
            client.open_download(TOKEN)
        except BaseException as exc:  # noqa: BLE001 - handed to the test
            errors.append(exc)

    thread = threading.Thread(target=read)
    thread.start()
    assert service.reached.wait(30)
    client.close()
    thread.join(30)

    assert service.hung_up.wait(30)
    assert len(errors) == 1


def test_a_download_that_is_closed_from_another_thread_ends_and_is_not_opened_again(client: Client, service: Service) -> None:
    service.plan.append(Pause(5 * BLOCK))
    with client.open_download(TOKEN) as download:
        closing = threading.Thread(target=lambda: (service.reached.wait(30), download.close()))
        closing.start()

        with pytest.raises(Cancelled, match=r"'report\.pdf' was closed before its end"):
            list(download)

        closing.join()
        with pytest.raises(Cancelled):
            next(download)
    assert service.calls == ["Download"]


@pytest.mark.parametrize("attempts", [1, 4], ids=["in-the-last-try", "with-tries-left"])
def test_a_download_whose_client_is_closed_meanwhile_ends_and_is_not_tried_again(
    port: int, service: Service, attempts: int
) -> None:
    service.plan.append(Pause(5 * BLOCK))
    with Client(ClientConfig(target=f"127.0.0.1:{port}"), backoff=Backoff(attempts=attempts)) as client:
        closing = threading.Thread(target=lambda: (service.reached.wait(30), client.close()))
        closing.start()

        with client.open_download(TOKEN) as download, pytest.raises(ClientClosed):
            list(download)

        closing.join()
    assert service.calls == ["Download"]


def test_a_file_is_written_whole_with_the_usual_permissions(client: Client, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []

    header = client.download(TOKEN, tmp_path / "copy.pdf", progress=lambda done, total: seen.append((done, total)))

    assert (tmp_path / "copy.pdf").read_bytes() == CONTENT
    assert header.sha256 == SHA256
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    (tmp_path / "any").touch()
    assert (tmp_path / "copy.pdf").stat().st_mode == (tmp_path / "any").stat().st_mode
    assert sorted(each.name for each in tmp_path.iterdir()) == ["any", "copy.pdf"]


def test_a_download_that_fails_leaves_what_was_there(client: Client, service: Service, tmp_path: Path) -> None:
    (tmp_path / "copy.pdf").write_text("before")
    service.plan.append(Damage(4 * BLOCK))

    with pytest.raises(DownloadDamaged):
        client.download(TOKEN, tmp_path / "copy.pdf")

    assert (tmp_path / "copy.pdf").read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["copy.pdf"]


def test_a_name_of_the_greatest_length_can_be_written(client: Client, tmp_path: Path) -> None:
    client.download(TOKEN, tmp_path / ("n" * 255))

    assert (tmp_path / ("n" * 255)).read_bytes() == CONTENT


def test_a_symbolic_link_stays_one(client: Client, tmp_path: Path) -> None:
    (tmp_path / "real.pdf").write_text("before")
    (tmp_path / "link.pdf").symlink_to("real.pdf")

    client.download(TOKEN, tmp_path / "link.pdf")

    assert (tmp_path / "link.pdf").is_symlink()
    assert (tmp_path / "real.pdf").read_bytes() == CONTENT


def test_a_pipe_is_written_to_and_not_replaced(client: Client, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_bytes()))
    thread.start()

    client.download(TOKEN, tmp_path / "pipe")
    thread.join(30)

    assert received == [CONTENT]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_an_open_file_is_written_to_and_left_open(client: Client) -> None:
    target = io.BytesIO()

    client.download(TOKEN, target)

    assert target.getvalue() == CONTENT
