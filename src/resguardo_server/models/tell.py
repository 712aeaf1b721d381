"""The newsroom's tables: the front page, the releases, and the claims that their sentences point to."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import strip_tags
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from wagtail.fields import RichTextField
from wagtail.models import Page
from wagtail.search import index

from resguardo.plan.languages import explain, say
from resguardo.tell import claim as tell
from resguardo.tell.claims_file import read_claims
from resguardo.tell.listing import ClaimMark, Parts, typed_figures
from resguardo.tell.wording import at_sentence_start
from resguardo.values import Problem, Refused

CLAIM_MARK = re.compile(r'<embed\b(?=[^>]*\bembedtype="claim")[^>]*\bid="(\d+)"[^>]*/?>')
_BLOCK_END = re.compile(r"</(?:p|h\d|li)>|<br\s*/?>")


class Claim(models.Model):
    """One thing that releases say, how it is counted, and what the records said when it was last checked."""

    holds = "protected figures as published"

    slug = models.SlugField(_("name"), max_length=120, unique=True)
    definition = models.TextField(_("definition"))
    """The claim as the claims file writes it: one ``[[claim]]`` of TOML (docs/claims.md)."""
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

    def clean(self) -> None:
        """The definition can be read, and keeps the name that may be cited; a new one takes its own."""
        language = get_language() or "es"
        try:
            claim = self.as_value()
        except Refused as refused:
            raise ValidationError(
                {"definition": [explain(problem, language) for problem in refused.problems]}
            ) from None
        if not self.slug:
            self.slug = claim.id
        if claim.id != self.slug:
            raise ValidationError({"definition": say("server.newsroom.renamed", language, name=self.slug)})
        if Claim.objects.filter(slug=self.slug).exclude(pk=self.pk).exists():
            raise ValidationError({"definition": say("server.newsroom.name_taken", language, name=self.slug)})

    def as_value(self) -> tell.Claim:
        """The claim as the rules see it; raises `Refused` when its definition cannot be read."""
        claims = read_claims(self.definition, file=f"{self.slug or 'claim'}.toml")
        if len(claims) != 1:
            raise Refused(Problem("server.newsroom.one_claim"))
        return claims[0]

    def wording(self, language: str) -> str:
        """The words of the claim as its release shows them."""
        words: dict[str, str] = self.voucher.get("wording", {})
        return words.get(language) or words.get("es") or self.slug


def with_claims(html: str, language: str, show: Callable[[Claim, str], str]) -> str:
    """The text with each claim's mark replaced by what `show` makes of the claim and its words.

    The words begin with a capital where the sentence does. A deleted claim leaves a gap that says so.
    """
    claims = {claim.pk: claim for claim in Claim.objects.filter(pk__in=set(CLAIM_MARK.findall(html)))}

    def put(found: re.Match[str]) -> str:
        claim = claims.get(int(found[1]))
        if claim is None:
            return f"[{say('server.news.gone', language)}]"
        wording = claim.wording(language)
        before = strip_tags(_BLOCK_END.split(html[: found.start()])[-1]).rstrip()
        if not before or before.endswith((".", "?", "!", "…")):
            wording = at_sentence_start(wording)
        return show(claim, wording)

    return CLAIM_MARK.sub(put, html)


def _public_address(
    page: Page, path: str, parts: tuple[int, str | None, str | None] | None
) -> tuple[int, str, str] | None:
    """Site, host and path of a page: the pages are served by our own addresses, not by Wagtail's."""
    if parts is None:
        return None
    return parts[0], parts[1] or settings.ADDRESS, f"/{page.locale.language_code}/news/{path}"


class NewsFront(Page):
    """The front page of the news in one language."""

    holds = "nothing about people"

    parent_page_types: ClassVar = ["wagtailcore.Page"]
    subpage_types: ClassVar = ["resguardo_server.Release"]

    class Meta:
        verbose_name = _("news")

    def get_url_parts(self, request: Any = None) -> tuple[int, str, str] | None:
        """The address of the listing in its language."""
        return _public_address(self, "", super().get_url_parts(request))


class Release(Page):
    """One news item: a day, a headline, a summary. Its figures are claims; none is typed."""

    holds = "published text"

    day = models.DateField(_("date"))
    dateline = models.DateField(_("dateline"), null=True, blank=True)
    programme = models.SlugField(_("programme"), blank=True)
    countries = models.JSONField(_("countries"), default=list, blank=True)
    headline = RichTextField(_("headline"), features=["claim"])
    summary = RichTextField(_("summary"), features=["claim", "bold", "italic", "link"])

    parent_page_types: ClassVar = ["resguardo_server.NewsFront"]
    subpage_types: ClassVar[list[str]] = []
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
        return " ".join(strip_tags(_BLOCK_END.sub(" ", text)) for text in (self.title, self.summary))

    def claim_numbers(self) -> list[int]:
        """The claims that the text points to, in the order in which a reader meets them."""
        found = CLAIM_MARK.findall(f"{self.headline} {self.summary}")
        return list(dict.fromkeys(int(number) for number in found))

    def paragraphs(self) -> list[Parts]:
        """Headline and summary as the rules read them: text and claim marks, paragraph by paragraph."""
        found: list[Parts] = []
        for html in (self.headline, self.summary):
            for block in _BLOCK_END.split(html):
                pieces = CLAIM_MARK.split(block)
                parts = tuple(
                    ClaimMark(piece, piece) if place % 2 else unescape(strip_tags(piece))
                    for place, piece in enumerate(pieces)
                )
                if any(part if isinstance(part, str) else True for part in parts):
                    found.append(parts)
        return found

    def refusals(self, language: str) -> list[str]:
        """Why the item cannot be published, in words; empty when it can."""
        reasons = []
        numbers = self.claim_numbers()
        claims = {claim.pk: claim for claim in Claim.objects.filter(pk__in=numbers)}
        for number in numbers:
            claim = claims.get(number)
            if claim is None:
                reasons.append(say("server.news.unknown_claim", language, claim=number))
            elif not claim.holds_today:
                wording = claim.wording(self.locale.language_code)
                sentence = claim.sentences.get(language) or say("server.news.not_checked", language)
                reasons.append(f"«{wording}»: {sentence}")
        for parts in self.paragraphs():
            reasons += [
                say("server.news.typed", language, text=figure.text)
                for figure in typed_figures(parts, self.locale.language_code)
            ]
        return reasons

    def publish(self, revision: Any, *words: Any, **settings: Any) -> Any:
        """The item is public. Refused while a claim fails or a figure is typed: there is no way around."""
        refusals = revision.as_object().refusals(get_language() or "es")
        if refusals:
            raise ValidationError(refusals)
        return super().publish(revision, *words, **settings)

    def full_clean(self, *words: Any, **settings: Any) -> None:
        """The title, which lists and feeds use, is the headline without marks."""
        self.title: str = self.plain_headline()[:255] or str(self.title)
        super().full_clean(*words, **settings)

    def plain_headline(self) -> str:
        """The headline as text, its claims in their own words."""
        language = self.locale.language_code if self.locale_id else "es"
        return unescape(strip_tags(with_claims(self.headline, language, lambda _, wording: wording))).strip()

    def get_url_parts(self, request: Any = None) -> tuple[int, str, str] | None:
        """The address by language, day and slug."""
        return _public_address(self, f"{self.day:%Y/%m/%d}/{self.slug}/", super().get_url_parts(request))
