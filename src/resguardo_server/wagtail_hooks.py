"""The newsroom: the claim in a sentence, the list of claims, what may be published, a desk without clutter.

A claim is chosen from a list, stands in its sentence as a chip that is deleted whole or not at all, and is
stored as its id: no digit of a figure is in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import babel
import wagtail.admin.rich_text.editors.draftail.features as draftail_features
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from draftjs_exporter.dom import DOM
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminModelForm, WagtailAdminPageForm
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.panels import FieldPanel, HelpPanel, ObjectList, TabbedInterface
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter
from wagtail.admin.rich_text.converters.html_to_contentstate import (
    KEEP_WHITESPACE,
    InlineEntityElementHandler,
)
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.views.generic.chooser import ChooseResultsView, ChooseView, ChosenView
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.rich_text import EmbedHandler

from resguardo.plan.languages import explain, in_language, say
from resguardo.tell.wording import at_sentence_start
from resguardo.values import Refused
from resguardo_server.actions.plan import all_programmes, indicator_named
from resguardo_server.actions.tell.checking import check_claims
from resguardo_server.actions.tell.listing import countries_said, front_of
from resguardo_server.actions.tell.showing import NEWS_LANGUAGES
from resguardo_server.models import Claim, NewsFront, Release
from resguardo_server.pages.tell import show_before_publication


def _language() -> str:
    return get_language() or "es"


def _said(key: str, **facts: object) -> str:
    return say(f"server.newsroom.{key}", _language(), **facts)


_lazily = lazy(_said, str)


# The claim in a sentence


class ClaimMarkInText(EmbedHandler):  # type: ignore[misc]
    """A claim's mark in stored text, shown as its words; Wagtail finds by it where a claim is used."""

    identifier = "claim"

    @staticmethod
    def get_model() -> type[Claim]:
        return Claim

    @classmethod
    def expand_db_attributes(cls, attrs: dict[str, str]) -> str:
        claim = Claim.objects.filter(pk=attrs["id"]).first()
        return format_html("{}", claim.wording(_language())) if claim else ""

    @classmethod
    def extract_references(cls, attrs: dict[str, str]) -> Any:
        yield cls.get_model(), attrs["id"], "", ""


class ClaimFromText(InlineEntityElementHandler):  # type: ignore[misc]
    """From stored text to the editor: an empty element there, a chip with the claim's words here."""

    mutability = "IMMUTABLE"

    def get_attribute_data(self, attrs: dict[str, str]) -> dict[str, Any]:
        claim = Claim.objects.filter(pk=attrs["id"]).first()
        if claim is None:
            gone = f"[{say('server.news.gone', _language())}]"
            return {"id": attrs["id"], "title": gone, "sentence": "", "holds": False}
        return chip_of(claim, _language())

    def handle_endtag(self, name: str, state: Any, contentstate: Any) -> None:
        entity = contentstate.entity_map[state.current_entity_ranges[-1].key]
        state.current_block.text += entity.data["title"]
        state.leading_whitespace = KEEP_WHITESPACE
        super().handle_endtag(name, state, contentstate)


def chip_of(claim: Claim, language: str) -> dict[str, Any]:
    """What the editor knows of a claim: its words, why it holds or not, and whether it does."""
    return {
        "id": str(claim.pk),
        "title": claim.wording(language),
        "sentence": _sentence(claim),
        "holds": claim.holds_today,
    }


def language_in(code: str, language: str) -> str:
    """The name of a language, as a sentence in `language` says it."""
    return str(babel.Locale(language).languages[code])


def _sentence(claim: Claim) -> str:
    return claim.sentences.get(_language()) or say("server.news.not_checked", _language())


def claim_to_text(props: dict[str, Any]) -> Any:
    """From the editor to stored text: the id alone. A chip that lost its id, by a paste, is plain words."""
    number = str(props.get("id", ""))
    return (
        DOM.create_element("embed", {"embedtype": "claim", "id": number})
        if number.isdecimal()
        else props["children"]
    )


class ClaimsSpokenIn(ContentstateConverter):  # type: ignore[misc]
    """The editor's text with the claims in the language of the page, whatever the desk speaks."""

    def __init__(self, features: list[str], language: str) -> None:
        super().__init__(features)
        self.language = language

    def from_database_format(self, html: str) -> str:
        with override(self.language):
            return str(super().from_database_format(html))


@hooks.register("register_rich_text_features")
def register_claim_feature(features: Any) -> None:
    features.register_editor_plugin(
        "draftail",
        "claim",
        draftail_features.EntityFeature(
            {
                "type": "CLAIM",
                "icon": "check",
                "description": _("Checked claim"),
                "chooserUrls": {"claimChooser": reverse_lazy("claim_chooser:choose")},
                "attributes": ["id", "title", "sentence", "holds"],
                "allowlist": {"id": r"^\d+$"},
            },
            js=["wagtailadmin/js/chooser-modal.js", "newsroom/claim.js"],
        ),
    )
    features.register_converter_rule(
        "contentstate",
        "claim",
        {
            "from_database_format": {'embed[embedtype="claim"]': ClaimFromText("CLAIM")},
            "to_database_format": {"entity_decorators": {"CLAIM": claim_to_text}},
        },
    )
    features.register_embed_type(ClaimMarkInText)


