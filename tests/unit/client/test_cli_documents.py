"""The commands about documents that are there: found, changed, removed."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from osis.document.v1 import document_pb2
from osis.document.v1.document_service_pb2 import DocumentOrder
from osis_document_client import from_struct

from .conftest import Run
from .fake_service import Refusal, Service, Stall, not_found

CONTENT = b"x" * 2500
ID = "0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10"
OTHER_ID = "1c7d8d2f-65a5-4b3f-8e8f-604b9b4d3c21"
MISSING_ID = "99999999-65a5-4b3f-8e8f-604b9b4d3c21"


@pytest.fixture(autouse=True)
def _documents(service: Service) -> None:
    for number, (document_id, name) in enumerate([(ID, "card.pdf"), (OTHER_ID, "letter.pdf")]):
        document = service.add_document(document_id, CONTENT, name=name)
        document.path = f"admission/{name}"
        document.upload_time.FromDatetime(datetime(2026, 1, 31, 12, number, tzinfo=UTC))


# ---- how documents are named ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "download", "rotate", "metadata set"])
@pytest.mark.parametrize("mistyped", [ID[:-1], ID + "0", ID.replace("-", "_"), "card.pdf", "", "ein.to"])
def test_what_is_neither_an_id_nor_a_token_is_told_at_once(run: Run, service: Service, command: str, mistyped: str) -> None:
    result = run(*command.split(), mistyped, *(["90"] if command == "rotate" else []))

    assert result.exit_code == 2
    assert "is neither an id nor a token; an id looks like 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10" in result.stderr
    assert service.calls == []


@pytest.mark.parametrize("written", [ID.upper(), ID.replace("-", ""), f"{{{ID}}}"])
def test_an_id_may_be_written_as_uuids_are(run: Run, written: str) -> None:
    assert run("show", written).stdout.splitlines()[0] == f"id        {ID}"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["delete", "a.to.ken"], "this is a token and no id; `osis-document inspect TOKEN` tells which document it is of"),
        (["delete", "card"], "'card' is no document's id; an id looks like"),
        (["watch", "card"], "'card' is no job's id"),
        (["cancel-upload", "card"], "'card' is no upload's id"),
        (["inspect", ID], f"{ID} is an id and no token; `osis-document token ID` makes one"),
        (["confirm", "card"], "'card' is no token; a token is one long word with two dots in it"),
        (["show", "a\x1b[31m"], r"'a\\x1b[31m' is neither an id nor a token"),
    ],
)
def test_an_id_and_a_token_are_not_taken_for_each_other(run: Run, service: Service, words: list[str], message: str) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert message in result.stderr
    assert service.calls == []


# ---- list -------------------------------------------------------------------------------------------------------------------


def test_a_list_for_programs_has_a_document_to_a_line(run: Run) -> None:
    plain, as_json = run("list"), run("list", "--json")

    assert plain.stdout.splitlines() == [
        f"{ID}\t2500\t2026-01-31T12:00:00Z\tUPLOADED\tadmission/card.pdf",
        f"{OTHER_ID}\t2500\t2026-01-31T12:01:00Z\tUPLOADED\tadmission/letter.pdf",
    ]
    assert [json.loads(line)["id"] for line in as_json.stdout.splitlines()] == [ID, OTHER_ID]


def test_a_list_asks_for_what_is_meant(run: Run, service: Service) -> None:
    result = run(
        *("list", "--path", "admission/", "--name", "Card", "--type", "application/pdf", "--type", "image/png"),
        *("--since", "2026-01-31T12:00+02:00", "--before", "1h", "--not-held", "--corrupt", "--order", "path", "--limit", "7"),
    )

    assert result.exit_code == 0, result.stderr
    [request] = service.requests
    assert list(request.statuses) == [document_pb2.DOCUMENT_STATUS_UPLOADED]
    assert list(request.mime_types) == ["application/pdf", "image/png"]
    assert (request.path_prefix, request.name_contains) == ("admission/", "Card")
    assert request.uploaded_from.ToJsonString() == "2026-01-31T10:00:00Z"
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert abs(request.uploaded_before.ToDatetime(UTC) - an_hour_ago) < timedelta(minutes=1)
    assert (request.held, request.corrupt) == (False, True)
    assert request.order == DocumentOrder.DOCUMENT_ORDER_PATH_ASC
    assert request.page_size == 7


@pytest.mark.parametrize(("words", "count"), [(["--status", "any"], 0), (["--status", "deleted", "--status", "infected"], 2)])
def test_a_list_may_have_documents_that_stand_otherwise(run: Run, service: Service, words: list[str], count: int) -> None:
    assert run("list", *words).exit_code == 0

    assert len(service.requests[0].statuses) == count


def test_a_moment_without_a_time_zone_is_one_of_this_machine(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Brussels")
    time.tzset()
    try:
        run("list", "--since", "2026-01-31")
    finally:
        monkeypatch.undo()
        time.tzset()

    assert service.requests[0].uploaded_from.ToJsonString() == "2026-01-30T23:00:00Z"


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "7x", "", "99999999999d"])
def test_a_moment_that_is_none_is_refused(run: Run, service: Service, moment: str) -> None:
    result = run("list", "--since", moment)

    assert result.exit_code == 2
    assert "is no moment; write 2026-01-31" in result.stderr
    assert service.calls == []


def test_a_list_comes_page_by_page_and_stops_at_its_limit(run: Run, service: Service) -> None:
    for number in range(250):
        service.add_document(f"d{number}", b"x")

    assert len(run("list", "--limit", "101").stdout.splitlines()) == 101
    assert service.calls == ["ListDocuments"] * 2


def test_names_in_a_list_play_no_tricks(run: Run, service: Service) -> None:
    service.documents[ID].path = "a\tb\nc\x1b[31m"

    assert run("list").stdout.splitlines()[0].endswith(r"UPLOADED	a\tb\nc\x1b[31m")


def seen_on_a_terminal(command: list[str], *words: str, columns: int) -> list[str]:
    """Runs the program on a terminal of this width and answers the lines that appear."""
    near, far = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "TZ": "UTC"}
    process = subprocess.Popen([*command, *words], stdout=far, stderr=far, env=environment)
    os.close(far)
    seen = b""
    try:
        while data := os.read(near, 65536):
            seen += data
    except OSError:  # the other side is closed
        pass
    os.close(near)
    assert process.wait(60) == 0, seen
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).splitlines()


def test_a_list_on_a_terminal_is_a_table_that_fits(command: list[str], service: Service) -> None:
    service.documents[OTHER_ID].path = "admission/" + "a very long folder/" * 9 + "letter.pdf"
    service.documents[OTHER_ID].status = document_pb2.DOCUMENT_STATUS_DELETED

    wide = seen_on_a_terminal(command, "list", "--status", "any", columns=140)
    narrow = seen_on_a_terminal(command, "list", "--status", "any", columns=80)
    narrowest = seen_on_a_terminal(command, "list", columns=50)

    assert wide[0].split() == ["id", "size", "uploaded", "status", "path"]
    assert wide[1].split() == [ID, "2.5", "kB", "2026-01-31", "12:00", "UPLOADED", "admission/card.pdf"]
    assert "DELETED" in wide[2]
    assert wide[2].rstrip().endswith("folder/letter.pdf")
    assert "…" in wide[2]
    assert narrow[0].split() == ["id", "status", "path"]
    assert narrow[1].split() == [ID, "UPLOADED", "admission/card.pdf"]
    assert narrowest[1].split() == [ID, "…on/card.pdf"]
    for lines, columns in ((wide, 140), (narrow, 80), (narrowest, 50)):
        assert len(lines) == 3
        assert max(map(len, lines)) <= columns


def test_a_table_goes_on_with_the_same_columns(command: list[str], service: Service) -> None:
    for number in range(120):
        service.add_document(f"d{number}", b"x", name="n" * number)

    lines = seen_on_a_terminal(command, "list", columns=100)

    assert len(lines) == 1 + 122
    assert [line.split()[0] for line in lines].count("id") == 1


# ---- metadata, rotate -------------------------------------------------------------------------------------------------------


def test_keys_are_set_and_removed_by_id(run: Run, service: Service) -> None:
    service.documents[ID].metadata.update({"old": 1, "kept": "k"})

    result = run("metadata", "set", ID, "author=Ada = Byron", "year:=2026", 'tags:=["a"]', "--remove", "old", "--name", "new.pdf")

    assert result.exit_code == 0, result.stderr
    assert from_struct(service.documents[ID].metadata) == {"author": "Ada = Byron", "year": 2026, "tags": ["a"], "kept": "k"}
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert (lines["name"], lines["author"], lines["tags"]) == ("new.pdf", '"Ada = Byron"', '["a"]')
    assert service.calls == ["CreateToken", "UpdateMetadata"]


def test_keys_are_set_by_token_without_a_key(run: Run, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OSIS_DOCUMENT_API_KEY")

    result = run("metadata", "set", f"token.of.{ID}", "a=b", "--json")

    assert json.loads(result.stdout)["metadata"] == {"a": "b"}
    assert service.keys == [None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is nothing to change"),
        (["a"], "'a' is not of the form KEY=TEXT or KEY:=JSON"),
        (["a:=nojson"], "is no JSON"),
        (["a:=9007199254740993"], "store it as text"),
        (["a=1", "--remove", "a"], "a cannot be set and removed at once"),
    ],
)
def test_changes_that_are_none_ask_nobody(run: Run, service: Service, words: list[str], message: str) -> None:
    result = run("metadata", "set", ID, *words)

    assert result.exit_code == 2
    assert message in result.stderr
    assert service.calls == []


@pytest.mark.parametrize(("written", "degrees"), [("90", 90), ("-90", -90), ("360", 360)])
def test_an_image_is_rotated(run: Run, service: Service, written: str, degrees: int) -> None:
    by_id, by_token = run("rotate", ID, written), run("rotate", f"token.of.{ID}", written, "--json")

    assert by_id.exit_code == 0, by_id.stderr
    assert "revision  1" in by_id.stdout
    assert "token" not in by_id.stdout
    assert json.loads(by_token.stdout)["token"] == "token.of.next"
    assert [request.degrees for request in service.requests] == [degrees, degrees]
    assert "token     token.of.next" in run("rotate", f"token.of.{ID}", written).stdout


@pytest.mark.parametrize("degrees", ["45", "quarter"])
def test_an_image_is_not_rotated_by_anything_else(run: Run, service: Service, degrees: str) -> None:
    assert run("rotate", ID, degrees).exit_code == 2
    assert service.calls == []


def test_what_is_no_image_is_not_rotated(run: Run, service: Service) -> None:
    service.plan.extend([None, Refusal("NOT_AN_IMAGE", message="card.pdf is no image")])

    result = run("rotate", ID, "90")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["error: card.pdf is no image", "to do: only JPEG and PNG images can be rotated"]


def test_a_rotation_that_takes_too_long_says_that_it_goes_on(run: Run, service: Service) -> None:
    service.plan.extend([None, Stall()])

    result = run("rotate", ID, "90", "--timeout", "0.3")

    assert result.exit_code == 3
    assert "it is not done yet, and goes on" in result.stderr


# ---- delete, undelete, finalize, duplicate ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "said"), [("delete", "deleted"), ("undelete", "undeleted"), ("finalize", "final")])
def test_what_can_be_done_is_done_and_the_rest_is_listed(run: Run, service: Service, command: str, said: str) -> None:
    result = run(command, ID, MISSING_ID, OTHER_ID)

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [f"{said}  {ID}  card.pdf", f"{said}  {OTHER_ID}  letter.pdf"]
    assert result.stderr.splitlines() == [
        f"error: there is no document {MISSING_ID}",
        "to do: check the id; a document that was never confirmed, or was deleted long ago, is gone for good",
        "",
        "1 of 3 documents not done:",
        f"  {MISSING_ID}",
    ]


@pytest.mark.parametrize("command", ["delete", "undelete", "finalize", "duplicate"])
def test_programs_get_a_list_and_an_error_for_each(run: Run, service: Service, command: str) -> None:
    result = run(command, "--json", ID, MISSING_ID)

    assert result.exit_code == 1
    [document] = json.loads(result.stdout)
    assert document["name"] == "card.pdf"
    error = json.loads(result.stderr)["error"]
    assert (error["reason"], error["metadata"]["document_id"]) == ("DOCUMENT_NOT_FOUND", MISSING_ID)


def test_duplicates_are_shown_with_their_own_ids(run: Run, service: Service) -> None:
    result = run("duplicate", ID, OTHER_ID, "--path", "copies/", "--modified")

    assert result.exit_code == 0, result.stderr
    made = [document.id for document in service.documents.values()][2:]
    assert [line.split()[1] for line in result.stdout.splitlines() if line.startswith("id ")] == made
    assert service.requests[0].with_modified
    assert json.loads(run("duplicate", ID, "--json").stdout)["id"] not in {ID, *made}
    assert run("duplicate", ID, OTHER_ID, "--path", "same.pdf").exit_code == 2


# ---- infected ---------------------------------------------------------------------------------------------------------------


def test_nothing_is_declared_infected_unless_somebody_says_yes(run: Run, service: Service) -> None:
    result = run("infected", ID)

    assert result.exit_code == 2
    assert "add --yes" in result.stderr
    assert service.calls == []


@pytest.mark.parametrize(("answer", "exit_code"), [(b"y\n", 0), (b"n\n", 130), (b"\n", 130)])
def test_somebody_at_a_terminal_is_asked(command: list[str], service: Service, answer: bytes, exit_code: int) -> None:
    near, far = pty.openpty()
    process = subprocess.Popen([*command, "infected", ID], stdin=far, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(near, answer)

    _, stderr = process.communicate(timeout=60)
    os.close(near)
    os.close(far)

    assert b"Declare card.pdf (admission/card.pdf) infected? This cannot be taken back." in stderr
    assert process.returncode == exit_code
    infected = service.documents[ID].status == document_pb2.DOCUMENT_STATUS_INFECTED
    assert infected == (exit_code == 0)


def test_all_that_is_infected_is_told(run: Run, service: Service) -> None:
    service.documents[OTHER_ID].path = "admission/card.pdf"

    result = run("infected", "--path", "admission/card.pdf", "--yes")

    assert result.stdout.splitlines() == [f"infected  {ID}  card.pdf", f"infected  {OTHER_ID}  letter.pdf"]
    assert len(json.loads(run("infected", ID, "--yes", "--json").stdout)) == 1


@pytest.mark.parametrize("words", [["--yes"], [ID, "--path", "x", "--yes"]])
def test_what_is_infected_is_named_once(run: Run, service: Service, words: list[str]) -> None:
    assert run("infected", *words).exit_code == 2
    assert service.calls == []


# ---- inspect, cancel --------------------------------------------------------------------------------------------------------


def test_a_token_is_explained(run: Run, service: Service) -> None:
    good = run("inspect", f"token.of.{ID}")
    service.refusals[ID] = not_found(ID)
    bad = run("inspect", f"token.of.{ID}")

    assert good.stdout.splitlines() == [
        "good now     yes",
        f"document     {ID}",
        "opens        the document itself",
        "purpose      READ",
        "made         2026-01-31T12:00:00Z",
        "ends         2026-01-31T12:15:00Z",
        "revision     3",
        "signed with  k1",
    ]
    assert bad.stdout.splitlines()[0] == f"good now     no: there is no document {ID} [DOCUMENT_NOT_FOUND]"
    as_json = json.loads(run("inspect", f"token.of.{ID}", "--json").stdout)
    assert as_json["refusal"]["reason"] == "ERROR_REASON_DOCUMENT_NOT_FOUND"
    assert run("inspect", f"token.of.{MISSING_ID}").exit_code == 4


def test_jobs_and_uploads_are_cancelled(run: Run, service: Service) -> None:
    service.uploads[ID] = bytearray(b"x")

    assert run("cancel", ID).stdout.splitlines()[:2] == [f"job    {ID}", "state  CANCELLED"]
    assert run("cancel-upload", ID, OTHER_ID).stdout.splitlines() == [f"cancelled  {ID}", f"cancelled  {OTHER_ID}"]
    assert json.loads(run("cancel-upload", "--json", ID).stdout) == [{"id": ID}]
    assert service.uploads == {}
    service.plan.append(Refusal("ALREADY_CONFIRMED", message="it is confirmed"))
    assert run("cancel-upload", ID).exit_code == 1


# ---- several files ----------------------------------------------------------------------------------------------------------


def test_what_concerns_all_files_stops_at_the_first(run: Run, service: Service, tmp_path: object) -> None:
    service.plan.append(Refusal("API_KEY_INVALID", grpc.StatusCode.UNAUTHENTICATED, message="the key is wrong"))

    result = run("upload", __file__, "second.pdf", "third.pdf")
    service.plan.append(Refusal("API_KEY_INVALID", grpc.StatusCode.UNAUTHENTICATED, message="the key is wrong"))
    as_json = run("upload", "--json", __file__, "second.pdf")

    assert result.exit_code == 4
    assert result.stderr.splitlines()[2:] == [
        "",
        "3 of 3 files not done:",
        f"  {__file__}",
        "  second.pdf (not tried)",
        "  third.pdf (not tried)",
    ]
    assert service.calls == ["WriteUpload"] * 2
    first, second = (json.loads(line)["error"] for line in as_json.stderr.splitlines())
    assert (first["reason"], second["reason"], second["metadata"]) == ("API_KEY_INVALID", "NOT_TRIED", {"file": "second.pdf"})
