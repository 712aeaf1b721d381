"""The keys of one institution: who holds them can open its records, so nothing here ever prints one.

A *compartment key* (KEK) wraps the key of each subject of a site and programme. A *subject key* (DEK) seals
that one subject's records; to forget it is to erase them. Beside these the ring holds the keys for blind
search, for counting, and for signing the journal. Only the keyholder, a process of its own, holds a ring and
its file.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resguardo.keep import checkpoint as notes
from resguardo.values import Chance, Problem, Refused

WRAPPED_BYTES: Final = 66
"""How long a wrapped subject key is: header 6, nonce 12, key 32, tag 16."""

LARGEST_CELL_KEY: Final = 2**31 - 2
_CELL_KEY_PRIME: Final = 2**31 - 1

_WRAP_VERSION: Final = 1
_LOCAL_GCM: Final = 1
_COMPARTMENT = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}", re.ASCII)
_UNIT = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)


class KeyRefused(Refused):
    """A key is missing, or does not fit what it should open."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(Problem(f"keep.keys.{code}", facts))


class WrapBroken(KeyRefused):
    """The wrapped key is damaged, or belongs to another subject, compartment, institution or version."""

    def __init__(self) -> None:
        super().__init__("wrap_broken")


class CompartmentKeyMissing(KeyRefused):
    """The compartment key that wrapped this subject key was destroyed, or is in another ring."""

    def __init__(self, compartment: str) -> None:
        super().__init__("compartment_key_missing", compartment=compartment)


class KeyFileRefused(KeyRefused):
    """The key file is not one of ours, is damaged, or is of a version that this program does not know."""

    def __init__(self) -> None:
        super().__init__("key_file")


class _Hidden:
    """A value that never shows its bytes: not when printed, not in a traceback, not when pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a key and is not copied out of the process")


@dataclass(frozen=True, repr=False, slots=True)
class SubjectKey(_Hidden):
    """The 32 random bytes under which one subject's records are sealed (the DEK of the design)."""

    octets: bytes

    def __post_init__(self) -> None:
        _thirty_two(self.octets)


@dataclass(frozen=True, repr=False, slots=True)
class StatisticsKey(_Hidden):
    """One version of the institution's key for facts; the counting process alone asks for it."""

    version: int
    octets: bytes

    def __post_init__(self) -> None:
        _thirty_two(self.octets)
        if not 1 <= self.version <= 0xFFFF:
            raise KeyRefused("number")


@dataclass(frozen=True, repr=False, slots=True)
class CompartmentKey(_Hidden):
    """One version of the key that wraps the subject keys of a compartment (the KEK of the design)."""

    compartment: str
    version: int
    id: int
    made_at: datetime
    octets: bytes

    def __post_init__(self) -> None:
        _thirty_two(self.octets)
        if not _COMPARTMENT.fullmatch(self.compartment):
            raise KeyRefused("compartment_name", compartment=self.compartment)
        if not (1 <= self.id <= 0xFFFFFFFF and 1 <= self.version <= 0xFFFFFFFF):
            raise KeyRefused("number")


class IndexField(IntEnum):
    """What can be searched for without opening anything; the numbers are part of the format."""

    SUBJECT_CODE = 1
    DOCUMENT = 2
    PHONE = 3
    NAME = 4


@dataclass(frozen=True, repr=False, slots=True)
class IndexKey(_Hidden):
    """One version of the key that makes the blind tokens of one field."""

    field: IndexField
    version: int
    octets: bytes

    def __post_init__(self) -> None:
        _thirty_two(self.octets)
        if not 1 <= self.version <= 0xFF:
            raise KeyRefused("number")


@dataclass(frozen=True)
class BlindToken:
    """The trace by which equal values are found and from which no value is read without the key."""

    field: IndexField
    key_version: int
    token: bytes

    @property
    def octets(self) -> bytes:
        """The row of the blind index: field (2 bytes), key version (1), token (16)."""
        return self.field.to_bytes(2, "big") + self.key_version.to_bytes(1, "big") + self.token


