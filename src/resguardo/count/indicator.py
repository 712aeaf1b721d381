"""What is asked of an indicator becomes a table of the catalogue, or is refused with what is allowed.

`specify` turns a programme's declaration and a question (by which groups, where, when) into a `TableSpec`:
the whole definition of a table, in one canonical order, so that the same question is the same table however
it was written. `counting` and `membership` are SQL texts with their parameters beside them, never pasted in.
Nothing but names of facts goes into a text, and a name is letters, digits and underscores.
"""

# ruff: noqa: S608 - no value goes into a text, and a name of a fact is checked by TableSpec

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rfc8785

from resguardo.plan.condition import Condition, parse_condition
from resguardo.plan.fact import ALWAYS, DAY, has_day
from resguardo.values import Population, Problem, Refused, SubjectKind

if TYPE_CHECKING:
    from resguardo.plan.programme import Form, Indicator, Programme

CELL_PRIME = 2**31 - 1
"""Record keys and cell keys are numbers modulo this prime."""

NOT_STATED = "not_stated"
"""The category of a subject whose fact has no answer."""

MOST_DIMENSIONS = 3
"""Dimensions of one table besides the period, those fixed by a condition included."""

PERIOD_DIMENSIONS = ("year", "month", "day")

FROM_CONTRIBUTORS: tuple[str, ...] = ()
"""The domain of a dimension whose codes are those of the institutions that take part."""

CATALOGUE_VERSION = 1
"""Rises when a banding, a code list or the meaning of a measure changes for the whole network."""

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"[0-9]{4}")
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in")


class NotInCatalogue(Refused):
    """The table that was asked for is none of the catalogue's; the sentence names what is allowed."""


def not_in_catalogue(code: str, **facts: str) -> NotInCatalogue:
    """A refusal with the sentence ``count.<code>``."""
    return NotInCatalogue(Problem(f"count.{code}", facts))


@dataclass(frozen=True)
class Count:
    """A question to an indicator: how many, by which groups, under which further conditions, when."""

    indicator: str
    """``programme.indicator``, as in ``training.people_trained``."""
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    """Conditions besides the indicator's own: ``country in GT|HN``."""
    period: str | None = None
    """Whole months, first and last included: ``2021-09/2022-08``; or ``2022``, ``2022-08``, ``2020/2022``."""


@dataclass(frozen=True, order=True)
class Filter:
    """A condition on a fact that every counted row meets."""

    fact: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class FactShape:
    """What a fact of a form can hold."""

    name: str
    codes: tuple[str, ...] | None = None
    """The codes that exist, or None where no list tells."""
    is_list: bool = False
    is_number: bool = False


@dataclass(frozen=True)
class Statement:
    """One SQL text and the values of its parameters, in their order."""

    text: str
    parameters: tuple[str | int, ...]


