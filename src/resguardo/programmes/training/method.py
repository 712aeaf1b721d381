"""What a training taught: normalised gain and the paired comparison of the scores before and after.

Source: R. Hake's normalised gain on class means; the paired t statistic; Cohen's d_z for paired differences.
Needs the pairs of one class, so it is computed where the records are open for the purpose and published as a
single number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


@dataclass(frozen=True)
class Learning:
    """How the scores of a class changed."""

    people: int
    mean_before: float
    mean_after: float
    mean_difference: float
    deviation: float
    """Standard deviation of the differences, with n - 1."""
    gain: float
    """(after - before) / (highest - before), on the means of the class."""
    effect: float
    """d_z: the mean difference in standard deviations of the differences."""
    t: float
    """The paired t statistic, with `people` - 1 degrees of freedom."""


def learning(before: Sequence[float], after: Sequence[float], highest: float = 100) -> Learning:
    """What a class learnt, from the scores of the same people before and after.

    >>> found = learning([50, 60, 40, 70, 55, 65], [80, 84, 70, 91, 82, 86])
    >>> round(found.gain, 4), round(found.effect, 4), round(found.t, 3)
    (0.5885, 6.1665, 15.105)
    """
    if len(before) != len(after) or len(before) < 2:
        raise ValueError("the scores of at least two people, before and after, are needed")
    if fmean(before) >= highest:
        raise ValueError("a class that already had the highest score cannot gain")
    differences = [late - early for early, late in zip(before, after, strict=True)]
    deviation = stdev(differences)
    if deviation == 0:
        raise ValueError("everybody changed by the same amount: the comparison has no spread")
    mean = fmean(differences)
    return Learning(
        people=len(before),
        mean_before=fmean(before),
        mean_after=fmean(after),
        mean_difference=mean,
        deviation=deviation,
        gain=mean / (highest - fmean(before)),
        effect=mean / deviation,
        t=mean / (deviation / math.sqrt(len(before))),
    )


def gain_of_means(before: float, after: float, highest: float = 100) -> float:
    """The normalised gain from two published means.

    >>> round(gain_of_means(56.667, 82.167), 4)
    0.5885
    """
    if before >= highest:
        raise ValueError("a class that already had the highest score cannot gain")
    return (after - before) / (highest - before)
