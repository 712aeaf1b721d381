"""Before what cannot be taken back she says again who she is, and what she wrote is not lost and not kept."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from tests.people import House, make_house
from tests.signed_in import PASSWORD, code_now, signed_in

from resguardo_server import urls
from resguardo_server.languages_build import compile_messages
from resguardo_server.models import Member
from resguardo_server.pages.confirming import needs_fresh_sign_in

DONE: list[Any] = []
WROTE = {
    "reason": 'Está en peligro; avisó a las 14:05\ny no contesta. <b>«ñ»</b> & "comillas"',
    "field": ["phone", "alias"],
    "empty": "",
}


@needs_fresh_sign_in
def erase(request: HttpRequest) -> HttpResponse:
    """A page of this test that does something which cannot be taken back."""
    if request.method == "POST":
        DONE.append({name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"})
        return HttpResponse("done")
    return HttpResponse("the form")


@needs_fresh_sign_in(reading=True)
def sealed_page(request: HttpRequest) -> HttpResponse:
    """A page of this test that shows something only to who has just confirmed."""
    return HttpResponse("shown")


@pytest.fixture
def house(db: None) -> Iterator[House]:
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    cache.clear()
    DONE.clear()
    pages = ModuleType("tests_confirming_urls")
    pages.urlpatterns = [  # type: ignore[attr-defined]
        path("people/1/erase/", erase),
        path("protection/sealed/", sealed_page),
        *urls.urlpatterns,
    ]
    sys.modules[pages.__name__] = pages
    with override_settings(ROOT_URLCONF=pages.__name__):
        yield make_house()


@pytest.fixture
def ana(house: House) -> Member:
    return Member.objects.get(email=house.ana.name)


@pytest.fixture
def client(ana: Member) -> Client:
    """Ana's browser, in for twenty minutes."""
    return signed_in(Client(headers={"accept-language": "es"}), ana, fresh=False)


def carried(answer: HttpResponse) -> dict[str, list[str]]:
    """What the page that asks would send on, as a browser reads it."""
    text = answer.content.decode()
    form = text[text.index('action="/people/1/erase/') :].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form):
        found.setdefault(unescape(name), []).append(unescape(value))
    found.pop("csrfmiddlewaretoken", None)
    return found


def asks(answer: HttpResponse) -> bool:
    return "Confirme que es usted" in answer.content.decode()


def test_whoever_has_just_come_in_notices_nothing(ana: Member) -> None:
    client = signed_in(Client(), ana, fresh=True)
    assert client.post("/people/1/erase/", WROTE).content == b"done"


def test_the_form_can_be_seen_and_filled_in_and_only_sending_it_asks(client: Client) -> None:
    assert client.get("/people/1/erase/").content == b"the form"
    assert asks(client.post("/people/1/erase/", WROTE))
    assert DONE == []


@pytest.mark.parametrize("with_what", ["password", "code", "code with a space", "recovery code"])
def test_what_she_wrote_goes_on_when_she_has_confirmed(client: Client, ana: Member, with_what: str) -> None:
    answer = client.post("/people/1/erase/?tab=2", WROTE)
    code = code_now()
    word = {
        "password": PASSWORD,
        "code": code,
        "code with a space": f"{code[:3]} {code[3:]}",
        "recovery code": RecoveryCodes.activate(ana).get_unused_codes()[0],
    }[with_what]
    sent = {**carried(answer), "confirm_with": word}
    assert client.post("/people/1/erase/?tab=2", sent).content == b"done"
    wrote = {"reason": [WROTE["reason"]], "field": ["phone", "alias"], "empty": [""]}
    assert [one for one in DONE if one == wrote] == DONE
    assert len(DONE) == 1
    assert client.post("/people/1/erase/", WROTE).content == b"done", "and she is not asked again at once"


@pytest.mark.parametrize("word", ["no-es-esta", "000000", "", "00000000"])
def test_a_wrong_word_does_nothing_and_loses_nothing(client: Client, word: str) -> None:
    first = client.post("/people/1/erase/", WROTE)
    answer = client.post("/people/1/erase/", {**carried(first), "confirm_with": word})
    assert asks(answer)
    assert 'role="alert"' in answer.content.decode()
    assert carried(answer) == carried(first)
    assert DONE == []
    if word:
        assert f'value="{word}"' not in answer.content.decode()


def test_nothing_of_what_she_wrote_is_kept_here(client: Client) -> None:
    before = {row.pk: row.session_data for row in Session.objects.all()}
    client.post("/people/1/erase/", WROTE)
    after = {row.pk: row.session_data for row in Session.objects.all()}
    assert "reason" not in dict(client.session)
    assert set(before) == set(after)


