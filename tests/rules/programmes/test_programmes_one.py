"""Facts about five programmes: data protection, occupations, youth network, ethical recruitment, business
resilience. What each asks and how it is classed, what none asks, and what the news counts."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resguardo.collect.fact import facts_of
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import Rejected, Submission, check_answers, read_submissions
from resguardo.count.indicator import Count, specify
from resguardo.plan.programme import Form, Programme, cautions, programme_called
from resguardo.values import Institution, InstitutionKind, Population, Sensitivity, SubjectKind

TODAY = date(2026, 11, 24)
NAMES = ("business_resilience", "data_protection", "ethical_recruitment", "occupations", "youth_network")
OFFICE = Institution(UUID(int=7), "office", "Office", InstitutionKind.REGIONAL_OFFICE, "CR")


@cache
def programme(name: str) -> Programme:
    return programme_called(name)


each_programme = pytest.mark.parametrize("name", NAMES)


@each_programme
def test_it_loads_and_nothing_in_it_calls_for_caution(name: str) -> None:
    assert cautions(programme(name)) == ()


@each_programme
def test_every_indicator_is_a_table_of_the_catalogue(name: str) -> None:
    for indicator in programme(name).indicators:
        by = tuple(fact for fact in indicator.dimensions if fact not in ("day", "ended_day"))[:3]
        assert specify(programme(name), Count(f"{name}.{indicator.name}", by=by)).measure == indicator.measure


# What is asked, and its class

D, Q, S, P = Sensitivity.IDENTIFIER, Sensitivity.QUASI, Sensitivity.SENSITIVE, Sensitivity.PLAIN

ASKED: Mapping[str, Mapping[Sensitivity, str]] = {
    "data_protection.assessment": {
        P: "institution_code institution_name institution_type country assessed_on methods",
        D: "assessor_name",
    },
    "data_protection.finding": {
        P: "principle score evidence_ref need need_text action_code action_text action_due",
    },
    "data_protection.processing": {
        P: "processing_id purpose_text legal_basis data_categories contains_children contains_health"
        " retention_days recipients dpia_id dsa_id",
    },
    "data_protection.breach": {P: "breach_kind people_affected hours_to_notice", S: "description"},
    "data_protection.rights_request": {
        P: "request_id received_on right due_on",
        D: "holder_name holder_id_doc contact representative_name representative_proof",
        Q: "holder_country_of_origin holder_language",
        S: "data_described",
    },
    "data_protection.rights_answer": {P: "request_id answered_on outcome"},
    "occupations.establishment": {
        P: "establishment_id isic stratum_total stratum_respondents weight employees_now employees_foreign",
        Q: "region_gy size_class",
        D: "business_name respondent_name respondent_phone",
        S: "output_value_gyd",
    },
    "occupations.occupation_line": {
        P: "isco headcount women over_55 vacancies hard_to_fill reason_code expected_hires_2022"
        " expected_hires_2023 expected_hires_2024 expected_hires_2025 expected_hires_2026 skill_gaps"
        " recruits_abroad permit_needed",
    },
    "occupations.training_supply": {
        P: "institution_name training_programme isco graduates_year completion_percent placement_percent",
    },
    "youth_network.ambassador": {
        P: "ambassador_code image_consent story_consent trained_on modules_done status",
        D: "full_name phone social_handle photo guardian_name guardian_consent_ref",
        Q: "birth_date sex municipality recruited_by",
        S: "migration_history",
    },
    "youth_network.activity": {
        P: "activity_id type held_on place lead_person_ids reached_count reached_women reached_under18"
        " method repeat_share",
    },
    "youth_network.kap_survey": {
        P: "respondent_code exposed wave knowledge_1 attitude_1 practice_1",
        Q: "age_band sex municipality",
        S: "intends_to_migrate",
    },
    "ethical_recruitment.agency": {
        P: "agency_code legal_name licence_no country sector corridors workers_placed_year subagents"
        " cbp_level certified_until",
        D: "owner_name contact_person contact_phone",
    },
    "ethical_recruitment.self_assessment": {
        P: "criterion control_point answer score evidence_ref assessor_type nonconformity corrective_action"
        " due",
    },
    "ethical_recruitment.worker_interview": {
        P: "interview_code",
        Q: "nationality age_band sex",
        D: "name passport_no phone",
        S: "fee_paid_usd debt_usd documents_held_by contract_language_ok contract_substituted"
        " grievance_filed grievance_outcome fears_reprisal",
    },
    "business_resilience.owner": {
        D: "owner_name phone",
        Q: "owner_nationality owner_sex owner_age_band language",
    },
    "business_resilience.business": {
        P: "business_id employees_n employees_women location_01 location_18",
        D: "business_name address",
        Q: "parish sector_isic started_year registered",
        S: "monthly_sales_band_xcd savings_months insured insurance_type loan past_events days_closed"
        " loss_xcd",
    },
    "business_resilience.hazard_rating": {P: "hazard likelihood impact"},
    "business_resilience.capability_check": {P: "capability_01 capability_64"},
    "business_resilience.continuity_plan": {
        P: "bcp_written_on bcp_exercised_on bcp_reviewed_on activity rto_hours mtpd_hours needs_to_resume",
    },
    "business_resilience.attendance": {P: "workshop_id attended certificate"},
    "business_resilience.six_month_follow_up": {P: "plan_exists days_to_reopen_after_event"},
}


@pytest.mark.parametrize("place", ASKED)
def test_each_question_has_the_class_that_its_harm_calls_for(place: str) -> None:
    form = form_at(place)
    expected = {field: level for level, fields in ASKED[place].items() for field in fields.split()}
    assert {field: form.field(field).sensitivity for field in expected} == expected


def form_at(place: str) -> Form:
    name, _, form = place.partition(".")
    return programme(name).form(form)


@each_programme
def test_what_must_not_be_asked_is_not_asked(name: str) -> None:
    unasked = re.compile(
        r"migra(tion|tory)_status|legal_status|permit_type|visa|politic|party|vote|religio|faith|ethnic|race"
        r"|orientation|smuggler|coyote|address_of_origin"
    )
    for form in programme(name).forms:
        assert [field.name for field in form.fields if unasked.search(field.name)] == []


def test_a_business_owner_is_not_asked_about_migration() -> None:
    for form in programme("business_resilience").forms:
        for field in form.fields:
            assert "migra" not in field.name


def test_the_survey_of_young_people_has_no_name() -> None:
    assert form_at("youth_network.kap_survey").in_group(D) == ()


@each_programme
def test_events_hold_numbers_and_no_people(name: str) -> None:
    event = programme(name).form("event")
    assert event.about is SubjectKind.EVENT
    assert event.population is Population.OPEN
    assert {field.sensitivity for field in event.fields} == {P}
    assert {"title", "kind", "topic", "target_group", "place", "countries_represented"} <= {
        field.name for field in event.fields
    }


def test_people_are_protected_wherever_they_are_the_subject() -> None:
    for name in NAMES:
        for form in programme(name).forms:
            if form.about in (SubjectKind.PERSON, SubjectKind.BUSINESS):
                assert form.population.care >= Population.PROTECTED.care, form.form_id


def test_where_a_subject_is_seen_again_there_is_a_form_that_follows() -> None:
    follows = {form.form_id: form.follows for name in NAMES for form in programme(name).forms if form.follows}
    assert (
        follows.items()
        >= {
            "data_protection_action_progress": "assessment",
            "data_protection_rights_answer": "rights_request",
            "occupations_occupation_line": "establishment",
            "youth_network_ambassador_activity": "ambassador",
            "youth_network_ambassador_check": "ambassador",
            "ethical_recruitment_corrective_action": "agency",
            "ethical_recruitment_grievance_follow_up": "worker_interview",
            "business_resilience_attendance": "owner",
            "business_resilience_six_month_follow_up": "business",
        }.items()
    )


# Few people, few words


def test_owners_are_counted_in_total_only() -> None:
    for indicator in programme("business_resilience").indicators:
        form = programme("business_resilience").form(indicator.form)
        if form.about is SubjectKind.PERSON:
            assert indicator.dimensions == ()
        elif form.about is SubjectKind.BUSINESS:
            assert set(indicator.dimensions) <= {"hazard"}


def test_the_name_of_an_interviewed_worker_reaches_no_other_institution() -> None:
    recruitment = programme("ethical_recruitment")
    shared = {purpose for recipient in recruitment.recipients for purpose in recipient.purposes}
    workers = {
        purpose
        for form in recruitment.forms
        for consent in form.consents
        for purpose in consent.purposes
        if form.about is SubjectKind.PERSON
    }
    assert workers == {"worker_interview", "worker_follow_up"}
    assert not workers & shared
    assert D not in recruitment.purpose("worker_interview").opens


def test_a_photo_and_a_story_have_consents_of_their_own() -> None:
    consents = [
        (consent.field, consent.purposes, consent.receiver_kinds)
        for consent in form_at("youth_network.ambassador").consents
    ]
    media, office = (InstitutionKind.MEDIA,), (InstitutionKind.REGIONAL_OFFICE,)
    assert consents == [
        ("consent_network", ("network",), ()),
        ("consent_network", ("learning",), office),
        ("image_consent", ("image",), media),
        ("story_consent", ("story",), media),
    ]


@each_programme
def test_the_notice_has_short_sentences(name: str) -> None:
    for language, text in programme(name).notices.items():
        for line in text.splitlines():
            for sentence in re.split(r"(?<=[.!?])\s+", line.lstrip("# ").strip()):
                words = [word for word in sentence.split() if re.search(r"\w", word)]
                assert len(words) < 16, (language, sentence)


YEARS = {
    "es": {365: "un año", 730: "dos años", 1095: "tres años", 1825: "cinco años"},
    "en": {365: "one year", 730: "two years", 1095: "three years", 1825: "five years"},
    "fr": {365: "un an", 730: "deux ans", 1095: "trois ans", 1825: "cinq ans"},
    "ht": {365: "yon ane", 730: "de ane", 1095: "twa ane", 1825: "senk ane"},
}


@each_programme
def test_the_notice_says_how_long_everything_that_people_agree_to_is_kept(name: str) -> None:
    agreed = {
        purpose for form in programme(name).forms for consent in form.consents for purpose in consent.purposes
    } or {"rights"}
    for language, text in programme(name).notices.items():
        for purpose in agreed:
            days = programme(name).purpose(purpose).retention_days
            assert YEARS[language][days] in text.lower(), (language, purpose)


# Reference tables


def rows_of(name: str, table: str) -> tuple[Mapping[str, str], ...]:
    return programme(name).table(table).rows


def test_there_are_thirteen_principles_and_every_finding_names_one() -> None:
    principles = [row["number"] for row in rows_of("data_protection", "principles")]
    assert principles == [str(number) for number in range(1, 14)]
    assert form_at("data_protection.finding").codes("principle") == tuple(principles)
    weights = {row["number"]: int(row["weight"]) for row in rows_of("data_protection", "principles")}
    assert sum(weights.values()) == 17
    assert {number for number, weight in weights.items() if weight == 2} == {"4", "5", "6", "8"}


def law_of(country: str, day: str, sector: str) -> list[str]:
    return [
        row["number"]
        for row in rows_of("data_protection", "legal_map")
        if row["country"] == country
        and row["sector"] in (sector, "all")
        and row["in_force_from"]
        and row["in_force_from"] <= day <= (row["in_force_until"] or "9999")
    ]


def test_the_law_depends_on_country_sector_and_day() -> None:
    assert law_of("MX", "2023-03-15", "private") == ["DOF 05-07-2010"]
    assert law_of("MX", "2025-03-21", "private") == ["DOF 20-03-2025"]
    assert law_of("CR", "2023-03-15", "private") == ["Ley 8968"]
    assert law_of("SV", "2023-03-15", "private") == []
    assert law_of("SV", "2024-12-01", "private") == ["Decreto Legislativo 144"]
    countries = {row["country"] for row in rows_of("data_protection", "legal_map")}
    assert countries >= {"MX", "GT", "HN", "SV", "NI", "CR", "PA", "DO", "BZ", "GY", "DM", "HT"}


def test_the_days_to_answer_a_request_are_there_by_country_and_right() -> None:
    days = {
        (row["country"], row["sector"], row["right"]): (int(row["value"]), row["unit"])
        for row in rows_of("data_protection", "rights_deadlines")
    }
    assert days["MX", "public", "access"] == (20, "business_days")
    assert days["CR", "all", "access"] == (5, "business_days")
    assert days["", "strictest", "access"] == (5, "business_days")


def test_the_construction_occupations_are_those_of_the_form() -> None:
    rows = rows_of("occupations", "isco_construction")
    codes = {row["code"] for row in rows if row["level"] == "4"}
    assert set(form_at("occupations.occupation_line").codes("isco") or ()) == codes
    assert codes >= {"1323", "2142", "3123", "7111", "7112", "7115", "7126", "7411", "8342", "9313"}
    assert {row["code"]: row["title_es"] for row in rows}["7112"] == "Albañiles"
    assert all(row["title_en"] and row["title_es"] and row["title_fr"] for row in rows)
    assert {row["parent"] for row in rows if row["level"] == "4"} <= {
        row["code"] for row in rows if row["level"] == "3"
    }


def test_the_construction_divisions_are_41_to_43() -> None:
    divisions = [row["code"] for row in rows_of("occupations", "isic_construction") if row["level"] == "2"]
    assert divisions == ["41", "42", "43"]
    assert form_at("occupations.establishment").codes("isic") == tuple(divisions)


def test_the_published_figures_of_guyana_name_their_source() -> None:
    rows = rows_of("occupations", "published_figures")
    assert all(row["source_url"].startswith("https://") for row in rows)
    assert {row["value"] for row in rows} >= {"52396", "8905"}


def test_the_iris_criteria_are_data_with_their_certainty() -> None:
    criteria = {row["code"]: row for row in rows_of("ethical_recruitment", "iris_criteria")}
    assert len(criteria) == 22
    assert tuple(criteria) == form_at("ethical_recruitment.self_assessment").codes("criterion")
    assert {code for code, row in criteria.items() if row["critical"] == "yes"} == {
        "A.2",
        "A.3",
        "1.1",
        "2.1",
    }
    assert {code for code, row in criteria.items() if row["status"] == "confirmed"} == {"A.1", "A.2", "A.3"}
    assert [row["code"] for row in rows_of("ethical_recruitment", "iris_principles")] == list("AB12345")


def test_the_checklist_has_64_items_in_ten_steps_and_128_points() -> None:
    items = rows_of("business_resilience", "capability_items")
    assert len(items) == 64
    assert sum(int(item["points_completed"]) for item in items) == 128
    assert {item["step"] for item in items} == {
        row["number"] for row in rows_of("business_resilience", "continuity_steps")
    }
    check = form_at("business_resilience.capability_check")
    assert [field.label["es"] for field in check.fields if re.fullmatch(r"capability_\d\d", field.name)] == [
        item["text_es"] for item in items
    ]


def test_the_hazards_are_ten_and_the_places_to_look_at_are_18() -> None:
    hazards = [row["code"] for row in rows_of("business_resilience", "hazards")]
    assert len(hazards) == 10
    assert form_at("business_resilience.hazard_rating").codes("hazard") == tuple(hazards)
    assert len(rows_of("business_resilience", "location_items")) == 18


def test_places_are_coded_as_the_humanitarian_community_codes_them() -> None:
    assert [choice.name for choice in form_at("business_resilience.business").choices["parish"]] == [
        f"DM{number:02d}" for number in range(1, 11)
    ]
    regions = [choice.name for choice in form_at("occupations.establishment").choices["region_gy"]]
    assert regions == [f"GY{number:02d}" for number in range(1, 11)]
    departments = form_at("youth_network.ambassador").choices["department"]
    assert len(departments) == 22 + 18 + 14
    assert all(choice.name.startswith(choice.columns["country"]) for choice in departments)


# What the news needs


def test_the_countries_assessed_can_be_said() -> None:
    spec = specify(
        programme("data_protection"), Count("data_protection.institutions_assessed", by=("country",))
    )
    assert (spec.unit, spec.population) == ("organisation", Population.OPEN)
    region = {"MX", "BZ", "GT", "HN", "SV", "NI", "CR", "PA", "DO"}
    assert region <= set(form_at("data_protection.assessment").codes("country") or ())


def test_the_years_projected_and_the_attendees_at_the_presentation_can_be_said() -> None:
    occupations = programme("occupations")
    years = specify(occupations, Count("occupations.projection_years", by=("year",), period="2022/2026"))
    assert years.domains == (("2022", "2023", "2024", "2025", "2026"),)
    attendees = specify(
        occupations, Count("occupations.presentation_attendees", where=("topic = occupation_report",))
    )
    assert (attendees.measure, attendees.population) == ("sum:attendees", Population.OPEN)


def test_active_ambassadors_by_country_and_the_people_they_reach_can_be_said() -> None:
    network = programme("youth_network")
    active = specify(network, Count("youth_network.ambassadors_active", by=("country",)))
    assert (active.unit, active.measure, active.population) == ("person", "count", Population.PROTECTED)
    assert set(form_at("youth_network.ambassador").codes("country") or ()) == {"GT", "HN", "SV"}
    reached = specify(network, Count("youth_network.people_reached", by=("country",)))
    assert (reached.measure, reached.population) == ("sum:reached_new", Population.OPEN)


def test_the_day_of_the_two_recruitment_workshops_can_be_said() -> None:
    count = Count(
        "ethical_recruitment.events_held",
        by=("topic", "day"),
        where=("topic in ethical_recruitment_intro|iris_standard",),
    )
    assert specify(programme("ethical_recruitment"), count).population is Population.OPEN


def test_the_first_resilience_workshop_for_migrant_owners_can_be_said() -> None:
    spec = specify(
        programme("business_resilience"), Count("business_resilience.first_workshop", where=("country = DM",))
    )
    assert spec.measure == "first"
    assert {(condition.fact, condition.values) for condition in spec.filters} == {
        ("country", ("DM",)),
        ("kind", ("workshop",)),
        ("target_group", ("migrant_owners",)),
        ("topic", ("business_resilience",)),
    }


# Real answers


def read(place: str, tmp_path: Path, **answers: str) -> Submission | Rejected:
    """The one row of a file with these answers, and empty cells for the other questions."""
    form = form_at(place)
    header = [field.name for field in form.fields if field.kind != "calculate" and field.repeat is None]
    path = tmp_path / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerow([answers.get(name, "") for name in header])
    (row,) = read_submissions(form, open_sheet(path), today=TODAY)
    return row


def accepted(place: str, tmp_path: Path, **answers: str) -> Mapping[str, Any]:
    row = read(place, tmp_path, **answers)
    assert isinstance(row, Submission), row.problems
    return row.answers


def refused(place: str, tmp_path: Path, **answers: str) -> set[str | None]:
    row = read(place, tmp_path, **answers)
    assert isinstance(row, Rejected)
    return {problem.column for problem in row.problems}


AMBASSADOR = {
    "ambassador_code": "SV-0042",
    "registered_on": "2022-10-03",
    "country": "SV",
    "under_18": "no",
    "consent_network": "yes",
    "full_name": "Ana Inés Portillo",
    "birth_date": "2003-05-09",
    "sex": "female",
    "department": "SV13",
    "joined_through": "ambassador",
    "recruited_by": "SV-0007",
    "image_consent": "no",
    "story_consent": "no",
    "status": "active",
}


def test_an_ambassador_is_counted_by_age_band_and_never_by_birth_date(tmp_path: Path) -> None:
    answers = accepted("youth_network.ambassador", tmp_path, **AMBASSADOR)
    facts = facts_of(form_at("youth_network.ambassador"), answers, institution=OFFICE)
    assert (facts["country"], facts["age_band"], facts["sex"]) == ("SV", "18-24", "female")
    assert "day" not in facts
    assert not any("2003" in str(value) or "Ana" in str(value) for value in facts.values())


def test_a_minor_needs_the_guardian_and_her_own_yes(tmp_path: Path) -> None:
    minor = {**AMBASSADOR, "birth_date": "2006-05-09", "under_18": "yes", "guardian_consent": "yes"}
    guardian = {"guardian_name": "Rosa Portillo", "guardian_consent_ref": "H-12"}
    assert "consent_network" in refused(
        "youth_network.ambassador", tmp_path, **{**minor, **guardian, "assent": "no"}
    )
    assert "guardian_name" in refused("youth_network.ambassador", tmp_path, **minor, assent="yes")
    accepted("youth_network.ambassador", tmp_path, **minor, **guardian, assent="yes")


REFUSALS = {
    "youth_network.ambassador": {
        "ambassador_code": "SV-0043",
        "registered_on": "2022-10-03",
        "country": "SV",
        "under_18": "no",
        "consent_network": "no",
    },
    "youth_network.kap_survey": {
        "respondent_code": "R-1",
        "surveyed_on": "2022-10-03",
        "country": "GT",
        "wave": "base",
        "under_18": "no",
        "consent_survey": "no",
    },
    "ethical_recruitment.worker_interview": {
        "interview_code": "W-1",
        "interviewed_on": "2022-10-03",
        "country": "GY",
        "consent_interview": "no",
    },
    "occupations.establishment": {
        "establishment_id": "E-1",
        "interviewed_on": "2022-03-03",
        "country": "GY",
        "consent_survey": "no",
    },
    "business_resilience.owner": {
        "owner_code": "O-1",
        "registered_on": "2022-05-04",
        "country": "DM",
        "consent_training": "no",
    },
    "business_resilience.business": {
        "business_id": "B-1",
        "visited_on": "2022-05-04",
        "country": "DM",
        "consent_business": "no",
    },
}


@pytest.mark.parametrize("place", REFUSALS)
def test_whoever_says_no_is_asked_nothing_more(place: str, tmp_path: Path) -> None:
    answers = accepted(place, tmp_path, **REFUSALS[place])
    form = form_at(place)
    personal = [field.name for field in form.fields if field.sensitivity in (D, S)]
    assert all(answers.get(name) is None for name in personal)


WORKER = {
    "interview_code": "W-2",
    "interviewed_on": "2022-10-03",
    "country": "GY",
    "consent_interview": "yes",
    "consent_follow_up": "no",
    "nationality": "VE",
    "age_band": "25-29",
    "sex": "male",
    "paid_fee": "yes",
    "fee_paid_usd": "1350",
    "first_month_wage_usd": "450",
    "documents_held_by": "employer",
    "contract_language_ok": "no",
    "contract_substituted": "yes",
    "grievance_filed": "no",
    "fears_reprisal": "yes",
}


def test_what_a_worker_paid_is_counted_in_whole_months_of_wage(tmp_path: Path) -> None:
    answers = accepted("ethical_recruitment.worker_interview", tmp_path, **WORKER)
    facts = facts_of(form_at("ethical_recruitment.worker_interview"), answers, institution=OFFICE)
    assert facts["fee_months"] == 3
    assert "passport_no" not in facts


def test_a_worker_who_wants_no_follow_up_leaves_no_name(tmp_path: Path) -> None:
    assert "name" in refused(
        "ethical_recruitment.worker_interview", tmp_path, **{**WORKER, "name": "Luis Ramos"}
    )
    assert "name" in refused(
        "ethical_recruitment.worker_interview", tmp_path, **{**WORKER, "consent_follow_up": "yes"}
    )


LINE = {
    "agency_code": "AG-1",
    "assessed_on": "2022-11-03",
    "country": "GY",
    "assessor_type": "self",
    "principle": "1",
    "criterion": "1.1",
    "control_point": "policy",
    "answer": "partly",
    "nonconformity": "none",
}


def test_a_score_must_be_that_of_the_answer(tmp_path: Path) -> None:
    assert accepted("ethical_recruitment.self_assessment", tmp_path, **LINE, score="1")["score"] == 1
    assert refused("ethical_recruitment.self_assessment", tmp_path, **LINE, score="2") == {"score"}
    not_applicable = {**LINE, "answer": "na"}
    assert accepted("ethical_recruitment.self_assessment", tmp_path, **not_applicable)["score"] is None


def test_the_checklist_adds_up_as_published(tmp_path: Path) -> None:
    """30 completed, 14 underway, 20 absent: 74 of 128 points."""
    marks = ["2"] * 30 + ["1"] * 14 + ["0"] * 20
    answers = accepted(
        "business_resilience.capability_check",
        tmp_path,
        business_id="B-1",
        checked_on="2022-05-04",
        country="DM",
        wave="before",
        **{f"capability_{number:02d}": mark for number, mark in enumerate(marks, 1)},
    )
    assert (answers["capability_points"], answers["capability_answered"]) == (74, 64)
    assert answers["capability_percent"] == 58


def test_what_does_not_apply_leaves_the_checklist(tmp_path: Path) -> None:
    marks = ["2"] * 32 + ["na"] * 32
    answers = accepted(
        "business_resilience.capability_check",
        tmp_path,
        business_id="B-1",
        checked_on="2022-05-04",
        country="DM",
        wave="after",
        **{f"capability_{number:02d}": mark for number, mark in enumerate(marks, 1)},
    )
    assert (answers["capability_answered"], answers["capability_percent"]) == (32, 100)


def test_a_hazard_is_rated_by_likelihood_times_impact(tmp_path: Path) -> None:
    rating = {"business_id": "B-1", "rated_on": "2022-05-04", "country": "DM", "hazard": "hurricane"}
    place = "business_resilience.hazard_rating"
    assert accepted(place, tmp_path, **rating, likelihood="4", impact="5")["risk"] == 20
    assert refused(place, tmp_path, **rating, likelihood="6", impact="5") == {"likelihood"}


def test_a_plan_that_takes_longer_than_the_business_lasts_is_not_feasible() -> None:
    plan = form_at("business_resilience.continuity_plan")
    activity = {"activity": "Pan", "rto_hours": 48, "mtpd_hours": 24}
    broken = check_answers(plan, {"critical_activities": (activity,)}, today=TODAY)
    assert [problem.column for problem in broken] == ["mtpd_hours"]
    assert not check_answers(plan, {"critical_activities": ({**activity, "mtpd_hours": 72},)}, today=TODAY)


def test_people_reached_for_the_first_time_are_never_more_than_people_reached(tmp_path: Path) -> None:
    activity = {
        "activity_id": "A-1",
        "type": "fair",
        "held_on": "2022-06-11",
        "country": "HN",
        "department": "HN18",
        "reached_count": "200",
        "method": "headcount",
        "repeat_share": "0.25",
    }
    assert accepted("youth_network.activity", tmp_path, **activity, reached_new="150")["reached_new"] == 150
    assert refused("youth_network.activity", tmp_path, **activity, reached_new="250") == {"reached_new"}


def test_the_survey_knows_which_answers_are_right(tmp_path: Path) -> None:
    right = {row["code"]: row["right_answer"] for row in rows_of("youth_network", "kap_items")}
    answers = {
        **REFUSALS["youth_network.kap_survey"],
        "consent_survey": "yes",
        "exposed": "yes",
        "age_band": "18-24",
        "sex": "male",
        **{code: answer for code, answer in right.items() if answer},
        **{f"attitude_{number}": "4" for number in range(1, 5)},
        **{f"practice_{number}": "yes" for number in range(1, 4)},
    }
    assert accepted("youth_network.kap_survey", tmp_path, **answers)["knowledge_right"] == 5
    answers["knowledge_2"] = "unsure"
    assert accepted("youth_network.kap_survey", tmp_path, **answers)["knowledge_right"] == 4


def test_a_projection_counts_in_the_year_that_it_is_about(tmp_path: Path) -> None:
    answers = accepted(
        "occupations.demand",
        tmp_path,
        author_code="ILO-IOM",
        report_title="Example",
        country="GY",
        year_begins_on="2026-01-01",
        isco_group="711",
        scenario="base",
        demand_total="735",
        supply="348",
        gap="387",
        figure_status="example",
        published_on="2022-12-19",
    )
    facts = facts_of(form_at("occupations.demand"), answers, institution=OFFICE)
    assert (facts["year"], facts["isco_group"], facts["gap"]) == ("2026", "711", 387)


def test_a_rights_request_asks_for_a_correction_only_where_one_is_asked(tmp_path: Path) -> None:
    request = {
        "request_id": "R-2023-1",
        "received_on": "2023-03-15",
        "country": "CR",
        "right": "rectification",
        "holder_name": "Ana Inés Portillo",
        "holder_id_doc": "DUI 01234567-8",
        "contact": "7000 0000",
        "holder_is_child": "no",
        "holder_language": "es",
        "has_representative": "no",
        "data_described": "Mi fecha de nacimiento en la ficha del albergue",
        "due_on": "2023-03-22",
    }
    place = "data_protection.rights_request"
    assert refused(place, tmp_path, **request) == {"change_wanted"}
    accepted(place, tmp_path, **request, change_wanted="9 de mayo")
    assert "due_on" in refused(place, tmp_path, **{**request, "due_on": "2023-03-01"}, change_wanted="x")
    facts = facts_of(
        form_at(place), accepted(place, tmp_path, **request, change_wanted="x"), institution=OFFICE
    )
    assert set(facts) <= {
        "country",
        "institution",
        "institution_kind",
        "institution_country",
        "month",
        "year",
        "right",
    }
