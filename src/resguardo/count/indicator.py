"""What is asked of an indicator becomes a table of the catalogue, or is refused with what is allowed.

`specify` turns a programme's declaration and a question (by which groups, where, when) into a `TableSpec`: the
whole definition of a table, in one canonical order, so that the same question is the same table however it was
written. `TableSpec.statement` is one SQL text with its parameters beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resguardo.values import Population, Problem, Refused

if TYPE_CHECKING:
    from resguardo.plan.programme import Programme

CELL_PRIME = 2**31 - 1
"""Record keys and cell keys are numbers modulo this prime."""

NOT_STATED = "not_stated"
"""The category of a subject whose fact has no answer."""

MOST_DIMENSIONS = 3
"""Dimensions of one table besides the period, those fixed by a condition included."""

PERIOD_DIMENSIONS = ("year", "month", "day")


class NotInCatalogue(Refused):
    """The table that was asked for is none of the catalogue's; the sentence names what is allowed."""


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
    """A condition on a fact: every row that is counted meets it."""

    fact: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class TableSpec:
    """The whole definition of a table of the catalogue. Two questions with one meaning have one definition."""

    id: str
    """``programme.indicator``."""
    version: int
    source: str
    """``programme.form``: the form whose facts are counted."""
    unit: str
    """What one counted thing is; numbers of different units are never added."""
    population: Population
    is_about_people: bool
    """Whether a unit is a person or stands for one (case, business, site, an incident that somebody reported)."""
    measure: str
    """``count``, ``records``, ``share``, ``first``, ``sum:<fact>`` or ``mean:<fact>``."""
    dimensions: tuple[str, ...] = ()
    months: tuple[str, str] | None = None
    """First and last month counted, both included (``YYYY-MM``)."""
    filters: tuple[Filter, ...] = ()
    part: tuple[Filter, ...] = ()
    """For a share: what the part meets besides the filters."""
    domains: tuple[tuple[str, ...] | None, ...] = ()
    """For each dimension the codes that exist, or None where only the facts can tell."""
    structural_zeros: frozenset[tuple[str, ...]] = frozenset()
    """Cells that cannot exist, and are never listed."""
    lists: frozenset[str] = frozenset()
    """Facts with several values at once (select_multiple)."""
    numbers: frozenset[str] = field(default=frozenset())
    """Facts that are whole numbers."""

    def definition(self) -> dict[str, Any]:
        """The definition as plain values, in one order; what `digest` is taken of."""
        raise NotImplementedError

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the definition as canonical JSON."""
        raise NotImplementedError

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> TableSpec:
        """The spec that has this definition."""
        raise NotImplementedError


def specify(
    programme: Programme,
    count: Count,
    *,
    version: int = 1,
    structural_zeros: frozenset[tuple[str, ...]] = frozenset(),
) -> TableSpec:
    """The table of the catalogue that answers `count`.

    Refuses with `NotInCatalogue` an unknown indicator, a dimension that the indicator does not allow, a fact or
    a value that does not exist, more than three dimensions, a measure that the population class forbids.
    """
    raise NotImplementedError


def not_in_catalogue(code: str, **facts: str) -> NotInCatalogue:
    """A refusal with the sentence `count.<code>`."""
    return NotInCatalogue(Problem(f"count.{code}", facts))
