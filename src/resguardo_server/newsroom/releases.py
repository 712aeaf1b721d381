"""A news item in the newsroom: its form, its preview, and by no way out to the public while a claim fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import override
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.panels import FieldPanel, ObjectList, TabbedInterface

from resguardo.plan.languages import in_language
from resguardo.tell.wording import at_sentence_start
from resguardo_server.actions.plan import all_programmes
from resguardo_server.actions.tell.listing import countries_said
from resguardo_server.models import Claim, NewsFront, Release
from resguardo_server.newsroom.claim_in_text import ClaimsSpokenIn
from resguardo_server.newsroom.words import desk_language, said, said_when_shown
from resguardo_server.pages.tell import show_before_publication


class ReleaseForm(WagtailAdminPageForm):  # type: ignore[misc]
    """A news item: its claims spoken in its own language, its countries and programme taken from them."""

    def __init__(self, *words: Any, **settings: Any) -> None:
        super().__init__(*words, **settings)
        language = self.instance.locale.language_code
        for name in ("headline", "summary"):
            widget = self.fields[name].widget
            widget.converter = ClaimsSpokenIn(widget.features, language)
            widget.options = widget.options | {
                "placeholder": said("text_hint"),
                "ariaLabel": str(self.fields[name].label),
                "multiline": name != "headline",
            }
        programmes = [
            (programme.name, in_language(programme.title, desk_language())) for programme in all_programmes()
        ]
        self.fields["programme"].widget = forms.Select(choices=[("", said("no_programme")), *programmes])
        for name in ("programme", "dateline", "slug"):
            self.fields[name].help_text = said(f"{name}_help")
        self.fields["slug"].required = False

    def save(self, commit: bool = True) -> Release:
        page: Release = self.instance
        if page.pk is None:
            page.live = False  # public by publishing alone, never by being made
        numbers = page.claim_numbers()
        rows = {row.pk: row for row in Claim.objects.filter(pk__in=numbers)}
        claims = [rows[number] for number in numbers if number in rows]
        page.countries = countries_said(claims)
        page.programme = page.programme or (claims[0].as_value().recipe.programme if claims else "")
        saved: Release = super().save(commit=commit)
        return saved


def show_preview(page: Release, request: HttpRequest, mode: str) -> HttpResponse:
    """The item as the public would see it."""
    with override(page.locale.language_code):
        return show_before_publication(request, page)


# The model knows nothing of forms and pages: they are joined here.
Release.edit_handler = TabbedInterface(
    [
        ObjectList(
            [
                FieldPanel("day"),
                FieldPanel("headline"),
                FieldPanel("summary"),
                FieldPanel("programme"),
                FieldPanel("dateline"),
                FieldPanel("slug", heading=said_when_shown("address")),
            ],
            heading=said_when_shown("item"),
        )
    ],
    base_form_class=ReleaseForm,
)
Release.serve_preview = show_preview
NewsFront.preview_modes = []


# What may be published


@hooks.register("before_publish_page")
def refuse_false_items(request: HttpRequest, page: Any) -> HttpResponse | None:
    """An item with a claim that fails stays a draft, and the editor is told which and why."""
    refusals = page.refusals(desk_language()) if isinstance(page, Release) else []
    if not refusals:
        return None
    for sentence in (said("kept"), *refusals):
        messages.error(request, at_sentence_start(sentence))
    return redirect(reverse("wagtailadmin_pages:edit", args=[page.pk]))


def _first_that_stops(pages: Iterable[Any]) -> Release | None:
    """The first news item, of the pages and those under them, whose newest text cannot be published."""
    for page in pages:
        for release in Release.objects.descendant_of(page, inclusive=True):
            newest: Release = release.get_latest_revision_as_object()
            if newest.refusals(desk_language()):
                return newest
    return None


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    return redirect(wanted if safe else reverse("wagtailadmin_explore_root"))


@hooks.register("before_bulk_action")
def refuse_false_items_together(
    request: HttpRequest, action: str, objects: Iterable[Any], view: Any
) -> HttpResponse | None:
    """Several items are published together or none is."""
    if action != "publish" or request.method != "POST":
        return None
    stopped = _first_that_stops(page for page in objects if hasattr(page, "get_descendants"))
    if stopped is None:
        return None
    messages.error(request, said("kept_many", headline=stopped.plain_headline()))
    return _back(request)


@hooks.register("before_copy_page")
def refuse_false_copies(request: HttpRequest, page: Any) -> HttpResponse | None:
    """What could not be published is not published as a copy."""
    if request.method != "POST" or not (request.POST.get("publish_copies") or request.POST.get("alias")):
        return None
    stopped = _first_that_stops([page])
    if stopped is None:
        return None
    messages.error(request, said("not_copied", headline=stopped.plain_headline()))
    return redirect(reverse("wagtailadmin_pages:copy", args=[page.pk]))
