"""Several clients at the same upload at the same moment: one outcome, the same for all of them."""

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

from osis.document.v1.document_service_pb2 import ConfirmUpload, ConfirmUploadsRequest
from osis.document.v1.upload_service_pb2 import CancelUploadRequest, UploadSpec
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import content_of
from tests.support.leftovers import FORGETFUL, require_nothing_beside
from tests.support.outcomes import outcome_of, reason_of
from tests.support.restarting import RestartingServer
from tests.support.resuming import rest, status
from tests.support.seeds import chance, id_of
from tests.support.stubs import Stubs
from tests.support.uploads import MEBIBYTE, confirm, upload
from tests.torture.progress import Progress

#: At most so much later than the first does anybody begin.
_APART_SECONDS = 0.03
_CLIENTS = 4


@dataclass(frozen=True)
class _Race:
    """What a race is about: an upload that nobody has begun yet."""

    luck: random.Random
    what: str
    spec: UploadSpec
    content: bytes


def race(folder: Path, progress: Progress, *, seed: int) -> None:
    """Runs races of all kinds by turns until the goal `races` is reached, and has what they left swept away.

    Raises:
        AssertionError: outcomes do not agree with each other, or with what is there afterwards.
    """
    with RestartingServer(folder) as server:
        alpha = [server.stubs() for _ in range(_CLIENTS)]
        beta = [server.stubs("beta") for _ in range(_CLIENTS)]
        kept: list[str] = []
        kinds: tuple[partial[bool], ...] = (
            partial(_resume_and_cancel, alpha),
            partial(_resume, alpha),
            partial(_repeat, alpha),
            partial(_take_one_id_for_two_files, alpha, alpha),
            partial(_take_one_id_for_two_files, alpha, beta),
            partial(_confirm_and_cancel, alpha),
        )
        number = 0
        while not progress.reached("races"):
            kind = kinds[number % len(kinds)]
            luck = chance(seed, "race", number)
            spec = UploadSpec(upload_id=id_of(luck), name="scan.pdf")
            content = files.pdf_of_size(luck.choice([luck.randint(100, 5_000), luck.randint(5_000, 2 * MEBIBYTE)]), seed=number)
            if kind(_Race(luck, f"race {number}, {kind.func.__name__}", spec, content)):
                kept.append(spec.upload_id)
            progress.add("races")
            number += 1
        server.start(**FORGETFUL)
        require_nothing_beside(server.process, kept)
        progress.add("documents", len(kept))


# ---- kinds: each returns whether there is a document afterwards, which is confirmed then -----------------------------------


def _resume_and_cancel(clients: Sequence[Stubs], about: _Race) -> bool:
    """Two go on with an upload, one cancels it, which is answered: so nothing is left."""
    safe = _begin(clients[0], about)
    outcomes = _at_once(
        about,
        [
            *(partial(_resume_from, stubs, about, about.content, safe) for stubs in clients[:2]),
            partial(clients[2].uploads.CancelUpload, CancelUploadRequest(upload_id=about.spec.upload_id)),
        ],
    )
    assert not reason_of(outcomes.pop()), f"{about.what}: cancelling was refused: {outcomes}"
    _require_results(about, outcomes, about.content, besides={"WRITER_SUPERSEDED", "UPLOAD_CANCELLED", "UPLOAD_NOT_FOUND"})
    _require_nothing(clients[0], about)
    return False


def _resume(clients: Sequence[Stubs], about: _Race) -> bool:
    """All go on with an upload: the last to begin finishes it, if nobody has before."""
    safe = _begin(clients[0], about)
    outcomes = _at_once(about, [partial(_resume_from, stubs, about, about.content, safe) for stubs in clients])
    assert _require_results(about, outcomes, about.content, besides={"WRITER_SUPERSEDED"}), f"{about.what}: nobody: {outcomes}"
    return _require_document(clients[0], about, about.content)


def _repeat(clients: Sequence[Stubs], about: _Race) -> bool:
    """All send the same file, each from its beginning."""
    outcomes = _at_once(about, [partial(_send, stubs, about, about.content) for stubs in clients])
    assert _require_results(about, outcomes, about.content, besides={"WRITER_SUPERSEDED"}), f"{about.what}: nobody: {outcomes}"
    return _require_document(clients[0], about, about.content)


