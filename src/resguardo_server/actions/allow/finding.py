"""How a member of staff finds a person without opening anybody: by a code, a telephone, a document or a name.

A case code names nobody: it is the beginning of the subject's random id, in signs that cannot be confused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Min, QuerySet

from resguardo.allow.consent import ConsentState, consent_state
from resguardo.allow.receipt_code import ALPHABET, READ_AS
from resguardo.collect.search import search_terms
from resguardo.plan.declaration import Index, Purpose, SearchIndex
from resguardo.plan.programme import Form, Programme
from resguardo.values import Problem, Refused, SubjectKind, Words
from resguardo_keyholder.asked import Search, Withheld
from resguardo_server import models
from resguardo_server.actions.allow.deciding import consents_of, is_held
from resguardo_server.actions.allow.opening import NotAllowed
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import all_programmes, programme_named
from resguardo_server.keyholders import keyholder

PER_PAGE: Final = 50

SUPERVISOR: Final = "supervisor"

CODE_BITS: Final = 36
CODE_SIGNS: Final = 8
"""23 signs to the eighth are a little more than 36 bits: one case code in 69 thousand million."""

MOST_TERMS: Final = 400
"""In how many ways a value may have been written down, at most."""


def case_code(subject: UUID) -> str:
    """The code by which staff speak of a case: eight signs that cannot be confused, in two groups.

    >>> case_code(UUID("12345678-9abc-4def-8123-456789abcdef"))
    '1H8W-0T8N'
    """
    number = subject.int >> (128 - CODE_BITS)
    signs = ""
    for _ in range(CODE_SIGNS):
        number, rest = divmod(number, len(ALPHABET))
        signs = ALPHABET[rest] + signs
    return f"{signs[:4]}-{signs[4:]}"


def _ids_of_code(text: str) -> tuple[UUID, UUID] | None:
    """The first and last id that have this code; None when it is no code."""
    signs = [READ_AS.get(sign, sign) for sign in text.upper() if sign.isalnum()]
    if len(signs) != CODE_SIGNS or any(sign not in ALPHABET for sign in signs):
        return None
    number = 0
    for sign in signs:
        number = number * len(ALPHABET) + ALPHABET.index(sign)
    if number >> CODE_BITS:
        return None
    first = number << (128 - CODE_BITS)
    return UUID(int=first), UUID(int=first | ((1 << (128 - CODE_BITS)) - 1))


# Whom a member works with


def purposes_for(who: Asker, programme: Programme) -> tuple[Purpose, ...]:
    """The purposes of the programme for which one of the member's roles may use records."""
    return tuple(purpose for purpose in programme.purposes if who.roles & frozenset(purpose.roles))


def programmes_for(who: Asker) -> tuple[Programme, ...]:
    """The programmes with people of the institution that the member's roles serve.

    Whoever supervises sees that a case is there, in every programme: she may have to open it in an emergency.
    """
    kept = set(_subjects(who).order_by().values_list("programme", flat=True).distinct())
    return tuple(
        known
        for known in all_programmes()
        if known.name in kept and (purposes_for(who, known) or SUPERVISOR in who.roles)
    )


def _subjects(who: Asker) -> QuerySet[models.Subject]:
    return models.Subject.objects.filter(
        institution_id=who.institution.id, erased_on=None, kind=SubjectKind.PERSON
    )


@dataclass(frozen=True)
class Person:
    """One line of the list: a code and how things stand. No name and no answer."""

    subject: UUID
    code: str
    form: Words
    """The title of the form that opened the case."""
    received_on: datetime
    given: int
    """Consents in force."""
    not_given: int
    """Purposes to which she said no."""
    ended: int
    """Consents withdrawn or expired."""
    restricted: bool
    held: bool
    erased_after: date | None
    """The last day on which her records are kept, where it is near."""
    erasure_asked: bool


@dataclass(frozen=True)
class People:
    """A page of the list."""

    people: tuple[Person, ...]
    number: int
    total: int
    pages: int


def list_people(who: Asker, number: int, *, now: datetime) -> People:
    """The people of the programmes that the member's roles serve, the newest first, fifty on a page."""
    names = [programme.name for programme in programmes_for(who)]
    rows = _subjects(who).filter(programme__in=names, records__isnull=False).distinct()
    total = rows.count()
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, number), pages)
    start = (number - 1) * PER_PAGE
    newest = rows.annotate(newest=Max("records__received_on")).order_by("-newest", "id")
    return People(_people(newest[start : start + PER_PAGE], now), number, total, pages)


