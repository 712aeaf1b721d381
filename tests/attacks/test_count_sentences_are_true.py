"""Of 200,000 random numbers, every sentence that a published one allows is true of the true one (T12)."""

from __future__ import annotations

import random
from decimal import Decimal

from tests.rules.count.crowds import COUNTRIES, person, spec_of, table_of

from resguardo.count.disclosure import CKR5, CKR10, SafeCell, _rounded_cell
from resguardo.count.indicator import CELL_PRIME, Filter
from resguardo.count.methods import Method
from resguardo.count.table import Truth

SHARE = spec_of(measure="share", part=(Filter("sex", "=", ("female",)),))


def numbers(count: int) -> list[Truth]:
    drawn = random.Random("sentences")
    return [
        Truth(
            int(drawn.paretovariate(0.6)) - 1 if each % 2 else drawn.randrange(60),
            drawn.randrange(CELL_PRIME),
        )
        for each in range(count)
    ]


def false_sentences(true: int, cell: SafeCell, method: Method) -> list[str]:
    """The sentences about the cell that do not hold of `true`."""
    if cell.value is None:
        assert isinstance(cell.high, int)
        said = {f"fewer than {method.floor}": 0 <= true <= cell.high, "not shown": cell.high < method.floor}
    else:
        assert isinstance(cell.value, int)
        assert isinstance(cell.low, int)
        assert isinstance(cell.high, int)
        said = {
            "about": abs(true - cell.value) <= method.margin,
            "more than": true > cell.low - 1,
            "at least": true >= cell.low,
            "between": cell.low <= true <= cell.high,
            "eleven or more": true >= 11,
        }
    return [sentence for sentence, holds in said.items() if not holds]


def test_every_sentence_about_a_rounded_number_is_true() -> None:
    spec = spec_of()
    for method, count in ((CKR5, 200_000), (CKR10, 20_000)):
        wrong = [
            truth
            for truth in numbers(count)
            if false_sentences(truth.n, _rounded_cell(spec, method, (), truth), method)
        ]
        assert wrong == []


def test_a_margin_that_is_too_narrow_says_what_is_false() -> None:
    spec = spec_of()
    narrow = Method("CKR5", base=5, floor=15, margin=2)
    wrong = [
        truth
        for truth in numbers(5_000)
        if false_sentences(truth.n, _rounded_cell(spec, narrow, (), truth), narrow)
    ]
    assert len(wrong) > 500


def test_every_share_lies_between_its_bounds() -> None:
    drawn = random.Random("shares")
    shown = 0
    for _ in range(30_000):
        n = drawn.randrange(20, 400)
        part = drawn.randrange(n + 1)
        truth = Truth(n, drawn.randrange(CELL_PRIME), part, drawn.randrange(CELL_PRIME))
        cell = _rounded_cell(SHARE, CKR5, (), truth)
        if cell.value is None:
            continue
        shown += 1
        assert isinstance(cell.low, Decimal)
        assert isinstance(cell.high, Decimal)
        assert cell.low * n <= part <= cell.high * n
    assert shown > 10_000


def test_at_least_so_many_countries_is_true_and_so_many_may_be_false() -> None:
    drawn = random.Random("countries")
    exact_would_be_false = 0
    codes = (*COUNTRIES, "CR", "DO", "PA")
    for round_of in range(40):
        sizes = {code: drawn.choice((0, 3, 12, 14, 16, 60)) for code in codes}
        rows = [
            person(f"{round_of} {code} {number}", country=code)
            for code, size in sizes.items()
            for number in range(size)
        ]
        rows += [person(f"{round_of} many {number}", country="MX") for number in range(80)]
        rows += [person(f"{round_of} others {number}", country="GT") for number in range(80)]
        table = table_of(rows, spec_of("country", domains=(codes,)))
        published = sum(cell.status == "F" for cell in table.cells)
        true = len({row["country"] for row in rows})
        assert published <= true
        exact_would_be_false += published < true
    assert exact_would_be_false > 0
