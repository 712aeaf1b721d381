"""A record opens for a purpose, to whom it may, in part; what is corrected or erased is so at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from tests.people import (
    ANTONIA,
    JEAN,
    MARTA,
    NOW,
    PURPOSE,
    RIGHTS,
    ROSA,
    House,
    bring,
    codes,
    counted,
    leaves,
    make_house,
    member,
    only_record,
    record_about,
    ring_of,
    table,
    visits_folder,
)
from tests.rules.collect.sheets import write_csv

from resguardo.plan.languages import explain
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import (
    NotAllowed,
    correct_record,
    erase_record,
    list_records,
    open_record,
    withdraw_consent,
)
from resguardo_server.actions.keep import verify_journals
from resguardo_server.actions.members import Asker, asker

TYPED = {**{name: value for name, value in ROSA.items() if value}, "planned_minutes": 960}
"""Rosa's answers as her record gives them back."""


def findings(house: House) -> list[str]:
    """What is wrong with any journal."""
    return [finding for journal in verify_journals(None, language="es") for finding in journal["findings"]]


@pytest.fixture
def rosa(kept: House) -> models.Record:
    return record_about(kept.ana, "C-0001")


@pytest.fixture
def jean(kept: House) -> models.Record:
    return record_about(kept.ana, "C-0002")


@pytest.fixture
def marta(kept: House) -> models.Record:
    return record_about(kept.ana, "C-0003")


def denied(who: Asker, record: models.Record, purpose: str, *groups: str, days: int = 0) -> NotAllowed:
    """The refusal; it holds nothing of the record, in no language."""
    with pytest.raises(NotAllowed) as refused:
        open_record(who, record.id, purpose, groups or None, now=NOW + timedelta(days=days))
    said = " ".join(explain(problem, tongue) for problem in refused.value.problems for tongue in ("es", "en"))
    said += str(refused.value) + repr(refused.value)
    for answer in {*ROSA.values(), *JEAN.values(), *MARTA.values()}:
        assert len(answer) < 4 or answer == purpose or answer not in said
    return refused.value


# Opening


def test_a_record_opens_for_a_purpose_and_says_what_the_sheet_said(kept: House, rosa: models.Record) -> None:
    opened = open_record(kept.ana, str(rosa.id), PURPOSE, now=NOW)
    assert opened["answers"] == TYPED
    assert (opened["record"], opened["programme"], opened["form"]) == (str(rosa.id), "training", "enrolment")


def test_an_opening_leaves_exactly_one_line_that_says_who_what_and_on_which_ground(
    kept: House, rosa: models.Record
) -> None:
    before = leaves(kept.shelter)
    open_record(kept.ana, rosa.id, PURPOSE, now=NOW)
    *earlier, line = leaves(kept.shelter)
    assert earlier == before
    ring = ring_of(kept.shelter.id)
    consent = models.ConsentGiven.objects.get(subject=rosa.subject_id, purpose="training")
    said = ("act", "dec", "purpose", "basis", "role", "fields", "obj", "sn")
    assert {name: line[name] for name in said} == {
        "act": "read", "dec": "allow", "purpose": "training", "basis": "consent", "role": "trainer",
        "fields": [1, 2, 3, 4], "obj": str(rosa.id), "sn": 2,
    }  # fmt: skip
    assert line["who"] == ring.staff_pseudonym("ana@albergue.example")
    assert int(line["consent"], 16) == consent.pk
    assert findings(kept) == []


def test_only_the_groups_that_were_asked_for_are_opened(kept: House, rosa: models.Record) -> None:
    opened = open_record(kept.ana, rosa.id, PURPOSE, ("plain",), now=NOW)
    assert opened["answers"]["participant_code"] == "C-0001"
    assert not {"full_name", "phone", "country", "diet"} & set(opened["answers"])
    assert leaves(kept.shelter)[-1]["fields"] == [4]


def test_a_purpose_opens_its_own_groups_when_none_is_named(kept: House, marta: models.Record) -> None:
    opened = open_record(kept.ana, marta.id, "follow_up", now=NOW)
    assert opened["answers"]["full_name"] == MARTA["full_name"]
    assert not {"country", "employer", "diet"} & set(opened["answers"])


