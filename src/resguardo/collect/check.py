"""The rules of a form over the answers of one row: what must be answered, what must hold, what is calculated.

Compiled once for a form and run for every row. A rule that cannot be evaluated (see
`resguardo.collect.expression`) never refuses an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from resguardo.collect.expression import UNREAD, Expression, NotEvaluated, Rows, take_apart
from resguardo.collect.header import repeats_around
from resguardo.plan.languages import FIRST_LANGUAGE, in_language
from resguardo.plan.programme import Form
from resguardo.plan.xlsform import Field
from resguardo.values import Words

Report = Callable[[Field, str, Mapping[str, str]], None]
"""Is told of a broken rule: the question, the key of the sentence, and what fills its blanks."""

_ABSENT = object()
_MOST_SHOWN = 80
_MOST_OF_A_RULE = 200


@dataclass
class _Asked:
    """Questions that are asked under the same conditions."""

    conditions: tuple[Expression | None, ...]
    """None stands for one that is outside of what can be evaluated."""
    required: list[Field] = field(default_factory=list)
    required_when: list[tuple[Field, Expression]] = field(default_factory=list)
    constraints: list[tuple[Field, Expression]] = field(default_factory=list)
    questions: list[Field] = field(default_factory=list)

    def is_asked(self, rows: Rows) -> bool | None:
        """Whether they are asked here; None where that cannot be told."""
        known = [None if condition is None else condition.holds(rows) for condition in self.conditions]
        if False in known:
            return False
        return None if None in known else True


class Checks:
    """The rules of the questions of one place: of the form itself, or of one of its repeats."""

    def __init__(
        self,
        form: Form,
        repeat: str | None,
        *,
        today: date,
        now: datetime | None = None,
        answered: frozenset[str] | None = None,
        already: frozenset[str] = frozenset(),
    ) -> None:
        """`answered`: the questions that have a column, None for all; a calculation without one is made here.
        `already`: questions whose constraint, if it needs nothing but the answer, was checked as it was read.
        """
        self.inside = repeats_around(form, repeat) if repeat is not None else ()
        self._places = {
            question.name: repeats_around(form, question.repeat) if question.repeat else ()
            for question in form.fields
        }
        self._today, self._now = today, now
        self._form = form
        self.not_evaluated: list[str] = []
        self.calculations: list[tuple[Field, Expression, _Asked]] = []
        blocks: dict[tuple[str, ...], _Asked] = {}
        for question in form.fields:
            if question.repeat != repeat:
                continue
            written = self._conditions(question)
            block = blocks.get(written)
            if block is None:
                block = blocks[written] = _Asked(tuple(self._take(text, question) for text in written))
            self._add(question, block, answered, already)
        self.blocks = [
            block
            for block in blocks.values()
            if block.conditions or block.required or block.required_when or block.constraints
        ]

    def _conditions(self, question: Field) -> tuple[str, ...]:
        groups = self._form.text.groups
        around = (groups.get("/".join(question.path[: end + 1])) for end in range(len(question.path)))
        return tuple(dict.fromkeys(text for text in (*around, question.relevant) if text))

    def _take(self, text: str, question: Field) -> Expression | None:
        try:
            return take_apart(text, inside=self.inside, places=self._places, today=self._today, now=self._now)
        except NotEvaluated:
            if question.name not in self.not_evaluated:
                self.not_evaluated.append(question.name)
            return None

    def _add(
        self, question: Field, block: _Asked, answered: frozenset[str] | None, already: frozenset[str]
    ) -> None:
        block.questions.append(question)
        if question.kind == "calculate":
            if answered is not None and question.name not in answered and question.calculation:
                calculation = self._take(question.calculation, question)
                if calculation is not None:
                    self.calculations.append((question, calculation, block))
            return
        if question.required:
            block.required.append(question)
        elif question.required_when:
            when = self._take(question.required_when, question)
            if when is not None:
                block.required_when.append((question, when))
        if question.constraint:
            rule = self._take(question.constraint, question)
            if rule is not None and not (rule.alone and question.name in already):
                block.constraints.append((question, rule))

    def calculate(self, rows: Rows) -> None:
        """Puts into the innermost row what its calculations give, where they can be made."""
        answers = rows[-1]
        assert isinstance(answers, MutableMapping)  # noqa: S101
        for question, calculation, block in self.calculations:
            asked = block.is_asked(rows) if block.conditions else True
            if asked is not True:
                if asked is False:
                    answers[question.name] = None
                continue
            try:
                answers[question.name] = _calculated(calculation.value(rows))
            except NotEvaluated:
                continue

    def run(self, rows: Rows, report: Report, *, absent_is_blank: bool) -> None:
        """Reports every rule that the innermost row breaks.

        `absent_is_blank`: a question without a column counts as not answered; else as not known.
        """
        answers = rows[-1]
        blank = None if absent_is_blank else _ABSENT
        for block in self.blocks:
            asked = block.is_asked(rows) if block.conditions else True
            if asked is False:
                for question in block.questions:
                    value = answers.get(question.name)
                    if value is not None and value != ():
                        if question.kind == "calculate":
                            assert isinstance(answers, MutableMapping)  # noqa: S101
                            answers[question.name] = None
                        else:
                            report(question, "not_asked", {})
                continue
            if asked is True:
                for question in block.required:
                    if answers.get(question.name, blank) is None:
                        report(question, "required", {})
                for question, when in block.required_when:
                    if answers.get(question.name, blank) is None and when.holds(rows):
                        report(question, "required", {})
            for question, rule in block.constraints:
                value = answers.get(question.name)
                if value is None or value is UNREAD:
                    continue
                if rule.holds(rows, value) is False:
                    report(question, *broken_rule(question))


def alone_rule(question: Field, *, today: date, now: datetime | None) -> Expression | None:
    """The question's constraint, if it needs nothing but the answer itself and can be evaluated."""
    if not question.constraint or question.kind == "calculate":
        return None
    try:
        rule = take_apart(question.constraint, inside=(), places={}, today=today, now=now)
    except NotEvaluated:
        return None
    return rule if rule.alone else None


