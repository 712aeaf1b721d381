"""What an institution does with records, written down: the register, the agreements, the assessments.

The register of processing activities is not kept by hand: it is read off the programme that the forms and the
rules themselves use, one activity per purpose, so it cannot say something else than what happens. The same
holds for the draft of an agreement to share. Both are Markdown for people and a mapping in the terms of the
W3C Data Privacy Vocabulary 2.3 for machines. A field that no purpose uses is a finding, and so is a field
whose purposes set no time.

An assessment of what a use could do to people (DPIA) is a record with its own validity: `faults_of` says
whether it opens the way to a receiver, and if not, why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from babel import Locale

from resguardo.allow.calendar import in_words
from resguardo.allow.rights import Right, controller_type, deadline
from resguardo.allow.rulebook import Rulebook
from resguardo.plan.declaration import Form, Programme, Purpose
from resguardo.plan.languages import in_language, say
from resguardo.plan.xlsform import Field
from resguardo.values import (
    Basis,
    Institution,
    InstitutionKind,
    Language,
    Problem,
    Sensitivity,
    SubjectKind,
)


@dataclass(frozen=True)
class Party:
    """An institution as an agreement or the register names it."""

    name: str
    kind: InstitutionKind
    country: str
    """ISO 3166-1 alpha-2 code."""
    contact: str = ""
    officer: str = ""
    """How to reach the data protection officer."""


def party_of(institution: Institution, *, contact: str = "", officer: str = "") -> Party:
    """The institution as a party."""
    return Party(institution.name, institution.kind, institution.country, contact, officer)


class SecurityMeasure(StrEnum):
    """What keeps the records safe; each is true of every record that this system keeps."""

    SEALED = "sealed"
    SEPARATE_KEYS = "separate_keys"
    PURPOSE = "purpose"
    JOURNAL = "journal"
    SECOND_FACTOR = "second_factor"
    BUDGETS = "budgets"
    SAFE_TABLES = "safe_tables"
    ERASURE = "erasure"


_MEASURE_TERMS: Final[Mapping[SecurityMeasure, str]] = MappingProxyType(
    {
        SecurityMeasure.SEALED: "dpv:EncryptionAtRest",
        SecurityMeasure.SEPARATE_KEYS: "dpv:CryptographicKeyManagement",
        SecurityMeasure.PURPOSE: "dpv:AuthorisationProtocols",
        SecurityMeasure.JOURNAL: "dpv:LoggingPolicy",
        SecurityMeasure.SECOND_FACTOR: "dpv:MultiFactorAuthentication",
        SecurityMeasure.BUDGETS: "dpv:UsageControl",
        SecurityMeasure.SAFE_TABLES: "dpv:Anonymisation",
        SecurityMeasure.ERASURE: "dpv:DataErasurePolicy",
    }
)
_BASIS_TERMS: Final[Mapping[Basis, str]] = MappingProxyType(
    {
        Basis.CONSENT: "dpv:ExplicitlyExpressedConsent",
        Basis.LEGAL_OBLIGATION: "dpv:LegalObligation",
        Basis.PUBLIC_TASK: "dpv:PublicInterest",
        Basis.VITAL_INTEREST: "dpv:VitalInterestOfDataSubject",
        Basis.LEGITIMATE_INTEREST: "dpv:LegitimateInterestOfController",
        Basis.CONTRACT: "dpv:Contract",
    }
)
_GROUP_TERMS: Final[Mapping[Sensitivity, str]] = MappingProxyType(
    {
        Sensitivity.IDENTIFIER: "dpv:IdentifyingPersonalData",
        Sensitivity.QUASI: "dpv:PersonalData",
        Sensitivity.SENSITIVE: "dpv:SensitivePersonalData",
        Sensitivity.PLAIN: "dpv:PersonalData",
    }
)
_KIND_TERMS: Final[Mapping[InstitutionKind, str]] = MappingProxyType(
    {
        InstitutionKind.REGIONAL_OFFICE: "dpv:InternationalOrganisation",
        InstitutionKind.INTERNATIONAL_ORGANISATION: "dpv:InternationalOrganisation",
        InstitutionKind.CONSULATE: "dpv:GovernmentalOrganisation",
        InstitutionKind.MIGRATION_INSTITUTE: "dpv:GovernmentalOrganisation",
        InstitutionKind.MINISTRY: "dpv:GovernmentalOrganisation",
        InstitutionKind.POLICE: "dpv:GovernmentalOrganisation",
        InstitutionKind.SHELTER: "dpv:NonProfitOrganisation",
        InstitutionKind.NGO: "dpv:NonGovernmentalOrganisation",
        InstitutionKind.UNIVERSITY: "dpv:AcademicScientificOrganisation",
        InstitutionKind.CHAMBER: "dpv:NonProfitOrganisation",
        InstitutionKind.MEDIA: "dpv:Organisation",
    }
)
CONTEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dpv": "https://w3id.org/dpv#",
        "loc": "https://w3id.org/dpv/loc#",
        "dct": "http://purl.org/dc/terms/",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    }
)


# The register


@dataclass(frozen=True)
class FieldGroup:
    """The questions of one form that are sealed together."""

    form: Form
    group: Sensitivity
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Activity:
    """One purpose: which answers it opens, of whom, for whom, how long, on which legal basis."""

    purpose: Purpose
    groups: tuple[FieldGroup, ...]
    recipients: tuple[InstitutionKind, ...]
    receivers: tuple[Institution, ...]
    """The institutions of the network that may receive for this purpose."""
    transfer_countries: tuple[str, ...]
    """The countries of receivers that are not the controller's."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms whose answers it opens, each once."""
        return tuple({group.form.name: group.form for group in self.groups}.values())


