"""The rehearsal: its texts and claims fit together, and a seed tells one story."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from resguardo.plan.programme import built_in
from resguardo.tell.claims_file import read_claims
from resguardo.tell.listing import ClaimMark, Listing, plain, read_listing, typed_figures
from resguardo.tell.wording import same_words, wording_in
from resguardo_server.demo.filling import write_csv
from resguardo_server.demo.story import Sheet, Story

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT / "src"
NEWS = SOURCE / "resguardo_server" / "demo" / "news"
BESIDE = "data/seed_listing/listing.txt"
ENROLMENTS = ("training", "enrolment")
TODAY = date(2026, 11, 24)


@cache
def told(name: str) -> Listing:
    """One of our two listings."""
    return read_listing((NEWS / name).read_text(encoding="utf-8"), file=name)


@pytest.fixture(params=["noticias.txt", "news.txt"])
def listing(request: pytest.FixtureRequest) -> Listing:
    """Our news in Spanish, and in English."""
    return told(str(request.param))


@cache
def claims() -> dict[str, object]:
    """Our claims by name."""
    text = (NEWS / "claims.toml").read_text(encoding="utf-8")
    return {claim.id: claim for claim in read_claims(text, file="claims.toml")}


# The texts


def test_there_are_ten_items_in_each_language() -> None:
    assert (told("noticias.txt").language, told("news.txt").language) == ("es", "en")
    assert (len(told("noticias.txt").items), len(told("news.txt").items)) == (10, 10)


def test_both_languages_tell_the_same_days_with_the_same_claims() -> None:
    spanish, english = told("noticias.txt").items, told("news.txt").items
    assert [item.date for item in spanish] == [item.date for item in english]
    assert [sorted(item.claims) for item in spanish] == [sorted(item.claims) for item in english]


def test_every_mark_has_its_claim_and_every_claim_is_said(listing: Listing) -> None:
    assert {name for item in listing.items for name in item.claims} == set(claims())


def test_each_mark_says_what_its_claim_says(listing: Listing) -> None:
    for item in listing.items:
        for parts in (item.headline, *item.paragraphs):
            for part in parts:
                if isinstance(part, ClaimMark):
                    wording = wording_in(claims()[part.claim], listing.language)  # type: ignore[arg-type]
                    assert same_words(part.text, wording), (part, wording)


def test_no_figure_is_typed_by_hand(listing: Listing) -> None:
    typed = [
        figure.text
        for item in listing.items
        for parts in (item.headline, *item.paragraphs)
        for figure in typed_figures(parts, listing.language)
    ]
    assert typed == []


def test_every_claim_counts_an_indicator_of_a_programme_and_nothing_else() -> None:
    known = {f"{one.name}.{indicator.name}" for one in built_in() for indicator in one.indicators}
    assert {claim.recipe.indicator for claim in claims().values()} <= known  # type: ignore[attr-defined]


# The story


def story_of(seed: int) -> Iterator[Sheet]:
    """The files of answers that this seed tells."""
    return Story({one.name: one for one in built_in()}, seed, TODAY).sheets()


def digest_of(sheet: Sheet, folder: Path) -> str:
    """Who hands in which answers, in one figure."""
    path = folder / "sheet.csv"
    write_csv(path, sheet.form, sheet.rows)
    origin = f"{sheet.institution} {sheet.programme} {sheet.form.name} {sheet.style}"
    return hashlib.sha256(origin.encode() + path.read_bytes()).hexdigest()


def test_the_same_seed_tells_the_same_story_and_another_seed_another(tmp_path: Path) -> None:
    first, again, other = ([digest_of(sheet, tmp_path) for sheet in story_of(seed)] for seed in (7, 7, 8))
    assert first == again
    assert len(first) == len(other) > 20
    assert not set(first) & set(other)


def test_the_story_holds_every_programme_and_few_people_of_another_seed() -> None:
    names: list[set[str]] = []
    assert {sheet.programme for sheet in story_of(7)} == {one.name for one in built_in()}
    for seed in (7, 8):
        rows = [sheet for sheet in story_of(seed) if (sheet.programme, sheet.form.name) == ENROLMENTS]
        names.append({str(row.get("full_name")) for sheet in rows for row in sheet.rows})
    assert len(names[0]) > 100
    assert len(names[0] & names[1]) < len(names[0]) / 10


# The listing that the demo answers to


@pytest.fixture(scope="module")
def real_file() -> Path:
    """The listing as it was published; it does not come with the project."""
    found = next(iter(sorted(PROJECT.parent.glob(f"*/{BESIDE}"))), None)
    if found is None:
        pytest.skip(f"the published listing ({BESIDE}) is not beside this checkout")
    return found


@pytest.fixture(scope="module")
def real(real_file: Path) -> str:
    """Its text."""
    return real_file.read_text(encoding="utf-8")


def test_the_published_listing_is_read_with_its_days_and_no_word_is_lost(
    real: str, real_file: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "resguardo_server", "news", "import", str(real_file), "--json"],
        env={**os.environ, "RESGUARDO_VAR": str(tmp_path / "var"), "RESGUARDO_LANGUAGE": "en"},
        capture_output=True, text=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    items = json.loads(done.stdout)["items"]
    assert [item["date"] for item in items] == [
        "2023-03-15", "2023-01-12", "2022-11-08", "2022-09-29", "2022-08-11",
        "2022-06-30", "2022-06-02", "2022-06-01", "2022-05-17", "2022-05-09",
    ]  # fmt: skip
    words = [
        word for item in items for text in (item["headline"], *item["paragraphs"]) for word in text.split()
    ]
    dated = re.compile(r"\d{1,2} [A-Z][a-z]+, \d{4}")
    lines = [line for line in real.splitlines() if not dated.fullmatch(line.strip())]
    assert words == [word for line in lines for word in line.split()]
    assert not (tmp_path / "var").exists()


RUN = 8
"""Words in a row that no text of ours shares with the published listing."""

CITED = ("Protection and Assistance for Migrants Vulnerable to Violence, Exploitation and Abuse",)
"""Titles of books that our tables name as their source, and that the listing says in passing."""

WRITTEN = {".txt", ".md", ".toml", ".html", ".py", ".po", ".csv"}


def runs_of(text: str) -> set[tuple[str, ...]]:
    """Every eight words in a row, without points and capitals."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return {tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def test_no_sentence_of_the_published_listing_stands_in_our_texts(real: str) -> None:
    theirs = runs_of(real)
    ours = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")]
    ours += [path for path in SOURCE.rglob("*") if path.suffix in WRITTEN and path.stat().st_size < 500_000]
    for path in ours:
        # What is marked as a claim is a fact and not a sentence: the same countries have the same names.
        text = re.sub(r"\[[^][]+\]\(claim:[^)]+\)", "…", " ".join(path.read_text(encoding="utf-8").split()))
        for title in CITED:
            text = text.replace(title, "…")
        same = runs_of(text) & theirs
        assert not same, f"{path.relative_to(PROJECT)}: {' '.join(next(iter(same)))}"
    assert runs_of(plain(told("news.txt").items[0].paragraphs[0]))
