"""What happens by itself: what is over is erased or blocked, and keys are replaced and destroyed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.people import NOW, PURPOSE, RIGHTS, ROSA, House, bring, counted, leaves, table
from tests.rules.collect.sheets import write_csv

from resguardo_server import models
from resguardo_server.actions.allow import open_record, withdraw_consent
from resguardo_server.actions.keep import verify_journals
from resguardo_server.actions.tending import tend

LONG_AFTER = NOW + timedelta(days=4000)


def test_records_whose_time_is_over_are_erased_each_with_its_line_and_counted_no_more(kept: House) -> None:
    before = len(leaves(kept.shelter))
    assert tend(now=NOW).erased == 0
    done = tend(now=LONG_AFTER)
    assert (done.erased, done.blocked) == (3, 0)
    assert models.Record.objects.count() == models.SealedGroup.objects.count() == 0
    assert models.SubjectKey.objects.count() == models.BlindIndex.objects.count() == 0
    assert models.RecognisedAnswer.objects.count() == models.ConsentGiven.objects.count() == 0
    assert counted(kept.shelter) == []
    lines = leaves(kept.shelter)[before:]
    assert [line["act"] for line in lines if line["act"] == "expire"] == ["expire"] * 3
    assert {row.reason for row in models.Erasure.objects.all()} == {"expiry"}
    assert verify_journals(None, language="en")[0]["findings"] == []
    assert tend(now=LONG_AFTER).erased == 0


def test_what_an_order_holds_is_blocked_and_erased_once_the_order_is_lifted(kept: House) -> None:
    subject = models.Subject.objects.order_by("id")[0]
    member = models.Member.objects.get(email=kept.bruno.name)
    hold = models.LegalHold.objects.create(
        subject=subject, order="Juzgado 3, exp. 12/2026", since=NOW.date(), placed_by=member
    )
    done = tend(now=LONG_AFTER)
    assert (done.erased, done.blocked) == (2, 1)
    subject.refresh_from_db()
    assert subject.restricted
    assert (tend(now=LONG_AFTER).erased, tend(now=LONG_AFTER).blocked) == (0, 0), "it is blocked once"
    hold.lifted_on = LONG_AFTER.date()
    hold.save()
    assert tend(now=LONG_AFTER).erased == 1


def test_a_sheet_that_expired_does_not_come_in_again(kept: House, enrolments: Path) -> None:
    tend(now=LONG_AFTER)
    outcome = bring(kept.ana, enrolments, now=LONG_AFTER)
    assert (outcome.kept, outcome.known) == (0, 3)


def days_kept(institution: models.Institution) -> dict[str, int]:
    """For how many days the records of each form are kept, from today."""
    rows = models.Record.objects.filter(institution=institution)
    return {row.form: (row.keep_until - NOW.date()).days for row in rows}


FOLLOW_UP = {
    "participant_code": "C-0001", "followed_up_on": "2026-11-20", "course_code": "COM-1",
    "edition_code": "COM-1-2026", "topic": "terminology", "mode": "in_person", "country": "GT",
    "sex": "female", "institution_type": "radio", "applied": "no", "works_published": "0",
}  # fmt: skip
"""A visit half a year after the course: its form asks for no consent of its own."""


def test_a_follow_up_is_kept_by_what_was_agreed_to_on_the_sheet_that_opened_the_case(
    house: House, tmp_path: Path
) -> None:
    """The sheets may come in any order; without Rosa's yes the follow-up would go after thirty days."""
    follow_up = write_csv(tmp_path / "visita.csv", table(FOLLOW_UP))
    assert bring(house.ana, follow_up, form="follow_up").kept == 1
    assert days_kept(house.shelter) == {"follow_up": 30}
    bring(house.ana, write_csv(tmp_path / "alta.csv", table(ROSA)))
    assert days_kept(house.shelter)["follow_up"] == 1825


def test_what_is_withdrawn_shortens_the_time_but_leaves_days_in_which_she_can_be_asked(
    house: House, tmp_path: Path
) -> None:
    bring(house.ana, write_csv(tmp_path / "alta.csv", table(ROSA)))
    bring(house.ana, write_csv(tmp_path / "visita.csv", table(FOLLOW_UP)), form="follow_up")
    assert days_kept(house.shelter) == {"enrolment": 3650, "follow_up": 1825}
    enrolment = models.Record.objects.get(form="enrolment")
    withdraw_consent(house.ana, enrolment.id, PURPOSE, now=NOW)
    # A certificate is kept by the law.
    assert days_kept(house.shelter) == {"enrolment": 3650, "follow_up": 30}


def test_keys_are_replaced_after_their_time_and_the_old_ones_destroyed_when_no_backup_needs_them(
    kept: House,
) -> None:
    versions = models.CompartmentKeyVersion.objects.filter(institution=kept.shelter).order_by("number")
    versions.update(made_on=NOW)
    assert tend(now=NOW + timedelta(days=29)).rotated == 0
    assert tend(now=NOW + timedelta(days=30)).rotated == 1
    assert [row.replaced_on is not None for row in versions] == [True, False]
    assert tend(now=NOW + timedelta(days=59)).destroyed_keys == 0
    assert tend(now=NOW + timedelta(days=61)).destroyed_keys == 1
    record = models.Record.objects.order_by("id")[0]
    assert open_record(kept.bruno, record.id, RIGHTS, now=NOW)["answers"]