def test_the_page_that_asks_is_kept_by_no_cache_and_shows_markup_as_text(client: Client) -> None:
    answer = client.post("/people/1/erase/", WROTE)
    assert answer["Cache-Control"] == "no-store"
    assert "<b>" not in answer.content.decode()


def test_guesses_here_count_like_all_others(client: Client) -> None:
    for _ in range(5):
        client.post("/people/1/erase/", {**WROTE, "confirm_with": "no"})
    answer = client.post("/people/1/erase/", {**WROTE, "confirm_with": PASSWORD})
    assert "Demasiados intentos. Podrá probar de nuevo en 1 minuto" in answer.content.decode()
    assert answer.status_code == 429
    assert DONE == []


def test_after_a_quarter_of_an_hour_she_is_asked_again(client: Client) -> None:
    client.post("/people/1/erase/", {**WROTE, "confirm_with": PASSWORD})
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 15 * 60
    session.save()
    assert asks(client.post("/people/1/erase/", WROTE))


def test_somebody_elses_confirmation_counts_for_nothing(house: House, ana: Member) -> None:
    client = signed_in(Client(headers={"accept-language": "es"}), ana, fresh=True)
    session = client.session
    session["account_authentication_methods_user"] = str(Member.objects.get(email=house.bruno.name).pk)
    session.save()
    assert asks(client.post("/people/1/erase/", WROTE))


def test_a_confirmation_from_the_future_counts_for_nothing(ana: Member) -> None:
    client = signed_in(Client(headers={"accept-language": "es"}), ana, fresh=True)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time() + 3600}]
    session.save()
    assert asks(client.post("/people/1/erase/", WROTE))


def test_a_stranger_is_not_asked_but_sent_to_sign_in(house: House) -> None:
    answer = Client().post("/people/1/erase/", {**WROTE, "confirm_with": PASSWORD})
    assert answer["Location"] == "/enter/login/"
    assert DONE == []


def test_the_form_of_another_site_is_refused_also_with_the_right_word(ana: Member) -> None:
    client = signed_in(Client(enforce_csrf_checks=True), ana, fresh=False)
    assert client.post("/people/1/erase/", {**WROTE, "confirm_with": PASSWORD}).status_code == 403
    assert DONE == []


def test_a_file_is_said_to_be_chosen_again(client: Client) -> None:
    answer = client.post("/people/1/erase/", {**WROTE, "sheet": SimpleUploadedFile("a.csv", b"x")})
    assert "Un archivo no puede esperar aquí" in answer.content.decode()


def test_a_page_may_be_shown_only_to_who_has_just_confirmed(client: Client) -> None:
    asked = client.get("/protection/sealed/?day=2")
    assert asks(asked)
    assert "shown" not in asked.content.decode()
    wrong = client.post("/protection/sealed/?day=2", {"confirm_to_read": "1", "confirm_with": "no"})
    assert 'name="confirm_to_read"' in wrong.content.decode()
    sent = {"confirm_to_read": "1", "confirm_with": PASSWORD}
    assert client.post("/protection/sealed/?day=2", sent)["Location"] == "/protection/sealed/?day=2"
    assert client.get("/protection/sealed/?day=2").content == b"shown"


def test_who_has_neither_password_nor_code_nor_passkey_is_told_and_not_sent_round(ana: Member) -> None:
    """She came in with her institution's account, which did not say when it last saw her credentials."""
    client = signed_in(Client(headers={"accept-language": "es"}), ana, fresh=False)
    ana.set_unusable_password()
    ana.save()
    ana.authenticator_set.all().delete()
    client.force_login(ana, "allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["second_factor"] = "theirs"
    session["signed_in_with"] = "albergue-tapachula"
    session.save()
    text = client.post("/people/1/erase/", WROTE).content.decode()
    assert "Usted entró con la cuenta de su institución" in text
    assert 'href="/enter/oidc/albergue-tapachula/login/?again=1&amp;next=%2Fpeople%2F1%2Ferase%2F"' in text
    assert "confirm_with" not in text
    assert DONE == []


def test_the_way_back_is_the_page_that_she_came_from_and_never_another_host(client: Client) -> None:
    def back(referer: str) -> str:
        answer = client.post("/people/1/erase/", WROTE, headers={"referer": referer})
        found = re.search(r'<a href="([^"]*)">Volver sin hacer nada', answer.content.decode())
        assert found
        return unescape(found[1])

    assert back("http://testserver/people/1/?tab=2") == "/people/1/?tab=2"
    assert back("https://otro.example/people/1/") == "/people/1/erase/"
    assert back("javascript:alert(1)") == "/people/1/erase/"
