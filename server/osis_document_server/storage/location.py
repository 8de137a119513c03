"""Where the bytes are, as a URL says it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
#: The characters of a prefix that are safe with every provider ("Naming Amazon S3 objects"), less those that would need encoding.
_PREFIX = re.compile(r"[\w.=+-]+(/[\w.=+-]+)*", re.ASCII)
_ENDPOINT = re.compile(r"https?://[^/?#@\s]+/?")
_OPTIONS = ("endpoint_url", "region")
_HOW_TO_WRITE = "write file://path, or s3://bucket/prefix?endpoint_url=https://host:port&region=name"


@dataclass(frozen=True, kw_only=True)
class S3Location:
    """A place in a bucket. Credentials are none of its business: boto3 finds them in its own ways."""

    bucket: str
    #: What all names of objects begin with, without a slash at its end; empty: the bucket's top.
    prefix: str = ""
    #: None: Amazon's.
    endpoint_url: str | None = None
    #: None: as boto3 is configured.
    region: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" + (f" at {self.endpoint_url}" if self.endpoint_url else "")


def parse_storage_url(url: str) -> Path | S3Location:
    """Reads ``file://path`` or ``s3://bucket/prefix?endpoint_url=…&region=…``.

    Raises:
        ValueError: it is neither. The message shows nothing that could be a secret.
    """
    if url.startswith("file://") and url != "file://":
        return Path(url.removeprefix("file://"))
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise ValueError(f"{parts.scheme or 'this'} is nothing to store in; {_HOW_TO_WRITE}")
    if "@" in parts.netloc:
        raise ValueError(
            "credentials do not belong into the URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use any other way in "
            "which boto3 finds them"
        )
    prefix = parts.path.strip("/")
    if not _BUCKET.fullmatch(parts.netloc) or parts.fragment:
        raise ValueError(f"the bucket cannot be read; {_HOW_TO_WRITE}")
    if prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        raise ValueError("a prefix is words of letters, digits and . _ = + - with slashes between them")
    return S3Location(bucket=parts.netloc, prefix=prefix, **_options(parts.query))


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ValueError(f"{name!r} is no option of S3; there are {' and '.join(_OPTIONS)}")
        if not value or name in options:
            raise ValueError(f"{name} needs one value")
        options[name] = value
    endpoint = options.get("endpoint_url")
    if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
        raise ValueError("endpoint_url is http:// or https://, a host and a port, without credentials or a path")
    return options