@dataclass(frozen=True)
class Register:
    """The register of processing activities of one programme and one controller."""

    programme: Programme
    controller: Party
    as_of: date
    activities: tuple[Activity, ...]
    measures: tuple[SecurityMeasure, ...]
    findings: tuple[Problem, ...]

    def markdown(self, language: Language) -> str:
        """The register for people."""
        programme = self.programme
        lines = [
            f"# {_say('title', language)}: {in_language(programme.title, language)}",
            "",
            in_language(programme.description, language),
            "",
            *_rows(
                (
                    (_say("controller", language), _party_words(self.controller, language)),
                    (_say("officer", language), self.controller.officer or _say("not_named", language)),
                    (_say("contact", language), self.controller.contact or _say("not_named", language)),
                    (_say("as_of", language), in_words(self.as_of, language)),
                ),
                language,
            ),
            "",
        ]
        for activity in self.activities:
            lines += [*_activity_lines(activity, language), ""]
        lines += [f"## {_say('measures', language)}", ""]
        lines += [f"- {_say(f'measure_{measure}', language)}" for measure in self.measures]
        lines += ["", f"## {_say('findings', language)}", ""]
        lines += _finding_lines(self.findings, language)
        return "\n".join(lines) + "\n"

    def mapping(self, language: Language) -> dict[str, Any]:
        """The register for machines: JSON-LD in the terms of the Data Privacy Vocabulary."""
        return {
            "@context": dict(CONTEXT),
            "@type": "dpv:DataProcessingRecord",
            "dct:title": in_language(self.programme.title, language),
            "dct:language": language,
            "dct:modified": self.as_of.isoformat(),
            "dct:source": self.programme.digest,
            "dpv:hasDataController": _party_mapping(self.controller, "dpv:DataController"),
            "dpv:hasTechnicalOrganisationalMeasure": [
                {"@type": _MEASURE_TERMS[measure], "dct:description": _say(f"measure_{measure}", language)}
                for measure in self.measures
            ],
            "dpv:hasProcess": [_activity_mapping(activity, language) for activity in self.activities],
        }


def register_of(
    programme: Programme, controller: Party, *, as_of: date, receivers: Iterable[Institution] = ()
) -> Register:
    """The register of what the programme does with records at that institution.

    `receivers` are the institutions of the network; each counts as a receiver of the purposes that the
    programme lets its kind receive for.
    """
    known = tuple(receivers)
    return Register(
        programme,
        controller,
        as_of,
        tuple(_activity(programme, purpose, controller, known) for purpose in programme.purposes),
        tuple(SecurityMeasure),
        findings(programme),
    )


def _activity(
    programme: Programme, purpose: Purpose, controller: Party, known: tuple[Institution, ...]
) -> Activity:
    kinds = tuple(
        recipient.institution_kind for recipient in programme.recipients if purpose.name in recipient.purposes
    )
    receivers = tuple(
        one
        for one in known
        if one.kind in kinds and (one.name, one.country) != (controller.name, controller.country)
    )
    abroad = sorted({one.country for one in receivers} - {controller.country})
    groups = tuple(
        FieldGroup(form, group, fields)
        for form in programme.forms
        if purpose.covers(form.name)
        for group in Sensitivity
        if group in purpose.opens and (fields := form.in_group(group))
    )
    return Activity(purpose, groups, kinds, receivers, tuple(abroad))


