"""Facts of invented crowds, and the tables that the tests of the room ask of them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow

from resguardo.count.disclosure import CKR5, Ledger, Method, SafeTable, protect
from resguardo.count.indicator import CELL_PRIME, TableSpec
from resguardo.count.table import RawCells, tabulate
from resguardo.values import Population

DAY = date(2022, 8, 11)
COUNTRIES = ("GT", "HN", "MX", "SV")
SEXES = ("female", "male", "other")
TOPICS = ("documents", "health", "work")

Row = Mapping[str, Any]


def unit_of(number: int | str) -> str:
    """A pseudonym, the same for the same person."""
    return hashlib.sha256(f"unit {number}".encode()).hexdigest()[:32]


def rkey_of(number: int | str) -> int:
    """A record key, the same for the same person."""
    return int.from_bytes(hashlib.sha256(f"rkey {number}".encode()).digest()[:8], "big") % CELL_PRIME


def person(number: int | str, **facts: Any) -> Row:
    """One row about one person: a woman who was met in Mexico in May, unless the facts say otherwise."""
    return {
        "unit": unit_of(number),
        "rkey": rkey_of(number),
        "institution": "albergue-norte",
        "institution_kind": "shelter",
        "institution_country": "MX",
        "country": "MX",
        "month": "2022-05",
        "year": "2022",
        "sex": "female",
        "topics": ["health"],
        "score": 7,
        "day": "2022-05-04",
        **facts,
    }


def facts_of(rows: Iterable[Row]) -> pyarrow.Table:
    """The rows as columns."""
    schema = {
        "rkey": pyarrow.int64(),
        "score": pyarrow.int64(),
        "topics": pyarrow.list_(pyarrow.string()),
    }
    kept = list(rows)
    names = person(0).keys()
    return pyarrow.table(
        {
            name: pyarrow.array([row[name] for row in kept], schema.get(name, pyarrow.string()))
            for name in names
        }
    )


def crowd(size: int, seed: str = "crowd") -> list[Row]:
    """So many different people, in four countries, of three sexes, with topics."""
    drawn = random.Random(seed)
    return [
        person(
            f"{seed} {number}",
            country=drawn.choices(COUNTRIES, (4, 3, 2, 1))[0],
            sex=drawn.choices(SEXES, (9, 9, 1))[0],
            topics=drawn.sample(TOPICS, drawn.randrange(3)),
            month=f"2022-{drawn.randrange(1, 13):02d}",
            institution=drawn.choice(("albergue-norte", "consulado-sur")),
            score=drawn.randrange(11),
        )
        for number in range(size)
    ]


DOMAINS = {"country": COUNTRIES, "sex": SEXES, "topics": (*TOPICS, "not_stated"), "month": None}


def spec_of(*dimensions: str, population: str = "protected", things: str = "", **changes: Any) -> TableSpec:
    """A table of people by these dimensions; `things` names another unit, which stands for no person."""
    return TableSpec(
        **{
            "id": "aid.people_met",
            "version": 1,
            "source": "aid.meeting",
            "unit": things or "person",
            "population": Population(population),
            "is_about_people": not things,
            "measure": "count",
            "dimensions": dimensions,
            "domains": tuple(DOMAINS.get(name) for name in dimensions),
            "lists": frozenset({"topics"}),
            "numbers": frozenset({"score"}),
            **changes,
        }
    )


def raw_of(rows: Iterable[Row], spec: TableSpec, *, as_of: date = DAY) -> RawCells:
    """The true cells of the table over the rows."""
    return tabulate(facts_of(rows), spec, as_of=as_of)


def table_of(
    rows: Iterable[Row],
    spec: TableSpec | None = None,
    *,
    method: Method = CKR5,
    ledger: Ledger | None = None,
    chance: Callable[[int], bytes] | None = None,
    as_of: date = DAY,
) -> SafeTable:
    """The protected table of the rows; in a ledger of its own, unless one is given."""
    raw = raw_of(rows, spec if spec is not None else spec_of(), as_of=as_of)
    return protect(raw, method, ledger if ledger is not None else Ledger(), chance=chance)


def chance_of(seed: str) -> Callable[[int], bytes]:
    """Bytes that look like chance and are the same in every run."""
    drawn = random.Random(seed)
    return drawn.randbytes
