"""A Redis server of the tests' own, on a free port, in a folder of its own."""

import os
from pathlib import Path

import redis

from tests.support.ports import free_port
from tests.support.processes import LoggedProcess
from tests.support.waiting import wait_until


class RedisProcess(LoggedProcess):
    """`redis-server`, ready when the constructor returns.

    Args:
        folder: for its data and its log.
        port: where it listens; by default a free one.
        host: an address of this host.
    """

    def __init__(self, folder: Path, *, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        command = ["redis-server", "--bind", host, "--protected-mode", "no", "--port", str(self.port), "--dir", str(folder)]
        super().__init__(
            f"redis on port {self.port}",
            [*command, "--save", "", "--appendonly", "yes"],
            environment=dict(os.environ),
            log=folder / "redis.log",
        )
        wait_until(self._answers, f"redis answers on port {self.port}", seconds=20)

    def connection(self) -> "redis.Redis":
        """A connection to it; close it after use."""
        return redis.Redis(self.host, self.port, socket_connect_timeout=2, socket_timeout=5)

    def url(self, database: int = 0) -> str:
        """The URL of one of its databases."""
        return f"redis://{self.host}:{self.port}/{database}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output()
        connection = self.connection()
        try:
            return bool(connection.ping())
        except redis.ConnectionError:
            return False
        finally:
            connection.close()
