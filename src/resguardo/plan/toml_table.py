"""A TOML file read table by table, remembering what is wrong, where, and which keys nobody asked for."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from resguardo.values import LANGUAGES, Language, Problem, Refused, Words

Code = TypeVar("Code", bound=StrEnum)

_SNAKE = re.compile(r"^[a-z][a-z0-9_]{0,59}$")
_LINE_OF_TOMLLIB = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


class TomlFile:
    """One TOML file: its text, and the problems found in it so far."""

    def __init__(self, path: Path, label: str) -> None:
        self.path = path
        self.label = label
        self.problems: list[Problem] = []
        self.text = self._read()
        try:
            self.root = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as failure:
            said = str(failure)
            found = _LINE_OF_TOMLLIB.search(said)
            line = found[1] if found and found[1] else str(self.text.count("\n") + 1)
            detail = _LINE_OF_TOMLLIB.sub("", said).strip()
            raise Refused(Problem("plan.toml.grammar", {"detail": detail, "line": line}, label)) from None
        self.lines = self.text.splitlines()

    def _read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise Refused(Problem("plan.file.missing", {}, self.label)) from None
        except UnicodeDecodeError:
            raise Refused(Problem("plan.file.encoding", {}, self.label)) from None
        except OSError as failure:
            raise Refused(
                Problem("plan.file.unreadable", {"reason": failure.strerror or ""}, self.label)
            ) from None

    def line_of(self, header: str, place: int, key: str | None) -> int | None:
        """The line of a key in the `place`-th table whose header is `header`, or of the header itself."""
        wanted = re.compile(rf"^\s*\[+\s*{re.escape(header)}\s*\]+") if header else None
        start = 0
        if wanted is not None:
            starts = [number for number, line in enumerate(self.lines) if wanted.match(line)]
            if place >= len(starts):
                return self.line_of(f"{header}.{key}", 0, None) if key is not None else None
            start = starts[place]
        if key is not None:
            assignment = re.compile(rf'^\s*"?{re.escape(key)}"?\s*[.=]')
            for number in range(start + bool(header), len(self.lines)):
                if re.match(r"^\s*\[", self.lines[number]):
                    break
                if assignment.match(self.lines[number]):
                    return number + 1
            inner = f"{header}.{key}" if header else key
            for number in range(start, len(self.lines)):
                if re.match(rf"^\s*\[+\s*{re.escape(inner)}\s*\]+", self.lines[number]):
                    return number + 1
        return start + 1 if header else None


class Table:
    """One table of a TOML file. Each question about a key marks it as known; `close` refuses the others."""

    def __init__(
        self, file: TomlFile, content: Mapping[str, Any], header: str = "", place: int = 0, shown: str = ""
    ) -> None:
        self.file = file
        self.content = content
        self.header = header
        self.place = place
        self.shown = shown or header
        self.known: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def refuse(self, code: str, key: str | None = None, /, **facts: str) -> None:
        """Notes a problem of this table, or of one of its keys."""
        line = self.file.line_of(self.header, self.place, key)
        if line is not None:
            facts["line"] = str(line)
        self.file.problems.append(Problem(code, facts, self.file.label, self.shown or None, column=key))

    def pass_on(self, refused: Refused, key: str | None = None) -> None:
        """Notes what another reading refused, at this key."""
        for problem in refused.problems:
            self.refuse(problem.code, key, **problem.facts)

    def _given(self, key: str, kind: type | tuple[type, ...], called: str, *, needed: bool) -> Any:
        self.known.add(key)
        value = self.content.get(key)
        if value is None:
            if needed:
                self.refuse("plan.toml.missing", key)
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            self.refuse(f"plan.toml.{called}", key)
            return None
        return value

    def text(self, key: str, *, needed: bool = True) -> str | None:
        """A text that is not empty."""
        value = self._given(key, str, "not_text", needed=needed)
        if value is not None and not value.strip():
            self.refuse("plan.toml.empty", key)
            return None
        return None if value is None else str(value).strip()

    def snake(self, key: str, *, needed: bool = True) -> str | None:
        """A name in lower case with underscores."""
        value = self.text(key, needed=needed)
        if value is not None and not _SNAKE.match(value):
            self.refuse("plan.toml.name", key, name=value)
            return None
        return value

    def number(self, key: str) -> int | None:
        """A whole number above zero."""
        value = self._given(key, int, "not_number", needed=True)
        if value is not None and value <= 0:
            self.refuse("plan.toml.not_positive", key)
            return None
        return value if isinstance(value, int) else None

    def day(self, key: str) -> date | None:
        """A date: `as_of = 2025-12-31`, without quotation marks."""
        value = self._given(key, date, "not_date", needed=True)
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else None

    def code(self, key: str, codes: type[Code], *, needed: bool = True) -> Code | None:
        """One of the codes of a catalogue."""
        value = self.text(key, needed=needed)
        return None if value is None else self._code(key, value, codes)

    def codes(self, key: str, codes: type[Code], *, needed: bool = True) -> tuple[Code, ...]:
        """Several codes of a catalogue; at least one where they are needed."""
        found = (self._code(key, value, codes) for value in self.texts(key, needed=needed))
        return tuple(value for value in found if value is not None)

    def _code(self, key: str, value: str, codes: type[Code]) -> Code | None:
        try:
            return codes(value)
        except ValueError:
            allowed = [code.value for code in codes]
            close = closest(value, allowed)
            self.refuse(
                "plan.toml.code_misspelt" if close else "plan.toml.code",
                key,
                written=value,
                allowed=", ".join(allowed),
                meant=close or "",
            )
            return None

    def texts(self, key: str, *, needed: bool = True) -> tuple[str, ...]:
        """A list of texts, none twice; at least one where it is needed."""
        value = self._given(key, list, "not_list", needed=needed)
        if value is None:
            return ()
        if not all(isinstance(item, str) and item.strip() for item in value):
            self.refuse("plan.toml.not_list", key)
            return ()
        if needed and not value:
            self.refuse("plan.toml.empty", key)
        for item in dict.fromkeys(value):
            if value.count(item) > 1:
                self.refuse("plan.toml.twice", key, item=item)
        return tuple(dict.fromkeys(item.strip() for item in value))

    def words(self, key: str, *, needed: bool = True) -> Words:
        """A sentence per language; Spanish and English always."""
        value = self._given(key, dict, "not_words", needed=needed)
        if value is None:
            return {}
        return self.check_words(key, value, ("es", "en"))

    def check_words(self, key: str | None, value: Mapping[str, Any], languages: Iterable[Language]) -> Words:
        """`value` as words: languages of the house, texts that are not empty, and those `languages` there."""
        words: dict[Language, str] = {}
        for language, text in value.items():
            if language not in LANGUAGES:
                self.refuse("plan.toml.language", key, language=language)
            elif not isinstance(text, str) or not text.strip():
                self.refuse("plan.toml.words_empty", key, language=language)
            else:
                words[language] = text.strip()
        for language in languages:
            if language not in value:
                self.refuse("plan.toml.language_missing", key, language=language)
        return MappingProxyType(words)

    def table(self, key: str) -> Table | None:
        """The table under `key`, if there is one."""
        value = self._given(key, dict, "not_table", needed=False)
        if value is None:
            return None
        header = f"{self.header}.{key}" if self.header else key
        shown = f"{self.shown}, {key}" if self.shown else key
        return Table(self.file, value, header, self._before(key), shown)

    def tables(self, key: str) -> Iterator[Table]:
        """Each table of the array under `key`, written `[[key]]`."""
        self.known.add(key)
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            header = f"{self.header}.{key}" if self.header else key
            self.refuse("plan.toml.not_tables", key, header=header)
            return
        header = f"{self.header}.{key}" if self.header else key
        before = self._before(key)
        for place, item in enumerate(value):
            name = item.get("name")
            shown = f"{key} {name}" if isinstance(name, str) else f"{key} {place + 1}"
            if self.shown:
                shown = f"{self.shown}, {shown}"
            yield Table(self.file, item, header, before + place, shown)

    def _before(self, key: str) -> int:
        """How many tables of the same header come earlier in the file, in earlier tables of the parent."""
        parents: list[Any] = [self.file.root]
        for part in self.header.split(".") if self.header else ():
            parents = [inner for parent in parents for inner in _tables_in(parent, part)]
        return sum(len(_tables_in(parent, key)) for parent in parents[: self.place])

    def close(self) -> None:
        """Refuses every key that nobody asked for: a slip of the pen must not pass in silence."""
        for key in self.content:
            if key not in self.known:
                close = closest(key, self.known - set(self.content))
                code = "plan.toml.key_misspelt" if close else "plan.toml.key"
                self.refuse(code, key, allowed=", ".join(sorted(self.known)), meant=close or "")


def refuse_unknown(table: Table, key: str, code: str, name: str, known: Iterable[str], **facts: str) -> None:
    """Refuses a name that is not among the known ones, with the one it was probably meant to be."""
    names = [str(item) for item in known]
    close = closest(name, names)
    table.refuse(
        f"{code}_misspelt" if close else code,
        key,
        name=name,
        known=", ".join(sorted(set(names))),
        meant=close or "",
        **facts,
    )


def _tables_in(parent: Any, key: str) -> list[Any]:
    """The table or tables under a key, as a list."""
    found = parent.get(key, []) if isinstance(parent, dict) else []
    return found if isinstance(found, list) else [found]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return found[0] if found else None
