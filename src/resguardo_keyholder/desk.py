"""The keyholder's desk: it looks, decides, writes the line, counts the budget, and only then gives a key.

Everything the service tells it about a person is looked up again. A subject's key is unwrapped here and never
leaves: what leaves are the keys of the groups that were decided, or sealed bytes.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from resguardo.allow.consent import Consent, ConsentBy, consents_on_file
from resguardo.allow.consent import ConsentRow as FiledConsent
from resguardo.allow.decision import (
    HERSELF,
    POLICY,
    VITAL_INTEREST,
    Action,
    Denial,
    Request,
    Rule,
    decide_forms,
)
from resguardo.keep.checkpoint import VerifierKey, is_signed_by
from resguardo.keep.facts import open_segment, seal_segment
from resguardo.keep.journal import Act, Leaf, Outcome, Vocabulary, chain_hash, entry_bytes, subject_mark
from resguardo.keep.keys import (
    BlindToken,
    IndexField,
    KeyRing,
    SubjectKey,
    new_subject_key,
)
from resguardo.keep.sealing import group_key, seal_group
from resguardo.keep.tree import EMPTY_ROOT, Frontier, leaf_hash
from resguardo.keep.witness import AddCheckpoint, WatchedJournal
from resguardo.plan.purposes import RIGHTS, ProgrammeRules
from resguardo.values import Chance, InstitutionKind, Permit, Problem, Refused, Sensitivity
from resguardo_keyholder.asked import (
    Ceilings,
    KeyVersion,
    Opening,
    Recognised,
    Released,
    SealedSheet,
    Search,
    ToSeal,
    WantedToken,
    Withheld,
    Wrapped,
    journal_origin,
)
from resguardo_keyholder.budget import Budget, Over
from resguardo_keyholder.heads import Heads
from resguardo_keyholder.store import ReceiptRow, Store, SubjectRow, Tables

OPERATOR: Final = "operator"
TICKET_LASTS: Final = timedelta(minutes=15)
MOST_WRONG_ANSWERS: Final = 5
"""Wrong answers in a row after which a receipt rests, for a quarter of an hour and then ever longer."""

ORIGIN: Final = "origin"
ASYLUM: Final = "asylum"
"""Under which words the country of origin and the wish for asylum are kept as tokens."""

SEARCH: Final = "search."
"""With the index behind it: under which word the full token of a search term is kept."""

NOT_ASKED: Final = (ORIGIN, ASYLUM, f"{SEARCH}name", f"{SEARCH}document", f"{SEARCH}phone")
"""Tokens that no question of a receipt may be answered by."""

WHOLE: Final = ("arrival", "receipt")
"""Tokens of a whole sheet or of a code of chance, which nobody guesses: they are not counted."""

MOST_TERMS: Final = 400
"""Ways in which one search may ask for one person."""

NAME_TOKEN_BITS: Final = 10
"""How much of a name's token is kept: short, so that it is shared by several people and shows nobody."""

_ACTS: Final = {"read": Act.READ, "update": Act.READ, "export": Act.EXPORT, "refer": Act.REFER}


_Alarm = tuple[tuple[UUID, str], dict[str, int]]
"""Of which institution and kind, and its numbers."""


class Rings(Protocol):
    """Where the institutions' key rings are."""

    def has(self, institution: UUID) -> bool: ...
    def of(self, institution: UUID) -> KeyRing: ...
    def put(self, ring: KeyRing) -> None: ...
    def institutions(self) -> Iterable[UUID]: ...


@dataclass(frozen=True)
class _Asked:
    """What the tables say of a subject and of a receiver, for a decision."""

    consents: list[Consent]
    objected: frozenset[str]
    held: bool
    kind: InstitutionKind | None = None
    country: str | None = None
    origin: str | None = None
    asylum: bool = True


@dataclass(frozen=True)
class _Actor:
    who: str
    """The pseudonym in the journal."""
    roles: frozenset[str]
    member: str | None
    """The member's address, whose openings are held against a budget; None for the person herself."""
    herself: UUID | None = None
    """The subject whom the person's receipt speaks of."""


