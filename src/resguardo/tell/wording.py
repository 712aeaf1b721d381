"""Numbers, percentages, days and countries as a language writes them, and a claim in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from num2words import num2words

from resguardo.plan.languages import explain, in_language, say
from resguardo.values import Language, Problem

if TYPE_CHECKING:
    from resguardo.tell.claim import Claim

_LOCALES: Mapping[Language, str] = {"es": "es_419", "en": "en_GB", "fr": "fr", "ht": "ht"}
"""Spanish as the Americas write it (1,234.5), English with the day before the month."""

_LARGEST_WORD = 30
"""Numbers up to here may be written out; above, digits are easier to read."""

_AND: Mapping[Language, str] = {"es": "y", "en": "and", "fr": "et", "ht": "ak"}

# The libraries that know languages do not know these.
_HAITIAN_MONTHS = tuple(
    "janvye fevriye mas avril me jen jiyè out septanm oktòb novanm desanm".split()  # noqa: SIM905
)
_HAITIAN_NUMBERS = tuple("zewo en de twa kat senk sis sèt uit nèf dis".split())  # noqa: SIM905

_WITH_ARTICLE: Mapping[Language, Mapping[str, str]] = {
    "es": {"DO": "la República Dominicana", "US": "los Estados Unidos", "NL": "los Países Bajos"},
    "en": {
        code: f"the {name}"
        for code, name in {
            "DO": "Dominican Republic",
            "US": "United States",
            "BS": "Bahamas",
            "KY": "Cayman Islands",
            "NL": "Netherlands",
            "GB": "United Kingdom",
            "TC": "Turks and Caicos Islands",
            "VG": "British Virgin Islands",
            "VI": "United States Virgin Islands",
        }.items()
    },
}
"""Countries that a running sentence names with an article."""


@cache
def _locale(language: Language) -> Locale:
    return Locale.parse(_LOCALES.get(language, "es_419"))


def rounded(number: Fraction | Decimal | int, decimals: int) -> Decimal:
    """The number at so many decimals, halves to the even digit.

    >>> rounded(Fraction(163, 321) * 100, 2), rounded(Fraction(5, 2), 0)
    (Decimal('50.78'), Decimal('2'))
    """
    exact = Fraction(number)
    scaled = round(exact * 10**decimals)  # Python rounds halves of a Fraction to the even number.
    return Decimal(scaled).scaleb(-decimals) if decimals else Decimal(scaled)


def number_in(number: Fraction | Decimal | int, language: Language, *, decimals: int | None = None) -> str:
    """The number in the language's digits; without `decimals`, as many as it has, and four at most.

    >>> number_in(13000, "es"), number_in(13000, "fr"), number_in(Decimal("1.19"), "es")
    ('13,000', '13\\u202f000', '1.19')
    """
    if decimals is None:
        value = rounded(number, 4)
        shown = value.normalize() if value != value.to_integral_value() else value.to_integral_value()
        places = max(0, -int(shown.as_tuple().exponent))
    else:
        shown, places = rounded(number, decimals), decimals
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return str(format_decimal(shown, format=pattern, locale=_locale(language), decimal_quantization=False))


def percent_in(number: Fraction | Decimal | int, language: Language, *, decimals: int = 0) -> str:
    """The percentage as the language writes it.

    >>> percent_in(51, "en"), percent_in(51, "es")
    ('51%', '51\\xa0%')
    """
    gap = {"es": "\u00a0", "fr": "\u202f"}.get(language, "")
    return f"{number_in(number, language, decimals=decimals)}{gap}%"


def number_word_in(number: int, language: Language) -> str:
    """The number written out, or in digits above thirty and where nobody taught us the language's words.

    >>> number_word_in(6, "es"), number_word_in(6, "en"), number_word_in(162, "es")
    ('seis', 'six', '162')
    """
    if not 0 <= number <= _LARGEST_WORD:
        return number_in(number, language)
    if language == "ht":
        return _HAITIAN_NUMBERS[number] if number < len(_HAITIAN_NUMBERS) else str(number)
    words = str(num2words(number, lang=language))
    # Before a noun Spanish cuts the ending: un país, veintiún países.
    return {"uno": "un", "veintiuno": "veintiún"}.get(words, words) if language == "es" else words


def day_in(day: date, language: Language) -> str:
    """The day and the month: ``4 de mayo``, ``4 May``."""
    return _dated(day, language, {"es": "d 'de' MMMM"}.get(language, "d MMMM"))


def date_in(day: date, language: Language) -> str:
    """Day, month and year: ``4 de mayo de 2022``, ``4 May 2022``."""
    return _dated(day, language, {"es": "d 'de' MMMM 'de' y"}.get(language, "d MMMM y"))


def _dated(day: date, language: Language, pattern: str) -> str:
    if language == "ht":
        month = _HAITIAN_MONTHS[day.month - 1]
        return f"{day.day} {month} {day.year}" if "y" in pattern else f"{day.day} {month}"
    return str(format_date(day, format=pattern, locale=_locale(language)))


def country_in(code: str, language: Language) -> str:
    """The country's name: ``México`` for ``MX``; the code itself when the language has no name for it."""
    return str(_locale(language).territories.get(code, code))


def countries_in(codes: Sequence[str], language: Language) -> str:
    """The countries as a sentence lists them, in the order given.

    >>> countries_in(("GT", "HN", "SV"), "es"), countries_in(("PA", "DO"), "en")
    ('Guatemala, Honduras y El Salvador', 'Panama and the Dominican Republic')
    """
    articles = _WITH_ARTICLE.get(language, {})
    return listed_in([articles.get(code) or country_in(code, language) for code in codes], language)


