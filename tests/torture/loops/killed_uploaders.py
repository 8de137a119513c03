"""Uploaders killed with SIGKILL, busy or idle: nothing becomes a document, and the next one goes on to the same bytes."""

import hashlib
import random
import time
from concurrent.futures import ThreadPoolExecutor

from osis.document.v1.upload_service_pb2 import UploadSpec
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.outcomes import outcome_of, reason_of
from tests.support.resuming import rest, status
from tests.support.seeds import chance, id_of
from tests.support.server import KEYS, ServerProcess
from tests.support.stubs import Stubs
from tests.support.uploader import Part, UploaderProcess
from tests.support.uploads import MEBIBYTE, confirm
from tests.torture.progress import Progress

#: Uploads side by side.
_SIDE_BY_SIDE = 2


def kill_uploaders(server: ServerProcess, progress: Progress, *, seed: int) -> None:
    """Goes on until the goal `kills` is reached.

    Raises:
        AssertionError: a killed uploader finished an upload, bytes that were safe are gone, or a document has other bytes.
    """

    def upload(first: int) -> None:
        stubs, number = server.stubs(), first
        while not progress.reached("kills"):
            _upload(server, stubs, progress, seed=seed, number=number)
            number += _SIDE_BY_SIDE

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for turn in [pool.submit(upload, first) for first in range(_SIDE_BY_SIDE)]:
            turn.result()


def _upload(server: ServerProcess, stubs: Stubs, progress: Progress, *, seed: int, number: int) -> None:
    luck = chance(seed, "killed uploader", number)
    size = luck.choice([luck.randint(2_000, 200_000), luck.randint(200_000, 2 * MEBIBYTE), 2 * MEBIBYTE])
    content = files.pdf_of_size(size, seed=number)
    spec = UploadSpec(upload_id=id_of(luck), name=f"scan-{number}.pdf")
    safe = sent = 0
    for _ in range(luck.randint(1, 3)):
        end = luck.randint(safe, size)
        sent = max(sent, end)
        part = Part(
            upload_id=spec.upload_id,
            name=spec.name,
            start=safe,
            end=end,
            chunk=luck.choice([1_000, 16_384, 65_536, 262_144]),
            pause_seconds=luck.choice([0, 0.002]),
        )
        _kill(server, part, content, luck)
        progress.add("kills")
        time.sleep(luck.choice([0, luck.uniform(0, 0.1)]))  # before or after the server has noticed
        safe = _safe_bytes(stubs, spec.upload_id, at_least=safe, at_most=sent)
    result = stubs.uploads.WriteUpload(rest(spec, content, safe)).result
    assert result.document.sha256 == hashlib.sha256(content).hexdigest(), f"upload {number} has other bytes"
    confirm(stubs, result.write_token)
    assert content_of(stubs, spec.upload_id) == content, f"document {number} is handed out with other bytes"
    left = [name for name in server.blob_files() if name.startswith(spec.upload_id.replace("-", ""))]
    assert not left, f"upload {number} left {left}"
    progress.add("resumed uploads")


def _kill(server: ServerProcess, part: Part, content: bytes, luck: random.Random) -> None:
    messages = 1 + -(-(part.end - part.start) // part.chunk)
    with UploaderProcess(server.target, KEYS["alpha"], part, content) as uploader:
        if luck.random() < 0.5:  # idle
            uploader.wait_for("all")
        else:  # busy
            for _ in range(luck.randint(1, messages)):
                uploader.wait_for("sent")
        time.sleep(luck.uniform(0, 0.02))


def _safe_bytes(stubs: Stubs, upload_id: str, *, at_least: int, at_most: int) -> int:
    """How much of an unfinished upload is safe."""
    assert reason_of(outcome_of(get, stubs, upload_id)) == "DOCUMENT_NOT_FOUND", "a killed uploader has made a document"
    answer = outcome_of(status, stubs, upload_id)
    if reason_of(answer) == "UPLOAD_NOT_FOUND":
        assert at_least == 0, f"{at_least} bytes were safe, and the upload is gone"
        return 0
    assert answer.WhichOneof("outcome") == "persisted_size", f"a killed uploader has finished: {answer}"
    assert at_least <= answer.persisted_size <= at_most, f"{at_least} to {at_most} bytes are there, not {answer.persisted_size}"
    safe: int = answer.persisted_size
    return safe
