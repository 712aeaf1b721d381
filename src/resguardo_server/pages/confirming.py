"""It is still she: what cannot be taken back asks for a password, a code or a passkey of the last 15 minutes.

For data that leave (export, referral), for erasing and for opening in an emergency::

    @needs_fresh_sign_in
    def export(request): ...

Whoever signed in or confirmed less than 15 minutes ago notices nothing. From anybody else the form comes back
on a page that asks who she is and carries what she wrote, in her browser alone: nothing of it is kept here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from resguardo_server.pages.signing_in import (
    FACTORS,
    INSTITUTION,
    INSTITUTION_CONFIRMED,
    CodeAgainForm,
    PasskeyAgainForm,
)

Page = Callable[..., HttpResponse]

WORD, PASSKEY, TO_READ = "confirm_with", "confirm_passkey", "confirm_to_read"
"""The fields of the page that asks; they never reach the page that was asked for."""
NOT_CARRIED = (WORD, PASSKEY, TO_READ, "csrfmiddlewaretoken")


def fresh(request: HttpRequest) -> bool:
    """Whether this session's member gave a password, a code or a passkey in the last 15 minutes.

    A sign-in with an institution's own accounts counts from the moment at which its provider last saw her
    credentials (`auth_time`), and not where the provider does not say it.
    """
    if not request.user.is_authenticated:
        return False
    now = time.time()
    given = [
        record.get("at")
        for record in get_authentication_records(request, request.user)
        if record.get("method") in ("password", "mfa")
    ]
    given.append(request.session.get(INSTITUTION_CONFIRMED))
    return any(
        isinstance(when, int | float) and 0 <= now - when < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        for when in given
    )


def needs_fresh_sign_in(page: Page | None = None, *, reading: bool = False) -> Any:
    """The page does what it does only for somebody who is `fresh`; with `reading`, it is shown to no other.

    Without `reading`, the form can be seen and filled in: only sending it asks.
    """

    def guarded(page: Page) -> Page:
        @wraps(page)
        def asking(request: HttpRequest, *words: Any, **names: Any) -> HttpResponse:
            if request.method in ("GET", "HEAD", "OPTIONS"):
                if reading and not fresh(request):
                    return _ask(request, [], to_read=True)
                return page(request, *words, **names)
            wrong: list[str] = []
            if WORD in request.POST or PASSKEY in request.POST:
                wrong = list(_confirm(request))
                sent = request.POST.copy()
                to_read = bool(sent.get(TO_READ))
                for name in (WORD, PASSKEY, TO_READ):
                    sent.pop(name, None)
                sent._mutable = False
                request.POST = sent  # type: ignore[assignment]
                if to_read and (wrong or not fresh(request)):
                    return _ask(request, wrong, to_read=True)
                if to_read:
                    return redirect(request.get_full_path())
            if wrong or not fresh(request):
                return _ask(request, wrong)
            return page(request, *words, **names)

        return asking

    return guarded(page) if page is not None else guarded


def _confirm(request: HttpRequest) -> Iterator[str]:
    """Takes what the page asked for, and says what is wrong with it."""
    member = request.user
    if request.POST.get(PASSKEY):
        form = PasskeyAgainForm(user=member, data={"credential": request.POST[PASSKEY]})
        if form.is_valid():
            form.save()
        else:
            yield from form.errors.get("credential", [])
        return
    word = request.POST.get(WORD, "")
    digits = "".join(word.split())
    if digits.isascii() and digits.isdigit():
        form = CodeAgainForm(user=member, data={"code": digits})
        if form.is_valid():
            form.save()
        else:
            yield from form.errors.get("code", [])
        return
    try:
        right = bool(word) and get_adapter().reauthenticate(member, word)
    except ValidationError as fault:
        yield from fault.messages
        return
    if right:
        reauthenticate_by_password(request)
    else:
        yield _("That is not your password and not a code of yours.")


def _ask(request: HttpRequest, wrong: list[str], *, to_read: bool = False) -> HttpResponse:
    """The page that asks who she is, with what she wrote inside it."""
    member: Any = request.user
    institution = request.session.get(INSTITUTION)
    facts: dict[str, Any] = {
        "wrong": wrong,
        "to_read": to_read,
        "address": request.get_full_path(),
        "carried": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in NOT_CARRIED
            for value in values
        ],
        "back": _where_from(request),
        "files": bool(request.FILES),
        "can_write": member.has_usable_password() or is_mfa_enabled(member, ["totp"]),
        "again": institution
        and reverse("openid_connect_login", kwargs={"provider_id": institution})
        + "?"
        + urlencode({"again": "1", "next": request.get_full_path()}),
    }
    if is_mfa_enabled(member, [FACTORS[1]]):
        facts["passkey"] = {"request_options": webauthn.begin_authentication(member)}
    answer = render(request, "members/confirm.html", facts)
    answer["Cache-Control"] = "no-store"
    return answer


def _where_from(request: HttpRequest) -> str:
    """The page of ours that she sent this from, else the place that it was sent to."""
    told = urlsplit(request.headers.get("Referer", ""))
    if told.netloc == request.get_host() and told.path.startswith("/"):
        return told.path + (f"?{told.query}" if told.query else "")
    return request.get_full_path()
