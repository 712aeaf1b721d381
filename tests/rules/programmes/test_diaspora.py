"""Facts about the programme of the diaspora: who may write to whom, what the permissions say, what its tables
hold, and what it computes of its own."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from resguardo.allow.consent import Consent
from resguardo.allow.decision import Denial, Request, Rule, decide
from resguardo.count.indicator import Count, TableSpec, specify
from resguardo.plan.programme import load_programme, programme_called
from resguardo.programmes.diaspora import method
from resguardo.programmes.diaspora.method import (
    Needed,
    Offered,
    match_score,
    organisations_from_two_lists,
    ratio_to_product,
    weights_from,
)
from resguardo.values import Permit, Population, Sensitivity, SubjectKind

DIASPORA = programme_called("diaspora")
NOW = datetime(2022, 6, 1, 9, tzinfo=UTC)
MINISTRY, MEMBER = UUID(int=1), UUID(int=2)
GIVEN = date(2022, 3, 1)


def opening(
    purpose: str,
    *groups: Sensitivity,
    allowed: tuple[Consent, ...] = (),
    now: datetime = NOW,
    form: str = "member",
) -> Permit | Denial:
    """What is decided when somebody asks to open a record, if nothing else is said that of a member."""
    request = Request(
        who="a1",
        role="programme_manager",
        institution=MINISTRY,
        purpose=purpose,
        groups=frozenset(groups),
        subject=MEMBER,
        subject_institution=MINISTRY,
        recorded_on=GIVEN,
        form=form,
    )
    return decide(request, purposes=DIASPORA.purposes, consents=allowed, now=now)


def yes(purpose: str, withdrawn_on: date | None = None) -> Consent:
    return Consent("5f", purpose, GIVEN, "es", withdrawn_on=withdrawn_on)


def table_of(indicator: str, *by: str, where: tuple[str, ...] = ()) -> TableSpec:
    return specify(DIASPORA, Count(indicator, by=by, where=where))


# Who may write to whom


@pytest.mark.parametrize("form", ["member", "organisation"])
@pytest.mark.parametrize("purpose", [purpose.name for purpose in DIASPORA.purposes])
def test_without_a_yes_nobody_who_runs_the_register_learns_a_name(purpose: str, form: str) -> None:
    answer = opening(purpose, Sensitivity.IDENTIFIER, form=form)
    assert isinstance(answer, Denial)
    assert answer.rule in {Rule.ROLE, Rule.GROUPS, Rule.FORM, Rule.CONSENT}


def test_who_answers_for_an_organisation_is_known_to_the_directory_with_a_yes_alone() -> None:
    contact = (Sensitivity.IDENTIFIER, Sensitivity.PLAIN)
    allowed = (yes("directory"),)
    assert isinstance(opening("directory", *contact, allowed=allowed, form="organisation"), Permit)
    answer = opening("directory", *contact, form="organisation")
    assert isinstance(answer, Denial)
    assert answer.rule is Rule.CONSENT
    answer = opening("directory", *contact, allowed=allowed)
    assert isinstance(answer, Denial)
    assert answer.rule is Rule.FORM


def test_what_an_organisation_does_is_public_and_needs_no_yes() -> None:
    assert isinstance(opening("activities", Sensitivity.PLAIN, form="organisation"), Permit)
    assert isinstance(opening("activities", Sensitivity.PLAIN), Denial)


def test_a_yes_to_an_organisation_is_not_a_yes_to_the_government() -> None:
    allowed = (yes("matching"), yes("contact"))
    assert isinstance(opening("contact", Sensitivity.IDENTIFIER, allowed=allowed), Permit)
    answer = opening("government_contact", Sensitivity.IDENTIFIER, allowed=allowed)
    assert isinstance(answer, Denial)
    assert answer.rule is Rule.CONSENT


def test_who_takes_back_the_permission_is_not_written_to_any_more() -> None:
    answer = opening("contact", Sensitivity.IDENTIFIER, allowed=(yes("contact", NOW.date()),))
    assert isinstance(answer, Denial)
    assert answer.rule is Rule.CONSENT


def test_after_two_years_nobody_is_written_to() -> None:
    days = DIASPORA.purpose("contact").retention_days
    later = NOW + timedelta(days=days)
    answer = opening("contact", Sensitivity.IDENTIFIER, allowed=(yes("contact"),), now=later)
    assert isinstance(answer, Denial)
    assert answer.rule is Rule.RETENTION


def test_to_look_for_an_opportunity_no_name_is_needed() -> None:
    allowed = (yes("matching"),)
    assert isinstance(opening("matching", Sensitivity.QUASI, Sensitivity.PLAIN, allowed=allowed), Permit)
    answer = opening("matching", Sensitivity.IDENTIFIER, allowed=allowed)
    assert isinstance(answer, Denial)
    assert answer.rule is Rule.GROUPS


def test_the_money_that_somebody_sends_is_opened_only_for_the_study_and_goes_nowhere() -> None:
    opens = {purpose.name for purpose in DIASPORA.purposes if Sensitivity.SENSITIVE in purpose.opens}
    assert opens == {"remittance_study", "rights", "legal_claim"}
    received = {purpose for recipient in DIASPORA.recipients for purpose in recipient.purposes}
    assert received == {"government_contact", "contact", "directory"}


def test_a_name_leaves_the_register_only_with_a_yes() -> None:
    for recipient in DIASPORA.recipients:
        for name in recipient.purposes:
            purpose = DIASPORA.purpose(name)
            assert Sensitivity.IDENTIFIER not in purpose.opens or purpose.basis == "consent", name


def test_the_register_is_for_adults() -> None:
    assert DIASPORA.form("member").codes("age_band") == ("18-24", "25-29", "30-59", "60+")
    for text in DIASPORA.notices.values():
        assert " 18 " in text


# What the permissions say


def test_the_notice_holds_the_words_of_each_permission() -> None:
    member = DIASPORA.form("member")
    asked = [member.field(consent.field).label for consent in member.consents]
    assert len(asked) == 4
    for label in asked:
        assert label["es"] in DIASPORA.notices["es"]
        assert label["en"] in DIASPORA.notices["en"]
    for heading, language in (("Les permissions", "fr"), ("Pèmisyon", "ht")):
        (section,) = (part for part in DIASPORA.notices[language].split("## ") if part.startswith(heading))
        questions = [line for line in section.splitlines() if "?" in line]
        assert len(questions) == len(asked)


# What is counted


def test_the_forums_can_be_counted_by_country_topic_and_day() -> None:
    forums = table_of("forums", "country", "topic", "day")
    assert (forums.unit, forums.measure, forums.population) == ("event", "count", Population.OPEN)
    assert [(condition.fact, condition.values) for condition in forums.filters] == [("kind", ("forum",))]


def test_people_are_protected_and_organisations_are_not() -> None:
    for indicator in ("people_registered", "willing_mentors", "people_matched", "matches_accepted"):
        assert table_of(indicator).population is Population.PROTECTED
    for indicator in ("organisations", "contributions", "events_held", "remittances_received"):
        assert table_of(indicator).population is Population.OPEN
    assert table_of("people_registered", "isco", "lives_in").is_about_people


def test_what_is_not_remittances_can_be_told_apart() -> None:
    share = DIASPORA.indicator("contributions_beyond_remittances")
    assert (share.measure, [condition.fact for condition in share.part]) == ("share", ["sub_kind"])
    assert table_of("value_beyond_remittances", "kind").measure == "sum:value_usd"


def test_what_somebody_sends_is_never_a_fact() -> None:
    member = DIASPORA.form("member")
    assert member.about is SubjectKind.PERSON
    sealed = {field.name for field in member.fields} & {"remits_usd_month", "channel", "name", "email"}
    assert len(sealed) == 4
    assert not sealed & {fact.source for fact in member.facts}


def test_the_titles_of_occupations_are_in_three_languages_and_acknowledged() -> None:
    table = DIASPORA.table("isco08_two_digits")
    assert all(row[f"title_{language}"] for row in table.rows for language in ("es", "en", "fr"))
    assert "International Labour Organization" in table.source
    assert "European Commission" in table.source


def test_the_programme_loads_from_its_folder_as_from_the_package() -> None:
    assert load_programme(DIASPORA.folder).digest == DIASPORA.digest


# What it computes of its own


def test_the_examples_of_the_computations_hold() -> None:
    assert doctest.testmod(method).failed == 0


def test_lists_with_nothing_in_common_leave_the_number_wide_open() -> None:
    """No list can show fewer organisations than were seen."""
    found = organisations_from_two_lists(6, 4, 0)
    assert (found.number, found.low) == (34, 10)
    assert found.high > 60


def test_two_equal_lists_leave_no_organisation_unseen() -> None:
    found = organisations_from_two_lists(30, 30, 30)
    assert (found.number, found.error) == (30, 0)


def test_more_in_common_than_in_a_list_is_refused() -> None:
    with pytest.raises(ValueError, match="both lists"):
        organisations_from_two_lists(10, 5, 6)


def test_a_ratio_needs_a_product() -> None:
    with pytest.raises(ValueError, match="above zero"):
        ratio_to_product(100, 0)


WEIGHTS = weights_from(DIASPORA.table("match_weights").rows)
NURSE = Offered("222", frozenset({"es", "en"}), 10, "SV")


@pytest.mark.parametrize(
    ("needed", "score"),
    [
        (Needed("222", frozenset({"es"}), 8, "SV"), "1.0"),
        (Needed("222", frozenset({"ht"}), 8, "SV"), "0.8"),
        (Needed("222", frozenset({"es"}), 20, "SV"), "0.8"),
        (Needed("222", frozenset({"es"}), 8, "HN"), "0.9"),
        (Needed("221", frozenset({"es"}), 8, "SV"), "0.5"),
        (Needed("221", frozenset({"ht"}), 20, "HN"), "0"),
        (Needed(None, frozenset(), None, "HN"), "0.9"),
    ],
)
def test_an_offer_that_fits_more_scores_more(needed: Needed, score: str) -> None:
    assert match_score(NURSE, needed, WEIGHTS) == Decimal(score)


def test_an_answer_left_out_meets_nothing_that_is_asked() -> None:
    silent = Offered(None, frozenset(), None, "SV")
    assert match_score(silent, Needed("222", frozenset({"es"}), 8, "SV"), WEIGHTS) == Decimal("0.1")


def test_weights_that_are_not_one_together_are_refused() -> None:
    rows = [{**row, "weight": "0.3"} for row in DIASPORA.table("match_weights").rows]
    with pytest.raises(ValueError, match="together they are one"):
        weights_from(rows)
