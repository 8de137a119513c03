"""Following the saves and deletions of models that have file fields.

Receivers are connected to those models alone: a receiver of every model's deletion would keep Django from deleting rows fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connections, models
from django.db.models import signals

from .identifiers import stored_ids
from .transactions import Change, follow

if TYPE_CHECKING:
    from .fields import FileField

#: Names in `instance._state`.
_STORED, _CHANGES, _DELETED = "osis_document_stored", "osis_document_changes", "osis_document_deleted"


def file_fields(model: type[models.Model], *, local: bool = False) -> list[FileField]:
    """The file fields of a model; with `local`, without those of the models that it inherits from."""
    options = model._meta.concrete_model._meta if model._meta.concrete_model else model._meta
    fields = options.local_concrete_fields if local else options.concrete_fields
    return [field for field in fields if getattr(field, "holds_documents", False)]  # type: ignore[misc] # told by the attribute


def stored_before(instance: models.Model, field: FileField) -> tuple[UUID, ...]:
    """What the row of an instance that is being saved had in a field."""
    stored: dict[str, tuple[UUID, ...]] = instance._state.__dict__.get(_STORED) or {}
    return stored.get(field.attname, ())


def note_change(change: Change) -> None:
    """Notes what is being saved, for when it is. `bulk_create` tells nobody when that is: it leaves it to the transaction."""
    changes: list[Change] | None = change.instance._state.__dict__.get(_CHANGES)
    if changes is not None:
        changes.append(change)


def _connect(sender: type[models.Model], **kwargs: Any) -> None:
    if not file_fields(sender):
        return
    signals.pre_save.connect(_before_save, sender=sender)
    signals.post_save.connect(_after_save, sender=sender)
    if not _is_historical(sender):
        signals.pre_delete.connect(_before_delete, sender=sender)
        signals.post_delete.connect(_after_delete, sender=sender)


def _is_historical(model: type[models.Model]) -> bool:
    """Whether a model is one of a migration, which may move documents from one row to another: nothing of them is deleted."""
    return model.__module__ == "__fake__"


def _before_save(
    sender: type[models.Model], instance: models.Model, raw: bool, using: str, update_fields: Iterable[str] | None, **kwargs: Any
) -> None:
    instance._state.__dict__[_STORED] = {}
    instance._state.__dict__[_CHANGES] = []
    if raw or instance.pk is None or _is_surely_new(instance):
        return
    named = None if update_fields is None else set(update_fields)
    fields = [field for field in file_fields(sender) if named is None or named & {field.name, field.attname}]
    instance._state.__dict__[_STORED] = _read(instance, fields, using=using)


def _is_surely_new(instance: models.Model) -> bool:
    """Whether the row cannot be there: Django, too, tries no UPDATE then."""
    return instance._state.adding and instance._meta.pk is not None and instance._meta.pk.has_default()


def _read(instance: models.Model, fields: list[FileField], *, using: str) -> dict[str, tuple[UUID, ...]]:
    """Reads what the row has now. Inside a transaction the row is locked, as the save is about to do, so that of two that
    replace the same files each knows what the other left."""
    if not fields:
        return {}
    connection = connections[using]
    rows = type(instance)._base_manager.using(using).filter(pk=instance.pk)
    if connection.in_atomic_block and connection.features.has_select_for_update:
        rows = rows.select_for_update()
    names = [field.attname for field in fields]
    for values in rows.values_list(*names):
        return {name: stored_ids(value) for name, value in zip(names, values, strict=True)}
    return {}


def _after_save(sender: type[models.Model], instance: models.Model, raw: bool, using: str, **kwargs: Any) -> None:
    stored = instance._state.__dict__.pop(_STORED, None) or {}
    changes: list[Change] = instance._state.__dict__.pop(_CHANGES, None) or []
    to_keep = instance.__dict__.pop("_files_to_keep", None)
    if raw:
        return
    if _is_historical(sender) or _has_expressions(instance):
        replaced = set()
    else:
        replaced = set().union(*stored.values()) - set(_in_memory(instance)) - set(stored_ids(to_keep))
    left = [change for change in changes if not change.followed]
    if left or replaced:
        follow(using, lambda following: following.take(left, replaced=replaced))


def _has_expressions(instance: models.Model) -> bool:
    """Whether a field was saved as an expression: what the row has now, the database alone knows."""
    return any(hasattr(instance.__dict__.get(field.attname), "resolve_expression") for field in file_fields(type(instance)))


def _in_memory(instance: models.Model) -> Iterator[UUID]:
    """The documents that an instance names in any of its file fields, without asking the database."""
    for field in file_fields(type(instance)):
        yield from stored_ids(instance.__dict__.get(field.attname))


def _before_delete(sender: type[models.Model], instance: models.Model, using: str, origin: object = None, **kwargs: Any) -> None:
    fields = file_fields(sender, local=True)
    # What is deleted as part of a query has just been read. What somebody held in memory may have been changed there.
    is_fresh = origin is not instance and not instance.get_deferred_fields()
    deleted = (
        {field.attname: stored_ids(getattr(instance, field.attname)) for field in fields}
        if is_fresh
        else _read(instance, fields, using=using)
    )
    instance._state.__dict__[_DELETED] = set().union(*deleted.values())


def _after_delete(sender: type[models.Model], instance: models.Model, using: str, **kwargs: Any) -> None:
    deleted: set[UUID] = instance._state.__dict__.pop(_DELETED, set())
    deleted -= set(stored_ids(instance.__dict__.get("_files_to_keep")))
    if deleted:
        row = (sender._meta.concrete_model or sender)._meta.label, instance.pk
        follow(using, lambda following: following.remove(deleted, with_row=row))


signals.class_prepared.connect(_connect)
