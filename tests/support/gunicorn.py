"""The tests' project under gunicorn, in processes of its own."""

import http.client
import sys
from pathlib import Path

from tests.support.ports import free_port
from tests.support.processes import LoggedProcess, clean_environment
from tests.support.waiting import wait_until

_ROOT = Path(__file__).parents[2]


class Gunicorn(LoggedProcess):
    """A module of `tests.django_app.project` with an `application`, served when the block is entered."""

    def __init__(self, folder: Path, *options: str, target: str, module: str = "wsgi", workers: int = 1) -> None:
        self.port = free_port()
        command = [
            *(sys.executable, "-m", "gunicorn", *options, "--workers", str(workers), "--bind", f"127.0.0.1:{self.port}"),
            *("--chdir", str(_ROOT), f"tests.django_app.project.{module}:application"),
        ]
        environment = clean_environment({}) | {"TESTS_GRPC_TARGET": target, "PYTHONPATH": str(_ROOT)}
        super().__init__("gunicorn", command, environment=environment, log=folder / "gunicorn.log")
        wait_until(lambda: self.output().count("Booting worker") == workers, "all workers are there", seconds=60)

    @property
    def address(self) -> str:
        """Where it serves, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, str]:
        """One request over a connection of its own, so that any worker may answer: the status and the text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()
