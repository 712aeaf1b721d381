"""The keyholder's socket: the operating system says who asks, and each question is answered alone."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from resguardo.values import Problem, Refused
from resguardo_keyholder import wire
from resguardo_keyholder.desk import Desk

QUESTIONS: Final = frozenset(
    {
        "has_ring", "prepare", "tokens", "pseudonym", "seal", "marks", "record_marks", "seal_facts",
        "open_facts", "release", "search", "known_receipt", "recognise",
        "sign_journal", "journal_key", "cosign",
        "witness_key", "sign", "signature_key", "key_versions", "rotate", "rewrap", "destroy",
        "ceilings",
    }
)  # fmt: skip
"""What the service may ask."""

MOST_LINES: Final = 200
"""Lines that are open at once; each is a thread. The service needs one for each of its own."""

Clock = Callable[[], datetime]


def own_clock() -> datetime:
    """The moment on this machine's clock."""
    return datetime.now(UTC)


class Listening:
    """The desk behind a Unix socket.

    The moment of a question is that of the clock here, whatever the asker says: else a service that was taken
    over would let the day of a budget pass, or ask on a day on which a permit was still good.
    """

    def __init__(
        self, desk: Desk, path: Path, accounts: Collection[int] = (), *, clock: Clock | None = own_clock
    ) -> None:
        """Without a clock the asker's is believed: for the tests, whose day never ends."""
        self._desk = desk
        self._clock = clock
        self._places = threading.BoundedSemaphore(MOST_LINES)
        self._path = path
        self._accounts = {os.geteuid(), 0, *accounts}
        path.unlink(missing_ok=True)
        before = os.umask(0o117)
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.bind(str(path))
        finally:
            os.umask(before)
        self._made = path.stat().st_ino
        self._socket.listen(64)

    def answer_for_ever(self) -> None:
        """Every line that is opened is answered, each in a thread of its own."""
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                if self._socket.fileno() < 0:
                    return
                time.sleep(0.1)  # no file is left to open: some line will end
                continue
            if not self._places.acquire(blocking=False):
                line.close()
                continue
            try:
                threading.Thread(target=self._answer, args=(line,), daemon=True).start()
            except RuntimeError:
                self._places.release()
                line.close()

    def close(self) -> None:
        """Nobody is answered any more; a socket that another keyholder put in its place meanwhile stays."""
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._made:
                self._path.unlink()
        self._socket.close()

    def _answer(self, line: socket.socket) -> None:
        try:
            self._answer_all(line)
        finally:
            self._places.release()

    def _answer_all(self, line: socket.socket) -> None:
        with line:
            if _account_of(line) not in self._accounts:
                return
            while True:
                try:
                    asked = wire.receive(line)
                    if asked is None:
                        return
                    answer = self._answered(asked)
                except (OSError, wire.NotUnderstood):
                    return
                try:
                    wire.send(line, answer)
                except OSError:
                    return

    def _answered(self, asked: Any) -> dict[str, Any]:
        try:
            question, words, named = asked["question"], asked["words"], asked["named"]
        except (TypeError, KeyError):
            return {"refused": (Problem("keyholder.desk.not_understood"),)}
        if not (isinstance(question, str) and isinstance(words, tuple) and isinstance(named, dict)):
            return {"refused": (Problem("keyholder.desk.not_understood"),)}
        if question == "is_there":
            return {"answer": True}
        if question not in QUESTIONS:
            return {"refused": (Problem("keyholder.desk.not_understood"),)}
        if "now" in named and self._clock is not None:
            named = {**named, "now": self._clock()}
        try:
            return {"answer": getattr(self._desk, question)(*words, **named)}
        except Refused as refused:
            return {"refused": refused.problems}
        except Exception as fault:
            # What went wrong and where, never a value: a key could be in one.
            place = fault.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
            sys.stderr.write(f"keyholder: {question}: {type(fault).__name__} at {where}\n")
            return {"refused": (Problem("keyholder.desk.fault", {"kind": type(fault).__name__}),)}


def _account_of(line: socket.socket) -> int:
    """The account at the other end, as the kernel says it."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.geteuid()  # macOS: the socket's own permissions are the guard
    octets = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    account: int = struct.unpack("3i", octets)[1]
    return account
