"""Two thousand requests over three years: whoever answers on the last day was never late for any law.

The oracle shares nothing with the rules that it judges. It reads the files of the rulebook by itself, knows
by a table of its own which law binds whom, and counts one day after the other on the published holidays.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import holidays
import pytest

from resguardo.allow.calendar import HolidayCorrection
from resguardo.allow.rights import (
    Level,
    Right,
    RightsRequest,
    State,
    answer,
    begin,
    carry_out,
    confirm_identity,
    deadline,
    extend,
    level_on,
    receive,
)
from resguardo.allow.rulebook import BUILT_IN, ControllerType, load

SEED = 20261124
REQUESTS = 2_000
BOOK = load()
DAY = timedelta(days=1)

# Which file binds whom, as a reader of the files writes it down: (state, private or civil society).
BINDS: dict[str, tuple[str | None, str | None]] = {
    "MX": ("MEX-PUB", "MEX-PRIV"),
    "GT": ("GTM", None),
    "HN": ("HND", None),
    "SV": ("SLV", "SLV"),
    "NI": ("NIC", "NIC"),
    "CR": ("CRI", "CRI"),
    "PA": ("PAN", "PAN"),
    "DO": ("DOM", "DOM"),
    "JM": ("JAM", "JAM"),
    "BB": ("BRB", "BRB"),
    "TT": ("TTO", None),
    "BZ": (None, None),
    "GY": (None, None),
    "DM": (None, None),
    "HT": (None, None),
    "US": (None, None),
}
ASKED_AS = {
    "access": ("access",),
    "rectification": ("rectification",),
    "erasure": ("erasure",),
    "objection": ("objection",),
    "portability": ("portability",),
    "restriction": ("objection",),
    "revocation": ("objection", "erasure"),
    "complaint": ("access",),
}


@dataclass(frozen=True)
class LegalDays:
    """What the law says about one request, as the oracle finds it."""

    last: date
    last_when_extended: date
    is_by_law: bool
    """False where no law gave a number and the strictest common rule was counted."""


@cache
def file(name: str) -> dict[str, Any]:
    return tomllib.loads((BUILT_IN / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def days_off(country: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, years=range(2025, 2032))


def walk(start: date, period: dict[str, Any], country: str) -> date:
    """The last day of a period, one day after the other."""
    if period["unit"] == "months":
        month = start.month - 1 + period["value"]
        day = date(start.year + month // 12, month % 12 + 1, 1)
        last = day
        while last.month == day.month and last.day < start.day:
            last += DAY
        return last if last.month == day.month else last - DAY
    day, left = start, period["value"]
    while left:
        day += DAY
        if period["unit"] == "calendar_days" or (
            day.weekday() not in (5, 6) and day not in days_off(country)
        ):
            left -= 1
    return day


def by_law(right: str, controller: tuple[str, str], received: date) -> LegalDays:
    """The last legal day of one controller for one right that a law may name."""
    kind, country = controller
    state, private = BINDS[country]
    name = {"state": state, "private_or_ngo": private}.get(kind)
    said = file(name)["response_deadlines"][right] if name else {"status": "unknown"}
    if said["status"] not in ("sourced", "from_memory"):
        written = file("strictest_common")["rights_response"][right]
        last = walk(received, written, country)
        return LegalDays(last, last, False)
    last = walk(received, said, country)
    extended = walk(last, said["extension"], country) if "extension" in said else last
    return LegalDays(last, extended, True)


def legal_days(right: str, controllers: list[tuple[str, str]], received: date) -> list[LegalDays]:
    """The last legal days of every controller, and of every right that this one is answered as."""
    found: list[LegalDays] = []
    for controller in controllers:
        asked = [by_law(one, controller, received) for one in ASKED_AS[right]]
        found.append(min(asked, key=lambda one: one.last))
    return found


@dataclass(frozen=True)
class Case:
    """One simulated request."""

    right: str
    controllers: tuple[tuple[str, str], ...]
    received: date


def cases() -> list[Case]:
    chance = random.Random(SEED)
    kinds = [str(kind) for kind in ControllerType]
    found: list[Case] = []
    for _ in range(REQUESTS):
        many = chance.choice((1, 1, 1, 2, 3))
        controllers = [(chance.choice(kinds), chance.choice(list(BINDS))) for _ in range(many)]
        received = date(2026, 1, 1) + timedelta(days=chance.randrange(3 * 365))
        found.append(Case(chance.choice(list(ASKED_AS)), tuple(controllers), received))
    return found


def opened(case: Case) -> tuple[RightsRequest, bool]:
    """The request with its day, and whether the calendar was in doubt."""
    controllers = [(ControllerType(kind), country) for kind, country in case.controllers]
    found = deadline(Right(case.right), controllers, case.received, BOOK)
    doubtful = any(rule.doubts for rule in (found.rule, *found.others))
    return receive(found), doubtful


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_the_oracle_knows_every_holiday_that_it_judges_by(year: int) -> None:
    for country in BINDS:
        assert any(day.year == year for day in days_off(country)), country


def test_whoever_answers_on_the_last_day_is_inside_the_law_in_every_one_of_2000_requests() -> None:
    chance = random.Random(SEED + 1)
    late = answered = waited = 0
    for case in cases():
        request, _ = opened(case)
        legal = legal_days(case.right, list(case.controllers), case.received)
        request = confirm_identity(request, case.received + chance.randrange(3) * DAY)
        request = begin(request)
        if request.latest is not None and chance.random() < 0.5:
            span = (request.latest - request.due_on).days
            until = request.due_on + timedelta(days=chance.randrange(1, span + 1))
            request = extend(request, until, request.due_on)
            limit = min(one.last_when_extended for one in legal)
            waited += 1
        else:
            limit = min(one.last for one in legal)
        day = request.answer_by
        assert not request.is_overdue(day)
        assert level_on(request, day, BOOK.calendar) is not Level.OVERDUE
        request = answer(request, day, BOOK.calendar)
        assert carry_out(request, day).state is State.CARRIED_OUT
        answered += 1
        late += day > limit
    assert (answered, late) == (REQUESTS, 0)
    assert waited > 50


def test_nobody_is_hurried_for_nothing() -> None:
    """A day earlier than the oracle's has a reason: the calendar is in doubt, or a stricter law by date."""
    same = hurried = 0
    for case in cases():
        request, doubtful = opened(case)
        legal = legal_days(case.right, list(case.controllers), case.received)
        last = min(one.last for one in legal)
        if request.due_on == last:
            same += 1
            continue
        by_strictest = any(not one.is_by_law for one in legal)
        assert request.due_on < last
        assert doubtful or (by_strictest and "portability" in ASKED_AS[case.right]), case
        hurried += 1
    assert same + hurried == REQUESTS
    assert same > REQUESTS * 0.9


def test_an_officer_who_is_one_day_late_is_seen_by_the_oracle() -> None:
    """The control: the same oracle finds the late ones, so it would have found them above."""
    late = 0
    sure = [(case, *opened(case)) for case in cases()[:300]]
    exact = [(case, request) for case, request, doubtful in sure if not doubtful]
    for case, request in exact:
        legal = legal_days(case.right, list(case.controllers), case.received)
        late += request.due_on + DAY > min(one.last for one in legal)
    assert late > 0.95 * len(exact)


def test_a_decreed_holiday_moves_the_day_and_the_law_with_it() -> None:
    decreed = HolidayCorrection("CR", date(2026, 11, 25), working=False, name="Asueto")
    book = load(holidays=[decreed])
    costa_rica = [(ControllerType.PRIVATE_OR_NGO, "CR")]
    assert deadline(Right.ACCESS, costa_rica, date(2026, 11, 20), book).due == date(2026, 11, 30)
    assert deadline(Right.ACCESS, costa_rica, date(2026, 11, 20), BOOK).due == date(2026, 11, 27)
