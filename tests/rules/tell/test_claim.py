"""Facts about judging claims: on real safe tables, with the published figures that a checker must catch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.rules.tell.records import PROTECTED, Network, Series, network, people, published, spread

from resguardo.tell.change import Direction, Trial, two_periods, two_shares
from resguardo.tell.claim import Base, Claim, ClaimKind, Verdict, VerdictKind, check
from resguardo.tell.figure import Recipe, Source
from resguardo.tell.interval import Interval, Predicate, holds
from resguardo.tell.wording import Number
from resguardo.values import Population

AUGUST = date(2022, 8, 8)
SIX = {"MX": 41, "GT": 27, "HN": 24, "SV": 22, "CR": 19, "PA": 29}
IN_SIX = "country in MX|GT|HN|SV|CR|PA"

COURSE = network(people_trained=Series(spread(SIX, month="2022-07")))


def trained(kind: ClaimKind, number: int | None = None, **more: object) -> Claim:
    """A claim about the people who finished the course."""
    recipe = Recipe("p.people_trained", where=(IN_SIX,), period="2021-09/2022-08", as_of=AUGUST)
    claim = Claim("c", kind, recipe, Decimal(number) if number is not None else None)
    return replace(claim, **more)  # type: ignore[arg-type]


def by_country(claim: Claim) -> Claim:
    """The same claim, counted by country."""
    return replace(claim, recipe=replace(claim.recipe, by=("country",), where=()))


def course_of(number: int) -> Network:
    """A course that so many people finished, all in Mexico."""
    return network(people_trained=Series(people(number, country="MX", month="2022-07")))


# Numbers


def test_162_is_more_than_160() -> None:
    verdict = check(trained(ClaimKind.MORE_THAN, 160), COURSE)
    assert verdict.kind is VerdictKind.TRUE
    assert verdict.holds
    assert verdict.sentence("es") == "162 es mayor que 160: se cumple."
    assert verdict.sentence("en") == "162 is greater than 160: it holds."


def test_a_total_of_162_holds_and_163_does_not() -> None:
    assert check(trained(ClaimKind.EXACT, 162), COURSE).holds
    verdict = check(trained(ClaimKind.EXACT, 163), COURSE)
    assert verdict.kind is VerdictKind.FALSE
    assert verdict.sentence("en") == "False: the records say 162, the text says “163”. You can say “162”."
    assert verdict.sentence("es") == (
        "Falso: los registros dicen 162; el texto dice «163». Puede decir «162»."
    )


def test_with_160_people_the_title_more_than_160_fails() -> None:
    verdict = check(trained(ClaimKind.MORE_THAN, 160), course_of(160))
    assert verdict.kind is VerdictKind.FALSE
    assert "los registros dicen 160; el texto dice «más de 160»" in verdict.sentence("es")


@pytest.mark.parametrize(
    ("kind", "number", "people_counted", "expected"),
    [
        (ClaimKind.AT_LEAST, 160, 160, VerdictKind.TRUE),
        (ClaimKind.AT_LEAST, 161, 160, VerdictKind.FALSE),
        (ClaimKind.ALMOST, 100, 90, VerdictKind.TRUE),
        (ClaimKind.ALMOST, 100, 89, VerdictKind.FALSE),
        (ClaimKind.ALMOST, 100, 100, VerdictKind.FALSE),
        (ClaimKind.ABOUT, 100, 90, VerdictKind.TRUE),
        (ClaimKind.ABOUT, 100, 110, VerdictKind.TRUE),
        (ClaimKind.ABOUT, 100, 111, VerdictKind.FALSE),
        (ClaimKind.MORE_THAN, 100, 101, VerdictKind.TRUE),
        (ClaimKind.MORE_THAN, 100, 100, VerdictKind.FALSE),
    ],
)
def test_each_comparison_has_its_bounds(
    kind: ClaimKind, number: int, people_counted: int, expected: VerdictKind
) -> None:
    assert check(trained(kind, number), course_of(people_counted)).kind is expected


def test_a_claim_without_a_number_cannot_be_computed() -> None:
    assert check(trained(ClaimKind.EXACT), COURSE).kind is VerdictKind.NOT_COMPUTABLE


def test_what_cannot_be_counted_says_why() -> None:
    claim = replace(trained(ClaimKind.EXACT, 162), recipe=Recipe("p.unknown", as_of=AUGUST))
    verdict = check(claim, COURSE)
    assert verdict.kind is VerdictKind.NOT_COMPUTABLE
    assert verdict.figure is None
    assert "p.unknown" in verdict.sentence("es")


# Percentages


IDENTIFIED = (
    *people(163, identified="no", country="CR", month="2022-06"),
    *people(158, identified="yes", country="CR", month="2022-06"),
)


def unidentified(number: str, decimals: int, predicate: Predicate, *, of_counts: bool) -> Verdict:
    """The verdict on how many of 321 were not identified, as an indicator's share or from two counts."""
    deaths = network(
        dead=Series(IDENTIFIED, unit="incident"),
        unidentified=Series(IDENTIFIED, measure="share", unit="incident", part="identified = no"),
    )
    whole = Recipe("p.dead", period="2022", as_of=date(2023, 1, 24))
    recipe = (
        replace(whole, where=("identified = no",))
        if of_counts
        else replace(whole, indicator="p.unidentified")
    )
    claim = Claim("c", ClaimKind.PERCENT, recipe, Decimal(number), decimals, predicate)
    return check(replace(claim, of=whole if of_counts else None), deaths)


