"""Answer sheets become sealed records, one subject key each, one journal line each, and rows of facts."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow
import pyarrow.compute
import pyarrow.ipc
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from resguardo.collect.consent import consents_said
from resguardo.keep.facts import SegmentBroken
from resguardo.keep.journal import Act, Leaf, Outcome, Vocabulary
from resguardo.keep.keys import BlindToken, IndexField
from resguardo.keep.sealing import sealed_hash
from resguardo.plan.programme import Form, Programme, Purpose
from resguardo.values import Basis, Institution, Sealed, Sensitivity
from resguardo_keyholder.asked import SealedSheet, ToSeal, WantedToken
from resguardo_server import models
from resguardo_server.actions.keep.journal import JournalWriter, has_written
from resguardo_server.actions.keep.writing import insert_rows, update_rows
from resguardo_server.keyholders import keyholder

if TYPE_CHECKING:
    from resguardo.collect.submission import Answers, Submission

BATCH = 500
"""Rows of a table that are written at once."""

SEGMENT_ROWS = 50_000
"""Rows of facts in one sealed segment."""


def new_id() -> UUID:
    """A random id; nothing about its subject can be read from it."""
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4)


def hash_of(groups: Mapping[int, bytes]) -> str:
    """What the journal keeps of a write: the hash of the sealed groups, by their numbers."""
    return sealed_hash({level: Sealed(groups[level.group]) for level in Sensitivity if level.group in groups})


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


def last_day_kept(programme: Programme, form: Form, agreed: Collection[str], received: datetime) -> date:
    """The last day for which a purpose may keep a record of that form.

    The purposes that answer rights and claims keep alive only what no other purpose is for, such as the
    requests themselves. Where no purpose holds the record stays for the few days in which the person can
    still be asked.
    """
    covering = [purpose for purpose in programme.purposes if purpose.covers(form.name)]
    wanted = [purpose for purpose in covering if purpose.name not in KEEPING_NOTHING] or covering
    days = [
        purpose.retention_days
        for purpose in wanted
        if purpose.basis != Basis.CONSENT or purpose.name in agreed
    ]
    return (received + timedelta(days=max(days, default=settings.DAYS_WITHOUT_GROUND))).date()


KEEPING_NOTHING = ("rights", "legal_claim")
"""Purposes for which a record may be opened while it is kept, and for which it is not kept."""


@dataclass
class _Known:
    """A subject as this transaction sees it; its key is with the keyholder, wrapped."""

    row: models.Subject
    compartment: str
    wrapped: bytes = b""
    """Empty until the keyholder made the key of a new subject."""
    is_new: bool = False


@dataclass(frozen=True)
class _Ground:
    """Why and how long a sheet is kept."""

    reason: Purpose | None
    keep_until: date


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
        self.compartment = f"{self.institution.slug}/{self.programme.name}"
        self.keys = keyholder()
        version = self.keys.prepare(
            self.institution.id,
            self.compartment,
            may_be_new=not has_written(self.institution.id),
            now=self.now,
        )
        models.CompartmentKeyVersion.objects.get_or_create(
            institution_id=self.institution.id,
            number=version.number,
            defaults={"compartment": version.compartment, "made_on": version.made_at},
        )
        self.journal = JournalWriter(
            self.institution,
            Vocabulary(
                roles={role for purpose in self.programme.purposes for role in purpose.roles} | {self.role},
                purposes={purpose.name for purpose in self.programme.purposes},
            ),
        )
        self.pseudonym = self.keys.pseudonym(self.institution.id, self.who)
        self.request = new_id()
        self.subjects: dict[tuple[str, ...], _Known] = {}
        self.codes: list[tuple[UUID, BlindToken]] = []
        self.grounds: dict[frozenset[str], _Ground] = {}
        self.levels = sorted(
            {question.sensitivity for question in self.form.fields}, key=lambda level: level.group
        )
        self.segment: UUID = new_id()
        self.facts: list[dict[str, Any]] = []

    def arrivals(self, sheets: Sequence[bytes]) -> list[bytes]:
        """The tokens by which sheets that come again are known, given their canonical forms."""
        wanted = [WantedToken("arrival", octets=octets) for octets in sheets]
        return [found[0].token for found in self.keys.tokens(self.institution.id, wanted)]

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
        subjects = self._subjects([code for _, code, _, _ in batch])
        ids = [new_id() for _ in batch]
        sealed = self.keys.seal(
            self.institution.id,
            [
                self._to_seal(subject, record_id, sheet)
                for subject, record_id, (_, _, sheet, _) in zip(subjects, ids, batch, strict=True)
            ],
        )
        records, groups, arrivals, kept = [], [], [], []
        home, programme, form = self.institution.id, self.programme.name, self.form.name
        for subject, record_id, sealing, (token, _, sheet, facts) in zip(
            subjects, ids, sealed, batch, strict=True
        ):
            subject.wrapped = sealing.wrapped
            ground = self._ground(sheet.answers)
            records.append(
                (
                    record_id, home, subject.row.id, programme, form, sheet.version, self.now,
                    ground.keep_until, self.segment,
                )
            )  # fmt: skip
            groups += [(record_id, group, octets) for group, octets in sealing.groups.items()]
            arrivals.append((home, token, record_id))
            self._write_line(subject, record_id, ground.reason, sealing)
            self._add_facts(sealing, facts)
            kept.append((record_id, subject.row.id, sheet))
        touched = list({subject.row.id: subject for subject in subjects}.values())
        fresh = [known for known in touched if known.is_new]
        insert_rows(
            models.Subject,
            ("id", "institution_id", "programme", "kind", "entries", "last_entry"),
            (
                (row.id, home, row.programme, row.kind, row.entries, row.last_entry)
                for row in (known.row for known in fresh)
            ),
        )
        insert_rows(
            models.SubjectKey,
            ("subject_id", "version", "compartment", "wrapped"),
            ((known.row.id, 1, known.compartment, known.wrapped) for known in fresh),
        )
        insert_rows(
            models.BlindIndex,
            ("institution_id", "subject_id", "field", "key_version", "token"),
            ((home, subject, token.field, token.key_version, token.token) for subject, token in self.codes),
        )
        self.codes = []
        insert_rows(
            models.Record,
            (
                "id", "institution_id", "subject_id", "programme", "form", "form_version", "received_on",
                "keep_until", "segment_id",
            ),
            records,
        )  # fmt: skip
        insert_rows(models.SealedGroup, ("record_id", "group", "octets"), groups)
        insert_rows(models.Arrival, ("institution_id", "token", "record_id"), arrivals)
        update_rows(
            models.Subject,
            ("entries", "last_entry"),
            [
                (known.row.entries, known.row.last_entry, known.row.id)
                for known in touched
                if not known.is_new
            ],
        )
        for known in touched:
            known.is_new = False
        self.journal.flush()
        if len(self.facts) >= SEGMENT_ROWS:
            self._close_segment()
        return kept

    def count_again(self, sealing: SealedSheet, facts: Mapping[str, Any]) -> UUID:
        """A corrected record's facts count from now on; gives the segment they lie in."""
        self._add_facts(sealing, facts)
        segment = self.segment
        self._close_segment()
        return segment

    def finish(self) -> None:
        """The last facts are sealed and the journal is signed."""
        self._close_segment()
        self.journal.sign(self.now)

    # Inside

    def _subjects(self, codes: Sequence[tuple[str, ...]]) -> list[_Known]:
        """Every code has its subject: the one known under it, or a new one."""
        missing = list(dict.fromkeys(code for code in codes if code not in self.subjects))
        if missing:
            self._find(missing)
        return [self.subjects[code] for code in codes]

    def _find(self, codes: Sequence[tuple[str, ...]]) -> None:
        wanted = [
            WantedToken("subject_code", (self.programme.name, self.form.about, *code)) for code in codes
        ]
        found = self.keys.tokens(self.institution.id, wanted)
        rows = models.BlindIndex.objects.filter(
            institution_id=self.institution.id,
            field=IndexField.SUBJECT_CODE,
            token__in=[token.token for tokens in found for token in tokens],
        ).select_related("subject")
        known = {(row.key_version, bytes(row.token)): row.subject for row in rows}
        keys = {
            key.subject_id: key
            for key in models.SubjectKey.objects.filter(
                subject__in=[row.id for row in known.values()]
            ).order_by("version")
        }
        by_first_token: dict[bytes, _Known] = {}
        for code, tokens in zip(codes, found, strict=True):
            newest = tokens[0]
            row = next(
                (
                    known[token.key_version, token.token]
                    for token in tokens
                    if (token.key_version, token.token) in known
                ),
                None,
            )
            if row is not None:
                key = keys[row.id]
                subject = _Known(row, key.compartment, bytes(key.wrapped))
            elif newest.token in by_first_token:
                subject = by_first_token[newest.token]
            else:
                subject = self._new_subject(newest)
            by_first_token[newest.token] = self.subjects[code] = subject

    def _new_subject(self, token: BlindToken) -> _Known:
        row = models.Subject(
            id=new_id(),
            institution_id=self.institution.id,
            programme=self.programme.name,
            kind=self.form.about,
        )
        self.codes.append((row.id, token))
        return _Known(row, self.compartment, is_new=True)

    def _to_seal(self, subject: _Known, record: UUID, sheet: Submission) -> ToSeal:
        texts = {
            level.group: text
            for level in self.levels
            if (text := answers_text(self.form, sheet.answers, level))
        }
        return ToSeal(
            subject=subject.row.id,
            compartment=subject.compartment,
            key_version=subject.row.key_version,
            wrapped=subject.wrapped,
            kind=self.form.about,
            record=record,
            row_version=1,
            texts=texts,
        )

    def _ground(self, answers: Answers) -> _Ground:
        """Why and how long the sheet is kept, by the purposes that it agrees to itself."""
        agreed = frozenset(
            said.purpose
            for said in consents_said(self.form, answers, today=self.now.date())
            if said.given and said.withdrawn_on is None
        )
        if agreed not in self.grounds:
            keep_until = last_day_kept(self.programme, self.form, agreed, self.now)
            self.grounds[agreed] = _Ground(self._reason(agreed), keep_until)
        return self.grounds[agreed]

    def _reason(self, agreed: Collection[str]) -> Purpose | None:
        """The programme's first purpose for which the sheet may be kept: agreed to in it, or by the law."""
        for purpose in self.programme.purposes:
            if purpose.covers(self.form.name) and (purpose.basis != Basis.CONSENT or purpose.name in agreed):
                return purpose
        return None

    def _write_line(
        self, subject: _Known, record: UUID, reason: Purpose | None, sealing: SealedSheet
    ) -> None:
        write_line(
            self.journal,
            subject.row,
            sealing.mark,
            act=Act.CREATE,
            who=self.pseudonym,
            role=self.role,
            purpose=reason.name if reason else None,
            basis=reason.basis if reason else None,
            fields=tuple(sorted(sealing.groups)),
            record=record,
            content=hash_of(sealing.groups),
            policy=self.policy,
            request=self.request,
            outcome=Outcome.ALLOW,
            consent=None,
            now=self.now,
        )

    def _add_facts(self, sealing: SealedSheet, facts: Mapping[str, Any]) -> None:
        marks = {"record": sealing.record_mark, "unit": sealing.unit, "rkey": sealing.cell_key}
        self.facts.append({**facts, **marks})

    def _close_segment(self) -> None:
        if self.facts:
            store_segment(
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
) -> str:
    """One journal line about one subject, chained to the subject's line before it; gives its hash."""
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
    return chained


