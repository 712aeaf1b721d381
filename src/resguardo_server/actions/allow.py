"""Receiving, opening, correcting and erasing records: each asks first whether it may, and leaves a line."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from resguardo.allow.consent import Consent, ConsentBy
from resguardo.allow.decision import POLICY, Denial, Request, Rule, decide
from resguardo.collect.check import Checks, checks_by_place
from resguardo.collect.fact import facts_of
from resguardo.collect.header import inner_repeats
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import (
    Answers,
    Rejected,
    Submission,
    canonical_bytes,
    check_answers,
    form_for,
    read_answer,
    read_submissions,
    write_rejected,
)
from resguardo.keep.journal import Act, Outcome, Vocabulary, subject_mark
from resguardo.keep.keys import SubjectKey
from resguardo.keep.opening import open_group
from resguardo.keep.sealing import seal_group, sealed_hash
from resguardo.plan.programme import Form, Programme
from resguardo.values import Permit, Problem, Refused, Sealed, Sensitivity
from resguardo_server import models
from resguardo_server.actions.keep.journal import JournalWriter
from resguardo_server.actions.keep.records import (
    BATCH,
    Keeping,
    answers_text,
    forget_on_disk,
    new_id,
    remove_facts,
    write_line,
)
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import bring_programme, form_named, programme_named
from resguardo_server.key_rings import ring_of

Advance = Callable[[int, int | None], None]

MOST_PROBLEMS = 200
"""Problems that are shown; the file of refused rows has them all."""


@dataclass(frozen=True)
class Received:
    """What became of a file of answers."""

    form: str
    institution: str
    kept: int
    known: int
    refused: int
    problems: tuple[Problem, ...]
    mend: Path | None
    """Where the refused rows lie, to be mended and imported again."""
    ignored_columns: tuple[str, ...]


def import_sheet(
    who: Asker,
    programme_name: str,
    path: Path,
    *,
    form_name: str | None = None,
    sheet_name: str | None = None,
    encoding: str | None = None,
    language: str,
    advance: Advance,
    now: datetime,
) -> Received:
    """The answers in the file are kept, sealed; rows that break the form's rules lie in a file of their own.

    All in one transaction: when it is stopped half-way, nothing of the file was kept.
    """
    programme = bring_programme(programme_name, now=now)
    sheet = open_sheet(path, encoding=encoding, sheet=sheet_name)
    if form_name is not None:
        form = form_named(programme, form_name)
    else:
        found = form_for(programme.forms, sheet)
        if found is None:
            names = ", ".join(form.name for form in programme.forms)
            facts = {"programme": programme.name, "known": names}
            raise Refused(Problem("server.said.which_form", facts, file=str(path)))
        form = found
    reading = read_submissions(form, sheet, today=now.date())
    rejected: list[Rejected] = []
    kept = known = 0

    def whole() -> Iterator[Submission]:
        for number, item in enumerate(reading, start=1):
            if number % 200 == 0:
                advance(number, sheet.total)
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                yield item

    mend: Path | None = None
    try:
        with transaction.atomic():
            for batch_kept, batch_known in receive(who, programme, form, whole(), now=now):
                kept, known = kept + batch_kept, known + batch_known
            if rejected:
                mend = _mend_path(path)
                write_rejected(mend, reading.header, rejected, language)
    except BaseException:
        if mend is not None:
            mend.unlink(missing_ok=True)
        raise
    problems = tuple(problem for item in rejected for problem in item.problems)
    return Received(
        form=f"{programme.name}.{form.name}",
        institution=who.institution.slug,
        kept=kept,
        known=known,
        refused=len(rejected),
        problems=problems[:MOST_PROBLEMS],
        mend=mend,
        ignored_columns=reading.ignored_columns,
    )


def _mend_path(path: Path) -> Path:
    """Where the refused rows of a file may lie: inside this installation, beside no other's."""
    folder = Path(settings.VAR) / "to-mend"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, target = 1, folder / f"{path.stem}.csv"
    while target.exists():
        number += 1
        target = folder / f"{path.stem}-{number}.csv"
    return target