def test_without_consent_a_record_stays_closed_and_the_rule_is_said(kept: House, jean: models.Record) -> None:
    assert codes(denied(kept.ana, jean, PURPOSE).problems) == ["allow.decision.consent"]


def test_another_basis_opens_what_consent_did_not(kept: House, jean: models.Record) -> None:
    opened = open_record(kept.bruno, jean.id, RIGHTS, now=NOW)
    assert opened["answers"]["full_name"] == JEAN["full_name"]
    line = leaves(kept.shelter)[-1]
    assert (line["basis"], line["role"]) == ("legal_obligation", "data_protection_officer")
    assert "consent" not in line


@pytest.mark.parametrize(
    ("who", "purpose", "groups", "rule"),
    [
        ("ana", RIGHTS, (), "role"),
        ("bruno", PURPOSE, (), "role"),
        ("ana", "marketing", (), "unknown_purpose"),
        ("ana", "follow_up", ("identifier", "sensitive"), "groups"),
        ("ana", PURPOSE, ("nothing_of_ours",), "nothing_asked"),
    ],
)
def test_a_denied_try_names_its_rule_and_leaves_one_line(
    kept: House, marta: models.Record, who: str, purpose: str, groups: tuple[str, ...], rule: str
) -> None:
    before = len(leaves(kept.shelter))
    assert codes(denied(getattr(kept, who), marta, purpose, *groups).problems) == [f"allow.decision.{rule}"]
    *_, line = lines = leaves(kept.shelter)
    assert len(lines) == before + 1
    assert (line["act"], line["dec"], line["obj"]) == ("read", "deny", str(marta.id))
    assert "basis" not in line
    assert line.get("purpose") == (None if rule == "unknown_purpose" else purpose)
    assert findings(kept) == []


def test_a_withdrawn_consent_closes_the_record_from_that_day_on(kept: House, rosa: models.Record) -> None:
    withdraw_consent(kept.ana, rosa.id, PURPOSE, now=NOW)
    assert leaves(kept.shelter)[-1]["act"] == "withdraw"
    assert codes(denied(kept.ana, rosa, PURPOSE).problems) == ["allow.decision.consent"]
    assert codes(denied(kept.ana, rosa, PURPOSE, days=1).problems) == ["allow.decision.consent"]
    with pytest.raises(Refused) as refused:
        withdraw_consent(kept.ana, rosa.id, PURPOSE, now=NOW)
    assert codes(refused.value.problems) == ["server.said.no_consent"]
    assert findings(kept) == []


def test_a_later_no_on_another_sheet_ends_an_earlier_yes_and_a_later_yes_opens_again(
    kept: House, rosa: models.Record, tmp_path: Path
) -> None:
    no = {**ROSA, "enrolled_on": "2026-06-01", "edition_code": "COM-1-B", "consent_training": "no"}
    bring(kept.ana, write_csv(tmp_path / "no.csv", table(no)))
    denied(kept.ana, rosa, PURPOSE)
    yes = {**ROSA, "enrolled_on": "2026-07-01", "edition_code": "COM-1-C"}
    bring(kept.ana, write_csv(tmp_path / "si.csv", table(yes)))
    assert open_record(kept.ana, rosa.id, PURPOSE, now=NOW)["answers"] == TYPED


def test_after_its_retention_a_record_stays_closed_for_that_purpose_alone(
    kept: House, marta: models.Record
) -> None:
    last = 730
    later = NOW + timedelta(days=last)
    assert open_record(kept.ana, marta.id, "follow_up", now=later)["answers"]["email"] == MARTA["email"]
    assert codes(denied(kept.ana, marta, "follow_up", days=last + 1).problems) == ["allow.decision.retention"]
    assert open_record(kept.ana, marta.id, PURPOSE, now=later + timedelta(days=1))["answers"]
    assert codes(denied(kept.ana, marta, PURPOSE, days=1826).problems) == ["allow.decision.retention"]


def test_a_restricted_subject_is_opened_for_nothing_usual(kept: House, rosa: models.Record) -> None:
    models.Subject.objects.filter(id=rosa.subject_id).update(restricted=True)
    assert codes(denied(kept.ana, rosa, PURPOSE).problems) == ["allow.decision.restricted"]