@pytest.mark.parametrize("of_counts", [True, False])
def test_163_of_321_is_not_more_than_51_percent(of_counts: bool) -> None:
    verdict = unidentified("51", 0, Predicate.MORE_THAN, of_counts=of_counts)
    assert verdict.kind is VerdictKind.FALSE
    assert "the records say 50.78%, the text says “more than 51%”" in verdict.sentence("en")
    assert unidentified("50", 0, Predicate.MORE_THAN, of_counts=of_counts).holds
    rounded = unidentified("51", 0, Predicate.EXACT, of_counts=of_counts)
    assert rounded.sentence("es") == "50.78\u00a0% redondeado es 51\u00a0%: se cumple."
    assert unidentified("50.78", 2, Predicate.EXACT, of_counts=of_counts).holds
    assert unidentified("50.7", 1, Predicate.EXACT, of_counts=of_counts).kind is VerdictKind.FALSE


def scored(number: str, decimals: int) -> Verdict:
    """The verdict on a mean score that the table gives as 2.55 (it is 28 over 11, 2.5454…)."""
    rows = tuple({"unit": f"site-{place}", "value": 3 if place < 6 else 2} for place in range(11))
    scores = network(score=Series(rows, measure="mean:value", unit="site", population=Population.OPEN))
    claim = Claim("c", ClaimKind.EXACT, Recipe("p.score", as_of=AUGUST), Decimal(number), decimals)
    return check(claim, scores)


def test_a_mean_is_as_fine_as_its_table_and_is_not_rounded_again() -> None:
    assert scored("2.55", 2).holds
    assert scored("2.54", 2).kind is VerdictKind.FALSE
    assert scored("3", 0).holds
    coarse = scored("2.5", 1)
    assert coarse.kind is VerdictKind.NOT_COMPUTABLE
    assert coarse.proposed("en") == ("2.55",)
    assert scored("2.545", 3).kind is VerdictKind.NOT_COMPUTABLE


def test_the_parts_of_321_deaths_add_up() -> None:
    parts = {"women": 66, "men": 64, "adolescents": 28, "unknown": 163}
    rows = tuple(
        row
        for name, number in parts.items()
        for row in people(number, who=name, country="CR", month="2022-06")
    )
    deaths = network(dead=Series(rows, unit="incident"))
    recipe = Recipe("p.dead", period="2022", as_of=date(2023, 1, 24))
    assert check(Claim("c", ClaimKind.EXACT, recipe, Decimal(321)), deaths).holds


def test_halves_are_rounded_to_the_even_digit() -> None:
    base = Base(Decimal(200))
    one_in_forty = network(n=Series(people(5, month="2022-05"), unit="event"))
    claim = Claim("c", ClaimKind.PERCENT, Recipe("p.n", as_of=AUGUST), Decimal(2), base=base)
    assert check(claim, one_in_forty).holds
    assert not check(replace(claim, number=Decimal(3)), one_in_forty).holds


def climate(base: Base | None) -> Verdict:
    """The verdict on "3.9 million, 1.19% of the population"."""
    figures = network(displaced=Series((published(3_900_000, month="2050-01"),), "sum:value", "figure"))
    source = Source("Groundswell", "World Bank", date(2021, 9, 13))
    recipe = Recipe("p.displaced", period="2050", as_of=date(2022, 6, 30))
    claim = Claim("c", ClaimKind.PERCENT, recipe, Decimal("1.19"), 2, base=base, source=source)
    return check(claim, figures)


def test_a_percentage_of_a_population_needs_the_population() -> None:
    verdict = climate(None)
    assert verdict.kind is VerdictKind.NOT_COMPUTABLE
    assert [note.code for note in verdict.notes] == ["tell.note.base_missing"]
    assert "de qué total es el porcentaje" in verdict.sentence("es")


