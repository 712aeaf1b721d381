"""What docs/counting.md says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from resguardo.count.disclosure import CKR5, CKR10, DPG10, LEAST_PART, LEAST_TOTAL, MOST_HIDDEN
from resguardo.count.indicator import MOST_DIMENSIONS
from resguardo.count.methods import BUDGET, CHARGE, Method, rounded

TEXT = (Path(__file__).parents[3] / "docs" / "counting.md").read_text(encoding="utf-8")


def published(units: int, key: int, method: Method) -> str:
    number = rounded(units, key, method.base)
    return str(number) if number >= method.floor else f"<{method.floor}"


def test_the_vectors_are_what_the_formula_gives() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (<?\d+) \| (<?\d+) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 9
    for units, key, by_five, by_ten in rows:
        assert published(int(units), int(key), CKR5) == by_five
        assert published(int(units), int(key), CKR10) == by_ten


def test_the_thresholds_are_those_of_the_code() -> None:
    assert f"**{LEAST_TOTAL} in all and {LEAST_PART} in every group that is named**" in TEXT
    assert f"random rounding to 5 | {CKR5.floor} " in TEXT
    assert f"random rounding to 10 | {CKR10.floor} | at most {CKR10.margin} |" in TEXT
    assert f"drawn once and kept | {DPG10.floor} | at most {DPG10.margin} in 95" in TEXT
    assert f"{BUDGET / CHARGE / 2} tables with a breakdown a year" in TEXT
    assert f"at most {MOST_DIMENSIONS} facts at once" in TEXT
    assert MOST_HIDDEN == LEAST_PART - 1 == 9
