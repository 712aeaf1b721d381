"""The tables held against the journal: what was put back, slipped in, moved or lost beside it.

A journal that is whole says nothing yet of the records beside it. Here the tree is grown again from the
entries, and every record, subject, erasure and signature is compared with what the entries tell. No key is
needed: the end of a subject's chain says which mark of the journal is whose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Prefetch

from resguardo.keep.checkpoint import NotACheckpoint, VerifierKey, is_signed_by, read_checkpoint
from resguardo.keep.journal import Told, ToldRecord
from resguardo.keep.sealing import sealed_hash
from resguardo.plan.languages import say
from resguardo.values import Sealed, Sensitivity
from resguardo_server import models
from resguardo_server.actions.keep import journal
from resguardo_server.actions.keep.witness import KeptHeads

_LEVELS = {level.group: level for level in Sensitivity}


def check(
    row: models.Institution,
    *,
    language: str,
    advance: Callable[[int, int | None], None],
    kept: KeptHeads | None = None,
) -> dict[str, Any]:
    """What is wrong with one institution's journal and with what lies beside it; a sentence each.

    `kept` is what the witnesses keep: nothing else shows that the whole database was put back to an earlier
    day.
    """
    told = Told()
    kept = kept or KeptHeads((), ())
    found = journal.verify(row, language=language, advance=advance, told=told, witness_heads=kept.heads)
    found["findings"] += [
        say(f"server.fsck.{code}", language, **facts)
        for code, facts in (*_heads(row), *_beside(row, told), *_watched(row))
    ]
    notes = [say("server.fsck.silent_witness", language, name=name) for name in kept.silent]
    if not kept.heads:
        notes.append(say("server.fsck.no_witness", language))
    return found | {"notes": notes, "records": len(told.records), "subjects": len(told.ends)}


Finding = tuple[str, dict[str, object]]


def _heads(row: models.Institution) -> Iterator[Finding]:
    """Stored heads and the signatures of witnesses under them."""
    for head in row.checkpoints.prefetch_related("cosignatures__witness").order_by("size", "pk"):
        try:
            size = read_checkpoint(head.text).checkpoint.size
        except NotACheckpoint:
            continue
        if size != head.size:
            yield "head_size", {"size": size, "stored": head.size}
        for cosignature in head.cosignatures.all():
            try:
                signed = read_checkpoint(head.text + cosignature.line)
                good = is_signed_by(signed, VerifierKey.read(cosignature.witness.key))
            except NotACheckpoint:
                good = False
            if not good:
                yield "cosignature", {"name": cosignature.witness.name, "size": size}


def _beside(row: models.Institution, told: Told) -> Iterator[Finding]:
    """Subjects, records and erasures against what the journal tells of them."""
    ends = {end: mark for mark, end in told.ends.items()}
    marks: dict[Any, str] = {}
    for subject in row.subjects.order_by("id").iterator(chunk_size=2000):
        last = bytes(subject.last_entry).hex()
        if not subject.entries and not last:
            continue
        mark = ends.pop((subject.entries, last), None)
        if mark is None:
            yield "subject_chain", {"subject": subject.id, "count": subject.entries}
        else:
            marks[subject.id] = mark
    for (number, _), mark in ends.items():
        yield "chain_without_subject", {"mark": mark, "count": number}
    missing = {record: line for record, line in told.records.items() if not line.gone}
    groups = Prefetch("groups", models.SealedGroup.objects.order_by("group"))
    for record in row.records.prefetch_related(groups).order_by("id").iterator(chunk_size=500):
        missing.pop(record.id, None)
        yield from _record(record, told.records.get(record.id), marks)
    for lost, line in missing.items():
        yield "record_missing", {"record": lost, "entry": line.index}
    for erasure in row.erasures.order_by("pk"):
        line_of = told.records.get(erasure.record)
        if line_of is None or not line_of.gone:
            yield "erasure_without_entry", {"record": erasure.record}
    for shredded in row.subjects.filter(erased_on__isnull=False, keys__isnull=False).distinct():
        yield "key_came_back", {"subject": shredded.id}


def _record(record: models.Record, line: ToldRecord | None, marks: dict[Any, str]) -> Iterator[Finding]:
    facts: dict[str, object] = {"record": record.id, "entry": line.index if line else ""}
    if line is None:
        yield "record_without_entry", facts
        return
    if line.gone:
        yield "record_came_back", facts
    groups = {group.group: Sealed(bytes(group.octets)) for group in record.groups.all()}
    sealed = {level: groups[number] for number, level in _LEVELS.items() if number in groups}
    if line.content is not None and (len(sealed) < len(groups) or sealed_hash(sealed) != line.content):
        yield "record_content", facts
    mark = marks.get(record.subject_id)
    if mark is not None and line.mark != mark:
        yield "record_subject", facts


def _watched(row: models.Institution) -> Iterator[Finding]:
    """The heads that the institution keeps as a witness of others."""
    for log in models.WitnessedLog.objects.filter(witness=row).exclude(size=0, checkpoint=""):
        try:
            signed = read_checkpoint(log.checkpoint)
            said = signed.checkpoint
            good = is_signed_by(signed, VerifierKey.read(log.key)) and (
                (said.origin, said.size, said.root) == (log.origin, log.size, bytes(log.root))
            )
        except NotACheckpoint:
            good = False
        if not good:
            yield "watched", {"origin": log.origin}
