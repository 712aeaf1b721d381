"""Small frozen values that all rooms share.

The types carry the danger: what is `Sealed` shows nothing, what is `Opened` was opened under a `Permit`,
and a `Problem` never holds an answer of a person, only where the problem is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

Language = str
"""A language tag that the house speaks: ``es``, ``en``, ``fr`` or ``ht``."""

LANGUAGES: tuple[Language, ...] = ("es", "en", "fr", "ht")

Words = Mapping[Language, str]
"""The same sentence in several languages."""

Chance = Callable[[int], bytes]
"""Gives that many unpredictable bytes. Production hands in ``secrets.token_bytes``."""


class Sensitivity(StrEnum):
    """How much an answer can hurt the person it is about. One sealed group per level and record."""

    IDENTIFIER = "identifier"
    QUASI = "quasi"
    SENSITIVE = "sensitive"
    PLAIN = "plain"

    @property
    def group(self) -> int:
        """The number of the field group in sealed bytes (1 to 4); part of the format, never reused."""
        return _GROUPS[self]


_GROUPS = {
    Sensitivity.IDENTIFIER: 1,
    Sensitivity.QUASI: 2,
    Sensitivity.SENSITIVE: 3,
    Sensitivity.PLAIN: 4,
}


class SubjectKind(StrEnum):
    """What a record is about."""

    PERSON = "person"
    ORGANISATION = "organisation"
    BUSINESS = "business"
    SITE = "site"
    INCIDENT = "incident"
    PROVISION = "provision"
    EVENT = "event"


class Population(StrEnum):
    """How carefully figures about these subjects are published; ``open`` < ``protected`` < ``strict``."""

    OPEN = "open"
    PROTECTED = "protected"
    STRICT = "strict"

    @property
    def care(self) -> int:
        """0 for open, 1 for protected, 2 for strict: a higher number is never published more loosely."""
        return ("open", "protected", "strict").index(self.value)


class Basis(StrEnum):
    """Why the law lets a purpose use personal data (terms of the W3C Data Privacy Vocabulary)."""

    CONSENT = "consent"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_TASK = "public_task"
    VITAL_INTEREST = "vital_interest"
    LEGITIMATE_INTEREST = "legitimate_interest"
    CONTRACT = "contract"


class InstitutionKind(StrEnum):
    """The kinds of institution that collect, receive or publish."""

    REGIONAL_OFFICE = "regional_office"
    SHELTER = "shelter"
    CONSULATE = "consulate"
    MIGRATION_INSTITUTE = "migration_institute"
    MINISTRY = "ministry"
    POLICE = "police"
    NGO = "ngo"
    INTERNATIONAL_ORGANISATION = "international_organisation"
    UNIVERSITY = "university"
    CHAMBER = "chamber"
    MEDIA = "media"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where, for the person who must mend it.

    `code` names a sentence in the words of a room (``collect.row.required``); `facts` fill its blanks.
    `row` is the number that a spreadsheet shows (the header is row 1).
    """

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None


class Refused(Exception):
    """What was asked cannot be done, and nothing was changed. Carries every problem found, not the first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.code for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Institution:
    """An institution of the network as the rules see it."""

    id: UUID
    slug: str
    name: str
    kind: InstitutionKind
    country: str
    """ISO 3166-1 alpha-2 code."""


@dataclass(frozen=True)
class Sealed:
    """Bytes in the format of a sealed field group; meaningless without the subject's key."""

    octets: bytes


@dataclass(frozen=True)
class Opened:
    """What a sealed field group said, and the permit under which it was opened."""

    octets: bytes
    permit: Permit


@dataclass(frozen=True)
class Permit:
    """Leave to open some groups of one subject's records for one purpose until a moment.

    Only `resguardo.allow.decision` makes one.
    """

    who: str
    role: str
    institution: UUID
    subject: UUID
    purpose: str
    basis: Basis
    consent: str | None
    groups: frozenset[Sensitivity]
    until: datetime
    policy: str
    """SHA-256, in hexadecimal, of the rules by which it was decided."""
    action: str = "read"
    """What may be done: a word of `resguardo.allow.decision.Action`."""
    forms: frozenset[str] | None = None
    """The forms whose records may be used; None is every form."""


PACKAGE = Path(__file__).parent
"""Where the rules and the built-in programmes lie."""
