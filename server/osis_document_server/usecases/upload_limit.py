"""How many uploads each client may begin."""

import time

import structlog
from limits import parse
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from osis_document_server.errors import UploadLimitReached

_log = structlog.get_logger(__name__)

#: How long Redis may take to answer before an upload goes on without it.
_PATIENCE_SECONDS = 0.5
#: How long it is not asked again after it did not answer.
_PAUSE_SECONDS = 5.0


class UploadLimit:
    """Counts the uploads that clients begin.

    Args:
        limit: as the library ``limits`` has it, ``1000/hour``.
        redis_url: where to count, so that several servers count together; None: in this process.
    """

    def __init__(self, limit: str, *, redis_url: str | None) -> None:
        self._text = limit
        self._limit = parse(limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage() if redis_url is None else _redis(redis_url))
        self._ask_again_at = 0.0

    def count(self, client: str) -> None:
        """Counts an upload that a client begins.

        A Redis that does not answer lets it through: the limit keeps order among the service's own clients, who are not to stand
        still because of it.

        Raises:
            UploadLimitReached: the client has begun as many as it may.
        """
        if time.monotonic() < self._ask_again_at:
            return
        try:
            if self._limiter.hit(self._limit, "uploads", client):
                return
            retry_at = self._limiter.get_window_stats(self._limit, "uploads", client).reset_time
        except RedisError as exc:
            self._ask_again_at = time.monotonic() + _PAUSE_SECONDS
            _log.warning("uploads are not limited while Redis does not answer", error=str(exc))
            return
        raise UploadLimitReached(
            f"The client {client!r} has begun as many uploads as it may, {self._text}. Try again later.",
            retry_after_seconds=max(0.001, retry_at - time.time()),
            limit=self._text,
        )


def _redis(url: str) -> Storage:
    pool = ConnectionPool.from_url(
        url, socket_timeout=_PATIENCE_SECONDS, socket_connect_timeout=_PATIENCE_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    return RedisStorage("redis://", connection_pool=pool, key_prefix="osis-document")
