"""A file of answers, opened as rows: CSV, a workbook (XLSX), or the ZIP of CSV files of ODK Central.

What the cells mean is not asked here; `resguardo.collect.submission` reads them against a form. A file that
is not what it says is refused at once, before its first row is given out. A row that is broken by itself (too
many cells, a quotation mark that never closes) is given out with its problem, and the rows after it go on.
Formulas are never kept and never run: only the value that was saved with them is read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, Any

from resguardo.values import Problem, Refused

Cell = str | int | float | date | datetime | time | None
"""What one cell of a file holds. CSV has text alone; a workbook also numbers, dates and times."""

ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
    "iso8859-1",
    "iso8859-15",
    "cp850",
    "cp437",
    "mac-roman",
)
"""The encodings that `--encoding` may name, besides the other names that Python knows them by."""

DELIMITERS = (",", ";", "\t")
PROBLEM_COLUMN = "_problem"
"""First column of a file of refused rows; what such a file holds is guarded against spreadsheet formulas."""

LONGEST_LINE = 4 * 1024 * 1024
"""Characters in one line of a CSV file; a longer one is no row of answers."""
MOST_LINES_IN_A_ROW = 1_000
"""Lines that one row may take up; an unclosed quotation mark would otherwise swallow the whole file."""
MOST_LINES_AHEAD = 50
"""Lines that are looked at to see where the next row begins after a broken one."""
MOST_COLUMNS = 16_384
MOST_ROWS_OF_A_WORKBOOK = 1_048_576
MOST_UNPACKED = 1024 * 1024 * 1024
"""Bytes that a workbook or a ZIP may unpack to."""
MOST_UNPACKED_STRINGS = 256 * 1024 * 1024
"""Bytes of the text table of a workbook, which has to stay in memory."""
MOST_PACKED_INTO_ONE = 200
"""How many bytes may come out of one byte of a packed file, once it is larger than `ALWAYS_UNPACKED`."""
ALWAYS_UNPACKED = 32 * 1024 * 1024
MOST_FILES_IN_A_ZIP = 10_000
MOST_REPEAT_ROWS = 1_000_000
"""Rows of all repeat sheets together; they stay in memory so that each can be put under its parent."""

_NO_PARTS: Mapping[str, Any] = MappingProxyType({})
_CHUNK = 1024 * 1024
_SPARE_COLUMNS = 256
_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_GUARDED = re.compile(r"^'+[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"^[+-]?\d+(?:[.,]\d+)?$")
_MARKUP = re.compile(rb"^\s*<(?:!doctype|html|\?xml|table)", re.IGNORECASE)
_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0", "old_workbook"),
    (b"%PDF", "not_a_table"),
    (b"\x89PNG", "not_a_table"),
    (b"\xff\xd8\xff", "not_a_table"),
    (b"GIF8", "not_a_table"),
    (b"\x1f\x8b", "packed_otherwise"),
    (b"7z\xbc\xaf", "packed_otherwise"),
    (b"Rar!", "packed_otherwise"),
    (b"{\\rtf", "not_a_table"),
)


@dataclass(slots=True)
class Row:
    """One row as it lies in the file. `number` is what a spreadsheet shows; the header is row 1."""

    number: int
    values: tuple[Cell, ...]
    """Cells in the order of the header: as many as it has, or more where the row itself is broken."""
    header: tuple[str, ...] = field(repr=False)
    problems: tuple[Problem, ...] = ()
    """Why the row is broken as a row. Empty for a sound one."""
    parts: Mapping[str, tuple[Row, ...]] = field(default_factory=lambda: _NO_PARTS)
    """Rows of the repeat sheets that belong to this one, by the name of their sheet."""

    @property
    def cells(self) -> dict[str, Cell]:
        """The cells by the name of their column; of two columns with one name the first."""
        return dict(zip(reversed(self.header), reversed(self.values[: len(self.header)]), strict=True))


@dataclass(frozen=True)
class Part:
    """A sheet with the rows of a repeat, each of which names the row it belongs to."""

    name: str
    """What the file calls the repeat."""
    sheet: str
    """The sheet of the workbook, or the file inside the ZIP."""
    header: tuple[str, ...]
    most: int
    """The largest number of its rows under one parent."""
    inner: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """An opened file of answers. `rows` may be asked for again: each time the file is read anew."""

    label: str
    """The name of the file, as a person calls it."""
    name: str | None
    """The sheet of the workbook, or the file inside the ZIP; None for a CSV file."""
    header: tuple[str, ...]
    total: int | None
    """How many rows there are at most (blank lines and line breaks in cells are counted too), if known."""
    warnings: tuple[Problem, ...] = ()
    """What a person should know although nothing is wrong enough to refuse."""
    parts: tuple[Part, ...] = ()
    """The repeat sheets, outermost first."""
    epoch: datetime = datetime(1899, 12, 30)
    """The day that a spreadsheet's day number counts from."""
    _read: Callable[[], Iterator[Row]] = field(default=lambda: iter(()), repr=False, compare=False)

    @property
    def rows(self) -> Iterator[Row]:
        """The rows from the first on. Blank rows are left out, but counted in the numbers."""
        return self._read()


