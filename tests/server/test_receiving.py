"""A file is received whole or not at all, once; each record is sealed under its subject's own key."""

from __future__ import annotations

import csv
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from tests.people import (
    JEAN,
    LABELS,
    MARTA,
    NOW,
    ROSA,
    YESENIA,
    House,
    bring,
    codes,
    counted,
    leaves,
    only_record,
    table,
)
from tests.rules.collect.sheets import write_csv, write_workbook, write_zip

from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import Submission, read_submissions
from resguardo.plan.programme import built_in
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import open_record, receive
from resguardo_server.actions.keep import verify_journals

TABLES = (
    models.Arrival, models.BlindIndex, models.ConsentGiven, models.FactSegment, models.JournalCheckpoint,
    models.JournalEntry, models.Record, models.SealedGroup, models.Subject, models.SubjectKey,
)  # fmt: skip


def held() -> dict[str, int]:
    """How many rows each table of kept things has."""
    return {model.__name__: model.objects.count() for model in TABLES}


def training_form(name: str = "enrolment"):  # type: ignore[no-untyped-def]
    (programme,) = (programme for programme in built_in() if programme.name == "training")
    return programme, programme.form(name)


def mended(mend: Path, target: Path, **answers: str) -> Path:
    """The file of refused rows with those answers in every row, as a person would save it."""
    with mend.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return write_csv(target, table(*({**row, **answers} for row in rows)))


def codes_of_subjects() -> int:
    """How many tokens of a subject's code there are; those of documents and names stand beside."""
    return models.BlindIndex.objects.filter(field=1).count()


# Whole and sealed


def test_each_row_of_a_file_becomes_one_sealed_record_of_the_institution(
    house: House, enrolments: Path
) -> None:
    outcome = bring(house.ana, enrolments)
    assert (outcome.form, outcome.institution) == ("training.enrolment", "albergue-tapachula")
    assert (outcome.kept, outcome.known, outcome.refused, outcome.mend) == (3, 0, 0, None)
    assert models.Record.objects.filter(institution=house.shelter).count() == 3
    assert held()["Subject"] == held()["SubjectKey"] == codes_of_subjects() == held()["Arrival"] == 3
    assert held()["SealedGroup"] == 11, "four groups each; Jean's answers hold nothing sensitive"
    assert len(counted(house.shelter)) == 3


def test_a_sealed_group_shows_nothing_of_its_answers(kept: House) -> None:
    octets = b"".join(bytes(row.octets) for row in models.SealedGroup.objects.all())
    octets += b"".join(bytes(row.octets) for row in models.FactSegment.objects.all())
    for answer in (*ROSA.values(), *MARTA.values()):
        if len(answer) > 3:
            assert answer.encode() not in octets


def test_each_write_has_its_line_and_the_journal_is_signed(kept: House) -> None:
    lines = leaves(kept.shelter)
    assert [(line["act"], line["dec"], line["sn"]) for line in lines] == [("create", "allow", 1)] * 3
    assert {line["obj"] for line in lines} == {
        str(number) for number in models.Record.objects.values_list("id", flat=True)
    }
    assert len({line["subj"] for line in lines}) == 3
    (journal,) = verify_journals(None, language="es")
    assert (journal["institution"], journal["entries"], journal["findings"]) == ("albergue-tapachula", 3, [])


def test_the_line_of_a_write_names_a_role_that_the_programme_knows(kept: House) -> None:
    assert {line["role"] for line in leaves(kept.shelter)} == {"trainer"}


def test_the_line_of_a_write_names_no_consent_that_was_not_given(kept: House) -> None:
    grounds = [(line["purpose"], line["basis"]) for line in leaves(kept.shelter)]
    agreed, refused = ("training", "consent"), ("certification", "contract")
    assert grounds == [agreed, refused, agreed]


def test_what_a_person_agreed_to_is_kept_with_the_day_and_what_they_refused_too(kept: House) -> None:
    said = models.ConsentGiven.objects.order_by("pk").values_list("purpose", "given", "said_on")
    assert {day.isoformat() for _, _, day in said} == {"2026-03-02"}
    assert [(purpose, given) for purpose, given, _ in said] == [
        ("training", True), ("follow_up", False), ("image_publication", False),
        ("training", False), ("follow_up", False), ("image_publication", False),
        ("training", True), ("follow_up", True), ("image_publication", False),
    ]  # fmt: skip


