"""Every refusal becomes an exception of its own class, with all that the service said."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import grpc
import pytest

import osis_document_client
from osis.document.v1.document_pb2 import DocumentRef, ItemError
from osis.document.v1.document_service_pb2 import GetDocumentRequest
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis_document_client import (
    ArgumentInvalid,
    Client,
    ClientConfig,
    DeadlineExceeded,
    OsisDocumentError,
    ServiceError,
    TokenError,
    TokenExpired,
    Unavailable,
    UploadInterrupted,
    _errors,
    error_for_item,
)

from .fake_service import Refusal, Service, Stall

PROTO = Path(__file__).parents[3] / "protos/osis/document/v1/error_reason.proto"
REASONS = [name.removeprefix("ERROR_REASON_") for name, number in ErrorReason.items() if number]
CODES_OF_CONTRACT = {
    reason: grpc.StatusCode[code]
    for code, reason in re.findall(
        r"// Code ([A-Z_]+)\.[^\n]*(?:\n\s*//.*)*\n\s*ERROR_REASON_([A-Z_]+) =", PROTO.read_text(encoding="utf-8")
    )
}
REQUEST = GetDocumentRequest(document=DocumentRef(token="t"))


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_public_class_of_its_own_with_the_code_of_the_contract(reason: str) -> None:
    error_class = _errors.error_class_for_reason(reason)

    assert error_class is not None, f"ErrorReason has {reason}, but _errors.py has no class for it"
    assert error_class.default_reason == reason
    assert error_class.default_code == CODES_OF_CONTRACT[reason]
    assert getattr(osis_document_client, error_class.__name__) is error_class
    assert error_class.__name__ in osis_document_client.__all__


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_raised_as_its_class(client: Client, service: Service, reason: str) -> None:
    code = CODES_OF_CONTRACT[reason]
    # gRPC itself tries UNAVAILABLE again, four times in all.
    service.plan.extend([Refusal(reason, code, metadata={"key": "value"})] * 4)

    with pytest.raises(_errors.error_class_for_reason(reason) or AssertionError) as caught:
        client.documents.GetDocument(REQUEST)

    assert caught.value.reason == reason
    assert caught.value.code == code
    assert caught.value.metadata == {"key": "value"}
    assert caught.value.message == "refused, because the test says so; change the test"
    assert isinstance(caught.value.__cause__, grpc.RpcError)


@pytest.mark.parametrize("reason", REASONS)
def test_an_item_of_a_batch_gets_the_same_class(reason: str) -> None:
    error = error_for_item(
        ItemError(reason=ErrorReason.Value(f"ERROR_REASON_{reason}"), message="because", metadata={"key": "value"})
    )

    assert type(error) is _errors.error_class_for_reason(reason)
    assert (error.reason, error.message, error.metadata) == (reason, "because", {"key": "value"})
    assert error.code == CODES_OF_CONTRACT[reason]


def test_an_item_of_a_newer_service_is_a_service_error() -> None:
    assert type(error_for_item(ItemError(reason=99_999, message="because"))) is ServiceError  # type: ignore[arg-type]


def test_the_tree_in_the_docstring_names_every_class() -> None:
    tree = set(re.findall(r"\b[A-Z][A-Za-z]+\b", _errors.__doc__ or ""))
    classes = {name for name, value in vars(_errors).items() if isinstance(value, type) and issubclass(value, OsisDocumentError)}

    assert classes <= tree


def test_no_two_classes_share_a_reason() -> None:
    assert len({_errors.error_class_for_reason(reason) for reason in REASONS}) == len(REASONS)


def test_fields_and_the_time_to_wait_are_told(client: Client, service: Service) -> None:
    service.plan.append(
        Refusal(
            "ARGUMENT_INVALID",
            grpc.StatusCode.INVALID_ARGUMENT,
            retry_after_seconds=7,
            fields={"document.document_id": "is not a UUID"},
        )
    )

    with pytest.raises(ArgumentInvalid) as caught:
        client.documents.GetDocument(REQUEST)

    assert caught.value.retry_after_seconds == 7
    [violation] = caught.value.field_violations
    assert (violation.field, violation.description) == ("document.document_id", "is not a UUID")


def test_a_reason_of_a_newer_service_is_kept_in_a_class_by_code(client: Client, service: Service) -> None:
    service.plan.append(Refusal("MOON_IN_THE_WAY", grpc.StatusCode.FAILED_PRECONDITION))

    with pytest.raises(osis_document_client.FailedPrecondition) as caught:
        client.documents.GetDocument(REQUEST)

    assert caught.value.reason == "MOON_IN_THE_WAY"


def test_a_reason_of_another_domain_is_not_taken_for_ours(client: Client, service: Service) -> None:
    service.plan.append(Refusal("TOKEN_EXPIRED", grpc.StatusCode.UNAUTHENTICATED, domain="example.org"))

    with pytest.raises(osis_document_client.Unauthenticated) as caught:
        client.documents.GetDocument(REQUEST)

    assert not isinstance(caught.value, TokenError)
    assert caught.value.reason == ""


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_bare_status_code_is_a_service_error(client: Client, service: Service, code: grpc.StatusCode) -> None:
    class Bare(Refusal):
        def abort(self, context: grpc.ServicerContext) -> None:
            context.abort(self.code, "bare")

    service.plan.extend([Bare("", code)] * 4)

    with pytest.raises(ServiceError, match=r"bare|did not answer") as caught:
        client.documents.GetDocument(REQUEST)

    assert caught.value.code == code
    assert caught.value.reason == ""


def test_an_unreachable_service_says_where_it_was_looked_for_and_what_to_do() -> None:
    with Client(ClientConfig(target="127.0.0.1:1")) as client, pytest.raises(Unavailable) as caught:
        client.documents.GetDocument(REQUEST)

    assert "no service answers at 127.0.0.1:1" in str(caught.value)
    assert "`osis-document-server serve`" in str(caught.value)
    assert "OSIS_DOCUMENT_TARGET" in str(caught.value)


@pytest.mark.parametrize("seconds", [0.2, 0.2003456789])
def test_a_deadline_says_how_long_it_was(client: Client, service: Service, seconds: float) -> None:
    service.plan.append(Stall())

    with pytest.raises(DeadlineExceeded, match=r"did not answer within 0\.2 seconds"):
        client.documents.GetDocument(REQUEST, timeout=seconds)


def test_futures_raise_and_return_typed_errors(client: Client, service: Service) -> None:
    service.plan.extend([Refusal("TOKEN_EXPIRED", grpc.StatusCode.UNAUTHENTICATED)] * 2)

    with pytest.raises(TokenExpired):
        client.documents.GetDocument.future(REQUEST).result()
    assert isinstance(client.documents.GetDocument.future(REQUEST).exception(), TokenExpired)


def test_errors_survive_a_trip_to_another_process() -> None:
    error = TokenExpired("it is over", metadata={"expire_time": "2026-01-31T12:00:00Z"}, retry_after_seconds=3)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is TokenExpired
    assert vars(again) == vars(error)
    assert str(again) == "it is over [TOKEN_EXPIRED]"
    interrupted = pickle.loads(pickle.dumps(UploadInterrupted("cut", upload_id="u", persisted_size=3, size_bytes=5)))
    assert (interrupted.upload_id, interrupted.persisted_size, interrupted.size_bytes) == ("u", 3, 5)
