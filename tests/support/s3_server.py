"""An S3 of the tests' own: moto's server, on a free port. It keeps everything in memory."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import boto3
from botocore.config import Config

from osis_document_server.storage.base import IDENTITY_NAME
from tests.support.ports import free_port
from tests.support.processes import LoggedProcess
from tests.support.waiting import wait_until

#: What boto3 needs to know; nothing of whoever runs the tests.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

#: How many objects a page of a listing has. (Amazon's: 1,000.)
PAGE = 50

_REQUEST = re.compile(r'"([A-Z]+) (\S+) HTTP/1\.1" \d{3}')
_COLOUR = re.compile(r"\x1b\[\d+m")


class Bucket:
    """A bucket of the tests, seen from behind the service's back."""

    def __init__(self, client: Any, name: str, *, port: int) -> None:
        self._client = client
        self.name = name
        self.port = port

    def url(self, prefix: str = "documents", *, port: int | None = None) -> str:
        """What `STORAGE_URL` is for it; `port` if it is to be reached by a way other than the direct one."""
        return f"s3://{self.name}/{prefix}?endpoint_url=http://127.0.0.1:{port or self.port}&region=us-east-1"

    def objects(self, prefix: str = "") -> dict[str, int]:
        """The sizes of all objects whose names begin so; without those that say whose storage it is."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        sizes = {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", ())}
        return {name: size for name, size in sizes.items() if not name.endswith(IDENTITY_NAME)}

    def unfinished(self) -> list[str]:
        """The names of objects that were begun in parts and are neither completed nor aborted."""
        return [found["Key"] for found in self._client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())]

    def content(self, name: str) -> bytes:
        """What an object holds."""
        content: bytes = self._client.get_object(Bucket=self.name, Key=name)["Body"].read()
        return content

    def overwrite(self, name: str, content: bytes) -> None:
        """Puts other bytes into an object."""
        self._client.put_object(Bucket=self.name, Key=name, Body=content)

    def remove(self, name: str) -> None:
        """Removes an object."""
        self._client.delete_object(Bucket=self.name, Key=name)

    def set_lifecycle(self, configuration: dict[str, Any]) -> list[dict[str, Any]]:
        """Gives it lifecycle rules; returns what it makes of them for objects that were begun in parts."""
        self._client.put_bucket_lifecycle_configuration(Bucket=self.name, LifecycleConfiguration=configuration)
        rules = self._client.get_bucket_lifecycle_configuration(Bucket=self.name)["Rules"]
        return [rule["AbortIncompleteMultipartUpload"] for rule in rules]


class S3Process(LoggedProcess):
    """`moto_server`, ready when the constructor returns."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        super().__init__(
            f"S3 on port {self.port}",
            [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(self.port)],
            environment=os.environ | ENVIRONMENT | {"MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)},
            log=folder / "s3.log",
        )
        wait_until(self._answers, f"S3 answers on port {self.port}", seconds=60)
        self._client = boto3.session.Session().client(
            "s3",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
            config=Config(request_checksum_calculation="when_required", response_checksum_validation="when_required"),
        )

    def bucket(self) -> Bucket:
        """A new bucket."""
        name = f"tests-{uuid4().hex[:12]}"
        self._client.create_bucket(Bucket=name)
        return Bucket(self._client, name, port=self.port)

    @contextmanager
    def requests(self) -> Iterator[list[tuple[str, str]]]:
        """Collects what is asked of it during the block: method and path, once the block has ended."""
        found: list[tuple[str, str]] = []
        before = len(self._requests())
        yield found
        found += self._requests()[before:]

    def end(self) -> None:
        """Ends it."""
        self._client.close()
        if self.process.poll() is None:
            self.kill()  # it keeps nothing that could be lost

    def _requests(self) -> list[tuple[str, str]]:
        return _REQUEST.findall(_COLOUR.sub("", self.output()))

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output()
        try:
            with closing(urlopen(f"http://127.0.0.1:{self.port}/moto-api/data.json", timeout=5)) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
