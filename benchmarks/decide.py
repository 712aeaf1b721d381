"""How many decisions a second: the whole of `decide` against Cedar alone on the same policies and facts.

    python benchmarks/decide.py [--decisions 5000] [--rounds 7] [--json FILE]

*Bare* is `cedarpy.is_authorized` with a parsed policy set and parsed entities that never change: what Cedar
itself takes, without a schema. *A day* is `decide` as a shelter asks it: many people, few different facts,
so that most facts were parsed before. *Never seen* is `decide` where every question has a fact that no other
had, so that every one is parsed and held against the schema anew. Both ways say yes to all of them. They take
turns in one process; the times are the processor's, which is fair on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import cedarpy

from resguardo.allow.consent import Consent
from resguardo.allow.decision import USUAL_TIME, Action, Request, decide, question_of
from resguardo.allow.policy import FOLDER, POLICIES, Entity, Facts
from resguardo.plan.declaration import Purpose
from resguardo.values import Basis, InstitutionKind, Permit, Sensitivity

NOW = datetime(2022, 8, 11, 15, 30, tzinfo=UTC)
HOUSE = UUID(int=1)
PURPOSES = (
    Purpose("assistance", {}, Basis.PUBLIC_TASK, 1825, frozenset(Sensitivity), ("caseworker",)),
    Purpose(
        "referral", {}, Basis.CONSENT, 1825, frozenset(Sensitivity), ("caseworker",), forms=("registration",)
    ),
    Purpose("rights", {}, Basis.LEGAL_OBLIGATION, 3650, frozenset(Sensitivity), ("data_protection_officer",)),
)
CONSENTS = tuple(
    Consent(f"{number:032x}", "referral", date(2022, 3, 1), "es", receiver=receiver)
    for number, receiver in enumerate((None, "shelter", "casa-sol"), start=1)
)
GROUPS = (
    frozenset({Sensitivity.PLAIN}),
    frozenset({Sensitivity.IDENTIFIER}),
    frozenset({Sensitivity.QUASI, Sensitivity.PLAIN}),
    frozenset(Sensitivity),
)


def day(number: int) -> list[Request]:
    """What is asked in a day: mostly readings, some referrals, some answers to rights."""
    draw = random.Random(7)
    asked = []
    for person in range(number):
        reading = Request(
            who="0" * 32,
            role="caseworker",
            institution=HOUSE,
            purpose="assistance",
            groups=draw.choice(GROUPS),
            subject=UUID(int=person + 10),
            subject_institution=HOUSE,
            recorded_on=NOW.date() - timedelta(days=draw.randrange(400)),
            form=draw.choice(("registration", "assessment", "service")),
            legal_hold=False,
            reauthenticated=True,
        )
        kind = draw.random()
        if kind < 0.1:
            reading = replace(reading, purpose="rights", role="data_protection_officer")
        elif kind < 0.25:
            reading = replace(
                reading,
                purpose="referral",
                action=Action.REFER,
                form="registration",
                receiver="casa-sol",
                receiver_kind=InstitutionKind.SHELTER,
                receiver_country="MX",
                origin_country=draw.choice(("HN", "GT", "SV", "HT")),
                collected_here=True,
            )
        asked.append(reading)
    return asked


def decided(asked: list[Request]) -> Callable[[], None]:
    """`decide`, for each."""

    def run() -> None:
        for request in asked:
            answer = decide(request, purposes=PURPOSES, consents=CONSENTS, now=NOW)
            assert isinstance(answer, Permit)

    return run


def bare(request: Request, number: int) -> Callable[[], None]:
    """Cedar alone on the first question, that many times."""
    question = question_of(request, PURPOSES, CONSENTS, NOW, USUAL_TIME)
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.cedar"))]
    policies = cedarpy.PolicySet.from_str("\n".join(texts))
    entities = cedarpy.Entities.from_json_str(
        json.dumps([stated(entity) for entity in (question.asker, question.purpose, question.records)])
    )
    asked = {
        "principal": {"type": question.asker.type, "id": question.asker.id},
        "action": {"type": "Action", "id": str(question.action)},
        "resource": {"type": question.records.type, "id": question.records.id},
        "context": plain(question.context),
    }

    def run() -> None:
        for _ in range(number):
            answer = cedarpy.is_authorized(asked, policies, entities)
            assert answer.allowed
            assert not answer.diagnostics.errors

    return run


def stated(entity: Entity) -> dict[str, Any]:
    """An entity in Cedar's JSON."""
    uid = {"type": entity.type, "id": entity.id}
    return {"uid": uid, "attrs": plain(entity.attributes), "parents": []}


def plain(value: Any) -> Any:
    """A fact in Cedar's JSON."""
    if isinstance(value, Facts):
        return {name: plain(inner) for name, inner in value}
    if isinstance(value, Entity):
        return {"__entity": {"type": value.type, "id": value.id}}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def measure(decisions: int, rounds: int) -> dict[str, list[float]]:
    """Decisions per second of the processor, of each way in each round."""
    asked = day(decisions)
    reading = next(request for request in asked if request.action is Action.READ)
    found: dict[str, list[float]] = {"bare": [], "day": [], "never_seen": []}
    bare(reading, 200)()
    for turn in range(rounds):
        strange = [
            replace(request, role="caseworker", purpose="assistance", form=f"form_{turn}_{number}")
            for number, request in enumerate(asked)
            if request.action is Action.READ
        ]
        ways = {
            "bare": (bare(reading, decisions), decisions),
            "day": (decided(asked), decisions),
            "never_seen": (decided(strange), len(strange)),
        }
        for name in ways if turn % 2 == 0 else reversed(ways):
            way, number = ways[name]
            start = time.process_time()
            way()
            found[name].append(number / (time.process_time() - start))
    return found


def summary(decisions: int, found: dict[str, list[float]]) -> dict[str, Any]:
    """The medians, and how many times as long as Cedar alone."""
    rates = {name: round(statistics.median(each)) for name, each in found.items()}
    return {
        "benchmark": "decide",
        "decisions": decisions,
        "rounds": len(found["bare"]),
        "policies": len(POLICIES.told),
        "bare_per_second": rates["bare"],
        "day_per_second": rates["day"],
        "never_seen_per_second": rates["never_seen"],
        "day_times_as_long_as_bare": times(found, "day"),
        "never_seen_times_as_long_as_bare": times(found, "never_seen"),
        "each_round": {name: [round(rate) for rate in each] for name, each in found.items()},
        "python": platform.python_version(),
        "cedarpy": version("cedarpy"),
        "processors": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()],
    }


def times(found: dict[str, list[float]], name: str) -> float:
    """The median of the rounds' ratios."""
    ratios = [alone / ours for alone, ours in zip(found["bare"], found[name], strict=True)]
    return round(statistics.median(ratios), 2)


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--decisions", type=int, default=5000)
    reader.add_argument("--rounds", type=int, default=7)
    reader.add_argument("--json", type=Path, help="where the figures are written")
    asked = reader.parse_args()
    figures = summary(asked.decisions, measure(asked.decisions, asked.rounds))
    print(f"{figures['policies']} policies, {asked.decisions:,} decisions, {asked.rounds} rounds")
    print(f"      bare: {figures['bare_per_second']:>7,} decisions/s")
    for name in ("day", "never_seen"):
        label = name.replace("_", " ")
        print(f"{label:>10}: {figures[f'{name}_per_second']:>7,} decisions/s, "
              f"{figures[f'{name}_times_as_long_as_bare']} times as long as bare")  # fmt: skip
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