def test_3_900_000_is_1_19_percent_of_327_731_092_and_not_of_400_million() -> None:
    verdict = climate(Base(Decimal(327_731_092)))
    assert verdict.holds
    assert verdict.sentence("en") == "1.19% is the exact number: it holds."
    assert climate(Base(Decimal(400_000_000))).kind is VerdictKind.FALSE


# Protected figures


def protected_course(number: int, *, seed: str = "") -> Network:
    """A course of a protected group, whose figures are rounded to five at random."""
    rows = people(number, country="MX", month="2022-07")
    return network(people_trained=Series(rows, population=PROTECTED, seed=seed))


def published_number(verdict: Verdict) -> int:
    """The number that the protected figure shows."""
    assert verdict.figure is not None
    assert isinstance(verdict.figure.whole.published, Fraction)
    return int(verdict.figure.whole.published)


def test_a_protected_figure_cannot_decide_an_exact_number_and_says_what_can_be_said() -> None:
    verdict = check(trained(ClaimKind.EXACT, 162), protected_course(162))
    shown = published_number(verdict)
    assert shown in (160, 165)
    assert verdict.kind is VerdictKind.WOULD_EXPOSE
    told = verdict.sentence("es")
    assert f"entre {shown - 4} y {shown + 4}" in told
    assert f"Puede decir «más de {shown - 5}» o «alrededor de {shown}»." in told


def test_what_is_proposed_for_a_protected_figure_holds() -> None:
    course = protected_course(162)
    shown = published_number(check(trained(ClaimKind.EXACT, 162), course))
    assert check(trained(ClaimKind.MORE_THAN, shown - 5), course).holds
    assert check(trained(ClaimKind.ABOUT, shown), course).holds
    assert check(trained(ClaimKind.MORE_THAN, shown + 4), course).kind is VerdictKind.FALSE
    assert check(trained(ClaimKind.MORE_THAN, shown), course).kind is VerdictKind.WOULD_EXPOSE


@pytest.mark.parametrize("seed", ["a", "b", "c", "d"])
@pytest.mark.parametrize("number", [40, 117, 162])
def test_no_verdict_on_a_protected_figure_is_wrong_about_the_true_number(number: int, seed: str) -> None:
    course = protected_course(number, seed=seed)
    for said in range(number - 12, number + 13):
        for kind in (
            ClaimKind.EXACT,
            ClaimKind.MORE_THAN,
            ClaimKind.AT_LEAST,
            ClaimKind.ABOUT,
            ClaimKind.ALMOST,
        ):
            verdict = check(trained(kind, said), course)
            truth = Interval(Fraction(number), Fraction(number))
            really = holds(Predicate(kind.value), truth, Fraction(said))
            if verdict.kind in (VerdictKind.TRUE, VerdictKind.FALSE):
                assert (verdict.kind is VerdictKind.TRUE) == really


def test_a_group_that_is_too_small_is_not_published_at_all() -> None:
    verdict = check(trained(ClaimKind.EXACT, 7), protected_course(7))
    assert verdict.kind is VerdictKind.WOULD_EXPOSE
    assert verdict.proposals == ()
    assert "muy pocos, tal vez ninguno" in verdict.sentence("es")
    assert "7" not in verdict.reason.sentence("es").replace("«7»", "")


def test_the_countries_of_a_protected_figure_are_only_at_least_so_many() -> None:
    rows = (
        *spread(dict.fromkeys(("MX", "GT", "HN"), 60), month="2022-07"),
        *people(5, country="PA", month="2022-07"),
    )
    course = network(people_trained=Series(rows, population=PROTECTED))
    claim = by_country(trained(ClaimKind.COUNTRIES_NUMBER, 3))
    assert check(claim, course).kind is VerdictKind.WOULD_EXPOSE
    assert check(replace(claim, predicate=Predicate.AT_LEAST), course).holds
    named = by_country(trained(ClaimKind.COUNTRIES_ARE, countries=("MX", "GT", "HN")))
    verdict = check(named, course)
    assert verdict.kind is VerdictKind.WOULD_EXPOSE
    assert verdict.proposed("es") == ("al menos 3 países",)
    with_panama = check(replace(named, countries=("MX", "GT", "HN", "PA")), course)
    assert with_panama.kind is VerdictKind.WOULD_EXPOSE
    without_mexico = check(replace(named, countries=("GT", "HN")), course)
    assert without_mexico.kind is VerdictKind.FALSE


