"""The four ways in which the keys are locked, on real age files, words, security module and engine."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import tomllib
import unicodedata
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID, uuid4

import pyrage
import pytest
import shamir_mnemonic
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resguardo.plan.languages import explain_all, say
from resguardo.values import Refused
from resguardo_keyholder.identity import Identity
from resguardo_keyholder.rings import Rings
from resguardo_keyholder.unlocking import (
    Passphrase,
    Secrets,
    SecurityModule,
    Shares,
    Transit,
    change_way,
    first_run,
    first_run_unattended,
    new_passphrase,
    open_folder,
    renew,
    secret_from_descriptor,
    unlock,
    way_of,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SOURCE = Path(__file__).parent.parent.parent / "src"
NOBODY_THERE = Secrets(environment={})
WORDS = "el ñandú corre de día por la pampa"


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [problem.code.removeprefix("unlocking.") for problem in refused.value.problems]


def given(secret: str) -> Secrets:
    return Secrets(secret, environment={})


def sheets_given(*mnemonics: str) -> Secrets:
    return given("\n".join(mnemonics))


def every_octet(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def ring_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "rings").iterdir()}


# One folder for each way, locked once; tests work on copies of it.


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def by_passphrase(kept: Path) -> tuple[Path, UUID]:
    folder, institution = kept / "by-passphrase", uuid4()
    first_run(folder, Passphrase(WORDS)).of(institution)
    return folder, institution


@pytest.fixture(scope="module")
def by_shares(kept: Path) -> tuple[Path, Shares, UUID]:
    folder, institution, shares = kept / "by-shares", uuid4(), Shares.new()
    first_run(folder, shares).of(institution)
    return folder, shares, institution


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keyholder"


# A passphrase


def test_a_folder_opens_again_with_its_passphrase_however_its_accents_are_typed(
    by_passphrase: tuple[Path, UUID],
) -> None:
    folder, institution = by_passphrase
    assert unicodedata.normalize("NFD", WORDS) != WORDS
    assert unlock(folder, given(unicodedata.normalize("NFD", WORDS) + "\n")).has(institution)
    assert way_of(folder).name == "passphrase"
    assert (folder / "unlock.age").read_bytes().startswith(b"age-encryption.org/v1\n-> scrypt ")


def test_a_wrong_passphrase_is_refused_in_plain_words(by_passphrase: tuple[Path, UUID]) -> None:
    folder, _ = by_passphrase
    with pytest.raises(Refused) as refused:
        unlock(folder, given("el ñandú corre de noche por la pampa"))
    assert codes(refused) == ["passphrase.wrong"]
    assert explain_all(refused.value, "en") == (
        "The passphrase is not right, or unlock.age is damaged. Try again.",
    )


def test_the_folder_holds_no_secret_in_clear_and_is_for_its_owner_alone(
    by_passphrase: tuple[Path, UUID],
) -> None:
    folder, _ = by_passphrase
    secret = pyrage.passphrase.decrypt((folder / "unlock.age").read_bytes(), WORDS)
    assert secret.startswith(b"AGE-SECRET-KEY-1")
    everything = every_octet(folder)
    assert secret not in everything
    assert WORDS.encode() not in everything
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path.name
    assert {path.name for path in folder.iterdir()} == {
        "recipient", "unlock.age", "unlock.toml", "rings", "network-record-key.age", "rings.lock",
    }  # fmt: skip


def test_a_short_passphrase_is_refused_before_anything_is_made(folder: Path) -> None:
    with pytest.raises(Refused) as refused:
        first_run(folder, Passphrase("corta"))
    assert codes(refused) == ["passphrase.too_short"]
    assert not (folder / "recipient").exists()


def test_a_second_first_run_is_refused_and_the_keys_stay(by_passphrase: tuple[Path, UUID]) -> None:
    folder, _ = by_passphrase
    before = every_octet(folder)
    with pytest.raises(Refused) as refused:
        first_run(folder, Passphrase(WORDS))
    assert codes(refused) == ["folder.not_new"]
    assert every_octet(folder) == before


def test_a_passphrase_made_by_chance_has_twelve_words_of_a_list_of_1024() -> None:
    made = new_passphrase()
    assert len(made.split()) == 12
    assert made != new_passphrase()


# Where a secret comes from


def test_a_secret_handed_over_comes_before_systemd_a_setting_and_a_person(tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "passphrase").write_text("of systemd\n")
    (tmp_path / "of-setting").write_text("of the setting\n")
    (tmp_path / "beside").write_text("beside\n")
    told = {
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
        "RESGUARDO_KEYS_PASSPHRASE_FILE": str(tmp_path / "of-setting"),
    }
    beside = tmp_path / "beside"
    asked: list[str] = []

    def ask(sentence: str) -> str:
        asked.append(sentence)
        return "typed"

    assert Secrets("handed over", ask, environment=told).passphrase(beside) == "handed over"
    assert Secrets(None, ask, environment=told).passphrase(beside) == "of systemd"
    del told["CREDENTIALS_DIRECTORY"]
    assert Secrets(None, ask, environment=told).passphrase(beside) == "of the setting"
    del told["RESGUARDO_KEYS_PASSPHRASE_FILE"]
    assert Secrets(None, ask, environment=told).passphrase(beside) == "beside"
    assert asked == []
    assert Secrets(None, ask, environment=told, language="en").passphrase() == "typed"
    assert asked == ["Passphrase of the keys: "]


def test_pin_and_token_come_from_their_own_files(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("1234\n")
    (tmp_path / "token").write_text("s.abc\n")
    assert Secrets(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)}).pin() == "1234"
    assert Secrets(environment={"RESGUARDO_KEYS_PIN_FILE": str(tmp_path / "pin")}).pin() == "1234"
    assert Secrets(environment={"RESGUARDO_KEYS_TOKEN_FILE": str(tmp_path / "token")}).token() == "s.abc"


def test_what_is_missing_or_empty_is_said_and_not_tried(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        Secrets(environment={"RESGUARDO_KEYS_PASSPHRASE_FILE": str(tmp_path / "gone")}).passphrase()
    assert codes(refused) == ["secret.no_file"]
    with pytest.raises(Refused) as refused:
        NOBODY_THERE.passphrase()
    assert codes(refused) == ["secret.nobody_there"]
    with pytest.raises(Refused) as refused:
        NOBODY_THERE.shares(3, 1)
    assert codes(refused) == ["secret.nobody_there"]
    with pytest.raises(Refused) as refused:
        given(" \n").passphrase()
    assert codes(refused) == ["secret.empty"]


def test_a_secret_is_read_from_a_pipe_which_is_then_closed() -> None:
    reading, writing = os.pipe()
    os.write(writing, WORDS.encode())
    os.close(writing)
    assert secret_from_descriptor(reading) == WORDS
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


def test_secrets_do_not_show_when_printed() -> None:
    assert WORDS not in repr(Secrets(WORDS))
    assert "hidden" not in repr(Shares.new().sheets[0])
    assert Shares.new().sheets[0].words[4] not in repr(Shares.new().sheets[0])


# Shares of words on paper


def test_any_three_of_the_five_sheets_give_one_key_that_opens_the_age_file_without_this_program(
    by_shares: tuple[Path, Shares, UUID],
) -> None:
    folder, shares, institution = by_shares
    mnemonics = [sheet.mnemonic for sheet in shares.sheets]
    keys = {shamir_mnemonic.combine_mnemonics(few) for few in itertools.combinations(mnemonics, 3)}
    (key,) = keys
    secret = pyrage.passphrase.decrypt((folder / "unlock.age").read_bytes(), key.hex())
    opened = unlock(folder, sheets_given(mnemonics[4], mnemonics[0], mnemonics[2]))
    assert opened.has(institution)
    assert Rings(folder, Identity(secret)).of(institution).to_file() == opened.of(institution).to_file()


def test_the_words_of_the_sheets_are_stored_nowhere(by_shares: tuple[Path, Shares, UUID]) -> None:
    folder, shares, _ = by_shares
    everything = every_octet(folder)
    for sheet in shares.sheets:
        for start in range(3, len(sheet.words) - 3):
            assert " ".join(sheet.words[start : start + 3]).encode() not in everything
    assert way_of(folder).parameters == {"needed": 3, "made": 5, "set": shares.sheets[0].set_number}


def wrong_word(mnemonic: str) -> str:
    words = mnemonic.split()
    words[9] = "academic" if words[9] != "academic" else "acid"
    return " ".join(words)


def no_word(mnemonic: str) -> str:
    words = mnemonic.split()
    words[6] = words[10] = "resguardo"
    return " ".join(words)


@pytest.mark.parametrize(
    ("change", "code", "facts"),
    [
        (wrong_word, "shares.wrong_words", {"share": "2"}),
        (no_word, "shares.unknown_words", {"share": "2", "words": "7, 11"}),
        (lambda words: words.rsplit(" ", 1)[0], "shares.number_of_words", {"share": "2", "words": "32"}),
        (lambda words: words + " acid", "shares.number_of_words", {"share": "2", "words": "34"}),
        (
            lambda words: " ".join(
                [*words.split()[:8], words.split()[9], words.split()[8], *words.split()[10:]]
            ),
            "shares.wrong_words",
            {"share": "2"},
        ),
    ],
    ids=["a wrong word", "no word at all", "a word too few", "a word too many", "two words changed about"],
)
def test_a_sheet_that_is_wrong_is_named_by_its_place(
    by_shares: tuple[Path, Shares, UUID],
    change: Callable[[str], str],
    code: str,
    facts: dict[str, str],
) -> None:
    folder, shares, _ = by_shares
    first, second, third, *_ = (sheet.mnemonic for sheet in shares.sheets)
    while len(set(second.split()[8:10])) == 1:
        second, third = third, second
    with pytest.raises(Refused) as refused:
        unlock(folder, sheets_given(first, change(second), third))
    assert codes(refused) == [code]
    (problem,) = refused.value.problems
    assert facts.items() <= problem.facts.items()


def test_every_wrong_sheet_is_named_at_once(by_shares: tuple[Path, Shares, UUID]) -> None:
    folder, shares, _ = by_shares
    mnemonics = [sheet.mnemonic for sheet in shares.sheets]
    other = Shares.new().sheets[0]
    with pytest.raises(Refused) as refused:
        unlock(folder, sheets_given(wrong_word(mnemonics[0]), mnemonics[1], mnemonics[1], other.mnemonic))
    assert [(problem.code, problem.facts["share"]) for problem in refused.value.problems] == [
        ("unlocking.shares.wrong_words", "1"),
        ("unlocking.shares.twice", "3"),
        ("unlocking.shares.other_set", "4"),
    ]
    sentences = explain_all(refused.value, "en")
    assert sentences[2] == (
        f"Sheet 4 is of set {other.set_number}, and set {shares.sheets[0].set_number} is needed. "
        f"Bring a sheet on which stands: set {shares.sheets[0].set_number}."
    )


def test_two_sheets_are_too_few_and_it_is_said_how_many_are_missing(
    by_shares: tuple[Path, Shares, UUID],
) -> None:
    folder, shares, _ = by_shares
    with pytest.raises(Refused) as refused:
        unlock(folder, sheets_given(*(sheet.mnemonic for sheet in shares.sheets[:2])))
    assert codes(refused) == ["shares.too_few"]
    assert explain_all(refused.value, "es") == (
        "Hacen falta 3 hojas y se trajeron 2. Traiga las que faltan.",
    )


def test_right_sheets_do_not_open_another_folders_lock(
    by_shares: tuple[Path, Shares, UUID], by_passphrase: tuple[Path, UUID], folder: Path
) -> None:
    source, shares, _ = by_shares
    shutil.copytree(source, folder)
    shutil.copy(by_passphrase[0] / "unlock.age", folder / "unlock.age")
    with pytest.raises(Refused) as refused:
        unlock(folder, sheets_given(*(sheet.mnemonic for sheet in shares.sheets[:3])))
    assert codes(refused) == ["shares.other_lock"]


def test_a_person_types_sheet_after_sheet_and_is_told_of_a_mistake_at_once() -> None:
    shares = Shares.new(2, 3)
    first, second, _ = (sheet.mnemonic for sheet in shares.sheets)
    typed = iter([wrong_word(first), first.upper(), f"  {second} "])
    asked: list[str] = []
    told: list[str] = []

    def ask(sentence: str) -> str:
        asked.append(sentence)
        return next(typed)

    source = Secrets(None, ask, told.append, "en", {})
    set_number = shares.sheets[0].set_number
    assert source.shares(2, set_number) == [first.upper(), f"  {second} "]
    assert [sentence.split(" of 2")[0] for sentence in asked] == [
        "Words of sheet 1", "Words of sheet 1", "Words of sheet 2",
    ]  # fmt: skip
    assert told == ["Sheet 1: a word is wrong, or two are in the wrong order. Look at the sheet again."]


@pytest.mark.parametrize("language", ["es", "en", "fr"])
def test_a_printed_sheet_has_every_word_with_its_number_and_says_what_to_do(language: str) -> None:
    shares = Shares.new(3, 5)
    for number, sheet in enumerate(shares.sheets, 1):
        page = sheet.printed(language)
        found = dict(re.findall(r"(\d+)\. ([a-z]+)", page))
        assert [found[str(at)] for at in range(1, 34)] == list(sheet.words)
        assert sheet.number == number
        assert say("unlocking.sheet.title", language, number=number, made=5, set=sheet.set_number) in page
        assert max(map(len, page.splitlines()[3:-3])) <= 60


@pytest.mark.parametrize(("needed", "made"), [(1, 1), (1, 3), (4, 3), (3, 17), (0, 0)])
def test_a_set_that_one_sheet_opens_or_that_cannot_be_made_is_refused(needed: int, made: int) -> None:
    with pytest.raises(Refused) as refused:
        Shares.new(needed, made)
    assert codes(refused) == ["shares.how_many"]


# A first run without anybody


@pytest.fixture(scope="module")
def unattended(kept: Path) -> tuple[Path, UUID, str]:
    folder, institution = kept / "unattended", uuid4()
    made = first_run_unattended(folder)
    made.rings.of(institution)
    notice = say(made.notice.code, "en", **made.notice.facts)
    return folder, institution, notice


def test_a_first_run_without_anybody_says_that_the_passphrase_lies_beside(
    unattended: tuple[Path, UUID, str],
) -> None:
    folder, institution, notice = unattended
    assert (folder / "passphrase").stat().st_mode & 0o777 == 0o600
    assert str(folder / "passphrase") in notice
    assert "resguardo keys lock" in notice
    assert open_folder(folder, NOBODY_THERE).has(institution)


def test_a_wrong_identity_in_the_passphrase_file_is_refused(
    unattended: tuple[Path, UUID, str], folder: Path
) -> None:
    shutil.copytree(unattended[0], folder)
    for wrong in (Identity.new().secret.decode(), "AGE-SECRET-KEY-1QQQ", "AGE-SECRET-KEY-1"):
        (folder / "passphrase").write_text(wrong + "\n")
        with pytest.raises(Refused) as refused:
            unlock(folder, NOBODY_THERE)
        assert codes(refused) == ["passphrase.wrong"]


def test_without_the_passphrase_file_the_copy_of_such_a_folder_opens_nothing(
    unattended: tuple[Path, UUID, str], folder: Path
) -> None:
    shutil.copytree(unattended[0], folder, ignore=shutil.ignore_patterns("passphrase"))
    with pytest.raises(Refused) as refused:
        open_folder(folder, NOBODY_THERE)
    assert codes(refused) == ["secret.nobody_there"]


OPEN_NEW = """
import sys
from pathlib import Path
from resguardo_keyholder.unlocking import Secrets, open_folder
from uuid import UUID
told = []
rings = open_folder(Path(sys.argv[1]), Secrets(environment={}), told.append)
print(len(told), rings.of(UUID(int=7)).arrival_key.hex())
"""


def started(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Another process with the project's own code."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
    )


def test_two_processes_that_start_in_a_new_folder_at_once_make_one_set_of_keys(folder: Path) -> None:
    both = [started(OPEN_NEW, str(folder)) for _ in range(2)]
    told, keys = zip(*(process.communicate(timeout=120)[0].split() for process in both), strict=True)
    assert sorted(told) == [b"0", b"1"]
    assert len(set(keys)) == 1


# Changing the way, and renewing the identity


def test_the_lock_moves_from_a_passphrase_beside_to_sheets_and_no_ring_is_touched(
    unattended: tuple[Path, UUID, str], folder: Path
) -> None:
    shutil.copytree(unattended[0], folder)
    os.link(folder / "passphrase", folder.parent / "the-same-blocks")
    before = ring_files(folder)
    shares = Shares.new(2, 3)
    change_way(folder, NOBODY_THERE, shares)
    assert ring_files(folder) == before
    assert not (folder / "passphrase").exists()
    assert set((folder.parent / "the-same-blocks").read_bytes()) == {0}
    with pytest.raises(Refused) as refused:
        unlock(folder, NOBODY_THERE)
    assert codes(refused) == ["secret.nobody_there"]
    assert unlock(folder, sheets_given(*(sheet.mnemonic for sheet in shares.sheets[1:]))).has(unattended[1])


def test_a_way_that_does_not_lock_leaves_the_old_one(
    unattended: tuple[Path, UUID, str], folder: Path
) -> None:
    shutil.copytree(unattended[0], folder)
    before = every_octet(folder)
    with pytest.raises(Refused) as refused:
        change_way(folder, NOBODY_THERE, Passphrase("corta"))
    assert codes(refused) == ["passphrase.too_short"]
    assert every_octet(folder) == before


# Folders that are not as they should be


def test_a_folder_that_others_can_look_into_is_refused(
    by_passphrase: tuple[Path, UUID], folder: Path
) -> None:
    shutil.copytree(by_passphrase[0], folder)
    for mode in (0o750, 0o701, 0o777):
        folder.chmod(mode)
        with pytest.raises(Refused) as refused:
            unlock(folder, given(WORDS))
        assert codes(refused) == ["folder.open_to_others"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder to another account")
def test_a_folder_of_another_account_is_refused_before_anything_is_written(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(Refused) as refused:
        open_folder(folder, NOBODY_THERE)
    assert codes(refused) == ["folder.not_ours"]
    assert list(folder.iterdir()) == []


def test_what_is_missing_or_strange_in_a_folder_is_named(
    by_passphrase: tuple[Path, UUID], folder: Path
) -> None:
    folder.mkdir(mode=0o700)
    with pytest.raises(Refused) as refused:
        unlock(folder, given(WORDS))
    assert codes(refused) == ["folder.nothing_here"]
    shutil.rmtree(folder)
    shutil.copytree(by_passphrase[0], folder)
    for text, code in (
        ("way = \n", "folder.damaged"),
        ('name = "passphrase"\n', "folder.damaged"),
        ('way = "spell"\n', "folder.unknown_way"),
        ('way = "shares"\nneeded = "three"\nmade = 5\nset = 1\n', "folder.damaged"),
    ):
        (folder / "unlock.toml").write_text(text)
        with pytest.raises(Refused) as refused:
            unlock(folder, given(WORDS))
        assert codes(refused) == [code]
        assert refused.value.problems[0].file == "unlock.toml"
    shutil.copy(by_passphrase[0] / "unlock.toml", folder / "unlock.toml")
    (folder / "unlock.age").unlink()
    with pytest.raises(Refused) as refused:
        unlock(folder, given(WORDS))
    assert [problem.file for problem in refused.value.problems] == ["unlock.age"]


def test_files_of_two_folders_that_were_mixed_are_refused(
    unattended: tuple[Path, UUID, str], folder: Path
) -> None:
    shutil.copytree(unattended[0], folder)
    (folder / "recipient").write_text(Identity.new().recipient + "\n")
    with pytest.raises(Refused) as refused:
        unlock(folder, NOBODY_THERE)
    assert codes(refused) == ["folder.other_recipient"]


# A security module: SoftHSM, which speaks PKCS#11 as a box of steel does

PIN = "1234"


@pytest.fixture(scope="module")
def module(kept: Path) -> Iterator[str]:
    """The path of SoftHSM's library, with one fresh token."""
    if shutil.which("softhsm2-util") is None:
        pytest.skip("needs SoftHSM (Debian's package softhsm2)")
    pytest.importorskip("pkcs11")
    library = next(
        (path for path in Path("/usr/lib").rglob("libsofthsm2.so")),
        None,
    )
    assert library is not None
    tokens = kept / "tokens"
    tokens.mkdir()
    (kept / "softhsm2.conf").write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(kept / "softhsm2.conf"))
        for label in ("keys", "other"):
            subprocess.run(
                [
                    "softhsm2-util",
                    "--init-token",
                    "--free",
                    "--label",
                    label,
                    "--pin",
                    PIN,
                    "--so-pin",
                    "99999",
                ],
                check=True,
                capture_output=True,
            )
        yield str(library)


