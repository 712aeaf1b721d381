"""The power goes at any moment: what was acknowledged was on the disk before.

A library that is loaded before the others keeps, of every file of the installation, what it held when it was
last synced; at the cut everything else is gone (`cut/power_cut.c`). SQLite as it is set here loses nothing
that was acknowledged. The same with ``synchronous=NORMAL`` must lose: else the attack would prove nothing.
It assumes that the disk holds what it says that it synced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from tests.attacks.cut.dying import Blows, Installation, Remembered, copy_of, look

LONG = os.environ.get("RESGUARDO_LONG") == "1"
ROUNDS = 200 if LONG else 6
CONTROL_ROUNDS = 40 if LONG else 6
"""A usual run ends at the first of these that lost something."""
A_BEGINNING = 40
SOURCE = Path(__file__).parent / "cut" / "power_cut.c"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler (cc): the power cut is not tried")
    target = tmp_path_factory.mktemp("cut") / "power_cut.so"
    words = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(target), str(SOURCE), "-ldl"]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"the library does not compile here: {made.stderr[:200]}")
    return target


@pytest.fixture
def make(db: None, library: Path, tmp_path: Path) -> Iterator[Callable[[str], Installation]]:
    """An installation on the disk that forgets, which syncs as much as it is told."""
    if connection.vendor != "sqlite":
        pytest.skip("the database under test is PostgreSQL")
    migrated = copy_of(Path(connection.settings_dict["NAME"]), tmp_path / "migrated.sqlite3")
    made: list[Installation] = []

    def installation(synchronous: str) -> Installation:
        made.append(Installation(migrated, preload=library, synchronous=synchronous))
        return made[-1]

    yield installation
    for one in made:
        one.end()


def cut(installation: Installation, blows: Blows, remembered: Remembered, number: int) -> None:
    """Both processes die in the middle of their work, the disk forgets, and a keyholder comes back."""
    blows.strike(installation, remembered, ("both",), number)
    installation.cut_power()
    installation.start_keyholder()


def test_after_a_power_cut_nothing_acknowledged_is_lost(
    make: Callable[[str], Installation], capsys: pytest.CaptureFixture[str]
) -> None:
    installation, blows, acknowledged = make("FULL"), Blows(7), 0
    remembered = Remembered()
    for number in range(ROUNDS):
        if number % A_BEGINNING == 0:
            acknowledged += remembered.acknowledged
            remembered = Remembered()
            installation.begin()
            told = installation.ask("library")
            assert (told["synchronous"], told["journal_mode"], told["mmap_size"]) == (2, "wal", 0)
        cut(installation, blows, remembered, number % A_BEGINNING + 1)
        assert look(installation, remembered) == [], number
    acknowledged += remembered.acknowledged
    assert acknowledged > 0
    with capsys.disabled():
        print(f"\n{ROUNDS} power cuts, {acknowledged} acknowledged, 0 lost")  # noqa: T201


def test_the_control_that_syncs_less_loses_what_it_acknowledged(
    make: Callable[[str], Installation], capsys: pytest.CaptureFixture[str]
) -> None:
    installation, blows = make("NORMAL"), Blows(8)
    lost = rounds = acknowledged = cuts = 0
    while cuts < CONTROL_ROUNDS and (LONG or not lost):
        cuts += 1
        installation.begin()
        assert installation.ask("library")["synchronous"] == 1
        remembered = Remembered()
        cut(installation, blows, remembered, cuts)
        certain = {
            code: employer for code, employer in remembered.employers.items() if code not in remembered.either
        }
        told = installation.ask("check", expected=certain, either=[], sample=[], openings=remembered.openings)
        lost, rounds = lost + len(told["lost"]), rounds + bool(told["lost"])
        acknowledged += remembered.acknowledged
    with capsys.disabled():
        print(  # noqa: T201
            f"\ncontrol: {cuts} power cuts, {acknowledged} acknowledged, {lost} lost in {rounds} of them"
        )
    assert lost > 0
