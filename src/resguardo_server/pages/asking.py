"""Who asks: the signed-in member as the actions see her, and the frame of every page of staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from resguardo.values import Refused
from resguardo_server.actions import members
from resguardo_server.actions.members import Asker
from resguardo_server.pages.confirming import fresh
from resguardo_server.pages.members import ROLES
from resguardo_server.pages.signing_in import NEWSROOM, has_second_factor

ACTING_FOR = "acting_for"
"""In a session: the short name of the institution that the member chose to act for."""

WITH_PEOPLE = frozenset({"intake_worker", "caseworker", "supervisor", "trainer"})

PLACES = (
    ("today", "/today/", _("Today"), frozenset({"intake_worker"})),
    ("people", "/people/", _("People"), WITH_PEOPLE),
    ("protection", "/protection/", _("Data protection"), frozenset({"data_protection_officer"})),
    ("forms", "/forms/", _("Forms"), frozenset({"programme_manager"})),
    ("setup", "/setup/", _("Institution"), frozenset({"administrator"})),
    ("newsroom", NEWSROOM, _("Newsroom"), frozenset({"press_officer"})),
)
"""Section, address, name and the roles that work there; shown where there is such a page."""


@dataclass(frozen=True)
class Place:
    """One entry of the main navigation."""

    section: str
    address: str
    name: str


@dataclass(frozen=True)
class Staff:
    """What the frame of a page says of the member."""

    institution: str
    name: str
    roles: tuple[str, ...]
    """In words."""
    places: tuple[Place, ...]


def asker_of(request: HttpRequest) -> Asker:
    """The signed-in member for the institution chosen, with what this session proved and nothing more.

    A suspended role is none; somebody without any role is turned away.
    """
    member: Any = request.user
    try:
        who = members.acting(member, str(request.session.get(ACTING_FOR, "")))
    except Refused:
        raise PermissionDenied from None
    return replace(who, second_factor=has_second_factor(request), reauthenticated=fresh(request))


def needs_role(who: Asker, *roles: str) -> None:
    """Turns away whoever has none of the roles."""
    if not who.roles & frozenset(roles):
        raise PermissionDenied


def staff_page(
    request: HttpRequest,
    template: str,
    facts: Mapping[str, Any],
    *,
    who: Asker,
    section: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page that extends ``staff.html``: never kept by a browser, and told to no other site."""
    member: Any = request.user
    staff = Staff(
        who.institution.name,
        str(member),
        tuple(str(ROLES.get(role, role)) for role in sorted(who.roles)),
        tuple(
            Place(name, address, str(title))
            for name, address, title, roles in PLACES
            if roles & who.roles and _is_there(address)
        ),
    )
    answer = render(request, template, {**facts, "staff": staff, "section": section}, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


def _is_there(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True
