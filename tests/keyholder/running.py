"""A keyholder in a process of its own, for the database of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.test import override_settings

from resguardo_keyholder.client import Client
from resguardo_server import keyholders


@dataclass
class Running:
    """A keyholder that runs, its folder and a line to it."""

    folder: Path
    client: Client
    child: subprocess.Popen[bytes]

    def kill(self) -> None:
        """It is gone, as when the machine takes it away."""
        self.child.kill()
        self.child.wait()
        self.client.close()

    def stop(self) -> None:
        """It was told to stop, and did."""
        self.child.terminate()
        self.child.wait(timeout=10)
        self.client.close()


def environment(folder: Path) -> tuple[dict[str, str], list[str]]:
    """What the process needs to find the tests' database."""
    source = Path(__file__).parent.parent.parent / "src"
    told = {**os.environ, "PYTHONPATH": str(source)}
    told.pop("DATABASE_URL", None)
    told.pop("CREDENTIALS_DIRECTORY", None)
    row = connection.settings_dict
    if connection.vendor == "postgresql":
        parts = {"dbname": row["NAME"], "host": row["HOST"], "port": row["PORT"], "user": row["USER"]}
        told["DATABASE_URL"] = " ".join(f"{name}={value}" for name, value in parts.items() if value)
        return told, []
    return told, ["--sqlite", str(row["NAME"])]


def start(folder: Path, ceilings: str = "") -> Running:
    """A keyholder with that folder; it answers when this returns."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if ceilings:
        (folder / "ceilings.toml").write_text(ceilings, encoding="utf-8")
    told, database = environment(folder)
    socket = folder / "desk.sock"
    # On the day of the tests, whatever day it is: so the asker's clock is believed.
    program = "import sys; from resguardo_keyholder.__main__ import main; sys.exit(main(clock=None))"
    command = [sys.executable, "-c", program, "--folder", str(folder), "--socket", str(socket)]
    child = subprocess.Popen([*command, *database], env=told, stdin=subprocess.DEVNULL)
    client = Client(socket)
    end = time.monotonic() + 60
    while not client.answers():
        if child.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"the keyholder ended with {child.poll()}")
        time.sleep(0.05)
    return Running(folder, client, child)


@contextmanager
def keyholder_process(ceilings: str = "") -> Iterator[Running]:
    """The service asks a process of its own for keys; the folder is short, for a socket's name must be."""
    folder = Path(tempfile.mkdtemp(prefix="rk-", dir="/tmp"))
    running = start(folder / "k", ceilings)
    keyholders.hang_up()
    with override_settings(KEYHOLDER=str(running.folder / "desk.sock")):
        try:
            yield running
        finally:
            keyholders.hang_up()
            running.stop()
            shutil.rmtree(folder, ignore_errors=True)