# Choosing a claim


class ClaimFilter(BaseFilterForm):  # type: ignore[misc]
    """Claims by a word of their name, their wording or their recipe."""

    q = forms.CharField(
        label=_lazily("search"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _lazily("search")}),
    )

    def filter(self, objects: Any) -> Any:
        found = super().filter(objects)
        words = self.cleaned_data.get("q")
        if words:
            self.is_searching, self.search_query = True, words
            found = found.filter(definition__icontains=words)
        return found


class _ClaimsToChoose:
    """The list in the editor: what each claim says in the page's language, and whether it holds."""

    filter_form_class = ClaimFilter

    @property
    def columns(self) -> list[Any]:
        self_: Any = self
        language = self_.request.GET.get("language", _language())
        return [
            TitleColumn(
                "wording",
                label=_said("wording"),
                accessor=lambda claim: claim.wording(language),
                get_url=lambda claim: self_.append_preserved_url_parameters(
                    reverse(self_.chosen_url_name, args=[claim.pk])
                ),
                link_attrs={"data-chooser-modal-choice": True},
            ),
            verdict_column(),
            Column("sentence", label=_said("sentence"), accessor=_sentence),
            Column("slug", label=_said("name")),
        ]


class ChooseClaim(_ClaimsToChoose, ChooseView):  # type: ignore[misc]
    """The list of claims in its window."""


class ChooseClaimResults(_ClaimsToChoose, ChooseResultsView):  # type: ignore[misc]
    """The list alone, while somebody searches."""


class ChosenClaim(ChosenView):  # type: ignore[misc]
    """The chosen claim, as its chip needs it."""

    def get_chosen_response_data(self, item: Claim) -> dict[str, Any]:
        return chip_of(item, self.request.GET.get("language", _language()))


def verdict_column() -> Any:
    """A claim's verdict in words."""
    return StatusTagColumn(
        "verdict",
        label=_lazily("verdict"),
        accessor=lambda claim: say(f"server.news.{claim.verdict}", _language()),
        primary=lambda claim: claim.holds_today,
    )


class ClaimChooser(ChooserViewSet):  # type: ignore[misc]
    """The list of claims from which an editor chooses."""

    model = Claim
    icon = "check"
    choose_one_text = _("Choose a checked claim")
    choose_another_text = _("Choose another claim")
    choose_view_class = ChooseClaim
    choose_results_view_class = ChooseClaimResults
    chosen_view_class = ChosenClaim
    preserve_url_parameters = ("multiple", "language")
    per_page = 20


# The claims themselves


class ClaimForm(WagtailAdminModelForm):  # type: ignore[misc]
    """A claim's definition. What is saved is checked at once: no verdict outlives the words it was about."""

    class Meta:
        fields = ("definition",)

    def clean_definition(self) -> str:
        text: str = self.cleaned_data["definition"]
        try:
            claim = Claim(definition=text).as_value()
        except Refused:
            return text  # the model says why
        try:
            indicator_named(claim.recipe.indicator)
        except Refused as refused:
            raise forms.ValidationError(
                [explain(problem, _language()) for problem in refused.problems]
            ) from None
        return text

    def save(self, commit: bool = True) -> Claim:
        claim: Claim = super().save(commit=commit)
        if commit:
            check_claims([claim], now=timezone.now())
        return claim


class _TellsVerdict:
    """After saving, the verdict; good news and bad news do not look alike."""

    def get_success_message(self, instance: Claim | None = None) -> str | None:
        view: Any = self
        claim = instance or view.object
        said = _said("checked", wording=claim.wording(_language()), sentence=_sentence(claim))
        if claim.holds_today:
            return said
        messages.warning(view.request, said)
        return None


class MakeClaim(_TellsVerdict, CreateView):  # type: ignore[misc]
    """A new claim."""


class EditClaim(_TellsVerdict, EditView):  # type: ignore[misc]
    """A claim's definition, its verdict above it."""


class VerdictPanel(HelpPanel):  # type: ignore[misc]
    """What the records said when the claim was last checked."""

    class BoundPanel(HelpPanel.BoundPanel):  # type: ignore[misc]
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.template_name = "wagtailadmin/claims/verdict.html"

        @property
        def said(self) -> str:
            claim: Claim = self.instance
            return _said("checked", wording=claim.wording(_language()), sentence=_sentence(claim))