def open_sheet(path: Path, *, encoding: str | None = None, sheet: str | None = None) -> Sheet:
    """The file at `path`, ready to be read row by row; `encoding` is for CSV, `sheet` for workbooks and ZIPs.

    What kind of file it is, its contents say, not its name. Refuses what cannot be read to the end: a wrong
    encoding (with the byte and line), an old or locked workbook, a ZIP that unpacks to a flood, an empty
    file.
    """
    path = Path(path)
    label = path.name
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except FileNotFoundError:
        raise Refused(Problem("collect.file.missing", file=label)) from None
    except (OSError, ValueError):
        raise Refused(Problem("collect.file.unreadable", file=label)) from None
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Refused(Problem("collect.file.empty", file=label))
    for signature, key in _SIGNATURES:
        if head.startswith(signature):
            raise Refused(Problem(f"collect.file.{key}", file=label))
    if _MARKUP.match(head):
        raise Refused(Problem("collect.file.web_page", file=label))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if encoding is not None:
            _known_encoding(encoding, label)
        return _open_packed(path, label, encoding, sheet)
    if sheet is not None:
        raise Refused(Problem("collect.file.no_sheets", {"sheet": sheet}, file=label))
    return _open_text(lambda: path.open("rb"), label, None, encoding)


def guarded(text: str) -> str:
    """`text` as a file for a spreadsheet may hold it: an apostrophe in front of what would run as a formula.

    >>> guarded("=1+1"), guarded("-5"), guarded("+50255551234"), guarded("'=x")
    ("'=1+1", '-5', '+50255551234', "''=x")
    """
    return "'" + text if _FORMULA.match(text) and not _PLAIN_NUMBER.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given.

    >>> unguarded("'=1+1"), unguarded("-5"), unguarded("''=x"), unguarded("'twas")
    ('=1+1', '-5', "'=x", "'twas")
    """
    return text[1:] if _GUARDED.match(text) else text


# Text


@dataclass(frozen=True)
class _Text:
    """What a text file was found to be when it was read through once."""

    encoding: str
    lines: int
    has_nul: bool
    ends_with_newline: bool


def _known_encoding(encoding: str, label: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        name = ""
    if name == "utf-8-sig":
        name = "utf-8"
    if name not in ENCODINGS:
        facts = {"encoding": encoding[:40], "known": ", ".join(ENCODINGS)}
        raise Refused(Problem("collect.file.encoding_unknown", facts, file=label))
    return name


def _examine(file: IO[bytes], label: str, name: str | None, encoding: str | None) -> _Text:
    """Reads the whole text once. Refuses one that is not in its encoding, naming the first wrong byte."""
    chosen = _known_encoding(encoding, label) if encoding is not None else None
    chunk = file.read(_CHUNK)
    if chunk.startswith(codecs.BOM_UTF8):
        chosen = "utf-8-sig"
    elif chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        chosen = "utf-16"
    elif chosen is None and chunk[:512].count(0) * 3 > len(chunk[:512]):
        even, odd = chunk[:512:2].count(0), chunk[1:512:2].count(0)
        cure = "utf-16-be" if even > odd else "utf-16-le"
        raise Refused(Problem("collect.file.encoding_unmarked", {"cure": cure}, file=label, sheet=name))
    chosen = chosen or "utf-8"
    decoder = codecs.getincrementaldecoder(chosen)()
    offset = lines = since = 0
    has_nul = False
    last = ""
    while True:
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as fault:
            good = fault.object[: fault.start].decode(chosen, "ignore")
            facts = {
                "encoding": chosen.removesuffix("-sig"),
                "byte": f"0x{fault.object[fault.start]:02X}",
                "position": str(offset - pending + fault.start + 1),
                "line": str(lines + good.count("\n") + 1),
                "cure": "cp1252" if chosen.startswith("utf-8") else "utf-8",
            }
            raise Refused(Problem("collect.file.encoding", facts, file=label, sheet=name)) from None
        offset += len(chunk)
        if text:
            last = text[-1]
            has_nul = has_nul or "\0" in text
            ends = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
            if since + (min(ends) if ends else len(text)) > LONGEST_LINE:
                facts = {"line": str(lines + 1), "most": f"{LONGEST_LINE:,}"}
                raise Refused(Problem("collect.file.line_too_long", facts, file=label, sheet=name))
            since = len(text) - max(text.rfind("\n"), text.rfind("\r")) - 1 if ends else since + len(text)
            lines += text.count("\n") or text.count("\r")
        if not chunk:
            break
        chunk = file.read(_CHUNK)
    whole = last in ("\n", "\r")
    return _Text(chosen, lines + (0 if whole or not last else 1), has_nul, whole)


def _open_text(opener: Callable[[], IO[bytes]], label: str, name: str | None, encoding: str | None) -> Sheet:
    with opener() as file:
        text = _examine(file, label, name, encoding)
    with _lines(opener, text) as lines:
        delimiter, skipped, header = _header_of(lines, label, name)
    guard = PROBLEM_COLUMN in header
    read = partial(_text_rows, opener, text, label, name, delimiter, skipped, header, guard)
    total = max(0, text.lines - skipped - 1)
    return Sheet(label, name, header, total, _read=read)


def _lines(opener: Callable[[], IO[bytes]], text: _Text) -> io.TextIOWrapper:
    return io.TextIOWrapper(opener(), encoding=text.encoding, newline="")


def _header_of(lines: Iterator[str], label: str, name: str | None) -> tuple[str, int, tuple[str, ...]]:
    """The delimiter, the rows above the header, and the header."""
    skipped = 0
    delimiters: tuple[str, ...] = DELIMITERS
    first: list[str] = []
    for line in lines:
        bare = line.strip()
        if not bare.strip(",;\t\"' "):
            skipped += 1
        elif found := re.fullmatch(r"sep=([,;\t])", bare, re.IGNORECASE):
            delimiters = (found[1],)
            skipped += 1
        else:
            first = [line, *islice(lines, MOST_LINES_IN_A_ROW)]
            break
    best: tuple[str, list[str]] | None = None
    for delimiter in delimiters:
        try:
            cells = next(csv.reader(iter(first), delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            continue
        if best is None or len(cells) > len(best[1]):
            best = delimiter, cells
    if best is None:
        raise Refused(Problem("collect.file.header_broken", file=label, sheet=name, row=skipped + 1))
    return best[0], skipped, _header(best[1], label, name)


def _header(cells: list[Any], label: str, name: str | None) -> tuple[str, ...]:
    header = ["" if cell is None else str(cell).replace("\0", "").strip() for cell in cells]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise Refused(Problem("collect.file.empty", file=label, sheet=name))
    if len(header) > MOST_COLUMNS:
        facts = {"columns": str(len(header)), "most": str(MOST_COLUMNS)}
        raise Refused(Problem("collect.file.too_wide", facts, file=label, sheet=name))
    return tuple(header)


class _Feed:
    """Gives lines to a CSV reader one by one and remembers those of the row that it is reading."""

    __slots__ = ("ended", "nul", "source", "taken", "waiting")

    def __init__(self, source: Iterator[str]) -> None:
        self.source = source
        self.waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.ended = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        taken = self.taken
        if len(taken) >= MOST_LINES_IN_A_ROW:
            raise StopIteration
        if self.waiting:
            line = self.waiting.popleft()
        else:
            try:
                line = next(self.source)
            except StopIteration:
                self.ended = True
                raise
        taken.append(line)
        return line

    def next_row(self, delimiter: str, width: int) -> int:
        """The first line, after the broken row's own, with which a row as wide as the header begins."""
        for place in range(1, len(self.taken)):
            try:
                lines = islice(self._from(place), MOST_LINES_AHEAD)
                if len(next(csv.reader(lines, delimiter=delimiter, strict=True))) == width:
                    return place
            except (csv.Error, StopIteration):
                continue
        return len(self.taken)

    def _from(self, place: int) -> Iterator[str]:
        """The lines from one of this row's on, and those after it, which are not used up by looking."""
        yield from self.taken[place : place + MOST_LINES_AHEAD]
        ahead = 0
        while True:
            if ahead == len(self.waiting):
                try:
                    self.waiting.append(next(self.source))
                except StopIteration:
                    return
            yield self.waiting[ahead]
            ahead += 1

    def back(self, first: int) -> None:
        """Puts the lines of this row from `first` on back, so that they are read as rows of their own."""
        self.waiting.extendleft(reversed(self.taken[first:]))
        del self.taken[first:]


