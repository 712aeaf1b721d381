"""When a consent counts: for its purpose and receiver, from its day, until it ends or is withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.allow.consent import (
    Consent,
    ConsentBy,
    ConsentRow,
    ConsentState,
    consent_state,
    consents_in_force,
    consents_on_file,
    is_valid,
    valid_consent,
)

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
        (ConsentBy.AUTHORITY, True, True),
        (ConsentBy.AUTHORITY, None, True),
        (ConsentBy.AUTHORITY, False, False),
    ],
)
def test_nobodys_yes_stands_against_the_childs_no(by: ConsentBy, assent: bool | None, valid: bool) -> None:
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


@pytest.mark.parametrize(
    ("consent", "day", "state"),
    [
        (GIVEN, date(2022, 2, 28), ConsentState.NOT_YET),
        (GIVEN, date(2022, 3, 1), ConsentState.GIVEN),
        (replace(GIVEN, refused=True), date(2022, 3, 1), ConsentState.REFUSED),
        (replace(GIVEN, refused=True, withdrawn_on=date(2022, 4, 1)), date(2022, 5, 1), ConsentState.REFUSED),
        (replace(GIVEN, by=ConsentBy.GUARDIAN, assent=False), date(2022, 3, 1), ConsentState.REFUSED),
        (replace(GIVEN, withdrawn_on=date(2022, 4, 1)), date(2022, 4, 1), ConsentState.WITHDRAWN),
        (replace(GIVEN, withdrawn_on=date(2022, 4, 1)), date(2022, 3, 31), ConsentState.GIVEN),
        (replace(GIVEN, until=date(2022, 4, 1)), date(2022, 4, 1), ConsentState.GIVEN),
        (replace(GIVEN, until=date(2022, 4, 1)), date(2022, 4, 2), ConsentState.EXPIRED),
        (
            replace(GIVEN, until=date(2022, 4, 1), withdrawn_on=date(2022, 4, 3)),
            date(2022, 5, 1),
            ConsentState.WITHDRAWN,
        ),
    ],
)
def test_a_consent_stands_in_one_state_each_day(consent: Consent, day: date, state: ConsentState) -> None:
    assert consent_state(consent, day) is state
    assert is_valid(consent, "training", day) is (state is ConsentState.GIVEN)


def test_those_in_force_are_told_whoever_receives_and_the_newest_first() -> None:
    to_shelter = replace(GIVEN, id="60" * 16, receiver="shelter", given_on=date(2022, 4, 1))
    no = replace(GIVEN, id="61" * 16, refused=True, given_on=date(2022, 5, 1))
    other = replace(GIVEN, id="62" * 16, purpose="referral")
    assert consents_in_force([GIVEN, no, to_shelter, other], "training", date(2022, 6, 1)) == [
        to_shelter,
        GIVEN,
    ]


# What was written down


YES = ConsentRow(id="5f", purpose="training", given=True, said_on=date(2022, 3, 1), number=1, language="es")
NO = replace(YES, id="60", given=False, said_on=date(2022, 6, 1), number=2)


def in_force(rows: list[ConsentRow], day: date = date(2023, 1, 1), purpose: str = "training") -> list[str]:
    return [consent.id for consent in consents_in_force(consents_on_file(rows), purpose, day)]


def test_a_row_says_what_was_said_and_by_whom() -> None:
    row = replace(
        YES,
        receiver="consulate",
        by=ConsentBy.AUTHORITY,
        assent=True,
        until=date(2022, 12, 31),
        withdrawn_on=date(2022, 7, 1),
    )
    assert consents_on_file([row]) == [
        Consent(
            "5f",
            "training",
            date(2022, 3, 1),
            "es",
            receiver="consulate",
            by=ConsentBy.AUTHORITY,
            assent=True,
            withdrawn_on=date(2022, 7, 1),
            until=date(2022, 12, 31),
        )
    ]


def test_a_refusal_is_on_file_and_opens_nothing() -> None:
    (refusal,) = consents_on_file([NO])
    assert refusal.refused
    assert consent_state(refusal, date(2022, 6, 1)) is ConsentState.REFUSED
    assert in_force([NO]) == []


def test_a_later_no_ends_an_earlier_yes_from_its_own_day() -> None:
    assert in_force([YES, NO], date(2022, 5, 31)) == ["5f"]
    assert in_force([YES, NO], date(2022, 6, 1)) == []


def test_a_yes_after_the_no_counts_again() -> None:
    again = replace(YES, id="61", said_on=date(2022, 7, 1), number=3)
    assert in_force([YES, NO, again]) == ["61"]
    assert in_force([YES, NO, again], date(2022, 6, 15)) == []


def test_of_two_answers_of_one_day_the_one_written_down_later_counts() -> None:
    same_day = replace(NO, said_on=YES.said_on)
    assert in_force([YES, same_day]) == []
    assert in_force([replace(YES, number=3), same_day]) == ["5f"]


def test_an_older_no_that_is_written_down_later_ends_nothing() -> None:
    assert in_force([YES, replace(NO, said_on=date(2022, 1, 1))]) == ["5f"]


def test_a_no_to_another_purpose_or_another_receiver_ends_nothing() -> None:
    assert in_force([YES, replace(NO, purpose="referral")]) == ["5f"]
    assert in_force([YES, replace(NO, receiver="consulate")]) == ["5f"]
    to_shelter = replace(YES, receiver="shelter")
    assert in_force([to_shelter, replace(NO, receiver="consulate")]) == ["5f"]
    assert in_force([to_shelter, replace(NO, receiver="shelter")]) == []


def test_a_no_to_the_purpose_ends_what_was_allowed_to_any_receiver() -> None:
    rows = [YES, replace(YES, id="61", receiver="shelter"), replace(YES, id="62", receiver="casa-sol")]
    for general in (NO, replace(NO, receiver="")):
        assert in_force([*rows, general]) == []


def test_a_childs_no_ends_the_guardians_earlier_yes() -> None:
    earlier = replace(YES, by=ConsentBy.GUARDIAN, assent=True)
    later = replace(NO, given=True, by=ConsentBy.GUARDIAN, assent=False)
    assert in_force([earlier]) == ["5f"]
    assert in_force([earlier, later]) == []


def test_a_withdrawal_before_the_no_is_the_day_that_counts() -> None:
    (first, _) = consents_on_file([replace(YES, withdrawn_on=date(2022, 4, 1)), NO])
    assert first.withdrawn_on == date(2022, 4, 1)
    (first, _) = consents_on_file([replace(YES, withdrawn_on=date(2022, 9, 1)), NO])
    assert first.withdrawn_on == date(2022, 6, 1)


def test_no_receiver_and_an_empty_one_are_the_institution_itself() -> None:
    assert consents_on_file([replace(YES, receiver="")]) == consents_on_file([YES])


ROWS = st.lists(
    st.builds(
        ConsentRow,
        id=st.uuids().map(str),
        purpose=st.sampled_from(["training", "referral"]),
        given=st.booleans(),
        said_on=st.dates(date(2022, 1, 1), date(2022, 1, 20)),
        number=st.integers(0, 10**6),
        receiver=st.sampled_from([None, "", "shelter", "casa-sol"]),
    ),
    max_size=12,
    unique_by=lambda row: row.number,
)


@given(ROWS, st.randoms(), st.dates(date(2022, 1, 1), date(2022, 1, 20)))
def test_the_last_word_counts_whatever_the_order_of_the_rows(rows: list[ConsentRow], draw, day: date) -> None:  # type: ignore[no-untyped-def]
    """Told day by day: a yes opens one receiver, a no closes it, and a no to the purpose closes all."""
    allowed: set[str | None] = set()
    for row in sorted(rows, key=lambda row: (row.said_on, row.number)):
        if row.purpose != "training" or row.said_on > day:
            continue
        receiver = row.receiver or None
        if row.given:
            allowed.add(receiver)
        elif receiver is None:
            allowed.clear()
        else:
            allowed.discard(receiver)
    mixed = list(rows)
    draw.shuffle(mixed)
    found = {consent.receiver for consent in consents_in_force(consents_on_file(mixed), "training", day)}
    assert found == allowed