def people_of(who: Asker, subjects: Iterable[UUID], *, now: datetime) -> tuple[Person, ...]:
    """The same lines for subjects that were found."""
    rows = _subjects(who).filter(id__in=list(subjects), records__isnull=False).distinct()
    return _people(
        rows.annotate(newest=Max("records__received_on")).order_by("-newest", "id")[:PER_PAGE], now
    )


def _people(rows: Iterable[models.Subject], now: datetime) -> tuple[Person, ...]:
    soon = now.date() + timedelta(days=settings.DAYS_WITHOUT_GROUND)
    found = []
    for row in rows:
        first = row.records.order_by("received_on", "id").first()
        if first is None:
            continue
        states = [consent_state(one, now) for one in consents_of(row)]
        until = row.records.aggregate(last=Min("keep_until"))["last"]
        found.append(
            Person(
                row.id,
                case_code(row.id),
                programme_named(row.programme).form(first.form).title,
                first.received_on,
                states.count(ConsentState.GIVEN),
                states.count(ConsentState.REFUSED),
                states.count(ConsentState.WITHDRAWN) + states.count(ConsentState.EXPIRED),
                row.restricted,
                is_held(row, now),
                until if until is not None and until <= soon else None,
                row.rights_requests.filter(right="erasure", answered_at=None).exists(),
            )
        )
    return tuple(found)


# Looking for somebody


def find_by_code(who: Asker, text: str) -> tuple[UUID, ...]:
    """The people whose case has that code, in the programmes that the member's roles serve."""
    ids = _ids_of_code(text)
    if ids is None:
        raise Refused(Problem("server.people.not_a_code"))
    names = [programme.name for programme in programmes_for(who)]
    rows = _subjects(who).filter(programme__in=names, id__range=ids)
    return tuple(rows.order_by("id").values_list("id", flat=True)[:PER_PAGE])


def find_person(
    who: Asker, programme: Programme, purpose: str, index: str, text: str, year: str = "", *, now: datetime
) -> tuple[UUID, ...]:
    """The people whose telephone, document or name (with a year of birth) that is; the search is recorded.

    Must not be called inside a transaction: the keyholder writes the line on its own connection.
    """
    terms = tuple(dict.fromkeys(_terms(programme, index, text, year)))[:MOST_TERMS]
    if not terms:
        raise Refused(Problem(f"server.people.nothing_in_{index}"))
    answer = keyholder().search(
        Search(
            institution=who.institution.id,
            member=who.name,
            programme=programme.name,
            purpose=purpose,
            index=index,
            terms=terms,
            second_factor=who.second_factor,
        ),
        now=now,
    )
    if isinstance(answer, Withheld):
        raise NotAllowed(answer.problem)
    return answer


def searchable(programme: Programme) -> frozenset[str]:
    """By what people of the programme are found: ``phone``, ``document``, ``name``."""
    return frozenset(
        search.index.value
        for form in programme.forms
        for search in form.searches
        if form.about is SubjectKind.PERSON and (search.index is not Index.NAME or _asks_birth(form, search))
    )


def _terms(programme: Programme, index: str, text: str, year: str) -> Iterator[tuple[str, ...]]:
    for form in programme.forms:
        for search in form.searches:
            if search.index.value == index:
                for answers in _as_answered(form, search, text, year):
                    for known, parts in search_terms(form, answers):
                        if known == index:
                            yield parts


def _as_answered(form: Form, search: SearchIndex, text: str, year: str) -> Iterator[dict[str, Any]]:
    """What a sheet may have said of somebody with that value: each code of a list that stands beside it."""
    if search.index is not Index.NAME:
        *beside, name = search.fields
        codes = [[choice.name for choice in _choices(form, one)] or [""] for one in beside]
        for chosen in product(*codes):
            yield {**dict(zip(beside, chosen, strict=True)), name: text}
    elif year.isascii() and year.isdigit() and 1900 <= int(year) <= 2200 and _asks_birth(form, search):
        name, *beside = search.fields
        dates = {one: date(int(year), 1, 1) for one in beside if form.field(one).kind == "date"}
        if dates:
            yield {name: text, **dates}
        for one in beside:
            if form.field(one).kind == "integer":
                for asked in (int(year) + 1, int(year)):
                    yield {name: text, form.moment: date(asked, 1, 1), one: 0}


def _asks_birth(form: Form, search: SearchIndex) -> bool:
    return any(form.field(one).kind in ("date", "integer") for one in search.fields[1:])


def _choices(form: Form, name: str) -> tuple[Any, ...]:
    return form.choices.get(form.field(name).list_name or "", ())
