"""Nothing that a person said lies anywhere in clear: planted canaries are looked for wherever bytes could be.

The one place where they may lie is the file of refused rows, which a clerk is told to mend and to delete.
"""

from __future__ import annotations

import base64
import csv
import json
import logging
import sys
import tempfile
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection, transaction
from tests.people import (
    NOW,
    PURPOSE,
    RIGHTS,
    ROSA,
    YESENIA,
    House,
    bring,
    leaves,
    make_house,
    octets_of,
    record_about,
    table,
)
from tests.rules.collect.sheets import write_csv, write_workbook

from resguardo.collect.sheet import open_sheet
from resguardo.collect.submission import Submission, read_submissions
from resguardo.plan.languages import explain
from resguardo.plan.programme import built_in
from resguardo.values import Refused
from resguardo_server import models
from resguardo_server.actions.allow import (
    correct_record,
    erase_record,
    open_record,
    receive,
    withdraw_consent,
)
from resguardo_server.actions.keep import export_journal, verify_journals

CHANCE = Random(20261124)


def word(length: int = 9) -> str:
    """Letters that stand nowhere else."""
    return "".join(CHANCE.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(length))


def number(length: int = 12) -> str:
    """Digits that stand nowhere else."""
    return "".join(CHANCE.choice("0123456789") for _ in range(length))


def enrolment() -> dict[str, str]:
    """Somebody who enrols: identifiers, an employer and two texts about health, all of them canaries."""
    return {
        "participant_code": f"C-{word()}",
        "full_name": f"Ñusta {word()} Güicho-{word(6).title()}",
        "email": f"{word().lower()}@correo.example",
        "phone": f"+{number()}",
        "identity_document": f"{number(8)}-{word(4)}",
        "employer": f"Radio {word()} de Ocós",
        "disability_need": f"Epilepsia, toma {word().lower()}",
        "diet": f"Diabetes; {word()} después de comer",
    }


def registration() -> dict[str, str]:
    """Somebody whom a shelter registers, with a way of two places, which are a repeat."""
    return {
        "case_code": f"TAP-{word()}",
        "name": f"Yâdira {word()}",
        "alias": f"la {word()}",
        "id_doc_no": f"{word(3)}{number(9)}",
        "phone": f"+{number()}",
        "route[1]/route_place": f"Río {word()}",
        "route[2]/route_place": f"Casa de la señora {word()}",
    }


ENROLLED = {name: enrolment() for name in ("opened", "corrected", "erased", "refused")}
REGISTERED = {name: registration() for name in ("opened", "corrected", "erased", "refused")}
LATER = {
    "full_name": f"Corregida {word()}",
    "diet": f"Sin {word()}",
    "name": f"Corregida {word()}",
    "email": f"esto-no-es-correo {word()}",
}
CANARIES = [
    *(text for person in (*ENROLLED.values(), *REGISTERED.values()) for text in person.values()),
    *LATER.values(),
]


def forms(canary: str) -> dict[str, bytes]:
    """How the canary could lie in a file: as it is, in other encodings, inside JSON, a dump or an address."""
    text = canary.encode()
    found = {
        "as it is": text,
        "utf-16": canary.encode("utf-16-le"),
        "utf-16, the other way round": canary.encode("utf-16-be"),
        "decomposed": unicodedata.normalize("NFD", canary).encode(),
        "small letters": canary.casefold().encode(),
        "hex": text.hex().encode(),
        "hex, capitals": text.hex().upper().encode(),
        "hex of utf-16": canary.encode("utf-16-le").hex().encode(),
        "json": json.dumps(canary)[1:-1].encode(),
        "python": ascii(canary)[1:-1].encode(),
        "python bytes": repr(text)[2:-1].encode(),
        "address": quote(canary, safe="").encode(),
    }
    for octets, called in ((text, "base64"), (canary.encode("utf-16-le"), "base64 of utf-16")):
        for before in range(3):
            # Three places in which it can stand in longer base64; the letters at its ends are not its own.
            whole = base64.b64encode(b"\0" * before + octets)
            end = -4 if (before + len(octets)) % 3 else len(whole)
            found[f"{called}, {before} before"] = whole[(0, 2, 3)[before] : end]
    return found


NEEDLES = {needle: (canary, how) for canary in CANARIES for how, needle in reversed(forms(canary).items())}


