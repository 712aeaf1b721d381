"""Who guesses waits, longer each time, on their own network; the member comes in from hers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client, RequestFactory, override_settings
from tests.people import House, make_house
from tests.signed_in import PASSWORD, code_now, with_factor

from resguardo_server.languages_build import compile_messages
from resguardo_server.models import Member
from resguardo_server.pages.lock_out import (
    FREE,
    Locked,
    account_name,
    begin_guess,
    forget,
    network_of,
    pause_after,
)

ATTACKER, SAME_NETWORK, HOME = "203.0.113.7", "203.0.113.250", "198.51.100.20"
WRONG = "no-es-esta"
RESTS = re.compile(r"Demasiados intentos\. Podrá probar de nuevo en (\d+) (minuto|hora)s?\.")


@pytest.fixture
def people(db: None) -> House:
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    cache.clear()
    return make_house()


@pytest.fixture
def ana(people: House) -> Member:
    return with_factor(Member.objects.get(email=people.ana.name))


def at(address: str) -> Client:
    return Client(headers={"accept-language": "es"}, REMOTE_ADDR=address)


def try_password(client: Client, email: str, password: str) -> Any:
    return client.post("/enter/login/", {"login": email, "password": password})


def guess(address: str, email: str, times: int, password: str = WRONG) -> Any:
    """So many wrong passwords from there; the last answer."""
    client = at(address)
    for _ in range(times):
        answer = try_password(client, email, password)
    return answer


def wait(minutes: float) -> None:
    """As if that much time had gone by since every guess."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=minutes))


def rests(answer: Any) -> str | None:
    """For how long the page says that the account rests."""
    found = RESTS.search(answer.content.decode())
    return f"{found[1]} {found[2]}" if found else None


# How it grows


def test_five_guesses_are_free_and_then_the_account_rests_a_minute(ana: Member) -> None:
    assert rests(guess(ATTACKER, ana.email, FREE)) is None
    answer = guess(ATTACKER, ana.email, 1)
    assert rests(answer) == "1 minuto"
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_the_right_password_is_refused_while_the_account_rests(ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE)
    client = at(ATTACKER)
    assert rests(try_password(client, ana.email, PASSWORD)) == "1 minuto"
    assert "account_login" not in client.session
    wait(1)
    assert try_password(client, ana.email, PASSWORD)["Location"] == "/enter/2fa/authenticate/"


def test_each_further_guess_doubles_the_rest_up_to_eight_hours(ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE)
    said = []
    for _ in range(11):
        wait(8 * 60)
        assert rests(guess(ATTACKER, ana.email, 1)) is None, "the rest is over: this one is judged"
        said.append(rests(guess(ATTACKER, ana.email, 1)))
    minutes = [f"{2**power} minuto" for power in range(1, 7)]
    assert said == [*minutes, "3 hora", "5 hora", "8 hora", "8 hora", "8 hora"]
    assert [pause_after(wrong).total_seconds() // 60 for wrong in (0, 4, 5, 6, 13, 14, 10**9)] == [
        0, 0, 1, 2, 256, 480, 480,
    ]  # fmt: skip


def test_guesses_made_while_it_rests_do_not_make_the_rest_longer(ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE)
    assert rests(guess(ATTACKER, ana.email, 10)) == "1 minuto"


def test_a_day_without_a_wrong_guess_and_it_starts_anew(ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE)
    wait(24 * 60)
    assert rests(guess(ATTACKER, ana.email, FREE)) is None


def test_a_whole_sign_in_starts_anew_and_a_password_alone_does_not(ana: Member) -> None:
    client = at(ATTACKER)
    guess(ATTACKER, ana.email, FREE - 1)
    assert try_password(client, ana.email, PASSWORD).status_code == 302
    assert rests(guess(ATTACKER, ana.email, 1)) is None
    assert rests(guess(ATTACKER, ana.email, 1)) == "1 minuto", "the password that was right took nothing back"
    wait(1)
    try_password(client, ana.email, PASSWORD)
    client.post("/enter/2fa/authenticate/", {"code": code_now()})
    assert client.get("/me/").status_code == 200
    assert rests(guess(ATTACKER, ana.email, FREE)) is None


# Whose it is


def test_the_member_comes_in_from_another_network_while_somebody_guesses(ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE + 5)
    assert rests(guess(SAME_NETWORK, ana.email, 1)) == "1 minuto", "another address of the same network"
    client = at(HOME)
    assert try_password(client, ana.email, PASSWORD)["Location"] == "/enter/2fa/authenticate/"
    client.post("/enter/2fa/authenticate/", {"code": code_now()})
    assert client.get("/me/").status_code == 200
    assert rests(guess(ATTACKER, ana.email, 1)) == "1 minuto", "her coming in does not free the guesser"


def test_somebody_elses_guesses_in_the_same_office_shut_out_nobody_else(people: House, ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE + 1)
    bruno = with_factor(Member.objects.get(email=people.bruno.name))
    assert try_password(at(ATTACKER), bruno.email, PASSWORD)["Location"] == "/enter/2fa/authenticate/"


