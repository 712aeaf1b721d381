"""Questions and answers on the socket: four bytes of length, then JSON where values of one kind lie together.

Many values of one kind are one *column*: their kind, then what they hold, member by member, the bytes of all
in one piece. A single value is a column of one. Only the values of `resguardo_keyholder.asked` and what they
are made of can be written or read: no code, no class by name, nothing that the other side chooses.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, StrEnum
from itertools import chain
from operator import attrgetter
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
_MEMBERS: Final = {kind: tuple(part.name for part in dataclasses.fields(kind)) for kind in _VALUES.values()}
_WORDS: Final[dict[str, type[Enum]]] = {"IndexField": IndexField, "Basis": Basis, "Sensitivity": Sensitivity}
_WORDS_BY_VALUE: Final = {name: {word.value: word for word in kind} for name, kind in _WORDS.items()}
_PLAIN: Final = (bool, int, str, type(None))


class NotUnderstood(Refused):
    """The bytes on the socket are no question and no answer."""

    def __init__(self) -> None:
        super().__init__(Problem("keyholder.desk.not_understood"))


def written(values: Sequence[Any]) -> list[Any]:
    """The column of these values as JSON can hold it: its kind, then what it needs to be read again."""
    kinds = set(map(type, values))
    if kinds.issubset(_PLAIN):
        return ["plain", list(values)]
    if len(kinds) == 2 and type(None) in kinds:
        there = [value is not None for value in values]
        return ["or_none", there, written([value for value in values if value is not None])]
    if len(kinds) > 1:
        return ["mixed", [written((value,)) for value in values]]
    (kind,) = kinds
    if kind is bytes:
        return ["bytes", list(map(len, values)), base64.b64encode(b"".join(values)).decode("ascii")]
    if kind is UUID:
        return ["id", "".join([value.hex for value in values])]
    if kind is datetime:
        return ["moment", [value.astimezone(UTC).isoformat() for value in values]]
    if kind.__name__ in _WORDS:
        return ["word", kind.__name__, [value.value for value in values]]
    if kind is frozenset:
        values = [sorted(value) for value in values]
        return ["set", list(map(len, values)), written(_flat(values))]
    if kind in (list, tuple):
        return ["row", list(map(len, values)), written(_flat(values))]
    if issubclass(kind, Mapping):
        items = _flat(value.items() for value in values)
        names, held = [name for name, _ in items], [value for _, value in items]
        return ["map", list(map(len, values)), written(names), written(held)]
    if issubclass(kind, StrEnum):
        return ["plain", [value.value for value in values]]
    if kind in _MEMBERS:
        members = [written(list(map(attrgetter(name), values))) for name in _MEMBERS[kind]]
        return ["value", kind.__name__, members]
    raise TypeError(kind.__name__)


def _flat(rows: Iterable[Iterable[Any]]) -> list[Any]:
    return list(chain.from_iterable(rows))


def read(column: list[Any]) -> list[Any]:
    """The values of a column that was written; lists come as tuples."""
    try:
        return _read(*column)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise NotUnderstood from None


def _read(kind: str, *parts: Any) -> list[Any]:
    first = parts[0]
    if kind == "plain":
        if not set(map(type, first)).issubset(_PLAIN):
            raise NotUnderstood
        return list(first)
    if kind == "or_none":
        held = _read(*parts[1])
        if sum(map(bool, first)) != len(held):
            raise NotUnderstood
        following = iter(held)
        return [next(following) if there else None for there in first]
    if kind == "mixed":
        return [value for column in first for value in _alone(_read(*column))]
    if kind == "bytes":
        return _cut(base64.b64decode(parts[1], validate=True), first)
    if kind == "id":
        return [UUID(first[start : start + 32]) for start in range(0, len(first), 32)]
    if kind == "moment":
        return list(map(datetime.fromisoformat, first))
    if kind == "word":
        return list(map(_WORDS_BY_VALUE[first].__getitem__, parts[1]))
    if kind == "set":
        return list(map(frozenset, _cut(_read(*parts[1]), first)))
    if kind == "row":
        return list(map(tuple, _cut(_read(*parts[1]), first)))
    if kind == "map":
        names, held = _cut(_read(*parts[1]), first), _cut(_read(*parts[2]), first)
        return [dict(zip(*pair, strict=True)) for pair in zip(names, held, strict=True)]
    if kind == "value":
        return list(map(_VALUES[first], *_even([_read(*column) for column in parts[1]])))
    raise NotUnderstood


def _cut(whole: Any, lengths: Sequence[int]) -> list[Any]:
    """The pieces of that many signs, which must be all of it."""
    pieces, place = [], 0
    for length in lengths:
        if type(length) is not int or length < 0:
            raise NotUnderstood
        pieces.append(whole[place : place + length])
        place += length
    if place != len(whole):
        raise NotUnderstood
    return pieces


def _alone(column: list[Any]) -> list[Any]:
    if len(column) != 1:
        raise NotUnderstood
    return column


def _even(columns: list[list[Any]]) -> list[list[Any]]:
    """Columns that are all equally long: no member of a value is left out."""
    if len(set(map(len, columns))) != 1:
        raise NotUnderstood
    return columns


def send(line: socket.socket, value: Any) -> None:
    """The value is on its way."""
    octets = json.dumps(written((value,)), separators=(",", ":")).encode("ascii")
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
        (value,) = read(json.loads(octets))
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    return value


def _exactly(line: socket.socket, length: int) -> bytes | None:
    parts: list[bytes] = []
    while length:
        part = line.recv(min(length, 1 << 20))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