def test_a_key_that_never_leaves_the_module_locks_and_unlocks(module: str, folder: Path) -> None:
    institution = uuid4()
    ring = first_run(folder, SecurityModule(module, "keys", PIN)).of(institution)
    assert unlock(folder, given(PIN)).of(institution).to_file() == ring.to_file()
    told = way_of(folder)
    assert (told.name, told.parameters["token"]) == ("pkcs11", "keys")
    assert PIN.encode() not in (folder / "unlock.toml").read_bytes()

    import pkcs11

    with pkcs11.lib(module).get_token(token_label="keys").open(user_pin=PIN) as session:
        key = session.get_key(id=bytes.fromhex(str(told.parameters["key_number"])))
        with pytest.raises(pkcs11.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]


def test_a_lock_anew_makes_a_new_key_in_the_module_and_the_old_one_can_be_destroyed(
    module: str, folder: Path
) -> None:
    import pkcs11

    institution = uuid4()
    first_run(folder, SecurityModule(module, "keys", PIN)).of(institution)
    older = str(way_of(folder).parameters["key_number"])
    shutil.copytree(folder, folder.parent / "older-copy")
    renew(folder, given(PIN), SecurityModule(module, "keys", PIN))
    newer = str(way_of(folder).parameters["key_number"])
    assert newer != older
    assert unlock(folder.parent / "older-copy", given(PIN)).has(institution)
    with pkcs11.lib(module).get_token(token_label="keys").open(rw=True, user_pin=PIN) as session:
        session.get_key(id=bytes.fromhex(older)).destroy()
    assert unlock(folder, given(PIN)).of(institution)
    with pytest.raises(Refused) as refused:
        unlock(folder.parent / "older-copy", given(PIN))
    assert codes(refused) == ["module.no_key"]


