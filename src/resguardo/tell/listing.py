"""A listing of dated news items in plain text, read without losing a word.

An item is a date line, a headline on the next line that is not empty, and one or more paragraphs. Blank
lines may stand anywhere; lines that follow each other without one belong to the same paragraph. In our own
items a claim is marked in the text as ``[more than 160](claim:trained-more-than-160)``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

from resguardo.values import LANGUAGES, Language, Problem, Refused


@dataclass(frozen=True)
class ClaimMark:
    """A stretch of text that is a claim: ``[more than 160](claim:trained-more-than-160)``."""

    text: str
    claim: str
    """The claim's id."""


Part = str | ClaimMark
Parts = tuple[Part, ...]


@dataclass(frozen=True)
class ListedItem:
    """One item of a listing, and the lines of the file where its parts begin (the first line is 1)."""

    date: date
    headline: Parts
    paragraphs: tuple[Parts, ...]
    date_text: str
    """The date line as it was written."""
    date_line: int
    headline_line: int
    paragraph_lines: tuple[int, ...]

    @property
    def claims(self) -> tuple[str, ...]:
        """The ids of its claims, in the order of the text, each once."""
        parts = [*self.headline, *(part for paragraph in self.paragraphs for part in paragraph)]
        return tuple(dict.fromkeys(part.claim for part in parts if isinstance(part, ClaimMark)))


@dataclass(frozen=True)
class Listing:
    """The items of a listing in the order of the file, and the language that it is written in."""

    items: tuple[ListedItem, ...]
    language: Language


@dataclass(frozen=True)
class TypedFigure:
    """A number typed by hand outside a claim."""

    text: str
    """The number with the words that belong to it: ``more than 100 youth``, ``seis países``."""
    before: str
    """The words before it, to find it again."""


