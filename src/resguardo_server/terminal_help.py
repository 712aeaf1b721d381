"""The help of each command, and what is said of one that cannot be understood, in the person's language."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from resguardo.plan.languages import say
from resguardo.values import LANGUAGES, Problem, Refused

PROGRAM = "resguardo"

_FIXED = (
    (r"^Usage: ", "usage"),
    (r"^Arguments:$", "arguments"),
    (r"^Options:$", "options"),
    (r"^Commands:$", "commands"),
    (r"\[OPTIONS\]", "options_here"),
    (r"COMMAND \[ARGS\]\.\.\.", "command_here"),
    (r"\[required\]", "required"),
    (r"\[default:(?= |$)", "default"),
    (r"Show this message and exit\.", "this_help"),
)
"""What Typer says in English on every page of help."""

_KINDS = re.compile(r"<(?:list\[)?(str|path|int)\]?>", re.IGNORECASE)


def terminal_language() -> str:
    """The language of the person at the terminal: `RESGUARDO_LANGUAGE`, else the locale's, else Spanish."""
    for name in ("RESGUARDO_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        told = os.environ.get(name, "")[:2].lower()
        if told in LANGUAGES:
            return told
    system = (locale.getlocale()[0] or "")[:2].lower()
    return system if system in LANGUAGES else "es"


def spoken(page: str, language: str) -> str:
    """A page of help with the words that Typer adds in the person's language."""
    for english, key in _FIXED:
        page = re.sub(english, say(f"server.terminal.{key}", language), page, flags=re.MULTILINE)

    def kind(found: re.Match[str]) -> str:
        # As wide as what it replaces: the columns stay where they are.
        return say(f"server.terminal.{found[1].lower()}", language).ljust(len(found[0]))

    return "\n".join(line.rstrip() for line in _KINDS.sub(kind, page).split("\n"))


class Command(TyperCommand):
    """A command whose help speaks the person's language and is not cut short in the list of commands."""

    def get_help(self, ctx: Any) -> str:
        """The page of help."""
        return spoken(super().get_help(ctx), terminal_language())

    def get_short_help_str(self, limit: int = 45) -> str:
        """The sentence of the command, whole."""
        return self.help or ""


class Group(TyperGroup):
    """Commands under one name, as `Command`."""

    def get_help(self, ctx: Any) -> str:
        """The page of help."""
        return spoken(super().get_help(ctx), terminal_language())

    def get_short_help_str(self, limit: int = 45) -> str:
        """The sentence of the group, whole."""
        return self.help or ""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; refuses one that does not exist, naming those there are."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            facts = {"name": args[0][:60], "known": ", ".join(self.commands), "command": ctx.command_path}
            raise Refused(Problem("server.terminal.no_command", facts))
        return super().resolve_command(ctx, args)


class Commands(typer.Typer):
    """Commands that help and refuse in the person's language."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, no_args_is_help=True, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Makes the function that follows a command."""
        return super().command(name, cls=Command, **settings)


def misspelt(wrong: TyperException) -> Problem:
    """What is wrong with the words of a command, and where its help is."""
    context, asked = getattr(wrong, "ctx", None), getattr(wrong, "param", None)
    facts = {"command": context.command_path if context else PROGRAM}
    option = getattr(wrong, "option_name", None)
    kind = type(wrong).__name__
    if asked is not None:
        facts["name"] = asked.opts[0] if asked.param_type_name == "option" else asked.name
        return Problem(f"server.terminal.{'missing' if kind == 'MissingParameter' else 'bad_value'}", facts)
    if option:
        return Problem(
            f"server.terminal.{'no_option' if kind == 'NoSuchOption' else 'bad_value'}",
            facts | {"name": str(option)[:60]},
        )
    return Problem("server.terminal.not_understood", facts)
