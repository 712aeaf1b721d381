"""Who asks: a member of an institution in a role. Every action that touches records begins with one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from resguardo.values import Institution, InstitutionKind, Problem, Refused
from resguardo_server import models


@dataclass(frozen=True)
class Asker:
    """A member as an action sees it: for which institution, and in which roles."""

    name: str
    """What the staff pseudonym of the journal is made of; never stored beside it."""
    institution: Institution
    roles: frozenset[str]


def asker(member: models.Member, institution: models.Institution | None = None) -> Asker:
    """The member acting for an institution of theirs: the named one, else the only or first one."""
    memberships = member.memberships.select_related("institution").order_by("institution__slug", "role")
    if institution is not None:
        memberships = memberships.filter(institution=institution)
    first = memberships.first()
    if first is None:
        raise Refused(Problem("server.said.unknown_member"))
    roles = frozenset(row.role for row in memberships if row.institution_id == first.institution_id)
    return Asker(member.email, first.institution.as_value(), roles)


def member_named(email: str) -> Asker:
    """The member with that address; refuses an unknown one without saying who is known."""
    member = models.Member.objects.filter(email=email.lower(), is_active=True).first()
    if member is None:
        raise Refused(Problem("server.said.unknown_member"))
    return asker(member)


def operator_of(slug: str | None) -> Asker:
    """Whoever works at the machine itself, acting for the named institution, or for the only one there is."""
    rows = models.Institution.objects.all()
    if slug is not None:
        rows = rows.filter(slug=slug)
    found = list(rows[:2])
    if len(found) == 1:
        return Asker("operator", found[0].as_value(), frozenset({"operator"}))
    every = list(models.Institution.objects.order_by("slug").values_list("slug", flat=True)[:40])
    known = ", ".join(every)
    if not every:
        raise Refused(Problem("server.said.no_institution"))
    if slug is not None:
        raise Refused(Problem("server.said.unknown_institution", {"name": slug, "known": known}))
    raise Refused(Problem("server.said.which_institution", {"known": known}))


@transaction.atomic
def make_institution(slug: str, name: str, kind: str, country: str) -> models.Institution:
    """A new institution of the network; refuses an unknown kind or country, or a name that is taken."""
    from babel import Locale

    if kind not in list(InstitutionKind):
        known = ", ".join(InstitutionKind)
        raise Refused(Problem("server.said.unknown_kind", {"kind": kind, "known": known}))
    if len(country) != 2 or country not in Locale("es").territories:
        raise Refused(Problem("server.said.unknown_country", {"country": country}))
    if models.Institution.objects.filter(slug=slug).exists():
        raise Refused(Problem("server.said.taken_slug", {"name": slug}))
    return models.Institution.objects.create(slug=slug, name=name, kind=kind, country=country)


def all_institutions() -> list[Institution]:
    """The institutions of this installation, by short name."""
    return [row.as_value() for row in models.Institution.objects.order_by("slug")]
