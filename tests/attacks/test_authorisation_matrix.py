"""Who may do what: every cell of a matrix against rules that were written down a second time, in Python.

The oracle (`broken_rules`) was written from the prose of docs/policies.md and looks at no policy. A cell says
who asks (nine roles of staff, one that only a programme knows, the person herself, another person), which of
nine actions, the purpose, the groups, the form, the institution, restriction, the record's age, consents of
every state and receiver, objections, legal hold, receiver, countries, asylum, where the record came from, the
second factor, whether it was shown again, and the emergency with its reason and time.

Cells lie around scenes that are allowed: every scene with every other value of every one of its facts, pairs
of them, and then several at once, drawn with a fixed seed. A usual run looks at 30,000 cells; with the
environment variable RESGUARDO_LONG=1 it looks at 520,000, which takes some minutes.

Every mutant of the policies (one deleted, one condition turned round, one part of a condition or of a scope
left out, one number moved, one word changed) must disagree with the oracle in some cell.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest

from resguardo.allow.consent import Consent, ConsentBy
from resguardo.allow.decision import (
    EMERGENCY_TIME,
    POLICY,
    USUAL_TIME,
    Action,
    Denial,
    Request,
    decide,
    question_of,
    rule_of,
)
from resguardo.allow.policy import FOLDER, POLICIES, Judgement, Policies, Question
from resguardo.plan.declaration import Purpose
from resguardo.values import Basis, InstitutionKind, Permit, Sensitivity

LONG = os.environ.get("RESGUARDO_LONG") == "1"
CELLS = 520_000 if LONG else 30_000
SEED = 20221111

NOW = datetime(2022, 8, 11, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
SHELTER, CONSULATE = UUID(int=1), UUID(int=2)
ANA, BEA = UUID(int=3), UUID(int=4)
I, Q, S, P = Sensitivity  # noqa: E741
ALL = frozenset(Sensitivity)


# What the programme declares, once for the rules and once for the oracle


@dataclass(frozen=True)
class Declared:
    """A purpose in the oracle's words."""

    basis: str
    days: int
    opens: frozenset[Sensitivity]
    roles: tuple[str, ...]
    forms: tuple[str, ...] = ()


TRAINER, CASEWORKER, SUPERVISOR = "trainer", "caseworker", "supervisor"
OFFICER, HERSELF = "data_protection_officer", "data_subject"
ALWAYS = {
    "training": Declared("consent", 100, frozenset({I, Q, P}), (TRAINER, CASEWORKER)),
    "referral": Declared("consent", 300, ALL, (CASEWORKER, OFFICER)),
    "care": Declared("public_task", 200, ALL, (CASEWORKER, OFFICER, "intake_worker"), ("intake", "visit")),
    "rescue": Declared("vital_interest", 100, ALL, (CASEWORKER, "programme_manager")),
    "legal_claim": Declared("legitimate_interest", 500, frozenset({I, S}), (CASEWORKER, "researcher")),
    "machines": Declared("contract", 500, ALL, ("administrator", "operator", SUPERVISOR, "press_officer")),
}
RIGHTS = {
    "declared": Declared("legal_obligation", 1000, ALL, (OFFICER, CASEWORKER)),
    "tied": Declared("legal_obligation", 1000, frozenset({P}), (OFFICER,), ("visit",)),
    "absent": None,
}
VITAL = {
    "absent": None,
    "declared": Declared("vital_interest", 50, frozenset({P}), (CASEWORKER,), ("visit",)),
}


def programme(rights: str, vital: str) -> dict[str, Declared]:
    """The purposes that are declared."""
    extra = {"rights": RIGHTS[rights], "vital_interest": VITAL[vital]}
    return ALWAYS | {name: told for name, told in extra.items() if told is not None}


PROGRAMMES = {(rights, vital): programme(rights, vital) for rights in RIGHTS for vital in VITAL}
PURPOSES = {
    key: tuple(
        Purpose(name, {}, Basis(told.basis), told.days, told.opens, told.roles, forms=told.forms)
        for name, told in purposes.items()
    )
    for key, purposes in PROGRAMMES.items()
}

