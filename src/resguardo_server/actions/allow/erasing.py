"""Records end: at the person's wish or when their time is over, and are blocked where an order holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from resguardo.allow.decision import POLICY, Action, Denial
from resguardo.keep.journal import Act, Outcome
from resguardo.keep.keys import wrapped_by
from resguardo.plan.programme import Form, Programme
from resguardo.plan.purposes import RIGHTS
from resguardo.values import Institution, Permit, Problem, Refused, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow.deciding import Decided, decide_change, is_held, subject_of
from resguardo_server.actions.allow.opening import NotAllowed, journal_for, mark_of, record_of
from resguardo_server.actions.keep.journal import JournalWriter
from resguardo_server.actions.keep.records import forget_on_disk, new_id, remove_facts, write_line
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import form_named, programme_named
from resguardo_server.keyholders import keyholder

TENDER = "operator"
"""The role in which the program itself does what is due: what expires, nobody needs to ask for."""


def erase_record(who: Asker, record: str | UUID, *, reason: str = "wish", now: datetime) -> None:
    """The record is gone from the register and from every count, and the sheet cannot arrive again.

    With a subject's last record their key is shredded: no line of the journal leads to them any more. Whoever
    may open the whole record for some purpose may erase it, also when consent or retention has ended. Where
    an order holds the records nothing is erased: they are to be blocked, and the refusal says so.
    """
    found = record_of(who, record)
    _erase_records(who, found.subject_id, found.programme, reason, now, only=found.id)


def erase_subject(who: Asker, subject: UUID, *, reason: str = "wish", now: datetime) -> None:
    """All of the subject's records are gone, or, where one of them may not be erased, none is."""
    row = subject_of(who, subject)
    if row is None or row.erased_on is not None:
        raise Refused(Problem("server.said.unknown_record"))
    _erase_records(who, subject, row.programme, reason, now)


def _erase_records(
    who: Asker, subject_id: UUID, programme_name: str, reason: str, now: datetime, *, only: UUID | None = None
) -> None:
    programme = programme_named(programme_name)
    with transaction.atomic():
        journal = journal_for(who, programme)
        subject = models.Subject.objects.select_for_update().get(id=subject_id)
        rows = [
            row for row in subject.records.order_by("received_on", "id") if only is None or row.id == only
        ]
        decided = [_may_be_erased(who, subject, programme, row, now) for row in rows]
        pairs = list(zip(rows, decided, strict=True))
        denied = [(row, one) for row, one in pairs if not one.allowed]
        for row, one in denied[:1] or pairs:
            entry = subject_line(journal, subject, row, Act.ERASE, one, now=now)
            if not denied:
                _erase(row, subject, reason, entry, now)
        subject.save(update_fields=["entries", "last_entry", "erased_on"])
        journal.sign(now)
    if not rows:
        raise Refused(Problem("server.said.unknown_record"))
    for _, one in denied:
        if isinstance(one.answer, Denial):
            raise NotAllowed(said(one.answer))


def _may_be_erased(
    who: Asker, subject: models.Subject, programme: Programme, row: models.Record, now: datetime
) -> Decided:
    form = form_named(programme, row.form)
    return decide_change(
        who, subject, programme, Action.ERASE, form=form.name, groups=levels_of(form), now=now
    )


def _erase(row: models.Record, subject: models.Subject, reason: str, entry: str, now: datetime) -> None:
    """What the record held is gone; with the last one the subject's key too."""
    last = not subject.records.exclude(id=row.id).exists()
    key = subject.keys.order_by("-version").first()
    models.Erasure.objects.create(
        institution_id=row.institution_id,
        subject=subject,
        record=row.id,
        reason=reason,
        shredded_on=now,
        key_number=wrapped_by(bytes(key.wrapped)) if last and key else None,
        entry=entry,
    )
    remove_facts(row)
    row.groups.all().delete()
    row.delete()
    if last:
        subject.keys.all().delete()
        subject.tokens.all().delete()
        subject.recognised.all().delete()
        models.ConsentGiven.objects.filter(subject=subject).delete()
        subject.objections.all().delete()
        subject.receipts.update(text="")
        subject.rights_requests.update(words=b"", answer=b"")
        subject.emergencies.update(reason=b"")
        subject.erased_on = now
    forget_on_disk()