@pytest.mark.parametrize(
    "action",
    [
        lambda who, record: open_record(who, record, PURPOSE, now=NOW),
        lambda who, record: correct_record(who, record, {"diet": "nada"}, PURPOSE, now=NOW),
        lambda who, record: erase_record(who, record, now=NOW),
        lambda who, record: withdraw_consent(who, record, PURPOSE, now=NOW),
    ],
    ids=["open", "correct", "erase", "withdraw"],
)
def test_another_institutions_member_learns_nothing_not_even_that_the_record_exists(
    kept: House, rosa: models.Record, action: Callable[[Asker, UUID | str], None]
) -> None:
    before = len(leaves(kept.shelter))
    said = []
    for record in (rosa.id, str(rosa.id), uuid4(), "not-a-record", ""):
        with pytest.raises(Refused) as refused:
            action(kept.carla, record)
        said.append([explain(problem, "es") for problem in refused.value.problems])
    assert said == [said[0]] * 5
    assert leaves(kept.ministry) == []
    assert len(leaves(kept.shelter)) == before
    assert list_records(kept.carla, "training") == []
    assert counted(kept.ministry) == []


def test_the_list_of_records_shows_ids_and_days_and_no_answer(kept: House) -> None:
    rows = list_records(kept.ana, "training", "enrolment")
    assert {row["record"] for row in rows} == {str(row.id) for row in models.Record.objects.all()}
    assert {tuple(row) for row in rows} == {("record", "form", "received_on", "keep_until")}


def test_a_transaction_that_is_rolled_back_leaves_no_line(kept: House, rosa: models.Record) -> None:
    before = leaves(kept.shelter)
    for action in (
        lambda: open_record(kept.ana, rosa.id, PURPOSE, now=NOW),
        lambda: correct_record(kept.ana, rosa.id, {"diet": "nada"}, PURPOSE, now=NOW),
        lambda: erase_record(kept.ana, rosa.id, now=NOW),
    ):
        with transaction.atomic():
            action()
            transaction.set_rollback(True)
        assert leaves(kept.shelter) == before
    assert findings(kept) == []
    assert open_record(kept.ana, rosa.id, PURPOSE, now=NOW)["answers"] == TYPED
    assert findings(kept) == []


# Correcting


def test_a_correction_takes_the_place_of_what_was_said(kept: House, rosa: models.Record) -> None:
    old = {row.group: bytes(row.octets) for row in rosa.groups.all()}
    correct_record(
        kept.ana, rosa.id, {"country": "SV", "full_name": "Rosa Cojtí", "diet": ""}, PURPOSE, now=NOW
    )
    wanted = {**TYPED, "country": "SV", "full_name": "Rosa Cojtí"}
    del wanted["diet"]
    assert open_record(kept.ana, rosa.id, PURPOSE, now=NOW)["answers"] == wanted
    rosa.refresh_from_db()
    assert rosa.version == 2
    assert {row.row_version for row in rosa.groups.all()} == {2}
    remaining = {bytes(row.octets) for row in models.SealedGroup.objects.all()}
    assert remaining.isdisjoint(old.values())


def test_a_correction_counts_at_once_and_only_once(kept: House, rosa: models.Record) -> None:
    before = {row["unit"]: row for row in counted(kept.shelter)}
    for country in ("SV", "NI"):
        correct_record(kept.ana, rosa.id, {"country": country}, PURPOSE, now=NOW)
    after = {row["unit"]: row for row in counted(kept.shelter)}
    assert len(counted(kept.shelter)) == 3
    changed = [unit for unit in before if before[unit] != after[unit]]
    assert [(before[unit]["country"], after[unit]["country"]) for unit in changed] == [("GT", "NI")]


