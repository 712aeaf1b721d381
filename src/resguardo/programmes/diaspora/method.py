"""What the diaspora programme computes of its own: remittances against the product, how many organisations
there are, and how well an offer fits a need.

Sources: the balance of payments for the ratio; D. G. Chapman's estimate from two lists, with the variance of
G. A. F. Seber; the weights of a match are this programme's own design, in `tables/match_weights.csv`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

Z_95: Final = 1.959964
"""The 97.5% point of the normal distribution: 95% lies between it and its negative."""


def ratio_to_product(remittances: float, product: float) -> float:
    """Remittances as a part of the gross domestic product, both in the same unit and of the same year.

    >>> round(ratio_to_product(4_576.03, 26_760.4), 3)
    0.171
    """
    if product <= 0 or remittances < 0:
        raise ValueError("a product above zero and remittances of zero or more are needed")
    return remittances / product


def implied_product(remittances: float, ratio: float) -> float:
    """The product that a published ratio supposes: a ratio is only as good as the product it used.

    >>> round(implied_product(4_576.03, 0.171), 1), round(implied_product(4_576.03, 0.152), 1)
    (26760.4, 30105.5)
    """
    if ratio <= 0 or remittances < 0:
        raise ValueError("a ratio above zero and remittances of zero or more are needed")
    return remittances / ratio


@dataclass(frozen=True)
class Estimate:
    """How many organisations there are, seen and unseen, from two lists made apart."""

    number: float
    error: float
    """The standard error."""
    low: float
    """The lower end of the 95% interval; never below the organisations that were seen."""
    high: float


def organisations_from_two_lists(first: int, second: int, both: int) -> Estimate:
    """Chapman's estimate from the lengths of two lists and the number of organisations that are in both.

    It supposes that the lists were made apart, that no organisation came or went in between, and that the
    same organisation is recognised in both. Where one list led to the other, it says too few.

    >>> found = organisations_from_two_lists(60, 45, 20)
    >>> round(found.number, 2), round(found.error, 2), round(found.low), round(found.high)
    (132.62, 17.01, 99, 166)
    """
    if both < 0 or both > min(first, second):
        raise ValueError("what is in both lists cannot be more than what is in either")
    number = (first + 1) * (second + 1) / (both + 1) - 1
    variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    error = math.sqrt(variance)
    seen = first + second - both
    return Estimate(number, error, max(float(seen), number - Z_95 * error), number + Z_95 * error)


@dataclass(frozen=True)
class Offered:
    """What a person offers, as far as a match needs it: no name, no address."""

    isco_group: str | None
    languages: frozenset[str]
    hours_month: int | None
    country: str
    """The country of origin."""


@dataclass(frozen=True)
class Needed:
    """What an organisation looks for."""

    isco_group: str | None
    languages: frozenset[str]
    """Any of these will do; none means that the language does not matter."""
    hours_month: int | None
    country: str
    """The country where it is needed."""


def weights_from(rows: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    """The weight of each part, from the rows of the table of weights; together they are one."""
    weights = {row["part"]: Decimal(row["weight"]) for row in rows}
    if weights.keys() != {"isco_group", "language", "availability", "place"} or sum(weights.values()) != 1:
        raise ValueError("the weights are those of four parts, and together they are one")
    return weights


def match_score(offered: Offered, needed: Needed, weights: Mapping[str, Decimal]) -> Decimal:
    """How well an offer fits a need, from 0 to 1. It puts proposals in order; a person decides.

    What the need does not ask for is met. An answer that the person left out meets nothing that is asked.
    """
    met = {
        "isco_group": needed.isco_group is None or offered.isco_group == needed.isco_group,
        "language": not needed.languages or not offered.languages.isdisjoint(needed.languages),
        "availability": needed.hours_month is None
        or (offered.hours_month is not None and offered.hours_month >= needed.hours_month),
        "place": offered.country == needed.country,
    }
    return sum((weights[part] for part, holds in met.items() if holds), Decimal(0))