def _text_rows(
    opener: Callable[[], IO[bytes]],
    text: _Text,
    label: str,
    name: str | None,
    delimiter: str,
    skipped: int,
    header: tuple[str, ...],
    guard: bool,
) -> Iterator[Row]:
    width = len(header)
    with _lines(opener, text) as source:
        for _ in islice(source, skipped):
            pass
        feed = _Feed(source)
        taken = feed.taken
        reader = csv.reader(feed, delimiter=delimiter, strict=True)
        next(reader)
        number, line = 1 + skipped, skipped + len(taken)
        while True:
            taken.clear()
            fault: str | None = None
            values: list[str] = []
            try:
                values = next(reader)
            except StopIteration:
                if not taken:
                    break
                fault = "quote"
            except UnicodeDecodeError:
                raise Refused(Problem("collect.file.changed", file=label, sheet=name)) from None
            except csv.Error as error:
                fault = "cell_too_long" if "field larger" in str(error) else "quote"
            number += 1
            if fault is None and not values:
                line += 1
                continue
            if fault is None and len(values) != width:
                fault = _width_fault(values, width, feed, text.ends_with_newline)
            if fault is not None and len(taken) > 1:
                feed.back(feed.next_row(delimiter, width))
                reader = csv.reader(feed, delimiter=delimiter, strict=True)
            elif fault == "quote" or fault == "cell_too_long":
                reader = csv.reader(feed, delimiter=delimiter, strict=True)
            at, line = line + 1, line + len(taken)
            if text.has_nul and fault is None and any("\0" in part for part in taken):
                fault = "nul"
            if fault is not None:
                yield _broken(fault, "".join(taken), values, number, at, header, label, name, delimiter)
                continue
            if len(values) != width:
                values = (values + [""] * (width - len(values)))[:width]
            if guard:
                values = [unguarded(cell) for cell in values]
            if any(map(str.strip, values)):
                yield Row(number, tuple(values), header)


