"""Twenty-five ways in which somebody could try to change a journal without being found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.rules.keep.journals import KEY, ORIGIN, RING, Journal, head, journal_of, leaf_of, witnessed
from tests.rules.keep.places import chance_of

from resguardo.keep.checkpoint import Checkpoint, sign_checkpoint
from resguardo.keep.journal import entry_bytes
from resguardo.keep.tree import root_of


@dataclass(frozen=True)
class Evidence:
    """What an auditor has in hand: the journal's file, the signed heads, the witness's newest heads."""

    journal: bytes
    checkpoints: tuple[str, ...]
    witness_heads: tuple[str, ...]

    @property
    def entries(self) -> tuple[bytes, ...]:
        """The entries, as a reader of the file sees them."""
        return tuple(self.journal.removesuffix(b"\n").split(b"\n")) if self.journal else ()


def evidence_of(journal: Journal, witness_heads: tuple[str, ...]) -> Evidence:
    """The journal as it is handed over."""
    return Evidence(b"".join(entry + b"\n" for entry in journal.entries), journal.checkpoints, witness_heads)


Tampering = Callable[[Journal, Random], Evidence]


def _with_entries(journal: Journal, entries: list[bytes]) -> Evidence:
    return evidence_of(Journal(tuple(entries), journal.checkpoints), _seen(journal))


def _with_heads(journal: Journal, *heads: str) -> Evidence:
    return evidence_of(Journal(journal.entries, heads), _seen(journal))


def _seen(journal: Journal) -> tuple[str, ...]:
    return (witnessed(journal.entries),)


def _signed_again(journal: Journal, entries: list[bytes]) -> Evidence:
    """Every head signed anew with the log's own, stolen key."""
    sizes = (*range(5, len(entries), 5), len(entries))
    return evidence_of(Journal(tuple(entries), ()).signed_at(*sizes), _seen(journal))


def flip_a_bit(journal: Journal, chance: Random) -> Evidence:
    whole = evidence_of(journal, _seen(journal))
    octets = bytearray(whole.journal)
    octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    return Evidence(bytes(octets), whole.checkpoints, whole.witness_heads)


