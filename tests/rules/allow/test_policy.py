"""The policies: a failing one is a no, a wrong one stops the program, and each is told to a reader."""

from __future__ import annotations

import ast
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

import resguardo
from resguardo.allow.consent import Consent
from resguardo.allow.decision import POLICY, USUAL_TIME, Action, Request, Rule, question_of
from resguardo.allow.policy import (
    FOLDER,
    POLICIES,
    SCHEMA,
    Entity,
    Facts,
    Policies,
    Question,
    policy_hash,
    rendered,
)
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import explain_all, say
from resguardo.values import LANGUAGES, PACKAGE, Basis, InstitutionKind, Refused, Sensitivity

SOURCE = Path(resguardo.__file__).parent.parent
NOW = datetime(2022, 8, 11, 15, 30, tzinfo=UTC)
SHELTER, ANA = UUID(int=1), UUID(int=3)
GIVEN = Consent("5f" * 16, "referral", date(2022, 3, 1), "es", receiver="consulado-hn")
PURPOSES = (
    Purpose("referral", {}, Basis.CONSENT, 1000, frozenset(Sensitivity), ("caseworker",), forms=("intake",)),
    Purpose("rights", {}, Basis.LEGAL_OBLIGATION, 1000, frozenset(Sensitivity), ("officer",)),
)
REFERRAL = Request(
    who="0" * 32,
    role="caseworker",
    institution=SHELTER,
    purpose="referral",
    groups=frozenset(Sensitivity),
    subject=ANA,
    subject_institution=SHELTER,
    recorded_on=NOW.date(),
    action=Action.REFER,
    form="intake",
    reauthenticated=True,
    receiver="consulado-hn",
    receiver_kind=InstitutionKind.CONSULATE,
    receiver_country="HN",
    origin_country="HN",
    collected_here=True,
    asylum=False,
    objected=frozenset({"training"}),
)
READING = Request(
    who="0" * 32,
    role="caseworker",
    institution=SHELTER,
    purpose="referral",
    groups=frozenset({Sensitivity.PLAIN}),
    subject=ANA,
    subject_institution=SHELTER,
    recorded_on=NOW.date(),
    form="intake",
)
EMERGENCY = Request(
    who="0" * 32,
    role="supervisor",
    institution=SHELTER,
    purpose="vital_interest",
    groups=frozenset(Sensitivity),
    subject=ANA,
    subject_institution=SHELTER,
    recorded_on=NOW.date(),
    reauthenticated=True,
    break_glass=True,
    reason_length=30,
)
HERSELF = Request(
    who="0" * 32,
    role="data_subject",
    institution=SHELTER,
    purpose="rights",
    groups=frozenset(Sensitivity),
    subject=ANA,
    subject_institution=SHELTER,
    recorded_on=NOW.date(),
    herself=ANA,
)
HERE = Consent("5f" * 16, "referral", date(2022, 3, 1), "es")


def question(request: Request) -> Question:
    return question_of(request, PURPOSES, (GIVEN, HERE), NOW, USUAL_TIME)


ALLOWED = {
    "a referral": question(REFERRAL),
    "a reading": question(READING),
    "an emergency": question(EMERGENCY),
    "her own reading": question(HERSELF),
}


# A fact that is missing


def without(facts: Facts | None, name: str) -> Facts:
    return Facts(pair for pair in facts or () if pair[0] != name)


def lacking_one() -> dict[str, Question]:
    """Each question with one fact of one entity, or of the circumstances, left out."""
    found: dict[str, Question] = {}
    for what, asked in ALLOWED.items():
        for place in ("asker", "purpose", "records"):
            entity: Entity = getattr(asked, place)
            for name, _ in entity.attributes or ():
                fewer = entity._replace(attributes=without(entity.attributes, name))
                found[f"{what} without {place}.{name}"] = asked._replace(**{place: fewer})
        for name, value in asked.context:
            found[f"{what} without {name}"] = asked._replace(context=without(asked.context, name))
            if isinstance(value, Facts):
                for inner, _ in value:
                    fewer_inner = Facts(
                        (other, without(told, inner) if other == name else told)
                        for other, told in asked.context
                    )
                    found[f"{what} without {name}.{inner}"] = asked._replace(context=fewer_inner)
    return found


