"""What `manage.py check` says about the app's settings.

    osis_document.E001   OSIS_DOCUMENT_BASE_URL is missing or no address
    osis_document.E002   OSIS_DOCUMENT_API_SHARED_SECRET is missing
    osis_document.E003   OSIS_DOCUMENT_GRPC_TARGET is missing
    osis_document.E004   a setting has a value that it cannot have
    osis_document.W001   the service does not answer
    osis_document.W002   the service does not accept the key
    osis_document.W003   OSIS_DOCUMENT_ALLOWED_EXTENSIONS is not what the service has
    osis_document.W004   OSIS_DOCUMENT_MAX_UPLOAD_SIZE is not what the service has
    osis_document.W005   OSIS_DOCUMENT_TOKEN_MAX_AGE is not what the service has
    osis_document.W006   OSIS_DOCUMENT_BASE_URL is not where this project has osis_document.urls

The service is asked each time, for `OSIS_DOCUMENT_TIMEOUTS["check"]` seconds at most; None: it is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse

from osis_document_client import AuthenticationError, Backoff, Client, ClientConfig, ConfigurationError, OsisDocumentError

from . import channel, conf
from .services import limits

TAG = "osis_document"

_IDS = {
    "OSIS_DOCUMENT_BASE_URL": "osis_document.E001",
    "OSIS_DOCUMENT_API_SHARED_SECRET": "osis_document.E002",
    "OSIS_DOCUMENT_GRPC_TARGET": "osis_document.E003",
}
_MEANINGS = {
    "OSIS_DOCUMENT_BASE_URL": "the address, as browsers see it, under which osis_document.urls is mounted",
    "OSIS_DOCUMENT_API_SHARED_SECRET": "this project's key: one of those in the service's own OSIS_DOCUMENT_API_SHARED_SECRET",
    "OSIS_DOCUMENT_GRPC_TARGET": "the address of the document service",
}
_SETTINGS_OF_VARIABLES = {
    "OSIS_DOCUMENT_TARGET": "OSIS_DOCUMENT_GRPC_TARGET",
    "OSIS_DOCUMENT_API_KEY": "OSIS_DOCUMENT_API_SHARED_SECRET",
    "OSIS_DOCUMENT_CLIENT_TLS_": "OSIS_DOCUMENT_GRPC_TLS_",
}


@register(TAG)
def check_settings(**_kwargs: Any) -> list[CheckMessage]:
    """Finds settings that are missing or cannot be."""
    missing = [_missing(name) for name in conf.REQUIRED if not conf.is_set(name)]
    return [*missing, *_invalid_address(), *_invalid_values()]


@register(TAG)
def check_address(**_kwargs: Any) -> list[CheckMessage]:
    """Finds a gateway that is mounted elsewhere than links lead. Proxies may add to its path, in front."""
    if any(_invalid_address()) or not conf.is_set("OSIS_DOCUMENT_BASE_URL") or not conf.is_set("ROOT_URLCONF"):
        return []
    try:
        mounted = reverse("osis_document:request-upload").removesuffix("request-upload")
    except NoReverseMatch:
        return []  # a secondary server, whose links lead to the primary one
    if urlsplit(conf.base_url()).path.endswith(mounted):
        return []
    return [
        CheckWarning(
            f"OSIS_DOCUMENT_BASE_URL is {conf.base_url()!r}, and this project has osis_document.urls at {mounted!r}.",
            hint=f"Links to documents lead to OSIS_DOCUMENT_BASE_URL: let its path end in {mounted!r}, or mount the URLs there.",
            id="osis_document.W006",
        )
    ]


@register(TAG)
def check_service(**_kwargs: Any) -> list[CheckMessage]:
    """Asks the service, once the settings can be, whether it lets this project in and has the same ones."""
    if any(check_settings()):
        return []
    seconds = conf.timeouts().check
    return list(_differences(channel.configuration(timeout_seconds=seconds))) if seconds is not None else []


def _missing(name: str) -> CheckMessage:
    return Error(f"{name} is not set.", hint=f"Set {_MEANINGS[name]}, for example {conf.REQUIRED[name]!r}.", id=_IDS[name])


def _invalid_address() -> Iterator[CheckMessage]:
    if not conf.is_set("OSIS_DOCUMENT_BASE_URL"):
        return
    parts = urlsplit(conf.base_url())
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        example = conf.REQUIRED["OSIS_DOCUMENT_BASE_URL"]
        yield Error(
            f"OSIS_DOCUMENT_BASE_URL is {conf.base_url()!r}, which is no address.",
            hint=f"It begins with http:// or https:// and names the server, for example {example!r}.",
            id="osis_document.E001",
        )


def _invalid_values() -> Iterator[CheckMessage]:
    """Reads each setting once, and makes of a value that cannot be read an error that names it."""
    readers: dict[str, Callable[[], object]] = {
        "OSIS_DOCUMENT_TIMEOUTS": conf.timeouts,
        "OSIS_DOCUMENT_DOMAIN_LIST": conf.domain_list,
        "OSIS_DOCUMENT_UPLOAD_LIMIT": conf.upload_limit,
        "OSIS_DOCUMENT_TRUSTED_ADDRESSES": conf.require_trusted_addresses,
        "ENABLE_MIMETYPE_VALIDATION": conf.mimetype_validation_enabled,
        "OSIS_DOCUMENT_ALLOWED_EXTENSIONS": conf.allowed_extensions,
        "OSIS_DOCUMENT_MAX_UPLOAD_SIZE": conf.max_upload_size,
        "OSIS_DOCUMENT_TOKEN_MAX_AGE": conf.token_max_age,
        "OSIS_DOCUMENT_TEMP_UPLOAD_MAX_AGE": conf.temp_upload_max_age,
        "OSIS_DOCUMENT_DELETED_UPLOAD_MAX_AGE": conf.deleted_upload_max_age,
        "OSIS_DOCUMENT_EXPORT_EXPIRATION_POLICY_AGE": conf.export_expiration_policy_age,
        "OSIS_DOCUMENT_ANONYMOUS_MAX_UPLOAD_SIZE": conf.anonymous_max_upload_size,
        "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING_PER_ADDRESS": conf.anonymous_max_pending_per_address,
        "OSIS_DOCUMENT_ANONYMOUS_MAX_PENDING": conf.anonymous_max_pending,
    }
    told = set()
    for name, read in readers.items():
        try:
            read()
        except ImproperlyConfigured as exc:
            if str(exc) in told:
                continue  # this one depends on one before
            told.add(str(exc))
            yield Error(f"{exc}.", hint=f"Correct {name}, or leave it out.", id="osis_document.E004")
    if all(conf.is_set(name) for name in conf.REQUIRED):
        yield from _invalid_connection()


def _invalid_connection() -> Iterator[CheckMessage]:
    """What the client itself refuses: half a certificate, a key that cannot be sent."""
    try:
        channel.configuration()
    except ImproperlyConfigured:
        return  # told before
    except ConfigurationError as exc:
        hint = "Correct OSIS_DOCUMENT_API_SHARED_SECRET, or OSIS_DOCUMENT_GRPC_TLS_CA, _CERT and _KEY."
        yield Error(f"The service cannot be called: {_told(exc)}", hint=hint, id="osis_document.E004")


def _differences(config: ClientConfig) -> Iterator[CheckMessage]:
    # A client of its own, closed at once: servers may check before they fork, and gRPC must not be at work then.
    with Client(config, backoff=Backoff(attempts=1)) as client:
        try:
            service = limits.of(client)
        except AuthenticationError as exc:
            hint = "Set OSIS_DOCUMENT_API_SHARED_SECRET to the bare secret of a client of the service, without its name and role."
            yield CheckWarning(f"The document service does not accept the key: {_told(exc)}", hint=hint, id="osis_document.W002")
        except OsisDocumentError as exc:
            hint = "Start it, or correct OSIS_DOCUMENT_GRPC_TARGET and OSIS_DOCUMENT_GRPC_TLS_CA, _CERT and _KEY."
            yield CheckWarning(f"The document service does not answer: {_told(exc)}", hint=hint, id="osis_document.W001")
        else:
            yield from _compare(service)


def _told(error: OsisDocumentError) -> str:
    """What the client says, with the names of a project's settings for those of the client's own variables."""
    text = str(error)
    for own, of_project in _SETTINGS_OF_VARIABLES.items():
        text = text.replace(own, of_project)
    return text


def _compare(service: limits.Limits) -> Iterator[CheckMessage]:
    """Tells where a setting that the project has itself is not what the service has."""
    own = sorted({"jpg" if each == "jpeg" else each for each in conf.allowed_extensions()})
    told = service.allowed_extensions
    if conf.is_set("OSIS_DOCUMENT_ALLOWED_EXTENSIONS") and told is not None and own != sorted(told):
        yield _difference("OSIS_DOCUMENT_ALLOWED_EXTENSIONS", " ".join(own), " ".join(told), "W003")
    if conf.is_set("OSIS_DOCUMENT_MAX_UPLOAD_SIZE") and conf.max_upload_size() != service.max_upload_size:
        yield _difference("OSIS_DOCUMENT_MAX_UPLOAD_SIZE", conf.max_upload_size(), service.max_upload_size, "W004")
    told_age = service.token_max_age
    if conf.is_set("OSIS_DOCUMENT_TOKEN_MAX_AGE") and told_age is not None and conf.token_max_age() != told_age:
        yield _difference("OSIS_DOCUMENT_TOKEN_MAX_AGE", conf.token_max_age(), told_age, "W005")


def _difference(name: str, own: object, services: object, number: str) -> CheckMessage:
    return CheckWarning(
        f"{name} is {own} here and {services} in the document service, whose word counts.",
        hint=f"Give {name} the same value in both places.",
        id=f"osis_document.{number}",
    )
