"""A person takes a consent back: from that day nobody opens her records on its ground."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from resguardo.allow.decision import Action, Denial
from resguardo.keep.journal import Act
from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.allow.deciding import decide_change
from resguardo_server.actions.allow.erasing import levels_of, said, subject_line
from resguardo_server.actions.allow.opening import NotAllowed, journal_for, record_of
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
        subject_line(journal, subject, row, Act.WITHDRAW, decided, now=now)
        if decided.allowed:
            given.update(withdrawn_on=now.date())
            shorten_keeping(subject, now)
        subject.save(update_fields=["entries", "last_entry"])
        journal.sign(now)
    if isinstance(decided.answer, Denial):
        raise NotAllowed(said(decided.answer))


def shorten_keeping(subject: models.Subject, now: datetime) -> None:
    """The subject's records are kept no longer than what is still agreed to allows."""
    programme = programme_named(subject.programme)
    agreed = set(
        models.ConsentGiven.objects.filter(subject=subject, given=True, withdrawn_on=None).values_list(
            "purpose", flat=True
        )
    )
    for row in subject.records.all():
        form = form_named(programme, row.form)
        until = last_day_kept(programme, form, agreed, row.received_on)
        until = max(until, now.date() + timedelta(days=settings.DAYS_WITHOUT_GROUND))
        if until < row.keep_until:
            row.keep_until = until
            row.save(update_fields=["keep_until"])
