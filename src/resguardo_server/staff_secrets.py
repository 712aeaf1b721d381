"""What the service keeps about staff under its own secret: codes, sessions, the names of who tried to enter.

The key of each use is drawn from `SECRET_KEY` (HKDF), so a copy of the database without the file `secret-key`
gives no session that works, no code and no name of an account. Nothing of a migrant is sealed here: that is
the work of `resguardo.keep` and of keys that the web never holds.
"""

from __future__ import annotations

import base64
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE = 12


@lru_cache(maxsize=64)
def _key(secret: str, use: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"resguardo/staff/{use}".encode()).derive(secret.encode())


def sealed(octets: bytes, use: str, about: str = "") -> str:
    """`octets` as text that opens only for the same use and about the same thing, with the secret."""
    nonce = os.urandom(NONCE)
    closed = AESGCM(_key(settings.SECRET_KEY, use)).encrypt(nonce, octets, about.encode())
    return base64.urlsafe_b64encode(nonce + closed).decode()


def opened(text: str, use: str, about: str = "") -> bytes | None:
    """What was sealed, or None: another use, another thing, another secret, or changed on the way."""
    try:
        octets = base64.urlsafe_b64decode(text.encode())
        return AESGCM(_key(settings.SECRET_KEY, use)).decrypt(octets[:NONCE], octets[NONCE:], about.encode())
    except (InvalidTag, ValueError):
        return None


def pseudonym(text: str, use: str) -> str:
    """A fixed stand-in for `text` that nobody without the secret can compute or turn back."""
    return hmac.new(_key(settings.SECRET_KEY, use), text.encode(), "sha256").hexdigest()
