"""Across the ten programmes: what opens without a yes, who receives with one, how people are found, told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resguardo.plan.programme import Form, Programme, built_in
from resguardo.values import Basis, Sensitivity, SubjectKind

PROGRAMMES = built_in()
RIGHTS = {"rights", "legal_claim"}
D, Q, S, P = Sensitivity.IDENTIFIER, Sensitivity.QUASI, Sensitivity.SENSITIVE, Sensitivity.PLAIN
each_programme = pytest.mark.parametrize("programme", PROGRAMMES, ids=lambda programme: programme.name)


def forms() -> Iterator[tuple[Programme, Form]]:
    for programme in PROGRAMMES:
        for form in programme.forms:
            yield programme, form


def levels(form: Form) -> set[Sensitivity]:
    return {field.sensitivity for field in form.fields}


# What opens without a yes

OPEN_WITHOUT_A_YES = {
    "assistance.child_protection": ("registration assessment service referral", {D, Q, S, P}),
    "assistance.emergency": ("registration assessment", {D, Q, S}),
    "assistance.training": ("event official", {D, Q, P}),
    "business_resilience.activities": ("event", {P}),
    "counter_smuggling.law_review": ("provision provision_review", {D, P}),
    "counter_smuggling.incident_analysis": ("incident missing_migrants", {Q, S, P}),
    "counter_smuggling.training": ("event official", {D, Q, P}),
    "data_protection.assessment": (
        "event assessment finding action_progress processing sharing_agreement transfer",
        {D, P},
    ),
    "data_protection.breach_response": ("breach", {S, P}),
    "diaspora.activities": ("event participation organisation need contribution remittance", {P}),
    "disaster_mobility.emergency": ("migrant_contact", {D, Q, S}),
    "disaster_mobility.site_coordination": ("site site_round hazard hazard_report", {D, Q, P}),
    "disaster_mobility.site_protection": ("site site_round", {S, P}),
    "disaster_mobility.training": ("event official representation", {D, Q, P}),
    "disaster_mobility.preparedness": ("contingency_plan plan_guideline", {P}),
    "ethical_recruitment.agency_support": (
        "event agency level_reached self_assessment corrective_action",
        {D, P},
    ),
    "occupations.activities": ("event training_supply demand", {P}),
    "training.certification": ("enrolment completion", {D, P}),
    "training.statistics": ("enrolment attendance completion", {Q, P}),
    "training.activities": ("workshop", {P}),
    "youth_network.activities": ("event activity", {P}),
}


def test_what_opens_without_a_yes_is_this_and_no_more() -> None:
    found = {
        f"{programme.name}.{purpose.name}": (" ".join(purpose.forms), set(purpose.opens))
        for programme in PROGRAMMES
        for purpose in programme.purposes
        if purpose.basis is not Basis.CONSENT and purpose.name not in RIGHTS
    }
    assert found == OPEN_WITHOUT_A_YES


@each_programme
def test_a_purpose_opens_nothing_that_its_forms_do_not_ask(programme: Programme) -> None:
    for purpose in programme.purposes:
        if purpose.name not in RIGHTS:
            asked = {level for form in programme.forms if purpose.covers(form.name) for level in levels(form)}
            assert purpose.opens <= asked, purpose.name


def test_nobody_who_trains_officials_opens_what_a_migrant_said() -> None:
    for programme in PROGRAMMES:
        for purpose in programme.purposes:
            if "trainer" in purpose.roles and purpose.basis is not Basis.CONSENT:
                assert not {"registration", "assessment", "migrant_contact"} & set(purpose.forms)
                assert purpose.forms


@each_programme
def test_every_form_has_a_purpose_besides_the_rights_of_people(programme: Programme) -> None:
    others = [purpose for purpose in programme.purposes if purpose.name not in RIGHTS]
    alone = {
        form.name for form in programme.forms if not any(purpose.covers(form.name) for purpose in others)
    }
    assert alone == ({"rights_request", "rights_answer"} if programme.name == "data_protection" else set())


@each_programme
def test_rights_and_claims_reach_everything_for_as_long_as_anything_is_kept(programme: Programme) -> None:
    longest = max(purpose.retention_days for purpose in programme.purposes)
    for name in RIGHTS:
        purpose = programme.purpose(name)
        assert (purpose.basis, purpose.roles) == (Basis.LEGAL_OBLIGATION, ("data_protection_officer",))
        assert (purpose.opens, purpose.forms) == (frozenset(Sensitivity), ())
        assert purpose.retention_days == longest


COURT = {"es": "si hay un juicio", "en": "court case", "fr": "en cas de procès", "ht": "si gen yon pwosè"}


@each_programme
def test_the_notice_says_what_a_court_case_changes(programme: Programme) -> None:
    for language, text in programme.notices.items():
        assert COURT[language] in text.lower()


# Consent


@each_programme
def test_whoever_may_receive_with_a_yes_is_named_when_it_is_asked(programme: Programme) -> None:
    questions = [consent for form in programme.forms for consent in form.consents]
    for recipient in programme.recipients:
        for name in recipient.purposes:
            if programme.purpose(name).basis is Basis.CONSENT:
                assert any(
                    name in asked.purposes
                    and (asked.receiver is not None or recipient.institution_kind in asked.receiver_kinds)
                    for asked in questions
                ), (recipient.institution_kind, name)


def test_where_a_guardian_is_asked_every_consent_of_the_sheet_waits_for_the_guardian() -> None:
    asked = {form.form_id for _, form in forms() if form.has_field("guardian_consent")}
    assert asked == {
        "assistance_registration",
        "disaster_mobility_migrant_contact",
        "youth_network_ambassador",
        "youth_network_kap_survey",
    }
    for _, form in forms():
        for consent in form.consents:
            assert (consent.guardian == "guardian_consent") is (form.form_id in asked)
            assert (consent.assent is not None) is (form.form_id in asked)


def test_the_language_in_which_a_yes_was_sought_is_that_of_the_person() -> None:
    spoken = {form.form_id: consent.language for _, form in forms() for consent in form.consents}
    assert {form: language for form, language in spoken.items() if language} == {
        "assistance_registration": "language",
        "business_resilience_owner": "language",
    }


# Being found and recognised

NOT_FOUND = {
    "business_resilience_business": "the name is that of a business",
    "training_follow_up": "the address is that of an article",
}


def test_every_form_that_names_somebody_says_by_what_she_is_found() -> None:
    silent = {form.form_id for _, form in forms() if D in levels(form) and not form.searches}
    assert silent == set(NOT_FOUND)


def test_every_person_who_gives_a_name_can_be_recognised_by_an_answer() -> None:
    silent = {
        form.form_id
        for _, form in forms()
        if form.about is SubjectKind.PERSON and form.follows is None and D in levels(form)
        if not form.recognise
    }
    assert silent == set()


def test_documents_and_telephones_are_found_wherever_they_are_asked() -> None:
    found = {
        (form.form_id, search.index.value, search.fields[-1])
        for _, form in forms()
        for search in form.searches
        if search.index.value != "name"
    }
    assert found == {
        ("assistance_registration", "document", "id_doc_no"),
        ("assistance_registration", "phone", "phone"),
        ("business_resilience_owner", "phone", "phone"),
        ("data_protection_rights_request", "document", "holder_id_doc"),
        ("disaster_mobility_site", "phone", "focal_phone"),
        ("ethical_recruitment_agency", "phone", "contact_phone"),
        ("ethical_recruitment_worker_interview", "document", "passport_no"),
        ("ethical_recruitment_worker_interview", "phone", "phone"),
        ("occupations_establishment", "phone", "respondent_phone"),
        ("training_enrolment", "document", "identity_document"),
        ("training_enrolment", "phone", "phone"),
        ("youth_network_ambassador", "phone", "phone"),
    }


# Where people come from


def test_where_a_person_comes_from_is_known_to_the_rule_that_keeps_her_from_being_sent_there() -> None:
    origins = {form.form_id: form.origin for _, form in forms() if form.origin}
    assert origins == {
        "assistance_registration": "nationality",
        "business_resilience_owner": "owner_nationality",
        "data_protection_rights_request": "holder_country_of_origin",
        "diaspora_member": "origin_country",
        "disaster_mobility_migrant_contact": "nationality",
        "ethical_recruitment_worker_interview": "nationality",
    }
    asylum = {form.form_id: str(form.asylum) for _, form in forms() if form.asylum}
    assert asylum == {"assistance_registration": "asylum_wish = yes"}


# What the person reads

TOLD = ("assistance", "diaspora", "ethical_recruitment", "training", "youth_network")


def test_people_read_plain_words_of_their_own_for_each_group_that_is_held() -> None:
    for programme, form in forms():
        if programme.name in TOLD and form.about is SubjectKind.PERSON:
            assert set(form.groups) == levels(form), form.form_id
            for words in form.groups.values():
                assert set(words) == {"es", "en", "fr", "ht"}
                assert all(len(text.split()) < 16 for text in words.values()), words


@each_programme
def test_no_group_is_without_words_in_any_language(programme: Programme) -> None:
    for form in programme.forms:
        for level in levels(form):
            titles = {form.group_title(level, language) for language in ("es", "en", "fr", "ht")}
            assert all(titles)


def test_no_words_that_somebody_may_read_over_a_shoulder_name_asylum_or_violence() -> None:
    for _, form in forms():
        for words in form.groups.values():
            for text in words.values():
                assert not {"asilo", "asylum", "asile", "azil", "violencia", "violence"} & set(
                    text.lower().replace(",", "").split()
                )
