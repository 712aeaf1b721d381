"""Signed heads are notes of C2SP: other people's tools read ours, and we read theirs."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.keep.places import NOW, chance_of

from resguardo.keep.checkpoint import (
    COSIGNATURE,
    LOG_SIGNATURE,
    Checkpoint,
    NotACheckpoint,
    VerifierKey,
    cosign_checkpoint,
    is_signed_by,
    moment_signed_by,
    read_checkpoint,
    read_checkpoints,
    sign_checkpoint,
)
from resguardo.keep.proof import EntryProof

CHANCE = chance_of("test_signed_heads")
LOG = Ed25519PrivateKey.from_private_bytes(CHANCE(32))
WITNESS = Ed25519PrivateKey.from_private_bytes(CHANCE(32))
ORIGIN = "shelter-a.example/journal"
LOG_KEY = VerifierKey(ORIGIN, LOG_SIGNATURE, LOG.public_key().public_bytes_raw())
WITNESS_NAME = "consulate-b.example/witness"
WITNESS_KEY = VerifierKey(WITNESS_NAME, COSIGNATURE, WITNESS.public_key().public_bytes_raw())
HEAD = Checkpoint(ORIGIN, 3000, CHANCE(32))
SIGNED = sign_checkpoint(HEAD, LOG)
COSIGNED = SIGNED.with_signature(cosign_checkpoint(SIGNED, WITNESS_NAME, WITNESS, now=NOW))

# The example of c2sp.org/tlog-cosignature.
EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 \
jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""

# The example of golang.org/x/mod/sumdb/note, from which the format of C2SP comes.
NEUMANN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
NEUMANN_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_the_short_names_of_published_keys_are_computed_as_published() -> None:
    for text in (NEUMANN_KEY, "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"):
        key = VerifierKey.read(text)
        assert key.text == text
        assert key.key_id.hex() == text.split("+")[1]


def test_a_published_note_has_the_short_name_in_front_and_its_signature_over_the_text() -> None:
    octets = base64.b64decode(NEUMANN_SIGNATURE)
    key = VerifierKey.read(NEUMANN_KEY)
    assert octets[:4] == key.key_id
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(octets[4:], NEUMANN_TEXT.encode())


def test_the_example_of_the_specification_is_read() -> None:
    signed = read_checkpoint(EXAMPLE)
    assert signed.checkpoint.origin == "example.com/behind-the-sofa"
    assert signed.checkpoint.size == 20852163
    assert [len(signature.octets) for signature in signed.signatures] == [64, 72]
    assert int.from_bytes(signed.signatures[1].octets[:8], "big") == 1679315147
    assert signed.text == EXAMPLE


def test_a_signed_head_reads_back_and_its_signature_holds() -> None:
    read = read_checkpoint(SIGNED.text)
    assert read == SIGNED
    assert read.checkpoint == HEAD
    assert is_signed_by(read, LOG_KEY)
    assert not is_signed_by(read, WITNESS_KEY)


def test_a_witness_says_when_it_saw_the_head() -> None:
    assert is_signed_by(COSIGNED, LOG_KEY)
    assert moment_signed_by(COSIGNED, WITNESS_KEY) == NOW
    assert moment_signed_by(COSIGNED, LOG_KEY) == datetime.fromtimestamp(0, UTC)
    later = cosign_checkpoint(SIGNED, WITNESS_NAME, WITNESS, now=NOW + timedelta(hours=1))
    assert later != COSIGNED.signatures[1]


def test_a_signature_of_another_kind_under_the_same_key_counts_for_nothing() -> None:
    as_log = VerifierKey(WITNESS_NAME, LOG_SIGNATURE, WITNESS_KEY.public_key)
    assert not is_signed_by(COSIGNED, as_log)
    assert as_log.key_id != WITNESS_KEY.key_id


@given(st.integers(0, len(COSIGNED.text.encode()) - 1), st.integers(0, 7))
def test_a_head_with_any_changed_bit_is_unreadable_or_loses_a_signature(at: int, bit: int) -> None:
    octets = bytearray(COSIGNED.text.encode())
    octets[at] ^= 1 << bit
    try:
        read = read_checkpoint(octets.decode())
    except (UnicodeDecodeError, NotACheckpoint):
        return
    assert not (is_signed_by(read, LOG_KEY) and is_signed_by(read, WITNESS_KEY))


@given(st.text())
def test_other_text_is_no_head(text: str) -> None:
    with pytest.raises(NotACheckpoint):
        read_checkpoint(text)
    with pytest.raises(NotACheckpoint):
        EntryProof.read(text)
    with pytest.raises(NotACheckpoint):
        VerifierKey.read(text)


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("3000\n", "03000\n"),
        ("3000\n", "-1\n"),
        ("3000\n", "٣\n"),
        ("3000\n", "3000 \n"),
        (f"{ORIGIN}\n3000", "\n3000"),
        ("\n\n", "\n"),
        ("— ", "- "),
        ("\n\n", "\n\n\n"),
        (f"— {ORIGIN}", "— "),
        ("3000", "3000\r"),
    ],
)
def test_a_head_that_strays_from_the_format_is_refused(part: str, instead: str) -> None:
    with pytest.raises(NotACheckpoint):
        read_checkpoint(SIGNED.text.replace(part, instead, 1))


def test_base64_has_one_spelling() -> None:
    line = SIGNED.signatures[0].line
    for wrong in (line.replace("=", ""), line.replace("=\n", "==\n"), line[:-4] + " " + line[-4:]):
        with pytest.raises(NotACheckpoint):
            read_checkpoint(SIGNED.text.replace(line, wrong))


def test_a_false_line_of_the_same_key_spoils_the_head() -> None:
    false = SIGNED.signatures[0]
    false = type(false)(false.name, false.key_id, bytes(64))
    assert not is_signed_by(SIGNED.with_signature(false), LOG_KEY)
    short = type(false)(WITNESS_NAME, WITNESS_KEY.key_id, bytes(10))
    assert not is_signed_by(SIGNED.with_signature(short), WITNESS_KEY)


def test_a_file_may_hold_several_heads() -> None:
    second = sign_checkpoint(Checkpoint(ORIGIN, 3001, CHANCE(32)), LOG)
    assert read_checkpoints(SIGNED.text + "\n" + second.text) == (SIGNED, second)
    assert read_checkpoints(COSIGNED.text + "\n" + second.text + "\n") == (COSIGNED, second)
    assert read_checkpoints(SIGNED.text) == (SIGNED,)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_an_origin_that_a_note_cannot_carry_is_not_signed(origin: str) -> None:
    with pytest.raises(NotACheckpoint):
        sign_checkpoint(Checkpoint(origin, 1, bytes(32)), LOG)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        NEUMANN_KEY.replace("c74f20a3", "c74f20a4"),
        NEUMANN_KEY.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN_KEY.replace("PeterNeumann", "AnaNeumann"),
        NEUMANN_KEY + "AA",
        NEUMANN_KEY.replace("+ARpc", "+AxEz"),
    ],
)
def test_a_key_that_does_not_fit_its_short_name_is_refused(text: str) -> None:
    with pytest.raises(NotACheckpoint):
        VerifierKey.read(text)


def test_a_proof_reads_back_with_and_without_something_extra() -> None:
    for extra in (None, b"", b"receipt 7"):
        proof = EntryProof(73894, (CHANCE(32), CHANCE(32)), COSIGNED, extra)
        assert EntryProof.read(proof.text) == proof
    assert EntryProof(0, (), SIGNED).text.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nshelter-a.example/")


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("@v1", "@v2"),
        ("index 5", "index 05"),
        ("index 5", "index"),
        ("\nindex 5", ""),
        ("\n\n", "\nAAAA\n\n"),
    ],
)
def test_a_proof_that_strays_from_the_format_is_refused(part: str, instead: str) -> None:
    text = EntryProof(5, (CHANCE(32),), SIGNED).text
    with pytest.raises(NotACheckpoint):
        EntryProof.read(text.replace(part, instead, 1))
