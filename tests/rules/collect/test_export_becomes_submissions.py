# ruff: noqa: E501
"""The exports of KoboToolbox and ODK Central, and sheets made by hand, become the same submissions."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.rules.collect.sheets import (
    JEAN,
    PEOPLE,
    ROSA,
    form_of,
    kept,
    people,
    reading,
    refused,
    said,
    table,
    write_csv,
    write_workbook,
    write_zip,
)

from resguardo.collect.header import METADATA
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import form_for
from resguardo.values import Refused

FORM = people()
NAMES = tuple(ROSA)
GROUPED = ("name", "born_on", "sex", "pregnant")
SERVICES = ("food", "health", "legal", "shelter", "none")
LABELS = {
    "es": {field.name: field.label["es"] for field in FORM.fields if field.label},
    "en": {field.name: field.label["en"] for field in FORM.fields if field.label},
}
CHOICES = {
    language: {
        (name, choice.name): choice.label[language]
        for name in ("sex", "pregnant", "country", "services", "consent")
        for choice in FORM.choices[FORM.field(name).list_name or ""]
    }
    for language in ("es", "en")
}

ROSA_SAID = said(
    FORM,
    code="GT-001",
    seen_on=date(2024, 3, 15),
    name="María José Pérez Coc",
    born_on=date(1990, 5, 1),
    sex="female",
    pregnant="no",
    country="GT",
    services=("food", "legal"),
    children=2,
    fee=Decimal("12.5"),
    consent="yes",
    place="14.6349 -90.5069 0 0",
    story='Llegó el martes.\nDijo: «no vuelvo», y "nada más".',
    age=33,
)
JEAN_SAID = said(
    FORM,
    code="HT-002",
    seen_on=date(2024, 3, 16),
    name="Jean-Baptiste Étienne",
    born_on=date(1985, 12, 31),
    sex="male",
    country="HT",
    children=0,
    consent="no",
    age=38,
)
BOTH = [ROSA_SAID, JEAN_SAID]


def in_labels(person: Any, language: str) -> list[str]:
    """A person's cells as an export with labels writes them."""
    known = CHOICES[language]
    cells = []
    for name in NAMES:
        words = [known.get((name, word), word) for word in person[name].split(" ")]
        cells.append(" ".join(words) if FORM.field(name).list_name else person[name])
    return cells


def kobo_split(person: Any) -> list[Any]:
    """`services` and a column for each service, as KoboToolbox writes them: blank where not answered."""
    if not person["services"]:
        return [""] * 6
    chosen = person["services"].split()
    return [person["services"], *("1" if service in chosen else "0" for service in SERVICES)]


def kobo_place(person: Any) -> list[str]:
    return [person["place"], *(person["place"].split() or ["", "", "", ""])]


def answers(form: Any, path: Path, **options: Any) -> list[dict[str, Any]]:
    return [dict(each.answers) for each in kept(form, path, **options)]


def test_a_plain_csv_with_names(tmp_path: Path) -> None:
    assert answers(FORM, write_csv(tmp_path / "a.csv", table(ROSA, JEAN))) == BOTH


def test_a_csv_of_kobotoolbox_with_group_paths_split_choices_and_metadata(tmp_path: Path) -> None:
    header = [
        "start", "end", "code", "seen_on", *(f"personal/{name}" for name in GROUPED), "country",
        "services", *(f"services/{service}" for service in SERVICES), "children", "fee", "consent",
        "place", "_place_latitude", "_place_longitude", "_place_altitude", "_place_precision", "story",
        "__version__", "_version__001", "_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status",
        "_submitted_by", "_tags", "meta/rootUuid", "_index", "formhub/uuid", "meta/instanceName",
    ]  # fmt: skip
    rows = [
        [
            "2024-03-15T10:00:00.000-06:00", "2024-03-15T10:09:00.000-06:00", person["code"], person["seen_on"],
            *(person[name] for name in GROUPED), person["country"], *kobo_split(person), person["children"],
            person["fee"], person["consent"], *kobo_place(person), person["story"], "vA7x", "", number,
            f"aaaa-{number}", "2024-03-15T16:10:00", "", "", "submitted_via_web", "ana", "", f"uuid:bbbb-{number}",
            number, "f00", "",
        ]
        for number, person in enumerate((ROSA, JEAN), 1)
    ]  # fmt: skip
    path = write_csv(tmp_path / "kobo.csv", [header, *rows], delimiter=";", encoding="utf-8-sig")
    found = kept(FORM, path)
    assert [dict(each.answers) for each in found] == BOTH
    assert [each.instance for each in found] == ["bbbb-1", "bbbb-2"]
    assert [each.version for each in found] == ["vA7x", "vA7x"]
    assert reading(FORM, path).ignored_columns == ()