def test_a_correction_leaves_a_line_for_the_opening_and_one_for_the_change(
    kept: House, rosa: models.Record
) -> None:
    correct_record(kept.bruno, rosa.id, {"country": "SV"}, RIGHTS, now=NOW)
    opening, change = leaves(kept.shelter)[-2:]
    assert (opening["act"], change["act"]) == ("read", "update")
    for line in (opening, change):
        assert (line["role"], line["purpose"], line["basis"]) == (
            "data_protection_officer", "rights", "legal_obligation",
        )  # fmt: skip
    assert findings(kept) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"enrolled_on": "2027-01-01"}, "collect.row.constraint"),
        ({"sex": "caballero"}, "collect.row.choice"),
        ({"full_name": ""}, "collect.row.required"),
        ({"document_needed": "yes"}, "collect.row.required"),
        ({"identity_document": "A-1"}, "collect.row.not_asked"),
        ({"no_such_question": "x"}, "plan.programme.field_unknown"),
        ({"participant_code": "C-0001"}, "server.said.not_corrected"),
    ],
)
def test_a_correction_keeps_the_rules_of_the_form_or_changes_nothing(
    kept: House, jean: models.Record, changes: dict[str, str], code: str
) -> None:
    before, groups = counted(kept.shelter), {bytes(row.octets) for row in jean.groups.all()}
    with pytest.raises(Refused) as refused:
        correct_record(kept.bruno, jean.id, changes, RIGHTS, now=NOW)
    assert codes(refused.value.problems) == [code]
    assert counted(kept.shelter) == before
    assert {bytes(row.octets) for row in jean.groups.all()} == groups
    assert findings(kept) == []


def test_a_correction_that_is_refused_after_the_opening_still_leaves_the_line_of_the_opening(
    kept: House, jean: models.Record
) -> None:
    before = len(leaves(kept.shelter))
    with pytest.raises(Refused):
        correct_record(kept.bruno, jean.id, {"document_needed": "yes"}, RIGHTS, now=NOW)
    assert [line["act"] for line in leaves(kept.shelter)[before:]] == ["read"]


def test_who_may_not_open_may_not_correct(kept: House, jean: models.Record) -> None:
    with pytest.raises(NotAllowed) as refused:
        correct_record(kept.ana, jean.id, {"country": "DO"}, PURPOSE, now=NOW)
    assert codes(refused.value.problems) == ["allow.decision.consent"]
    assert leaves(kept.shelter)[-1]["dec"] == "deny"


def test_a_consent_that_was_written_wrong_counts_as_corrected_at_once(
    kept: House, rosa: models.Record, jean: models.Record
) -> None:
    correct_record(kept.bruno, rosa.id, {"consent_training": "no"}, RIGHTS, now=NOW)
    assert codes(denied(kept.ana, rosa, PURPOSE).problems) == ["allow.decision.consent"]
    correct_record(kept.bruno, jean.id, {"consent_training": "yes"}, RIGHTS, now=NOW)
    assert open_record(kept.ana, jean.id, PURPOSE, now=NOW)["answers"]["full_name"] == JEAN["full_name"]


@pytest.fixture
def antonia(house: House, tmp_path: Path) -> Iterator[models.Record]:
    """A record of a programme outside the package, with a repeat in a repeat and a calculation."""
    folder = visits_folder(tmp_path)
    outcome = bring(house.ana, write_csv(tmp_path / "visitas.csv", table(ANTONIA)), str(folder), "visit")
    assert (outcome.kept, codes(outcome.problems)) == (1, [])
    yield only_record(house.shelter)
    models.ProgrammeFolder.objects.all().delete()


CHILDREN = [
    {
        "child_name": "Lucía",
        "child_age": 4,
        "illness": [
            {"illness_name": "asma", "seen_on": "2026-05-01"},
            {"illness_name": "anemia", "seen_on": "2026-05-02"},
        ],
    },
    {"child_name": "Ovidio", "child_age": 7},
]


def test_repeats_in_repeats_come_back_whole_though_their_levels_were_sealed_apart(
    house: House, antonia: models.Record
) -> None:
    assert open_record(house.ana, antonia.id, "help", now=NOW)["answers"]["child"] == CHILDREN
    only = open_record(house.ana, antonia.id, "help", ("sensitive",), now=NOW)["answers"]
    assert only == {"child": [{"illness": [{"illness_name": "asma"}, {"illness_name": "anemia"}]}, {}]}


