"""A sheet of questions becomes fields, lists and an XForm, the same from Markdown and from a workbook."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from resguardo.plan.xlsform import XFORMS_NAMESPACE, FormText, language_of, read_form, references
from resguardo.values import Refused, Sensitivity

FORM = """
Text around the tables is not part of the form.

| survey |
|        | type                     | name      | label::Español (es) | label::English (en) | hint::English (en) | required | relevant      | constraint                        | constraint_message::English (en) | calculation | choice_filter       | sensitivity |
|        | start                    | start     |                     |                     |                    |          |               |                                   |                                  |             |                     |             |
|        | note                     | hello     | Hola                | Hello               |                    |          |               |                                   |                                  |             |                     |             |
|        | begin_group              | person    | Persona             | Person              |                    |          | ${age} != 3   |                                   |                                  |             |                     |             |
|        | text                     | full_name | Nombre              | Name                | As on paper        | yes      |               |                                   |                                  |             |                     | identifier  |
|        | integer                  | age       | Edad                | Age                 |                    | TRUE     |               | . >= 0 and . < 130 \\| . = 999     | Between 0 and 130                |             |                     | quasi       |
|        | end_group                |           |                     |                     |                    |          |               |                                   |                                  |             |                     |             |
|        | begin_repeat             | child     | Niño                | Child               |                    |          |               |                                   |                                  |             |                     |             |
|        | begin_repeat             | school    | Escuela             | School              |                    |          |               |                                   |                                  |             |                     |             |
|        | select_one yes_no        | enrolled  | ¿Inscrito?          | Enrolled?           |                    |          |               |                                   |                                  |             |                     | plain       |
|        | end_repeat               |           |                     |                     |                    |          |               |                                   |                                  |             |                     |             |
|        | end_repeat               |           |                     |                     |                    |          |               |                                   |                                  |             |                     |             |
|        | select_multiple place    | places    | Lugares             | Places              |                    | ${age}>9 |               |                                   |                                  |             | country = 'GT'      | sensitive   |
|        | calculate                | double    |                     |                     |                    |          |               |                                   |                                  | ${age} * 2  |                     | quasi       |

| choices |
|         | list_name | name | label::Español (es) | label::English (en) | country |
|         | yes_no    | yes  | Sí                  | Yes                 |         |
|         | yes_no    | no   | No                  | No                  |         |
|         | place     | gt1  | Uno                 | One                 | GT      |
|         | place     | hn1  | Dos                 | Two                 | HN      |

