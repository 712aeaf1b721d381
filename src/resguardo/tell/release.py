"""When a news item may be published: every claim holds, and no figure is typed."""

from __future__ import annotations

from collections.abc import Mapping

from resguardo.tell.claim import Verdict
from resguardo.tell.listing import ListedItem
from resguardo.values import Language, Problem


def publication_problems(
    item: ListedItem, verdicts: Mapping[str, Verdict], language: Language
) -> tuple[Problem, ...]:
    """Why the item, written in `language`, cannot be published; empty when it can."""
    raise NotImplementedError
