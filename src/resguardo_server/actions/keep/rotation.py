"""Compartment keys are replaced while people work, and old ones destroyed once no backup may need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from resguardo.allow.decision import POLICY
from resguardo.keep.journal import Act, Leaf, Outcome, Vocabulary
from resguardo.keep.keys import wrapped_by
from resguardo.plan.languages import say
from resguardo.values import Institution
from resguardo_keyholder.asked import Wrapped
from resguardo_server import models
from resguardo_server.actions.keep.journal import JournalWriter
from resguardo_server.actions.keep.records import new_id
from resguardo_server.actions.keep.writing import update_rows
from resguardo_server.keyholders import keyholder

Advance = Callable[[int, int | None], None]

BATCH = 5000
"""Subject keys that are wrapped anew in one transaction: readers and writers wait for no more than these."""

OPERATOR = "operator"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did."""

    institution: str
    compartments: int
    subjects: int
    """Subject keys that were wrapped anew."""


def rotate_keys(institution: Institution, *, advance: Advance, now: datetime) -> Rotated:
    """Every compartment has a fresh key, and every living subject's key is wrapped by it.

    Whoever opens or writes meanwhile goes on: both keys unwrap until the older one is destroyed. A key that
    was shredded is wrapped by no new key, and dies in every backup with the old one.
    """
    keys = keyholder()
    made = keys.rotate(institution.id, now=now)
    versions = models.CompartmentKeyVersion.objects.filter(institution_id=institution.id)
    versions.filter(replaced_on=None).update(replaced_on=now)
    models.CompartmentKeyVersion.objects.bulk_create(
        models.CompartmentKeyVersion(
            institution_id=institution.id,
            compartment=version.compartment,
            number=version.number,
            made_on=version.made_at,
        )
        for version in made
    )
    newest = {version.compartment: version.number for version in made}
    rows = models.SubjectKey.objects.filter(subject__institution_id=institution.id)
    total, last, done = rows.count(), 0, 0
    read = rows.order_by("pk").values_list("pk", "subject_id", "compartment", "version", "wrapped")
    while batch := list(read.filter(pk__gt=last)[:BATCH]):
        last = batch[-1][0]
        old = [
            (pk, Wrapped(subject, compartment, version, bytes(octets)))
            for pk, subject, compartment, version, octets in batch
            if wrapped_by(bytes(octets)) != newest.get(compartment)
        ]
        wrapped = keys.rewrap(institution.id, [key for _, key in old])
        with transaction.atomic():
            # Whoever was erased since the batch was read stays erased.
            update_rows(
                models.SubjectKey,
                ("wrapped",),
                [(octets, pk) for (pk, _), octets in zip(old, wrapped, strict=True)],
            )
        done += len(old)
        advance(done, total)
    _write_line(institution, now)
    return Rotated(institution.slug, len(made), done)


def destroy_old_keys(institution: Institution, *, now: datetime) -> list[int]:
    """Keys replaced longer ago than a backup is kept are gone, and with them whoever was erased under them.

    Gives their numbers. What was erased is from now on beyond recovery, and is said to be so.
    """
    before = now - timedelta(days=settings.BACKUP_DAYS)
    due = models.CompartmentKeyVersion.objects.filter(
        institution_id=institution.id, replaced_on__lte=before, destroyed_on=None
    )
    destroyed = []
    for version in due.order_by("number"):
        keyholder().destroy(institution.id, version.number, now=now)
        with transaction.atomic():
            version.destroyed_on = now
            version.save(update_fields=["destroyed_on"])
            models.Erasure.objects.filter(
                institution_id=institution.id, key_number=version.number, unrecoverable_on=None
            ).update(unrecoverable_on=now)
        destroyed.append(version.number)
    return destroyed


@transaction.atomic
def _write_line(institution: Institution, now: datetime) -> None:
    journal = JournalWriter(institution, Vocabulary(roles={OPERATOR}, purposes=()))
    journal.write(
        Leaf(
            t=now,
            inst=institution.id,
            act=Act.REWRAP,
            who=keyholder().pseudonym(institution.id, OPERATOR),
            role=OPERATOR,
            dec=Outcome.ALLOW,
            pol=POLICY,
            req=new_id(),
        )
    )
    journal.sign(now)


def key_versions(institution: Institution, *, language: str) -> list[str]:
    """The institution's compartment keys, with what became of each, in words."""
    return [
        say(
            "server.keys.destroyed_key"
            if row.destroyed_on
            else "server.keys.replaced_key"
            if row.replaced_on
            else "server.keys.key_in_use",
            language,
            compartment=row.compartment,
            number=row.number,
            made=row.made_on.date().isoformat(),
            day=(row.destroyed_on or row.replaced_on or row.made_on).date().isoformat(),
        )
        for row in models.CompartmentKeyVersion.objects.filter(institution_id=institution.id).order_by(
            "compartment", "number"
        )
    ]
