"""What a person does with her receipt, without an account: she sees, allows no longer, and asks.

She is known by the receipt's code and one answer; the keyholder gives her a ticket of a quarter of an hour.
Nothing of her answers is opened to show what is kept: groups have titles, and the journal tells the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction

from resguardo.allow.consent import Consent, ConsentState, consent_state
from resguardo.allow.decision import HERSELF, Action, Denial
from resguardo.allow.portable import (
    CopiedAnswer,
    CopiedConsent,
    CopiedProgramme,
    CopiedPurpose,
    CopiedRecord,
    PersonsCopy,
    portable_zip,
)
from resguardo.allow.portable import Opening as CopiedOpening
from resguardo.allow.receipt import group_in_words, read_receipt, receiver_in_words
from resguardo.allow.receipt_code import ReceiptCode
from resguardo.allow.rights import controller_type
from resguardo.allow.rulebook import ControllerType
from resguardo.collect.search import recognising_answer
from resguardo.keep.journal import (
    Access,
    Act,
    HeldEntry,
    NotAnEntry,
    Outcome,
    chain_hash,
    left_out,
    read_entry,
)
from resguardo.plan.declaration import Index
from resguardo.plan.languages import in_language, say
from resguardo.plan.programme import Form, Programme
from resguardo.plan.purposes import RIGHTS
from resguardo.values import (
    LANGUAGES,
    Basis,
    Institution,
    InstitutionKind,
    Language,
    Problem,
    Refused,
    Sensitivity,
    Words,
)
from resguardo_keyholder.asked import Recognised, WantedToken
from resguardo_keyholder.desk import ORIGIN
from resguardo_server import models
from resguardo_server.actions.allow.asking import ANSWER, WORDS
from resguardo_server.actions.allow.consenting import keep_as_agreed
from resguardo_server.actions.allow.deciding import consents_of, decide_change
from resguardo_server.actions.allow.erasing import levels_of, said, subject_line
from resguardo_server.actions.allow.file import answer_text, lines_about
from resguardo_server.actions.allow.opening import (
    NotAllowed,
    SealedText,
    journal_for,
    open_file,
    open_texts,
    wrapped_key,
)
from resguardo_server.actions.allow.receipts import (
    NOT_ANSWERED,
    events_of,
    follow_withdrawal,
    party_of,
    receiver_named,
)
from resguardo_server.actions.allow.rules import local
from resguardo_server.actions.keep.journal import journal_key, newest_head, prove, quorum_of, signed_text
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import all_programmes, form_named, programme_named
from resguardo_server.keyholders import keyholder
from resguardo_server.staff_secrets import pseudonym

# Coming in


class Asks:
    """What a question asks for, in words that every language of the house has."""

    NAME: Final = "name"
    PHONE: Final = "phone"
    DOCUMENT: Final = "document"
    BIRTH: Final = "birth"
    EMAIL: Final = "email"
    OTHER: Final = "other"


@dataclass(frozen=True)
class Question:
    """One question by whose answer a person is known."""

    name: str
    asks: str
    """One of `Asks`; for `Asks.OTHER` the form's own words say it."""
    label: str


def questions_of(code: ReceiptCode, language: Language) -> tuple[Question, ...]:
    """Which questions may be asked of whoever holds the code.

    To a code that nobody was given the questions of some form are asked as well, always the same for the same
    code: who tries codes does not learn from here which of them exist.
    """
    receipt = _receipt_of(code)
    if receipt is not None and receipt.revoked_on is None:
        known = set(
            receipt.subject.recognised.exclude(question__in=NOT_ANSWERED).values_list("question", flat=True)
        )
        found = [
            (form, name) for form in _forms_of(receipt.subject) for name in form.recognise if name in known
        ]
        if found:
            return tuple(
                _question(form, name, language) for form, name in dict(map(_by_name, found)).values()
            )
    return _of_some_form(code, language)