class Desk:
    """Answers every question of `resguardo_keyholder.asked.Keyholder`."""

    def __init__(
        self,
        rings: Rings,
        store: Store,
        budget: Budget,
        rules: Callable[[str, Tables], ProgrammeRules],
        heads: Heads,
        chance: Chance,
        *,
        backups: timedelta = timedelta(days=30),
    ) -> None:
        """`backups` is how long one is kept: an old key may be needed so long after it was replaced."""
        self._backups = backups
        self._rings = rings
        self._store = store
        self._budget = budget
        self._rules = rules
        self._heads = heads
        self._chance = chance
        self._changing = threading.Lock()
        self._ticketing = threading.Lock()
        self._remembering = threading.Lock()
        self._alarms: dict[tuple[UUID, str], dict[str, int]] = {}
        self._tickets: dict[bytes, Recognised] = {}

    # Rings and compartments

    def has_ring(self, institution: UUID) -> bool:
        """Whether the institution's keys are here."""
        return self._rings.has(institution)

    def prepare(self, institution: UUID, compartment: str, *, may_be_new: bool, now: datetime) -> KeyVersion:
        """The compartment can be written to; a first key is made for it where there is none."""
        if not self._rings.has(institution) and not may_be_new:
            raise Refused(Problem("keyholder.desk.ring_missing"))
        ring = self._ring(institution)
        if not ring.has_compartment(compartment):
            with self._changing:
                ring = self._ring(institution)
                if not ring.has_compartment(compartment):
                    ring = ring.with_compartment(compartment, self._chance, now)
                    self._rings.put(ring)
        return _version(ring, ring.newest_key_id(compartment))

    def key_versions(self, institution: UUID) -> list[KeyVersion]:
        """The compartment keys that exist."""
        ring = self._ring(institution)
        return [KeyVersion(key.compartment, key.id, key.made_at) for key in ring.compartment_keys]

    def rotate(self, institution: UUID, *, now: datetime) -> list[KeyVersion]:
        """A fresh key for every compartment; what older keys wrapped still opens."""
        with self._changing:
            ring = self._ring(institution)
            made = []
            for compartment in sorted({key.compartment for key in ring.compartment_keys}):
                ring = ring.with_new_version(compartment, self._chance, now)
                made.append(_version(ring, ring.newest_key_id(compartment)))
            self._rings.put(ring)
        return made

    def rewrap(self, institution: UUID, keys: Sequence[Wrapped]) -> list[bytes]:
        """The same subject keys, wrapped by the newest key of their compartment."""
        ring = self._ring(institution)
        return [
            ring.wrap_subject_key(
                self._unwrapped(ring, key),
                compartment=key.compartment,
                subject=key.subject,
                key_version=key.key_version,
                nonce=self._chance(12),
            )
            for key in keys
        ]

    def destroy(self, institution: UUID, number: int, *, now: datetime) -> None:
        """The compartment key is forgotten: what it alone wrapped is lost in every copy, for ever.

        Only a key that was replaced longer ago than a backup is kept, and that wraps nobody: so the service
        may ask for it, and can have no more destroyed than is due. A key that was destroyed already stays so:
        whoever fell before writing that down may ask again.
        """
        ring = self._ring(institution)
        key = next((key for key in ring.compartment_keys if key.id == number), None)
        if key is None:
            if 0 < number <= ring.last_key_id:
                return
            raise Refused(Problem("keyholder.desk.no_such_key", {"number": str(number)}))
        if ring.newest_key_id(key.compartment) == number:
            raise Refused(Problem("keyholder.desk.key_in_use", {"number": str(number)}))
        younger = (other for other in ring.compartment_keys if other.compartment == key.compartment)
        replaced = min(other.made_at for other in younger if other.version > key.version)
        if now < replaced + self._backups:
            facts = {"number": str(number), "days": str(self._backups.days)}
            raise Refused(Problem("keyholder.desk.key_in_backups", facts))
        # Before the ring is held: whoever writes in the tables may be waiting for the ring.
        # Nothing is wrapped by a key that is not the newest.
        with self._store.transaction() as tables:
            if tables.is_wrapped_by(institution, number):
                raise Refused(Problem("keyholder.desk.key_still_wraps", {"number": str(number)}))
        with self._changing:
            self._rings.put(self._ring(institution).without_compartment_key(number))

    # Tokens and pseudonyms

    def tokens(self, institution: UUID, wanted: Sequence[WantedToken]) -> list[tuple[BlindToken, ...]]:
        """For each value its blind tokens under every version of the key, the newest first."""
        ring = self._ring(institution)
        self._count_tokens(institution, wanted)
        return [_tokens(ring, value) for value in wanted]

    def _count_tokens(self, institution: UUID, wanted: Sequence[WantedToken]) -> None:
        """By tokens whoever reads the tables can try what somebody's answer is: no more often than this.

        It is asked within the service's transaction, so the alarm is written when the journal is next signed.
        """
        guesses = sum(1 for value in wanted if value.index not in WHOLE)
        over = self._budget.take_tokens(institution, guesses, now=datetime.now(UTC)) if guesses else None
        if over is not None:
            self._alarms[institution, f"budget_{over.ceiling}"] = {"most": over.most}
            raise Refused(Problem(f"keyholder.budget.{over.ceiling}", {"most": str(over.most)}))

    def pseudonym(self, institution: UUID, member: str) -> str:
        """The name under which a member of staff stands in the journal."""
        return self._ring(institution).staff_pseudonym(member)

    def marks(self, institution: UUID, keys: Sequence[Wrapped]) -> list[str]:
        """The subjects' pseudonyms in the journal."""
        ring = self._ring(institution)
        return [subject_mark(self._unwrapped(ring, key)) for key in keys]

    def record_marks(self, institution: UUID, records: Sequence[UUID]) -> list[str]:
        """The records' marks in the facts."""
        ring = self._ring(institution)
        return [ring.unit_key("record", record).hex() for record in records]

    # Sealing

    def seal(self, institution: UUID, sheets: Sequence[ToSeal]) -> list[SealedSheet]:
        """The records sealed under their subjects' keys; a subject without a key gets a fresh one."""
        ring = self._ring(institution)
        fresh: dict[UUID, tuple[SubjectKey, bytes]] = {}
        sealed = []
        for sheet in sheets:
            if sheet.wrapped:
                key, wrapped = self._unwrapped(ring, _wrapped(sheet)), sheet.wrapped
            elif sheet.subject in fresh:
                key, wrapped = fresh[sheet.subject]
            else:
                key = new_subject_key(self._chance)
                wrapped = ring.wrap_subject_key(
                    key,
                    compartment=sheet.compartment,
                    subject=sheet.subject,
                    key_version=sheet.key_version,
                    nonce=self._chance(12),
                )
                fresh[sheet.subject] = key, wrapped
            sealed.append(self._sealed(ring, key, wrapped, sheet))
        return sealed

    def _sealed(self, ring: KeyRing, key: SubjectKey, wrapped: bytes, sheet: ToSeal) -> SealedSheet:
        unit = ring.unit_key(sheet.kind, sheet.subject)
        return SealedSheet(
            wrapped=wrapped,
            mark=subject_mark(key),
            unit=unit.hex(),
            cell_key=ring.cell_key(sheet.kind, unit),
            record_mark=ring.unit_key("record", sheet.record).hex(),
            groups={
                group: seal_group(
                    key,
                    institution=ring.institution,
                    subject=sheet.subject,
                    record=sheet.record,
                    group=_LEVELS[group],
                    row_version=sheet.row_version,
                    key_version=sheet.key_version,
                    text=text,
                    nonce=self._chance(12),
                ).octets
                for group, text in sheet.texts.items()
            },
        )

    def seal_facts(self, institution: UUID, form: str, segment: UUID, version: int, content: bytes) -> bytes:
        """Facts sealed under the institution's newest statistics key."""
        return seal_segment(
            self._ring(institution).statistics_key,
            institution=institution,
            form=form,
            segment=segment,
            version=version,
            content=content,
            nonce=self._chance(12),
        )

    def open_facts(self, institution: UUID, form: str, segment: UUID, version: int, sealed: bytes) -> bytes:
        """Facts, opened for counting."""
        return open_segment(
            self._ring(institution).statistics_key_of,
            sealed,
            institution=institution,
            form=form,
            segment=segment,
            version=version,
        )

    # Opening

    def release(self, opening: Opening, *, now: datetime) -> Released | Withheld:
        """The keys of the groups asked for: after the decision, the line in the journal and the budget."""
        unknown = Problem("server.said.unknown_record")
        if opening.action not in _ACTS:
            # To erase or to block takes less than to read, and needs no key.
            raise Refused(Problem("keyholder.desk.not_understood"))
        if not self._rings.has(opening.institution):
            return Withheld(unknown)
        ring = self._ring(opening.institution)
        levels = frozenset(_LEVELS[group] for group in opening.groups if group in _LEVELS)
        with self._store.transaction() as tables:
            size, frontier = tables.hold_journal(opening.institution)
            subject = tables.subject(opening.subject, opening.forms)
            if subject is None or subject.institution != opening.institution:
                return Withheld(unknown)
            # The compartment is bound to the key: so another programme's rules never open it.
            if subject.compartment.partition("/")[2] != subject.programme:
                return Withheld(unknown)
            if opening.record is not None and not tables.has_record(subject.id, opening.record):
                return Withheld(unknown)
            actor = self._actor(opening, ring, tables, now)
            if actor is None:
                return Withheld(Problem("server.said.unknown_member"))
            rules = self._rules(subject.programme, tables)
            key = self._unwrapped(ring, _key_of(subject))
            decision, role = self._decide(opening, actor, subject, rules, levels, tables, ring, now)
            mark = subject_mark(key)
            over: Over | None = None
            if isinstance(decision, Permit):
                # Taken while the journal is held, and on disk before a key leaves.
                home, compartment = opening.institution, subject.compartment
                over = (
                    self._budget.take_own(home, compartment, mark, now=now)
                    if actor.member is None
                    else self._budget.take(home, actor.who, compartment, mark, now=now)
                )
            allowed = isinstance(decision, Permit) and over is None
            outcome = Outcome.DENY
            if allowed:
                outcome = Outcome.BREAK_GLASS if opening.emergency_reason else Outcome.ALLOW
            self._write(
                tables,
                Frontier.read(frontier) if size else Frontier(),
                subject,
                Leaf(
                    t=now.astimezone(UTC),
                    inst=opening.institution,
                    act=_ACTS.get(opening.action, Act.READ),
                    who=actor.who,
                    role=role,
                    purpose=opening.purpose if opening.purpose in _purpose_names(rules) else None,
                    basis=decision.basis if isinstance(decision, Permit) else None,
                    consent=decision.consent if isinstance(decision, Permit) else None,
                    fields=tuple(sorted(level.group for level in levels)),
                    subj=mark,
                    sn=subject.entries + 1,
                    sp=subject.last_entry.hex() or None,
                    obj=opening.record,
                    dec=outcome,
                    pol=POLICY,
                    req=self._new_id(),
                ),
                Vocabulary(rules.roles | actor.roles | {HERSELF, OPERATOR}, _purpose_names(rules)),
            )
            if over is not None:
                most, who = {"most": over.most}, actor.who if actor.member is not None else ""
                tables.raise_alarm(opening.institution, f"budget_{over.ceiling}", who, most, now)
            elif allowed and opening.emergency_reason:
                tables.raise_alarm(opening.institution, "emergency", actor.who, {}, now)
        self.sign_journal(opening.institution, now=now)
        if over is not None:
            return Withheld(Problem(f"keyholder.budget.{over.ceiling}", {"most": str(over.most)}), size)
        if isinstance(decision, Denial):
            facts = {"purpose": decision.purpose, "role": decision.role}
            return Withheld(Problem(decision.code, facts), size)
        keys = tuple(group_key(key, level) for level in sorted(levels, key=lambda level: level.group))
        return Released(decision, keys, subject.key_version, size)

    def _actor(self, opening: Opening, ring: KeyRing, tables: Tables, now: datetime) -> _Actor | None:
        """Who asks, looked up: a member with the roles of today, or the person with her ticket."""
        if opening.ticket:
            held = self._tickets.get(opening.ticket)
            if held is None or held.until <= now or held.subject != opening.subject:
                return None
            if not tables.receipt_stands(held.receipt, held.subject):
                return None
            return _Actor(_person(ring, held.receipt), frozenset({HERSELF}), None, held.subject)
        roles = tables.roles(opening.member, opening.institution)
        if not roles:
            return None
        return _Actor(ring.staff_pseudonym(opening.member), roles, opening.member)

    def _decide(
        self,
        opening: Opening,
        actor: _Actor,
        subject: SubjectRow,
        rules: ProgrammeRules,
        levels: frozenset[Sensitivity],
        tables: Tables,
        ring: KeyRing,
        now: datetime,
    ) -> tuple[Permit | Denial, str]:
        """The decision in the first of the actor's roles that allows it, and that role.

        Each form is decided on its own: a permit names those that it covers, and a denial means none.
        """
        asked = _Asked(
            consents=_consents(tables, subject.id),
            objected=tables.objections(subject.id),
            held=tables.is_held(subject.id, now.date()),
        )
        if opening.receiver:
            asked = self._with_receiver(asked, tables, ring, subject.id, opening.receiver)
        denied: tuple[Denial, str] | None = None
        for role in sorted(actor.roles):
            answer = decide_forms(
                _request(opening, actor, subject, levels, role, asked),
                subject.forms,
                purposes=rules.purposes,
                consents=asked.consents,
                now=now,
            )
            if isinstance(answer, Permit):
                return answer, role
            if denied is None or denied[0].rule is Rule.ROLE:
                denied = answer, role
        if denied is None:
            raise Refused(Problem("server.said.unknown_record"))
        return denied

    def _with_receiver(
        self, asked: _Asked, tables: Tables, ring: KeyRing, subject: UUID, receiver: str
    ) -> _Asked:
        """What is known of a receiver, and whether it is of the person's country of origin.

        Origin and wish for asylum were kept as tokens when they were said: nothing is opened here, and of her
        country only that it is, or is not, the receiver's can be learnt.
        """
        kind, country = tables.institution(receiver) or (None, None)
        origin: str | None = None
        if tables.has_question(subject, ORIGIN):
            own = ring.answer_token(subject, ORIGIN, (country or "").casefold())
            origin = country if tables.has_answer(subject, ORIGIN, own) else ""
        seeks = ring.answer_token(subject, ASYLUM, "yes")
        seeks_not = ring.answer_token(subject, ASYLUM, "no")
        return replace(
            asked,
            kind=InstitutionKind(kind) if kind else None,
            country=country,
            origin=origin,
            asylum=tables.has_answer(subject, ASYLUM, seeks)
            or not tables.has_answer(subject, ASYLUM, seeks_not),
        )

    # Finding

    def search(self, search: Search, *, now: datetime) -> tuple[UUID, ...] | Withheld:
        """The subjects of a programme whose document, telephone or name is the one asked for.

        Looking up is counted, and leaves a line that names no person. A name's short token is shared by
        several people on purpose: each of them is looked at again by a token of her own.
        """
        if len(search.terms) > MOST_TERMS:
            raise Refused(Problem("keyholder.desk.not_understood"))
        ring = self._ring(search.institution)
        with self._store.transaction() as tables:
            size, frontier = tables.hold_journal(search.institution)
            roles = tables.roles(search.member, search.institution)
            rules = self._rules(search.programme, tables)
            purpose = next((known for known in rules.purposes if known.name == search.purpose), None)
            who = ring.staff_pseudonym(search.member)
            allowed = sorted(roles & frozenset(purpose.roles)) if purpose and search.second_factor else []
            over = self._budget.take_lookup(search.institution, who, now=now) if allowed else None
            leaf = Leaf(
                t=now.astimezone(UTC),
                inst=search.institution,
                act=Act.SEARCH,
                who=who,
                role=(allowed or sorted(roles) or [OPERATOR])[0],
                purpose=purpose.name if purpose else None,
                basis=purpose.basis if purpose else None,
                dec=Outcome.ALLOW if allowed and over is None else Outcome.DENY,
                pol=POLICY,
                req=self._new_id(),
            )
            vocabulary = Vocabulary(rules.roles | roles | {OPERATOR}, _purpose_names(rules))
            entry = entry_bytes(leaf, vocabulary)
            before = Frontier.read(frontier) if size else Frontier()
            hashed = leaf_hash(entry)
            tables.write_line(search.institution, size, entry, hashed, before.extend([hashed]).octets)
            found: tuple[UUID, ...] = ()
            if allowed and over is None:
                found = self._found(tables, ring, search)
            elif over is not None:
                tables.raise_alarm(search.institution, "budget_lookups_hour", who, {"most": over.most}, now)
        self.sign_journal(search.institution, now=now)
        if over is not None:
            return Withheld(Problem("keyholder.budget.lookups_hour", {"most": str(over.most)}), size)
        if not allowed:
            facts = {"purpose": search.purpose, "role": ", ".join(sorted(roles))}
            return Withheld(Problem("allow.decision.role", facts), size)
        return found

    def _found(self, tables: Tables, ring: KeyRing, search: Search) -> tuple[UUID, ...]:
        found: dict[UUID, None] = {}
        for parts in search.terms:
            tokens = _tokens(ring, WantedToken(search.index, parts))
            for subject in tables.subjects_with(search.institution, search.programme, tokens):
                full = ring.answer_token(subject, f"{SEARCH}{search.index}", _term(parts))
                if search.index != "name" or tables.has_answer(subject, f"{SEARCH}name", full):
                    found[subject] = None
        return tuple(found)

    # The person herself

    def known_receipt(self, code: str) -> UUID | None:
        """The receipt that has this code, for whoever holds it; None when there is none."""
        with self._store.transaction() as tables:
            found = self._receipt(tables, code)
        return found.id if found is not None else None

    def recognise(self, code: str, question: str, answer: str, *, now: datetime) -> Recognised | Withheld:
        """A ticket for the person who holds the receipt's code and knows the answer to its question."""
        with self._store.transaction() as tables:
            found = self._receipt(tables, code)
            if found is None or found.revoked:
                return Withheld(Problem("keyholder.person.not_recognised"))
            if found.erased:
                return Withheld(Problem("keyholder.person.erased"))
            if found.locked_until is not None and found.locked_until > now:
                return Withheld(Problem("keyholder.person.locked"))
            token = self._ring(found.institution).answer_token(found.subject, question, answer)
            known = bool(answer) and question not in NOT_ASKED
            if not known or not tables.has_answer(found.subject, question, token):
                wrong = found.wrong_answers + 1
                rest = None
                if wrong >= MOST_WRONG_ANSWERS:
                    rest = now + timedelta(minutes=15) * 2 ** min(wrong - MOST_WRONG_ANSWERS, 7)
                    tables.raise_alarm(found.institution, "wrong_answers", "", {"wrong": wrong}, now)
                tables.count_answer(found.id, wrong, rest)
                return Withheld(Problem("keyholder.person.not_recognised"))
            tables.count_answer(found.id, 0, None)
        given = Recognised(found.id, found.subject, found.institution, self._chance(32), now + TICKET_LASTS)
        with self._ticketing:
            self._tickets = {ticket: held for ticket, held in self._tickets.items() if held.until > now}
            self._tickets[given.ticket] = given
        return given

    def _receipt(self, tables: Tables, code: str) -> ReceiptRow | None:
        for institution in self._rings.institutions():
            found = tables.receipt(self._ring(institution).receipt_token(code))
            if found is not None and found.institution == institution:
                return found
        return None

    # The journal and signatures

    def sign_journal(self, institution: UUID, *, now: datetime) -> str | None:
        """The journal's head, signed, if the journal only grew from what was signed before."""
        ring = self._ring(institution)
        waiting = [item for item in list(self._alarms.items()) if item[0][0] == institution]
        text = self._sign_journal(ring, institution, waiting, now)
        for alarm, _ in waiting:
            self._alarms.pop(alarm, None)
        return text

    def _sign_journal(
        self, ring: KeyRing, institution: UUID, waiting: Iterable[_Alarm], now: datetime
    ) -> str | None:
        problem: str | None = None
        with self._store.transaction() as tables:
            size, octets = tables.hold_journal(institution)
            for (_, kind), numbers in waiting:
                tables.raise_alarm(institution, kind, "", numbers, now)
            remembered = self._heads.of(institution)
            if size == 0 or (
                tables.checkpoint_size(institution) == size
                and remembered is not None
                and remembered.size == size
                and remembered.octets == octets
            ):
                return None
            grown = self._grown(tables, institution, remembered, size, octets)
            if grown is None:
                problem = "journal_shrank" if remembered and remembered.size > size else "journal_changed"
                tables.raise_alarm(institution, problem, "", {"size": size}, now)
                text = None
            else:
                origin = journal_origin(tables.institution_slug(institution) or "")
                text = ring.sign_checkpoint(origin, size, grown.root)
                tables.write_checkpoint(institution, size, text, now)
        if problem is not None or grown is None:
            raise Refused(Problem(f"keyholder.desk.{problem}"))
        with self._remembering:  # another may have signed more meanwhile: what is remembered never goes back
            before = self._heads.of(institution)
            if before is None or before.size < grown.size:
                self._heads.remember(institution, grown)
        return text

    def _grown(
        self, tables: Tables, institution: UUID, remembered: Frontier | None, size: int, octets: bytes
    ) -> Frontier | None:
        """The frontier that the stored lines lead to; None when it is not that of the stored head."""
        frontier = remembered or Frontier()
        if frontier.size > size:
            return None
        hashes = []
        for number, (position, leaf) in enumerate(tables.leaves(institution, frontier.size)):
            if position != frontier.size + number:
                return None
            hashes.append(leaf_hash(leaf))
        grown = frontier.extend(hashes)
        return grown if grown.size == size and grown.octets == octets else None

    def journal_key(self, institution: UUID, origin: str) -> str:
        """The public key of the journal's signatures."""
        return self._ring(institution).journal_verifier_key(origin)

    def cosign(self, institution: UUID, name: str, request: bytes, key: str, *, now: datetime) -> str:
        """The institution's cosignature, as a witness, of the head in a request to add a checkpoint.

        The desk keeps the heads it cosigned itself: a service that was taken over gets no signature under a
        head that contradicts them. The key of a journal is the one that it was first seen with.
        """
        asked = AddCheckpoint.read(request)
        head = asked.signed.checkpoint
        with self._changing:
            held = self._heads.watched(institution, head.origin)
            known = VerifierKey.read(held[0] if held else key)
            before = held[1] if held else [(asked.old_size, None)]
            sizes = dict(before)
            is_again = (head.size, head.root) in before
            follows = asked.old_size in sizes and (
                sizes[asked.old_size] is None
                or asked.refusal(WatchedJournal(known, asked.old_size, sizes[asked.old_size] or EMPTY_ROOT))
                is None
            )
            if (
                known.name != head.origin
                or not is_signed_by(asked.signed, known)
                or not (is_again or follows)
            ):
                raise Refused(Problem("keyholder.desk.not_cosigned"))
            newest = [pair for pair in before if pair[1] is not None and pair != (head.size, head.root)]
            heads = [(head.size, head.root), *newest][:HEADS_KEPT]
            self._heads.remember_watched(institution, head.origin, known.text, heads)
        return self._ring(institution).cosign(name, asked.signed.text, now)

    def witness_key(self, institution: UUID, name: str) -> str:
        """The public key of the institution's cosignatures."""
        return self._ring(institution).witness_verifier_key(name)

    def sign(self, institution: UUID, context: str, message: bytes) -> bytes:
        """The institution's signature on a receipt; a journal's head is signed by `sign_journal` alone."""
        if context not in SIGNED:
            raise Refused(Problem("keyholder.desk.not_signed"))
        return self._ring(institution).sign(context, message)

    def signature_key(self, institution: UUID) -> bytes:
        """The public key of `sign`."""
        return self._ring(institution).signature_public_key

    def ceilings(self, institution: UUID) -> Ceilings:
        """The ceilings in force."""
        return self._budget.ceilings(institution, datetime.now(UTC))

    # Inside

    def _ring(self, institution: UUID) -> KeyRing:
        """The institution's keys; fresh ones for an institution that is new.

        Where there is a journal there were keys: new ones in their place would make the loss look mended.
        """
        if not self._rings.has(institution):
            with self._store.looking() as tables:
                if tables.has_written(institution):
                    raise Refused(Problem("keyholder.desk.ring_missing"))
        return self._rings.of(institution)

    def _unwrapped(self, ring: KeyRing, key: Wrapped) -> SubjectKey:
        return ring.unwrap_subject_key(
            key.octets, compartment=key.compartment, subject=key.subject, key_version=key.key_version
        )

    def _write(
        self, tables: Tables, frontier: Frontier, subject: SubjectRow, leaf: Leaf, vocabulary: Vocabulary
    ) -> None:
        entry = entry_bytes(leaf, vocabulary)
        hashed = leaf_hash(entry)
        grown = frontier.extend([hashed])
        tables.write_line(leaf.inst, frontier.size, entry, hashed, grown.octets)
        tables.chain(subject.id, subject.entries + 1, bytes.fromhex(chain_hash(entry)))

    def _new_id(self) -> UUID:
        return uuid.UUID(bytes=self._chance(16), version=4)


