"""The code on paper: typed badly it is refused or understood, never taken for another."""

from __future__ import annotations

import re
from itertools import combinations, product
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.places import chance_of, ring_of

from resguardo.allow.receipt_code import (
    ALPHABET,
    CHANCE_BITS,
    CODE_LENGTH,
    READ_AS,
    CodeRefused,
    ReceiptCode,
    new_code,
    read_code,
)
from resguardo.plan.languages import explain_all
from resguardo.values import LANGUAGES

CODE = new_code(chance_of("code"))
CODES = st.binary(min_size=16, max_size=16).map(lambda octets: new_code(lambda _: octets))


def test_a_code_has_eighty_bits_of_chance_and_more() -> None:
    assert (CODE_LENGTH - 2) * log2(len(ALPHABET)) > CHANCE_BITS >= 80


def test_eighteen_signs_of_chance_have_exactly_one_ending_and_it_hangs_on_each_of_them() -> None:
    endings = {CODE.signs[-2:]}
    for sign in ALPHABET.replace(CODE.signs[7], ""):
        changed = CODE.signs[:7] + sign + CODE.signs[8:18]
        fits = [a + b for a, b in product(ALPHABET, repeat=2) if not any(syndromes(changed + a + b))]
        assert len(fits) == 1
        endings |= set(fits)
    assert len(endings) == len(ALPHABET)


def syndromes(signs: str) -> tuple[int, int]:
    """The two sums, written a second time."""
    numbers = [ALPHABET.index(sign) for sign in signs]
    return sum(numbers) % 23, sum((i + 1) * n for i, n in enumerate(numbers)) % 23


def test_the_signs_are_digits_and_capitals_without_vowels_and_look_alikes() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 23
    assert re.fullmatch(r"[0-9A-Z]+", ALPHABET)
    assert not set(ALPHABET) & set("AEIOU")
    for pair in ("0O", "0D", "0Q", "1I", "1L", "2Z", "5S", "6G", "8B", "UV", "VY"):
        assert len(set(pair) & set(ALPHABET)) < 2
    assert set(READ_AS.values()) < set(ALPHABET)
    assert set("0123456789BCDFGHIJKLMNOPQRSTWXYZ") == set(READ_AS) | set(ALPHABET)


def test_every_wrong_sign_at_every_place_is_noticed_and_its_group_named() -> None:
    for place, sign in product(range(CODE_LENGTH), ALPHABET):
        if sign != CODE.signs[place]:
            wrong = CODE.signs[:place] + sign + CODE.signs[place + 1 :]
            with pytest.raises(CodeRefused) as refused:
                read_code(wrong)
            assert refused.value.problems[0].facts == {"group": str(place // 4 + 1)}


def test_no_fault_of_one_or_two_signs_turns_any_code_into_another() -> None:
    """The sums are linear, so a fault is seen in every code if it is seen in one: all 92,400 of them."""
    zero = "0" * CODE_LENGTH
    seen = 0
    for place, sign in product(range(CODE_LENGTH), ALPHABET[1:]):
        assert any(syndromes(zero[:place] + sign + zero[place + 1 :]))
        seen += 1
    for (i, j), (a, b) in product(combinations(range(CODE_LENGTH), 2), product(range(1, 23), repeat=2)):
        assert ((a + b) % 23, ((i + 1) * a + (j + 1) * b) % 23) != (0, 0)
        seen += 1
    assert seen == 20 * 22 + 190 * 22 * 22


@given(CODES)
def test_any_two_signs_that_changed_places_are_noticed(code: ReceiptCode) -> None:
    for i, j in combinations(range(CODE_LENGTH), 2):
        signs = list(code.signs)
        signs[i], signs[j] = signs[j], signs[i]
        if signs[i] != signs[j]:
            with pytest.raises(CodeRefused):
                read_code("".join(signs))


@given(CODES, st.sampled_from(["-", " ", "", ".", "–", "  ", "\n"]), st.booleans())
def test_a_code_is_read_however_it_is_spaced_and_in_small_letters_too(
    code: ReceiptCode, gap: str, small: bool
) -> None:
    typed = gap.join(code.groups)
    assert read_code(typed.lower() if small else typed) == code


@given(CODES, st.data())
def test_a_look_alike_is_read_as_the_sign_it_looks_like(code: ReceiptCode, draws: st.DataObject) -> None:
    typed = "".join(
        draws.draw(st.sampled_from([sign, *(like for like, meant in READ_AS.items() if meant == sign)]))
        for sign in code.signs
    )
    assert read_code(typed) == code


@given(CODES, st.sampled_from(["https://resguardo.example", "http://10.0.0.7:8000/", "https://a.example/x"]))
def test_the_address_of_the_square_leads_back_to_the_code(code: ReceiptCode, site: str) -> None:
    assert code.address(site) == f"{site.rstrip('/')}/r/{code.signs}"
    assert read_code(code.address(site)) == code


def test_a_full_width_code_is_read() -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in CODE.signs)
    assert read_code(wide) == CODE


@given(st.text(max_size=40) | st.text(alphabet=ALPHABET + "OIL -", max_size=30))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    try:
        told = [read_code(text).signs]
    except CodeRefused as refused:
        told = [line for language in LANGUAGES for line in explain_all(refused, language)]
    assert all(told)
    assert told


def test_a_very_long_text_is_refused_at_once() -> None:
    with pytest.raises(CodeRefused):
        read_code("7" * 10_000_000)


@pytest.mark.parametrize("typed", [CODE.text[:-1], CODE.text + "7", CODE.text.replace("-", "A", 1), "", "7"])
def test_a_refusal_never_repeats_what_was_typed(typed: str) -> None:
    with pytest.raises(CodeRefused) as refused:
        read_code(typed)
    told = " ".join([*explain_all(refused.value, "es"), repr(refused.value), str(refused.value.problems)])
    for group in CODE.groups:
        assert group not in told


def test_a_code_never_shows_itself() -> None:
    for shown in (repr(CODE), str(CODE), f"{CODE}", f"{[CODE]}"):
        assert not any(group in shown for group in CODE.groups)


def test_two_spellings_have_one_token_and_two_codes_have_two() -> None:
    ring = ring_of()
    typed = read_code(f" {CODE.text.lower()} ")
    assert ring.receipt_token(typed.token_text) == ring.receipt_token(CODE.signs)
    other = new_code(chance_of("another code"))
    assert ring.receipt_token(other.token_text) != ring.receipt_token(CODE.signs)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_different_chance_gives_different_codes_below_the_space_of_codes(one: bytes, two: bytes) -> None:
    space = 23**18
    same = int.from_bytes(one, "big") % space == int.from_bytes(two, "big") % space
    assert (new_code(lambda _: one) == new_code(lambda _: two)) is same