def receive(
    who: Asker, programme: Programme, form: Form, sheets: Iterable[Submission], *, now: datetime
) -> Iterator[tuple[int, int]]:
    """The sheets are kept in batches; gives, for each, how many were new and how many were there already.

    Must run inside a transaction, which holds the journal until its end.
    """
    keeping: Keeping | None = None
    seen: set[bytes] = set()
    iterator = iter(sheets)
    while batch := list(islice(iterator, BATCH)):
        if keeping is None:
            keeping = Keeping(
                who.institution, programme, form, who.name, _acting(who, programme), POLICY, now
            )
        marked = [(_arrival(keeping, sheet), sheet) for sheet in batch]
        before = keeping.known_arrivals([token for token, _ in marked]) | seen
        fresh = []
        for token, sheet in marked:
            if token not in before:
                before.add(token)
                seen.add(token)
                fresh.append(
                    (
                        token,
                        subject_code(form, sheet.answers),
                        sheet,
                        facts_of(form, sheet.answers, institution=who.institution),
                    )
                )
        if fresh:
            kept = keeping.keep(fresh)
            _record_consents(
                form, [(record, subject, sheet.answers) for record, subject, sheet in kept], now=now
            )
        yield len(fresh), len(batch) - len(fresh)
    if keeping is not None:
        keeping.finish()


def _acting(who: Asker, programme: Programme) -> str:
    """The role in which the member acts: one that the programme knows, where they have one."""
    if "operator" in who.roles:
        return "operator"
    known = {role for purpose in programme.purposes for role in purpose.roles}
    return min(who.roles & known or who.roles)


def _arrival(keeping: Keeping, sheet: Submission) -> bytes:
    place = f"{keeping.programme.name}.{keeping.form.name}|".encode()
    return keeping.ring.arrival_token(place + canonical_bytes(sheet))


def subject_code(form: Form, answers: Answers) -> tuple[str, ...]:
    """What says whom the sheet is about: the answers to the form's key fields."""
    return tuple("" if answers.get(name) is None else str(answers[name]) for name in form.key)


YES_OF_A_MINOR = ("guardian_consent", "child_assent", "assent")
"""Questions that mean the same in every form: a no to one of them is a no, whatever else was ticked."""


def _record_consents(
    form: Form,
    kept: list[tuple[UUID, UUID, Answers]],
    *,
    now: datetime,
    corrected: Collection[str] | None = None,
) -> None:
    """What the sheets say about consent is on file; of a corrected sheet, what was `corrected` alone."""
    rows = []
    for record, subject, answers in kept:
        for question in form.consents:
            answer = answers.get(question.field)
            if answer is None if corrected is None else question.field not in corrected:
                continue
            said = answers.get(form.moment)
            day = said.date() if isinstance(said, datetime) else said
            no_by_others = any(answers.get(name) == "no" for name in YES_OF_A_MINOR)
            for purpose in question.purposes:
                rows.append(
                    models.ConsentGiven(
                        subject_id=subject,
                        record_id=record,
                        purpose=purpose,
                        given=answer == question.yes and not no_by_others,
                        said_on=day if isinstance(day, date) else now.date(),
                        language=_language_of(answers),
                        by="guardian" if answers.get("guardian_consent") == "yes" else "self",
                        until=answers.get("consent_until"),
                        withdrawn_on=answers.get("consent_withdrawn_on"),
                    )
                )
    models.ConsentGiven.objects.bulk_create(rows, batch_size=BATCH)


def _language_of(answers: Answers) -> str:
    """The language that the person asked for, where the form asks; in which consent was then sought."""
    told = answers.get("language") or answers.get("holder_language") or ""
    return told if isinstance(told, str) and len(told) == 2 else ""


# Opening


class NotAllowed(Refused):
    """A record stays closed; the sentence names the rule, never the data."""


