"""Answers are sealed in one place, and one door opens them, under a permit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.places import (
    ANA,
    BRUNO,
    CONSULATE,
    NOW,
    OTHER_RECORD,
    RECORD,
    SHELTER,
    chance_of,
    permit_for,
)

from resguardo.keep.keys import KeyRefused, SubjectKey, new_subject_key
from resguardo.keep.opening import (
    GroupNotPermitted,
    PermitExpired,
    PermitForAnotherInstitution,
    PermitForAnotherSubject,
    WillNotOpen,
    open_group,
)
from resguardo.keep.sealing import (
    OVERHEAD,
    GroupKey,
    SealBroken,
    group_key,
    key_version_of,
    seal_group,
    sealed_hash,
)
from resguardo.values import Opened, Permit, Sealed, Sensitivity

CHANCE = chance_of("test_sealing_and_door")
KEY = new_subject_key(CHANCE)
PLACE: dict[str, Any] = {
    "institution": SHELTER,
    "subject": ANA,
    "record": RECORD,
    "group": Sensitivity.IDENTIFIER,
    "row_version": 1,
    "key_version": 1,
}
TEXT = '{"name":"Ana Peña"}'.encode()
SEALED = seal_group(KEY, text=TEXT, nonce=CHANCE(12), **PLACE)


def opened(
    permit: Permit | None = None,
    key: SubjectKey | GroupKey = KEY,
    sealed: Sealed = SEALED,
    **changed: Any,
) -> Opened:
    return open_group(permit or permit_for(), key, sealed, **({"now": NOW} | PLACE | changed))


def test_what_was_sealed_opens_under_a_permit_and_keeps_it() -> None:
    permit = permit_for()
    assert opened(permit) == Opened(TEXT, permit)


def test_a_sealed_group_is_48_bytes_longer_than_its_text_and_begins_with_its_format() -> None:
    assert len(SEALED.octets) == len(TEXT) + OVERHEAD == len(TEXT) + 48
    assert SEALED.octets[:4] == b"\x01\x01\x00\x01"
    assert key_version_of(SEALED) == 1


@given(
    text=st.binary(max_size=500),
    group=st.sampled_from(Sensitivity),
    row_version=st.integers(0, 2**32 - 1),
    key_version=st.integers(0, 2**16 - 1),
    key=st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=12, max_size=12),
    record=st.uuids(),
    subject=st.uuids(),
)
def test_every_text_comes_back(
    text: bytes,
    group: Sensitivity,
    row_version: int,
    key_version: int,
    key: bytes,
    nonce: bytes,
    record: UUID,
    subject: UUID,
) -> None:
    place: dict[str, Any] = {
        "institution": SHELTER,
        "subject": subject,
        "record": record,
        "group": group,
        "row_version": row_version,
        "key_version": key_version,
    }
    sealed = seal_group(SubjectKey(key), text=text, nonce=nonce, **place)
    assert open_group(permit_for(subject), SubjectKey(key), sealed, now=NOW, **place).octets == text


def test_any_changed_bit_is_refused() -> None:
    for bit in range(len(SEALED.octets) * 8):
        octets = bytearray(SEALED.octets)
        octets[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(SealBroken):
            opened(sealed=Sealed(bytes(octets)))


@given(st.binary(max_size=120))
def test_bytes_that_were_never_sealed_are_refused(octets: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(sealed=Sealed(octets))


@given(st.integers(0, len(SEALED.octets) - 1))
def test_a_sealed_group_that_was_cut_short_is_refused(length: int) -> None:
    with pytest.raises(SealBroken):
        opened(sealed=Sealed(SEALED.octets[:length]))


@pytest.mark.parametrize(
    "moved",
    [
        {"record": OTHER_RECORD},
        {"group": Sensitivity.QUASI},
        {"row_version": 2},
        {"row_version": 0},
        {"key_version": 2},
        {"subject": BRUNO, "permit": permit_for(BRUNO)},
        {"institution": CONSULATE, "permit": permit_for(ANA, CONSULATE)},
        {"key": new_subject_key(CHANCE)},
        {"key": group_key(KEY, Sensitivity.QUASI)},
    ],
)
def test_a_sealed_group_does_not_open_in_another_place_or_with_another_key(moved: dict[str, Any]) -> None:
    with pytest.raises(SealBroken):
        opened(**moved)


def test_swapping_the_groups_of_two_records_is_refused() -> None:
    other = seal_group(KEY, text=TEXT, nonce=CHANCE(12), **(PLACE | {"record": OTHER_RECORD}))
    with pytest.raises(SealBroken):
        opened(sealed=other)


def test_a_group_key_opens_its_own_group_and_shows_nothing() -> None:
    key = group_key(KEY, Sensitivity.IDENTIFIER)
    assert opened(key=key).octets == TEXT
    assert repr(key) == "GroupKey(hidden)"


def test_a_permit_of_another_institution_opens_nothing() -> None:
    with pytest.raises(PermitForAnotherInstitution):
        opened(permit_for(ANA, CONSULATE))


def test_a_permit_about_somebody_else_opens_nothing() -> None:
    with pytest.raises(PermitForAnotherSubject):
        opened(permit_for(BRUNO))


def test_a_permit_opens_only_the_groups_that_it_names() -> None:
    with pytest.raises(GroupNotPermitted):
        opened(permit_for(ANA, SHELTER, Sensitivity.QUASI, Sensitivity.PLAIN))


def test_a_permit_opens_until_its_end_and_not_at_it() -> None:
    end = permit_for().until
    assert opened(now=end - timedelta(microseconds=1)).octets == TEXT
    for late in (end, end + timedelta(days=1)):
        with pytest.raises(PermitExpired):
            opened(now=late)


def test_the_permit_is_looked_at_before_the_bytes() -> None:
    with pytest.raises(WillNotOpen):
        opened(permit_for(BRUNO), sealed=Sealed(b"anything"))


def test_sealing_refuses_numbers_and_nonces_outside_the_format() -> None:
    for wrong in ({"row_version": 2**32}, {"row_version": -1}, {"key_version": 2**16}):
        with pytest.raises(KeyRefused):
            seal_group(KEY, text=TEXT, nonce=CHANCE(12), **(PLACE | wrong))
    with pytest.raises(KeyRefused):
        seal_group(KEY, text=TEXT, nonce=b"short", **PLACE)
    with pytest.raises(SealBroken):
        key_version_of(Sealed(b"short"))


def test_the_hash_of_a_write_depends_on_every_group_and_not_on_their_order() -> None:
    quasi = seal_group(KEY, text=TEXT, nonce=CHANCE(12), **(PLACE | {"group": Sensitivity.QUASI}))
    both = {Sensitivity.IDENTIFIER: SEALED, Sensitivity.QUASI: quasi}
    turned = dict(reversed(both.items()))
    swapped = {Sensitivity.IDENTIFIER: quasi, Sensitivity.QUASI: SEALED}
    assert sealed_hash(both) == sealed_hash(turned)
    assert len({sealed_hash(both), sealed_hash(swapped), sealed_hash({Sensitivity.QUASI: quasi})}) == 3