def findings(programme: Programme) -> tuple[Problem, ...]:
    """Every field that is asked without a purpose that opens it, or only for purposes without a time."""
    found: list[Problem] = []
    for form in programme.forms:
        for asked in form.fields:
            using = [
                purpose
                for purpose in programme.purposes
                if purpose.covers(form.name) and asked.sensitivity in purpose.opens
            ]
            code = None
            if not using:
                code = "allow.register.no_purpose"
            elif all(purpose.retention_days < 1 for purpose in using):
                code = "allow.register.no_retention"
            if code is not None:
                facts = {"field": asked.name, "form": form.name, "group": str(asked.sensitivity)}
                found.append(Problem(code, facts, form.text.file, "survey", asked.row))
    return tuple(found)


def _say(key: str, language: Language, **facts: object) -> str:
    return say(f"allow.register.{key}", language, **facts)


def _country(code: str, language: Language) -> str:
    for tongue in (language, "fr" if language == "ht" else "es"):
        if name := Locale.parse(tongue).territories.get(code):
            return str(name)
    return code


def _party_words(party: Party, language: Language) -> str:
    kind = _say(f"kind_{party.kind}", language)
    return f"{party.name} ({kind}, {_country(party.country, language)})"


def _rows(pairs: Iterable[tuple[str, str]], language: Language) -> list[str]:
    head = f"| {_say('item', language)} | {_say('content', language)} |"
    return [head, "|---|---|", *(f"| {_cell(name)} | {_cell(content)} |" for name, content in pairs)]


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


def _people(forms: Iterable[Form], language: Language) -> str:
    """Of whom the records are: the forms that are about people, or that they are about things."""
    about = [form for form in forms if form.about is SubjectKind.PERSON]
    if not about:
        return _say("about_things", language)
    care = max((form.population for form in about), key=lambda population: population.care)
    titles = ", ".join(in_language(form.title, language) for form in about)
    return f"{titles}. {_say(f'population_{care}', language)}"


def _activity_lines(activity: Activity, language: Language) -> list[str]:
    purpose = activity.purpose
    nobody = _say("nobody", language)
    countries = [_country(code, language) for code in activity.transfer_countries]
    receivers = [_say(f"kind_{kind}", language) for kind in activity.recipients]
    named = [f"{one.name} ({_country(one.country, language)})" for one in activity.receivers]
    rows = [
        (_say("basis", language), _say(f"basis_{purpose.basis}", language)),
        (_say("people", language), _people(activity.forms, language)),
        (_say("roles", language), ", ".join(_role(role, language) for role in purpose.roles)),
        (_say("recipients", language), ", ".join(receivers) or nobody),
        (_say("receivers", language), ", ".join(named) or nobody),
        (_say("countries", language), ", ".join(countries) or nobody),
        (_say("retention", language), _days(purpose.retention_days, language)),
        (_say("measures", language), _say("measures_below", language)),
    ]
    lines = [f"## {in_language(purpose.title, language) or purpose.name}", "", *_rows(rows, language), ""]
    return [*lines, *_field_lines(activity.groups, language)]


def _role(role: str, language: Language) -> str:
    try:
        return _say(f"role_{role}", language)
    except KeyError:
        return role.replace("_", " ")


def _days(days: int, language: Language) -> str:
    if days < 1:
        return _say("no_time", language)
    return _say("days", language, days=days)


def _field_lines(groups: Iterable[FieldGroup], language: Language) -> list[str]:
    """The categories of data: each form's questions by the group in which they are sealed."""
    head = (_say("form", language), _say("group", language), _say("fields", language))
    lines = [f"| {' | '.join(head)} |", "|---|---|---|"]
    for group in groups:
        labels = "; ".join(in_language(asked.label, language) or asked.name for asked in group.fields)
        said = (in_language(group.form.title, language), _say(f"group_{group.group}", language), labels)
        lines.append(f"| {' | '.join(_cell(text) for text in said)} |")
    return lines


def _finding_lines(found: Iterable[Problem], language: Language) -> list[str]:
    lines = [f"- {say(problem.code, language, **problem.facts)}" for problem in found]
    return lines or [_say("no_finding", language)]