# To whom, and what the person said


@dataclass(frozen=True)
class Told:
    """A consent in the oracle's words: whether it counts today, and for whom (None: who asked)."""

    counts: bool
    receiver: str | None
    consent: Consent


def said(purpose: str, receiver: str | None = None, **more: Any) -> Consent:
    return Consent("5f" * 16, purpose, date(2022, 3, 1), "es", receiver=receiver, **more)


def consents_to(purpose: str) -> dict[str, Told]:
    """Every state of a consent to the purpose."""
    return {
        "here": Told(True, None, said(purpose)),
        "here, by a guardian": Told(True, None, said(purpose, by=ConsentBy.GUARDIAN, assent=True)),
        "here, until today": Told(True, None, said(purpose, until=TODAY)),
        "here, taken back today": Told(False, None, said(purpose, withdrawn_on=TODAY)),
        "here, over": Told(False, None, said(purpose, until=TODAY - timedelta(days=1))),
        "here, refused": Told(False, None, said(purpose, refused=True)),
        "here, the child said no": Told(False, None, said(purpose, by=ConsentBy.AUTHORITY, assent=False)),
        "another purpose": Told(False, None, said("sharing")),
        "to shelters": Told(True, "shelter", said(purpose, "shelter")),
        "to consulates": Told(True, "consulate", said(purpose, "consulate")),
        "to the shelter": Told(True, "casa-sol", said(purpose, "casa-sol")),
        "to the consulate": Told(True, "consulado-hn", said(purpose, "consulado-hn")),
        "to the consulate, taken back": Told(
            False, "consulado-hn", said(purpose, "consulado-hn", withdrawn_on=TODAY)
        ),
    }


CONSENTS = {
    name: consents_to(name)
    for name in (*ALWAYS, "rights", "vital_interest", "curiosity")
}  # fmt: skip


@dataclass(frozen=True)
class Receiver:
    """Somebody who may receive records. `country` is None where it cannot be relied on."""

    name: str
    kind: InstitutionKind | None
    country: str | None
    written: str | None
    """What stands in its country."""


RECEIVERS = {
    "shelter": Receiver("casa-sol", InstitutionKind.SHELTER, "MX", "MX"),
    "consulate": Receiver("consulado-hn", InstitutionKind.CONSULATE, "HN", "HN"),
    "named like a kind": Receiver("consulate", InstitutionKind.CONSULATE, "HN", "HN"),
    "of no known kind": Receiver("casa-sol", None, "MX", "MX"),
    "of no known country": Receiver("casa-sol", InstitutionKind.SHELTER, None, None),
    "of a misspelt country": Receiver("consulado-hn", InstitutionKind.CONSULATE, None, "hn"),
}


# A cell


@dataclass(frozen=True)
class Cell:
    """One question. The defaults are an ordinary reading."""

    role: str = CASEWORKER
    own: bool = True
    """For the person herself: the records are hers."""
    action: str = "read"
    purpose: str = "training"
    rights: str = "declared"
    vital: str = "absent"
    groups: frozenset[Sensitivity] = frozenset({Q, P})
    form: str | None = "intake"
    same_institution: bool = True
    restricted: bool = False
    age: int = 10
    consent: tuple[str, ...] = ("here",)
    objected: frozenset[str] = frozenset()
    legal_hold: bool = False
    receiver: str | None = None
    origin: str | None = "HN"
    asylum: bool = False
    collected_here: bool = True
    second_factor: bool = True
    reauthenticated: bool = True
    emergency: bool = False
    reason: int = 40
    minutes: int | None = None

    @property
    def request(self) -> Request:
        receiver = RECEIVERS[self.receiver] if self.receiver else None
        return Request(
            who="0" * 32,
            role=self.role,
            institution=SHELTER if self.same_institution else CONSULATE,
            purpose=self.purpose,
            groups=self.groups,
            subject=ANA,
            subject_institution=SHELTER,
            recorded_on=TODAY - timedelta(days=self.age),
            restricted=self.restricted,
            action=Action(self.action),
            form=self.form,
            second_factor=self.second_factor,
            reauthenticated=self.reauthenticated,
            herself=(ANA if self.own else BEA) if self.role == HERSELF else None,
            objected=self.objected,
            legal_hold=self.legal_hold,
            receiver=receiver.name if receiver else None,
            receiver_kind=receiver.kind if receiver else None,
            receiver_country=receiver.written if receiver else None,
            collected_here=self.collected_here,
            origin_country=self.origin,
            asylum=self.asylum,
            break_glass=self.emergency,
            reason_length=self.reason,
        )

    @property
    def told(self) -> list[Told]:
        return [CONSENTS[self.purpose][name] for name in self.consent]

    @property
    def consents(self) -> list[Consent]:
        return [told.consent for told in self.told]

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        return PURPOSES[self.rights, self.vital]

    @property
    def time(self) -> timedelta:
        if self.minutes is None:
            return timedelta(hours=1) if self.emergency else timedelta(minutes=15)
        return timedelta(minutes=self.minutes)

    @property
    def question(self) -> Question:
        return question_of(self.request, self.purposes, self.consents, NOW, self.time)


