"""From true cells to a table that may be seen: the only maker of `SafeTable`, and the ledger of releases.

How it is done, measured and attacked: ``docs/counting.md`` and ``tests/attacks/test_count_*.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import rfc8785

from resguardo.count.indicator import NotInCatalogue, TableSpec, not_in_catalogue
from resguardo.count.methods import (
    BUDGET,
    CHARGE,
    CKR5,
    CKR10,
    DPG10,
    EXACT,
    METHODS,
    SIGMA,
    Method,
    discrete_gaussian,
    rounded,
)
from resguardo.count.table import Hidden, Key, RawCells, Truth, shared_units
from resguardo.plan.languages import say
from resguardo.values import Chance, Language, Population, Problem, Refused

__all__ = [
    "CKR5",
    "CKR10",
    "DPG10",
    "EXACT",
    "BrokenLedger",
    "BudgetExceeded",
    "DifferenceRisk",
    "ExactNotAllowed",
    "Ledger",
    "Method",
    "Release",
    "SafeCell",
    "SafeTable",
    "TooLoose",
    "TooManyBreakdowns",
    "protect",
    "protect_by_class",
]

CellValue = int | Decimal | date | None
Recount = Callable[[TableSpec], RawCells | None]

MOST_HIDDEN = 9
"""Two sets of people that are published differ by none or by more than this."""

LEAST_TOTAL = 30
"""People in the total of an exact table of people, and in the base of a share."""

LEAST_PART = 10
"""People in every named part of an exact table of people."""

MOST_BREAKDOWNS = 10
"""Breakdowns of one total: their average would tell the total (attack T6)."""

MOST_LISTED = 4096
"""Cells of a table that lists also what is protected or empty."""

_EXACT_SHARE = Decimal("0.0000000001")
_ROUNDED_SHARE = Decimal("0.001")
"""One decimal of a percentage."""

_FORMAT = "resguardo table 1"
_ALL, _PART, _REST = "all", "part", "rest"
_MAKER = object()


class ExactNotAllowed(Refused):
    """The exact figure of the open class would show a group that is too small."""


class TooLoose(Refused):
    """The method protects less than the class of the subjects demands."""


class DifferenceRisk(Refused):
    """Together with a table that was released before, this one would show fewer than ten people."""


class TooManyBreakdowns(Refused):
    """The same total was broken down ten times already."""


class BudgetExceeded(Refused):
    """The year's budget of a strict class is spent."""


class BrokenLedger(Refused):
    """A line of the ledger is missing, was changed, or stands in another place."""


@dataclass(frozen=True)
class SafeCell:
    """One published number, with the bounds between which the true one lies, both included."""

    key: Key
    """The codes of the table's dimensions, in their order; empty for the total."""
    value: CellValue
    """What is shown; None when protected, and when there is nothing to average or to be first.

    A share is a part of one: 0.382 for 38.2 %.
    """
    low: CellValue
    high: CellValue
    status: Literal["F", "C"]
    """SDMX CONF_STATUS: ``F`` free, ``C`` confidential."""