def _same_columns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that all have every column, tuples as lists: what Arrow reads one type per column from."""
    names = sorted({name for row in rows for name in row})
    return [
        {name: list(row[name]) if isinstance(row.get(name), tuple) else row.get(name) for name in names}
        for row in rows
    ]


def store_segment(
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
    octets = keyholder().seal_facts(
        institution, f"{programme}.{form}", segment, version, sink.getvalue().to_pybytes()
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


def read_segment(row: models.FactSegment) -> pyarrow.Table:
    """The facts of one segment, in memory: a row for each record that counts in it, or it is refused.

    An older segment put back, its number of version and all, so brings back nobody who was erased.
    """
    table = _opened_segment(row)
    if table.num_rows == row.records.count():
        return table
    # Another transaction may have changed both since `row` was read: one statement sees them together.
    now = models.FactSegment.objects.annotate(held=Count("records")).get(id=row.id)
    if now.version == row.version or _opened_segment(now).num_rows != now.held:
        raise SegmentBroken
    return table


def _opened_segment(row: models.FactSegment) -> pyarrow.Table:
    content = keyholder().open_facts(
        row.institution_id, f"{row.programme}.{row.form}", row.id, row.version, bytes(row.octets)
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


def remove_facts(record: models.Record) -> None:
    """The record counts no more: its row leaves its segment, which is sealed anew."""
    if record.segment_id is None:
        return
    segment = models.FactSegment.objects.select_for_update().get(id=record.segment_id)
    table = read_segment(segment)
    mark = keyholder().record_marks(record.institution_id, [record.id])[0]
    rest = table.filter(pyarrow.compute.not_equal(table["record"], mark))
    store_segment(
        segment.institution_id,
        segment.programme,
        segment.form,
        segment.id,
        segment.version + 1,
        rest,
        new=False,
    )
