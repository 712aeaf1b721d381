"""The day on which a period ends, against days counted by hand on the calendars of the region."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resguardo.allow.calendar import Calendar, Doubt, HolidayCorrection, Unit, due, in_words, is_known

REGION = ("MX", "GT", "HN", "SV", "NI", "CR", "PA", "DO", "JM", "BB", "TT", "BZ", "GY", "DM", "HT")
COUNTRIES = st.sampled_from((*REGION, "", "ZZ"))
DAYS = st.dates(date(2025, 1, 1), date(2030, 12, 31))
CALENDAR = Calendar()


def business_days(start: date, value: int, country: str) -> date:
    return due(start, value, Unit.BUSINESS_DAYS, country).on


# Counted by hand


@pytest.mark.parametrize(
    ("country", "start", "value", "end"),
    [
        # Holy Week 2026: Thursday 2 and Friday 3 April.
        ("GT", date(2026, 3, 30), 5, date(2026, 4, 8)),
        ("CR", date(2026, 3, 27), 5, date(2026, 4, 7)),
        ("SV", date(2026, 4, 1), 1, date(2026, 4, 6)),
        # In Mexico they are working days: an earlier day, so that nobody is late by the calendar.
        ("MX", date(2026, 4, 1), 1, date(2026, 4, 2)),
        # Jamaica and Barbados rest on Good Friday and Easter Monday.
        ("JM", date(2026, 4, 2), 1, date(2026, 4, 7)),
        ("BB", date(2026, 4, 2), 2, date(2026, 4, 8)),
        # 2 November is a holiday in El Salvador and none in Mexico; 16 November the other way round.
        ("SV", date(2026, 10, 30), 5, date(2026, 11, 9)),
        ("MX", date(2026, 10, 30), 5, date(2026, 11, 6)),
        ("MX", date(2026, 10, 30), 20, date(2026, 11, 30)),
        ("SV", date(2026, 11, 3), 20, date(2026, 12, 1)),
        # 15 September, a Tuesday: independence of Central America; Nicaragua rests on the 14th too.
        ("GT", date(2026, 9, 14), 1, date(2026, 9, 16)),
        ("SV", date(2026, 9, 14), 1, date(2026, 9, 16)),
        ("HN", date(2026, 9, 14), 1, date(2026, 9, 16)),
        ("CR", date(2026, 9, 14), 1, date(2026, 9, 16)),
        ("NI", date(2026, 9, 11), 1, date(2026, 9, 16)),
        ("PA", date(2026, 9, 14), 1, date(2026, 9, 15)),
        ("MX", date(2026, 9, 15), 1, date(2026, 9, 17)),
        # Honduras: the Morazán week, 7 to 9 October 2026.
        ("HN", date(2026, 10, 6), 1, date(2026, 10, 12)),
        # Panama: 3, 5, 10 November 2026.
        ("PA", date(2026, 11, 2), 5, date(2026, 11, 12)),
        # Haiti: New Year and the day of the ancestors, a Friday and a Saturday.
        ("HT", date(2026, 12, 31), 1, date(2027, 1, 4)),
        ("HT", date(2026, 11, 17), 1, date(2026, 11, 19)),
        # Dominican Republic, Belize, Dominica, Guyana, Trinidad and Tobago.
        ("DO", date(2026, 11, 6), 1, date(2026, 11, 10)),
        ("BZ", date(2026, 9, 9), 1, date(2026, 9, 11)),
        ("DM", date(2026, 11, 2), 1, date(2026, 11, 5)),
        ("GY", date(2026, 5, 25), 1, date(2026, 5, 27)),
        ("TT", date(2026, 8, 28), 1, date(2026, 9, 1)),
        # Received on a Saturday: Monday is the first day.
        ("CR", date(2026, 11, 21), 1, date(2026, 11, 23)),
        # The desk of the data protection officer, 24 November 2026.
        ("GT", date(2026, 11, 19), 5, date(2026, 11, 26)),
        ("CR", date(2026, 11, 20), 5, date(2026, 11, 27)),
    ],
)
def test_business_days_end_where_a_hand_counts_them(country: str, start: date, value: int, end: date) -> None:
    assert business_days(start, value, country) == end


def test_the_holidays_that_were_skipped_are_named() -> None:
    found = due(date(2026, 10, 30), 20, Unit.BUSINESS_DAYS, "MX")
    assert [(off.day, off.name) for off in found.days_off] == [(date(2026, 11, 16), "Día de la Revolución")]
    assert found.doubts == ()


def test_the_days_do_not_hang_on_the_language_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    from resguardo.allow import calendar

    for language in ("en_US.UTF-8", "es_MX.UTF-8", "uk_UA.UTF-8"):
        monkeypatch.setenv("LANG", language)
        monkeypatch.setenv("LANGUAGE", language)
        calendar._published.cache_clear()
        assert [off.name for off in due(date(2026, 4, 1), 1, Unit.BUSINESS_DAYS, "GT").days_off] == [
            "Jueves Santo",
            "Viernes Santo",
        ]


@pytest.mark.parametrize(
    ("start", "value", "unit", "end"),
    [
        (date(2026, 1, 31), 1, Unit.MONTHS, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, Unit.MONTHS, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, Unit.MONTHS, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, Unit.MONTHS, date(2027, 1, 15)),
        (date(2028, 2, 29), 7, Unit.YEARS, date(2035, 2, 28)),
        (date(2026, 11, 24), 10, Unit.YEARS, date(2036, 11, 24)),
        (date(2026, 11, 27), 30, Unit.CALENDAR_DAYS, date(2026, 12, 27)),
        (date(9999, 12, 1), 2, Unit.MONTHS, date.max),
        (date(9999, 12, 1), 99, Unit.CALENDAR_DAYS, date.max),
    ],
)
def test_months_and_days_run_on_and_a_short_month_ends_on_its_last_day(
    start: date, value: int, unit: Unit, end: date
) -> None:
    assert due(start, value, unit, "BB").on == end


def test_hours_run_through_the_weekend_and_through_a_change_of_the_clock() -> None:
    friday = datetime(2026, 3, 6, 21, 30, tzinfo=UTC)
    assert due(friday, 72, Unit.HOURS, "SV").at == datetime(2026, 3, 9, 21, 30, tzinfo=UTC)
    spring = datetime(2026, 3, 7, 12, 0, tzinfo=ZoneInfo("America/New_York"))
    found = due(spring, 72, Unit.HOURS, "US")
    assert found.at is not None
    assert found.at.isoformat() == "2026-03-10T13:00:00-04:00"
    assert found.on == date(2026, 3, 10)


@pytest.mark.parametrize("start", [date(2026, 3, 6), datetime(2026, 3, 6, 21, 30)])
def test_hours_without_a_moment_and_its_zone_are_refused(start: date) -> None:
    with pytest.raises(ValueError, match="time zone"):
        due(start, 72, Unit.HOURS, "SV")


def test_no_period_is_shorter_than_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        due(date(2026, 3, 6), 0, Unit.BUSINESS_DAYS, "SV")


def test_a_moment_counts_as_its_own_day_wherever_it_is() -> None:
    evening = datetime(2026, 11, 20, 23, 30, tzinfo=ZoneInfo("America/Costa_Rica"))
    assert business_days(evening, 5, "CR") == business_days(date(2026, 11, 20), 5, "CR")


# Where the calendar is not sure


def test_every_country_of_the_region_is_known() -> None:
    assert [country for country in REGION if not is_known(country)] == []
    assert not is_known("ZZ")


@pytest.mark.parametrize("country", ["", "ZZ"])
def test_an_unknown_country_has_weekends_only_and_says_so(country: str) -> None:
    found = due(date(2026, 12, 24), 2, Unit.BUSINESS_DAYS, country)
    assert (found.on, found.doubts) == (date(2026, 12, 28), (Doubt.CALENDAR,))


def test_a_year_that_the_library_does_not_know_says_so() -> None:
    assert due(date(2150, 3, 2), 2, Unit.BUSINESS_DAYS, "MX").doubts == (Doubt.CALENDAR,)


def test_a_holiday_that_hangs_on_the_moon_counts_as_a_working_day_and_says_so() -> None:
    # Eid al-Fitr in Trinidad and Tobago: Friday 20 March 2026 is an estimate.
    found = due(date(2026, 3, 18), 3, Unit.BUSINESS_DAYS, "TT")
    assert (found.on, found.doubts) == (date(2026, 3, 23), (Doubt.ESTIMATED,))
    confirmed = HolidayCorrection("TT", date(2026, 3, 20), working=False, name="Eid al-Fitr")
    found = due(date(2026, 3, 18), 3, Unit.BUSINESS_DAYS, "TT", corrections=[confirmed])
    assert (found.on, found.doubts) == (date(2026, 3, 24), ())


# Corrections


def test_a_correction_makes_a_holiday_of_one_day_or_takes_one_away() -> None:
    decreed = HolidayCorrection("GT", date(2026, 11, 20), working=False, name="Asueto")
    moved = HolidayCorrection("MX", date(2026, 11, 16), working=True, name="Revolución")
    calendar = Calendar((decreed, moved))
    assert calendar.due(date(2026, 11, 19), 1, Unit.BUSINESS_DAYS, "GT").on == date(2026, 11, 23)
    assert calendar.due(date(2026, 11, 13), 1, Unit.BUSINESS_DAYS, "MX").on == date(2026, 11, 16)
    assert calendar.due(date(2026, 11, 19), 1, Unit.BUSINESS_DAYS, "HN").on == date(2026, 11, 20)


def test_a_yearly_correction_holds_from_its_day_until_its_end() -> None:
    yearly = HolidayCorrection(
        "MX", date(2027, 11, 2), working=False, name="Muertos", every_year=True, until=date(2028, 12, 31)
    )
    calendar = Calendar((yearly,))
    working = [calendar.is_working_day(date(year, 11, 2), "MX") for year in (2026, 2027, 2028, 2029)]
    # 2026 Monday, 2027 Tuesday, 2028 Thursday, 2029 Friday
    assert working == [True, False, False, True]


def test_the_newest_correction_of_a_day_counts() -> None:
    day = date(2026, 11, 20)
    first = HolidayCorrection("GT", day, working=False, name="Asueto")
    second = HolidayCorrection("GT", day, working=True, name="Asueto")
    assert Calendar((first, second)).is_working_day(day, "GT")
    assert not Calendar((second, first)).is_working_day(day, "GT")


# What always holds


@settings(max_examples=200, deadline=None)
@given(DAYS, st.integers(1, 60), COUNTRIES)
def test_business_days_end_on_a_working_day_with_exactly_so_many_in_between(
    start: date, value: int, country: str
) -> None:
    found = due(start, value, Unit.BUSINESS_DAYS, country)
    between = [start + timedelta(days=one) for one in range(1, (found.on - start).days + 1)]
    assert CALENDAR.is_working_day(found.on, country)
    assert found.on.weekday() < 5
    assert sum(CALENDAR.is_working_day(day, country) for day in between) == value
    assert [off.day for off in found.days_off] == [
        day for day in between if day.weekday() < 5 and not CALENDAR.is_working_day(day, country)
    ]


@settings(max_examples=200, deadline=None)
@given(DAYS, DAYS, st.integers(1, 40), st.integers(1, 40), COUNTRIES, st.sampled_from(list(Unit)[1:]))
def test_who_asks_later_or_may_take_longer_never_has_an_earlier_day(
    one: date, other: date, short: int, long: int, country: str, unit: Unit
) -> None:
    first, later = sorted((one, other))
    fewer, more = sorted((short, long))
    assert due(first, fewer, unit, country).on <= due(later, fewer, unit, country).on
    assert due(first, fewer, unit, country).on <= due(first, more, unit, country).on
    assert due(first, fewer, unit, country).on > first


@settings(max_examples=100, deadline=None)
@given(DAYS, COUNTRIES, st.integers(0, 10))
def test_going_back_over_working_days_leaves_exactly_so_many(day: date, country: str, count: int) -> None:
    back = CALENDAR.working_days_before(day, count, country)
    left = [back + timedelta(days=one) for one in range(1, (day - back).days + 1)]
    assert sum(CALENDAR.is_working_day(one, country) for one in left) == count
    last = CALENDAR.last_working_day(day, country)
    assert last <= day
    assert CALENDAR.is_working_day(last, country)


# In words


def test_a_day_is_said_in_four_languages() -> None:
    day = date(2026, 11, 27)
    assert [in_words(day, language) for language in ("es", "en", "fr", "ht")] == [
        "viernes 27 de noviembre de 2026",
        "Friday 27 November 2026",
        "vendredi 27 novembre 2026",
        "vandredi 27 novanm 2026",
    ]
    assert in_words(date(2026, 5, 1), "fr") == "vendredi 1er mai 2026"