def _by_name(found: tuple[Form, str]) -> tuple[str, tuple[Form, str]]:
    return found[1], found


def _of_some_form(code: ReceiptCode, language: Language) -> tuple[Question, ...]:
    forms = [form for programme in all_programmes() for form in programme.forms if form.recognise]
    chance = int(pseudonym(code.token_text, "questions")[:8], 16)
    form = forms[chance % len(forms)]
    kept = [name for place, name in enumerate(form.recognise) if place == 0 or chance >> (place + 8) & 1]
    return tuple(_question(form, name, language) for name in kept)


def _question(form: Form, name: str, language: Language) -> Question:
    asked = form.field(name)
    kinds = {Index.PHONE: Asks.PHONE, Index.DOCUMENT: Asks.DOCUMENT, Index.NAME: Asks.NAME}
    asks = Asks.NAME if "name" in name.split("_") else Asks.OTHER
    for search in form.searches:
        if name == search.fields[-1 if search.index is Index.DOCUMENT else 0]:
            asks = kinds[search.index]
    if asked.kind == "date":
        asks = Asks.BIRTH if "birth" in name else Asks.OTHER
    elif "email" in name:
        asks = Asks.EMAIL
    return Question(name, asks, in_language(asked.label, language))


def _forms_of(subject: models.Subject) -> list[Form]:
    programme = programme_named(subject.programme)
    names = subject.records.order_by("received_on").values_list("form", flat=True)
    return [form_named(programme, name) for name in dict.fromkeys(names)]


def _receipt_of(code: ReceiptCode) -> models.Receipt | None:
    known = keyholder().known_receipt(code.token_text)
    return models.Receipt.objects.select_related("subject").filter(id=known).first() if known else None


@dataclass(frozen=True)
class Entered:
    """The person is who her receipt speaks of, for some minutes."""

    receipt: UUID
    ticket: bytes = field(repr=False)
    until: datetime
    language: Language


@dataclass(frozen=True)
class ErasedFile:
    """Nothing is kept any more: since when, and since when no copy can bring it back."""

    institution: str
    contact: str
    shredded_on: date
    unrecoverable_on: date | None
    expected_on: date | None
    """The last day by which the copies can be read, once the keys were changed; None until that is known."""
    backup_days: int
    entries: tuple[str, ...]
    """The lines of the journal about it, by their hashes."""
    reason: str


def enter(code: ReceiptCode, question: str, typed: str, *, now: datetime) -> Entered | ErasedFile | Problem:
    """A ticket for whoever has the code and knows the answer; else what the keyholder says."""
    receipt = _receipt_of(code)
    answer = typed
    if receipt is not None:
        for form in _forms_of(receipt.subject):
            if question in form.recognise:
                answer = recognising_answer(form, question, in_iso(typed))
                break
    found = keyholder().recognise(code.token_text, question, answer, now=now)
    if isinstance(found, Recognised):
        row = models.Receipt.objects.get(id=found.receipt)
        return Entered(found.receipt, found.ticket, found.until, row.language)
    if receipt is not None and found.problem.code == "keyholder.person.erased":
        return _erased(receipt.subject)
    return found.problem


_DAY: Final = re.compile(r"\s*(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4})\s*", re.ASCII)


def in_iso(typed: str) -> str:
    """A day that was written as people here write it, 1/5/1990, as 1990-05-01; any other text as it is."""
    found = _DAY.fullmatch(typed)
    return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}" if found else typed


