"""Asking again and again, in every other way, gives the same bytes: no noise to average away (T7)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from tests.rules.count.aid import aid
from tests.rules.count.crowds import crowd, spec_of, table_of

from resguardo.count.disclosure import Ledger
from resguardo.count.indicator import Count, specify
from resguardo.count.table_text import as_csv, as_text

ROWS = crowd(300, "repeats")
SPEC = spec_of("country", "sex")

PROGRAM = """
from tests.rules.count.crowds import crowd, spec_of, table_of
print(table_of(crowd(300, "repeats"), spec_of("country", "sex")).digest)
"""


def naive(seed: int) -> int:
    """What does not hold: fresh noise at every question."""
    return len(ROWS) + random.Random(seed).randint(-4, 4)


def test_fresh_noise_is_averaged_away() -> None:
    answers = [naive(seed) for seed in range(1000)]
    assert len(set(answers)) > 1
    assert round(sum(answers) / len(answers)) == len(ROWS)


def test_the_same_question_has_one_answer() -> None:
    ledger = Ledger()
    answers = {table_of(ROWS, SPEC, ledger=ledger).octets for _ in range(20)}
    answers |= {table_of(ROWS, SPEC).octets for _ in range(20)}  # ledgers that know of nothing
    assert len(answers) == 1


def test_rows_in_another_order_have_the_same_answer() -> None:
    shuffled = random.Random(3).sample(ROWS, len(ROWS))
    assert table_of(shuffled, SPEC).octets == table_of(ROWS, SPEC).octets


def test_a_question_written_otherwise_has_the_same_answer() -> None:
    ways = [
        Count("aid.people_met", by=("country", "sex"), where=("age_band in 0-4|5-11",), period="2022"),
        Count(
            "aid.people_met", by=("sex", "country"), where=("age_band in 5-11|0-4|5-11",), period="2022/2022"
        ),
        Count("people_met", by=("sex", "country"), where=("age_band in 5-11|0-4",), period="2022-01/2022-12"),
    ]
    assert len({specify(aid(), way).digest for way in ways}) == 1


def test_a_reader_of_another_language_sees_the_same_numbers() -> None:
    table = table_of(ROWS, SPEC)
    spanish, english = as_csv(table, "es").splitlines()[1:], as_csv(table, "en").splitlines()[1:]
    assert spanish == english
    assert table.octets == table_of(ROWS, SPEC).octets
    assert as_text(table, "es") != as_text(table, "en")


def test_another_computer_run_has_the_same_answer() -> None:
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}", "PYTHONHASHSEED": "77"},
    )
    assert answer.stdout.strip() == table_of(ROWS, SPEC).digest
