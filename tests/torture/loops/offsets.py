"""The protocol of uploads against a model of it: streams that begin, write, break off, take over and finish, in any order."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from itertools import count
from pathlib import Path
from uuid import UUID

import hypothesis
from hypothesis import HealthCheck, Phase, strategies
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from osis.document.v1.upload_service_pb2 import (
    CancelUploadRequest,
    StartUploadRequest,
    UploadResult,
    UploadSpec,
)
from tests.support.downloads import content_of
from tests.support.leftovers import FORGETFUL, require_nothing_beside
from tests.support.outcomes import outcome_of, reason_of
from tests.support.refusals import Refusal
from tests.support.restarting import RestartingServer
from tests.support.resuming import rest, status
from tests.support.uploads import MEBIBYTE, confirm, new_id
from tests.support.waiting import wait_until
from tests.support.write_stream import WriteStream
from tests.torture.progress import Progress

_LENGTHS = strategies.sampled_from([1, 100, 4096, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE])
_OPEN_STREAMS = 3
#: What a stream may be told whose upload somebody else has, has finished or has taken back.
_OVER = {"WRITER_SUPERSEDED", "UPLOAD_CANCELLED", "UPLOAD_SPEC_CONFLICT"}
_LINE = 16


def text(stream: int, start: int, end: int) -> bytes:
    """What a stream writes from one offset to another: every line says which stream, and where."""
    first = start // _LINE
    lines = b"".join(b"%05d %09d\n" % (stream, line * _LINE) for line in range(first, -(-end // _LINE)))
    return lines[start - first * _LINE : end - first * _LINE]


@dataclass
class _Stream:
    number: int
    stream: WriteStream
    #: The file as this stream has it: what was safe when it began, and what it has sent.
    content: bytes
    #: False once another one has taken the upload over, or it is gone.
    is_current: bool = True
    #: How much was safe when another one took over; None when the upload has gone instead.
    settled: int | None = None


@dataclass
class _Model:
    """What is known of the upload."""

    #: Whether the service knows it, finished or not.
    exists: bool = False
    #: How often it was taken over.
    epoch: int = 0
    #: Bytes that the service has said are safe.
    safe: int = 0
    #: What was sent: the first `safe` bytes of it are there, the others perhaps, up to any point.
    sent: bytes = b""
    #: The document's bytes.
    finished: bytes | None = None
    is_confirmed: bool = False
    streams: list[_Stream] = field(default_factory=list)

    def forget(self) -> None:
        """The upload is gone; its streams may not know yet."""
        for stream in self.streams:
            stream.is_current = False
        self.exists, self.epoch, self.safe, self.sent, self.finished = False, 0, 0, b"", None


def _step(rule: Callable[..., None]) -> Callable[..., None]:
    """Notes what a rule is called with, and prints all steps when one fails: at another time it may not fail again."""

    @wraps(rule)
    def noted(machine: "Protocol", **arguments: object) -> None:
        said = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        machine.steps.append(f"{rule.__name__}({said})")
        try:
            rule(machine, **arguments)
        except Exception:
            print(f"upload {machine.spec.upload_id}:", *machine.steps, sep="\n    ")
            raise

    return noted


class Protocol(RuleBasedStateMachine):
    """One upload, from its beginning to its end.

    No rule has a precondition: it could depend on how fast the service is, and Hypothesis wants to find the same choices again.
    """

    #: Set by `follow_protocol`.
    server: RestartingServer
    progress: Progress
    confirmed: list[str]
    kills_left: int

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []
        self._stubs = self.server.stubs()
        self.spec = UploadSpec(upload_id=new_id(), name="note.txt")
        self._numbers = count(1)
        self._model = _Model()

    # ---- rules ----------------------------------------------------------------------------------------------------------

    @rule()
    @_step
    def start(self) -> None:
        answer = outcome_of(self._stubs.uploads.StartUpload, StartUploadRequest(upload_spec=self.spec))
        self._model.exists = True
        self._check_state(answer)

    @rule()
    @_step
    def ask(self) -> None:
        answer = outcome_of(status, self._stubs, self.spec.upload_id)
        if not self._model.exists:
            assert reason_of(answer) == "UPLOAD_NOT_FOUND", answer
            return
        self._check_state(answer)

    @rule(by_spec=strategies.booleans())
    @_step
    def take_over(self, by_spec: bool) -> None:
        if self._model.finished is not None or len(self._model.streams) == _OPEN_STREAMS:
            return
        if not by_spec and not self._model.exists:
            stream = WriteStream(self._stubs, self.spec.upload_id)
            assert reason_of(stream.answer()) == "UPLOAD_NOT_FOUND"
            return
        self._open(self.spec if by_spec else self.spec.upload_id)

    @rule(
        which=strategies.integers(0, _OPEN_STREAMS - 1),
        length=_LENGTHS,
        again=strategies.sampled_from([0, 0, 0, 1, 4096, MEBIBYTE]),
    )
    @_step
    def write(self, which: int, length: int, again: int) -> None:
        stream = self._pick(which)
        if stream is None:
            return
        end = len(stream.content) + length
        offset = max(0, len(stream.content) - again)
        stream.stream.write(offset, text(stream.number, offset, end))
        # What had arrived is skipped, not written again.
        stream.content += text(stream.number, len(stream.content), end)
        if stream.is_current:
            self._model.sent = stream.content

    @rule(which=strategies.integers(0, _OPEN_STREAMS - 1), gap=strategies.sampled_from([1, MEBIBYTE]))
    @_step
    def leave_a_gap(self, which: int, gap: int) -> None:
        stream = self._pick(which)
        if stream is None:
            return
        stream.stream.write(len(stream.content) + gap, b"x")
        answer = self._take(stream).answer()
        assert reason_of(answer) == "OFFSET_GAP" or (not stream.is_current and reason_of(answer) in _OVER), answer
        if reason_of(answer) == "OFFSET_GAP":
            assert answer.metadata["persisted_size"] == str(len(stream.content)), answer
        if stream.is_current and self._model.epoch == 1 and self._model.safe == 0:
            answer = outcome_of(status, self._stubs, self.spec.upload_id)
            if reason_of(answer) == "UPLOAD_NOT_FOUND":  # nothing of it was safe: nothing to go on with
                self._model.forget()

    @rule(which=strategies.integers(0, _OPEN_STREAMS - 1))
    @_step
    def end(self, which: int) -> None:
        stream = self._pick(which)
        if stream is None:
            return
        answer = self._take(stream).end()
        if stream.is_current:
            assert not reason_of(answer), answer
            assert answer.WhichOneof("outcome") == "persisted_size", answer
            assert answer.persisted_size == len(stream.content), answer
            self._model.safe = answer.persisted_size
        elif not reason_of(answer):
            assert answer.WhichOneof("outcome") == "persisted_size", answer
            assert answer.persisted_size == len(stream.content), answer
            assert stream.settled is None or answer.persisted_size <= stream.settled, f"bytes that came too late count: {answer}"
        else:
            assert reason_of(answer) in _OVER, answer

    @rule(which=strategies.integers(0, _OPEN_STREAMS - 1))
    @_step
    def vanish(self, which: int) -> None:
        stream = self._pick(which)
        if stream is not None:
            self._take(stream).close()

    @rule(which=strategies.integers(0, _OPEN_STREAMS - 1), says=strategies.sampled_from(["right", "right", "nothing", "wrong"]))
    @_step
    def finish(self, which: int, says: str) -> None:
        stream = self._pick(which)
        if stream is None:
            return
        right = hashlib.sha256(stream.content).hexdigest()
        answer = self._take(stream).finish(len(stream.content), sha256={"right": right, "nothing": "", "wrong": "0" * 64}[says])
        expected = "EMPTY_FILE" if not stream.content else "HASH_MISMATCH" if says == "wrong" else ""
        if not stream.is_current:
            if not reason_of(answer):  # as it happens, the very same
                assert stream.content == self._model.finished, "bytes of a stream that was over have become a document"
                self._check_result(answer.result)
            else:
                assert reason_of(answer) in _OVER | {expected}, answer
            return
        assert reason_of(answer) == expected, answer
        if expected:
            self._model.forget()  # the content is at fault: nothing is kept
            return
        self._model.finished = stream.content
        for other in self._model.streams:
            other.is_current = False
        assert answer.WhichOneof("outcome") == "result", answer
        self._check_result(answer.result)

    @rule()
    @_step
    def cancel(self) -> None:
        answer = outcome_of(self._stubs.uploads.CancelUpload, CancelUploadRequest(upload_id=self.spec.upload_id))
        if self._model.is_confirmed:
            assert reason_of(answer) == "ALREADY_CONFIRMED", answer
            return
        assert not reason_of(answer), answer
        self._model.forget()

    @rule()
    @_step
    def confirm(self) -> None:
        if self._model.finished is None or self._model.is_confirmed:
            return
        confirm(self._stubs, status(self._stubs, self.spec.upload_id).result.write_token)
        self._model.is_confirmed = True
        self.confirmed.append(self.spec.upload_id)

    @rule(same=strategies.booleans())
    @_step
    def send_again(self, same: bool) -> None:
        if self._model.finished is None:
            return
        content = self._model.finished if same else self._model.finished[:-1] + b"!"
        answer = outcome_of(self._stubs.uploads.WriteUpload, rest(self.spec, content, 0))
        if same:
            assert not reason_of(answer), answer
            self._check_result(answer.result)
        else:
            assert reason_of(answer) == "UPLOAD_SPEC_CONFLICT", answer

    @rule(chance=strategies.integers(0, 9))
    @_step
    def kill_server(self, chance: int) -> None:
        if chance != 7:
            return
        is_killed = self.kills_left > 0  # it takes time
        if is_killed:
            type(self).kills_left -= 1
            self.server.kill()
        for stream in list(self._model.streams):
            self._take(stream).close()
        if is_killed:
            self.server.start()
            self.progress.add("kills")

    @_step
    def teardown(self) -> None:
        """Whatever has happened, the upload can be finished, and has the bytes that it should have."""
        try:
            if self._model.finished is None:
                stream = self._open(self.spec)
                end = len(stream.content) + 1
                stream.stream.write(len(stream.content), text(stream.number, len(stream.content), end))
                stream.content += text(stream.number, len(stream.content), end)
                answer = self._take(stream).finish(end, sha256=hashlib.sha256(stream.content).hexdigest())
                assert not reason_of(answer), answer
                self._model.finished = stream.content
                self._check_result(answer.result)
            self.confirm()
            assert content_of(self._stubs, self.spec.upload_id) == self._model.finished
            self.progress.add("examples")
        finally:
            for left in self._model.streams:
                left.stream.close()
            self._stubs.close()

    # ---- what they are made of ------------------------------------------------------------------------------------------

    def _pick(self, which: int) -> _Stream | None:
        """One of the streams; where there is none, a new one, unless the upload is finished."""
        if not self._model.streams and self._model.finished is None:
            return self._open(self.spec)
        return self._model.streams[which % len(self._model.streams)] if self._model.streams else None

    def _take(self, stream: _Stream) -> WriteStream:
        self._model.streams.remove(stream)
        return stream.stream

    def _open(self, upload: UploadSpec | str) -> _Stream:
        model = self._model
        stream = WriteStream(self._stubs, upload)
        model.exists, model.epoch = True, model.epoch + 1
        wait_until(lambda: self._epoch() == model.epoch, "the stream has taken the upload over")
        # From now on nobody else changes it, and this one has sent nothing yet.
        answer = status(self._stubs, self.spec.upload_id)
        self._check_state(answer)
        start: int = answer.persisted_size
        for other in model.streams:
            if other.is_current:
                other.is_current, other.settled = False, start
        model.sent = model.sent[:start]
        model.streams.append(_Stream(next(self._numbers), stream, model.sent))
        return model.streams[-1]

    def _epoch(self) -> int:
        mine = UUID(self.spec.upload_id)
        return next((row["epoch"] for row in self.server.process.rows("upload") if UUID(str(row["id"])) == mine), 0)

    def _check_state(self, answer: object) -> None:
        assert not isinstance(answer, Refusal), answer
        if self._model.finished is not None:
            assert answer.WhichOneof("outcome") == "result", answer
            self._check_result(answer.result)
            return
        assert answer.WhichOneof("outcome") == "persisted_size", answer
        most = len(self._model.sent)
        assert self._model.safe <= answer.persisted_size <= most, f"{self._model.safe} to {most} bytes are safe, not {answer}"
        self._model.safe = answer.persisted_size

    def _check_result(self, result: UploadResult) -> None:
        assert self._model.finished is not None
        assert result.document.size_bytes == len(self._model.finished), result
        assert result.document.sha256 == hashlib.sha256(self._model.finished).hexdigest(), result
        assert bool(result.write_token) != self._model.is_confirmed, result


def follow_protocol(folder: Path, progress: Progress, *, seed: int, steps: int, kills: int, shrink: bool = False) -> None:
    """Tries as many uploads as the goal `examples`, each of some steps, and has what they left swept away.

    Args:
        folder: of the server.
        progress: has the goal.
        seed: decides about all.
        steps: of each.
        kills: how often the server may be killed in all of them together.
        shrink: whether to look for the shortest way to a failure, which takes long.

    Raises:
        AssertionError: the service does otherwise than the model; Hypothesis prints the steps that led there.
    """
    with RestartingServer(folder) as server:

        class Machine(Protocol):
            pass

        Machine.server, Machine.progress, Machine.confirmed, Machine.kills_left = server, progress, [], kills
        settings = hypothesis.settings(
            max_examples=progress.goals["examples"],
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(hypothesis.seed(seed)(Machine), settings=settings)
        server.start(**FORGETFUL)
        require_nothing_beside(server.process, Machine.confirmed)
