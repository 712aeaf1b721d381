"""That one entry is in a journal, as a file that anyone checks without asking anybody.

The text is that of c2sp.org/tlog-proof@v1: the entry's place, the path from the entry to the root, the signed
head with its witnesses' signatures. The entry itself lies in the line ``extra``: the path binds it to the
head, so one file is the whole proof. The program `resguardo.keep.verifier` checks it without our code.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from resguardo.keep.checkpoint import (
    NotACheckpoint,
    SignedCheckpoint,
    VerifierKey,
    is_signed_by,
    read_checkpoint,
)
from resguardo.keep.tree import Tree, leaf_hash, verify_inclusion
from resguardo.keep.witness import Quorum
from resguardo.values import Problem, Refused

FIRST_LINE = "c2sp.org/tlog-proof@v1"


class NotProvable(Refused):
    """The entry is not under the signed head, or the entries do not give the head's root."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(Problem(f"keep.proof.{code}", facts))


@dataclass(frozen=True)
class EntryProof:
    """That one entry is in a journal: its place, the path to the root, and the signed root."""

    index: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint
    extra: bytes | None = None
    """The entry, in the proofs that we write."""

    @property
    def text(self) -> str:
        """The proof as a file (``.tlog-proof``)."""
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(_base64(step) for step in self.path)
        return "\n".join(lines) + "\n\n" + self.signed.text

    @classmethod
    def read(cls, text: str) -> EntryProof:
        """The proof in the text; nothing in it is believed before it was verified."""
        head, gap, note = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines.pop(0) != FIRST_LINE:
            raise NotACheckpoint("not_a_proof")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = _octets(lines.pop(0)[6:])
        if not lines or not re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[0], re.ASCII):
            raise NotACheckpoint("not_a_proof")
        path = tuple(_octets(line) for line in lines[1:])
        if any(len(step) != 32 for step in path) or len(path) > 64:
            raise NotACheckpoint("not_a_proof")
        return cls(int(lines[0][6:]), path, read_checkpoint(note), extra)

    def holds(self, log: VerifierKey, *, entry: bytes | None = None, quorum: Quorum | None = None) -> bool:
        """True when the journal, and enough witnesses where a quorum is named, signed a root over the entry.

        The entry is the one that lies in the proof, unless another is named.
        """
        told = self.extra if entry is None else entry
        head = self.signed.checkpoint
        return (
            told is not None
            and head.origin == log.name
            and is_signed_by(self.signed, log)
            and (quorum is None or quorum.is_met_by(self.signed))
            and verify_inclusion(leaf_hash(told), self.index, head.size, self.path, head.root)
        )


class Prover:
    """Proves entries of one journal under one signed head; the tree is grown once for all of them."""

    def __init__(self, leaf_hashes: Iterable[bytes], signed: SignedCheckpoint) -> None:
        self.signed = signed
        self._tree = Tree()
        size = signed.checkpoint.size
        for hashed in leaf_hashes:
            if self._tree.size == size:
                break
            self._tree.append(hashed)
        if self._tree.size != size or self._tree.root() != signed.checkpoint.root:
            raise NotProvable("other_root", size=str(size))

    def prove(self, index: int, entry: bytes) -> EntryProof:
        """The proof of the entry at that place; refuses one that is not there or not under the head yet."""
        size = self.signed.checkpoint.size
        if not 0 <= index < size:
            raise NotProvable("not_under_head", entry=str(index), size=str(size))
        proof = EntryProof(index, self._tree.inclusion_proof(index), self.signed, entry)
        if not verify_inclusion(leaf_hash(entry), index, size, proof.path, self.signed.checkpoint.root):
            raise NotProvable("other_entry", entry=str(index))
        return proof


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(text: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotACheckpoint("not_a_proof") from None
    if _base64(octets) != text:
        raise NotACheckpoint("not_a_proof")
    return octets
