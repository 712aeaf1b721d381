"""What people ask about their records, as the data protection officer answers it, within the law's time.

A request goes from one state to the next by `resguardo.allow.rights`; what it asks for is carried out by the
same actions that anybody else uses. Her words and the answer are sealed under her key and end with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from resguardo.allow.decision import POLICY, Action, Denial
from resguardo.allow.rights import (
    GROUNDS,
    OPEN,
    Controller,
    Deadline,
    Erasure,
    ErasureAction,
    Ground,
    Hold,
    Level,
    Precedence,
    Right,
    RightsRequest,
    State,
    answer,
    begin,
    carry_out,
    confirm_identity,
    deadline,
    extend,
    level_on,
    read_deadline,
    receive,
    refuse,
    what_to_do_on_erasure,
)
from resguardo.allow.rulebook import ControllerType, Rulebook
from resguardo.keep.journal import Act, Outcome
from resguardo.plan.languages import in_language, say
from resguardo.plan.purposes import OFFICER, RIGHTS
from resguardo.values import Basis, Institution, Language, Problem, Refused
from resguardo_keyholder.asked import WantedToken
from resguardo_server import models
from resguardo_server.actions.allow.asking import ANSWER, WORDS, ask_right, seal_text
from resguardo_server.actions.allow.consenting import withdraw_consent
from resguardo_server.actions.allow.deciding import decide_change, subject_of
from resguardo_server.actions.allow.erasing import (
    erase_subject,
    levels_of,
    restrict_subject,
    said,
    subject_line,
)
from resguardo_server.actions.allow.opening import (
    NotAllowed,
    SealedText,
    journal_for,
    open_texts,
    wrapped_key,
)
from resguardo_server.actions.allow.rules import (
    controllers_of,
    local,
    refuse_unless_officer,
    rulebook_now,
)
from resguardo_server.actions.keep.journal import JournalWriter
from resguardo_server.actions.keep.records import new_id, write_line
from resguardo_server.actions.members import Asker
from resguardo_server.actions.plan import all_programmes, form_named, programme_named
from resguardo_server.keyholders import keyholder

MOST_WORDS: Final = 4000
"""Characters that an answer may have."""
OPEN_STATES: Final = tuple(str(state) for state in OPEN)
RIGHT_NEAR, RIGHT_OVERDUE = "right_near", "right_overdue"
"""The kinds of alarm."""


# What there is


@dataclass(frozen=True)
class Case:
    """One request, how far it is, and how pressing."""

    row: models.RightsRequest
    request: RightsRequest
    deadline: Deadline
    level: Level | None
    day: date
    """Today, where the institution is."""

    @property
    def days_left(self) -> int:
        """Days until the answer is due; negative when it is late."""
        return (self.request.answer_by - self.day).days

    @property
    def is_open(self) -> bool:
        """Whether the person still waits for her answer."""
        return self.request.state in OPEN

    @property
    def is_erased(self) -> bool:
        """Whether nothing is left of the person's records."""
        return self.row.subject.erased_on is not None


def cases(who: Asker, *, now: datetime, only_open: bool = False) -> list[Case]:
    """The institution's requests: those that wait first, the most pressing before all others."""
    refuse_unless_officer(who)
    rows = models.RightsRequest.objects.filter(institution_id=who.institution.id).select_related("subject")
    if only_open:
        rows = rows.filter(state__in=[*OPEN_STATES, str(State.ANSWERED)])
    found = [_case(row, who.institution, now) for row in rows]
    return sorted(found, key=_pressing)


def _pressing(one: Case) -> tuple[int, date, int]:
    to_do = 0 if one.is_open or one.request.state is State.ANSWERED else 1
    day = one.request.answer_by if one.is_open else one.request.carry_out_by or one.request.answer_by
    return (to_do, day, one.row.number) if not to_do else (to_do, date.max, -one.row.number)


def case_of(who: Asker, request: UUID, *, now: datetime) -> Case:
    """One request of the institution; refuses any other without saying whether there is one."""
    refuse_unless_officer(who)
    return _case(_row(who, request), who.institution, now)


def _row(who: Asker, request: UUID) -> models.RightsRequest:
    rows = models.RightsRequest.objects.select_related("subject").filter(institution_id=who.institution.id)
    row = rows.filter(id=request).first()
    if row is None:
        raise Refused(Problem("server.protection.unknown_request"))
    return row


def _case(row: models.RightsRequest, institution: Institution, now: datetime) -> Case:
    found = read_deadline(row.rule)
    request = replace(
        receive(found),
        due_on=row.due_on,
        state=State(row.state),
        extended_to=row.extended_to,
        ground=Ground(row.ground) if row.ground else None,
        answered_on=local(row.answered_at, institution.country).date() if row.answered_at else None,
        carry_out_by=row.carry_out_by,
    )
    day = local(now, institution.country).date()
    return Case(row, request, found, level_on(request, day, rulebook_now().calendar), day)


