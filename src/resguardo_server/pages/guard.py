"""What stands before every page: who may come in at all, how long a session lives, what no page may do.

Whatever is not named here as public is closed: to strangers, and to members whose session was opened without
a second factor. A page that is written later is closed until somebody names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from csp.constants import SELF, UNSAFE_INLINE
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language

from resguardo_server.pages.signing_in import FACTORS, NEWSROOM, NOTED, has_second_factor, note_use
from resguardo_server.safe_start import refuse_unsafe_start
from resguardo_server.session_store import SEEN

Answer = Callable[[HttpRequest], HttpResponse]

PUBLIC = {
    "/": "the front door",
    "/i18n/setlang/": "keeps the language that a reader chose",
    "/edit/sprite/": "drawings of the newsroom's signs",
    "/edit/jsi18n/": "words for the newsroom's scripts",
    "/enter/": "leads to signing in",
    "/leave": "leaves fast",
    "/enter/login/": "signs in",
    "/enter/logout/": "signs out",
    "/enter/signup/": "says that nobody opens an account alone",
    "/enter/inactive/": "says that the account is closed",
    "/enter/2fa/authenticate/": "takes the code of somebody who has given a password, and leads away others",
    "/enter/2fa/webauthn/login/": "signs in with a passkey",
}
"""Address -> why whoever comes may see it."""
PUBLIC_BELOW = {
    **{f"/{code}/": "the public site" for code, _ in settings.LANGUAGES},
    "/documents/": "documents that the newsroom published",
    "/enter/oidc/": "signs in with an institution's own accounts",
    "/witness/": "journals of other institutions, signed: they hold nobody",
    "/r/": "where a receipt's code leads",
    "/mine/": "what a person sees with her receipt: its pages ask for that",
    "/leave/": "leaves fast",
}
"""Beginning of addresses -> why whoever comes may see them."""
NOT_OFFERED = (
    "/enter/email/",
    "/enter/confirm-email/",
    "/enter/login/code/",
    "/enter/password/reset/",
    "/enter/password/set/",
    "/enter/3rdparty/",
    "/enter/social/",
)
"""What allauth could do and this house does not: addresses and lost passwords are an administrator's affair,
and an institution's sign-in links nothing."""
SETTING_UP = ("/enter/2fa/totp/activate/", "/enter/2fa/webauthn/add/", "/enter/reauthenticate/")
"""All that a member without a second factor can reach."""
NO_USE = ("/edit/editing-sessions/",)
"""What a page asks by itself while nobody is there: it does not keep a session open."""
SEEN_EVERY = 30
"""Seconds between two notes that a session is used."""

DENIED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join(
    [f"{name}=()" for name in DENIED_FEATURES]
    + ["publickey-credentials-get=(self)", "publickey-credentials-create=(self)"]
)

NEWSROOM_POLICY: Mapping[str, Any] = {
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "frame-src": [SELF],
    "frame-ancestors": [SELF],
    "require-trusted-types-for": None,
    "trusted-types": None,
}
"""What Wagtail needs: it writes style attributes, shows previews in frames, makes HTML by script."""


def is_public(path: str) -> bool:
    """Whether anybody may see what is there."""
    return path in PUBLIC or path.startswith(tuple(PUBLIC_BELOW))


class Guard:
    """Lets in whoever may come in; what it lets nobody keep, no cache keeps."""

    def __init__(self, answer: Answer) -> None:
        refuse_unsafe_start(address=settings.ADDRESS, secret=settings.SECRET_KEY, debug=settings.DEBUG)
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if not is_public(request.path_info) or request.path_info.startswith("/enter/"):
            response["Cache-Control"] = "no-store"
        rests = getattr(request, "sign_in_rests_for", None)
        if rests is not None:
            response.status_code = 429 if response.status_code == 200 else response.status_code
            response["Retry-After"] = str(max(1, int(rests.total_seconds())))
        return response

    def process_view(self, request: HttpRequest, view: Any, words: Any, names: Any) -> HttpResponse | None:
        """Refuses, leads to signing in or to setting up a second factor; None lets the page answer."""
        path = request.path_info
        if path.startswith(NOT_OFFERED):
            raise Http404
        if is_public(path):
            return None
        member = request.user
        if not member.is_authenticated:
            return _to_sign_in(request)
        if not has_second_factor(request):
            if is_mfa_enabled(member, FACTORS):  # this session began without it
                logout(request)
                return _to_sign_in(request)
            return None if path in SETTING_UP else redirect("mfa_activate_totp")
        if path.startswith(NEWSROOM) and not member.has_perm("wagtailadmin.access_admin"):
            raise PermissionDenied
        if not path.startswith(NO_USE):
            _note_use(request)
        return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in and back here; says there that a session ended, where there was one."""
    asked = {}
    if request.method in ("GET", "HEAD"):
        asked["next"] = request.get_full_path()
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        asked["ended"] = "1"
    enter = reverse("account_login")
    return redirect(f"{enter}?{urlencode(asked, safe='/')}" if asked else enter)


def _note_use(request: HttpRequest) -> None:
    now = time.time()
    if NOTED not in request.session or now - request.session.get(SEEN, 0) >= SEEN_EVERY:
        request.session[SEEN] = now
        note_use(request, request.user)


def page_policy(answer: Answer) -> Answer:
    """The newsroom may do what its editor cannot do without; all other pages keep the whole policy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path_info.startswith(NEWSROOM):
            response._csp_replace = NEWSROOM_POLICY  # type: ignore[attr-defined]
            response["X-Frame-Options"] = "SAMEORIGIN"
            told = response.get("Content-Security-Policy")
            if told:  # a preview: the public page as it is, but inside the newsroom's frame
                response["Content-Security-Policy"] = told.replace(
                    "frame-ancestors 'none'", "frame-ancestors 'self'"
                )
        return response

    return middleware


def headers(answer: Answer) -> Answer:
    """What every answer carries, files included."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware


def every_page(request: HttpRequest) -> dict[str, Any]:
    """What every template may use: the language of the page, whether this is the invented region,
    after how long without use a session ends."""
    return {
        "page_language": get_language() or settings.LANGUAGE_CODE,
        "languages": settings.LANGUAGES,
        "demo": settings.DEMO,
        "idle_minutes": settings.IDLE_SECONDS // 60,
    }
