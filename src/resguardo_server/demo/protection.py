"""The invented region has people who ask, an order, an agreement, a breach that is over: all made up.

Everything goes through the same actions as at an institution's desk, and nothing of it changes a figure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from babel import Locale

from resguardo.allow.decision import VITAL_INTEREST
from resguardo.allow.register import AssessedRisk
from resguardo.allow.rights import Right
from resguardo.keep.journal import Act, read_entry
from resguardo.plan.purposes import LEGAL_CLAIM, RIGHTS
from resguardo.values import Basis, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow.agreements import (
    approve_assessment,
    assess_use,
    enter_agreement,
    purposes_shared,
)
from resguardo_server.actions.allow.breaches import assess, close_breach, mark_told, register_breach
from resguardo_server.actions.allow.emergency import open_in_emergency
from resguardo_server.actions.allow.holds import place_hold
from resguardo_server.actions.allow.rights import confirm, deny, enter_request, grant, start
from resguardo_server.actions.members import Asker, asker
from resguardo_server.actions.plan import programme_named

HOUSE: Final = "casa-tres-rios"
PROGRAMME: Final = "assistance"
OFFICER: Final = "elena@casa-tres-rios.example"
SUPERVISOR: Final = "sofia@casa-tres-rios.example"


class Asked(NamedTuple):
    """What somebody asked for, how many days ago, and how far it is."""

    right: Right
    days: int
    channel: str
    words: str
    step: str = ""


ASKED: Final = (
    Asked(Right.ERASURE, 26, "letter", "Ya llegué a donde iba. Por favor borren lo que guardan de mí."),
    Asked(Right.RECTIFICATION, 22, "in_person", "Mi segundo apellido está mal escrito.", "begun"),
    Asked(Right.OBJECTION, 12, "in_person", "No quiero que me cuenten en sus informes.", "confirmed"),
    Asked(Right.ACCESS, 4, "letter", "Quiero saber qué guardan y quién lo vio."),
    Asked(Right.PORTABILITY, 2, "in_person", "", "confirmed"),
    Asked(Right.COMPLAINT, 30, "in_person", "Me preguntaron dos veces lo mismo.", "answered"),
    Asked(Right.ACCESS, 33, "letter", "Pido otra vez mi copia.", "refused"),
)


def fill_desk(*, now: datetime) -> None:
    """The desk of Elena, of Casa Tres Ríos, as she finds it in the morning."""
    give_addresses()
    house = models.Institution.objects.get(slug=HOUSE)
    elena = asker(models.Member.objects.get(email=OFFICER), house)
    sofia = asker(models.Member.objects.get(email=SUPERVISOR), house)
    people = first_people(house, len(ASKED) + 2)
    for asked, subject in zip(ASKED, people, strict=False):
        _ask(elena, asked, subject, now)
    if len(people) == len(ASKED) + 2:
        held, opened = people[-2:]
        order = "Juzgado Tercero de Distrito (ejemplo), oficio 118/2026"
        place_hold(elena, held, order, until=now.date() + timedelta(days=120), now=now)
        reason = "No respira bien y no puede hablar; el hospital pide su tipo de alergia."
        open_in_emergency(sofia, opened, reason, [Sensitivity.SENSITIVE], now=now)
    _agree(elena, sofia, now)
    _lose_a_telephone(elena, now)


def give_addresses() -> None:
    """Where each institution is and who answers for the protection of data, as a receipt must say."""
    for row in models.Institution.objects.filter(address=""):
        country = Locale("es").territories.get(row.country, row.country)
        row.address = f"Calle de Ejemplo 12, {country}"
        row.contact = f"proteccion@{row.slug}.example"
        row.save(update_fields=["address", "contact"])


def first_people(house: models.Institution, number: int) -> list[UUID]:
    """The people whom the house kept first, in the order of its journal."""
    found: dict[UUID, None] = {}
    kept = dict(
        models.Record.objects.filter(institution=house, programme=PROGRAMME, subject__kind="person")
        .order_by("received_on")
        .values_list("id", "subject_id")
    )
    leaves = models.JournalEntry.objects.filter(institution=house).order_by("position")
    for leaf in leaves.values_list("leaf", flat=True).iterator(chunk_size=500):
        read = read_entry(bytes(leaf))
        if read.act is Act.CREATE and read.obj in kept:
            found[kept[read.obj]] = None
            if len(found) == number:
                break
    return list(found)


def _use_without_consent() -> str:
    """A purpose that asks nobody's permission: what a person may object to."""
    purposes = programme_named(PROGRAMME).purposes
    named = (RIGHTS, LEGAL_CLAIM, VITAL_INTEREST)
    found = (one.name for one in purposes if one.basis is not Basis.CONSENT and one.name not in named)
    return next(found, purposes[0].name)


