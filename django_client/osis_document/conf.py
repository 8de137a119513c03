"""The app's settings, read from Django's when they are asked for, with their defaults.

Each raises ImproperlyConfigured, with what it must be, when it is missing without a default or has a value that it cannot have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Network = IPv4Network | IPv6Network

_MEBIBYTE = 1 << 20
_GIBIBYTE = 1 << 30
_DAY_SECONDS = 24 * 60 * 60

#: What a project that sets nothing gets. Ages are in seconds, sizes in bytes.
DEFAULTS: dict[str, Any] = {
    "OSIS_DOCUMENT_DOMAIN_LIST": [],
    "OSIS_DOCUMENT_UPLOAD_LIMIT": "10/minute",
    "OSIS_DOCUMENT_TRUSTED_ADDRESSES": [],
    "OSIS_DOCUMENT_TOKEN_MAX_AGE": 15 * 60,
    "OSIS_DOCUMENT_TEMP_UPLOAD_MAX_AGE": 15 * 60,
    "OSIS_DOCUMENT_DELETED_UPLOAD_MAX_AGE": 15 * _DAY_SECONDS,
    "OSIS_DOCUMENT_EXPORT_EXPIRATION_POLICY_AGE": 15 * _DAY_SECONDS,
    "OSIS_DOCUMENT_ALLOWED_EXTENSIONS": ["pdf", "txt", "docx", "doc", "odt", "png", "jpg"],
    "OSIS_DOCUMENT_MAX_UPLOAD_SIZE": None,
    "ENABLE_MIMETYPE_VALIDATION": True,
    "OSIS_DOCUMENT_GRPC_TLS_CA": None,
    "OSIS_DOCUMENT_GRPC_TLS_CERT": None,
    "OSIS_DOCUMENT_GRPC_TLS_KEY": None,
    "OSIS_DOCUMENT_TIMEOUTS": {},
    "OSIS_DOCUMENT_ANONYMOUS_MAX_UPLOAD_SIZE": 100 * _MEBIBYTE,
    "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING_PER_ADDRESS": _GIBIBYTE,
    "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING": 10 * _GIBIBYTE,
}

#: Settings without which nothing works, and an example of each.
REQUIRED: dict[str, str] = {
    "OSIS_DOCUMENT_BASE_URL": "https://primary.example/osis_document/",
    "OSIS_DOCUMENT_API_SHARED_SECRET": "change-this-secret",
    "OSIS_DOCUMENT_GRPC_TARGET": "documents.internal:50051",
}


#: The first letter of a period is enough.
_PERIOD_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": _DAY_SECONDS}


@dataclass(frozen=True)
class UploadLimit:
    """How many uploads one address may begin."""

    count: int
    seconds: int
    """The period that they are counted in."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds; the keys of OSIS_DOCUMENT_TIMEOUTS."""

    call: float = 30.0
    """For the answer to one call of the service: all its tries and the pauses between them together."""

    check: float | None = 2.0
    """For the service to answer `manage.py check`; None: it is not asked."""

    http: float = 30.0
    """For the primary server's answer to a secondary one."""

    post_processing: float = 120.0
    """For a post-processing, a rotation or an edit that the caller waits for."""

    transfer: float | None = None
    """For all of one upload or download; None: for ever, as long as it moves."""


def base_url() -> str:
    """Where `osis_document.urls` is mounted, as browsers see it; ends in a slash."""
    return _required("OSIS_DOCUMENT_BASE_URL").rstrip("/") + "/"


def api_shared_secret() -> str:
    """The API key, of the service and of the primary server."""
    return _required("OSIS_DOCUMENT_API_SHARED_SECRET")


def grpc_target() -> str:
    """The service's address as gRPC has it."""
    return _required("OSIS_DOCUMENT_GRPC_TARGET")


def grpc_tls_ca_file() -> Path | None:
    """PEM file with the certificates to trust."""
    return _path("OSIS_DOCUMENT_GRPC_TLS_CA")


def grpc_tls_cert_file() -> Path | None:
    """PEM file with the certificate that this app shows (mutual TLS)."""
    return _path("OSIS_DOCUMENT_GRPC_TLS_CERT")


def grpc_tls_key_file() -> Path | None:
    """PEM file with the private key of that certificate."""
    return _path("OSIS_DOCUMENT_GRPC_TLS_KEY")


def domain_list() -> list[str]:
    """The sites that may embed and call the gateway, with or without scheme."""
    return _texts("OSIS_DOCUMENT_DOMAIN_LIST")


def upload_limit() -> UploadLimit | None:
    """How many uploads one address may begin (`10/minute`); None: any number."""
    limit = _value("OSIS_DOCUMENT_UPLOAD_LIMIT")
    if not limit:
        return None
    count, _, period = str(limit).partition("/")
    try:
        parsed = UploadLimit(int(count), _PERIOD_SECONDS[period.strip().lower()[:1]])
    except (KeyError, ValueError):
        parsed = None
    if parsed is None or parsed.count < 0:
        raise ImproperlyConfigured(
            f"OSIS_DOCUMENT_UPLOAD_LIMIT is {limit!r}; write a count and a period, for example '10/minute' "
            "(second, minute, hour or day), or None for no limit"
        )
    return parsed