@dataclass(frozen=True, repr=False)
class KeyRing(_Hidden):
    """All keys of one institution, as values: a change gives a new ring, which its owner writes down."""

    institution: UUID
    compartment_keys: tuple[CompartmentKey, ...]
    index_keys: tuple[IndexKey, ...]
    statistics_keys: tuple[StatisticsKey, ...]
    record_key: bytes
    pseudonym_key: bytes
    arrival_key: bytes
    staff_key: bytes
    journal_key: Ed25519PrivateKey
    signature_key: Ed25519PrivateKey
    witness_key: Ed25519PrivateKey
    """Cosigns the journals of others; never the key of a journal, as c2sp.org/tlog-cosignature demands."""
    last_key_id: int
    """The highest number that a compartment key ever had: a number is not used again after destruction."""
    _by_id: Mapping[int, tuple[CompartmentKey, AESGCM]] = field(init=False, compare=False)
    _newest: Mapping[str, CompartmentKey] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        for octets in (self.record_key, self.pseudonym_key, self.arrival_key, self.staff_key):
            _thirty_two(octets)
        newest: dict[str, CompartmentKey] = {}
        for key in self.compartment_keys:
            held = newest.get(key.compartment)
            if held is None or key.version > held.version:
                newest[key.compartment] = key
        object.__setattr__(self, "_newest", newest)
        by_id = {key.id: (key, AESGCM(key.octets)) for key in self.compartment_keys}
        object.__setattr__(self, "_by_id", by_id)
        versions = {(key.compartment, key.version) for key in self.compartment_keys}
        index = {(key.field, key.version) for key in self.index_keys}
        if (
            len(by_id) != len(self.compartment_keys)
            or len(versions) != len(self.compartment_keys)
            or len(index) != len(self.index_keys)
            or len({key.version for key in self.statistics_keys}) != len(self.statistics_keys)
            or not self.statistics_keys
            or any(key.id > self.last_key_id for key in self.compartment_keys)
            or {key.field for key in self.index_keys} != set(IndexField)
        ):
            raise KeyFileRefused

    # Compartments

    def has_compartment(self, compartment: str) -> bool:
        """True when the ring can wrap subject keys of that compartment."""
        return compartment in self._newest

    def with_compartment(self, compartment: str, chance: Chance, now: datetime) -> KeyRing:
        """A ring that has the compartment: this one if it has it, else one with a first key for it."""
        return self if compartment in self._newest else self.with_new_version(compartment, chance, now)

    def with_new_version(self, compartment: str, chance: Chance, now: datetime) -> KeyRing:
        """A ring that wraps with a fresh key from now on, and still unwraps what older keys wrapped."""
        held = self._newest.get(compartment)
        key = CompartmentKey(
            compartment=compartment,
            version=held.version + 1 if held else 1,
            id=self.last_key_id + 1,
            made_at=_whole_second(now),
            octets=chance(32),
        )
        return replace(self, compartment_keys=(*self.compartment_keys, key), last_key_id=key.id)

    def without_compartment_key(self, key_id: int) -> KeyRing:
        """A ring that has forgotten one key: what only that key wrapped is lost for ever, in every copy."""
        return replace(self, compartment_keys=tuple(key for key in self.compartment_keys if key.id != key_id))

    def newest_key_id(self, compartment: str) -> int:
        """The number of the key that wraps now; what another number wrapped waits to be wrapped again."""
        return self._newest_of(compartment).id

    # Subject keys

    def wrap_subject_key(
        self, subject_key: SubjectKey, *, compartment: str, subject: UUID, key_version: int, nonce: bytes
    ) -> bytes:
        """The 66 bytes in which a subject key lies in the database."""
        key = self._newest_of(compartment)
        if len(nonce) != 12:
            raise KeyRefused("nonce")
        bound = self._wrap_context(key, subject, key_version)
        sealed = self._by_id[key.id][1].encrypt(nonce, subject_key.octets, bound)
        return bytes((_WRAP_VERSION, _LOCAL_GCM)) + key.id.to_bytes(4, "big") + nonce + sealed

    def unwrap_subject_key(
        self, wrapped: bytes, *, compartment: str, subject: UUID, key_version: int
    ) -> SubjectKey:
        """The subject key that lies in the 66 bytes; refuses them in any other place than their own."""
        if len(wrapped) != WRAPPED_BYTES or wrapped[0] != _WRAP_VERSION or wrapped[1] != _LOCAL_GCM:
            raise WrapBroken
        held = self._by_id.get(wrapped_by(wrapped))
        if held is None:
            raise CompartmentKeyMissing(compartment)
        key, cipher = held
        if key.compartment != compartment:
            raise WrapBroken
        try:
            octets = cipher.decrypt(
                wrapped[6:18], wrapped[18:], self._wrap_context(key, subject, key_version)
            )
        except InvalidTag:
            raise WrapBroken from None
        return SubjectKey(octets)

    # Blind tokens

    def blind_token(self, index: IndexField, *parts: str) -> BlindToken:
        """The token of a value under the newest key of its field; country and kind of document come first.

        Two spellings of one document have one token: ``"MX", "CURP", "abc-1"`` and ``"mx", "curp", "ABC 1"``.
        """
        return _blind_token(self._index_key(index), "|".join(normal_form(part) for part in parts).encode())

    def blind_tokens(self, index: IndexField, *parts: str) -> tuple[BlindToken, ...]:
        """The tokens under every version of the field's key: what to search for while rows are made anew."""
        text = "|".join(normal_form(part) for part in parts).encode()
        return tuple(_blind_token(key, text) for key in self.index_keys if key.field == index)

    def subject_code_token(self, programme: str, about: str, *code: str) -> BlindToken:
        """The token by which rows about the same subject of a programme find each other.

        Only case, width and outer spaces are forgiven: ``A-1-12`` and ``A-11-2`` are two people.
        """
        key = self._index_key(IndexField.SUBJECT_CODE)
        return _blind_token(key, _subject_code(programme, about, code))

    def subject_code_tokens(self, programme: str, about: str, *code: str) -> tuple[BlindToken, ...]:
        """The tokens under every version of the key: what to search for while rows are made anew."""
        text = _subject_code(programme, about, code)
        return tuple(
            _blind_token(key, text) for key in self.index_keys if key.field is IndexField.SUBJECT_CODE
        )

    def with_new_index_version(self, index: IndexField, chance: Chance) -> KeyRing:
        """A ring that makes new tokens of that field under a fresh key; the old key stays for old rows."""
        key = IndexKey(index, self._index_key(index).version + 1, chance(32))
        return replace(self, index_keys=(*self.index_keys, key))

    def arrival_token(self, canonical_bytes: bytes) -> bytes:
        """Sixteen bytes by which a submission that comes again is known, even if its subject was erased."""
        return hmac.digest(self.arrival_key, b"rg1/arrival|" + canonical_bytes, "sha256")[:16]

    def receipt_token(self, code: str) -> bytes:
        """Sixteen bytes by which the code on a receipt is known; the code itself is stored nowhere."""
        return hmac.digest(self.arrival_key, b"rg1/receipt|" + code.encode(), "sha256")[:16]

    def answer_token(self, subject: UUID, question: str, answer: str) -> bytes:
        """Sixteen bytes by which one person's answer is known again; equal answers of two people differ."""
        message = b"rg1/answer|" + subject.bytes + question.encode() + b"|" + answer.encode()
        return hmac.digest(self.arrival_key, message, "sha256")[:16]

    # Facts and counting

    @property
    def statistics_key(self) -> StatisticsKey:
        """The newest key for facts."""
        return max(self.statistics_keys, key=lambda key: key.version)

    def statistics_key_of(self, version: int) -> StatisticsKey:
        """The key for facts of that version."""
        for key in self.statistics_keys:
            if key.version == version:
                return key
        raise KeyRefused("statistics_key_missing", version=str(version))

    def with_new_statistics_version(self, chance: Chance) -> KeyRing:
        """A ring that seals facts under a fresh key from now on, and still opens what older keys sealed."""
        key = StatisticsKey(self.statistics_key.version + 1, chance(32))
        return replace(self, statistics_keys=(*self.statistics_keys, key))

    def unit_key(self, unit: str, subject: UUID) -> bytes:
        """Sixteen bytes under which one subject is counted once; without the ring they lead to nobody."""
        _check_unit(unit)
        message = b"rg/unit/v1|" + unit.encode() + b"|" + subject.bytes
        return hmac.digest(self.pseudonym_key, message, "sha256")[:16]

    def cell_key(self, unit: str, token: bytes) -> int:
        """A number from 0 to 2**31 - 2 that is the same wherever the same unit is counted.

        It is ``rkey`` of docs/formats.md: the sum of these over the units of a cell decides its noise.
        """
        _check_unit(unit)
        message = b"rg/rkey/v1|" + unit.encode() + b"|" + token
        digest = hmac.digest(self.record_key, message, "sha256")
        return int.from_bytes(digest[:8], "big") % _CELL_KEY_PRIME

    # The journal and signatures

    def staff_pseudonym(self, member: str) -> str:
        """The 32 hexadecimal digits under which a member of staff stands in the journal."""
        return hmac.digest(self.staff_key, b"rg1/staff|" + member.encode(), "sha256")[:16].hex()

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        """The journal's head as a signed note; the caller has computed the root again from the entries."""
        return notes.sign_checkpoint(notes.Checkpoint(origin, size, root), self.journal_key).text

    def journal_verifier_key(self, origin: str) -> str:
        """The public key that anyone checks the journal with, in the format of C2SP."""
        public_key = self.journal_key.public_key().public_bytes_raw()
        return notes.VerifierKey(origin, notes.LOG_SIGNATURE, public_key).text

    def cosign(self, name: str, note: str, now: datetime) -> str:
        """The line by which the institution, as a witness of that name, vouches for another journal's head.

        The caller has found that the head follows from every head cosigned before, and keeps it.
        """
        head = notes.read_checkpoint(note)
        return notes.cosign_checkpoint(head, name, self.witness_key, now=now).line

    def witness_verifier_key(self, name: str) -> str:
        """The public key that anyone checks the institution's cosignatures with, in the format of C2SP."""
        public_key = self.witness_key.public_key().public_bytes_raw()
        return notes.VerifierKey(name, notes.COSIGNATURE, public_key).text

    def sign(self, context: str, message: bytes) -> bytes:
        """The institution's Ed25519 signature, 64 bytes; `context` such as ``resguardo/receipt/v1``."""
        return self.signature_key.sign(_signed_message(context, message))

    @property
    def signature_public_key(self) -> bytes:
        """The 32 bytes with which others check `sign`."""
        return self.signature_key.public_key().public_bytes_raw()

    # The file

    def to_file(self) -> bytes:
        """The ring as its key file; who reads it opens everything, so it is written for its owner alone."""
        text = {
            "format": _FORMAT,
            "version": _FILE_VERSION,
            "institution": str(self.institution),
            "last_key_id": self.last_key_id,
            "compartments": [
                {
                    "name": key.compartment,
                    "version": key.version,
                    "id": key.id,
                    "made_at": key.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "key": _text(key.octets),
                }
                for key in self.compartment_keys
            ],
            "index": [
                {"field": key.field.name.lower(), "version": key.version, "key": _text(key.octets)}
                for key in self.index_keys
            ],
            "statistics": [
                {"version": key.version, "key": _text(key.octets)} for key in self.statistics_keys
            ],
            "record": _text(self.record_key),
            "pseudonym": _text(self.pseudonym_key),
            "arrival": _text(self.arrival_key),
            "staff": _text(self.staff_key),
            "journal": _text(self.journal_key.private_bytes_raw()),
            "signature": _text(self.signature_key.private_bytes_raw()),
            "witness": _text(self.witness_key.private_bytes_raw()),
        }
        return json.dumps(text, indent=1).encode() + b"\n"

    @classmethod
    def from_file(cls, content: bytes) -> KeyRing:
        """The ring in a key file; refuses a file that is damaged or of a version that is not known."""
        try:
            text = json.loads(content.decode("ascii"))
            if text["format"] != _FORMAT or text["version"] != _FILE_VERSION:
                raise KeyFileRefused
            if text["witness"] in (text["journal"], text["signature"]):
                raise KeyFileRefused
            return cls._from_members(text)
        except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, KeyRefused):
            raise KeyFileRefused from None

    @classmethod
    def _from_members(cls, text: Mapping[str, Any]) -> KeyRing:
        return cls(
            institution=UUID(text["institution"]),
            compartment_keys=tuple(
                CompartmentKey(
                    compartment=row["name"],
                    version=_whole(row["version"]),
                    id=_whole(row["id"]),
                    made_at=datetime.strptime(row["made_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
                    octets=_octets(row["key"]),
                )
                for row in text["compartments"]
            ),
            index_keys=tuple(
                IndexKey(IndexField[row["field"].upper()], _whole(row["version"]), _octets(row["key"]))
                for row in text["index"]
            ),
            statistics_keys=tuple(
                StatisticsKey(_whole(row["version"]), _octets(row["key"])) for row in text["statistics"]
            ),
            record_key=_octets(text["record"]),
            pseudonym_key=_octets(text["pseudonym"]),
            arrival_key=_octets(text["arrival"]),
            staff_key=_octets(text["staff"]),
            journal_key=Ed25519PrivateKey.from_private_bytes(_octets(text["journal"])),
            signature_key=Ed25519PrivateKey.from_private_bytes(_octets(text["signature"])),
            witness_key=Ed25519PrivateKey.from_private_bytes(_octets(text["witness"])),
            last_key_id=_whole(text["last_key_id"]),
        )

    # Inside

    def _newest_of(self, compartment: str) -> CompartmentKey:
        try:
            return self._newest[compartment]
        except KeyError:
            raise CompartmentKeyMissing(compartment) from None

    def _index_key(self, index: IndexField) -> IndexKey:
        return max((key for key in self.index_keys if key.field == index), key=lambda key: key.version)

    def _wrap_context(self, key: CompartmentKey, subject: UUID, key_version: int) -> bytes:
        """What the wrapped bytes are bound to; only the compartment's name varies in length."""
        return b"".join(
            (
                b"rg1/dek",
                self.institution.bytes,
                key.compartment.encode(),
                subject.bytes,
                key_version.to_bytes(2, "big"),
                key.id.to_bytes(4, "big"),
            )
        )


def new_key_ring(institution: UUID, chance: Chance, *, record_key: bytes | None = None) -> KeyRing:
    """A fresh ring without compartments; institutions that publish a table together share `record_key`."""
    return KeyRing(
        institution=institution,
        compartment_keys=(),
        index_keys=tuple(IndexKey(index, 1, chance(32)) for index in IndexField),
        statistics_keys=(StatisticsKey(1, chance(32)),),
        record_key=record_key if record_key is not None else chance(32),
        pseudonym_key=chance(32),
        arrival_key=chance(32),
        staff_key=chance(32),
        journal_key=Ed25519PrivateKey.from_private_bytes(chance(32)),
        signature_key=Ed25519PrivateKey.from_private_bytes(chance(32)),
        witness_key=Ed25519PrivateKey.from_private_bytes(chance(32)),
        last_key_id=0,
    )


def new_subject_key(chance: Chance) -> SubjectKey:
    """A fresh key for one subject."""
    return SubjectKey(chance(32))


def wrapped_by(wrapped: bytes) -> int:
    """The number of the compartment key that wrapped a subject key: what rotation looks at."""
    return int.from_bytes(wrapped[2:6], "big")


def normal_form(value: str) -> str:
    """A value without case, width, accents, spaces and punctuation: two
    spellings of one document become equal.

        >>> normal_form("  Peña-Núñez, José ")
        'penanunezjose'
        >>> normal_form("+502 5555-1234")
        '50255551234'
    """
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", value).casefold())
    return "".join(letter for letter in bare if unicodedata.category(letter)[0] in "LN")


def _subject_code(programme: str, about: str, code: Sequence[str]) -> bytes:
    """Who a row is about, each part with its length in front: no two codes run together."""
    parts = [programme, about, *(unicodedata.normalize("NFKC", part).casefold().strip() for part in code)]
    return b"".join(len(octets).to_bytes(4, "big") + octets for octets in map(str.encode, parts))


def _blind_token(key: IndexKey, text: bytes) -> BlindToken:
    return BlindToken(key.field, key.version, hmac.digest(key.octets, text, "sha256")[:16])


def _signed_message(context: str, message: bytes) -> bytes:
    return context.encode() + b"\x00" + message


def _check_unit(unit: str) -> None:
    if not _UNIT.fullmatch(unit):
        raise KeyRefused("unit", unit=unit)


def _thirty_two(octets: bytes) -> None:
    if not isinstance(octets, bytes) or len(octets) != 32:
        raise KeyRefused("length")


def _whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _whole(number: object) -> int:
    if type(number) is not int:
        raise KeyFileRefused
    return number


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(text: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise KeyFileRefused from None
    return octets


_FORMAT: Final = "resguardo key ring"
_FILE_VERSION: Final = 2
"""A file of version 1 has no witness key; none was ever released, so none is read."""
