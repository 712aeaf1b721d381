"""What counter-smuggling computes is what worked examples give, and what its open data can and cannot say."""

from __future__ import annotations

import csv
import doctest
from collections import Counter
from pathlib import Path

import pytest

from resguardo.count.indicator import Count, specify
from resguardo.plan.programme import programme_called
from resguardo.programmes.counter_smuggling import method

PROGRAMME = programme_called("counter_smuggling")
PROVISIONS = PROGRAMME.table("smuggling_protocol").rows
MANDATORY = [row["provision_id"] for row in PROVISIONS if row["obligation"] == "M"]
PROTECTION = [row["provision_id"] for row in PROVISIONS if row["block"] == "protection"]
SERIES = [4, 3, 5, 2, 4, 6, 3, 5, 4, 6, 9, 12]


def law(*, full: int, partial: int, without: int) -> dict[str, str]:
    """A law whose last provisions are the missing ones."""
    status = ["full"] * full + ["partial"] * partial + ["none"] * without
    return {row["provision_id"]: value for row, value in zip(PROVISIONS, status, strict=True)}


def test_the_examples_of_the_method_are_true() -> None:
    assert doctest.testmod(method).failed == 0
    assert PROGRAMME.method is not None


# The index of a law


def test_a_law_with_24_provisions_and_10_in_part_has_62_per_cent_of_the_protocol() -> None:
    found = method.transposition(
        law(full=24, partial=10, without=13), mandatory=MANDATORY, protection=PROTECTION
    )
    assert (found.applicable, round(100 * found.index, 2)) == (47, 61.70)
    assert found.index == 29 / 47


def test_a_single_protection_that_is_missing_is_an_alert_whatever_the_index() -> None:
    status = dict.fromkeys((row["provision_id"] for row in PROVISIONS), "full") | {"S06": "none"}
    found = method.transposition(status, mandatory=MANDATORY, protection=PROTECTION)
    assert found.index > 0.97
    assert found.mandatory_missing == found.protection_missing == ("S06",)


def test_an_optional_provision_is_never_missing_and_one_that_does_not_apply_does_not_count() -> None:
    status = dict.fromkeys((row["provision_id"] for row in PROVISIONS), "full")
    status |= {"S16": "none", "S18": "not_applicable"}
    found = method.transposition(status, mandatory=MANDATORY, protection=PROTECTION)
    assert (found.mandatory_missing, found.applicable, found.index) == ((), 46, 45 / 46)


@pytest.mark.parametrize("status", [{}, {"S01": "not_applicable"}, {"S01": "complete"}])
def test_a_law_that_was_not_examined_has_no_index(status: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="provision"):
        method.transposition(status, mandatory=MANDATORY, protection=PROTECTION)


def test_the_indicator_of_missing_provisions_and_the_method_have_the_same_mandatory_ones() -> None:
    spec = specify(PROGRAMME, Count("counter_smuggling.mandatory_provisions_missing"))
    excused = {
        value for condition in spec.filters for value in condition.values if condition.operator == "!="
    }
    assert set(MANDATORY) == {row["provision_id"] for row in PROVISIONS} - excused
    assert len(MANDATORY) == 43


# What is out of the ordinary


def test_the_statistics_of_a_worked_series_are_those_computed_by_hand() -> None:
    watched = method.watch(SERIES)
    assert watched[11].c1 == pytest.approx(3.3978, abs=1e-4)
    assert [round(period.c2 or 0, 4) for period in watched[9:]] == [1.5930, 3.5355, 5.8409]
    assert watched[11].c3 == pytest.approx(7.9695, abs=1e-4)
    assert [at for at, period in enumerate(watched) if "C2" in period.alarms] == [10, 11]
    assert [at for at, period in enumerate(watched) if "C1" in period.alarms] == [10, 11]


def test_eleven_incidents_do_not_alarm_and_twelve_do() -> None:
    """The threshold of the worked series is 11.214."""
    assert "C1" not in method.watch([*SERIES[:-1], 11])[11].alarms
    assert "C1" in method.watch([*SERIES[:-1], 12])[11].alarms