| settings |
|          | form_id | version    | default_language |
|          | try_it  | 2026112401 | Español (es)     |
"""  # noqa: E501


@pytest.fixture
def form() -> FormText:
    return read_form(FORM.encode(), name="try_it", file_label="try_it.md")


def test_every_question_that_stores_an_answer_is_a_field_with_its_sensitivity(form: FormText) -> None:
    assert [(field.name, field.kind, field.sensitivity.value) for field in form.fields] == [
        ("full_name", "text", "identifier"),
        ("age", "integer", "quasi"),
        ("enrolled", "select_one", "plain"),
        ("places", "select_multiple", "sensitive"),
        ("double", "calculate", "quasi"),
    ]


def test_a_field_knows_its_row_path_labels_and_rules(form: FormText) -> None:
    name, age, enrolled, places, double = form.fields
    assert (name.row, name.path, name.label["en"], name.hint, name.required) == (
        5,
        ("person",),
        "Name",
        {"en": "As on paper"},
        True,
    )
    assert age.required
    assert age.constraint == ". >= 0 and . < 130 | . = 999"
    assert age.constraint_message == {"en": "Between 0 and 130"}
    assert age.conditional
    assert age.relevant is None
    assert (enrolled.path, enrolled.repeat, enrolled.list_name) == (("child", "school"), "school", "yes_no")
    assert (places.required, places.required_when, places.choice_filter) == (
        False,
        "${age}>9",
        "country = 'GT'",
    )
    assert double.calculation == "${age} * 2"


def test_lists_repeats_groups_and_settings_are_there(form: FormText) -> None:
    assert [choice.name for choice in form.choices["place"]] == ["gt1", "hn1"]
    assert form.choices["place"][1].columns["country"] == "HN"
    assert form.choices["yes_no"][0].label == {"es": "Sí", "en": "Yes"}
    assert dict(form.repeats) == {"child": ("child",), "school": ("child", "school")}
    assert dict(form.groups) == {"person": "${age} != 3", "child": None, "child/school": None}
    assert form.settings["version"] == "2026112401"


def sensitivities_in(xform: str) -> dict[str, str]:
    root = ElementTree.fromstring(xform)
    return {
        bind.get("nodeset", "").rpartition("/")[2]: bind.get(f"{{{XFORMS_NAMESPACE}}}sensitivity")
        for bind in root.iter("{http://www.w3.org/2002/xforms}bind")
        if bind.get(f"{{{XFORMS_NAMESPACE}}}sensitivity")
    }


def test_the_xform_carries_the_sensitivity_of_every_field_and_of_nothing_else(form: FormText) -> None:
    assert sensitivities_in(form.xform) == {field.name: field.sensitivity.value for field in form.fields}
    root = ElementTree.fromstring(form.xform)
    data = next(node for node in root.iter() if node.get("id") == "try_it")
    assert data.get("version") == "2026112401"


def workbook_of(text: str) -> bytes:
    """The Markdown tables as an XLSX file."""
    book = Workbook()
    book.remove(book.active)
    sheet = None
    for line in text.splitlines():
        if not line.startswith("|"):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in line.replace("\\|", "\0").split("|")[1:-1]]
        cells = [cell.replace("\0", "|") for cell in cells]
        if cells[0]:
            sheet = book.create_sheet(cells[0])
        elif sheet is not None:
            sheet.append([cell or None for cell in cells[1:]])
    octets = BytesIO()
    book.save(octets)
    return octets.getvalue()


def test_a_workbook_gives_the_same_form_as_markdown(form: FormText, tmp_path: Path) -> None:
    octets = workbook_of(FORM)
    from_bytes = read_form(octets, name="try_it")
    path = tmp_path / "try_it.xlsx"
    path.write_bytes(octets)
    from_file = read_form(path, name="try_it")
    for other in (from_bytes, from_file):
        assert other.fields == form.fields
        assert other.choices == form.choices
        assert other.xform == form.xform


def test_a_workbook_keeps_the_row_numbers_of_the_sheet_across_empty_rows(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.title = "Survey"
    sheet.append(["type", "name", "label", "sensitivity", "required"])
    sheet.append([])
    sheet.append(["integer", "age", "Age", "quasi", True])
    octets = BytesIO()
    book.save(octets)
    form = read_form(octets.getvalue(), name="age")
    assert (form.fields[0].row, form.fields[0].required) == (3, True)
    assert sensitivities_in(form.xform) == {"age": "quasi"}


def test_old_spellings_of_columns_and_types_are_understood() -> None:
    form = read_form(
        b"""
| survey |
| | Type | Name | Label | Sensitivity | relevance | calculate |
| | select one from colour | c | Colour | plain | | |
| | string | s | Text | quasi | ${c} = '1' | |
| | photo | p | Photo | identifier | | |
| | calculate | k | | plain | | 1 |
| choices |
| | list name | value | label |
| | colour | 1 | Red |
""",
        name="old",
    )
    assert [(field.name, field.kind) for field in form.fields] == [
        ("c", "select_one"),
        ("s", "text"),
        ("p", "file"),
        ("k", "calculate"),
    ]
    assert form.fields[1].relevant == "${c} = '1'"
    assert form.fields[0].label == {"es": "Colour"}
    assert sensitivities_in(form.xform).keys() == {"c", "s", "p", "k"}


def test_choices_may_repeat_where_the_settings_allow_it() -> None:
    text = """
