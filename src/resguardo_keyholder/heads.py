"""What the keyholder remembers of each journal that it signed: one that shrinks or changes is noticed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol
from uuid import UUID

from resguardo.keep.tree import Frontier


class Heads(Protocol):
    """The size and frontier that were signed last."""

    def of(self, institution: UUID) -> Frontier | None:
        """What is remembered; None for a journal never signed."""
        ...

    def remember(self, institution: UUID, frontier: Frontier) -> None:
        """From now on the journal may only grow from here."""
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
        path = self._folder / str(institution)
        draft = path.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(frontier.octets.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


class NoHeads:
    """Nothing is remembered: for a desk that lives inside a transaction which may still be undone."""

    def of(self, institution: UUID) -> Frontier | None:
        return None

    def remember(self, institution: UUID, frontier: Frontier) -> None:
        return None
