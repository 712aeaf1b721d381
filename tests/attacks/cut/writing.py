"""A service that writes until it is killed: told what to do by lines on its input, it forks whoever does it.

``python -m tests.attacks.cut.writing``. Every line in and out is JSON. Who writes says what it is about to do
before it begins, and that it is done only after the transaction is acknowledged.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any


def say(**words: Any) -> None:
    """One line, whole, at once: what was said before a kill is heard after it."""
    os.write(1, (json.dumps(words) + "\n").encode())


def prepare() -> None:
    """Two institutions and their members, in tables that are there already."""
    from tests.people import make_house

    house = make_house()
    say(institution=str(house.shelter.id))


def ours() -> tuple[Any, Any]:
    """Ana, who brings sheets, and Bruno, who answers for them."""
    from resguardo_server.actions.members import member_named

    return member_named("ana@albergue.example"), member_named("bruno@albergue.example")


def records_of(institution: Any, codes: list[str]) -> dict[str, Any]:
    """The record of each code that has one."""
    from resguardo_keyholder.asked import WantedToken
    from resguardo_server import models
    from resguardo_server.keyholders import keyholder

    wanted = [WantedToken("subject_code", ("training", "person", code)) for code in codes]
    tokens = keyholder().tokens(institution.id, wanted) if wanted else []
    codes_of = {found[0].token: code for found, code in zip(tokens, codes, strict=True)}
    rows = models.BlindIndex.objects.filter(institution_id=institution.id, field=1)
    subjects = {row.subject_id: codes_of.get(bytes(row.token)) for row in rows}
    found = models.Record.objects.filter(institution_id=institution.id).order_by("id")
    return {code: record for record in found if (code := subjects.get(record.subject_id)) is not None}


def write(seed: int, begin: int, most: int) -> None:
    """Sheets are imported, corrected, opened and erased, until somebody kills this process."""
    from tests.people import NOW, RIGHTS, ROSA, bring, table
    from tests.rules.collect.sheets import write_csv

    from resguardo.values import Refused
    from resguardo_server.actions.allow import correct_record, erase_record, open_record

    draw = Random(seed)
    ana, bruno = ours()
    folder = Path(tempfile.mkdtemp(prefix="sheets-", dir=os.environ["SHEETS"]))
    number, mine = begin, list[str]()

    def attempt(what: str, codes: list[str], action: Callable[[], object], **facts: str) -> bool:
        say(about=what, codes=codes, **facts)
        try:
            action()
        except Refused as refused:
            say(refused=[problem.code for problem in refused.problems])
            time.sleep(0.02)
            return False
        say(done=what, codes=codes, **facts)
        return True

    for _ in range(most):
        step = draw.random()
        if step < 0.6 or not mine:
            codes = [f"C-{number + row}" for row in range(draw.choice((1, 1, 2, 3)))]
            number += len(codes)
            people = [
                {
                    **ROSA,
                    "participant_code": code,
                    "full_name": f"Persona {code}",
                    "employer": f"Radio {code}",
                }
                for code in codes
            ]
            path = write_csv(folder / f"{number}.csv", table(*people))
            if attempt("keep", codes, lambda path=path: bring(ana, path, now=NOW)):  # type: ignore[misc]
                mine += codes
            continue
        code = draw.choice(mine)
        try:
            record = records_of(bruno.institution, [code]).get(code)
        except Refused:
            time.sleep(0.02)
            continue
        if record is None:
            continue
        if step < 0.75:
            employer = f"Radio {code} {draw.randrange(10**6)}"
            attempt(
                "correct", [code],
                lambda: correct_record(bruno, record.id, {"employer": employer}, RIGHTS, now=NOW),  # noqa: B023
                employer=employer,
            )  # fmt: skip
        elif step < 0.9:
            attempt("open", [code], lambda: open_record(bruno, record.id, RIGHTS, now=NOW))  # noqa: B023
        elif attempt("erase", [code], lambda: erase_record(bruno, record.id, now=NOW)):  # noqa: B023
            mine.remove(code)


def check(expected: dict[str, str], either: list[str], sample: list[str], openings: int) -> None:
    """What was lost and what does not fit together, after a death.

    `expected`: the employer of every code that is there for certain, empty for one that was erased. `either`:
    codes about which the last word was not heard. `openings`: acknowledged openings: each has its line.
    """
    from django.db import connection
    from tests.people import NOW, RIGHTS, leaves

    from resguardo.values import Refused
    from resguardo_server import models
    from resguardo_server.actions.allow import open_record
    from resguardo_server.actions.keep import check_journals
    from resguardo_server.keyholders import keyholder

    wrong: list[str] = []
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            if (told := cursor.fetchone()[0]) != "ok":
                wrong.append(f"integrity_check: {told}")
    _, bruno = ours()
    try:
        # Whoever died after a line and before its signature left it unsigned: the next one signs it.
        if models.JournalEntry.objects.filter(institution_id=bruno.institution.id).exists():
            keyholder().sign_journal(bruno.institution.id, now=NOW)
    except Refused as refused:
        wrong.append(str([problem.code for problem in refused.problems]))
    findings = [line for found in check_journals(None, language="en") for line in found["findings"]]
    wrong += findings[:5]
    shelter = models.Institution.objects.get(slug=bruno.institution.slug)
    lines = leaves(shelter)
    acts = [line["act"] for line in lines if line["dec"] == "allow"]
    records = models.Record.objects.filter(institution=shelter).count()
    if records != acts.count("create") - acts.count("erase"):
        wrong.append(f"{records} records, {acts.count('create')} created, {acts.count('erase')} erased")
    there = records_of(bruno.institution, [*expected])
    lost = [
        code
        for code, employer in expected.items()
        if code not in either and bool(employer) != (code in there)
    ]
    if acts.count("read") < openings:
        lost.append(f"{openings - acts.count('read')} openings")
    for code in sample:
        if code not in there:
            continue
        try:
            answers = open_record(bruno, there[code].id, RIGHTS, now=NOW)["answers"]
        except Refused as refused:
            wrong.append(f"{code}: {[problem.code for problem in refused.problems]}")
            continue
        if answers["full_name"] != f"Persona {code}":
            wrong.append(f"{code}: another name")
        if answers["employer"] != expected.get(code) and code not in either:
            lost.append(f"{code} as corrected")
    employers = {code: _employer(bruno, there[code]) if code in there else "" for code in either}
    again = [line["act"] for line in leaves(shelter) if line["dec"] == "allow"]
    say(
        lost=lost, wrong=wrong, records=records, lines=len(again), reads=again.count("read"),
        employers=employers,
    )  # fmt: skip


def _employer(who: Any, record: Any) -> str:
    from tests.people import NOW, RIGHTS

    from resguardo_server.actions.allow import open_record

    return str(open_record(who, record.id, RIGHTS, now=NOW)["answers"]["employer"])


def library() -> None:
    """Which SQLite, whether it maps its file, and how it syncs."""
    from django.db import connection

    told: dict[str, Any] = {"vendor": connection.vendor}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for word in ("synchronous", "journal_mode", "mmap_size"):
                cursor.execute(f"PRAGMA {word}")
                row = cursor.fetchone()
                told[word] = row[0] if row else 0
    say(**told)


WORK: dict[str, Callable[..., None]] = {
    "prepare": prepare, "write": write, "check": check, "library": library,
}  # fmt: skip


def warm() -> None:
    """What every writer needs first is made before any is forked."""
    from tests.people import NOW, ROSA, table
    from tests.rules.collect.sheets import write_csv

    from resguardo.collect.sheet import open_sheet
    from resguardo.collect.submission import read_submissions
    from resguardo.plan.programme import built_in

    (training,) = (programme for programme in built_in() if programme.name == "training")
    path = write_csv(Path(os.environ["SHEETS"]) / "first.csv", table(ROSA))
    assert list(read_submissions(training.form("enrolment"), open_sheet(path), today=NOW.date()))


def main() -> None:
    """Each line of input is done by a child; its end is said when it ended."""
    import django

    django.setup()
    from django.conf import settings

    if os.environ.get("CUT_SYNCHRONOUS") == "NORMAL":
        options = settings.DATABASES["default"]["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=NORMAL")
    import tests.people
    import tests.rules.collect.sheets  # noqa: F401

    import resguardo_server.actions.allow
    import resguardo_server.actions.keep  # noqa: F401

    warm()

    say(ready=True)
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                say(pid=os.getpid())
                WORK[told.pop("do")](**told)
                status = 0
            except BaseException as fault:
                import traceback

                say(fault="".join(traceback.format_exception(fault))[-3000:])
            finally:
                os._exit(status)
        say(ended=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
