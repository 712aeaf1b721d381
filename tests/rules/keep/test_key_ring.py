"""The keys of an institution: wrapped, found blindly, written down, and never shown."""

from __future__ import annotations

import copy
import json
import pickle
import unicodedata
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.places import ANA, BRUNO, COMPARTMENT, CONSULATE, NOW, SHELTER, chance_of, ring_of

from resguardo.keep.checkpoint import COSIGNATURE, VerifierKey, moment_signed_by, read_checkpoint
from resguardo.keep.keys import (
    LARGEST_CELL_KEY,
    CompartmentKeyMissing,
    IndexField,
    KeyFileRefused,
    KeyRefused,
    KeyRing,
    SubjectKey,
    WrapBroken,
    new_key_ring,
    new_subject_key,
    normal_form,
    wrapped_by,
)

CHANCE = chance_of("test_key_ring")
RING = ring_of()
KEY = new_subject_key(CHANCE)
NONCE = CHANCE(12)
WRAPPED = RING.wrap_subject_key(KEY, compartment=COMPARTMENT, subject=ANA, key_version=1, nonce=NONCE)


def unwrap(ring: KeyRing, wrapped: bytes, **place: object) -> SubjectKey:
    usual: dict[str, object] = {"compartment": COMPARTMENT, "subject": ANA, "key_version": 1}
    return ring.unwrap_subject_key(wrapped, **(usual | place))  # type: ignore[arg-type]


def test_a_wrapped_key_has_66_bytes_and_unwraps_to_the_same_key() -> None:
    assert len(WRAPPED) == 66
    assert WRAPPED[:2] == b"\x01\x01"
    assert wrapped_by(WRAPPED) == RING.newest_key_id(COMPARTMENT) == 1
    assert WRAPPED[6:18] == NONCE
    assert unwrap(RING, WRAPPED) == KEY


@given(st.integers(0, 66 * 8 - 1))
def test_any_changed_bit_of_a_wrapped_key_is_refused(bit: int) -> None:
    octets = bytearray(WRAPPED)
    octets[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises((WrapBroken, CompartmentKeyMissing)):
        unwrap(RING, bytes(octets))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_wrapped_key_are_refused(octets: bytes) -> None:
    with pytest.raises((WrapBroken, CompartmentKeyMissing)):
        unwrap(RING, octets)


def test_a_wrapped_key_does_not_unwrap_in_another_place() -> None:
    ring = RING.with_compartment("tapachula/referrals", CHANCE, NOW)
    for place in ({"subject": BRUNO}, {"key_version": 2}, {"compartment": "tapachula/referrals"}):
        with pytest.raises(WrapBroken):
            unwrap(ring, WRAPPED, **place)


def test_another_institution_with_the_same_compartment_key_does_not_unwrap_it() -> None:
    text = json.loads(RING.to_file())
    text["institution"] = str(CONSULATE)
    thief = KeyRing.from_file(json.dumps(text).encode())
    with pytest.raises(WrapBroken):
        unwrap(thief, WRAPPED)


def test_a_new_version_wraps_from_now_on_and_the_old_one_still_unwraps() -> None:
    ring = RING.with_new_version(COMPARTMENT, CHANCE, NOW + timedelta(days=30))
    wrapped = ring.wrap_subject_key(KEY, compartment=COMPARTMENT, subject=ANA, key_version=1, nonce=NONCE)
    assert wrapped_by(wrapped) == ring.newest_key_id(COMPARTMENT) == 2
    assert unwrap(ring, wrapped) == unwrap(ring, WRAPPED) == KEY


def test_what_a_destroyed_key_wrapped_is_lost_and_its_number_is_not_used_again() -> None:
    ring = RING.with_new_version(COMPARTMENT, CHANCE, NOW).without_compartment_key(1)
    with pytest.raises(CompartmentKeyMissing):
        unwrap(ring, WRAPPED)
    bare = ring.without_compartment_key(2)
    assert not bare.has_compartment(COMPARTMENT)
    again = KeyRing.from_file(bare.to_file()).with_compartment(COMPARTMENT, CHANCE, NOW)
    assert again.newest_key_id(COMPARTMENT) == 3


def test_a_compartment_that_is_there_is_not_made_again() -> None:
    assert RING.with_compartment(COMPARTMENT, CHANCE, NOW) is RING


@pytest.mark.parametrize("name", ["", "Tapachula", "a b", "ñ", "/a", "a" * 101, "María"])
def test_a_compartment_has_a_plain_name(name: str) -> None:
    with pytest.raises(KeyRefused):
        RING.with_compartment(name, CHANCE, NOW)


def test_an_unknown_compartment_wraps_nothing() -> None:
    with pytest.raises(CompartmentKeyMissing):
        RING.wrap_subject_key(KEY, compartment="nowhere", subject=ANA, key_version=1, nonce=NONCE)


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(KeyRefused):
        SubjectKey(b"short")
    with pytest.raises(KeyRefused):
        RING.wrap_subject_key(KEY, compartment=COMPARTMENT, subject=ANA, key_version=1, nonce=b"short")
    with pytest.raises(KeyRefused):
        new_key_ring(SHELTER, CHANCE, record_key=b"short")


def test_the_key_file_gives_the_same_ring_back() -> None:
    ring = RING.with_new_version(COMPARTMENT, CHANCE, NOW).with_new_index_version(IndexField.PHONE, CHANCE)
    ring = ring.with_new_statistics_version(CHANCE)
    read = KeyRing.from_file(ring.to_file())
    assert read.to_file() == ring.to_file()
    assert unwrap(read, WRAPPED) == KEY
    assert read.statistics_key.version == 2
    assert read.statistics_key_of(1) == RING.statistics_key
    assert read.journal_verifier_key("a/b") == ring.journal_verifier_key("a/b")
    assert read.witness_verifier_key("a/b") == ring.witness_verifier_key("a/b")


def test_a_key_file_that_is_damaged_or_newer_is_refused() -> None:
    whole = RING.to_file()
    text = json.loads(whole)
    wrong = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        whole[:-10],
        whole.replace(b'"version": 2,', b'"version": 3,', 1),
        whole.replace(b'"version": 2,', b'"version": 1,', 1),
        json.dumps(text | {"witness": text["journal"]}).encode(),
        json.dumps(text | {"witness": text["signature"]}).encode(),
    ]
    for member in text:
        wrong.append(json.dumps({key: value for key, value in text.items() if key != member}).encode())
        if member not in ("format", "version", "institution", "last_key_id"):
            wrong.append(json.dumps(text | {member: "AAAA"}).encode())
        wrong.append(json.dumps(text | {member: None}).encode())
    wrong.append(json.dumps(text | {"compartments": text["compartments"] * 2}).encode())
    wrong.append(json.dumps(text | {"last_key_id": 0}).encode())
    wrong.append(json.dumps(text | {"statistics": []}).encode())
    wrong.append(json.dumps(text | {"index": text["index"][1:]}).encode())
    for content in wrong:
        with pytest.raises(KeyFileRefused):
            KeyRing.from_file(content)


