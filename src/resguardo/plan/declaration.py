"""What a programme is made of, as plain values: forms, purposes, recipients, tables, indicators.

`resguardo.plan.loading` makes them from a folder; nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from resguardo.plan.condition import Condition
from resguardo.plan.fact import ALWAYS, DAY, FactSource, FactType, codes_of_always, has_day
from resguardo.plan.languages import in_language, say
from resguardo.plan.xlsform import Choice, Field, FormText
from resguardo.values import (
    Basis,
    InstitutionKind,
    Language,
    Population,
    Sensitivity,
    SubjectKind,
    Words,
)

MOST_DIMENSIONS = 8
"""Dimensions that one indicator may allow; a question uses at most three of them at once."""


class Unit(StrEnum):
    """What one counted thing is. Numbers of different units are never added."""

    PERSON = "person"
    CASE = "case"
    INCIDENT = "incident"
    ORGANISATION = "organisation"
    BUSINESS = "business"
    SITE = "site"
    PROVISION = "provision"
    EVENT = "event"
    FIGURE = "figure"


class Status(StrEnum):
    """How sure we are of a reference table."""

    CONFIRMED = "confirmed"
    FROM_MEMORY = "from memory"
    OWN_DESIGN = "own design"
    PER_ROW = "per row"


@dataclass(frozen=True)
class ConsentQuestion:
    """A question whose answer records consent, the purposes and receivers that it consents to, and the
    questions that say who answered, in which language, how, and until when."""

    field: str
    yes: str
    purposes: tuple[str, ...]
    receiver: str | None = None
    """The question that names who may receive: an institution, or its kind."""
    receiver_kinds: tuple[InstitutionKind, ...] = ()
    """The kinds of institution that may receive, where the question itself names them."""
    age: str | None = None
    """The age in years, the birth date or the age band: below 18 the guardian must agree too."""
    minor: Condition | None = None
    """The answer that says that the person is under 18, where no age is asked."""
    guardian: str | None = None
    """What the mother, father or guardian of a minor says; `yes` is the same code as here."""
    authority: Condition | None = None
    """The answer that says that an authority agrees in a guardian's place."""
    assent: str | None = None
    """What the minor says."""
    until: str | None = None
    """The last day of the consent."""
    withdrawn: str | None = None
    """The day on which it was taken back."""
    language: str | None = None
    """The language in which it was asked."""
    manner: str | None = None
    """How it was given: spoken, signed, by a gesture."""


class Index(StrEnum):
    """What a person can be found by without opening a record; never by an answer that may hurt."""

    DOCUMENT = "document"
    PHONE = "phone"
    NAME = "name"


@dataclass(frozen=True)
class SearchIndex:
    """The questions by which a record is found: `document` has country, kind and number of the document, the
    number alone being needed; `phone` one question; `name` a name and what says the year of birth."""

    index: Index
    fields: tuple[str, ...]


@dataclass(frozen=True)
class OpenSource:
    """Whose open data a form takes in, and what must be said with it."""

    title: str
    publisher: str
    licence: str
    address: str
    as_of: date
    note: Words


@dataclass(frozen=True)
class Purpose:
    """A use of the records, why the law allows it, how long, what it opens and to whom."""

    name: str
    title: Words
    basis: Basis
    retention_days: int
    opens: frozenset[Sensitivity]
    roles: tuple[str, ...]
    forms: tuple[str, ...] = ()
    """The forms whose records it may use; none is every form of the programme."""

    def covers(self, form: str) -> bool:
        """Whether records of that form may be used for it."""
        return not self.forms or form in self.forms


@dataclass(frozen=True)
class Recipient:
    """A kind of institution that may receive records, and for which purposes."""

    institution_kind: InstitutionKind
    purposes: tuple[str, ...]


@dataclass(frozen=True)
class ReferenceTable:
    """A table that the programme refers to: a standard, a list of provisions, a rate."""

    name: str
    path: Path
    status: Status
    source: str
    version: str
    header: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...] = field(repr=False)


