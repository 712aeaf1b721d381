"""What the tests of the service share; the tests of the rules need nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.people import House


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """What the migrations wrote can be put back in every context of this thread.

    Django keeps it on the connection, and once Playwright's loop runs another connection is in its place.
    """
    from django.db import connections

    connection = connections["default"]
    written = getattr(connection, "_test_serialized_contents", None)
    if written is not None:
        type(connection)._test_serialized_contents = written  # type: ignore[attr-defined]


@pytest.fixture
def house(db: None) -> House:
    """Ana, Bruno and Carla, and their institutions, without a record."""
    from tests.people import make_house

    return make_house()


@pytest.fixture
def enrolments(tmp_path: Path) -> Path:
    """A file with the enrolments of Rosa, Jean and Marta."""
    from tests.people import JEAN, MARTA, ROSA, table
    from tests.rules.collect.sheets import write_csv

    return write_csv(tmp_path / "inscripciones.csv", table(ROSA, JEAN, MARTA))


@pytest.fixture
def kept(house: House, enrolments: Path) -> House:
    """The shelter keeps the three enrolments."""
    from tests.people import bring

    outcome = bring(house.ana, enrolments)
    assert (outcome.kept, outcome.refused) == (3, 0), outcome.problems
    return house
