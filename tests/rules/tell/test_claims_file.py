"""Facts about the file in which the claims of a news item are written, and about their wording."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from resguardo.plan.languages import explain
from resguardo.tell.change import Trial
from resguardo.tell.claim import Claim, ClaimKind
from resguardo.tell.claims_file import claim_as_json, claim_from_json, read_claims
from resguardo.tell.interval import Predicate
from resguardo.tell.wording import wording_in
from resguardo.values import Refused

COURSE = """
[[claim]]
id = "trained-more-than-160"
kind = "more_than"
number = 160
indicator = "training.people_trained"
where = ["country in MX|GT|HN|SV|CR|PA"]
period = "2021-09/2022-08"
as_of = 2022-08-08
coverage.es = "Ediciones cerradas hasta el 5 de agosto de 2022"
coverage.en = "Editions closed by 5 August 2022"
wording.es = "más de {number}"
wording.en = "more than {number}"
"""

COUNTRIES = """
[[claim]]
id = "trained-countries"
kind = "countries_number"
number = 6
countries = ["MX", "GT", "HN", "SV", "CR", "PA"]
indicator = "training.people_trained"
by = ["country"]
period = "2021-09/2022-08"
as_of = 2022-08-08
coverage.es = "Toda la región"
coverage.en = "The whole region"
wording.es = "{number_word} países"
wording.en = "{number_word} countries"
"""

RISE = """
[[claim]]
id = "caribbean-rise"
kind = "increase"
indicator = "smuggling.dead_and_missing"
period = "2022"
as_of = 2023-01-24
test = "two_periods"
coverage.es = "El Caribe"
coverage.en = "The Caribbean"
wording.es = "aumentó"
wording.en = "increased"
before = { period = "2021", as_of = 2022-01-24 }
"""

DAY = """
[[claim]]
id = "workshop-day"
kind = "day_is"
day = "yesterday"
dateline = 2022-09-08
indicator = "recruitment.workshops"
by = ["day"]
as_of = 2022-09-08
coverage.es = "Guyana"
coverage.en = "Guyana"
wording.es = "{relative_day}, {day}"
wording.en = "{relative_day}, {date}"
"""


def the_claim(text: str) -> Claim:
    """The only claim of a file."""
    (claim,) = read_claims(text, file="claims.toml")
    return claim


def refusal(text: str, language: str = "es") -> str:
    """What a person is told about a claims file that is refused."""
    with pytest.raises(Refused) as refused:
        read_claims(text, file="claims.toml")
    return "\n".join(explain(problem, language) for problem in refused.value.problems)


def without(text: str, key: str) -> str:
    """The same file without the line of a key."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(key))


def test_a_claim_is_read_with_its_recipe() -> None:
    claim = the_claim(COURSE)
    assert claim.id == "trained-more-than-160"
    assert claim.kind is ClaimKind.MORE_THAN
    assert claim.number == 160
    assert claim.recipe.indicator == "training.people_trained"
    assert claim.recipe.months[0] == "2021-09"
    assert len(claim.recipe.months) == 12
    assert claim.recipe.as_of == date(2022, 8, 8)
    assert claim.coverage["en"] == "Editions closed by 5 August 2022"


def test_several_claims_keep_their_order() -> None:
    claims = read_claims(COURSE + COUNTRIES + RISE + DAY, file="claims.toml")
    assert [claim.id for claim in claims] == [
        "trained-more-than-160",
        "trained-countries",
        "caribbean-rise",
        "workshop-day",
    ]


def test_the_earlier_figure_repeats_only_what_differs() -> None:
    claim = the_claim(RISE)
    assert claim.before is not None
    assert claim.before.indicator == claim.recipe.indicator
    assert (claim.before.period, claim.before.as_of) == ("2021", date(2022, 1, 24))
    assert (claim.trial, claim.alpha) == (Trial.TWO_PERIODS, Decimal("0.05"))


def test_yesterday_is_counted_from_the_dateline() -> None:
    claim = the_claim(DAY)
    assert claim.day == date(2022, 9, 7)
    assert wording_in(claim, "es") == "ayer, 7 de septiembre"
    assert wording_in(claim, "en") == "yesterday, 7 September 2022"


def test_a_claim_says_itself_in_both_languages() -> None:
    assert wording_in(the_claim(COURSE), "es") == "más de 160"
    assert wording_in(the_claim(COURSE), "en") == "more than 160"
    assert wording_in(the_claim(COUNTRIES), "es") == "seis países"
    assert wording_in(the_claim(COUNTRIES), "en") == "six countries"


def test_countries_are_listed_as_a_sentence_lists_them() -> None:
    text = COUNTRIES.replace("{number_word} países", "{number} ({countries})").replace(
        "{number_word} countries", "{number} ({countries})"
    )
    claim = the_claim(text)
    assert wording_in(claim, "es") == "6 (México, Guatemala, Honduras, El Salvador, Costa Rica y Panamá)"
    assert wording_in(claim, "en") == "6 (Mexico, Guatemala, Honduras, El Salvador, Costa Rica and Panama)"


def test_a_percentage_is_written_as_each_language_writes_it() -> None:
    text = (
        COURSE.replace("more_than", "percent")
        .replace("number = 160", 'number = 51\npredicate = "more_than"')
        .replace("{number}", "{percent}")
    )
    claim = the_claim(text)
    assert claim.predicate is Predicate.MORE_THAN
    assert wording_in(claim, "es") == "más de 51\u00a0%"
    assert wording_in(claim, "en") == "more than 51%"


