"""Numbers, days and countries as a language writes them, and a claim in its own words."""

from __future__ import annotations

from resguardo.tell.claim import Claim
from resguardo.values import Language


def wording_in(claim: Claim, language: Language) -> str:
    """The claim as the text says it: ``más de 160``, ``seis países``."""
    raise NotImplementedError