def test_a_count_that_would_single_out_a_few_people_beside_an_earlier_one_is_not_made() -> None:
    rows = (*people(100, country="MX", month="2022-07"), *people(5, country="CR", month="2022-07"))
    course = network(people_trained=Series(rows, population=PROTECTED))
    everybody = trained(ClaimKind.MORE_THAN, 90, recipe=Recipe("p.people_trained", as_of=AUGUST))
    assert check(everybody, course).holds
    in_mexico = replace(everybody, recipe=replace(everybody.recipe, where=("country = MX",)))
    verdict = check(in_mexico, course)
    assert verdict.kind is VerdictKind.WOULD_EXPOSE
    assert verdict.reason.code == "tell.would_expose.refused"
    assert verdict.sentence("es").startswith("No se cuenta porque podría señalar a una persona: ")


@pytest.mark.parametrize("number", [15, 33, 58, 121, 804])
def test_every_proposal_for_a_protected_figure_holds_for_the_true_number(number: int) -> None:
    course = protected_course(number)
    verdict = check(trained(ClaimKind.EXACT, number), course)
    for proposal in verdict.proposals:
        kind = ClaimKind(proposal.code.removeprefix("tell.said."))
        said = proposal.facts["number"]
        assert isinstance(said, Number)
        truth = Interval(Fraction(number), Fraction(number))
        assert holds(Predicate(kind.value), truth, said.value) is True
        assert check(trained(kind, int(said.value)), course).holds


# Countries, years


def test_162_people_come_from_six_countries() -> None:
    verdict = check(by_country(trained(ClaimKind.COUNTRIES_NUMBER, 6)), COURSE)
    assert verdict.holds
    assert verdict.sentence("es").startswith("6 países distintos (")
    wrong = check(by_country(trained(ClaimKind.COUNTRIES_NUMBER, 7)), COURSE)
    assert wrong.kind is VerdictKind.FALSE
    assert "You can say “6 countries”." in wrong.sentence("en")


def test_the_six_countries_are_the_ones_named() -> None:
    claim = by_country(trained(ClaimKind.COUNTRIES_ARE, countries=tuple(SIX)))
    verdict = check(claim, COURSE)
    assert verdict.holds
    assert "México, Guatemala, Honduras, El Salvador, Costa Rica y Panamá" in verdict.sentence("es")


def test_a_country_too_many_or_too_few_is_named() -> None:
    claim = by_country(trained(ClaimKind.COUNTRIES_ARE, countries=("MX", "GT", "HN", "SV", "CR", "DO")))
    verdict = check(claim, COURSE)
    assert verdict.kind is VerdictKind.FALSE
    told = verdict.sentence("es")
    assert "los registros tienen además Panamá" in told
    assert "los registros no tienen a nadie de la República Dominicana" in told


def test_a_record_whose_country_changes_breaks_the_claim() -> None:
    rows = list(COURSE.series["p.people_trained"].rows)
    rows[0] = {**rows[0], "country": "DO"}
    claim = by_country(trained(ClaimKind.COUNTRIES_NUMBER, 6))
    of_events = check(claim, network(people_trained=Series(tuple(rows), unit="event")))
    assert of_events.kind is VerdictKind.FALSE
    assert "los registros dicen 7 países" in of_events.sentence("es")
    # One person alone in a country: the table is rounded, and cannot say that these are all.
    of_people = check(claim, network(people_trained=Series(tuple(rows))))
    assert of_people.kind is VerdictKind.WOULD_EXPOSE
    assert of_people.proposed("es") == ("al menos 6 países",)


def test_countries_cannot_be_told_from_a_table_without_them() -> None:
    assert check(trained(ClaimKind.COUNTRIES_NUMBER, 6), COURSE).kind is VerdictKind.NOT_COMPUTABLE


def test_records_without_a_country_are_told() -> None:
    rows = (*people(30, country="MX", month="2022-07"), *people(30, country=None, month="2022-07"))
    claim = by_country(trained(ClaimKind.COUNTRIES_NUMBER, 1))
    verdict = check(claim, network(people_trained=Series(rows)))
    assert verdict.kind is VerdictKind.TRUE
    assert "tell.note.country_not_stated" in [note.code for note in verdict.notes]


def horizon(*years: int) -> Network:
    """A projection for these years."""
    rows = tuple(published(8_000 + year, month=f"{year}-01") for year in years)
    return network(openings=Series(rows, unit="figure"))


