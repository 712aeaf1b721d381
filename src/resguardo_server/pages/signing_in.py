"""Signing in: the accounts, the second factor, what a session proves, and who is told of it.

allauth leads through the steps; here stands what this house decides: nobody opens an account alone, every
guess is counted, codes are kept sealed, a session remembers whether a second factor opened it, and a change
of password or factor ends all other sessions.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.account.signals import password_changed, password_set
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from resguardo_server.actions import members
from resguardo_server.pages.lock_out import begin_guess, network_of
from resguardo_server.pages.members import device_in_words
from resguardo_server.session_store import OPENED, SEEN
from resguardo_server.staff_secrets import opened, sealed

SECOND_FACTOR = "second_factor"
"""In a session: whose second factor opened it. Without it, a session is nobody's."""
OURS, THEIRS = "ours", "theirs"
NOTED = "noted"
"""In a session: that it stands in the list of the member's sessions."""
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)

NEWSROOM = "/edit/"
MY_ACCOUNT = "/me/"
HOMES = {
    "data_protection_officer": "/protection/",
    "supervisor": "/people/",
    "caseworker": "/people/",
    "intake_worker": "/people/",
    "trainer": "/people/",
    "programme_manager": "/forms/",
    "administrator": "/setup/",
}
"""Where a role begins its day, as soon as there is such a page; the first role that has one wins."""


WAYS_TO_CONFIRM = {
    "reauthenticate": _("With my password"),
    "mfa_reauthenticate": _("With a code"),
    "mfa_reauthenticate:webauthn": _("With my passkey"),
}


class ClosedAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody opens an account alone: an administrator of the institution makes it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The network, which is all that limits need and all that the list of sessions keeps."""
        return network_of(request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The ways to confirm that it is still she, in our words."""
        known: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**one, "description": WAYS_TO_CONFIRM.get(one["id"], one["description"])} for one in known]

    def get_login_stages(self) -> list[str]:
        stages: list[str] = super().get_login_stages()
        ours = f"{SecondFactor.__module__}.{SecondFactor.__qualname__}"
        theirs = f"{AuthenticateStage.__module__}.{AuthenticateStage.__qualname__}"
        return [ours if stage == theirs else stage for stage in stages]

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """A password is a guess until it was right."""
        guess = begin_guess(request, str(credentials.get("email") or ""))
        member = super().authenticate(request, **credentials)
        if member is not None:
            guess.was_right()
        return member

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """First a second factor; then where the member's work is."""
        if not has_second_factor(request):
            return reverse("mfa_activate_totp")
        return home_of(request.user)

    def post_login(self, request: HttpRequest, user: Any, **words: Any) -> HttpResponse:
        """Whoever has just given the password and must set up a second factor is not asked for it again."""
        institution = (words.get("signal_kwargs") or {}).get("sociallogin")
        if institution is not None:
            note_institution(request, user, institution)
        elif not is_mfa_enabled(user):
            reauthenticate_by_password(request)
        answer: HttpResponse = super().post_login(request, user, **words)
        return answer


def home_of(member: Any) -> str:
    """Where the member begins: the newsroom, the page of her role, else her own account."""
    if member.has_perm("wagtailadmin.access_admin"):
        return NEWSROOM
    roles = members.roles_of(member)
    for role, address in HOMES.items():
        if role in roles and _is_there(address):
            return address
    return MY_ACCOUNT


