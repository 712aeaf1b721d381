"""A breach is written down when it is known, its size counted in the journal, and whoever must be is told."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from resguardo.allow.breach import (
    Advice,
    BreachKind,
    BreachState,
    Danger,
    Measure,
    Notice,
    PersonMessage,
    Recipient,
    Size,
    move,
    notices,
    size,
)
from resguardo.allow.rights import controller_type
from resguardo.allow.rulebook import Length, Threshold, ValueStatus
from resguardo.values import Language, Problem, Refused
from resguardo_server import models
from resguardo_server.actions.allow.rules import (
    controllers_of,
    local,
    refuse_unless_officer,
    rulebook_now,
)
from resguardo_server.actions.members import Asker
from resguardo_server.keyholders import keyholder

LANGUAGES: Final[tuple[Language, ...]] = ("es", "en", "fr", "ht")
MOST_NOTE: Final = 2000


def staff_pseudonyms(who: Asker) -> dict[str, models.Member]:
    """The names under which the institution's members stand in its journal: the officer may resolve them."""
    refuse_unless_officer(who)
    members = models.Member.objects.filter(memberships__institution_id=who.institution.id).distinct()
    return {keyholder().pseudonym(who.institution.id, member.email): member for member in members}


def leaves_of(institution: UUID) -> Iterator[bytes]:
    """The entries of the institution's journal, in one query."""
    stored = models.JournalEntry.objects.filter(institution_id=institution).order_by("position")
    return map(bytes, stored.values_list("leaf", flat=True).iterator(chunk_size=5000))


def count_size(who: Asker, *, since: datetime, until: datetime | None, member: str) -> Size:
    """Whose keys were released between the two moments: to that member, or to anybody when none is named."""
    refuse_unless_officer(who)
    pseudonyms = {keyholder().pseudonym(who.institution.id, member)} if member else None
    return size(leaves_of(who.institution.id), since=since, until=until, who=pseudonyms)


# Writing it down


def register_breach(
    who: Asker,
    kind: str,
    *,
    since: datetime,
    until: datetime | None,
    member: str = "",
    note: str = "",
    also: Collection[UUID] = (),
    now: datetime,
) -> models.Breach:
    """The breach is known from now on: the clock of every notice begins, and its people are counted.

    `member` is the address of the one whose openings are counted; stored is the pseudonym alone. `also` are
    other institutions whose records are concerned: then several laws count, and the strictest of them.
    """
    refuse_unless_officer(who)
    problems = []
    if kind not in tuple(BreachKind):
        problems.append(Problem("server.protection.breach_kind"))
    if since > now:
        problems.append(Problem("server.protection.breach_later"))
    if until is not None and until < since:
        problems.append(Problem("server.protection.breach_backwards"))
    if len(note) > MOST_NOTE:
        problems.append(Problem("server.protection.words_too_long", {"most": str(MOST_NOTE)}))
    known = {one.email: name for name, one in staff_pseudonyms(who).items()}
    if member and member not in known:
        problems.append(Problem("server.protection.breach_member"))
    if problems:
        raise Refused(*problems)
    found = count_size(who, since=since, until=until, member=member)
    at = local(now, who.institution.country)
    concerned = list(controllers_of(who.institution))
    for row in models.Institution.objects.filter(id__in=list(also)).order_by("slug"):
        concerned += controllers_of(row.as_value())
    clock = notices(at, concerned, rulebook_now())
    with transaction.atomic():
        breach = models.Breach.objects.create(
            institution_id=who.institution.id,
            known_at=now,
            since=since,
            until=until,
            what=kind,
            note=note.strip(),
            who=known.get(member, ""),
            people=found.people,
            recorded_by=models.Member.objects.get(email=who.name),
        )
        models.BreachNotice.objects.bulk_create(
            models.BreachNotice(
                breach=breach,
                recipient=one.recipient,
                jurisdiction=one.jurisdiction,
                due_at=one.due_at,
                rule=one.as_mapping(),
            )
            for one in clock.notices
        )
    return breach


# What there is


@dataclass(frozen=True)
class ToTell:
    """One whom the law wants told."""

    id: int
    notice: Notice
    words: str
    told_at: datetime | None
    is_needed: bool
    is_late: bool


@dataclass(frozen=True)
class KnownBreach:
    """A breach as the desk shows it."""

    row: models.Breach
    kind: BreachKind
    state: BreachState
    danger: Danger | None
    size: Size
    """Counted again now, from the journal."""
    member: str
    """Whose openings were counted, by name; empty for anybody's."""
    to_tell: tuple[ToTell, ...]

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state is not BreachState.CLOSED


def breaches(who: Asker) -> list[models.Breach]:
    """The institution's breaches, those that are open first, then the newest."""
    refuse_unless_officer(who)
    rows = models.Breach.objects.filter(institution_id=who.institution.id).prefetch_related("notices")
    return sorted(rows.order_by("-known_at"), key=lambda row: row.state == BreachState.CLOSED)


