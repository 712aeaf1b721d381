"""The keyholder, asked from another process over its socket."""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from resguardo.keep.keys import BlindToken
from resguardo.values import Problem, Refused
from resguardo_keyholder import wire
from resguardo_keyholder.asked import (
    Ceilings,
    KeyVersion,
    Opening,
    Recognised,
    Released,
    SealedSheet,
    Search,
    ToSeal,
    WantedToken,
    Withheld,
    Wrapped,
)

PATIENCE = 60.0
"""Seconds that an answer may take."""


class NoKeyholder(Refused):
    """Nobody answers on the socket: nothing can be opened or sealed until the keyholder runs."""

    def __init__(self) -> None:
        super().__init__(Problem("keyholder.desk.not_running"))


class Client:
    """A line to the keyholder for each thread; a line that broke is made anew once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._lines: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def answers(self) -> bool:
        """Whether a keyholder is there."""
        try:
            self._ask("is_there")
        except Refused:
            return False
        return True

    def close(self) -> None:
        """Every line is hung up."""
        for line in list(self._lines):
            line.close()
        self._own = threading.local()

    # Every question of `asked.Keyholder`

    def has_ring(self, institution: UUID) -> bool:
        return bool(self._ask("has_ring", institution))

    def prepare(self, institution: UUID, compartment: str, *, may_be_new: bool, now: datetime) -> KeyVersion:
        found: KeyVersion = self._ask("prepare", institution, compartment, may_be_new=may_be_new, now=now)
        return found

    def tokens(self, institution: UUID, wanted: Sequence[WantedToken]) -> list[tuple[BlindToken, ...]]:
        return list(self._ask("tokens", institution, tuple(wanted)))

    def pseudonym(self, institution: UUID, member: str) -> str:
        return str(self._ask("pseudonym", institution, member))

    def seal(self, institution: UUID, sheets: Sequence[ToSeal]) -> list[SealedSheet]:
        return list(self._ask("seal", institution, tuple(sheets)))

    def marks(self, institution: UUID, keys: Sequence[Wrapped]) -> list[str]:
        return list(self._ask("marks", institution, tuple(keys)))

    def record_marks(self, institution: UUID, records: Sequence[UUID]) -> list[str]:
        return list(self._ask("record_marks", institution, tuple(records)))

    def seal_facts(self, institution: UUID, form: str, segment: UUID, version: int, content: bytes) -> bytes:
        return bytes(self._ask("seal_facts", institution, form, segment, version, content))

    def open_facts(self, institution: UUID, form: str, segment: UUID, version: int, sealed: bytes) -> bytes:
        return bytes(self._ask("open_facts", institution, form, segment, version, sealed))

    def release(self, opening: Opening, *, now: datetime) -> Released | Withheld:
        found: Released | Withheld = self._ask("release", opening, now=now)
        return found

    def search(self, search: Search, *, now: datetime) -> tuple[UUID, ...] | Withheld:
        found: tuple[UUID, ...] | Withheld = self._ask("search", search, now=now)
        return found

    def known_receipt(self, code: str) -> UUID | None:
        found: UUID | None = self._ask("known_receipt", code)
        return found

    def recognise(self, code: str, question: str, answer: str, *, now: datetime) -> Recognised | Withheld:
        found: Recognised | Withheld = self._ask("recognise", code, question, answer, now=now)
        return found

    def sign_journal(self, institution: UUID, *, now: datetime) -> str | None:
        found: str | None = self._ask("sign_journal", institution, now=now)
        return found

    def journal_key(self, institution: UUID, origin: str) -> str:
        return str(self._ask("journal_key", institution, origin))

    def cosign(self, institution: UUID, name: str, request: bytes, key: str, *, now: datetime) -> str:
        return str(self._ask("cosign", institution, name, request, key, now=now))

    def witness_key(self, institution: UUID, name: str) -> str:
        return str(self._ask("witness_key", institution, name))

    def sign(self, institution: UUID, context: str, message: bytes) -> bytes:
        return bytes(self._ask("sign", institution, context, message))

    def signature_key(self, institution: UUID) -> bytes:
        return bytes(self._ask("signature_key", institution))

    def key_versions(self, institution: UUID) -> list[KeyVersion]:
        return list(self._ask("key_versions", institution))

    def rotate(self, institution: UUID, *, now: datetime) -> list[KeyVersion]:
        return list(self._ask("rotate", institution, now=now))

    def rewrap(self, institution: UUID, keys: Sequence[Wrapped]) -> list[bytes]:
        return list(self._ask("rewrap", institution, tuple(keys)))

    def destroy(self, institution: UUID, number: int, *, now: datetime) -> None:
        self._ask("destroy", institution, number, now=now)

    def ceilings(self, institution: UUID) -> Ceilings:
        found: Ceilings = self._ask("ceilings", institution)
        return found

    # Inside

    def _ask(self, question: str, *words: Any, **named: Any) -> Any:
        asked = {"question": question, "words": words, "named": named}
        for fresh in (False, True):
            line = self._line(fresh=fresh)
            try:
                wire.send(line, asked)
                answer = wire.receive(line)
            except OSError:
                answer = None
            if answer is not None:
                break
        else:
            raise NoKeyholder
        if "refused" in answer:
            raise Refused(*answer["refused"])
        return answer["answer"]

    def _line(self, *, fresh: bool) -> socket.socket:
        held: socket.socket | None = getattr(self._own, "line", None)
        if held is not None and not fresh:
            return held
        if held is not None:
            held.close()
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(PATIENCE)
        try:
            line.connect(str(self._path))
        except OSError:
            line.close()
            self._own.line = None
            raise NoKeyholder from None
        self._own.line = line
        self._lines.add(line)
        return line