def _erased(subject: models.Subject) -> ErasedFile:
    rows = list(models.Erasure.objects.filter(subject=subject).order_by("shredded_on"))
    institution = models.Institution.objects.get(id=subject.institution_id)
    last = rows[-1] if rows else None
    key = next((row.key_number for row in reversed(rows) if row.key_number is not None), None)
    gone = next((row.unrecoverable_on for row in reversed(rows) if row.unrecoverable_on), None)
    replaced = None
    if key is not None:
        versions = models.CompartmentKeyVersion.objects.filter(institution=institution, number=key)
        replaced = versions.values_list("replaced_on", flat=True).first()
    country = institution.country
    erased_on = last.shredded_on if last else subject.erased_on
    return ErasedFile(
        institution.name,
        institution.contact,
        local(erased_on, country).date() if erased_on else date.min,
        local(gone, country).date() if gone else None,
        local(replaced + timedelta(days=settings.BACKUP_DAYS), country).date() if replaced else None,
        settings.BACKUP_DAYS,
        tuple(row.entry for row in rows),
        last.reason if last else "",
    )


# Who she is


@dataclass(frozen=True)
class Person:
    """Whoever is in, and what her receipt speaks of."""

    receipt: UUID
    subject: UUID
    institution: Institution
    programme: Programme
    ticket: bytes = field(repr=False)
    until: datetime
    contact: str

    @property
    def who(self) -> Asker:
        """As the actions see her: her receipt's pseudonym, in her own role, with what she just showed."""
        return Asker(f"receipt {self.receipt}", self.institution, frozenset({HERSELF}))


def person_with(receipt: str, ticket: str, until: str, *, now: datetime) -> Person | None:
    """The person with that ticket; None when its time is over, or there is nothing that it opens."""
    try:
        end, name, octets = datetime.fromisoformat(until), UUID(receipt), bytes.fromhex(ticket)
    except (TypeError, ValueError):
        return None
    row = models.Receipt.objects.select_related("subject", "institution").filter(id=name).first()
    if row is None or row.revoked_on is not None or row.subject.erased_on is not None or now >= end:
        return None
    return Person(
        row.id,
        row.subject_id,
        row.institution.as_value(),
        programme_named(row.subject.programme),
        octets,
        end,
        row.institution.contact,
    )


# What she sees


@dataclass(frozen=True)
class HeldGroup:
    """What is kept, by the title of its group; nothing was opened to say so."""

    title: str
    level: Sensitivity


@dataclass(frozen=True)
class Kept:
    """What an institution keeps of her, and until when."""

    groups: tuple[HeldGroup, ...]
    until: date
    restricted_on: date | None
    on_hold: bool


def kept_of(person: Person, language: Language, *, now: datetime) -> Kept | None:
    """What is kept of her; None when there is nothing any more."""
    subject = models.Subject.objects.get(id=person.subject)
    rows = list(subject.records.prefetch_related("groups").order_by("received_on", "id"))
    if not rows:
        return None
    order = list(Sensitivity)
    by_number = {level.group: level for level in order}
    found: dict[str, HeldGroup] = {}
    for row in rows:
        form = form_named(person.programme, row.form)
        for number in sorted(group.group for group in row.groups.all()):
            title = form.group_title(by_number[number], language)
            found.setdefault(title, HeldGroup(title, by_number[number]))
    return Kept(
        tuple(sorted(found.values(), key=lambda one: order.index(one.level))),
        max(row.keep_until for row in rows),
        subject.restricted_on if subject.restricted else None,
        any(
            hold.until is None or hold.until >= now.date()
            for hold in models.LegalHold.objects.filter(subject=subject, lifted_on=None)
        ),
    )


@dataclass(frozen=True)
class SeenLine:
    """One use of her records as the journal tells it. Who it was: an institution and a role, never a name."""

    when: datetime
    act: Act
    outcome: Outcome
    role: str
    institution: str
    purpose: str
    groups: tuple[str, ...]
    herself: bool
    entry: int

    @property
    def is_opening(self) -> bool:
        """Whether somebody else looked into her records, or tried to."""
        return not self.herself and self.act in (Act.READ, Act.EXPORT, Act.REFER, Act.UPDATE, Act.RELEASE)

    @property
    def refused(self) -> bool:
        """Whether it was not allowed, and nothing was seen."""
        return self.outcome is Outcome.DENY


