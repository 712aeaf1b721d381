"""The rulebook of this installation: the files that come with the program, with what officers corrected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from resguardo.allow.calendar import HolidayCorrection
from resguardo.allow.rights import Controller, controller_type
from resguardo.allow.rulebook import RIGHTS, STRICTEST, Change, Correction, Period, Rulebook, load
from resguardo.plan.purposes import OFFICER
from resguardo.values import Institution, Language, Problem, Refused
from resguardo_server import models
from resguardo_server.actions.members import Asker

ZONES: Final = {
    "MX": "America/Mexico_City", "GT": "America/Guatemala", "HN": "America/Tegucigalpa",
    "SV": "America/El_Salvador", "NI": "America/Managua", "CR": "America/Costa_Rica",
    "PA": "America/Panama", "BZ": "America/Belize", "DO": "America/Santo_Domingo",
    "HT": "America/Port-au-Prince", "JM": "America/Jamaica", "BB": "America/Barbados",
    "TT": "America/Port_of_Spain", "GY": "America/Guyana", "DM": "America/Dominica",
}  # fmt: skip
"""Where an institution's clock stands: that of its country's capital."""


def local(now: datetime, country: str) -> datetime:
    """The moment on the clock of the country; another country keeps the clock it has."""
    zone = ZONES.get(country)
    return now if zone is None else now.astimezone(ZoneInfo(zone))


def controllers_of(institution: Institution) -> list[Controller]:
    """Who answers for the institution's records."""
    return [Controller(controller_type(institution.kind), institution.country)]


def refuse_unless_officer(who: Asker) -> None:
    """What follows is for whoever answers for the protection of data, and for nobody else."""
    if OFFICER not in who.roles:
        raise Refused(Problem("server.protection.officer_only"))
    if not who.second_factor:
        raise Refused(Problem("server.protection.second_factor"))


# The rules as they stand


@dataclass(frozen=True)
class Misfit:
    """A correction that the rulebook does not take any more, and why; it counts for nothing."""

    row: models.RulebookCorrection
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Standing:
    """The rulebook as it counts now, and the corrections that do not fit in it."""

    rulebook: Rulebook
    misfits: tuple[Misfit, ...]


def standing() -> Standing:
    """The rulebook with every correction that fits; those that do not are told and left out."""
    rows = list(models.RulebookCorrection.objects.select_related("made_by").order_by("made_on", "pk"))
    corrections = tuple(_correction(row) for row in rows)
    days = tuple(_holiday(row) for row in models.HolidayCorrection.objects.order_by("made_on", "pk"))
    try:
        return Standing(_loaded(_key(corrections), days), ())
    except Refused:
        pass
    fitting: list[Correction] = []
    misfits: list[Misfit] = []
    for row, correction in zip(rows, corrections, strict=True):
        try:
            load(corrections=[*fitting, correction])
        except Refused as refused:
            misfits.append(Misfit(row, refused.problems))
        else:
            fitting.append(correction)
    return Standing(_loaded(_key(fitting), days), tuple(misfits))


def rulebook_now() -> Rulebook:
    """The rulebook as it counts now."""
    return standing().rulebook


def _key(corrections: Iterable[Correction]) -> str:
    return json.dumps(
        [
            [one.jurisdiction, one.path, one.value, one.status, one.source, one.by, one.on.isoformat()]
            for one in corrections
        ]
    )


@lru_cache(maxsize=8)
def _loaded(key: str, days: tuple[HolidayCorrection, ...]) -> Rulebook:
    said = (
        Correction(place, path, value, status, source, by, datetime.fromisoformat(on))
        for place, path, value, status, source, by, on in json.loads(key)
    )
    return load(corrections=said, holidays=days)


def _correction(row: models.RulebookCorrection) -> Correction:
    return Correction(
        jurisdiction=row.jurisdiction,
        path=row.path,
        value=row.value,
        status=row.status,
        source=row.source,
        by=str(row.made_by),
        on=row.made_on,
    )


def _holiday(row: models.HolidayCorrection) -> HolidayCorrection:
    return HolidayCorrection(row.country, row.day, row.working, row.name, row.every_year, row.until)