@dataclass(frozen=True)
class SafeTable:
    """A table that may be seen by anybody. Only this module makes one."""

    spec: TableSpec
    method: Method
    cells: tuple[SafeCell, ...]
    """Sorted by key. A protected table lists every cell of its catalogue, unless there are too many."""
    total: SafeCell
    """Over the filters, all groups together."""
    is_complete: bool
    """Whether a cell that is not listed is known to be empty. When not, it is protected or empty."""
    contributors: tuple[str, ...]
    """The institutions that took part; never what each gave."""
    as_of: date
    """The day up to which records were known when the table was first made."""
    octets: bytes = field(repr=False)
    """The table as canonical JSON: the bytes that are frozen in the ledger."""
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        if maker is not _MAKER:
            raise TypeError("only resguardo.count.disclosure makes a SafeTable")

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of `octets`."""
        return hashlib.sha256(self.octets).hexdigest()

    def cell(self, *key: str) -> SafeCell | None:
        """The cell of these codes; the total when none is given; None when it is not listed."""
        if not key:
            return self.total
        return next((cell for cell in self.cells if cell.key == key), None)

    def method_text(self, language: Language) -> str:
        """How the figures were protected and what that means, in a few plain sentences."""
        if self.method.name == "EXACT":
            code = "exact_people" if self.spec.is_about_people else "exact_things"
        elif self.method.name == "DPG10":
            code = "noised"
        else:
            code = "rounded_share" if self.spec.kind == "share" else "rounded"
        return say(
            f"count.method.{code}",
            language,
            base=self.method.base,
            floor=self.method.floor,
            margin=self.method.margin,
            version=self.method.version,
            total=LEAST_TOTAL,
            part=LEAST_PART,
        )


class _Memory:
    """What a release must remember of its true cells: of each set of units its size and cell key.

    It shows nothing, and is written only through `Release.sealed_memory`.
    """

    __slots__ = ("shown", "sizes")

    def __init__(self, sizes: Mapping[Key, tuple[int, int]], shown: frozenset[Key]) -> None:
        self.sizes = sizes
        self.shown = shown

    def __repr__(self) -> str:
        return "Memory"

    def _refuse(self, *arguments: object) -> Any:
        raise TypeError("the memory of a release is not copied, pickled or written")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse

    def is_as(self, other: _Memory) -> bool:
        """Whether what is shown is the same sets."""
        return self.shown == other.shown and all(self.sizes[name] == other.sizes[name] for name in self.shown)


@dataclass(frozen=True)
class Release:
    """One line of the ledger: a table that was made, and where it stands in the chain."""

    number: int
    """From 1."""
    previous: str
    """Digest of the line before; 64 zeros for the first."""
    table: SafeTable
    line: bytes = field(repr=False)
    """Number, digest of the line before, and table, as canonical JSON. Holds nothing secret."""
    _memory: _Memory = field(repr=False, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of `line`."""
        return hashlib.sha256(self.line).hexdigest()

    def sealed_memory(self, seal: Callable[[bytes], bytes]) -> bytes:
        """What must be remembered of the true cells to refuse a later difference, sealed by `seal`.

        It names no unit. It is as secret as the facts, so it is sealed under the statistics key like them.
        """
        sets = [
            [list(name), *self._memory.sizes[name], int(name in self._memory.shown)]
            for name in sorted(self._memory.sizes)
        ]
        return seal(rfc8785.dumps({"line": self.digest, "sets": sets}))