def test_a_key_that_the_modules_officer_made_is_used_by_its_number(module: str, folder: Path) -> None:
    import pkcs11

    with pkcs11.lib(module).get_token(token_label="keys").open(rw=True, user_pin=PIN) as session:
        session.generate_key(pkcs11.KeyType.AES, 256, id=b"\x07", label="officer", store=True)
    first_run(folder, SecurityModule(module, "keys", PIN, key_number="07"))
    assert way_of(folder).parameters["key_number"] == "07"
    unlock(folder, given(PIN))


def test_what_the_module_refuses_is_said_in_plain_words(module: str, folder: Path, tmp_path: Path) -> None:
    first_run(folder, SecurityModule(module, "keys", PIN))
    right, told = (folder / "unlock.age").read_bytes(), (folder / "unlock.toml").read_text()

    def refusal(pin: str = PIN) -> list[str]:
        with pytest.raises(Refused) as refused:
            unlock(folder, given(pin))
        return codes(refused)

    assert refusal("4321") == ["module.wrong_pin"]
    for damaged in (right[:-1] + bytes([right[-1] ^ 1]), b"rgm2" + right[4:], right[:20], b""):
        (folder / "unlock.age").write_bytes(damaged)
        assert refusal() == ["module.other_lock"]
    (folder / "unlock.age").write_bytes(right)
    number = str(way_of(folder).parameters["key_number"])
    for changed, code in (
        (told.replace('token = "keys"', 'token = "gone"'), "module.no_token"),
        (told.replace('token = "keys"', 'token = "other"'), "module.no_key"),
        (told.replace(number, "not hexadecimal"), "module.no_key"),
        (told.replace(module, str(tmp_path / "gone.so")), "module.failed"),
    ):
        assert changed != told
        (folder / "unlock.toml").write_text(changed)
        assert refusal() == [code]


