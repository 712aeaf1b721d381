"""What protection costs a durable insert: 1 KB plain, with an audit row, and sealed with all it needs.

    python benchmarks/insert_protected_and_plain.py [--rounds 9] [--databases sqlite …] [--json FILE]

Every transaction is on disk when it ends (SQLite with a write-ahead log and `synchronous=FULL`, PostgreSQL
with `fsync` on). Each way has one connection without Django and sends its statements together (a pipeline):

- *plain*: one row with the answers as text, and its two indexes;
- *audited*: that, and a row that says who wrote it;
- *rows*: every row of *protected*, sealed and written down beforehand: what rows and indexes cost;
- *protected*: a new person, her wrapped key, the record, four sealed groups, the arrival token, three blind
  tokens, the journal's line and its tree's frontier, in the service's own tables; the keyholder's
  process makes tokens, key and seals in two questions;
- *received*: the whole of `receive` for an enrolment, with Django, look-ups, consents, search terms, facts
  and the signature after it: thirty rows, so not the same as the others.

Ways take turns within a round; ratios are of one round, and their median is told. *questions* are the two
questions to the keyholder alone, *ciphers* the same answers made in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from import_and_seal import write_file
from installation import DATABASES, NOW, installation, machine, on_each

WAYS = ("plain", "audited", "rows", "protected", "received")
GROUPS = {1: 160, 2: 160, 3: 340, 4: 364}
"""Bytes of answers in each group: a kilobyte."""

Statement = tuple[str, list[Any]]


class Line:
    """A connection without Django, as the service sets it."""

    def __init__(self, var: Path) -> None:
        self._line: Any
        self.postgresql = bool(os.environ.get("DATABASE_URL"))
        if self.postgresql:
            import psycopg

            self._line = psycopg.connect(os.environ["DATABASE_URL"], prepare_threshold=2)
        else:
            import sqlite3

            self._line = sqlite3.connect(var / "resguardo.sqlite3", timeout=20, isolation_level=None)
            for word in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "temp_store=MEMORY"):
                self._line.execute(f"PRAGMA {word}")

    def hold(self, institution: UUID) -> tuple[int, bytes]:
        """A transaction is begun and the journal's head is held."""
        sql = "SELECT size, frontier FROM resguardo_server_journalhead WHERE institution_id = %s"
        if self.postgresql:
            row = self._line.execute(sql + " FOR UPDATE", (institution,)).fetchone()
        else:
            self._line.execute("BEGIN IMMEDIATE")
            row = self._line.execute(sql.replace("%s", "?"), (institution.hex,)).fetchone()
        return int(row[0]), bytes(row[1])

    def write(self, statements: Iterable[Statement], *, begun: bool = False) -> None:
        """The statements and the end of the transaction, sent together."""
        if self.postgresql:
            with self._line.pipeline():
                for sql, values in statements:
                    self._line.execute(sql, values)
                self._line.commit()
            return
        if not begun:
            self._line.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            self._line.execute(sql.replace("%s", "?"), [_stored(value) for value in values])
        self._line.execute("COMMIT")


def _stored(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=None))
    return value.isoformat() if isinstance(value, date) else value