def test_nothing_shows_a_key() -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    ring = new_key_ring(SHELTER, lambda count: secret[:count]).with_compartment(
        COMPARTMENT, lambda count: secret[:count], NOW
    )
    holders = (ring, *ring.compartment_keys, *ring.index_keys, ring.statistics_key, SubjectKey(secret))
    for holder in holders:
        for shown in (repr(holder), str(holder), f"{holder}", "%s" % (holder,), repr([holder])):  # noqa: UP031
            assert "0123" not in shown
            assert secret.hex()[:8] not in shown
            assert "hidden" in shown
        for leak in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                leak(holder)


def test_no_message_of_a_refusal_shows_a_key() -> None:
    octets = KEY.octets
    for broken in (WRAPPED[:-1], WRAPPED[:-1] + b"\x00"):
        with pytest.raises(WrapBroken) as refusal:
            unwrap(RING, broken)
        assert octets.hex() not in str(refusal.value)
        assert refusal.value.__cause__ is None


def test_two_spellings_of_a_document_have_one_token() -> None:
    token = RING.blind_token(IndexField.DOCUMENT, "MX", "CURP", "PEGJ-850101 HDF")
    assert token == RING.blind_token(IndexField.DOCUMENT, "mx", "curp", " pegj850101hdf ")
    assert len(token.token) == 16
    assert len(token.octets) == 19
    assert token.octets[:3] == b"\x00\x02\x01"


def test_tokens_of_other_values_fields_and_institutions_differ() -> None:
    other = ring_of(CONSULATE)
    tokens = {
        RING.blind_token(IndexField.DOCUMENT, "MX", "CURP", "1").token,
        RING.blind_token(IndexField.DOCUMENT, "MX", "CURP1").token,
        RING.blind_token(IndexField.DOCUMENT, "MX", "CURP", "2").token,
        RING.blind_token(IndexField.PHONE, "MX", "CURP", "1").token,
        other.blind_token(IndexField.DOCUMENT, "MX", "CURP", "1").token,
    }
    assert len(tokens) == 5