# Blocking and holding


def restrict_subject(who: Asker, subject: models.Subject, *, restricted: bool, now: datetime) -> None:
    """The use of the subject's records is limited to legal claims and rights, or no longer."""
    programme = programme_named(subject.programme)
    with transaction.atomic():
        journal = journal_for(who, programme)
        held = models.Subject.objects.select_for_update().get(id=subject.id)
        row = held.records.order_by("received_on").first()
        if row is None:
            raise Refused(Problem("server.said.unknown_record"))
        form = form_named(programme, row.form)
        decided = decide_change(
            who,
            held,
            programme,
            Action.RESTRICT,
            form=form.name,
            groups=levels_of(form),
            purposes=(RIGHTS,),
            now=now,
        )
        subject_line(journal, held, row, Act.RESTRICT, decided, now=now)
        if decided.allowed:
            held.restricted = restricted
            held.restricted_on = now.date() if restricted else None
        held.save(update_fields=["entries", "last_entry", "restricted", "restricted_on"])
        journal.sign(now)
    if isinstance(decided.answer, Denial):
        raise NotAllowed(said(decided.answer))


# What is due by itself


@dataclass(frozen=True)
class Expired:
    """What one look at the calendar did."""

    erased: int
    blocked: int
    """Records whose time is over and which an order keeps: they are restricted instead."""


def expire_due(institution: Institution, *, now: datetime) -> Expired:
    """Every record of the institution whose time is over is erased, or blocked where an order holds it."""
    erased = blocked = 0
    due = models.Record.objects.filter(institution_id=institution.id, keep_until__lt=now.date())
    for record in list(due.order_by("keep_until", "id").values_list("id", flat=True)):
        with transaction.atomic():
            outcome = _expire(institution, record, now)
        erased += outcome is True
        blocked += outcome is False
    return Expired(erased, blocked)


def _expire(institution: Institution, record: UUID, now: datetime) -> bool | None:
    """True when the record was erased, False when it was blocked, None when nothing was to be done."""
    found = models.Record.objects.filter(id=record).first()
    if found is None:
        return None
    who = Asker(TENDER, institution, frozenset({TENDER}))
    journal = journal_for(who, programme_named(found.programme))
    row = models.Record.objects.filter(id=record, keep_until__lt=now.date()).first()
    if row is None:
        return None
    subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
    held = is_held(subject, now)
    if held and subject.restricted:
        return None
    entry = subject_line(journal, subject, row, Act.RESTRICT if held else Act.EXPIRE, None, now=now)
    if held:
        subject.restricted, subject.restricted_on = True, now.date()
    else:
        _erase(row, subject, "expiry", entry, now)
    subject.save(update_fields=["entries", "last_entry", "erased_on", "restricted", "restricted_on"])
    journal.sign(now)
    return not held


# Inside


def said(denial: Denial) -> Problem:
    """The denial as a sentence: the rule, never the data."""
    return Problem(denial.code, {"purpose": denial.purpose, "role": denial.role})


def levels_of(form: Form) -> frozenset[Sensitivity]:
    """The groups that a form's records have."""
    return frozenset(question.sensitivity for question in form.fields)


def subject_line(
    journal: JournalWriter,
    subject: models.Subject,
    row: models.Record,
    act: Act,
    decided: Decided | None,
    *,
    now: datetime,
    consent: str | None = None,
) -> str:
    """One line about a subject, with what was decided; gives the hash by which it is found again.

    Without a decision the program itself did what was due.
    """
    answer = decided.answer if decided is not None else None
    permit = answer if isinstance(answer, Permit) else None
    known = permit is not None and permit.purpose in journal.vocabulary.purposes
    return write_line(
        journal,
        subject,
        mark_of(row),
        act=act,
        who=decided.who if decided else keyholder().pseudonym(row.institution_id, TENDER),
        role=(decided.role if decided else TENDER) or TENDER,
        purpose=permit.purpose if permit is not None and known else None,
        basis=permit.basis if permit is not None else None,
        consent=consent or (permit.consent if permit is not None else None),
        fields=(),
        record=row.id,
        content=None,
        policy=POLICY,
        request=new_id(),
        outcome=Outcome.ALLOW if decided is None or decided.allowed else Outcome.DENY,
        now=now,
    )
