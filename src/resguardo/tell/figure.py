"""A recipe says how a published figure is counted; a figure is what a safe table says about a recipe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import rfc8785

from resguardo.values import Words

if TYPE_CHECKING:
    from resguardo.count.disclosure import SafeTable


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

    def canonical(self) -> bytes:
        """The recipe as canonical JSON (RFC 8785): what anybody hashes to get the same digest."""
        raise NotImplementedError

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def mark(self) -> str:
        """The digest as it is shown: its first eight and last four digits (``7c1e09b2…a94d``)."""
        return f"{self.digest[:8]}…{self.digest[-4:]}"


@dataclass(frozen=True)
class Source:
    """Where an open figure comes from. Without a publisher and a date an open figure is not published."""

    title: str
    publisher: str
    as_of: date
    licence: str = ""
    address: str = ""


@dataclass(frozen=True)
class Group:
    """One group of a figure: a country, a year, a day."""

    key: tuple[str, ...]
    low: Fraction
    high: Fraction | None
    published: Fraction | date | None
    status: str
    """``F`` when published, ``C`` when protected (fewer than the floor, perhaps none)."""


@dataclass(frozen=True)
class Figure:
    """What a safe table says about a recipe. The true value lies between `low` and `high`, both included."""

    recipe: Recipe
    low: Fraction
    high: Fraction | None
    published: Fraction | date | None
    status: str
    groups: tuple[Group, ...]
    complete: bool
    """Whether a group that is not there is known to be empty (exact figures), or may be a protected one."""
    as_of: date | None
    method: str
    digest: str
    """SHA-256 of the safe table."""
    contributors: int | None = None
    source: Source | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the figure is known to the unit."""
        return self.high is not None and self.low == self.high


Count = Callable[[Recipe], "SafeTable"]
"""Counts a recipe. Raises `Refused` when it cannot, or when the table would expose somebody."""


def figure_of(recipe: Recipe, table: SafeTable, *, source: Source | None = None) -> Figure:
    """What `table` says about `recipe`."""
    raise NotImplementedError