def _record_of(who: Asker, record: str | UUID) -> models.Record:
    try:
        wanted = record if isinstance(record, UUID) else UUID(record)
    except ValueError:
        raise Refused(Problem("server.said.unknown_record")) from None
    row = models.Record.objects.select_related("subject").filter(id=wanted).first()
    # A stranger learns nothing, not even that the record exists.
    if row is None or row.institution_id != who.institution.id:
        raise Refused(Problem("server.said.unknown_record"))
    return row


def _consents_of(subject: models.Subject) -> list[Consent]:
    """The subject's consents; a later no, on file for the same purpose, ends an earlier yes."""
    consents: list[Consent] = []
    rows = list(models.ConsentGiven.objects.filter(subject=subject).order_by("said_on", "pk"))
    for row in rows:
        ends = [
            later.said_on
            for later in rows
            if later.purpose == row.purpose
            and not later.given
            and (later.said_on, later.pk) > (row.said_on, row.pk)
        ]
        withdrawn = [row.withdrawn_on] if row.withdrawn_on else []
        if row.given:
            consents.append(
                Consent(
                    id=_consent_id(row),
                    purpose=row.purpose,
                    given_on=row.said_on,
                    language=row.language,
                    by=ConsentBy.GUARDIAN if row.by == "guardian" else ConsentBy.SELF,
                    until=row.until,
                    withdrawn_on=min(ends + withdrawn, default=None),
                )
            )
    return consents


def _consent_id(row: models.ConsentGiven) -> str:
    return f"{row.pk:032x}"


def _decide(
    who: Asker,
    row: models.Record,
    programme: Programme,
    purpose: str,
    groups: frozenset[Sensitivity],
    now: datetime,
) -> tuple[Permit | Denial, str]:
    """The decision for the first role of the member that is allowed, and that role."""
    pseudonym = ring_of(who.institution.id).staff_pseudonym(who.name)
    answer: Permit | Denial | None = None
    role = ""
    for role in sorted(who.roles):
        answer = decide(
            Request(
                who=pseudonym,
                role=role,
                institution=who.institution.id,
                purpose=purpose,
                groups=groups,
                subject=row.subject_id,
                subject_institution=row.institution_id,
                recorded_on=row.received_on.date(),
                restricted=row.subject.restricted,
            ),
            purposes=programme.purposes,
            consents=_consents_of(row.subject),
            now=now,
        )
        if isinstance(answer, Permit) or answer.rule is not Rule.ROLE:
            break
    if answer is None:
        raise Refused(Problem("server.said.unknown_member"))
    return answer, role


def _subject_key(row: models.Record) -> tuple[SubjectKey, int]:
    key = models.SubjectKey.objects.filter(subject_id=row.subject_id).order_by("-version").first()
    if key is None:
        raise Refused(Problem("server.said.unknown_record"))
    ring = ring_of(row.institution_id)
    opened = ring.unwrap_subject_key(
        bytes(key.wrapped), compartment=key.compartment, subject=row.subject_id, key_version=key.version
    )
    return opened, key.version


def open_record(
    who: Asker, record: str | UUID, purpose: str, groups: tuple[str, ...] | None = None, *, now: datetime
) -> dict[str, Any]:
    """The answers of the groups asked for (all that the purpose opens, if none is named).

    The opening, or its refusal, is in the journal when this returns or raises.
    """
    programme = programme_named(_record_of(who, record).programme)
    with transaction.atomic():
        journal = _journal_for(who, programme)
        row = _record_of(who, record)
        answers, decision = _open(
            who, row, programme, journal, purpose, _levels(programme, purpose, groups), now
        )
    if isinstance(decision, Denial):
        raise NotAllowed(_said(decision))
    return {
        "record": str(row.id),
        "programme": row.programme,
        "form": row.form,
        "purpose": purpose,
        "answers": answers,
    }


def _said(denial: Denial) -> Problem:
    return Problem(denial.code, {"purpose": denial.purpose, "role": denial.role})


def _levels(programme: Programme, purpose: str, groups: tuple[str, ...] | None) -> frozenset[Sensitivity]:
    if groups is None:
        return next(
            (known.opens for known in programme.purposes if known.name == purpose), frozenset(Sensitivity)
        )
    return frozenset(level for level in Sensitivity if level in groups)


