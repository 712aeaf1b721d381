"""The code on a receipt: what a person holds to see, without an account, what is kept about her.

Twenty signs in five groups of four, to be read from paper, over a telephone or by a camera. Eighteen are
chance (81 bits), two are check signs. The alphabet has digits and thirteen capitals, no vowel, and no pair
that looks alike in print or by hand; what people write instead (the letter O for zero, L for one, small
letters, spaces) is understood. Any one wrong sign, any two, and any two that changed places are noticed:
the code is a Reed-Solomon code over the 23 numbers below 23, with distance three.

The code itself is stored nowhere. The keyholder makes a keyed token of `ReceiptCode.token_text` and that is
what the database holds. Who has the code still needs one answer that the person knows.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from resguardo.values import Chance, Problem, Refused

ALPHABET: Final = "0123456789CFHJKMNPRTWXY"
"""The signs, in the order of their numbers 0 to 22."""

READ_AS: Final = {"O": "0", "D": "0", "Q": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}
"""What a letter that is in no code is taken for: the sign that it looks like."""

CODE_LENGTH: Final = 20
GROUP_LENGTH: Final = 4
CHANCE_BITS: Final = 81
"""Bits of chance in a code: 18 signs of 23 kinds are 81.4."""

_PRIME: Final = len(ALPHABET)
_CHANCE_SIGNS: Final = CODE_LENGTH - 2
_NUMBERS: Final = {sign: number for number, sign in enumerate(ALPHABET)}
_LONGEST_READ: Final = 400
_SEPARATORS: Final = re.compile(r"[\s\-.,_·‐-―−]+")
_ADDRESS: Final = re.compile(r"(?i)^https?://\S+/r/([^/?#\s]+)/?$")


class CodeRefused(Refused):
    """What was typed is no code; says where it goes wrong, never what was typed."""


@dataclass(frozen=True)
class ReceiptCode:
    """A code whose check signs are right. It never shows itself in a message or a log."""

    signs: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.signs) != CODE_LENGTH or set(self.signs) - set(ALPHABET) or any(_syndromes(self.signs)):
            raise CodeRefused(Problem("allow.receipt.code_wrong"))

    @property
    def text(self) -> str:
        """The code as it is printed: ``XXXX-XXXX-XXXX-XXXX-XXXX``."""
        return "-".join(self.groups)

    @property
    def groups(self) -> tuple[str, ...]:
        """The five groups of four, as they are read aloud."""
        return tuple(
            self.signs[start : start + GROUP_LENGTH] for start in range(0, CODE_LENGTH, GROUP_LENGTH)
        )

    @property
    def token_text(self) -> str:
        """What the keyholder makes its token of: the twenty signs and nothing else."""
        return self.signs

    def address(self, site: str) -> str:
        """The address that the square on paper holds.

        >>> ReceiptCode("0" * 20).address("https://resguardo.example/")
        'https://resguardo.example/r/00000000000000000000'
        """
        return f"{site.rstrip('/')}/r/{self.signs}"


def new_code(chance: Chance) -> ReceiptCode:
    """A fresh code: 16 bytes of chance, of which all but the last signs' worth is thrown away.

    The remainder makes some codes likelier than others by less than one part in 2 to the 46.
    """
    number = int.from_bytes(chance(16), "big")
    numbers: list[int] = []
    for _ in range(_CHANCE_SIGNS):
        number, sign = divmod(number, _PRIME)
        numbers.append(sign)
    return ReceiptCode("".join(ALPHABET[each] for each in (*numbers, *_check_signs(numbers))))


def read_code(text: str) -> ReceiptCode:
    """The code in what somebody typed, said or scanned; an address that ends in a code is read too.

    >>> read_code(" oooo 0000-0000.0000 ooo0 ").text
    '0000-0000-0000-0000-0000'
    """
    if len(text) > _LONGEST_READ:
        raise CodeRefused(Problem("allow.receipt.code_length", _lengths(None)))
    plain = unicodedata.normalize("NFKC", text).strip()
    scanned = _ADDRESS.match(plain)
    plain = _SEPARATORS.sub("", scanned[1] if scanned else plain).upper()
    signs = "".join(READ_AS.get(sign, sign) for sign in plain)
    for place, sign in enumerate(signs, start=1):
        if sign not in _NUMBERS:
            raise CodeRefused(Problem("allow.receipt.code_sign", {"place": str(place)}))
    if len(signs) != CODE_LENGTH:
        raise CodeRefused(Problem("allow.receipt.code_length", _lengths(len(signs))))
    if (wrong := _wrong_place(signs)) is not None:
        facts = {"group": str((wrong - 1) // GROUP_LENGTH + 1)}
        raise CodeRefused(Problem("allow.receipt.code_group", facts))
    return ReceiptCode(signs)


def _lengths(found: int | None) -> dict[str, str]:
    return {"length": str(CODE_LENGTH), "found": "?" if found is None else str(found)}


def _check_signs(numbers: list[int]) -> tuple[int, int]:
    """The two last numbers, so that the plain sum and the sum weighted by place are multiples of 23."""
    plain = sum(numbers)
    weighted = sum(place * number for place, number in enumerate(numbers, start=1))
    last = (_PRIME - weighted + (CODE_LENGTH - 1) * plain) % _PRIME
    return (-plain - last) % _PRIME, last


def _syndromes(signs: str) -> tuple[int, int]:
    """Both sums modulo 23: nothing but a code gives zero twice."""
    numbers = [_NUMBERS[sign] for sign in signs]
    weighted = sum(place * number for place, number in enumerate(numbers, start=1))
    return sum(numbers) % _PRIME, weighted % _PRIME


def _wrong_place(signs: str) -> int | None:
    """The place of the fault if one sign alone is wrong; None when nothing is, or more than that."""
    plain, weighted = _syndromes(signs)
    if not plain:
        return None
    place = weighted * pow(plain, -1, _PRIME) % _PRIME
    return place if 1 <= place <= CODE_LENGTH else None
