"""What the public reads: the listing, an item with its vouchers, one claim alone. Nothing is counted here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from html import unescape
from typing import Any

from django.http import Http404
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from wagtail.rich_text import expand_db_html

from resguardo.plan.languages import in_language
from resguardo.tell.wording import country_in, date_in
from resguardo.values import Refused
from resguardo_server.actions.plan import all_programmes, programme_named
from resguardo_server.actions.tell.listing import front_of
from resguardo_server.models import Claim, Release
from resguardo_server.models.tell import with_claims

PAGE_SIZE = 20
_EDITORS_MARK = re.compile(r' data-block-key="[^"]*"')
_PARAGRAPH = re.compile(r"</?p\b[^>]*>|<br\s*/?>")
NEWS_LANGUAGES = ("es", "en")


def language_of_news(language: str) -> str:
    """The language in which news is read by somebody whose pages are in `language`."""
    return language if language in NEWS_LANGUAGES else "es"


def release_address(release: Release) -> str:
    """Where the item is, from the root of the site."""
    return f"/{release.locale.language_code}/news/{release.day:%Y/%m/%d}/{release.slug}/"


@dataclass(frozen=True)
class Wanted:
    """What a reader looks for."""

    words: str = ""
    programme: str = ""
    country: str = ""
    year: str = ""
    page: int = 1


def _public(language: str) -> Any:
    front = front_of(language_of_news(language))
    if front is None:
        return Release.objects.none()
    return Release.objects.child_of(front).live().public().select_related("locale").order_by("-day", "-pk")


def programme_title(name: str, language: str) -> str:
    """The programme's title, or its name when its folder is gone."""
    try:
        return in_language(programme_named(name).title, language) if name else ""
    except Refused:
        return name


