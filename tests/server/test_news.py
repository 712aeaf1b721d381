"""A news item says what the records say on the day it is published, or it is not published."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override
from tests.people import NOW, PURPOSE, ROSA, House, bring, record_about, table
from tests.rules.collect.sheets import write_csv

from resguardo.plan.languages import explain
from resguardo.tell.listing import ClaimMark, plain, read_listing
from resguardo.values import Refused
from resguardo_server.actions.allow import correct_record, erase_record
from resguardo_server.actions.tell import (
    CheckedItem,
    Imported,
    check_news,
    import_claims,
    import_listing,
    publish_checked,
)
from resguardo_server.actions.tell.newsroom import prepare_newsroom
from resguardo_server.models import Claim, NewsFront, Release

GUATEMALA, HONDURAS = 20, 20

CLAIMS = """
[[claim]]
id = "enrolled-total"
kind = "exact"
number = 40
indicator = "training.people_enrolled"
by = ["country"]
coverage.es = "Inscripciones de 2026"
coverage.en = "Enrolments of 2026"
wording.es = "{number}"
wording.en = "{number}"

[[claim]]
id = "enrolled-countries"
kind = "countries_are"
countries = ["GT", "HN"]
indicator = "training.people_enrolled"
by = ["country"]
coverage.es = "Inscripciones de 2026"
coverage.en = "Enrolments of 2026"
wording.es = "{countries}"
wording.en = "{countries}"
"""

SPANISH = """
3 de marzo de 2026

Comienza el curso sobre cómo se cuenta la migración

Se inscribieron [40](claim:enrolled-total) personas de [Guatemala y Honduras](claim:enrolled-countries).

Las   clases son en línea,
y «abiertas» a quien quiera & pueda: < una tarde > por semana.
"""

ENGLISH = """
3 March 2026

The course on reporting about migration begins

[40](claim:enrolled-total) people of [Guatemala and Honduras](claim:enrolled-countries) enrolled.

