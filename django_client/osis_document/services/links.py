"""The addresses, below OSIS_DOCUMENT_BASE_URL, that answers carry."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from django.core.signing import BadSignature, TimestampSigner

from .. import conf

_SALT = "osis_document.progress"

#: A day: no job takes longer, and a link that lies around in a log is of no use for ever.
_LONGEST_SECONDS = 24 * 60 * 60


def file(token: str, *, download: bool = False) -> str:
    """Where a file is read, with a token of it; `download` has browsers save it under its name."""
    return f"{conf.base_url()}file/{quote(token)}" + ("?dl=1" if download else "")


def progress(job_id: str, *, document_id: str = "") -> str:
    """Where the progress of a job is told to whoever has this address; it is signed for that job, for a day.

    Args:
        job_id: the job.
        document_id: the document whose result is followed; the signature is for it, too.
    """
    query = {"signature": _signature(job_id, document_id)} | ({"document": document_id} if document_id else {})
    return f"{conf.base_url()}get-progress-async-post-processing/{job_id}?{urlencode(query)}"


def is_genuine(job_id: str, signature: str, *, document_id: str = "") -> bool:
    """Whether this signature was made for this job and this document, not too long ago."""
    try:
        _signer().unsign(f"{_what(job_id, document_id)}:{signature}", max_age=_LONGEST_SECONDS)
    except BadSignature:
        return False
    return True


def _signature(job_id: str, document_id: str) -> str:
    what = _what(job_id, document_id)
    return _signer().sign(what).removeprefix(f"{what}:")


def _what(job_id: str, document_id: str) -> str:
    return f"{job_id}/{document_id}"


def _signer() -> TimestampSigner:
    """Signs with the API secret: unlike SECRET_KEY, every server that uses the service through one gateway has the same."""
    return TimestampSigner(key=conf.api_shared_secret(), salt=_SALT)
