"""An officer's morning: she sees what is due, answers, refuses, destroys, reviews, registers a breach."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from resguardo.allow.rights import Right
from resguardo.values import Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow import import_sheet, open_record
from resguardo_server.actions.allow.emergency import open_in_emergency
from resguardo_server.actions.allow.rights import enter_request
from resguardo_server.actions.members import asker
from tests.browser import scene
from tests.browser.conftest import give_code, give_password
from tests.people import JEAN, MARTA, ROSA
from tests.signed_in import with_factor

REASON = "No respira bien y el hospital pregunta por su alergia."


def write_sheet(path: Path, *people: dict[str, str]) -> Path:
    names = list(dict.fromkeys(name for person in people for name in person))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, names)
        rows.writeheader()
        rows.writerows(people)
    return path


def member(email: str, name: str, role: str) -> models.Member:
    made: models.Member = models.Member.objects.create_user(email, scene.PASSWORD, first_name=name)
    office = models.Institution.objects.get(slug="oficina-regional")
    models.Membership.objects.create(member=made, institution=office, role=role)
    return with_factor(made)


@pytest.fixture
def elena(region: str, tmp_path: Path) -> models.Member:
    """The officer of an office that keeps Rosa, Jean and Marta; two asked, one was opened in an emergency."""
    trainer = member("lucia@oficina.example", "Lucía", "trainer")
    supervisor = member("sofia@oficina.example", "Sofía", "supervisor")
    officer = member("elena@oficina.example", "Elena", "data_protection_officer")
    now = timezone.now()
    sheet = write_sheet(tmp_path / "inscripciones.csv", dict(ROSA), dict(JEAN), dict(MARTA))
    received = import_sheet(
        asker(trainer), "training", sheet, form_name="enrolment", language="es",
        advance=lambda done, total: None, now=now,
    )  # fmt: skip
    assert received.kept == 3
    opened = models.ConsentGiven.objects.filter(purpose="training", given=True).order_by("pk")
    rosa, marta = (row.record for row in opened)
    assert rosa is not None
    assert marta is not None
    open_record(asker(trainer), rosa.id, "training", ("plain",), now=now)
    open_in_emergency(asker(supervisor), rosa.subject_id, REASON, [Sensitivity.SENSITIVE], now=now)
    who = asker(officer)
    for subject, right, days in ((rosa, Right.COMPLAINT, 3), (marta, Right.ACCESS, 4)):
        enter_request(
            who, subject.subject_id, right, channel="letter", words="¿Quién vio mis datos?",
            received=now - timedelta(days=days), now=now,
        )  # fmt: skip
    models.Record.objects.exclude(id__in=[rosa.id, marta.id]).filter(form="enrolment").update(
        keep_until=now.date() - timedelta(days=2)
    )
    return officer


def is_whole(page: Page, heading: str = "") -> None:
    """The page is there, nothing overflows, and axe finds no barrier."""
    if heading:
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    page.wait_for_load_state()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == [], page.url


def tells(page: Page, words: str) -> None:
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_an_officers_morning(open_browser: Callable[..., Page], elena: models.Member, width: int) -> None:
    page = open_browser(width=width)
    give_password(page, elena.email)
    give_code(page, scene.code_of(elena))
    page.wait_for_load_state()
    page.goto("/protection/")
    expect(page.get_by_role("heading", name="Agenda", level=1)).to_be_visible()
    is_whole(page)

    # what is due is there with its day and its reason; the emergency raised an alarm
    due = page.get_by_role("region", name="Lo que vence")
    expect(due).to_contain_text("regla más estricta")
    page.get_by_role("button", name=re.compile("Visto: Alguien abrió datos por una emergencia")).click()
    expect(page.get_by_role("heading", name="Mire esto hoy")).to_have_count(0)

    # she answers one
    due.get_by_role("link", name="Quiero preguntar o quejarme", exact=True).click()
    is_whole(page, "Quiero preguntar o quejarme")
    page.get_by_role("button", name="Abrir", exact=True).click()
    expect(page.get_by_text("¿Quién vio mis datos?")).to_be_visible()
    page.get_by_role("button", name="Sé quién lo pide").click()
    page.get_by_label("Su respuesta: sí").fill("Su curso, para inscribirla. Nadie más.")
    page.get_by_role("button", name="Responder que sí").click()
    tells(page, "Respondida")
    page.get_by_role("button", name="Hacerlo ahora").click()
    tells(page, "Anotada como hecha")

    # and refuses another, on a ground of the list
    page.get_by_role("link", name="Agenda").click()
    due.get_by_role("link", name="Quiero una copia de mis datos", exact=True).click()
    page.get_by_role("button", name="Sé quién lo pide").click()
    page.get_by_text("Negar", exact=True).click()
    page.get_by_label("Ya le respondimos lo mismo hace poco, y nada ha cambiado.").check()
    page.get_by_label("Su respuesta: no, y por qué").fill("Le dimos su copia hace dos semanas.")
    is_whole(page)
    page.get_by_role("button", name="Negar por este motivo").click()
    tells(page, "Negada")

    # what expired is destroyed
    page.get_by_role("link", name="Agenda").click()
    due.get_by_role("link", name=re.compile("Ver y destruir")).click()
    is_whole(page, "Lo que vence")
    page.get_by_role("button", name="Destruir lo vencido").click()
    tells(page, "1 registros destruidos")

    # an emergency is read and reviewed
    due.get_by_role("link", name="Revisar una apertura de emergencia", exact=True).click()
    is_whole(page, "Una apertura de emergencia")
    page.get_by_role("button", name="Abrir", exact=True).click()
    expect(page.get_by_text(REASON)).to_be_visible()
    page.get_by_role("button", name="Se justificaba", exact=True).click()
    tells(page, "Revisada")
    expect(page.get_by_text("Nada por vencer.")).to_be_visible()

    # a breach, and how many people it is about
    page.get_by_role("link", name="Registrar una falla").click()
    is_whole(page, "Fallas de seguridad")
    page.get_by_label("Qué pasó").select_option(label="Consulta indebida del personal")
    page.get_by_label("Desde cuándo").fill("2026-01-01T00:00")
    page.get_by_label("De quién se cuentan las aperturas").select_option(label="Lucía")
    page.get_by_role("button", name="Registrar la falla").click()
    expect(page.get_by_text("1 persona afectada.")).to_be_visible()
    is_whole(page, "Consulta indebida del personal")
    page.get_by_text("Kreyòl ayisyen", exact=True).click()
    is_whole(page)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_other_places_of_the_desk(
    open_browser: Callable[..., Page], elena: models.Member, width: int, tmp_path: Path
) -> None:
    page = open_browser(width=width)
    give_password(page, elena.email)
    give_code(page, scene.code_of(elena))
    page.wait_for_load_state()
    page.goto("/protection/journal/")
    page.get_by_role("button", name="Comprobar ahora").click()
    tells(page, "El registro está íntegro")
    is_whole(page)
    page.get_by_label("Cómo se decidió").select_option(label="emergencia")
    page.get_by_role("button", name="Ver", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Sofía")).to_have_count(1)
    for address in ("rules/", "rules/CRI/", "agreements/", "policies/", "keys/", "requests/", "requests/new/",
                    "breaches/"):  # fmt: skip
        page.goto(f"/protection/{address}")
        is_whole(page)
    page.goto("/protection/rules/CRI/")
    page.get_by_role("combobox", name="Lugar").fill("law.in_force")
    page.get_by_role("textbox", name="Valor", exact=True).fill("partial")
    page.get_by_label("Qué tan seguro es").select_option(label="Visto en una fuente")
    page.get_by_label("Fuente: ley, artículo, dónde se leyó").fill("La Gaceta 12, artículo 3")
    page.get_by_role("button", name="Corregir", exact=True).click()
    tells(page, "Corregido")
    expect(page.get_by_text("La Gaceta 12, artículo 3")).to_be_visible()
    with page.expect_download() as given:
        page.goto("/protection/agreements/")
        page.get_by_role("link", name="Registro de usos, para leer").first.click()
    assert given.value.suggested_filename == "training-register.md"