def _width_fault(values: list[str], width: int, feed: _Feed, whole: bool) -> str | None:
    """What is wrong with a row that is not as wide as the header; None where only blanks are missing."""
    if len(values) > width:
        return "too_many_cells" if any(cell.strip() for cell in values[width:]) else None
    if feed.ended or whole or feed.waiting:
        return None
    try:
        feed.waiting.append(next(feed.source))
    except StopIteration:
        return "cut_off"
    return None


def _broken(
    fault: str,
    written: str,
    values: list[str],
    number: int,
    line: int,
    header: tuple[str, ...],
    label: str,
    name: str | None,
    delimiter: str,
) -> Row:
    """A row that could not be taken apart, with what was written in it and what is wrong."""
    if fault in ("quote", "cell_too_long"):
        values = written.rstrip("\r\n").split(delimiter)
    facts = {"line": str(line), "cells": str(len(values)), "columns": str(len(header))}
    problem = Problem(f"collect.broken.{fault}", facts, file=label, sheet=name, row=number)
    cells = tuple(cell.replace("\0", "\ufffd") for cell in values)
    return Row(number, cells + ("",) * (len(header) - len(cells)), header, (problem,))


# Packed files


def _open_packed(path: Path, label: str, encoding: str | None, sheet: str | None) -> Sheet:
    try:
        with zipfile.ZipFile(path) as packed:
            entries = _unpackable(packed, label)
            names = [entry.filename for entry in entries]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Refused(Problem("collect.file.damaged", file=label)) from None
    if "[Content_Types].xml" in names:
        if not any(entry.startswith("xl/") for entry in names):
            raise Refused(Problem("collect.file.not_a_table", file=label))
        return _open_workbook(path, label, sheet)
    if "mimetype" in names and "content.xml" in names:
        raise Refused(Problem("collect.file.other_workbook", file=label))
    tables = [
        entry for entry in names if entry.lower().endswith((".csv", ".tsv")) and "__MACOSX" not in entry
    ]
    if not tables:
        raise Refused(Problem("collect.file.zip_without_tables", file=label))
    return _open_tables(path, label, tables, encoding, sheet)


