"""The contract as a descriptor set with its comments, as buf builds it from protos/."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Contract:
    """What protos/ say, comments included."""

    files: tuple[FileDescriptorProto, ...]

    def rpc_comments(self) -> dict[str, str]:
        """Comments by ``Service.Rpc``."""
        return {
            f"{service.name}.{rpc.name}": _comment(file, 6, service_index, 2, rpc_index)
            for file in self.files
            for service_index, service in enumerate(file.service)
            for rpc_index, rpc in enumerate(service.method)
        }

    def enum_value_comments(self, enum_name: str) -> dict[str, str]:
        """Comments by value name, of a top-level enum."""
        return dict(self._enum_values(enum_name))

    def _enum_values(self, enum_name: str) -> Iterator[tuple[str, str]]:
        for file in self.files:
            for enum_index, enum in enumerate(file.enum_type):
                if enum.name == enum_name:
                    for value_index, value in enumerate(enum.value):
                        yield value.name, _comment(file, 5, enum_index, 2, value_index)


def _comment(file: FileDescriptorProto, *path: int) -> str:
    """The comment before an element; ``path`` is that of ``SourceCodeInfo.Location`` (field numbers and indices in turn)."""
    return next((place.leading_comments for place in file.source_code_info.location if tuple(place.path) == path), "")


@pytest.fixture(scope="session")
def contract() -> Contract:
    buf = Path(sys.executable).with_name("buf")
    assert buf.exists(), f"{buf} is missing; `make setup` installs it"
    image = subprocess.run([buf, "build", "--output", "-#format=binpb"], cwd=ROOT, check=True, capture_output=True).stdout
    files = FileDescriptorSet.FromString(image).file
    return Contract(tuple(file for file in files if file.package == "osis.document.v1"))