@dataclass(frozen=True)
class Seen:
    """Every line about her, the newest first, and whether one is missing."""

    lines: tuple[SeenLine, ...]
    whole: bool
    """No line between the first and the newest that her receipt knows is missing or changed."""
    none_of_her_government: bool
    """The journal proves that nobody of her country's government opened anything."""

    @property
    def openings(self) -> tuple[SeenLine, ...]:
        """What others did with her records."""
        return tuple(line for line in self.lines if line.is_opening)


def seen_of(person: Person, language: Language) -> Seen:
    """Who opened her records and why, from the journal alone."""
    accesses, held = _accesses(person)
    forms = {row.id: row.form for row in models.Record.objects.filter(subject_id=person.subject)}
    country = person.institution.country
    lines = [
        SeenLine(
            local(access.leaf.t, country),
            access.leaf.act,
            access.leaf.dec,
            _role(access.leaf.role, language),
            person.institution.name,
            _purpose_title(person.programme, access.leaf.purpose, language),
            tuple(_groups(person.programme, forms, access, language)),
            access.leaf.role == HERSELF,
            access.index,
        )
        for access in reversed(accesses)
    ]
    whole = not left_out(accesses, held)
    return Seen(tuple(lines), whole, whole and _is_proved(person, accesses))


def _accesses(person: Person) -> tuple[list[Access], list[HeldEntry]]:
    mark = keyholder().marks(person.institution.id, [wrapped_key(person.subject)])[0]
    accesses = []
    for position, leaf in lines_about(person.institution.id, mark):
        try:
            accesses.append(Access(position, read_entry(leaf), chain_hash(leaf)))
        except NotAnEntry:
            continue
    texts = models.Receipt.objects.filter(subject_id=person.subject).exclude(text="")
    held = [read_receipt(text).held for text in texts.order_by("issued_on").values_list("text", flat=True)]
    return accesses, [one for one in held if one is not None]


def _role(role: str, language: Language) -> str:
    try:
        return say(f"server.role.{role}", language)
    except KeyError:
        return role.replace("_", " ")


def _purpose_title(programme: Programme, name: str | None, language: Language) -> str:
    if not name:
        return ""
    for purpose in programme.purposes:
        if purpose.name == name:
            return in_language(purpose.title, language)
    try:
        return say(f"server.mine.purpose_{name}", language)
    except KeyError:
        return name.replace("_", " ")


def _groups(
    programme: Programme, forms: Mapping[UUID, str], access: Access, language: Language
) -> Iterator[str]:
    levels = [level for level in Sensitivity if level.group in access.leaf.fields]
    of_one = forms.get(access.leaf.obj) if access.leaf.obj is not None else None
    named = [of_one] if of_one is not None else sorted(set(forms.values()))
    told: dict[str, None] = {}
    for level in levels:
        for name in named:
            form = form_named(programme, name)
            if any(question.sensitivity is level for question in form.fields):
                told[form.group_title(level, language)] = None
        if not named:
            told[group_in_words(level, language)] = None
    yield from told


def _is_proved(person: Person, accesses: Iterable[Access]) -> bool:
    """Whether the lines prove that no government of hers saw anything.

    They do not where her country is not known, where something was sent out (a line does not name the
    receiver), and where the institution itself may be of that government.
    """
    subject = models.Subject.objects.get(id=person.subject)
    if not subject.recognised.filter(question=ORIGIN).exists():
        return False
    sent = (Act.REFER, Act.EXPORT, Act.RELEASE)
    if any(
        access.leaf.act in sent and access.leaf.dec is not Outcome.DENY and access.leaf.role != HERSELF
        for access in accesses
    ):
        return False
    if person.institution.kind is InstitutionKind.CONSULATE:
        return False
    if controller_type(person.institution.kind) is not ControllerType.STATE:
        return True
    wanted = WantedToken("answer", (ORIGIN, person.institution.country.casefold()), subject=person.subject)
    token = keyholder().tokens(person.institution.id, [wanted])[0][0].token
    return not subject.recognised.filter(question=ORIGIN, token=token).exists()


