"""A bucket: its objects, and its errors told as refusals of the service."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import uuid4

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.utils import ReadFileChunk
from urllib3.exceptions import HTTPError

from osis_document_server.errors import ServiceError, StorageFull, StorageUnavailable
from osis_document_server.storage import disk
from osis_document_server.storage.location import S3Location

_log = structlog.get_logger(__name__)

#: boto3 makes its clients' classes as it runs, so there is no type to name.
Client: TypeAlias = Any

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    # Three attempts, some tenths of a second to a few seconds apart; callers hear of it after that and try again themselves.
    retries={"mode": "standard", "total_max_attempts": 3},
    # Connections that are kept for the next request. More at once are possible: what is above it is closed after use.
    max_pool_connections=256,
    # What is stored is checked by the service's own checksums; boto3's newer ones are more than many providers understand.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)

#: The metadata under which an object carries the mark of the call that made it.
_MARK = "put"
#: How often making an object is tried where a provider says that it is being made at this moment, or takes no condition.
_TRIES = 3

#: What reading a body may raise.
BROKEN_BODY = (BotoCoreError, HTTPError, OSError)


class ObjectMissing(Exception):
    """There is no object of that name."""


class ObjectExists(Exception):
    """There is an object of that name, and somebody else has made it."""


class BeyondEnd(Exception):
    """The range begins behind the object's end."""


class Unsupported(Exception):
    """The provider does not offer that."""


class _Conflict(Exception):
    """Somebody makes the same object at this moment."""


class _UploadGone(Exception):
    """What was begun in parts is completed or aborted."""


#: What errors mean by their codes: Amazon's names, and what the answer to a HEAD, which has no body, has instead.
_MEANINGS: dict[str, type[Exception]] = {
    "NoSuchKey": ObjectMissing,
    "404": ObjectMissing,
    "PreconditionFailed": ObjectExists,
    "412": ObjectExists,
    "InvalidRange": BeyondEnd,
    "416": BeyondEnd,
    "NotImplemented": Unsupported,
    "501": Unsupported,
    "ConditionalRequestConflict": _Conflict,
    "NoSuchUpload": _UploadGone,
}
#: Amazon's bucket never is full; those of others are.
_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}
_INSUFFICIENT_STORAGE = 507


@dataclass(frozen=True, kw_only=True)
class ObjectInfo:
    """What a listing tells of an object."""

    name: str
    size_bytes: int
    modified_at: datetime


def open_bucket(location: S3Location) -> "Bucket":
    """Opens a bucket and makes sure that it can be reached.

    Raises:
        ValueError: it cannot be; the message says why and what to do.
    """
    try:
        client = new_client(location)
        client.head_bucket(Bucket=location.bucket)
    except ClientError as exc:
        what = {
            "404": "there is no such bucket; create it",
            "403": "access is refused; check the credentials, and that they may list, read, write and delete there",
            "301": "the bucket is in another region; name it with region=…",
            "400": "the request was refused; check region and credentials",
        }.get(_code(exc), str(exc))
        raise ValueError(f"{location} cannot be used: {what}") from exc
    except BotoCoreError as exc:
        raise ValueError(f"{location} cannot be reached: {exc}") from exc
    return Bucket(client, location)


def new_client(location: S3Location) -> Client:
    """Returns a client for a bucket's endpoint, for any number of threads. Nothing is asked of the endpoint yet.

    Raises:
        botocore.exceptions.BotoCoreError, ValueError: boto3 is configured in a way that cannot be.
    """
    # It warns of each connection that it does not keep, above as many as it keeps; that is as it should be.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    return boto3.session.Session().client("s3", region_name=location.region, endpoint_url=location.endpoint_url, config=_CONFIG)


