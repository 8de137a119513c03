"""Refusals as statuses."""

import re
from pathlib import Path

import pytest
from google.rpc import code_pb2, error_details_pb2

from osis.document.v1 import error_reason_pb2
from osis_document_server import errors
from osis_document_server.rpc.errors import CODES, DOMAIN, to_status

_PROTO = Path(__file__).parents[4] / "protos/osis/document/v1/error_reason.proto"
_VALUES = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
_CONTRACT = {name.removeprefix("ERROR_REASON_") for name in _VALUES} - {"UNSPECIFIED"}


def _error_classes() -> list[type[errors.ServiceError]]:
    return errors.ServiceError.__subclasses__()


def test_every_reason_of_the_contract_has_the_code_that_its_comment_says() -> None:
    sections = re.findall(r"// Code (\w+)\. Sample:.*?ERROR_REASON_(\w+) =", _PROTO.read_text(encoding="utf-8"), re.DOTALL)
    documented = {reason: code for code, reason in sections}
    assert {reason: code_pb2.Code.Name(code) for reason, code in CODES.items()} == documented
    assert CODES.keys() == _CONTRACT


@pytest.mark.parametrize("error", _error_classes(), ids=lambda error: error.__name__)
def test_every_refusal_of_the_server_is_a_reason_of_the_contract(error: type[errors.ServiceError]) -> None:
    assert error.reason in _CONTRACT
    assert error.__name__ in (errors.__doc__ or ""), "the tree at the head of the module shows every class"


def test_no_two_refusals_share_a_reason() -> None:
    reasons = [error.reason for error in _error_classes()]
    assert sorted(set(reasons)) == sorted(reasons)


def test_a_status_carries_reason_field_and_time_to_wait() -> None:
    error = errors.StorageFull("No room.", field="upload_spec", retry_after_seconds=1.5, free_bytes=7)
    status = to_status(error)
    info, bad_request, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for detail, message in zip(status.details, (info, bad_request, retry), strict=True):
        assert detail.Unpack(message)
    assert (status.code, status.message) == (code_pb2.RESOURCE_EXHAUSTED, "No room.")
    assert (info.reason, info.domain, dict(info.metadata)) == (
        "STORAGE_FULL",
        DOMAIN,
        {"free_bytes": "7", "field": "upload_spec"},
    )
    assert [violation.field for violation in bad_request.field_violations] == ["upload_spec"]
    assert retry.retry_delay.ToMilliseconds() == 1500


def test_details_stay_below_a_kilobyte_whatever_the_caller_sent() -> None:
    error = errors.NameInvalid("é" * 5000, field="upload_spec.name", name="x" * 5000, problem="long")
    status = to_status(error)
    assert all(len(detail.value) < 1024 for detail in status.details)
    assert len(status.message.encode()) <= 1024
