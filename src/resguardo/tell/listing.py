"""A listing of dated news items in plain text, read without losing a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from resguardo.values import Language


@dataclass(frozen=True)
class ClaimMark:
    """A stretch of text that is a claim: ``[more than 160](claim:trained-more-than-160)``."""

    text: str
    claim: str
    """The claim's id."""


Part = str | ClaimMark
Parts = tuple[Part, ...]


@dataclass(frozen=True)
class ListedItem:
    """One item of a listing, and the lines of the file where its parts begin."""

    date: date
    headline: Parts
    paragraphs: tuple[Parts, ...]
    date_line: int
    headline_line: int
    paragraph_lines: tuple[int, ...]

    @property
    def claims(self) -> tuple[str, ...]:
        """The ids of its claims, in the order of the text, each once."""
        parts = [*self.headline, *(part for paragraph in self.paragraphs for part in paragraph)]
        return tuple(dict.fromkeys(part.claim for part in parts if isinstance(part, ClaimMark)))


@dataclass(frozen=True)
class Listing:
    """The items of a listing in the order of the file, and the language of its date lines."""

    items: tuple[ListedItem, ...]
    language: Language


@dataclass(frozen=True)
class TypedFigure:
    """A number typed by hand outside a claim."""

    text: str
    before: str
    """The words before it, to find it again."""


def read_listing(text: str, *, file: str) -> Listing:
    """The items of `text`; raises `Refused` when there is no date line, or an impossible date, with its line."""
    raise NotImplementedError


def plain(parts: Parts) -> str:
    """The text of the parts as a reader sees it."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def typed_figures(parts: Parts, language: Language) -> tuple[TypedFigure, ...]:
    """The numbers typed outside a claim, in digits or words, save years, days, times and names."""
    raise NotImplementedError