HEADS_KEPT: Final = 3
"""Heads of another journal that are remembered: the newest may not have been kept by the service."""

SIGNED: Final = ("resguardo/receipt/v1", "resguardo/certificate/v1")
"""What an institution signs with its signature key."""

_LEVELS: Final = {level.group: level for level in Sensitivity}


def _version(ring: KeyRing, number: int) -> KeyVersion:
    key = next(key for key in ring.compartment_keys if key.id == number)
    return KeyVersion(key.compartment, key.id, key.made_at)


def _wrapped(sheet: ToSeal) -> Wrapped:
    return Wrapped(sheet.subject, sheet.compartment, sheet.key_version, sheet.wrapped)


def _key_of(subject: SubjectRow) -> Wrapped:
    return Wrapped(subject.id, subject.compartment, subject.key_version, subject.wrapped)


def _person(ring: KeyRing, receipt: UUID) -> str:
    """The pseudonym of a person who looks at her own records: that of her receipt."""
    return ring.staff_pseudonym(f"receipt {receipt}")


def _term(parts: Sequence[str]) -> str:
    return "|".join(parts)


def _tokens(ring: KeyRing, value: WantedToken) -> tuple[BlindToken, ...]:
    """The tokens of a value under every version of its key, the newest first."""
    index = value.index
    if index == "subject_code":
        programme, about, *code = value.parts
        found = ring.subject_code_tokens(programme, about, *code)
    elif index in ("document", "phone"):
        found = ring.blind_tokens(IndexField[index.upper()], *value.parts)
    elif index == "name":
        found = tuple(_short(token) for token in ring.blind_tokens(IndexField.NAME, *value.parts))
    elif index == "arrival":
        return (BlindToken(IndexField.SUBJECT_CODE, 0, ring.arrival_token(value.octets)),)
    elif index == "receipt":
        return (BlindToken(IndexField.SUBJECT_CODE, 0, ring.receipt_token(value.parts[0])),)
    elif index == "answer" and value.subject is not None:
        question, answer = value.parts
        token = ring.answer_token(value.subject, question, answer)
        return (BlindToken(IndexField.SUBJECT_CODE, 0, token),)
    else:
        raise Refused(Problem("keyholder.desk.not_understood"))
    return tuple(sorted(found, key=lambda token: -token.key_version))


