"""Signing in with an institution's own accounts (OpenID Connect).

Only a member that exists, is active, belongs to that institution and has the address that its provider tells
as verified comes in; nobody is made, nothing is linked, and what the provider says counts for this session.
The token is always checked by its signature against the provider's published keys.
"""

from __future__ import annotations

import logging
from typing import Any

import jwt
from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

from resguardo_server.actions import members
from resguardo_server.staff_secrets import opened

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures by a private key that the provider alone holds."""
KEPT_CLAIMS = ("iss", "sub", "acr", "amr", "auth_time")
"""What a session may remember of a token: nothing that says who somebody is."""
SAY_AGAIN = {"prompt": "login", "max_age": "0"}
"""Asks the provider to see her credentials anew."""

log = logging.getLogger(__name__)


class MembersOnly(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """An institution's provider says who somebody is; whether she comes in, its members' list says."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: Any) -> None:
        """Never by allauth's own ways, which look for the address alone."""
        return None

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        """The institutions' sign-ins; the client's secret is opened here and nowhere else."""
        apps = super().list_apps(request, provider=provider, client_id=client_id)
        for app in apps:
            app.secret = (opened(app.secret, members.OPENID, app.provider_id) or b"").decode()
        return list(apps)

    def get_provider(self, request: HttpRequest, provider: Any, client_id: Any = None) -> Any:
        found = super().get_provider(request, provider, client_id=client_id)
        found.oauth2_adapter_class = SignedTokens
        return found

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Lets in the member that this is; anybody else gets the same page, whatever was wrong."""
        claims = sociallogin.account.extra_data.get("id_token") or {}
        slug = sociallogin.provider.app.provider_id
        told = [address.email for address in sociallogin.email_addresses if address.verified]
        member = members.member_of_institution(slug, told)
        if member is None or sociallogin.state.get("process") != "login":
            log.warning("A sign-in with the accounts of %s was refused", slug)
            raise ImmediateHttpResponse(refusal(request))
        sociallogin.user = member
        sociallogin._did_authenticate_by_email = None
        sociallogin.token = None
        sociallogin.email_addresses = []
        sociallogin.account.extra_data = {name: claims[name] for name in KEPT_CLAIMS if name in claims}

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **more: Any
    ) -> None:
        """The same page for whatever went wrong; the log says the kind of fault."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(redirect(reverse("account_login")))
        kind = type(exception).__name__ if exception is not None else error
        log.warning("A sign-in with the accounts of an institution failed (%s)", kind)
        raise ImmediateHttpResponse(refusal(request))


def refusal(request: HttpRequest) -> HttpResponse:
    """The page for whoever the institution's sign-in does not open."""
    return render(request, "socialaccount/refused.html", status=403)


class SignedTokens(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """OpenID Connect as the standard has it: the issuer is who we asked, the token is signed and for us."""

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            try:
                known: dict[str, Any] = super().openid_config
            except (AttributeError, TypeError, ValueError) as fault:
                raise OAuth2Error("what the provider says of itself cannot be read") from fault
            issuer = str(self.get_provider().app.settings["server_url"]).rstrip("/")
            if str(known.get("issuer", "")).rstrip("/") != issuer:
                del self._openid_config
                raise OAuth2Error("the provider names another issuer")
            for end in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not members.is_safe_address(str(known.get(end, ""))):
                    del self._openid_config
                    raise OAuth2Error("the provider names an address that can be read on the way")
        found: dict[str, Any] = self._openid_config
        return found

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **more: Any) -> Any:
        claims = self._decode_id_token(app, str(more["response"].get("id_token") or ""))
        if "email" not in claims and app.settings.get("ask_for_address"):
            told = self._fetch_user_info(token.token)
            if told.get("sub") != claims["sub"]:
                raise OAuth2Error("the address is somebody else's")
            claims |= {name: told[name] for name in ("email", "email_verified") if name in told}
        claims["email_verified"] = claims.get("email_verified") in (True, "true")
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            algorithm = jwt.get_unverified_header(id_token).get("alg")
        except jwt.PyJWTError as fault:
            raise OAuth2Error("no token") from fault
        if algorithm not in ALGORITHMS:
            raise OAuth2Error("a token that anybody could have signed")
        try:
            claims: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
                verify_signature=True,
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise OAuth2Error("a token or a key that cannot be read") from fault
        if not {"sub", "exp", "iat"} <= claims.keys():
            raise OAuth2Error("a token without a subject or an end")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("a token for somebody else")
        return claims


@login_not_required  # type: ignore[untyped-decorator]
@never_cache
@require_GET
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Leads to the institution's provider.

    A link and not a form: the policy of our pages lets no form lead to another host. Another site cannot
    start it in somebody's browser; with `again`, the provider is asked to see her credentials anew.
    """
    if request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
        return redirect(reverse("account_login"))
    asked = QueryDict(mutable=True)
    if "next" in request.GET:
        asked["next"] = request.GET["next"]
    if "again" in request.GET:
        asked["auth_params"] = "&".join(f"{name}={value}" for name, value in SAY_AGAIN.items())
    request.GET = asked  # type: ignore[assignment]
    return _with(OAuth2LoginView, request, provider_id)


@login_not_required  # type: ignore[untyped-decorator]
@never_cache
@require_GET
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the provider sends her back to, with a code for us alone."""
    return _with(OAuth2CallbackView, request, provider_id)


def _with(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        answer: HttpResponse = view.adapter_view(SignedTokens(request, provider_id))(request)
    except SocialApp.DoesNotExist as none:
        raise Http404 from none
    except (OAuth2Error, RequestException):
        log.warning("A sign-in with the accounts of an institution failed")
        return refusal(request)
    return answer
