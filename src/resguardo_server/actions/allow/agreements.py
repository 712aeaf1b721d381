"""What the institution does with records, in writing: the register, agreements to share, assessments.

Register and drafts are read off the programmes; what people signed and assessed is entered, and checked.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from resguardo.allow.register import (
    REVIEWED_WITHIN_DAYS,
    Agreement,
    AssessedRisk,
    AssessmentDecision,
    Dpia,
    Party,
    Register,
    agreement_of,
    faults_of,
    party_of,
    read_dpia,
    register_of,
)
from resguardo.plan.languages import in_language
from resguardo.plan.programme import Programme
from resguardo.values import InstitutionKind, Language, Problem, Refused, Sensitivity
from resguardo_server import models
from resguardo_server.actions.allow.rules import local, refuse_unless_officer, rulebook_now
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import all_programmes, programme_named

FILES: Final = {"md": "text/markdown; charset=utf-8", "json": "application/ld+json"}
"""The kinds of file in which a register or a draft is handed out."""


def _party(institution: models.Institution) -> Party:
    return party_of(institution.as_value(), contact=institution.address, officer=institution.contact)


def _row(who: Asker) -> models.Institution:
    return models.Institution.objects.get(id=who.institution.id)


# The register


def programmes_of(who: Asker) -> list[Programme]:
    """The programmes of which the institution keeps records; all of them while it keeps none."""
    refuse_unless_officer(who)
    kept = set(
        models.Record.objects.filter(institution_id=who.institution.id)
        .values_list("programme", flat=True)
        .distinct()
    )
    every = all_programmes()
    return [one for one in every if one.name in kept] or list(every)


def register_for(who: Asker, programme: str, *, now: datetime) -> Register:
    """The register of processing activities of one programme at the institution."""
    refuse_unless_officer(who)
    network = [row.as_value() for row in models.Institution.objects.order_by("slug")]
    day = local(now, who.institution.country).date()
    return register_of(programme_named(programme), _party(_row(who)), as_of=day, receivers=network)


def draft_for(who: Asker, programme: str, receiver: str, *, now: datetime) -> Agreement:
    """The draft of an agreement with an institution, by its short name, or with a kind of institution."""
    refuse_unless_officer(who)
    row = models.Institution.objects.filter(slug=receiver).first()
    day = local(now, who.institution.country).date()
    kind = InstitutionKind(row.kind) if row else next((k for k in InstitutionKind if k == receiver), None)
    draft = kind and agreement_of(
        programme_named(programme),
        _party(_row(who)),
        kind,
        rulebook_now(),
        day=day,
        receiver=_party(row) if row else None,
    )
    if not draft:
        raise Refused(Problem("server.protection.nothing_shared"))
    return draft


def as_file(paper: Register | Agreement, kind: str, language: Language) -> bytes:
    """The register or the draft as a file for people (md) or for machines (json)."""
    if kind == "md":
        return paper.markdown(language).encode()
    return json.dumps(paper.mapping(language), ensure_ascii=False, indent=2).encode()


# Assessments


@dataclass(frozen=True)
class KnownAssessment:
    """An assessment as it stands, and why it does not open the way yet."""

    row: models.Assessment
    dpia: Dpia
    faults: tuple[Problem, ...]


def assess_use(
    who: Asker,
    programme: str,
    receiver: str,
    *,
    description: str,
    necessity: str,
    consultation: str,
    risks: Collection[AssessedRisk],
    decision: str,
) -> models.Assessment:
    """What a use of records, or a receiver of them, could do to people, written down by the officer.

    It opens no way before somebody else has approved it.
    """
    refuse_unless_officer(who)
    known = programme_named(programme)
    if decision not in tuple(AssessmentDecision):
        raise Refused(Problem("server.protection.decision"))
    if receiver and not models.Institution.objects.filter(slug=receiver).exists():
        raise Refused(Problem("server.protection.unknown_receiver"))
    dpia = Dpia(
        programme=known.name,
        receiver=receiver,
        description=description.strip(),
        necessity=necessity.strip(),
        consultation=consultation.strip(),
        risks=tuple(risks),
        decision=AssessmentDecision(decision),
        written_by=who.name,
    )
    # What is only missing until somebody else has read it does not stop the writing.
    faults = faults_of(
        replace(dpia, approved_by="-", approved_on=date(2000, 1, 1), review_on=date(2000, 1, 1)),
        programme=known.name,
        receiver=receiver,
        day=date(2000, 1, 1),
    )
    if faults and dpia.decision is not AssessmentDecision.STOP:
        raise Refused(*faults)
    return models.Assessment.objects.create(
        institution_id=who.institution.id,
        programme=known.name,
        receiver=receiver,
        content=dpia.as_mapping(),
    )


def approve_assessment(who: Asker, number: int, *, now: datetime) -> None:
    """Somebody who did not write it approves it; it is looked at again within a year."""
    if not who.roles & {"data_protection_officer", "supervisor", "administrator"}:
        raise Refused(Problem("server.protection.officer_only"))
    row = models.Assessment.objects.filter(pk=number, institution_id=who.institution.id).first()
    if row is None:
        raise Refused(Problem("server.protection.unknown_assessment"))
    dpia = read_dpia(row.content)
    day = local(now, who.institution.country).date()
    review = day + timedelta(days=REVIEWED_WITHIN_DAYS - 1)
    approved = replace(dpia, approved_by=who.name, approved_on=day, review_on=review)
    faults = faults_of(approved, programme=row.programme, receiver=row.receiver, day=day)
    if faults:
        raise Refused(*faults)
    row.content = approved.as_mapping()
    row.approved_by = models.Member.objects.get(email=who.name)
    row.approved_on, row.review_on = day, review
    row.save()


def assessments(who: Asker, *, now: datetime) -> list[KnownAssessment]:
    """The institution's assessments, the newest first, each with what is wrong with it today."""
    refuse_unless_officer(who)
    day = local(now, who.institution.country).date()
    rows = models.Assessment.objects.filter(institution_id=who.institution.id).order_by("-pk")
    return [_assessment(row, day) for row in rows]


