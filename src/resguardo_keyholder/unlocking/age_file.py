"""An age file locked by a passphrase: what any `age` program opens again with ``age --decrypt``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import pyrage

from resguardo.values import Problem, Refused

SHORTEST_PASSPHRASE: Final = 16
"""Letters, digits and signs that a passphrase has at least; words by chance are the better one."""

_IDENTITY: Final = "AGE-SECRET-KEY-1"


class Passphrase:
    """Locks by a passphrase, through scrypt with the work of about a second, which age itself chooses.

    A passphrase that is itself an age identity cannot be guessed: it locks as such, without that work.
    """

    name: Final = "passphrase"

    def __init__(self, passphrase: str, *, beside: bool = False) -> None:
        """`beside`: the passphrase lies in the same folder, because nobody was there to keep it."""
        self._passphrase = unicodedata.normalize("NFC", passphrase)
        self._beside = beside

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """What must be remembered to unlock again, and is no secret."""
        return {"passphrase_lies": "beside" if self._beside else "elsewhere"}

    def lock(self, secret: bytes) -> bytes:
        """The secret as an age file; a short passphrase is refused."""
        if len(self._passphrase) < SHORTEST_PASSPHRASE:
            raise Refused(Problem("unlocking.passphrase.too_short", {"least": str(SHORTEST_PASSPHRASE)}))
        if self._passphrase.startswith(_IDENTITY):
            locked: bytes = pyrage.encrypt(secret, [self._as_identity().to_public()])
            return locked
        return lock_with(secret, self._passphrase)

    def unlock(self, blob: bytes) -> bytes:
        """The secret; a wrong passphrase is refused."""
        if self._passphrase.startswith(_IDENTITY):
            try:
                opened: bytes = pyrage.decrypt(blob, [self._as_identity()])
            except pyrage.DecryptError:
                raise Refused(Problem("unlocking.passphrase.wrong")) from None
            return opened
        secret = unlock_with(blob, self._passphrase)
        if secret is None:
            raise Refused(Problem("unlocking.passphrase.wrong"))
        return secret

    def _as_identity(self) -> Any:
        try:
            return pyrage.x25519.Identity.from_str(self._passphrase)
        except pyrage.IdentityError:
            raise Refused(Problem("unlocking.passphrase.wrong")) from None


def lock_with(secret: bytes, passphrase: str) -> bytes:
    """The secret as an age file."""
    locked: bytes = pyrage.passphrase.encrypt(secret, passphrase)
    return locked


def unlock_with(blob: bytes, passphrase: str) -> bytes | None:
    """The secret in an age file; None when the passphrase is another one, or the file is damaged.

    A file made on a much faster machine is refused for what it is: its work would take this one minutes.
    """
    try:
        secret: bytes = pyrage.passphrase.decrypt(blob, passphrase)
    except pyrage.DecryptError as failed:
        if "xcessive" in str(failed):
            raise Refused(Problem("unlocking.passphrase.too_much_work")) from None
        return None
    return secret
