"""Signed references: what a form carries for a document of which there is no token now.

The service may not answer, or the document may be infected, while a page is made. The form keeps the document all the same, so
that saving something else on the page does not lose it.
"""

from __future__ import annotations

from uuid import UUID

from django.core import signing

_PREFIX = "kept~"
_SALT = "osis_document.contrib.references"


def reference_to(document_id: UUID) -> str:
    """A text that stands for a document in forms of this site."""
    return signing.Signer(sep="~", salt=_SALT).sign(f"{_PREFIX}{document_id}")


def is_reference(text: str) -> bool:
    """Whether a text looks like such a reference."""
    return text.startswith(_PREFIX)


def resolve(text: str) -> UUID | None:
    """The document that a reference stands for; None if this site did not make it."""
    try:
        return UUID(signing.Signer(sep="~", salt=_SALT).unsign(text).removeprefix(_PREFIX))
    except (signing.BadSignature, ValueError):
        return None
