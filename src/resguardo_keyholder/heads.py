"""What the keyholder remembers of each journal that it signed: one that shrinks or changes is noticed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import UUID

from resguardo.keep.tree import Frontier

WatchedHead = tuple[int, bytes]
"""Size and root of a head of another journal."""


class Heads(Protocol):
    """The size and frontier that were signed last, and the heads of others that were cosigned last."""

    def of(self, institution: UUID) -> Frontier | None:
        """What is remembered; None for a journal never signed."""
        ...

    def remember(self, institution: UUID, frontier: Frontier) -> None:
        """From now on the journal may only grow from here."""
        ...

    def watched(self, institution: UUID, origin: str) -> tuple[str, Sequence[WatchedHead]] | None:
        """The key of another's journal and the heads cosigned last, the newest first; None before any."""
        ...

    def remember_watched(
        self, institution: UUID, origin: str, key: str, heads: Sequence[WatchedHead]
    ) -> None:
        """From now on that journal, too, may only grow."""
        ...


class HeadsOnDisk:
    """One small file for each journal, in the keyholder's own folder, where the service cannot write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def of(self, institution: UUID) -> Frontier | None:
        path = self._folder / str(institution)
        if not path.is_file():
            return None
        frontier = Frontier.read(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        return frontier

    def remember(self, institution: UUID, frontier: Frontier) -> None:
        _write(self._folder / str(institution), frontier.octets.hex() + "\n")

    def watched(self, institution: UUID, origin: str) -> tuple[str, Sequence[WatchedHead]] | None:
        path = self._watched(institution, origin)
        if not path.is_file():
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
        return found["key"], [(size, bytes.fromhex(root)) for size, root in found["heads"]]

    def remember_watched(
        self, institution: UUID, origin: str, key: str, heads: Sequence[WatchedHead]
    ) -> None:
        told = {"origin": origin, "key": key, "heads": [[size, root.hex()] for size, root in heads]}
        _write(self._watched(institution, origin), json.dumps(told, indent=1) + "\n")

    def _watched(self, institution: UUID, origin: str) -> Path:
        return self._folder / f"{institution}-{sha256(origin.encode()).hexdigest()[:32]}"


class NoHeads:
    """Nothing is remembered: for a desk that lives inside a transaction which may still be undone."""

    def of(self, institution: UUID) -> Frontier | None:
        return None

    def remember(self, institution: UUID, frontier: Frontier) -> None:
        return None

    def watched(self, institution: UUID, origin: str) -> tuple[str, Sequence[WatchedHead]] | None:
        return None

    def remember_watched(
        self, institution: UUID, origin: str, key: str, heads: Sequence[WatchedHead]
    ) -> None:
        return None


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
