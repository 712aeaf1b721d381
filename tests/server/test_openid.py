"""An institution's own accounts open the door for its own members, and for nobody else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from tests.openid_provider import CLIENT, SECRET, Provider, provider_running
from tests.people import House, make_house
from tests.signed_in import PASSWORD, code_now, with_factor

from resguardo.values import Refused
from resguardo_server.actions.members import (
    InstitutionSignIn,
    end_institution_sign_in,
    set_institution_sign_in,
)
from resguardo_server.languages_build import compile_messages
from resguardo_server.models import Member, Membership

SHELTER = "albergue-tapachula"
BEGIN = f"/enter/oidc/{SHELTER}/login/"
MFA = {"amr": ["pwd", "mfa"]}


@pytest.fixture
def house(db: None) -> House:
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    cache.clear()
    return make_house()


@pytest.fixture
def provider(house: House) -> Iterator[Provider]:
    with provider_running() as running:
        set_institution_sign_in(SHELTER, InstitutionSignIn(running.address, CLIENT, SECRET))
        yield running


@pytest.fixture
def ana(house: House) -> Member:
    return Member.objects.get(email=house.ana.name)


def come(client: Client, begin: str = BEGIN) -> Any:
    """She presses the button, her institution sends her back; what she then sees."""
    answer = client.get(begin, headers={"accept-language": "es"})
    assert answer.status_code == 302, answer.content
    there = requests.get(answer["Location"], allow_redirects=False, timeout=5)
    back = urlsplit(there.headers["Location"])
    return client.get(f"{back.path}?{back.query}", headers={"accept-language": "es"})


def is_in(client: Client) -> bool:
    return bool(client.get("/me/").status_code == 200)


def is_refused(answer: Any) -> bool:
    return bool(answer.status_code == 403 and "No pudo entrar" in answer.content.decode())


# Who comes in


def test_a_member_whose_institution_asked_for_two_factors_comes_in(provider: Provider, ana: Member) -> None:
    provider.who_is(ana.email, **MFA)
    client = Client()
    assert come(client)["Location"] == "/people/"
    assert is_in(client)
    assert client.get("/me/").context["user"] == ana


def test_without_a_second_factor_there_ours_is_asked_for(provider: Provider, ana: Member) -> None:
    with_factor(ana)
    provider.who_is(ana.email, amr=["pwd"])
    client = Client()
    assert come(client)["Location"] == "/enter/2fa/authenticate/"
    assert not is_in(client)
    client.post("/enter/2fa/authenticate/", {"code": code_now()})
    assert is_in(client)


def test_without_a_second_factor_anywhere_she_sees_only_the_page_that_sets_one_up(
    provider: Provider, ana: Member
) -> None:
    provider.who_is(ana.email)
    client = Client()
    assert come(client)["Location"] == "/enter/2fa/totp/activate/"
    assert client.get("/me/")["Location"] == "/enter/2fa/totp/activate/"


@pytest.mark.parametrize(
    ("claims", "enough"),
    [
        ({"amr": ["mfa"]}, True),
        ({"acr": "phr"}, True),
        ({"acr": "phrh"}, True),
        ({"acr": "https://refeds.org/profile/mfa"}, True),
        ({"acr": "http://schemas.openid.net/pape/policies/2007/06/multi-factor"}, True),
        ({"acr": "plata"}, False),
        ({"acr": "oro"}, True),
        ({"amr": ["pwd", "otp"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": None, "acr": ["phr"]}, False),
        ({"acr": "0"}, False),
        ({}, False),
    ],
)
def test_only_what_says_several_factors_counts_as_several(
    provider: Provider, ana: Member, claims: dict[str, Any], enough: bool
) -> None:
    set_institution_sign_in(
        SHELTER, InstitutionSignIn(provider.address, CLIENT, SECRET, second_factor_acr=("oro",))
    )
    provider.who_is(ana.email, **claims)
    client = Client()
    come(client)
    assert is_in(client) is enough


def test_one_institutions_word_does_not_open_what_is_anothers(
    house: House, provider: Provider, ana: Member
) -> None:
    """She also acts for the ministry: its records are not opened by the shelter's provider alone."""
    with_factor(ana)
    Membership.objects.create(member=ana, institution=house.ministry, role="caseworker")
    provider.who_is(ana.email, **MFA)
    client = Client()
    assert come(client)["Location"] == "/enter/2fa/authenticate/"
    assert not is_in(client)


