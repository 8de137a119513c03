"""The command line against a real service: what a user does, and what they then have."""

import hashlib
import json
import signal
from datetime import UTC, datetime

import pytest
from PIL import Image

from osis.document.v1.document_service_pb2 import (
    ConfirmUpload,
    ConfirmUploadsRequest,
    DuplicateDocument,
    DuplicateDocumentsRequest,
    Hold,
)
from tests.support import files
from tests.support.command_line import CommandLine
from tests.support.downloads import content_of
from tests.support.proxy import Delay, Proxy
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, confirm, new_id, store, upload
from tests.support.waiting import wait_until

# What is looked at here is the program; which database the service has makes no difference to it.
pytestmark = [pytest.mark.one_database, pytest.mark.slow]

NOTE = b"a few words\n"


@pytest.fixture
def cli(server, tmp_path):
    return CommandLine(server.target, tmp_path)


@pytest.fixture
def note(tmp_path):
    (tmp_path / "note.txt").write_bytes(NOTE)
    return "note.txt"


def store_at(stubs, path, content):
    """Uploads and confirms a document under a logical path."""
    name = path.rpartition("/")[2] or "note.txt"
    return confirm(stubs, upload(stubs, content, name).write_token, path=path)


def fields(lines):
    """Lines of names and values as a dictionary."""
    return dict(line.split(maxsplit=1) for line in lines if line)


# ---- in and out -------------------------------------------------------------------------------------------------------------


def test_a_file_goes_in_and_comes_out_as_it_was(cli, note, tmp_path):
    uploaded = fields(cli.lines("upload", note, "--path", "notes/", "--metadata", "author=Ada", "--metadata", "year:=2026"))

    shown = cli.json("show", uploaded["id"])
    assert (shown["path"], shown["metadata"], shown["status"]) == (
        "notes/note.txt",
        {"author": "Ada", "year": 2026},
        "DOCUMENT_STATUS_UPLOADED",
    )
    assert uploaded["sha256"] == hashlib.sha256(NOTE).hexdigest()
    cli.lines("download", uploaded["id"], "-o", "copy.txt")
    assert (tmp_path / "copy.txt").read_bytes() == NOTE


def test_a_token_opens_a_document_to_whoever_has_no_key(cli, note, server, tmp_path):
    document_id = cli.json("upload", note)["id"]
    [token] = cli.lines("token", document_id)
    stranger = CommandLine(server.target, tmp_path, caller=None)

    stranger.lines("download", token, "-o", "copy.txt")

    assert (tmp_path / "copy.txt").read_bytes() == NOTE
    assert fields(stranger.lines("show", token))["id"] == document_id
    assert "API" in stranger.fails(4, "show", document_id)[0]
    assert fields(cli.lines("inspect", token))["document"] == document_id


def test_an_upload_may_be_confirmed_later(cli, note):
    unconfirmed = cli.json("upload", "--no-confirm", note)

    assert cli.json("list", "--status", "requested", "--name", "note", "--limit", 1)["id"] == unconfirmed["document"]["id"]
    assert cli.json("confirm", unconfirmed["write_token"], "--path", "later/")["path"] == "later/note.txt"
    assert "was used already" in cli.fails(4, "confirm", unconfirmed["write_token"])[0]


def test_an_upload_may_be_thrown_away(cli, note):
    upload_id = cli.json("upload", "--no-confirm", note)["document"]["id"]

    assert cli.lines("cancel-upload", upload_id) == [f"cancelled  {upload_id}"]

    assert "no document" in cli.fails(1, "show", upload_id)[0]


def test_one_bad_file_among_several_does_not_hold_up_the_others(cli, note, tmp_path):
    (tmp_path / "program.exe").write_bytes(b"MZ")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "lie.pdf").write_bytes(NOTE)

    done = cli.run("upload", "program.exe", note, "empty.txt", "lie.pdf", "missing.txt")

    assert done.returncode == 1
    assert fields(done.stdout.splitlines())["name"] == "note.txt"
    assert done.stderr.splitlines()[-6:] == [
        "",
        "4 of 5 files not done:",
        *(f"  {name}" for name in ("program.exe", "empty.txt", "lie.pdf", "missing.txt")),
    ]


@pytest.mark.parametrize("document", ["4fce2cf2-31c9-4b26-b6b4-9c3bd09d32f", "report.pdf", "eyJ"])
def test_what_is_mistyped_is_told_as_such(cli, document):
    assert "is neither an id nor a token" in cli.fails(2, "show", document)[-1]


