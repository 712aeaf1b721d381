"""Whoever holds the database, the files and even the log's own key changes a journal: it is found.

Forty-two kinds of change, each made many times at random: 1,500 in all, or 20,000 with `RESGUARDO_LONG=1`.
The judge is the one-file verifier in a process of its own that imports nothing of Resguardo (`python -I`).
What the auditor brings is the journal's key or policy, and one head that a witness kept. The control is the
same roll-back without that head: it is not found, and the program says that it would not be.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.rules.keep.journals import (
    KEY,
    ORIGIN,
    RING,
    WITNESS_KEY,
    Journal,
    cosigned,
    head,
    journal_of,
    leaf_of,
    policy_of,
    witness_named,
)
from tests.rules.keep.places import NOW
from tests.rules.keep.tampering import WAYS, Evidence, evidence_of

from resguardo.keep import verifier
from resguardo.keep.checkpoint import COSIGNATURE, VerifierKey, cosign_checkpoint, read_checkpoint
from resguardo.keep.journal import chain_hash, entry_bytes, read_entry
from resguardo.keep.proof import Prover
from resguardo.keep.tree import leaf_hash, root_of

LONG = os.environ.get("RESGUARDO_LONG") == "1"
MUTATIONS = 20_000 if LONG else 1_500

DRIVER = """
import contextlib, io, json, runpy, sys
program = runpy.run_path(sys.argv[1], run_name="verifier")["main"]
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = program(json.loads(line))
    ours = [name for name in sys.modules if name.split(".")[0].startswith("resguardo")]
    print(json.dumps([status, said.getvalue(), ours]), flush=True)
