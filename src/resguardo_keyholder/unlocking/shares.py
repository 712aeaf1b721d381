"""Shares of words on paper (SLIP-39): any few of the sheets unlock, fewer tell nothing.

What is split is a key of 32 bytes made for this one lock; written as 64 hexadecimal digits it is the
passphrase of the age file. So any SLIP-39 program and any age program open the lock without this one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import shamir_mnemonic
from shamir_mnemonic.share import Share
from shamir_mnemonic.wordlist import WORD_INDEX_MAP

from resguardo.plan.languages import say
from resguardo.values import Chance, Language, Problem, Refused
from resguardo_keyholder.unlocking.age_file import lock_with, unlock_with

WORDS_ON_A_SHEET: Final = 33
"""How many words a share of a key of 32 bytes has."""

MOST_SHEETS: Final = 16
"""SLIP-39 numbers the shares of a set with four bits."""


@dataclass(frozen=True)
class Sheet:
    """One of the sheets: its words are for one envelope, one person, and no disk."""

    number: int
    """1 for the first sheet."""
    made: int
    needed: int
    set_number: int
    """Sheets of one set belong together; sheets of another set unlock nothing here."""
    words: tuple[str, ...] = field(repr=False)

    @property
    def mnemonic(self) -> str:
        """The words in one line, as they are given to unlock."""
        return " ".join(self.words)

    def printed(self, language: Language) -> str:
        """The page for the envelope: what it is, the numbered words, what to do with them."""
        width = max(map(len, self.words)) + 2
        rows = [
            "".join(f"{at + 1:3}. {self.words[at]:<{width}}" for at in range(start, start + 3)).rstrip()
            for start in range(0, len(self.words), 3)
        ]
        facts = {"number": self.number, "made": self.made, "needed": self.needed, "set": self.set_number}
        return "\n".join(
            (
                say("unlocking.sheet.title", language, **facts),
                say("unlocking.sheet.what", language, **facts),
                "",
                *rows,
                "",
                say("unlocking.sheet.keep", language, **facts),
                "",
            )
        )


class Shares:
    """Locks by sheets of words, of which a few together unlock."""

    name: Final = "shares"

    def __init__(self, mnemonics: Sequence[str], *, needed: int, made: int, set_number: int) -> None:
        """To unlock: the words of the sheets that were brought, and what the folder remembers of the set."""
        self._mnemonics = tuple(mnemonics)
        self._needed, self._made, self._set_number = needed, made, set_number
        self.sheets: tuple[Sheet, ...] = ()

    @classmethod
    def new(cls, needed: int = 3, made: int = 5, chance: Chance = secrets.token_bytes) -> Shares:
        """To lock: fresh `sheets`, to be printed and handed out before anything is locked with them."""
        if not 2 <= needed <= made <= MOST_SHEETS:
            raise Refused(Problem("unlocking.shares.how_many", {"most": str(MOST_SHEETS)}))
        (mnemonics,) = shamir_mnemonic.generate_mnemonics(1, [(needed, made)], chance(32))
        set_number = Share.from_mnemonic(mnemonics[0]).identifier
        made_now = cls(mnemonics[:needed], needed=needed, made=made, set_number=set_number)
        made_now.sheets = tuple(
            Sheet(number, made, needed, set_number, tuple(mnemonic.split()))
            for number, mnemonic in enumerate(mnemonics, 1)
        )
        return made_now

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """What must be remembered to unlock again, and is no secret."""
        return {"needed": self._needed, "made": self._made, "set": self._set_number}

    def lock(self, secret: bytes) -> bytes:
        """The secret as an age file, whose passphrase is the key that the sheets hold."""
        return lock_with(secret, self._key())

    def unlock(self, blob: bytes) -> bytes:
        """The secret; a sheet that is wrong, brought twice or of another set is refused by its number."""
        secret = unlock_with(blob, self._key())
        if secret is None:
            raise Refused(Problem("unlocking.shares.other_lock"))
        return secret

    def _key(self) -> str:
        problems: list[Problem] = []
        brought: dict[int, tuple[int, str]] = {}
        for place, mnemonic in enumerate(self._mnemonics, 1):
            try:
                share = read_share(mnemonic, place, self._set_number)
            except Refused as refused:
                problems += refused.problems
                continue
            if share.index in brought:
                facts = {"share": str(place), "first": str(brought[share.index][0])}
                problems.append(Problem("unlocking.shares.twice", facts))
            else:
                brought[share.index] = (place, mnemonic)
        if not problems and len(brought) < self._needed:
            facts = {"needed": str(self._needed), "brought": str(len(brought))}
            problems.append(Problem("unlocking.shares.too_few", facts))
        if problems:
            raise Refused(*problems)
        enough = [mnemonic for _, mnemonic in brought.values()][: self._needed]
        try:
            key: bytes = shamir_mnemonic.combine_mnemonics(enough)
        except shamir_mnemonic.MnemonicError:
            raise Refused(Problem("unlocking.shares.do_not_fit")) from None
        return key.hex()


def read_share(mnemonic: str, place: int, set_number: int) -> Share:
    """The share in one sheet's words; refuses it by its place among those brought.

    A wrong word is named by its number: what was written there may be a right word of another sheet.
    """
    words = mnemonic.casefold().split()
    unknown = [str(number) for number, word in enumerate(words, 1) if word not in WORD_INDEX_MAP]
    if unknown:
        facts = {"share": str(place), "words": ", ".join(unknown)}
        raise Refused(Problem("unlocking.shares.unknown_words", facts))
    if len(words) != WORDS_ON_A_SHEET:
        facts = {"share": str(place), "words": str(len(words)), "right": str(WORDS_ON_A_SHEET)}
        raise Refused(Problem("unlocking.shares.number_of_words", facts))
    try:
        share = Share.from_mnemonic(" ".join(words))
    except shamir_mnemonic.MnemonicError:
        raise Refused(Problem("unlocking.shares.wrong_words", {"share": str(place)})) from None
    if share.identifier != set_number:
        facts = {"share": str(place), "set": str(set_number), "other": str(share.identifier)}
        raise Refused(Problem("unlocking.shares.other_set", facts))
    return share