# Reading


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_MONTHS: dict[Language, tuple[str, ...]] = {
    "es": _listed("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    "en": _listed("january february march april may june july august september october november december"),
    "fr": _listed("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "ht": _listed("janvye fevriye mas avril me jen jiyè out septanm oktòb novanm desanm"),
}
_OTHER_SPELLINGS = {"setiembre": 9, "fevrier": 2, "aout": 8, "decembre": 12, "jiye": 7, "oktob": 10}


def _months() -> dict[str, int]:
    named = {name: number for names in _MONTHS.values() for number, name in enumerate(names, start=1)}
    return named | _OTHER_SPELLINGS


_MONTH_NUMBER = _months()

_WEEKDAYS = _listed(
    "lunes martes miércoles miercoles jueves viernes sábado sabado domingo monday tuesday wednesday thursday "
    "friday saturday sunday lundi mardi mercredi jeudi vendredi samedi dimanche lendi madi mèkredi jedi "
    "vandredi samdi dimanch"
)
_WEEKDAY = rf"(?:(?:{'|'.join(_WEEKDAYS)}),?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|°|\.º)?"
_MONTH = r"(?P<month>[^\W\d_]{2,12})\.?"
_YEAR = r"(?P<year>\d{4})"
_DATE_LINES = (
    re.compile(
        rf"{_WEEKDAY}(?:the\s+)?{_DAY}\s+(?:de\s+|of\s+)?{_MONTH},?\s+(?:del?\s+)?{_YEAR}\.?", re.IGNORECASE
    ),
    re.compile(rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+{_YEAR}\.?", re.IGNORECASE),
    re.compile(r"(?P<day>\d{1,2})[/.](?P<month>\d{1,2})[/.](?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"),
)

_MARK = re.compile(r"\[(?P<text>[^\[\]]+)\]\(claim:(?P<claim>[a-z0-9]+(?:-[a-z0-9]+)*)\)")
_SPACE = re.compile(r"[ \t\f\v]+")

_FREQUENT: dict[Language, tuple[str, ...]] = {
    "es": _listed("el la los las de del que y en por para con una un se su al"),
    "en": _listed("the of and to in for with a an by on that were was from is"),
    "fr": _listed("le la les des du et en pour avec une un par dans sur est que"),
    "ht": _listed("nan ak pou yo ki se li te ap sou yon moun sa gen"),
}


@dataclass
class _OpenItem:
    """An item whose lines are still being read."""

    day: date
    date_text: str
    date_line: int
    lines: list[tuple[int, str]]


def read_listing(text: str, *, file: str) -> Listing:
    """The items of `text` in its order.

    Raises `Refused` with every problem found, each with its line: no date line, a date that does not exist,
    words before the first date, an item without headline or text, a broken claim mark.

    >>> listing = read_listing("4 de mayo de 2022\\n\\nUn taller\\n\\nAbrió el taller.\\n", file="notas.txt")
    >>> listing.items[0].date.isoformat(), listing.language
    ('2022-05-04', 'es')
    """
    problems: list[Problem] = []
    opened: list[_OpenItem] = []
    dated_in: Counter[Language] = Counter()
    broken_date = False
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), start=1):
        line = _SPACE.sub(" ", raw).strip()
        try:
            day = _date_of(line, dated_in)
        except _ImpossibleDate as impossible:
            broken_date = True
            problems.append(_problem(impossible.code, file, number, written=line, hint=impossible.hint))
            continue
        if day is not None:
            opened.append(_OpenItem(day, line, number, []))
        elif opened:
            opened[-1].lines.append((number, line))
        elif line and not broken_date:
            problems.append(_problem("tell.listing.text_before", file, number, text=_shortened(line)))
            broken_date = True  # One line of words before the first date is enough to be told.
    if not opened and not any(problem.code in _DATE_PROBLEMS for problem in problems):
        problems = [Problem("tell.listing.no_date", file=file)]
    items = [item for item in (_item(one, file, problems) for one in opened) if item is not None]
    if problems:
        raise Refused(*problems)
    return Listing(tuple(items), _language_of(dated_in, text))


def as_json(listing: Listing) -> dict[str, Any]:
    """The listing as plain values: days in ISO form, texts, and the claims that each item marks."""
    return {
        "language": listing.language,
        "items": [
            {
                "date": item.date.isoformat(),
                "line": item.date_line,
                "headline": plain(item.headline),
                "paragraphs": [plain(paragraph) for paragraph in item.paragraphs],
                "claims": list(item.claims),
            }
            for item in listing.items
        ],
    }


def plain(parts: Parts) -> str:
    """The text of the parts as a reader sees it."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def parts_of(text: str) -> Parts:
    """The text cut at its claim marks.

    >>> parts_of("Formó a [162](claim:trained) personas")
    ('Formó a ', ClaimMark(text='162', claim='trained'), ' personas')
    """
    parts: list[Part] = []
    end = 0
    for mark in _MARK.finditer(text):
        if mark.start() > end:
            parts.append(text[end : mark.start()])
        parts.append(ClaimMark(mark["text"].strip(), mark["claim"]))
        end = mark.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


class _ImpossibleDate(Exception):
    """A line that is a date in form and none in fact."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint


_DATE_PROBLEMS = frozenset({"tell.listing.impossible_date", "tell.listing.unknown_month"})


def _problem(code: str, file: str, line: int, **facts: str) -> Problem:
    return Problem(code, {"line": str(line), **facts}, file=file)


def _shortened(text: str, *, width: int = 60) -> str:
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def _date_of(line: str, dated_in: Counter[Language]) -> date | None:
    """The date of a date line; None for any other line. Counts in `dated_in` the languages of its month."""
    for pattern in _DATE_LINES:
        found = pattern.fullmatch(line)
        if found is None:
            continue
        written = found["month"].casefold()
        month = int(written) if written.isdigit() else _MONTH_NUMBER.get(written)
        if month is None:
            known = _MONTHS["es"] if " de " in line else tuple(_MONTH_NUMBER)
            near = get_close_matches(written, known, n=1, cutoff=0.75)
            if not near:
                continue
            raise _ImpossibleDate("tell.listing.unknown_month", near[0])
        try:
            day = date(int(found["year"]), month, int(found["day"]))
        except ValueError:
            raise _ImpossibleDate("tell.listing.impossible_date") from None
        dated_in.update(language for language, names in _MONTHS.items() if written in names)
        return day
    return None


def _item(opened: _OpenItem, file: str, problems: list[Problem]) -> ListedItem | None:
    """The item that the lines make; None, and a problem more, when something is missing."""
    blocks: list[tuple[int, list[str]]] = []
    fresh = True
    for number, line in opened.lines:
        if not line:
            fresh = True
        elif fresh or len(blocks) == 1:
            blocks.append((number, [line]))
            fresh = False
        else:
            blocks[-1][1].append(line)
    if not blocks:
        problems.append(_problem("tell.listing.no_headline", file, opened.date_line, date=opened.date_text))
        return None
    if len(blocks) == 1:
        headline = _shortened(blocks[0][1][0])
        problems.append(_problem("tell.listing.no_summary", file, blocks[0][0], headline=headline))
        return None
    whole = [(number, " ".join(lines)) for number, lines in blocks]
    for number, text in whole:
        rest = _MARK.sub("", text)
        broken = re.search(r"\[?[^\[\]]*\]?\s*\(\s*claim\s*:[^)]*\)?", rest, re.IGNORECASE)
        if broken:
            problems.append(
                _problem("tell.listing.broken_mark", file, number, mark=_shortened(broken[0].strip()))
            )
    return ListedItem(
        date=opened.day,
        headline=parts_of(whole[0][1]),
        paragraphs=tuple(parts_of(text) for _, text in whole[1:]),
        date_text=opened.date_text,
        date_line=opened.date_line,
        headline_line=whole[0][0],
        paragraph_lines=tuple(number for number, _ in whole[1:]),
    )


def _language_of(dated_in: Counter[Language], text: str) -> Language:
    """The language of most date lines; frequent words decide between equals and where dates are digits."""
    words = Counter(re.findall(r"[^\W\d_]+", text.casefold()))
    return max(
        LANGUAGES,
        key=lambda language: (dated_in[language], sum(words[word] for word in _FREQUENT[language])),
    )


# Figures typed by hand

NAMES = (
    "Agenda 2030",
    "2030 Agenda",
    "24/7",
    "Piénsalo 2 Veces",
    "Piénsalo Dos Veces",
    "Think Twice",
    "4x4",
    "9/11",
)
"""Names in which a number counts nothing."""

_NUMBER_WORDS: dict[Language, tuple[str, ...]] = {
    "es": _listed(
        r"dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieci\w+ veint\w+ "
        r"treinta cuarenta cincuenta sesenta setenta ochenta noventa cien cientos? \w+cient[oa]s "
        r"quinient[oa]s mil miles millar(?:es)? mill[oó]n(?:es)? billones docenas? decenas? centenar(?:es)? "
        r"mitad tercios? duplic\w+ triplic\w+"
    ),
    "en": _listed(
        r"two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        r"sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
        r"hundreds? thousands? millions? billions? trillions? dozens? half twice doubled doubles tripled "
        r"triples thirds"
    ),
    "fr": _listed(
        r"deux trois quatre cinq six sept huit dix onze douze treize quatorze quinze seize vingt trente "
        r"quarante cinquante soixante cents? mille millions? milliards? dizaines? douzaines? centaines? "
        r"milliers? moiti[eé]"
    ),
    "ht": _listed(
        "twa kat senk sis sèt uit nèf onz douz trèz katòz kenz vent trant karant senkant mil milyon mwatye"
    ),
}
_LEADS = (
    r"(?:(?:more|less|fewer|greater|higher|lower) than|at (?:least|most)|almost|nearly|about|around|"
    r"approximately|over|some|up to|(?:a )?total of|más de|mas de|menos de|al menos|por lo menos|casi|"
    r"cerca de|alrededor de|aproximadamente|unos|unas|(?:un )?total de|hasta|plus de|moins de|au moins|"
    r"presque|environ|plis pase|omwen|anviwon)"
)
_QUANTITY_LEAD = re.compile(
    r"(?:(?:more|less|fewer) than|at least|almost|nearly|total of|más de|mas de|menos de|al menos|"
    r"por lo menos|casi|cerca de|alrededor de|unos|unas|total de|plus de|au moins|presque)\s+$",
    re.IGNORECASE,
)
_ORDINAL = r"(?:st|nd|rd|th|er|ro|º|°|\.º)?"
_DAYS = rf"\d{{1,2}}{_ORDINAL}(?:\s*(?:,|-|–|—|/|and|to|y|e|al?|et|au|ak)\s*\d{{1,2}}{_ORDINAL})*"
_NO_FIGURE = (
    re.compile(r"\S+@\S+|https?://\S+|www\.\S+"),
    re.compile(r"\b\d{4}-\d{2}(?:-\d{2})?\b"),
    re.compile(r"\b\d{1,2}/\d{1,2}/\d{2,4}\b"),
    re.compile(r"\b\d{1,2}[:h]\d{2}(?:\s?(?:hrs?|horas|h|am|pm|a\.\s?m\.|p\.\s?m\.))?\b", re.IGNORECASE),
    # A number that hangs on a name, as in COVID-19, COP27, H1N1; not one that hangs on a currency.
    re.compile(r"\b(?!(?:USD|US|EUR|MXN|GTQ|HNL|CRC|DOP|XCD|GYD|JMD|TTD|HTG)\d)[A-Za-z]+-?\d+[\w-]*"),
    re.compile(
        r"\b(?:SDGs?|ODS|Goals?|Objetivos?|ISO|[Aa]rticles?|[Aa]rtículos?|[Aa]rts?\.|[Ss]ections?|[Ss]ección|"
        r"[Ll]aw|[Ll]ey|[Ll]oi|[Dd]ecreto|[Dd]ecree|[Rr]esoluci[oó]n(?:es)?|[Rr]esolutions?|[Aa]nexo|[Aa]nnex|"
        r"[Cc]apítulo|[Cc]hapter|[Pp]áginas?|[Pp]ages?|[Nn]o\.|[Nn]úm\.|[Nn]\.?º)\s?(?:[Nn]o\.\s?|[Nn]úm\.\s?)?"
        r"\d+(?:[./-]\d+)*(?:(?:,|\s+y|\s+and|\s+e)\s+\d+(?:[./-]\d+)*(?!\s*[%\w]))*"
    ),
    re.compile(r"\b(?:19|20)\d{2}\s?[-–—/]\s?(?:(?:19|20)\d{2}|\d{2})\b"),
)
_YEAR_LIKE = re.compile(r"(?<![\d.,$])\b(?:19|20)\d{2}s?\b(?![.,]?\d|\s?%)")
_COUNTED = re.compile(
    r"\s+(?:%|per\s?cent|por ciento|(?!además|después|antes|entonces|mientras|menos|apenas|across|unless|"
    r"towards|sometimes|always|besides)[a-záéíóúñü]{4,}s\b)"
)
_DIGITS = r"\d+(?:[.,\u00a0\u202f ]\d{3})*(?:[.,]\d+)?(?:st|nd|rd|th|\.?º|\.?ª)?(?:\s?%)?"
_CLAIM_HERE = "\ufffc"
_BLANKED = "\ufffd"


def typed_figures(
    parts: Parts, language: Language, *, names: Iterable[str] = NAMES
) -> tuple[TypedFigure, ...]:
    """The numbers typed outside a claim, in digits or in words; they keep an item from being published.

    Not counted as figures: years, days and times, numbers of laws, articles and goals, and those in names.

    >>> [figure.text for figure in typed_figures(("Se formó a más de 100 jóvenes en 2022",), "es")]
    ['más de 100 jóvenes']
    >>> typed_figures(("El 4 de mayo de 2022 se habló de la Agenda 2030",), "es")
    ()
    """
    patterns = _figure_patterns(language if language in _NUMBER_WORDS else "es")
    text = "".join(part if isinstance(part, str) else _CLAIM_HERE for part in parts)
    masked = text
    for name in names:
        masked = re.sub(re.escape(name), _blank, masked, flags=re.IGNORECASE)
    for pattern in (*patterns.days, *_NO_FIGURE):
        masked = pattern.sub(_blank, masked)
    masked = _without_years(masked, patterns.year_lead)
    return tuple(
        TypedFigure(
            " ".join(text[found.start() : found.end()].split()),
            " ".join(text[: found.start()].replace(_CLAIM_HERE, "…").split()[-6:]),
        )
        for found in patterns.figure.finditer(masked)
    )


@dataclass(frozen=True)
class _FigurePatterns:
    """How a language writes figures, and the days that are none."""

    figure: re.Pattern[str]
    days: tuple[re.Pattern[str], ...]
    year_lead: re.Pattern[str]


@cache
def _figure_patterns(language: Language) -> _FigurePatterns:
    words = "|".join(_NUMBER_WORDS[language])
    number = rf"(?:{_DIGITS}|\b(?:{words})\b)"
    names = [*_MONTHS[language], *(_OTHER_SPELLINGS if language != "en" else ())]
    # English months have a capital, so that "may 15 people" is no day of May.
    months = "|".join(name.capitalize() if language == "en" else name for name in names)
    letters = re.NOFLAG if language == "en" else re.IGNORECASE
    return _FigurePatterns(
        figure=re.compile(
            rf"(?:\b{_LEADS}\s+)?{number}(?:(?:\s+(?:y|and|et|de)\s+|[\s-]+){number})*(?:[\s-]+[^\W\d_]+)?",
            re.IGNORECASE,
        ),
        days=(
            re.compile(rf"\b{_DAYS}\s+(?:de\s+|of\s+)?(?:{months})\b", letters),
            re.compile(rf"\b(?:{months})\s+{_DAYS}(?![\d.,]*\d)", letters),
        ),
        year_lead=re.compile(
            r"(?:\b(?:in|en|since|desde|until|by|during|durante|years?|años?|between|entre|from|depuis|an|"
            rf"hasta|del|{months})[,\s]+|[(\[–—/-]\s*)$",
            re.IGNORECASE,
        ),
    )


def _blank(found: re.Match[str]) -> str:
    return _BLANKED * len(found[0])


def _without_years(text: str, year_lead: re.Pattern[str]) -> str:
    """The text with its years blanked; four digits that count something are left standing."""

    def year(found: re.Match[str]) -> str:
        before, after = text[: found.start()], text[found.end() :]
        if _QUANTITY_LEAD.search(before):
            return found[0]
        if _COUNTED.match(after) and not year_lead.search(before):
            return found[0]
        return _blank(found)

    return _YEAR_LIKE.sub(year, text)
