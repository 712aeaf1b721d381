"""What a record may be opened for: the purposes that its programme declares, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Protocol

from resguardo.values import Basis, Sensitivity


class DeclaredPurpose(Protocol):
    """A purpose as a programme declares it (`resguardo.plan.programme.Purpose` is one)."""

    @property
    def name(self) -> str:
        """Its name within the programme."""
        ...

    @property
    def basis(self) -> Basis:
        """Why the law lets it use personal data."""
        ...

    @property
    def retention_days(self) -> int:
        """For how many days after the record's day it may be used."""
        ...

    @property
    def opens(self) -> Collection[Sensitivity]:
        """The groups of answers that it may open."""
        ...

    @property
    def roles(self) -> Collection[str]:
        """The roles that may use it."""
        ...


def purpose_named(purposes: Iterable[DeclaredPurpose], name: str) -> DeclaredPurpose | None:
    """The purpose of that name, or None."""
    return next((purpose for purpose in purposes if purpose.name == name), None)


def last_day(purpose: DeclaredPurpose, recorded_on: date) -> date:
    """The last day on which a record of that day may be used for the purpose.

    >>> from dataclasses import make_dataclass
    >>> last_day(make_dataclass("Year", [("retention_days", int, 365)])(), date(2022, 1, 1))
    datetime.date(2023, 1, 1)
    """
    try:
        return recorded_on + timedelta(days=purpose.retention_days)
    except OverflowError:
        return date.max


def is_retention_over(purpose: DeclaredPurpose, recorded_on: date, day: date) -> bool:
    """True when a record of `recorded_on` may no longer be used for the purpose on that day."""
    return day > last_day(purpose, recorded_on)
