"""Records are opened: after the keyholder has decided, written its line and given the keys of some groups.

The one place of the service that may call `resguardo.keep.opening`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from resguardo.keep.journal import Vocabulary
from resguardo.keep.opening import open_group
from resguardo.plan.programme import Programme
from resguardo.values import Permit, Problem, Refused, Sealed, Sensitivity
from resguardo_keyholder.asked import Opening, Released, Withheld, Wrapped
from resguardo_server import models
from resguardo_server.actions.keep.journal import JournalWriter
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import programme_named
from resguardo_server.keyholders import keyholder

DATA_SUBJECT: Final = "data_subject"


class NotAllowed(Refused):
    """A record stays closed; the sentence names the rule, never the data."""


def record_of(who: Asker, record: str | UUID) -> models.Record:
    try:
        wanted = record if isinstance(record, UUID) else UUID(record)
    except ValueError:
        raise Refused(Problem("server.said.unknown_record")) from None
    row = models.Record.objects.select_related("subject").filter(id=wanted).first()
    # A stranger learns nothing, not even that the record exists.
    if row is None or row.institution_id != who.institution.id:
        raise Refused(Problem("server.said.unknown_record"))
    return row


@dataclass(frozen=True)
class OpenedRecord:
    """One record's answers of the groups that were opened."""

    id: UUID
    form: str
    version: int
    received_on: datetime
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class OpenedFile:
    """What was opened of one subject, under which permit, and where the journal says so."""

    permit: Permit
    entry: int
    """The position of the line in the journal."""
    records: tuple[OpenedRecord, ...]


def open_file(
    who: Asker,
    subject: UUID,
    purpose: str,
    groups: Collection[Sensitivity],
    *,
    now: datetime,
    action: str = "read",
    record: models.Record | None = None,
    emergency_reason: str = "",
    ticket: bytes = b"",
) -> OpenedFile:
    """The answers of some groups of one subject's records (or of one record), for a purpose.

    The opening, or its refusal, is in the journal when this returns or raises. Must not be called inside a
    transaction: the keyholder writes the line on its own connection before it gives a key.
    """
    rows = models.Record.objects.filter(subject_id=subject, institution_id=who.institution.id)
    rows = rows.filter(id=record.id) if record is not None else rows
    forms = tuple(rows.order_by("form").values_list("form", flat=True).distinct())
    answer = keyholder().release(
        Opening(
            institution=who.institution.id,
            subject=subject,
            purpose=purpose,
            groups=tuple(sorted(level.group for level in groups)),
            member="" if ticket else who.name,
            ticket=ticket,
            action=action,
            record=record.id if record is not None else None,
            forms=forms,
            second_factor=who.second_factor,
            reauthenticated=who.reauthenticated,
            emergency_reason=emergency_reason,
        ),
        now=now,
    )
    if isinstance(answer, Withheld):
        raise NotAllowed(answer.problem)
    if answer.permit.forms is not None:  # of the same subject, other forms may be for other purposes
        rows = rows.filter(form__in=answer.permit.forms)
    return OpenedFile(
        answer.permit,
        answer.entry,
        tuple(
            _opened(row, answer, now) for row in rows.prefetch_related("groups").order_by("received_on", "id")
        ),
    )


def _opened(row: models.Record, released: Released, now: datetime) -> OpenedRecord:
    keys = {key.group.group: key for key in released.keys}
    answers: dict[str, Any] = {}
    for sealed in row.groups.all():
        key = keys.get(sealed.group)
        if key is None:
            continue
        opened = open_group(
            released.permit,
            key,
            Sealed(bytes(sealed.octets)),
            institution=row.institution_id,
            subject=row.subject_id,
            record=row.id,
            group=key.group,
            row_version=row.version,
            key_version=sealed.key_version,
            now=now,
        )
        _merge(answers, json.loads(opened.octets, object_hook=_number))
    return OpenedRecord(row.id, row.form, row.version, row.received_on, answers)


@dataclass(frozen=True)
class SealedText:
    """A text about a person that lies outside her records, sealed with the group of what may hurt."""

    place: UUID
    """The row that it stands in."""
    octets: bytes
    version: int = 1


def open_texts(
    who: Asker,
    subject: UUID,
    purpose: str,
    texts: Collection[SealedText],
    *,
    now: datetime,
    action: str = "read",
    ticket: bytes = b"",
) -> list[str]:
    """The texts, after one line in the journal; as `open_file`, to be called outside a transaction."""
    group = Sensitivity.SENSITIVE
    key = models.SubjectKey.objects.filter(subject_id=subject).order_by("-version").first()
    if key is None:
        raise Refused(Problem("server.said.unknown_record"))
    answer = keyholder().release(
        Opening(
            institution=who.institution.id,
            subject=subject,
            purpose=purpose,
            groups=(group.group,),
            member="" if ticket else who.name,
            ticket=ticket,
            action=action,
            second_factor=who.second_factor,
            reauthenticated=who.reauthenticated,
        ),
        now=now,
    )
    if isinstance(answer, Withheld):
        raise NotAllowed(answer.problem)
    return [
        open_group(
            answer.permit,
            answer.keys[0],
            Sealed(text.octets),
            institution=who.institution.id,
            subject=subject,
            record=text.place,
            group=group,
            row_version=text.version,
            key_version=answer.key_version,
            now=now,
        ).octets.decode()
        for text in texts
    ]


def open_record(
    who: Asker, record: str | UUID, purpose: str, groups: tuple[str, ...] | None = None, *, now: datetime
) -> dict[str, Any]:
    """The answers of the groups asked for (all that the purpose opens, if none is named).

    The opening, or its refusal, is in the journal when this returns or raises.
    """
    row = record_of(who, record)
    programme = programme_named(row.programme)
    levels = _levels(programme, purpose, groups)
    file = open_file(who, row.subject_id, purpose, levels, record=row, now=now)
    if not file.records:
        raise Refused(Problem("server.said.unknown_record"))
    return {
        "record": str(row.id),
        "programme": row.programme,
        "form": row.form,
        "purpose": purpose,
        "answers": dict(file.records[0].answers),
    }


def _levels(programme: Programme, purpose: str, groups: tuple[str, ...] | None) -> frozenset[Sensitivity]:
    if groups is None:
        return next(
            (known.opens for known in programme.purposes if known.name == purpose), frozenset(Sensitivity)
        )
    return frozenset(level for level in Sensitivity if level in groups)


def journal_for(who: Asker, programme: Programme) -> JournalWriter:
    """The institution's journal, held: until the transaction ends nobody else changes its records.

    Every action takes it first and reads afterwards what it decides on: two never wait for each other, and
    none decides on what another has changed meanwhile.
    """
    return JournalWriter(
        who.institution,
        Vocabulary(
            roles={known for purpose in programme.purposes for known in purpose.roles}
            | who.roles
            | {DATA_SUBJECT},
            purposes={purpose.name for purpose in programme.purposes},
        ),
    )


def mark_of(row: models.Record) -> str:
    """The pseudonym of the record's subject in the journal."""
    return keyholder().marks(row.institution_id, [wrapped_key(row.subject_id)])[0]


def wrapped_key(subject: UUID) -> Wrapped:
    """The subject's key as it lies in the database."""
    key = models.SubjectKey.objects.filter(subject_id=subject).order_by("-version").first()
    if key is None:
        raise Refused(Problem("server.said.unknown_record"))
    return Wrapped(subject, key.compartment, key.version, bytes(key.wrapped))


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