def _unpackable(packed: zipfile.ZipFile, label: str) -> list[zipfile.ZipInfo]:
    """The entries of a packed file that may safely be unpacked. Refuses locked ones and floods.

    `zipfile` gives out no more bytes than an entry declares, so the declared sizes can be trusted here.
    """
    entries = packed.infolist()
    if len(entries) > MOST_FILES_IN_A_ZIP:
        raise Refused(Problem("collect.file.zip_flood", file=label))
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused(Problem("collect.file.zip_locked", file=label))
    read = (".xml", ".rels", ".csv", ".tsv")
    wanted = [entry for entry in entries if entry.filename.lower().endswith(read)]
    unpacked = sum(entry.file_size for entry in wanted)
    packed_size = sum(entry.compress_size for entry in wanted)
    strings = sum(entry.file_size for entry in wanted if entry.filename.endswith("sharedStrings.xml"))
    if (
        unpacked > MOST_UNPACKED
        or strings > MOST_UNPACKED_STRINGS
        or (unpacked > ALWAYS_UNPACKED and unpacked > MOST_PACKED_INTO_ONE * max(1, packed_size))
    ):
        raise Refused(Problem("collect.file.zip_flood", file=label))
    return entries


def _inside(path: Path, entry: str) -> IO[bytes]:
    """A file inside a ZIP, opened so that closing it closes the ZIP too."""
    packed = zipfile.ZipFile(path)
    try:
        inner = packed.open(entry)
    except BaseException:
        packed.close()
        raise
    return io.BufferedReader(_Inner(packed, inner), _CHUNK)


class _Inner(io.RawIOBase):
    def __init__(self, packed: zipfile.ZipFile, inner: IO[bytes]) -> None:
        self.packed, self.inner = packed, inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        octets = self.inner.read(len(buffer))
        buffer[: len(octets)] = octets
        return len(octets)

    def close(self) -> None:
        self.inner.close()
        self.packed.close()
        super().close()