| survey |
| | type | name | label | sensitivity | choice_filter |
| | select_one town | town | Town | quasi | c = 'GT' |
| choices |
| | list_name | name | label | c |
| | town | 1 | A | GT |
| | town | 1 | B | HN |
| settings |
| | form_id | allow_choice_duplicates |
| | t | yes |
"""
    assert len(read_form(text.encode(), name="t").choices["town"]) == 2
    with pytest.raises(Refused):
        read_form(text.replace("| yes |", "| no |").encode(), name="t")


def test_two_groups_may_hold_a_group_of_the_same_name() -> None:
    form = read_form(
        b"""
| survey |
| | type | name | label | sensitivity |
| | begin group | a | A | |
| | begin group | inner | I | |
| | text | x | X | plain |
| | end group | | | |
| | end group | | | |
| | begin group | b | B | |
| | begin group | inner | I | |
| | text | y | Y | plain |
| | end group | | | |
| | end group | | | |
""",
        name="g",
    )
    assert [field.path for field in form.fields] == [("a", "inner"), ("b", "inner")]
    assert form.xform


def test_a_language_is_known_by_its_tag_or_its_name() -> None:
    assert [language_of(name) for name in ("Kreyòl (ht)", "Français", "es", "Arabic (ar)")] == [
        "ht",
        "fr",
        "es",
        "ar",
    ]


def test_references_are_found_in_order() -> None:
    assert references("${a} + ${ b } + ${last-saved#c}") == ("a", "b", "c")


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\\$"),
    min_size=1,
    max_size=12,
)
"""Labels of any script, with bars, angle brackets and ampersands; without line ends."""

ROWS = st.lists(
    st.tuples(
        st.sampled_from(
            ["text", "integer", "decimal", "date", "time", "geopoint", "image", "select_one yes_no"]
        ),
        st.sampled_from(list(Sensitivity)),
        WORDS,
        WORDS,
        st.sampled_from(["", "group", "repeat"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_the_xform_of_any_form_that_loads_is_xml_with_every_sensitivity(rows: list[tuple[str, ...]]) -> None:
    lines = ["| survey |", "| | type | name | label::Español (es) | label::English (en) | sensitivity |"]
    wanted = {}
    for number, (kind, sensitivity, spanish, english, around) in enumerate(rows):
        spanish, english = spanish.replace("|", "\\|"), english.replace("|", "\\|")
        if around:
            lines.append(f"| | begin_{around} | around_{number} | {spanish} | {english} | |")
        lines.append(f"| | {kind} | q{number} | {spanish} | {english} | {Sensitivity(sensitivity).value} |")
        wanted[f"q{number}"] = Sensitivity(sensitivity).value
        if around:
            lines.append(f"| | end_{around} | | | | |")
    lines += ["| choices |", "| | list_name | name | label |", "| | yes_no | yes | Sí |"]
    form = read_form("\n".join(lines).encode(), name="any")
    assert {field.name: field.sensitivity.value for field in form.fields} == wanted
    assert sensitivities_in(form.xform) == wanted


def test_a_range_is_whole_unless_its_steps_are_not() -> None:
    text = (
        "| survey |\n| | type | name | label | parameters | sensitivity |\n| | range | r | R | {} | plain |"
    )
    kinds = [
        read_form(text.format(steps).encode(), name="r").fields[0].kind
        for steps in ("start=0 end=10 step=1", "start=0 end=1 step=0.1")
    ]
    assert kinds == ["integer", "decimal"]


def test_of_two_spellings_of_the_form_id_the_new_one_counts() -> None:
    text = "| survey |\n| | type | name | label | sensitivity |\n| | text | a | A | plain |\n"
    form = read_form((text + "| settings |\n| | id_string | form_id |\n| | old | new |\n").encode(), name="x")
    assert form.settings["form_id"] == "new"
    assert 'id="new"' in form.xform


def test_a_picture_or_a_hint_may_stand_for_a_label() -> None:
    form = read_form(
        b"""
| survey |
| | type | name | label | hint | media::image | sensitivity |
| | select_one face | mood | | | faces.png | sensitive |
| | text | why | | In your words | | sensitive |
| choices |
| | list_name | name | label | media::image |
| | face | glad | | glad.png |
""",
        name="mood",
    )
    assert [dict(field.label) for field in form.fields] == [{}, {}]
    assert "jr://images/glad.png" in form.xform
