"""Facts about when a news item may be published."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.rules.tell.records import PROTECTED, Network, Series, network, people

from resguardo.plan.languages import explain
from resguardo.tell.claim import Claim, ClaimKind, Verdict, check
from resguardo.tell.figure import Recipe
from resguardo.tell.listing import ListedItem, read_listing
from resguardo.tell.release import publication_problems

TEXT = """\
11 de agosto de 2022

[Más de 160](claim:trained) reporteros terminan un curso

En 2022 terminaron el curso [más de 160](claim:trained) personas de la radio.
"""


def item_of(text: str) -> ListedItem:
    """The only item of a listing."""
    (item,) = read_listing(text, file="notas.txt").items
    return item


def trained(number: int = 160, **wording: str) -> Claim:
    """The claim that more than so many people finished."""
    recipe = Recipe("p.people_trained", period="2022", as_of=date(2022, 8, 8))
    words = wording or {"es": "más de {number}", "en": "more than {number}"}
    return Claim("trained", ClaimKind.MORE_THAN, recipe, Decimal(number), wording=words)


def course(number: int, *, protected: bool = False) -> Network:
    """A course that so many people finished."""
    rows = people(number, country="MX", month="2022-07")
    return network(people_trained=Series(rows, population=PROTECTED) if protected else Series(rows))


def told(text: str, verdict: Verdict | None, language: str = "es") -> list[str]:
    """Why the item cannot be published, as an editor reads it."""
    verdicts = {} if verdict is None else {verdict.claim.id: verdict}
    return [explain(problem, language) for problem in publication_problems(item_of(text), verdicts, language)]


def test_an_item_whose_claims_hold_can_be_published() -> None:
    assert told(TEXT, check(trained(), course(162))) == []


def test_an_item_with_a_false_claim_cannot_be_published_and_says_which_and_why() -> None:
    problems = told(TEXT, check(trained(), course(160)))
    assert len(problems) == 1
    assert problems[0].startswith("línea 3: «Más de 160» es falso. Falso: los registros dicen 160;")


def test_a_claim_that_was_not_checked_stops_the_item() -> None:
    problems = told(TEXT, None)
    assert len(problems) == 2
    assert "la afirmación «trained» no se ha comprobado" in problems[0]


def test_a_claim_that_cannot_be_computed_stops_the_item() -> None:
    assert "no se puede calcular" in told(TEXT, check(trained(), network()))[0]


def test_a_claim_that_would_expose_somebody_stops_the_item() -> None:
    assert "podría señalar a una persona" in told(TEXT, check(trained(5), course(7, protected=True)))[0]


def test_words_that_are_not_the_claims_stop_the_item() -> None:
    problems = told(TEXT.replace("[más de 160]", "[más de 500]"), check(trained(), course(162)))
    assert problems == [
        "línea 5: el texto dice «más de 500» y la afirmación «trained» dice «más de 160». "
        "Ponga en el texto las palabras de la afirmación, o cambie la afirmación."
    ]


def test_a_typed_figure_stops_the_item() -> None:
    problems = told(TEXT.replace("de la radio", "de seis países"), check(trained(), course(162)))
    assert problems == [
        "línea 5: «seis países» es una cifra escrita a mano "
        "(después de «terminaron el curso … personas de»). Conviértala en una afirmación, o quítela."
    ]
    first = TEXT.replace("En 2022", "Doce horas")
    assert "al principio" in told(first, check(trained(), course(162)))[0]


def test_a_claim_without_words_in_the_language_stops_the_item() -> None:
    problems = told(TEXT, check(trained(es="más de {number}"), course(162)), "en")
    assert "the claim “trained” has no text in “en”" in problems[0]


def test_the_same_false_claim_is_told_once() -> None:
    assert len(told(TEXT, check(trained(), course(160)))) == 1
