"""A person's file: what is sealed, what it opens for, what was opened, what happened and until when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import BinaryField, F, Func, IntegerField, Value
from django.utils.dateparse import parse_date

from resguardo.allow.consent import ConsentState, consent_state
from resguardo.allow.receipt import receiver_in_words
from resguardo.keep.journal import Leaf, NotAnEntry, read_entry
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import in_language
from resguardo.plan.programme import Form, Programme
from resguardo.plan.xlsform import Field
from resguardo.values import InstitutionKind, Language, Problem, Refused, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow.deciding import consents_of, subject_of
from resguardo_server.actions.allow.erasing import erase_subject, levels_of
from resguardo_server.actions.allow.finding import case_code, purposes_for
from resguardo_server.actions.allow.opening import OpenedFile, wrapped_key
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import form_named, programme_named
from resguardo_server.keyholders import keyholder

ORDER = (Sensitivity.PLAIN, Sensitivity.IDENTIFIER, Sensitivity.QUASI, Sensitivity.SENSITIVE)
"""From what does least harm to what does most; plain facts come first, for the work."""


@dataclass(frozen=True)
class Box:
    """One group of answers: sealed, and for which purposes of the programme it opens.

    Whether there is anything inside, and how much, is not known here.
    """

    level: Sensitivity
    own: tuple[Purpose, ...]
    """The purposes that open it for the member."""
    others: tuple[Purpose, ...]
    """Those that open it for other roles alone."""

    def opens_for(self, purpose: str) -> bool:
        """Whether that purpose opens it for the member."""
        return any(known.name == purpose for known in self.own)


@dataclass(frozen=True)
class ConsentShown:
    """How her answer about one purpose and receiver stands."""

    purpose: Purpose | None
    name: str
    receiver: str
    state: ConsentState
    day: date
    """When it was given or refused, or since when it has ended."""
    until: date | None
    by: str
    assent: bool | None
    language: Language
    """In which she was asked; empty where nobody wrote it down."""
    record: UUID | None


@dataclass(frozen=True)
class SheetShown:
    """One record of the file: which form, when; no answer."""

    id: UUID
    form: Form
    received_on: datetime
    keep_until: date


@dataclass(frozen=True)
class File:
    """What may be seen of a person before anything is opened."""

    subject: UUID
    code: str
    programme: Programme
    purposes: tuple[Purpose, ...]
    """For which the member's roles may use some of the records."""
    boxes: tuple[Box, ...]
    sheets: tuple[SheetShown, ...]
    consents: tuple[ConsentShown, ...]
    restricted_on: date | None
    restricted: bool
    holds: tuple[tuple[str, date, date | None], ...]
    """Order, since when, until when."""
    requests: tuple[tuple[int, str, date], ...]
    """Open requests of the person: number, right, day by which she has an answer."""
    keep_until: date | None


def file_of(who: Asker, subject: UUID, *, now: datetime) -> File:
    """The institution's file of that subject; what is not the member's work is refused as if it were not."""
    row = subject_of(who, subject)
    if row is None or row.erased_on is not None:
        raise Refused(Problem("server.said.unknown_record"))
    programme = programme_named(row.programme)
    rows = list(row.records.order_by("received_on", "id"))
    forms = {one.form: form_named(programme, one.form) for one in rows}
    purposes = tuple(
        purpose for purpose in purposes_for(who, programme) if any(purpose.covers(form) for form in forms)
    )
    if not rows or not (purposes or "supervisor" in who.roles):
        raise Refused(Problem("server.said.unknown_record"))
    holds = models.LegalHold.objects.filter(subject=row, lifted_on=None).order_by("since")
    waiting = row.rights_requests.filter(answered_at=None).order_by("due_on")
    return File(
        subject=row.id,
        code=case_code(row.id),
        programme=programme,
        purposes=purposes,
        boxes=tuple(_boxes(programme, purposes, forms.values())),
        sheets=tuple(SheetShown(one.id, forms[one.form], one.received_on, one.keep_until) for one in rows),
        consents=tuple(_consents(row, programme, now)),
        restricted_on=row.restricted_on,
        restricted=row.restricted,
        holds=tuple((hold.order, hold.since, hold.until) for hold in holds),
        requests=tuple((one.number, one.right, one.extended_to or one.due_on) for one in waiting),
        keep_until=max(one.keep_until for one in rows),
    )


