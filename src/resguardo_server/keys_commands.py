"""The commands about keys: replacing them, destroying old ones, accepting a programme."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from resguardo.plan.languages import say
from resguardo.values import Institution as InstitutionValue
from resguardo.values import Problem, Refused
from resguardo_server.terminal_help import Commands, terminal_language

if TYPE_CHECKING:
    from resguardo_keyholder.officers import Vouching
    from resguardo_keyholder.unlocking import Shares

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
        Purposes(_folder()).admit(programme, tables)
    screen.print(words("keys.admitted", programme=programme))


# Who unlocks, and how much may be opened


@keys_app.command("lock", help=words("help.keys_lock"))
def keys_lock(
    way: Annotated[str, typer.Argument(help=words("help.keys_way"))],
    renew: Annotated[bool, typer.Option("--renew", help=words("help.keys_renew"))] = False,
    needed: Annotated[int, typer.Option("--needed", help=words("help.keys_needed"))] = 3,
    sheets: Annotated[int, typer.Option("--sheets", help=words("help.keys_sheets"))] = 5,
    module: Annotated[str, typer.Option("--module", help=words("help.keys_module"))] = "",
    token: Annotated[str, typer.Option("--token", help=words("help.keys_token"))] = "",
    address: Annotated[str, typer.Option("--address", help=words("help.keys_address"))] = "",
    key: Annotated[str, typer.Option("--key", help=words("help.keys_key"))] = "resguardo",
) -> None:
    from resguardo_keyholder import unlocking

    usual = unlocking.Secrets.usual(language=LANGUAGE)
    lock: unlocking.Lock
    if way == "passphrase":
        lock = unlocking.Passphrase(_typed_twice())
    elif way == "shares":
        lock = _handed_out(unlocking.Shares.new(needed, sheets))
    elif way == "pkcs11":
        lock = unlocking.SecurityModule(module, token, usual.pin())
    elif way == "transit":
        lock = unlocking.Transit(address, key, usual.token())
    else:
        raise Refused(Problem("server.keys.no_such_way", {"way": way[:20]}))
    change = unlocking.renew if renew else unlocking.change_way
    change(_folder(), usual, lock)
    screen.print(words("keys.locked", way=way), soft_wrap=True)


def _folder() -> Path:
    from resguardo_server.place import own_folder

    told = os.environ.get("RESGUARDO_KEYHOLDER_FOLDER")
    return Path(told) if told else own_folder() / "keyholder"


def _typed_twice() -> str:
    import getpass

    first = getpass.getpass(words("keys.type"))
    if first != getpass.getpass(words("keys.type_again")):
        raise Refused(Problem("server.keys.not_the_same"))
    return first


def _handed_out(shares: Shares) -> Shares:
    """Each sheet is shown once, and confirmed by two of its words before the next."""
    import secrets as chance

    for sheet in shares.sheets:
        screen.clear()
        screen.print(sheet.printed(LANGUAGE), markup=False)
        typer.prompt(words("keys.written"), default="", show_default=False)
        screen.clear()
        for _ in range(2):
            place = chance.randbelow(len(sheet.words))
            if typer.prompt(words("keys.which_word", number=place + 1)).strip().lower() != sheet.words[place]:
                raise Refused(Problem("server.keys.wrong_word", {"sheet": str(sheet.number)}))
    return shares


@keys_app.command("officer", help=words("help.keys_officer"))
def keys_officer(name: Annotated[str, typer.Argument(help=words("help.keys_officer_name"))]) -> None:
    import secrets as chance

    from resguardo_keyholder.officers import NEEDED, Officers

    officers = Officers(_folder())
    vouching = _vouching() if len(officers.names()) >= NEEDED else []
    officers.add(name, _typed_twice(), chance.token_bytes, vouched_by=vouching)
    screen.print(words("keys.officer_added", name=name))


@keys_app.command("ceiling", help=words("help.keys_ceiling"))
def keys_ceiling(
    institution: Annotated[str, typer.Option("--institution", "-i", help=words("help.institution"))],
    hours: Annotated[int, typer.Option("--hours", help=words("help.keys_hours"))],
    member_hour: Annotated[int, typer.Option("--member-hour", help=words("help.keys_member_hour"))] = 60,
    day: Annotated[int, typer.Option("--day", help=words("help.keys_day"))] = 400,
) -> None:
    (row,) = _institutions(institution)
    from datetime import timedelta

    from resguardo_keyholder.asked import Ceilings
    from resguardo_keyholder.officers import Officers

    now = datetime.now(UTC)
    wanted = Ceilings(member_hour, day, day, until=now + timedelta(hours=hours))
    Officers(_folder()).raise_ceilings(row.id, wanted, _vouching(), now=now)
    screen.print(words("keys.raised", institution=row.slug, day=day, hours=hours), soft_wrap=True)


def _vouching() -> list[Vouching]:
    import getpass

    from resguardo_keyholder.officers import NEEDED, Vouching

    return [
        Vouching(
            typer.prompt(words("keys.officer_who", number=number)),
            getpass.getpass(words("keys.type")),
        )
        for number in range(1, NEEDED + 1)
    ]
