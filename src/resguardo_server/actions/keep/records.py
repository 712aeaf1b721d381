"""Answer sheets become sealed records, one subject key each, one journal line each, and rows of facts."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow
import pyarrow.compute
import pyarrow.ipc
from django.db import connection, transaction
from django.db.models import Count

from resguardo.keep.facts import SegmentBroken, open_segment, seal_segment
from resguardo.keep.journal import Act, Leaf, Outcome, Vocabulary, subject_mark
from resguardo.keep.keys import KeyRing, SubjectKey, new_subject_key
from resguardo.keep.sealing import seal_group, sealed_hash
from resguardo.plan.programme import Form, Programme, Purpose
from resguardo.values import Basis, Institution, Sealed, Sensitivity
from resguardo_server import models
from resguardo_server.actions.keep.journal import JournalWriter, refuse_lost_keys
from resguardo_server.key_rings import ring_with_compartment

if TYPE_CHECKING:
    from resguardo.collect.submission import Answers, Submission

BATCH = 500
"""Rows of a table that are written at once."""

SEGMENT_ROWS = 50_000
"""Rows of facts in one sealed segment."""


def new_id() -> UUID:
    """A random id; nothing about its subject can be read from it."""
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4)


def fact_mark(ring: KeyRing, record: UUID) -> str:
    """By what a record's row of facts is found again; without the key ring it leads to no record."""
    return ring.unit_key("record", record).hex()


def answers_text(form: Form, answers: Answers, sensitivity: Sensitivity) -> bytes:
    """The answers at one level of sensitivity as JSON, repeats included; empty when there are none."""
    chosen = _at_level(form, answers, sensitivity)
    return json.dumps(chosen, ensure_ascii=False, default=_plain, sort_keys=True).encode() if chosen else b""


def _at_level(form: Form, answers: Answers, sensitivity: Sensitivity) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for name, value in answers.items():
        if value is None:
            continue
        if isinstance(value, tuple) and value and isinstance(value[0], Mapping):
            rows = [_at_level(form, row, sensitivity) for row in value]
            if any(rows):
                chosen[name] = rows
        elif form.has_field(name) and form.field(name).sensitivity is sensitivity:
            chosen[name] = value
    return chosen


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


@dataclass
class _Known:
    """A subject as this transaction sees it."""

    row: models.Subject
    key: SubjectKey
    mark: str
    is_new: bool = False


