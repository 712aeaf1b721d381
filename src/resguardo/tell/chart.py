"""A bar chart of a safe table: a picture, a list for the ear and a table, which all say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resguardo.values import Language

if TYPE_CHECKING:
    from resguardo.count.disclosure import SafeTable


@dataclass(frozen=True)
class Bar:
    """One bar: its label, what is written beside it, and whether it is protected."""

    label: str
    text: str
    value: float | None
    """None when the group is protected."""


def bars_of(
    table: SafeTable, language: Language, *, label: Callable[[tuple[str, ...]], str] | None = None
) -> tuple[Bar, ...]:
    """The rows of the chart, which are also those of its table twin, largest first."""
    raise NotImplementedError


def bars_svg(
    table: SafeTable,
    language: Language,
    *,
    title: str,
    label: Callable[[tuple[str, ...]], str] | None = None,
) -> str:
    """The chart as SVG, without script and without style of its own (classes of the house's sheet)."""
    raise NotImplementedError
