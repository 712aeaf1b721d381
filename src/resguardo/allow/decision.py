"""Whether a record may be used: yes, for this purpose and these minutes; or no, and by which rule.

The one place where a `Permit` is made. This file says what is the case in the words of the policies' schema;
the policies (`policies/*.cedar`) say whether it is allowed. When several forbid, the first in the order of
`Rule` gives the answer; what no policy allows is forbidden. `POLICY` is the SHA-256 of all that text: it
stands in every permit, every denial and every journal entry, so that a later reader knows which rules
decided.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from resguardo.allow.consent import Consent, consents_in_force
from resguardo.allow.policy import POLICIES, Entity, Facts, Judgement, Question, policy_hash
from resguardo.allow.purpose import days_past_retention, purpose_named
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import say
from resguardo.plan.purposes import RIGHTS
from resguardo.values import Basis, InstitutionKind, Language, Permit, Problem, Refused, Sensitivity

POLICY: Final = policy_hash()
"""SHA-256 of the rules' text, in hexadecimal."""

USUAL_TIME: Final = timedelta(minutes=15)
EMERGENCY_TIME: Final = timedelta(minutes=60)

HERSELF: Final = "data_subject"
"""The role of the person whom the records are about, when she asks with her receipt."""
LEGAL_CLAIM: Final = "legal_claim"
"""The one purpose for which a restricted subject's records may still be opened by whoever has the role."""
VITAL_INTEREST: Final = "vital_interest"
"""The purpose of an emergency; a programme need not declare it."""


class Action(StrEnum):
    """What may be done with records."""

    READ = "read"
    UPDATE = "update"
    EXPORT = "export"
    REFER = "refer"
    ERASE = "erase"
    RESTRICT = "restrict"
    """To limit the use of a subject's records, or to end the limit."""
    WITHDRAW = "withdraw"
    """To write down that a consent is taken back."""
    AGGREGATE = "aggregate"
    SEARCH = "search"


class Rule(StrEnum):
    """The policies by their `@id`; the first that forbids, in this order, names a denial."""

    ANOTHER_INSTITUTION = "another_institution"
    SECOND_FACTOR = "second_factor"
    TECHNICAL_ROLE = "technical_role"
    EMERGENCY_ROLE = "emergency_role"
    EMERGENCY_PURPOSE = "emergency_purpose"
    EMERGENCY_READ_ONLY = "emergency_read_only"
    EMERGENCY_REASON = "emergency_reason"
    EMERGENCY_TIME = "emergency_time"
    UNKNOWN_PURPOSE = "unknown_purpose"
    ROLE = "role"
    NOTHING_ASKED = "nothing_asked"
    GROUPS = "groups"
    FORM = "form"
    FIGURES_WITHOUT_NAMES = "figures_without_names"
    RESTRICTION_BY_OFFICER = "restriction_by_officer"
    RESTRICTED = "restricted"
    RETENTION = "retention"
    OBJECTION = "objection"
    RECEIVER_NAMED = "receiver_named"
    CONSENT = "consent"
    CONSENT_TO_RECEIVER = "consent_to_receiver"
    SENT_ON = "sent_on"
    COUNTRY_UNKNOWN = "country_unknown"
    ORIGIN_COUNTRY = "origin_country"
    LEGAL_HOLD = "legal_hold"
    REAUTHENTICATION = "reauthentication"
    STAFF = "staff"
    OWN_RECORDS = "own_records"
    OWN_CONSENT = "own_consent"
    UNDECIDED = "undecided"
    """No policy: a fact was missing, or a policy could not be evaluated."""


_NAMELESS: Final = {policy.id for policy in POLICIES.told} ^ (set(Rule) - {Rule.UNDECIDED})
if _NAMELESS:
    raise Refused(Problem("allow.policies.without_rule", {"policies": ", ".join(sorted(_NAMELESS))}))


