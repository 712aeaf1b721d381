"""The vectors for other implementations: codes and a receipt, worked out a second time by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.rules.allow.receipts import RECEIPT

from resguardo.allow import receipt
from resguardo.allow.receipt import read_receipt, receipt_hash, verify_receipt
from resguardo.allow.receipt_code import ALPHABET, READ_AS, new_code, read_code
from resguardo.keep.keys import KeyRing

VECTORS = Path(__file__).parents[2] / "vectors"
FORMATS = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
FILE: dict[str, Any] = json.loads((VECTORS / "receipt.json").read_text(encoding="utf-8"))
KEYS: dict[str, Any] = json.loads((VECTORS / "keys.json").read_text(encoding="utf-8"))


def code_by_hand(chance: bytes) -> str:
    """A code from its 16 bytes, as docs/formats.md says it."""
    number, signs = int.from_bytes(chance, "big"), []
    for _ in range(18):
        signs.append(number % 23)
        number //= 23
    for x in range(23):
        for y in range(23):
            numbers = [*signs, x, y]
            if sum(numbers) % 23 == 0 and sum(i * n for i, n in enumerate(numbers, 1)) % 23 == 0:
                return "".join("0123456789CFHJKMNPRTWXY"[n] for n in numbers)
    raise AssertionError


@pytest.mark.parametrize("row", FILE["codes"])
def test_codes_are_made_as_the_format_says(row: dict[str, str]) -> None:
    chance = bytes.fromhex(row["chance"])
    code = new_code(lambda count: chance[:count])
    assert code.text == row["text"]
    assert code.signs == code_by_hand(chance) == row["signs"]
    assert code.address("https://resguardo.example") == row["address"]


@pytest.mark.parametrize("row", FILE["codes"])
def test_a_code_has_the_token_that_the_format_says(row: dict[str, str]) -> None:
    ring = KeyRing.from_file(json.dumps(KEYS["key_file"]).encode())
    key = base64.b64decode(KEYS["key_file"]["arrival"])
    by_hand = hmac.new(key, b"rg1/receipt|" + row["signs"].encode(), hashlib.sha256).digest()[:16]
    assert ring.receipt_token(read_code(row["typed"]).token_text) == by_hand == bytes.fromhex(row["token"])


def test_the_receipt_of_the_vectors_verifies_by_hand_and_by_ours() -> None:
    text, public_key = FILE["receipt"]["text"], bytes.fromhex(FILE["receipt"]["public_key"])
    members = json.loads(text)
    assert json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    proof = members.pop("rgd:signature")
    message = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = base64.b64decode(proof["rgd:octets"])
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, b"resguardo/receipt/v1\x00" + message)
    assert hashlib.sha256(public_key).hexdigest()[:16] == proof["rgd:key"]
    assert hashlib.sha256(text.encode()).hexdigest() == FILE["receipt"]["hash"] == receipt_hash(text)
    assert verify_receipt(text, public_key)


def test_an_old_receipt_stays_readable() -> None:
    """The house's words may change; what a person took home is still read and still verifies."""
    assert read_receipt(FILE["receipt"]["text"]) == RECEIPT


def test_every_term_is_one_of_the_data_privacy_vocabulary() -> None:
    """The list was taken from dpv.csv of version 2.3 (w3c/dpv at f01a55c, February 2026)."""
    text = Path(receipt.__file__).read_text(encoding="utf-8")
    used = set(re.findall(r'"(dpv:\w+)"', text))
    assert used == set(FILE["dpv_terms"])


def test_the_alphabet_and_its_look_alikes_are_documented() -> None:
    assert f"`{ALPHABET}`" in FORMATS
    for letter, sign in READ_AS.items():
        assert f"{letter} → {sign}" in FORMATS


def test_every_member_of_ours_in_a_receipt_is_documented() -> None:
    names = set(re.findall(r'"(rgd:[A-Za-z0-9]+)"', Path(receipt.__file__).read_text(encoding="utf-8")))
    assert names
    assert {name for name in names if f"`{name}`" not in FORMATS} == set()
