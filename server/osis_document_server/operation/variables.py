"""Which variables there are, so that a misspelt one does not go unnoticed."""

from collections.abc import Iterable
from difflib import get_close_matches

from osis_document_server.settings import PREFIX, Settings

#: What the other programs read, which may share the server's environment: client and workers, and the Django app whose project
#: may take its settings from there.
OF_OTHERS = frozenset(
    {
        "TARGET",
        "API_KEY",
        "CLIENT_TLS_CA",
        "CLIENT_TLS_CERT",
        "CLIENT_TLS_KEY",
        "WORKER_SLOTS",
        "WORKER_INTERACTIVE_SLOTS",
        "WORKER_SCRATCH",
        "WORKER_METRICS",
        "BASE_URL",
        "GRPC_TARGET",
        "DOMAIN_LIST",
        "TRUSTED_ADDRESSES",
        "UPLOAD_LIMIT",
    }
)


def unknown_variables(names: Iterable[str]) -> dict[str, str]:
    """Returns those of ``names`` that nobody reads, each with the name that may be meant; empty if none is near."""
    known = {f"{PREFIX}{name}" for name in (*OF_OTHERS, *(field.upper() for field in Settings.model_fields))}
    return {
        name: next(iter(get_close_matches(name.upper(), known, n=1, cutoff=0.8)), "")
        for name in names
        if name.upper().startswith(PREFIX) and name.upper() not in known
    }
