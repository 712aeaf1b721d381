"""A file is opened as rows, whatever program wrote it; a broken row is refused alone."""

from __future__ import annotations

import csv
import io
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from tests.rules.collect.sheets import csv_text, refused, write_csv, write_workbook, write_zip

from resguardo.collect import sheet as sheet_rules
from resguardo.collect.sheet import Row, Sheet, guarded, open_sheet, unguarded
from resguardo.values import Refused


def opened(tmp_path: Path, octets: bytes | str, **options: str) -> Sheet:
    path = tmp_path / "answers.csv"
    path.write_bytes(octets.encode() if isinstance(octets, str) else octets)
    return open_sheet(path, **options)


def sound(sheet: Sheet) -> list[tuple[int, tuple[object, ...]]]:
    return [(row.number, row.values) for row in sheet.rows if not row.problems]


def broken(sheet: Sheet) -> list[tuple[int, str]]:
    return [(row.number, row.problems[0].code) for row in sheet.rows if row.problems]


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_marked_encoding_are_found(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [["name", "note"], ["Ñandú Åse", f"one{delimiter}two"], ["김민준", "line\nbreak"]]
    sheet = open_sheet(write_csv(tmp_path / "a.csv", rows, delimiter=delimiter, encoding=encoding))
    assert sheet.header == ("name", "note")
    assert sound(sheet) == [(2, ("Ñandú Åse", f"one{delimiter}two")), (3, ("김민준", "line\nbreak"))]


def test_the_line_with_which_excel_names_the_delimiter_is_obeyed(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "sep=;\r\na,b;c\r\n1,2;3\r\n")
    assert sheet.header == ("a,b", "c")
    assert sound(sheet) == [(3, ("1,2", "3"))]


def test_commas_inside_labels_do_not_make_the_delimiter(tmp_path: Path) -> None:
    sheet = opened(tmp_path, '"¿Nombre, apellido, apodo?";"Edad"\n"Ana, la de Ocotepeque";"3"\n')
    assert sheet.header == ("¿Nombre, apellido, apodo?", "Edad")


def test_rows_may_be_read_again(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "a,b\n1,2\n")
    assert sound(sheet) == sound(sheet) == [(2, ("1", "2"))]


def test_blank_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "\n,,\na,b\n\n1,2\n , \n3,4\n\n")
    assert sound(sheet) == [(5, ("1", "2")), (7, ("3", "4"))]


def test_missing_cells_at_the_end_are_blank(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "a,b,c\n1\n1,2\n1,2,3,,\n")
    assert [values for _, values in sound(sheet)] == [("1", "", ""), ("1", "2", ""), ("1", "2", "3")]


def test_a_last_row_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "a,b,c\n1,2,3\n4,5")
    assert sound(sheet) == [(2, ("1", "2", "3"))]
    assert broken(sheet) == [(3, "collect.broken.cut_off")]


def test_a_last_row_without_a_line_end_is_whole_if_it_has_all_cells(tmp_path: Path) -> None:
    assert sound(opened(tmp_path, "a,b\n1,2"))[0] == (2, ("1", "2"))


def test_a_row_with_too_many_cells_is_refused_alone(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "a,b\n1,2\n1,2,3\n4,5\n")
    assert sound(sheet) == [(2, ("1", "2")), (4, ("4", "5"))]
    assert broken(sheet) == [(3, "collect.broken.too_many_cells")]
    (row,) = (row for row in sheet.rows if row.problems)
    assert row.values == ("1", "2", "3")
    assert row.problems[0].row == 3
    assert row.problems[0].file == "answers.csv"


@pytest.mark.parametrize("rest", ["plain,text\n" * 3000, '"all","quoted"\n' * 3000, 'some,"quoted"\n' * 3000])
def test_a_quotation_mark_that_never_closes_costs_one_row(tmp_path: Path, rest: str) -> None:
    sheet = opened(tmp_path, 'a,b\nx,y\nbad,"never closed\n' + rest)
    assert broken(sheet) == [(3, "collect.broken.quote")]
    assert len(sound(sheet)) == 3001
    assert sound(sheet)[1][0] == 4


def test_a_quotation_mark_in_the_wrong_place_costs_its_row_with_all_its_lines(tmp_path: Path) -> None:
    sheet = opened(tmp_path, 'a,b,c\n1,"first line\nsecond ""ok"" line" wrong,3\n4,5,6\n')
    assert broken(sheet) == [(2, "collect.broken.quote")]
    assert sound(sheet) == [(3, ("4", "5", "6"))]


def test_a_quotation_mark_inside_an_unquoted_cell_is_a_letter(tmp_path: Path) -> None:
    assert sound(opened(tmp_path, 'a,b\ntubo de 5",x\ny,z\n')) == [(2, ('tubo de 5"', "x")), (3, ("y", "z"))]


