"""The key rings of the institutions of this installation: files beside the database, never in it.

Each institution has one file that its owner alone can read. This is the in-process keyholder; the rest of the
service asks for `ring_of` and never for a file, so that another process can answer later.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from resguardo.keep.keys import KeyRing, new_key_ring
from resguardo_server.place import write_private

_open_rings: dict[Path, tuple[int, KeyRing]] = {}


def _path(institution: UUID) -> Path:
    return Path(settings.VAR) / "keys" / f"{institution}.json"


@contextmanager
def _alone() -> Iterator[None]:
    """No other process changes a key ring meanwhile."""
    folder = Path(settings.VAR) / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _network_record_key() -> bytes:
    """The key from which the noise of counts comes; institutions that publish one table together share it."""
    path = Path(settings.VAR) / "keys" / "network-record-key"
    if not path.is_file():
        write_private(path, secrets.token_bytes(32))
    return path.read_bytes()


def has_ring(institution: UUID) -> bool:
    """Whether the institution's key file is in its place."""
    return _path(institution).is_file()


def ring_of(institution: UUID) -> KeyRing:
    """The institution's key ring; made with fresh keys the first time that it is asked for."""
    path = _path(institution)
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        with _alone():
            if not path.is_file():
                ring = new_key_ring(institution, secrets.token_bytes, record_key=_network_record_key())
                write_private(path, ring.to_file())
        changed = path.stat().st_mtime_ns
    held = _open_rings.get(path)
    if held is None or held[0] != changed:
        held = (changed, KeyRing.from_file(path.read_bytes()))
        _open_rings[path] = held
    return held[1]


def ring_with_compartment(institution: UUID, compartment: str, now: datetime) -> KeyRing:
    """The institution's ring, able to wrap keys of that compartment."""
    ring = ring_of(institution)
    if ring.has_compartment(compartment):
        return ring
    with _alone():
        _open_rings.pop(_path(institution), None)
        ring = ring_of(institution).with_compartment(compartment, secrets.token_bytes, now)
        write_private(_path(institution), ring.to_file())
    return ring_of(institution)
