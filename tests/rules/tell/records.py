"""Rows of facts that tests count: every safe table here is made by the room `count`, never by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow

from resguardo.count.disclosure import Ledger, SafeTable, protect_by_class
from resguardo.count.indicator import CELL_PRIME, Filter, TableSpec, read_period
from resguardo.count.table import tabulate
from resguardo.plan.condition import parse_condition
from resguardo.tell.figure import Recipe
from resguardo.values import Population, Problem, Refused

TODAY = date(2026, 11, 24)

CODES = ("CR", "DO", "GT", "GY", "HN", "MX", "PA", "SV")
"""The countries that a protected table may name."""

PROTECTED = Population.PROTECTED

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Series:
    """An indicator and the rows that it counts. `known` in a row is the day when it was recorded."""

    rows: tuple[Row, ...]
    measure: str = "count"
    unit: str = "person"
    population: Population = Population.OPEN
    part: str | None = None
    seed: str = ""


def people(number: int, **facts: Any) -> tuple[Row, ...]:
    """So many persons with these facts."""
    mark = hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()[:8]
    return tuple({"unit": f"{mark}-{each}", **facts} for each in range(number))


def spread(numbers: Mapping[str, int], **facts: Any) -> tuple[Row, ...]:
    """So many persons in each country."""
    return tuple(
        row for country, number in numbers.items() for row in people(number, country=country, **facts)
    )


def published(value: int, *, month: str, country: str = "CR", **facts: Any) -> Row:
    """A figure that somebody published, as one row of open data."""
    return {
        "unit": f"figure-{month}-{value}-{facts}",
        "month": month,
        "country": country,
        "value": value,
        **facts,
    }


@dataclass
class Network:
    """Counts recipes as the service does: DuckDB over the rows known by then, `protect`, one ledger."""

    series: Mapping[str, Series]
    ledger: Ledger = field(default_factory=Ledger)
    counted: dict[str, SafeTable] = field(default_factory=dict)

    def __call__(self, recipe: Recipe) -> SafeTable:
        """The safe table of a recipe; one recipe is counted once."""
        if recipe.digest not in self.counted:
            self.counted[recipe.digest] = self._count(recipe)
        return self.counted[recipe.digest]

    def _count(self, recipe: Recipe) -> SafeTable:
        series = self.series.get(recipe.indicator)
        if series is None:
            raise Refused(
                Problem("count.catalogue.indicator", {"indicator": recipe.indicator, "allowed": "-"})
            )
        as_of = recipe.as_of or TODAY
        rows = [row for row in series.rows if row.get("known", date.min) <= as_of]
        spec = _spec(recipe, series)
        raw = tabulate(_facts(rows, spec, series), spec, as_of=as_of)
        return protect_by_class(raw, series.population, self.ledger)


def network(**series: Series) -> Network:
    """A network whose indicators are called ``p.<name>``."""
    return Network({f"p.{name}": each for name, each in series.items()})


def _spec(recipe: Recipe, series: Series) -> TableSpec:
    def domain(name: str) -> tuple[str, ...] | None:
        if series.population is Population.OPEN:
            return None
        return {"country": CODES, "year": ("2022", "2023", "2024", "2025", "2026")}.get(name)

    return TableSpec(
        id=recipe.indicator,
        version=1,
        source="p.form",
        unit=series.unit,
        population=series.population,
        is_about_people=series.unit == "person",
        measure=series.measure,
        dimensions=recipe.by,
        months=read_period(recipe.period) if recipe.period else None,
        filters=tuple(sorted(_filters(recipe.where))),
        part=tuple(_filters([series.part])) if series.part else (),
        domains=tuple(domain(name) for name in recipe.by),
        numbers=frozenset({"value"}) if ":value" in series.measure else frozenset(),
    )


def _filters(conditions: Iterable[str]) -> list[Filter]:
    read = [parse_condition(text) for text in conditions]
    return [Filter(one.fact, one.operator, tuple(sorted(one.values))) for one in read]


def _facts(rows: Iterable[Row], spec: TableSpec, series: Series) -> pyarrow.Table:
    named = {"unit", "rkey", "institution", "institution_kind", "institution_country", "country", "month"}
    columns = sorted(named | {"year", "day", "value"} | spec.columns)
    filled = [_filled(row, series) for row in rows]
    whole = {"rkey", "value"}
    return pyarrow.table(
        {
            name: pyarrow.array(
                [row.get(name) for row in filled],
                type=pyarrow.int64() if name in whole else pyarrow.string(),
            )
            for name in columns
        }
    )


def _filled(row: Row, series: Series) -> dict[str, Any]:
    """A row as the facts of an institution have it."""
    digest = hashlib.sha256(f"{series.seed}|{row['unit']}".encode()).hexdigest()
    month = row.get("month") or str(row.get("day", "2022-05"))[:7]
    return {
        "institution": "lima",
        "institution_kind": "ngo",
        "institution_country": "CR",
        "country": "CR",
        "month": month,
        "year": month[:4],
        **{name: value for name, value in row.items() if name != "known"},
        "unit": digest[:32],
        "rkey": int(digest[32:48], 16) % CELL_PRIME,
    }
