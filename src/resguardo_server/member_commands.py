"""The commands about the people who sign in: who may, in which role, and what to do when one cannot."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from resguardo.plan.languages import say
from resguardo_server.terminal_help import Commands, terminal_language

LANGUAGE = terminal_language()
screen = Console(highlight=False)


def words(key: str, **facts: object) -> str:
    """A sentence of the command line in the person's language."""
    return say(f"server.{key}", LANGUAGE, **facts)


member_app = Commands(help=words("help.member"), rich_markup_mode=None)
Email = Annotated[str, typer.Argument(help=words("help.member_email"))]
Slug = Annotated[str, typer.Argument(help=words("help.institution_slug"))]


def _tables() -> None:
    from resguardo_server.cli import set_up_tables

    set_up_tables()


@member_app.command("new", help=words("help.member_new"))
def member_new(
    email: Email,
    name: Annotated[str, typer.Option("--name", help=words("help.member_name"))],
    institution: Annotated[str, typer.Option("--institution", "-i", help=words("help.institution"))],
    role: Annotated[list[str], typer.Option("--role", "-r", help=words("help.member_role"))],
) -> None:
    _tables()
    from resguardo_server.actions.members import add_member

    password = secrets.token_urlsafe(15)
    made = add_member(email, name, institution, role, password)
    if made:
        screen.print(words("member.made", email=email, password=password), markup=False, soft_wrap=True)
    else:
        screen.print(words("member.roles_added", email=email), soft_wrap=True)


@member_app.command("list", help=words("help.member_list"))
def member_list() -> None:
    _tables()
    from resguardo_server.actions.members import member_lines

    for line in member_lines():
        screen.print(line, markup=False, soft_wrap=True)


@member_app.command("unlock", help=words("help.member_unlock"))
def member_unlock(email: Email) -> None:
    _tables()
    from resguardo_server.pages.lock_out import forget

    forget(email)
    screen.print(words("member.unlocked", email=email))


@member_app.command("lost", help=words("help.member_lost"))
def member_lost(email: Email) -> None:
    _tables()
    from resguardo_server.actions.members import forget_factors

    password = secrets.token_urlsafe(15)
    forget_factors(email, password)
    screen.print(words("member.begins_anew", email=email, password=password), markup=False, soft_wrap=True)


@member_app.command("close", help=words("help.member_close"))
def member_close(email: Email) -> None:
    _tables()
    from resguardo_server.actions.members import close_account

    close_account(email)
    screen.print(words("member.closed", email=email))


@member_app.command("oidc", help=words("help.member_oidc"))
def member_oidc(
    institution: Slug,
    issuer: Annotated[str, typer.Option("--issuer", help=words("help.oidc_issuer"))],
    client: Annotated[str, typer.Option("--client", help=words("help.oidc_client"))],
    secret_file: Annotated[Path, typer.Option("--secret-file", help=words("help.oidc_secret"))],
    domain: Annotated[list[str] | None, typer.Option("--domain", help=words("help.oidc_domain"))] = None,
    acr: Annotated[list[str] | None, typer.Option("--acr", help=words("help.oidc_acr"))] = None,
) -> None:
    _tables()
    from resguardo_server.actions.members import InstitutionSignIn, set_institution_sign_in
    from resguardo_server.reading import read_text

    how = InstitutionSignIn(
        issuer, client, read_text(secret_file).strip(), tuple(domain or ()), tuple(acr or ())
    )
    set_institution_sign_in(institution, how)
    screen.print(words("member.oidc_set", institution=institution), soft_wrap=True)


@member_app.command("oidc-end", help=words("help.member_oidc_end"))
def member_oidc_end(institution: Slug) -> None:
    _tables()
    from resguardo_server.actions.members import end_institution_sign_in

    end_institution_sign_in(institution)
    screen.print(words("member.oidc_ended", institution=institution), soft_wrap=True)