def test_a_record_with_repeats_comes_in_from_columns_and_from_a_workbook_of_several_sheets(
    house: House, tmp_path: Path
) -> None:
    flat = write_csv(tmp_path / "plano.csv", table(YESENIA))
    person = {name: value for name, value in YESENIA.items() if not name.startswith("route")}
    book = write_workbook(
        tmp_path / "libro.xlsx",
        {
            "registration": [[*person, "_index"], [*person.values(), 1]],
            "route": [
                ["route_place", "route_date", "_parent_index"],
                ["Tecún Umán, junto al río", "2026-05-18", 1],
                ["Ciudad Hidalgo, casa de la parroquia", "2026-05-19", 1],
            ],
        },
    )
    assert bring(house.ana, flat, "assistance", "registration").kept == 1
    assert bring(house.ana, book, "assistance", "registration").known == 1
    answers = open_record(house.ana, only_record(house.shelter).id, "assistance", now=NOW)["answers"]
    assert answers["route"] == [
        {"route_place": "Tecún Umán, junto al río", "route_date": "2026-05-18"},
        {"route_place": "Ciudad Hidalgo, casa de la parroquia", "route_date": "2026-05-19"},
    ]


# Once


def test_the_same_file_twice_adds_nothing(house: House, enrolments: Path) -> None:
    bring(house.ana, enrolments)
    before = held()
    outcome = bring(house.ana, enrolments)
    assert (outcome.kept, outcome.known) == (0, 3)
    # The second reading signs the journal's head again; nothing else is written.
    assert held() == before | {"JournalCheckpoint": before["JournalCheckpoint"] + 1}


@pytest.mark.parametrize("shape", ["columns in another order", "labels", "workbook", "spaces"])
def test_the_same_answers_in_another_shape_are_known(house: House, tmp_path: Path, shape: str) -> None:
    bring(house.ana, write_csv(tmp_path / "uno.csv", table(ROSA)))
    if shape == "columns in another order":
        other = write_csv(tmp_path / "dos.csv", table(ROSA, columns=sorted(ROSA, reverse=True)))
    elif shape == "labels":
        _, form = training_form()
        spoken = {**ROSA, **LABELS}
        header = [form.field(name).label["es"] for name in spoken]
        other = write_csv(
            tmp_path / "dos.csv", [header, list(spoken.values())], delimiter=";", encoding="utf-8-sig"
        )
    elif shape == "workbook":
        other = write_workbook(tmp_path / "dos.xlsx", {"Hoja 1": table({**ROSA, "planned_minutes": 960})})
    else:
        other = write_csv(tmp_path / "dos.csv", table({name: f" {value} " for name, value in ROSA.items()}))
    outcome = bring(house.ana, other)
    assert (outcome.kept, outcome.known, codes(outcome.problems)) == (0, 1, [])


def test_two_equal_rows_of_one_file_are_two_records_and_stay_two(house: House, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "dos.csv", table(ROSA, ROSA))
    assert (bring(house.ana, file).kept, bring(house.ana, file).known) == (2, 2)


def test_an_export_that_grew_brings_only_its_new_rows(house: House, tmp_path: Path) -> None:
    bring(house.ana, write_csv(tmp_path / "uno.csv", table(ROSA, JEAN)))
    outcome = bring(house.ana, write_csv(tmp_path / "dos.csv", table(ROSA, JEAN, MARTA)))
    assert (outcome.kept, outcome.known) == (1, 2)


# What is to be mended


