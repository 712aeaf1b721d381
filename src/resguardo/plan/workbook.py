"""A form file as sheets of numbered rows, whether it was written as Markdown tables or as a workbook.

The rows keep the number that a spreadsheet shows (the header is row 1) and, in Markdown, the line of the
file, so that whoever must mend a form finds the place.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import ParseError

from resguardo.values import Problem, Refused

LARGEST_FORM = 10 * 1024 * 1024
"""Bytes of the largest form file that is read."""

LARGEST_UNPACKED_FORM = 100 * 1024 * 1024
"""Bytes that a workbook may unfold to; a small file that unfolds to more is an attack, not a form."""

MOST_ROWS = 20_000
"""Rows of one sheet. The largest form of the field that we have seen has 563 questions."""

MOST_COLUMNS = 500

SHEETS = ("survey", "choices", "settings")

_CELL_BORDER = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"^[|\s:-]+$")


@dataclass(frozen=True)
class Row:
    """One row of a sheet: its number, its line in a Markdown file, and its cells that are not empty."""

    number: int
    line: int | None
    cells: Mapping[str, str]
    torn: bool = False
    """A `|` inside a text split this row: what its cells hold cannot be trusted."""


@dataclass(frozen=True)
class FormSheet:
    """A sheet of a form: its column names as written (empty ones as ``""``) and its rows."""

    name: str
    header: tuple[str, ...]
    header_line: int | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Workbook:
    """The sheets of a form by their lower-case name, and the faults of rows that were read all the same."""

    sheets: Mapping[str, FormSheet]
    problems: tuple[Problem, ...] = field(default=())
    names: tuple[str, ...] = field(default=())
    """The names of all its sheets as they are written, also of those that are not part of a form."""


def read_workbook(source: Path | bytes, *, file_label: str) -> Workbook:
    """The sheets of a form file.

    Refuses what is not a form: a file of another kind, an empty one, one in another encoding, one too large.
    """
    if isinstance(source, Path):
        octets, suffix = _octets_of(source, file_label), source.suffix.lower()
    else:
        octets, suffix = source, ""
    if len(octets) > LARGEST_FORM:
        raise Refused(_fault("too_large", file_label, megabytes=str(LARGEST_FORM // (1024 * 1024))))
    if not octets.strip():
        raise Refused(_fault("empty", file_label))
    zipped = octets[:4] == b"PK\x03\x04"
    if suffix not in ("", ".md", ".xlsx"):
        raise Refused(_fault("kind", file_label, suffix=suffix))
    if suffix == ".xlsx" or (suffix == "" and zipped):
        return _workbook_of_xlsx(octets, file_label)
    return _workbook_of_markdown(octets, file_label)


def _octets_of(path: Path, file_label: str) -> bytes:
    try:
        if path.is_dir():
            raise Refused(_fault("folder", file_label))
        if path.stat().st_size > LARGEST_FORM:
            raise Refused(_fault("too_large", file_label, megabytes=str(LARGEST_FORM // (1024 * 1024))))
        return path.read_bytes()
    except FileNotFoundError:
        raise Refused(_fault("missing", file_label)) from None
    except OSError as failure:
        raise Refused(_fault("unreadable", file_label, reason=failure.strerror or "")) from None


def _fault(key: str, file_label: str, **facts: str) -> Problem:
    return Problem(code=f"plan.file.{key}", facts=facts, file=file_label)


# Markdown


def _workbook_of_markdown(octets: bytes, file_label: str) -> Workbook:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        if octets[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" not in octets[:4096]:
            line = octets[: failure.start].count(b"\n") + 1
            raise Refused(_fault("encoding", file_label, line=str(line))) from None
        raise Refused(_fault("not_a_form", file_label)) from None
    if "\x00" in text:
        raise Refused(_fault("not_a_form", file_label))
    sheets: dict[str, FormSheet] = {}
    problems: list[Problem] = []
    for name, table in _tables(text):
        sheet, faults = _sheet_of_table(name, table, file_label)
        if sheet.name in sheets:
            problems.append(
                Problem("plan.form.sheet_twice", {"line": str(table[0][0])}, file_label, sheet.name)
            )
            continue
        sheets[sheet.name] = sheet
        problems.extend(faults)
    if not sheets:
        raise Refused(_fault("not_a_form", file_label))
    return Workbook(sheets, tuple(problems), tuple(sheets))


def _tables(text: str) -> Iterator[tuple[str, list[tuple[int, list[str]]]]]:
    """Each sheet's name, and its lines with their cells, without the first column that names the sheet."""
    name: str | None = None
    table: list[tuple[int, list[str]]] = []
    for line_number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped.startswith("|") or _RULE.match(stripped):
            continue
        first, *cells = _cells_of(stripped)
        if first:
            if name is not None and table:
                yield name, table
            name, table = first, []
        if name is not None and any(cells):
            table.append((line_number, cells))
    if name is not None and table:
        yield name, table