@dataclass
class Keeping:
    """Keeps the sheets of one form for one institution, inside the transaction that opened it."""

    institution: Institution
    programme: Programme
    form: Form
    who: str
    role: str
    policy: str
    now: datetime

    def __post_init__(self) -> None:
        refuse_lost_keys(self.institution)
        self.compartment = f"{self.institution.slug}/{self.programme.name}"
        self.ring: KeyRing = ring_with_compartment(self.institution.id, self.compartment, self.now)
        self.journal = JournalWriter(
            self.institution,
            Vocabulary(
                roles={role for purpose in self.programme.purposes for role in purpose.roles} | {self.role},
                purposes={purpose.name for purpose in self.programme.purposes},
            ),
        )
        self.pseudonym = self.ring.staff_pseudonym(self.who)
        self.request = new_id()
        days = max((purpose.retention_days for purpose in self.programme.purposes), default=0)
        self.keep_until = (self.now + timedelta(days=days)).date()
        self.subjects: dict[bytes, _Known] = {}
        self.levels = sorted(
            {question.sensitivity for question in self.form.fields}, key=lambda level: level.group
        )
        self.segment: UUID = new_id()
        self.facts: list[dict[str, Any]] = []

    def known_arrivals(self, tokens: Sequence[bytes]) -> set[bytes]:
        """Those tokens whose sheets arrived before, also when their subject was erased since."""
        found = models.Arrival.objects.filter(institution_id=self.institution.id, token__in=list(tokens))
        return {bytes(token) for token in found.values_list("token", flat=True)}

    def keep(
        self, sheets: Iterable[tuple[bytes, tuple[str, ...], Submission, Mapping[str, Any]]]
    ) -> list[tuple[UUID, UUID, Submission]]:
        """A batch of sheets is kept: arrival token, subject code, sheet and facts of each.

        Gives record, subject and sheet of each, so that its consents can be recorded beside it.
        """
        batch = list(sheets)
        codes = [self._code_token(code) for _, code, _, _ in batch]
        wrapped, tokens = self._find_subjects(
            dict(zip(codes, (code for _, code, _, _ in batch), strict=True))
        )
        records, groups, arrivals, kept = [], [], [], []
        for code_token, (token, _, sheet, facts) in zip(codes, batch, strict=True):
            subject = self.subjects[code_token]
            record_id = new_id()
            sealed = self._seal(subject, record_id, sheet)
            records.append(
                models.Record(
                    id=record_id,
                    institution_id=self.institution.id,
                    subject=subject.row,
                    programme=self.programme.name,
                    form=self.form.name,
                    form_version=sheet.version,
                    received_on=self.now,
                    keep_until=self.keep_until,
                    segment_id=self.segment,
                )
            )
            groups += [
                models.SealedGroup(record_id=record_id, group=level.group, octets=octets.octets)
                for level, octets in sealed.items()
            ]
            arrivals.append(
                models.Arrival(institution_id=self.institution.id, token=token, record_id=record_id)
            )
            self._write_line(subject, record_id, sheet.answers, sealed)
            self._add_facts(record_id, subject.row.id, facts)
            kept.append((record_id, subject.row.id, sheet))
        touched = [self.subjects[token] for token in dict.fromkeys(codes)]
        models.Subject.objects.bulk_create((known.row for known in touched if known.is_new), batch_size=BATCH)
        models.SubjectKey.objects.bulk_create(wrapped, batch_size=BATCH)
        models.BlindIndex.objects.bulk_create(tokens, batch_size=BATCH)
        models.Record.objects.bulk_create(records, batch_size=BATCH)
        models.SealedGroup.objects.bulk_create(groups, batch_size=BATCH)
        models.Arrival.objects.bulk_create(arrivals, batch_size=BATCH)
        models.Subject.objects.bulk_update(
            [known.row for known in touched if not known.is_new], ["entries", "last_entry"], batch_size=BATCH
        )
        for known in touched:
            known.is_new = False
        self.journal.flush()
        if len(self.facts) >= SEGMENT_ROWS:
            self._close_segment()
        return kept

    def count_again(self, record: UUID, subject: UUID, facts: Mapping[str, Any]) -> UUID:
        """A corrected record's facts count from now on; gives the segment they lie in."""
        self._add_facts(record, subject, facts)
        segment = self.segment
        self._close_segment()
        return segment

    def finish(self) -> None:
        """The last facts are sealed and the journal is signed."""
        self._close_segment()
        self.journal.sign(self.now)

    # Inside

    def _code_token(self, code: tuple[str, ...]) -> bytes:
        return self.ring.subject_code_token(self.programme.name, self.form.about, *code).token

    def _find_subjects(
        self, wanted: Mapping[bytes, tuple[str, ...]]
    ) -> tuple[list[models.SubjectKey], list[models.BlindIndex]]:
        """Every code of the batch has its subject: the one known under it, or a new one with a new key.

        Gives the wrapped keys and the tokens of the new ones; they are written when the subjects are.
        """
        missing = [token for token in wanted if token not in self.subjects]
        if not missing:
            return [], []
        rows = models.BlindIndex.objects.filter(
            institution_id=self.institution.id,
            field=self.ring.subject_code_token(self.programme.name, self.form.about, "").field,
            token__in=missing,
        ).select_related("subject")
        found = {bytes(row.token): row.subject for row in rows}
        keys = {
            key.subject_id: key
            for key in models.SubjectKey.objects.filter(subject__in=[row.id for row in found.values()])
        }
        for token, row in found.items():
            key = self.ring.unwrap_subject_key(
                bytes(keys[row.id].wrapped),
                compartment=keys[row.id].compartment,
                subject=row.id,
                key_version=keys[row.id].version,
            )
            self.subjects[token] = _Known(row, key, subject_mark(key))
        wrapped, tokens = [], []
        for token in missing:
            if token in found:
                continue
            row = models.Subject(
                id=new_id(),
                institution_id=self.institution.id,
                programme=self.programme.name,
                kind=self.form.about,
            )
            key = new_subject_key(secrets.token_bytes)
            wrapped.append(
                models.SubjectKey(
                    subject=row,
                    version=1,
                    compartment=self.compartment,
                    wrapped=self.ring.wrap_subject_key(
                        key,
                        compartment=self.compartment,
                        subject=row.id,
                        key_version=1,
                        nonce=secrets.token_bytes(12),
                    ),
                )
            )
            blind = self.ring.subject_code_token(self.programme.name, self.form.about, *wanted[token])
            tokens.append(
                models.BlindIndex(
                    institution_id=self.institution.id,
                    subject=row,
                    field=blind.field,
                    key_version=blind.key_version,
                    token=blind.token,
                )
            )
            self.subjects[token] = _Known(row, key, subject_mark(key), is_new=True)
        return wrapped, tokens

    def _seal(self, subject: _Known, record: UUID, sheet: Submission) -> dict[Sensitivity, Sealed]:
        sealed = {}
        for level in self.levels:
            text = answers_text(self.form, sheet.answers, level)
            if text:
                sealed[level] = seal_group(
                    subject.key,
                    institution=self.institution.id,
                    subject=subject.row.id,
                    record=record,
                    group=level,
                    row_version=1,
                    key_version=subject.row.key_version,
                    text=text,
                    nonce=secrets.token_bytes(12),
                )
        return sealed

    def _reason(self, answers: Answers) -> Purpose | None:
        """The programme's first purpose for which the sheet may be kept: agreed to in it, or by the law."""
        allowed = {
            purpose
            for question in self.form.consents
            if answers.get(question.field) == question.yes
            for purpose in question.purposes
        }
        for purpose in self.programme.purposes:
            if purpose.basis is not Basis.CONSENT or purpose.name in allowed:
                return purpose
        return None

    def _write_line(
        self, subject: _Known, record: UUID, answers: Answers, sealed: Mapping[Sensitivity, Sealed]
    ) -> None:
        reason = self._reason(answers)
        write_line(
            self.journal,
            subject.row,
            subject.mark,
            act=Act.CREATE,
            who=self.pseudonym,
            role=self.role,
            purpose=reason.name if reason else None,
            basis=reason.basis if reason else None,
            fields=tuple(level.group for level in sealed),
            record=record,
            content=sealed_hash(sealed),
            policy=self.policy,
            request=self.request,
            outcome=Outcome.ALLOW,
            consent=None,
            now=self.now,
        )

    def _add_facts(self, record: UUID, subject: UUID, facts: Mapping[str, Any]) -> None:
        unit = self.ring.unit_key(self.form.about, subject)
        self.facts.append(
            {
                **facts,
                "record": fact_mark(self.ring, record),
                "unit": unit.hex(),
                "rkey": self.ring.cell_key(self.form.about, unit),
            }
        )

    def _close_segment(self) -> None:
        if self.facts:
            store_segment(
                self.ring,
                self.institution.id,
                self.programme.name,
                self.form.name,
                self.segment,
                1,
                pyarrow.Table.from_pylist(_same_columns(self.facts)),
                new=True,
            )
        self.segment, self.facts = new_id(), []


