"""The vectors for other implementations: they agree with ours, and with the formats worked out by hand.

`by_hand` below is written from docs/formats.md with the standard library and one AES-GCM call, and shares
nothing with `resguardo.keep`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.rules.keep.places import NOW, permit_for

from resguardo.keep.checkpoint import VerifierKey, cosign_checkpoint, is_signed_by, read_checkpoint
from resguardo.keep.facts import open_segment, seal_segment
from resguardo.keep.journal import entry_bytes, read_entry, subject_mark
from resguardo.keep.keys import IndexField, KeyRing, StatisticsKey, SubjectKey, normal_form
from resguardo.keep.opening import open_group
from resguardo.keep.proof import EntryProof
from resguardo.keep.sealing import seal_group, sealed_hash
from resguardo.keep.tree import Frontier, Tree, leaf_hash, verify_consistency, verify_inclusion
from resguardo.keep.witness import AddCheckpoint, Quorum, WatchedJournal
from resguardo.values import Sealed, Sensitivity

VECTORS = Path(__file__).parents[2] / "vectors"
GROUPS = {group.group: group for group in Sensitivity}


def vectors(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return read


SEALING, KEYS, JOURNAL = vectors("sealing"), vectors("keys"), vectors("journal")
RING = KeyRing.from_file(json.dumps(KEYS["key_file"]).encode())


class by_hand:
    """The formats, worked out a second time."""

    @staticmethod
    def expand(key: bytes, purpose: bytes, length: int) -> bytes:
        """HKDF-Expand of RFC 5869 with SHA-256."""
        block, out, count = b"", b"", 0
        while len(out) < length:
            count += 1
            block = hmac.new(key, block + purpose + bytes([count]), hashlib.sha256).digest()
            out += block
        return out[:length]

    @classmethod
    def sealed(cls, row: dict[str, Any]) -> bytes:
        both = cls.expand(bytes.fromhex(row["subject_key"]), f"rg1/field/{row['group']}".encode(), 48)
        version = row["key_version"].to_bytes(2, "big")
        bound = (
            b"rg1"
            + UUID(row["institution"]).bytes
            + UUID(row["subject"]).bytes
            + UUID(row["record"]).bytes
            + row["group"].to_bytes(4, "big")
            + row["row_version"].to_bytes(4, "big")
            + version
        )
        nonce = bytes.fromhex(row["nonce"])
        return (
            b"\x01\x01"
            + version
            + both[32:]
            + nonce
            + AESGCM(both[:32]).encrypt(nonce, row["text"].encode(), bound)
        )

    @classmethod
    def segment(cls, row: dict[str, Any]) -> bytes:
        number, version = UUID(row["segment"]).bytes, row["version"].to_bytes(4, "big")
        both = cls.expand(bytes.fromhex(row["statistics_key"]), b"rg1/facts/" + number + version, 48)
        bound = b"rg1/facts" + UUID(row["institution"]).bytes + number + version + row["form"].encode()
        nonce = bytes.fromhex(row["nonce"])
        body = AESGCM(both[:32]).encrypt(nonce, bytes.fromhex(row["content"]), bound)
        return b"\x01\x01" + row["key_version"].to_bytes(2, "big") + both[32:] + nonce + body

    @staticmethod
    def wrapped(row: dict[str, Any]) -> bytes:
        number = row["compartment_key_id"].to_bytes(4, "big")
        bound = (
            b"rg1/dek"
            + UUID(row["institution"]).bytes
            + row["compartment"].encode()
            + UUID(row["subject"]).bytes
            + row["key_version"].to_bytes(2, "big")
            + number
        )
        nonce = bytes.fromhex(row["nonce"])
        cipher = AESGCM(bytes.fromhex(row["compartment_key"]))
        return b"\x01\x01" + number + nonce + cipher.encrypt(nonce, bytes.fromhex(row["subject_key"]), bound)

    @classmethod
    def mark(cls, subject_key: str) -> str:
        key = cls.expand(bytes.fromhex(subject_key), b"rg1/journal", 32)
        return hmac.new(key, b"subj", hashlib.sha256).hexdigest()[:32]

    @staticmethod
    def keyed(key: str, message: bytes) -> bytes:
        return hmac.new(bytes.fromhex(key), message, hashlib.sha256).digest()


@pytest.mark.parametrize("row", SEALING["groups"])
def test_sealed_groups(row: dict[str, Any]) -> None:
    place: dict[str, Any] = {
        "institution": UUID(row["institution"]),
        "subject": UUID(row["subject"]),
        "record": UUID(row["record"]),
        "group": GROUPS[row["group"]],
        "row_version": row["row_version"],
        "key_version": row["key_version"],
    }
    key = SubjectKey(bytes.fromhex(row["subject_key"]))
    sealed = seal_group(key, text=row["text"].encode(), nonce=bytes.fromhex(row["nonce"]), **place)
    assert sealed.octets.hex() == row["sealed"] == by_hand.sealed(row).hex()
    permit = permit_for(place["subject"], place["institution"])
    assert open_group(permit, key, sealed, now=NOW, **place).octets.decode() == row["text"]


def test_the_hash_of_a_write() -> None:
    sealed = {GROUPS[row["group"]]: Sealed(bytes.fromhex(row["sealed"])) for row in SEALING["groups"]}
    whole = b"".join(
        row["group"].to_bytes(4, "big")
        + (len(row["sealed"]) // 2).to_bytes(4, "big")
        + bytes.fromhex(row["sealed"])
        for row in SEALING["groups"]
    )
    assert sealed_hash(sealed) == SEALING["sealed_hash"]["hex"] == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("row", SEALING["segments"])
def test_sealed_segments(row: dict[str, Any]) -> None:
    key = StatisticsKey(row["key_version"], bytes.fromhex(row["statistics_key"]))
    place: dict[str, Any] = {
        "institution": UUID(row["institution"]),
        "form": row["form"],
        "segment": UUID(row["segment"]),
        "version": row["version"],
    }
    content = bytes.fromhex(row["content"])
    sealed = seal_segment(key, content=content, nonce=bytes.fromhex(row["nonce"]), **place)
    assert sealed.hex() == row["sealed"] == by_hand.segment(row).hex()
    assert open_segment(key, sealed, **place) == content


@pytest.mark.parametrize("row", KEYS["wrapped"])
def test_wrapped_subject_keys(row: dict[str, Any]) -> None:
    assert row["wrapped"] == by_hand.wrapped(row).hex()
    key = RING.unwrap_subject_key(
        bytes.fromhex(row["wrapped"]),
        compartment=row["compartment"],
        subject=UUID(row["subject"]),
        key_version=row["key_version"],
    )
    assert key.octets.hex() == row["subject_key"]
    assert subject_mark(key) == row["subject_mark"] == by_hand.mark(row["subject_key"])


@pytest.mark.parametrize("row", KEYS["blind_tokens"])
def test_blind_tokens(row: dict[str, Any]) -> None:
    token = RING.blind_token(IndexField(row["field"]), *row["parts"])
    assert token.octets.hex() == row["row"]
    assert "|".join(normal_form(part) for part in row["parts"]) == row["normal"]
    by = by_hand.keyed(row["index_key"], row["normal"].encode())[:16]
    assert token.octets == row["field"].to_bytes(2, "big") + b"\x01" + by


@pytest.mark.parametrize("row", KEYS["subject_code_tokens"])
def test_subject_code_tokens(row: dict[str, Any]) -> None:
    token = RING.subject_code_token(row["programme"], row["about"], *row["code"])
    assert token.octets.hex() == row["row"]
    parts = [row["programme"], row["about"]]
    parts += [unicodedata.normalize("NFKC", part).casefold().strip() for part in row["code"]]
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    assert token.octets == b"\x00\x01\x01" + by_hand.keyed(row["index_key"], message)[:16]


def test_tokens_of_arrival_units_cells_and_staff() -> None:
    row = KEYS["arrival"]
    assert RING.arrival_token(row["canonical_bytes"].encode()).hex() == row["token"]
    assert (
        by_hand.keyed(row["key"], b"rg1/arrival|" + row["canonical_bytes"].encode())[:16].hex()
        == row["token"]
    )
    row = KEYS["unit"]
    assert RING.unit_key(row["unit"], UUID(row["subject"])).hex() == row["unit_key"]
    message = b"rg/unit/v1|person|" + UUID(row["subject"]).bytes
    assert by_hand.keyed(row["key"], message)[:16].hex() == row["unit_key"]
    for row in KEYS["cell"]:
        token = bytes.fromhex(row["token"])
        assert RING.cell_key(row["unit"], token) == row["cell_key"]
        digest = by_hand.keyed(row["key"], f"rg/rkey/v1|{row['unit']}|".encode() + token)
        assert int.from_bytes(digest[:8], "big") % (2**31 - 1) == row["cell_key"]
    row = KEYS["staff"]
    assert RING.staff_pseudonym(row["member"]) == row["pseudonym"]
    assert by_hand.keyed(row["key"], b"rg1/staff|" + row["member"].encode())[:16].hex() == row["pseudonym"]


def test_the_institutions_signature() -> None:
    row = KEYS["signature"]
    signature = RING.sign(row["context"], row["message"].encode())
    assert signature.hex() == row["signature"]
    assert RING.signature_public_key.hex() == row["public_key"]
    public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row["public_key"]))
    public_key.verify(signature, row["context"].encode() + b"\x00" + row["message"].encode())


def test_journal_entries_and_their_tree() -> None:
    entries = [entry.encode() for entry in JOURNAL["entries"]]
    for entry, hexadecimal in zip(entries, JOURNAL["leaf_hashes"], strict=True):
        assert entry_bytes(read_entry(entry)) == entry
        assert leaf_hash(entry).hex() == hexadecimal == hashlib.sha256(b"\x00" + entry).hexdigest()
    tree = Tree(map(leaf_hash, entries))
    assert [tree.root(size).hex() for size in range(8)] == JOURNAL["roots"]
    for row in JOURNAL["inclusion"]:
        path = [bytes.fromhex(step) for step in row["path"]]
        assert list(tree.inclusion_proof(row["index"], row["size"])) == path
        root = tree.root(row["size"])
        assert verify_inclusion(leaf_hash(entries[row["index"]]), row["index"], row["size"], path, root)
    for row in JOURNAL["consistency"]:
        path = [bytes.fromhex(step) for step in row["path"]]
        first, second = row["first"], row["second"]
        assert list(tree.consistency_proof(first, second)) == path
        assert verify_consistency(first, second, tree.root(first), tree.root(second), path)
    frontier = Frontier.read(bytes.fromhex(JOURNAL["frontier"]["octets"]))
    assert frontier == Frontier().extend(map(leaf_hash, entries))


def test_signed_heads_cosignatures_and_proofs() -> None:
    log, witness = JOURNAL["log"], JOURNAL["witness"]
    assert RING.journal_verifier_key(log["origin"]) == log["verifier_key"]
    signed = read_checkpoint(JOURNAL["checkpoint"])
    assert RING.sign_checkpoint(log["origin"], 7, bytes.fromhex(JOURNAL["roots"][7])) == JOURNAL["checkpoint"]
    line = cosign_checkpoint(
        signed,
        witness["name"],
        Ed25519PrivateKey.from_private_bytes(bytes.fromhex(witness["private_key"])),
        now=datetime.fromtimestamp(witness["time"], UTC),
    )
    moment = datetime.fromtimestamp(witness["time"], UTC)
    assert RING.cosign(witness["name"], JOURNAL["checkpoint"], moment) == line.line
    assert RING.witness_verifier_key(witness["name"]) == witness["verifier_key"]
    cosigned = signed.with_signature(line)
    assert cosigned.text == JOURNAL["cosigned_checkpoint"]
    assert is_signed_by(cosigned, VerifierKey.read(log["verifier_key"]))
    assert is_signed_by(cosigned, VerifierKey.read(witness["verifier_key"]))
    octets = base64.b64decode(JOURNAL["cosigned_checkpoint"].splitlines()[-1].split(" ")[2])
    body = JOURNAL["checkpoint"].partition("\n\n")[0] + "\n"
    public_key = base64.b64decode(witness["verifier_key"].split("+", 2)[2])[1:]
    assert octets[:4] == hashlib.sha256(witness["name"].encode() + b"\n\x04" + public_key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(public_key).verify(
        octets[12:], f"cosignature/v1\ntime {witness['time']}\n{body}".encode()
    )
    row = JOURNAL["proof"]
    proof = EntryProof.read(row["text"])
    assert proof.extra == JOURNAL["entries"][row["index"]].encode()
    quorum = Quorum(VerifierKey.read(log["verifier_key"]), (VerifierKey.read(witness["verifier_key"]),))
    assert proof.holds(quorum.log, quorum=quorum)
    assert quorum.policy({witness["name"]: row["witness_address"]}) == row["policy"]


def test_what_a_witness_is_sent_and_answers() -> None:
    key = VerifierKey.read(JOURNAL["log"]["verifier_key"])
    for row in JOURNAL["add_checkpoint"]:
        known = WatchedJournal(key, row["known_size"], bytes.fromhex(row["known_root"]))
        request = AddCheckpoint.read(row["request"].encode())
        assert request.octets == row["request"].encode()
        refusal = request.refusal(known)
        if refusal is None:
            assert row["status"] == 200
        else:
            assert refusal.status == row["status"]
            assert row["body"] in (None, refusal.body)
