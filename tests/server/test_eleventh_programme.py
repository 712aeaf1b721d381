"""An eleventh programme is a folder: it is made, checked, filled, counted and opened without our code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.people import NOW, House, bring, codes, leaves, member, only_record, table
from tests.rules.collect.sheets import write_csv

from resguardo.plan.programme import load_programme, new_programme
from resguardo.values import Refused
from resguardo_server import cli, models
from resguardo_server.actions.allow import open_record
from resguardo_server.actions.count import count_indicator
from resguardo_server.actions.members import asker
from resguardo_server.actions.plan import all_programmes, programme_named

PEOPLE = 60


def visitor(number: int) -> dict[str, str]:
    """Somebody who came to the centre."""
    return {
        "visitor_code": f"V-{number:03d}",
        "visited_on": "2026-06-01",
        "consent_help": "yes",
        "full_name": f"Petrona Xitumul {number}",
        "birth_date": "1990-05-01",
        "sex": "female",
        "country": "GT",
        "service": "legal",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The programme that somebody made outside our package."""
    (tmp_path / "own").mkdir()
    return new_programme(tmp_path / "own", "legal_advice")


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """What they collected."""
    return write_csv(tmp_path / "visits.csv", table(*(visitor(number) for number in range(PEOPLE))))


def test_it_is_made_and_checked_by_two_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["new", "legal_advice", "--in", str(tmp_path)], ["check", str(tmp_path / "legal_advice")]):
        monkeypatch.setattr("sys.argv", ["resguardo", "programme", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
    out = capsys.readouterr().out
    assert str(tmp_path / "legal_advice") in out
    assert re.search(r"✓ legal_advice: 1 \w+, 1 indica", out)


def test_its_answers_come_in_by_its_folder_and_from_then_on_by_its_name(
    house: House, folder: Path, visits: Path
) -> None:
    outcome = bring(house.ana, visits, str(folder), None)
    assert (outcome.form, outcome.kept, outcome.refused) == ("legal_advice.visit", PEOPLE, 0)
    assert programme_named("legal_advice") == load_programme(folder)
    assert len(all_programmes()) == 11
    again = bring(house.ana, visits, "legal_advice", None)
    assert (again.kept, again.known) == (0, PEOPLE)


def test_its_indicator_is_counted_and_its_groups_are_protected(
    house: House, folder: Path, visits: Path
) -> None:
    bring(house.ana, visits, str(folder), None)
    counted = count_indicator("legal_advice.people_helped", by=("country", "sex"), now=NOW)
    assert counted.method.base > 1, "people are protected unless the folder says that they are not"
    assert abs(int(counted.total.value or 0) - PEOPLE) < counted.method.base
    with pytest.raises(Refused) as refused:
        count_indicator("legal_advice.people_helped", by=("need",), now=NOW)
    assert "need" in str(refused.value.problems)


def test_its_records_open_for_its_purposes_to_its_roles_and_leave_a_line(
    house: House, folder: Path, tmp_path: Path
) -> None:
    bring(house.ana, write_csv(tmp_path / "one.csv", table(visitor(1))), str(folder), None)
    record = only_record(house.shelter)
    opened = open_record(house.ana, record.id, "help", now=NOW)
    assert opened["answers"]["full_name"] == "Petrona Xitumul 1"
    assert [line["act"] for line in leaves(house.shelter)][-1] == "read"
    trainer = asker(member("eva@albergue.example", house_row(house), "trainer"))
    with pytest.raises(Refused):
        open_record(trainer, record.id, "help", now=NOW)


def house_row(house: House) -> models.Institution:
    """The shelter's row."""
    return models.Institution.objects.get(slug=house.shelter.slug)


def test_two_programmes_of_one_name_are_refused_and_the_first_stays(
    house: House, folder: Path, visits: Path, tmp_path: Path
) -> None:
    bring(house.ana, visits, str(folder), None)
    (tmp_path / "theirs").mkdir()
    other = new_programme(tmp_path / "theirs", "legal_advice")
    with pytest.raises(Refused) as refused:
        bring(house.ana, visits, str(other), None)
    assert codes(refused.value.problems) == ["server.said.own_name_taken"]
    assert str(folder) in str(refused.value.problems)
    assert programme_named("legal_advice").folder == folder.resolve()


def test_a_folder_may_not_take_the_name_of_one_of_ours(house: House, visits: Path, tmp_path: Path) -> None:
    mine = new_programme(tmp_path, "training")
    with pytest.raises(Refused) as refused:
        bring(house.ana, visits, str(mine), None)
    assert codes(refused.value.problems) == ["server.said.own_name_taken"]
    assert models.Record.objects.count() == 0


def test_a_folder_that_does_not_load_brings_nothing_in(house: House, folder: Path, visits: Path) -> None:
    toml = folder / "programme.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("retention_days = 730\n", ""), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        bring(house.ana, visits, str(folder), None)
    (problem,) = refused.value.problems
    assert (problem.file, problem.column) == ("legal_advice/programme.toml", "retention_days")
    assert models.Record.objects.count() == models.ProgrammeFolder.objects.count() == 0