def _party_mapping(party: Party, role: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@type": [role, _KIND_TERMS[party.kind]],
        "dpv:hasName": party.name,
        "dpv:hasLocation": f"loc:{party.country}",
    }
    if party.contact:
        said["dpv:hasContact"] = party.contact
    if party.officer:
        said["dpv:hasDataProtectionOfficer"] = {"dpv:hasContact": party.officer}
    return said


def _groups_mapping(groups: Iterable[FieldGroup], language: Language) -> list[dict[str, Any]]:
    return [
        {
            "@type": _GROUP_TERMS[group.group],
            "dct:title": _say(f"group_{group.group}", language),
            "dct:source": group.form.form_id,
            "dct:hasPart": [asked.name for asked in group.fields],
        }
        for group in groups
    ]


def _activity_mapping(activity: Activity, language: Language) -> dict[str, Any]:
    purpose = activity.purpose
    return {
        "@type": "dpv:Process",
        "dct:identifier": purpose.name,
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:title": in_language(purpose.title, language)},
        "dpv:hasLegalBasis": {"@type": _BASIS_TERMS[purpose.basis]},
        "dpv:hasPersonalData": _groups_mapping(activity.groups, language),
        "dpv:hasDataSubject": [
            {"@type": "dpv:DataSubject", "dct:title": in_language(form.title, language)}
            for form in activity.forms
            if form.about is SubjectKind.PERSON
        ],
        "dpv:hasRecipient": [
            *({"@type": ["dpv:Recipient", _KIND_TERMS[kind]]} for kind in activity.recipients),
            *(_party_mapping(party_of(one), "dpv:Recipient") for one in activity.receivers),
        ],
        "dpv:hasThirdCountry": [f"loc:{country}" for country in activity.transfer_countries],
        "dpv:hasStorageCondition": [_duration(purpose.retention_days)],
    }


def _duration(days: int) -> dict[str, Any]:
    return {
        "@type": "dpv:StorageDuration",
        "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": f"P{days}D"},
    }


# The agreement


@dataclass(frozen=True)
class Agreement:
    """The draft of an agreement to share records of one programme with one kind of institution.

    It says what the programme and the rulebook know, and leaves a line where people must decide.
    """

    programme: Programme
    controller: Party
    recipient: InstitutionKind
    receiver: Party | None
    activities: tuple[Activity, ...]
    answer_by: str
    """The jurisdiction whose time for an answer ends first."""
    rulebook: Rulebook

    def markdown(self, language: Language) -> str:
        """The draft for people, under the fourteen headings of a sharing agreement."""
        lines = [f"# {_say('agreement', language)}: {in_language(self.programme.title, language)}", ""]
        lines += [f"> {_say('draft', language)}", ""]
        for number, (heading, said) in enumerate(self._parts(language), start=1):
            lines += [f"## {number}. {heading}", "", *said, ""]
        return "\n".join(lines)

    def _parts(self, language: Language) -> list[tuple[str, list[str]]]:
        kind = _say(f"kind_{self.recipient}", language)
        blank = _say("blank", language)
        receiver = kind if self.receiver is None else _party_words(self.receiver, language)
        purposes = [
            f"- {in_language(activity.purpose.title, language)}: "
            f"{_say(f'basis_{activity.purpose.basis}', language)}"
            for activity in self.activities
        ]
        times = [
            f"- {in_language(activity.purpose.title, language)}: "
            f"{_days(activity.purpose.retention_days, language)}"
            for activity in self.activities
        ]
        groups = {
            (group.form.name, group.group): group
            for activity in self.activities
            for group in activity.groups
            if group.form.about is SubjectKind.PERSON
        }
        forms = {group.form.name: group.form for group in groups.values()}
        access = self.rulebook.strictest.rights_response["propagate_to_recipients"]
        breach = self.rulebook.strictest.breach_authority
        said: list[tuple[str, list[str]]] = [
            (
                "parties",
                [
                    _say("gives", language, party=_party_words(self.controller, language)),
                    _say("receives", language, party=receiver),
                ],
            ),
            ("purposes", purposes),
            ("data_fields", _field_lines(groups.values(), language)),
            ("people", [_people(forms.values(), language)]),
            ("bases", [_say("only_with_consent", language)]),
            ("sending", [_say("sending_text", language)]),
            ("onward", [_say("onward_text", language)]),
            ("keeping", [*times, "", _say("keeping_text", language)]),
            (
                "route",
                [
                    _say(
                        "route_text",
                        language,
                        period=access.words(language),
                        place=self.rulebook.name(self.answer_by, language),
                    )
                ],
            ),
            ("breaches", [_say("breaches_text", language, period=breach.words(language))]),
            ("audit", [_say("audit_text", language)]),
            ("secrecy", [_say("secrecy_text", language)]),
            ("liability", [_say("liability_text", language), "", blank]),
            ("signatures", [_say("signatures_text", language), "", blank, "", blank]),
        ]
        return [(_say(f"part_{key}", language), lines) for key, lines in said]

    def mapping(self, language: Language) -> dict[str, Any]:
        """The draft for machines."""
        receiver: dict[str, Any] = {"@type": ["dpv:Recipient", _KIND_TERMS[self.recipient]]}
        if self.receiver is not None:
            receiver = _party_mapping(self.receiver, "dpv:Recipient")
        return {
            "@context": dict(CONTEXT),
            "@type": "dpv:ThirdPartyAgreement",
            "dct:title": f"{_say('agreement', language)}: {in_language(self.programme.title, language)}",
            "dct:language": language,
            "dct:source": self.programme.digest,
            "dpv:hasDataController": _party_mapping(self.controller, "dpv:DataController"),
            "dpv:hasRecipient": receiver,
            "dpv:hasProcess": [_activity_mapping(activity, language) for activity in self.activities],
        }


