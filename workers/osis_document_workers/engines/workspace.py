"""The folder of one engine run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import EngineError, Reason

#: The rights of a file that all may read and nobody write.
READ_ONLY = 0o444


@dataclass(frozen=True)
class Workspace:
    """A folder below `scratch` that exists during one run.

    Attributes:
        inputs: the sources; the engine may read them only.
        work: where the engine writes, its home and its temporary folder too.
        result: the file that the engine makes, in `work`.
    """

    inputs: Path
    work: Path

    @property
    def result(self) -> Path:
        return self.work / "result"

    @property
    def request(self) -> Path:
        return self.inputs / "request.json"

    def add(self, sources: Sequence[Path]) -> list[Path]:
        """Puts each distinct source here once; returns a path per source, in order.

        The engine may be another user, to whom the original's folder is closed. A file that all may read and nobody write is
        linked, any other is copied.
        """
        placed: dict[Path, Path] = {}
        for source in sources:
            if source not in placed:
                place = self.inputs / str(len(placed))
                if not _linked(source, place):
                    shutil.copyfile(source, place)
                    place.chmod(READ_ONLY)
                placed[source] = place
        return [placed[source] for source in sources]

    def write_request(self, request: Mapping[str, Any]) -> None:
        """Writes what the engine's process is to do."""
        self.request.write_text(json.dumps(request), encoding="utf-8")
        self.request.chmod(READ_ONLY)

    def clear(self) -> None:
        """Removes what `add` made, and the result."""
        for path in (*self.inputs.iterdir(), self.result):
            if path != self.request:
                path.unlink(missing_ok=True)

    def publish(self, target: Path) -> None:
        """Copies the result to `target`, which appears whole or not at all.

        Whoever took over the engine could have put anything there: only a regular file is taken, never a link to one.

        Raises:
            EngineError: ENGINE_CRASHED if there is no such file.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self.result, flags)
        except OSError as exc:
            raise EngineError(Reason.ENGINE_CRASHED, "The processing left no result. Try again.") from exc
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size == 0:
            os.close(descriptor)
            raise EngineError(Reason.ENGINE_CRASHED, "The processing left no result. Try again.")
        with os.fdopen(descriptor, "rb") as result:
            temporary = tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)  # noqa: SIM115
            try:
                with temporary:
                    shutil.copyfileobj(result, temporary, 1024 * 1024)
                Path(temporary.name).replace(target)
            except BaseException:
                Path(temporary.name).unlink(missing_ok=True)
                raise


def _linked(source: Path, place: Path) -> bool:
    """Links a file that nobody is to write any more; returns whether it is one, and the file system allows that."""
    if source.lstat().st_mode != stat.S_IFREG | READ_ONLY:
        return False
    try:
        place.hardlink_to(source)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def workspace(scratch: Path) -> Iterator[Workspace]:
    """Makes the folder of a run in `scratch` and removes it with all that the run left."""
    # The resolved path, as it is what a namespace mounts.
    root = Path(tempfile.mkdtemp(prefix="engine-", dir=scratch.resolve()))
    try:
        root.chmod(0o711)
        made = Workspace(inputs=root / "inputs", work=root / "work")
        for folder in (made.inputs, made.work):
            folder.mkdir()
            folder.chmod(0o755)
        yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)
