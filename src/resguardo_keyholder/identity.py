"""The identity for which the rings are sealed, and the memory in which it lies while the keyholder runs."""

from __future__ import annotations

import ctypes
import hmac
import resource
import sys
from typing import Final, NoReturn

import pyrage

from resguardo.values import Problem, Refused

_FIRST_LINE: Final = b"resguardo sealed file 1\n"
_PR_SET_DUMPABLE: Final = 4


class Identity:
    """An age X25519 identity; a file sealed for it opens under its own name alone.

    Anybody can seal a file for a recipient, so inside each file stands a mark (HMAC-SHA-256 of the file's
    name and content) that only the holder of the identity can make. ``age --decrypt`` opens the file all the
    same: its first line says what it is, its second is the mark, the content follows.
    """

    __slots__ = ("_key", "_mark_key", "recipient")

    recipient: str
    """The public half, ``age1…``."""

    def __init__(self, secret: bytes) -> None:
        try:
            self._key = pyrage.x25519.Identity.from_str(secret.decode("ascii"))
        except (UnicodeDecodeError, pyrage.IdentityError):
            raise Refused(Problem("unlocking.folder.no_identity")) from None
        self._mark_key = hmac.digest(secret, b"rg1/sealed-file", "sha256")
        self.recipient = str(self._key.to_public())

    @classmethod
    def new(cls) -> Identity:
        """A fresh one, from the operating system's chance."""
        return cls(str(pyrage.x25519.Identity.generate()).encode("ascii"))

    @property
    def secret(self) -> bytes:
        """``AGE-SECRET-KEY-1…``: what a way of unlocking locks, and nobody prints."""
        return str(self._key).encode("ascii")

    def seal(self, name: str, content: bytes) -> bytes:
        """The content as an age file that is known to come from here and to belong under that name."""
        marked = _FIRST_LINE + self._mark(name, content) + b"\n" + content
        sealed: bytes = pyrage.encrypt(marked, [self._key.to_public()])
        return sealed

    def open(self, name: str, sealed: bytes) -> bytes:
        """The content; refuses a file that is damaged, made by somebody else, or of another name."""
        try:
            marked: bytes = pyrage.decrypt(sealed, [self._key])
        except pyrage.DecryptError:
            raise Refused(Problem("unlocking.rings.damaged", file=name)) from None
        mark, _, content = marked.removeprefix(_FIRST_LINE).partition(b"\n")
        if not marked.startswith(_FIRST_LINE) or not hmac.compare_digest(mark, self._mark(name, content)):
            raise Refused(Problem("unlocking.rings.not_from_here", file=name))
        return content

    def _mark(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._mark_key, name.encode() + b"\n" + content, "sha256").hex().encode("ascii")

    def __repr__(self) -> str:
        return f"Identity(hidden, for {self.recipient})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Identity is not copied out of the process")


def protect_process() -> bool:
    """From now on no other process of this account can read this one's memory, and a crash leaves no copy.

    True where that is so: on Linux. Elsewhere nothing changes. A program started from here is not protected.
    """
    if sys.platform != "linux":
        return False
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
