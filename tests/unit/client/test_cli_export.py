"""Documents in a folder: all of them, once, whatever interrupts it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest

from osis.document.v1 import document_pb2
from osis_document_client._export.ledger import Ledger
from tests.support.waiting import wait_until

from .conftest import Run
from .fake_service import MEBIBYTE, Damage, Drop, Pause, Refusal, Service

CONTENT = random.Random(3).randbytes(300_000)
BIG = random.Random(4).randbytes(6 * MEBIBYTE)


def new_id(number: int) -> str:
    return f"{number:08}-65a5-4b3f-8e8f-604b9b4d3c21"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def add(service: Service, number: int, path: str, content: bytes = CONTENT) -> document_pb2.Document:
    document = service.add_document(new_id(number), content, name=path.rpartition("/")[2])
    document.path = path
    return document


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file that was exported."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_relative_to(folder / ".osis-document-export") and path.suffix != ".jsonl"
    }


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def parts_in(folder: Path) -> list[Path]:
    return list((folder / ".osis-document-export/parts").iterdir())


def test_documents_are_written_under_their_paths_and_the_manifest_tells_of_each(run: Run, service: Service, out: Path) -> None:
    add(service, 1, "admission/2026/card.pdf", b"one").metadata.update({"author": "Ada", "year": 2026})
    add(service, 2, "letter.pdf", b"two")

    result = run("export", out, "--path", "")

    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"folder     {out}",
        "documents  2 (2 fetched, 0 there already)",
        "size       6 bytes",
        f"manifest   {out}/manifest.jsonl",
    ]
    assert files_in(out) == {"admission/2026/card.pdf": b"one", "letter.pdf": b"two"}
    first, second = manifest(out)
    assert first["file"] == first["path"] == "admission/2026/card.pdf"
    assert first["id"] == new_id(1)
    assert first["sha256"] == hashlib.sha256(b"one").hexdigest()
    assert first["size_bytes"] == 3
    assert first["metadata"] == {"author": "Ada", "year": 2026}
    assert first["content"] == "original"
    assert second["file"] == "letter.pdf"
    assert parts_in(out) == []


def test_only_what_is_meant_is_exported(run: Run, service: Service, out: Path) -> None:
    run("export", out, "--path", "admission/", "--type", "application/pdf", "--since", "2026-01-31T00:00Z")

    [request] = service.requests
    assert list(request.statuses) == [document_pb2.DOCUMENT_STATUS_UPLOADED]
    assert request.path_prefix == "admission/"
    assert list(request.mime_types) == ["application/pdf"]
    assert request.uploaded_from.ToJsonString() == "2026-01-31T00:00:00Z"


def test_a_folder_of_nothing_is_a_folder(run: Run, out: Path) -> None:
    result = run("export", out, "--json")

    summary = json.loads(result.stdout)
    assert (summary["fetched"], summary["kept"], summary["failed"], summary["size_bytes"]) == (0, 0, 0, 0)
    assert manifest(out) == []


def test_what_is_there_is_not_fetched_again(run: Run, service: Service, out: Path) -> None:
    for number in range(5):
        add(service, number, f"a/{number}.pdf")
    run("export", out)
    service.calls.clear()
    add(service, 9, "a/9.pdf")

    result = run("export", out, "--json")

    assert json.loads(result.stdout)["kept"] == 5
    assert json.loads(result.stdout)["fetched"] == 1
    assert service.calls.count("Download") == 1
    assert len(files_in(out)) == len(manifest(out)) == 6


def test_what_was_changed_here_comes_back_and_what_was_changed_there_is_replaced(run: Run, service: Service, out: Path) -> None:
    for number in range(3):
        add(service, number, f"{number}.pdf")
    run("export", out)
    (out / "0.pdf").write_bytes(b"changed by hand")
    (out / "1.pdf").unlink()
    changed = add(service, 2, "2.pdf", b"rotated")
    changed.revision = 1
    service.calls.clear()

    run("export", out)

    assert files_in(out) == {"0.pdf": CONTENT, "1.pdf": CONTENT, "2.pdf": b"rotated"}
    assert [entry["revision"] for entry in manifest(out)] == [0, 0, 1]
    assert service.calls.count("Download") == 3


def test_a_file_that_was_only_touched_is_not_fetched_again(run: Run, service: Service, out: Path) -> None:
    add(service, 1, "1.pdf")
    run("export", out)
    os.utime(out / "1.pdf", (0, 0))
    service.calls.clear()

    run("export", out)

    assert "Download" not in service.calls


def test_an_export_whose_ledger_is_gone_recognises_its_files(run: Run, service: Service, out: Path) -> None:
    add(service, 1, "1.pdf")
    add(service, 2, "1.pdf", b"second")
    run("export", out)
    before = files_in(out)
    for file in (out / ".osis-document-export").glob("ledger.db*"):
        file.unlink()
    service.calls.clear()

    run("export", out)

    assert files_in(out) == before == {"1.pdf": CONTENT, f"1-{new_id(2)}.pdf": b"second"}
    assert "Download" not in service.calls


def test_a_content_that_is_there_in_part_is_continued(run: Run, service: Service, out: Path) -> None:
    document = add(service, 1, "big.pdf", BIG)
    parts = out / ".osis-document-export/parts"
    parts.mkdir(parents=True)
    (parts / f"{document.id}-{document.sha256}.part").write_bytes(BIG[: 2 * MEBIBYTE + 5])
    (parts / f"{document.id}-{'0' * 64}.part").write_bytes(b"of another revision")

    run("export", out)

    assert files_in(out) == {"big.pdf": BIG}
    assert service.read_offsets == [2 * MEBIBYTE + 5]
    assert parts_in(out) == []


def test_a_part_that_is_damaged_is_fetched_anew(run: Run, service: Service, out: Path) -> None:
    document = add(service, 1, "big.pdf", BIG)
    parts = out / ".osis-document-export/parts"
    parts.mkdir(parents=True)
    (parts / f"{document.id}-{document.sha256}.part").write_bytes(b"x" * MEBIBYTE)

    result = run("export", out)

    assert result.exit_code == 0, result.stderr
    assert files_in(out) == {"big.pdf": BIG}
    assert service.read_offsets == [MEBIBYTE, 0]


def test_a_lost_connection_is_replaced_and_damage_on_the_way_is_mended(run: Run, service: Service, out: Path) -> None:
    add(service, 1, "big.pdf", BIG)
    service.plan.extend([None, None, Drop(MEBIBYTE), Damage(3 * MEBIBYTE)])

    result = run("export", out)

    assert result.exit_code == 0, result.stderr
    assert files_in(out) == {"big.pdf": BIG}
    assert service.read_offsets == [0, MEBIBYTE, 3 * MEBIBYTE]


def test_a_token_that_expires_meanwhile_is_replaced(run: Run, service: Service, out: Path) -> None:
    add(service, 1, "big.pdf", BIG)
    expired = Refusal("TOKEN_EXPIRED", grpc.StatusCode.UNAUTHENTICATED)
    service.plan.extend([None, None, (MEBIBYTE, expired)])

    result = run("export", out)

    assert result.exit_code == 0, result.stderr
    assert files_in(out) == {"big.pdf": BIG}
    assert service.read_offsets == [0, MEBIBYTE]
    assert service.calls == ["ListDocuments", "BatchCreateTokens", "Download", "BatchCreateTokens", "Download"]


def test_tokens_that_are_always_expired_are_given_up(run: Run, service: Service, out: Path) -> None:
    add(service, 1, "1.pdf")
    service.plan.extend([None, *[None, Refusal("TOKEN_EXPIRED", grpc.StatusCode.UNAUTHENTICATED)] * 9])

    assert run("export", out).exit_code == 4
    assert service.calls.count("Download") == 3


def test_a_document_that_changes_after_it_was_listed_is_exported_as_it_is_then(run: Run, service: Service, out: Path) -> None:
    document = add(service, 1, "1.pdf", b"before")
    service.contents[f"token.of.{document.id}"] = b"after"
    document.sha256 = hashlib.sha256(b"before").hexdigest()

    def change() -> None:
        document.sha256, document.size_bytes, document.revision = hashlib.sha256(b"after").hexdigest(), 5, 1

    service.plan.extend([None, change])
    result = run("export", out)

    assert result.exit_code == 0, result.stderr
    assert files_in(out) == {"1.pdf": b"after"}
    [entry] = manifest(out)
    assert (entry["sha256"], entry["revision"]) == (document.sha256, 1)


def test_what_cannot_be_exported_is_listed_and_the_rest_is_there(run: Run, service: Service, out: Path) -> None:
    for number in range(4):
        add(service, number, f"{number}.pdf")
    service.item_errors[new_id(2)] = document_pb2.ItemError(
        reason="ERROR_REASON_DOCUMENT_CORRUPT", message="block 17 is damaged", metadata={"document_id": new_id(2)}
    )

    result = run("export", out)

    assert result.exit_code == 1
    assert sorted(files_in(out)) == ["0.pdf", "1.pdf", "3.pdf"]
    assert "error: 2.pdf: block 17 is damaged" in result.stderr
    assert f"1 not exported: see {out}/failures.jsonl" in result.stderr
    [failure] = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    assert (failure["id"], failure["file"], failure["error"]["reason"]) == (new_id(2), "2.pdf", "DOCUMENT_CORRUPT")
    service.item_errors.clear()
    assert run("export", out).exit_code == 0
    assert not (out / "failures.jsonl").exists()


def test_many_failures_are_counted_and_not_all_shown(run: Run, service: Service, out: Path) -> None:
    for number in range(30):
        add(service, number, f"{number}.pdf")
        service.item_errors[new_id(number)] = document_pb2.ItemError(reason="ERROR_REASON_DOCUMENT_CORRUPT", message="damaged")

    result = run("export", out)
    as_json = run("export", out, "--json")

    assert len([line for line in result.stderr.splitlines() if line.startswith("error:")]) == 20
    assert "30 not exported, 10 of them not shown: see" in result.stderr
    assert len(as_json.stderr.splitlines()) == 30
    assert json.loads(as_json.stdout)["failed"] == 30


def test_a_service_that_goes_away_ends_the_export_and_the_next_run_goes_on(run: Run, service: Service, out: Path) -> None:
    for number in range(6):
        add(service, number, f"{number}.pdf")
    gone = Refusal("API_KEY_INVALID", grpc.StatusCode.UNAUTHENTICATED, message="the key is wrong")
    service.plan.extend([None, None, None, None, *[gone] * 9])

    result = run("export", out, "--jobs", "1")

    assert result.exit_code == 4
    assert "error: the key is wrong" in result.stderr
    assert len(files_in(out)) == len(manifest(out)) == 2
    service.plan.clear()
    service.calls.clear()
    assert run("export", out).exit_code == 0
    assert service.calls.count("Download") == 4
    assert len(files_in(out)) == 6


def test_several_documents_are_fetched_side_by_side(run: Run, service: Service, out: Path) -> None:
    for number in range(8):
        add(service, number, f"{number}.pdf")
    service.gathering = 4

    result = run("export", out, "--jobs", "4")

    assert result.exit_code == 0, result.stderr
    assert len(files_in(out)) == 8
    assert service.most_at_once == 4


@pytest.mark.parametrize("modified", [True, False])
def test_modified_copies_take_the_place_of_originals_where_that_is_said(
    run: Run, service: Service, out: Path, modified: bool
) -> None:
    edited, plain = add(service, 1, "1.pdf"), add(service, 2, "2.pdf")
    edited.modified.sha256 = hashlib.sha256(b"edited").hexdigest()
    edited.modified.size_bytes = 6
    edited.modified.mime_type = "application/pdf"
    service.contents[f"modified.of.{edited.id}"] = b"edited"

    result = run("export", out, *(["--modified"] if modified else []))

    assert result.exit_code == 0, result.stderr
    assert files_in(out) == {"1.pdf": b"edited" if modified else CONTENT, "2.pdf": CONTENT}
    assert [entry["content"] for entry in manifest(out)] == ["modified" if modified else "original", "original"]
    assert manifest(out)[1]["sha256"] == plain.sha256
    run("export", out)  # the originals again
    assert files_in(out) == {"1.pdf": CONTENT, "2.pdf": CONTENT}


def test_hostile_paths_stay_in_the_folder(run: Run, service: Service, out: Path, tmp_path: Path) -> None:
    paths = [
        *("../escaped.pdf", "/absolute.pdf", ".ssh/authorized_keys", "a/../../b", "x" * 500 + ".pdf", "card.pdf", "Card.PDF"),
        *("manifest.jsonl", ".osis-document-export/ledger.db", "a\nb", "folder", "folder/file"),
    ]
    for number, path in enumerate(paths):
        add(service, number, path, f"content {number}".encode())

    result = run("export", out)

    assert result.exit_code == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    found = {entry["path"]: out / entry["file"] for entry in manifest(out)}
    assert {path: file.read_bytes() for path, file in found.items()} == {
        path: f"content {number}".encode() for number, path in enumerate(paths)
    }
    assert len({str(file).casefold() for file in found.values()}) == len(paths)
    assert [each.name for each in out.glob(".*")] == [".osis-document-export"]


@pytest.mark.parametrize("document_id", ["../../escaped", "", new_id(1).upper()])
def test_a_service_whose_ids_are_none_is_not_believed(
    run: Run, service: Service, out: Path, tmp_path: Path, document_id: str
) -> None:
    service.add_document(document_id, CONTENT).path = "card.pdf"

    result = run("export", out)

    assert result.exit_code == 1
    assert "cannot be" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert files_in(out) == {}


def test_files_of_others_are_left_alone(run: Run, service: Service, out: Path) -> None:
    out.mkdir()
    (out / "card.pdf").write_text("mine")
    add(service, 1, "card.pdf", b"theirs")

    run("export", out)

    assert files_in(out) == {"card.pdf": b"mine", f"card-{new_id(1)}.pdf": b"theirs"}


def test_a_file_where_a_folder_is_meant_is_a_local_problem(run: Run, service: Service, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert run("export", tmp_path / "file").exit_code == 2
    assert run("export", tmp_path / "file/below").exit_code == 5
    assert service.calls == []


def test_two_exports_into_one_folder_do_not_get_into_each_other_s_way(run: Run, service: Service, out: Path) -> None:
    run("export", out)

    with Ledger(out / ".osis-document-export/ledger.db"):
        result = run("export", out)

    assert result.exit_code == 5
    assert result.stderr.splitlines() == [
        f"error: another export into {out} is under way",
        "to do: wait until it has ended",
    ]


def test_a_ledger_that_is_none_says_what_to_do(run: Run, out: Path) -> None:
    (out / ".osis-document-export").mkdir(parents=True)
    (out / ".osis-document-export/ledger.db").write_bytes(b"nonsense" * 1000)

    result = run("export", out)

    assert result.exit_code == 5
    assert "remove it and start again: files that are there are known by their content" in result.stderr


def test_a_disk_that_is_full_ends_the_export(run: Run, service: Service, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        add(service, number, f"{number}.pdf")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("osis_document_client._export.content.os.fsync", full)
    result = run("export", out, "--jobs", "1")

    assert result.exit_code == 5
    assert "No space left on device" in result.stderr
    assert service.calls.count("Download") < 9


# ---- as a process -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_export_goes_on_where_it_was(
    command: list[str], service: Service, out: Path, number: signal.Signals
) -> None:
    add(service, 1, "a/big.pdf", BIG)
    add(service, 2, "b/small.pdf")
    service.plan.extend([None, None, Pause(3 * MEBIBYTE)])
    process = subprocess.Popen([*command, "export", "--jobs", "1", out], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: [part.stat().st_size for part in out.rglob("*.part")] == [3 * MEBIBYTE], "a part is there", seconds=60)

    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in stderr
    if number != signal.SIGKILL:
        assert "what is there stays; the same command goes on" in stderr
    assert files_in(out) == {}, "nothing has its name before it is there as a whole"
    subprocess.run([*command, "export", out], check=True, stdout=subprocess.DEVNULL)
    assert files_in(out) == {"a/big.pdf": BIG, "b/small.pdf": CONTENT}
    assert sorted(service.read_offsets) == [0, 0, 3 * MEBIBYTE]
