"""The form fields: a list of files, and one token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import DEFAULT_DB_ALIAS, connections, models, router
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from ..exceptions import OsisDocumentException
from ..services import paths, uploads
from ..validators import TokenValidator
from . import checking, references
from .form_documents import FilesBoundField
from .identifiers import as_list, as_uuid, statement_of, stored_ids
from .options import split_options
from .persisting import Persisting
from .transactions import follow
from .widgets import FileUploadWidget, HiddenFileWidget

#: Where a file that came with the form keeps the token that its upload answered, so that it is sent once.
_TOKEN = "osis_document_token"  # noqa: S105 - a name


class FileUploadField(forms.FileField):
    """A list of documents.

    The initial value is a list of UUIDs, the cleaned one a list of tokens (of UUIDs where the field is disabled, or where there
    is no token of a document that was there before). What is to be kept has to be saved: by a model field, which takes the
    tokens, or by `persist`. Files that come with the form itself, as they do where no script runs, are sent to the service.

    Args:
        related_model: `{"app", "model", "field", "instance_filter_fields"}`, whose model field says where documents belong; it
            may be installed on the primary server alone.
        for_modified_upload: the tokens of initial documents are for their edited copies.
        upload_to: a folder, in which strftime's signs stand for the time of the upload.
        document_expiration_policy: a `DocumentExpirationPolicy` or its name; documents are kept for ever by default.
        **kwargs: the options of `UploadOptions`, and those of every form field.

    Raises:
        TypeError: an option has a value that it cannot have.
    """

    widget = FileUploadWidget
    hidden_widget = HiddenFileWidget
    default_error_messages = {  # noqa: RUF012 - as Django declares it
        "required": _("Add a file."),
        "max_files": ngettext_lazy("Add no more than %(limit)d file.", "Add no more than %(limit)d files.", "limit"),
        "min_files": ngettext_lazy("Add at least %(limit)d file.", "Add at least %(limit)d files.", "limit"),
    }

    def __init__(
        self,
        *,
        related_model: Mapping[str, Any] | None = None,
        for_modified_upload: bool = False,
        upload_to: str = "",
        document_expiration_policy: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.options = split_options(kwargs)
        for problem in self.options.problems():
            raise TypeError(f"{type(self).__name__}: {problem}")
        self.related_model = dict(related_model) if related_model else None
        self.for_modified_upload = for_modified_upload
        self.upload_to = upload_to
        self.document_expiration_policy = document_expiration_policy
        self._persisting = Persisting()
        super().__init__(**kwargs)
        widget: Any = self.widget
        if isinstance(widget, FileUploadWidget):
            widget.take_defaults(self.options)

    def __deepcopy__(self, memo: dict[int, Any]) -> FileUploadField:
        """A field for one form: what it persists is no other form's business."""
        copied = super().__deepcopy__(memo)
        copied._persisting = Persisting()
        return copied

    # ---- from the browser ------------------------------------------------------------------------------------------------------

    def to_python(self, data: Any) -> list[Any]:  # type: ignore[override] # of a list of files, not of one
        """The tokens and the files, each once."""
        return [item for item in dict.fromkeys(data or ()) if item not in (None, "")]

    def clean(self, data: Any, initial: Any = None) -> list[str | UUID]:
        """Checks what was sent, in a constant number of calls, and uploads the files among it.

        Raises:
            ValidationError: a text for each file that cannot be saved, in the user's language.
        """
        if self.disabled:
            return list(as_list(data))
        items = self.to_python(data)
        kept = set(stored_ids(initial))
        self._check_count(items)
        tokens, errors = self._upload_files(items)
        try:
            values = checking.checked(tokens, options=self.options, kept=kept, for_modified_upload=self.for_modified_upload)
        except ValidationError as exc:
            raise ValidationError([*errors, *exc.error_list]) from exc
        if errors:
            raise ValidationError(errors)
        self.run_validators(values)
        return values

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other documents, or the same in another order, were sent; nobody is asked for that."""
        if self.disabled:
            return False
        return [_document_of(item) for item in self.to_python(data)] != list(stored_ids(initial))

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is shown again: what was sent, with documents in place of tokens whose time is over.

        A UUID is no permission: that of a document which was not there before gets no token, and is left out.
        """
        if self.disabled:
            return initial
        kept = set(stored_ids(initial))
        return [_shown_again(item, kept) for item in self.to_python(data) if as_uuid(item) in {None, *kept}]

    def prepare_value(self, value: Any) -> list[str]:
        """The tokens that the page carries, made in one call; a signed reference for a document of which there is none."""
        tokens = checking.write_tokens(stored_ids(value), for_modified_upload=self.for_modified_upload)
        return self.shown_values(value, tokens)

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> BoundField:
        """This field of a form, whose file fields ask together for what they show."""
        if type(self).prepare_value is not FileUploadField.prepare_value:  # a host's own field prepares its values by itself
            return super().get_bound_field(form, field_name)
        return FilesBoundField(form, self, field_name)

    def shown_values(self, value: Any, tokens: Mapping[UUID, str]) -> list[str]:
        """What the page carries for a value: tokens, and a signed reference for a document of which there is none."""
        items = [getattr(item, _TOKEN, None) if isinstance(item, UploadedFile) else item for item in as_list(value)]
        return [
            str(item) if (found := as_uuid(item)) is None else tokens.get(found) or references.reference_to(found)
            for item in items
            if item
        ]

    def _check_count(self, items: Sequence[object]) -> None:
        if not items and self.required:
            raise ValidationError(self.error_messages["required"], code="required")
        limits = self.options
        if limits.max_files and len(items) > limits.max_files:
            raise ValidationError(self.error_messages["max_files"], code="max_files", params={"limit": limits.max_files})
        if limits.min_files and 0 < len(items) < limits.min_files:
            raise ValidationError(self.error_messages["min_files"], code="min_files", params={"limit": limits.min_files})

    def _upload_files(self, items: Iterable[Any]) -> tuple[list[str], list[ValidationError]]:
        """Uploads the files among the items: the tokens of all that are taken, in order, and what is wrong with the others."""
        tokens, errors = [], []
        for item in items:
            try:
                tokens.append(self._upload(item) if isinstance(item, UploadedFile) else str(item))
            except ValidationError as exc:
                errors.append(exc)
        return tokens, errors

    def _upload(self, file: Any) -> str:
        """Uploads a file, once: the page that is shown again because of another error carries its token."""
        token: str | None = getattr(file, _TOKEN, None)
        if token is not None:
            return token
        name = file.name or ""
        limit = self.options.max_size_bytes
        if limit is not None and (file.size or 0) > limit:
            raise ValidationError(checking.too_large(name, limit), code="refused")
        try:
            file.seek(0)
            saved = uploads.save(file.file, name)
            problem = checking.problem_with(saved.document, self.options)
            if problem:
                uploads.cancel(saved.upload_id)
                raise ValidationError(problem, code="refused")
        except OsisDocumentException as exc:
            raise checking.validation_error(exc, name=name) from exc
        setattr(file, _TOKEN, saved.token)
        return saved.token

    # ---- to the service --------------------------------------------------------------------------------------------------------

    def persist(self, values: Iterable[str | UUID] | None, related_model_instance: Any = None) -> list[UUID]:
        """Has the service keep documents: all of them, or none.

        Inside a transaction of the host they become final with its commit; after a rollback they expire.

        Where the app of the related model is not installed, the primary server confirms them, one by one and for good. When it
        fails half-way, the error's `confirmed` has those that are kept by then. The same call, made again on this field, goes on
        from there, as it does when it was the answer that was lost on its way from the service.

        Args:
            values: the cleaned value.
            related_model_instance: has the fields that `instance_filter_fields` names; needed where `upload_to` of the related
                model field is a function of the instance.

        Returns:
            The UUIDs, in order, to be stored by who calls.

        Raises:
            OsisDocumentException: a token is refused (`TokenSpent` …), or the service or the primary server does not answer.
        """
        given = list(values or ())
        tokens = [str(value) for value in given if as_uuid(value) is None]
        if not tokens:
            return list(stored_ids(given))
        using = self._transaction_of(related_model_instance)
        ids = self._persisting.confirm(
            tokens,
            upload_to=self.upload_to or None,
            related_model=self.related_model,
            related_model_instance=related_model_instance,
            document_expiration_policy=self.document_expiration_policy,
            hold=using is not None,
        )
        if using is not None:
            follow(using, lambda following: following.finalize(ids.values()))
        return [as_uuid(value) or ids[str(value)] for value in given]

    def _transaction_of(self, instance: object) -> str | None:
        """The alias of the database whose transaction is to be followed; None if there is none."""
        if self.related_model is not None and not paths.is_installed(self.related_model):
            return None
        if isinstance(instance, models.Model):
            using = instance._state.db or router.db_for_write(type(instance), instance=instance)
        else:
            using = DEFAULT_DB_ALIAS
        return using if connections[using].in_atomic_block else None


class TokenField(forms.CharField):
    """One token, which the service knows and would accept now."""

    default_validators = [TokenValidator()]  # noqa: RUF012 - as Django declares it


def _document_of(item: Any) -> UUID | None:
    """The document that an item says it stands for; None if it says nothing of the kind."""
    if isinstance(item, UploadedFile):
        return None
    found = as_uuid(item)
    if found is not None:
        return found
    if references.is_reference(str(item)):
        return references.resolve(str(item))
    said = statement_of(item)
    return said.document_id if said is not None else None


def _shown_again(item: Any, kept: set[UUID]) -> Any:
    said = None if isinstance(item, UploadedFile) else statement_of(item)
    needs_another = said is not None and said.document_id in kept and (said.is_expired or said.purpose != "write")
    return said.document_id if said is not None and needs_another else item
