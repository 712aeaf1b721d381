"""A ceiling is raised by two people: each has a passphrase of her own, and neither can do it alone.

The officers and the ceilings lie in the keyholder's folder, where the service cannot write. A raised ceiling
names its last moment, and falls back by itself.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from resguardo.values import Chance, Problem, Refused
from resguardo_keyholder.asked import Ceilings
from resguardo_keyholder.private_files import write_whole

NEEDED: Final = 2
LONGEST: Final = timedelta(days=7)
"""For how long a ceiling may be raised at once."""
FEWEST_LETTERS: Final = 12


@dataclass(frozen=True)
class Vouching:
    """An officer and the passphrase she typed."""

    name: str
    passphrase: str


class Officers:
    """The people who may raise a ceiling, two at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "officers.json"
        self._ceilings = folder / "ceilings.toml"
        self._raised = folder / "raised.log"

    def names(self) -> tuple[str, ...]:
        """Who they are."""
        return tuple(sorted(self._known()))

    def add(self, name: str, passphrase: str, chance: Chance, *, vouched_by: Sequence[Vouching] = ()) -> None:
        """One more officer. The first two come with the installation; for another, two vouch."""
        known = self._known()
        if not re.fullmatch(r"[a-z][a-z0-9-]{1,39}", name):
            raise Refused(Problem("keyholder.officers.name", {"name": name[:40]}))
        if name in known:
            raise Refused(Problem("keyholder.officers.known", {"name": name}))
        if len(passphrase) < FEWEST_LETTERS:
            raise Refused(Problem("keyholder.officers.short", {"least": str(FEWEST_LETTERS)}))
        if len(known) >= NEEDED:
            self._check(vouched_by)
        salt = chance(16)
        known[name] = {"salt": salt.hex(), "hash": _hashed(passphrase, salt).hex()}
        write_whole(self._path, json.dumps(known, indent=1).encode() + b"\n")

    def raise_ceilings(
        self, institution: UUID, ceilings: Ceilings, vouched_by: Sequence[Vouching], *, now: datetime
    ) -> None:
        """The institution's ceilings are these until their moment, which is a week away at most."""
        if ceilings.until is None or not now < ceilings.until <= now + LONGEST:
            raise Refused(Problem("keyholder.officers.until", {"days": str(LONGEST.days)}))
        names = self._check(vouched_by)
        text = (
            f'["{institution}"]\n'
            f"member_hour = {ceilings.member_hour}\n"
            f"institution_day = {ceilings.institution_day}\n"
            f"compartment_day = {ceilings.compartment_day}\n"
            f"lookups_hour = {ceilings.lookups_hour}\n"
            f"persons_day = {ceilings.persons_day}\n"
            f"tokens_day = {ceilings.tokens_day}\n"
            f"until = {ceilings.until.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}\n"
        )
        write_whole(self._ceilings, (self._others(institution) + text).encode())
        line = f"{now.astimezone(UTC).isoformat()} {institution} {ceilings.member_hour} "
        line += f"{ceilings.institution_day} {ceilings.compartment_day} {' '.join(names)}\n"
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._raised, append, 0o600), "w") as file:
            file.write(line)

    # Inside

    def _check(self, vouched_by: Sequence[Vouching]) -> list[str]:
        known = self._known()
        names = sorted({officer.name for officer in vouched_by})
        good = [
            officer.name
            for officer in vouched_by
            if officer.name in known
            and hmac.compare_digest(
                _hashed(officer.passphrase, bytes.fromhex(known[officer.name]["salt"])),
                bytes.fromhex(known[officer.name]["hash"]),
            )
        ]
        if len(names) < NEEDED or len(good) < len(vouched_by):
            raise Refused(Problem("keyholder.officers.not_two", {"needed": str(NEEDED)}))
        return names

    def _known(self) -> dict[str, Any]:
        if not self._path.is_file():
            return {}
        found: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return found

    def _others(self, institution: UUID) -> str:
        """The ceilings of the other institutions, as they stand in the file."""
        if not self._ceilings.is_file():
            return ""
        parts = re.split(r"(?m)^(?=\[)", self._ceilings.read_text(encoding="utf-8"))
        return "".join(part for part in parts if part.strip() and not part.startswith(f'["{institution}"]'))


def _hashed(passphrase: str, salt: bytes) -> bytes:
    """Argon2id with the second recommended option of RFC 9106: 64 MiB, three passes, four lanes."""
    return Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=64 * 1024).derive(
        passphrase.encode()
    )
