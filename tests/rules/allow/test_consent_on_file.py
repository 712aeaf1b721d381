"""When a consent counts: for its purpose and receiver, from its day, until it ends or is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.allow.consent import Consent, ConsentBy, is_valid, valid_consent

GIVEN = Consent("5f" * 16, "training", date(2022, 3, 1), "es")
DAYS = st.dates(date(2021, 1, 1), date(2023, 12, 31))


@pytest.mark.parametrize(
    ("day", "valid"),
    [(date(2022, 2, 28), False), (date(2022, 3, 1), True), (date(2030, 1, 1), True)],
)
def test_a_consent_counts_from_the_day_it_was_given(day: date, valid: bool) -> None:
    assert is_valid(GIVEN, "training", day) is valid


def test_a_consent_counts_for_its_own_purpose_alone() -> None:
    assert not is_valid(GIVEN, "referral", date(2022, 4, 1))


def test_a_consent_counts_for_its_own_receiver_alone() -> None:
    day = date(2022, 4, 1)
    to_consulate = replace(GIVEN, receiver="consulate-b")
    assert is_valid(to_consulate, "training", day, receiver="consulate-b")
    assert not is_valid(to_consulate, "training", day, receiver="consulate-c")
    assert not is_valid(to_consulate, "training", day)
    assert not is_valid(GIVEN, "training", day, receiver="consulate-b")


def test_a_withdrawal_counts_from_its_own_day_even_the_day_the_consent_was_given() -> None:
    withdrawn = replace(GIVEN, withdrawn_on=date(2022, 6, 1))
    assert is_valid(withdrawn, "training", datetime(2022, 5, 31, 23, 59, tzinfo=UTC))
    assert not is_valid(withdrawn, "training", datetime(2022, 6, 1, tzinfo=UTC))
    assert not is_valid(replace(GIVEN, withdrawn_on=GIVEN.given_on), "training", GIVEN.given_on)


def test_the_last_day_of_a_consent_is_part_of_it() -> None:
    bounded = replace(GIVEN, until=date(2022, 12, 31))
    assert is_valid(bounded, "training", date(2022, 12, 31))
    assert not is_valid(bounded, "training", date(2023, 1, 1))


@pytest.mark.parametrize(
    ("by", "assent", "valid"),
    [
        (ConsentBy.SELF, None, True),
        (ConsentBy.GUARDIAN, True, True),
        (ConsentBy.GUARDIAN, None, True),
        (ConsentBy.GUARDIAN, False, False),
    ],
)
def test_a_guardians_yes_does_not_stand_against_the_childs_no(
    by: ConsentBy, assent: bool | None, valid: bool
) -> None:
    assert is_valid(replace(GIVEN, by=by, assent=assent), "training", date(2022, 4, 1)) is valid


@given(DAYS, st.none() | DAYS, st.none() | DAYS, DAYS)
def test_a_day_is_inside_or_outside(
    given_on: date, withdrawn_on: date | None, until: date | None, day: date
) -> None:
    consent = replace(GIVEN, given_on=given_on, withdrawn_on=withdrawn_on, until=until)
    end = min(withdrawn_on or date.max, date.fromordinal(until.toordinal() + 1) if until else date.max)
    assert is_valid(consent, "training", day) is (given_on <= day < end)


def test_the_newest_consent_that_counts_is_taken() -> None:
    newer = replace(GIVEN, id="60" * 16, given_on=date(2022, 5, 1))
    gone = replace(GIVEN, id="61" * 16, given_on=date(2022, 6, 1), withdrawn_on=date(2022, 6, 2))
    day = date(2022, 7, 1)
    assert valid_consent([GIVEN, newer, gone], "training", day) == newer
    assert valid_consent([GIVEN, newer, gone], "training", date(2022, 4, 1)) == GIVEN
    assert valid_consent([gone], "training", day) is None
    assert valid_consent([], "training", day) is None