def because(case: Case, language: Language) -> str:
    """Why that day, in words: whose rule, how long, which holidays, what is to be confirmed."""
    return case.deadline.because(rulebook_now(), language)


# Coming in


def find_subjects(who: Asker, programme: str, code: str) -> list[UUID]:
    """The person whom a programme keeps under that code; nothing is opened, and a wrong code finds nobody."""
    refuse_unless_officer(who)
    known = programme_named(programme)
    wanted = [
        WantedToken("subject_code", (known.name, about, code.strip()))
        for about in sorted({form.about for form in known.forms})
    ]
    tokens = [one.token for found in keyholder().tokens(who.institution.id, wanted) for one in found]
    rows = models.BlindIndex.objects.filter(institution_id=who.institution.id, token__in=tokens)
    return list(dict.fromkeys(rows.filter(subject__erased_on=None).values_list("subject_id", flat=True)))


def programmes_with_records(who: Asker) -> list[tuple[str, dict[str, str]]]:
    """The programmes of which the institution keeps records, with their titles."""
    names = set(
        models.Subject.objects.filter(institution_id=who.institution.id, erased_on=None)
        .values_list("programme", flat=True)
        .distinct()
    )
    return [(one.name, dict(one.title)) for one in all_programmes() if one.name in names]


def title_of(programme: str) -> dict[str, str]:
    """What a programme is called, in each language."""
    return dict(programme_named(programme).title)


def purposes_in(programme: str, language: Language) -> list[tuple[str, str]]:
    """The purposes of a programme, with their titles."""
    return [(one.name, in_language(one.title, language)) for one in programme_named(programme).purposes]


def purposes_of(subject: models.Subject) -> list[tuple[str, dict[str, str]]]:
    """The purposes of the subject's programme, with their titles."""
    return [(one.name, dict(one.title)) for one in programme_named(subject.programme).purposes]


def enter_request(
    who: Asker,
    subject: UUID,
    right: Right,
    *,
    channel: str,
    words: str = "",
    purpose: str = "",
    language: Language = "es",
    received: datetime | None = None,
    now: datetime,
) -> models.RightsRequest:
    """A request that came in person or by letter; the law's time runs from the day on which it came."""
    refuse_unless_officer(who)
    found = subject_of(who, subject)
    if found is None or found.erased_on is not None:
        raise Refused(Problem("server.protection.unknown_person"))
    problems = []
    if channel not in ("in_person", "letter"):
        problems.append(Problem("server.protection.channel"))
    if right in (Right.OBJECTION, Right.REVOCATION) and purpose not in dict(purposes_of(found)):
        problems.append(Problem("server.protection.which_purpose"))
    if received is not None and received > now:
        problems.append(Problem("server.protection.later_than_now"))
    if problems:
        raise Refused(*problems)
    asked = ask_right(who, subject, right, language, channel=channel, words=words, purpose=purpose, now=now)
    row = _row(who, asked.id)
    if received is not None:
        came = local(received, who.institution.country)
        term = deadline(right, controllers_of(who.institution), came, rulebook_now())
        row.received_at, row.due_on, row.rule = came, term.due, term.as_mapping()
        row.save(update_fields=["received_at", "due_on", "rule"])
    return row


# Step by step


def confirm(who: Asker, request: UUID, *, now: datetime) -> None:
    """The officer saw who asks; from here on something may be shown or changed."""
    _step(who, request, lambda one, day: confirm_identity(one, day), now=now)


def start(who: Asker, request: UUID, *, now: datetime) -> None:
    """The officer works on it."""
    _step(who, request, lambda one, day: begin(one), now=now)


def wait_longer(who: Asker, request: UUID, until: date, *, now: datetime) -> None:
    """The answer may wait until that day, where the law lets it; she must be told before the old one."""
    _step(who, request, lambda one, day: extend(_at_work(one), until, day), now=now)


def grant(who: Asker, request: UUID, text: str, *, now: datetime) -> None:
    """She has her answer, sealed under her key, and what she asked for is to be done."""
    calendar = rulebook_now().calendar
    _step(who, request, lambda one, day: answer(one, day, calendar), text=text, now=now)


def deny(who: Asker, request: UUID, ground: str, text: str, *, now: datetime) -> None:
    """She is told no, on a ground of the closed list for her right, and where she can complain."""
    if ground not in tuple(Ground):
        raise Refused(Problem("server.protection.which_ground"))
    _step(who, request, lambda one, day: refuse(one, Ground(ground), day), text=text, now=now)


