"""Read tokens in batches, against one by one."""

import time
from io import BytesIO

import grpc
from bench import PDF_SIGNATURE, Bench
from rounds import interleaved
from row import Bound, Measured, NotBuiltError, Row, Target

from osis.document.v1.token_service_pb2 import BatchCreateTokensRequest, CreateTokenRequest
from osis_document_client import Client, ServiceError

_BATCH = 100


def _batches(client: Client, document_ids: list[str], *, seconds: float) -> float:
    """Returns the seconds for each token."""
    request = BatchCreateTokensRequest(requests=[CreateTokenRequest(document_id=each) for each in document_ids])
    started = time.perf_counter()
    made = 0
    while time.perf_counter() - started < seconds:
        results = client.tokens.BatchCreateTokens(request).results
        made += sum(result.WhichOneof("outcome") == "token" for result in results)
    return (time.perf_counter() - started) / made


def _one_by_one(client: Client, document_ids: list[str], *, seconds: float) -> float:
    started = time.perf_counter()
    made = 0
    while time.perf_counter() - started < seconds:
        client.create_token(document_ids[made % len(document_ids)])
        made += 1
    return (time.perf_counter() - started) / made


def _measure(bench: Bench) -> Measured:
    with bench.service() as service, service.client() as client:
        try:
            client.tokens.BatchCreateTokens(BatchCreateTokensRequest())
        except ServiceError as exc:
            if exc.code is grpc.StatusCode.UNIMPLEMENTED:
                raise NotBuiltError("TokenService.BatchCreateTokens") from exc
        ids = [
            client.upload(BytesIO(PDF_SIGNATURE + bytes([number])), name=f"{number}.pdf").document.id for number in range(_BATCH)
        ]
        seconds = bench.scale.unary_seconds / 2
        rounds = interleaved(
            lambda: _batches(client, ids, seconds=seconds),
            lambda: _one_by_one(client, ids, seconds=seconds),
            rounds=bench.scale.rounds,
            say=bench.say,
        )
    return Measured(
        value=rounds.speed,
        spread=rounds.speed_spread,
        note=f"{1 / rounds.measured_seconds:,.0f} tokens/s in batches, {1 / rounds.baseline_seconds:,.0f}/s one by one",
        details={"batch": _BATCH, "seconds_per_token": rounds.measured, "seconds_per_unary_token": rounds.baseline},
    )


BATCH_TOKENS = Row(
    name="batch-tokens",
    what="read tokens per second in batches of 100 ÷ the unary rate",
    target=Target(bound=Bound.AT_LEAST, limit=10),
    digits=1,
    measure=_measure,
)
