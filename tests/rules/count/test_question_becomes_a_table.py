"""What is asked of an indicator is a table of the catalogue, or is refused with what is allowed."""

from __future__ import annotations

from functools import cache

import pytest

from resguardo.count.indicator import (
    Count,
    Filter,
    NotInCatalogue,
    TableSpec,
    read_period,
    specify,
)
from resguardo.plan.languages import explain
from resguardo.plan.programme import Programme, load_programme
from resguardo.values import PACKAGE, Population


@cache
def programme(name: str) -> Programme:
    return load_programme(PACKAGE / "programmes" / name)


def asked(indicator: str, **question: object) -> TableSpec:
    name = indicator.partition(".")[0]
    return specify(programme(name), Count(indicator, **question))  # type: ignore[arg-type]


def refusal(indicator: str, **question: object) -> str:
    with pytest.raises(NotInCatalogue) as refused:
        asked(indicator, **question)
    return explain(refused.value.problems[0], "en")


def test_a_question_in_another_order_is_the_same_table() -> None:
    one = asked("assistance.persons_registered", by=("sex", "country"), where=("nationality in HT|CU",))
    other = asked("assistance.persons_registered", by=("country", "sex"), where=("nationality in CU|HT|HT",))
    assert one == other
    assert one.digest == other.digest
    assert one.counting() == other.counting()


def test_one_value_of_several_is_the_value() -> None:
    assert asked("assistance.persons_registered", where=("sex in male",)).filters == (
        Filter("sex", "=", ("male",)),
    )


def test_the_period_comes_last_and_is_no_dimension_of_the_three() -> None:
    spec = asked(
        "assistance.persons_registered", by=("month", "country", "sex", "age_band"), period="2022-01/2022-03"
    )
    assert spec.dimensions == ("country", "sex", "age_band", "month")
    assert spec.domains[-1] == ("2022-01", "2022-02", "2022-03")


def test_a_definition_comes_back_from_plain_values() -> None:
    spec = asked("assistance.unaccompanied_children", by=("country",), period="2022")
    assert TableSpec.from_definition(spec.definition()) == spec
    assert spec.part == (Filter("accompanied_status", "=", ("unaccompanied",)),)


def test_the_class_is_that_of_the_form_or_stricter() -> None:
    assert asked("assistance.persons_registered").population is Population.PROTECTED
    assert asked("assistance.trafficking_indicators").population is Population.STRICT
    assert asked("training.people_trained").population is Population.OPEN


def test_a_person_stands_behind_persons_cases_and_businesses_but_not_behind_events() -> None:
    assert asked("training.people_trained").is_about_people
    assert asked("business_resilience.businesses").is_about_people
    assert not asked("training.workshops").is_about_people
    assert not asked("data_protection.institutions_assessed").is_about_people


def test_an_unknown_indicator_names_those_that_are_there() -> None:
    assert "training.people_trained" in refusal("training.people_counted")


def test_a_dimension_that_is_not_allowed_names_those_that_are() -> None:
    sentence = refusal("training.people_trained", by=("phone",))
    assert "phone" in sentence
    assert "country" in sentence
    assert "phone" in refusal("training.people_trained", where=("phone = 5",))


def test_an_unknown_value_names_those_that_are_there() -> None:
    sentence = refusal("assistance.persons_registered", where=("sex = feminine",))
    assert "feminine" in sentence
    assert "female" in sentence


def test_a_fourth_dimension_is_refused_also_as_a_condition() -> None:
    by = ("country", "sex", "age_band")
    assert "at most 3" in refusal("assistance.persons_registered", by=by, where=("nationality = HT",))
    assert asked("assistance.persons_registered", by=by, where=("country = MX",)).dimensions == by


def test_a_limit_of_ones_own_is_refused() -> None:
    assert "catalogue" in refusal("assistance.persons_registered", where=("age_band < 18-24",))


def test_a_condition_without_grammar_is_refused() -> None:
    assert "sex" in refusal("assistance.persons_registered", where=("sex maybe",))


@pytest.mark.parametrize("period", ["2022-13", "agosto", "2022-08/2022-01", "2022/", "22", ""])
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(NotInCatalogue):
        read_period(period)


def test_two_periods_at_once_are_refused() -> None:
    assert "one period" in refusal("training.people_trained", by=("year", "month"))


@pytest.mark.parametrize(
    "indicator",
    ["assistance.services_given", "assistance.hours_to_answer", "disaster_mobility.people_in_sites"],
)
def test_rows_means_and_sums_of_protected_people_are_refused_and_say_what_to_ask(indicator: str) -> None:
    assert "how many people" in refusal(indicator)


def test_a_narrowed_country_leaves_no_other_in_the_catalogue() -> None:
    spec = asked("training.people_trained", by=("country",), where=("country in MX|GT",))
    assert set(spec.domains[0] or ()) == {"MX", "GT"}


def test_values_never_enter_the_text_of_the_statement() -> None:
    spec = asked("assistance.persons_registered", by=("country",), where=("sex = male",), period="2022")
    statement = spec.counting()
    assert "male" not in statement.text
    assert "2022" not in statement.text
    assert statement.parameters == ("male", "2022-01", "2022-12")


def test_a_name_that_is_no_fact_makes_no_statement() -> None:
    good = asked("training.people_trained")
    with pytest.raises(ValueError, match="no name of a fact"):
        TableSpec.from_definition(
            {**good.definition(), "dimensions": ['x" FROM facts --'], "domains": [None]}
        )
    with pytest.raises(ValueError, match="its domain"):
        TableSpec.from_definition({**good.definition(), "dimensions": ["country"], "domains": []})


def test_an_operator_that_is_none_makes_no_statement() -> None:
    good = asked("training.people_trained")
    bad = TableSpec.from_definition({**good.definition(), "filters": [["sex", "OR 1=1 OR", ["x"]]]})
    with pytest.raises(ValueError, match="no condition"):
        bad.counting()
