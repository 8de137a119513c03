"""All loops, with what each is to reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.killed_calls import survive_kills
from tests.support.server import ServerProcess, serving
from tests.torture.loops.damaged_blobs import damage_blobs
from tests.torture.loops.idle_uploads import hold_idle_uploads
from tests.torture.loops.killed_server import kill_server
from tests.torture.loops.killed_uploaders import kill_uploaders
from tests.torture.loops.large_stream import stream
from tests.torture.loops.offsets import follow_protocol
from tests.torture.loops.soak import soak
from tests.torture.loops.upload_races import race
from tests.torture.progress import Progress

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_BOTH = (SQLITE, POSTGRESQL)


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One loop.

    Args:
        name: what it is asked for by.
        what: it does.
        goals: what it is to reach at least.
        run: does it, with a folder, the progress and a seed. Raises AssertionError when the service fails.
        databases: with which it is run, one after the other.
    """

    name: str
    what: str
    goals: Mapping[str, int]
    run: Callable[[Path, Progress, int], None]
    databases: tuple[str, ...] = (SQLITE,)


def _on_server(loop: Callable[[ServerProcess, Progress, int], None], **settings: str) -> Callable[[Path, Progress, int], None]:
    def run(folder: Path, progress: Progress, seed: int) -> None:
        with serving(folder, **settings) as server:
            loop(server, progress, seed)

    return run


def _kill_calls(folder: Path, progress: Progress, seed: int) -> None:
    def count(line: str) -> None:
        progress.add("kills", line.startswith("killed"))

    survive_kills(folder, runs=progress.goals["kills"], seed=seed, say=count)


LOOPS = (
    Loop(
        name="killed-uploaders",
        what="uploaders killed busy or idle; the next one goes on",
        goals={"kills": 100},
        run=_on_server(lambda server, progress, seed: kill_uploaders(server, progress, seed=seed)),
        databases=_BOTH,
    ),
    Loop(
        name="killed-server",
        what="a server killed again and again under uploads",
        goals={"uploads": 200, "kills": 40},
        run=lambda folder, progress, seed: kill_server(folder, progress, seed=seed),
        databases=_BOTH,
    ),
    Loop(
        name="killed-calls",
        what="a server killed before each system call of a document's way in",
        goals={"kills": 60},
        run=_kill_calls,
    ),
    Loop(
        name="upload-races",
        what="several clients at one upload at the same moment",
        goals={"races": 600},
        run=lambda folder, progress, seed: race(folder, progress, seed=seed),
        databases=_BOTH,
    ),
    Loop(
        name="offsets",
        what="streams in any order of their steps, against a model",
        goals={"examples": 150},
        run=lambda folder, progress, seed: follow_protocol(folder, progress, seed=seed, steps=40, kills=15),
        databases=_BOTH,
    ),
    Loop(
        name="idle-uploads",
        what="calls beside uploads whose clients are silent, none longer than a second",
        goals={"idle uploads": 1000, "calls": 3000},
        run=_on_server(
            lambda server, progress, seed: hold_idle_uploads(server, progress, seed=seed, deadline_seconds=1),
            MAX_STREAMS="1088",  # as a server has them that nobody has told otherwise
        ),
    ),
    Loop(
        name="damaged-blobs",
        what="stored bytes changed behind the service's back",
        goals={"damaged blobs": 500},
        run=_on_server(lambda server, progress, seed: damage_blobs(server, progress, seed=seed)),
    ),
    Loop(
        name="soak",
        what="memory, threads, files and connections over thousands of uploads",
        goals={"uploads": 10_000},
        run=lambda folder, progress, seed: soak(folder, progress, seed=seed),
        databases=_BOTH,
    ),
    Loop(
        name="large-stream",
        what="a file of 5 GiB up and down",
        goals={"mebibytes up": 5 * 1024, "mebibytes down": 5 * 1024},
        run=lambda folder, progress, seed: stream(folder, progress, seed=seed),
    ),
)
