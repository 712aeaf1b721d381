"""Sealed records, their subjects' keys, the facts that counting needs, and the journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.keep import fsck, journal, witness


def _no_progress(done: int, total: int | None) -> None:
    return None


def _institutions(slug: str | None) -> list[models.Institution]:
    rows = models.Institution.objects.order_by("slug")
    found = list(rows.filter(slug=slug) if slug else rows)
    if slug and not found:
        known = ", ".join(rows.values_list("slug", flat=True)[:40])
        raise Refused(Problem("server.said.unknown_institution", {"name": slug, "known": known}))
    return found


def institution_named(slug: str) -> models.Institution:
    """The institution with that short name; refuses an unknown one, naming those there are."""
    return _institutions(slug)[0]


def _with_journals(slug: str | None) -> list[models.Institution]:
    """The named institution, or each that has written anything."""
    parts = (models.JournalHead, models.JournalEntry, models.JournalCheckpoint)
    return [
        row
        for row in _institutions(slug)
        if slug or any(model.objects.filter(institution=row).exists() for model in parts)
    ]


@transaction.atomic
def verify_journals(
    slug: str | None, *, language: str, advance: Callable[[int, int | None], None] = _no_progress
) -> list[dict[str, Any]]:
    """What is wrong with the journal of one institution, or of each that has written anything."""
    return [journal.verify(row, language=language, advance=advance) for row in _with_journals(slug)]


def check_journals(
    slug: str | None,
    *,
    language: str,
    advance: Callable[[int, int | None], None] = _no_progress,
    ask_witnesses: bool = False,
) -> list[dict[str, Any]]:
    """What is wrong with each journal and with the records, subjects and signatures beside it."""
    rows = _with_journals(slug)
    # Witnesses are asked before the tables are held still: an answer may take long.
    kept = [witness.heads_kept_by_witnesses(row) if ask_witnesses else None for row in rows]
    with transaction.atomic():
        return [
            fsck.check(row, language=language, advance=advance, kept=heads)
            for row, heads in zip(rows, kept, strict=True)
        ]


def export_journal(slug: str, folder: Path) -> list[Path]:
    """The files with which anybody may check an institution's journal elsewhere."""
    return journal.export(_institutions(slug)[0], folder)


def prove_entries(slug: str | None, entry: str | None, record: str | None, folder: Path) -> list[Path]:
    """Proofs of one entry, or of every entry about a record, as files that anybody may check."""
    rows = _with_journals(slug)
    if len(rows) != 1:
        known = ", ".join(row.slug for row in rows)
        raise Refused(Problem("server.said.which_institution", {"known": known}))
    return journal.write_proofs(rows[0], journal.places_of(rows[0], entry, record), folder)


def public_keys(slug: str) -> dict[str, str]:
    """What another institution needs to witness this one's journal, or to ask it to be a witness."""
    institution = institution_named(slug).as_value()
    return {
        "journal": journal.journal_key(institution),
        "witness": witness.witness_key(institution),
        "address": witness.witness_address(institution),
    }


def witnesses_said(slug: str | None, *, language: str, now: datetime) -> list[dict[str, Any]]:
    """How it stands with the witnesses of each institution, in words."""
    return [
        {
            "institution": row.slug,
            "tail": witness.tail_of(row, now=now).words(language),
            "state": witness.tail_of(row, now=now).state,
            "witnesses": [
                {
                    "name": stand.name,
                    "address": stand.address,
                    "size": stand.size,
                    "behind": stand.behind,
                    "on": f"{stand.seen_on:%Y-%m-%d %H:%M}" if stand.seen_on else "",
                    "problem": stand.words(language),
                }
                for stand in witness.witnesses_of(row)
            ],
            "watches": [{"origin": origin, "size": size} for origin, size, _ in witness.watched_by(row)],
        }
        for row in _institutions(slug)
    ]


def send_to_witnesses(slug: str | None, *, language: str, now: datetime) -> list[dict[str, Any]]:
    """The newest head of each institution is sent to its witnesses; what became of it, in words."""
    sendings = witness.send_heads(_institutions(slug), now=now)
    return [
        {
            "institution": sent.institution,
            "name": sent.witness,
            "size": sent.size,
            "behind": sent.behind,
            "problem": sent.words(language),
        }
        for sent in sendings
    ]