def test_without_the_package_for_modules_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(Refused) as refused:
        first_run(folder, SecurityModule("/usr/lib/module.so", "keys", PIN))
    assert codes(refused) == ["module.package_missing"]
    assert "python-pkcs11" in explain_all(refused.value, "es")[0]


# A transit engine: a small server that answers with the documented bodies, and a real one where it is there


class Engine:
    """A transit engine on this machine: keys with versions, a token, the bodies of the engine's own page."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.token, self.versions, self.least = "s.right", [AESGCM(secrets.token_bytes(32))], 1
        self.answer: tuple[int, bytes, dict[str, str]] | None = None
        self.heard: list[tuple[str, dict[str, str]]] = []
        engine = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                engine.heard.append((self.path, dict(self.headers)))
                status, answer, headers = engine.answer or engine._answered(
                    self.path, self.headers["X-Vault-Token"], json.loads(body)
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *told: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.address = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def rotate(self) -> None:
        self.versions.append(AESGCM(secrets.token_bytes(32)))

    def _answered(self, path: str, token: str, body: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        errors = json.dumps({"errors": ["refused"]}).encode()
        if token != self.token:
            return 403, errors, {}
        if path == "/v1/transit/encrypt/resguardo":
            version, nonce = len(self.versions), secrets.token_bytes(12)
            sealed = self.versions[-1].encrypt(nonce, base64.b64decode(body["plaintext"]), None)
            text = f"vault:v{version}:{base64.b64encode(nonce + sealed).decode()}"
            found: dict[str, object] = {"ciphertext": text, "key_version": version}
        elif path == "/v1/transit/decrypt/resguardo":
            _, numbered, text = body["ciphertext"].split(":")
            octets = base64.b64decode(text)
            if int(numbered[1:]) < self.least:
                return 400, errors, {}
            try:
                opened = self.versions[int(numbered[1:]) - 1].decrypt(octets[:12], octets[12:], None)
            except InvalidTag:
                return 400, errors, {}
            found = {"plaintext": base64.b64encode(opened).decode()}
        else:
            return 404, json.dumps({"errors": []}).encode(), {}
        return 200, json.dumps({"request_id": str(uuid4()), "lease_id": "", "data": found}).encode(), {}


@contextlib.contextmanager
def listening(certificate: Path | None = None) -> Iterator[Engine]:
    engine = Engine(certificate)
    try:
        yield engine
    finally:
        engine.server.shutdown()
        engine.server.server_close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with listening() as answering:
        yield answering


def test_the_engine_locks_and_unlocks_and_the_version_of_its_key_is_remembered(
    engine: Engine, folder: Path
) -> None:
    institution = uuid4()
    ring = first_run(folder, Transit(engine.address, "resguardo", engine.token)).of(institution)
    assert unlock(folder, given(engine.token)).of(institution).to_file() == ring.to_file()
    assert way_of(folder).parameters["key_version"] == 1
    assert engine.token.encode() not in every_octet(folder)
    assert {path for path, _ in engine.heard} == {
        "/v1/transit/encrypt/resguardo", "/v1/transit/decrypt/resguardo",
    }  # fmt: skip


def test_after_a_rotation_the_lock_anew_moves_to_the_new_version_and_the_old_one_can_be_retired(
    engine: Engine, folder: Path
) -> None:
    first_run(folder, Transit(engine.address, "resguardo", engine.token))
    older = shutil.copytree(folder, folder.parent / "older-copy")
    engine.rotate()
    unlock(folder, given(engine.token))
    assert way_of(folder).parameters["key_version"] == 1
    renew(folder, given(engine.token), Transit(engine.address, "resguardo", engine.token))
    assert way_of(folder).parameters["key_version"] == 2
    engine.least = 2
    unlock(folder, given(engine.token))
    with pytest.raises(Refused) as refused:
        unlock(older, given(engine.token))
    assert codes(refused) == ["transit.other_lock"]


def test_a_lock_of_another_version_than_the_folder_remembers_is_refused_unasked(
    engine: Engine, folder: Path
) -> None:
    first_run(folder, Transit(engine.address, "resguardo", engine.token))
    told = (folder / "unlock.toml").read_text()
    (folder / "unlock.toml").write_text(told.replace("key_version = 1", "key_version = 2"))
    engine.heard.clear()
    with pytest.raises(Refused) as refused:
        unlock(folder, given(engine.token))
    assert codes(refused) == ["transit.other_lock"]
    assert engine.heard == []


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (403, b'{"errors":["permission denied"]}', "transit.token"),
        (404, b'{"errors":[]}', "transit.no_key"),
        (503, b'{"errors":["Vault is sealed"]}', "transit.sealed"),
        (400, b'{"errors":["cipher: message authentication failed"]}', "transit.other_lock"),
        (500, b"", "transit.failed"),
        (200, b"<html>", "transit.failed"),
        (200, b"[]", "transit.failed"),
        (200, b'{"data":{}}', "transit.failed"),
        (200, b'{"data":{"plaintext":"*"}}', "transit.failed"),
        (200, b'{"data":{"plaintext":"bm90aGluZw=="}}', "folder.no_identity"),
        (307, b"", "transit.failed"),
    ],
)
def test_what_the_engine_refuses_is_said_in_plain_words(
    engine: Engine, folder: Path, status: int, answer: bytes, code: str
) -> None:
    first_run(folder, Transit(engine.address, "resguardo", engine.token))
    engine.answer = (status, answer, {})
    with pytest.raises(Refused) as refused:
        unlock(folder, given(engine.token))
    assert codes(refused) == [code]


def test_the_token_is_not_sent_where_an_answer_points(engine: Engine, folder: Path) -> None:
    first_run(folder, Transit(engine.address, "resguardo", engine.token))
    with listening() as thief:
        for status in (301, 302, 303, 307, 308):
            engine.answer = (status, b"", {"Location": f"{thief.address}/v1/transit/decrypt/resguardo"})
            with pytest.raises(Refused) as refused:
                unlock(folder, given(engine.token))
            assert codes(refused) == ["transit.failed"]
        assert thief.heard == []


def test_the_token_goes_through_no_proxy_of_the_environment(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        monkeypatch.delenv("no_proxy", raising=False)
        assert urllib.request.getproxies()["http"] == proxy.address
        first_run(folder, Transit(engine.address, "resguardo", engine.token))
        assert proxy.heard == []


def test_an_engine_elsewhere_is_asked_over_https_alone() -> None:
    for address in ("http://vault.example.org:8200", "ftp://127.0.0.1", "vault.example.org", "https://", ""):
        with pytest.raises(Refused) as refused:
            Transit(address, "resguardo", "s.right")
        assert codes(refused) == ["transit.not_https"]


def test_an_engine_that_is_silent_or_gone_is_given_up(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(Refused) as refused:
            first_run(folder, Transit(address, "resguardo", "s.right", timeout=0.2))
        assert time.monotonic() - began < 5
        assert codes(refused) == ["transit.not_reached"]
    with pytest.raises(Refused) as refused:
        first_run(folder, Transit(address, "resguardo", "s.right", timeout=0.2))
    assert codes(refused) == ["transit.not_reached"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "authority.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    path = tmp_path / "certificate-and-key.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_an_engine_whose_certificate_is_not_trusted_never_sees_the_token(
    certificate: Path, folder: Path
) -> None:
    with listening(certificate) as engine:
        with pytest.raises(Refused) as refused:
            first_run(folder, Transit(engine.address, "resguardo", engine.token))
        assert codes(refused) == ["transit.not_reached"]
        assert "certificate" in explain_all(refused.value, "en")[0].lower()
        assert engine.heard == []
        authority = str(certificate.with_name("authority.pem"))
        first_run(folder, Transit(engine.address, "resguardo", engine.token, authority=authority))
        unlock(folder, given(engine.token))


RENEW_FOR_EVER = """
import sys
from pathlib import Path
from resguardo_keyholder.unlocking import Secrets, Transit, renew
folder, address = Path(sys.argv[1]), sys.argv[2]
while True:
    renew(folder, Secrets("s.right", environment={}), Transit(address, "resguardo", "s.right"))
    print("renewed", flush=True)
