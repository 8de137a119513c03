"""Following jobs: one poller per process, however many watch."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

import structlog

from osis_document_server.domain.jobs import Job
from osis_document_server.errors import ServiceError, ShuttingDown
from osis_document_server.models.database import reading
from osis_document_server.models.tables import JobRow
from osis_document_server.usecases.post_processing import PostProcessings
from osis_document_server.usecases.service import Service

_log = structlog.get_logger(__name__)

#: Seconds between two looks at the database; changes that follow each other faster are seen as one.
POLL_SECONDS = 0.25
#: Seconds after which a watcher of a quiet job gets a sign of life.
HEARTBEAT_SECONDS = 10.0


class Watch:
    """One watcher of one job. Made by ``Watching.watch``; iterate over it, and close it from anywhere to end it."""

    def __init__(self, job_id: UUID, watching: "Watching") -> None:
        self.job_id = job_id
        self._watching = watching
        self._changed = threading.Event()
        self._closed = False

    def notify(self) -> None:
        """Wakes the watcher."""
        self._changed.set()

    def close(self) -> None:
        """Ends the watcher; it may be anywhere in its loop, in any thread."""
        self._closed = True
        self._changed.set()

    def __iter__(self) -> Iterator[Job | None]:
        """Yields the job at once, then after each change; None as a heartbeat; ends after a terminal state.

        Raises:
            PostProcessingNotFound: there is no such job.
            ShuttingDown: the service is stopping.
        """
        seen = -1
        with self._watching.registered(self):
            while not self._closed:
                job = self._watching.find(self.job_id)
                if job.version != seen:
                    seen = job.version
                    yield job
                    if job.state.is_terminal:
                        return
                self._watching.expect(self.job_id, version=seen)
                if not self._changed.wait(HEARTBEAT_SECONDS):
                    yield None
                self._changed.clear()
        if self._watching.stopping:
            raise ShuttingDown("The service is stopping. Open the watch again; the job goes on.", retry_after_seconds=1)


class Watching:
    """The poller, and those who watch."""

    def __init__(self, service: Service, post_processings: PostProcessings) -> None:
        self._service = service
        self.find = post_processings.find
        self._lock = threading.Condition()
        self._watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self._versions: dict[UUID, int] = {}
        self.stopping = False
        self._thread = threading.Thread(target=self._poll, name="watch-poller", daemon=True)
        self._thread.start()

    def watch(self, job_id: UUID) -> Watch:
        """Returns a watcher of one job."""
        return Watch(job_id, self)

    def registered(self, watch: Watch) -> "_Registration":
        """Keeps ``watch`` known to the poller for the time of a ``with`` block."""
        return _Registration(self, watch)

    def add(self, watch: Watch) -> None:
        """Makes a watcher known."""
        with self._lock:
            self._watches[watch.job_id].add(watch)
            if self.stopping:  # the others were closed before this one came
                watch.close()
            self._lock.notify_all()

    def remove(self, watch: Watch) -> None:
        """Forgets a watcher."""
        with self._lock:
            self._watches[watch.job_id].discard(watch)
            if not self._watches[watch.job_id]:
                del self._watches[watch.job_id]
                self._versions.pop(watch.job_id, None)

    def expect(self, job_id: UUID, *, version: int) -> None:
        """Says which version of a job somebody has seen: any other is news."""
        with self._lock:
            self._versions[job_id] = min(version, self._versions.get(job_id, version))

    def wake(self, job_id: UUID) -> None:
        """Tells the watchers of a job at once what the poller would tell them soon: that it has changed."""
        with self._lock:
            for watch in self._watches.get(job_id, ()):
                watch.notify()

    def stop(self) -> None:
        """Ends all watchers and the poller."""
        with self._lock:
            self.stopping = True
            for watches in self._watches.values():
                for watch in watches:
                    watch.close()
            self._lock.notify_all()
        self._thread.join()

    def _poll(self) -> None:
        while job_ids := self._watched():
            try:
                self._tell(self._versions_of(job_ids))
            except ServiceError as exc:
                _log.warning("watchers see no changes while the database does not answer", why=exc.message)
            except Exception:  # noqa: BLE001 - a thread that ended here would end for good
                _log.exception("watchers see no changes in this round")
            time.sleep(POLL_SECONDS)

    def _watched(self) -> list[UUID]:
        """Waits until somebody watches jobs, and returns which; none when it is time to stop."""
        with self._lock:
            self._lock.wait_for(lambda: self.stopping or self._watches)
            return [] if self.stopping else list(self._watches)

    def _versions_of(self, job_ids: list[UUID]) -> dict[UUID, int]:
        with reading(self._service.database):
            changed = JobRow.select(JobRow.id, JobRow.version).where(JobRow.id.in_(job_ids))
            return {row.id: row.version for row in changed}

    def _tell(self, versions: dict[UUID, int]) -> None:
        with self._lock:
            for job_id, version in versions.items():
                if version > self._versions.get(job_id, version):
                    self._versions[job_id] = version
                    for watch in self._watches.get(job_id, ()):
                        watch.notify()


class _Registration:
    def __init__(self, watching: Watching, watch: Watch) -> None:
        self._watching = watching
        self._watch = watch

    def __enter__(self) -> None:
        self._watching.add(self._watch)

    def __exit__(self, *_: object) -> None:
        self._watching.remove(self._watch)