def _ask(elena: Asker, asked: Asked, subject: UUID, now: datetime) -> None:
    purpose = _use_without_consent() if asked.right is Right.OBJECTION else ""
    row = enter_request(
        elena,
        subject,
        asked.right,
        channel=asked.channel,
        words=asked.words,
        purpose=purpose,
        received=now - timedelta(days=asked.days),
        now=now,
    )
    if asked.step:
        confirm(elena, row.id, now=now)
    if asked.step == "begun":
        start(elena, row.id, now=now)
    elif asked.step == "answered":
        text = "Tiene razón. Desde hoy le preguntamos una sola vez. Perdone."
        grant(elena, row.id, text, now=now)
    elif asked.step == "refused":
        text = "Le dimos su copia hace tres semanas y nada ha cambiado desde entonces."
        deny(elena, row.id, "already_answered", text, now=now)


def _agree(elena: Asker, sofia: Asker, now: datetime) -> None:
    programme = programme_named(PROGRAMME)
    kinds = [str(recipient.institution_kind) for recipient in programme.recipients]
    receiver = (
        models.Institution.objects.filter(kind__in=kinds, country=elena.institution.country)
        .exclude(slug=HOUSE)
        .order_by("slug")
        .first()
    )
    if receiver is None:
        return
    paper = assess_use(
        elena,
        PROGRAMME,
        receiver.slug,
        description="Recibe lo necesario para dar una cama o un trámite, después de que la persona acepta.",
        necessity="Sin esos datos tendría que contar su historia otra vez.",
        consultation="Se preguntó a doce personas del albergue; pidieron que no se diga su ruta.",
        risks=[
            AssessedRisk(
                "Personal de la otra institución",
                "Alguien mira por curiosidad",
                "La reconocen quienes la buscan",
                2,
                4,
                ("Cada apertura queda anotada", "Solo los grupos del acuerdo"),
                1,
                4,
            )
        ],
        decision="go_with_measures",
    )
    approve_assessment(sofia, paper.pk, now=now)
    shared = [name for name, _ in purposes_shared(programme, receiver.kind, "es")]
    enter_agreement(
        elena,
        PROGRAMME,
        receiver.slug,
        purposes=shared[:1],
        groups=["identifier", "quasi"],
        signed_on=now.date() - timedelta(days=1),
        until=now.date() + timedelta(days=240),
        assessment=paper.pk,
        now=now,
    )


def _lose_a_telephone(elena: Asker, now: datetime) -> None:
    """A telephone was lost and found locked: nobody's key was given out, and it is closed."""
    lost = now - timedelta(days=41)
    known = lost + timedelta(hours=5)
    row = register_breach(
        elena, "loss", since=lost, until=known, note="Un teléfono perdido; estaba bloqueado.", now=known
    )
    assess(elena, row.id, "unlikely", now=known)
    for notice in row.notices.order_by("due_at", "pk"):
        mark_told(elena, row.id, notice.pk, now=known + timedelta(hours=3))
    close_breach(elena, row.id, now=known + timedelta(days=2))
