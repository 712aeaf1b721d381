"""Every sentence that the service says has been translated, keeps its blanks, and is compiled at set-up."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from resguardo_server.languages_build import (
    LOCALE,
    WRITTEN_IN,
    compile_messages,
    message_file,
    messages_said,
    untranslated,
)

TRANSLATED = ("es", "fr", "ht")


def test_the_sentences_of_templates_and_code_are_found() -> None:
    said = {(message.context, message.text) for message in messages_said()}
    assert ("", "News from the regional office") in said
    assert ("a button", "Search") in said
    assert ("", "%(n)s release") in said
    assert len(said) > 150


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    assert [f"{message.place}: {message.text}" for message in untranslated(language)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_the_blanks_of_its_sentence(language: str) -> None:
    with message_file(language).open("rb") as source:
        catalogue = read_po(source, locale=language)
    for message in catalogue:
        texts = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        blanks = {frozenset(re.findall(r"%\((\w+)\)s", text)) for text in (*texts, *strings)}
        assert not message.id or len(blanks) == 1, message.id


def test_the_language_of_the_templates_needs_no_translation() -> None:
    assert untranslated(WRITTEN_IN) == ()


def test_compiling_twice_makes_nothing_new(tmp_path: Path) -> None:
    locale = Path(
        shutil.copytree(LOCALE, tmp_path / "locale", ignore=shutil.ignore_patterns("*.mo")),
    )
    assert compile_messages(locale) == 4
    assert sorted(path.parts[-3] for path in locale.rglob("*.mo")) == ["en", "es", "fr", "ht"]
    assert compile_messages(locale) == 0


def test_a_doubtful_sentence_is_not_shown(tmp_path: Path) -> None:
    written = tmp_path / "fr" / "LC_MESSAGES" / "django.po"
    written.parent.mkdir(parents=True)
    written.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        '#, fuzzy\nmsgid "News"\nmsgstr "Neuf"\n\nmsgid "Figures"\nmsgstr "Chiffres"\n',
        encoding="utf-8",
    )
    compile_messages(tmp_path)
    compiled = written.with_suffix(".mo").read_bytes()
    assert b"Chiffres" in compiled
    assert b"Neuf" not in compiled
