"""Answers become bytes that mean nothing without their subject's key and fit in one place only.

One group of answers (identifiers, quasi-identifiers, sensitive, plain) of one record is sealed as one piece:
AES-256-GCM under a key derived from the subject's key, with a commitment to that key in front, and bound to
the institution, the subject, the record, the group, the record's version and the key's version. The bytes are
described for another implementer in ``docs/formats.md``. Sealing is here; opening is in
`resguardo.keep.opening` alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from resguardo.keep.keys import KeyRefused, SubjectKey
from resguardo.values import Problem, Refused, Sealed, Sensitivity

OVERHEAD: Final = 48
"""How many bytes a sealed group is longer than its text."""

HEADER: Final = 32
"""Format 1, algorithm 1, key version 2, commitment 16, nonce 12."""

FORMAT: Final = 1
AES_256_GCM: Final = 1


class SealBroken(Refused):
    """The bytes were changed, belong to another place or version, or the key is another."""

    def __init__(self) -> None:
        super().__init__(Problem("keep.sealing.broken"))


@dataclass(frozen=True, repr=False, slots=True)
class GroupKey:
    """The key that opens one group of one subject's records and no other group."""

    group: Sensitivity
    octets: bytes
    commitment: bytes

    def __repr__(self) -> str:
        return "GroupKey(hidden)"


def group_key(subject_key: SubjectKey, group: Sensitivity) -> GroupKey:
    """The key of one group: what a keyholder may give out instead of the whole subject key."""
    derived = HKDFExpand(SHA256(), 48, b"rg1/field/%d" % group.group).derive(subject_key.octets)
    return GroupKey(group, derived[:32], derived[32:])


def seal_group(
    subject_key: SubjectKey,
    *,
    institution: UUID,
    subject: UUID,
    record: UUID,
    group: Sensitivity,
    row_version: int,
    key_version: int,
    text: bytes,
    nonce: bytes,
) -> Sealed:
    """The text sealed in its place. The nonce is twelve bytes of chance, never used twice with one key."""
    if len(nonce) != 12:
        raise KeyRefused("nonce")
    key = group_key(subject_key, group)
    bound = place(institution, subject, record, group, row_version, key_version)
    sealed = AESGCM(key.octets).encrypt(nonce, text, bound)
    head = bytes((FORMAT, AES_256_GCM)) + key_version.to_bytes(2, "big")
    return Sealed(head + key.commitment + nonce + sealed)


def place(
    institution: UUID, subject: UUID, record: UUID, group: Sensitivity, row_version: int, key_version: int
) -> bytes:
    """Where a sealed group belongs, as the 61 bytes that it is bound to."""
    if not (0 <= row_version <= 0xFFFFFFFF and 0 <= key_version <= 0xFFFF):
        raise KeyRefused("number")
    return b"".join(
        (
            b"rg1",
            institution.bytes,
            subject.bytes,
            record.bytes,
            group.group.to_bytes(4, "big"),
            row_version.to_bytes(4, "big"),
            key_version.to_bytes(2, "big"),
        )
    )


def key_version_of(sealed: Sealed) -> int:
    """Which version of the subject's key a sealed group needs."""
    if len(sealed.octets) < OVERHEAD:
        raise SealBroken
    return int.from_bytes(sealed.octets[2:4], "big")


def sealed_hash(groups: Mapping[Sensitivity, Sealed]) -> str:
    """What the journal keeps of a write: SHA-256 of the sealed groups, in the order of their numbers."""
    digest = hashlib.sha256()
    for group in sorted(groups, key=lambda group: group.group):
        octets = groups[group].octets
        digest.update(group.group.to_bytes(4, "big") + len(octets).to_bytes(4, "big") + octets)
    return digest.hexdigest()
