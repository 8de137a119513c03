"""The command line: results on stdout, two lines about an error on stderr, and exit codes that mean something."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
import grpc
import pytest

from osis.document.v1.post_processing_pb2 import PaperSize, PostProcessing, PostProcessingFailure
from osis.document.v1.token_service_pb2 import TokenPurpose, WantedPostProcess
from osis_document_client import OsisDocumentError, _errors
from osis_document_client.cli import faults
from osis_document_client.cli.program import program
from osis_document_client.cli.text import visible

from .conftest import Run
from .fake_service import Refusal, Service, Stall, make_job

CONTENT = b"%PDF-1.4 a small file" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ID = "0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10"
OTHER_ID = "1c7d8d2f-65a5-4b3f-8e8f-604b9b4d3c21"
JOB = "77aa0c1e-54f4-4a2e-9d7e-5f3a8a3c2b10"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "card.pdf").write_bytes(CONTENT)
    return tmp_path / "card.pdf"


# ---- upload and confirm -----------------------------------------------------------------------------------------------------


def test_upload_confirms_and_prints_what_the_document_is(run: Run, service: Service, file: Path) -> None:
    result = run("upload", file, "--path", "admission/", "--metadata", "author=Ada", "--metadata", "year:=2026")

    assert result.exit_code == 0, result.stderr
    [(document_id, document)] = service.documents.items()
    assert result.stdout.splitlines() == [
        f"id      {document_id}",
        "name    card.pdf",
        "size    21.0 kB (21000 bytes)",
        "type    application/pdf",
        f"sha256  {SHA256}",
    ]
    assert result.stderr == ""
    assert document.path == "admission/card.pdf"
    assert dict(document.metadata) == {"author": "Ada", "year": 2026}
    assert service.uploads[document_id] == CONTENT


def test_upload_prints_one_json_document(run: Run, service: Service, file: Path) -> None:
    result = run("upload", file, "--json", "--name", "other.pdf")

    document = json.loads(result.stdout)
    assert document["sha256"] == SHA256
    assert document["name"] == "other.pdf"
    assert document["size_bytes"] == str(len(CONTENT))  # protobuf's JSON has 64-bit integers as text
    assert document["status"] == "DOCUMENT_STATUS_UPLOADED"
    assert document["corrupt"] is False


def test_upload_without_confirmation_prints_the_token_that_confirm_takes(run: Run, service: Service, file: Path) -> None:
    unconfirmed = json.loads(run("--json", "upload", "--no-confirm", file).stdout)
    assert service.confirmed == []
    assert unconfirmed["write_token"] in run("upload", "--no-confirm", "--upload-id", unconfirmed["document"]["id"], file).stdout

    result = run("confirm", unconfirmed["write_token"], "--path", "folder/", "--json")

    assert json.loads(result.stdout)["path"] == "folder/card.pdf"


def test_several_files_make_a_list_and_a_refused_one_does_not_stop_the_others(
    run: Run, service: Service, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "second.pdf").write_bytes(b"second")
    service.plan.append(Refusal("EXTENSION_NOT_ALLOWED", grpc.StatusCode.INVALID_ARGUMENT, metadata={"extension": "exe"}))

    result = run("upload", "--json", file, "nowhere.pdf", tmp_path / "second.pdf")

    assert result.exit_code == 1  # that of the first failure
    assert [document["name"] for document in json.loads(result.stdout)] == ["second.pdf"]
    first, second = (json.loads(line)["error"] for line in result.stderr.splitlines())
    assert (first["reason"], first["code"]) == ("EXTENSION_NOT_ALLOWED", "INVALID_ARGUMENT")
    assert first["metadata"] == {"extension": "exe", "file": str(file)}
    assert second["reason"] == "FILE_NOT_FOUND"


def test_an_interrupted_upload_is_gone_on_with(run: Run, service: Service, file: Path) -> None:
    service.uploads[ID] = bytearray(CONTENT[:5000])

    result = run("upload", "--upload-id", ID, file)

    assert result.exit_code == 0, result.stderr
    assert service.uploads[ID] == CONTENT
    assert service.sent_offsets[0][0] == 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["upload"],
        ["upload", "a", "b", "--name", "c"],
        ["upload", "a", "b", "--path", "same"],
        ["upload", "a", "--no-confirm", "--path", "x/"],
        ["upload", "a", "--metadata", "novalue"],
        ["upload", "a", "--metadata", "k:=nojson"],
        ["upload", "a", "--metadata", "k:=9007199254740993"],
        ["upload", "a", "--upload-id", "42"],
        ["token", ID, "--ttl", "soon"],
        ["token", ID, "--ttl", "0"],
        ["merge", ID, "--paper", "A9"],
        ["download", ID, "-o", "-", "--json"],
        ["--timeout", "0", "show", ID],
        ["nonsense"],
    ],
)
def test_wrong_usage_ends_with_2_and_asks_nobody(run: Run, service: Service, arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert "Error: " in result.stderr or json.loads(result.stderr)["error"]["reason"] == "USAGE"
    assert service.calls == []


def test_wrong_usage_is_json_too_where_that_is_asked_for(run: Run) -> None:
    result = run("upload", "--json")

    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]["reason"] == "USAGE"


def test_a_folder_and_a_missing_file_are_told_apart(run: Run, tmp_path: Path) -> None:
    result = run("upload", tmp_path, tmp_path / "nowhere.pdf")

    assert result.exit_code == 5
    assert result.stderr.splitlines() == [
        f"error: {tmp_path}: it is a folder and not a file",
        "to do: name the files in it one by one",
        f"error: {tmp_path}/nowhere.pdf: there is no such file",
        "to do: check the name and the folder",
        "",
        "2 of 2 files not done:",
        f"  {tmp_path}",
        f"  {tmp_path}/nowhere.pdf",
    ]


def test_a_file_that_may_not_be_read_says_so(run: Run, file: Path) -> None:
    file.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        result = run("upload", file)
    finally:
        if root:
            os.seteuid(0)

    assert result.exit_code == 5
    assert "you are not permitted to open it" in result.stderr


def test_names_that_play_tricks_are_shown_escaped(run: Run, tmp_path: Path) -> None:
    name = "a\nb\x1b[31m\u202efdp.exe"
    (tmp_path / name).write_bytes(CONTENT)

    shown = run("upload", tmp_path / name)
    refused = run("upload", tmp_path / (name + "?"))

    assert r"name    a\nb\x1b[31m\u202efdp.exe" in shown.stdout.splitlines()
    assert r"a\nb\x1b[31m\u202efdp.exe?: there is no such file" in refused.stderr.splitlines()[0]
    assert "\x1b" not in shown.output + refused.output
    assert "\u202e" not in shown.output + refused.output + run("--json", "upload", tmp_path / name).output


@pytest.mark.parametrize(
    ("text", "shown"), [("é日本.pdf", "é日本.pdf"), ("a\u2028b", r"a\u2028b"), ("क\u200dष", "क\u200dष"), ("\udcff", r"\udcff")]
)
def test_only_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


# ---- show, token, download --------------------------------------------------------------------------------------------------


def test_show_takes_an_id_or_a_token(run: Run, service: Service) -> None:
    document = service.add_document(ID, CONTENT)
    document.metadata.update({"year": 2026})
    document.path = "admission/report.pdf"

    by_id, by_token = run("show", ID), run("show", f"token.of.{ID}")

    assert by_id.stdout == by_token.stdout
    lines = dict(line.split(maxsplit=1) for line in by_id.stdout.splitlines())
    assert lines["status"] == "UPLOADED"
    assert lines["path"] == "admission/report.pdf"
    assert lines["year"] == "2026"
    assert json.loads(run("show", "--json", ID).stdout)["metadata"] == {"year": 2026}


def test_token_prints_the_token_alone(run: Run, service: Service) -> None:
    service.add_document(ID, CONTENT)

    result = run("token", ID, "--write", "--ttl", "15m", "--wanted", "convert")

    assert result.stdout == f"token.of.{ID}\n"
    [request] = service.token_requests
    assert request.ttl.seconds == 900
    assert request.purpose == TokenPurpose.TOKEN_PURPOSE_WRITE
    assert request.wanted_post_process == WantedPostProcess.WANTED_POST_PROCESS_CONVERT
    assert json.loads(run("token", ID, "--json").stdout)["token"] == f"token.of.{ID}"


def test_a_token_for_what_is_still_being_made_says_how_far_it_is(run: Run, service: Service) -> None:
    service.jobs[ID] = [make_job("j1", state="RUNNING", done=1)]

    result = run("token", ID)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "error: post-processing j1 has done 1 of 2 tasks",
        "to do: wait for it with `osis-document watch j1`",
    ]


def test_download_takes_the_document_s_name(run: Run, service: Service, tmp_path: Path) -> None:
    service.add_document(ID, CONTENT)

    result = run("download", ID)

    assert (tmp_path / "report.pdf").read_bytes() == CONTENT
    assert result.stdout.splitlines()[0] == "file    report.pdf"
    [request] = service.token_requests
    assert request.wanted_post_process == WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL


def test_download_by_token_needs_no_key(run: Run, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSIS_DOCUMENT_API_KEY")
    service.add_document(ID, CONTENT)

    result = run("download", f"token.of.{ID}", "-o", tmp_path / "copy.pdf", "--json")

    assert (tmp_path / "copy.pdf").read_bytes() == CONTENT
    assert json.loads(result.stdout)["file"] == str(tmp_path / "copy.pdf")
    assert json.loads(result.stdout)["sha256"] == SHA256
    assert service.calls == ["Download"]


def test_download_into_a_folder_or_to_stdout(run: Run, service: Service, tmp_path: Path) -> None:
    service.add_document(ID, CONTENT)
    (tmp_path / "folder").mkdir()

    run("download", ID, "-o", tmp_path / "folder")
    result = run("download", ID, "-o", "-")

    assert (tmp_path / "folder/report.pdf").read_bytes() == CONTENT
    assert result.stdout_bytes == CONTENT


def test_download_replaces_a_file_only_when_told_to(run: Run, service: Service, tmp_path: Path) -> None:
    service.add_document(ID, CONTENT)
    (tmp_path / "report.pdf").write_text("mine")

    refused = run("download", ID)

    assert refused.exit_code == 5
    assert "there is such a file already" in refused.stderr
    assert (tmp_path / "report.pdf").read_text() == "mine"
    assert run("download", ID, "--force").exit_code == 0
    assert (tmp_path / "report.pdf").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "written"), [("../../evil.pdf", "evil.pdf"), (".bashrc", "bashrc"), ("..", "document"), ("a\nb.pdf", r"a\nb.pdf")]
)
def test_a_name_from_elsewhere_stays_in_the_folder(run: Run, service: Service, tmp_path: Path, name: str, written: str) -> None:
    service.add_document(ID, CONTENT, name=name)
    (tmp_path / "folder").mkdir()

    run("download", ID, "-o", tmp_path / "folder")

    assert [each.name for each in (tmp_path / "folder").iterdir()] == [written]


def test_a_folder_that_is_missing_is_a_local_problem(run: Run, service: Service) -> None:
    service.add_document(ID, CONTENT)

    result = run("download", ID, "-o", "nowhere/copy.pdf")

    assert result.exit_code == 5
    assert "there is no such file" in result.stderr


# ---- jobs -------------------------------------------------------------------------------------------------------------------


def finished_job() -> list[PostProcessing]:
    done = make_job(state="DONE", done=2)
    done.actions.add().records.add(output_document_ids=["out1"])
    done.actions.add().records.add(output_document_ids=["out2"])
    return [make_job(state="PENDING"), make_job(state="RUNNING", done=1), done]


def test_pages_keep_their_sizes_unless_a_paper_is_named(run: Run, service: Service) -> None:
    service.jobs["job"] = [make_job(state="DONE")]

    assert run("merge", "--no-wait", ID, OTHER_ID).exit_code == 0

    [request] = service.started
    assert request.actions[0].merge.paper_size == PaperSize.PAPER_SIZE_UNSPECIFIED


def test_merge_waits_and_prints_what_was_made(run: Run, service: Service) -> None:
    service.jobs["job"] = finished_job()
    service.add_document("out2", CONTENT, name="file.pdf")

    result = run("merge", "--convert", "--paper", "a4", "--output-filename", "file", ID, OTHER_ID)

    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[:4] == ["job  job", "", "id      out2", "name    file.pdf"]
    [request] = service.started
    assert list(request.document_ids) == [ID, OTHER_ID]
    assert [action.WhichOneof("action") for action in request.actions] == ["convert", "merge"]
    assert request.actions[1].merge.output_filename == "file"


def test_convert_may_leave_at_once_and_watch_comes_back(run: Run, service: Service) -> None:
    service.jobs["job"] = service.jobs[JOB] = finished_job()
    service.add_document("out2", CONTENT)

    started = json.loads(run("convert", "--no-wait", "--json", ID).stdout)
    watched = json.loads(run("watch", "--json", JOB).stdout)

    assert started["state"] == "POST_PROCESSING_STATE_PENDING"
    assert watched["state"] == "POST_PROCESSING_STATE_DONE"
    service.jobs["job"] = finished_job()
    assert run("convert", "--no-wait", ID).stdout.splitlines() == ["job    job", "state  PENDING", "tasks  0 of 2"]


def test_a_failed_job_says_why(run: Run, service: Service) -> None:
    failure = PostProcessingFailure(
        reason="ERROR_REASON_PASSWORD_REQUIRED", message="letter.docx has a password", document_id="d1"
    )
    service.jobs[JOB] = [make_job(state="FAILED", failure=failure)]

    result = run("watch", JOB)
    as_json = json.loads(run("watch", JOB, "--json").stderr)["error"]

    assert result.exit_code == 1
    assert result.stderr.startswith("error: post-processing job did not succeed: letter.docx has a password\nto do: ")
    assert as_json["reason"] == "PASSWORD_REQUIRED"
    assert as_json["metadata"] == {"document_id": "d1", "post_processing_id": "job"}


def test_a_job_that_takes_too_long_ends_with_3(run: Run, service: Service) -> None:
    service.jobs[JOB] = [make_job(state="RUNNING")]
    service.plan.append(Stall())

    result = run("--timeout", "0.3", "watch", JOB)

    assert result.exit_code == 3
    assert result.stderr.splitlines()[1] == "to do: it goes on, and can be watched again"


# ---- errors -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "code", "exit_code"),
    [
        ("DOCUMENT_NOT_FOUND", grpc.StatusCode.NOT_FOUND, 1),
        ("DOCUMENT_CORRUPT", grpc.StatusCode.DATA_LOSS, 1),
        ("INTERNAL", grpc.StatusCode.INTERNAL, 1),
        ("SERVER_OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED, 3),
        ("API_KEY_INVALID", grpc.StatusCode.UNAUTHENTICATED, 4),
        ("ROLE_NOT_ALLOWED", grpc.StatusCode.PERMISSION_DENIED, 4),
        ("TOKEN_EXPIRED", grpc.StatusCode.UNAUTHENTICATED, 4),
        ("TOKEN_SPENT", grpc.StatusCode.FAILED_PRECONDITION, 4),
    ],
)
def test_refusals_are_two_lines_and_a_code(
    run: Run, service: Service, reason: str, code: grpc.StatusCode, exit_code: int
) -> None:
    service.plan.extend([Refusal(reason, code, message="this is what happened")] * 2)

    result = run("show", ID)
    as_json = json.loads(run("show", "--json", ID).stderr)["error"]

    assert result.exit_code == exit_code
    what, todo = result.stderr.splitlines()
    assert what == "error: this is what happened"
    assert todo.startswith("to do: ")
    assert (as_json["reason"], as_json["code"]) == (reason, code.name)


def test_a_message_of_the_service_is_shown_as_it_is(run: Run, service: Service) -> None:
    refusal = Refusal("ARGUMENT_INVALID", grpc.StatusCode.INVALID_ARGUMENT, message="ttl is 8.5 d; it must be at most 7 d.")
    service.plan.append(refusal)

    assert run("token", ID, "--ttl", "9d").stderr.splitlines() == [
        "error: ttl is 8.5 d; it must be at most 7 d.",
        "to do: correct the value that is named",
    ]


@pytest.mark.parametrize("arguments", [["show", ID], ["upload", __file__], ["download", "a.to.ken", "-o", "x"], ["convert", ID]])
def test_a_service_that_does_not_answer_is_named(run: Run, arguments: list[str]) -> None:
    result = run("--target", "127.0.0.1:1", *arguments)

    assert result.exit_code == 3
    what, todo = result.stderr.splitlines()
    assert "no service answers at 127.0.0.1:1" in what
    assert todo.startswith("to do: start one with `osis-document-server serve` or set OSIS_DOCUMENT_TARGET")
    assert "OSIS_DOCUMENT_CLIENT_TLS_CA" in todo


def test_nothing_configured_says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSIS_DOCUMENT_TARGET")

    result = run("show", ID)

    assert result.exit_code == 2
    assert result.stderr.splitlines()[1].startswith("to do: set OSIS_DOCUMENT_TARGET and OSIS_DOCUMENT_API_KEY")


def test_the_key_may_come_from_a_file(run: Run, service: Service, tmp_path: Path) -> None:
    service.add_document(ID, CONTENT)
    (tmp_path / "key").write_text("from-a-file\n")
    (tmp_path / "empty").write_text("\n")

    assert run("show", ID, "--api-key-file", tmp_path / "key").exit_code == 0
    assert service.keys == ["from-a-file"]
    assert run("show", ID, "--api-key-file", tmp_path / "empty").exit_code == 2
    assert run("show", ID, "--api-key-file", tmp_path / "nowhere").exit_code == 5


def test_the_timeout_is_the_deadline_of_each_call(run: Run, service: Service) -> None:
    service.add_document(ID, CONTENT)

    run("show", ID, "--timeout", "7")

    assert service.deadlines[0] is not None
    assert service.deadlines[0] < 8  # clocks differ by a little


def test_every_error_has_an_exit_code_and_advice() -> None:
    def subclasses(kind: type[OsisDocumentError]) -> Iterator[type[OsisDocumentError]]:
        for each in kind.__subclasses__():
            yield each
            yield from subclasses(each)

    for kind in subclasses(OsisDocumentError):
        if kind.__module__ == _errors.__name__ and kind is not _errors.PostProcessingFailed:
            fault = faults.fault_of(kind("what happened"))
            assert fault.exit_code in {1, 2, 3, 4}, kind
            assert fault.advice, kind
            assert fault.advice != faults.FALLBACK_ADVICE or not getattr(kind, "default_reason", ""), kind


# ---- help, version, completion ----------------------------------------------------------------------------------------------


def all_commands(group: click.Group, *above: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that it is called by, those of groups in groups included."""
    for name, each in group.commands.items():
        yield (*above, name), each
        if isinstance(each, click.Group):
            yield from all_commands(each, *above, name)