VALUES: dict[str, tuple[Any, ...]] = {
    "role": (
        "intake_worker", CASEWORKER, SUPERVISOR, TRAINER, OFFICER, "programme_manager", "press_officer",
        "administrator", "operator", "researcher", HERSELF,
    ),
    "own": (True, False),
    "action": tuple(action.value for action in Action),
    "purpose": (*ALWAYS, "rights", "vital_interest", "curiosity"),
    "rights": tuple(RIGHTS),
    "vital": tuple(VITAL),
    "groups": (
        frozenset(), frozenset({P}), frozenset({Q, P}), frozenset({I}), frozenset({I, S}), frozenset({S}),
        ALL,
    ),
    "form": (None, "intake", "visit", "closure"),
    "same_institution": (True, False),
    "restricted": (False, True),
    "age": (0, 10, 50, 51, 100, 101, 200, 201, 300, 301, 500, 501, 1000, 1001),
    "consent": (
        (), *((name,) for name in CONSENTS["training"]),
        ("here", "to the consulate"), ("here", "to shelters"), ("to consulates", "here, over"),
    ),
    "objected": (frozenset(), frozenset({"training", "care", "machines"}), frozenset({"legal_claim"}),
                 frozenset({"rights", "rescue", "vital_interest"})),
    "legal_hold": (False, True),
    "receiver": (None, *RECEIVERS),
    "origin": ("HN", "MX", "", None, "hnd"),
    "asylum": (False, True),
    "collected_here": (True, False),
    "second_factor": (True, False),
    "reauthenticated": (True, False),
    "emergency": (False, True),
    "reason": (0, 19, 20, 40),
    "minutes": (None, 15, 60, 61),
}  # fmt: skip
assert list(VALUES) == [one.name for one in fields(Cell)]

