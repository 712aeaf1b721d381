"""A listing of news and its claims become drafts in the newsroom."""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape

from django.db import transaction
from django.utils.text import slugify
from wagtail.models import Locale

from resguardo.tell.claims_file import read_claims
from resguardo.tell.listing import ClaimMark, ListedItem, Listing, Parts, plain
from resguardo.tell.wording import same_words, wording_in, wording_languages
from resguardo.values import Problem, Refused
from resguardo_server.models import Claim, NewsFront, Release

SAME_HEADLINE = 0.6
"""How alike two headlines of one day must be to be the same item, told again."""

_BEGINS = re.compile(r"^[ \t]*\[\[[ \t]*claim[ \t]*\]\]", re.MULTILINE)


@dataclass(frozen=True)
class Imported:
    """What became of a listing."""

    new: int
    changed: int
    same: int


@transaction.atomic
def import_claims(text: str, *, file: str, now: datetime) -> int:
    """The claims of the file are known, those of the same name replaced; all of them wait for a check."""
    claims = read_claims(text, file=file)
    begins = [found.start() for found in _BEGINS.finditer(text)]
    pieces = [text[start:end] for start, end in zip(begins, [*begins[1:], len(text)], strict=True)]
    for claim, piece in zip(claims, pieces, strict=True):
        known = Claim.objects.filter(slug=claim.id).first()
        if known is not None and known.definition == piece.strip():
            continue
        Claim.objects.update_or_create(
            slug=claim.id,
            defaults={
                "definition": piece.strip(),
                "verdict": "not_computable",
                "holds_today": False,
                "sentences": {},
                "voucher": {
                    "wording": {
                        language: wording_in(claim, language) for language in wording_languages(claim)
                    }
                },
                "checked_on": None,
            },
        )
    return len(claims)


@transaction.atomic
def import_listing(listing: Listing, *, file: str, now: datetime) -> Imported:
    """Each item is a draft of the newsroom in its language; one that was there is told anew, not doubled."""
    front = NewsFront.objects.filter(locale__language_code=listing.language).first()
    if front is None:
        raise Refused(Problem("server.news.no_front", {"language": listing.language}, file=file))
    marks = _claims_named(listing, file)
    new = changed = same = 0
    for item in listing.items:
        release = _known(item, front)
        texts = (_html(item.headline, marks), "".join(_html(part, marks) for part in item.paragraphs))
        if release is not None and (release.headline, release.summary) == texts:
            same += 1
            continue
        first = next((marks[name] for name in item.claims), None)
        programme = first.as_value().recipe.programme if first else ""
        if release is None:
            release = Release(
                day=item.date,
                slug=_free_slug(front, item),
                locale=front.locale,
                headline=texts[0],
                summary=texts[1],
                programme=programme,
                translation_key=_translation_key(item, front, marks),
                live=False,
            )
            release.title = plain(item.headline)[:255]
            front.add_child(instance=release)
            new += 1
        else:
            release = release.get_latest_revision_as_object()
            release.headline, release.summary = texts
            release.programme = programme or release.programme
            changed += 1
        release.countries = countries_said([marks[name] for name in item.claims])
        release.save_revision()
        if not release.live:
            release.save()
    return Imported(new, changed, same)


def _claims_named(listing: Listing, file: str) -> dict[str, Claim]:
    """The claims that the listing's marks name; refuses a mark without its claim, with its line."""
    named = {name for item in listing.items for name in item.claims}
    found = {claim.slug: claim for claim in Claim.objects.filter(slug__in=named)}
    missing = [
        Problem("server.news.unknown_claim", {"claim": name}, file=file, row=item.date_line)
        for item in listing.items
        for name in item.claims
        if name not in found
    ]
    if missing:
        raise Refused(*missing)
    differing = [
        problem
        for item in listing.items
        for line, parts in (
            (item.headline_line, item.headline),
            *zip(item.paragraph_lines, item.paragraphs, strict=True),
        )
        for part in parts
        if isinstance(part, ClaimMark)
        for problem in _other_words(part, found[part.claim], listing.language, file, line)
    ]
    if differing:
        raise Refused(*differing)
    return found


def _other_words(mark: ClaimMark, row: Claim, language: str, file: str, line: int) -> tuple[Problem, ...]:
    """The mark says other words than its claim: only the claim's would be kept, and the writer's lost."""
    claim, facts = row.as_value(), {"line": str(line), "claim": mark.claim, "text": mark.text}
    if language not in wording_languages(claim):
        return (Problem("tell.release.no_words", {**facts, "language": language}, file=file),)
    wording = wording_in(claim, language)
    if same_words(mark.text, wording):
        return ()
    return (Problem("tell.release.wording_differs", {**facts, "wording": wording}, file=file),)


def _html(parts: Parts, marks: dict[str, Claim]) -> str:
    """A paragraph as the newsroom stores it: text, and of a claim its id alone."""
    return (
        "<p>"
        + "".join(
            f'<embed embedtype="claim" id="{marks[part.claim].pk}"/>'
            if isinstance(part, ClaimMark)
            else escape(part, quote=False)
            for part in parts
        )
        + "</p>"
    )


def _known(item: ListedItem, front: NewsFront) -> Release | None:
    """The item of the same day whose headline is alike."""
    headline = plain(item.headline)
    same_day = Release.objects.child_of(front).filter(day=item.date)
    alike = [
        (difflib.SequenceMatcher(None, headline.casefold(), release.title.casefold()).ratio(), release)
        for release in same_day
    ]
    ratio, best = max(alike, key=lambda pair: pair[0], default=(0.0, None))
    return best if ratio >= SAME_HEADLINE else None


def _free_slug(front: NewsFront, item: ListedItem) -> str:
    stem = slugify(plain(item.headline))[:80].rstrip("-") or f"{item.date:%Y-%m-%d}"
    taken = set(Release.objects.child_of(front).filter(slug__startswith=stem).values_list("slug", flat=True))
    slug, number = stem, 1
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug


def _translation_key(item: ListedItem, front: NewsFront, marks: dict[str, Claim]) -> uuid.UUID:
    """The key of the same item in another language: that of its day which says the same claims."""
    wanted = {marks[name].pk for name in item.claims}
    for other in Release.objects.filter(day=item.date).exclude(locale=front.locale):
        here = Release.objects.filter(translation_key=other.translation_key, locale=front.locale)
        if wanted and set(other.claim_numbers()) == wanted and not here.exists():
            return uuid.UUID(str(other.translation_key))
    return uuid.uuid4()


def countries_said(claims: Iterable[Claim]) -> list[str]:
    """The countries that the claims are about, in the order in which they are said."""
    found: dict[str, None] = {}
    for row in claims:
        claim = row.as_value()
        found |= dict.fromkeys(claim.countries)
        for condition in claim.recipe.where:
            fact, _, values = condition.partition(" in ")
            if not values:
                fact, _, values = condition.partition(" = ")
            if fact.strip() == "country":
                found |= dict.fromkeys(value.strip() for value in values.split("|"))
    return list(found)


def front_of(language: str) -> NewsFront | None:
    """The front page of a language."""
    locale = Locale.objects.filter(language_code=language).first()
    return NewsFront.objects.filter(locale=locale).first() if locale else None
