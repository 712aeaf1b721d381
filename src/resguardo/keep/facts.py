"""What counting needs lies sealed on disk too: rows of quasi-identifiers in clear would be a second register.

A *segment* is a piece of columnar facts (catalogue codes, bands, months; no identifier, no free text, no
exact date) as bytes. It is sealed under a key derived from the institution's statistics key for that segment
and version alone, and bound to the institution, the form, the segment and its version: an older version put
back in its place does not open.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from resguardo.keep.keys import KeyRefused, StatisticsKey
from resguardo.values import Problem, Refused

SEGMENT_OVERHEAD: Final = 48

_FORMAT: Final = 1
_AES_256_GCM: Final = 1
_HEADER: Final = 32


class SegmentBroken(Refused):
    """The facts were changed, are of another version, or belong to another institution, form or segment."""

    def __init__(self) -> None:
        super().__init__(Problem("keep.facts.broken"))


def seal_segment(
    statistics_key: StatisticsKey,
    *,
    institution: UUID,
    form: str,
    segment: UUID,
    version: int,
    content: bytes,
    nonce: bytes,
) -> bytes:
    """The segment sealed in its place; `version` grows with every rewriting of the segment."""
    if len(nonce) != 12:
        raise KeyRefused("nonce")
    key, commitment = _segment_key(statistics_key, segment, version)
    sealed = AESGCM(key).encrypt(nonce, content, _place(institution, form, segment, version))
    head = bytes((_FORMAT, _AES_256_GCM)) + statistics_key.version.to_bytes(2, "big")
    return head + commitment + nonce + sealed


def open_segment(
    statistics_key: StatisticsKey | Callable[[int], StatisticsKey],
    sealed: bytes,
    *,
    institution: UUID,
    form: str,
    segment: UUID,
    version: int,
) -> bytes:
    """The segment's facts; takes the key, or a way to the key of the version that the bytes name."""
    if len(sealed) < SEGMENT_OVERHEAD or sealed[0] != _FORMAT or sealed[1] != _AES_256_GCM:
        raise SegmentBroken
    key_version = int.from_bytes(sealed[2:4], "big")
    held = statistics_key if isinstance(statistics_key, StatisticsKey) else statistics_key(key_version)
    if held.version != key_version:
        raise SegmentBroken
    key, commitment = _segment_key(held, segment, version)
    if not hmac.compare_digest(sealed[4:20], commitment):
        raise SegmentBroken
    try:
        return AESGCM(key).decrypt(
            sealed[20:_HEADER], sealed[_HEADER:], _place(institution, form, segment, version)
        )
    except InvalidTag:
        raise SegmentBroken from None


def _segment_key(statistics_key: StatisticsKey, segment: UUID, version: int) -> tuple[bytes, bytes]:
    if not 0 <= version <= 0xFFFFFFFF:
        raise KeyRefused("number")
    purpose = b"rg1/facts/" + segment.bytes + version.to_bytes(4, "big")
    derived = HKDFExpand(SHA256(), 48, purpose).derive(statistics_key.octets)
    return derived[:32], derived[32:]


def _place(institution: UUID, form: str, segment: UUID, version: int) -> bytes:
    """Where a segment belongs; the form's name is the only part whose length varies, and it comes last."""
    return b"rg1/facts" + institution.bytes + segment.bytes + version.to_bytes(4, "big") + form.encode()
