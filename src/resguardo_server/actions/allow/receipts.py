"""A person is given a receipt: what she allowed and refused, signed, under a code that she alone holds.

The code is made here, shown once and kept nowhere: the table has a token of it that only the keyholder makes.
A new receipt takes the place of the one before, whose code opens nothing from then on. After a withdrawal the
text changes and the code stays: what she carries with her goes on working.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from resguardo.allow.consent import Consent, ConsentState, consent_state
from resguardo.allow.decision import Action, Denial
from resguardo.allow.purpose import last_day
from resguardo.allow.receipt import (
    CONTEXT,
    ConsentEvent,
    EventState,
    NoticeRead,
    Party,
    Receipt,
    Receiver,
    StatedPurpose,
    after_withdrawal,
    read_receipt,
    receipt_hash,
    spoken,
    write_receipt,
)
from resguardo.allow.receipt_code import ReceiptCode, new_code
from resguardo.keep.journal import Act, HeldEntry
from resguardo.plan.programme import Programme
from resguardo.values import Basis, InstitutionKind, Language, Problem, Refused, Sensitivity
from resguardo_keyholder.asked import WantedToken
from resguardo_server import models
from resguardo_server.actions.allow.deciding import Decided, consents_of, decide_change
from resguardo_server.actions.allow.erasing import said, subject_line
from resguardo_server.actions.allow.opening import NotAllowed, journal_for, wrapped_key
from resguardo_server.actions.allow.rules import controllers_of, local, rulebook_now
from resguardo_server.actions.keep.records import new_id
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import programme_named
from resguardo_server.keyholders import keyholder


@dataclass(frozen=True)
class IssuedReceipt:
    """A receipt as it is handed over, once: its code is nowhere else."""

    code: ReceiptCode
    address: str = field(repr=False)
    """What the square for the camera holds."""
    id: UUID
    text: str = field(repr=False)
    """The signed receipt."""
    spoken: str = field(repr=False)
    """The receipt as it is read aloud."""
    language: Language
    replaces: UUID | None
    """The receipt whose code opens nothing any more."""
    opens: bool
    """Whether she can show with an answer that it is hers: some form asked her something that she knows."""


def issue_receipt(who: Asker, subject_id: UUID, language: Language, *, now: datetime) -> IssuedReceipt:
    """A receipt for the person whom the subject's records are about.

    Whoever may open some of her records for some purpose may hand it over. Refuses while the institution does
    not say where it can be found: whoever gives something away must know whom to ask for it.
    """
    code = new_code(secrets.token_bytes)
    token = keyholder().tokens(who.institution.id, [WantedToken("receipt", (code.token_text,))])[0][0].token
    with transaction.atomic():
        subject = _subject_of(who, subject_id)
        programme = programme_named(subject.programme)
        journal = journal_for(who, programme)
        subject = models.Subject.objects.select_for_update().get(id=subject_id)
        decided = _decided(who, subject, programme, now)
        before = subject.receipts.filter(revoked_on=None).order_by("-issued_on").first()
        receipt = _receipt(subject, programme, language, before, now)
        text = _signed(subject.institution_id, receipt)
        digest = receipt_hash(text)
        row = subject.records.order_by("received_on", "id").first()
        if row is None:
            raise Refused(Problem("server.said.unknown_record"))
        subject_line(
            journal, subject, row, Act.CONSENT, decided, now=now, consent=digest if decided.allowed else None
        )
        if decided.allowed:
            subject.receipts.filter(revoked_on=None).update(revoked_on=now)
            models.Receipt.objects.create(
                id=receipt.id,
                institution_id=subject.institution_id,
                subject=subject,
                code_token=token,
                issued_on=now,
                language=language,
                text=text,
                digest=digest,
                replaces=before,
            )
        subject.save(update_fields=["entries", "last_entry"])
        journal.sign(now)
    if isinstance(decided.answer, Denial):
        raise NotAllowed(said(decided.answer))
    return IssuedReceipt(
        code=code,
        address=code.address(settings.ADDRESS),
        id=receipt.id,
        text=text,
        spoken=spoken(receipt, language),
        language=language,
        replaces=before.id if before else None,
        opens=subject.recognised.exclude(question__in=NOT_ANSWERED).exists(),
    )


NOT_ANSWERED: Final = ("origin", "asylum", "search.name", "search.document", "search.phone")
"""Tokens beside the answers by which a person is known; no question of hers has these names."""


def _subject_of(who: Asker, subject_id: UUID) -> models.Subject:
    row = models.Subject.objects.filter(id=subject_id, institution_id=who.institution.id).first()
    if row is None or row.erased_on is not None:
        raise Refused(Problem("server.said.unknown_record"))
    return row


def _decided(who: Asker, subject: models.Subject, programme: Programme, now: datetime) -> Decided:
    """Whether one of the member's roles opens anything of the person for any purpose."""
    forms = list(subject.records.order_by("form").values_list("form", flat=True).distinct())
    decided: Decided | None = None
    for form in forms:
        for level in (Sensitivity.PLAIN, Sensitivity.QUASI, Sensitivity.IDENTIFIER, Sensitivity.SENSITIVE):
            decided = decide_change(
                who, subject, programme, Action.READ, form=form, groups=frozenset({level}), now=now
            )
            if decided.allowed:
                return decided
    if decided is None:
        raise Refused(Problem("server.said.unknown_record"))
    return decided


