"""Every error reason of the contract, as its comment shows it."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "protos/osis/document/v1/error_reason.proto"
_VALUE = re.compile(r"// Code ([A-Z_]+)\. Sample:\s*//\s*// +(\{.*\})\s*ERROR_REASON_(\w+) =")


@cache
def samples() -> list[dict[str, Any]]:
    """Of each reason its `reason`, `code` and `metadata`."""
    found = []
    for code, sample, name in _VALUE.findall(_FILE.read_text(encoding="utf-8")):
        info = json.loads(sample)
        assert info["reason"] == name
        found.append({"reason": name, "code": code, "metadata": info["metadata"]})
    return found
