"""*Mi resguardo*: what a person sees and does with her receipt, on any telephone, also a borrowed one.

No page of these says in its title, its address or a log whose it is, and no browser keeps one. The session
holds a ticket of a quarter of an hour, and the receipt's code only for the minutes between scanning it and
answering. What is shown needs no script.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from resguardo.allow.calendar import in_words
from resguardo.allow.receipt import basis_in_words, handing_over, qr_svg, read_receipt, rights_in_words
from resguardo.allow.receipt_code import CodeRefused, ReceiptCode, read_code
from resguardo.allow.rights import Ground, Right
from resguardo.plan.languages import explain, explain_all
from resguardo.values import Language, Problem, Refused
from resguardo_server.actions.allow import person as hers
from resguardo_server.actions.allow.asking import ask_right, deadline_for, requests_of
from resguardo_server.actions.allow.opening import NotAllowed
from resguardo_server.actions.allow.person import Person
from resguardo_server.actions.allow.receipts import IssuedReceipt
from resguardo_server.actions.allow.rules import local, rulebook_now
from resguardo_server.pages.lock_out import network_of
from resguardo_server.staff_secrets import pseudonym

Page = Callable[..., HttpResponse]

CODE, TICKET, TONGUE, SAID, WRONG = "mine_code", "mine_ticket", "mine_language", "mine_said", "mine_wrong"
"""What a session may hold: the code for a few minutes, the ticket, the language, one sentence to say next,
and how often the answer was wrong when it was asked again."""

CODE_WAITS: Final = 600
"""Seconds for which a scanned code waits for its answer."""
TRIES, TRIES_WITHIN = 60, 600
"""How many answers one network may send within so many seconds."""
MOST_WRONG: Final = 3
"""Wrong answers to the question that is asked again, after which the page closes."""
NEWEST: Final = 3
"""Openings that the first page shows."""

FIRST_RIGHTS: Final = (Right.RECTIFICATION, Right.ERASURE, Right.COMPLAINT)
MORE_RIGHTS: Final = (Right.RESTRICTION, Right.OBJECTION, Right.PORTABILITY, Right.ACCESS)
NEEDS_WORDS: Final = (Right.RECTIFICATION, Right.COMPLAINT)


# Around every page


def _spoken_here(request: HttpRequest) -> Language:
    """The language that she chose on these pages, else that of her receipt, else of her browser."""
    known = dict(settings.LANGUAGES)
    chosen = request.GET.get("lang", "")
    if chosen in known and request.session.get(TONGUE) != chosen:
        request.session[TONGUE] = chosen
    kept = str(request.session.get(TONGUE, ""))
    return kept if kept in known else translation.get_language() or settings.LANGUAGE_CODE


def quiet(page: Page) -> Page:
    """The page speaks her language, is kept by no browser and told to no other site."""

    @wraps(page)
    def speaking(request: HttpRequest, *words: Any, **names: Any) -> HttpResponse:
        with translation.override(_spoken_here(request)):
            answer = page(request, *words, **names)
        answer["Cache-Control"] = "no-store"
        answer["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return speaking


def with_ticket(page: Page) -> Page:
    """The page opens for whoever is in; to everybody else it is closed, and says nothing more."""

    @quiet
    @wraps(page)
    def entered(request: HttpRequest, *words: Any, **names: Any) -> HttpResponse:
        now = timezone.now()
        held = request.session.get(TICKET)
        person = hers.person_with(*held, now=now) if isinstance(held, list) and len(held) == 3 else None
        if person is None:
            request.session.pop(TICKET, None)
            return _closed(request)
        try:
            return page(request, person, now, *words, **names)
        except NotAllowed as refused:
            return _shown(request, "mine/refused.html", {"sentences": explain_all(refused, _tongue())})
        except Refused as refused:
            return _shown(request, "mine/refused.html", {"sentences": explain_all(refused, _tongue())})

    return entered


def _tongue() -> Language:
    return translation.get_language() or settings.LANGUAGE_CODE


def _shown(request: HttpRequest, template: str, facts: dict[str, Any] | None = None) -> HttpResponse:
    tongue = _tongue()
    choices = [{"code": code, "name": name, "current": code == tongue} for code, name in settings.LANGUAGES]
    return render(request, template, {"tongues": choices, **(facts or {})})


def _closed(request: HttpRequest) -> HttpResponse:
    return _shown(request, "mine/closed.html")


# Coming in


@quiet
@require_safe
def arrive(request: HttpRequest, code: str) -> HttpResponse:
    """Where the square on paper leads: the code leaves the address at once and waits for its answer."""
    try:
        _keep_code(request, read_code(code))
    except CodeRefused as refused:
        request.session[SAID] = ["wrong", explain_all(refused, _tongue())[0]]
    answer = redirect("mine_enter")
    answer.status_code = 303
    answer["Referrer-Policy"] = "no-referrer"
    return answer


def _keep_code(request: HttpRequest, code: ReceiptCode) -> None:
    request.session.pop(TICKET, None)
    request.session[CODE] = [code.token_text, time.time()]


def _code(request: HttpRequest) -> ReceiptCode | None:
    """The code that waits in the session, while it may."""
    held = request.session.get(CODE)
    if not isinstance(held, list) or not 0 <= time.time() - held[1] < CODE_WAITS:
        request.session.pop(CODE, None)
        return None
    return ReceiptCode(held[0])


@quiet
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Takes the code, then one answer. Whether there is such a code is not said until the answer is right."""
    if request.method != "POST":
        kind, sentence = request.session.pop(SAID, None) or ("", "")
        return _ask(request, sentence if kind == "wrong" else "")
    if "another" in request.POST:
        request.session.pop(CODE, None)
        return redirect("mine_enter")
    if _tries_too_often(request):
        request.session.pop(CODE, None)
        return _ask(request, _("Too many tries from here. Wait ten minutes and try again."), status=429)
    if "code" in request.POST:
        try:
            _keep_code(request, read_code(request.POST["code"]))
        except CodeRefused as refused:
            return _ask(request, explain_all(refused, _tongue())[0])
        return redirect("mine_enter")
    code = _code(request)
    if code is None:
        return _ask(request, _("The time to answer is over. Write the code again."))
    now = timezone.now()
    question, typed = _sent(request, "question", 64), _sent(request, "answer", 200)
    if not question.isidentifier() or not typed.strip():
        return _ask(request, _("Choose a question and write its answer."))
    found = hers.enter(code, question, typed, now=now)
    if isinstance(found, Problem):
        return _ask(request, explain(found, _tongue()))
    request.session.pop(CODE, None)
    if isinstance(found, hers.ErasedFile):
        return _shown(request, "mine/erased.html", _erased_facts(found))
    request.session.cycle_key()
    request.session[TICKET] = [str(found.receipt), found.ticket.hex(), found.until.isoformat()]
    request.session.setdefault(TONGUE, found.language)
    return redirect("mine")


