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
    NotACheckpoint,
    SignedCheckpoint,
    VerifierKey,
    is_signed_by,
    read_checkpoint,
)
from resguardo.keep.keys import SubjectKey
from resguardo.keep.tree import Frontier, leaf_hash
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
    SEARCH = "search"


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
        "t": f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z",
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
    entry = _canonical(members)
    if len(entry) > MOST_BYTES or not _is_whole(_ENTRY.fullmatch(entry)):
        raise NotAnEntry(_wrong_member(members))
    if vocabulary is not None:
        if leaf.role not in vocabulary.roles:
            raise NotAnEntry("role")
        if leaf.purpose is not None and leaf.purpose not in vocabulary.purposes:
            raise NotAnEntry("purpose")
    return entry


def read_entry(entry: bytes) -> Leaf:
    """The leaf in the bytes; refuses bytes that `entry_bytes` would not have written, to the last comma."""
    found = _parts(entry)
    said = {name: value.decode("ascii") for name, value in found.groupdict().items() if value is not None}
    return Leaf(
        t=datetime.fromisoformat(said["t"]),
        inst=UUID(said["inst"]),
        act=Act(said["act"]),
        who=said["who"],
        role=said["role"],
        dec=Outcome(said["dec"]),
        pol=said["pol"],
        req=UUID(said["req"]),
        purpose=said.get("purpose"),
        basis=Basis(said["basis"]) if "basis" in said else None,
        consent=said.get("consent"),
        fields=tuple(int(number) for number in said["fields"].split(",")) if "fields" in said else (),
        subj=said.get("subj"),
        sn=int(said["sn"]) if "sn" in said else None,
        sp=said.get("sp"),
        obj=UUID(said["obj"]) if "obj" in said else None,
        h=said.get("h"),
    )


def subject_mark(subject_key: SubjectKey) -> str:
    """The pseudonym of a subject in the journal; when the subject's key is forgotten it leads to nobody."""
    derived = HKDFExpand(SHA256(), 32, b"rg1/journal").derive(subject_key.octets)
    return hmac.digest(derived, b"subj", "sha256")[:16].hex()


def chain_hash(entry: bytes) -> str:
    """What the next entry about the same subject holds as `sp`: half of this entry's leaf hash."""
    return leaf_hash(entry)[:16].hex()


@dataclass(frozen=True)
class HeldEntry:
    """What a subject keeps from a receipt: the own mark, the newest entry's number and its chain hash."""

    subj: str
    sn: int
    hash: str


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


@dataclass(frozen=True)
class Access:
    """One entry about a person, as it is shown to that person; `index` is its place in the journal."""

    index: int
    leaf: Leaf
    hash: str

    @property
    def held(self) -> HeldEntry:
        """What the person writes down, to find later whether anything was left out."""
        return HeldEntry(self.leaf.subj or "", self.leaf.sn or 0, self.hash)


def accesses_of(entries: Iterable[bytes], mark: str) -> tuple[Access, ...]:
    """Every entry about the person with that mark: who did what with the records, and why.

    Entries that are no entries are passed over; `verify_journal` finds them.
    """
    told = f'"subj":"{mark}"'.encode()
    found: list[Access] = []
    for index, entry in enumerate(entries):
        if told in entry:
            try:
                found.append(Access(index, read_entry(entry), chain_hash(entry)))
            except NotAnEntry:
                continue
    return tuple(found)


def left_out(accesses: Sequence[Access], held: Sequence[HeldEntry]) -> tuple[Finding, ...]:
    """What is missing from a person's list, by its own chain and by what the person holds.

    `held` are pairs of number and hash from receipts and earlier looks. An entry that is left out, and
    everything after it written anew, contradicts every pair from that entry on. What nobody holds a pair of,
    only a witness's head can show.
    """
    findings: list[Finding] = []
    count, hash_before = 0, None
    for access in accesses:
        number = access.leaf.sn or 0
        if number != count + 1:
            facts = (("expected", str(count + 1)), ("found", str(number)))
            findings.append(Finding("chain_number", access.index, facts))
        elif access.leaf.sp != hash_before:
            findings.append(Finding("chain_hash", access.index))
        count, hash_before = number, access.hash
    listed = {access.held for access in accesses}
    findings += [
        Finding("held_entry", None, (("number", str(kept.sn)),)) for kept in held if kept not in listed
    ]
    return tuple(findings)


@dataclass
class ToldRecord:
    """What a journal tells of one record: whom it is about, what was written last, whether it is gone."""

    index: int
    """The place of the entry that wrote it last."""
    mark: str | None
    content: str | None
    gone: bool = False


