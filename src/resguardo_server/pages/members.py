"""A member's own account: who she is here, her keys, and where she is signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from resguardo_server.actions import members

ROLES = {
    "intake_worker": pgettext_lazy("role", "reception"),
    "caseworker": pgettext_lazy("role", "case work"),
    "supervisor": pgettext_lazy("role", "supervision"),
    "trainer": pgettext_lazy("role", "training"),
    "data_protection_officer": pgettext_lazy("role", "data protection"),
    "programme_manager": pgettext_lazy("role", "programmes and forms"),
    "press_officer": pgettext_lazy("role", "newsroom"),
    "administrator": pgettext_lazy("role", "administration"),
    "operator": pgettext_lazy("role", "operation of the machine"),
}

BROWSERS = (
    ("Edge", r"Edgi?A?(?:OS)?/"), ("Opera", r"OPR/|Opera"), ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"), ("Chrome", r"Chrome/|CriOS/|Chromium/"), ("Safari", r"Safari/"),
)  # fmt: skip
SYSTEMS = (
    ("Android", r"Android"), ("iPhone", r"iPhone"), ("iPad", r"iPad"), ("Windows", r"Windows"),
    ("Chromebook", r"CrOS"), ("Mac", r"Macintosh"), ("Linux", r"Linux|X11"),
)  # fmt: skip
"""What a browser says of itself -> the word that its owner knows; the first that fits."""


@dataclass(frozen=True)
class ShownSession:
    """A session in words."""

    id: int
    device: str
    network: str
    began: datetime
    seen: datetime
    just_now: bool
    is_this: bool


def device_in_words(told: str) -> str:
    """ "Firefox on Android", from what a browser says of itself; it may say anything."""
    browser = next((name for name, mark in BROWSERS if re.search(mark, told)), "")
    system = next((name for name, mark in SYSTEMS if re.search(mark, told)), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or gettext("A device that does not say what it is")


def network_in_words(first: str) -> str:
    """The network without the device in it: `203.0.113.x`, `2001:db8:ab:…`."""
    if first == "::":
        return gettext("this machine")
    if ":" in first:
        return first.removesuffix("::") + ":…"
    return first.rpartition(".")[0] + ".x"


@require_safe
def my_account(request: HttpRequest) -> HttpResponse:
    """Who the member is, for which institutions she acts, and what opens her account."""
    member: Any = request.user
    work = [
        (one.institution, [ROLES.get(role, role) for role in one.roles]) for one in members.work_of(member)
    ]
    factors = list(Authenticator.objects.filter(user=member))
    codes = [one.wrap() for one in factors if one.type == Authenticator.Type.RECOVERY_CODES]
    facts = {
        "work": work,
        "has_code": any(one.type == Authenticator.Type.TOTP for one in factors),
        "passkeys": [one.wrap().name for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].get_unused_codes()) if codes and _is_readable(codes[0]) else 0,
        "sessions": len(members.sessions_of(member, request.session.session_key, timezone.now())),
    }
    return render(request, "members/account.html", facts)


def _is_readable(codes: Any) -> bool:
    try:
        decrypt(codes.instance.data.get("seed", ""))
    except ValidationError:
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
def my_sessions(request: HttpRequest) -> HttpResponse:
    """Where the member is signed in; ends one session, or all but this one."""
    member: Any = request.user
    key = request.session.session_key
    if request.method == "POST":
        which = request.POST.get("session", "")
        if which == "others":
            members.end_sessions(member, but=key)
            messages.success(request, gettext("All your other sessions are closed."))
        elif which.isascii() and which.isdigit() and members.end_session(member, int(which[:18])):
            messages.success(request, gettext("That session is closed."))
        return redirect("my_sessions")
    now = timezone.now()
    found = [
        ShownSession(
            one.id,
            device_in_words(one.device),
            network_in_words(one.network),
            one.began,
            one.seen,
            now - one.seen < timedelta(minutes=1),
            one.is_this,
        )
        for one in members.sessions_of(member, key, now)
    ]
    return render(request, "members/sessions.html", {"sessions": found})