def agreement_of(
    programme: Programme,
    controller: Party,
    recipient: InstitutionKind,
    rulebook: Rulebook,
    *,
    day: date,
    receiver: Party | None = None,
) -> Agreement | None:
    """The draft of an agreement with that kind of institution; None where nothing is shared with it.

    `day` is the day for which the time of an answer is compared; `receiver` names the institution, if it is
    known already.
    """
    activities = tuple(
        activity
        for purpose in programme.purposes
        if recipient in (activity := _activity(programme, purpose, controller, ())).recipients
    )
    if not activities:
        return None
    controllers = [(controller_type(controller.kind), controller.country)]
    if receiver is not None:
        controllers.append((controller_type(receiver.kind), receiver.country))
    found = deadline(Right.ACCESS, controllers, day, rulebook)
    return Agreement(
        programme, controller, recipient, receiver, activities, found.rule.jurisdiction, rulebook
    )


# The assessment


class AssessmentDecision(StrEnum):
    """What was decided after the assessment."""

    GO = "go"
    GO_WITH_MEASURES = "go_with_measures"
    STOP = "stop"


LEVELS: Final = range(1, 5)
"""Likelihood and severity go from 1 (hardly, light) to 4 (almost sure, grave)."""

NEEDS_A_MEASURE: Final = 6
"""From this product of likelihood and severity on, a risk needs a measure."""

TOO_HIGH: Final = 9
"""A risk that is still as high after its measures stops the use."""

REVIEWED_WITHIN_DAYS: Final = 366
"""An assessment is reviewed every year (the law of Jamaica asks for one a year)."""


@dataclass(frozen=True)
class AssessedRisk:
    """What could happen to people, how likely and how grave, and what is left after the measures."""

    source: str
    """Where it comes from: who or what."""
    threat: str
    harm: str
    """What it does to the person."""
    likelihood: int
    severity: int
    measures: tuple[str, ...] = ()
    residual_likelihood: int | None = None
    residual_severity: int | None = None

    @property
    def score(self) -> int:
        """Likelihood times severity, before any measure."""
        return self.likelihood * self.severity

    @property
    def residual(self) -> int:
        """The same after the measures; without them nothing is less."""
        return (self.residual_likelihood or self.likelihood) * (self.residual_severity or self.severity)


