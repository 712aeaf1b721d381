"""An installation of its own for a benchmark: a fresh database that keeps what it acknowledged; a keyholder.

On PostgreSQL it is a private cluster from the machine's programs, with `fsync` on, on a socket alone. Django
can be set up once in a process, so each database has a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime.now(UTC)
"""The keyholder looks at its own clock, so the benchmark does too."""
DATABASES = ("sqlite", "postgresql")
HOUSE = Path(__file__).parent.parent


def on_each(script: str, databases: Sequence[str], words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Each database, and what the script, called again with ``--within FILE``, found on it."""
    for database in databases:
        with tempfile.TemporaryDirectory(prefix="rb-") as folder:
            answer = Path(folder) / "found.json"
            command = [sys.executable, script, *words, "--within", str(answer)]
            if database == "sqlite":
                told = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
                status = subprocess.run(command, env=told).returncode
            else:
                sys.path.insert(0, str(HOUSE))
                from tests import postgresql

                postgresql.SPEED = ""  # what is acknowledged is on disk
                status = postgresql.main(command)
            if status or not answer.is_file():
                print(f"{database}: nothing was measured")
                continue
            found = json.loads(answer.read_text(encoding="utf-8"))
        yield database, found


@contextmanager
def installation() -> Iterator[Path]:
    """The folder of a fresh installation; Django is set up, the tables are made, no member is there yet."""
    folder = Path(tempfile.mkdtemp(prefix="rb-", dir="/tmp"))
    os.environ["RESGUARDO_VAR"] = str(folder / "var")
    os.environ["DJANGO_SETTINGS_MODULE"] = "resguardo_server.settings"
    try:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield folder / "var"
    finally:
        from resguardo_server import keyholders

        keyholders.hang_up()
        for child in keyholders._children:
            child.terminate()
            child.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def lift_ceilings(var: Path, institution: object) -> None:
    """As many people may be opened as the benchmark opens."""
    (var / "keyholder").mkdir(mode=0o700, parents=True, exist_ok=True)
    names = ("member_hour", "institution_day", "compartment_day", "lookups_hour")
    lines = [f'["{institution}"]', *(f"{name} = 1000000000" for name in names)]
    (var / "keyholder" / "ceilings.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """On what it ran and how busy that was."""
    return {
        "processors": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "python": sys.version.split()[0],
    }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Times of single steps: how many in a second, and half and nineteen of twenty within so many ms."""
    ordered = sorted(seconds)
    return {
        "per_second": round(len(ordered) / sum(ordered)),
        "median_ms": round(statistics.median(ordered) * 1000, 3),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000, 3),
    }


def timed(steps: Iterator[Any]) -> list[float]:
    """How long each step took."""
    taken = []
    before = time.perf_counter()
    for _ in steps:
        now = time.perf_counter()
        taken.append(now - before)
        before = time.perf_counter()
    return taken
