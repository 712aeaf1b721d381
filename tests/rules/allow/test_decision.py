"""Every decision in a small world, against rules that were written down a second time."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, combinations, product
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest

from resguardo.allow import decision
from resguardo.allow.consent import Consent, ConsentBy
from resguardo.allow.decision import POLICY, Denial, Request, Rule, decide
from resguardo.plan.declaration import Purpose
from resguardo.values import Basis, Permit, Sensitivity

NOW = datetime(2022, 8, 11, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
SHELTER, CONSULATE = UUID(int=1), UUID(int=2)
ANA = UUID(int=3)
I, Q, S, P = Sensitivity  # noqa: E741

PURPOSES = (
    Purpose("training", {}, Basis.CONSENT, 100, frozenset({I, Q, P}), ("trainer", "caseworker")),
    Purpose("rights", {}, Basis.LEGAL_OBLIGATION, 1000, frozenset(Sensitivity), ("officer",)),
    Purpose("legal_claim", {}, Basis.LEGITIMATE_INTEREST, 1000, frozenset({I, S}), ("officer", "caseworker")),
    Purpose("legal_claims", {}, Basis.CONSENT, 0, frozenset({Q}), ("trainer",)),
)
ROLES = ("trainer", "caseworker", "officer", "visitor")
ASKED_PURPOSES = (*(purpose.name for purpose in PURPOSES), "curiosity")
GROUPS = [frozenset(some) for some in chain.from_iterable(combinations(Sensitivity, n) for n in range(5))]
GIVEN = Consent("5f" * 16, "training", date(2022, 3, 1), "es")
CONSENTS: dict[str, tuple[bool, Consent]] = {
    "valid": (True, GIVEN),
    "from today": (True, replace(GIVEN, given_on=TODAY)),
    "from tomorrow": (False, replace(GIVEN, given_on=TODAY + timedelta(days=1))),
    "withdrawn": (False, replace(GIVEN, withdrawn_on=TODAY)),
    "over": (False, replace(GIVEN, until=TODAY - timedelta(days=1))),
    "for another receiver": (False, replace(GIVEN, receiver="consulate-b")),
    "for another purpose": (False, replace(GIVEN, purpose="rights")),
    "refused by the child": (False, replace(GIVEN, by=ConsentBy.GUARDIAN, assent=False)),
}
AGES = (0, 1, 100, 101, 1000, 1001)


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    same_institution: bool
    purpose: str
    role: str
    groups: frozenset[Sensitivity]
    restricted: bool
    age: int
    consent: str | None

    @property
    def request(self) -> Request:
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
        )

    @property
    def consents(self) -> list[Consent]:
        return [] if self.consent is None else [CONSENTS[self.consent][1]]


def cases() -> Iterator[Case]:
    for cell in product((True, False), ASKED_PURPOSES, ROLES, GROUPS, (False, True), AGES, (None, *CONSENTS)):
        yield Case(*cell)


def broken_rules(case: Case) -> list[str]:
    """The oracle: every rule that the case breaks, from a table and not from the code."""
    table = {
        #              roles                      opens     days  needs consent
        "training": ({"trainer", "caseworker"}, {I, Q, P}, 100, True),
        "rights": ({"officer"}, {I, Q, S, P}, 1000, False),
        "legal_claim": ({"officer", "caseworker"}, {I, S}, 1000, False),
        "legal_claims": ({"trainer"}, {Q}, 0, True),
    }
    broken = []
    if not case.same_institution:
        broken.append("another_institution")
    if case.purpose not in table:
        return [*broken, "unknown_purpose"]
    roles, opens, days, needs_consent = table[case.purpose]
    if case.role not in roles:
        broken.append("role")
    if len(case.groups) == 0:
        broken.append("nothing_asked")
    if case.groups - opens:
        broken.append("groups")
    if case.restricted and case.purpose != "legal_claim":
        broken.append("restricted")
    if case.age > days:
        broken.append("retention")
    consented = case.consent is not None and CONSENTS[case.consent][0] and case.purpose == "training"
    if needs_consent and not consented:
        broken.append("consent")
    return broken


Decide = Callable[..., Permit | Denial]


def disagreements(rule: Decide) -> Iterator[Case]:
    for case in cases():
        answer = rule(case.request, purposes=PURPOSES, consents=case.consents, now=NOW)
        broken = broken_rules(case)
        given = None if hasattr(answer, "until") else str(answer.rule)
        if given != (broken[0] if broken else None):
            yield case


def test_every_decision_agrees_with_the_oracle() -> None:
    counted: Counter[str] = Counter()
    for case in cases():
        answer = decide(case.request, purposes=PURPOSES, consents=case.consents, now=NOW)
        broken = broken_rules(case)
        if broken:
            assert isinstance(answer, Denial), case
            assert answer.rule == broken[0], case
            counted[answer.rule] += 1
        else:
            assert isinstance(answer, Permit), case
            assert answer.groups == case.groups
            assert answer.purpose == case.purpose
            assert answer.consent == (GIVEN.id if case.purpose == "training" else None)
            counted["permit"] += 1
    assert set(counted) == {*Rule, "permit"}
    assert counted.total() == 69_120


def _deleted(number: int) -> Decide:
    """`decide` as it would be with one of its rules deleted."""
    tree = ast.parse(Path(decision.__file__).read_text(encoding="utf-8"))
    rules = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "_forbidding_rule"
    )
    rule = [node for node in rules.body if isinstance(node, ast.If)][number]
    rules.body.remove(rule)
    module = ModuleType(f"decision_without_rule_{number}")
    sys.modules[module.__name__] = module
    exec(compile(ast.fix_missing_locations(tree), decision.__file__, "exec"), module.__dict__)  # noqa: S102
    decide_without: Decide = module.decide
    return decide_without


@pytest.mark.parametrize("number", [n for n in range(len(Rule)) if n != 1])
def test_the_matrix_notices_when_any_rule_is_deleted(number: int) -> None:
    assert next(disagreements(_deleted(number)), None) is not None


def test_without_the_rule_of_the_unknown_purpose_there_is_no_answer_at_all() -> None:
    with pytest.raises(AttributeError):
        next(disagreements(_deleted(1)), None)


CASE = Case(True, "training", "trainer", frozenset({I, Q}), False, 10, "valid")


def decided(case: Case = CASE, **more: object) -> Permit | Denial:
    return decide(case.request, purposes=PURPOSES, consents=case.consents, now=NOW, **more)  # type: ignore[arg-type]


def test_a_permit_says_who_for_what_on_which_basis_and_ends_after_a_quarter_of_an_hour() -> None:
    assert decided() == Permit(
        who="0" * 32,
        role="trainer",
        institution=SHELTER,
        subject=ANA,
        purpose="training",
        basis=Basis.CONSENT,
        consent=GIVEN.id,
        groups=frozenset({I, Q}),
        until=NOW + timedelta(minutes=15),
        policy=POLICY,
    )
    shorter = decided(lasts=timedelta(minutes=2))
    assert isinstance(shorter, Permit)
    assert shorter.until == NOW + timedelta(minutes=2)


def test_who_asks_for_less_gets_less() -> None:
    permit = decided(replace(CASE, groups=frozenset({Q})))
    assert isinstance(permit, Permit)
    assert permit.groups == {Q}


def test_a_legal_obligation_needs_no_consent_and_names_none() -> None:
    permit = decided(replace(CASE, purpose="rights", role="officer", consent="valid"))
    assert isinstance(permit, Permit)
    assert (permit.basis, permit.consent) == (Basis.LEGAL_OBLIGATION, None)


def test_a_denial_names_the_rule_in_plain_words_and_nothing_of_the_person() -> None:
    for case in (
        replace(CASE, same_institution=False),
        replace(CASE, purpose="curiosity"),
        replace(CASE, role="visitor"),
        replace(CASE, groups=frozenset()),
        replace(CASE, groups=frozenset(Sensitivity)),
        replace(CASE, restricted=True),
        replace(CASE, age=101),
        replace(CASE, consent="withdrawn"),
    ):
        denial = decided(case)
        assert isinstance(denial, Denial)
        spanish, english = denial.words("es"), denial.words("en")
        assert spanish != english
        for told in (spanish, english, repr(denial)):
            assert "{" not in told
            assert str(ANA) not in told
            assert GIVEN.id not in told
        assert "2022" not in spanish + english
    assert "«curiosity»" in decided(replace(CASE, purpose="curiosity")).words("es")  # type: ignore[union-attr]


def test_the_policy_is_the_hash_of_the_rules_text() -> None:
    folder = Path(decision.__file__).parent
    text = b"".join((folder / name).read_bytes() for name in ("decision.py", "purpose.py", "consent.py"))
    assert hashlib.sha256(text).hexdigest() == POLICY
    assert decided(replace(CASE, consent=None)).policy == POLICY