@dataclass(frozen=True)
class Request:
    """Who asks to do what with which records of one subject, and for which purpose.

    What is not said of the subject is taken at its worst: a receiver's country that could be hers, asylum
    that was sought, records that another institution sent and that an order keeps from being erased.
    """

    who: str
    """The member's pseudonym, as it stands in the journal."""
    role: str
    institution: UUID
    """The institution of the one who asks."""
    purpose: str
    groups: frozenset[Sensitivity]
    subject: UUID
    subject_institution: UUID
    """The institution that keeps the subject's records."""
    recorded_on: date
    """The day from which retention counts: that of the oldest record that is to be opened."""
    restricted: bool = False
    action: Action = Action.READ
    form: str | None = None
    """The form of the records. None is every form that the purpose covers: the permit says which."""
    second_factor: bool = True
    """A second factor was shown at sign-in; for the person herself, the answer besides her receipt's code."""
    reauthenticated: bool = False
    """The password, the key or the answer was given again just now."""
    herself: UUID | None = None
    """In the role `HERSELF`: the subject whom her receipt speaks of."""
    objected: frozenset[str] = frozenset()
    """The purposes to which the person objects."""
    legal_hold: bool = True
    """An order keeps the records from being erased."""
    receiver: str | None = None
    """The short name of the institution that is to receive the records; None or empty when none is."""
    receiver_kind: InstitutionKind | None = None
    receiver_country: str | None = None
    """ISO 3166-1 alpha-2 code of the country whose law binds the receiver."""
    collected_here: bool = False
    """This institution asked the person herself; no other one sent the records."""
    origin_country: str | None = None
    """ISO 3166-1 alpha-2 code of the person's country; empty where there is none, None while not known."""
    asylum: bool = True
    """Asylum was sought, or it is not known that it was not."""
    break_glass: bool = False
    """A life is in danger and the usual ground is missing."""
    reason_length: int = 0
    """How many characters the reason for an emergency has."""


@dataclass(frozen=True)
class Denial:
    """No, and by which rule; it holds nothing of the record."""

    rule: Rule
    purpose: str
    role: str
    policy: str

    @property
    def code(self) -> str:
        """The sentence's code in the words of this room."""
        return f"allow.decision.{self.rule}"

    def words(self, language: Language) -> str:
        """Why not, and what to do."""
        return say(self.code, language, purpose=self.purpose, role=self.role)


def decide(
    request: Request,
    *,
    purposes: Iterable[Purpose],
    consents: Collection[Consent],
    now: datetime,
    lasts: timedelta | None = None,
) -> Permit | Denial:
    """A permit for exactly what was asked, or the rule that forbids it. Who asks for less gets less.

    It lasts a quarter of an hour, in an emergency an hour, if nothing else is said.
    """
    purposes = tuple(purposes)
    purpose = purpose_named(purposes, request.purpose)
    basis = _basis(request, purpose)
    time = lasts if lasts is not None else EMERGENCY_TIME if request.break_glass else USUAL_TIME
    judgement = POLICIES.judge(question_of(request, purposes, consents, now, time))
    if basis is None or not judgement.allowed:
        return Denial(rule_of(request, judgement), request.purpose, request.role, POLICY)
    return Permit(
        who=request.who,
        role=request.role,
        institution=request.institution,
        subject=request.subject,
        purpose=request.purpose,
        basis=basis,
        consent=_relied_on(request, consents, now) if basis is Basis.CONSENT else None,
        groups=frozenset(request.groups),
        until=now + time,
        policy=POLICY,
        action=str(request.action),
        forms=_forms(request, purpose),
    )


def decide_forms(
    request: Request,
    recorded_on: Mapping[str, date],
    *,
    purposes: Iterable[Purpose],
    consents: Collection[Consent],
    now: datetime,
) -> Permit | Denial:
    """One permit for those of a subject's forms that may be used, or the rule that forbids the first of them.

    `recorded_on` has the forms of the records, each with the day of its oldest one. Each form is decided on
    its own, and the permit names those that it covers.
    """
    declared = tuple(purposes)
    denied: Denial | None = None
    first: Permit | None = None
    allowed: set[str] = set()
    for form, day in sorted(recorded_on.items()):
        asked = replace(request, form=form, recorded_on=day)
        answer = decide(asked, purposes=declared, consents=consents, now=now)
        if isinstance(answer, Permit):
            first = first or answer
            allowed.add(form)
        else:
            denied = denied or answer
    if first is None:
        return denied or Denial(Rule.FORM, request.purpose, request.role, POLICY)
    return Permit(
        who=first.who,
        role=first.role,
        institution=first.institution,
        subject=first.subject,
        purpose=first.purpose,
        basis=first.basis,
        consent=first.consent,
        groups=first.groups,
        until=first.until,
        policy=first.policy,
        action=first.action,
        forms=frozenset(allowed),
    )


def question_of(
    request: Request,
    purposes: Collection[Purpose],
    consents: Collection[Consent],
    now: datetime,
    time: timedelta,
) -> Question:
    """What the policies are asked, in the words of their schema; no id of a person is among it."""
    purpose = purpose_named(purposes, request.purpose)
    in_force = consents_in_force(consents, request.purpose, now)
    return Question(
        action=request.action,
        asker=_asker(request),
        purpose=_purpose(request, purpose, _basis(request, purpose)),
        records=_records(request, purpose, purposes, in_force, now.date()),
        context=_circumstances(request, time),
    )


