"""Facts about reading a listing of news items, and about figures typed by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from resguardo.plan.languages import explain
from resguardo.tell.listing import (
    ClaimMark,
    Listing,
    parts_of,
    plain,
    read_listing,
    typed_figures,
)
from resguardo.values import Refused

OURS_IN_SPANISH = """
11 de agosto de 2022

Periodistas de [seis países](claim:trained-countries) aprenden a contar la migración

[162](claim:trained) personas terminaron el curso.
Vinieron de radios y de periódicos.


La red piensa repetirlo.
9 de mayo de 2022
Un taller para negocios de Roseau
   El puerto abrió sus puertas   a los comerciantes.  \t
"""

OURS_IN_ENGLISH = """\
August 11, 2022
Reporters from [six countries](claim:trained-countries) learn to write about migration

[162](claim:trained) people finished the course.

9 May, 2022


A workshop for the shops of Roseau
The port opened its doors to the traders.
"""


def words_of(listing: Listing) -> Counter[str]:
    """Every word of the listing, date lines included."""
    texts = [
        text
        for item in listing.items
        for text in (item.date_text, plain(item.headline), *(plain(each) for each in item.paragraphs))
    ]
    return Counter(word for text in texts for word in text.split())


def refusal(text: str) -> str:
    """What a person is told about a listing that is refused."""
    with pytest.raises(Refused) as refused:
        read_listing(text, file="notas.txt")
    return "\n".join(explain(problem, "es") for problem in refused.value.problems)


def test_a_spanish_listing_is_read_with_its_dates_and_paragraphs() -> None:
    listing = read_listing(OURS_IN_SPANISH, file="notas.txt")
    first, second = listing.items
    assert listing.language == "es"
    assert (first.date, second.date) == (date(2022, 8, 11), date(2022, 5, 9))
    assert [plain(paragraph) for paragraph in first.paragraphs] == [
        "162 personas terminaron el curso. Vinieron de radios y de periódicos.",
        "La red piensa repetirlo.",
    ]
    assert [plain(paragraph) for paragraph in second.paragraphs] == [
        "El puerto abrió sus puertas a los comerciantes."
    ]


def test_an_english_listing_is_read_with_its_dates_and_paragraphs() -> None:
    listing = read_listing(OURS_IN_ENGLISH, file="notes.txt")
    first, second = listing.items
    assert listing.language == "en"
    assert (first.date, second.date) == (date(2022, 8, 11), date(2022, 5, 9))
    assert plain(second.headline) == "A workshop for the shops of Roseau"
    assert plain(second.paragraphs[0]) == "The port opened its doors to the traders."


def test_claims_marked_in_the_text_are_kept_as_marks() -> None:
    item = read_listing(OURS_IN_SPANISH, file="notas.txt").items[0]
    assert item.headline == (
        "Periodistas de ",
        ClaimMark("seis países", "trained-countries"),
        " aprenden a contar la migración",
    )
    assert item.claims == ("trained-countries", "trained")


def test_each_part_remembers_its_line() -> None:
    first, second = read_listing(OURS_IN_SPANISH, file="notas.txt").items
    assert (first.date_line, first.headline_line, first.paragraph_lines) == (2, 4, (6, 10))
    assert (second.date_line, second.headline_line, second.paragraph_lines) == (11, 12, (13,))


@pytest.mark.parametrize(
    ("line", "day", "language"),
    [
        ("15 March, 2023", date(2023, 3, 15), "en"),
        ("15 March 2023", date(2023, 3, 15), "en"),
        ("March 15, 2023", date(2023, 3, 15), "en"),
        ("Wednesday, 15th March 2023", date(2023, 3, 15), "en"),
        ("15 de marzo de 2023", date(2023, 3, 15), "es"),
        ("  15 DE MARZO DE 2023. ", date(2023, 3, 15), "es"),
        ("miércoles 15 de marzo del 2023", date(2023, 3, 15), "es"),
        ("1.º de setiembre de 2022", date(2022, 9, 1), "es"),
        ("15 mars 2023", date(2023, 3, 15), "fr"),
        ("1er février 2023", date(2023, 2, 1), "fr"),
        ("15 mas 2023", date(2023, 3, 15), "ht"),
        ("15/03/2023", date(2023, 3, 15), None),
        ("2023-03-15", date(2023, 3, 15), None),
    ],
)
def test_a_date_line_is_read_as_the_region_writes_it(line: str, day: date, language: str | None) -> None:
    listing = read_listing(f"{line}\n\nX\n\nX x\n", file="x.txt")
    assert listing.items[0].date == day
    assert language is None or listing.language == language


def test_where_dates_are_digits_the_words_tell_the_language() -> None:
    text = "15/03/2023\n\nThe port of Roseau\n\nThe port opened to the traders of the town.\n"
    assert read_listing(text, file="x.txt").language == "en"


def test_a_dateline_inside_a_paragraph_does_not_begin_an_item() -> None:
    text = "29 September, 2022\nA workshop\nGeorgetown, 8 September 2022 - It ended yesterday.\n"
    assert len(read_listing(text, file="x.txt").items) == 1


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    plain_text = read_listing(OURS_IN_ENGLISH, file="x.txt")
    windows = read_listing("\ufeff" + OURS_IN_ENGLISH.replace("\n", "\r\n"), file="x.txt")
    assert windows == plain_text


some_word = some.text(some.characters(categories=["L"], max_codepoint=0x24F), min_size=1, max_size=8)
some_line = some.lists(some_word, min_size=1, max_size=9).map(" ".join)
some_gap = some.sampled_from(["\n", "\n\n", "\n \t\n\n", "  \n", "\r\n", "\n\n\n\n"])
some_date = some.sampled_from(["15 March, 2023", "4 de mayo de 2022", "2022-06-30", "May 9, 2022"])


@given(
    items=some.lists(
        some.tuples(some_date, some_line, some.lists(some_line, min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    ),
    gaps=some.lists(some_gap, min_size=30, max_size=30),
)
def test_no_word_is_lost(items: list[tuple[str, str, list[str]]], gaps: list[str]) -> None:
    lines = [line for day, headline, paragraphs in items for line in (day, headline, *paragraphs)]
    text = "".join(f"{line}{gap}" for line, gap in zip(lines, gaps, strict=False))
    listing = read_listing(text, file="x.txt")
    assert len(listing.items) == len(items)
    assert words_of(listing) == Counter(text.split())


def test_a_text_without_a_date_line_is_refused() -> None:
    assert "notas.txt: no hay ninguna línea de fecha" in refusal(
        "Un taller en Roseau\n\nAbrió sus puertas.\n"
    )
    assert "no hay ninguna línea de fecha" in refusal("")


def test_an_impossible_date_is_refused_with_its_line() -> None:
    told = refusal("\n31 February, 2023\n\nA workshop\n\nIt opened.\n")
    assert "línea 2: la fecha «31 February, 2023» no existe" in told
    assert "ninguna línea de fecha" not in told


def test_a_misspelt_month_is_refused_with_the_likely_one() -> None:
    assert "¿Quiso escribir «septiembre»?" in refusal("3 de septeimbre de 2022\nUn taller\nAbrió.\n")


def test_words_before_the_first_date_are_refused_not_dropped() -> None:
    told = refusal("Noticias de la red\n\n4 de mayo de 2022\nUn taller\nAbrió.\n")
    assert "línea 1: «Noticias de la red» está antes de la primera fecha" in told


def test_an_item_without_headline_or_text_is_refused_with_its_line() -> None:
    told = refusal("4 de mayo de 2022\n\n5 de mayo de 2022\nUn taller\n")
    assert "línea 1: después de la fecha «4 de mayo de 2022» no hay título" in told
    assert "línea 4: la noticia «Un taller» no tiene texto" in told


@pytest.mark.parametrize(
    "broken", ["[162](claim:)", "[162](claim:Trained People)", "162](claim:trained)", "[](claim:trained)"]
)
def test_a_broken_claim_mark_is_refused_with_its_line(broken: str) -> None:
    told = refusal(f"4 de mayo de 2022\nUn taller\nLlegaron {broken} personas.\n")
    assert "línea 3: la marca" in told


def test_the_real_listing_has_ten_items_and_loses_no_word(request: pytest.FixtureRequest) -> None:
    path = Path(request.config.rootpath).parent / "shared" / "data" / "seed_listing" / "listing.txt"
    if not path.is_file():
        pytest.skip(f"the listing that this test reads is not here: {path.name}")
    text = path.read_text(encoding="utf-8")
    listing = read_listing(text, file=path.name)
    assert listing.language == "en"
    assert [item.date.isoformat() for item in listing.items] == [
        "2023-03-15",
        "2023-01-12",
        "2022-11-08",
        "2022-09-29",
        "2022-08-11",
        "2022-06-30",
        "2022-06-02",
        "2022-06-01",
        "2022-05-17",
        "2022-05-09",
    ]
    assert words_of(listing) == Counter(text.split())


@pytest.mark.parametrize(
    ("language", "text", "figures"),
    [
        ("en", "A total of 162 reporters", ["A total of 162 reporters"]),
        ("en", "a network of more than 100 youth", ["more than 100 youth"]),
        ("en", "officials from seven countries", ["seven countries"]),
        ("en", "a two-day workshop", ["two-day"]),
        ("en", "about 13,000 people, 51% of them women", ["about 13,000 people", "51% of"]),
        ("en", "twenty-five officials", ["twenty-five officials"]),
        ("en", "its 4th edition", ["4th edition"]),
        ("en", "may 15 people come", ["15 people"]),
        ("en", "more than 2000 people", ["more than 2000 people"]),
        ("en", "2000 migrants came", ["2000 migrants"]),
        ("en", "USD126 million", ["126 million"]),
        ("es", "llegaron 162", ["162"]),
        ("es", "más de 160 personas", ["más de 160 personas"]),
        ("es", "de seis países", ["seis países"]),
        ("es", "treinta y dos refugios", ["treinta y dos refugios"]),
        ("es", "3,9 millones de personas", ["3,9 millones de"]),
        ("es", "1 país", ["1 país"]),
        ("es", "el 51 % de la población", ["51 % de"]),
        ("es", "casi la mitad", ["mitad"]),
        ("fr", "plus de cent jeunes", ["plus de cent jeunes"]),
    ],
)
def test_a_number_typed_outside_a_claim_is_found(language: str, text: str, figures: list[str]) -> None:
    assert [figure.text for figure in typed_figures((text,), language)] == figures


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "on the 4th of May 2022 it opened"),
        ("en", "on 26-27 April, and on May 4, 2022, in Roseau"),
        ("en", "needs for 2022-2026, since 2020 and in 2022 reporters were few"),
        ("en", "the 2030 Agenda, open 24/7, from 10:30 to 14:00 hrs"),
        ("en", "Think Twice after COVID-19, COP27, SDG 8 and SDGs 8 and 10, ISO 22301"),
        ("en", "Resolution 55/25 and article 6 of Law No. 172-13"),
        ("en", "once in the canteen, one of a kind"),
        ("es", "el 4 de mayo de 2022, los días 23 y 24 de mayo, del 26 al 27 de abril"),
        ("es", "la Agenda 2030 y la Ley 8968, artículo 5, ODS 8"),
        ("es", "la campaña Piénsalo 2 Veces nació en 2020"),
        ("es", "en 2022 personas de la red viajaron"),
        ("es", "2022-05-04, 04/05/2022, a las 10:30 h"),
        ("es", "una persona y un país, escriba a red2@example.org"),
    ],
)
def test_years_days_times_laws_and_names_are_no_figures(language: str, text: str) -> None:
    assert typed_figures((text,), language) == ()


def test_a_number_inside_a_claim_is_not_typed() -> None:
    assert typed_figures(parts_of("Formó a [más de 160](claim:trained) personas"), "es") == ()


def test_a_typed_figure_is_told_with_the_words_before_it() -> None:
    (figure,) = typed_figures(parts_of("Formó a [162](claim:trained) personas de seis países"), "es")
    assert (figure.text, figure.before) == ("seis países", "Formó a … personas de")