def inserts(model: Any, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Statement:
    """One statement for the rows; fields that are not named have their defaults."""
    fields = [
        field for field in model._meta.concrete_fields if not (field.primary_key and field.name == "id")
    ]
    fields += [field for field in model._meta.concrete_fields if field.attname in names and field.primary_key]
    rest = {field.attname: field.get_default() for field in fields if field.attname not in names}
    columns = [*names, *rest]
    one = "(" + ", ".join(["%s"] * len(columns)) + ")"
    listed = ", ".join(f'"{column}"' for column in columns)
    sql = f'INSERT INTO "{model._meta.db_table}" ({listed}) VALUES ' + ", ".join([one] * len(rows))
    return sql, [value for row in rows for value in (*row, *rest.values())]


@dataclass
class Sheet:
    """What the keyholder is asked for one new person and her record."""

    subject: UUID
    record: UUID
    texts: dict[int, bytes]


def new_sheets(number: int) -> list[Sheet]:
    return [
        Sheet(
            uuid4(), uuid4(), {group: secrets.token_hex(size // 2).encode() for group, size in GROUPS.items()}
        )
        for _ in range(number)
    ]


class Protected:
    """Our rows, as SQL."""

    def __init__(self, institution: Any, keys: Any) -> None:
        self.institution, self.keys = institution, keys
        self.compartment = f"{institution.slug}/training"

    def asked(self, sheets: Sequence[Sheet]) -> tuple[list[Any], list[Any]]:
        """The keyholder's answers: tokens and seals."""
        from resguardo_keyholder.asked import ToSeal, WantedToken

        wanted = []
        for sheet in sheets:
            code = sheet.subject.hex
            wanted += [
                WantedToken("arrival", octets=b"".join(sheet.texts.values())),
                WantedToken("subject_code", ("training", "person", code)),
                WantedToken("document", ("GT", "DPI", code)),
                WantedToken("phone", (code[:8],)),
            ]
        tokens = self.keys.tokens(self.institution.id, wanted)
        sealed = self.keys.seal(
            self.institution.id,
            [ToSeal(s.subject, self.compartment, 1, b"", "person", s.record, 1, s.texts) for s in sheets],
        )
        return [found[0] for found in tokens], sealed

    def statements(
        self, sheets: Sequence[Sheet], answers: tuple[list[Any], list[Any]], size: int, octets: bytes
    ) -> list[Statement]:
        """Every row of the sheets, chained to a journal of that size."""
        from resguardo.allow.decision import POLICY
        from resguardo.keep.journal import Act, Leaf, Outcome, chain_hash, entry_bytes
        from resguardo.keep.tree import Frontier, leaf_hash
        from resguardo_server import models
        from resguardo_server.actions.keep.records import hash_of

        home, (tokens, sealed) = self.institution.id, answers
        frontier = Frontier.read(octets) if size else Frontier()
        subjects, keys, records, groups, arrivals, blind, journal, hashes = ([] for _ in range(8))
        for number, (sheet, seal) in enumerate(zip(sheets, sealed, strict=True)):
            entry = entry_bytes(
                Leaf(
                    t=NOW, inst=home, act=Act.CREATE, who="0" * 32, role="operator", purpose=None, basis=None,
                    fields=tuple(sorted(seal.groups)), subj=seal.mark, sn=1, obj=sheet.record,
                    h=hash_of(seal.groups), dec=Outcome.ALLOW, pol=POLICY, req=sheet.record,
                )
            )  # fmt: skip
            hashes.append(leaf_hash(entry))
            arrival, *rest = tokens[4 * number : 4 * number + 4]
            subjects.append((sheet.subject, home, "training", "person", 1, bytes.fromhex(chain_hash(entry))))
            keys.append((sheet.subject, 1, self.compartment, seal.wrapped))
            records.append((sheet.record, home, sheet.subject, "training", "enrolment", "1", NOW, NOW.date()))
            groups += [(sheet.record, group, sealing) for group, sealing in seal.groups.items()]
            arrivals.append((home, arrival.token, sheet.record))
            blind += [
                (home, sheet.subject, None if token.field == 1 else sheet.record, token.field.value,
                 token.key_version, token.token)
                for token in rest
            ]  # fmt: skip
            journal.append((home, size + number, entry, hashes[-1]))
        grown = frontier.extend(hashes)
        head = "UPDATE resguardo_server_journalhead SET size = %s, frontier = %s WHERE institution_id = %s"
        blind_names = ("institution_id", "subject_id", "record_id", "field", "key_version", "token")
        record_names = (
            "id", "institution_id", "subject_id", "programme", "form", "form_version", "received_on",
            "keep_until",
        )  # fmt: skip
        return [
            inserts(
                models.Subject,
                ("id", "institution_id", "programme", "kind", "entries", "last_entry"),
                subjects,
            ),
            inserts(models.SubjectKey, ("subject_id", "version", "compartment", "wrapped"), keys),
            inserts(models.Record, record_names, records),
            inserts(models.SealedGroup, ("record_id", "group", "octets"), groups),
            inserts(models.Arrival, ("institution_id", "token", "record_id"), arrivals),
            inserts(models.BlindIndex, blind_names, blind),
            inserts(models.JournalEntry, ("institution_id", "position", "leaf", "leaf_hash"), journal),
            (head, [grown.size, grown.octets, home]),
        ]


def here(institution: UUID) -> Any:
    """A desk in this process, to time the ciphers without the socket."""
    from resguardo.keep.keys import new_key_ring
    from resguardo_keyholder.asked import Ceilings
    from resguardo_keyholder.budget import Budget
    from resguardo_keyholder.desk import Desk

    ring = new_key_ring(institution, secrets.token_bytes)
    ring = ring.with_compartment("banco-de-pruebas/training", secrets.token_bytes, NOW)

    class One:
        def has(self, institution: UUID) -> bool:
            return True

        def of(self, institution: UUID) -> Any:
            return ring

    nothing: Any = None
    rings: Any = One()
    return Desk(rings, nothing, Budget(usual=Ceilings(*[10**9] * 4)), nothing, nothing, secrets.token_bytes)


def measure(rounds: int) -> dict[str, Any]:
    """Seconds of each way in each round, by how many records there are in a transaction."""
    with installation() as var:
        from django.db import connection, transaction

        from resguardo.collect.sheet import open_sheet
        from resguardo.collect.submission import Submission, read_submissions
        from resguardo.keep.tree import Frontier
        from resguardo_server import models
        from resguardo_server.actions.allow import receive
        from resguardo_server.actions.keep import verify_journals
        from resguardo_server.actions.members import make_institution, operator_of
        from resguardo_server.actions.plan import form_named, programme_named
        from resguardo_server.keyholders import keyholder

        house = make_institution("banco-de-pruebas", "Banco de pruebas", "university", "CR")
        other = make_institution("filas-solas", "Filas solas", "university", "CR")
        programme = programme_named("training")
        form = form_named(programme, "enrolment")
        sheets = [
            sheet
            for sheet in read_submissions(
                form, open_sheet(write_file(var, 0, 150 * (rounds + 4))), today=NOW.date()
            )
            if isinstance(sheet, Submission)
        ]
        with connection.cursor() as cursor:
            kind = "uuid" if connection.vendor == "postgresql" else "char(32)"
            key = "bigserial" if connection.vendor == "postgresql" else "integer"
            cursor.execute(
                f"CREATE TABLE plain_sheet (id {kind} PRIMARY KEY, institution_id {kind} NOT NULL,"
                " form varchar(50) NOT NULL, received_on timestamp NOT NULL, answers text NOT NULL)"
            )
            cursor.execute("CREATE INDEX plain_sheet_form ON plain_sheet (form, institution_id)")
            cursor.execute(
                f"CREATE TABLE plain_audit (id {key} PRIMARY KEY, at timestamp NOT NULL,"
                f" who varchar(100) NOT NULL, action varchar(20) NOT NULL, record {kind} NOT NULL)"
            )
            cursor.execute("CREATE INDEX plain_audit_record ON plain_audit (record)")
        line, keys = Line(var), keyholder()
        ours, beforehand = Protected(house, keys), Protected(other, keys)
        following = iter(sheets)

        def received(number: int) -> None:
            batch = [next(following) for _ in range(number)]
            with transaction.atomic():
                assert sum(
                    new for new, _ in receive(operator_of(house.slug), programme, form, batch, now=NOW)
                )

        received(1)  # the compartment and the journal's head are there
        models.JournalHead.objects.create(institution_id=other.id)
        keys.prepare(other.id, beforehand.compartment, may_be_new=True, now=NOW)
        size, octets = 0, b""

        def plain(batch: Sequence[Sheet]) -> list[Statement]:
            blanks = ", ".join(["(%s, %s, %s, %s, %s)"] * len(batch))
            rows = [
                (sheet.record, house.id, "enrolment", NOW, b"".join(sheet.texts.values()).decode())
                for sheet in batch
            ]
            sql = f"INSERT INTO plain_sheet (id, institution_id, form, received_on, answers) VALUES {blanks}"
            return [(sql, [value for row in rows for value in row])]

        def audited(batch: Sequence[Sheet]) -> list[Statement]:
            blanks = ", ".join(["(%s, %s, %s, %s)"] * len(batch))
            rows = [(NOW, "ana@albergue.example", "create", sheet.record) for sheet in batch]
            sql = f"INSERT INTO plain_audit (at, who, action, record) VALUES {blanks}"
            return [*plain(batch), (sql, [value for row in rows for value in row])]

        def protected(batch: Sequence[Sheet]) -> None:
            answers = ours.asked(batch)
            line.write(ours.statements(batch, answers, *line.hold(house.id)), begun=True)

        def once(way: str, number: int, steps: int) -> float:
            """Seconds of that many transactions in that way."""
            nonlocal size, octets
            batches = [new_sheets(number) for _ in range(steps)]
            written: list[list[Statement]] = []
            for batch in batches if way == "rows" else []:
                written.append(beforehand.statements(batch, beforehand.asked(batch), size, octets))
                size, octets = written[-1][-1][1][:2]
            act: dict[str, Callable[[int], None]] = {
                "plain": lambda step: line.write(plain(batches[step])),
                "audited": lambda step: line.write(audited(batches[step])),
                "rows": lambda step: line.write(written[step]),
                "protected": lambda step: protected(batches[step]),
                "received": lambda step: received(number),
            }
            before = time.perf_counter()
            for step in range(steps):
                act[way](step)
            return (time.perf_counter() - before) / steps / number

        found: dict[str, Any] = {}
        for number, steps in ((1, 30), (50, 4)):
            for way in WAYS:
                once(way, number, 2)
            taken: dict[str, list[float]] = {way: [] for way in WAYS}
            for turn in range(rounds):
                for way in WAYS if turn % 2 == 0 else reversed(WAYS):
                    few = steps if way != "received" else max(1, steps // 4)
                    taken[way].append(once(way, number, few))
            found[str(number)] = {
                way: {
                    "per_second": round(1 / statistics.median(seconds)),
                    "times_plain": round(
                        statistics.median(a / b for a, b in zip(seconds, taken["plain"], strict=True)), 2
                    ),
                    "microseconds": round(statistics.median(seconds) * 1e6),
                }
                for way, seconds in taken.items()
            }
            local = Protected(house, here(house.id))
            for name, way in (("questions", ours), ("ciphers", local)):
                batches = [new_sheets(number) for _ in range(60)]
                each = []
                for batch in batches:
                    before = time.perf_counter()
                    way.asked(batch)
                    each.append((time.perf_counter() - before) / number)
                found[str(number)][name] = {"microseconds": round(statistics.median(each) * 1e6)}
        keys.sign_journal(house.id, now=NOW)
        assert Frontier.read(octets).size == size
        findings = [line for one in verify_journals(house.slug, language="en") for line in one["findings"]]
        assert not findings, findings
        found["version"] = str(
            connection.pg_version if connection.vendor == "postgresql" else connection.Database.sqlite_version
        )
        return {**found, **machine()}


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--rounds", type=int, default=9)
    reader.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    reader.add_argument("--json", type=Path, help="where the figures are written")
    reader.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    asked = reader.parse_args()
    if asked.within:
        asked.within.write_text(json.dumps(measure(asked.rounds)), encoding="utf-8")
        return 0
    found: dict[str, Any] = {}
    for database, one in on_each(__file__, asked.databases, ["--rounds", str(asked.rounds)]):
        found[database] = one
        for number in ("1", "50"):
            for way in WAYS:
                row = one[number][way]
                print(f"{database:>10} {number:>2} {way:>9}: {row['per_second']:>6,}/s, "
                      f"{row['times_plain']:>6} times, {row['microseconds']:>6} µs")  # fmt: skip
            asking, sealing = (one[number][name]["microseconds"] for name in ("questions", "ciphers"))
            print(
                f"{database:>10} {number:>2}: questions {asking} µs, ciphers {sealing} µs; load {one['load']}"
            )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
