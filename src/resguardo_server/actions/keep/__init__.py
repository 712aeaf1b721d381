"""Sealed records, their subjects' keys, the facts that counting needs, and the journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import transaction

from resguardo.values import Problem, Refused
from resguardo_server import models
from resguardo_server.actions.keep import journal


def _no_progress(done: int, total: int | None) -> None:
    return None


def _institutions(slug: str | None) -> list[models.Institution]:
    rows = models.Institution.objects.order_by("slug")
    found = list(rows.filter(slug=slug) if slug else rows)
    if slug and not found:
        known = ", ".join(rows.values_list("slug", flat=True)[:40])
        raise Refused(Problem("server.said.unknown_institution", {"name": slug, "known": known}))
    return found


@transaction.atomic
def verify_journals(
    slug: str | None, *, language: str, advance: Callable[[int, int | None], None] = _no_progress
) -> list[dict[str, Any]]:
    """What is wrong with the journal of one institution, or of each that has written anything."""
    return [
        journal.verify(row, language=language, advance=advance)
        for row in _institutions(slug)
        if slug
        or any(
            model.objects.filter(institution=row).exists()
            for model in (models.JournalHead, models.JournalEntry, models.JournalCheckpoint)
        )
    ]


def export_journal(slug: str, folder: Path) -> list[Path]:
    """The files with which anybody may check an institution's journal elsewhere."""
    return journal.export(_institutions(slug)[0], folder)
