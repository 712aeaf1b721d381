"""Nobody comes in without a second factor, also to pages that are written later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from tests.people import House, make_house, member
from tests.server.test_addresses import CLOSED, EVERY, PUBLIC, example, is_closed
from tests.signed_in import PASSWORD, signed_in, with_factor

from resguardo.values import Refused
from resguardo_server import models, urls
from resguardo_server.models import Membership
from resguardo_server.pages import guard
from resguardo_server.safe_start import idle_minutes, is_this_machine, refuse_unsafe_start

SETTING_UP = "/enter/2fa/totp/activate/"


@pytest.fixture
def people(db: None) -> House:
    from resguardo_server.actions.tell.newsroom import prepare_newsroom

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    prepare_newsroom()
    return make_house()


def test_what_the_guard_lets_anybody_see_is_exactly_the_public_list() -> None:
    open_to_all = {address for address in EVERY if guard.is_public(example(address))}
    assert open_to_all == set(PUBLIC) & set(EVERY)


def test_every_closed_address_sends_a_stranger_away(people: House, client: Client) -> None:
    seen = [
        (address, method, answer.status_code)
        for address in CLOSED
        for method in ("get", "post")
        if not is_closed(answer := getattr(client, method)(example(address)))
    ]
    assert seen == []


@pytest.mark.parametrize("role", [*Membership.ROLES, "everything"])
def test_a_member_without_a_second_factor_sees_only_the_page_that_sets_one_up(
    people: House, client: Client, role: str
) -> None:
    """Every role, also who may do everything; a tenth of the addresses for each, all of them together."""
    if role == "everything":
        who = models.Member.objects.create_superuser(email="jefa@albergue.example", password=PASSWORD)
    else:
        who = member("nueva@albergue.example", people.shelter, role)
    signed_in(client, who, factor=False)
    roles = [*Membership.ROLES, "everything"]
    mine = [one for number, one in enumerate(CLOSED) if number % len(roles) == roles.index(role)]
    wrong = [
        (address, method, answer.status_code, answer.get("Location"))
        for address in mine
        for method in ("get", "post")
        if example(address) not in guard.SETTING_UP
        and not _leads_to_setting_up(answer := getattr(client, method)(example(address)))
    ]
    assert wrong == []


def _leads_to_setting_up(answer: HttpResponse) -> bool:
    if answer.status_code == 302:
        return bool(answer["Location"] == SETTING_UP)
    return answer.status_code == 404  # what this house does not offer, or what is not there


@pytest.mark.parametrize(
    "address",
    ["/today/", "/people/", "/protection/", "/referrals/", "/forms/", "/setup/", "/me/", "/edit/", "/new/"],
)
def test_an_address_that_is_written_later_is_closed_before_anybody_thinks_of_it(
    people: House, client: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that guards nothing itself."""
    later = ModuleType("tests_later_urls")
    later.urlpatterns = [  # type: ignore[attr-defined]
        path(address[1:], lambda request: HttpResponse("a page")),
        *urls.urlpatterns,
    ]
    monkeypatch.setitem(sys.modules, later.__name__, later)
    with override_settings(ROOT_URLCONF=later.__name__):
        assert client.get(address)["Location"] == f"/enter/login/?next={address}"
        without = member("sin@albergue.example", people.shelter, "caseworker")
        assert signed_in(client, without, factor=False).get(address)["Location"] == SETTING_UP
        boss = models.Member.objects.create_superuser("todo@albergue.example", PASSWORD)
        answer = signed_in(client, boss).get(address)
        assert answer.content == b"a page"
        assert answer["Cache-Control"] == "no-store"