def test_null_characters_cost_their_row_alone(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "a,b\n1,x\0y\n2,z\n")
    assert broken(sheet) == [(2, "collect.broken.nul")]
    assert sound(sheet) == [(3, ("2", "z"))]


def test_a_cell_without_end_costs_its_row_alone(tmp_path: Path) -> None:
    sheet = opened(tmp_path, "a,b\n1," + "x" * 200_000 + "\n2,z\n")
    assert broken(sheet) == [(2, "collect.broken.cell_too_long")]
    assert sound(sheet) == [(3, ("2", "z"))]


def test_ten_megabytes_with_a_broken_row_lose_that_row_alone(tmp_path: Path) -> None:
    lines = [f'{number},"Persona {number}, de algún lugar",{"x" * 60}\n' for number in range(100_000)]
    lines[54_321] = '54321,"sin cierre, de algún lugar,xxx\n'
    sheet = opened(tmp_path, "id,name,note\n" + "".join(lines))
    assert broken(sheet) == [(54_323, "collect.broken.quote")]
    rows = sound(sheet)
    assert len(rows) == 99_999
    assert rows[-1][1][0] == "99999"
    assert sheet.total == 100_000


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def most(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        path.write_text("id,note\n" + f"7,{'y' * 100}\n" * count)
        tracemalloc.start()
        for _ in open_sheet(path).rows:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small, large = most(20_000), most(200_000)
    assert large < small + 1_000_000


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
            min_size=3,
            max_size=3,
        ),
        max_size=8,
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_the_csv_module_writes_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(["first", "second", "third"])
    writer.writerows(rows)
    path.write_bytes(written.getvalue().encode("utf-8-sig"))
    wanted = [tuple(row) for row in rows if any(cell.strip() for cell in row)]
    assert [row.values for row in open_sheet(path).rows] == wanted


@given(st.text(max_size=8), st.sampled_from(["", "=", "'=", "'", "@", "+", "-", "''+"]))
def test_a_guarded_text_comes_back_the_same_and_starts_no_formula(text: str, start: str) -> None:
    assert unguarded(guarded(start + text)) == start + text
    assert not guarded("=" + text).startswith("=")


def test_a_table_whose_first_column_begins_like_a_zip_is_a_table(tmp_path: Path) -> None:
    assert opened(tmp_path, "PK,name\n1,Ana\n").header == ("PK", "name")


# Encodings


def test_another_encoding_is_refused_with_its_place_and_its_cure(tmp_path: Path) -> None:
    octets = ("name,country\n" + "Ana,GT\n" * 500 + "Peña,HN\n").encode("cp1252")
    with pytest.raises(Refused) as error:
        opened(tmp_path, octets)
    (problem,) = error.value.problems
    assert problem.code == "collect.file.encoding"
    place = octets.index(b"\xf1") + 1
    assert problem.facts["position"] == str(place)
    assert problem.facts["line"] == "502"
    assert problem.facts["byte"] == "0xF1"
    sheet = opened(tmp_path, octets, encoding=problem.facts["cure"])
    assert sound(sheet)[-1] == (502, ("Peña", "HN"))


def test_the_place_of_a_wrong_byte_is_right_across_chunks(tmp_path: Path) -> None:
    octets = b"a,b\n" + "ñandú,x\n".encode() * 200_000 + b"\xff,x\n"
    with pytest.raises(Refused) as error:
        opened(tmp_path, octets)
    assert error.value.problems[0].facts["position"] == str(octets.index(b"\xff") + 1)
    assert error.value.problems[0].facts["line"] == "200002"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_refused_with_the_cure(tmp_path: Path, encoding: str) -> None:
    octets = "name,note\nJosé,x\n".encode(encoding)
    with pytest.raises(Refused) as error:
        opened(tmp_path, octets)
    assert error.value.problems[0].facts["cure"] == encoding
    assert sound(opened(tmp_path, octets, encoding=encoding)) == [(2, ("José", "x"))]


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "zlib", "unicode_escape", "idna", "", "a\0b"])
def test_an_unknown_or_unfit_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(Refused) as error:
        opened(tmp_path, "a\n1\n", encoding=encoding)
    assert refused(error.value) == ["collect.file.encoding_unknown"]


@pytest.mark.parametrize("encoding", ["latin-1", "Windows-1252", "UTF8", "macroman"])
def test_encodings_are_known_by_their_other_names(tmp_path: Path, encoding: str) -> None:
    assert opened(tmp_path, "a\n1\n", encoding=encoding).header == ("a",)


