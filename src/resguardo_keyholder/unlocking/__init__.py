"""Unlocking: the one secret that opens every ring of a folder, and the four ways in which it may be locked.

The folder (mode 0700) holds ``recipient`` (whom rings are sealed for), ``unlock.age`` (the secret identity,
locked), ``unlock.toml`` (in which way, and nothing secret), ``rings/<institution>.age`` and
``network-record-key.age``. A change of several files is first written whole into ``changing/`` and then moved
in; one that was cut short is finished, or undone, before anything else.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from resguardo.values import Chance, Problem, Refused
from resguardo_keyholder.identity import Identity, protect_process
from resguardo_keyholder.private_files import alone, erase, own_folder, settle, write_whole
from resguardo_keyholder.rings import CHANGING, COMPLETE, RECIPIENT, Rings, recipient_of
from resguardo_keyholder.unlocking.age_file import Passphrase
from resguardo_keyholder.unlocking.hardware import SecurityModule
from resguardo_keyholder.unlocking.secret_sources import Secrets, secret_from_descriptor
from resguardo_keyholder.unlocking.shares import Shares, Sheet
from resguardo_keyholder.unlocking.transit import Transit

__all__ = [
    "FirstRun", "Lock", "Passphrase", "Secrets", "SecurityModule", "Shares", "Sheet", "Transit", "Way",
    "change_way", "first_run", "first_run_unattended", "is_new", "new_passphrase", "open_folder",
    "protect_process", "renew", "secret_from_descriptor", "unlock", "way_of",
]  # fmt: skip

LOCKED: Final = "unlock.age"
WAY: Final = "unlock.toml"
BESIDE: Final = "passphrase"
"""The file of a passphrase that nobody was there to keep."""


class Lock(Protocol):
    """A way of locking the identity."""

    @property
    def name(self) -> str:
        """``passphrase``, ``shares``, ``pkcs11`` or ``transit``."""
        ...

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """What must be remembered to unlock again, and is no secret; complete once something was locked."""
        ...

    def lock(self, secret: bytes) -> bytes:
        """The secret, locked."""
        ...

    def unlock(self, blob: bytes) -> bytes:
        """The secret that was locked."""
        ...


@dataclass(frozen=True)
class Way:
    """How a folder is unlocked, as its ``unlock.toml`` says; nothing of it is secret."""

    name: str
    parameters: Mapping[str, str | int]


@dataclass(frozen=True)
class FirstRun:
    """The rings of a new folder, and what must be said to whoever looks after the machine."""

    rings: Rings
    notice: Problem


def is_new(folder: Path) -> bool:
    """Whether no identity was made there yet."""
    waiting = folder / CHANGING
    return not (folder / RECIPIENT).is_file() and not (waiting / COMPLETE).is_file()


def way_of(folder: Path) -> Way:
    """In which way the folder is locked."""
    try:
        told = tomllib.loads((folder / WAY).read_text(encoding="utf-8"))
        name = told.pop("way")
    except FileNotFoundError:
        raise Refused(Problem("unlocking.folder.nothing_here", {"folder": str(folder)})) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError):
        raise Refused(Problem("unlocking.folder.damaged", file=WAY)) from None
    if not all(isinstance(value, str | int) for value in (name, *told.values())):
        raise Refused(Problem("unlocking.folder.damaged", file=WAY))
    return Way(str(name), told)


def first_run(folder: Path, lock: Lock, chance: Chance = secrets.token_bytes) -> Rings:
    """An identity was made and locked in that way; its rings, of which there is none yet.

    Sheets of `Shares.new` are printed and handed out before this is called: nothing prints them later.
    """
    return _first_run(folder, lock, chance, {})


def first_run_unattended(folder: Path, chance: Chance = secrets.token_bytes) -> FirstRun:
    """An identity was made while nobody was there: its passphrase lies beside it, for its owner alone.

    So a copy of the rings alone opens nothing, but whoever has the whole folder has everything. The notice
    says so, and says how a person, shares or a module take over. The passphrase is an age identity of its
    own: nobody has to remember it, and it unlocks at once.
    """
    passphrase = Identity.new().secret.decode("ascii")
    lock = Passphrase(passphrase, beside=True)
    rings = _first_run(folder, lock, chance, {BESIDE: passphrase.encode() + b"\n"})
    facts = {"file": str(folder / BESIDE)}
    return FirstRun(rings, Problem("unlocking.notice.passphrase_beside", facts))


def unlock(folder: Path, source: Secrets) -> Rings:
    """The rings of the folder, opened with the secret that the source gives."""
    _settled(folder)
    return Rings(folder, _identity(folder, source))


def open_folder(
    folder: Path, source: Secrets | None = None, tell: Callable[[Problem], None] = lambda notice: None
) -> Rings:
    """The rings of the folder; in a new one they are made unattended, and `tell` is told what that means."""
    if is_new(folder):
        try:
            made = first_run_unattended(folder)
        except Refused:
            if is_new(folder):
                raise
        else:
            tell(made.notice)
            return made.rings
    return unlock(folder, source or Secrets.usual())


def change_way(folder: Path, old: Secrets, new: Lock) -> None:
    """The folder is locked in the new way, which was tried before the old one went; no ring was touched.

    A copy of the folder made before still opens in the old way. Where that must end, `renew`.
    """
    _settled(folder)
    identity = _identity(folder, old)
    files = _locked(identity, new)
    with alone(folder):
        _refuse_another(folder, identity)
        _change(folder, files)


def renew(folder: Path, old: Secrets, new: Lock) -> Rings:
    """A new identity, locked in the new way, and every ring sealed for it: all of it, or nothing.

    From now on an older copy of the folder is opened only by the older lock: once that is gone (passphrase
    forgotten, sheets burnt, key of the module or engine destroyed), so is everything in those copies. A
    keyholder that runs meanwhile writes no ring any more, and must be started again.
    """
    _settled(folder)
    before, identity = _identity(folder, old), Identity.new()
    files = _locked(identity, new)
    with alone(folder):
        _refuse_another(folder, before)
        _change(folder, {**files, **Rings(folder, before).sealed_for(identity)})
    return Rings(folder, identity)


def new_passphrase(chance: Chance = secrets.token_bytes) -> str:
    """Twelve words of the SLIP-39 list by chance (120 bits): they can be written down without a mistake."""
    from shamir_mnemonic.wordlist import WORDLIST

    words: list[str] = [WORDLIST[int.from_bytes(chance(2), "big") % len(WORDLIST)] for _ in range(12)]
    return " ".join(words)


# Inside


def _first_run(folder: Path, lock: Lock, chance: Chance, beside: Mapping[str, bytes]) -> Rings:
    _settled(folder)
    identity = Identity.new()
    if not is_new(folder):
        raise Refused(Problem("unlocking.folder.not_new", {"folder": str(folder)}))
    files = {**_locked(identity, lock), **beside}
    with alone(folder):
        if not is_new(folder):
            raise Refused(Problem("unlocking.folder.not_new", {"folder": str(folder)}))
        _change(folder, files)
    return Rings(folder, identity, chance)


def _settled(folder: Path) -> None:
    """The folder is ours alone, and no change waits in it."""
    own_folder(folder)
    with alone(folder):
        _settle_change(folder)


def _refuse_another(folder: Path, identity: Identity) -> None:
    """Somebody who renewed the identity meanwhile is not written over."""
    _settle_change(folder)
    if recipient_of(folder) != identity.recipient:
        raise Refused(Problem("unlocking.rings.renewed"))


def _locked(identity: Identity, lock: Lock) -> dict[str, bytes]:
    """The files that say who opens the rings, after the lock was tried both ways."""
    blob = lock.lock(identity.secret)
    if lock.unlock(blob) != identity.secret:
        raise Refused(Problem("unlocking.folder.lock_does_not_open"))
    return {
        RECIPIENT: identity.recipient.encode("ascii") + b"\n",
        LOCKED: blob,
        WAY: _way_text(Way(lock.name, lock.parameters)),
    }


def _identity(folder: Path, source: Secrets) -> Identity:
    lock = _lock_of(folder, source)
    try:
        blob = (folder / LOCKED).read_bytes()
    except FileNotFoundError:
        raise Refused(Problem("unlocking.folder.damaged", file=LOCKED)) from None
    identity = Identity(lock.unlock(blob))
    if identity.recipient != recipient_of(folder):
        raise Refused(Problem("unlocking.folder.other_recipient", file=RECIPIENT))
    return identity


def _lock_of(folder: Path, source: Secrets) -> Lock:
    """The lock that the folder remembers, with the secret that the source has for it."""
    way = way_of(folder)
    told = way.parameters

    def word(name: str) -> str:
        value = told.get(name, "")
        return value if isinstance(value, str) else str(value)

    def number(name: str) -> int:
        value = told.get(name)
        if not isinstance(value, int):
            raise Refused(Problem("unlocking.folder.damaged", file=WAY))
        return value

    match way.name:
        case Passphrase.name:
            is_beside = word("passphrase_lies") == "beside"
            return Passphrase(source.passphrase(folder / BESIDE if is_beside else None))
        case Shares.name:
            needed, made, set_number = number("needed"), number("made"), number("set")
            brought = source.shares(needed, set_number)
            return Shares(brought, needed=needed, made=made, set_number=set_number)
        case SecurityModule.name:
            return SecurityModule(word("module"), word("token"), source.pin(), key_number=word("key_number"))
        case Transit.name:
            return Transit(
                word("address"),
                word("key"),
                source.token(),
                mount=word("mount"),
                namespace=word("namespace"),
                authority=word("authority"),
                key_version=number("key_version"),
            )
        case _:
            raise Refused(Problem("unlocking.folder.unknown_way", {"way": way.name}, file=WAY))


def _way_text(way: Way) -> bytes:
    """The way as TOML, whose strings are written as JSON writes them; read again before it counts."""
    lines = [
        "# How the keys in this folder are unlocked. Nothing here is secret; without it they stay locked.",
        f"way = {json.dumps(way.name)}",
        *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in way.parameters.items()),
    ]
    text = "\n".join(lines) + "\n"
    if tomllib.loads(text) != {"way": way.name, **way.parameters}:
        raise Refused(Problem("unlocking.folder.damaged", file=WAY))
    return text.encode("utf-8")


def _change(folder: Path, files: Mapping[str, bytes]) -> None:
    """All of the files are in their places, or none: they are whole in ``changing/`` before the first moves.

    Under the folder's lock. A passphrase that lay beside the old lock, and opens nothing now, goes with it.
    """
    was_beside = (folder / WAY).is_file() and way_of(folder).parameters.get("passphrase_lies") == "beside"
    waiting = folder / CHANGING
    waiting.mkdir(mode=0o700)
    for name, octets in files.items():
        path = waiting / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, octets)
    settle(waiting)
    settle(folder)
    write_whole(waiting / COMPLETE, b"")
    _settle_change(folder)
    if was_beside and BESIDE not in files and (folder / BESIDE).is_file():
        erase(folder / BESIDE)


def _settle_change(folder: Path) -> None:
    """A change that was cut short is finished where it was whole, and forgotten where it was not."""
    waiting = folder / CHANGING
    if not waiting.is_dir():
        return
    if not (waiting / COMPLETE).is_file():
        shutil.rmtree(waiting)
        settle(folder)
        return
    moving = [path for path in sorted(waiting.rglob("*")) if path.is_file() and path.name != COMPLETE]
    for path in moving:
        target = folder / path.relative_to(waiting)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        path.replace(target)
    for parent in {(folder / path.relative_to(waiting)).parent for path in moving} | {folder}:
        settle(parent)
    shutil.rmtree(waiting)
    settle(folder)
