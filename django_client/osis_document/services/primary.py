"""What only the primary server can do, asked for over HTTP: confirming for a model that is not installed here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import requests
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from .. import conf
from ..enums import DocumentError, DocumentExpirationPolicy
from ..exceptions import (
    FileInfectedException,
    FormatInvalidException,
    OsisDocumentException,
    ServiceFault,
    ServiceMisconfigured,
    ServiceTimeout,
    ServiceUnavailable,
    UploadInvalidException,
)
from . import arguments

_SUCCESSES = {200, 201}
_REFUSALS: dict[int, type[OsisDocumentException]] = {
    301: ServiceMisconfigured,
    302: ServiceMisconfigured,
    307: ServiceMisconfigured,
    308: ServiceMisconfigured,
    400: UploadInvalidException,
    401: ServiceMisconfigured,
    403: ServiceMisconfigured,
    404: ServiceMisconfigured,
    502: ServiceUnavailable,
    503: ServiceUnavailable,
    504: ServiceTimeout,
}


def confirm(
    token: str,
    *,
    related_model: Mapping[str, Any],
    policy: DocumentExpirationPolicy | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> str:
    """Has the primary server confirm an upload below the `upload_to` of a model field of its own.

    Returns:
        The document's UUID.

    Raises:
        UploadInvalidException, FileInfectedException: it refused the token.
        FormatInvalidException: the related model cannot be sent.
        ServiceUnavailable, ServiceTimeout: it does not answer.
        ServiceMisconfigured: it does not accept the key.
    """
    body = {
        "related_model": dict(related_model),
        "document_expiration_policy": policy.value if policy is not None else None,
        "metadata": dict(metadata or {}),
    }
    answer = _post(f"confirm-upload/{quote(token)}", body)
    try:
        return arguments.document_id(answer["uuid"])
    except (KeyError, TypeError, FormatInvalidException) as exc:
        raise ServiceFault from exc


def confirm_all(
    tokens: Iterable[str],
    *,
    related_model: Mapping[str, Any],
    policy: DocumentExpirationPolicy | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> list[str]:
    """Has the primary server confirm uploads, one after the other, as `confirm`.

    Raises:
        OsisDocumentException: it did not confirm one of them; `confirmed` has those before it, which are kept.
    """
    confirmed: dict[str, str] = {}
    wanted = list(tokens)
    for token in wanted:
        try:
            confirmed[token] = confirm(token, related_model=related_model, policy=policy, metadata=metadata)
        except OsisDocumentException as exc:
            exc.confirmed = confirmed
            raise
    return [confirmed[token] for token in wanted]


def _post(path: str, body: Mapping[str, Any]) -> Any:
    try:
        content = json.dumps(body, cls=DjangoJSONEncoder)
    except (TypeError, ValueError) as exc:
        raise FormatInvalidException(_("The related model or the metadata have values that cannot be sent.")) from exc
    response = _sent(path, content.encode())
    if response.status_code not in _SUCCESSES:
        raise _refusal(response)
    try:
        return response.json()
    except requests.JSONDecodeError as exc:
        raise ServiceFault from exc


def _sent(path: str, content: bytes) -> requests.Response:
    failure: OsisDocumentException
    try:
        return requests.post(
            conf.base_url() + path,
            data=content,
            headers={"Content-Type": "application/json", "X-Api-Key": conf.api_shared_secret()},
            timeout=conf.timeouts().http,
            allow_redirects=False,  # the key is for this address alone
        )
    except requests.Timeout:
        failure = ServiceTimeout()
    except requests.RequestException:
        failure = ServiceUnavailable()
    raise failure  # not from the error, and outside of its block: its text has the address, and with it the token


def _refusal(response: requests.Response) -> OsisDocumentException:
    """The exception for an answer that is no success, with what the primary server says to people."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    said = body if isinstance(body, dict) else {}
    if said.get("detail") == DocumentError.INFECTED.value:
        return FileInfectedException()
    message = said.get("error")
    return _REFUSALS.get(response.status_code, ServiceFault)(message if isinstance(message, str) else None)
