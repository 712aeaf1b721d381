"""DuckDB counts distinct people over columnar facts, and what it found cannot be looked at."""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pytest
from tests.rules.count.crowds import DAY, Row, crowd, facts_of, person, raw_of, spec_of, table_of

from resguardo.count.disclosure import EXACT, SafeTable
from resguardo.count.indicator import CELL_PRIME, Filter, TableSpec
from resguardo.count.table import (
    FactsRefused,
    OverlappingParts,
    RawCells,
    UnitMismatch,
    _engine,
    add,
    tabulate,
)


def things(*rows: Row, dimensions: tuple[str, ...] = (), **changes: Any) -> SafeTable:
    """The exact table of public things, through which the tests see what was counted."""
    return table_of(rows, spec_of(*dimensions, population="open", things="event", **changes), method=EXACT)


def shown(table: SafeTable) -> dict[tuple[str, ...], Any]:
    return {cell.key: cell.value for cell in (table.total, *table.cells)}


def test_a_person_with_two_records_is_one_person() -> None:
    table = things(person(1), person(1, month="2022-06"), person(2))
    assert table.total.value == 2


def test_a_person_in_two_countries_is_one_in_each_and_one_in_the_total() -> None:
    table = things(person(1), person(1, country="GT"), person(2), dimensions=("country",))
    assert shown(table) == {(): 2, ("MX",): 2, ("GT",): 1}


def test_several_values_at_once_count_in_the_cell_of_each() -> None:
    table = things(
        person(1, topics=["health", "work"]),
        person(2, topics=["health"]),
        person(3, topics=[]),
        person(4, topics=None),
        dimensions=("topics",),
    )
    assert shown(table) == {(): 4, ("health",): 2, ("work",): 1, ("not_stated",): 2}


def test_a_missing_answer_is_a_category() -> None:
    table = things(person(1, sex=None), person(2), dimensions=("sex",))
    assert shown(table) == {(): 2, ("not_stated",): 1, ("female",): 1}


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        (Filter("sex", "=", ("female",)), 2),
        (Filter("sex", "!=", ("female",)), 2),
        (Filter("sex", "in", ("male", "not_stated")), 2),
        (Filter("score", ">=", ("5",)), 2),
        (Filter("score", "<", ("5",)), 1),
        (Filter("score", "!=", ("5",)), 2),
        (Filter("score", "in", ("2", "5")), 2),
        (Filter("topics", "=", ("work",)), 1),
        (Filter("topics", "!=", ("work",)), 3),
        (Filter("topics", "in", ("work", "health")), 3),
        (Filter("month", ">", ("2022-05",)), 1),
    ],
)
def test_a_condition_keeps_the_rows_that_meet_it(condition: Filter, kept: int) -> None:
    rows = (
        person(1, score=9, topics=["work", "health"]),
        person(2, score=5, month="2022-06"),
        person(3, score=2, sex="male"),
        person(4, score=None, sex=None, topics=None),
    )
    assert things(*rows, filters=(condition,)).total.value == kept


def test_the_period_takes_first_and_last_month() -> None:
    rows = [person(number, month=f"2022-{number:02d}") for number in range(1, 13)]
    assert things(*rows, months=("2022-03", "2022-05")).total.value == 3


def test_values_are_added_averaged_counted_and_the_first_day_is_found() -> None:
    rows = (
        person(1, score=4, topics=["health", "work"], day="2022-05-09"),
        person(1, score=6, day="2022-05-04"),
        person(2, score=None, topics=["work"], day="2022-06-01"),
    )
    by = {"dimensions": ("topics",)}
    assert shown(things(*rows, measure="sum:score", **by)) == {(): 10, ("health",): 10, ("work",): 4}
    assert str(things(*rows, measure="mean:score").total.value) == "5.00"
    assert shown(things(*rows, measure="mean:score", **by))[("work",)] == 4
    assert shown(things(*rows, measure="records", **by)) == {(): 3, ("health",): 2, ("work",): 2}
    assert str(things(*rows, measure="first").total.value) == "2022-05-04"


