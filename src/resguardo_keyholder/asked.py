"""What may be asked of the keyholder, and what it answers: never a key that opens more than was asked.

`Keyholder` is the whole of it. The desk answers in its own process; the service speaks to it through
`resguardo_keyholder.client`. A subject's key and a compartment's key are in no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from resguardo.keep.keys import BlindToken
from resguardo.keep.sealing import GroupKey
from resguardo.values import Permit, Problem


@dataclass(frozen=True)
class Wrapped:
    """A subject's key as it lies in the database."""

    subject: UUID
    compartment: str
    key_version: int
    octets: bytes


@dataclass(frozen=True)
class ToSeal:
    """The answers of one record, by group, to be sealed under its subject's key.

    `wrapped` is empty for a subject that is new: then a fresh key is made for it.
    """

    subject: UUID
    compartment: str
    key_version: int
    wrapped: bytes
    kind: str
    """What the record is about, such as ``person``: the unit that is counted."""
    record: UUID
    row_version: int
    texts: Mapping[int, bytes]


@dataclass(frozen=True)
class SealedSheet:
    """One record sealed, and what the journal and the counts know of its subject."""

    wrapped: bytes
    mark: str
    """The subject's pseudonym in the journal."""
    unit: str
    """The subject's pseudonym in the facts, in hexadecimal."""
    cell_key: int
    record_mark: str
    """The record's mark in the facts."""
    groups: Mapping[int, bytes]


@dataclass(frozen=True)
class WantedToken:
    """A value to be looked up: `index` is ``subject_code``, ``document``, ``phone``, ``name``, ``arrival``,
    ``receipt`` or ``answer``; the parts are in the order that the index has."""

    index: str
    parts: tuple[str, ...] = ()
    octets: bytes = b""
    """For ``arrival``: the sheet in its canonical form."""
    subject: UUID | None = None
    """For ``answer``: whose answer it is."""


@dataclass(frozen=True)
class Opening:
    """Who asks to use some groups of one subject's records, in what way and for which purpose."""

    institution: UUID
    subject: UUID
    purpose: str
    groups: tuple[int, ...]
    member: str = ""
    """The address of the member of staff; empty when the person herself asks."""
    ticket: bytes = b""
    """What `recognise` gave the person."""
    action: str = "read"
    record: UUID | None = None
    forms: tuple[str, ...] = ()
    """The forms whose records are to be opened; none is every form of the subject."""
    second_factor: bool = False
    reauthenticated: bool = False
    emergency_reason: str = ""
    """For an opening in an emergency: why, in twenty characters or more."""
    receiver: str = ""
    """The short name of the institution that is to receive the records."""


@dataclass(frozen=True)
class Search:
    """Who looks for a person of a programme by a document, a telephone or a name, and for which purpose.

    Each term is one way in which the value may have been written down, as its parts.
    """

    institution: UUID
    member: str
    programme: str
    purpose: str
    index: str
    terms: tuple[tuple[str, ...], ...]
    second_factor: bool = False


@dataclass(frozen=True)
class Released:
    """The keys of the groups that were decided, after the line in the journal was committed."""

    permit: Permit
    keys: tuple[GroupKey, ...]
    key_version: int
    entry: int
    """The line's position in the journal."""


@dataclass(frozen=True)
class Withheld:
    """No key: the rule, as a sentence's code; the attempt is in the journal."""

    problem: Problem
    entry: int | None = None


@dataclass(frozen=True)
class Recognised:
    """The person is who the receipt speaks of: she may look until then."""

    receipt: UUID
    subject: UUID
    institution: UUID
    ticket: bytes
    until: datetime


@dataclass(frozen=True)
class KeyVersion:
    """A compartment key's number and when it was made."""

    compartment: str
    number: int
    made_at: datetime


@dataclass(frozen=True)
class Ceilings:
    """How many different people may be opened: by a member in an hour, by all in a day, in a compartment."""

    member_hour: int = 60
    institution_day: int = 400
    compartment_day: int = 400
    lookups_hour: int = 600
    persons_day: int = 400
    """How many people may look at their own records in a day, with their receipts."""
    tokens_day: int = 2_000_000
    """How many values may be made into tokens in a day: 100,000 sheets that arrive need some fifteen each."""
    until: datetime | None = field(default=None)
    """When a raised ceiling falls back to the usual one."""


