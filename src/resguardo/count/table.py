"""The counting itself: DuckDB in memory over columnar facts, and cells that nothing can print or write.

`RawCells` holds true numbers. It has no way out but `disclosure.protect`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from resguardo.count.indicator import TableSpec

if TYPE_CHECKING:
    import pyarrow


class RawCells:
    """True numbers of a table. Cannot be printed, compared, copied, pickled or written."""

    __slots__ = ("_hidden",)


def tabulate(facts: pyarrow.Table, spec: TableSpec, *, as_of: date) -> RawCells:
    """The true cells of `spec` over `facts`, as known on `as_of`.

    `facts` has the columns ``unit`` (32 hexadecimal digits), ``rkey`` (int64, 0 to 2**31 - 2), ``institution``,
    ``institution_kind``, ``institution_country``, ``country``, ``month``, ``year``, ``day`` where the form is
    open, and the form's own facts: text, whole numbers, lists of text. All institutions that take part hand in
    their rows, also those that no condition will keep: they are the contributors that the table names.
    """
    raise NotImplementedError


def add(parts: Sequence[RawCells]) -> RawCells:
    """The cells of all parts together. One unit that two institutions hold is counted once."""
    raise NotImplementedError
