"""A request goes from the day on which it came to the day on which it is carried out, within the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.people import NOW, RIGHTS, ROSA, House, codes, leaves, record_about

from resguardo.allow.rights import Level, Right, State
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, open_record
from resguardo_server.actions.allow.rights import (
    because,
    carry_out_request,
    case_of,
    cases,
    confirm,
    deny,
    enter_request,
    escalate,
    find_subjects,
    grant,
    grounds_for,
    start,
    wait_longer,
    words_of,
)
from resguardo_server.actions.keep import check_journals


def asked(house: House, code: str, right: Right, **more: object) -> models.RightsRequest:
    """The person with that code asks Bruno for a right, at his desk."""
    subject = record_about(house.ana, code).subject_id
    said = {"channel": "in_person", "now": NOW, **more}
    return enter_request(house.bruno, subject, right, **said)  # type: ignore[arg-type]


def granted(house: House, row: models.RightsRequest) -> models.RightsRequest:
    confirm(house.bruno, row.id, now=NOW)
    grant(house.bruno, row.id, "Sí, lo hacemos.", now=NOW)
    return row


def findings(house: House) -> list[str]:
    return [one for journal in check_journals(None, language="es") for one in journal["findings"]]


# Coming in


def test_a_person_is_found_by_her_code_and_a_wrong_code_finds_nobody(kept: House) -> None:
    record = record_about(kept.ana, "C-0001")
    assert find_subjects(kept.bruno, "training", " C-0001 ") == [record.subject_id]
    assert find_subjects(kept.bruno, "training", "C-9999") == []
    assert find_subjects(kept.carla, "training", "C-0001") == []


def test_mexico_gives_twenty_working_days_without_the_sixteenth_of_november(kept: House) -> None:
    received = NOW.replace(month=10, day=30)
    row = asked(kept, "C-0001", Right.ERASURE, received=received)
    case = case_of(kept.bruno, row.id, now=NOW)
    assert case.request.answer_by == date(2026, 11, 30)
    assert case.days_left == 6
    said = because(case, "es")
    assert "20 días hábiles" in said
    assert "16 de noviembre" in said
    assert "confirmar" in said


def test_her_words_are_sealed_and_open_for_rights_alone(kept: House) -> None:
    row = asked(kept, "C-0001", Right.COMPLAINT, words="Mi vecina supo que estuve aquí.")
    assert b"vecina" not in bytes(row.words)
    before = len(leaves(kept.shelter))
    assert words_of(kept.bruno, row.id, now=NOW).asked == "Mi vecina supo que estuve aquí."
    line = leaves(kept.shelter)[before]
    assert (line["act"], line["purpose"], line["fields"]) == ("read", RIGHTS, [3])
    assert findings(kept) == []


def test_a_request_is_the_officers_and_of_his_institution(kept: House) -> None:
    row = asked(kept, "C-0001", Right.ACCESS)
    for who, code in ((kept.ana, "officer_only"), (kept.carla, "unknown_request")):
        with pytest.raises(Refused) as refused:
            confirm(who, row.id, now=NOW)
        assert codes(refused.value.problems) == [f"server.protection.{code}"]
    assert cases(kept.carla, now=NOW) == []


def test_a_letter_cannot_have_come_tomorrow(kept: House) -> None:
    with pytest.raises(Refused) as refused:
        asked(kept, "C-0001", Right.ACCESS, received=NOW + timedelta(days=1))
    assert codes(refused.value.problems) == ["server.protection.later_than_now"]


# Step by step


def test_nothing_is_answered_before_it_is_known_who_asks(kept: House) -> None:
    row = asked(kept, "C-0001", Right.ACCESS)
    with pytest.raises(Refused) as refused:
        grant(kept.bruno, row.id, "Sí.", now=NOW)
    assert codes(refused.value.problems) == ["allow.rights.may_not_follow"]


def test_an_answer_is_sealed_with_her_key_and_leaves_a_line_without_it(kept: House) -> None:
    row = asked(kept, "C-0001", Right.COMPLAINT)
    before = len(leaves(kept.shelter))
    granted(kept, row)
    row.refresh_from_db()
    assert row.state == State.ANSWERED
    assert b"hacemos" not in bytes(row.answer)
    assert words_of(kept.bruno, row.id, now=NOW).answered == "Sí, lo hacemos."
    lines = leaves(kept.shelter)[before:]
    assert [(line["act"], line["role"]) for line in lines] == [
        ("update", "data_protection_officer"),
        ("update", "data_protection_officer"),
        ("read", "data_protection_officer"),
    ]
    assert "hacemos" not in str(lines)
    assert findings(kept) == []


def test_a_no_needs_a_ground_that_her_right_allows(kept: House) -> None:
    row = asked(kept, "C-0001", Right.REVOCATION, purpose="training")
    confirm(kept.bruno, row.id, now=NOW)
    case = case_of(kept.bruno, row.id, now=NOW)
    assert [ground for ground, _ in grounds_for(case, "es")] == ["identity_not_shown", "nothing_held"]
    with pytest.raises(Refused) as refused:
        deny(kept.bruno, row.id, "legal_hold", "No se puede.", now=NOW)
    assert codes(refused.value.problems) == ["allow.rights.no_ground"]
    with pytest.raises(Refused):
        deny(kept.bruno, row.id, "because", "No.", now=NOW)
    with pytest.raises(Refused) as refused:
        deny(kept.bruno, row.id, "nothing_held", "  ", now=NOW)
    assert codes(refused.value.problems) == ["server.protection.no_answer"]
    deny(kept.bruno, row.id, "nothing_held", "No guardamos ese permiso.", now=NOW)
    row.refresh_from_db()
    assert (row.state, row.ground) == ("refused", "nothing_held")


def test_more_time_is_taken_once_and_only_as_long_as_the_law_says(kept: House) -> None:
    row = asked(kept, "C-0001", Right.ACCESS)
    confirm(kept.bruno, row.id, now=NOW)
    case = case_of(kept.bruno, row.id, now=NOW)
    latest = case.request.latest
    assert latest is not None
    with pytest.raises(Refused):
        wait_longer(kept.bruno, row.id, latest + timedelta(days=1), now=NOW)
    wait_longer(kept.bruno, row.id, latest, now=NOW)
    assert case_of(kept.bruno, row.id, now=NOW).request.answer_by == latest
    with pytest.raises(Refused):
        wait_longer(kept.bruno, row.id, latest, now=NOW)


def test_what_is_late_comes_first_and_what_was_answered_last(kept: House) -> None:
    old = asked(kept, "C-0001", Right.ACCESS, received=NOW - timedelta(days=60))
    new = asked(kept, "C-0002", Right.ACCESS)
    done = asked(kept, "C-0003", Right.ACCESS)
    confirm(kept.bruno, done.id, now=NOW)
    deny(kept.bruno, done.id, "already_answered", "Ya se la dimos.", now=NOW)
    found = cases(kept.bruno, now=NOW)
    assert [case.row.id for case in found] == [old.id, new.id, done.id]
    assert [case.level for case in found] == [Level.OVERDUE, None, None]


# Carrying out


def test_an_erasure_in_mexico_blocks_first_and_deletes_later(kept: House) -> None:
    row = granted(kept, asked(kept, "C-0001", Right.ERASURE))
    assert carry_out_request(kept.bruno, row.id, now=NOW) == "blocked"
    record = record_about(kept.ana, "C-0001")
    assert record.subject.restricted
    with pytest.raises(NotAllowed) as refused:
        open_record(kept.ana, record.id, "training", now=NOW)
    assert codes(refused.value.problems) == ["allow.decision.restricted"]
    assert leaves(kept.shelter)[-3]["act"] == "restrict"


def test_an_erasure_elsewhere_shreds_the_key_and_her_words_with_it(kept: House) -> None:
    models.Institution.objects.filter(pk=kept.shelter.pk).update(country="CR")
    bruno = replace(kept.bruno, institution=replace(kept.bruno.institution, country="CR"))
    row = asked(replace(kept, bruno=bruno), "C-0001", Right.ERASURE, words="Bórrenme, por favor.")
    confirm(bruno, row.id, now=NOW)
    start(bruno, row.id, now=NOW)
    grant(bruno, row.id, "La borramos hoy.", now=NOW)
    assert carry_out_request(bruno, row.id, now=NOW) == "deleted"
    row.refresh_from_db()
    assert (row.state, bytes(row.words), bytes(row.answer)) == ("carried_out", b"", b"")
    assert not models.SubjectKey.objects.filter(subject=row.subject_id).exists()
    assert models.Erasure.objects.get(subject=row.subject_id).reason == "wish"
    assert words_of(bruno, row.id, now=NOW).asked == ""
    assert findings(kept) == []


def test_nothing_is_erased_without_having_confirmed_who_does_it(kept: House) -> None:
    models.Institution.objects.filter(pk=kept.shelter.pk).update(country="CR")
    bruno = replace(
        kept.bruno, institution=replace(kept.bruno.institution, country="CR"), reauthenticated=False
    )
    row = granted(kept, asked(kept, "C-0001", Right.ERASURE))
    with pytest.raises(NotAllowed) as refused:
        carry_out_request(bruno, row.id, now=NOW)
    assert codes(refused.value.problems) == ["allow.decision.reauthentication"]
    row.refresh_from_db()
    assert row.state == State.ANSWERED


def test_a_restriction_an_objection_and_a_revocation_do_what_they_say(kept: House) -> None:
    rosa = record_about(kept.ana, "C-0001").subject
    objection = granted(kept, asked(kept, "C-0001", Right.OBJECTION, purpose="follow_up"))
    assert carry_out_request(kept.bruno, objection.id, now=NOW) == "objected"
    assert models.Objection.objects.get(subject=rosa).purpose == "follow_up"
    revocation = granted(kept, asked(kept, "C-0001", Right.REVOCATION, purpose="training"))
    assert carry_out_request(kept.bruno, revocation.id, now=NOW) == "revoked"
    assert models.ConsentGiven.objects.get(subject=rosa, purpose="training").withdrawn_on == NOW.date()
    restriction = granted(kept, asked(kept, "C-0001", Right.RESTRICTION))
    assert carry_out_request(kept.bruno, restriction.id, now=NOW) == "restricted"
    rosa.refresh_from_db()
    assert rosa.restricted
    acts = [line["act"] for line in leaves(kept.shelter) if line["act"] in ("restrict", "withdraw")]
    assert acts == ["restrict", "withdraw", "restrict"]
    assert findings(kept) == []


def test_a_revocation_of_a_purpose_that_does_not_exist_is_no_request(kept: House) -> None:
    with pytest.raises(Refused) as refused:
        asked(kept, "C-0001", Right.REVOCATION, purpose="marketing")
    assert codes(refused.value.problems) == ["server.protection.which_purpose"]


# Who is told


def test_a_request_that_presses_raises_one_alarm_and_a_late_one_another(kept: House) -> None:
    row = asked(kept, "C-0001", Right.ACCESS)
    due = case_of(kept.bruno, row.id, now=NOW).request.answer_by
    later = NOW + (due - NOW.date())
    assert escalate(now=NOW) == 0
    assert escalate(now=later) == 1
    assert escalate(now=later) == 0
    assert escalate(now=later + timedelta(days=1)) == 1
    found = models.Alarm.objects.order_by("pk").values_list("kind", "numbers")
    assert [kind for kind, _ in found] == ["right_near", "right_overdue"]
    assert found[0][1] == {"request": row.number, "due": due.isoformat()}
    assert ROSA["full_name"] not in str(list(found))
