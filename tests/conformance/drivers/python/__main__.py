"""The Python client behind the line protocol of the conformance suite (docs/reference/conformance.md)."""

import hashlib
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message

from osis.document.v1 import (
    document_service_pb2,
    download_service_pb2,
    post_processing_service_pb2,
    token_service_pb2,
    upload_service_pb2,
    worker_service_pb2,
)
from osis_document_client import (
    Client,
    ClientConfig,
    DownloadDamaged,
    DownloadInterrupted,
    OsisDocumentError,
    ServiceError,
    UploadInterrupted,
)

MODULES = {
    "DocumentService": document_service_pb2,
    "DownloadService": download_service_pb2,
    "PostProcessingService": post_processing_service_pb2,
    "TokenService": token_service_pb2,
    "UploadService": upload_service_pb2,
    "WorkerService": worker_service_pb2,
}
STUBS = {
    "DocumentService": "documents",
    "DownloadService": "downloads",
    "PostProcessingService": "post_processings",
    "TokenService": "tokens",
    "UploadService": "uploads",
    "WorkerService": "workers",
}


class Readable(Protocol):
    """What a pipe offers."""

    def read(self, count: int) -> bytes: ...


class OnceRead:
    """A file as if it came out of a pipe: its length is not known, and nothing of it can be read twice."""

    def __init__(self, file: Readable) -> None:
        self._file = file

    def seekable(self) -> bool:
        return False

    def read(self, count: int) -> bytes:
        return self._file.read(count)


class Session:
    """The connection, and what is done over it."""

    def __init__(self) -> None:
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The client of the last `connect`."""
        assert self._client is not None, "the first command is connect"
        return self._client

    def connect(self, *, target: str, api_key: str = "", tls_ca_file: str | None = None) -> dict[str, Any]:
        if self._client is not None:
            self._client.close()
        ca_file = Path(tls_ca_file) if tls_ca_file else None
        self._client = Client(ClientConfig(target=target, api_key=api_key, tls_ca_file=ca_file))
        return {}

    def close_when_told(self) -> None:
        """The next command is to close the client."""
        sys.stdin.readline()
        self.client.close()

    def upload(self, *, path: str, **options: Any) -> dict[str, Any]:
        with Path(path).open("rb") as file:
            return self._upload(file, **options)

    def upload_stream(self, *, path: str, **options: Any) -> dict[str, Any]:
        with Path(path).open("rb") as file:
            return self._upload(OnceRead(file), **options)  # type: ignore[arg-type]

    def _upload(
        self,
        file: BinaryIO,
        *,
        name: str,
        upload_id: str | None = None,
        chunk_size_bytes: int = 1 << 20,
        deadline_seconds: float | None = None,
    ) -> dict[str, Any]:
        result = self.client.upload(
            file, name=name, upload_id=upload_id, chunk_size_bytes=chunk_size_bytes, timeout=deadline_seconds
        )
        return {"document": MessageToDict(result.document), "write_token": result.write_token}

    def download(
        self,
        *,
        token: str,
        path: str,
        offset: int = 0,
        length: int = 0,
        expected_sha256: str = "",
        deadline_seconds: float | None = None,
    ) -> dict[str, Any]:
        if offset or length or expected_sha256:
            return self._download_range(
                Path(path), token, offset=offset, limit=length, expected_sha256=expected_sha256, timeout=deadline_seconds
            )
        self.client.download(token, path, timeout=deadline_seconds)
        return _written(Path(path))

    def _download_range(self, path: Path, token: str, **options: Any) -> dict[str, Any]:
        part = path.with_name(f".{path.name}.part")
        try:
            with self.client.open_download(token, **options) as blocks, part.open("wb") as file:
                for block in blocks:
                    file.write(block)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return _written(path)

    def call(self, *, rpc: str, request: dict[str, Any], deadline_seconds: float | None = None) -> dict[str, Any]:
        method, message = self._rpc(rpc, request)
        return MessageToDict(method(message, timeout=deadline_seconds))

    def watch(self, *, rpc: str, request: dict[str, Any], deadline_seconds: float | None = None) -> dict[str, Any]:
        method, message = self._rpc(rpc, request)
        return {"messages": [MessageToDict(each) for each in method(message, timeout=deadline_seconds)]}

    def _rpc(self, rpc: str, request: dict[str, Any]) -> tuple[Callable[..., Any], Message]:
        service, _, name = rpc.partition("/")
        message = getattr(MODULES[service], f"{name}Request")()
        return getattr(getattr(self.client, STUBS[service]), name), ParseDict(request, message)


def _written(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"size_bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def error_of(error: OsisDocumentError) -> dict[str, Any]:
    """What an error says, as the protocol has it."""
    answer: dict[str, Any] = {"reason": "", "message": str(error), "metadata": {}, "retry_after_seconds": None}
    cause = error.__cause__ if isinstance(error, UploadInterrupted | DownloadInterrupted) else error
    if isinstance(error, DownloadDamaged):
        answer["code"] = grpc.StatusCode.DATA_LOSS.name
    elif isinstance(cause, ServiceError):
        answer |= {"code": cause.code.name, "reason": cause.reason, "message": cause.message, "metadata": cause.metadata}
        answer["retry_after_seconds"] = cause.retry_after_seconds
    else:
        answer["code"] = grpc.StatusCode.UNAVAILABLE.name
    return {"error": answer | {"type": type(error).__name__}}


def answer_to(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    """Carries out one command."""
    name = command.pop("do")
    closing = threading.Thread(target=session.close_when_told)
    if command.pop("until_closed", False):
        closing.start()
    if name not in {"connect", "upload", "upload_stream", "download", "call", "watch"}:
        return {"error": {"code": grpc.StatusCode.UNIMPLEMENTED.name, "reason": "", "message": f"no command {name!r}"}}
    try:
        return {"ok": getattr(session, name)(**command)}
    except OsisDocumentError as exc:
        return error_of(exc)
    finally:
        if closing.ident is not None:
            closing.join()


def main() -> None:
    """Answers commands until there are no more."""
    session = Session()
    while line := sys.stdin.readline():
        print(json.dumps(answer_to(session, json.loads(line))), flush=True)


main()