def test_who_administers_everything_gives_our_factor_too(provider: Provider, ana: Member) -> None:
    with_factor(ana)
    Member.objects.filter(pk=ana.pk).update(is_superuser=True)
    provider.who_is(ana.email, **MFA)
    client = Client()
    come(client)
    assert not is_in(client)


# Who does not


def test_nobody_is_made_by_it(provider: Provider) -> None:
    before = set(Member.objects.values_list("email", flat=True))
    provider.who_is("nueva@albergue.example", **MFA)
    client = Client()
    assert is_refused(come(client))
    assert set(Member.objects.values_list("email", flat=True)) == before
    assert not is_in(client)


def test_a_member_of_another_institution_does_not_come_in(house: House, provider: Provider) -> None:
    provider.who_is(house.carla.name, **MFA)
    client = Client()
    assert is_refused(come(client))
    assert not is_in(client)


@pytest.mark.parametrize("verified", [False, None, "false", 0, "yes"])
def test_an_address_that_the_provider_does_not_vouch_for_opens_nothing(
    provider: Provider, ana: Member, verified: Any
) -> None:
    provider.who_is(ana.email, email_verified=verified, **MFA)
    assert is_refused(come(Client()))


def test_the_institutions_own_domain_may_be_vouched_for_once_and_for_all(
    provider: Provider, ana: Member
) -> None:
    set_institution_sign_in(
        SHELTER,
        InstitutionSignIn(provider.address, CLIENT, SECRET, own_domains=("albergue.example",)),
    )
    provider.who_is(ana.email, email_verified=None, **MFA)
    client = Client()
    come(client)
    assert is_in(client)
    provider.who_is("ana@otro.example", email_verified=None, **MFA)
    assert is_refused(come(Client()))


@pytest.mark.parametrize("what", ["inactive", "suspended", "gone"])
def test_a_member_who_is_none_any_more_does_not_come_in(provider: Provider, ana: Member, what: str) -> None:
    if what == "inactive":
        Member.objects.filter(pk=ana.pk).update(is_active=False)
    elif what == "suspended":
        ana.memberships.update(suspended_on="2026-01-01")
    else:
        ana.memberships.all().delete()
    provider.who_is(ana.email, **MFA)
    assert is_refused(come(Client()))


def test_every_refusal_is_the_same_page(house: House, provider: Provider, ana: Member) -> None:
    def told() -> str:
        """The page without what changes with each visit."""
        text = come(Client()).content.decode()
        return re.sub(r'value="(?:\w{64}|/enter/oidc/[^"]*)"', "", text)

    pages = set()
    for email in ("nadie@albergue.example", house.carla.name):
        provider.who_is(email, **MFA)
        pages.add(told())
    provider.who_is(ana.email, email_verified=False)
    pages.add(told())
    lies(provider, ana, "another key")
    pages.add(told())
    assert len(pages) == 1


def test_an_institution_that_has_no_such_sign_in_has_no_such_address(house: House) -> None:
    assert Client().get(BEGIN).status_code == 404
    assert Client().get(BEGIN + "callback/?code=x&state=y").status_code == 404


def test_a_sign_in_that_was_ended_opens_nothing(provider: Provider, ana: Member) -> None:
    assert end_institution_sign_in(SHELTER)
    assert Client().get(BEGIN).status_code == 404
    assert not end_institution_sign_in(SHELTER)


# Tokens


def lies(provider: Provider, ana: Member, how: str) -> None:
    provider.who_is(ana.email, **MFA)
    if how == "another key":
        provider.signs_with = provider.other_key
    elif how == "the published key as a password":
        provider.algorithm, provider.signs_with = "HS256", "x" * 64
    elif how == "no signature":
        provider.algorithm, provider.signs_with = "none", None
    elif how == "another issuer":
        provider.claims["iss"] = "https://otro.example"
    elif how == "another audience":
        provider.claims["aud"] = "otro"
    elif how == "several audiences, for another":
        provider.claims |= {"aud": [CLIENT, "otro"], "azp": "otro"}
    elif how == "ended":
        provider.claims["exp"] = int(time.time()) - 10
    elif how == "not begun":
        provider.claims["nbf"] = int(time.time()) + 600
    elif how == "no subject":
        provider.claims["sub"] = None
    elif how == "no end":
        provider.claims["exp"] = None
    elif how == "discovery names another issuer":
        provider.said = {"issuer": "http://127.0.0.1:1"}
    elif how == "keys over a readable way":
        provider.said = {"jwks_uri": "http://llaves.example/keys"}
    elif how == "keys nowhere":
        provider.said = {"jwks_uri": provider.address + "/nothing"}


