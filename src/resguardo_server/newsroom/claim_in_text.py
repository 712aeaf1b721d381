"""The claim in a sentence: in the editor a chip, deleted whole or not at all; in stored text its id."""

from __future__ import annotations

from typing import Any

import wagtail.admin.rich_text.editors.draftail.features as draftail_features
from django.urls import reverse_lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from draftjs_exporter.dom import DOM
from wagtail import hooks
from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter
from wagtail.admin.rich_text.converters.html_to_contentstate import (
    KEEP_WHITESPACE,
    InlineEntityElementHandler,
)
from wagtail.rich_text import EmbedHandler

from resguardo.plan.languages import say
from resguardo_server.models import Claim
from resguardo_server.newsroom.words import desk_language


class ClaimMarkInText(EmbedHandler):  # type: ignore[misc]
    """A claim's mark in stored text, shown as its words; Wagtail finds by it where a claim is used."""

    identifier = "claim"

    @staticmethod
    def get_model() -> type[Claim]:
        return Claim

    @classmethod
    def expand_db_attributes(cls, attrs: dict[str, str]) -> str:
        claim = Claim.objects.filter(pk=attrs["id"]).first()
        return format_html("{}", claim.wording(desk_language())) if claim else ""

    @classmethod
    def extract_references(cls, attrs: dict[str, str]) -> Any:
        yield cls.get_model(), attrs["id"], "", ""


class ClaimFromText(InlineEntityElementHandler):  # type: ignore[misc]
    """From stored text to the editor: an empty element there, a chip with the claim's words here."""

    mutability = "IMMUTABLE"

    def get_attribute_data(self, attrs: dict[str, str]) -> dict[str, Any]:
        claim = Claim.objects.filter(pk=attrs["id"]).first()
        if claim is None:
            gone = f"[{say('server.news.gone', desk_language())}]"
            return {"id": attrs["id"], "title": gone, "sentence": "", "holds": False}
        return chip_of(claim, desk_language())

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
        "sentence": sentence_of(claim),
        "holds": claim.holds_today,
    }


def sentence_of(claim: Claim) -> str:
    return claim.sentences.get(desk_language()) or say("server.news.not_checked", desk_language())


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