class Ledger:
    """Every table that was made, in order; refuses one that would expose somebody together with another.

    Only lines are added. The caller stores `fresh` in the transaction in which it uses the table, and opens
    the ledger with every line that was ever stored.
    """

    def __init__(self, *, recount: Recount | None = None) -> None:
        """An empty ledger. `recount` counts a table that was released from another form, on today's facts.

        Without it, tables of different forms are not compared with each other.
        """
        self._releases: list[Release] = []
        self._stored = 0
        self._recount = recount

    @classmethod
    def opened(
        cls,
        lines: Iterable[tuple[bytes, bytes]],
        unseal: Callable[[bytes], bytes],
        *,
        recount: Recount | None = None,
    ) -> Ledger:
        """The ledger with these lines and sealed memories; raises `BrokenLedger` where the chain breaks."""
        ledger = cls(recount=recount)
        for line, sealed in lines:
            release = _release_of(line, unseal(sealed))
            if release is None or (release.number, release.previous) != ledger._next():
                number = str(len(ledger._releases) + 1)
                raise BrokenLedger(Problem("count.ledger.broken", {"number": number}))
            ledger._releases.append(release)
        ledger._stored = len(ledger._releases)
        return ledger

    @property
    def releases(self) -> tuple[Release, ...]:
        """All releases, oldest first."""
        return tuple(self._releases)

    @property
    def fresh(self) -> tuple[Release, ...]:
        """The releases since the ledger was opened, which the caller has to store."""
        return tuple(self._releases[self._stored :])

    def standing(self, spec: TableSpec) -> SafeTable | None:
        """The last table released for `spec`: what may still be shown when a new one is refused."""
        for release in reversed(self._releases):
            if release.table.spec == spec:
                return release.table
        return None

    def _next(self) -> tuple[int, str]:
        """Number and digest of the line before of the next line."""
        return len(self._releases) + 1, self._releases[-1].digest if self._releases else "0" * 64

    def _record(self, table: SafeTable, memory: _Memory) -> None:
        number, previous = self._next()
        line = rfc8785.dumps({"number": number, "previous": previous, "table": json.loads(table.octets)})
        self._releases.append(Release(number, previous, table, line, memory))

    def _related(self, spec: TableSpec) -> Iterator[Release]:
        """Releases about subjects whose units can be the same: of one programme and unit."""
        for release in self._releases:
            other = release.table.spec
            if (other.programme, other.unit) == (spec.programme, spec.unit):
                yield release

    def _objection(self, raw: RawCells, table: SafeTable, memory: _Memory) -> Refused | SafeTable | None:
        """Why `table` may not be released, or the table that stands for it already, or None."""
        hidden, method = raw._hidden, table.method
        related = [release for release in self._related(hidden.spec) if release.table.method.name != "DPG10"]
        mine = [release for release in related if release.table.spec == hidden.spec]
        for release in reversed(mine):
            if release.table.method == method and release._memory.is_as(memory):
                if _says_the_same(release.table, table):
                    return release.table
                return DifferenceRisk(Problem("count.ledger.revision", {"release": str(release.number)}))
        for release in mine:
            if _is_revision_too_small(release._memory, memory):
                return DifferenceRisk(Problem("count.ledger.revision", {"release": str(release.number)}))
        if _shows_too_few_itself(raw, memory):
            return DifferenceRisk(Problem("count.ledger.same_table", {"indicator": hidden.spec.id}))
        if method.is_rounding and hidden.spec.dimensions:
            others = {
                release.table.spec.dimensions
                for release in related
                if release.table.spec.same_total == hidden.spec.same_total
            } - {(), hidden.spec.dimensions}
            if len(others) >= MOST_BREAKDOWNS:
                return TooManyBreakdowns(
                    Problem(
                        "count.ledger.breakdowns",
                        {"indicator": hidden.spec.id, "most": str(MOST_BREAKDOWNS)},
                    )
                )
        compared: dict[TableSpec, Any] = {}
        for release in related:
            spec = release.table.spec
            if spec == hidden.spec:
                continue
            if spec not in compared:
                compared[spec] = self._compare(raw, spec)
            if compared[spec] is None:
                if spec.source != hidden.spec.source:
                    continue
                return DifferenceRisk(Problem("count.ledger.incomparable", {"release": str(release.number)}))
            if _differ_by_few(memory, release._memory, *compared[spec]):
                return DifferenceRisk(Problem("count.ledger.difference", {"release": str(release.number)}))
        return None

    def _compare(
        self, raw: RawCells, spec: TableSpec
    ) -> tuple[dict[Key, int], dict[tuple[Key, Key], int]] | None:
        if spec.source == raw._hidden.spec.source:
            return shared_units(raw, spec)
        other = self._recount(spec) if self._recount else None
        return shared_units(raw, other) if other is not None else None


