"""What the data protection officer watches: the journal, what is due, alarms, keys, what was erased."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Count, Q

from resguardo.keep.journal import Act, Leaf, NotAnEntry, Outcome, read_entry
from resguardo.keep.witness import Tail
from resguardo.values import Language, Problem, Refused
from resguardo_server import models
from resguardo_server.actions.allow.breaches import staff_pseudonyms
from resguardo_server.actions.allow.erasing import Expired, expire_due
from resguardo_server.actions.allow.rules import local, refuse_unless_officer
from resguardo_server.actions.keep import check_journals
from resguardo_server.actions.keep.witness import WitnessStand, tail_of, witnesses_of
from resguardo_server.actions.members import Asker

PER_PAGE: Final = 50
SOON: Final = timedelta(days=7)
REMEMBERED: Final = timedelta(days=30)
"""How long the last look at the journal is told."""


# The journal


@dataclass(frozen=True)
class Line:
    """One line of the journal as the officer sees it."""

    position: int
    leaf: Leaf | None
    """None for a line that is no line: the verification says what is wrong."""
    member: str
    """Who it was, by name, where the pseudonym is one of the institution's members."""


@dataclass(frozen=True)
class Lines:
    """A page of the journal."""

    lines: tuple[Line, ...]
    found: int
    page: int
    pages: int


