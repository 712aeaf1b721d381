"""How fast records are received and sealed, against plain inserts of the same answers.

    python benchmarks/import_and_seal.py [--records 5000] [--rounds 5] [--json FILE]

Both write to one SQLite file of the service's own settings, in one process, one after the other and in turns.
*Sealed* is `receive`, the way of every import once a file was read: a new subject and key for each row, four
sealed groups, a journal entry, an arrival token, consents and facts, all in one transaction. *Plain* is
Django's `bulk_create` of the same answers as JSON into one table, in one transaction. Reading the file is
timed alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
COUNTRIES = ("GT", "HN", "SV", "MX", "NI", "CR", "PA", "DO")
KINDS = ("radio", "tv", "print", "digital", "ngo", "consulate")


def enrolment(number: int) -> dict[str, str]:
    """Somebody invented who enrols in a training."""
    return {
        "participant_code": f"B-{number:07}",
        "enrolled_on": f"2026-{number % 10 + 1:02}-{number % 27 + 1:02}",
        "full_name": f"Persona Inventada Número {number}",
        "email": f"persona.{number}@correo.example",
        "phone": f"+502 5{number:07}",
        "document_needed": "yes",
        "identity_document": f"2456-{number:07}-0901",
        "country": COUNTRIES[number % len(COUNTRIES)],
        "sex": "female" if number % 2 else "male",
        "institution_type": KINDS[number % len(KINDS)],
        "age_band": "30-59",
        "employer": f"Radio del Valle {number % 97}",
        "position": "Reportera",
        "course_code": "COM-1",
        "edition_code": f"COM-1-{number % 40:02}",
        "topic": "terminology",
        "mode": "in_person",
        "language": "es",
        "planned_minutes": "960",
        "disability_need": "" if number % 9 else "Una silla cerca de la puerta",
        "diet": "" if number % 7 else "Sin mariscos",
        "consent_training": "yes",
        "consent_contact": "yes" if number % 3 else "no",
        "consent_image": "no",
    }


def write_file(folder: Path, first: int, records: int) -> Path:
    """A CSV of that many enrolments."""
    path = folder / f"{first}.csv"
    rows = [enrolment(number) for number in range(first, first + records)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def seconds(action: Callable[[], object]) -> tuple[float, float]:
    """How long it took by the clock, and how long a processor worked, which is fair on a busy machine."""
    clock, work = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - clock, time.process_time() - work


def measure(folder: Path, records: int, rounds: int) -> dict[str, Any]:
    """Seconds and bytes of each round."""
    os.environ["RESGUARDO_VAR"] = str(folder / "var")
    os.environ["DJANGO_SETTINGS_MODULE"] = "resguardo_server.settings"
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()
    from django.core.management import call_command
    from django.core.serializers.json import DjangoJSONEncoder
    from django.db import connection, models, transaction

    from resguardo.collect.sheet import open_sheet
    from resguardo.collect.submission import Submission, read_submissions
    from resguardo_server.actions.allow import receive
    from resguardo_server.actions.members import make_institution, operator_of
    from resguardo_server.actions.plan import form_named, programme_named

    class PlainSheet(models.Model):
        """The same answers without any protection."""

        institution = models.CharField(max_length=50)
        received_on = models.DateTimeField()
        answers = models.JSONField(encoder=DjangoJSONEncoder)

        class Meta:
            app_label = "resguardo_server"

        def __str__(self) -> str:
            return str(self.pk)

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(PlainSheet)
    make_institution("banco-de-pruebas", "Banco de pruebas", "university", "CR")
    who = operator_of("banco-de-pruebas")
    programme = programme_named("training")
    form = form_named(programme, "enrolment")

    def octets() -> int:
        """What the file holds, without free pages."""
        with connection.cursor() as cursor:
            sizes = []
            for name in ("page_count", "freelist_count", "page_size"):
                cursor.execute(f"PRAGMA {name}")
                sizes.append(int(cursor.fetchone()[0]))
        return (sizes[0] - sizes[1]) * sizes[2]

    def parsed(path: Path) -> list[Submission]:
        sheets = list(read_submissions(form, open_sheet(path), today=NOW.date()))
        whole = [sheet for sheet in sheets if isinstance(sheet, Submission)]
        assert len(whole) == records
        return whole

    def sealed(sheets: list[Submission]) -> None:
        with transaction.atomic():
            kept = sum(new for new, _ in receive(who, programme, form, sheets, now=NOW))
        assert kept == records

    def plain(sheets: list[Submission]) -> None:
        with transaction.atomic():
            PlainSheet.objects.bulk_create(
                (
                    PlainSheet(institution=who.institution.slug, received_on=NOW, answers=dict(sheet.answers))
                    for sheet in sheets
                ),
                batch_size=500,
            )

    # One small round that is not counted: modules are loaded, the key ring has its compartment.
    warm_up = parsed(write_file(folder, 10**6, records))[:200]
    with transaction.atomic():
        list(receive(who, programme, form, warm_up, now=NOW))
        PlainSheet.objects.bulk_create(PlainSheet(received_on=NOW, answers={}) for _ in warm_up)
    taken: dict[str, list[tuple[float, float]]] = {"parse": [], "sealed": [], "plain": []}
    grown: dict[str, list[int]] = {"sealed": [], "plain": []}
    for turn in range(rounds):
        path = write_file(folder, turn * records, records)
        sheets: list[Submission] = []
        taken["parse"].append(seconds(lambda: sheets.extend(parsed(path))))  # noqa: B023
        ways = [("sealed", sealed), ("plain", plain)]
        for name, way in ways if turn % 2 == 0 else reversed(ways):
            before = octets()
            taken[name].append(seconds(lambda: way(sheets)))  # noqa: B023
            grown[name].append(octets() - before)
    return {
        "seconds": taken,
        "bytes": grown,
        "sqlite": ".".join(map(str, connection.Database.sqlite_version_info)),
    }


def summary(records: int, found: dict[str, Any]) -> dict[str, Any]:
    """The medians, per second and per record, and what each round gave."""
    clock = {name: [round(pair[0], 3) for pair in taken] for name, taken in found["seconds"].items()}
    work = {name: [round(pair[1], 3) for pair in taken] for name, taken in found["seconds"].items()}

    def rate(taken: list[float]) -> int:
        return round(records / statistics.median(taken))

    def ratios(taken: dict[str, list[float]]) -> list[float]:
        return [round(ours / theirs, 1) for ours, theirs in zip(taken["sealed"], taken["plain"], strict=True)]

    return {
        "benchmark": "import_and_seal",
        "records": records,
        "rounds": len(clock["plain"]),
        "parsed_per_second": rate(clock["parse"]),
        "sealed_per_second": rate(clock["sealed"]),
        "plain_per_second": rate(clock["plain"]),
        "times_as_long_as_plain": statistics.median(ratios(clock)),
        "times_as_long_in_each_round": ratios(clock),
        "sealed_per_second_of_processor": rate(work["sealed"]),
        "plain_per_second_of_processor": rate(work["plain"]),
        "times_the_work_of_plain": statistics.median(ratios(work)),
        "sealed_bytes_per_record": round(statistics.median(found["bytes"]["sealed"]) / records),
        "plain_bytes_per_record": round(statistics.median(found["bytes"]["plain"]) / records),
        "python": platform.python_version(),
        "sqlite": found["sqlite"],
        "processors": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "seconds": clock,
        "processor_seconds": work,
    }


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--records", type=int, default=5000)
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--json", type=Path, help="where the figures are written")
    asked = reader.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="resguardo-benchmark-"))
    try:
        figures = summary(asked.records, measure(folder, asked.records, asked.rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("parsed", "sealed", "plain"):
        print(f"{name:>8}: {figures[f'{name}_per_second']:>8,} records/s")
    rounds = ", ".join(map(str, figures["times_as_long_in_each_round"]))
    print(f"sealed takes {figures['times_as_long_as_plain']} times as long as plain (rounds: {rounds})")
    print(f"and {figures['times_the_work_of_plain']} times the processor's work "
          f"({figures['sealed_per_second_of_processor']:,} records per second of work)")  # fmt: skip
    print(f"bytes per record: {figures['sealed_bytes_per_record']:,} sealed, "
          f"{figures['plain_bytes_per_record']:,} plain")  # fmt: skip
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
