"""The newsroom's tables: the front page, the releases, and the claims that their sentences point to."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

CLAIM_MARK = re.compile(r'<embed\b[^>]*\bembedtype="claim"[^>]*\bid="(\d+)"[^>]*/?>')


class Claim(models.Model):
    """One thing that releases say, how it is counted, and what the records said when it was last checked."""

    holds = "protected figures as published"

    slug = models.SlugField(_("name"), max_length=120, unique=True)
    definition = models.JSONField()
    """The claim as the claims file writes it (docs/claims.md)."""
    verdict = models.CharField(max_length=20, default="not_computable")
    """true, false, not_computable or would_expose."""
    holds_today = models.BooleanField(default=False)
    """Whether it is true and no note stops it."""
    sentences = models.JSONField(default=dict)
    """The verdict in words, per language."""
    voucher = models.JSONField(default=dict)
    """What the public may see of how it was counted: rows, published table, digest. No protected value."""
    checked_on = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["slug"]
        verbose_name = _("claim")
        verbose_name_plural = _("claims")

    def __str__(self) -> str:
        return f"{self.wording('es')} · {self.slug}"

    def wording(self, language: str) -> str:
        """The words of the claim as its release shows them."""
        words: dict[str, str] = self.voucher.get("wording", {})
        return words.get(language) or words.get("es") or self.slug


class NewsFront(Page):
    """The front page of the news in one language."""

    holds = "nothing about people"

    parent_page_types: ClassVar = ["wagtailcore.Page"]
    subpage_types: ClassVar = ["resguardo_server.Release"]

    class Meta:
        verbose_name = _("news")


class Release(Page):
    """One news item: a day, a headline, a summary. Its figures are claims; none is typed."""

    holds = "published text"

    day = models.DateField(_("date"))
    dateline = models.DateField(_("dateline"), null=True, blank=True)
    programme = models.SlugField(_("programme"))
    countries = models.JSONField(_("countries"), default=list)
    headline = RichTextField(_("headline"), features=["claim"])
    summary = RichTextField(_("summary"), features=["claim", "bold", "italic", "link"])

    parent_page_types: ClassVar = ["resguardo_server.NewsFront"]
    subpage_types: ClassVar = []
    content_panels: ClassVar = [
        FieldPanel("day"),
        FieldPanel("headline"),
        FieldPanel("summary"),
        FieldPanel("programme"),
        FieldPanel("dateline"),
    ]
    search_fields: ClassVar = [
        *Page.search_fields,
        index.SearchField("searchable_text"),
        index.FilterField("day"),
        index.FilterField("programme"),
    ]

    class Meta:
        verbose_name = _("news item")
        verbose_name_plural = _("news items")
        indexes: ClassVar = [models.Index(fields=["day"])]

    def searchable_text(self) -> str:
        """Headline and summary without marks, for the search."""
        return " ".join(strip_tags(text) for text in (self.title, self.summary))

    def claim_numbers(self) -> list[int]:
        """The claims that the text points to, in the order in which a reader meets them."""
        found = CLAIM_MARK.findall(f"{self.headline} {self.summary}")
        return list(dict.fromkeys(int(number) for number in found))

    def publish(self, revision: Any, *words: Any, **settings: Any) -> Any:
        """The item is public. Refused while a claim fails or a figure is typed: there is no way around."""
        from resguardo_server.models.gate import publication_refusals

        refusals = publication_refusals(revision.as_object())
        if refusals:
            raise ValidationError(refusals)
        return super().publish(revision, *words, **settings)

    def get_url_parts(self, request: Any = None) -> tuple[int, str, str] | None:
        """The address by language, day and slug."""
        parts = super().get_url_parts(request)
        if parts is None:
            return None
        language = self.locale.language_code
        return parts[0], parts[1], f"/{language}/news/{self.day:%Y/%m/%d}/{self.slug}/"
