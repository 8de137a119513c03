"""Tokens and post-processing over HTTP, under gunicorn: what a document, or what was made of it, is opened by."""

import uuid
from datetime import datetime
from urllib.parse import urlsplit

import pytest
import requests

from tests.support import files, jobs, tasks
from tests.support.gateway import gunicorn
from tests.support.uploads import store

pytestmark = [pytest.mark.without_service, pytest.mark.needs_redis]

LETTER = files.docx("A letter")
CONVERTED = [files.pdf("The first letter as a PDF"), files.pdf("The second letter as a PDF")]
MERGED = files.pdf("Both letters in one")


@pytest.fixture(scope="module")
def gateway(queueing_service, tmp_path_factory):
    """A gateway to a service whose tasks wait until a test does them."""
    with gunicorn(
        tmp_path_factory.mktemp("gateway"), queueing_service, OSIS_DOCUMENT_DOMAIN_LIST=["https://www.listed.example"]
    ) as running:
        yield running


@pytest.fixture(scope="module")
def working(service, tmp_path_factory):
    """A gateway to a service with a worker."""
    with gunicorn(tmp_path_factory.mktemp("working"), service) as running:
        yield running


class Case:
    """Two letters, and a job over them that has come so far as its name says."""

    def __init__(self, stubs, worker, state):
        self.letters = [store(stubs, LETTER, f"{name}.docx").id for name in ("first", "second")]
        self.job_id = ""
        if state == "none":
            return
        job = jobs.start(stubs, self.letters, jobs.CONVERT, jobs.MERGE)
        self.job_id = job.id
        if state == "PENDING at once":
            return
        convert_ids, [merge_id] = jobs.task_ids(job), jobs.task_ids(job, 1)
        if state == "FAILED at once":
            fail(worker, convert_ids[1], self.letters[1])
            return
        for task_id, content in zip(convert_ids, CONVERTED, strict=True):
            tasks.do(worker, task_id, content)
        if state == "FAILED":
            fail(worker, merge_id, self.letters[1])
        elif state == "DONE":
            tasks.do(worker, merge_id, MERGED)


def fail(worker, task_id, document_id):
    """Fails a task for good, by the fault of a document."""
    task = tasks.claim(worker, task_id)
    assert task is not None
    tasks.fail(worker, task.lease_id, "DOCUMENT_UNREADABLE", document_id=document_id)


@pytest.fixture(scope="module")
def cases(queueing_service, worker):
    """One case of each state."""
    states = ["none", "DONE", "PENDING", "PENDING at once", "FAILED", "FAILED at once"]
    return {state: Case(queueing_service.stubs(), worker, state) for state in states}


# ---- the table "the token of a post-processed file" ---------------------------------------------------------------------

OUTPUTS = {"letter": LETTER, "converted": CONVERTED[1], "merged": MERGED}

TABLE = [
    ("none", None, "letter"),
    ("none", "CONVERT", "letter"),
    ("none", "MERGE", "letter"),
    ("none", "ORIGINAL", "letter"),
    ("DONE", None, "merged"),
    ("DONE", "CONVERT", "converted"),
    ("DONE", "MERGE", "merged"),
    ("DONE", "ORIGINAL", "letter"),
    ("PENDING", None, 206),
    ("PENDING", "CONVERT", "converted"),
    ("PENDING", "MERGE", 206),
    ("PENDING", "ORIGINAL", "letter"),
    ("PENDING at once", None, 206),
    ("PENDING at once", "CONVERT", 206),
    ("PENDING at once", "MERGE", 206),
    ("PENDING at once", "ORIGINAL", "letter"),
    ("FAILED", None, 422),
    ("FAILED", "CONVERT", "converted"),
    ("FAILED", "MERGE", 422),
    ("FAILED", "ORIGINAL", "letter"),
    ("FAILED at once", None, 422),
    ("FAILED at once", "CONVERT", 422),
    ("FAILED at once", "MERGE", 422),
    ("FAILED at once", "ORIGINAL", "letter"),
]


