"""A safe table as text: for a terminal, as CSV with an HXL row, as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from resguardo.count.disclosure import SafeCell, SafeTable
from resguardo.values import Language

Labels = Mapping[str, Mapping[str, str]]
"""Fact name -> code -> label in the reader's language."""


def as_text(table: SafeTable, language: Language, *, labels: Labels | None = None) -> str:
    """The table in columns, then its total, its date and its method."""
    raise NotImplementedError


def as_csv(table: SafeTable, language: Language, *, labels: Labels | None = None) -> str:
    """One row per cell under a header row and an HXL row; a protected cell reads ``<15`` with status C."""
    raise NotImplementedError


def as_json(table: SafeTable, language: Language = "en") -> str:
    """The table for a machine."""
    raise NotImplementedError


def shown(cell: SafeCell, table: SafeTable, language: Language) -> str:
    """What a reader sees of a cell: ``160``, ``<15``, ``38.2 %``, ``2022-05-04``."""
    raise NotImplementedError