def _open(
    who: Asker,
    row: models.Record,
    programme: Programme,
    journal: JournalWriter,
    purpose: str,
    groups: frozenset[Sensitivity],
    now: datetime,
) -> tuple[dict[str, Any], Permit | Denial]:
    """The line is written, then the groups are opened; or the refusal is written and nothing is opened."""
    decision, role = _decide(who, row, programme, purpose, groups, now)
    subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
    key, _ = _subject_key(row)
    permitted = isinstance(decision, Permit)
    known_purpose = any(known.name == purpose for known in programme.purposes)
    write_line(
        journal,
        subject,
        subject_mark(key),
        act=Act.READ,
        who=ring_of(who.institution.id).staff_pseudonym(who.name),
        role=role,
        purpose=purpose if known_purpose else None,
        basis=decision.basis if isinstance(decision, Permit) else None,
        consent=decision.consent if isinstance(decision, Permit) else None,
        fields=tuple(sorted(level.group for level in groups)),
        record=row.id,
        content=None,
        policy=POLICY,
        request=new_id(),
        outcome=Outcome.ALLOW if permitted else Outcome.DENY,
        now=now,
    )
    subject.save(update_fields=["entries", "last_entry"])
    journal.sign(now)
    if isinstance(decision, Denial):
        return {}, decision
    answers: dict[str, Any] = {}
    for sealed in row.groups.all():
        level = next(level for level in Sensitivity if level.group == sealed.group)
        if level not in groups:
            continue
        opened = open_group(
            decision,
            key,
            Sealed(bytes(sealed.octets)),
            institution=row.institution_id,
            subject=row.subject_id,
            record=row.id,
            group=level,
            row_version=row.version,
            key_version=sealed.key_version,
            now=now,
        )
        _merge(answers, json.loads(opened.octets, object_hook=_number))
    return answers, decision


def _journal_for(who: Asker, programme: Programme) -> JournalWriter:
    """The institution's journal, held: until the transaction ends nobody else changes its records.

    Every action takes it first and reads afterwards what it decides on: two never wait for each other, and
    none decides on what another has changed meanwhile.
    """
    return JournalWriter(
        who.institution,
        Vocabulary(
            roles={known for purpose in programme.purposes for known in purpose.roles} | who.roles,
            purposes={purpose.name for purpose in programme.purposes},
        ),
    )


def _number(found: dict[str, Any]) -> Any:
    return Decimal(found["decimal"]) if set(found) == {"decimal"} else found