@pytest.mark.parametrize(("state", "wanted", "expected"), TABLE)
def test_the_token_of_a_post_processed_file(gateway, cases, state, wanted, expected):
    case = cases[state]
    body = {"wanted_post_process": wanted, "custom_ttl": None, "for_modified_upload": None, "uuid": "x", "pk": None}

    alone = gateway.post(f"read-token/{case.letters[1]}", json=body, key=True)
    listed = gateway.post("read-tokens", json=body | {"uuids": [case.letters[1]]}, key=True)

    assert alone.status_code == listed.status_code == (expected if isinstance(expected, int) else 201), alone.text
    for found in (alone.json(), listed.json()[case.letters[1]]):
        if isinstance(expected, str):
            assert gateway.get(f"file/{found['token']}").content == OUTPUTS[expected]
        else:
            expect_unfinished(gateway, found, case, state)


def expect_unfinished(gateway, body, case, state):
    """A 206 or 422 body: its status, its link and what each action has come to."""
    assert body["status"] == state.split()[0]
    assert f"get-progress-async-post-processing/{case.job_id}?signature=" in body["links"]["progress"]
    assert body["links"]["progress"].startswith(gateway.url)
    whole = " " not in state  # the conversion is done, the merge is not
    assert body["CONVERT"]["status"] == ("DONE" if whole else state.split()[0])
    assert len(body["CONVERT"].get("upload_objects", [])) == (2 if whole else 0)
    assert len(body["CONVERT"].get("post_processing_objects", [])) == (2 if whole else 0)
    if state.startswith("FAILED"):
        assert body["code"] == "ASYNC_POST_PROCESS_FAILED"
        assert body["errors"]["params"]
        assert body["errors"]["messages"]
        assert (body["MERGE"] if whole else body["CONVERT"])["errors"]["messages"]
    else:
        assert body["MERGE"] == {"status": "PENDING"}


# ---- read-token, write-token, read-tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize(("where", "access"), [("read-token", "READ"), ("write-token", "WRITE")])
def test_a_token_comes_with_what_it_is_good_for(gateway, note, where, access):
    answer = gateway.post(f"{where}/{note}", json={"custom_ttl": 3600.5}, key=True)

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"token", "upload_id", "access", "expires_at", "for_modified_upload"}
    assert (body["upload_id"], body["access"], body["for_modified_upload"]) == (note, access, False)
    left = datetime.fromisoformat(body["expires_at"]).timestamp() - datetime.now().astimezone().timestamp()
    assert 3500 < left < 3602


def test_no_two_tokens_are_equal_and_reading_is_not_writing(gateway, note):
    """Also those of one second."""
    tokens = {gateway.token(note, write=write) for write in (True, False) for _ in range(5)}

    assert len(tokens) == 10
    assert gateway.post(f"change-metadata/{gateway.token(note)}", json={"a": 1}).status_code == 403


@pytest.mark.parametrize("body", [None, {}, {"custom_ttl": None, "wanted_post_process": None}])
def test_a_token_needs_no_body(gateway, note, body):
    assert gateway.post(f"read-token/{note}", json=body, key=True).status_code == 201
    assert gateway.post(f"read-token/{note}", key=True).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"custom_ttl": "3600"},
        {"custom_ttl": 0},
        {"custom_ttl": -1},
        {"custom_ttl": 8 * 24 * 3600},
        {"custom_ttl": True},
        {"wanted_post_process": "SHRED"},
        {"for_modified_upload": "maybe"},
        ["a"],
    ],
)
def test_what_no_token_can_be_like_is_400(gateway, note, body):
    answer = gateway.post(f"read-token/{note}", json=body, key=True)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_what_is_not_there_is_404(gateway, note):
    assert gateway.post(f"read-token/{uuid.uuid4()}", key=True).status_code == 404
    assert gateway.post("read-token/not-a-uuid", key=True).status_code == 404
    assert gateway.post(f"read-token/{note}", json={"for_modified_upload": True}, key=True).status_code == 404