@dataclass(frozen=True)
class TableSpec:
    """The whole definition of a table. Two questions with one meaning have one definition."""

    id: str
    """``programme.indicator``."""
    version: int
    source: str
    """``programme.form``: the form whose facts are counted."""
    unit: str
    """What one counted thing is; numbers of different units are never added."""
    population: Population
    is_about_people: bool
    """Whether a unit is a person or stands for one (a case, a business, a site, a reported incident)."""
    measure: str
    """``count``, ``records``, ``share``, ``first``, ``sum:<fact>`` or ``mean:<fact>``."""
    dimensions: tuple[str, ...] = ()
    months: tuple[str, str] | None = None
    """First and last month counted, both included (``YYYY-MM``)."""
    filters: tuple[Filter, ...] = ()
    part: tuple[Filter, ...] = ()
    """For a share: what the part meets besides the filters."""
    domains: tuple[tuple[str, ...] | None, ...] = ()
    """For each dimension the codes that exist; `FROM_CONTRIBUTORS`; or None where only the facts can tell."""
    structural_zeros: frozenset[tuple[str, ...]] = frozenset()
    """Cells that cannot exist, and are never listed."""
    lists: frozenset[str] = frozenset()
    """Facts in use that hold several values at once (select_multiple)."""
    numbers: frozenset[str] = frozenset()
    """Facts in use that are whole numbers."""

    def __post_init__(self) -> None:
        if len(self.domains) != len(self.dimensions):
            raise ValueError("every dimension has its domain")
        for column in self.columns:
            if not _COLUMN.fullmatch(column):
                raise ValueError(f"no name of a fact: {column!r}")

    @property
    def programme(self) -> str:
        """The programme whose indicator this is."""
        return self.id.partition(".")[0]

    @property
    def kind(self) -> str:
        """The measure without its fact: ``sum`` of ``sum:attendees``."""
        return self.measure.partition(":")[0]

    @property
    def measured(self) -> str | None:
        """The number fact that is added up or averaged."""
        return self.measure.partition(":")[2] or None

    @property
    def columns(self) -> frozenset[str]:
        """Every fact that the table reads, besides the unit and its record key."""
        names = {*self.dimensions, *(condition.fact for condition in (*self.filters, *self.part))}
        if self.measured:
            names.add(self.measured)
        if self.months:
            names.add("month")
        if self.kind == "first":
            names.add("day")
        return frozenset(names)

    @property
    def same_total(self) -> tuple[Any, ...]:
        """Equal for two tables that break down the same total."""
        return (self.source, self.unit, self.kind, self.months, self.filters, self.part, self.measured)

    def definition(self) -> dict[str, Any]:
        """The definition as plain values, in one order; what `digest` is taken of."""
        return {
            "id": self.id,
            "version": self.version,
            "source": self.source,
            "unit": self.unit,
            "population": self.population.value,
            "is_about_people": self.is_about_people,
            "measure": self.measure,
            "dimensions": list(self.dimensions),
            "months": list(self.months) if self.months else None,
            "filters": [_plain(condition) for condition in self.filters],
            "part": [_plain(condition) for condition in self.part],
            "domains": [None if domain is None else list(domain) for domain in self.domains],
            "structural_zeros": sorted(list(cell) for cell in self.structural_zeros),
            "lists": sorted(self.lists),
            "numbers": sorted(self.numbers),
        }

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the definition as canonical JSON."""
        return hashlib.sha256(rfc8785.dumps(self.definition())).hexdigest()

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> TableSpec:
        """The spec that has this definition."""
        months = definition["months"]
        return cls(
            id=definition["id"],
            version=definition["version"],
            source=definition["source"],
            unit=definition["unit"],
            population=Population(definition["population"]),
            is_about_people=definition["is_about_people"],
            measure=definition["measure"],
            dimensions=tuple(definition["dimensions"]),
            months=(months[0], months[1]) if months else None,
            filters=tuple(_filter(plain) for plain in definition["filters"]),
            part=tuple(_filter(plain) for plain in definition["part"]),
            domains=tuple(None if domain is None else tuple(domain) for domain in definition["domains"]),
            structural_zeros=frozenset(tuple(cell) for cell in definition["structural_zeros"]),
            lists=frozenset(definition["lists"]),
            numbers=frozenset(definition["numbers"]),
        )

    def counting(self, view: str = "facts") -> Statement:
        """The SQL text that counts the table over `view`.

        One row per cell (``grand`` 0) and one for the total (``grand`` 1): ``d0``…, then the number of
        distinct units ``n`` and the sum of their record keys modulo the prime ``ck``; for a share ``part_n``
        and ``part_ck`` of its part; for the other measures the value ``v`` and the number of rows with one,
        ``w``.
        """
        keys = [f"d{place}" for place in range(len(self.dimensions))]
        kept, parameters = self._kept(view)
        sums = f"COUNT(*) AS n, CAST(MOD(SUM(rkey), {CELL_PRIME}) AS BIGINT) AS ck"
        per_unit = once_more = "MIN(rkey) AS rkey"
        if self.kind == "share":
            per_unit += ", MAX(part) AS part"
            once_more = per_unit
            sums += (
                ", CAST(SUM(part) AS BIGINT) AS part_n"
                f", CAST(MOD(SUM(rkey * part), {CELL_PRIME}) AS BIGINT) AS part_ck"
            )
        elif self.kind != "count":
            one, all_units = ("MIN", "MIN(v)") if self.kind == "first" else ("SUM", "CAST(SUM(v) AS BIGINT)")
            per_unit += f", {one}(x) AS v, COUNT(x) AS w"
            once_more += f", {one}(v) AS v, SUM(w) AS w"
            sums += f", {all_units} AS v, CAST(SUM(w) AS BIGINT) AS w"
        with_tables = [f"kept AS ({kept})"]
        selects = []
        units = f"SELECT unit, {per_unit} FROM kept GROUP BY unit"
        if keys:
            listed = ", ".join(keys)
            with_tables.append(f"spread AS ({self._spread()})")
            with_tables.append(
                f"units AS (SELECT {listed}, unit, {per_unit} FROM spread GROUP BY {listed}, unit)"
            )
            selects.append(f"SELECT 0 AS grand, {listed}, {sums} FROM units GROUP BY {listed}")
            if not self.lists.intersection(self.dimensions):  # else a row is in several cells
                units = f"SELECT unit, {once_more} FROM units GROUP BY unit"
        selects.append(f"SELECT 1 AS grand, {_blanks(keys)}{sums} FROM ({units}) AS total")
        return Statement(f"WITH {', '.join(with_tables)} {' UNION ALL '.join(selects)}", parameters)

    def membership(self, view: str = "facts") -> Statement:
        """The SQL text that says which units are in which cell: ``grand``, ``d0``…, ``unit``, ``part``.

        ``part`` is 1 for the units of a share's part, and 0 otherwise.
        """
        keys = [f"d{place}" for place in range(len(self.dimensions))]
        kept, parameters = self._kept(view)
        part = "MAX(part) AS part" if self.kind == "share" else "0 AS part"
        with_tables = [f"kept AS ({kept})"]
        selects = [f"SELECT 1 AS grand, {_blanks(keys)}unit, {part} FROM kept GROUP BY unit"]
        if keys:
            with_tables.append(f"spread AS ({self._spread()})")
            listed = ", ".join(keys)
            selects.append(f"SELECT 0 AS grand, {listed}, unit, {part} FROM spread GROUP BY {listed}, unit")
        return Statement(f"WITH {', '.join(with_tables)} {' UNION ALL '.join(selects)}", parameters)

    def _kept(self, view: str) -> tuple[str, tuple[str | int, ...]]:
        """The rows that the filters keep, with no more columns than the table needs."""
        parameters: list[str | int] = []
        columns = ["unit", "rkey"]
        for place, dimension in enumerate(self.dimensions):
            if dimension in self.lists:
                columns.append(f"{_quoted(dimension)} AS l{place}")
            else:
                columns.append(f"{_code(dimension)} AS d{place}")
        if self.kind == "share":
            met = " AND ".join(self._condition(condition, parameters) for condition in self.part)
            columns.append(f"CASE WHEN {met} THEN 1 ELSE 0 END AS part")
        if self.measured:
            columns.append(f"{_quoted(self.measured)} AS x")
        elif self.kind == "first":
            columns.append(f"{_quoted(DAY)} AS x")
        elif self.kind == "records":
            columns.append("1 AS x")
        conditions = [self._condition(condition, parameters) for condition in self.filters]
        if self.months:
            conditions.append('"month" >= ? AND "month" <= ?')
            parameters.extend(self.months)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(columns)} FROM {view}{where}", tuple(parameters)

    def _spread(self) -> str:
        """The kept rows, one for each value of a list: a subject of two topics is in the cells of both."""
        columns, joins = ["unit", "rkey"], ""
        if self.kind == "share":
            columns.append("part")
        elif self.kind != "count":
            columns.append("x")
        for place, dimension in enumerate(self.dimensions):
            if dimension in self.lists:
                columns.append(f"COALESCE(u{place}.value, '{NOT_STATED}') AS d{place}")
                joins += f" LEFT JOIN UNNEST(kept.l{place}) AS u{place}(value) ON TRUE"
            else:
                columns.append(f"d{place}")
        return f"SELECT {', '.join(columns)} FROM kept{joins}"

    def _condition(self, condition: Filter, parameters: list[str | int]) -> str:
        """The condition as SQL; its values go to `parameters`."""
        if condition.operator not in _OPERATORS or not condition.values:
            raise ValueError(f"no condition: {condition.operator!r}")
        column = _quoted(condition.fact)
        if condition.fact in self.numbers:
            parameters.extend(int(value) for value in condition.values)
            if condition.operator == "in":
                return f"{column} IN ({_marks(condition.values)})"
            return f"{column} {_sql_operator(condition.operator)} ?"
        parameters.extend(condition.values)
        if condition.fact in self.lists:
            met = " OR ".join(f"? = ANY({column})" for _ in condition.values)
            if condition.operator == "!=":
                return f"NOT COALESCE({met}, FALSE)"
            return f"({met})"
        if condition.operator in ("<", "<=", ">", ">="):
            return f"CAST({column} AS VARCHAR) {condition.operator} ?"
        if condition.operator == "in":
            return f"{_code(condition.fact)} IN ({_marks(condition.values)})"
        return f"{_code(condition.fact)} {_sql_operator(condition.operator)} ?"


def _blanks(keys: list[str]) -> str:
    return "".join(f"CAST(NULL AS VARCHAR) AS {key}, " for key in keys)


def _quoted(column: str) -> str:
    return f'"{column}"'


def _code(column: str) -> str:
    return f"COALESCE(CAST({_quoted(column)} AS VARCHAR), '{NOT_STATED}')"


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" for _ in values)


def _sql_operator(operator: str) -> str:
    return "<>" if operator == "!=" else operator


def _plain(condition: Filter) -> list[Any]:
    return [condition.fact, condition.operator, list(condition.values)]


def _filter(plain: Any) -> Filter:
    return Filter(plain[0], plain[1], tuple(plain[2]))


def specify(
    programme: Programme,
    count: Count,
    *,
    structural_zeros: frozenset[tuple[str, ...]] = frozenset(),
) -> TableSpec:
    """The table of the catalogue that answers `count`.

    Refuses with `NotInCatalogue` an unknown indicator, a dimension that the indicator does not allow, a fact
    or a value that does not exist, more than three dimensions, a measure that the population class forbids.
    """
    indicator = _indicator(programme, count.indicator)
    form = programme.form(indicator.form)
    population = max(form.population, indicator.population or form.population, key=lambda kind: kind.care)
    is_about_people = _is_about_people(form)
    identity = f"{programme.name}.{indicator.name}"
    _refuse_measure(identity, indicator, population, form)
    shapes = _shapes(form)
    asked = tuple(_read(text) for text in count.where)
    dimensions = _dimensions(identity, indicator, count.by, asked, shapes)
    own = tuple(parse_condition(str(condition)) for condition in indicator.where)
    filters = _tidy(identity, (*own, *asked), shapes)
    part = _tidy(identity, tuple(parse_condition(str(condition)) for condition in indicator.part), shapes)
    if indicator.measure == "share" and not part:
        raise not_in_catalogue("catalogue.share_without_part", indicator=identity)
    months = read_period(count.period) if count.period else None
    kind, _, measured = indicator.measure.partition(":")
    if kind in ("sum", "mean") and not (measured in shapes and shapes[measured].is_number):
        raise not_in_catalogue("catalogue.not_a_number", indicator=identity, fact=measured)
    used = {*dimensions, *(condition.fact for condition in (*filters, *part)), measured}
    return TableSpec(
        id=identity,
        version=CATALOGUE_VERSION,
        source=f"{programme.name}.{form.name}",
        unit=indicator.unit.value,
        population=population,
        is_about_people=is_about_people,
        measure=indicator.measure,
        dimensions=dimensions,
        months=months,
        filters=filters,
        part=part if indicator.measure == "share" else (),
        domains=tuple(_domain(shapes[name], filters, months) for name in dimensions),
        structural_zeros=structural_zeros,
        lists=frozenset(name for name in used if name in shapes and shapes[name].is_list),
        numbers=frozenset(name for name in used if name in shapes and shapes[name].is_number),
    )


def read_period(text: str) -> tuple[str, str]:
    """First and last month of a period, both included.

    >>> read_period("2022"), read_period("2021-09/2022-08"), read_period("2020/2022")
    (('2022-01', '2022-12'), ('2021-09', '2022-08'), ('2020-01', '2022-12'))
    """
    first, slash, last = text.strip().partition("/")
    if not slash:
        last = first
    first = f"{first}-01" if _YEAR.fullmatch(first) else first
    last = f"{last}-12" if _YEAR.fullmatch(last) else last
    if not (_MONTH.fullmatch(first) and _MONTH.fullmatch(last)) or first > last:
        raise not_in_catalogue("catalogue.period", period=text)
    return first, last


def _indicator(programme: Programme, written: str) -> Indicator:
    name = written.removeprefix(f"{programme.name}.")
    for indicator in programme.indicators:
        if indicator.name == name:
            return indicator
    names = ", ".join(f"{programme.name}.{indicator.name}" for indicator in programme.indicators)
    raise not_in_catalogue("catalogue.indicator", indicator=written, allowed=names)


def _is_about_people(form: Form) -> bool:
    """People, what stands for one, and incidents unless they are open data with a publisher.

    What is added up does not matter: the people at an event are counted by the event.
    """
    if form.about is SubjectKind.INCIDENT:
        return form.source is None
    return form.about in (SubjectKind.PERSON, SubjectKind.BUSINESS, SubjectKind.SITE)


def _refuse_measure(identity: str, indicator: Indicator, population: Population, form: Form) -> None:
    """Sums, means, rows and days of protected subjects follow one person too closely to be published."""
    kind = indicator.measure.partition(":")[0]
    if population is not Population.OPEN and kind in ("sum", "mean", "records", "first"):
        raise not_in_catalogue(f"catalogue.protected_{kind}", indicator=identity)
    if population is Population.STRICT and kind == "share":
        raise not_in_catalogue("catalogue.strict_share", indicator=identity)
    if kind == "first" and not has_day(form.about, form.population):
        raise not_in_catalogue("catalogue.no_day", indicator=identity)


def _shapes(form: Form) -> dict[str, FactShape]:
    """Every fact that the rows of a form have."""
    shapes: dict[str, FactShape] = {}
    for name, kind in form.fact_types.items():
        codes = form.codes(name)
        field = form.country if name == "country" else None
        if name not in ALWAYS and name != DAY:
            field = form.fact(name).source
        if field is None and name in ("country", "institution", "institution_country"):
            codes = FROM_CONTRIBUTORS
        elif field is not None and codes is not None and not form.field(field).required:
            codes = (*codes, NOT_STATED)
        shapes[name] = FactShape(name, codes, is_list=kind == "set", is_number=kind == "number")
    return shapes


def _read(text: str) -> Condition:
    """A condition that somebody asked for."""
    try:
        return parse_condition(text)
    except Refused as refusal:
        raise NotInCatalogue(*refusal.problems) from None


def _dimensions(
    identity: str,
    indicator: Indicator,
    by: tuple[str, ...],
    asked: tuple[Condition, ...],
    shapes: Mapping[str, FactShape],
) -> tuple[str, ...]:
    """The dimensions in the order of the catalogue, the period last."""
    order = [name for name in indicator.dimensions if name not in PERIOD_DIMENSIONS]
    periods = [name for name in PERIOD_DIMENSIONS if name != DAY or name in indicator.dimensions]
    allowed = [*order, *periods]
    for name in (*by, *(condition.fact for condition in asked)):
        if name not in allowed or name not in shapes:
            raise not_in_catalogue(
                "catalogue.dimension", indicator=identity, dimension=name, allowed=", ".join(allowed)
            )
    narrowed = {name for name in (*by, *(condition.fact for condition in asked)) if name in order}
    if len(narrowed) > MOST_DIMENSIONS:
        raise not_in_catalogue("catalogue.too_many", indicator=identity, most=str(MOST_DIMENSIONS))
    if len({name for name in by if name in periods}) > 1:
        raise not_in_catalogue("catalogue.two_periods", indicator=identity)
    for condition in asked:
        if condition.operator not in ("=", "!=", "in") and condition.fact not in periods:
            raise not_in_catalogue("catalogue.threshold", indicator=identity, condition=str(condition))
    return tuple(name for name in allowed if name in by)


def _tidy(
    identity: str, conditions: Iterable[Condition], shapes: Mapping[str, FactShape]
) -> tuple[Filter, ...]:
    """The conditions in one order, each value once, on facts and values that exist."""
    tidy: set[Filter] = set()
    for condition in conditions:
        shape = shapes.get(condition.fact)
        if shape is None:
            raise not_in_catalogue(
                "catalogue.fact", indicator=identity, fact=condition.fact, allowed=", ".join(sorted(shapes))
            )
        values = tuple(sorted(set(condition.values)))
        for value in values:
            if shape.is_number and not re.fullmatch(r"-?[0-9]{1,18}", value):
                raise not_in_catalogue(
                    "catalogue.not_whole", indicator=identity, fact=shape.name, value=value
                )
            if shape.codes and value not in (*shape.codes, NOT_STATED):
                raise not_in_catalogue(
                    "catalogue.value",
                    indicator=identity,
                    fact=shape.name,
                    value=value,
                    allowed=", ".join(shape.codes),
                )
        operator = "=" if condition.operator == "in" and len(values) == 1 else condition.operator
        tidy.add(Filter(condition.fact, operator, values))
    return tuple(sorted(tidy))


def _domain(
    shape: FactShape, filters: tuple[Filter, ...], months: tuple[str, str] | None
) -> tuple[str, ...] | None:
    """The codes of a dimension that can have a subject at all, under the filters and the period."""
    codes = shape.codes
    if months and shape.name == "month":
        codes = tuple(_months(*months))
    elif months and shape.name == "year":
        codes = tuple(dict.fromkeys(month[:4] for month in _months(*months)))
    if not codes or shape.is_list:
        return codes
    return narrowed(codes, shape.name, filters) or None


def narrowed(codes: tuple[str, ...], fact: str, filters: tuple[Filter, ...]) -> tuple[str, ...]:
    """Those of `codes` that the filters on `fact` let through.

    >>> narrowed(("GT", "HN", "MX"), "country", (Filter("country", "in", ("GT", "HN")),))
    ('GT', 'HN')
    """
    for condition in filters:
        if condition.fact != fact:
            continue
        if condition.operator in ("=", "in"):
            codes = tuple(code for code in codes if code in condition.values)
        elif condition.operator == "!=":
            codes = tuple(code for code in codes if code not in condition.values)
    return codes


def _months(first: str, last: str) -> Iterable[str]:
    year, month = int(first[:4]), int(first[5:])
    while (text := f"{year:04d}-{month:02d}") <= last:
        yield text
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
