"""Nobody sees what is closed with a password alone, and who signs in can do it on any device."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from playwright.sync_api import Page, expect

from resguardo_server import urls
from resguardo_server.actions.members import InstitutionSignIn, set_institution_sign_in
from resguardo_server.models import Member
from resguardo_server.pages.confirming import needs_fresh_sign_in
from resguardo_server.session_store import SessionStore
from tests.browser import scene
from tests.browser.conftest import Watch, give_code, give_password
from tests.openid_provider import CLIENT, SECRET, Provider, provider_running

SETTING_UP = re.compile("/enter/2fa/totp/activate/")
SIGNING_IN = re.compile("/enter/login/")
NEWSROOM = re.compile("/edit/$")
OFFICE = "oficina-regional"
ERASED: list[dict[str, list[str]]] = []
FORM = """<!doctype html><html lang="es"><title>Borrar</title>
<link rel="icon" href="data:,"><h1>Borrar un registro</h1>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{token}">
<label>Motivo <textarea name="reason"></textarea></label><button>Borrar</button></form>"""

DONE = '<!doctype html><html lang="es"><title>Hecho</title><link rel="icon" href="data:,"><h1>Borrado</h1>'


@needs_fresh_sign_in
def erase(request: HttpRequest) -> HttpResponse:
    """A page of these tests that does something which cannot be taken back."""
    from django.middleware.csrf import get_token

    if request.method == "POST":
        ERASED.append(dict(request.POST.lists()))
        return HttpResponse(DONE)
    return HttpResponse(FORM.format(token=get_token(request)))


@pytest.fixture
def erasing(region: str, settings: Any) -> None:
    """The service with that page in it."""
    pages = ModuleType("tests_browser_urls")
    pages.urlpatterns = [path("people/1/erase/", erase), *urls.urlpatterns]  # type: ignore[attr-defined]
    sys.modules[pages.__name__] = pages
    settings.ROOT_URLCONF = pages.__name__
    ERASED.clear()


@pytest.fixture
def provider(region: str) -> Iterator[Provider]:
    """The regional office has accounts of its own, at another site than ours."""
    with provider_running("127.0.0.1") as running:
        running.has_a_page = True
        set_institution_sign_in(OFFICE, InstitutionSignIn(running.address, CLIENT, SECRET))
        yield running


def sign_in(page: Page, member: Member) -> None:
    give_password(page, member.email)
    give_code(page, scene.code_of(member))
    page.wait_for_url("**/edit/")


def change_session(page: Page, change: Callable[[SessionStore], object]) -> None:
    """The session of that browser, as if time had gone by."""
    key = next(
        one["value"] for one in page.context.cookies() if one["name"] == django_settings.SESSION_COOKIE_NAME
    )
    session = SessionStore(key)
    change(session)
    session.save()


def confirmed_long_ago(session: SessionStore) -> None:
    for record in session["account_authentication_methods"]:
        record["at"] -= 1200
    session.modified = True


def give_passkey(page: Page) -> None:
    """The device has a reader of fingerprints from here on."""
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


def enrol_passkey(page: Page) -> None:
    page.goto("/enter/2fa/webauthn/add/")
    page.get_by_label("Contraseña").fill(scene.PASSWORD)
    page.get_by_role("button", name="Confirmar").click()
    page.get_by_label("Nombre de este aparato").fill("Portátil de la oficina")
    page.get_by_label("Entrar solo con esta llave").check()
    page.locator("#mfa_webauthn_add").click()
    expect(page).to_have_url(re.compile("/enter/2fa/$"))


def a_recovery_code_of(member: Member) -> str:
    """One that works, for who has just used the code that her telephone shows."""
    kept = Authenticator.objects.get(user=member, type=Authenticator.Type.RECOVERY_CODES)
    return str(kept.wrap().get_unused_codes()[0])


def looks_right(page: Page) -> None:
    """No barrier, no wider than the screen, one heading, no name of a member in the title."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
    expect(page.locator("h1")).to_have_count(1)
    for name in ("Ana", "Bruno", "oficina.example"):
        assert name not in page.title()


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
    for address in ("/edit/pages/", "/edit/claims/", "/edit/account/", "/edit/api/main/pages/", "/me/"):
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
    page.reload()
    expect(page.locator("ul.codes li")).to_have_count(0)
    expect(page.get_by_text("Se mostraron una vez")).to_be_visible()
    page.goto("/edit/")
    expect(page).to_have_url(NEWSROOM)

    elsewhere = open_browser()
    give_password(elsewhere, bruno.email)
    expect(elsewhere.get_by_role("heading", name="Escriba su código")).to_be_visible()
    elsewhere.goto("/edit/")
    expect(elsewhere).to_have_url(re.compile("/enter/2fa/authenticate/"))
    give_code(elsewhere, recovery)
    expect(elsewhere).to_have_url(NEWSROOM)


