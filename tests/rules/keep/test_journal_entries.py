"""What may stand in a journal entry, and that no name can."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.journals import journal_of, leaf_of, leaves
from tests.rules.keep.places import ANA, NOW, SHELTER, chance_of

from resguardo.keep.journal import (
    MOST_BYTES,
    Leaf,
    NotAnEntry,
    Vocabulary,
    chain_hash,
    entry_bytes,
    read_entry,
    subject_mark,
)
from resguardo.keep.keys import SubjectKey
from resguardo.keep.tree import leaf_hash

REQUIRED = {"v", "t", "inst", "act", "who", "role", "dec", "pol", "req"}
OPTIONAL = {"purpose", "basis", "consent", "fields", "subj", "sn", "sp", "obj", "h"}


@given(leaves())
def test_an_entry_is_canonical_json_and_reads_back(leaf: Leaf) -> None:
    entry = entry_bytes(leaf)
    assert entry == rfc8785.dumps(json.loads(entry))
    assert read_entry(entry) == leaf
    assert len(entry) <= MOST_BYTES


def test_an_entry_has_the_members_of_the_format_and_leaves_absent_ones_out() -> None:
    full = leaf_of(0, subj="a" * 32, sn=2, sp="b" * 32, consent="c" * 32, h="d" * 64)
    members = json.loads(entry_bytes(full))
    assert set(members) == REQUIRED | OPTIONAL
    assert members["v"] == 1
    assert members["t"] == "2022-08-11T15:30:00.000Z"
    bare = leaf_of(0, purpose=None, basis=None, fields=(), obj=None)
    assert set(json.loads(entry_bytes(bare))) == REQUIRED


def test_a_moment_from_another_time_zone_is_written_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-6)))
    assert entry_bytes(leaf_of(0, t=there)) == entry_bytes(leaf_of(0, t=NOW))
    with pytest.raises(NotAnEntry, match="member"):
        entry_bytes(leaf_of(0, t=NOW.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("who", "María López"),
        ("who", "maria@example.org"),
        ("who", "ab" * 15),
        ("who", "AB" * 16),
        ("role", "María"),
        ("role", "Trainer"),
        ("role", "case worker"),
        ("role", ""),
        ("role", "a" * 41),
        ("purpose", "asked by her sister"),
        ("purpose", "training\n"),
        ("consent", "signed at the gate"),
        ("subj", "PEGJ850101HDFRRN09"),
        ("sp", "x"),
        ("h", "ab" * 16),
        ("pol", "ab" * 31),
        ("fields", (2, 1)),
        ("fields", (1, 1)),
        ("fields", (0,)),
        ("fields", (10**9,)),
        ("sn", 0),
        ("sn", -1),
        ("sn", 10**15),
        ("sn", True),
        ("inst", "María"),
        ("obj", "192.0.2.7"),
        ("req", "+50255551234"),
        ("act", "gossip"),
        ("basis", "because"),
        ("dec", "maybe"),
    ],
)
def test_free_text_and_numbers_outside_the_format_do_not_enter(member: str, value: object) -> None:
    chained: dict[str, Any] = {"subj": "a" * 32, "sn": 2, "sp": "b" * 32}
    with pytest.raises(NotAnEntry) as refusal:
        entry_bytes(leaf_of(0, **(chained | {member: value})))
    assert refusal.value.member == member
    assert str(value) not in refusal.value.problems[0].facts.values() or value == refusal.value.member


@given(st.sampled_from(["who", "role", "purpose", "consent", "subj", "sp", "h", "pol"]), st.text())
def test_no_text_with_a_space_a_capital_or_an_accent_enters(member: str, text: str) -> None:
    chained: dict[str, Any] = {"subj": "a" * 32, "sn": 2, "sp": "b" * 32, member: text + "Ñ"}
    with pytest.raises(NotAnEntry):
        entry_bytes(leaf_of(0, **chained))


def test_with_the_words_of_the_programmes_no_other_role_or_purpose_enters() -> None:
    words = Vocabulary(roles={"trainer"}, purposes={"training"})
    assert entry_bytes(leaf_of(0), words) == entry_bytes(leaf_of(0))
    assert entry_bytes(leaf_of(0, purpose=None), words)
    for member, value in (("role", "maria"), ("purpose", "maria")):
        with pytest.raises(NotAnEntry) as refusal:
            entry_bytes(leaf_of(0, **{member: value}), words)
        assert refusal.value.member == member


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ({"subj": "a" * 32}, "sn"),
        ({"sn": 1}, "sn"),
        ({"subj": "a" * 32, "sn": 1, "sp": "b" * 32}, "sp"),
        ({"subj": "a" * 32, "sn": 2}, "sp"),
        ({"sp": "b" * 32}, "sp"),
    ],
)
def test_the_members_of_a_persons_chain_come_together(members: dict[str, Any], wrong: str) -> None:
    with pytest.raises(NotAnEntry) as refusal:
        entry_bytes(leaf_of(0, **members))
    assert refusal.value.member == wrong


ENTRY = entry_bytes(leaf_of(0, subj="a" * 32, sn=2, sp="b" * 32))


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 60000,
        ENTRY + b" ",
        ENTRY + b"\n",
        b" " + ENTRY,
        ENTRY.replace(b":", b": ", 1),
        ENTRY[:-1] + b',"note":"hola"}',
        ENTRY[:-1] + b',"zz":1}',
        ENTRY.replace(b'"v":1', b'"v":2'),
        ENTRY.replace(b'"v":1', b'"v":1.0'),
        ENTRY.replace(b'"v":1', b'"v":true'),
        ENTRY.replace(b'"v":1,', b""),
        ENTRY.replace(b'"sn":2', b'"sn":"2"'),
        ENTRY.replace(b'"sn":2', b'"sn":2e0'),
        ENTRY.replace(b'"role":"trainer"', b'"role":"trainer","role":"trainer"'),
        ENTRY.replace(b"trainer", b"tr\\u0061iner"),
        ENTRY.replace(b"2022-08-11", b"2022-02-30"),
        ENTRY.replace(b"2022-08-11", b"2022-13-11"),
        ENTRY.replace(b"15:30:00", b"24:00:00"),
        ENTRY.replace(b'"fields":[1,2]', b'"fields":[2,1]'),
        ENTRY.replace(b'"fields":[1,2]', b'"fields":[]'),
        ENTRY.replace(b'"fields":[1,2]', b'"fields":[1,' + b"9" * 60000 + b"]"),
        ENTRY + b"x" * MOST_BYTES,
    ],
)
def test_bytes_that_would_not_have_been_written_are_no_entry(entry: bytes) -> None:
    with pytest.raises(NotAnEntry):
        read_entry(entry)


@given(st.binary(max_size=600))
def test_other_bytes_are_no_entry(entry: bytes) -> None:
    with pytest.raises(NotAnEntry):
        read_entry(entry)


def test_a_subject_has_one_mark_for_each_key_and_it_is_not_the_subject() -> None:
    key = SubjectKey(chance_of("ana")(32))
    assert subject_mark(key) == subject_mark(SubjectKey(key.octets))
    assert subject_mark(key) != subject_mark(SubjectKey(chance_of("bruno")(32)))
    assert ANA.hex not in subject_mark(key)


def test_the_chain_hash_is_half_of_the_leaf_hash() -> None:
    assert chain_hash(ENTRY) == leaf_hash(ENTRY).hex()[:32]


def test_a_journal_holds_no_subject_and_no_member_of_staff() -> None:
    for entry in journal_of(30).entries:
        assert UUID(json.loads(entry)["inst"]) == SHELTER
        assert str(ANA).encode() not in entry
        assert json.loads(entry)["who"] not in {"0", "1", "2"}
