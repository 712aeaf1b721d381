"""In an emergency one file opens for an hour, to a supervisor who says why and is looked at for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from tests.people import NOW, YESENIA, House, bring, codes, leaves, member, table
from tests.rules.collect.sheets import write_csv
from tests.signed_in import signed_in

from resguardo.values import Refused, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow.emergency import (
    UNREVIEWED,
    emergencies_of,
    open_in_emergency,
    reason_of,
    review,
    suspend_unreviewed,
    tell_person,
)
from resguardo_server.actions.allow.erasing import erase_record
from resguardo_server.actions.allow.opening import NotAllowed
from resguardo_server.actions.members import Asker, asker
from resguardo_server.actions.tending import tend
from resguardo_server.languages_build import compile_messages

WHY = "Está en trabajo de parto y no responde; hace falta su tipo de sangre."
ALL = frozenset(Sensitivity)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, scope="module")
def _ready() -> None:
    compile_messages()
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def yesenia(house: House, tmp_path: Path) -> models.Record:
    """Registered, and she agreed to nothing."""
    told = {**YESENIA, "registered_on": (timezone.now() - timedelta(days=3)).date().isoformat()}
    kept = bring(house.ana, write_csv(tmp_path / "registro.csv", table(told)), "assistance", "registration")
    assert (kept.kept, kept.refused) == (1, 0), kept.problems
    models.ConsentGiven.objects.update(given=False)
    return models.Record.objects.get(institution=house.shelter)


@pytest.fixture
def elena(house: House) -> Asker:
    """She supervises."""
    return asker(member("elena@albergue.example", house.shelter, "supervisor"))


def opened(who: Asker, record: models.Record, reason: str = WHY) -> UUID:
    return open_in_emergency(who, record.subject_id, reason, ALL, now=NOW).id


def page(who: Asker, record: models.Record, *, fresh: bool = True, **told: Any) -> str:
    client = signed_in(Client(), models.Member.objects.get(email=who.name), fresh=fresh)
    address = f"/people/{record.subject_id}/emergency/"
    answer = client.post(address, told) if told else client.get(address)
    return str(answer.content.decode())


def test_what_nobody_agreed_to_opens_to_a_supervisor_for_an_hour_with_a_line_and_an_alarm(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    found = open_in_emergency(elena, yesenia.subject_id, WHY, ALL, now=NOW)
    assert found.file.records[0].answers["name"] == YESENIA["name"]
    assert found.until == NOW + timedelta(minutes=60)
    assert found.review_by == NOW + timedelta(hours=72)
    line = leaves(house.shelter)[-1]
    assert (line["dec"], line["role"], line["basis"]) == ("break_glass", "supervisor", "vital_interest")
    assert WHY not in str(line)
    assert models.Alarm.objects.get(institution=house.shelter).kind == "emergency"


@pytest.mark.parametrize(
    ("who", "reason", "rule"),
    [
        ("elena", "urgente", "emergency_reason"),
        ("elena", "  x                          ", "emergency_reason"),
        ("ana", WHY, "emergency_role"),
        ("bruno", WHY, "emergency_role"),
    ],
)
def test_a_refusal_names_its_rule_and_leaves_nothing_to_review(
    elena: Asker, house: House, yesenia: models.Record, who: str, reason: str, rule: str
) -> None:
    asking = elena if who == "elena" else getattr(house, who)
    with pytest.raises(NotAllowed) as refused:
        opened(asking, yesenia, reason)
    assert codes(refused.value.problems) == [f"allow.decision.{rule}"]
    assert leaves(house.shelter)[-1]["dec"] == "deny"
    assert not models.EmergencyOpening.objects.exists()


def test_who_did_not_confirm_just_now_opens_nothing(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    from dataclasses import replace

    with pytest.raises(NotAllowed) as refused:
        opened(replace(elena, reauthenticated=False), yesenia)
    assert codes(refused.value.problems) == ["allow.decision.reauthentication"]
    assert "Confirme que es usted" in page(elena, yesenia, fresh=False, reason=WHY, open="identifier")
    assert not models.EmergencyOpening.objects.exists()


def test_a_limited_use_stands_in_an_emergency_too(elena: Asker, yesenia: models.Record) -> None:
    models.Subject.objects.update(restricted=True)
    with pytest.raises(NotAllowed) as refused:
        opened(elena, yesenia)
    assert codes(refused.value.problems) == ["allow.decision.restricted"]


def test_another_institution_has_no_emergency_here(house: House, yesenia: models.Record) -> None:
    other = asker(member("olga@ministerio.example", house.ministry, "supervisor"))
    with pytest.raises(Refused):
        opened(other, yesenia)
    assert not models.Alarm.objects.exists()


def test_the_reason_lies_sealed_and_the_officer_reads_it_with_a_line_of_her_own(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    emergency = opened(elena, yesenia)
    row = models.EmergencyOpening.objects.get(id=emergency)
    assert WHY.encode() not in bytes(row.reason)
    assert reason_of(house.bruno, emergency, now=NOW) == WHY
    line = leaves(house.shelter)[-1]
    assert (line["act"], line["role"], line["purpose"]) == ("read", "data_protection_officer", "rights")
    with pytest.raises(Refused):
        reason_of(house.ana, emergency, now=NOW)


def test_the_reason_dies_with_the_person(elena: Asker, house: House, yesenia: models.Record) -> None:
    emergency = opened(elena, yesenia)
    erase_record(house.bruno, yesenia.id, now=NOW)
    assert reason_of(house.bruno, emergency, now=NOW) == ""


def test_nobody_reviews_her_own_opening(house: House, yesenia: models.Record) -> None:
    both = asker(member("eva@albergue.example", house.shelter, "supervisor", "data_protection_officer"))
    emergency = opened(both, yesenia)
    with pytest.raises(Refused) as refused:
        review(both, emergency, True, now=NOW)
    assert codes(refused.value.problems) == ["server.emergency.own"]
    review(house.bruno, emergency, True, now=NOW)
    with pytest.raises(Refused) as refused:
        review(house.bruno, emergency, False, now=NOW)
    assert codes(refused.value.problems) == ["server.emergency.reviewed"]
    assert emergencies_of(house.bruno) == []
    assert emergencies_of(house.bruno, waiting=False)[0].justified is True


def test_only_an_officer_of_the_institution_reviews(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    emergency = opened(elena, yesenia)
    for who, code in ((house.ana, "officer"), (house.carla, "unknown")):
        with pytest.raises(Refused) as refused:
            review(who, emergency, True, now=NOW)
        assert codes(refused.value.problems) == [f"server.emergency.{code}"]


def test_without_a_review_in_three_days_the_role_opens_nothing_until_somebody_finds_it_justified(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    emergency = opened(elena, yesenia)
    assert suspend_unreviewed(now=NOW + timedelta(hours=72)) == 0
    late = NOW + timedelta(hours=72, seconds=1)
    assert suspend_unreviewed(now=late) == 1
    assert suspend_unreviewed(now=late) == 0
    assert models.Alarm.objects.filter(kind=UNREVIEWED).count() == 1
    with pytest.raises(Refused):
        open_in_emergency(elena, yesenia.subject_id, WHY, ALL, now=late)
    review(house.bruno, emergency, True, now=late)
    assert open_in_emergency(elena, yesenia.subject_id, WHY, ALL, now=late).file.records


def test_an_opening_that_was_not_justified_leaves_the_role_suspended(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    emergency = opened(elena, yesenia)
    late = NOW + timedelta(hours=73)
    suspend_unreviewed(now=late)
    review(house.bruno, emergency, False, now=late)
    assert models.Membership.objects.get(member__email=elena.name).suspended_on == late.date()


def test_tending_suspends_what_was_not_reviewed(elena: Asker, yesenia: models.Record) -> None:
    opened(elena, yesenia)
    tend(now=NOW + timedelta(hours=80))
    assert models.Membership.objects.get(member__email=elena.name).suspended_on is not None


def test_the_person_is_told_and_the_month_is_counted(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    emergency = opened(elena, yesenia)
    tell_person(house.bruno, emergency, now=NOW)
    assert models.EmergencyOpening.objects.get(id=emergency).person_told_on == NOW.date()


def test_the_page_says_what_follows_asks_what_to_open_and_shows_it_once(
    elena: Asker, house: House, yesenia: models.Record
) -> None:
    asking = page(elena, yesenia)
    assert "72 horas" in asking
    assert " checked" not in asking
    assert "Elija qué necesita ver" in page(elena, yesenia, reason=WHY)
    short = page(elena, yesenia, reason="urgente", open="identifier")
    assert "20 caracteres" in short
    text = page(elena, yesenia, reason=WHY, open="identifier")
    assert YESENIA["name"] in text
    assert WHY not in text
    assert YESENIA["name"] not in page(elena, yesenia)


def test_who_does_not_supervise_is_told_whom_to_call(house: House, yesenia: models.Record) -> None:
    assert "abre el expediente quien supervisa" in page(house.ana, yesenia)
    assert YESENIA["name"] not in page(house.ana, yesenia, reason=WHY, open="identifier")


def test_a_supervisor_finds_the_case_by_its_code_and_opens_nothing_on_an_ordinary_day(
    elena: Asker, yesenia: models.Record
) -> None:
    client = signed_in(Client(), models.Member.objects.get(email=elena.name))
    address = f"/people/{yesenia.subject_id}/"
    assert address in client.get("/people/").content.decode()
    text = client.get(address).content.decode()
    assert "Su rol no abre nada aquí en un día común" in text
    assert "emergency/" in text
    assert (
        "Yesenia"
        not in client.post(f"{address}open/", {"purpose": "assistance", "add": "identifier"}).content.decode()
    )