def protect(raw: RawCells, method: Method, ledger: Ledger, *, chance: Chance | None = None) -> SafeTable:
    """A table that may be seen, and a new line in the ledger; or the table that stands there already.

    Refuses with a reason that holds no number of the facts. `chance` is needed for DPG10 alone.
    """
    outcome = _settle(raw, method, ledger, chance)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def protect_by_class(
    raw: RawCells, population: Population, ledger: Ledger, *, chance: Chance | None = None
) -> SafeTable:
    """As `protect`, with the method of the class, or of the table's own class where that is stricter.

    Open: exact, and rounded where the exact figure would show a small group. Protected: rounded. Strict:
    noised.
    """
    population = max(population, raw._hidden.spec.population, key=lambda each: each.care)
    if population is Population.STRICT:
        return protect(raw, DPG10, ledger, chance=chance)
    if population is Population.OPEN:
        outcome = _settle(raw, EXACT, ledger, chance)
        if isinstance(outcome, SafeTable):
            return outcome
        if not isinstance(outcome, ExactNotAllowed) or raw._hidden.spec.kind not in ("count", "share"):
            raise outcome
    return protect(raw, CKR5, ledger, chance=chance)


def _settle(raw: RawCells, method: Method, ledger: Ledger, chance: Chance | None) -> SafeTable | Refused:
    """The table, or the refusal: returned and not raised, so that no traceback holds a true number."""
    hidden = raw._hidden
    spec = hidden.spec
    refusal = _not_for_this_class(spec, method)
    if refusal is not None:
        return refusal
    if method.name == "DPG10":
        return _noised(hidden, ledger, chance)
    if method.name == "EXACT":
        if spec.is_about_people and not _is_large_enough(hidden):
            return ExactNotAllowed(
                Problem(
                    "count.exact.floor",
                    {"indicator": spec.id, "total": str(LEAST_TOTAL), "part": str(LEAST_PART)},
                )
            )
        cells = tuple(_exact(spec, key, truth) for key, truth in sorted(hidden.cells.items()))
        total = _exact(spec, (), hidden.total)
    else:
        cells = tuple(_rounded_cell(spec, method, key, truth) for key, truth in _listed(hidden, method))
        total = _rounded_cell(spec, method, (), hidden.total)
    table = _made(hidden, method, cells, total)
    memory = _memory_of(hidden, table)
    if method.name == "EXACT" and not spec.is_about_people:
        standing = ledger.standing(spec)
        if standing is not None and _is_frozen(standing, table):
            return standing
    else:
        objection = ledger._objection(raw, table, memory)
        if objection is not None:
            return objection
    ledger._record(table, memory)
    return table


def _not_for_this_class(spec: TableSpec, method: Method) -> Refused | None:
    if method.name == "EXACT" and spec.population is not Population.OPEN:
        return ExactNotAllowed(Problem("count.exact.class", {"indicator": spec.id}))
    if method.is_rounding and spec.population is Population.STRICT:
        return TooLoose(Problem("count.exact.strict", {"indicator": spec.id}))
    if method.name != "EXACT" and spec.kind not in ("count", "share"):
        return not_in_catalogue(f"catalogue.protected_{spec.kind}", indicator=spec.id)
    return None


def _is_large_enough(hidden: Hidden) -> bool:
    """Whether exact numbers of people show no group smaller than ten, nor a total smaller than thirty."""
    if hidden.total.n < LEAST_TOTAL or any(cell.n < LEAST_PART for cell in hidden.cells.values()):
        return False
    if hidden.spec.kind != "share":
        return True
    return all(
        cell.n >= LEAST_TOTAL and min(cell.part_n, cell.rest_n) >= LEAST_PART
        for cell in (hidden.total, *hidden.cells.values())
    )


def _exact(spec: TableSpec, key: Key, truth: Truth) -> SafeCell:
    value: CellValue
    if spec.kind == "count":
        value = truth.n
    elif spec.kind == "share":
        value = _fraction(truth.part_n, truth.n, _EXACT_SHARE, ROUND_HALF_EVEN) if truth.n else None
    elif spec.kind == "mean":
        mean = Decimal(truth.value) / truth.values if truth.values else None
        value = None if mean is None else mean.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    elif spec.kind == "first":
        value = date.fromisoformat(truth.value) if truth.value else None
    else:
        value = int(truth.value or 0)
    return SafeCell(key, value, value, value, "F")


