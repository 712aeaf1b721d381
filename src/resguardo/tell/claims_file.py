"""The file in which the claims of a news item are written: TOML, one ``[[claim]]`` each."""

from __future__ import annotations

from resguardo.tell.claim import Claim


def read_claims(text: str, *, file: str) -> tuple[Claim, ...]:
    """The claims of a claims file; raises `Refused` with every problem: file, claim, key and cure."""
    raise NotImplementedError
