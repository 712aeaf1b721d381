"""Says whether a journal of Resguardo is whole; needs Python and `cryptography` only, and no network.

It shares no code with Resguardo, so that a fault there is not repeated here. Copy it anywhere and run:

    python verifier.py JOURNAL CHECKPOINTS PUBLIC_KEY [--witness-head FILE ...] [--witness-key KEY ...]
                       [--held MARK:NUMBER:HASH ...]
    python verifier.py proof ENTRY PROOF PUBLIC_KEY

JOURNAL has one entry per line. CHECKPOINTS has one or more signed heads, an empty line between two.
PUBLIC_KEY is the log's key (``name+id+base64``) or a file that holds it. A witness head is a signed head that
somebody outside the institution kept: without one, a journal that was rolled back to an earlier end cannot be
told from a whole one. ``--held`` is what a person's receipt says of the newest entry about them.

The exit status is 0 when nothing is wrong, 1 when something is, 2 when a file cannot be read.
"""

import argparse
import base64
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ENTRY = re.compile(
    rb'\{"act":"(?:aggregate|consent|create|erase|expire|export|read|receive|refer|release|restrict|rewrap|search'
    rb'|update|withdraw)",'
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
    rb'"t":"([0-9]{4})-([0-9]{2})-([0-9]{2})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z",'
    rb'"v":1,"who":"[0-9a-f]{32}"\}'
)
DASH = "\u2014 "


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
        if len(octets) != 33 or octets[0] not in (1, 4) or self.short != expected:
            raise Unreadable("this public key does not fit its own short name")
        self.kind = octets[0]
        self._public = Ed25519PublicKey.from_public_bytes(octets[1:])

    def signed(self, head: "Head") -> bool:
        """True when this key signed the head, and no line of this key under it is false."""
        lines = [octets[4:] for name, octets in head.lines if name == self.name and octets[:4] == self.short]
        return bool(lines) and all(self._holds(line, head.body.encode()) for line in lines)

    def _holds(self, signature: bytes, body: bytes) -> bool:
        if self.kind == 4:
            if len(signature) != 72 or signature[0] > 127:
                return False
            moment = int.from_bytes(signature[:8], "big")
            signature, body = signature[8:], b"cosignature/v1\ntime %d\n" % moment + body
        try:
            self._public.verify(signature, body)
        except InvalidSignature:
            return False
        return True


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


