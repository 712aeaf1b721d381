"""Rounded numbers stay near the true ones, are true on average, and never show few people."""

from __future__ import annotations

from collections import Counter
from dataclasses import FrozenInstanceError, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.count.crowds import (
    COUNTRIES,
    chance_of,
    crowd,
    person,
    raw_of,
    rkey_of,
    spec_of,
    table_of,
)

from resguardo.count.disclosure import (
    CKR5,
    CKR10,
    DPG10,
    EXACT,
    ExactNotAllowed,
    Ledger,
    SafeCell,
    SafeTable,
    TooLoose,
    protect,
    protect_by_class,
)
from resguardo.count.indicator import CELL_PRIME, Filter, NotInCatalogue
from resguardo.count.methods import discrete_gaussian, mixed, rounded
from resguardo.values import Population

MEXICO = (Filter("country", "=", ("MX",)),)
cell_keys = st.integers(0, CELL_PRIME - 1)


@given(st.integers(0, 10**6), cell_keys, st.sampled_from([CKR5, CKR10]))
def test_a_rounded_number_is_a_multiple_within_the_margin(units: int, key: int, method: object) -> None:
    assert method in (CKR5, CKR10)
    assert isinstance(method, type(CKR5))
    shown = rounded(units, key, method.base)
    assert shown % method.base == 0
    assert abs(shown - units) <= method.margin
    if shown >= method.floor:
        assert units >= method.floor - method.margin
    else:
        assert units < method.floor


def test_what_ckr5_shows_is_eleven_or_more_and_what_it_hides_fourteen_or_fewer() -> None:
    for units in range(40):
        for noise in range(5):
            shown = units + noise - (units + noise) % 5
            assert units >= 11 if shown >= 15 else units <= 14


@pytest.mark.parametrize("base", [5, 10])
def test_rounding_is_true_on_average_for_every_number(base: int) -> None:
    for units in range(100):
        shown = [units + noise - (units + noise) % base for noise in range(base)]
        assert sum(shown) == base * units


def test_every_noise_is_as_likely_over_many_cell_keys() -> None:
    seen = Counter(mixed(rkey_of(number)) % 5 for number in range(20_000))
    assert all(abs(times - 4_000) < 250 for times in seen.values())


def test_the_average_over_many_crowds_is_the_true_number() -> None:
    drawn = [rounded(162, rkey_of(f"crowd {number}"), 5) for number in range(20_000)]
    assert abs(sum(drawn) / len(drawn) - 162) < 0.05
    assert set(drawn) == {160, 165}


def test_the_cell_key_is_stirred_as_it_is_written_down() -> None:
    """The numbers that another implementation must find (docs/counting.md)."""
    assert [mixed(key) for key in (0, 1, 2, CELL_PRIME - 1)] == [
        ((((key + 12345) ** 2) % CELL_PRIME + 54321) ** 2) % CELL_PRIME for key in (0, 1, 2, CELL_PRIME - 1)
    ]
    assert mixed(0) % 5 == (((12345**2) % CELL_PRIME + 54321) ** 2 % CELL_PRIME) % 5


def test_a_protected_table_says_about_or_fewer_than_fifteen() -> None:
    rows = crowd(400)
    table = table_of(rows, spec_of("country"))
    true = Counter(row["country"] for row in rows)
    for cell in table.cells:
        assert cell.status == "F"
        assert isinstance(cell.value, int)
        assert isinstance(cell.low, int)
        assert isinstance(cell.high, int)
        assert (cell.low, cell.high) == (cell.value - 4, cell.value + 4)
        assert cell.low <= true[cell.key[0]] <= cell.high
    assert table.total.value == 400


def test_a_small_group_and_an_empty_one_look_the_same() -> None:
    rows = [*crowd(400), *(person(f"pa {number}", country="PA") for number in range(7))]
    spec = spec_of("country", domains=((*COUNTRIES, "PA", "CR"),))
    table = table_of(rows, spec)
    assert table.cell("PA") == SafeCell(("PA",), None, 0, 14, "C")
    assert table.cell("CR") == SafeCell(("CR",), None, 0, 14, "C")
    assert not table.is_complete


def test_where_the_catalogue_is_not_known_only_what_is_shown_is_listed() -> None:
    rows = [*crowd(400), *(person(f"pa {number}", country="PA") for number in range(7))]
    table = table_of(rows, spec_of("country", domains=(None,)))
    assert [cell.key for cell in table.cells] == [(code,) for code in COUNTRIES]
    assert all(cell.status == "F" for cell in table.cells)


def test_a_table_with_too_many_cells_lists_only_what_is_shown() -> None:
    codes = tuple(f"{number:03}" for number in range(80))
    spec = spec_of("country", "sex", domains=((*COUNTRIES, *codes), codes))
    cells = table_of(crowd(400), spec).cells
    assert 0 < len(cells) < 20
    assert all(cell.status == "F" for cell in cells)


