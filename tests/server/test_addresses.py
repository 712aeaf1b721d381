"""Every address of the service, found by walking them all: public, or closed to a stranger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern, RegexPattern, RoutePattern
from django.utils import translation
from django.utils.regex_helper import normalize
from tests.people import House, make_house, member

from resguardo_server import models
from resguardo_server.actions.tell.newsroom import PRESS, prepare_newsroom

PUBLIC = {
    "": "the front door leads to the news",
    "documents/<_0>/<_1>": "a document that the newsroom published; one that is not there is not found",
    "documents/authenticate_with_password/<restriction_id>/": "asks for the password of a published document",
    "i18n/setlang/": "keeps the language that a reader chose",
    # Signing in
    "enter/": "leads to signing in",
    "enter/login/": "signs in",
    "enter/logout/": "signs out; whoever is not in goes to the news",
    "enter/signup/": "says that nobody opens an account alone",
    "enter/inactive/": "says that the account is closed",
    "enter/2fa/authenticate/": "takes the code of somebody who has given a password, and leads away others",
    "enter/oidc/<provider_id>/login/": "leads to the provider of an institution, if it has one",
    "enter/oidc/<provider_id>/login/callback/": "takes a code of such a provider",
    "enter/2fa/webauthn/login/": "gives a challenge to whoever signs in with a passkey",
    # A person with her receipt, without an account: each page asks for her ticket and shows nothing without
    "r/<code>": "takes a receipt's code out of the address",
    "r/<code>/": "the same",
    "mine/": "what is kept of her; closed to whoever has no ticket",
    "mine/enter/": "asks for the code and one answer",
    "mine/seen/": "who opened her records; closed to whoever has no ticket",
    "mine/allow/<key>/": "takes a permission back; closed to whoever has no ticket",
    "mine/ask/<right>/": "asks for a right; closed to whoever has no ticket",
    "mine/requests/<uuid>/": "one of her requests; closed to whoever has no ticket",
    "mine/copy/": "her copy; closed to whoever has no ticket",
    "leave": "ends the session and shows a calendar",
    "leave/": "the same",
    "leave/days/": "a calendar",
    # Journals of other institutions: signed, and nobody is in them
    "witness/<slug>/add-checkpoint": "cosigns the next head of a journal that is known here",
    "witness/<slug>/<origin>/checkpoint": "the newest head that was cosigned",
    # The newsroom's own parts that hold nothing
    "edit/sprite/": "drawings of Wagtail's signs",
    "edit/jsi18n/": "Wagtail's words for its scripts",
    # The public site
    "es/news/": "the listing",
    "es/news.rss": "the news for a feed reader",
    "es/news.atom": "the news as Atom",
    "es/news.json": "the news as JSON Feed",
    "es/news/<year>/<month>/<day>/<slug>/": "an item",
    "es/claims/<slug>/": "a claim of a published item",
    "es/claims/<slug>.<kind>": "its file",
    "es/programmes/": "what each programme asks and why",
    "es/how/": "how figures are counted",
    "es/figures/": "every figure that was published",
    "es/figures/<name>/": "one figure",
    "es/figures/<name>.<kind>": "its file",
    "es/corrections/": "what was corrected",
    "es/accessibility/": "what was done so that everybody can use the pages",
}
"""Address -> why whoever comes may see it. What is not named here is closed."""

PAGES = ("/es/news/", "/es/programmes/", "/es/how/", "/es/corrections/", "/es/accessibility/")
FEEDS = ("/es/news.rss", "/es/news.atom", "/es/news.json")
LANGUAGES = ("es", "en", "fr", "ht")


def addresses(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Each address of the service, its blanks in angles."""
    for pattern in (resolver or get_resolver()).url_patterns:
        here = before + _spelt(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, here)
        else:
            yield here


def _spelt(pattern: object) -> str:
    if isinstance(pattern, RegexPattern):
        if str(pattern) == "^.*/$":
            return "whatever-else/"
        text, names = normalize(str(pattern))[0]
        return str(text % {name: f"<{name}>" for name in names})
    if isinstance(pattern, RoutePattern):
        written = re.sub(r"<uuid:\w+>", "<uuid>", str(pattern).replace("<slug:name>", "<slug>"))
        return re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", written)
    assert isinstance(pattern, LocalePrefixPattern)
    return "es/"


FILLED = {"kind": "json", "name": "a.b", "origin": "0" * 64, "uuid": "00000000-0000-4000-8000-000000000000"}


def example(address: str) -> str:
    """The address with its blanks filled."""
    return "/" + re.sub(
        r"<(\w+)>",
        lambda blank: FILLED.get(blank[1], "1"),
        address,
    )


EVERY = sorted(set(addresses()))
CLOSED = [address for address in EVERY if address not in PUBLIC]
NEWSROOM = [address for address in CLOSED if address.startswith("edit/")]


