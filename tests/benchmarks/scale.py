"""How much is measured: sizes, times and numbers of rounds."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The sizes of a run. The defaults are those that the targets are meant for."""

    quick: bool = False
    rounds: int = 7
    #: A stream that is measured against a null stream.
    stream_bytes: int = 256 * MIB
    #: A transfer during which memory is watched.
    transfer_bytes: int = 5 * 1024 * MIB
    #: A file that goes through the HTTP gateway.
    gateway_bytes: int = 100_000_000
    slow_uploads: int = 1000
    slow_upload_seconds: float = 30.0
    unary_seconds: float = 5.0
    merge_rounds: int = 5
    merge_inputs: int = 100
    #: Office documents at most; 0: all there are.
    office_documents: int = 0
    #: Tasks that are put into an empty queue.
    queued_tasks: int = 30
    starts: int = 3
    #: Documents in a long list.
    list_rows: int = 1_000_000


QUICK = Scale(
    quick=True,
    rounds=3,
    stream_bytes=64 * MIB,
    transfer_bytes=512 * MIB,
    gateway_bytes=20_000_000,
    slow_uploads=200,
    slow_upload_seconds=5.0,
    unary_seconds=1.0,
    merge_rounds=2,
    merge_inputs=20,
    office_documents=4,
    queued_tasks=5,
    starts=1,
    list_rows=100_000,
)
