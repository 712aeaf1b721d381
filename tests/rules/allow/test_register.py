"""The register, the agreements and the assessments: they say what the programme does, and what is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.allow.register import (
    NEEDS_A_MEASURE,
    TOO_HIGH,
    AssessedRisk,
    AssessmentDecision,
    Dpia,
    Party,
    SecurityMeasure,
    agreement_of,
    faults_of,
    findings,
    is_valid,
    party_of,
    read_dpia,
    register_of,
)
from resguardo.allow.rulebook import load
from resguardo.plan.declaration import Programme
from resguardo.plan.languages import explain, in_language
from resguardo.plan.programme import built_in
from resguardo.values import Institution, InstitutionKind, Sensitivity

BOOK = load()
PROGRAMMES = {programme.name: programme for programme in built_in()}
ASSISTANCE = PROGRAMMES["assistance"]
TODAY = date(2026, 11, 24)
SHELTER = Party("Casa Tres Ríos", InstitutionKind.SHELTER, "CR", "tel. 1234", "Elena Mora")
CONSULATE = Institution(UUID(int=2), "consulado-b", "Consulado B", InstitutionKind.CONSULATE, "GT")
CLINIC = Institution(UUID(int=3), "clinica-sur", "Clínica del Sur", InstitutionKind.NGO, "CR")
ITSELF = Institution(UUID(int=1), "casa", "Casa Tres Ríos", InstitutionKind.SHELTER, "CR")
NETWORK = (ITSELF, CONSULATE, CLINIC)

# Terms of the Data Privacy Vocabulary 2.3 (https://w3id.org/dpv), as they stand in its list of terms.
VOCABULARY = frozenset(
    """
    AcademicScientificOrganisation Anonymisation AuthorisationProtocols Contract CryptographicKeyManagement
    DPIA DataController DataErasurePolicy DataProcessingRecord DataSubject EncryptionAtRest
    ExplicitlyExpressedConsent GovernmentalOrganisation IdentifyingPersonalData InternationalOrganisation
    LegalObligation LegitimateInterestOfController LoggingPolicy MultiFactorAuthentication
    NonGovernmentalOrganisation NonProfitOrganisation Organisation PersonalData Process
    PublicInterest Purpose Recipient Risk SensitivePersonalData StorageDuration TemporalDuration
    ThirdPartyAgreement UsageControl VitalInterestOfDataSubject hasConsequence hasContact hasDataController
    hasDataProtectionOfficer hasDataSubject hasDuration hasLegalBasis hasLikelihood hasLocation hasName
    hasPersonalData hasProcess hasPurpose hasRecipient hasRisk hasSeverity hasStorageCondition
    hasTechnicalOrganisationalMeasure hasThirdCountry isMitigatedByMeasure
    """.split()  # noqa: SIM905
)


def terms_in(value: object) -> Iterator[str]:
    """Every term of the vocabulary that a mapping uses, as key or as type."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "@context":
                continue
            yield key
            yield from terms_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from terms_in(inner)
    elif isinstance(value, str):
        yield value


def assert_known(mapping: dict[str, object]) -> None:
    used = {term.removeprefix("dpv:") for term in terms_in(mapping) if term.startswith("dpv:")}
    assert used <= VOCABULARY, used - VOCABULARY
    assert json.loads(json.dumps(mapping)) == mapping


# The register


@pytest.mark.parametrize("programme", PROGRAMMES.values(), ids=list(PROGRAMMES))
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_purpose_of_every_programme_is_an_activity_with_all_that_the_law_asks(
    programme: Programme, language: str
) -> None:
    register = register_of(programme, SHELTER, as_of=TODAY, receivers=NETWORK)
    text = register.markdown(language)
    assert [activity.purpose.name for activity in register.activities] == [
        purpose.name for purpose in programme.purposes
    ]
    for activity in register.activities:
        assert f"## {in_language(activity.purpose.title, language)}" in text
        assert f"{activity.purpose.retention_days} d" in text
    assert "{" not in text
    assert "allow.register" not in text
    mapping = register.mapping(language)
    assert_known(mapping)
    assert len(mapping["dpv:hasProcess"]) == len(programme.purposes)


def test_an_activity_lists_every_field_of_its_groups_and_no_other() -> None:
    register = register_of(ASSISTANCE, SHELTER, as_of=TODAY)
    for activity in register.activities:
        listed = {(group.form.name, asked.name) for group in activity.groups for asked in group.fields}
        assert listed == {
            (form.name, asked.name)
            for form in ASSISTANCE.forms
            if activity.purpose.covers(form.name)
            for asked in form.fields
            if asked.sensitivity in activity.purpose.opens
        }


