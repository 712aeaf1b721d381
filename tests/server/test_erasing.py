"""ad hoc"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.people import NOW, PURPOSE, RIGHTS, ROSA, House, bring, make_house, table
from tests.rules.collect.sheets import write_csv

from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import correct_record, erase_record, open_record, withdraw_consent


@pytest.fixture
def house(db: None, tmp_path: Path) -> House:
    made = make_house()
    bring(made.ana, write_csv(tmp_path / "a.csv", table(ROSA)))
    return made


def test_back(house: House) -> None:
    row = models.Record.objects.get()
    withdraw_consent(house.ana, row.id, PURPOSE, now=NOW)
    correct_record(house.bruno, row.id, {"consent_training": "yes"}, RIGHTS, now=NOW)
    with pytest.raises(Refused):
        open_record(house.ana, row.id, PURPOSE, now=NOW)


def test_left(house: House) -> None:
    row = models.Record.objects.get()
    subject = row.subject_id
    models.Objection.objects.create(subject_id=subject, purpose="training", made_on=NOW.date())
    erase_record(house.bruno, row.id, now=NOW)
    assert not models.Objection.objects.exists()