def _assessment(row: models.Assessment, day: date) -> KnownAssessment:
    dpia = read_dpia(row.content)
    faults = faults_of(dpia, programme=row.programme, receiver=row.receiver, day=day)
    return KnownAssessment(row, dpia, faults)


# Agreements


@dataclass(frozen=True)
class KnownAgreement:
    """A signed agreement as it stands today."""

    row: models.Agreement
    state: str
    """``in_force``, ``over``, ``not_yet`` or ``no_assessment``."""
    faults: tuple[Problem, ...]

    @property
    def counts(self) -> bool:
        """Whether records may go to the receiver on its ground."""
        return self.state == "in_force"


def enter_agreement(
    who: Asker,
    programme: str,
    receiver: str,
    *,
    purposes: Collection[str],
    groups: Collection[str],
    signed_on: date,
    until: date,
    assessment: int | None = None,
    now: datetime,
) -> models.Agreement:
    """An agreement that was signed: with whom, for which purposes and groups, until when."""
    refuse_unless_officer(who)
    known = programme_named(programme)
    row = models.Institution.objects.filter(slug=receiver).exclude(id=who.institution.id).first()
    problems = []
    if row is None:
        problems.append(Problem("server.protection.unknown_receiver"))
    else:
        allowed = {
            purpose
            for recipient in known.recipients
            if recipient.institution_kind == row.kind
            for purpose in recipient.purposes
        }
        if not purposes or not set(purposes) <= allowed:
            problems.append(Problem("server.protection.nothing_shared"))
    if not groups or not set(groups) <= set(Sensitivity):
        problems.append(Problem("server.protection.which_groups"))
    if signed_on > local(now, who.institution.country).date():
        problems.append(Problem("server.protection.later_than_now"))
    if until <= signed_on:
        problems.append(Problem("server.protection.ends_before"))
    papers = models.Assessment.objects.filter(institution_id=who.institution.id)
    paper = papers.filter(pk=assessment).first() if assessment is not None else None
    if assessment is not None and paper is None:
        problems.append(Problem("server.protection.unknown_assessment"))
    if problems or row is None:
        raise Refused(*problems)
    return models.Agreement.objects.create(
        institution_id=who.institution.id,
        programme=known.name,
        receiver=row,
        purposes=sorted(purposes),
        groups=[str(level) for level in Sensitivity if level in groups],
        signed_on=signed_on,
        until=until,
        assessment=paper,
    )


def agreements(who: Asker, *, now: datetime) -> list[KnownAgreement]:
    """The institution's agreements, by receiver, each with whether it counts today."""
    refuse_unless_officer(who)
    day = local(now, who.institution.country).date()
    rows = models.Agreement.objects.filter(institution_id=who.institution.id)
    rows = rows.select_related("receiver", "assessment").order_by("receiver__name", "-until", "pk")
    return [_agreement(row, day) for row in rows]


def _agreement(row: models.Agreement, day: date) -> KnownAgreement:
    dpia = read_dpia(row.assessment.content) if row.assessment is not None else None
    faults = faults_of(dpia, programme=row.programme, receiver=row.receiver.slug, day=day)
    if day > row.until:
        return KnownAgreement(row, "over", faults)
    if day < row.signed_on:
        return KnownAgreement(row, "not_yet", faults)
    return KnownAgreement(row, "no_assessment" if faults else "in_force", faults)


def possible_receivers(who: Asker, programme: Programme) -> list[models.Institution]:
    """The institutions of the network that the programme lets receive, without this one."""
    refuse_unless_officer(who)
    kinds = {str(recipient.institution_kind) for recipient in programme.recipients}
    rows = models.Institution.objects.filter(kind__in=kinds).exclude(id=who.institution.id)
    return list(rows.order_by("name"))


def purposes_shared(programme: Programme, kind: str, language: Language) -> list[tuple[str, str]]:
    """The purposes for which an institution of that kind may receive, with their titles."""
    names = {
        purpose
        for recipient in programme.recipients
        if recipient.institution_kind == kind
        for purpose in recipient.purposes
    }
    return [(one.name, in_language(one.title, language)) for one in programme.purposes if one.name in names]