def edit_a_member(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    members = json.loads(entries[at])
    name, value = chance.choice(
        [("purpose", "rights"), ("act", "update"), ("who", "0" * 32), ("dec", "deny"), ("role", "caseworker")]
    )
    members[name] = value
    entries[at] = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return _with_entries(journal, entries)


def drop_a_member(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    members = json.loads(entries[at])
    del members[chance.choice(sorted(members))]
    entries[at] = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return _with_entries(journal, entries)


def add_free_text(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    entries[at] = entries[at][:-1] + b',"zz":"Maria"}'
    return _with_entries(journal, entries)


def add_spaces(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    entries[at] = json.dumps(json.loads(entries[at]), sort_keys=True).encode()
    return _with_entries(journal, entries)


def other_line_ends(journal: Journal, chance: Random) -> Evidence:
    return _with_entries(journal, [entry + b"\r" for entry in journal.entries])


def delete_an_entry(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    del entries[chance.randrange(len(entries))]
    return _with_entries(journal, entries)


def insert_a_forged_entry(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    entries.insert(at, entry_bytes(leaf_of(1000 + at)))
    return _with_entries(journal, entries)


def repeat_an_entry(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    entries.insert(at, entries[at])
    return _with_entries(journal, entries)


def swap_two_entries(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    one, two = chance.sample(range(len(entries)), 2)
    entries[one], entries[two] = entries[two], entries[one]
    return _with_entries(journal, entries)


def move_a_block(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    cut = chance.randrange(1, len(entries))
    return _with_entries(journal, entries[cut:] + entries[:cut])


def cut_the_end_off(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    return _with_entries(journal, entries[: chance.randrange(len(entries))])


def cut_in_the_middle_of_a_line(journal: Journal, chance: Random) -> Evidence:
    whole = evidence_of(journal, _seen(journal))
    return Evidence(
        whole.journal[: chance.randrange(len(whole.journal))], whole.checkpoints, whole.witness_heads
    )


def add_unsigned_entries(journal: Journal, chance: Random) -> Evidence:
    more = [entry_bytes(leaf_of(2000 + number)) for number in range(chance.randrange(1, 4))]
    return _with_entries(journal, [*journal.entries, *more])


def hide_the_newest_heads(journal: Journal, chance: Random) -> Evidence:
    return _with_heads(journal, *journal.checkpoints[: chance.randrange(len(journal.checkpoints))])


def damage_a_signature(journal: Journal, chance: Random) -> Evidence:
    heads = list(journal.checkpoints)
    at = chance.randrange(len(heads))
    spot = len(heads[at]) - 1 - chance.randrange(4, 80)
    letter = "A" if heads[at][spot] != "A" else "B"
    heads[at] = heads[at][:spot] + letter + heads[at][spot + 1 :]
    return _with_heads(journal, *heads)


def change_a_heads_size(journal: Journal, chance: Random) -> Evidence:
    heads = list(journal.checkpoints)
    at = chance.randrange(len(heads))
    heads[at] = re.sub(r"\n[0-9]+\n", f"\n{chance.randrange(1000, 2000)}\n", heads[at], count=1)
    return _with_heads(journal, *heads)


def change_a_heads_root(journal: Journal, chance: Random) -> Evidence:
    heads = list(journal.checkpoints)
    one, two = chance.sample(range(len(heads)), 2)
    lines, others = heads[one].split("\n"), heads[two].split("\n")
    lines[2] = others[2]
    heads[one] = "\n".join(lines)
    return _with_heads(journal, *heads)


def sign_with_a_key_of_ones_own(journal: Journal, chance: Random) -> Evidence:
    own = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    entries = list(journal.entries)
    del entries[chance.randrange(len(entries))]
    signed = sign_checkpoint(Checkpoint(ORIGIN, len(entries), root_of(entries)), own)
    return evidence_of(Journal(tuple(entries), (signed.text,)), _seen(journal))


def hand_in_another_journals_head(journal: Journal, chance: Random) -> Evidence:
    other = RING.sign_checkpoint("shelter-a.example/other", len(journal.entries), root_of(journal.entries))
    return _with_heads(journal, *journal.checkpoints[:-1], other)


def edit_and_sign_with_the_stolen_key(journal: Journal, chance: Random) -> Evidence:
    return _signed_again(journal, list(edit_a_member(journal, chance).entries))


def leave_out_and_rewrite_with_the_stolen_key(journal: Journal, chance: Random) -> Evidence:
    count = len(journal.entries)
    return _signed_again(journal, list(journal_of(count, left_out=chance.randrange(count)).entries))


def fork_with_the_stolen_key(journal: Journal, chance: Random) -> Evidence:
    entries = list(journal.entries)
    at = chance.randrange(len(entries))
    forged = [entry_bytes(leaf_of(3000 + number)) for number in range(len(entries) - at + 3)]
    return _signed_again(journal, entries[:at] + forged)


def roll_back_to_an_earlier_end(journal: Journal, chance: Random) -> Evidence:
    size = chance.randrange(1, len(journal.entries))
    return _signed_again(journal, list(journal.entries[:size]))


def hand_in_a_false_witness_head(journal: Journal, chance: Random) -> Evidence:
    whole = evidence_of(journal, _seen(journal))
    entries = journal.entries[: chance.randrange(1, len(journal.entries))]
    signed = sign_checkpoint(
        Checkpoint(ORIGIN, len(entries), root_of(entries)),
        Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)),
    )
    return Evidence(whole.journal, whole.checkpoints, (signed.text,))


WAYS: tuple[Tampering, ...] = (
    flip_a_bit,
    edit_a_member,
    drop_a_member,
    add_free_text,
    add_spaces,
    other_line_ends,
    delete_an_entry,
    insert_a_forged_entry,
    repeat_an_entry,
    swap_two_entries,
    move_a_block,
    cut_the_end_off,
    cut_in_the_middle_of_a_line,
    add_unsigned_entries,
    hide_the_newest_heads,
    damage_a_signature,
    change_a_heads_size,
    change_a_heads_root,
    sign_with_a_key_of_ones_own,
    hand_in_another_journals_head,
    edit_and_sign_with_the_stolen_key,
    leave_out_and_rewrite_with_the_stolen_key,
    fork_with_the_stolen_key,
    roll_back_to_an_earlier_end,
    hand_in_a_false_witness_head,
)
ONLY_A_WITNESS_SEES: tuple[Tampering, ...] = (
    leave_out_and_rewrite_with_the_stolen_key,
    fork_with_the_stolen_key,
    roll_back_to_an_earlier_end,
)

__all__ = ["KEY", "ONLY_A_WITNESS_SEES", "WAYS", "Evidence", "Tampering", "chance_of", "evidence_of", "head"]
