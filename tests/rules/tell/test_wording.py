"""Facts about numbers, days and countries as each language writes them, and about the room's sentences."""

from __future__ import annotations

import string
import tomllib
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from resguardo.tell.wording import (
    Between,
    Countries,
    Listed,
    Number,
    Percentage,
    Probability,
    Remark,
    at_sentence_start,
    countries_in,
    country_in,
    date_in,
    day_in,
    listed_in,
    number_in,
    number_word_in,
    percent_in,
    rounded,
    said_in,
    same_words,
)
from resguardo.values import PACKAGE


@pytest.mark.parametrize(
    ("number", "decimals", "shown"),
    [("0.5", 0, "0"), ("1.5", 0, "2"), ("2.5", 0, "2"), ("50.785", 2, "50.78"), ("50.775", 2, "50.78")],
)
def test_halves_go_to_the_even_digit(number: str, decimals: int, shown: str) -> None:
    assert rounded(Decimal(number), decimals) == Decimal(shown)


@pytest.mark.parametrize(
    ("language", "number", "shown"),
    [
        ("es", 13000, "13,000"),
        ("en", 13000, "13,000"),
        ("fr", 13000, "13\u202f000"),
        ("es", Decimal("1.19"), "1.19"),
        ("fr", Decimal("1.19"), "1,19"),
        ("es", Fraction(1, 3), "0.3333"),
        ("en", Fraction(-5, 2), "-2.5"),
        ("es", 0, "0"),
    ],
)
def test_a_number_has_the_signs_of_its_language(
    language: str, number: int | Decimal | Fraction, shown: str
) -> None:
    assert number_in(number, language) == shown


def test_spanish_leaves_a_space_before_the_percent_sign() -> None:
    assert percent_in(51, "es") == "51\u00a0%"
    assert percent_in(51, "en") == "51%"
    assert percent_in(Decimal("1.19"), "fr", decimals=2) == "1,19\u202f%"


def test_small_numbers_are_written_out_and_large_ones_are_not() -> None:
    assert [number_word_in(6, language) for language in ("es", "en", "fr", "ht")] == [
        "seis",
        "six",
        "six",
        "sis",
    ]
    assert number_word_in(21, "es") == "veintiún"
    assert number_word_in(1, "es") == "un"
    assert number_word_in(162, "es") == "162"
    assert number_word_in(20, "ht") == "20"


def test_days_are_written_as_each_language_writes_them() -> None:
    fourth = date(2022, 5, 4)
    assert [day_in(fourth, language) for language in ("es", "en", "fr", "ht")] == [
        "4 de mayo",
        "4 May",
        "4 mai",
        "4 me",
    ]
    assert [date_in(fourth, language) for language in ("es", "en", "fr", "ht")] == [
        "4 de mayo de 2022",
        "4 May 2022",
        "4 mai 2022",
        "4 me 2022",
    ]


def test_countries_are_named_and_listed_in_each_language() -> None:
    codes = ("MX", "GT", "DO")
    assert countries_in(codes, "es") == "México, Guatemala y la República Dominicana"
    assert countries_in(codes, "en") == "Mexico, Guatemala and the Dominican Republic"
    assert countries_in(codes, "fr") == "Mexique, Guatemala et République dominicaine"
    assert countries_in((), "es") == ""
    assert country_in("ZZZ", "es") == "ZZZ"


def test_spanish_says_e_before_the_sound_of_i() -> None:
    assert listed_in(["Chile", "Irlanda"], "es") == "Chile e Irlanda"
    assert listed_in(["Chile", "Honduras"], "es") == "Chile y Honduras"
    assert listed_in(["agua", "hielo"], "es") == "agua y hielo"


def test_facts_of_a_sentence_find_their_language_late() -> None:
    assert said_in(Between(Number(Fraction(156)), Number(Fraction(164))), "es") == "entre 156 y 164"
    assert said_in(Percentage(Fraction(51)), "en") == "51%"
    assert said_in(Countries(("HN", "SV")), "en") == "Honduras and El Salvador"
    assert said_in(Listed((date(2022, 5, 4), date(2022, 5, 6))), "en") == "4 May 2022 and 6 May 2022"
    assert said_in(Remark("tell.said.more_than", {"number": 160}), "es") == "más de 160"
    assert said_in({"es": "Población", "en": "Population"}, "en") == "Population"
    assert said_in(Probability(0.0775), "en") == "7.8 times in 100"
    assert said_in(Probability(1e-9), "en") == "less than once in 1,000"
    assert said_in("2022-05", "es") == "2022-05"


def test_texts_that_differ_in_spaces_and_a_capital_say_the_same() -> None:
    assert same_words("Más de  51\u00a0%", "más de 51 %")
    assert not same_words("más de 51 %", "más de 52 %")
    assert at_sentence_start("") == ""


def blanks(sentence: str) -> set[str]:
    """The names in a sentence's curly brackets."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_spanish_and_english_have_the_same_sentences_with_the_same_blanks() -> None:
    words = {
        language: tomllib.loads((PACKAGE / "tell" / "words" / f"{language}.toml").read_text(encoding="utf-8"))
        for language in ("es", "en")
    }
    flat = {
        language: {
            f"{table}.{key}": blanks(text) for table, keys in tables.items() for key, text in keys.items()
        }
        for language, tables in words.items()
    }
    assert flat["es"] == flat["en"]