def breach_of(who: Asker, breach: UUID, language: Language, *, now: datetime) -> KnownBreach:
    """One breach, counted again, with whom to tell until when."""
    row = _row(who, breach)
    danger = Danger(row.danger) if row.danger else None
    rulebook = rulebook_now()
    to_tell = []
    for one in row.notices.order_by("due_at", "pk"):
        notice = _notice(one, who)
        needed = notice.is_needed(danger)
        late = needed and one.told_at is None and now > one.due_at
        to_tell.append(ToTell(one.pk, notice, notice.words(rulebook, language), one.told_at, needed, late))
    names = staff_pseudonyms(who)
    return KnownBreach(
        row,
        BreachKind(row.what),
        BreachState(row.state),
        danger,
        size(
            leaves_of(who.institution.id),
            since=row.since,
            until=row.until,
            who={row.who} if row.who else None,
        ),
        str(names[row.who]) if row.who in names else row.who,
        tuple(to_tell),
    )


def _row(who: Asker, breach: UUID) -> models.Breach:
    refuse_unless_officer(who)
    row = models.Breach.objects.filter(id=breach, institution_id=who.institution.id).first()
    if row is None:
        raise Refused(Problem("server.protection.unknown_breach"))
    return row


def _notice(row: models.BreachNotice, who: Asker) -> Notice:
    """The notice as the rule stood when the breach was written down, on the clock of the place."""
    rule = row.rule
    from resguardo.allow.calendar import Unit

    return Notice(
        recipient=Recipient(row.recipient),
        jurisdiction=row.jurisdiction,
        territory=rule["territory"],
        addressee=rule["addressee"],
        due_at=local(row.due_at, who.institution.country),
        threshold=Threshold(rule["threshold"]),
        length=Length(rule["value"], Unit(rule["unit"])),
        at_once=rule["at_once"],
        rule=rule["rule"],
        status=None if rule["status"] is None else ValueStatus(rule["status"]),
        article=rule["article"],
        is_signed=rule["is_signed"],
        way=tuple((place, ValueStatus(status)) for place, status in rule["way"]),
    )


# What follows


def assess(who: Asker, breach: UUID, danger: str, *, now: datetime) -> None:
    """How much it can hurt the people concerned; may be said again when more is known."""
    row = _row(who, breach)
    if danger not in tuple(Danger):
        raise Refused(Problem("server.protection.danger"))
    if row.state == BreachState.CLOSED:
        move(BreachState.CLOSED, BreachState.ASSESSED, danger=None)
    row.danger = danger
    if row.state == BreachState.KNOWN:
        row.state = move(BreachState.KNOWN, BreachState.ASSESSED, danger=Danger(danger))
    row.save(update_fields=["danger", "state"])


def mark_told(who: Asker, breach: UUID, notice: int, *, now: datetime) -> None:
    """One whom the law wants told was told now."""
    row = _row(who, breach)
    with transaction.atomic():
        found = row.notices.select_for_update().filter(pk=notice, told_at=None).first()
        if found is None:
            raise Refused(Problem("server.protection.unknown_notice"))
        found.told_at = now
        found.save(update_fields=["told_at"])
        to = BreachState.PERSONS_TOLD if found.recipient == Recipient.PERSON else BreachState.AUTHORITY_TOLD
        state = BreachState(row.state)
        if state is not to and state is not BreachState.CLOSED:
            row.state = move(state, to, danger=None)
            row.save(update_fields=["state"])


def close_breach(who: Asker, breach: UUID, *, now: datetime) -> None:
    """Nothing more is to be done; refused while it was not assessed or somebody must still be told."""
    row = _row(who, breach)
    danger = Danger(row.danger) if row.danger else None
    untold = [_notice(one, who) for one in row.notices.filter(told_at=None)]
    row.state = move(BreachState(row.state), BreachState.CLOSED, danger=danger, untold=untold)
    row.closed_at = now
    row.people = count_people(who, row)
    row.save(update_fields=["state", "closed_at", "people"])


def count_people(who: Asker, row: models.Breach) -> int:
    """How many people's keys were released in the time of the breach."""
    found = size(
        leaves_of(who.institution.id),
        since=row.since,
        until=row.until,
        who={row.who} if row.who else None,
    )
    return found.people


def messages_to_people(
    who: Asker, breach: KnownBreach, measures: Collection[Measure] = (), advice: Collection[Advice] = ()
) -> dict[str, str]:
    """What each person concerned is told, in four languages: to be read aloud, printed or shown."""
    refuse_unless_officer(who)
    institution = models.Institution.objects.get(id=who.institution.id)
    law = rulebook_now().of_controller(controller_type(who.institution.kind), who.institution.country)
    authorities = (law.authority.name,) if law is not None and law.authority.can_be_told else ()
    country = who.institution.country
    message = PersonMessage(
        kind=breach.kind,
        groups=breach.size.groups,
        since=local(breach.row.since, country).date(),
        until=local(breach.row.until or breach.row.known_at, country).date(),
        institution=institution.name,
        contact=institution.contact or institution.address or institution.name,
        measures=tuple(one for one in Measure if one in measures),
        advice=tuple(advice) or (Advice.SAY_DANGER, Advice.DISTRUST_CALLS, Advice.SEE_WHO),
        authorities=authorities,
    )
    return {language: message.text(language) for language in LANGUAGES}