def trusted_addresses() -> list[str]:
    """Addresses and networks whose uploads are not counted."""
    return _texts("OSIS_DOCUMENT_TRUSTED_ADDRESSES")


def trusted_networks() -> list[Network]:
    """The same as networks. What is none is left out (a system check tells of it), so that nobody is trusted by it."""
    return [network for entry in trusted_addresses() if (network := as_network(entry)) is not None]


def require_trusted_addresses() -> None:
    """Raises ImproperlyConfigured if one of them is none."""
    for entry in trusted_addresses():
        if as_network(entry) is None:
            raise ImproperlyConfigured(
                f"OSIS_DOCUMENT_TRUSTED_ADDRESSES has {entry!r}, which is no address; write addresses and networks, "
                "for example '10.0.0.0/8'"
            )


def as_network(text: str) -> Network | None:
    """The network that a text stands for (an address is one of its own); None if it is none."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def allowed_extensions() -> list[str]:
    """The extensions that the service accepts, without dots."""
    return [extension.lower().lstrip(".") for extension in _texts("OSIS_DOCUMENT_ALLOWED_EXTENSIONS")]


def max_upload_size() -> int | None:
    """The largest file in bytes; None: any size."""
    return _number("OSIS_DOCUMENT_MAX_UPLOAD_SIZE") if is_set("OSIS_DOCUMENT_MAX_UPLOAD_SIZE") else None


def mimetype_validation_enabled() -> bool:
    """Whether the content must agree with the extension."""
    value = _value("ENABLE_MIMETYPE_VALIDATION")
    if not isinstance(value, bool):  # the text "False", from an environment, would count as yes
        raise ImproperlyConfigured(f"ENABLE_MIMETYPE_VALIDATION is {value!r}; it must be True or False")
    return value


def token_max_age() -> int:
    """How long a token is good for by default, in seconds."""
    return _number("OSIS_DOCUMENT_TOKEN_MAX_AGE")


def temp_upload_max_age() -> int:
    """How long an upload waits for its confirmation, in seconds."""
    return _number("OSIS_DOCUMENT_TEMP_UPLOAD_MAX_AGE")


def deleted_upload_max_age() -> int:
    """How long a deleted document can be brought back, in seconds."""
    return _number("OSIS_DOCUMENT_DELETED_UPLOAD_MAX_AGE")


def export_expiration_policy_age() -> int:
    """How long a generated export is kept, in seconds."""
    return _number("OSIS_DOCUMENT_EXPORT_EXPIRATION_POLICY_AGE")


def anonymous_max_upload_size() -> int:
    """The largest file, in bytes, that the gateway takes from somebody without the API key."""
    return min(_number("OSIS_DOCUMENT_ANONYMOUS_MAX_UPLOAD_SIZE"), max_upload_size() or 1 << 63)


def anonymous_max_pending_per_address() -> int:
    """How many bytes may wait for their confirmation that came from one address without the API key."""
    return _number("OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING_PER_ADDRESS")


def anonymous_max_pending() -> int:
    """How many bytes may wait for their confirmation that came without the API key in all."""
    return _number("OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING")


def timeouts() -> Timeouts:
    """How long to wait.

    Raises:
        ImproperlyConfigured: OSIS_DOCUMENT_TIMEOUTS is no dictionary, or has a key or a value that it cannot have.
    """
    given = _value("OSIS_DOCUMENT_TIMEOUTS")
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured("OSIS_DOCUMENT_TIMEOUTS must be a dictionary, for example {'call': 10}")
    known = [each.name for each in fields(Timeouts)]
    for name, seconds in given.items():
        if name not in known:
            raise ImproperlyConfigured(f"OSIS_DOCUMENT_TIMEOUTS has the key {name!r}; it may have {', '.join(known)}")
        if not _is_duration(seconds) and (name, seconds) not in {("transfer", None), ("check", None)}:
            raise ImproperlyConfigured(f"OSIS_DOCUMENT_TIMEOUTS[{name!r}] is {seconds!r}; it must be a number of seconds above 0")
    return Timeouts(**given)


def is_set(name: str) -> bool:
    """Whether the project sets this setting itself, to something."""
    return getattr(settings, name, None) not in (None, "")


def _is_duration(seconds: object) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0


def _value(name: str) -> Any:
    return getattr(settings, name, DEFAULTS[name])


def _texts(name: str) -> list[str]:
    value = _value(name) or []
    if isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a list of texts")
    return list(value)


def _number(name: str) -> int:
    value = _value(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a number above 0")
    return int(value)


def _required(name: str) -> str:
    value = getattr(settings, name, None)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; set it, for example to {REQUIRED[name]!r}")
    return str(value)


def _path(name: str) -> Path | None:
    value = _value(name)
    return Path(value) if value else None