def test_a_csv_of_kobotoolbox_with_nothing_but_the_columns_of_each_choice(tmp_path: Path) -> None:
    header = [
        *(name for name in NAMES if name != "services"),
        *(f"services/{service}" for service in SERVICES),
    ]
    for yes, no in (("1", "0"), ("TRUE", "FALSE"), ("True", "")):
        rows = [
            [
                *(person[name] for name in NAMES if name != "services"),
                *((yes if service in person["services"].split() else no) for service in SERVICES),
            ]
            for person in (ROSA, JEAN)
        ]
        assert answers(FORM, write_csv(tmp_path / "a.csv", [header, *rows])) == BOTH


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_csv_with_labels_in_any_language(tmp_path: Path, language: str) -> None:
    header = [LABELS[language][name] for name in NAMES]
    rows = [in_labels(person, language) for person in (ROSA, JEAN)]
    assert answers(FORM, write_csv(tmp_path / "a.csv", [header, *rows], delimiter=";")) == BOTH


def test_labels_of_two_languages_and_names_may_be_mixed(tmp_path: Path) -> None:
    header = [LABELS[("es", "en")[place % 2]][name] for place, name in enumerate(NAMES)]
    rows = [in_labels(ROSA, "en"), in_labels(JEAN, "es")]
    assert answers(FORM, write_csv(tmp_path / "a.csv", [header, *rows])) == BOTH


def test_labels_with_the_labels_of_their_groups_in_front(tmp_path: Path) -> None:
    header = [
        f"Datos personales/{LABELS['es'][name]}" if name in GROUPED else LABELS["es"][name] for name in NAMES
    ]
    split = [f"Servicios/{CHOICES['es'][('services', service)]}" for service in SERVICES]
    place = ["_Lugar_latitude", "_Lugar_longitude", "_Lugar_altitude", "_Lugar_precision"]
    rows = [
        [*in_labels(person, "es"), *kobo_split(person)[1:], *kobo_place(person)[1:]]
        for person in (ROSA, JEAN)
    ]
    path = write_csv(tmp_path / "a.csv", [[*header, *split, *place], *rows])
    assert answers(FORM, path) == BOTH
    assert reading(FORM, path).ignored_columns == ()


def test_headers_forgive_capitals_accents_and_the_marks_around_a_label(tmp_path: Path) -> None:
    header = [
        f"{LABELS['es'][name].upper()} *" if place % 2 else name.upper() for place, name in enumerate(NAMES)
    ]
    assert answers(FORM, write_csv(tmp_path / "a.csv", [header, *table(ROSA, JEAN)[1:]])) == BOTH


CENTRAL_HEADER = [
    "SubmissionDate", "code", "seen_on", *(f"personal-{name}" for name in GROUPED), "country", "services",
    "services/food", "services/legal", "children", "fee", "consent", "place-Latitude", "place-Longitude",
    "place-Altitude", "place-Accuracy", "story", "age", "SET-OF-member", "meta-instanceID", "meta-instanceName", "KEY",
    "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected", "Status", "ReviewState", "DeviceID",
    "Edits", "FormVersion",
]  # fmt: skip


def central_row(number: int, person: Any, age: str) -> list[Any]:
    chosen = person["services"].split()
    return [
        "2024-03-15T16:10:00.000Z", person["code"], person["seen_on"], *(person[name] for name in GROUPED),
        person["country"], person["services"], int("food" in chosen), int("legal" in chosen), person["children"],
        person["fee"], person["consent"], *(person["place"].split() or [""] * 4), person["story"], age,
        f"uuid:{number}/member", f"uuid:edit-{number}", "", f"uuid:{number}", "12", "ana", "0", "0", "", "", "collect:x",
        "0", "2026112401",
    ]  # fmt: skip