def test_a_correction_keeps_repeats_and_calculates_again_what_follows(
    house: House, antonia: models.Record
) -> None:
    assert [row["years"] for row in counted(house.shelter)] == [36]
    correct_record(house.ana, antonia.id, {"birth_date": "2000-05-01"}, "help", now=NOW)
    answers = open_record(house.ana, antonia.id, "help", now=NOW)["answers"]
    assert answers["child"] == CHILDREN
    assert (answers["birth_date"], answers["years"]) == ("2000-05-01", 26)
    assert [(row["years"], row["age_band"]) for row in counted(house.shelter)] == [(26, "25-29")]


@pytest.mark.parametrize("question", ["years", "child_age", "child"])
def test_what_is_calculated_or_repeated_is_not_corrected_from_outside(
    house: House, antonia: models.Record, question: str
) -> None:
    with pytest.raises(Refused) as refused:
        correct_record(house.ana, antonia.id, {question: "3"}, "help", now=NOW)
    assert codes(refused.value.problems) == ["plan.programme.field_unknown"]


# Erasing


def test_an_erased_record_is_gone_from_the_register_and_from_every_count(
    kept: House, rosa: models.Record
) -> None:
    subject = rosa.subject_id
    wrapped = bytes(models.SubjectKey.objects.get(subject=subject).wrapped)
    erase_record(kept.ana, rosa.id, now=NOW)
    assert len(counted(kept.shelter)) == 2
    assert not models.Record.objects.filter(id=rosa.id).exists()
    assert not models.SealedGroup.objects.filter(record_id=rosa.id).exists()
    for model in (models.SubjectKey, models.BlindIndex, models.ConsentGiven):
        assert not model.objects.filter(subject=subject).exists()
    assert wrapped not in {bytes(row.wrapped) for row in models.SubjectKey.objects.all()}
    assert models.Subject.objects.get(id=subject).erased_on == NOW
    with pytest.raises(Refused) as refused:
        open_record(kept.ana, rosa.id, PURPOSE, now=NOW)
    assert codes(refused.value.problems) == ["server.said.unknown_record"]


def test_an_erasure_leaves_a_line_and_the_journal_stays_whole(kept: House, rosa: models.Record) -> None:
    erase_record(kept.bruno, rosa.id, now=NOW)
    line = leaves(kept.shelter)[-1]
    assert (line["act"], line["dec"], line["obj"], line["sn"]) == ("erase", "allow", str(rosa.id), 2)
    assert findings(kept) == []


def test_an_erased_sheet_cannot_arrive_again(kept: House, rosa: models.Record, enrolments: Path) -> None:
    erase_record(kept.ana, rosa.id, now=NOW)
    outcome = bring(kept.ana, enrolments)
    assert (outcome.kept, outcome.known) == (0, 3)
    assert len(counted(kept.shelter)) == 2


def test_who_comes_back_after_an_erasure_is_somebody_new(
    kept: House, rosa: models.Record, tmp_path: Path
) -> None:
    unit = {row["unit"] for row in counted(kept.shelter)}
    erase_record(kept.ana, rosa.id, now=NOW)
    later = {**ROSA, "enrolled_on": "2026-10-01"}
    assert bring(kept.ana, write_csv(tmp_path / "otra.csv", table(later))).kept == 1
    again = record_about(kept.ana, "C-0001")
    assert again.subject_id != rosa.subject_id
    assert len({row["unit"] for row in counted(kept.shelter)} - unit) == 1
    assert findings(kept) == []


def test_with_other_records_the_subject_keeps_its_key(
    kept: House, rosa: models.Record, tmp_path: Path
) -> None:
    second = {**ROSA, "edition_code": "COM-1-B"}
    bring(kept.ana, write_csv(tmp_path / "b.csv", table(second)))
    erase_record(kept.ana, rosa.id, now=NOW)
    other = record_about(kept.ana, "C-0001")
    assert other.subject_id == rosa.subject_id
    assert open_record(kept.ana, other.id, PURPOSE, now=NOW)["answers"]["edition_code"] == "COM-1-B"


def test_consent_and_retention_need_not_last_for_an_erasure(kept: House, jean: models.Record) -> None:
    erase_record(kept.ana, jean.id, now=NOW + timedelta(days=5000))
    assert len(counted(kept.shelter)) == 2


