"""The same answers give the same bytes, so that what was imported before is recognised."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.collect.sheets import JEAN, ROSA, kept, people, said, table, write_csv, write_workbook

from resguardo.collect.submission import Submission, canonical_bytes

FORM = people()


def bytes_of(path: Path) -> list[bytes]:
    return [canonical_bytes(each) for each in kept(FORM, path)]


def of(answers: dict[str, Any], **more: Any) -> bytes:
    return canonical_bytes(
        Submission(FORM, "1", more.pop("instance", None), answers, more.pop("row", 2), **more)
    )


@given(
    st.permutations(list(ROSA)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["es", "en", "name"]),
    st.booleans(),
    st.booleans(),
)
def test_neither_order_nor_style_of_a_file_shows(
    tmp_path_factory: pytest.TempPathFactory,
    order: list[str],
    delimiter: str,
    encoding: str,
    header: str,
    labelled: bool,
    split: bool,
) -> None:
    folder = tmp_path_factory.mktemp("same")
    sexes, sites = {"female": "Mujer", "male": "Hombre"}, {"GT": "Guatemala", "HT": "Haití"}
    rows: list[list[str]] = [[]]
    for name in order:
        if name == "services" and split:
            rows[0].extend(f"services/{code}" for code in ("legal", "none", "food"))
        else:
            rows[0].append(name if header == "name" else FORM.field(name).label[header])
    for person in (ROSA, JEAN):
        cells: list[str] = []
        for name in order:
            value = person[name]
            if name == "services" and split:
                cells.extend("1" if code in value.split() else "" for code in ("legal", "none", "food"))
            elif labelled and name in ("sex", "country"):
                cells.append({**sexes, **sites}[value])
            elif labelled and name.endswith("_on"):
                cells.append(date.fromisoformat(value).strftime("%d/%m/%Y"))
            else:
                cells.append(f" {unicodedata.normalize('NFD', value)} " if labelled else value)
        rows.append(cells)
    plain = bytes_of(write_csv(folder / "plain.csv", table(ROSA, JEAN)))
    assert bytes_of(write_csv(folder / "a.csv", rows, delimiter=delimiter, encoding=encoding)) == plain


def test_a_workbook_and_a_csv_give_the_same_bytes(tmp_path: Path) -> None:
    typed = {**ROSA, "seen_on": date(2024, 3, 15), "children": 2, "fee": 12.5}
    assert bytes_of(write_workbook(tmp_path / "a.xlsx", {"x": table(typed)})) == bytes_of(
        write_csv(tmp_path / "a.csv", table({**ROSA, "fee": "12,50"}))
    )


def test_other_answers_give_other_bytes() -> None:
    one = said(FORM, code="GT-001", children=2)
    assert of(one) != of(one | {"children": 3})
    assert of(one) != of(one | {"code": "GT-002"})
    assert of(one | {"services": ("food",)}) != of(one | {"services": ("food", "legal")})
    assert of(one | {"member": ({"member_name": "Ana"},)}) != of(one | {"member": ({"member_name": "Eva"},)})
    assert of(one | {"name": "a", "story": "b"}) != of(one | {"name": "b", "story": "a"})


def test_row_version_calculations_and_unanswered_questions_do_not_show() -> None:
    one = said(FORM, code="GT-001")
    assert of(one, row=2) == of(one, row=99)
    assert of(one) == of({"code": "GT-001"})
    assert of(one | {"age": 33}) == of(one | {"age": 34})
    assert canonical_bytes(Submission(FORM, "1", None, one, 2)) == canonical_bytes(
        Submission(FORM, "2", None, one, 2)
    )


def test_equal_numbers_and_moments_are_equal_however_they_are_written() -> None:
    one = {"code": "GT-001"}
    assert of(one | {"fee": Decimal("12.50")}) == of(one | {"fee": Decimal("12.5")})
    assert of(one | {"fee": Decimal("1E+2")}) == of(one | {"fee": Decimal(100)})
    assert of(one | {"fee": Decimal("-0")}) == of(one | {"fee": Decimal(0)})
    here = datetime(2024, 3, 15, 10, tzinfo=timezone(timedelta(hours=-6)))
    there = datetime(2024, 3, 15, 16, tzinfo=timezone.utc)  # noqa: UP017
    assert of(one | {"seen_on": here}) == of(one | {"seen_on": there})


def test_equal_rows_of_one_file_are_several_submissions_and_the_same_ones_the_next_time(
    tmp_path: Path,
) -> None:
    path = write_csv(tmp_path / "a.csv", table(ROSA, JEAN, ROSA, ROSA))
    found = kept(FORM, path)
    assert [each.occurrence for each in found] == [1, 1, 2, 3]
    first = bytes_of(path)
    assert len(set(first)) == 4
    assert bytes_of(path) == first
    assert set(bytes_of(write_csv(tmp_path / "b.csv", table(ROSA, ROSA, ROSA, JEAN)))) == set(first)


def test_the_name_that_an_export_gives_tells_equal_answers_apart(tmp_path: Path) -> None:
    rows = table({**ROSA, "_uuid": "a"}, {**ROSA, "_uuid": "b"}, {**ROSA, "_uuid": "a"})
    path = write_csv(tmp_path / "a.csv", rows)
    found = kept(FORM, path)
    assert [each.occurrence for each in found] == [1, 1, 1]
    first, second, again = bytes_of(path)
    assert first == again != second
    renamed = table({**ROSA, "meta/instanceID": "uuid:a"})
    assert bytes_of(write_csv(tmp_path / "b.csv", renamed)) == [first]


def test_many_different_rows_are_told_apart(tmp_path: Path) -> None:
    people = [{**ROSA, "code": f"GT-{number:06d}"} for number in range(3_000)]
    found = kept(FORM, write_csv(tmp_path / "a.csv", table(*people, *people[:50])))
    assert [each.occurrence for each in found] == [1] * 3_000 + [2] * 50