@pytest.mark.parametrize("words", [words for words, _ in all_commands(program)], ids=" ".join)
def test_every_command_s_help_has_an_example(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")

    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"osis-document {' '.join(words)}" in result.stdout


def test_what_each_command_does_is_told_in_one_line(run: Run) -> None:
    result = run("--help")

    assert " ..." not in result.stdout
    for name in program.commands:
        assert re.search(rf"^  {name} +[A-Z][^\n]+\.$", result.stdout, re.MULTILINE), name


@pytest.mark.parametrize(("words", "meant"), [(["lst"], "list"), (["finalise"], "finalize"), (["metadata", "st"], "set")])
def test_a_mistyped_command_is_recognised(run: Run, words: list[str], meant: str) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert f"No such command '{words[-1]}'. Did you mean '{meant}'?" in result.stderr
    as_json = json.loads(run("--json", *words).stderr)["error"]
    assert (as_json["reason"], meant in as_json["message"]) == ("USAGE", True)


def test_the_help_lists_the_exit_codes(run: Run) -> None:
    assert "130  interrupted" in run("--help").stdout
    assert run("--version").stdout.startswith("osis-document, version ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: Run, shell: str) -> None:
    assert "_OSIS_DOCUMENT_COMPLETE" in run("completion", shell).stdout


def test_commands_and_options_are_completed(command: list[str]) -> None:
    environment = os.environ | {"_OSIS_DOCUMENT_COMPLETE": "bash_complete", "COMP_WORDS": "osis-document up", "COMP_CWORD": "1"}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "plain,upload\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cancel"], ["cancel", "cancel-upload"]),
        (["list", "--or"], ["--order"]),
        (["list", "--status", "de"], ["deleted"]),
        (["metadata", ""], ["set"]),
        (["export", "--mod"], ["--modified"]),
    ],
)
def test_new_commands_and_their_choices_are_completed(command: list[str], words: list[str], expected: list[str]) -> None:
    environment = os.environ | {
        "_OSIS_DOCUMENT_COMPLETE": "bash_complete",
        "COMP_WORDS": shlex.join(["osis-document", *words]),
        "COMP_CWORD": str(len(words)),
    }

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == expected


