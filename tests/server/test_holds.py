"""What an authority ordered to be kept is erased by nobody until the order ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.people import NOW, House, codes, leaves, record_about

from resguardo.allow.rights import Right
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, erase_record
from resguardo_server.actions.allow.erasing import expire_due
from resguardo_server.actions.allow.holds import holds, lift_hold, place_hold
from resguardo_server.actions.allow.rights import carry_out_request, confirm, enter_request, grant
from resguardo_server.actions.keep import check_journals

ORDER = "Juzgado Tercero de Distrito, oficio 118/2026"


def held(house: House, code: str = "C-0001", until: date | None = None) -> models.Record:
    record = record_about(house.ana, code)
    place_hold(house.bruno, record.subject_id, ORDER, until=until, now=NOW)
    return record


def test_an_order_beats_her_wish_and_whoever_else_may_erase(kept: House) -> None:
    record = held(kept)
    with pytest.raises(NotAllowed) as refused:
        erase_record(kept.bruno, record.id, now=NOW)
    assert codes(refused.value.problems) == ["allow.decision.legal_hold"]
    models.Institution.objects.filter(pk=kept.shelter.pk).update(country="CR")
    bruno = replace(kept.bruno, institution=replace(kept.bruno.institution, country="CR"))
    row = enter_request(bruno, record.subject_id, Right.ERASURE, channel="in_person", now=NOW)
    confirm(bruno, row.id, now=NOW)
    grant(bruno, row.id, "Los cerramos: una autoridad ordenó guardarlos.", now=NOW)
    assert carry_out_request(bruno, row.id, now=NOW) == "blocked"
    assert models.Record.objects.filter(id=record.id).exists()


def test_what_expires_under_an_order_is_closed_and_destroyed_when_it_is_lifted(kept: House) -> None:
    record = held(kept)
    later = NOW + timedelta(days=5000)
    assert expire_due(kept.bruno.institution, now=later).blocked == 1
    assert models.Record.objects.filter(id=record.id).exists()
    (hold,) = holds(kept.bruno, now=later)
    assert (hold.order, hold.is_active) == (ORDER, True)
    lift_hold(kept.bruno, hold.id, now=later)
    assert [one.is_active for one in holds(kept.bruno, now=later)] == [False]
    assert expire_due(kept.bruno.institution, now=later).erased == 1
    assert not models.Record.objects.filter(id=record.id).exists()
    found = [one for journal in check_journals(None, language="es") for one in journal["findings"]]
    assert found == []


def test_placing_and_lifting_leave_a_line_and_no_order_in_it(kept: House) -> None:
    before = len(leaves(kept.shelter))
    held(kept)
    (hold,) = holds(kept.bruno, now=NOW)
    lift_hold(kept.bruno, hold.id, now=NOW)
    lines = leaves(kept.shelter)[before:]
    assert [(line["act"], line["role"], line["purpose"]) for line in lines] == [
        ("restrict", "data_protection_officer", "rights")
    ] * 2
    assert "Juzgado" not in str(lines)


@pytest.mark.parametrize(
    ("order", "until", "code"),
    [
        ("  ", None, "no_order"),
        (ORDER, NOW.date() - timedelta(days=1), "ends_before"),
        ("x" * 121, None, "too_long"),
    ],
)
def test_an_order_says_who_ordered_and_does_not_end_before_it_begins(
    kept: House, order: str, until: date | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        place_hold(kept.bruno, record_about(kept.ana, "C-0001").subject_id, order, until=until, now=NOW)
    assert codes(refused.value.problems) == [f"server.protection.{code}"]


def test_only_the_officer_of_the_institution_holds_and_lifts(kept: House) -> None:
    record = held(kept)
    (hold,) = holds(kept.bruno, now=NOW)
    for who in (kept.ana, kept.carla):
        with pytest.raises(Refused):
            place_hold(who, record.subject_id, ORDER, until=None, now=NOW)
        with pytest.raises(Refused):
            lift_hold(who, hold.id, now=NOW)
    assert holds(kept.carla, now=NOW) == []
