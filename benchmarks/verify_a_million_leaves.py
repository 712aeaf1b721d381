"""How long an auditor waits: a journal of a million entries, verified offline by the one-file verifier.

    .venv/bin/python benchmarks/verify_a_million_leaves.py [--entries 1000000] [--people 20000] [--out FILE]

The journal lies in files as it is handed over: entries of about 525 bytes, each person's chain, a signed
head at every tenth part, the last of them cosigned by two of three witnesses. The verifier runs as a program
of its own (`python -I`), and its seconds are those of the whole program, start and reading of the file
included. Two peers do less with the same bytes, in this process: *plain hashing* reads the lines and takes
SHA-256 of each, which is the least that any check must do; *the definition* is the recursive root of RFC 6962
section 2.1 over the same entries, without looking at what they say. Ratios inside one run are what compares.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from resguardo.keep import verifier
from resguardo.keep.checkpoint import (
    COSIGNATURE,
    LOG_SIGNATURE,
    Checkpoint,
    VerifierKey,
    cosign_checkpoint,
    sign_checkpoint,
)
from resguardo.keep.journal import read_entry
from resguardo.keep.tree import Frontier
from resguardo.keep.witness import Quorum

ORIGIN = "shelter-a.example/journal"
LOG = Ed25519PrivateKey.from_private_bytes(b"L" * 32)
WITNESSES = {
    f"witness-{letter}.example/witness": Ed25519PrivateKey.from_private_bytes(letter.encode() * 32)
    for letter in "abc"
}
LOG_KEY = VerifierKey(ORIGIN, LOG_SIGNATURE, LOG.public_key().public_bytes_raw())
QUORUM = Quorum(
    LOG_KEY,
    tuple(
        VerifierKey(name, COSIGNATURE, key.public_key().public_bytes_raw()) for name, key in WITNESSES.items()
    ),
)
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def entries_of(count: int, people: int) -> Iterator[bytes]:
    """Openings of one person after another, each chained to the one before."""
    newest: list[tuple[int, str]] = [(0, "")] * people
    for number in range(count):
        person = number * 7919 % people
        before, last = newest[person]
        chained = f'"sp":"{last}",' if last else ""
        day = f"2026-{number // 86400 % 12 + 1:02}-{number // 7 % 28 + 1:02}"
        moment = f"{day}T{number % 24:02}:15:30.{number % 1000:03}Z"
        entry = (
            f'{{"act":"read","basis":"consent","consent":"{person:032x}","dec":"allow","fields":[1,2],'
            f'"inst":"6d1f0a52-0c1b-4a3f-9a55-0d6a2f6a1e01","obj":"0e2c8a44-5b1d-4d7a-bf6e-{person:012x}",'
            f'"pol":"{"ab" * 32}","purpose":"assistance","req":"0e2c8a44-5b1d-4d7a-bf6e-{number:012x}",'
            f'"role":"caseworker","sn":{before + 1},{chained}"subj":"{person:032x}","t":"{moment}","v":1,'
            f'"who":"{number % 17:032x}"}}'
        ).encode()
        newest[person] = (before + 1, hashlib.sha256(b"\x00" + entry).digest()[:16].hex())
        yield entry


def write_journal(folder: Path, count: int, people: int) -> list[str]:
    """The files of the journal, and the words with which the verifier is asked about them."""
    frontier = Frontier()
    heads: list[str] = []
    batch: list[bytes] = []
    with (folder / "journal.jsonl").open("wb") as file:
        for number, entry in enumerate(entries_of(count, people), start=1):
            if number <= 3 or number == count:
                read_entry(entry)
            file.write(entry + b"\n")
            batch.append(hashlib.sha256(b"\x00" + entry).digest())
            if number % max(1, count // 10) == 0 or number == count:
                frontier, batch = frontier.extend(batch), []
                signed = sign_checkpoint(Checkpoint(ORIGIN, number, frontier.root), LOG)
                heads.append(signed.text)
    for name, key in list(WITNESSES.items())[:2]:
        signed = signed.with_signature(cosign_checkpoint(signed, name, key, now=NOW))
    heads[-1] = signed.text
    (folder / "checkpoint.txt").write_text("\n".join(heads), encoding="utf-8")
    (folder / "head.txt").write_text(signed.text, encoding="utf-8")
    (folder / "policy.txt").write_text(QUORUM.policy(), encoding="utf-8")
    names = ("journal.jsonl", "checkpoint.txt", "policy.txt")
    return [*(str(folder / name) for name in names), "--witness-head", str(folder / "head.txt")]


def verified(words: Sequence[str]) -> None:
    """The program, as an auditor runs it."""
    answer = subprocess.run(
        [sys.executable, "-I", verifier.__file__, *words], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def plainly_hashed(path: Path) -> bytes:
    """SHA-256 of each line, and one of them all."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        for line in file:
            whole.update(hashlib.sha256(line).digest())
    return whole.digest()


def by_definition(entries: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, as it stands there."""
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    left, right = by_definition(entries[:split]), by_definition(entries[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(count: int, people: int, repeats: int) -> dict[str, object]:
    """Medians of the verifier and of its peers over the same file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = write_journal(folder, count, people)
        path = folder / "journal.jsonl"

        def definition() -> None:
            root = by_definition(path.read_bytes().removesuffix(b"\n").split(b"\n"))
            assert base64.b64encode(root).decode() == (folder / "head.txt").read_text().split("\n")[2]

        ways: dict[str, Callable[[], object]] = {
            "the verifier, whole program": lambda: verified(words),
            "plain hashing of the lines": lambda: plainly_hashed(path),
            "the definition of the root": definition,
        }
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(repeats):
            for way, work in ways.items():
                taken[way].append(seconds(work))
        medians = {way: statistics.median(times) for way, times in taken.items()}
        ours = medians["the verifier, whole program"]
        return {
            "entries": count,
            "people": people,
            "bytes": path.stat().st_size,
            "repeats": repeats,
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "seconds": medians,
            "verifier_over": {way: ours / median for way, median in medians.items()},
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    result = measure(given.entries, given.people, given.repeats)
    print(f"{given.entries:,} entries of {given.people:,} people, {result['bytes']:,} bytes")
    medians, ratios = result["seconds"], result["verifier_over"]
    assert isinstance(medians, dict)
    assert isinstance(ratios, dict)
    for way, median in medians.items():
        print(f"  {way:<30} {median:7.2f} s   the verifier takes {ratios[way]:5.2f} times that")
    if given.out:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
