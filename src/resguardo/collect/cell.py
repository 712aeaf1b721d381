"""One cell of a file becomes one answer of a question, or a fault that says what was expected.

How a spreadsheet, an export or a person writes an answer is forgiven where it has one meaning (a choice by
its label, a date as 15/03/2024, a comma for decimals) and refused where it could have two (1,234; a year of
two digits). What is refused, and why, is in `docs/import.md`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from resguardo.collect.sheet import Cell
from resguardo.plan.xlsform import Choice, Field

Answer = str | int | Decimal | date | datetime | tuple[str, ...] | None
"""What a question holds: a tuple holds the codes of a select_multiple."""

Read = Callable[[Cell], Any]
"""Makes an `Answer` of a cell, or a `Fault`."""

EPOCH = datetime(1899, 12, 30)
"""The day from which a spreadsheet counts, unless its workbook says 1904."""

MOST_DIGITS = 18
MOST_REMEMBERED = 8_192

_SPREADSHEET_ERRORS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")
)
_CUT_BY_EXPORT = "<WARNING: Truncated to Excel limit"
_WHOLE = re.compile(r"([+-]?\d+)(?:[.,]0*)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:([., '\u00a0\u202f])\d{3})+(?:[.,]\d+)?", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})", re.ASCII)
_WORDED = re.compile(
    r"(\d{1,2})(?:\.?º|er|st|nd|rd|th)?[ -]+(?:de +)?([^\W\d_]+)\.?,?[ -]+(?:del? +)?(\d{4})"
)
_WORDED_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})")
_SERIAL = re.compile(r"\d{5}(?:\.0*)?", re.ASCII)
_MOMENT = re.compile(
    r"(?P<day>\S+?)(?:T| +)(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r" ?(?P<half>[aApP]\.?[mM]\.?)?(?P<zone>Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.ASCII,
)
_HOUR = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?", re.ASCII)
_POSITION = re.compile(r"[+-]?\d{1,7}(?:\.\d{0,20})?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?", re.ASCII)
_BETWEEN_CHOICES = re.compile(r"\s*[;|,\n]\s*")

_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "enero ene january jan janvier janv",
            "febrero feb february fevrier fevr",
            "marzo mar march mars",
            "abril abr april apr avril avr",
            "mayo may mai",
            "junio jun june juin",
            "julio jul july juillet juil",
            "agosto ago august aug aout",
            "septiembre setiembre sep sept set september septembre",
            "octubre oct october octobre",
            "noviembre nov november novembre",
            "diciembre dic december dec decembre",
        ),
        1,
    )
    for name in names.split()
}
_TRUE_WORDS = frozenset(("true", "verdadero", "vrai", "1", "si", "s", "yes", "y", "oui", "x"))
_FALSE_WORDS = frozenset(("false", "falso", "faux", "0", "no", "n", "non"))


@dataclass(frozen=True)
class Fault:
    """Why a cell is no answer: the key of a sentence under `collect.row`, and what fills its blanks."""

    key: str
    facts: Mapping[str, str] = field(default_factory=dict)


def squeezed(text: str) -> str:
    """The text composed (NFC), without space around it and with single spaces inside."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def folded(text: str) -> str:
    """The text without the difference of capitals.

    >>> folded("  SÍ,  Claro ")
    'sí, claro'
    """
    return squeezed(text).casefold()


def unaccented(text: str) -> str:
    """The text without the difference of capitals and accents.

    >>> unaccented("Haití"), unaccented("Año")
    ('haiti', 'ano')
    """
    parted = unicodedata.normalize("NFD", folded(text))
    return "".join(letter for letter in parted if not unicodedata.combining(letter))


