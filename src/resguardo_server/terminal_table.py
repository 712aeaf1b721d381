"""Tables for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from resguardo.count.disclosure import SafeTable
from resguardo.count.table_text import shown
from resguardo.plan.languages import in_language, say
from resguardo.tell.wording import date_in

if TYPE_CHECKING:
    from resguardo_server.actions.tell import CheckedItem


def print_table(screen: Console, table: SafeTable, language: str) -> None:
    """A safe table with its labels, its total, its date and how it was protected."""
    from resguardo_server.actions.plan import indicator_named
    from resguardo_server.actions.tell.voucher import MOST_HIDDEN, code_label, institutions_text

    programme, indicator = indicator_named(table.spec.id)
    form = programme.form(indicator.form)
    title = in_language(indicator.title, language)
    screen.print(title, style="bold", markup=False)
    drawn = Table(show_edge=False)
    for dimension in table.spec.dimensions:
        drawn.add_column(say(f"server.dimension.{dimension}", language) if _known(dimension) else dimension)
    drawn.add_column("", justify="right")
    cells = table.cells if table.spec.dimensions else ()
    hidden = sum(cell.status == "C" for cell in cells)
    for cell in cells:
        if cell.status == "C" and hidden > MOST_HIDDEN:
            continue
        labels = [
            code_label(form, fact, code, language)
            for fact, code in zip(table.spec.dimensions, cell.key, strict=True)
        ]
        drawn.add_row(*labels, Text(shown(cell, table, language), style="dim" if cell.status == "C" else ""))
    blanks = [""] * max(0, len(table.spec.dimensions) - 1)
    if hidden > MOST_HIDDEN:
        others = say("server.count.others", language, number=hidden)
        drawn.add_row(others, *blanks, f"<{table.method.floor}", style="dim")
    total = [say("server.count.total", language), *blanks] if table.spec.dimensions else []
    drawn.add_row(*total, shown(table.total, table, language), style="bold")
    screen.print(drawn)
    institutions = institutions_text(len(table.contributors), language)
    as_of = say("server.voucher.as_of", language)
    screen.print(f"{as_of} {date_in(table.as_of, language)} · {institutions}", style="dim")
    screen.print(table.method_text(language), style="dim", soft_wrap=False)


def _known(dimension: str) -> bool:
    try:
        say(f"server.dimension.{dimension}", "es")
    except KeyError:
        return False
    return True


def print_news(screen: Console, news: list[CheckedItem], language: str) -> None:
    """Each item with its claims and their verdicts, and why an item cannot be published."""
    items = [item for item in news if item.language == language] or [
        item for item in news if item.language == "es"
    ]
    drawn = Table(show_lines=True, expand=True)
    drawn.add_column(say("server.news.date", language), no_wrap=True)
    drawn.add_column(say("server.news.item", language), ratio=3)
    drawn.add_column(say("server.news.claim", language), ratio=2)
    drawn.add_column(say("server.news.reason", language), ratio=4)
    claims = failed = 0
    for item in items:
        words, reasons = Text(), Text()
        for number, claim in enumerate(item.claims):
            claims += 1
            failed += not claim.holds
            mark, style = ("✓", "green") if claim.holds else ("✗", "red")
            end = "\n" if number < len(item.claims) - 1 else ""
            words.append(f"{mark} {claim.wording}{end}", style=style)
            verdict = say(f"server.news.{claim.verdict}", language)
            reasons.append(f"{claim.sentence or verdict}{end}")
        if not item.claims:
            words.append(say("server.news.no_claims", language), style="dim")
        drawn.add_row(item.day.isoformat(), item.headline, words, reasons)
    screen.print(drawn)
    for item in news:
        for refusal in item.refusals:
            line = say("server.news.stopped", language, reason=refusal)
            screen.print(
                f"✗ {item.day.isoformat()} [{item.language}] {item.headline}: {line}",
                style="red",
                markup=False,
            )
    stopped = sum(item.stops for item in news)
    code = "server.news.summary_bad" if stopped else "server.news.summary_good"
    screen.print(
        say(code, language, items=len(items), claims=claims, failed=max(failed, stopped)),
        style="red" if stopped else "green",
    )
