"""Where the tests of the room stand: an institution, its subjects, a moment, chance that repeats itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from resguardo.keep.keys import KeyRing, new_key_ring
from resguardo.values import Basis, Permit, Sensitivity

NOW = datetime(2022, 8, 11, 15, 30, tzinfo=UTC)
SHELTER = UUID("6d1f0a52-0c1b-4a3f-9a55-0d6a2f6a1e01")
CONSULATE = UUID("6d1f0a52-0c1b-4a3f-9a55-0d6a2f6a1e02")
ANA = UUID("b4a9c7de-7f0e-4c2b-8a11-5a3d9f7e0a01")
BRUNO = UUID("b4a9c7de-7f0e-4c2b-8a11-5a3d9f7e0a02")
RECORD = UUID("0e2c8a44-5b1d-4d7a-bf6e-9c3b1a2d0f01")
OTHER_RECORD = UUID("0e2c8a44-5b1d-4d7a-bf6e-9c3b1a2d0f02")
COMPARTMENT = "tapachula/training"


def chance_of(seed: str) -> Callable[[int], bytes]:
    """Bytes that look like chance and are the same in every run."""
    drawn = 0

    def chance(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed}/{drawn}".encode()).digest(count)

    return chance


def ring_of(institution: UUID = SHELTER, seed: str = "ring") -> KeyRing:
    """A key ring with one compartment."""
    chance = chance_of(f"{seed}/{institution}")
    return new_key_ring(institution, chance).with_compartment(COMPARTMENT, chance, NOW)


def permit_for(subject: UUID = ANA, institution: UUID = SHELTER, *groups: Sensitivity) -> Permit:
    """A permit as `decide` gives it: these tests are about the door, which takes a permit from anywhere."""
    return Permit(
        who="0" * 32,
        role="trainer",
        institution=institution,
        subject=subject,
        purpose="training",
        basis=Basis.CONSENT,
        consent="5f" * 16,
        groups=frozenset(groups or Sensitivity),
        until=NOW + timedelta(minutes=15),
        policy="0" * 64,
    )
