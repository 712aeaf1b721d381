"""The counting itself: DuckDB in memory over columnar facts, and cells that nothing can print or write.

`RawCells` holds true numbers. It has no way out but `disclosure.protect`: it shows nothing, cannot be
compared, copied, pickled or written, and an error met on the way never repeats a value of the facts.
"""

# ruff: noqa: S608 - the texts are those of TableSpec, which lets no value in

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NoReturn

import duckdb
import pyarrow

from resguardo.count.indicator import (
    CELL_PRIME,
    FROM_CONTRIBUTORS,
    Statement,
    TableSpec,
    narrowed,
)
from resguardo.values import Problem, Refused

_ALWAYS = ("unit", "rkey", "institution", "institution_country")
"""Columns without which facts are no facts; any other may be missing when no row has an answer."""

Key = tuple[str, ...]


class FactsRefused(Refused):
    """The facts cannot be counted: a column is missing, is of another kind, or holds what it must not."""


class UnitMismatch(Refused):
    """Parts of different tables were put together."""


class OverlappingParts(Refused):
    """One institution handed in its facts twice."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Truth:
    """One true cell: how many units, and the sum of their record keys; of a share also those of its part."""

    n: int
    ck: int
    part_n: int = 0
    part_ck: int = 0
    value: Any = None
    values: int = 0

    @property
    def rest_n(self) -> int:
        """The units that are not in the part."""
        return self.n - self.part_n

    @property
    def rest_ck(self) -> int:
        """The cell key of the units that are not in the part."""
        return (self.ck - self.part_ck) % CELL_PRIME


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Hidden:
    """What `RawCells` keeps. Read by `resguardo.count.disclosure` alone."""

    spec: TableSpec
    cells: Mapping[Key, Truth]
    total: Truth
    contributors: tuple[str, ...]
    domains: tuple[tuple[str, ...] | None, ...]
    as_of: date
    facts: pyarrow.Table


class RawCells:
    """True numbers of a table. Cannot be printed, compared, copied, pickled or written."""

    __slots__ = ("_hidden",)
    _hidden: Hidden

    def __init__(self, hidden: Hidden) -> None:
        object.__setattr__(self, "_hidden", hidden)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("raw cells do not change")

    def __repr__(self) -> str:
        return "RawCells"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return "RawCells"

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("raw cells are not compared")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> NoReturn:
        raise TypeError("raw cells have no truth value")

    def _refuse(self, *arguments: object) -> NoReturn:
        raise TypeError("raw cells are not copied, pickled or written")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse


def tabulate(facts: pyarrow.Table, spec: TableSpec, *, as_of: date) -> RawCells:
    """The true cells of `spec` over `facts`, as known on `as_of`.

    `facts` has the columns ``unit`` (32 hexadecimal digits), ``rkey`` (int64, 0 to 2**31 - 2),
    ``institution``, ``institution_kind``, ``institution_country``, ``country``, ``month``, ``year``, ``day``
    where the form is open, and the form's own facts: text, whole numbers, lists of text. All institutions
    that take part hand in their rows, also those that no condition will keep: they are the contributors that
    the table names. A fact that no row answers may have no column, or one of nulls.
    """
    facts = _ready(facts, spec)
    answers = _ask(
        {"facts": facts},
        spec.counting(),
        Statement("SELECT DISTINCT institution, institution_country FROM facts", ()),
        Statement(
            "SELECT COUNT(*) FROM facts WHERE unit IS NULL OR rkey IS NULL OR rkey < 0 OR rkey >= ?",
            (CELL_PRIME,),
        ),
    )
    if answers is None:
        raise FactsRefused(Problem("count.facts.unreadable", {"indicator": spec.id}))
    counted, institutions, broken = answers
    if broken[0][0]:
        raise FactsRefused(Problem("count.facts.record_key", {"indicator": spec.id}))
    cells: dict[Key, Truth] = {}
    total = Truth(0, 0)
    width = len(spec.dimensions)
    for row in counted:
        truth = _truth(spec, row[width + 1 :])
        if row[0]:
            total = truth
        else:
            cells[tuple(row[1 : width + 1])] = truth
    contributors = tuple(sorted({row[0] for row in institutions if row[0] is not None}))
    countries = tuple(sorted({row[1] for row in institutions if row[1] is not None}))
    domains = []
    for name, domain in zip(spec.dimensions, spec.domains, strict=True):
        if domain == FROM_CONTRIBUTORS:
            known = contributors if name == "institution" else countries
            domain = narrowed(known, name, spec.filters)
        domains.append(domain)
    return RawCells(Hidden(spec, cells, total, contributors, tuple(domains), as_of, facts))


def add(parts: Sequence[RawCells]) -> RawCells:
    """The cells of all parts together. One unit that two institutions hold is counted once."""
    if not parts:
        raise UnitMismatch(Problem("count.parts.none"))
    hidden = [part._hidden for part in parts]
    first = hidden[0]
    if any(part.spec.digest != first.spec.digest for part in hidden):
        raise UnitMismatch(Problem("count.parts.differ"))
    names = [name for part in hidden for name in part.contributors]
    if len(names) != len(set(names)):
        raise OverlappingParts(Problem("count.parts.overlap"))
    together = pyarrow.concat_tables([part.facts for part in hidden], promote_options="permissive")
    return tabulate(together, first.spec, as_of=max(part.as_of for part in hidden))


def shared_units(
    one: RawCells, other: TableSpec | RawCells
) -> tuple[dict[Key, int], dict[tuple[Key, Key], int]] | None:
    """How many units each set of `other` has, and how many it shares with each set of `one`.

    For `resguardo.count.disclosure`, which compares what is about to be released with what was. `other` is
    counted over the facts of `one`, or over its own. A set is named by its cell and by ``all``, ``part`` or
    ``rest``; the total is the cell without a key. None when it cannot be counted.
    """
    mine = one._hidden
    theirs = mine if isinstance(other, TableSpec) else other._hidden
    spec = other if isinstance(other, TableSpec) else theirs.spec
    left, right = mine.spec.membership("facts"), spec.membership("other_facts")
    ours, my_names = _sets(mine.spec, "a")
    others, their_names = _sets(spec, "b")
    text = (
        f"WITH a AS ({left.text}), b AS ({right.text}), l AS ({ours}), r AS ({others}) "
        f"SELECT {my_names('l')}, {their_names('r')}, COUNT(*) FROM l JOIN r ON l.unit = r.unit "
        f"GROUP BY {my_names('l')}, {their_names('r')} "
        f"UNION ALL SELECT {my_names('')}, {their_names('r')}, COUNT(*) FROM r GROUP BY {their_names('r')}"
    )
    answers = _ask(
        {"facts": mine.facts, "other_facts": _ready(theirs.facts, spec)},
        Statement(text, (*left.parameters, *right.parameters)),
    )
    if answers is None:
        return None
    width = len(mine.spec.dimensions) + 2
    sizes: dict[Key, int] = {}
    shared: dict[tuple[Key, Key], int] = {}
    for row in answers[0]:
        name = _name(row[width:-1])
        if row[0] is None:
            sizes[name] = row[-1]
        else:
            shared[_name(row[:width]), name] = row[-1]
    return sizes, shared


def _sets(spec: TableSpec, view: str) -> tuple[str, Callable[[str], str]]:
    """Sets of units, each unit once in a set; and the columns that name a set, or nulls in their place."""
    keys = [f"d{place}" for place in range(len(spec.dimensions))]
    listed = "".join(f"{key}, " for key in keys)
    text = f"SELECT grand, {listed}'all' AS role, unit FROM {view}"
    if spec.kind == "share":
        role = "CASE WHEN part = 1 THEN 'part' ELSE 'rest' END AS role"
        text += f" UNION ALL SELECT grand, {listed}{role}, unit FROM {view}"

    def names(of: str) -> str:
        return ", ".join(f"{of}.{column}" if of else "NULL" for column in ("grand", *keys, "role"))

    return text, names


def _name(row: Sequence[Any]) -> Key:
    """The name of a set: the codes of its cell, none for the total, and which units of it."""
    grand, *codes, role = row
    return (role,) if grand else (*codes, role)


def _truth(spec: TableSpec, numbers: Sequence[Any]) -> Truth:
    n, ck = int(numbers[0]), int(numbers[1] or 0)
    if spec.kind == "count":
        return Truth(n, ck)
    if spec.kind == "share":
        return Truth(n, ck, int(numbers[2] or 0), int(numbers[3] or 0))
    return Truth(n, ck, value=numbers[2], values=int(numbers[3] or 0))


def _ready(facts: pyarrow.Table, spec: TableSpec) -> pyarrow.Table:
    """The facts with every column that the table reads, of the kind that the form says."""
    missing = [name for name in _ALWAYS if name not in facts.column_names]
    if missing:
        raise FactsRefused(Problem("count.facts.missing", {"columns": ", ".join(missing)}))
    for name in sorted({*_ALWAYS, *spec.columns}):
        kind = pyarrow.string()
        if name in spec.lists:
            kind = pyarrow.list_(kind)
        elif name in spec.numbers or name == "rkey":
            kind = pyarrow.int64()
        if name not in facts.column_names:
            facts = facts.append_column(name, pyarrow.nulls(facts.num_rows, kind))
            continue
        found = facts.schema.field(name).type
        if pyarrow.types.is_null(found):
            place = facts.column_names.index(name)
            facts = facts.set_column(place, name, pyarrow.nulls(facts.num_rows, kind))
        elif _sort(found) != _sort(kind) and not (name == "year" and pyarrow.types.is_integer(found)):
            raise FactsRefused(Problem("count.facts.kind", {"column": name}))
    return facts


def _sort(kind: pyarrow.DataType) -> str:
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return "list"
    return "number" if pyarrow.types.is_integer(kind) else "text"


def _ask(views: Mapping[str, pyarrow.Table], *statements: Statement) -> list[list[tuple[Any, ...]]] | None:
    """The answers of DuckDB over the views, which are gone afterwards; None when it could not.

    The engine's own error may repeat a value of the facts, so it is dropped with its traceback.
    """
    try:
        with _engine(os.getpid()).cursor() as cursor:
            for name, facts in views.items():
                cursor.register(name, facts)
            return [cursor.execute(each.text, list(each.parameters)).fetchall() for each in statements]
    except duckdb.Error:
        return None


@cache
def _engine(process: int) -> duckdb.DuckDBPyConnection:
    """DuckDB in the memory of this process, with no way to a file or a network. It keeps no table."""
    return duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": "false",
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "lock_configuration": "true",
        },
    )