def listing(language: str, wanted: Wanted) -> dict[str, Any]:
    """The listing under the reader's filters, and how many items each further filter would leave."""
    releases = list(_public(language))
    total = len(releases)
    if wanted.words:
        found = {page.pk for page in _public(language).order_by().search(wanted.words, operator="and")}
        releases = [release for release in releases if release.pk in found]
    shown = [
        release
        for release in releases
        if wanted.programme in ("", release.programme)
        and (not wanted.country or wanted.country in release.countries)
        and wanted.year in ("", str(release.day.year))
    ]
    pages = max(1, -(-len(shown) // PAGE_SIZE))
    number = min(max(1, wanted.page), pages)
    part = shown[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    claims = _claims_of(part)
    by_year: dict[int, list[dict[str, Any]]] = {}
    for release in part:
        by_year.setdefault(release.day.year, []).append(_listed(release, claims, language))
    year_totals = Counter(release.day.year for release in shown)
    return {
        "years": [
            {"year": year, "total": year_totals[year], "releases": items} for year, items in by_year.items()
        ],
        "total": total,
        "found": len(shown),
        "programmes": _choices(
            Counter(release.programme for release in releases if release.programme),
            wanted.programme,
            lambda name: programme_title(name, language),
        ),
        "countries": _choices(
            Counter(code for release in releases for code in release.countries),
            wanted.country,
            lambda code: country_in(code, language),
        ),
        "year_choices": _choices(Counter(str(release.day.year) for release in releases), wanted.year, str),
        "page": {"number": number, "total": pages},
    }


def _choices(counts: Counter[str], chosen: str, title: Any) -> list[dict[str, Any]]:
    return sorted(
        (
            {"value": value, "title": title(value), "count": count, "chosen": value == chosen}
            for value, count in counts.items()
        ),
        key=lambda choice: choice["title"],
    )


def _claims_of(releases: Iterable[Release]) -> dict[int, Claim]:
    numbers = {number for release in releases for number in release.claim_numbers()}
    return {claim.pk: claim for claim in Claim.objects.filter(pk__in=numbers)}


def _listed(release: Release, claims: dict[int, Claim], language: str) -> dict[str, Any]:
    tongue = release.locale.language_code
    numbers = release.claim_numbers()
    known = [claims[number] for number in numbers if number in claims]
    return {
        "date": release.day,
        "headline_parts": [{"text": release.plain_headline(), "number": None}],
        "summary_html": _public_html(release.summary, tongue, _Threads(numbers, release_address(release))),
        "address": release_address(release),
        "programme_title": programme_title(release.programme, language),
        "countries_text": countries_text(release.countries, language),
        "claims_true": sum(claim.holds_today for claim in known),
        "claims_total": len(numbers),
        "claims_noted": sum(bool(claim.voucher.get("notes", {}).get(tongue)) for claim in known),
        "corrections": 0,
        "language": tongue,
    }


def _plain(html: str) -> str:
    """The text alone, its paragraphs apart."""
    return " ".join(unescape(strip_tags(_PARAGRAPH.sub(" ", html))).split())


def _public_html(html: str, language: str, show: Callable[[Claim, str], str]) -> SafeString:
    """Stored text as a page shows it: claims by `show`, links by their address, no editor's marks."""
    shown = expand_db_html(_EDITORS_MARK.sub("", with_claims(html, language, show)))
    return SafeString(shown)  # Wagtail's own rich text, made of an allowed list of tags


@dataclass(frozen=True)
class _Threads:
    """Shows a claim in a sentence as a thread that leads to its voucher."""

    numbers: list[int]
    address: str = ""

    def __call__(self, claim: Claim, wording: str) -> str:
        number = self.numbers.index(claim.pk) + 1
        state = "" if claim.holds_today else ("wrong" if claim.verdict == "false" else "doubt")
        href = f"{self.address}#a{number}"
        facts = {"wording": wording, "number": number, "href": href, "state": state}
        return render_to_string("tell/parts/thread.html", facts).strip()


def _words(claim: Claim, wording: str) -> str:
    return wording


def countries_text(codes: list[str], language: str) -> str:
    """The countries by name, separated by commas."""
    return ", ".join(country_in(code, language) for code in codes)


def release_page(language: str, day: date, slug: str) -> dict[str, Any]:
    """The item with its claims marked, and how each was counted; raises `Http404` when there is none."""
    release = _public(language).filter(day=day, slug=slug).first()
    if release is None:
        raise Http404
    return shown_release(release)


def shown_release(release: Release) -> dict[str, Any]:
    """An item as its page shows it, public or as a preview of the newsroom."""
    tongue = release.locale.language_code
    numbers = release.claim_numbers()
    claims = {claim.pk: claim for claim in Claim.objects.filter(pk__in=numbers)}
    known = [claims[number] for number in numbers if number in claims]

    threads = _Threads(numbers)
    headline = _PARAGRAPH.sub(" ", _public_html(release.headline, tongue, threads)).strip()
    checked = max((claim.checked_on for claim in known if claim.checked_on), default=None)
    others = (
        Release.objects.live().public().filter(translation_key=release.translation_key).exclude(pk=release.pk)
    )
    return {
        "release": {
            "date": release.day,
            "headline": release.plain_headline(),
            "headline_html": mark_safe(headline),  # noqa: S308  Wagtail's own rich text
            "body_html": _public_html(release.summary, tongue, threads),
            "summary": _plain(with_claims(release.summary, tongue, _words)),
            "language": tongue,
            "programme_title": programme_title(release.programme, tongue),
            "programme_address": f"/{tongue}/news/?programme={release.programme}",
            "countries_text": countries_text(release.countries, tongue),
            "address": release_address(release),
            "translations": [
                {
                    "code": other.locale.language_code,
                    "name": other.locale.get_display_name(),
                    "address": release_address(other),
                }
                for other in others.select_related("locale")
            ],
            "claims_true": sum(claim.holds_today for claim in known),
            "claims_total": len(numbers),
            "claims_noted": sum(bool(claim.voucher.get("notes", {}).get(tongue)) for claim in known),
            "checked_on": checked,
            "rechecked_at": None,
            "corrections": [],
            "withdrawn": None,
            "citation": f"{release.plain_headline()}. {date_in(release.day, tongue)}.",
        },
        "vouchers": [
            shown_voucher(claims[number], place, tongue)
            for place, number in enumerate(numbers, start=1)
            if number in claims
        ],
    }


def shown_voucher(claim: Claim, number: int, language: str) -> dict[str, Any]:
    """How one claim was counted, in the language of the page."""
    voucher = claim.voucher
    tongue = language_of_news(language)
    address = f"/{tongue}/claims/{claim.slug}/"
    table = voucher.get("table", {}).get(tongue)
    downloads = [{"text": "JSON", "address": f"{address[:-1]}.json", "size": "", "type": "application/json"}]
    if voucher.get("csv"):
        downloads.insert(
            0, {"text": "CSV (HXL)", "address": f"{address[:-1]}.csv", "size": "", "type": "text/csv"}
        )
    return {
        "number": number,
        "wording": claim.wording(tongue),
        "verdict": claim.verdict,
        "verdict_sentence": claim.sentences.get(tongue, ""),
        "notes": voucher.get("notes", {}).get(tongue, []),
        "corrected": False,
        "rows": voucher.get("rows", {}).get(tongue, []),
        "source": voucher.get("source"),
        "chart_svg": mark_safe(voucher.get("chart", {}).get(tongue, "")),  # noqa: S308  drawn by tell.chart
        "chart_caption": table["caption"] if table else "",
        "table": table,
        "downloads": downloads,
        "command": voucher.get("command", ""),
        "answer": "",
        "digest": voucher.get("digest", ""),
        "claim_address": address,
    }


def claim_page(language: str, slug: str) -> dict[str, Any]:
    """One claim alone, and where it is said; raises `Http404` when no public item says it."""
    claim = Claim.objects.filter(slug=slug).first()
    saying = _saying(claim, language) if claim else []
    if claim is None or not saying:
        raise Http404
    tongue = language_of_news(language)
    shown = shown_voucher(claim, 1, language)
    shown |= {
        "id": claim.slug,
        "checked_at": claim.checked_on,
        "address": shown["claim_address"],
        "json_address": f"{shown['claim_address'][:-1]}.json",
        "citation": f"«{claim.wording(tongue)}»: {claim.sentences.get(tongue, '')}",
    }
    shown["claim_address"] = ""  # the page itself
    return {"claim": shown, "releases": saying, "history": []}


def _saying(claim: Claim, language: str) -> list[dict[str, Any]]:
    return [
        {"date": release.day, "headline": release.plain_headline(), "address": release_address(release)}
        for release in _public(language)
        if claim.pk in release.claim_numbers()
    ]


def saying_indicator(name: str, language: str) -> list[dict[str, Any]]:
    """The public items with a claim that is counted by the indicator."""
    numbers = {claim.pk for claim in Claim.objects.all() if claim.voucher.get("indicator") == name}
    return [
        {"date": release.day, "headline": release.plain_headline(), "address": release_address(release)}
        for release in _public(language)
        if numbers & set(release.claim_numbers())
    ]


def claim_file(slug: str, kind: str, language: str) -> tuple[str, str]:
    """The claim as JSON or its table as CSV, with the media type; raises `Http404` when there is none."""
    import json

    claim = Claim.objects.filter(slug=slug).first()
    if claim is None or not _saying(claim, language):
        raise Http404
    tongue = language_of_news(language)
    if kind == "csv":
        text = claim.voucher.get("csv", {}).get(tongue)
        if not text:
            raise Http404
        return text, "text/csv; charset=utf-8"
    answer = {
        "id": claim.slug,
        "wording": claim.voucher.get("wording", {}),
        "verdict": claim.verdict,
        "holds": claim.holds_today,
        "sentences": claim.sentences,
        "checked_on": claim.checked_on.isoformat() if claim.checked_on else None,
        "recipe": json.loads(claim.voucher.get("recipe", "null")),
        "recipe_digest": claim.voucher.get("digest"),
        "table": json.loads(claim.voucher.get("json", "null")),
        "source": claim.voucher.get("source"),
    }
    return json.dumps(answer, ensure_ascii=False, indent=2), "application/json; charset=utf-8"


def feed_items(language: str) -> list[dict[str, Any]]:
    """The newest fifty items as a feed tells them."""
    return [
        {
            "id": str(release.translation_key),
            "title": release.plain_headline(),
            "summary": _plain(with_claims(release.summary, release.locale.language_code, _words)),
            "address": release_address(release),
            "day": release.day,
            "programme": programme_title(release.programme, language),
            "changed": release.last_published_at,
        }
        for release in _public(language)[:50]
    ]


def programmes_page(language: str) -> dict[str, Any]:
    """The programmes: what each wants to know, asks, for what and for how long."""
    from resguardo.plan.languages import say

    counts = Counter(_public(language).values_list("programme", flat=True))
    tongue = language_of_news(language)
    return {
        "programmes": [
            {
                "name": programme.name,
                "title": in_language(programme.title, language),
                "description": in_language(programme.description, language),
                "question": in_language(programme.question, language),
                "population": programme.population.value,
                "forms": [
                    {
                        "title": in_language(form.title, language),
                        "about": say(f"server.about.{form.about}", language),
                    }
                    for form in programme.forms
                ],
                "purposes": [
                    {
                        "title": in_language(purpose.title, language),
                        "basis": say(f"server.basis.{purpose.basis}", language),
                        "retention": retention_text(purpose.retention_days, language),
                    }
                    for purpose in programme.purposes
                ],
                "receivers": [],
                "news_address": f"/{tongue}/news/?programme={programme.name}",
                "news_total": counts[programme.name],
                "figures_address": f"/{tongue}/figures/#{programme.name}",
            }
            for programme in all_programmes()
        ]
    }


def retention_text(days: int, language: str) -> str:
    """How long, in the largest whole unit."""
    from resguardo.plan.languages import say

    if days % 365 == 0:
        years = days // 365
        return say(f"server.retention.year{'s' if years != 1 else ''}", language, number=years)
    if days % 30 == 0:
        months = days // 30
        return say(f"server.retention.month{'s' if months != 1 else ''}", language, number=months)
    return say("server.retention.days", language, number=days)
