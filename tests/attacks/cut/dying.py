"""An installation that is killed and comes back, and what must be in it of all that it acknowledged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from resguardo_keyholder.client import Client

ROOT = Path(__file__).parents[3]
SECRET = "tests-only-" + "k" * 40


def memory_folder() -> Path | None:
    """A folder in memory, where the machine has one."""
    folder = Path("/dev/shm")
    return folder if os.access(folder, os.W_OK) else None


def copy_of(database: Path, target: Path) -> Path:
    """A SQLite file with what is committed in another."""
    import pysqlite3

    source, made = pysqlite3.connect(database), pysqlite3.connect(target)
    source.backup(made)
    for line in (source, made):
        line.close()
    return target


class Child:
    """A process that is told what to do by lines, and says by lines what it does."""

    def __init__(self, words: list[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=ROOT,
            env={**environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        )  # fmt: skip

    def tell(self, **words: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("it ended")
        told: dict[str, Any] = json.loads(line)
        if "fault" in told:
            raise AssertionError(told["fault"])
        return told

    def until_it_ended(self) -> Iterator[dict[str, Any]]:
        while "ended" not in (told := self.hear()):
            yield told

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Installation:
    """A service and a keyholder in one folder, over a database that was migrated elsewhere."""

    def __init__(
        self, database: Path | str, *, preload: Path | None = None, synchronous: str = "FULL"
    ) -> None:
        """`database`: a SQLite file to copy for every new beginning, or a PostgreSQL address."""
        self._database = database
        self.root = Path(tempfile.mkdtemp(prefix="rd-", dir=memory_folder() or "/tmp"))
        self.disk, self.kept = self.root / "disk", self.root / "kept"
        (self.root / "sheets").mkdir()
        self.socket = self.root / "desk.sock"
        told = {
            name: value for name, value in os.environ.items() if not name.startswith(("RESGUARDO", "DJANGO"))
        }
        told.pop("DATABASE_URL", None)
        told |= {
            "RESGUARDO_VAR": str(self.disk / "var"),
            "RESGUARDO_SECRET_KEY": SECRET,
            "RESGUARDO_KEYHOLDER": str(self.socket),
            "DJANGO_SETTINGS_MODULE": "resguardo_server.settings",
            "SHEETS": str(self.root / "sheets"),
            "CUT_SYNCHRONOUS": synchronous,
        }
        words = ["--folder", str(self.disk / "keys"), "--socket", str(self.socket)]
        if isinstance(database, Path):
            words += ["--sqlite", str(self.disk / "var" / "resguardo.sqlite3")]
        else:
            told["DATABASE_URL"] = database
        if preload is not None:
            told |= {
                "LD_PRELOAD": str(preload), "CUT_FOLDER": str(self.disk), "CUT_KEPT": str(self.kept),
            }  # fmt: skip
        (self.disk / "var").mkdir(parents=True)
        self.service = Child(["-m", "tests.attacks.cut.writing"], told)
        self.desks = Child(["-m", "tests.attacks.cut.keeping", *words], told)
        assert self.service.hear() == {"ready": True}
        self.keyholder = 0
        self.institution = ""

    # A beginning, deaths and a return

    def begin(self) -> None:
        """Everything anew: an empty database with a house in it, and fresh keys."""
        self.kill_keyholder()
        for folder in (self.disk, self.kept):
            shutil.rmtree(folder, ignore_errors=True)
        (self.disk / "var").mkdir(parents=True)
        (self.disk / "keys").mkdir(mode=0o700)
        self.kept.mkdir()
        if isinstance(self._database, Path):
            shutil.copy(self._database, self.disk / "var" / "resguardo.sqlite3")
        if not self.institution or isinstance(self._database, Path):
            self.institution = self.ask("prepare")["institution"]
        (self.disk / "keys" / "ceilings.toml").write_text(
            f'["{self.institution}"]\nmember_hour = 10000000\ninstitution_day = 10000000\n'
            "compartment_day = 10000000\ntokens_day = 1000000000\n",
            encoding="utf-8",
        )
        self.start_keyholder()
        self.keep_all()

    def start_keyholder(self) -> None:
        """A keyholder answers."""
        self.desks.tell()
        self.keyholder = int(self.desks.hear()["pid"])
        client, end = Client(self.socket), time.monotonic() + 60
        while not client.answers():
            assert time.monotonic() < end, "the keyholder does not answer"
            time.sleep(0.01)
        client.close()

    def kill_keyholder(self) -> None:
        """The keyholder is gone in the middle of whatever it does."""
        if self.keyholder:
            os.kill(self.keyholder, signal.SIGKILL)
            assert "ended" in self.desks.hear()
        self.keyholder = 0

    def keep_all(self) -> None:
        """Everything that lies in the folder now is on the disk for good."""
        for path in self.disk.rglob("*"):
            if path.is_file():
                name = str(path.relative_to(self.disk)).replace("/", "%")
                shutil.copy(path, self.kept / name)

    def cut_power(self) -> None:
        """What was not synced is gone: the folder is what the library kept of it."""
        folders = [path.relative_to(self.disk) for path in self.disk.rglob("*") if path.is_dir()]
        modes = {folder: (self.disk / folder).stat().st_mode & 0o777 for folder in folders}
        shutil.rmtree(self.disk)
        self.disk.mkdir()
        for folder in folders:
            (self.disk / folder).mkdir(parents=True, exist_ok=True)
            (self.disk / folder).chmod(modes[folder])
        (self.kept / ".moves").unlink(missing_ok=True)
        for path in self.kept.iterdir():
            if not path.name.startswith("."):
                target = self.disk / path.name.replace("%", "/")
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy(path, target)
                target.chmod(0o600)

    def ask(self, do: str, **words: Any) -> dict[str, Any]:
        """One piece of work that is not interrupted, and what it says at its end."""
        self.service.tell(do=do, **words)
        return [told for told in self.service.until_it_ended() if "pid" not in told][-1]

    def end(self) -> None:
        """Nothing is left of it."""
        if self.keyholder:
            with suppress(ProcessLookupError):
                os.kill(self.keyholder, signal.SIGKILL)
        self.service.end()
        self.desks.end()
        shutil.rmtree(self.root, ignore_errors=True)


class Remembered:
    """What the writer said was done, and what nobody heard the end of."""

    def __init__(self) -> None:
        self.employers: dict[str, str] = {}
        """By code: her employer; empty where she was erased."""
        self.openings = 0
        self.open_ended: list[dict[str, Any]] = []
        self.acknowledged = 0

    def hear(self, told: dict[str, Any]) -> None:
        if "about" in told:
            self.open_ended.append(told)
        elif "done" in told:
            self.open_ended.pop()
            self.acknowledged += 1
            self._done(told)

    def _done(self, told: dict[str, Any]) -> None:
        for code in told["codes"]:
            if told["done"] == "keep":
                self.employers[code] = f"Radio {code}"
            elif told["done"] == "correct":
                self.employers[code] = told["employer"]
            elif told["done"] == "erase":
                self.employers[code] = ""
        self.openings += told["done"] == "open"

    @property
    def either(self) -> list[str]:
        """Codes of which the last thing that was tried may or may not have happened."""
        return sorted({code for told in self.open_ended if told["about"] != "open" for code in told["codes"]})

    def settle(self, found: dict[str, str], reads: int) -> list[str]:
        """What is there of that which nobody heard the end of; gives what fits neither before nor after."""
        wrong = []
        for told in self.open_ended:
            codes, before = told["codes"], [self.employers.get(code, "") for code in told["codes"]]
            after = {
                "keep": [f"Radio {code}" for code in codes],
                "correct": [told.get("employer", "")],
                "erase": [""],
                "open": before,
            }[told["about"]]
            now = [found.get(code, was) for code, was in zip(codes, before, strict=True)]
            if now not in (before, after) and len(self.open_ended) == 1:
                wrong.append(f"{told['about']} {codes}: {now}")
        self.employers |= found
        self.openings, self.open_ended = reads, []
        return wrong


class Blows:
    """When the next death comes: after some things were said, and some thousandths of a second."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed)

    def strike(
        self, installation: Installation, remembered: Remembered, victims: tuple[str, ...], number: int
    ) -> str:
        """A writer writes until the blow falls; gives whom it struck."""
        victim = self._draw.choice(victims)
        writer = self._writing(installation, remembered, number)
        if victim in ("keyholder", "both"):
            installation.kill_keyholder()
        if victim == "keyholder":
            time.sleep(self._draw.random() * 0.05)
            installation.start_keyholder()
            time.sleep(self._draw.random() * 0.1)
        with suppress(ProcessLookupError):
            os.kill(writer, signal.SIGKILL)
        for told in installation.service.until_it_ended():
            remembered.hear(told)
        return victim

    def _writing(self, installation: Installation, remembered: Remembered, number: int) -> int:
        installation.service.tell(
            do="write", seed=self._draw.randrange(10**9), begin=number * 1000, most=1000
        )
        writer = int(installation.service.hear()["pid"])
        begun = self._draw.randint(1, 4)
        while begun:
            told = installation.service.hear()
            remembered.hear(told)
            begun -= "about" in told
        time.sleep(self._draw.random() * 0.08)
        return writer


def look(installation: Installation, remembered: Remembered) -> list[str]:
    """What does not fit after a death; what nobody heard the end of is settled."""
    told = installation.ask(
        "check", expected=dict.fromkeys(remembered.either, "") | remembered.employers,
        either=remembered.either, sample=[*remembered.employers][-4:], openings=remembered.openings,
    )  # fmt: skip
    wrong = [*told["lost"], *told["wrong"]]
    return wrong + remembered.settle(told["employers"], told["reads"])
