"""What a class learnt is computed as published, and refused where the numbers cannot say it."""

from __future__ import annotations

import pytest

from resguardo.programmes.training.method import gain_of_means, learning

BEFORE = [50, 60, 40, 70, 55, 65]
AFTER = [80, 84, 70, 91, 82, 86]


def test_the_gain_and_the_paired_comparison_are_those_of_the_worked_example() -> None:
    found = learning(BEFORE, AFTER)
    assert (found.people, found.mean_difference) == (6, 25.5)
    assert (round(found.mean_before, 3), round(found.mean_after, 3)) == (56.667, 82.167)
    assert (round(found.deviation, 4), round(found.effect, 4), round(found.t, 3)) == (4.1352, 6.1665, 15.105)
    assert round(found.gain, 4) == 0.5885
    assert gain_of_means(found.mean_before, found.mean_after) == pytest.approx(found.gain)
    own = [(late - early) / (100 - early) for early, late in zip(BEFORE, AFTER, strict=True)]
    assert sum(own) / 6 == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("before", "after"), [([1], [2]), ([1, 2], [3]), ([100, 100], [100, 90]), ([50, 60], [60, 70])]
)
def test_a_class_that_cannot_be_compared_is_refused(before: list[float], after: list[float]) -> None:
    with pytest.raises(ValueError, match=r"class|people|spread"):
        learning(before, after)


def test_nobody_gains_beyond_the_highest_score() -> None:
    with pytest.raises(ValueError, match="highest"):
        gain_of_means(100, 100)