def _sent(request: HttpRequest, name: str, most: int | None = None) -> str:
    """What was written in a field, without signs that no table holds."""
    return request.POST.get(name, "").replace("\x00", "")[:most].strip()


def _ask(request: HttpRequest, wrong: str, *, status: int = 200) -> HttpResponse:
    code = _code(request)
    questions = hers.questions_of(code, _tongue()) if code is not None else ()
    facts = {"wrong": wrong, "has_code": code is not None, "questions": _asked(questions)}
    answer = _shown(request, "mine/enter.html", facts)
    answer.status_code = status
    return answer


def _asked(questions: tuple[hers.Question, ...]) -> list[dict[str, str]]:
    words = {
        hers.Asks.NAME: (_("What is your full name?"), ""),
        hers.Asks.PHONE: (_("What telephone number did you give?"), ""),
        hers.Asks.DOCUMENT: (_("What is the number of your document?"), ""),
        hers.Asks.BIRTH: (_("On what day were you born?"), _("For example: 1/5/1990, the day first.")),
        hers.Asks.EMAIL: (_("What e-mail address did you give?"), ""),
    }
    return [
        {
            "name": one.name,
            "label": words.get(one.asks, (one.label, ""))[0],
            "hint": words.get(one.asks, ("", ""))[1],
        }
        for one in questions
    ]


def _tries_too_often(request: HttpRequest) -> bool:
    """One network may not try without end, whatever codes it tries."""
    name = f"mine-{pseudonym(network_of(request), 'mine')[:32]}-{int(time.time() // TRIES_WITHIN)}"
    tries = int(cache.get(name, 0)) + 1
    cache.set(name, tries, TRIES_WITHIN)
    return tries > TRIES


def _erased_facts(found: hers.ErasedFile) -> dict[str, Any]:
    tongue = _tongue()
    return {
        "found": found,
        "erased_on": in_words(found.shredded_on, tongue),
        "gone_on": in_words(found.unrecoverable_on, tongue) if found.unrecoverable_on else "",
        "expected_on": in_words(found.expected_on, tongue) if found.expected_on else "",
    }


# What she sees