# What it says


def _receipt(
    subject: models.Subject,
    programme: Programme,
    language: Language,
    before: models.Receipt | None,
    now: datetime,
) -> Receipt:
    institution = models.Institution.objects.get(id=subject.institution_id)
    missing = [name for name in ("address", "contact") if not getattr(institution, name).strip()]
    if missing:
        raise Refused(
            *(Problem(f"server.mine.no_{name}", {"institution": institution.slug}) for name in missing)
        )
    consents = consents_of(subject)
    mark = keyholder().marks(subject.institution_id, [wrapped_key(subject.id)])[0]
    last = bytes(subject.last_entry)
    law = rulebook_now().of_controller(*controllers_of(institution.as_value())[0])
    return Receipt(
        id=new_id(),
        issued_at=local(now, institution.country).replace(microsecond=0),
        language=language,
        principal=mark,
        programme=programme.name,
        controller=party_of(institution),
        notice=_notice(programme, consents, language),
        purposes=tuple(_stated(subject, programme, consents, local(now, institution.country).date())),
        jurisdiction=institution.country,
        stored_in=(institution.country,),
        site=settings.ADDRESS,
        laws=(law.law.name,) if law is not None and law.is_in_force else (),
        replaces=(before.id, before.digest) if before else None,
        held=HeldEntry(mark, subject.entries, last.hex()) if last else None,
    )


def party_of(institution: models.Institution) -> Party:
    """The institution as a receipt names it; what it has not said of itself is its name again."""
    address = _line(institution.address) or institution.name
    return Party(
        id=institution.slug,
        name=_line(institution.name),
        address=address,
        contact=_line(institution.contact) or address,
        country=institution.country,
    )


def _line(text: str) -> str:
    return ", ".join(part.strip() for part in text.splitlines() if part.strip())[:300]


def _notice(programme: Programme, consents: list[Consent], language: Language) -> NoticeRead:
    """The notice in the language in which she was asked, where it is known and there is such a notice."""
    read = next((one.language for one in reversed(consents) if one.language in programme.notices), language)
    tongue = read if read in programme.notices else next(iter(programme.notices), language)
    text = programme.notices.get(tongue, "")
    return NoticeRead(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        language=tongue,
        place=f"{settings.ADDRESS}/{tongue}/programmes/",
    )


