"""What the questions of a form mean beside their answers: consent, how a person is found, her origin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from resguardo.plan.condition import Condition, parse_condition
from resguardo.plan.declaration import ConsentQuestion, Index, SearchIndex
from resguardo.plan.fact import AGE_BANDS
from resguardo.plan.purposes import known_purposes
from resguardo.plan.toml_table import Table, refuse_unknown
from resguardo.plan.xlsform import Field, FieldKind, FormText
from resguardo.values import (
    LANGUAGES,
    InstitutionKind,
    Refused,
    Sensitivity,
    SubjectKind,
    Words,
)

_TEXT: Final[frozenset[FieldKind]] = frozenset({"text"})
_LIST: Final[frozenset[FieldKind]] = frozenset({"select_one"})
_DAY: Final[frozenset[FieldKind]] = frozenset({"date"})
_RECEIVER: Final[frozenset[FieldKind]] = frozenset({"text", "select_one", "select_multiple"})
_AGE: Final[frozenset[FieldKind]] = frozenset({"integer", "date", "select_one"})
_PROOF: Final[frozenset[FieldKind]] = frozenset({"text", "date"})
_BESIDE_A_NAME: Final[frozenset[FieldKind]] = frozenset({"date", "integer", "select_one"})

_FIELDS: Final[Mapping[Index, tuple[int, int]]] = {
    Index.DOCUMENT: (1, 3),
    Index.PHONE: (1, 1),
    Index.NAME: (2, 4),
}
"""How few and how many questions an index has."""


class FormMeaning:
    """What one ``[[form]]`` says of its questions; `tables` are passed over if the form has no text."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._consents = list(table.tables("consent"))
        self._searches = list(table.tables("search"))
        self._groups = table.table("groups")
        self._recognise = table.texts("recognise", needed=False)
        self._origin = table.text("origin", needed=False)
        self._asylum = table.text("asylum", needed=False)
        self.tables = (*self._consents, *self._searches, *filter(None, [self._groups]))

    # Consent

    def consents(self, text: FormText) -> tuple[ConsentQuestion, ...]:
        """The questions that record consent."""
        found: list[ConsentQuestion] = []
        for table in self._consents:
            consent = _consent(table, _Questions(text, table))
            table.close()
            if consent is not None:
                found.append(consent)
        return tuple(found)

    # Finding and recognising

    def searches(self, text: FormText) -> tuple[SearchIndex, ...]:
        """By what a record is found without being opened."""
        found: list[SearchIndex] = []
        for table in self._searches:
            index, fields = table.code("index", Index), table.texts("fields")
            table.close()
            if index is not None and fields and _can_search(index, fields, _Questions(text, table)):
                found.append(SearchIndex(index, fields))
        return tuple(found)

    def recognise(self, text: FormText) -> tuple[str, ...]:
        """The questions by whose answer a person is recognised: none that others also know the answer to."""
        questions = _Questions(text, self._table)
        for name in self._recognise:
            question = questions.called("recognise", name, _PROOF)
            if question is not None and question.sensitivity is Sensitivity.PLAIN:
                self._table.refuse("plan.programme.recognise_plain", "recognise", name=name)
        return self._recognise

    # Where the person comes from

    def origin(self, text: FormText) -> str | None:
        """The question with the country that the person comes from."""
        if self._origin is None:
            return None
        question = _Questions(text, self._table).called("origin", self._origin, _LIST)
        if question is not None and not any(
            re.fullmatch(r"[A-Z]{2}", code) for code in _codes(text, question)
        ):
            self._table.refuse(
                "plan.programme.origin_codes", "origin", name=self._origin, list=question.list_name or ""
            )
        return self._origin

    def asylum(self, text: FormText) -> Condition | None:
        """The answer that says that the person wishes to ask for asylum."""
        return _Questions(text, self._table).answer("asylum", self._asylum, may_hurt=True)

    # What the person reads

    def groups(self, text: FormText, about: SubjectKind) -> Mapping[Sensitivity, Words]:
        """What the person reads for each group of answers; of persons in every language of the house."""
        if self._groups is None:
            return MappingProxyType({})
        found: dict[Sensitivity, Words] = {}
        asked = {question.sensitivity for question in text.fields}
        languages = LANGUAGES if about is SubjectKind.PERSON else ("es", "en")
        for level in Sensitivity:
            inner = self._groups.table(level.value)
            if inner is None:
                continue
            found[level] = inner.check_words(None, inner.content, languages)
            if level not in asked:
                inner.refuse("plan.programme.group_empty", None, group=level.value)
        self._groups.close()
        return MappingProxyType(found)


