"""What counting may know of a submission: codes, bands, months and whole numbers, as its form declares.

No identifier, no free text and no exact date of a person gets through, because only the facts of the form are
made, and `plan` lets a form declare no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from resguardo.collect.submission import Answers
from resguardo.plan.fact import DAY, FactSource, age_band, count_band, has_day
from resguardo.plan.programme import Form
from resguardo.values import Institution

Fact = str | int | tuple[str, ...] | None

OLDEST = 130
"""Years; who would be older was born on another day than the one written."""


def facts_of(form: Form, answers: Answers, *, institution: Institution) -> Mapping[str, Fact]:
    """The facts of a submission, by the names of `form.fact_names`.

    A fact whose answer is missing, or makes no sense (born after the day of the record), is None: nothing is
    guessed and nothing is refused.
    """
    moment = _day(answers.get(form.moment))
    country = institution.country if form.country is None else answers.get(form.country)
    facts: dict[str, Fact] = {
        "country": country,
        "institution": institution.slug,
        "institution_kind": institution.kind.value,
        "institution_country": institution.country,
        "month": _month(moment),
        "year": _year(moment),
    }
    if has_day(form.about, form.population):
        facts[DAY] = moment.isoformat() if moment is not None else None
    for source in form.facts:
        facts[source.name] = _fact(source, form, answers, moment)
    return facts


def age_on(born: date, day: date) -> int | None:
    """Completed years on a day; None for who was not yet born, or would be older than anybody.

    >>> age_on(date(2008, 2, 29), date(2026, 2, 28)), age_on(date(2008, 2, 29), date(2026, 3, 1))
    (17, 18)
    """
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if 0 <= years <= OLDEST else None


def _fact(source: FactSource, form: Form, answers: Answers, moment: date | None) -> Fact:
    if source.type == "set":
        return _set(source, form, answers)
    answer = answers.get(source.source)
    if answer is None:
        return None
    if source.type == "code":
        return str(answer)
    if source.type == "number":
        return _whole(answer)
    if source.type == "count_band":
        number = _whole(answer)
        return count_band(number) if number is not None and number >= 0 else None
    if source.type == "age_band":
        return _age_band(answer, moment)
    day = _day(answer)
    if source.type == "month":
        return _month(day)
    if source.type == "year":
        return _year(day)
    return day.isoformat() if day is not None else None


def _set(source: FactSource, form: Form, answers: Answers) -> tuple[str, ...] | None:
    """The codes of a select_multiple, or of a question in all its repetitions, in the order of their list."""
    codes: set[str] = set()
    for answer in _everywhere(source.source, form.field(source.source).path, answers):
        codes.update(answer if isinstance(answer, tuple) else (str(answer),))
    if not codes:
        return None
    if source.codes is None:
        return tuple(sorted(codes))
    return tuple(code for code in source.codes if code in codes)


def _everywhere(name: str, path: tuple[str, ...], answers: Answers) -> Iterator[Any]:
    """The answers to a question in every repetition that it lies in."""
    for place, step in enumerate(path):
        rows = answers.get(step)
        if isinstance(rows, tuple):
            for row in rows:
                yield from _everywhere(name, path[place + 1 :], row)
            return
    if (answer := answers.get(name)) is not None:
        yield answer


def _age_band(answer: Any, moment: date | None) -> str | None:
    if isinstance(answer, date):
        born = _day(answer)
        years = age_on(born, moment) if born is not None and moment is not None else None
    else:
        years = _whole(answer)
    return age_band(years) if years is not None and 0 <= years <= OLDEST else None


def _whole(answer: Any) -> int | None:
    """A whole number, or None: a number with decimals is not rounded into another one."""
    if isinstance(answer, int):
        return answer
    if isinstance(answer, Decimal) and answer == answer.to_integral_value():
        return int(answer)
    return None


def _day(answer: Any) -> date | None:
    if isinstance(answer, datetime):
        return answer.date()
    return answer if isinstance(answer, date) else None


def _month(day: date | None) -> str | None:
    return f"{day.year:04d}-{day.month:02d}" if day is not None else None


def _year(day: date | None) -> str | None:
    return f"{day.year:04d}" if day is not None else None