def test_a_download_that_is_terminated_leaves_nothing_behind(server, alpha, tmp_path):
    document = store(alpha, files.pdf_of_size(20 * MEBIBYTE), "big.pdf")
    with Proxy(server.target) as proxy:
        proxy.plan.extend([Delay(0.05)])
        process = CommandLine(proxy.target, tmp_path).start("download", document.id, "-o", "big.pdf")
        wait_until(lambda: any(part.stat().st_size for part in tmp_path.glob(".*.part")), "it is under way", seconds=30)

        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 143
    assert [path.name for path in tmp_path.iterdir()] == []


# ---- found and changed ------------------------------------------------------------------------------------------------------


def test_documents_are_found_by_what_is_known_of_them(cli, alpha):
    folder = f"{new_id()}/"
    first = cli.folder / "Straße.txt"
    first.write_bytes(NOTE)
    (cli.folder / "photo.png").write_bytes(files.png())
    cli.lines("upload", "Straße.txt", "photo.png", "--path", folder)

    def found(*words):
        return [line.split("\t")[4].removeprefix(folder) for line in cli.lines("list", "--path", folder, *words)]

    assert found() == ["photo.png", "Straße.txt"]
    assert found("--order", "oldest") == found("--order", "path")[::1] == ["Straße.txt", "photo.png"]
    assert found("--type", "image/png") == ["photo.png"]
    assert found("--name", "STRASSE") == ["Straße.txt"]
    assert found("--since", "1h") == found()
    assert found("--before", "1h") == []
    assert found("--limit", 1) == ["photo.png"]
    assert found("--held") == []
    assert found("--sound") == found()


def test_a_long_list_comes_page_after_page(alpha, cli):
    folder = f"{new_id()}/"
    original = store(alpha, NOTE)
    with_ids = [new_id() for _ in range(230)]
    alpha.documents.DuplicateDocuments(
        DuplicateDocumentsRequest(
            documents=[DuplicateDocument(document_id=original.id, new_document_id=each, path=folder) for each in with_ids]
        )
    )

    listed = [json.loads(line) for line in cli.lines("list", "--path", folder, "--json")]

    assert sorted(each["id"] for each in listed) == sorted(with_ids)


def test_keys_and_names_are_changed(cli, note):
    document_id = cli.json("upload", note, "--metadata", "old=1", "--metadata", "kept=k")["id"]

    changed = cli.json(
        "metadata", "set", document_id, "author=Ada", "tags:=[1, true, null]", "--remove", "old", "--name", "new.txt"
    )

    assert changed["metadata"] == {"kept": "k", "author": "Ada", "tags": [1, True, None]}
    assert changed["name"] == "new.txt"
    assert cli.json("show", document_id) == changed
    assert "give another name" in cli.fails(1, "metadata", "set", document_id, "--name", "../x.txt")[1]


def test_an_image_is_turned(cli, tmp_path):
    image = Image.new("RGB", (40, 20), "white")
    image.paste("red", (0, 0, 10, 10))
    image.save(tmp_path / "photo.png")
    document_id = cli.json("upload", "photo.png")["id"]

    assert fields(cli.lines("rotate", document_id, "90"))["revision"] == "1"
    assert (
        cli.json("rotate", cli.lines("token", document_id, "--write", "--wanted", "original")[0], "-90")["document"]["revision"]
        == "2"
    )

    cli.lines("rotate", document_id, "90")
    cli.lines("download", document_id, "-o", "turned.png")
    with Image.open(tmp_path / "turned.png") as turned:
        assert turned.size == (20, 40)
        assert turned.convert("RGB").getpixel((15, 5)) == (255, 0, 0)


def test_only_images_are_turned(cli, note):
    document_id = cli.json("upload", note)["id"]

    assert cli.fails(1, "rotate", document_id, "90")[1] == "to do: only JPEG and PNG images can be rotated"


def test_a_document_is_deleted_and_comes_back(cli, note):
    document_id = cli.json("upload", note)["id"]
    missing = new_id()

    done = cli.run("delete", missing, document_id)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"deleted  {document_id}  note.txt"]
    assert done.stderr.splitlines()[-2:] == ["1 of 2 documents not done:", f"  {missing}"]
    assert (
        cli.fails(1, "download", document_id)[1]
        == "to do: bring it back with `osis-document undelete ID`, as long as the retention time lasts"
    )
    assert document_id in "".join(cli.lines("list", "--status", "deleted"))
    assert cli.lines("undelete", document_id) == [f"undeleted  {document_id}  note.txt"]
    assert cli.lines("download", document_id, "-o", "back.txt")


def test_a_duplicate_lives_on_its_own(cli, note, alpha):
    document_id = cli.json("upload", note)["id"]

    duplicate = cli.json("duplicate", document_id, "--path", "copies/")
    cli.lines("delete", document_id)

    assert (duplicate["path"], duplicate["sha256"]) == ("copies/note.txt", hashlib.sha256(NOTE).hexdigest())
    assert content_of(alpha, duplicate["id"]) == NOTE


