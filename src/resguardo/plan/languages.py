"""Sentences for people, in their language, from the message files of the rooms.

A code such as ``collect.row.required`` names the room, the table and the key: the sentence lies in
``collect/words/<language>.toml`` under ``[row] required``. Spanish and English are always there; a language
that lacks a sentence borrows it from Spanish.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from resguardo.values import PACKAGE, Language, Problem, Refused, Words

FIRST_LANGUAGE: Language = "es"


_TAUGHT: dict[str, Path] = {}


def teach(room: str, folder: Path) -> None:
    """From now on the sentences of `room` lie in `folder`: for words that are not of this package."""
    _TAUGHT[room] = folder


@cache
def _sentences(room: str, language: Language) -> dict[str, Any]:
    path = _TAUGHT.get(room, PACKAGE / room / "words") / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def say(code: str, language: Language, /, **facts: object) -> str:
    """The sentence named by `code`, in `language`, with its blanks filled.

    Raises `KeyError` when no language has the sentence: a missing sentence is a fault of the house, and a
    test of the house finds it before a person does.
    """
    room, table, key = code.split(".", 2)
    for tongue in (language, FIRST_LANGUAGE, "en"):
        sentence = _sentences(room, tongue).get(table, {}).get(key)
        if isinstance(sentence, str):
            return sentence.format(**facts)
    raise KeyError(code)


def explain(problem: Problem, language: Language) -> str:
    """What is wrong, where, and what to do, in one line: file, line, sheet, row, column, then the sentence.

    A problem in a text file carries its line as the fact `line`. In a TOML file a sheet is a table and a
    column is a key, and they are called so.
    """
    settings = (problem.file or "").endswith(".toml")
    place = [part for part in (problem.file,) if part]
    if line := problem.facts.get("line"):
        place.append(say("plan.place.line", language, line=line))
    if problem.sheet:
        place.append(
            say("plan.place.table" if settings else "plan.place.sheet", language, sheet=problem.sheet)
        )
    if problem.row is not None:
        place.append(say("plan.place.row", language, row=problem.row))
    if problem.column:
        place.append(
            say("plan.place.key" if settings else "plan.place.column", language, column=problem.column)
        )
    sentence = say(problem.code, language, **problem.facts)
    return f"{', '.join(place)}: {sentence}" if place else sentence


def explain_all(refused: Refused, language: Language) -> tuple[str, ...]:
    """Every problem of a refusal, one line each, in the order in which they are worth mending."""
    return tuple(explain(problem, language) for problem in refused.problems)


def in_language(words: Words, language: Language) -> str:
    """`words` in `language`, or in the first language that has them."""
    for tongue in (language, FIRST_LANGUAGE, "en", *words):
        if words.get(tongue):
            return words[tongue]
    return ""
