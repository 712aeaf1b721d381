# ruff: noqa: E501
"""A cell becomes an answer where it has one meaning, and is refused where it could have two."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resguardo.collect.cell import (
    Choices,
    Fault,
    Remembering,
    as_written,
    read_calculated,
    read_day,
    read_decimal,
    read_mark,
    read_moment,
    read_place,
    read_text,
    read_time,
    read_whole,
)
from resguardo.plan.xlsform import Choice


def key_of(answer: Any) -> str:
    assert isinstance(answer, Fault), answer
    return answer.key


DAY = date(2024, 3, 5)


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-05", "2024-03-05T00:00:00.000-06:00", "2024-03-05 23:59", "05/03/2024", "5/3/2024", "5-3-2024",
        "5.3.2024", "2024/03/05", "5 de marzo de 2024", "5 de Marzo del 2024", "05 MARZO 2024", "5-mar-2024",
        "5 March 2024", "March 5, 2024", "Mar 5th, 2024", "5 mars 2024", "1º de marzo de 2024", "45356", "45356.0",
        " 2024-03-05 ", datetime(2024, 3, 5, 10), DAY, 45356, 45356.75, "5/3/2024 10:30",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(written: Any) -> None:
    expected = date(2024, 3, 1) if written == "1º de marzo de 2024" else DAY
    assert read_day(written) == expected


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("03/15/2024", "month_first"),
        ("31/02/2024", "no_such_day"),
        ("2024-02-30", "no_such_day"),
        ("5/3/24", "short_year"),
        ("1985", "date"),
        (1985, "date"),
        ("123456", "date"),
        ("mañana", "date"),
        ("2024-3", "date"),
        ("10:30", "date"),
        ("5 de brumario de 2024", "date"),
        ("2024-03-05 aprox", "date"),
        (time(10, 30), "date"),
        ("0/0/2024", "no_such_day"),
        ("5 / 3 / 2024", "date"),
    ],
)
def test_a_day_that_could_be_another_is_refused(written: Any, key: str) -> None:
    assert key_of(read_day(written)) == key


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_day_reads_back_from_iso_and_day_first(day: date) -> None:
    assert read_day(day.isoformat()) == day
    assert read_day(f"{day.day:02d}/{day.month:02d}/{day.year}") == day


@given(st.dates(min_value=date(1928, 1, 1), max_value=date(2170, 1, 1)))
def test_day_numbers_of_a_spreadsheet_are_days(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    assert read_day(serial) == read_day(str(serial)) == day
    assert read_day(serial - 1462, datetime(1904, 1, 1)) == day or serial - 1462 < 10_000


@given(st.datetimes(min_value=datetime(1000, 1, 1)), st.integers(-12 * 60, 12 * 60).map(lambda m: m * 60))
def test_every_moment_reads_back_with_its_zone(moment: datetime, seconds: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    zoned = moment.replace(tzinfo=timezone(timedelta(seconds=seconds)))
    assert read_moment(moment.isoformat()) == moment
    assert read_moment(zoned.isoformat()) == zoned


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-03-05", datetime(2024, 3, 5)),
        ("5/3/2024 2:05 p.m.", datetime(2024, 3, 5, 14, 5)),
        ("5/3/2024 12:05 AM", datetime(2024, 3, 5, 0, 5)),
        (45356.5, datetime(2024, 3, 5, 12)),
        (DAY, datetime(2024, 3, 5)),
    ],
)
def test_a_moment_is_read_however_it_is_written(written: Any, expected: datetime) -> None:
    assert read_moment(written) == expected


@pytest.mark.parametrize(
    "written", ["2024-03-05 25:00", "ayer 10:00", "10:30", "5/3/2024 13:00 pm", "x" * 99, 3]
)
def test_a_moment_that_is_none_is_refused(written: Any) -> None:
    assert key_of(read_moment(written)) == "datetime"


def test_times_are_written_alike() -> None:
    assert read_time("9:05") == read_time(time(9, 5)) == read_time(0.37847222222) == "09:05:00"
    assert key_of(read_time("9.05")) == "time"


@pytest.mark.parametrize(
    ("written", "number"),
    [("12", 12), ("-3", -3), ("+4", 4), ("12.0", 12), ("12,0", 12), (7, 7), (7.0, 7), ("007", 7), (" 5 ", 5)],
)
def test_a_whole_number_is_read(written: Any, number: int) -> None:
    assert read_whole(written) == number


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("doce", "integer"), ("1,5", "integer"), ("1.5", "integer"), (1.5, "integer"), ("1e5", "integer"),
        ("1,234", "thousands"), ("1.234", "thousands"), ("1 234", "thousands"), ("1,000", "thousands"),
        ("1.000.000", "thousands"), ("9" * 19, "number_too_long"), (10**20, "number_too_long"),
        ("٣", "integer"), ("12 años", "integer"), (DAY, "integer"),
    ],
)  # fmt: skip
def test_a_whole_number_that_is_none_is_refused(written: Any, key: str) -> None:
    assert key_of(read_whole(written)) == key


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("12.5", "12.5"), ("12,5", "12.5"), ("0,125", "0.125"), ("1.234", "1.234"), ("1234,567", "1234.567"),
        ("14.63491", "14.63491"), ("-90,5069", "-90.5069"), (0.1, "0.1"), ("1.5E-05", "0.000015"), (3, "3"),
        (".5", "0.5"), ("0.00", "0"),
    ],
)  # fmt: skip
def test_a_decimal_is_read_with_point_or_comma(written: Any, number: str) -> None:
    assert read_decimal(written) == Decimal(number)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("1,234", "decimal_unclear"), ("1,234.5", "thousands"), ("1.234,5", "thousands"), ("1 234,5", "thousands"),
        ("NaN", "decimal"), ("inf", "decimal"), (float("nan"), "decimal"), (float("inf"), "decimal"),
        ("1e99", "number_too_long"), ("Q12.50", "decimal"), ("1" * 60, "number_too_long"),
    ],
)  # fmt: skip
def test_a_decimal_that_could_be_thousands_is_refused(written: Any, key: str) -> None:
    assert key_of(read_decimal(written)) == key


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_decimal_reads_back_from_its_plain_writing(number: Decimal) -> None:
    assert read_decimal(format(number, "f")) == number


def test_a_position_is_degrees() -> None:
    assert read_place("14.6 -90.5") == "14.6 -90.5"
    assert key_of(read_place("14.6, -90.5")) == "place"
    assert key_of(read_place("14.6 -190")) == "place"


SERVICES = Choices(
    [
        Choice("food", {"es": "Alimentación", "en": "Food"}),
        Choice("legal", {"es": "Orientación legal", "en": "Legal advice"}),
        Choice("psy", {"es": "Apoyo psicosocial", "en": "Psychosocial support"}),
        Choice("none", {"es": "Ninguno", "en": "None"}),
    ]
)


@pytest.mark.parametrize(
    "written",
    ["legal", "Orientación legal", " ORIENTACION  LEGAL ", "Legal advice", "orientacio\u0301n legal"],
)
def test_a_choice_is_found_by_code_or_label(written: str) -> None:
    assert SERVICES.find(written) == "legal"


def test_a_choice_with_its_exact_accents_wins_over_one_without() -> None:
    places = Choices([Choice("a", {"es": "Perú"}), Choice("b", {"es": "Peru"})])
    assert places.find("Perú") == "a"
    assert places.find("Peru") == "b"
    assert places.find("perú") == "a"
    assert key_of(places.find("PÉRÚ")) == "choice_unclear"


def test_a_code_wins_over_a_label() -> None:
    answers = Choices([Choice("no", {"es": "Nada"}), Choice("x", {"es": "no"})])
    assert answers.find("no") == "no"


@pytest.mark.parametrize(
    ("written", "code"),
    [("Sí", "yes"), ("si", "yes"), ("TRUE", "yes"), ("1", "yes"), ("0", "no"), ("falso", "no"), ("NO", "no")],
)
def test_yes_and_no_are_read_however_they_are_said(written: str, code: str) -> None:
    yes_no = Choices([Choice("yes", {"es": "Sí", "en": "Yes"}), Choice("no", {"es": "No", "en": "No"})])
    assert yes_no.find(written) == code


@pytest.mark.parametrize(
    "written",
    [
        "food legal",
        "legal food",
        "food  legal food",
        "Alimentación Orientación legal",
        "Alimentación; Orientación legal",
        "Legal advice, Food",
        "food|legal",
        "Orientación legal\nAlimentación",
        "food Legal advice",
    ],
)
def test_several_choices_are_read_however_they_are_joined(written: str) -> None:
    assert SERVICES.find_several(written) == ("food", "legal")


def test_choices_whose_labels_cannot_be_parted_in_one_way_are_refused() -> None:
    unclear = Choices(
        [
            Choice("1", {"es": "agua"}),
            Choice("2", {"es": "agua luz"}),
            Choice("3", {"es": "luz"}),
        ]
    )
    assert unclear.find_several("agua luz") == ("2",)
    assert key_of(unclear.find_several("luz agua luz")) == "choice_unclear"
    assert key_of(unclear.find_several("agua gas")) == "choices"


@given(st.sets(st.sampled_from(SERVICES.names), min_size=1), st.randoms())
def test_codes_and_labels_of_a_set_give_the_same_answer(codes: set[str], chance: Any) -> None:
    labels = {
        "food": "Alimentación",
        "legal": "Orientación legal",
        "psy": "Apoyo psicosocial",
        "none": "Ninguno",
    }
    mixed = list(codes)
    chance.shuffle(mixed)
    expected = SERVICES.sorted(codes)
    assert SERVICES.find_several(" ".join(mixed)) == expected
    assert SERVICES.find_several(" ".join(labels[code] for code in mixed)) == expected


def test_marks_of_a_choice() -> None:
    assert [read_mark(cell) for cell in ("1", 1, 1.0, "TRUE", "True", "sí")] == [True] * 6
    assert [read_mark(cell) for cell in ("0", 0, "FALSE", "no")] == [False] * 4
    assert [read_mark(cell) for cell in ("", None, "n/a")] == [None] * 3
    assert key_of(read_mark("quizá")) == "mark"


def test_text_keeps_its_letters_and_loses_the_space_around() -> None:
    assert read_text("  Ñandú \r\n dos ") == "Ñandú \n dos"
    assert read_text(50255551234.0) == "50255551234"
    assert read_text("N/A") is None
    assert read_text(" ") is None
    assert key_of(read_text("#REF!")) == "spreadsheet_error"
    assert (
        key_of(read_text("<WARNING: Truncated to Excel limit of 32767 characters!>Una vez"))
        == "cut_by_export"
    )
    assert read_text("#1 en la lista") == "#1 en la lista"


def test_a_calculated_code_with_zeros_in_front_stays_a_text() -> None:
    assert read_calculated("00123") == "00123"
    assert read_calculated("23") == 23
    assert read_calculated("61.5") == Decimal("61.5")
    assert read_calculated("") is None


@given(st.one_of(st.text(), st.integers(), st.floats(), st.dates(), st.datetimes(), st.times(), st.none()))
def test_no_cell_breaks_a_reader(cell: Any) -> None:
    for read in (
        read_day,
        read_moment,
        read_time,
        read_whole,
        read_decimal,
        read_place,
        read_text,
        read_mark,
    ):
        read(cell)
    SERVICES.find(as_written(cell))
    SERVICES.find_several(as_written(cell))


def test_what_is_remembered_is_bounded() -> None:
    remembered = Remembering(lambda cell: cell)
    for number in range(20_000):
        assert remembered[number] == number
    assert len(remembered) <= 8_192
