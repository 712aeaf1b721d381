"""The keyholder of this installation, asked over its socket; no key of an institution is in this process.

`resguardo serve` and `demo` start and supervise it. A command finds it running, or starts one for as long as
the command lasts. Where an administrator runs it under an account of its own, ``RESGUARDO_KEYHOLDER`` names
the socket and nobody else starts one. The tests answer inside their own transaction, with the same desk.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from resguardo.values import Problem, Refused
from resguardo_keyholder.asked import Ceilings, Keyholder
from resguardo_keyholder.client import Client
from resguardo_server.supervision import keyholder_command

INSIDE = "inside"
"""The keyholder answers in this process and transaction: for the tests alone."""

STARTS_WITHIN = 30.0
"""Seconds that a keyholder may take to unlock its keys."""

_children: list[subprocess.Popen[bytes]] = []
_pipes: list[int] = []


def keyholder() -> Keyholder:
    """Whom to ask for anything that needs a key."""
    return _inside() if settings.KEYHOLDER == INSIDE else _outside()


def is_inside() -> bool:
    """Whether the keyholder shares this process's transaction."""
    return bool(settings.KEYHOLDER == INSIDE)


@cache
def _outside() -> Client:
    told = os.environ.get("RESGUARDO_KEYHOLDER")
    client = Client(Path(told or settings.KEYHOLDER))
    if not told and not client.answers():
        start_keyholder()
        wait_for(client)
    return client


def hang_up() -> None:
    """The line to the keyholder is closed; the next question opens a new one."""
    if _outside.cache_info().currsize:
        _outside().close()
    _outside.cache_clear()


def start_keyholder() -> subprocess.Popen[bytes]:
    """A keyholder of our own, which stops when this process does."""
    reading, writing = os.pipe()
    sqlite = str(settings.DATABASES["default"]["NAME"])
    socket = Path(settings.KEYHOLDER)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = keyholder_command(socket.parent, sqlite, socket, reading)
    child = subprocess.Popen(command, pass_fds=(reading,), stdin=subprocess.DEVNULL)
    os.close(reading)
    _children.append(child)
    _pipes.append(writing)
    return child


def wait_for(client: Client) -> None:
    """The keyholder answers, or it is said that it does not."""
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        if client.answers():
            return
        if _children and _children[-1].poll() is not None:
            break
        time.sleep(0.05)
    raise Refused(Problem("keyholder.desk.not_running"))


@cache
def _inside() -> Keyholder:
    from resguardo_keyholder.budget import Budget
    from resguardo_keyholder.desk import Desk
    from resguardo_keyholder.heads import NoHeads
    from resguardo_keyholder.purposes import Purposes
    from resguardo_keyholder.unlocking import open_folder

    most = 10**9
    budget = Budget(usual=Ceilings(most, most, most, most))
    rings = open_folder(Path(settings.VAR) / "keyholder")
    return Desk(rings, _SharedStore(), budget, Purposes(None), NoHeads(), secrets.token_bytes)


class _SharedStore:
    """The tables on Django's own connection."""

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        from resguardo_keyholder.store import Tables

        def execute(sql: str, values: Any) -> Any:
            cursor = connection.cursor()
            cursor.execute(sql, values)
            return cursor

        with transaction.atomic():
            yield Tables(execute, "postgresql" if connection.vendor == "postgresql" else "sqlite")

    looking = transaction
