"""A caseworker finds a person, says what for, opens what she needs, seals it again and mends a number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from resguardo_server import models
from resguardo_server.actions.allow import import_sheet
from resguardo_server.actions.allow.finding import case_code
from resguardo_server.actions.members import asker, make_institution
from tests.browser import scene
from tests.browser.conftest import give_code, give_password
from tests.people import YESENIA, quietly, table
from tests.rules.collect.sheets import write_csv

NAME, PHONE = str(YESENIA["name"]), str(YESENIA["phone"])


@dataclass(frozen=True)
class Shelter:
    """Lucía works with people there; Elena supervises."""

    lucia: models.Member
    elena: models.Member
    yesenia: models.Subject

    @property
    def code(self) -> str:
        return case_code(self.yesenia.id)


def make_member(email: str, name: str, shelter: models.Institution, role: str) -> models.Member:
    member: models.Member = models.Member.objects.create_user(email, scene.PASSWORD, first_name=name)
    models.Membership.objects.create(member=member, institution=shelter, role=role)
    TOTP.activate(member, generate_totp_secret())
    return member


@pytest.fixture
def shelter(region: str, tmp_path: Path) -> Shelter:
    """Three people registered this week."""
    house = make_institution("casa-tres-rios", "Casa Tres Ríos (ejemplo)", "shelter", "MX")
    house.address, house.contact = "Calle 5 n.º 12, Tapachula", "+52 962 000 0000"
    house.save()
    lucia = make_member("lucia@casa.example", "Lucía", house, "caseworker")
    elena = make_member("elena@casa.example", "Elena", house, "supervisor")
    day = (timezone.now() - timedelta(days=2)).date().isoformat()
    people = [
        {**YESENIA, "registered_on": day},
        {**YESENIA, "registered_on": day, "case_code": "TAP-2026-015", "name": "Ana Ejemplo Uno",
         "phone": "+502 5555 0101", "id_doc_no": "E-1", "alias": ""},
        {**YESENIA, "registered_on": day, "case_code": "TAP-2026-016", "name": "Eva Ejemplo Dos",
         "phone": "+502 5555 0102", "id_doc_no": "E-2", "alias": ""},
    ]  # fmt: skip
    kept = import_sheet(
        asker(lucia), "assistance", write_csv(tmp_path / "registro.csv", table(*people)),
        form_name="registration", language="es", advance=quietly, now=timezone.now(),
    )  # fmt: skip
    assert (kept.kept, kept.refused) == (3, 0), kept.problems
    models.Member.objects.filter(pk__in=[lucia.pk, elena.pk]).update(language="es")
    from resguardo_server.actions.allow.finding import find_person
    from resguardo_server.actions.plan import programme_named

    found = find_person(
        asker(lucia), programme_named("assistance"), "assistance", "phone", PHONE, now=timezone.now()
    )
    return Shelter(lucia, elena, models.Subject.objects.get(id=found[0]))


def sign_in(page: Page, member: models.Member) -> None:
    give_password(page, member.email)
    give_code(page, scene.code_of(member))
    page.wait_for_url("**/people/")


def looks_right(page: Page) -> None:
    """No barrier, no wider than the screen, one heading, nobody in the title or the address."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
    expect(page.locator("h1")).to_have_count(1)
    for word in ("Yesenia", "Orellana", "Lucía", "7777", "TAP-2026"):
        assert word not in page.title() + page.url


def find_by_telephone(page: Page) -> None:
    page.get_by_label("Buscar por").select_option(label="Teléfono")
    page.get_by_label("Lo que le dijeron").fill("7777 0155")
    page.get_by_label("Para qué lo necesita").select_option(label="Atender a la persona")
    page.get_by_role("button", name="Buscar").click()
    expect(page.get_by_text("Su búsqueda quedó anotada.")).to_be_visible()


