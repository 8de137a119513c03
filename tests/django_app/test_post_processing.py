"""Post-processing through the Python functions: what is made, how it is told, and of which result one gets a token."""

import time
import uuid
from urllib.parse import parse_qs, unquote

import pytest

from osis_document.api.utils import (
    get_progress_async_post_processing,
    get_remote_token,
    get_remote_tokens,
    launch_post_processing,
)
from osis_document.contrib import ConverterImageToPdf, ConverterRegistry, merger
from osis_document.contrib.post_processing.converter_registry import converter_registry
from osis_document.contrib.post_processing.merger import Merger
from osis_document.contrib.post_processing.post_processing_enums import PageFormatEnums
from osis_document.enums import PostProcessingType, PostProcessingWanted
from osis_document.exceptions import (
    ConversionError,
    FileInfectedException,
    FormatInvalidException,
    InvalidMergeFileDimension,
    InvalidPostProcessorAction,
    JobNotFound,
    MissingFileException,
)
from osis_document.services import documents, post_processing
from osis_document.utils import post_process
from tests.support import files, jobs, tasks
from tests.support.files import page_sizes, page_texts

BOTH = [PostProcessingType.CONVERT.name, PostProcessingType.MERGE.name]
LETTER = files.docx("A letter")
CONVERTED = [files.pdf("The first letter as a PDF"), files.pdf("The second letter as a PDF")]
MERGED = files.pdf("Both letters in one")


# ---- for real ---------------------------------------------------------------------------------------------------------------


@pytest.mark.needs_libreoffice
def test_converting_two_files_and_merging_them_makes_three_records(store, stored_bytes):
    letter, photo = store(files.docx("Dear all"), "letter.docx"), store(files.png(), "photo.png")

    result = post_process(
        uuid_list=[letter, uuid.UUID(photo)],
        post_process_actions=BOTH,
        post_process_params={
            "CONVERT": {"output_filename": "converted"},
            "MERGE": {"pages_dimension": PageFormatEnums.A4.name, "output_filename": "merged"},
        },
    )

    assert result.keys() == {"CONVERT", "MERGE"}
    converted, merged = result["CONVERT"], result["MERGE"]
    assert converted["input"] == [letter, photo]
    assert merged["input"] == converted["output"]["upload_objects"]
    assert [len(each["output"]["upload_objects"]) for each in (converted, merged)] == [2, 1]
    records = converted["output"]["post_processing_objects"] + merged["output"]["post_processing_objects"]
    assert len(set(records)) == 3
    [output] = merged["output"]["upload_objects"]
    assert "Dear all" in page_texts(stored_bytes(output))[0]
    assert set(page_sizes(stored_bytes(output))) == {(595, 842)}
    assert documents.describe([output])[output]["name"] == "merged.pdf"
    # A synchronous post-processing is told like any other that is done.
    assert documents.metadata(get_remote_token(letter))["upload_uuid"] == output


def test_the_registry_converts_by_either_name_of_its_argument_and_pdfs_have_their_records(store, stored_bytes):
    photo, finished = store(files.png(), "photo.png"), store(files.pdf("Finished"), "finished.pdf")

    output = converter_registry.process(upload_objects_uuid=[finished, photo], output_filename="new_filename")
    again = ConverterRegistry().process(upload_objects_uuids=[photo])

    assert len(output["post_processing_objects"]) == 2
    first, second = output["upload_objects"]
    assert page_texts(stored_bytes(first)) == ["Finished"]
    assert stored_bytes(second).startswith(b"%PDF")
    assert documents.metadata(get_remote_token(finished))["name"].startswith("new_filename")
    assert len(again["upload_objects"]) == 1
    assert "image/png" in converter_registry.get_supported_formats()
    assert len(ConverterImageToPdf().convert([photo])["upload_objects"]) == 1


def test_the_merger_merges_by_either_names_of_its_arguments(store, stored_bytes):
    first, second = store(files.pdf("one", "two"), "a.pdf"), store(files.pdf("three"), "b.pdf")

    by_new = Merger().process(upload_objects_uuids=[first, second], output_filename="new")
    by_old = merger.process(input_uuid_files=[second, first, second], filename="old", pages_dimension="A5")

    assert page_texts(stored_bytes(by_new["upload_objects"][0])) == ["one", "two", "three"]
    assert page_texts(stored_bytes(by_old["upload_objects"][0])) == ["three", "one", "two", "three"]
    names = [documents.describe(each["upload_objects"])[each["upload_objects"][0]]["name"] for each in (by_new, by_old)]
    assert names == ["new.pdf", "old.pdf"]


def test_what_failed_is_told_in_words_for_the_person_whose_file_it_is(store):
    locked = store(files.password_pdf(), "locked.pdf")

    with pytest.raises(ConversionError, match="protected by a password") as caught:
        merger.process([locked])

    assert caught.value.errors["params"]["document_id"] == locked
    assert caught.value.errors["messages"] == [str(caught.value)]
    assert caught.value.job_id