def _boxes(programme: Programme, own: Collection[Purpose], forms: Collection[Form]) -> Iterator[Box]:
    for level in ORDER:
        holding = [form for form in forms if level in levels_of(form)]
        opening = [
            purpose
            for purpose in programme.purposes
            if level in purpose.opens and any(purpose.covers(form.name) for form in holding)
        ]
        if holding:
            yield Box(
                level,
                tuple(purpose for purpose in opening if purpose in own),
                tuple(purpose for purpose in opening if purpose not in own),
            )


def receiver_title(receiver: str, language: Language) -> str:
    """What a person reads for a receiver: the kind of institution, or the institution's name."""
    if receiver in list(InstitutionKind):
        return receiver_in_words(InstitutionKind(receiver), language)
    row = models.Institution.objects.filter(slug=receiver).first()
    return row.name if row is not None else receiver


def _consents(row: models.Subject, programme: Programme, now: datetime) -> Iterator[ConsentShown]:
    known = {purpose.name: purpose for purpose in programme.purposes}
    records = {
        (one.purpose, one.receiver or None): one.record_id
        for one in models.ConsentGiven.objects.filter(subject=row).order_by("said_on", "pk")
    }
    newest = {(one.purpose, one.receiver): one for one in consents_of(row)}
    for (purpose, receiver), consent in newest.items():
        state = consent_state(consent, now)
        day = consent.given_on
        if state is ConsentState.WITHDRAWN and consent.withdrawn_on:
            day = consent.withdrawn_on
        elif state is ConsentState.EXPIRED and consent.until:
            day = consent.until
        yield ConsentShown(
            known.get(purpose),
            purpose,
            receiver or "",
            state,
            day,
            consent.until,
            str(consent.by),
            consent.assent,
            consent.language,
            records.get((purpose, receiver)),
        )


# What was opened


@dataclass(frozen=True)
class Answer:
    """One question and what was answered, as a person reads it."""

    name: str
    label: str
    text: str
    masked: bool
    """A document's number, of which only the end is shown at first."""
    can_be_corrected: bool


@dataclass(frozen=True)
class Rows:
    """The rows of a repeat; each holds answers and further repeats."""

    name: str
    rows: tuple[tuple[Answer | Rows, ...], ...]


@dataclass(frozen=True)
class Page:
    """What one record says at one level."""

    record: UUID
    form: Form
    received_on: datetime
    answers: tuple[Answer | Rows, ...]


def pages_of(file: File, opened: OpenedFile, level: Sensitivity, language: Language) -> tuple[Page, ...]:
    """The answers of one level, record by record; of the forms that the permit names and no other."""
    forms = {sheet.id: sheet.form for sheet in file.sheets}
    return tuple(
        Page(
            record.id,
            forms[record.id],
            record.received_on,
            tuple(_said(forms[record.id], record.answers, level, language, None)),
        )
        for record in opened.records
        if record.id in forms
        and (opened.permit.forms is None or record.form in opened.permit.forms)
        and level in levels_of(forms[record.id])
    )


def _said(
    form: Form, answers: Mapping[str, Any], level: Sensitivity, language: Language, repeat: str | None
) -> Iterator[Answer | Rows]:
    """In the order of the form; what was not answered is left out."""
    for name, value in _in_order(form, answers):
        if form.has_field(name):
            question = form.field(name)
            if question.sensitivity is level and value not in (None, "", ()):
                yield Answer(
                    name,
                    in_language(question.label, language) or name,
                    answer_text(form, question, value, language),
                    name in _document_numbers(form),
                    repeat is None and question.kind != "calculate" and name not in form.key,
                )
        elif isinstance(value, list | tuple):
            rows = tuple(tuple(_said(form, row, level, language, name)) for row in value)
            if any(rows):
                yield Rows(name, tuple(row for row in rows if row))


def _in_order(form: Form, answers: Mapping[str, Any]) -> list[tuple[str, Any]]:
    order = {question.name: number for number, question in enumerate(form.fields)}
    first_inside = {
        repeat: min((order[question.name] for question in form.fields if repeat in question.path), default=0)
        for repeat in form.repeats
    }
    return sorted(answers.items(), key=lambda item: order.get(item[0], first_inside.get(item[0], 0)))


