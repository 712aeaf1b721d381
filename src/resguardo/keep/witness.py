"""Institutions watch each other's journals: each signs for the others that a journal only grew.

A journal and its own signed heads cannot show that its newest part was rolled back. A *witness* can: it keeps
the last head of each journal that it watches, cosigns a newer one only when that one follows from it
(c2sp.org/tlog-witness, `add-checkpoint`), and sees nothing of a journal but its size and root. How many
witnesses are enough is a `Quorum` (c2sp.org/tlog-policy); what the newest quorum does not cover yet is the
`Tail`, for which the institution alone answers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from resguardo.keep.checkpoint import (
    NotACheckpoint,
    NoteSignature,
    SignedCheckpoint,
    VerifierKey,
    is_signed_by,
    moment_signed_by,
    read_checkpoint,
)
from resguardo.keep.tree import EMPTY_ROOT, verify_consistency
from resguardo.plan.languages import say
from resguardo.values import Language, Problem, Refused

MOST_STEPS: Final = 63
"""Lines of a consistency proof that a client may send."""
MOST_BYTES: Final = 64_000
"""A request with a longer body is not read."""
MOST_ENTRIES: Final = 2**63 - 1
CONFLICT_TYPE: Final = "text/x.tlog.size"
"""Content type of the size that a witness answers with 409."""
LATE: Final = timedelta(hours=1)
ALARM: Final = timedelta(hours=24)
AHEAD: Final = timedelta(minutes=10)
"""A witness whose clock runs further ahead than this has signed a time that nobody can have seen."""


class NotARequest(Refused):
    """The body is not a request of c2sp.org/tlog-witness, or the answer not one of its answers."""

    def __init__(self, code: str = "not_a_request") -> None:
        super().__init__(Problem(f"keep.witness.{code}"))


@dataclass(frozen=True)
class WatchedJournal:
    """A journal of others as its witness knows it: its key, and the last head that was cosigned."""

    key: VerifierKey
    size: int = 0
    root: bytes = EMPTY_ROOT


@dataclass(frozen=True)
class Answer:
    """What a witness answers: HTTP status, body, content type."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class AddCheckpoint:
    """What a journal sends to a witness: the size last cosigned, the proof that it grew, the new head."""

    old_size: int
    proof: tuple[bytes, ...]
    signed: SignedCheckpoint

    @property
    def octets(self) -> bytes:
        """The body of the request."""
        steps = "".join(base64.b64encode(step).decode("ascii") + "\n" for step in self.proof)
        return f"old {self.old_size}\n{steps}\n{self.signed.text}".encode()

    @classmethod
    def read(cls, octets: bytes) -> AddCheckpoint:
        """The request in the body; refuses what strays from the format, believes nothing in it yet."""
        if len(octets) > MOST_BYTES:
            raise NotARequest
        try:
            head, gap, note = octets.decode("utf-8").partition("\n\n")
            lines = head.split("\n")
            old = re.fullmatch(r"old (0|[1-9][0-9]{0,18})", lines[0], re.ASCII)
            if not gap or old is None or len(lines) > MOST_STEPS + 1:
                raise NotARequest
            read = cls(int(old[1]), tuple(map(_step, lines[1:])), read_checkpoint(note))
        except (UnicodeDecodeError, NotACheckpoint):
            raise NotARequest from None
        if max(read.old_size, read.signed.checkpoint.size) > MOST_ENTRIES:
            raise NotARequest
        return read

    def refusal(self, known: WatchedJournal | None) -> Answer | None:
        """Why the head is not cosigned, or None when it may be.

        `known` is what the witness holds under the head's origin; nobody else may change it between this
        question and the keeping of the new head.
        """
        head = self.signed.checkpoint
        if known is None:
            return Answer(404, "no journal of this origin is watched here\n")
        if known.key.name != head.origin or not is_signed_by(self.signed, known.key):
            return Answer(403, "no valid signature of the journal's known key\n")
        if self.old_size > head.size:
            return Answer(400, "the old size is larger than the head's\n")
        if self.old_size != known.size:
            return Answer(409, f"{known.size}\n", CONFLICT_TYPE)
        if not verify_consistency(known.size, head.size, known.root, head.root, self.proof):
            return Answer(422, "the head does not follow from the one that was cosigned before\n")
        return None