def rule_of(request: Request, judgement: Judgement) -> Rule:
    """The policy that gives a denial its name: the first that forbids, or the one that did not allow."""
    for rule in Rule:
        if rule in judgement.forbidding:
            return rule
    if judgement.failed:
        return Rule.UNDECIDED
    if request.role != HERSELF:
        return Rule.STAFF
    return Rule.OWN_CONSENT if request.action == Action.WITHDRAW else Rule.OWN_RECORDS


def _basis(request: Request, purpose: Purpose | None) -> Basis | None:
    """Why the law allows it; None where no purpose says so."""
    if request.break_glass:
        return Basis.VITAL_INTEREST
    if purpose is not None:
        return Basis(purpose.basis)
    # What a person is owed does not hang on her programme's having declared it.
    return Basis.LEGAL_OBLIGATION if request.role == HERSELF and request.purpose == RIGHTS else None


def _relied_on(request: Request, consents: Iterable[Consent], now: datetime) -> str | None:
    """The newest consent that covers the receiver, or the institution itself when there is none."""
    in_force = consents_in_force(consents, request.purpose, now)
    covering = {request.receiver, request.receiver_kind} - {None} if request.receiver else {None}
    return next((consent.id for consent in in_force if consent.receiver in covering), None)


def _forms(request: Request, purpose: Purpose | None) -> frozenset[str] | None:
    if request.form:
        return frozenset({request.form})
    if request.break_glass or request.role == HERSELF or purpose is None or not purpose.forms:
        return None
    return frozenset(purpose.forms)


def _asker(request: Request) -> Entity:
    shown = (("second_factor", request.second_factor), ("reauthenticated", request.reauthenticated))
    if request.role == HERSELF:
        return Entity("Subject", "herself" if request.herself == request.subject else "another", Facts(shown))
    belongs = (("role", request.role), ("institution", str(request.institution)))
    return Entity("Member", "member", Facts(belongs + shown))


def _purpose(request: Request, purpose: Purpose | None, basis: Basis | None) -> Entity:
    return Entity(
        "Purpose",
        request.purpose,
        Facts(
            (
                ("known", purpose is not None),
                ("basis", basis or ""),
                ("roles", purpose.roles if purpose else ()),
                ("opens", tuple(sorted(purpose.opens)) if purpose else ()),
                ("forms", purpose.forms if purpose else ()),
            )
        ),
    )


def _records(
    request: Request,
    purpose: Purpose | None,
    purposes: Collection[Purpose],
    in_force: Iterable[Consent],
    day: date,
) -> Entity:
    counting: Collection[Purpose] = purposes if request.break_glass else (purpose,) if purpose else ()
    receivers = {consent.receiver for consent in in_force}
    named = sorted(receiver for receiver in receivers if receiver)
    origin = request.origin_country
    return Entity(
        "Records",
        "records",
        Facts(
            (
                ("about", _HERSELF),
                ("institution", str(request.subject_institution)),
                ("groups", tuple(sorted(request.groups))),
                ("form", request.form or ""),
                ("days_past_retention", days_past_retention(counting, request.recorded_on, day)),
                ("restricted", request.restricted),
                ("legal_hold", request.legal_hold),
                ("objected", tuple(Entity("Purpose", name) for name in sorted(request.objected))),
                ("consented_here", None in receivers),
                ("consented_kinds", tuple(name for name in named if name in _KINDS)),
                ("consented_receivers", tuple(name for name in named if name not in _KINDS)),
                ("collected_here", request.collected_here),
                ("asylum", request.asylum),
                *((("origin_country", origin),) if origin == "" or _is_country(origin) else ()),
            )
        ),
    )


def _circumstances(request: Request, time: timedelta) -> Facts:
    found: list[tuple[str, Any]] = [("purpose", Entity("Purpose", request.purpose))]
    if request.receiver:
        country = request.receiver_country
        receiver = [("name", request.receiver), ("kind", request.receiver_kind or "")]
        receiver += [("country", country)] if country and _is_country(country) else []
        found.append(("receiver", Facts(receiver)))
    if request.break_glass:
        minutes = math.ceil(time / timedelta(minutes=1))
        found.append(("emergency", Facts((("reason_length", request.reason_length), ("minutes", minutes)))))
    return Facts(found)


_HERSELF: Final = Entity("Subject", "herself")
_KINDS: Final = frozenset(InstitutionKind)


def _is_country(code: str | None) -> bool:
    """Whether it has the form of a country's code; what has not cannot be compared and counts as unknown."""
    return code is not None and len(code) == 2 and code.isascii() and code.isupper() and code.isalpha()