def test_rows_that_break_rules_lie_in_a_file_that_only_the_owner_reads(house: House, tmp_path: Path) -> None:
    wrong = {**JEAN, "enrolled_on": "2027-01-01", "sex": "caballero"}
    outcome = bring(house.ana, write_csv(tmp_path / "mixto.csv", table(ROSA, wrong, MARTA)))
    assert (outcome.kept, outcome.refused) == (2, 1)
    assert {(problem.row, problem.column) for problem in outcome.problems} == {(3, "enrolled_on"), (3, "sex")}
    assert outcome.mend is not None
    assert outcome.mend.is_relative_to(settings.VAR)
    assert stat.S_IMODE(outcome.mend.stat().st_mode) == 0o600
    assert stat.S_IMODE(outcome.mend.parent.stat().st_mode) == 0o700
    with outcome.mend.open(encoding="utf-8-sig", newline="") as file:
        header, row, *rest = csv.reader(file)
    assert header[0] == "_problem"
    assert header[1:] == list(ROSA)
    assert "futura" in row[0]
    # What a spreadsheet would run as a formula, such as +509…, has an apostrophe in front.
    assert [cell.removeprefix("'") for cell in row[1:]] == list(wrong.values())
    assert rest == []


def test_what_was_mended_comes_in_and_nothing_doubles(house: House, tmp_path: Path) -> None:
    wrong = {**JEAN, "sex": "caballero"}
    outcome = bring(house.ana, write_csv(tmp_path / "mixto.csv", table(ROSA, wrong, MARTA)))
    assert outcome.mend is not None
    mend = mended(outcome.mend, tmp_path / "corregido.csv", sex="male")
    again = bring(house.ana, mend)
    assert (again.kept, again.known, again.refused) == (1, 0, 0)
    assert bring(house.ana, mend).known == 1
    whole = bring(house.ana, write_csv(tmp_path / "completo.csv", table(ROSA, JEAN, MARTA)))
    assert (whole.kept, whole.known) == (0, 3)


def test_a_mended_row_keeps_the_repeats_that_had_a_sheet_of_their_own(house: House, tmp_path: Path) -> None:
    person = {name: value for name, value in YESENIA.items() if not name.startswith("route")} | {
        "age": "treinta"
    }
    book = write_workbook(
        tmp_path / "libro.xlsx",
        {
            "registration": [[*person, "_index"], [*person.values(), 1]],
            "route": [["route_place", "_parent_index"], ["Tecún Umán", 1], ["Ciudad Hidalgo", 1]],
        },
    )
    outcome = bring(house.ana, book, "assistance", "registration")
    assert outcome.mend is not None
    again = bring(
        house.ana, mended(outcome.mend, tmp_path / "corregido.csv", age="34"), "assistance", "registration"
    )
    assert (again.kept, again.refused, again.ignored_columns) == (1, 0, ())
    answers = open_record(house.ana, only_record(house.shelter).id, "assistance", now=NOW)["answers"]
    assert [step["route_place"] for step in answers["route"]] == ["Tecún Umán", "Ciudad Hidalgo"]


def test_a_second_file_to_mend_does_not_take_the_place_of_the_first(house: House, tmp_path: Path) -> None:
    wrong = write_csv(tmp_path / "mal.csv", table({**JEAN, "sex": "caballero"}))
    first, second = bring(house.ana, wrong).mend, bring(house.ana, wrong).mend
    assert first is not None
    assert second is not None
    assert first != second
    assert first.is_file()


# All or nothing


def files_to_mend() -> set[Path]:
    return set((Path(settings.VAR) / "to-mend").glob("*"))


