"""The numbers that a published figure allows, and whether a sentence holds for all of them or for none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import product

from resguardo.tell.figure import Figure, Group
from resguardo.tell.wording import Between, Number, Percentage, Remark, rounded


class Predicate(StrEnum):
    """How a number compares with the records. The kinds of claim of the same name have it built in."""

    EXACT = "exact"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    ALMOST = "almost"
    """Between nine tenths of the number, included, and the number, excluded."""
    ABOUT = "about"
    """No further from the number than a tenth of it."""


@dataclass(frozen=True)
class Interval:
    """The numbers that a published figure allows, both bounds included; None: no bound on that side."""

    low: Fraction | None
    high: Fraction | None
    published: Fraction | None = None
    is_percent: bool = False
    decimals: int | None = None
    """When only rounding stands between the published number and the true one: at how many decimals."""

    @property
    def is_plain(self) -> bool:
        """Whether nothing is protected: the number is known, or known but for its rounding."""
        return self.exact is not None or self.decimals is not None

    @property
    def exact(self) -> Fraction | None:
        """The number, when there is only one."""
        return self.low if self.low is not None and self.low == self.high else None

    @property
    def ends(self) -> tuple[Fraction, ...]:
        """Both bounds, one when they are the same, none when one is missing."""
        if self.low is None or self.high is None:
            return ()
        return (self.low,) if self.low == self.high else (self.low, self.high)

    def scaled(self, factor: Fraction) -> Interval:
        """As a percentage: every number times a positive `factor`."""
        low, high, published = (
            None if end is None else end * factor for end in (self.low, self.high, self.published)
        )
        return Interval(low, high, published, is_percent=True)

    def mirrored(self) -> Interval:
        """The size of a fall, when this is the size of a rise."""
        return Interval(
            None if self.high is None else -self.high,
            None if self.low is None else -self.low,
            is_percent=self.is_percent,
        )

    def shown(self, decimals: int | None = None) -> object:
        """The interval as a fact of a sentence: ``162``, ``between 156 and 164``, ``14 or fewer``."""
        if self.is_percent:
            decimals = max(2, decimals or 0)
        if self.decimals is not None and self.published is not None:
            return self._number(self.published, self.decimals)
        if self.exact is not None:
            return self._number(self.exact, decimals)
        if self.low is not None and self.high is not None and self.low > 0:
            return Between(self._number(self.low, decimals), self._number(self.high, decimals))
        if self.high is not None:
            return Remark("tell.figure.at_most", {"high": self._number(self.high, decimals)})
        if self.low is not None:
            return Remark("tell.figure.no_less", {"low": self._number(self.low, decimals)})
        return Remark("tell.figure.hidden")

    def _number(self, value: Fraction, decimals: int | None) -> Number | Percentage:
        return Percentage(value, decimals or 0) if self.is_percent else Number(value, decimals)


def interval_of(group: Group) -> Interval | None:
    """The numbers that a group allows; None for one that holds a day."""
    if isinstance(group.low, date) or isinstance(group.high, date) or isinstance(group.published, date):
        return None
    if group.decimals is None or group.published is None:
        return Interval(group.low, group.high, group.published)
    half = Fraction(1, 2 * 10**group.decimals)
    return Interval(group.published - half, group.published + half, group.published, decimals=group.decimals)


def percentage_of(figure: Figure, of: Figure | None) -> Interval | None:
    """The percentages that a figure allows: of its own whole when it is a share, else of the figure `of`."""
    part = interval_of(figure.whole)
    if part is None:
        return None
    if figure.measure == "share":
        return part.scaled(Fraction(100))
    whole = interval_of(of.whole) if of is not None else None
    if whole is None:
        return None
    return Interval(
        low=_percent(part.low, whole.high),
        high=_percent(part.high, whole.low),
        published=_percent(part.published, whole.published),
        is_percent=True,
    )


def _percent(part: Fraction | None, whole: Fraction | None) -> Fraction | None:
    return None if part is None or not whole else 100 * part / whole


def change_between(before: Interval, after: Interval) -> Interval | None:
    """By how many percent of what was before it changed; None when that cannot be said.

    >>> change_between(Interval(Fraction(180), Fraction(180)), Interval(Fraction(321), Fraction(321))).exact
    Fraction(235, 3)
    """
    sizes = [100 * (new / old - 1) for new, old in product(after.ends, before.ends) if old]
    if not sizes or len(sizes) < len(after.ends) * len(before.ends):
        return None
    return Interval(min(sizes), max(sizes), is_percent=True)


def holds(predicate: Predicate, interval: Interval, number: Fraction, *, decimals: int = 0) -> bool | None:
    """Whether the predicate holds on the whole interval or on none of it; None when the interval cannot tell.

    Every predicate holds on one stretch of numbers without a gap, so the two bounds decide.

    >>> protected = Interval(Fraction(156), Fraction(164))
    >>> holds(Predicate.MORE_THAN, protected, Fraction(155)), holds(Predicate.EXACT, protected, Fraction(162))
    (True, None)
    >>> holds(Predicate.AT_LEAST, protected, Fraction(165))
    False
    """
    if predicate is Predicate.EXACT and interval.decimals == decimals and interval.published is not None:
        # It was rounded once, to just these decimals: nothing else can be meant.
        return interval.published == number
    without_end = 0 if predicate in (Predicate.MORE_THAN, Predicate.AT_LEAST) else 1
    low, high = (
        at_no_end if end is None else _position(predicate, end, number, decimals)
        for end, at_no_end in ((interval.low, -1), (interval.high, without_end))
    )
    if low == high == 0:
        return True
    return False if low == 1 or high == -1 else None


def _position(predicate: Predicate, value: Fraction, number: Fraction, decimals: int) -> int:
    """Where `value` stands: 0 when the predicate holds, -1 when it is too small for it, 1 when too large."""
    match predicate:
        case Predicate.EXACT:
            shown = Fraction(rounded(value, decimals))
            return (shown > number) - (shown < number)
        case Predicate.MORE_THAN:
            return 0 if value > number else -1
        case Predicate.AT_LEAST:
            return 0 if value >= number else -1
        case Predicate.ALMOST:
            return -1 if value < number * Fraction(9, 10) else 0 if value < number else 1
        case Predicate.ABOUT:
            tenth = abs(number) / 10
            return -1 if value < number - tenth else 0 if value <= number + tenth else 1
