"""The service under its own account, as docs/systemd sets it: it asks the keyholder and can take nothing.

Two processes are made with accounts that own nothing else. Only root can make them.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from resguardo.values import Refused
from resguardo_keyholder.budget import Budget
from resguardo_keyholder.client import Client
from resguardo_keyholder.desk import Desk
from resguardo_keyholder.heads import HeadsOnDisk
from resguardo_keyholder.listening import Listening
from resguardo_keyholder.purposes import Purposes
from resguardo_keyholder.store import SqliteStore
from resguardo_keyholder.unlocking import open_folder, protect_process

KEYS, SERVICE, STRANGER, DESK = 64_001, 64_002, 64_003, 64_010
SHELTER = UUID(int=7)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make processes of other accounts")


def as_account(account: int, group: int, work: Callable[[], object]) -> int:
    """A process of that account that does the work; gives its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setgroups([group])
        os.setgid(group)
        os.setuid(account)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def told_by(account: int, group: int, work: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What the work found out, in a process of that account."""
    reading, writing = os.pipe()

    def tell() -> None:
        os.write(writing, json.dumps(work()).encode())

    child = as_account(account, group, tell)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    found: dict[str, str] = json.loads(said)
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rk-", dir="/tmp"))
    folder.chmod(0o755)
    for name, mode in (("k", 0o700), ("run", 0o750)):
        (folder / name).mkdir(mode=mode)
        os.chown(folder / name, KEYS, DESK)
        (folder / name).chmod(mode)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def keyholder(place: Path, tmp_path: Path) -> Iterator[int]:
    """The keyholder under its account, with a ring; gives its process."""

    def answer() -> None:
        os.umask(0o077)
        protect_process()
        rings = open_folder(place / "k")
        rings.of(SHELTER)
        store = SqliteStore(place / "none.sqlite3")
        heads = HeadsOnDisk(place / "k" / "heads")
        desk = Desk(rings, store, Budget(place / "k"), Purposes(None), heads, secrets.token_bytes)
        Listening(desk, place / "run" / "desk.sock", [SERVICE]).answer_for_ever()

    # What is imported late must be there before the account can no longer read where Python lies.
    open_folder(tmp_path / "warm").of(SHELTER)
    child = as_account(KEYS, DESK, answer)
    end = time.monotonic() + 60
    while not (place / "run" / "desk.sock").exists():
        assert time.monotonic() < end
        assert os.waitpid(child, os.WNOHANG)[0] == 0, "the keyholder ended"
        time.sleep(0.05)
    yield child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def tried(work: Callable[[], object]) -> str:
    """What came of it: the kind of refusal, or ``got it``."""
    try:
        work()
    except Refused as refused:
        return refused.problems[0].code
    except OSError as fault:
        return type(fault).__name__
    return "got it"


def attach(process: int) -> None:
    """As a debugger does it."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(16, process, 0, 0) != 0:
        raise PermissionError(ctypes.get_errno(), "ptrace")


def test_the_service_asks_and_can_take_nothing(place: Path, keyholder: int) -> None:
    def look() -> dict[str, str]:
        client = Client(place / "run" / "desk.sock")
        memory = Path(f"/proc/{keyholder}")
        return {
            "asks": tried(lambda: client.has_ring(SHELTER)),
            "lists": tried(lambda: list((place / "k").iterdir())),
            "ring": tried((place / "k" / "rings" / f"{SHELTER}.age").read_bytes),
            "passphrase": tried((place / "k" / "passphrase").read_bytes),
            "writes": tried(lambda: (place / "k" / "ceilings.toml").write_text("")),
            "memory": tried(lambda: (memory / "mem").open("rb").read(1)),
            "maps": tried((memory / "maps").read_bytes),
            "environment": tried((memory / "environ").read_bytes),
            "attaches": tried(lambda: attach(keyholder)),
            "stops": tried(lambda: os.kill(keyholder, signal.SIGSTOP)),
            "replaces": tried(lambda: (place / "run" / "desk.sock").unlink()),
        }

    found = told_by(SERVICE, DESK, look)
    assert found.pop("asks") == "got it"
    assert set(found.values()) == {"PermissionError"}, found


def test_a_stranger_of_the_machine_is_not_answered_either(place: Path, keyholder: int) -> None:
    def look() -> dict[str, str]:
        client = Client(place / "run" / "desk.sock")
        return {"asks": tried(lambda: client.has_ring(SHELTER))}

    assert told_by(STRANGER, STRANGER, look) == {"asks": "keyholder.desk.not_running"}
    # In the group, but not the account that the keyholder was told.
    assert told_by(STRANGER, DESK, look) == {"asks": "keyholder.desk.not_running"}


def test_the_keyholders_own_account_and_root_can_read_the_folder(place: Path, keyholder: int) -> None:
    """The control: the files are there, and it is the accounts that keep the service out."""
    ring = place / "k" / "rings" / f"{SHELTER}.age"
    assert told_by(KEYS, DESK, lambda: {"ring": tried(ring.read_bytes)}) == {"ring": "got it"}
    assert ring.is_file()
