"""A server that has taken thousands of uploads holds no more than after the first: memory, threads, files, connections."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import astuple, dataclass
from itertools import count
from pathlib import Path

import psutil

from osis.document.v1.upload_service_pb2 import CancelUploadRequest, UploadSpec
from tests.support import files
from tests.support.downloads import content_of
from tests.support.outcomes import outcome_of, reason_of
from tests.support.resuming import rest
from tests.support.seeds import chance, id_of
from tests.support.server import ServerProcess, serving
from tests.support.stubs import Stubs
from tests.support.uploads import MEBIBYTE, confirm
from tests.support.waiting import wait_until
from tests.torture.progress import Progress

_CLIENTS = 4
#: After this part of all uploads the server has everything that it keeps for later: connections, threads, buffers.
_WARM_UP = 0.2
_SAMPLES = 20
#: The descriptors of a server that nobody calls are the same at so many looks.
_LOOKS = 20
#: So much may the memory in use vary.
_SLACK_BYTES = 24 * MEBIBYTE
#: What becomes of an upload, as often as it is named.
_FATES = ("confirmed",) * 12 + ("resumed", "resumed", "downloaded", "downloaded", "cancelled", "refused", "vanished")


@dataclass(frozen=True)
class Held:
    """What a server holds while nobody calls it."""

    threads: int
    #: Open files and connections, but for those to an SQLite database: of these there are as many as its pool has come to need.
    descriptors: int
    #: Of unfinished uploads, and in the folder for temporary files.
    temporary_files: int
    rss_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.rss_bytes / MEBIBYTE:.0f} MiB, {self.threads} threads, {self.descriptors} descriptors, "
            f"{self.temporary_files} temporary files"
        )


def soak(folder: Path, progress: Progress, *, seed: int) -> None:
    """Uploads until the goal `uploads` is reached.

    Raises:
        AssertionError: the server holds more at the end than after the first of them.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    numbers, goal = count(), progress.goals["uploads"]
    # Uploads that vanish are removed while it goes on.
    with serving(
        folder / "server", environment={"TMPDIR": str(temporary)}, TEMP_UPLOAD_MAX_AGE="30", SWEEP_SECONDS="1"
    ) as server:
        before = _held(server, temporary)
        held: list[Held] = []
        for sample in range(_SAMPLES + 1):
            until = int(goal * (_WARM_UP + (1 - _WARM_UP) * sample / _SAMPLES))
            _upload(server, progress, numbers, seed=seed, until=until)
            held.append(_held(server, temporary))
            progress.say(f"{progress}: {held[-1]}")
        _require_flat(server, temporary, before, held)
        progress.note("held at first", f"({held[0]})")
        progress.note("at last", f"({held[-1]})")


def _upload(server: ServerProcess, progress: Progress, numbers: Iterator[int], *, seed: int, until: int) -> None:
    def run() -> None:
        with closing(server.stubs()) as stubs:
            while progress.count("uploads") < until:
                number = next(numbers)
                _carry_out(stubs, seed=seed, number=number)
                progress.add("uploads")

    with ThreadPoolExecutor(_CLIENTS) as pool:
        for client in [pool.submit(run) for _ in range(_CLIENTS)]:
            client.result()


def _carry_out(stubs: Stubs, *, seed: int, number: int) -> None:
    luck = chance(seed, "soak", number)
    fate = luck.choice(_FATES)
    content = files.pdf_of_size(luck.choice([500, 5_000, 50_000, 50_000, luck.randint(100_000, 2 * MEBIBYTE)]), seed=number)
    spec = UploadSpec(upload_id=id_of(luck), name="scan.pdf")
    safe = 0
    if fate in {"resumed", "cancelled", "vanished"}:
        safe = stubs.uploads.WriteUpload(rest(spec, content, 0, end=len(content) // 2)).persisted_size
        assert safe == len(content) // 2
    if fate == "vanished":
        return
    if fate == "cancelled":
        stubs.uploads.CancelUpload(CancelUploadRequest(upload_id=spec.upload_id))
        return
    if fate == "refused":
        spec.size_bytes = len(content) + 1
        assert reason_of(outcome_of(stubs.uploads.WriteUpload, rest(spec, content, 0))) == "SIZE_MISMATCH"
        return
    confirm(stubs, stubs.uploads.WriteUpload(rest(spec, content, safe)).result.write_token)
    if fate == "downloaded":
        assert content_of(stubs, spec.upload_id) == content, f"document {number} has other bytes"


def _held(server: ServerProcess, temporary: Path) -> Held:
    process = psutil.Process(server.pid)
    looks: deque[int] = deque(maxlen=_LOOKS)

    def is_quiet() -> bool:
        looks.append(_descriptors(process))
        return len(looks) == _LOOKS and len(set(looks)) == 1

    wait_until(is_quiet, "connections that have ended are closed", seconds=20)
    files_there = [path for folder in (temporary, server.data / "blobs/spool") for path in folder.rglob("*") if path.is_file()]
    return Held(process.num_threads(), _descriptors(process), len(files_there), process.memory_info().rss)


def _descriptors(process: psutil.Process) -> int:
    links = Path(f"/proc/{process.pid}/fd").iterdir()
    return sum("/osis-document.db" not in _target(link) for link in links)


def _target(link: Path) -> str:
    with suppress(FileNotFoundError):  # closed just now
        return str(link.readlink())
    return ""


def _require_flat(server: ServerProcess, temporary: Path, before: Held, held: list[Held]) -> None:
    def is_settled() -> bool:
        held[-1] = _held(server, temporary)
        return held[-1].temporary_files <= before.temporary_files

    wait_until(is_settled, "nothing is left of uploads that vanished", seconds=90)
    for name, first, last in zip(("threads", "descriptors"), astuple(held[0]), astuple(held[-1]), strict=False):
        assert last <= first, f"{name}: {first}, and at last {last}"
    sizes = [round(each.rss_bytes / MEBIBYTE) for each in held]
    assert held[-1].rss_bytes <= held[0].rss_bytes + _SLACK_BYTES, f"MiB of memory, sample by sample: {sizes}"
