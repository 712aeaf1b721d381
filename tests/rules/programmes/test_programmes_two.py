"""Facts about four programmes: disaster mobility, assistance, diaspora, counter-smuggling. What each asks and
how it is classed, what none asks, what never reaches whom, and what the news counts."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resguardo.collect.fact import facts_of
from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import Rejected, Submission, read_submissions
from resguardo.count.indicator import Count, TableSpec, specify
from resguardo.plan.programme import Form, Programme, cautions, programme_called
from resguardo.values import Institution, InstitutionKind, Population, Sensitivity, SubjectKind

TODAY = date(2026, 11, 24)
NAMES = ("assistance", "counter_smuggling", "diaspora", "disaster_mobility")
OFFICE = Institution(UUID(int=7), "office", "Office", InstitutionKind.REGIONAL_OFFICE, "CR")
D, Q, S, P = Sensitivity.IDENTIFIER, Sensitivity.QUASI, Sensitivity.SENSITIVE, Sensitivity.PLAIN


@cache
def programme(name: str) -> Programme:
    return programme_called(name)


def form_at(place: str) -> Form:
    name, _, form = place.partition(".")
    return programme(name).form(form)


def table_of(indicator: str, **question: Any) -> TableSpec:
    return specify(programme(indicator.partition(".")[0]), Count(indicator, **question))


def rows_of(name: str, table: str) -> tuple[Mapping[str, str], ...]:
    return programme(name).table(table).rows


each_programme = pytest.mark.parametrize("name", NAMES)


@each_programme
def test_it_loads_and_nothing_in_it_calls_for_caution(name: str) -> None:
    assert cautions(programme(name)) == ()


@each_programme
def test_every_indicator_is_a_table_of_the_catalogue(name: str) -> None:
    for indicator in programme(name).indicators:
        by = tuple(fact for fact in indicator.dimensions if fact not in ("day", "ended_day"))[:3]
        assert table_of(f"{name}.{indicator.name}", by=by).measure == indicator.measure


@each_programme
def test_every_form_becomes_an_xform(name: str) -> None:
    for form in programme(name).forms:
        assert f'id="{name}_{form.name}"' in form.xform


# What is asked, and its class

ASKED: Mapping[str, Mapping[Sensitivity, str]] = {
    "disaster_mobility.site": {
        P: "site_id country admin1 admin2 lat lon site_type manager_org",
        D: "focal_name focal_phone",
        S: "sealed_lat sealed_lon victim_shelter",
    },
    "disaster_mobility.site_round": {
        P: "round assessed_on households individuals women men girls boys under5 over60 pregnant disability"
        " water_l_day taps toilets_f toilets_m covered_m2 kcal_day health_staff method informants_n coverage",
        Q: "migrants_non_nationals nationality nationality_people",
        S: "reported_gbv reported_family_separation",
    },
    "disaster_mobility.hazard": {P: "hazard_id hazard started_on glide_no"},
    "disaster_mobility.hazard_report": {
        P: "homes_destroyed homes_damaged avg_household evacuated source as_of"
    },
    "disaster_mobility.migrant_contact": {
        P: "person_id consulate_informed_consent",
        D: "name",
        Q: "nationality",
        S: "location needs",
    },
    "assistance.registration": {
        P: "case_code consent_scope consent_to consent_until consent_withdrawn_on",
        D: "name alias id_doc_type id_doc_no photo phone",
        Q: "birth_date age sex nationality language education arrival_date destination_intended",
        S: "gender_identity ethnic_group accompanied_status guardian siblings_codes migration_status"
        " route_place route_date screening_indicators asylum_wish",
    },
    "assistance.assessment": {
        S: "health pregnancy disability mhpss level factor factors_risk factors_protective index band urgency"
        " bia_done_on bid_needed bid_result",
    },
    "assistance.service": {P: "provider cost", S: "plan_goals services"},
    "assistance.referral": {P: "referral_id sent_on"},
    "assistance.referral_outcome": {P: "accepted_on refused_reason service_done_on feedback"},
    "assistance.closure": {P: "closure_date closure_reason"},
    "diaspora.organisation": {
        P: "org_id name type host_country city origin_country founded registered members areas url",
        D: "contact_name contact_email",
    },
    "diaspora.member": {
        P: "person_id willing hours_month",
        D: "name email",
        Q: "host_country city origin_admin1 age_band sex generation year_left isco education languages"
        " years_experience",
        S: "remits_usd_month channel",
    },
    "diaspora.contribution": {
        P: "contribution_id kind sub_kind contributed_on value_usd in_kind beneficiary_place beneficiaries_n"
        " sdg verified_by",
    },
    "counter_smuggling.provision": {
        P: "country instrument enacted provision_id status citation",
        D: "reviewer",
    },
    "counter_smuggling.incident": {
        P: "incident_id reported_on occurred_on source_type reliability credibility country place lat lon"
        " border_point mode vessel_type route_from route_via route_to migrants_n women men children"
        " unaccompanied fee_usd payment_method document_fraud_type issuing_country referred_to_protection"
        " dedupe_key",
        Q: "nationality nationality_people suspects_n suspect_nationality suspect_people",
        S: "dead missing survivors abuse_reported trafficking_link sealed_place operation_open",
    },
}


@pytest.mark.parametrize("place", ASKED)
def test_each_question_has_the_class_that_its_harm_calls_for(place: str) -> None:
    form = form_at(place)
    expected = {field: level for level, fields in ASKED[place].items() for field in fields.split()}
    assert {field: form.field(field).sensitivity for field in expected} == expected


@each_programme
def test_politics_and_religion_are_not_asked(name: str) -> None:
    unasked = re.compile(r"politic|party|vote|religio|income|salary")
    for form in programme(name).forms:
        assert [field.name for field in form.fields if unasked.search(field.name)] == []


def test_the_diaspora_is_not_asked_how_it_lives_where_it_lives() -> None:
    for form in programme("diaspora").forms:
        assert [
            field.name for field in form.fields if re.search("status|legal|permit|visa", field.name)
        ] == []


def test_no_name_of_a_migrant_or_of_a_suspect_enters_an_incident() -> None:
    assert form_at("counter_smuggling.incident").in_group(D) == ()
    assert form_at("counter_smuggling.missing_migrants").in_group(D) == ()


def test_nobody_in_a_disaster_is_asked_for_papers() -> None:
    asked = {field.name for field in form_at("disaster_mobility.migrant_contact").fields}
    assert not [name for name in asked if re.search("doc|passport|status|photo|phone", name)]


@each_programme
def test_events_hold_numbers_and_no_people(name: str) -> None:
    event = programme(name).form("event")
    assert (event.about, event.population) == (SubjectKind.EVENT, Population.OPEN)
    assert {field.sensitivity for field in event.fields} == {P}
    assert {"event_code", "title", "kind", "topic", "target_group", "place", "countries"} <= {
        field.name for field in event.fields
    }
    assert event.fact("represented_country").source == "countries"


def test_only_officials_are_people_of_the_open_class() -> None:
    opened = {
        form.form_id
        for name in NAMES
        for form in programme(name).forms
        if form.about is SubjectKind.PERSON and form.population is Population.OPEN
    }
    assert opened == {"assistance_official", "counter_smuggling_official", "disaster_mobility_official"}
    for name in ("assistance", "counter_smuggling", "disaster_mobility"):
        assert {field.name for field in programme(name).form("official").in_group(D)} == {"name", "email"}


def test_victims_of_trafficking_and_of_violence_are_counted_with_the_strictest_care() -> None:
    for indicator in (
        "assistance.trafficking_indicators",
        "assistance.violence_indicators",
        "counter_smuggling.incidents_with_trafficking_link",
    ):
        assert table_of(indicator).population is Population.STRICT


def test_where_a_subject_is_seen_again_there_is_a_form_that_follows() -> None:
    follows = {form.form_id: form.follows for name in NAMES for form in programme(name).forms if form.follows}
    assert follows == {
        "assistance_assessment": "registration",
        "assistance_service": "registration",
        "assistance_referral": "registration",
        "assistance_referral_outcome": "registration",
        "assistance_closure": "registration",
        "counter_smuggling_provision_review": "provision",
        "diaspora_match": "member",
        "disaster_mobility_hazard_report": "hazard",
        "disaster_mobility_site_round": "site",
    }


# What never reaches whom


def test_the_wish_to_ask_for_asylum_never_reaches_a_consulate() -> None:
    assistance = programme("assistance")
    (sharing,) = (
        recipient.purposes
        for recipient in assistance.recipients
        if recipient.institution_kind is InstitutionKind.CONSULATE
    )
    assert form_at("assistance.registration").field("asylum_wish").sensitivity is S
    assert sharing == ("consular_contact",)
    assert assistance.purpose("consular_contact").opens == {D}


@each_programme
def test_a_consulate_receives_a_name_and_no_sensitive_answer(name: str) -> None:
    for recipient in programme(name).recipients:
        if recipient.institution_kind is InstitutionKind.CONSULATE:
            for purpose in recipient.purposes:
                assert S not in programme(name).purpose(purpose).opens
                assert programme(name).purpose(purpose).basis == "consent"


@each_programme
def test_the_police_receive_nothing(name: str) -> None:
    kinds = {recipient.institution_kind for recipient in programme(name).recipients}
    assert InstitutionKind.POLICE not in kinds


def test_each_receiver_is_asked_for_apart() -> None:
    consents = {
        (form.form_id, consent.field): (*consent.purposes, *consent.receiver_kinds)
        for name in NAMES
        for form in programme(name).forms
        for consent in form.consents
    }
    assert consents == {
        ("assistance_registration", "consent_assistance"): ("assistance",),
        ("assistance_registration", "consent_consulate"): ("consular_contact", "consulate"),
        ("assistance_referral", "consent_receiver"): ("referral",),
        ("diaspora_organisation", "consent_directory"): (
            "directory",
            "regional_office",
            "international_organisation",
        ),
        ("diaspora_member", "consent_register"): ("matching",),
        ("diaspora_member", "consent_contact"): ("contact", "ngo", "university", "chamber"),
        ("diaspora_member", "consent_government"): ("government_contact", "ministry", "consulate"),
        ("diaspora_member", "consent_study"): ("remittance_study",),
        ("disaster_mobility_migrant_contact", "consent_help"): (
            "assistance",
            "shelter",
            "ngo",
            "international_organisation",
        ),
        ("disaster_mobility_migrant_contact", "consulate_informed_consent"): (
            "consular_contact",
            "consulate",
        ),
    }
    (asked,) = form_at("assistance.referral").consents
    assert asked.receiver == "receiver"


# Notices


@each_programme
def test_the_notice_has_short_sentences(name: str) -> None:
    assert set(programme(name).notices) == {"es", "en", "fr", "ht"}
    for language, text in programme(name).notices.items():
        for line in text.splitlines():
            for sentence in re.split(r"(?<=[.!?])\s+", line.lstrip("# ").strip()):
                words = [word for word in sentence.split() if re.search(r"\w", word)]
                assert len(words) < 16, (language, sentence)


@each_programme
def test_what_is_asked_of_a_person_aloud_has_short_sentences(name: str) -> None:
    for form in programme(name).forms:
        for consent in form.consents:
            for text in form.field(consent.field).label.values():
                for sentence in re.split(r"(?<=[.!?])\s+", text):
                    assert len(sentence.split()) < 16, sentence


TERMS = {
    "es": {90: "tres meses", 180: "seis meses", 365: "un año", 730: "dos años", 1095: "tres años"}
    | {1825: "cinco años", 3650: "diez años"},
    "en": {90: "three months", 180: "six months", 365: "one year", 730: "two years", 1095: "three years"}
    | {1825: "five years", 3650: "ten years"},
    "fr": {90: "trois mois", 180: "six mois", 365: "un an", 730: "deux ans", 1095: "trois ans"}
    | {1825: "cinq ans", 3650: "dix ans"},
    "ht": {90: "twa mwa", 180: "sis mwa", 365: "yon ane", 730: "de ane", 1095: "twa ane"}
    | {1825: "senk ane", 3650: "dis ane"},
}


@each_programme
def test_the_notice_says_how_long_everything_that_people_agree_to_is_kept(name: str) -> None:
    agreed = {
        purpose for form in programme(name).forms for consent in form.consents for purpose in consent.purposes
    } or {"rights", "training"}
    for language, text in programme(name).notices.items():
        for purpose in agreed:
            days = programme(name).purpose(purpose).retention_days
            assert TERMS[language][days] in text.lower(), (language, purpose)


SAYING_NO = {"es": "si dice que no", "en": "if you say no", "fr": "si vous dites non", "ht": "si ou di non"}


@each_programme
def test_the_notice_says_what_happens_if_one_says_no(name: str) -> None:
    for language, text in programme(name).notices.items():
        assert SAYING_NO[language] in text.lower()


# Reference tables


def test_there_are_fifteen_micic_guidelines_in_three_phases() -> None:
    rows = rows_of("disaster_mobility", "micic_guidelines")
    assert Counter(row["phase"] for row in rows) == {"preparedness": 8, "response": 5, "post_crisis": 2}
    assert {row["guideline"] for row in rows if row["status"] == "from memory"} == {"G11", "G14", "G15"}
    assert tuple(row["guideline"] for row in rows) == form_at("disaster_mobility.plan_guideline").codes(
        "guideline"
    )


def test_the_sphere_numbers_are_data_with_their_certainty() -> None:
    rows = {row["code"]: row for row in rows_of("disaster_mobility", "sphere_minimums")}
    numbers = {
        "water": "15",
        "toilet": "20",
        "toilet_short_term": "50",
        "tap": "250",
        "covered_space": "3.5",
        "energy": "2100",
        "health_workers": "23",
    }
    assert {code: rows[code]["value"] for code in numbers} == numbers
    assert rows["water"]["status"] == "confirmed"
    assert rows["energy"]["status"] == "from memory"


def test_the_published_needs_follow_from_the_sphere_numbers() -> None:
    """404,500 people in shelters in Guatemala and Honduras, 2 December 2020."""
    rows = {row["code"]: float(row["value"]) for row in rows_of("disaster_mobility", "sphere_minimums")}
    people = 404_500
    assert people * rows["water"] == 6_067_500
    assert people / rows["toilet"] == 20_225
    assert people / rows["toilet_short_term"] == 8_090
    assert people * rows["covered_space"] == 1_415_750
    assert people / rows["tap"] == 1_618


def test_the_factors_of_vulnerability_stand_on_four_levels_and_in_the_form() -> None:
    rows = rows_of("assistance", "domv_factors")
    assert set(Counter(row["level"] for row in rows)) == {
        "individual",
        "household",
        "community",
        "structural",
    }
    choices = form_at("assistance.assessment").choices["factor"]
    assert {(choice.columns["level"], choice.name) for choice in choices} == {
        (row["level"], row["factor"]) for row in rows
    }
    assert {row["status"] for row in rows} == {"confirmed", "from memory"}


def test_the_weights_of_the_index_add_up_to_one() -> None:
    rows = rows_of("assistance", "vulnerability_index")
    assert sum(float(row["value"]) for row in rows if row["part"] == "weight") == pytest.approx(1)


def test_the_protocol_has_47_provisions_and_four_of_them_are_optional() -> None:
    rows = rows_of("counter_smuggling", "smuggling_protocol")
    assert [row["provision_id"] for row in rows] == [f"S{number:02d}" for number in range(1, 48)]
    assert [row["provision_id"] for row in rows if row["obligation"] == "O"] == ["S16", "S21", "S28", "S38"]
    assert {row["provision_id"]: row["article"] for row in rows}["S06"] == "5"
    choices = form_at("counter_smuggling.provision").choices["provision"]
    assert [(choice.name, choice.columns["block"]) for choice in choices] == [
        (row["provision_id"], row["block"]) for row in rows
    ]


def test_only_a_mandatory_provision_can_be_missing() -> None:
    spec = table_of("counter_smuggling.mandatory_provisions_missing")
    excluded = {
        value for condition in spec.filters if condition.operator == "!=" for value in condition.values
    }
    assert excluded == {"S16", "S21", "S28", "S38"}


def test_contributions_are_economic_social_and_cultural() -> None:
    rows = rows_of("diaspora", "contribution_kinds")
    assert Counter(row["kind"] for row in rows) == {"economic": 7, "social": 5, "cultural": 5}
    choices = form_at("diaspora.contribution").choices["sub_kind"]
    assert [(choice.columns["kind"], choice.name) for choice in choices] == [
        (row["kind"], row["sub_kind"]) for row in rows
    ]


def test_occupations_are_the_two_digit_groups_of_isco() -> None:
    codes = [row["code"] for row in rows_of("diaspora", "isco08_two_digits")]
    assert len(codes) == 43
    for form in ("member", "need", "match"):
        assert [choice.name for choice in form_at(f"diaspora.{form}").choices["isco"]] == codes


def test_places_are_coded_as_the_humanitarian_community_codes_them() -> None:
    choices = form_at("disaster_mobility.site").choices["admin1"]
    by_country = Counter(choice.columns["country"] for choice in choices)
    assert {country: by_country[country] for country in ("MX", "GT", "HN", "SV", "CR", "PA", "DO")} == {
        "MX": 32,
        "GT": 22,
        "HN": 18,
        "SV": 14,
        "CR": 7,
        "PA": 13,
        "DO": 10,
    }
    assert {choice.name for choice in choices} >= {"HN05", "GT18", "CR1", "DOM10"}


# What the news needs

SEVEN = {"MX", "GT", "HN", "SV", "DO", "PA", "CR"}


def test_the_days_and_countries_of_the_disaster_workshop_can_be_said() -> None:
    assert (
        table_of("disaster_mobility.workshops", by=("day",), period="2022-06").population is Population.OPEN
    )
    assert table_of("disaster_mobility.workshops", by=("ended_day",)).dimensions == ("ended_day",)
    represented = table_of("disaster_mobility.events_by_country_represented", by=("represented_country",))
    assert set(represented.domains[0] or ()) >= SEVEN
    institutions = table_of("disaster_mobility.institutions_represented", by=("institution_type",))
    assert institutions.unit == "organisation"


def test_the_countries_and_institutions_of_the_officials_trained_can_be_said() -> None:
    spec = table_of("assistance.officials_trained", by=("country", "institution_type"), period="2022-05")
    assert (spec.unit, spec.population) == ("person", Population.OPEN)
    assert [str(value) for condition in spec.filters for value in condition.values] == ["80"]
    assert {"migration_institute", "consulate", "shelter_protection"} <= set(spec.domains[1] or ())


def test_the_forum_and_who_came_can_be_said() -> None:
    assert table_of("diaspora.forums", by=("day",), period="2022-05").population is Population.OPEN
    for who in ("foreign_ministries", "diaspora_organisations"):
        assert table_of(f"diaspora.{who}_represented", by=("country",)).unit == "organisation"
    assert table_of("diaspora.contributions", by=("kind", "sub_kind")).population is Population.OPEN


def test_the_meeting_on_laws_and_how_many_officials_came_can_be_said() -> None:
    assert table_of("counter_smuggling.meetings", by=("day",)).population is Population.OPEN
    attended = table_of("counter_smuggling.officials_at_events", where=("topic = counter_smuggling_law",))
    assert (attended.measure, attended.is_about_people) == ("sum:attendees_officials", False)


# Open data: the Missing Migrants incidents of the Americas

OPEN_DATA = programme("counter_smuggling").folder / "open"


@cache
def missing_migrants() -> tuple[Mapping[str, Any], ...]:
    """The facts of every row of the file that is shipped."""
    form = form_at("counter_smuggling.missing_migrants")
    rows = read_submissions(form, open_sheet(OPEN_DATA / "mmp_incidents_americas.csv"), today=TODAY)
    return tuple(
        facts_of(form, row.answers, institution=OFFICE) for row in rows if isinstance(row, Submission)
    )


def in_file(name: str) -> Iterator[Mapping[str, str]]:
    with (OPEN_DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def test_every_row_with_a_date_comes_in() -> None:
    assert len(missing_migrants()) == 5726 == sum(1 for _ in in_file("mmp_incidents_americas.csv"))


def test_rows_without_a_date_stay_outside_and_are_said() -> None:
    form = form_at("counter_smuggling.missing_migrants")
    path = OPEN_DATA / "mmp_incidents_americas_without_date.csv"
    rows = list(read_submissions(form, open_sheet(path), today=TODAY))
    assert len(rows) == 14
    for row in rows:
        assert isinstance(row, Rejected)
        assert [problem.column for problem in row.problems] == ["reported_date"]
    people = sum(int(row["total_dead_and_missing"]) for row in in_file(path.name))
    assert people == 15
    assert not any(row["region"] == "Caribbean" for row in in_file(path.name))
    assert form.source is not None
    assert "(15 people)" in form.source.note["en"]


def test_the_caribbean_has_more_dead_and_missing_in_2022_than_in_2021() -> None:
    years = {"2021": 0, "2022": 0}
    for facts in missing_migrants():
        if facts["region"] == "Caribbean" and facts["year"] in years:
            years[facts["year"]] += facts["total_dead_and_missing"]
    assert years == {"2021": 246, "2022": 350}


def test_the_two_classifications_of_regions_are_not_the_same() -> None:
    grouped = sum(
        facts["total_dead_and_missing"]
        for facts in missing_migrants()
        if facts["unsd_geographic_grouping"] == "caribbean" and facts["year"] == "2022"
    )
    assert grouped != 350


def test_rows_of_one_incident_are_all_added_and_it_counts_once() -> None:
    identifiers = [row["web_id"] for row in in_file("mmp_incidents_americas.csv")]
    first_rows = sum(1 for facts in missing_migrants() if facts["row_in_id"] == 1)
    assert first_rows == len(set(identifiers)) < len(identifiers)
    spec = table_of("counter_smuggling.incidents", by=("region",))
    assert [(condition.fact, condition.values) for condition in spec.filters] == [("row_in_id", ("1",))]


def test_every_value_of_the_file_is_a_code_of_the_form() -> None:
    form = form_at("counter_smuggling.missing_migrants")
    for fact in (
        "region",
        "country_of_incident",
        "migration_route",
        "unsd_geographic_grouping",
        "source_quality",
    ):
        codes = set(form.codes(fact) or ())
        assert {facts[fact] for facts in missing_migrants()} - {None} <= codes


def test_the_open_data_ship_with_source_licence_and_date() -> None:
    source = form_at("counter_smuggling.missing_migrants").source
    assert source is not None
    assert (source.licence, source.as_of) == ("CC BY IGO", date(2025, 9, 8))
    assert "2024" in source.note["en"]
    sources = (OPEN_DATA / "SOURCES.md").read_text(encoding="utf-8")
    assert "CC BY IGO" in sources
    assert "Missing Migrants Project" in sources
    rise = table_of("counter_smuggling.dead_and_missing", where=("region = Caribbean",), period="2022")
    assert (rise.unit, rise.is_about_people, rise.population) == ("figure", False, Population.OPEN)


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


YESENIA = {
    "case_code": "TAP-2026-014",
    "registered_on": "2026-05-20",
    "country": "MX",
    "age": "34",
    "consent_assistance": "yes",
    "consent_referral": "no",
    "name": "Yesenia Maribel Orellana",
    "sex": "female",
    "nationality": "SV",
    "language": "es",
    "asylum_wish": "yes",
    "consent_consulate": "no",
}


def test_who_wishes_to_ask_for_asylum_is_not_made_known_to_the_consulate(tmp_path: Path) -> None:
    place = "assistance.registration"
    accepted(place, tmp_path, **YESENIA)
    assert refused(place, tmp_path, **{**YESENIA, "consent_consulate": "yes"}) == {"consent_consulate"}
    accepted(place, tmp_path, **{**YESENIA, "asylum_wish": "no", "consent_consulate": "yes"})


def test_without_permission_nothing_is_kept_but_in_an_emergency_with_its_reason(tmp_path: Path) -> None:
    place = "assistance.registration"
    unwilling = {**YESENIA, "consent_assistance": "no"}
    assert "emergency_exception" in refused(place, tmp_path, **unwilling)
    assert "emergency_exception" in refused(place, tmp_path, **unwilling, emergency_exception="no")
    assert refused(place, tmp_path, **unwilling, emergency_exception="yes") == {"emergency_reason"}
    accepted(place, tmp_path, **unwilling, emergency_exception="yes", emergency_reason="Hemorragia")


def test_a_child_is_asked_who_it_travels_with_and_an_adult_is_not(tmp_path: Path) -> None:
    place = "assistance.registration"
    child = {**YESENIA, "age": "9"}
    assert refused(place, tmp_path, **child) == {"accompanied_status"}
    facts = facts_of(
        form_at(place), accepted(place, tmp_path, **child, accompanied_status="separated"), institution=OFFICE
    )
    assert (facts["age_band"], facts["accompanied_status"]) == ("5-11", "separated")
    assert refused(place, tmp_path, **YESENIA, accompanied_status="separated") == {"accompanied_status"}


def test_facts_of_a_case_hold_codes_and_no_name_place_or_day(tmp_path: Path) -> None:
    answers = accepted("assistance.registration", tmp_path, **YESENIA)
    facts = facts_of(form_at("assistance.registration"), answers, institution=OFFICE)
    assert "day" not in facts
    assert "asylum_wish" not in facts
    said = " ".join(str(value) for value in facts.values())
    assert "Yesenia" not in said
    assert "2026-05-20" not in said


REFERRAL = {
    "case_code": "TAP-2026-014",
    "referral_id": "REF-1",
    "sent_on": "2026-05-21",
    "country": "MX",
    "service_asked": "health",
    "urgency": "soon",
    "receiver_kind": "ngo",
    "receiver": "Clínica San Rafael",
    "consent_receiver": "yes",
    "shared": "age_sex health",
    "shared_until": "2026-06-21",
}


def test_a_referral_without_permission_for_that_receiver_is_not_kept(tmp_path: Path) -> None:
    accepted("assistance.referral", tmp_path, **REFERRAL)
    assert refused("assistance.referral", tmp_path, **{**REFERRAL, "consent_receiver": "no"}) == {
        "consent_receiver"
    }


def test_an_official_is_told_apart_from_a_person_who_is_helped(tmp_path: Path) -> None:
    assert refused("assistance.registration", tmp_path, **{**YESENIA, "case_code": "OF-1"}) == {"case_code"}
    official = {
        "official_code": "OF-MX01",
        "name": "Rosa Elena Pineda",
        "sex": "female",
        "country": "MX",
        "institution_type": "migration_institute",
        "event_code": "EV-2022-05",
        "topic": "protection_assistance",
        "trained_on": "2022-05-24",
        "attended_share": "92",
    }
    accepted("assistance.official", tmp_path, **official)
    assert refused("assistance.official", tmp_path, **{**official, "official_code": "MX01"}) == {
        "official_code"
    }
    assert refused("assistance.official", tmp_path, **{**official, "attended_share": "104"}) == {
        "attended_share"
    }


SITE = {
    "site_id": "HN-S001",
    "opened_on": "2020-11-08",
    "country": "HN",
    "admin1": "HN05",
    "site_type": "school",
}


def test_where_a_shelter_for_victims_stands_is_sealed(tmp_path: Path) -> None:
    place = "disaster_mobility.site"
    accepted(place, tmp_path, **SITE, victim_shelter="no", lat="15.5", lon="-88.02")
    assert refused(place, tmp_path, **SITE, victim_shelter="yes", lat="15.5", lon="-88.02") == {"lat", "lon"}
    accepted(place, tmp_path, **SITE, victim_shelter="yes", sealed_lat="15.5", sealed_lon="-88.02")


def test_parts_of_a_site_are_not_more_than_its_people(tmp_path: Path) -> None:
    place = "disaster_mobility.site_round"
    visit = {
        "site_id": "HN-S001",
        "round": "2",
        "assessed_on": "2020-12-02",
        "country": "HN",
        "site_type": "school",
        "site_status": "open",
        "households": "40",
        "individuals": "180",
        "method": "key_informant",
    }
    assert refused(place, tmp_path, **visit, women="181") == {"women"}
    answers = accepted(place, tmp_path, **visit, women="60", migrants_non_nationals="6")
    facts = facts_of(form_at(place), answers, institution=OFFICE)
    assert (facts["round"], facts["individuals"], facts["migrants_band"]) == ("2", 180, "5-9")


def test_a_migrant_who_says_no_is_helped_and_not_recorded(tmp_path: Path) -> None:
    contact = {
        "person_id": "PTY-1",
        "asked_on": "2022-07-02",
        "country": "PA",
        "needs": "shelter",
        "minor": "no",
        "consent_help": "no",
        "consulate_informed_consent": "no",
    }
    place = "disaster_mobility.migrant_contact"
    assert refused(place, tmp_path, **contact) == {"consent_help"}
    accepted(place, tmp_path, **{**contact, "consent_help": "yes"})


INCIDENT = {
    "incident_id": "INC-7",
    "reported_on": "2022-03-02",
    "occurred_on": "2022-03-01",
    "source_type": "coast_guard",
    "country": "BS",
    "mode": "sea",
    "migrants_n": "31",
    "referred_to_protection": "no",
}


def test_the_place_of_an_open_operation_is_sealed(tmp_path: Path) -> None:
    form = "counter_smuggling.incident"
    assert refused(form, tmp_path, **INCIDENT, operation_open="yes", border_point="Inagua") == {
        "border_point"
    }
    accepted(form, tmp_path, **INCIDENT, operation_open="yes", sealed_place="Inagua")
    accepted(form, tmp_path, **INCIDENT, operation_open="no", border_point="Inagua")


def test_the_money_somebody_sends_is_asked_only_of_who_accepts_the_study(tmp_path: Path) -> None:
    member = {
        "person_id": "SV-US-0001",
        "registered_on": "2022-05-23",
        "consent_register": "yes",
        "consent_contact": "yes",
        "consent_government": "no",
        "host_country": "US",
        "origin_country": "SV",
        "age_band": "30-59",
        "sex": "female",
        "isco": "22",
        "willing": "mentor teach",
        "remits_usd_month": "250",
    }
    place = "diaspora.member"
    assert refused(place, tmp_path, **member, consent_study="no") == {"remits_usd_month"}
    facts = facts_of(
        form_at(place), accepted(place, tmp_path, **member, consent_study="yes"), institution=OFFICE
    )
    assert (facts["country"], facts["lives_in"], facts["isco"]) == ("SV", "US", "22")
    assert "remits_usd_month" not in facts


def test_a_contribution_and_an_event_are_never_the_same_subject(tmp_path: Path) -> None:
    given = {
        "contribution_id": "CO-SV-1",
        "kind": "social",
        "sub_kind": "health_missions",
        "contributed_on": "2022-02-12",
        "country": "SV",
        "value_usd": "12500",
    }
    accepted("diaspora.contribution", tmp_path, **given)
    assert refused("diaspora.contribution", tmp_path, **{**given, "contribution_id": "EV-SV-1"}) == {
        "contribution_id"
    }


def test_remittances_are_written_in_millions(tmp_path: Path) -> None:
    """El Salvador, 2016: 4,576.03 million US dollars, 17.1% of the product."""
    published = {
        "country": "SV",
        "period_end": "2016-12-31",
        "period_months": "12",
        "publisher": "central_bank",
        "source": "Banco Central de Reserva",
        "as_of": "2017-01-20",
        "per_mille_of_gdp": "171",
    }
    place = "diaspora.remittance"
    accepted(place, tmp_path, **published, received_usd_million="4576")
    assert refused(place, tmp_path, **published, received_usd_million="4576030000") == {
        "received_usd_million"
    }
