"""The policies as text, and what they say of one question: this file alone speaks with Cedar.

The policies lie in `policies/*.cedar` and speak of what `policies/schema.cedarschema` names. They are read
and held against the schema when this module is first imported; a set with a fault is refused, and with it
the program.

Cedar leaves out a policy that fails while it is evaluated, also one that forbids, and then answers yes
because nothing forbade. Here such an answer is a no, like every question that lacks a fact of the schema.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import cedarpy

from resguardo.plan.languages import say
from resguardo.values import PACKAGE, Language, Problem, Refused

FOLDER: Final = PACKAGE / "allow" / "policies"
SCHEMA: Final = "schema.cedarschema"

_REMEMBERED: Final = 1024
"""Sets of facts that are kept parsed. They hold no id of a person, so the same ones come again and again."""


@dataclass(frozen=True)
class PolicyText:
    """What a policy says of itself."""

    id: str
    law: tuple[tuple[str, str], ...]
    """The laws that it follows: each a code such as ``GDPR`` and an article."""
    forbids: bool


@dataclass(frozen=True)
class RenderedPolicy:
    """A policy as a reader sees it."""

    id: str
    law: str
    sentence: str
    forbids: bool


class Facts(tuple[tuple[str, Any], ...]):
    """Names of the schema and their values; a set is a tuple in a fixed order."""

    __slots__ = ()


class Entity(NamedTuple):
    """Something that the schema names: its type, its id, and its attributes."""

    type: str
    id: str
    attributes: Facts | None = None
    """None where it is only spoken of."""


class Question(NamedTuple):
    """Who asks, to do what, with which records, and in which circumstances; in the words of the schema."""

    action: str
    asker: Entity
    purpose: Entity
    records: Entity
    context: Facts


@dataclass(frozen=True)
class Judgement:
    """What the policies said."""

    allowed: bool
    forbidding: frozenset[str] = frozenset()
    """The ids of the policies that forbid."""
    failed: bool = False
    """A fact was missing, or a policy could not be evaluated."""


class Policies:
    """Policies that agree with their schema; a set that does not is refused with every fault found."""

    def __init__(self, texts: Mapping[str, str], schema: str) -> None:
        """`texts` are the policies by the name of their file."""
        try:
            self._schema = cedarpy.Schema.from_str(schema)
        except ValueError as fault:
            raise Refused(_unreadable(SCHEMA, str(fault))) from None
        problems: list[Problem] = []
        told: list[PolicyText] = []
        for name, text in texts.items():
            try:
                cedarpy.PolicySet.from_str(text)
            except ValueError as fault:
                problems.append(_unreadable(name, str(fault)))
                continue
            checked = cedarpy.validate_policies(text, self._schema)
            for error in checked.errors:
                policy = checked.id_annotations_by_policy_id.get(error.policy_id, "")
                problems.append(_unreadable(name, f"{policy}: {error.error}"))
            for policy in json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].values():
                told.append(_told(policy))
                if not told[-1].id or not told[-1].law or told[-1].id in {other.id for other in told[:-1]}:
                    problems.append(
                        Problem("allow.policies.without_name", {"policy": told[-1].id or "?"}, file=name)
                    )
        if problems:
            raise Refused(*problems)
        self.told: Final = tuple(told)
        self._set = cedarpy.PolicySet.from_str("\n".join(texts.values()))
        self._asking_facts = lru_cache(_REMEMBERED)(self._read_asker)
        self._all_facts = lru_cache(_REMEMBERED)(self._read_all)

    @classmethod
    def read(cls, folder: Path) -> Policies:
        """The policies of a folder, with its schema."""
        return cls(
            {path.name: path.read_text(encoding="utf-8") for path in _policy_files(folder)},
            (folder / SCHEMA).read_text(encoding="utf-8"),
        )

    def judge(self, question: Question) -> Judgement:
        """What the policies say. Allowed is only what Cedar allows without one error."""
        try:
            facts = self._all_facts(question.asker, question.purpose, question.records)
        except ValueError:
            return Judgement(False, failed=True)
        answer = cedarpy.is_authorized(
            {
                "principal": _named(question.asker),
                "action": {"type": "Action", "id": question.action},
                "resource": _named(question.records),
                "context": _context(question.context),
            },
            self._set,
            facts,
            self._schema,
        )
        errors = answer.diagnostics.errors
        denied = answer.decision is cedarpy.Decision.Deny
        return Judgement(
            allowed=answer.decision is cedarpy.Decision.Allow and not errors,
            forbidding=frozenset(answer.diagnostics.id_annotations_by_reason.values() if denied else ()),
            failed=bool(errors),
        )

    def _read_asker(self, asker: Entity, purpose: Entity) -> cedarpy.Entities:
        return cedarpy.Entities.from_json_str(json.dumps([_stated(asker), _stated(purpose)]), self._schema)

    def _read_all(self, asker: Entity, purpose: Entity, records: Entity) -> cedarpy.Entities:
        known = self._asking_facts(asker, purpose)
        return known.with_added_json_str(json.dumps([_stated(records)]), self._schema)


def _named(entity: Entity) -> dict[str, str]:
    return {"type": entity.type, "id": entity.id}


def _stated(entity: Entity) -> dict[str, Any]:
    return {"uid": _named(entity), "attrs": _plain(entity.attributes), "parents": []}


def _plain(value: Any) -> Any:
    """A fact as Cedar's JSON has it."""
    if isinstance(value, Facts):
        return {name: _plain(inner) for name, inner in value}
    if isinstance(value, Entity):
        return {"__entity": _named(value)}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value


@lru_cache(_REMEMBERED)
def _context(facts: Facts) -> str:
    return json.dumps(_plain(facts))


def _policy_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.cedar"))


def _unreadable(file: str, fault: str) -> Problem:
    return Problem("allow.policies.unreadable", {"fault": fault}, file=file)


def _told(policy: Mapping[str, Any]) -> PolicyText:
    notes = policy.get("annotations") or {}
    law = tuple(
        (code, article)
        for part in (notes.get("legal") or "").split(";")
        for code, _, article in [part.strip().partition(" ")]
        if code and article
    )
    return PolicyText(notes.get("id") or "", law, policy["effect"] == "forbid")


def policy_hash(folder: Path = FOLDER) -> str:
    """SHA-256 of the rules' text, in hexadecimal.

    In this order: every file of policies by its name, their schema, and the four files that hand the facts
    to them; before each its name and its length, so that no text can move from one to the other unseen.
    """
    rules = PACKAGE / "allow"
    files = [*_policy_files(folder), folder / SCHEMA]
    files += [rules / name for name in ("decision.py", "purpose.py", "consent.py", "policy.py")]
    digest = hashlib.sha256()
    for path in files:
        octets = path.read_bytes()
        digest.update(f"{path.name}\n{len(octets)}\n".encode())
        digest.update(octets)
    return digest.hexdigest()


POLICIES: Final = Policies.read(FOLDER)


def rendered(language: Language, policies: Policies = POLICIES) -> tuple[RenderedPolicy, ...]:
    """Every policy for a reader: its id, the law that it follows, and what it says in their language."""
    return tuple(
        RenderedPolicy(
            policy.id,
            "; ".join(
                say(f"allow.law.{code.casefold()}", language, article=article) for code, article in policy.law
            ),
            say(f"allow.policy.{policy.id}", language),
            policy.forbids,
        )
        for policy in policies.told
    )