Classes are online and open to whoever can come.
"""


@pytest.fixture
def enrolled(house: House, tmp_path: Path) -> House:
    """Twenty people of each of two countries enrolled."""
    rows = [
        {**ROSA, "participant_code": f"C-{number:04d}", "country": "GT" if number < GUATEMALA else "HN"}
        for number in range(GUATEMALA + HONDURAS)
    ]
    outcome = bring(house.ana, write_csv(tmp_path / "rows.csv", table(*rows)))
    assert outcome.kept == GUATEMALA + HONDURAS, outcome.problems
    prepare_newsroom()
    return house


def bring_news(text: str, name: str = "noticias.txt") -> Imported:
    """The listing is imported, as the command line does it."""
    return import_listing(read_listing(text, file=name), file=name, now=NOW)


def bring_claims(text: str = CLAIMS) -> int:
    """The claims are imported."""
    return import_claims(text, file="claims.toml", now=NOW)


@pytest.fixture
def draft(enrolled: House) -> Release:
    """The item, in Spanish, with its claims, checked by nobody yet."""
    bring_claims()
    bring_news(SPANISH)
    return Release.objects.get()


def checked(language: str = "es") -> CheckedItem:
    """The only item, checked now."""
    (item,) = check_news(language=language, now=NOW)
    return item


def publish_directly(release: Release) -> None:
    """Publishing as Wagtail does it, without our command."""
    page = Release.objects.get(pk=release.pk)
    page.save_revision().publish()


def words_of(text: str) -> Counter[str]:
    """The words of a text, marks as a reader sees them."""
    shown = re.sub(r"\[([^][]+)\]\(claim:[^)]+\)", r"\1", text)
    return Counter(shown.split())


def stored_words(release: Release) -> Counter[str]:
    """The words of what the newsroom stored, each claim in its own words."""
    claims = {str(claim.pk): claim for claim in Claim.objects.all()}
    language = release.locale.language_code
    words: list[str] = []
    for parts in release.paragraphs():
        shown = "".join(
            claims[part.claim].wording(language) if isinstance(part, ClaimMark) else part for part in parts
        )
        words += shown.split()
    return Counter(words)


# Importing


def test_a_listing_becomes_drafts_that_lose_no_word(enrolled: House) -> None:
    bring_claims()
    assert bring_news(SPANISH) == Imported(new=1, changed=0, same=0)
    release = Release.objects.get()
    assert not release.live
    assert (release.day.isoformat(), release.programme) == ("2026-03-03", "training")
    assert sorted(release.countries) == ["GT", "HN"]
    assert words_of(SPANISH) - stored_words(release) == Counter(["3", "de", "marzo", "de", "2026"])
    assert not stored_words(release) - words_of(SPANISH)


def test_the_text_stores_of_a_claim_its_number_alone(draft: Release) -> None:
    stored = draft.headline + draft.summary
    assert not re.search(r"\d", re.sub(r'\bid="\d+"', "", stored))
    assert "enrolled" not in stored
    assert len(draft.claim_numbers()) == 2


def test_the_same_listing_twice_adds_nothing_and_a_mended_one_changes_its_item(draft: Release) -> None:
    assert bring_news(SPANISH) == Imported(new=0, changed=0, same=1)
    assert bring_claims() == 2
    revisions = draft.revisions.count()
    assert bring_news(SPANISH.replace("en línea", "por la tarde")) == Imported(new=0, changed=1, same=0)
    assert (Release.objects.count(), Claim.objects.count()) == (1, 2)
    assert Release.objects.get().revisions.count() == revisions + 1


def test_spanish_and_english_are_one_item(draft: Release) -> None:
    assert bring_news(ENGLISH, "news.txt").new == 1
    spanish, english = Release.objects.order_by("-locale__language_code")
    assert (spanish.locale.language_code, english.locale.language_code) == ("es", "en")
    assert spanish.translation_key == english.translation_key
    assert spanish.get_parent().specific != english.get_parent().specific
    assert {type(page.get_parent().specific) for page in (spanish, english)} == {NewsFront}


def test_a_mark_without_its_claim_is_refused_with_its_line_and_nothing_is_kept(enrolled: House) -> None:
    with pytest.raises(Refused) as refused:
        bring_news(SPANISH)
    assert all(problem.file == "noticias.txt" for problem in refused.value.problems)
    assert "enrolled-total" in str(refused.value.problems)
    assert Release.objects.count() == 0


# Checking


def test_what_the_records_say_can_be_published(draft: Release) -> None:
    item = checked()
    assert (item.stops, item.refusals) == (False, ())
    assert [claim.verdict for claim in item.claims] == ["true", "true"]
    assert publish_checked(now=NOW) == (1, 0)
    assert Release.objects.get().live


@pytest.mark.parametrize(("language", "says"), [("es", "40"), ("en", "40")])
def test_a_figure_that_is_off_by_one_stops_the_item_and_says_what_the_records_say(
    draft: Release, language: str, says: str
) -> None:
    bring_claims(CLAIMS.replace("number = 40", "number = 41"))
    bring_news(SPANISH.replace("[40]", "[41]"))
    item = checked(language)
    assert item.stops
    (reason,) = item.refusals
    assert says in reason.replace("41", "")
    assert "41" in reason
    assert publish_checked(now=NOW) == (0, 1)
    assert not Release.objects.get().live


def test_a_figure_changed_in_the_text_alone_is_refused_with_its_line_and_what_the_claim_says(
    draft: Release,
) -> None:
    with pytest.raises(Refused) as refused:
        bring_news(SPANISH.replace("[40]", "[41]"))
    (problem,) = refused.value.problems
    sentence = explain(problem, "es")
    for words in ("noticias.txt", "línea 6", "«41»", "«40»"):
        assert words in sentence
    assert words_of(SPANISH)["40"] == stored_words(Release.objects.get())["40"] == 1


def test_an_item_whose_claims_nobody_checked_cannot_be_published_directly(draft: Release) -> None:
    with pytest.raises(ValidationError), override("es"):
        publish_directly(draft)
    assert not Release.objects.get().live


def test_an_item_with_a_figure_typed_by_hand_cannot_be_published_directly(draft: Release) -> None:
    bring_news(SPANISH.replace("una tarde", "3 tardes"))
    item = checked()
    (reason,) = item.refusals
    assert "3 tardes" in reason
    with pytest.raises(ValidationError) as refused:
        publish_directly(draft)
    assert "3 tardes" in str(refused.value)
    assert not Release.objects.get().live


def test_a_claim_that_was_deleted_leaves_a_gap_that_says_so(draft: Release) -> None:
    check_news(now=NOW)
    bring_news(SPANISH.replace("Comienza el curso", "Comienza el curso de [40](claim:enrolled-total)"))
    Claim.objects.get(slug="enrolled-total").delete()
    release = Release.objects.get().get_latest_revision_as_object()
    with override("es"):
        assert "[cifra retirada]" in release.plain_headline()
    assert checked().stops
    with pytest.raises(ValidationError):
        publish_directly(draft)


# Records that change


def country_of(house: House, code: str, country: str) -> None:
    """The record of that code is corrected: it counts under another country."""
    changes: Mapping[str, str] = {"country": country}
    correct_record(house.ana, record_about(house.ana, code).id, changes, PURPOSE, now=NOW)


def test_a_record_whose_country_is_corrected_makes_the_check_fail(enrolled: House, draft: Release) -> None:
    assert not checked().stops
    assert publish_checked(now=NOW) == (1, 0)
    country_of(enrolled, "C-0000", "MX")
    item = checked()
    assert item.stops
    verdicts = {claim.name: claim.verdict for claim in item.claims}
    assert verdicts["enrolled-countries"] in ("false", "would_expose", "not_computable")
    assert any("Guatemala y Honduras" in reason for reason in item.refusals)


def test_a_record_that_is_erased_counts_no_more_at_once(enrolled: House, draft: Release) -> None:
    erase_record(enrolled.bruno, record_about(enrolled.ana, "C-0001").id, now=NOW)
    item = checked()
    assert {claim.name: claim.verdict for claim in item.claims}["enrolled-total"] == "false"
    assert any("39" in reason for reason in item.refusals)


def test_an_item_that_held_stops_when_a_record_of_it_is_erased(enrolled: House, draft: Release) -> None:
    assert not checked().stops
    erase_record(enrolled.bruno, record_about(enrolled.ana, "C-0001").id, now=NOW)
    item = checked()
    # Beside the figure that was published, the new one would say that it was this person.
    assert {claim.name: claim.verdict for claim in item.claims}["enrolled-total"] == "would_expose"
    assert item.stops


def test_the_reason_is_a_sentence_of_the_reader(draft: Release) -> None:
    bring_claims(CLAIMS.replace('["GT", "HN"]', '["GT", "MX"]'))
    bring_news(SPANISH.replace("Guatemala y Honduras", "Guatemala y México"))
    spanish, english = checked("es"), checked("en")
    assert "Honduras" in spanish.refusals[0]
    assert spanish.refusals != english.refusals
    assert plain(read_listing(SPANISH, file="noticias.txt").items[0].headline) == spanish.headline
