"""The ledger keeps every table, gives the same one again, and refuses a difference of one to nine people."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace

import pytest
from tests.rules.count.crowds import (
    COUNTRIES,
    DAY,
    SEXES,
    Row,
    crowd,
    facts_of,
    person,
    raw_of,
    spec_of,
    table_of,
)

from resguardo.count.disclosure import (
    CKR5,
    EXACT,
    BrokenLedger,
    DifferenceRisk,
    Ledger,
    SafeTable,
    TooManyBreakdowns,
    protect,
)
from resguardo.count.indicator import Filter, TableSpec
from resguardo.count.table import RawCells, tabulate

ROWS = crowd(600)


def as_it_is(octets: bytes) -> bytes:
    """A seal that seals nothing, for tests that look inside."""
    return octets


def stored(ledger: Ledger) -> list[tuple[bytes, bytes]]:
    return [(release.line, release.sealed_memory(as_it_is)) for release in ledger.releases]


def open_people(*dimensions: str) -> TableSpec:
    return spec_of(*dimensions, population="open")


def some(number: int, prefix: str = "late", **facts: object) -> list[Row]:
    return [person(f"{prefix} {each}", **facts) for each in range(number)]


# The same again


def test_the_same_records_give_the_same_table_and_no_second_line() -> None:
    ledger = Ledger()
    first = table_of(ROWS, spec_of("country"), ledger=ledger)
    again = table_of(list(reversed(ROWS)), spec_of("country"), ledger=ledger, as_of=DAY.replace(year=2023))
    assert again is first
    assert len(ledger.releases) == 1


def test_a_change_that_no_shown_number_contains_changes_nothing() -> None:
    spec = spec_of("country", filters=(Filter("country", "in", COUNTRIES),))
    ledger = Ledger()
    first = table_of(ROWS, spec, ledger=ledger)
    assert table_of([*ROWS, *some(3, country="PA")], spec, ledger=ledger) is first


# A table released again


@pytest.mark.parametrize("late", range(1, 10))
def test_one_to_nine_late_records_are_not_released(late: int) -> None:
    ledger = Ledger()
    table_of(ROWS, ledger=ledger)
    with pytest.raises(DifferenceRisk, match=r"count\.ledger\.revision"):
        table_of([*ROWS, *some(late)], ledger=ledger)


def test_ten_late_records_are_released() -> None:
    ledger = Ledger()
    before = table_of(ROWS, ledger=ledger)
    after = table_of([*ROWS, *some(10)], ledger=ledger)
    assert before.total.value == 600
    assert isinstance(after.total.value, int)
    assert 606 <= after.total.value <= 614
    assert [release.number for release in ledger.releases] == [1, 2]
    assert ledger.standing(spec_of()) is after


def test_a_person_who_left_for_another_is_a_difference() -> None:
    ledger = Ledger()
    table_of(ROWS, ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of([*ROWS[1:], *some(1)], ledger=ledger)


def test_an_erased_person_does_not_show() -> None:
    ledger = Ledger()
    before = table_of(ROWS, spec_of("country"), ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of(ROWS[1:], spec_of("country"), ledger=ledger)
    assert ledger.standing(spec_of("country")) is before


def test_a_group_that_grows_past_the_floor_by_one_does_not_appear() -> None:
    """Of every crowd that is hidden today, none appears because of one person."""
    spec = spec_of("country", domains=((*COUNTRIES, "PA"),))
    for seed in range(12):
        ledger = Ledger()
        few = some(12, f"pa {seed}", country="PA")
        before = table_of([*ROWS, *few], spec, ledger=ledger).cell("PA")
        try:
            after = table_of([*ROWS, *few, *some(1, f"more {seed}", country="PA")], spec, ledger=ledger)
        except DifferenceRisk:
            continue
        assert after.cell("PA") == before


def test_small_steps_do_not_add_up_to_a_difference() -> None:
    """Ten more, then five of them gone: the second is compared with both."""
    ledger = Ledger()
    table_of(ROWS, ledger=ledger)
    table_of([*ROWS, *some(10)], ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of([*ROWS, *some(5)], ledger=ledger)


# Two tables of the same people


def test_two_bandings_that_differ_by_few_are_refused() -> None:
    ledger = Ledger()
    rows = [*ROWS, *some(4, month="2023-01")]
    table_of(rows, spec_of(months=("2022-01", "2022-12")), ledger=ledger)
    with pytest.raises(DifferenceRisk, match=r"count\.ledger\.difference"):
        table_of(rows, spec_of(months=("2022-01", "2023-01")), ledger=ledger)


def test_two_bandings_that_differ_by_many_are_released() -> None:
    ledger = Ledger()
    rows = [*ROWS, *some(40, month="2023-01")]
    table_of(rows, spec_of(months=("2022-01", "2022-12")), ledger=ledger)
    assert table_of(rows, spec_of(months=("2022-01", "2023-01")), ledger=ledger).total.status == "F"


def test_groups_that_merely_cross_are_released() -> None:
    ledger = Ledger()
    table_of(ROWS, spec_of("country"), ledger=ledger)
    assert table_of(ROWS, spec_of("sex"), ledger=ledger).total.status == "F"


def test_a_table_whose_own_numbers_differ_by_few_is_refused() -> None:
    rows = [*some(200, "mx"), *some(5, "gt", country="GT")]
    with pytest.raises(DifferenceRisk, match=r"count\.ledger\.same_table"):
        table_of(rows, spec_of("country"))
    overlapping = [
        *some(100, "both", topics=["health", "work"]),
        *some(4, "one", topics=["health"]),
        *some(100, "none", topics=[]),
    ]
    with pytest.raises(DifferenceRisk, match=r"count\.ledger\.same_table"):
        table_of(overlapping, spec_of("topics"))


def test_a_changed_crowd_is_compared_with_what_was_shown_then() -> None:
    """The same people under another definition: what has changed since would be the difference."""
    ledger = Ledger()
    table_of(ROWS, spec_of(months=("2022-01", "2022-12")), ledger=ledger)
    with pytest.raises(DifferenceRisk, match=r"count\.ledger\.difference"):
        table_of([*ROWS, *some(3)], spec_of(months=("2022-01", "2023-12")), ledger=ledger)


def test_exact_tables_of_people_are_compared_too() -> None:
    ledger = Ledger()
    first = table_of(ROWS, open_people(), method=EXACT, ledger=ledger)
    assert first.total.value == 600
    with pytest.raises(DifferenceRisk):
        table_of([*ROWS, *some(1)], open_people(), method=EXACT, ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of([*ROWS, *some(1)], open_people("country"), method=CKR5, ledger=ledger)


def test_a_changed_sum_of_the_same_people_is_a_difference() -> None:
    spec = spec_of(population="open", measure="sum:score")
    ledger = Ledger()
    table_of(ROWS, spec, method=EXACT, ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of([{**ROWS[0], "score": 100}, *ROWS[1:]], spec, method=EXACT, ledger=ledger)


def test_public_things_are_counted_anew_whenever_they_change() -> None:
    spec = spec_of(population="open", things="event")
    ledger = Ledger()
    first = table_of(some(3), spec, method=EXACT, ledger=ledger)
    assert table_of(some(3), spec, method=EXACT, ledger=ledger) is first
    assert table_of(some(4), spec, method=EXACT, ledger=ledger).total.value == 4


def test_forms_of_one_programme_are_compared_when_both_can_be_counted() -> None:
    """162 finished of 165 who began: three people did not."""
    began = some(165)
    finished = began[:162]
    spec = spec_of(source="aid.completion", id="aid.people_who_finished")

    def recount(asked: TableSpec) -> RawCells:
        assert asked == spec_of()
        return tabulate(facts_of(began), asked, as_of=DAY)

    ledger = Ledger(recount=recount)
    table_of(began, ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of(finished, spec, ledger=ledger)
    alone = Ledger()
    table_of(began, ledger=alone)
    assert table_of(finished, spec, ledger=alone).total.status == "F"


def test_other_programmes_and_units_are_not_compared() -> None:
    ledger = Ledger()
    table_of(ROWS, ledger=ledger)
    other = [*ROWS, *some(3)]
    assert table_of(other, spec_of(id="work.people_met", source="work.meeting"), ledger=ledger)
    assert table_of(other, spec_of(unit="case"), ledger=ledger)


def test_shares_are_compared_by_those_inside_and_outside() -> None:
    women, men = some(100, "w"), some(100, "m", sex="male")
    part = (Filter("sex", "=", ("female",)),)
    ledger = Ledger()
    table_of([*women, *men], spec_of(measure="share", part=part), ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of([*women[:95], *men], spec_of(filters=part), ledger=ledger)


def test_a_total_is_broken_down_ten_times_and_not_more() -> None:
    facts = facts_of(ROWS)
    for number in range(11):
        facts = facts.append_column(f"answer_{number}", facts["country"])
    ledger = Ledger()
    for number in range(11):
        spec = spec_of(f"answer_{number}", domains=(COUNTRIES,))
        raw = tabulate(facts, spec, as_of=DAY)
        if number < 10:
            assert protect(raw, CKR5, ledger).total.value == 600
        else:
            with pytest.raises(TooManyBreakdowns):
                protect(raw, CKR5, ledger)


def test_a_refused_table_leaves_no_line() -> None:
    ledger = Ledger()
    table_of(ROWS, ledger=ledger)
    with pytest.raises(DifferenceRisk):
        table_of(ROWS[1:], ledger=ledger)
    assert len(ledger.releases) == 1


# The chain


def three_lines() -> Ledger:
    ledger = Ledger()
    table_of(ROWS, spec_of("country"), ledger=ledger)
    table_of(ROWS, spec_of("sex", domains=(SEXES,)), ledger=ledger)
    part = (Filter("sex", "=", ("female",)),)
    table_of(ROWS, spec_of("country", measure="share", part=part), ledger=ledger)
    return ledger


def test_a_ledger_comes_back_from_its_lines() -> None:
    ledger = three_lines()
    again = Ledger.opened(stored(ledger), as_it_is)
    assert [release.table for release in again.releases] == [release.table for release in ledger.releases]
    assert again.releases[2].previous == again.releases[1].digest
    assert again.fresh == ()
    table = again.releases[0].table
    assert isinstance(table, SafeTable)
    assert table_of(ROWS, spec_of("country"), ledger=again) is table
    with pytest.raises(DifferenceRisk):
        table_of(ROWS[1:], spec_of("country"), ledger=again)
    table_of([*ROWS, *some(50, country="HN")], spec_of(months=("2022-01", "2022-11")), ledger=again)
    assert [release.number for release in again.fresh] == [4]


def test_every_kind_of_value_comes_back() -> None:
    ledger = Ledger()
    for measure in ("count", "mean:score", "sum:score", "records", "first", "share"):
        spec = spec_of(
            "country",
            population="open",
            things="event",
            measure=measure,
            part=(Filter("sex", "=", ("female",)),) if measure == "share" else (),
        )
        table_of(ROWS, spec, method=EXACT, ledger=ledger)
    again = Ledger.opened(stored(ledger), as_it_is)
    assert [each.table for each in again.releases] == [each.table for each in ledger.releases]
    assert [each.table.digest for each in again.releases] == [each.table.digest for each in ledger.releases]


@pytest.mark.parametrize("change", ["dropped", "swapped", "changed", "memory", "number", "rubbish", "spaces"])
def test_a_broken_chain_does_not_open(change: str) -> None:
    lines = stored(three_lines())
    if change == "dropped":
        del lines[0]
    elif change == "swapped":
        lines[0], lines[1] = lines[1], lines[0]
    elif change == "changed":
        lines[0] = (lines[0][0].replace(b'"F"]', b'"C"]', 1), lines[0][1])
    elif change == "memory":
        lines[0], lines[1] = (lines[0][0], lines[1][1]), (lines[1][0], lines[0][1])
    elif change == "number":
        lines[1] = (lines[1][0].replace(b'"number":2', b'"number":3'), lines[1][1])
    elif change == "rubbish":
        lines[1] = (b"[]", b"{}")
    else:
        lines[1] = (b" " + lines[1][0], lines[1][1])
    with pytest.raises(BrokenLedger):
        Ledger.opened(lines, as_it_is)


def test_a_line_holds_nothing_secret_and_the_memory_is_only_written_sealed() -> None:
    ledger = Ledger()
    rows = crowd(162)
    table_of(rows, spec_of(), ledger=ledger)
    release = ledger.releases[0]
    truth = raw_of(rows, spec_of())._hidden.total
    assert json.loads(release.sealed_memory(as_it_is))["sets"] == [[["all"], truth.n, truth.ck, 1]]
    for text in (release.line.decode(), repr(release), repr(ledger), repr(release._memory)):
        assert "162" not in text
        assert str(truth.ck) not in text
    for attempt in (
        lambda: pickle.dumps(release),
        lambda: copy.deepcopy(release),
        lambda: pickle.dumps(ledger),
    ):
        with pytest.raises(TypeError):
            attempt()


def test_a_release_does_not_change() -> None:
    release = three_lines().releases[0]
    with pytest.raises(AttributeError):
        release.number = 7  # type: ignore[misc]
    assert replace(release, number=7).digest == release.digest
