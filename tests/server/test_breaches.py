"""How large a breach is stands in the journal; who must be told is told before it is closed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.people import NOW, House, codes, record_about

from resguardo.allow.breach import BreachState, Danger, Measure
from resguardo.allow.register import AssessedRisk
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, open_record
from resguardo_server.actions.allow.agreements import (
    agreements,
    approve_assessment,
    as_file,
    assess_use,
    assessments,
    draft_for,
    enter_agreement,
    register_for,
)
from resguardo_server.actions.allow.breaches import (
    assess,
    breach_of,
    breaches,
    close_breach,
    mark_told,
    messages_to_people,
    register_breach,
)
from resguardo_server.actions.allow.oversight import (
    alarms,
    check_journal,
    destroy_what_ended,
    ending_soon,
    journal_lines,
    journal_said,
    mark_seen,
)
from resguardo_server.actions.members import Asker

BEFORE = NOW - timedelta(hours=1)
RISK = AssessedRisk("Personal de la otra institución", "Consulta por curiosidad", "La reconocen", 2, 3,
                    ("Cada apertura queda anotada",), 1, 3)  # fmt: skip


def opened_by_ana(house: House, *people: str) -> None:
    for code in people:
        open_record(house.ana, record_about(house.ana, code).id, "training", ("plain", "quasi"), now=NOW)


def registered(house: House, **more: object) -> models.Breach:
    said = {"since": BEFORE, "until": None, "now": NOW + timedelta(hours=1), **more}
    return register_breach(house.bruno, "undue_access", **said)  # type: ignore[arg-type]


def test_the_size_is_who_was_opened_and_a_denied_try_opened_nobody(kept: House) -> None:
    opened_by_ana(kept, "C-0001", "C-0003", "C-0001")
    with pytest.raises(NotAllowed):
        opened_by_ana(kept, "C-0002")
    row = registered(kept, member="ana@albergue.example")
    assert row.people == 2
    found = breach_of(kept.bruno, row.id, "es", now=NOW)
    assert (found.size.people, found.size.openings) == (2, 3)
    assert {str(level) for level in found.size.groups} == {"quasi", "plain"}
    assert found.member == "ana@albergue.example"
    assert "ana" not in row.who
    assert registered(kept, member="bruno@albergue.example").people == 0
    assert registered(kept, since=NOW + timedelta(minutes=1)).people == 0


def test_a_private_shelter_in_mexico_tells_each_person_at_once(kept: House) -> None:
    row = registered(kept)
    (notice,) = [one for one in breach_of(kept.bruno, row.id, "es", now=NOW).to_tell
                 if one.notice.recipient == "person"]  # fmt: skip
    assert notice.notice.at_once
    assert "ahora mismo" in notice.words
    assert not notice.is_late
    later = breach_of(kept.bruno, row.id, "es", now=NOW + timedelta(days=30))
    assert all(one.is_late for one in later.to_tell)


def test_records_of_two_countries_follow_the_strictest_rule(kept: House) -> None:
    alone = registered(kept)
    shared = registered(kept, also=[kept.ministry.id])
    assert shared.notices.count() > alone.notices.count()
    due = {one.due_at for one in shared.notices.all()}
    assert max(due) <= NOW + timedelta(hours=73)


def test_a_breach_is_closed_when_it_was_assessed_and_all_were_told(kept: House) -> None:
    row = registered(kept)
    with pytest.raises(Refused) as refused:
        close_breach(kept.bruno, row.id, now=NOW)
    assert codes(refused.value.problems) == ["allow.breach.may_not_follow"]
    assess(kept.bruno, row.id, "high", now=NOW)
    with pytest.raises(Refused) as refused:
        close_breach(kept.bruno, row.id, now=NOW)
    assert all("untold" in code for code in codes(refused.value.problems))
    for notice in row.notices.all():
        mark_told(kept.bruno, row.id, notice.pk, now=NOW)
    close_breach(kept.bruno, row.id, now=NOW)
    found = breach_of(kept.bruno, row.id, "es", now=NOW)
    assert (found.state, found.danger) == (BreachState.CLOSED, Danger.HIGH)
    with pytest.raises(Refused):
        assess(kept.bruno, row.id, "possible", now=NOW)
    assert [one.id for one in breaches(kept.bruno)] == [row.id]


def test_people_are_told_in_four_languages_and_nobody_is_named(kept: House) -> None:
    opened_by_ana(kept, "C-0001")
    models.Institution.objects.filter(pk=kept.shelter.pk).update(contact="Bruno, +52 962 555 0100")
    found = breach_of(kept.bruno, registered(kept, member="ana@albergue.example").id, "es", now=NOW)
    said = messages_to_people(kept.bruno, found, [Measure.ACCESS_REMOVED])
    assert set(said) == {"es", "en", "fr", "ht"}
    assert "+52 962 555 0100" in said["ht"]
    assert "Esa persona ya no puede entrar." in said["es"]
    assert "ana@" not in " ".join(said.values())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"member": "carla@ministerio.example"}, "breach_member"),
        ({"since": NOW + timedelta(days=1)}, "breach_later"),
        ({"until": BEFORE - timedelta(days=1)}, "breach_backwards"),
    ],
)
def test_what_cannot_have_been_is_not_written_down(
    house: House, change: dict[str, object], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        registered(house, **change)
    assert codes(refused.value.problems) == [f"server.protection.{code}"]
    assert not models.Breach.objects.exists()


def test_only_the_officer_of_the_institution_sees_a_breach(kept: House) -> None:
    row = registered(kept)
    for who in (kept.ana, kept.carla):
        with pytest.raises(Refused):
            breach_of(who, row.id, "es", now=NOW)


# In writing


def test_the_register_and_a_draft_are_read_off_the_programme(kept: House) -> None:
    paper = register_for(kept.bruno, "training", now=NOW)
    assert "Albergue de Tapachula" in as_file(paper, "md", "es").decode()
    assert b"dpv:DataProcessingRecord" in as_file(paper, "json", "en")
    draft = draft_for(kept.bruno, "assistance", "consulate", now=NOW)
    assert as_file(draft, "md", "es").startswith(b"# ")
    with pytest.raises(Refused):
        draft_for(kept.bruno, "training", "police", now=NOW)


def an_assessment(house: House, risk: AssessedRisk = RISK, receiver: str = "") -> models.Assessment:
    return assess_use(
        house.bruno,
        "assistance",
        receiver,
        description="El consulado recibe nombre y edad para expedir un documento.",
        necessity="Sin documento no puede volver a trabajar.",
        consultation="Se preguntó a doce personas del albergue.",
        risks=[risk],
        decision="go_with_measures",
    )


def test_an_assessment_opens_no_way_before_somebody_else_approves_it(kept: House) -> None:
    row = an_assessment(kept)
    (known,) = assessments(kept.bruno, now=NOW)
    assert codes(known.faults) == ["allow.register.not_approved"]
    with pytest.raises(Refused) as refused:
        approve_assessment(kept.bruno, row.pk, now=NOW)
    assert codes(refused.value.problems) == ["allow.register.approved_by_its_writer"]
    models.Member.objects.create_user(email="eva@albergue.example", password="x")
    eva = Asker("eva@albergue.example", kept.bruno.institution, frozenset({"supervisor"}))
    approve_assessment(eva, row.pk, now=NOW)
    (known,) = assessments(kept.bruno, now=NOW)
    assert known.faults == ()
    (later,) = assessments(kept.bruno, now=NOW + timedelta(days=400))
    assert codes(later.faults) == ["allow.register.review_due"]


def test_a_risk_that_stays_too_high_is_not_written_down_as_fit(kept: House) -> None:
    grave = AssessedRisk("Otro Estado", "Pide los datos", "La persiguen", 4, 4, ("Acuerdo",), 3, 4)
    with pytest.raises(Refused) as refused:
        an_assessment(kept, grave)
    assert codes(refused.value.problems) == ["allow.register.risk_too_high"]


def test_an_agreement_counts_with_its_assessment_and_until_its_day(kept: House) -> None:
    receiver = models.Institution.objects.create(
        slug="consulado", name="Consulado", kind="consulate", country="MX"
    )
    paper = an_assessment(kept, receiver="consulado")
    draft = draft_for(kept.bruno, "assistance", "consulado", now=NOW)
    purpose = draft.activities[0].purpose.name
    enter_agreement(
        kept.bruno,
        "assistance",
        receiver.slug,
        purposes=[purpose],
        groups=["identifier"],
        signed_on=NOW.date(),
        until=NOW.date() + timedelta(days=100),
        assessment=paper.pk,
        now=NOW,
    )
    assert [one.state for one in agreements(kept.bruno, now=NOW)] == ["no_assessment"]
    models.Member.objects.create_user(email="eva@albergue.example", password="x")
    eva = Asker("eva@albergue.example", kept.bruno.institution, frozenset({"supervisor"}))
    approve_assessment(eva, paper.pk, now=NOW)
    assert [one.state for one in agreements(kept.bruno, now=NOW)] == ["in_force"]
    assert [one.state for one in agreements(kept.bruno, now=NOW + timedelta(days=101))] == ["over"]


# The journal and what is due


def test_the_officer_reads_the_journal_and_knows_who_it_was(kept: House) -> None:
    opened_by_ana(kept, "C-0001")
    with pytest.raises(NotAllowed):
        opened_by_ana(kept, "C-0002")
    reads = journal_lines(kept.bruno, act="read")
    assert reads.found == 2
    assert {line.member for line in reads.lines} == {"ana@albergue.example"}
    assert journal_lines(kept.bruno, outcome="deny").found == 1
    assert journal_lines(kept.bruno, month="2025-01").found == 0
    assert journal_lines(kept.bruno, month="2026-11", role="trainer").found >= 2
    said = journal_said(kept.bruno, now=NOW)
    assert (said.denied, said.denied_for, said.checked) == (1, (("training", 1),), None)
    assert check_journal(kept.bruno, language="es", now=NOW) == []
    checked = journal_said(kept.bruno, now=NOW).checked
    assert checked is not None
    assert checked["entries"] == said.entries
    with pytest.raises(Refused):
        journal_lines(kept.ana)


def test_what_ended_is_destroyed_by_an_officer_who_just_confirmed(kept: House) -> None:
    later = NOW + timedelta(days=5000)
    (ending,) = ending_soon(kept.bruno, now=later)
    assert (ending.records, ending.over, ending.held) == (3, 3, 0)
    stale = Asker(kept.bruno.name, kept.bruno.institution, kept.bruno.roles, reauthenticated=False)
    with pytest.raises(Refused) as refused:
        destroy_what_ended(stale, now=later)
    assert codes(refused.value.problems) == ["allow.decision.reauthentication"]
    assert destroy_what_ended(kept.bruno, now=later).erased == 3
    assert ending_soon(kept.bruno, now=later) == []


def test_an_alarm_is_seen_once_by_the_officer_of_its_institution(kept: House) -> None:
    models.Alarm.objects.create(institution=kept.shelter, kind="right_near", raised_at=NOW)
    (alarm,) = alarms(kept.bruno)
    with pytest.raises(Refused):
        mark_seen(kept.carla, alarm.id, now=NOW)
    mark_seen(kept.bruno, alarm.id, now=NOW)
    assert alarms(kept.bruno) == []
    with pytest.raises(Refused):
        mark_seen(kept.bruno, alarm.id, now=NOW)