def _cells_of(line: str) -> list[str]:
    cells = _CELL_BORDER.split(line)[1:]
    if cells and (not cells[-1].strip() or cells[-1].lstrip().startswith("#")):
        cells.pop()
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _sheet_of_table(
    name: str, table: list[tuple[int, list[str]]], file_label: str
) -> tuple[FormSheet, list[Problem]]:
    name = name.lower()
    header_line, written = table[0]
    header = written[: max((place for place, column in enumerate(written, start=1) if column), default=0)]
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, (line, cells) in enumerate(table[1:], start=2):
        torn = len(cells) > len(written)
        if torn:
            problems.append(
                Problem(
                    "plan.form.bar",
                    {"cells": str(len(cells)), "columns": str(len(written)), "line": str(line)},
                    file_label,
                    name,
                    number,
                )
            )
        rows.append(Row(number, line, _named(header, cells), torn))
        if number > MOST_ROWS:
            raise Refused(Problem("plan.form.too_many_rows", {"most": str(MOST_ROWS)}, file_label, name))
    return FormSheet(name, tuple(header), header_line, tuple(rows)), problems


def _named(header: Iterable[str], cells: Iterable[str]) -> dict[str, str]:
    return {column: cell for column, cell in zip(header, cells, strict=False) if column and cell}


# Workbooks


def _workbook_of_xlsx(octets: bytes, file_label: str) -> Workbook:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(BytesIO(octets)) as archive:
            if "[Content_Types].xml" not in archive.namelist():
                raise Refused(_fault("not_a_form", file_label))
            if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED_FORM:
                raise Refused(_fault("too_large", file_label, megabytes=str(LARGEST_FORM // (1024 * 1024))))
        book = load_workbook(BytesIO(octets), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, ParseError, InvalidFileException):
        raise Refused(_fault("not_a_form", file_label)) from None
    sheets: dict[str, FormSheet] = {}
    try:
        for title in book.sheetnames:
            name = title.strip().lower()
            if name in SHEETS and hasattr(book[title], "iter_rows"):
                sheets[name] = _sheet_of_cells(name, book[title].iter_rows(values_only=True), file_label)
    except (KeyError, ValueError, TypeError, ParseError, zipfile.BadZipFile):
        raise Refused(_fault("not_a_form", file_label)) from None
    finally:
        book.close()
    return Workbook(sheets, names=tuple(book.sheetnames))


def _sheet_of_cells(name: str, lines: Iterable[tuple[object, ...]], file_label: str) -> FormSheet:
    header: tuple[str, ...] = ()
    rows: list[Row] = []
    blank = 0
    for number, values in enumerate(lines, start=1):
        cells = [_written(value) for value in values[:MOST_COLUMNS]]
        if number == 1:
            while cells and not cells[-1]:
                cells.pop()
            header = tuple(cells)
            continue
        named = _named(header, cells)
        blank = 0 if named else blank + 1
        if blank > 60:
            break
        if len(rows) >= MOST_ROWS:
            raise Refused(Problem("plan.form.too_many_rows", {"most": str(MOST_ROWS)}, file_label, name))
        rows.append(Row(number, None, named))
    while rows and not rows[-1].cells:
        rows.pop()
    return FormSheet(name, header, None, tuple(rows))


def _written(value: object) -> str:
    """A cell as a person sees it: ``3`` for 3.0, ``TRUE`` for true, ISO for dates."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("\u00a0", " ").strip()