def journal_lines(
    who: Asker, *, act: str = "", outcome: str = "", role: str = "", month: str = "", page: int = 1
) -> Lines:
    """The newest lines first, 50 at a time; those of an act, an outcome, a role or a month (2026-11)."""
    refuse_unless_officer(who)
    stored = models.JournalEntry.objects.filter(institution_id=who.institution.id)
    marks = [
        f'"{name}":"{value}'.encode() + (b'"' if name != "t" else b"-")
        for name, value in (("act", act), ("dec", outcome), ("role", role), ("t", month))
        if value
    ]
    if marks:
        pairs = stored.order_by("-position").values_list("position", "leaf").iterator(chunk_size=5000)
        places = [place for place, leaf in pairs if all(mark in bytes(leaf) for mark in marks)]
        found = len(places)
    else:
        places = []
        found = stored.count()
    pages = max(1, -(-found // PER_PAGE))
    page = min(max(page, 1), pages)
    first = (page - 1) * PER_PAGE
    rows = stored.filter(position__in=places[first : first + PER_PAGE]) if marks else stored
    rows = rows.order_by("-position")
    chosen = rows if marks else rows[first : first + PER_PAGE]
    names = {mark: str(member) for mark, member in staff_pseudonyms(who).items()}
    lines = [_line(place, bytes(leaf), names) for place, leaf in chosen.values_list("position", "leaf")]
    return Lines(tuple(lines), found, page, pages)


def _line(position: int | None, leaf: bytes, names: dict[str, str]) -> Line:
    try:
        read = read_entry(leaf)
    except NotAnEntry:
        return Line(position or 0, None, "")
    return Line(position or 0, read, names.get(read.who, ""))


@dataclass(frozen=True)
class JournalSaid:
    """How it stands with the journal."""

    entries: int
    tail: Tail
    witnesses: tuple[WitnessStand, ...]
    emergencies: int
    """Openings in an emergency this month."""
    denied: int
    """Attempts that were refused this month."""
    denied_for: tuple[tuple[str, int], ...]
    """For which purposes they were refused, the most first; empty for what had none."""
    checked: dict[str, Any] | None
    """What the last look found: ``at``, ``entries`` and ``findings``; None when nobody looked lately."""


def journal_said(who: Asker, *, now: datetime) -> JournalSaid:
    """How it stands with the institution's journal, its witnesses and this month's refusals."""
    refuse_unless_officer(who)
    row = models.Institution.objects.get(id=who.institution.id)
    tail = tail_of(row, now=now)
    emergencies, denied = _this_month(who, tail.entries, now)
    return JournalSaid(
        entries=tail.entries,
        tail=tail,
        witnesses=tuple(witnesses_of(row)),
        emergencies=emergencies,
        denied=sum(denied.values()),
        denied_for=tuple(denied.most_common(3)),
        checked=cache.get(_checked_key(who)),
    )


def _this_month(who: Asker, size: int, now: datetime) -> tuple[int, Counter[str]]:
    """Counted once for each length of the journal: lines are only ever added."""
    month = f"{now:%Y-%m}"
    key = f"journal-month:{who.institution.id}:{size}:{month}"
    known = cache.get(key)
    if known is None:
        emergencies, denied = 0, Counter[str]()
        begins = f'"t":"{month}-'.encode()
        stored = models.JournalEntry.objects.filter(institution_id=who.institution.id).order_by("-position")
        for entry in stored.values_list("leaf", flat=True).iterator(chunk_size=5000):
            leaf = bytes(entry)
            if begins not in leaf:
                break
            if b'"dec":"break_glass"' in leaf:
                emergencies += 1
            elif b'"dec":"deny"' in leaf:
                denied[json.loads(leaf).get("purpose", "")] += 1
        known = (emergencies, dict(denied))
        cache.set(key, known, 3600)
    return known[0], Counter(known[1])


def check_journal(who: Asker, *, language: Language, now: datetime) -> list[str]:
    """The whole journal is computed again and held against the records; what is wrong, in words."""
    refuse_unless_officer(who)
    (found,) = check_journals(who.institution.slug, language=language)
    said = {"at": now.isoformat(), "entries": found["entries"], "findings": list(found["findings"])}
    cache.set(_checked_key(who), said, int(REMEMBERED.total_seconds()))
    return list(found["findings"])


def _checked_key(who: Asker) -> str:
    return f"journal-checked:{who.institution.id}"


def acts() -> list[str]:
    """Every act that a line may tell."""
    return [str(act) for act in Act]


def outcomes() -> list[str]:
    """Every way in which it may have been decided."""
    return [str(outcome) for outcome in Outcome]


# What is due


@dataclass(frozen=True)
class Ending:
    """Records of one programme whose time is over on a day."""

    programme: str
    on: date
    """The first day on which one of them is to be gone."""
    records: int
    held: int
    """How many of them an order keeps."""
    over: int
    """How many of them are past their day already."""


def ending_soon(who: Asker, *, now: datetime) -> list[Ending]:
    """Records whose time is over, or will be within seven days, by programme."""
    refuse_unless_officer(who)
    day = local(now, who.institution.country).date()
    rows = models.Record.objects.filter(institution_id=who.institution.id, keep_until__lt=day + SOON)
    held = _held(who, day)
    found: dict[str, list[models.Record]] = {}
    for row in rows.only("programme", "keep_until", "subject_id", "institution_id"):
        found.setdefault(row.programme, []).append(row)
    return [
        Ending(
            name,
            min(row.keep_until for row in records) + timedelta(days=1),
            len(records),
            sum(row.subject_id in held for row in records),
            sum(row.keep_until < day for row in records),
        )
        for name, records in sorted(found.items())
    ]


def _held(who: Asker, day: date) -> set[Any]:
    holds = models.LegalHold.objects.filter(subject__institution_id=who.institution.id, lifted_on=None)
    holds = holds.filter(Q(until=None) | Q(until__gte=day))
    return set(holds.values_list("subject_id", flat=True))


@dataclass(frozen=True)
class KeepingSaid:
    """How it stands with the time for which records are kept."""

    today: int
    week: int
    held: int
    """People whose records an order keeps."""
    erased: int
    """Records erased in the last thirty days."""


def keeping_said(who: Asker, *, now: datetime) -> KeepingSaid:
    """How many records end today and within a week, and how many people an order holds."""
    refuse_unless_officer(who)
    day = local(now, who.institution.country).date()
    counted = models.Record.objects.filter(institution_id=who.institution.id).aggregate(
        today=Count("id", filter=Q(keep_until__lt=day)),
        week=Count("id", filter=Q(keep_until__lt=day + SOON)),
    )
    erased = models.Erasure.objects.filter(
        institution_id=who.institution.id, shredded_on__gte=now - timedelta(days=30)
    )
    return KeepingSaid(counted["today"], counted["week"], len(_held(who, day)), erased.count())


def destroy_what_ended(who: Asker, *, now: datetime) -> Expired:
    """What the round of tending would do by itself: every record whose time is over is gone, or closed."""
    refuse_unless_officer(who)
    if not who.reauthenticated:
        raise Refused(Problem("allow.decision.reauthentication", {"purpose": "", "role": ""}))
    return expire_due(who.institution, now=now)


# Alarms


@dataclass(frozen=True)
class Raised:
    """An alarm as the desk shows it."""

    id: int
    kind: str
    member: str
    numbers: dict[str, Any]
    raised_at: datetime
    seen_at: datetime | None


def alarms(who: Asker, *, unseen: bool = True) -> list[Raised]:
    """What must be looked at today, the newest first."""
    refuse_unless_officer(who)
    rows = models.Alarm.objects.filter(institution_id=who.institution.id).order_by("-raised_at", "-pk")
    if unseen:
        rows = rows.filter(seen_at=None)
    names = {mark: str(member) for mark, member in staff_pseudonyms(who).items()}
    return [
        Raised(
            row.pk,
            row.kind,
            names.get(row.who, row.who),
            dict(row.numbers),
            row.raised_at,
            row.seen_at,
        )
        for row in rows[:PER_PAGE]
    ]


def mark_seen(who: Asker, alarm: int, *, now: datetime) -> None:
    """The officer has looked at it."""
    refuse_unless_officer(who)
    seen = models.Alarm.objects.filter(pk=alarm, institution_id=who.institution.id, seen_at=None).update(
        seen_at=now, seen_by=models.Member.objects.get(email=who.name)
    )
    if not seen:
        raise Refused(Problem("server.protection.unknown_alarm"))


# Keys and what was erased


def key_rows(who: Asker) -> list[models.CompartmentKeyVersion]:
    """When each key of the institution was made, replaced and destroyed."""
    refuse_unless_officer(who)
    rows = models.CompartmentKeyVersion.objects.filter(institution_id=who.institution.id)
    return list(rows.order_by("compartment", "-number"))


@dataclass(frozen=True)
class Erased:
    """What was erased, by day and reason; ids alone are left."""

    rows: tuple[models.Erasure, ...]
    found: int
    page: int
    pages: int


def erased(who: Asker, *, page: int = 1) -> Erased:
    """What was erased, the newest first, 50 at a time."""
    refuse_unless_officer(who)
    rows = models.Erasure.objects.filter(institution_id=who.institution.id).order_by("-shredded_on", "id")
    found = rows.count()
    pages = max(1, -(-found // PER_PAGE))
    page = min(max(page, 1), pages)
    return Erased(tuple(rows[(page - 1) * PER_PAGE : page * PER_PAGE]), found, page, pages)
