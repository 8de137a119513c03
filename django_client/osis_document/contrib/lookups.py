"""Looking rows up by the documents that they name: `contains`, `contained_by`, `overlap`, `len` and a place in the list.

They are those of PostgreSQL's arrays, and the same over JSON in SQLite.
"""

from __future__ import annotations

from typing import Any

from django.db import NotSupportedError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import lookups

from .fields import FileField


class _ListLookup(lookups.Lookup):
    """Compares the list with another one."""

    #: PostgreSQL's operator.
    operator = ""
    #: The same over JSON; `{lhs}` is the column, `{rhs}` a JSON list.
    json_sql = ""
    #: Which of the two comes first in it.
    column_first = False

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """As PostgreSQL has it."""
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} {self.operator} {rhs}::uuid[]", [*lhs_params, *rhs_params]

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """As SQLite has it."""
        _require_sqlite(connection)
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        params = [*lhs_params, *rhs_params] if self.column_first else [*rhs_params, *lhs_params]
        return self.json_sql.format(lhs=lhs, rhs=rhs), params

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """The list as the column would have it."""
        return "%s", [self.lhs.output_field.get_db_prep_value(value, connection, prepared=True)]


@FileField.register_lookup
class Exact(_ListLookup):
    """The same documents in the same order."""

    lookup_name = "exact"
    operator = "="
    json_sql = "{rhs} = {lhs}"


@FileField.register_lookup
class Contains(_ListLookup):
    """All of these documents are among the row's."""

    lookup_name = "contains"
    operator = "@>"
    json_sql = (
        "NOT EXISTS (SELECT 1 FROM json_each({rhs}) AS wanted WHERE wanted.value NOT IN (SELECT value FROM json_each({lhs})))"
    )


@FileField.register_lookup
class ContainedBy(_ListLookup):
    """All of the row's documents are among these."""

    lookup_name = "contained_by"
    operator = "<@"
    json_sql = "NOT EXISTS (SELECT 1 FROM json_each({lhs}) AS own WHERE own.value NOT IN (SELECT value FROM json_each({rhs})))"
    column_first = True


@FileField.register_lookup
class Overlap(_ListLookup):
    """Any of these documents is among the row's."""

    lookup_name = "overlap"
    operator = "&&"
    json_sql = "EXISTS (SELECT 1 FROM json_each({rhs}) AS wanted WHERE wanted.value IN (SELECT value FROM json_each({lhs})))"


@FileField.register_lookup
class Length(models.Transform):
    """How many documents the row names."""

    lookup_name = "len"
    function = "json_array_length"
    output_field = models.IntegerField()

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """As PostgreSQL has it."""
        return super().as_sql(compiler, connection, function="cardinality")


class Place(models.Transform):
    """The document at one place, counted from 0."""

    # Django keeps UUIDs without hyphens where the database has no type for them.
    template = "REPLACE(json_extract(%(expressions)s, '$[%(index)d]'), '-', '')"
    output_field = models.UUIDField()

    def __init__(self, index: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, index=index, **kwargs)
        self.index = index

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        """As PostgreSQL has it, which counts from 1."""
        return super().as_sql(compiler, connection, template="(%(expressions)s)[%(place)d]", place=self.index + 1)


class _PlaceFactory:
    def __init__(self, index: int) -> None:
        self.index = index

    def __call__(self, *args: Any, **kwargs: Any) -> Place:
        return Place(self.index, *args, **kwargs)


def place_or_none(name: str) -> _PlaceFactory | None:
    """What `files__0` stands for; None where the name is no number."""
    return _PlaceFactory(int(name)) if name.isascii() and name.isdecimal() else None


def _require_sqlite(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor != "sqlite":
        raise NotSupportedError(f"File fields can be looked up on PostgreSQL and SQLite, not on {connection.display_name}.")