def hits(places: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Where a canary lies, which and how."""
    everything = b"\0\0".join(places.values())
    found = [needle for needle in NEEDLES if needle in everything]
    return [
        (place, *NEEDLES[needle]) for place, octets in places.items() for needle in found if needle in octets
    ]


# What is looked through


def database() -> dict[str, bytes]:
    """Every cell of every table, and with SQLite the bytes of its files."""
    places: dict[str, bytes] = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608  names of our tables
            cells = (cell for row in cursor.fetchall() for cell in row if cell is not None)
            places[f"table {name}"] = b"\n".join(
                bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for cell in cells
            )
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        places |= {path.name: octets_of(path) for path in file.parent.glob(f"{file.name}*")}
        assert len(places[file.name]) > 100_000
    return places


def installation() -> dict[str, bytes]:
    """The files of the installation, keys and all, without the files to mend."""
    folder = Path(settings.VAR)
    return {
        str(path.relative_to(folder)): octets_of(path)
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "to-mend"
    }


_watching: list[str] | None = None


def _watch(event: str, details: tuple[Any, ...]) -> None:
    if _watching is None or event != "open":
        return
    path, mode, flags = details
    if isinstance(path, int):
        return  # a descriptor, whose file was seen when it was opened
    writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else flags & 3
    if writes and "__pycache__" not in str(path):
        _watching.append(str(path))


sys.addaudithook(_watch)


@pytest.fixture
def written() -> Iterator[list[str]]:
    """The files that Python opens to write in, while the test runs."""
    global _watching
    _watching = []
    yield _watching
    _watching = None


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], bytes]]:
    """Everything that is logged, down to every statement with its values."""
    for name in (None, "django", "django.db.backends", "resguardo", "resguardo_server"):
        caplog.set_level(logging.DEBUG, name)
    connection.force_debug_cursor = True
    yield lambda: "\n".join((caplog.text, *(repr(record.__dict__) for record in caplog.records))).encode()
    connection.force_debug_cursor = False


@pytest.fixture
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files would lie."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


# What is done


def files(folder: Path) -> tuple[Path, Path]:
    """A CSV of enrolments and a workbook of registrations; one row of each breaks a rule."""
    enrolments = [
        {**ROSA, **person, "sex": "caballero" if name == "refused" else "female"}
        for name, person in ENROLLED.items()
    ]
    sheet, ways = [], []
    for at, (name, person) in enumerate(REGISTERED.items(), start=1):
        answers = {**YESENIA, **person, "_index": at, "age": "treinta" if name == "refused" else "30"}
        ways += [[answers.pop(f"route[{step}]/route_place"), "2026-05-18", at] for step in (1, 2)]
        for step in (1, 2):
            del answers[f"route[{step}]/route_date"]
        sheet.append(answers)
    book = {"registration": table(*sheet), "route": [["route_place", "route_date", "_parent_index"], *ways]}
    return (
        write_csv(folder / "inscripciones.csv", table(*enrolments)),
        write_workbook(folder / "registro.xlsx", book),
    )


def said(action: Callable[[], object]) -> str:
    """What a refusal or a fault says of itself: to a person in two languages, and in a trace."""
    try:
        action()
    except Exception as fault:
        told = [str(fault), repr(fault), *traceback.format_exception(fault)]
        if isinstance(fault, Refused):
            told += [explain(problem, tongue) for problem in fault.problems for tongue in ("es", "en")]
            told += [repr(problem) for problem in fault.problems]
        return "\n".join(told)
    raise AssertionError("it was not refused")


def stopped_import(house: House, file: Path) -> None:
    """An import that a fault of ours stops after some rows."""
    (programme,) = (programme for programme in built_in() if programme.name == "training")
    form = programme.form("enrolment")

    def sheets() -> Iterator[Submission]:
        for item in read_submissions(form, open_sheet(file), today=NOW.date()):
            if isinstance(item, Submission):
                yield item
        raise RuntimeError("our fault")

    with transaction.atomic():
        list(receive(house.carla, programme, form, sheets(), now=NOW))


def live(house: House, folder: Path) -> dict[str, bytes]:
    """A life of records: received, opened, corrected, erased, refused; gives what was said meanwhile."""
    enrolments, registrations = files(folder)
    told: dict[str, str] = {}
    for who in (house.ana, house.ana, house.carla):
        first = bring(who, enrolments)
        second = bring(who, registrations, "assistance", "registration")
        assert (first.kept + first.known, first.refused) == (3, 1)
        assert (second.kept + second.known, second.refused) == (3, 1)
        for outcome in (first, second):
            told[f"import {len(told)}"] = "\n".join(
                explain(problem, tongue) for problem in outcome.problems for tongue in ("es", "en")
            ) + repr(outcome.problems)
    told["stopped import"] = said(lambda: stopped_import(house, enrolments))

    def about(people: dict[str, dict[str, str]], name: str, code: str, programme: str) -> models.Record:
        return record_about(house.ana, people[name][code], programme)

    for people, code, programme, purpose in (
        (ENROLLED, "participant_code", "training", PURPOSE),
        (REGISTERED, "case_code", "assistance", "assistance"),
    ):
        opened, corrected, erased = (
            about(people, name, code, programme) for name in ("opened", "corrected", "erased")
        )
        answers = open_record(house.ana, opened.id, purpose, now=NOW)["answers"]
        assert people["opened"][code] == answers[code]
        open_record(house.bruno, opened.id, RIGHTS, now=NOW)
        told[f"denied {programme}"] = said(lambda: open_record(house.bruno, opened.id, purpose, now=NOW))  # noqa: B023
        told[f"unknown {programme}"] = said(lambda: open_record(house.carla, opened.id, purpose, now=NOW))  # noqa: B023
        name = "full_name" if programme == "training" else "name"
        correct_record(house.ana, corrected.id, {name: LATER[name]}, purpose, now=NOW)
        withdraw_consent(house.ana, corrected.id, purpose, now=NOW)
        erase_record(house.ana, erased.id, now=NOW)
    corrected = about(ENROLLED, "corrected", "participant_code", "training")
    correct_record(house.bruno, corrected.id, {"diet": LATER["diet"]}, RIGHTS, now=NOW)
    for question in ("email", "sex", "planned_minutes", "enrolled_on"):
        told[f"refused correction of {question}"] = said(
            lambda: correct_record(house.bruno, corrected.id, {question: LATER["email"]}, RIGHTS, now=NOW)  # noqa: B023
        )
    assert not [
        finding for journal in verify_journals(None, language="es") for finding in journal["findings"]
    ]
    return {what: text.encode() for what, text in told.items()}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_canary_is_found_anywhere(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    logged: Callable[[], bytes],
    own_temporary_folder: Path,
    written: list[str],
) -> None:
    assert len(set(CANARIES)) >= 50
    house = make_house()
    told = live(house, tmp_path)
    exported = export_journal("albergue-tapachula", tmp_path / "bitacora")
    places = database() | installation() | told
    places |= {path.name: path.read_bytes() for path in exported}
    places |= {path.name: path.read_bytes() for path in own_temporary_folder.rglob("*") if path.is_file()}
    places["journal"] = json.dumps([leaves(house.shelter), leaves(house.ministry)]).encode()
    log = logged()
    assert b"INSERT INTO" in log, "the statements with their values were looked through too"
    places["log"] = log
    out = capfd.readouterr()
    places["screen"] = (out.out + out.err).encode()
    assert hits(places) == []
    elsewhere = {
        path for path in written
        if not Path(path).is_relative_to(settings.VAR) and not Path(path).is_relative_to(tmp_path)
    }  # fmt: skip
    assert {path for path in elsewhere if not path.startswith("/dev/")} == set()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_refused_rows_lie_in_the_file_to_mend_and_only_the_rows_that_were_refused(tmp_path: Path) -> None:
    house = make_house()
    enrolments, _ = files(tmp_path)
    mend = bring(house.ana, enrolments).mend
    assert mend is not None
    with mend.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["full_name"] == ENROLLED["refused"]["full_name"]
    text = mend.read_text(encoding="utf-8-sig")
    for name in ("opened", "corrected", "erased"):
        assert not [canary for canary in ENROLLED[name].values() if canary in text]


# Controls: the search finds what is there


@pytest.mark.parametrize("canary", [CANARIES[1], CANARIES[3], CANARIES[-1]])
def test_the_search_finds_a_canary_in_each_form(canary: str) -> None:
    for how, needle in forms(canary).items():
        assert len(needle) >= 8, how
        assert canary in {found for _, found, _ in hits({"x": b"\x00\x17" + needle + b"\xff"})}, how
    for before in (b"", b"a", b"ab", b"abc"):
        for after in (b"", b"z", b"yz"):
            assert hits({"x": base64.b64encode(before + canary.encode() + after)})
    assert hits({"x": json.dumps({"n": canary}).encode()})
    assert not hits({"x": b"nothing of theirs"})


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_search_finds_a_canary_in_the_database_the_log_and_the_folder(
    logged: Callable[[], bytes], tmp_path: Path
) -> None:
    house = make_house()
    canary = ENROLLED["opened"]["full_name"]
    models.Institution.objects.filter(id=house.shelter.id).update(name=canary)
    models.FactSegment.objects.create(
        institution=house.shelter, programme="x", form="x", rows=0, octets=canary.encode()
    )
    found = {place for place, _, _ in hits(database())}
    assert {"table resguardo_server_institution", "table resguardo_server_factsegment"} <= found
    assert connection.vendor != "sqlite" or any("sqlite3" in place for place in found)
    assert hits({"log": logged()}), "the statement that wrote it shows it"
    stray = Path(settings.VAR) / "stray.txt"
    stray.write_text(canary, encoding="utf-16")
    assert "stray.txt" in {place for place, _, _ in hits(installation())}
    stray.unlink()