class Told:
    """What a journal tells of the tables beside it, to be compared with them.

    `create`, `update` and `receive` that were allowed write the record `obj` with the content `h`; `erase`
    and `expire` end it, or without `obj` every record of the subject.
    """

    def __init__(self) -> None:
        self.ends: dict[str, tuple[int, str]] = {}
        """Each subject's mark, and number and hash of the newest entry about it."""
        self.records: dict[UUID, ToldRecord] = {}
        self._of: dict[str | None, list[UUID]] = {}

    def follow(self, index: int, entry: bytes, hashed: bytes) -> None:
        """One more entry; one that is none tells nothing."""
        try:
            found = _parts(entry)
        except NotAnEntry:
            return
        act, outcome, mark, number, record, content = (
            None if value is None else value.decode("ascii")
            for value in found.group("act", "dec", "subj", "sn", "obj", "h")
        )
        if mark is not None and number is not None:
            self.ends[mark] = (int(number), hashed[:16].hex())
        if outcome == Outcome.DENY:
            return
        if act in _WRITES and record is not None and content is not None:
            self.records[UUID(record)] = ToldRecord(index, mark, content)
            self._of.setdefault(mark, []).append(UUID(record))
        elif act in _ENDS:
            ended = [UUID(record)] if record is not None else self._of.get(mark, [])
            for one in ended:
                self.records.setdefault(one, ToldRecord(index, mark, None)).gone = True


_WRITES: Final = frozenset({Act.CREATE, Act.UPDATE, Act.RECEIVE})
_ENDS: Final = frozenset({Act.ERASE, Act.EXPIRE})


def verify_journal(
    entries: Iterable[bytes],
    checkpoints: Sequence[str],
    public_key: str,
    witness_heads: Sequence[str] = (),
    witness_keys: Sequence[str] = (),
    held: Sequence[HeldEntry] = (),
) -> tuple[Finding, ...]:
    """Everything that is wrong with a journal; nothing found means that it is whole.

    Looks at each entry's form, at each subject's chain, at every signed head against the entries, at the
    heads that witnesses kept and at what subjects hold from their receipts. A head of a witness counts when
    the log or one of the `witness_keys` signed it. Without such a head a journal that was rolled back to an
    earlier, once signed end looks whole.
    """
    key = VerifierKey.read(public_key)
    keys = (key, *map(VerifierKey.read, witness_keys))
    findings: list[Finding] = []
    heads = _read_heads(checkpoints, (key,), "checkpoint", findings)
    witnessed = _read_heads(witness_heads, keys, "witness_head", findings)
    wanted = {head.checkpoint.size for head in (*heads, *witnessed)}
    roots: dict[int, bytes] = {0: Frontier().root}
    frontier = Frontier()
    chains = _Chains(findings, held)
    size = 0
    for entry in entries:
        leaf = leaf_hash(entry)
        chains.follow(size, entry, leaf)
        frontier = frontier.append(leaf)
        size += 1
        if size in wanted:
            roots[size] = frontier.root
    _compare(heads, key.name, size, roots, "checkpoint", findings)
    _compare(witnessed, key.name, size, roots, "witness_head", findings)
    for kept in held:
        if chains.hash_of(kept.subj, kept.sn) != kept.hash:
            findings.append(Finding("held_entry", None, (("number", str(kept.sn)),)))
    signed = max((head.checkpoint.size for head in heads), default=None)
    if signed is None:
        findings.append(Finding("no_checkpoint"))
    elif signed < size:
        findings.append(Finding("unsigned_tail", signed, (("count", str(size - signed)),)))
    return tuple(findings)


class _Chains:
    """Follows the entries one by one: their form, their institution, and each subject's own count."""

    def __init__(self, findings: list[Finding], held: Sequence[HeldEntry]) -> None:
        self._findings = findings
        self._watched = {(kept.subj.encode(), kept.sn) for kept in held}
        self._seen: dict[tuple[bytes, int], str] = {}
        self._last: dict[bytes, tuple[int, bytes | None]] = {}
        self._institution: bytes | None = None

    def follow(self, index: int, entry: bytes, leaf: bytes) -> None:
        try:
            found = _parts(entry)
        except NotAnEntry as wrong:
            self._findings.append(Finding("entry_form", index, (("member", wrong.member),)))
            return
        institution, subject, number, hash_before = found.group("inst", "subj", "sn", "sp")
        if self._institution is None:
            self._institution = institution
        elif institution != self._institution:
            self._findings.append(Finding("entry_institution", index))
        if subject is None:
            return
        count, expected_hash = self._last.get(subject, (0, None))
        here = int(number)
        hash_here = leaf[:16].hex()
        self._last[subject] = (here, hash_here.encode())
        if (subject, here) in self._watched:
            self._seen[subject, here] = hash_here
        if here != count + 1:
            facts = (("expected", str(count + 1)), ("found", str(here)))
            self._findings.append(Finding("chain_number", index, facts))
        elif hash_before != expected_hash:
            self._findings.append(Finding("chain_hash", index))

    def hash_of(self, subject: str, number: int) -> str | None:
        """The chain hash of an entry that a subject holds, if the journal has it."""
        return self._seen.get((subject.encode(), number))


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


