"""Signing in, the second factor and recovery codes, as a member meets them: in words, without a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from resguardo_server.languages_build import compile_messages

SECRET = "JBSWY3DPEHPK3PXP"
PASSWORD = "una-frase-larga-y-rara"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _place() -> None:
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def ana() -> object:
    return get_user_model().objects.create_user(email="ana@example.org", password=PASSWORD)


def code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time())))))


def spanish(client: Client, address: str, **sent: str) -> str:
    """The page at `address`, or the one that answers what was sent, without what it leads to."""
    answer = client.post if sent else client.get
    return str(answer(address, sent, headers={"accept-language": "es"}).content.decode())


def enter(client: Client, **factor: str) -> None:
    """Signs in, with a code where one is given, and confirms that it is the member."""
    spanish(client, "/enter/login/", login="ana@example.org", password=PASSWORD)
    if factor:
        spanish(client, "/enter/2fa/authenticate/", **factor)
    spanish(client, "/enter/reauthenticate/", password=PASSWORD)


def test_the_sign_in_page_asks_for_an_address_and_a_password(client: Client) -> None:
    text = spanish(client, "/enter/login/")
    assert "<h1>Entrar</h1>" in text
    assert 'name="login"' in text
    assert 'autocomplete="current-password"' in text
    assert "placeholder" not in text


def test_what_is_wrong_is_said_at_once_and_linked_to_its_field(client: Client) -> None:
    text = spanish(client, "/enter/login/", login="ana", password="")
    assert 'role="alert"' in text
    for field in ("id_login", "id_password"):
        assert f'href="#{field}"' in text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', text)


def test_a_wrong_password_does_not_come_back_in_the_page(client: Client, ana: object) -> None:
    text = spanish(client, "/enter/login/", login="ana@example.org", password="not-this-one")
    assert 'role="alert"' in text
    assert "not-this-one" not in text


def test_a_member_sets_up_a_code_with_a_square_to_scan(client: Client, ana: object) -> None:
    enter(client)
    text = spanish(client, "/enter/2fa/totp/activate/")
    assert "Prepare su código" in text
    assert "data:image/svg+xml" in text
    assert "Redacción" not in text  # nothing else is open before there is a second factor
    assert "Salir" in text


def test_a_password_alone_leads_to_the_code(client: Client, ana: object) -> None:
    TOTP.activate(ana, SECRET)
    spanish(client, "/enter/login/", login="ana@example.org", password=PASSWORD)
    text = spanish(client, "/enter/2fa/authenticate/")
    assert "Escriba su código" in text
    assert 'autocomplete="one-time-code"' in text
    assert "ana@example.org" not in text


def test_a_wrong_code_is_said_at_its_field(client: Client, ana: object) -> None:
    TOTP.activate(ana, SECRET)
    spanish(client, "/enter/login/", login="ana@example.org", password=PASSWORD)
    text = spanish(client, "/enter/2fa/authenticate/", code="000000")
    assert 'href="#id_code"' in text
    assert 'aria-invalid="true"' in text


def test_who_changes_a_key_is_asked_again_who_they_are(client: Client, ana: object) -> None:
    client.force_login(ana)  # type: ignore[arg-type]
    assert "Confirme que es usted" in spanish(client, "/enter/reauthenticate/?next=/enter/2fa/")


def test_recovery_codes_are_shown_as_a_list_to_copy(client: Client, ana: object) -> None:
    TOTP.activate(ana, SECRET)
    codes = RecoveryCodes.activate(ana).get_unused_codes()
    enter(client, code=code())
    text = spanish(client, "/enter/2fa/recovery-codes/")
    for one in codes:
        assert f"<li>{one}</li>" in text
    assert "Códigos de recuperación" in text


def test_signing_out_is_a_button_and_not_a_link(client: Client, ana: object) -> None:
    client.force_login(ana)  # type: ignore[arg-type]
    text = spanish(client, "/enter/logout/")
    assert '<form method="post" action="/enter/logout/">' in text
