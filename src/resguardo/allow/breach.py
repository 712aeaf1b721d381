"""When somebody may have seen what they must not: who is told until when, how many people, in which words.

The clock starts with the first knowledge, not with the end of an investigation, and runs through nights and
Sundays. Whom to tell is a list, because the laws differ in it: the authority, in El Salvador the prosecutor
too, and the person. A record that two countries share follows the strictest common rule: every affected
person and every authority within 72 running hours, whatever the danger. What a law calls “immediately” is
told at once, and at the latest when the strictest common rule ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from resguardo.allow.calendar import Doubt, in_words
from resguardo.allow.rights import Controller
from resguardo.allow.rulebook import (
    BASELINE,
    STRICTEST,
    ControllerType,
    Jurisdiction,
    Length,
    Period,
    Rulebook,
    Threshold,
    ValueStatus,
)
from resguardo.keep.journal import Act, Outcome, read_entry
from resguardo.plan.languages import say
from resguardo.values import Language, Problem, Refused, Sensitivity


class BreachKind(StrEnum):
    """What happened."""

    LOSS = "loss"
    THEFT = "theft"
    WRONG_RECIPIENT = "wrong_recipient"
    INTRUSION = "intrusion"
    UNDUE_ACCESS = "undue_access"
    DESTRUCTION = "destruction"
    ALTERATION = "alteration"

    def words(self, language: Language) -> str:
        """What it is called in the register of breaches."""
        return say(f"allow.breach.kind_{self}", language)


class Danger(StrEnum):
    """How much it can hurt the people concerned, as it was assessed."""

    UNLIKELY = "unlikely"
    POSSIBLE = "possible"
    HIGH = "high"


class Recipient(StrEnum):
    """Who is told."""

    AUTHORITY = "authority"
    PROSECUTOR = "prosecutor"
    PERSON = "person"


# The clock


@dataclass(frozen=True)
class Notice:
    """One whom a rule wants told, until when, and from what danger on."""

    recipient: Recipient
    jurisdiction: str
    """Whose rule asks for it; ``strictest_common`` where a country has no file."""
    territory: str
    addressee: str
    """The authority or prosecutor by name; empty for the person."""
    due_at: datetime
    threshold: Threshold
    length: Length
    at_once: bool = False
    """The law gives no number and says “immediately”; `due_at` is the latest that is still defensible."""
    rule: str = STRICTEST
    """The jurisdiction whose number `length` is."""
    status: ValueStatus | None = None
    article: str | None = None
    is_signed: bool = False
    way: tuple[tuple[str, ValueStatus], ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def is_needed(self, danger: Danger | None) -> bool:
        """Whether it must be told at that danger; as long as nobody assessed it, yes."""
        if danger is None or self.threshold is Threshold.NONE:
            return True
        if self.threshold is Threshold.RISK:
            return danger is not Danger.UNLIKELY
        return danger is Danger.HIGH

    def words(self, rulebook: Rulebook, language: Language) -> str:
        """Whom to tell, until when and by which rule, for the officer."""
        who = say(f"allow.breach.to_{self.recipient}", language, addressee=self.addressee)
        when = moment_in_words(self.due_at, language)
        place = rulebook.name(self.jurisdiction, language)
        period = self.length.words(language)
        key = "at_once" if self.at_once else "until"
        ground = "strictest" if self.rule == STRICTEST else "by_law"
        said = [
            say(f"allow.breach.{key}", language, who=who, when=when),
            say(f"allow.breach.{ground}", language, place=place, period=period),
        ]
        if self.threshold is not Threshold.NONE:
            said.append(say(f"allow.breach.threshold_{self.threshold}", language))
        if self.status is ValueStatus.FROM_MEMORY:
            said.append(say("allow.rights.doubt_from_memory", language))
        return " ".join(said)

    def as_mapping(self) -> dict[str, Any]:
        """The rule as it is kept beside the notice."""
        return {
            "recipient": str(self.recipient),
            "jurisdiction": self.jurisdiction,
            "territory": self.territory,
            "addressee": self.addressee,
            "due_at": self.due_at.isoformat(),
            "threshold": str(self.threshold),
            "value": self.length.value,
            "unit": str(self.length.unit),
            "at_once": self.at_once,
            "rule": self.rule,
            "status": None if self.status is None else str(self.status),
            "article": self.article,
            "is_signed": self.is_signed,
            "way": [[jurisdiction, str(status)] for jurisdiction, status in self.way],
        }


@dataclass(frozen=True)
class Clock:
    """All who must be told of a breach, the most pressing first."""

    known_at: datetime
    notices: tuple[Notice, ...]
    nobody_to_tell: tuple[str, ...] = ()
    """Jurisdictions and territories without an authority that could be told; the person is told there too."""


def notices(
    known_at: datetime, controllers: Sequence[Controller | tuple[ControllerType, str]], rulebook: Rulebook
) -> Clock:
    """Who must be told of a breach that was first known at `known_at`, a moment in the time of the place.

    `controllers` are all who answer for the records, in every country that is concerned. Two or more
    jurisdictions make the records shared, and the strictest common rule caps every notice.

    >>> from datetime import UTC
    >>> from resguardo.allow.rulebook import load
    >>> known = datetime(2026, 3, 6, 21, 30, tzinfo=UTC)
    >>> clock = notices(known, [(ControllerType.PRIVATE_OR_NGO, "SV")], load())
    >>> [(str(one.recipient), one.due_at.isoformat()) for one in clock.notices]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('authority', '2026-03-09T21:30:00+00:00'), ('prosecutor', '2026-03-09T21:30:00+00:00'),
     ('person', '2026-03-09T21:30:00+00:00')]
    """
    if known_at.tzinfo is None:
        raise ValueError("the clock of a breach starts at a moment with its time zone")
    found: list[Notice] = []
    nobody: list[str] = []
    concerned: set[str] = set()
    known = [Controller(*one) for one in controllers] or [Controller(ControllerType.PRIVATE_OR_NGO, "")]
    for controller in dict.fromkeys(known):
        jurisdiction = rulebook.of_controller(controller.kind, controller.territory)
        concerned.add(controller.territory if jurisdiction is None else jurisdiction.id)
        authority = _notice(Recipient.AUTHORITY, controller, jurisdiction, known_at, rulebook)
        if jurisdiction is not None and jurisdiction.authority.can_be_told:
            found.append(authority)
        else:
            nobody.append(controller.territory if jurisdiction is None else jurisdiction.id)
        if jurisdiction is not None and jurisdiction.id in rulebook.strictest.also_notify:
            addressee = rulebook.strictest.also_notify[jurisdiction.id]
            found.append(replace(authority, recipient=Recipient.PROSECUTOR, addressee=addressee))
        found.append(_notice(Recipient.PERSON, controller, jurisdiction, known_at, rulebook))
    if len(concerned) > 1:
        found = [_shared(one, known_at, rulebook) for one in found]
    unique: dict[tuple[str, str, str], Notice] = {}
    for one in found:
        key = (one.recipient, one.jurisdiction, one.addressee)
        unique[key] = min(unique.get(key, one), one, key=lambda notice: notice.due_at)
    order = list(Recipient)
    ranked = sorted(
        unique.values(), key=lambda one: (not one.at_once, one.due_at, order.index(one.recipient))
    )
    return Clock(known_at, tuple(ranked), tuple(dict.fromkeys(name for name in nobody if name)))


def _notice(
    recipient: Recipient,
    controller: Controller,
    jurisdiction: Jurisdiction | None,
    known_at: datetime,
    rulebook: Rulebook,
) -> Notice:
    """The notice to the authority or the person that one controller owes."""
    way: list[tuple[str, ValueStatus]] = []
    threshold, at_once, article = Threshold.NONE, False, None
    said: ValueStatus | None = None
    if jurisdiction is not None:
        standing = jurisdiction.standing(controller.kind)
        period = _period(jurisdiction, recipient)
        if standing is None and period.counts and period.length is not None:
            due_at, doubts = _moment(known_at, period.length, controller.territory, rulebook)
            return Notice(
                recipient,
                jurisdiction.id,
                controller.territory,
                _addressee(recipient, jurisdiction),
                due_at,
                period.threshold or Threshold.NONE,
                period.length,
                rule=jurisdiction.id,
                status=period.status,
                article=period.article,
                is_signed=jurisdiction.is_signed,
                doubts=doubts,
            )
        status = standing or period.status
        if standing is None and status in (ValueStatus.SOURCED, ValueStatus.FROM_MEMORY):
            threshold, at_once, article = period.threshold or Threshold.NONE, True, period.article
            said = status
        else:
            way.append((jurisdiction.id, status))
            if status in (ValueStatus.NOT_IN_LAW, ValueStatus.NOT_IN_FORCE) and jurisdiction.id != BASELINE:
                way.append((BASELINE, _period(rulebook.jurisdictions[BASELINE], recipient).status))
    length, due_at, doubts = _strictest(recipient, known_at, controller.territory, rulebook)
    return Notice(
        recipient,
        STRICTEST if jurisdiction is None else jurisdiction.id,
        controller.territory,
        "" if jurisdiction is None else _addressee(recipient, jurisdiction),
        due_at,
        threshold,
        length,
        at_once=at_once,
        status=said,
        article=article,
        is_signed=jurisdiction is not None and jurisdiction.is_signed,
        way=tuple(way),
        doubts=doubts,
    )


def _shared(notice: Notice, known_at: datetime, rulebook: Rulebook) -> Notice:
    """The same notice for a record that several countries share: no threshold, and the strictest time."""
    length, due_at, doubts = _strictest(notice.recipient, known_at, notice.territory, rulebook)
    if notice.due_at <= due_at:
        return replace(notice, threshold=Threshold.NONE)
    return replace(
        notice, threshold=Threshold.NONE, due_at=due_at, length=length, rule=STRICTEST, doubts=doubts
    )


def _period(jurisdiction: Jurisdiction, recipient: Recipient) -> Period:
    return jurisdiction.breach.person if recipient is Recipient.PERSON else jurisdiction.breach.authority


def _addressee(recipient: Recipient, jurisdiction: Jurisdiction) -> str:
    return "" if recipient is Recipient.PERSON else jurisdiction.authority.name


def _strictest(
    recipient: Recipient, known_at: datetime, territory: str, rulebook: Rulebook
) -> tuple[Length, datetime, tuple[Doubt, ...]]:
    """What ends first of the strictest common rule as it was written down and of every law in force."""
    is_person = recipient is Recipient.PERSON
    written = rulebook.strictest.breach_person if is_person else rulebook.strictest.breach_authority
    lengths = [written]
    for jurisdiction in rulebook.national_in_force:
        period = _period(jurisdiction, recipient)
        if period.counts and period.length is not None:
            lengths.append(period.length)
    found = [(length, *_moment(known_at, length, territory, rulebook)) for length in lengths]
    return min(found, key=lambda one: one[1])


def _moment(
    known_at: datetime, length: Length, territory: str, rulebook: Rulebook
) -> tuple[datetime, tuple[Doubt, ...]]:
    """The last moment of a period; days end with the day of the place where it was known."""
    due = rulebook.calendar.due(known_at, length.value, length.unit, territory)
    if due.at is not None:
        return due.at, due.doubts
    return datetime.combine(due.on, time(23, 59, 59), known_at.tzinfo), due.doubts


def moment_in_words(moment: datetime, language: Language) -> str:
    """A moment as a person reads it: the day, and the time in the zone that it is given in."""
    return say(
        "allow.breach.moment",
        language,
        day=in_words(moment.date(), language),
        time=moment.strftime("%H:%M"),
    )


# How far a breach is


class BreachState(StrEnum):
    """How far a breach is. Who was told stands in its notices."""

    KNOWN = "known"
    ASSESSED = "assessed"
    AUTHORITY_TOLD = "authority_told"
    PERSONS_TOLD = "persons_told"
    CLOSED = "closed"


MAY_FOLLOW: Final[Mapping[BreachState, frozenset[BreachState]]] = MappingProxyType(
    {
        BreachState.KNOWN: frozenset(
            {BreachState.ASSESSED, BreachState.AUTHORITY_TOLD, BreachState.PERSONS_TOLD}
        ),
        BreachState.ASSESSED: frozenset(
            {BreachState.AUTHORITY_TOLD, BreachState.PERSONS_TOLD, BreachState.CLOSED}
        ),
        BreachState.AUTHORITY_TOLD: frozenset(
            {BreachState.ASSESSED, BreachState.PERSONS_TOLD, BreachState.CLOSED}
        ),
        BreachState.PERSONS_TOLD: frozenset(
            {BreachState.ASSESSED, BreachState.AUTHORITY_TOLD, BreachState.CLOSED}
        ),
        BreachState.CLOSED: frozenset(),
    }
)
"""Telling comes first where it presses: nobody has to be assessed before she is warned."""


def move(
    state: BreachState, wanted: BreachState, *, danger: Danger | None, untold: Iterable[Notice] = ()
) -> BreachState:
    """The state that follows; refuses to close a breach that was not assessed or not told to all it must be.

    `untold` are the notices that were not sent; those that the danger does not ask for do not hold it open.
    """
    if wanted not in MAY_FOLLOW[state]:
        facts = {"state": str(state), "wanted": str(wanted)}
        raise Refused(Problem("allow.breach.may_not_follow", facts))
    if wanted is BreachState.CLOSED:
        if danger is None:
            raise Refused(Problem("allow.breach.not_assessed", {}))
        owed = [notice for notice in untold if notice.is_needed(danger)]
        if owed:
            raise Refused(
                *(
                    Problem(
                        f"allow.breach.untold_{notice.recipient}",
                        {"jurisdiction": notice.jurisdiction, "addressee": notice.addressee},
                    )
                    for notice in owed
                )
            )
    return wanted


# How large it is

RELEASING: Final = frozenset({Act.READ, Act.EXPORT, Act.REFER})
"""The acts whose line stands in the journal before a key, or what it opens, leaves the keyholder."""


@dataclass(frozen=True)
class Size:
    """Whose records were opened, under the marks that the journal gives them."""

    subjects: Mapping[str, frozenset[int]]
    """By mark, the groups that were opened."""
    openings: int
    actors: frozenset[str]

    @property
    def people(self) -> int:
        """How many people."""
        return len(self.subjects)

    @property
    def groups(self) -> frozenset[Sensitivity]:
        """Every group that was opened of anybody."""
        numbers = {number for found in self.subjects.values() for number in found}
        return frozenset(level for level in Sensitivity if level.group in numbers)


def size(
    entries: Iterable[bytes],
    *,
    since: datetime,
    until: datetime | None = None,
    who: Collection[str] | None = None,
) -> Size:
    """The subjects whose keys were released between the two moments, to these actors or to anybody.

    `entries` are the journal's entries as they are stored; what was denied released nothing. This is the
    true size of the breach, not an estimate: a key leaves only after its line is in the journal.
    """
    subjects: dict[str, set[int]] = {}
    actors: set[str] = set()
    openings = 0
    for entry in entries:
        leaf = read_entry(entry)
        if leaf.act not in RELEASING or leaf.dec is Outcome.DENY or leaf.subj is None:
            continue
        if leaf.t < since or (until is not None and leaf.t > until):
            continue
        if who is not None and leaf.who not in who:
            continue
        openings += 1
        actors.add(leaf.who)
        subjects.setdefault(leaf.subj, set()).update(leaf.fields)
    found = {mark: frozenset(numbers) for mark, numbers in subjects.items()}
    return Size(MappingProxyType(found), openings, frozenset(actors))


# What the person is told


class Measure(StrEnum):
    """What was done about it."""

    SESSION_CLOSED = "session_closed"
    ACCESS_REMOVED = "access_removed"
    DEVICE_BLOCKED = "device_blocked"
    KEYS_CHANGED = "keys_changed"
    COPY_ASKED_BACK = "copy_asked_back"
    RESTORED = "restored"
    AUTHORITY_TOLD = "authority_told"


class Advice(StrEnum):
    """What the person can do."""

    DISTRUST_CALLS = "distrust_calls"
    CHANGE_NUMBER = "change_number"
    SAY_DANGER = "say_danger"
    SEE_WHO = "see_who"
    ASK_ERASURE = "ask_erasure"


@dataclass(frozen=True)
class PersonMessage:
    """What the person is told: what happened, what was done, what she can do. It names nobody."""

    kind: BreachKind
    groups: frozenset[Sensitivity]
    since: date
    until: date
    institution: str
    contact: str
    """Where to ask: a telephone, a place, an hour."""
    measures: tuple[Measure, ...]
    advice: tuple[Advice, ...] = (Advice.SAY_DANGER, Advice.DISTRUST_CALLS, Advice.SEE_WHO)
    authorities: tuple[str, ...] = ()
    """Where she can complain."""

    def lines(self, language: Language) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each heading with its sentences, to be shown, printed or read aloud."""
        done = tuple(say(f"allow.breach.measure_{measure}", language) for measure in self.measures)
        can = tuple(say(f"allow.breach.advice_{advice}", language) for advice in self.advice)
        ask = say("allow.breach.ask_us", language, institution=self.institution, contact=self.contact)
        complain = tuple(
            say("allow.breach.complain", language, authority=authority) for authority in self.authorities
        )
        return (
            (say("allow.breach.heading_what", language), (self._what(language),)),
            (say("allow.breach.heading_done", language), done),
            (say("allow.breach.heading_can", language), (*can, ask, *complain)),
        )

    def text(self, language: Language) -> str:
        """The whole message as plain text."""
        parts = (f"{heading}\n" + "\n".join(said) for heading, said in self.lines(language) if said)
        return "\n\n".join(parts) + "\n"

    def _what(self, language: Language) -> str:
        verb = _VERBS.get(self.kind, "seen")
        span = "day" if self.since == self.until else "days"
        return say(
            f"allow.breach.{verb}_{span}",
            language,
            what=_listed([say(f"allow.breach.what_{group}", language) for group in self._ranked], language),
            since=in_words(self.since, language),
            until=in_words(self.until, language),
        )

    @property
    def _ranked(self) -> tuple[Sensitivity, ...]:
        return tuple(level for level in Sensitivity if level in self.groups) or (Sensitivity.PLAIN,)


_VERBS: Final[Mapping[BreachKind, str]] = MappingProxyType(
    {BreachKind.DESTRUCTION: "lost", BreachKind.ALTERATION: "changed"}
)


def _listed(things: Sequence[str], language: Language) -> str:
    """“a, b and c”."""
    if len(things) == 1:
        return things[0]
    return say("allow.breach.and", language, first=", ".join(things[:-1]), last=things[-1])