EMERGENCY = Cell(
    role=SUPERVISOR, purpose="vital_interest", emergency=True, groups=ALL, consent=(), form="closure"
)
SCENES = (
    Cell(),
    Cell(role=TRAINER, groups=frozenset({I})),
    Cell(action="update", purpose="care", consent=(), groups=ALL),
    Cell(action="read", purpose="care", role="intake_worker", form="visit", age=200),
    Cell(action="read", purpose="rescue", role="programme_manager", consent=(), groups=ALL),
    Cell(action="read", purpose="rights", role=OFFICER, consent=(), groups=ALL, restricted=True, age=900),
    Cell(action="export", purpose="rights", role=OFFICER, consent=(), groups=ALL),
    Cell(action="read", purpose="legal_claim", role="researcher", groups=frozenset({I, S}), restricted=True),
    Cell(action="read", purpose="machines", role="press_officer", consent=()),
    Cell(action="refer", purpose="referral", receiver="shelter", consent=("to shelters",), groups=ALL),
    Cell(action="refer", purpose="referral", receiver="shelter", consent=("to the shelter",), asylum=True),
    Cell(action="refer", purpose="referral", receiver="consulate", consent=("to the consulate",)),
    Cell(action="refer", purpose="referral", receiver="consulate", consent=("to consulates",), origin="MX"),
    Cell(action="refer", purpose="care", receiver="shelter", consent=(), origin=""),
    Cell(action="export", purpose="referral", receiver="shelter", consent=("to shelters",)),
    Cell(action="aggregate", purpose="care", consent=(), groups=frozenset({Q, P})),
    Cell(action="search", purpose="training", role=TRAINER, consent=(), groups=frozenset({I}), form=None),
    Cell(action="erase", purpose="rights", role=OFFICER, consent=(), groups=ALL, age=1001),
    Cell(action="erase", purpose="care", consent=(), groups=ALL, age=1001),
    Cell(action="restrict", purpose="rights", role=OFFICER, groups=frozenset(), consent=(), form=None),
    Cell(action="withdraw", purpose="training", role="press_officer", groups=frozenset(), age=1001),
    EMERGENCY,
    replace(EMERGENCY, vital="declared", age=1000, rights="declared"),
    Cell(role=HERSELF, purpose="rights", groups=ALL, consent=(), restricted=True, age=1001),
    Cell(role=HERSELF, purpose="rights", rights="tied", groups=ALL, consent=()),
    Cell(role=HERSELF, purpose="rights", rights="absent", action="restrict", groups=frozenset(), consent=()),
    Cell(role=HERSELF, purpose="training", action="withdraw", groups=frozenset(), form=None),
)
BESIDES = (
    # She has no purpose but her rights, whatever else stands in her way.
    Cell(role=HERSELF, objected=frozenset({"training"}), consent=()),
    Cell(role=HERSELF, action="aggregate", groups=ALL, restricted=True, age=1001),
    Cell(role=HERSELF, action="refer", receiver="shelter"),
)


# The oracle


ORDER = (
    "another_institution", "second_factor", "technical_role", "emergency_role", "emergency_purpose",
    "emergency_read_only", "emergency_reason", "emergency_time", "unknown_purpose", "role", "nothing_asked",
    "groups", "form", "figures_without_names", "restriction_by_officer", "restricted", "retention",
    "objection", "receiver_named", "consent", "consent_to_receiver", "sent_on", "country_unknown",
    "origin_country", "legal_hold", "reauthentication", "own_records", "own_consent",
)  # fmt: skip
OPENING = {"read", "update", "export", "refer"}
COUNTRIES = {"HN", "MX"}


def broken_rules(cell: Cell) -> set[str]:
    """Every rule that forbids what the cell asks; empty where it is allowed."""
    receiver = RECEIVERS[cell.receiver] if cell.receiver else None
    broken = set()
    if not cell.second_factor:
        broken.add("second_factor")
    if (cell.action in {"export", "refer", "erase"} or cell.emergency) and not cell.reauthenticated:
        broken.add("reauthentication")
    if not cell.groups and cell.action not in {"restrict", "withdraw"}:
        broken.add("nothing_asked")
    if cell.action == "erase" and cell.legal_hold:
        broken.add("legal_hold")
    if cell.emergency:
        broken |= _of_an_emergency(cell)
    if cell.action == "refer" and receiver is None:
        broken.add("receiver_named")
    if receiver is not None:
        broken |= _of_sending(cell, receiver)
    broken |= _of_herself(cell) if cell.role == HERSELF else _of_staff(cell, receiver)
    return broken


def _of_an_emergency(cell: Cell) -> set[str]:
    checks = {
        "emergency_role": cell.role == SUPERVISOR,
        "emergency_purpose": cell.purpose == "vital_interest",
        "emergency_read_only": cell.action == "read",
        "emergency_reason": cell.reason >= 20,
        "emergency_time": cell.minutes in (None, 15, 60),
    }
    return {rule for rule, kept in checks.items() if not kept}


