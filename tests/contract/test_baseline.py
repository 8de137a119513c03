"""The baseline that guards callers against a breaking contract moves only together with CHANGELOG.md.

`make check` compares protos/ with protos/baseline.binpb. Whoever breaks the contract could make that pass by writing the baseline
anew; then this test asks for a line in CHANGELOG.md, where it is seen. The newest line "Contract baseline: sha256 …" counts: the
first in the file.
"""

import hashlib
import re
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "protos" / "baseline.binpb"


def test_the_baseline_is_the_one_that_the_changelog_records():
    recorded = re.findall(
        r"^\s*Contract baseline: sha256 (\w+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert recorded[:1] == [hashlib.sha256(BASELINE.read_bytes()).hexdigest()], "see `make baseline`"


def test_the_baseline_holds_the_contract_without_comments_and_positions():
    files = FileDescriptorSet.FromString(BASELINE.read_bytes()).file

    assert "osis.document.v1" in {file.package for file in files}
    assert [file.name for file in files if file.HasField("source_code_info")] == []
