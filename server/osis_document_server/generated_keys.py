"""Keys of the embedded default: made once, kept in the data folder, readable by its owner only."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from osis_document_server.domain.access import ApiKey, Caller, Role


class GeneratedKeys:
    """The keys in ``keys.json``, made where they are missing.

    Args:
        folder: the data folder; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        file = folder / "keys.json"
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


def write_private(file: Path, content: dict[str, Any]) -> None:
    """Writes JSON to a file that nobody else can read, whole or not at all."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
