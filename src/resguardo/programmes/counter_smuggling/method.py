"""How much of the Protocol a law has, when incidents are out of the ordinary, and what a route costs.

Sources: the transposition index is this programme's own design. C1, C2 and C3 are the statistics of the Early
Aberration Reporting System (baseline of seven periods; alarm above 3, above 3 and above 2), written down from
memory; the cumulative sum is Page's. All are pure functions: an alarm says that somebody should look, not why
the number rose.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

WORTH: Mapping[str, float] = {"full": 1.0, "partial": 0.5, "none": 0.0}
"""What a provision adds to the index; one that is not applicable is left out of it."""

BASELINE = 7
"""Periods that say what is ordinary."""
LAG = 2
"""Periods between the baseline of C2 and the period watched, so that a slow rise does not hide itself."""
FEWEST_INCIDENTS = 11
"""Incidents that a route needs before its fee is said."""


@dataclass(frozen=True)
class Transposition:
    """How much of the Protocol one law has."""

    index: float
    """Full provisions and half of the partial ones, over the applicable ones; from 0 to 1."""
    applicable: int
    mandatory_missing: tuple[str, ...]
    """Provisions that the Protocol obliges to and the law has not at all."""
    protection_missing: tuple[str, ...]
    """Those of them that protect migrants: a single one is an alert, whatever the index."""


def transposition(
    status: Mapping[str, str], *, mandatory: Collection[str], protection: Collection[str]
) -> Transposition:
    """The index of a law, from the status of each provision examined: full, partial, none, not_applicable.

    >>> examined = {"S06": "none", "S07": "full", "S08": "partial", "S18": "not_applicable"}
    >>> found = transposition(examined, mandatory=["S06", "S07", "S08", "S18"], protection=["S06"])
    >>> (found.index, found.applicable, found.protection_missing)
    (0.5, 3, ('S06',))
    """
    unknown = sorted(set(status.values()) - {*WORTH, "not_applicable"})
    if unknown:
        raise ValueError(f"a provision is full, partial, none or not_applicable, not {', '.join(unknown)}")
    worth = [WORTH[value] for value in status.values() if value != "not_applicable"]
    if not worth:
        raise ValueError("no provision was examined that applies")
    missing = tuple(sorted(code for code, value in status.items() if value == "none" and code in mandatory))
    return Transposition(
        index=sum(worth) / len(worth),
        applicable=len(worth),
        mandatory_missing=missing,
        protection_missing=tuple(code for code in missing if code in protection),
    )


@dataclass(frozen=True)
class Watched:
    """One period against the ones before it. A statistic is None where there are too few periods before."""

    c1: float | None
    c2: float | None
    c3: float | None

    @property
    def alarms(self) -> tuple[str, ...]:
        """The statistics that are out of the ordinary."""
        limits = (("C1", self.c1, 3.0), ("C2", self.c2, 3.0), ("C3", self.c3, 2.0))
        return tuple(name for name, value, limit in limits if value is not None and value > limit)


def watch(counts: Sequence[int], *, least_deviation: float = 0.5) -> tuple[Watched, ...]:
    """Each period of a series against the seven before it (C1), the seven before those two (C2), and C2 added
    up over three periods (C3). `least_deviation` keeps one more incident in a quiet series from alarming.

    >>> [period.alarms for period in watch([4, 3, 5, 2, 4, 6, 3, 5, 4, 6, 9, 12])[-2:]]
    [('C1', 'C2'), ('C1', 'C2', 'C3')]
    """
    if least_deviation <= 0:
        raise ValueError("the least deviation is above zero")

    def statistic(at: int, lag: int) -> float | None:
        first = at - lag - BASELINE
        if first < 0:
            return None
        ordinary = counts[first : at - lag]
        return (counts[at] - fmean(ordinary)) / max(stdev(ordinary), least_deviation)

    watched: list[Watched] = []
    lagged: list[float | None] = []
    for at in range(len(counts)):
        lagged.append(statistic(at, LAG))
        three = [value for value in lagged[-3:] if value is not None]
        added = sum(max(0.0, value - 1) for value in three) if len(three) == 3 else None
        watched.append(Watched(statistic(at, 0), lagged[-1], added))
    return tuple(watched)


def cumulative_sum(
    counts: Sequence[int], *, ordinary: float, deviation: float, slack: float = 0.5
) -> tuple[float, ...]:
    """Page's sum of what exceeds the ordinary by more than the slack, in deviations. Alarm: above 4.

    >>> [round(value, 3) for value in cumulative_sum([4, 6, 9, 12], ordinary=4, deviation=1.5)]
    [0.0, 0.833, 3.667, 8.5]
    """
    if deviation <= 0:
        raise ValueError("the deviation is above zero")
    sums: list[float] = []
    for count in counts:
        sums.append(max(0.0, (sums[-1] if sums else 0.0) + (count - ordinary) / deviation - slack))
    return tuple(sums)


def middle_fee(fees: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """The median fee of each route, in US dollars; routes with fewer than eleven incidents are not said.

    >>> middle_fee({"VE to TT": [200] * 6 + [300] * 5, "HT to BS": [3000] * 10})
    {'VE to TT': 200}
    """
    return {route: median(paid) for route, paid in fees.items() if len(paid) >= FEWEST_INCIDENTS}
