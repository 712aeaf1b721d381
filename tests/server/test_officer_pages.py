"""The officer's desk over HTTP: who comes in, what each page shows, and what needs a fresh sign-in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.people import ROSA, House, record_about
from tests.signed_in import signed_in

from resguardo.allow.rights import Right
from resguardo_server import models
from resguardo_server.actions.allow.rights import enter_request

PAGES = (
    "", "endings/", "requests/", "requests/new/", "journal/", "rules/", "rules/MEX-PRIV/",
    "rules/strictest_common/", "breaches/", "agreements/", "policies/", "keys/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _served(settings: Any) -> None:
    """The folder of collected files is there."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def officer(kept: House, client: Client) -> Client:
    return signed_in(client, models.Member.objects.get(email="bruno@albergue.example"))


@pytest.fixture
def asked(kept: House) -> models.RightsRequest:
    subject = record_about(kept.ana, "C-0001").subject_id
    return enter_request(
        kept.bruno, subject, Right.ERASURE, channel="in_person", words="Ya no vivo aquí.", now=timezone.now()
    )


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_the_officers_alone_and_is_not_kept(kept: House, client: Client, page: str) -> None:
    address = f"/protection/{page}"
    assert client.get(address).status_code == 302
    ana = signed_in(Client(), models.Member.objects.get(email="ana@albergue.example"))
    assert ana.get(address).status_code == 403
    bruno = signed_in(client, models.Member.objects.get(email="bruno@albergue.example"))
    answer = bruno.get(address)
    assert answer.status_code == 200, page
    assert answer["Cache-Control"] == "no-store"
    assert ROSA["full_name"] not in text(answer)


def test_what_is_not_there_is_not_found(officer: Client, asked: models.RightsRequest) -> None:
    for page in ("requests", "breaches", "emergencies"):
        assert officer.get(f"/protection/{page}/{asked.subject_id}/").status_code == 404
    assert officer.get("/protection/rules/ATL/").status_code == 404
    assert officer.get("/protection/agreements/nothing/register.md").status_code == 404
    carla = signed_in(Client(), models.Member.objects.get(email="carla@ministerio.example"))
    assert carla.get(f"/protection/requests/{asked.id}/").status_code == 404


def test_a_letter_is_written_down_for_a_person_found_by_her_code(officer: Client) -> None:
    form = {
        "programme": "training", "code": "C-0001", "right": "access", "channel": "letter", "received": "",
        "language": "es", "words": "", "purpose": "",
    }  # fmt: skip
    assert "Nobody has that code" in text(
        officer.post("/protection/requests/new/", {**form, "code": "C-7"}, headers={"Accept-Language": "en"})
    )
    answer = officer.post("/protection/requests/new/", form)
    row = models.RightsRequest.objects.get()
    assert answer["Location"] == f"/protection/requests/{row.id}/"
    assert (row.right, row.channel, row.number) == ("access", "letter", 1)


def test_a_request_goes_through_the_page_step_by_step(officer: Client, asked: models.RightsRequest) -> None:
    address = f"/protection/requests/{asked.id}/"
    assert "Ya no vivo aquí." not in text(officer.get(address))
    assert "Ya no vivo aquí." in text(officer.post(address, {"act": "words"}))
    assert officer.post(address, {"act": "grant", "answer": "Sí."}).status_code == 422
    assert officer.post(address, {"act": "confirm"}).status_code == 302
    assert officer.post(address, {"act": "grant", "answer": "Sí."}).status_code == 302
    assert officer.post(f"{address}carry/").status_code == 302
    asked.refresh_from_db()
    assert asked.state == "carried_out"
    assert models.Subject.objects.get(id=asked.subject_id).restricted


def test_carrying_out_and_destroying_ask_who_it_is(kept: House, asked: models.RightsRequest) -> None:
    stale = signed_in(Client(), models.Member.objects.get(email="bruno@albergue.example"), fresh=False)
    for address in (f"/protection/requests/{asked.id}/carry/", "/protection/endings/"):
        answer = stale.post(address)
        assert answer.status_code == 200
        assert 'name="confirm_with"' in text(answer)
    asked.refresh_from_db()
    assert asked.state == "received"