def test_what_is_infected_and_all_that_shares_its_bytes_is_refused_for_good(cli, tmp_path):
    (tmp_path / "bad.txt").write_text(f"bad {new_id()}")
    document_id = cli.json("upload", "bad.txt")["id"]
    duplicate_id = cli.json("duplicate", document_id)["id"]

    assert "add --yes" in cli.fails(2, "infected", document_id)[-1]
    assert cli.lines("infected", document_id, "--yes") == [f"infected  {each}  bad.txt" for each in (document_id, duplicate_id)]

    assert "infected" in cli.fails(1, "download", duplicate_id)[0]
    assert "infected" in cli.fails(1, "undelete", document_id)[0]
    assert cli.json("show", document_id)["status"] == "DOCUMENT_STATUS_INFECTED"


def test_held_documents_become_final(cli, server, alpha):
    request = ConfirmUploadsRequest(uploads=[ConfirmUpload(token=upload(alpha, NOTE).write_token)], hold=Hold())
    [held] = alpha.documents.ConfirmUploads(request).documents
    assert held.id in "".join(cli.lines("list", "--held"))

    assert cli.lines("finalize", held.id) == [f"final  {held.id}  note.txt"]

    assert "hold_expire_time" not in cli.json("show", held.id)


# ---- tokens and jobs --------------------------------------------------------------------------------------------------------


def test_a_token_opens_the_document_and_after_a_job_its_newest_result(cli, note):
    document_id = cli.json("upload", note)["id"]
    assert cli.json("token", document_id)["document_id"] == document_id, "without a job the document itself"

    job = cli.json("convert", document_id)

    output = job["actions"][0]["records"][0]["output_document_ids"][0]
    assert cli.json("token", document_id)["document_id"] == output
    assert cli.json("token", document_id, "--wanted", "convert")["document_id"] == output
    assert cli.json("token", document_id, "--wanted", "original")["document_id"] == document_id
    assert cli.json("show", output)["name"] == "note.pdf"


def output_of(job):
    """The document that a job's last action made."""
    return job["actions"][-1]["records"][-1]["output_document_ids"][0]


def test_pages_and_titles_are_chosen_by_options(cli, tmp_path):
    (tmp_path / "pages.pdf").write_bytes(files.pdf("One", "Two", "Three"))
    document_id = cli.json("upload", tmp_path / "pages.pdf")["id"]

    chosen = output_of(cli.json("convert", document_id, "--pages", "3,1", "--title", "Chosen pages"))
    whole = output_of(cli.json("merge", document_id, "--title", "All pages"))
    cli.lines("download", chosen, "-o", tmp_path / "chosen.pdf")
    cli.lines("download", whole, "-o", tmp_path / "whole.pdf")

    chosen, whole = (tmp_path / "chosen.pdf").read_bytes(), (tmp_path / "whole.pdf").read_bytes()
    assert [text.strip() for text in files.page_texts(chosen)] == ["Three", "One"], "in the order asked for"
    assert files.title_of(chosen) == "Chosen pages"
    assert (len(files.page_texts(whole)), files.title_of(whole)) == (3, "All pages")


@pytest.mark.needs_libreoffice
def test_a_text_becomes_pdf_a_by_an_option(cli, note, tmp_path):
    output = output_of(cli.json("convert", cli.json("upload", note)["id"], "--pdf-a"))

    cli.lines("download", output, "-o", tmp_path / "note.pdf")

    assert b"pdfaid:part" in (tmp_path / "note.pdf").read_bytes()


def test_a_job_that_has_ended_cannot_be_cancelled_any_more(cli, note):
    job = cli.json("convert", cli.json("upload", note)["id"])

    assert fields(cli.lines("cancel", job["id"]))["state"] == "DONE"
    assert "no post-processing" in cli.fails(1, "cancel", new_id())[0].lower()


# ---- export -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def exporting(tmp_path):
    """A service of its own, so that it is known what is exported."""
    with serving(tmp_path / "exporting", MAX_UPLOAD_SIZE="100000000") as server:
        yield server


def exported(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".osis-document-export" not in path.parts and path.suffix != ".jsonl"
    }


