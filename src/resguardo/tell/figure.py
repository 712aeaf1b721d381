"""A recipe says how a published figure is counted; a figure is what a safe table says about a recipe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import rfc8785

from resguardo.count.disclosure import SafeCell, SafeTable
from resguardo.count.indicator import Count as Question
from resguardo.count.indicator import Filter, TableSpec
from resguardo.plan.condition import parse_condition
from resguardo.plan.programme import OpenSource
from resguardo.values import Problem, Refused, Words

Measured = Fraction | date
"""A number of a figure, or the day of one that asks for the earliest."""


@dataclass(frozen=True)
class Recipe:
    """How a figure is counted: the same recipe over the same records gives the same figure, anywhere.

    `coverage` describes the recipe to people and decides nothing, so it is not part of `canonical` nor of
    the digest: mending a typing error in it does not make another recipe.
    """

    indicator: str
    """``programme.indicator``, as in ``training.people_trained``."""
    where: tuple[str, ...] = ()
    """Conditions that hold besides those of the indicator: ``country in GT|HN|SV``."""
    by: tuple[str, ...] = ()
    period: str | None = None
    """Whole months, first and last included: ``2021-09/2022-08``; or ``2022``, or ``2022-08``."""
    as_of: date | None = None
    """The day up to which records were known."""
    coverage: Words = field(default_factory=dict, compare=False)
    """Where and when it counts, in words for a reader."""

    @property
    def programme(self) -> str:
        """The folder of the programme that declares the indicator."""
        return self.indicator.partition(".")[0]

    @property
    def months(self) -> tuple[str, ...]:
        """Every month covered, in order; none when the recipe has no period."""
        return months_of(self.period) if self.period else ()

    @property
    def months_known(self) -> tuple[str, ...]:
        """The months covered that had begun when the records were known: a year seen in August has eight."""
        if self.as_of is None:
            return self.months
        last = f"{self.as_of:%Y-%m}"
        return tuple(month for month in self.months if month <= last)

    @property
    def question(self) -> Question:
        """The question that the room `count` is asked."""
        return Question(self.indicator, by=self.by, where=self.where, period=self.period)

    def canonical(self) -> bytes:
        """The recipe as canonical JSON (RFC 8785): what anybody hashes to get the same digest.

        Conditions and the values inside them are sorted, the period is written in months.

        >>> Recipe("training.people_trained", where=("country in GT | MX",), period="2022").canonical()
        b'{"as_of":null,"by":[],"indicator":"training.people_trained",\
"period":"2022-01/2022-12","where":["country in GT|MX"]}'
        """
        months = self.months
        octets: bytes = rfc8785.dumps(
            {
                "indicator": self.indicator,
                "where": sorted(_canonical_condition(text) for text in self.where),
                "by": list(self.by),
                "period": f"{months[0]}/{months[-1]}" if months else None,
                "as_of": self.as_of.isoformat() if self.as_of else None,
            }
        )
        return octets

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def mark(self) -> str:
        """The digest as it is shown: its first eight and last four digits (``7c1e09b2…a94d``)."""
        return f"{self.digest[:8]}…{self.digest[-4:]}"


def _canonical_condition(text: str) -> str:
    condition = parse_condition(text)
    if condition.operator == "in" and len(condition.values) == 1:
        return f"{condition.fact} = {condition.values[0]}"
    return f"{condition.fact} {condition.operator} {'|'.join(sorted(set(condition.values)))}"


_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?(?:/(\d{4})(?:-(\d{2}))?)?")


def months_of(period: str) -> tuple[str, ...]:
    """Every month of a period, in order; raises `Refused` when it is none.

    >>> months_of("2021-11/2022-02")
    ('2021-11', '2021-12', '2022-01', '2022-02')
    >>> len(months_of("2022")), len(months_of("2020/2022"))
    (12, 36)
    """
    found = _PERIOD.fullmatch(period.strip())
    if found is None:
        raise Refused(Problem("tell.claims_file.period", {"written": period}))
    first_year, first_month, last_year, last_month = found.groups()
    if last_year is None:
        last_year, last_month = first_year, first_month
    begins, ends = int(first_month or 1), int(last_month or 12)
    first, last = int(first_year) * 12 + begins - 1, int(last_year) * 12 + ends - 1
    if not (1 <= begins <= 12 and 1 <= ends <= 12 and first <= last):
        raise Refused(Problem("tell.claims_file.period", {"written": period}))
    return tuple(f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(first, last + 1))


@dataclass(frozen=True)
class Source:
    """Where an open figure comes from. Without a publisher and a date an open figure is not published."""

    title: str
    publisher: str
    as_of: date
    licence: str = ""
    address: str = ""


def source_of(open_source: OpenSource) -> Source:
    """The source that a programme declares for a form of open data."""
    return Source(
        open_source.title,
        open_source.publisher,
        open_source.as_of,
        open_source.licence,
        open_source.address,
    )


@dataclass(frozen=True)
class Group:
    """One group of a figure, or all of it: what is published, and the bounds of the true value."""

    key: tuple[str, ...]
    """The codes of the group; empty for the whole."""
    low: Measured | None
    high: Measured | None
    """None on either side: the table does not say how far."""
    published: Measured | None
    status: Literal["F", "C"]
    """``F`` when published, ``C`` when protected (fewer than the floor, perhaps none)."""
    decimals: int | None = None
    """For a mean: at how many decimals the table gives it."""

    @property
    def exact(self) -> Measured | None:
        """The true value, when the table tells it."""
        return self.low if self.low is not None and self.low == self.high else None


@dataclass(frozen=True)
class Figure:
    """What a safe table says about a recipe: the whole, its groups, and where it comes from."""

    recipe: Recipe
    whole: Group
    groups: tuple[Group, ...]
    """Those of the table, protected ones included, sorted by key."""
    is_complete: bool
    """Whether a group that is not listed is known to be empty. When not, it is protected or empty."""
    dimensions: tuple[str, ...]
    """What each place of a group's key says, in the order of the table."""
    filters: tuple[Filter, ...]
    """Every condition that was counted under, the indicator's own included."""
    unit: str
    measure: str
    as_of: date
    method: str
    digest: str
    """SHA-256 of the safe table."""
    contributors: tuple[str, ...]
    source: Source | None = None