def test_the_projection_goes_from_2022_to_2026_with_both_years() -> None:
    source = Source("Guyana", "ILO", date(2022, 12, 19))
    recipe = Recipe("p.openings", by=("year",), as_of=date(2022, 12, 19))
    claim = Claim("c", ClaimKind.YEARS_ARE, recipe, years=(2022, 2026), source=source)
    assert check(claim, horizon(2022, 2023, 2024, 2025, 2026)).holds
    assert check(claim, horizon(2022, 2023, 2024, 2025)).kind is VerdictKind.FALSE
    assert check(claim, horizon(2022, 2024, 2025, 2026)).kind is VerdictKind.FALSE
    assert check(claim, horizon(2021, 2022, 2023, 2024, 2025, 2026)).kind is VerdictKind.FALSE
    assert check(claim, horizon()).kind is VerdictKind.NOT_COMPUTABLE


# Days


def workshops(*days: str) -> Network:
    """Workshops for the same group on these days."""
    rows = tuple({"unit": f"workshop-{place}", "day": day} for place, day in enumerate(days))
    return network(
        workshops=Series(rows, unit="event"), first_workshop=Series(rows, measure="first", unit="event")
    )


def first_on(day: date, *, indicator: str = "workshops") -> Claim:
    """The claim that the workshop of a day was the first."""
    by = ("day",) if indicator == "workshops" else ()
    return Claim("c", ClaimKind.FIRST, Recipe(f"p.{indicator}", by=by, as_of=AUGUST), day=day)


def test_the_workshop_of_the_4th_of_may_is_the_first() -> None:
    fourth = date(2022, 5, 4)
    assert check(first_on(fourth), workshops("2022-05-04", "2022-06-01")).holds
    assert check(first_on(fourth, indicator="first_workshop"), workshops("2022-05-04", "2022-06-01")).holds


def test_an_earlier_workshop_makes_it_the_second() -> None:
    verdict = check(first_on(date(2022, 5, 4)), workshops("2021-11-03", "2022-05-04"))
    assert verdict.kind is VerdictKind.FALSE
    assert "tienen uno anterior, del 3 de noviembre de 2021" in verdict.sentence("es")


def test_a_first_workshop_that_the_records_do_not_have_is_false() -> None:
    assert check(first_on(date(2022, 5, 4)), workshops("2022-05-06")).kind is VerdictKind.FALSE
    assert check(first_on(date(2022, 5, 4)), workshops()).kind is VerdictKind.NOT_COMPUTABLE


def test_two_workshops_on_the_first_day_are_told() -> None:
    verdict = check(first_on(date(2022, 5, 4)), workshops("2022-05-04", "2022-05-04"))
    assert verdict.kind is VerdictKind.TRUE
    assert [note.code for note in verdict.notes] == ["tell.note.several_that_day"]


def test_yesterday_is_the_day_before_the_dateline_not_before_the_listing_date() -> None:
    claim = Claim(
        "c",
        ClaimKind.DAY_IS,
        Recipe("p.workshops", by=("day",), as_of=date(2022, 9, 29)),
        dateline=date(2022, 9, 8),
        day=date(2022, 9, 7),
        relative_day="yesterday",
    )
    verdict = check(claim, workshops("2022-09-07"))
    assert verdict.holds
    assert "«ayer», que desde el 8 de septiembre de 2022 es el 7 de septiembre de 2022" in verdict.sentence(
        "es"
    )
    wrong = replace(claim, dateline=date(2022, 9, 29), day=date(2022, 9, 28))
    assert check(wrong, workshops("2022-09-07")).kind is VerdictKind.FALSE
    assert check(claim, workshops("2022-09-07", "2022-09-08")).kind is VerdictKind.FALSE


# Changes


def deaths(before: int, after: int, *, then: str = "2021", now: str = "2022") -> Network:
    """Deaths of two periods, one row per person."""
    rows = (
        *people(before, country="CR", month=f"{then}-03", when="then"),
        *people(after, country="CR", month=f"{now}-03", when="now"),
    )
    return network(dead=Series(rows, unit="incident"))


def change(kind: ClaimKind = ClaimKind.INCREASE, **more: object) -> Claim:
    """The claim that deaths of 2022 changed from those of 2021."""
    claim = Claim(
        "c",
        kind,
        Recipe("p.dead", period="2022", as_of=date(2023, 1, 24)),
        before=Recipe("p.dead", period="2021", as_of=date(2022, 1, 24)),
    )
    return replace(claim, **more)  # type: ignore[arg-type]


def test_180_to_321_is_an_increase() -> None:
    verdict = check(change(), deaths(180, 321))
    assert verdict.holds
    assert verdict.test is not None
    assert round(verdict.test.z, 3) == 6.299
    assert "rose from 180 to 321 (78.33%)" in verdict.sentence("en")
    assert "menos de una vez de cada 1,000" in verdict.sentence("es")
    assert check(change(ClaimKind.DECREASE), deaths(180, 321)).kind is VerdictKind.FALSE