def journal_origin(slug: str) -> str:
    """The name of an institution's journal in its checkpoints, by the institution's short name."""
    return f"{slug}.resguardo/journal"


class Keyholder(Protocol):
    """What the service may ask. Every question names the institution first."""

    def has_ring(self, institution: UUID) -> bool:
        """Whether the institution's keys are here."""
        ...

    def prepare(self, institution: UUID, compartment: str, *, may_be_new: bool, now: datetime) -> KeyVersion:
        """The compartment can be written to; gives its newest key's number. Refuses a lost ring."""
        ...

    def tokens(self, institution: UUID, wanted: Sequence[WantedToken]) -> list[tuple[BlindToken, ...]]:
        """For each value its blind tokens under every version of the key, the newest first."""
        ...

    def pseudonym(self, institution: UUID, member: str) -> str:
        """The name under which a member of staff stands in the journal."""
        ...

    def seal(self, institution: UUID, sheets: Sequence[ToSeal]) -> list[SealedSheet]:
        """The records sealed; keys are made for subjects that are new, and stay here."""
        ...

    def marks(self, institution: UUID, keys: Sequence[Wrapped]) -> list[str]:
        """The subjects' pseudonyms in the journal."""
        ...

    def record_marks(self, institution: UUID, records: Sequence[UUID]) -> list[str]:
        """The records' marks in the facts."""
        ...

    def seal_facts(self, institution: UUID, form: str, segment: UUID, version: int, content: bytes) -> bytes:
        """Facts sealed under the institution's statistics key."""
        ...

    def open_facts(self, institution: UUID, form: str, segment: UUID, version: int, sealed: bytes) -> bytes:
        """Facts, opened for counting: codes, bands and months, and nobody's name."""
        ...

    def release(self, opening: Opening, *, now: datetime) -> Released | Withheld:
        """The keys of the groups asked for, once the rules allow it, the budget has room and the journal has
        its line; else the rule that forbids it."""
        ...

    def search(self, search: Search, *, now: datetime) -> tuple[UUID, ...] | Withheld:
        """The subjects that the search finds; counted, and with a line in the journal that names nobody."""
        ...

    def known_receipt(self, code: str) -> UUID | None:
        """The receipt that has this code; None when there is none."""
        ...

    def recognise(self, code: str, question: str, answer: str, *, now: datetime) -> Recognised | Withheld:
        """A ticket for the person who holds the receipt's code and knows the answer."""
        ...

    def sign_journal(self, institution: UUID, *, now: datetime) -> str | None:
        """The journal's head signed, if it grew from what was signed before; None when there is nothing new.

        Refuses, and raises an alarm, when lines that were signed are gone or changed.
        """
        ...

    def journal_key(self, institution: UUID, origin: str) -> str:
        """The public key of the journal's signatures."""
        ...

    def cosign(self, institution: UUID, name: str, request: bytes, key: str, *, now: datetime) -> str:
        """The institution's cosignature, as a witness, of the head in a request to add a checkpoint.

        Refuses a head that does not follow from what was cosigned before, whatever the service says.
        """
        ...

    def witness_key(self, institution: UUID, name: str) -> str:
        """The public key of the institution's cosignatures."""
        ...

    def sign(self, institution: UUID, context: str, message: bytes) -> bytes:
        """The institution's signature on a receipt."""
        ...

    def signature_key(self, institution: UUID) -> bytes:
        """The public key of `sign`."""
        ...

    def key_versions(self, institution: UUID) -> list[KeyVersion]:
        """The compartment keys that exist."""
        ...

    def rotate(self, institution: UUID, *, now: datetime) -> list[KeyVersion]:
        """A fresh key for every compartment; older ones still unwrap."""
        ...

    def rewrap(self, institution: UUID, keys: Sequence[Wrapped]) -> list[bytes]:
        """The same subject keys, wrapped by the newest compartment key."""
        ...

    def destroy(self, institution: UUID, number: int, *, now: datetime) -> None:
        """The compartment key is forgotten; what it alone wrapped is lost in every copy. Refuses while the
        database holds a key that it wrapped, the newest key of a compartment, and one that was replaced so
        lately that a backup may need it."""
        ...

    def ceilings(self, institution: UUID) -> Ceilings:
        """The ceilings in force."""
        ...