CountRecipe = Callable[[Recipe], SafeTable]
"""Counts a recipe. Raises `Refused` when it cannot, or when the table would expose somebody."""


def figure_of(recipe: Recipe, table: SafeTable, *, source: Source | None = None) -> Figure:
    """What `table` says about `recipe`."""
    return Figure(
        recipe=recipe,
        whole=_group(table.total, table.spec),
        groups=tuple(_group(cell, table.spec) for cell in table.cells) if table.spec.dimensions else (),
        is_complete=table.is_complete,
        dimensions=table.spec.dimensions,
        filters=table.spec.filters,
        unit=table.spec.unit,
        measure=table.spec.measure,
        as_of=table.as_of,
        method=table.method.name,
        digest=table.digest,
        contributors=table.contributors,
        source=source,
    )


def is_zero(group: Group) -> bool:
    """Whether the group is known to be empty."""
    return group.exact == Fraction(0)


def _group(cell: SafeCell, spec: TableSpec) -> Group:
    decimals = None
    if spec.kind == "mean" and isinstance(cell.value, Decimal):
        decimals = max(0, -int(cell.value.as_tuple().exponent))
    return Group(
        cell.key,
        measured_of(cell.low),
        measured_of(cell.high),
        measured_of(cell.value),
        status=cell.status,
        decimals=decimals,
    )


def measured_of(value: int | Decimal | date | None) -> Measured | None:
    """A value of a table as an exact number, or a day."""
    return value if value is None or isinstance(value, date) else Fraction(value)