@with_ticket
@require_safe
def first(request: HttpRequest, person: Person, now: datetime) -> HttpResponse:
    """What is kept, who saw it, what she allows, what she can ask for."""
    tongue = _tongue()
    kept = hers.kept_of(person, tongue, now=now)
    if kept is None:
        return _closed(request)
    seen = hers.seen_of(person, tongue)
    said = request.session.pop(SAID, None)
    promise = deadline_for(person.institution, Right.ACCESS, now=now)
    facts = {
        "said": said if isinstance(said, list) and said[0] == "good" else None,
        "kept": kept,
        "institution": person.institution.name,
        "contact": person.contact,
        "until": in_words(kept.until, tongue),
        "restricted_on": in_words(kept.restricted_on, tongue) if kept.restricted_on else "",
        "openings": [_line(line, tongue) for line in seen.openings[:NEWEST]],
        "times": len(seen.openings),
        "seen": seen,
        "allowed": [_allowed(one, tongue) for one in hers.allowed_by(person, tongue, now=now)],
        "uses": [(use, basis_in_words(use.basis, tongue)) for use in hers.other_uses(person, tongue)],
        "promise": promise.promise(tongue),
        "requests": _requests(person, now, tongue),
        "closes_at": local(person.until, person.institution.country).strftime("%H:%M"),
    }
    return _shown(request, "mine/first.html", facts)


@with_ticket
@require_safe
def seen(request: HttpRequest, person: Person, now: datetime) -> HttpResponse:
    """Every line about her, the newest first."""
    tongue = _tongue()
    found = hers.seen_of(person, tongue)
    facts = {
        "lines": [_line(line, tongue) for line in found.lines],
        "seen": found,
        "institution": person.institution.name,
        "total": len(found.lines),
    }
    return _shown(request, "mine/seen.html", facts)


def _line(line: hers.SeenLine, tongue: Language) -> dict[str, Any]:
    acts = {
        "read": _("looked at"), "export": _("took a copy of"), "refer": _("sent out"),
        "update": _("corrected"),
        "create": _("wrote down what you told"), "consent": _("gave you a receipt of what you allowed"),
        "withdraw": _("noted that you took a permission back"), "receive": _("noted what you asked for"),
        "restrict": _("changed whether your data may be used"), "erase": _("erased some of your data"),
        "expire": _("erased what had reached its day"), "release": _("published a figure without names"),
    }  # fmt: skip
    mine = {
        "read": _("You looked at your own data"), "withdraw": _("You took a permission back"),
        "receive": _("You asked for something"), "restrict": _("You asked that they are not used"),
    }  # fmt: skip
    kind = "bad" if line.refused else "opens" if line.is_opening else "good"
    return {
        "line": line,
        "kind": kind,
        "act": mine.get(str(line.act), "") if line.herself else acts.get(str(line.act), ""),
        "day": in_words(line.when.date(), tongue),
        "hour": line.when.strftime("%H:%M"),
        "emergency": str(line.outcome) == "break_glass",
    }


def _allowed(one: hers.Allowed, tongue: Language) -> dict[str, Any]:
    return {"one": one, "since": in_words(one.since, tongue), "state": str(one.state)}


def _requests(person: Person, now: datetime, tongue: Language) -> list[dict[str, Any]]:
    return [
        {
            "one": one,
            "what": one.right.words(tongue),
            "state": one.state.words(tongue),
            "received": in_words(one.received_on, tongue),
            "answer_by": in_words(one.answer_by, tongue),
            "answered": in_words(one.answered_on, tongue) if one.answered_on else "",
            "ground": Ground(one.ground).words(tongue) if one.ground else "",
        }
        for one in requests_of(person.subject, person.institution.country, now=now)
    ]


# What she allows


@with_ticket
@require_http_methods(["GET", "HEAD", "POST"])
def allow(request: HttpRequest, person: Person, now: datetime, key: str) -> HttpResponse:
    """Says what changes and what does not, and takes the permission back."""
    tongue = _tongue()
    one = hers.allowed_named(person, key, tongue, now=now)
    if request.method == "POST":
        hers.withdraw(person, key, now=now)
        request.session[SAID] = ["good", "withdrawn", one.receiver or one.title]
        return redirect("mine")
    return _shown(
        request, "mine/allow.html", {"one": one, "on": one.is_on, "institution": person.institution.name}
    )


# What she asks for


