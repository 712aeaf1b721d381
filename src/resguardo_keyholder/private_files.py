"""Files of one account alone: written whole, read back before they count, overwritten before they go."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from resguardo.values import Problem, Refused


def own_folder(folder: Path) -> None:
    """`folder` is there, belongs to this account, and nobody else can look into it; else it is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise Refused(Problem("unlocking.folder.not_ours", {"folder": str(folder)}))
    if found.st_mode & 0o077:
        raise Refused(Problem("unlocking.folder.open_to_others", {"folder": str(folder)}))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process and no other thread changes the files of `folder` meanwhile."""
    lock = os.open(folder / "rings.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write_whole(path: Path, octets: bytes, check: Callable[[bytes], None] | None = None) -> None:
    """`path` holds `octets`, for its owner alone; until they were read back, it holds what it held before.

    `check` is given what the disk gave back, and raises when it would not do.
    """
    draft = path.with_name(path.name + ".draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        written = draft.read_bytes()
        if written != octets:
            raise Refused(Problem("unlocking.folder.not_written", file=path.name))
        if check is not None:
            check(written)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    settle(path.parent)


def settle(folder: Path) -> None:
    """What was named, renamed or removed in `folder` outlasts a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def erase(path: Path) -> None:
    """The file is overwritten, then gone; a disk that writes elsewhere (SSD, copy-on-write) may keep it."""
    with open(path, "r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    settle(path.parent)