def _rounded_cell(spec: TableSpec, method: Method, key: Key, truth: Truth) -> SafeCell:
    shown = rounded(truth.n, truth.ck, method.base)
    if spec.kind == "share":
        return _rounded_share(method, key, truth, shown)
    if shown < method.floor:
        return SafeCell(key, None, 0, method.floor - 1, "C")
    return SafeCell(key, shown, shown - method.margin, shown + method.margin, "F")


def _rounded_share(method: Method, key: Key, truth: Truth, shown: int) -> SafeCell:
    """The part over the part and the rest, all rounded; hidden where any of them is.

    The bounds are certain: part and rest are each within the margin, and the share rises with the part.
    """
    part = rounded(truth.part_n, truth.part_ck, method.base)
    rest = rounded(truth.rest_n, truth.rest_ck, method.base)
    if shown < max(LEAST_TOTAL, method.floor) or min(part, rest) < method.floor:
        return SafeCell(key, None, None, None, "C")
    less, more = part - method.margin, part + method.margin
    return SafeCell(
        key,
        _fraction(part, part + rest, _ROUNDED_SHARE, ROUND_HALF_EVEN),
        _fraction(less, less + rest + method.margin, _ROUNDED_SHARE, ROUND_FLOOR),
        _fraction(more, more + rest - method.margin, _ROUNDED_SHARE, ROUND_CEILING),
        "F",
    )


def _fraction(part: int, whole: int, places: Decimal, rounding: str) -> Decimal:
    return (Decimal(part) / Decimal(whole)).quantize(places, rounding)


def _listed(hidden: Hidden, method: Method) -> list[tuple[Key, Truth]]:
    """The cells that a protected table lists: the whole catalogue, or, where that is not known, the shown.

    Which cells are listed says nothing about which of the protected ones are empty.
    """
    nothing = Truth(0, 0)
    catalogue = _catalogue(hidden)
    if catalogue is not None:
        return [(key, hidden.cells.get(key, nothing)) for key in catalogue]
    return [
        (key, truth)
        for key, truth in sorted(hidden.cells.items())
        if _rounded_cell(hidden.spec, method, key, truth).status == "F"
    ]


def _catalogue(hidden: Hidden) -> list[Key] | None:
    """Every cell that can exist, in order; None where that is not known, or too many."""
    if not hidden.spec.dimensions:
        return []
    size = 1
    domains = []
    for domain in hidden.domains:
        if not domain:
            return None
        domains.append(sorted(set(domain)))
        size *= len(domains[-1])
    if size > MOST_LISTED:
        return None
    return [key for key in product(*domains) if key not in hidden.spec.structural_zeros]


def _noised(hidden: Hidden, ledger: Ledger, chance: Chance | None) -> SafeTable | Refused:
    """The table with noise on every cell of its catalogue, empty ones included; drawn once, then stored."""
    spec = hidden.spec
    standing = ledger.standing(spec)
    if standing is not None and standing.method == DPG10:
        return standing
    catalogue = _catalogue(hidden)
    if spec.kind != "count" or catalogue is None or spec.lists & set(spec.dimensions):
        return NotInCatalogue(Problem("count.strict.lattice", {"indicator": spec.id}))
    if sum(truth.n for truth in hidden.cells.values()) != (hidden.total.n if spec.dimensions else 0):
        return NotInCatalogue(Problem("count.strict.once", {"indicator": spec.id}))
    if chance is None:
        raise TypeError("noise needs chance")
    spent = sum(
        (
            _charge(release.table.spec)
            for release in ledger._related(spec)
            if release.table.method == DPG10 and release.table.as_of.year == hidden.as_of.year
        ),
        start=Fraction(0),
    )
    if spent + _charge(spec) > BUDGET:
        return BudgetExceeded(
            Problem("count.strict.budget", {"indicator": spec.id, "year": str(hidden.as_of.year)})
        )
    nothing = Truth(0, 0)
    cells = tuple(
        _noised_cell(key, hidden.cells.get(key, nothing).n + discrete_gaussian(SIGMA, chance))
        for key in catalogue
    )
    total = _noised_cell((), hidden.total.n + discrete_gaussian(SIGMA, chance))
    table = _made(hidden, DPG10, cells, total)
    ledger._record(table, _Memory({}, frozenset()))
    return table


