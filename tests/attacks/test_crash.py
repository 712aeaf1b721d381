"""kill -9 at any moment, of whoever writes, of the keyholder, of the database's server: nothing is lost.

What was acknowledged is there afterwards, corrected or erased as it was; what was not is there whole or not
at all; the journal and the tables beside it fit together. A usual run strikes a few times; RESGUARDO_LONG=1
strikes a thousand times, and twenty times at a PostgreSQL server.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from tests.attacks.cut.dying import Blows, Installation, Remembered, copy_of, look
from tests.postgresql import programs

LONG = os.environ.get("RESGUARDO_LONG") == "1"
ROUNDS = 1000 if LONG else 15
SERVER_ROUNDS = 20 if LONG else 2
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


# PostgreSQL


class Cluster:
    """A PostgreSQL server of our own that syncs as it should."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self.folder = Path(tempfile.mkdtemp(prefix="rpg-", dir="/tmp"))
        self._as_owner: list[str] = []
        if os.geteuid() == 0:
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
            self._as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self.run(
            "initdb",
            "-D",
            f"{self.folder}/data",
            "-U",
            "resguardo",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        )
        self.start()
        self.folder.chmod(0o755)

    def run(self, program: str, *words: str) -> None:
        subprocess.run(
            [*self._as_owner, str(self._where / program), *words],
            check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses=''"
        log = f"{self.folder}/log"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-l", log, "-w", "-t", "120", "-o", options, "start")

    def processes(self) -> list[int]:
        """The server's first process and all that it started."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split("\n")[0])
        found = [first]
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[1]) == first:
                found.append(int(path.parent.name))
        return found

    def kill(self) -> None:
        """Every process of the server is gone at once."""
        processes = self.processes()
        for process in processes:
            os.kill(process, signal.SIGKILL)
        end = time.monotonic() + 10
        while any(_lives(process) for process in processes) and time.monotonic() < end:
            time.sleep(0.01)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def end(self) -> None:
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def cluster(db: None) -> Iterator[Cluster]:
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL is not installed")
    if connection.vendor != "postgresql":
        pytest.skip("the tables are copied from the tests' own PostgreSQL database")
    made = Cluster(where)
    row = connection.settings_dict
    dump = subprocess.run(
        ["pg_dump", "-h", row["HOST"], "-U", row["USER"], str(row["NAME"])], check=True, capture_output=True
    )
    subprocess.run(
        ["psql", "-q", "-h", str(made.folder), "-U", "resguardo", "postgres"],
        check=True, input=dump.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield made
    made.end()


def test_a_postgresql_server_that_is_killed_loses_nothing_acknowledged(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = Installation(f"postgresql://resguardo@/postgres?host={cluster.folder}")
    remembered = Remembered()
    try:
        installation.begin()
        blows = Blows(1)
        for number in range(SERVER_ROUNDS):
            blows.strike_server(installation, remembered, cluster.kill, number + 1)
            cluster.start()
            assert look(installation, remembered) == [], number
    finally:
        installation.end()
    with capsys.disabled():
        print(f"\n{SERVER_ROUNDS} deaths of PostgreSQL, {remembered.acknowledged} acknowledged, 0 lost")  # noqa: T201
