"""The command line when it is told to end, and when nobody reads what it says."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

from .fake_service import MEBIBYTE, Drop, Pause, Refusal, Service, Stall, make_job

CONTENT = b"%PDF-1.4 a small file" * 1000
BIG = CONTENT * 250
ID = "0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10"


@pytest.fixture
def big(tmp_path: Path) -> Path:
    (tmp_path / "big file.pdf").write_bytes(BIG)
    return tmp_path / "big file.pdf"


def start(command: list[str], *arguments: object) -> subprocess.Popen[str]:
    """Starts the program in a process of its own."""
    return subprocess.Popen(
        [*command, *(str(each) for each in arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


# ---- told to end ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_command_that_is_told_to_end_does_so_quickly_and_hangs_up(
    command: list[str], service: Service, big: Path, number: signal.Signals, exit_code: int
) -> None:
    service.plan.append(Stall())
    process = start(command, "upload", big)
    assert service.reached.wait(60)

    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == exit_code
    assert "Traceback" not in stderr
    assert service.hung_up.wait(30)
    assert not service.results


def test_a_signal_that_is_ignored_from_outside_stays_ignored(command: list[str], service: Service, tmp_path: Path) -> None:
    service.add_document(ID, BIG)
    service.plan.extend([None, Pause(MEBIBYTE)])
    process = subprocess.Popen(["nohup", *command, "download", ID, "-o", "copy.pdf"], stderr=subprocess.PIPE)
    assert service.reached.wait(60)

    process.send_signal(signal.SIGHUP)
    service.hung_up.set()

    process.communicate(timeout=60)
    assert process.returncode == 0
    assert (tmp_path / "copy.pdf").read_bytes() == BIG


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_download_leaves_nothing_behind(
    command: list[str], service: Service, tmp_path: Path, number: signal.Signals
) -> None:
    service.add_document(ID, BIG)
    service.plan.extend([None, Pause(MEBIBYTE)])
    process = start(command, "download", ID, "-o", "copy.pdf")
    assert service.reached.wait(60)
    wait_until(lambda: list(tmp_path.glob(".*.part")), "a part is there while it is written", seconds=60)

    process.send_signal(number)
    process.communicate(timeout=60)

    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_upload_says_how_to_go_on_and_that_works(command: list[str], service: Service, big: Path) -> None:
    service.plan.append(Stall())
    arguments = ["--path", "some folder/", "--metadata", "author=Ada", "--metadata", "year:=2026", "--name", "other.pdf"]
    process = start(command, "upload", *arguments, big)
    assert service.reached.wait(60)

    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)

    first, resume = stderr.strip().splitlines()[-2:]
    assert first == f"{big} is not there as a whole; what has arrived is kept for some minutes. To go on:"
    words = shlex.split(resume)
    upload_id = words[words.index("--upload-id") + 1]
    service.uploads[upload_id] = bytearray(BIG[:MEBIBYTE])
    subprocess.run([*command, *words[1:]], check=True, stdout=subprocess.DEVNULL)
    assert service.uploads[upload_id] == BIG
    assert service.sent_offsets[-1][0] == MEBIBYTE
    document = service.documents[upload_id]
    assert (document.path, document.name) == ("some folder/other.pdf", "other.pdf")
    assert dict(document.metadata) == {"author": "Ada", "year": 2026}


def test_an_interruption_among_several_files_tells_what_is_done_and_what_is_not(
    command: list[str], service: Service, big: Path, tmp_path: Path
) -> None:
    for name in ("a.pdf", "z.pdf"):
        (tmp_path / name).write_bytes(CONTENT)
    service.plan.extend([None, None, Stall()])  # the first is uploaded and confirmed
    process = start(command, "upload", "--json", "a.pdf", big, "z.pdf")
    wait_until(
        lambda: service.calls == ["WriteUpload", "ConfirmUploads", "WriteUpload"], "the second file is on its way", seconds=60
    )

    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 143
    assert [document["name"] for document in json.loads(stdout)] == ["a.pdf"]
    error = json.loads(stderr.strip())["error"]
    assert error["reason"] == "INTERRUPTED"
    assert error["metadata"]["file"] == str(big)
    assert error["metadata"]["not_tried"] == ["z.pdf"]
    assert error["metadata"]["upload_id"] in error["message"]


def test_a_lost_connection_says_how_to_go_on_too(command: list[str], service: Service, big: Path) -> None:
    shutting_down = Refusal("SHUTTING_DOWN")
    service.plan.extend([Drop(2 * MEBIBYTE), *[shutting_down] * 9])

    done = subprocess.run([*command, "upload", "--no-confirm", big], capture_output=True, text=True, check=False)

    assert done.returncode == 3
    what, todo = done.stderr.splitlines()
    assert f"2097152 of {len(BIG)} bytes are safe" in what
    [upload_id] = service.uploads
    assert todo == f"to do: go on with `osis-document upload --upload-id {upload_id} --no-confirm '{big}'`"


def test_an_interrupted_wait_says_that_the_job_goes_on(command: list[str], service: Service) -> None:
    service.jobs["job"] = [make_job(state="RUNNING")]
    service.plan.extend([None, Stall()])
    process = start(command, "convert", ID)
    assert service.reached.wait(60)

    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)

    assert "the job goes on; follow it with `osis-document watch job`" in stderr
    assert service.calls == ["StartPostProcessing", "WatchPostProcessing"]


# ---- nobody reads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["show", ID], ["list"], ["list", "--json"], ["download", ID, "-o", "-"], ["--help"]])
def test_a_reader_that_has_enough_is_no_error(command: list[str], service: Service, words: list[str]) -> None:
    service.add_document(ID, BIG)
    for number in range(300):
        service.add_document(f"d{number}", b"x", name="long name " * 20)
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run([*command, *words], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_list_ends_when_nobody_reads_it(command: list[str], service: Service) -> None:
    for number in range(1000):
        service.add_document(f"d{number}", b"x", name="long name " * 20)
    process = start(command, "list")
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 0
    assert len(service.calls) < 10, "the pages that nobody wants are not asked for"


def test_what_was_asked_for_is_done_although_nobody_reads_the_results(
    command: list[str], service: Service, tmp_path: Path
) -> None:
    for name in ("a.pdf", "z.pdf"):
        (tmp_path / name).write_bytes(CONTENT)
    read, write = os.pipe()
    os.close(read)

    done = subprocess.run(
        [*command, "upload", "a.pdf", "nowhere.pdf", "z.pdf"], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)

    assert sorted(document.name for document in service.documents.values()) == ["a.pdf", "z.pdf"]
    assert done.returncode == 5
    assert b"nowhere.pdf: there is no such file" in done.stderr


# ---- somebody looks ---------------------------------------------------------------------------------------------------------


def drawn_on_a_terminal(command: list[str], *words: object) -> str:
    """Runs the program with a terminal for its standard error and answers all that was drawn there."""
    near, far = pty.openpty()
    process = subprocess.Popen([*command, *(str(word) for word in words)], stdout=subprocess.DEVNULL, stderr=far)
    os.close(far)
    drawn = b""
    try:
        while data := os.read(near, 65536):
            drawn += data
    except OSError:  # the other side is closed
        pass
    os.close(near)
    assert process.wait(60) == 0
    return drawn.decode()


def test_the_bar_of_a_resumed_upload_says_where_it_was(command: list[str], service: Service, big: Path) -> None:
    service.uploads[ID] = bytearray(BIG[: 2 * MEBIBYTE])

    assert "(resumed at 2.1 MB)" in drawn_on_a_terminal(command, "upload", "--upload-id", ID, big)
    assert hashlib.sha256(service.uploads[ID]).digest() == hashlib.sha256(BIG).digest()
    assert "resumed" not in drawn_on_a_terminal(command, "upload", big)
