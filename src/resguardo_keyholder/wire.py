"""Questions and answers on the socket: a length of four bytes, then JSON in which every value says its kind.

Only the values of `resguardo_keyholder.asked` and what they are made of can be written or read: no code, no
class by name, nothing that the other side chooses.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from resguardo.keep.keys import BlindToken, IndexField
from resguardo.keep.sealing import GroupKey
from resguardo.values import Basis, Permit, Problem, Refused, Sensitivity
from resguardo_keyholder import asked

MOST_BYTES: Final = 256 * 1024 * 1024
"""A longer question is none: the facts of a large form are the longest there are."""

_VALUES: Final = {
    kind.__name__: kind
    for kind in (
        asked.Wrapped,
        asked.ToSeal,
        asked.SealedSheet,
        asked.WantedToken,
        asked.Opening,
        asked.Search,
        asked.Released,
        asked.Withheld,
        asked.Recognised,
        asked.KeyVersion,
        asked.Ceilings,
        BlindToken,
        GroupKey,
        Permit,
        Problem,
    )
}
_WORDS: Final = {"IndexField": IndexField, "Basis": Basis, "Sensitivity": Sensitivity}


class NotUnderstood(Refused):
    """The bytes on the socket are no question and no answer."""

    def __init__(self) -> None:
        super().__init__(Problem("keyholder.desk.not_understood"))


def written(value: Any) -> Any:
    """The value as JSON can hold it."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is bytes:
        return {"b": base64.b64encode(value).decode("ascii")}
    if kind is UUID:
        return {"u": value.hex}
    if kind is datetime:
        return {"t": value.astimezone(UTC).isoformat()}
    if kind.__name__ in _WORDS:
        return {"w": kind.__name__, "v": str(value.value)}
    if kind in (list, tuple):
        return [written(item) for item in value]
    if kind is frozenset:
        return {"s": [written(item) for item in sorted(value)]}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {"m": [[written(key), written(item)] for key, item in value.items()]}
    if kind.__name__ in _VALUES:
        members = {part.name: written(getattr(value, part.name)) for part in dataclasses.fields(value)}
        return {"c": kind.__name__, "f": members}
    raise TypeError(kind.__name__)


def read(value: Any) -> Any:
    """The value that was written; lists come as tuples."""
    if isinstance(value, list):
        return tuple(read(item) for item in value)
    if not isinstance(value, dict):
        return value
    try:
        if "b" in value:
            return base64.b64decode(value["b"], validate=True)
        if "u" in value:
            return UUID(value["u"])
        if "t" in value:
            return datetime.fromisoformat(value["t"])
        if "w" in value:
            kind = _WORDS[value["w"]]
            return kind(int(value["v"])) if kind is IndexField else kind(value["v"])
        if "s" in value:
            return frozenset(read(item) for item in value["s"])
        if "m" in value:
            return {read(key): read(item) for key, item in value["m"]}
        return _VALUES[value["c"]](**{name: read(item) for name, item in value["f"].items()})
    except (KeyError, TypeError, ValueError):
        raise NotUnderstood from None


def send(line: socket.socket, value: Any) -> None:
    """The value is on its way."""
    octets = json.dumps(written(value), separators=(",", ":"), ensure_ascii=True).encode("ascii")
    line.sendall(len(octets).to_bytes(4, "big") + octets)


def receive(line: socket.socket) -> Any:
    """The next value; None when the other side has hung up."""
    head = _exactly(line, 4)
    if head is None:
        return None
    length = int.from_bytes(head, "big")
    if length > MOST_BYTES:
        raise NotUnderstood
    octets = _exactly(line, length)
    if octets is None:
        return None
    try:
        return read(json.loads(octets))
    except (ValueError, RecursionError):
        raise NotUnderstood from None


def _exactly(line: socket.socket, length: int) -> bytes | None:
    parts: list[bytes] = []
    while length:
        part = line.recv(min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
