"""Every claim is checked against the records, and what holds may be published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import override

from resguardo.count.disclosure import SafeTable
from resguardo.tell.claim import Verdict, check
from resguardo.tell.figure import Recipe, Source, source_of
from resguardo.tell.wording import wording_in, wording_languages
from resguardo.values import Refused
from resguardo_server.actions.count import count_indicator
from resguardo_server.actions.plan import indicator_named
from resguardo_server.actions.tell.voucher import voucher_of
from resguardo_server.models import Claim, Release

Advance = Callable[[int, int | None], None]


def _no_progress(done: int, total: int | None) -> None:
    return None


@dataclass(frozen=True)
class CheckedClaim:
    """A claim of an item and what the records say."""

    name: str
    wording: str
    verdict: str
    sentence: str
    holds: bool


@dataclass(frozen=True)
class CheckedItem:
    """A news item, its claims, and why it cannot be published, if it cannot."""

    day: date
    headline: str
    language: str
    claims: tuple[CheckedClaim, ...]
    refusals: tuple[str, ...]
    is_public: bool

    @property
    def stops(self) -> bool:
        """Whether it cannot be published as it stands."""
        return bool(self.refusals)

    def as_json(self) -> dict[str, Any]:
        """The item for a machine."""
        return asdict(self) | {
            "day": self.day.isoformat(),
            "claims": [asdict(claim) for claim in self.claims],
        }


def check_claims(
    among: Iterable[Claim] | None = None, *, advance: Advance = _no_progress, now: datetime
) -> None:
    """Every claim, or each of those given, says what the records say today."""
    counted: dict[str, SafeTable | Refused] = {}

    def count(recipe: Recipe) -> SafeTable:
        # One recipe is counted once, also when several claims say it.
        key = recipe.digest
        if key not in counted:
            try:
                counted[key] = count_indicator(
                    recipe.indicator, by=recipe.by, where=recipe.where, period=recipe.period, now=now
                )
            except Refused as refused:
                counted[key] = refused
        answer = counted[key]
        if isinstance(answer, Refused):
            raise answer
        return answer

    rows = list(Claim.objects.all() if among is None else among)
    for number, row in enumerate(rows):
        advance(number, len(rows))
        claim = row.as_value()
        source = _open_source(claim.recipe)
        if source is not None and claim.source is None:
            claim = replace(claim, source=source)
        verdict = check(claim, count, own_records=source is None)
        table = counted.get(verdict.claim.recipe.digest)
        _remember(row, verdict, table if isinstance(table, SafeTable) else None, now)
    advance(len(rows), len(rows))


def _open_source(recipe: Recipe) -> Source | None:
    """Whose open data the recipe counts; None for records that were collected here."""
    try:
        programme, indicator = indicator_named(recipe.indicator)
    except Refused:
        return None
    source = programme.form(indicator.form).source
    return source_of(source) if source else None


def _remember(row: Claim, verdict: Verdict, table: SafeTable | None, now: datetime) -> None:
    languages = wording_languages(verdict.claim)
    row.verdict = verdict.kind.value
    row.holds_today = verdict.holds
    row.sentences = {language: verdict.sentence(language) for language in ("es", "en", "fr", "ht")}
    row.voucher = voucher_of(verdict, table) | {
        "wording": {language: wording_in(verdict.claim, language) for language in languages}
    }
    row.checked_on = now
    row.save()


def check_news(*, language: str = "es", advance: Advance = _no_progress, now: datetime) -> list[CheckedItem]:
    """Every claim is checked; gives each item with its verdicts, newest first, in each language it has."""
    check_claims(advance=advance, now=now)
    return checked_items(language)


def checked_items(language: str) -> list[CheckedItem]:
    """The items with the verdicts of the last check, their sentences in `language`."""
    claims = {claim.pk: claim for claim in Claim.objects.all()}
    items = []
    for page in Release.objects.order_by("-day", "locale__language_code", "pk"):
        release = page.get_latest_revision_as_object()
        tongue = release.locale.language_code
        with override(language):
            refusals = tuple(release.refusals(language))
        items.append(
            CheckedItem(
                day=release.day,
                headline=release.plain_headline(),
                language=tongue,
                claims=tuple(
                    CheckedClaim(
                        name=claims[number].slug,
                        wording=claims[number].wording(tongue),
                        verdict=claims[number].verdict,
                        sentence=claims[number].sentences.get(language, ""),
                        holds=claims[number].holds_today,
                    )
                    for number in release.claim_numbers()
                    if number in claims
                ),
                refusals=refusals,
                is_public=page.live,
            )
        )
    return items


@transaction.atomic
def publish_checked(*, now: datetime) -> tuple[int, int]:
    """Items that may be published are public; gives how many are, and how many were held back."""
    published = held = 0
    for page in Release.objects.all():
        release = page.get_latest_revision_as_object()
        if release.refusals("es"):
            held += 1
        else:
            if not page.live or page.has_unpublished_changes:
                release.save_revision().publish()
            published += 1
    return published, held