@with_ticket
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, person: Person, now: datetime, right: str) -> HttpResponse:
    """Says by when there is an answer before anything is sent, then takes the request."""
    if right not in [str(known) for known in (*FIRST_RIGHTS, *MORE_RIGHTS)]:
        raise Http404
    wanted, tongue, wrong = Right(right), _tongue(), ""
    uses = hers.other_uses(person, tongue) if wanted is Right.OBJECTION else ()
    words, purpose = _sent(request, "words"), _sent(request, "purpose", 60)
    if request.method == "POST":
        if wanted in NEEDS_WORDS and not words:
            wrong = _("Write what it is about, in your own words.")
        elif uses and purpose not in {use.purpose for use in uses}:
            wrong = _("Choose the use that you do not agree with.")
        else:
            try:
                asked = ask_right(
                    person.who,
                    person.subject,
                    wanted,
                    tongue,
                    channel="receipt",
                    words=words,
                    purpose=purpose if uses else "",
                    receipt=person.receipt,
                    now=now,
                )
            except Refused as refused:
                wrong = explain_all(refused, tongue)[0]
            else:
                request.session[SAID] = ["good", "asked", str(asked.number), asked.deadline.promise(tongue)]
                return redirect("mine")
    found = deadline_for(person.institution, wanted, now=now)
    facts = {
        "right": right,
        "what": wanted.words(tongue),
        "promise": found.promise(tongue),
        "because": found.because(rulebook_now(), tongue),
        "wrong": wrong,
        "words": words,
        "needs_words": wanted in NEEDS_WORDS,
        "uses": uses,
        "purpose": purpose,
        "institution": person.institution.name,
        "contact": person.contact,
    }
    return _shown(request, "mine/ask.html", facts)


@with_ticket
@require_http_methods(["GET", "HEAD", "POST"])
def request_page(request: HttpRequest, person: Person, now: datetime, request_id: UUID) -> HttpResponse:
    """One of her requests; her words and the answer open when she says so, and that is noted."""
    tongue = _tongue()
    one = next((one for one in _requests(person, now, tongue) if one["one"].id == request_id), None)
    if one is None:
        raise Http404
    texts = hers.texts_of(person, request_id, now=now) if request.method == "POST" else None
    return _shown(request, "mine/request.html", {**one, "texts": texts})


@with_ticket
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, person: Person, now: datetime) -> HttpResponse:
    """All that is kept, as a package; the answer is asked again, since what comes is in clear."""
    tongue, wrong = _tongue(), ""
    questions = hers.own_questions(person, tongue)
    if request.method == "POST":
        known = {one.name for one in questions}
        question, typed = _sent(request, "question", 64), _sent(request, "answer", 200)
        if question in known and hers.knows_answer(person, question, typed):
            request.session.pop(WRONG, None)
            answer = HttpResponse(hers.copy_of(person, tongue, now=now), content_type="application/zip")
            answer["Content-Disposition"] = 'attachment; filename="informacion.zip"'
            return answer
        times = int(request.session.get(WRONG, 0)) + 1
        request.session[WRONG] = times
        if times >= MOST_WRONG:
            request.session.flush()
            return _closed(request)
        wrong = explain(Problem("keyholder.person.not_recognised"), tongue)
    facts = {"questions": _asked(questions), "wrong": wrong, "rights": rights_in_words(tongue)}
    return _shown(request, "mine/copy.html", facts)


# Leaving


def leave(request: HttpRequest) -> HttpResponse:
    """The session ends, the browser forgets what it kept of these pages, and another page comes."""
    tongue = _spoken_here(request)
    request.session.flush()
    answer = redirect(f"/leave/days/?lang={tongue}")
    answer.status_code = 303
    answer["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
def days(request: HttpRequest) -> HttpResponse:
    """The days of this month: a page that says nothing about anybody, and leads nowhere."""
    known = dict(settings.LANGUAGES)
    chosen = request.GET.get("lang", "")
    tongue = chosen if chosen in known else translation.get_language() or settings.LANGUAGE_CODE
    today = timezone.localdate()
    with translation.override(tongue):
        facts = {
            "weeks": calendar.Calendar(0).monthdatescalendar(today.year, today.month),
            "today": today,
            "in_words": in_words(today, tongue),
        }
        answer = render(request, "mine/days.html", facts)
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "no-store"
    return answer


# For the worker who hands it over


def receipt_page(request: HttpRequest, issued: IssuedReceipt) -> HttpResponse:
    """The receipt to print, to show or to read aloud; shown once, right after it was issued."""
    receipt, worker = read_receipt(issued.text), _tongue()
    with translation.override(issued.language):
        answer = render(
            request,
            "mine/receipt_print.html",
            {
                "issued": issued,
                "square": qr_svg(issued.address, issued.language),
                "groups": issued.code.groups,
                "lines": issued.spoken.split("\n"),
                "sheet": handing_over(worker),
                "institution": receipt.controller,
                "day": in_words(receipt.issued_at.date(), issued.language),
            },
        )
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "same-origin"
    return answer
