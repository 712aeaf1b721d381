"""A journalist with two tables, an insider who knows all but one: neither learns about the last person.

Attacks T1 (differencing), T2 (the insider) and T5 (a month published again), each shown to work on raw or
naively protected numbers.
"""

from __future__ import annotations

import numpy
import pytest
from tests.rules.count.crowds import crowd, person, spec_of, table_of

from resguardo.count.disclosure import CKR5, DifferenceRisk, Ledger
from resguardo.count.indicator import CELL_PRIME
from resguardo.count.methods import rounded

HIDDEN = -1
"""What the attacker sees of a number below the floor."""


def seen(units: numpy.ndarray, keys: numpy.ndarray) -> numpy.ndarray:
    """What CKR5 publishes of crowds of these sizes and cell keys."""
    shown = rounded(units, keys, CKR5.base)  # type: ignore[arg-type]
    return numpy.where(shown >= CKR5.floor, shown, HIDDEN)


def ten_five(units: numpy.ndarray, keys: numpy.ndarray) -> numpy.ndarray:
    """The naive way: hide true numbers below ten, round the others to five; no chance in it."""
    return numpy.where(units < 10, HIDDEN, (units + 2) // 5 * 5)


def keys_of(size: int, seed: int) -> numpy.ndarray:
    return numpy.random.default_rng(seed).integers(0, CELL_PRIME, size)


def advantage(publish: object, units: int, keys: int = 40_000) -> float:
    """How much better than a coin one tells `units` people from one more: the total variation distance."""
    assert callable(publish)
    without = publish(numpy.full(keys, units), keys_of(keys, 1))
    within = publish(numpy.full(keys, units + 1), keys_of(keys, 2))
    values = numpy.unique(numpy.concatenate([without, within]))
    return float(sum(abs(numpy.mean(without == value) - numpy.mean(within == value)) for value in values) / 2)


def pairs(more: int, count: int = 20_000) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Sizes of crowds, and what is published of each before and after so many more people came."""
    drawn = numpy.random.default_rng(7)
    units = drawn.integers(20, 401, count)
    before = drawn.integers(0, CELL_PRIME, count)
    after = (before + drawn.integers(0, CELL_PRIME, count)) % CELL_PRIME
    return units, seen(units, before), seen(units + more, after)


# T1


def test_raw_numbers_show_every_person_who_was_added() -> None:
    units = pairs(1)[0]
    assert numpy.mean(units != units + 1) == 1.0


def test_rounded_numbers_mostly_do_not_change_with_one_person() -> None:
    _, before, after = pairs(1)
    assert 0.30 < numpy.mean(before != after) <= 0.40


@pytest.mark.parametrize("more", range(1, 10))
def test_the_ledger_accepts_no_pair_that_differs_by_one_to_nine(more: int) -> None:
    rows = crowd(120)
    others = [*rows, *(person(f"more {number}", month="2023-01") for number in range(more))]
    year, longer = spec_of(months=("2022-01", "2022-12")), spec_of(months=("2022-01", "2023-12"))
    for first, second in ((year, longer), (longer, year)):
        ledger = Ledger()
        table_of(others, first, ledger=ledger)
        with pytest.raises(DifferenceRisk):
            table_of(others, second, ledger=ledger)
        assert table_of(others, second, ledger=Ledger()).total.status == "F"  # without the first, it is safe


def test_the_ledger_accepts_a_pair_that_differs_by_ten() -> None:
    rows = [*crowd(120), *(person(f"more {number}", month="2023-01") for number in range(10))]
    ledger = Ledger()
    table_of(rows, spec_of(months=("2022-01", "2022-12")), ledger=ledger)
    assert table_of(rows, spec_of(months=("2022-01", "2023-12")), ledger=ledger).total.status == "F"


# T2


def test_a_floor_on_the_true_number_gives_the_tenth_person_away() -> None:
    assert advantage(ten_five, 9) == 1.0


def test_an_insider_who_knows_all_but_one_gains_little_at_any_number() -> None:
    assert max(advantage(seen, units) for units in range(41)) <= 0.25


# T5


@pytest.mark.parametrize(("late", "most_visible"), [(1, 0.40), (3, 0.65), (9, 1.0)])
def test_late_records_are_never_counted_from_two_rounded_months(late: int, most_visible: float) -> None:
    units, before, after = pairs(late)
    assert numpy.mean((units + late) - units == late) == 1.0  # raw: the attacker reads how many came late
    assert numpy.mean(after - before == late) <= 0.01
    assert numpy.mean(after != before) <= most_visible


@pytest.mark.parametrize("late", [1, 3, 9])
def test_the_ledger_does_not_publish_a_month_again_for_few_late_records(late: int) -> None:
    ledger = Ledger()
    spec = spec_of(months=("2022-05", "2022-05"))
    rows = [person(f"may {number}") for number in range(140)]
    before = table_of(rows, spec, ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of([*rows, *(person(f"late {number}") for number in range(late))], spec, ledger=ledger)
    assert ledger.standing(spec) is before
    erased = rows[late:]
    with pytest.raises(DifferenceRisk):
        table_of(erased, spec, ledger=ledger)
