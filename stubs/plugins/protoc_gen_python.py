"""A protoc plugin that writes Python messages and gRPC stubs with the compiler inside grpcio-tools.

buf runs plugins; protoc's own Python generators are built into protoc instead. This bridge hands buf's request to the protoc that
grpcio-tools carries, so that no protoc has to be installed and nothing is asked of a remote registry.

Reads a ``CodeGeneratorRequest`` from standard input, writes a ``CodeGeneratorResponse`` to standard output (both are defined by
``google/protobuf/compiler/plugin.proto``).
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """Runs protoc over the files of ``request`` and returns what it wrote."""
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    with tempfile.TemporaryDirectory() as scratch:
        descriptors, output = Path(scratch, "descriptors.binpb"), Path(scratch, "out")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        output.mkdir()
        status = protoc.main(
            [
                "protoc",
                f"--descriptor_set_in={descriptors}",
                f"--python_out={output}",
                f"--grpc_python_out={output}",
                *request.file_to_generate,
            ]
        )
        if status != 0:
            response.error = f"grpc_tools.protoc ended with status {status}"
            return response
        for path in sorted(output.rglob("*.py")):
            response.file.add(name=path.relative_to(output).as_posix(), content=path.read_text(encoding="utf-8"))
        for folder in sorted({Path(name).parent for name in request.file_to_generate}):
            # PEP 561: type checkers read the .pyi files beside the code.
            response.file.add(name=(folder / "py.typed").as_posix())
    return response


if __name__ == "__main__":
    sys.stdout.buffer.write(generate(CodeGeneratorRequest.FromString(sys.stdin.buffer.read())).SerializeToString())