# What she allows


@dataclass(frozen=True)
class Allowed:
    """What she answered about one purpose and receiver, as it stands."""

    key: str
    """By which the page names it; nothing can be read from it."""
    purpose: str
    title: str
    receiver: str
    """Empty: nobody but the institution itself."""
    receiver_key: str
    state: ConsentState
    since: date
    groups: tuple[str, ...]

    @property
    def is_on(self) -> bool:
        """Whether it holds today."""
        return self.state is ConsentState.GIVEN


@dataclass(frozen=True)
class OtherUse:
    """A use of her records that needs no yes, and why."""

    purpose: str
    title: str
    basis: Basis
    objected: bool


def allowed_by(person: Person, language: Language, *, now: datetime) -> tuple[Allowed, ...]:
    """What she was asked and answered, the newest answer for each purpose and receiver."""
    subject = models.Subject.objects.get(id=person.subject)
    today = local(now, person.institution.country).date()
    newest: dict[tuple[str, str], Consent] = {}
    for consent in consents_of(subject):
        newest[consent.purpose, consent.receiver or ""] = consent
    titles = {purpose.name: purpose for purpose in person.programme.purposes}
    forms = _forms_of(subject)
    shown = []
    for (name, receiver), consent in newest.items():
        purpose = titles.get(name)
        if purpose is None:
            continue
        covered = [form for form in forms if purpose.covers(form.name)]
        shown.append(
            Allowed(
                key=uuid5(person.receipt, f"{name}|{receiver}").hex,
                purpose=name,
                title=in_language(purpose.title, language),
                receiver=receiver_in_words(receiver_named(receiver), language) if receiver else "",
                receiver_key=receiver,
                state=consent_state(consent, today),
                since=consent.withdrawn_on or consent.given_on,
                groups=tuple(
                    dict.fromkeys(
                        form.group_title(level, language)
                        for level in Sensitivity
                        if level in purpose.opens
                        for form in covered
                        if any(question.sensitivity is level for question in form.fields)
                    )
                ),
            )
        )
    return tuple(shown)


def other_uses(person: Person, language: Language) -> tuple[OtherUse, ...]:
    """What is done with her records without asking her, for each purpose that its law allows."""
    subject = models.Subject.objects.get(id=person.subject)
    forms = {row.form for row in subject.records.all()}
    objected = set(subject.objections.values_list("purpose", flat=True))
    return tuple(
        OtherUse(purpose.name, in_language(purpose.title, language), purpose.basis, purpose.name in objected)
        for purpose in person.programme.purposes
        if purpose.basis is not Basis.CONSENT
        and purpose.name != RIGHTS
        and any(purpose.covers(form) for form in forms)
    )


def allowed_named(person: Person, key: str, language: Language, *, now: datetime) -> Allowed:
    """The permission that the page names so; refuses any other."""
    for one in allowed_by(person, language, now=now):
        if one.key == key:
            return one
    raise Refused(Problem("server.mine.not_hers"))


