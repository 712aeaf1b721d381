"""THE DOOR: the only place in the house where a sealed group is opened, and only under a permit.

A `Permit` says who may open which groups of one subject's records, for one purpose, until when. The action
that calls this writes a line in the journal in the same transaction. No other module of the service imports
this one.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resguardo.keep.keys import SubjectKey
from resguardo.keep.sealing import (
    AES_256_GCM,
    FORMAT,
    HEADER,
    OVERHEAD,
    GroupKey,
    SealBroken,
    group_key,
    place,
)
from resguardo.values import Opened, Permit, Problem, Refused, Sealed, Sensitivity


class WillNotOpen(Refused):
    """The permit does not cover what was asked; nothing was opened."""

    def __init__(self, code: str) -> None:
        super().__init__(Problem(f"keep.opening.{code}"))


class PermitForAnotherInstitution(WillNotOpen):
    """The permit was given by another institution."""

    def __init__(self) -> None:
        super().__init__("another_institution")


class PermitForAnotherSubject(WillNotOpen):
    """The permit is about somebody else."""

    def __init__(self) -> None:
        super().__init__("another_subject")


class GroupNotPermitted(WillNotOpen):
    """The permit does not open this group of answers."""

    def __init__(self) -> None:
        super().__init__("group")


class PermitExpired(WillNotOpen):
    """The permit's time is over."""

    def __init__(self) -> None:
        super().__init__("expired")


def open_group(
    permit: Permit,
    subject_key: SubjectKey | GroupKey,
    sealed: Sealed,
    *,
    institution: UUID,
    subject: UUID,
    record: UUID,
    group: Sensitivity,
    row_version: int,
    key_version: int,
    now: datetime,
) -> Opened:
    """What the group says, with the permit under which it was opened.

    Refuses a permit of another institution, about another subject, for other groups or whose time is
    over, and bytes that were changed or moved from their place. The permit is looked at before any key.
    """
    if permit.institution != institution:
        raise PermitForAnotherInstitution
    if permit.subject != subject:
        raise PermitForAnotherSubject
    if group not in permit.groups:
        raise GroupNotPermitted
    if now >= permit.until:
        raise PermitExpired
    octets = sealed.octets
    if len(octets) < OVERHEAD or octets[0] != FORMAT or octets[1] != AES_256_GCM:
        raise SealBroken
    if int.from_bytes(octets[2:4], "big") != key_version:
        raise SealBroken
    key = group_key(subject_key, group) if isinstance(subject_key, SubjectKey) else subject_key
    # AES-GCM alone does not commit to its key: the commitment is compared before anything is decrypted.
    if key.group != group or not hmac.compare_digest(octets[4:20], key.commitment):
        raise SealBroken
    bound = place(institution, subject, record, group, row_version, key_version)
    try:
        text = AESGCM(key.octets).decrypt(octets[20:HEADER], octets[HEADER:], bound)
    except InvalidTag:
        raise SealBroken from None
    return Opened(text, permit)
