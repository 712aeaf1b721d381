"""Nobody sees the newsroom with a password alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from resguardo_server.models import Member
from tests.browser import scene
from tests.browser.conftest import give_code, give_password

SETTING_UP = re.compile("/enter/2fa/totp/activate/")
SIGNING_IN = re.compile("/enter/login/")


def test_a_member_without_a_second_factor_sets_one_up_before_she_sees_the_newsroom(
    open_browser: Callable[..., Page], bruno: Member
) -> None:
    page = open_browser()
    page.goto("/edit/login/?next=/edit/pages/")
    expect(page).to_have_url(re.compile(r"/enter/login/\?next="))
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    stolen = {"username": bruno.email, "password": scene.PASSWORD, "csrfmiddlewaretoken": token}
    page.request.post("/edit/login/", form=stolen, headers={"Referer": page.url})
    page.goto("/edit/")
    expect(page).to_have_url(SIGNING_IN)

    give_password(page, bruno.email)
    expect(page).to_have_url(SETTING_UP)
    for address in ("/edit/pages/", "/edit/claims/", "/edit/account/", "/edit/api/main/pages/"):
        page.goto(address)
        expect(page).to_have_url(SETTING_UP)
    page.get_by_text("No puedo escanearlo").click()
    secret = page.locator("strong.code").inner_text()
    page.get_by_label("Código").fill("000000")
    page.get_by_role("button", name="Confirmar").click()
    expect(page.get_by_text("Código incorrecto").first).to_be_visible()
    page.get_by_label("Código").fill(scene.code_from(secret))
    page.get_by_role("button", name="Confirmar").click()
    expect(page.locator("ul.codes li")).to_have_count(10)
    recovery = page.locator("ul.codes li").first.inner_text()
    page.goto("/edit/")
    expect(page).to_have_url(re.compile("/edit/$"))

    elsewhere = open_browser()
    give_password(elsewhere, bruno.email)
    expect(elsewhere.get_by_role("heading", name="Escriba su código")).to_be_visible()
    elsewhere.goto("/edit/")
    expect(elsewhere).to_have_url(re.compile("/enter/2fa/authenticate/"))
    give_code(elsewhere, recovery)
    expect(elsewhere).to_have_url(re.compile("/edit/$"))


def test_after_five_wrong_passwords_the_right_one_opens_nothing_for_a_while(
    open_browser: Callable[..., Page], ana: Member
) -> None:
    page = open_browser()
    for _ in range(5):
        give_password(page, ana.email, "no-es-esta")
        expect(page.get_by_text("no son correct").first).to_be_visible()
    give_password(page, ana.email)
    expect(page.get_by_text("Demasiados intentos").first).to_be_visible()
    page.goto("/edit/")
    expect(page).to_have_url(SIGNING_IN)
    # The same holds from another machine: the limit is the account's.
    other = open_browser()
    give_password(other, ana.email)
    expect(other.get_by_text("Demasiados intentos").first).to_be_visible()


def test_a_passkey_that_she_enrolled_opens_the_newsroom_without_password_or_code(newsroom: Page) -> None:
    page = newsroom
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    page.goto("/enter/2fa/webauthn/add/")
    page.get_by_label("Contraseña").fill(scene.PASSWORD)
    page.get_by_role("button", name="Confirmar").click()
    page.get_by_label("Nombre de este aparato").fill("Portátil de la oficina")
    page.get_by_label("Entrar solo con esta llave").check()
    page.locator("#mfa_webauthn_add").click()
    expect(page).to_have_url(re.compile("/enter/2fa/$"))
    page.goto("/enter/logout/")
    page.get_by_role("button", name="Salir").click()
    page.goto("/edit/")
    expect(page).to_have_url(SIGNING_IN)
    page.get_by_role("button", name="Entrar con mi llave").click()
    expect(page).to_have_url(re.compile("/edit/$"))