def test_everything_is_exported_once_and_what_comes_later_too(exporting, tmp_path):
    cli = CommandLine(exporting.target, tmp_path)
    alpha = exporting.stubs()
    contents = {f"a/{number % 7}/{number}.txt": b"%d" % number for number in range(150)}
    for path, content in contents.items():
        store_at(alpha, path, content)
    twice = store_at(alpha, "a/1/1.txt", b"the same path")
    alike = store_at(alpha, "A/1/1.TXT", b"almost the same path")
    deleted = store_at(alpha, "a/deleted.txt", b"deleted")
    cli.lines("delete", deleted.id)
    upload(alpha, b"never confirmed")

    first = cli.json("export", "out")

    assert (first["fetched"], first["kept"], first["failed"]) == (152, 0, 0)
    out = tmp_path / "out"
    found = exported(out)
    assert len(found) == 152
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert {line["file"]: line["sha256"] for line in lines} == found
    by_id = {line["id"]: line["file"] for line in lines}
    assert len({line["file"].casefold() for line in lines}) == 152
    assert by_id[alike.id] == "A/1/1.TXT", "the first by path"
    assert by_id[twice.id] == f"a/1/1-{twice.id}.txt"

    store_at(alpha, "b/later.txt", b"later")
    second = cli.json("export", "out")
    assert (second["fetched"], second["kept"]) == (1, 152)
    assert exported(out) == found | {"b/later.txt": hashlib.sha256(b"later").hexdigest()}


def test_an_export_goes_on_after_it_was_killed(exporting, tmp_path):
    alpha = exporting.stubs()
    contents = {f"{number}.pdf": files.pdf_of_size(6 * MEBIBYTE + number, seed=number) for number in range(4)}
    for path, content in contents.items():
        store_at(alpha, path, content)
    out = tmp_path / "out"
    parts = out / ".osis-document-export/parts"

    def fetched():
        """Bytes of documents that are there, whole ones and parts."""
        return sum(path.stat().st_size for path in (*out.glob("*.pdf"), *parts.glob("*")))

    with Proxy(exporting.target) as proxy:
        proxy.plan.append(Delay(0.01))
        process = CommandLine(proxy.target, tmp_path).start("export", "out", "--jobs", 2)
        wait_until(lambda: parts.exists() and fetched() > 8 * MEBIBYTE, "it is under way", seconds=60)
        process.kill()
        process.communicate()
    there = fetched()
    assert list(parts.iterdir()), "it was killed in the midst of one"

    with Proxy(exporting.target) as proxy:
        summary = CommandLine(proxy.target, tmp_path).json("export", "out")
        received = proxy.received

    assert summary["fetched"] + summary["kept"] == 4
    assert exported(out) == {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    assert sum(received) < sum(map(len, contents.values())) - there + MEBIBYTE, "what was there was not fetched again"
    assert list(parts.iterdir()) == []


def test_an_export_says_what_is_damaged_and_has_the_rest(exporting, tmp_path):
    cli = CommandLine(exporting.target, tmp_path)
    alpha = exporting.stubs()
    store_at(alpha, "sound.txt", b"sound")
    damaged = store_at(alpha, "damaged.txt", b"to be damaged")
    file = exporting.blob_file_of(b"to be damaged")
    file.chmod(0o600)
    file.write_bytes(b"is damaged!!!")

    errors = cli.fails(1, "export", "out")

    assert errors[-1] == "1 not exported: see out/failures.jsonl"
    assert "damaged.txt" in errors[0]
    [failure] = [json.loads(line) for line in (tmp_path / "out/failures.jsonl").read_text().splitlines()]
    assert (failure["id"], failure["error"]["reason"]) == (damaged.id, "DOCUMENT_CORRUPT")
    assert exported(tmp_path / "out") == {"sound.txt": hashlib.sha256(b"sound").hexdigest()}
    assert cli.lines("list", "--corrupt") == cli.lines("list", "--path", "damaged")


def test_an_export_takes_modified_copies_if_it_is_told_to(exporting, tmp_path):
    cli = CommandLine(exporting.target, tmp_path)
    alpha = exporting.stubs()
    original = store_at(alpha, "file.pdf", files.pdf("one", "two"))
    with exporting.client() as client:
        token = client.create_token(original.id, write=True, for_modified=True).token.token
        client.save_edit(token, rotations={0: 90})

    cli.lines("export", "originals")
    cli.lines("export", "modified", "--modified")

    modified = cli.json("show", original.id)["modified"]["sha256"]
    assert exported(tmp_path / "originals") == {"file.pdf": original.sha256}
    assert exported(tmp_path / "modified") == {"file.pdf": modified}
    assert modified != original.sha256


# ---- times ------------------------------------------------------------------------------------------------------------------


def test_times_are_filters_to_the_second(cli, alpha):
    folder = f"{new_id()}/"
    document = store_at(alpha, folder, NOTE)
    moment = document.upload_time.ToDatetime(UTC)

    def found(*words):
        return len(cli.lines("list", "--path", folder, *words))

    assert found("--since", moment.isoformat()) == 1
    assert found("--before", moment.isoformat()) == 0
    assert found("--since", datetime.fromtimestamp(moment.timestamp() + 1, UTC).isoformat()) == 0
