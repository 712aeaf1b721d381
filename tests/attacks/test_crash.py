"""kill -9 at any moment, of whoever writes and of the keyholder: nothing that was acknowledged is lost.

What was acknowledged is there afterwards, corrected or erased as it was; what was not is there whole or not
at all; the journal and the tables beside it fit together. A usual run strikes a few times; RESGUARDO_LONG=1
strikes a thousand times.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from tests.attacks.cut.dying import Blows, Installation, Remembered, copy_of, look

LONG = os.environ.get("RESGUARDO_LONG") == "1"
ROUNDS = 1000 if LONG else 15
A_BEGINNING = 50
"""After so many rounds everything begins anew, so that a check stays short."""


@pytest.fixture
def migrated(db: None, tmp_path: Path) -> Path:
    """A copy of the tests' own database, migrated and otherwise empty."""
    if connection.vendor != "sqlite":
        pytest.skip("the database under test is PostgreSQL")
    return copy_of(Path(connection.settings_dict["NAME"]), tmp_path / "migrated.sqlite3")


@pytest.fixture
def installation(migrated: Path) -> Iterator[Installation]:
    made = Installation(migrated)
    yield made
    made.end()


def test_whoever_is_killed_and_whenever_nothing_acknowledged_is_lost(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    blows, struck, acknowledged, remembered = Blows(20261124), Counter[str](), 0, Remembered()
    for number in range(ROUNDS):
        if number % A_BEGINNING == 0:
            acknowledged += remembered.acknowledged
            remembered = Remembered()
            installation.begin()
        victim = blows.strike(
            installation, remembered, ("writer", "writer", "keyholder", "both"), number % A_BEGINNING + 1
        )
        struck[victim] += 1
        if not installation.keyholder:
            installation.start_keyholder()
        assert look(installation, remembered) == [], (number, victim)
        if number % 100 == 99:
            with capsys.disabled():
                print(f"\n{number + 1} deaths", end="")  # noqa: T201
    acknowledged += remembered.acknowledged
    assert acknowledged > ROUNDS
    with capsys.disabled():
        print(f"\n{ROUNDS} deaths {dict(struck)}, {acknowledged} acknowledged, 0 lost")  # noqa: T201
