"""What an opening costs: in the rules alone, and through the keyholder's process, with all it must do first.

    python benchmarks/open_and_unwrap.py [--openings 400] [--databases sqlite …] [--json FILE]

*Rules* unwraps one person's key, derives the key of a group and opens a kilobyte under a permit, against
AES-256-GCM alone on the same bytes. *Release* asks the keyholder's process: it looks up the member and the
person, decides, commits the line, signs the journal's head, counts the budget (on disk) and gives four keys.
*Without signing* is the same process with the signature left out. *Opening* is what a page does: release, the
rows and the answers of one record. *Asking* is a question to the process that needs no database.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from import_and_seal import write_file
from installation import DATABASES, NOW, installation, lift_ceilings, machine, on_each, spread, timed

from resguardo.keep.keys import new_key_ring, new_subject_key
from resguardo.keep.opening import open_group
from resguardo.keep.sealing import group_key, seal_group
from resguardo.values import Basis, Permit, Sensitivity

RECORDS = 100
UNSIGNED = (
    "from resguardo_keyholder.desk import Desk; Desk.sign_journal = lambda self, institution, *, now: None;"
    " from resguardo_keyholder.__main__ import main; raise SystemExit(main())"
)
"""A keyholder that leaves the signature out; no other thing is different."""


def in_the_rules(people: int = 4000, rounds: int = 7) -> dict[str, Any]:
    """Openings a second on one processor without a process, a database or a journal."""
    ring = new_key_ring(UUID(int=1), secrets.token_bytes).with_compartment("s/p", secrets.token_bytes, NOW)
    text, level = secrets.token_bytes(1024), Sensitivity.SENSITIVE
    places = [(UUID(int=number), UUID(int=number + 2**64)) for number in range(people)]
    held = []
    for subject, record in places:
        key = new_subject_key(secrets.token_bytes)
        wrapped = ring.wrap_subject_key(
            key, compartment="s/p", subject=subject, key_version=1, nonce=secrets.token_bytes(12)
        )
        sealed = seal_group(
            key, institution=ring.institution, subject=subject, record=record, group=level,
            row_version=1, key_version=1, text=text, nonce=secrets.token_bytes(12),
        )  # fmt: skip
        permit = Permit(
            "w", "caseworker", ring.institution, subject, "training", Basis.CONSENT, None,
            frozenset({level}), NOW + timedelta(minutes=15), "p",
        )  # fmt: skip
        held.append((subject, record, wrapped, sealed, permit))
    bare_key, nonce = AESGCM(secrets.token_bytes(32)), secrets.token_bytes(12)
    bare_sealed = bare_key.encrypt(nonce, text, b"")

    def ours() -> Iterator[None]:
        for subject, record, wrapped, sealed, permit in held:
            key = ring.unwrap_subject_key(wrapped, compartment="s/p", subject=subject, key_version=1)
            open_group(
                permit, group_key(key, level), sealed, institution=ring.institution, subject=subject,
                record=record, group=level, row_version=1, key_version=1, now=NOW,
            )  # fmt: skip
            yield

    def bare() -> Iterator[None]:
        for _ in held:
            bare_key.decrypt(nonce, bare_sealed, b"")
            yield

    taken = [(timed(ours()), timed(bare())) for _ in range(rounds)]
    return {
        "ours": spread([second for mine, _ in taken for second in mine]),
        "bare": spread([second for _, other in taken for second in other]),
        "times_as_long_as_bare": round(statistics.median(sum(mine) / sum(other) for mine, other in taken), 1),
    }


def measure(openings: int) -> dict[str, Any]:
    """Openings through the process."""
    with installation() as var:
        from django.db import transaction

        from resguardo.collect.sheet import open_sheet
        from resguardo.collect.submission import Submission, read_submissions
        from resguardo_keyholder.asked import Opening, Released
        from resguardo_keyholder.client import Client
        from resguardo_server import keyholders, models
        from resguardo_server.actions.allow import receive
        from resguardo_server.actions.allow.opening import open_record
        from resguardo_server.actions.members import asker, make_institution, operator_of
        from resguardo_server.actions.plan import form_named, programme_named

        house = make_institution("banco-de-pruebas", "Banco de pruebas", "university", "CR")
        member = models.Member.objects.create_user(
            email="officer@bench.example", password=secrets.token_hex()
        )
        models.Membership.objects.create(member=member, institution=house, role="data_protection_officer")
        lift_ceilings(var, house.id)
        programme = programme_named("training")
        form = form_named(programme, "enrolment")
        rows = read_submissions(form, open_sheet(write_file(var, 0, RECORDS)), today=NOW.date())
        with transaction.atomic():
            list(
                receive(
                    operator_of(None),
                    programme,
                    form,
                    [r for r in rows if isinstance(r, Submission)],
                    now=NOW,
                )
            )
        who, chance = asker(member), random.Random(1)
        records = list(models.Record.objects.values_list("id", "subject_id"))

        def released(client: Any, number: int) -> Iterator[None]:
            for _ in range(number):
                subject = chance.choice(records)[1]
                found = client.release(
                    Opening(
                        house.id, subject, "rights", (1, 2, 3, 4), who.name, forms=("enrolment",),
                        second_factor=True, reauthenticated=True,
                    ),
                    now=NOW,
                )  # fmt: skip
                assert isinstance(found, Released), found
                assert len(found.keys) == 4
                yield

        def opened(number: int) -> Iterator[None]:
            for _ in range(number):
                assert open_record(who, chance.choice(records)[0], "rights", now=NOW)["answers"]
                yield

        def asked(client: Any, number: int) -> Iterator[None]:
            for _ in range(number):
                client.pseudonym(house.id, "a@b.example")
                yield

        signing = keyholders.keyholder()
        assert isinstance(signing, Client)
        found: dict[str, list[float]] = {"asking": [], "release": [], "opening": [], "without_signing": []}
        ways: dict[str, Callable[[int], Iterator[None]]] = {
            "asking": lambda number: asked(signing, number),
            "release": lambda number: released(signing, number),
            "opening": opened,
        }
        for way in ways.values():
            timed(way(20))
        for _ in range(4):
            for name, way in ways.items():
                found[name] += timed(way(openings // 4))
        path = var / "keyholder" / "unsigned.sock"
        words = ["--folder", str(var / "keyholder"), "--socket", str(path)]
        if not os.environ.get("DATABASE_URL"):
            words += ["--sqlite", str(var / "resguardo.sqlite3")]
        child = subprocess.Popen([sys.executable, "-c", UNSIGNED, *words], stderr=subprocess.DEVNULL)
        try:
            unsigned = Client(path)
            while not unsigned.answers():
                assert child.poll() is None
                time.sleep(0.05)
            timed(released(unsigned, 20))
            for _ in range(4):
                # In turns with the one that signs, so that a busy minute meets both.
                found["without_signing"] += timed(released(unsigned, openings // 4))
                found["release"] += timed(released(signing, openings // 4))
        finally:
            child.terminate()
            child.wait(timeout=10)
        return {**{name: spread(taken) for name, taken in found.items()}, **machine()}


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--openings", type=int, default=400)
    reader.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    reader.add_argument("--json", type=Path, help="where the figures are written")
    reader.add_argument("--within", type=Path, help=argparse.SUPPRESS)
    asked = reader.parse_args()
    if asked.within:
        asked.within.write_text(json.dumps(measure(asked.openings)), encoding="utf-8")
        return 0
    found: dict[str, Any] = {"rules": in_the_rules(), **machine()}
    rules = found["rules"]
    print(f"rules: {rules['ours']['per_second']:,}/s, {rules['times_as_long_as_bare']} times as long as the "
          f"cipher alone ({rules['bare']['per_second']:,}/s)")  # fmt: skip
    for database, one in on_each(__file__, asked.databases, ["--openings", str(asked.openings)]):
        found[database] = one
        for name in ("asking", "without_signing", "release", "opening"):
            row = one[name]
            print(
                f"{database:>10} {name:>16}: {row['per_second']:>6,}/s, half within {row['median_ms']} ms, "
                f"95 % within {row['p95_ms']} ms",
                flush=True,
            )
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