def withdraw(person: Person, key: str, *, now: datetime) -> Allowed:
    """From today nothing is opened or sent on the ground of that yes; her receipt says so, under its code."""
    with transaction.atomic():
        journal = journal_for(person.who, person.programme)
        subject = models.Subject.objects.select_for_update().get(id=person.subject)
        one = allowed_named(person, key, "es", now=now)
        given = models.ConsentGiven.objects.filter(
            subject=subject,
            purpose=one.purpose,
            receiver=one.receiver_key,
            given=True,
            withdrawn_on=None,
        )
        row = subject.records.order_by("received_on", "id").first()
        if not one.is_on or not given.exists() or row is None:
            raise Refused(Problem("server.mine.already_ended"))
        form = form_named(person.programme, row.form)
        decided = decide_change(
            person.who,
            subject,
            person.programme,
            Action.WITHDRAW,
            form=form.name,
            groups=levels_of(form),
            purposes=(one.purpose,),
            now=now,
        )
        digest: str | None = None
        if decided.allowed:
            given.update(withdrawn_on=local(now, person.institution.country).date())
            digest = follow_withdrawal(subject, one.purpose, one.receiver_key, now=now)
        subject_line(journal, subject, row, Act.WITHDRAW, decided, now=now, consent=digest)
        if decided.allowed:
            keep_as_agreed(person.programme, [subject.id], now=now)
        subject.save(update_fields=["entries", "last_entry"])
        journal.sign(now)
    if isinstance(decided.answer, Denial):
        raise NotAllowed(said(decided.answer))
    return one


# What she asked


@dataclass(frozen=True)
class OwnTexts:
    """What she wrote, and what she was answered."""

    words: str = field(repr=False)
    answer: str = field(repr=False)


def texts_of(person: Person, request: UUID, *, now: datetime) -> OwnTexts:
    """Her words and the answer, opened with her ticket; the journal says that she read them."""
    row = models.RightsRequest.objects.filter(id=request, subject_id=person.subject).first()
    if row is None:
        raise Refused(Problem("server.mine.not_hers"))
    sealed = [(WORDS, bytes(row.words)), (ANSWER, bytes(row.answer))]
    there = [(version, octets) for version, octets in sealed if octets]
    if not there:
        return OwnTexts("", "")
    told = open_texts(
        person.who,
        person.subject,
        RIGHTS,
        [SealedText(row.id, octets, version) for version, octets in there],
        now=now,
        ticket=person.ticket,
    )
    found = {version: text for (version, _), text in zip(there, told, strict=True)}
    return OwnTexts(found.get(WORDS, ""), found.get(ANSWER, ""))


# What she takes with her


def knows_answer(person: Person, question: str, typed: str) -> bool:
    """Whether she knows the answer still: before what can be read is handed over."""
    subject = models.Subject.objects.get(id=person.subject)
    for form in _forms_of(subject):
        if question in form.recognise:
            answer = recognising_answer(form, question, in_iso(typed))
            wanted = WantedToken("answer", (question, answer), subject=person.subject)
            token = keyholder().tokens(person.institution.id, [wanted])[0][0].token
            return bool(answer) and subject.recognised.filter(question=question, token=token).exists()
    return False


def own_questions(person: Person, language: Language) -> tuple[Question, ...]:
    """By which questions she may show again that it is she."""
    subject = models.Subject.objects.get(id=person.subject)
    known = set(subject.recognised.exclude(question__in=NOT_ANSWERED).values_list("question", flat=True))
    found = [(form, name) for form in _forms_of(subject) for name in form.recognise if name in known]
    return tuple(_question(form, name, language) for form, name in dict(map(_by_name, found)).values())


