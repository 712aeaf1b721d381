"""How a person is found without opening a record, and how she shows that a receipt is hers.

What is made here is not stored: the keyholder makes a blind token of it, which leads back to nothing. Two
spellings of one thing have one form: letters without case, accents, width and punctuation; a telephone is
its last eight digits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from itertools import combinations
from typing import Any, Final

from resguardo.collect.submission import Answers
from resguardo.plan.declaration import Form, Index, SearchIndex
from resguardo.plan.xlsform import Field

DIGITS: Final = 8
"""The digits of a telephone that count. Numbers of Central America and Haiti have eight, others a code in
front of them that is sometimes written and sometimes not."""

FEWEST_DIGITS: Final = 6
MOST_WORDS: Final = 5
"""Words of a name of which terms are made: at most ten pairs."""

_APOSTROPHES: Final = frozenset("'’‘ʼ`´")
_PARTICLES: Final = frozenset(
    ("de", "del", "la", "las", "los", "el", "y", "e", "da", "do", "dos", "das", "du", "des", "le")
)
"""Small words of names, which people write or leave out."""

Term = tuple[str, tuple[str, ...]]
"""An index and the parts of what is looked for: country, kind and number of a document; a telephone; two
words of a name and what goes with them."""


def search_terms(form: Form, answers: Answers) -> tuple[Term, ...]:
    """What the record of these answers is found by, and what to look for with these answers in hand.

    A name gives a term for every two of its words, in the order of the alphabet, together with the year of
    birth or the code that the form names beside it: so somebody is found whose surnames were swapped, or who
    left one of them out, and no term is a name alone. Who gave an age and no date of birth may have been
    born in either of two years. A name without anything beside it gives no term.
    """
    found: dict[Term, None] = {}
    for search in form.searches:
        for parts in _parts(form, search, answers):
            found[(search.index.value, parts)] = None
    return tuple(found)


def recognising_answers(form: Form, answers: Answers) -> dict[str, str]:
    """Question -> its answer in the one form that a person's later answer is compared with.

    Questions that were not answered are left out: nobody is recognised by saying nothing.
    """
    found = {name: recognising_answer(form, name, answers.get(name)) for name in form.recognise}
    return {name: answer for name, answer in found.items() if answer}


def recognising_answer(form: Form, name: str, answer: Any) -> str:
    """One answer in the form in which it is compared, as the sheet has it or as the person types it now.

    Empty where it says nothing. Words may come in any order; a date is written as 1990-05-01.
    """
    if answer is None or answer == "":
        return ""
    if form.field(name).kind == "date":
        return _iso_day(answer)
    if name in _fields_of(form, Index.PHONE):
        return telephone(str(answer))
    if name in _fields_of(form, Index.DOCUMENT):
        return "".join(bare_words(str(answer)))
    return " ".join(sorted(bare_words(str(answer))))


def _iso_day(answer: Any) -> str:
    if isinstance(answer, datetime):
        return answer.date().isoformat()
    if isinstance(answer, date):
        return answer.isoformat()
    try:
        return date.fromisoformat(str(answer).strip()).isoformat()
    except ValueError:
        return ""


def _fields_of(form: Form, index: Index) -> set[str]:
    return {search.fields[-1] for search in form.searches if search.index is index}


def bare_words(written: str) -> tuple[str, ...]:
    """The words of a text, their letters and digits without case, width and accents.

    >>> bare_words("  Peña-Núñez, José D’Arcy ")
    ('pena', 'nunez', 'jose', 'darcy')
    """
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", written).casefold())
    kinds = ((sign, unicodedata.category(sign)[0]) for sign in bare if sign not in _APOSTROPHES)
    return tuple("".join(sign if kind in "LN" else " " for sign, kind in kinds if kind != "M").split())


# The parts of each index


def _parts(form: Form, search: SearchIndex, answers: Answers) -> Iterator[tuple[str, ...]]:
    if search.index is Index.PHONE:
        number = telephone(_text(answers.get(search.fields[0])))
        if number:
            yield (number,)
    elif search.index is Index.DOCUMENT:
        *before, number = (_flat(answers.get(name)) for name in search.fields)
        if number:
            yield (*[""] * (2 - len(before)), *before, number)
    else:
        yield from _name_parts(form, search, answers)


def _name_parts(form: Form, search: SearchIndex, answers: Answers) -> Iterator[tuple[str, ...]]:
    name, *beside = search.fields
    said = set(bare_words(_text(answers.get(name))))
    words = sorted(said - _PARTICLES or said)
    words = sorted(sorted(words, key=len, reverse=True)[:MOST_WORDS])
    pairs = list(combinations(words, 2)) or [("", word) for word in words]
    companions = _companions([form.field(question) for question in beside], answers, form.moment)
    for companion in companions:
        for pair in pairs:
            yield (*pair, companion)


def _companions(beside: list[Field], answers: Answers, moment: str) -> list[str]:
    """The year of birth, from the date or else from the age, and the code of each list."""
    years: list[str] = []
    codes: list[str] = []
    for question in beside:
        answer = answers.get(question.name)
        if isinstance(answer, date):
            years = years or [str(answer.year)]
        elif isinstance(answer, int):
            asked = answers.get(moment)
            if isinstance(asked, date):
                years = years or [str(asked.year - answer - 1), str(asked.year - answer)]
        elif isinstance(answer, str):
            codes.append(_flat(answer))
    return [*years, *(code for code in codes if code)]


def telephone(written: str) -> str:
    """The digits by which a telephone is known; empty where there are too few to be one.

    >>> telephone("+503 7777-0155"), telephone("7777 0155"), telephone("911")
    ('77770155', '77770155', '')
    """
    digits = "".join(
        str(unicodedata.digit(sign)) for sign in written if unicodedata.digit(sign, None) is not None
    )
    return digits[-DIGITS:] if len(digits) >= FEWEST_DIGITS else ""


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else ""


def _flat(answer: Any) -> str:
    return "".join(bare_words(_text(answer)))