LIES = (
    "another key", "the published key as a password", "no signature", "another issuer", "another audience",
    "several audiences, for another", "ended", "not begun", "no subject", "no end", "keys nowhere",
)  # fmt: skip


@pytest.mark.parametrize("how", LIES)
def test_a_token_that_is_not_whole_signed_and_for_us_opens_nothing(
    provider: Provider, ana: Member, how: str
) -> None:
    lies(provider, ana, how)
    client = Client()
    assert is_refused(come(client))
    assert not is_in(client)


@pytest.mark.parametrize("how", ["discovery names another issuer", "keys over a readable way"])
def test_a_provider_that_is_not_who_was_registered_is_not_even_asked(
    provider: Provider, ana: Member, how: str
) -> None:
    lies(provider, ana, how)
    assert is_refused(Client().get(BEGIN, headers={"accept-language": "es"}))


def test_a_provider_that_does_not_answer_is_a_sentence_and_no_fault(house: House) -> None:
    set_institution_sign_in(SHELTER, InstitutionSignIn("http://127.0.0.1:9", CLIENT, SECRET))
    assert is_refused(Client().get(BEGIN, headers={"accept-language": "es"}))


def test_a_token_with_several_audiences_for_us_is_for_us(provider: Provider, ana: Member) -> None:
    provider.who_is(ana.email, aud=[CLIENT, "otro"], azp=CLIENT, **MFA)
    client = Client()
    come(client)
    assert is_in(client)


def test_an_address_that_is_told_apart_must_be_of_the_same_subject(provider: Provider, ana: Member) -> None:
    set_institution_sign_in(
        SHELTER, InstitutionSignIn(provider.address, CLIENT, SECRET, ask_for_address=True)
    )
    provider.claims = {"sub": "s-1", **MFA}
    provider.userinfo = {"sub": "s-2", "email": ana.email, "email_verified": True}
    assert is_refused(come(Client()))
    provider.userinfo["sub"] = "s-1"
    client = Client()
    come(client)
    assert is_in(client)


def test_what_is_told_apart_says_nothing_of_factors(provider: Provider, ana: Member) -> None:
    """Only the signed token does."""
    set_institution_sign_in(
        SHELTER, InstitutionSignIn(provider.address, CLIENT, SECRET, ask_for_address=True)
    )
    provider.claims = {"sub": "s-1"}
    provider.userinfo = {"sub": "s-1", "email": ana.email, "email_verified": True, **MFA, "acr": "phr"}
    client = Client()
    come(client)
    assert not is_in(client)


# The way


def test_a_code_opens_once_and_only_in_the_browser_that_asked(provider: Provider, ana: Member) -> None:
    provider.who_is(ana.email, **MFA)
    client, thief = Client(), Client()
    asked = client.get(BEGIN)
    back = urlsplit(requests.get(asked["Location"], allow_redirects=False, timeout=5).headers["Location"])
    came_back = f"{back.path}?{back.query}&_redir="
    assert thief.get(came_back).status_code == 403
    assert not is_in(thief)
    client.get(came_back)
    assert is_in(client)
    client.post("/enter/logout/")
    assert client.get(came_back).status_code == 403
    assert not is_in(client)


def test_the_request_carries_a_state_and_a_proof_and_only_what_we_decided(
    provider: Provider, ana: Member
) -> None:
    provider.who_is(ana.email, **MFA)
    come(Client(), BEGIN + "?scope=admin&auth_params=acr_values%3Dlow%26prompt%3Dnone&process=connect")
    asked = provider.asked[-1]
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 16
    assert "prompt" not in asked
    assert "acr_values" not in asked


def test_she_goes_on_to_where_she_wanted_and_nowhere_else(provider: Provider, ana: Member) -> None:
    provider.who_is(ana.email, **MFA)
    assert come(Client(), BEGIN + "?next=/me/sessions/")["Location"] == "/me/sessions/"
    assert come(Client(), BEGIN + "?next=https://otro.example/")["Location"] == "/people/"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_start_it_in_her_browser(provider: Provider, ana: Member, site: str) -> None:
    answer = Client().get(BEGIN, headers={"sec-fetch-site": site})
    assert answer["Location"] == "/enter/login/"
    assert Client().post(BEGIN).status_code in (403, 405)


def test_who_gives_up_at_the_provider_is_back_at_the_sign_in(provider: Provider, ana: Member) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)["state"][0]
    answer = client.get(f"{BEGIN}callback/?error=access_denied&state={state}")
    assert answer["Location"] == "/enter/login/"