def _take_one_id_for_two_files(clients: Sequence[Stubs], others: Sequence[Stubs], about: _Race) -> bool:
    """The same id for two files, of one client or of two: one of the files gets it."""
    other = files.pdf_of_size(len(about.content), seed=about.luck.getrandbits(32))
    half = _CLIENTS // 2
    senders = [*(partial(_send, stubs, about, about.content) for stubs in clients[:half])]
    senders += [partial(_send, stubs, about, other) for stubs in others[half:]]
    outcomes = _at_once(about, senders)
    refusals = {"WRITER_SUPERSEDED", "UPLOAD_SPEC_CONFLICT"} if clients is others else {"WRITER_SUPERSEDED", "UPLOAD_ID_TAKEN"}
    mine = _require_results(about, outcomes[:half], about.content, besides=refusals)
    theirs = _require_results(about, outcomes[half:], other, besides=refusals)
    assert bool(mine) != bool(theirs), f"{about.what}: not one of the files: {outcomes}"
    owner, content = (clients[0], about.content) if mine else (others[0], other)
    return _require_document(owner, about, content)


def _confirm_and_cancel(clients: Sequence[Stubs], about: _Race) -> bool:
    """Two confirm an upload with its one token, one cancels it: one of the three wins."""
    token = upload(clients[0], about.content, upload_id=about.spec.upload_id, name=about.spec.name).write_token
    confirming = [
        partial(
            stubs.documents.ConfirmUploads,
            ConfirmUploadsRequest(uploads=[ConfirmUpload(token=token)], request_id=id_of(about.luck)),
        )
        for stubs in clients[:2]
    ]
    cancelling = partial(clients[2].uploads.CancelUpload, CancelUploadRequest(upload_id=about.spec.upload_id))
    outcomes = _at_once(about, [*confirming, cancelling])
    reasons = [reason_of(outcome) for outcome in outcomes]
    if reasons[2]:
        assert sorted(reasons) == ["", "ALREADY_CONFIRMED", "TOKEN_SPENT"], f"{about.what}: {outcomes}"
        assert content_of(clients[0], about.spec.upload_id) == about.content, f"{about.what}: other bytes"
        return True
    assert reasons == ["DOCUMENT_NOT_FOUND", "DOCUMENT_NOT_FOUND", ""], f"{about.what}: {outcomes}"
    _require_nothing(clients[0], about)
    return False


# ---- what they are made of -------------------------------------------------------------------------------------------------


def _begin(stubs: Stubs, about: _Race) -> int:
    end = about.luck.randrange(len(about.content))
    answer = stubs.uploads.WriteUpload(rest(about.spec, about.content, 0, end=end))
    assert answer.persisted_size == end, f"{about.what}: {answer}"
    return end


def _resume_from(stubs: Stubs, about: _Race, content: bytes, offset: int) -> Any:
    return stubs.uploads.WriteUpload(rest(about.spec.upload_id, content, offset, chunk=16_384))


def _send(stubs: Stubs, about: _Race, content: bytes) -> Any:
    return stubs.uploads.WriteUpload(rest(about.spec, content, 0, chunk=16_384))


def _at_once(about: _Race, calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Makes calls side by side; their answers and refusals in order."""
    pauses = [about.luck.choice([0, about.luck.uniform(0, _APART_SECONDS)]) for _ in calls]
    together = Barrier(len(calls))

    def make(call: Callable[[], Any], pause: float) -> Any:
        together.wait(30)
        time.sleep(pause)
        return outcome_of(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls, pauses))


def _require_results(about: _Race, outcomes: Iterable[Any], content: bytes, *, besides: set[str]) -> int:
    """How many have got the document; it must have these bytes, and the others one of these reasons."""
    results = 0
    for outcome in outcomes:
        if reason := reason_of(outcome):
            assert reason in besides, f"{about.what}: {outcome}"
            continue
        assert outcome.WhichOneof("outcome") == "result", f"{about.what}: {outcome}"
        assert outcome.result.document.sha256 == hashlib.sha256(content).hexdigest(), f"{about.what}: other bytes: {outcome}"
        results += 1
    return results


def _require_document(stubs: Stubs, about: _Race, content: bytes) -> bool:
    confirm(stubs, status(stubs, about.spec.upload_id).result.write_token)
    assert content_of(stubs, about.spec.upload_id) == content, f"{about.what}: other bytes"
    return True


def _require_nothing(stubs: Stubs, about: _Race) -> None:
    for ask, reason in ((status, "UPLOAD_NOT_FOUND"), (get, "DOCUMENT_NOT_FOUND")):
        answer = outcome_of(ask, stubs, about.spec.upload_id)
        assert reason_of(answer) == reason, f"{about.what}: it was cancelled, and there is {answer}"
