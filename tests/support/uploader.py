"""Uploads as a process of its own, which a test may kill: it sends a part of a file, and then waits for ever.

Prints `sent` whenever gRPC has taken a message, and `all` once it has taken the last. It imports little, to start quickly.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from osis.document.v1.upload_service_pb2 import UploadSpec, WriteUploadRequest
from tests.support.processes import clean_environment
from tests.support.resuming import rest
from tests.support.stubs import Stubs


@dataclass(frozen=True, kw_only=True)
class Part:
    """The part of a file that an uploader sends."""

    upload_id: str
    name: str
    start: int
    end: int
    chunk: int
    pause_seconds: float


class UploaderProcess:
    """Sends a part of `content` to a server. A context manager; leaving it kills the process."""

    def __init__(self, target: str, key: str, part: Part, content: bytes) -> None:
        root = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.uploader", target, key, json.dumps(asdict(part))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment({}) | {"PYTHONPATH": ":".join([root, *sys.path])},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(content)
        self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def wait_for(self, line: str) -> None:
        """Waits until it prints this."""
        assert self._process.stdout is not None
        read = self._process.stdout.readline()
        while read.decode().strip() != line:
            assert read, f"the uploader ended with {self._process.wait()} before it printed {line!r}"
            read = self._process.stdout.readline()

    def kill(self) -> None:
        """Ends it as SIGKILL does, without a word to the server."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _send(target: str, key: str, part: Part, content: bytes) -> None:
    spec = UploadSpec(upload_id=part.upload_id, name=part.name)

    def send() -> Iterator[WriteUploadRequest]:
        for message in rest(spec, content, part.start, end=part.end, chunk=part.chunk):
            yield message
            print("sent", flush=True)
            time.sleep(part.pause_seconds)
        print("all", flush=True)
        threading.Event().wait()

    Stubs(target, key=key).uploads.WriteUpload(send())


if __name__ == "__main__":
    _send(sys.argv[1], sys.argv[2], Part(**json.loads(sys.argv[3])), sys.stdin.buffer.read())