def write_line(
    journal: JournalWriter,
    subject: models.Subject,
    mark: str,
    *,
    act: Act,
    who: str,
    role: str,
    purpose: str | None,
    basis: Basis | None,
    consent: str | None,
    fields: tuple[int, ...],
    record: UUID,
    content: str | None,
    policy: str,
    request: UUID,
    outcome: Outcome,
    now: datetime,
) -> None:
    """One journal line about one subject, chained to the subject's line before it."""
    last = bytes(subject.last_entry)
    chained = journal.write(
        Leaf(
            t=now.astimezone(UTC),
            inst=journal.institution.id,
            act=act,
            who=who,
            role=role,
            purpose=purpose,
            basis=basis,
            consent=consent,
            fields=fields,
            subj=mark,
            sn=subject.entries + 1,
            sp=last.hex() if last else None,
            obj=record,
            h=content,
            dec=outcome,
            pol=policy,
            req=request,
        )
    )
    subject.entries += 1
    subject.last_entry = bytes.fromhex(chained)


def _same_columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that all have every column, tuples as lists: what Arrow reads one type per column from."""
    names = sorted({name for row in rows for name in row})
    return [
        {name: list(row[name]) if isinstance(row.get(name), tuple) else row.get(name) for name in names}
        for row in rows
    ]


def store_segment(
    ring: KeyRing,
    institution: UUID,
    programme: str,
    form: str,
    segment: UUID,
    version: int,
    table: pyarrow.Table,
    *,
    new: bool,
) -> None:
    """The facts lie sealed in the table, compressed before they are sealed."""
    sink = pyarrow.BufferOutputStream()
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    octets = seal_segment(
        ring.statistics_key,
        institution=institution,
        form=f"{programme}.{form}",
        segment=segment,
        version=version,
        content=sink.getvalue().to_pybytes(),
        nonce=secrets.token_bytes(12),
    )
    if new:
        models.FactSegment.objects.create(
            id=segment,
            institution_id=institution,
            programme=programme,
            form=form,
            version=version,
            rows=table.num_rows,
            octets=octets,
        )
    else:
        models.FactSegment.objects.filter(id=segment).update(
            version=version, rows=table.num_rows, octets=octets
        )


def read_segment(ring: KeyRing, row: models.FactSegment) -> pyarrow.Table:
    """The facts of one segment, in memory: a row for each record that counts in it, or it is refused.

    An older segment put back, its number of version and all, so brings back nobody who was erased.
    """
    table = _opened_segment(ring, row)
    if table.num_rows == row.records.count():
        return table
    # Another transaction may have changed both since `row` was read: one statement sees them together.
    now = models.FactSegment.objects.annotate(held=Count("records")).get(id=row.id)
    if now.version == row.version or _opened_segment(ring, now).num_rows != now.held:
        raise SegmentBroken
    return table


def _opened_segment(ring: KeyRing, row: models.FactSegment) -> pyarrow.Table:
    content = open_segment(
        ring.statistics_key_of,
        bytes(row.octets),
        institution=row.institution_id,
        form=f"{row.programme}.{row.form}",
        segment=row.id,
        version=row.version,
    )
    return pyarrow.ipc.open_stream(content).read_all()


def forget_on_disk() -> None:
    """Once this transaction is kept, what it deleted lies in no page of SQLite's file or of its log.

    The file overwrites what is deleted (`secure_delete`); the log of old pages is emptied into it. PostgreSQL
    overwrites deleted rows when it vacuums.
    """
    if connection.vendor == "sqlite":
        transaction.on_commit(_empty_log)


def _empty_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.fetchall()


def remove_facts(ring: KeyRing, record: models.Record) -> None:
    """The record counts no more: its row leaves its segment, which is sealed anew."""
    if record.segment_id is None:
        return
    segment = models.FactSegment.objects.select_for_update().get(id=record.segment_id)
    table = read_segment(ring, segment)
    rest = table.filter(pyarrow.compute.not_equal(table["record"], fact_mark(ring, record.id)))
    store_segment(
        ring,
        segment.institution_id,
        segment.programme,
        segment.form,
        segment.id,
        segment.version + 1,
        rest,
        new=False,
    )
