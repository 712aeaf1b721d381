"""A journal's size and root, signed so that anybody can check them, in the text formats of C2SP.

Signed note and verifier key: c2sp.org/signed-note. Checkpoint: c2sp.org/tlog-checkpoint. Cosignature of a
witness: c2sp.org/tlog-cosignature, type ``cosignature/v1``. Tools that know these formats read our journals,
and we read theirs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from resguardo.values import Problem, Refused

LOG_SIGNATURE = 0x01
"""Signature type of an Ed25519 signature over the note's text (a log's own)."""
COSIGNATURE = 0x04
"""Signature type of a timestamped Ed25519 cosignature (a witness's)."""

_DASH = "\N{EM DASH} "
_MOST_SIGNATURES = 64
_MOST_CHARACTERS = 1_000_000


class NotACheckpoint(Refused):
    """The text is not a checkpoint, a verifier key or a proof in the formats of C2SP."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(Problem(f"keep.checkpoint.{code}", facts))


@dataclass(frozen=True)
class Checkpoint:
    """What a journal says of itself: its origin, how many entries it has, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed: three lines, each ended."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True)
class NoteSignature:
    """One signature line of a note: who says to have signed, the key's short name, the signature."""

    name: str
    key_id: bytes
    octets: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, ended."""
        return f"{_DASH}{self.name} {_base64(self.key_id + self.octets)}\n"


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint with the signatures found under it; believed only after `is_signed_by`."""

    checkpoint: Checkpoint
    body: str
    signatures: tuple[NoteSignature, ...]

    @property
    def text(self) -> str:
        """The whole note."""
        return self.body + "\n" + "".join(signature.line for signature in self.signatures)

    def with_signature(self, signature: NoteSignature) -> SignedCheckpoint:
        """The same checkpoint with one more signature, such as a witness's."""
        return replace(self, signatures=(*self.signatures, signature))


@dataclass(frozen=True)
class VerifierKey:
    """The public half of a log's or a witness's key, with its name and the kind of signature that it makes.

    >>> VerifierKey.read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").key_id.hex()
    'c74f20a3'
    """

    name: str
    kind: int
    public_key: bytes

    @classmethod
    def read(cls, text: str) -> VerifierKey:
        """The key in ``name+keyid+base64``; refuses one whose short name does not belong to it."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not _is_key_name(parts[0]):
            raise NotACheckpoint("not_a_key")
        octets = _octets(parts[2], "not_a_key")
        if len(octets) != 33 or octets[0] not in (LOG_SIGNATURE, COSIGNATURE):
            raise NotACheckpoint("not_a_key")
        key = cls(parts[0], octets[0], octets[1:])
        if key.key_id.hex() != parts[1]:
            raise NotACheckpoint("not_a_key")
        return key

    @property
    def key_id(self) -> bytes:
        """The key's short name, four bytes."""
        return key_id(self.name, self.kind, self.public_key)

    @property
    def text(self) -> str:
        """The key as people exchange it."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.kind]) + self.public_key)}"


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """The first four bytes of SHA-256 over name, newline, kind and public key (c2sp.org/signed-note)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


def sign_checkpoint(checkpoint: Checkpoint, private_key: Ed25519PrivateKey) -> SignedCheckpoint:
    """The checkpoint signed by its log; the key's name is the origin.

    The caller has computed the root again from the entries: a log never signs what it did not check.
    """
    if not _is_key_name(checkpoint.origin) or checkpoint.size < 0 or len(checkpoint.root) != 32:
        raise NotACheckpoint("not_a_checkpoint")
    body = checkpoint.body
    name = key_id(checkpoint.origin, LOG_SIGNATURE, private_key.public_key().public_bytes_raw())
    signature = NoteSignature(checkpoint.origin, name, private_key.sign(body.encode()))
    return SignedCheckpoint(checkpoint, body, (signature,))


def cosign_checkpoint(
    signed: SignedCheckpoint, witness: str, private_key: Ed25519PrivateKey, *, now: datetime
) -> NoteSignature:
    """The line by which a witness says: at this moment this was the longest head of that log I saw."""
    moment = int(now.timestamp())
    message = f"cosignature/v1\ntime {moment}\n{signed.body}".encode()
    octets = moment.to_bytes(8, "big") + private_key.sign(message)
    return NoteSignature(
        witness, key_id(witness, COSIGNATURE, private_key.public_key().public_bytes_raw()), octets
    )


def is_signed_by(signed: SignedCheckpoint, key: VerifierKey) -> bool:
    """True when that key's signature is there and holds; one false line of that key spoils it."""
    return moment_signed_by(signed, key) is not None


def moment_signed_by(signed: SignedCheckpoint, key: VerifierKey) -> datetime | None:
    """When that key signed (1970 for a log's own signature, which has no time); None if it did not."""
    public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
    found: datetime | None = None
    for signature in signed.signatures:
        if signature.name != key.name or signature.key_id != key.key_id:
            continue
        octets, message, moment = signature.octets, signed.body.encode(), 0
        if key.kind == COSIGNATURE:
            if len(octets) != 72:
                return None
            moment = int.from_bytes(octets[:8], "big")
            message = f"cosignature/v1\ntime {moment}\n".encode() + message
            octets = octets[8:]
        try:
            public_key.verify(octets, message)
            found = datetime.fromtimestamp(moment, UTC)
        except (InvalidSignature, ValueError, OverflowError, OSError):
            return None
    return found


def read_checkpoint(text: str) -> SignedCheckpoint:
    """The checkpoint in a signed note; refuses what strays from the format, trusts no signature yet."""
    if len(text) > _MOST_CHARACTERS or any(ord(c) < 0x20 and c != "\n" for c in text):
        raise NotACheckpoint("not_a_checkpoint")
    body, gap, rest = text.rpartition("\n\n")
    lines = rest.split("\n")
    if not gap or len(lines) < 2 or lines.pop() != "" or len(lines) > _MOST_SIGNATURES:
        raise NotACheckpoint("not_a_checkpoint")
    signatures = tuple(_read_signature(line) for line in lines)
    words = body.split("\n")
    if len(words) < 3 or "" in words or not re.fullmatch(r"0|[1-9][0-9]{0,18}", words[1], re.ASCII):
        raise NotACheckpoint("not_a_checkpoint")
    root = _octets(words[2], "not_a_checkpoint")
    if len(root) != 32:
        raise NotACheckpoint("not_a_checkpoint")
    return SignedCheckpoint(Checkpoint(words[0], int(words[1]), root), body + "\n", signatures)


def read_checkpoints(text: str) -> tuple[SignedCheckpoint, ...]:
    """Every checkpoint of a file that holds several, one after the other with an empty line between them."""
    parts = re.split(rf"\n\n(?!{_DASH})", text.rstrip("\n"))
    return tuple(read_checkpoint(part + "\n") for part in parts)


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or ord(c) < 0x20 for c in name)


def _read_signature(line: str) -> NoteSignature:
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2 or not _is_key_name(parts[0]):
        raise NotACheckpoint("not_a_checkpoint")
    octets = _octets(parts[1], "not_a_checkpoint")
    if len(octets) < 5:
        raise NotACheckpoint("not_a_checkpoint")
    return NoteSignature(parts[0], octets[:4], octets[4:])


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(text: str, code: str) -> bytes:
    """The bytes of strict base64: one text per value, so that nothing can be changed without a trace."""
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotACheckpoint(code) from None
    if _base64(octets) != text:
        raise NotACheckpoint(code)
    return octets
