"""The worker's settings: environment variables with the prefix ``OSIS_DOCUMENT_``.

Where the service is and the key for it are read by the client library (``OSIS_DOCUMENT_TARGET``, ``OSIS_DOCUMENT_API_KEY``).
"""

import os
import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "OSIS_DOCUMENT_"
_LAST_PORT = 65535


class SettingsError(ValueError):
    """A setting cannot be used. The message names the variable, the value and the fix, a line for each."""


class Settings(BaseSettings):
    """Everything that can be set."""

    # An empty variable, as compose files leave them, counts as not set.
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    #: The queue: ``redis://host:port/db``.
    broker_url: str
    #: Tasks that run side by side.
    worker_slots: Annotated[int, Field(gt=0)] = os.cpu_count() or 1
    #: Tasks that somebody waits for in front of a screen; they run beside the others.
    worker_interactive_slots: Annotated[int, Field(gt=0)] = 1
    #: Folder for documents while they are worked on, and for the worker's sign of life. Default: the system's.
    worker_scratch: Path | None = None
    #: Whether engines may run as root where this host permits nothing else.
    allow_root_engines: bool = False
    #: ``host:port`` to answer Prometheus at; empty: nobody is answered.
    worker_metrics: str = ""
    #: ``console`` or ``json``.
    log_format: Annotated[str, Field(pattern="^(console|json)$")] = "console"

    @field_validator("broker_url")
    @classmethod
    def _require_redis(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("workers meet the server at a Redis; write redis://host:6379/0, the same as the server's")
        try:
            _ = urlsplit(value).port
        except ValueError:
            raise ValueError("the port is no number up to 65535; in a password, write / as %2F, : as %3A and @ as %40") from None
        return value

    @field_validator("worker_scratch")
    @classmethod
    def _require_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_dir() and os.access(value, os.W_OK)):
            raise ValueError("there is no such folder, or it cannot be written to; make it, or leave this unset")
        return value

    @field_validator("worker_metrics")
    @classmethod
    def _require_address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
            raise ValueError(f"write host:port, with a port from 0 to {_LAST_PORT}, for example 127.0.0.1:9464")
        return value

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port to answer Prometheus at, if it is to be answered."""
        host, _, port = self.worker_metrics.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None

    @classmethod
    def load(cls) -> Self:
        """Reads the environment.

        Raises:
            SettingsError: a variable is missing or cannot be used.
        """
        try:
            return cls()  # type: ignore[call-arg]  # from the environment
        except ValidationError as exc:
            lines = []
            for error in exc.errors():
                name = f"{PREFIX}{str(error['loc'][0]).upper()}"
                if error["type"] == "missing":
                    lines.append(f"{name} is not set; it names the queue, for example redis://127.0.0.1:6379/0")
                else:
                    lines.append(f"{name}={_without_password(error['input'])}: {error['msg'].removeprefix('Value error, ')}")
            raise SettingsError("\n".join(lines)) from None


def _without_password(value: object) -> str:
    return re.sub(r"(://[^/:@]*:).*@", r"\1…@", str(value))
