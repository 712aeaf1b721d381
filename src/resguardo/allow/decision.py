"""Whether a record may be opened: yes, for this purpose and these minutes; or no, and by which rule.

The one place where a `Permit` is made. The rules are looked at in a fixed order and the first that forbids
gives the answer; what is not allowed is forbidden. The text of the rules is this file and the two that it
uses; its SHA-256 stands in every permit, every denial and every journal entry, so that a later reader knows
which rules decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from resguardo.allow.consent import Consent, valid_consent
from resguardo.allow.purpose import is_retention_over, purpose_named
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import say
from resguardo.values import PACKAGE, Basis, Language, Permit, Sensitivity

POLICY: Final = hashlib.sha256(
    b"".join((PACKAGE / "allow" / name).read_bytes() for name in ("decision.py", "purpose.py", "consent.py"))
).hexdigest()
"""SHA-256 of the rules' text, in hexadecimal."""

USUAL_TIME: Final = timedelta(minutes=15)
LEGAL_CLAIM: Final = "legal_claim"
"""The one purpose for which a restricted subject's records may still be opened (GDPR article 18)."""


class Rule(StrEnum):
    """The rules, in the order in which they are looked at."""

    ANOTHER_INSTITUTION = "another_institution"
    UNKNOWN_PURPOSE = "unknown_purpose"
    ROLE = "role"
    NOTHING_ASKED = "nothing_asked"
    GROUPS = "groups"
    RESTRICTED = "restricted"
    RETENTION = "retention"
    CONSENT = "consent"


@dataclass(frozen=True)
class Request:
    """Who asks to open what, and for which purpose."""

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
    lasts: timedelta = USUAL_TIME,
) -> Permit | Denial:
    """A permit for exactly what was asked, or the rule that forbids it. Who asks for less gets less."""
    purpose = purpose_named(purposes, request.purpose)
    consent: Consent | None = None
    if purpose is not None and purpose.basis == Basis.CONSENT:
        consent = valid_consent(consents, purpose.name, now)
    rule = _forbidding_rule(request, purpose, consent, now)
    if rule is not None or purpose is None:
        return Denial(rule or Rule.UNKNOWN_PURPOSE, request.purpose, request.role, POLICY)
    return Permit(
        who=request.who,
        role=request.role,
        institution=request.institution,
        subject=request.subject,
        purpose=purpose.name,
        basis=Basis(purpose.basis),
        consent=consent.id if consent else None,
        groups=frozenset(request.groups),
        until=now + lasts,
        policy=POLICY,
    )


def _forbidding_rule(
    request: Request, purpose: Purpose | None, consent: Consent | None, now: datetime
) -> Rule | None:
    if request.institution != request.subject_institution:
        return Rule.ANOTHER_INSTITUTION
    if purpose is None:
        return Rule.UNKNOWN_PURPOSE
    if request.role not in purpose.roles:
        return Rule.ROLE
    if not request.groups:
        return Rule.NOTHING_ASKED
    if not request.groups <= frozenset(purpose.opens):
        return Rule.GROUPS
    if request.restricted and purpose.name != LEGAL_CLAIM:
        return Rule.RESTRICTED
    if is_retention_over(purpose, request.recorded_on, now.date()):
        return Rule.RETENTION
    if purpose.basis == Basis.CONSENT and consent is None:
        return Rule.CONSENT
    return None
