"""The keyholder as a process: ``python -m resguardo_keyholder --folder F --sqlite D --socket S``."""

from __future__ import annotations

import argparse
import os
import pwd
import secrets
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from types import FrameType

from resguardo.plan.languages import explain
from resguardo.values import Problem, Refused
from resguardo_keyholder.budget import Budget
from resguardo_keyholder.desk import Desk
from resguardo_keyholder.heads import HeadsOnDisk
from resguardo_keyholder.listening import Clock, Listening, own_clock
from resguardo_keyholder.purposes import Purposes
from resguardo_keyholder.store import store_of
from resguardo_keyholder.unlocking import (
    Secrets,
    open_folder,
    protect_process,
    secret_from_descriptor,
)


def main(clock: Clock | None = own_clock) -> int:
    """Unlocks the keys, then answers until it is told to stop."""
    words = argparse.ArgumentParser(prog="resguardo-keyholder")
    words.add_argument("--folder", type=Path, required=True)
    words.add_argument("--sqlite", help="the file, where DATABASE_URL names no PostgreSQL database")
    words.add_argument("--socket", type=Path, required=True)
    words.add_argument("--account", action="append", default=[], help="another account that may ask")
    words.add_argument("--secret", type=int, help="file descriptor from which what unlocks the keys is read")
    words.add_argument("--parent", type=int, help="file descriptor; when it closes, the keyholder stops")
    told = words.parse_args()
    os.umask(0o077)
    protect_process()
    try:
        secret = None if told.secret is None else secret_from_descriptor(told.secret)
        language = os.environ.get("RESGUARDO_LANGUAGE", "es")[:2]
        rings = open_folder(told.folder, Secrets.usual(secret, language), _tell)
    except Refused as refused:
        for problem in refused.problems:
            _tell(problem)
        return 2
    store = store_of(os.environ.get("DATABASE_URL") or told.sqlite)
    desk = Desk(
        rings, store, Budget(told.folder), Purposes(told.folder), HeadsOnDisk(told.folder / "heads"),
        secrets.token_bytes, backups=timedelta(days=int(os.environ.get("RESGUARDO_BACKUP_DAYS", "30"))),
    )  # fmt: skip
    listening = Listening(
        desk,
        told.socket,
        [pwd.getpwnam(name).pw_uid for name in told.account],
        clock=clock,
    )

    def stop(number: int, frame: FrameType | None) -> None:
        listening.close()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if told.parent is not None:
        threading.Thread(target=_stop_with, args=(told.parent, listening), daemon=True).start()
    listening.answer_for_ever()
    return 0


def _tell(problem: Problem) -> None:
    """The sentence for whoever watches the machine."""
    sys.stderr.write(explain(problem, os.environ.get("RESGUARDO_LANGUAGE", "es")[:2]) + "\n")


def _stop_with(parent: int, listening: Listening) -> None:
    """The keyholder goes when the process that started it goes, however it ends."""
    os.read(parent, 1)
    listening.close()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
