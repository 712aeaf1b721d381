"""Who asks: a member of an institution in a role. Every action that touches records begins with one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    second_factor: bool = True
    """Whether she signed in with a second factor; whoever works at the machine itself needs none."""
    reauthenticated: bool = True
    """Whether she proved within the last minutes that it is still her."""


def asker(member: models.Member, institution: models.Institution | None = None) -> Asker:
    """The member acting for an institution of theirs: the named one, else the only or first one."""
    memberships = member.memberships.filter(suspended_on=None).select_related("institution")
    memberships = memberships.order_by("institution__slug", "role")
    memberships = memberships.filter(suspended_on=None)
    if institution is not None:
        memberships = memberships.filter(institution=institution)
    first = memberships.first()
    if first is None:
        raise Refused(Problem("server.said.unknown_member"))
    roles = frozenset(row.role for row in memberships if row.institution_id == first.institution_id)
    return Asker(member.email, first.institution.as_value(), roles)


def acting(member: models.Member, slug: str) -> Asker:
    """The member acting for the institution with that short name, if she may, else for her first one."""
    chosen = models.Institution.objects.filter(
        slug=slug, memberships__member=member, memberships__suspended_on=None
    ).first()
    return asker(member, chosen)


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
def make_institution(
    slug: str, name: str, kind: str, country: str, address: str = "", contact: str = ""
) -> models.Institution:
    """A new institution of the network; refuses an unknown kind or country, or a name that is taken."""
    from babel import Locale

    if kind not in list(InstitutionKind):
        known = ", ".join(InstitutionKind)
        raise Refused(Problem("server.said.unknown_kind", {"kind": kind, "known": known}))
    if len(country) != 2 or country not in Locale("es").territories:
        raise Refused(Problem("server.said.unknown_country", {"country": country}))
    if models.Institution.objects.filter(slug=slug).exists():
        raise Refused(Problem("server.said.taken_slug", {"name": slug}))
    return models.Institution.objects.create(
        slug=slug, name=name, kind=kind, country=country, address=address, contact=contact
    )


def all_institutions() -> list[Institution]:
    """The institutions of this installation, by short name."""
    return [row.as_value() for row in models.Institution.objects.order_by("slug")]


# What a member is


def roles_of(member: models.Member) -> frozenset[str]:
    """The roles in which the member acts, for whichever institution; one that is suspended is none."""
    rows = member.memberships.exclude(suspended_on__isnull=False)
    return frozenset(rows.values_list("role", flat=True))


@dataclass(frozen=True)
class Work:
    """In which roles somebody acts for an institution."""

    institution: str
    roles: tuple[str, ...]


def work_of(member: models.Member) -> list[Work]:
    """The institutions that the member acts for, by name, and in which roles."""
    roles: dict[str, list[str]] = {}
    for row in member.memberships.select_related("institution").order_by("institution__name", "role"):
        if row.suspended_on is None:
            roles.setdefault(row.institution.name, []).append(row.role)
    return [Work(name, tuple(found)) for name, found in roles.items()]


# Sessions


@dataclass(frozen=True)
class OpenSession:
    """A session of a member, as she sees it: on which device, from which network, since when."""

    id: int
    device: str
    """What the browser says of itself."""
    network: str
    began: datetime
    seen: datetime
    is_this: bool


def note_session(member: models.Member, key: str, network: str, device: str, now: datetime) -> None:
    """The session whose browser holds `key` was used now, from that network, by that device."""
    from allauth.usersessions.models import UserSession

    from resguardo_server.session_store import stored_key

    UserSession.objects.update_or_create(
        session_key=stored_key(key),
        defaults={"user": member, "ip": network, "user_agent": device[:200], "last_seen_at": now},
        create_defaults={
            "user": member,
            "ip": network,
            "user_agent": device[:200],
            "created_at": now,
            "last_seen_at": now,
        },
    )


def sessions_of(member: models.Member, key: str | None, now: datetime) -> list[OpenSession]:
    """The member's sessions that are still open, this one first, then by when they were last used."""
    from allauth.usersessions.models import UserSession
    from django.conf import settings
    from django.contrib.sessions.models import Session

    from resguardo_server.session_store import stored_key

    this = stored_key(key) if key else ""
    rows = UserSession.objects.filter(
        user=member,
        last_seen_at__gt=now - timedelta(seconds=settings.IDLE_SECONDS),
        created_at__gt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE),
        session_key__in=Session.objects.filter(expire_date__gt=now).values("session_key"),
    )
    found = [
        OpenSession(row.pk, row.user_agent, row.ip, row.created_at, row.last_seen_at, row.session_key == this)
        for row in rows
    ]
    return sorted(found, key=lambda one: (not one.is_this, -one.seen.timestamp()))


def end_session(member: models.Member, number: int) -> bool:
    """That session of the member is over at once; False where she has none of that number."""
    return _end(member, {"pk": number}) > 0


def end_sessions(member: models.Member, but: str | None = None) -> int:
    """Every session of the member is over at once, but the one whose browser holds `but`; says how many."""
    from resguardo_server.session_store import stored_key

    return _end(member, {}, stored_key(but) if but else "")


def _end(member: models.Member, which: dict[str, int], but: str = "") -> int:
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session

    with transaction.atomic():
        rows = UserSession.objects.filter(user=member, **which).exclude(session_key=but)
        keys = list(rows.values_list("session_key", flat=True))
        Session.objects.filter(session_key__in=keys).delete()
        rows.delete()
    return len(keys)


def clear_ended_sessions(now: datetime | None = None) -> None:
    """Sessions that are over leave no line behind."""
    from allauth.usersessions.models import UserSession
    from django.conf import settings
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    now = now or timezone.now()
    oldest = now - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.filter(last_seen_at__lt=oldest).delete()


