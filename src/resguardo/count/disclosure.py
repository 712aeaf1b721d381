"""From true cells to a table that may be seen: the only maker of `SafeTable`, and the ledger of releases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from resguardo.count.indicator import TableSpec
from resguardo.count.table import RawCells
from resguardo.values import Chance, Language, Population, Refused

CellValue = int | Decimal | date | None


class ExactNotAllowed(Refused):
    """The exact figure of the open class would show a group that is too small."""


class DifferenceRisk(Refused):
    """Together with a table that was released before, this one would show fewer than ten people."""


class TooManyBreakdowns(Refused):
    """The same total was broken down ten times already."""


class NotYetAvailable(Refused):
    """The method that the class asks for is not there."""


class BrokenLedger(Refused):
    """A line of the ledger is missing, was changed, or stands in another place."""


@dataclass(frozen=True)
class Method:
    """How true numbers become published ones."""

    name: Literal["EXACT", "CKR5", "CKR10", "DPG10"]
    base: int = 1
    floor: int = 0
    version: int = 1


EXACT = Method("EXACT")
CKR5 = Method("CKR5", base=5, floor=15)
CKR10 = Method("CKR10", base=10, floor=30)
DPG10 = Method("DPG10", base=1, floor=50)


@dataclass(frozen=True)
class SafeCell:
    """One published number, with the bounds between which the true one lies."""

    key: tuple[str, ...]
    """The codes of the table's dimensions, in their order; empty for the total."""
    value: CellValue
    """What is shown; None when protected."""
    low: int | Decimal | date | None
    high: int | Decimal | date | None
    status: Literal["F", "C"]
    """SDMX CONF_STATUS: ``F`` free, ``C`` confidential."""


_MAKER = object()


@dataclass(frozen=True)
class SafeTable:
    """A table that may be seen by anybody. Only this module makes one."""

    spec: TableSpec
    method: Method
    cells: tuple[SafeCell, ...]
    """Sorted by key."""
    total: SafeCell
    """Over the filters, all groups together."""
    is_complete: bool
    """Whether a cell that is not listed is known to be empty. When not, it is protected or empty."""
    contributors: tuple[str, ...]
    """The institutions that took part; never what each gave."""
    as_of: date
    digest: str
    """SHA-256, in hexadecimal, of `octets`."""
    octets: bytes
    """The table as canonical JSON: the bytes that are frozen in the ledger."""
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        if maker is not _MAKER:
            raise TypeError("only resguardo.count.disclosure makes a SafeTable")

    def method_text(self, language: Language) -> str:
        """How the figures were protected and what that means, in a few plain sentences."""
        raise NotImplementedError


@dataclass(frozen=True)
class Release:
    """One line of the ledger: a table that was made, and where it stands in the chain."""

    number: int
    previous: str
    digest: str
    """SHA-256, in hexadecimal, of `line`."""
    table: SafeTable
    line: bytes
    """Number, digest of the line before, and table, as canonical JSON. Holds nothing secret."""
    _memory: object

    def sealed_memory(self, seal: Callable[[bytes], bytes]) -> bytes:
        """What must be remembered of the true cells to refuse a later difference, sealed by `seal`."""
        raise NotImplementedError


class Ledger:
    """Every table that was made, in order; refuses one that would expose somebody together with another."""

    def __init__(self, *, recount: Callable[[TableSpec], RawCells | None] | None = None) -> None:
        """An empty ledger. `recount` counts a table that was released from another form, on today's facts."""
        raise NotImplementedError

    @classmethod
    def opened(
        cls,
        lines: Iterable[tuple[bytes, bytes]],
        unseal: Callable[[bytes], bytes],
        *,
        recount: Callable[[TableSpec], RawCells | None] | None = None,
    ) -> Ledger:
        """The ledger with these lines and sealed memories; raises `BrokenLedger` where the chain breaks."""
        raise NotImplementedError

    @property
    def releases(self) -> tuple[Release, ...]:
        """All releases, oldest first."""
        raise NotImplementedError

    @property
    def fresh(self) -> tuple[Release, ...]:
        """The releases since the ledger was opened: the caller stores them with what it does with the table."""
        raise NotImplementedError

    def standing(self, spec: TableSpec) -> SafeTable | None:
        """The last table released for `spec`: what may still be shown when a new one is refused."""
        raise NotImplementedError


def protect(raw: RawCells, method: Method, ledger: Ledger, *, chance: Chance | None = None) -> SafeTable:
    """A table that may be seen, and a new line in the ledger (none when the same table stands there already)."""
    raise NotImplementedError


def protect_by_class(
    raw: RawCells, population: Population, ledger: Ledger, *, chance: Chance | None = None
) -> SafeTable:
    """As `protect`, with the method of the class: exact where allowed and else rounded; rounded; or noised."""
    raise NotImplementedError
