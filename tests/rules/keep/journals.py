"""A journal as an institution writes it, for the tests that tamper with one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st
from tests.rules.keep.places import NOW, SHELTER, chance_of, ring_of

from resguardo.keep.checkpoint import COSIGNATURE, VerifierKey, cosign_checkpoint, read_checkpoint
from resguardo.keep.journal import Act, Leaf, Outcome, chain_hash, entry_bytes, subject_mark
from resguardo.keep.keys import SubjectKey
from resguardo.keep.tree import root_of
from resguardo.keep.witness import Quorum
from resguardo.values import Basis

ORIGIN = "shelter-a.example/journal"
RING = ring_of()
KEY = RING.journal_verifier_key(ORIGIN)
LOG_KEY = VerifierKey.read(KEY)
WITNESS = Ed25519PrivateKey.from_private_bytes(chance_of("witness")(32))
WITNESS_NAME = "consulate-b.example/witness"
WITNESS_KEY = VerifierKey(WITNESS_NAME, COSIGNATURE, WITNESS.public_key().public_bytes_raw()).text


@dataclass(frozen=True)
class Journal:
    """Entries and signed heads, as they are handed to an auditor."""

    entries: tuple[bytes, ...]
    checkpoints: tuple[str, ...]

    def signed_at(self, *sizes: int) -> Journal:
        """The same entries with heads signed at those sizes."""
        return replace(self, checkpoints=tuple(head(self.entries[:size]) for size in sizes))


def head(entries: tuple[bytes, ...]) -> str:
    """A head that the log's own key signed over these entries."""
    return RING.sign_checkpoint(ORIGIN, len(entries), root_of(entries))


def witnessed(entries: tuple[bytes, ...]) -> str:
    """A head that the log and the witness signed."""
    signed = read_checkpoint(head(entries))
    return signed.with_signature(cosign_checkpoint(signed, WITNESS_NAME, WITNESS, now=NOW)).text


def witness_key_of(letter: str) -> Ed25519PrivateKey:
    """The private key of one of the other witnesses."""
    return Ed25519PrivateKey.from_private_bytes(chance_of(f"witness {letter}")(32))


def witness_named(letter: str) -> VerifierKey:
    """The public key of one of the other witnesses."""
    public_key = witness_key_of(letter).public_key().public_bytes_raw()
    return VerifierKey(f"witness-{letter}.example/witness", COSIGNATURE, public_key)


def cosigned(note: str, *letters: str, now: datetime = NOW) -> str:
    """The head with the signatures of those witnesses."""
    signed = read_checkpoint(note)
    for letter in letters:
        line = cosign_checkpoint(signed, witness_named(letter).name, witness_key_of(letter), now=now)
        signed = signed.with_signature(line)
    return signed.text


def quorum_of(*letters: str) -> Quorum:
    """The journal with those witnesses."""
    return Quorum(LOG_KEY, tuple(map(witness_named, letters)))


def policy_of(*letters: str) -> str:
    """The same as the file that an auditor has."""
    return quorum_of(*letters).policy()


def leaf_of(number: int, **members: object) -> Leaf:
    """An opening that is like any other; `members` change it."""
    usual: dict[str, object] = {
        "t": NOW + timedelta(seconds=number),
        "inst": SHELTER,
        "act": Act.READ,
        "who": RING.staff_pseudonym(str(number % 3)),
        "role": "trainer",
        "dec": Outcome.ALLOW,
        "pol": "ab" * 32,
        "req": UUID(int=number),
        "purpose": "training",
        "basis": Basis.CONSENT,
        "fields": (1, 2),
        "obj": UUID(int=number % 5),
    }
    return Leaf(**(usual | members))  # type: ignore[arg-type]


def journal_of(count: int, people: int = 5, *, left_out: int | None = None) -> Journal:
    """A journal with that many entries about some people, signed about every fifth entry and at its end."""
    marks = [subject_mark(SubjectKey(chance_of(f"person {person}")(32))) for person in range(people)]
    newest: dict[str, tuple[int, str]] = {}
    entries: list[bytes] = []
    for number in range(count):
        if number == left_out:
            continue
        mark = marks[(number * 7 + number // 3) % people]
        before, hash_before = newest.get(mark, (0, None))
        entry = entry_bytes(leaf_of(number, subj=mark, sn=before + 1, sp=hash_before))
        newest[mark] = (before + 1, chain_hash(entry))
        entries.append(entry)
    sizes = [*range(5, len(entries), 5), len(entries)]
    return Journal(tuple(entries), ()).signed_at(*sizes)


HEX16 = st.binary(min_size=16, max_size=16).map(bytes.hex)
HEX32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
WORDS = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2),
    max_value=datetime(9999, 12, 30),
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    """Every leaf that may be written."""
    sn = draw(st.none() | st.integers(1, 10**15 - 1))
    return Leaf(
        t=draw(MOMENTS),
        inst=draw(st.uuids()),
        act=draw(st.sampled_from(Act)),
        who=draw(HEX16),
        role=draw(WORDS),
        dec=draw(st.sampled_from(Outcome)),
        pol=draw(HEX32),
        req=draw(st.uuids()),
        purpose=draw(st.none() | WORDS),
        basis=draw(st.none() | st.sampled_from(Basis)),
        consent=draw(st.none() | HEX16 | HEX32 | st.uuids().map(str)),
        fields=tuple(sorted(draw(st.sets(st.integers(1, 10**9 - 1), max_size=5)))),
        subj=draw(HEX16) if sn else None,
        sn=sn,
        sp=draw(HEX16) if sn and sn > 1 else None,
        obj=draw(st.none() | st.uuids()),
        h=draw(st.none() | HEX32),
    )