# Sign-in with an institution's own accounts (OpenID Connect)

OPENID = "openid_connect"


def member_of_institution(slug: str, addresses: Iterable[str]) -> models.Member | None:
    """The active member of that institution who has one of these addresses; nobody else is ever found."""
    return (
        models.Member.objects.filter(
            email__in=[address.strip().lower() for address in addresses],
            is_active=True,
            memberships__institution__slug=slug,
            memberships__suspended_on=None,
        )
        .distinct()
        .first()
    )


def acts_only_for(member: models.Member, slug: str) -> bool:
    """Whether all that the member may do is that institution's: no other membership, no say over all."""
    return not (
        member.is_superuser or member.is_staff or member.memberships.exclude(institution__slug=slug).exists()
    )


@dataclass(frozen=True)
class InstitutionSignIn:
    """How an institution's own accounts open a session here."""

    issuer: str
    """Where its OpenID provider says what it is: `<issuer>/.well-known/openid-configuration`."""
    client: str
    secret: str
    own_domains: tuple[str, ...] = ()
    """Domains whose addresses count as verified though the provider does not say so."""
    second_factor_acr: tuple[str, ...] = ()
    """Its own values of `acr` that mean more than one factor."""
    ask_for_address: bool = False
    """Whether the address is asked for apart (userinfo), where the signed token does not hold it."""


@transaction.atomic
def set_institution_sign_in(slug: str, how: InstitutionSignIn) -> None:
    """The institution's members may from now on sign in with its own accounts; the secret is sealed."""
    from allauth.socialaccount.models import SocialApp

    from resguardo_server.staff_secrets import sealed

    institution = models.Institution.objects.filter(slug=slug).first()
    if institution is None:
        known = ", ".join(models.Institution.objects.order_by("slug").values_list("slug", flat=True)[:40])
        raise Refused(Problem("server.said.unknown_institution", {"name": slug, "known": known}))
    if not is_safe_address(how.issuer):
        raise Refused(Problem("server.said.unsafe_issuer", {"address": how.issuer}))
    SocialApp.objects.update_or_create(
        provider=OPENID,
        provider_id=slug,
        defaults={
            "name": institution.name[:40],
            "client_id": how.client,
            "secret": sealed(how.secret.encode(), OPENID, slug),
            "settings": {
                "server_url": how.issuer.rstrip("/"),
                "verified_email": list(how.own_domains),
                "second_factor_acr": list(how.second_factor_acr),
                "ask_for_address": how.ask_for_address,
            },
        },
    )


def end_institution_sign_in(slug: str) -> bool:
    """The institution's own accounts open nothing here any more; False where they did not."""
    from allauth.socialaccount.models import SocialApp

    return bool(SocialApp.objects.filter(provider=OPENID, provider_id=slug).delete()[0])


def is_safe_address(address: str) -> bool:
    """Whether nobody on the way can read what goes to that address: https, or this machine itself."""
    from urllib.parse import urlsplit

    from resguardo_server.safe_start import is_this_machine

    parts = urlsplit(address)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(host)))


# Who may sign in


@transaction.atomic
def add_member(email: str, name: str, slug: str, roles: Iterable[str], password: str) -> bool:
    """Somebody may sign in and acts for the institution in these roles; False when she was there already.

    At her first sign-in she sets up a second factor; the password is to be changed then.
    """
    institution = models.Institution.objects.filter(slug=slug).first()
    if institution is None:
        known = ", ".join(models.Institution.objects.order_by("slug").values_list("slug", flat=True)[:40])
        raise Refused(Problem("server.said.unknown_institution", {"name": slug, "known": known}))
    wanted = list(dict.fromkeys(roles))
    allowed = [role for role in models.Membership.ROLES if role != "operator"]
    if wrong := [role for role in wanted if role not in allowed]:
        raise Refused(
            Problem("server.said.unknown_role", {"name": wrong[0][:40], "known": ", ".join(allowed)})
        )
    address = models.Member.objects.normalize_email(email).lower()
    if address.count("@") != 1 or address.startswith("@") or address.endswith("@"):
        raise Refused(Problem("server.said.no_address", {"name": email[:60]}))
    member = models.Member.objects.filter(email=address).first()
    made = member is None
    if member is None:
        first, _, last = name.partition(" ")
        member = models.Member.objects.create_user(address, password, first_name=first, last_name=last)
    for role in wanted:
        models.Membership.objects.get_or_create(member=member, institution=institution, role=role)
    return made


def member_lines() -> list[str]:
    """Everybody who may sign in, with institution and roles; a line each."""
    lines = []
    for member in models.Member.objects.filter(is_active=True).order_by("email"):
        work = "; ".join(f"{row.institution}: {', '.join(row.roles)}" for row in work_of(member))
        lines.append(f"{member.email} · {member} · {work}")
    return lines


def _member(email: str) -> models.Member:
    member = models.Member.objects.filter(email=email.lower()).first()
    if member is None:
        raise Refused(Problem("server.said.unknown_member"))
    return member


@transaction.atomic
def forget_factors(email: str, password: str) -> None:
    """Who lost her second factor begins anew: a new password, no factor, and every open session ended."""
    from allauth.mfa.models import Authenticator

    member = _member(email)
    Authenticator.objects.filter(user=member).delete()
    member.set_password(password)
    member.save()
    end_sessions(member)


@transaction.atomic
def close_account(email: str) -> None:
    """The account opens nothing any more; what the journal says of her stays."""
    member = _member(email)
    member.is_active = False
    member.save()
    end_sessions(member)
