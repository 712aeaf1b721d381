"""The key rings of the institutions: sealed files in the keyholder's folder, open in its memory alone."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from resguardo.keep.keys import KeyRing, new_key_ring
from resguardo.values import Chance, Problem, Refused
from resguardo_keyholder.identity import Identity
from resguardo_keyholder.private_files import alone, write_whole

RECIPIENT: Final = "recipient"
RINGS: Final = "rings"
NETWORK_RECORD_KEY: Final = "network-record-key.age"

CHANGING: Final = "changing"
COMPLETE: Final = "complete"
"""In the folder `CHANGING` a change of several files waits; once this file is there too, it will be made."""


_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class _Held:
    stamp: _Stamp
    ring: KeyRing


class Rings:
    """The rings of one folder, opened with the identity that they are sealed for.

    Who changes a ring reads it with `of`, makes the new one, and hands it to `put`, one change at a time
    within a process. Between processes the folder's lock and `put` see to it: a ring that another process
    changed after it was read here is not written over.
    """

    def __init__(self, folder: Path, identity: Identity, chance: Chance = secrets.token_bytes) -> None:
        self._folder = folder
        self._identity: Identity | None = identity
        self._chance = chance
        self._held: dict[UUID, _Held] = {}
        self._turn = threading.RLock()
        (folder / RINGS).mkdir(mode=0o700, exist_ok=True)

    def has(self, institution: UUID) -> bool:
        """Whether the institution's ring is here."""
        return self._path(institution).is_file()

    def institutions(self) -> tuple[UUID, ...]:
        """Whose rings are here, in a steady order."""
        return tuple(sorted(UUID(path.stem) for path in (self._folder / RINGS).glob("*.age")))

    def of(self, institution: UUID) -> KeyRing:
        """The institution's ring; made with fresh keys the first time that it is asked for."""
        with self._turn:
            stamp = _stamp(self._path(institution))
            if stamp is None:
                with alone(self._folder):
                    if not self.has(institution):
                        record_key = self._network_record_key()
                        self._write(new_key_ring(institution, self._chance, record_key=record_key))
                stamp = _stamp(self._path(institution))
            held = self._held.get(institution)
            if self._identity is None or held is None or held.stamp != stamp:
                held = self._read(institution)
            return held.ring

    def put(self, ring: KeyRing) -> None:
        """The ring is in its place, whole; the older one stayed there until this one was read back.

        Refuses to write over a ring that was not read here, or that somebody changed since it was.
        """
        with self._turn, alone(self._folder):
            held = self._held.get(ring.institution)
            if _stamp(self._path(ring.institution)) != (held.stamp if held else None):
                self._held.pop(ring.institution, None)
                raise Refused(Problem("unlocking.rings.changed_meanwhile", {"ring": str(ring.institution)}))
            self._write(ring)

    def forget(self) -> None:
        """Nothing opens here any more: the identity and the open rings are let go of."""
        with self._turn:
            self._identity = None
            self._held.clear()

    def sealed_for(self, identity: Identity) -> dict[str, bytes]:
        """Every file here, by its path in the folder, sealed for another identity; nothing is changed."""
        with self._turn:
            files = {
                f"{RINGS}/{institution}.age": identity.seal(
                    f"{institution}.age", self._read(institution).ring.to_file()
                )
                for institution in self.institutions()
            }
            network = self._folder / NETWORK_RECORD_KEY
            if network.is_file():
                content = self._open_with().open(NETWORK_RECORD_KEY, network.read_bytes())
                files[NETWORK_RECORD_KEY] = identity.seal(NETWORK_RECORD_KEY, content)
            return files

    # Inside

    def _path(self, institution: UUID) -> Path:
        return self._folder / RINGS / f"{institution}.age"

    def _open_with(self) -> Identity:
        if self._identity is None:
            raise Refused(Problem("unlocking.rings.locked"))
        return self._identity

    def _read(self, institution: UUID) -> _Held:
        path = self._path(institution)
        stamp = _stamp(path)
        if stamp is None:
            raise Refused(Problem("unlocking.rings.damaged", file=path.name))
        held = _Held(stamp, self._ring_in(path.name, path.read_bytes(), institution))
        self._held[institution] = held
        return held

    def _ring_in(self, name: str, sealed: bytes, institution: UUID) -> KeyRing:
        ring = KeyRing.from_file(self._open_with().open(name, sealed))
        if ring.institution != institution:
            raise Refused(Problem("unlocking.rings.not_from_here", file=name))
        return ring

    def _write(self, ring: KeyRing) -> None:
        """Under the folder's lock."""
        identity = self._open_with()
        if recipient_of(self._folder) != identity.recipient or (self._folder / CHANGING / COMPLETE).exists():
            raise Refused(Problem("unlocking.rings.renewed"))
        path = self._path(ring.institution)
        content = ring.to_file()

        def opens(sealed: bytes) -> None:
            if self._ring_in(path.name, sealed, ring.institution).to_file() != content:
                raise Refused(Problem("unlocking.folder.not_written", file=path.name))

        write_whole(path, identity.seal(path.name, content), opens)
        stamp = _stamp(path)
        if stamp is not None:
            self._held[ring.institution] = _Held(stamp, ring)

    def _network_record_key(self) -> bytes:
        """The key from which the noise of counts comes; institutions that publish tables together share it.

        Where its file was lost, a ring that is here still has it: a second key would undo the first's noise.
        """
        path = self._folder / NETWORK_RECORD_KEY
        if path.is_file():
            return self._open_with().open(path.name, path.read_bytes())
        others = self.institutions()
        key = self._read(others[0]).ring.record_key if others else self._chance(32)
        self._write_network_record_key(key)
        return key

    def _write_network_record_key(self, key: bytes) -> None:
        identity = self._open_with()

        def opens(sealed: bytes) -> None:
            if identity.open(NETWORK_RECORD_KEY, sealed) != key:
                raise Refused(Problem("unlocking.folder.not_written", file=NETWORK_RECORD_KEY))

        write_whole(self._folder / NETWORK_RECORD_KEY, identity.seal(NETWORK_RECORD_KEY, key), opens)


def recipient_of(folder: Path) -> str:
    """Whom the rings of the folder are sealed for, ``age1…``."""
    try:
        return (folder / RECIPIENT).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        raise Refused(Problem("unlocking.folder.damaged", file=RECIPIENT)) from None


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size)
