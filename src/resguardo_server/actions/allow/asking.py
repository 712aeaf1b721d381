"""A person asks for one of her rights: it gets a number and a day by which she has an answer.

Nobody decides whether she may ask. What she wrote is sealed under her key, as the answer will be; what the
journal keeps is that something was asked, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from resguardo.allow.decision import HERSELF, POLICY
from resguardo.allow.rights import OPEN, Deadline, Right, State, deadline
from resguardo.keep.journal import Act, Outcome
from resguardo.plan.purposes import OFFICER, RIGHTS
from resguardo.values import Basis, Institution, Language, Problem, Refused, Sensitivity
from resguardo_keyholder.asked import ToSeal
from resguardo_server import models
from resguardo_server.actions.allow.opening import journal_for, wrapped_key
from resguardo_server.actions.allow.rules import controllers_of, local, rulebook_now
from resguardo_server.actions.keep.records import new_id, write_line
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import programme_named
from resguardo_server.keyholders import keyholder

MOST_LETTERS: Final = 4000
"""The longest that a person's own words may be."""

MOST_OPEN: Final = 5
"""Questions and complaints of one person that may wait for an answer at once; of every other right, one."""

WORDS, ANSWER = 1, 2
"""As which version a request's two texts are sealed: what was asked, and what was answered."""


@dataclass(frozen=True)
class Asked:
    """What was asked for, under which number, and by when it is answered."""

    id: UUID
    number: int
    right: Right
    deadline: Deadline


def deadline_for(institution: Institution, right: Right, *, now: datetime) -> Deadline:
    """The day by which the institution answers who asks for that right now."""
    return deadline(right, controllers_of(institution), local(now, institution.country), rulebook_now())


def ask_right(
    who: Asker,
    subject: UUID,
    right: Right,
    language: Language,
    *,
    channel: str,
    words: str = "",
    purpose: str = "",
    receipt: UUID | None = None,
    now: datetime,
) -> Asked:
    """The request is on file, with its number, its day and a line in the journal.

    `channel` is ``receipt`` (she asks with her code), ``in_person`` or ``letter`` (an officer writes it).
    The same right is not asked for twice while it waits for an answer.
    """
    row = models.Subject.objects.filter(id=subject, institution_id=who.institution.id).first()
    if row is None or row.erased_on is not None:
        raise Refused(Problem("server.mine.nothing_kept"))
    programme = programme_named(row.programme)
    told = words.strip()
    if len(told) > MOST_LETTERS:
        raise Refused(Problem("server.mine.too_long", {"most": str(MOST_LETTERS)}))
    if purpose and purpose not in {known.name for known in programme.purposes}:
        raise Refused(Problem("server.mine.which_purpose"))
    found = deadline_for(who.institution, right, now=now)
    with transaction.atomic():
        journal = journal_for(who, programme)
        held = models.Subject.objects.select_for_update().get(id=subject)
        _refuse_twice(held, right, purpose)
        last = models.RightsRequest.objects.filter(institution_id=who.institution.id).aggregate(
            last=Max("number")
        )
        asked = new_id()
        request = models.RightsRequest.objects.create(
            id=asked,
            institution_id=who.institution.id,
            number=(last["last"] or 0) + 1,
            subject=held,
            receipt_id=receipt,
            right=str(right),
            purpose=purpose,
            channel=channel,
            language=language,
            received_at=now,
            due_on=found.due,
            rule=found.as_mapping(),
            # With her receipt's code and the answer she showed who she is; an officer still has to see to it.
            state=str(State.IDENTITY_CONFIRMED if channel == "receipt" else State.RECEIVED),
            words=seal_text(held, asked, told, version=WORDS) if told else b"",
        )
        write_line(
            journal,
            held,
            keyholder().marks(held.institution_id, [wrapped_key(held.id)])[0],
            act=Act.RECEIVE,
            who=keyholder().pseudonym(held.institution_id, who.name),
            role=_role(who),
            purpose=RIGHTS if RIGHTS in journal.vocabulary.purposes else None,
            basis=Basis.LEGAL_OBLIGATION,
            consent=None,
            fields=(),
            record=asked,
            content=None,
            policy=POLICY,
            request=new_id(),
            outcome=Outcome.ALLOW,
            now=now,
        )
        held.save(update_fields=["entries", "last_entry"])
        journal.sign(now)
    return Asked(asked, request.number, right, found)


def _refuse_twice(subject: models.Subject, right: Right, purpose: str) -> None:
    waiting = subject.rights_requests.filter(right=str(right), state__in=[str(state) for state in OPEN])
    if right is Right.COMPLAINT:
        if waiting.count() >= MOST_OPEN:
            raise Refused(Problem("server.mine.too_many", {"most": str(MOST_OPEN)}))
        return
    first = waiting.filter(purpose=purpose).first()
    if first is not None:
        raise Refused(Problem("server.mine.asked_before", {"number": str(first.number)}))


def _role(who: Asker) -> str:
    return next((role for role in (HERSELF, OFFICER) if role in who.roles), min(who.roles))


def seal_text(subject: models.Subject, place: UUID, text: str, *, version: int = WORDS) -> bytes:
    """A text about a person, sealed under her key in the row `place`: it ends with her."""
    key = wrapped_key(subject.id)
    sealed = keyholder().seal(
        subject.institution_id,
        [
            ToSeal(
                subject=subject.id,
                compartment=key.compartment,
                key_version=key.key_version,
                wrapped=key.octets,
                kind=subject.kind,
                record=place,
                row_version=version,
                texts={Sensitivity.SENSITIVE.group: text.encode()},
            )
        ],
    )
    return sealed[0].groups[Sensitivity.SENSITIVE.group]


@dataclass(frozen=True)
class OwnRequest:
    """A request as the person who made it sees it, before anything is opened."""

    id: UUID
    number: int
    right: Right
    purpose: str
    received_on: date
    answer_by: date
    state: State
    ground: str
    answered_on: date | None
    has_words: bool
    has_answer: bool
    is_open: bool
    is_late: bool


def requests_of(subject: UUID, country: str, *, now: datetime) -> list[OwnRequest]:
    """What the person asked for, the newest first; days are those of the place."""
    today = local(now, country).date()
    return [
        OwnRequest(
            id=row.id,
            number=row.number,
            right=Right(row.right),
            purpose=row.purpose,
            received_on=local(row.received_at, country).date(),
            answer_by=row.extended_to or row.due_on,
            state=State(row.state),
            ground=row.ground,
            answered_on=local(row.answered_at, country).date() if row.answered_at else None,
            has_words=bool(row.words),
            has_answer=bool(row.answer),
            is_open=State(row.state) in OPEN,
            is_late=State(row.state) in OPEN and today > (row.extended_to or row.due_on),
        )
        for row in models.RightsRequest.objects.filter(subject_id=subject).order_by("-number")
    ]