# Files that are something else


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf  \r\n\r\n", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_workbook"),
        (b"%PDF-1.7\n", "not_a_table"),
        (b"\x89PNG\r\n\x1a\n", "not_a_table"),
        (b"\x1f\x8b\x08rest", "packed_otherwise"),
        (b"<html><table><tr><td>code</td></tr></table></html>", "web_page"),
        (b"\n<!DOCTYPE html>", "web_page"),
        (b"<?xml version='1.0'?><data/>", "web_page"),
        (b"PK\x03\x04 not really a zip", "damaged"),
    ],
)
def test_a_file_that_is_no_table_says_what_it_is(tmp_path: Path, octets: bytes, code: str) -> None:
    with pytest.raises(Refused) as error:
        opened(tmp_path, octets)
    assert refused(error.value) == [f"collect.file.{code}"]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        open_sheet(tmp_path / "none.csv")
    assert refused(error.value) == ["collect.file.missing"]
    with pytest.raises(Refused) as error:
        open_sheet(tmp_path)
    assert refused(error.value) == ["collect.file.unreadable"]


def test_a_csv_has_no_sheets(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        opened(tmp_path, "a\n1\n", sheet="Hoja1")
    assert refused(error.value) == ["collect.file.no_sheets"]


def test_a_header_whose_quotes_never_close_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        opened(tmp_path, '"a,b\n1,2\n')
    assert refused(error.value) == ["collect.file.header_broken"]


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        opened(tmp_path, "a,b\n" + "x" * (sheet_rules.LONGEST_LINE + 10))
    assert refused(error.value) == ["collect.file.line_too_long"]


# Workbooks


def test_a_workbook_gives_dates_numbers_and_texts(tmp_path: Path) -> None:
    rows = [
        ["day", "number", "whole", "text", "yes"],
        [date(2024, 3, 15), 12.5, 7, " José ", True],
        [datetime(2024, 3, 15, 10, 30), None, None, None, None],
        [None, None, None, None, None],
        ["", " ", None, None, None],
    ]
    sheet = open_sheet(write_workbook(tmp_path / "a.xlsx", {"Hoja1": rows}))
    assert sheet.name == "Hoja1"
    assert sound(sheet) == [
        (2, (datetime(2024, 3, 15), 12.5, 7, " José ", "TRUE")),
        (3, (datetime(2024, 3, 15, 10, 30), None, None, None, None)),
    ]


def test_the_named_sheet_is_read_and_an_unknown_one_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"one": [["a"], [1]], "two": [["b"], [2]]})
    assert open_sheet(path).header == ("a",)
    assert open_sheet(path, sheet="two").header == ("b",)
    with pytest.raises(Refused) as error:
        open_sheet(path, sheet="three")
    assert error.value.problems[0].facts["found"] == "one, two"


def test_formulas_are_not_kept_only_the_values_saved_with_them(tmp_path: Path) -> None:
    sheet = open_sheet(write_workbook(tmp_path / "a.xlsx", {"one": [["a", "b"], ["x", "=1+1"]]}))
    assert sound(sheet) == [(2, ("x", None))]
    assert [problem.code for problem in sheet.warnings] == ["collect.file.formulas"]


def test_cells_beyond_the_header_break_a_row_of_a_workbook(tmp_path: Path) -> None:
    rows = [["a", "b"], [1, 2, 3], [4, 5]]
    sheet = open_sheet(write_workbook(tmp_path / "a.xlsx", {"one": rows}))
    assert broken(sheet) == [(2, "collect.broken.too_many_cells")]
    assert sound(sheet) == [(3, (4, 5))]


def test_a_workbook_without_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as error:
        open_sheet(write_workbook(tmp_path / "a.xlsx", {"one": []}))
    assert refused(error.value) == ["collect.file.empty"]


def test_a_cell_far_outside_or_a_row_far_below_costs_neither_memory_nor_time(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    write_workbook(path, {"one": [["a"], ["x"]]})
    changed = _replace_inside(path, "xl/worksheets/sheet1.xml", b'<c r="A2"', b'<c r="ZZZZZZZ2"')
    with pytest.raises(Refused) as error:
        list(open_sheet(changed).rows)
    assert refused(error.value) == ["collect.file.damaged"] or refused(error.value) == ["collect.file.empty"]


def _replace_inside(path: Path, entry: str, old: bytes, new: bytes) -> Path:
    other = path.with_name("changed-" + path.name)
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as written:
        for name in packed.namelist():
            octets = packed.read(name)
            if name == entry:
                assert old in octets
                octets = octets.replace(old, new)
            written.writestr(name, octets)
    return other


_SECOND = b't="inlineStr"><is><t>y</t></is></c>'


def test_a_shared_text_that_is_not_there_is_a_damaged_file(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"one": [["a"], ["x"], ["y"]]})
    changed = _replace_inside(path, "xl/worksheets/sheet1.xml", _SECOND, b't="s"><v>99</v></c>')
    with pytest.raises(Refused) as error:
        list(open_sheet(changed).rows)
    assert refused(error.value) == ["collect.file.damaged"]


