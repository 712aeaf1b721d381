"""Builds the invented region as a user would: institutions, members, files of answers, claims, news."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from resguardo.plan.languages import explain
from resguardo.plan.languages import say as sentence
from resguardo.plan.programme import BUILT_IN
from resguardo.tell.listing import read_listing
from resguardo.values import Problem, Refused
from resguardo_server.actions.allow import import_sheet
from resguardo_server.actions.members import make_institution, operator_of
from resguardo_server.actions.plan import all_programmes
from resguardo_server.actions.tell import (
    CheckedItem,
    check_news,
    import_claims,
    import_listing,
    publish_checked,
)
from resguardo_server.actions.tell.checking import checked_items
from resguardo_server.demo.accounts import PASSWORD, make_members, members_of
from resguardo_server.demo.filling import write_csv, write_kobo, write_labels
from resguardo_server.demo.protection import fill_desk
from resguardo_server.demo.rehearsal import is_built, mark_region
from resguardo_server.demo.story import Sheet, Story
from resguardo_server.reading import read_text

HERE = Path(__file__).parent
NEWS = HERE / "news"
OPEN_DATA = BUILT_IN / "counter_smuggling" / "open" / "mmp_incidents_americas.csv"

Advance = Callable[[int, int | None], None]
Say = Callable[[str], None]


def region() -> dict[str, Any]:
    """The institutions and members of the invented region."""
    return tomllib.loads((HERE / "region.toml").read_text(encoding="utf-8"))


def build_region(*, seed: int, advance: Advance, say: Say, language: str) -> list[CheckedItem]:
    """The region of that seed, its news imported, checked and published where it holds.

    A region that is there already is used as it is, whatever somebody changed in it since; its claims are
    checked again.
    """
    now = datetime.now(UTC)
    folder = Path(settings.VAR)
    if is_built(folder, seed):
        say(sentence("server.demo.already", language))
        return check_news(language=language, advance=advance, now=now)
    rows = region()
    for row in rows["institution"]:
        make_institution(row["slug"], row["name"], row["kind"], row["country"])
    say(
        sentence(
            "server.demo.institutions",
            language,
            number=len(rows["institution"]),
            countries=len({row["country"] for row in rows["institution"]}),
        )
    )
    mark_region(folder, seed, finished=False)
    settings.DEMO = True
    make_members(rows)
    _import_sheets(seed, advance=advance, say=say, language=language, now=now)
    import_claims(read_text(NEWS / "claims.toml"), file="claims.toml", now=now)
    for name in ("noticias.txt", "news.txt"):
        import_listing(read_listing(read_text(NEWS / name), file=name), file=name, now=now)
    check_news(language=language, advance=advance, now=now)
    publish_checked(now=now)
    fill_desk(now=now)
    mark_region(folder, seed, finished=True)
    return checked_items(language)


def _import_sheets(seed: int, *, advance: Advance, say: Say, language: str, now: datetime) -> None:
    """Every file of the story is written as a tool of the field would, and imported as a user would."""
    programmes = {programme.name: programme for programme in all_programmes()}
    totals: dict[tuple[str, str], list[int]] = {}
    for number, sheet in enumerate(Story(programmes, seed, now.date()).sheets()):
        path = _write(sheet, number)
        _take_in(sheet.institution, sheet.programme, sheet.form.name, path, totals, advance, language, now)
    _take_in(
        "oficina-regional", "counter_smuggling", "missing_migrants", OPEN_DATA, totals, advance, language, now
    )
    for name in sorted(programmes):
        forms = {form: kept for (programme, form), kept in totals.items() if programme == name}
        facts = {"programme": name, "kept": sum(map(sum, forms.values())), "forms": len(forms)}
        say(sentence("server.demo.imported", language, **facts))


def _write(sheet: Sheet, number: int) -> Path:
    folder = Path(settings.VAR) / "sheets" / sheet.institution
    stem = f"{number:03d}-{sheet.programme}-{sheet.form.name}"
    if sheet.style == "kobo":
        path = folder / f"{stem}.xlsx"
        write_kobo(path, sheet.form, sheet.rows)
    elif sheet.style == "labels":
        path = folder / f"{stem}.csv"
        write_labels(path, sheet.form, sheet.rows, "es")
    else:
        path = folder / f"{stem}.csv"
        write_csv(path, sheet.form, sheet.rows)
    return path


def _take_in(
    institution: str,
    programme: str,
    form: str,
    path: Path,
    totals: dict[tuple[str, str], list[int]],
    advance: Advance,
    language: str,
    now: datetime,
) -> None:
    outcome = import_sheet(
        operator_of(institution), programme, path, form_name=form, language=language, advance=advance, now=now
    )
    if outcome.refused:
        first = explain(outcome.problems[0], language) if outcome.problems else ""
        facts = {"file": path.name, "number": str(outcome.refused), "first": first}
        raise Refused(Problem("server.demo.refused", facts))
    totals.setdefault((programme, form), []).append(outcome.kept)


def sign_in_lines(language: str) -> list[str]:
    """Who may sign in, and how."""
    lines = [sentence("server.demo.accounts", language, address=settings.ADDRESS, password=PASSWORD)]
    lines += [sentence("server.demo.account", language, **row) for row in members_of(region())]
    return [*lines, sentence("server.demo.code", language)]
