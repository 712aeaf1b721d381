"""The claim in a sentence: chosen from a list, shown as a chip that cannot be edited, stored as its id."""

from __future__ import annotations

from typing import Any

import wagtail.admin.rich_text.editors.draftail.features as draftail_features
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.html import escape, format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from draftjs_exporter.dom import DOM
from wagtail import hooks
from wagtail.admin.panels import FieldPanel
from wagtail.admin.rich_text.converters.html_to_contentstate import (
    AtomicBlockEntityElementHandler,  # noqa: F401
    InlineEntityElementHandler,
)
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.rich_text import EmbedHandler

from resguardo_server.models import Claim, Release


class ClaimMarkInText(EmbedHandler):  # type: ignore[misc]
    """A claim's mark in stored text, shown as its words."""

    identifier = "claim"

    @staticmethod
    def get_model() -> type[Claim]:
        return Claim

    @classmethod
    def expand_db_attributes(cls, attrs: dict[str, str]) -> str:
        claim = Claim.objects.filter(pk=attrs["id"]).first()
        if claim is None:
            return ""
        return format_html('<a class="thread" href="#">{}</a>', claim.wording(get_language() or "es"))

    @classmethod
    def extract_references(cls, attrs: dict[str, str]) -> Any:
        yield cls.get_model(), attrs["id"], "", ""


class ClaimFromText(InlineEntityElementHandler):  # type: ignore[misc]
    """From stored text to the editor: the chip knows the claim's words and verdict."""

    mutability = "IMMUTABLE"

    def get_attribute_data(self, attrs: dict[str, str]) -> dict[str, Any]:
        claim = Claim.objects.filter(pk=attrs["id"]).first()
        return {
            "id": attrs["id"],
            "title": claim.wording(get_language() or "es") if claim else "?",
            "holds": bool(claim and claim.holds_today),
        }


class ClaimFromEditorText(ClaimFromText):
    """An empty element carries no text of its own: the claim's words stand in the editor in its place."""

    def handle_endtag(self, name: str, state: Any, contentstate: Any) -> None:
        entity_range = state.current_entity_ranges[-1]
        entity = contentstate.entity_map[entity_range.key]
        state.current_block.text += entity.data["title"]
        super().handle_endtag(name, state, contentstate)


def claim_to_text(props: dict[str, Any]) -> Any:
    """From the editor to stored text: the id alone."""
    return DOM.create_element("embed", {"embedtype": "claim", "id": props["id"]})


class ClaimChooser(ChooserViewSet):  # type: ignore[misc]
    """The list of claims from which an editor chooses."""

    model = Claim
    icon = "check"
    choose_one_text = _("Choose a checked claim")
    choose_another_text = _("Choose another claim")
    per_page = 20


class ClaimViews(ModelViewSet):  # type: ignore[misc]
    """The claims of the newsroom: their definition and their verdict."""

    model = Claim
    icon = "check"
    menu_label = _("Claims")
    menu_name = "claims"
    add_to_admin_menu = True
    list_display = ("slug", "verdict", "holds_today", "checked_on")
    list_filter = ("verdict", "holds_today")
    search_fields = ("slug", "definition")
    panels = (FieldPanel("slug"), FieldPanel("definition"))
    copy_view_enabled = False
    inspect_view_enabled = True


claim_chooser = ClaimChooser("claim_chooser", url_prefix="claim-chooser")


@hooks.register("register_admin_viewset")
def register_claims() -> list[Any]:
    return [claim_chooser, ClaimViews("claims")]


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
            },
            js=["wagtailadmin/js/chooser-modal.js", "newsroom/claim.js"],
        ),
    )
    features.register_converter_rule(
        "contentstate",
        "claim",
        {
            "from_database_format": {'embed[embedtype="claim"]': ClaimFromEditorText("CLAIM")},
            "to_database_format": {"entity_decorators": {"CLAIM": claim_to_text}},
        },
    )
    features.register_embed_type(ClaimMarkInText)


@hooks.register("insert_global_admin_js")
def newsroom_script() -> str:
    return format_html('<script src="{}"></script>', static("newsroom/newsroom.js"))


@hooks.register("before_publish_page")
def refuse_false_items(request: HttpRequest, page: Any) -> HttpResponse | None:
    """An item with a claim that fails stays a draft, and the editor is told which and why."""
    if not isinstance(page, Release):
        return None
    refusals = page.refusals(get_language() or "es")
    if not refusals:
        return None
    page.save_revision(user=request.user)
    for refusal in refusals:
        messages.error(request, escape(refusal))
    return redirect(reverse("wagtailadmin_pages:edit", args=[page.pk]))
