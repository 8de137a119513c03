"""The one client that a process has for the service."""

from __future__ import annotations

import os

from osis_document_client import Client, ClientConfig

from . import conf

#: By process id, each with the configuration that it was made for. One that was inherited by a fork is neither used nor closed:
#: it belongs to the parent. Nothing is in here before the first call, so that servers may load the app before they fork.
_clients: dict[int, Client] = {}


def client() -> Client:
    """The client of this process, for the settings as they are now.

    It is shared by all threads. Nothing is connected before the first call, and every call has a deadline
    that all its tries share (`OSIS_DOCUMENT_TIMEOUTS["call"]`).

    Raises:
        ImproperlyConfigured: a setting is missing or cannot be.
        osis_document_client.ConfigurationError: the settings do not fit together.
    """
    config = configuration()
    found = _clients.get(os.getpid())
    if found is not None and found.config != config:  # the settings were changed, as tests do
        close()
    # No lock: a fork could copy one that is held. Of two threads that come here at once, one makes a client in vain; it has no
    # connection yet.
    return _clients.get(os.getpid()) or _clients.setdefault(os.getpid(), Client(config))


def close() -> None:
    """Closes the client of this process; the next call makes another one."""
    found = _clients.pop(os.getpid(), None)
    if found is not None:
        found.close()


def configuration(*, timeout_seconds: float | None = None) -> ClientConfig:
    """What the settings say about the service.

    Args:
        timeout_seconds: the deadline of calls, all their tries together; by default as the settings have it.
    """
    return ClientConfig(
        target=conf.grpc_target(),
        api_key=conf.api_shared_secret(),
        tls_ca_file=conf.grpc_tls_ca_file(),
        tls_cert_file=conf.grpc_tls_cert_file(),
        tls_key_file=conf.grpc_tls_key_file(),
        timeout_seconds=timeout_seconds or conf.timeouts().call,
    )