def test_a_zip_of_odk_central_with_repeats_inside_repeats(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "people_person.zip",
        {
            "people_person.csv": [CENTRAL_HEADER, central_row(1, ROSA, "33"), central_row(2, JEAN, "38")],
            "people_person-member.csv": [
                ["member_name", "member_age", "member_services", "PARENT_KEY", "KEY"],
                ["Ana", "3", "food health", "uuid:1", "uuid:1/member[1]"],
                ["Eva", "", "", "uuid:2", "uuid:2/member[1]"],
                ["Leo", "9", "none", "uuid:1", "uuid:1/member[2]"],
            ],
            "people_person-paper.csv": [
                ["paper_kind", "PARENT_KEY", "KEY"],
                ["pasaporte", "uuid:1/member[2]", "uuid:1/member[2]/paper[1]"],
                ["partida", "uuid:1/member[2]", "uuid:1/member[2]/paper[2]"],
            ],
            "media/photo.jpg": [["x"]],
        },
    )
    found = kept(FORM, path)
    ana = {"member_name": "Ana", "member_age": 3, "member_services": ("food", "health"), "paper": ()}
    leo = {"member_name": "Leo", "member_age": 9, "member_services": ("none",)}
    papers = ({"paper_kind": "pasaporte"}, {"paper_kind": "partida"})
    eva = {"member_name": "Eva", "member_age": None, "member_services": None, "paper": ()}
    assert dict(found[0].answers) == ROSA_SAID | {"member": (ana, leo | {"paper": papers})}
    assert dict(found[1].answers) == JEAN_SAID | {"member": (eva,)}
    assert [each.instance for each in found] == ["1", "2"]
    assert reading(FORM, path).ignored_columns == ()


def kobo_workbook(path: Path, *, member_header: list[str] | None = None, sheet: str = "member") -> Path:
    header = ["start", *NAMES, "_id", "_uuid", "_index"]
    return write_workbook(
        path,
        {
            "Registro de personas": [
                header,
                ["2024-03-15T10:00:00", *ROSA.values(), 71, "aaaa-1", 1],
                ["2024-03-15T10:00:00", *JEAN.values(), 72, "aaaa-2", 2],
            ],
            sheet: [
                [
                    *(member_header or ["member_name", "member_age", "member_services"]),
                    "_index",
                    "_parent_table_name",
                    "_parent_index",
                    "_submission__id",
                    "_submission__uuid",
                    "_submission__submission_time",
                ],
                ["Ana", 3, "food health", 1, "Registro de personas", 1, 71, "aaaa-1", "2024-03-15T16:10:00"],
                ["Leo", 9, None, 2, "Registro de personas", 1, 71, "aaaa-1", "2024-03-15T16:10:00"],
            ],
            "paper": [
                ["paper_kind", "_index", "_parent_table_name", "_parent_index"],
                ["pasaporte", 1, sheet, 2],
            ],
        },
    )


MEMBERS = (
    {"member_name": "Ana", "member_age": 3, "member_services": ("food", "health"), "paper": ()},
    {"member_name": "Leo", "member_age": 9, "member_services": None, "paper": ({"paper_kind": "pasaporte"},)},
)


def test_a_workbook_of_kobotoolbox_with_sheets_of_repeats(tmp_path: Path) -> None:
    found = kept(FORM, kobo_workbook(tmp_path / "kobo.xlsx"))
    assert [dict(each.answers) for each in found] == [ROSA_SAID | {"member": MEMBERS}, JEAN_SAID]
    assert [each.instance for each in found] == ["aaaa-1", "aaaa-2"]


