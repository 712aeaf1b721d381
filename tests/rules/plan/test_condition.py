"""A condition is read in one way or refused with the grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.plan.condition import Condition, parse_condition
from resguardo.plan.fact import AGE_BANDS, COUNT_BANDS, age_band, count_band
from resguardo.values import Refused

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
VALUES = st.from_regex(r"[A-Za-z0-9+_-][A-Za-z0-9.+_-]{0,8}", fullmatch=True)


@given(NAMES, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), VALUES)
def test_what_is_written_is_read_back(fact: str, operator: str, value: str) -> None:
    condition = parse_condition(f"  {fact}{operator} {value} ")
    assert condition == parse_condition(str(condition))
    assert (condition.fact, condition.operator, condition.values) == (fact, operator, (value,))


@given(NAMES, st.lists(VALUES, min_size=1, max_size=4))
def test_in_takes_several_values(fact: str, values: list[str]) -> None:
    assert parse_condition(f"{fact} in {' | '.join(values)}").values == tuple(values)


def test_a_fact_that_begins_with_in_is_not_taken_for_the_operator() -> None:
    assert parse_condition("institution in shelter").fact == "institution"
    assert parse_condition("index=1") == Condition("index", "=", ("1",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sex",
        "sex =",
        "= male",
        "sex == male",
        "sex ~ male",
        "Sex = male",
        "sex in",
        "sex = a b",
        "a in b|",
        "a = 1 and b = 2",
        "country inMX",
        "sex = a|b",
        "a <> b",
        "sex = male; drop table facts",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_condition(text)
    assert caught.value.problems[0].facts["text"] == text


def test_every_age_and_every_number_falls_into_exactly_one_band() -> None:
    assert [age_band(years) for years in (0, 4, 5, 11, 12, 14, 15, 17, 18, 24, 25, 29, 30, 59, 60, 110)] == [
        band for band in AGE_BANDS for _ in range(2)
    ]
    assert [count_band(number) for number in (0, 1, 5, 10, 50, 250)] == list(COUNT_BANDS)
    assert [count_band(number) for number in (0, 4, 9, 49, 249, 10**9)] == list(COUNT_BANDS)
    for banding in (age_band, count_band):
        with pytest.raises(ValueError, match="not negative"):
            banding(-1)
