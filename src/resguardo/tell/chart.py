"""A bar chart of a safe table: a picture, a list for the ear and a table, which all say the same.

The picture has no script and no style of its own: its classes (`grafica`, `b`, `v`, `protegida`) are those of
the house's sheet. A protected group has no bar but a hatched field of one size, whatever the true number is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape

from resguardo.count.disclosure import SafeCell, SafeTable
from resguardo.count.indicator import NOT_STATED
from resguardo.plan.languages import say
from resguardo.tell.figure import Measured, measured_of
from resguardo.tell.wording import country_in, date_in, number_in, percent_in
from resguardo.values import Language

Label = Callable[[tuple[str, ...]], str]
"""The words for a group's key: ``("MX",)`` -> ``México``."""


@dataclass(frozen=True)
class Bar:
    """One row of the chart and of its table."""

    key: tuple[str, ...]
    label: str
    text: str
    """What is written beside the bar: ``41``, ``<15``."""
    spoken: str
    """What is said of it: ``41``, ``protected, fewer than 15``."""
    value: float | None
    """The length of the bar; None when the group is protected."""

    @property
    def is_protected(self) -> bool:
        """Whether the group is hatched instead of drawn."""
        return self.value is None


def bars_of(table: SafeTable, language: Language, *, label: Label | None = None) -> tuple[Bar, ...]:
    """The rows of the chart, which are also those of its table: largest first, protected ones last.

    Days and years stay in their order.
    """
    named = label or _labels(table, language)
    bars = [_bar(cell, table, named, language) for cell in table.cells if cell.status == "C" or cell.value]
    if {"year", "month", "day"} & set(table.spec.dimensions):
        return tuple(bars)
    return tuple(sorted(bars, key=lambda bar: (bar.is_protected, -(bar.value or 0), bar.label)))


def bars_svg(table: SafeTable, language: Language, *, title: str, label: Label | None = None) -> str:
    """The chart as SVG text, to be set into a page.

    The picture is one image to a screen reader, and its name lists what it shows.
    """
    return svg_of(bars_of(table, language, label=label), language, title=title)


_ROW, _BAR, _WIDEST = 44, 14, 84
"""Pixels of a row and of a bar; percent of the width that the longest bar takes, so that its number fits."""


def svg_of(bars: tuple[Bar, ...], language: Language, *, title: str) -> str:
    """The rows as SVG text: each label above its bar, as wide as the page, its letters never shrunk."""
    code = "tell.chart.list" if bars else "tell.chart.empty"
    heard = ", ".join(f"{bar.label} {bar.spoken}" for bar in bars)
    name = escape(say(code, language, title=title, bars=heard))
    longest = max((bar.value or 0 for bar in bars), default=0) or 1
    drawn = "".join(_row(place, bar, longest) for place, bar in enumerate(bars))
    hatch = _HATCH if any(bar.is_protected for bar in bars) else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="100%" height="{_ROW * len(bars) + 4}" '
        f'role="img" aria-label="{name}">{hatch}{drawn}</svg>'
    )


# The inside of a security envelope: what is sealed or protected, and nothing else, is hatched.
_HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" fill="#e6eaf1"/><path d="M0 5L5 0M0 0l5 5" stroke="#7f8fae"/>'
    "</pattern></defs>"
)


def _row(place: int, bar: Bar, longest: float) -> str:
    top = _ROW * place
    label = f'<text x="0" y="{top + 14}">{escape(bar.label)}</text>'
    if bar.is_protected:
        return (
            f'{label}<rect class="protected" fill="url(#hatch)" y="{top + 20}" width="56" height="{_BAR}" '
            'rx="1.5"/>'
            f'<text class="value" x="64" y="{top + 32}">{escape(bar.text)}</text>'
        )
    width = f"{_WIDEST * (bar.value or 0) / longest:.1f}%"
    return (
        f'{label}<rect class="bar" y="{top + 20}" width="{width}" height="{_BAR}" rx="1.5"/>'
        f'<text class="value" x="{width}" dx="8" y="{top + 32}">{escape(bar.text)}</text>'
    )


def _bar(cell: SafeCell, table: SafeTable, named: Label, language: Language) -> Bar:
    floor = number_in(table.method.floor, language)
    value = measured_of(cell.value)
    if cell.status == "C" or value is None:
        return Bar(
            cell.key,
            named(cell.key),
            say("tell.chart.protected_mark", language, floor=floor),
            say("tell.chart.protected", language, floor=floor),
            None,
        )
    text, length = _written(value, table, language)
    return Bar(cell.key, named(cell.key), text, text, length)


def _written(value: Measured, table: SafeTable, language: Language) -> tuple[str, float]:
    if isinstance(value, date):
        return date_in(value, language), 0.0
    if table.spec.measure == "share":
        return percent_in(value * 100, language, decimals=1), float(value * 100)
    return number_in(value, language), float(value)


def _labels(table: SafeTable, language: Language) -> Label:
    """Countries by name and other codes as they are: a caller that knows the lists hands in better ones."""
    countries = [name == "country" or name.endswith("_country") for name in table.spec.dimensions]
    spoken: Mapping[str, str] = {NOT_STATED: say("tell.chart.not_stated", language)}

    def label(key: tuple[str, ...]) -> str:
        return ", ".join(
            spoken.get(code) or (country_in(code, language) if is_country else code)
            for code, is_country in zip(key, countries, strict=True)
        )

    return label
