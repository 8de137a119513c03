"""The server's settings: environment variables with the prefix ``OSIS_DOCUMENT_``.

With nothing set, everything is kept under ``./var`` and runs in one process: the embedded default.
"""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

import limits
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from osis_document_server.domain.access import ApiKey, Caller, Role
from osis_document_server.domain.tokens import MINIMUM_KEY_BYTES
from osis_document_server.storage.location import S3Location, parse_storage_url

PREFIX = "OSIS_DOCUMENT_"
_GIB = 1024**3
_LAST_PORT = 65535
_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
#: Characters of a client's name that every database keeps.
_CLIENT_NAME_LIMIT = 64


#: Longest time in seconds: 100 years. What is so long before or after now can still be written as a date.
_LONGEST = 36_525 * 24 * 3600
#: A time in whole seconds.
_Age = Annotated[int, Field(gt=0, le=_LONGEST)]
#: A time in seconds, and one that may be none.
_Seconds = Annotated[float, Field(gt=0, le=_LONGEST)]
_AnySeconds = Annotated[float, Field(ge=0, le=_LONGEST)]


class SettingsError(ValueError):
    """A setting cannot be used. The message names the variable, the value and the fix, a line for each."""


class Settings(BaseSettings):
    """Everything that can be set. Times are in seconds, sizes in bytes."""

    # An empty variable, as compose files leave them, counts as not set.
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    #: Folder of the embedded default: database, blobs, generated keys.
    data_dir: Path = Path("var")
    #: ``sqlite:///path`` or ``postgresql://user:password@host:port/name``. Default: ``osis-document.db`` in the data folder.
    database_url: str = ""
    #: ``file://path``, or ``s3://bucket/prefix?endpoint_url=…&region=…``. Default: ``blobs`` in the data folder.
    storage_url: str = ""
    #: ``memory://`` runs a worker inside the server; ``redis://…`` leaves the work to worker hosts.
    broker_url: str = "memory://"
    #: ``host:port``, or ``unix:path``.
    listen: str = "127.0.0.1:50051"
    #: Processes that serve on the one address.
    processes: Annotated[int, Field(ge=1)] = 1
    #: PEM file: the server's certificate, then those between it and its authority.
    tls_certificate: Path | None = None
    #: PEM file: the certificate's private key.
    tls_key: Path | None = None
    #: PEM file: authorities, one of which must have signed the certificate that each client shows. Not set: clients need none.
    tls_client_ca: Path | None = None
    #: Must be true to listen beyond this host without TLS.
    allow_plaintext: bool = False

    #: ``name:secret[:role]``, comma-separated; a bare secret is the client ``default``. Not set: generated, kept in ``data_dir``.
    api_shared_secret: SecretStr = SecretStr("")
    #: ``kid:key``, comma-separated; the first signs. Default: generated, kept in the data folder.
    token_signing_keys: SecretStr = SecretStr("")

    token_max_age: _Age = 900
    token_max_ttl: _Age = 7 * 24 * 3600
    temp_upload_max_age: _Age = 900
    export_expiration_policy_age: _Age = 15 * 24 * 3600
    #: How long deleted documents can be brought back.
    deleted_upload_max_age: _Age = 15 * 24 * 3600
    job_max_age: _Age = 24 * 3600
    #: How long a worker may be silent before its task is given to another.
    lease_seconds: _Seconds = 30
    #: How long a task's message may lie in the queue before another one is sent.
    resend_seconds: _Seconds = 120

    #: Largest upload; not set: any size.
    max_upload_size: Annotated[int, Field(gt=0)] | None = None
    #: Uploads that each client may begin, as ``1000/hour``; not set: any number.
    client_upload_limit: str | None = None
    #: Extensions that uploads may have, comma- or space-separated.
    allowed_extensions: Annotated[tuple[str, ...], NoDecode] = ("pdf", "txt", "docx", "doc", "odt", "png", "jpg")
    #: Whether a file's content must agree with its extension.
    enable_mimetype_validation: bool = True
    #: Types that the workers have converters for beside the usual ones, comma- or space-separated.
    convertible_types: Annotated[tuple[str, ...], NoDecode] = ()
    #: A libmagic database that is asked before the one that comes with the service.
    magic_file: Path | None = None
    #: Free disk space that uploads leave untouched.
    disk_floor: Annotated[int, Field(ge=0)] = _GIB

    #: Uploads, downloads and waiting calls that are served at once, by each process: a thread is kept for each.
    max_streams: Annotated[int, Field(gt=0)] = 1088
    #: Those of them that wait for workers.
    max_waiters: Annotated[int, Field(gt=0)] = 256
    #: Other calls that are served at once.
    max_calls: Annotated[int, Field(gt=0)] = 160
    #: How long a stream's client may be quiet.
    stream_idle_seconds: _Seconds = 60
    #: How long calls under way may take to end when the server stops.
    stop_grace_seconds: _AnySeconds = 30
    #: Seconds between two rounds of the sweeper.
    sweep_seconds: _Seconds = 10
    #: How long bytes stay that nothing refers to any more.
    blob_grace_seconds: _AnySeconds = 60
    #: How long stored bytes stay unread at most, until they are checked again; 0: nobody checks them.
    scrub_seconds: _AnySeconds = 30 * 24 * 3600
    #: How fast they are read for that.
    scrub_bytes_per_second: Annotated[int, Field(gt=0)] = 10 * 1024 * 1024
    #: Slots of the worker inside; 0: one per core.
    embedded_slots: Annotated[int, Field(ge=0)] = 0
    #: Slots of the worker inside for what somebody waits for in front of a screen, beside those.
    embedded_interactive_slots: Annotated[int, Field(gt=0)] = 1
    #: Whether engines of the worker inside may run as root where this host permits nothing else.
    allow_root_engines: bool = False
    #: ``console`` or ``json``.
    log_format: Annotated[str, Field(pattern="^(console|json)$")] = "console"

    @field_validator("allowed_extensions", mode="before")
    @classmethod
    def _split_extensions(cls, value: object) -> object:
        if isinstance(value, str):
            words = (word.strip(" .").lower() for word in value.replace(",", " ").split())
            return tuple(dict.fromkeys("jpg" if word == "jpeg" else word for word in words))
        return value

    @field_validator("allowed_extensions")
    @classmethod
    def _require_extensions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one extension, or no upload can be accepted")
        return value

    @field_validator("convertible_types", mode="before")
    @classmethod
    def _split_types(cls, value: object) -> object:
        return tuple(value.replace(",", " ").lower().split()) if isinstance(value, str) else value

    @field_validator("convertible_types")
    @classmethod
    def _require_types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not _MIME_TYPE.fullmatch(each):
                raise ValueError(f"{each!r} is no MIME type; write them as `osis-document-server detect FILE` does: text/csv")
        return value

    @field_validator("listen")
    @classmethod
    def _require_address(cls, value: str) -> str:
        if not value.startswith("unix:"):
            host, _, port = value.rpartition(":")
            if not host or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
                raise ValueError(f"write host:port, with a port from 0 to {_LAST_PORT}, or unix:path")
        return value

    @field_validator("client_upload_limit")
    @classmethod
    def _require_limit(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parsed = limits.parse_many(value)
            except ValueError:
                parsed = []
            if len(parsed) != 1 or parsed[0].amount < 1:
                raise ValueError("write one number of uploads and a time, for example 1000/hour or 50 per 10 minutes")
        return value

    @field_validator("magic_file")
    @classmethod
    def _require_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file; docs/how-to/refused-files.md tells how to write one, or leave this unset")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.token_max_age > self.token_max_ttl:
            raise ValueError(
                f"{PREFIX}TOKEN_MAX_AGE={self.token_max_age} is above {PREFIX}TOKEN_MAX_TTL={self.token_max_ttl}; "
                "lower the one or raise the other"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError(f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY belong together; set both, or neither")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError(
                f"{PREFIX}TLS_CLIENT_CA={self.tls_client_ca} asks clients for certificates, which takes TLS: set "
                f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY too"
            )
        if not self.allow_plaintext and self.tls_certificate is None and not _is_local(self.listen):
            raise ValueError(
                f"{PREFIX}LISTEN={self.listen} can be reached from other hosts, and keys and documents would travel in plain "
                f"text; set {PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY, listen on 127.0.0.1 or unix:…, or set "
                f"{PREFIX}ALLOW_PLAINTEXT=true if the network protects them"
            )
        if self.processes > 1 and self.is_embedded:
            raise ValueError(
                f"{PREFIX}PROCESSES={self.processes} and {PREFIX}BROKER_URL={self.broker_url} do not go together: the embedded "
                f"worker and its queue live in one process; set {PREFIX}BROKER_URL=redis://… and start osis-document-worker"
            )
        if self.processes > 1 and self.listen.startswith("unix:"):
            raise ValueError(
                f"{PREFIX}PROCESSES={self.processes} and {PREFIX}LISTEN={self.listen} do not go together: processes cannot share "
                "a socket file; listen on host:port"
            )
        return self

    @classmethod
    def load(cls) -> Self:
        """Reads the environment.

        Raises:
            SettingsError: a variable cannot be used.
        """
        try:
            return cls()
        except ValidationError as exc:
            lines = []
            for error in exc.errors():
                name = f"{PREFIX}{str(error['loc'][0]).upper()}={error['input']!s}: " if error["loc"] else ""
                lines.append(name + error["msg"].removeprefix("Value error, "))
            raise SettingsError("\n".join(lines)) from None

    @property
    def is_embedded(self) -> bool:
        """True when the worker runs inside the server."""
        return self.broker_url == "memory://"

    @property
    def root_engines_allowed(self) -> bool:
        """Whether engines may run as root: because it is said, or because nobody but this host's programs sends documents."""
        return self.allow_root_engines or _is_local(self.listen)

    @property
    def database(self) -> str:
        """URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'osis-document.db'}"

    @property
    def storage(self) -> Path | S3Location:
        """Where the blobs are: a folder, or a place in a bucket.

        Raises:
            SettingsError: ``STORAGE_URL`` names neither.
        """
        if not self.storage_url:
            return self.data_dir / "blobs"
        try:
            return parse_storage_url(self.storage_url)
        except ValueError as exc:
            shown = "" if "@" in self.storage_url else f"={self.storage_url}"
            raise SettingsError(f"{PREFIX}STORAGE_URL{shown}: {exc}") from exc

    def seconds(self, name: str) -> timedelta:
        """Returns one of the settings that are seconds."""
        return timedelta(seconds=getattr(self, name))


def parse_api_keys(text: str) -> list[ApiKey]:
    """Reads ``name:secret[:role],…``; a bare secret is the client ``default``.

    Raises:
        SettingsError: a part cannot be read. The message shows no secret.
    """
    keys: list[ApiKey] = []
    for number, part in enumerate((part.strip() for part in text.split(",")), start=1):
        fields = part.split(":")
        name, secret, role = {1: ("default", fields[0], "client"), 2: (*fields, "client"), 3: fields}.get(
            len(fields), ("", "", "")
        )
        if not name or not secret:
            raise SettingsError(f"{PREFIX}API_SHARED_SECRET: part {number} is not name:secret or name:secret:role")
        if len(name) > _CLIENT_NAME_LIMIT:
            raise SettingsError(f"{PREFIX}API_SHARED_SECRET: the name {name!r} is longer than {_CLIENT_NAME_LIMIT} characters")
        if role not in set(Role):
            raise SettingsError(f"{PREFIX}API_SHARED_SECRET: the role {role!r} of {name!r} is none of {', '.join(Role)}")
        if any(key.secret == secret for key in keys):
            raise SettingsError(f"{PREFIX}API_SHARED_SECRET: the secret of {name!r} is another client's too; each needs its own")
        keys.append(ApiKey(secret=secret, caller=Caller(name=name, role=Role(role))))
    return keys


def parse_signing_keys(text: str) -> dict[str, bytes]:
    """Reads ``kid:key,…``.

    Raises:
        SettingsError: a part cannot be read, a key is shorter than 32 bytes, or two have one name.
    """
    keys: dict[str, bytes] = {}
    for number, part in enumerate((part.strip() for part in text.split(",")), start=1):
        key_id, separator, key = part.partition(":")
        if not separator or not key_id:
            raise SettingsError(f"{PREFIX}TOKEN_SIGNING_KEYS: part {number} is not kid:key")
        if len(key.encode()) < MINIMUM_KEY_BYTES:
            raise SettingsError(f"{PREFIX}TOKEN_SIGNING_KEYS: the key {key_id!r} is shorter than {MINIMUM_KEY_BYTES} bytes")
        if key_id in keys:
            raise SettingsError(f"{PREFIX}TOKEN_SIGNING_KEYS: two keys are called {key_id!r}; give each a name of its own")
        keys[key_id] = key.encode()
    return keys


def _is_local(address: str) -> bool:
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
