"""The commands about keys: replacing them, destroying old ones, accepting a programme."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from resguardo.plan.languages import say
from resguardo.values import Institution as InstitutionValue
from resguardo.values import Problem, Refused
from resguardo_server.terminal_help import Commands, terminal_language

LANGUAGE = terminal_language()
screen = Console(highlight=False)


def words(key: str, **facts: object) -> str:
    """A sentence of the command line in the person's language."""
    return say(f"server.{key}", LANGUAGE, **facts)


keys_app = Commands(help=words("help.keys"), rich_markup_mode=None)
Institution = Annotated[str | None, typer.Option("--institution", "-i", help=words("help.institution"))]


def _institutions(slug: str | None) -> list[InstitutionValue]:
    from resguardo_server.cli import set_up_tables

    set_up_tables()
    from resguardo_server.actions.members import all_institutions

    found = [row for row in all_institutions() if slug in (None, row.slug)]
    if not found:
        known = ", ".join(row.slug for row in all_institutions())
        raise Refused(Problem("server.said.unknown_institution", {"name": slug or "", "known": known}))
    return found


@keys_app.command("list", help=words("help.keys_list"))
def keys_list(institution: Institution = None) -> None:
    rows = _institutions(institution)
    from resguardo_server.actions.keep.rotation import key_versions

    for row in rows:
        for line in key_versions(row, language=LANGUAGE):
            screen.print(line, markup=False, soft_wrap=True)


@keys_app.command("rotate", help=words("help.keys_rotate"))
def keys_rotate(institution: Institution = None) -> None:
    rows = _institutions(institution)
    from resguardo_server.actions.keep.rotation import rotate_keys
    from resguardo_server.cli import progress

    for row in rows:
        with progress(words("keys.rotating", institution=row.slug)) as advance:
            done = rotate_keys(row, advance=advance, now=datetime.now(UTC))
        facts = {"institution": row.slug, "compartments": done.compartments, "subjects": done.subjects}
        screen.print(words("keys.rotated", **facts), soft_wrap=True)


@keys_app.command("destroy", help=words("help.keys_destroy"))
def keys_destroy(institution: Institution = None) -> None:
    rows = _institutions(institution)
    from resguardo_server.actions.keep.rotation import destroy_old_keys

    for row in rows:
        numbers = destroy_old_keys(row, now=datetime.now(UTC))
        text = ", ".join(map(str, numbers)) or "0"
        screen.print(words("keys.destroyed", institution=row.slug, numbers=text), soft_wrap=True)


@keys_app.command("admit", help=words("help.keys_admit"))
def keys_admit(programme: Annotated[str, typer.Argument(help=words("help.import_programme"))]) -> None:
    _institutions(None)
    from django.conf import settings

    from resguardo_keyholder.purposes import Purposes
    from resguardo_keyholder.store import store_of

    store = store_of(os.environ.get("DATABASE_URL") or str(settings.DATABASES["default"]["NAME"]))
    with store.transaction() as tables:
        Purposes(Path(settings.KEYHOLDER).parent).admit(programme, tables)
    screen.print(words("keys.admitted", programme=programme))
