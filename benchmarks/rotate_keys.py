"""How long the keys of many people take to be wrapped anew, while others go on opening their records.

    python benchmarks/rotate_keys.py [--people 100000] [--readers 2] [--databases sqlite …] [--json FILE]

The keyholder is a process of its own. Readers, each a process of its own, open records of the people without
a pause, through the decision, the journal and the budget, from before the rotation until after it; an opening
that fails is counted and named. Afterwards every key is looked at: all are wrapped by the new one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from import_and_seal import write_file
from installation import DATABASES, NOW, installation, lift_ceilings, machine, on_each, spread

RECORDS = 300
"""People whose records the readers open; the others have a key and nothing else."""


def people(number: int, institution: Any) -> None:
    """So many people, each with a wrapped key; some with an enrolment."""
    from django.db import transaction

    from resguardo.collect.sheet import open_sheet
    from resguardo.collect.submission import Submission, read_submissions
    from resguardo_keyholder.asked import ToSeal
    from resguardo_server import models
    from resguardo_server.actions.allow import receive
    from resguardo_server.actions.keep.records import new_id
    from resguardo_server.actions.keep.writing import insert_rows
    from resguardo_server.actions.members import operator_of
    from resguardo_server.actions.plan import form_named, programme_named
    from resguardo_server.keyholders import keyholder

    programme = programme_named("training")
    form = form_named(programme, "enrolment")
    folder = Path(os.environ["RESGUARDO_VAR"])
    sheets = [
        sheet
        for sheet in read_submissions(form, open_sheet(write_file(folder, 0, RECORDS)), today=NOW.date())
        if isinstance(sheet, Submission)
    ]
    with transaction.atomic():
        assert sum(new for new, _ in receive(operator_of(None), programme, form, sheets, now=NOW)) == RECORDS
    compartment = f"{institution.slug}/training"
    for start in range(RECORDS, number, 1000):
        ids = [new_id() for _ in range(start, min(start + 1000, number))]
        sealed = keyholder().seal(
            institution.id,
            [ToSeal(subject, compartment, 1, b"", "person", subject, 1, {}) for subject in ids],
        )
        with transaction.atomic():
            insert_rows(
                models.Subject,
                ("id", "institution_id", "programme", "kind"),
                ((subject, institution.id, "training", "person") for subject in ids),
            )
            insert_rows(
                models.SubjectKey,
                ("subject_id", "version", "compartment", "wrapped"),
                ((subject, 1, compartment, one.wrapped) for subject, one in zip(ids, sealed, strict=True)),
            )


def read_on(stop: Path, answer: Path) -> None:
    """Records are opened one after the other until the file `stop` is there."""
    import django

    django.setup()
    from resguardo.values import Refused
    from resguardo_server import models
    from resguardo_server.actions.allow.opening import open_record
    from resguardo_server.actions.members import asker

    who = asker(models.Member.objects.get(email="officer@bench.example"))
    records = list(models.Record.objects.values_list("id", flat=True))
    chance = random.Random(secrets.randbits(64))
    taken: list[float] = []
    failed: list[str] = []
    while not stop.exists():
        before = time.perf_counter()
        try:
            assert open_record(who, chance.choice(records), "rights", now=NOW)["answers"]
        except Refused as refused:
            failed += [problem.code for problem in refused.problems]
        except Exception as fault:
            failed.append(type(fault).__name__)
        taken.append(time.perf_counter() - before)
        answer.with_suffix(".on").touch()
    answer.write_text(json.dumps({"taken": taken, "failed": failed}), encoding="utf-8")


def measure(number: int, readers: int) -> dict[str, Any]:
    """The rotation's seconds, and what the readers met meanwhile."""
    with installation() as var:
        from resguardo.keep.keys import wrapped_by
        from resguardo_server import models
        from resguardo_server.actions.keep.rotation import rotate_keys
        from resguardo_server.actions.members import make_institution

        house = make_institution("banco-de-pruebas", "Banco de pruebas", "university", "CR")
        member = models.Member.objects.create_user(
            email="officer@bench.example", password=secrets.token_hex()
        )
        models.Membership.objects.create(member=member, institution=house, role="data_protection_officer")
        lift_ceilings(var, house.id)
        people(number, house)
        stop, answers = var / "stop", [var / f"reader-{reader}.json" for reader in range(readers)]
        children = [
            subprocess.Popen([sys.executable, __file__, "--read", str(stop), str(answer)])
            for answer in answers
        ]
        while not all(answer.with_suffix(".on").exists() for answer in answers):
            assert all(child.poll() is None for child in children)
            time.sleep(0.05)
        before, work = time.perf_counter(), time.process_time()
        done = rotate_keys(house.as_value(), advance=lambda number, total: None, now=NOW)
        seconds, work = time.perf_counter() - before, time.process_time() - work
        load = machine()
        stop.touch()
        for child in children:
            assert child.wait(timeout=60) == 0
        read = [json.loads(answer.read_text(encoding="utf-8")) for answer in answers]
        newest = models.CompartmentKeyVersion.objects.get(replaced_on=None).number
        old = sum(
            wrapped_by(bytes(octets)) != newest
            for octets in models.SubjectKey.objects.values_list("wrapped", flat=True).iterator()
        )
        return {
            "people": done.subjects,
            "seconds": round(seconds, 1),
            "seconds_of_processor": round(work, 1),
            "keys_left_behind": old,
            "readers": readers,
            "reads": sum(len(one["taken"]) for one in read),
            "failed_reads": [code for one in read for code in one["failed"]],
            "reading": spread([second for one in read for second in one["taken"]]) if readers else {},
            **load,
        }


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--people", type=int, default=100_000)
    reader.add_argument("--readers", type=int, default=2)
    reader.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    reader.add_argument("--json", type=Path, help="where the figures are written")
    reader.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    reader.add_argument("--read", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = reader.parse_args()
    if asked.read:
        read_on(*asked.read)
        return 0
    if asked.within:
        asked.within.write_text(json.dumps(measure(asked.people, asked.readers)), encoding="utf-8")
        return 0
    words = ["--people", str(asked.people), "--readers", str(asked.readers)]
    found: dict[str, Any] = {}
    for database, one in on_each(__file__, asked.databases, words):
        found[database] = one
        print(
            f"{database}: {one['people']:,} keys in {one['seconds']} s, {one['keys_left_behind']} left; "
            f"{one['reads']:,} openings meanwhile, {len(one['failed_reads'])} failed; load {one['load'][0]}",
            flush=True,
        )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return any(one["failed_reads"] or one["keys_left_behind"] for one in found.values())


if __name__ == "__main__":
    sys.exit(main())