def _of_sending(cell: Cell, receiver: Receiver) -> set[str]:
    broken = set()
    if not cell.collected_here:
        broken.add("sent_on")
    if receiver.country is None or cell.origin not in {"", *COUNTRIES}:
        broken.add("country_unknown")
    elif cell.origin == receiver.country:
        by_name = {told.receiver for told in cell.told if told.counts} - {
            kind.value for kind in InstitutionKind
        }
        if cell.asylum or receiver.name not in by_name:
            broken.add("origin_country")
    return broken


def _of_herself(cell: Cell) -> set[str]:
    known = cell.purpose in PROGRAMMES[cell.rights, cell.vital]
    if cell.action == "withdraw":
        return set() if cell.own and known else {"own_consent"}
    allowed = cell.own and cell.action in {"read", "restrict"} and cell.purpose == "rights"
    return set() if allowed else {"own_records"}


def _of_staff(cell: Cell, receiver: Receiver | None) -> set[str]:
    declared = PROGRAMMES[cell.rights, cell.vital]
    purpose = declared.get(cell.purpose)
    uses = cell.action in {*OPENING, "aggregate", "search"}
    one_record = cell.action in {*OPENING, "aggregate"}
    broken = set()
    if not cell.same_institution:
        broken.add("another_institution")
    if cell.role in {"administrator", "operator"} and cell.action in {*OPENING, "search", "erase"}:
        broken.add("technical_role")
    if not cell.emergency:
        if purpose is None:
            broken.add("unknown_purpose")
        elif uses or cell.action == "erase":
            if cell.role not in purpose.roles:
                broken.add("role")
            if cell.groups - purpose.opens:
                broken.add("groups")
            tied = bool(purpose.forms) and cell.form is not None and cell.action != "search"
            if tied and cell.form not in purpose.forms:
                broken.add("form")
    if cell.action == "aggregate" and I in cell.groups:
        broken.add("figures_without_names")
    officer_for_rights = cell.role == OFFICER and cell.purpose == "rights"
    if cell.action == "restrict" and not officer_for_rights:
        broken.add("restriction_by_officer")
    limited = cell.restricted and (one_record or cell.action == "erase")
    if limited and cell.purpose != "legal_claim" and not officer_for_rights:
        broken.add("restricted")
    if one_record:
        broken |= _of_time_and_wishes(cell, declared, purpose, receiver)
    return broken


def _of_time_and_wishes(
    cell: Cell, declared: dict[str, Declared], purpose: Declared | None, receiver: Receiver | None
) -> set[str]:
    broken = set()
    basis = "vital_interest" if cell.emergency else purpose.basis if purpose else None
    days = purpose.days if purpose else -1
    if cell.emergency:
        days = max(told.days for told in declared.values())
    if cell.age > days:
        broken.add("retention")
    stands = basis in {"legal_obligation", "vital_interest"} or cell.purpose == "legal_claim"
    if cell.purpose in cell.objected and not stands:
        broken.add("objection")
    if basis == "consent":
        allowed = {told.receiver for told in cell.told if told.counts}
        if receiver is None:
            if None not in allowed:
                broken.add("consent")
        else:
            kinds = {kind.value for kind in InstitutionKind}
            named = receiver.name in allowed - kinds
            of_the_kind = receiver.kind is not None and receiver.kind.value in allowed & kinds
            if not named and not of_the_kind:
                broken.add("consent_to_receiver")
    return broken


def expected(cell: Cell) -> str | None:
    """The rule that gives the denial its name; None where it is allowed."""
    broken = broken_rules(cell)
    return next((rule for rule in ORDER if rule in broken), None)


# The cells


def others(cell: Cell, fact: str) -> Iterator[Cell]:
    for value in VALUES[fact]:
        if value != getattr(cell, fact):
            yield replace(cell, **{fact: value})


def one_fact_changed() -> Iterator[Cell]:
    yield from BESIDES
    for scene in SCENES:
        yield scene
        for fact in VALUES:
            yield from others(scene, fact)


