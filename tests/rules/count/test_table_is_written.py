"""A safe table reads the same at a terminal, in a spreadsheet and to a machine, in every language."""

from __future__ import annotations

import csv
import io
import json

import pytest
from tests.rules.count.crowds import COUNTRIES, crowd, person, spec_of, table_of

from resguardo.count.disclosure import CKR5, EXACT, SafeTable
from resguardo.count.indicator import Filter
from resguardo.count.table_text import as_csv, as_json, as_text, shown

ROWS = [*crowd(1_500), *(person(f"pa {number}", country="PA") for number in range(5))]
DOMAIN = (*COUNTRIES, "PA")
BY_COUNTRY = table_of(ROWS, spec_of("country", domains=(DOMAIN,)))
WOMEN = (Filter("sex", "=", ("female",)),)
SHARE = table_of(ROWS, spec_of("country", domains=(DOMAIN,), measure="share", part=WOMEN))
TOTAL = table_of(ROWS, spec_of())


def exact(measure: str, *rows: object) -> SafeTable:
    spec = spec_of("country", population="open", things="event", measure=measure)
    return table_of(rows, spec, method=EXACT)  # type: ignore[arg-type]


def test_the_terminal_shows_groups_total_and_what_the_numbers_mean() -> None:
    text = as_text(BY_COUNTRY, "es", labels={"country": {"MX": "México", "": "País de origen"}})
    assert "País de origen" in text
    assert "México" in text
    assert "<15" in text
    assert "Personas" in text
    assert "Cada cifra se redondea al azar" in text
    assert "albergue-norte, consulado-sur" in text
    assert max(map(len, text.splitlines()[:9])) < 80


def test_a_total_alone_is_a_table_too() -> None:
    assert as_text(TOTAL, "en").splitlines()[:3] == ["People", "──────", " 1,505"]


def test_numbers_are_written_as_the_language_does() -> None:
    assert shown(TOTAL.total, TOTAL, "es") == "1,505"
    assert shown(TOTAL.total, TOTAL, "fr") == "1\N{NARROW NO-BREAK SPACE}505"
    cell = SHARE.cell("MX")
    assert cell is not None
    assert shown(cell, SHARE, "en").endswith("%")
    assert "." in shown(cell, SHARE, "es")
    assert "," in shown(cell, SHARE, "fr")


def test_a_protected_cell_never_reads_as_a_number() -> None:
    hidden, no_share = BY_COUNTRY.cell("PA"), SHARE.cell("PA")
    assert hidden is not None
    assert no_share is not None
    assert shown(hidden, BY_COUNTRY, "es") == "<15"
    assert shown(no_share, SHARE, "es") == "no se muestra"
    assert shown(no_share, SHARE, "en") == "not shown"


def test_a_mean_of_nothing_reads_as_no_data() -> None:
    table = exact("mean:score", person(1, score=None), person(2, country="GT"))
    nothing = table.cell("MX")
    assert nothing is not None
    assert shown(nothing, table, "en") == "no data"
    assert "GT" in as_text(table, "en")


def test_csv_has_a_header_an_hxl_row_the_cells_and_the_total() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(BY_COUNTRY, "en"))))
    assert rows[0] == ["Country", "People", "Lowest", "Highest", "Status"]
    assert rows[1] == [
        "#country+code+v_iso2", "#reached+num+ind", "#reached+num+min", "#reached+num+max", "#status+conf",
    ]  # fmt: skip
    assert [row[0] for row in rows[2:]] == ["GT", "HN", "MX", "PA", "SV", ""]
    assert rows[5][1:] == ["<15", "0", "14", "C"]
    assert rows[-1][-1] == "F"


def test_csv_of_a_share_has_parts_of_one_and_of_a_first_day_the_day() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(SHARE, "en"))))
    assert rows[5][1:] == ["", "", "", "C"]
    assert all(0 < float(row[1]) < 1 for row in rows[2:] if row[-1] == "F")
    days = list(csv.reader(io.StringIO(as_csv(exact("first", person(1)), "en"))))
    assert days[1][1] == "#date+start+first"
    assert days[2] == ["MX", "2022-05-04", "2022-05-04", "2022-05-04", "F"]


def test_a_code_that_would_be_a_formula_is_harmless_in_a_spreadsheet() -> None:
    table = exact("count", person(1, country="=HYPERLINK(1)"))
    assert "\r\n'=HYPERLINK(1)," in as_csv(table, "es")


def test_json_has_everything_that_a_machine_needs() -> None:
    plain = json.loads(as_json(BY_COUNTRY, "es"))
    assert plain["indicator"] == "aid.people_met"
    assert plain["method"] == "CKR5"
    assert plain["cells"][3] == {"key": {"country": "PA"}, "value": None, "low": 0, "high": 14, "status": "C"}
    assert plain["total"]["key"] == {}
    assert plain["digest"] == BY_COUNTRY.digest
    assert json.loads(as_json(exact("first", person(1))))["total"]["value"] == "2022-05-04"
    assert 0 < json.loads(as_json(SHARE))["total"]["value"] < 1


def test_a_long_table_says_how_many_groups_are_hidden_instead_of_listing_them() -> None:
    codes = tuple(f"K{number:03}" for number in range(300))
    table = table_of(ROWS, spec_of("country", domains=((*DOMAIN, *codes),)))
    text = as_text(table, "en")
    assert "K007" not in text
    assert "301 more groups are fewer than 15 or none." in text
    share = table_of(ROWS, spec_of("country", domains=((*DOMAIN, *codes),), measure="share", part=WOMEN))
    assert "301 more groups are not shown." in as_text(share, "en")


def test_a_missing_answer_is_said_in_words() -> None:
    rows = [*crowd(200), *(person(f"none {number}", sex=None) for number in range(30))]
    text = as_text(table_of(rows, spec_of("sex", domains=(None,))), "en")
    assert "not stated" in text
    assert "Groups that are not listed are fewer than 15 or none." in text


@pytest.mark.parametrize("language", ["es", "en", "fr", "ht"])
def test_every_method_explains_itself(language: str) -> None:
    people = table_of(crowd(100), spec_of(population="open"), method=EXACT)
    for table in (BY_COUNTRY, SHARE, people, exact("count", person(1))):
        text = table.method_text(language)
        assert table.method.name in text
        assert "{" not in text
    assert "CKR5 1" in BY_COUNTRY.method_text(language)
    assert BY_COUNTRY.method is CKR5