# Correcting


def correct_rule(
    who: Asker, jurisdiction: str, path: str, value: str, status: str, source: str, *, now: datetime
) -> None:
    """The rulebook says something else from now on; the value that it replaces stays visible.

    `value` is written as JSON, or as plain text; empty takes the value away. It is checked like the files:
    refused with every reason, and nothing is kept.
    """
    refuse_unless_officer(who)
    made_by = models.Member.objects.get(email=who.name)
    correction = Correction(
        jurisdiction.strip(), path.strip(), _value(value), status.strip(), source.strip(), str(made_by), now
    )
    rows = models.RulebookCorrection.objects.select_related("made_by").order_by("made_on", "pk")
    lost = {misfit.row.pk for misfit in standing().misfits}
    load(corrections=[*(_correction(row) for row in rows if row.pk not in lost), correction])
    too_long = [
        name
        for name, text, most in (("path", correction.path, 120), ("source", correction.source, 300))
        if len(text) > most
    ]
    if too_long:
        raise Refused(Problem("server.protection.too_long", {"name": ", ".join(too_long)}))
    models.RulebookCorrection.objects.create(
        jurisdiction=correction.jurisdiction,
        path=correction.path,
        value=correction.value,
        status=correction.status,
        source=correction.source,
        made_by=made_by,
        made_on=now,
    )


def _value(text: str) -> Any:
    said = text.strip()
    if not said:
        return None
    try:
        return json.loads(said)
    except ValueError:
        return said


def correct_holiday(
    who: Asker,
    country: str,
    day: date,
    name: str,
    *,
    working: bool,
    every_year: bool,
    until: date | None,
    now: datetime,
) -> None:
    """A day is a holiday in a country, or is none, against the calendar that comes with the program."""
    refuse_unless_officer(who)
    if country not in ZONES:
        raise Refused(Problem("server.said.unknown_country", {"country": country[:8]}))
    if not name.strip():
        raise Refused(Problem("server.protection.holiday_name"))
    models.HolidayCorrection.objects.update_or_create(
        country=country,
        day=day,
        defaults={
            "working": working,
            "every_year": every_year,
            "until": until,
            "name": name.strip()[:120],
            "made_by": models.Member.objects.get(email=who.name),
            "made_on": now,
        },
    )


def holidays_corrected() -> list[models.HolidayCorrection]:
    """The days that officers corrected."""
    return list(models.HolidayCorrection.objects.select_related("made_by").order_by("country", "day"))


def days_off_soon(country: str, day: date) -> list[tuple[date, str]]:
    """The public holidays of the country in the next 120 days, as they are counted now."""
    calendar = rulebook_now().calendar
    found = (calendar.day_off(day + timedelta(days=later), country) for later in range(120))
    return [(off.day, off.name) for off in found if off is not None]


# What a page shows


@dataclass(frozen=True)
class Place:
    """One value of a jurisdiction: where it stands, what it says, how sure it is, what was there before."""

    path: str
    words: str
    """The value as a person reads it; empty when there is none."""
    is_period: bool = False
    status: str = ""
    ground: str = ""
    """Article, or where it was seen."""
    note: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """The values of a jurisdiction that belong together."""

    name: str
    places: tuple[Place, ...]