def _open_tables(path: Path, label: str, tables: list[str], encoding: str | None, sheet: str | None) -> Sheet:
    """The ZIP of ODK Central: a CSV of submissions and one for each repeat, joined by KEY and PARENT_KEY."""
    opened: dict[str, Sheet] = {}
    for entry in tables:
        try:
            opened[entry] = _open_text(
                partial(_inside, path, entry), label, PurePosixPath(entry).name, encoding
            )
        except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError):
            raise Refused(Problem("collect.file.damaged", file=label)) from None
        except Refused as refusal:
            if any(problem.code != "collect.file.empty" for problem in refusal.problems):
                raise
    mains = [entry for entry, table in opened.items() if "PARENT_KEY" not in table.header]
    if sheet is not None:
        named = [entry for entry in mains if sheet in (PurePosixPath(entry).name, PurePosixPath(entry).stem)]
        if not named:
            facts = {"sheet": sheet, "found": ", ".join(PurePosixPath(entry).name for entry in mains)}
            raise Refused(Problem("collect.file.sheet_unknown", facts, file=label))
        mains = named
    if len(mains) != 1:
        facts = {"found": ", ".join(sorted(PurePosixPath(entry).name for entry in mains)) or "-"}
        key = "zip_several" if mains else "empty"
        raise Refused(Problem(f"collect.file.{key}", facts, file=label))
    main = opened[mains[0]]
    stem = PurePosixPath(mains[0]).stem
    prefix = f"{stem}-"
    children = {
        PurePosixPath(entry).stem.removeprefix(prefix): table
        for entry, table in opened.items()
        if "PARENT_KEY" in table.header and PurePosixPath(entry).stem.startswith(prefix)
    }
    if not children:
        return main
    if "KEY" not in main.header:
        raise Refused(Problem("collect.file.no_join", {"column": "KEY"}, file=label, sheet=main.name))
    return _joined(main, children, _CentralLinks())


# Workbooks


def _open_workbook(path: Path, label: str, sheet: str | None) -> Sheet:
    with _Workbook(path, label) as book:
        names = [each.title for each in book.worksheets if each.sheet_state == "visible"]
        names = names or [each.title for each in book.worksheets]
        if not names:
            raise Refused(Problem("collect.file.empty", file=label))
        if sheet is not None and sheet not in book.sheetnames:
            facts = {"sheet": sheet, "found": ", ".join(book.sheetnames)}
            raise Refused(Problem("collect.file.sheet_unknown", facts, file=label))
        chosen = sheet if sheet is not None else names[0]
        main = _worksheet(path, book, chosen, label)
        if main is None:
            raise Refused(Problem("collect.file.empty", file=label, sheet=chosen))
        others = ((name, _worksheet(path, book, name, label)) for name in names if name != chosen)
        children = {name: table for name, table in others if table and "_parent_index" in table.header}
    found = [Problem("collect.file.formulas", file=label)] if _has_formulas(path) else []
    if children and "_index" not in main.header:
        raise Refused(Problem("collect.file.no_join", {"column": "_index"}, file=label, sheet=main.name))
    joined = _joined(main, children, _KoboLinks(main.name or "")) if children else main
    return replace(joined, warnings=(*joined.warnings, *found))


class _Workbook:
    """A workbook opened for reading alone and closed at the end; whatever it hides, the refusal is clear."""

    def __init__(self, path: Path, label: str) -> None:
        self.path, self.label = path, label

    def __enter__(self) -> Any:
        from openpyxl import load_workbook

        self.file = self.path.open("rb")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.book = load_workbook(self.file, read_only=True, data_only=True, keep_links=False)
        except Exception:
            self.file.close()
            raise Refused(Problem("collect.file.damaged", file=self.label)) from None
        return self.book

    def __exit__(self, *_: object) -> None:
        self.book.close()
        self.file.close()


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as packed:
        for entry in packed.namelist():
            if entry.startswith("xl/worksheets/") and entry.endswith(".xml"):
                with packed.open(entry) as file:
                    before = b""
                    while chunk := file.read(_CHUNK):
                        if b"<f>" in before + chunk or b"<f " in before + chunk:
                            return True
                        before = chunk[-2:]
    return False