"""


class Verifier:
    """The verifier in a process of its own, asked again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "key").write_text(KEY, encoding="utf-8")
        (folder / "policy").write_text(policy_of(*"abc"), encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-W", "error", "-c", DRIVER, verifier.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )

    def judge(self, evidence: Evidence, trusted: str, keys: Sequence[str]) -> tuple[int, str]:
        """The status and what was said about what an auditor has in hand."""
        (self.folder / "journal").write_bytes(evidence.journal)
        heads = "\n".join(evidence.checkpoints)
        (self.folder / "heads").write_text(heads, encoding="utf-8", newline="")
        words = ["journal", "heads", trusted, *(word for key in keys for word in ("--witness-key", key))]
        if evidence.witness_heads:
            (self.folder / "kept").write_text("\n".join(evidence.witness_heads), encoding="utf-8", newline="")
            words += ["--witness-head", "kept"]
        return self.asked(*words)

    def asked(self, *words: str) -> tuple[int, str]:
        """The status and what was said."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        status, said, ours = json.loads(self.process.stdout.readline())
        assert ours == [], "the judge shares no code with the writer"
        return status, said


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    made = Verifier(tmp_path_factory.mktemp("auditor"))
    with made.process:
        yield made
    assert made.process.returncode == 0


# A journal under witnesses: 120 entries about 12 people, six heads, each signed by three witnesses.

SIZES = (20, 40, 60, 80, 100, 120)
PLAIN = journal_of(120, people=12)


def signed_by(entries: Sequence[bytes], *letters: str, sizes: Sequence[int] = SIZES) -> Journal:
    """The entries with heads that the log and those witnesses signed."""
    within = [size for size in sizes if size < len(entries)] + [len(entries)]
    heads = (cosigned(head(tuple(entries[:size])), *letters) for size in within)
    return Journal(tuple(entries), tuple(heads))


WATCHED = signed_by(PLAIN.entries, *"abc")
KEPT = (cosigned(head(PLAIN.entries), "a"),)
"""What the auditor got from a witness, not from whoever hands the journal over."""

Mutation = Callable[[Random], Evidence]


def handed_over(journal: Journal, kept: tuple[str, ...] = KEPT) -> Evidence:
    return evidence_of(journal, kept)


def with_newest(text: str) -> Evidence:
    return handed_over(replace(WATCHED, checkpoints=(*WATCHED.checkpoints[:-1], text)))


def lines_of(note: str) -> tuple[str, list[str]]:
    """The text with the log's line, and the witnesses' lines."""
    body, _, signatures = note.partition("\n\n")
    own, *others = signatures.splitlines(keepends=True)
    return f"{body}\n\n{own}", others


def drop_cosignatures(chance: Random) -> Evidence:
    text, others = lines_of(WATCHED.checkpoints[-1])
    return with_newest(text + "".join(chance.sample(others, chance.randrange(2))))


def put_stale_cosignatures_under_the_newest_head(chance: Random) -> Evidence:
    text, others = lines_of(WATCHED.checkpoints[-1])
    _, stale = lines_of(chance.choice(WATCHED.checkpoints[:-1]))
    count = chance.randrange(1, 4)
    return with_newest(text + "".join(stale[:count] + others[count:]))


def cosign_in_the_name_of_witnesses(chance: Random) -> Evidence:
    """Names are free to take; keys are not."""
    signed = read_checkpoint(head(PLAIN.entries))
    for letter in chance.sample("abc", chance.randrange(2, 4)):
        own = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        signed = signed.with_signature(cosign_checkpoint(signed, witness_named(letter).name, own, now=NOW))
    return with_newest(signed.text)


def cosign_with_the_name_and_short_name_of_witnesses(chance: Random) -> Evidence:
    signed = read_checkpoint(head(PLAIN.entries))
    for letter in chance.sample("abc", chance.randrange(1, 4)):
        own = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        key = witness_named(letter)
        line = cosign_checkpoint(signed, key.name, own, now=NOW)
        signed = signed.with_signature(replace(line, key_id=key.key_id))
    return with_newest(signed.text)


def change_the_time_of_a_cosignature(chance: Random) -> Evidence:
    signed = read_checkpoint(WATCHED.checkpoints[-1])
    own, *others = signed.signatures
    at = chance.randrange(len(others))
    moment = int.from_bytes(others[at].octets[:8], "big") + chance.choice([-1, 1]) * chance.randrange(
        1, 10**7
    )
    others[at] = replace(others[at], octets=moment.to_bytes(8, "big") + others[at].octets[8:])
    return with_newest(replace(signed, signatures=(own, *others)).text)


def flip_a_bit_of_a_signed_head(chance: Random) -> Evidence:
    """In what the log signed or in its signature: a witness's line may be lost, the log's may not."""
    heads = list(WATCHED.checkpoints)
    at = chance.randrange(len(heads))
    text, others = lines_of(heads[at])
    octets = bytearray(text.encode())
    octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(7)
    heads[at] = octets.decode("utf-8", "replace") + "".join(others)
    return handed_over(replace(WATCHED, checkpoints=tuple(heads)))


def replay_an_old_head_in_place_of_the_newest(chance: Random) -> Evidence:
    return with_newest(chance.choice(WATCHED.checkpoints[:-1]))


def replay_an_old_head_after_the_newest(chance: Random) -> Evidence:
    return handed_over(
        replace(WATCHED, checkpoints=(*WATCHED.checkpoints, chance.choice(WATCHED.checkpoints[:-1])))
    )


def change_the_origin(chance: Random) -> Evidence:
    other = f"shelter-{chance.randrange(10**6)}.example/journal"
    note = RING.sign_checkpoint(other, 120, root_of(PLAIN.entries))
    return with_newest(cosigned(note, *"abc"))


def change_the_origin_and_keep_the_name_of_the_key(chance: Random) -> Evidence:
    heads = [text.replace(ORIGIN, "shelter-b.example/journal", 1) for text in WATCHED.checkpoints]
    return handed_over(replace(WATCHED, checkpoints=(*heads[:-1], chance.choice([heads[-1], heads[0]]))))


def places_of_one_person(chance: Random) -> list[int]:
    told = [read_entry(entry).subj for entry in PLAIN.entries]
    whose = chance.choice(sorted({mark for mark in told if mark}))
    return [place for place, mark in enumerate(told) if mark == whose]


def reorder_one_persons_entries_and_sign_anew(chance: Random) -> Evidence:
    entries = list(PLAIN.entries)
    one, other = chance.sample(places_of_one_person(chance), 2)
    entries[one], entries[other] = entries[other], entries[one]
    return handed_over(signed_by(entries, "b"))


def reorder_one_persons_entries_with_a_new_chain(chance: Random) -> Evidence:
    """The thief holds the log's key and one witness's: the chain is made again, and every head."""
    places = places_of_one_person(chance)
    leaves = [read_entry(PLAIN.entries[place]) for place in places]
    while True:
        mixed = chance.sample(leaves, len(leaves))
        if mixed != leaves:
            break
    entries, last = list(PLAIN.entries), None
    for number, (place, leaf) in enumerate(zip(places, mixed, strict=True), start=1):
        entries[place] = entry_bytes(replace(leaf, sn=number, sp=last))
        last = chain_hash(entries[place])
    return handed_over(signed_by(entries, "b"))


def leave_a_gap_in_one_persons_chain_and_sign_anew(chance: Random) -> Evidence:
    entries = list(PLAIN.entries)
    del entries[chance.choice(places_of_one_person(chance)[:-1])]
    return handed_over(signed_by(entries, *"abc", sizes=()), kept=())


def repeat_an_entry_and_sign_anew(chance: Random) -> Evidence:
    entries = list(PLAIN.entries)
    at = chance.randrange(len(entries))
    entries.insert(at, entries[at])
    return handed_over(signed_by(entries, *"abc"), kept=())


def fork_together_with_a_minority_of_witnesses(chance: Random) -> Evidence:
    """Log key and one witness's key are stolen; no head of another witness is at hand."""
    at = chance.randrange(len(PLAIN.entries))
    forged = [entry_bytes(leaf_of(4000 + number)) for number in range(len(PLAIN.entries) - at)]
    return handed_over(signed_by([*PLAIN.entries[:at], *forged], "a"), kept=())


def roll_back_to_an_end_that_every_witness_signed(chance: Random) -> Evidence:
    """Everything in hand is genuine, and old."""
    size = chance.choice(SIZES[:-1])
    return handed_over(signed_by(PLAIN.entries[:size], *"abc"))


def write_the_journal_anew_together_with_the_quorum(chance: Random) -> Evidence:
    """Log key and a majority of witnesses are stolen; the third kept its head."""
    at = chance.randrange(len(PLAIN.entries))
    forged = [entry_bytes(leaf_of(5000 + number)) for number in range(len(PLAIN.entries) - at)]
    return handed_over(signed_by([*PLAIN.entries[:at], *forged], "b", "c"))


UNDER_WITNESSES: tuple[Mutation, ...] = (
    drop_cosignatures,
    put_stale_cosignatures_under_the_newest_head,
    cosign_in_the_name_of_witnesses,
    cosign_with_the_name_and_short_name_of_witnesses,
    change_the_time_of_a_cosignature,
    flip_a_bit_of_a_signed_head,
    replay_an_old_head_in_place_of_the_newest,
    replay_an_old_head_after_the_newest,
    change_the_origin,
    change_the_origin_and_keep_the_name_of_the_key,
    reorder_one_persons_entries_and_sign_anew,
    reorder_one_persons_entries_with_a_new_chain,
    leave_a_gap_in_one_persons_chain_and_sign_anew,
    repeat_an_entry_and_sign_anew,
    fork_together_with_a_minority_of_witnesses,
    roll_back_to_an_end_that_every_witness_signed,
    write_the_journal_anew_together_with_the_quorum,
)


@dataclass(frozen=True)
class Kind:
    """One kind of change, and what the auditor trusts."""

    name: str
    change: Mutation
    trusted: str
    keys: tuple[str, ...]


KINDS = (
    *(
        Kind(way.__name__, lambda chance, way=way: way(PLAIN, chance), "key", (WITNESS_KEY,))  # type: ignore[misc]
        for way in WAYS
    ),
    *(Kind(way.__name__, way, "policy", ()) for way in UNDER_WITNESSES),
)
ROUNDS = -(-MUTATIONS // len(KINDS))


def test_there_are_three_times_fourteen_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) == 42
    assert ROUNDS * len(KINDS) >= MUTATIONS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_change_is_found(kind: Kind, judge: Verifier) -> None:
    chance = Random(f"journal mutations {kind.name}")
    whole = handed_over(WATCHED) if kind.trusted == "policy" else None
    missed = []
    for number in range(ROUNDS):
        evidence = kind.change(chance)
        assert evidence != whole
        status, said = judge.judge(evidence, kind.trusted, kind.keys)
        if status != 1 or "The journal is NOT whole" not in said:
            missed.append((number, status, said))
    assert missed == []


# Controls


def test_a_journal_that_nobody_touched_is_whole(judge: Verifier) -> None:
    """What an honest institution hands over, in all its forms: nothing is found that is not there."""
    chance = Random("honest")
    for _ in range(60):
        size = chance.choice(SIZES)
        signers = chance.choice(["ab", "bc", "ca", "abc"])
        journal = signed_by(PLAIN.entries[:size], *signers)
        kept = chance.choice([one for one in SIZES if one <= size])
        older = cosigned(head(PLAIN.entries[:kept]), chance.choice("abc"))
        fewer = chance.sample(range(len(journal.checkpoints) - 1), chance.randrange(len(journal.checkpoints)))
        heads = [journal.checkpoints[at] for at in sorted(fewer)] + [journal.checkpoints[-1]]
        evidence = evidence_of(replace(journal, checkpoints=tuple(heads)), (older,))
        assert judge.judge(evidence, "policy", ())[0] == 0
    plain = evidence_of(PLAIN, (cosigned(head(PLAIN.entries[:60]), "a"),))
    assert judge.judge(plain, "key", (witness_named("a").text,))[0] == 0


def test_without_a_witnesss_head_a_roll_back_is_not_found_and_the_program_says_so(judge: Verifier) -> None:
    """The limit of every log. If this ever fails, the attack above proves less than it seems to."""
    chance = Random("control")
    for _ in range(50):
        evidence = roll_back_to_an_end_that_every_witness_signed(chance)
        status, said = judge.judge(replace(evidence, witness_heads=()), "policy", ())
        assert status == 0
        assert "No witness's head was given: a roll-back to an earlier end would not be seen." in said
        assert judge.judge(evidence, "policy", ())[0] == 1


def test_a_rewriting_together_with_the_quorum_is_not_found_without_the_third_witness(judge: Verifier) -> None:
    """What a quorum means: who holds the log's key and most witnesses' keys writes history."""
    evidence = write_the_journal_anew_together_with_the_quorum(Random(1))
    broken = [entry_bytes(leaf_of(6000 + number)) for number in range(20)]
    journal = signed_by([*PLAIN.entries[:100], *broken], "b", "c")
    assert judge.judge(handed_over(journal, kept=()), "policy", ())[0] == 0
    assert judge.judge(evidence, "policy", ())[0] == 1


def test_a_single_proof_with_any_changed_bit_is_refused_or_proves_the_same_entry(judge: Verifier) -> None:
    """A bit in a witness's line may cost that signature, which is one more than the policy needs."""
    signed = read_checkpoint(WATCHED.checkpoints[-1])
    proof = Prover(map(leaf_hash, PLAIN.entries), signed).prove(77, PLAIN.entries[77]).text.encode()
    path = judge.folder / "one.tlog-proof"
    chance = Random("proof")
    first_witness = proof.index("— witness-a".encode())
    for number in range(4_000 if LONG else 400):
        octets = bytearray(proof)
        at = chance.randrange(len(octets))
        octets[at] ^= (1 << chance.randrange(8)) if number else 0
        path.write_bytes(octets)
        status, said = judge.asked("proof", path.name, "policy")
        if number == 0 or (at >= first_witness and status == 0):
            assert PLAIN.entries[77].decode() in said
            assert said.count("Signed by the witness") >= 2
        else:
            assert status in (1, 2), (at, said)


def test_keys_of_the_wrong_kind_are_no_ground_for_trust(judge: Verifier) -> None:
    """A log's key handed in as a witness's would let the log vouch for itself."""
    as_witness = VerifierKey.read(KEY)
    assert as_witness.kind != COSIGNATURE
    status, said = judge.judge(handed_over(WATCHED), "key", (KEY,))
    assert status == 2
    assert "other way round" in said


def test_the_newest_signature_of_a_witness_is_told_with_its_time(judge: Verifier) -> None:
    late = cosigned(head(PLAIN.entries), "c", now=NOW + timedelta(days=2))
    _, said = judge.judge(handed_over(WATCHED, (late,)), "policy", ())
    assert re.search(
        r"Newest signature of a witness: witness-c\S+, 2022-08-13 15:30 UTC, over 120 entries", said
    )
