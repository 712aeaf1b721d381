"""A person is found by document, telephone or a name with something beside it; an answer recognises her."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.collect.search import (
    bare_words,
    recognising_answer,
    recognising_answers,
    search_terms,
    telephone,
)
from resguardo.keep.keys import normal_form
from resguardo.plan.declaration import Index
from resguardo.plan.programme import built_in, programme_called
from resguardo.values import Sensitivity

REGISTRATION = programme_called("assistance").form("registration")
ENROLMENT = programme_called("training").form("enrolment")
REQUEST = programme_called("data_protection").form("rights_request")

YESENIA: dict[str, Any] = {
    "registered_on": date(2026, 5, 20),
    "age": 34,
    "name": "Yesenia Maribel Orellana",
    "id_doc_type": "passport",
    "id_doc_no": "E-7741902",
    "phone": "+503 7777-0155",
    "asylum_wish": "yes",
}


def terms(form: Any = REGISTRATION, /, **answers: Any) -> set[tuple[str, tuple[str, ...]]]:
    return set(search_terms(form, answers))


def found(one: dict[str, Any], other: dict[str, Any], index: str) -> bool:
    """Whether a record of the one is found with what the other says."""
    return bool({term for term in terms(**one) & terms(**other) if term[0] == index})


def born(name: str, day: date | None = date(1991, 7, 3), **more: Any) -> dict[str, Any]:
    return {"registered_on": date(2026, 5, 20), "name": name, "birth_date": day, **more}


# Documents and telephones


@pytest.mark.parametrize("written", ["E-7741902", "e 7741902", "Ｅ７７４１９０２", "E.774.1902"])
def test_a_document_is_found_however_it_is_spelt(written: str) -> None:
    assert found(YESENIA, {"id_doc_type": "passport", "id_doc_no": written}, "document")


def test_the_number_of_another_kind_of_document_is_another_document() -> None:
    assert not found(YESENIA, {"id_doc_type": "national_id", "id_doc_no": "E-7741902"}, "document")


def test_a_document_has_country_kind_and_number_also_where_the_form_asks_less() -> None:
    assert ("document", ("", "passport", "e7741902")) in terms(**YESENIA)
    assert terms(REQUEST, holder_id_doc="DUI 01234567-8") == {("document", ("", "", "dui012345678"))}


@pytest.mark.parametrize("written", ["7777 0155", "50377770155", "(503) 7777.0155", "00503 77770155"])
def test_a_telephone_is_found_with_and_without_the_code_of_its_country(written: str) -> None:
    assert found(YESENIA, {"phone": written}, "phone")


@pytest.mark.parametrize("written", ["911", "no tiene", "", "12-34-5"])
def test_what_is_no_telephone_is_not_searched(written: str) -> None:
    assert telephone(written) == ""
    assert terms(phone=written) == set()


# Names


@pytest.mark.parametrize(
    "said",
    [
        "YESENIA MARIBEL ORELLANA",
        "Orellana, Yesenia Maribel",
        "Yesenia Orellana",
        "yesénia oréllana de Portillo",
        "Maribel Orellana",
    ],
)
def test_a_name_is_found_in_any_order_and_with_a_part_left_out(said: str) -> None:
    assert found(born("Yesenia Maribel Orellana"), born(said), "name")


@pytest.mark.parametrize("said", ["Yesenia Portillo", "Yesenia", "Maribel", "Ana Portillo"])
def test_one_word_in_common_does_not_find_a_name_of_several(said: str) -> None:
    assert not found(born("Yesenia Maribel Orellana"), born(said), "name")


def test_the_same_name_of_another_year_is_somebody_else() -> None:
    assert not found(born("Ana Portillo"), born("Ana Portillo", date(1992, 7, 3)), "name")


def test_somebody_who_gave_an_age_was_born_in_one_of_two_years() -> None:
    aged = {"registered_on": date(2026, 5, 20), "name": "Ana Portillo", "age": 34}
    assert found(born("Ana Portillo", date(1991, 7, 3)), aged, "name")
    assert found(born("Ana Portillo", date(1992, 3, 3)), aged, "name")
    assert not found(born("Ana Portillo", date(1990, 7, 3)), aged, "name")


def test_a_date_of_birth_counts_before_an_age() -> None:
    assert {parts[-1] for _, parts in terms(**born("Ana Portillo", age=60))} == {"1991"}


def test_another_name_that_somebody_uses_finds_her_too() -> None:
    assert found(born("Ana Portillo", alias="Luz Marina"), born("Marina, Luz"), "name")


def test_a_name_without_anything_beside_it_is_not_searched() -> None:
    assert terms(**born("Ana Portillo", None)) == set()
    assert terms(ENROLMENT, full_name="Ana Portillo") == set()
    assert terms(ENROLMENT, full_name="Ana Portillo", country="HN") == {("name", ("ana", "portillo", "hn"))}


def test_a_person_of_a_single_name_is_found_by_it() -> None:
    assert terms(**born("Marisol")) == {("name", ("", "marisol", "1991"))}


def test_small_words_of_names_do_not_count() -> None:
    assert terms(**born("María de los Ángeles")) == {("name", ("angeles", "maria", "1991"))}
    assert terms(**born("De La")) == {("name", ("de", "la", "1991"))}


def test_a_long_name_makes_few_terms() -> None:
    long = born("Ana Inés Guadalupe Concepción Portillo Santamaría Xitumul Ac", None, age=34)
    assert len(terms(**long)) == 20
    assert terms(**long) == terms(**long | {"name": " ".join(reversed(long["name"].split()))})


@given(name=st.text(max_size=60), year=st.integers(1920, 2020), country=st.sampled_from(["HN", "GT"]))
def test_no_term_of_a_name_is_a_name_alone(name: str, year: int, country: str) -> None:
    for form, answers in (
        (REGISTRATION, born(name, date(year, 5, 5))),
        (ENROLMENT, {"full_name": name, "country": country}),
    ):
        for index, parts in search_terms(form, answers):
            assert index == "name"
            assert len(parts) == 3
            assert parts[2] in (str(year), country.casefold())


@given(st.text(max_size=40))
def test_the_words_of_a_text_joined_are_what_the_keyholder_makes_of_it(text: str) -> None:
    plain = "".join(sign for sign in text if sign not in "ʼ")  # a letter to Unicode, here an apostrophe
    assert "".join(bare_words(plain)) == normal_form(plain)


def test_no_form_of_ours_searches_a_sensitive_answer_or_a_name_alone() -> None:
    for programme in built_in():
        for form in programme.forms:
            for search in form.searches:
                levels = {form.field(name).sensitivity for name in search.fields}
                assert Sensitivity.SENSITIVE not in levels
                assert search.index is not Index.NAME or len(search.fields) > 1


# Recognising


def test_what_somebody_said_is_recognised_however_it_is_typed() -> None:
    kept = recognising_answers(REGISTRATION, YESENIA | {"birth_date": date(1991, 7, 3)})
    typed = {
        "name": "  orellana  YESENIA maribel",
        "birth_date": "1991-07-03",
        "phone": "7777 0155",
        "id_doc_no": "e7741902",
    }
    assert kept == {name: recognising_answer(REGISTRATION, name, answer) for name, answer in typed.items()}


def test_nobody_is_recognised_by_saying_nothing() -> None:
    assert recognising_answers(REGISTRATION, {"name": "", "phone": None, "birth_date": None}) == {}
    assert recognising_answer(REGISTRATION, "phone", "911") == ""
    assert recognising_answer(REGISTRATION, "birth_date", "3 de julio") == ""
    assert recognising_answer(REGISTRATION, "name", " — ") == ""


def test_a_moment_is_compared_by_its_day() -> None:
    assert recognising_answer(REGISTRATION, "birth_date", datetime(1991, 7, 3, 9)) == "1991-07-03"


def test_another_name_is_not_recognised() -> None:
    kept = recognising_answers(REGISTRATION, YESENIA)
    assert kept["name"] != recognising_answer(REGISTRATION, "name", "Yesenia Orellana")
