"""The documents of a page, asked for together.

A template names documents one by one. The first that is named of a list (`instance.files`, or the same field of each row of a
table) brings the others of that list along, so that a page with fifty documents makes as many calls as one with a single one.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.template import Context
from django.utils.functional import LazyObject, Promise

from ..enums import PostProcessingWanted
from ..exceptions import OsisDocumentException, error_dict
from ..services import documents, tokens
from .identifiers import stored_ids
from .saving import file_fields

logger = logging.getLogger(__name__)

_CACHE = "osis_document.page_documents"
#: As many as the service answers in one call.
_MOST = 1_000
#: How many values of a page are looked at to find the list that a document is of, and how deep.
_MOST_VALUES, _DEEPEST = 10_000, 6
_NOT_LOOKED_AT = (str, bytes, int, float, type, type(None), HttpRequest, LazyObject, Promise)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of a document."""

    write: bool = False
    post_process: str | None = None
    ttl_seconds: float | None = None
    for_modified_upload: bool = False


class PageDocuments:
    """What has been asked for while a page is rendered."""

    def __init__(self) -> None:
        self._answers: dict[Wanted, dict[UUID, dict[str, Any]]] = {}
        self._metadata: dict[str, dict[str, Any]] = {}

    @classmethod
    def of(cls, context: Context) -> PageDocuments:
        """Those of the page, which its included templates share."""
        shared: dict[str, Any] = context.render_context.dicts[0]  # type: ignore[assignment] # the stubs know texts alone
        found: PageDocuments = shared.setdefault(_CACHE, cls())
        return found

    def answers(self, ids: Iterable[UUID], wanted: Wanted, context: Context) -> dict[UUID, dict[str, Any]]:
        """What `services.tokens.token` answers for each document, or `{"error": …}`. Of several that lead to the same output, as
        the inputs of a merge do, the first stands for all."""
        asked = list(ids)
        known = self._answers.setdefault(wanted, {})
        if missing := [each for each in asked if each not in known]:
            companions = [each for each in related_documents(missing[0], context) if each not in known]
            known.update(_ask(list(dict.fromkeys([*missing, *companions[:_MOST]])), wanted))
        outcomes = {each: _outcome_of(known[each], wanted) or each for each in asked}
        first = {outcomes[each]: each for each in reversed(asked)}
        return {each: known[each] for each in asked if first[outcomes[each]] == each}

    def metadata(self, document_id: UUID, wanted: Wanted, context: Context) -> dict[str, Any] | None:
        """The metadata of a document; None where they are not to be had."""
        token = self.answers([document_id], wanted, context)[document_id].get("token")
        if token is None:
            return None
        if token not in self._metadata:
            self._metadata.update(_describe(self._answers[wanted].values()))
        found = self._metadata[token]
        return None if "error" in found else found


def related_documents(document_id: UUID, context: Context) -> list[UUID]:
    """The documents that a page is likely to name, too, once it has named one: those of the same list, and of the same field of
    other rows. The database is not asked for that."""
    lists = _Lists()
    lists.look_at(context.flatten(), key=None, depth=0)
    found = [ids for ids in lists.by_key.values() if document_id in ids]
    return list(dict.fromkeys(each for ids in found for each in ids))


class _Lists:
    """The lists of UUIDs among the values of a page, by where they are."""

    def __init__(self) -> None:
        self.by_key: dict[Hashable, list[UUID]] = {}
        self._seen: set[int] = set()

    def look_at(self, value: Any, *, key: Hashable, depth: int) -> None:
        # By their own types: asking a lazy object what it is would fetch it.
        if issubclass(type(value), _NOT_LOOKED_AT) or depth > _DEEPEST:
            return
        if id(value) in self._seen or len(self._seen) >= _MOST_VALUES:
            return
        self._seen.add(id(value))
        if isinstance(value, models.Model):
            self._look_at_instance(value, depth)
        elif isinstance(value, models.QuerySet):
            self.look_at(value._result_cache, key=key, depth=depth)
        elif isinstance(value, list | tuple | set | frozenset):
            self._look_at_items(value, key, depth)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                self.look_at(item, key=("mapping", name), depth=depth + 1)
        elif not callable(value):
            for name, item in getattr(value, "__dict__", {}).items():
                self.look_at(item, key=(type(value), name), depth=depth + 1)

    def _look_at_instance(self, instance: models.Model, depth: int) -> None:
        for field in file_fields(type(instance)):
            self.look_at(instance.__dict__.get(field.attname), key=(instance._meta.label, field.attname), depth=depth + 1)
        for related in (instance._state.fields_cache, getattr(instance, "_prefetched_objects_cache", {})):
            self.look_at(related, key=None, depth=depth + 1)

    def _look_at_items(self, items: Iterable[Any], key: Hashable, depth: int) -> None:
        if ids := stored_ids(items):
            self.by_key.setdefault(key, []).extend(ids)
            return
        for item in items:
            self.look_at(item, key=key, depth=depth + 1)


def _outcome_of(answer: Mapping[str, Any], wanted: Wanted) -> str | None:
    """What an answer leads to: the document that a token is for, or the merge that is to make it. None where it leads nowhere."""
    if "links" in answer and PostProcessingWanted.MERGE in answer and wanted.post_process in {None, PostProcessingWanted.MERGE}:
        return str(urlsplit(answer["links"]["progress"]).path)
    return answer.get("upload_id")


def _ask(ids: list[UUID], wanted: Wanted) -> dict[UUID, dict[str, Any]]:
    try:
        answer = tokens.tokens(
            ids,
            write=wanted.write,
            wanted_post_process=wanted.post_process,
            custom_ttl=wanted.ttl_seconds,
            for_modified_upload=wanted.for_modified_upload,
        )
    except OsisDocumentException as exc:
        logger.warning("a page is shown without its documents: %s", exc.reason or type(exc).__name__)
        return dict.fromkeys(ids, error_dict(exc))
    return {each: answer.body[str(each)] for each in ids}


def _describe(answers: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = [answer["token"] for answer in answers if "token" in answer]
    try:
        return documents.all_metadata(found)
    except OsisDocumentException as exc:
        logger.warning("a page is shown without its documents: %s", exc.reason or type(exc).__name__)
        return dict.fromkeys(found, error_dict(exc))