def as_written(cell: Cell) -> str:
    """A cell as the text that a person sees in it.

    >>> as_written(5.0), as_written(None), as_written(datetime(2024, 3, 15))
    ('5', '', '2024-03-15')
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        whole = cell.time() == time(0)
        return cell.date().isoformat() if whole else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def says_nothing(text: str) -> bool:
    """Whether a text stands for no answer: blank, or what KoboToolbox writes for a question not asked."""
    return not text or (len(text) == 3 and text.casefold() == "n/a")


# Lists


class Choices:
    """A form's list, found by code or label: exactly, then without capitals, then without accents."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        self.names = tuple(dict.fromkeys(choice.name for choice in choices))
        self.order = {name: place for place, name in enumerate(self.names)}
        self._labels: dict[str, set[str]] = {}
        self._folded: dict[str, set[str]] = {}
        self._unaccented: dict[str, set[str]] = {}
        for choice in choices:
            self._folded.setdefault(folded(choice.name), set()).add(choice.name)
            self._unaccented.setdefault(unaccented(choice.name), set()).add(choice.name)
            for label in choice.label.values():
                self._labels.setdefault(squeezed(label), set()).add(choice.name)
                self._folded.setdefault(folded(label), set()).add(choice.name)
                self._unaccented.setdefault(unaccented(label), set()).add(choice.name)
        self._is_yes_no = {"yes", "no"} <= set(self.names)
        self.expected = ", ".join(self.names[:8]) + (f" … ({len(self.names)})" if len(self.names) > 8 else "")
        self._longest_label = max((len(label.split()) for label in self._unaccented), default=1)

    def find(self, text: str) -> str | Fault:
        """The code that `text` names, or why it names none or several."""
        text = text.strip()
        if text in self.order:
            return text
        for known, key in (
            (self._labels, squeezed),
            (self._folded, folded),
            (self._unaccented, unaccented),
        ):
            found = known.get(key(text))
            if found is not None:
                return next(iter(found)) if len(found) == 1 else Fault("choice_unclear")
        if self._is_yes_no:
            word = unaccented(text)
            if word in _TRUE_WORDS:
                return "yes"
            if word in _FALSE_WORDS:
                return "no"
        return Fault("choice", {"expected": self.expected})

    def find_several(self, text: str) -> tuple[str, ...] | Fault:
        """The codes in `text`: by code or label, between spaces or between ; , | or lines."""
        words = text.split()
        if all(word in self.order for word in words):
            return self.sorted(words)
        whole = self.find(text)
        if isinstance(whole, str):
            return (whole,)
        parts = [part for part in _BETWEEN_CHOICES.split(text) if part]
        if len(parts) > 1:
            found = [self.find(part) for part in parts]
            if all(isinstance(each, str) for each in found):
                return self.sorted(str(each) for each in found)
        return self._segmented(words)

    def sorted(self, names: Iterable[str]) -> tuple[str, ...]:
        """Each code once, in the order of the list."""
        return tuple(sorted(set(names), key=self.order.__getitem__))

    def _segmented(self, words: list[str]) -> tuple[str, ...] | Fault:
        """Labels joined by spaces, as KoboToolbox writes them, if they can be parted in one way only."""
        fault = Fault("choices", {"expected": self.expected})
        if len(words) > 200:
            return fault
        nothing: frozenset[str] = frozenset()
        ways: list[set[frozenset[str]]] = [{nothing}, *(set() for _ in words)]
        for end in range(1, len(words) + 1):
            for start in range(max(0, end - self._longest_label), end):
                if ways[start] and isinstance(name := self.find(" ".join(words[start:end])), str):
                    ways[end] |= {way | {name} for way in ways[start]}
            if len(ways[end]) > 16:
                return Fault("choice_unclear")
        if not ways[-1]:
            return fault
        return self.sorted(next(iter(ways[-1]))) if len(ways[-1]) == 1 else Fault("choice_unclear")


def read_mark(cell: Cell) -> bool | Fault | None:
    """Whether the column of one choice of a select_multiple marks it; None where it is blank."""
    text = as_written(cell).strip()
    if says_nothing(text):
        return None
    word = unaccented(text)
    if word in _TRUE_WORDS:
        return True
    return False if word in _FALSE_WORDS else Fault("mark")


# Numbers, days, moments, places


def read_whole(cell: Cell) -> int | Fault:
    """A whole number.

    >>> read_whole("12"), read_whole("12.0"), read_whole(7.0), read_whole("1,234").key, read_whole("3.5").key
    (12, 12, 7, 'thousands', 'integer')
    """
    if isinstance(cell, int):
        return cell if abs(cell) < 10**MOST_DIGITS else Fault("number_too_long")
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else Fault("integer")
    text = as_written(cell).strip() if isinstance(cell, str) else ""
    found = _WHOLE.fullmatch(text)
    if found is None or ("," in text and _AMBIGUOUS.fullmatch(text)):
        return Fault("thousands") if _THOUSANDS.fullmatch(text) else Fault("integer")
    if len(found[1]) > MOST_DIGITS:
        return Fault("number_too_long")
    if re.fullmatch(r"[+-]?\d{1,3}[.,]000", text):
        return Fault("thousands")
    return int(found[1])


