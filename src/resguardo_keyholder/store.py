"""The few tables that the keyholder reads and writes itself, by plain SQL on a connection of its own.

It trusts no question about who somebody is, what was agreed or what was done before: it looks. The tables are
made by the service's migrations; a test of the house compares every column named here with them.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from resguardo.keep.keys import BlindToken

Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True)
class SubjectRow:
    """A subject as it stands."""

    id: UUID
    institution: UUID
    programme: str
    kind: str
    restricted: bool
    erased: bool
    entries: int
    last_entry: bytes
    compartment: str
    key_version: int
    wrapped: bytes
    forms: Mapping[str, date]
    """The forms of the records that are to be opened, each with the day of its oldest record."""


@dataclass(frozen=True)
class ConsentRow:
    """A yes or a no on file."""

    number: int
    purpose: str
    receiver: str
    given: bool
    said_on: date
    language: str
    by: str
    assent: bool | None
    until: date | None
    withdrawn_on: date | None


@dataclass(frozen=True)
class ReceiptRow:
    """A receipt and how often its question was answered wrongly."""

    id: UUID
    institution: UUID
    subject: UUID
    wrong_answers: int
    locked_until: datetime | None
    revoked: bool
    erased: bool


class Store(Protocol):
    """Where the tables are."""

    def transaction(self) -> AbstractContextManager[Tables]:
        """All or nothing; what was written is on disk when it ends."""
        ...

    def looking(self) -> AbstractContextManager[Tables]:
        """To read alone: waits for nobody who writes."""
        ...


class Tables:
    """The tables inside one transaction."""

    def __init__(self, execute: Callable[[str, Sequence[Any]], Any], dialect: Dialect) -> None:
        self._execute = execute
        self._dialect = dialect

    # Reading

    def institution_slug(self, institution: UUID) -> str | None:
        """The short name of the institution."""
        row = self._one("SELECT slug FROM resguardo_server_institution WHERE id = %s", institution)
        return None if row is None else str(row[0])

    def institution(self, slug: str) -> tuple[str, str] | None:
        """The kind and country of the institution with that short name."""
        row = self._one("SELECT kind, country FROM resguardo_server_institution WHERE slug = %s", slug)
        return None if row is None else (str(row[0]), str(row[1]))

    def programme_folder(self, name: str) -> str | None:
        """Where a programme that was brought lies."""
        row = self._one("SELECT folder FROM resguardo_server_programmefolder WHERE name = %s", name)
        return None if row is None else str(row[0])

    def roles(self, member: str, institution: UUID) -> frozenset[str]:
        """The roles in which the member may act for the institution today."""
        rows = self._all(
            "SELECT m.role FROM resguardo_server_membership m"
            " JOIN resguardo_server_member p ON p.id = m.member_id"
            " WHERE p.email = %s AND p.is_active AND m.institution_id = %s AND m.suspended_on IS NULL",
            member,
            institution,
        )
        return frozenset(str(row[0]) for row in rows)

    def subject(self, subject: UUID, forms: Sequence[str] = ()) -> SubjectRow | None:
        """The subject with the newest version of its key; None when it has none, or was erased."""
        row = self._one(
            "SELECT s.institution_id, s.programme, s.kind, s.restricted, s.erased_on, s.entries,"
            " s.last_entry, k.compartment, k.version, k.wrapped FROM resguardo_server_subject s"
            " JOIN resguardo_server_subjectkey k ON k.subject_id = s.id WHERE s.id = %s"
            " ORDER BY k.version DESC LIMIT 1",
            subject,
        )
        if row is None:
            return None
        records = self._all(
            "SELECT form, min(received_on) FROM resguardo_server_record WHERE subject_id = %s GROUP BY form",
            subject,
        )
        wanted = [found for found in records if not forms or found[0] in forms]
        return SubjectRow(
            id=subject,
            institution=_uuid(row[0]),
            programme=str(row[1]),
            kind=str(row[2]),
            restricted=bool(row[3]),
            erased=row[4] is not None,
            entries=int(row[5]),
            last_entry=bytes(row[6]),
            compartment=str(row[7]),
            key_version=int(row[8]),
            wrapped=bytes(row[9]),
            forms={str(found[0]): _moment(found[1]).date() for found in wanted},
        )

    def consents(self, subject: UUID) -> list[ConsentRow]:
        """What the subject agreed to and refused, in the order in which it was said."""
        rows = self._all(
            'SELECT id, purpose, receiver, given, said_on, language, "by", assent, until, withdrawn_on'
            " FROM resguardo_server_consentgiven WHERE subject_id = %s ORDER BY said_on, id",
            subject,
        )
        return [
            ConsentRow(
                number=int(row[0]),
                purpose=str(row[1]),
                receiver=str(row[2]),
                given=bool(row[3]),
                said_on=_day(row[4]) or date.min,
                language=str(row[5]),
                by=str(row[6]),
                assent=None if row[7] is None else bool(row[7]),
                until=_day(row[8]),
                withdrawn_on=_day(row[9]),
            )
            for row in rows
        ]

    def objections(self, subject: UUID) -> frozenset[str]:
        """The purposes to which the subject objects."""
        rows = self._all("SELECT purpose FROM resguardo_server_objection WHERE subject_id = %s", subject)
        return frozenset(str(row[0]) for row in rows)

    def is_held(self, subject: UUID, day: date) -> bool:
        """Whether an order keeps the subject's records from being erased on that day."""
        row = self._one(
            "SELECT 1 FROM resguardo_server_legalhold WHERE subject_id = %s AND lifted_on IS NULL"
            " AND (until IS NULL OR until >= %s) LIMIT 1",
            subject,
            day.isoformat(),
        )
        return row is not None

    def receipt(self, code_token: bytes) -> ReceiptRow | None:
        """The receipt under that token, held: wrong answers are counted in it, one after the other."""
        lock = " FOR UPDATE OF r" if self._dialect == "postgresql" else ""
        row = self._one(
            "SELECT r.id, r.institution_id, r.subject_id, r.wrong_answers, r.locked_until, r.revoked_on,"  # noqa: S608
            " s.erased_on FROM resguardo_server_receipt r"
            f" JOIN resguardo_server_subject s ON s.id = r.subject_id WHERE r.code_token = %s{lock}",
            code_token,
        )
        if row is None:
            return None
        return ReceiptRow(
            id=_uuid(row[0]),
            institution=_uuid(row[1]),
            subject=_uuid(row[2]),
            wrong_answers=int(row[3]),
            locked_until=None if row[4] is None else _moment(row[4]),
            revoked=row[5] is not None,
            erased=row[6] is not None,
        )

    def receipt_stands(self, receipt: UUID, subject: UUID) -> bool:
        """Whether the receipt is the subject's and nobody revoked it."""
        row = self._one(
            "SELECT 1 FROM resguardo_server_receipt WHERE id = %s AND subject_id = %s AND revoked_on IS NULL",
            receipt,
            subject,
        )
        return row is not None

    def has_record(self, subject: UUID, record: UUID) -> bool:
        """Whether the record is one of the subject's."""
        row = self._one(
            "SELECT 1 FROM resguardo_server_record WHERE id = %s AND subject_id = %s", record, subject
        )
        return row is not None

    def has_question(self, subject: UUID, question: str) -> bool:
        """Whether the subject ever answered the question."""
        row = self._one(
            "SELECT 1 FROM resguardo_server_recognisedanswer WHERE subject_id = %s AND question = %s LIMIT 1",
            subject,
            question,
        )
        return row is not None

    def has_answer(self, subject: UUID, question: str, token: bytes) -> bool:
        """Whether one of the subject's records says so."""
        row = self._one(
            "SELECT 1 FROM resguardo_server_recognisedanswer"
            " WHERE subject_id = %s AND question = %s AND token = %s LIMIT 1",
            subject,
            question,
            token,
        )
        return row is not None

    def subjects_with(self, institution: UUID, programme: str, tokens: Sequence[BlindToken]) -> list[UUID]:
        """The subjects of a programme that have one of the tokens."""
        found: dict[UUID, None] = {}
        for token in tokens:
            rows = self._all(
                "SELECT DISTINCT b.subject_id FROM resguardo_server_blindindex b"
                " JOIN resguardo_server_subject s ON s.id = b.subject_id"
                " WHERE b.institution_id = %s AND s.programme = %s AND b.field = %s AND b.key_version = %s"
                " AND b.token = %s LIMIT 5000",
                institution,
                programme,
                int(token.field),
                token.key_version,
                token.token,
            )
            found.update(dict.fromkeys(_uuid(row[0]) for row in rows))
        return list(found)

    def is_wrapped_by(self, institution: UUID, number: int) -> bool:
        """Whether a subject's key in the database still needs that compartment key."""
        head = b"\x01\x01" + number.to_bytes(4, "big")
        row = self._one(
            "SELECT 1 FROM resguardo_server_subjectkey k"
            " JOIN resguardo_server_subject s ON s.id = k.subject_id"
            " WHERE s.institution_id = %s AND substr(k.wrapped, 1, 6) = %s LIMIT 1",
            institution,
            head,
        )
        return row is not None

    # The journal

    def hold_journal(self, institution: UUID) -> tuple[int, bytes]:
        """The journal's size and frontier; nobody else writes in it until this transaction ends."""
        if self._dialect == "postgresql":
            self._execute(
                "INSERT INTO resguardo_server_journalhead (institution_id, size, frontier)"
                " VALUES (%s, 0, %s) ON CONFLICT DO NOTHING",
                (institution, b""),
            )
        lock = " FOR UPDATE" if self._dialect == "postgresql" else ""
        row = self._one(
            f"SELECT size, frontier FROM resguardo_server_journalhead WHERE institution_id = %s{lock}",  # noqa: S608
            institution,
        )
        if row is None:
            self._run(
                "INSERT INTO resguardo_server_journalhead (institution_id, size, frontier)"
                " VALUES (%s, 0, %s)",
                institution,
                b"",
            )
            return 0, b""
        return int(row[0]), bytes(row[1])

    def has_written(self, institution: UUID) -> bool:
        """Whether the institution's journal has a line."""
        row = self._one(
            "SELECT size FROM resguardo_server_journalhead WHERE institution_id = %s", institution
        )
        return row is not None and int(row[0]) > 0

    def leaves(self, institution: UUID, start: int) -> Iterator[tuple[int, bytes]]:
        """The journal's lines from a position on."""
        rows = self._all(
            "SELECT position, leaf FROM resguardo_server_journalentry"
            " WHERE institution_id = %s AND position >= %s ORDER BY position",
            institution,
            start,
        )
        for row in rows:
            yield int(row[0]), bytes(row[1])

    def write_line(
        self, institution: UUID, position: int, leaf: bytes, leaf_hash: bytes, frontier: bytes
    ) -> None:
        """One more line, and the head that it makes."""
        self._run(
            "INSERT INTO resguardo_server_journalentry (institution_id, position, leaf, leaf_hash)"
            " VALUES (%s, %s, %s, %s)",
            institution,
            position,
            leaf,
            leaf_hash,
        )
        self._run(
            "UPDATE resguardo_server_journalhead SET size = %s, frontier = %s WHERE institution_id = %s",
            position + 1,
            frontier,
            institution,
        )

    def chain(self, subject: UUID, entries: int, last_entry: bytes) -> None:
        """The subject's newest line is known, so that the next is chained to it."""
        self._run(
            "UPDATE resguardo_server_subject SET entries = %s, last_entry = %s WHERE id = %s",
            entries,
            last_entry,
            subject,
        )

    def checkpoint_size(self, institution: UUID) -> int:
        """How much of the journal was signed."""
        row = self._one(
            "SELECT max(size) FROM resguardo_server_journalcheckpoint WHERE institution_id = %s", institution
        )
        return int(row[0] or 0) if row else 0

    def write_checkpoint(self, institution: UUID, size: int, text: str, now: datetime) -> None:
        """A signed head."""
        self._run(
            "INSERT INTO resguardo_server_journalcheckpoint (institution_id, size, text, made_on)"
            " VALUES (%s, %s, %s, %s)",
            institution,
            size,
            text,
            self._now(now),
        )

    # What the officer must see

    def raise_alarm(
        self, institution: UUID, kind: str, who: str, numbers: dict[str, int], now: datetime
    ) -> None:
        """The data protection officer finds it on her desk; the same alarm stands once an hour."""
        recent = self._one(
            "SELECT max(raised_at) FROM resguardo_server_alarm"
            " WHERE institution_id = %s AND kind = %s AND who = %s",
            institution,
            kind,
            who,
        )
        if recent is not None and recent[0] is not None and (now - _moment(recent[0])).total_seconds() < 3600:
            return
        self._run(
            "INSERT INTO resguardo_server_alarm (institution_id, kind, who, numbers, raised_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            institution,
            kind,
            who,
            self._json(numbers),
            self._now(now),
        )

    def count_answer(self, receipt: UUID, wrong_answers: int, locked_until: datetime | None) -> None:
        """How often the receipt's question was answered wrongly in a row."""
        self._run(
            "UPDATE resguardo_server_receipt SET wrong_answers = %s, locked_until = %s WHERE id = %s",
            wrong_answers,
            None if locked_until is None else self._now(locked_until),
            receipt,
        )

    # Inside

    def _now(self, now: datetime) -> Any:
        moment = now.astimezone(UTC)
        return moment if self._dialect == "postgresql" else str(moment.replace(tzinfo=None))

    def _json(self, value: dict[str, int]) -> Any:
        if self._dialect == "sqlite":
            return json.dumps(value)
        from psycopg.types.json import Jsonb

        return Jsonb(value)

    def _run(self, sql: str, *values: Any) -> None:
        self._execute(sql, tuple(self._bound(value) for value in values))

    def _one(self, sql: str, *values: Any) -> Any:
        return self._execute(sql, tuple(self._bound(value) for value in values)).fetchone()

    def _all(self, sql: str, *values: Any) -> list[Any]:
        found = self._execute(sql, tuple(self._bound(value) for value in values)).fetchall()
        return list(found)

    def _bound(self, value: Any) -> Any:
        return value.hex if isinstance(value, UUID) and self._dialect == "sqlite" else value


