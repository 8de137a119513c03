"""`osis-document-worker` as a process of its own."""

from collections.abc import Sequence
from pathlib import Path

from tests.support.processes import LoggedProcess, clean_environment, console_script
from tests.support.server import KEYS, ServerProcess


class WorkerProcess(LoggedProcess):
    """A worker for a server and a queue, taking tasks when the constructor returns; `prefix` are words before its command."""

    def __init__(
        self,
        folder: Path,
        server: ServerProcess,
        *,
        broker_url: str,
        slots: int = 1,
        environment: dict[str, str] | None = None,
        name: str = "worker",
        prefix: Sequence[str] = (),
    ) -> None:
        scratch = folder / f"{name}-scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        self.scratch = scratch
        settings = {
            "TARGET": server.target,
            "API_KEY": KEYS["worker"],
            "BROKER_URL": broker_url,
            "WORKER_SCRATCH": str(scratch),
            "ALLOW_ROOT_ENGINES": "true",  # tests run as root, too, on hosts without bubblewrap
        }
        super().__init__(
            name,
            [*prefix, *console_script("osis-document-worker", "osis_document_workers.cli"), "--slots", str(slots)],
            environment=clean_environment(settings) | (environment or {}),
            log=folder / f"{name}.log",
        )
        self.wait_for_output("osis-document-worker is taking tasks")
