"""Keys of the embedded default: made once, kept in the data folder, readable by its owner only."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osis_document_server.domain.access import ApiKey, Caller, Role
from osis_document_server.operation.private_files import make_private_folder, write_private


class GeneratedKeys:
    """The keys in ``keys.json``, made where they are missing.

    Args:
        folder: the data folder; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        file = folder / "keys.json"
        with _alone(folder):  # two processes that start together get the same keys
            self._keys: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
            missing = {"client", "worker", "admin", "signing"} - self._keys.keys()
            if missing:
                self._keys |= {name: secrets.token_urlsafe(32) for name in missing}
                write_private(file, self._keys)

    @property
    def api_keys(self) -> list[ApiKey]:
        """One key for each role."""
        names = {Role.CLIENT: "default", Role.WORKER: "worker", Role.ADMIN: "admin"}
        return [ApiKey(secret=self._keys[role], caller=Caller(name=name, role=role)) for role, name in names.items()]

    @property
    def signing_keys(self) -> dict[str, bytes]:
        """The key that signs tokens."""
        return {"generated": self._keys["signing"].encode()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until nobody else is in such a block over the same folder, and keeps others out."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