def test_who_could_never_open_a_whole_record_cannot_erase_one(kept: House, rosa: models.Record) -> None:
    press = asker(member("prensa@albergue.example", kept.shelter, "press_officer"))
    before = counted(kept.shelter)
    with pytest.raises(NotAllowed) as refused:
        erase_record(press, rosa.id, now=NOW)
    assert codes(refused.value.problems) == ["allow.decision.role"]
    line = leaves(kept.shelter)[-1]
    assert (line["act"], line["dec"], line["role"]) == ("erase", "deny", "press_officer")
    assert counted(kept.shelter) == before
    assert open_record(kept.ana, rosa.id, PURPOSE, now=NOW)["answers"] == TYPED
    assert findings(kept) == []


# Several at once


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_happens_at_the_same_moment_happens_one_after_the_other(tmp_path: Path) -> None:
    house = make_house()
    bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA, JEAN, MARTA)))
    rosa = record_about(house.ana, "C-0001")
    more = [{**ROSA, "edition_code": f"COM-{number}"} for number in range(20)]
    file = write_csv(tmp_path / "b.csv", table(*more))
    start = threading.Barrier(5)
    faults: list[BaseException] = []

    def at_once(action: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                start.wait()
                action()
            except BaseException as fault:
                faults.append(fault)
            finally:
                connection.close()

        return run

    actions = [
        lambda: bring(house.ana, file),
        lambda: correct_record(house.ana, rosa.id, {"country": "SV"}, PURPOSE, now=NOW),
        lambda: correct_record(house.bruno, rosa.id, {"sex": "other"}, RIGHTS, now=NOW),
        lambda: open_record(house.ana, rosa.id, PURPOSE, now=NOW),
        lambda: open_record(house.bruno, rosa.id, RIGHTS, now=NOW),
    ]
    threads = [threading.Thread(target=at_once(action)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert findings(house) == []
    rosa.refresh_from_db()
    assert rosa.version == 3
    rows = counted(house.shelter)
    assert len(rows) == 23
    assert [row["sex"] for row in rows if row["country"] == "SV"] == ["other"], "neither correction was lost"
    acts = [leaf["act"] for leaf in leaves(house.shelter)]
    assert (acts.count("create"), acts.count("update")) == (23, 2)
    assert acts.count("read") >= 4, "each of the four was written, and a second look after a change besides"


def test_a_lost_key_file_is_said_and_no_fresh_key_takes_its_place(db: None, enrolments: Path) -> None:
    from resguardo_server.keyholders import keyholder

    row = models.Institution.objects.create(slug="casa-sin-llaves", name="Casa", kind="shelter", country="MX")
    models.JournalHead.objects.create(institution=row, size=3)
    who = asker(member("sin@llaves.example", row, "trainer"))
    with pytest.raises(Refused) as refused:
        bring(who, enrolments)
    assert [problem.code for problem in refused.value.problems] == ["keyholder.desk.ring_missing"]
    assert not keyholder().has_ring(row.id)


def test_a_childs_no_and_a_last_day_said_on_the_sheet_hold(db: None, tmp_path: Path) -> None:
    house = make_house()
    asked = {
        "registered_on": "2026-11-02", "country": "MX", "age": "10", "guardian_consent": "yes",
        "consent_assistance": "yes", "consent_referral": "no", "sex": "male", "language": "es",
        "accompanied_status": "accompanied",
    }  # fmt: skip
    rows = table(
        {**asked, "case_code": "MX-C-1", "child_assent": "no"},
        {**asked, "case_code": "MX-C-2", "child_assent": "yes", "consent_until": "2026-12-31"},
    )
    path = write_csv(tmp_path / "registro.csv", rows)
    received = bring(house.ana, path, "assistance", "registration")
    assert codes(received.problems) == []
    said = {
        (row.given, row.by == "guardian", row.until and row.until.isoformat(), row.language)
        for row in models.ConsentGiven.objects.filter(purpose="assistance")
    }
    assert said == {(False, True, None, "es"), (True, True, "2026-12-31", "es")}