def broken_rule(question: Field) -> tuple[str, Mapping[str, str]]:
    """The sentence for a constraint that does not hold: the form's own words, or else the rule."""
    if question.constraint_message:
        return "constraint", {"rule": Spoken(question.constraint_message, "", _MOST_OF_A_RULE)}
    return "constraint_unsaid", {"rule": (question.constraint or "")[:_MOST_SHOWN]}


class Spoken(str):
    """Words of a form in the blank of a sentence: `{question:en}` says them in English.

    >>> "{0:en}, {0:es}, {0}".format(Spoken({"es": "Edad", "en": "Age"}, "age"))
    'Age, Edad, Edad'
    """

    __slots__ = ("most", "words")
    words: Words
    most: int

    def __new__(cls, words: Words, otherwise: str, most: int = _MOST_SHOWN) -> Spoken:
        """`otherwise` is said where there are no words."""
        spoken = super().__new__(cls, (in_language(words, FIRST_LANGUAGE) or otherwise)[:most])
        spoken.words, spoken.most = words, most
        return spoken

    def __format__(self, language: str) -> str:
        return (in_language(self.words, language) if language else "")[: self.most] or str(self)


def spoken(question: Field) -> dict[str, str]:
    """What a question is called, for the blank `question` of a sentence."""
    return {"question": Spoken(question.label, question.name)}


def checks_by_place(form: Form, make: Callable[[str | None], Checks]) -> Mapping[str | None, Checks]:
    """The checks of the form itself (under None) and of each repeat."""
    return {place: make(place) for place in (None, *form.repeats)}


def _calculated(value: Any) -> str | int | Decimal | date | None:
    """The result of a calculation as an answer; what is no number is no answer."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value or abs(value) >= 1e15:
            return None
        return int(value) if value.is_integer() else Decimal(repr(value))
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or None
    return None if value == "" else value
