"""What a wish ends: nothing of her that says what she wanted is left, and nothing brings it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.people import NOW, PURPOSE, RIGHTS, ROSA, House, asker, bring, leaves, member, table
from tests.rules.collect.sheets import write_csv

from resguardo_server import models
from resguardo_server.actions.allow import (
    NotAllowed,
    correct_record,
    erase_record,
    open_record,
    withdraw_consent,
)
from resguardo_server.actions.allow.erasing import erase_subject
from resguardo_server.actions.keep import verify_journals


@pytest.fixture
def rosa(house: House, tmp_path: Path) -> models.Record:
    bring(house.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
    return models.Record.objects.get()


def test_a_correction_gives_back_no_consent_that_she_took_back(house: House, rosa: models.Record) -> None:
    withdraw_consent(house.ana, rosa.id, PURPOSE, now=NOW)
    for answer in ("yes", "no", "yes"):
        correct_record(house.bruno, rosa.id, {"consent_training": answer}, RIGHTS, now=NOW)
        with pytest.raises(NotAllowed):
            open_record(house.ana, rosa.id, PURPOSE, now=NOW)


def test_an_erasure_leaves_nothing_of_what_she_wanted(house: House, rosa: models.Record) -> None:
    subject = rosa.subject
    models.Objection.objects.create(subject=subject, purpose="statistics", made_on=NOW.date())
    erase_record(house.bruno, rosa.id, now=NOW)
    for kind in (models.Objection, models.ConsentGiven, models.RecognisedAnswer, models.BlindIndex):
        assert not kind.objects.filter(subject=subject).exists(), kind.__name__


MEMBER = {
    "person_id": "P-1", "registered_on": "2026-03-02", "consent_register": "yes", "consent_contact": "no",
    "consent_government": "no", "consent_study": "no", "host_country": "DE", "origin_country": "CR",
    "age_band": "30-59", "sex": "female", "isco": "01", "willing": "mentor",
}  # fmt: skip
MATCH = {
    "person_id": "P-1", "need_code": "NE-01", "matched_on": "2026-03-01", "country": "CR", "isco": "01",
    "need_kind": "mentor", "outcome": "proposed",
}  # fmt: skip


def test_who_may_erase_a_part_of_a_person_erases_nothing_of_her(house: House, tmp_path: Path) -> None:
    """A programme manager may erase a match, and not the member's own sheet: then neither goes."""
    for form, row in (("match", MATCH), ("member", MEMBER)):
        outcome = bring(house.ana, write_csv(tmp_path / f"{form}.csv", table(row)), "diaspora", form)
        assert outcome.kept == 1, outcome.problems
    subject = models.Subject.objects.get()
    manager = asker(member("gestora@albergue.example", house.shelter, "programme_manager"))
    with pytest.raises(NotAllowed):
        erase_subject(manager, subject.id, now=NOW)
    assert models.Record.objects.count() == 2
    assert [line["dec"] for line in leaves(house.shelter) if line["act"] == "erase"] == ["deny"]
    erase_subject(house.bruno, subject.id, now=NOW)
    assert models.Record.objects.count() == models.SubjectKey.objects.count() == 0
    assert verify_journals(None, language="en")[0]["findings"] == []
