"""A form that is wrong is refused with every fault, its place and its cure; never with a stack trace."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resguardo.plan.languages import explain_all
from resguardo.plan.workbook import LARGEST_FORM, LARGEST_UNPACKED_FORM
from resguardo.plan.xlsform import check_xform, read_form
from resguardo.values import Problem, Refused

SOUND = """
| survey |
|        | type              | name | label     | required | constraint | relevant | sensitivity |
|        | text              | who  | Who       | yes      |            |          | identifier  |
|        | select_one yes_no | sure | Sure?     |          |            |          | plain       |
|        | integer           | age  | How old   |          | . < 130    |          | quasi       |

| choices |
|         | list_name | name | label |
|         | yes_no    | yes  | Yes   |
|         | yes_no    | no   | No    |

| settings |
|          | form_id | version |
|          | sound   | 1       |
"""


def refused(text: str | bytes) -> tuple[Problem, ...]:
    octets = text.encode() if isinstance(text, str) else text
    with pytest.raises(Refused) as caught:
        check_xform(read_form(octets, name="form", file_label="form.md"))
    for language in ("es", "en", "fr"):
        for sentence in explain_all(caught.value, language):
            assert sentence.startswith("form.md")
            assert "Traceback" not in sentence
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new, 1)


def only(text: str | bytes) -> Problem:
    problems = refused(text)
    assert len(problems) == 1, problems
    return problems[0]


def place(problem: Problem) -> tuple[str, str | None, int | None, str | None]:
    return problem.code.rpartition(".")[2], problem.sheet, problem.row, problem.column


def test_the_sound_form_is_read() -> None:
    check_xform(read_form(SOUND.encode(), name="form"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("identifier  |", "            |", ("sensitivity_missing", "survey", 2, "sensitivity")),
        ("identifier  |", "secret      |", ("sensitivity_unknown", "survey", 2, "sensitivity")),
        ("identifier  |", "Identifier  |", ("sensitivity_misspelt", "survey", 2, "sensitivity")),
        ("| sure |", "| who |", ("name_twice", "survey", 3, "name")),
        ("| sure |", "| 1sure |", ("name", "survey", 3, "name")),
        ("| sure |", "| año |", ("name", "survey", 3, "name")),
        ("| sure |", "| |", ("no_name", "survey", 3, "name")),
        ("| sure |", "| meta |", ("name_reserved", "survey", 3, "name")),
        ("select_one yes_no", "select_one colour", ("list_missing", "survey", 3, "type")),
        ("select_one yes_no", "select_one yesno", ("list_misspelt", "survey", 3, "type")),
        ("select_one yes_no", "select_one", ("list_unnamed", "survey", 3, "type")),
        ("select_one yes_no", "select_one yes_no or_other", ("or_other", "survey", 3, "type")),
        ("select_one yes_no", "select_one yes_no sure", ("list_words", "survey", 3, "type")),
        ("select_one yes_no", "select_one_from_file a.csv", ("list_outside", "survey", 3, "type")),
        ("| integer  ", "| intger  ", ("type_misspelt", "survey", 4, "type")),
        ("| integer  ", "| geoshape ", ("type", "survey", 4, "type")),
        ("| integer  ", "| deviceid ", ("spying", "survey", 4, "type")),
        ("| integer  ", "| background-audio ", ("spying", "survey", 4, "type")),
        ("| integer  ", "| ", ("no_type", "survey", 4, "type")),
        ("| integer  ", "| calculate ", ("no_calculation", "survey", 4, "calculation")),
        ("How old", "", ("unlabelled", "survey", 4, "label")),
        (". < 130", "${old} > 1", ("reference", "survey", 4, "constraint")),
        (". < 130", ". < ${agee}", ("reference_misspelt", "survey", 4, "constraint")),
        ("How old", "Is ${it} so", ("reference", "survey", 4, "label")),
        (". < 130", ". < (130", ("unbalanced", "survey", 4, "constraint")),
        (". < 130", ". != 'x", ("unbalanced", "survey", 4, "constraint")),
        ("How old", "How | old", ("bar", "survey", 4, None)),
        ("| no   | No ", "| yes  | No ", ("choice_twice", "choices", 3, "name")),
        ("| no   | No ", "| n o  | No ", ("choice_code", "choices", 3, "name")),
        ("| no   | No ", "|      | No ", ("choice_incomplete", "choices", 3, "name")),
        ("| no   | No ", "| no   | ", ("choice_unlabelled", "choices", 3, "label")),
        ("| list_name ", "| lists ", ("column_missing", "choices", 1, "list_name")),
        ("| sensitivity |", "| |", ("sensitivity_column", "survey", 1, "sensitivity")),
        ("| sensitivity |", "| sensitivty |", ("column_misspelt", "survey", 1, "sensitivty")),
        ("| relevant |", "| relevnat |", ("column_misspelt", "survey", 1, "relevnat")),
        ("| relevant |", "| label |", ("column_twice", "survey", 1, "label")),
        ("| survey |", "| questions |", ("no_survey", None, None, None)),
        ("| settings |", "| choices |", ("sheet_twice", "choices", None, None)),
    ],
)
def test_a_fault_is_named_with_sheet_row_and_column(
    old: str, new: str, expected: tuple[str, str | None, int | None, str | None]
) -> None:
    assert place(only(changed(old, new))) == expected


def test_a_fault_in_markdown_also_says_the_line_of_the_file() -> None:
    text = changed("identifier  |", "|")
    problem = only(text)
    assert text.splitlines()[int(problem.facts["line"]) - 1].split("|")[3].strip() == "who"


def test_all_faults_are_said_at_once_and_those_that_explain_others_first() -> None:
    text = SOUND.replace("identifier", "", 1).replace("| sure |", "| who |").replace("How old", "How | old")
    assert [problem.code.rpartition(".")[2] for problem in refused(text)] == [
        "bar",
        "name_twice",
        "sensitivity_missing",
    ]


def test_a_repeated_choice_is_offered_the_setting_that_allows_it() -> None:
    problem = only(changed("| no   | No ", "| yes  | No "))
    assert problem.facts["first"] == "2"
    with pytest.raises(Refused) as caught:
        read_form(changed("| no   | No ", "| yes  | No ").encode(), name="form")
    assert "allow_choice_duplicates" in explain_all(caught.value, "es")[0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("|        | begin_group | g | G | | | | |", ("group_open", 5)),
        ("|        | end_repeat | | | | | | |", ("group_never_begun", 5)),
        (
            "|        | begin_group | g | G | | | | |\n|        | begin_repeat | r | R | | | | |\n"
            "|        | end_group | | | | | | |\n|        | end_group | | | | | | |",
            ("group_crossed", 7),
        ),
    ],
)
def test_a_group_that_does_not_close_is_named_with_its_row(rows: str, expected: tuple[str, int]) -> None:
    problem = refused(changed("\n\n| choices |", f"\n{rows}\n\n| choices |"))[0]
    assert (problem.code.rpartition(".")[2], problem.row) == expected


def test_a_form_that_stores_no_answer_is_refused() -> None:
    text = "| survey |\n| | type | name | label | sensitivity |\n| | note | n | Hello | |"
    assert only(text).code == "plan.form.no_questions"


def test_what_only_the_converter_refuses_is_said_with_its_row() -> None:
    text = SOUND.replace("| relevant |", "| save_to  |").replace("|          | quasi ", "| age      | quasi ")
    problem = only(text)
    assert place(problem) == ("converter", "survey", 4, None)
    assert "entities" in problem.facts["detail"]


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"


def archive(**files: str) -> bytes:
    octets = BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in files.items():
            written.writestr(name, text)
    return octets.getvalue()


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (PNG, "not_a_form"),
        (archive(**{"readme.txt": "hello"}), "not_a_form"),
        (archive(**{"[Content_Types].xml": "<Types/>"}), "not_a_form"),
        (b"PK\x03\x04 and then nonsense", "not_a_form"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\x00\x00\n", "not_a_form"),
        (b"Dear all,\nplease find the form attached.\n", "not_a_form"),
        (b'{"type": "text"}', "not_a_form"),
        (SOUND.replace("Who", "Quién").encode("latin-1"), "encoding"),
        (SOUND.encode("utf-16"), "encoding"),
        (b"| survey |\n" + b"x" * LARGEST_FORM, "too_large"),
    ],
)
def test_a_file_that_is_not_a_form_is_refused(octets: bytes, code: str) -> None:
    assert only(octets).code == f"plan.file.{code}"


@pytest.mark.parametrize(
    ("name", "octets", "code"),
    [
        ("form.txt", SOUND.encode(), "kind"),
        ("form.xls", b"\xd0\xcf\x11\xe0 old", "kind"),
        ("form.xlsx", SOUND.encode(), "not_a_form"),
        ("form.xlsx", PNG, "not_a_form"),
        ("form.md", archive(a="b"), "not_a_form"),
        ("form.md", PNG, "not_a_form"),
    ],
)
def test_a_file_of_another_kind_is_refused_whatever_its_name(
    tmp_path: Path, name: str, octets: bytes, code: str
) -> None:
    (tmp_path / name).write_bytes(octets)
    with pytest.raises(Refused) as caught:
        read_form(tmp_path / name, name="form")
    assert [problem.code for problem in caught.value.problems] == [f"plan.file.{code}"]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.md", "missing"), (tmp_path, "folder")):
        with pytest.raises(Refused) as caught:
            read_form(path, name="form")
        assert caught.value.problems[0].code == f"plan.file.{code}"


def test_a_small_workbook_that_unfolds_to_an_enormous_one_is_refused() -> None:
    bomb = archive(**{"[Content_Types].xml": "0" * (LARGEST_UNPACKED_FORM + 1)})
    assert len(bomb) < LARGEST_FORM
    assert only(bomb).code == "plan.file.too_large"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_end_in_anything_but_a_form_or_a_refusal(octets: bytes) -> None:
    try:
        said = (read_form(octets, name="any").file,)
    except Refused as refusal:
        said = explain_all(refusal, "es")
    assert all(said)


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, len(SOUND) - 1), st.sampled_from(["|", "\\", "${", "#", "'", "(", "\n", "\x85", " ", "é"])
)
def test_a_slip_of_the_pen_anywhere_ends_in_a_form_or_a_refusal(place: int, slip: str) -> None:
    try:
        check_xform(read_form((SOUND[:place] + slip + SOUND[place:]).encode(), name="any"))
        said: tuple[str, ...] = ("it is a form",)
    except Refused as refusal:
        said = explain_all(refusal, "en")
    assert all(said)


def test_a_loop_is_refused_once_for_its_beginning_and_once_for_its_end() -> None:
    rows = "|        | begin loop over yes_no | l | L | | | | |\n|        | end loop | | | | | | |"
    problems = refused(changed("\n\n| choices |", f"\n{rows}\n\n| choices |"))
    assert [place(problem) for problem in problems] == [
        ("type", "survey", 5, "type"),
        ("type", "survey", 6, "type"),
    ]


def test_a_workbook_whose_sheets_have_other_names_is_told_which_it_has() -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["type", "name"])
    octets = BytesIO()
    book.save(octets)
    problem = only(octets.getvalue())
    assert (problem.code, problem.facts["found"]) == ("plan.form.no_survey", "Sheet")
