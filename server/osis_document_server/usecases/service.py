"""What all use cases work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from osis_document_server.domain.tokens import TokenSigner
from osis_document_server.models.database import ServiceDatabase
from osis_document_server.storage.base import Storage
from osis_document_server.storage.content_type import ContentTypes
from osis_document_server.storage.spool import Spool
from osis_document_server.usecases.limits import Limits


def utc_now() -> datetime:
    """Returns the present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts that use cases are made of, put together once by the composition root."""

    database: ServiceDatabase
    storage: Storage
    spool: Spool
    content_types: ContentTypes
    signer: TokenSigner
    limits: Limits
    now: Callable[[], datetime] = utc_now
