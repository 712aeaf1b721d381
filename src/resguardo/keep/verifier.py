"""Says whether a journal of Resguardo is whole; needs Python and `cryptography` only, and no network.

It shares no code with Resguardo, so that a fault there is not repeated here. Copy it anywhere and run:

    python verifier.py JOURNAL CHECKPOINTS KEY [--witness-head FILE ...] [--witness-key KEY ...]
                       [--since MOMENT] [--held MARK:NUMBER:HASH ...]
    python verifier.py proof PROOF KEY [--entry FILE] [--witness-head FILE ...] [--witness-key KEY ...]

JOURNAL has one entry per line. CHECKPOINTS has one or more signed heads, the smallest first, an empty line
between two. KEY is the log's key (``name+id+base64``), a file that holds it, or a file of
c2sp.org/tlog-policy that names the log, its witnesses and how many of them must have signed. Get it from
somebody you trust, not from whoever hands you the journal. A witness head is a signed head that somebody
outside the institution kept: without one, a journal that was rolled back to an earlier end cannot be told
from a whole one.
``--since`` demands a witness's signature from that moment on (``2026-11-24T15:00Z``). ``--held`` is what a
person's receipt says of an entry about them. PROOF is a file of c2sp.org/tlog-proof@v1.

The exit status is 0 when nothing is wrong, 1 when something is, 2 when a file cannot be read.
"""

import argparse
import base64
import hashlib
import re
import sys
from binascii import a2b_hex
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = re.compile(
    rb'\{"act":"(?:aggregate|consent|create|erase|expire|export|read|receive|refer|release|restrict|rewrap'
    rb'|search|update|withdraw)",'
    rb'(?:"basis":"(?:consent|contract|legal_obligation|legitimate_interest|public_task|vital_interest)",)?'
    rb'(?:"consent":"(?:[0-9a-f]{64}|[0-9a-f]{32}'
    rb'|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",)?'
    rb'"dec":"(?:allow|break_glass|deny)",'
    rb'(?:"fields":\[((?:[1-9][0-9]{0,8},)*[1-9][0-9]{0,8})\],)?'
    rb'(?:"h":"[0-9a-f]{64}",)?'
    rb'"inst":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",'
    rb'(?:"obj":"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",)?'
    rb'"pol":"[0-9a-f]{64}",'
    rb'(?:"purpose":"[a-z][a-z0-9_]{0,39}",)?'
    rb'"req":"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",'
    rb'"role":"[a-z][a-z0-9_]{0,39}",'
    rb'(?:"sn":([1-9][0-9]{0,14}),)?(?:"sp":"([0-9a-f]{32})",)?(?:"subj":"([0-9a-f]{32})",)?'
    rb'"t":"([0-9]{4}-[0-9]{2}-[0-9]{2})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z",'
    rb'"v":1,"who":"[0-9a-f]{32}"\}'
)
MOST_BYTES = 65_535
DASH = "\u2014 "
LOG, WITNESS = 1, 4
TOGETHER = 4096
"""Entries that are looked at together."""


class Unreadable(Exception):
    """What was given is not in the format that it should have."""


class Key:
    """A public key in the format of c2sp.org/signed-note; kind 1 is a log's, kind 4 a witness's."""

    def __init__(self, text: str) -> None:
        parts = text.strip().split("+", 2)
        try:
            self.name, short, rest = parts
            octets = base64.b64decode(rest, validate=True)
            self.short = bytes.fromhex(short)
        except ValueError:
            raise Unreadable("this is not a public key of a journal") from None
        expected = hashlib.sha256(self.name.encode() + b"\n" + octets).digest()[:4]
        if len(octets) != 33 or octets[0] not in (LOG, WITNESS) or self.short != expected:
            raise Unreadable("this public key does not fit its own short name")
        self.kind = octets[0]
        self.octets = octets[1:]
        self._public = Ed25519PublicKey.from_public_bytes(self.octets)

    def times(self, head: "Head") -> list[int] | None:
        """When this key signed the head (0 for a log), once per line; None if one of its lines is false."""
        lines = [octets[4:] for name, octets in head.lines if name == self.name and octets[:4] == self.short]
        times = [self._time(line, head.body.encode()) for line in lines]
        return None if -1 in times else times

    def _time(self, signature: bytes, body: bytes) -> int:
        moment = 0
        if self.kind == WITNESS:
            moment = int.from_bytes(signature[:8], "big")
            if len(signature) != 72 or not 0 < moment < 1 << 63:
                return -1
            signature, body = signature[8:], b"cosignature/v1\ntime %d\n" % moment + body
        try:
            self._public.verify(signature, body)
        except InvalidSignature:
            return -1
        return moment


