"""An officer corrects a rule without a release; what stood there stays to be seen."""

from __future__ import annotations

from datetime import date

import pytest
from tests.people import NOW, House, codes

from resguardo.allow.rights import Right, deadline
from resguardo.allow.rulebook import ControllerType
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow.rules import (
    Place,
    chapters_of,
    correct_holiday,
    correct_rule,
    local,
    rulebook_now,
    standing,
)

PANAMA = [(ControllerType.PRIVATE_OR_NGO, "PA")]
SOURCE = "Ley 81 de 2019, artículo 15; Gaceta Oficial 28743-A, leída el 20-11-2026"


def place(jurisdiction: str, path: str) -> Place:
    chapters = chapters_of(rulebook_now(), jurisdiction, "es")
    return next(one for chapter in chapters for one in chapter.places if one.path == path)


def test_a_corrected_period_counts_at_once_and_the_old_one_is_still_shown(house: House) -> None:
    before = deadline(Right.ACCESS, PANAMA, NOW.date(), rulebook_now()).due
    old = place("PAN", "response_deadlines.access")
    correct_rule(
        house.bruno,
        "PAN",
        "response_deadlines.access",
        '{"value": 3, "unit": "business_days"}',
        "sourced",
        SOURCE,
        now=NOW,
    )
    assert deadline(Right.ACCESS, PANAMA, NOW.date(), rulebook_now()).due < before
    new = place("PAN", "response_deadlines.access")
    assert (new.words, new.status) == ("3 días hábiles", "sourced")
    (change,) = new.changes
    assert change.correction.source == SOURCE
    assert str(change.correction.by) == "bruno@albergue.example"
    assert "10" in str(change.old_value)
    assert old.words == "10 días hábiles"


@pytest.mark.parametrize(
    ("path", "value", "status", "source", "code"),
    [
        (
            "response_deadlines.access",
            '{"value": 0, "unit": "business_days"}',
            "sourced",
            SOURCE,
            "not_number",
        ),
        ("response_deadlines.access", '{"value": 3, "unit": "weeks"}', "sourced", SOURCE, "not_unit"),
        ("response_deadlines.acces", "3", "sourced", SOURCE, "no_place"),
        ("law.in_force", "yes", "sourced", " ", "no_source"),
        ("law.in_force", "yes", "sure", SOURCE, "not_status"),
        ("iso3", "PAN", "sourced", SOURCE, "fixed_place"),
    ],
)
def test_what_could_not_stand_in_a_file_is_refused_and_nothing_is_kept(
    house: House, path: str, value: str, status: str, source: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        correct_rule(house.bruno, "PAN", path, value, status, source, now=NOW)
    assert f"allow.rulebook.{code}" in codes(refused.value.problems)
    assert not models.RulebookCorrection.objects.exists()


def test_only_an_officer_corrects(house: House) -> None:
    with pytest.raises(Refused) as refused:
        correct_rule(house.ana, "PAN", "law.in_force", "no", "sourced", SOURCE, now=NOW)
    assert codes(refused.value.problems) == ["server.protection.officer_only"]


def test_a_correction_that_no_longer_fits_is_shown_and_the_others_count(house: House) -> None:
    member = models.Member.objects.get(email="bruno@albergue.example")
    for path, value in (("response_deadlines.gone", 3), ("law.in_force", "partial")):
        models.RulebookCorrection.objects.create(
            jurisdiction="PAN", path=path, value=value, status="sourced", source=SOURCE,
            made_by=member, made_on=NOW,
        )  # fmt: skip
    found = standing()
    assert [misfit.row.path for misfit in found.misfits] == ["response_deadlines.gone"]
    assert found.rulebook.jurisdictions["PAN"].law.in_force == "partial"
    correct_rule(house.bruno, "PAN", "law.in_force", "yes", "sourced", SOURCE, now=NOW)
    assert rulebook_now().jurisdictions["PAN"].law.in_force == "yes"


def test_a_holiday_that_was_corrected_moves_the_day(house: House) -> None:
    mexico = [(ControllerType.PRIVATE_OR_NGO, "MX")]
    before = deadline(Right.ACCESS, mexico, date(2026, 11, 24), rulebook_now()).due
    correct_holiday(
        house.bruno, "MX", date(2026, 12, 3), "Día del estado", working=False, every_year=False, until=None,
        now=NOW,
    )  # fmt: skip
    assert (deadline(Right.ACCESS, mexico, date(2026, 11, 24), rulebook_now()).due - before).days >= 1


def test_every_jurisdiction_has_a_page_of_values(house: House) -> None:
    rulebook = rulebook_now()
    for name in (*rulebook.jurisdictions, "strictest_common"):
        for language in ("es", "en"):
            chapters = chapters_of(rulebook, name, language)
            assert sum(len(chapter.places) for chapter in chapters) > 5, name


def test_a_moment_is_told_on_the_clock_of_the_place() -> None:
    assert local(NOW, "MX").isoformat() == "2026-11-24T09:00:00-06:00"
    assert local(NOW, "BB").hour == 11
    assert local(NOW, "XX") == NOW