def test_what_ended_is_destroyed_from_the_page(officer: Client, kept: House) -> None:
    models.Record.objects.update(keep_until=timezone.now().date() - timedelta(days=3))
    assert "3" in text(officer.get("/protection/endings/"))
    assert officer.post("/protection/endings/").status_code == 302
    assert not models.Record.objects.exists()


def test_the_journal_is_checked_from_the_page_and_filtered(officer: Client, kept: House) -> None:
    assert officer.post("/protection/journal/").status_code == 302
    assert officer.get("/protection/journal/?act=create&month=2026-11").status_code == 200
    for wild in ("?page=9999", "?page=x", "?act=%00", "?month=2026-1'", "?role=%22"):
        assert officer.get(f"/protection/journal/{wild}").status_code == 200


def test_a_rule_is_corrected_from_its_page(officer: Client) -> None:
    form = {"path": "law.in_force", "value": "partial", "status": "sourced", "source": "Gaceta 1"}
    assert officer.post("/protection/rules/PAN/", {**form, "source": ""}).status_code == 422
    assert officer.post("/protection/rules/PAN/", form).status_code == 302
    assert "Gaceta 1" in text(officer.get("/protection/rules/PAN/"))
    day = {"country": "MX", "day": "2026-12-28", "working": "no", "name": "Receso"}
    assert officer.post("/protection/rules/", day).status_code == 302
    assert "Receso" in text(officer.get("/protection/rules/"))


def test_a_breach_is_registered_counted_told_and_closed(officer: Client, kept: House) -> None:
    form = {"what": "loss", "since": "2020-01-01T00:00", "until": "", "member": "", "note": "Un teléfono."}
    assert officer.post("/protection/breaches/", {**form, "since": "2999-01-01T00:00"}).status_code == 422
    answer = officer.post("/protection/breaches/", form)
    address = answer["Location"]
    row = models.Breach.objects.get()
    assert officer.post(address, {"act": "close"}).status_code == 422
    officer.post(address, {"act": "assess", "danger": "unlikely"})
    for notice in row.notices.all():
        officer.post(address, {"act": "told", "notice": notice.pk})
    assert officer.post(address, {"act": "close"}).status_code == 302
    row.refresh_from_db()
    assert row.state == "closed"
    assert officer.post(address, {"act": "message", "measure": ["device_blocked"]}).status_code == 200


def test_papers_are_downloaded_and_entered(officer: Client, kept: House) -> None:
    answer = officer.get("/protection/agreements/training/register.md")
    assert answer["Content-Disposition"] == 'attachment; filename="training-register.md"'
    assert officer.get("/protection/agreements/training/register.json").status_code == 200
    assert officer.get("/protection/agreements/training/with/police.md").status_code == 404
    form = {
        "act": "assessment", "programme": "training", "receiver": "", "description": "Se guarda.",
        "necessity": "Para el curso.", "consultation": "Doce personas.", "source": "Personal",
        "threat": "Curiosidad", "harm": "Vergüenza", "likelihood": "1", "severity": "2", "measures": "",
        "decision": "go",
    }  # fmt: skip
    assert officer.post("/protection/agreements/", {**form, "likelihood": "9"}).status_code == 422
    assert officer.post("/protection/agreements/", form).status_code == 302
    number = models.Assessment.objects.get().pk
    mine = officer.post("/protection/agreements/", {"act": "approve", "assessment": number})
    assert mine.status_code == 422


def test_an_alarm_is_marked_as_seen(officer: Client, kept: House) -> None:
    alarm = models.Alarm.objects.create(institution=kept.shelter, kind="emergency", raised_at=timezone.now())
    assert officer.post(f"/protection/alarms/{alarm.pk}/seen/").status_code == 302
    alarm.refresh_from_db()
    assert alarm.seen_at is not None


def test_orders_are_placed_and_lifted_on_the_page_of_a_request(
    officer: Client, asked: models.RightsRequest
) -> None:
    address = f"/protection/requests/{asked.id}/"
    order = {"act": "hold", "order": "Juzgado Tercero, oficio 118", "until": ""}
    assert officer.post(address, order).status_code == 302
    assert "oficio 118" in text(officer.get(address))
    hold = models.LegalHold.objects.get()
    assert officer.post(address, {"act": "lift", "hold": hold.pk}).status_code == 302
    hold.refresh_from_db()
    assert hold.lifted_on is not None