def test_a_mean_of_nothing_and_the_first_of_none_have_no_value() -> None:
    assert things(person(1, score=None), measure="mean:score").total.value is None
    assert things(measure="first").total.value is None
    assert things(measure="sum:score").total.value == 0


def test_a_share_is_of_people_and_not_of_records() -> None:
    rows = (person(1, sex="male"), person(1, sex="female"), person(2, sex="male"), person(3, sex="male"))
    table = things(*rows, measure="share", part=(Filter("sex", "=", ("female",)),))
    assert str(table.total.value) == "0.3333333333"


def test_who_takes_part_is_named_although_no_row_is_kept() -> None:
    rows = (person(1), person(2, institution="consulado-sur", country="GT"))
    assert things(*rows, filters=(Filter("country", "=", ("GT",)),)).contributors == (
        "albergue-norte",
        "consulado-sur",
    )


def test_the_countries_of_the_institutions_are_the_catalogue_where_a_form_asks_for_none() -> None:
    costa_rica = [person(f"cr {number}", institution_country="CR") for number in range(40)]
    rows = [*crowd(60), *costa_rica, person("pa", institution_country="PA")]
    others = (Filter("institution_country", "!=", ("PA",)),)
    table = table_of(rows, spec_of("institution_country", domains=((),), filters=others))
    assert [cell.key for cell in table.cells] == [("CR",), ("MX",)]


def test_a_fact_that_no_row_answers_needs_no_column() -> None:
    facts = facts_of([person(1), person(2)]).drop_columns(["topics", "score", "sex"])
    spec = spec_of("topics", things="event", filters=(Filter("score", ">", ("1",)),))
    assert isinstance(tabulate(facts, spec, as_of=DAY), RawCells)
    nulls = facts.append_column("sex", pyarrow.nulls(2))
    assert isinstance(tabulate(nulls, spec_of("sex"), as_of=DAY), RawCells)


def test_texts_may_come_as_a_dictionary() -> None:
    facts = facts_of(crowd(50))
    place = facts.column_names.index("country")
    coded = facts.set_column(place, "country", facts["country"].dictionary_encode())
    spec = spec_of("country", population="open", things="event", filters=(Filter("country", "!=", ("HN",)),))

    def counted(columns: pyarrow.Table) -> dict[tuple[str, ...], int]:
        return {key: truth.n for key, truth in tabulate(columns, spec, as_of=DAY)._hidden.cells.items()}

    assert counted(coded) == counted(facts)


@pytest.mark.parametrize("column", ["unit", "rkey", "institution"])
def test_facts_without_their_columns_are_refused(column: str) -> None:
    with pytest.raises(FactsRefused, match=r"count\.facts\.missing"):
        tabulate(facts_of([person(1)]).drop_columns([column]), spec_of(), as_of=DAY)


def test_a_column_of_another_kind_is_refused() -> None:
    with pytest.raises(FactsRefused, match=r"count\.facts\.kind"):
        raw_of([person(1)], spec_of(numbers=frozenset({"sex"}), filters=(Filter("sex", "=", ("1",)),)))


@pytest.mark.parametrize("rkey", [None, -1, CELL_PRIME])
def test_a_record_key_that_is_none_is_refused(rkey: int | None) -> None:
    with pytest.raises(FactsRefused, match=r"count\.facts\.record_key"):
        raw_of([{**person(1), "rkey": rkey}], spec_of())


def test_parts_together_count_a_person_of_two_institutions_once() -> None:
    north = [person(number) for number in range(40)]
    south = [person(number, institution="consulado-sur") for number in range(30, 70)]
    spec = spec_of("country")
    together = add([raw_of(north, spec), raw_of(south, spec)])
    assert together._hidden.total.n == 70
    assert together._hidden.contributors == ("albergue-norte", "consulado-sur")