class SqliteStore:
    """The tables in a SQLite file, as `resguardo_server.databases` sets it: what is acknowledged is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """One connection for one transaction, which holds the file's only writing place."""
        with self._begun("BEGIN IMMEDIATE") as tables:
            yield tables

    @contextmanager
    def looking(self) -> Iterator[Tables]:
        """The tables as they are now, for whoever only reads."""
        with self._begun("BEGIN") as tables:
            yield tables

    @contextmanager
    def _begun(self, how: str) -> Iterator[Tables]:
        try:
            import pysqlite3 as sqlite3
        except ImportError:
            import sqlite3
        line = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        try:
            for word in SQLITE_WORDS:
                line.execute(word)
            line.execute(how)
            try:
                yield Tables(lambda sql, values: line.execute(sql.replace("%s", "?"), values), "sqlite")
            except BaseException:
                line.execute("ROLLBACK")
                raise
            line.execute("COMMIT")
        finally:
            line.close()


SQLITE_WORDS: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA secure_delete=ON",
)


class PostgresqlStore:
    """The tables in PostgreSQL, on a connection of the keyholder's own account."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._idle: deque[Any] = deque(maxlen=MOST_IDLE)

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        """One transaction; the connection is kept for the next, and two threads never share one."""
        import psycopg

        try:
            line = self._idle.pop()
        except IndexError:
            line = psycopg.connect(self._address, autocommit=False)
        try:
            yield Tables(lambda sql, values: line.execute(sql, values), "postgresql")
            line.commit()
        except BaseException:
            if not line.closed:
                line.rollback()
            raise
        finally:
            if line.closed or len(self._idle) >= MOST_IDLE:
                line.close()
            else:
                self._idle.append(line)

    def looking(self) -> AbstractContextManager[Tables]:
        """Who reads waits for nobody here."""
        return self.transaction()

    def close(self) -> None:
        """The connections that wait are closed."""
        while self._idle:
            self._idle.pop().close()


MOST_IDLE: Final = 8
"""Connections to PostgreSQL that are kept for the next transaction."""


def store_of(database: str) -> Store:
    """The store at a PostgreSQL address, or in the SQLite file of that name."""
    if database.startswith(("postgres://", "postgresql://")) or "dbname=" in database:
        return PostgresqlStore(database)
    return SqliteStore(Path(database))


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: Any) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    return date.fromisoformat(str(value)[:10])
