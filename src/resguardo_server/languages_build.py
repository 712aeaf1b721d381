"""The message files of the service, compiled at set-up and read for what nobody has translated yet.

A translator writes `locale/<language>/LC_MESSAGES/django.po`; what the program reads (`.mo`) is made from it
by Babel, needs no compiler and is not in the repository. `python -m resguardo_server.languages_build`
compiles and lists what is missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from resguardo.values import LANGUAGES, Language

PACKAGE = Path(__file__).resolve().parent
LOCALE = PACKAGE / "locale"
WRITTEN_IN: Language = "en"
"""The language of the templates themselves: its sentences need no translation."""

_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


@dataclass(frozen=True, order=True)
class Message:
    """One sentence that the service says, and where."""

    text: str
    context: str
    place: str


def message_file(language: Language, locale: Path = LOCALE) -> Path:
    """Where a translator writes the sentences of `language`."""
    return locale / language / "LC_MESSAGES" / "django.po"


def compile_messages(locale: Path = LOCALE) -> int:
    """Every message file has its compiled twin; says how many had to be made anew.

    A sentence marked as doubtful (fuzzy) is left out: the reader gets the Spanish one instead.
    """
    made = 0
    for written in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        compiled = written.with_suffix(".mo")
        with written.open("rb") as source:
            catalogue = read_po(source, locale=written.parent.parent.name, domain=written.stem)
        octets = BytesIO()
        write_mo(octets, catalogue)
        if not compiled.is_file() or compiled.read_bytes() != octets.getvalue():
            compiled.write_bytes(octets.getvalue())
            made += 1
    return made


def messages_said(package: Path = PACKAGE) -> tuple[Message, ...]:
    """Every sentence that templates and code hand to the translator, once, with its first place."""
    first: dict[tuple[str, str], Message] = {}
    for message in (*_of_templates(package), *_of_code(package)):
        first.setdefault((message.context, message.text), message)
    return tuple(sorted(first.values()))


def untranslated(language: Language, locale: Path = LOCALE, package: Path = PACKAGE) -> tuple[Message, ...]:
    """The sentences that the message file of `language` lacks, leaves empty or marks as doubtful."""
    if language == WRITTEN_IN:
        return ()
    with message_file(language, locale).open("rb") as source:
        catalogue = read_po(source, locale=language)
    missing = []
    for said in messages_said(package):
        known = catalogue.get(said.text, said.context or None)
        if known is None or known.fuzzy or not _is_whole(known.string):
            missing.append(said)
    return tuple(missing)


def _is_whole(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def _of_templates(package: Path) -> Iterator[Message]:
    for path in sorted((package / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            text = templatize(path.read_text(encoding="utf-8"))
            # What is not a sentence became a row of X: a line that begins with a call is all that is needed.
            calls = re.findall(r"\b(?:n?p?gettext|_)\(.*?\)(?= |$|\n)", text, re.DOTALL)
            yield from _called("\n".join(calls).encode(), path.relative_to(package).as_posix())


def _of_code(package: Path) -> Iterator[Message]:
    for path in sorted(package.rglob("*.py")):
        if "migrations" not in path.parts:
            yield from _called(path.read_bytes(), path.relative_to(package).as_posix())


def _called(code: bytes, place: str) -> Iterator[Message]:
    for _line, texts, _comments, context in extract("python", BytesIO(code), _KEYWORDS):
        text = texts if isinstance(texts, str) else texts[0]
        if text:
            yield Message(text, context or "", place)


def main() -> int:
    """Compiles, and lists what each language lacks."""
    compile_messages()
    for language in LANGUAGES:
        for message in untranslated(language):
            context = f" ({message.context})" if message.context else ""
            sys.stderr.write(f"{language}: {message.place}: {message.text}{context}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
