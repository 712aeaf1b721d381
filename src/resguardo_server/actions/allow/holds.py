"""An authority ordered that records be kept: until the order ends nobody erases them, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from resguardo.keep.journal import Act
from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.allow.deciding import subject_of
from resguardo_server.actions.allow.opening import journal_for
from resguardo_server.actions.allow.rights import write_officer_line
from resguardo_server.actions.allow.rules import local, refuse_unless_officer
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import programme_named

MOST_LETTERS: Final = 120


@dataclass(frozen=True)
class PlacedHold:
    """An order as the desk shows it."""

    id: int
    subject: UUID
    order: str
    since: date
    until: date | None
    placed_by: str
    lifted_on: date | None
    is_active: bool


def place_hold(
    who: Asker, subject: UUID, order: str, *, since: date | None = None, until: date | None, now: datetime
) -> None:
    """From that day on nobody erases the subject's records, and what expires is closed instead of destroyed.

    `order` says which authority ordered it and under which number. The line in the journal is `restrict`.
    """
    refuse_unless_officer(who)
    found = subject_of(who, subject)
    if found is None or found.erased_on is not None:
        raise Refused(Problem("server.protection.unknown_person"))
    day = local(now, who.institution.country).date()
    begins = since or day
    problems = []
    if not order.strip():
        problems.append(Problem("server.protection.no_order"))
    if len(order.strip()) > MOST_LETTERS:
        problems.append(Problem("server.protection.too_long", {"name": order[:20] + "…"}))
    if until is not None and until < max(begins, day):
        problems.append(Problem("server.protection.ends_before"))
    if problems:
        raise Refused(*problems)
    placed_by = models.Member.objects.get(email=who.name)
    with transaction.atomic():
        journal = journal_for(who, programme_named(found.programme))
        held = models.Subject.objects.select_for_update().get(id=found.id)
        row = models.LegalHold.objects.create(
            subject=held, order=order.strip(), since=begins, until=until, placed_by=placed_by
        )
        write_officer_line(who, journal, held, _place_of(held, row), Act.RESTRICT, now=now)
        journal.sign(now)


def lift_hold(who: Asker, number: int, *, now: datetime) -> None:
    """The order is over: what was blocked by it alone can be erased again."""
    refuse_unless_officer(who)
    found = models.LegalHold.objects.filter(
        pk=number, subject__institution_id=who.institution.id, lifted_on=None
    ).first()
    if found is None:
        raise Refused(Problem("server.protection.unknown_hold"))
    with transaction.atomic():
        subject = models.Subject.objects.get(id=found.subject_id)
        journal = journal_for(who, programme_named(subject.programme))
        held = models.Subject.objects.select_for_update().get(id=subject.id)
        row = models.LegalHold.objects.select_for_update().get(pk=number)
        row.lifted_on = local(now, who.institution.country).date()
        row.save(update_fields=["lifted_on"])
        write_officer_line(who, journal, held, _place_of(held, row), Act.RESTRICT, now=now)
        journal.sign(now)


def _place_of(subject: models.Subject, row: models.LegalHold) -> UUID:
    """What the line is about: the oldest of the records that are held; an order has no random id."""
    oldest = subject.records.order_by("received_on").values_list("id", flat=True).first()
    return oldest or row.subject_id


def holds(who: Asker, *, now: datetime) -> list[PlacedHold]:
    """Every order at the institution, those in force first."""
    refuse_unless_officer(who)
    day = local(now, who.institution.country).date()
    rows = models.LegalHold.objects.filter(subject__institution_id=who.institution.id).select_related(
        "placed_by"
    )
    found = [
        PlacedHold(
            row.pk,
            row.subject_id,
            row.order,
            row.since,
            row.until,
            str(row.placed_by),
            row.lifted_on,
            row.lifted_on is None and (row.until is None or row.until >= day),
        )
        for row in rows.order_by("-since", "-pk")
    ]
    return sorted(found, key=lambda hold: not hold.is_active)