@dataclass(frozen=True)
class Form:
    """A form of a programme, and what its answers mean."""

    name: str
    title: Words
    about: SubjectKind
    key: tuple[str, ...]
    """The fields that say which subject a row is about."""
    moment: str
    """The date field that is the record's time."""
    country: str | None
    """The field with the country that a record counts under; None: the institution's country."""
    follows: str | None
    """The form that opens the subject, if this one follows it up."""
    population: Population
    consents: tuple[ConsentQuestion, ...]
    facts: tuple[FactSource, ...]
    """What counting may know of a record besides the facts that every record has: the declared facts, and
    those that an indicator of the form needs."""
    source: OpenSource | None
    programme: str
    text: FormText = field(repr=False)
    searches: tuple[SearchIndex, ...] = ()
    """By what its records are found without being opened."""
    recognise: tuple[str, ...] = ()
    """The questions by whose answer the person proves that a receipt is hers."""
    origin: str | None = None
    """The question with the country that the person comes from."""
    asylum: Condition | None = None
    """The answer that says that the person wishes to ask for asylum."""
    groups: Mapping[Sensitivity, Words] = field(default_factory=dict)
    """What the person reads for the answers of one sensitivity, where the programme says it."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The questions that store an answer, in the order of the form."""
        return self.text.fields

    @property
    def choices(self) -> Mapping[str, tuple[Choice, ...]]:
        """The lists of the form."""
        return self.text.choices

    @property
    def repeats(self) -> Mapping[str, tuple[str, ...]]:
        """Each repeat's name and its path, which ends with its own name."""
        return self.text.repeats

    @property
    def form_id(self) -> str:
        """What phones and exports call the form: programme and form, joined by an underscore."""
        return self.text.settings["form_id"]

    @property
    def version(self) -> str:
        """The version that its settings name."""
        return self.text.settings["version"]

    @property
    def xform(self) -> str:
        """The form as an XForm."""
        return self.text.xform

    @cached_property
    def _fields(self) -> Mapping[str, Field]:
        return {question.name: question for question in self.text.fields}

    def field(self, name: str) -> Field:
        """The question of that name; `KeyError` if there is none."""
        return self._fields[name]

    def has_field(self, name: str) -> bool:
        """Whether a question of that name stores an answer."""
        return name in self._fields

    def in_group(self, sensitivity: Sensitivity) -> tuple[Field, ...]:
        """The questions of one sensitivity, which are sealed together."""
        return tuple(question for question in self.text.fields if question.sensitivity is sensitivity)

    def group_title(self, sensitivity: Sensitivity, language: Language) -> str:
        """What a person reads for the sealed answers of one sensitivity, without any being opened."""
        if sensitivity in self.groups:
            return in_language(self.groups[sensitivity], language)
        return say(f"plan.group.{sensitivity.value}", language)

    def fact(self, name: str) -> FactSource:
        """The fact of that name that comes from a field; `KeyError` if there is none."""
        for known in self.facts:
            if known.name == name:
                return known
        raise KeyError(name)

    @property
    def fact_names(self) -> tuple[str, ...]:
        """Every fact of a record: those that all records have, and the form's own."""
        return (*self.fact_types,)

    @cached_property
    def fact_types(self) -> Mapping[str, FactType]:
        """The type of every fact of a record."""
        day: dict[str, FactType] = {DAY: "day"} if has_day(self.about, self.population) else {}
        return {**ALWAYS, **day, **{known.name: known.type for known in self.facts}}

    def codes(self, fact: str) -> tuple[str, ...] | None:
        """All values that a fact can have in the order of their catalogue, where the form knows them."""
        if fact == "country" and self.country is not None:
            return tuple(choice.name for choice in self.choices[self._fields[self.country].list_name or ""])
        if fact in ALWAYS or fact == DAY:
            return codes_of_always(fact)
        return self.fact(fact).codes

    def code_label(self, fact: str, code: str, language: Language) -> str:
        """What a person reads for a code of a fact; the code itself where no list explains it."""
        source = self.country if fact == "country" else None
        if source is None and fact not in ALWAYS and fact != DAY:
            source = self.fact(fact).source
        list_name = self._fields[source].list_name if source else None
        for choice in self.choices.get(list_name or "", ()):
            if choice.name == code:
                return in_language(choice.label, language) or code
        return code


@dataclass(frozen=True)
class Indicator:
    """A figure that the programme can count, declared before anything is counted."""

    name: str
    form: str
    unit: Unit
    measure: str
    """``count``, ``records``, ``share``, ``first``, ``sum:<fact>`` or ``mean:<fact>``."""
    part: tuple[Condition, ...]
    where: tuple[Condition, ...]
    dimensions: tuple[str, ...]
    population: Population
    title: Words
    counts: Words
    when: Words
    silent: Words

    @property
    def measured(self) -> str | None:
        """The number fact that a sum or a mean is taken of."""
        return self.measure.partition(":")[2] or None


@dataclass(frozen=True)
class Programme:
    """All that a folder says, checked."""

    name: str
    folder: Path
    title: Words
    description: Words
    question: Words
    population: Population
    forms: tuple[Form, ...]
    purposes: tuple[Purpose, ...]
    recipients: tuple[Recipient, ...]
    tables: tuple[ReferenceTable, ...]
    indicators: tuple[Indicator, ...]
    notices: Words
    """What a person reads or hears before anything is asked, in Markdown."""
    method: Path | None
    """The programme's own computation, if it has one. Loading never runs it."""
    digest: str
    """SHA-256, in hexadecimal, of every file that the programme declares."""

    def form(self, name: str) -> Form:
        """The form of that name; `KeyError` if there is none."""
        return _named(self.forms, name)

    def indicator(self, name: str) -> Indicator:
        """The indicator of that name; `KeyError` if there is none."""
        return _named(self.indicators, name)

    def purpose(self, name: str) -> Purpose:
        """The purpose of that name; `KeyError` if there is none."""
        return _named(self.purposes, name)

    def table(self, name: str) -> ReferenceTable:
        """The reference table of that name; `KeyError` if there is none."""
        return _named(self.tables, name)

    def opener(self, form: Form) -> Form:
        """The form that opens the subject of `form`: itself, or the one it follows."""
        return self.form(form.follows) if form.follows else form


_Thing = TypeVar("_Thing", Form, Indicator, Purpose, ReferenceTable)


def _named(things: Iterable[_Thing], name: str) -> _Thing:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(name)