class Bucket:
    """Objects by name, under the location's prefix. An object is never written twice.

    Every method raises ``StorageUnavailable`` or ``StorageFull`` when the provider reports an error or does not answer.
    """

    def __init__(self, client: Client, location: S3Location) -> None:
        self._client = client
        self._bucket = location.bucket
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._condition: dict[str, str] = {"IfNoneMatch": "*"}

    def put(self, name: str, source: Path, *, start: int, size_bytes: int) -> None:
        """Makes an object of a part of a local file.

        Raises:
            ObjectExists: there is one.
            FileNotFoundError: the file is not there.
        """
        mark = uuid4().hex

        def send(condition: dict[str, str]) -> None:
            with _section(source, start, size_bytes) as body:
                self._client.put_object(**self._at(name), Body=body, Metadata={_MARK: mark}, **condition)

        self.create(name, mark, send)

    def multipart(self, name: str) -> "Multipart":
        """Begins an object that is put together from parts: a context manager."""
        mark = uuid4().hex
        with _translated():
            answer = self._client.create_multipart_upload(**self._at(name), Metadata={_MARK: mark})
        upload = self._at(name) | {"UploadId": str(answer["UploadId"])}
        return Multipart(self, self._client, upload, name=name, mark=mark)

    def create(self, name: str, mark: str, send: Callable[[dict[str, str]], None]) -> None:
        """Has an object made, provided that there is none of that name.

        Args:
            name: the object's.
            mark: what it will have as its mark; a request that is sent again because its answer was lost finds what it has made.
            send: makes it, with the condition as further arguments.

        Raises:
            ObjectExists: there is one.
        """
        for _ in range(_TRIES):
            condition = self._condition
            try:
                with _translated():
                    send(condition)
            except Unsupported:
                _log.warning("the storage cannot refuse to overwrite; that keys are never used twice has to do")
                self._condition = {}
            except _Conflict:
                continue  # an attempt of which nobody heard is still being made
            except (ObjectExists, _UploadGone) as exc:
                if self._mark_of(name) == mark:
                    return
                if isinstance(exc, ObjectExists):
                    raise ObjectExists(name) from exc
                break
            else:
                return
        raise unavailable("the object could not be made")

    def get(self, name: str, *, start: int = 0, end: int | None = None) -> Any:
        """Asks for the bytes of an object, from ``start`` to before ``end``, and returns botocore's ``StreamingBody``.

        Reading it may raise what ``BROKEN_BODY`` lists.

        Raises:
            ObjectMissing: there is none.
            BeyondEnd: it ends before ``start``, or there.
        """
        part = {} if start == 0 and end is None else {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        with _translated():
            answer = self._client.get_object(**self._at(name), **part)
        return answer["Body"]

    def delete(self, name: str) -> None:
        """Removes an object; one that is gone already is no error."""
        with suppress(ObjectMissing), _translated():
            self._client.delete_object(**self._at(name))

    def objects(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yields all objects whose names begin so."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
        with _translated():
            for page in pages:
                for found in page.get("Contents", ()):
                    name = str(found["Key"]).removeprefix(self._prefix)
                    yield ObjectInfo(name=name, size_bytes=int(found["Size"]), modified_at=found["LastModified"])

    def source(self, name: str) -> dict[str, str]:
        """Returns how an object is named that is to be copied."""
        return self._at(name)

    def _mark_of(self, name: str) -> str:
        try:
            with _translated():
                answer = self._client.head_object(**self._at(name))
        except ObjectMissing:
            return ""
        return str(answer["Metadata"].get(_MARK, ""))

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}


class Multipart:
    """An object that is being put together. Unless it was completed, nothing of it stays when the block ends.

    (If the provider cannot be reached then, the parts stay until a lifecycle rule removes them; see docs/how-to/store-in-s3.md.)
    """

    def __init__(self, bucket: Bucket, client: Client, upload: dict[str, str], *, name: str, mark: str) -> None:
        self._bucket = bucket
        self._client = client
        self._upload = upload
        self._name = name
        self._mark = mark
        self._parts: list[dict[str, object]] = []
        self._completed = False

    def add(self, source: Path, *, start: int, size_bytes: int) -> None:
        """Appends a part of a local file: 5 MiB to 5 GiB; the object's last may be shorter.

        Raises:
            FileNotFoundError: the file is not there.
        """
        number = len(self._parts) + 1
        with _section(source, start, size_bytes) as body, _translated():
            answer = self._client.upload_part(**self._upload, PartNumber=number, Body=body)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def copy(self, name: str) -> None:
        """Appends what another object holds.

        Raises:
            ObjectMissing: there is none.
            Unsupported: the provider cannot do that.
        """
        number = len(self._parts) + 1
        with _translated():
            answer = self._client.upload_part_copy(**self._upload, PartNumber=number, CopySource=self._bucket.source(name))
        self._parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})

    def complete(self) -> None:
        """Makes the object of the parts.

        Raises:
            ObjectExists: there is one of that name.
        """

        def send(condition: dict[str, str]) -> None:
            self._client.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": self._parts}, **condition)

        self._bucket.create(self._name, self._mark, send)
        self._completed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None) -> None:
        if self._completed:
            return
        try:
            with _translated():
                self._client.abort_multipart_upload(**self._upload)
        except _UploadGone:
            pass
        except ServiceError as error:
            _log.warning("parts of an object stay until a lifecycle rule removes them", name=self._name, error=str(error))


@contextmanager
def _section(source: Path, start: int, size_bytes: int) -> Iterator[ReadFileChunk]:
    with disk.translated():
        section = ReadFileChunk.from_filename(str(source), start, size_bytes)
    with section:
        yield section


@contextmanager
def _translated() -> Iterator[None]:
    """Raises what an error means."""
    try:
        yield
    except ClientError as exc:
        code = _code(exc)
        if meaning := _MEANINGS.get(code):
            raise meaning(code) from exc
        if code in _FULL or exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _INSUFFICIENT_STORAGE:
            _log.error("the bucket is full", error=str(exc))
            raise StorageFull(
                "The service's storage is full. Nothing of this upload was kept; try again once there is room.",
                retry_after_seconds=60,
            ) from exc
        raise unavailable(exc) from exc
    except BotoCoreError as exc:
        raise unavailable(exc) from exc


def unavailable(cause: Exception | str) -> StorageUnavailable:
    """Returns the refusal for a bucket that does not do as it is asked, and logs why."""
    _log.error("the bucket cannot be used", error=str(cause))
    return StorageUnavailable("The service's storage cannot be reached. Try again; the log has more.", retry_after_seconds=5)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