def two_facts_changed() -> Iterator[Cell]:
    for scene in SCENES:
        for first, second in combinations(VALUES, 2):
            for cell in others(scene, first):
                yield from others(cell, second)


def cells(number: int) -> list[Cell]:
    """That many different cells, the same ones each time."""
    chosen = dict.fromkeys(one_fact_changed())
    draw = random.Random(SEED)
    pairs = list(two_facts_changed())
    draw.shuffle(pairs)
    for cell in pairs[: number // 2]:
        chosen[cell] = None
    names = list(VALUES)
    while len(chosen) < number:
        facts = draw.sample(names, draw.randint(3, 6))
        changed = {fact: draw.choice(VALUES[fact]) for fact in facts}
        chosen[replace(draw.choice(SCENES), **changed)] = None
    return list(chosen)


def test_every_scene_is_allowed() -> None:
    assert [(scene, broken_rules(scene)) for scene in SCENES if broken_rules(scene)] == []


def test_every_cell_agrees_with_the_oracle() -> None:
    counted: Counter[str] = Counter()
    wrong = []
    for cell in cells(CELLS):
        lasts = None if cell.minutes is None else timedelta(minutes=cell.minutes)
        request = cell.request
        answer = decide(request, purposes=cell.purposes, consents=cell.consents, now=NOW, lasts=lasts)
        rule = expected(cell)
        counted[rule or "permit"] += 1
        if (str(answer.rule) if isinstance(answer, Denial) else None) != rule:
            wrong.append((cell, answer))
        if isinstance(answer, Permit):
            assert answer == permit_for(cell), cell
        else:
            assert (answer.purpose, answer.role, answer.policy) == (cell.purpose, cell.role, POLICY)
    assert wrong[:3] == []
    assert counted.total() == CELLS
    assert set(counted) == {*ORDER, "permit"}
    assert counted["permit"] > CELLS / 50


def permit_for(cell: Cell) -> Permit:
    """The permit that the oracle would write."""
    purpose = PROGRAMMES[cell.rights, cell.vital].get(cell.purpose)
    if cell.emergency:
        basis = Basis.VITAL_INTEREST
    else:
        basis = Basis(purpose.basis) if purpose else Basis.LEGAL_OBLIGATION
    receiver = RECEIVERS[cell.receiver] if cell.receiver else None
    counting = {told.receiver for told in cell.told if told.counts}
    covered = {receiver.name, receiver.kind} - {None} if receiver else {None}
    forms = {cell.form} if cell.form else None
    if forms is None and purpose and purpose.forms and not cell.emergency and cell.role != HERSELF:
        forms = {*purpose.forms}
    return Permit(
        who="0" * 32,
        role=cell.role,
        institution=SHELTER if cell.same_institution else CONSULATE,
        subject=ANA,
        purpose=cell.purpose,
        basis=basis,
        consent="5f" * 16 if basis == "consent" and counting & covered else None,
        groups=cell.groups,
        until=NOW + cell.time,
        policy=POLICY,
        action=cell.action,
        forms=frozenset(forms) if forms else None,
    )


def test_the_usual_time_and_that_of_an_emergency_are_as_the_oracle_has_them() -> None:
    assert Cell().time == USUAL_TIME
    assert EMERGENCY.time == EMERGENCY_TIME


# The mutants


Mutant = tuple[str, dict[str, Any]]
TEXT = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.cedar"))}


def as_written() -> dict[str, Any]:
    """The policies as Cedar's JSON, each under its `@id`."""
    import cedarpy

    told = json.loads(cedarpy.policies_to_json_str("\n".join(TEXT.values())))["staticPolicies"]
    return {policy["annotations"]["id"]: policy for policy in told.values()}


def mutants() -> Iterator[Mutant]:
    """Each mutant's name and all policies with the one changed."""
    whole = as_written()
    for name, policy in whole.items():
        yield f"{name}: deleted", {other: told for other, told in whole.items() if other != name}
        for what, changed in changes(policy):
            yield f"{name}: {what}", {**whole, name: changed}


def changes(policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The policy with one thing changed."""
    for number, condition in enumerate(policy["conditions"]):
        turned = deepcopy(policy)
        turned["conditions"][number]["kind"] = {"when": "unless", "unless": "when"}[condition["kind"]]
        yield f"condition {number} turned round", turned
        left_out = deepcopy(policy)
        del left_out["conditions"][number]
        yield f"condition {number} left out", left_out
        for what, body in expressions(condition["body"]):
            changed = deepcopy(policy)
            changed["conditions"][number]["body"] = body
            yield f"condition {number}, {what}", changed
    if policy["principal"]["op"] != "All":
        yield "for everybody", {**policy, "principal": {"op": "All"}}
    if policy["action"]["op"] != "All":
        yield "for every action", {**policy, "action": {"op": "All"}}
    named = policy["action"].get("entities", [])
    for one in named:
        fewer = [other for other in named if other != one]
        yield f"not for {one['id']}", {**policy, "action": {"op": "in", "entities": fewer}}


def expressions(body: Any) -> Iterator[tuple[str, Any]]:
    """The expression with one part left out or one constant changed."""
    if not isinstance(body, dict):
        return
    for operator, inner in body.items():
        if operator in ("&&", "||"):
            yield f"without the left of {operator}", inner["right"]
            yield f"without the right of {operator}", inner["left"]
        if operator in ("<", ">"):
            yield f"{operator} or equal", {f"{operator}=": inner}
        if operator == "!":
            yield "not negated", inner["arg"]
        if operator == "Value":
            if isinstance(inner, bool):
                continue
            if isinstance(inner, int):
                yield f"{inner} + 1", {"Value": inner + 1}
                yield f"{inner} - 1", {"Value": inner - 1}
            elif isinstance(inner, str):
                yield f"{inner} changed", {"Value": f"{inner}x"}
            elif isinstance(inner, dict) and "__entity" in inner:
                entity = inner["__entity"]
                yield f"{entity['id']} changed", {"Value": {"__entity": {**entity, "id": "another"}}}
            continue
        if operator == "Set":
            for number in range(len(inner)):
                yield f"without element {number}", {"Set": inner[:number] + inner[number + 1 :]}
            continue
        parts = (
            inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        )
        for place, part in parts:
            for what, changed in expressions(part):
                copied = deepcopy(inner)
                copied[place] = changed
                yield what, {operator: copied}


def mutated(policies: dict[str, Any]) -> Policies:
    """The house's policies with others in their place, which need not agree with the schema."""
    import cedarpy

    written = {"staticPolicies": policies, "templates": {}, "templateLinks": []}
    changed = copy(POLICIES)
    changed._set = cedarpy.PolicySet.from_json_str(json.dumps(written))
    return changed


@pytest.fixture(scope="module")
def asked() -> list[tuple[Cell, Request, Question, str | None]]:
    """Cells for the mutants: every scene with one fact changed, and a share of those with two."""
    draw = random.Random(SEED)
    chosen = [*dict.fromkeys(one_fact_changed()), *draw.sample(list(two_facts_changed()), 6000)]
    return [(cell, cell.request, cell.question, expected(cell)) for cell in chosen]


def disagrees(judgement: Judgement, request: Request, rule: str | None) -> bool:
    given = None if judgement.allowed else str(rule_of(request, judgement))
    return judgement.failed or given != rule


def test_the_policies_as_written_disagree_nowhere(asked: list[Any]) -> None:
    for cell, request, question, rule in asked:
        assert not disagrees(POLICIES.judge(question), request, rule), cell


def test_every_mutant_of_the_policies_is_noticed(asked: list[Any]) -> None:
    survivors = []
    number = 0
    for name, policies in mutants():
        number += 1
        changed = mutated(policies)
        policy = name.partition(":")[0]
        # Cells that the policy decides come first: most mutants fall at once.
        for _, request, question, rule in sorted(asked, key=lambda one: one[3] not in (policy, None)):
            if disagrees(changed.judge(question), request, rule):
                break
        else:
            survivors.append(name)
    assert survivors == []
    assert number > 200