@pytest.mark.parametrize("what", ALLOWED)
def test_with_all_its_facts_the_question_is_allowed(what: str) -> None:
    judgement = POLICIES.judge(ALLOWED[what])
    assert (judgement.allowed, judgement.failed, judgement.forbidding) == (True, False, frozenset())


# The country of origin decides about sending alone; a reading that does not know it is a reading.
@pytest.mark.parametrize("what", sorted(lacking_one()))
def test_a_question_that_lacks_a_fact_is_answered_with_no(what: str) -> None:
    assert not POLICIES.judge(lacking_one()[what]).allowed


def test_every_fact_of_the_schema_is_among_those_that_were_left_out() -> None:
    schema = re.sub(r"//.*", "", (FOLDER / SCHEMA).read_text(encoding="utf-8"))
    named = set(re.findall(r"(\w+)\??: ", schema)) - {"principal", "resource", "context"}
    left_out = {re.split(r"[ .]", what)[-1] for what in lacking_one()}
    assert named <= left_out


def test_a_policy_that_fails_is_a_no_although_cedar_leaves_it_out_and_says_yes() -> None:
    """The trap itself: without the check of the errors this would be allowed."""
    import cedarpy

    text = """
        permit (principal, action, resource);
        @id("restricted") forbid (principal, action, resource) when { resource.restricted };
    """
    entities = [{"uid": {"type": "Records", "id": "records"}, "attrs": {}, "parents": []}]
    asked = {"principal": 'Member::"m"', "action": 'Action::"read"', "resource": 'Records::"records"'}
    plain = cedarpy.is_authorized(asked, text, entities)
    assert plain.allowed
    assert plain.diagnostics.errors != []

    failing = """
        @id("staff") @legal("GDPR 29") permit (principal, action, resource);
        @id("far") @legal("GDPR 5(1)(e)") forbid (principal, action, resource)
        when { resource.days_past_retention + 9223372036854775807 < 0 };
    """
    policies = Policies({"failing.cedar": failing}, (FOLDER / SCHEMA).read_text(encoding="utf-8"))
    asked_late = ALLOWED["a reading"]
    late = Facts(
        (name, 1 if name == "days_past_retention" else value)
        for name, value in asked_late.records.attributes or ()
    )
    judgement = policies.judge(asked_late._replace(records=asked_late.records._replace(attributes=late)))
    assert (judgement.allowed, judgement.failed, judgement.forbidding) == (False, True, frozenset())
    assert policies.judge(asked_late).allowed


def test_no_id_of_a_person_and_no_day_is_among_the_facts() -> None:
    for what, asked in ALLOWED.items():
        assert str(ANA) not in repr(asked), what
        assert GIVEN.id not in repr(asked), what
        assert "2022" not in repr(asked), what


def test_cedar_is_asked_in_one_file_alone() -> None:
    asking = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named: list[str] = []
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [node.module or ""]
            elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
                named = [ast.unparse(argument).strip("'\"") for argument in node.args]
            if any(name.split(".")[0] == "cedarpy" for name in named):
                asking.add(path.relative_to(SOURCE).as_posix())
    assert asking == {"resguardo/allow/policy.py"}


