"""Errors of a local disk, told as refusals of the service."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from osis_document_server.errors import StorageFull, StorageUnavailable

_log = structlog.get_logger(__name__)


@contextmanager
def translated() -> Iterator[None]:
    """Raises ``StorageFull`` or ``StorageUnavailable`` for what the system says; that a file is not there stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as exc:
        if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull(
                "The service's disk is full. Nothing of this upload was kept; try again once there is room.",
                retry_after_seconds=60,
            ) from exc
        _log.error("the disk reports an error", error=str(exc), errno=errno.errorcode.get(exc.errno or 0, ""))
        raise StorageUnavailable(
            f"The service's storage reports an error ({os.strerror(exc.errno or 0)}). Try again; the log has more.",
            retry_after_seconds=5,
        ) from exc


def missing(folder: Path) -> StorageUnavailable:
    """Returns the refusal for a folder of the service's own that is not there any more, and logs it."""
    return unavailable(f"there is no {folder} any more: removed, or its disk is not mounted")


def unavailable(cause: str) -> StorageUnavailable:
    """Returns the refusal for a storage that is not as it should be, and logs why."""
    _log.error("the storage cannot be used", error=cause)
    return StorageUnavailable("The service's storage cannot be used now. Try again; the log has more.", retry_after_seconds=5)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes what was renamed into a folder, or removed from it, survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