@pytest.fixture
def site(db: None) -> None:
    """The newsroom as it is before its first item."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    prepare_newsroom()


@pytest.fixture
def people(site: None) -> House:
    return make_house()


def with_factor(who: models.Member) -> models.Member:
    """The member with a second factor."""
    Authenticator.objects.create(user=who, type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DPEHPK3PXP"})
    return who


def press(house: House) -> models.Member:
    """Somebody of the newsroom, with a second factor."""
    who = with_factor(member("prensa@albergue.example", house.shelter, "press_officer"))
    who.groups.add(Group.objects.get(name=PRESS))
    return who


def signed_in(client: Client, who: models.Member) -> Client:
    client.force_login(who, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def is_closed(answer: HttpResponse) -> bool:
    """Sent to sign in, or refused; never shown anything."""
    if answer.status_code == 302:
        return answer["Location"].startswith(("/enter/login/", "/enter/reauthenticate/", "/edit/login/"))
    return answer.status_code in (401, 403, 404, 405)


# Who may see what


def test_the_walk_finds_every_address_and_each_example_leads_to_one() -> None:
    assert len(EVERY) > 200
    with translation.override("es"):
        for address in EVERY:
            get_resolver().resolve(example(address))


def test_the_public_list_names_no_address_of_the_newsroom_that_shows_anything() -> None:
    assert {address for address in PUBLIC if address.startswith("edit/")} == {"edit/sprite/", "edit/jsi18n/"}


def test_every_address_that_is_not_on_the_public_list_is_closed_to_a_stranger(
    site: None, client: Client
) -> None:
    open_to_all = [
        (address, method, answer.status_code)
        for address in CLOSED
        for method in ("get", "post")
        if not is_closed(answer := getattr(client, method)(example(address)))
    ]
    assert open_to_all == []


def test_a_member_without_a_second_factor_sees_no_page_of_the_newsroom(people: House, client: Client) -> None:
    """Not even an administrator of everything."""
    boss = models.Member.objects.create_superuser(
        email="jefa@albergue.example", password="una-frase-larga-y-rara"
    )
    signed_in(client, boss)
    seen = [
        (address, method, answer.status_code, answer.get("Location"))
        for address in NEWSROOM
        for method in ("get", "post")
        if (answer := getattr(client, method)(example(address))).status_code != 302
        or answer["Location"] != "/enter/2fa/totp/activate/"
    ]
    assert seen == []


def test_the_second_factor_is_asked_for_also_where_the_service_lies_under_a_prefix(
    people: House, client: Client
) -> None:
    boss = models.Member.objects.create_superuser(
        email="jefa@albergue.example", password="una-frase-larga-y-rara"
    )
    answer = signed_in(client, boss).get("/edit/", SCRIPT_NAME="/resguardo")
    assert answer.status_code == 302
    assert answer["Location"].endswith("/enter/2fa/totp/activate/")


def test_a_member_who_is_not_of_the_press_sees_no_page_of_the_newsroom(people: House, client: Client) -> None:
    signed_in(client, with_factor(models.Member.objects.get(email=people.bruno.name)))
    seen = [
        (address, answer.status_code, answer.get("Location"))
        for address in NEWSROOM
        if not is_closed(answer := client.get(example(address)))
    ]
    assert seen == []


def test_who_has_no_page_of_the_newsroom_is_not_sent_round_in_circles(people: House, client: Client) -> None:
    signed_in(client, with_factor(models.Member.objects.get(email=people.bruno.name)))
    answer = client.get("/edit/", follow=True)
    assert len(answer.redirect_chain) < 4


def test_the_press_sees_the_newsroom(people: House, client: Client) -> None:
    signed_in(client, press(people))
    for address in ("/edit/", "/edit/pages/", "/edit/claim-chooser/"):
        assert client.get(address).status_code == 200, address


# What every answer carries


def policy(answer: HttpResponse) -> dict[str, str]:
    """The content security policy by directive."""
    return dict(
        part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";") if part.strip()
    )


def test_public_pages_and_the_newsroom_carry_the_headers_that_protect_readers(
    people: House, client: Client
) -> None:
    answers = {page: client.get(page) for page in (*PAGES, *FEEDS, "/enter/login/", "/es/nothing-here/")}
    answers["/edit/"] = signed_in(client, press(people)).get("/edit/")
    for page, answer in answers.items():
        assert answer["X-Content-Type-Options"] == "nosniff", page
        newsroom = page == "/edit/"
        assert answer["X-Frame-Options"] == ("SAMEORIGIN" if newsroom else "DENY"), page
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin", page
        assert "camera=()" in answer["Permissions-Policy"], page
        assert answer["Referrer-Policy"] == "same-origin", page
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", page
        rules = policy(answer)
        assert rules["default-src"] == "'none'", page
        assert rules["base-uri"] == "'none'", page
        assert rules["form-action"] == rules["script-src"] == "'self'", page
        assert rules["frame-ancestors"] == ("'self'" if newsroom else "'none'"), page
        assert rules.get("require-trusted-types-for") == (None if newsroom else "'script'"), page
        assert rules.get("trusted-types") == (None if newsroom else "'none'"), page
        assert "http" not in answer["Content-Security-Policy"], "no other host is ever asked"
        inline = " 'unsafe-inline'" if newsroom else ""
        assert rules["style-src"] == "'self'" + inline, page


def test_a_reader_of_the_public_site_is_given_no_cookie(site: None, client: Client) -> None:
    for page in (*PAGES, *FEEDS):
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert not answer.cookies, page


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(people: House, client: Client) -> None:
    who = press(people)
    client.get("/enter/login/")
    answer = client.post("/enter/login/", {"login": who.email, "password": "una-frase-larga-y-rara"})
    assert answer.status_code == 302
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Strict"
    assert not session["max-age"], "it goes with the browser"
    assert client.cookies[settings.CSRF_COOKIE_NAME]["samesite"] == "Strict"
    assert client.get("/edit/").status_code == 302, "the password alone lets nobody in"


def test_a_form_that_another_site_sends_is_refused(people: House) -> None:
    client = signed_in(Client(enforce_csrf_checks=True), press(people))
    assert client.post("/edit/pages/1/delete/").status_code == 403
    assert client.post("/enter/login/", {"login": "a@b.example", "password": "x"}).status_code == 403


# Odd input

ODD = (
    "", " ", "0", "-1", "1.5", "99999", "1" * 400, "x", "\x00", "q\x00q", "\ud800", "'; DROP TABLE x; --",
    "<script>alert(1)</script>", "%", "%00", "[]", "{}", "../../etc/passwd", "a" * 5000, "ñandú", "‮", "🦙",
    "AND OR NOT", "(((", "\\", "nan", "MX|GT", "None",
)  # fmt: skip


def spelt(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def test_no_page_of_the_public_answers_with_a_fault_to_odd_questions(site: None, client: Client) -> None:
    faults = [
        (page, name, odd)
        for page in (*PAGES, *FEEDS)
        for name in (("page", "q", "programme", "country", "year") if page == "/es/news/" else ("page",))
        for odd in ODD
        if (answer := client.get(f"{page}?{name}={spelt(odd)}")).status_code >= 500
        or answer.status_code < 200
    ]
    assert faults == []


@pytest.mark.parametrize("words", ['"', 'a "b', '"; --'])
def test_a_quotation_mark_in_the_search_is_no_fault(site: None, client: Client, words: str) -> None:
    assert client.get("/es/news/", {"q": words}).status_code == 200


def test_several_odd_questions_at_once_are_answered(site: None, client: Client) -> None:
    for odd in ODD:
        query = "&".join(
            f"{name}={spelt(odd)}"
            for name in ("q", "page", "programme", "country", "year", "q", spelt(odd[:9]))
        )
        assert client.get(f"/es/news/?{query}").status_code in (200, 400)


@pytest.mark.parametrize("language", [*LANGUAGES, "de", "xx", "ES", "es-MX", "e", "%00"])
def test_no_odd_address_is_answered_with_a_fault(site: None, client: Client, language: str) -> None:
    slugs = [spelt(odd) for odd in ODD if odd.strip() and odd != "../../etc/passwd"]
    days = ("0/0/0", "2023/13/1", "2023/2/30", "9999/12/31", "10000/1/1", "99999999/1/1")
    wanted = [
        *(f"/{language}{page[3:]}" for page in (*PAGES, *FEEDS)),
        *(f"/{language}/news/2023/3/15/{slug}/" for slug in slugs),
        *(f"/{language}/news/{day}/taller/" for day in days),
        *(f"/{language}/claims/{slug}/" for slug in slugs),
        *(f"/{language}/claims/{slug}.{kind}" for slug in slugs for kind in ("json", "csv", "exe")),
    ]
    known = language in LANGUAGES
    for address in wanted:
        answer = client.get(address)
        assert answer.status_code in ((200, 404) if known else (302, 404)), (address, answer.status_code)


@pytest.mark.parametrize("day", ["9" * 30 + "/1/1", "2023/1/" + "1" * 25])
def test_a_day_beyond_every_calendar_is_not_found(site: None, client: Client, day: str) -> None:
    assert client.get(f"/es/news/{day}/taller/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_public_pages_are_read_only(site: None, client: Client, method: str) -> None:
    for page in PAGES:
        assert getattr(client, method)(page).status_code == 405, page


def test_a_page_that_is_not_there_says_so_in_the_readers_language(site: None, client: Client) -> None:
    for language in LANGUAGES:
        answer = client.get(f"/{language}/nothing-here/")
        assert answer.status_code == 404
        assert f'<html lang="{language}"' in answer.content.decode()


def test_a_closed_address_does_not_say_whether_something_is_there(site: None, client: Client) -> None:
    there, not_there = client.get("/edit/pages/2/edit/"), client.get("/edit/pages/999999/edit/")
    assert there.status_code == not_there.status_code == 302
    assert there["Location"].replace("/2/", "/999999/") == not_there["Location"]
