"""A journal that was tampered with is found, by our rules and by a program that shares no code with it."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from tests.rules.keep.journals import KEY, ORIGIN, WITNESS_KEY, WITNESS_NAME, head, journal_of, witnessed
from tests.rules.keep.tampering import ONLY_A_WITNESS_SEES, WAYS, Evidence, Tampering, evidence_of

from resguardo.keep import verifier as verifier_module
from resguardo.keep.journal import HeldEntry, chain_hash, read_entry, verify_journal

PROGRAM = Path(verifier_module.__file__)
JOURNAL = journal_of(43)
WHOLE = evidence_of(JOURNAL, (witnessed(JOURNAL.entries),))
ROUNDS = 25


def found_by_the_rules(evidence: Evidence) -> list[str]:
    findings = verify_journal(
        evidence.entries, evidence.checkpoints, KEY, evidence.witness_heads, [WITNESS_KEY]
    )
    for finding in findings:
        assert finding.words("es") != finding.words("en")
    return [finding.code for finding in findings]


def arguments_for(folder: Path, evidence: Evidence) -> list[str]:
    """The evidence as files, and the words after the program's name."""
    (folder / "journal.jsonl").write_bytes(evidence.journal)
    (folder / "checkpoint.txt").write_text("\n".join(evidence.checkpoints), encoding="utf-8", newline="")
    (folder / "public-key").write_text(KEY + "\n", encoding="utf-8")
    words = [str(folder / name) for name in ("journal.jsonl", "checkpoint.txt", "public-key")]
    for number, text in enumerate(evidence.witness_heads):
        path = folder / f"witness-{number}"
        path.write_text(text, encoding="utf-8", newline="")
        words += ["--witness-head", str(path)]
    return [*words, "--witness-key", WITNESS_KEY]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The verifier as a program of its own: nothing of Resguardo can be imported by it."""
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", str(PROGRAM), *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The verifier loaded from its file, to run it hundreds of times."""
    specification = importlib.util.spec_from_file_location("independent_verifier", PROGRAM)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_whole_journal_has_nothing_wrong(tmp_path: Path) -> None:
    assert found_by_the_rules(WHOLE) == []
    answer = run(*arguments_for(tmp_path, WHOLE))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        f"Newest signature of a witness: {WITNESS_NAME}, 2022-08-11 15:30 UTC, over 43 entries.",
        "The journal is whole.",
    ]


def test_an_empty_journal_with_its_head_is_whole(tmp_path: Path) -> None:
    empty = evidence_of(journal_of(0), (witnessed(()),))
    assert found_by_the_rules(empty) == []
    assert run(*arguments_for(tmp_path, empty)).returncode == 0


def test_without_a_witness_the_program_says_what_it_cannot_see(tmp_path: Path) -> None:
    answer = run(*arguments_for(tmp_path, evidence_of(JOURNAL, ())))
    assert answer.returncode == 0
    assert "roll-back" in answer.stdout


@pytest.mark.parametrize("way", WAYS)
def test_every_tampering_is_found_by_the_rules_and_by_the_verifier(
    way: Tampering, program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = Random(f"2022 {way.__name__}")
    for number in range(ROUNDS):
        evidence = way(JOURNAL, chance)
        assert evidence != WHOLE
        words = arguments_for(tmp_path, evidence)
        assert program.main(words) == 1, (way.__name__, number)
        if way.__name__ != "cut_in_the_middle_of_a_line":
            assert found_by_the_rules(evidence), (way.__name__, number)
        if number == 0:
            answer = run(*words)
            assert answer.returncode == 1
            assert answer.stderr == ""
            assert "NOT whole" in answer.stdout
    capsys.readouterr()


def test_there_are_more_than_fourteen_ways() -> None:
    assert len({way.__name__ for way in WAYS}) == len(WAYS) == 25


@pytest.mark.parametrize("way", ONLY_A_WITNESS_SEES)
def test_what_the_stolen_key_rewrote_looks_whole_without_a_witness(way: Tampering) -> None:
    """Why the verifier asks for a witness: this is a limit of every log, and it is stated."""
    evidence = way(JOURNAL, Random(1))
    assert verify_journal(evidence.entries, evidence.checkpoints, KEY) == ()


def test_a_change_is_hemmed_in_between_two_signed_heads() -> None:
    entries = list(JOURNAL.entries)
    entries[12] = entries[12].replace(b"trainer", b"teacher")
    findings = verify_journal(entries, JOURNAL.checkpoints, KEY)
    assert [(finding.code, finding.entry) for finding in findings] == [
        ("chain_hash", next(n for n in range(13, 43) if same_person(n, 12))),
        ("checkpoint_root", 10),
    ]
    assert "entry 10 and entry 14" in findings[-1].words("en")


def same_person(one: int, other: int) -> bool:
    return read_entry(JOURNAL.entries[one]).subj == read_entry(JOURNAL.entries[other]).subj


def test_an_entry_of_another_institution_is_found() -> None:
    entry = JOURNAL.entries[7]
    institution = str(read_entry(entry).inst).encode()
    entries = [*JOURNAL.entries[:7], entry.replace(institution, b"0" * 8 + institution[8:])]
    codes = [finding.code for finding in verify_journal(entries, [head(tuple(entries))], KEY)]
    assert "entry_institution" in codes


def test_one_entry_left_out_about_one_person_is_found_wherever_it_stood() -> None:
    for number in range(len(JOURNAL.entries)):
        entries = (*JOURNAL.entries[:number], *JOURNAL.entries[number + 1 :])
        findings = verify_journal(entries, [head(entries)], KEY)
        newest = not any(same_person(later, number) for later in range(number + 1, len(JOURNAL.entries)))
        assert bool(findings) != newest


def test_a_person_who_holds_a_receipt_finds_that_the_newest_entry_was_left_out(tmp_path: Path) -> None:
    newest = read_entry(JOURNAL.entries[-1])
    assert newest.subj is not None
    assert newest.sn is not None
    held = HeldEntry(newest.subj, newest.sn, chain_hash(JOURNAL.entries[-1]))
    assert verify_journal(JOURNAL.entries, JOURNAL.checkpoints, KEY, held=[held]) == ()
    shorter = JOURNAL.entries[:-1]
    findings = verify_journal(shorter, [head(shorter)], KEY, held=[held])
    assert [finding.code for finding in findings] == ["held_entry"]

    receipt = f"{held.subj}:{held.sn}:{held.hash}"
    assert run(*arguments_for(tmp_path, WHOLE), "--held", receipt).returncode == 0
    evidence = Evidence(b"".join(entry + b"\n" for entry in shorter), (head(shorter),), ())
    answer = run(*arguments_for(tmp_path, evidence), "--held", receipt)
    assert answer.returncode == 1
    assert "receipt" in answer.stdout
    assert run(*arguments_for(tmp_path, WHOLE), "--held", "anything").returncode == 2


def test_files_that_cannot_be_read_are_said_with_status_2(tmp_path: Path) -> None:
    words = arguments_for(tmp_path, WHOLE)
    assert run(str(tmp_path / "missing"), *words[1:]).returncode == 2
    assert run(words[0], words[0], *words[2:]).returncode == 1
    assert run(words[0], words[1], words[0]).returncode == 2
    answer = run(words[0], words[1], KEY.replace(ORIGIN, "other.example/journal"))
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_the_verifier_imports_nothing_of_resguardo() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(PROGRAM.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}