@pytest.mark.parametrize(
    "header",
    [
        ["member/member_name", "member/member_age", "member/member_services"],
        ["Nombre del familiar", "Edad del familiar", "Servicios del familiar"],
        ["Familiar/Nombre del familiar", "Familiar/Edad del familiar", "Familiar/Servicios del familiar"],
    ],
)
@pytest.mark.parametrize("sheet", ["member", "Familiar"])
def test_sheets_of_repeats_are_found_by_name_or_by_their_columns(
    tmp_path: Path, header: list[str], sheet: str
) -> None:
    path = kobo_workbook(tmp_path / "kobo.xlsx", member_header=header, sheet=sheet)
    assert kept(FORM, path)[0].answers["member"] == MEMBERS


def test_repeats_laid_out_flat(tmp_path: Path) -> None:
    flat = [
        "member[1]/member_name", "member[1]/member_age", "member[1]/member_services/food",
        "member[1]/member_services/health", "member[2]/member_name", "member[2]/Edad del familiar",
        "member[2]/paper[1]/paper_kind", "member[3]/member_name",
    ]  # fmt: skip
    rows = [
        [*ROSA.values(), "Ana", "3", "1", "1", "Leo", "9", "pasaporte", ""],
        [*JEAN.values(), "", "", "", "", "", "", "", ""],
    ]
    found = kept(FORM, write_csv(tmp_path / "a.csv", [[*NAMES, *flat], *rows]))
    assert [dict(each.answers) for each in found] == [ROSA_SAID | {"member": MEMBERS}, JEAN_SAID]


def test_cells_of_a_workbook_are_dates_and_numbers(tmp_path: Path) -> None:
    typed = dict(ROSA) | {
        "seen_on": date(2024, 3, 15), "born_on": datetime(1990, 5, 1), "children": 2.0, "fee": 12.5, "consent": True
    }  # fmt: skip
    found = answers(FORM, write_workbook(tmp_path / "a.xlsx", {"Hoja1": table(typed)}))
    assert found == [ROSA_SAID]


def test_what_stands_for_no_answer_is_none(tmp_path: Path) -> None:
    blank = dict(JEAN) | {"born_on": "n/a", "children": "N/A", "fee": " ", "services": "n/a", "story": "n/a"}
    found = answers(FORM, write_csv(tmp_path / "a.csv", table(blank)))
    assert found == [JEAN_SAID | {"born_on": None, "children": None, "age": None}]


def test_a_calculation_is_made_where_its_column_is_absent_and_taken_where_it_is_there(tmp_path: Path) -> None:
    assert answers(FORM, write_csv(tmp_path / "a.csv", table(ROSA)))[0]["age"] == 33
    assert answers(FORM, write_csv(tmp_path / "a.csv", table({**ROSA, "age": "34"})))[0]["age"] == 34


def test_unknown_columns_are_reported_once_and_passed_over(tmp_path: Path) -> None:
    rows = table({**ROSA, "correo": "x@y.z", "_note": "1"}, {**JEAN, "correo": "", "_note": ""})
    path = write_csv(tmp_path / "a.csv", rows)
    assert answers(FORM, path) == BOTH
    found = reading(FORM, path)
    assert found.ignored_columns == ("correo", "_note")
    assert [(problem.code, problem.facts["columns"]) for problem in found.warnings] == [
        ("collect.header.unknown", "correo, _note")
    ]


def test_missing_required_columns_are_refused_at_once_with_their_names(tmp_path: Path) -> None:
    rows = table({name: ROSA[name] for name in NAMES if name not in ("sex", "country", "story")})
    with pytest.raises(Refused) as error:
        reading(FORM, write_csv(tmp_path / "a.csv", rows))
    assert [(problem.code, problem.column, problem.row) for problem in error.value.problems] == [
        ("collect.header.required", "sex", 1),
        ("collect.header.required", "country", 1),
    ]


