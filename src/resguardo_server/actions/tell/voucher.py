"""What the public may see of how a claim was counted, in each language, kept with the claim."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date

from resguardo.count.disclosure import SafeCell, SafeTable
from resguardo.count.indicator import NOT_STATED
from resguardo.count.table_text import as_csv, as_json, shown
from resguardo.plan.languages import in_language, say
from resguardo.plan.programme import Form, Programme
from resguardo.tell.chart import bars_of, svg_of
from resguardo.tell.claim import Verdict
from resguardo.tell.figure import Recipe, months_of
from resguardo.tell.wording import at_sentence_start, countries_in, date_in, number_in
from resguardo.values import Refused
from resguardo_server.actions.plan import indicator_named

LANGUAGES = ("es", "en")
MOST_HIDDEN = 8
"""Protected groups that are shown one by one; more of them are told in one row."""


def voucher_of(verdict: Verdict, table: SafeTable | None) -> dict[str, Any]:
    """The voucher of a verdict: rows, notes, chart, table and downloads, per language."""
    claim = verdict.claim
    try:
        programme, indicator = indicator_named(claim.recipe.indicator)
    except Refused:  # the verdict says so already
        return {"indicator": claim.recipe.indicator, "digest": claim.recipe.mark}
    form = programme.form(indicator.form)
    voucher: dict[str, Any] = {
        "programme": programme.name,
        "indicator": claim.recipe.indicator,
        "digest": claim.recipe.mark,
        "recipe": claim.recipe.canonical().decode(),
        "command": "\n".join(_command(recipe) for recipe in (claim.recipe, claim.before) if recipe),
        "rows": {language: _rows(verdict, table, programme, language) for language in LANGUAGES},
        "notes": {language: [note.sentence(language) for note in verdict.notes] for language in LANGUAGES},
        "source": None,
    }
    if form.source:
        voucher["source"] = {
            "title": form.source.title,
            "publisher": form.source.publisher,
            "licence": form.source.licence,
            "address": form.source.address,
        }
    if table is not None:
        voucher["table_digest"] = table.digest
        voucher["csv"] = {language: as_csv(table, language) for language in LANGUAGES}
        voucher["json"] = as_json(table)
        if table.spec.dimensions and table.cells:
            voucher["table"] = {language: shown_table(table, form, language) for language in LANGUAGES}
            if table.spec.kind != "first":
                voucher["chart"] = {
                    language: chart_of(table, form, in_language(indicator.title, language), language)
                    for language in LANGUAGES
                }
    return voucher


def _command(recipe: Recipe) -> str:
    words = ["./resguardo count", recipe.indicator]
    if recipe.by:
        words.append(f"--by {','.join(recipe.by)}")
    words += [f"--where '{condition}'" for condition in recipe.where]
    if recipe.period:
        words.append(f"--period {recipe.period}")
    return " ".join(words)


def _rows(
    verdict: Verdict, table: SafeTable | None, programme: Programme, language: str
) -> list[tuple[str, str]]:
    """The facts of the voucher as pairs of term and text, those that there are."""
    claim = verdict.claim
    _, indicator = indicator_named(claim.recipe.indicator)
    rows = [
        ("what", in_language(indicator.counts, language)),
        ("when", in_language(indicator.when, language)),
        ("where", in_language(claim.recipe.coverage, language) or _countries(claim.recipe, language)),
        (
            "period",
            period_text(claim.recipe.period, language) if claim.recipe.period else _everything(language),
        ),
    ]
    if claim.before is not None:
        before = period_text(claim.before.period, language) if claim.before.period else ""
        rows.append(("before", before))
    if verdict.test is not None:
        z = number_in(Decimal(str(round(verdict.test.z, 2))), language, decimals=2)
        rows.append(("test", say(f"server.voucher.{verdict.test.trial}", language, z=z)))
    if table is not None:
        institutions = institutions_text(len(table.contributors), language)
        rows.append(("as_of", f"{date_in(table.as_of, language)} · {institutions}"))
        rows.append(("protection", table.method_text(language)))
    rows.append(("silent", in_language(indicator.silent, language)))
    return [(say(f"server.voucher.{term}", language), text) for term, text in rows if text]


def institutions_text(number: int, language: str) -> str:
    """How many institutions took part: ``1 institución``, ``8 instituciones``."""
    return say(f"server.voucher.contributor{'s' if number != 1 else ''}", language, number=number)


def period_text(period: str, language: str) -> str:
    """A period as a person reads it: ``2022``, ``agosto de 2022``, ``enero de 2021 – agosto de 2022``."""
    months = months_of(period)
    first, last = months[0], months[-1]
    if first.endswith("-01") and last.endswith("-12"):
        years = list(dict.fromkeys((first[:4], last[:4])))
        return "–".join(years)
    return " – ".join(dict.fromkeys(_month(month, language) for month in (first, last)))


def _month(month: str, language: str) -> str:
    pattern = {"es": "MMMM 'de' y"}.get(language, "MMMM y")
    return str(format_date(date.fromisoformat(f"{month}-01"), format=pattern, locale=language))


def _everything(language: str) -> str:
    return say("server.voucher.everything", language)


def _countries(recipe: Recipe, language: str) -> str:
    for condition in recipe.where:
        fact, _, values = condition.replace(" = ", " in ").partition(" in ")
        if fact.strip() == "country":
            return countries_in([value.strip() for value in values.split("|")], language)
    return ""


def group_label(form: Form, table: SafeTable, key: tuple[str, ...], language: str) -> str:
    """A group of a table in words: its codes as the form explains them."""
    pairs = zip(table.spec.dimensions, key, strict=True)
    return " · ".join(code_label(form, fact, code, language) for fact, code in pairs)


def code_label(form: Form, fact: str, code: str, language: str) -> str:
    """A code of a fact in words; also the one of whoever did not answer."""
    if code == NOT_STATED:
        return say("server.count.not_stated", language)
    if fact == "day":
        return date_in(date.fromisoformat(code), language)
    if fact == "month":
        return _month(code, language)
    return form.code_label(fact, code, language)


def shown_table(table: SafeTable, form: Form, language: str) -> dict[str, Any]:
    """The table as `tell/parts/table.html` shows it; many protected groups are told in one row."""
    hidden = sum(cell.status == "C" for cell in table.cells)
    rows = [
        {
            "label": group_label(form, table, cell.key, language),
            "cells": [{"text": shown(cell, table, language), "protected": cell.status == "C"}],
            "total": False,
        }
        for cell in sorted(table.cells, key=_largest_first)
        if cell.status == "F" or hidden <= MOST_HIDDEN
    ]
    if hidden > MOST_HIDDEN:
        others = say("server.count.others", language, number=hidden)
        rows.append({"label": others, "cells": [{"text": "", "protected": True}], "total": False})
    total = table.total
    rows.append(
        {
            "label": say("server.count.total", language),
            "cells": [{"text": shown(total, table, language), "protected": total.status == "C"}],
            "total": True,
        }
    )
    _, indicator = indicator_named(table.spec.id)
    return {
        "caption": in_language(indicator.title, language),
        "corner": at_sentence_start(
            " · ".join(dimension_name(form, dimension, language) for dimension in table.spec.dimensions)
        ),
        "header": [say("server.count.figure", language)],
        "rows": rows,
        "floor": table.method.floor,
    }


def chart_of(table: SafeTable, form: Form, title: str, language: str) -> str:
    """The table as bars; protected groups are drawn while they are few."""

    def label(key: tuple[str, ...]) -> str:
        return group_label(form, table, key, language)

    bars = bars_of(table, language, label=label)
    if sum(bar.is_protected for bar in bars) > MOST_HIDDEN:
        bars = tuple(bar for bar in bars if not bar.is_protected)
    return svg_of(bars, language, title=title)


def dimension_name(form: Form, dimension: str, language: str) -> str:
    """What a dimension is called: the question's words, or the house's own."""
    try:
        return say(f"server.dimension.{dimension}", language)
    except KeyError:
        return in_language(form.field(form.fact(dimension).source).label, language).casefold()


def _largest_first(cell: SafeCell) -> tuple[str, float]:
    return cell.status, -float(cell.value) if isinstance(cell.value, int | Decimal) else 0.0
