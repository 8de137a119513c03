"""Whether what a worker depends on is there: Redis, and the service."""

from uuid import uuid4

import redis

from osis.document.v1 import worker_service_pb2
from osis_document_client import Client, ClientConfig, ConfigurationError, OsisDocumentError
from osis_document_workers.health import UnhealthyError
from osis_document_workers.settings import PREFIX, Settings

#: How long Redis, and then the service, may take to answer, in seconds.
_ANSWER_SECONDS = 5


def require_queue(settings: Settings) -> None:
    """Checks that Redis answers.

    Raises:
        UnhealthyError: it does not.
    """
    try:
        with redis.Redis.from_url(
            settings.broker_url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS
        ) as queue:
            queue.ping()
    except redis.RedisError as exc:
        raise UnhealthyError(
            f"the queue does not answer ({_in_one_line(exc)}). Start Redis, or correct {PREFIX}BROKER_URL."
        ) from exc


def require_service() -> None:
    """Checks that the service answers, and takes the key for a worker's.

    Raises:
        UnhealthyError: it does not.
    """
    try:
        with Client(ClientConfig.from_environment()) as client:
            ask_service(client)
    except (OsisDocumentError, ConfigurationError) as exc:
        raise UnhealthyError(f"the service cannot be asked for work: {_in_one_line(exc)}") from exc


def ask_service(client: Client) -> None:
    """Asks for a task that does not exist, which nobody but a worker may do.

    Raises:
        OsisDocumentError: the service does not answer, or does not take the key for a worker's.
    """
    nothing = worker_service_pb2.ClaimTaskRequest(task_id=str(uuid4()), lease_id=str(uuid4()), worker="check")
    client.workers.ClaimTask(nothing, timeout=_ANSWER_SECONDS)


def _in_one_line(exc: Exception) -> str:
    return " ".join(str(exc).split())