@pytest.mark.parametrize(
    ("types", "params", "exception"),
    [
        ([], {}, InvalidPostProcessorAction),
        (["SHRED"], {}, InvalidPostProcessorAction),
        (["CONVERT", "CONVERT"], {}, InvalidPostProcessorAction),
        ("CONVERT", {}, InvalidPostProcessorAction),
        (["MERGE", "CONVERT"], {}, FormatInvalidException),
        (["MERGE"], {"MERGE": {"pages_dimension": "A9"}}, InvalidMergeFileDimension),
        (["CONVERT"], {"CONVERT": {"output_filename": 3}}, FormatInvalidException),
        (["CONVERT"], {"CONVERT": "name"}, FormatInvalidException),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_done(store, types, params, exception):
    with pytest.raises(exception):
        launch_post_processing([store(files.pdf("x"), "x.pdf")], False, types, params)


def test_post_processing_needs_documents_that_are_there_and_sound(store):
    infected = store(files.pdf("bad"), "bad.pdf")
    documents.declare_infected(uuid=infected)

    with pytest.raises(MissingFileException):
        converter_registry.process()
    with pytest.raises(MissingFileException):
        converter_registry.process([uuid.uuid4()])
    with pytest.raises(FormatInvalidException):
        converter_registry.process(["no uuid"])
    with pytest.raises(FileInfectedException):
        converter_registry.process([infected])
    with pytest.raises(JobNotFound):
        get_progress_async_post_processing(uuid.uuid4())


# ---- the token of a post-processed file, case by case --------------------------------------------------------------------------


class Case:
    """Two letters, and an asynchronous post-processing over them that has come so far as its name says."""

    def __init__(self, store, worker, service, state):
        self.letters = [store(LETTER, f"{name}.docx") for name in ("first", "second")]
        self.converted, self.merged, self.job_id = [], "", ""
        if state == "none":
            return
        answer = launch_post_processing(self.letters, True, BOTH, {})
        self.job_id = answer["uuid"]
        if state == "PENDING at once":
            return
        job = jobs.job_of(service.stubs(), self.job_id)
        convert_ids, [merge_id] = jobs.task_ids(job), jobs.task_ids(job, 1)
        if state == "FAILED at once":
            self.fail(worker, convert_ids[1])
            return
        self.converted = [tasks.do(worker, each, content) for each, content in zip(convert_ids, CONVERTED, strict=True)]
        if state == "FAILED":
            self.fail(worker, merge_id)
        elif state == "DONE":
            self.merged = tasks.do(worker, merge_id, MERGED)

    def fail(self, worker, task_id):
        """Fails a task for good, by the fault of the second letter."""
        tasks.fail(worker, tasks.claim(worker, task_id).lease_id, "DOCUMENT_UNREADABLE", document_id=self.letters[1])


@pytest.fixture
def case(queueing, store, worker):
    return lambda state: Case(store, worker, queueing, state)


@pytest.fixture(params=["single", "list"])
def ask(request, queueing, store):
    """Asks for a token of a letter by one of the two functions; the answer is a token, or the body of a 206 or 422."""
    if request.param == "single":
        return lambda letter, wanted=None: get_remote_token(letter, wanted_post_process=wanted)
    other = store()

    def ask_for_several(letter, wanted=None):
        answers = get_remote_tokens([other, letter], wanted_post_process=wanted)
        assert list(answers) == [other, letter]
        if isinstance(answers[letter], str):
            assert documents.metadata(answers[other])["upload_uuid"] == other
        else:
            assert documents.metadata(answers[other]["token"])["upload_uuid"] == other
        return answers[letter]

    return ask_for_several


def expect_token(answer, document_id, stored_bytes, content):
    assert documents.metadata(answer)["upload_uuid"] == document_id
    assert stored_bytes(document_id) == content


def expect_link(answer, found, letter):
    """A link below the base URL, signed for this job and this letter."""
    address, _, query = answer["links"]["progress"].partition("?")
    assert address == f"http://testserver/osis_document/get-progress-async-post-processing/{found.job_id}"
    values = {name: value for name, [value] in parse_qs(query).items()}
    assert values["document"] == letter
    assert post_processing.link_is_genuine(found.job_id, values["signature"], document_id=letter)
    assert not post_processing.link_is_genuine(str(uuid.uuid4()), values["signature"], document_id=letter)
    assert not post_processing.link_is_genuine(found.job_id, values["signature"], document_id=str(uuid.uuid4()))
    assert not post_processing.link_is_genuine(found.job_id, "", document_id=letter)


def expect_pending(answer, found, letter, convert):
    assert answer["status"] == "PENDING"
    assert answer["CONVERT"]["status"] == convert
    assert answer["MERGE"] == {"status": "PENDING"}
    assert answer["CONVERT"].get("upload_objects", []) == found.converted
    assert len(answer["CONVERT"].get("post_processing_objects", [])) == len(found.converted)
    expect_link(answer, found, letter)


def expect_failed(answer, found, letter):
    assert answer["status"] == "FAILED"
    assert answer["code"] == "ASYNC_POST_PROCESS_FAILED"
    assert answer["errors"]["params"] == {"reason": "DOCUMENT_UNREADABLE", "document_id": found.letters[1]}
    assert answer["errors"]["messages"] == ["The content of the file cannot be read. Open it, save it anew and upload it again."]
    failed = "MERGE" if found.converted else "CONVERT"
    assert answer[failed] == {"status": "FAILED", "errors": answer["errors"]}
    expect_link(answer, found, letter)


def test_done_and_nothing_said_is_the_last_actions_output(case, ask, stored_bytes):
    found = case("DONE")

    for letter in found.letters:
        expect_token(ask(letter), found.merged, stored_bytes, MERGED)


def test_done_and_an_action_is_that_actions_output(case, ask, stored_bytes):
    found = case("DONE")

    for letter, converted, content in zip(found.letters, found.converted, CONVERTED, strict=True):
        expect_token(ask(letter, "CONVERT"), converted, stored_bytes, content)
        expect_token(ask(letter, PostProcessingWanted.MERGE), found.merged, stored_bytes, MERGED)


def test_pending_and_nothing_said_is_pending(case, ask):
    for state, convert in (("PENDING", "DONE"), ("PENDING at once", "PENDING")):
        found = case(state)
        expect_pending(ask(found.letters[0]), found, found.letters[0], convert)


def test_pending_and_an_action_that_is_done_is_that_actions_output(case, ask, stored_bytes):
    found = case("PENDING")

    expect_token(ask(found.letters[1], "CONVERT"), found.converted[1], stored_bytes, CONVERTED[1])


def test_pending_and_an_action_that_is_not_is_pending(case, ask):
    found = case("PENDING")
    expect_pending(ask(found.letters[1], "MERGE"), found, found.letters[1], "DONE")

    at_once = case("PENDING at once")
    expect_pending(ask(at_once.letters[1], "CONVERT"), at_once, at_once.letters[1], "PENDING")


def test_failed_and_nothing_said_is_failed(case, ask):
    for state in ("FAILED", "FAILED at once"):
        found = case(state)
        expect_failed(ask(found.letters[0]), found, found.letters[0])


def test_failed_and_an_action_that_is_done_is_that_actions_output(case, ask, stored_bytes):
    found = case("FAILED")

    expect_token(ask(found.letters[0], "CONVERT"), found.converted[0], stored_bytes, CONVERTED[0])


def test_failed_and_an_action_that_is_not_is_failed(case, ask):
    found = case("FAILED")
    expect_failed(ask(found.letters[0], "MERGE"), found, found.letters[0])

    at_once = case("FAILED at once")
    expect_failed(ask(at_once.letters[0], "CONVERT"), at_once, at_once.letters[0])


@pytest.mark.parametrize("state", ["DONE", "PENDING", "PENDING at once", "FAILED", "FAILED at once", "none"])
def test_the_original_is_always_the_document_itself(case, ask, stored_bytes, state):
    found = case(state)

    for wanted in ("ORIGINAL", "Original"):
        expect_token(ask(found.letters[0], wanted), found.letters[0], stored_bytes, LETTER)


@pytest.mark.parametrize("wanted", [None, "", "CONVERT", "MERGE"])
def test_without_a_job_it_is_the_document_itself_whatever_is_wanted(case, ask, stored_bytes, wanted):
    found = case("none")

    expect_token(ask(found.letters[0], wanted), found.letters[0], stored_bytes, LETTER)


def test_a_result_that_there_cannot_be_is_refused_with_those_there_can(ask, store):
    with pytest.raises(FormatInvalidException, match="CONVERT, MERGE, ORIGINAL"):
        ask(store(), "SHRED")


def test_a_link_to_the_progress_is_good_for_a_day(monkeypatch, osis_settings):
    job_id = str(uuid.uuid4())
    made = time.time()
    signature = post_processing.progress_link(job_id).partition("signature=")[2]

    for age_seconds, genuine in ((0, True), (23 * 3600, True), (25 * 3600, False)):
        monkeypatch.setattr(time, "time", lambda age_seconds=age_seconds: made + age_seconds)
        assert post_processing.link_is_genuine(job_id, unquote(signature)) == genuine


# ---- the progress --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "progress", "whole", "convert", "merge"),
    [
        ("DONE", 100, "DONE", "DONE", "DONE"),
        ("PENDING", 66, "PENDING", "DONE", "PENDING"),
        ("PENDING at once", 0, "PENDING", "PENDING", "PENDING"),
        ("FAILED", 66, "FAILED", "DONE", "FAILED"),
        ("FAILED at once", 0, "FAILED", "FAILED", "FAILED"),
    ],
)
def test_the_progress_says_how_far_the_whole_is_and_how_what_is_wanted_stands(case, state, progress, whole, convert, merge):
    found = case(state)

    told = {wanted: get_progress_async_post_processing(found.job_id, wanted) for wanted in (None, "CONVERT", "MERGE", "ORIGINAL")}

    assert {each["progress"] for each in told.values()} == {progress}
    assert [each["wanted_post_process_status"] for each in told.values()] == [whole, convert, merge, "DONE"]
    assert {each.get("failed", False) for each in told.values()} == {whole == "FAILED"}
