"""What a person agreed to: one purpose, one receiver or none, in their language, until they say no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from resguardo.values import Language


class ConsentBy(StrEnum):
    """Who said yes."""

    SELF = "self"
    GUARDIAN = "guardian"


@dataclass(frozen=True)
class Consent:
    """One consent on file. Days are days of the place where it was given; `until` is its last day."""

    id: str
    """The receipt's id, as the journal names it."""
    purpose: str
    given_on: date
    language: Language
    receiver: str | None = None
    """The institution that may receive the record for this purpose; None is the collecting one itself."""
    by: ConsentBy = ConsentBy.SELF
    assent: bool | None = None
    """What a minor said when a guardian consented: yes, no, or None for a child too young to be asked."""
    withdrawn_on: date | None = None
    until: date | None = None


def is_valid(consent: Consent, purpose: str, at: date | datetime, *, receiver: str | None = None) -> bool:
    """True when the consent covers that purpose and receiver on that day.

    A withdrawal ends it on its own day; a guardian's yes does not stand against the child's no.

    >>> given = Consent("5f", "training", date(2022, 3, 1), "es", withdrawn_on=date(2022, 6, 1))
    >>> is_valid(given, "training", date(2022, 5, 31)), is_valid(given, "training", date(2022, 6, 1))
    (True, False)
    """
    day = at.date() if isinstance(at, datetime) else at
    return (
        consent.purpose == purpose
        and consent.receiver == receiver
        and consent.given_on <= day
        and (consent.withdrawn_on is None or day < consent.withdrawn_on)
        and (consent.until is None or day <= consent.until)
        and not (consent.by is ConsentBy.GUARDIAN and consent.assent is False)
    )


def valid_consent(
    consents: Iterable[Consent], purpose: str, at: date | datetime, *, receiver: str | None = None
) -> Consent | None:
    """The newest consent that covers the purpose, or None."""
    valid = [consent for consent in consents if is_valid(consent, purpose, at, receiver=receiver)]
    return max(valid, key=lambda consent: (consent.given_on, consent.id), default=None)
