"""Counting learns codes, bands, months and whole numbers of a submission, and nothing else."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.collect.sheets import PEOPLE, form_of, people, said

from resguardo.collect.fact import age_on, facts_of
from resguardo.plan.fact import AGE_BANDS, FactSource, age_band, automatic_fact, derived_fact
from resguardo.plan.programme import Form
from resguardo.values import Institution, InstitutionKind, Population, SubjectKind

SHELTER = Institution(UUID(int=1), "casa-del-migrante", "Casa del Migrante", InstitutionKind.SHELTER, "GT")
TEXT = people().text
PLAIN = people()


def automatic(name: str) -> FactSource:
    return automatic_fact(TEXT, PLAIN.field(name))


def derived(name: str, source: str, derivation: Any) -> FactSource:
    return derived_fact(TEXT, PLAIN.field(source), name, derivation)


FACTS = (
    automatic("sex"),
    automatic("services"),
    automatic("children"),
    automatic("member_services"),
    derived("age_band", "born_on", "age_band"),
    derived("children_band", "children", "count_band"),
    derived("birth_year", "born_on", "year"),
    derived("birth_month", "born_on", "month"),
    derived("years", "age", "number"),
)
FORM = form_of(PEOPLE, facts=FACTS)
ROSA = said(
    FORM,
    code="GT-001",
    seen_on=date(2024, 3, 15),
    name="CANARY-NAME",
    born_on=date(2006, 3, 15),
    sex="female",
    pregnant="yes",
    country="HT",
    services=("food", "legal"),
    children=2,
    fee=Decimal("12.5"),
    consent="yes",
    place="14.6 -90.5",
    story="CANARY-STORY",
    age=18,
    member=(
        {"member_services": ("shelter",)},
        {"member_services": ("food", "shelter")},
        {"member_services": None},
    ),
)


def facts(form: Form = FORM, **changes: Any) -> dict[str, Any]:
    return dict(facts_of(form, ROSA | changes, institution=SHELTER))


def test_facts_are_those_that_the_form_names() -> None:
    assert facts() == {
        "country": "HT",
        "institution": "casa-del-migrante",
        "institution_kind": "shelter",
        "institution_country": "GT",
        "month": "2024-03",
        "year": "2024",
        "sex": "female",
        "services": ("food", "legal"),
        "children": 2,
        "member_services": ("food", "shelter"),
        "age_band": "18-24",
        "children_band": "1-4",
        "birth_year": "2006",
        "birth_month": "2006-03",
        "years": 18,
    }
    assert tuple(sorted(facts())) == tuple(sorted(FORM.fact_names))


def test_no_identifier_no_free_text_and_no_exact_date_get_through() -> None:
    said_of_rosa = repr(facts())
    for secret in ("CANARY", "GT-001", "2024-03-15", "2006-03-15", "14.6", "12.5", "pregnant"):
        assert secret not in said_of_rosa


def test_a_missing_answer_is_none_and_never_a_guess() -> None:
    nothing = dict(facts_of(FORM, {}, institution=SHELTER))
    assert {name: value for name, value in nothing.items() if value is not None} == {
        "institution": "casa-del-migrante",
        "institution_kind": "shelter",
        "institution_country": "GT",
    }
    assert set(nothing) == set(FORM.fact_names)


def test_without_a_country_of_its_own_a_record_counts_under_the_institutions() -> None:
    assert facts(form_of(PEOPLE, country=None))["country"] == "GT"


def test_the_age_is_that_of_the_day_of_the_record() -> None:
    assert facts(seen_on=date(2024, 3, 14))["age_band"] == "15-17"
    assert facts(seen_on=datetime(2024, 3, 15, 23, 59))["age_band"] == "18-24"
    assert facts(seen_on=None)["age_band"] is None


def test_who_was_born_later_or_too_long_ago_has_no_age() -> None:
    assert facts(born_on=date(2024, 3, 16))["age_band"] is None
    assert facts(born_on=date(1890, 1, 1))["age_band"] is None


def test_an_age_in_years_is_banded_too() -> None:
    source = FactSource(
        "band", "children", "age_band", "age_band", AGE_BANDS, PLAIN.field("children").sensitivity
    )
    form = form_of(PEOPLE, facts=(source,))
    assert facts(form, children=12)["band"] == "12-14"
    assert facts(form, children=-1)["band"] is None
    assert facts(form, children=400)["band"] is None


def test_a_number_with_decimals_is_not_made_whole() -> None:
    assert facts(age=Decimal("18.5"))["years"] is None
    assert facts(age=Decimal("18.0"))["years"] == 18
    assert facts(age="eighteen")["years"] is None
    assert facts(children=-2)["children_band"] is None


@pytest.mark.parametrize(
    ("about", "population", "has_day"),
    [
        (SubjectKind.EVENT, Population.OPEN, True),
        (SubjectKind.INCIDENT, Population.OPEN, True),
        (SubjectKind.EVENT, Population.PROTECTED, False),
        (SubjectKind.PERSON, Population.OPEN, False),
    ],
)
def test_only_public_things_that_are_no_people_keep_their_day(
    about: SubjectKind, population: Population, has_day: bool
) -> None:
    found = facts(form_of(PEOPLE, about=about, population=population))
    assert ("day" in found) is has_day
    assert found.get("day", "2024-03-15") == "2024-03-15"


@given(st.integers(0, 130))
def test_age_bands_part_all_ages(years: int) -> None:
    holding = [band for band in AGE_BANDS if _holds(band, years)]
    assert holding == [age_band(years)]


def _holds(band: str, years: int) -> bool:
    if band.endswith("+"):
        return years >= int(band[:-1])
    least, most = band.split("-")
    return int(least) <= years <= int(most)


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 125))
def test_an_age_grows_on_the_birthday(born: date, years: int) -> None:
    try:
        birthday = born.replace(year=born.year + years)
    except ValueError:  # born on 29 February
        birthday = date(born.year + years, 3, 1)
    assert age_on(born, birthday) == years
    before = date.fromordinal(birthday.toordinal() - 1)
    assert age_on(born, before) == (years - 1 if years else None)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(
                st.none(), st.text(max_size=5), st.integers(-(10**6), 10**6), st.dates(), st.datetimes(),
                st.decimals(allow_nan=False, allow_infinity=False), st.just(("food",)),
            )
            for name in ("seen_on", "born_on", "age", "children", "services", "sex", "country")
        },
    )
)  # fmt: skip
def test_facts_of_any_answers_are_made_without_a_refusal(answers: dict[str, Any]) -> None:
    found = facts_of(FORM, answers, institution=SHELTER)
    assert set(found) == set(FORM.fact_names)