def _bytes(text: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        raise Unreadable("a code in base64 is damaged") from None
    if base64.b64encode(octets).decode() != text:
        raise Unreadable("a code in base64 is written in another way than the only right one")
    return octets


def notes_in(path: Path) -> list[str]:
    """The signed notes of a file that may hold several, an empty line between two."""
    text = path.read_bytes().decode("utf-8")
    parts = re.split(r"\n\n(?!\u2014 )", text.rstrip("\n"))
    return [part + "\n" for part in parts]


class Roots:
    """The tree of RFC 6962, grown entry by entry; `here` is the root of all entries so far."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            leaf = hashlib.sha256(b"\x01" + self._peaks.pop()[1] + leaf).digest()
            height += 1
        self._peaks.append((height, leaf))

    def here(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256().digest()
        root = self._peaks[-1][1]
        for _, peak in self._peaks[-2::-1]:
            root = hashlib.sha256(b"\x01" + peak + root).digest()
        return root


def faults_of(
    journal: Iterator[bytes],
    notes: Sequence[str],
    key: Key,
    witness_notes: Sequence[str] = (),
    witness_keys: Sequence[Key] = (),
    held: Sequence[tuple[str, int, str]] = (),
) -> Iterator[str]:
    """Everything that is wrong with the journal, a sentence each."""
    heads: list[tuple[str, Head]] = []
    for whose, texts, keys in (("A", notes, [key]), ("A witness's", witness_notes, [key, *witness_keys])):
        for place, note in enumerate(texts, 1):
            try:
                head = Head(note)
            except Unreadable as wrong:
                yield f"{whose} signed head (number {place}) cannot be used: {wrong}."
                continue
            if not any(one.signed(head) for one in keys):
                yield f"{whose} signed head (number {place}) has no valid signature of this journal."
            elif head.origin != key.name:
                yield f"{whose} signed head (number {place}) belongs to the journal {head.origin!r}."
            else:
                heads.append((whose, head))
    wanted = {head.size for _, head in heads}
    roots = {0: hashlib.sha256().digest()}
    tree, size = Roots(), 0
    chains: dict[bytes, tuple[int, bytes]] = {}
    institution: bytes | None = None
    watched = {(held_mark.encode(), nth): hash_held for held_mark, nth, hash_held in held}
    for line in journal:
        entry = line.removesuffix(b"\n")
        if not line.endswith(b"\n"):
            yield f"Entry {size} is cut off: its line has no end."
        leaf = hashlib.sha256(b"\x00" + entry).digest()
        found = ENTRY.fullmatch(entry) if len(entry) <= 65535 else None
        if found is None:
            yield f"Entry {size} is not a proper journal entry."
        else:
            groups, inst, number, before, mark, year, month, day = found.groups()
            if not _is_day(int(year), int(month), int(day)):
                yield f"Entry {size} has a day that is in no calendar."
            if groups is not None:
                numbers = [int(group) for group in groups.split(b",")]
                if sorted(set(numbers)) != numbers:
                    yield f"Entry {size} names its groups of answers twice or out of order."
            if institution not in (None, inst):
                yield f"Entry {size} belongs to another institution than the first."
            institution = institution or inst
            if (mark is None) != (number is None) or (before is None) != (number in (None, b"1")):
                yield f"Entry {size} has only a part of a person's chain."
            elif mark is not None:
                count, last = chains.get(mark, (0, b""))
                if int(number) != count + 1:
                    yield (
                        f"Entry {size} about one person should be that person's number {count + 1} "
                        f"and says {int(number)}: an entry was left out, added or moved."
                    )
                elif (before or b"") != last:
                    yield f"Entry {size} does not follow from the entry about the same person before it."
                chain_hash = leaf[:16].hex()
                chains[mark] = (int(number), chain_hash.encode())
                if watched.get((mark, int(number))) == chain_hash:
                    del watched[mark, int(number)]
        tree.add(leaf)
        size += 1
        if size in wanted:
            roots[size] = tree.here()
    for _, nth in watched:
        yield f"A person holds a receipt for entry number {nth} about them; the journal lacks it as it was."
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


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def fault_of_proof(entry: bytes, proof: str, key: Key) -> str | None:
    """What is wrong with the proof of one entry (c2sp.org/tlog-proof@v1), or None."""
    match = re.fullmatch(
        r"c2sp\.org/tlog-proof@v1\n(?:extra [A-Za-z0-9+/=]*\n)?index (0|[1-9][0-9]{0,18})\n"
        r"((?:[A-Za-z0-9+/]{43}=\n){0,64})\n([^\x00]+)",
        proof,
    )
    if match is None:
        raise Unreadable("this is not a proof of a journal entry")
    head = Head(match[3])
    if not key.signed(head) or head.origin != key.name:
        return "The head in the proof was not signed by this journal."
    place, size = int(match[1]), head.size
    if place >= size:
        return "The proof speaks of an entry after the journal's end."
    # From the root down: at each height, is the entry in the left part or in the right one?
    turns: list[bool] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        right = place >= middle
        turns.append(right)
        low, high = (middle, high) if right else (low, middle)
    steps = [_bytes(line) for line in match[2].split()]
    if len(steps) != len(turns):
        return "The proof's path has the wrong length."
    node = hashlib.sha256(b"\x00" + entry).digest()
    for step, right in zip(steps, reversed(turns), strict=True):
        node = hashlib.sha256(b"\x01" + (step + node if right else node + step)).digest()
    return None if node == head.root else "The proof does not lead from this entry to the signed root."


def _key(text: str) -> Key:
    path = Path(text)
    return Key(path.read_text(encoding="utf-8") if "+" not in text or path.is_file() else text)


def _held(text: str) -> tuple[str, int, str]:
    match = re.fullmatch(r"([0-9a-f]{32}):([1-9][0-9]{0,14}):([0-9a-f]{32})", text)
    if match is None:
        raise Unreadable("--held takes MARK:NUMBER:HASH as the receipt says it")
    return match[1], int(match[2]), match[3]


def _check_journal(arguments: Sequence[str]) -> int:
    reader = argparse.ArgumentParser(description="Says whether a journal of Resguardo is whole.")
    reader.add_argument("journal", type=Path, help="one entry per line")
    reader.add_argument("checkpoints", type=Path, help="one or more signed heads")
    reader.add_argument("public_key", help="the journal's public key, or a file that holds it")
    reader.add_argument(
        "--witness-head", type=Path, action="append", default=[], help="a head kept elsewhere"
    )
    reader.add_argument("--witness-key", action="append", default=[], help="a witness's public key")
    reader.add_argument("--held", action="append", default=[], help="MARK:NUMBER:HASH from a receipt")
    asked = reader.parse_args(arguments)
    key = _key(asked.public_key)
    notes = notes_in(asked.checkpoints)
    witness_notes = [note for path in asked.witness_head for note in notes_in(path)]
    witness_keys = [_key(text) for text in asked.witness_key]
    held = [_held(text) for text in asked.held]
    count = 0
    with asked.journal.open("rb") as journal:
        for fault in faults_of(iter(journal), notes, key, witness_notes, witness_keys, held):
            count += 1
            sys.stdout.write(fault + "\n")
    if not witness_notes:
        sys.stdout.write("No witness's head was given: a roll-back to an earlier end would not be seen.\n")
    sys.stdout.write(
        "The journal is whole.\n" if count == 0 else f"The journal is NOT whole: {count} found.\n"
    )
    return 1 if count else 0


def _check_proof(arguments: Sequence[str]) -> int:
    reader = argparse.ArgumentParser(description="Says whether one entry is in a journal.")
    reader.add_argument("entry", type=Path)
    reader.add_argument("proof", type=Path)
    reader.add_argument("public_key")
    asked = reader.parse_args(arguments)
    entry = asked.entry.read_bytes().removesuffix(b"\n")
    proof = asked.proof.read_bytes().decode("utf-8")
    fault = fault_of_proof(entry, proof, _key(asked.public_key))
    sys.stdout.write((fault or "The entry is in the journal.") + "\n")
    return 1 if fault else 0


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
