"""Every programme that comes with the package loads, in two languages, and asks nothing without a class."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from defusedxml import ElementTree

from resguardo.plan.languages import explain_all
from resguardo.plan.programme import (
    ALWAYS,
    BUILT_IN,
    DAY,
    Programme,
    built_in,
    cautions,
    find_programmes,
    load_programme,
)
from resguardo.plan.xlsform import XFORMS_NAMESPACE
from resguardo.values import Population, Refused, Sensitivity, SubjectKind

FOLDERS = find_programmes((BUILT_IN,))


@cache
def loaded(folder: Path) -> Programme:
    try:
        return load_programme(folder)
    except Refused as refusal:
        pytest.fail("\n".join(explain_all(refusal, "en")))


each_programme = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@each_programme
def test_it_loads_with_all_its_forms_converted(folder: Path) -> None:
    programme = loaded(folder)
    assert programme.name == folder.name
    assert programme.forms
    assert programme.indicators


@each_programme
def test_every_xform_is_xml_and_carries_the_sensitivity_of_every_field(folder: Path) -> None:
    for form in loaded(folder).forms:
        root = ElementTree.fromstring(form.xform)
        carried = {
            bind.get("nodeset", "").rpartition("/")[2]: bind.get(f"{{{XFORMS_NAMESPACE}}}sensitivity")
            for bind in root.iter("{http://www.w3.org/2002/xforms}bind")
        }
        assert {field.name: field.sensitivity.value for field in form.fields}.items() <= carried.items()


@each_programme
def test_every_question_and_choice_is_in_spanish_and_english(folder: Path) -> None:
    programme = loaded(folder)
    assert [caution for caution in cautions(programme) if caution.code == "plan.caution.label"] == []
    for form in programme.forms:
        for choices in form.choices.values():
            assert all({"es", "en"} <= choice.label.keys() for choice in choices), form.form_id


@each_programme
def test_every_rule_says_in_both_languages_what_to_do(folder: Path) -> None:
    for form in loaded(folder).forms:
        for field in form.fields:
            if field.constraint:
                assert {"es", "en"} <= field.constraint_message.keys(), (form.form_id, field.name)


@each_programme
def test_no_fact_of_it_comes_from_an_identifier_or_a_free_text(folder: Path) -> None:
    for form in loaded(folder).forms:
        for fact in form.facts:
            field = form.field(fact.source)
            assert field.sensitivity is not Sensitivity.IDENTIFIER
            assert field.kind != "text" or "regex(" in (field.constraint or "")
            if form.about is SubjectKind.PERSON:
                assert fact.type != DAY


@each_programme
def test_every_fact_of_an_indicator_is_a_fact_of_its_form(folder: Path) -> None:
    programme = loaded(folder)
    for indicator in programme.indicators:
        form = programme.form(indicator.form)
        conditions = (*indicator.where, *indicator.part)
        named = {*indicator.dimensions, *(condition.fact for condition in conditions)}
        assert named <= set(form.fact_names)
        assert indicator.measured is None or form.fact_types[indicator.measured] == "number"
        assert indicator.population.care >= form.population.care


@each_programme
def test_people_are_told_in_four_languages_and_may_ask_for_their_rights(folder: Path) -> None:
    programme = loaded(folder)
    if any(form.about is SubjectKind.PERSON for form in programme.forms):
        assert programme.notices.keys() >= {"es", "en", "fr", "ht"}
        assert programme.purpose("rights").opens == frozenset(Sensitivity)


@each_programme
def test_no_file_of_it_names_a_path_of_a_machine(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".toml", ".md", ".csv", ".py"):
            text = path.read_text(encoding="utf-8")
            assert not any(word in text for word in ("/home/", "/Users/")), path


def test_all_of_them_are_given_at_once_by_name() -> None:
    programmes = built_in()
    assert [programme.name for programme in programmes] == [folder.name for folder in FOLDERS]
    assert "training" in {programme.name for programme in programmes}
    form_ids = [form.form_id for programme in programmes for form in programme.forms]
    assert len(form_ids) == len(set(form_ids))
    assert not set(ALWAYS) & {fact.name for p in programmes for form in p.forms for fact in form.facts}


# Training


@pytest.fixture(scope="module")
def training() -> Programme:
    return loaded(BUILT_IN / "training")


def test_training_counts_what_the_news_says(training: Programme) -> None:
    trained = training.indicator("people_trained")
    assert (trained.form, trained.unit, trained.measure, trained.population) == (
        "completion",
        "person",
        "count",
        Population.OPEN,
    )
    assert [str(condition) for condition in trained.where] == ["attended_share >= 80"]
    assert {"country", "sex", "institution_type", "topic"} <= set(trained.dimensions)
    assert {"MX", "GT", "HN", "SV", "CR", "PA", "DO"} <= set(
        training.form("completion").codes("country") or ()
    )
    assert training.indicator("first_workshop").measure == "first"
    assert DAY in training.form("workshop").fact_names


def test_training_seals_names_contacts_and_needs(training: Programme) -> None:
    enrolment = training.form("enrolment")
    assert [field.name for field in enrolment.in_group(Sensitivity.IDENTIFIER)] == [
        "full_name",
        "email",
        "phone",
        "identity_document",
    ]
    assert [field.name for field in enrolment.in_group(Sensitivity.SENSITIVE)] == ["disability_need", "diet"]
    for form in training.forms:
        assert not {"employer", "position"} & set(form.fact_names)


def test_what_training_must_not_ask_is_not_asked(training: Programme) -> None:
    asked = {field.name for form in training.forms for field in form.fields}
    assert not {name for name in asked if "migration_status" in name or "ethnic" in name or "photo" in name}
    identity = training.form("enrolment").field("identity_document")
    assert identity.relevant == "${document_needed} = 'yes'"


def test_its_consents_open_three_purposes_and_no_other(training: Programme) -> None:
    consents = {
        purpose for form in training.forms for consent in form.consents for purpose in consent.purposes
    }
    assert consents == {"training", "follow_up", "image_publication"}
    assert {p.name for p in training.purposes if p.basis.value == "consent"} == consents


def test_its_rules_are_the_ones_that_its_indicators_and_forms_use(training: Programme) -> None:
    rules = {row["rule"]: row["value"] for row in training.table("rules").rows}
    assert training.indicator("people_trained").where[0].values == (rules["trained_share"],)
    certified = training.form("completion").field("certified").constraint or ""
    assert f"${{attended_share}} >= {rules['certificate_share']}" in certified
    assert f"${{max_score}} * {rules['certificate_score']}" in certified
