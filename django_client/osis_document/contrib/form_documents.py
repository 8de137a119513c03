"""The documents of a form, asked for together: its file fields make as many calls as a single one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField

from . import checking, names
from .identifiers import stored_ids

#: What a form keeps them as.
_ATTRIBUTE = "_osis_document_documents"


class ShownFiles(list[str]):
    """The tokens and references that a field of a form shows, which knows where the names of its files are to be had."""

    def __init__(self, values: Iterable[str], documents: FormDocuments) -> None:
        super().__init__(values)
        self._documents = documents

    def names(self) -> dict[str, str]:
        """The names of the files, by token or reference; without those that are not to be had."""
        return self._documents.names(self)


class FormDocuments:
    """What has been asked for while the file fields of a form are rendered."""

    def __init__(self, form: forms.BaseForm) -> None:
        self._form = form
        self._tokens: dict[bool, dict[UUID, str | None]] = {}
        self._names: dict[str, str | None] = {}

    @classmethod
    def of(cls, form: forms.BaseForm) -> FormDocuments:
        """Those of a form."""
        found: FormDocuments = form.__dict__.setdefault(_ATTRIBUTE, cls(form))
        return found

    def tokens(self, value: Any, *, for_modified_upload: bool) -> dict[UUID, str]:
        """Write tokens of the documents among a value; one of which there is none is left out."""
        known = self._tokens.setdefault(for_modified_upload, {})
        ids = stored_ids(value)
        if any(each not in known for each in ids):
            others = (field.raw_value() for field in self._fields() if field.for_modified_upload == for_modified_upload)
            missing = [each for each in dict.fromkeys([*ids, *_all_ids(others)]) if each not in known]
            made = checking.write_tokens(missing, for_modified_upload=for_modified_upload)
            known.update({each: made.get(each) for each in missing})
        return {each: token for each in ids if (token := known[each]) is not None}

    def names(self, shown: list[str]) -> dict[str, str]:
        """The names of files, by token or reference."""
        if any(each not in self._names for each in shown):
            others = (each for field in self._fields() for each in field.value())
            missing = [each for each in dict.fromkeys([*shown, *others]) if each not in self._names]
            found = names.names_of(missing)
            self._names.update({each: found.get(each) for each in missing})
        return {each: name for each in shown if (name := self._names[each]) is not None}

    def _fields(self) -> Iterator[FilesBoundField]:
        bound = (self._form[name] for name in self._form.fields)
        return (field for field in bound if isinstance(field, FilesBoundField))


class FilesBoundField(BoundField):
    """A file field of a form."""

    @property
    def for_modified_upload(self) -> bool:
        """Whether its tokens are for edited copies."""
        return bool(self.field.for_modified_upload)  # type: ignore[attr-defined] # of file fields

    def raw_value(self) -> Any:
        """The documents, tokens and files that it shows, from the browser or as they are stored."""
        return self.field.bound_data(self.data, self.initial) if self.form.is_bound else self.initial

    def value(self) -> ShownFiles:
        """The tokens that the page carries."""
        documents = FormDocuments.of(self.form)
        raw = self.raw_value()
        tokens = documents.tokens(raw, for_modified_upload=self.for_modified_upload)
        return ShownFiles(self.field.shown_values(raw, tokens), documents)  # type: ignore[attr-defined] # of file fields


def _all_ids(values: Iterable[Any]) -> Iterator[UUID]:
    for value in values:
        yield from stored_ids(value)
