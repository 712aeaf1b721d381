"""The day on which a period of the law ends: working days, public holidays, months, running hours.

The day of receipt is day 0. Business days skip Saturdays, Sundays and the public holidays of the country, as
the `holidays` library publishes them and as the institution corrected them. Where the calendar is not sure,
the earlier day is given and marked: a country or year that the library does not know has weekends only, and
a holiday whose day is still an estimate (it hangs on the moon) counts as a working day. So an uncertain
calendar can make an officer hurry, and never makes an answer late.
"""

from __future__ import annotations

import calendar as gregorian
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property
from types import MappingProxyType
from typing import Final

import holidays
from babel.dates import format_date

from resguardo.values import Language


class Unit(StrEnum):
    """What a period is counted in."""

    HOURS = "hours"
    BUSINESS_DAYS = "business_days"
    CALENDAR_DAYS = "calendar_days"
    MONTHS = "months"
    YEARS = "years"


class Doubt(StrEnum):
    """Why a day is not certain."""

    CALENDAR = "calendar"
    """The library does not know the holidays of this country or year: only weekends were skipped."""
    ESTIMATED = "estimated"
    """A holiday whose day is only estimated lies in the period; it was counted as a working day."""


@dataclass(frozen=True)
class HolidayCorrection:
    """A day that is a holiday in a country, or is none, against the published calendar.

    With `every_year` it holds on that month and day from the year of `day` on, until `until`.
    """

    country: str
    day: date
    working: bool
    name: str
    every_year: bool = False
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether it says something about this day."""
        if not self.every_year:
            return day == self.day
        same = (day.month, day.day) == (self.day.month, self.day.day)
        return same and day >= self.day and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class DayOff:
    """A public holiday, by the name that its country gives it."""

    day: date
    name: str


@dataclass(frozen=True)
class Due:
    """When a period ends, and what was skipped on the way."""

    start: date
    """Day 0: the day of receipt."""
    value: int
    unit: Unit
    country: str
    on: date
    """The last day of the period; it counts in full, unless the period runs in hours."""
    at: datetime | None = None
    """The moment, where the period runs in hours."""
    days_off: tuple[DayOff, ...] = ()
    """The holidays on a Monday to Friday that were not counted."""
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class _Published:
    """The holidays of one country in one year, and those whose day is only estimated."""

    fixed: Mapping[date, str]
    estimated: Mapping[date, str]


@dataclass(frozen=True)
class Calendar:
    """The public holidays of every country, with the corrections of the institution; the last one counts."""

    corrections: tuple[HolidayCorrection, ...] = ()

    @cached_property
    def _corrections(self) -> Mapping[str, tuple[HolidayCorrection, ...]]:
        by_country: dict[str, list[HolidayCorrection]] = {}
        for correction in self.corrections:
            by_country.setdefault(correction.country, []).insert(0, correction)
        return {country: tuple(found) for country, found in by_country.items()}

    def _correction(self, day: date, country: str) -> HolidayCorrection | None:
        found = self._corrections.get(country, ())
        return next((correction for correction in found if correction.covers(day)), None)

    def day_off(self, day: date, country: str) -> DayOff | None:
        """The public holiday on that day, or None; Saturdays and Sundays are no holidays by themselves."""
        correction = self._correction(day, country)
        if correction is not None:
            return None if correction.working else DayOff(day, correction.name)
        published = _published(country, day.year)
        name = None if published is None else published.fixed.get(day)
        return None if name is None else DayOff(day, name)

    def is_working_day(self, day: date, country: str) -> bool:
        """Neither a weekend nor a public holiday.

        >>> Calendar().is_working_day(date(2026, 11, 2), "MX"), Calendar().is_working_day(
        ...     date(2026, 11, 16), "MX"
        ... )
        (True, False)
        """
        return day.weekday() < _SATURDAY and self.day_off(day, country) is None

    def doubt(self, day: date, country: str) -> Doubt | None:
        """Why the calendar is not sure of that day, or None."""
        if day.weekday() >= _SATURDAY or self._correction(day, country) is not None:
            return None
        published = _published(country, day.year)
        if published is None:
            return Doubt.CALENDAR
        return Doubt.ESTIMATED if day in published.estimated and day not in published.fixed else None

    def last_working_day(self, day: date, country: str, *, not_before: date = date.min) -> date:
        """The last working day up to and including `day`, but none before `not_before`."""
        found = day
        while found > not_before and not self.is_working_day(found, country):
            found -= _DAY
        return found

    def working_days_before(self, day: date, count: int, country: str) -> date:
        """The day that has so many working days between itself and `day`, `day` included."""
        found = day
        while count > 0 and found > date.min:
            count -= self.is_working_day(found, country)
            found -= _DAY
        return found

    def due(self, start: date | datetime, value: int, unit: Unit, country: str) -> Due:
        """When a period that began with `start` ends; see `due`."""
        if value < 1:
            raise ValueError("a period is at least 1")
        first = start.date() if isinstance(start, datetime) else start
        if unit is Unit.HOURS:
            if not isinstance(start, datetime) or start.tzinfo is None:
                raise ValueError("hours run from a moment with its time zone")
            at = _later(start, timedelta(hours=value))
            return Due(first, value, unit, country, at.date(), at)
        if unit is Unit.BUSINESS_DAYS:
            return self._business_days(first, value, country)
        if unit is Unit.CALENDAR_DAYS:
            on = first + timedelta(days=value) if value <= (date.max - first).days else date.max
        else:
            on = _months_later(first, value if unit is Unit.MONTHS else 12 * value)
        return Due(first, value, unit, country, on)

    def _business_days(self, first: date, value: int, country: str) -> Due:
        day, left = first, value
        skipped: list[DayOff] = []
        doubts: set[Doubt] = set()
        while left and day < date.max:
            day += _DAY
            off = self.day_off(day, country)
            if (doubt := self.doubt(day, country)) is not None:
                doubts.add(doubt)
            if day.weekday() >= _SATURDAY:
                continue
            if off is not None:
                skipped.append(off)
                continue
            left -= 1
        return Due(
            first, value, Unit.BUSINESS_DAYS, country, day, None, tuple(skipped), tuple(sorted(doubts))
        )


def due(
    start: date | datetime,
    value: int,
    unit: Unit,
    country: str,
    *,
    corrections: Iterable[HolidayCorrection] = (),
) -> Due:
    """When a period of the law ends.

    `start` is the day of receipt, day 0, as it was in the place where it was received; `country` is an
    ISO 3166-1 alpha-2 code. Months and years end on the same day of the month, or on the last day of a
    shorter month. Hours run on through nights, weekends and changes of the clock; they need a moment with its
    time zone. A period that does not count business days may end on a Sunday: nothing here moves it to
    Monday, because not every law does.

    >>> due(date(2026, 10, 30), 20, Unit.BUSINESS_DAYS, "MX").on
    datetime.date(2026, 11, 30)
    >>> due(date(2026, 1, 31), 1, Unit.MONTHS, "BB").on
    datetime.date(2026, 2, 28)
    """
    return Calendar(tuple(corrections)).due(start, value, unit, country)


def is_known(country: str) -> bool:
    """Whether the library publishes the holidays of that country."""
    return country in _countries()


# In words

_PATTERNS: Final[Mapping[Language, str]] = MappingProxyType(
    {"es": "EEEE d 'de' MMMM 'de' y", "en": "EEEE d MMMM y", "fr": "EEEE d MMMM y"}
)
_HAITIAN_DAYS: Final = tuple("lendi madi mèkredi jedi vandredi samdi dimanch".split())  # noqa: SIM905
_HAITIAN_MONTHS: Final = tuple(
    "janvye fevriye mas avril me jen jiyè out septanm oktòb novanm desanm".split()  # noqa: SIM905
)


def in_words(day: date, language: Language) -> str:
    """A day as a person reads it, without an article.

    >>> in_words(date(2026, 11, 27), "es"), in_words(date(2026, 11, 27), "ht")
    ('viernes 27 de noviembre de 2026', 'vandredi 27 novanm 2026')
    """
    if language == "ht":
        return f"{_HAITIAN_DAYS[day.weekday()]} {day.day} {_HAITIAN_MONTHS[day.month - 1]} {day.year}"
    if language == "fr" and day.day == 1:
        return format_date(day, "EEEE '1er' MMMM y", locale="fr")
    return format_date(day, _PATTERNS.get(language, _PATTERNS["es"]), locale=language)


# What the library says

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@cache
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())


@cache
def _published(country: str, year: int) -> _Published | None:
    """The holidays of a country in a year; None where the library knows nothing about them."""
    if country not in _countries():
        return None
    # The country's own language, or the names would hang on the settings of the machine.
    language = holidays.country_holidays(country).default_language
    found = holidays.country_holidays(country, years=year, language=language)
    if not found.start_year <= year <= found.end_year:
        return None
    marks = _marks_of_an_estimate(found)
    fixed: dict[date, str] = {}
    estimated: dict[date, str] = {}
    for day, names in found.items():
        sure = [name for name in names.split("; ") if not any(mark in name for mark in marks)]
        if day.year != year:
            continue
        if sure:
            fixed[day] = "; ".join(sure)
        else:
            estimated[day] = names
    return _Published(MappingProxyType(fixed), MappingProxyType(estimated))


def _marks_of_an_estimate(found: holidays.HolidayBase) -> tuple[str, ...]:
    labels = (getattr(found, name, "") for name in ("estimated_label", "observed_estimated_label"))
    return tuple(found.tr(label).replace("%s", "").strip() for label in labels if label)


def _later(start: datetime, by: timedelta) -> datetime:
    """Counted on the clock of the world, so that a change to summer time neither adds nor takes an hour."""
    return (start.astimezone(UTC) + by).astimezone(start.tzinfo)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, gregorian.monthrange(year, month + 1)[1]))