def choose_purpose(page: Page) -> None:
    page.get_by_label("Para qué lo necesita").select_option(label="Atender a la persona")
    page.get_by_role("button", name="Abrir", exact=True).click()


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (360, "dark")])
def test_she_finds_a_person_opens_her_identity_seals_it_mends_her_number_and_gives_a_receipt(
    open_browser: Callable[..., Page], shelter: Shelter, width: int, colours: str
) -> None:
    page = open_browser(width=width, color_scheme=colours)
    sign_in(page, shelter.lucia)
    expect(page.get_by_text("3 casos")).to_be_visible()
    expect(page.get_by_text("Yesenia")).to_have_count(0)
    looks_right(page)

    find_by_telephone(page)
    looks_right(page)
    page.get_by_role("link", name=shelter.code).click()
    expect(page.get_by_text("Todo está sellado")).to_be_visible()
    looks_right(page)

    choose_purpose(page)
    expect(page.get_by_text("Abierto para")).to_be_visible()
    expect(page.get_by_text(NAME)).to_have_count(0)
    page.get_by_role("button", name="Abrir: identidad").click()
    expect(page.get_by_text(NAME)).to_be_visible()
    expect(page.get_by_text(re.compile("Se cierra a las .* anotado, línea"))).to_be_in_viewport()
    expect(page.locator("#identifier").get_by_text(re.compile("Abierto por usted"))).to_be_visible()
    first = page.locator("#happened li").first
    expect(first).to_contain_text("Se abrió · Identidad, Para trabajar")
    expect(first).to_contain_text("Usted")
    expect(page.get_by_text("E-7741902")).to_be_hidden()
    page.get_by_text("Ver completo").click()
    expect(page.get_by_text("E-7741902")).to_be_visible()
    looks_right(page)

    page.get_by_role("button", name="Volver a sellar: Identidad").click()
    expect(page.get_by_text(NAME)).to_have_count(0)
    page.get_by_role("button", name="Abrir: identidad").click()
    page.get_by_role("link", name=re.compile("Corregir.*Teléfono", re.IGNORECASE)).click()
    expect(page.get_by_text(PHONE)).to_have_count(0)
    looks_right(page)
    page.locator("#value").fill("+503 7777 0166")
    page.get_by_role("button", name="Corregir").click()
    expect(page.get_by_text("Quedó corregido y anotado.")).to_be_visible()
    expect(page.locator("#happened li").first).to_contain_text("Se corrigió")
    choose_purpose(page)
    page.get_by_role("button", name="Abrir: identidad").click()
    expect(page.get_by_text("+503 7777 0166")).to_be_visible()

    page.get_by_role("button", name="Dar un comprobante").click()
    expect(page.get_by_role("heading", name="Su comprobante")).to_be_visible()
    page.goto(f"/people/{shelter.yesenia.id}/")
    expect(page.locator("#happened li").first).to_contain_text("Se dio un comprobante")
    expect(page.get_by_text(NAME)).to_have_count(0)


def test_her_morning_needs_no_mouse_and_no_script(
    open_browser: Callable[..., Page], shelter: Shelter
) -> None:
    page = open_browser(width=360, java_script_enabled=False)
    sign_in(page, shelter.lucia)
    page.get_by_label("Buscar por").focus()
    page.keyboard.type("Tel")
    page.keyboard.press("Tab")
    page.keyboard.type("+503 7777-0155")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Atender")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name=shelter.code)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/people/{shelter.yesenia.id}/")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.locator("#purpose:focus").count():
            break
    page.keyboard.type("Atender")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Abrir: identidad").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(NAME)).to_be_visible()
    page.get_by_role("button", name="Volver a sellar: Identidad").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(NAME)).to_have_count(0)


def test_what_the_purpose_does_not_open_says_for_which_it_does(
    open_browser: Callable[..., Page], shelter: Shelter
) -> None:
    page = open_browser(width=360)
    sign_in(page, shelter.lucia)
    page.goto(f"/people/{shelter.yesenia.id}/")
    page.get_by_label("Para qué lo necesita").select_option(label="Avisar al consulado")
    page.get_by_role("button", name="Abrir", exact=True).click()
    sealed = page.locator("#sensitive")
    expect(sealed).to_contain_text("Se abre solo para")
    expect(sealed.get_by_role("button")).to_have_count(0)
    looks_right(page)
    page.get_by_role("button", name="Abrir: identidad").click()
    expect(page.get_by_role("alert")).to_contain_text("No puede abrir esto para «Avisar al consulado»")
    expect(page.get_by_role("alert")).to_contain_text("Su intento quedó anotado.")
    expect(page.get_by_text(NAME)).to_have_count(0)
    looks_right(page)


@pytest.mark.parametrize(("width", "colours"), [(360, "light"), (1280, "dark")])
def test_taking_back_erasing_and_an_emergency_say_what_follows_on_every_width(
    open_browser: Callable[..., Page], shelter: Shelter, width: int, colours: str
) -> None:
    page = open_browser(width=width, color_scheme=colours)
    sign_in(page, shelter.lucia)
    file = f"/people/{shelter.yesenia.id}/"
    page.goto(file)
    page.get_by_role("link", name=re.compile("Lo retira")).first.click()
    looks_right(page)
    page.get_by_role("button", name="Lo retira").click()
    expect(page.get_by_text("El permiso queda retirado desde hoy y anotado.")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="Borrar a esta persona").click()
    looks_right(page)
    page.goto(f"{file}correct/")
    looks_right(page)

    head = open_browser(width=width, color_scheme=colours)
    sign_in(head, shelter.elena)
    head.get_by_role("link", name=shelter.code).click()
    looks_right(head)
    head.get_by_role("link", name=re.compile("abrir de emergencia")).click()
    looks_right(head)
    head.get_by_label("Qué pasa y por qué hace falta").fill("Está en trabajo de parto y no responde.")
    head.get_by_label("Identidad").check()
    head.get_by_role("button", name="Abrir por una hora").click()
    expect(head.get_by_text(NAME)).to_be_visible()
    looks_right(head)
