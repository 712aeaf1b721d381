"""A person takes a consent back: from that day nobody opens her records on its ground."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from resguardo.allow.consent import ConsentRow, ConsentState, consent_state, consents_on_file
from resguardo.allow.decision import Action, Denial
from resguardo.keep.journal import Act
from resguardo.plan.programme import Programme
from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.allow.deciding import consent_row, decide_change
from resguardo_server.actions.allow.erasing import levels_of, said, subject_line
from resguardo_server.actions.allow.opening import NotAllowed, journal_for, record_of
from resguardo_server.actions.allow.receipts import follow_withdrawal
from resguardo_server.actions.keep.records import last_day_kept
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import form_named, programme_named


def withdraw_consent(
    who: Asker, record: str | UUID, purpose: str, *, receiver: str | None = None, now: datetime
) -> None:
    """From today nobody opens the subject's records for that purpose on the ground of consent.

    Without a receiver it is withdrawn from everybody who may receive for the purpose. What no other purpose
    keeps alive is to be erased after the few days in which she can still be asked.
    """
    found = record_of(who, record)
    programme = programme_named(found.programme)
    form = form_named(programme, found.form)
    with transaction.atomic():
        journal = journal_for(who, programme)
        row = record_of(who, record)
        subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
        given = models.ConsentGiven.objects.filter(
            subject=subject, purpose=purpose, given=True, withdrawn_on=None
        )
        if receiver is not None:
            given = given.filter(receiver=receiver)
        if not given.exists():
            raise Refused(Problem("server.said.no_consent", {"purpose": purpose}))
        decided = decide_change(
            who,
            subject,
            programme,
            Action.WITHDRAW,
            form=form.name,
            groups=levels_of(form),
            purposes=(purpose,),
            now=now,
        )
        digest: str | None = None
        if decided.allowed:
            receivers = list(dict.fromkeys(given.values_list("receiver", flat=True)))
            given.update(withdrawn_on=now.date())
            for taken_from in receivers:
                digest = follow_withdrawal(subject, purpose, taken_from, now=now) or digest
        subject_line(journal, subject, row, Act.WITHDRAW, decided, now=now, consent=digest)
        if decided.allowed:
            keep_as_agreed(programme, [subject.id], now=now)
        subject.save(update_fields=["entries", "last_entry"])
        journal.sign(now)
    if isinstance(decided.answer, Denial):
        raise NotAllowed(said(decided.answer))


def keep_as_agreed(programme: Programme, subjects: Collection[UUID], *, now: datetime) -> None:
    """The records of the subjects are kept as long as what they agreed to, on any sheet, and the law say.

    A follow-up asks for no consent of its own: what was agreed to on the sheet that opened the case holds for
    it, also when that sheet comes in later. Where less is agreed to than before, the record still stays for
    the few days in which the person can be asked.
    """
    said: dict[UUID, list[ConsentRow]] = {}
    for row in models.ConsentGiven.objects.filter(subject__in=subjects).order_by("said_on", "pk"):
        said.setdefault(row.subject_id, []).append(consent_row(row))
    agreed = {
        subject: {
            consent.purpose
            for consent in consents_on_file(rows)
            if consent_state(consent, now) is ConsentState.GIVEN
        }
        for subject, rows in said.items()
    }
    least = now.date() + timedelta(days=settings.DAYS_WITHOUT_GROUND)
    changed: dict[date, list[UUID]] = {}
    for record in models.Record.objects.filter(subject__in=subjects):
        form = form_named(programme, record.form)
        until = last_day_kept(programme, form, agreed.get(record.subject_id, ()), record.received_on)
        if until < record.keep_until:
            until = min(record.keep_until, max(until, least))
        if until != record.keep_until:
            changed.setdefault(until, []).append(record.id)
    for until, records in changed.items():
        models.Record.objects.filter(id__in=records).update(keep_until=until)
