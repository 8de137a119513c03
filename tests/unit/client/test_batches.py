"""Many at once: any number in calls that the service takes, and no refusal that can be overlooked."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

import grpc
import pytest

from osis.document.v1 import document_pb2
from osis.document.v1.document_service_pb2 import DuplicateDocument
from osis.document.v1.token_service_pb2 import CreateTokenRequest, TokenPurpose
from osis_document_client import (
    BatchFailed,
    Client,
    DatabaseUnavailable,
    DocumentNotFound,
    OsisDocumentError,
    Results,
    ServiceError,
    Unavailable,
)

from .fake_service import Refusal, Service, make_job

BATCHED = ["finalize", "duplicate", "delete", "undelete"]


@pytest.fixture(autouse=True)
def _documents(service: Service) -> None:
    for name in ("d1", "d2", "d3"):
        service.add_document(name, b"x", name=f"{name}.pdf")


def refused() -> ServiceError:
    return DocumentNotFound("gone", metadata={"document_id": "d2"})


# ---- what is asked ----------------------------------------------------------------------------------------------------------


def test_documents_come_in_order_with_the_errors_in_their_places(client: Client) -> None:
    results = client.get_documents(["d2", "nothing", "d1", "d2"])

    assert [getattr(item, "id", type(item)) for item in results] == ["d2", DocumentNotFound, "d1", "d2"]
    assert [document.id for document in results.succeeded] == ["d2", "d1", "d2"]
    [(place, error)] = results.errors.items()
    assert place == 1
    assert error.metadata == {"document_id": "nothing"}
    with pytest.raises(BatchFailed, match="1 of 4 items were refused, the first because: there is no document nothing"):
        results.require_all()


def test_documents_are_asked_for_by_tokens_too(client: Client, service: Service) -> None:
    assert [document.id for document in client.get_documents(tokens=["token.of.d3"]).require_all()] == ["d3"]
    [request] = service.requests
    assert request.documents[0].token == "token.of.d3"


@pytest.mark.parametrize("arguments", [{}, {"document_ids": ["d1"], "tokens": ["t"]}])
def test_documents_are_named_by_exactly_one_of_ids_and_tokens(client: Client, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either"):
        client.get_documents(**arguments)


def test_tokens_come_in_order_whatever_becomes_of_each(client: Client, service: Service) -> None:
    service.jobs["d2"] = [make_job(state="RUNNING")]

    results = client.create_tokens(["d1", "d2", "nothing"], write=True, ttl_seconds=60)

    assert [item.WhichOneof("outcome") for item in results.succeeded] == ["token", "pending"]
    assert results.succeeded[0].token.token == "token.of.d1"
    assert isinstance(results[2], DocumentNotFound)
    [request] = service.requests
    assert {(each.purpose, each.ttl.seconds) for each in request.requests} == {(TokenPurpose.TOKEN_PURPOSE_WRITE, 60)}


def test_a_request_for_a_token_is_sent_as_it_is(client: Client, service: Service) -> None:
    own = CreateTokenRequest(document_id="d1", for_modified=True)

    client.create_tokens([own, "d2"], write=True)

    [request] = service.requests
    assert request.requests[0] == own
    assert not request.requests[1].for_modified


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1000, [1000]), (2001, [1000, 1000, 1])])
def test_any_number_of_tokens_goes_in_calls_of_a_thousand(client: Client, service: Service, count: int, sizes: list[int]) -> None:
    results = client.create_tokens("d1" for _ in range(count))

    assert len(results.require_all()) == count
    assert [len(request.requests) for request in service.requests] == sizes


# ---- what is changed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", BATCHED)
def test_what_can_be_done_is_done_and_then_the_refusals_are_raised(client: Client, service: Service, method: str) -> None:
    with pytest.raises(BatchFailed) as caught:
        getattr(client, method)(["d1", "nothing", "d3"])

    assert [type(item) for item in caught.value.results] == [document_pb2.Document, DocumentNotFound, document_pb2.Document]
    assert list(caught.value.errors) == [1]
    assert isinstance(caught.value.__cause__, DocumentNotFound)
    assert len(service.requests) == 1


@pytest.mark.parametrize("method", BATCHED)
def test_what_was_refused_nowhere_is_a_list_of_documents(client: Client, service: Service, method: str) -> None:
    documents = getattr(client, method)(["d3", "d1"])

    assert [document.name for document in documents] == ["d3.pdf", "d1.pdf"]


@pytest.mark.parametrize("method", BATCHED)
def test_any_number_goes_in_calls_that_the_service_takes(client: Client, service: Service, method: str) -> None:
    assert len(getattr(client, method)(["d1"] * 501)) == 501
    assert [len(getattr(request, "document_ids", None) or request.documents) for request in service.requests] == [250, 250, 1]
    assert getattr(client, method)([]) == []
    assert len(service.requests) == 3


@pytest.mark.parametrize("method", [*BATCHED, "get_documents", "create_tokens"])
def test_one_text_is_not_taken_for_a_list(client: Client, service: Service, method: str) -> None:
    with pytest.raises(TypeError, match="give a list"):
        getattr(client, method)("d1")

    assert service.calls == []


def test_deleting_can_be_taken_back(client: Client) -> None:
    assert client.delete(["d1"])[0].status == document_pb2.DOCUMENT_STATUS_DELETED
    assert client.undelete(["d1"])[0].status == document_pb2.DOCUMENT_STATUS_UPLOADED


@pytest.mark.parametrize("method", BATCHED)
def test_a_call_that_nobody_answered_is_repeated(client: Client, service: Service, method: str) -> None:
    service.plan.append(Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE))

    assert len(getattr(client, method)(["d1"])) == 1
    assert service.requests[0] == service.requests[1]


def test_a_refusal_of_the_call_itself_is_raised_as_it_is(client: Client, service: Service) -> None:
    service.plan.extend([Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)] * 9)

    with pytest.raises(DatabaseUnavailable):
        client.delete(["d1"])


# ---- duplicates -------------------------------------------------------------------------------------------------------------


def test_a_duplicate_gets_an_id_that_makes_repeating_safe(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.append(Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE))

    [made] = client.duplicate(["d1"], path="copies/", with_modified=True)

    first, second = service.requests
    assert first == second
    assert str(uuid.UUID(made.id)) == made.id == first.documents[0].new_document_id
    assert first.documents[0].path == "copies/"
    assert first.with_modified
    assert pauses == [1]


def test_a_duplicate_may_be_described_in_full(client: Client, service: Service) -> None:
    own = DuplicateDocument(document_id="d1", new_document_id="n1", path="here.pdf")

    client.duplicate([own, DuplicateDocument(document_id="d1")], path="elsewhere/")

    [request] = service.requests
    assert request.documents[0] == own
    assert request.documents[1].path == ""
    assert uuid.UUID(request.documents[1].new_document_id)


# ---- results ----------------------------------------------------------------------------------------------------------------


def test_results_are_a_sequence() -> None:
    error = refused()
    results: Results[str] = Results(["a", error, "b"])

    assert len(results) == 3
    assert results[-1] == "b"
    assert results[1:] == (error, "b")
    assert list(results) == ["a", error, "b"]
    assert "DocumentNotFound" in repr(results)
    assert Results(["a"]).require_all() == ["a"]


def test_a_failed_batch_survives_a_trip_to_another_process() -> None:
    with pytest.raises(BatchFailed) as caught:
        Results(["a", refused()]).require_all()

    again = pickle.loads(pickle.dumps(caught.value))

    assert str(again) == str(caught.value) == "1 of 2 items were refused, the first because: gone"
    assert again.results[0] == "a"
    assert type(again.errors[1]) is DocumentNotFound
    assert again.errors[1].metadata == {"document_id": "d2"}
    assert isinstance(again, OsisDocumentError)
    assert not isinstance(again, Unavailable)
