"""The model field: an ordered list of documents, kept as their UUIDs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.core import checks, exceptions
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from ..enums import DocumentExpirationPolicy, PostProcessingType
from ..exceptions import FormatInvalidException
from ..services import uploads
from .identifiers import as_uuid
from .options import UploadOptions, split_options
from .saving import note_change, stored_before
from .transactions import Change, after_commit, confirming, held_by

if TYPE_CHECKING:
    _Field = models.Field[Iterable[UUID | str] | None, list[UUID]]
else:
    _Field = models.Field

#: A folder, in which strftime's signs stand for the time of the upload, or a function of the instance and the file's name.
UploadTo = str | Callable[[models.Model, str], str]


class SavedFiles(list[UUID]):
    """The UUIDs that a save writes, with what the transaction that writes them has to be followed by."""

    change: Change


class FileField(_Field):
    """An ordered list of documents.

    Assigned are UUIDs of documents and write tokens of uploads; `save()` confirms the tokens and leaves UUIDs. On PostgreSQL the
    column is `uuid[]`, elsewhere JSON.

    The documents follow the host's transaction: they are confirmed with a hold, which ends by itself when the transaction is
    rolled back. After the commit they are made final, post-processed if they are others than before, and those that were
    replaced are deleted, but for the UUIDs in the instance's `_files_to_keep`. Deleting an instance deletes its documents.
    A save that fails after documents were confirmed for it (a forced update of a row that is not there, a `bulk_create()` with a
    refused token further on) leaves them on hold, too; saving the same instances again makes them final.

    A document belongs to one row. Of two rows that name it (an instance saved again with another key, a copy made by the admin's
    `save_as`), the first one that is deleted or given other documents takes it along; so give the copy documents of its own:
    `copy.files = list(documents_remote_duplicate(original.files).values())`. To move documents between rows, save both in one
    transaction. `update()` and `bulk_update()` take UUIDs alone, and refuse tokens. They and `bulk_create()` over rows that are
    there delete nothing; what they replace, or pass over (`ignore_conflicts`), stays with the service, and
    `osis_document_reconcile` lists it.

    Args:
        upload_to: a folder, in which strftime's signs stand for the time of the upload; or a function of the instance and the
            file's name that answers the path, the name included.
        build_metadata_fn: a function of the instance that answers keys to keep with each new document.
        post_processing: the names of the actions, in order (`PostProcessingType`).
        async_post_processing: `save()` does not wait for them.
        output_post_processing: without effect; accepted because existing models have it.
        post_process_params: the parameters of each action, by its name.
        document_expiration_policy: a `DocumentExpirationPolicy` or its name; documents are kept for ever by default.
        base_field: without effect; existing migrations have it.
        size: the same as `max_files`; existing migrations have it.
        **kwargs: the options of `UploadOptions`, and those of every model field.
    """

    description = _("Documents")
    empty_strings_allowed = False
    #: By which saves and deletions find the field without importing it.
    holds_documents = True
    default_error_messages = {  # noqa: RUF012 - as Django declares it
        "not_a_list": _("The documents must be a list of UUIDs and tokens."),
        "max_files": ngettext_lazy(
            "There can be %(limit)d document at most.", "There can be %(limit)d documents at most.", "limit"
        ),
        "min_files": ngettext_lazy(
            "There must be %(limit)d document at least.", "There must be %(limit)d documents at least.", "limit"
        ),
    }

    def __init__(
        self,
        verbose_name: Any = None,
        name: str | None = None,
        *,
        upload_to: UploadTo = "",
        build_metadata_fn: Callable[[models.Model], Mapping[str, Any]] | None = None,
        post_processing: Sequence[str] = (),
        async_post_processing: bool = False,
        output_post_processing: str | None = None,
        post_process_params: Mapping[str, Any] | None = None,
        document_expiration_policy: str | None = None,
        base_field: models.Field[Any, Any] | None = None,
        size: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.options: UploadOptions = split_options({"max_files": size} | kwargs if size else kwargs)
        for option in self.options.as_keywords():
            kwargs.pop(option, None)
        self.upload_to = upload_to
        self.build_metadata_fn = build_metadata_fn
        self.post_processing = list(post_processing or ())
        self.async_post_processing = async_post_processing
        self.post_process_params = post_process_params
        self.document_expiration_policy = document_expiration_policy
        kwargs.setdefault("default", list)
        super().__init__(verbose_name, name, **kwargs)

    # ---- what Django asks of every field ---------------------------------------------------------------------------------------

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Describes the column, for migrations. Options that leave the column as it is are no part of that, so that existing
        migrations, which do not have them either, need no successor, and changing an option makes none."""
        name, _path, args, keywords = super().deconstruct()
        return name, "osis_document.contrib.fields.FileField", args, keywords

    def get_internal_type(self) -> str:
        """A name of its own: to Django, a `FileField` is a column of text."""
        return "DocumentsField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """`uuid[]` where there is such a thing, otherwise what keeps JSON."""
        return "uuid[]" if connection.vendor == "postgresql" else str(connection.data_types["JSONField"])

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        """Says what an empty list is a list of."""
        return "%s::uuid[]" if connection.vendor == "postgresql" else "%s"

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Finds options that cannot be meant."""
        return [*super().check(**kwargs), *self._check_post_processing(), *(self._check_values() or self._check_limits())]

    def to_python(self, value: Any) -> Any:
        """A list of UUIDs, and of tokens as they are; from such a list, or from JSON as fixtures have it."""
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = json.loads(value) if value else []
            except ValueError:
                value = None
        if not isinstance(value, list | tuple) or not all(isinstance(item, str | UUID) for item in value):
            raise exceptions.ValidationError(self.error_messages["not_a_list"], code="not_a_list")
        return [as_uuid(item) or item for item in value]

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Checks how many there are."""
        super().validate(value, model_instance)
        count = len(value or ())
        if self.options.max_files and count > self.options.max_files:
            self._refuse("max_files", self.options.max_files)
        if self.options.min_files and 0 < count < self.options.min_files:
            self._refuse("min_files", self.options.min_files)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> list[UUID] | None:
        """The UUIDs."""
        if value is None:
            return None
        return [
            item if isinstance(item, UUID) else UUID(item) for item in (json.loads(value) if isinstance(value, str) else value)
        ]

    def get_prep_value(self, value: Any) -> Any:
        """The UUIDs, as a list.

        Raises:
            FormatInvalidException: something is no UUID. `update()` and `bulk_update()` confirm nothing, so they take no tokens.
        """
        value = super().get_prep_value(value)
        if value is None or hasattr(value, "resolve_expression"):
            return value
        items = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
        ids = [as_uuid(item) for item in items]
        if None in ids:
            raise FormatInvalidException(
                _("Documents are stored and looked up by their UUIDs. Only save(), create() and bulk_create() take tokens.")
            )
        return ids

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """The list, or its JSON."""
        if not prepared:
            value = self.get_prep_value(value)
        if value is None or connection.vendor == "postgresql":
            return value
        return json.dumps([str(item) for item in value])

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """As `get_db_prep_value`; inside a transaction, which is known here for the first time, what follows it is registered."""
        if isinstance(value, SavedFiles) and connection.in_atomic_block and not value.change.followed:
            after_commit(connection.alias).save(value.change)
        return super().get_db_prep_save(value, connection)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Confirms the tokens among the values, in one call and in their order, and leaves UUIDs on the instance.

        Raises:
            OsisDocumentException: a token is refused (`TokenExpired`, `TokenSpent`, `FileInfectedException` …), or the service
                does not answer. Nothing is confirmed then, unless it was the answer that was lost; saving the
                same instance again finds that out.
        """
        values = getattr(model_instance, self.attname)
        if (values is None and self.null) or hasattr(values, "resolve_expression"):
            return values
        stored = stored_before(model_instance, self)
        given = list(dict.fromkeys(as_uuid(value) or value for value in self.to_python(values) or ()))
        if not all(isinstance(value, UUID) for value in given):
            given = list(self._confirm_multiple_upload(model_instance, given, stored))
        ids = SavedFiles(dict.fromkeys(UUID(str(value)) for value in given))
        setattr(model_instance, self.attname, list(ids))
        ids.change = Change(field=self, instance=model_instance, value=tuple(ids), stored=stored)
        note_change(ids.change)
        return ids

    def _confirm_multiple_upload(
        self, model_instance: models.Model, values: Iterable[UUID | str], stored: Iterable[UUID]
    ) -> list[UUID]:
        """Confirms the tokens among `values` with a hold, all or none, and answers the documents of all values in their order.

        Tests of hosts put something else in its place.
        """
        given = list(values)
        tokens = [value for value in given if isinstance(value, str)]
        with confirming(model_instance) as request_id:
            confirmed = uploads.confirm_all(
                tokens,
                upload_to=self.upload_to,
                related_model_instance=model_instance,
                document_expiration_policy=self.document_expiration_policy,
                metadata=self.build_metadata_fn(model_instance) if self.build_metadata_fn else None,
                hold=True,
                request_id=request_id,
            )
        ids = {token: UUID(str(each)) for token, each in zip(tokens, confirmed, strict=True)}
        held_by(model_instance).update(set(ids.values()).difference(stored))
        return [ids[value] if isinstance(value, str) else value for value in given]

    def get_transform(self, lookup_name: str) -> Any:
        """A transform of that name; `files__0` is the document at that place."""
        return super().get_transform(lookup_name) or lookups.place_or_none(lookup_name)

    def value_to_string(self, obj: models.Model) -> str:
        """JSON, for fixtures."""
        value = self.value_from_object(obj)
        return json.dumps(None if value is None else [str(item) for item in value])

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        """The form field with the same options."""
        from .forms import FileUploadField

        defaults: dict[str, Any] = {"form_class": FileUploadField, "show_hidden_initial": False, **self.options.as_keywords()}
        return super().formfield(**{**defaults, **kwargs})

    # ---- checks ----------------------------------------------------------------------------------------------------------------

    def _refuse(self, code: str, limit: int) -> None:
        raise exceptions.ValidationError(self.error_messages[code], code=code, params={"limit": limit})

    def _check_post_processing(self) -> list[checks.CheckMessage]:
        unknown = [action for action in self.post_processing if action not in PostProcessingType.names]
        if not unknown:
            return []
        return [
            checks.Error(
                f"post_processing has {', '.join(map(repr, unknown))}.",
                hint=f"Choose from {', '.join(PostProcessingType.names)}.",
                obj=self,
                id="osis_document.E101",
            )
        ]

    def _check_values(self) -> list[checks.CheckMessage]:
        problems = list(self.options.problems())
        upload_to: object = self.upload_to
        if not isinstance(upload_to, str) and not callable(upload_to):
            problems.append(f"upload_to is {upload_to!r}; it must be a folder, or a function that answers a path")
        policy = self.document_expiration_policy
        if policy and policy not in DocumentExpirationPolicy.names:
            allowed = ", ".join(DocumentExpirationPolicy.names)
            problems.append(f"document_expiration_policy is {policy!r}; it must be one of {allowed}")
        return [checks.Error(f"{each}.", obj=self, id="osis_document.E103") for each in problems]

    def _check_limits(self) -> list[checks.CheckMessage]:
        options = self.options
        if not options.min_files or not options.max_files or options.min_files <= options.max_files:
            return []
        return [
            checks.Error(
                f"min_files is {options.min_files} and max_files is {options.max_files}.",
                hint="No number of files can be right; raise max_files or lower min_files.",
                obj=self,
                id="osis_document.E102",
            )
        ]


from . import lookups  # noqa: E402 - they register themselves with the class above
