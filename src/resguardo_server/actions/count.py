"""Counting: the facts of every institution are opened in memory, and only a protected table comes out."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime
from uuid import UUID

import pyarrow
from django.db import connection, transaction

from resguardo.count.disclosure import Ledger, SafeTable, protect_by_class
from resguardo.count.indicator import Count, TableSpec, specify
from resguardo.count.table import RawCells, tabulate
from resguardo.plan.programme import Programme
from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.keep.records import read_segment
from resguardo_server.actions.plan import indicator_named, programme_named
from resguardo_server.keyholders import keyholder

NETWORK = UUID(int=0)
"""Whose key seals the ledger's memory: no institution's, but that of all who publish together."""


def facts_of_form(programme: str, form: str) -> pyarrow.Table | None:
    """The facts of a form over every institution, in memory; None when nothing was kept yet."""
    tables = []
    for row in models.FactSegment.objects.filter(programme=programme, form=form, rows__gt=0).order_by("id"):
        tables.append(read_segment(row))
    if not tables:
        return None
    return pyarrow.concat_tables(tables, promote_options="permissive")


def _with_columns(facts: pyarrow.Table, spec: TableSpec) -> pyarrow.Table:
    """The facts with every column that the table reads; one that no row answered is empty."""
    for name in sorted(spec.columns - set(facts.column_names)):
        kind = pyarrow.int64() if name in spec.numbers else pyarrow.string()
        if name in spec.lists:
            kind = pyarrow.list_(pyarrow.string())
        facts = facts.append_column(name, pyarrow.nulls(facts.num_rows, kind))
    for name in spec.columns:
        if pyarrow.types.is_null(facts.schema.field(name).type):
            wanted = pyarrow.int64() if name in spec.numbers else pyarrow.string()
            if name in spec.lists:
                wanted = pyarrow.list_(pyarrow.string())
            index = facts.column_names.index(name)
            facts = facts.set_column(index, name, pyarrow.nulls(facts.num_rows, wanted))
    return facts


def _raw(spec: TableSpec, as_of: date) -> RawCells | None:
    programme, _, form = spec.source.partition(".")
    facts = facts_of_form(programme, form)
    return None if facts is None else tabulate(_with_columns(facts, spec), spec, as_of=as_of)


def _as_of(programme: Programme, spec: TableSpec, now: datetime) -> date:
    """The day of the data: that of its source for open data, today for what is collected here."""
    form = programme.form(spec.source.partition(".")[2])
    return form.source.as_of if form.source else now.date()


@transaction.atomic
def count_indicator(
    name: str,
    *,
    by: tuple[str, ...] = (),
    where: tuple[str, ...] = (),
    period: str | None = None,
    now: datetime,
) -> SafeTable:
    """The protected table that answers the question, entered in the ledger of releases.

    Refuses what is not in the catalogue, and what would expose somebody together with an earlier release.
    """
    programme, _ = indicator_named(name)
    spec = specify(programme, Count(name, by=by, where=where, period=period))
    raw = _raw(spec, _as_of(programme, spec, now))
    if raw is None:
        raise Refused(Problem("server.said.nothing_kept"))
    ledger = _held_ledger(now)
    table = protect_by_class(raw, spec.population, ledger, chance=secrets.token_bytes)
    _store_fresh(ledger, now)
    return table


def _held_ledger(now: datetime) -> Ledger:
    """The ledger, held for this transaction so that no other release is entered meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE resguardo_server_releasedtable IN EXCLUSIVE MODE")
    return _ledger(now)


def _ledger(now: datetime) -> Ledger:
    """The ledger as it stands."""
    rows = list(models.ReleasedTable.objects.order_by("number"))
    keys = keyholder()

    def unseal(octets: bytes) -> bytes:
        return keys.open_facts(NETWORK, "ledger", UUID(bytes=octets[:16]), 1, octets[16:])

    def recount(spec: TableSpec) -> RawCells | None:
        return _raw(spec, _as_of(programme_named(spec.programme), spec, now))

    return Ledger.opened(((bytes(row.line), bytes(row.memory)) for row in rows), unseal, recount=recount)


def _store_fresh(ledger: Ledger, now: datetime) -> None:
    keys = keyholder()

    def seal(content: bytes) -> bytes:
        segment = UUID(bytes=secrets.token_bytes(16))
        return segment.bytes + keys.seal_facts(NETWORK, "ledger", segment, 1, content)

    for release in ledger.fresh:
        models.ReleasedTable.objects.create(
            number=release.number,
            indicator=release.table.spec.id,
            digest=hashlib.sha256(release.line).hexdigest(),
            line=release.line,
            memory=release.sealed_memory(seal),
            released_on=now,
        )


def released_tables(name: str) -> list[SafeTable]:
    """The last released table of each question that was asked of the indicator; nothing is counted."""
    ledger = _ledger(datetime.min)
    latest = {
        release.table.spec.digest: release.table
        for release in ledger.releases
        if release.table.spec.id == name
    }
    return list(latest.values())
