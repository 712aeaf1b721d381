"""What every page does before and after it is shown: second factor, script and style policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

Answer = Callable[[HttpRequest], HttpResponse]

NEWSROOM = "/edit/"
BEHIND_SECOND_FACTOR = (NEWSROOM, "/me/")


class ClosedAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody opens an account alone: an administrator of the institution makes it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """First a second factor; then the newsroom for whoever works there, the front door for the others."""
        if not is_mfa_enabled(request.user):
            return reverse("mfa_activate_totp")
        return NEWSROOM if request.user.has_perm("wagtailadmin.access_admin") else "/"

    def post_login(self, request: HttpRequest, user: Any, **words: Any) -> HttpResponse:
        """Whoever has just given the password and must set up a second factor is not asked for it again."""
        if not is_mfa_enabled(user):
            reauthenticate_by_password(request)
        answer: HttpResponse = super().post_login(request, user, **words)
        return answer


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey has a name that its owner understands, and opens alone only if she says so."""

    def __init__(self, *words: Any, **settings: Any) -> None:
        super().__init__(*words, **settings)
        self.fields["name"].label = _("Name of this device")
        self.fields["passwordless"].label = _("Sign in with this passkey alone, without password or code")
        self.fields["passwordless"].help_text = ""


def second_factor(answer: Answer) -> Answer:
    """A member without a second factor sees nothing but the page that sets one up.

    Who has one and no work in the newsroom is told so there, instead of being sent to sign in again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        member = request.user
        if member.is_authenticated and request.path_info.startswith(BEHIND_SECOND_FACTOR):
            if not is_mfa_enabled(member):
                return redirect(reverse("mfa_activate_totp"))
            if request.path_info.startswith(NEWSROOM) and not member.has_perm("wagtailadmin.access_admin"):
                raise PermissionDenied
        return answer(request)

    return middleware


def newsroom_styles(answer: Answer) -> Answer:
    """The newsroom alone may use style attributes, which its editor cannot do without."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path_info.startswith(NEWSROOM):
            response._csp_update = {"style-src": ["'unsafe-inline'"]}  # type: ignore[attr-defined]
        return response

    return middleware


def every_page(request: HttpRequest) -> dict[str, Any]:
    """What every template may use: the language of the page and whether this is the invented region."""
    return {
        "page_language": get_language() or settings.LANGUAGE_CODE,
        "languages": settings.LANGUAGES,
        "demo": settings.DEMO,
    }
