"""What a person may ask about her records, until when she must have an answer, and what may follow what.

A deadline is a day, not a number: 20 working days can end after 30 calendar days. Who answers for the records
is asked before where: a ministry, a shelter and an international organisation follow different rules in the
same country. Where the law's period is not known, the strictest common rule counts; where the law has none,
the principles of the IOM, which have no number, and so again the strictest common rule. Where several answer
for the same records, each is resolved to its day, and the earliest day holds for all.

Three rights stand in no law by themselves and follow another one, unless a file of the rulebook names them:
restriction follows objection; revocation of a consent follows objection or erasure, whichever ends first,
because it asks for both: that the use stops, and that what was held by consent alone goes; a complaint or
question follows access.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from babel import Locale

from resguardo.allow.calendar import Calendar, DayOff, Doubt, Due, Unit, in_words
from resguardo.allow.purpose import last_day
from resguardo.allow.rulebook import (
    BASELINE,
    STRICTEST,
    ControllerType,
    Jurisdiction,
    Length,
    Rulebook,
    ValueStatus,
)
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import say
from resguardo.values import InstitutionKind, Language, Problem, Refused


class Right(StrEnum):
    """What a person may ask for."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    PORTABILITY = "portability"
    REVOCATION = "revocation"
    COMPLAINT = "complaint"

    def words(self, language: Language) -> str:
        """What the person calls it."""
        return say(f"allow.rights.{self}", language)


FOLLOWS: Final[Mapping[Right, tuple[Right, ...]]] = MappingProxyType(
    {
        Right.RESTRICTION: (Right.OBJECTION,),
        Right.REVOCATION: (Right.OBJECTION, Right.ERASURE),
        Right.COMPLAINT: (Right.ACCESS,),
    }
)
"""By whose periods a right is answered where a law does not name it; of several, the earliest day holds."""


class Controller(NamedTuple):
    """Who answers for the records, and where they were collected, are kept or received."""

    kind: ControllerType
    territory: str
    """ISO 3166-1 alpha-2 code."""


_CONTROLLER_TYPES: Final[Mapping[InstitutionKind, ControllerType]] = MappingProxyType(
    {
        InstitutionKind.REGIONAL_OFFICE: ControllerType.INTERNATIONAL_ORG,
        InstitutionKind.INTERNATIONAL_ORGANISATION: ControllerType.INTERNATIONAL_ORG,
        InstitutionKind.CONSULATE: ControllerType.STATE,
        InstitutionKind.MIGRATION_INSTITUTE: ControllerType.STATE,
        InstitutionKind.MINISTRY: ControllerType.STATE,
        InstitutionKind.POLICE: ControllerType.STATE,
        InstitutionKind.SHELTER: ControllerType.PRIVATE_OR_NGO,
        InstitutionKind.NGO: ControllerType.PRIVATE_OR_NGO,
        InstitutionKind.UNIVERSITY: ControllerType.PRIVATE_OR_NGO,
        InstitutionKind.CHAMBER: ControllerType.PRIVATE_OR_NGO,
        InstitutionKind.MEDIA: ControllerType.PRIVATE_OR_NGO,
    }
)


def controller_type(kind: InstitutionKind) -> ControllerType:
    """Under which kind of rules an institution of that kind falls.

    A shelter or university of the state counts as private here: nowhere in the rulebook is a private
    controller given more time than the state, so the mistake can only hurry.
    """
    return _CONTROLLER_TYPES[kind]


# Deadlines