def test_an_account_is_the_same_in_any_spelling(ana: Member) -> None:
    guess(ATTACKER, ana.email, 3)
    guess(ATTACKER, ana.email.upper(), 2)
    assert rests(guess(ATTACKER, f"  {ana.email.title()} ", 1)) == "1 minuto"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0"),
        ("203.0.113.255", "203.0.113.0"),
        ("2001:db8:12:34ab:1:2:3:4", "2001:db8:12:3400::"),
        ("2001:db8:12:34ff::1", "2001:db8:12:3400::"),
        ("2001:db8:12:35ff::1", "2001:db8:12:3500::"),
        ("::ffff:203.0.113.7", "203.0.113.0"),
        ("", "::"),
    ],
)
def test_a_network_is_a_24_or_a_56(address: str, network: str) -> None:
    assert network_of(RequestFactory().get("/", REMOTE_ADDR=address)) == network


def test_who_sends_a_forwarded_address_of_their_own_is_counted_by_the_real_one(ana: Member) -> None:
    client = at(ATTACKER)
    for number in range(FREE + 1):
        answer = client.post(
            "/enter/login/",
            {"login": ana.email, "password": "no"},
            headers={"x-forwarded-for": f"198.51.{number}.1", "x-real-ip": f"198.51.{number}.1"},
        )
    assert rests(answer) == "1 minuto"


def test_behind_a_proxy_the_address_that_the_proxy_saw_counts() -> None:
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        asked = RequestFactory().get(
            "/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9"
        )
        assert network_of(asked) == "203.0.113.0"


# What counts


def test_wrong_codes_count_and_the_right_code_is_refused_while_it_rests(ana: Member) -> None:
    client = at(ATTACKER)
    try_password(client, ana.email, PASSWORD)
    for _ in range(FREE):
        answer = client.post("/enter/2fa/authenticate/", {"code": "000000"})
        assert "Código incorrecto" in answer.content.decode()
    answer = client.post("/enter/2fa/authenticate/", {"code": code_now()})
    assert (rests(answer), answer.status_code) == ("1 minuto", 429)
    assert rests(try_password(at(ATTACKER), ana.email, PASSWORD)) == "1 minuto", "passwords rest too"
    home = at(HOME)
    try_password(home, ana.email, PASSWORD)
    assert home.post("/enter/2fa/authenticate/", {"code": code_now()})["Location"] == "/people/"


def test_wrong_recovery_codes_count_and_the_right_one_is_refused_and_not_used_up(ana: Member) -> None:
    right = RecoveryCodes.activate(ana).get_unused_codes()[0]
    client = at(ATTACKER)
    try_password(client, ana.email, PASSWORD)
    for number in range(FREE):
        client.post("/enter/2fa/authenticate/", {"code": f"{number:08}"})
    assert rests(client.post("/enter/2fa/authenticate/", {"code": right})) == "1 minuto"
    wait(1)
    assert client.post("/enter/2fa/authenticate/", {"code": right})["Location"] == "/people/"


def test_guesses_of_several_kinds_are_counted_together(ana: Member) -> None:
    client = at(ATTACKER)
    guess(ATTACKER, ana.email, 2)
    try_password(client, ana.email, PASSWORD)
    for _ in range(3):
        client.post("/enter/2fa/authenticate/", {"code": "000000"})
    assert rests(client.post("/enter/2fa/authenticate/", {"code": "000000"})) == "1 minuto"


def claimed(member: Member) -> str:
    """What a browser sends that says it holds a passkey of hers."""
    import base64
    import json

    from allauth.account.utils import user_pk_to_url_str

    def b64(octets: bytes) -> str:
        return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()

    said = {"type": "webauthn.get", "challenge": b64(b"x" * 32), "origin": "http://testserver"}
    return json.dumps(
        {
            "id": b64(b"i" * 16),
            "rawId": b64(b"i" * 16),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": b64(json.dumps(said).encode()),
                "authenticatorData": b64(b"\0" * 32 + b"\x05" + b"\0" * 4),
                "signature": b64(b"s" * 64),
                "userHandle": b64(user_pk_to_url_str(member).encode()),
            },
        }
    )


def test_false_passkeys_count(ana: Member) -> None:
    client = at(ATTACKER)
    for _ in range(FREE):
        client.get("/enter/2fa/webauthn/login/", headers={"accept": "application/json"})
        assert client.post("/enter/2fa/webauthn/login/", {"credential": claimed(ana)}).status_code == 302
    client.get("/enter/2fa/webauthn/login/", headers={"accept": "application/json"})
    answer = client.post("/enter/2fa/webauthn/login/", {"credential": claimed(ana)}, follow=True)
    assert rests(answer) == "1 minuto"
    assert rests(try_password(client, ana.email, PASSWORD)) == "1 minuto"