def broken_zip(path: Path) -> Path:
    """A packed export whose table is damaged half-way."""
    people = [{**ROSA, "participant_code": f"C-{number:04}"} for number in range(3000)]
    write_zip(path, {"inscripciones.csv": table(*people)})
    with zipfile.ZipFile(path) as packed:
        size = packed.infolist()[0].compress_size
    octets = bytearray(path.read_bytes())
    octets[size * 3 // 4 : size * 3 // 4 + 40] = b"\x00" * 40
    path.write_bytes(octets)
    return path


def test_a_file_that_is_damaged_half_way_leaves_nothing(house: House, tmp_path: Path) -> None:
    before, mend_before = held(), files_to_mend()
    with pytest.raises(Refused) as refused:
        bring(house.ana, broken_zip(tmp_path / "roto.zip"))
    assert codes(refused.value.problems)
    assert held() == before
    assert files_to_mend() == mend_before


@pytest.mark.parametrize("after", [0, 1, 700])
def test_an_import_that_is_stopped_leaves_nothing(house: House, tmp_path: Path, after: int) -> None:
    people = [{**ROSA, "participant_code": f"C-{number:04}"} for number in range(max(after, 1))]
    programme, form = training_form()
    reading = read_submissions(
        form, open_sheet(write_csv(tmp_path / "a.csv", table(*people))), today=NOW.date()
    )
    before = held()

    def stopped() -> Iterator[Submission]:
        for number, item in enumerate(reading):
            if number == after:
                break
            assert isinstance(item, Submission)
            yield item
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        list(receive(house.ana, programme, form, stopped(), now=NOW))
    assert held() == before
    assert verify_journals("albergue-tapachula", language="es")[0]["entries"] == 0


def test_a_file_of_another_form_or_of_none_is_refused_whole(house: House, tmp_path: Path) -> None:
    before = held()
    other = write_csv(tmp_path / "otra.csv", [["precio", "peso"], ["12", "3"]])
    for form in ("enrolment", None):
        with pytest.raises(Refused):
            bring(house.ana, other, form=form)
    with pytest.raises(Refused):
        bring(house.ana, tmp_path / "no-existe.csv")
    with pytest.raises(Refused):
        bring(house.ana, other, "no_such_programme")
    assert held() == before


def test_the_form_of_a_file_is_known_by_its_columns(house: House, enrolments: Path) -> None:
    assert bring(house.ana, enrolments, form=None).form == "training.enrolment"


# Who a row is about


def test_two_rows_with_one_code_are_one_subject_with_one_key_and_one_chain(
    house: House, tmp_path: Path
) -> None:
    second = {**ROSA, "edition_code": "COM-1-2025", "enrolled_on": "2025-03-02"}
    assert bring(house.ana, write_csv(tmp_path / "dos.csv", table(ROSA, second))).kept == 2
    assert (held()["Record"], held()["Subject"], held()["SubjectKey"], codes_of_subjects()) == (2, 1, 1, 1)
    third = {**ROSA, "edition_code": "COM-1-2024", "enrolled_on": "2024-03-02"}
    assert bring(house.ana, write_csv(tmp_path / "tres.csv", table(third))).kept == 1
    assert (held()["Record"], held()["Subject"], held()["SubjectKey"]) == (3, 1, 1)
    assert [line["sn"] for line in leaves(house.shelter)] == [1, 2, 3]
    assert len({row["unit"] for row in counted(house.shelter)}) == 1
    assert verify_journals("albergue-tapachula", language="es")[0]["findings"] == []


def test_another_form_about_the_same_person_finds_the_same_subject(house: House, tmp_path: Path) -> None:
    bring(house.ana, write_csv(tmp_path / "alta.csv", table(ROSA)))
    session = {
        "participant_code": "C-0001", "session_code": "S-01", "session_date": "2026-03-03",
        "course_code": "COM-1", "edition_code": "COM-1-2026", "topic": "terminology", "mode": "in_person",
        "country": "GT", "sex": "female", "institution_type": "radio",
        "session_minutes": "120", "attended_minutes": "120",
    }  # fmt: skip
    outcome = bring(house.ana, write_csv(tmp_path / "sesion.csv", table(session)), form="attendance")
    assert (outcome.kept, codes(outcome.problems)) == (1, [])
    assert (held()["Record"], held()["Subject"], held()["SubjectKey"]) == (2, 1, 1)
    assert len({row["unit"] for row in counted(house.shelter)}) == 1


def test_one_code_at_two_institutions_is_two_subjects_who_share_nothing(
    house: House, enrolments: Path
) -> None:
    assert bring(house.ana, enrolments).kept == 3
    assert bring(house.carla, enrolments).kept == 3, "what one institution keeps is not known to another"
    assert held()["Subject"] == held()["SubjectKey"] == 6
    ours, theirs = counted(house.shelter), counted(house.ministry)
    assert {row["unit"] for row in ours} & {row["unit"] for row in theirs} == set()
    assert {row["record"] for row in ours} & {row["record"] for row in theirs} == set()
    assert {line["subj"] for line in leaves(house.shelter)} & {
        line["subj"] for line in leaves(house.ministry)
    } == set()
