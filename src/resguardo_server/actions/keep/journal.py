"""The journal of an institution, written in the transaction of what it tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from resguardo.keep.checkpoint import SignedCheckpoint, VerifierKey, read_checkpoint
from resguardo.keep.journal import Leaf, Told, Vocabulary, chain_hash, entry_bytes, verify_journal
from resguardo.keep.proof import EntryProof, NotProvable, Prover
from resguardo.keep.tree import Frontier, leaf_hash
from resguardo.keep.witness import Quorum
from resguardo.plan.languages import say
from resguardo.values import Institution, Problem, Refused
from resguardo_keyholder.asked import journal_origin
from resguardo_server import models
from resguardo_server.keyholders import is_inside, keyholder


def origin_of(institution: Institution) -> str:
    """The name of the institution's journal in its checkpoints."""
    return journal_origin(institution.slug)


def journal_key(institution: Institution) -> str:
    """The public key with which anybody checks the institution's journal."""
    return keyholder().journal_key(institution.id, origin_of(institution))


def has_written(institution: UUID) -> bool:
    """Whether the institution's journal has a line: then its keys must be there, and no others instead."""
    return models.JournalHead.objects.filter(institution_id=institution, size__gt=0).exists()


class JournalWriter:
    """Appends entries to one institution's journal; nobody else appends until the transaction ends."""

    def __init__(self, institution: Institution, vocabulary: Vocabulary) -> None:
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
        """The journal's head is signed by the keyholder, once this transaction is kept."""
        self.flush()
        institution = self.institution.id
        if is_inside():
            keyholder().sign_journal(institution, now=now)
        else:
            transaction.on_commit(
                lambda: keyholder().sign_journal(institution, now=now) and None, robust=True
            )


def _entries(institution: UUID) -> Iterable[models.JournalEntry]:
    return (
        models.JournalEntry.objects.filter(institution_id=institution)
        .order_by("position")
        .iterator(chunk_size=2000)
    )


def leaf_hashes(institution: UUID, size: int) -> Iterator[bytes]:
    """The hashes of the first entries, as they are stored beside them."""
    stored = models.JournalEntry.objects.filter(institution_id=institution, position__lt=size)
    return map(
        bytes, stored.order_by("position").values_list("leaf_hash", flat=True).iterator(chunk_size=5000)
    )


# Heads and who signed them


def newest_head(row: models.Institution) -> models.JournalCheckpoint | None:
    """The longest head that the institution signed."""
    return row.checkpoints.order_by("-size", "-pk").first()


def quorum_of(row: models.Institution) -> Quorum:
    """The institution's journal and its witnesses."""
    keys = tuple(VerifierKey.read(witness.key) for witness in row.witnesses.order_by("name"))
    return Quorum(VerifierKey.read(journal_key(row.as_value())), keys)


def signed_text(head: models.JournalCheckpoint) -> str:
    """The head with the signatures of its witnesses under its own."""
    lines = head.cosignatures.order_by("witness__name").values_list("line", flat=True)
    return head.text + "".join(lines)


def provable_head(row: models.Institution, last: int) -> SignedCheckpoint:
    """The newest head over the entry at that place that enough witnesses signed, else the newest at all."""
    quorum = quorum_of(row)
    heads = row.checkpoints.filter(size__gt=last).order_by("-size", "-pk")
    if quorum.witnesses:
        for head in heads.filter(cosignatures__isnull=False).distinct():
            signed = read_checkpoint(signed_text(head))
            if quorum.is_met_by(signed):
                return signed
    newest = heads.first()
    if newest is None:
        size = row.checkpoints.order_by("-size").values_list("size", flat=True).first() or 0
        raise NotProvable("not_under_head", entry=str(last), size=str(size))
    return read_checkpoint(signed_text(newest))


# Proofs


def places_of(row: models.Institution, entry: str | None, record: str | None) -> list[int]:
    """Where in the journal the entry stands, named by number or hash, or every entry about a record."""
    stored = models.JournalEntry.objects.filter(institution=row).order_by("position")
    if record is not None:
        told = f'"obj":"{record.lower()}"'.encode()
        pairs = stored.values_list("position", "leaf").iterator(chunk_size=2000)
        places = [place for place, leaf in pairs if told in bytes(leaf)]
    elif entry is not None and re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", entry):
        first, last = bytes.fromhex(entry.ljust(64, "0")), bytes.fromhex(entry.ljust(64, "f"))
        found = stored.filter(leaf_hash__gte=first, leaf_hash__lte=last)
        places = list(found.values_list("position", flat=True))
    elif entry is not None and re.fullmatch(r"[0-9]{1,15}", entry):
        places = list(stored.filter(position=int(entry)).values_list("position", flat=True))
    else:
        places = []
    numbered = [place for place in places if place is not None]
    if not numbered:
        raise Refused(Problem("server.journal.no_such_entry", {"name": (record or entry or "")[:64]}))
    return numbered


def prove(row: models.Institution, places: Sequence[int]) -> list[EntryProof]:
    """A proof of each entry, all under one signed head."""
    signed = provable_head(row, max(places))
    prover = Prover(leaf_hashes(row.id, signed.checkpoint.size), signed)
    found = models.JournalEntry.objects.filter(institution=row, position__in=list(places))
    leaves = dict(found.values_list("position", "leaf"))
    return [prover.prove(place, bytes(leaves[place])) for place in places]


def write_proofs(row: models.Institution, places: Sequence[int], folder: Path) -> list[Path]:
    """The proofs as files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for proof in prove(row, places):
        path = folder / f"{row.slug}-{proof.index}.tlog-proof"
        path.write_text(proof.text, encoding="utf-8", newline="")
        written.append(path)
    return written


# Verifying


def verify(
    row: models.Institution,
    *,
    language: str,
    advance: Callable[[int, int | None], None],
    told: Told | None = None,
    witness_heads: Sequence[str] = (),
) -> dict[str, Any]:
    """What is wrong with one institution's journal, in words; nothing found means that it is whole.

    `told` is told every entry; `witness_heads` are heads that witnesses keep.
    """
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
            if told is not None:
                told.follow(number, octets, hashed)
            yield octets

    checkpoints = list(row.checkpoints.order_by("size", "pk").values_list("text", flat=True))
    witness_keys = list(row.witnesses.values_list("key", flat=True))
    found = verify_journal(stored(), checkpoints, journal_key(institution), witness_heads, witness_keys)
    findings += dict.fromkeys(finding.words(language) for finding in found)
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
    """The journal, its heads, its public key and its witnesses as files that anybody may check elsewhere.

    Of the heads, the newest and those that a witness signed; the rest say nothing that these do not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = folder / f"{row.slug}.journal.jsonl"
    with entries.open("wb") as file:
        for entry in _entries(row.id):
            file.write(bytes(entry.leaf) + b"\n")
    witnessed = row.checkpoints.filter(cosignatures__isnull=False).order_by("size", "pk").distinct()
    last = newest_head(row)
    heads = list(dict.fromkeys([*witnessed, *([last] if last else [])]))
    checkpoint = folder / f"{row.slug}.checkpoint.txt"
    checkpoint.write_text("\n".join(map(signed_text, heads)), encoding="utf-8", newline="")
    quorum = quorum_of(row)
    key = folder / f"{row.slug}.key.txt"
    key.write_text(quorum.log.text + "\n", encoding="utf-8")
    policy = folder / f"{row.slug}.policy.txt"
    addresses = dict(row.witnesses.values_list("name", "address"))
    policy.write_text(quorum.policy(addresses), encoding="utf-8")
    return [entries, checkpoint, key, policy]