def test_false_passkeys_after_the_password_count(ana: Member) -> None:
    client = at(ATTACKER)
    try_password(client, ana.email, PASSWORD)
    for _ in range(FREE):
        client.post("/enter/2fa/authenticate/", {"credential": claimed(ana)})
    assert rests(try_password(at(ATTACKER), ana.email, PASSWORD)) == "1 minuto"


def test_wrong_passwords_of_who_is_in_and_confirms_count(ana: Member) -> None:
    client = at(ATTACKER)
    try_password(client, ana.email, PASSWORD)
    client.post("/enter/2fa/authenticate/", {"code": code_now()})
    for _ in range(FREE):
        client.post("/enter/reauthenticate/", {"password": "no"})
    assert rests(client.post("/enter/reauthenticate/", {"password": PASSWORD})) == "1 minuto"
    assert rests(client.post("/enter/2fa/reauthenticate/", {"code": code_now()})) == "1 minuto"


def test_every_way_to_djangos_own_authentication_is_counted(ana: Member) -> None:
    """Also one that is written later and knows nothing of this."""
    for number in range(FREE + 1):
        asked = RequestFactory().post("/", REMOTE_ADDR=ATTACKER)
        right = authenticate(asked, email=ana.email, password=PASSWORD if number == FREE else "no")
    assert right is None


def test_many_guesses_at_once_are_no_more_than_the_free_ones(ana: Member) -> None:
    """Each is counted before any is judged."""
    let_in = 0
    for _ in range(64):
        try:
            begin_guess(RequestFactory().post("/", REMOTE_ADDR=ATTACKER), ana.email)
        except Locked:
            continue
        let_in += 1
    assert let_in == FREE


def test_one_network_may_not_ask_without_end_whatever_the_account(ana: Member) -> None:
    client = at(ATTACKER)
    answers = [try_password(client, f"{number}@albergue.example", "x").status_code for number in range(31)]
    assert answers[:30] == [200] * 30
    assert answers[30] == 429
    assert "Demasiados intentos" in try_password(client, ana.email, PASSWORD).content.decode()
    assert try_password(at(HOME), ana.email, PASSWORD).status_code == 302


# What it tells


def test_nothing_tells_whether_an_account_exists(ana: Member) -> None:
    def said(email: str) -> list[tuple[int, str]]:
        client = at(ATTACKER)
        heard = []
        for number in range(FREE + 2):
            answer = try_password(client, email, "no-es-esta")
            text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
            heard.append((answer.status_code, text.replace(email, "…")))
            assert email not in text.replace(f'value="{email}"', ""), number
        return heard

    assert said(ana.email) == said("nadie@albergue.example")


def test_the_table_of_guesses_says_neither_who_nor_from_where_exactly_nor_what(ana: Member) -> None:
    guess(ATTACKER, ana.email, 3, password="canario-en-la-clave")
    rows = list(AccessAttempt.objects.values())
    assert len(rows) == 1
    told = str(rows)
    for never in (ana.email, "ana", ATTACKER, "canario", "password", "login", "Mozilla", "/enter/"):
        assert never not in told, never
    assert account_name(ana.email) in told


def test_old_guesses_leave_no_line_behind(ana: Member) -> None:
    guess(ATTACKER, ana.email, 2)
    wait(25 * 60)
    guess(HOME, "otra@albergue.example", 1)
    assert AccessAttempt.objects.count() == 1


def test_an_administrator_frees_an_account_from_everywhere(ana: Member) -> None:
    guess(ATTACKER, ana.email, FREE)
    guess(HOME, ana.email, FREE)
    assert forget(ana.email) == 2
    assert rests(guess(ATTACKER, ana.email, 1)) is None


def test_the_cache_of_limits_and_used_codes_is_not_emptied_for_want_of_room(ana: Member) -> None:
    """Django's table forgets a third of what it holds past 300 entries unless it is told otherwise."""
    cache.set("used", "y", 600)
    for number in range(350):
        cache.set(f"filler-{number}", "x", 600)
    assert cache.get("used") == "y"


def test_a_code_opens_once(ana: Member) -> None:
    code = code_now()
    first, second = at(HOME), at(HOME)
    for client in (first, second):
        try_password(client, ana.email, PASSWORD)
        client.post("/enter/2fa/authenticate/", {"code": code})
    assert first.get("/me/").status_code == 200
    assert second.get("/me/").status_code == 302


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_many_guesses_at_the_same_moment_are_no_more_than_the_free_ones() -> None:
    """Sixteen connections of their own, as several processes have them."""
    at_once = Barrier(16)

    def one(number: int) -> bool:
        try:
            at_once.wait(20)
            begin_guess(RequestFactory().post("/", REMOTE_ADDR=ATTACKER), "ana@albergue.example")
        except Locked:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(one, range(16))) == FREE
    assert AccessAttempt.objects.get().failures_since_start == FREE