def test_24_to_36_may_not_be_called_an_increase() -> None:
    verdict = check(change(), deaths(24, 36))
    assert verdict.kind is VerdictKind.FALSE
    assert verdict.test is not None
    assert round(verdict.test.p, 4) == 0.0775
    told = verdict.sentence("es")
    assert "no se puede decir que subió" in told
    assert "7.8 veces de cada 100, y el límite es 5 de cada 100" in told


def test_a_fall_needs_the_same_test() -> None:
    assert check(change(ClaimKind.DECREASE), deaths(321, 180)).holds
    assert check(change(ClaimKind.DECREASE), deaths(36, 24)).kind is VerdictKind.FALSE
    assert check(change(ClaimKind.INCREASE), deaths(0, 0)).kind is VerdictKind.FALSE


def test_the_size_of_a_change_is_checked_too() -> None:
    assert check(change(number=Decimal(78)), deaths(180, 321)).holds
    verdict = check(change(number=Decimal(80)), deaths(180, 321))
    assert verdict.kind is VerdictKind.FALSE
    assert "el cambio de 180 a 321 es 78.33\u00a0%; el texto dice 80\u00a0%" in verdict.sentence("es")
    fall = change(ClaimKind.DECREASE, number=Decimal(44))
    assert check(fall, deaths(321, 180)).holds
    assert check(change(number=Decimal(50)), deaths(0, 36)).kind is VerdictKind.NOT_COMPUTABLE


def test_269_and_321_are_one_year_seen_on_two_dates_not_an_increase() -> None:
    rows = (
        *people(269, country="CR", month="2022-05", known=date(2022, 12, 31)),
        *people(52, country="CR", month="2022-05", known=date(2023, 1, 20)),
    )
    claim = change(before=Recipe("p.dead", period="2022", as_of=date(2022, 12, 31)))
    verdict = check(claim, network(dead=Series(rows, unit="incident")))
    assert verdict.kind is VerdictKind.NOT_COMPUTABLE
    told = verdict.sentence("en")
    assert "one period seen on two dates" in told
    assert "On 31 December 2022 269 were known, and on 24 January 2023 321" in told


def test_eight_months_are_not_compared_with_twelve_though_the_arithmetic_is_right() -> None:
    claim = change(
        number=Decimal(18),
        recipe=Recipe("p.dead", period="2024-01/2024-08", as_of=date(2024, 8, 30)),
        before=Recipe("p.dead", period="2023", as_of=date(2024, 1, 24)),
    )
    verdict = check(claim, deaths(247, 291, then="2023", now="2024"))
    assert verdict.kind is VerdictKind.NOT_COMPUTABLE
    assert [note.code for note in verdict.notes] == ["tell.note.unequal_coverage"]
    told = verdict.sentence("en")
    assert "one figure covers 8 months (291) and the other 12 (247)" in told
    assert "The arithmetic gives 17.81%" in told


def test_a_year_that_was_not_over_when_counted_has_fewer_months() -> None:
    claim = change(
        recipe=Recipe("p.dead", period="2024", as_of=date(2024, 8, 30)),
        before=Recipe("p.dead", period="2023", as_of=date(2024, 1, 24)),
    )
    verdict = check(claim, deaths(247, 291, then="2023", now="2024"))
    assert "covers 8 months" in verdict.sentence("en")


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        (change(before=None), "before_missing"),
        (change(before=Recipe("p.dead", period="2021")), "as_of_missing"),
        (change(before=Recipe("p.dead", period="2022", as_of=date(2023, 1, 24))), "same_recipe"),
        (
            change(before=Recipe("p.dead", where=("country = CR",), period="2021", as_of=date(2022, 1, 24))),
            "different_places",
        ),
        (
            change(before=Recipe("p.dead", where=("when = then",), period="2021", as_of=date(2022, 1, 24))),
            "two_differences",
        ),
        (
            change(before=Recipe("p.dead", where=("year = 2021",), period="2021", as_of=date(2022, 1, 24))),
            "period_in_where",
        ),
        (change(trial=Trial.TWO_SHARES), "whole_missing"),
    ],
)
def test_what_cannot_be_compared_says_why(claim: Claim, code: str) -> None:
    verdict = check(claim, deaths(180, 321))
    assert verdict.kind is VerdictKind.NOT_COMPUTABLE
    assert verdict.reason.code == f"tell.not_computable.{code}"
    assert verdict.sentence("es")


def test_other_months_of_the_year_are_told() -> None:
    claim = change(
        recipe=Recipe("p.dead", period="2022-01/2022-06", as_of=date(2023, 1, 24)),
        before=Recipe("p.dead", period="2021-01/2021-06", as_of=date(2022, 1, 24)),
    )
    assert check(claim, deaths(180, 321)).notes == ()
    other = replace(claim, before=Recipe("p.dead", period="2020-10/2021-03", as_of=date(2022, 1, 24)))
    assert [note.code for note in check(other, deaths(180, 321)).notes] == ["tell.note.different_seasons"]


