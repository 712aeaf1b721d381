"""A safe table as text: for a terminal, as CSV with an HXL row, as JSON.

The marks of the HXL row are those of the Humanitarian Exchange Language 1.1, the status is that of SDMX.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from resguardo.count.disclosure import SafeCell, SafeTable
from resguardo.count.indicator import NOT_STATED
from resguardo.plan.languages import say
from resguardo.values import Language

Labels = Mapping[str, Mapping[str, str]]
"""Name of a fact -> code -> what the reader calls it; under the code ``""`` the name of the fact itself."""

_HXL = {
    "country": "#country+code+v_iso2",
    "institution_country": "#country+org+code+v_iso2",
    "nationality": "#country+origin+code+v_iso2",
    "institution": "#org+code",
    "institution_kind": "#org+type+code",
    "sex": "#gender+code",
    "age_band": "#age+range",
    "year": "#date+period",
    "month": "#date+period",
    "day": "#date+start",
}
_VALUES = {
    "first": ("#date+start+first", "#date+start+earliest", "#date+start+latest"),
    "count": ("#reached+num+ind", "#reached+num+min", "#reached+num+max"),
}
_FRENCH_SIGNS = str.maketrans({",": "\N{NARROW NO-BREAK SPACE}", ".": ","})
_ONE_ROW_FOR = 200
"""Protected cells of a table in a terminal are listed one by one up to this many cells."""


def shown(cell: SafeCell, table: SafeTable, language: Language) -> str:
    """What a reader sees of a cell: ``160``, ``<15``, ``38.2%``, ``2022-05-04``."""
    if cell.status == "C":
        if table.spec.kind == "share":
            return say("count.table.hidden", language)
        return say("count.table.less_than", language, floor=table.method.floor)
    if cell.value is None:
        return say("count.table.none", language)
    if table.spec.kind == "share" and isinstance(cell.value, Decimal):
        percent = (100 * cell.value).quantize(Decimal("0.1"))
        return say("count.table.percent", language, number=_written(percent, language))
    return _written(cell.value, language)


def as_text(table: SafeTable, language: Language, *, labels: Labels | None = None) -> str:
    """The table in columns, then its total, its date, who took part, and its method."""
    rows = [[_name(fact, language, labels) for fact in table.spec.dimensions]]
    rows[0].append(_unit(table, language))
    listed = [cell for cell in table.cells if cell.status == "F" or len(table.cells) <= _ONE_ROW_FOR]
    for cell in listed:
        rows.append([*_codes(cell, table, language, labels), shown(cell, table, language)])
    blanks = [""] * (len(table.spec.dimensions) - 1) if table.spec.dimensions else []
    if table.spec.dimensions:
        rows.append([say("count.table.total", language), *blanks, shown(table.total, table, language)])
    else:
        rows.append([shown(table.total, table, language)])
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    lines.insert(1, rule)
    if table.spec.dimensions:
        lines.insert(len(lines) - 1, rule)
    lines.append("")
    left_out = len(table.cells) - len(listed)
    if left_out:
        code = "not_shown" if table.spec.kind == "share" else "all_hidden"
        lines.append(say(f"count.table.{code}", language, number=left_out, floor=table.method.floor))
    elif not table.is_complete and table.spec.kind != "share" and table.spec.dimensions:
        lines.append(say("count.table.not_listed", language, floor=table.method.floor))
    lines.append(table.method_text(language))
    if table.contributors:
        names = ", ".join(_label("institution", slug, language, labels) for slug in table.contributors)
        lines.append(say("count.table.contributors", language, names=names))
    mark = f"{table.digest[:8]}…{table.digest[-4:]}"
    lines.append(say("count.table.as_of", language, day=table.as_of.isoformat(), mark=mark))
    return "\n".join(lines) + "\n"


def as_csv(table: SafeTable, language: Language, *, labels: Labels | None = None) -> str:
    """One row per cell and the total last, under a header row and an HXL row, with commas.

    A protected cell reads ``<15`` in the value column and has status C; the bounds hold its numbers. Codes
    are left as they are, so that files of two languages hold the same rows.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(
        [
            *(_name(fact, language, labels) for fact in table.spec.dimensions),
            _unit(table, language),
            *(say(f"count.table.{word}", language) for word in ("low", "high", "status")),
        ]
    )
    writer.writerow(
        [
            *(_HXL.get(fact, f"#meta+{fact.replace('_', '')}+code") for fact in table.spec.dimensions),
            *_VALUES["first" if table.spec.kind == "first" else "count"],
            "#status+conf",
        ]
    )
    for cell in table.cells:
        writer.writerow([*(_safe(code) for code in cell.key), *_numbers(cell, table)])
    writer.writerow([*("" for _ in table.spec.dimensions), *_numbers(table.total, table)])
    return written.getvalue()


