"""Every ErrorReason is documented with its status code and a sample of what a caller gets."""

import json
import re

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from osis.document.v1.error_reason_pb2 import ErrorReason

PREFIX = "ERROR_REASON_"
CODES = {code.name for code in grpc.StatusCode} - {"OK"}
VALUES = [name for name, number in ErrorReason.items() if number]

#: A detail must stay far from the 16 KB that all details together may have.
DETAIL_LIMIT_BYTES = 1024


def sample_of(comment: str) -> dict:
    """The sample in ``comment``: the indented line after "Sample:"."""
    line = re.search(r"Sample:\s*\n\s*\n {4,}(\{.*\})\s*$", comment, re.MULTILINE)
    assert line, "no indented line with an object after 'Sample:'"
    return json.loads(line[1])


@pytest.mark.parametrize("name", VALUES)
def test_the_comment_has_a_sample_of_this_very_reason(contract, name):
    sample = sample_of(contract.enum_value_comments("ErrorReason")[name])

    assert sample["reason"] == name.removeprefix(PREFIX)
    assert sample["domain"] == "document.osis"
    assert ErrorInfo(**sample).ByteSize() < DETAIL_LIMIT_BYTES


@pytest.mark.parametrize("name", VALUES)
def test_the_comment_names_one_canonical_status_code(contract, name):
    codes = re.findall(r"^ ?Code ([A-Z_]+)\.", contract.enum_value_comments("ErrorReason")[name], re.MULTILINE)

    assert len(codes) == 1
    assert codes[0] in CODES