def test_the_cumulative_sum_alarms_in_the_last_period_only() -> None:
    sums = method.cumulative_sum(SERIES, ordinary=4, deviation=1.5)
    assert [round(value, 3) for value in sums[-3:]] == [0.833, 3.667, 8.5]
    assert [at for at, value in enumerate(sums) if value > 4] == [11]


def test_the_first_periods_say_nothing() -> None:
    watched = method.watch(SERIES)
    assert [period.c1 is None for period in watched] == [True] * 7 + [False] * 5
    assert [period.c2 is None for period in watched] == [True] * 9 + [False] * 3
    assert [period.c3 is None for period in watched] == [True] * 11 + [False]
    assert method.watch([]) == ()


def test_one_incident_after_a_quiet_time_does_not_alarm() -> None:
    assert method.watch([0] * 11 + [1])[11].alarms == ()
    with pytest.raises(ValueError, match="zero"):
        method.watch(SERIES, least_deviation=0)
    with pytest.raises(ValueError, match="zero"):
        method.cumulative_sum(SERIES, ordinary=4, deviation=0)


def test_the_fee_of_a_route_is_the_middle_one_and_needs_eleven_incidents() -> None:
    assert method.middle_fee({"VE-TT": [250] * 10 + [90_000]}) == {"VE-TT": 250}
    assert method.middle_fee({"VE-TT": [250] * 10}) == {}


# What the open data say depends on how the Caribbean is drawn


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    path: Path = PROGRAMME.folder / "open" / "mmp_incidents_americas.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def dead_and_missing(rows: list[dict[str, str]]) -> Counter[str]:
    years: Counter[str] = Counter()
    for row in rows:
        years[row["reported_date"][:4]] += int(row["total_dead_and_missing"])
    return years


def test_by_the_grouping_of_the_united_nations_the_caribbean_falls_and_the_reader_is_told(
    rows: list[dict[str, str]],
) -> None:
    own = dead_and_missing([row for row in rows if row["region"] == "Caribbean"])
    grouped = dead_and_missing([row for row in rows if row["unsd_geographic_grouping"] == "Caribbean"])
    assert (own["2021"], own["2022"]) == (246, 350)
    assert (grouped["2021"], grouped["2022"]) == (138, 115)
    without = dead_and_missing(
        [
            row
            for row in rows
            if row["region"] == "Caribbean" and row["unsd_geographic_grouping"] == "Uncategorized"
        ]
    )
    assert (without["2021"], without["2022"]) == (108, 206)
    source = PROGRAMME.form("missing_migrants").source
    assert source is not None
    assert "138" in source.note["en"]
    assert "115" in source.note["es"]


def test_boats_that_drifted_from_africa_are_in_the_caribbean_of_2021_only(rows: list[dict[str, str]]) -> None:
    canary = "Western Africa / Atlantic route to the Canary Islands"
    drifted = dead_and_missing(
        [row for row in rows if row["region"] == "Caribbean" and row["migration_route"] == canary]
    )
    assert (drifted["2021"], drifted["2022"]) == (70, 0)
    assert "**70 of the 246 of 2021**" in (PROGRAMME.folder / "open" / "SOURCES.md").read_text(
        encoding="utf-8"
    )


def test_the_months_that_are_missing_are_the_ones_that_are_said(rows: list[dict[str, str]]) -> None:
    months = {row["reported_date"][:7] for row in rows}
    every = [f"{year}-{month:02}" for year in range(2014, 2026) for month in range(1, 13)]
    assert [month for month in every if month not in months] == [
        *(f"2024-{month:02}" for month in range(8, 13)),
        *(f"2025-{month:02}" for month in range(9, 13)),
    ]


def test_survivors_are_unknown_in_more_than_nine_rows_in_ten(rows: list[dict[str, str]]) -> None:
    unsaid = sum(1 for row in rows if not row["number_of_survivors"])
    assert unsaid / len(rows) > 0.9
    assert "More than nine rows in ten" in PROGRAMME.indicator("survivors").silent["en"]