def test_bodies_that_are_no_json_are_400(gateway, note):
    answer = gateway.post(f"read-token/{note}", data=b"{", headers={"Content-Type": "application/json"}, key=True)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_many_tokens_at_once_answer_each_under_the_uuid_that_was_asked_for(gateway, note):
    unknown, other = str(uuid.uuid4()), gateway.store(b"Another note.")

    answer = gateway.post("read-tokens", json={"uuids": [note, unknown, other.upper()], "wanted_post_process": None}, key=True)

    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {note, unknown, other.upper()}
    assert body[unknown]["error"]["code"] == "UPLOAD_NOT_FOUND"
    assert gateway.get(f"file/{body[note]['token']}").content == b"A note."
    assert gateway.get(f"file/{body[other.upper()]['token']}").content == b"Another note."


def test_an_infected_one_of_many_is_422_and_the_others_have_their_tokens(gateway, note):
    ill = gateway.store(b"Ill.")
    gateway.post("declare-file-as-infected", json={"uuid": ill}, key=True)

    answer = gateway.post("read-tokens", json={"uuids": [ill, note]}, key=True)

    assert answer.status_code == 422
    assert answer.json()[ill]["error"]["code"] == "INFECTED"
    assert gateway.get(f"file/{answer.json()[note]['token']}").content == b"A note."


@pytest.mark.parametrize("body", [{}, {"uuids": None}, {"uuids": ["x"]}, {"uuids": "x"}])
def test_many_tokens_want_a_list_of_uuids(gateway, body):
    assert gateway.post("read-tokens", json=body, key=True).status_code == 400


# ---- post-processing ----------------------------------------------------------------------------------------------------


def test_converting_and_merging_answers_what_was_made_of_what_in_order(working):
    """A PDF among the inputs has a record too."""
    inputs = [
        working.store(files.png(20), "a.png"),
        working.store(files.pdf("Middle"), "b.pdf"),
        working.store(files.png(30), "c.png"),
    ]
    body = {
        "async_post_processing": False,
        "files_uuid": inputs,
        "post_process_types": ["CONVERT", "MERGE"],
        "post_process_params": {
            "CONVERT": {"output_filename": None},
            "MERGE": {"output_filename": "All", "pages_dimension": "A4"},
        },
        "pk": None,
    }

    answer = working.post("post-processing", json=body, key=True)

    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["CONVERT"]["input"] == inputs
    converted = made["CONVERT"]["output"]["upload_objects"]
    assert len(converted) == len(made["CONVERT"]["output"]["post_processing_objects"]) == 3
    assert made["MERGE"]["input"] == converted
    [merged] = made["MERGE"]["output"]["upload_objects"]
    token = working.token(inputs[1])
    assert working.get(f"metadata/{token}").json() | {"url": "", "uploaded_at": ""} == working.get(
        f"metadata/{working.token(merged)}"
    ).json() | {"url": "", "uploaded_at": ""}
    assert working.get(f"metadata/{token}").json()["name"] == "All.pdf"
    assert files.page_texts(working.get(f"file/{token}").content) == ["", "Middle", ""]


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (files.pdf("A"), {"post_process_types": ["SHRED"]}),
        (files.pdf("A"), {"post_process_types": []}),
        (files.pdf("A"), {"post_process_types": ["MERGE"], "post_process_params": {"MERGE": {"pages_dimension": "B9"}}}),
        (files.pdf("A"), {"post_process_types": ["MERGE", "MERGE"]}),
        (files.pdf("A"), {"files_uuid": [], "post_process_types": ["MERGE"]}),
        (files.pdf("A"), {"files_uuid": [str(uuid.uuid4())], "post_process_types": ["MERGE"]}),
        (files.pdf("A"), {"files_uuid": ["x"], "post_process_types": ["MERGE"]}),
        (files.png(), {"post_process_types": ["MERGE"]}),
        (files.password_pdf(), {"post_process_types": ["MERGE"]}),
    ],
    ids=["action", "no action", "size", "twice", "nothing", "unknown", "no uuid", "not a PDF", "password"],
)
def test_what_cannot_be_processed_is_400_and_says_why(working, content, body):
    identifier = working.store(content, "a.pdf" if content.startswith(b"%PDF") else "a.png")

    answer = working.post("post-processing", json={"files_uuid": [identifier], "async_post_processing": False} | body, key=True)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_an_asynchronous_one_answers_at_once_with_where_its_progress_is_told(gateway, queueing_service, worker):
    inputs = [gateway.store(files.png(), "a.png"), gateway.store(files.png(), "b.png")]
    started = gateway.post(
        "post-processing",
        json={"async_post_processing": True, "files_uuid": inputs, "post_process_types": ["CONVERT", "MERGE"]},
        key=True,
    )
    assert started.status_code == 202
    job_id, link = started.json()["uuid"], started.json()["links"]["progress"]
    by_key = f"get-progress-async-post-processing/{job_id}"

    assert gateway.get(by_key, key=True).json() == {"progress": 0, "wanted_post_process_status": "PENDING"}
    assert "token" not in requests.get(link, timeout=10).json()

    job = jobs.job_of(queueing_service.stubs(), job_id)
    for task_id, content in zip(jobs.task_ids(job), CONVERTED, strict=True):
        tasks.do(worker, task_id, content)
    convert = gateway.post(by_key, json={"wanted_post_process": "CONVERT", "pk": None}, key=True)
    assert convert.status_code == 202
    assert convert.json()["wanted_post_process_status"] == "DONE"
    assert 0 < convert.json()["progress"] < 100
    assert gateway.get(f"{by_key}?wanted_post_process=MERGE", key=True).json()["wanted_post_process_status"] == "PENDING"

    tasks.do(worker, jobs.task_ids(job, 1)[0], MERGED)
    assert gateway.get(by_key, key=True).json() == {"progress": 100, "wanted_post_process_status": "DONE"}
    over_link = requests.post(link, json={"wanted_post_process": None}, timeout=10)
    assert over_link.status_code == 202
    assert gateway.get(f"file/{over_link.json()['token']}").content == MERGED