def _stated(
    subject: models.Subject, programme: Programme, consents: list[Consent], today: date
) -> Iterator[StatedPurpose]:
    """Every use of her records: by consent one for each receiver she was asked about, else one."""
    records = list(subject.records.all())
    forms = {row.form for row in records}
    kept_until = max(row.keep_until for row in records)
    newest = max(row.received_on for row in records).date()
    manners = dict(subject.consents.values_list("pk", "manner"))
    for purpose in programme.purposes:
        if not any(purpose.covers(form) for form in forms):
            continue
        until = min(last_day(purpose, newest), kept_until)
        if purpose.basis is not Basis.CONSENT:
            kinds = (
                known.institution_kind for known in programme.recipients if purpose.name in known.purposes
            )
            yield StatedPurpose(
                purpose.name, purpose.title, purpose.basis, purpose.opens, until, tuple(dict.fromkeys(kinds))
            )
            continue
        asked = [one for one in consents if one.purpose == purpose.name]
        for receiver in dict.fromkeys(one.receiver for one in asked):
            answers = [one for one in asked if one.receiver == receiver]
            yield StatedPurpose(
                purpose.name,
                purpose.title,
                purpose.basis,
                purpose.opens,
                until,
                (receiver_named(receiver),) if receiver else (),
                tuple(events_of(answers, manners, today)),
                answers[-1].until,
            )


def receiver_named(name: str) -> Receiver:
    """The receiver of a consent: a kind of institution, or one institution by its short name."""
    if name in list(InstitutionKind):
        return InstitutionKind(name)
    row = models.Institution.objects.filter(slug=name).first()
    if row is not None:
        return party_of(row)
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"
    return Party(plain[:64], name, name, name, "ZZ")


def events_of(answers: list[Consent], manners: dict[int, str], today: date) -> Iterator[ConsentEvent]:
    """What was answered about one purpose and receiver, in the order of time."""
    word = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
    given_before = False
    for number, one in enumerate(answers):
        manner = manners.get(int(one.id, 16), "")
        state = EventState.GIVEN
        if one.refused:
            state = EventState.REFUSED
        elif given_before:
            state = EventState.RENEWED
        given_before = given_before or not one.refused
        yield ConsentEvent(
            state,
            one.given_on,
            one.by,
            None if one.by == "self" else one.assent,
            manner if word.fullmatch(manner) else None,
        )
        later_no = any(next_one.refused for next_one in answers[number + 1 :])
        if not one.refused and one.withdrawn_on is not None and not later_no:
            yield ConsentEvent(EventState.WITHDRAWN, one.withdrawn_on)
        elif number == len(answers) - 1 and consent_state(one, today) is ConsentState.EXPIRED and one.until:
            yield ConsentEvent(EventState.EXPIRED, one.until)


def _signed(institution: UUID, receipt: Receipt) -> str:
    return write_receipt(
        receipt,
        lambda message: keyholder().sign(institution, CONTEXT, message),
        keyholder().signature_key(institution),
    )


# After a withdrawal


def follow_withdrawal(subject: models.Subject, purpose: str, receiver: str, *, now: datetime) -> str | None:
    """The receipt that a withdrawal makes, under the same code; gives its hash, None when there is none to
    follow. To be called in the transaction of the withdrawal.

    The text before stays, under a token that no code leads to.
    """
    row = subject.receipts.select_for_update().filter(revoked_on=None).order_by("-issued_on").first()
    if row is None or not row.text:
        return None
    country = row.institution.country
    moment = local(now, country).replace(microsecond=0)
    old = read_receipt(row.text)
    made = after_withdrawal(
        old,
        row.text,
        purpose=purpose,
        receiver=_receiver_in(old, receiver),
        id=new_id(),
        issued_at=moment,
        event=ConsentEvent(EventState.WITHDRAWN, moment.date()),
    )
    text = _signed(row.institution_id, made)
    models.Receipt.objects.create(
        id=new_id(),
        institution_id=row.institution_id,
        subject=subject,
        code_token=secrets.token_bytes(16),
        issued_on=row.issued_on,
        language=row.language,
        text=row.text,
        digest=row.digest,
        replaces_id=row.replaces_id,
        revoked_on=now,
    )
    row.replaces = subject.receipts.filter(digest=row.digest).exclude(id=row.id).first()
    row.text, row.digest, row.issued_on = text, receipt_hash(text), now
    row.save(update_fields=["text", "digest", "issued_on", "replaces"])
    return row.digest


def _receiver_in(receipt: Receipt, name: str) -> Receiver | None:
    """The receiver of that short name as the receipt has it."""
    for stated in receipt.purposes:
        for receiver in stated.receivers:
            if name and name in (str(receiver), receiver.id if isinstance(receiver, Party) else ""):
                return receiver
    return None
