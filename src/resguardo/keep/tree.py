"""The Merkle tree of a journal: one root for all entries, and short proofs about any of them.

RFC 6962 section 2.1 and RFC 9162 section 2.1: SHA-256, an entry is hashed with 0x00 in front, two nodes with
0x01. `Frontier` is what an appending writer keeps; `Tree` holds all nodes and gives proofs; the `verify`
functions need neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a journal without entries."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two nodes side by side."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: enough to append and to know the root, at most 64 hashes long.

    One hash for each bit that is set in `size`, the largest subtree first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError("a frontier has one hash for each bit of its size")

    def append(self, leaf: bytes) -> Frontier:
        """The frontier with one more entry, given its leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier with more entries, given their leaf hashes."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            rest = size
            while rest & 1:
                leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
                rest >>= 1
            hashes.append(leaf)
            size += 1
        return Frontier(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    @property
    def octets(self) -> bytes:
        """The frontier as it is stored: size (8 bytes), then the hashes."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def read(cls, octets: bytes) -> Frontier:
        """The frontier that was stored."""
        if len(octets) < 8 or len(octets) % 32 != 8:
            raise ValueError("these bytes are no frontier")
        return cls(
            int.from_bytes(octets[:8], "big"),
            tuple(octets[start : start + 32] for start in range(8, len(octets), 32)),
        )


def root_of(entries: Iterable[bytes]) -> bytes:
    """The root of the journal with these entries, computed from the entries alone."""
    return Frontier().extend(leaf_hash(entry) for entry in entries).root


class Tree:
    """All complete nodes of a journal's tree, for proofs about it and about every earlier size of it."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self._levels[0]) // 32

    def append(self, leaf: bytes) -> None:
        """One more entry, given its leaf hash."""
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            nodes = self._levels[level]
            nodes += leaf
            if (len(nodes) // 32) % 2:
                return
            leaf = sha256(b"\x01" + nodes[-64:]).digest()
            level += 1

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` entries (of all, if none is named)."""
        wanted = self._known(self.size if size is None else size)
        return self._range(0, wanted) if wanted else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The path from one entry to the root of the first `size` entries, the nearest sibling first."""
        wanted = self._known(self.size if size is None else size)
        if not 0 <= index < wanted:
            raise IndexError(f"the journal has no entry {index} among its first {wanted}")
        path: list[bytes] = []
        low, high = 0, wanted
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency_proof(self, first: int, second: int | None = None) -> tuple[bytes, ...]:
        """That the first `first` entries are the beginning of the first `second` (RFC 9162, 2.1.4.1)."""
        wanted = self._known(self.size if second is None else second)
        if not 0 < first <= wanted:
            raise IndexError(f"the journal cannot grow from {first} to {wanted} entries")
        path: list[bytes] = []
        low, high, whole = 0, wanted, True
        while first != high:
            middle = low + _split(high - low)
            if first <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low, whole = middle, False
        if not whole:
            path.append(self._range(low, high))
        return tuple(reversed(path))

    def _known(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise IndexError(f"the journal has {self.size} entries, not {size}")
        return size

    def _range(self, low: int, high: int) -> bytes:
        """The root of the entries from `low` to `high`; `low` is a multiple of the largest subtree in it."""
        size = high - low
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            at = (low >> level) * 32
            return bytes(self._levels[level][at : at + 32])
        middle = low + _split(size)
        return node_hash(self._range(low, middle), self._range(middle, high))


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """True when the path leads from the leaf at that place to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, seen = index, size - 1, leaf
    for step in path:
        if last == 0 or len(step) != 32:
            return False
        if node & 1 or node == last:
            seen = node_hash(step, seen)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            seen = node_hash(seen, step)
        node, last = node >> 1, last >> 1
    return last == 0 and seen == root


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """True when the smaller journal is the beginning of the larger one (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second or any(len(step) != 32 for step in path):
        return False
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path and first_root == EMPTY_ROOT
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
