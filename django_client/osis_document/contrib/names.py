"""The names of files that a form shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ..enums import DocumentError
from ..exceptions import OsisDocumentException
from ..services import documents
from . import references
from .identifiers import may_be_token, statement_of


def names_of(shown: list[str]) -> dict[str, str]:
    """The names of the files of tokens and references, by those, in two calls at most; without those that are not to be had."""
    try:
        return _names(shown)
    except OsisDocumentException:
        return {}


def _names(tokens: list[str]) -> dict[str, str]:
    found = documents.all_metadata([each for each in tokens if may_be_token(each) and not references.is_reference(each)])
    ids = {token: found_id for token in tokens if (found_id := _id_of_nameless(token, found)) is not None}
    described = documents.describe(ids.values()) if ids else {}
    known = found | {token: described[str(found_id)] for token, found_id in ids.items()}
    return {token: str(metadata["name"]) for token, metadata in known.items() if "name" in metadata}


def _id_of_nameless(token: str, found: Mapping[str, Mapping[str, Any]]) -> UUID | None:
    """The document of a reference, or of a genuine token of an edited copy that is not there yet."""
    if references.is_reference(token):
        return references.resolve(token)
    said = statement_of(token)
    is_genuine = found.get(token, {}).get("error", {}).get("code") == DocumentError.UPLOAD_NOT_FOUND
    return said.document_id if said is not None and is_genuine else None
