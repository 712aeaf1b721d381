"""A life is in danger: a supervisor opens one person's records without the usual ground, and answers for it.

She writes why, it lasts an hour, the officer is told at once, and somebody else reviews it within three days;
else her role opens nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from resguardo.allow.decision import EMERGENCY_TIME, VITAL_INTEREST
from resguardo.plan.purposes import OFFICER, RIGHTS
from resguardo.values import Problem, Refused, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow.asking import seal_text
from resguardo_server.actions.allow.deciding import subject_of
from resguardo_server.actions.allow.opening import OpenedFile, SealedText, open_file, open_texts
from resguardo_server.actions.keep.records import new_id
from resguardo_server.actions.members import Asker
from resguardo_server.keyholders import keyholder

REVIEWED_WITHIN: Final = timedelta(hours=72)
MOST_LETTERS: Final = 1000
SUPERVISOR: Final = "supervisor"

UNREVIEWED: Final = "emergency_unreviewed"
"""The alarm when nobody reviewed an opening in time."""


@dataclass(frozen=True)
class OpenedInEmergency:
    """What was opened, and under which number it is reviewed."""

    id: UUID
    file: OpenedFile
    until: datetime
    review_by: datetime


def open_in_emergency(
    who: Asker, subject: UUID, reason: str, groups: Collection[Sensitivity], *, now: datetime
) -> OpenedInEmergency:
    """The groups of one person's records, for an hour, to be read and nothing else.

    The keyholder asks for the role, the reason's length and the fresh sign-in, writes the line and raises the
    officer's alarm before it gives a key. Must not be called inside a transaction.
    """
    row = subject_of(who, subject)
    if row is None or row.erased_on is not None:
        raise Refused(Problem("server.said.unknown_record"))
    written = reason.strip()
    if len(written) > MOST_LETTERS:
        raise Refused(Problem("server.emergency.too_long", {"most": str(MOST_LETTERS)}))
    emergency = new_id()
    sealed = seal_text(row, emergency, written) if written else b""
    file = open_file(who, subject, VITAL_INTEREST, groups, emergency_reason=written or "-", now=now)
    until, review_by = now + EMERGENCY_TIME, now + REVIEWED_WITHIN
    models.EmergencyOpening.objects.create(
        id=emergency,
        institution_id=who.institution.id,
        subject=row,
        member=models.Member.objects.get(email=who.name),
        role=file.permit.role,
        purpose=VITAL_INTEREST,
        opened_at=now,
        until=until,
        reason=sealed,
        review_by=review_by,
    )
    return OpenedInEmergency(emergency, file, until, review_by)


# What the officer does


def emergencies_of(who: Asker, *, waiting: bool = True) -> list[models.EmergencyOpening]:
    """The institution's emergency openings: those that wait for a review, the most urgent first, or all."""
    rows = models.EmergencyOpening.objects.filter(institution_id=who.institution.id)
    rows = rows.filter(reviewed_at=None).order_by("review_by") if waiting else rows.order_by("-opened_at")
    return list(rows.select_related("member", "reviewed_by"))


def reason_of(who: Asker, emergency: UUID, *, now: datetime) -> str:
    """Why it was opened, in the supervisor's words; empty when the person has been erased since.

    It lies sealed under the person's key: to read it is an opening, and leaves its line.
    """
    row = _emergency(who, emergency)
    _refuse_others(who)
    if not row.reason:
        return ""
    found = open_texts(who, row.subject_id, RIGHTS, [SealedText(row.id, bytes(row.reason))], now=now)
    return found[0]


@transaction.atomic
def review(who: Asker, emergency: UUID, justified: bool, *, now: datetime) -> None:
    """The officer says whether the opening was justified; nobody reviews her own.

    A role that was suspended because of it opens again if it was, and if nothing else waits too long.
    """
    row = models.EmergencyOpening.objects.select_for_update().get(id=_emergency(who, emergency).id)
    _refuse_others(who)
    reviewer = models.Member.objects.get(email=who.name)
    if row.member_id == reviewer.pk:
        raise Refused(Problem("server.emergency.own"))
    if row.reviewed_at is not None:
        raise Refused(Problem("server.emergency.reviewed"))
    row.reviewed_at, row.reviewed_by, row.justified = now, reviewer, justified
    row.save(update_fields=["reviewed_at", "reviewed_by", "justified"])
    overdue = models.EmergencyOpening.objects.filter(
        institution_id=row.institution_id, member_id=row.member_id, reviewed_at=None, review_by__lt=now
    )
    if justified and row.review_by < now and not overdue.exists():
        _memberships(row).update(suspended_on=None)


@transaction.atomic
def tell_person(who: Asker, emergency: UUID, *, now: datetime) -> None:
    """The person was told, once it was safe for her, that her records were opened, and why."""
    row = _emergency(who, emergency)
    if not who.roles & {OFFICER, SUPERVISOR}:
        raise Refused(Problem("server.emergency.officer"))
    row.person_told_on = now.date()
    row.save(update_fields=["person_told_on"])


# What is due by itself


def suspend_unreviewed(*, now: datetime) -> int:
    """Whoever opened in an emergency that nobody reviewed in time has no longer the role it was opened in."""
    suspended = 0
    for row in models.EmergencyOpening.objects.filter(reviewed_at=None, review_by__lt=now):
        with transaction.atomic():
            if _memberships(row).filter(suspended_on=None).update(suspended_on=now.date()):
                suspended += 1
                models.Alarm.objects.create(
                    institution_id=row.institution_id,
                    kind=UNREVIEWED,
                    who=keyholder().pseudonym(row.institution_id, row.member.email),
                    raised_at=now,
                )
    return suspended


# Inside


def _memberships(row: models.EmergencyOpening) -> QuerySet[models.Membership]:
    return models.Membership.objects.filter(
        institution_id=row.institution_id, member_id=row.member_id, role=row.role
    )


def _emergency(who: Asker, emergency: UUID) -> models.EmergencyOpening:
    row = models.EmergencyOpening.objects.filter(id=emergency, institution_id=who.institution.id).first()
    if row is None:
        raise Refused(Problem("server.emergency.unknown"))
    return row


def _refuse_others(who: Asker) -> None:
    if OFFICER not in who.roles:
        raise Refused(Problem("server.emergency.officer"))
