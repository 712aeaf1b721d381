"""The desk of whoever answers for the protection of data: what is due, requests, journal, rules, breaches.

Nothing of a person stands in an address or a title. What a person wrote, and what she is answered, is opened
by a button and shown once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from resguardo.allow.breach import BreachKind, Danger, Measure
from resguardo.allow.calendar import in_words
from resguardo.allow.policy import rendered
from resguardo.allow.register import AssessedRisk, AssessmentDecision
from resguardo.allow.rights import Level, Right, State
from resguardo.allow.rulebook import STRICTEST, ControllerType, Jurisdiction, Rulebook, ValueStatus
from resguardo.keep.journal import Act, Outcome
from resguardo.keep.witness import TailState
from resguardo.plan.languages import explain, in_language, say
from resguardo.plan.purposes import OFFICER
from resguardo.values import Problem, Refused, Sensitivity
from resguardo_server.actions.allow import agreements, breaches, emergency, holds, oversight, rights, rules
from resguardo_server.actions.members import Asker
from resguardo_server.pages.asking import asker_of, needs_role, staff_page
from resguardo_server.pages.confirming import needs_fresh_sign_in
from resguardo_server.pages.members import ROLES

SECTION = "protection"
UNKNOWN = {
    "server.protection.unknown_request",
    "server.protection.unknown_breach",
    "server.emergency.unknown",
    "allow.rulebook.no_jurisdiction",
    "plan.programme.unknown",
}
"""What there is not, or not here: a page that does not exist."""

ACTS = {
    Act.CREATE: pgettext_lazy("line", "registered"),
    Act.READ: pgettext_lazy("line", "opened"),
    Act.UPDATE: pgettext_lazy("line", "changed"),
    Act.EXPORT: pgettext_lazy("line", "copied out"),
    Act.REFER: pgettext_lazy("line", "sent to another institution"),
    Act.RECEIVE: pgettext_lazy("line", "received"),
    Act.ERASE: pgettext_lazy("line", "erased"),
    Act.RESTRICT: pgettext_lazy("line", "use limited or freed"),
    Act.RELEASE: pgettext_lazy("line", "key given"),
    Act.AGGREGATE: pgettext_lazy("line", "counted"),
    Act.CONSENT: pgettext_lazy("line", "permission written down"),
    Act.WITHDRAW: pgettext_lazy("line", "permission taken back"),
    Act.REWRAP: pgettext_lazy("line", "keys changed"),
    Act.EXPIRE: pgettext_lazy("line", "destroyed, time over"),
    Act.SEARCH: pgettext_lazy("line", "looked for somebody"),
}
OUTCOMES = {
    Outcome.ALLOW: pgettext_lazy("line", "allowed"),
    Outcome.DENY: pgettext_lazy("line", "refused"),
    Outcome.BREAK_GLASS: pgettext_lazy("line", "emergency"),
}
ALARMS = {
    "right_near": _("A request must be answered within two working days"),
    "right_overdue": _("A request was not answered in time"),
    "emergency": _("Somebody opened records in an emergency"),
    "emergency_unreviewed": _("An emergency was not reviewed in time: the role is suspended"),
    "budget_member_hour": _("Somebody opened more people in an hour than they may"),
    "budget_institution_day": _("The institution opened more people in a day than it may"),
    "budget_compartment_day": _("One programme opened more people in a day than it may"),
    "budget_lookups_hour": _("Somebody searched more often in an hour than they may"),
    "budget_persons_day": _("More people looked at their own records in a day than is usual"),
    "budget_tokens_day": _("More documents, telephones and names were looked up in a day than is usual"),
    "wrong_answers": _("Wrong answers were given to a receipt until it locked"),
    "journal_shrank": _("The journal lost lines that were signed"),
    "journal_changed": _("The journal does not agree with what was signed"),
    "journal_not_witnessed": _("No witness signed the journal for a day"),
    "journal_rolled_back": _("A witness keeps a longer journal than ours"),
    "journal_forked": _("A witness keeps another journal than ours"),
}
STATES = {
    State.RECEIVED: _("Who asks is not confirmed yet"),
    State.IDENTITY_CONFIRMED: _("Not begun yet"),
    State.IN_PROGRESS: _("In work"),
    State.EXTENDED: _("More time taken"),
    State.ANSWERED: _("Answered; still to be carried out"),
    State.REFUSED: _("Refused"),
    State.CARRIED_OUT: _("Carried out"),
}
CHANNELS = {
    "receipt": _("with her receipt"),
    "in_person": _("in person"),
    "letter": _("by letter"),
}
DONE = {
    "deleted": _("Erased: the key was destroyed. Copies kept for safety become unreadable within weeks."),
    "blocked": _("Closed: nobody uses the records. The law or an order does not let them be erased today."),
    "restricted": _("Closed: nobody uses the records, except for a claim in court."),
    "objected": _("From now on that use stops for her."),
    "revoked": _("The permission is taken back. What it alone kept is erased in a few days."),
    "noted": _("Noted as carried out."),
}
CHAPTERS = {
    "law": _("The law and who watches over it"),
    "answers": _("Time to answer a right"),
    "breaches": _("Time to tell a breach"),
    "transfer": _("Sending to another country"),
    "sensitive": _("What the law protects more"),
    "consent": _("Consent and children"),
    "keeping": _("Keeping and erasing"),
    "review": _("Legal review"),
    "others": _("Other values that were corrected"),
}
BASIS_OF_ERASURE = {
    "wish": pgettext_lazy("why it was erased", "she asked for it"),
    "expiry": pgettext_lazy("why it was erased", "its time was over"),
    "mistake": pgettext_lazy("why it was erased", "it was a mistake"),
    "withdrawn": pgettext_lazy("why it was erased", "the permission was taken back"),
}
AGREEMENTS = {
    "in_force": (_("In force"), "good"),
    "over": (_("Over"), "bad"),
    "not_yet": (_("Not yet"), "waiting"),
    "no_assessment": (_("No assessment"), "waiting"),
}


# The frame


Page = Callable[..., HttpResponse]


def _officer(page: Page) -> Page:
    """The page is for the officer; what there is not is not found, and nothing else is told."""

    @wraps(page)
    def guarded(request: HttpRequest, *words: Any, **names: Any) -> HttpResponse:
        who = asker_of(request)
        needs_role(who, OFFICER)
        try:
            return page(request, who, timezone.now(), *words, **names)
        except Refused as refused:
            if {problem.code for problem in refused.problems} & UNKNOWN:
                raise Http404 from None
            raise

    return guarded


def _language() -> str:
    return get_language() or "es"


def _said(refused: Refused) -> list[str]:
    return [explain(problem, _language()) for problem in refused.problems]


def _here(moment: datetime | None, who: Asker) -> datetime | None:
    """A moment as the clock of the institution shows it."""
    return None if moment is None else rules.local(moment, who.institution.country).replace(tzinfo=None)


def _show(
    request: HttpRequest,
    template: str,
    who: Asker,
    facts: dict[str, Any],
    *,
    part: str,
    wrong: Sequence[str] = (),
) -> HttpResponse:
    facts = {"part": part, "wrong": wrong, **facts}
    return staff_page(
        request, f"protection/{template}.html", facts, who=who, section=SECTION, status=422 if wrong else 200
    )


def _day(text: str) -> date | None:
    """The day that somebody wrote; None when nothing was written."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Refused(Problem("server.protection.not_a_day", {"text": text.strip()[:20]})) from None