def test_parts_that_do_not_belong_together_are_refused() -> None:
    one, other = raw_of([person(1)], spec_of()), raw_of([person(1)], spec_of("sex"))
    with pytest.raises(UnitMismatch):
        add([one, other])
    with pytest.raises(UnitMismatch):
        add([])
    with pytest.raises(OverlappingParts):
        add([one, one])


def test_raw_cells_show_nothing() -> None:
    raw = raw_of(crowd(137), spec_of("country"))
    for text in (repr(raw), str(raw), f"{raw}", f"{raw!r:>20}", "%s" % raw, repr(raw._hidden.total)):  # noqa: UP031
        assert not any(sign.isdigit() for sign in text.partition(" object at ")[0])
    assert not hasattr(raw, "__dict__")


def test_raw_cells_are_not_pickled_copied_compared_or_written() -> None:
    raw = raw_of(crowd(50), spec_of())
    for attempt in (
        lambda: pickle.dumps(raw),
        lambda: copy.copy(raw),
        lambda: copy.deepcopy(raw),
        lambda: json.dumps(raw),
        lambda: raw == raw,
        lambda: raw != raw,
        lambda: hash(raw),
        lambda: bool(raw),
        lambda: list(raw),  # type: ignore[call-overload]
        lambda: len(raw),  # type: ignore[arg-type]
        lambda: int(raw),  # type: ignore[call-overload]
        lambda: pyarrow.table({"raw": [raw]}),
        lambda: csv.writer(io.StringIO()).writerows(raw),  # type: ignore[arg-type]
        lambda: setattr(raw, "_hidden", None),
    ):
        with pytest.raises((TypeError, AttributeError, pyarrow.ArrowInvalid)):
            attempt()


def test_the_statement_is_one_text_with_marks_for_its_values() -> None:
    spec = spec_of("country", "topics", filters=(Filter("sex", "=", ("male",)),))
    statement = spec.counting()
    assert statement.text.startswith("WITH kept AS (SELECT ")
    assert statement.text.count("?") == len(statement.parameters) == 1


def test_the_statement_keeps_to_what_other_engines_have() -> None:
    """No operator of DuckDB alone, no shorthand: the same text runs where a country keeps its facts."""
    for spec in (
        spec_of("country", "sex", months=("2022-01", "2022-02")),
        spec_of("country", measure="share", part=(Filter("sex", "in", ("male", "other")),)),
    ):
        text = spec.counting().text
        assert "MOD(" in text
        assert not any(sign in text for sign in ("//", "%", "::", "GROUP BY ALL", "EXCLUDE", "QUALIFY"))


def test_the_engine_has_no_way_to_a_file_and_keeps_no_facts(tmp_path: Path) -> None:
    raw_of([person(1)], spec_of())
    with _engine(os.getpid()).cursor() as cursor:
        for statement in (
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "SELECT * FROM read_csv('/etc/passwd')",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET temp_directory = '/tmp'",
            "SELECT * FROM facts",
        ):
            with pytest.raises(duckdb.Error):
                cursor.execute(statement).fetchall()
        assert cursor.execute("SELECT current_setting('temp_directory')").fetchall() == [("",)]
    assert not list(tmp_path.iterdir())


def test_two_counts_at_once_do_not_see_each_others_facts() -> None:
    crowds = [crowd(60 + number, f"thread {number}") for number in range(8)]
    with ThreadPoolExecutor(4) as at_once:
        counted = list(at_once.map(lambda rows: raw_of(rows, spec_of("country"))._hidden.total.n, crowds))
    assert counted == [60 + number for number in range(8)]


def test_another_spec_of_no_facts_is_not_counted() -> None:
    broken = TableSpec.from_definition(
        {
            **spec_of().definition(),
            "filters": [["score", "=", ["1"]]],
            "numbers": ["score"],
            "lists": ["score"],
        }
    )
    with pytest.raises(FactsRefused):
        raw_of([person(1)], broken)
