"""The public news: the listing, an item, a claim, the feeds, and how it all works."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.utils.html import escape
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from resguardo_server.actions.tell import figures, showing


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The news in the reader's language."""
    return redirect(reverse("news"))


def _wanted(request: HttpRequest) -> showing.Wanted:
    page = request.GET.get("page", "1")
    return showing.Wanted(
        words=" ".join(re.findall(r"\w+", request.GET.get("q", "")[:200])),
        programme=request.GET.get("programme", "")[:60],
        country=request.GET.get("country", "")[:2],
        year=request.GET.get("year", "")[:4],
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The listing of news, newest first, under the reader's filters."""
    wanted = _wanted(request)
    shown = showing.listing(_language(), wanted)
    asked = {
        "q": wanted.words,
        "programme": wanted.programme,
        "country": wanted.country,
        "year": wanted.year,
    }

    def address(**changed: str) -> str:
        query = urlencode({name: value for name, value in {**asked, **changed}.items() if value})
        return f"{reverse('news')}?{query}" if query else reverse("news")

    titles = {
        choice["value"]: choice["title"]
        for name in ("programmes", "countries", "year_choices")
        for choice in shown[name]
    }
    chosen = [
        {"text": titles.get(value, value), "address": address(**{name: ""})}
        for name, value in asked.items()
        if value
    ]
    page = shown["page"]
    page["newer"] = address(page=str(page["number"] - 1)) if page["number"] > 1 else None
    page["older"] = address(page=str(page["number"] + 1)) if page["number"] < page["total"] else None
    return render(
        request,
        "tell/front.html",
        {
            "section": "news",
            "years": shown["years"],
            "total": shown["total"],
            "found": shown["found"],
            "page": page,
            "filters": {
                "q": wanted.words,
                "programmes": shown["programmes"],
                "countries": shown["countries"],
                "years": shown["year_choices"],
                "chosen": chosen,
            },
            "corrections": [],
            "corrections_total": 0,
            "canonical": settings.ADDRESS + reverse("news"),
        },
    )


@require_safe
def release(request: HttpRequest, year: int, month: int, day: int, slug: str) -> HttpResponse:
    """One news item, with its claims marked and how each was counted."""
    try:
        when = date(year, month, day)
    except (ValueError, OverflowError):
        raise Http404 from None
    return _item(request, showing.release_page(_language(), when, slug))


def show_before_publication(request: HttpRequest, release: Any) -> HttpResponse:
    """An item of the newsroom as its public page will be."""
    return _item(request, showing.shown_release(release))


def _item(request: HttpRequest, shown: dict[str, Any]) -> HttpResponse:
    item = shown["release"]
    choices = [
        {"code": item["language"], "name": gettext("This page"), "address": item["address"], "current": True}
    ]
    choices += [{**other, "current": False} for other in item["translations"]]
    names = dict(settings.LANGUAGES)
    for choice in choices:
        choice["name"] = names.get(choice["code"], choice["code"])
    return render(
        request,
        "tell/release.html",
        {
            "section": "news",
            **shown,
            "release": item | {"address": settings.ADDRESS + item["address"]},
            "canonical": settings.ADDRESS + item["address"],
            "language_choices": sorted(choices, key=lambda choice: list(names).index(choice["code"])),
        },
    )


@require_safe
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """One claim alone, citable."""
    shown = showing.claim_page(_language(), slug)
    return render(
        request,
        "tell/claim.html",
        {"section": "news", **shown, "canonical": settings.ADDRESS + shown["claim"]["address"]},
    )


@require_safe
def claim_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """The claim for a machine, or its table."""
    text, media_type = showing.claim_file(slug, kind, _language())
    response = HttpResponse(text, content_type=media_type)
    response["Content-Disposition"] = f'inline; filename="{slug}.{kind}"'
    return response


@require_safe
def figure_list(request: HttpRequest) -> HttpResponse:
    """The indicators that have a released table, by programme."""
    return render(request, "tell/figures.html", {"section": "figures", **figures.figures_page(_language())})


@require_safe
def figure(request: HttpRequest, name: str) -> HttpResponse:
    """A released table of an indicator."""
    shown = figures.figure_page(_language(), name, request.GET.get("by", "")[:12])
    return render(request, "tell/figure.html", {"section": "figures", **shown})


@require_safe
def figure_file(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """A released table for a machine."""
    text, media_type = figures.figure_file(_language(), name, request.GET.get("by", "")[:12], kind)
    response = HttpResponse(text, content_type=media_type)
    response["Content-Disposition"] = f'inline; filename="{name}.{kind}"'
    return response


@require_safe
def programmes(request: HttpRequest) -> HttpResponse:
    """The programmes: what each wants to know, asks, for what and for how long."""
    return render(
        request, "tell/programmes.html", {"section": "programmes", **showing.programmes_page(_language())}
    )


@require_safe
def how(request: HttpRequest) -> HttpResponse:
    """How figures are counted, protected and checked."""
    return render(request, "tell/how.html", {"section": "how"})


@require_safe
def corrections(request: HttpRequest) -> HttpResponse:
    """Every correction, newest first."""
    return render(request, "tell/corrections.html", {"section": "news", "corrections": []})


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """What was done so that everybody can use the pages, and what is missing."""
    return render(request, "tell/accessibility.html", {"section": ""})


class RssNews(Feed):  # type: ignore[type-arg]
    """The news for a feed reader."""

    feed_type = Rss201rev2Feed

    def title(self) -> str:
        return gettext("News from the regional office")

    description = title

    def link(self) -> str:
        return reverse("news")

    def items(self) -> list[dict[str, object]]:
        return showing.feed_items(_language())

    def item_title(self, item: dict[str, object]) -> str:
        return str(item["title"])

    def item_description(self, item: dict[str, object]) -> str:
        return escape(str(item["summary"]))

    def item_link(self, item: dict[str, object]) -> str:
        return str(item["address"])

    def item_guid(self, item: dict[str, object]) -> str:
        return f"urn:uuid:{item['id']}"

    item_guid_is_permalink = False

    def item_pubdate(self, item: dict[str, object]) -> datetime:
        return datetime.combine(date.fromisoformat(str(item["day"])), time(12), tzinfo=UTC)

    def item_updateddate(self, item: dict[str, object]) -> datetime:
        changed = item["changed"]
        return changed if isinstance(changed, datetime) else self.item_pubdate(item)

    def item_categories(self, item: dict[str, object]) -> list[str]:
        return [str(item["programme"])] if item["programme"] else []


class AtomNews(RssNews):
    """The news as Atom (RFC 4287)."""

    feed_type = Atom1Feed  # type: ignore[assignment]
    subtitle = RssNews.title


@require_safe
def json_feed(request: HttpRequest) -> JsonResponse:
    """The news as JSON Feed 1.1."""
    items = [
        {
            "id": f"urn:uuid:{item['id']}",
            "url": settings.ADDRESS + str(item["address"]),
            "title": item["title"],
            "content_text": item["summary"],
            "date_published": f"{item['day']}T12:00:00Z",
            "tags": [item["programme"]] if item["programme"] else [],
        }
        for item in showing.feed_items(_language())
    ]
    return JsonResponse(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": gettext("News from the regional office"),
            "home_page_url": settings.ADDRESS + reverse("news"),
            "feed_url": settings.ADDRESS + reverse("news_json"),
            "language": showing.language_of_news(_language()),
            "items": items,
        },
        content_type="application/feed+json; charset=utf-8",
        json_dumps_params={"ensure_ascii": False},
    )