def survey(before: int, after: int, *, asked: int = 400) -> tuple[Claim, Network]:
    """The claim that more of those who saw the campaign know the risks, and the answers."""
    rows = (
        *people(after, exposed="yes", knows="yes", month="2022-05"),
        *people(asked - after, exposed="yes", knows="no", month="2022-05"),
        *people(before, exposed="no", knows="yes", month="2022-05"),
        *people(asked - before, exposed="no", knows="no", month="2022-05"),
    )
    seen = Recipe("p.asked", where=("exposed = yes",), period="2022", as_of=AUGUST)
    unseen = replace(seen, where=("exposed = no",))
    claim = Claim(
        "c",
        ClaimKind.INCREASE,
        replace(seen, where=("exposed = yes", "knows = yes")),
        before=replace(seen, where=("exposed = no", "knows = yes")),
        of=seen,
        of_before=unseen,
        trial=Trial.TWO_SHARES,
    )
    return claim, network(
        asked=Series(rows, unit="event"),
        knows=Series(rows, measure="share", unit="event", part="knows = yes"),
    )


def test_226_of_400_against_200_of_400_may_not_be_called_better() -> None:
    verdict = check(*survey(200, 226))
    assert verdict.kind is VerdictKind.FALSE
    assert verdict.test is not None
    assert (round(verdict.test.z, 3), round(verdict.test.p, 4)) == (1.842, 0.0654)
    assert "De 50.00\u00a0% a 56.50\u00a0% (13.00\u00a0%) puede ser azar" in verdict.sentence("es")


def test_a_share_with_its_number_of_people_asked_is_tested_too() -> None:
    claim, answers = survey(200, 226)
    assert claim.of is not None
    shares = replace(
        claim,
        recipe=replace(claim.of, indicator="p.knows"),
        before=replace(claim.of, indicator="p.knows", where=("exposed = no",)),
    )
    assert check(shares, answers).kind is VerdictKind.FALSE
    answers = survey(200, 260)[1]
    assert check(shares, answers).holds


def test_a_clear_difference_of_two_groups_holds_and_says_that_they_are_groups() -> None:
    verdict = check(*survey(200, 260))
    assert verdict.holds
    assert [note.code for note in verdict.notes] == ["tell.note.different_groups"]


def test_a_change_between_protected_figures_holds_only_when_every_possible_number_says_so() -> None:
    def protected(before: int, after: int) -> Network:
        rows = deaths(before, after).series["p.dead"].rows
        return network(dead=Series(rows, unit="person", population=PROTECTED))

    assert check(change(), protected(180, 321)).holds
    assert check(change(), protected(100, 128)).kind is VerdictKind.WOULD_EXPOSE
    assert check(change(), protected(100, 101)).kind is VerdictKind.FALSE
    assert check(change(), protected(5, 60)).kind is VerdictKind.TRUE
    assert check(change(), protected(5, 16)).kind in (VerdictKind.WOULD_EXPOSE, VerdictKind.FALSE)


@given(before=some.integers(0, 400), after=some.integers(0, 400))
def test_what_rose_by_more_than_chance_did_not_fall(before: int, after: int) -> None:
    alpha = Decimal("0.05")
    rose = two_periods(before, after, Direction.ROSE, alpha=alpha)
    fell = two_periods(before, after, Direction.FELL, alpha=alpha)
    assert not (rose.is_significant and fell.is_significant)
    assert rose.z == fell.z
    assert rose.p + fell.p >= 1 - 1e-9


def test_two_equal_shares_do_not_differ() -> None:
    result = two_shares(1.0, 40, 1.0, 50, alpha=Decimal("0.05"))
    assert (result.z, result.p, result.is_significant) == (0.0, 1.0, False)


# Figures published by others


def remittances(number: int, *, stated: int) -> Verdict:
    """The verdict on remittances of the region, against its product of about 5.5 million millions."""
    figures = network(remittances=Series((published(number, month="2021-01"),), "sum:value", "figure"))
    title = {"es": "el producto de la región en 2021", "en": "the product of the region in 2021"}
    base = Base(Decimal(5_500_000_000_000), title, least=Decimal("0.5"), most=Decimal(40))
    source = Source("Remittances", "KNOMAD", date(2021, 11, 1))
    recipe = Recipe("p.remittances", period="2021", as_of=date(2021, 11, 1))
    return check(Claim("c", ClaimKind.EXACT, recipe, Decimal(stated), base=base, source=source), figures)