def test_a_cell_that_cannot_exist_is_never_listed() -> None:
    zeros = frozenset({("MX", "other")})
    table = table_of(crowd(400), spec_of("country", "sex", structural_zeros=zeros))
    assert table.cell("MX", "other") is None
    assert table.cell("GT", "other") is not None


def test_the_same_people_have_the_same_number_in_every_table() -> None:
    rows = crowd(600)
    whole = table_of(rows, spec_of("country"))
    mexico = table_of([row for row in rows if row["country"] == "MX"], spec_of())
    narrowed = table_of(rows, spec_of(filters=MEXICO))
    within = table_of(rows, spec_of("country", months=("2022-01", "2022-12")))
    cell = whole.cell("MX")
    assert cell is not None
    assert cell.value == mexico.total.value == narrowed.total.value
    assert within.cell("MX") == cell


def test_ckr10_hides_more() -> None:
    rows = [*crowd(400), *(person(f"pa {number}", country="PA") for number in range(20))]
    table = table_of(rows, spec_of("country", domains=((*COUNTRIES, "PA"),)), method=CKR10)
    assert table.cell("PA") == SafeCell(("PA",), None, 0, 29, "C")
    assert table.total.value in (420, 410, 430)


# Shares


def test_a_protected_share_lies_between_certain_bounds() -> None:
    rows = crowd(600)
    table = table_of(rows, spec_of("country", measure="share", part=(Filter("sex", "=", ("female",)),)))
    for cell in (table.total, *table.cells):
        inside = [row for row in rows if not cell.key or row["country"] == cell.key[0]]
        true = Decimal(sum(row["sex"] == "female" for row in inside)) / len(inside)
        assert cell.status == "F"
        assert isinstance(cell.low, Decimal)
        assert isinstance(cell.high, Decimal)
        assert isinstance(cell.value, Decimal)
        assert cell.low <= true <= cell.high
        assert cell.low <= cell.value <= cell.high
        assert cell.value == cell.value.quantize(Decimal("0.001"))


@pytest.mark.parametrize(("women", "men"), [(100, 5), (5, 100), (100, 0), (0, 100), (12, 12)])
def test_a_share_hides_when_few_are_inside_or_outside_or_in_all(women: int, men: int) -> None:
    rows = [
        *(person(f"w {number}") for number in range(women)),
        *(person(f"m {number}", sex="male") for number in range(men)),
    ]
    table = table_of(rows, spec_of(measure="share", part=(Filter("sex", "=", ("female",)),)))
    assert table.total == SafeCell((), None, None, None, "C")


# Exact figures


def open_spec(*dimensions: str, **changes: object):  # type: ignore[no-untyped-def]
    return spec_of(*dimensions, population="open", **changes)


def six_countries(smallest: int) -> list[dict[str, object]]:
    sizes = dict(zip(("MX", "GT", "HN", "SV", "CR", "PA"), (50, 30, 30, 22, 20, smallest), strict=True))
    return [
        dict(person(f"{country} {number}", country=country))
        for country, size in sizes.items()
        for number in range(size)
    ]


def test_open_people_are_exact_when_every_named_group_has_ten() -> None:
    table = table_of(six_countries(10), open_spec("country"), method=EXACT)
    assert table.total.value == 162
    assert len(table.cells) == 6
    assert table.is_complete


def test_a_named_group_of_nine_is_not_exact_but_the_total_alone_is() -> None:
    rows = six_countries(9)
    with pytest.raises(ExactNotAllowed):
        table_of(rows, open_spec("country"), method=EXACT)
    assert table_of(rows, open_spec(), method=EXACT).total.value == 161


def test_fewer_than_thirty_people_are_not_exact() -> None:
    assert table_of(crowd(30), open_spec(), method=EXACT).total.value == 30
    with pytest.raises(ExactNotAllowed):
        table_of(crowd(29), open_spec(), method=EXACT)


def test_protected_people_are_never_exact() -> None:
    with pytest.raises(ExactNotAllowed, match=r"count\.exact\.class"):
        table_of(crowd(400), spec_of(), method=EXACT)


def test_public_things_are_exact_down_to_one() -> None:
    rows = [person(1), person(2, country="GT")]
    table = table_of(rows, open_spec("country", things="event"), method=EXACT)
    assert [cell.value for cell in table.cells] == [1, 1]
    assert table.total == SafeCell((), 2, 2, 2, "F")


def test_the_class_chooses_the_method() -> None:
    def made(rows: list[dict[str, object]], spec: object) -> SafeTable:
        return protect_by_class(raw_of(rows, spec), Population.OPEN, Ledger(), chance=chance_of("class"))  # type: ignore[arg-type]

    assert made(six_countries(10), open_spec("country")).method is EXACT
    assert made(six_countries(9), open_spec("country")).method is CKR5
    assert made(six_countries(10), spec_of("country")).method is CKR5
    assert made(six_countries(10), spec_of("country", population="strict")).method is DPG10


