"""One line for every write and every opening; a line that is changed, left out or moved is found by anyone.

An entry (a *leaf*) says which member of staff did what, for which purpose, on which legal basis, to which
record of which subject, all under pseudonyms and numbers: a journal can never be cleaned, so no name,
document or free text may enter it, and `entry_bytes` refuses whatever could be one. The entries stand in a
Merkle tree (`resguardo.keep.tree`) whose root is signed (`resguardo.keep.checkpoint`). Each subject's entries
are chained besides, so that the person who holds the newest pair of number and hash sees that none was left
out.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from resguardo.keep.checkpoint import (
    EntryProof,
    NotACheckpoint,
    SignedCheckpoint,
    VerifierKey,
    is_signed_by,
    read_checkpoint,
)
from resguardo.keep.keys import SubjectKey
from resguardo.keep.tree import Frontier, Tree, leaf_hash, verify_inclusion
from resguardo.plan.languages import say
from resguardo.values import Basis, Language, Problem, Refused

MOST_BYTES: Final = 65_535
"""An entry's length must fit in the two bytes that c2sp.org/tlog-tiles gives it."""


class Act(StrEnum):
    """What was done; a closed list, so that no other word can stand in its place."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    EXPORT = "export"
    REFER = "refer"
    RECEIVE = "receive"
    ERASE = "erase"
    RESTRICT = "restrict"
    RELEASE = "release"
    AGGREGATE = "aggregate"
    CONSENT = "consent"
    WITHDRAW = "withdraw"
    REWRAP = "rewrap"
    EXPIRE = "expire"


class Outcome(StrEnum):
    """How it was decided."""

    ALLOW = "allow"
    DENY = "deny"
    BREAK_GLASS = "break_glass"


class NotAnEntry(Refused):
    """What was to be written is no journal entry: a member is missing, or holds what it must not hold."""

    def __init__(self, member: str) -> None:
        super().__init__(Problem("keep.journal.member", {"member": member}))
        self.member = member


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One entry of the journal; the names of the members are those of the stored bytes.

    `subj` is `subject_mark`, `sn` counts the subject's entries from 1, `sp` is `chain_hash` of the one
    before.
    """

    t: datetime
    inst: UUID
    act: Act
    who: str
    role: str
    dec: Outcome
    pol: str
    req: UUID
    purpose: str | None = None
    basis: Basis | None = None
    consent: str | None = None
    fields: tuple[int, ...] = ()
    subj: str | None = None
    sn: int | None = None
    sp: str | None = None
    obj: UUID | None = None
    h: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """The words of the institution's programmes that may stand as role and purpose in an entry."""

    roles: Collection[str]
    purposes: Collection[str]


def entry_bytes(leaf: Leaf, vocabulary: Vocabulary | None = None) -> bytes:
    """The entry as it is hashed and stored: canonical JSON (RFC 8785), members that are absent left out.

    Refuses free text: each member has its own alphabet, and with a `vocabulary` role and purpose must be
    words of a programme.
    """
    if leaf.t.tzinfo is None:
        raise NotAnEntry("t")
    moment = leaf.t.astimezone(UTC)
    members: dict[str, object] = {
        "v": 1,
        "t": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "inst": str(leaf.inst),
        "act": str(leaf.act),
        "who": leaf.who,
        "role": leaf.role,
        "purpose": leaf.purpose,
        "basis": None if leaf.basis is None else str(leaf.basis),
        "consent": leaf.consent,
        "fields": list(leaf.fields) or None,
        "subj": leaf.subj,
        "sn": leaf.sn,
        "sp": leaf.sp,
        "obj": None if leaf.obj is None else str(leaf.obj),
        "h": leaf.h,
        "dec": str(leaf.dec),
        "pol": leaf.pol,
        "req": str(leaf.req),
    }
    members = {name: value for name, value in members.items() if value is not None}
    _check_members(members)
    if vocabulary is not None:
        if leaf.role not in vocabulary.roles:
            raise NotAnEntry("role")
        if leaf.purpose is not None and leaf.purpose not in vocabulary.purposes:
            raise NotAnEntry("purpose")
    return _canonical(members)