def _merge(answers: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Groups of one record together; repeats were split by level and are joined row by row, to any depth."""
    for name, value in more.items():
        if isinstance(value, list) and value and isinstance(value[0], dict) and name in answers:
            for row, extra in zip(answers[name], value, strict=True):
                _merge(row, extra)
        else:
            answers[name] = value


# Correcting and erasing


def correct_record(
    who: Asker, record: str | UUID, changes: Mapping[str, str], purpose: str, *, now: datetime
) -> None:
    """The record says what the changes say; its old facts count no more and the new ones do.

    The changes are checked by the form's own rules; the record is opened for the purpose to be sealed anew.
    That it was opened stays in the journal also when the changes break a rule and nothing is changed.
    """
    found = _record_of(who, record)
    programme = programme_named(found.programme)
    form = form_named(programme, found.form)
    _refuse_uncorrectable(form, changes)
    with transaction.atomic():
        journal = _journal_for(who, programme)
        row = _record_of(who, record)
        opened, decision = _open(who, row, programme, journal, purpose, _levels_of(form), now)
        broken: Refused | None = None
        if isinstance(decision, Permit):
            try:
                answers = _corrected(form, opened, changes, now.date())
            except Refused as refused:
                broken = refused
            else:
                _reseal(who, row, programme, form, answers, decision, now)
                _record_consents(form, [(row.id, row.subject_id, answers)], now=now, corrected=changes)
    if isinstance(decision, Denial):
        raise NotAllowed(_said(decision))
    if broken is not None:
        raise broken


def _levels_of(form: Form) -> frozenset[Sensitivity]:
    return frozenset(question.sensitivity for question in form.fields)


def _refuse_uncorrectable(form: Form, changes: Mapping[str, str]) -> None:
    """Corrected is what a person answers once in a sheet, and never whom the sheet is about."""
    known = [
        question.name
        for question in form.fields
        if question.repeat is None and question.kind != "calculate" and question.name not in form.key
    ]
    problems = [
        Problem(
            "plan.programme.field_unknown", {"name": name[:40], "known": ", ".join(known)}, column=name[:40]
        )
        for name in changes
        if name not in known and name not in form.key
    ]
    problems += [
        Problem("server.said.not_corrected", {"name": name}, column=name)
        for name in changes
        if name in form.key
    ]
    if problems:
        raise Refused(*problems)


def _corrected(
    form: Form, opened: Mapping[str, Any], changes: Mapping[str, str], today: date
) -> dict[str, Any]:
    answers = _blank(form, None) | {name: _typed(form, name, value) for name, value in opened.items()}
    for name, text in changes.items():
        answers[name] = read_answer(form, name, text)
    _calculate_again(form, answers)
    problems = check_answers(form, answers, today=today)
    if problems:
        raise Refused(*problems)
    return answers


def _blank(form: Form, repeat: str | None) -> dict[str, Any]:
    """Every question of a place, not answered: a rule that asks for an answer must see that there is none."""
    return {question.name: None for question in form.fields if question.repeat == repeat}


def _calculate_again(form: Form, answers: dict[str, Any]) -> None:
    """What the form calculates follows from the corrected answers, as on the day of the sheet."""
    said = answers[form.moment]
    asked = frozenset(question.name for question in form.fields if question.kind != "calculate")
    day = said.date() if isinstance(said, datetime) else said
    checks = checks_by_place(form, partial(Checks, form, today=day, answered=asked))

    def calculate(place: str | None, rows: tuple[dict[str, Any], ...]) -> None:
        checks[place].calculate(rows)
        for repeat in inner_repeats(form, place):
            for row in rows[-1].get(repeat) or ():
                calculate(repeat, (*rows, row))

    calculate(None, (answers,))


def _typed(form: Form, name: str, value: Any) -> Any:
    """An answer as the form's kinds have it, from its sealed JSON."""
    if not form.has_field(name):
        return tuple(
            _blank(form, name) | {inner: _typed(form, inner, item) for inner, item in row.items()}
            for row in value
        )
    kind = form.field(name).kind
    if kind == "select_multiple":
        return tuple(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "datetime":
        return datetime.fromisoformat(value)
    return value


def _reseal(
    who: Asker,
    row: models.Record,
    programme: Programme,
    form: Form,
    answers: Answers,
    permit: Permit,
    now: datetime,
) -> None:
    """The answers are sealed as the record's next version, and the old ones are gone."""
    ring = ring_of(row.institution_id)
    key, key_version = _subject_key(row)
    remove_facts(ring, row)
    row.version += 1
    row.groups.all().delete()
    sealed: dict[Sensitivity, Sealed] = {}
    for level in sorted({question.sensitivity for question in form.fields}, key=lambda level: level.group):
        text = answers_text(form, answers, level)
        if text:
            sealed[level] = seal_group(
                key,
                institution=row.institution_id,
                subject=row.subject_id,
                record=row.id,
                group=level,
                row_version=row.version,
                key_version=key_version,
                text=text,
                nonce=secrets.token_bytes(12),
            )
    models.SealedGroup.objects.bulk_create(
        models.SealedGroup(
            record=row,
            group=level.group,
            row_version=row.version,
            key_version=key_version,
            octets=found.octets,
        )
        for level, found in sealed.items()
    )
    keeping = Keeping(who.institution, programme, form, who.name, permit.role, permit.policy, now)
    row.segment_id = keeping.count_again(
        row.id, row.subject_id, facts_of(form, answers, institution=who.institution)
    )
    row.save(update_fields=["version", "segment"])
    subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
    write_line(
        keeping.journal,
        subject,
        subject_mark(key),
        act=Act.UPDATE,
        who=permit.who,
        role=permit.role,
        purpose=permit.purpose,
        basis=permit.basis,
        consent=permit.consent,
        fields=tuple(level.group for level in sealed),
        record=row.id,
        content=sealed_hash(sealed),
        policy=permit.policy,
        request=new_id(),
        outcome=Outcome.ALLOW,
        now=now,
    )
    subject.save(update_fields=["entries", "last_entry"])
    keeping.finish()


def erase_record(who: Asker, record: str | UUID, *, now: datetime) -> None:
    """The record is gone from the register and from every count, and the sheet cannot arrive again.

    With a subject's last record their key is shredded: no line of the journal leads to them any more. Whoever
    may open the whole record for some purpose may erase it, also when consent or retention has ended.
    """
    found = _record_of(who, record)
    programme = programme_named(found.programme)
    whole = [
        purpose
        for purpose in programme.purposes
        if _levels_of(form_named(programme, found.form)) <= purpose.opens
    ]
    allowed = {role for purpose in whole for role in purpose.roles} & who.roles
    with transaction.atomic():
        journal = _journal_for(who, programme)
        row = _record_of(who, record)
        subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
        key, _ = _subject_key(row)
        role = min(allowed) if allowed else _acting(who, programme)
        write_line(
            journal,
            subject,
            subject_mark(key),
            act=Act.ERASE,
            who=ring_of(who.institution.id).staff_pseudonym(who.name),
            role=role,
            purpose=None,
            basis=None,
            consent=None,
            fields=(),
            record=row.id,
            content=None,
            policy=POLICY,
            request=new_id(),
            outcome=Outcome.ALLOW if allowed else Outcome.DENY,
            now=now,
        )
        if allowed:
            remove_facts(ring_of(row.institution_id), row)
            row.groups.all().delete()
            row.delete()
            if not subject.records.exists():
                subject.keys.all().delete()
                subject.tokens.all().delete()
                models.ConsentGiven.objects.filter(subject=subject).delete()
                subject.erased_on = now
            forget_on_disk()
        subject.save(update_fields=["entries", "last_entry", "erased_on"])
        journal.sign(now)
    if not allowed:
        wanted = whole[-1].name if whole else "rights"
        raise NotAllowed(Problem("allow.decision.role", {"purpose": wanted, "role": role}))


def withdraw_consent(who: Asker, record: str | UUID, purpose: str, *, now: datetime) -> None:
    """From today nobody opens the subject's records for that purpose on the ground of consent."""
    programme = programme_named(_record_of(who, record).programme)
    with transaction.atomic():
        journal = _journal_for(who, programme)
        row = _record_of(who, record)
        subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
        key, _ = _subject_key(row)
        given = models.ConsentGiven.objects.filter(
            subject=subject, purpose=purpose, given=True, withdrawn_on=None
        )
        if not given.update(withdrawn_on=now.date()):
            raise Refused(Problem("server.said.no_consent", {"purpose": purpose}))
        write_line(
            journal,
            subject,
            subject_mark(key),
            act=Act.WITHDRAW,
            who=ring_of(who.institution.id).staff_pseudonym(who.name),
            role=_acting(who, programme),
            purpose=purpose,
            basis=None,
            consent=None,
            fields=(),
            record=row.id,
            content=None,
            policy=POLICY,
            request=new_id(),
            outcome=Outcome.ALLOW,
            now=now,
        )
        subject.save(update_fields=["entries", "last_entry"])
        journal.sign(now)


def list_records(who: Asker, programme: str, form: str | None = None, most: int = 50) -> list[dict[str, str]]:
    """The newest records of the institution: ids and days, no answer."""
    rows = models.Record.objects.filter(institution_id=who.institution.id, programme=programme)
    if form is not None:
        rows = rows.filter(form=form)
    return [
        {
            "record": str(row.id),
            "form": row.form,
            "received_on": row.received_on.date().isoformat(),
            "keep_until": row.keep_until.isoformat(),
        }
        for row in rows.order_by("-received_on", "id")[:most]
    ]