def _worksheet(path: Path, book: Any, name: str, label: str) -> Sheet | None:
    page = book[name]
    if not hasattr(page, "iter_rows"):
        return None
    skipped = 0
    header: tuple[str, ...] | None = None
    for values in _raw_rows(page, label, MOST_COLUMNS, chunk=1):
        if any(cell is not None and str(cell).strip() for cell in values):
            header = _header(list(values), label, name)
            break
        skipped += 1
        if skipped > 1_000:
            break
    if header is None:
        return None
    rows = page.max_row
    total = min(rows, MOST_ROWS_OF_A_WORKBOOK) - skipped - 1 if rows else None
    read = partial(_sheet_rows, path, name, label, header, skipped, PROBLEM_COLUMN in header)
    epoch = datetime(1899, 12, 30) if book.epoch.year == 1899 else datetime(1904, 1, 1)
    return Sheet(label, name, header, total, epoch=epoch, _read=read)


def _raw_rows(page: Any, label: str, width: int, *, chunk: int = 512) -> Iterator[tuple[Any, ...]]:
    """The rows of a worksheet. What is wrong inside the file is a refusal, and no cell reaches a log."""
    rows = page.iter_rows(
        min_row=1, max_row=MOST_ROWS_OF_A_WORKBOOK, max_col=min(width, MOST_COLUMNS), values_only=True
    )
    with closing(rows):
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    several = list(islice(rows, chunk))
            except Exception:
                raise Refused(Problem("collect.file.damaged", file=label, sheet=page.title)) from None
            if not several:
                return
            yield from several


def _sheet_rows(
    path: Path, name: str, label: str, header: tuple[str, ...], skipped: int, guard: bool
) -> Iterator[Row]:
    width = len(header)
    blank = (None,) * width
    beyond = (None,) * _SPARE_COLUMNS
    with _Workbook(path, label) as book:
        rows = _raw_rows(book[name], label, width + _SPARE_COLUMNS)
        for number, values in enumerate(rows, 1):
            if number <= skipped + 1:
                continue
            cells = values[:width]
            extra = values[width:]
            if extra and extra != beyond[: len(extra)] and any(map(_says_something, extra)):
                kept = tuple(map(_plain, values))
                while kept and kept[-1] is None:
                    kept = kept[:-1]
                facts = {"line": str(number), "cells": str(len(kept)), "columns": str(width)}
                problem = Problem("collect.broken.too_many_cells", facts, label, name, number)
                yield Row(number, kept, header, (problem,))
                continue
            if len(cells) < width:
                cells = (cells + blank)[:width]
            if cells == blank or not any(map(_says_something, cells)):
                continue
            cells = tuple(map(_plain, cells))
            if guard:
                cells = tuple(unguarded(cell) if isinstance(cell, str) else cell for cell in cells)
            yield Row(number, cells, header)


