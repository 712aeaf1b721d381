"""A session ends by itself, is seen and closed by its owner, and is worth nothing to who copies the table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client, override_settings
from tests.people import House, make_house
from tests.signed_in import PASSWORD, SECRET, code_now, signed_in, with_factor

from resguardo_server.languages_build import compile_messages
from resguardo_server.models import Member
from resguardo_server.pages.members import device_in_words, network_in_words
from resguardo_server.session_store import SessionStore, stored_key

Committing = Callable[..., AbstractContextManager[Any]]

PHONE = "Mozilla/5.0 (Android 14; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"
DESK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"


@pytest.fixture
def people(db: None) -> House:
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    return make_house()


@pytest.fixture
def ana(people: House) -> Member:
    return Member.objects.get(email=people.ana.name)


def browser(who: Member, agent: str = DESK, address: str = "203.0.113.77") -> Client:
    """A browser of hers that is signed in and has seen a page."""
    client = Client(
        headers={"user-agent": agent, "accept-language": "es"},
        REMOTE_ADDR=address,
        raise_request_exception=True,
    )
    signed_in(client, who)
    session = client.session
    del session["noted"]  # what the test client says of itself while it signs in
    session.save()
    assert client.get("/me/").status_code == 200
    return client


def is_in(client: Client) -> bool:
    return bool(client.get("/me/").status_code == 200)


def later(client: Client, name: str, seconds: int) -> None:
    """As if that much time had gone by since the session began, or was last used."""
    session = client.session
    session[name] -= seconds
    session.save()


# How long it lasts


def test_after_a_quarter_of_an_hour_without_use_a_session_is_over(ana: Member) -> None:
    client = browser(ana)
    later(client, "seen_at", 14 * 60)
    assert is_in(client)
    later(client, "seen_at", 15 * 60 + 1)
    answer = client.get("/me/")
    assert answer["Location"] == "/enter/login/?next=/me/&ended=1"
    assert "Su sesión se cerró" in client.get(answer["Location"]).content.decode()
    assert not Session.objects.exists()


def test_use_keeps_a_session_open(ana: Member) -> None:
    client = browser(ana)
    for _ in range(4):
        later(client, "seen_at", 10 * 60)
        later(client, "opened_at", 10 * 60)
        assert is_in(client)


def test_after_eight_hours_a_session_is_over_however_much_it_is_used(ana: Member) -> None:
    client = browser(ana)
    later(client, "opened_at", 8 * 3600 - 60)
    assert is_in(client)
    later(client, "opened_at", 61)
    assert not is_in(client)


def test_a_session_of_unknown_age_is_over(ana: Member) -> None:
    client = browser(ana)
    session = client.session
    del session["opened_at"]
    Session.objects.all().delete()
    session["opened_at"] = "long ago"
    session.save(must_create=True)
    assert not is_in(client)


def test_a_session_from_the_future_is_over(ana: Member) -> None:
    client = browser(ana)
    later(client, "seen_at", -3600)
    assert not is_in(client)


def test_what_a_page_asks_by_itself_does_not_keep_a_session_open(ana: Member) -> None:
    boss = Member.objects.create_superuser("jefa@albergue.example", PASSWORD)
    client = browser(boss)
    later(client, "seen_at", 10 * 60)
    before = client.session["seen_at"]
    client.post("/edit/editing-sessions/ping/wagtailcore/page/1/1/")
    assert client.session["seen_at"] == before
    client.get("/edit/pages/")
    assert client.session["seen_at"] > before


def test_the_newsroom_asks_at_the_address_that_does_not_count() -> None:
    from django.urls import reverse

    from resguardo_server.pages.guard import NO_USE

    ping = reverse("wagtailadmin_editing_sessions:ping", args=["a", "b", "1", 1])
    assert ping.startswith(NO_USE)


@override_settings(IDLE_SECONDS=3600)
def test_an_installation_may_give_an_hour_without_use(ana: Member) -> None:
    client = browser(ana)
    later(client, "seen_at", 59 * 60)
    assert is_in(client)


def test_the_hours_begin_with_signing_in_and_not_with_the_visit_before(ana: Member) -> None:
    with_factor(ana)
    client = Client()
    client.post("/enter/login/", {"login": ana.email, "password": PASSWORD})
    later(client, "opened_at", 600)
    before = client.session["opened_at"]
    client.post("/enter/2fa/authenticate/", {"code": code_now()})
    assert is_in(client)
    assert client.session["opened_at"] > before + 500


# What lies in the table


def test_the_table_of_sessions_opens_nothing(ana: Member) -> None:
    client = browser(ana)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    rows = list(Session.objects.values_list("session_key", flat=True))
    assert rows == [stored_key(key)]
    assert key not in {*rows, *UserSession.objects.values_list("session_key", flat=True)}
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = rows[0]
    assert not is_in(thief)
    assert is_in(client)


def test_what_a_session_holds_lies_sealed_and_in_its_own_row_alone(ana: Member) -> None:
    client = Client()
    client.post("/enter/login/", {"login": ana.email, "password": PASSWORD})
    page = client.get("/enter/2fa/totp/activate/").content.decode()
    secret = client.session["mfa.totp.secret"]
    assert secret in page
    row = Session.objects.get()
    assert secret not in row.session_data
    assert ana.email not in row.session_data
    other = Client()
    signed_in(other, Member.objects.create_user("otra@albergue.example", PASSWORD))
    moved = Session.objects.exclude(pk=row.pk).get()
    Session.objects.filter(pk=moved.pk).update(session_data=row.session_data)
    assert "_auth_user_id" not in SessionStore(other.cookies[settings.SESSION_COOKIE_NAME].value)


def test_keys_of_codes_lie_in_the_table_sealed(ana: Member) -> None:
    with_factor(ana)
    kept = Authenticator.objects.get(user=ana)
    assert SECRET not in str(kept.data)
    client = Client()
    client.post("/enter/login/", {"login": ana.email, "password": PASSWORD})
    kept.data = {"secret": SECRET}  # written there by somebody who has the table and not the secret
    kept.save()
    answer = client.post("/enter/2fa/authenticate/", {"code": code_now()})
    assert answer.status_code == 200
    assert not is_in(client)


def test_what_lies_in_the_table_opens_with_the_secret_of_the_installation_alone(ana: Member) -> None:
    client = browser(ana)
    with override_settings(SECRET_KEY="another-secret-of-fifty-letters-and-more-0123456789"):
        assert not is_in(client)


# What its owner sees and does


def test_a_member_sees_where_she_is_signed_in_in_words_and_without_the_exact_address(ana: Member) -> None:
    here = browser(ana, DESK, "203.0.113.77")
    browser(ana, PHONE, "2001:db8:aa:bbcc::1234")
    text = here.get("/me/sessions/").content.decode()
    assert "Chrome en Windows" in text
    assert "Firefox en Android" in text
    assert "203.0.113.x" in text
    assert "2001:db8:aa:bb00:…" in text
    for exact in ("203.0.113.77", "::1234", "bbcc"):
        assert exact not in text
        assert exact not in str(list(UserSession.objects.values_list("ip", flat=True)))
    assert text.count("este aparato") == 1
    assert text.index("este aparato") < text.index("Firefox en Android"), "this one first"


def test_closing_one_session_ends_it_at_once_and_no_other(ana: Member) -> None:
    here, phone, old = browser(ana), browser(ana, PHONE), browser(ana)
    which = UserSession.objects.get(user_agent=PHONE).pk
    answer = here.post("/me/sessions/", {"session": str(which)}, follow=True)
    assert "Esa sesión quedó cerrada" in answer.content.decode()
    assert (is_in(here), is_in(phone), is_in(old)) == (True, False, True)


def test_closing_all_the_others_leaves_this_one(ana: Member) -> None:
    here, phone, old = browser(ana), browser(ana, PHONE), browser(ana)
    answer = here.post("/me/sessions/", {"session": "others"}, follow=True)
    assert (is_in(here), is_in(phone), is_in(old)) == (True, False, False)
    assert "No hay otra sesión abierta" in answer.content.decode()


def test_nobody_sees_or_closes_the_session_of_somebody_else(people: House, ana: Member) -> None:
    hers = browser(ana, PHONE)
    bruno = browser(Member.objects.get(email=people.bruno.name))
    assert "Android" not in bruno.get("/me/sessions/").content.decode()
    for which in (UserSession.objects.get(user=ana).pk, "others", "0", "-1", "x", "", "9" * 40):
        assert bruno.post("/me/sessions/", {"session": str(which)}).status_code == 302
    assert is_in(hers)


def test_a_session_that_is_over_is_not_in_the_list(ana: Member) -> None:
    here, phone = browser(ana), browser(ana, PHONE)
    phone.post("/enter/logout/")
    assert "Android" not in here.get("/me/sessions/").content.decode()
    tablet = browser(ana, PHONE)
    rows = UserSession.objects.filter(user_agent=PHONE)
    from django.utils import timezone

    rows.update(last_seen_at=timezone.now() - timezone.timedelta(minutes=16))
    assert "Android" not in here.get("/me/sessions/").content.decode()
    assert is_in(tablet)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(ana: Member) -> None:
    client = browser(ana)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert is_in(thief)
    client.post("/enter/logout/")
    assert not is_in(thief)


# What ends sessions


def test_a_new_password_ends_all_other_sessions(ana: Member) -> None:
    here, phone = browser(ana), browser(ana, PHONE)
    new = "otra-frase-igual-de-rara"
    asked = {"oldpassword": PASSWORD, "password1": new, "password2": new, "password": new}
    assert here.post("/enter/password/change/", asked).status_code == 302
    assert (is_in(here), is_in(phone)) == (True, False)
    assert Session.objects.count() == 1


def test_a_closed_account_ends_its_sessions(ana: Member) -> None:
    here = browser(ana)
    Member.objects.filter(pk=ana.pk).update(is_active=False)
    assert not is_in(here)


def test_setting_up_the_first_factor_ends_the_sessions_that_had_the_password_alone(
    ana: Member, django_capture_on_commit_callbacks: Committing
) -> None:
    other, client = Client(), Client()
    for one in (other, client):
        one.post("/enter/login/", {"login": ana.email, "password": PASSWORD})
        assert one.get("/me/")["Location"] == "/enter/2fa/totp/activate/"
    client.get("/enter/2fa/totp/activate/")
    code = code_now(secret=client.session["mfa.totp.secret"])
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/enter/2fa/totp/activate/", {"code": code})
    assert answer["Location"] == "/enter/2fa/recovery-codes/"
    assert "_auth_user_id" in client.session
    assert "_auth_user_id" not in other.session


def test_new_recovery_codes_and_a_factor_taken_off_end_all_other_sessions(
    ana: Member, django_capture_on_commit_callbacks: Committing
) -> None:
    here, phone = browser(ana), browser(ana, PHONE)
    here.post("/enter/reauthenticate/", {"password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        assert here.post("/enter/2fa/recovery-codes/generate/").status_code == 302
    assert (is_in(here), is_in(phone)) == (True, False)
    phone = browser(ana, PHONE)
    Authenticator.objects.create(user=ana, type="webauthn", data={"name": "Llave"})
    with django_capture_on_commit_callbacks(execute=True):
        assert here.post("/enter/2fa/totp/deactivate/").status_code == 302
    assert (is_in(here), is_in(phone)) == (True, False)


def test_the_last_second_factor_cannot_be_taken_off(ana: Member) -> None:
    here = browser(ana)
    here.post("/enter/reauthenticate/", {"password": PASSWORD})
    text = here.get("/enter/2fa/totp/deactivate/").content.decode()
    assert "única segunda llave" in text
    here.post("/enter/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=ana, type="totp").exists()


def test_recovery_codes_are_shown_once(ana: Member, django_capture_on_commit_callbacks: Committing) -> None:
    here = browser(ana)
    here.post("/enter/reauthenticate/", {"password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        here.post("/enter/2fa/recovery-codes/generate/")
    codes = Authenticator.objects.get(user=ana, type="recovery_codes").wrap().get_unused_codes()
    first, second = (here.get("/enter/2fa/recovery-codes/").content.decode() for _ in range(2))
    assert all(code in first for code in codes)
    assert not any(code in second for code in codes)
    assert "Se mostraron una vez" in second
    assert here.get("/enter/2fa/recovery-codes/download/").status_code in (403, 404)


def test_ended_sessions_leave_no_line_behind(ana: Member) -> None:
    browser(ana)
    from django.utils import timezone

    past = timezone.now() - timezone.timedelta(hours=9)
    Session.objects.update(expire_date=past)
    UserSession.objects.update(last_seen_at=past)
    browser(ana)
    assert (Session.objects.count(), UserSession.objects.count()) == (1, 1)


# Words


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (DESK, "Chrome en Windows"),
        (PHONE, "Firefox en Android"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/1 Safari/537.36 Edg/1", "Edge en Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18 Safari/604",
            "Safari en iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 13) Chrome/99 SamsungBrowser/23.0", "Samsung Internet en Android"),
        ("curl/8.0", "Un aparato que no dice qué es"),
        ("", "Un aparato que no dice qué es"),
        ("<script>alert(1)</script>", "Un aparato que no dice qué es"),
    ],
)
def test_a_device_is_said_in_words_that_its_owner_knows(people: House, told: str, words: str) -> None:
    from django.utils import translation

    with translation.override("es"):
        assert device_in_words(told) == words


def test_a_network_is_said_without_the_device_in_it(people: House) -> None:
    from django.utils import translation

    with translation.override("es"):
        assert network_in_words("203.0.113.0") == "203.0.113.x"
        assert network_in_words("2001:db8:aa:bb00::") == "2001:db8:aa:bb00:…"
        assert network_in_words("::") == "este mismo equipo"


def test_my_account_says_who_i_am_for_whom_and_what_opens_it(people: House, ana: Member) -> None:
    text = browser(ana).get("/me/").content.decode()
    for said in (ana.email, "Albergue de Tapachula", "atención de casos, capacitación", "1 sesión abierta"):
        assert said in text
    title = text.split("<title>")[1].split("</title>")[0]
    assert "ana" not in title.lower()