def test_a_browser_without_our_cookie_is_led_back_once_to_the_same_address(provider: Provider) -> None:
    """The cookie is not sent when another site leads here; see the test in a browser."""
    answer = Client().get(f"{BEGIN}callback/?code=x&state=y")
    assert answer.status_code == 200
    assert f"url={BEGIN}callback/?code=x&amp;state=y&amp;_redir=" in answer.content.decode()
    assert Client().get(f"{BEGIN}callback/?code=x&state=y&_redir=").status_code == 403


# What is left


def test_nothing_is_linked_and_no_password_is_touched(provider: Provider, ana: Member) -> None:
    password = ana.password
    provider.who_is(ana.email, **MFA)
    client = Client()
    come(client)
    assert is_in(client)
    assert not SocialAccount.objects.exists()
    assert not SocialToken.objects.exists()
    ana.refresh_from_db()
    assert ana.password == password
    assert ana.check_password(PASSWORD)


def test_a_link_that_somebody_wrote_into_the_table_opens_nothing(
    house: House, provider: Provider, ana: Member
) -> None:
    bruno = Member.objects.get(email=house.bruno.name)
    provider.who_is("fuera@otro.example", **MFA)
    SocialAccount.objects.create(user=bruno, provider=SHELTER, uid="s-fuera@otro.example")
    assert is_refused(come(Client()))


def test_the_clients_secret_lies_sealed_and_belongs_to_its_institution(
    house: House, provider: Provider, ana: Member
) -> None:
    row = SocialApp.objects.get(provider_id=SHELTER)
    assert SECRET not in row.secret
    SocialApp.objects.filter(pk=row.pk).update(provider_id=house.ministry.slug)
    provider.who_is(house.carla.name, **MFA)
    assert is_refused(come(Client(), f"/enter/oidc/{house.ministry.slug}/login/"))


def test_a_session_remembers_nothing_of_the_token_but_how_she_came(provider: Provider, ana: Member) -> None:
    with_factor(ana)
    provider.who_is(ana.email, name="Ana María", picture="https://x.example/ana.png", amr=["pwd"])
    client = Client()
    come(client)
    held = str(dict(client.session))
    for never in ("Ana María", "picture", "access_token", "llave-de-paso"):
        assert never not in held, never
    assert Session.objects.exists()


def test_who_came_in_so_confirms_there_and_only_when_the_provider_says_when(
    provider: Provider, ana: Member
) -> None:
    from django.test import RequestFactory

    from resguardo_server.pages.confirming import fresh

    def is_fresh(client: Client) -> bool:
        asked = RequestFactory().get("/")
        asked.user, asked.session = ana, client.session
        return fresh(asked)

    provider.who_is(ana.email, **MFA)
    client = Client()
    come(client)
    assert not is_fresh(client)
    provider.who_is(ana.email, auth_time=int(time.time()) - 1200, **MFA)
    come(client, BEGIN + "?again=1")
    assert provider.asked[-1]["prompt"] == "login"
    assert provider.asked[-1]["max_age"] == "0"
    assert not is_fresh(client)
    provider.who_is(ana.email, auth_time=int(time.time()), **MFA)
    come(client, BEGIN + "?again=1")
    assert is_fresh(client)


def test_an_unsafe_provider_or_an_unknown_institution_is_not_registered(house: House) -> None:
    for slug, issuer, code in (
        (SHELTER, "http://proveedor.example", "server.said.unsafe_issuer"),
        (SHELTER, "proveedor.example", "server.said.unsafe_issuer"),
        ("nadie", "https://proveedor.example", "server.said.unknown_institution"),
    ):
        with pytest.raises(Refused) as refused:
            set_institution_sign_in(slug, InstitutionSignIn(issuer, CLIENT, SECRET))
        assert refused.value.problems[0].code == code


def test_the_providers_own_token_is_what_a_standard_library_reads(provider: Provider, ana: Member) -> None:
    """The test's provider signs for real: PyJWT checks its token with the published key."""
    provider.who_is(ana.email)
    provider.codes["c"] = {
        "redirect_uri": "r", "code_challenge_method": "S256",
        "code_challenge": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    }  # fmt: skip
    given = provider.token({"code": "c", "client_id": CLIENT, "client_secret": SECRET, "redirect_uri": "r"})
    assert given is not None
    key = jwt.PyJWKSet.from_dict(provider.keys())["one"]
    assert jwt.decode(given["id_token"], key, algorithms=["RS256"], audience=CLIENT)["email"] == ana.email