def _says_something(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _plain(cell: Any) -> Cell:
    """A cell's value as one of the kinds of `Cell`; a truth value as the word that a spreadsheet shows."""
    if cell is True or cell is False:
        return "TRUE" if cell else "FALSE"
    if cell is None or isinstance(cell, str | int | float | date | time):
        return cell
    if isinstance(cell, timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(cell)


# Repeats in sheets of their own


class _KoboLinks:
    """KoboToolbox numbers the rows of each sheet (`_index`); a child names its parent's sheet and number."""

    def __init__(self, main: str) -> None:
        self.main = main

    def own(self, name: str, cells: Mapping[str, Cell]) -> tuple[str, str] | None:
        return (_same(name), number) if (number := _key(cells.get("_index"))) else None

    def parent(self, names: list[str], cells: Mapping[str, Cell]) -> tuple[str, str] | None:
        number = _key(cells.get("_parent_index"))
        table = _same(str(cells.get("_parent_table_name") or ""))
        for name in names:
            if number and table and _same(name) == table:
                return _same(name), number
        return (_same(self.main), number) if number else None


class _CentralLinks:
    """ODK Central names every row, also of a repeat, with a key; a child names its parent's."""

    def own(self, name: str, cells: Mapping[str, Cell]) -> tuple[str, str] | None:
        return ("", key) if (key := _key(cells.get("KEY"))) else None

    def parent(self, names: list[str], cells: Mapping[str, Cell]) -> tuple[str, str] | None:
        return ("", key) if (key := _key(cells.get("PARENT_KEY"))) else None


def _same(name: str) -> str:
    """A sheet's name as Excel would hold it: it cuts at 31 letters and forbids some signs."""
    return re.sub(r"[\[\]*?:\\/]", "_", name)[:31].casefold()


def _key(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip() if cell is not None else ""


def _joined(main: Sheet, children: dict[str, Sheet], links: _KoboLinks | _CentralLinks) -> Sheet:
    """`main` with the rows of `children` under the rows that they name.

    The rows of the repeats are held in memory, those of the main sheet are not. A row of a repeat whose
    parent is nowhere in the file is given out at the end, under blank cells, as a broken row.
    """
    names = list(children)
    under: dict[tuple[str, str], dict[str, list[Row]]] = {}
    keyed: dict[tuple[str, str], Row] = {}
    sheet_of: dict[tuple[str, str], str] = {}
    lost: list[tuple[str, Row]] = []
    count = 0
    for name, table in children.items():
        for row in table.rows:
            count += 1
            if count > MOST_REPEAT_ROWS:
                facts = {"most": f"{MOST_REPEAT_ROWS:,}"}
                raise Refused(Problem("collect.file.too_many_repeats", facts, main.label, sheet=name))
            cells = row.cells
            own, parent = links.own(name, cells), links.parent(names, cells)
            if own is not None:
                keyed.setdefault(own, row)
                sheet_of.setdefault(own, name)
            if parent is None or parent == own:
                lost.append((name, row))
            else:
                under.setdefault(parent, {}).setdefault(name, []).append(row)
    inside: dict[str, str] = {}
    for parent, below in under.items():
        rows_below = {name: tuple(rows) for name, rows in below.items()}
        if parent in keyed:
            keyed[parent].parts = rows_below
            inside.update((name, sheet_of[parent]) for name in below if name != sheet_of[parent])
    above_all = {parent: below for parent, below in under.items() if parent not in keyed}
    parts = tuple(_part(name, children, under, inside) for name in names if name not in inside)
    blank = ("",) * len(main.header)

    def orphan(name: str, row: Row) -> Row:
        problem = Problem("collect.broken.orphan", {}, main.label, children[name].name, row.number)
        return Row(row.number, blank, main.header, (problem, *row.problems), {name: (row,)})

    def read() -> Iterator[Row]:
        unclaimed = set(above_all)
        for row in main.rows:
            own = links.own(main.name or "", row.cells)
            if own is not None and own in above_all:
                unclaimed.discard(own)
                row.parts = {name: tuple(rows) for name, rows in above_all[own].items()}
            yield row
        for parent, below in above_all.items():
            if parent in unclaimed:
                for name, rows in below.items():
                    yield from (orphan(name, row) for row in rows)
        yield from (orphan(name, row) for name, row in lost)

    total = None if main.total is None else main.total + len(lost)
    return replace(main, parts=parts, total=total, _read=read)


def _part(
    name: str,
    children: dict[str, Sheet],
    under: dict[tuple[str, str], dict[str, list[Row]]],
    inside: dict[str, str],
) -> Part:
    most = max((len(below[name]) for below in under.values() if name in below), default=0)
    inner = tuple(_part(each, children, under, inside) for each in children if inside.get(each) == name)
    table = children[name]
    return Part(name, table.name or name, table.header, max(most, 1), inner)
