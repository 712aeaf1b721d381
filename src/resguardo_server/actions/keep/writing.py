"""Many rows of one table in one statement: what `bulk_create` writes, without an object for each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from django.db import connection, models

_AS_THEY_ARE = frozenset(
    {
        "BigIntegerField", "BinaryField", "BooleanField", "CharField", "IntegerField",
        "PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField", "SlugField",
        "TextField",
    }
)  # fmt: skip
"""Kinds of field whose values both databases take as Python has them."""


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The rows are in the model's table; each holds the values of the fields in `names`, in that order.

    A field that is not named has its default in every row; a key that is random has to be named. A reference
    is named as its column is, ``record_id``, and holds the key.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    fields, rest = _fields(model, tuple(names))
    held: list[Iterable[Any]] = list(map(_as_stored, fields, columns))
    held += [repeat(_as_stored(field, (field.get_default(),))[0], len(columns[0])) for field in rest]
    table, listed = _quoted(model._meta.db_table), ", ".join(map(_column, (*fields, *rest)))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
                for row in zip(*held, strict=True):
                    copy.write_row(row)
        else:
            blanks = ", ".join(["%s"] * len(held))
            statement = f"INSERT INTO {table} ({listed}) VALUES ({blanks})"  # noqa: S608
            cursor.executemany(statement, list(zip(*held, strict=True)))


def update_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The named fields have new values; each row holds them in that order, and the row's key last.

    A row that is no longer there stays away.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return
    fields, _ = _fields(model, (*names, "pk"))
    held = [_as_stored(field, column) for field, column in zip(fields, columns, strict=True)]
    changed = ", ".join(f"{_column(field)} = %s" for field in fields[:-1])
    table, key = _quoted(model._meta.db_table), _column(fields[-1])
    with connection.cursor() as cursor:
        statement = f"UPDATE {table} SET {changed} WHERE {key} = %s"  # noqa: S608
        cursor.executemany(statement, list(zip(*held, strict=True)))


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _column(field: models.Field[Any, Any]) -> str:
    return _quoted(field.column or field.name)


@cache
def _fields(
    model: type[models.Model], names: tuple[str, ...]
) -> tuple[tuple[models.Field[Any, Any], ...], tuple[models.Field[Any, Any], ...]]:
    """The fields that are named, and those that have a default instead; a counted key is the database's."""
    written = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    if model._meta.pk is not None:
        by_name["pk"] = model._meta.pk
    named = tuple(by_name[name] for name in names)
    return named, tuple(field for field in written if field not in named)


def _as_stored(field: models.Field[Any, Any], values: Sequence[Any]) -> Sequence[Any]:
    """The values of one column as the database's library takes them."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    kind = field.get_internal_type()
    if kind in _AS_THEY_ARE or kind.endswith("AutoField"):
        return values
    if kind == "UUIDField":
        if connection.features.has_native_uuid_field:
            return values
        return [None if value is None else value.hex for value in values]
    known: dict[Any, Any] = {}
    for value in values:
        if value not in known:
            known[value] = field.get_db_prep_save(value, connection)
    return [known[value] for value in values]
