"""What a form gives to counting: catalogue codes, bands, months and whole numbers, and nothing else.

A fact never comes from an identifier or from a free text, and never keeps an exact date of a person.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from resguardo.plan.xlsform import Field, FormText
from resguardo.values import InstitutionKind, Population, Problem, Refused, Sensitivity, SubjectKind

FactType = Literal["code", "set", "number", "age_band", "count_band", "month", "year", "day"]
"""What a fact's values look like: a code, a tuple of codes, an int, a band, a band, `YYYY-MM`, `YYYY`,
`YYYY-MM-DD`."""

Derivation = Literal["code", "age_band", "month", "year", "day", "number", "count_band"]
"""What is made of a field: what `as` may say in `[[form.fact]]`."""

AGE_BANDS = ("0-4", "5-11", "12-14", "15-17", "18-24", "25-29", "30-59", "60+")
"""The only age banding of the network."""

COUNT_BANDS = ("0", "1-4", "5-9", "10-49", "50-249", "250+")
"""The only banding of numbers of people, of employees or of things."""

ALWAYS: Mapping[str, FactType] = {
    "country": "code",
    "institution": "code",
    "institution_kind": "code",
    "institution_country": "code",
    "month": "month",
    "year": "year",
}
"""The facts that every record has without declaring them."""

DAY = "day"
"""The fact `day` exists only for public things that are not people: see `has_day`."""


def age_band(years: int) -> str:
    """The band of an age in completed years.

    >>> age_band(17), age_band(18), age_band(60)
    ('15-17', '18-24', '60+')
    """
    if years < 0:
        raise ValueError("an age is not negative")
    return AGE_BANDS[bisect_right((0, 5, 12, 15, 18, 25, 30, 60), years) - 1]


def count_band(number: int) -> str:
    """The band of a number of people or things.

    >>> count_band(0), count_band(9), count_band(250)
    ('0', '5-9', '250+')
    """
    if number < 0:
        raise ValueError("a count is not negative")
    return COUNT_BANDS[bisect_right((0, 1, 5, 10, 50, 250), number) - 1]


def has_day(about: SubjectKind, population: Population) -> bool:
    """Facts may keep the exact day: only of open events, organisations, provisions and incidents."""
    public = (SubjectKind.EVENT, SubjectKind.ORGANISATION, SubjectKind.PROVISION, SubjectKind.INCIDENT)
    return population is Population.OPEN and about in public


@dataclass(frozen=True)
class FactSource:
    """Where a fact comes from: a field, what is made of it, and what its values look like."""

    name: str
    source: str
    """The field's name. In a repeat, the codes of all repetitions together make a set."""
    derivation: Derivation
    type: FactType
    """As `derivation`, but `set` where a record can have several codes."""
    codes: tuple[str, ...] | None
    """All values it can have, in the order of their catalogue; None for numbers, days, months, years and
    for codes that a pattern checks."""
    sensitivity: Sensitivity
    """Of the field it comes from."""


def automatic_fact(form: FormText, field: Field) -> FactSource:
    """The fact of a field that needs no declaration: a list's code, a set of codes, a whole number.

    Refuses what only a derivation can make countable, and what may never be counted.
    """
    _refuse_uncountable(field)
    if field.kind in ("select_one", "select_multiple"):
        return _fact(field.name, field, "code", _codes(form, field))
    if field.kind in ("integer", "decimal"):
        return derived_fact(form, field, field.name, "number")
    if field.kind in ("date", "datetime"):
        raise Refused(Problem("plan.fact.date", {"field": field.name}))
    if field.kind == "text":
        raise Refused(Problem("plan.fact.text", {"field": field.name}))
    if field.kind == "calculate":
        raise Refused(Problem("plan.fact.calculation", {"field": field.name}))
    raise Refused(Problem("plan.fact.kind", {"field": field.name, "kind": field.kind}))


def derived_fact(form: FormText, field: Field, name: str, derivation: Derivation) -> FactSource:
    """The fact that `[[form.fact]]` declares: `field` made into a code, a band, a month, a number."""
    _refuse_uncountable(field)
    kind = field.kind
    if derivation == "code":
        if kind in ("select_one", "select_multiple"):
            return _fact(name, field, "code", _codes(form, field))
        if kind == "text" and "regex(" in (field.constraint or ""):
            return _fact(name, field, "code", None)
        raise Refused(
            Problem("plan.fact.text" if kind == "text" else "plan.fact.code", {"field": field.name})
        )
    if field.repeat is not None:
        raise Refused(Problem("plan.fact.repeat", {"field": field.name, "repeat": field.repeat}))
    if derivation in ("month", "year", "day"):
        if kind not in ("date", "datetime"):
            raise Refused(Problem("plan.fact.not_a_date", {"field": field.name, "as": derivation}))
        return _fact(name, field, derivation, None)
    if derivation == "age_band":
        if kind not in ("date", "integer"):
            raise Refused(Problem("plan.fact.not_an_age", {"field": field.name}))
        return _fact(name, field, "age_band", AGE_BANDS)
    if kind == "decimal":
        raise Refused(Problem("plan.fact.decimal", {"field": field.name}))
    if kind not in ("integer", "calculate"):
        raise Refused(Problem("plan.fact.not_a_number", {"field": field.name}))
    return _fact(name, field, derivation, COUNT_BANDS if derivation == "count_band" else None)


def codes_of_always(name: str) -> tuple[str, ...] | None:
    """All values that an always available fact can have, where the house knows them."""
    return tuple(kind.value for kind in InstitutionKind) if name == "institution_kind" else None


def _refuse_uncountable(field: Field) -> None:
    if field.sensitivity is Sensitivity.IDENTIFIER:
        raise Refused(Problem("plan.fact.identifier", {"field": field.name}))
    if field.kind in ("geopoint", "file", "hidden", "time"):
        raise Refused(Problem("plan.fact.kind", {"field": field.name, "kind": field.kind}))


def _codes(form: FormText, field: Field) -> tuple[str, ...]:
    return tuple(dict.fromkeys(choice.name for choice in form.choices[field.list_name or ""]))


def _fact(name: str, field: Field, derivation: Derivation, codes: tuple[str, ...] | None) -> FactSource:
    several = derivation == "code" and (field.kind == "select_multiple" or field.repeat is not None)
    return FactSource(
        name, field.name, derivation, "set" if several else derivation, codes, field.sensitivity
    )