def copy_of(person: Person, language: Language, *, now: datetime) -> bytes:
    """All that is kept of her, to read and for a machine, with every opening and its proof, as a ZIP."""
    file = open_file(
        person.who, person.subject, RIGHTS, frozenset(Sensitivity), now=now, ticket=person.ticket
    )
    accesses, held = _accesses(person)
    institution = models.Institution.objects.get(id=person.institution.id)
    places = [access.index for access in accesses]
    proofs = tuple(proof.text for proof in prove(institution, places)) if places else ()
    head = newest_head(institution)
    quorum = quorum_of(institution)
    receipts = models.Receipt.objects.filter(subject_id=person.subject).exclude(text="").order_by("issued_on")
    forms = {one.id: one.form for one in file.records}
    kept_until = dict(models.Record.objects.filter(subject_id=person.subject).values_list("id", "keep_until"))
    programme = person.programme
    copy = PersonsCopy(
        reference=f"{person.receipt.hex[:8]}-{file.entry}",
        institution=party_of(institution),
        made_on=local(now, person.institution.country).date(),
        programmes=(
            CopiedProgramme(
                programme.name,
                programme.title,
                tuple(
                    CopiedPurpose(
                        purpose.title,
                        purpose.basis,
                        purpose.opens,
                        tuple(
                            known.institution_kind
                            for known in programme.recipients
                            if purpose.name in known.purposes
                        ),
                    )
                    for purpose in programme.purposes
                    if any(purpose.covers(form) for form in forms.values())
                ),
            ),
        ),
        records=tuple(
            CopiedRecord(
                programme.name,
                one.form,
                form_named(programme, one.form).title,
                one.received_on.date(),
                kept_until.get(one.id),
                tuple(_copied(form_named(programme, one.form), one.answers, language)),
            )
            for one in file.records
        ),
        consents=tuple(_copied_consents(person, now)),
        openings=tuple(
            CopiedOpening(
                when=local(access.leaf.t, person.institution.country),
                role={tongue: _role(access.leaf.role, tongue) for tongue in LANGUAGES},
                institution=person.institution.name,
                act=access.leaf.act,
                outcome=access.leaf.dec,
                purpose=_purpose_words(programme, access.leaf.purpose),
                groups=frozenset(level for level in Sensitivity if level.group in access.leaf.fields),
                entry=access.index,
            )
            for access in accesses
        ),
        journal_key=quorum.policy(dict(institution.witnesses.values_list("name", "address")))
        if quorum.witnesses
        else journal_key(person.institution),
        signature_key=keyholder().signature_key(person.institution.id),
        proofs=proofs,
        witness_heads=(signed_text(head),) if head is not None and head.cosignatures.exists() else (),
        held=tuple(held),
        receipts=tuple(receipts.values_list("text", flat=True)),
    )
    return portable_zip(copy, language)


def _purpose_words(programme: Programme, name: str | None) -> Words | None:
    return {tongue: _purpose_title(programme, name, tongue) for tongue in LANGUAGES} if name else None


def _copied(form: Form, answers: Mapping[str, Any], language: Language) -> Iterator[CopiedAnswer]:
    """The answers in the order of the form; rows of a repeat carry their number."""
    for question in form.fields:
        for numbers, value in _values(question.path, question.name, form, answers):
            label = {tongue: f"{text}{numbers}" for tongue, text in question.label.items()}
            yield CopiedAnswer(
                label or {"es": question.name},
                question.name,
                question.sensitivity,
                answer_text(form, question, value, language),
                _plain(value),
            )


def _values(
    path: Iterable[str], name: str, form: Form, answers: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    repeats = [part for part in path if part in form.repeats]
    rows: list[tuple[str, Mapping[str, Any]]] = [("", answers)]
    for repeat in repeats:
        rows = [
            (f"{numbers} ({place})", row)
            for numbers, outer in rows
            for place, row in enumerate(outer.get(repeat) or (), start=1)
        ]
    for numbers, row in rows:
        if row.get(name) not in (None, ""):
            yield numbers, row[name]


def _plain(value: Any) -> Any:
    """The value as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value)


def _copied_consents(person: Person, now: datetime) -> Iterator[CopiedConsent]:
    subject = models.Subject.objects.get(id=person.subject)
    manners = dict(subject.consents.values_list("pk", "manner"))
    today = local(now, person.institution.country).date()
    titles = {purpose.name: purpose.title for purpose in person.programme.purposes}
    asked: dict[tuple[str, str | None], list[Consent]] = {}
    for consent in consents_of(subject):
        asked.setdefault((consent.purpose, consent.receiver), []).append(consent)
    for (purpose, receiver), answers in asked.items():
        if purpose in titles:
            yield CopiedConsent(
                titles[purpose],
                tuple(events_of(answers, manners, today)),
                receiver_named(receiver) if receiver else None,
                answers[-1].until,
            )
