"""Who calls: API keys, the clients they name and the roles they have."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from osis_document_server.errors import ApiKeyInvalid


class Role(StrEnum):
    """What a key is for."""

    #: Applications that store documents.
    CLIENT = "client"
    #: Workers that convert and merge.
    WORKER = "worker"
    #: Operators: everything a client may, and imports.
    ADMIN = "admin"


@dataclass(frozen=True)
class Caller:
    """A client of the service."""

    name: str
    role: Role


@dataclass(frozen=True)
class ApiKey:
    """A secret and whom it stands for."""

    secret: str
    caller: Caller

    def __repr__(self) -> str:
        return f"ApiKey(caller={self.caller!r})"


class ApiKeys:
    """The keys that the service accepts. Several may stand for one client, so that keys can be changed without downtime."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = tuple(keys)

    def caller_of(self, secret: str, *, method: str = "") -> Caller:
        """Returns the client that ``secret`` stands for. ``method`` is what is called, for the error.

        Raises:
            ApiKeyInvalid: it is none of the service's keys.
        """
        sent = secret.encode()
        found: Caller | None = None
        for key in self._keys:  # all of them, whichever fits: the time taken tells nothing
            if hmac.compare_digest(sent, key.secret.encode()):
                found = key.caller
        if found is None:
            raise ApiKeyInvalid(
                "The API key is none of this service's. Check OSIS_DOCUMENT_API_KEY against the service's keys.", method=method
            )
        return found
