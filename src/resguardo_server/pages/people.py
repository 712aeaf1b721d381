"""The work with people: finding a case, opening what a purpose opens, correcting, erasing, and emergencies.

Whatever is opened is in the answer to that one request and nowhere else: no address, no session and no cache
holds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from resguardo.allow.consent import ConsentState
from resguardo.allow.decision import VITAL_INTEREST
from resguardo.keep.journal import Act, Outcome
from resguardo.plan.declaration import Purpose
from resguardo.plan.languages import explain, in_language
from resguardo.plan.programme import Programme
from resguardo.values import Problem, Refused, Sensitivity
from resguardo_server.actions.allow import correct_record, file, finding, withdraw_consent
from resguardo_server.actions.allow.emergency import open_in_emergency
from resguardo_server.actions.allow.opening import NotAllowed, OpenedFile, open_file
from resguardo_server.actions.allow.receipts import issue_receipt
from resguardo_server.actions.allow.rules import local
from resguardo_server.actions.members import Asker
from resguardo_server.pages.asking import asker_of, needs_role, staff_page
from resguardo_server.pages.confirming import needs_fresh_sign_in
from resguardo_server.pages.members import ROLES

HEADINGS = {
    Sensitivity.PLAIN: _("For the work"),
    Sensitivity.IDENTIFIER: _("Identity"),
    Sensitivity.QUASI: _("What she is like"),
    Sensitivity.SENSITIVE: _("Delicate"),
}
LEVELS = {level.value: level for level in Sensitivity}
BY_NUMBER = {level.group: level for level in Sensitivity}

WAYS = (
    ("phone", _("Telephone")),
    ("document", _("Document number")),
    ("name", _("Name and year of birth")),
    ("code", _("Case code")),
)

DONE = {
    Act.CREATE: pgettext_lazy("what happened", "Registered"),
    Act.READ: pgettext_lazy("what happened", "Opened"),
    Act.UPDATE: pgettext_lazy("what happened", "Corrected"),
    Act.EXPORT: pgettext_lazy("what happened", "Copy made"),
    Act.REFER: pgettext_lazy("what happened", "Sent to another institution"),
    Act.RECEIVE: pgettext_lazy("what happened", "Something was asked for"),
    Act.ERASE: pgettext_lazy("what happened", "Erased"),
    Act.EXPIRE: pgettext_lazy("what happened", "Erased because its time was over"),
    Act.RESTRICT: pgettext_lazy("what happened", "Use limited, or the limit ended"),
    Act.CONSENT: pgettext_lazy("what happened", "Receipt given"),
    Act.WITHDRAW: pgettext_lazy("what happened", "Consent withdrawn"),
}
COLOURS = {
    Act.READ: "opened",
    Act.CREATE: "good",
    Act.CONSENT: "good",
    Act.UPDATE: "good",
    Act.WITHDRAW: "bad",
    Act.ERASE: "bad",
}
OTHERS = {
    "data_subject": _("the person herself"),
    "operator": _("the program by itself"),
}
LINES_SHOWN = 8


def _language() -> str:
    return get_language() or "es"


def _sentences(refused: Refused, programme: Programme | None = None) -> list[str]:
    """What is wrong, with purposes and roles as people call them; a rule, never a datum."""
    return [explain(_in_words(problem, programme), _language()) for problem in refused.problems]


def _in_words(problem: Problem, programme: Programme | None) -> Problem:
    facts = dict(problem.facts)
    if programme is not None and facts.get("purpose"):
        facts["purpose"] = _purpose_title(programme, facts["purpose"])
    if facts.get("role"):
        facts["role"] = ", ".join(str(ROLES.get(role, role)) for role in facts["role"].split(", "))
    return replace(problem, facts=facts)


def _purpose_title(programme: Programme, name: str) -> str:
    if name == VITAL_INTEREST:
        return gettext("A life in danger")
    known = next((purpose for purpose in programme.purposes if purpose.name == name), None)
    return in_language(known.title, _language()) if known is not None else name


def _titles(purposes: Iterable[Purpose]) -> list[str]:
    return [in_language(purpose.title, _language()) for purpose in purposes]


def _here(when: datetime, who: Asker) -> datetime:
    """The time on the wall of the institution."""
    return local(when, who.institution.country).replace(tzinfo=None)


def _file_or_404(who: Asker, subject: UUID, now: datetime) -> file.File:
    try:
        return file.file_of(who, subject, now=now)
    except NotAllowed:
        raise
    except Refused:
        raise Http404 from None


# The list, and looking for somebody


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """The newest cases; with a search, those that it found. The search stands in no address."""
    who, now = asker_of(request), timezone.now()
    programmes = finding.programmes_for(who)
    if not programmes:
        needs_role(who, "intake_worker", "caseworker", "supervisor", "trainer", "data_protection_officer")
    facts: dict[str, Any] = {"searching": _searching(who, programmes), "asked": {}}
    if request.method == "POST":
        facts |= _search(request, who, programmes, now)
    else:
        number = request.GET.get("page", "1")
        page = finding.list_people(
            who, int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1, now=now
        )
        facts |= {"page": page, "people": _lines(page.people, who)}
    return staff_page(request, "people/list.html", facts, who=who, section="people")


def _searching(who: Asker, programmes: Iterable[Programme]) -> dict[str, Any]:
    return {
        "ways": [
            (name, words)
            for name, words in WAYS
            if name == "code" or any(name in finding.searchable(one) for one in programmes)
        ],
        "programmes": [
            (
                in_language(one.title, _language()),
                [
                    (f"{one.name}:{purpose.name}", in_language(purpose.title, _language()))
                    for purpose in finding.purposes_for(who, one)
                ],
            )
            for one in programmes
        ],
    }


def _search(
    request: HttpRequest, who: Asker, programmes: Iterable[Programme], now: datetime
) -> dict[str, Any]:
    asked = {name: request.POST.get(name, "")[:200].strip() for name in ("for", "by", "value", "year")}
    by_name = {one.name: one for one in programmes}
    name, _colon, purpose = asked["for"].partition(":")
    programme = by_name.get(name)
    facts: dict[str, Any] = {"asked": asked, "searched": True}
    try:
        if asked["by"] == "code":
            found = finding.find_by_code(who, asked["value"])
        elif asked["by"] not in {way for way, _words in WAYS}:
            raise Refused(Problem("server.people.choose_search"))
        elif programme is None:
            raise Refused(Problem("server.people.choose_purpose"))
        else:
            found = finding.find_person(
                who, programme, purpose, asked["by"], asked["value"], asked["year"], now=now
            )
            facts["recorded"] = True
    except Refused as refused:
        return facts | {"wrong": _sentences(refused, programme), "people": [], "refused": True}
    return facts | {"people": _lines(finding.people_of(who, found, now=now), who)}


def _lines(found: Iterable[finding.Person], who: Asker) -> list[dict[str, Any]]:
    return [
        {
            "person": one,
            "form": in_language(one.form, _language()),
            "day": _here(one.received_on, who),
            "address": reverse("person", kwargs={"subject": one.subject}),
        }
        for one in found
    ]


# One file


@dataclass(frozen=True)
class Group:
    """A group of answers on the page: what it is called, and whether it lies open."""

    level: Sensitivity
    name: str
    pages: tuple[file.Page, ...] | None
    """Its answers while it is open."""
    can_open: bool
    """The purpose that was chosen opens it."""
    opens_for: list[str]
    """The purposes that open it for the member."""
    others: list[str]
    """Those that open it for other roles alone."""


@require_http_methods(["GET", "HEAD"])
def person(request: HttpRequest, subject: UUID) -> HttpResponse:
    """The file as it lies: everything sealed, no purpose chosen."""
    who, now = asker_of(request), timezone.now()
    return _file_page(request, who, _file_or_404(who, subject, now), now)


@require_POST
def open_groups(request: HttpRequest, subject: UUID) -> HttpResponse:
    """One group more is opened for the purpose that was chosen, or one is sealed again.

    What is open is asked for anew each time, and each time leaves its line.
    """
    who, now = asker_of(request), timezone.now()
    found = _file_or_404(who, subject, now)
    purpose = request.POST.get("purpose", "")
    if not purpose:
        return _file_page(
            request, who, found, now, wrong=_sentences(Refused(Problem("server.people.choose_purpose")))
        )
    levels = {LEVELS[name] for name in request.POST.getlist("open") if name in LEVELS}
    added = LEVELS.get(request.POST.get("add", ""))
    closed = LEVELS.get(request.POST.get("seal", ""))
    if added is not None:
        levels.add(added)
    elif closed is not None:
        levels.discard(closed)
    else:  # a purpose was chosen: what does least harm opens first, and nothing else stays open
        levels = {Sensitivity.PLAIN} & _opened_by(found, purpose)
        if not levels:
            return _file_page(request, who, found, now, chosen=purpose)
    if not levels:
        return _file_page(request, who, found, now, chosen=purpose)
    try:
        opened = open_file(who, subject, purpose, levels, now=now)
    except Refused as refused:
        return _file_page(
            request, who, found, now, chosen=purpose, denied=_sentences(refused, found.programme)
        )
    return _file_page(request, who, found, now, chosen=purpose, opened=opened, levels=levels)


def _opened_by(found: file.File, purpose: str) -> set[Sensitivity]:
    return {box.level for box in found.boxes if box.opens_for(purpose)}


def _file_page(
    request: HttpRequest,
    who: Asker,
    found: file.File,
    now: datetime,
    *,
    chosen: str = "",
    opened: OpenedFile | None = None,
    levels: Iterable[Sensitivity] = (),
    denied: list[str] | None = None,
    wrong: list[str] | None = None,
) -> HttpResponse:
    open_now = set(levels) if opened is not None else set()
    groups = [
        Group(
            box.level,
            str(HEADINGS[box.level]),
            file.pages_of(found, opened, box.level, _language())
            if opened and box.level in open_now
            else None,
            box.opens_for(chosen),
            _titles(box.own),
            _titles(box.others),
        )
        for box in found.boxes
    ]
    happened = [_happened(one, found.programme, who) for one in file.what_happened(who, found.subject)]
    facts = {
        "file": found,
        "title": in_language(found.programme.title, _language()),
        "purposes": [(one.name, in_language(one.title, _language())) for one in found.purposes],
        "chosen": chosen,
        "chosen_title": _purpose_title(found.programme, chosen) if chosen else "",
        "open_names": sorted(level.value for level in open_now),
        "groups": groups,
        "until": _here(opened.permit.until, who) if opened else None,
        "opened_at": _here(now, who) if opened else None,
        "entry": opened.entry if opened else None,
        "denied": denied,
        "wrong": wrong,
        "consents": [_consent(one) for one in found.consents],
        "consents_ended": any(
            one.state in (ConsentState.WITHDRAWN, ConsentState.EXPIRED) for one in found.consents
        ),
        "happened": happened[:LINES_SHOWN],
        "happened_before": happened[LINES_SHOWN:],
        "sheets": [
            {
                "sheet": one,
                "title": in_language(one.form.title, _language()),
                "day": _here(one.received_on, who),
            }
            for one in found.sheets
        ],
        "supervises": "supervisor" in who.roles,
        "gives_receipts": _gives_receipts(),
        "tongue": _tongue_of(found),
        "only_emergency": not found.purposes,
    }
    answer = staff_page(request, "people/file.html", facts, who=who, section="people")
    if opened is not None:
        # When the permit's time is over, the page seals itself, with or without a script.
        seconds = max(1, int((opened.permit.until - now).total_seconds()))
        answer["Refresh"] = f"{seconds}; url={reverse('person', kwargs={'subject': found.subject})}"
    return answer


def _sheets(found: file.File, who: Asker) -> list[dict[str, Any]]:
    return [
        {"sheet": one, "title": in_language(one.form.title, _language()), "day": _here(one.received_on, who)}
        for one in found.sheets
    ]


def _consent(one: file.ConsentShown) -> dict[str, Any]:
    return {
        "consent": one,
        "title": in_language(one.purpose.title, _language()) if one.purpose else one.name,
        "receiver": file.receiver_title(one.receiver, _language()) if one.receiver else "",
        "state": str(one.state),
        "can_end": one.state is ConsentState.GIVEN and one.record is not None,
    }


def _happened(one: file.Happened, programme: Programme, who: Asker) -> dict[str, Any]:
    leaf = one.leaf
    names = [str(HEADINGS[BY_NUMBER[number]]) for number in leaf.fields if number in BY_NUMBER]
    return {
        "what": DONE.get(leaf.act, leaf.act),
        "groups": names if leaf.act in (Act.READ, Act.EXPORT, Act.REFER) else [],
        "denied": leaf.dec is Outcome.DENY,
        "emergency": leaf.dec is Outcome.BREAK_GLASS,
        "colour": "bad" if leaf.dec is not Outcome.ALLOW else COLOURS.get(leaf.act, ""),
        "own": one.own,
        "who": OTHERS.get(leaf.role) or ROLES.get(leaf.role, leaf.role),
        "why": _purpose_title(programme, leaf.purpose) if leaf.purpose else "",
        "when": _here(leaf.t, who),
        "line": one.position,
    }


# Correcting


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, subject: UUID) -> HttpResponse:
    """One answer of one record is corrected, for a purpose that opens the whole record.

    The page asks for the right answer and shows no old one: nothing has been opened.
    """
    who, now = asker_of(request), timezone.now()
    found = _file_or_404(who, subject, now)
    asked = request.POST if request.method == "POST" else request.GET
    sheet = next((one for one in found.sheets if str(one.id) == asked.get("record", "")), None)
    if sheet is None and len(found.sheets) == 1:
        sheet = found.sheets[0]
    facts: dict[str, Any] = {
        "file": found,
        "sheets": [
            {
                "sheet": one,
                "title": in_language(one.form.title, _language()),
                "day": _here(one.received_on, who),
            }
            for one in found.sheets
        ],
    }
    if sheet is None:
        return staff_page(request, "people/correct.html", facts, who=who, section="people")
    language = _language()
    known = dict(file.questions_to_correct(sheet.form, language))
    name = asked.get("question", "")
    purposes = file.purposes_to_correct(found, sheet.form)
    facts |= {
        "sheet": sheet,
        "sheet_title": in_language(sheet.form.title, language),
        "questions": list(known.items()),
        "purposes": [(one.name, in_language(one.title, language)) for one in purposes],
        "chosen": asked.get("purpose", ""),
    }
    if name not in known:
        return staff_page(request, "people/correct.html", facts, who=who, section="people")
    question = sheet.form.field(name)
    facts |= {
        "question": {
            "name": name,
            "label": known[name],
            "hint": in_language(question.hint, language),
            "kind": question.kind,
            "choices": [
                (choice.name, in_language(choice.label, language) or choice.name)
                for choice in sheet.form.choices.get(question.list_name or "", ())
            ],
        },
    }
    if request.method == "POST":
        values = [value[:4000] for value in request.POST.getlist("value")]
        try:
            if not facts["chosen"]:
                raise Refused(Problem("server.people.choose_purpose"))
            correct_record(who, sheet.id, {name: " ".join(values).strip()}, facts["chosen"], now=now)
        except Refused as refused:
            facts |= {"wrong": _sentences(refused, found.programme), "written": values}
        else:
            messages.success(request, gettext("It is corrected, and the journal says so."))
            return redirect("person", subject=subject)
    return staff_page(request, "people/correct.html", facts, who=who, section="people")


# Taking consent back, erasing


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, subject: UUID, number: int) -> HttpResponse:
    """What a withdrawal changes and what it does not; then it is done."""
    who, now = asker_of(request), timezone.now()
    found = _file_or_404(who, subject, now)
    given = [one for one in found.consents if one.state is ConsentState.GIVEN and one.record]
    if not 0 < number <= len(found.consents) or found.consents[number - 1] not in given:
        messages.error(request, _sentences(Refused(Problem("server.people.no_consent_here")))[0])
        return redirect("person", subject=subject)
    consent = found.consents[number - 1]
    facts: dict[str, Any] = {"file": found, "number": number, "consent": _consent(consent)}
    if request.method == "POST" and consent.record is not None:
        try:
            withdraw_consent(who, consent.record, consent.name, receiver=consent.receiver, now=now)
        except Refused as refused:
            facts["wrong"] = _sentences(refused, found.programme)
        else:
            messages.success(request, gettext("The consent is withdrawn from today; the journal says so."))
            return redirect("person", subject=subject)
    return staff_page(request, "people/withdraw.html", facts, who=who, section="people")


@require_http_methods(["GET", "HEAD", "POST"])
@needs_fresh_sign_in
def erase(request: HttpRequest, subject: UUID) -> HttpResponse:
    """What erasing means, with its two dates; then it is done."""
    who, now = asker_of(request), timezone.now()
    found = _file_or_404(who, subject, now)
    facts: dict[str, Any] = {
        "file": found,
        "today": _here(now, who),
        "backups_end": file.backups_end(now),
        "understood": bool(request.POST.get("understood")),
    }
    if request.method == "POST":
        if not facts["understood"]:
            facts["wrong"] = [gettext("Tick that the person knows it and wants it.")]
        else:
            try:
                erased = file.erase_person(who, subject, now=now)
            except Refused as refused:
                facts["wrong"] = _sentences(refused, found.programme)
            else:
                facts |= {"erased": True, "backups_end": erased.backups_end}
    return staff_page(request, "people/erase.html", facts, who=who, section="people")


# The receipt


def _gives_receipts() -> bool:
    from django.template.loader import TemplateDoesNotExist, get_template

    try:
        get_template("mine/receipt_print.html")
    except TemplateDoesNotExist:
        return False
    return True


def _tongue_of(found: file.File) -> str:
    """The language in which she was last asked, if a receipt can be in it; else that of the page."""
    known = dict(settings.LANGUAGES)
    return next((one.language for one in found.consents if one.language in known), _language())


@require_POST
def receipt(request: HttpRequest, subject: UUID) -> HttpResponse:
    """A receipt is made and shown once; the code before it opens nothing any more."""
    from resguardo_server.pages.mine import receipt_page

    who, now = asker_of(request), timezone.now()
    found = _file_or_404(who, subject, now)
    language = request.POST.get("language", "")
    try:
        issued = issue_receipt(
            who, subject, language if language in dict(settings.LANGUAGES) else _tongue_of(found), now=now
        )
    except Refused as refused:
        return _file_page(request, who, found, now, wrong=_sentences(refused, found.programme))
    return receipt_page(request, issued)


# In an emergency


@require_http_methods(["GET", "HEAD", "POST"])
@needs_fresh_sign_in
def emergency(request: HttpRequest, subject: UUID) -> HttpResponse:
    """A life is in danger: a supervisor writes why and chooses what to open, for an hour."""
    who, now = asker_of(request), timezone.now()
    found = _file_or_404(who, subject, now)
    reason = request.POST.get("reason", "")[:4000]
    levels = {LEVELS[name] for name in request.POST.getlist("open") if name in LEVELS}
    facts: dict[str, Any] = {
        "file": found,
        "reason": reason,
        "chosen": sorted(level.value for level in levels),
        "choices": [(box.level.value, HEADINGS[box.level]) for box in found.boxes],
        "supervises": "supervisor" in who.roles,
    }
    if request.method == "POST":
        try:
            if not levels:
                raise Refused(Problem("server.emergency.no_groups"))
            opened = open_in_emergency(who, subject, reason, levels, now=now)
        except Refused as refused:
            facts["wrong"] = _sentences(refused, found.programme)
        else:
            facts |= {
                "opened": True,
                "until": _here(opened.until, who),
                "review_by": _here(opened.review_by, who),
                "entry": opened.file.entry,
                "groups": [
                    (HEADINGS[level], file.pages_of(found, opened.file, level, _language()))
                    for level in file.ORDER
                    if level in levels
                ],
            }
    answer = staff_page(request, "people/emergency.html", facts, who=who, section="people")
    if facts.get("opened"):
        seconds = int((opened.until - now).total_seconds())
        answer["Refresh"] = f"{seconds}; url={reverse('person', kwargs={'subject': subject})}"
    return answer