def test_decimals_are_kept_as_they_were_written() -> None:
    text = COURSE.replace("more_than", "percent").replace("number = 160", "number = 1.19\ndecimals = 2")
    claim = the_claim(text.replace("más de {number}", "{percent}").replace("more than {number}", "{percent}"))
    assert claim.number == Decimal("1.19")
    assert wording_in(claim, "en") == "1.19%"


@pytest.mark.parametrize("text", [COURSE, COUNTRIES, RISE, DAY])
def test_a_claim_survives_being_kept_as_plain_values(text: str) -> None:
    claim = the_claim(text)
    again = claim_from_json(claim_as_json(claim))
    assert again == claim
    assert again.wording == claim.wording
    assert again.coverage == claim.coverage


def test_the_same_recipe_written_otherwise_has_the_same_digest() -> None:
    other = COURSE.replace("MX|GT|HN|SV|CR|PA", "PA | CR | SV | HN | GT | MX")
    assert the_claim(other).recipe.digest == the_claim(COURSE).recipe.digest
    assert the_claim(COURSE.replace("2021-09", "2021-10")).recipe.digest != the_claim(COURSE).recipe.digest


def test_words_for_readers_do_not_change_the_recipe() -> None:
    other = COURSE.replace("Ediciones cerradas", "Cursos cerrados")
    assert the_claim(other).recipe.digest == the_claim(COURSE).recipe.digest


def test_a_digest_is_shown_by_its_first_eight_and_last_four_digits() -> None:
    recipe = the_claim(COURSE).recipe
    assert recipe.mark == f"{recipe.digest[:8]}…{recipe.digest[-4:]}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("kind = ", "knd = "), "¿Quiso"),
        (("more_than", "mor_than"), "more_than"),
        (("number = 160", 'number = "160"'), "no es un número"),
        (("number = 160\n", "number = 160\nyears = '2022/2026'\n"), "no sirve en una afirmación de tipo"),
        (("trained-more-than-160", "Trained 160"), "no sirve como id"),
        (("training.people_trained", "people_trained"), "no es un indicador"),
        (("2021-09/2022-08", "2021-13"), "no es un periodo"),
        (("2021-09/2022-08", "2022-08/2021-09"), "no es un periodo"),
        (("country in MX", "country is MX"), "country"),
        (("más de {number}", "más de 160"), "escrita a mano"),
        (("más de {number}", "más de {numero}"), "que esta afirmación no llena"),
        (("más de {number}", "{number}"), "la afirmación es de tipo more_than"),
        (("more than {number}", "at least {number}"), "dice «at least»"),
        (("more than {number}", "fewer than {number}"), "dice «fewer than»"),
        (("más de {number}", "más de algunas"), "no dice su número"),
    ],
)
def test_a_slip_is_refused_with_the_claim_the_line_and_the_cure(change: tuple[str, str], told: str) -> None:
    assert told in refusal(COURSE.replace(*change))


def test_a_refusal_names_file_line_claim_and_key() -> None:
    told = refusal(COURSE.replace("2021-09/2022-08", "2021-13"))
    assert told.startswith("claims.toml, línea 8, tabla claim trained-more-than-160, clave period: ")
    english = refusal(COURSE.replace("2021-09/2022-08", "2021-13"), "en")
    assert "“2021-13” is no period. Write whole months" in english


@pytest.mark.parametrize("key", ["id", "kind", "number", "indicator", "coverage.en", "wording.es"])
def test_a_missing_part_is_refused(key: str) -> None:
    assert "clave" in refusal(without(COURSE, key))


def test_what_a_kind_needs_is_asked_for() -> None:
    assert "necesita before" in refusal(without(RISE, "before"))
    assert "as_of" in refusal(without(RISE, "as_of"))
    assert "as_of" in refusal(RISE.replace(", as_of = 2022-01-24", ", as_of = '2022'"))
    assert "Escriba of y of_before" in refusal(RISE.replace("two_periods", "two_shares"))
    assert "Escriba dateline" in refusal(without(DAY, "dateline"))
    assert "se cuenta por country" in refusal(without(COUNTRIES, "by"))
    assert "necesita day" in refusal(without(DAY, "day"))
    assert "no es un día" in refusal(DAY.replace('"yesterday"', '"last week"'))
    assert "no es un país" in refusal(COUNTRIES.replace('"PA"', '"Panamá"'))


def test_a_whole_without_a_source_is_refused() -> None:
    base = "base = { number = 327731092, title = { es = 'Población', en = 'Population' } }\n"
    assert "el total necesita su fuente" in refusal(COURSE + base)


def test_an_id_used_twice_is_refused() -> None:
    assert "aparece dos veces" in refusal(COURSE + COURSE)


def test_a_file_without_claims_is_refused() -> None:
    assert "no hay ninguna afirmación" in refusal("")
    assert "no hay ninguna afirmación" in refusal("[other]\nx = 1\n")


def test_a_file_that_is_not_toml_is_refused_with_its_line() -> None:
    assert "línea 2" in refusal('[[claim]]\nid = "a\n')


def test_the_examples_of_the_guide_for_press_officers_are_read(request: pytest.FixtureRequest) -> None:
    guide = (Path(request.config.rootpath) / "docs" / "claims.md").read_text(encoding="utf-8")
    examples = [text for text in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL) if "[[claim]]" in text]
    assert [the_claim(text).id for text in examples] == ["trained-more-than-160", "caribbean-rise"]
    assert all(f"`{kind.value}`" in guide for kind in ClaimKind)