def _document_numbers(form: Form) -> set[str]:
    return {search.fields[-1] for search in form.searches if search.index.value == "document"}


def answer_text(form: Form, question: Field, value: Any, language: Language) -> str:
    """The answer as a person reads it: labels of lists, days as days, several choices one after the other."""
    labels = {
        choice.name: in_language(choice.label, language) or choice.name
        for choice in form.choices.get(question.list_name or "", ())
    }
    if question.kind == "select_multiple":
        told = value if isinstance(value, list | tuple) else str(value).split()
        return ", ".join(labels.get(str(code), str(code)) for code in told)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal | int | float):
        return f"{value}"
    if question.kind == "date":
        day = value if isinstance(value, date) else parse_date(str(value))
        return day.strftime("%d/%m/%Y") if day else str(value)
    return labels.get(str(value), str(value))


def questions_to_correct(form: Form, language: Language) -> list[tuple[str, str]]:
    """What can be corrected one by one: name and label."""
    return [
        (question.name, in_language(question.label, language) or question.name)
        for question in form.fields
        if question.repeat is None and question.kind != "calculate" and question.name not in form.key
    ]


def purposes_to_correct(file: File, form: Form) -> tuple[Purpose, ...]:
    """A correction opens the whole record: the purposes of the member that may."""
    levels = levels_of(form)
    return tuple(
        purpose for purpose in file.purposes if purpose.covers(form.name) and levels <= purpose.opens
    )


# What happened


class PlaceInside(Func):
    """Where octets begin inside others, from 1; 0 where they are not inside."""

    function = "POSITION"
    arg_joiner = " IN "
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite wants them the other way round."""
        turned = self.copy()
        turned.set_source_expressions(list(reversed(self.get_source_expressions())))
        return turned.as_sql(compiler, connection, function="INSTR", arg_joiner=", ", **extra)


@dataclass(frozen=True)
class Happened:
    """One line of the journal about the person."""

    position: int
    leaf: Leaf
    own: bool
    """The member herself did it."""


def what_happened(who: Asker, subject: UUID) -> tuple[Happened, ...]:
    """Every line of the journal about the subject, the newest first; without a key, nothing leads to any."""
    row = subject_of(who, subject)
    if row is None:
        return ()
    mark = keyholder().marks(row.institution_id, [wrapped_key(row.id)])[0]
    own = keyholder().pseudonym(who.institution.id, who.name)
    found = []
    for position, octets in lines_about(row.institution_id, mark):
        try:
            leaf = read_entry(octets)
        except NotAnEntry:
            continue
        found.append(Happened(position, leaf, leaf.who == own))
    return tuple(reversed(found))


def lines_about(institution: UUID, mark: str) -> list[tuple[int, bytes]]:
    """Place and bytes of every line about the subject with that mark, in the order of the journal.

    The database looks for the mark inside the lines, so that they need not all be fetched.
    """
    told = Value(f'"subj":"{mark}"'.encode(), BinaryField())
    rows = models.JournalEntry.objects.filter(institution_id=institution)
    rows = rows.annotate(place=PlaceInside(told, F("leaf"))).filter(place__gt=0)
    return [
        (position or 0, bytes(leaf))
        for position, leaf in rows.order_by("position").values_list("position", "leaf")
    ]


# Erasing


@dataclass(frozen=True)
class ErasedOn:
    """Two dates: gone from here, and beyond recovery from any backup too."""

    shredded_on: datetime
    backups_end: date


def erase_person(who: Asker, subject: UUID, *, now: datetime) -> ErasedOn:
    """Every record of the subject is gone, and with the last one the key; or none, and it is said why."""
    erase_subject(who, subject, now=now)
    return ErasedOn(now, backups_end(now))


def backups_end(now: datetime) -> date:
    """The day from which no backup brings back what is erased now, at the latest.

    Its key is wrapped by a compartment key that is replaced and, when no backup is that old, destroyed.
    """
    return now.date() + timedelta(days=settings.ROTATION_DAYS + settings.BACKUP_DAYS)