def chapters_of(rulebook: Rulebook, jurisdiction: str, language: Language) -> tuple[Chapter, ...]:
    """Every value of a jurisdiction, with its status and what was corrected in it."""
    if jurisdiction == STRICTEST:
        return _strictest_chapters(rulebook, language)
    law = rulebook.jurisdictions.get(jurisdiction)
    if law is None:
        raise Refused(Problem("allow.rulebook.no_jurisdiction", {"jurisdiction": jurisdiction[:20]}))
    changes = law.changes

    def said(
        path: str, value: object, status: object = "", ground: str | None = "", note: str | None = ""
    ) -> Place:
        return _place(path, value, changes, status=status, ground=ground, note=note)

    answers = [
        _period(f"response_deadlines.{right}", law.response_deadlines[right], changes, language)
        for right in RIGHTS
        if right in law.response_deadlines
    ]
    transfer, keeping = law.cross_border_transfer, law.retention
    blocking = (
        [_period("retention.blocking", keeping.blocking, changes, language)] if keeping.blocking else []
    )
    chapters = [
        ("law", [
            said("law.name", law.law.name, note=law.law.note),
            said("law.in_force", law.law.in_force),
            *(said(f"applies_to.{kind}", applies) for kind, applies in law.applies_to.items()),
            said("authority.name", law.authority.name, note=law.authority.note),
            said("authority.operational", law.authority.operational),
            said("pending_change", law.pending_change),
        ]),
        ("answers", answers),
        ("breaches", [
            _period("breach.authority", law.breach.authority, changes, language),
            _period("breach.person", law.breach.person, changes, language),
            said("breach.trigger", law.breach.trigger),
        ]),
        ("transfer", [said("cross_border_transfer.rule", transfer.rule, transfer.status, transfer.article)]),
        ("sensitive", [
            said(
                "sensitive_categories.categories",
                ", ".join(law.sensitive_categories.categories),
                law.sensitive_categories.status,
                law.sensitive_categories.article,
                law.sensitive_categories.note,
            )
        ]),
        ("consent", [
            said("consent.general", law.consent.general, law.consent.status, law.consent.article),
            said("consent.sensitive", law.consent.sensitive, law.consent.status, law.consent.article),
            said("children.rule", law.children.rule, law.children.status, law.children.article),
        ]),
        ("keeping", [
            said("retention.rule", keeping.rule, keeping.status, keeping.article, keeping.note),
            said("retention.action_at_end", keeping.action_at_end, keeping.status),
            *blocking,
        ]),
        ("review", [
            said("sign_off.by", law.signed_by),
            said("sign_off.on", law.signed_on.isoformat() if law.signed_on else None),
            said("confidence", law.confidence),
        ]),
    ]  # fmt: skip
    shown = [Chapter(name, tuple(places)) for name, places in chapters if places]
    told = {change for chapter in shown for place in chapter.places for change in map(id, place.changes)}
    rest = [change for change in changes if id(change) not in told]
    if rest:
        others = (_place(change.correction.path, change.correction.value, changes) for change in rest)
        shown.append(Chapter("others", tuple({place.path: place for place in others}.values())))
    return tuple(shown)


def _strictest_chapters(rulebook: Rulebook, language: Language) -> tuple[Chapter, ...]:
    rule = rulebook.strictest
    answers = [
        _place(f"rights_response.{right}", length.words(language), rule.changes)
        for right, length in rule.rights_response.items()
    ]
    caps = [
        _place("breach.authority", rule.breach_authority.words(language), rule.changes),
        _place("breach.person", rule.breach_person.words(language), rule.changes),
    ]
    keeping = [
        _place("retention.share_cap", rule.share_cap.words(language), rule.changes),
        _place("retention.hold_cap", rule.hold_cap.words(language), rule.changes),
        _place("retention.rule", rule.retention_rule, rule.changes),
    ]
    return (
        Chapter("answers", tuple(answers)),
        Chapter("breaches", tuple(caps)),
        Chapter("keeping", tuple(keeping)),
    )


def _place(
    path: str,
    value: object,
    changes: Sequence[Change],
    *,
    status: object = "",
    ground: str | None = "",
    note: str | None = "",
) -> Place:
    return Place(
        path,
        "" if value is None else str(value),
        status=str(status),
        ground=ground or "",
        note=note or "",
        changes=_about(path, changes),
    )


def _period(path: str, period: Period, changes: Sequence[Change], language: Language) -> Place:
    return Place(
        path,
        period.length.words(language) if period.length else "",
        True,
        str(period.status),
        period.article or "",
        period.note or "",
        _about(path, changes),
    )


def _about(path: str, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The newest first."""
    found = [
        change
        for change in changes
        if change.correction.path == path or change.correction.path.startswith(f"{path}.")
    ]
    return tuple(reversed(found))