def _charge(spec: TableSpec) -> Fraction:
    """A person is counted in the total and in one cell."""
    return CHARGE * (2 if spec.dimensions else 1)


def _noised_cell(key: Key, drawn: int) -> SafeCell:
    if drawn < DPG10.floor:
        return SafeCell(key, None, None, None, "C")
    return SafeCell(key, drawn, drawn - DPG10.margin, drawn + DPG10.margin, "F")


def _memory_of(hidden: Hidden, table: SafeTable) -> _Memory:
    """The sets of units behind the cells, each with its size and cell key, and which of them are shown."""
    sizes: dict[Key, tuple[int, int]] = {}
    cells = {(): hidden.total, **hidden.cells}
    for key, truth in cells.items():
        sizes[(*key, _ALL)] = (truth.n, truth.ck)
        if hidden.spec.kind == "share":
            sizes[(*key, _PART)] = (truth.part_n, truth.part_ck)
            sizes[(*key, _REST)] = (truth.rest_n, truth.rest_ck)
    roles = (_ALL, _PART, _REST) if hidden.spec.kind == "share" else (_ALL,)
    shown = {
        (*cell.key, role)
        for cell in (table.total, *table.cells)
        if cell.status == "F" and cell.key in cells
        for role in roles
    }
    return _Memory(sizes, frozenset(shown))


def _is_few(number: int) -> bool:
    return 1 <= number <= MOST_HIDDEN


def _is_revision_too_small(before: _Memory, now: _Memory) -> bool:
    """Whether a set that was or is shown is another one now, and its size has changed by fewer than ten."""
    nothing = (0, 0)
    for name in before.shown | now.shown:
        old, new = before.sizes.get(name, nothing), now.sizes.get(name, nothing)
        if old != new and abs(old[0] - new[0]) <= MOST_HIDDEN:
            return True
    return False


def _shows_too_few_itself(raw: RawCells, memory: _Memory) -> bool:
    """Whether two numbers of the table itself differ by fewer than ten people."""
    spec = raw._hidden.spec
    if len(memory.shown) < 2:
        return False
    if spec.kind != "share" and _is_partition(raw._hidden):
        total = memory.sizes[(_ALL,)][0]
        return (_ALL,) in memory.shown and any(
            _is_few(total - memory.sizes[name][0]) for name in memory.shown
        )
    compared = shared_units(raw, spec)
    return compared is None or _differ_by_few(memory, memory, *compared)


def _is_partition(hidden: Hidden) -> bool:
    """Whether every unit is in one cell: then a cell is a part of the total and of nothing else."""
    return sum(cell.n for cell in hidden.cells.values()) == hidden.total.n


def _differ_by_few(
    now: _Memory,
    released: _Memory,
    sizes: Mapping[Key, int],
    shared: Mapping[tuple[Key, Key], int],
) -> bool:
    """Whether a set shown now and one shown before are mostly the same units, and 1 to 9 are in one only.

    Mostly the same: at least half of the larger one. Two sets that merely cross, as the people of a country
    and those of an age, always have a few units apart, and their numbers say nothing about these.
    `sizes` and `shared` are those of the released sets as they are today. Where a shown set is the same as a
    released one today but was not when that was released, the change since then counts as the difference.
    """
    for (mine, theirs), both in shared.items():
        if mine not in now.shown or theirs not in released.shown:
            continue
        here, there = now.sizes[mine][0], sizes[theirs]
        if 2 * both >= max(here, there) and (_is_few(here - both) or _is_few(there - both)):
            return True
        if here == there == both:
            then = released.sizes[theirs]
            if then != now.sizes[mine] and abs(then[0] - here) <= MOST_HIDDEN:
                return True
    return False