def read_entry(entry: bytes) -> Leaf:
    """The leaf in the bytes; refuses bytes that `entry_bytes` would not have written, to the last comma."""
    if len(entry) > MOST_BYTES:
        raise NotAnEntry("length")
    try:
        members = json.loads(entry.decode("ascii"))
    except ValueError:
        raise NotAnEntry("json") from None
    except RecursionError:
        raise NotAnEntry("json") from None
    if not isinstance(members, dict):
        raise NotAnEntry("json")
    _check_members(members)
    if _canonical(members) != entry:
        raise NotAnEntry("json")
    try:
        moment = datetime.strptime(members["t"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise NotAnEntry("t") from None
    return Leaf(
        t=moment,
        inst=UUID(members["inst"]),
        act=Act(members["act"]),
        who=members["who"],
        role=members["role"],
        dec=Outcome(members["dec"]),
        pol=members["pol"],
        req=UUID(members["req"]),
        purpose=members.get("purpose"),
        basis=Basis(members["basis"]) if "basis" in members else None,
        consent=members.get("consent"),
        fields=tuple(members.get("fields", ())),
        subj=members.get("subj"),
        sn=members.get("sn"),
        sp=members.get("sp"),
        obj=UUID(members["obj"]) if "obj" in members else None,
        h=members.get("h"),
    )


def subject_mark(subject_key: SubjectKey) -> str:
    """The pseudonym of a subject in the journal; when the subject's key is forgotten it leads to nobody."""
    derived = HKDFExpand(SHA256(), 32, b"rg1/journal").derive(subject_key.octets)
    return hmac.digest(derived, b"subj", "sha256")[:16].hex()


def chain_hash(entry: bytes) -> str:
    """What the next entry about the same subject holds as `sp`: half of this entry's leaf hash."""
    return leaf_hash(entry)[:16].hex()


def prove_entry(entries: Sequence[bytes], index: int, signed: str) -> str:
    """The proof, as the text of a ``.tlog-proof`` file, that an entry is under the signed head."""
    head = read_checkpoint(signed)
    tree = Tree(leaf_hash(entry) for entry in entries[: head.checkpoint.size])
    return EntryProof(index, tree.inclusion_proof(index, head.checkpoint.size), head).text


def verify_entry(entry: bytes, proof: str, public_key: str) -> bool:
    """True when the proof shows, with the log's public key alone, that the entry is in its journal."""
    read = EntryProof.read(proof)
    head = read.signed.checkpoint
    return is_signed_by(read.signed, VerifierKey.read(public_key)) and verify_inclusion(
        leaf_hash(entry), read.index, head.size, read.path, head.root
    )


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a journal. `entry` is the place of an entry, the first being 0."""

    code: str
    entry: int | None = None
    facts: tuple[tuple[str, str], ...] = ()

    def words(self, language: Language) -> str:
        """The finding as a sentence."""
        place = {} if self.entry is None else {"entry": str(self.entry)}
        return say(f"keep.verdict.{self.code}", language, **place, **dict(self.facts))


def verify_journal(
    entries: Iterable[bytes],
    checkpoints: Sequence[str],
    public_key: str,
    witness_heads: Sequence[str] = (),
    witness_keys: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Everything that is wrong with a journal; nothing found means that it is whole.

    Looks at each entry's form, at each subject's chain, at every signed head against the entries, and at the
    heads that witnesses kept. A head of a witness counts when the log or one of the `witness_keys` signed it.
    Without such a head a journal that was rolled back to an earlier, once signed end looks whole.
    """
    key = VerifierKey.read(public_key)
    keys = (key, *map(VerifierKey.read, witness_keys))
    findings: list[Finding] = []
    heads = _read_heads(checkpoints, (key,), "checkpoint", findings)
    witnessed = _read_heads(witness_heads, keys, "witness_head", findings)
    wanted = {head.checkpoint.size for head in (*heads, *witnessed)}
    roots: dict[int, bytes] = {0: Frontier().root}
    frontier = Frontier()
    chains = _Chains(findings)
    size = 0
    for entry in entries:
        chains.follow(size, entry)
        frontier = frontier.append(leaf_hash(entry))
        size += 1
        if size in wanted:
            roots[size] = frontier.root
    _compare(heads, key.name, size, roots, "checkpoint", findings)
    _compare(witnessed, key.name, size, roots, "witness_head", findings)
    signed = max((head.checkpoint.size for head in heads), default=None)
    if signed is None:
        findings.append(Finding("no_checkpoint"))
    elif signed < size:
        findings.append(Finding("unsigned_tail", signed, (("count", str(size - signed)),)))
    return tuple(findings)


class _Chains:
    """Follows the entries one by one: their form, their institution, and each subject's own count."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings
        self._last: dict[str, tuple[int, str]] = {}
        self._institution: UUID | None = None

    def follow(self, index: int, entry: bytes) -> None:
        try:
            leaf = read_entry(entry)
        except NotAnEntry as wrong:
            self._findings.append(Finding("entry_form", index, (("member", wrong.member),)))
            return
        if self._institution is None:
            self._institution = leaf.inst
        elif leaf.inst != self._institution:
            self._findings.append(Finding("entry_institution", index))
        if leaf.subj is None or leaf.sn is None:
            return
        number, hash_before = self._last.get(leaf.subj, (0, None))
        self._last[leaf.subj] = (leaf.sn, chain_hash(entry))
        if leaf.sn != number + 1:
            facts = (("expected", str(number + 1)), ("found", str(leaf.sn)))
            self._findings.append(Finding("chain_number", index, facts))
        elif leaf.sp != hash_before:
            self._findings.append(Finding("chain_hash", index))


def _read_heads(
    texts: Sequence[str], keys: Sequence[VerifierKey], kind: str, findings: list[Finding]
) -> list[SignedCheckpoint]:
    heads: list[SignedCheckpoint] = []
    for number, text in enumerate(texts, start=1):
        facts = (("number", str(number)),)
        try:
            head = read_checkpoint(text)
        except NotACheckpoint:
            findings.append(Finding(f"{kind}_form", None, facts))
            continue
        if any(is_signed_by(head, key) for key in keys):
            heads.append(head)
        else:
            findings.append(Finding(f"{kind}_signature", None, facts))
    return heads


def _compare(
    heads: Sequence[SignedCheckpoint],
    origin: str,
    size: int,
    roots: dict[int, bytes],
    kind: str,
    findings: list[Finding],
) -> None:
    """The heads against the entries, by size, so that a change is hemmed in between two of them."""
    good = 0
    for head in sorted(heads, key=lambda head: head.checkpoint.size):
        said = head.checkpoint
        facts = (("size", str(said.size)),)
        if said.origin != origin:
            findings.append(Finding(f"{kind}_origin", None, facts))
        elif said.size > size:
            findings.append(Finding(f"{kind}_longer", size, (*facts, ("count", str(said.size - size)))))
        elif roots[said.size] != said.root:
            findings.append(Finding(f"{kind}_root", good, (*facts, ("last", str(max(said.size - 1, good))))))
            return
        else:
            good = said.size


_HEX_16 = re.compile(r"[0-9a-f]{32}", re.ASCII)
_HEX_32 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_TEXT_MEMBERS: Final = {
    "t": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII),
    "inst": _UUID,
    "act": re.compile("|".join(Act), re.ASCII),
    "who": _HEX_16,
    "role": _WORD,
    "purpose": _WORD,
    "basis": re.compile("|".join(Basis), re.ASCII),
    "consent": re.compile(f"{_UUID.pattern}|{_HEX_16.pattern}|{_HEX_32.pattern}", re.ASCII),
    "subj": _HEX_16,
    "sp": _HEX_16,
    "obj": _UUID,
    "h": _HEX_32,
    "dec": re.compile("|".join(Outcome), re.ASCII),
    "pol": _HEX_32,
    "req": _UUID,
}
_REQUIRED: Final = ("v", "t", "inst", "act", "who", "role", "dec", "pol", "req")
_LARGEST_NUMBER: Final = 2**53 - 1


def _check_members(members: dict[str, object]) -> None:
    for name in _REQUIRED:
        if name not in members:
            raise NotAnEntry(name)
    for name, value in members.items():
        pattern = _TEXT_MEMBERS.get(name)
        if pattern is not None:
            right = isinstance(value, str) and pattern.fullmatch(value) is not None
        elif name == "v":
            right = type(value) is int and value == 1
        elif name == "sn":
            right = type(value) is int and 1 <= value <= _LARGEST_NUMBER
        elif name == "fields":
            right = _are_groups(value)
        else:
            right = False
        if not right:
            raise NotAnEntry(name)
    if ("subj" in members) != ("sn" in members):
        raise NotAnEntry("sn")
    if ("sp" in members) != (members.get("sn", 1) != 1):
        raise NotAnEntry("sp")


def _are_groups(value: object) -> bool:
    """Group numbers, each once, in rising order."""
    if not isinstance(value, list) or not value:
        return False
    return all(type(number) is int and 1 <= number <= 0xFFFFFFFF for number in value) and all(
        a < b for a, b in pairwise(value)
    )


def _canonical(members: dict[str, object]) -> bytes:
    """RFC 8785 for what an entry can hold, ASCII text and small whole numbers, by the standard library."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
