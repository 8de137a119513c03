"""One document: found, described, changed, condemned."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import grpc
import pytest

from osis.document.v1.document_pb2 import DOCUMENT_STATUS_INFECTED, DOCUMENT_STATUS_UPLOADED
from osis.document.v1.document_service_pb2 import DocumentOrder
from osis.document.v1.post_processing_pb2 import PostProcessingState, PostProcessingType
from osis.document.v1.upload_service_pb2 import UploadResult
from osis_document_client import (
    Client,
    ClientConfig,
    DeadlineExceeded,
    DocumentNotFound,
    NotAnImage,
    ProcessingTimedOut,
    TokenExpired,
    TokenInvalid,
    Unavailable,
    error_for_item,
    from_struct,
)

from .fake_service import Refusal, Service, Stall, make_job, not_found

UNAVAILABLE = Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)


@pytest.fixture(autouse=True)
def _document(service: Service) -> None:
    service.add_document("d1", b"x")


# ---- lists ------------------------------------------------------------------------------------------------------------------


def test_a_list_goes_through_all_pages_as_it_is_read(client: Client, service: Service) -> None:
    for number in range(6):
        service.add_document(f"more{number}", b"y")

    listed = client.list_documents(page_size=3)

    assert service.calls == []
    assert next(listed).id == "d1"
    assert service.calls == ["ListDocuments"]
    assert [document.id for document in listed] == [f"more{number}" for number in range(6)]
    assert [request.page_token for request in service.requests] == ["", "3", "6"]


def test_a_list_asks_for_exactly_what_was_said(client: Client, service: Service) -> None:
    summer = timezone(timedelta(hours=2))
    filters: dict[str, Any] = {
        "statuses": [DOCUMENT_STATUS_UPLOADED, DOCUMENT_STATUS_INFECTED],
        "mime_types": ["application/pdf"],
        "name_contains": "card",
        "path_prefix": "",
        "uploaded_from": datetime(2026, 7, 1, 12, tzinfo=summer),
        "uploaded_before": datetime(2026, 8, 1, tzinfo=UTC),
        "held": False,
        "order": DocumentOrder.DOCUMENT_ORDER_PATH_ASC,
    }

    list(client.list_documents(**filters))
    list(client.list_documents())

    full, bare = service.requests
    assert list(full.statuses) == filters["statuses"]
    assert list(full.mime_types) == ["application/pdf"]
    assert full.name_contains == "card"
    assert full.uploaded_from.ToJsonString() == "2026-07-01T10:00:00Z"
    assert full.uploaded_before.ToJsonString() == "2026-08-01T00:00:00Z"
    assert full.HasField("held")
    assert not full.held
    assert full.order == DocumentOrder.DOCUMENT_ORDER_PATH_ASC
    assert not any(bare.HasField(name) for name in ("uploaded_from", "uploaded_before", "held", "corrupt"))


def test_a_moment_without_a_time_zone_is_refused_at_once(client: Client, service: Service) -> None:
    with pytest.raises(ValueError, match="2026-07-01T12:00:00 has no time zone"):
        client.list_documents(uploaded_from=datetime(2026, 7, 1, 12))  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        client.list_jobs(created_before=datetime(2026, 7, 1, 12))  # noqa: DTZ001

    assert service.calls == []


def test_a_page_that_nobody_answered_is_asked_for_again(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([UNAVAILABLE] * 5)  # more than gRPC itself tries

    assert [document.id for document in client.list_documents()] == ["d1"]
    assert pauses == [1]


def test_jobs_are_listed_and_cancelled(client: Client, service: Service) -> None:
    service.jobs["d1"] = [make_job("j1", state="RUNNING")]

    listed = list(
        client.list_jobs(
            states=[PostProcessingState.POST_PROCESSING_STATE_RUNNING],
            types=[PostProcessingType.POST_PROCESSING_TYPE_MERGE],
            document_id="d1",
            created_from=datetime(2026, 7, 1, tzinfo=UTC),
        )
    )

    assert [job.id for job in listed] == ["j1"]
    assert service.requests[0].document_id == "d1"
    assert service.requests[0].created_from.seconds
    assert client.cancel("j1").state == PostProcessingState.POST_PROCESSING_STATE_CANCELLED


# ---- changes ----------------------------------------------------------------------------------------------------------------


def test_keys_are_set_and_removed_and_the_rest_stays(client: Client, service: Service) -> None:
    client.update_metadata("token.of.d1", metadata={"year": 2026, "author": "Ada"})

    document = client.update_metadata("token.of.d1", name="new.pdf", metadata={"author": None}, remove_keys=["year", "unknown"])

    assert from_struct(document.metadata) == {"author": None}
    assert document.name == "new.pdf"
    assert not service.requests[0].HasField("name")


def test_an_image_is_rotated_once_however_often_it_is_asked_for(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([UNAVAILABLE, "lose the answer", UNAVAILABLE])

    answer = client.rotate_image("token.of.d1", 90)

    assert answer.document.revision == 1
    assert answer.token == "token.of.next"
    assert len({request.request_id for request in service.requests}) == 1
    assert str(uuid.UUID(service.requests[0].request_id)) == service.requests[0].request_id
    assert pauses == [1, 2, 4]


def test_an_outcome_is_fetched_by_its_request_id(client: Client, service: Service) -> None:
    first = client.rotate_image("token.of.d1", 90, request_id="r1")
    again = client.rotate_image("token.of.d1", 90, request_id="r1")

    assert first == again


def test_waiting_goes_on_past_the_deadline_of_one_call(port: int, client: Client, service: Service, pauses: list[float]) -> None:
    slow = Refusal("", grpc.StatusCode.DEADLINE_EXCEEDED)
    service.plan.extend([slow] * 9)  # more than are allowed to get nowhere

    with Client(ClientConfig(target=f"127.0.0.1:{port}", timeout_seconds=5), backoff=client.backoff) as patient:
        answer = patient.save_edit("token.of.d1", rotations={0: 90})

    assert answer.document.revision == 1
    assert len(service.requests) == 10
    assert pauses == []
    assert all(seconds is not None and seconds <= 6 for seconds in service.deadlines)


def test_waiting_ends_with_its_time_and_says_how_to_fetch_the_outcome(client: Client, service: Service) -> None:
    service.plan.append(Stall())

    with pytest.raises(DeadlineExceeded, match="it goes on") as caught:
        client.rotate_image("token.of.d1", 90, timeout=0.3)

    [request] = service.requests
    assert caught.value.metadata == {"request_id": request.request_id}
    service.hung_up.set()
    assert client.rotate_image("token.of.d1", 90, request_id=request.request_id).document.revision == 1


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("NOT_AN_IMAGE"), NotAnImage),
        (Refusal("PROCESSING_TIMED_OUT", grpc.StatusCode.DEADLINE_EXCEEDED), ProcessingTimedOut),
    ],
)
def test_an_outcome_that_is_a_refusal_is_raised(
    client: Client, service: Service, refusal: Refusal, error: type[Exception]
) -> None:
    service.plan.append(refusal)

    with pytest.raises(error):
        client.rotate_image("token.of.d1", 90)

    assert len(service.requests) == 1


def test_waiting_is_given_up_when_nobody_answers(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([UNAVAILABLE] * 9)

    with pytest.raises(Unavailable):
        client.rotate_image("token.of.d1", 90)

    assert pauses == [1, 2, 4]


def test_an_edit_names_the_upload_that_holds_it(client: Client, service: Service) -> None:
    client.save_edit("token.of.d1", edited=UploadResult(write_token="w.w.w"), rotations={2: 180})
    client.save_edit("token.of.d1", edited="v.v.v")

    first, second = service.requests
    assert first.edited_upload_token == "w.w.w"
    assert dict(first.rotations) == {2: 180}
    assert second.edited_upload_token == "v.v.v"
    assert first.request_id != second.request_id


# ---- the rest ---------------------------------------------------------------------------------------------------------------


def test_a_token_is_explained(client: Client, service: Service) -> None:
    assert not client.inspect_token("token.of.d1").HasField("refusal")
    service.refusals["d1"] = not_found("d1")

    explained = client.inspect_token("token.of.d1")

    assert explained.token.document_id == "d1"
    assert explained.revision == 3
    assert isinstance(error_for_item(explained.refusal), DocumentNotFound)
    with pytest.raises(TokenInvalid):
        client.inspect_token("token.of.nothing")


def test_documents_are_declared_infected_by_id_or_by_path(client: Client, service: Service) -> None:
    for name in ("d2", "d3"):
        service.add_document(name, b"y").path = "same/path.pdf"

    assert [document.id for document in client.declare_infected("d1")] == ["d1"]
    assert [document.id for document in client.declare_infected(path="same/path.pdf")] == ["d2", "d3"]
    assert {document.status for document in service.documents.values()} == {DOCUMENT_STATUS_INFECTED}
    with pytest.raises(DocumentNotFound):
        client.declare_infected("nothing")


@pytest.mark.parametrize("arguments", [{}, {"document_id": "d1", "path": "p"}])
def test_what_is_infected_is_named_by_exactly_one_of_id_and_path(client: Client, arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either"):
        client.declare_infected(**arguments)


def test_an_upload_is_cancelled(client: Client, service: Service) -> None:
    service.uploads["u1"] = bytearray(b"x")

    client.cancel_upload("u1")
    client.cancel_upload("u1")

    assert service.uploads == {}


def test_an_expired_token_is_told(client: Client, service: Service) -> None:
    service.plan.append(Refusal("TOKEN_EXPIRED", grpc.StatusCode.UNAUTHENTICATED))

    with pytest.raises(TokenExpired):
        client.update_metadata("token.of.d1", name="x.pdf")