def test_the_link_of_a_206_answer_gives_the_token_of_its_own_document_and_nothing_else(gateway, queueing_service, worker):
    case = Case(queueing_service.stubs(), worker, "PENDING")
    link = gateway.post(f"read-token/{case.letters[1]}", key=True).json()["links"]["progress"]

    converted = requests.get(f"{link}&wanted_post_process=CONVERT", timeout=10, headers={"Origin": "https://www.listed.example"})

    assert gateway.get(f"file/{converted.json()['token']}").content == CONVERTED[1]
    assert converted.headers["Access-Control-Allow-Origin"] == "https://www.listed.example"
    assert "token" not in requests.get(f"{link}&wanted_post_process=ORIGINAL", timeout=10).json()
    assert "token" not in requests.get(link, timeout=10).json()
    path = urlsplit(link).path
    other_job = jobs.start(queueing_service.stubs(), case.letters, jobs.CONVERT).id
    forged = [
        link.replace(case.letters[1], case.letters[0]),
        link.replace(path, path.replace(case.job_id, other_job)),
        link.replace("signature=", "signature=x"),
        link.partition("?")[0],
    ]
    assert [requests.get(each, timeout=10).status_code for each in forged] == [403, 403, 403, 403]


def test_a_failed_job_says_so(gateway, cases):
    answer = gateway.get(f"get-progress-async-post-processing/{cases['FAILED'].job_id}", key=True)

    assert answer.status_code == 202
    assert answer.json()["wanted_post_process_status"] == "FAILED"
    assert answer.json()["failed"] is True
    assert answer.json()["errors"]["messages"] == [
        "The content of the file cannot be read. Open it, save it anew and upload it again."
    ]
    assert answer.json()["progress"] < 100


@pytest.mark.parametrize("path", [f"{uuid.UUID(int=4)}", "{job}?wanted_post_process=SHRED"])
def test_progress_of_what_is_not_there_is_400(gateway, cases, path):
    answer = gateway.get(f"get-progress-async-post-processing/{path.format(job=cases['DONE'].job_id)}", key=True)

    assert answer.status_code == 400
    assert answer.json()["error"]
