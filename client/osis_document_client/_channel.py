"""The channel to the service: its options, its credentials and which calls gRPC itself may repeat."""

from __future__ import annotations

import json
from pathlib import Path

import grpc

from ._config import ClientConfig
from ._errors import ConfigurationError
from ._interceptor import CallInterceptor
from ._lifetime import Lifetime

#: Unary rpcs that may be sent again although the first one may have arrived. Each one does nothing the second time, by the
#: contract.
IDEMPOTENT_METHODS: dict[str, tuple[str, ...]] = {
    "UploadService": ("StartUpload", "GetUploadStatus", "CancelUpload"),
    "TokenService": ("CreateToken", "BatchCreateTokens", "InspectToken"),
    "DocumentService": (
        "FinalizeDocuments",
        "GetDocument",
        "BatchGetDocuments",
        "ListDocuments",
        "UpdateMetadata",
        "DeleteDocuments",
        "UndeleteDocuments",
        "DeclareInfected",
    ),
    "PostProcessingService": ("GetPostProcessing", "CancelPostProcessing", "ListPostProcessings"),
    "WorkerService": ("ClaimTask", "ExtendLease", "CompleteTask", "FailTask", "GiveBackTask"),
}

#: Unary rpcs that only a `request_id` (or an id in the request) makes safe to repeat, and those that nothing does. gRPC cannot
#: know whether there is one; `Client.confirm` and `Client.start`, which always send one, repeat their calls themselves.
REPEATED_BY_CALLERS: dict[str, tuple[str, ...]] = {
    "DocumentService": ("ConfirmUploads", "RotateImage", "SaveEdit", "DuplicateDocuments"),
    "PostProcessingService": ("StartPostProcessing",),
}

#: A page of 1,000 documents with metadata is larger than gRPC's 4 MiB.
_MAX_RESPONSE_BYTES = 64 << 20


def service_config() -> str:
    """Makes the gRPC service config, which repeats idempotent calls that end with UNAVAILABLE: four tries in about a second,
    all of them before the call's deadline."""
    names = [
        {"service": f"osis.document.v1.{service}", "method": method}
        for service, methods in IDEMPOTENT_METHODS.items()
        for method in methods
    ]
    retry_policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.2s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": retry_policy}]})


def open_channel(config: ClientConfig, *, lifetime: Lifetime) -> grpc.Channel:
    """Makes a channel that adds key and deadline to every call and raises the library's errors. It connects when first used.

    Args:
        config: where the service is, and the key.
        lifetime: of the client; after its end calls raise `ClientClosed`.

    Raises:
        ConfigurationError: a TLS file cannot be read.
    """
    options: list[tuple[str, int | str]] = [
        ("grpc.service_config", service_config()),
        ("grpc.max_receive_message_length", _MAX_RESPONSE_BYTES),
        # A call over a connection that died silently fails after 70 seconds. The service allows pings at this interval.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        # Interrupted streams go on as soon as the service is back; gRPC's own pause would grow to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # Two clients must not share one connection: they may have different keys, and each is closed on its own.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if _is_local(config.target):  # a proxy for the Internet cannot reach this machine's own services
        options.append(("grpc.enable_http_proxy", 0))
    if config.uses_tls:
        credentials = grpc.ssl_channel_credentials(
            root_certificates=_read(config.tls_ca_file, variable="OSIS_DOCUMENT_CLIENT_TLS_CA"),
            private_key=_read(config.tls_key_file, variable="OSIS_DOCUMENT_CLIENT_TLS_KEY"),
            certificate_chain=_read(config.tls_cert_file, variable="OSIS_DOCUMENT_CLIENT_TLS_CERT"),
        )
        channel = grpc.secure_channel(config.target, credentials, options=options)
    else:
        channel = grpc.insecure_channel(config.target, options=options)
    return grpc.intercept_channel(channel, CallInterceptor(config, lifetime=lifetime))


def _is_local(target: str) -> bool:
    return target.startswith(("127.", "localhost:", "[::1]:", "unix:", "unix-abstract:"))


def _read(path: Path | None, *, variable: str) -> bytes | None:
    try:
        return path.read_bytes() if path is not None else None
    except OSError as exc:
        raise ConfigurationError(f"the TLS file {path} cannot be read ({exc.strerror}); correct {variable}") from exc