def listed_in(names: Sequence[str], language: Language) -> str:
    """The names with commas and the last one with "and".

    >>> listed_in(("Guatemala", "Islandia"), "es")
    'Guatemala e Islandia'
    """
    if len(names) < 2:
        return "".join(names)
    word = _AND.get(language, "y")
    if language == "es" and re.match(r"h?[ií](?![aeé])", names[-1], re.IGNORECASE):
        word = "e"
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def at_sentence_start(text: str) -> str:
    """The text with its first letter in upper case.

    >>> at_sentence_start("más de 160")
    'Más de 160'
    """
    return text[:1].upper() + text[1:]


# Sentences whose blanks still have no language


@dataclass(frozen=True)
class Number:
    """A number in a sentence, at so many decimals; as many as it has when None."""

    value: Fraction
    decimals: int | None = None


@dataclass(frozen=True)
class Percentage:
    """A percentage in a sentence."""

    value: Fraction
    decimals: int = 0


@dataclass(frozen=True)
class Between:
    """The bounds of a protected number, both included."""

    low: Number | Percentage
    high: Number | Percentage


@dataclass(frozen=True)
class Countries:
    """Countries in a sentence."""

    codes: tuple[str, ...]


@dataclass(frozen=True)
class Probability:
    """How often chance alone would give such a difference, in times of a hundred."""

    value: float


@dataclass(frozen=True)
class Listed:
    """Several things of a sentence, joined with commas and "and"."""

    facts: tuple[object, ...]


@dataclass(frozen=True)
class Clauses:
    """Several sentences in one, with semicolons."""

    facts: tuple[object, ...]


@dataclass(frozen=True)
class Remark:
    """A sentence of the room `tell` whose blanks are numbers, days and countries still without a language."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict, hash=False)

    def sentence(self, language: Language) -> str:
        """The remark in `language`."""
        facts = {name: said_in(fact, language) for name, fact in self.facts.items()}
        return say(self.code, language, **facts)


def said_in(fact: object, language: Language) -> str:
    """A fact of a sentence as the language writes it."""
    match fact:
        case Number():
            return number_in(fact.value, language, decimals=fact.decimals)
        case Between():
            low, high = said_in(fact.low, language), said_in(fact.high, language)
            return say("tell.figure.between", language, low=low, high=high)
        case Percentage():
            return percent_in(fact.value, language, decimals=fact.decimals)
        case Countries():
            return countries_in(fact.codes, language)
        case Probability():
            return _probability_in(fact.value, language)
        case Listed():
            return listed_in([said_in(each, language) for each in fact.facts], language)
        case Clauses():
            return "; ".join(said_in(each, language) for each in fact.facts)
        case Remark():
            return fact.sentence(language)
        case Problem():
            return explain(fact, language)
        case date():
            return date_in(fact, language)
        case int() | Decimal() | Fraction():
            return number_in(fact, language)
        case Mapping():
            return in_language(fact, language)
    return str(fact)


def _probability_in(value: float, language: Language) -> str:
    if value < 0.001:
        return say("tell.chance.rarely", language)
    return say("tell.chance.times", language, times=number_in(Decimal(value * 100), language, decimals=1))


# A claim in its own words

BLANKS = (
    "number",
    "number_word",
    "percent",
    "countries",
    "day",
    "date",
    "relative_day",
    "first_year",
    "last_year",
)
"""What may stand in curly brackets in a claim's wording."""


def blanks_of(wording: str) -> tuple[str, ...]:
    """The names in curly brackets, in order."""
    return tuple(re.findall(r"\{([^{}]*)\}", wording))


def wording_in(claim: Claim, language: Language) -> str:
    """The claim as the text says it: ``más de 160``; in Spanish where `language` has no words of its own."""
    wording = in_language(claim.wording, language)
    tongue = language
    if not claim.wording.get(language):
        tongue = next((each for each, text in claim.wording.items() if text == wording), language)
    return re.sub(r"\{([^{}]*)\}", lambda found: _filled(claim, found[1], tongue), wording)


def wording_languages(claim: Claim) -> frozenset[Language]:
    """The languages in which the claim has words of its own."""
    return frozenset(language for language, text in claim.wording.items() if text)


def _filled(claim: Claim, blank: str, language: Language) -> str:
    number = Fraction(claim.number) if claim.number is not None else Fraction(0)
    match blank:
        case "number":
            return number_in(number, language, decimals=claim.decimals)
        case "number_word":
            return number_word_in(int(number), language)
        case "percent":
            return percent_in(number, language, decimals=claim.decimals)
        case "countries":
            return countries_in(claim.countries, language)
        case "day" if claim.day:
            return day_in(claim.day, language)
        case "date" if claim.day:
            return date_in(claim.day, language)
        case "relative_day" if claim.relative_day:
            return say(f"tell.relative_day.{claim.relative_day}", language)
        case "first_year" if claim.years:
            return str(claim.years[0])
        case "last_year" if claim.years:
            return str(claim.years[1])
    return f"{{{blank}}}"


def same_words(one: str, other: str) -> bool:
    """Whether two texts say the same: spaces and a first capital apart.

    >>> same_words("Más  de 51\\u00a0%", "más de 51 %")
    True
    """
    return _plainly(one) == _plainly(other)


def _plainly(text: str) -> str:
    return at_sentence_start(" ".join(text.split()))


def joined(sentences: Iterable[str]) -> str:
    """Sentences one after the other."""
    return " ".join(sentence for sentence in sentences if sentence)
