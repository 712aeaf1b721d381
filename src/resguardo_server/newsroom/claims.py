"""The claims: chosen from a list that says whether they hold, and checked as soon as they are saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.panels import FieldPanel, HelpPanel, ObjectList
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.views.generic.chooser import ChooseResultsView, ChooseView, ChosenView
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet

from resguardo.plan.languages import explain, say
from resguardo.values import Refused
from resguardo_server.actions.plan import indicator_named
from resguardo_server.actions.tell.checking import check_claims
from resguardo_server.models import Claim
from resguardo_server.newsroom.claim_in_text import chip_of, sentence_of
from resguardo_server.newsroom.words import desk_language, said, said_when_shown


class ClaimFilter(BaseFilterForm):  # type: ignore[misc]
    """Claims by a word of their name, their wording or their recipe."""

    q = forms.CharField(
        label=said_when_shown("search"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": said_when_shown("search")}),
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
        language = self_.request.GET.get("language", desk_language())
        return [
            TitleColumn(
                "wording",
                label=said("wording"),
                accessor=lambda claim: claim.wording(language),
                get_url=lambda claim: self_.append_preserved_url_parameters(
                    reverse(self_.chosen_url_name, args=[claim.pk])
                ),
                link_attrs={"data-chooser-modal-choice": True},
            ),
            verdict_column(),
            Column("sentence", label=said("sentence"), accessor=sentence_of),
            Column("slug", label=said("name")),
        ]


class ChooseClaim(_ClaimsToChoose, ChooseView):  # type: ignore[misc]
    """The list of claims in its window."""


class ChooseClaimResults(_ClaimsToChoose, ChooseResultsView):  # type: ignore[misc]
    """The list alone, while somebody searches."""


class ChosenClaim(ChosenView):  # type: ignore[misc]
    """The chosen claim, as its chip needs it."""

    def get_chosen_response_data(self, item: Claim) -> dict[str, Any]:
        return chip_of(item, self.request.GET.get("language", desk_language()))


def verdict_column() -> Any:
    """A claim's verdict in words."""
    return StatusTagColumn(
        "verdict",
        label=said_when_shown("verdict"),
        accessor=lambda claim: say(f"server.news.{claim.verdict}", desk_language()),
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
                [explain(problem, desk_language()) for problem in refused.problems]
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
        verdict = said("checked", wording=claim.wording(desk_language()), sentence=sentence_of(claim))
        if claim.holds_today:
            return verdict
        messages.warning(view.request, verdict)
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
            return said("checked", wording=claim.wording(desk_language()), sentence=sentence_of(claim))


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
        Column("sentence", label=said_when_shown("sentence"), accessor=sentence_of),
    )
    list_filter = ("holds_today",)
    search_fields = ("slug", "definition")
    edit_handler = ObjectList(
        [
            VerdictPanel(),
            FieldPanel(
                "definition",
                widget=forms.Textarea(attrs={"class": "claim-definition", "rows": 18, "spellcheck": "false"}),
                help_text=said_when_shown("definition_help"),
            ),
        ],
        base_form_class=ClaimForm,
    )
    copy_view_enabled = False


@hooks.register("register_admin_viewset")
def register_claims() -> list[Any]:
    return [ClaimChooser("claim_chooser", url_prefix="claim-chooser"), ClaimViews("claims")]