class _Questions:
    """The questions of a form, as one table names them; what it names wrongly is noted at its key."""

    def __init__(self, text: FormText, table: Table) -> None:
        self.text = text
        self.table = table
        self._named = {question.name: question for question in text.fields}

    def called(
        self, key: str, name: str | None, kinds: frozenset[FieldKind], *, may_hurt: bool = False
    ) -> Field | None:
        """The question of that name: once in the form, of one of those kinds, and not a sensitive one."""
        if name is None:
            return None
        question = self._named.get(name)
        if question is None:
            refuse_unknown(self.table, key, "plan.programme.field_unknown", name, self._named)
            return None
        facts = {"name": name, "row": str(question.row)}
        if question.kind not in kinds:
            allowed = ", ".join(sorted(kinds))
            self.table.refuse("plan.programme.field_kind", key, kind=question.kind, allowed=allowed, **facts)
        elif question.repeat is not None:
            self.table.refuse("plan.programme.field_repeated", key, **facts)
        elif question.sensitivity is Sensitivity.SENSITIVE and not may_hurt:
            self.table.refuse("plan.programme.field_sensitive", key, **facts)
        else:
            return question
        return None

    def under(self, key: str, kinds: frozenset[FieldKind], *, may_hurt: bool = False) -> str | None:
        """The name of the question that the table has under a key."""
        name = self.table.text(key, needed=False)
        self.called(key, name, kinds, may_hurt=may_hurt)
        return name

    def answer(self, key: str, written: str | None, *, may_hurt: bool = False) -> Condition | None:
        """A condition on one question with a list, such as ``under_18 = yes``."""
        if written is None:
            return None
        try:
            condition = parse_condition(written)
        except Refused:
            condition = None
        if condition is None or condition.operator not in ("=", "in"):
            self.table.refuse("plan.programme.answer", key, text=written)
            return None
        question = self.called(key, condition.fact, _LIST, may_hurt=may_hurt)
        if question is None:
            return None
        codes = _codes(self.text, question)
        for value in condition.values:
            if value not in codes:
                refuse_unknown(self.table, key, "plan.condition.value", value, codes, fact=condition.fact)
        return condition


def _codes(text: FormText, question: Field) -> list[str]:
    return [choice.name for choice in text.choices[question.list_name or ""]]


def _consent(table: Table, questions: _Questions) -> ConsentQuestion | None:
    name, yes = table.text("field"), table.text("yes")
    purposes = known_purposes(table, "purposes")
    kinds = table.codes("receiver_kinds", InstitutionKind, needed=False)
    consent = ConsentQuestion(
        field=name or "",
        yes=yes or "",
        purposes=purposes,
        receiver=questions.under("receiver", _RECEIVER),
        receiver_kinds=kinds,
        age=questions.under("age", _AGE),
        minor=questions.answer("minor", table.text("minor", needed=False)),
        guardian=questions.under("guardian", _LIST),
        authority=questions.answer("authority", table.text("authority", needed=False)),
        assent=questions.under("assent", _LIST),
        until=questions.under("until", _DAY),
        withdrawn=questions.under("withdrawn", _DAY),
        language=questions.under("language", _LIST),
        manner=questions.under("manner", _LIST),
    )
    if name is None or yes is None:
        return None
    question = next((field for field in questions.text.fields if field.name == name), None)
    if question is None:
        refuse_unknown(
            table, "field", "plan.programme.field_unknown", name, [f.name for f in questions.text.fields]
        )
        return None
    if question.kind != "select_one" or question.repeat is not None:
        table.refuse("plan.programme.consent_kind", "field", name=name)
        return None
    for key, asked in (("field", name), ("guardian", consent.guardian), ("assent", consent.assent)):
        _check_yes(table, questions, key, asked, yes)
    _check_receivers(table, consent)
    _check_minor(table, questions, consent)
    return consent