def _short(token: BlindToken) -> BlindToken:
    """A name's token with its first bits only: several people share it, and it shows nobody."""
    kept = int.from_bytes(token.token[:2], "big") >> (16 - NAME_TOKEN_BITS)
    return BlindToken(token.field, token.key_version, kept.to_bytes(2, "big"))


def _consents(tables: Tables, subject: UUID) -> list[Consent]:
    return consents_on_file(
        [
            FiledConsent(
                id=f"{row.number:032x}",
                number=row.number,
                purpose=row.purpose,
                receiver=row.receiver or None,
                given=row.given,
                said_on=row.said_on,
                language=row.language,
                by=ConsentBy(row.by),
                assent=row.assent,
                until=row.until,
                withdrawn_on=row.withdrawn_on,
            )
            for row in tables.consents(subject)
        ]
    )


def _request(
    opening: Opening,
    actor: _Actor,
    subject: SubjectRow,
    levels: frozenset[Sensitivity],
    role: str,
    asked: _Asked,
) -> Request:
    return Request(
        who=actor.who,
        role=role,
        institution=opening.institution,
        purpose=opening.purpose,
        groups=levels,
        subject=subject.id,
        subject_institution=subject.institution,
        recorded_on=min(subject.forms.values(), default=date.max),
        restricted=subject.restricted,
        action=Action(opening.action),
        second_factor=opening.second_factor or actor.herself is not None,
        reauthenticated=opening.reauthenticated or actor.herself is not None,
        herself=actor.herself,
        objected=asked.objected,
        legal_hold=asked.held,
        receiver=opening.receiver or None,
        receiver_kind=asked.kind,
        receiver_country=asked.country,
        collected_here=True,
        origin_country=asked.origin,
        asylum=asked.asylum,
        break_glass=bool(opening.emergency_reason),
        reason_length=len(opening.emergency_reason.strip()),
    )


def _purpose_names(rules: ProgrammeRules) -> frozenset[str]:
    return frozenset(purpose.name for purpose in rules.purposes) | {RIGHTS, VITAL_INTEREST}
