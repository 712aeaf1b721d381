"""What a sheet says about consent: to which purpose, for which receiver, by whom, until when."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from resguardo.collect.search import bare_words
from resguardo.collect.submission import Answers
from resguardo.plan.condition import Condition
from resguardo.plan.declaration import ConsentQuestion, Form
from resguardo.plan.fact import AGE_BANDS

OF_AGE: Final = 18
"""From this age on nobody else answers for a person."""

_ADULT_BANDS: Final = frozenset(AGE_BANDS[AGE_BANDS.index("18-24") :])
_NO_LANGUAGE: Final = frozenset({"other", "unknown", "none", "not_said"})
_LONGEST_RECEIVER: Final = 60


By = Literal["self", "guardian", "authority"]
"""Who answered."""


@dataclass(frozen=True)
class SaidConsent:
    """A yes or a no, to one purpose and one receiver."""

    purpose: str
    receiver: str | None
    """An institution by its short name, or a kind of institution; None is the one that collects."""
    given: bool
    said_on: date
    language: str
    """Its code, or empty where the sheet does not say it."""
    by: By
    assent: bool | None
    """What a minor said; None where the minor was not asked."""
    until: date | None
    withdrawn_on: date | None
    manner: str
    """The code of how it was given, or empty."""


def consents_said(
    form: Form, answers: Answers, *, today: date, corrected: Collection[str] | None = None
) -> tuple[SaidConsent, ...]:
    """Every yes and no of the sheet, in the order of the form's consent questions.

    A question that was not answered says nothing. Of a corrected sheet only those count that the correction
    touches, and there a yes that was emptied is a no: what the sheet had said before gives way to them.

    A minor consents together with a guardian, or with the authority in a guardian's place: while neither has
    said yes, a yes is a no. A no of the guardian or of the minor is a no at any age. Who does not say an age
    is taken for a minor.

    Who says yes to a receiver also lets the collecting institution open what it sends: that yes comes first,
    without a receiver. A no to a named receiver leaves the others as they are; one that names none is a no
    to all of them. A yes that was taken back is said again as a no on that day, which also ends what earlier
    sheets allowed.
    """
    said: dict[SaidConsent, None] = {}
    for one in _said(form, answers, today, corrected):
        said[one] = None
        if one.given and one.withdrawn_on is not None:
            said[replace(one, given=False, said_on=one.withdrawn_on, until=None, withdrawn_on=None)] = None
    return tuple(said)


def _said(
    form: Form, answers: Answers, today: date, corrected: Collection[str] | None
) -> Iterator[SaidConsent]:
    for question in form.consents:
        answer = answers.get(question.field)
        if answer is None if corrected is None else not _asked(question) & set(corrected):
            continue
        said_on = _day(answers.get(form.moment)) or today
        by = _by(question, answers, said_on)
        given = answer == question.yes and by is not None and not _refused(question, answers)
        for purpose in question.purposes:
            for receiver in _receivers(question, answers, given=given):
                yield SaidConsent(
                    purpose=purpose,
                    receiver=receiver,
                    given=given,
                    said_on=said_on,
                    language=_language(question, answers),
                    by=by or "self",
                    assent=_yes_or_no(question, question.assent, answers),
                    until=_day(_answer(question.until, answers)),
                    withdrawn_on=_day(_answer(question.withdrawn, answers)),
                    manner=str(_answer(question.manner, answers) or ""),
                )


def _asked(question: ConsentQuestion) -> set[str]:
    """Every question whose answer makes this consent another."""
    named = (
        question.field,
        question.receiver,
        question.age,
        question.minor.fact if question.minor else None,
        question.guardian,
        question.authority.fact if question.authority else None,
        question.assent,
        question.until,
        question.withdrawn,
    )
    return {name for name in named if name is not None}


# Who answered


def _by(question: ConsentQuestion, answers: Answers, said_on: date) -> By | None:
    """Who said yes for the person; None where a guardian should have and did not."""
    if question.guardian is None or not is_minor(question, answers, said_on):
        return "self"
    if question.authority is not None and is_answer(question.authority, answers):
        return "authority"
    return "guardian" if _yes_or_no(question, question.guardian, answers) else None


def _refused(question: ConsentQuestion, answers: Answers) -> bool:
    """A no of the guardian or of the minor."""
    guardian = _yes_or_no(question, question.guardian, answers)
    if question.authority is not None and is_answer(question.authority, answers):
        guardian = None
    return guardian is False or _yes_or_no(question, question.assent, answers) is False


def is_minor(question: ConsentQuestion, answers: Answers, day: date) -> bool:
    """Whether the person is under 18 on that day, as far as the sheet says; True where it does not."""
    if question.minor is not None:
        said = answers.get(question.minor.fact)
        if said is None or is_answer(question.minor, answers):
            return True
    if question.age is None:
        return question.minor is None
    age = answers.get(question.age)
    if isinstance(age, date):
        return years_between(age, day) < OF_AGE
    if isinstance(age, int):
        return age < OF_AGE
    return age not in _ADULT_BANDS


def years_between(born: date, day: date) -> int:
    """The completed years of somebody on a day.

    >>> years_between(date(2004, 6, 2), date(2022, 6, 1)), years_between(date(2004, 6, 2), date(2022, 6, 2))
    (17, 18)
    """
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_answer(condition: Condition, answers: Answers) -> bool:
    """Whether the sheet has the answer that a condition such as ``under_18 = yes`` names."""
    return answers.get(condition.fact) in condition.values


def _yes_or_no(question: ConsentQuestion, name: str | None, answers: Answers) -> bool | None:
    answer = _answer(name, answers)
    return None if answer is None else answer == question.yes


# To whom


def _receivers(question: ConsentQuestion, answers: Answers, *, given: bool) -> tuple[str | None, ...]:
    if question.receiver is None and not question.receiver_kinds:
        return (None,)
    named = [kind.value for kind in question.receiver_kinds]
    named += _named(_answer(question.receiver, answers))
    return (None, *named) if given or not named else tuple(named)


def _named(answer: Any) -> Iterator[str]:
    for one in answer if isinstance(answer, tuple) else (answer,):
        if isinstance(one, str) and (name := short_name(one)):
            yield name


def short_name(written: str) -> str:
    """An institution's name as institutions are called in the network; a code stays as it is.

    >>> short_name("Casa Tres Ríos"), short_name("migration_institute")
    ('casa-tres-rios', 'migration_institute')
    """
    if re.fullmatch(r"[a-z][a-z0-9_]*", written):
        return written
    return "-".join(bare_words(written))[:_LONGEST_RECEIVER]


# The rest


def _answer(name: str | None, answers: Answers) -> Any:
    return None if name is None else answers.get(name)


def _day(answer: Any) -> date | None:
    if isinstance(answer, datetime):
        return answer.date()
    return answer if isinstance(answer, date) else None


def _language(question: ConsentQuestion, answers: Answers) -> str:
    told = _answer(question.language, answers)
    return told if isinstance(told, str) and len(told) <= 8 and told not in _NO_LANGUAGE else ""