class Policy:
    """Which log, which witnesses, and which sets of them are enough (c2sp.org/tlog-policy)."""

    log: Key | None = None
    _quorum: str = ""

    def __init__(self, text: str) -> None:
        self.witnesses: dict[str, Key] = {}
        self._groups: dict[str, tuple[int, list[str]]] = {}
        for line in text.split("\n"):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                self._read(words)
            except (ValueError, IndexError):
                raise Unreadable(
                    f"the policy's line {line.strip()[:60]!r} says nothing that is known"
                ) from None
        if self.log is None or not self._quorum:
            raise Unreadable("the policy names no log or no quorum")

    def _read(self, words: list[str]) -> None:
        kind = words[0]
        if kind == "log" and len(words) in (2, 3) and self.log is None:
            self.log = _key_of_kind(words[1], LOG)
        elif kind == "witness" and len(words) in (3, 4):
            key = _key_of_kind(words[2], WITNESS)
            if any(other.octets == key.octets for other in self.witnesses.values()):
                raise ValueError
            self._name(words[1])
            self.witnesses[words[1]] = key
        elif kind == "group" and len(words) > 3:
            members = words[3:]
            needed = {"all": len(members), "any": 1}.get(words[2]) or int(words[2])
            known = self.witnesses.keys() | self._groups.keys()
            if not 1 <= needed <= len(members) or len(set(members)) != len(members) or set(members) - known:
                raise ValueError
            self._name(words[1])
            self._groups[words[1]] = (needed, members)
        elif kind == "quorum" and len(words) == 2 and not self._quorum:
            if words[1] not in {"none"} | self.witnesses.keys() | self._groups.keys():
                raise ValueError
            self._quorum = words[1]
        else:
            raise ValueError

    def _name(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self._groups:
            raise ValueError

    @property
    def demands(self) -> bool:
        """Whether any witness must have signed."""
        return self._quorum != "none"

    def is_met(self, signed: set[str]) -> bool:
        """Whether these witnesses are enough."""

        def met(name: str) -> bool:
            if name not in self._groups:
                return name in signed
            needed, members = self._groups[name]
            return sum(map(met, members)) >= needed

        return not self.demands or met(self._quorum)


class Trust:
    """What the auditor believes beforehand: the log's key, witnesses' keys, how many of them are enough."""

    def __init__(self, text: str, witness_keys: Sequence[str]) -> None:
        path = Path(text)
        if "+" not in text or path.is_file():
            text = path.read_text(encoding="utf-8")
        is_policy = re.search(r"^[ \t]*quorum[ \t]", text, re.MULTILINE)
        self.policy = Policy(text) if is_policy else None
        log = self.policy.log if self.policy else Key(text)
        if log is None or log.kind != LOG:
            raise Unreadable("this key is not the key of a journal")
        self.log = log
        named = [*self.policy.witnesses.items()] if self.policy else []
        named += [
            (f"{number}", _key_of_kind(_text(each), WITNESS)) for number, each in enumerate(witness_keys)
        ]
        self.witnesses = dict(named)

    def witness_times(self, head: "Head") -> dict[str, int]:
        """Who of the witnesses signed the head, and when."""
        times = {name: key.times(head) for name, key in self.witnesses.items()}
        return {name: max(found) for name, found in times.items() if found}

    def false_lines(self, head: "Head") -> list[str]:
        """The names of those whose signature under the head is false."""
        return [key.name for key in (self.log, *self.witnesses.values()) if key.times(head) is None]

    def is_enough(self, head: "Head") -> bool:
        """Whether the policy is met, where there is one."""
        return self.policy is None or self.policy.is_met(set(self.witness_times(head)))


class Head:
    """A signed head: origin, number of entries, root, and the signatures under it."""

    def __init__(self, note: str) -> None:
        match = re.fullmatch(
            r"(([^\x00-\x1f]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n(?:[^\x00-\x1f]+\n)*)\n"
            r"((?:\u2014 [^\s+]+ [A-Za-z0-9+/]+={0,2}\n)+)",
            note,
        )
        if match is None:
            raise Unreadable("this is not a signed head of a journal")
        self.body, self.origin = match[1], match[2]
        self.size = int(match[3])
        self.root = _bytes(match[4])
        self.lines = [
            (line.split(" ")[1], _bytes(line.split(" ")[2])) for line in match[5].splitlines() if line
        ]


def notes_in(path: Path) -> list[str]:
    """The signed notes of a file that may hold several, an empty line between two."""
    text = path.read_bytes().decode("utf-8")
    parts = re.split(r"\n\n(?!\u2014 )", text.rstrip("\n"))
    return [part + "\n" for part in parts]


class Roots:
    """The tree of RFC 6962, grown entry by entry; `here` is the root of all entries so far."""

    def __init__(self) -> None:
        self._waiting: dict[int, bytes] = {}

    def grow(self, leaves: Sequence[bytes]) -> None:
        """More leaf hashes: at each height two become one, and the odd one waits for the next."""
        height, nodes = 0, list(leaves)
        while nodes:
            if height in self._waiting:
                nodes.insert(0, self._waiting.pop(height))
            if len(nodes) % 2:
                self._waiting[height] = nodes.pop()
            pairs = zip(nodes[::2], nodes[1::2], strict=True)
            nodes = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
            height += 1

    def here(self) -> bytes:
        root: bytes | None = None
        for _, node in sorted(self._waiting.items()):
            root = node if root is None else hashlib.sha256(b"\x01" + node + root).digest()
        return hashlib.sha256().digest() if root is None else root


class Entries:
    """Reads the entries one after the other: the form of each, and each person's own chain."""

    def __init__(self, held: Sequence[tuple[str, int, str]]) -> None:
        self.size = 0
        self._watched = {(mark.encode(), number): bytes.fromhex(hashed) for mark, number, hashed in held}
        self._chains: dict[bytes, tuple[int, bytes]] = {}
        self._institution: bytes | None = None
        self._good_days: set[bytes] = set()
        self._good_groups: set[bytes | None] = {None}

    def read(self, lines: Sequence[bytes], leaves: Sequence[bytes]) -> Iterator[str]:
        """What is wrong with these lines, a sentence each."""
        matched = ENTRY.fullmatch
        for place, (line, leaf) in enumerate(zip(lines, leaves, strict=True), start=self.size):
            if line[-1:] != b"\n":
                yield f"Entry {place} is cut off: its line has no end."
            found = matched(line.removesuffix(b"\n"))
            if found is None or len(line) > MOST_BYTES + 1:
                yield f"Entry {place} is not a proper journal entry."
                continue
            groups, institution, number, before, mark, day = found.groups()
            if day not in self._good_days or groups not in self._good_groups:
                yield from self._look_closely(place, day, groups)
            if institution != self._institution:
                if self._institution is not None:
                    yield f"Entry {place} belongs to another institution than the first."
                else:
                    self._institution = institution
            if (mark is None) != (number is None) or (before is None) != (number in (None, b"1")):
                yield f"Entry {place} has only a part of a person's chain."
            elif mark is not None:
                count, last = self._chains.get(mark, (0, b""))
                here = int(number)
                if here != count + 1:
                    yield (
                        f"Entry {place} about one person should be that person's number {count + 1} "
                        f"and says {here}: an entry was left out, added or moved."
                    )
                elif before is not None and a2b_hex(before) != last:
                    yield f"Entry {place} does not follow from the entry about the same person before it."
                last = leaf[:16]
                self._chains[mark] = (here, last)
                if self._watched and self._watched.get((mark, here)) == last:
                    del self._watched[mark, here]
        self.size += len(lines)

    def _look_closely(self, place: int, day: bytes, groups: bytes | None) -> Iterator[str]:
        try:
            date.fromisoformat(day.decode())
            self._good_days.add(day)
        except ValueError:
            yield f"Entry {place} has a day that is in no calendar."
        numbers = [int(group) for group in groups.split(b",")] if groups else []
        if sorted(set(numbers)) == numbers:
            self._good_groups.add(groups)
        else:
            yield f"Entry {place} names its groups of answers twice or out of order."

    def not_seen(self) -> Iterator[str]:
        """What people hold receipts for and the journal lacks."""
        for _, number in self._watched:
            yield (
                f"A person holds a receipt for entry number {number} about them; "
                "the journal lacks it as it was."
            )


def faults_of(
    journal: Iterable[bytes],
    notes: Sequence[str],
    trust: Trust,
    witness_notes: Sequence[str] = (),
    held: Sequence[tuple[str, int, str]] = (),
) -> Iterator[str]:
    """Everything that is wrong with the journal, a sentence each."""
    heads: list[tuple[str, Head]] = []
    for whose, texts in (("A", notes), ("A witness's", witness_notes)):
        size = 0
        for place, note in enumerate(texts, 1):
            try:
                head = Head(note)
            except Unreadable as wrong:
                yield f"{whose} signed head (number {place}) cannot be used: {wrong}."
                continue
            false = trust.false_lines(head)
            for name in false:
                yield f"{whose} signed head (number {place}) carries a false signature of {name}."
            if false:
                continue
            if not trust.log.times(head) and (whose == "A" or not trust.witness_times(head)):
                yield f"{whose} signed head (number {place}) has no valid signature of this journal."
            elif head.origin != trust.log.name:
                yield f"{whose} signed head (number {place}) belongs to the journal {head.origin!r}."
            else:
                heads.append((whose, head))
                if whose == "A" and head.size < size:
                    yield f"Signed head number {place} goes back behind one before it: an old one was put in."
                size = max(size, head.size)
    cuts = sorted({head.size for _, head in heads})
    roots = {0: hashlib.sha256().digest()}
    tree, entries = Roots(), Entries(held)
    lines = iter(journal)
    while True:
        later = bisect_right(cuts, entries.size)
        room = cuts[later] - entries.size if later < len(cuts) else TOGETHER
        batch = list(islice(lines, min(TOGETHER, room)))
        if not batch:
            break
        leaves = [hashlib.sha256(b"\x00" + line.removesuffix(b"\n")).digest() for line in batch]
        yield from entries.read(batch, leaves)
        tree.grow(leaves)
        roots[entries.size] = tree.here()
    size = entries.size
    yield from entries.not_seen()
    good = 0
    for whose, head in sorted(heads, key=lambda pair: pair[1].size):
        if head.size > size:
            yield (
                f"{whose} head was signed at {head.size} entries: "
                f"the last {head.size - size} are missing, from entry {size} on."
            )
        elif roots[head.size] != head.root:
            yield (
                f"Something between entry {good} and entry {max(head.size - 1, good)} was changed, removed, "
                f"added or moved. ({whose} head at {head.size} entries.)"
            )
            break
        else:
            good = head.size
    newest = max((head.size for whose, head in heads if whose == "A"), default=None)
    if newest is None:
        yield "There is no valid signed head: nothing vouches for these entries."
    elif newest < size:
        yield f"{size - newest} entries, from entry {newest} on, are under no signed head."
    if trust.policy is not None and trust.policy.demands:
        enough = max(
            (head.size for _, head in heads if head.size <= good and trust.is_enough(head)), default=0
        )
        if enough < size:
            yield (
                f"{size - enough} entries, from entry {enough} on, "
                "are under no head that enough witnesses signed."
            )


def fault_of_proof(entry: bytes, index: int, path: Sequence[bytes], head: Head, trust: Trust) -> str | None:
    """What is wrong with the proof of one entry (c2sp.org/tlog-proof@v1), or None."""
    if ENTRY.fullmatch(entry) is None or len(entry) > MOST_BYTES:
        return "This is not a proper journal entry."
    for name in trust.false_lines(head):
        return f"The head in the proof carries a false signature of {name}."
    if not trust.log.times(head) or head.origin != trust.log.name:
        return "The head in the proof was not signed by this journal."
    if index >= head.size:
        return "The proof speaks of an entry after the journal's end."
    # From the root down: at each height, is the entry in the left part or in the right one?
    turns: list[bool] = []
    low, high = 0, head.size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        right = index >= middle
        turns.append(right)
        low, high = (middle, high) if right else (low, middle)
    if len(path) != len(turns):
        return "The proof's path has the wrong length."
    node = hashlib.sha256(b"\x00" + entry).digest()
    for step, right in zip(path, reversed(turns), strict=True):
        node = hashlib.sha256(b"\x01" + (step + node if right else node + step)).digest()
    if node != head.root:
        return "The proof does not lead from this entry to the signed root."
    if not trust.is_enough(head):
        return "Too few witnesses signed the head in the proof."
    return None


def read_proof(text: str) -> tuple[bytes | None, int, list[bytes], Head]:
    """What lies beside the proof (the entry itself, as a rule), the place, the path, the head."""
    match = re.fullmatch(
        r"c2sp\.org/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]*)\n)?index (0|[1-9][0-9]{0,18})\n"
        r"((?:[A-Za-z0-9+/]{43}=\n){0,64})\n([^\x00]+)",
        text,
    )
    if match is None:
        raise Unreadable("this is not a proof of a journal entry")
    beside = None if match[1] is None else _bytes(match[1])
    return beside, int(match[2]), [_bytes(line) for line in match[3].split()], Head(match[4])


def _key_of_kind(text: str, kind: int) -> Key:
    key = Key(text)
    if key.kind != kind:
        raise Unreadable("a log's key stands where a witness's should, or the other way round")
    return key


def _text(text: str) -> str:
    path = Path(text)
    return path.read_text(encoding="utf-8") if "+" not in text or path.is_file() else text


def _bytes(text: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        raise Unreadable("a code in base64 is damaged") from None
    if base64.b64encode(octets).decode() != text:
        raise Unreadable("a code in base64 is written in another way than the only right one")
    return octets


def _held(text: str) -> tuple[str, int, str]:
    match = re.fullmatch(r"([0-9a-f]{32}):([1-9][0-9]{0,14}):([0-9a-f]{32})", text)
    if match is None:
        raise Unreadable("--held takes MARK:NUMBER:HASH as the receipt says it")
    return match[1], int(match[2]), match[3]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable("--since takes a moment such as 2026-11-24T15:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(moment: int) -> str:
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return "a time beyond every calendar"


def _newest_witness(notes: Sequence[str], trust: Trust) -> tuple[int, str, int] | None:
    """When a witness signed last, who it was, and how many entries there were."""
    signed = []
    for note in notes:
        try:
            head = Head(note)
        except Unreadable:
            continue
        signed += [
            (time, trust.witnesses[name].name, head.size) for name, time in trust.witness_times(head).items()
        ]
    return max(signed, default=None)


def _check_journal(arguments: Sequence[str]) -> int:
    reader = argparse.ArgumentParser(description="Says whether a journal of Resguardo is whole.")
    reader.add_argument("journal", type=Path, help="one entry per line")
    reader.add_argument("checkpoints", type=Path, help="one or more signed heads")
    reader.add_argument("key", help="the journal's public key, a file that holds it, or a policy file")
    reader.add_argument(
        "--witness-head", type=Path, action="append", default=[], help="a head kept elsewhere"
    )
    reader.add_argument("--witness-key", action="append", default=[], help="a witness's public key")
    reader.add_argument("--since", help="a witness must have signed since then")
    reader.add_argument("--held", action="append", default=[], help="MARK:NUMBER:HASH from a receipt")
    asked = reader.parse_args(arguments)
    trust = Trust(asked.key, asked.witness_key)
    notes = notes_in(asked.checkpoints)
    witness_notes = [note for path in asked.witness_head for note in notes_in(path)]
    held = [_held(text) for text in asked.held]
    since = _moment(asked.since) if asked.since else None
    count = 0
    with asked.journal.open("rb") as journal:
        for fault in faults_of(journal, notes, trust, witness_notes, held):
            count += 1
            sys.stdout.write(fault + "\n")
    newest = _newest_witness([*witness_notes, *notes], trust)
    if since and (newest is None or newest[0] < since.timestamp()):
        count += 1
        sys.stdout.write(
            f"No witness signed since {_said(int(since.timestamp()))}: the heads given are old.\n"
        )
    if newest is not None:
        time, name, size = newest
        sys.stdout.write(f"Newest signature of a witness: {name}, {_said(time)}, over {size} entries.\n")
    if not witness_notes:
        sys.stdout.write("No witness's head was given: a roll-back to an earlier end would not be seen.\n")
    sys.stdout.write(
        "The journal is whole.\n" if count == 0 else f"The journal is NOT whole: {count} found.\n"
    )
    return 1 if count else 0


def _check_proof(arguments: Sequence[str]) -> int:
    reader = argparse.ArgumentParser(description="Says whether one entry is in a journal.")
    reader.add_argument("proof", type=Path, help="a file .tlog-proof")
    reader.add_argument("key", help="the journal's public key, a file that holds it, or a policy file")
    reader.add_argument("--entry", type=Path, help="the entry, if the proof does not carry it")
    reader.add_argument(
        "--witness-head", type=Path, action="append", default=[], help="a head kept elsewhere"
    )
    reader.add_argument("--witness-key", action="append", default=[], help="a witness's public key")
    asked = reader.parse_args(arguments)
    trust = Trust(asked.key, asked.witness_key)
    beside, index, path, head = read_proof(asked.proof.read_bytes().decode("utf-8"))
    entry = asked.entry.read_bytes().removesuffix(b"\n") if asked.entry else beside
    if entry is None:
        raise Unreadable("the proof does not carry its entry: give it with --entry")
    fault = fault_of_proof(entry, index, path, head, trust)
    for note in (note for path in asked.witness_head for note in notes_in(path)):
        other = Head(note)
        known = other.origin == head.origin and not trust.false_lines(other)
        if not known or not (trust.log.times(other) or trust.witness_times(other)):
            fault = fault or "A witness's head has no valid signature of this journal."
        elif other.size == head.size and other.root != head.root:
            fault = fault or "A witness saw another journal of the same length."
        elif other.size < head.size:
            sys.stdout.write("A witness's head is older than the proof: it says nothing of this entry.\n")
        elif other.size > head.size:
            sys.stdout.write(
                "The journal has grown since the proof: compare it whole with the witness's head.\n"
            )
    if fault:
        sys.stdout.write(fault + "\n")
        return 1
    witnesses = trust.witness_times(head)
    for name, time in witnesses.items():
        sys.stdout.write(f"Signed by the witness {trust.witnesses[name].name}, {_said(time)}.\n")
    if not witnesses:
        sys.stdout.write("No known witness signed it: the journal's own key alone vouches for it.\n")
    sys.stdout.write(entry.decode("ascii") + "\n")
    sys.stdout.write(f"The entry is in the journal {head.origin}: number {index} of {head.size}.\n")
    return 0


def main(arguments: Sequence[str]) -> int:
    """Runs the program; see the top of this file."""
    try:
        if arguments[:1] == ["proof"]:
            return _check_proof(arguments[1:])
        return _check_journal(arguments)
    except (OSError, UnicodeDecodeError, Unreadable) as wrong:
        sys.stderr.write(f"Cannot verify: {wrong}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