@dataclass(frozen=True)
class AppliedRule:
    """By which rule a day was found, and by which way it was reached."""

    jurisdiction: str
    """The jurisdiction whose number it is, or ``strictest_common``."""
    right: Right
    """The right whose period was counted."""
    length: Length
    controller: Controller
    due: date
    status: ValueStatus | None = None
    """How sure the number is; None for the strictest common rule as it was written down."""
    article: str | None = None
    is_signed: bool = False
    way: tuple[tuple[str, ValueStatus], ...] = ()
    """The jurisdictions that gave no number, each with the reason, in the order in which they were asked."""
    extended: date | None = None
    """Until when the law lets the answer wait at most."""
    extension_from_memory: bool = False
    made_effective: Length | None = None
    days_off: tuple[DayOff, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Deadline:
    """Until when a request must be answered, by which rule, and what is not certain about it."""

    right: Right
    received: date
    due: date
    work_by: date
    """The last working day up to `due`: what nobody does on a Sunday is done by then."""
    rule: AppliedRule
    others: tuple[AppliedRule, ...] = ()
    """What the other controllers' rules would have given; none of them is earlier."""
    extended: date | None = None
    """The latest day that every controller's law allows, where the answer may wait longer."""

    @property
    def made_effective(self) -> tuple[tuple[Length, str], ...]:
        """What may pass, and by whose calendar, between the answer and its being carried out.

        Empty when the law of any of the controllers gives no time beside that for the answer.
        """
        found: list[tuple[Length, str]] = []
        for rule in (self.rule, *self.others):
            if rule.made_effective is None:
                return ()
            found.append((rule.made_effective, rule.controller.territory))
        return tuple(found)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Codes of what somebody still has to confirm; words for each in the section `rights`."""
        found: list[str] = []
        if self.rule.status is ValueStatus.FROM_MEMORY:
            found.append("doubt_from_memory")
        if any(status is ValueStatus.UNKNOWN for _, status in self.rule.way):
            found.append("doubt_unknown")
        if not self.rule.is_signed:
            found.append("doubt_unsigned")
        found += [f"doubt_{doubt}" for doubt in self.rule.doubts]
        return tuple(found)

    def promise(self, language: Language) -> str:
        """What the person reads before she sends her request."""
        return say("allow.rights.promise", language, day=in_words(self.due, language))

    def because(self, rulebook: Rulebook, language: Language) -> str:
        """Why that day: whose rule, how long, which holidays were not counted, what is to be confirmed."""
        rule = self.rule
        period = rule.length.words(language)
        place = _place_name(rule, rulebook, language)
        said = [say(f"allow.rights.{_ground(rule, rulebook)}", language, place=place, period=period)]
        if rule.article:
            said = [
                say("allow.rights.by_article", language, place=place, period=period, article=rule.article)
            ]
        if rule.days_off:
            days = ", ".join(in_words(off.day, language) for off in rule.days_off)
            said.append(say("allow.rights.days_off", language, days=days))
        said += [say(f"allow.rights.{code}", language) for code in self.unconfirmed]
        return " ".join(said)

    def as_mapping(self) -> dict[str, Any]:
        """The deadline as it is kept beside the request; `read_deadline` explains the day years later."""
        return {
            "right": str(self.right),
            "received": self.received.isoformat(),
            "due": self.due.isoformat(),
            "work_by": self.work_by.isoformat(),
            "extended": None if self.extended is None else self.extended.isoformat(),
            "rules": [_written(rule) for rule in (self.rule, *self.others)],
        }


def read_deadline(said: Mapping[str, Any]) -> Deadline:
    """The deadline that `Deadline.as_mapping` wrote: the rule as it was then, not as it is today."""
    first, *others = (_read(rule) for rule in said["rules"])
    return Deadline(
        right=Right(said["right"]),
        received=date.fromisoformat(said["received"]),
        due=date.fromisoformat(said["due"]),
        work_by=date.fromisoformat(said["work_by"]),
        rule=first,
        others=tuple(others),
        extended=None if said["extended"] is None else date.fromisoformat(said["extended"]),
    )


def _written(rule: AppliedRule) -> dict[str, Any]:
    effective = rule.made_effective
    return {
        "jurisdiction": rule.jurisdiction,
        "right": str(rule.right),
        "value": rule.length.value,
        "unit": str(rule.length.unit),
        "controller": str(rule.controller.kind),
        "territory": rule.controller.territory,
        "due": rule.due.isoformat(),
        "status": None if rule.status is None else str(rule.status),
        "article": rule.article,
        "is_signed": rule.is_signed,
        "way": [[jurisdiction, str(status)] for jurisdiction, status in rule.way],
        "extended": None if rule.extended is None else rule.extended.isoformat(),
        "extension_from_memory": rule.extension_from_memory,
        "made_effective": None if effective is None else [effective.value, str(effective.unit)],
        "days_off": [[off.day.isoformat(), off.name] for off in rule.days_off],
        "doubts": [str(doubt) for doubt in rule.doubts],
    }


def _read(said: Mapping[str, Any]) -> AppliedRule:
    effective = said["made_effective"]
    return AppliedRule(
        jurisdiction=said["jurisdiction"],
        right=Right(said["right"]),
        length=Length(said["value"], Unit(said["unit"])),
        controller=Controller(ControllerType(said["controller"]), said["territory"]),
        due=date.fromisoformat(said["due"]),
        status=None if said["status"] is None else ValueStatus(said["status"]),
        article=said["article"],
        is_signed=said["is_signed"],
        way=tuple((jurisdiction, ValueStatus(status)) for jurisdiction, status in said["way"]),
        extended=None if said["extended"] is None else date.fromisoformat(said["extended"]),
        extension_from_memory=said["extension_from_memory"],
        made_effective=None if effective is None else Length(effective[0], Unit(effective[1])),
        days_off=tuple(DayOff(date.fromisoformat(day), name) for day, name in said["days_off"]),
        doubts=tuple(Doubt(doubt) for doubt in said["doubts"]),
    )


def _place_name(rule: AppliedRule, rulebook: Rulebook, language: Language) -> str:
    """The country whose rule was looked for first."""
    first = rule.way[0][0] if rule.way else rule.jurisdiction
    if first != STRICTEST:
        return rulebook.name(first, language)
    for tongue in (language, "fr" if language == "ht" else "es"):
        if name := Locale.parse(tongue).territories.get(rule.controller.territory):
            return str(name)
    return rule.controller.territory or say("allow.rights.no_country", language)


def _ground(rule: AppliedRule, rulebook: Rulebook) -> str:
    """Which sentence says by what the period was found."""
    if not rule.way:
        return "by_no_file" if rule.jurisdiction == STRICTEST else "by_law"
    first, status = rule.way[0]
    if first == BASELINE:
        return "by_baseline"
    known = rulebook.jurisdictions.get(first)
    return f"by_{status}" if known is None or known.has_general_law else "by_no_general_law"


def deadline(
    right: Right,
    controllers: Sequence[Controller | tuple[ControllerType, str]],
    received: date | datetime,
    rulebook: Rulebook,
) -> Deadline:
    """The earliest day by which any of the controllers must have answered.

    `received` is the day in the place where the request came in. With no controller at all, nothing is known
    about who answers, and the strictest common rule counts with weekends alone.

    >>> from resguardo.allow.rulebook import load
    >>> costa_rica = (ControllerType.PRIVATE_OR_NGO, "CR")
    >>> deadline(Right.ACCESS, [costa_rica], date(2026, 11, 20), load()).due
    datetime.date(2026, 11, 27)
    """
    day = received.date() if isinstance(received, datetime) else received
    known = [Controller(*controller) for controller in controllers]
    known = known or [Controller(ControllerType.PRIVATE_OR_NGO, "")]
    rules = [_rule_of(right, controller, day, rulebook) for controller in dict.fromkeys(known)]
    first = min(rules, key=lambda rule: rule.due)
    latest = min(rule.extended or rule.due for rule in rules)
    others = tuple(rule for rule in rules if rule is not first)
    return Deadline(
        right=right,
        received=day,
        due=first.due,
        work_by=rulebook.calendar.last_working_day(first.due, first.controller.territory, not_before=day),
        rule=first,
        others=others,
        extended=latest if latest > first.due else None,
    )


def _rule_of(right: Right, controller: Controller, received: date, rulebook: Rulebook) -> AppliedRule:
    """The rule of one controller: of the rights that this one follows, the one that ends first."""
    jurisdiction = rulebook.of_controller(controller.kind, controller.territory)
    is_named = jurisdiction is not None and str(right) in jurisdiction.response_deadlines
    named = (right,) if is_named else FOLLOWS.get(right, (right,))
    found = (_rule_by(law_right, controller, jurisdiction, received, rulebook) for law_right in named)
    return min(found, key=lambda rule: rule.due)


def _rule_by(
    right: Right,
    controller: Controller,
    jurisdiction: Jurisdiction | None,
    received: date,
    rulebook: Rulebook,
) -> AppliedRule:
    way: list[tuple[str, ValueStatus]] = []
    if jurisdiction is not None:
        asked = [jurisdiction]
        standing = _status_of(jurisdiction, controller.kind, right)
        baseline = rulebook.jurisdictions[BASELINE]
        if standing in (ValueStatus.NOT_IN_LAW, ValueStatus.NOT_IN_FORCE) and jurisdiction != baseline:
            asked.append(baseline)
        for one in asked:
            kind = controller.kind if one is jurisdiction else ControllerType.INTERNATIONAL_ORG
            status = _status_of(one, kind, right)
            if status in (ValueStatus.SOURCED, ValueStatus.FROM_MEMORY):
                return _counted(right, controller, one, received, rulebook, tuple(way))
            way.append((one.id, status))
    return _strictest(right, controller, received, rulebook, tuple(way))


def _status_of(jurisdiction: Jurisdiction, kind: ControllerType, right: Right) -> ValueStatus:
    """How sure the period is that binds that kind of controller; `UNKNOWN` where nobody says."""
    standing = jurisdiction.standing(kind)
    if standing is not None:
        return standing
    period = jurisdiction.response_deadlines.get(right)
    return ValueStatus.NOT_IN_LAW if period is None else period.status


def _counted(
    right: Right,
    controller: Controller,
    jurisdiction: Jurisdiction,
    received: date,
    rulebook: Rulebook,
    way: tuple[tuple[str, ValueStatus], ...],
) -> AppliedRule:
    period = jurisdiction.response_deadlines[right]
    if period.length is None:
        raise ValueError(f"{jurisdiction.id} has no period for {right}")
    found = _due(rulebook.calendar, received, period.length, controller.territory)
    extended = period.extension and _due(rulebook.calendar, found.on, period.extension, controller.territory)
    return AppliedRule(
        jurisdiction=jurisdiction.id,
        right=right,
        length=period.length,
        controller=controller,
        due=found.on,
        status=period.status,
        article=period.article,
        is_signed=jurisdiction.is_signed,
        way=way,
        extended=extended.on if extended else None,
        extension_from_memory=extended is not None
        and (jurisdiction.is_extension_from_memory or period.status is ValueStatus.FROM_MEMORY),
        made_effective=period.made_effective,
        days_off=found.days_off,
        doubts=found.doubts,
    )


def _strictest(
    right: Right,
    controller: Controller,
    received: date,
    rulebook: Rulebook,
    way: tuple[tuple[str, ValueStatus], ...],
) -> AppliedRule:
    """The strictest common rule, computed: what ends first of the written one and of every law in force."""
    named = str(right) if str(right) in rulebook.strictest.rights_response else str(FOLLOWS[right][0])
    candidates: list[tuple[Length, ValueStatus | None]] = [(rulebook.strictest.rights_response[named], None)]
    for jurisdiction in rulebook.national_in_force:
        period = jurisdiction.response_deadlines.get(named)
        if period is not None and period.counts and period.length is not None:
            candidates.append((period.length, period.status))
    found = [
        (_due(rulebook.calendar, received, length, controller.territory), length, status)
        for length, status in candidates
    ]
    first, length, status = min(found, key=lambda one: one[0].on)
    return AppliedRule(
        jurisdiction=STRICTEST,
        right=Right(named),
        length=length,
        controller=controller,
        due=first.on,
        status=status,
        way=way,
        days_off=first.days_off,
        doubts=first.doubts,
    )


def _due(calendar: Calendar, start: date, length: Length, territory: str) -> Due:
    return calendar.due(start, length.value, length.unit, territory)


# Requests


class State(StrEnum):
    """How far a request is."""

    RECEIVED = "received"
    IDENTITY_CONFIRMED = "identity_confirmed"
    IN_PROGRESS = "in_progress"
    EXTENDED = "extended"
    ANSWERED = "answered"
    REFUSED = "refused"
    CARRIED_OUT = "carried_out"

    def words(self, language: Language) -> str:
        """What the person reads about it."""
        return say(f"allow.rights.state_{self}", language)


MAY_FOLLOW: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.RECEIVED: frozenset({State.IDENTITY_CONFIRMED, State.REFUSED}),
        State.IDENTITY_CONFIRMED: frozenset({State.IN_PROGRESS, State.ANSWERED, State.REFUSED}),
        State.IN_PROGRESS: frozenset({State.EXTENDED, State.ANSWERED, State.REFUSED}),
        State.EXTENDED: frozenset({State.ANSWERED, State.REFUSED}),
        State.ANSWERED: frozenset({State.CARRIED_OUT}),
        State.REFUSED: frozenset(),
        State.CARRIED_OUT: frozenset(),
    }
)
"""What may follow what. Nothing of a person is shown or changed before her identity is confirmed."""

OPEN: Final = frozenset({State.RECEIVED, State.IDENTITY_CONFIRMED, State.IN_PROGRESS, State.EXTENDED})
"""The states in which the person still waits for her answer."""


class Ground(StrEnum):
    """Why a request may be refused; a closed list, each said to the person in her language."""

    IDENTITY_NOT_SHOWN = "identity_not_shown"
    NOTHING_HELD = "nothing_held"
    LEGAL_HOLD = "legal_hold"
    ARCHIVE_DUTY = "archive_duty"
    LEGAL_CLAIM = "legal_claim"
    RIGHTS_OF_OTHERS = "rights_of_others"
    ALREADY_ANSWERED = "already_answered"
    DUTY_BY_LAW = "duty_by_law"

    def words(self, language: Language) -> str:
        """Why not, in the words that the person reads."""
        return say(f"allow.rights.ground_{self}", language)


_ALWAYS: Final = frozenset({Ground.IDENTITY_NOT_SHOWN, Ground.NOTHING_HELD, Ground.ALREADY_ANSWERED})
GROUNDS: Final[Mapping[Right, frozenset[Ground]]] = MappingProxyType(
    {
        Right.ACCESS: _ALWAYS | {Ground.RIGHTS_OF_OTHERS},
        Right.PORTABILITY: _ALWAYS | {Ground.RIGHTS_OF_OTHERS},
        Right.RECTIFICATION: _ALWAYS | {Ground.RIGHTS_OF_OTHERS, Ground.LEGAL_HOLD},
        Right.ERASURE: _ALWAYS
        | {Ground.LEGAL_HOLD, Ground.ARCHIVE_DUTY, Ground.LEGAL_CLAIM, Ground.DUTY_BY_LAW},
        Right.RESTRICTION: _ALWAYS | {Ground.LEGAL_CLAIM},
        Right.OBJECTION: _ALWAYS | {Ground.LEGAL_CLAIM, Ground.DUTY_BY_LAW},
        Right.REVOCATION: frozenset({Ground.IDENTITY_NOT_SHOWN, Ground.NOTHING_HELD}),
        Right.COMPLAINT: frozenset({Ground.IDENTITY_NOT_SHOWN}),
    }
)
"""On which grounds each right may be refused. A consent that was given can always be taken back."""


@dataclass(frozen=True)
class RightsRequest:
    """One request and how far it is. Days are days of the place where it was received."""

    right: Right
    received_on: date
    due_on: date
    territory: str
    latest: date | None = None
    """Until when the law lets the answer wait, if it lets it wait."""
    made_effective: tuple[tuple[Length, str], ...] = ()
    state: State = State.RECEIVED
    identity_on: date | None = None
    extended_to: date | None = None
    ground: Ground | None = None
    answered_on: date | None = None
    carry_out_by: date | None = None
    """Until when what was granted must be done; known when it was granted."""
    carried_out_on: date | None = None

    @property
    def answer_by(self) -> date:
        """The day that counts now."""
        return self.extended_to or self.due_on

    def is_overdue(self, day: date) -> bool:
        """Whether the person should have had her answer before that day."""
        return self.state in OPEN and day > self.answer_by

    def is_late_to_carry_out(self, day: date) -> bool:
        """Whether what was granted should have been done before that day."""
        return self.state is State.ANSWERED and day > (self.carry_out_by or self.answer_by)


def receive(found: Deadline) -> RightsRequest:
    """A request as it begins, with the days that its deadline says."""
    return RightsRequest(
        right=found.right,
        received_on=found.received,
        due_on=found.due,
        territory=found.rule.controller.territory,
        latest=found.extended,
        made_effective=found.made_effective,
    )


def confirm_identity(request: RightsRequest, day: date) -> RightsRequest:
    """It is known that the person herself asks, or who may ask for her. The time runs since she asked."""
    return replace(_moved(request, State.IDENTITY_CONFIRMED), identity_on=day)


def begin(request: RightsRequest) -> RightsRequest:
    """An officer works on it."""
    return _moved(request, State.IN_PROGRESS)


def extend(request: RightsRequest, until: date, day: date) -> RightsRequest:
    """The answer may wait until that day. Only once, only before it was due, only as long as the law allows.

    The person must be told of the new day and of the reason before the old day is over.
    """
    moved = _moved(request, State.EXTENDED)
    if request.latest is None:
        raise Refused(_problem("allow.rights.no_extension", request))
    if day > request.due_on:
        raise Refused(_problem("allow.rights.extended_too_late", request))
    if not request.due_on < until <= request.latest:
        facts = {"latest": request.latest.isoformat(), "due": request.due_on.isoformat()}
        raise Refused(_problem("allow.rights.extended_too_long", request, **facts))
    return replace(moved, extended_to=until)


def answer(request: RightsRequest, day: date, calendar: Calendar) -> RightsRequest:
    """The person has her answer, and what she asked for is granted. A late answer is still an answer.

    What was granted is done within the time for the answer, or within the time that the law gives for that.
    """
    moved = _moved(request, State.ANSWERED)
    given = [_due(calendar, day, length, place).on for length, place in request.made_effective]
    by = min(given) if given else max(day, request.answer_by)
    return replace(moved, answered_on=day, carry_out_by=by)


def refuse(request: RightsRequest, ground: Ground, day: date) -> RightsRequest:
    """The person is told no, on a ground that the right allows, and where she can complain."""
    moved = _moved(request, State.REFUSED)
    if ground not in GROUNDS[request.right]:
        raise Refused(_problem("allow.rights.no_ground", request, ground=str(ground)))
    if request.state is State.RECEIVED and ground is not Ground.IDENTITY_NOT_SHOWN:
        raise Refused(_problem("allow.rights.identity_first", request))
    return replace(moved, ground=ground, answered_on=day)


def carry_out(request: RightsRequest, day: date) -> RightsRequest:
    """What was granted is done."""
    return replace(_moved(request, State.CARRIED_OUT), carried_out_on=day)


def _moved(request: RightsRequest, state: State) -> RightsRequest:
    if state not in MAY_FOLLOW[request.state]:
        raise Refused(
            _problem("allow.rights.may_not_follow", request, state=str(request.state), wanted=str(state))
        )
    return replace(request, state=state)


def _problem(code: str, request: RightsRequest, **facts: str) -> Problem:
    return Problem(code, {"right": str(request.right), **facts})


# Who is told, and when


class Level(StrEnum):
    """How pressing a request is."""

    HALF = "half"
    """Half of the time is over."""
    TWO_WORKING_DAYS = "two_working_days"
    """Two working days are left, the last day among them."""
    LAST_DAY = "last_day"
    OVERDUE = "overdue"


class Told(StrEnum):
    """Who is told. The first three are roles of the house."""

    OFFICER = "data_protection_officer"
    SUPERVISOR = "supervisor"
    LEAD = "administrator"
    PERSON = "person"


TELLS: Final[Mapping[Level, tuple[Told, ...]]] = MappingProxyType(
    {
        Level.HALF: (Told.OFFICER,),
        Level.TWO_WORKING_DAYS: (Told.OFFICER, Told.SUPERVISOR),
        Level.LAST_DAY: (Told.OFFICER, Told.SUPERVISOR, Told.LEAD),
        Level.OVERDUE: (Told.OFFICER, Told.SUPERVISOR, Told.LEAD, Told.PERSON),
    }
)
"""When a day was missed the person is told too: that it was missed, and where she can complain."""


@dataclass(frozen=True)
class Escalation:
    """From that day on, somebody more must know of an open request."""

    level: Level
    on: date
    tells: tuple[Told, ...]


def escalations(request: RightsRequest, calendar: Calendar) -> tuple[Escalation, ...]:
    """The days on which an open request becomes more pressing, the first one first.

    Warnings fall on working days at or before their mark; the day after the last one is overdue whatever
    day it is.
    """
    due, start = request.answer_by, request.received_on
    last = calendar.last_working_day(due, request.territory, not_before=start)
    half = start + timedelta(days=(due - start).days // 2)
    marks = {
        Level.HALF: calendar.last_working_day(half, request.territory, not_before=start),
        Level.TWO_WORKING_DAYS: calendar.last_working_day(
            calendar.working_days_before(last, 1, request.territory), request.territory, not_before=start
        ),
        Level.LAST_DAY: last,
        Level.OVERDUE: due + timedelta(days=1),
    }
    found = [Escalation(level, max(on, start), TELLS[level]) for level, on in marks.items()]
    return tuple(sorted(found, key=lambda one: (one.on, list(Level).index(one.level))))


def level_on(request: RightsRequest, day: date, calendar: Calendar) -> Level | None:
    """How pressing a request is on that day; None while there is time, or when it was answered."""
    if request.state not in OPEN:
        return None
    reached = [one.level for one in escalations(request, calendar) if one.on <= day]
    return max(reached, key=list(Level).index, default=None)


# Keeping and erasing


class ErasureAction(StrEnum):
    """What is done with records that are not to be used any more."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    BLOCK = "block"


class Precedence(StrEnum):
    """What decides, the first that holds; a legal duty beats the right of the person."""

    LEGAL_HOLD = "legal_hold"
    ARCHIVE_DUTY = "archive_duty"
    RIGHT_OF_THE_PERSON = "right_of_the_person"
    PURPOSE_END = "purpose_end"
    STRICTEST_NUMBER = "strictest_number"


@dataclass(frozen=True)
class Hold:
    """An order to keep a subject's records; it names an authority and a number, no person."""

    order: str
    since: date
    until: date | None = None
    lifted_on: date | None = None

    def is_active(self, day: date) -> bool:
        """Whether the records must be kept on that day."""
        ended = self.lifted_on is not None and self.lifted_on <= day
        return self.since <= day and not ended and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Erasure:
    """What to do with a subject's records, because of what, and until when they stay blocked."""

    action: ErasureAction
    because: Precedence
    jurisdiction: str | None = None
    order: str | None = None
    until: date | None = None
    """For a block: its last day; None when only the order's end or an officer can say it."""
    then: ErasureAction | None = None
    """What follows a block."""

    def words(self, rulebook: Rulebook, language: Language) -> str:
        """What is done and why, for the person and the officer."""
        place = rulebook.name(self.jurisdiction, language) if self.jurisdiction else ""
        dated = "_until" if self.because is Precedence.LEGAL_HOLD and self.until else ""
        return say(
            f"allow.rights.{self.action}_{self.because}{dated}",
            language,
            place=place,
            order=self.order or "",
            until=in_words(self.until, language) if self.until else "",
        )


def what_to_do_on_erasure(
    controllers: Sequence[Controller | tuple[ControllerType, str]],
    rulebook: Rulebook,
    *,
    day: date,
    asked: bool,
    purposes_end: date,
    oldest: date,
    holds: Iterable[Hold] = (),
) -> Erasure | None:
    """What to do with a subject's records on that day; None when they are simply kept.

    `asked` says that the person wants them erased; `purposes_end` is the last day of the last purpose that
    still uses them, `oldest` the day of the oldest record. A hold or an archive's duty blocks instead of
    deleting. Where the law wants records blocked before they are deleted, they are, as long as the rulebook
    says, and where it does not say, until the strictest common cap at the latest.
    """
    caps = _of(rulebook.strictest.hold_cap)
    cap = rulebook.calendar.due(oldest, *caps, "").on
    if not (asked or day > purposes_end or day > cap):
        return None
    active = [hold for hold in holds if hold.is_active(day)]
    if active:
        last = max(active, key=lambda hold: hold.until or date.max)
        return Erasure(
            ErasureAction.BLOCK,
            Precedence.LEGAL_HOLD,
            order=last.order,
            until=last.until,
            then=ErasureAction.DELETE,
        )
    binding = _binding(controllers, rulebook)
    for law in binding:
        if law.retention.action_at_end == "archive":
            return Erasure(ErasureAction.BLOCK, Precedence.ARCHIVE_DUTY, law.id)
    if asked:
        because = Precedence.RIGHT_OF_THE_PERSON
    else:
        because = Precedence.PURPOSE_END if day > purposes_end else Precedence.STRICTEST_NUMBER
    for law in binding:
        if law.retention.action_at_end == "block_then_delete" and day <= cap:
            until = min(cap, _blocked_until(law, min(day, purposes_end), rulebook) or cap)
            if day <= until:
                block = ErasureAction.BLOCK
                return Erasure(block, because, law.id, until=until, then=ErasureAction.DELETE)
    if not asked and binding and all(law.retention.action_at_end == "anonymise" for law in binding):
        return Erasure(ErasureAction.ANONYMISE, because, binding[0].id)
    return Erasure(ErasureAction.DELETE, because)


def _binding(
    controllers: Sequence[Controller | tuple[ControllerType, str]], rulebook: Rulebook
) -> tuple[Jurisdiction, ...]:
    """The laws that bind these controllers."""
    found: dict[str, Jurisdiction] = {}
    for kind, territory in controllers:
        law = rulebook.of_controller(kind, territory)
        if law is not None and law.standing(kind) is None:
            found[law.id] = law
    return tuple(found.values())


def _blocked_until(law: Jurisdiction, since: date, rulebook: Rulebook) -> date | None:
    """The last day of the time for which the law wants records blocked, where somebody entered it."""
    blocking = law.retention.blocking
    if blocking is None or not blocking.counts or blocking.length is None:
        return None
    return _due(rulebook.calendar, since, blocking.length, law.territory or "").on


@dataclass(frozen=True)
class Keeping:
    """Until when a record may be kept and shared, and what says so."""

    keep_until: date
    share_until: date
    because: Precedence
    is_blocked: bool = False
    """The time is over, and an order keeps the record: nobody uses it until the order ends."""


def last_day_to_keep(
    recorded_on: date,
    purposes: Iterable[Purpose],
    rulebook: Rulebook,
    *,
    day: date,
    holds: Iterable[Hold] = (),
) -> Keeping:
    """The last day of a record: when its last purpose ends, never later than the strictest common cap.

    It is shared for 7 years and held for 10 at most. An order to keep it that is active on `day` wins over
    all of that, and blocks the record from the day on which it would have gone.
    """
    share_cap = rulebook.calendar.due(recorded_on, *_of(rulebook.strictest.share_cap), "").on
    hold_cap = rulebook.calendar.due(recorded_on, *_of(rulebook.strictest.hold_cap), "").on
    ends = max((last_day(purpose, recorded_on) for purpose in purposes), default=recorded_on)
    keep_until = min(ends, hold_cap)
    share_until = min(keep_until, share_cap)
    because = Precedence.PURPOSE_END if ends <= hold_cap else Precedence.STRICTEST_NUMBER
    active = [hold.until or date.max for hold in holds if hold.is_active(day)]
    if active and max(active) > keep_until:
        return Keeping(max(active), share_until, Precedence.LEGAL_HOLD, day > keep_until)
    return Keeping(keep_until, share_until, because)


def last_day_to_keep_evidence(given_on: date, rulebook: Rulebook) -> date:
    """The last day on which the proof of a consent, a notice or a refusal must still be there."""
    return rulebook.calendar.due(given_on, *_of(rulebook.strictest.evidence), "").on


def _of(length: Length) -> tuple[int, Unit]:
    return length.value, length.unit
