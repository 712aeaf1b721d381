"""The rules of each programme as the keyholder itself reads them, from the programme's own file."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from resguardo.plan.purposes import ProgrammeRules, purposes_in
from resguardo.values import PACKAGE, Problem, Refused
from resguardo_keyholder.store import Tables


class Purposes:
    """What each programme allows: the built-in ones, and those brought in a folder.

    The purposes of a brought programme are remembered as they were when it was first seen: a service that was
    taken over cannot widen them by changing the folder. `admit` takes a change over.
    """

    def __init__(self, folder: Path | None) -> None:
        """Without a folder nothing is remembered."""
        self._admitted = folder / "admitted.json" if folder else None
        self._read: dict[tuple[Path, int], ProgrammeRules] = {}

    def __call__(self, programme: str, tables: Tables) -> ProgrammeRules:
        """The rules of the programme of that name."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,50}", programme):
            raise Refused(Problem("keyholder.desk.no_such_programme", {"programme": programme[:50]}))
        folder = PACKAGE / "programmes" / programme
        if (folder / "programme.toml").is_file():
            return self._rules(folder)
        brought = self._brought(programme, tables)
        rules = self._rules(brought)
        known = self._known()
        if programme not in known:
            self._remember({**known, programme: rules.digest})
        elif known[programme] != rules.digest:
            raise Refused(Problem("keyholder.desk.programme_changed", {"programme": programme}))
        return rules

    def admit(self, programme: str, tables: Tables) -> None:
        """The programme's purposes, as they are now, are those that count."""
        self._remember({**self._known(), programme: self._rules(self._brought(programme, tables)).digest})

    def _brought(self, programme: str, tables: Tables) -> Path:
        folder = tables.programme_folder(programme)
        if folder is None or not (Path(folder) / "programme.toml").is_file():
            raise Refused(Problem("keyholder.desk.no_such_programme", {"programme": programme}))
        return Path(folder)

    def _rules(self, folder: Path) -> ProgrammeRules:
        key = folder, (folder / "programme.toml").stat().st_mtime_ns
        if key not in self._read:
            self._read[key] = purposes_in(folder)
        return self._read[key]

    def _known(self) -> dict[str, str]:
        if self._admitted is None or not self._admitted.is_file():
            return {}
        found: dict[str, str] = json.loads(self._admitted.read_text(encoding="utf-8"))
        return found

    def _remember(self, known: dict[str, str]) -> None:
        if self._admitted is None:
            return
        draft = self._admitted.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(known, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._admitted)