def test_entities_that_unfold_into_a_flood_are_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"one": [["a"], ["x"]]})
    bomb = b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet'
    changed = _replace_inside(path, "xl/worksheets/sheet1.xml", b"<worksheet", bomb)
    with pytest.raises(Refused) as error:
        list(open_sheet(changed).rows)
    assert refused(error.value) == ["collect.file.damaged"]


def test_a_zip_that_unpacks_to_a_flood_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"one": [["a"], ["x"]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet2.xml", b" " * (sheet_rules.ALWAYS_UNPACKED + 1))
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert refused(error.value) == ["collect.file.zip_flood"]


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("photo.jpg", b"x")
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert refused(error.value) == ["collect.file.zip_without_tables"]
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", "<x/>")
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert refused(error.value) == ["collect.file.other_workbook"]


def test_a_word_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("[Content_Types].xml", "<x/>")
        packed.writestr("word/document.xml", "<x/>")
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert refused(error.value) == ["collect.file.not_a_table"]


# Repeats in sheets of their own


def test_rows_of_a_repeat_lie_under_the_row_that_they_name(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "kobo.xlsx",
        {
            "Registro de personas": [["code", "_index"], ["GT-001", 1], ["GT-002", 2]],
            "member": [
                ["name", "_index", "_parent_table_name", "_parent_index"],
                ["Ana", 1, "Registro de personas", 1],
                ["Eva", 2, "Registro de personas", 2],
                ["Leo", 3, "Registro de personas", 1],
            ],
            "paper": [
                ["kind", "_index", "_parent_table_name", "_parent_index"],
                ["pasaporte", 1, "member", 3],
            ],
        },
    )
    sheet = open_sheet(path)
    first, second = sheet.rows
    assert [row.values[0] for row in first.parts["member"]] == ["Ana", "Leo"]
    assert [row.values[0] for row in second.parts["member"]] == ["Eva"]
    assert [row.values[0] for row in first.parts["member"][1].parts["paper"]] == ["pasaporte"]
    assert [(part.name, part.most, [inner.name for inner in part.inner]) for part in sheet.parts] == [
        ("member", 2, ["paper"])
    ]


def test_a_row_of_a_repeat_without_its_parent_is_given_out_broken_not_lost(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "central.zip",
        {
            "people.csv": [["code", "KEY"], ["GT-001", "uuid:1"]],
            "people-member.csv": [
                ["name", "PARENT_KEY", "KEY"],
                ["Ana", "uuid:1", "uuid:1/member[1]"],
                ["Eva", "uuid:9", "uuid:9/member[1]"],
                ["Leo", "", ""],
            ],
        },
    )
    rows: list[Row] = list(open_sheet(path).rows)
    assert [row.problems[0].code for row in rows[1:]] == ["collect.broken.orphan"] * 2
    assert [(row.problems[0].sheet, row.problems[0].row) for row in rows[1:]] == [
        ("people-member.csv", 3),
        ("people-member.csv", 4),
    ]


def test_a_zip_with_two_tables_asks_which(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"one.csv": [["a"], [1]], "two.csv": [["b"], [2]]})
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert error.value.problems[0].facts["found"] == "one.csv, two.csv"
    assert open_sheet(path, sheet="two").header == ("b",)


def test_repeats_that_cannot_be_joined_are_refused(tmp_path: Path) -> None:
    path = write_workbook(
        tmp_path / "kobo.xlsx",
        {"main": [["code"], ["GT-001"]], "member": [["name", "_parent_index"], ["Ana", 1]]},
    )
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert refused(error.value) == ["collect.file.no_join"]


def test_an_empty_workbook_made_by_excel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    Workbook().save(path)
    with pytest.raises(Refused) as error:
        open_sheet(path)
    assert refused(error.value) == ["collect.file.empty"]


def test_the_same_table_reads_the_same_as_csv_and_in_a_zip(tmp_path: Path) -> None:
    rows = [["a", "b"], ["1", "x"], ["2", 'said "no"']]
    plain = open_sheet(write_csv(tmp_path / "a.csv", rows))
    packed = open_sheet(write_zip(tmp_path / "a.zip", {"a.csv": rows}))
    assert [row.values for row in plain.rows] == [row.values for row in packed.rows]
    assert csv_text(rows).startswith("a,b")
