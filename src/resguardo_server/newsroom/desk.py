"""The desk of the newsroom: news first, and no menu that leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import babel
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from wagtail import hooks
from wagtail.admin.ui.components import Component

from resguardo.tell.wording import at_sentence_start
from resguardo_server.actions.tell.listing import front_of
from resguardo_server.actions.tell.showing import NEWS_LANGUAGES
from resguardo_server.models import Release
from resguardo_server.newsroom.words import desk_language, said


def language_in(code: str, language: str) -> str:
    """The name of a language, as a sentence in `language` says it."""
    return str(babel.Locale(language).languages[code])


class LatestNews(Component):  # type: ignore[misc]
    """The newest items, each with where it stands: what a press officer opens the newsroom for."""

    name = "latest_news"
    order = 50
    template_name = "wagtailadmin/home/latest_news.html"
    number = 8

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        newest = Release.objects.select_related("locale").order_by("-day", "-pk")[: self.number]
        return {
            "words": {key: said(key) for key in ("latest", "empty")},
            "fronts": [shown for language in NEWS_LANGUAGES if (shown := self._front(language))],
            "items": [self._item(page) for page in newest],
        }

    def _front(self, language: str) -> dict[str, str] | None:
        front = front_of(language)
        if front is None:
            return None
        name = language_in(language, desk_language())
        return {
            "write": reverse("wagtailadmin_pages:add", args=["resguardo_server", "release", front.pk]),
            "write_words": said("write", language=name),
            "address": reverse("wagtailadmin_explore", args=[front.pk]),
            "all_words": said("all", language=name),
        }

    def _item(self, page: Release) -> dict[str, Any]:
        newest: Release = page.get_latest_revision_as_object()
        refusals = newest.refusals(desk_language())
        public = "changed" if page.has_unpublished_changes else "public"
        return {
            "page": page,
            "is_public": page.live,
            "headline": newest.plain_headline(),
            "state": said(public if page.live else "draft"),
            "refusals": [at_sentence_start(refusal) for refusal in refusals],
        }


@hooks.register("construct_homepage_panels")
def news_first(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(LatestNews())


@hooks.register("construct_homepage_summary_items", order=1000)
def no_counters(request: HttpRequest, items: list[Any]) -> None:
    """The desk shows news, not how many of what there are."""
    items.clear()


NOT_FOR_THE_PRESS = ("images", "documents", "help")
KEPT_REPORTS = ("site-history", "locked-pages")


@hooks.register("construct_main_menu")
def only_what_leads_somewhere(request: HttpRequest, items: list[Any]) -> None:
    """News have no pictures or files yet, and Wagtail's help leads to another site."""
    items[:] = [item for item in items if item.name not in NOT_FOR_THE_PRESS]


@hooks.register("construct_reports_menu")
def only_two_reports(request: HttpRequest, items: list[Any]) -> None:
    """Who changed what, and what is locked."""
    items[:] = [item for item in items if item.name in KEPT_REPORTS]


@hooks.register("insert_global_admin_js")
def newsroom_script() -> str:
    return format_html('<script src="{}"></script>', static("newsroom/newsroom.js"))


@hooks.register("insert_global_admin_css")
def newsroom_look() -> str:
    return format_html('<link rel="stylesheet" href="{}">', static("newsroom/newsroom.css"))
