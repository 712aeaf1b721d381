# ruff: noqa: E501
"""The rules that forms write are evaluated as ODK does, or not at all."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.collect.expression import UNREAD, NotEvaluated, as_number, as_text, take_apart

TODAY = date(2026, 11, 24)
ANSWERS: dict[str, Any] = {
    "age": 17, "fee": Decimal("12.50"), "sex": "female", "services": ("food", "legal"), "born": date(2000, 2, 29),
    "nothing": None, "text": "abc", "number_text": "7", "bad": UNREAD, "name-with.dots": "x",
}  # fmt: skip


def value(text: str, own: Any = None) -> Any:
    places: dict[str, tuple[str, ...]] = dict.fromkeys([*ANSWERS, "absent"], ())
    return take_apart(text, inside=(), places=places, today=TODAY).value((ANSWERS,), own)


def holds(text: str, own: Any = None) -> bool | None:
    places: dict[str, tuple[str, ...]] = dict.fromkeys([*ANSWERS, "absent"], ())
    return take_apart(text, inside=(), places=places, today=TODAY).holds((ANSWERS,), own)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 div 2", 3.5), ("7 mod 2", 1), ("-7 mod 2", -1), ("- -3", 3),
        ("2 - 1 - 1", 0), ("8 div 2 div 2", 2), ("int(7.9)", 7), ("int(-7.9)", -7), ("round(2.5)", 3),
        ("round(2.345, 2)", 2.35), ("number('12.5')", 12.5), ("string(5 div 1)", "5"), (".5 + .5", 1),
        ("string-length('ñandú')", 5), ("concat('a', 1, true())", "a1true"), ("if(1 > 2, 'x', 'y')", "y"),
        ("coalesce('', 'b')", "b"), ("coalesce(${nothing}, ${age})", 17), ("count-selected(${services})", 2),
        ("${age} + ${fee}", 29.5), ("int((today() - ${born}) div 365.25)", 26), ("date('2024-03-15')", date(2024, 3, 15)),
        ("today()", TODAY), ('"a\'b"', "a'b"), ("${name-with.dots}", "x"), ("  1  ", 1),
        ("int(100 * 30 div 40)", 75), ("number(${nothing}) + 1 = 0", False), ("boolean('')", False),
    ],
)  # fmt: skip
def test_expressions_have_the_value_that_xpath_gives(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        (". >= 0 and . <= 120", 17, True), (". >= 0 and . <= 120", 121, False), (". > 0 or . = -1", -1, True),
        ("regex(., '[A-Z]{3}')", "ABC", True), ("regex(., '[A-Z]{3}')", "ABCD", False),
        ("regex(., '[A-Z]{3}')", "xABC", False), ("regex(., '^\\d{4}$')", "٠١٢٣", False),
        (". <= today()", TODAY, True), (". <= today()", date(2026, 11, 25), False),
        (". <= today()", datetime(2026, 11, 24, 10), False), (". >= date('2020-01-01')", date(2019, 12, 31), False),
        (". = '2024-03-15'", date(2024, 3, 15), True), (". = 'x'", date(2024, 3, 15), False),
        ("selected(., 'food')", ("food", "legal"), True), ("selected(., 'foo')", ("food",), False),
        ("not(selected(., 'none') and count-selected(.) > 1)", ("food", "none"), False),
        (". = 12.5", Decimal("12.50"), True), (". != 'a'", "b", True), (". = '7'", 7, True),
        ("${sex} = 'female' and . = 'yes'", "yes", True), ("${nothing} = ''", None, True),
        ("${nothing} != ''", None, False), ("${nothing} < 5", None, False), ("${text} > 3", None, False),
        ("not(starts-with(., 'OF-')) and regex(., '^[A-Z-]+$')", "OF-A", False), ("contains(., 'bc')", "abcd", True),
        (". < ${age}", 3, True), ("${number_text} = 7", None, True), ("true()", None, True), ("'false'", None, True),
    ],
)  # fmt: skip
def test_rules_hold_where_they_should(text: str, own: Any, expected: bool) -> None:
    assert holds(text, own) is expected


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "(1", "1)", "foo(1)", "../age > 1", "/data/age", "position(..)", "count(${services})", "1 = = 2",
        "if(1, 2)", "not()", "'open", "${other} = 1", "jr:itext('x')", "pulldata('a','b','c','d')", "1 # 2",
        "indexed-repeat(${age}, ${member}, 1)", "now() > 1", "a", "(" * 200 + "1" + ")" * 200, "once(random())",
        "current()/../x", "@x", "//x", ".. ", "regex(.)", "1 2",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_not_evaluated(text: str) -> None:
    with pytest.raises(NotEvaluated):
        value(text)


def test_a_rule_about_an_unknown_answer_is_not_evaluated_unless_the_rest_decides() -> None:
    assert holds("${absent} > 1") is None
    assert holds("${bad} = 1") is None
    assert holds(". = 1", UNREAD) is None
    assert holds("${absent} > 1 or 1 = 1") is True
    assert holds("1 = 2 and ${absent} > 1") is False
    assert holds("${absent} > 1 and 1 = 2") is False
    assert holds("${absent} > 1 and 1 = 1") is None
    assert holds("not(${absent} > 1)") is None
    assert holds("if(1 = 1, true(), ${absent})") is True


def test_a_pattern_of_another_dialect_is_not_evaluated() -> None:
    assert holds("regex(., '\\p{L}+')", "abc") is None


def test_now_is_known_only_if_it_is_handed_in() -> None:
    rule = take_apart(". <= now()", inside=(), places={}, today=TODAY, now=datetime(2026, 11, 24, 12))
    assert rule.holds((), datetime(2026, 11, 24, 11)) is True
    assert rule.holds((), datetime(2026, 11, 24, 13)) is False


def test_inside_a_repeat_a_question_sees_its_own_repetition_and_what_lies_around_it() -> None:
    places = {"total": (), "age": ("member",), "kind": ("member", "paper"), "elsewhere": ("other",)}
    rows = ({"total": 2}, {"age": 5}, {"kind": "x"})
    inner = take_apart(
        "${age} > ${total} and ${kind} = 'x'", inside=("member", "paper"), places=places, today=TODAY
    )
    assert inner.holds(rows) is True
    assert inner.references == {"age", "total", "kind"}
    with pytest.raises(NotEvaluated):
        take_apart("${age} > 1", inside=(), places=places, today=TODAY)
    with pytest.raises(NotEvaluated):
        take_apart("${elsewhere} > 1", inside=("member",), places=places, today=TODAY)


def test_a_rule_that_refers_to_nothing_else_stands_alone() -> None:
    assert take_apart(". <= today()", inside=(), places={}, today=TODAY).alone
    assert not take_apart(". <= ${age}", inside=(), places={"age": ()}, today=TODAY).alone


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_arithmetic_and_comparison_agree_with_numbers(left: int, right: int) -> None:
    assert value(f"{left} + {right}") == left + right
    assert value(f"{left} * {right}") == left * right
    assert holds(f"{left} < {right}") is (left < right)
    assert holds(f"{left} = {right}") is (left == right)
    assert holds(f"not({left} >= {right})") is (left < right)
    if right:
        assert value(f"{left} mod {right}") == left - right * int(left / right)


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(NotEvaluated):
        take_apart(text, inside=(), places={"age": ()}, today=TODAY).holds(({"age": 1},), "x")


@given(st.text("().,'\"<>=!+-*${}age andorivmot0123 ", max_size=40))
def test_no_mixture_of_signs_breaks_the_parser(text: str) -> None:
    with contextlib.suppress(NotEvaluated):
        take_apart(text, inside=(), places={"age": ()}, today=TODAY).holds(({"age": 1},), "x")


def test_values_are_written_as_xpath_writes_them() -> None:
    assert [as_text(each) for each in (None, True, 3.0, 2.5, Decimal("1.50"), ("a", "b"), TODAY, float("nan"))] == [
        "", "true", "3", "2.5", "1.5", "a b", "2026-11-24", "NaN"
    ]  # fmt: skip
    assert as_number("1970-01-02") == 1
    assert as_number(datetime(1970, 1, 2, 12)) == 1.5
    assert as_number("1e5") != as_number("1e5")
