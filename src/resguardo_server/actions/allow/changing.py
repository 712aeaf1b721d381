"""Records are corrected and erased, consents withdrawn: each asks first whether it may, and leaves a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from resguardo.collect.check import Checks, checks_by_place
from resguardo.collect.fact import facts_of
from resguardo.collect.header import inner_repeats
from resguardo.collect.submission import Answers, check_answers, read_answer
from resguardo.keep.journal import Act, Outcome
from resguardo.plan.programme import Form, Programme
from resguardo.values import Permit, Problem, Refused
from resguardo_keyholder.asked import ToSeal
from resguardo_server import models
from resguardo_server.actions.allow.consenting import keep_as_agreed
from resguardo_server.actions.allow.erasing import levels_of
from resguardo_server.actions.allow.opening import (
    journal_for,
    open_file,
    record_of,
    wrapped_key,
)
from resguardo_server.actions.allow.receiving import record_consents
from resguardo_server.actions.keep.finding import make_findable
from resguardo_server.actions.keep.records import (
    Keeping,
    answers_text,
    hash_of,
    new_id,
    remove_facts,
    write_line,
)
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import form_named, programme_named
from resguardo_server.keyholders import keyholder

MOST_LOOKS = 5
"""How often a record is opened anew because somebody else corrected it in between."""


def correct_record(
    who: Asker, record: str | UUID, changes: Mapping[str, str], purpose: str, *, now: datetime
) -> None:
    """The record says what the changes say; its old facts count no more and the new ones do.

    The changes are checked by the form's own rules; the record is opened for the purpose to be sealed anew.
    That it was opened stays in the journal also when the changes break a rule and nothing is changed.
    """
    found = record_of(who, record)
    programme = programme_named(found.programme)
    form = form_named(programme, found.form)
    _refuse_uncorrectable(form, changes)
    for _ in range(MOST_LOOKS):
        file = open_file(
            who, found.subject_id, purpose, levels_of(form), action="update", record=found, now=now
        )
        if not file.records:
            raise Refused(Problem("server.said.unknown_record"))
        opened = file.records[0]
        before = {name: _typed(form, name, value) for name, value in opened.answers.items()}
        answers = _corrected(form, opened.answers, changes, now.date())
        with transaction.atomic():
            journal_for(who, programme)
            row = record_of(who, record)
            if row.version == opened.version:
                _reseal(who, row, programme, form, answers, file.permit, now)
                said = [(row.id, row.subject_id, answers)]
                touched = [name for name in changes if answers.get(name) != before.get(name)]
                record_consents(form, said, now=now, corrected=touched)
                keep_as_agreed(programme, [row.subject_id], now=now)
                make_findable(row.institution_id, form, said)
                return
    raise Refused(Problem("server.said.changed_meanwhile"))


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
    remove_facts(row)
    row.version += 1
    row.groups.all().delete()
    key = wrapped_key(row.subject_id)
    texts = {
        level.group: text
        for level in sorted(levels_of(form), key=lambda level: level.group)
        if (text := answers_text(form, answers, level))
    }
    sealing = keyholder().seal(
        row.institution_id,
        [
            ToSeal(
                subject=row.subject_id,
                compartment=key.compartment,
                key_version=key.key_version,
                wrapped=key.octets,
                kind=form.about,
                record=row.id,
                row_version=row.version,
                texts=texts,
            )
        ],
    )[0]
    models.SealedGroup.objects.bulk_create(
        models.SealedGroup(
            record=row, group=group, row_version=row.version, key_version=key.key_version, octets=octets
        )
        for group, octets in sealing.groups.items()
    )
    keeping = Keeping(who.institution, programme, form, who.name, permit.role, permit.policy, now)
    row.segment_id = keeping.count_again(sealing, facts_of(form, answers, institution=who.institution))
    row.save(update_fields=["version", "segment"])
    subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
    write_line(
        keeping.journal,
        subject,
        sealing.mark,
        act=Act.UPDATE,
        who=permit.who,
        role=permit.role,
        purpose=permit.purpose,
        basis=permit.basis,
        consent=permit.consent,
        fields=tuple(sorted(sealing.groups)),
        record=row.id,
        content=hash_of(sealing.groups),
        policy=permit.policy,
        request=new_id(),
        outcome=Outcome.ALLOW,
        now=now,
    )
    subject.save(update_fields=["entries", "last_entry"])
    keeping.finish()