def _needed_day(text: str) -> date:
    found = _day(text)
    if found is None:
        raise Refused(Problem("server.protection.not_a_day", {"text": ""}))
    return found


def _moment(text: str, who: Asker) -> datetime | None:
    """A day and time on the clock of the institution, as a browser sends them."""
    if not text.strip():
        return None
    try:
        said = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused(Problem("server.protection.not_a_day", {"text": text.strip()[:20]})) from None
    zone = rules.local(timezone.now(), who.institution.country).tzinfo
    return said.replace(tzinfo=zone)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


# The agenda


@dataclass(frozen=True)
class Due:
    """One thing on the agenda."""

    on: date
    left: str
    colour: str
    what: str
    note: str
    because: str
    address: str
    act: str


def _left(days: int) -> tuple[str, str]:
    if days < 0:
        late = ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}
        return late, "bad"
    if days == 0:
        return gettext("today"), "bad"
    left = ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    return left, "bad" if days < 3 else "waiting" if days < 6 else ""


@require_safe
@_officer
def agenda(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """What is due, the most pressing first; beside it the journal, the agreements and what is kept."""
    today = rules.local(now, who.institution.country).date()
    found = [*_due_requests(who, now), *_due_reviews(who, now, today), *_due_endings(who, now, today)]
    standing = rules.standing()
    papers = agreements.agreements(who, now=now)
    facts = {
        "today": in_words(today, _language()),
        "due": sorted(found, key=lambda one: one.on),
        "alarms": [
            (one, ALARMS.get(one.kind, one.kind), _here(one.raised_at, who)) for one in oversight.alarms(who)
        ],
        "journal": _journal_facts(who, now),
        "agreements": [(one, *AGREEMENTS[one.state]) for one in papers[:6]],
        "keeping": oversight.keeping_said(who, now=now),
        "rules": _rules_table(standing.rulebook, _near(standing.rulebook, who)),
        "breaches": [(row, BreachKind(row.what).words(_language())) for row in breaches.breaches(who)[:3]],
        "misfits": len(standing.misfits),
    }
    return _show(request, "agenda", who, facts, part="agenda")


def _due_requests(who: Asker, now: datetime) -> list[Due]:
    found = []
    for case in rights.cases(who, now=now, only_open=True):
        answered = case.request.state is State.ANSWERED
        on = (case.request.carry_out_by or case.request.answer_by) if answered else case.request.answer_by
        left, colour = _left((on - case.day).days)
        if case.level in (Level.OVERDUE, Level.LAST_DAY):
            colour = "bad"
        received = case.request.received_on
        found.append(
            Due(
                on,
                left,
                colour,
                case.request.right.words(_language()),
                gettext("Request %(number)s · received on %(day)s")
                % {"number": case.row.number, "day": in_words(received, _language())},
                rights.because(case, _language()),
                reverse("protection_request", args=[case.row.id]),
                gettext("Carry out") if answered else gettext("Answer"),
            )
        )
    return found


def _due_reviews(who: Asker, now: datetime, today: date) -> list[Due]:
    found = []
    for row in emergency.emergencies_of(who):
        by = rules.local(row.review_by, who.institution.country)
        left, colour = _left((by.date() - today).days)
        found.append(
            Due(
                by.date(),
                left,
                colour,
                gettext("Review an opening in an emergency"),
                gettext("Opened on %(day)s at %(time)s by %(name)s")
                % {
                    "day": in_words(rules.local(row.opened_at, who.institution.country).date(), _language()),
                    "time": f"{rules.local(row.opened_at, who.institution.country):%H:%M}",
                    "name": row.member,
                },
                gettext("72 hours since it happened; if nobody reviews it, the role is suspended."),
                reverse("protection_emergency", args=[row.id]),
                gettext("Review"),
            )
        )
    return found


def _due_endings(who: Asker, now: datetime, today: date) -> list[Due]:
    found = []
    titles = {one.name: in_language(one.title, _language()) for one in agreements.programmes_of(who)}
    for ending in oversight.ending_soon(who, now=now):
        left, colour = _left((ending.on - today).days)
        held = ngettext("%(held)s is held by an order.", "%(held)s are held by an order.", ending.held)
        found.append(
            Due(
                ending.on,
                left if ending.on >= today else gettext("now"),
                colour,
                ngettext(
                    "The time of %(records)s record is over",
                    "The time of %(records)s records is over",
                    ending.records,
                )
                % {"records": ending.records},
                titles.get(ending.programme, ending.programme),
                gettext("No purpose keeps them any longer.")
                + (" " + held % {"held": ending.held} if ending.held else ""),
                reverse("protection_endings"),
                gettext("See and destroy"),
            )
        )
    return found


def _journal_facts(who: Asker, now: datetime) -> dict[str, Any]:
    said = oversight.journal_said(who, now=now)
    checked = said.checked
    return {
        "said": said,
        "tail": said.tail.words(_language()),
        "is_alone": said.tail.state is TailState.ALONE,
        "denied_for": [(purpose, count) for purpose, count in said.denied_for if purpose],
        "checked": checked,
        "checked_at": _here(datetime.fromisoformat(checked["at"]), who) if checked else None,
        "since": None if checked is None else max(said.entries - int(checked["entries"]), 0),
    }


@require_POST
@_officer
def seen(request: HttpRequest, who: Asker, now: datetime, alarm: int) -> HttpResponse:
    """The officer has looked at an alarm."""
    try:
        oversight.mark_seen(who, alarm, now=now)
    except Refused as refused:
        for sentence in _said(refused):
            messages.error(request, sentence)
    return redirect("protection")


@require_http_methods(["GET", "HEAD", "POST"])
@needs_fresh_sign_in
@_officer
def endings(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """What ends within a week; what is over already can be destroyed here, with what that means."""
    if request.method == "POST":
        done = oversight.destroy_what_ended(who, now=now)
        messages.success(
            request,
            gettext("%(erased)s records destroyed, %(blocked)s closed because an order holds them.")
            % {"erased": done.erased, "blocked": done.blocked},
        )
        return redirect("protection")
    titles = {one.name: in_language(one.title, _language()) for one in agreements.programmes_of(who)}
    found = oversight.ending_soon(who, now=now)
    facts = {
        "endings": [(one, titles.get(one.programme, one.programme)) for one in found],
        "over": sum(one.over for one in found),
    }
    return _show(request, "endings", who, facts, part="agenda")


# Requests


@require_safe
@_officer
def requests(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """Every request, those that wait for an answer first, 50 at a time."""
    found = rights.cases(who, now=now)
    page = max(_number(request.GET.get("page", "1")), 1)
    pages = max(1, -(-len(found) // oversight.PER_PAGE))
    page = min(page, pages)
    shown = found[(page - 1) * oversight.PER_PAGE : page * oversight.PER_PAGE]
    facts = {
        "cases": [_case_facts(case) for case in shown],
        "page": page,
        "pages": pages,
        "found": len(found),
    }
    return _show(request, "requests", who, facts, part="requests")


def _case_facts(case: rights.Case) -> dict[str, Any]:
    left, colour = _left(case.days_left)
    return {
        "case": case,
        "right": case.request.right.words(_language()),
        "state": STATES[case.request.state],
        "level": case.level.value if case.level else "",
        "left": left if case.is_open else "",
        "colour": colour if case.is_open else "",
        "due": in_words(case.request.answer_by, _language()),
        "received": in_words(case.request.received_on, _language()),
        "channel": CHANNELS.get(case.row.channel, case.row.channel),
        "address": reverse("protection_request", args=[case.row.id]),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def new_request(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """A request that came in person or by letter is written down for a person found by her code."""
    wrong: list[str] = []
    if request.method == "POST":
        try:
            found = rights.find_subjects(who, request.POST.get("programme", ""), request.POST.get("code", ""))
            if not found:
                raise Refused(Problem("server.protection.unknown_person"))
            came = _day(request.POST.get("received", ""))
            right = request.POST.get("right", "")
            if right not in tuple(Right):
                raise Refused(Problem("server.protection.which_right"))
            zone = rules.local(now, who.institution.country).tzinfo
            row = rights.enter_request(
                who,
                found[0],
                Right(right),
                channel=request.POST.get("channel", ""),
                words=request.POST.get("words", ""),
                purpose=request.POST.get("purpose", ""),
                language=_tongue(request.POST.get("language", "")),
                received=None
                if came is None or came == rules.local(now, who.institution.country).date()
                else datetime.combine(came, time(12), zone),
                now=now,
            )
        except Refused as refused:
            wrong = _said(refused)
        else:
            messages.success(request, gettext("Written down. The day of the answer is on the page."))
            return redirect("protection_request", row.id)
    programmes = rights.programmes_with_records(who)
    facts = {
        "programmes": [(name, in_language(title, _language())) for name, title in programmes],
        "rights": [(str(right), right.words(_language())) for right in Right],
        "purposes": [
            (in_language(title, _language()), rights.purposes_in(name, _language()))
            for name, title in programmes
        ],
        "today": rules.local(now, who.institution.country).date().isoformat(),
        "given": request.POST,
    }
    return _show(request, "new_request", who, facts, part="requests", wrong=wrong)


def _tongue(text: str) -> str:
    return text if text in breaches.LANGUAGES else "es"


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def one_request(request: HttpRequest, who: Asker, now: datetime, number: UUID) -> HttpResponse:
    """One request, what may be done with it now, and what that leads to."""
    wrong: list[str] = []
    words: rights.CaseWords | None = None
    act = request.POST.get("act", "")
    if request.method == "POST":
        try:
            if act == "words":
                words = rights.words_of(who, number, now=now)
            else:
                _request_step(who, number, act, request, now)
                return redirect("protection_request", number)
        except Refused as refused:
            if {problem.code for problem in refused.problems} & UNKNOWN:
                raise
            wrong = _said(refused)
    case = rights.case_of(who, number, now=now)
    subject = case.row.subject
    asked = case.request.right
    purposes = dict(rights.purposes_of(subject))
    plan = None
    if asked is Right.ERASURE and not case.is_erased and case.request.state is not State.REFUSED:
        plan = rights.erasure_planned(subject, who.institution, now=now).words(
            rules.rulebook_now(), _language()
        )
    state = case.request.state
    facts = {
        **_case_facts(case),
        "because": rights.because(case, _language()),
        "unconfirmed": bool(case.deadline.unconfirmed),
        "work_by": in_words(case.deadline.work_by, _language()),
        "others": [rule.due for rule in case.deadline.others],
        "purpose": in_language(purposes.get(case.row.purpose, {}), _language()) or case.row.purpose,
        "programme": in_language(rights.title_of(subject.programme), _language()),
        "grounds": rights.grounds_for(case, _language()),
        "ground": case.request.ground.words(_language()) if case.request.ground else "",
        "can_confirm": state is State.RECEIVED,
        "can_begin": state is State.IDENTITY_CONFIRMED,
        "can_extend": state in (State.IDENTITY_CONFIRMED, State.IN_PROGRESS)
        and case.request.latest is not None
        and case.day <= case.request.due_on,
        "latest": case.request.latest,
        "can_answer": state in (State.IDENTITY_CONFIRMED, State.IN_PROGRESS, State.EXTENDED),
        "can_refuse": case.is_open,
        "can_carry_out": state is State.ANSWERED,
        "carry_out_by": case.request.carry_out_by,
        "is_copy": asked in (Right.ACCESS, Right.PORTABILITY),
        "is_correction": asked is Right.RECTIFICATION,
        "destroys": asked is Right.ERASURE,
        "plan": plan,
        "complain": rights.told_where_to_complain(who.institution, rules.rulebook_now(), case.row.language),
        "words": words,
        "has_words": bool(case.row.words) or bool(case.row.answer),
        "answered": _here(case.row.answered_at, who),
        "carried_out": _here(case.row.carried_out_at, who),
        "holds": [one for one in holds.holds(who, now=now) if one.subject == subject.id],
        "given": request.POST,
    }
    return _show(request, "request", who, facts, part="requests", wrong=wrong)


def _request_step(who: Asker, number: UUID, act: str, request: HttpRequest, now: datetime) -> None:
    told = request.POST
    if act == "confirm":
        rights.confirm(who, number, now=now)
        messages.success(request, gettext("Noted: you know who asks."))
    elif act == "begin":
        rights.start(who, number, now=now)
    elif act == "extend":
        until = _needed_day(told.get("until", ""))
        rights.wait_longer(who, number, until, now=now)
        messages.success(
            request,
            gettext(
                "The answer may wait until %(day)s. Tell her the new day and why, before the old one is over."
            )
            % {"day": in_words(until, _language())},
        )
    elif act == "grant":
        rights.grant(who, number, told.get("answer", ""), now=now)
        messages.success(request, gettext("Answered. Now carry out what she asked for."))
    elif act == "refuse":
        rights.deny(who, number, told.get("ground", ""), told.get("answer", ""), now=now)
        messages.success(
            request, gettext("Refused on a ground of the law. She can read why and where to complain.")
        )
    elif act == "hold":
        case = rights.case_of(who, number, now=now)
        holds.place_hold(
            who, case.row.subject_id, told.get("order", ""), until=_day(told.get("until", "")), now=now
        )
        messages.success(request, gettext("Held: nobody erases these records until the order ends."))
    elif act == "lift":
        holds.lift_hold(who, _number(told.get("hold", "")), now=now)
        messages.success(request, gettext("The order is lifted."))
    else:
        raise Refused(Problem("server.protection.unknown_step"))


@require_POST
@needs_fresh_sign_in
@_officer
def carry_out(request: HttpRequest, who: Asker, now: datetime, number: UUID) -> HttpResponse:
    """What was granted is done, by somebody who has just shown that it is she."""
    try:
        done = rights.carry_out_request(who, number, now=now)
    except Refused as refused:
        if {problem.code for problem in refused.problems} & UNKNOWN:
            raise
        for sentence in _said(refused):
            messages.error(request, sentence)
    else:
        messages.success(request, str(DONE[done]))
    return redirect("protection_request", number)


# Emergencies


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def one_emergency(request: HttpRequest, who: Asker, now: datetime, number: UUID) -> HttpResponse:
    """An opening in an emergency: who, when, why; justified or not; whether the person was told."""
    wrong: list[str] = []
    reason = None
    if request.method == "POST":
        act = request.POST.get("act", "")
        try:
            if act == "reason":
                reason = emergency.reason_of(who, number, now=now)
            elif act in ("justified", "not_justified"):
                emergency.review(who, number, act == "justified", now=now)
                messages.success(request, gettext("Reviewed."))
                return redirect("protection")
            elif act == "told":
                emergency.tell_person(who, number, now=now)
                messages.success(request, gettext("Noted: the person was told."))
                return redirect("protection_emergency", number)
        except Refused as refused:
            if {problem.code for problem in refused.problems} & UNKNOWN:
                raise
            wrong = _said(refused)
    row = next((one for one in emergency.emergencies_of(who, waiting=False) if one.id == number), None)
    if row is None:
        raise Http404
    facts = {
        "row": row,
        "role": ROLES.get(row.role, row.role),
        "opened": _here(row.opened_at, who),
        "until": _here(row.until, who),
        "review_by": _here(row.review_by, who),
        "reviewed": _here(row.reviewed_at, who),
        "is_own": row.member.email == who.name,
        "reason": reason,
    }
    return _show(request, "emergency", who, facts, part="agenda", wrong=wrong)


# The journal


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def journal(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """The journal, newest line first, 50 at a time; it can be checked here from its first line on."""
    if request.method == "POST":
        findings = oversight.check_journal(who, language=_language(), now=now)
        if findings:
            messages.error(request, gettext("The journal is not whole. What is wrong is on the page."))
        else:
            messages.success(
                request, gettext("The journal is whole: every line, every signature, every record.")
            )
        return redirect("protection_journal")
    asked = {name: request.GET.get(name, "")[:40] for name in ("act", "dec", "role", "month")}
    if asked["month"] and (len(asked["month"]) != 7 or not asked["month"].replace("-", "").isdigit()):
        asked["month"] = ""
    asked["act"] = asked["act"] if asked["act"] in oversight.acts() else ""
    asked["dec"] = asked["dec"] if asked["dec"] in oversight.outcomes() else ""
    asked["role"] = asked["role"] if asked["role"].replace("_", "").isalpha() else ""
    found = oversight.journal_lines(
        who,
        act=asked["act"],
        outcome=asked["dec"],
        role=asked["role"],
        month=asked["month"],
        page=_number(request.GET.get("page", "1")),
    )
    facts = {
        "lines": [_line_facts(line, who) for line in found.lines],
        "found": found,
        "asked": asked,
        "query": "&".join(f"{name}={value}" for name, value in asked.items() if value),
        "acts": [(str(act), word) for act, word in ACTS.items()],
        "outcomes": [(str(outcome), word) for outcome, word in OUTCOMES.items()],
        "roles": sorted(ROLES.items()),
        "journal": _journal_facts(who, now),
    }
    return _show(request, "journal", who, facts, part="journal")


def _line_facts(line: oversight.Line, who: Asker) -> dict[str, Any]:
    leaf = line.leaf
    if leaf is None:
        return {"position": line.position, "broken": True}
    groups = [
        say(f"allow.register.group_{level}", _language())
        for level in Sensitivity
        if level.group in leaf.fields
    ]
    return {
        "position": line.position,
        "at": _here(leaf.t, who),
        "act": ACTS[leaf.act],
        "outcome": OUTCOMES[leaf.dec],
        "colour": {"deny": "bad", "break_glass": "waiting"}.get(leaf.dec, ""),
        "who": line.member or f"{leaf.who[:8]}…",
        "role": ROLES.get(leaf.role, _("the person herself") if leaf.role == "data_subject" else leaf.role),
        "purpose": leaf.purpose or "",
        "groups": ", ".join(groups),
    }


# Rules


def _near(rulebook: Rulebook, who: Asker) -> list[Jurisdiction]:
    """The institution's own country first, then some of its neighbours."""
    own = list(rulebook.in_territory(who.institution.country))
    others = [one for name in ("CRI", "SLV", "GTM", "HND") if (one := rulebook.jurisdictions.get(name))]
    return [*own, *(one for one in others if one not in own)][:5]


def _rules_table(rulebook: Rulebook, shown: list[Jurisdiction]) -> list[dict[str, Any]]:
    language = _language()
    strictest = rulebook.strictest
    found = []
    for law in shown:
        binds = any(law.standing(kind) is None for kind in ControllerType)
        access = law.response_deadlines.get("access")
        answer = access.length if binds and access is not None and access.counts else None
        told = law.breach.person if law.breach.person.counts else law.breach.authority
        breach = told.length if binds and told.counts else None
        found.append(
            {
                "id": law.id,
                "name": law.name(language),
                "in_force": say(f"allow.rulebook.in_force_{law.law.in_force}", language)
                if law.has_general_law
                else say("allow.rulebook.no_general_law", language),
                "is_law": law.has_general_law and law.is_in_force,
                "answer": (answer or strictest.rights_response["access"]).words(language),
                "answer_strictest": answer is None,
                "breach": (breach or strictest.breach_person).words(language),
                "breach_strictest": breach is None,
                "is_signed": law.is_signed,
                "corrected": len(law.changes),
            }
        )
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def all_rules(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """Every jurisdiction at a glance, corrections that do not fit any more, and corrected holidays."""
    wrong: list[str] = []
    if request.method == "POST":
        told = request.POST
        try:
            rules.correct_holiday(
                who,
                told.get("country", ""),
                _needed_day(told.get("day", "")),
                told.get("name", ""),
                working=told.get("working") == "yes",
                every_year=told.get("every_year") == "yes",
                until=None,
                now=now,
            )
        except Refused as refused:
            wrong = _said(refused)
        else:
            messages.success(request, gettext("The calendar was corrected. Days are counted so from now on."))
            return redirect("protection_rules")
    standing = rules.standing()
    shown = sorted(standing.rulebook.jurisdictions.values(), key=lambda law: law.name(_language()))
    today = rules.local(now, who.institution.country).date()
    facts = {
        "rules": _rules_table(standing.rulebook, shown),
        "strictest": STRICTEST,
        "warning": say("allow.rulebook.warning", _language()),
        "misfits": [
            (misfit.row, [explain(problem, _language()) for problem in misfit.problems])
            for misfit in standing.misfits
        ],
        "holidays": rules.holidays_corrected(),
        "days_off": [
            (in_words(day, _language()), name)
            for day, name in rules.days_off_soon(who.institution.country, today)
        ],
        "countries": sorted(rules.ZONES),
        "country": who.institution.country,
        "given": request.POST,
    }
    return _show(request, "rules", who, facts, part="rules", wrong=wrong)


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def one_rule(request: HttpRequest, who: Asker, now: datetime, name: str) -> HttpResponse:
    """Every value of a jurisdiction with how sure it is; an officer corrects one, with its source."""
    wrong: list[str] = []
    if request.method == "POST":
        told = request.POST
        try:
            rules.correct_rule(
                who,
                name,
                told.get("path", ""),
                told.get("value", ""),
                told.get("status", ""),
                told.get("source", ""),
                now=now,
            )
        except Refused as refused:
            wrong = _said(refused)
        else:
            messages.success(
                request, gettext("Corrected. The old value stays on the page, with who changed it.")
            )
            return redirect("protection_rule", name)
    rulebook = rules.rulebook_now()
    chapters = rules.chapters_of(rulebook, name, _language())
    law = rulebook.jurisdictions.get(name)
    facts = {
        "name": rulebook.name(name, _language()),
        "id": name,
        "law": law,
        "signed": _signed(law),
        "warning": say("allow.rulebook.warning", _language()),
        "chapters": [
            (CHAPTERS[chapter.name], [_place_facts(place) for place in chapter.places])
            for chapter in chapters
        ],
        "statuses": [
            (str(status), say(f"allow.rulebook.status_{status}", _language())) for status in ValueStatus
        ],
        "paths": [place.path for chapter in chapters for place in chapter.places],
        "given": request.POST or {"path": request.GET.get("path", "")},
    }
    return _show(request, "rule", who, facts, part="rules", wrong=wrong)


def _signed(law: Jurisdiction | None) -> str:
    if law is None or law.signed_on is None or not law.is_signed:
        return ""
    day = in_words(law.signed_on, _language())
    return say("allow.rulebook.signed", _language(), who=law.signed_by, day=day)


def _place_facts(place: rules.Place) -> dict[str, Any]:
    language = _language()
    status = place.status
    return {
        "place": place,
        "status": say(f"allow.rulebook.status_{status}", language) if status else "",
        "colour": "good" if status == ValueStatus.SOURCED else "waiting" if status else "",
        "changes": [
            say(
                "allow.rulebook.changed",
                language,
                old=_old(change.old_value) or say("allow.rulebook.no_value", language),
                who=change.correction.by,
                day=in_words(change.correction.on, language),
                source=change.correction.source,
            )
            for change in place.changes
        ],
    }


def _old(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if not isinstance(part, dict))
    return "" if value is None else str(value)


# Breaches


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def all_breaches(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """The register of breaches; another one is written down here, and its clock begins."""
    wrong: list[str] = []
    if request.method == "POST":
        told = request.POST
        try:
            since = _moment(told.get("since", ""), who)
            if since is None:
                raise Refused(Problem("server.protection.not_a_day", {"text": ""}))
            row = breaches.register_breach(
                who,
                told.get("what", ""),
                since=since,
                until=_moment(told.get("until", ""), who),
                member=told.get("member", ""),
                note=told.get("note", ""),
                now=now,
            )
        except Refused as refused:
            wrong = _said(refused)
        else:
            return redirect("protection_breach", row.id)
    facts = {
        "breaches": [
            {
                "row": row,
                "kind": BreachKind(row.what).words(_language()),
                "state": say(f"allow.breach.state_{row.state}", _language()),
                "known": _here(row.known_at, who),
                "is_open": row.closed_at is None,
            }
            for row in breaches.breaches(who)
        ],
        "kinds": [(str(kind), kind.words(_language())) for kind in BreachKind],
        "members": sorted((one.email, str(one)) for one in breaches.staff_pseudonyms(who).values()),
        "given": request.POST,
    }
    return _show(request, "breaches", who, facts, part="breaches", wrong=wrong)


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def one_breach(request: HttpRequest, who: Asker, now: datetime, number: UUID) -> HttpResponse:
    """One breach: its size from the journal, whom to tell until when, what people are told, how far it is."""
    wrong: list[str] = []
    told = request.POST
    measures = [measure for measure in Measure if measure in told.getlist("measure")]
    act = told.get("act", "")
    if request.method == "POST" and act != "message":
        try:
            if act == "assess":
                breaches.assess(who, number, told.get("danger", ""), now=now)
            elif act == "told":
                breaches.mark_told(who, number, _number(told.get("notice", "")), now=now)
            elif act == "close":
                breaches.close_breach(who, number, now=now)
                messages.success(request, gettext("The breach is closed."))
            return redirect("protection_breach", number)
        except Refused as refused:
            if {problem.code for problem in refused.problems} & UNKNOWN:
                raise
            wrong = _said(refused)
    found = breaches.breach_of(who, number, _language(), now=now)
    language = _language()
    texts = breaches.messages_to_people(who, found, measures)
    facts = {
        "breach": found,
        "kind": found.kind.words(language),
        "state": say(f"allow.breach.state_{found.state}", language),
        "known": _here(found.row.known_at, who),
        "since": _here(found.row.since, who),
        "until": _here(found.row.until, who),
        "closed": _here(found.row.closed_at, who),
        "groups": [
            say(f"allow.breach.what_{level}", language) for level in Sensitivity if level in found.size.groups
        ],
        "dangers": [(str(one), say(f"allow.breach.danger_{one}", language)) for one in Danger],
        "danger": say(f"allow.breach.danger_{found.danger}", language) if found.danger else "",
        "to_tell": [(one, _here(one.told_at, who)) for one in found.to_tell],
        "measures": [
            (str(one), say(f"allow.breach.measure_{one}", language), one in measures) for one in Measure
        ],
        "texts": [(code, name, texts[code]) for code, name in TONGUES],
    }
    return _show(request, "breach", who, facts, part="breaches", wrong=wrong)


TONGUES = (("es", "Español"), ("en", "English"), ("fr", "Français"), ("ht", "Kreyòl ayisyen"))


# Agreements


@require_http_methods(["GET", "HEAD", "POST"])
@_officer
def papers(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """The register, drafts of agreements, agreements and assessments that were entered."""
    wrong: list[str] = []
    if request.method == "POST":
        try:
            _paper_step(request, who, now)
        except Refused as refused:
            wrong = _said(refused)
        else:
            return redirect("protection_agreements")
    language = _language()
    programmes = agreements.programmes_of(who)
    facts = {
        "agreements": [
            (one, *AGREEMENTS[one.state], [explain(problem, language) for problem in one.faults])
            for one in agreements.agreements(who, now=now)
        ],
        "assessments": [
            (one, [explain(problem, language) for problem in one.faults])
            for one in agreements.assessments(who, now=now)
        ],
        "programmes": [_programme_facts(who, one, now) for one in programmes],
        "receivers": sorted(
            {(row.slug, row.name) for one in programmes for row in agreements.possible_receivers(who, one)},
            key=lambda pair: pair[1],
        ),
        "groups": [(str(level), say(f"allow.register.group_{level}", language)) for level in Sensitivity],
        "decisions": [(str(one), DECISIONS[one]) for one in AssessmentDecision],
        "today": rules.local(now, who.institution.country).date().isoformat(),
        "given": request.POST,
    }
    return _show(request, "agreements", who, facts, part="agreements", wrong=wrong)


DECISIONS = {
    AssessmentDecision.GO: _("Do it"),
    AssessmentDecision.GO_WITH_MEASURES: _("Do it with these measures"),
    AssessmentDecision.STOP: _("Do not do it"),
}


def _programme_facts(who: Asker, programme: Any, now: datetime) -> dict[str, Any]:
    language = _language()
    register = agreements.register_for(who, programme.name, now=now)
    kinds = dict.fromkeys(str(recipient.institution_kind) for recipient in programme.recipients)
    return {
        "name": programme.name,
        "title": in_language(programme.title, language),
        "purposes": [(one.name, in_language(one.title, language)) for one in programme.purposes],
        "kinds": [(kind, say(f"allow.register.kind_{kind}", language)) for kind in kinds],
        "findings": [explain(problem, language) for problem in register.findings],
    }


def _paper_step(request: HttpRequest, who: Asker, now: datetime) -> None:
    told = request.POST
    if told.get("act") == "agreement":
        agreements.enter_agreement(
            who,
            told.get("programme", ""),
            told.get("receiver", ""),
            purposes=told.getlist("purpose"),
            groups=told.getlist("group"),
            signed_on=_needed_day(told.get("signed_on", "")),
            until=_needed_day(told.get("until", "")),
            assessment=_number(told.get("assessment", "")) or None,
            now=now,
        )
        messages.success(request, gettext("The agreement is written down."))
    elif told.get("act") == "assessment":
        agreements.assess_use(
            who,
            told.get("programme", ""),
            told.get("receiver", ""),
            description=told.get("description", ""),
            necessity=told.get("necessity", ""),
            consultation=told.get("consultation", ""),
            risks=[_risk(told)],
            decision=told.get("decision", ""),
        )
        messages.success(request, gettext("The assessment is written down. Somebody else must approve it."))
    elif told.get("act") == "approve":
        agreements.approve_assessment(who, _number(told.get("assessment", "")), now=now)
        messages.success(request, gettext("The assessment is approved, for a year."))
    else:
        raise Refused(Problem("server.protection.unknown_step"))


def _risk(told: Any) -> AssessedRisk:
    measures = tuple(line.strip() for line in told.get("measures", "").splitlines() if line.strip())
    return AssessedRisk(
        told.get("source", "").strip(),
        told.get("threat", "").strip(),
        told.get("harm", "").strip(),
        _number(told.get("likelihood", "")),
        _number(told.get("severity", "")),
        measures,
        _number(told.get("residual_likelihood", "")) or None,
        _number(told.get("residual_severity", "")) or None,
    )


@require_safe
@_officer
def paper_file(
    request: HttpRequest, who: Asker, now: datetime, programme: str, kind: str, receiver: str = ""
) -> HttpResponse:
    """The register of a programme, or the draft of an agreement with a receiver, as a file."""
    if programme not in {one.name for one in agreements.programmes_of(who)}:
        raise Http404
    try:
        paper: Any = (
            agreements.draft_for(who, programme, receiver, now=now)
            if receiver
            else agreements.register_for(who, programme, now=now)
        )
    except Refused:
        raise Http404 from None
    answer = HttpResponse(agreements.as_file(paper, kind, _language()), content_type=agreements.FILES[kind])
    name = f"{programme}-{receiver or 'register'}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# Policies and keys


@require_safe
@_officer
def policies(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """What decides every opening, in words, with the law that each rule follows."""
    return _show(request, "policies", who, {"policies": rendered(_language())}, part="policies")


@require_safe
@_officer
def keys(request: HttpRequest, who: Asker, now: datetime) -> HttpResponse:
    """When each key was made, replaced and destroyed, and what was erased since when beyond recovery."""
    found = oversight.erased(who, page=_number(request.GET.get("page", "1")))
    facts = {
        "keys": oversight.key_rows(who),
        "erased": [(row, BASIS_OF_ERASURE.get(row.reason, row.reason)) for row in found.rows],
        "page": found.page,
        "pages": found.pages,
        "found": found.found,
        "holds": holds.holds(who, now=now),
    }
    return _show(request, "keys", who, facts, part="keys")
