"""The journal of an institution, written in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from resguardo.keep.journal import Leaf, Vocabulary, chain_hash, entry_bytes, verify_journal
from resguardo.keep.tree import Frontier, leaf_hash
from resguardo.plan.languages import say
from resguardo.values import Institution, Problem, Refused
from resguardo_server import models
from resguardo_server.key_rings import has_ring, ring_of


def origin_of(institution: Institution) -> str:
    """The name of the institution's journal in its checkpoints."""
    return f"{institution.slug}.resguardo/journal"


def refuse_lost_keys(institution: Institution) -> None:
    """Refuses to go on when the institution has written before and its key file is gone.

    A fresh key ring in its place would seal the next records under other keys than all before them.
    """
    if has_ring(institution.id):
        return
    if models.JournalHead.objects.filter(institution_id=institution.id, size__gt=0).exists():
        raise Refused(Problem("server.said.keys_missing", {"name": institution.slug}))


class JournalWriter:
    """Appends entries to one institution's journal; nobody else appends until the transaction ends."""

    def __init__(self, institution: Institution, vocabulary: Vocabulary) -> None:
        refuse_lost_keys(institution)
        self.institution = institution
        self.vocabulary = vocabulary
        models.JournalHead.objects.get_or_create(institution_id=institution.id)
        self._head = models.JournalHead.objects.select_for_update().get(institution_id=institution.id)
        self._frontier = Frontier.read(bytes(self._head.frontier)) if self._head.size else Frontier()
        self._rows: list[models.JournalEntry] = []
        self._hashes: list[bytes] = []

    def write(self, leaf: Leaf) -> str:
        """One more entry; gives the hash that the subject's next entry holds."""
        entry = entry_bytes(leaf, self.vocabulary)
        hashed = leaf_hash(entry)
        self._rows.append(
            models.JournalEntry(
                institution_id=self.institution.id,
                position=self._frontier.size + len(self._hashes),
                leaf=entry,
                leaf_hash=hashed,
            )
        )
        self._hashes.append(hashed)
        return chain_hash(entry)

    def flush(self) -> None:
        """What was written so far is in the table."""
        if not self._rows:
            return
        models.JournalEntry.objects.bulk_create(self._rows, batch_size=500)
        self._frontier = self._frontier.extend(self._hashes)
        self._rows, self._hashes = [], []
        self._head.size, self._head.frontier = self._frontier.size, self._frontier.octets
        self._head.save()

    def sign(self, now: datetime) -> None:
        """The journal's head is signed."""
        self.flush()
        ring = ring_of(self.institution.id)
        models.JournalCheckpoint.objects.create(
            institution_id=self.institution.id,
            size=self._frontier.size,
            text=ring.sign_checkpoint(origin_of(self.institution), self._frontier.size, self._frontier.root),
            made_on=now,
        )


def _entries(institution: UUID) -> Iterable[models.JournalEntry]:
    return (
        models.JournalEntry.objects.filter(institution_id=institution)
        .order_by("position")
        .iterator(chunk_size=2000)
    )


def verify(
    row: models.Institution, *, language: str, advance: Callable[[int, int | None], None]
) -> dict[str, Any]:
    """What is wrong with one institution's journal, in words; nothing found means that it is whole."""
    institution = row.as_value()
    head = models.JournalHead.objects.filter(institution=row).first()
    total = head.size if head else 0
    findings: list[str] = []
    frontier = Frontier()

    def stored() -> Iterable[bytes]:
        nonlocal frontier
        expected = 0
        for number, entry in enumerate(_entries(row.id)):
            octets = bytes(entry.leaf)
            hashed = leaf_hash(octets)
            frontier = frontier.append(hashed)
            if entry.position != expected:
                findings.append(
                    say("server.journal.wrong_position", language, expected=expected, found=entry.position)
                )
            expected = (number if entry.position is None else entry.position) + 1
            if bytes(entry.leaf_hash) != hashed:
                findings.append(say("server.journal.wrong_hash", language, entry=number))
            if number % 500 == 0:
                advance(number, total)
            yield octets

    checkpoints = list(row.checkpoints.order_by("size", "pk").values_list("text", flat=True))
    key = ring_of(row.id).journal_verifier_key(origin_of(institution))
    findings += [finding.words(language) for finding in verify_journal(stored(), checkpoints, key)]
    if (frontier.size, frontier.octets) != (
        total,
        bytes(head.frontier) if total and head else Frontier().octets,
    ):
        findings.append(say("server.journal.wrong_head", language))
    return {
        "institution": row.slug,
        "entries": frontier.size,
        "root": frontier.root.hex(),
        "findings": findings,
    }


def export(row: models.Institution, folder: Path) -> list[Path]:
    """The journal, its checkpoints and its public key as files that anybody may check elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    institution = row.as_value()
    entries = folder / f"{row.slug}.journal.jsonl"
    with entries.open("wb") as file:
        for entry in _entries(row.id):
            file.write(bytes(entry.leaf) + b"\n")
    last = row.checkpoints.order_by("-size", "-pk").first()
    checkpoint = folder / f"{row.slug}.checkpoint.txt"
    checkpoint.write_text(last.text if last else "", encoding="utf-8")
    key = folder / f"{row.slug}.key.txt"
    key.write_text(ring_of(row.id).journal_verifier_key(origin_of(institution)) + "\n", encoding="utf-8")
    return [entries, checkpoint, key]