def test_a_caller_may_ask_for_more_care_but_not_for_less() -> None:
    raw = raw_of(six_countries(10), open_spec("country"))
    assert protect_by_class(raw, Population.PROTECTED, Ledger()).method is CKR5
    with pytest.raises(TooLoose):
        table_of(crowd(100), spec_of(population="strict"), method=CKR5)


def test_a_sum_of_few_open_people_has_no_rounded_form() -> None:
    spec = open_spec(measure="sum:score")
    assert protect_by_class(raw_of(crowd(30), spec), Population.OPEN, Ledger()).method is EXACT
    with pytest.raises(ExactNotAllowed):
        protect_by_class(raw_of(crowd(29), spec), Population.OPEN, Ledger())
    for measure in ("sum:score", "mean:score", "records", "first"):
        with pytest.raises(NotInCatalogue):
            table_of(crowd(100), spec_of(measure=measure), method=CKR5)


def test_an_exact_share_of_people_names_no_group_under_ten() -> None:
    part = (Filter("sex", "=", ("female",)),)
    women = [person(f"w {number}") for number in range(40)]
    men = [person(f"m {number}", sex="male") for number in range(10)]
    spec = open_spec(measure="share", part=part)
    assert table_of([*women, *men], spec, method=EXACT).total.value == Decimal("0.8")
    with pytest.raises(ExactNotAllowed):
        table_of([*women, *men[1:]], spec, method=EXACT)


# The strict class


def test_noise_is_drawn_once_and_kept() -> None:
    ledger, chance = Ledger(), chance_of("noise")
    spec = spec_of("country", population="strict", domains=((*COUNTRIES, "PA"),))
    first = table_of(crowd(600), spec, method=DPG10, ledger=ledger, chance=chance)
    again = table_of(crowd(590), spec, method=DPG10, ledger=ledger, chance=chance)
    assert again is first
    assert first.cell("PA") == SafeCell(("PA",), None, None, None, "C")
    assert isinstance(first.total.value, int)
    assert abs(first.total.value - 600) < 60


def test_the_noise_has_the_spread_that_is_promised() -> None:
    chance = chance_of("gauss")
    drawn = [discrete_gaussian(10, chance) for _ in range(3_000)]
    mean = sum(drawn) / len(drawn)
    spread = (sum((each - mean) ** 2 for each in drawn) / len(drawn)) ** 0.5
    assert abs(mean) < 0.8
    assert 9.4 < spread < 10.6
    assert 0.93 < sum(abs(each) <= 20 for each in drawn) / len(drawn) < 0.98


def test_the_budget_of_a_year_is_spent_once() -> None:
    from resguardo.count.disclosure import BudgetExceeded

    ledger, chance = Ledger(), chance_of("budget")
    for number in range(24):
        spec = spec_of("country", population="strict", id=f"aid.indicator_{number}")
        table_of(crowd(60), spec, method=DPG10, ledger=ledger, chance=chance)
    late = spec_of(population="strict", id="aid.one_more")
    with pytest.raises(BudgetExceeded):
        table_of(crowd(60), late, method=DPG10, ledger=ledger, chance=chance)
    next_year = table_of(crowd(60), late, method=DPG10, ledger=ledger, chance=chance, as_of=date(2023, 1, 1))
    assert next_year.method is DPG10


def test_the_strict_class_has_closed_lists_and_one_group_for_each_person() -> None:
    for spec in (
        spec_of("country", population="strict", domains=(None,)),
        spec_of("topics", population="strict"),
    ):
        with pytest.raises(NotInCatalogue, match="lattice"):
            table_of(crowd(100), spec, method=DPG10, chance=chance_of("x"))
    rows = [*crowd(100), person("crowd 5", country="MX"), person("crowd 5", country="GT")]
    with pytest.raises(NotInCatalogue, match="once"):
        table_of(rows, spec_of("country", population="strict"), method=DPG10, chance=chance_of("x"))


# Who makes a safe table


def test_nobody_else_makes_a_safe_table() -> None:
    table = table_of(crowd(100), spec_of())
    given = {name: getattr(table, name) for name in SafeTable.__dataclass_fields__ if name != "maker"}
    with pytest.raises(TypeError):
        SafeTable(**given)
    with pytest.raises(TypeError, match=r"only resguardo\.count\.disclosure"):
        SafeTable(**given, maker=object())
    with pytest.raises((TypeError, ValueError)):
        replace(table, total=SafeCell((), 162, 162, 162, "F"))
    with pytest.raises(FrozenInstanceError):
        table.total = SafeCell((), 162, 162, 162, "F")  # type: ignore[misc]


def test_a_safe_table_holds_no_true_number() -> None:
    table = table_of(crowd(162), spec_of())
    assert table.total.value in (160, 165)
    assert "162" not in repr(table)
    assert b"162" not in table.octets
    assert protect(raw_of(crowd(162), spec_of()), CKR5, Ledger()).octets == table.octets
