"""Where the secret of a lock comes from: handed over, else the system, else a file, else a person."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from resguardo.plan.languages import FIRST_LANGUAGE, explain_all, say
from resguardo.values import Language, Problem, Refused
from resguardo_keyholder.unlocking.shares import read_share

_LONGEST_SECRET: Final = 65536
_MOST_TRIES: Final = 5

_FILE_SETTINGS: Final = {
    "passphrase": "RESGUARDO_KEYS_PASSPHRASE_FILE",
    "pin": "RESGUARDO_KEYS_PIN_FILE",
    "token": "RESGUARDO_KEYS_TOKEN_FILE",
}


@dataclass(frozen=True)
class Secrets:
    """The first of these that has it: `given`, a credential of systemd, the file of a setting, a person.

    systemd hands a credential over as ``$CREDENTIALS_DIRECTORY/passphrase``, ``pin`` or ``token``; the
    settings are ``RESGUARDO_KEYS_PASSPHRASE_FILE``, ``…_PIN_FILE`` and ``…_TOKEN_FILE``. The words of shares
    come as `given`, one sheet in a line, or from a person; they are looked for in no file.
    """

    given: str | None = field(default=None, repr=False)
    ask: Callable[[str], str] | None = None
    """Asks a person for one secret, with that sentence; None where nobody is there."""
    tell: Callable[[str], None] = lambda sentence: None
    """Tells the person what was wrong with what she typed."""
    language: Language = FIRST_LANGUAGE
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @classmethod
    def usual(cls, given: str | None = None, language: Language = FIRST_LANGUAGE) -> Secrets:
        """What a program started by hand or by the system has; a person is asked at a terminal."""
        there = sys.stdin is not None and sys.stdin.isatty()
        return cls(given, getpass.getpass if there else None, print_line, language)

    def passphrase(self, beside: Path | None = None) -> str:
        """The passphrase; `beside` is the file of one that nobody was there to keep."""
        return self._one("passphrase", beside)

    def pin(self) -> str:
        """The PIN of a security module's token."""
        return self._one("pin")

    def token(self) -> str:
        """The token for a transit engine."""
        return self._one("token")

    def shares(self, needed: int, set_number: int) -> list[str]:
        """The words of the sheets: all those given, else as many as are needed, asked for one by one.

        A person who mistypes a sheet is told at once, and asked for the same sheet again.
        """
        if self.given is not None:
            return [line for line in self.given.splitlines() if line.strip()]
        if self.ask is None:
            raise Refused(Problem("unlocking.secret.nobody_there"))
        brought: list[str] = []
        for place in range(1, needed + 1):
            brought.append(self._typed_share(self.ask, place, needed, set_number))
        return brought

    def _typed_share(self, ask: Callable[[str], str], place: int, needed: int, set_number: int) -> str:
        sentence = say("unlocking.ask.share", self.language, number=place, needed=needed, set=set_number)
        for attempt in range(_MOST_TRIES):
            typed = ask(sentence)
            try:
                read_share(typed, place, set_number)
            except Refused as refused:
                if attempt == _MOST_TRIES - 1:
                    raise
                for line in explain_all(refused, self.language):
                    self.tell(line)
            else:
                return typed
        raise AssertionError

    def _one(self, kind: str, beside: Path | None = None) -> str:
        if self.given is not None:
            return _not_empty(self.given.rstrip("\r\n"))
        if folder := self.environment.get("CREDENTIALS_DIRECTORY"):
            credential = Path(folder) / kind
            if credential.is_file():
                return _in_file(credential)
        setting = _FILE_SETTINGS[kind]
        if name := self.environment.get(setting):
            if not Path(name).is_file():
                raise Refused(Problem("unlocking.secret.no_file", {"setting": setting, "file": name}))
            return _in_file(Path(name))
        if beside is not None and beside.is_file():
            return _in_file(beside)
        if self.ask is None:
            raise Refused(Problem("unlocking.secret.nobody_there"))
        return _not_empty(self.ask(say(f"unlocking.ask.{kind}", self.language)))


def print_line(sentence: str) -> None:
    """One line for the person at the terminal, apart from what a program may read."""
    sys.stderr.write(sentence + "\n")


def secret_from_descriptor(descriptor: int) -> str:
    """What another program wrote to an open file descriptor or pipe, to its end; the descriptor is closed."""
    with os.fdopen(descriptor, "rb") as pipe:
        octets = pipe.read(_LONGEST_SECRET + 1)
    return _text(octets)


def _in_file(path: Path) -> str:
    with open(path, "rb") as file:
        return _not_empty(_text(file.read(_LONGEST_SECRET + 1)).rstrip("\r\n"))


def _text(octets: bytes) -> str:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Problem("unlocking.secret.not_text")) from None
    if len(octets) > _LONGEST_SECRET:
        raise Refused(Problem("unlocking.secret.not_text"))
    return text


def _not_empty(secret: str) -> str:
    if not secret.strip():
        raise Refused(Problem("unlocking.secret.empty"))
    return secret