def test_while_rows_are_made_anew_both_versions_are_searched() -> None:
    ring = RING.with_new_index_version(IndexField.PHONE, CHANCE)
    old, new = ring.blind_tokens(IndexField.PHONE, "5555 1234")
    assert old == RING.blind_token(IndexField.PHONE, "55551234")
    assert new == ring.blind_token(IndexField.PHONE, "55551234")
    assert (old.key_version, new.key_version) == (1, 2)


@given(st.text())
def test_the_normal_form_is_its_own_normal_form(value: str) -> None:
    once = normal_form(value)
    assert normal_form(once) == once
    assert all(unicodedata.category(letter)[0] in "LN" for letter in once)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Peña", "pena"),
        ("PEN\u0303A", "pena"),
        ("Ｊosé", "jose"),
        ("straße", "strasse"),
        ("0801-1990-12345", "0801199012345"),
        ("", ""),
        ("¡!", ""),
        ("Ñáñez-O'Higgins", "nanezohiggins"),
    ],
)
def test_the_normal_form_of_a_value(value: str, expected: str) -> None:
    assert normal_form(value) == expected


def test_two_codes_that_differ_in_punctuation_are_two_subjects() -> None:
    def token(*code: str) -> bytes:
        return RING.subject_code_token("training", "person", *code).token

    assert token("A-1-12") != token("A-11-2")
    assert token("a|b", "c") != token("a", "b|c")
    assert token("A-1") == token(" a-1 ")
    assert token("A-1") != RING.subject_code_token("referral", "person", "A-1").token
    assert token("A-1") != RING.subject_code_token("training", "incident", "A-1").token


def test_a_submission_that_comes_again_is_known_in_its_own_institution_only() -> None:
    assert RING.arrival_token(b"{}") == RING.arrival_token(b"{}")
    assert RING.arrival_token(b"{}") != RING.arrival_token(b"{} ")
    assert RING.arrival_token(b"{}") != ring_of(CONSULATE).arrival_token(b"{}")


@given(st.sampled_from(["person", "case", "incident"]), st.binary(min_size=16, max_size=32))
def test_a_cell_key_lies_within_its_limits_and_never_changes(unit: str, token: bytes) -> None:
    number = RING.cell_key(unit, token)
    assert 0 <= number <= LARGEST_CELL_KEY
    assert number == RING.cell_key(unit, token)


def test_cell_keys_are_spread_evenly() -> None:
    numbers = [RING.cell_key("person", UUID(int=i).bytes) for i in range(5000)]
    for remainder in range(5):
        assert 850 < sum(1 for number in numbers if number % 5 == remainder) < 1150


def test_institutions_that_share_a_record_key_share_cell_keys_and_nothing_else() -> None:
    shared = CHANCE(32)
    one = new_key_ring(SHELTER, chance_of("one"), record_key=shared)
    two = new_key_ring(CONSULATE, chance_of("two"), record_key=shared)
    assert one.cell_key("person", b"token") == two.cell_key("person", b"token")
    assert one.unit_key("person", ANA) != two.unit_key("person", ANA)


def test_a_person_counted_and_the_same_person_as_a_case_have_two_pseudonyms() -> None:
    assert RING.unit_key("person", ANA) != RING.unit_key("case", ANA)
    assert RING.unit_key("person", ANA) != RING.unit_key("person", BRUNO)
    with pytest.raises(KeyRefused):
        RING.unit_key("María", ANA)


def test_a_member_of_staff_has_one_name_in_the_journal() -> None:
    assert RING.staff_pseudonym("7") == RING.staff_pseudonym("7")
    assert RING.staff_pseudonym("7") != RING.staff_pseudonym("8")
    assert len(RING.staff_pseudonym("7")) == 32


def test_a_witness_cosigns_with_a_key_that_signs_nothing_else() -> None:
    note = ring_of(CONSULATE).sign_checkpoint("consulate.example/journal", 7, bytes(32))
    line = RING.cosign("shelter.example/witness", note, NOW)
    cosigned = read_checkpoint(note + line)
    key = VerifierKey.read(RING.witness_verifier_key("shelter.example/witness"))
    assert moment_signed_by(cosigned, key) == NOW
    journal_key = VerifierKey.read(RING.journal_verifier_key("shelter.example/journal"))
    assert key.kind == COSIGNATURE
    assert len({key.public_key, journal_key.public_key, RING.signature_public_key}) == 3


def test_a_missing_statistics_key_is_said() -> None:
    with pytest.raises(KeyRefused):
        RING.statistics_key_of(9)
