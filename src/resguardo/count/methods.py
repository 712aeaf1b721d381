"""The arithmetic of protection: random rounding by cell key, and discrete Gaussian noise.

Sources: the cell-key method of the Australian Bureau of Statistics and of the census of England and Wales in
2021; Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020), algorithms 1 to 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from resguardo.count.indicator import CELL_PRIME
from resguardo.values import Chance


@dataclass(frozen=True)
class Method:
    """How true numbers become published ones."""

    name: Literal["EXACT", "CKR5", "CKR10", "DPG10"]
    base: int = 1
    """Published numbers are multiples of it."""
    floor: int = 0
    """A published number that would be smaller is hidden."""
    margin: int = 0
    """The true number is at most this far from the published one (for DPG10 in 95 of 100 cells)."""
    version: int = 1

    @property
    def is_rounding(self) -> bool:
        """Whether numbers are rounded by cell key."""
        return self.base > 1


EXACT = Method("EXACT")
CKR5 = Method("CKR5", base=5, floor=15, margin=4)
CKR10 = Method("CKR10", base=10, floor=30, margin=9)
DPG10 = Method("DPG10", floor=50, margin=20)

METHODS = {method.name: method for method in (EXACT, CKR5, CKR10, DPG10)}

SIGMA = 10
"""Standard deviation of the noise of DPG10."""

CHARGE = Fraction(1, 2 * SIGMA**2)
"""What one noised number about a person takes from the budget of a year (zero-concentrated privacy)."""

BUDGET = Fraction(24, 100)
"""The budget of a year: 48 numbers in which one person is counted."""


def mixed(cell_key: int) -> int:
    """The cell key stirred, so that the noise of a total says nothing about the noise of its parts."""
    once = (cell_key + 12345) ** 2 % CELL_PRIME
    return (once + 54321) ** 2 % CELL_PRIME


def rounded(units: int, cell_key: int, base: int) -> int:
    """`units` as a multiple of `base`, up or down as the cell key decides; true on average.

    The result is less than `base` away. Arrays of 64-bit numbers may be given as well.

    >>> sorted({rounded(162, key, 5) for key in range(100)})
    [160, 165]
    """
    raised = units + mixed(cell_key) % base
    return raised - raised % base


def discrete_gaussian(sigma: int, chance: Chance) -> int:
    """A whole number of the discrete Gaussian distribution with mean 0, by exact arithmetic on `chance`."""
    t = sigma + 1
    while True:
        candidate = _discrete_laplace(t, chance)
        miss = Fraction(abs(candidate)) - Fraction(sigma * sigma, t)
        if _happens_exp(miss * miss / (2 * sigma * sigma), chance):
            return candidate


def _discrete_laplace(scale: int, chance: Chance) -> int:
    while True:
        part = _below(scale, chance)
        if not _happens_exp(Fraction(part, scale), chance):
            continue
        whole = 0
        while _happens_exp(Fraction(1), chance):
            whole += 1
        size = part + scale * whole
        is_negative = _below(2, chance) == 1
        if not (is_negative and size == 0):
            return -size if is_negative else size


def _happens_exp(exponent: Fraction, chance: Chance) -> bool:
    """True with probability exp(-exponent)."""
    while exponent > 1:
        if not _happens_exp(Fraction(1), chance):
            return False
        exponent -= 1
    step = 1
    while _happens(exponent / step, chance):
        step += 1
    return step % 2 == 1


def _happens(probability: Fraction, chance: Chance) -> bool:
    return _below(probability.denominator, chance) < probability.numerator


def _below(limit: int, chance: Chance) -> int:
    """A number from 0 to `limit` - 1, each as likely."""
    octets = (limit.bit_length() + 7) // 8 + 1
    span = 256**octets
    while True:
        drawn = int.from_bytes(chance(octets), "big")
        if drawn < span - span % limit:
            return drawn % limit