def test_a_file_of_another_form_is_refused_and_none_of_its_first_row_is_repeated(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        reading(FORM, write_csv(tmp_path / "a.csv", [["Rosa Pérez", "1990-05-01"], ["Ana", "1991-05-01"]]))
    assert refused(error.value) == ["collect.header.not_this_form"]
    assert "Rosa" not in repr(error.value.problems)


def test_a_header_that_could_be_two_questions_is_refused_with_both(tmp_path: Path) -> None:
    form = form_of(PEOPLE.replace("Código de la persona", "Nombre"))
    header = ["Nombre" if name == "name" else name for name in NAMES]
    with pytest.raises(Refused) as error:
        reading(form, write_csv(tmp_path / "a.csv", [header, list(ROSA.values())]))
    (problem,) = error.value.problems
    assert problem.code == "collect.header.unclear"
    assert problem.column == "Nombre"
    assert problem.facts["questions"] == "code, name"


def test_a_name_is_never_unclear_even_if_it_is_also_a_label(tmp_path: Path) -> None:
    form = form_of(PEOPLE.replace("Código de la persona", "name"))
    assert kept(form, write_csv(tmp_path / "a.csv", table(ROSA)))[0].answers["name"] == ROSA["name"]


def test_two_columns_for_one_question_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        reading(FORM, write_csv(tmp_path / "a.csv", [[*NAMES, "Nombre"], [*ROSA.values(), "Otra"]]))
    (problem,) = error.value.problems
    assert (problem.code, problem.column, problem.facts["first"]) == (
        "collect.header.twice",
        "Nombre",
        "name",
    )


def test_every_known_metadata_column_is_passed_over_without_a_word(tmp_path: Path) -> None:
    extra = sorted(METADATA)
    found = reading(
        FORM, write_csv(tmp_path / "a.csv", [[*NAMES, *extra], [*ROSA.values(), *("" for _ in extra)]])
    )
    assert found.ignored_columns == ()
    assert found.warnings == ()


def test_a_sheet_of_an_unknown_repeat_is_refused(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "a.xlsx",
        {
            "main": [[*NAMES, "_index"], [*ROSA.values(), 1]],
            "cars": [["plate", "_parent_index"], ["P-123", 1]],
        },
    )
    with pytest.raises(Refused) as error:
        reading(FORM, path)
    assert refused(error.value) == ["collect.header.repeat_unknown"]


def test_the_form_of_a_file_is_found_by_its_columns(tmp_path: Path) -> None:
    visits = form_of(
        """
        | survey |
        |  | type | name    | label::Español (es) | sensitivity | required |
        |  | text | code    | Código              | plain       | yes      |
        |  | date | seen_on | Fecha               | plain       | yes      |
        |  | text | reason  | Motivo              | sensitive   |          |
        | settings |
        |  | form_id      | version |
        |  | people_visit | 1       |
        """,
        name="visit",
        country=None,
    )
    both = (FORM, visits)
    full = open_sheet(write_csv(tmp_path / "a.csv", table(ROSA)))
    visit = open_sheet(
        write_csv(tmp_path / "b.csv", [["code", "seen_on", "reason"], ["GT-001", "2024-03-15", "x"]])
    )
    other = open_sheet(write_csv(tmp_path / "c.csv", [["x", "y"], ["1", "2"]]))
    assert form_for(both, full) is FORM
    assert form_for(both, visit) is visits
    assert form_for(both, other) is None
    assert form_for((visits, visits), visit) is None


def test_a_reading_may_be_read_twice(tmp_path: Path) -> None:
    found = reading(FORM, write_csv(tmp_path / "a.csv", table(ROSA, JEAN)))
    assert list(found) == list(found)


@pytest.mark.parametrize(
    ("days", "swapped"),
    [
        (["03/04/2024", "03/15/2024"], True),
        (["03/15/2024", "03/04/2024"], True),
        (["03/04/2024", "03/15/2024", "15/03/2024"], False),
        (["03/15/2024", "2024-03-15"], False),
        (["03/03/2024", "03/15/2024"], False),
        (["03/04/2024", "15/03/2024"], False),
    ],
)
def test_a_column_with_the_month_first_refuses_the_whole_file(
    tmp_path: Path, days: list[str], swapped: bool
) -> None:
    rows = table(*({**ROSA, "seen_on": day} for day in days))
    found = reading(FORM, write_csv(tmp_path / "a.csv", rows))
    if not swapped:
        assert len(list(found)) == len(days)
        return
    for _ in range(2):
        with pytest.raises(Refused) as error:
            list(found)
        assert refused(error.value) == ["collect.header.month_first"]
        assert error.value.problems[0].column == "seen_on"
