"""What must be done whether or not anybody asks: records expire, journals are signed, old keys destroyed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow.emergency import suspend_unreviewed
from resguardo_server.actions.allow.erasing import expire_due
from resguardo_server.actions.allow.rights import escalate
from resguardo_server.actions.keep.rotation import destroy_old_keys, rotate_keys
from resguardo_server.actions.keep.witness import send_heads
from resguardo_server.keyholders import keyholder


@dataclass
class Tended:
    """What one round did."""

    erased: int = 0
    blocked: int = 0
    destroyed_keys: int = 0
    rotated: int = 0
    """Institutions whose compartments got fresh keys."""
    signed: int = 0
    not_expired: list[str] = field(default_factory=list)
    """Institutions in which a record that is over could not be erased: the command says so."""
    not_signed: list[str] = field(default_factory=list)
    """Institutions whose journal could not be signed: the alarm stands on their officer's desk."""


def is_due_for_rotation(row: models.Institution, now: datetime) -> bool:
    """Whether the newest of the institution's compartment keys have served their time."""
    before = now - timedelta(days=settings.ROTATION_DAYS)
    newest = models.CompartmentKeyVersion.objects.filter(institution=row, replaced_on=None)
    return newest.filter(made_on__lte=before).exists()


def _quietly(done: int, total: int | None) -> None:
    """Nobody watches a round."""


def tend(*, now: datetime) -> Tended:
    """One round over every institution of this installation."""
    done = Tended()
    witnessed: list[models.Institution] = []
    for row in models.Institution.objects.order_by("slug"):
        if not models.JournalHead.objects.filter(institution=row, size__gt=0).exists():
            continue
        institution = row.as_value()
        try:
            expired = expire_due(institution, now=now)
            done.erased += expired.erased
            done.blocked += expired.blocked
        except Refused:
            done.not_expired.append(row.slug)
        try:
            done.signed += keyholder().sign_journal(row.id, now=now) is not None
        except Refused:
            done.not_signed.append(row.slug)
        if is_due_for_rotation(row, now):
            rotate_keys(institution, advance=_quietly, now=now)
            done.rotated += 1
        with suppress(Refused):
            # A key that a rotation has not passed by yet waits for the next round.
            done.destroyed_keys += len(destroy_old_keys(institution, now=now))
        if row.witnesses.exists():
            witnessed.append(row)
    if witnessed:
        send_heads(witnessed, now=now)
    escalate(now=now)
    suspend_unreviewed(now=now)
    return done