def test_receivers_are_those_of_the_kinds_that_the_purpose_names_and_their_countries_are_transfers() -> None:
    register = register_of(ASSISTANCE, SHELTER, as_of=TODAY, receivers=NETWORK)
    activities = {activity.purpose.name: activity for activity in register.activities}
    consular = activities["consular_contact"]
    assert (consular.recipients, consular.receivers) == ((InstitutionKind.CONSULATE,), (CONSULATE,))
    assert consular.transfer_countries == ("GT",)
    referral = activities["referral"]
    assert referral.receivers == (CLINIC,)
    assert referral.transfer_countries == ()
    assert activities["assistance"].receivers == ()
    by_purpose = {one["dct:identifier"]: one for one in register.mapping("en")["dpv:hasProcess"]}
    assert by_purpose["consular_contact"]["dpv:hasThirdCountry"] == ["loc:GT"]


def test_the_register_says_who_answers_and_how_the_records_are_kept_safe() -> None:
    text = register_of(ASSISTANCE, SHELTER, as_of=TODAY).markdown("es")
    assert "Casa Tres Ríos (Albergue, Costa Rica)" in text
    assert "Elena Mora" in text
    assert text.count("\n- ") >= len(SecurityMeasure)
    nameless = register_of(ASSISTANCE, party_of(ITSELF), as_of=TODAY).markdown("es")
    assert "| Persona encargada de la protección de datos | Sin nombrar |" in nameless


def test_no_field_of_a_built_in_programme_is_asked_without_purpose_or_time() -> None:
    assert {name: findings(programme) for name, programme in PROGRAMMES.items() if findings(programme)} == {}
    assert "Nada: cada pregunta tiene" in register_of(ASSISTANCE, SHELTER, as_of=TODAY).markdown("es")


def test_a_field_that_no_purpose_opens_is_a_finding_with_its_row() -> None:
    without = replace(
        ASSISTANCE,
        purposes=tuple(
            replace(purpose, opens=purpose.opens - {Sensitivity.SENSITIVE}) for purpose in ASSISTANCE.purposes
        ),
    )
    found = findings(without)
    sensitive = [asked for form in ASSISTANCE.forms for asked in form.in_group(Sensitivity.SENSITIVE)]
    assert len(found) == len(sensitive) > 0
    assert {problem.code for problem in found} == {"allow.register.no_purpose"}
    assert all(problem.row and problem.file for problem in found)
    said = register_of(without, SHELTER, as_of=TODAY)
    assert said.findings == found
    for language in ("es", "en"):
        assert found[0].facts["field"] in said.markdown(language)
        assert explain(found[0], language)


def test_a_field_whose_purposes_set_no_time_is_a_finding() -> None:
    endless = replace(
        ASSISTANCE, purposes=tuple(replace(one, retention_days=0) for one in ASSISTANCE.purposes)
    )
    found = findings(endless)
    assert len(found) == sum(len(form.fields) for form in ASSISTANCE.forms)
    assert {problem.code for problem in found} == {"allow.register.no_retention"}


def test_a_table_row_stays_a_row_whatever_a_label_holds() -> None:
    shifty = replace(SHELTER, name="Casa | del \n Sur")
    text = register_of(ASSISTANCE, shifty, as_of=TODAY).markdown("es")
    assert r"Casa \| del   Sur (Albergue" in text


# The agreement


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_draft_has_the_fourteen_parts_of_an_agreement(language: str) -> None:
    draft = agreement_of(ASSISTANCE, SHELTER, InstitutionKind.CONSULATE, BOOK, day=TODAY)
    assert draft is not None
    text = draft.markdown(language)
    headings = re.findall(r"^## (\d+)\. ", text, re.MULTILINE)
    contents = PROGRAMMES["data_protection"].table("sharing_agreement_contents")
    assert headings == [str(number) for number in range(1, len(contents.rows) + 1)]
    assert "{" not in text
    assert_known(draft.mapping(language))


def test_a_draft_names_the_purposes_and_fields_that_the_programme_shares_and_no_others() -> None:
    draft = agreement_of(
        ASSISTANCE, SHELTER, InstitutionKind.CONSULATE, BOOK, day=TODAY, receiver=party_of(CONSULATE)
    )
    assert draft is not None
    assert [activity.purpose.name for activity in draft.activities] == ["consular_contact"]
    text = draft.markdown("es")
    assert "Consulado B (Consulado, Guatemala)" in text
    assert "Avisar al consulado: Permiso de la persona" in text
    registration = ASSISTANCE.form("registration")
    for asked in registration.in_group(Sensitivity.SENSITIVE):
        assert in_language(asked.label, "es") not in text
    # The law of Costa Rica and that of Guatemala are both asked; the earlier day names its rule.
    assert "el de Costa Rica" in text
    assert "72 horas corridas" in text


def test_what_a_programme_does_not_share_has_no_agreement() -> None:
    assert agreement_of(ASSISTANCE, SHELTER, InstitutionKind.MEDIA, BOOK, day=TODAY) is None
    kinds = {recipient.institution_kind for recipient in ASSISTANCE.recipients}
    drafts = [agreement_of(ASSISTANCE, SHELTER, kind, BOOK, day=TODAY) for kind in InstitutionKind]
    assert {draft.recipient for draft in drafts if draft} == kinds