def _says_the_same(one: SafeTable, other: SafeTable) -> bool:
    """Whether two tables of one definition show the same numbers."""
    shown = [[cell for cell in (table.total, *table.cells) if cell.status == "F"] for table in (one, other)]
    return shown[0] == shown[1]


def _is_frozen(standing: SafeTable, table: SafeTable) -> bool:
    """Whether the table of things that stands in the ledger says all that the new one would say."""
    return (standing.method, standing.contributors) == (table.method, table.contributors) and _says_the_same(
        standing, table
    )


def _made(hidden: Hidden, method: Method, cells: tuple[SafeCell, ...], total: SafeCell) -> SafeTable:
    octets = rfc8785.dumps(
        {
            "format": _FORMAT,
            "spec": hidden.spec.definition(),
            "method": [method.name, method.version],
            "cells": [_plain(cell) for cell in cells],
            "total": _plain(total),
            "complete": method.name == "EXACT",
            "contributors": list(hidden.contributors),
            "as_of": hidden.as_of.isoformat(),
        }
    )
    return _table_of(json.loads(octets), octets)


def _plain(cell: SafeCell) -> list[Any]:
    return [list(cell.key), *(_written(each) for each in (cell.value, cell.low, cell.high)), cell.status]


def _written(value: CellValue) -> int | str | None:
    return value if value is None or isinstance(value, int) else str(value)


def _table_of(plain: Mapping[str, Any], octets: bytes) -> SafeTable:
    """The table that these bytes are."""
    if plain["format"] != _FORMAT:
        raise ValueError("another format")
    spec = TableSpec.from_definition(plain["spec"])
    name, version = plain["method"]
    method = METHODS[name]
    if method.version != version:
        raise ValueError("another version of the method")
    return SafeTable(
        spec=spec,
        method=method,
        cells=tuple(_cell_of(spec, cell) for cell in plain["cells"]),
        total=_cell_of(spec, plain["total"]),
        is_complete=plain["complete"],
        contributors=tuple(plain["contributors"]),
        as_of=date.fromisoformat(plain["as_of"]),
        octets=octets,
        maker=_MAKER,
    )


def _cell_of(spec: TableSpec, plain: list[Any]) -> SafeCell:
    key, value, low, high, status = plain
    return SafeCell(tuple(key), _read(spec, value), _read(spec, low), _read(spec, high), status)


def _read(spec: TableSpec, written: Any) -> CellValue:
    if written is None:
        return None
    if spec.kind in ("share", "mean"):
        return Decimal(written)
    return date.fromisoformat(written) if spec.kind == "first" else int(written)


def _release_of(line: bytes, memory: bytes) -> Release | None:
    """The release that a stored line and its memory are; None when they were changed or do not belong."""
    try:
        plain = json.loads(line)
        table = _table_of(plain["table"], rfc8785.dumps(plain["table"]))
        remembered = json.loads(memory)
        if rfc8785.dumps(plain) != line or remembered["line"] != hashlib.sha256(line).hexdigest():
            return None
        sets = [(tuple(name), (n, ck), shown) for name, n, ck, shown in remembered["sets"]]
        sizes = {name: size for name, size, _ in sets}
        held = _Memory(sizes, frozenset(name for name, _, shown in sets if shown))
        return Release(plain["number"], plain["previous"], table, line, held)
    except (KeyError, TypeError, ValueError, IndexError):
        return None
