"""What a record may be opened for: the purposes that its programme declares, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from resguardo.plan.declaration import Purpose


def purpose_named(purposes: Iterable[Purpose], name: str) -> Purpose | None:
    """The purpose of that name, or None."""
    return next((purpose for purpose in purposes if purpose.name == name), None)


def last_day(purpose: Purpose, recorded_on: date) -> date:
    """The last day on which a record of that day may be used for the purpose.

    >>> from resguardo.values import Basis
    >>> last_day(Purpose("training", {}, Basis.CONSENT, 365, frozenset(), ()), date(2022, 1, 1))
    datetime.date(2023, 1, 1)
    """
    try:
        return recorded_on + timedelta(days=purpose.retention_days)
    except OverflowError:
        return date.max


def is_retention_over(purpose: Purpose, recorded_on: date, day: date) -> bool:
    """True when a record of `recorded_on` may no longer be used for the purpose on that day."""
    return days_past_retention((purpose,), recorded_on, day) > 0


def days_past_retention(purposes: Iterable[Purpose], recorded_on: date, day: date) -> int:
    """How many days ago the last of the purposes could still use a record of that day; 0 while one can.

    Without a purpose the time is over.
    """
    end = max((last_day(purpose, recorded_on) for purpose in purposes), default=None)
    return 1 if end is None else max(0, (day - end).days)