def _is_there(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True


# The second factor


class SecondFactor(AuthenticateStage):  # type: ignore[misc]
    """The step that asks for a code or a passkey, unless the institution's own sign-in has just done so."""

    def _should_handle(self, request: HttpRequest) -> bool:
        institution = (self.login.signal_kwargs or {}).get("sociallogin")
        if institution is not None and gave_second_factor(self.login.user, institution):
            return False
        return bool(super()._should_handle(request))


def gave_second_factor(member: Any, institution: Any) -> bool:
    """Whether the institution's sign-in proved a second factor that counts for all that the member may do.

    It does not count for somebody who also acts for another institution, or who administers the whole
    installation: one institution's sign-in must not open what is another's.
    """
    app = institution.provider.app
    return institution_claims_say_so(app.settings, institution.account.extra_data) and members.acts_only_for(
        member, app.provider_id
    )


KNOWN_ACR = frozenset(
    {
        "phr",
        "phrh",
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
        "https://refeds.org/profile/mfa",
    }
)
"""Values of `acr` that mean several factors: OpenID EAP ACR values, PAPE, REFEDS MFA."""


def institution_claims_say_so(app_settings: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Whether the signed claims tell of several factors: `amr` with `mfa` (RFC 8176), or a known `acr`."""
    methods = claims.get("amr")
    if isinstance(methods, list) and "mfa" in methods:
        return True
    known = KNOWN_ACR | frozenset(app_settings.get("second_factor_acr") or ())
    acr = claims.get("acr")
    return isinstance(acr, str) and acr in known


INSTITUTION_CONFIRMED = "institution_confirmed_at"
INSTITUTION = "signed_in_with"


def note_institution(request: HttpRequest, member: Any, institution: Any) -> None:
    """The session remembers which institution opened it, and when that one last saw her credentials."""
    claims = institution.account.extra_data
    request.session[INSTITUTION] = institution.provider.app.provider_id
    when = claims.get("auth_time")
    if isinstance(when, int | float) and when <= time.time() + 60:
        request.session[INSTITUTION_CONFIRMED] = when
    if gave_second_factor(member, institution):
        request.session[SECOND_FACTOR] = THEIRS


def has_second_factor(request: HttpRequest) -> bool:
    """Whether this session was opened with a second factor that still stands."""
    whose = request.session.get(SECOND_FACTOR)
    return whose == THEIRS or (whose == OURS and is_mfa_enabled(request.user, FACTORS))


class SealedCodes(DefaultMFAAdapter):  # type: ignore[misc]
    """The keys of codes lie in the table sealed; the last second factor cannot be taken off."""

    USE = "second factor"

    def encrypt(self, text: str) -> str:
        return sealed(text.encode(), self.USE)

    def decrypt(self, encrypted_text: str) -> str:
        octets = opened(encrypted_text, self.USE)
        if octets is None:  # another secret, or not ours: no code is right
            raise self.validation_error("incorrect_code")
        return octets.decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """What the device says of itself, for its owner to change."""
        return device_in_words(context.request.headers.get("User-Agent", ""))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        known: dict[str, str] = super().get_public_key_credential_rp_entity()
        return known | {"name": "Resguardo"}


class _CountedCode:
    """A code that is written by hand is a guess until it was right."""

    user: Any

    def clean_code(self) -> str:
        guess = begin_guess(context.request, self.user.email)
        code: str = super().clean_code()  # type: ignore[misc]
        guess.was_right()
        return code


class _CountedPasskey:
    """A passkey's answer is a guess until it was right, for the account that it names."""

    user: Any

    def clean_credential(self) -> Any:
        answer = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        webauthn.parse_authentication_response(answer)
        member = self.user or webauthn.extract_user_from_response(answer)
        guess = begin_guess(context.request, member.email)
        proved = super().clean_credential()  # type: ignore[misc]
        guess.was_right()
        return proved


class CodeForm(_CountedCode, AuthenticateForm):  # type: ignore[misc]
    """The code after the password."""


class CodeAgainForm(_CountedCode, ReauthenticateForm):  # type: ignore[misc]
    """The code of somebody who is in and confirms that it is still she."""


class PasskeyAfterPasswordForm(_CountedPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey after the password."""


class PasskeyAgainForm(_CountedPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """The passkey of somebody who is in and confirms that it is still she."""


class PasskeyAloneForm(_CountedPasskey, LoginWebAuthnForm):  # type: ignore[misc]
    """The passkey that opens alone, with fingerprint, face or PIN."""


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey has a name that its owner understands, and opens alone only if she says so."""

    def __init__(self, *words: Any, **settings: Any) -> None:
        super().__init__(*words, **settings)
        self.fields["name"].label = _("Name of this device")
        self.fields["passwordless"].label = _("Sign in with this passkey alone, without password or code")
        self.fields["passwordless"].help_text = ""


# What a session begins with, and what ends it


@receiver(user_logged_in, dispatch_uid="session begins")
def session_begins(sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
    """Its hours count from here; a member with a factor of ours has just given it: no way leads past that."""
    request.session[OPENED] = request.session[SEEN] = time.time()
    note_use(request, user)
    if is_mfa_enabled(user, FACTORS):
        request.session[SECOND_FACTOR] = OURS
    else:
        request.session.pop(SECOND_FACTOR, None)
    members.clear_ended_sessions()


def note_use(request: HttpRequest, member: Any) -> None:
    """The list of the member's sessions says that this one was used now, from that network."""
    if request.session.session_key is None:
        request.session.create()
    request.session[NOTED] = True
    members.note_session(
        member,
        str(request.session.session_key),
        network_of(request),
        request.META.get("HTTP_USER_AGENT", ""),
        timezone.now(),
    )


@receiver(authenticator_added, dispatch_uid="factor added")
def factor_added(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **more: Any) -> None:
    """Whoever has just shown that she holds a factor has given it; sessions that began without it end."""
    if authenticator.type in FACTORS:
        request.session[SECOND_FACTOR] = OURS
    end_other_sessions(request, user)


@receiver(authenticator_removed, dispatch_uid="factor removed")
@receiver(authenticator_reset, dispatch_uid="factor reset")
@receiver(password_changed, dispatch_uid="password changed")
@receiver(password_set, dispatch_uid="password set")
def credentials_changed(sender: Any, request: HttpRequest, user: Any, **more: Any) -> None:
    """A change of password or factor ends all other sessions."""
    end_other_sessions(request, user)


def end_other_sessions(request: HttpRequest, member: Any) -> int:
    """Every session of the member but this one ends; says how many."""
    return members.end_sessions(member, but=request.session.session_key)
