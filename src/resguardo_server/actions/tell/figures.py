"""What the public reads of figures beside the news: the indicators, and their tables that were released."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.safestring import SafeString

from resguardo.count.disclosure import SafeTable
from resguardo.count.table_text import as_csv, as_json
from resguardo.plan.languages import in_language, say
from resguardo.plan.programme import Form
from resguardo.tell.wording import date_in
from resguardo.values import Refused
from resguardo_server.actions.count import released_tables
from resguardo_server.actions.plan import all_programmes, indicator_named
from resguardo_server.actions.tell.showing import language_of_news, programme_title, saying_indicator
from resguardo_server.actions.tell.voucher import (
    chart_of,
    dimension_name,
    institutions_text,
    period_text,
    shown_table,
)
from resguardo_server.models import ReleasedTable


def figures_page(language: str) -> dict[str, Any]:
    """The indicators of every programme that have a released table."""
    released = set(ReleasedTable.objects.values_list("indicator", flat=True).distinct())
    tongue = language_of_news(language)
    programmes = [
        {
            "name": programme.name,
            "title": in_language(programme.title, language),
            "question": in_language(programme.question, language),
            "indicators": [
                {
                    "title": in_language(indicator.title, language),
                    "counts": in_language(indicator.counts, language),
                    "address": f"/{tongue}/figures/{programme.name}.{indicator.name}/",
                    "population": indicator.population.value,
                }
                for indicator in programme.indicators
                if f"{programme.name}.{indicator.name}" in released
            ],
        }
        for programme in all_programmes()
    ]
    return {"programmes": [programme for programme in programmes if programme["indicators"]]}


def _question_text(table: SafeTable, form: Form, language: str) -> str:
    """What a released table answers: its groups, its period, its conditions besides the indicator's own."""
    names = [dimension_name(form, dimension, language) for dimension in table.spec.dimensions]
    parts = [", ".join(names) or say("server.count.total", language)]
    if table.spec.months:
        parts.append(period_text("/".join(table.spec.months), language))
    return " · ".join(parts)


def figure_page(language: str, name: str, question: str) -> dict[str, Any]:
    """One released table of an indicator; raises `Http404` when there is none."""
    try:
        programme, indicator = indicator_named(name)
    except Refused:
        raise Http404 from None
    tables = released_tables(name)
    if not tables:
        raise Http404
    chosen = next((table for table in tables if table.spec.digest[:12] == question), tables[0])
    form = programme.form(indicator.form)
    tongue = language_of_news(language)
    address = f"/{tongue}/figures/{name}/"
    facts = [
        ("what", in_language(indicator.counts, language)),
        ("when", in_language(indicator.when, language)),
        ("period", period_text("/".join(chosen.spec.months), language) if chosen.spec.months else ""),
        (
            "as_of",
            f"{date_in(chosen.as_of, language)} · {institutions_text(len(chosen.contributors), language)}",
        ),
        ("protection", chosen.method_text(language)),
        ("silent", in_language(indicator.silent, language)),
    ]
    has_chart = bool(chosen.spec.dimensions) and chosen.spec.kind != "first"
    return {
        "indicator": {
            "title": in_language(indicator.title, language),
            "programme_title": programme_title(programme.name, language),
            "programme_name": programme.name,
            "address": address,
            "population": indicator.population.value,
        },
        "periods": [],
        "breakdowns": [
            {
                "value": table.spec.digest[:12],
                "text": _question_text(table, form, language),
                "chosen": table is chosen,
            }
            for table in tables
        ]
        if len(tables) > 1
        else [],
        "table": shown_table(chosen, form, language)
        | {"has_protected": any(cell.status == "C" for cell in chosen.cells)},
        "rounded": chosen.method.base if chosen.method.base > 1 else None,
        "margin": None,
        "refusal": "",
        "facts": [(say(f"server.voucher.{term}", language), text) for term, text in facts if text],
        "chart_svg": SafeString(chart_of(chosen, form, in_language(indicator.title, language), language))
        if has_chart
        else "",
        "chart_caption": in_language(indicator.title, language),
        "downloads": [
            {
                "text": kind.upper(),
                "address": f"/{tongue}/figures/{name}.{kind}?by={chosen.spec.digest[:12]}",
                "size": "",
                "type": media_type,
            }
            for kind, media_type in (("csv", "text/csv"), ("json", "application/json"))
        ],
        "command": f"./resguardo count {name}"
        + (f" --by {','.join(chosen.spec.dimensions)}" if chosen.spec.dimensions else "")
        + (f" --period {'/'.join(chosen.spec.months)}" if chosen.spec.months else ""),
        "releases": saying_indicator(name, language),
    }


def figure_file(language: str, name: str, question: str, kind: str) -> tuple[str, str]:
    """A released table as CSV with an HXL row, or as JSON; raises `Http404` when there is none."""
    tables = released_tables(name)
    chosen = next((table for table in tables if table.spec.digest[:12] == question), None)
    if chosen is None and tables:
        chosen = tables[0]
    if chosen is None:
        raise Http404
    if kind == "csv":
        return as_csv(chosen, language), "text/csv; charset=utf-8"
    return as_json(chosen, language), "application/json; charset=utf-8"
