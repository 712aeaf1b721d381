"""What a person agreed to: one purpose, one receiver or none, in their language, until they say no."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from resguardo.values import Language


class ConsentBy(StrEnum):
    """Who said yes."""

    SELF = "self"
    GUARDIAN = "guardian"
    AUTHORITY = "authority"
    """An authority that decides for the person, such as a child protection office or a court."""


class ConsentState(StrEnum):
    """How a consent stands on a day."""

    NOT_YET = "not_yet"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Consent:
    """One answer on file. Days are days of the place where it was given; `until` is its last day."""

    id: str
    """The receipt's id, as the journal names it."""
    purpose: str
    given_on: date
    """The day of the answer, whether yes or no."""
    language: Language
    receiver: str | None = None
    """Who may receive the record for this purpose: an institution by its short name, or every institution of
    a kind. None is the collecting one itself."""
    by: ConsentBy = ConsentBy.SELF
    assent: bool | None = None
    """What a minor said when somebody else consented: yes, no, or None for a child too young to be asked."""
    withdrawn_on: date | None = None
    until: date | None = None
    refused: bool = False
    """The answer was no."""


def consent_state(consent: Consent, at: date | datetime) -> ConsentState:
    """How the consent stands on that day.

    A withdrawal ends it on its own day; somebody else's yes does not stand against the child's no.

    >>> given = Consent("5f", "training", date(2022, 3, 1), "es", withdrawn_on=date(2022, 6, 1))
    >>> print(consent_state(given, date(2022, 5, 31)), consent_state(given, date(2022, 6, 1)))
    given withdrawn
    """
    day = at.date() if isinstance(at, datetime) else at
    if day < consent.given_on:
        return ConsentState.NOT_YET
    if consent.refused or (consent.by is not ConsentBy.SELF and consent.assent is False):
        return ConsentState.REFUSED
    if consent.withdrawn_on is not None and consent.withdrawn_on <= day:
        return ConsentState.WITHDRAWN
    if consent.until is not None and consent.until < day:
        return ConsentState.EXPIRED
    return ConsentState.GIVEN


def is_valid(consent: Consent, purpose: str, at: date | datetime, *, receiver: str | None = None) -> bool:
    """True when the consent covers that purpose and that very receiver on that day."""
    return (
        consent.purpose == purpose
        and consent.receiver == receiver
        and consent_state(consent, at) is ConsentState.GIVEN
    )


def consents_in_force(consents: Iterable[Consent], purpose: str, at: date | datetime) -> list[Consent]:
    """Those that cover the purpose on that day, whoever receives; the newest first."""
    valid = [consent for consent in consents if is_valid(consent, purpose, at, receiver=consent.receiver)]
    return sorted(valid, key=lambda consent: (consent.given_on, consent.id), reverse=True)


def valid_consent(
    consents: Iterable[Consent], purpose: str, at: date | datetime, *, receiver: str | None = None
) -> Consent | None:
    """The newest consent that covers the purpose and that very receiver, or None."""
    found = consents_in_force(consents, purpose, at)
    return next((consent for consent in found if consent.receiver == receiver), None)


@dataclass(frozen=True, kw_only=True)
class ConsentRow:
    """A yes or a no as it was written down."""

    id: str
    purpose: str
    given: bool
    said_on: date
    number: int
    """Of two answers of one day, the one with the higher number was written down later."""
    receiver: str | None = None
    by: ConsentBy = ConsentBy.SELF
    assent: bool | None = None
    language: Language = ""
    until: date | None = None
    withdrawn_on: date | None = None

    @property
    def is_a_no(self) -> bool:
        """Whether the answer is a no, also where somebody else said yes for a child who said no."""
        return not self.given or (self.by is not ConsentBy.SELF and self.assent is False)


def consents_on_file(rows: Collection[ConsentRow]) -> list[Consent]:
    """Every answer, the oldest first; a later no to the same purpose and receiver ends an earlier yes.

    A no that names no receiver is a no to the purpose: it ends what was allowed to any receiver.
    """
    ordered = sorted(rows, key=lambda row: (row.said_on, row.number))
    consents: list[Consent] = []
    for place, row in enumerate(ordered):
        ends = [
            later.said_on
            for later in ordered[place + 1 :]
            if later.is_a_no and later.purpose == row.purpose and later.receiver in (None, "", row.receiver)
        ]
        if row.withdrawn_on is not None:
            ends.append(row.withdrawn_on)
        consents.append(
            Consent(
                id=row.id,
                purpose=row.purpose,
                given_on=row.said_on,
                language=row.language,
                receiver=row.receiver or None,
                by=row.by,
                assent=row.assent,
                withdrawn_on=min(ends, default=None),
                until=row.until,
                refused=not row.given,
            )
        )
    return consents