class ClaimViews(ModelViewSet):  # type: ignore[misc]
    """The claims of the newsroom: their definition and their verdict."""

    model = Claim
    icon = "check"
    menu_label = _("Claims")
    menu_name = "claims"
    add_to_admin_menu = True
    add_view_class = MakeClaim
    edit_view_class = EditClaim
    list_display = (
        "__str__",
        verdict_column(),
        Column("sentence", label=_lazily("sentence"), accessor=_sentence),
    )
    list_filter = ("holds_today",)
    search_fields = ("slug", "definition")
    edit_handler = ObjectList(
        [
            VerdictPanel(),
            FieldPanel(
                "definition",
                widget=forms.Textarea(attrs={"class": "claim-definition", "rows": 18, "spellcheck": "false"}),
                help_text=_lazily("definition_help"),
            ),
        ],
        base_form_class=ClaimForm,
    )
    copy_view_enabled = False


@hooks.register("register_admin_viewset")
def register_claims() -> list[Any]:
    return [ClaimChooser("claim_chooser", url_prefix="claim-chooser"), ClaimViews("claims")]


# The form of an item


class ReleaseForm(WagtailAdminPageForm):  # type: ignore[misc]
    """A news item: its claims spoken in its own language, its countries and programme taken from them."""

    def __init__(self, *words: Any, **settings: Any) -> None:
        super().__init__(*words, **settings)
        language = self.instance.locale.language_code
        for name in ("headline", "summary"):
            widget = self.fields[name].widget
            widget.converter = ClaimsSpokenIn(widget.features, language)
            widget.options = widget.options | {
                "placeholder": _said("text_hint"),
                "multiline": name != "headline",
            }
        programmes = [
            (programme.name, in_language(programme.title, _language())) for programme in all_programmes()
        ]
        self.fields["programme"].widget = forms.Select(choices=[("", _said("no_programme")), *programmes])
        for name in ("programme", "dateline", "slug"):
            self.fields[name].help_text = _said(f"{name}_help")
        self.fields["slug"].required = False

    def save(self, commit: bool = True) -> Release:
        page: Release = self.instance
        if page.pk is None:
            page.live = False  # public by publishing alone, never by being made
        numbers = page.claim_numbers()
        rows = {row.pk: row for row in Claim.objects.filter(pk__in=numbers)}
        said = [rows[number] for number in numbers if number in rows]
        page.countries = countries_said(said)
        page.programme = page.programme or (said[0].as_value().recipe.programme if said else "")
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
                FieldPanel("slug", heading=_lazily("address")),
            ],
            heading=_lazily("item"),
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
    refusals = page.refusals(_language()) if isinstance(page, Release) else []
    if not refusals:
        return None
    for sentence in (_said("kept"), *refusals):
        messages.error(request, at_sentence_start(sentence))
    return redirect(reverse("wagtailadmin_pages:edit", args=[page.pk]))


def _first_that_stops(pages: Iterable[Any]) -> Release | None:
    """The first news item, of the pages and those under them, whose newest text cannot be published."""
    for page in pages:
        for release in Release.objects.descendant_of(page, inclusive=True):
            newest: Release = release.get_latest_revision_as_object()
            if newest.refusals(_language()):
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
    messages.error(request, _said("kept_many", headline=stopped.plain_headline()))
    return _back(request)


@hooks.register("before_copy_page")
def refuse_false_copies(request: HttpRequest, page: Any) -> HttpResponse | None:
    """What could not be published is not published as a copy."""
    if request.method != "POST" or not (request.POST.get("publish_copies") or request.POST.get("alias")):
        return None
    stopped = _first_that_stops([page])
    if stopped is None:
        return None
    messages.error(request, _said("not_copied", headline=stopped.plain_headline()))
    return redirect(reverse("wagtailadmin_pages:copy", args=[page.pk]))


# The desk


class LatestNews(Component):  # type: ignore[misc]
    """The newest items, each with where it stands: what a press officer opens the newsroom for."""

    name = "latest_news"
    order = 50
    template_name = "wagtailadmin/home/latest_news.html"
    number = 8

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        newest = Release.objects.select_related("locale").order_by("-day", "-pk")[: self.number]
        return {
            "words": {key: _said(key) for key in ("latest", "empty")},
            "fronts": [shown for language in NEWS_LANGUAGES if (shown := self._front(language))],
            "items": [self._item(page) for page in newest],
        }

    def _front(self, language: str) -> dict[str, str] | None:
        front = front_of(language)
        if front is None:
            return None
        name = language_in(language, _language())
        return {
            "write": reverse("wagtailadmin_pages:add", args=["resguardo_server", "release", front.pk]),
            "write_words": _said("write", language=name),
            "address": reverse("wagtailadmin_explore", args=[front.pk]),
            "all_words": _said("all", language=name),
        }

    def _item(self, page: Release) -> dict[str, Any]:
        newest: Release = page.get_latest_revision_as_object()
        refusals = newest.refusals(_language())
        public = "changed" if page.has_unpublished_changes else "public"
        return {
            "page": page,
            "is_public": page.live,
            "headline": newest.plain_headline(),
            "state": _said(public if page.live else "draft"),
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