def cosignature_in(
    answer: str, signed: SignedCheckpoint, key: VerifierKey, *, now: datetime
) -> tuple[NoteSignature, datetime]:
    """The witness's line in its answer, and when it signed; refuses an answer that holds no good one."""
    try:
        lines = read_checkpoint(signed.body + "\n" + answer).signatures
    except NotACheckpoint:
        raise NotARequest("not_an_answer") from None
    ours = [line for line in lines if line.name == key.name and line.key_id == key.key_id]
    moment = moment_signed_by(SignedCheckpoint(signed.checkpoint, signed.body, tuple(ours)), key)
    if moment is None or moment == _NEVER:
        raise NotARequest("false_cosignature")
    if moment > now + AHEAD:
        raise NotARequest("clock_ahead")
    return ours[-1], moment


def enough_of(witnesses: int) -> int:
    """How many of so many witnesses are enough: more than half of them.

    >>> [enough_of(count) for count in range(7)]
    [0, 1, 2, 2, 3, 3, 4]
    """
    return witnesses // 2 + 1 if witnesses else 0


@dataclass(frozen=True)
class Quorum:
    """The journal's key and its witnesses' keys; a head counts when enough of them signed it.

    >>> key = VerifierKey("a.example/witness", 4, bytes(32))
    >>> Quorum(VerifierKey("a.example/journal", 1, bytes(32)), (key, key))
    Traceback (most recent call last):
    ValueError: one witness counts once
    """

    log: VerifierKey
    witnesses: tuple[VerifierKey, ...] = ()

    def __post_init__(self) -> None:
        if len({key.public_key for key in self.witnesses}) != len(self.witnesses):
            raise ValueError("one witness counts once")

    @property
    def enough(self) -> int:
        """How many witnesses must have signed."""
        return enough_of(len(self.witnesses))

    def signed_by(self, signed: SignedCheckpoint) -> Mapping[str, datetime]:
        """Which witnesses signed the head, and when."""
        moments = {key.name: moment_signed_by(signed, key) for key in self.witnesses}
        return {name: moment for name, moment in moments.items() if moment is not None and moment > _NEVER}

    def is_met_by(self, signed: SignedCheckpoint) -> bool:
        """Whether the journal and enough of its witnesses signed the head."""
        return is_signed_by(signed, self.log) and len(self.signed_by(signed)) >= self.enough

    def policy(self, addresses: Mapping[str, str] | None = None) -> str:
        """The same as a file of c2sp.org/tlog-policy, with the witnesses' addresses where they are known."""
        names = [f"w{number}" for number, _ in enumerate(self.witnesses, start=1)]
        lines = [f"log {self.log.text}"]
        for name, key in zip(names, self.witnesses, strict=True):
            address = (addresses or {}).get(key.name)
            lines.append(f"witness {name} {key.text}" + (f" {address}" if address else ""))
        if names:
            lines += [f"group enough {self.enough} {' '.join(names)}", "quorum enough"]
        else:
            lines.append("quorum none")
        return "\n".join(lines) + "\n"


class TailState(StrEnum):
    """How it stands with the part of a journal that no quorum covers."""

    ALONE = "alone"
    """There is no witness: for the whole journal the institution alone answers."""
    COVERED = "covered"
    WAITING = "waiting"
    LATE = "late"
    ALARM = "alarm"


@dataclass(frozen=True)
class Tail:
    """The newest part of a journal, which could still be rewritten without any witness noticing."""

    entries: int
    """All entries of the journal."""
    signed: int
    """How many of them are under the institution's own newest head."""
    witnessed: int
    """How many of them are under a head that enough witnesses signed."""
    witnesses: int
    since: datetime | None
    """When the oldest entry was written that no quorum covers."""
    at: datetime

    @property
    def length(self) -> int:
        """How many entries no quorum covers."""
        return self.entries - self.witnessed

    @property
    def enough(self) -> int:
        """How many witnesses must sign."""
        return enough_of(self.witnesses)

    @property
    def state(self) -> TailState:
        """In one word."""
        if not self.witnesses:
            return TailState.ALONE
        if self.since is None or not self.length:
            return TailState.COVERED
        age = self.at - self.since
        return TailState.ALARM if age >= ALARM else TailState.LATE if age >= LATE else TailState.WAITING

    def words(self, language: Language) -> str:
        """In one sentence."""
        hours = 0 if self.since is None else int((self.at - self.since).total_seconds() // 3600)
        return say(
            f"keep.tail.{self.state}",
            language,
            entries=str(self.entries),
            count=str(self.length),
            enough=str(self.enough),
            witnesses=str(self.witnesses),
            hours=str(hours),
        )


_NEVER: Final = datetime.fromtimestamp(0, UTC)


def _step(line: str) -> bytes:
    try:
        octets = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise NotARequest from None
    if len(octets) != 32 or base64.b64encode(octets).decode("ascii") != line:
        raise NotARequest
    return octets