def _check_yes(table: Table, questions: _Questions, key: str, name: str | None, yes: str) -> None:
    """The consent, the guardian and the child say yes with the same code."""
    question = next((field for field in questions.text.fields if field.name == name), None)
    if question is None or question.kind != "select_one":
        return
    codes = _codes(questions.text, question)
    if yes not in codes:
        at = "yes" if key == "field" else key
        table.refuse("plan.programme.consent_yes", at, written=yes, allowed=", ".join(codes))


def _check_receivers(table: Table, consent: ConsentQuestion) -> None:
    if consent.receiver is not None and consent.receiver_kinds:
        table.refuse("plan.programme.consent_receivers", "receiver_kinds")
    declared = _declared_receivers(table)
    for kind in consent.receiver_kinds:
        for purpose in consent.purposes:
            if (kind.value, purpose) not in declared:
                table.refuse(
                    "plan.programme.consent_receiver", "receiver_kinds", name=kind.value, purpose=purpose
                )


def _declared_receivers(table: Table) -> set[tuple[str, str]]:
    """Kinds of institution and the purposes for which they may receive, as the file has them."""
    recipients = table.file.root.get("recipient", [])
    return {
        (str(recipient.get("institution_kind")), purpose)
        for recipient in (recipients if isinstance(recipients, list) else ())
        if isinstance(recipient, dict) and isinstance(recipient.get("purposes"), list)
        for purpose in recipient["purposes"]
        if isinstance(purpose, str)
    }


def _check_minor(table: Table, questions: _Questions, consent: ConsentQuestion) -> None:
    """Whether the person is a minor is known from a question that is always answered."""
    ages = {"age": consent.age, "minor": consent.minor.fact if consent.minor else None}
    asked = {key: name for key, name in ages.items() if name is not None}
    others = [key for key in ("guardian", "assent", "authority") if getattr(consent, key) is not None]
    if others and not asked:
        table.refuse("plan.programme.consent_no_age", others[0])
    if "guardian" not in others and (asked or others):
        table.refuse("plan.programme.consent_no_guardian", next(iter(asked), others[0] if others else None))
    for key, question in _asked(questions.text, asked):
        if not question.required or question.conditional:
            table.refuse(
                "plan.programme.consent_age_optional", key, name=question.name, row=str(question.row)
            )
        if (
            key == "age"
            and question.kind == "select_one"
            and not (set(_codes(questions.text, question)) <= set(AGE_BANDS))
        ):
            table.refuse(
                "plan.programme.consent_age_bands", key, name=question.name, allowed=", ".join(AGE_BANDS)
            )


def _asked(text: FormText, names: Mapping[str, str]) -> Iterator[tuple[str, Field]]:
    for key, name in names.items():
        for question in text.fields:
            if question.name == name:
                yield key, question


def _can_search(index: Index, fields: Iterable[str], questions: _Questions) -> bool:
    """Whether the index can be made of these questions; what is wrong with them is noted."""
    names = tuple(fields)
    few, many = _FIELDS[index]
    if not few <= len(names) <= many:
        alone = index is Index.NAME and len(names) < few
        code = "plan.programme.search_alone" if alone else "plan.programme.search_fields"
        questions.table.refuse(code, "fields", index=index.value, few=str(few), many=str(many))
        return False
    kinds: list[frozenset[FieldKind]]
    if index is Index.NAME:
        kinds = [_TEXT, *[_BESIDE_A_NAME] * (len(names) - 1)]
    else:
        kinds = [*[_LIST] * (len(names) - 1), _TEXT]
    found = [questions.called("fields", name, kind) for name, kind in zip(names, kinds, strict=True)]
    return None not in found
