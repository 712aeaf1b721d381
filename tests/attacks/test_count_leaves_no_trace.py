"""Everything that counting writes, shows or complains is searched for true numbers and keys (T9)."""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from tests.rules.count.crowds import (
    COUNTRIES,
    chance_of,
    facts_of,
    person,
    raw_of,
    rkey_of,
    spec_of,
    table_of,
    unit_of,
)

from resguardo.count.disclosure import (
    CKR5,
    EXACT,
    ExactNotAllowed,
    Ledger,
    protect,
    protect_by_class,
)
from resguardo.count.indicator import Filter
from resguardo.count.methods import mixed
from resguardo.count.table import FactsRefused, shared_units, tabulate
from resguardo.count.table_text import as_csv, as_json, as_text
from resguardo.keep.facts import open_segment, seal_segment
from resguardo.keep.keys import StatisticsKey
from resguardo.plan.languages import explain
from resguardo.values import Population, Refused

SIZES = {"GT": 482, "HN": 383, "MX": 247, "SV": 123, "PA": 8}
ROWS = [
    person(f"{country} {number}", country=country)
    for country, size in SIZES.items()
    for number in range(size)
]
SPEC = spec_of("country", domains=((*COUNTRIES, "PA"),))
NETWORK = UUID(int=9)
KEY = StatisticsKey(octets=bytes(range(32)), version=1)


def secrets() -> set[str]:
    """True numbers, cell keys and noise of the table, and keys and pseudonyms of some people.

    Published numbers and their bounds end in 0, 1, 4, 5, 6 or 9; a true one of the others is a secret.
    """
    hidden = raw_of(ROWS, SPEC)._hidden
    truths = [hidden.total, *hidden.cells.values()]
    numbers = {truth.n for truth in truths if truth.n > 99 and truth.n % 5 in (2, 3)} | {
        truth.ck for truth in truths
    }
    numbers |= {mixed(truth.ck) for truth in truths}
    people = [f"GT {number}" for number in range(50)]
    return (
        {str(number) for number in numbers}
        | {f"{number:,}" for number in numbers}
        | {str(rkey_of(each)) for each in people}
        | {unit_of(each) for each in people}
    )


SECRETS = secrets()


def found(text: str) -> set[str]:
    """The secrets in a text, each as a whole number or word."""
    words = "".join(sign if sign.isalnum() else " " for sign in text.replace(",", "")).split()
    return SECRETS & set(words)


def seal(content: bytes) -> bytes:
    return seal_segment(
        KEY, institution=NETWORK, form="ledger", segment=NETWORK, version=1, content=content, nonce=bytes(12)
    )


def unseal(sealed: bytes) -> bytes:
    return open_segment(KEY, sealed, institution=NETWORK, form="ledger", segment=NETWORK, version=1)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that anything logs meanwhile."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


def test_the_search_finds_what_a_naive_table_writes() -> None:
    hidden = raw_of(ROWS, SPEC)._hidden
    frame = [
        {"country": key[0], "pre_sdc_count": cell.n, "ckey": cell.ck} for key, cell in hidden.cells.items()
    ]
    assert len(found(json.dumps(frame))) == 9  # four sizes and five cell keys
    assert found(f"{facts_of(ROWS)}")


def test_nothing_written_or_shown_holds_a_true_number(
    logged: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ledger = Ledger()
    raw = raw_of(ROWS, SPEC)
    table = protect(raw, CKR5, ledger)
    sealed = ledger.releases[0].sealed_memory(seal)
    again = Ledger.opened([(ledger.releases[0].line, sealed)], unseal)
    logging.getLogger("test").info("counted %s into %r by %s", raw, table, ledger.releases)
    texts = [
        *(write(table, language) for write in (as_text, as_csv, as_json) for language in ("es", "en")),
        table.octets.decode(),
        repr(table),
        ledger.releases[0].line.decode(),
        repr(ledger.releases),
        repr(again.releases[0].__dict__),
        sealed.decode("latin-1"),
        repr(raw),
        repr(raw._hidden),
        logged.getvalue(),
    ]
    assert [found(text) for text in texts if found(text)] == []
    assert list(tmp_path.iterdir()) == []


def refusals() -> Iterator[Refused]:
    """Every way in which protection refuses, on numbers that must not be told."""
    ledger = Ledger()
    protect(raw_of(ROWS, SPEC), CKR5, ledger)
    raw = raw_of([*ROWS, person("late")], SPEC)
    attempts = [
        lambda: protect(raw, CKR5, ledger),
        lambda: protect(raw, EXACT, ledger),
        lambda: protect(raw_of(ROWS[3:], spec_of()), CKR5, ledger),
        lambda: protect(raw_of(ROWS, spec_of("country", population="open")), EXACT, Ledger()),
        lambda: protect_by_class(
            raw_of(ROWS, spec_of("country", population="open", measure="sum:score")),
            Population.OPEN,
            Ledger(),
        ),
        lambda: protect(
            raw_of(ROWS, spec_of("topics", population="strict")), CKR5, Ledger(), chance=chance_of("x")
        ),
        lambda: protect_by_class(
            raw_of([*ROWS, person("GT 5", country="PA")], spec_of("country", population="strict")),
            Population.STRICT,
            Ledger(),
            chance=chance_of("x"),
        ),
    ]
    for attempt in attempts:
        try:
            attempt()
        except Refused as refused:
            yield refused
        else:
            raise AssertionError("nothing was refused")


def test_no_refusal_holds_a_true_number_even_with_the_values_of_its_frames() -> None:
    for refused in refusals():
        assert refused.__context__ is None or refused.__suppress_context__
        told = traceback.TracebackException.from_exception(refused, capture_locals=True)
        frames = [frame for frame in told.stack if "resguardo" in frame.filename]
        local = "\n".join(str(frame.locals) for frame in frames)
        sentences = " ".join(
            explain(each, language) for each in refused.problems for language in ("es", "en")
        )
        assert found(f"{refused} {refused!r} {sentences} {local}") == set()


def test_an_error_of_the_engine_is_not_repeated() -> None:
    """DuckDB would quote the value that it could not read."""
    facts = facts_of([person("GT 1", sex=unit_of("GT 1"))])
    number = spec_of(filters=(Filter("sex", "=", ("5",)),), numbers=frozenset({"sex"}))
    with pytest.raises(FactsRefused) as refused:
        tabulate(facts, number, as_of=date(2022, 8, 11))
    assert refused.value.__context__ is None
    assert found("".join(traceback.format_exception(refused.value))) == set()


def test_what_two_tables_have_in_common_is_not_told_by_the_refusal() -> None:
    mine = raw_of(ROWS, SPEC)
    compared = shared_units(mine, spec_of())
    assert compared is not None
    assert found(repr(compared))  # the comparison itself is secret, and stays inside
    ledger = Ledger()
    table_of(ROWS, ledger=ledger)
    with pytest.raises(Refused) as refused:
        table_of(ROWS[:-3], spec_of(months=("2022-01", "2022-12")), ledger=ledger)
    assert found(str(refused.value.problems)) == set()


def test_a_group_that_is_too_small_is_not_named() -> None:
    with pytest.raises(ExactNotAllowed) as refused:
        protect(raw_of(ROWS, spec_of("country", population="open")), EXACT, Ledger())
    assert "PA" not in explain(refused.value.problems[0], "es")