def test_every_question_to_cedar_carries_the_schema() -> None:
    tree = ast.parse((PACKAGE / "allow" / "policy.py").read_text(encoding="utf-8"))
    calls = {
        node.func.attr: [ast.unparse(argument) for argument in node.args]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    for name in ("is_authorized", "validate_policies", "with_added_json_str"):
        assert "self._schema" in calls[name], name
    assert "is_authorized_batch" not in calls
    assert "is_authorized_partial" not in calls


# A set that is wrong


GOOD = '@id("staff") @legal("GDPR 29") permit (principal, action, resource);'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("permit (principal, action", "unreadable"),
        ('@id("a") @legal("GDPR 1") forbid (principal, action, resource) when { resource.name == "x" };',
         "unreadable"),
        ('@id("a") @legal("GDPR 1") forbid (principal, action == Action::"open_all", resource);',
         "unreadable"),
        ('@id("a") @legal("GDPR 1") forbid (principal is Consul, action, resource);', "unreadable"),
        ('@legal("GDPR 1") forbid (principal, action, resource);', "without_name"),
        ('@id("a") forbid (principal, action, resource);', "without_name"),
        (GOOD, "without_name"),
    ],
)  # fmt: skip
def test_a_set_with_a_fault_is_refused_with_the_file_and_the_cure(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        Policies({"1-good.cedar": GOOD, "2-wrong.cedar": text}, (FOLDER / SCHEMA).read_text(encoding="utf-8"))
    assert {problem.code for problem in refused.value.problems} == {f"allow.policies.{code}"}
    for language in LANGUAGES:
        assert explain_all(refused.value, language)[0].startswith("2-wrong.cedar: ")


def test_a_schema_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        Policies({"good.cedar": GOOD}, "entity Member = {")
    assert refused.value.problems[0].file == SCHEMA


def test_the_policies_of_the_house_have_their_rules_and_no_other() -> None:
    assert [policy.id for policy in POLICIES.told] == sorted(
        {policy.id for policy in POLICIES.told}, key=[policy.id for policy in POLICIES.told].index
    )
    assert {policy.id for policy in POLICIES.told} == {*Rule} - {Rule.UNDECIDED}
    assert len(POLICIES.told) >= 14


# What readers are told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_policy_has_its_law_and_a_sentence_of_its_own_in_every_language(language: str) -> None:
    told = rendered(language)
    assert [policy.id for policy in told] == [policy.id for policy in POLICIES.told]
    assert len({policy.sentence for policy in told}) == len(told)
    for policy in told:
        assert policy.law
        assert policy.sentence.endswith(".")
        assert "{" not in policy.sentence + policy.law
        if language != "es":
            assert policy.sentence != say(f"allow.policy.{policy.id}", "es"), policy.id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", Rule)
def test_every_denial_has_a_sentence_of_its_own_in_every_language(rule: Rule, language: str) -> None:
    code = f"allow.decision.{rule}"
    sentence = say(code, language, purpose="X", role="Y")
    assert "{" not in sentence
    if language != "es":
        assert sentence != say(code, "es", purpose="X", role="Y")


# The hash


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    shutil.copytree(FOLDER, folder)
    return folder


def test_the_hash_follows_every_letter_of_every_policy_and_of_the_schema(copied: Path) -> None:
    assert policy_hash(copied) == policy_hash() == POLICY
    seen = {POLICY}
    for path in sorted(copied.iterdir()):
        text = path.read_bytes()
        path.write_bytes(text + b"\n")
        seen.add(policy_hash(copied))
        path.write_bytes(text)
    assert len(seen) == 1 + len(list(copied.iterdir()))
    (copied / "7-more.cedar").write_bytes(b"")
    assert policy_hash(copied) not in seen


def test_text_that_moves_from_one_file_to_the_next_changes_the_hash(copied: Path) -> None:
    first, second = sorted(copied.glob("*.cedar"))[:2]
    whole = first.read_bytes() + second.read_bytes()
    first.write_bytes(whole[:-10])
    second.write_bytes(whole[-10:])
    assert policy_hash(copied) != POLICY


def test_the_files_of_policies_are_read_in_one_order_on_every_machine() -> None:
    names = [path.name for path in sorted(FOLDER.glob("*.cedar"))]
    assert names == [f"{number}-{name.split('-')[1]}" for number, name in enumerate(names, start=1)]
