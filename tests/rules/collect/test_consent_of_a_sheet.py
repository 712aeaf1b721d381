"""What a sheet says about consent: to whom, by whom, until when; a no of a guardian or a child is a no."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.plan.test_programme import edit, with_questions

from resguardo.allow.consent import ConsentBy
from resguardo.collect.consent import SaidConsent, consents_said, short_name
from resguardo.plan.programme import Form, load_programme, new_programme, programme_called

TODAY = date(2026, 6, 10)
ASSISTANCE = programme_called("assistance")
REGISTRATION = ASSISTANCE.form("registration")
REFERRAL = ASSISTANCE.form("referral")
AMBASSADOR = programme_called("youth_network").form("ambassador")
MEMBER = programme_called("diaspora").form("member")

YESENIA: dict[str, Any] = {
    "registered_on": date(2026, 5, 20),
    "age": 34,
    "consent_assistance": "yes",
    "language": "quc",
    "consent_manner": "interpreter",
}


def said(form: Form, /, **answers: Any) -> list[SaidConsent]:
    return list(consents_said(form, {"registered_on": date(2026, 5, 20), **answers}, today=TODAY))


def given_to(found: list[SaidConsent], purpose: str) -> set[tuple[str | None, bool]]:
    return {(one.receiver, one.given) for one in found if one.purpose == purpose}


# Of an adult


def test_a_yes_has_its_day_its_language_and_its_manner() -> None:
    assert said(REGISTRATION, **YESENIA) == [
        SaidConsent(
            purpose="assistance",
            receiver=None,
            given=True,
            said_on=date(2026, 5, 20),
            language="quc",
            by="self",
            assent=None,
            until=None,
            withdrawn_on=None,
            manner="interpreter",
        )
    ]


def test_a_question_that_was_not_answered_says_nothing() -> None:
    assert said(REGISTRATION, **YESENIA | {"consent_assistance": None}) == []


def test_any_other_answer_than_the_yes_is_a_no() -> None:
    (answer,) = said(REGISTRATION, **YESENIA | {"consent_assistance": "no"})
    assert not answer.given


def test_the_last_day_is_kept() -> None:
    (answer,) = said(REGISTRATION, **YESENIA, consent_until=date(2026, 7, 1))
    assert (answer.until, answer.withdrawn_on) == (date(2026, 7, 1), None)


def test_what_was_taken_back_is_said_again_as_a_no_on_its_day() -> None:
    first, then = said(REGISTRATION, **YESENIA, consent_withdrawn_on=date(2026, 6, 2))
    assert (first.given, first.said_on, first.withdrawn_on) == (True, date(2026, 5, 20), date(2026, 6, 2))
    assert (then.given, then.said_on, then.withdrawn_on) == (False, date(2026, 6, 2), None)


def test_a_sheet_without_a_day_was_said_today() -> None:
    (answer,) = said(REGISTRATION, **YESENIA | {"registered_on": None})
    assert answer.said_on == TODAY
    (answer,) = said(REGISTRATION, **YESENIA | {"registered_on": datetime(2026, 5, 20, 23)})
    assert answer.said_on == date(2026, 5, 20)


@pytest.mark.parametrize("language", ["other", None])
def test_a_language_that_the_list_does_not_have_is_left_empty(language: str | None) -> None:
    (answer,) = said(REGISTRATION, **YESENIA | {"language": language})
    assert answer.language == ""


# Of a minor


@pytest.mark.parametrize(
    ("guardian", "assent", "given", "by"),
    [
        ("yes", "yes", True, "guardian"),
        ("yes", None, True, "guardian"),
        ("authority", "yes", True, "authority"),
        ("authority", None, True, "authority"),
        ("yes", "no", False, "guardian"),
        ("authority", "no", False, "authority"),
        ("no", "yes", False, "self"),
        ("no", "no", False, "self"),
        (None, "yes", False, "self"),
        (None, None, False, "self"),
    ],
)
def test_a_minor_consents_with_a_guardian_or_an_authority(
    guardian: str | None, assent: str | None, given: bool, by: str
) -> None:
    answers = YESENIA | {"age": 15, "guardian_consent": guardian, "child_assent": assent}
    (answer,) = said(REGISTRATION, **answers)
    assert (answer.given, answer.by) == (given, by)
    assert answer.assent is {"yes": True, "no": False, None: None}[assent]


@pytest.mark.parametrize(("age", "given"), [(17, False), (18, True), (0, False), (None, False)])
def test_eighteen_is_of_age_and_an_age_that_is_not_known_is_a_minors(age: int | None, given: bool) -> None:
    (answer,) = said(REGISTRATION, **YESENIA | {"age": age})
    assert answer.given is given


@pytest.mark.parametrize(
    ("under", "guardian", "given"),
    [
        ("no", None, True),
        ("yes", None, False),
        ("yes", "yes", True),
        ("yes", "no", False),
        (None, None, False),
    ],
)
def test_a_minor_may_be_known_by_an_answer(under: str | None, guardian: str | None, given: bool) -> None:
    found = said(AMBASSADOR, consent_network="yes", under_18=under, guardian_consent=guardian)
    assert {one.given for one in found} == {given}
    assert {one.purpose for one in found} == {"network", "learning"}


@pytest.mark.parametrize("name", ["guardian_consent", "child_assent"])
def test_a_no_of_somebody_else_is_a_no_at_any_age(name: str) -> None:
    (answer,) = said(REGISTRATION, **YESENIA, **{name: "no"})
    assert not answer.given


@given(
    age=st.none() | st.integers(0, 120),
    guardian=st.sampled_from([None, "yes", "no", "authority"]),
    assent=st.sampled_from([None, "yes", "no"]),
    answer=st.sampled_from(["yes", "no"]),
)
def test_no_yes_of_a_minor_stands_without_a_guardian_or_against_a_no(
    age: int | None, guardian: str | None, assent: str | None, answer: str
) -> None:
    answers = YESENIA | {"age": age, "guardian_consent": guardian, "child_assent": assent}
    (found,) = said(REGISTRATION, **answers | {"consent_assistance": answer})
    if found.given:
        assert answer == "yes"
        assert "no" not in (guardian, assent)
        assert (age is not None and age >= 18) or guardian in ("yes", "authority")
    assert ConsentBy(found.by)


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    folder = new_programme(tmp_path, "visits")
    with_questions(
        folder,
        "date | born | Nació | Born | yes | | | | quasi |",
        "select_one age_band | band | Edad | Age | yes | | | | quasi |",
        "select_one yes_no | guardian | Tutor | Guardian | | | | | plain |",
    )
    bands = "".join(f"| | age_band | {code} | {code} | {code} |\n" for code in ("15-17", "18-24"))
    edit(folder, "|         | yes_no    | no ", f"{bands}|         | yes_no    | no ", "forms/visit.md")
    return folder


@pytest.mark.parametrize(
    ("key", "answer", "given"),
    [
        ("born", date(2008, 6, 2), False),
        ("born", date(2008, 6, 1), True),
        ("band", "15-17", False),
        ("band", "18-24", True),
    ],
)
def test_an_age_may_be_a_date_of_birth_or_a_band(visits: Path, key: str, answer: Any, given: bool) -> None:
    edit(visits, "receiver_kinds = ", f'age = "{key}"\nguardian = "guardian"\nreceiver_kinds = ')
    form = load_programme(visits).form("visit")
    answers = {"visited_on": date(2026, 6, 1), "consent_help": "yes", key: answer}
    assert {found.given for found in consents_said(form, answers, today=TODAY)} == {given}


# To whom


def test_the_kinds_that_a_question_names_receive_and_the_house_may_open() -> None:
    found = said(MEMBER, consent_register="yes", consent_contact="no", consent_government="yes")
    assert given_to(found, "matching") == {(None, True)}
    assert given_to(found, "government_contact") == {(None, True), ("ministry", True), ("consulate", True)}
    assert given_to(found, "contact") == {("ngo", False), ("university", False), ("chamber", False)}


def test_an_institution_that_is_named_receives_under_its_short_name() -> None:
    referred = {"sent_on": date(2026, 5, 21), "consent_receiver": "yes", "receiver": "Casa Tres Ríos"}
    found = said(REFERRAL, **referred, shared_until=date(2026, 6, 20))
    assert given_to(found, "referral") == {(None, True), ("casa-tres-rios", True)}
    assert {one.until for one in found} == {date(2026, 6, 20)}
    assert {one.said_on for one in found} == {date(2026, 5, 21)}


def test_a_no_that_names_nobody_is_a_no_to_all() -> None:
    assert given_to(said(REFERRAL, consent_receiver="no"), "referral") == {(None, False)}
    assert given_to(said(REFERRAL, consent_receiver="no", receiver="Casa Uno"), "referral") == {
        ("casa-uno", False)
    }


def test_several_kinds_may_be_ticked(visits: Path) -> None:
    with_questions(visits, "select_multiple service | to_whom | Recibe | Receives | | | | | plain |")
    edit(visits, 'receiver_kinds = ["shelter"] ', 'receiver = "to_whom" ')
    form = load_programme(visits).form("visit")
    answers = {"visited_on": TODAY, "consent_help": "yes", "to_whom": ("food", "health")}
    found = consents_said(form, answers, today=TODAY)
    assert [one.receiver for one in found] == [None, "food", "health"]


def test_a_short_name_fits_where_it_is_kept() -> None:
    assert short_name("  CLÍNICA «La Paz», A.C. ") == "clinica-la-paz-a-c"
    assert short_name("international_organisation") == "international_organisation"
    assert short_name("—") == ""
    assert len(short_name("Asociación de personas " * 9)) <= 60


# Of a corrected sheet


def test_of_a_correction_only_what_it_touches_is_said_again() -> None:
    answers = YESENIA | {"consent_consulate": "yes"}
    assert consents_said(REGISTRATION, answers, today=TODAY, corrected=("sex", "language")) == ()
    touched = consents_said(REGISTRATION, answers, today=TODAY, corrected=("consent_consulate",))
    assert {one.purpose for one in touched} == {"consular_contact"}
    by_age = consents_said(REGISTRATION, answers | {"age": 16}, today=TODAY, corrected=("age",))
    assert {(one.purpose, one.given) for one in by_age} == {
        ("assistance", False),
        ("consular_contact", False),
    }


def test_a_yes_that_a_correction_empties_is_a_no() -> None:
    answers = YESENIA | {"consent_assistance": None}
    (answer,) = consents_said(REGISTRATION, answers, today=TODAY, corrected=("consent_assistance",))
    assert not answer.given
