"""One entry is proved to anyone, by a file that needs nobody, and no other entry is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.rules.keep.journals import (
    KEY,
    LOG_KEY,
    RING,
    WITNESS_KEY,
    WITNESS_NAME,
    cosigned,
    head,
    journal_of,
    policy_of,
    quorum_of,
    witness_named,
)

from resguardo.keep import verifier
from resguardo.keep.checkpoint import NotACheckpoint, VerifierKey, read_checkpoint
from resguardo.keep.proof import EntryProof, NotProvable, Prover
from resguardo.keep.tree import leaf_hash

ENTRIES = journal_of(43).entries
HASHES = [leaf_hash(entry) for entry in ENTRIES]
SIGNED = read_checkpoint(cosigned(head(ENTRIES), "a", "b"))
PROVER = Prover(HASHES, SIGNED)


def check(proof: str, key: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The verifier as a program of its own."""
    (folder / "one.tlog-proof").write_text(proof, encoding="utf-8", newline="")
    (folder / "key").write_text(key, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", verifier.__file__, "proof", "one.tlog-proof", "key", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.mark.parametrize("index", [0, 1, 17, 42])
def test_one_entry_is_proved_to_anyone_and_no_other_entry_is(index: int, tmp_path: Path) -> None:
    proof = PROVER.prove(index, ENTRIES[index])
    assert EntryProof.read(proof.text) == proof
    assert proof.holds(LOG_KEY)
    assert proof.holds(LOG_KEY, entry=ENTRIES[index])
    assert not proof.holds(LOG_KEY, entry=ENTRIES[index - 1])
    answer = check(proof.text, KEY, tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines()[-2:] == [
        ENTRIES[index].decode(),
        f"The entry is in the journal {LOG_KEY.name}: number {index} of 43.",
    ]
    (tmp_path / "other").write_bytes(ENTRIES[index - 1] + b"\n")
    assert check(proof.text, KEY, tmp_path, "--entry", "other").returncode == 1


def test_the_proof_needs_no_more_than_one_file_and_the_policy(tmp_path: Path) -> None:
    proof = PROVER.prove(7, ENTRIES[7]).text
    answer = check(proof, policy_of("a", "b", "c"), tmp_path)
    assert answer.returncode == 0
    assert "Signed by the witness witness-a.example/witness, 2022-08-11 15:30 UTC." in answer.stdout
    assert EntryProof.read(proof).holds(LOG_KEY, quorum=quorum_of("a", "b", "c"))


def test_too_few_witnesses_are_not_enough(tmp_path: Path) -> None:
    proof = Prover(HASHES, read_checkpoint(cosigned(head(ENTRIES), "a"))).prove(7, ENTRIES[7])
    assert not proof.holds(LOG_KEY, quorum=quorum_of("a", "b", "c"))
    answer = check(proof.text, policy_of("a", "b", "c"), tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "Too few witnesses signed the head in the proof.\n")
    assert check(proof.text, policy_of("a"), tmp_path).returncode == 0


def test_without_a_known_witness_the_program_says_who_alone_vouches(tmp_path: Path) -> None:
    answer = check(PROVER.prove(7, ENTRIES[7]).text, KEY, tmp_path)
    assert "No known witness signed it: the journal's own key alone vouches for it." in answer.stdout
    keyed = check(PROVER.prove(7, ENTRIES[7]).text, KEY, tmp_path, "--witness-key", witness_named("a").text)
    assert "Signed by the witness witness-a.example/witness" in keyed.stdout


def test_a_proof_of_another_journal_or_a_changed_one_does_not_hold(tmp_path: Path) -> None:
    proof = PROVER.prove(5, ENTRIES[5]).text
    other = RING.journal_verifier_key("shelter-b.example/journal")
    assert not EntryProof.read(proof).holds(VerifierKey.read(other))
    for text, key, status in (
        (proof, other, 1),
        (proof.replace("index 5", "index 6"), KEY, 1),
        (proof.replace("index 5", "index 99"), KEY, 1),
        (proof.replace("extra ", "extra AAAA"), KEY, 1),
        ("\n".join(proof.split("\n")[:3] + proof.split("\n")[4:]), KEY, 1),
        (proof.replace("@v1", "@v2"), KEY, 2),
        ("\n".join(proof.split("\n")[:1] + proof.split("\n")[2:]), KEY, 2),
        ("", KEY, 2),
        (proof, WITNESS_KEY, 2),
    ):
        answer = check(text, key, tmp_path)
        assert answer.returncode == status, text
        assert "Traceback" not in answer.stderr
        try:
            read = EntryProof.read(text)
        except NotACheckpoint:
            continue
        assert not (key == KEY and read.holds(LOG_KEY))


def test_a_head_that_a_witness_kept_contradicts_a_proof_from_another_journal_of_that_length(
    tmp_path: Path,
) -> None:
    forged = (*ENTRIES[:-1], ENTRIES[0])
    proof = Prover(map(leaf_hash, forged), read_checkpoint(head(forged))).prove(42, ENTRIES[0]).text
    (tmp_path / "kept").write_text(cosigned(head(ENTRIES), "a"), encoding="utf-8", newline="")
    (tmp_path / "older").write_text(cosigned(head(ENTRIES[:20]), "a"), encoding="utf-8", newline="")
    words = ("--witness-key", witness_named("a").text, "--witness-head")
    assert check(proof, KEY, tmp_path).returncode == 0, "the stolen key alone"
    answer = check(proof, KEY, tmp_path, *words, "kept")
    assert (answer.returncode, answer.stdout) == (1, "A witness saw another journal of the same length.\n")
    assert "older than the proof" in check(proof, KEY, tmp_path, *words, "older").stdout


def test_nothing_is_proved_that_is_not_under_the_head() -> None:
    with pytest.raises(NotProvable, match="other_root"):
        Prover(HASHES[:-1], SIGNED)
    with pytest.raises(NotProvable, match="other_root"):
        Prover([*HASHES[:3], bytes(32), *HASHES[4:]], SIGNED)
    with pytest.raises(NotProvable, match="not_under_head"):
        PROVER.prove(43, ENTRIES[0])
    with pytest.raises(NotProvable, match="other_entry"):
        PROVER.prove(3, ENTRIES[4])


def test_a_head_may_be_older_than_the_journal() -> None:
    early = Prover(HASHES, read_checkpoint(head(ENTRIES[:9])))
    assert early.prove(8, ENTRIES[8]).holds(LOG_KEY)
    with pytest.raises(NotProvable, match="not_under_head"):
        early.prove(9, ENTRIES[9])


def test_a_cosignature_that_is_false_spoils_the_proof(tmp_path: Path) -> None:
    text = PROVER.prove(5, ENTRIES[5]).text
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if "witness-b" in line)
    stale = cosigned(head(ENTRIES[:20]), "b").split("\n")[-2]
    spoilt = "\n".join([*lines[:at], stale, *lines[at + 1 :]])
    answer = check(spoilt, policy_of("a", "b", "c"), tmp_path)
    assert answer.returncode == 1
    assert "false signature of witness-b.example/witness" in answer.stdout
    assert WITNESS_NAME not in answer.stdout