_HEX_16: Final = "[0-9a-f]{32}"
_HEX_32: Final = "[0-9a-f]{64}"
_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_WORD: Final = "[a-z][a-z0-9_]{0,39}"
_NUMBER: Final = "[1-9][0-9]{0,14}"
_GROUP: Final = "[1-9][0-9]{0,8}"
_DAY: Final = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_HOUR: Final = "(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}"

_ALPHABETS: Final = {
    "act": "|".join(Act),
    "basis": "|".join(Basis),
    "consent": f"{_UUID}|{_HEX_16}|{_HEX_32}",
    "dec": "|".join(Outcome),
    "fields": f"{_GROUP}(?:,{_GROUP})*",
    "h": _HEX_32,
    "inst": _UUID,
    "obj": _UUID,
    "pol": _HEX_32,
    "purpose": _WORD,
    "req": _UUID,
    "role": _WORD,
    "sn": _NUMBER,
    "sp": _HEX_16,
    "subj": _HEX_16,
    "t": rf"{_DAY}T{_HOUR}\.[0-9]{{3}}Z",
    "v": "1",
    "who": _HEX_16,
}
"""What each member may hold, the members in the order in which canonical JSON writes them."""

_REQUIRED: Final = frozenset({"v", "t", "inst", "act", "who", "role", "dec", "pol", "req"})


def _entry_pattern() -> re.Pattern[bytes]:
    """An entry, whole: what this does not match to the last byte is no entry."""
    members: list[str] = []
    for name, alphabet in _ALPHABETS.items():
        value = f"(?P<{name}>{alphabet})"
        if name == "fields":
            value = rf"\[{value}\]"
        elif name not in ("v", "sn"):
            value = f'"{value}"'
        comma = "," if members else ""
        member = f'{comma}"{name}":{value}'
        members.append(member if name in _REQUIRED else f"(?:{member})?")
    return re.compile((r"\{" + "".join(members) + r"\}").encode("ascii"))


_ENTRY: Final = _entry_pattern()


def _is_whole(found: re.Match[bytes] | None) -> bool:
    """What the pattern alone cannot say: real days, numbers in range and order, members that go together."""
    if found is None:
        return False
    moment, subject, number, hash_before, fields = found.group("t", "subj", "sn", "sp", "fields")
    if (subject is None) != (number is None) or (hash_before is None) != (number in (None, b"1")):
        return False
    if fields is not None and b"," in fields:
        groups = [int(group) for group in fields.split(b",")]
        if any(a >= b for a, b in pairwise(groups)):
            return False
    try:
        datetime.fromisoformat(moment.decode("ascii"))
    except ValueError:
        return False
    return True


def _parts(entry: bytes) -> re.Match[bytes]:
    """The members of an entry; refuses what is none and names the member that is wrong."""
    found = _ENTRY.fullmatch(entry) if len(entry) <= MOST_BYTES else None
    if found is not None and _is_whole(found):
        return found
    try:
        members = json.loads(entry.decode("ascii")) if len(entry) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        members = None
    raise NotAnEntry(_wrong_member(members) if isinstance(members, dict) else "json")


def _wrong_member(members: dict[str, object]) -> str:
    """Which member of a false entry is wrong; ``json`` when it is only the way it is written."""
    for name in sorted(_REQUIRED | set(members)):
        if name not in members:
            return name
        if name not in _ALPHABETS:
            return "json"
        written = _canonical({name: members[name]})[len(name) + 4 : -1].decode("ascii")
        plain = written.strip("[]" if name == "fields" else '"' if name not in ("v", "sn") else "")
        if not re.fullmatch(_ALPHABETS[name], plain):
            return name
    if ("subj" in members) != ("sn" in members):
        return "sn"
    if ("sp" in members) != (members.get("sn", 1) != 1):
        return "sp"
    found = _ENTRY.fullmatch(_canonical(members))
    if found is None or _is_whole(found):
        return "json"
    try:
        datetime.fromisoformat(str(members["t"]))
    except ValueError:
        return "t"
    return "fields"


def _canonical(members: dict[str, object]) -> bytes:
    """RFC 8785 for what an entry can hold, ASCII text and small whole numbers, by the standard library."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
