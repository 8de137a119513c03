"""Where the service is and how to be let in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ._errors import ConfigurationError

#: Written by an embedded server when it starts, readable for its owner alone.
CLIENT_FILE = Path("var/client.json")

_VARIABLES = {
    "target": "OSIS_DOCUMENT_TARGET",
    "api_key": "OSIS_DOCUMENT_API_KEY",
    "tls_ca_file": "OSIS_DOCUMENT_CLIENT_TLS_CA",
    "tls_cert_file": "OSIS_DOCUMENT_CLIENT_TLS_CERT",
    "tls_key_file": "OSIS_DOCUMENT_CLIENT_TLS_KEY",
}


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """What a `Client` has to know.

    Raises:
        ConfigurationError: a value cannot be used; the message says which and why.
    """

    target: str
    """The service's address as gRPC has it: `host:port`, `unix:/path`, `dns:///name:port`."""

    api_key: str = field(default="", repr=False)
    """Sent as `x-api-key`. Not needed for what a token alone allows."""

    tls_ca_file: Path | None = None
    """PEM file with the certificates to trust. Any TLS file turns TLS on; without this one, gRPC's own list is used."""

    tls_cert_file: Path | None = None
    """PEM file with the certificate that this client shows (mutual TLS)."""

    tls_key_file: Path | None = field(default=None, repr=False)
    """PEM file with the private key of that certificate."""

    timeout_seconds: float = 30.0
    """The deadline of a unary call that names none, with all its tries and the pauses between them. Calls that wait for a worker
    go on until the time that they are given."""

    def __post_init__(self) -> None:
        if not self.target:
            raise ConfigurationError("the service's address is empty; set OSIS_DOCUMENT_TARGET, for example to 127.0.0.1:50051")
        if not self.api_key.isascii() or not self.api_key.isprintable():
            raise ConfigurationError(
                "the API key has characters that cannot be sent; set OSIS_DOCUMENT_API_KEY to printable ASCII"
            )
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ConfigurationError(
                "a client certificate needs its private key and the other way round; "
                "set both OSIS_DOCUMENT_CLIENT_TLS_CERT and OSIS_DOCUMENT_CLIENT_TLS_KEY, or neither"
            )
        if self.timeout_seconds <= 0:
            raise ConfigurationError(f"timeout_seconds is {self.timeout_seconds:g}; it must be more than 0")

    @property
    def uses_tls(self) -> bool:
        """True when any TLS file is named."""
        return self.tls_ca_file is not None or self.tls_cert_file is not None

    @classmethod
    def from_environment(cls, **overrides: Any) -> ClientConfig:
        """Reads OSIS_DOCUMENT_TARGET, OSIS_DOCUMENT_API_KEY and OSIS_DOCUMENT_CLIENT_TLS_CA, _CERT and _KEY.

        What is not set is looked up in `./var/client.json`, which an embedded server writes. Its key is used for its own
        target only: a key must not go to another address than the one it belongs to. Its target is one of this machine that
        needs no TLS (a socket of the same user, if the server offers TLS to others), so the TLS variables are not for it.

        Args:
            **overrides: fields of this class; they win over the environment. None counts as not given.

        Raises:
            ConfigurationError: there is no address anywhere, or a value cannot be used.
        """
        unknown = overrides.keys() - {each.name for each in fields(cls)}
        if unknown:
            raise TypeError(f"ClientConfig has no field {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
        for name, variable in _VARIABLES.items():
            if name not in values and (text := os.environ.get(variable, "").strip()):
                values[name] = Path(text) if name.endswith("_file") else text
        if "target" not in values or "api_key" not in values:
            written = _read_client_file(CLIENT_FILE)
            if "target" not in values and not written:
                raise ConfigurationError(
                    f"no service is configured and there is no {CLIENT_FILE} here; set OSIS_DOCUMENT_TARGET and "
                    "OSIS_DOCUMENT_API_KEY, or start a service in this folder with `osis-document-server serve`"
                )
            if "target" not in values:  # it is reached without TLS, also when it offers TLS to others
                values = {name: value for name, value in values.items() if not name.startswith("tls_") or name in overrides}
            if values.setdefault("target", written.get("target", "")) == written.get("target"):
                values.setdefault("api_key", written.get("api_key", ""))
        return cls(**values)


def _read_client_file(path: Path) -> dict[str, str]:
    """Reads what an embedded server wrote; empty if there is no such file."""
    try:
        with path.open("rb") as file:
            owner = os.fstat(file.fileno()).st_uid
            content = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError as exc:
        raise ConfigurationError(
            f"{path.absolute()} belongs to another user; run as the user that the service runs as, or set "
            "OSIS_DOCUMENT_TARGET and OSIS_DOCUMENT_API_KEY"
        ) from exc
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{path.absolute()} cannot be read ({exc}); remove it and start the service again") from exc
    # Whoever else wrote it could have documents sent to an address of their choosing.
    if os.geteuid() not in {0, owner} and owner != 0:
        raise ConfigurationError(f"{path.absolute()} belongs to another user and is not trusted; set OSIS_DOCUMENT_TARGET")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in ("target", "api_key")):
        raise ConfigurationError(f'{path.absolute()} is not of the form {{"target": …, "api_key": …}}; start the service again')
    return content
