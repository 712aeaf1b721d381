"""A claim is what a sentence says about a figure, and `check` tells whether the records bear it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from resguardo.tell.figure import Count, Figure, Recipe, Source
from resguardo.values import Language, Words


class ClaimKind(StrEnum):
    """The kinds of claim. What each demands of the figure stands in `docs/claims.md`."""

    EXACT = "exact"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    ALMOST = "almost"
    ABOUT = "about"
    PERCENT = "percent"
    COUNTRIES_ARE = "countries_are"
    COUNTRIES_NUMBER = "countries_number"
    FIRST = "first"
    INCREASE = "increase"
    DECREASE = "decrease"
    DAY_IS = "day_is"
    YEARS_ARE = "years_are"


class Predicate(StrEnum):
    """How a number compares with the records, where a kind leaves it open (percent, number of countries)."""

    EXACT = "exact"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    ALMOST = "almost"
    ABOUT = "about"


class Trial(StrEnum):
    """The statistical test of a change."""

    TWO_PERIODS = "two_periods"
    """Counts of two periods of equal length: exact binomial, one-sided; z = (b - a) / sqrt(a + b) is shown."""
    TWO_SHARES = "two_shares"
    """Two shares of samples: two-proportion z, two-sided."""


@dataclass(frozen=True)
class Base:
    """What a figure is a part of, when its own table does not hold it: a population, a product."""

    number: Decimal
    as_of: date | None = None
    title: Words = field(default_factory=dict, hash=False)
    least: Decimal | None = None
    """Percent of the base under which the figure is not plausible."""
    most: Decimal | None = None
    """Percent of the base above which the figure is not plausible."""


@dataclass(frozen=True)
class Claim:
    """What a sentence says: a number, countries, a day, a change; and the recipe that decides it."""

    id: str
    kind: ClaimKind
    recipe: Recipe
    number: Decimal | None = None
    decimals: int = 0
    predicate: Predicate = Predicate.EXACT
    before: Recipe | None = None
    trial: Trial = Trial.TWO_PERIODS
    alpha: Decimal = Decimal("0.05")
    countries: frozenset[str] = frozenset()
    years: tuple[int, int] | None = None
    dateline: date | None = None
    day: date | None = None
    """The day said. A relative one ("yesterday") was resolved from the dateline."""
    relative_day: str | None = None
    """``yesterday``, ``today`` or ``tomorrow``, when the sentence says it so."""
    base: Base | None = None
    source: Source | None = None
    wording: Words = field(default_factory=dict, hash=False)
    """The sentence's own words per language, with blanks: ``más de {number}``."""

    @property
    def coverage(self) -> Words:
        """Where and when it counts, in words for a reader."""
        return self.recipe.coverage


class VerdictKind(StrEnum):
    """What the records say about a claim."""

    TRUE = "true"
    FALSE = "false"
    NOT_COMPUTABLE = "not_computable"
    WOULD_EXPOSE = "would_expose"


@dataclass(frozen=True)
class Remark:
    """A sentence of the room `tell` whose blanks are numbers, days and countries still without a language."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)

    def sentence(self, language: Language) -> str:
        """The remark in `language`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Note(Remark):
    """A warning beside a verdict. One that `stops` keeps the item from being published."""

    stops: bool = False


@dataclass(frozen=True)
class TestResult:
    """The result of the test of a change."""

    trial: Trial
    z: float
    p: float
    alpha: Decimal
    is_significant: bool


@dataclass(frozen=True)
class Verdict:
    """What the records say about a claim, why, and what may be said instead."""

    claim: Claim
    kind: VerdictKind
    reason: Remark
    figure: Figure | None = None
    before: Figure | None = None
    test: TestResult | None = None
    notes: tuple[Note, ...] = ()
    proposals: tuple[Remark, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the claim is true and no note stops it: only then may it be published."""
        return self.kind is VerdictKind.TRUE and not any(note.stops for note in self.notes)

    def sentence(self, language: Language) -> str:
        """The verdict in words that a press officer understands, with what may be said instead."""
        raise NotImplementedError


def check(claim: Claim, count: Count) -> Verdict:
    """The verdict on `claim`, judged on the published interval and never on a protected value."""
    raise NotImplementedError
