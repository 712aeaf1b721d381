"""What the newsroom says, in the language of whoever sits at the desk."""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import get_language

from resguardo.plan.languages import say


def desk_language() -> str:
    """The language of the desk; an item may be in another."""
    return get_language() or "es"


def said(key: str, **facts: object) -> str:
    """A sentence of the newsroom, now."""
    return say(f"server.newsroom.{key}", desk_language(), **facts)


said_when_shown = lazy(said, str)
"""A sentence of the newsroom, in the language that the desk has when it is shown."""