"""


def test_a_renewal_killed_at_any_moment_leaves_a_folder_that_opens_whole(
    engine: Engine, folder: Path
) -> None:
    rings = first_run(folder, Transit(engine.address, "resguardo", engine.token))
    before = {institution: rings.of(institution).to_file() for institution in (uuid4(), uuid4(), uuid4())}
    cut_short = 0
    for turn in range(8):
        process = started(RENEW_FOR_EVER, str(folder), engine.address)
        assert process.stdout is not None
        assert process.stdout.readline() == b"renewed\n"
        end = time.monotonic() + 20
        while not (folder / "changing").exists() and time.monotonic() < end:
            time.sleep(0.0001)
        time.sleep(random.Random(turn).random() * 0.004)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cut_short += (folder / "changing").exists()
        opened = unlock(folder, given(engine.token))
        assert {institution: opened.of(institution).to_file() for institution in before} == before
        assert opened.of(uuid4()).record_key == opened.of(next(iter(before))).record_key
        assert not (folder / "changing").exists()
        engine.rotate()
    assert cut_short


def test_a_change_is_finished_where_it_was_whole_and_forgotten_where_it_was_not(
    engine: Engine, folder: Path
) -> None:
    institution = uuid4()
    first_run(folder, Transit(engine.address, "resguardo", engine.token)).of(institution)
    older = shutil.copytree(folder, folder.parent / "older")
    renew(folder, given(engine.token), Transit(engine.address, "resguardo", engine.token))
    newer = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    for complete in (False, True):
        shutil.copytree(folder, older / "changing", ignore=shutil.ignore_patterns("rings.lock"))
        if complete:
            (older / "changing" / "complete").touch()
        unlock(older, given(engine.token)).of(institution)
        assert not (older / "changing").exists()
        is_newer = (older / "recipient").read_bytes() == newer[Path("recipient")]
        assert is_newer is complete
    assert ring_files(older) == ring_files(folder)


def test_a_keyholder_that_runs_while_the_identity_is_renewed_writes_no_ring_for_the_old_one(
    engine: Engine, folder: Path
) -> None:
    institution = uuid4()
    running = first_run(folder, Transit(engine.address, "resguardo", engine.token))
    ring = running.of(institution)
    renewed = renew(folder, given(engine.token), Transit(engine.address, "resguardo", engine.token))
    with pytest.raises(Refused):
        running.put(ring.with_compartment("a", secrets.token_bytes, NOW))
    with pytest.raises(Refused) as refused:
        running.of(uuid4())
    assert codes(refused) == ["rings.damaged"]
    assert renewed.of(institution).to_file() == ring.to_file()


@pytest.fixture
def real_engine(tmp_path: Path) -> Iterator[tuple[str, str, str, Callable[..., None]]]:
    """A real engine with its own certificate: address, token, authority, and its own program."""
    program = shutil.which("bao") or shutil.which("vault")
    if program is None:
        pytest.skip("needs the program bao (OpenBao) or vault")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    server = subprocess.Popen(
        [
            program, "server", "-dev-tls", f"-dev-tls-cert-dir={certificates}", "-dev-no-store-token",
            "-dev-root-token-id=root-of-this-test", f"-dev-listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    address = f"https://127.0.0.1:{port}"

    def authority() -> str:
        (path,) = certificates.glob("*ca*.pem")
        return str(path)

    def order(*words: str, status: int = 0) -> None:
        told = {"ADDR": address, "TOKEN": "root-of-this-test", "CACERT": authority()}
        environment = {f"{maker}_{key}": value for maker in ("BAO", "VAULT") for key, value in told.items()}
        done = subprocess.run(
            [program, *words],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment},
            capture_output=True,
            check=False,
        )
        assert done.returncode == status, done.stderr

    try:
        end = time.monotonic() + 30
        while True:
            try:
                order("secrets", "enable", "transit")
                break
            except (AssertionError, ValueError):
                assert server.poll() is None
                assert time.monotonic() < end
                time.sleep(0.2)
        yield address, "root-of-this-test", authority(), order
    finally:
        server.terminate()
        server.wait(20)


def test_a_real_engine_locks_rotates_and_retires_as_the_small_server_does(
    real_engine: tuple[str, str, str, Callable[..., None]], folder: Path, tmp_path: Path
) -> None:
    address, root, authority, order = real_engine

    def engine(token: str, key: str = "resguardo", **more: str) -> Transit:
        return Transit(address, key, token, authority=authority, **more)

    order("write", "-f", "transit/keys/resguardo")
    policy = tmp_path / "policy.hcl"
    policy.write_text(
        'path "transit/encrypt/resguardo" { capabilities = ["update"] }\n'
        'path "transit/decrypt/resguardo" { capabilities = ["update"] }\n'
    )
    order("policy", "write", "keyholder", str(policy))
    order("token", "create", "-policy=keyholder", "-id=keyholder-of-this-test")
    token = "keyholder-of-this-test"

    institution = uuid4()
    first_run(folder, engine(token)).of(institution)
    assert unlock(folder, given(token)).has(institution)
    assert way_of(folder).parameters["key_version"] == 1

    order("write", "-f", "transit/keys/resguardo/rotate")
    unlock(folder, given(token))
    older = shutil.copytree(folder, folder.parent / "older-copy")
    change_way(folder, given(token), engine(token))
    assert way_of(folder).parameters["key_version"] == 2
    order("write", "transit/keys/resguardo/config", "min_decryption_version=2")
    assert unlock(folder, given(token)).has(institution)
    for refused_folder, refused_token, code in (
        (older, token, "transit.other_lock"),
        (folder, "no-such-token", "transit.token"),
    ):
        with pytest.raises(Refused) as refused:
            unlock(refused_folder, given(refused_token))
        assert codes(refused) == [code]
    for lock, code in (
        (engine(token, "another"), "transit.token"),
        (engine(root, mount="elsewhere"), "transit.no_key"),
    ):
        with pytest.raises(Refused) as refused:
            change_way(folder, given(token), lock)
        assert codes(refused) == [code]
    order("operator", "seal")
    with pytest.raises(Refused) as refused:
        unlock(folder, given(token))
    assert codes(refused) == ["transit.sealed"]


# Words


def sentences(language: str) -> dict[str, str]:
    path = SOURCE / "resguardo_keyholder" / "unlocking" / "words" / f"{language}.toml"
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{table}.{key}": text for table, rows in words.items() for key, text in rows.items()}


def test_every_refusal_that_the_code_names_has_its_sentence_in_both_languages_with_the_same_blanks() -> None:
    source = "".join(path.read_text() for path in (SOURCE / "resguardo_keyholder").rglob("*.py"))
    named = set(re.findall(r'"unlocking\.([a-z_]+\.[a-z_]+)"', source))
    named |= {f"ask.{kind}" for kind in ("passphrase", "pin", "token")}
    spanish, english = sentences("es"), sentences("en")
    assert set(spanish) == set(english) == named
    for key in named:
        assert set(re.findall(r"{\w+}", spanish[key])) == set(re.findall(r"{\w+}", english[key])), key
