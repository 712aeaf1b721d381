"""How many different people may be opened, by whom and in what time: what a stolen session is worth.

Counted are people, not openings: to look at one person ten times costs one. The counts outlive a restart, in
a file beside the keys. A ceiling is raised by two officers, until a day, and falls back by itself.
"""

from __future__ import annotations

import json
import os
import threading
import tomllib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from resguardo_keyholder.asked import Ceilings

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

HERSELF: Final = "herself"
"""Under whom people who look at their own records are counted: no member has such a pseudonym."""

NUMBERS: Final = (
    "member_hour", "institution_day", "compartment_day", "lookups_hour", "persons_day", "tokens_day",
)  # fmt: skip
"""The ceilings that a file may name."""


@dataclass(frozen=True)
class Spent:
    """One person opened by one member."""

    at: datetime
    institution: UUID
    who: str
    """The member's pseudonym."""
    compartment: str
    mark: str
    """The person's pseudonym in the journal; empty for a look-up."""


@dataclass(frozen=True)
class Over:
    """A ceiling is reached: which, and the number that it stands at."""

    ceiling: str
    most: int


class Budget:
    """What was spent in the last day, and the ceilings."""

    def __init__(
        self,
        folder: Path | None = None,
        ceilings: Mapping[UUID, Ceilings] | None = None,
        *,
        usual: Ceilings | None = None,
    ) -> None:
        self._path = folder / "spent" if folder else None
        self._raised = folder / "ceilings.toml" if folder else None
        self._usual = usual or Ceilings()
        self._told = dict(ceilings or {})
        self._tokens_path = folder / "tokens" if folder else None
        self._lock = threading.RLock()
        self._spent: deque[Spent] = deque()
        self._tokens: dict[UUID, dict[int, int]] = {}
        self._read = False

    def ceilings(self, institution: UUID, now: datetime) -> Ceilings:
        """The ceilings in force for an institution."""
        told = self._told.get(institution) or self._from_file().get(institution)
        if told is None or (told.until is not None and told.until <= now):
            return self._usual
        return told

    def over(self, institution: UUID, who: str, compartment: str, mark: str, *, now: datetime) -> Over | None:
        """The ceiling that one more person would pass; None when there is room, or she was opened already."""
        most = self.ceilings(institution, now)
        with self._lock:
            self._forget(now)
            mine = {row.mark for row in self._spent if row.who == who and row.mark and now - row.at < HOUR}
            here = [
                row
                for row in self._spent
                if row.institution == institution and row.mark and row.who != HERSELF
            ]
            everybody = {row.mark for row in here}
            compartments = {row.mark for row in here if row.compartment == compartment}
        for name, marks, limit in (
            ("member_hour", mine, most.member_hour),
            ("institution_day", everybody, most.institution_day),
            ("compartment_day", compartments, most.compartment_day),
        ):
            if mark not in marks and len(marks) >= limit:
                return Over(name, limit)
        return None

    def over_lookups(self, institution: UUID, who: str, *, now: datetime) -> Over | None:
        """The ceiling on looking people up by a document, a telephone or a name."""
        most = self.ceilings(institution, now).lookups_hour
        with self._lock:
            self._forget(now)
            done = sum(1 for row in self._spent if row.who == who and not row.mark and now - row.at < HOUR)
        return Over("lookups_hour", most) if done >= most else None

    def take(self, institution: UUID, who: str, compartment: str, mark: str, *, now: datetime) -> Over | None:
        """One more person is counted, or the ceiling is named that stands against it: in one step."""
        with self._lock:
            over = self.over(institution, who, compartment, mark, now=now)
            if over is None:
                self.spend(Spent(now, institution, who, compartment, mark))
        return over

    def take_own(self, institution: UUID, compartment: str, mark: str, *, now: datetime) -> Over | None:
        """One more person looks at her own records; of the staff's share nothing is taken.

        Receipts lie in the tables: without a ceiling, who writes there would open everybody as herself.
        """
        most = self.ceilings(institution, now).persons_day
        with self._lock:
            self._forget(now)
            marks = {row.mark for row in self._spent if row.institution == institution and row.who == HERSELF}
            if mark not in marks and len(marks) >= most:
                return Over("persons_day", most)
            self.spend(Spent(now, institution, HERSELF, compartment, mark))
        return None

    def take_lookup(self, institution: UUID, who: str, *, now: datetime) -> Over | None:
        """One more look-up is counted, or the ceiling is named that stands against it."""
        with self._lock:
            over = self.over_lookups(institution, who, now=now)
            if over is None:
                self.spend(Spent(now, institution, who, "-", ""))
        return over

    def take_tokens(self, institution: UUID, number: int, *, now: datetime) -> Over | None:
        """So many values more are made into tokens, or the ceiling is named that stands against it."""
        most = self.ceilings(institution, now).tokens_day
        hour = int(now.timestamp() // 3600)
        with self._lock:
            self._forget(now)
            mine = self._tokens.get(institution, {})
            mine = {when: count for when, count in mine.items() if hour - when <= DAY // HOUR}
            if sum(mine.values()) + number > most:
                return Over("tokens_day", most)
            self._tokens[institution] = {**mine, hour: mine.get(hour, 0) + number}
            if self._tokens_path is not None:
                told = {
                    str(name): {str(when): count for when, count in hours.items()}
                    for name, hours in self._tokens.items()
                }
                _write(self._tokens_path, json.dumps(told))
        return None

    def spend(self, row: Spent) -> None:
        """It is counted, and on disk, before a key leaves."""
        with self._lock:
            self._forget(row.at)
            known = any(
                held.who == row.who
                and held.mark == row.mark
                and held.compartment == row.compartment
                and row.at - held.at < HOUR
                for held in self._spent
            )
            if known and row.mark:
                return
            self._spent.append(row)
            if self._path is not None:
                line = (
                    f"{row.at.isoformat()} {row.institution} {row.who} {row.compartment} {row.mark or '-'}\n"
                )
                with os.fdopen(
                    os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w"
                ) as file:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())

    # Inside

    def _forget(self, now: datetime) -> None:
        if not self._read:
            self._take_up(now)
            self._read = True
        while self._spent and now - self._spent[0].at >= DAY:
            self._spent.popleft()

    def _take_up(self, now: datetime) -> None:
        """What an earlier process spent in the last day still counts; what is older leaves the file."""
        if self._tokens_path is not None and self._tokens_path.is_file():
            told = json.loads(self._tokens_path.read_text(encoding="ascii"))
            self._tokens = {
                UUID(name): {int(when): int(count) for when, count in hours.items()}
                for name, hours in told.items()
            }
        if self._path is None or not self._path.is_file():
            return
        self._spent.clear()
        kept: list[str] = []
        for line in self._path.read_text(encoding="ascii").splitlines():
            words = line.split(" ")
            if len(words) != 5:
                continue
            row = Spent(
                datetime.fromisoformat(words[0]).astimezone(UTC),
                UUID(words[1]),
                words[2],
                words[3],
                "" if words[4] == "-" else words[4],
            )
            if now - row.at < DAY:
                self._spent.append(row)
                kept.append(line + "\n")
        _write(self._path, "".join(kept))

    def _from_file(self) -> dict[UUID, Ceilings]:
        if self._raised is None or not self._raised.is_file():
            return {}
        found = tomllib.loads(self._raised.read_text(encoding="utf-8"))
        return {UUID(name): _ceilings(self._usual, row) for name, row in found.items()}


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _ceilings(usual: Ceilings, row: Mapping[str, object]) -> Ceilings:
    numbers = {name: value for name, value in row.items() if name in NUMBERS and type(value) is int}
    until = row.get("until")
    raised = replace(usual, **numbers)  # type: ignore[arg-type]
    return replace(raised, until=until) if isinstance(until, datetime) else raised
