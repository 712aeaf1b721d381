"""What is asked of an indicator is a table of the catalogue, or is refused with what is allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rules.count.aid import aid, asked

from resguardo.count.indicator import (
    Count,
    Filter,
    NotInCatalogue,
    TableSpec,
    read_period,
    specify,
)
from resguardo.plan.languages import explain
from resguardo.values import Population


def refusal(indicator: str, **question: tuple[str, ...]) -> str:
    with pytest.raises(NotInCatalogue) as refused:
        asked(indicator, **question)  # type: ignore[arg-type]
    return explain(refused.value.problems[0], "en")


def test_a_question_in_another_order_is_the_same_table() -> None:
    one = asked("people_met", by=("sex", "country"), where=("age_band in 0-4|5-11",))
    other = asked("people_met", by=("country", "sex"), where=("age_band in 5-11|0-4|5-11",))
    assert one == other
    assert one.digest == other.digest
    assert one.counting() == other.counting()


def test_one_value_of_several_is_the_value() -> None:
    assert asked("people_met", where=("sex in male",)).filters == (Filter("sex", "=", ("male",)),)


def test_the_period_comes_last_and_is_no_dimension_of_the_three() -> None:
    spec = asked("people_met", by=("month", "country", "sex", "age_band"), period="2022-01/2022-03")
    assert spec.dimensions == ("country", "sex", "age_band", "month")
    assert spec.domains[-1] == ("2022-01", "2022-02", "2022-03")


def test_a_definition_comes_back_from_plain_values() -> None:
    spec = asked("women_share", by=("country",), period="2022")
    assert TableSpec.from_definition(spec.definition()) == spec
    assert spec.part == (Filter("sex", "=", ("female",)),)


def test_the_class_is_that_of_the_form_or_stricter() -> None:
    assert asked("people_met").population is Population.PROTECTED
    assert asked("refugees").population is Population.STRICT
    assert asked("people_trained").population is Population.OPEN
    assert asked("careful_people_trained").population is Population.PROTECTED


def test_a_person_stands_behind_persons_cases_and_businesses_but_not_behind_events() -> None:
    assert asked("people_trained").is_about_people
    assert asked("firms").is_about_people
    assert asked("attacks").is_about_people
    assert not asked("workshops").is_about_people
    assert not asked("people_at_workshops").is_about_people
    assert not asked("laws").is_about_people


def test_an_unknown_indicator_names_those_that_are_there() -> None:
    assert "aid.people_trained" in refusal("people_counted")


def test_a_dimension_that_is_not_allowed_names_those_that_are() -> None:
    sentence = refusal("people_trained", by=("phone",))
    assert "phone" in sentence
    assert "country" in sentence
    assert "phone" in refusal("people_trained", where=("phone = 5",))


def test_an_unknown_value_names_those_that_are_there() -> None:
    sentence = refusal("people_met", where=("sex = feminine",))
    assert "feminine" in sentence
    assert "female" in sentence


def test_a_fourth_dimension_is_refused_also_as_a_condition() -> None:
    met = aid().indicator("people_met")
    wider = replace(aid(), indicators=(replace(met, dimensions=(*met.dimensions, "topics")),))
    by = ("country", "sex", "age_band")
    with pytest.raises(NotInCatalogue, match="too_many"):
        specify(wider, Count("aid.people_met", by=by, where=("topics = health",)))
    assert specify(wider, Count("aid.people_met", by=by, where=("country = MX",))).dimensions == by


def test_a_limit_of_ones_own_is_refused() -> None:
    assert "catalogue" in refusal("people_met", where=("age_band < 18-24",))


def test_a_condition_without_grammar_is_refused() -> None:
    assert "sex" in refusal("people_met", where=("sex maybe",))


@pytest.mark.parametrize("period", ["2022-13", "agosto", "2022-08/2022-01", "2022/", "22", ""])
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(NotInCatalogue):
        read_period(period)


def test_two_periods_at_once_are_refused() -> None:
    assert "one period" in refusal("people_trained", by=("year", "month"))


@pytest.mark.parametrize(
    "indicator",
    ["meetings", "mean_score", "all_scores"],
)
def test_rows_means_and_sums_of_protected_people_are_refused_and_say_what_to_ask(indicator: str) -> None:
    assert "how many people" in refusal(indicator)


def test_a_narrowed_country_leaves_no_other_in_the_catalogue() -> None:
    spec = asked("people_trained", by=("country",), where=("country in MX|GT",))
    assert set(spec.domains[0] or ()) == {"MX", "GT"}


def test_an_answer_that_may_be_missing_has_a_cell_of_its_own() -> None:
    assert asked("people_met", by=("sex", "country")).domains == (
        ("MX", "GT", "HN"),
        ("female", "male", "other", "not_stated"),
    )
    assert asked("people_met", by=("sex",), where=("sex != other",)).domains == (
        ("female", "male", "not_stated"),
    )


def test_several_answers_at_once_keep_every_code_also_when_narrowed() -> None:
    spec = asked("people_by_topic", by=("topics",), where=("topics = health",))
    assert spec.domains == (("documents", "health", "not_stated"),)
    assert spec.lists == {"topics"}


def test_the_institutions_of_a_table_are_those_that_take_part() -> None:
    spec = asked("people_by_institution", by=("institution", "institution_country"))
    assert spec.domains == ((), ())


def test_the_indicators_own_conditions_are_filters() -> None:
    assert asked("people_trained").filters == (Filter("score", ">=", ("5",)),)
    assert asked("people_trained").numbers == {"score"}


def test_a_day_is_asked_only_where_a_form_keeps_days() -> None:
    assert asked("workshops", by=("day",)).dimensions == ("day",)
    assert asked("first_workshop").measure == "first"
    assert "day" in refusal("people_met", by=("day",))


def test_a_share_of_people_under_strict_protection_is_refused() -> None:
    assert "strict" in refusal("refugee_women_share")


def test_values_never_enter_the_text_of_the_statement() -> None:
    spec = asked("people_met", by=("country",), where=("sex = male",), period="2022")
    statement = spec.counting()
    assert "male" not in statement.text
    assert "2022" not in statement.text
    assert statement.parameters == ("male", "2022-01", "2022-12")


def test_a_name_that_is_no_fact_makes_no_statement() -> None:
    good = asked("people_trained")
    with pytest.raises(ValueError, match="no name of a fact"):
        TableSpec.from_definition(
            {**good.definition(), "dimensions": ['x" FROM facts --'], "domains": [None]}
        )
    with pytest.raises(ValueError, match="its domain"):
        TableSpec.from_definition({**good.definition(), "dimensions": ["country"], "domains": []})


def test_an_operator_that_is_none_makes_no_statement() -> None:
    good = asked("people_trained")
    bad = TableSpec.from_definition({**good.definition(), "filters": [["sex", "OR 1=1 OR", ["x"]]]})
    with pytest.raises(ValueError, match="no condition"):
        bad.counting()