@dataclass(frozen=True)
class Dpia:
    """An assessment of what a use of records, or a receiver of them, could do to people."""

    programme: str
    receiver: str
    """Whom it is about; empty for the programme itself."""
    description: str
    necessity: str
    consultation: str
    """Who among the people concerned was asked, and what they said."""
    risks: tuple[AssessedRisk, ...]
    decision: AssessmentDecision
    written_by: str
    approved_by: str = ""
    approved_on: date | None = None
    review_on: date | None = None

    def as_mapping(self) -> dict[str, Any]:
        """As it is kept, in the terms of the Data Privacy Vocabulary where it has them."""
        return {
            "@context": dict(CONTEXT),
            "@type": "dpv:DPIA",
            "programme": self.programme,
            "receiver": self.receiver,
            "dct:description": self.description,
            "necessity": self.necessity,
            "consultation": self.consultation,
            "dpv:hasRisk": [
                {
                    "@type": "dpv:Risk",
                    "source": risk.source,
                    "threat": risk.threat,
                    "dpv:hasConsequence": risk.harm,
                    "dpv:hasLikelihood": risk.likelihood,
                    "dpv:hasSeverity": risk.severity,
                    "dpv:isMitigatedByMeasure": list(risk.measures),
                    "residual_likelihood": risk.residual_likelihood,
                    "residual_severity": risk.residual_severity,
                }
                for risk in self.risks
            ],
            "decision": str(self.decision),
            "written_by": self.written_by,
            "approved_by": self.approved_by,
            "approved_on": None if self.approved_on is None else self.approved_on.isoformat(),
            "review_on": None if self.review_on is None else self.review_on.isoformat(),
        }


def read_dpia(said: Mapping[str, Any]) -> Dpia:
    """The assessment that `Dpia.as_mapping` wrote."""
    return Dpia(
        programme=said["programme"],
        receiver=said["receiver"],
        description=said["dct:description"],
        necessity=said["necessity"],
        consultation=said["consultation"],
        risks=tuple(
            AssessedRisk(
                source=risk["source"],
                threat=risk["threat"],
                harm=risk["dpv:hasConsequence"],
                likelihood=risk["dpv:hasLikelihood"],
                severity=risk["dpv:hasSeverity"],
                measures=tuple(risk["dpv:isMitigatedByMeasure"]),
                residual_likelihood=risk["residual_likelihood"],
                residual_severity=risk["residual_severity"],
            )
            for risk in said["dpv:hasRisk"]
        ),
        decision=AssessmentDecision(said["decision"]),
        written_by=said["written_by"],
        approved_by=said["approved_by"],
        approved_on=None if said["approved_on"] is None else date.fromisoformat(said["approved_on"]),
        review_on=None if said["review_on"] is None else date.fromisoformat(said["review_on"]),
    )


def faults_of(assessment: Dpia | None, *, programme: str, receiver: str, day: date) -> tuple[Problem, ...]:
    """Why the assessment does not open the way to that receiver on that day; nothing when it does.

    It must be about this programme and receiver, name its risks with their measures, leave none too high, be
    decided and approved by somebody who did not write it, and not be due for review.
    """
    if assessment is None:
        return (Problem("allow.register.no_assessment", {"receiver": receiver}),)
    found: list[Problem] = []

    def refuse(code: str, **facts: str) -> None:
        found.append(Problem(f"allow.register.{code}", facts))

    if (assessment.programme, assessment.receiver) != (programme, receiver):
        refuse("assessment_of_another", receiver=receiver)
    if not all(
        text.strip() for text in (assessment.description, assessment.necessity, assessment.consultation)
    ):
        refuse("assessment_incomplete")
    if not assessment.risks:
        refuse("no_risks")
    for number, risk in enumerate(assessment.risks, start=1):
        levels = (risk.likelihood, risk.severity, risk.residual_likelihood, risk.residual_severity)
        if any(level is not None and level not in LEVELS for level in levels):
            refuse("risk_level", number=str(number))
        elif risk.score >= NEEDS_A_MEASURE and not risk.measures:
            refuse("risk_without_measure", number=str(number))
        elif risk.residual > risk.score or (risk.residual < risk.score and not risk.measures):
            refuse("risk_without_reason", number=str(number))
        elif risk.residual >= TOO_HIGH:
            refuse("risk_too_high", number=str(number))
    if assessment.decision is AssessmentDecision.STOP:
        refuse("assessment_says_stop")
    if not assessment.approved_by.strip() or assessment.approved_on is None:
        refuse("not_approved")
    else:
        if assessment.approved_by == assessment.written_by:
            refuse("approved_by_its_writer")
        if assessment.approved_on > day:
            refuse("approved_later")
        if assessment.review_on is None or assessment.review_on < day:
            refuse("review_due")
        elif (assessment.review_on - assessment.approved_on).days > REVIEWED_WITHIN_DAYS:
            refuse("review_too_late")
    return tuple(found)


def is_valid(assessment: Dpia | None, *, programme: str, receiver: str, day: date) -> bool:
    """Whether records of the programme may go to that receiver as far as the assessment is concerned."""
    return not faults_of(assessment, programme=programme, receiver=receiver, day=day)