def test_126_million_of_remittances_is_not_plausible_beside_the_product() -> None:
    verdict = remittances(126_000_000, stated=126_000_000)
    assert verdict.kind is VerdictKind.TRUE
    assert not verdict.holds
    assert "menos del mínimo creíble" in verdict.sentence("es")
    assert "Check the unit: thousands or millions?" in verdict.sentence("en")


def test_126_thousand_million_of_remittances_is_plausible() -> None:
    assert remittances(126_000_000_000, stated=126_000_000_000).holds


def test_more_than_the_product_is_not_plausible() -> None:
    verdict = remittances(6_000_000_000_000, stated=6_000_000_000_000)
    assert [note.code for note in verdict.notes] == ["tell.note.too_large"]


ETA_IOTA = (
    (5_200_000, "UN", date(2020, 11, 20)),
    (7_000_000, "UN", date(2020, 12, 2)),
    (7_300_000, "UN", date(2020, 12, 4)),
    (7_500_000, "IFRC", date(2020, 12, 16)),
)


def affected(number: int, publisher: str | None, as_of: date | None) -> Verdict:
    """The verdict on a number of people affected by Eta and Iota, as its publisher gave it."""
    rows = tuple(published(value, month="2020-11", said_by=who, known=when) for value, who, when in ETA_IOTA)
    recipe = Recipe(
        "p.affected",
        where=(f"said_by = {publisher or 'UN'}",) if publisher else (),
        period="2020-11",
        as_of=as_of,
    )
    source = Source("Eta, Iota", publisher, as_of) if publisher and as_of else None
    figures = network(affected=Series(rows, "sum:value", "figure"))
    return check(Claim("c", ClaimKind.EXACT, recipe, Decimal(number), source=source), figures)


def test_each_number_of_eta_and_iota_holds_with_its_source_and_date() -> None:
    assert affected(5_200_000, "UN", date(2020, 11, 20)).holds
    assert affected(7_500_000, "IFRC", date(2020, 12, 16)).holds


def test_a_published_figure_without_source_or_date_stops() -> None:
    verdict = affected(5_200_000, None, date(2020, 11, 20))
    assert verdict.kind is VerdictKind.TRUE
    assert not verdict.holds
    assert [note.code for note in verdict.notes] == ["tell.note.source_missing"]
    undated = affected(5_200_000 + 7_000_000 + 7_300_000 + 7_500_000, None, None)
    assert [note.code for note in undated.notes] == ["tell.note.as_of_missing", "tell.note.source_missing"]
    assert not undated.holds


def test_figures_of_two_dates_are_no_increase() -> None:
    rows = (
        published(5_200_000, month="2020-11", known=date(2020, 11, 20)),
        published(2_100_000, month="2020-11", known=date(2020, 12, 4)),
    )
    claim = Claim(
        "c",
        ClaimKind.INCREASE,
        Recipe("p.affected", period="2020-11", as_of=date(2020, 12, 4)),
        before=Recipe("p.affected", period="2020-11", as_of=date(2020, 11, 20)),
        source=Source("Eta, Iota", "UN", date(2020, 12, 4)),
    )
    verdict = check(claim, network(affected=Series(rows, "sum:value", "figure")))
    assert verdict.reason.code == "tell.not_computable.same_period"


def test_a_claim_of_our_own_records_needs_no_date_of_its_own() -> None:
    claim = trained(ClaimKind.EXACT, 162)
    verdict = check(replace(claim, recipe=replace(claim.recipe, as_of=None)), COURSE)
    assert verdict.holds
    assert verdict.notes == ()


# Intervals


some_number = some.integers(0, 300).map(Fraction)


@given(
    predicate=some.sampled_from(list(Predicate)),
    low=some_number,
    width=some.integers(0, 12),
    number=some_number,
)
def test_what_is_decided_on_the_bounds_holds_for_every_number_between(
    predicate: Predicate, low: Fraction, width: int, number: Fraction
) -> None:
    decided = holds(predicate, Interval(low, low + width), number)
    if decided is not None:
        each = [low + step for step in range(width + 1)]
        assert all(holds(predicate, Interval(value, value), number) is decided for value in each)


@given(predicate=some.sampled_from(list(Predicate)), low=some_number, number=some_number)
def test_a_figure_without_an_upper_bound_is_never_exact(
    predicate: Predicate, low: Fraction, number: Fraction
) -> None:
    decided = holds(predicate, Interval(low, None), number)
    if predicate in (Predicate.EXACT, Predicate.ABOUT, Predicate.ALMOST):
        assert decided is not True
