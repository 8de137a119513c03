"""Jobs are started once and followed to their end, whatever happens to the connection."""

from __future__ import annotations

import pickle
import uuid

import grpc
import pytest

from osis.document.v1 import post_processing_pb2
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis_document_client import (
    Client,
    DeadlineExceeded,
    PasswordRequired,
    PostProcessingFailed,
    PostProcessingNotFound,
    Unavailable,
    convert,
    merge,
)

from .fake_service import Drop, EndEarly, Refusal, Service, Stall, make_job

PENDING, RUNNING, DONE = make_job(state="PENDING"), make_job(state="RUNNING", done=1), make_job(state="DONE", done=2)
FAILED = make_job(
    state="FAILED",
    failure=post_processing_pb2.PostProcessingFailure(
        reason=ErrorReason.ERROR_REASON_PASSWORD_REQUIRED, message="it has a password; upload it without", document_id="d1"
    ),
)


@pytest.fixture(autouse=True)
def _job(service: Service) -> None:
    service.jobs["job"] = [PENDING, RUNNING, DONE]


def test_a_start_names_documents_actions_and_a_request(client: Client, service: Service) -> None:
    job = client.start(["d1", "d2", "d1"], [convert("out.pdf"), merge(paper_size="A4")])

    [request] = service.started
    assert job == PENDING
    assert list(request.document_ids) == ["d1", "d2", "d1"]
    assert request.actions[0].convert.output_filename == "out.pdf"
    assert request.actions[1].merge.paper_size == post_processing_pb2.PAPER_SIZE_A4
    assert str(uuid.UUID(request.request_id)) == request.request_id


def test_a_start_is_repeated_as_the_same_request(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)] * 2)

    client.start(["d1"], [convert()])

    assert len({request.request_id for request in service.started}) == 1
    assert len(service.started) == 3
    assert pauses == [1, 2]


def test_one_text_is_not_taken_for_a_list_of_ids(client: Client) -> None:
    with pytest.raises(TypeError, match="list of ids"):
        client.start("d1", [convert()])


def test_a_watch_tells_each_state_once_and_ends(client: Client) -> None:
    assert list(client.watch("job")) == [PENDING, RUNNING, DONE]


@pytest.mark.parametrize("cause", [Drop(1), EndEarly(1), Drop(2), Drop(1, grpc.StatusCode.INTERNAL)])
def test_a_watch_that_was_cut_is_opened_again(client: Client, service: Service, cause: Drop | EndEarly) -> None:
    service.plan.append(cause)

    assert list(client.watch("job")) == [PENDING, RUNNING, DONE]
    assert service.calls == ["WatchPostProcessing"] * 2


def test_a_watch_that_is_cut_every_time_is_given_up(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([Drop(0)] * 9)

    with pytest.raises(Unavailable):
        list(client.watch("job"))

    assert pauses == [1, 2, 4]


def test_a_watch_that_is_cut_every_time_after_its_first_word_is_given_up_too(
    client: Client, service: Service, pauses: list[float]
) -> None:
    service.plan.extend([Drop(1)] * 9)

    with pytest.raises(Unavailable):
        list(client.watch("job"))

    assert pauses == [1, 2, 4], "hearing again what is known already is no progress"


def test_a_watch_of_no_job_is_refused(client: Client) -> None:
    with pytest.raises(PostProcessingNotFound):
        next(client.watch("nothing"))


def test_time_that_is_over_ends_the_watch(client: Client, service: Service) -> None:
    service.plan.append(Stall())

    with pytest.raises(DeadlineExceeded, match="job"):
        client.wait("job", timeout=0.3)


def test_waiting_answers_the_job_and_tells_its_progress(client: Client) -> None:
    seen: list[int] = []

    assert client.wait("job", progress=lambda job: seen.append(job.tasks_done)) == DONE
    assert seen == [0, 1, 2]


def test_a_failed_job_raises_its_reason(client: Client, service: Service) -> None:
    service.jobs["job"] = [FAILED]

    with pytest.raises(PostProcessingFailed, match="it has a password; upload it without") as caught:
        client.wait("job")

    assert caught.value.job == FAILED
    assert isinstance(caught.value.error, PasswordRequired)
    assert caught.value.error.metadata == {"document_id": "d1"}
    assert pickle.loads(pickle.dumps(caught.value)).job == FAILED


def test_a_cancelled_job_raises_too(client: Client, service: Service) -> None:
    service.jobs["job"] = [PENDING, make_job(state="CANCELLED")]

    with pytest.raises(PostProcessingFailed, match="cancelled") as caught:
        client.wait("job")

    assert caught.value.error is None


@pytest.mark.parametrize(("name", "size"), [("A4", "A4"), ("letter", "LETTER"), ("c4", "C4"), ("", "UNSPECIFIED")])
def test_paper_sizes_have_short_names(name: str, size: str) -> None:
    assert merge(paper_size=name).merge.paper_size == post_processing_pb2.PaperSize.Value(f"PAPER_SIZE_{size}")


@pytest.mark.parametrize("name", ["A9", "UNSPECIFIED", "PAPER_SIZE_A4"])
def test_an_unknown_paper_size_lists_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"A0, A1, .* LEGAL"):
        merge(paper_size=name)