def read_decimal(cell: Cell) -> Decimal | Fault:
    """A number with decimals: the point and the comma both part them, but never thousands.

    >>> read_decimal("12.5"), read_decimal("12,5"), read_decimal("1,234").key, read_decimal("1.234,5").key
    (Decimal('12.5'), Decimal('12.5'), 'decimal_unclear', 'thousands')
    """
    if isinstance(cell, int):
        return Decimal(cell) if abs(cell) < 10**MOST_DIGITS else Fault("number_too_long")
    if isinstance(cell, float):
        if cell != cell or abs(cell) >= 1e18:
            return Fault("decimal")
        return Decimal(int(cell)) if cell.is_integer() else Decimal(repr(cell))
    text = as_written(cell).strip() if isinstance(cell, str) else ""
    if not _DECIMAL.fullmatch(text):
        return Fault("thousands") if _THOUSANDS.fullmatch(text) else Fault("decimal")
    if _AMBIGUOUS.fullmatch(text):
        return Fault("decimal_unclear")
    if len(text) > 40:
        return Fault("number_too_long")
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return Fault("decimal")
    if number.is_zero():
        return Decimal(0)
    return number if -MOST_DIGITS <= number.adjusted() < MOST_DIGITS else Fault("number_too_long")


def read_day(cell: Cell, epoch: datetime = EPOCH) -> date | Fault:
    """A calendar day, from ISO 8601, day/month/year, words, or the day number of a spreadsheet.

    >>> {str(read_day(text)) for text in ("2024-03-15", "15/03/2024", "15 de marzo de 2024", "45366")}
    {'2024-03-15'}
    >>> read_day("03/15/2024").key, read_day("15/03/24").key, read_day("1985").key
    ('month_first', 'short_year', 'date')
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float):
        return _serial(cell, epoch)
    if not isinstance(cell, str):
        return Fault("date")
    text = cell.strip()
    if _ISO_DAY.match(text):
        try:
            if len(text) == 10:
                return date.fromisoformat(text)
        except ValueError:
            return Fault("no_such_day")
        moment = read_moment(text, epoch) if ":" in text else None
        return moment.date() if isinstance(moment, datetime) else Fault("date")
    if found := _DAY_FIRST.fullmatch(text):
        if len(found[4]) == 2:
            return Fault("short_year")
        return _calendar(int(found[4]), int(found[3]), int(found[1]))
    if found := _YEAR_FIRST.fullmatch(text):
        return _calendar(int(found[1]), int(found[3]), int(found[4]))
    if found := _WORDED.fullmatch(unaccented(text)):
        return _worded(found[3], found[2], found[1])
    if found := _WORDED_MONTH_FIRST.fullmatch(unaccented(text)):
        return _worded(found[3], found[1], found[2])
    if _SERIAL.fullmatch(text):
        return _serial(float(text), epoch)
    moment = read_moment(text, epoch) if ":" in text else None
    return moment.date() if isinstance(moment, datetime) else Fault("date")


class DayOrder:
    """What a column of dates says about which comes first, the day or the month.

    A column in which some dates can only have the month first, none can only have the day first, and some
    could be read both ways, was most likely written with the month first: read as it stands, days and months
    of the dates that could be both would be swapped in silence.
    """

    __slots__ = ("day_first", "either", "month_first")

    def __init__(self) -> None:
        self.day_first = self.month_first = self.either = False

    def notice(self, cell: Cell) -> None:
        """Takes a cell into account."""
        if not isinstance(cell, str) or (found := _DAY_FIRST.match(cell.strip())) is None:
            return
        first, second = int(found[1]), int(found[3])
        if first > 12:
            self.day_first = True
        elif second > 12:
            self.month_first = True
        elif first != second:
            self.either = True

    @property
    def is_month_first(self) -> bool:
        return self.month_first and self.either and not self.day_first


def _calendar(year: int, month: int, day: int) -> date | Fault:
    try:
        return date(year, month, day)
    except ValueError:
        if month > 12 >= day and month <= 31:
            return Fault("month_first")
        return Fault("no_such_day")


def _worded(year: str, month: str, day: str) -> date | Fault:
    number = _MONTHS.get(month)
    return Fault("date") if number is None else _calendar(int(year), number, int(day))


def _serial(number: int | float, epoch: datetime) -> date | Fault:
    if not 10_000 <= number < 100_000:
        return Fault("date")
    return (epoch + timedelta(days=int(number))).date()


def read_moment(cell: Cell, epoch: datetime = EPOCH) -> datetime | Fault:
    """A day with a time of day, with or without its zone.

    >>> str(read_moment("2024-03-15T10:30:00.000-06:00")), str(read_moment("15/03/2024 2:05 pm"))
    ('2024-03-15 10:30:00-06:00', '2024-03-15 14:05:00')
    """
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time(0))
    if isinstance(cell, int | float):
        if not 10_000 <= cell < 100_000:
            return Fault("datetime")
        return epoch + timedelta(seconds=round(cell * 86_400))
    if not isinstance(cell, str):
        return Fault("datetime")
    text = cell.strip()
    found = _MOMENT.fullmatch(text)
    if found is None:
        if ":" in text or len(text) > 40:
            return Fault("datetime")
        day = read_day(text, epoch)
        if isinstance(day, Fault):
            return Fault("datetime") if day.key == "date" else day
        return datetime.combine(day, time(0))
    day = read_day(found["day"], epoch)
    if isinstance(day, Fault):
        return Fault("datetime") if day.key == "date" else day
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return Fault("datetime")
        hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
    part = (found["part"] or "").ljust(6, "0")[:6]
    zone = found["zone"] or ""
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    elif len(zone) == 3:
        zone += ":00"
    written = f"{day.isoformat()}T{hour:02d}:{found['minute']}:{found['second'] or '00'}.{part}{zone}"
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return Fault("datetime")


def read_time(cell: Cell) -> str | Fault:
    """A time of day as `HH:MM:SS`, its zone kept if it was given.

    >>> read_time("9:05"), read_time("09:05:00.000-06:00"), read_time("25:00").key
    ('09:05:00', '09:05:00-06:00', 'time')
    """
    if isinstance(cell, datetime):
        return cell.time().isoformat("seconds")
    if isinstance(cell, time):
        return cell.isoformat("seconds")
    if isinstance(cell, int | float) and 0 <= cell < 1:
        seconds = round(cell * 86_400) % 86_400
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    found = _HOUR.fullmatch(cell.strip()) if isinstance(cell, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        return Fault("time")
    return f"{int(found[1]):02d}:{found[2]}:{found[3] or '00'}{found[4] or ''}"


def read_place(cell: Cell) -> str | Fault:
    """A position: latitude and longitude in degrees, then altitude and accuracy in metres if known.

    >>> read_place("14.6349  -90.5069 0 0"), read_place("14,6 -90,5").key, read_place("95 0").key
    ('14.6349 -90.5069 0 0', 'place', 'place')
    """
    parts = as_written(cell).split()
    if not 2 <= len(parts) <= 4 or not all(_POSITION.fullmatch(part) for part in parts):
        return Fault("place")
    if abs(float(parts[0])) > 90 or abs(float(parts[1])) > 180:
        return Fault("place")
    return " ".join(parts)


def read_text(cell: Cell) -> str | Fault | None:
    """Text as it was written, without space around it and with plain line ends."""
    text = cell if isinstance(cell, str) else as_written(cell)
    text = text.strip()
    if says_nothing(text):
        return None
    if text[0] in "#<":
        if text in _SPREADSHEET_ERRORS:
            return Fault("spreadsheet_error")
        if text.startswith(_CUT_BY_EXPORT):
            return Fault("cut_by_export")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_calculated(cell: Cell) -> str | int | Decimal | Fault | None:
    """What a calculation gave: a number if it is written plainly as one, else text."""
    text = read_text(cell)
    if isinstance(text, str) and _PLAIN_NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    return text


class Remembering(dict[Any, Any]):
    """What cells were read as, so that the next equal cell costs nothing. Bounded."""

    __slots__ = ("read",)

    def __init__(self, read: Read) -> None:
        super().__init__()
        self.read = read

    def __missing__(self, cell: Cell) -> Any:
        answer = self.read(cell)
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[cell] = answer
        return answer


def reader_of(question: Field, choices: Choices | None, epoch: datetime = EPOCH) -> Read:
    """How the cells of a question are read: a function from a cell to an answer or a fault."""
    kind = question.kind
    if kind == "select_one" and choices is not None:
        return _answered(_read_choice(choices), keep=choices)
    if kind == "select_multiple" and choices is not None:
        several = choices
        return _answered(lambda cell: several.find_several(as_written(cell)) or None, keep=choices)
    if kind == "integer":
        return _answered(read_whole)
    if kind == "decimal":
        return _answered(read_decimal)
    if kind == "date":
        return _answered(lambda cell: read_day(cell, epoch))
    if kind == "datetime":
        return _answered(lambda cell: read_moment(cell, epoch))
    if kind == "time":
        return _answered(read_time)
    if kind == "geopoint":
        return _answered(read_place)
    if kind == "calculate":
        return read_calculated
    return read_text


def _read_choice(choices: Choices) -> Read:
    return lambda cell: choices.find(as_written(cell))


def _answered(read: Read, keep: Choices | None = None) -> Read:
    """`read` for cells that say something; a code of a list named `n/a` is still that code."""

    def answer(cell: Cell) -> Any:
        if cell is None:
            return None
        if isinstance(cell, str):
            text = cell.strip()
            if not text or (says_nothing(text) and (keep is None or text not in keep.order)):
                return None
            if text[0] == "#" and text in _SPREADSHEET_ERRORS:
                return Fault("spreadsheet_error")
        return read(cell)

    return answer