def test_recovery_codes_alone_are_no_second_factor(people: House, client: Client) -> None:
    who = models.Member.objects.get(email=people.ana.name)
    Authenticator.objects.create(user=who, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    signed_in(client, who, factor=False)
    assert client.get("/me/")["Location"] == SETTING_UP


def test_a_session_that_began_before_there_was_a_factor_does_not_become_good_by_it(
    people: House, client: Client
) -> None:
    who = models.Member.objects.get(email=people.ana.name)
    signed_in(client, who, factor=False)
    with_factor(who)
    answer = client.get("/me/")
    assert answer["Location"].startswith("/enter/login/")
    assert client.get("/me/")["Location"].startswith("/enter/login/")
    assert "_auth_user_id" not in client.session


def test_a_session_whose_factor_was_taken_away_leads_to_setting_one_up(people: House, client: Client) -> None:
    who = models.Member.objects.get(email=people.ana.name)
    signed_in(client, who)
    assert client.get("/me/").status_code == 200
    Authenticator.objects.filter(user=who).delete()
    assert client.get("/me/")["Location"] == SETTING_UP


def test_who_is_in_sees_nothing_that_the_house_does_not_offer(people: House, client: Client) -> None:
    signed_in(client, models.Member.objects.get(email=people.ana.name))
    for address in ("/enter/email/", "/enter/password/reset/", "/enter/3rdparty/", "/enter/password/set/"):
        assert client.get(address).status_code == 404, address


def test_pages_behind_the_sign_in_are_kept_by_no_cache(people: House, client: Client) -> None:
    signed_in(client, models.Member.objects.get(email=people.ana.name))
    for address in (
        "/me/",
        "/me/sessions/",
        "/enter/2fa/",
        "/enter/logout/",
        "/edit/",
        "/enter/password/change/",
    ):
        assert client.get(address)["Cache-Control"] == "no-store", address


def test_each_role_begins_where_its_work_is(people: House, client: Client) -> None:
    ana = with_factor(models.Member.objects.get(email=people.ana.name))
    from resguardo_server.pages.signing_in import HOMES, home_of

    assert home_of(ana) in {*HOMES.values(), "/me/"}
    assert set(HOMES) <= set(Membership.ROLES)


# What the service does not start with

GOOD = "".join(chr(97 + number % 26) for number in range(60))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"debug": True}, "server.start.debug"),
        ({"secret": "short"}, "server.start.short_secret"),
        ({"secret": "a" * 60}, "server.start.short_secret"),
        ({"secret": "django-insecure-" + GOOD}, "server.start.short_secret"),
        ({"address": "http://albergue.example"}, "server.start.readable"),
        ({"address": "http://192.168.1.4:8000"}, "server.start.readable"),
        ({"address": "http://127.0.0.1.albergue.example"}, "server.start.readable"),
        ({"address": "albergue.example"}, "server.start.address"),
        ({"address": "https://albergue.example/cases"}, None),
    ],
)
def test_the_service_refuses_to_start_where_it_would_protect_nothing(
    asked: dict[str, object], code: str | None
) -> None:
    given = {"address": "https://albergue.example", "secret": GOOD, "debug": False, **asked}
    if code is None:
        refuse_unsafe_start(**given)  # type: ignore[arg-type]
        return
    with pytest.raises(Refused) as refused:
        refuse_unsafe_start(**given)  # type: ignore[arg-type]
    assert [problem.code for problem in refused.value.problems] == [code]


def test_this_machine_alone_may_be_reached_without_encryption() -> None:
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "app.localhost"):
        assert is_this_machine(host)
        refuse_unsafe_start(
            address=f"http://[{host}]" if ":" in host else f"http://{host}:8000", secret=GOOD, debug=False
        )
    for host in ("10.0.0.1", "albergue.example", "localhost.albergue.example", ""):
        assert not is_this_machine(host)


@pytest.mark.parametrize("told", ["0", "61", "-5", "ten", "1.5", "１５"])
def test_a_session_lives_an_hour_without_use_at_most(told: str) -> None:
    with pytest.raises(Refused):
        idle_minutes(told)


def test_without_a_word_a_session_lives_a_quarter_of_an_hour_without_use() -> None:
    assert (idle_minutes(None), idle_minutes(""), idle_minutes("60")) == (15, 15, 60)


def test_no_request_is_answered_while_debug_is_on() -> None:
    with override_settings(DEBUG=True), pytest.raises(Refused):
        guard.Guard(lambda request: HttpResponse())


def told_at_start(tmp_path: Path, **environment: str) -> str:
    """What the command says that needs the settings, in an installation of its own."""
    import os

    asked = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DJANGO_SETTINGS_MODULE", "RESGUARDO_SECRET_KEY")
    }
    said = subprocess.run(
        [sys.executable, "-m", "resguardo_server", "django", "shell", "--no-imports", "-c", SHOW],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={
            **asked,
            "RESGUARDO_VAR": str(tmp_path),
            "RESGUARDO_LANGUAGE": "es",
            "PYTHONPATH": "src",
            **environment,
        },
    )
    return said.stdout + said.stderr


SHOW = """
from django.conf import settings as s
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SECURE_HSTS_SECONDS,
      s.SESSION_COOKIE_SAMESITE, s.IDLE_SECONDS, s.SESSION_COOKIE_AGE, s.PASSWORD_HASHERS, s.DEBUG)
"""


def test_with_https_the_cookies_are_bound_to_the_host_and_the_browser_never_asks_without(
    tmp_path: Path,
) -> None:
    said = told_at_start(tmp_path, RESGUARDO_ADDRESS="https://albergue.example", RESGUARDO_IDLE_MINUTES="20")
    assert (
        "__Host-session __Host-csrf True 31536000 Strict 1200 28800 "
        "['django.contrib.auth.hashers.Argon2PasswordHasher'] False"
    ) in said


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RESGUARDO_ADDRESS": "http://albergue.example"}, "viaja sin cifrar"),
        ({"RESGUARDO_SECRET_KEY": "corta"}, "se puede adivinar"),
        ({"RESGUARDO_IDLE_MINUTES": "600"}, "RESGUARDO_IDLE_MINUTES"),
    ],
)
def test_what_is_refused_at_the_start_is_said_in_a_sentence(
    tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    told = told_at_start(tmp_path, **environment)
    assert said in told
    assert "Traceback" not in told