def grounds_for(case: Case, language: Language) -> list[tuple[str, str]]:
    """On which grounds this request may be refused now, each in the words that she would read."""
    allowed = GROUNDS[case.request.right]
    if case.request.state is State.RECEIVED:
        allowed = allowed & {Ground.IDENTITY_NOT_SHOWN}
    return [(str(ground), ground.words(language)) for ground in Ground if ground in allowed]


def _at_work(request: RightsRequest) -> RightsRequest:
    """Asking for more time begins the work, where nobody has said so yet."""
    return begin(request) if request.state is State.IDENTITY_CONFIRMED else request


def _step(
    who: Asker,
    request: UUID,
    move: Callable[[RightsRequest, date], RightsRequest],
    *,
    text: str | None = None,
    now: datetime,
) -> None:
    """The request goes one step on, with its line in the journal while the person's key lives."""
    refuse_unless_officer(who)
    if text is not None and not text.strip():
        raise Refused(Problem("server.protection.no_answer"))
    if text is not None and len(text) > MOST_WORDS:
        raise Refused(Problem("server.protection.words_too_long", {"most": str(MOST_WORDS)}))
    found = _row(who, request)
    sealed = b""
    if text and found.subject.erased_on is None:
        sealed = seal_text(found.subject, found.id, text.strip(), version=ANSWER)
    with transaction.atomic():
        journal = journal_for(who, programme_named(found.subject.programme))
        row = models.RightsRequest.objects.select_for_update().get(id=found.id)
        subject = models.Subject.objects.select_for_update().get(id=row.subject_id)
        case = _case(row, who.institution, now)
        moved = move(case.request, case.day)
        row.state = moved.state
        row.extended_to, row.carry_out_by = moved.extended_to, moved.carry_out_by
        row.ground = moved.ground or ""
        if moved.state in (State.ANSWERED, State.REFUSED):
            row.answered_at, row.answer = now, sealed if subject.erased_on is None else b""
        if moved.state is State.CARRIED_OUT:
            row.carried_out_at = now
        row.save()
        write_officer_line(who, journal, subject, row.id, Act.UPDATE, now=now)
        journal.sign(now)


def write_officer_line(
    who: Asker, journal: JournalWriter, subject: models.Subject, about: UUID, act: Act, *, now: datetime
) -> None:
    """One line about the subject in the officer's name, under the law that obliges her; none once erased."""
    key = models.SubjectKey.objects.filter(subject=subject).exists()
    if not key:
        return
    write_line(
        journal,
        subject,
        keyholder().marks(subject.institution_id, [wrapped_key(subject.id)])[0],
        act=act,
        who=keyholder().pseudonym(who.institution.id, who.name),
        role=OFFICER,
        purpose=RIGHTS if RIGHTS in journal.vocabulary.purposes else None,
        basis=Basis.LEGAL_OBLIGATION,
        consent=None,
        fields=(),
        record=about,
        content=None,
        policy=POLICY,
        request=new_id(),
        outcome=Outcome.ALLOW,
        now=now,
    )
    subject.save(update_fields=["entries", "last_entry"])


# Words


@dataclass(frozen=True)
class CaseWords:
    """What she asked, and what she was answered."""

    asked: str
    answered: str


def words_of(who: Asker, request: UUID, *, now: datetime) -> CaseWords:
    """Her words and the answer, opened for the purpose `rights`; the opening is in the journal."""
    refuse_unless_officer(who)
    row = _row(who, request)
    texts = [
        SealedText(row.id, bytes(octets), version)
        for octets, version in ((row.words, WORDS), (row.answer, ANSWER))
        if octets
    ]
    if not texts:
        return CaseWords("", "")
    opened = open_texts(who, row.subject_id, RIGHTS, texts, now=now)
    found = {text.version: said for text, said in zip(texts, opened, strict=True)}
    return CaseWords(found.get(WORDS, ""), found.get(ANSWER, ""))


# Carrying out


def erasure_planned(subject: models.Subject, institution: Institution, *, now: datetime) -> Erasure:
    """What her wish to be erased leads to today: deleting, or blocking where an order or the law says so."""
    day = local(now, institution.country).date()
    records = list(subject.records.order_by("received_on"))
    found = what_to_do_on_erasure(
        controllers_of(institution),
        rulebook_now(),
        day=day,
        asked=True,
        purposes_end=max((row.keep_until for row in records), default=day),
        oldest=local(records[0].received_on, institution.country).date() if records else day,
        holds=holds_on(subject),
    )
    return found or Erasure(ErasureAction.DELETE, Precedence.RIGHT_OF_THE_PERSON)


def holds_on(subject: models.Subject) -> list[Hold]:
    """The orders that hold the subject's records."""
    rows = models.LegalHold.objects.filter(subject=subject)
    return [Hold(row.order, row.since, row.until, row.lifted_on) for row in rows]