def test_there_is_a_command_for_everything_the_design_names() -> None:
    assert set(program.commands) == {
        *("upload", "confirm", "show", "token", "download", "export", "convert", "merge", "rotate", "list", "metadata"),
        *("delete", "undelete", "duplicate", "infected", "inspect", "watch"),
        *("finalize", "cancel", "cancel-upload", "completion"),
    }


# ---- as a process ----------------------------------------------------------------------------------------------------------


def test_a_progress_bar_is_drawn_on_a_terminal_and_not_into_results(command: list[str], file: Path) -> None:
    near, far = pty.openpty()
    try:
        done = subprocess.run([*command, "upload", "--json", file], stdout=subprocess.PIPE, stderr=far, check=True)
    finally:
        os.close(far)
    drawn = b""
    try:
        while data := os.read(near, 65536):
            drawn += data
    except OSError:  # the other side is closed
        pass
    os.close(near)

    assert b"card.pdf" in drawn
    assert json.loads(done.stdout)["sha256"] == SHA256


def test_a_piped_run_prints_nothing_but_the_result(command: list[str], file: Path) -> None:
    done = subprocess.run([*command, "upload", "--json", file], capture_output=True, check=True)

    assert done.stderr == b""
    assert uuid.UUID(json.loads(done.stdout)["id"])


def test_a_failing_tls_handshake_says_which_settings_to_check(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    environment = os.environ | {"OSIS_DOCUMENT_CLIENT_TLS_CA": str(tmp_path / "ca.pem")}

    done = subprocess.run([*command, "show", ID], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 3
    # gRPC writes lines of its own before ours; they have the cause in detail.
    assert done.stderr.splitlines()[-2].startswith("error: no service answers at")
    assert done.stderr.splitlines()[-1].startswith("to do: check OSIS_DOCUMENT_CLIENT_TLS_CA")
