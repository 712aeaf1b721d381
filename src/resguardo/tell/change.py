"""Whether two figures can be compared, and whether their difference is more than chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import product
from math import sqrt

from resguardo.count.indicator import PERIOD_DIMENSIONS
from resguardo.tell.figure import Figure
from resguardo.tell.interval import Interval, interval_of
from resguardo.tell.wording import Listed, Remark


class Direction(StrEnum):
    """What a sentence says that a figure did."""

    ROSE = "rose"
    FELL = "fell"


class Trial(StrEnum):
    """The statistical test of a change."""

    TWO_PERIODS = "two_periods"
    """Counts of two equally long periods: decided by the exact binomial test, one-sided, because the sentence
    says the direction beforehand; z = (b - a) / sqrt(a + b) is shown beside it."""
    TWO_SHARES = "two_shares"
    """Two shares of people who were asked: two-proportion z, two-sided."""


@dataclass(frozen=True)
class TrialResult:
    """The result of the test of a change. Of a protected figure, the one that supports the sentence least."""

    trial: Trial
    z: float
    p: float
    alpha: Decimal

    @property
    def is_significant(self) -> bool:
        """Whether chance alone would give such a difference more seldom than the limit."""
        return self.p < self.alpha

    def supports(self, direction: Direction) -> bool:
        """Whether the figure went that way at all."""
        return self.z > 0 if direction is Direction.ROSE else self.z < 0


def two_periods(before: int, after: int, direction: Direction, *, alpha: Decimal) -> TrialResult:
    """Whether two counts of equally long periods differ in that direction by more than chance.

    Given their sum, equal rates split it as tosses of a coin do (Przyborowski and Wilenski, 1940): the exact
    binomial test at one half decides. z = (b - a) / sqrt(a + b) is its approximation for large counts.

    >>> result = two_periods(180, 321, Direction.ROSE, alpha=Decimal("0.05"))
    >>> round(result.z, 3), result.is_significant
    (6.299, True)
    >>> result = two_periods(24, 36, Direction.ROSE, alpha=Decimal("0.05"))
    >>> round(result.p, 4), result.is_significant
    (0.0775, False)
    """
    both = before + after
    if both == 0:
        return TrialResult(Trial.TWO_PERIODS, 0.0, 1.0, alpha)
    from scipy.stats import binomtest  # here: it takes seconds to load, and most commands test no change

    if direction is Direction.ROSE:
        p = binomtest(after, both, 0.5, alternative="greater").pvalue
    else:
        p = binomtest(after, both, 0.5, alternative="less").pvalue
    return TrialResult(Trial.TWO_PERIODS, (after - before) / sqrt(both), float(p), alpha)


def two_shares(
    before: float, asked_before: int, after: float, asked_after: int, *, alpha: Decimal
) -> TrialResult:
    """Whether two shares of people asked differ by more than chance: the two-proportion z test, two-sided.

    >>> result = two_shares(200 / 400, 400, 226 / 400, 400, alpha=Decimal("0.05"))
    >>> round(result.z, 3), round(result.p, 4), result.is_significant
    (1.842, 0.0654, False)
    """
    pooled = (before * asked_before + after * asked_after) / (asked_before + asked_after)
    spread = sqrt(max(0.0, pooled * (1 - pooled)) * (1 / asked_before + 1 / asked_after))
    if spread == 0:
        return TrialResult(Trial.TWO_SHARES, 0.0, 1.0, alpha)
    from scipy.stats import norm

    z = (after - before) / spread
    return TrialResult(Trial.TWO_SHARES, z, float(2 * norm.sf(abs(z))), alpha)


def period_results(
    before: Interval, after: Interval, direction: Direction, *, alpha: Decimal
) -> tuple[TrialResult, ...]:
    """The test of two counts at every corner of what the figures allow; none where a bound is not known."""
    return tuple(
        two_periods(int(old), int(new), direction, alpha=alpha)
        for old, new in product(before.ends, after.ends)
    )


def share_results(
    before: Interval, asked_before: Figure, after: Interval, asked_after: Figure, *, alpha: Decimal
) -> tuple[TrialResult, ...]:
    """The test of two percentages at every corner of what the figures allow."""
    asked = (interval_of(asked_before.whole), interval_of(asked_after.whole))
    if asked[0] is None or asked[1] is None:
        return ()
    return tuple(
        two_shares(float(old) / 100, int(then), float(new) / 100, int(now), alpha=alpha)
        for old, new, then, now in product(before.ends, after.ends, asked[0].ends, asked[1].ends)
        if then and now
    )


@dataclass(frozen=True)
class Comparability:
    """Whether two figures can be compared: what forbids it, and what a reader should be warned of."""

    obstacle: Remark | None = None
    cautions: tuple[Remark, ...] = ()
    stopping: tuple[Remark, ...] = ()
    """Cautions that also keep the item from being published."""


_PLACES = ("country", "region", "admin1", "admin2", "place")


def is_place(fact: str) -> bool:
    """Whether a fact says where: a condition on it is part of the coverage."""
    return fact in _PLACES or any(fact.endswith(f"_{name}") for name in _PLACES)


def comparability(figure: Figure, before: Figure, facts: Mapping[str, object]) -> Comparability:
    """Whether `figure` can be compared with `before`; `facts` fill the sentences (values and change).

    They must be the same indicator, both known up to a day, cover the same number of months and the same
    places, and differ in one thing only: the period, or the group.
    """

    def forbidden(code: str, **more: object) -> Comparability:
        return Comparability(Remark(f"tell.not_computable.{code}", {**facts, **more}))

    now, then = figure.recipe, before.recipe
    if (now.indicator, figure.unit, figure.measure) != (then.indicator, before.unit, before.measure):
        return forbidden("different_indicator", now=now.indicator, then=then.indicator)
    if now.as_of is None or then.as_of is None:
        return forbidden("as_of_missing")
    if len(now.months_known) != len(then.months_known):
        months = {"now": len(now.months_known), "then": len(then.months_known)}
        return Comparability(
            Remark("tell.not_computable.unequal_periods", {**facts, **months}),
            stopping=(Remark("tell.note.unequal_coverage", months),),
        )
    if any(condition.fact in PERIOD_DIMENSIONS for condition in (*figure.filters, *before.filters)):
        return forbidden("period_in_where")
    same_months = now.months == then.months
    differing = set(figure.filters) ^ set(before.filters)
    if same_months and not differing:
        if now.as_of == then.as_of:
            return forbidden("same_recipe")
        return forbidden("same_period", now=max(now.as_of, then.as_of), then=min(now.as_of, then.as_of))
    conditions = Listed(
        tuple(sorted(f"{one.fact} {one.operator} {'|'.join(one.values)}" for one in differing))
    )
    if any(is_place(condition.fact) for condition in differing):
        return forbidden("different_places", conditions=conditions)
    if differing and not same_months:
        return forbidden("two_differences", conditions=conditions)
    cautions = []
    if differing:
        cautions.append(Remark("tell.note.different_groups", {"conditions": conditions}))
    if {month[5:] for month in now.months} != {month[5:] for month in then.months}:
        periods = {"now": now.period or "", "then": then.period or ""}
        cautions.append(Remark("tell.note.different_seasons", periods))
    return Comparability(cautions=tuple(cautions))
