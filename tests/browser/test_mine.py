"""A migrant with a borrowed telephone: scans, answers, sees, takes back, asks, leaves, and nothing stays."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from resguardo_server import models
from resguardo_server.actions.allow import import_sheet, open_record
from resguardo_server.actions.allow.receipts import IssuedReceipt, issue_receipt
from resguardo_server.actions.members import asker
from tests.browser.conftest import Watch
from tests.people import ROSA

PHONE = 360


def write_sheet(path: Path, told: dict[str, str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(told)
        rows.writerow(told.values())
    return path


@pytest.fixture
def issued(region: str, tmp_path: Path, settings: Any) -> IssuedReceipt:
    """Rosa enrolled today, a trainer looked at her name, and she has her receipt."""
    settings.ADDRESS = region
    office = models.Institution.objects.get(slug="oficina-regional")
    office.address, office.contact = "Avenida 8, San José", "datos@oficina.example"
    office.save()
    trainer = models.Member.objects.create_user("lucia@oficina.example", "tejido-azul")
    models.Membership.objects.create(member=trainer, institution=office, role="trainer")
    who, now = asker(trainer), timezone.now()
    told = {**ROSA, "consent_contact": "yes"}
    received = import_sheet(
        who, "training", write_sheet(tmp_path / "rosa.csv", told), form_name="enrolment", language="es",
        advance=lambda done, total: None, now=now,
    )  # fmt: skip
    assert received.kept == 1
    record = models.Record.objects.get(form="enrolment")
    open_record(who, record.id, "training", ("identifier",), now=now)
    return issue_receipt(who, record.subject_id, "es", now=now)


def is_whole(page: Page) -> None:
    """Nothing overflows, no barrier, and the way out can be seen."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == [], page.url
    assert page.title() == "Información"


def enter(page: Page, issued: IssuedReceipt) -> None:
    page.goto(f"/r/{issued.code.token_text}")
    expect(page).to_have_url(re.compile("/mine/enter/$"))
    page.get_by_label("¿Qué número de teléfono dio?").check()
    page.get_by_label("Su respuesta").fill("5555 0143")
    page.get_by_role("button", name="Seguir").click()
    expect(page).to_have_url(re.compile("/mine/$"))


def test_a_migrant_scans_sees_takes_back_asks_and_leaves(
    open_browser: Callable[..., Page], issued: IssuedReceipt, watch: Watch
) -> None:
    page = open_browser(width=PHONE, height=740, java_script_enabled=True)
    page.goto(f"/r/{issued.code.token_text}")
    expect(page).to_have_url(re.compile("/mine/enter/$"))
    is_whole(page)
    page.get_by_label("¿Cuál es su nombre completo?").check()
    page.get_by_label("Su respuesta").fill("Rosa Perez")
    page.get_by_role("button", name="Seguir").click()
    expect(page.get_by_role("alert")).to_contain_text("El código o la respuesta no son correctos.")
    is_whole(page)
    page.get_by_label("¿Cuál es su nombre completo?").check()
    page.get_by_label("Su respuesta").fill("Cojti Ixcoy Rosa Xiomara")
    page.get_by_role("button", name="Seguir").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sus datos son suyos")
    is_whole(page)
    # who saw it
    page.get_by_role("link", name=re.compile("Ver todo")).click()
    expect(page.get_by_text("Formación, de Oficina regional (ejemplo)").first).to_be_visible()
    expect(page.get_by_text("lucia")).to_have_count(0)
    is_whole(page)
    page.get_by_role("link", name="Volver a mis datos").click()
    # a permission taken back
    page.get_by_role("switch", name=re.compile("Organizar la formación")).click()
    expect(page.get_by_role("heading", name="Lo que no cambia")).to_be_visible()
    is_whole(page)
    page.get_by_role("button", name="Sí, quitar el permiso").click()
    expect(page.get_by_role("status")).to_contain_text("Listo: quitó el permiso")
    assert models.ConsentGiven.objects.get(purpose="training").withdrawn_on is not None
    # erasure asked for
    page.get_by_role("link", name="Borren mis datos").click()
    expect(page.get_by_text("Le respondemos a más tardar el").first).to_be_visible()
    is_whole(page)
    page.get_by_role("button", name="Sí, pedir que borren mis datos").click()
    expect(page.get_by_role("status")).to_contain_text("con el número 1")
    assert models.RightsRequest.objects.get().right == "erasure"
    is_whole(page)
    # out, and back shows nothing
    page.get_by_role("link", name="Salir rápido").click()
    expect(page.get_by_role("heading", name="Calendario")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Esta página está cerrada")
    expect(page.get_by_text("Sus datos son suyos")).to_have_count(0)
    assert page.context.cookies() == [] or all(
        cookie["name"] != "sessionid" or cookie["value"] == "" for cookie in page.context.cookies()
    )
    for url in [entry for entry in watch.faults if issued.code.token_text in entry]:
        raise AssertionError(url)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_her_pages_have_no_barrier_in_any_language_width_and_theme(
    open_browser: Callable[..., Page], issued: IssuedReceipt, theme: str
) -> None:
    page = open_browser(width=320, height=640, color_scheme=theme)
    enter(page, issued)
    titles = {"es": "Información", "en": "Information", "fr": "Information", "ht": "Enfòmasyon"}
    for address in ("/mine/", "/mine/seen/", "/mine/copy/", "/mine/ask/erasure/", "/mine/ask/objection/"):
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            for language, title in titles.items() if width == 320 else [("es", titles["es"])]:
                page.goto(f"{address}?lang={language}")
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (address, language, width)
                found = Axe().run(page).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"][:120]) for one in found] == [], (
                    address,
                    language,
                )
                assert page.title() == title


def test_everything_works_without_a_script(open_browser: Callable[..., Page], issued: IssuedReceipt) -> None:
    page = open_browser(width=PHONE, height=740, java_script_enabled=False)
    enter(page, issued)
    page.get_by_role("link", name="Kreyòl").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enfòmasyon ou yo se pou ou")
    page.get_by_role("link", name="Español").click()
    page.get_by_role("link", name="Hay un error").click()
    page.get_by_label("Con sus palabras").fill("Mi apellido es Ixcoy.")
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("status")).to_contain_text("con el número 1")
    page.get_by_role("link", name="Quiero una copia").click()
    page.get_by_label("¿Qué número de teléfono dio?").check()
    page.get_by_label("Su respuesta").fill("5555 0143")
    with page.expect_download() as given:
        page.get_by_role("button", name="Descargar mi copia").click()
    assert given.value.suggested_filename == "informacion.zip"
    page.get_by_role("link", name="Salir rápido").click()
    expect(page.get_by_role("heading", name="Calendario")).to_be_visible()
