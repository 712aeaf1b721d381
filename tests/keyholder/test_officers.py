"""Ceilings: counted by people, kept over a restart, raised by two officers for a while and no longer."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from resguardo.values import Refused
from resguardo_keyholder.asked import Ceilings
from resguardo_keyholder.budget import Budget, Spent
from resguardo_keyholder.officers import Officers, Vouching

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SHELTER, CONSULATE = UUID(int=1), UUID(int=2)
ANA = "a" * 32
COMPARTMENT = "casa/training"


def opened(budget: Budget, number: int, at: datetime = NOW, who: str = ANA, where: UUID = SHELTER) -> bool:
    """Whether one more person may be opened; then she is."""
    mark = f"{number:032x}"
    if budget.over(where, who, COMPARTMENT, mark, now=at) is not None:
        return False
    budget.spend(Spent(at, where, who, COMPARTMENT, mark))
    return True


def test_people_are_counted_and_not_openings() -> None:
    budget = Budget(usual=Ceilings(member_hour=3, institution_day=100, compartment_day=100))
    assert [opened(budget, number) for number in (1, 1, 2, 1, 3, 4, 2, 5)] == [
        True, True, True, True, True, False, True, False,
    ]  # fmt: skip


def test_an_hour_later_a_member_may_go_on_and_a_day_later_the_institution_may() -> None:
    budget = Budget(usual=Ceilings(member_hour=2, institution_day=3, compartment_day=100))
    assert [opened(budget, number) for number in (1, 2, 3)] == [True, True, False]
    later = NOW + timedelta(hours=1)
    assert [opened(budget, number, later) for number in (3, 4)] == [True, False]
    assert opened(budget, 4, NOW + timedelta(hours=24, minutes=1))


def test_another_institution_and_another_member_have_budgets_of_their_own() -> None:
    budget = Budget(usual=Ceilings(member_hour=1, institution_day=2, compartment_day=100))
    assert opened(budget, 1)
    assert not opened(budget, 2)
    assert opened(budget, 2, who="b" * 32)
    assert not opened(budget, 3, who="c" * 32), "the institution's day is full"
    assert opened(budget, 3, who="d" * 32, where=CONSULATE)


def test_what_was_spent_is_still_spent_after_a_restart(tmp_path: Path) -> None:
    usual = Ceilings(member_hour=2, institution_day=100, compartment_day=100)
    first = Budget(tmp_path, usual=usual)
    assert [opened(first, number) for number in (1, 2)] == [True, True]
    again = Budget(tmp_path, usual=usual)
    assert not opened(again, 3)
    assert opened(again, 1), "who was opened already costs nothing"
    assert opened(Budget(tmp_path, usual=usual), 3, NOW + timedelta(hours=2))
    assert (tmp_path / "spent").stat().st_mode & 0o077 == 0


def two(folder: Path) -> tuple[Officers, list[Vouching]]:
    officers = Officers(folder)
    people = [Vouching("marta", "una frase de seis palabras"), Vouching("pedro", "otra frase muy distinta")]
    for person in people:
        officers.add(person.name, person.passphrase, secrets.token_bytes)
    return officers, people


def test_two_officers_raise_a_ceiling_until_its_moment(tmp_path: Path) -> None:
    officers, people = two(tmp_path)
    budget = Budget(tmp_path, usual=Ceilings(member_hour=1, institution_day=100, compartment_day=100))
    assert [opened(budget, number) for number in (1, 2)] == [True, False]
    raised = Ceilings(member_hour=3, institution_day=100, compartment_day=100, until=NOW + timedelta(hours=2))
    officers.raise_ceilings(SHELTER, raised, people, now=NOW)
    assert [opened(budget, number) for number in (2, 3, 4)] == [True, True, False]
    assert budget.ceilings(SHELTER, NOW + timedelta(hours=2)).member_hour == 1
    assert budget.ceilings(CONSULATE, NOW).member_hour == 1


@pytest.mark.parametrize(
    "vouching",
    [
        [],
        [Vouching("marta", "una frase de seis palabras")],
        [Vouching("marta", "una frase de seis palabras")] * 2,
        [Vouching("marta", "una frase de seis palabras"), Vouching("pedro", "una frase de seis palabras")],
        [Vouching("marta", "una frase de seis palabras"), Vouching("nadie", "otra frase muy distinta")],
    ],
    ids=["nobody", "one", "the same twice", "a wrong passphrase", "a stranger"],
)
def test_one_alone_raises_nothing(tmp_path: Path, vouching: list[Vouching]) -> None:
    officers, _ = two(tmp_path)
    with pytest.raises(Refused) as refused:
        officers.raise_ceilings(SHELTER, Ceilings(until=NOW + timedelta(hours=1)), vouching, now=NOW)
    assert refused.value.problems[0].code == "keyholder.officers.not_two"
    assert not (tmp_path / "ceilings.toml").exists()


@pytest.mark.parametrize("until", [None, NOW, NOW + timedelta(days=8)])
def test_a_ceiling_is_raised_for_a_week_at_most(tmp_path: Path, until: datetime | None) -> None:
    officers, people = two(tmp_path)
    with pytest.raises(Refused) as refused:
        officers.raise_ceilings(SHELTER, Ceilings(until=until), people, now=NOW)
    assert refused.value.problems[0].code == "keyholder.officers.until"


def test_a_third_officer_comes_in_only_when_two_vouch(tmp_path: Path) -> None:
    officers, people = two(tmp_path)
    with pytest.raises(Refused):
        officers.add("intrusa", "una frase larga y rara", secrets.token_bytes)
    officers.add("lucia", "una frase larga y rara", secrets.token_bytes, vouched_by=people)
    assert officers.names() == ("lucia", "marta", "pedro")
    assert b"frase" not in (tmp_path / "officers.json").read_bytes()


def test_the_ceilings_of_two_institutions_stand_side_by_side(tmp_path: Path) -> None:
    officers, people = two(tmp_path)
    for place, most in ((SHELTER, 70), (CONSULATE, 80), (SHELTER, 90)):
        raised = Ceilings(member_hour=most, until=NOW + timedelta(hours=1))
        officers.raise_ceilings(place, raised, people, now=NOW)
    budget = Budget(tmp_path)
    assert budget.ceilings(SHELTER, NOW).member_hour == 90
    assert budget.ceilings(CONSULATE, NOW).member_hour == 80
    assert len((tmp_path / "raised.log").read_text().splitlines()) == 3