# The assessment

RISK = AssessedRisk(
    "A member of staff under pressure",
    "tells where a person sleeps",
    "the person is found and hurt",
    likelihood=3,
    severity=4,
    measures=("names stay sealed", "every opening is noted"),
    residual_likelihood=1,
)
GOOD = Dpia(
    programme="assistance",
    receiver="consulado-b",
    description="The name of a person who wants it goes to her consulate.",
    necessity="Without it the consulate cannot give a document.",
    consultation="Twelve people of the shelter were asked; two wanted to read it first.",
    risks=(RISK,),
    decision=AssessmentDecision.GO_WITH_MEASURES,
    written_by="Elena",
    approved_by="Rosa",
    approved_on=date(2026, 10, 1),
    review_on=date(2027, 10, 1),
)


def faults(assessment: Dpia | None, day: date = TODAY) -> list[str]:
    found = faults_of(assessment, programme="assistance", receiver="consulado-b", day=day)
    assert all(explain(problem, language) for problem in found for language in ("es", "en"))
    return [problem.code.rpartition(".")[2] for problem in found]


def test_an_approved_assessment_opens_the_way_until_its_review() -> None:
    assert faults(GOOD) == []
    assert faults(GOOD, date(2027, 10, 1)) == []
    assert faults(GOOD, date(2027, 10, 2)) == ["review_due"]
    assert faults(GOOD, date(2026, 9, 30)) == ["approved_later"]
    assert is_valid(GOOD, programme="assistance", receiver="consulado-b", day=TODAY)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"receiver": "policia-c"}, ["assessment_of_another"]),
        ({"programme": "training"}, ["assessment_of_another"]),
        ({"necessity": " "}, ["assessment_incomplete"]),
        ({"consultation": ""}, ["assessment_incomplete"]),
        ({"risks": ()}, ["no_risks"]),
        ({"decision": AssessmentDecision.STOP}, ["assessment_says_stop"]),
        ({"approved_by": ""}, ["not_approved"]),
        ({"approved_on": None}, ["not_approved"]),
        ({"approved_by": "Elena"}, ["approved_by_its_writer"]),
        ({"review_on": None}, ["review_due"]),
        ({"review_on": date(2027, 11, 1)}, ["review_too_late"]),
        ({"risks": (replace(RISK, severity=5),)}, ["risk_level"]),
        ({"risks": (replace(RISK, residual_likelihood=0),)}, ["risk_level"]),
        ({"risks": (replace(RISK, measures=()),)}, ["risk_without_measure"]),
        ({"risks": (RISK, replace(RISK, likelihood=1, severity=2, measures=(), residual_severity=1))},
         ["risk_without_reason"]),
        ({"risks": (replace(RISK, residual_likelihood=4),)}, ["risk_without_reason"]),
        ({"risks": (replace(RISK, residual_likelihood=3),)}, ["risk_too_high"]),
        ({"risks": (), "decision": AssessmentDecision.STOP, "approved_by": ""},
         ["no_risks", "assessment_says_stop", "not_approved"]),
    ],
)  # fmt: skip
def test_an_assessment_that_lacks_something_closes_the_way_and_says_what(
    changes: dict[str, object], expected: list[str]
) -> None:
    assert faults(replace(GOOD, **changes)) == expected  # type: ignore[arg-type]


def test_without_an_assessment_nothing_is_sent() -> None:
    assert faults(None) == ["no_assessment"]
    assert not is_valid(None, programme="assistance", receiver="consulado-b", day=TODAY)


LEVEL = st.integers(1, 4)


@given(LEVEL, LEVEL, st.none() | LEVEL, st.none() | LEVEL, st.booleans(), st.integers(-400, 400))
def test_the_way_is_open_only_to_a_low_risk_with_its_reason_in_its_year(
    likelihood: int,
    severity: int,
    likelihood_left: int | None,
    severity_left: int | None,
    has_measure: bool,
    days: int,
) -> None:
    risk = AssessedRisk(
        "s", "t", "h", likelihood, severity, ("m",) if has_measure else (), likelihood_left, severity_left
    )
    day = date(2026, 10, 1) + timedelta(days=days)
    before = likelihood * severity
    after = (likelihood_left or likelihood) * (severity_left or severity)
    open_way = (
        (has_measure or (before < NEEDS_A_MEASURE and after == before))
        and after <= before
        and after < TOO_HIGH
        and 0 <= days <= 365
    )
    found = replace(GOOD, risks=(risk,))
    assert is_valid(found, programme="assistance", receiver="consulado-b", day=day) is open_way


def test_an_assessment_is_kept_and_read_again_unchanged() -> None:
    for assessment in (GOOD, replace(GOOD, approved_by="", approved_on=None, review_on=None, risks=())):
        mapping = assessment.as_mapping()
        assert read_dpia(json.loads(json.dumps(mapping))) == assessment
        assert_known(mapping)