def as_json(table: SafeTable, language: Language = "en") -> str:
    """The table for a machine: its definition, cells, total, bounds, method and digest."""
    return json.dumps(
        {
            "indicator": table.spec.id,
            "unit": table.spec.unit,
            "measure": table.spec.measure,
            "dimensions": list(table.spec.dimensions),
            "period": "/".join(table.spec.months) if table.spec.months else None,
            "filters": [
                f"{each.fact} {each.operator} {'|'.join(each.values)}" for each in table.spec.filters
            ],
            "population": table.spec.population.value,
            "method": table.method.name,
            "method_text": table.method_text(language),
            "floor": table.method.floor,
            "cells": [_machine(cell, table) for cell in table.cells],
            "total": _machine(table.total, table),
            "complete": table.is_complete,
            "contributors": list(table.contributors),
            "as_of": table.as_of.isoformat(),
            "digest": table.digest,
        },
        ensure_ascii=False,
        indent=2,
    )


def _machine(cell: SafeCell, table: SafeTable) -> dict[str, Any]:
    key = dict(zip(table.spec.dimensions, cell.key, strict=True)) if cell.key else {}
    value, low, high = (_machine_value(each) for each in (cell.value, cell.low, cell.high))
    return {"key": key, "value": value, "low": low, "high": high, "status": cell.status}


def _machine_value(value: int | Decimal | date | None) -> int | float | str | None:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def _numbers(cell: SafeCell, table: SafeTable) -> list[str]:
    value = "" if cell.value is None else str(cell.value)
    if cell.status == "C":
        value = "" if table.spec.kind == "share" else f"<{table.method.floor}"
    return [value, *("" if bound is None else str(bound) for bound in (cell.low, cell.high)), cell.status]


def _codes(cell: SafeCell, table: SafeTable, language: Language, labels: Labels | None) -> list[str]:
    return [
        _label(fact, code, language, labels)
        for fact, code in zip(table.spec.dimensions, cell.key, strict=True)
    ]


def _label(fact: str, code: str, language: Language, labels: Labels | None) -> str:
    if code == NOT_STATED:
        return say("count.table.not_stated", language)
    return (labels or {}).get(fact, {}).get(code, code)


def _name(fact: str, language: Language, labels: Labels | None) -> str:
    given = (labels or {}).get(fact, {}).get("")
    if given:
        return given
    try:
        return say(f"count.fact.{fact}", language)
    except KeyError:
        return fact


def _unit(table: SafeTable, language: Language) -> str:
    """What the numbers are: people, events; otherwise just a value."""
    if table.spec.kind != "count":
        return say("count.table.value", language)
    return say(f"count.unit.{table.spec.unit}", language)


def _written(value: int | Decimal | date, language: Language) -> str:
    """A number as the language writes it in the Americas; a day as everybody writes it."""
    if isinstance(value, date):
        return value.isoformat()
    text = f"{value:,}"
    return text.translate(_FRENCH_SIGNS) if language in ("fr", "ht") else text


def _safe(code: str) -> str:
    """The code, harmless in a spreadsheet: none of ours begins with a sign that starts a formula."""
    return f"'{code}" if code[:1] in ("=", "+", "-", "@", "\t", "\r") else code


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _line(row: list[str], widths: list[int]) -> str:
    """The cells of a row, the last one to the right."""
    cells = [text + " " * (width - _width(text)) for text, width in zip(row[:-1], widths[:-1], strict=True)]
    last = " " * (widths[-1] - _width(row[-1])) + row[-1]
    return "  ".join([*cells, last]).rstrip()
