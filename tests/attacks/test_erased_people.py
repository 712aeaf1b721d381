"""Who was erased is not in a backup either: it is put back with today's keys, and she does not open.

The backup is a copy of the database as it was before she was erased. Keys are replaced every thirty days and
the old ones destroyed when no backup is kept from their time; from then on whatever still lies in a copy of a
copy is noise. Before that day it opens: that is the control, and why the person is told the day.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from tests.people import NOW, RIGHTS, ROSA, House, bring, make_house, record_about, table
from tests.rules.collect.sheets import write_csv

from resguardo.values import Refused
from resguardo_keyholder.asked import Wrapped
from resguardo_server import models
from resguardo_server.actions.allow import NotAllowed, erase_record, open_record
from resguardo_server.actions.keep import check_journals
from resguardo_server.actions.keep.rotation import destroy_old_keys, rotate_keys
from resguardo_server.keyholders import keyholder

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LONG = os.environ.get("RESGUARDO_LONG") == "1"
PEOPLE = 200 if LONG else 12
LATER = NOW + timedelta(days=31)

TABLES: Sequence[Any] = (
    models.Subject, models.SubjectKey, models.Record, models.SealedGroup, models.BlindIndex,
    models.RecognisedAnswer, models.ConsentGiven,
)  # fmt: skip


def quiet(done: int, total: int | None) -> None:
    return None


def sheet(folder: Path, name: str = "a.csv") -> Path:
    people = [
        {**ROSA, "participant_code": f"C-{number}", "full_name": f"Persona {number} Xóchitl"}
        for number in range(PEOPLE)
    ]
    return write_csv(folder / name, table(*people))


def backup() -> dict[Any, list[dict[str, Any]]]:
    """Every row about people, as a dump holds it."""
    return {
        model: [
            {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
            for row in model.objects.values()
        ]
        for model in TABLES
    }


@contextmanager
def restored(rows: dict[Any, list[dict[str, Any]]]) -> Iterator[None]:
    """The tables hold what the backup held; afterwards what they held before."""
    now = backup()
    _put(rows)
    yield
    _put(now)


def _put(rows: dict[Any, list[dict[str, Any]]]) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys=OFF")
    for model in (
        models.SealedGroup,
        models.BlindIndex,
        models.RecognisedAnswer,
        models.ConsentGiven,
        models.SubjectKey,
    ):
        model.objects.all().delete()
    for model in TABLES:
        known = set(model.objects.values_list("pk", flat=True))
        model.objects.bulk_create(model(**row) for row in rows[model] if row["id"] not in known)
        if model in (models.Subject, models.Record):
            fields = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
            names = [name.removesuffix("_id") for name in fields]
            model.objects.bulk_update((model(**row) for row in rows[model]), names)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys=ON")


@pytest.fixture
def full(tmp_path: Path) -> House:
    house = make_house()
    assert bring(house.ana, sheet(tmp_path)).kept == PEOPLE
    return house


def erase_half(house: House) -> tuple[list[Any], list[Any]]:
    """Every other person is erased; gives the records of the erased and of the living."""
    records = [record_about(house.ana, f"C-{number}") for number in range(PEOPLE)]
    for record in records[::2]:
        erase_record(house.bruno, record.id, now=NOW)
    return [record.id for record in records[::2]], [record.id for record in records[1::2]]


def opens(house: House, record: Any, now: Any = NOW) -> bool:
    try:
        answers = open_record(house.bruno, record, RIGHTS, now=now)["answers"]
    except NotAllowed:
        raise
    except Refused:
        return False
    return "Xóchitl" in answers["full_name"]


def test_after_the_old_key_is_destroyed_a_backup_gives_back_the_living_and_nobody_who_was_erased(
    full: House,
) -> None:
    before = backup()
    erased, living = erase_half(full)
    assert [record for record in erased if opens(full, record)] == []
    with restored(before):
        # The control: as long as the old key exists, the backup would give her back.
        assert [record for record in erased if not opens(full, record)] == []
    rotate_keys(full.shelter.as_value(), advance=quiet, now=NOW)
    with restored(before):
        assert [record for record in erased if not opens(full, record)] == []
    assert destroy_old_keys(full.shelter.as_value(), now=NOW + timedelta(days=29)) == []
    newer = backup()
    assert len(destroy_old_keys(full.shelter.as_value(), now=LATER)) == 1
    assert set(models.Erasure.objects.values_list("unrecoverable_on", flat=True)) == {LATER}
    with restored(before):
        assert [record for record in erased if opens(full, record, LATER)] == []
    # A backup of that night, and what is there: everybody who lives opens.
    with restored(newer):
        assert [record for record in living if not opens(full, record, LATER)] == []
    assert [record for record in living if not opens(full, record, LATER)] == []


def test_the_stolen_wrapped_key_of_an_erased_person_is_wrapped_anew_by_nobody(full: House) -> None:
    """The service was taken over and kept her wrapped key; after the old key is gone it is of no use."""
    rows = {row.subject_id: row for row in models.SubjectKey.objects.all()}
    erase_half(full)
    gone = [
        row for subject, row in rows.items() if not models.SubjectKey.objects.filter(subject=subject).exists()
    ]
    assert len(gone) == PEOPLE // 2
    rotate_keys(full.shelter.as_value(), advance=quiet, now=NOW)
    destroy_old_keys(full.shelter.as_value(), now=LATER)
    asked: list[Callable[[Wrapped], object]] = [
        lambda key: keyholder().rewrap(full.shelter.id, [key]),
        lambda key: keyholder().marks(full.shelter.id, [key]),
    ]
    for row in gone:
        key = Wrapped(row.subject_id, row.compartment, row.version, bytes(row.wrapped))
        for ask in asked:
            with pytest.raises(Refused):
                ask(key)


def test_a_sheet_that_is_sent_again_does_not_bring_back_who_was_erased(full: House, tmp_path: Path) -> None:
    erased, living = erase_half(full)
    again = bring(full.ana, sheet(tmp_path, "again.csv"))
    assert (again.kept, again.known, again.refused) == (0, PEOPLE, 0)
    assert models.Record.objects.filter(institution=full.shelter).count() == len(living)
    assert models.SubjectKey.objects.count() == len(living)
    assert not models.Record.objects.filter(id__in=erased).exists()


def test_who_puts_an_erased_person_back_is_found_by_the_journal(full: House) -> None:
    before = backup()
    erased, _ = erase_half(full)
    assert [line for found in check_journals(None, language="en") for line in found["findings"]] == []
    with restored(before):
        findings = [line for found in check_journals(None, language="en") for line in found["findings"]]
    assert [record for record in erased if not any(str(record) in line for line in findings)] == []