def test_after_five_wrong_passwords_the_account_rests_on_that_network_and_opens_on_hers(
    open_browser: Callable[..., Page], ana: Member, settings: Any, watch: Watch
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    page = open_browser(extra_http_headers={"X-Forwarded-For": "203.0.113.7"})
    for _ in range(5):
        give_password(page, ana.email, "no-es-esta")
        expect(page.get_by_text("no son correct").first).to_be_visible()
    give_password(page, ana.email)
    expect(page.get_by_text("Demasiados intentos. Podrá probar de nuevo en 1 minuto.")).to_be_visible()
    looks_right(page)
    page.goto("/edit/")
    expect(page).to_have_url(SIGNING_IN)
    neighbour = open_browser(extra_http_headers={"X-Forwarded-For": "203.0.113.99"})
    give_password(neighbour, ana.email)
    expect(neighbour.get_by_text("Demasiados intentos").first).to_be_visible()
    hers = open_browser(extra_http_headers={"X-Forwarded-For": "198.51.100.4"})
    sign_in(hers, ana)
    watch.faults[:] = [fault for fault in watch.faults if "429" not in fault]


def test_a_passkey_that_she_enrolled_opens_the_newsroom_without_password_or_code(newsroom: Page) -> None:
    page = newsroom
    give_passkey(page)
    enrol_passkey(page)
    page.goto("/enter/logout/")
    page.get_by_role("button", name="Salir").click()
    page.goto("/edit/")
    expect(page).to_have_url(SIGNING_IN)
    page.get_by_role("button", name="Entrar con mi llave").click()
    expect(page).to_have_url(NEWSROOM)


def test_what_cannot_be_taken_back_asks_again_and_keeps_what_she_wrote(erasing: None, newsroom: Page) -> None:
    page = newsroom
    give_passkey(page)
    enrol_passkey(page)
    reason = "Lo pidió ella.\nDos líneas, «comillas» y <b>."

    def ask() -> None:
        change_session(page, confirmed_long_ago)
        page.goto("/people/1/erase/")
        page.get_by_label("Motivo").fill(reason)
        page.get_by_role("button", name="Borrar").click()
        expect(page.get_by_role("heading", name="Confirme que es usted")).to_be_visible()

    ask()
    looks_right(page)
    page.get_by_label("Su contraseña o su código").fill("no-es-esta")
    page.get_by_role("button", name="Confirmar y seguir").click()
    expect(page.get_by_role("alert")).to_be_visible()
    looks_right(page)
    page.get_by_label("Su contraseña o su código").fill(scene.PASSWORD)
    page.get_by_role("button", name="Confirmar y seguir").click()
    expect(page.get_by_role("heading", name="Borrado")).to_be_visible()
    ask()
    page.get_by_role("button", name="Usar mi llave de acceso").click()
    expect(page.get_by_role("heading", name="Borrado")).to_be_visible()
    ask()
    page.get_by_role("link", name="Volver sin hacer nada").click()
    expect(page.get_by_role("heading", name="Borrar un registro")).to_be_visible()
    kept = [one["reason"][0].replace("\r\n", "\n") for one in ERASED]
    assert kept == [reason, reason]
    assert all("confirm_with" not in one and "confirm_passkey" not in one for one in ERASED)


def test_she_sees_where_she_is_signed_in_and_closes_it_from_elsewhere(
    open_browser: Callable[..., Page], newsroom: Page, ana: Member
) -> None:
    phone = open_browser(
        width=360,
        user_agent="Mozilla/5.0 (Android 14; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
    )
    give_password(phone, ana.email)
    expect(phone.get_by_role("heading", name="Escriba su código")).to_be_visible()
    give_code(phone, a_recovery_code_of(ana))
    phone.wait_for_url("**/edit/")
    newsroom.goto("/me/")
    newsroom.get_by_role("link", name="Verlas y cerrarlas").click()
    expect(newsroom.get_by_text("Firefox en Android")).to_be_visible()
    newsroom.get_by_role("button", name="Cerrar la sesión de Firefox en Android").click()
    expect(newsroom.get_by_text("Esa sesión quedó cerrada.")).to_be_visible()
    expect(newsroom.get_by_text("Firefox en Android")).to_have_count(0)
    phone.goto("/edit/pages/")
    expect(phone.get_by_text("Su sesión se cerró")).to_be_visible()


def test_after_signing_out_the_back_button_shows_nothing(newsroom: Page) -> None:
    page = newsroom
    page.goto("/me/")
    expect(page.get_by_text("ana@oficina.example")).to_be_visible()
    page.get_by_role("link", name="Salir").last.click()
    page.get_by_role("button", name="Salir").click()
    page.wait_for_url(re.compile("/news/"))
    page.go_back()
    page.go_back()
    expect(page).to_have_url(SIGNING_IN)
    expect(page.get_by_text("ana@oficina.example")).to_have_count(0)


def test_a_session_that_nobody_used_is_closed_and_the_page_says_so(newsroom: Page) -> None:
    def idle(session: SessionStore) -> None:
        session["seen_at"] -= 15 * 60

    change_session(newsroom, idle)
    newsroom.goto("/me/")
    expect(newsroom).to_have_url(SIGNING_IN)
    expect(newsroom.get_by_text("Su sesión se cerró")).to_be_visible()


def test_she_comes_in_with_the_accounts_of_her_institution_though_our_cookie_is_strict(
    open_browser: Callable[..., Page], ana: Member, provider: Provider, region: str, watch: Watch
) -> None:
    """The provider is another site: our cookie comes not with her first step back, but with the second."""
    assert region.startswith("http://localhost")
    provider.who_is(ana.email, amr=["pwd", "mfa"])
    page = open_browser()
    asked: list[str] = []

    def came_back(url: str) -> bool:
        return url.startswith(f"{region}/enter/oidc/{OFFICE}/login/callback/")

    page.on("request", lambda request: asked.append(request.url) if came_back(request.url) else None)
    page.goto(f"/enter/oidc/{OFFICE}/login/")
    expect(page.get_by_role("heading", name="Cuenta del albergue")).to_be_visible()
    page.get_by_role("link", name="Permitir").click()
    expect(page).to_have_url(NEWSROOM)
    assert ["_redir" in url for url in asked] == [False, True]
    session = next(one for one in page.context.cookies() if one["name"] == "sessionid")
    assert session["sameSite"] == "Strict"
    watch.faults[:] = [fault for fault in watch.faults if provider.address not in fault]


def test_signing_in_needs_no_mouse_and_no_script(open_browser: Callable[..., Page], ana: Member) -> None:
    page = open_browser(width=360, java_script_enabled=False)
    page.goto("/enter/login/")
    expect(page.get_by_role("button", name="Entrar con mi llave")).to_be_hidden()
    page.get_by_label("Correo electrónico").focus()
    page.keyboard.type(ana.email)
    page.keyboard.press("Tab")
    page.keyboard.type(scene.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/enter/2fa/authenticate/")
    page.get_by_label("Código").focus()
    page.keyboard.type(scene.code_of(ana))
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit/")
    page.goto("/me/sessions/")
    page.get_by_role("link", name="Salir").first.click()
    page.get_by_role("button", name="Salir").press("Enter")
    page.wait_for_url(re.compile("/news/"))


MINE = (
    "/me/", "/me/sessions/", "/enter/2fa/", "/enter/2fa/webauthn/add/", "/enter/2fa/webauthn/",
    "/enter/2fa/totp/deactivate/", "/enter/2fa/recovery-codes/", "/enter/2fa/recovery-codes/generate/",
    "/enter/password/change/", "/enter/logout/",
)  # fmt: skip


@pytest.mark.parametrize(
    ("width", "colours", "tongue"),
    [
        (360, "light", "Español"),
        (1280, "dark", "English"),
        (320, "dark", "Kreyòl"),
        (768, "light", "Français"),
    ],
)
def test_no_page_of_the_sign_in_has_a_barrier_or_is_wider_than_the_screen(
    open_browser: Callable[..., Page],
    ana: Member,
    bruno: Member,
    width: int,
    colours: str,
    tongue: str,
) -> None:
    page = open_browser(width=width, color_scheme=colours)
    for address in ("/enter/login/", "/enter/login/?ended=1", "/enter/signup/", "/enter/inactive/"):
        page.goto(address)
        looks_right(page)
    give_password(page, ana.email, "no-es-esta")
    looks_right(page)
    give_password(page, ana.email)
    page.wait_for_url("**/enter/2fa/authenticate/")
    looks_right(page)
    give_code(page, "000000")
    looks_right(page)
    give_code(page, scene.code_of(ana))
    page.wait_for_url("**/edit/")
    for address in ("/enter/2fa/reauthenticate/?next=/me/", "/enter/reauthenticate/?next=/me/"):
        page.goto(address)
        looks_right(page)
    page.get_by_label("Contraseña").fill(scene.PASSWORD)
    page.get_by_role("button", name="Confirmar").click()
    page.wait_for_url("**/me/")
    page.get_by_role("button", name=tongue).click()
    for address in MINE:
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", tongue[:2].lower().replace("kr", "ht"))
        looks_right(page)
    new = open_browser(width=width, color_scheme=colours)
    give_password(new, bruno.email)
    new.wait_for_url(SETTING_UP)
    looks_right(new)
