"""Every decision in a small world, against rules that were written down a second time.

The whole of the rules is in tests/attacks/test_authorisation_matrix.py; here the ordinary reading is looked
at in every combination, and then each rule of the others by an example.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, combinations, product
from uuid import UUID

import pytest

from resguardo.allow.consent import Consent, ConsentBy
from resguardo.allow.decision import POLICY, Action, Denial, Request, Rule, decide
from resguardo.plan.declaration import Purpose
from resguardo.values import Basis, InstitutionKind, Permit, Sensitivity

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
    usual = {
        "another_institution", "unknown_purpose", "role", "nothing_asked", "groups", "restricted",
        "retention", "consent",
    }  # fmt: skip
    assert set(counted) == {*usual, "permit"}
    assert counted.total() == 69_120


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


# What is asked for besides reading


CARE = Purpose("care", {}, Basis.PUBLIC_TASK, 1000, frozenset(Sensitivity), ("caseworker", "supervisor"))
INTAKE = Purpose(
    "intake", {}, Basis.PUBLIC_TASK, 1000, frozenset({I, P}), ("caseworker",), forms=("register", "visit")
)
RIGHTS = Purpose(
    "rights", {}, Basis.LEGAL_OBLIGATION, 3000, frozenset(Sensitivity), ("data_protection_officer",)
)
REFERRAL = Purpose("referral", {}, Basis.CONSENT, 1000, frozenset(Sensitivity), ("caseworker",))
WORLD = (CARE, INTAKE, RIGHTS, REFERRAL)
ASKED = Request(
    who="0" * 32,
    role="caseworker",
    institution=SHELTER,
    purpose="care",
    groups=frozenset(Sensitivity),
    subject=ANA,
    subject_institution=SHELTER,
    recorded_on=TODAY,
)


def answer(asked: Request, *consents: Consent, **more: object) -> Permit | Denial:
    return decide(asked, purposes=WORLD, consents=consents, now=NOW, **more)  # type: ignore[arg-type]


def rule(asked: Request, *consents: Consent, **more: object) -> str | None:
    """The rule that forbids; None for a permit."""
    given = answer(asked, *consents, **more)
    return str(given.rule) if isinstance(given, Denial) else None


def test_what_is_not_said_of_a_person_is_taken_at_its_worst() -> None:
    """A request that says nothing but what reading needs is refused whatever else it asks for."""
    assert rule(ASKED) is None
    assert rule(replace(ASKED, action=Action.ERASE)) == "legal_hold"
    assert rule(replace(ASKED, action=Action.ERASE, legal_hold=False)) == "reauthentication"
    assert rule(replace(ASKED, action=Action.EXPORT)) == "reauthentication"
    sending = replace(ASKED, action=Action.REFER)
    assert rule(sending) == "receiver_named"
    sending = replace(sending, receiver="casa-sol")
    assert rule(sending) == "sent_on"
    sending = replace(sending, collected_here=True)
    assert rule(sending) == "country_unknown"
    sending = replace(sending, receiver_country="HN", origin_country="HN")
    assert rule(sending) == "origin_country"
    sending = replace(sending, receiver_country="MX")
    assert rule(sending) == "reauthentication"
    assert rule(replace(sending, reauthenticated=True)) is None


def test_without_a_second_factor_nobody_does_anything() -> None:
    for action in Action:
        asked = replace(ASKED, action=action, second_factor=False)
        assert rule(asked) == "second_factor"
        assert rule(replace(asked, role="data_subject", herself=ANA, purpose="rights")) == "second_factor"


def test_an_action_that_is_none_is_refused() -> None:
    assert rule(replace(ASKED, action="borrow")) == "undecided"  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["restricted", "second_factor", "asylum", "collected_here"])
@pytest.mark.parametrize("wrong", [None, "yes", "false", 2])
def test_a_fact_of_another_type_is_a_no_and_never_a_guess(field: str, wrong: object) -> None:
    assert rule(replace(ASKED, **{field: wrong})) == "undecided"  # type: ignore[arg-type]


def test_a_purpose_that_is_tied_to_forms_uses_no_record_of_another() -> None:
    asked = replace(ASKED, purpose="intake", groups=frozenset({I}))
    assert rule(replace(asked, form="visit")) is None
    assert rule(replace(asked, form="closure")) == "form"
    permit = answer(replace(asked, form="register"))
    assert isinstance(permit, Permit)
    assert permit.forms == {"register"}


def test_who_names_no_form_gets_those_of_the_purpose_and_no_other() -> None:
    for action in (Action.READ, Action.SEARCH):
        permit = answer(replace(ASKED, purpose="intake", groups=frozenset({I}), action=action))
        assert isinstance(permit, Permit)
        assert permit.forms == {"register", "visit"}
    every = answer(ASKED)
    assert isinstance(every, Permit)
    assert every.forms is None


def test_a_permit_says_what_may_be_done() -> None:
    permit = answer(replace(ASKED, action=Action.UPDATE))
    assert isinstance(permit, Permit)
    assert permit.action == "update"


def test_those_who_look_after_the_installation_open_nothing_even_where_a_purpose_names_them() -> None:
    machines = replace(CARE, name="machines", roles=("operator", "administrator"))
    for role in machines.roles:
        asked = replace(ASKED, role=role, purpose="machines", legal_hold=False, reauthenticated=True)
        for action in (Action.READ, Action.UPDATE, Action.EXPORT, Action.REFER, Action.SEARCH, Action.ERASE):
            given = decide(replace(asked, action=action), purposes=(machines,), consents=(), now=NOW)
            assert isinstance(given, Denial)
            assert given.rule is Rule.TECHNICAL_ROLE


def test_counting_needs_no_name() -> None:
    assert rule(replace(ASKED, action=Action.AGGREGATE)) == "figures_without_names"
    assert rule(replace(ASKED, action=Action.AGGREGATE, groups=frozenset({Q, S, P}))) is None


# Wishes and orders


def test_a_purpose_to_which_the_person_objects_is_closed_and_the_others_are_not() -> None:
    objecting = replace(ASKED, objected=frozenset({"care", "rights"}))
    assert rule(objecting) == "objection"
    assert rule(replace(objecting, purpose="intake", form="visit", groups=frozenset({I}))) is None
    assert rule(replace(objecting, purpose="rights", role="data_protection_officer")) is None


def test_an_order_to_keep_beats_an_erasure_for_everybody() -> None:
    for role, purpose in (("caseworker", "care"), ("data_protection_officer", "rights")):
        asked = replace(ASKED, role=role, purpose=purpose, action=Action.ERASE, reauthenticated=True)
        assert rule(replace(asked, legal_hold=True)) == "legal_hold"
        assert rule(replace(asked, legal_hold=False)) is None


def test_a_restricted_record_is_opened_for_the_persons_rights_by_the_officer_alone() -> None:
    limited = replace(ASKED, restricted=True)
    assert rule(limited) == "restricted"
    assert rule(replace(limited, role="data_protection_officer", purpose="rights")) is None
    for action in (Action.SEARCH, Action.WITHDRAW):
        assert rule(replace(limited, action=action)) is None


def test_the_officer_alone_limits_the_use_and_any_colleague_writes_down_a_withdrawal() -> None:
    asked = replace(ASKED, groups=frozenset(), action=Action.RESTRICT)
    assert rule(asked) == "restriction_by_officer"
    assert rule(replace(asked, purpose="rights", role="data_protection_officer")) is None
    withdrawn = replace(asked, action=Action.WITHDRAW, purpose="referral", role="press_officer")
    assert rule(withdrawn) is None
    assert rule(replace(withdrawn, institution=CONSULATE)) == "another_institution"
    assert rule(replace(withdrawn, purpose="curiosity")) == "unknown_purpose"


# Sending


SENDING = replace(
    ASKED,
    purpose="referral",
    action=Action.REFER,
    reauthenticated=True,
    receiver="consulado-hn",
    receiver_kind=InstitutionKind.CONSULATE,
    receiver_country="HN",
    collected_here=True,
    origin_country="HN",
    asylum=False,
)


def yes(receiver: str | None = None) -> Consent:
    return Consent("5f" * 16, "referral", date(2022, 3, 1), "es", receiver=receiver)


def test_a_consent_is_for_one_receiver_or_one_kind_of_them() -> None:
    elsewhere = replace(
        SENDING, receiver_country="MX", receiver="casa-sol", receiver_kind=InstitutionKind.SHELTER
    )
    assert rule(elsewhere) == "consent_to_receiver"
    assert rule(elsewhere, yes()) == "consent_to_receiver"
    assert rule(elsewhere, yes("consulate")) == "consent_to_receiver"
    assert rule(elsewhere, yes("shelter")) is None
    permit = answer(elsewhere, replace(yes("casa-sol"), id="60" * 16), yes())
    assert isinstance(permit, Permit)
    assert permit.consent == "60" * 16


def test_a_consulate_of_the_country_that_a_person_left_receives_only_what_she_gave_to_it_by_name() -> None:
    assert rule(SENDING, yes("consulate")) == "origin_country"
    assert rule(SENDING, yes("consulado-hn")) is None
    assert rule(replace(SENDING, asylum=True), yes("consulado-hn")) == "origin_country"
    other_ground = replace(SENDING, purpose="care")
    assert rule(other_ground) == "origin_country"
    assert rule(replace(other_ground, origin_country="GT")) is None


def test_a_file_for_a_receiver_is_sent_by_the_same_rules_as_a_referral() -> None:
    assert rule(replace(SENDING, action=Action.EXPORT), yes("consulate")) == "origin_country"
    assert (
        rule(replace(SENDING, action=Action.EXPORT, collected_here=False), yes("consulado-hn")) == "sent_on"
    )


def test_an_institution_that_is_called_like_a_kind_is_no_kind() -> None:
    named = replace(SENDING, receiver="consulate")
    assert rule(named, yes("consulate")) == "origin_country"


@pytest.mark.parametrize("code", ["hn", "HND", "H", "", "Honduras", None])
def test_a_country_that_cannot_be_compared_counts_as_unknown(code: str | None) -> None:
    elsewhere = replace(SENDING, purpose="care", receiver_country="MX")
    assert rule(elsewhere) is None
    assert rule(replace(elsewhere, receiver_country=code)) == "country_unknown"
    unknown = None if code == "" else "country_unknown"  # a site has no country of its own
    assert rule(replace(elsewhere, origin_country=code)) == unknown


# Emergencies


EMERGENCY = replace(
    ASKED,
    role="supervisor",
    purpose="vital_interest",
    break_glass=True,
    reason_length=20,
    reauthenticated=True,
)


def test_in_an_emergency_a_supervisor_reads_for_an_hour_what_no_purpose_opens() -> None:
    permit = answer(EMERGENCY)
    assert isinstance(permit, Permit)
    assert (permit.purpose, permit.basis, permit.consent) == ("vital_interest", Basis.VITAL_INTEREST, None)
    assert permit.until == NOW + timedelta(hours=1)
    assert permit.forms is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": "caseworker"}, "emergency_role"),
        ({"purpose": "care"}, "emergency_purpose"),
        ({"action": Action.UPDATE}, "emergency_read_only"),
        ({"reason_length": 19}, "emergency_reason"),
        ({"reauthenticated": False}, "reauthentication"),
        ({"institution": CONSULATE}, "another_institution"),
        ({"restricted": True}, "restricted"),
        ({"groups": frozenset()}, "nothing_asked"),
        ({"recorded_on": date(2010, 1, 1)}, "retention"),
    ],
)
def test_an_emergency_has_its_own_limits(change: dict[str, object], expected: str) -> None:
    assert rule(replace(EMERGENCY, **change)) == expected  # type: ignore[arg-type]


def test_an_emergency_ends_after_an_hour() -> None:
    assert rule(EMERGENCY, lasts=timedelta(minutes=60)) is None
    assert rule(EMERGENCY, lasts=timedelta(minutes=60, seconds=1)) == "emergency_time"


# The person herself


HERSELF = replace(ASKED, role="data_subject", purpose="rights", herself=ANA, restricted=True)


def test_a_person_reads_her_own_records_also_when_nobody_else_may() -> None:
    permit = answer(replace(HERSELF, recorded_on=date(2000, 1, 1)))
    assert isinstance(permit, Permit)
    assert (permit.role, permit.purpose, permit.basis) == ("data_subject", "rights", Basis.LEGAL_OBLIGATION)
    undeclared = decide(HERSELF, purposes=(CARE,), consents=(), now=NOW)
    assert isinstance(undeclared, Permit)
    assert undeclared.basis is Basis.LEGAL_OBLIGATION


def test_a_receipt_opens_nobody_elses_records() -> None:
    for herself in (CONSULATE, None):
        assert rule(replace(HERSELF, herself=herself)) == "own_records"
        withdrawing = replace(HERSELF, herself=herself, action=Action.WITHDRAW, purpose="referral")
        assert rule(withdrawing) == "own_consent"


def test_a_member_of_staff_who_also_has_a_receipt_is_a_member_of_staff() -> None:
    assert rule(replace(HERSELF, role="caseworker", restricted=False)) == "role"


def test_a_person_limits_the_use_and_withdraws_and_asks_for_the_rest() -> None:
    assert rule(replace(HERSELF, action=Action.RESTRICT, groups=frozenset())) is None
    assert rule(replace(HERSELF, action=Action.WITHDRAW, groups=frozenset(), purpose="referral")) is None
    for action in (Action.UPDATE, Action.EXPORT, Action.ERASE, Action.SEARCH, Action.AGGREGATE):
        asked = replace(HERSELF, action=action, reauthenticated=True, legal_hold=False)
        assert rule(asked) == "own_records"