def carry_out_request(who: Asker, request: UUID, *, now: datetime) -> str:
    """What was granted is done; gives, in one word, what that was.

    ``deleted``, ``blocked``, ``restricted``, ``objected``, ``revoked`` or ``noted``. A copy is made and a
    correction entered on pages of their own: here they are noted as done.
    """
    case = case_of(who, request, now=now)
    carry_out(case.request, case.day)  # refuses before anything is done
    done = _do(who, case, now)
    _step(who, request, lambda one, day: carry_out(one, day), now=now)
    return done


def _do(who: Asker, case: Case, now: datetime) -> str:
    subject = case.row.subject
    right = case.request.right
    if case.is_erased:
        return "deleted"
    if right is Right.ERASURE:
        plan = erasure_planned(subject, who.institution, now=now)
        if plan.action is ErasureAction.DELETE:
            erase_subject(who, subject.id, now=now)
            return "deleted"
        _restrict(who, subject, now)
        if plan.then is ErasureAction.DELETE and plan.until is not None:
            subject.records.filter(keep_until__gt=plan.until).update(keep_until=plan.until)
        return "blocked"
    if right is Right.RESTRICTION:
        _restrict(who, subject, now)
        return "restricted"
    if right is Right.OBJECTION:
        object_to(who, subject, case.row.purpose, now=now)
        return "objected"
    if right is Right.REVOCATION:
        oldest = subject.records.order_by("received_on").first()
        given = models.ConsentGiven.objects.filter(
            subject=subject, purpose=case.row.purpose, given=True, withdrawn_on=None
        )
        if oldest is not None and given.exists():
            withdraw_consent(who, oldest.id, case.row.purpose, now=now)
        return "revoked"
    return "noted"


def _restrict(who: Asker, subject: models.Subject, now: datetime) -> None:
    if not subject.restricted and subject.records.exists():
        restrict_subject(who, subject, restricted=True, now=now)


def object_to(who: Asker, subject: models.Subject, purpose: str, *, now: datetime) -> None:
    """From now on nobody uses her records for that purpose, unless a law obliges or a life is in danger."""
    programme = programme_named(subject.programme)
    if purpose not in {known.name for known in programme.purposes}:
        raise Refused(Problem("server.protection.which_purpose"))
    with transaction.atomic():
        journal = journal_for(who, programme)
        held = models.Subject.objects.select_for_update().get(id=subject.id)
        row = held.records.order_by("received_on").first()
        if row is None:
            raise Refused(Problem("server.said.unknown_record"))
        form = form_named(programme, row.form)
        decided = decide_change(
            who,
            held,
            programme,
            Action.RESTRICT,
            form=form.name,
            groups=levels_of(form),
            purposes=(RIGHTS,),
            now=now,
        )
        subject_line(journal, held, row, Act.RESTRICT, decided, now=now)
        if decided.allowed:
            day = local(now, who.institution.country).date()
            models.Objection.objects.get_or_create(subject=held, purpose=purpose, defaults={"made_on": day})
        held.save(update_fields=["entries", "last_entry"])
        journal.sign(now)
    if isinstance(decided.answer, Denial):
        raise NotAllowed(said(decided.answer))


# Who is told


_ALARMS: Final = {
    Level.TWO_WORKING_DAYS: RIGHT_NEAR,
    Level.LAST_DAY: RIGHT_NEAR,
    Level.OVERDUE: RIGHT_OVERDUE,
}


def escalate(*, now: datetime) -> int:
    """An alarm for each request that has two working days left or less, and one for each that is late; once.

    Gives how many were raised.
    """
    raised = 0
    rows = models.RightsRequest.objects.filter(state__in=OPEN_STATES).select_related("institution", "subject")
    for row in rows.order_by("institution__slug", "number"):
        case = _case(row, row.institution.as_value(), now)
        kind = _ALARMS.get(case.level) if case.level else None
        if kind is None:
            continue
        known = models.Alarm.objects.filter(institution=row.institution, kind=kind)
        if any(alarm.numbers.get("request") == row.number for alarm in known):
            continue
        models.Alarm.objects.create(
            institution=row.institution,
            kind=kind,
            numbers={"request": row.number, "due": case.request.answer_by.isoformat()},
            raised_at=now,
        )
        raised += 1
    return raised


def told_where_to_complain(institution: Institution, rulebook: Rulebook, language: Language) -> str:
    """The sentence with the authority to which she can complain, where there is one."""
    names = list(_authorities(controllers_of(institution), rulebook))
    return say("allow.rights.can_complain", language, authority=names[0]) if names else ""


def _authorities(controllers: Iterable[Controller], rulebook: Rulebook) -> Iterable[str]:
    for kind, territory in controllers:
        law = rulebook.of_controller(ControllerType(kind), territory)
        if law is not None and law.authority.can_be_told:
            yield law.authority.name
