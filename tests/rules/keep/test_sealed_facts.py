"""Facts for counting lie sealed, each segment in its place and version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.places import CONSULATE, SHELTER, chance_of, ring_of

from resguardo.keep.facts import SEGMENT_OVERHEAD, SegmentBroken, open_segment, seal_segment
from resguardo.keep.keys import KeyRefused, StatisticsKey

CHANCE = chance_of("test_sealed_facts")
RING = ring_of()
PLACE: dict[str, Any] = {
    "institution": SHELTER,
    "form": "training_enrolment",
    "segment": UUID(int=7),
    "version": 3,
}
CONTENT = b"ARROW1" + bytes(1000)
SEALED = seal_segment(RING.statistics_key, content=CONTENT, nonce=CHANCE(12), **PLACE)


def test_a_segment_opens_in_its_place() -> None:
    assert open_segment(RING.statistics_key, SEALED, **PLACE) == CONTENT
    assert len(SEALED) == len(CONTENT) + SEGMENT_OVERHEAD


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1), st.text(max_size=40))
def test_every_content_comes_back(content: bytes, version: int, form: str) -> None:
    place = PLACE | {"version": version, "form": form}
    sealed = seal_segment(RING.statistics_key, content=content, nonce=CHANCE(12), **place)
    assert open_segment(RING.statistics_key, sealed, **place) == content


@given(st.integers(0, (len(SEALED) - 1) * 8))
def test_any_changed_bit_of_a_segment_is_refused(bit: int) -> None:
    octets = bytearray(SEALED)
    octets[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(SegmentBroken):
        open_segment(RING.statistics_key, bytes(octets), **PLACE)


@pytest.mark.parametrize(
    "moved",
    [
        {"version": 2},
        {"version": 4},
        {"segment": UUID(int=8)},
        {"form": "training_end"},
        {"institution": CONSULATE},
    ],
)
def test_an_older_segment_or_one_from_elsewhere_does_not_open(moved: dict[str, Any]) -> None:
    with pytest.raises(SegmentBroken):
        open_segment(RING.statistics_key, SEALED, **(PLACE | moved))


def test_another_key_or_no_segment_at_all_does_not_open() -> None:
    with pytest.raises(SegmentBroken):
        open_segment(StatisticsKey(1, CHANCE(32)), SEALED, **PLACE)
    with pytest.raises(SegmentBroken):
        open_segment(StatisticsKey(2, RING.statistics_key.octets), SEALED, **PLACE)
    for octets in (b"", SEALED[:47], b"\x02" + SEALED[1:]):
        with pytest.raises(SegmentBroken):
            open_segment(RING.statistics_key, octets, **PLACE)


def test_after_the_key_is_changed_old_segments_are_opened_through_the_ring() -> None:
    ring = RING.with_new_statistics_version(CHANCE)
    assert open_segment(ring.statistics_key_of, SEALED, **PLACE) == CONTENT
    newer = seal_segment(ring.statistics_key, content=b"", nonce=CHANCE(12), **PLACE)
    assert open_segment(ring.statistics_key_of, newer, **PLACE) == b""


def test_numbers_and_nonces_outside_the_format_are_refused() -> None:
    with pytest.raises(KeyRefused):
        seal_segment(RING.statistics_key, content=b"", nonce=b"", **PLACE)
    with pytest.raises(KeyRefused):
        seal_segment(RING.statistics_key, content=b"", nonce=CHANCE(12), **(PLACE | {"version": -1}))
