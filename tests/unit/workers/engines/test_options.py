from __future__ import annotations

import pickle

import pytest

from osis_document_workers.engines import ConvertOptions, EngineError, Limits, Reason


@pytest.mark.parametrize(("given", "kept"), [("", ""), ("1", "1"), ("1-3, 5 ,8-", "1-3,5,8-")])
def test_page_ranges_are_kept_without_spaces(given: str, kept: str) -> None:
    assert ConvertOptions(page_ranges=given).page_ranges == kept


@pytest.mark.parametrize("given", ["a", "1,", "-3", "0", "5-2", '1"}', "1--2"])
def test_malformed_page_ranges_are_refused(given: str) -> None:
    with pytest.raises(ValueError, match="page ranges"):
        ConvertOptions(page_ranges=given)


def test_limits_are_positive() -> None:
    with pytest.raises(ValueError, match="wall_seconds must be positive, not 0"):
        Limits(wall_seconds=0)


@pytest.mark.parametrize("reason", list(Reason))
def test_only_what_is_not_the_documents_fault_may_be_tried_again(reason: Reason) -> None:
    error = EngineError(reason, "what, why, and what to do")
    assert error.retryable is (reason in {Reason.CONVERTER_MISSING, Reason.ENGINE_CRASHED})
    assert pickle.loads(pickle.dumps(error)).reason == reason


def test_an_unknown_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="NO_SUCH"):
        EngineError("NO_SUCH", "")
